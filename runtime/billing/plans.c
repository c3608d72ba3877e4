/* billing/plans.c: versions of plans, and what is sold. [loop] */
#include "billing/plans_int.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "billing/subs_int.h"

#define ROWS 256 /* of one question at the start */
#define MARKET_BYTES_MAX ((size_t)16 << 20)

/* -- finding -- */

const struct ll_plan_version *
ll_plan_by_id(const struct ll_billing *billing, uint32_t id)
{
    const struct ll_plans *plans = billing->plans;
    return id == 0 || id > plans->count ? NULL : plans->at[id - 1];
}

const struct ll_plan_version *
ll_plan_next(const struct ll_billing *billing, uint32_t id)
{
    const struct ll_plans *plans = billing->plans;
    return id < plans->count ? plans->at[id] : NULL;
}

const struct ll_plan_version *
ll_plan_find(const struct ll_billing *billing, linli_str community,
    linli_str name, uint32_t version)
{
    const struct ll_plans *plans = billing->plans;
    for (uint32_t i = plans->count; i > 0; i--) {
        const struct ll_plan_version *v = plans->at[i - 1];
        if ((version == 0 || v->version == version) &&
            ll_str_eq(v->name, name) && ll_str_eq(v->community, community))
            return v;
    }
    return NULL;
}

void
ll_plan_text(
    const struct ll_plan_version *version, char out[LL_PLAN_TEXT_BYTES])
{
    (void)snprintf(out, LL_PLAN_TEXT_BYTES, "%.*s@%u", LL_FMT(version->name),
        version->version);
}

bool
ll_plan_text_read(linli_str text, linli_str *name, uint32_t *version)
{
    int64_t number = 0;
    *version = 0;
    if (!ll_str_split(&text, '@', name) || name->len == 0)
        return false;
    if (text.ptr == NULL)
        return true;
    if (!ll_str_int(text, 1, UINT32_MAX, &number) || text.ptr[0] == '0')
        return false;
    *version = (uint32_t)number;
    return true;
}

/* -- what is sold -- */

static uint64_t
hash_of(const struct ll_plans *plans, linli_str community, linli_str plugin)
{
    return ll_siphash(plans->hash_key, community) * 31 +
           ll_siphash(plans->hash_key, plugin);
}

struct ll_market *
ll_market(
    const struct ll_billing *billing, linli_str community, linli_str plugin)
{
    const struct ll_plans *plans = billing->plans;
    uint64_t hash = hash_of(plans, community, plugin);
    struct ll_market *m = plans->markets[hash % LL_MARKET_CHAINS];
    while (m != NULL && (m->hash != hash || !ll_str_eq(m->plugin, plugin) ||
                            !ll_str_eq(m->community, community)))
        m = m->next;
    return m;
}

/* The same, made if it is not there; NULL without memory. */
static struct ll_market *
open_market(struct ll_billing *billing, const struct ll_plan_version *of)
{
    struct ll_plans *plans = billing->plans;
    struct ll_market *market = ll_market(billing, of->community, of->plugin);
    if (market != NULL)
        return market;
    plans->arena.failed = false;
    market = ll_arena_alloc(&plans->arena, sizeof *market);
    if (market == NULL)
        return NULL;
    market->community = ll_arena_str(&plans->arena, of->community);
    market->plugin = ll_arena_str(&plans->arena, of->plugin);
    market->hash = hash_of(plans, of->community, of->plugin);
    market->end_ms = INT64_MIN;
    if (plans->arena.failed)
        return NULL;
    struct ll_market **head = &plans->markets[market->hash % LL_MARKET_CHAINS];
    market->next = *head;
    *head = market;
    return market;
}

bool
ll_plan_sells(
    const struct ll_billing *billing, linli_str community, linli_str plugin)
{
    if (billing->plans->count == 0)
        return false;
    struct ll_market *market = ll_market(billing, community, plugin);
    if (market == NULL || market->open > 0)
        return market != NULL;
    if (market->stale)
        ll_subs_refresh(billing, market);
    return market->end_ms > ll_world_wall(billing->world).ms;
}

/* -- publishing -- */

/* Room for one more, before anything is sent. */
static bool
make_room(struct ll_billing *billing)
{
    struct ll_plans *plans = billing->plans;
    if (plans->count < plans->cap)
        return true;
    uint32_t cap = plans->cap == 0 ? 64 : 2 * plans->cap;
    struct ll_plan_version **at = ll_realloc(
        billing->mem, plans->at, plans->cap * sizeof *at, cap * sizeof *at);
    if (at == NULL)
        return false;
    plans->at = at;
    plans->cap = cap;
    return true;
}

static void
add(struct ll_billing *billing, struct ll_market *market,
    struct ll_plan_version *take_version)
{
    struct ll_plans *plans = billing->plans;
    ll_check(plans->count < plans->cap);
    plans->at[plans->count++] = take_version;
    take_version->id = plans->count;
    market->open += take_version->closed ? 0 : 1;
}

static linli_status
put_version(struct ll_bill_act *act, const struct ll_plan_version *version,
    struct ll_err *err)
{
    linli_status status = ll_bill_begin(act, err);
    if (status != LINLI_OK)
        return status;
    struct ll_buf *ops = &act->commit->ops;
    ll_commit_op(act->commit, LL_ST_plan_put);
    ll_put_int(ops, version->id);
    ll_put_bytes(ops, version->community);
    ll_put_bytes(ops, version->name);
    ll_put_int(ops, version->version);
    ll_put_bytes(ops, version->plugin);
    ll_put_int(ops, version->at_ms);
    ll_put_bytes(ops, act->by);
    ll_put_bytes(ops, version->body);
    return ll_bill_room(act, err);
}

/* Whether it may come after what is there, and as what. */
static linli_status
take_place(const struct ll_billing *billing, struct ll_plan_version *version,
    const struct ll_plan_version **same, struct ll_err *err)
{
    const struct ll_plan_version *newest =
        ll_plan_find(billing, version->community, version->name, 0);
    *same = NULL;
    version->version = newest == NULL ? 1 : newest->version + 1;
    version->id = billing->plans->count + 1;
    if (newest != NULL && !ll_str_eq(newest->plugin, version->plugin))
        return ll_fail(err, LINLI_E_CONFLICT, "plan/plugin",
            "`%.*s` sells `%.*s`", LL_FMT(version->name),
            LL_FMT(newest->plugin));
    if (newest != NULL && !newest->closed &&
        ll_str_eq(newest->body, version->body))
        *same = newest;
    if (version->id > LL_PLAN_VERSIONS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "plan/full",
            "a host has at most %u versions of plans", LL_PLAN_VERSIONS_MAX);
    return LINLI_OK;
}

linli_status
ll_plan_publish(struct ll_bill_act *act, const struct ll_plan_offer *offer,
    const struct ll_plan_version **out, bool *again, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    struct ll_plan_version *version;
    struct ll_market *market = NULL;
    *out = NULL;
    *again = false;
    linli_status status =
        ll_plan_version_new(billing, offer, true, &version, err);
    if (status != LINLI_OK)
        return status;
    version->at_ms = act->now_ms;
    status = take_place(billing, version, out, err);
    *again = *out != NULL;
    if (status != LINLI_OK || *again)
        goto out;
    market = open_market(billing, version);
    status = market == NULL || !make_room(billing)
                 ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a plan")
                 : put_version(act, version, err);
    if (status != LINLI_OK)
        goto out;
    *out = version;
    add(billing, market, version);
    version = NULL;
    (void)ll_bill_send(act);
out:
    ll_plan_version_free(billing, &version);
    return status;
}

/* -- closing -- */

static void
close_versions(struct ll_billing *billing, linli_str community, linli_str name)
{
    struct ll_plans *plans = billing->plans;
    for (uint32_t i = 0; i < plans->count; i++) {
        struct ll_plan_version *v = plans->at[i];
        if (v->closed || !ll_str_eq(v->name, name) ||
            !ll_str_eq(v->community, community))
            continue;
        v->closed = true;
        struct ll_market *market = ll_market(billing, community, v->plugin);
        ll_check(market != NULL && market->open > 0);
        market->open--;
    }
}

linli_status
ll_plan_close(struct ll_bill_act *act, linli_str community, linli_str name,
    bool *again, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    const struct ll_plan_version *newest =
        ll_plan_find(billing, community, name, 0);
    *again = newest != NULL && newest->closed;
    if (newest == NULL)
        return ll_fail(err, LINLI_E_NOT_FOUND, "plan/unknown",
            "there is no plan `%.*s`", LL_FMT(name));
    if (*again)
        return LINLI_OK;
    linli_status status = ll_bill_begin(act, err);
    if (status != LINLI_OK)
        return status;
    ll_commit_op(act->commit, LL_ST_plan_close);
    ll_put_bytes(&act->commit->ops, community);
    ll_put_bytes(&act->commit->ops, name);
    ll_put_int(&act->commit->ops, act->now_ms);
    status = ll_bill_room(act, err);
    if (status != LINLI_OK)
        return status;
    close_versions(billing, community, name);
    (void)ll_bill_send(act);
    return LINLI_OK;
}

/* -- from the store -- */

static linli_status
take_row(struct ll_billing *billing, struct ll_rd *row, struct ll_json *json,
    struct ll_err *err)
{
    struct ll_plan_version *version = NULL;
    struct ll_market *market = NULL;
    (void)ll_rd_list(row);
    int64_t id = ll_rd_int(row);
    struct ll_plan_offer offer = {.community = ll_rd_bytes(row)};
    (void)ll_rd_bytes(row); /* name and plugin stand in the body */
    int64_t number = ll_rd_int(row);
    (void)ll_rd_bytes(row);
    int64_t at_ms = ll_rd_int(row);
    (void)ll_rd_bytes(row); /* by */
    bool closed = ll_rd_int(row) != 0;
    offer.body = ll_rd_bytes(row);
    if (row->bad || id != (int64_t)billing->plans->count + 1)
        return ll_fail(err, LINLI_E_INVALID, "store/corrupt", "a plan's row");
    linli_status status =
        ll_json_parse(json, offer.body, LL_JSON_DEPTH_MAX, err);
    if (status != LINLI_OK)
        return status;
    offer.root = ll_json_root(json);
    status = ll_plan_version_new(billing, &offer, false, &version, err);
    if (status == LINLI_OK)
        market = open_market(billing, version);
    if (status == LINLI_OK && (market == NULL || !make_room(billing)))
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a plan");
    if (status != LINLI_OK) {
        ll_plan_version_free(billing, &version);
        return status;
    }
    version->version = (uint32_t)number;
    version->at_ms = at_ms;
    version->closed = closed;
    add(billing, market, version);
    return LINLI_OK;
}

static linli_status
take_page(struct ll_billing *billing, struct ll_json *json, bool *more,
    struct ll_err *err)
{
    struct ll_query query;
    ll_query_init(&query, billing->mem, LL_ST_plans);
    ll_put_int(&query.params, billing->plans->count);
    query.rows_max = ROWS;
    query.bytes_max = LL_QUERY_BYTES_MAX;
    linli_status status = ll_store_ask(billing->store, &query);
    if (status != LINLI_OK)
        *err = query.err;
    struct ll_rd rows = ll_rd(ll_buf_view(&query.rows));
    for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++)
        status = take_row(billing, &rows, json, err);
    *more = query.more;
    ll_query_fini(&query);
    return status;
}

linli_status
ll_plans_open(struct ll_billing *billing, struct ll_err *err)
{
    struct ll_json json;
    bool more = true;
    linli_status status = LINLI_OK;
    billing->plans = ll_alloc(billing->mem, sizeof *billing->plans);
    if (billing->plans == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the plans");
    ll_arena_init(&billing->plans->arena, billing->mem, MARKET_BYTES_MAX);
    ll_world_random(billing->world, billing->plans->hash_key,
        sizeof billing->plans->hash_key);
    ll_json_init(&json, billing->mem);
    while (status == LINLI_OK && more)
        status = take_page(billing, &json, &more, err);
    ll_json_fini(&json);
    return status;
}

void
ll_plans_close(struct ll_billing *billing)
{
    struct ll_plans *plans = billing->plans;
    if (plans == NULL)
        return;
    for (uint32_t i = 0; i < plans->count; i++)
        ll_plan_version_free(billing, &plans->at[i]);
    ll_release(billing->mem, plans->at, plans->cap * sizeof *plans->at);
    ll_arena_fini(&plans->arena);
    ll_release(billing->mem, plans, sizeof *plans);
    billing->plans = NULL;
}
