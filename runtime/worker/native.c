/* worker/native.c: the engine of native plugins. [worker]
 *
 * Maps the plugin's objects under stage 1, looks at its descriptor and makes
 * the instance behind stage 2, then runs one call at a time: a call blocks
 * in its host calls, and what comes meanwhile waits in the ring. An answer
 * is held back until `call` has returned, since only then is it known that
 * it was the only one. Owns struct ll_native, one per process.
 */
#include "worker/native.h"

#include <stdio.h>

_Static_assert(LINLI_CALL_REQUEST == LL_CALL_REQUEST &&
                   LINLI_CALL_TIMER == LL_CALL_TIMER &&
                   LINLI_CALL_EVENT == LL_CALL_EVENT,
    "kinds of calls are the wire's");

#include "base/text.h"

/* The one instance: large, and the tables reach it without a pointer. */
static struct ll_native instance;
static void *plugin_handle;

static linli_str
main_object(const struct ll_worker *worker)
{
    return ll_jv_str(ll_jv_get(ll_json_root(&worker->manifest), "main"));
}

linli_status
ll_native_prepare_from(
    struct ll_worker *worker, ll_object_locate *locate, struct ll_err *err)
{
    return ll_objects_open(
        worker, main_object(worker), locate, &plugin_handle, err);
}

static linli_status
native_prepare(struct ll_worker *worker, struct ll_err *err)
{
    return ll_native_prepare_from(worker, ll_worker_object_path, err);
}

static void
init(struct ll_native *native, struct ll_worker *worker)
{
    struct ll_mem *mem = &worker->mem;
    *native = (struct ll_native){.worker = worker};
    ll_buf_init(&native->answer, mem, LL_REPLY_BYTES_MAX);
    ll_buf_init(&native->code, mem, LL_LOG_LINE_BYTES_MAX);
    ll_buf_init(&native->args, mem, LL_REPLY_BYTES_MAX);
    ll_buf_init(&native->value, mem, LL_FRAME_BYTES_MAX);
    ll_buf_init(&native->text, mem, LL_HTTP_RESPONSE_BYTES_MAX);
    ll_arena_init(&native->answers, mem, LL_PLUGIN_ANSWERS_BYTES_MAX);
    ll_json_init(&native->json, mem);
    worker->engine_state = native;
    ll_native_bind(native);
}

static void
fini(struct ll_native *native)
{
    ll_buf_fini(&native->answer);
    ll_buf_fini(&native->code);
    ll_buf_fini(&native->args);
    ll_buf_fini(&native->value);
    ll_buf_fini(&native->text);
    ll_arena_fini(&native->answers);
    ll_json_fini(&native->json);
    native->worker->engine_state = NULL;
}

uint64_t
ll_native_begin(struct ll_native *native)
{
    native->ctx = ++native->ctx_last;
    native->in_call = native->in_request = false;
    native->call = 0;
    native->run = 0;
    native->waited_ns = 0;
    native->outcome = LL_NATIVE_SILENT;
    native->note[0] = native->etag[0] = native->over.code[0] = '\0';
    native->conflict = (linli_str){NULL, 0};
    return native->ctx;
}

void
ll_native_end(struct ll_native *native)
{
    native->ctx = 0;
    native->in_call = native->in_request = false;
    ll_arena_reset(&native->answers);
}

/* The public type is its own, so that neither side's can bind the other. */
static linli_status
copy_zone(struct ll_native *native, struct ll_err *err)
{
    const struct ll_worker_config *config = &native->worker->config;
    uint32_t n = config->zone_change_count;
    linli_zone_change *copy =
        ll_arena_alloc(&native->worker->arena, (n + 1) * sizeof(*copy));
    if (copy == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the zone");
    for (uint32_t i = 0; i < n; i++)
        copy[i] =
            (linli_zone_change){.from_ms = config->zone_changes[i].from_ms,
                .offset_s = config->zone_changes[i].offset_s};
    native->zone_changes = copy;
    return LINLI_OK;
}

static linli_status
create(struct ll_native *native, struct ll_err *err)
{
    const struct ll_worker_config *config = &native->worker->config;
    linli_create create = {.size = sizeof(create),
        .ctx = ll_native_begin(native),
        .core = ll_native_core(),
        .config = config->config_json,
        .community = config->community};
    linli_status s = native->plugin.create(&create, &native->self);
    if (s != LINLI_OK) {
        linli_str why = native->outcome == LL_NATIVE_FAILED
                            ? ll_buf_view(&native->answer)
                            : ll_cstr(native->note);
        (void)ll_fail(err, s < 0 ? s : LINLI_E_INTERNAL, "plugin/load",
            "its create returned %d (%s)%s%.*s", s, ll_status_name(s),
            why.len > 0 ? ": " : "", why.len > 160 ? 160 : LL_FMT(why));
        ll_err_fix(err, "Correct what the message says, or the operator's "
                        "configuration of the plugin");
        s = err == NULL ? LINLI_E_INTERNAL : err->status;
    }
    ll_native_end(native);
    return s;
}

static linli_status
native_load(struct ll_worker *worker, struct ll_err *err)
{
    struct ll_native *native = &instance;
    init(native, worker);
    linli_status s = ll_native_descriptor(native, plugin_handle, err);
    if (s == LINLI_OK)
        s = copy_zone(native, err);
    if (s == LINLI_OK)
        s = create(native, err);
    if (s != LINLI_OK) {
        ll_err_where(err, "%.*s", LL_FMT(main_object(worker)));
        fini(native);
    }
    return s;
}

/* What was wrong with how the call was answered, or NULL. */
static const char *
mistake(const struct ll_native *native, linli_status status)
{
    if (native->outcome == LL_NATIVE_TWICE)
        return "it answered the call twice";
    if (status != LINLI_OK)
        return "its call returned a failure";
    if (native->outcome == LL_NATIVE_SILENT && native->in_request)
        return "its call returned without an answer";
    return NULL;
}

/* Tells the host how the call ended. */
static void
finish(struct ll_native *native, linli_status status, int64_t run_ns)
{
    char log[sizeof(native->note) + 128];
    const char *what = mistake(native, status);
    if (native->over.code[0] != '\0') {
        struct ll_worker_problem problem = {.code = ll_cstr(native->over.code),
            .detail = ll_cstr(native->over.detail)};
        ll_worker_fail(
            native->worker, native->call, native->run, &problem, run_ns);
    } else if (what != NULL) {
        (void)snprintf(log, sizeof(log), "%s, status %d (%s)%s%s", what, status,
            ll_status_name(status), native->note[0] != '\0' ? ": " : "",
            native->note);
        struct ll_worker_problem problem = {
            .code = LINLI_STR("plugin/error"), .log = ll_cstr(log)};
        ll_worker_fail(
            native->worker, native->call, native->run, &problem, run_ns);
    } else if (native->outcome == LL_NATIVE_FAILED) {
        struct ll_worker_problem problem = {.code = ll_buf_view(&native->code),
            .detail = ll_buf_view(&native->answer)};
        ll_worker_fail(
            native->worker, native->call, native->run, &problem, run_ns);
    } else {
        struct ll_worker_answer answer = {.status = 204};
        if (native->outcome == LL_NATIVE_REPLIED)
            answer = (struct ll_worker_answer){.status = native->http_status,
                .body_json = ll_buf_view(&native->answer),
                .etag = ll_cstr(native->etag)};
        ll_worker_reply(
            native->worker, native->call, native->run, &answer, run_ns);
    }
}

static linli_call
describe(const struct ll_native *native, const struct ll_call_in *in,
    const linli_param *params)
{
    const struct ll_worker_config *config = &native->worker->config;
    return (linli_call){
        .size = sizeof(linli_call),
        .kind = (uint32_t)in->kind,
        .ctx = native->ctx,
        .route = in->route,
        .param_count = in->param_count,
        .params = params,
        .method = native->in_request ? native->worker->routes[in->route].method
                                     : (linli_str){NULL, 0},
        .path = in->path,
        .query = in->query,
        .caller_kind = in->caller_kind,
        .caller_id = in->caller_id,
        .caller_roles = in->caller_roles,
        .locale = in->locale,
        .zone = config->zone,
        .zone_changes = native->zone_changes,
        .zone_change_count = config->zone_change_count,
        .now_ms = in->now_ms,
        .seed = (uint64_t)in->seed,
        .wall_ms = in->wall_ms,
        .cpu_ms = in->cpu_ms,
        .memory_bytes = in->memory_bytes,
        .trace_id = in->trace_id,
        .body = in->has_body ? in->body : (linli_str){NULL, 0},
        .name = in->name,
        .input = in->input,
        .due_ms = in->due_ms,
        .late = in->late,
        .if_match = in->has_if_match ? in->if_match : (linli_str){NULL, 0},
        .bound_to = in->bound_to,
        .device_kind = in->device_kind,
        .resident = in->resident,
    };
}

static void
native_call(
    struct ll_worker *worker, const struct ll_call_in *in, struct ll_jv body)
{
    struct ll_native *native = worker->engine_state;
    linli_param params[LL_PATH_PARAMS_MAX];
    LL_UNUSED(body); /* checked; the plugin gets the bytes */
    for (uint32_t i = 0; i < in->param_count; i++)
        params[i] = (linli_param){
            worker->routes[in->route].param_names[i], in->params[i]};
    (void)ll_native_begin(native);
    native->in_call = true;
    native->in_request = in->kind == LL_CALL_REQUEST;
    native->call = in->call;
    native->run = in->run;
    linli_call call = describe(native, in, params);
    ll_worker_running(worker, in->call);
    int64_t begun_ns = ll_worker_clock_ns();
    linli_status s = native->plugin.call(native->self, &call);
    int64_t run_ns = ll_worker_clock_ns() - begun_ns - native->waited_ns;
    ll_worker_running(worker, 0);
    finish(native, s, run_ns);
    ll_native_end(native);
}

static void
native_answer(struct ll_worker *worker, uint32_t call, uint16_t run,
    linli_status status, linli_str answer)
{
    LL_UNUSED(worker);
    LL_UNUSED(call);
    LL_UNUSED(run);
    LL_UNUSED(status);
    LL_UNUSED(answer);
    /* A call ends before the loop goes on, so no run is open here. */
    ll_check(false);
}

static void
native_cancel(struct ll_worker *worker, uint32_t call, uint16_t run)
{
    LL_UNUSED(worker);
    LL_UNUSED(call);
    LL_UNUSED(run);
    ll_check(false); /* the same */
}

static bool
native_idle(const struct ll_worker *worker)
{
    LL_UNUSED(worker);
    return true;
}

static void
native_end(struct ll_worker *worker)
{
    struct ll_native *native = worker->engine_state;
    if (native->plugin.drain != NULL)
        native->plugin.drain(native->self);
    if (native->plugin.destroy != NULL)
        native->plugin.destroy(native->self);
    fini(native);
}

const struct ll_engine ll_native_engine = {
    .prepare = native_prepare,
    .load = native_load,
    .call = native_call,
    .answer = native_answer,
    .cancel = native_cancel,
    .idle = native_idle,
    .end = native_end,
};
