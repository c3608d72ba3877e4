/* domain/pricing_calendar.c: local days, periods and their shares. */
#include "domain/pricing_calendar.h"

#include <stdio.h>

#define DAY_MS INT64_C(86400000)
/* No clock on earth is, or was, further from UTC. */
#define OFFSET_MS_MAX (26 * INT64_C(3600000))

/* -- instants and days -- */

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The last change at or before `ms`; the first reaches back for ever. */
static uint32_t
change_before(const struct ll_local *local, int64_t ms)
{
    uint32_t low = 0, high = local->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (local->changes[(size_t)2 * middle] <= ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t
ll_local_midnight(const struct ll_local *local, int32_t day)
{
    int64_t utc = day * DAY_MS;
    uint32_t i = change_before(local, utc - OFFSET_MS_MAX);
    for (;; i++) {
        int64_t at = utc - local->changes[2 * (size_t)i + 1] * 1000;
        if (i > 0 && at < local->changes[2 * (size_t)i])
            at = local->changes[2 * (size_t)i]; /* midnight was skipped */
        if (i + 1 == local->count || at < local->changes[2 * (size_t)i + 2])
            return at;
    }
}

int32_t
ll_local_day(const struct ll_local *local, int64_t ms)
{
    uint32_t i = change_before(local, ms);
    int64_t here = ms + local->changes[2 * (size_t)i + 1] * 1000;
    int32_t day = (int32_t)floor_div(here, DAY_MS);
    /* A clock set back over midnight shows a date that is over. */
    while (ll_local_midnight(local, day + 1) <= ms)
        day++;
    return day;
}

int32_t
ll_local_day_end(const struct ll_local *local, int64_t ms)
{
    int32_t day = ll_local_day(local, ms);
    return day + (ll_local_midnight(local, day) != ms);
}

void
ll_day_text(int32_t day, char out[16])
{
    struct ll_date date = ll_date_of(day);
    (void)snprintf(out, 16, "%04d-%02u-%02u", (int)(date.year % 100000),
        date.month % 100, date.day % 100);
}

/* -- periods -- */

static int32_t
months_of(enum ll_interval interval)
{
    return interval == LL_MONTH ? 1 : interval == LL_QUARTER ? 3 : 12;
}

/* The day `months` after a date, or its month's last. */
static int32_t
months_after(struct ll_date date, int32_t months)
{
    int64_t month = (int64_t)date.year * 12 + date.month - 1 + months;
    struct ll_date first = {(int32_t)floor_div(month, 12),
        (uint32_t)(month - floor_div(month, 12) * 12 + 1), 1};
    struct ll_date next = {first.year + (first.month == 12),
        first.month == 12 ? 1 : first.month + 1, 1};
    int32_t from = ll_day_of(first);
    int32_t days = ll_day_of(next) - from, into = (int32_t)date.day - 1;
    return from + (into < days ? into : days - 1);
}

struct ll_period
ll_period_at(const struct ll_rhythm *rhythm, int32_t n)
{
    struct ll_date base = ll_date_of(rhythm->start);
    int32_t months = months_of(rhythm->interval);
    if (rhythm->anchor == LL_CALENDAR) {
        base.day = 1;
        base.month -= (base.month - 1) % (uint32_t)months;
    }
    return (struct ll_period){
        months_after(base, n * months), months_after(base, (n + 1) * months)};
}

struct ll_period
ll_period_of(const struct ll_rhythm *rhythm, int32_t day)
{
    int32_t days = months_of(rhythm->interval) * 31;
    int32_t n = (day - rhythm->start) / days; /* at or before it */
    struct ll_period period = ll_period_at(rhythm, n);
    while (period.to <= day)
        period = ll_period_at(rhythm, ++n);
    return period;
}

struct ll_days
ll_days_owed(const struct ll_local *local, struct ll_period period,
    const struct ll_stay *stay)
{
    int32_t from = period.from, to = period.to;
    if (stay->start_ms != LL_NO_START) {
        int32_t start = ll_local_day(local, stay->start_ms) + stay->trial_days;
        from = start > from ? start : from;
    }
    if (stay->end_ms != LL_NO_END) {
        int32_t end = ll_local_day_end(local, stay->end_ms);
        to = end < to ? end : to;
    }
    return (struct ll_days){to > from ? to - from : 0, period.to - period.from};
}
