/* domain/subscription.c: versions, pauses, and what they owe. */
#include "domain/subscription.h"

/* -- acts -- */

void
ll_sub_begin(struct ll_subscription *sub, const struct ll_local *local,
    const struct ll_sub_terms *terms, int64_t start_ms)
{
    *sub = (struct ll_subscription){.rhythm = {terms->interval, terms->anchor,
                                        ll_local_day(local, start_ms)},
        .start_ms = start_ms,
        .acted_ms = start_ms,
        .end_ms = LL_NO_END,
        .trial_days = terms->trial_days,
        .version_count = 1};
    sub->versions[0] = (struct ll_sub_version){terms->version, start_ms};
}

static bool
is_paused(const struct ll_subscription *sub)
{
    return sub->pause_count > 0 &&
           sub->pauses[sub->pause_count - 1].to_ms == LL_NO_END;
}

static enum ll_sub_no
may(const struct ll_subscription *sub, int64_t at_ms)
{
    if (at_ms >= sub->end_ms)
        return LL_SUB_OVER;
    return at_ms < sub->acted_ms ? LL_SUB_EARLIER : LL_SUB_OK;
}

/* How many versions were in force by `at_ms`: those behind them wait. */
static uint32_t
in_force(const struct ll_subscription *sub, int64_t at_ms)
{
    uint32_t count = sub->version_count;
    while (count > 1 && sub->versions[count - 1].from_ms > at_ms)
        count--;
    return count;
}

static enum ll_sub_no
put_version(
    struct ll_subscription *sub, uint32_t version, int64_t at_ms, int64_t from)
{
    enum ll_sub_no no = may(sub, at_ms);
    if (no != LL_SUB_OK)
        return no;
    if (from >= sub->end_ms)
        return LL_SUB_OVER;
    uint32_t kept = in_force(sub, at_ms);
    if (kept == LL_SUB_VERSIONS_MAX)
        return LL_SUB_FULL;
    sub->version_count = kept;
    /* Two at one instant: the second is as if the first had not been. */
    if (sub->versions[sub->version_count - 1].from_ms == from)
        sub->version_count--;
    sub->versions[sub->version_count++] =
        (struct ll_sub_version){version, from};
    sub->acted_ms = at_ms;
    return LL_SUB_OK;
}

enum ll_sub_no
ll_sub_upgrade(struct ll_subscription *sub, uint32_t version, int64_t at_ms)
{
    return put_version(sub, version, at_ms, at_ms);
}

/* Where the period that holds an instant ends. */
static int64_t
period_end(const struct ll_subscription *sub, const struct ll_local *local,
    int64_t at_ms)
{
    int32_t day = ll_local_day(local, at_ms);
    return ll_local_midnight(local, ll_period_of(&sub->rhythm, day).to);
}

enum ll_sub_no
ll_sub_downgrade(struct ll_subscription *sub, const struct ll_local *local,
    uint32_t version, int64_t at_ms)
{
    enum ll_sub_no no = may(sub, at_ms);
    if (no != LL_SUB_OK)
        return no;
    return put_version(sub, version, at_ms, period_end(sub, local, at_ms));
}

enum ll_sub_no
ll_sub_pause(struct ll_subscription *sub, int64_t at_ms)
{
    enum ll_sub_no no = may(sub, at_ms);
    if (no != LL_SUB_OK)
        return no;
    if (is_paused(sub))
        return LL_SUB_PAUSED;
    if (sub->pause_count == LL_SUB_PAUSES_MAX)
        return LL_SUB_FULL;
    sub->pauses[sub->pause_count++] = (struct ll_sub_pause){at_ms, LL_NO_END};
    sub->acted_ms = at_ms;
    return LL_SUB_OK;
}

enum ll_sub_no
ll_sub_resume(struct ll_subscription *sub, int64_t at_ms)
{
    enum ll_sub_no no = may(sub, at_ms);
    if (no != LL_SUB_OK)
        return no;
    if (!is_paused(sub))
        return LL_SUB_PAUSED;
    sub->pauses[sub->pause_count - 1].to_ms = at_ms;
    sub->acted_ms = at_ms;
    return LL_SUB_OK;
}

enum ll_sub_no
ll_sub_cancel(struct ll_subscription *sub, int64_t at_ms)
{
    enum ll_sub_no no = may(sub, at_ms);
    if (no != LL_SUB_OK)
        return no;
    sub->version_count = in_force(sub, at_ms);
    sub->acted_ms = at_ms;
    sub->end_ms = at_ms;
    return LL_SUB_OK;
}

enum ll_sub_no
ll_sub_cancel_at_end(
    struct ll_subscription *sub, const struct ll_local *local, int64_t at_ms)
{
    enum ll_sub_no no = may(sub, at_ms);
    if (no != LL_SUB_OK)
        return no;
    sub->version_count = in_force(sub, at_ms);
    sub->acted_ms = at_ms;
    sub->end_ms = period_end(sub, local, at_ms);
    return LL_SUB_OK;
}

/* -- what is owed -- */

/* Days of [from, to) that are wholly paused: those after the day on which a
 * pause began, up to the day on which it ended. */
static int32_t
paused_days(const struct ll_subscription *sub, const struct ll_local *local,
    struct ll_period days)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < sub->pause_count; i++) {
        const struct ll_sub_pause *p = &sub->pauses[i];
        int32_t from = ll_local_day_end(local, p->from_ms), to = days.to;
        if (p->to_ms != LL_NO_END && ll_local_day(local, p->to_ms) < to)
            to = ll_local_day(local, p->to_ms);
        from = from > days.from ? from : days.from;
        sum += to > from ? to - from : 0;
    }
    return sum;
}

/* The days for which a version's fees are owed: from the day of its change,
 * which is its own, to the day of the next one's; no trial, no pause. */
static struct ll_days
days_of(const struct ll_subscription *sub, const struct ll_local *local,
    struct ll_period period, uint32_t i)
{
    struct ll_days days = {0, period.to - period.from};
    struct ll_period owed = period;
    int32_t from = ll_local_day(local, sub->versions[i].from_ms);
    int32_t paid = sub->rhythm.start + sub->trial_days;
    from = from > paid ? from : paid;
    owed.from = from > owed.from ? from : owed.from;
    if (i + 1 < sub->version_count) {
        int32_t next = ll_local_day(local, sub->versions[i + 1].from_ms);
        owed.to = next < owed.to ? next : owed.to;
    }
    if (sub->end_ms != LL_NO_END) {
        int32_t end = ll_local_day_end(local, sub->end_ms);
        owed.to = end < owed.to ? end : owed.to;
    }
    if (owed.to > owed.from)
        days.billed = owed.to - owed.from - paused_days(sub, local, owed);
    return days;
}

uint32_t
ll_sub_pieces(const struct ll_subscription *sub, const struct ll_local *local,
    struct ll_period period, struct ll_sub_piece *pieces)
{
    int64_t from_ms = ll_local_midnight(local, period.from);
    int64_t to_ms = ll_local_midnight(local, period.to);
    uint32_t count = 0;
    to_ms = sub->end_ms < to_ms ? sub->end_ms : to_ms;
    for (uint32_t i = 0; i < sub->version_count; i++) {
        struct ll_sub_piece piece = {.version = sub->versions[i].version,
            .from_ms = sub->versions[i].from_ms,
            .to_ms = to_ms};
        if (i + 1 < sub->version_count &&
            sub->versions[i + 1].from_ms < piece.to_ms)
            piece.to_ms = sub->versions[i + 1].from_ms;
        piece.from_ms = piece.from_ms > from_ms ? piece.from_ms : from_ms;
        if (piece.from_ms >= piece.to_ms)
            continue;
        piece.days = days_of(sub, local, period, i);
        pieces[count++] = piece;
    }
    return count;
}

struct ll_days
ll_sub_days_left(const struct ll_subscription *sub,
    const struct ll_local *local, int64_t at_ms)
{
    int32_t day = ll_local_day(local, at_ms);
    struct ll_period period = ll_period_of(&sub->rhythm, day);
    int32_t paid = sub->rhythm.start + sub->trial_days;
    day = day > paid ? day : paid;
    return (struct ll_days){
        period.to > day ? period.to - day : 0, period.to - period.from};
}
