/* worker/native_core.c: the functions a native plugin calls. [worker]
 *
 * Each takes the number of the entry point that runs and nothing that
 * points into the host. What a plugin gets wrong comes back as a status and
 * stays in `note`, so that the log can say why a call had no answer.
 */
#include "worker/native.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

/* Host calls by name, from the one table. */
enum {
#define H(number, name, interface, draft, args, answer) OP_##name = number,
#include "wire/hostcall.def"
#undef H
};

/* The instance of this process; the tables have no other way to it. */
static struct ll_native *bound;

void
ll_native_bind(struct ll_native *native)
{
    bound = native;
}

static linli_status refuse(struct ll_native *native, linli_status status,
    const char *fmt, ...) LL_PRINTF(3, 4);

static linli_status
refuse(struct ll_native *native, linli_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(native->note, sizeof(native->note), fmt, ap);
    va_end(ap);
    return status;
}

/* LINLI_OK if `ctx` is the entry point that runs. */
static linli_status
check_ctx(struct ll_native *native, uint64_t ctx, const char *what)
{
    if (ctx != 0 && ctx == native->ctx)
        return LINLI_OK;
    if (ctx != 0 && ctx <= native->ctx_last)
        return refuse(native, LINLI_E_CLOSED,
            "%s was given the ctx of an entry point that has returned", what);
    return refuse(
        native, LINLI_E_INVALID, "%s was given a ctx that never was", what);
}

/* The same, and it is a call. */
static linli_status
check_call(struct ll_native *native, uint64_t ctx, const char *what)
{
    linli_status s = check_ctx(native, ctx, what);
    if (s == LINLI_OK && !native->in_call)
        return refuse(native, LINLI_E_CONFLICT, "%s: no call runs", what);
    return s;
}

/* A plugin may give a slice that is none. */
static bool
bad_slice(linli_str s)
{
    return s.ptr == NULL && s.len > 0;
}

/* -- the core -- */

static const void *
core_query(uint64_t ctx, linli_str id)
{
    bool draft;
    if (check_ctx(bound, ctx, "query") != LINLI_OK || bad_slice(id))
        return NULL;
    return ll_native_interface(bound, id, &draft);
}

/* Parses JSON of the plugin. LINLI_E_LIMIT or LINLI_E_INVALID. */
static linli_status
parse(struct ll_native *native, linli_str text, unsigned depth_max,
    const char *what)
{
    struct ll_err err;
    if (bad_slice(text))
        return refuse(native, LINLI_E_INVALID, "%s: a body at NULL", what);
    if (text.len > LL_REPLY_BYTES_MAX)
        return refuse(native, LINLI_E_LIMIT, "%s: JSON of %zu bytes, over %u",
            what, text.len, LL_REPLY_BYTES_MAX);
    linli_status s = ll_json_parse(&native->json, text, depth_max, &err);
    if (s == LINLI_OK)
        return s;
    return refuse(native, s == LINLI_E_NOMEM ? LINLI_E_LIMIT : s, "%s: %s %s",
        what, err.where, err.msg);
}

/* An answer is taken once; a second one spoils the call. */
static linli_status
check_first_answer(struct ll_native *native, const char *what)
{
    if (native->outcome == LL_NATIVE_SILENT)
        return LINLI_OK;
    native->outcome = LL_NATIVE_TWICE;
    return refuse(
        native, LINLI_E_CONFLICT, "%s: the call is answered already", what);
}

static linli_status
core_reply(uint64_t ctx, int32_t http_status, linli_str json)
{
    linli_status s = check_call(bound, ctx, "reply");
    if (s == LINLI_OK)
        s = check_first_answer(bound, "reply");
    if (s != LINLI_OK)
        return s;
    if (http_status < 200 || http_status > 599)
        return refuse(bound, LINLI_E_INVALID,
            "reply: status %d is not within 200..599", http_status);
    if ((http_status == 204 || http_status == 304) && json.len > 0)
        return refuse(bound, LINLI_E_INVALID, "reply: status %d takes no body",
            http_status);
    if (json.len > 0)
        s = parse(bound, json, LL_BODY_DEPTH_MAX, "reply");
    if (s != LINLI_OK)
        return s;
    ll_buf_clear(&bound->answer);
    ll_buf_str(&bound->answer, json);
    if (bound->answer.failed)
        return refuse(bound, LINLI_E_LIMIT, "reply: no memory for it");
    bound->http_status = http_status;
    bound->outcome = LL_NATIVE_REPLIED;
    return LINLI_OK;
}

static linli_status
core_fail(uint64_t ctx, linli_str code, linli_str detail)
{
    linli_status s = check_ctx(bound, ctx, "fail");
    if (s == LINLI_OK)
        s = check_first_answer(bound, "fail");
    if (s != LINLI_OK)
        return s;
    if (bad_slice(code) || bad_slice(detail) || !ll_utf8_valid(detail))
        return refuse(bound, LINLI_E_INVALID, "fail: the detail is no text");
    if (detail.len > LL_LOG_LINE_BYTES_MAX)
        return refuse(bound, LINLI_E_LIMIT,
            "fail: a detail of %zu bytes, over %d", detail.len,
            LL_LOG_LINE_BYTES_MAX);
    if (bound->in_call && !ll_worker_declares(bound->worker, code))
        return refuse(bound, LINLI_E_INVALID,
            "fail: plugin.json declares no problem \"%.*s\"",
            code.len > 64 ? 64 : LL_FMT(code));
    ll_buf_clear(&bound->code);
    if (bound->in_call)
        ll_buf_str(&bound->code, code);
    ll_buf_clear(&bound->answer);
    ll_buf_str(&bound->answer, detail);
    if (bound->code.failed || bound->answer.failed)
        return refuse(bound, LINLI_E_LIMIT, "fail: no memory for it");
    bound->outcome = LL_NATIVE_FAILED;
    return LINLI_OK;
}

static linli_status
core_log(uint64_t ctx, uint32_t level, linli_str line)
{
    static const enum ll_log_level levels[] = {
        [LINLI_LOG_DEBUG] = LL_LOG_DEBUG,
        [LINLI_LOG_INFO] = LL_LOG_INFO,
        [LINLI_LOG_WARN] = LL_LOG_WARN,
        [LINLI_LOG_ERROR] = LL_LOG_ERROR,
    };
    linli_status s = check_ctx(bound, ctx, "log");
    if (s != LINLI_OK)
        return s;
    if (level >= LL_COUNT(levels) || bad_slice(line))
        return refuse(bound, LINLI_E_INVALID, "log: no such level, or line");
    ll_worker_log(bound->worker, bound->call, bound->run, levels[level], line);
    return LINLI_OK;
}

static const linli_core core_table = {
    .size = sizeof(linli_core),
    .level = LINLI_ABI_LEVEL,
    .query = core_query,
    .reply = core_reply,
    .fail = core_fail,
    .log = core_log,
    .meter = NULL, /* until this host bills; see linli/plugin.h */
};

const linli_core *
ll_native_core(void)
{
    return &core_table;
}

/* -- host calls -- */

/* Sends `native->args`, sleeps, and leaves the answer in `native->value`. */
static linli_status
host_call(struct ll_native *native, uint32_t op)
{
    linli_status answered = LINLI_OK;
    if (native->args.failed)
        return refuse(native, LINLI_E_LIMIT,
            "a host call's arguments are "
            "too large");
    int64_t begun_ns = ll_worker_clock_ns();
    ll_buf_clear(&native->value);
    linli_status s = ll_worker_hostcall_wait(native->worker, native->call,
        native->run, op, ll_buf_view(&native->args), &native->value, &answered);
    native->waited_ns += ll_worker_clock_ns() - begun_ns;
    return s == LINLI_OK ? answered : s;
}

static linli_status
probe_echo(uint64_t ctx, linli_str json, linli_str *out)
{
    struct ll_native *native = bound;
    *out = (linli_str){NULL, 0};
    linli_status s = check_call(native, ctx, "echo");
    /* The list of arguments is a level of its own. */
    if (s == LINLI_OK)
        s = parse(native, json, LL_VALUE_DEPTH_MAX - 1, "echo");
    if (s != LINLI_OK)
        return s;
    ll_buf_clear(&native->args);
    ll_put_list(&native->args, 1);
    s = ll_native_put_json(&native->args, &native->json);
    if (s == LINLI_OK)
        s = host_call(native, OP_probe_echo);
    if (s != LINLI_OK)
        return s;
    ll_buf_clear(&native->text);
    s = ll_native_get_json(&native->text, ll_buf_view(&native->value));
    if (s != LINLI_OK)
        return s;
    linli_str copy = ll_arena_str(&native->answers, ll_buf_view(&native->text));
    if (copy.ptr == NULL)
        return refuse(native, LINLI_E_LIMIT,
            "echo: answers of this call are "
            "over %u bytes",
            LL_PLUGIN_ANSWERS_BYTES_MAX);
    *out = copy;
    return LINLI_OK;
}

static linli_status
probe_wait(uint64_t ctx, int64_t ms)
{
    struct ll_native *native = bound;
    linli_status s = check_call(native, ctx, "wait");
    if (s != LINLI_OK)
        return s;
    if (ms < 0 || ms > 10000)
        return refuse(native, LINLI_E_INVALID, "wait: not within 0..10000 ms");
    ll_buf_clear(&native->args);
    ll_put_list(&native->args, 1);
    ll_put_int(&native->args, ms);
    return host_call(native, OP_probe_wait);
}

static const linli_probe_0 probe_table = {
    .size = sizeof(linli_probe_0),
    .echo = probe_echo,
    .wait = probe_wait,
};

const void *
ll_native_interface(const struct ll_native *native, linli_str id, bool *draft)
{
    static const struct {
        const char *id;
        bool draft;
        const void *table;
    } interfaces[] = {
        {LINLI_PROBE_0, true, &probe_table},
    };
    *draft = false;
    for (size_t i = 0; i < LL_COUNT(interfaces); i++) {
        if (id.ptr == NULL || !ll_str_is(id, interfaces[i].id))
            continue;
        *draft = interfaces[i].draft;
        return !*draft || native->worker->config.drafts ? interfaces[i].table
                                                        : NULL;
    }
    return NULL;
}
