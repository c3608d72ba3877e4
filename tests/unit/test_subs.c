/* Subscriptions: made once, found for a caller, acted on, the same after a
 * restart, and what an erasure leaves of them. */
#include "billing_fixture.h"
#include "consent/subject.h"

/* 2023-11-14T22:13:20Z is the 15th in Shanghai. */
#define TO_DECEMBER ((int64_t)1701360000000) /* midnight there */

static struct ll_sub_deed
deed(enum ll_sub_do what)
{
    return (struct ll_sub_deed){.what = what};
}

static struct ll_sub_deed
move(enum ll_sub_do what, const struct ll_plan_version *plan)
{
    return (struct ll_sub_deed){.what = what, .plan = plan};
}

static struct ll_sub_deed
cap(enum ll_sub_do what, int64_t fen)
{
    return (struct ll_sub_deed){.what = what, .fen = fen};
}

static struct ll_sub *
found(struct shop *s, const char *resident, const char *household)
{
    struct ll_sub_seeker seeker = {HERE, LINLI_STR("parking"),
        ll_cstr(resident), ll_cstr(household), s->now_ms};
    return ll_sub_for(&s->billing, &seeker);
}

struct parties {
    struct ll_sub_party payers[4], users[4];
    uint32_t payer_count, user_count;
};

static const char *
start(struct shop *s, const struct ll_plan_version *plan, const char *key,
    const struct parties *p, struct ll_sub **out)
{
    struct ll_bill_act act = shop_act(s);
    bool again;
    struct ll_sub_offer offer = {.community = HERE,
        .key = ll_cstr(key),
        .plan = plan,
        .payers = p->payers,
        .beneficiaries = p->users,
        .payer_count = p->payer_count,
        .beneficiary_count = p->user_count,
        .seats_micro = LL_MICRO,
        .cap_fen = 5000};
    if (ll_sub_start(&act, &offer, out, &again, &s->e.f.err) != LINLI_OK)
        return s->e.f.err.code;
    if (!again)
        shop_settle(s);
    return again ? "again" : "";
}

#define SOMEBODY(who, bp)                     \
    {                                         \
        LL_PARTY_RESIDENT, LINLI_STR(who), bp \
    }

/* -- making one -- */

T_CASE(one_key_makes_one)
{
    struct shop s;
    struct ll_sub *sub, *other;
    const struct parties own = {
        {SOMEBODY("r1", 10000)}, {SOMEBODY("r1", 0)}, 1, 1};
    const struct parties theirs = {
        {SOMEBODY("r2", 10000)}, {SOMEBODY("r1", 0)}, 1, 1};
    shop_init(&s, false);
    const struct ll_plan_version *plan = shop_plan(&s, PLAN("basic", ""));
    T_STR(ll_cstr(start(&s, plan, "k", &own, &sub)), "");
    T_INT(sub->id, 16);
    T_STR(ll_cstr(start(&s, plan, "k", &own, &other)), "again");
    T_OK(other == sub);
    T_STR(ll_cstr(start(&s, plan, "k", &theirs, &other)), "request/key-reused");
    T_OK(other == NULL);
    T_STR(ll_cstr(start(&s, plan, "k2", &own, &other)), "plan/subscribed");
    shop_again(&s);
    plan = ll_plan_by_id(&s.billing, 1);
    T_STR(ll_cstr(start(&s, plan, "k", &own, &other)), "again");
    T_INT(other->id, 16);
    T_INT(other->cap_fen, 5000);
    T_STR(other->payers[0].who, "r1");
    T_INT(other->payers[0].bp, 10000);
    /* A newer version of the plan makes it no other offer. */
    plan = shop_plan(&s, PLAN("basic", ",\"trial_days\":3"));
    T_STR(ll_cstr(start(&s, plan, "k", &own, &other)), "again");
    shop_fini(&s);
}

T_CASE(who_pays_adds_up)
{
    static const struct {
        struct parties p;
        const char *where;
    } cases[] = {
        {{{SOMEBODY("r1", 5000), SOMEBODY("r2", 4999)}, {SOMEBODY("r1", 0)}, 2,
             1},
            "/payers"},
        {{{SOMEBODY("r1", 10001)}, {SOMEBODY("r1", 0)}, 1, 1}, "/payers/0"},
        {{{SOMEBODY("r1", 10000), SOMEBODY("r2", 0)}, {SOMEBODY("r1", 0)}, 2,
             1},
            "/payers/1"},
        {{{SOMEBODY("r1", 5000), SOMEBODY("r1", 5000)}, {SOMEBODY("r1", 0)}, 2,
             1},
            "/payers/1"},
        {{{SOMEBODY("", 10000)}, {SOMEBODY("r1", 0)}, 1, 1}, "/payers/0"},
        {{{{LL_PARTY_COMMUNITY, LINLI_STR("x"), 10000}}, {SOMEBODY("r1", 0)}, 1,
             1},
            "/payers/0"},
        {{{SOMEBODY("r1", 10000)}, {SOMEBODY("r1", 0)}, 0, 1}, "/payers"},
        {{{SOMEBODY("r1", 10000)}, {SOMEBODY("r1", 0)}, 1, 0},
            "/beneficiaries"},
        {{{SOMEBODY("r1", 10000)}, {{LL_PARTY_OPERATOR, LINLI_STR(""), 0}}, 1,
             1},
            "/beneficiaries/0"},
    };
    struct shop s;
    struct ll_sub *sub;
    shop_init(&s, true);
    const struct ll_plan_version *plan = shop_plan(&s, PLAN("basic", ""));
    for (size_t i = 0; i < COUNT(cases); i++) {
        T_STR(ll_cstr(start(&s, plan, "k", &cases[i].p, &sub)), "plan/parties");
        T_STR(ll_cstr(s.e.f.err.where), cases[i].where);
    }
    T_OK(ll_sub_next(&s.billing, 0) == NULL);
    shop_fini(&s);
}

T_CASE(a_start_to_come)
{
    struct shop s;
    bool again;
    struct ll_sub *sub;
    struct ll_sub_party r1 = SOMEBODY("r1", 10000);
    shop_init(&s, false);
    const struct ll_plan_version *plan =
        shop_plan(&s, PLAN("basic", ",\"trial_days\":3"));
    struct ll_bill_act act = shop_act(&s);
    struct ll_sub_offer offer = {.community = HERE,
        .key = LINLI_STR("k"),
        .plan = plan,
        .payers = &r1,
        .beneficiaries = &r1,
        .payer_count = 1,
        .beneficiary_count = 1,
        .start_ms = NOW_MS - 1,
        .seats_micro = 2 * LL_MICRO,
        .cap_fen = LL_CAP_NONE};
    T_OK(ll_sub_start(&act, &offer, &sub, &again, &s.e.f.err) != LINLI_OK);
    T_STR(ll_cstr(s.e.f.err.where), "/start");
    offer.start_ms = NOW_MS + 2 * DAY_MS;
    T_INT(ll_sub_start(&act, &offer, &sub, &again, &s.e.f.err), LINLI_OK);
    shop_settle(&s);
    T_INT(ll_sub_state_at(sub, s.now_ms), LL_SUB_IS_COMING);
    T_OK(ll_sub_plan_at(&s.billing, sub, s.now_ms) == NULL);
    T_INT(ll_sub_state_at(sub, NOW_MS + 2 * DAY_MS), LL_SUB_IS_TRIAL);
    T_OK(ll_sub_plan_at(&s.billing, sub, NOW_MS + 2 * DAY_MS) == plan);
    T_INT(ll_sub_state_at(sub, NOW_MS + 5 * DAY_MS), LL_SUB_IS_ACTIVE);
    T_INT(sub->rhythm.start, ll_local_day(sub->local, NOW_MS + 2 * DAY_MS));
    T_OK(found(&s, "r1", "") == sub); /* the newest, though not in force */
    /* It never begins. */
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_CANCEL))), "");
    T_INT(sub->end_ms, sub->start_ms);
    T_INT(ll_sub_state_at(sub, NOW_MS + 2 * DAY_MS), LL_SUB_IS_ENDED);
    shop_fini(&s);
}

/* -- finding it -- */

T_CASE(whose_a_call_uses)
{
    struct shop s;
    struct ll_sub *own, *home, *all, *other;
    const struct parties house = {
        {{LL_PARTY_HOUSEHOLD, LINLI_STR("h1"), 10000}},
        {{LL_PARTY_HOUSEHOLD, LINLI_STR("h1"), 0}}, 1, 1};
    const struct parties everybody = {
        {{LL_PARTY_OPERATOR, LINLI_STR(""), 10000}},
        {{LL_PARTY_COMMUNITY, LINLI_STR(""), 0}}, 1, 1};
    shop_init(&s, false);
    const struct ll_plan_version *plan = shop_plan(&s, PLAN("basic", ""));
    T_OK(found(&s, "r1", "h1") == NULL);
    T_STR(ll_cstr(start(&s, plan, "all", &everybody, &all)), "");
    T_OK(found(&s, "r1", "h1") == all && found(&s, "", "") == all);
    T_STR(ll_cstr(start(&s, plan, "home", &house, &home)), "");
    T_OK(found(&s, "r1", "h1") == home && found(&s, "r1", "") == all);
    own = shop_sub(&s, plan, "r1", "own");
    T_OK(found(&s, "r1", "h1") == own && found(&s, "r2", "h1") == home);
    T_STR(ll_cstr(shop_do(&s, own, deed(LL_SUB_DO_CANCEL))), "");
    T_OK(found(&s, "r1", "h1") == home);
    other = shop_sub(&s, plan, "r1", "own2");
    T_OK(found(&s, "r1", "h1") == other);
    T_STR(ll_cstr(shop_do(&s, all, deed(LL_SUB_DO_CANCEL))), "");
    T_STR(ll_cstr(shop_do(&s, other, deed(LL_SUB_DO_CANCEL))), "");
    T_OK(found(&s, "r1", "") == other); /* the newest of theirs, over */
    T_OK(found(&s, "", "") == all);
    shop_again(&s);
    T_INT(found(&s, "r1", "h1")->id, 17);
    T_INT(found(&s, "r1", "")->id, 19);
    struct ll_sub_seeker seeker = {
        HERE, LINLI_STR("repair"), LINLI_STR("r1"), LINLI_STR("h1"), s.now_ms};
    T_OK(ll_sub_for(&s.billing, &seeker) == NULL);
    shop_fini(&s);
}

/* As many as a page of the store does not hold. */
T_CASE(many_are_found_again)
{
    enum { MANY = 2500 };
    struct shop s;
    char name[32];
    shop_init(&s, false);
    const struct ll_plan_version *plan = shop_plan(&s, PLAN("basic", ""));
    struct ll_bill_act acts[1];
    for (int i = 0; i < MANY; i++) {
        struct ll_sub_party p = {LL_PARTY_RESIDENT, {name, 0}, 10000};
        struct ll_sub_party two[2];
        struct ll_sub *sub;
        bool again;
        p.who.len = (size_t)snprintf(name, sizeof name, "r%d", i);
        two[0] = p;
        two[1] = (struct ll_sub_party){LL_PARTY_HOUSEHOLD, p.who, 0};
        struct ll_sub_offer offer = {.community = HERE,
            .key = p.who,
            .plan = plan,
            .payers = &p,
            .beneficiaries = two,
            .payer_count = 1,
            .beneficiary_count = 2,
            .seats_micro = LL_MICRO,
            .cap_fen = i};
        acts[0] = shop_act(&s);
        acts[0].done = NULL;
        T_INT(
            ll_sub_start(&acts[0], &offer, &sub, &again, &s.e.f.err), LINLI_OK);
    }
    engine_settle(&s.e);
    shop_again(&s);
    uint32_t count = 0;
    for (struct ll_sub *sub = ll_sub_next(&s.billing, 0); sub != NULL;
         sub = ll_sub_next(&s.billing, sub->id)) {
        (void)snprintf(name, sizeof name, "r%u", count++);
        T_OK(found(&s, name, "") == sub && found(&s, "", name) == sub);
        T_INT(sub->beneficiary_count, 2);
        T_INT(sub->cap_fen, (int64_t)sub->id - LL_SUB_FIRST);
    }
    T_INT(count, MANY);
    shop_fini(&s);
}

/* -- acting on it -- */

T_CASE(versions_of_a_life)
{
    struct shop s;
    shop_init(&s, false);
    const struct ll_plan_version *basic = shop_plan(&s, PLAN("basic", ""));
    const struct ll_plan_version *plus = shop_plan(&s, PLAN("plus", ""));
    struct ll_sub *sub = shop_sub(&s, basic, "r1", "k");
    s.now_ms += DAY_MS;
    T_STR(ll_cstr(shop_do(&s, sub, move(LL_SUB_DO_UPGRADE, plus))), "");
    T_OK(ll_sub_plan_at(&s.billing, sub, s.now_ms - 1) == basic);
    T_OK(ll_sub_plan_at(&s.billing, sub, s.now_ms) == plus);
    T_STR(ll_cstr(shop_do(&s, sub, move(LL_SUB_DO_UPGRADE, plus))), "again");
    s.now_ms += DAY_MS;
    T_STR(ll_cstr(shop_do(&s, sub, move(LL_SUB_DO_DOWNGRADE, basic))), "");
    T_STR(ll_cstr(shop_do(&s, sub, move(LL_SUB_DO_DOWNGRADE, basic))), "again");
    T_INT(sub->version_count, 3);
    T_INT(sub->versions[2].from_ms, TO_DECEMBER);
    T_OK(ll_sub_plan_at(&s.billing, sub, TO_DECEMBER - 1) == plus);
    T_OK(ll_sub_plan_at(&s.billing, sub, TO_DECEMBER) == basic);
    /* Staying takes the downgrade back, and no tier begins anew. */
    T_STR(ll_cstr(shop_do(&s, sub, move(LL_SUB_DO_UPGRADE, plus))), "");
    T_INT(sub->version_count, 2);
    T_STR(ll_cstr(shop_do(&s, sub, move(LL_SUB_DO_DOWNGRADE, basic))), "");
    shop_again(&s);
    sub = ll_sub_by_id(&s.billing, 16);
    T_INT(sub->version_count, 3);
    T_INT(ll_sub_plan_at(&s.billing, sub, TO_DECEMBER)->id, 1);
    T_INT(ll_sub_plan_at(&s.billing, sub, s.now_ms)->id, 2);
    struct ll_period period = ll_sub_period_at(sub, s.now_ms);
    T_INT(ll_local_midnight(sub->local, period.to), TO_DECEMBER);
    shop_fini(&s);
}

T_CASE(what_cannot_be_moved_to)
{
    struct shop s;
    bool again;
    shop_init(&s, true);
    const struct ll_plan_version *basic = shop_plan(&s, PLAN("basic", ""));
    const struct ll_plan_version *old = shop_plan(&s, PLAN("old", ""));
    const struct ll_plan_version *year =
        shop_plan(&s, "{\"name\":\"year\",\"plugin\":\"parking\",\"plan\":{"
                      "\"interval\":\"year\",\"anchor\":\"calendar\","
                      "\"charges\":[]}}");
    const struct ll_plan_version *other =
        shop_plan(&s, "{\"name\":\"other\",\"plugin\":\"repair\",\"plan\":{"
                      "\"interval\":\"month\",\"anchor\":\"calendar\","
                      "\"charges\":[]}}");
    struct ll_bill_act act = shop_act(&s);
    T_INT(ll_plan_close(&act, HERE, LINLI_STR("old"), &again, &s.e.f.err),
        LINLI_OK);
    shop_settle(&s);
    struct ll_sub *sub = shop_sub(&s, basic, "r1", "k");
    T_STR(
        ll_cstr(shop_do(&s, sub, move(LL_SUB_DO_UPGRADE, old))), "plan/closed");
    T_STR(ll_cstr(shop_do(&s, sub, move(LL_SUB_DO_DOWNGRADE, year))),
        "plan/interval");
    T_STR(ll_cstr(shop_do(&s, sub, move(LL_SUB_DO_UPGRADE, other))),
        "plan/plugin");
    T_INT(sub->version_count, 1);
    struct ll_sub_party r2 = SOMEBODY("r2", 10000);
    struct ll_sub_offer offer = {.community = HERE,
        .key = LINLI_STR("k2"),
        .plan = old,
        .payers = &r2,
        .beneficiaries = &r2,
        .payer_count = 1,
        .beneficiary_count = 1,
        .seats_micro = LL_MICRO,
        .cap_fen = LL_CAP_NONE};
    struct ll_sub *none;
    act = shop_act(&s);
    T_INT(ll_sub_start(&act, &offer, &none, &again, &s.e.f.err),
        LINLI_E_CONFLICT);
    T_STR(ll_cstr(s.e.f.err.code), "plan/closed");
    shop_fini(&s);
}

T_CASE(pauses_and_ends)
{
    struct shop s;
    shop_init(&s, false);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, PLAN("basic", "")), "r1", "k");
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_RESUME))), "again");
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_PAUSE))), "");
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_PAUSE))), "again");
    T_INT(ll_sub_state_at(sub, s.now_ms), LL_SUB_IS_PAUSED);
    s.now_ms += DAY_MS;
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_RESUME))), "");
    T_INT(ll_sub_state_at(sub, s.now_ms), LL_SUB_IS_ACTIVE);
    T_INT(ll_sub_state_at(sub, s.now_ms - 1), LL_SUB_IS_PAUSED);
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_SUSPEND))), "");
    T_INT(ll_sub_state_at(sub, s.now_ms), LL_SUB_IS_SUSPENDED);
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_UNSUSPEND))), "");
    s.now_ms -= 2 * DAY_MS; /* a clock that was set back acts no earlier */
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_PAUSE))), "");
    T_INT(sub->pauses[1].from_ms, NOW_MS + DAY_MS);
    s.now_ms += 3 * DAY_MS;
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_CANCEL_AT_END))), "");
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_CANCEL_AT_END))), "again");
    T_INT(sub->end_ms, TO_DECEMBER);
    shop_again(&s);
    sub = ll_sub_by_id(&s.billing, 16);
    T_INT(sub->end_ms, TO_DECEMBER);
    T_INT(sub->pause_count, 2);
    s.now_ms = TO_DECEMBER;
    T_INT(ll_sub_state_at(sub, s.now_ms), LL_SUB_IS_ENDED);
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_PAUSE))), "plan/over");
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_CANCEL))), "plan/over");
    T_STR(ll_cstr(shop_do(&s, sub, cap(LL_SUB_DO_CAP, 1))), "plan/over");
    shop_fini(&s);
}

T_CASE(caps_are_the_payers)
{
    struct shop s;
    shop_init(&s, false);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, PLAN("basic", "")), "r1", "k");
    T_STR(ll_cstr(shop_do(&s, sub, cap(LL_SUB_DO_ASK_CAP, 5000))), "");
    T_INT(sub->cap_fen, 5000); /* less than none */
    T_STR(ll_cstr(shop_do(&s, sub, cap(LL_SUB_DO_ASK_CAP, 9000))), "");
    T_INT(sub->cap_fen, 5000);
    T_INT(sub->cap_asked_fen, 9000);
    T_STR(ll_cstr(shop_do(&s, sub, cap(LL_SUB_DO_ASK_CAP, 9000))), "again");
    T_STR(ll_cstr(shop_do(&s, sub, cap(LL_SUB_DO_CAP, 9000))), "");
    T_INT(sub->cap_fen, 9000);
    T_INT(sub->cap_asked_fen, LL_CAP_NONE);
    T_STR(ll_cstr(shop_do(&s, sub, cap(LL_SUB_DO_ASK_CAP, LL_CAP_NONE))), "");
    T_INT(sub->cap_asked_fen, LL_CAP_LIFT);
    T_INT(sub->cap_fen, 9000);
    T_STR(ll_cstr(shop_do(&s, sub, cap(LL_SUB_DO_ASK_CAP, 100))), "");
    T_INT(sub->cap_fen, 100);
    T_INT(sub->cap_asked_fen, LL_CAP_NONE);
    T_STR(ll_cstr(shop_do(&s, sub, cap(LL_SUB_DO_CAP, -2))), "request/invalid");
    T_STR(ll_cstr(shop_do(&s, sub, cap(LL_SUB_DO_CAP, LL_CAP_NONE))), "");
    shop_again(&s);
    T_INT(ll_sub_by_id(&s.billing, 16)->cap_fen, LL_CAP_NONE);
    shop_fini(&s);
}

/* Deeds of others' acts: both or none, and no line for what is billed. */
T_CASE(deeds_in_an_act_of_others)
{
    struct shop s;
    shop_init(&s, false);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, PLAN("basic", "")), "r1", "k");
    struct ll_bill_act act = shop_act(&s);
    int32_t day = sub->billed_to + 30;
    T_INT(ll_bill_begin(&act, &s.e.f.err), LINLI_OK);
    struct ll_sub_deed billed = {.what = LL_SUB_DO_BILLED, .day = day};
    struct ll_sub_deed suspend = deed(LL_SUB_DO_SUSPEND);
    T_INT(ll_sub_put(&act, sub, &billed, &s.e.f.err), LINLI_OK);
    T_INT(ll_sub_put(&act, sub, &suspend, &s.e.f.err), LINLI_OK);
    (void)ll_bill_send(&act);
    shop_settle(&s);
    shop_again(&s);
    sub = ll_sub_by_id(&s.billing, 16);
    T_OK(sub->suspended);
    T_INT(sub->billed_to, day);
    T_STR(ll_cstr(shop_do(&s, sub, billed)), "again");
    shop_fini(&s);
}

/* Without memory at any step memory and store are as before. */
T_CASE(acts_without_memory)
{
    struct shop s;
    shop_init(&s, true);
    const struct ll_plan_version *plus;
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, PLAN("basic", "")), "r1", "k");
    plus = shop_plan(&s, PLAN("plus", ""));
    bool again, done = false;
    s.now_ms += DAY_MS;
    struct ll_bill_act act;
    for (uint64_t n = 1; !done; n++) {
        act = shop_act(&s);
        struct ll_sub_deed up = move(LL_SUB_DO_UPGRADE, plus);
        s.e.f.mem.fail_in = n;
        linli_status status = ll_sub_act(&act, sub, &up, &again, &s.e.f.err);
        s.e.f.mem.fail_in = 0;
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        done = status == LINLI_OK;
        T_INT(sub->version_count, done ? 2 : 1);
    }
    shop_settle(&s);
    for (uint64_t n = 1; ll_sub_by_id(&s.billing, 17) == NULL; n++) {
        act = shop_act(&s);
        struct ll_sub_party r2 = SOMEBODY("r2", 10000);
        struct ll_sub_offer offer = {.community = HERE,
            .key = LINLI_STR("k2"),
            .plan = plus,
            .payers = &r2,
            .beneficiaries = &r2,
            .payer_count = 1,
            .beneficiary_count = 1,
            .seats_micro = LL_MICRO,
            .cap_fen = LL_CAP_NONE};
        s.e.f.mem.fail_in = n;
        linli_status status =
            ll_sub_start(&act, &offer, &sub, &again, &s.e.f.err);
        s.e.f.mem.fail_in = 0;
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        T_OK((status == LINLI_OK) == (found(&s, "r2", "") != NULL));
    }
    shop_settle(&s);
    for (uint64_t n = 1; found(&s, "r2", "") != NULL; n++) {
        act = shop_act(&s);
        s.e.f.mem.fail_in = n;
        linli_status status =
            ll_subs_forget(&act, HERE, LINLI_STR("r2"), &again, &s.e.f.err);
        s.e.f.mem.fail_in = 0;
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        T_OK((status == LINLI_OK) == (found(&s, "r2", "") == NULL));
        T_OK((status == LINLI_OK) == (sub->end_ms != LL_NO_END));
    }
    shop_settle(&s);
    shop_fini(&s);
}

/* -- who was erased -- */

static void
forget(struct shop *s, const char *resident, bool nothing)
{
    struct ll_bill_act act = shop_act(s);
    bool again;
    T_INT(ll_subs_forget(&act, HERE, ll_cstr(resident), &again, &s->e.f.err),
        LINLI_OK);
    T_OK(again == nothing);
    if (!again)
        shop_settle(s);
}

T_CASE(who_was_erased_is_forgotten)
{
    struct shop s;
    struct ll_sub *shared, *used;
    const struct parties two = {{SOMEBODY("r1", 2500), SOMEBODY("r2", 7500)},
        {SOMEBODY("r2", 0)}, 2, 1};
    const struct parties both = {{{LL_PARTY_OPERATOR, LINLI_STR(""), 10000}},
        {SOMEBODY("r1", 0), SOMEBODY("r3", 0)}, 1, 2};
    shop_init(&s, false);
    const struct ll_plan_version *plan = shop_plan(&s, PLAN("basic", ""));
    T_STR(ll_cstr(start(&s, plan, "shared", &two, &shared)), "");
    T_STR(ll_cstr(start(&s, plan, "used", &both, &used)), "");
    s.now_ms += DAY_MS;
    forget(&s, "r9", true);
    forget(&s, "r1", false);
    /* Another pays a part: it ends with the period; its part stays. */
    T_INT(shared->end_ms, TO_DECEMBER);
    T_INT(shared->payers[0].who.len, 0);
    T_INT(shared->payers[0].bp, 2500);
    T_INT(shared->payers[0].kind, LL_PARTY_RESIDENT);
    /* Another uses it: it goes on. */
    T_INT(used->end_ms, LL_NO_END);
    T_OK(found(&s, "r1", "") == NULL && found(&s, "r3", "") == used);
    forget(&s, "r1", true);
    shop_again(&s);
    T_OK(found(&s, "r1", "") == NULL);
    T_INT(found(&s, "r3", "")->id, 17);
    T_INT(ll_sub_by_id(&s.billing, 16)->end_ms, TO_DECEMBER);
    T_INT(ll_sub_by_id(&s.billing, 16)->payers[0].who.len, 0);
    T_STR(ll_sub_by_id(&s.billing, 16)->payers[1].who, "r2");
    forget(&s, "r3", false);
    T_INT(ll_sub_by_id(&s.billing, 17)->end_ms, s.now_ms);
    forget(&s, "r2", false);
    T_INT(ll_sub_by_id(&s.billing, 16)->end_ms, s.now_ms);
    shop_fini(&s);
}

/* Their key was taken away and the host killed before it forgot them. */
T_CASE(who_was_erased_before_a_crash)
{
    struct shop s;
    char subject[LL_PID_BYTES];
    shop_init(&s, false);
    struct ll_sub *sub =
        shop_sub(&s, shop_plan(&s, PLAN("basic", "")), "r1", "k");
    ll_subject(
        s.e.f.store, HERE, LL_SUBJECT_RESIDENT, sub->payers[0].who, subject);
    struct ll_commit *commit = ll_docs_commit_new(&s.e.docs);
    struct ll_space *space = ll_docs_space(&s.e.docs, HERE, LINLI_STR("~"));
    struct ll_whose whose = {space->id, HERE, LINLI_STR("~"), ll_cstr(subject)};
    ll_store_shred(s.e.f.store, commit, &whose);
    T_OK(ll_docs_commit_send(&s.e.docs, commit) != 0);
    engine_settle(&s.e);
    shop_again(&s);
    sub = ll_sub_by_id(&s.billing, 16);
    T_INT(sub->payers[0].who.len, 0);
    T_INT(sub->end_ms, LL_NO_END);
    T_INT(ll_subs_forget_gone(&s.billing, &s.e.f.err), LINLI_OK);
    engine_settle(&s.e);
    T_INT(sub->end_ms, NOW_MS);
    shop_again(&s);
    T_INT(ll_sub_by_id(&s.billing, 16)->end_ms, NOW_MS);
    shop_fini(&s);
}

T_CASE(what_is_somebodys)
{
    struct shop s;
    struct ll_sub *sub, *found[3];
    const struct parties mixed = {{SOMEBODY("r1", 5000), SOMEBODY("r2", 5000)},
        {SOMEBODY("r1", 0), {LL_PARTY_HOUSEHOLD, LINLI_STR("r1"), 0}}, 2, 2};
    const struct ll_sub_person r1 = {HERE, LL_PARTY_RESIDENT, LINLI_STR("r1")};
    const struct ll_sub_person r2 = {HERE, LL_PARTY_RESIDENT, LINLI_STR("r2")};
    const struct ll_sub_person r3 = {HERE, LL_PARTY_RESIDENT, LINLI_STR("r3")};
    const struct ll_sub_person home = {
        HERE, LL_PARTY_HOUSEHOLD, LINLI_STR("r1")};
    char key[16];
    shop_init(&s, false);
    const struct ll_plan_version *plan = shop_plan(&s, PLAN("basic", ""));
    T_STR(ll_cstr(start(&s, plan, "k", &mixed, &sub)), "");
    T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_CANCEL))), "");
    for (int i = 0; i < 4; i++) { /* 17 to 20 */
        (void)snprintf(key, sizeof key, "k%d", i);
        sub = shop_sub(&s, plan, "r1", key);
        T_STR(ll_cstr(shop_do(&s, sub, deed(LL_SUB_DO_CANCEL))), "");
    }
    for (int again = 0; again < 2; again++) {
        T_INT(ll_subs_about(&s.billing, &r1, 0, found, 3), 3);
        T_OK(found[0]->id == 16 && found[1]->id == 17 && found[2]->id == 18);
        T_INT(ll_subs_about(&s.billing, &r1, 18, found, 3), 2);
        T_OK(found[0]->id == 19 && found[1]->id == 20);
        T_INT(ll_subs_about(&s.billing, &r2, 0, found, 3), 1);
        T_INT(ll_subs_about(&s.billing, &home, 0, found, 3), 1);
        T_INT(ll_subs_about(&s.billing, &r3, 0, found, 3), 0);
        shop_again(&s);
    }
    forget(&s, "r1", false);
    T_INT(ll_subs_about(&s.billing, &r1, 0, found, 3), 0);
    T_INT(ll_subs_about(&s.billing, &r2, 0, found, 3), 1);
    shop_fini(&s);
}

/* It leaves: nobody pays for what is not there, and others stay. */
T_CASE(a_plugin_leaves)
{
    struct shop s;
    char who[16];
    uint32_t ended;
    shop_init(&s, false);
    const struct ll_plan_version *plan = shop_plan(&s, PLAN("basic", ""));
    const struct ll_plan_version *other =
        shop_plan(&s, "{\"name\":\"other\",\"plugin\":\"repair\",\"plan\":{"
                      "\"interval\":\"month\",\"anchor\":\"calendar\","
                      "\"charges\":[]}}");
    for (int i = 0; i < 5; i++) {
        (void)snprintf(who, sizeof who, "r%d", i);
        (void)shop_sub(&s, plan, who, who);
    }
    struct ll_sub *stays = shop_sub(&s, other, "r1", "stays");
    struct ll_bill_act act = shop_act(&s);
    act.done = NULL;
    static const uint32_t each[] = {3, 2, 0};
    for (size_t i = 0; i < COUNT(each); i++) {
        T_OK(!plan->closed);
        T_INT(ll_subs_leave(
                  &act, HERE, LINLI_STR("parking"), 3, &ended, &s.e.f.err),
            LINLI_OK);
        T_INT(ended, each[i]);
    }
    T_OK(plan->closed && !other->closed);
    T_INT(stays->end_ms, LL_NO_END);
    engine_settle(&s.e);
    shop_again(&s);
    T_OK(ll_plan_by_id(&s.billing, 1)->closed);
    T_INT(ll_sub_by_id(&s.billing, 20)->end_ms, s.now_ms);
    T_INT(ll_sub_by_id(&s.billing, 21)->end_ms, LL_NO_END);
    T_OK(!ll_plan_sells(&s.billing, HERE, LINLI_STR("parking")));
    shop_fini(&s);
}

T_CASE(ids_as_text)
{
    static const struct {
        const char *text;
        uint32_t id;
    } cases[] = {{"sub_16", 16}, {"sub_4294967295", UINT32_MAX}, {"sub_1", 0},
        {"sub_016", 0}, {"sub_", 0}, {"16", 0}, {"sub_4294967296", 0},
        {"sub_16x", 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t id;
        T_OK(ll_sub_text_read(ll_cstr(cases[i].text), &id) ==
             (cases[i].id != 0));
        T_INT(id, cases[i].id);
    }
    char text[LL_SUB_TEXT_BYTES];
    ll_sub_text(UINT32_MAX, text);
    T_STR(ll_cstr(text), "sub_4294967295");
}

T_MAIN(T_RUN(one_key_makes_one) T_RUN(who_pays_adds_up) T_RUN(a_start_to_come)
        T_RUN(whose_a_call_uses) T_RUN(many_are_found_again)
            T_RUN(versions_of_a_life) T_RUN(what_cannot_be_moved_to)
                T_RUN(pauses_and_ends) T_RUN(caps_are_the_payers)
                    T_RUN(deeds_in_an_act_of_others) T_RUN(acts_without_memory)
                        T_RUN(who_was_erased_is_forgotten)
                            T_RUN(who_was_erased_before_a_crash)
                                T_RUN(what_is_somebodys) T_RUN(a_plugin_leaves)
                                    T_RUN(ids_as_text))
