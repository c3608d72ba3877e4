/* base/err.c: filling a failure; the panic that ends a broken process. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

linli_status
ll_fail(struct ll_err *err, linli_status status, const char *code,
    const char *fmt, ...)
{
    ll_check(status < 0);
    if (err == NULL)
        return status;
    va_list args;
    memset(err, 0, sizeof *err);
    err->status = status;
    (void)snprintf(err->code, sizeof err->code, "%s", code);
    va_start(args, fmt);
    (void)vsnprintf(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    return status;
}

void
ll_err_where(struct ll_err *err, const char *fmt, ...)
{
    if (err == NULL)
        return;
    char tail[sizeof err->where];
    va_list args;
    memcpy(tail, err->where, sizeof tail);
    va_start(args, fmt);
    (void)vsnprintf(err->where, sizeof err->where, fmt, args);
    va_end(args);
    size_t used = strlen(err->where);
    if (tail[0] != '\0' && used + 1 < sizeof err->where)
        (void)snprintf(err->where + used, sizeof err->where - used, "%s", tail);
}

void
ll_err_fix(struct ll_err *err, const char *fmt, ...)
{
    if (err == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(err->fix, sizeof err->fix, fmt, args);
    va_end(args);
}

const char *
ll_status_name(linli_status status)
{
    static const char *const names[] = {"ok", "unsupported", "invalid",
        "denied", "consent", "quota", "deadline", "cancelled", "again",
        "conflict", "internal", "no memory", "not found", "i/o", "limit",
        "protocol", "closed"};
    size_t at = (size_t)(-(int64_t)status);
    return status <= 0 && at < LL_COUNT(names) ? names[at] : "unknown";
}

void
ll_panic(const char *file, int line, const char *what)
{
    (void)fprintf(
        stderr, "linli: broken invariant at %s:%d: %s\n", file, line, what);
    abort();
}
