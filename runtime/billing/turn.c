/* billing/turn.c: which invoice comes next, and when. [any] pure */
#include "billing/rating.h"

/* No month has more days, so this many periods have begun at least. */
static int32_t
days_most(enum ll_interval interval)
{
    return interval == LL_MONTH ? 31 : interval == LL_QUARTER ? 92 : 366;
}

int32_t
ll_turn_number(const struct ll_rhythm *rhythm, int32_t day)
{
    struct ll_period first = ll_period_at(rhythm, 0);
    int32_t n = day <= first.from
                    ? 0
                    : (day - first.from) / days_most(rhythm->interval);
    while (ll_period_at(rhythm, n).to <= day)
        n++;
    return n;
}

/* When a period's fees in advance are billed: as it begins, or with the
 * subscription. */
static int64_t
begins_ms(const struct ll_sub *sub, struct ll_period period)
{
    int64_t ms = ll_local_midnight(sub->local, period.from);
    return ms > sub->start_ms ? ms : sub->start_ms;
}

static void
set(const struct ll_sub *sub, int32_t k, struct ll_turn *out)
{
    *out = (struct ll_turn){.k = k,
        .has_before = k > 0,
        .has_advance = true,
        .advance = ll_period_at(&sub->rhythm, k)};
    if (k > 0)
        out->before = ll_period_at(&sub->rhythm, k - 1);
    out->due_ms = begins_ms(sub, out->advance);
    out->next = out->advance.to;
}

static void
set_last(const struct ll_sub *sub, struct ll_turn *out)
{
    out->last = true;
    out->has_advance = false;
    out->due_ms = sub->end_ms > sub->start_ms ? sub->end_ms : sub->start_ms;
    out->next = LL_BILLED_ALL;
}

void
ll_turn_of(const struct ll_sub *sub, int32_t k, bool last, struct ll_turn *out)
{
    set(sub, k, out);
    if (last)
        set_last(sub, out);
}

bool
ll_turn_next(const struct ll_sub *sub, struct ll_turn *out)
{
    *out = (struct ll_turn){.k = 0};
    if (sub->billed_to == LL_BILLED_ALL)
        return false;
    int32_t k = 0;
    if (sub->billed_to > sub->rhythm.start)
        k = ll_turn_number(&sub->rhythm, sub->billed_to);
    set(sub, k, out);
    if (sub->end_ms != LL_NO_END && sub->end_ms <= out->due_ms)
        set_last(sub, out);
    return true;
}

void
ll_turn_preview(const struct ll_sub *sub, int64_t at_ms, struct ll_turn *out)
{
    int64_t ms = at_ms > sub->start_ms ? at_ms : sub->start_ms;
    if (sub->end_ms != LL_NO_END && ms >= sub->end_ms)
        ms = sub->end_ms > sub->start_ms ? sub->end_ms - 1 : sub->start_ms;
    int32_t n = ll_turn_number(&sub->rhythm, ll_local_day(sub->local, ms));
    set(sub, n + 1, out);
    out->has_advance = false;
}

void
ll_period_label(
    const struct ll_rhythm *rhythm, struct ll_period period, char out[16])
{
    ll_day_text(period.from, out);
    if (rhythm->interval == LL_MONTH && rhythm->anchor == LL_CALENDAR)
        out[7] = '\0';
}
