/* plugin/proc.c: one worker process: start, frames, death. [loop]
 *
 * Everything that comes from a worker is read into private memory, decoded
 * with bounds, and allowed only if the state of the process and of the run
 * allows it. Anything else kills the process as a protocol error.
 */
#include "plugin/proc.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "plugin/pool.h"

#define ABI_LEVEL 1
/* Room kept when all has been said. */
#define KEEP_BYTES ((size_t)64 << 10)

const char *
ll_proc_state_name(enum ll_proc_state state)
{
    static const char *const names[] = {
#define X(name) #name,
        LL_PROC_STATES(X)
#undef X
    };
    return (size_t)state < LL_COUNT(names) ? names[state] : "UNKNOWN";
}

static int64_t
now_ns(const struct ll_proc *proc)
{
    return ll_world_mono(proc->pool->supervisor->world).ns;
}

static void
set_state(struct ll_proc *proc, enum ll_proc_state state)
{
    proc->state = state;
    proc->since_ns = now_ns(proc);
}

/* -- death -- */

static bool hear_control(struct ll_proc *proc);

void
ll_proc_kill(struct ll_proc *proc, enum ll_proc_death death)
{
    if (proc->death == LL_DEATH_NONE)
        proc->death = death;
    if (proc->state == LL_PROC_KILLED)
        return;
    bool started = proc->state != LL_PROC_STARTING;
    set_state(proc, LL_PROC_KILLED);
    if (started)
        ll_child_kill(&proc->child);
    ll_pool_proc_lost(proc);
}

static void
protocol_error(struct ll_proc *proc, const char *what)
{
    if (proc->death == LL_DEATH_NONE)
        (void)ll_fail(
            &proc->err, LINLI_E_PROTOCOL, "sandbox/protocol", "%s", what);
    ll_proc_kill(proc, LL_DEATH_PROTOCOL);
}

static void
on_ended(struct ll_child *child, int exit_status, int signal)
{
    struct ll_proc *proc = child->user;
    /* Its last words may still lie in the socket, why it refused, and in the
     * ring: its end is told by another descriptor, maybe first. */
    while (proc->control_watch != NULL && proc->state < LL_PROC_READY &&
           hear_control(proc)) {}
    proc->woken = true;
    ll_proc_hear(proc);
    bool asked = proc->state == LL_PROC_DRAINING && signal == 0 &&
                 exit_status == 0 && proc->slot_count == 0;
    if (proc->death == LL_DEATH_NONE && asked)
        proc->death = LL_DEATH_STOPPED;
    if (proc->death == LL_DEATH_NONE) {
        const char *when =
            proc->state < LL_PROC_READY ? " while the plugin was loaded" : "";
        proc->death = LL_DEATH_CRASH;
        if (signal != 0)
            (void)ll_fail(&proc->err, LINLI_E_INTERNAL, "sandbox/crashed",
                "ended by signal %d (%s)%s", signal, strsignal(signal), when);
        else
            (void)ll_fail(&proc->err, LINLI_E_INTERNAL, "sandbox/crashed",
                "exited with status %d%s", exit_status, when);
    }
    if (proc->state != LL_PROC_KILLED) {
        set_state(proc, LL_PROC_KILLED);
        ll_pool_proc_lost(proc);
    }
    ll_pool_proc_dead(proc);
}

void
ll_proc_free(struct ll_proc **proc_at)
{
    struct ll_proc *proc = *proc_at;
    *proc_at = NULL;
    ll_watch_free(&proc->control_watch);
    ll_watch_free(&proc->wake_watch);
    ll_channel_close(&proc->channel);
    ll_frame_reader_fini(&proc->reader);
    ll_frame_reader_fini(&proc->control_reader);
    ll_buf_fini(&proc->out);
    ll_release(proc->pool->supervisor->mem, proc, sizeof *proc);
}

/* -- the handshake -- */

static void
put_zone(struct ll_buf *out, const struct ll_pool_options *options)
{
    ll_put_list(out, 2 * options->zone_change_count);
    for (uint32_t i = 0; i < 2 * options->zone_change_count; i++)
        ll_put_int(out, options->zone_changes[i]);
}

static linli_status
send_hello(struct ll_proc *proc)
{
    const struct ll_pool_options *options = &proc->pool->options;
    const struct ll_supervisor *supervisor = proc->pool->supervisor;
    const struct ll_manifest *manifest = proc->pool->package->manifest;
    struct ll_buf out;
    ll_buf_init(&out, supervisor->mem, 2 * LL_FRAME_BYTES_MAX);
    size_t mark = ll_frame_begin(&out, LL_FRAME_HELLO, 0, 0);
    ll_put_list(&out, 16);
    ll_put_int(&out, LL_WIRE_VERSION);
    ll_put_int(&out, LL_WIRE_VERSION);
    ll_put_int(&out, ABI_LEVEL);
    ll_put_int(&out, ABI_LEVEL);
    ll_put_bytes(&out, manifest->id);
    ll_put_bytes(&out, manifest->version);
    ll_put_bytes(&out, options->community);
    ll_put_bytes(&out, options->zone);
    put_zone(&out, options);
    ll_put_int(&out, options->limits.memory_bytes);
    ll_put_int(&out, options->limits.burst_ms);
    ll_put_bool(&out, supervisor->filter_errno);
    ll_put_bool(&out, !supervisor->no_import_check);
    ll_put_bool(&out, supervisor->drafts);
    ll_put_bool(&out, ll_spawner_caps(supervisor->spawner)->private_root);
    ll_put_bytes(&out, options->config_json);
    ll_frame_end(&out, mark);
    linli_status status =
        out.failed ? LINLI_E_NOMEM
                   : ll_channel_tell(&proc->channel, out.ptr, out.len);
    ll_buf_fini(&out);
    return status;
}

/* The worker's HELLO: what it achieved must be enough. */
static void
hear_level(struct ll_proc *proc, const struct ll_frame *frame)
{
    struct ll_rd rd = ll_rd(frame->payload);
    bool shaped = ll_rd_list(&rd) == 8;
    bool version = ll_rd_int(&rd) == LL_WIRE_VERSION;
    bool abi = ll_rd_int(&rd) == ABI_LEVEL;
    bool no_new_privs = ll_rd_bool(&rd);
    (void)ll_rd_int(&rd); /* Landlock's ABI, for people */
    bool landlock = ll_rd_bool(&rd);
    bool private_root = ll_rd_bool(&rd);
    (void)ll_rd_bool(&rd);
    (void)ll_rd_bool(&rd);
    if (!shaped || !ll_rd_end(&rd) || !version || !abi) {
        protocol_error(proc, "a HELLO this host does not understand");
        return;
    }
    if (!no_new_privs || !(landlock || private_root)) {
        (void)ll_fail(&proc->err, LINLI_E_DENIED, "sandbox/too-weak",
            "the worker reached neither Landlock nor a private root");
        ll_proc_kill(proc, LL_DEATH_REFUSED);
        return;
    }
    set_state(proc, LL_PROC_LOADING);
}

static void
copy_text(char *out, size_t size, linli_str s)
{
    (void)snprintf(out, size, "%.*s", LL_FMT(s));
}

static void
hear_refused(struct ll_proc *proc, const struct ll_frame *frame)
{
    struct ll_rd rd = ll_rd(frame->payload);
    struct ll_err *err = &proc->err;
    bool shaped = ll_rd_list(&rd) == 5;
    err->status = (linli_status)ll_rd_int_in(&rd, INT32_MIN, -1);
    copy_text(err->code, sizeof err->code, ll_rd_bytes(&rd));
    copy_text(err->where, sizeof err->where, ll_rd_bytes(&rd));
    copy_text(err->msg, sizeof err->msg, ll_rd_bytes(&rd));
    copy_text(err->fix, sizeof err->fix, ll_rd_bytes(&rd));
    if (!shaped || !ll_rd_end(&rd)) {
        protocol_error(proc, "a REFUSED this host does not understand");
        return;
    }
    ll_proc_kill(proc, LL_DEATH_REFUSED);
}

static void
control_frame(struct ll_proc *proc, const struct ll_frame *frame)
{
    bool greeting = proc->state == LL_PROC_GREETING;
    bool loading = proc->state == LL_PROC_LOADING;
    if (frame->type == LL_FRAME_HELLO && greeting) {
        hear_level(proc, frame);
    } else if (frame->type == LL_FRAME_REFUSED && (greeting || loading)) {
        hear_refused(proc, frame);
    } else if (frame->type == LL_FRAME_READY && loading) {
        set_state(proc, LL_PROC_READY);
        proc->idle_since_ns = proc->since_ns;
        proc->woken = true; /* it may have written while it was loaded */
        ll_pool_proc_ready(proc);
    } else {
        protocol_error(proc, "a frame out of place on the control socket");
    }
}

/* False if there is nothing more to hear by now. */
static bool
hear_control(struct ll_proc *proc)
{
    char part[4096];
    size_t got = 0;
    linli_status status =
        ll_channel_hear(&proc->channel, part, sizeof part, &got);
    if (status == LINLI_E_AGAIN)
        return false;
    if (status != LINLI_OK) {
        /* The end; the pidfd brings the exit status. */
        ll_watch_free(&proc->control_watch);
        return false;
    }
    if (ll_frame_feed(&proc->control_reader, part, got) != LINLI_OK) {
        protocol_error(proc, "too much on the control socket");
        return false;
    }
    while (proc->state != LL_PROC_KILLED) {
        struct ll_frame frame;
        status = ll_frame_next(&proc->control_reader, &frame);
        if (status == LINLI_E_AGAIN)
            return true;
        if (status != LINLI_OK)
            protocol_error(proc, "no frame on the control socket");
        else
            control_frame(proc, &frame);
    }
    return false;
}

static void
on_control(void *user)
{
    (void)hear_control(user);
}

static void
on_wake(void *user)
{
    struct ll_proc *proc = user;
    ll_channel_woken(&proc->channel);
    ll_ring_awake(&proc->ring);
    /* The frames are read by the turn hook, before the loop blocks. */
    proc->woken = true;
    if (++proc->idle_wakes > LL_WORKER_IDLE_WAKES_MAX)
        protocol_error(proc, "wakes the host again and again for nothing");
}

static void
on_started(struct ll_child *child, linli_status status)
{
    struct ll_proc *proc = child->user;
    struct ll_world *world = proc->pool->supervisor->world;
    ll_channel_close_peer(&proc->channel);
    if (status != LINLI_OK) {
        if (proc->death == LL_DEATH_NONE) {
            proc->death = LL_DEATH_START;
            proc->err = child->err;
        }
        set_state(proc, LL_PROC_KILLED);
        ll_pool_proc_dead(proc);
        return;
    }
    if (proc->state == LL_PROC_KILLED) { /* closed while it was starting */
        ll_child_kill(child);
        return;
    }
    set_state(proc, LL_PROC_GREETING);
    proc->control_watch =
        ll_watch_new(world, proc->channel.control, on_control, proc);
    proc->wake_watch =
        ll_watch_new(world, proc->channel.wake_host, on_wake, proc);
    if (proc->control_watch == NULL || proc->wake_watch == NULL ||
        send_hello(proc) != LINLI_OK) {
        (void)ll_fail(&proc->err, LINLI_E_IO, "sandbox/crashed",
            "the handshake could not begin");
        ll_proc_kill(proc, LL_DEATH_START);
    }
}

linli_status
ll_proc_start(struct ll_pool *pool, struct ll_proc **out)
{
    struct ll_supervisor *supervisor = pool->supervisor;
    *out = NULL;
    struct ll_proc *proc = ll_alloc(supervisor->mem, sizeof *proc);
    if (proc == NULL)
        return LINLI_E_NOMEM;
    proc->pool = pool;
    set_state(proc, LL_PROC_STARTING);
    ll_frame_reader_init(&proc->reader, supervisor->mem);
    ll_frame_reader_init(&proc->control_reader, supervisor->mem);
    ll_buf_init(&proc->out, supervisor->mem, LL_WORKER_QUEUE_BYTES_MAX);
    struct ll_channel *channel = &proc->channel;
    linli_status status =
        ll_channel_open(channel, LL_RING_AREA_BYTES, &proc->err);
    if (status != LINLI_OK) {
        ll_proc_free(&proc);
        return status;
    }
    ll_ring_init(&proc->ring, channel->host_area, channel->worker_area);
    proc->child = (struct ll_child){
        .fds = {channel->control_peer, channel->host_area_fd,
            channel->worker_area_fd, channel->wake_worker, channel->wake_host,
            pool->package->image_fd},
        .uid_slot = pool->options.uid_slot,
        .started = on_started,
        .ended = on_ended,
        .user = proc,
    };
    *out = proc;
    ll_child_start(supervisor->spawner, &proc->child);
    return LINLI_OK;
}

/* -- slots -- */

static struct ll_proc_slot *
slot_find(struct ll_proc *proc, uint32_t call, uint16_t number)
{
    for (uint32_t i = 0; i < proc->slot_count; i++)
        if (proc->slots[i].call == call && proc->slots[i].number == number)
            return &proc->slots[i];
    return NULL;
}

static void
slot_free(struct ll_proc *proc, struct ll_proc_slot *slot)
{
    *slot = proc->slots[--proc->slot_count];
    proc->served++;
    if (proc->slot_count == 0) {
        proc->idle_since_ns = now_ns(proc);
        proc->exclusive = false;
    }
}

/* -- to the worker -- */

/* The frame that ends what waits for the worker. */
static void
tap_sent(const struct ll_proc *proc, const struct ll_run *run,
    enum ll_frame_type type, size_t mark)
{
    if (LL_LIKELY(run->tap == NULL))
        return;
    size_t from = mark + LL_FRAME_HEADER_BYTES;
    struct ll_frame frame = {.type = (uint8_t)type,
        .run = run->number,
        .call = run->call,
        .payload = {proc->out.ptr + from, proc->out.len - from}};
    run->tap->frame(run->tap, &frame);
}

linli_status
ll_proc_call(struct ll_proc *proc, struct ll_run *run)
{
    ll_check(proc->state == LL_PROC_READY);
    ll_check(proc->slot_count < LL_WORKER_CALLS_MAX);
    if (proc->slot_count == 0) {
        /* It may have slept for hours: its burst starts now. */
        proc->turns = ll_ring_peer_turns(&proc->ring);
        proc->turn_since_ns = now_ns(proc);
    }
    size_t before = proc->out.len;
    uint32_t call = ++proc->last_call;
    if (call == 0) /* 0 means "no call" on the wire */
        call = ++proc->last_call;
    run->number++;
    size_t mark = ll_frame_begin(&proc->out, LL_FRAME_CALL, call, run->number);
    ll_buf_str(&proc->out, run->payload);
    ll_frame_end(&proc->out, mark);
    if (proc->out.failed) {
        proc->out.len = before;
        proc->out.failed = false;
        run->number--;
        return LINLI_E_LIMIT;
    }
    run->call = call;
    run->proc = proc;
    run->waiting = false;
    proc->slots[proc->slot_count++] =
        (struct ll_proc_slot){.call = call, .number = run->number, .run = run};
    tap_sent(proc, run, LL_FRAME_CALL, mark);
    return LINLI_OK;
}

/* A frame of the host's own that must fit: the queue's bound leaves room. */
static void
frame_done(struct ll_proc *proc, size_t mark)
{
    ll_frame_end(&proc->out, mark);
    if (!proc->out.failed)
        return;
    (void)ll_fail(&proc->err, LINLI_E_LIMIT, "runtime/busy",
        "the worker does not read what it is sent");
    ll_proc_kill(proc, LL_DEATH_PROTOCOL);
}

void
ll_proc_answer(struct ll_proc *proc, struct ll_run *run, linli_status status,
    linli_str value)
{
    if (!run->waiting || proc->state == LL_PROC_KILLED)
        return;
    run->waiting = false;
    size_t mark =
        ll_frame_begin(&proc->out, LL_FRAME_ANSWER, run->call, run->number);
    ll_put_list(&proc->out, 2);
    ll_put_int(&proc->out, status);
    if (value.len == 0)
        ll_put_nil(&proc->out);
    else
        ll_buf_str(&proc->out, value);
    frame_done(proc, mark);
    if (proc->state != LL_PROC_KILLED)
        tap_sent(proc, run, LL_FRAME_ANSWER, mark);
}

void
ll_proc_abort(struct ll_proc *proc, struct ll_run *run, int64_t at_ns)
{
    struct ll_proc_slot *slot = slot_find(proc, run->call, run->number);
    run->proc = NULL;
    if (slot == NULL || slot->run != run)
        return;
    slot->run = NULL;
    slot->aborted_ns = at_ns;
    if (proc->state != LL_PROC_READY && proc->state != LL_PROC_DRAINING)
        return;
    frame_done(proc,
        ll_frame_begin(&proc->out, LL_FRAME_CANCEL, run->call, run->number));
}

void
ll_proc_drain(struct ll_proc *proc)
{
    if (proc->state != LL_PROC_READY) {
        ll_proc_kill(proc, LL_DEATH_STOPPED);
        return;
    }
    set_state(proc, LL_PROC_DRAINING);
    frame_done(proc, ll_frame_begin(&proc->out, LL_FRAME_DRAIN, 0, 0));
}

/* -- from the worker -- */

/* May a line of so many bytes be passed on? The rest of the second's is
 * dropped. */
static bool
may_log(struct ll_proc *proc, size_t bytes)
{
    int64_t at_ns = now_ns(proc);
    if (at_ns - proc->log_window_ns >= 1000000000) {
        proc->log_window_ns = at_ns;
        proc->log_bytes = 0;
    }
    if (proc->log_bytes > LL_LOG_BYTES_PER_S_MAX)
        return false;
    proc->log_bytes += (uint32_t)bytes + LL_LOG_LINE_COST_BYTES;
    return proc->log_bytes <= LL_LOG_BYTES_PER_S_MAX;
}

/* The plugin's last word on a run; false if nobody waits for it any more. */
static bool
run_over(struct ll_proc *proc, struct ll_proc_slot *slot, int64_t run_ns)
{
    struct ll_run *run = slot->run;
    slot_free(proc, slot);
    if (run == NULL)
        return false;
    run->run_ns += run_ns;
    run->proc = NULL;
    ll_pool_run_over(run);
    return true;
}

/* A frame that is what it should be. */
static void
tap_heard(const struct ll_proc_slot *slot, const struct ll_frame *frame)
{
    if (LL_UNLIKELY(slot->run != NULL && slot->run->tap != NULL))
        slot->run->tap->frame(slot->run->tap, frame);
}

static void
hear_reply(struct ll_proc *proc, struct ll_proc_slot *slot,
    const struct ll_frame *frame)
{
    struct ll_run *run = slot->run;
    struct ll_rd rd = ll_rd(frame->payload);
    bool shaped = ll_rd_list(&rd) == 4;
    int status = (int)ll_rd_int_in(&rd, 200, 599);
    int64_t run_ns = ll_rd_int_in(&rd, 0, INT64_MAX);
    linli_str body = ll_rd_bytes(&rd);
    linli_str etag = ll_rd_bytes(&rd);
    if (!shaped || !ll_rd_end(&rd) || (etag.len > 0 && !ll_etag_valid(etag))) {
        protocol_error(proc, "a REPLY of another shape");
        return;
    }
    tap_heard(slot, frame);
    if (!run_over(proc, slot, run_ns))
        return;
    run->ops->reply(run, status, body, etag);
}

static void
hear_failed(struct ll_proc *proc, struct ll_proc_slot *slot,
    const struct ll_frame *frame)
{
    struct ll_run *run = slot->run;
    struct ll_rd rd = ll_rd(frame->payload);
    bool shaped = ll_rd_list(&rd) == 5;
    linli_str code = ll_rd_bytes(&rd);
    int64_t run_ns = ll_rd_int_in(&rd, 0, INT64_MAX);
    linli_str detail = ll_rd_bytes(&rd);
    linli_str log = ll_rd_bytes(&rd);
    linli_str errors = ll_rd_bytes(&rd);
    if (!shaped || !ll_rd_end(&rd) || log.len > LL_LOG_LINE_BYTES_MAX) {
        protocol_error(proc, "a FAILED of another shape");
        return;
    }
    tap_heard(slot, frame);
    if (!run_over(proc, slot, run_ns))
        return;
    if (log.len > 0 && !may_log(proc, log.len))
        log = (linli_str){NULL, 0};
    run->ops->failed(run, code, detail, log, errors);
}

static void
hear_hostcall(struct ll_proc *proc, struct ll_proc_slot *slot,
    const struct ll_frame *frame)
{
    struct ll_run *run = slot->run;
    struct ll_rd rd = ll_rd(frame->payload);
    bool shaped = ll_rd_list(&rd) == 2;
    uint32_t op = (uint32_t)ll_rd_int_in(&rd, 1, UINT16_MAX);
    linli_str args = ll_rd_value(&rd);
    if (!shaped || !ll_rd_end(&rd) || (run != NULL && run->waiting)) {
        protocol_error(proc, "a HOSTCALL out of place");
        return;
    }
    if (run == NULL)
        return;
    tap_heard(slot, frame);
    run->waiting = true;
    if (++run->host_calls > LL_HOST_CALLS_MAX)
        ll_proc_answer(proc, run, LINLI_E_LIMIT, (linli_str){NULL, 0});
    else
        run->ops->hostcall(run, op, args);
}

/* `slot` NULL: a line from outside every run. */
static void
hear_log(struct ll_proc *proc, struct ll_proc_slot *slot,
    const struct ll_frame *frame)
{
    const struct ll_pool_options *options = &proc->pool->options;
    struct ll_rd rd = ll_rd(frame->payload);
    bool shaped = ll_rd_list(&rd) == 2;
    unsigned level = (unsigned)ll_rd_int_in(&rd, 0, 3);
    linli_str line = ll_rd_bytes(&rd);
    if (!shaped || !ll_rd_end(&rd) || line.len > LL_LOG_LINE_BYTES_MAX) {
        protocol_error(proc, "a LOG of another shape");
        return;
    }
    if (slot != NULL)
        tap_heard(slot, frame);
    if ((slot != NULL && slot->run == NULL) || !may_log(proc, line.len))
        return;
    if (slot != NULL)
        slot->run->ops->log(slot->run, level, line);
    else if (options->log != NULL)
        options->log(options->user, proc->pool, level, line);
}

static void
ring_frame(struct ll_proc *proc, const struct ll_frame *frame)
{
    struct ll_proc_slot *slot = slot_find(proc, frame->call, frame->run);
    if (frame->type == LL_FRAME_LOG && frame->call == 0 && frame->run == 0) {
        hear_log(proc, NULL, frame);
        return;
    }
    if (slot == NULL) {
        protocol_error(proc, "a frame of a run that is not open");
        return;
    }
    switch (frame->type) {
    case LL_FRAME_REPLY:
        hear_reply(proc, slot, frame);
        break;
    case LL_FRAME_FAILED:
        hear_failed(proc, slot, frame);
        break;
    case LL_FRAME_HOSTCALL:
        hear_hostcall(proc, slot, frame);
        break;
    case LL_FRAME_LOG:
        hear_log(proc, slot, frame);
        break;
    case LL_FRAME_ENDED:
        if (slot->run != NULL || frame->payload.len != 0)
            protocol_error(proc, "an ENDED of a run nobody cancelled");
        else
            slot_free(proc, slot);
        break;
    default:
        protocol_error(proc, "a frame of unknown type");
    }
}

/* Frames that are there, at most a turn's worth; false: more is waiting. */
static bool
read_frames(struct ll_proc *proc, size_t *bytes_read)
{
    char part[LL_RING_PART_BYTES];
    size_t got = 0;
    unsigned frames = 0;
    while (proc->state == LL_PROC_READY || proc->state == LL_PROC_DRAINING) {
        struct ll_frame frame;
        linli_status status = ll_frame_next(&proc->reader, &frame);
        if (status == LINLI_OK) {
            ring_frame(proc, &frame);
            frames++;
            continue;
        }
        if (status == LINLI_E_PROTOCOL) {
            protocol_error(proc, "no frame in the ring");
            break;
        }
        if (frames >= LL_TURN_FRAMES_MAX || *bytes_read >= LL_TURN_BYTES_MAX)
            return false;
        if (ll_ring_read(&proc->ring, part, sizeof part, &got) != LINLI_OK ||
            (got > 0 && ll_frame_feed(&proc->reader, part, got) != LINLI_OK)) {
            protocol_error(proc, "a ring index out of range");
            break;
        }
        if (got == 0)
            break;
        *bytes_read += got;
    }
    return true;
}

/* Moves what waits into the ring; true if anything moved. */
static bool
publish(struct ll_proc *proc)
{
    struct ll_buf *out = &proc->out;
    size_t taken = 1, moved = 0;
    while (proc->out_taken < out->len && taken > 0) {
        if (ll_ring_write(&proc->ring, out->ptr + proc->out_taken,
                out->len - proc->out_taken, &taken) != LINLI_OK) {
            protocol_error(proc, "a ring index out of range");
            return false;
        }
        proc->out_taken += taken;
        moved += taken;
    }
    if (proc->out_taken == out->len) {
        ll_buf_reset(out, KEEP_BYTES);
        proc->out_taken = 0;
    } else if (proc->out_taken > out->len / 2) {
        /* Moved down seldom enough to cost nothing. */
        ll_buf_drop(out, proc->out_taken);
        proc->out_taken = 0;
    }
    return moved > 0;
}

static bool
conversing(const struct ll_proc *proc)
{
    bool alive =
        proc->state == LL_PROC_READY || proc->state == LL_PROC_DRAINING;
    return alive && (proc->slot_count > 0 || proc->out.len > 0 || proc->woken);
}

void
ll_proc_hear(struct ll_proc *proc)
{
    size_t bytes_read = 0;
    if (!conversing(proc))
        return;
    proc->more_waits = !read_frames(proc, &bytes_read);
    if (bytes_read > 0) {
        proc->made_room = true;
        proc->idle_wakes = 0;
    }
}

void
ll_proc_speak(struct ll_proc *proc)
{
    bool hushed = !conversing(proc) && !proc->made_room;
    if (hushed || proc->state == LL_PROC_KILLED)
        return;
    bool wrote = publish(proc);
    if (proc->state == LL_PROC_KILLED)
        return;
    proc->woken = false;
    if (ll_ring_must_wake(&proc->ring, wrote, proc->made_room))
        ll_channel_wake_worker(&proc->channel);
    proc->made_room = false;
    /* More than a turn's worth: the loop must not block before the next. */
    unsigned wanted =
        proc->out.len > 0 ? LL_RING_DATA | LL_RING_ROOM : LL_RING_DATA;
    if (!ll_ring_sleep(&proc->ring, wanted) || proc->more_waits)
        ll_channel_wake_self(&proc->channel);
    proc->more_waits = false;
}

uint32_t
ll_proc_running(const struct ll_proc *proc)
{
    return ll_ring_peer_running(&proc->ring);
}

bool
ll_proc_bursting(struct ll_proc *proc, int64_t at_ns)
{
    uint32_t turns = ll_ring_peer_turns(&proc->ring);
    if (turns != proc->turns || ll_ring_peer_asleep(&proc->ring)) {
        proc->turns = turns;
        proc->turn_since_ns = at_ns;
        return false;
    }
    return at_ns - proc->turn_since_ns >
           proc->pool->options.limits.burst_ms * 1000000;
}
