/* cmd/linli_replay_run.c: drives a worker by a trace. */
#include "cmd/linli_replay.h"

#include <stdio.h>

#include "base/diff.h"
#include "base/text.h"
#include "wire/show.h"

#define NS_PER_MS 1000000
/* The text of one frame, shown: six bytes for one at worst, and indented. */
#define SHOWN_BYTES_MAX ((size_t)32 << 20)
#define LOG_TEXT_BYTES_MAX LL_TRACE_BYTES_MAX

static struct ll_replay *
replay_of(struct ll_run *run)
{
    return LL_CONTAINER(run, struct ll_replay, run);
}

/* -- what differs, for people -- */

/* The value of a frame that is compared, as JSON on one line. */
static void
show_frame(struct ll_jw *w, struct ll_json *json, bool plain,
    const struct ll_frame *frame)
{
    static const char *const reply[] = {"status", "", "body", "etag"};
    static const char *const failed[] = {"code", "", "detail", "log", "errors"};
    struct ll_show show = {.to = w, .json = json, .plain = plain};
    struct ll_rd rd = ll_rd(frame->payload);
    ll_jw_open(w, '{');
    if (frame->type == LL_FRAME_HOSTCALL) {
        (void)ll_rd_list(&rd);
        ll_jw_key(w, "hostcall");
        ll_jw_cstr(
            w, ll_hostcall_name((uint32_t)ll_rd_int_in(&rd, 0, UINT16_MAX)));
        ll_jw_key(w, "args");
        if (!ll_show_value(&show, ll_rd_value(&rd)))
            ll_jw_null(w);
    } else {
        bool is_reply = frame->type == LL_FRAME_REPLY;
        ll_jw_key(w, is_reply ? "reply" : "failed");
        if (!ll_show_fields(&show, frame->payload, is_reply ? reply : failed,
                is_reply ? LL_COUNT(reply) : LL_COUNT(failed)))
            ll_jw_null(w);
    }
    ll_jw_close(w, '}');
}

static void
put_pretty(struct ll_buf *out, struct ll_buf *line)
{
    struct ll_json json;
    ll_json_init(&json, out->mem);
    if (!line->failed && ll_json_parse(&json, ll_buf_view(line),
                             LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
        ll_json_pretty(out, ll_json_root(&json));
    else
        ll_buf_str(out, ll_buf_view(line));
    ll_buf_char(out, '\n');
    ll_json_fini(&json);
}

/* NULL: the run ended so, without a word. */
static void
put_frame(struct ll_buf *out, const struct ll_frame *frame, const char *ended,
    bool plain)
{
    struct ll_buf line;
    struct ll_json json;
    ll_buf_init(&line, out->mem, SHOWN_BYTES_MAX);
    ll_json_init(&json, out->mem);
    struct ll_jw w = ll_jw(&line);
    ll_buf_clear(out);
    if (frame != NULL) {
        show_frame(&w, &json, plain, frame);
    } else {
        ll_jw_open(&w, '{');
        ll_jw_key(&w, "ended");
        ll_jw_cstr(&w, ended);
        ll_jw_close(&w, '}');
    }
    put_pretty(out, &line);
    ll_json_fini(&json);
    ll_buf_fini(&line);
}

/* What came is not what was recorded next. A NULL frame is an end without a
 * word, which `ended` names. */
static void
differ(struct ll_replay *replay, const struct ll_frame *before,
    const struct ll_frame *now, const char *ended)
{
    struct ll_difference *d = &replay->call;
    const struct ll_frame *named = before != NULL ? before : now;
    char end[32];
    (void)snprintf(end, sizeof end, "%.*s", LL_FMT(replay->trace->end));
    replay->stopped = true;
    if (named != NULL && named->type == LL_FRAME_HOSTCALL) {
        struct ll_rd rd = ll_rd(named->payload);
        (void)ll_rd_list(&rd);
        (void)snprintf(d->what, sizeof d->what, "host call %u, %s",
            replay->host_calls + 1,
            ll_hostcall_name((uint32_t)ll_rd_int_in(&rd, 0, UINT16_MAX)));
    } else {
        (void)snprintf(d->what, sizeof d->what, "the end of the call");
    }
    put_frame(&d->before, before, end, false);
    put_frame(&d->now, now, ended, false);
    if (!ll_str_eq(ll_buf_view(&d->before), ll_buf_view(&d->now)))
        return;
    /* JSON that reads the same and is written otherwise. */
    put_frame(&d->before, before, end, true);
    put_frame(&d->now, now, ended, true);
}

static void
put_log(struct ll_buf *out, linli_str payload)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    struct ll_rd rd = ll_rd(payload);
    (void)ll_rd_list(&rd);
    size_t level = (size_t)ll_rd_int_in(&rd, 0, 3);
    linli_str line = ll_rd_bytes(&rd);
    ll_buf_printf(out, "%s: ", levels[level]);
    ll_json_escape(out, line); /* it may have line feeds */
    ll_buf_char(out, '\n');
}

/* -- what comes from the worker -- */

/* The next recorded frame that is no log line; those are set aside to be
 * compared by themselves. NULL: there is none. */
static const struct ll_frame *
expected(struct ll_replay *replay)
{
    const struct ll_trace_file *trace = replay->trace;
    for (; replay->at < trace->frame_count; replay->at++) {
        const struct ll_frame *frame = &trace->frames[replay->at];
        if (frame->type != LL_FRAME_LOG)
            return frame;
        put_log(&replay->log.before, frame->payload);
    }
    return NULL;
}

/* The code of a call that a limit ended. Where in its code it stood then is
 * the machine's affair. */
static bool
by_limit(const struct ll_frame *frame, linli_str code)
{
    return frame->type == LL_FRAME_FAILED && ll_str_starts(code, "sandbox/");
}

/* The same but for how long it ran. */
static bool
same_word(const struct ll_frame *a, const struct ll_frame *b)
{
    struct ll_rd ra = ll_rd(a->payload), rb = ll_rd(b->payload);
    uint32_t count = ll_rd_list(&ra);
    if (a->type != b->type || ll_rd_list(&rb) != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        linli_str va = ll_rd_value(&ra), vb = ll_rd_value(&rb);
        if (i != 1 && !ll_str_eq(va, vb))
            return false;
        struct ll_rd code = ll_rd(va);
        if (i == 0 && by_limit(a, ll_rd_bytes(&code)))
            return true;
    }
    return ll_rd_end(&ra) && ll_rd_end(&rb);
}

/* These say nothing about what the plugin would have done next. */
static bool
was_cut(linli_str end)
{
    return ll_str_is(end, "wall") || ll_str_is(end, "stopped") ||
           ll_str_is(end, "cancelled");
}

/* Which of the time limits is met first, the worker's own or one of the
 * host's, is the machine's affair too. */
static bool
by_time(linli_str end)
{
    return ll_str_is(end, "burst") || ll_str_is(end, "wall");
}

static bool
is_timeout(const struct ll_frame *frame)
{
    struct ll_rd rd = ll_rd(frame->payload);
    (void)ll_rd_list(&rd);
    return frame->type == LL_FRAME_FAILED &&
           ll_str_is(ll_rd_bytes(&rd), "sandbox/timeout");
}

static void
compare(struct ll_replay *replay, const struct ll_frame *frame)
{
    const struct ll_frame *before = expected(replay);
    if (before == NULL && by_time(replay->trace->end) && is_timeout(frame))
        return;
    if (before == NULL && was_cut(replay->trace->end)) {
        replay->cut = replay->stopped = true;
        return;
    }
    bool same = before != NULL && before->type == frame->type &&
                (frame->type == LL_FRAME_HOSTCALL
                        ? ll_str_eq(before->payload, frame->payload)
                        : same_word(before, frame));
    if (same)
        replay->at++;
    else
        differ(replay, before, frame, NULL);
}

/* A run begins anew: its worker was killed for what was not its fault. */
static void
begin(struct ll_replay *replay)
{
    replay->at = 1; /* after the CALL */
    replay->host_calls = replay->log_lines = 0;
    ll_buf_clear(&replay->log.before);
    ll_buf_clear(&replay->log.now);
}

static void
on_frame(struct ll_run_tap *tap, const struct ll_frame *frame)
{
    struct ll_replay *replay = LL_CONTAINER(tap, struct ll_replay, tap);
    if (replay->stopped)
        return;
    switch (frame->type) {
    case LL_FRAME_CALL:
        begin(replay);
        return;
    case LL_FRAME_LOG:
        replay->log_lines++;
        put_log(&replay->log.now, frame->payload);
        return;
    case LL_FRAME_ANSWER:
        replay->host_calls++;
        replay->at++;
        return;
    default:
        compare(replay, frame);
    }
}

static void
on_hostcall(struct ll_run *run, uint32_t op, linli_str args)
{
    struct ll_replay *replay = replay_of(run);
    const struct ll_trace_file *trace = replay->trace;
    LL_UNUSED(op);
    LL_UNUSED(args);
    /* The last one of a run that was ended while it waited. */
    if (!replay->stopped && replay->at >= trace->frame_count)
        replay->cut = replay->stopped = true;
    if (replay->stopped) {
        ll_pool_cancel(run);
        replay->over = true;
        return;
    }
    const struct ll_frame *answer = &trace->frames[replay->at];
    ll_check(answer->type == LL_FRAME_ANSWER);
    struct ll_rd rd = ll_rd(answer->payload);
    (void)ll_rd_list(&rd);
    linli_status status = (linli_status)ll_rd_int_in(&rd, INT32_MIN, 0);
    ll_pool_answer(run, status, ll_rd_value(&rd));
}

static void
on_reply(struct ll_run *run, int status, linli_str body, linli_str etag)
{
    LL_UNUSED(status);
    LL_UNUSED(body);
    LL_UNUSED(etag);
    replay_of(run)->over = true;
}

static void
on_failed(struct ll_run *run, linli_str code, linli_str detail, linli_str log,
    linli_str errors_json)
{
    LL_UNUSED(code);
    LL_UNUSED(detail);
    LL_UNUSED(log);
    LL_UNUSED(errors_json);
    replay_of(run)->over = true;
}

static void
on_log(struct ll_run *run, unsigned level, linli_str line)
{
    LL_UNUSED(run);
    LL_UNUSED(level);
    LL_UNUSED(line);
}

static void
on_again(struct ll_run *run)
{
    LL_UNUSED(run);
}

static void
on_ended(struct ll_run *run, enum ll_run_end end)
{
    struct ll_replay *replay = replay_of(run);
    const char *name = ll_run_end_name(end);
    replay->over = true;
    if (replay->stopped)
        return;
    const struct ll_frame *before = expected(replay);
    bool timed = by_time(ll_cstr(name));
    bool same = before != NULL ? timed && is_timeout(before)
                               : ll_str_is(replay->trace->end, name) ||
                                     (timed && by_time(replay->trace->end)) ||
                                     was_cut(replay->trace->end);
    if (!same)
        differ(replay, before, NULL, name);
}

static const struct ll_run_ops run_ops = {
    .reply = on_reply,
    .failed = on_failed,
    .hostcall = on_hostcall,
    .log = on_log,
    .again = on_again,
    .ended = on_ended,
};

/* -- its pool -- */

static void
on_opened(void *user, linli_status status, const struct ll_err *err)
{
    struct ll_replay *replay = user;
    replay->started = status == LINLI_OK;
    replay->refused = replay->over = status != LINLI_OK;
    if (status != LINLI_OK)
        replay->err = *err;
}

static void
on_closed(void *user, const struct ll_pool *pool)
{
    struct ll_replay *replay = user;
    LL_UNUSED(pool);
    replay->closed = true;
}

static linli_status
open_pool(struct ll_replay *replay, struct ll_err *err)
{
    const struct ll_trace_file *trace = replay->trace;
    struct ll_supervisor *supervisor = &replay->supervisor;
    linli_status status = ll_supervisor_init(supervisor, replay->by->mem,
        replay->by->world, replay->by->spawner, err);
    if (status != LINLI_OK)
        return status;
    supervisor->drafts = trace->drafts;
    supervisor->filter_errno = trace->filter_errno;
    supervisor->no_import_check = trace->no_import_check;
    struct ll_pool_options options = {
        .package = replay->package,
        .community = trace->community,
        .config_json = trace->config,
        .zone = trace->zone,
        .zone_changes = trace->zone_changes,
        .zone_change_count = trace->zone_change_count,
        .workers_max = 1,
        .limits = trace->limits,
        .opened = on_opened,
        .user = replay,
    };
    status = ll_pool_open(supervisor, &options, &replay->pool, err);
    if (status != LINLI_OK)
        ll_supervisor_fini(supervisor);
    return status;
}

static void
close_pool(struct ll_replay *replay)
{
    ll_pool_kill(replay->pool);
    ll_pool_close(replay->pool, on_closed, replay);
    ll_supervisor_hurry(&replay->supervisor); /* there may be no event */
    while (!replay->closed)
        ll_world_turn(replay->by->world, true);
    replay->pool = NULL;
    ll_supervisor_fini(&replay->supervisor);
}

static void
submit(struct ll_replay *replay)
{
    int64_t now_ns = ll_world_mono(replay->by->world).ns;
    replay->tap.frame = on_frame;
    replay->run = (struct ll_run){.ops = &run_ops,
        .tap = &replay->tap,
        .payload = replay->trace->frames[0].payload,
        .deadline_ns = now_ns + replay->trace->limits.wall_ms * NS_PER_MS};
    ll_pool_submit(replay->pool, &replay->run);
}

static void
compare_logs(struct ll_replay *replay)
{
    struct ll_difference *log = &replay->log;
    /* Of a run that stopped early the rest was never due. */
    if (replay->call.what[0] != '\0' || replay->cut)
        return;
    (void)expected(replay);
    if (!ll_str_eq(ll_buf_view(&log->before), ll_buf_view(&log->now)))
        (void)snprintf(log->what, sizeof log->what, "the log lines");
}

linli_status
ll_replay_run(struct ll_replay *replay, const struct ll_replayer *by,
    const struct ll_trace_file *trace, struct ll_package *package,
    struct ll_err *err)
{
    *replay = (struct ll_replay){
        .by = by, .trace = trace, .package = ll_package_ref(package)};
    ll_buf_init(&replay->call.before, by->mem, SHOWN_BYTES_MAX);
    ll_buf_init(&replay->call.now, by->mem, SHOWN_BYTES_MAX);
    ll_buf_init(&replay->log.before, by->mem, LOG_TEXT_BYTES_MAX);
    ll_buf_init(&replay->log.now, by->mem, LOG_TEXT_BYTES_MAX);
    linli_status status = open_pool(replay, err);
    if (status != LINLI_OK)
        return status;
    while (!replay->started && !replay->over)
        ll_world_turn(by->world, true);
    if (replay->started)
        submit(replay);
    while (!replay->over)
        ll_world_turn(by->world, true);
    close_pool(replay);
    if (replay->refused) {
        *err = replay->err;
        return err->status;
    }
    compare_logs(replay);
    return LINLI_OK;
}

void
ll_replay_free(struct ll_replay *replay)
{
    ll_buf_fini(&replay->call.before);
    ll_buf_fini(&replay->call.now);
    ll_buf_fini(&replay->log.before);
    ll_buf_fini(&replay->log.now);
    ll_package_unref(&replay->package);
}
