/* host/call.c: a call's birth, its steps, what the pool tells it, its end.
 * [loop] */
#include "host/call.h"

#include <stdio.h>

#include "base/text.h"
#include "consent/values.h"
#include "host/await.h"
#include "host/bus.h"
#include "host/device.h"
#include "host/kept.h"
#include "host/plan_call.h"
#include "host/reading.h"
#include "host/record.h"
#include "host/task.h"
#include "host/work.h"

#define CALL_ARENA_BYTES_MAX ((size_t)2 << 20)
#define CALL_SCRATCH_BYTES_MAX ((size_t)4 << 20)
/* Calls kept for the next requests, so that a steady state allocates
 * nothing. */
#define SPARE_CALLS_MAX 256
#define KEEP_BYTES ((size_t)16 << 10) /* of each of a spare call's buffers */

static const struct ll_run_ops run_ops;
static const linli_str nothing = {NULL, 0};

/* -- birth and death -- */

static void
on_held(struct ll_wait *hold)
{
    ll_call_advance(LL_CONTAINER(hold, struct ll_call, hold));
}

static struct ll_call *
call_new(struct ll_host *host)
{
    struct ll_call *call = host->spare;
    if (call != NULL) {
        host->spare = call->next;
        host->spare_count--;
        return call;
    }
    call = ll_alloc(&host->mem, sizeof *call);
    if (call == NULL)
        return NULL;
    call->host = host;
    call->hold.ready = on_held;
    ll_arena_init(&call->arena, &host->mem, CALL_ARENA_BYTES_MAX);
    ll_buf_init(&call->payload, &host->mem, LL_FRAME_BYTES_MAX + 65536);
    ll_buf_init(&call->scratch, &host->mem, CALL_SCRATCH_BYTES_MAX);
    ll_txn_init(&call->txn, &host->docs);
    ll_op_init(&call->op, &host->mem);
    return call;
}

static void
call_free(struct ll_call *call)
{
    struct ll_host *host = call->host;
    ll_txn_fini(&call->txn);
    ll_op_fini(&call->op);
    ll_arena_fini(&call->arena);
    ll_buf_fini(&call->payload);
    ll_buf_fini(&call->scratch);
    ll_release(&host->mem, call, sizeof *call);
}

void
ll_call_free_spares(struct ll_host *host)
{
    while (host->spare != NULL) {
        struct ll_call *call = host->spare;
        host->spare = call->next;
        call_free(call);
    }
    host->spare_count = 0;
}

static void
call_open(struct ll_call *call, struct ll_request *request)
{
    struct ll_host *host = call->host;
    struct ll_run clean = {.ops = &run_ops};
    call->request = request;
    call->task = NULL;
    call->state = LL_CALL_ROUTE;
    call->run = clean;
    call->community = NULL;
    call->instance = NULL;
    call->package = NULL;
    call->pool = NULL;
    call->identity = NULL;
    call->match.route = NULL;
    call->word = LL_WORD_NONE;
    call->etag = (linli_str){NULL, 0};
    call->effects = call->effects_last = NULL;
    call->await = NULL;
    call->await_id[0] = '\0';
    call->awaited = false;
    call->path = nothing;
    call->burst_hash = 0;
    call->conflicts = 0;
    call->unserved = LINLI_OK;
    call->tries = NULL;
    call->tried_number = 0;
    call->releases = NULL;
    call->reading = NULL;
    call->recalled = false;
    call->consent_url = call->fields_json = (linli_str){NULL, 0};
    call->replayed = call->sequenced = call->releasing = false;
    call->number = call->seen = call->release = 0;
    call->who_step = 0;
    call->pid[0] = '\0';
    call->household_known = false;
    call->household = call->resident_json = (linli_str){NULL, 0};
    call->sub = 0;
    call->sub_known = call->limited = false;
    call->holds = call->run_holds = NULL;
    call->plan_no = NULL;
    call->plan_json = (linli_str){NULL, 0};
    call->bound_to = call->device_kind = (linli_str){NULL, 0};
    call->response.header_count = 0;
    call->problem = (linli_str){NULL, 0};
    call->counted = false;
    call->wait = NULL;
    call->feed = NULL;
    call->recording = NULL;
    call->device = NULL;
    call->asked = call->kept = NULL;
    call->locking = call->word_kept = false;
    call->id_high = ll_world_random_u64(host->world);
    call->id_low = ll_world_random_u64(host->world);
    call->began = ll_mono_now();
    call->now_ms = ll_world_wall(host->world).ms;
    call->prev = NULL;
    call->next = host->calls;
    if (host->calls != NULL)
        host->calls->prev = call;
    host->calls = call;
    host->call_count++;
    request->call = call;
}

/* After the response: the call is put away for the next request. */
static void
call_close(struct ll_call *call)
{
    struct ll_host *host = call->host;
    ll_call_services_end(call);
    ll_wait_cancel(&call->hold);
    ll_call_unrelease(call);
    ll_await_end(call);
    ll_feed_end(call);
    ll_releases_end(call);
    ll_check(call->recording == NULL);
    if (call->instance != NULL)
        ll_lock_give(call);
    ll_doc_turn_give(call);
    ll_plan_call_end(call);
    ll_txn_reset(&call->txn);
    ll_kept_release(call);
    ll_doc_unref(&call->asked);
    ll_device_end(call);
    ll_identity_unref(&call->identity);
    ll_pool_let_go(&call->pool);
    ll_package_unref(&call->package);
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        host->calls = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    host->call_count--;
    ll_arena_reset(&call->arena);
    ll_buf_reset(&call->payload, KEEP_BYTES);
    ll_buf_reset(&call->scratch, KEEP_BYTES);
    if (host->spare_count >= SPARE_CALLS_MAX) {
        call_free(call);
    } else {
        call->next = host->spare;
        host->spare = call;
        host->spare_count++;
    }
    ll_host_check_stopped(host);
}

/* -- what all steps share -- */

void
ll_call_hold_pool(struct ll_call *call)
{
    call->pool = call->instance->pool;
    if (call->pool != NULL)
        ll_pool_hold(call->pool);
}

void
ll_call_add_header(struct ll_call *call, const char *name, linli_str value)
{
    struct ll_response *response = &call->response;
    ll_check(response->header_count < LL_COUNT(response->headers));
    response->headers[response->header_count++] =
        (struct ll_field){ll_cstr(name), value};
}

const struct ll_call_limits *
ll_call_limits(const struct ll_call *call)
{
    return call->match.route != NULL ? &call->match.route->limits
                                     : &call->package->manifest->limits;
}

void
ll_call_log(
    struct ll_call *call, enum ll_level level, const char *code, linli_str msg)
{
    struct ll_log_line line = {
        .level = level,
        .code = code,
        .plugin = call->instance->id,
        .version = call->package->manifest->version,
        .community = call->community->id,
        .trace_id = ll_cstr(call->trace.trace_id),
        .msg = msg,
    };
    ll_log_write(&call->host->log, &line);
}

static enum ll_step (*const steps[])(struct ll_call *call) = {
#define X(name, step, what) [LL_CALL_##name] = ll_step_##step,
    LL_CALL_STATES(X)
#undef X
};

void
ll_call_advance(struct ll_call *call)
{
    while (call->state != LL_CALL_OVER) {
        enum ll_call_state at = call->state;
        if (steps[at](call) == LL_STEP_WAIT)
            return;
        /* A step that refused, or began again, has moved the call itself. */
        if (call->state == at)
            call->state = (enum ll_call_state)(at + 1);
    }
    call_close(call);
}

enum ll_step
ll_call_refuse(struct ll_call *call, const char *code, const char *detail)
{
    ll_call_problem(call, ll_cstr(code),
        detail == NULL ? (linli_str){NULL, 0} : ll_cstr(detail));
    call->state = LL_CALL_RESPOND;
    return LL_STEP_MORE;
}

void
ll_call_restart(struct ll_call *call)
{
    struct ll_run clean = {.ops = &run_ops};
    ll_call_services_end(call);
    ll_pool_cancel(&call->run);
    if (LL_UNLIKELY(call->recording != NULL))
        ll_record_forget(call);
    ll_lock_give(call);
    ll_doc_turn_give(call);
    ll_txn_reset(&call->txn);
    ll_releases_anew(call);
    ll_plan_call_anew(call);
    call->effects = call->effects_last = NULL;
    call->await = NULL;
    call->run = clean;
    call->unserved = LINLI_OK;
    call->word = LL_WORD_NONE;
    call->etag = (linli_str){NULL, 0};
    ll_buf_clear(&call->payload);
    call->state = LL_CALL_RUN;
    if (++call->conflicts >= LL_CONFLICT_RUNS_MAX)
        (void)ll_call_refuse(call, "runtime/conflict", NULL);
}

void
ll_call_again(struct ll_call *call)
{
    ll_call_restart(call);
    ll_call_advance(call);
}

void
ll_call_abandon(struct ll_call *call)
{
    ll_pool_cancel(&call->run);
    ll_call_services_end(call);
    ll_wait_cancel(&call->hold);
    ll_call_unrelease(call);
    ll_await_end(call);
    ll_device_end(call);
    (void)ll_call_refuse(call,
        call->host->failure.status != LINLI_OK ? "store/failed"
                                               : "runtime/draining",
        NULL);
    ll_call_advance(call);
}

static void
begin_trace(struct ll_call *call)
{
    struct ll_world *world = call->host->world;
    struct ll_trace_seed seed = {ll_world_random_u64(world),
        ll_world_random_u64(world), ll_world_random_u64(world)};
    (void)ll_trace_make(
        ll_request_field(call->request, "traceparent"), seed, &call->trace);
}

void
ll_host_dispatch(struct ll_host *host, struct ll_request *request)
{
    struct ll_call *call = call_new(host);
    if (call == NULL) {
        static const char body[] =
            "{\"type\":\"urn:linli:problem:runtime/memory\",\"title\":"
            "\"The runtime is out of memory\",\"status\":503,\"code\":"
            "\"runtime/memory\",\"retryable\":true}";
        struct ll_response response = {.status = 503,
            .content_type = LINLI_STR("application/problem+json"),
            .body = LINLI_STR(body)};
        request->respond(request, &response);
        return;
    }
    call_open(call, request);
    begin_trace(call);
    call->locale = ll_locale_pick(ll_request_field(request, "accept-language"));
    ll_call_advance(call);
}

/* -- tasks: from the run on -- */

/* What is refused is there still, as it was, and it is the plugin that does. */
static bool
is_final(const struct ll_task *task)
{
    return task->doc->content != NULL && task->doc->version == task->version &&
           !ll_task_not_its_fault(task->ended_with);
}

static void
on_task_response(struct ll_request *request, const struct ll_response *response)
{
    struct ll_task *task = LL_CONTAINER(request, struct ll_task, request);
    bool problem = task->ended_with.len > 0;
    bool over = task->kind == LL_TASK_ANSWER && !task->gone &&
                ll_await_final(task, response->status, task->ended_with) &&
                (!problem || is_final(task));
    uint64_t number = 0;
    if (over && problem) {
        number = ll_await_keep_problem(task, response);
        if (number == 0) {
            task->done(task, 503, LINLI_STR("runtime/memory"));
            return;
        }
    }
    if (over)
        ll_await_deliver(task, response, number);
    task->done(task, task->gone ? 410 : response->status, task->ended_with);
}

/* The route of a device's call that is run later. */
static bool
match_again(struct ll_call *call)
{
    const struct ll_request *request = call->request;
    call->path = request->path;
    return ll_manifest_match(call->package->manifest, request->method,
               call->path, &call->arena, &call->match) &&
           call->match.route != NULL;
}

bool
ll_call_start_task(struct ll_host *host, struct ll_task *task)
{
    struct ll_call *call = call_new(host);
    if (call == NULL)
        return false;
    task->request.respond = on_task_response;
    task->gone = false;
    task->ended_with = nothing;
    call_open(call, &task->request);
    call->task = task;
    call->instance = task->instance;
    call->community = task->instance->community;
    call->package = ll_package_ref(task->instance->package);
    ll_call_hold_pool(call);
    call->metrics_row = task->instance->metrics_row;
    call->counted = true;
    ll_metrics_row(&host->metrics, call->metrics_row)->in_flight++;
    call->now_ms = task->now_ms;
    call->locale = task->english ? LL_LOCALE_EN : LL_LOCALE_ZH;
    begin_trace(call);
    call->state = LL_CALL_RUN;
    if (task->kind == LL_TASK_DEVICE) {
        call->identity = ll_identity_ref(task->device);
        call->bound_to = task->bound_to;
        call->device_kind = task->device_kind;
        if (!match_again(call))
            (void)ll_call_refuse(call, "request/not-found", NULL);
    }
    if (task->kind == LL_TASK_ANSWER) {
        call->resident_json = task->resident_json;
        call->sub_known = task->sub_known;
        call->sub = (uint32_t)task->sub;
        if (ll_str_is(task->caller_kind, "resident"))
            (void)snprintf(
                call->pid, sizeof call->pid, "%.*s", LL_FMT(task->caller));
    }
    ll_call_advance(call);
    return true;
}

/* -- what the pool tells -- */

static struct ll_call *
call_of(struct ll_run *run)
{
    return LL_CONTAINER(run, struct ll_call, run);
}

static void
on_reply(struct ll_run *run, int status, linli_str body, linli_str etag)
{
    struct ll_call *call = call_of(run);
    call->word = LL_WORD_REPLY;
    call->word_kept = false;
    call->status = status;
    call->body = body;
    call->etag = etag;
    call->code = call->detail = call->log = call->errors_json = nothing;
    ll_call_advance(call);
}

static void
on_failed(struct ll_run *run, linli_str code, linli_str detail, linli_str log,
    linli_str errors_json)
{
    struct ll_call *call = call_of(run);
    call->word = LL_WORD_FAILED;
    call->word_kept = false;
    call->body = call->etag = nothing;
    call->code = code;
    call->detail = detail;
    call->log = log;
    call->errors_json = errors_json;
    ll_call_advance(call);
}

static void
on_hostcall(struct ll_run *run, uint32_t op, linli_str args)
{
    struct ll_call *call = call_of(run);
    if (call->txn.doomed)
        ll_call_again(call);
    else
        ll_call_service(call, op, args);
}

static void
on_log(struct ll_run *run, unsigned level, linli_str text)
{
    ll_call_log(call_of(run), (enum ll_level)level, "plugin.log", text);
}

static void
on_again(struct ll_run *run)
{
    struct ll_call *call = call_of(run);
    ll_call_services_end(call);
    ll_txn_reset(&call->txn);
    ll_releases_anew(call);
    ll_plan_call_anew(call);
    call->effects = call->effects_last = NULL;
    call->await = NULL;
    /* What a task stands for is read again before its run goes on. */
    if (call->task != NULL)
        ll_call_read_task(call);
}

static void
on_ended(struct ll_run *run, enum ll_run_end end)
{
    struct ll_call *call = call_of(run);
    call->word = LL_WORD_ENDED;
    call->end = end;
    if (LL_UNLIKELY(call->recording != NULL))
        ll_record_ended(call, end);
    ll_call_advance(call);
}

static bool
on_due(struct ll_run *run)
{
    return ll_releases_due(call_of(run));
}

static const struct ll_run_ops run_ops = {
    .due = on_due,
    .reply = on_reply,
    .failed = on_failed,
    .hostcall = on_hostcall,
    .log = on_log,
    .again = on_again,
    .ended = on_ended,
};
