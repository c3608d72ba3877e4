/* tests/unit/test_subscription.c: versions in time, and the days they owe. */
#include "t.h"

#include "base/text.h"
#include "dice.h"
#include "domain/subscription.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

/* Shanghai, without its summers. */
static const int64_t changes[] = {INT64_MIN, 28800};
static const struct ll_local shanghai = {changes, 1};

static int64_t
at(const char *date, int hours)
{
    int32_t day = 0;
    T_OK(ll_day_read(ll_cstr(date), &day));
    return ll_local_midnight(&shanghai, day) + hours * HOUR_MS;
}

static struct ll_subscription
started(const char *date, int hours, int32_t trial_days)
{
    struct ll_subscription sub;
    struct ll_sub_terms terms = {LL_MONTH, LL_CALENDAR, trial_days, 1};
    ll_sub_begin(&sub, &shanghai, &terms, at(date, hours));
    return sub;
}

static struct ll_period
month(const struct ll_subscription *sub, const char *date)
{
    return ll_period_of(&sub->rhythm, ll_local_day(&shanghai, at(date, 0)));
}

static struct ll_sub_piece pieces[LL_SUB_VERSIONS_MAX];

T_CASE(an_upgrade_splits_at_the_instant)
{
    struct ll_subscription sub = started("2026-03-01", 9, 0);
    T_INT(ll_sub_upgrade(&sub, 2, at("2026-03-11", 15)), LL_SUB_OK);
    T_INT(ll_sub_pieces(&sub, &shanghai, month(&sub, "2026-03-01"), pieces), 2);
    T_INT(pieces[0].version, 1);
    T_INT(pieces[0].from_ms, at("2026-03-01", 9));
    T_INT(pieces[0].to_ms, at("2026-03-11", 15));
    T_INT(pieces[0].days.billed, 10); /* 1 to 10 March */
    T_INT(pieces[1].version, 2);
    T_INT(pieces[1].from_ms, at("2026-03-11", 15));
    T_INT(pieces[1].to_ms, at("2026-04-01", 0));
    T_INT(pieces[1].days.billed, 21);
    T_INT(pieces[1].days.period, 31);
    struct ll_days left =
        ll_sub_days_left(&sub, &shanghai, at("2026-03-11", 15));
    T_INT(left.billed, 21);
    T_INT(left.period, 31);
}

T_CASE(a_downgrade_waits_for_the_end)
{
    struct ll_subscription sub = started("2026-03-01", 0, 0);
    T_INT(ll_sub_downgrade(&sub, &shanghai, 2, at("2026-03-20", 8)), LL_SUB_OK);
    T_INT(ll_sub_pieces(&sub, &shanghai, month(&sub, "2026-03-01"), pieces), 1);
    T_INT(pieces[0].version, 1);
    T_INT(pieces[0].days.billed, 31);
    T_INT(ll_sub_pieces(&sub, &shanghai, month(&sub, "2026-04-01"), pieces), 1);
    T_INT(pieces[0].version, 2);
    T_INT(pieces[0].from_ms, at("2026-04-01", 0));
    /* Another thought before it takes place: the first one is forgotten. */
    T_INT(ll_sub_upgrade(&sub, 3, at("2026-03-25", 0)), LL_SUB_OK);
    T_INT(ll_sub_pieces(&sub, &shanghai, month(&sub, "2026-04-01"), pieces), 1);
    T_INT(pieces[0].version, 3);
}

T_CASE(a_trial_and_a_pause_owe_no_fee)
{
    struct ll_subscription sub = started("2026-04-01", 0, 5);
    T_INT(ll_sub_pieces(&sub, &shanghai, month(&sub, "2026-04-01"), pieces), 1);
    T_INT(pieces[0].days.billed, 25);
    /* Paused on the 10th at noon, back on the 15th at noon: 11 to 14. */
    T_INT(ll_sub_pause(&sub, at("2026-04-10", 12)), LL_SUB_OK);
    T_INT(ll_sub_pause(&sub, at("2026-04-10", 13)), LL_SUB_PAUSED);
    T_INT(ll_sub_resume(&sub, at("2026-04-15", 12)), LL_SUB_OK);
    T_INT(ll_sub_resume(&sub, at("2026-04-15", 12)), LL_SUB_PAUSED);
    T_INT(ll_sub_pieces(&sub, &shanghai, month(&sub, "2026-04-01"), pieces), 1);
    T_INT(pieces[0].days.billed, 21);
}

T_CASE(an_end_is_the_end)
{
    struct ll_subscription sub = started("2026-02-01", 0, 0);
    T_INT(ll_sub_cancel(&sub, at("2026-02-25", 6)), LL_SUB_OK);
    T_INT(ll_sub_pieces(&sub, &shanghai, month(&sub, "2026-02-01"), pieces), 1);
    T_INT(pieces[0].days.billed, 25);
    T_INT(pieces[0].to_ms, at("2026-02-25", 6));
    T_INT(ll_sub_pieces(&sub, &shanghai, month(&sub, "2026-03-01"), pieces), 0);
    T_INT(ll_sub_upgrade(&sub, 2, at("2026-02-25", 6)), LL_SUB_OVER);
    T_INT(ll_sub_cancel(&sub, at("2026-02-26", 0)), LL_SUB_OVER);
    sub = started("2026-02-01", 0, 0);
    T_INT(
        ll_sub_cancel_at_end(&sub, &shanghai, at("2026-02-03", 6)), LL_SUB_OK);
    T_INT(sub.end_ms, at("2026-03-01", 0));
    T_INT(
        ll_sub_downgrade(&sub, &shanghai, 2, at("2026-02-04", 0)), LL_SUB_OVER);
    T_INT(ll_sub_upgrade(&sub, 2, at("2026-02-04", 0)), LL_SUB_OK);
    T_INT(ll_sub_upgrade(&sub, 3, at("2026-02-03", 0)), LL_SUB_EARLIER);
}

/* Whatever is done: instants without a gap, each day owed once at most. */
T_CASE(pieces_cover_a_life_once)
{
    uint64_t state = 17;
    for (int round = 0; round < 300; round++) {
        struct ll_sub_terms terms = {(enum ll_interval)dice_below(&state, 3),
            (enum ll_anchor)dice_below(&state, 2),
            (int32_t)dice_below(&state, 20), 1};
        struct ll_subscription sub;
        int64_t now =
            at("2026-01-31", 0) + (int64_t)dice_below(&state, 700) * HOUR_MS;
        ll_sub_begin(&sub, &shanghai, &terms, now);
        bool paused = false;
        for (uint32_t i = 0; i < 12; i++) {
            now += (int64_t)dice_below(&state, 900) * HOUR_MS;
            uint32_t what = dice_below(&state, 4);
            if (what == 0)
                T_INT(ll_sub_upgrade(&sub, i, now), LL_SUB_OK);
            else if (what == 1)
                T_INT(ll_sub_downgrade(&sub, &shanghai, i, now), LL_SUB_OK);
            else if (what == 2)
                paused = (ll_sub_pause(&sub, now) == LL_SUB_OK) || paused;
            else
                paused = ll_sub_resume(&sub, now) != LL_SUB_OK && paused;
        }
        T_INT(ll_sub_cancel(&sub, now + 40 * DAY_MS + 1), LL_SUB_OK);
        int64_t covered = sub.start_ms;
        for (int32_t n = 0; n < 40; n++) {
            struct ll_period period = ll_period_at(&sub.rhythm, n);
            uint32_t count = ll_sub_pieces(&sub, &shanghai, period, pieces);
            int32_t billed = 0;
            for (uint32_t i = 0; i < count; i++) {
                T_INT(pieces[i].from_ms, covered);
                T_OK(pieces[i].to_ms > pieces[i].from_ms);
                T_OK(pieces[i].days.billed >= 0);
                covered = pieces[i].to_ms;
                billed += pieces[i].days.billed;
            }
            T_OK(billed <= period.to - period.from);
        }
        T_INT(covered, sub.end_ms);
    }
}

T_MAIN(T_RUN(an_upgrade_splits_at_the_instant) T_RUN(
    a_downgrade_waits_for_the_end) T_RUN(a_trial_and_a_pause_owe_no_fee)
        T_RUN(an_end_is_the_end) T_RUN(pieces_cover_a_life_once))
