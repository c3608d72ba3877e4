/* tests/unit/billing_fixture.h: plans and subscriptions over a store, without
 * a host. */
#ifndef BILLING_FIXTURE_H
#define BILLING_FIXTURE_H

#include "billing/subs.h"
#include "docs_fixture.h"
#include "domain/pricing_number.h"

#define DAY_MS ((int64_t)86400000)
#define HERE LINLI_STR("garden")

struct shop {
    struct engine e;
    struct ll_billing billing;
    int64_t now_ms;
    bool sent, durable; /* the act under way */
};

static inline void
shop_begin(struct shop *s)
{
    T_INT(ll_billing_open(
              &s->billing, &s->e.f.mem, &s->e.docs, s->e.f.world, &s->e.f.err),
        LINLI_OK);
}

/* In memory, or in a folder. */
static inline void
shop_init(struct shop *s, bool memory)
{
    *s = (struct shop){.now_ms = NOW_MS};
    engine_init(&s->e, memory);
    ll_world_set_wall(s->e.f.world, (struct ll_wall){NOW_MS});
    shop_begin(s);
}

static inline void
shop_fini(struct shop *s)
{
    ll_docs_stop(&s->e.docs);
    ll_store_close(&s->e.f.store);
    ll_billing_close(&s->billing);
    ll_docs_close(&s->e.docs);
    T_INT(s->e.f.failures, 0);
    fixture_fini(&s->e.f);
}

/* Ends and begins again. */
static inline void
shop_again(struct shop *s)
{
    ll_docs_stop(&s->e.docs);
    ll_store_close(&s->e.f.store);
    ll_billing_close(&s->billing);
    ll_docs_close(&s->e.docs);
    engine_open(&s->e);
    shop_begin(s);
    engine_settle(&s->e);
}

static inline void
shop_done(struct ll_bill_act *act, bool durable)
{
    struct shop *s = act->user;
    s->sent = true;
    s->durable = durable;
}

static inline struct ll_bill_act
shop_act(struct shop *s)
{
    s->sent = s->durable = false;
    return (struct ll_bill_act){.billing = &s->billing,
        .by = LINLI_STR("operator:o1"),
        .reason = LINLI_STR("asked for"),
        .now_ms = s->now_ms,
        .done = shop_done,
        .user = s};
}

/* After an act: it is durable. */
static inline void
shop_settle(struct shop *s)
{
    while (!s->sent)
        ll_world_turn(s->e.f.world, true);
    T_OK(s->durable);
}

static inline bool
shop_knows(void *user, linli_str plugin, linli_str meter)
{
    (void)user;
    return ll_str_is(plugin, "parking") &&
           (ll_str_is(meter, "linli.call") || ll_str_is(meter, "hours"));
}

/* "" or the code of the failure; `out` the version. */
static inline const char *
shop_publish(struct shop *s, const char *body,
    const struct ll_plan_version **out, bool *again)
{
    struct ll_json json;
    struct ll_bill_act act = shop_act(s);
    ll_json_init(&json, &s->e.f.mem);
    T_INT(ll_json_parse(&json, ll_cstr(body), 16, &s->e.f.err), LINLI_OK);
    struct ll_plan_offer offer = {.community = HERE,
        .root = ll_json_root(&json),
        .body = ll_cstr(body),
        .known = shop_knows};
    linli_status status =
        ll_plan_publish(&act, &offer, out, again, &s->e.f.err);
    ll_json_fini(&json);
    if (status != LINLI_OK)
        return s->e.f.err.code;
    if (!*again)
        shop_settle(s);
    return "";
}

#define PLAN(name, tail)                                            \
    "{\"name\":\"" name "\",\"plugin\":\"parking\",\"plan\":{"      \
    "\"interval\":\"month\",\"anchor\":\"calendar\",\"charges\":[{" \
    "\"id\":\"fee\",\"kind\":\"flat\",\"amount_fen\":3000}]" tail "}}"

/* One that has to go well. */
static inline const struct ll_plan_version *
shop_plan(struct shop *s, const char *body)
{
    const struct ll_plan_version *version = NULL;
    bool again;
    T_STR(ll_cstr(shop_publish(s, body, &version, &again)), "");
    T_OK(version != NULL);
    return version;
}

/* Of a resident, who pays for it and uses it. */
static inline struct ll_sub *
shop_sub(struct shop *s, const struct ll_plan_version *plan, const char *who,
    const char *key)
{
    struct ll_bill_act act = shop_act(s);
    struct ll_sub_party party = {LL_PARTY_RESIDENT, ll_cstr(who), LL_BP};
    struct ll_sub_offer offer = {.community = HERE,
        .key = ll_cstr(key),
        .plan = plan,
        .payers = &party,
        .beneficiaries = &party,
        .payer_count = 1,
        .beneficiary_count = 1,
        .seats_micro = LL_MICRO,
        .cap_fen = LL_CAP_NONE};
    struct ll_sub *sub;
    bool again;
    T_INT(ll_sub_start(&act, &offer, &sub, &again, &s->e.f.err), LINLI_OK);
    if (!again)
        shop_settle(s);
    return sub;
}

/* "", "again", or the code of the failure. */
static inline const char *
shop_do(struct shop *s, struct ll_sub *sub, struct ll_sub_deed deed)
{
    struct ll_bill_act act = shop_act(s);
    bool again;
    if (ll_sub_act(&act, sub, &deed, &again, &s->e.f.err) != LINLI_OK)
        return s->e.f.err.code;
    if (!again)
        shop_settle(s);
    return again ? "again" : "";
}

#endif
