/* Plans in versions that never change, what is refused, and what is sold. */
#include "billing_fixture.h"

T_CASE(a_changed_body_is_another_version)
{
    struct shop s;
    const struct ll_plan_version *one, *same, *two;
    bool again;
    shop_init(&s, false);
    one = shop_plan(&s, PLAN("basic", ""));
    T_INT(one->id, 1);
    T_INT(one->version, 1);
    T_STR(ll_cstr(shop_publish(&s, PLAN("basic", ""), &same, &again)), "");
    T_OK(again && same == one && !s.sent);
    two = shop_plan(&s, PLAN("basic", ",\"trial_days\":7"));
    T_INT(two->id, 2);
    T_INT(two->version, 2);
    T_OK(ll_plan_find(&s.billing, HERE, LINLI_STR("basic"), 0) == two);
    T_OK(ll_plan_find(&s.billing, HERE, LINLI_STR("basic"), 1) == one);
    T_OK(ll_plan_find(&s.billing, HERE, LINLI_STR("basic"), 3) == NULL);
    T_OK(ll_plan_find(&s.billing, LINLI_STR("x"), LINLI_STR("basic"), 0) ==
         NULL);
    T_INT(one->plan.trial_days, 0);
    shop_again(&s);
    two = ll_plan_by_id(&s.billing, 2);
    T_INT(two->version, 2);
    T_INT(two->plan.trial_days, 7);
    T_INT(two->at_ms, NOW_MS);
    T_STR(two->title_zh, "basic");
    T_OK(ll_plan_next(&s.billing, 0) == ll_plan_by_id(&s.billing, 1));
    T_OK(ll_plan_next(&s.billing, 2) == NULL);
    /* What there was first is another body than the newest: a third. */
    T_INT(shop_plan(&s, PLAN("basic", ""))->version, 3);
    shop_fini(&s);
}

T_CASE(what_cannot_be_sold_is_refused)
{
    static const struct {
        const char *body, *code, *where;
    } cases[] = {
        {"{\"name\":\"a\",\"plugin\":\"parking\"}", "pricing/missing", ""},
        {PLAN("A", ""), "plan/invalid", "/name"},
        {PLAN("a@2", ""), "plan/invalid", "/name"},
        {PLAN("a", ",\"tz\":\"Mars/Base\""), "pricing/zone", "/plan/tz"},
        {PLAN("a", ",\"limits\":[{\"meter\":\"x\",\"kind\":\"hard\","
                   "\"max\":\"1\"}]"),
            "pricing/meter", "/plan/limits/0/meter"},
        {"{\"name\":\"a\",\"plugin\":\"parking\",\"plan\":{\"interval\":"
         "\"month\",\"anchor\":\"calendar\",\"charges\":[{\"id\":\"x\","
         "\"kind\":\"unit\",\"meter\":\"hour\",\"unit_fen\":\"1\"}]}}",
            "pricing/meter", "/plan/charges/0/meter"},
        {"{\"name\":\"a\",\"plugin\":\"parking\",\"plan\":{\"interval\":"
         "\"month\",\"anchor\":\"calendar\",\"charges\":[{\"id\":\"x\","
         "\"kind\":\"unit\",\"meter\":\"hours\","
         "\"unit_fen\":\"99999999999999\"}]}}",
            "pricing/overflow", "/plan/charges/0/unit_fen"},
        {"{\"name\":\"a\",\"plugin\":\"parking\",\"plan\":{\"interval\":"
         "\"month\",\"anchor\":\"calendar\",\"charges\":[{\"id\":\"x\","
         "\"kind\":\"graduated\",\"meter\":\"hours\",\"tiers\":[{\"up_to\":"
         "\"10\",\"unit_fen\":\"2\"},{\"up_to\":\"5\",\"unit_fen\":\"1\"},"
         "{\"up_to\":null,\"unit_fen\":\"1\"}]}]}}",
            "pricing/tiers", "/plan/charges/0/tiers/1"},
        {"{\"name\":\"a\",\"plugin\":\"parking\",\"share\":{\"platform_bp\":"
         "9000,\"channel_bp\":2000},\"plan\":{\"interval\":\"month\","
         "\"anchor\":\"calendar\",\"charges\":[]}}",
            "pricing/range", "/share"},
    };
    struct shop s;
    shop_init(&s, true);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct ll_plan_version *version;
        bool again;
        T_STR(ll_cstr(shop_publish(&s, cases[i].body, &version, &again)),
            cases[i].code);
        T_STR(ll_cstr(s.e.f.err.where), cases[i].where);
        T_OK(version == NULL);
    }
    T_OK(ll_plan_next(&s.billing, 0) == NULL);
    shop_fini(&s);
}

T_CASE(a_name_sells_one_plugin)
{
    struct shop s;
    const struct ll_plan_version *version;
    bool again;
    shop_init(&s, true);
    (void)shop_plan(&s, PLAN("basic", ""));
    T_STR(ll_cstr(shop_publish(&s,
              "{\"name\":\"basic\",\"plugin\":\"repair\",\"plan\":"
              "{\"interval\":\"month\",\"anchor\":\"calendar\","
              "\"charges\":[]}}",
              &version, &again)),
        "plan/plugin");
    shop_fini(&s);
}

T_CASE(names_and_versions_as_text)
{
    static const struct {
        const char *text, *name;
        uint32_t version;
    } cases[] = {{"basic", "basic", 0}, {"basic@2", "basic", 2},
        {"basic@0", NULL, 0}, {"basic@", NULL, 0}, {"@2", NULL, 0},
        {"basic@02", NULL, 0}, {"basic@x", NULL, 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        linli_str name;
        uint32_t version;
        bool good = ll_plan_text_read(ll_cstr(cases[i].text), &name, &version);
        T_OK(good == (cases[i].name != NULL));
        if (!good)
            continue;
        T_STR(name, cases[i].name);
        T_INT(version, cases[i].version);
    }
}

/* Sold is what somebody can subscribe to, or still has. */
T_CASE(what_is_sold)
{
    struct shop s;
    bool again;
    shop_init(&s, false);
    T_OK(!ll_plan_sells(&s.billing, HERE, LINLI_STR("parking")));
    const struct ll_plan_version *plan = shop_plan(&s, PLAN("basic", ""));
    T_OK(ll_plan_sells(&s.billing, HERE, LINLI_STR("parking")));
    T_OK(!ll_plan_sells(&s.billing, HERE, LINLI_STR("repair")));
    T_OK(!ll_plan_sells(&s.billing, LINLI_STR("x"), LINLI_STR("parking")));
    struct ll_sub *sub = shop_sub(&s, plan, "r1", "k1");
    struct ll_bill_act act = shop_act(&s);
    T_INT(ll_plan_close(&act, HERE, LINLI_STR("basic"), &again, &s.e.f.err),
        LINLI_OK);
    T_OK(!again);
    shop_settle(&s);
    T_OK(ll_plan_sells(&s.billing, HERE, LINLI_STR("parking")));
    act = shop_act(&s);
    T_INT(ll_plan_close(&act, HERE, LINLI_STR("basic"), &again, &s.e.f.err),
        LINLI_OK);
    T_OK(again && !s.sent);
    T_INT(ll_plan_close(&act, HERE, LINLI_STR("none"), &again, &s.e.f.err),
        LINLI_E_NOT_FOUND);
    T_STR(ll_cstr(s.e.f.err.code), "plan/unknown");
    T_STR(ll_cstr(
              shop_do(&s, sub, (struct ll_sub_deed){.what = LL_SUB_DO_CANCEL})),
        "");
    T_OK(!ll_plan_sells(&s.billing, HERE, LINLI_STR("parking")));
    shop_again(&s);
    T_OK(ll_plan_by_id(&s.billing, 1)->closed);
    T_OK(!ll_plan_sells(&s.billing, HERE, LINLI_STR("parking")));
    /* The same body once more: the closed one stays closed. */
    T_INT(shop_plan(&s, PLAN("basic", ""))->version, 2);
    T_OK(ll_plan_sells(&s.billing, HERE, LINLI_STR("parking")));
    shop_fini(&s);
}

/* Without memory at any step nothing is there, and then all of it. */
T_CASE(publishing_without_memory)
{
    struct shop s;
    const struct ll_plan_version *version = NULL;
    bool again;
    shop_init(&s, true);
    struct ll_bill_act act;
    for (uint64_t n = 1; version == NULL; n++) {
        struct ll_json json;
        act = shop_act(&s);
        ll_json_init(&json, &s.e.f.mem);
        T_INT(ll_json_parse(&json, LINLI_STR(PLAN("basic", "")), 16, NULL),
            LINLI_OK);
        struct ll_plan_offer offer = {.community = HERE,
            .root = ll_json_root(&json),
            .body = LINLI_STR(PLAN("basic", ""))};
        s.e.f.mem.fail_in = n;
        linli_status status =
            ll_plan_publish(&act, &offer, &version, &again, &s.e.f.err);
        s.e.f.mem.fail_in = 0;
        ll_json_fini(&json);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        T_OK((version != NULL) == (ll_plan_next(&s.billing, 0) != NULL));
    }
    shop_settle(&s);
    shop_fini(&s);
}

T_MAIN(T_RUN(a_changed_body_is_another_version)
        T_RUN(what_cannot_be_sold_is_refused) T_RUN(a_name_sells_one_plugin)
            T_RUN(names_and_versions_as_text) T_RUN(what_is_sold)
                T_RUN(publishing_without_memory))
