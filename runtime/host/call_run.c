/* host/call_run.c: the plugin runs, and its word is judged. [loop] */
#include "host/call.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/bus.h"
#include "host/device.h"
#include "host/plan_call.h"
#include "host/record.h"
#include "host/task.h"

#define NS_PER_MS 1000000

/* -- the CALL frame -- */

/* One strong tag loses its quotes; "*", a weak tag and a list are told as
 * sent: they are equal to no tag that a plugin gives. */
static void
put_if_match(struct ll_buf *out, linli_str tag)
{
    if (tag.ptr == NULL) {
        ll_put_nil(out);
        return;
    }
    if (tag.len > 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"') {
        linli_str inner = {tag.ptr + 1, tag.len - 2};
        if (ll_etag_valid(inner))
            tag = inner;
    }
    ll_put_bytes(out, tag);
}

static linli_str
or_empty(linli_str s)
{
    return s.ptr == NULL ? LINLI_STR("") : s;
}

static void
write_caller(struct ll_call *call, struct ll_buf *out)
{
    const struct ll_identity *identity = call->identity;
    if (identity == NULL && call->task->caller_kind.len > 0) { /* an answer */
        const struct ll_task *task = call->task;
        ll_put_bytes(out, task->caller_kind);
        ll_put_bytes(out, task->caller);
        ll_put_bytes(out, task->roles.len > 0 ? task->roles : LINLI_STR("[]"));
        return;
    }
    if (identity == NULL) { /* a timer, an event */
        ll_put_bytes(out, LINLI_STR("system"));
        ll_put_bytes(out, LINLI_STR(""));
        ll_put_bytes(out, LINLI_STR("[]"));
        return;
    }
    ll_put_bytes(out, ll_cstr(ll_caller_name(identity->kind)));
    ll_put_bytes(out, call->pid[0] != '\0' ? ll_cstr(call->pid) : identity->id);
    ll_put_bytes(out, identity->roles);
}

/* What calls that are no plain requests say besides. */
static void
write_extras(struct ll_call *call, struct ll_buf *out)
{
    const struct ll_task *task = call->task;
    bool handler = task != NULL && task->kind != LL_TASK_DEVICE;
    ll_put_bytes(out, handler ? task->name : LINLI_STR(""));
    if (handler)
        ll_put_bytes(out, task->input);
    else
        ll_put_nil(out);
    ll_put_int(out, handler ? task->due_ms : 0);
    ll_put_bool(out, task != NULL && task->kind == LL_TASK_DEVICE);
    put_if_match(out, ll_request_field(call->request, "if-match"));
    ll_put_bytes(out, or_empty(call->bound_to));
    ll_put_bytes(out, or_empty(call->device_kind));
    ll_put_bytes(out, or_empty(call->resident_json));
    ll_call_put_fields(call, out);
}

static void
write_payload(struct ll_call *call)
{
    const struct ll_request *request = call->request;
    const struct ll_call_limits *limits = ll_call_limits(call);
    struct ll_buf *out = &call->payload;
    bool routed = call->match.route != NULL;
    ll_put_list(out, 25);
    ll_put_int(out, routed ? 0 : (int64_t)call->task->kind);
    ll_put_int(out, routed ? call->match.route_index : 0);
    ll_put_int(out, call->now_ms);
    ll_put_int(out, (int64_t)ll_world_random_u64(call->host->world));
    ll_put_int(out, limits->wall_ms);
    ll_put_int(out, limits->cpu_ms);
    ll_put_int(out, limits->memory_bytes);
    ll_put_list(out, routed ? call->match.param_count : 0);
    for (uint32_t i = 0; routed && i < call->match.param_count; i++)
        ll_put_bytes(out, call->match.params[i]);
    ll_put_bytes(out, or_empty(call->path));
    ll_put_bytes(out, or_empty(request->query));
    write_caller(call, out);
    ll_put_bytes(out, ll_cstr(ll_locale_tag(call->locale)));
    ll_put_bytes(out, ll_cstr(call->trace.trace_id));
    if (request->has_body)
        ll_put_bytes(out, request->body);
    else
        ll_put_nil(out);
    write_extras(call, out);
}

/* -- the run -- */

/* The first read of a task: what it stands for must be as it was. */
bool
ll_call_read_task(struct ll_call *call)
{
    struct ll_task *task = call->task;
    const struct ll_content *content;
    struct ll_err err;
    if (ll_txn_read(&call->txn, task->doc, &content, &err) != LINLI_OK) {
        (void)ll_call_refuse(call, err.code, err.msg);
        return false;
    }
    if (task->doc->version == task->version && (content != NULL) == task->there)
        return true;
    task->gone = true;
    call->response.status = 410;
    call->state = LL_CALL_RESPOND;
    return false;
}

static enum ll_step
submit(struct ll_call *call)
{
    ll_buf_clear(&call->payload);
    write_payload(call);
    if (call->payload.failed || call->payload.len > LL_FRAME_BYTES_MAX)
        return ll_call_refuse(call, "request/too-large",
            "path, query and body together exceed a frame of 1 MiB");
    if (call->pool == NULL) /* disabled, and the route has a fallback */
        return ll_call_refuse(call, "plugin/disabled", NULL);
    call->run.payload = ll_buf_view(&call->payload);
    call->run.deadline_ns =
        call->began.ns + ll_call_limits(call)->wall_ms * NS_PER_MS;
    if (LL_UNLIKELY(call->host->recorder != NULL))
        ll_record_run(call);
    ll_pool_submit(call->pool, &call->run);
    return LL_STEP_WAIT;
}

enum ll_step
ll_step_run(struct ll_call *call)
{
    bool refused = false;
    if (call->word != LL_WORD_NONE)
        return LL_STEP_MORE;
    if (call->run.pool != NULL || call->recalled) /* it runs, or is about to */
        return LL_STEP_WAIT;
    if (call->match.route != NULL && call->match.route->feed)
        return ll_device_begin(call) ? ll_feed_serve(call) : LL_STEP_MORE;
    if (!ll_who_ready(call, &refused))
        return refused ? LL_STEP_MORE : LL_STEP_WAIT;
    if (call->conflicts >= LL_CONFLICTS_FREE && !ll_lock_take(call))
        return LL_STEP_WAIT;
    if (!ll_device_begin(call))
        return LL_STEP_MORE;
    if (call->task != NULL && !ll_call_read_task(call))
        return LL_STEP_MORE;
    if (!ll_call_fields_ready(call, &refused))
        return refused ? LL_STEP_MORE : LL_STEP_WAIT;
    return submit(call);
}

/* -- its word -- */

static const char *
end_code(enum ll_run_end end)
{
    switch (end) {
    case LL_RUN_WALL:
    case LL_RUN_BURST:
        return "sandbox/timeout";
    case LL_RUN_CRASHED:
    case LL_RUN_REFUSED:
        return "sandbox/crashed";
    case LL_RUN_PROTOCOL:
        return "sandbox/protocol";
    case LL_RUN_BREAKER:
        return "sandbox/breaker-open";
    case LL_RUN_STOPPED:
        return "runtime/draining";
    case LL_RUN_BUSY:
        return "runtime/busy";
    }
    return "runtime/internal";
}

/* The run ended without a word of the plugin's. */
static enum ll_step
ended(struct ll_call *call)
{
    const char *code = end_code(call->end);
    if (call->end == LL_RUN_BURST && call->burst_hash != 0)
        (void)ll_rate_take(call->host->burst_kills, call->burst_hash,
            ll_world_mono(call->host->world).ns / NS_PER_MS);
    ll_call_log(
        call, LL_WARN, code, LINLI_STR("the run ended without an answer"));
    return ll_call_refuse(call, code, NULL);
}

static linli_str
quoted(struct ll_call *call, linli_str tag)
{
    char text[LL_ETAG_BYTES_MAX + 2] = "\"";
    ll_check(tag.len <= LL_ETAG_BYTES_MAX);
    memcpy(text + 1, tag.ptr, tag.len);
    text[tag.len + 1] = '"';
    return ll_arena_str(&call->arena, (linli_str){text, tag.len + 2});
}

/* What the plugin or its worker said is judged before anything of it
 * leaves: it must have seen one state, which is the newest; and a code must
 * be one that the manifest declares, or one of ours. */
enum ll_step
ll_step_validate(struct ll_call *call)
{
    struct ll_response *response = &call->response;
    if (call->word == LL_WORD_ENDED)
        return ended(call);
    if (call->txn.doomed) {
        ll_call_restart(call);
        return LL_STEP_MORE;
    }
    if (!ll_lock_free(call)) {
        ll_call_keep_word(call);
        return LL_STEP_WAIT;
    }
    if (call->word == LL_WORD_FAILED) {
        if (call->log.len > 0) {
            char code[48];
            (void)snprintf(code, sizeof code, "%.*s", LL_FMT(call->code));
            ll_call_log(call, LL_WARN, code, call->log);
        }
        if (ll_plan_call_uncaught(call))
            return LL_STEP_MORE;
        ll_call_problem(call, call->code, call->detail);
        return LL_STEP_MORE;
    }
    response->status = call->status;
    response->body = call->body;
    if (call->etag.len > 0)
        ll_call_add_header(call, "etag", quoted(call, call->etag));
    response->content_type =
        call->body.len == 0 ? LINLI_STR("") : LINLI_STR("application/json");
    return LL_STEP_MORE;
}

/* The word is borrowed from the ring's reader: whoever waits keeps its own. */
void
ll_call_keep_word(struct ll_call *call)
{
    linli_str *const parts[] = {&call->body, &call->etag, &call->code,
        &call->detail, &call->log, &call->errors_json};
    if (call->word_kept)
        return;
    call->word_kept = true;
    for (size_t i = 0; i < LL_COUNT(parts); i++)
        if (parts[i]->len > 0)
            *parts[i] = ll_arena_str(&call->arena, *parts[i]);
}
