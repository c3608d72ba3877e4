/* worker/loop.c: frames in, frames out. [worker]
 *
 * The only place that reads and writes the rings. A turn: take what has
 * come, give it to the engine, publish what it answered, sleep if nothing
 * more is there. The host judges the burst limit by the turns counted here
 * and by the running word.
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "worker/worker.h"

/* Exit statuses; the host names them in its log. */
enum { EXIT_DRAINED = 0, EXIT_HOST_GONE = 0, EXIT_PROTOCOL = 70 };

/* Replies are published when this many bytes wait, or the turn ends. */
#define PUBLISH_BYTES LL_RING_PART_BYTES
/* More than this waiting for room, and the plugin waits too: with the
 * largest frame on top, and as much again sent and not yet moved down, it
 * still fits `out`. */
#define BACKLOG_BYTES_MAX (2 * (size_t)LL_FRAME_BYTES_MAX)

int64_t
ll_worker_clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
ll_worker_running(struct ll_worker *worker, uint32_t call)
{
    atomic_store_explicit(
        &worker->ring.mine->running, call, memory_order_relaxed);
}

static void
count_turn(struct ll_worker *worker)
{
    (void)atomic_fetch_add_explicit(
        &worker->ring.mine->turns, 1, memory_order_relaxed);
}

/* A host that breaks the protocol, or no memory for its frames, leaves no
 * state worth keeping. */
static void
die(void)
{
    _exit(EXIT_PROTOCOL);
}

static void
wake_host(struct ll_worker *worker, bool wrote, bool read)
{
    const uint64_t one = 1;
    if (!ll_ring_must_wake(&worker->ring, wrote, read))
        return;
    if (write(LL_FD_WAKE_HOST, &one, sizeof one) < 0 && errno != EAGAIN)
        die();
}

/* Moves `out` into the ring as far as there is room. */
static void
publish(struct ll_worker *worker)
{
    struct ll_buf *out = &worker->out;
    size_t taken = 1, moved = 0;
    while (worker->out_taken < out->len && taken > 0) {
        if (ll_ring_write(&worker->ring, out->ptr + worker->out_taken,
                out->len - worker->out_taken, &taken) != LINLI_OK)
            die();
        worker->out_taken += taken;
        moved += taken;
    }
    if (worker->out_taken == out->len) {
        ll_buf_clear(out);
        worker->out_taken = 0;
    } else if (worker->out_taken > out->len / 2) {
        /* Moved down seldom enough to cost nothing. */
        ll_buf_drop(out, worker->out_taken);
        worker->out_taken = 0;
    }
    if (moved > 0)
        wake_host(worker, true, false);
}

void
ll_worker_breathe(struct ll_worker *worker)
{
    publish(worker);
    count_turn(worker);
}

/* Blocks until what is wanted of the host is there, or it goes away. */
static void
sleep_for_host(struct ll_worker *worker, unsigned wanted)
{
    uint64_t count;
    count_turn(worker);
    if (!ll_ring_sleep(&worker->ring, wanted))
        return;
    struct pollfd fds[2] = {{.fd = LL_FD_WAKE_ME, .events = POLLIN},
        {.fd = LL_FD_CONTROL, .events = POLLIN}};
    int ready = poll(fds, 2, -1);
    ll_ring_awake(&worker->ring);
    if (ready < 0 && errno != EINTR)
        die();
    /* After the handshake the socket carries nothing but the host's end. */
    if (ready > 0 && fds[1].revents != 0)
        _exit(EXIT_HOST_GONE);
    if (ready > 0 && fds[0].revents != 0 &&
        read(LL_FD_WAKE_ME, &count, sizeof count) < 0 && errno != EAGAIN)
        die();
}

static size_t
unpublished(const struct ll_worker *worker)
{
    return worker->out.len - worker->out_taken;
}

/* Until the host says something, or takes what still waits for room. */
static void
rest(struct ll_worker *worker)
{
    sleep_for_host(worker,
        unpublished(worker) > 0 ? LL_RING_DATA | LL_RING_ROOM : LL_RING_DATA);
}

/* Feeds the reader with what lies in the ring; false if that is nothing. */
static bool
fill(struct ll_worker *worker)
{
    char part[LL_RING_PART_BYTES];
    size_t got = 0;
    if (ll_ring_read(&worker->ring, part, sizeof part, &got) != LINLI_OK ||
        (got > 0 && ll_frame_feed(&worker->reader, part, got) != LINLI_OK))
        die();
    if (got > 0)
        wake_host(worker, false, true);
    return got > 0;
}

/* -- runs -- */

static struct ll_worker_run *
run_find(struct ll_worker *worker, uint32_t call, uint16_t run)
{
    for (uint32_t i = 0; i < worker->run_count; i++)
        if (worker->runs[i].call == call && worker->runs[i].run == run)
            return &worker->runs[i];
    return NULL;
}

/* Forgets the run; false, and nothing must be sent, if it had ended. */
static bool
run_end(struct ll_worker *worker, uint32_t call, uint16_t run, bool *cancelled)
{
    struct ll_worker_run *found = run_find(worker, call, run);
    if (found == NULL)
        return false;
    *cancelled = found->cancelled;
    *found = worker->runs[--worker->run_count];
    return true;
}

static void
send_ended(struct ll_worker *worker, uint32_t call, uint16_t run)
{
    ll_frame_end(
        &worker->out, ll_frame_begin(&worker->out, LL_FRAME_ENDED, call, run));
}

static void
sent(struct ll_worker *worker)
{
    if (worker->out.failed)
        die();
    if (unpublished(worker) >= PUBLISH_BYTES)
        publish(worker);
    /* A host that reads slowly holds us up; it never waits for us. */
    while (unpublished(worker) > BACKLOG_BYTES_MAX) {
        sleep_for_host(worker, LL_RING_ROOM);
        publish(worker);
    }
}

/* Takes the run off the list before its last frame; false if there is none
 * to send: it had ended, or was cancelled and ENDED says so now. */
static bool
answerable(struct ll_worker *worker, uint32_t call, uint16_t run)
{
    bool cancelled = false;
    if (!run_end(worker, call, run, &cancelled))
        return false;
    if (cancelled) {
        send_ended(worker, call, run);
        sent(worker);
    }
    return !cancelled;
}

void
ll_worker_reply(struct ll_worker *worker, uint32_t call, uint16_t run,
    const struct ll_worker_answer *answer, int64_t run_ns)
{
    if (!answerable(worker, call, run))
        return;
    struct ll_buf *out = &worker->out;
    size_t mark = ll_frame_begin(out, LL_FRAME_REPLY, call, run);
    ll_put_list(out, 4);
    ll_put_int(out, answer->status);
    ll_put_int(out, run_ns);
    ll_put_bytes(out, answer->body_json);
    ll_put_bytes(out, answer->etag);
    ll_frame_end(out, mark);
    sent(worker);
}

void
ll_worker_fail(struct ll_worker *worker, uint32_t call, uint16_t run,
    const struct ll_worker_problem *problem, int64_t run_ns)
{
    if (!answerable(worker, call, run))
        return;
    linli_str log = problem->log;
    if (log.len > LL_LOG_LINE_BYTES_MAX)
        log.len = LL_LOG_LINE_BYTES_MAX;
    struct ll_buf *out = &worker->out;
    size_t mark = ll_frame_begin(out, LL_FRAME_FAILED, call, run);
    ll_put_list(out, 5);
    ll_put_bytes(out, problem->code);
    ll_put_int(out, run_ns);
    ll_put_bytes(out, problem->detail);
    ll_put_bytes(out, log);
    ll_put_bytes(out, problem->errors_json);
    ll_frame_end(out, mark);
    sent(worker);
}

void
ll_worker_log(struct ll_worker *worker, uint32_t call, uint16_t run,
    enum ll_log_level level, linli_str line)
{
    struct ll_buf *out = &worker->out;
    size_t mark = ll_frame_begin(out, LL_FRAME_LOG, call, run);
    if (line.len > LL_LOG_LINE_BYTES_MAX)
        line.len = LL_LOG_LINE_BYTES_MAX;
    ll_put_list(out, 2);
    ll_put_int(out, level);
    ll_put_bytes(out, line);
    ll_frame_end(out, mark);
    sent(worker);
}

/* -- host calls -- */

void
ll_worker_hostcall(struct ll_worker *worker, uint32_t call, uint16_t run,
    uint32_t op, linli_str args)
{
    struct ll_buf *out = &worker->out;
    size_t mark = ll_frame_begin(out, LL_FRAME_HOSTCALL, call, run);
    ll_put_list(out, 2);
    ll_put_int(out, op);
    ll_buf_str(out, args);
    ll_frame_end(out, mark);
    sent(worker);
}

/* An ANSWER's payload: [status, value]. */
static linli_status
read_answer(const struct ll_frame *frame, linli_str *value)
{
    struct ll_rd rd = ll_rd(frame->payload);
    if (ll_rd_list(&rd) != 2)
        die();
    int64_t status = ll_rd_int_in(&rd, INT32_MIN, 0);
    *value = ll_rd_value(&rd);
    if (!ll_rd_end(&rd))
        die();
    return (linli_status)status;
}

/* While one run blocks: its answer or its cancellation, nothing else. */
static bool
blocked_frame(struct ll_worker *worker, const struct ll_frame *frame,
    struct ll_buf *answer, linli_status *status)
{
    struct ll_worker_run *run = run_find(worker, frame->call, frame->run);
    linli_str value;
    switch (frame->type) {
    case LL_FRAME_ANSWER:
        if (run == NULL)
            return false;
        *status = read_answer(frame, &value);
        ll_buf_clear(answer);
        ll_buf_str(answer, value);
        return true;
    case LL_FRAME_CANCEL:
        if (run == NULL)
            return false;
        run->cancelled = true;
        *status = LINLI_E_CANCELLED;
        return true;
    case LL_FRAME_DRAIN:
        worker->draining = true;
        return false;
    default:
        die(); /* one call at a time: the host knows */
        return false;
    }
}

linli_status
ll_worker_hostcall_wait(struct ll_worker *worker, uint32_t call, uint16_t run,
    uint32_t op, linli_str args, struct ll_buf *answer, linli_status *status)
{
    struct ll_worker_run *open = run_find(worker, call, run);
    *status = LINLI_E_CANCELLED;
    if (open == NULL || open->cancelled)
        return LINLI_E_CANCELLED;
    ll_worker_hostcall(worker, call, run, op, args);
    ll_worker_running(worker, 0);
    for (;;) {
        struct ll_frame frame;
        linli_status got = ll_frame_next(&worker->reader, &frame);
        if (got == LINLI_E_PROTOCOL)
            die();
        if (got == LINLI_OK) {
            if (blocked_frame(worker, &frame, answer, status))
                break;
            continue;
        }
        publish(worker);
        if (!fill(worker))
            rest(worker);
    }
    ll_worker_running(worker, call);
    if (answer->failed)
        return LINLI_E_NOMEM;
    return *status == LINLI_E_CANCELLED ? LINLI_E_CANCELLED : LINLI_OK;
}

/* -- frames of the host -- */

/* The index of a request's route, whose parameters `in` must have. */
static bool
route_fits(const struct ll_worker *worker, const struct ll_call_in *in)
{
    if (in->kind != LL_CALL_REQUEST)
        return in->param_count == 0 && !in->has_body;
    return in->route < worker->route_count &&
           in->param_count == worker->routes[in->route].param_count;
}

/* Decodes a CALL; dies on anything but what our host writes. */
static void
read_call(struct ll_worker *worker, const struct ll_frame *frame,
    struct ll_call_in *in)
{
    struct ll_rd rd = ll_rd(frame->payload);
    *in = (struct ll_call_in){.call = frame->call, .run = frame->run};
    bool has_input;
    if (ll_rd_list(&rd) != 25)
        die();
    in->kind = (enum ll_call_kind)ll_rd_int_in(&rd, 0, LL_CALL_KINDS - 1);
    in->route = (uint32_t)ll_rd_int_in(&rd, 0, LL_ROUTES_MAX);
    in->now_ms = ll_rd_int(&rd);
    in->seed = ll_rd_int(&rd);
    in->wall_ms = ll_rd_int(&rd);
    in->cpu_ms = ll_rd_int(&rd);
    in->memory_bytes = ll_rd_int(&rd);
    in->param_count = ll_rd_list(&rd);
    if (in->param_count > LL_PATH_PARAMS_MAX)
        die();
    for (uint32_t i = 0; i < in->param_count; i++)
        in->params[i] = ll_rd_bytes(&rd);
    in->path = ll_rd_bytes(&rd);
    in->query = ll_rd_bytes(&rd);
    in->caller_kind = ll_rd_bytes(&rd);
    in->caller_id = ll_rd_bytes(&rd);
    in->caller_roles = ll_rd_bytes(&rd);
    in->locale = ll_rd_bytes(&rd);
    in->trace_id = ll_rd_bytes(&rd);
    in->body = ll_rd_bytes_or_nil(&rd, &in->has_body);
    in->name = ll_rd_bytes(&rd);
    in->input = ll_rd_bytes_or_nil(&rd, &has_input);
    in->due_ms = ll_rd_int(&rd);
    in->late = ll_rd_bool(&rd);
    in->if_match = ll_rd_bytes_or_nil(&rd, &in->has_if_match);
    in->bound_to = ll_rd_bytes(&rd);
    in->device_kind = ll_rd_bytes(&rd);
    in->resident = ll_rd_bytes(&rd);
    in->fields = ll_rd_bytes(&rd);
    if (!ll_rd_end(&rd) || !route_fits(worker, in) ||
        (has_input && in->kind == LL_CALL_REQUEST))
        die();
}

static void
report_schema(struct ll_worker *worker, const struct ll_call_in *in,
    const struct ll_schema_report *report)
{
    struct ll_buf json;
    ll_buf_init(&json, &worker->mem, LL_FRAME_BYTES_MAX / 2);
    struct ll_jw w = ll_jw(&json);
    ll_jw_open(&w, '[');
    for (uint32_t i = 0; i < report->count; i++) {
        ll_jw_open(&w, '{');
        ll_jw_key(&w, "at");
        ll_jw_cstr(&w, report->errors[i].at);
        ll_jw_key(&w, "rule");
        ll_jw_cstr(&w, report->errors[i].rule);
        ll_jw_key(&w, "message");
        ll_jw_cstr(&w, report->errors[i].message);
        ll_jw_close(&w, '}');
    }
    ll_jw_close(&w, ']');
    struct ll_worker_problem problem = {.code = LINLI_STR("request/invalid"),
        .errors_json = ll_buf_view(&json)};
    ll_worker_fail(worker, in->call, in->run, &problem, 0);
    ll_buf_fini(&json);
}

/* The refusals of a body, each a function of its own: what they need on the
 * stack is large and would be cleared for every call that passes. */
static void
refuse_missing(struct ll_worker *worker, const struct ll_call_in *in)
{
    struct ll_schema_report report = {.count = 1};
    report.errors[0] = (struct ll_schema_error){
        .rule = "required", .message = "this route needs a JSON body"};
    report_schema(worker, in, &report);
}

/* It failed before and does not now: then it was memory that was short. */
static void
refuse_for_memory(struct ll_worker *worker, const struct ll_call_in *in)
{
    struct ll_worker_problem problem = {.code = LINLI_STR("sandbox/memory")};
    ll_worker_fail(worker, in->call, in->run, &problem, 0);
}

static void
refuse_json(struct ll_worker *worker, const struct ll_call_in *in)
{
    struct ll_err err = {0};
    char detail[sizeof err.where + sizeof err.msg + 4];
    if (ll_json_parse(&worker->body, in->body, LL_BODY_DEPTH_MAX, &err) ==
        LINLI_OK) {
        refuse_for_memory(worker, in);
        return;
    }
    (void)snprintf(detail, sizeof detail, "%s: %s", err.where, err.msg);
    struct ll_worker_problem problem = {
        .code = ll_cstr(err.code), .detail = ll_cstr(detail)};
    ll_worker_fail(worker, in->call, in->run, &problem, 0);
}

static void
refuse_schema(struct ll_worker *worker, const struct ll_call_in *in,
    const struct ll_schema *schema)
{
    struct ll_schema_report report = {0};
    if (ll_schema_check(schema, ll_json_root(&worker->body), &report) ==
        LINLI_OK)
        refuse_for_memory(worker, in);
    else
        report_schema(worker, in, &report);
}

/* Parses what a call that is no request brings, if anything. The host has read
 * it as strictly, so only memory can be short. */
static bool
accept_input(
    struct ll_worker *worker, const struct ll_call_in *in, struct ll_jv *input)
{
    *input = (struct ll_jv){NULL, 0};
    if (in->input.len == 0)
        return true;
    linli_status status =
        ll_json_parse(&worker->body, in->input, LL_JSON_DEPTH_MAX, NULL);
    if (status == LINLI_E_NOMEM)
        refuse_for_memory(worker, in);
    else if (status != LINLI_OK)
        die();
    else
        *input = ll_json_root(&worker->body);
    return status == LINLI_OK;
}

/* Parses and judges the body; false when the run has ended with a problem. */
static bool
accept_body(
    struct ll_worker *worker, const struct ll_call_in *in, struct ll_jv *body)
{
    const struct ll_schema *schema = worker->routes[in->route].request_schema;
    *body = (struct ll_jv){NULL, 0};
    if (!in->has_body && schema == NULL)
        return true;
    if (!in->has_body) {
        refuse_missing(worker, in);
        return false;
    }
    if (ll_json_parse(&worker->body, in->body, LL_BODY_DEPTH_MAX, NULL) !=
        LINLI_OK) {
        refuse_json(worker, in);
        return false;
    }
    *body = ll_json_root(&worker->body);
    if (schema == NULL || ll_schema_check(schema, *body, NULL) == LINLI_OK)
        return true;
    refuse_schema(worker, in, schema);
    return false;
}

static void
begin_call(struct ll_worker *worker, const struct ll_frame *frame)
{
    struct ll_call_in in;
    struct ll_jv body;
    /* The reader's bytes move when a blocking engine waits for an answer. */
    ll_buf_clear(&worker->call_bytes);
    ll_buf_str(&worker->call_bytes, frame->payload);
    if (worker->call_bytes.failed)
        die();
    struct ll_frame copy = *frame;
    copy.payload = ll_buf_view(&worker->call_bytes);
    read_call(worker, &copy, &in);
    if (worker->run_count == LL_WORKER_CALLS_MAX ||
        run_find(worker, frame->call, frame->run) != NULL)
        die();
    worker->runs[worker->run_count++] =
        (struct ll_worker_run){.call = frame->call, .run = frame->run};
    if (LL_LIKELY(in.kind == LL_CALL_REQUEST)
            ? accept_body(worker, &in, &body)
            : accept_input(worker, &in, &body))
        worker->engine->call(worker, &in, body);
    ll_worker_running(worker, 0);
}

static void
cancel_run(struct ll_worker *worker, const struct ll_frame *frame)
{
    bool cancelled = false;
    /* It may have ended while the CANCEL was on its way. */
    if (run_find(worker, frame->call, frame->run) == NULL)
        return;
    worker->engine->cancel(worker, frame->call, frame->run);
    if (run_end(worker, frame->call, frame->run, &cancelled))
        send_ended(worker, frame->call, frame->run);
    sent(worker);
}

static void
handle_frame(struct ll_worker *worker, const struct ll_frame *frame)
{
    linli_str value;
    linli_status status;
    switch (frame->type) {
    case LL_FRAME_CALL:
        begin_call(worker, frame);
        return;
    case LL_FRAME_ANSWER:
        status = read_answer(frame, &value);
        if (run_find(worker, frame->call, frame->run) != NULL)
            worker->engine->answer(
                worker, frame->call, frame->run, status, value);
        ll_worker_running(worker, 0);
        return;
    case LL_FRAME_CANCEL:
        cancel_run(worker, frame);
        return;
    case LL_FRAME_DRAIN:
        worker->draining = true;
        return;
    default:
        die();
    }
}

int
ll_worker_serve(struct ll_worker *worker)
{
    for (;;) {
        struct ll_frame frame;
        linli_status status = ll_frame_next(&worker->reader, &frame);
        if (status == LINLI_E_PROTOCOL)
            return EXIT_PROTOCOL;
        if (status == LINLI_OK) {
            handle_frame(worker, &frame);
            /* Plugin code may have run: the burst starts anew. */
            count_turn(worker);
            continue;
        }
        if (fill(worker))
            continue;
        publish(worker);
        bool all_sent = unpublished(worker) == 0;
        if (worker->draining && worker->run_count == 0 && all_sent) {
            ll_check(worker->engine->idle(worker));
            if (worker->engine->end != NULL)
                worker->engine->end(worker);
            return EXIT_DRAINED;
        }
        rest(worker);
    }
}

const struct ll_worker_file *
ll_worker_file(const struct ll_worker *worker, linli_str path)
{
    for (uint32_t i = 0; i < worker->file_count; i++)
        if (ll_str_eq(worker->files[i].path, path))
            return &worker->files[i];
    return NULL;
}

bool
ll_worker_declares(const struct ll_worker *worker, linli_str code)
{
    struct ll_jv problems =
        ll_jv_get(ll_json_root(&worker->manifest), "problems");
    return ll_jv_there(ll_jv_get_str(problems, code));
}
