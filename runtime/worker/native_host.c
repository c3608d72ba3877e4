/* worker/native_host.c: host calls of native plugins, there and back.
 * [worker]
 *
 * What the functions of all tables do alike: they check whose context they
 * were given, say why they refuse, and wait. Owns the way from a function to
 * the one instance of the process.
 */
#include "worker/native.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/problem.h"
#include "base/text.h"

/* The instance of this process; the tables have no other way to it. */
static struct ll_native *bound;

void
ll_native_bind(struct ll_native *native)
{
    bound = native;
}

struct ll_native *
ll_native_bound(void)
{
    return bound;
}

linli_status
ll_native_refuse(
    struct ll_native *native, linli_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(native->note, sizeof(native->note), fmt, ap);
    va_end(ap);
    return status;
}

linli_status
ll_native_check_ctx(struct ll_native *native, uint64_t ctx, const char *what)
{
    if (ctx != 0 && ctx == native->ctx)
        return LINLI_OK;
    if (ctx != 0 && ctx <= native->ctx_last)
        return ll_native_refuse(native, LINLI_E_CLOSED,
            "%s was given the ctx of an entry point that has returned", what);
    return ll_native_refuse(
        native, LINLI_E_INVALID, "%s was given a ctx that never was", what);
}

linli_status
ll_native_check_call(struct ll_native *native, uint64_t ctx, const char *what)
{
    linli_status s = ll_native_check_ctx(native, ctx, what);
    if (s == LINLI_OK && !native->in_call)
        return ll_native_refuse(
            native, LINLI_E_CONFLICT, "%s: no call runs", what);
    return s;
}

linli_status
ll_native_parse(struct ll_native *native, linli_str text, unsigned depth_max,
    const char *what)
{
    struct ll_err err;
    if (ll_native_bad_slice(text))
        return ll_native_refuse(
            native, LINLI_E_INVALID, "%s: a body at NULL", what);
    if (text.len > LL_REPLY_BYTES_MAX)
        return ll_native_refuse(native, LINLI_E_LIMIT,
            "%s: JSON of %zu bytes, over %u", what, text.len,
            LL_REPLY_BYTES_MAX);
    linli_status s = ll_json_parse(&native->json, text, depth_max, &err);
    if (s == LINLI_OK)
        return s;
    return ll_native_refuse(native, s == LINLI_E_NOMEM ? LINLI_E_LIMIT : s,
        "%s: %s %s", what, err.where, err.msg);
}

linli_status
ll_native_host_begin(
    struct ll_native *native, uint64_t ctx, uint32_t count, const char *what)
{
    linli_status s = ll_native_check_call(native, ctx, what);
    if (s != LINLI_OK)
        return s;
    if (native->over.code[0] != '\0')
        return ll_native_refuse(
            native, LINLI_E_CANCELLED, "%s: the call is over", what);
    ll_buf_clear(&native->args);
    ll_put_list(&native->args, count);
    return LINLI_OK;
}

/* What a refusal says, [code, detail] or nothing, goes to the log; or it ends
 * the call, whatever the plugin makes of it. */
static linli_status
refused(struct ll_native *native, linli_status status, const char *what)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&native->value));
    linli_str code = {NULL, 0}, detail = {NULL, 0};
    if (ll_rd_peek(&rd) == LL_VALUE_LIST && ll_rd_list(&rd) == 2) {
        code = ll_rd_bytes(&rd);
        detail = ll_rd_bytes(&rd);
    }
    if (rd.bad || code.len == 0)
        return ll_native_refuse(
            native, status, "%s: %s", what, ll_status_name(status));
    if (ll_problem_ends_call(code)) {
        (void)snprintf(
            native->over.code, sizeof native->over.code, "%.*s", LL_FMT(code));
        (void)snprintf(native->over.detail, sizeof native->over.detail, "%.*s",
            LL_FMT(detail));
        status = LINLI_E_CANCELLED;
    }
    return ll_native_refuse(native, status, "%s: %.*s: %.*s", what,
        LL_FMT(code), detail.len > 160 ? 160 : LL_FMT(detail));
}

linli_status
ll_native_host_send(struct ll_native *native, uint32_t op, const char *what)
{
    linli_status answered = LINLI_OK;
    if (native->args.failed)
        return ll_native_refuse(
            native, LINLI_E_LIMIT, "%s: the arguments are too large", what);
    int64_t begun_ns = ll_worker_clock_ns();
    ll_buf_clear(&native->value);
    linli_status s = ll_worker_hostcall_wait(native->worker, native->call,
        native->run, op, ll_buf_view(&native->args), &native->value, &answered);
    native->waited_ns += ll_worker_clock_ns() - begun_ns;
    if (s != LINLI_OK)
        return ll_native_refuse(native, s, "%s: %s", what, ll_status_name(s));
    return answered == LINLI_OK ? LINLI_OK : refused(native, answered, what);
}

linli_status
ll_native_keep(
    struct ll_native *native, linli_str text, const char *what, linli_str *out)
{
    linli_str copy = ll_arena_str(&native->answers, text);
    if (copy.ptr == NULL && text.len > 0)
        return ll_native_refuse(native, LINLI_E_LIMIT,
            "%s: answers of this call are over %u bytes", what,
            LL_PLUGIN_ANSWERS_BYTES_MAX);
    *out = copy;
    return LINLI_OK;
}
