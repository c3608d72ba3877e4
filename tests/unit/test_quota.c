/* tests/unit/test_quota.c: windows of subscriptions: what is promised, what is
 * used, and what is known of it after a restart. */
#include "billing_fixture.h"

#include "base/text.h"
#include "billing/money.h"
#include "billing/quota.h"
#include "data/series.h"

#define UNIT ((int64_t)1000000)
#define CALL LINLI_STR("linli.call")
#define HOURS LINLI_STR("hours")

#define QUOTA_PLAN(name, limits)                                    \
    "{\"name\":\"" name "\",\"plugin\":\"parking\",\"plan\":{"      \
    "\"interval\":\"month\",\"anchor\":\"calendar\",\"charges\":[{" \
    "\"id\":\"calls\",\"kind\":\"unit\",\"meter\":\"linli.call\","  \
    "\"unit_fen\":\"2.5\"}],\"limits\":[" limits "]}}"
#define TEN "{\"meter\":\"linli.call\",\"kind\":\"hard\",\"max\":\"10\"}"

static struct shop s;
static uint32_t alerts; /* that came in no commit */

static void
on_alert(void *user, const struct ll_quota_alert *alert)
{
    T_OK(user == &s && alert->at_micro > 0);
    alerts++;
}

static void
begin(bool memory)
{
    alerts = 0;
    shop_init(&s, memory);
    s.billing.alerted = on_alert;
    s.billing.user = &s;
}

static void
again(void)
{
    engine_settle(&s.e);
    shop_again(&s);
    s.billing.alerted = on_alert;
    s.billing.user = &s;
}

static void
told(struct ll_wait *wait)
{
    LL_UNUSED(wait);
}

/* The window of an instant; it may be loading still. */
static struct ll_window *
window_at(const struct ll_sub *sub, int64_t at_ms)
{
    const struct ll_plan_version *plan = ll_sub_plan_at(&s.billing, sub, at_ms);
    T_OK(plan != NULL);
    return ll_quota_window(&s.billing, sub, plan, at_ms);
}

/* The same, known. */
static struct ll_window *
known(const struct ll_sub *sub, int64_t at_ms)
{
    struct ll_wait wait = {.ready = told};
    struct ll_window *window = window_at(sub, at_ms);
    T_OK(window != NULL);
    if (!ll_window_ready(window, &wait))
        while (wait.head != NULL)
            ll_world_turn(s.e.f.world, true);
    T_INT(window->state, LL_WINDOW_KNOWN);
    return window;
}

/* A record, with the commit that it goes with. */
static void
use(const struct ll_sub *sub, linli_str meter, int64_t units, int64_t at_ms)
{
    struct ll_window *window = window_at(sub, at_ms);
    struct ll_counted counted = {meter, sub->id, window->plan->id};
    struct ll_usage usage = {.at_ms = at_ms,
        .quantity = units * UNIT,
        .series = ll_series(s.e.space, &counted)};
    struct ll_commit *commit = ll_docs_commit_new(&s.e.docs);
    T_OK(usage.series != 0 && commit != NULL);
    ll_commit_usage(commit, &usage);
    T_OK(ll_quota_count(
        window, meter, usage.quantity, ll_store_last(s.e.f.store) + 1));
    T_OK(ll_docs_commit_send(&s.e.docs, commit) != 0);
}

static int64_t
used(const struct ll_window *window, linli_str name)
{
    return ll_window_meter(window, name)->is.used_micro / UNIT;
}

/* How many of `n` promises of one are given; they stay open. */
static uint32_t
promised(struct ll_window *window, linli_str meter, struct ll_quota_hold *holds,
    uint32_t n)
{
    uint32_t given = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct ll_quota_hold hold = {.next = NULL};
        if (ll_quota_reserve(window, meter, UNIT, &hold) == LL_QUOTA_YES)
            holds[given++] = hold;
    }
    return given;
}

static void
give_back(struct ll_quota_hold *holds, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        ll_quota_release(&holds[i]);
}

/* -- promises -- */

T_CASE(exactly_what_is_left_is_promised)
{
    struct ll_quota_hold holds[16];
    begin(true);
    const struct ll_plan_version *plan = shop_plan(&s, QUOTA_PLAN("a", TEN));
    struct ll_sub *sub = shop_sub(&s, plan, "ann", "k1");
    T_OK(ll_quota_asks(sub, plan));
    struct ll_window *window = known(sub, NOW_MS);
    T_INT(promised(window, CALL, holds, 16), 10);
    T_INT(window->holds, 10);
    struct ll_quota_hold more = {.next = NULL};
    T_INT(ll_quota_reserve(window, CALL, UNIT, &more), LL_QUOTA_LIMIT);
    T_INT(ll_quota_reserve(window, HOURS, UNIT, &more), LL_QUOTA_YES);
    /* Four of them become use, six lapse. */
    give_back(holds, 10);
    T_INT(window->holds, 0);
    use(sub, CALL, 4, NOW_MS);
    T_INT(used(window, CALL), 4);
    T_INT(promised(window, CALL, holds, 16), 6);
    give_back(holds, 6);
    /* A promise grows, and ends at once. */
    T_INT(ll_quota_reserve(window, CALL, 2 * UNIT, &more), LL_QUOTA_YES);
    T_INT(ll_quota_reserve(window, CALL, 4 * UNIT, &more), LL_QUOTA_YES);
    T_INT(ll_quota_reserve(window, CALL, UNIT, &more), LL_QUOTA_LIMIT);
    ll_quota_release(&more);
    ll_quota_release(&more);
    T_INT(ll_window_meter(window, CALL)->is.reserved_micro, 0);
    shop_fini(&s);
}

T_CASE(what_is_known_afterwards)
{
    begin(true);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, QUOTA_PLAN("a", TEN)), "ann", "k1");
    struct ll_window *window = known(sub, NOW_MS);
    T_INT(ll_quota_left(window, CALL), LL_QUOTA_YES);
    use(sub, CALL, 12, NOW_MS); /* nobody is asked */
    T_INT(used(window, CALL), 12);
    T_INT(ll_quota_left(window, CALL), LL_QUOTA_LIMIT);
    T_INT(ll_quota_left(window, HOURS), LL_QUOTA_YES);
    shop_fini(&s);
}

T_CASE(nothing_is_asked_of_a_plan_without_limits)
{
    begin(true);
    const struct ll_plan_version *plan = shop_plan(&s, QUOTA_PLAN("a", ""));
    struct ll_sub *sub = shop_sub(&s, plan, "ann", "k1");
    T_OK(!ll_quota_asks(sub, plan));
    T_STR(ll_cstr(shop_do(&s, sub,
              (struct ll_sub_deed){.what = LL_SUB_DO_CAP, .fen = 100})),
        "");
    T_OK(ll_quota_asks(sub, plan));
    shop_fini(&s);
}

/* -- restarts -- */

/* What was counted is there again; what is counted while the question is
 * under way is neither lost nor counted twice. */
T_CASE(a_restart_knows_what_was_used)
{
    struct ll_quota_hold holds[16];
    begin(false);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, QUOTA_PLAN("a", TEN)), "ann", "k1");
    use(sub, CALL, 3, NOW_MS);
    use(sub, CALL, 2, NOW_MS);
    again();
    sub = ll_sub_by_id(&s.billing, LL_SUB_FIRST);
    struct ll_window *window = window_at(sub, NOW_MS);
    T_INT(window->state, LL_WINDOW_LOADING);
    use(sub, CALL, 1, NOW_MS);
    T_OK(known(sub, NOW_MS) == window);
    T_INT(used(window, CALL), 6);
    T_INT(promised(window, CALL, holds, 16), 4);
    give_back(holds, 4);
    shop_fini(&s);
}

/* Not yet durable when the window begins: the answer that does not see it is
 * not taken. */
T_CASE(a_window_waits_for_what_was_committed)
{
    begin(false);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, QUOTA_PLAN("a", TEN)), "ann", "k1");
    for (int i = 0; i < 20; i++) {
        struct ll_counted counted = {CALL, sub->id, 1};
        struct ll_usage usage = {.at_ms = NOW_MS,
            .quantity = UNIT / 10,
            .series = ll_series(s.e.space, &counted)};
        struct ll_commit *commit = ll_docs_commit_new(&s.e.docs);
        ll_commit_usage(commit, &usage);
        (void)ll_docs_commit_send(&s.e.docs, commit);
    }
    T_OK(ll_store_durable(s.e.f.store) < ll_store_last(s.e.f.store));
    T_INT(used(known(sub, NOW_MS), CALL), 2);
    shop_fini(&s);
}

/* -- spans -- */

T_CASE(a_period_and_an_upgrade_begin_anew)
{
    begin(true);
    const struct ll_plan_version *a = shop_plan(&s, QUOTA_PLAN("a", TEN));
    const struct ll_plan_version *b = shop_plan(&s, QUOTA_PLAN("b", TEN));
    struct ll_sub *sub = shop_sub(&s, a, "ann", "k1");
    use(sub, CALL, 10, NOW_MS);
    use(sub, CALL, 1, NOW_MS + 30 * DAY_MS);
    T_INT(used(known(sub, NOW_MS), CALL), 10);
    T_INT(used(known(sub, NOW_MS + 30 * DAY_MS), CALL), 1);
    s.now_ms = NOW_MS + DAY_MS;
    T_STR(ll_cstr(shop_do(&s, sub,
              (struct ll_sub_deed){.what = LL_SUB_DO_UPGRADE, .plan = b})),
        "");
    T_INT(used(known(sub, s.now_ms - 1), CALL), 10);
    T_INT(used(known(sub, s.now_ms), CALL), 0);
    use(sub, CALL, 2, s.now_ms);
    /* Back again: it goes on where it was. */
    s.now_ms += DAY_MS;
    T_STR(ll_cstr(shop_do(&s, sub,
              (struct ll_sub_deed){.what = LL_SUB_DO_UPGRADE, .plan = a})),
        "");
    T_INT(used(known(sub, s.now_ms), CALL), 10);
    shop_fini(&s);
}

/* Old ones go; what is asked for again is as it was. */
T_CASE(few_windows_are_open)
{
    begin(true);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, QUOTA_PLAN("a", TEN)), "ann", "k1");
    for (int month = 0; month < 12; month++) {
        (void)known(sub, NOW_MS + month * 31 * DAY_MS);
        use(sub, CALL, month + 1, NOW_MS + month * 31 * DAY_MS);
    }
    T_INT(s.billing.quotas->count, LL_QUOTA_WINDOWS_MAX);
    T_INT(used(known(sub, NOW_MS), CALL), 1);
    T_INT(used(known(sub, NOW_MS + 5 * 31 * DAY_MS), CALL), 6);
    T_INT(s.billing.quotas->count, LL_QUOTA_WINDOWS_MAX);
    shop_fini(&s);
}

T_CASE(a_free_trial_is_a_span_of_its_own)
{
    begin(true);
    struct ll_sub *sub = shop_sub(&s,
        shop_plan(&s,
            "{\"name\":\"t\",\"plugin\":\"parking\",\"plan\":{\"interval\":"
            "\"month\",\"anchor\":\"calendar\",\"trial_days\":7,"
            "\"trial_usage\":\"free\",\"limits\":[" TEN "],\"charges\":[{"
            "\"id\":\"c\",\"kind\":\"unit\",\"meter\":\"linli.call\","
            "\"unit_fen\":\"100\"}]}}"),
        "ann", "k1");
    T_STR(ll_cstr(shop_do(&s, sub,
              (struct ll_sub_deed){.what = LL_SUB_DO_CAP, .fen = 200})),
        "");
    use(sub, CALL, 9, NOW_MS);
    struct ll_quota_hold hold = {.next = NULL}, other = hold;
    T_INT(ll_quota_reserve(known(sub, NOW_MS), CALL, UNIT, &hold),
        LL_QUOTA_YES); /* it costs nothing */
    ll_quota_release(&hold);
    struct ll_window *paid = known(sub, NOW_MS + 7 * DAY_MS);
    T_INT(used(paid, CALL), 0);
    T_INT(ll_quota_reserve(paid, CALL, 2 * UNIT, &hold), LL_QUOTA_YES);
    T_INT(ll_quota_reserve(paid, CALL, UNIT, &other), LL_QUOTA_CAP);
    ll_quota_release(&hold);
    shop_fini(&s);
}

/* -- alerts -- */

#define SOFT                                                      \
    "{\"meter\":\"linli.call\",\"kind\":\"soft\",\"max\":\"10\"," \
    "\"alerts_bp\":[8000,10000]}"

static uint32_t
alerts_of(struct ll_window *window)
{
    struct ll_quota_alert alert;
    uint32_t count = 0;
    while (ll_quota_alert(window, &alert))
        count++;
    return count;
}

T_CASE(a_threshold_is_told_once)
{
    struct ll_quota_hold holds[16];
    begin(false);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, QUOTA_PLAN("a", SOFT)), "ann", "k1");
    struct ll_window *window = known(sub, NOW_MS);
    use(sub, CALL, 7, NOW_MS);
    T_INT(alerts_of(window), 0);
    use(sub, CALL, 1, NOW_MS);
    T_INT(alerts_of(window), 1);
    T_INT(promised(window, CALL, holds, 16), 16); /* it never refuses */
    give_back(holds, 16);
    again();
    sub = ll_sub_by_id(&s.billing, LL_SUB_FIRST);
    window = known(sub, NOW_MS);
    T_INT(alerts_of(window), 0); /* not again */
    use(sub, CALL, 5, NOW_MS);
    T_INT(alerts_of(window), 1);
    T_INT(alerts, 0);
    /* What reaches one while the window loads is told when that is known. */
    use(sub, CALL, 9, NOW_MS + 30 * DAY_MS);
    T_INT(alerts, 0);
    (void)known(sub, NOW_MS + 30 * DAY_MS);
    T_INT(alerts, 1);
    shop_fini(&s);
}

/* -- money -- */

T_CASE(a_cap_is_of_the_rated_plan)
{
    struct ll_quota_hold holds[64];
    begin(true);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, QUOTA_PLAN("a", "")), "ann", "k1");
    T_STR(ll_cstr(shop_do(&s, sub,
              (struct ll_sub_deed){.what = LL_SUB_DO_CAP, .fen = 100})),
        "");
    struct ll_window *window = known(sub, NOW_MS);
    use(sub, CALL, 13, NOW_MS);                   /* 32.5 fen */
    T_INT(promised(window, CALL, holds, 64), 27); /* 40 calls, 100 fen */
    struct ll_quota_hold more = {.next = NULL};
    T_INT(ll_quota_reserve(window, CALL, UNIT, &more), LL_QUOTA_CAP);
    int64_t cost, most;
    T_OK(ll_quota_cost(window, &cost, &most));
    T_INT(cost, 100);
    T_INT(most, 100);
    /* Raised, it is in force at once; 41 calls are 102.5 fen, so 103. */
    T_STR(ll_cstr(shop_do(&s, sub,
              (struct ll_sub_deed){.what = LL_SUB_DO_CAP, .fen = 102})),
        "");
    T_INT(ll_quota_reserve(window, CALL, UNIT, &more), LL_QUOTA_CAP);
    T_STR(ll_cstr(shop_do(&s, sub,
              (struct ll_sub_deed){.what = LL_SUB_DO_CAP, .fen = 103})),
        "");
    T_INT(ll_quota_reserve(window, CALL, UNIT, &more), LL_QUOTA_YES);
    ll_quota_release(&more);
    give_back(holds, 27);
    shop_fini(&s);
}

/* Use by another version counts to the same period's cap, at its own price. */
T_CASE(a_cap_is_of_the_whole_period)
{
    begin(true);
    const struct ll_plan_version *a = shop_plan(&s, QUOTA_PLAN("a", ""));
    const struct ll_plan_version *b =
        shop_plan(&s, PLAN("b", ",\"limits\":[" TEN "]"));
    struct ll_sub *sub = shop_sub(&s, a, "ann", "k1");
    T_STR(ll_cstr(shop_do(&s, sub,
              (struct ll_sub_deed){.what = LL_SUB_DO_CAP, .fen = 100000})),
        "");
    use(sub, CALL, 200, NOW_MS); /* 500 fen */
    engine_settle(&s.e);
    s.now_ms = NOW_MS + DAY_MS; /* 16 November, of which 15 days are left */
    T_STR(ll_cstr(shop_do(&s, sub,
              (struct ll_sub_deed){.what = LL_SUB_DO_UPGRADE, .plan = b})),
        "");
    int64_t cost, most;
    T_OK(ll_quota_cost(known(sub, s.now_ms), &cost, &most));
    T_INT(cost, 500 + 1500);
    T_INT(most, 100000);
    shop_fini(&s);
}

T_CASE(prepaid_without_a_balance_is_nothing)
{
    begin(true);
    struct ll_sub *sub = shop_sub(&s,
        shop_plan(&s,
            "{\"name\":\"p\",\"plugin\":\"parking\",\"plan\":{\"interval\":"
            "\"month\",\"anchor\":\"calendar\",\"wallet_mode\":"
            "\"credit_only\",\"charges\":[{\"id\":\"c\",\"kind\":\"unit\","
            "\"meter\":\"linli.call\",\"unit_fen\":\"100\"}]}}"),
        "ann", "k1");
    struct ll_window *window = known(sub, NOW_MS);
    struct ll_quota_hold hold = {.next = NULL}, other = hold;
    T_INT(ll_quota_reserve(window, CALL, UNIT, &hold), LL_QUOTA_CAP);
    /* 250 fen are put in: two calls. */
    struct ll_bill_act act = shop_act(&s);
    struct ll_wallet_grant grant = {.community = HERE,
        .sub = sub->id,
        .channel = LINLI_STR("cash"),
        .ref = LINLI_STR("r1"),
        .fen = 250,
        .expires_ms = INT64_MAX};
    int64_t id;
    T_INT(ll_bill_begin(&act, &s.e.f.err), LINLI_OK);
    T_INT(ll_wallet_put(&act, &grant, &id, &s.e.f.err), LINLI_OK);
    (void)ll_bill_send(&act);
    shop_settle(&s);
    T_INT(ll_quota_reserve(window, CALL, 2 * UNIT, &hold), LL_QUOTA_YES);
    T_INT(ll_quota_reserve(window, CALL, UNIT, &other), LL_QUOTA_CAP);
    ll_quota_release(&hold);
    shop_fini(&s);
}

T_MAIN(T_RUN(exactly_what_is_left_is_promised) T_RUN(what_is_known_afterwards)
        T_RUN(nothing_is_asked_of_a_plan_without_limits) T_RUN(
            a_restart_knows_what_was_used)
            T_RUN(a_window_waits_for_what_was_committed) T_RUN(
                a_period_and_an_upgrade_begin_anew) T_RUN(few_windows_are_open)
                T_RUN(a_free_trial_is_a_span_of_its_own) T_RUN(
                    a_threshold_is_told_once) T_RUN(a_cap_is_of_the_rated_plan)
                    T_RUN(a_cap_is_of_the_whole_period)
                        T_RUN(prepaid_without_a_balance_is_nothing))
