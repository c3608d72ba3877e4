/* host/meter.c: series, the call's own usage, call:meter. [loop] */
#include "host/meter.h"

#include <stdio.h>

#include "base/text.h"
#include "host/effect.h"

#define NS_PER_US 1000
#define AHEAD_MS_MAX ((int64_t)5 * 60 * 1000)      /* spec/metering.md */
#define BACK_MS_MAX ((int64_t)72 * 60 * 60 * 1000) /* the grace */
#define EVENT_ID_BYTES_MAX 128

struct ll_series {
    struct ll_series *next;
    uint32_t id;
    linli_str meter;
};

/* -- series -- */

static struct ll_series *
series_make(struct ll_space *space, uint32_t id, linli_str meter)
{
    struct ll_docs *docs = space->docs;
    struct ll_series *series = ll_arena_alloc(&docs->arena, sizeof *series);
    if (series == NULL)
        return NULL;
    series->id = id;
    series->meter = ll_arena_str(&docs->arena, meter);
    if (docs->arena.failed)
        return NULL;
    series->next = space->series;
    space->series = series;
    if (id > docs->last_series)
        docs->last_series = id;
    return series;
}

linli_status
ll_series_known(struct ll_space *space, int64_t id, linli_str meter)
{
    return series_make(space, (uint32_t)id, meter) == NULL ? LINLI_E_NOMEM
                                                           : LINLI_OK;
}

uint32_t
ll_series(struct ll_space *space, linli_str meter)
{
    struct ll_docs *docs = space->docs;
    struct ll_series *series = space->series;
    while (series != NULL && !ll_str_eq(series->meter, meter))
        series = series->next;
    if (series != NULL)
        return series->id;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return 0;
    ll_commit_op(commit, LL_ST_series_put);
    ll_put_int(&commit->ops, docs->last_series + 1);
    ll_put_int(&commit->ops, space->id);
    ll_put_bytes(&commit->ops, meter);
    series = series_make(space, (uint32_t)docs->last_series + 1, meter);
    if (series == NULL) {
        ll_docs_commit_free(docs, commit);
        return 0;
    }
    return ll_docs_commit_send(docs, commit) != 0 ? series->id : 0;
}

/* -- usage -- */

static linli_status
note(struct ll_call *call, linli_str meter, const struct ll_usage *usage,
    struct ll_err *err)
{
    uint32_t series = ll_series(call->instance->space, meter);
    struct ll_effect *effect =
        series == 0 ? NULL : ll_effect_new(call, LL_EFFECT_USAGE);
    if (effect == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "usage");
    effect->usage = *usage;
    effect->usage.series = series;
    effect->usage.call_high = call->id_high;
    effect->usage.call_low = call->id_low;
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
    linli_status status = note(call, LINLI_STR("linli.call"), &usage, err);
    usage.quantity = (int64_t)usage.cpu_us * LL_USAGE_UNIT;
    if (status == LINLI_OK)
        status = note(call, LINLI_STR("linli.cpu_us"), &usage, err);
    return status;
}

/* -- call:meter -- */

/* What is metered, as the plugin says it. */
struct metered {
    linli_str meter, event_id, reverses;
    int64_t units, at_ms;
};

static linli_status
read_metered(struct ll_call *call, struct ll_rd *args, struct metered *m,
    struct ll_err *err)
{
    *m = (struct metered){.meter = ll_rd_bytes(args),
        .units = ll_rd_int(args),
        .at_ms = call->now_ms};
    uint32_t count = 0;
    if (ll_rd_peek(args) == LL_VALUE_MAP)
        count = ll_rd_map(args);
    else
        (void)ll_rd_value(args);
    for (uint32_t i = 0; i < count && !args->bad; i++) {
        linli_str name = ll_rd_bytes(args);
        if (ll_str_is(name, "event_id"))
            m->event_id = ll_rd_bytes(args);
        else if (ll_str_is(name, "reverses"))
            m->reverses = ll_rd_bytes(args);
        else if (ll_str_is(name, "at"))
            m->at_ms = ll_rd_int(args);
        else
            return ll_fail(err, LINLI_E_INVALID, "db/query",
                "`%.*s` is not known: there are event_id, at, reverses",
                name.len > 64 ? 64 : LL_FMT(name));
    }
    return ll_rd_end(args)
               ? LINLI_OK
               : ll_fail(err, LINLI_E_INVALID, "db/query",
                     "a meter, a quantity and options are expected");
}

static linli_status
judge_metered(struct ll_call *call, const struct metered *m, struct ll_err *err)
{
    const struct ll_meter_decl *decl =
        ll_manifest_meter(call->package->manifest, m->meter);
    if (decl == NULL)
        return ll_fail(err, LINLI_E_DENIED, "db/undeclared",
            "plugin.json declares no meter \"%.*s\"",
            m->meter.len > 64 ? 64 : LL_FMT(m->meter));
    bool reversal = m->reverses.len > 0;
    if (m->units == 0 || m->units > decl->max_per_call ||
        m->units < -decl->max_per_call || (m->units < 0) != reversal)
        return ll_fail(err, LINLI_E_INVALID, "db/limit",
            "%.*s: %lld; 1 to %lld is possible, or as much below zero with "
            "`reverses`",
            LL_FMT(m->meter), (long long)m->units,
            (long long)decl->max_per_call);
    if (m->event_id.len > EVENT_ID_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "db/limit",
            "an event_id of %zu bytes, more than %d", m->event_id.len,
            EVENT_ID_BYTES_MAX);
    if (reversal && m->event_id.len == 0)
        return ll_fail(err, LINLI_E_INVALID, "db/limit",
            "a correction needs an event_id of its own");
    if (m->at_ms > call->now_ms + AHEAD_MS_MAX ||
        m->at_ms < call->now_ms - BACK_MS_MAX)
        return ll_fail(err, LINLI_E_INVALID, "db/limit",
            "`at` is at most 72 hours back and 5 minutes ahead");
    return LINLI_OK;
}

static linli_status
note_metered(struct ll_call *call, const struct metered *m, struct ll_err *err)
{
    struct ll_usage usage = {.at_ms = m->at_ms,
        .quantity = m->units * LL_USAGE_UNIT,
        .event_hash =
            m->event_id.len > 0 ? ll_fnv(m->event_id) | 1 : (uint64_t)0};
    return note(call, m->meter, &usage, err);
}

static void
answer_word(struct ll_call *call, struct ll_op *op, const char *word)
{
    ll_buf_clear(&op->text);
    ll_put_bytes(&op->text, ll_cstr(word));
    ll_op_answer_text(call);
}

/* The claim is the row: the document of the event. */
static linli_status
keep_claim(struct ll_call *call, struct ll_op *op, const struct metered *m,
    struct ll_err *err)
{
    struct ll_jw w = ll_jw(&op->text);
    struct ll_content *content = NULL;
    ll_buf_clear(&op->text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, op->id);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, m->at_ms);
    ll_jw_key(&w, "units");
    ll_jw_int(&w, m->units);
    ll_jw_key(&w, "reverses");
    ll_jw_str(&w, m->reverses);
    ll_jw_close(&w, '}');
    linli_status status =
        op->text.failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "usage")
                        : ll_json_parse(&op->json, ll_buf_view(&op->text),
                              LL_BODY_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = ll_content_new(op->coll, ll_json_root(&op->json),
            ll_buf_view(&op->text), call->now_ms, &content, err);
    if (status != LINLI_OK)
        return status;
    return ll_txn_write(&call->txn, op->doc, content, err);
}

/* An event that is there: the same, or a conflict. */
static bool
same_claim(struct ll_call *call, const struct ll_content *content,
    const struct metered *m)
{
    struct ll_json *json = &call->host->docs.json;
    int64_t units = 0, at_ms = 0;
    if (ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    struct ll_jv kept = ll_json_root(json);
    (void)ll_jv_int(ll_jv_get(kept, "units"), &units);
    (void)ll_jv_int(ll_jv_get(kept, "at"), &at_ms);
    /* `at` that was not given is the call's time: a repeat has another. */
    return units == m->units &&
           (at_ms == m->at_ms || m->at_ms == call->now_ms) &&
           ll_str_eq(ll_jv_str(ll_jv_get(kept, "reverses")), m->reverses);
}

static bool
step_claim(struct ll_call *call, struct ll_op *op)
{
    const struct ll_content *content;
    struct metered m;
    struct ll_err err;
    if (!ll_op_wait_doc(call, op))
        return false;
    struct ll_rd args = ll_rd(ll_buf_view(&op->args));
    (void)ll_rd_list(&args);
    linli_status status = read_metered(call, &args, &m, &err);
    if (status == LINLI_OK)
        status = ll_txn_read(&call->txn, op->doc, &content, &err);
    if (status == LINLI_OK && content != NULL) {
        if (same_claim(call, content, &m)) {
            answer_word(call, op, "duplicate");
            return true;
        }
        status = ll_fail(&err, LINLI_E_CONFLICT, "db/conflict",
            "%.*s: this event_id was used for something else", LL_FMT(m.meter));
    }
    if (status == LINLI_OK)
        status = keep_claim(call, op, &m, &err);
    if (status == LINLI_OK)
        status = note_metered(call, &m, &err);
    if (status == LINLI_OK)
        answer_word(call, op, "recorded");
    else
        ll_op_refuse(call, &err);
    return true;
}

bool
ll_serve_meter_add(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct metered m;
    struct ll_err err;
    linli_status status = read_metered(call, args, &m, &err);
    if (status == LINLI_OK)
        status = judge_metered(call, &m, &err);
    if (status == LINLI_OK && m.event_id.len == 0) {
        status = note_metered(call, &m, &err);
        if (status == LINLI_OK)
            answer_word(call, op, "recorded");
    }
    if (status != LINLI_OK)
        ll_op_refuse(call, &err);
    if (status != LINLI_OK || m.event_id.len == 0)
        return false;
    ll_buf_clear(&op->text);
    ll_buf_str(&op->text, m.meter);
    ll_buf_char(&op->text, '/');
    ll_buf_str(&op->text, m.event_id);
    op->id = ll_arena_str(&call->txn.arena, ll_buf_view(&op->text));
    op->coll = ll_space_coll(call->instance->space, LINLI_STR("~meter"));
    if (op->id.ptr == NULL || op->coll == NULL) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "usage");
        ll_op_refuse(call, &err);
        return false;
    }
    op->step = step_claim;
    return true;
}
