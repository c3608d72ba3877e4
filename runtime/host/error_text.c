/* host/error_text.c: failures for people and across the public header. */
#include <string.h>

#include "base/report.h"
#include "config.h"
#include "host/host.h"

#define TEXT_BYTES_MAX ((size_t)8192)

void
ll_error_export(const struct ll_err *from, linli_error *to)
{
    if (to == NULL || to->size < sizeof *to)
        return;
    to->status = from->status;
    memcpy(to->code, from->code, sizeof to->code);
    memcpy(to->where, from->where, sizeof to->where);
    memcpy(to->message, from->msg, sizeof to->message);
    memcpy(to->fix, from->fix, sizeof to->fix);
}

size_t
linli_error_text(const linli_error *error, char *out, size_t size)
{
    struct ll_report report = {.code = error->code,
        .where = error->where,
        .msg = error->message,
        .fix = error->fix};
    struct ll_mem mem;
    struct ll_buf text;
    if (size == 0)
        return 0;
    ll_mem_init(&mem, 0);
    ll_buf_init(&text, &mem, TEXT_BYTES_MAX);
    ll_report_text(&text, &report, LL_LANG_BOTH);
    size_t n = text.len < size - 1 ? text.len : size - 1;
    memcpy(out, text.ptr, n);
    out[n] = '\0';
    ll_buf_fini(&text);
    return n;
}

const char *
linli_version(void)
{
    return LL_VERSION;
}
