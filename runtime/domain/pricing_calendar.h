/* domain/pricing_calendar.h: local days, periods and their shares. [any] pure
 *
 * A period is half-open, from local midnight to local midnight. A local day D
 * begins at the first instant whose local date is D or later: where a clock
 * change skips midnight the day begins after it, and where one repeats it the
 * first counts. So days never go back, whatever the clock does.
 */
#ifndef LL_DOMAIN_PRICING_CALENDAR_H
#define LL_DOMAIN_PRICING_CALENDAR_H

#include "base/err.h"
#include "domain/age.h"

/* A zone, as world/zone.h reads it: from changes[2i] (ms since 1970) on, local
 * time is UTC plus changes[2i + 1] seconds; the first reaches back for ever.
 * Borrowed. */
struct ll_local {
    const int64_t *changes;
    uint32_t count; /* pairs, at least 1 */
};

/* Days since 1970-01-01. An instant is within base/instant.h's range. */
int32_t ll_local_day(const struct ll_local *local, int64_t ms);
int64_t ll_local_midnight(const struct ll_local *local, int32_t day);
/* The day after `ms`, and the same day if `ms` is its midnight: where what
 * ends at `ms` ends. */
int32_t ll_local_day_end(const struct ll_local *local, int64_t ms);

/* "2026-02-28", NUL-terminated. */
void ll_day_text(int32_t day, char out[16]);

enum ll_interval { LL_MONTH, LL_QUARTER, LL_YEAR };
enum ll_anchor {
    LL_CALENDAR,    /* months, quarters, years as the calendar has them */
    LL_ANNIVERSARY, /* from the day of the start; clamped to a shorter month */
};
struct ll_rhythm {
    enum ll_interval interval;
    enum ll_anchor anchor;
    int32_t start; /* the local day on which the subscription starts */
};
struct ll_period {
    int32_t from, to; /* [from, to) */
};
/* The n-th period from the one that holds the start, which is 0. An
 * anniversary is always counted from the start itself, so that it comes back
 * to the 31st after a February. */
struct ll_period ll_period_at(const struct ll_rhythm *rhythm, int32_t n);
/* The period that holds a day, the start or later. */
struct ll_period ll_period_of(const struct ll_rhythm *rhythm, int32_t day);

/* How much of a period counts: {1, 1} is all of it. */
struct ll_days {
    int32_t billed, period;
};
/* [start, end) of a subscription within the period; a start's day and an
 * end's day count, but for an end at midnight. */
struct ll_stay {
    int64_t start_ms, end_ms; /* LL_NO_START, LL_NO_END: it goes on */
    int32_t trial_days;       /* from the start's day, free */
};
#define LL_NO_START INT64_MIN
#define LL_NO_END INT64_MAX
/* The days of the period in which a recurring fee is owed. */
struct ll_days ll_days_owed(const struct ll_local *local,
    struct ll_period period, const struct ll_stay *stay);

#endif
