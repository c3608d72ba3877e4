/* host/meter.c: series, the call's own usage, call:meter. [loop] */
#include "host/meter.h"

#include <stdio.h>

#include "base/text.h"
#include "data/put.h"
#include "host/meter_int.h"
#include "host/watch.h"

#define NS_PER_US 1000

/* -- usage -- */

/* A record, to be added to the call; NULL, with err, without memory. */
static struct ll_effect *
record(struct ll_call *call, const struct ll_counted *counted,
    const struct ll_usage *usage, struct ll_err *err)
{
    uint32_t series = ll_series(call->instance->space, counted);
    struct ll_effect *effect =
        series == 0 ? NULL : ll_effect_new(call, LL_EFFECT_USAGE);
    if (effect == NULL) {
        (void)ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "usage");
        return NULL;
    }
    effect->usage = *usage;
    effect->counted = *counted;
    effect->usage.series = series;
    effect->usage.call_high = call->id_high;
    effect->usage.call_low = call->id_low;
    return effect;
}

static linli_status
note(struct ll_call *call, linli_str meter, const struct ll_usage *usage,
    struct ll_err *err)
{
    struct ll_counted counted = ll_plan_counted(
        call->host, ll_plan_call_sub(call), meter, usage->at_ms);
    struct ll_effect *effect = record(call, &counted, usage, err);
    if (effect == NULL)
        return LINLI_E_NOMEM;
    ll_effect_add(call, effect);
    return LINLI_OK;
}

/* The worker says how long it computed; it cannot be longer than it took. */
static uint32_t
cpu_us(const struct ll_call *call)
{
    int64_t took_ns = ll_mono_now().ns - call->began.ns;
    int64_t ns = call->run.run_ns < took_ns ? call->run.run_ns : took_ns;
    int64_t us = ns < 0 ? 0 : ns / NS_PER_US;
    return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

linli_status
ll_meter_call(struct ll_call *call, struct ll_err *err)
{
    struct ll_usage usage = {.at_ms = call->now_ms,
        .quantity = LL_USAGE_UNIT,
        .cpu_us = cpu_us(call)};
    linli_status status = note(call, LINLI_STR(LL_METER_CALL), &usage, err);
    usage.quantity = (int64_t)usage.cpu_us * LL_USAGE_UNIT;
    if (status == LINLI_OK)
        status = note(call, LINLI_STR(LL_METER_CPU), &usage, err);
    return status;
}

/* -- call:meter -- */

linli_status
ll_metered_read(struct ll_call *call, struct ll_rd *args, struct ll_metered *m,
    struct ll_err *err)
{
    linli_str meter = ll_rd_bytes(args);
    int64_t units = ll_rd_int(args);
    const struct ll_meter_decl *decl =
        ll_manifest_meter(call->package->manifest, meter);
    *m = (struct ll_metered){.meter = decl == NULL ? meter : decl->name,
        .decl = decl,
        .units = units,
        .at_ms = call->now_ms};
    uint32_t count = ll_op_options(args);
    for (uint32_t i = 0; i < count && !args->bad; i++) {
        linli_str name = ll_rd_bytes(args);
        if (ll_str_is(name, "event_id")) {
            m->event_id = ll_rd_bytes(args);
        } else if (ll_str_is(name, "reverses")) {
            m->reverses = ll_rd_bytes(args);
        } else if (ll_str_is(name, "at")) {
            m->at_ms = ll_rd_int(args);
            m->at_given = true;
        } else {
            return ll_fail(err, LINLI_E_INVALID, "db/query",
                "`%.*s` is not known: there are event_id, at, reverses",
                name.len > 64 ? 64 : LL_FMT(name));
        }
    }
    return ll_rd_end(args)
               ? LINLI_OK
               : ll_fail(err, LINLI_E_INVALID, "db/query",
                     "a meter, a quantity and options are expected");
}

/* What the call has metered so far, in units. */
static int64_t
metered_before(const struct ll_call *call, linli_str meter)
{
    int64_t units = 0;
    for (const struct ll_effect *e = call->effects; e != NULL; e = e->next)
        if (e->kind == LL_EFFECT_USAGE && e->usage.quantity > 0 &&
            ll_str_eq(e->counted.meter, meter))
            units += e->usage.quantity / LL_USAGE_UNIT;
    return units;
}

/* spec/metering.md, M9, M10. Others than sums are no more in several counts
 * than in one. */
static linli_status
judge_plain(
    struct ll_call *call, const struct ll_metered *m, struct ll_err *err)
{
    enum ll_aggregate how = m->decl->aggregate;
    int64_t max = how == LL_AGGREGATE_UNIQUE ? 1 : m->decl->max_per_call;
    int64_t least = how == LL_AGGREGATE_LAST ? 0 : 1;
    int64_t before =
        how == LL_AGGREGATE_SUM ? metered_before(call, m->meter) : 0;
    if (m->units < least || m->units > max - before)
        return ll_fail(err, LINLI_E_INVALID, "db/limit",
            "%.*s: %lld; whole units from %lld are possible, %lld in a call",
            LL_FMT(m->meter), (long long)m->units, (long long)least,
            (long long)max);
    if (m->at_ms > call->now_ms + LL_METER_AHEAD_MS_MAX ||
        m->at_ms < call->now_ms - LL_METER_BACK_MS_MAX)
        return ll_fail(err, LINLI_E_INVALID, "db/limit",
            "`at` is at most 72 hours back and 5 minutes ahead");
    return LINLI_OK;
}

/* What has a memory of its own is told again without harm, and is not taken
 * back: M13, M13a. */
static linli_status
judge_aggregate(const struct ll_metered *m, struct ll_err *err)
{
    bool unique = m->decl->aggregate == LL_AGGREGATE_UNIQUE;
    if (m->decl->aggregate == LL_AGGREGATE_SUM)
        return LINLI_OK;
    if (m->reverses.len > 0)
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "%.*s is no sum: nothing of it is reversed", LL_FMT(m->meter));
    if (unique != (m->event_id.len > 0))
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            unique ? "%.*s counts different event ids: `event_id` is missing"
                   : "%.*s is no sum: it has no `event_id`",
            LL_FMT(m->meter));
    return LINLI_OK;
}

static linli_status
judge_metered(
    struct ll_call *call, const struct ll_metered *m, struct ll_err *err)
{
    bool reversal = m->reverses.len > 0;
    linli_str id = reversal ? m->reverses : m->event_id;
    if (m->decl == NULL)
        return ll_fail(err, LINLI_E_DENIED, "db/undeclared",
            "plugin.json declares no meter \"%.*s\"",
            m->meter.len > 64 ? 64 : LL_FMT(m->meter));
    bool valid = id.len <= LL_METER_EVENT_ID_BYTES_MAX && ll_utf8_valid(id);
    for (size_t i = 0; valid && i < id.len; i++)
        valid = (unsigned char)id.ptr[i] >= 0x20 && id.ptr[i] != 0x7f;
    if (!valid)
        return ll_fail(err, LINLI_E_INVALID, "db/limit",
            "an event_id is a text of at most %d bytes without control "
            "characters",
            LL_METER_EVENT_ID_BYTES_MAX);
    linli_status status = judge_aggregate(m, err);
    if (status != LINLI_OK)
        return status;
    if (!reversal)
        return judge_plain(call, m, err);
    if (m->event_id.len > 0 || m->at_given)
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "a correction has the `event_id` and `at` of what it reverses");
    return LINLI_OK;
}

struct ll_effect *
ll_metered_record(struct ll_call *call, const struct ll_metered *m,
    linli_str id, struct ll_err *err)
{
    struct ll_usage usage = {.at_ms = m->at_ms,
        .quantity = m->units * LL_USAGE_UNIT,
        .event_hash = id.len > 0 ? ll_usage_event_hash(id) : (uint64_t)0};
    ll_watch_seen(call->host, call->instance->space->community);
    struct ll_counted counted = {
        .meter = m->meter, .subscription = m->sub, .version = m->version};
    if (!m->taken_back)
        counted = ll_plan_counted(
            call->host, ll_plan_call_sub(call), m->meter, m->at_ms);
    return record(call, &counted, &usage, err);
}

void
ll_metered_answer(struct ll_call *call, struct ll_op *op, const char *word)
{
    ll_buf_clear(&op->text);
    ll_put_bytes(&op->text, ll_cstr(word));
    ll_op_answer_text(call);
}

bool
ll_metered_ready(
    struct ll_call *call, struct ll_op *op, const struct ll_metered *m)
{
    linli_status status;
    struct ll_err err;
    struct ll_counted counted =
        ll_plan_counted(call->host, ll_plan_call_sub(call), m->meter, m->at_ms);
    struct ll_usage usage = {.at_ms = m->at_ms};
    struct ll_plan_record record = {call->instance->space, &counted, &usage};
    /* What fails here fails again where it is promised. */
    return ll_plan_meter(call, &record, &op->wait, &status, &err);
}

/* The plan promises what the effect records. */
static linli_status
promise(struct ll_call *call, struct ll_op *op, struct ll_effect *effect,
    struct ll_err *err)
{
    linli_status status;
    struct ll_plan_record record = {
        call->instance->space, &effect->counted, &effect->usage};
    bool asked = ll_plan_meter(call, &record, &op->wait, &status, err);
    ll_check(asked); /* ll_metered_ready came before, in this turn */
    return status;
}

/* -- claims -- */

bool
ll_claim_read(struct ll_call *call, const struct ll_content *content,
    struct ll_claim *claim)
{
    struct ll_json *json = &call->host->docs.json;
    *claim = (struct ll_claim){.units = 0};
    if (content == NULL)
        return false;
    if (ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    struct ll_jv kept = ll_json_root(json);
    (void)ll_jv_int(ll_jv_get(kept, "units"), &claim->units);
    (void)ll_jv_int(ll_jv_get(kept, "at"), &claim->at_ms);
    claim->at_given = ll_jv_true(ll_jv_get(kept, "at_given"));
    claim->reversed = ll_jv_true(ll_jv_get(kept, "reversed"));
    (void)ll_jv_int(ll_jv_get(kept, "sub"), &claim->sub);
    (void)ll_jv_int(ll_jv_get(kept, "version"), &claim->version);
    return true;
}

static linli_status
write_claim(struct ll_call *call, struct ll_op *op,
    const struct ll_claim *claim, struct ll_err *err)
{
    struct ll_jw w = ll_jw(&op->text);
    ll_buf_clear(&op->text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, op->doc->id);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, claim->at_ms);
    ll_jw_key(&w, "at_given");
    ll_jw_bool(&w, claim->at_given);
    ll_jw_key(&w, "units");
    ll_jw_int(&w, claim->units);
    ll_jw_key(&w, "reversed");
    ll_jw_bool(&w, claim->reversed);
    ll_jw_key(&w, "sub");
    ll_jw_int(&w, claim->sub);
    ll_jw_key(&w, "version");
    ll_jw_int(&w, claim->version);
    ll_jw_close(&w, '}');
    return ll_txn_put(&call->txn, op->doc, &op->text, call->now_ms, err);
}

linli_status
ll_claim_both(struct ll_call *call, struct ll_op *op, struct ll_claim *claim,
    struct ll_effect *effect, struct ll_err *err)
{
    if (effect == NULL)
        return LINLI_E_NOMEM;
    claim->sub = effect->counted.subscription;
    claim->version = effect->counted.version;
    linli_status status =
        effect->usage.quantity > 0 ? promise(call, op, effect, err) : LINLI_OK;
    if (status == LINLI_OK)
        status = write_claim(call, op, claim, err);
    if (status == LINLI_OK && effect->usage.quantity != 0)
        ll_effect_add(call, effect);
    return status;
}

static linli_status
conflict(const struct ll_metered *m, struct ll_err *err, const char *what)
{
    return ll_fail(err, LINLI_E_CONFLICT, "db/conflict", "%.*s: %s",
        LL_FMT(m->meter), what);
}

/* An event with an id: new, or the same again. */
static linli_status
claim_event(struct ll_call *call, struct ll_op *op, const struct ll_metered *m,
    const struct ll_content *content, struct ll_err *err)
{
    struct ll_claim claim;
    if (content == NULL) {
        claim = (struct ll_claim){
            .units = m->units, .at_ms = m->at_ms, .at_given = m->at_given};
        op->extra = (linli_str)LINLI_STR("recorded");
        return ll_claim_both(call, op, &claim,
            ll_metered_record(call, m, m->event_id, err), err);
    }
    bool same = ll_claim_read(call, content, &claim) &&
                claim.units == m->units &&
                (!claim.at_given || !m->at_given || claim.at_ms == m->at_ms);
    op->extra = (linli_str)LINLI_STR("duplicate");
    return same ? LINLI_OK
                : conflict(m, err, "this event_id was used for something else");
}

/* What is reversed, once, at its own time. */
static linli_status
reverse_event(struct ll_call *call, struct ll_op *op, struct ll_metered *m,
    const struct ll_content *content, struct ll_err *err)
{
    struct ll_claim claim;
    if (content == NULL || !ll_claim_read(call, content, &claim))
        return conflict(m, err, "`reverses` names no record");
    if (m->units != -claim.units)
        return conflict(
            m, err, "a correction is exactly the negative of its record");
    op->extra = (linli_str)LINLI_STR("duplicate");
    if (claim.reversed)
        return LINLI_OK;
    claim.reversed = true;
    m->at_ms = claim.at_ms;
    m->taken_back = true; /* from whom it was counted for, whoever calls */
    m->sub = (uint32_t)claim.sub;
    m->version = (uint32_t)claim.version;
    op->extra = (linli_str)LINLI_STR("recorded");
    return ll_claim_both(
        call, op, &claim, ll_metered_record(call, m, m->reverses, err), err);
}

linli_status
ll_metered_again(struct ll_call *call, struct ll_op *op, struct ll_metered *m,
    struct ll_err *err)
{
    struct ll_rd args = ll_rd(ll_buf_view(&op->args));
    (void)ll_rd_list(&args);
    return ll_metered_read(call, &args, m, err);
}

static bool
step_claim(struct ll_call *call, struct ll_op *op)
{
    const struct ll_content *content;
    struct ll_metered m;
    struct ll_err err;
    linli_status status = ll_metered_again(call, op, &m, &err);
    if (status == LINLI_OK && m.reverses.len == 0 &&
        !ll_metered_ready(call, op, &m))
        return false;
    if (!ll_op_wait_doc(call, op))
        return false;
    if (status == LINLI_OK)
        status = ll_txn_read(&call->txn, op->doc, &content, &err);
    if (status == LINLI_OK)
        status = m.reverses.len > 0 ? reverse_event(call, op, &m, content, &err)
                                    : claim_event(call, op, &m, content, &err);
    if (status == LINLI_OK)
        ll_metered_answer(call, op, op->extra.ptr);
    else
        ll_op_refuse(call, &err);
    return true;
}

static bool
step_plain(struct ll_call *call, struct ll_op *op)
{
    struct ll_metered m;
    struct ll_err err;
    struct ll_effect *effect = NULL;
    linli_status status = ll_metered_again(call, op, &m, &err);
    if (status == LINLI_OK && !ll_metered_ready(call, op, &m))
        return false;
    if (status == LINLI_OK) {
        effect = ll_metered_record(call, &m, LINLI_STR(""), &err);
        status =
            effect == NULL ? LINLI_E_NOMEM : promise(call, op, effect, &err);
    }
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    ll_effect_add(call, effect);
    ll_metered_answer(call, op, "recorded");
    return true;
}

/* The document of the event, or of what a meter has come to, that is named;
 * false: it was refused. */
static bool
name_claim(struct ll_call *call, struct ll_op *op, const struct ll_metered *m)
{
    struct ll_err err;
    ll_buf_clear(&op->text);
    ll_buf_str(&op->text, m->meter);
    if (m->decl->aggregate != LL_AGGREGATE_SUM)
        ll_span_name(call, m, &op->text);
    if (m->event_id.len > 0 || m->reverses.len > 0) {
        ll_buf_char(&op->text, '/');
        ll_buf_str(&op->text, m->reverses.len > 0 ? m->reverses : m->event_id);
    }
    op->id = ll_arena_str(&call->txn.arena, ll_buf_view(&op->text));
    op->coll = ll_space_coll(call->instance->space, LINLI_STR("~meter"));
    if (op->id.ptr != NULL && op->coll != NULL)
        return true;
    (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "usage");
    ll_op_refuse(call, &err);
    return false;
}

bool
ll_serve_meter_add(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct ll_metered m;
    struct ll_err err;
    linli_status status = ll_metered_read(call, args, &m, &err);
    if (status == LINLI_OK)
        status = judge_metered(call, &m, &err);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    bool sum = m.decl->aggregate == LL_AGGREGATE_SUM;
    if (sum && m.event_id.len == 0 && m.reverses.len == 0) {
        op->step = step_plain;
        return true;
    }
    op->step = sum ? step_claim : ll_step_span;
    return name_claim(call, op, &m);
}
