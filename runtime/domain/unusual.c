/* domain/unusual.c: median and spread of days. [any] pure */
#include "domain/unusual.h"

#include "domain/pricing_number.h"
#include "domain/usage.h"

#define WEEK 7

/* Distances of int64 need 65 bits, bounds a few more. */
static int64_t
clamp(ll_wide x)
{
    return x > INT64_MAX ? INT64_MAX : x < INT64_MIN ? INT64_MIN : (int64_t)x;
}

/* Into `sorted`, which has `count`. */
static void
insert(ll_wide *sorted, uint32_t count, ll_wide x)
{
    uint32_t i = count;
    for (; i > 0 && sorted[i - 1] > x; i--)
        sorted[i] = sorted[i - 1];
    sorted[i] = x;
}

/* Of two in the middle the floor of their mean. */
static ll_wide
median_of(const ll_wide *sorted, uint32_t count)
{
    ll_wide low = sorted[(count - 1) / 2], high = sorted[count / 2];
    return low + (high - low) / 2;
}

static ll_wide
distance(ll_wide a, ll_wide b)
{
    return a < b ? b - a : a - b;
}

/* How far from a median is usual still. */
static ll_wide
reach_of(ll_wide median, ll_wide spread)
{
    ll_wide reach = spread * LL_UNUSUAL_SPREADS;
    ll_wide share = distance(median, 0) * LL_UNUSUAL_SHARE_PERCENT / 100;
    ll_wide floor = (ll_wide)LL_UNUSUAL_UNITS_MIN * LL_USAGE_UNIT;
    if (share > reach)
        reach = share;
    return floor > reach ? floor : reach;
}

/* Whether a day is usual for its weekday. */
static bool
weekly(const int64_t *days, uint32_t count, ll_wide spread)
{
    ll_wide sorted[LL_UNUSUAL_DAYS / WEEK];
    uint32_t weeks = 0;
    for (uint32_t back = WEEK; back < count && back <= LL_UNUSUAL_DAYS;
         back += WEEK) {
        insert(sorted, weeks, days[count - 1 - back]);
        weeks++;
    }
    if (weeks < LL_UNUSUAL_WEEKS)
        return false;
    ll_wide median = median_of(sorted, weeks);
    return distance(days[count - 1], median) <= reach_of(median, spread);
}

void
ll_unusual_judge(const int64_t *days, uint32_t count, struct ll_unusual *out)
{
    ll_wide sorted[LL_UNUSUAL_DAYS];
    ll_check(count > 0);
    uint32_t past = count - 1 < LL_UNUSUAL_DAYS ? count - 1 : LL_UNUSUAL_DAYS;
    const int64_t *first = days + (count - 1 - past);
    int64_t day = days[count - 1];
    *out = (struct ll_unusual){.word = LL_UNUSUAL_UNKNOWN, .days = past};
    if (past < LL_UNUSUAL_DAYS_MIN)
        return;
    for (uint32_t i = 0; i < past; i++)
        insert(sorted, i, first[i]);
    ll_wide median = median_of(sorted, past);
    for (uint32_t i = 0; i < past; i++)
        insert(sorted, i, distance(first[i], median));
    ll_wide spread = median_of(sorted, past);
    ll_wide reach = reach_of(median, spread);
    out->median = (int64_t)median;
    out->spread = clamp(spread);
    out->least = clamp(median - reach);
    out->most = clamp(median + reach);
    if (distance(day, median) <= reach || weekly(days, count, spread))
        out->word = LL_UNUSUAL_NOT;
    else
        out->word = day > median ? LL_UNUSUAL_ABOVE : LL_UNUSUAL_BELOW;
}
