/* host/timers.c: call:timer, call:job and call:cancel. [loop]
 *
 * Either is a document of ~work: its id is the key, so that setting it again
 * moves it. A job is due at once unless it says when.
 */
#include <stdio.h>

#include "base/text.h"
#include "data/put.h"
#include "host/effect.h"
#include "host/queue.h"
#include "host/work.h"

struct wanted {
    linli_str run, with, key, subject;
    int64_t at_ms;
    bool has_at;
    bool job;
};

static linli_status
read_wanted(const struct ll_call *call, bool job, struct ll_rd *args,
    struct wanted *wanted, struct ll_err *err)
{
    *wanted = (struct wanted){.with = LINLI_STR("null"), .job = job};
    uint32_t count = ll_rd_map(args);
    for (uint32_t i = 0; i < count && !args->bad; i++) {
        linli_str name = ll_rd_bytes(args);
        if (ll_str_is(name, "at")) {
            wanted->at_ms = ll_rd_int(args);
            wanted->has_at = true;
        } else if (ll_str_is(name, "run")) {
            wanted->run = ll_rd_bytes(args);
        } else if (ll_str_is(name, "with")) {
            wanted->with = ll_rd_bytes(args);
        } else if (ll_str_is(name, "key")) {
            wanted->key = ll_rd_bytes(args);
        } else if (ll_str_is(name, "subject")) {
            wanted->subject = ll_rd_bytes(args);
        } else {
            return ll_fail(err, LINLI_E_INVALID, "db/query",
                "`%.*s` is not known: there are at, run, with, key, subject",
                name.len > 64 ? 64 : LL_FMT(name));
        }
    }
    if (!ll_rd_end(args) || (!job && !wanted->has_at))
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "%s, and `run`, a name",
            job ? "a job may have `at`" : "a timer has `at`, ms since 1970");
    if (!wanted->has_at)
        wanted->at_ms = call->now_ms;
    return LINLI_OK;
}

static linli_status
judge(struct ll_call *call, const struct wanted *wanted, struct ll_err *err)
{
    const struct ll_manifest *manifest = call->package->manifest;
    int at = wanted->job ? ll_manifest_job(manifest, wanted->run)
                         : ll_manifest_timer(manifest, wanted->run);
    if (at < 0)
        return ll_fail(err, LINLI_E_DENIED, "db/undeclared",
            "plugin.json declares no %s \"%.*s\"",
            wanted->job ? "job" : "timer",
            wanted->run.len > 64 ? 64 : LL_FMT(wanted->run));
    if (wanted->at_ms < 0 || wanted->at_ms > LL_TIMER_AT_MS_MAX)
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "`at` is %lld: ms since 1970, before the year 3000",
            (long long)wanted->at_ms);
    if (wanted->with.len > LL_TIMER_WITH_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "db/limit",
            "`with` has %zu bytes, more than %d", wanted->with.len,
            LL_TIMER_WITH_BYTES_MAX);
    if (wanted->key.len > LL_DOC_ID_BYTES_MAX || !ll_utf8_valid(wanted->key))
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "a key is a text of at most %d bytes", LL_DOC_ID_BYTES_MAX);
    if (wanted->subject.len > 0 && !ll_pid_valid(wanted->subject))
        return ll_fail(err, LINLI_E_INVALID, "db/document",
            "a subject is a resident's pid");
    return LINLI_OK;
}

static void
write_timer(struct ll_call *call, struct ll_op *op, const struct wanted *w)
{
    struct ll_jw out = ll_jw(&op->text);
    ll_buf_clear(&op->text);
    ll_jw_open(&out, '{');
    ll_jw_key(&out, "id");
    ll_jw_str(&out, op->id);
    ll_jw_key(&out, "kind");
    ll_jw_cstr(&out, w->job ? "job" : "timer");
    ll_queue_write_due(call->host, &out, w->at_ms);
    ll_jw_key(&out, "at");
    ll_jw_int(&out, w->at_ms);
    ll_jw_key(&out, "run");
    ll_jw_str(&out, w->run);
    ll_jw_key(&out, "with");
    ll_jw_raw(&out, w->with);
    if (w->subject.len > 0) {
        ll_jw_key(&out, "subject");
        ll_jw_str(&out, w->subject);
    }
    ll_jw_close(&out, '}');
}

/* A dead one that is set anew or cancelled is dead no more. */
static linli_status
bury(struct ll_call *call, const struct ll_doc *doc, struct ll_err *err)
{
    struct ll_arena *arena = &call->txn.arena;
    if (!ll_queue_dead(doc))
        return LINLI_OK;
    struct ll_effect *effect = ll_effect_new(call, LL_EFFECT_BURIED);
    if (effect != NULL)
        effect->name = ll_arena_str(arena, doc->id);
    if (effect == NULL || arena->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an effect");
    ll_effect_add(call, effect);
    return LINLI_OK;
}

static linli_status
keep_timer(struct ll_call *call, struct ll_op *op, bool job, struct ll_err *err)
{
    struct wanted wanted;
    struct ll_rd args = ll_rd(ll_buf_view(&op->args));
    (void)ll_rd_list(&args);
    linli_status status = read_wanted(call, job, &args, &wanted, err);
    if (status != LINLI_OK)
        return status;
    write_timer(call, op, &wanted);
    status = ll_txn_put(&call->txn, op->doc, &op->text, call->now_ms, err);
    return status == LINLI_OK ? bury(call, op->doc, err) : status;
}

static bool
step_set_kind(struct ll_call *call, struct ll_op *op, bool job)
{
    struct ll_err err;
    if (!ll_op_wait_doc(call, op))
        return false;
    linli_status status =
        op->doc->state == LL_DOC_LOST
            ? ll_fail(&err, LINLI_E_IO, "store/failed", "a timer")
            : keep_timer(call, op, job, &err);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    ll_buf_clear(&op->text);
    ll_put_bytes(&op->text, op->doc->id);
    ll_op_answer_text(call);
    return true;
}

static bool
step_set_timer(struct ll_call *call, struct ll_op *op)
{
    return step_set_kind(call, op, false);
}

static bool
step_set_job(struct ll_call *call, struct ll_op *op)
{
    return step_set_kind(call, op, true);
}

static bool
serve_set(struct ll_call *call, struct ll_op *op, struct ll_rd *args, bool job)
{
    struct wanted wanted;
    struct ll_err err;
    char id[33];
    linli_status status = read_wanted(call, job, args, &wanted, &err);
    if (status == LINLI_OK)
        status = judge(call, &wanted, &err);
    if (status == LINLI_OK && ll_json_parse(&op->json, wanted.with,
                                  LL_BODY_DEPTH_MAX, NULL) != LINLI_OK)
        status = ll_fail(&err, LINLI_E_INVALID, "db/document",
            "`with` is not JSON, or more than %d deep", LL_BODY_DEPTH_MAX);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    if (wanted.key.len == 0) {
        unsigned char random[12];
        ll_world_random(call->host->world, random, sizeof random);
        ll_hex(random, sizeof random, id);
        wanted.key = ll_cstr(id);
    }
    op->id = ll_arena_str(&call->txn.arena, wanted.key);
    if (op->id.ptr == NULL) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a timer");
        ll_op_refuse(call, &err);
        return false;
    }
    op->coll = ll_work_coll(call->instance);
    op->step = job ? step_set_job : step_set_timer;
    return true;
}

bool
ll_serve_timer_set(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    return serve_set(call, op, args, false);
}

bool
ll_serve_job_set(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    return serve_set(call, op, args, true);
}

static bool
step_cancel(struct ll_call *call, struct ll_op *op)
{
    const struct ll_content *content = NULL;
    struct ll_err err;
    if (!ll_op_wait_doc(call, op))
        return false;
    linli_status status = ll_txn_read(&call->txn, op->doc, &content, &err);
    if (status == LINLI_OK && content != NULL)
        status = ll_txn_write(&call->txn, op->doc, NULL, &err);
    if (status == LINLI_OK && content != NULL)
        status = bury(call, op->doc, &err);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return true;
    }
    ll_buf_clear(&op->text);
    ll_put_bool(&op->text, content != NULL);
    ll_op_answer_text(call);
    return true;
}

bool
ll_serve_timer_cancel(
    struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    op->id = ll_rd_bytes(args);
    if (args->bad || op->id.len == 0 || op->id.len > LL_DOC_ID_BYTES_MAX) {
        ll_op_answer(call, LINLI_E_INVALID);
        return false;
    }
    op->coll = ll_work_coll(call->instance);
    op->step = step_cancel;
    return true;
}
