/* host/effect.c: events and alerts, from the plugin's word to the commit.
 * [loop] */
#include "host/effect.h"

#include <stdio.h>

#include "base/text.h"
#include "host/alert.h"

#define DEAD_BYTES_MAX 4096 /* two names and a code */

struct ll_effect *
ll_effect_new(struct ll_call *call, enum ll_effect_kind kind)
{
    struct ll_effect *effect = ll_arena_alloc(&call->txn.arena, sizeof *effect);
    if (effect != NULL)
        effect->kind = kind;
    return effect;
}

void
ll_effect_add(struct ll_call *call, struct ll_effect *effect)
{
    if (call->effects_last != NULL)
        call->effects_last->next = effect;
    else
        call->effects = effect;
    call->effects_last = effect;
}

/* -- the host calls -- */

static linli_status
read_options(struct ll_rd *args, linli_str *subject, struct ll_err *err)
{
    *subject = (linli_str){NULL, 0};
    uint32_t count = ll_op_options(args);
    for (uint32_t i = 0; i < count && !args->bad; i++) {
        linli_str name = ll_rd_bytes(args);
        if (!ll_str_is(name, "subject"))
            return ll_fail(err, LINLI_E_INVALID, "db/query",
                "`%.*s` is not known: there is subject",
                name.len > 64 ? 64 : LL_FMT(name));
        *subject = ll_rd_bytes(args);
    }
    if (subject->ptr != NULL && !ll_pid_valid(*subject))
        return ll_fail(err, LINLI_E_INVALID, "db/document",
            "a subject is a resident's pid");
    return LINLI_OK;
}

static linli_status
take_effect(struct ll_call *call, struct ll_op *op, struct ll_rd *args,
    enum ll_effect_kind kind, struct ll_err *err)
{
    const struct ll_manifest *manifest = call->package->manifest;
    struct ll_arena *arena = &call->txn.arena;
    linli_str name = ll_rd_bytes(args);
    linli_str data = ll_rd_bytes(args);
    linli_str subject;
    linli_status status = read_options(args, &subject, err);
    if (status != LINLI_OK)
        return status;
    if (!ll_rd_end(args))
        return ll_fail(err, LINLI_E_INVALID, "db/query",
            "a name, data and options are expected");
    bool declared = kind == LL_EFFECT_EVENT
                        ? ll_manifest_publishes(manifest, name)
                        : ll_manifest_alert(manifest, name);
    if (!declared)
        return ll_fail(err, LINLI_E_DENIED, "db/undeclared",
            "plugin.json does not declare the %s \"%.*s\"",
            kind == LL_EFFECT_EVENT ? "published event" : "alert",
            name.len > 64 ? 64 : LL_FMT(name));
    if (data.len > LL_EFFECT_DATA_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "db/limit",
            "%zu bytes of data, more than %d", data.len,
            LL_EFFECT_DATA_BYTES_MAX);
    if (ll_json_parse(&op->json, data, LL_BODY_DEPTH_MAX, err) != LINLI_OK)
        return ll_fail(err, LINLI_E_INVALID, "db/document",
            "the data is not JSON, or more than %d deep", LL_BODY_DEPTH_MAX);
    status = ll_txn_hold(&call->txn, sizeof(struct ll_effect) + data.len, err);
    if (status != LINLI_OK)
        return status;
    struct ll_effect *effect = ll_effect_new(call, kind);
    if (effect == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an effect");
    effect->name = ll_arena_str(arena, name);
    effect->data = ll_arena_str(arena, data);
    effect->subject = ll_arena_str(arena, subject);
    if (arena->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an effect");
    ll_effect_add(call, effect);
    return LINLI_OK;
}

static bool
serve_effect(struct ll_call *call, struct ll_op *op, struct ll_rd *args,
    enum ll_effect_kind kind)
{
    struct ll_err err;
    if (take_effect(call, op, args, kind, &err) != LINLI_OK)
        ll_op_refuse(call, &err);
    else
        ll_op_answer(call, LINLI_OK);
    return false;
}

bool
ll_serve_event_emit(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    return serve_effect(call, op, args, LL_EFFECT_EVENT);
}

bool
ll_serve_alert_raise(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    return serve_effect(call, op, args, LL_EFFECT_ALERT);
}

/* -- into the commit -- */

static void
put_event(
    struct ll_call *call, const struct ll_effect *effect, struct ll_buf *ops)
{
    const struct ll_space *space = call->instance->space;
    ll_put_int(ops, (int64_t)++call->host->docs.last_event_seq);
    ll_put_bytes(ops, call->community->id);
    ll_put_bytes(ops, call->instance->id);
    ll_put_bytes(ops, effect->name);
    ll_put_int(ops, call->now_ms);
    ll_put_sealed(ops, space->id, effect->subject, effect->data);
}

/* The alert of a dead job is over: its plugin has seen to it. */
static void
put_buried(struct ll_call *call, const struct ll_effect *effect,
    struct ll_commit *commit)
{
    char ref[LL_ALERT_JOB_BYTES];
    struct ll_closing closing = {.by = LINLI_STR("linli"),
        .reason = LINLI_STR("its plugin set it anew, or cancelled it"),
        .at_ms = call->now_ms};
    ll_alert_job_ref(effect->name, ref);
    ll_alert_settle(call->instance->space, ll_cstr(ref), &closing, commit);
}

bool
ll_effects_put(struct ll_call *call, struct ll_commit *commit)
{
    bool events = false;
    for (const struct ll_effect *e = call->effects; e != NULL; e = e->next) {
        struct ll_alert alert = {.space = call->instance->space,
            .kind = e->name,
            .subject = e->subject,
            .trace_id = ll_cstr(call->trace.trace_id),
            .data = e->data,
            .at_ms = call->now_ms};
        switch (e->kind) {
        case LL_EFFECT_EVENT:
            ll_commit_op(commit, LL_ST_event_put);
            put_event(call, e, &commit->ops);
            events = true;
            break;
        case LL_EFFECT_ALERT:
            ll_alert_put(call->host, &alert, commit);
            break;
        case LL_EFFECT_USAGE:
            ll_commit_usage(commit, &e->usage);
            break;
        case LL_EFFECT_BURIED:
            put_buried(call, e, commit);
            break;
        }
    }
    return events;
}

static void
write_dead(struct ll_jw *w, const struct ll_dead *dead)
{
    ll_jw_open(w, '{');
    if (dead->seq != 0) {
        ll_jw_key(w, "seq");
        ll_jw_int(w, (int64_t)dead->seq);
    } else {
        ll_jw_key(w, "id");
        ll_jw_str(w, dead->id);
        ll_jw_key(w, "run");
        ll_jw_str(w, dead->run);
    }
    ll_jw_key(w, "code");
    ll_jw_str(w, dead->code);
    ll_jw_key(w, "attempts");
    ll_jw_int(w, dead->attempts);
    ll_jw_close(w, '}');
}

bool
ll_dead_put(struct ll_host *host, const struct ll_space *space,
    const struct ll_dead *dead, struct ll_commit *commit)
{
    struct ll_buf data;
    char ref[LL_ALERT_JOB_BYTES + 16] = "";
    ll_buf_init(&data, &host->mem, DEAD_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    write_dead(&w, dead);
    if (dead->named != NULL)
        (void)snprintf(
            ref, sizeof ref, "%s/%.*s", dead->named, LL_FMT(dead->id));
    else if (dead->seq == 0)
        ll_alert_job_ref(dead->id, ref);
    struct ll_alert alert = {.space = space,
        .kind = ll_cstr(dead->kind),
        .ref = ll_cstr(ref),
        .subject = dead->subject,
        .trace_id = dead->trace_id,
        .data = ll_buf_view(&data),
        .at_ms = ll_world_wall(host->world).ms};
    bool good = !data.failed;
    if (good)
        ll_alert_put(host, &alert, commit);
    ll_buf_fini(&data);
    return good;
}
