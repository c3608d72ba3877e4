/* host/error_text.c: failures for people and across the public header. */
#include <stdio.h>
#include <string.h>

#include "base/problem.h"
#include "base/text.h"
#include "config.h"
#include "host/host.h"

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
    const struct ll_problem *row = ll_problem_find(ll_cstr(error->code));
    const char *en = row == NULL ? "failed" : row->title_en;
    const char *zh = row == NULL ? "失败" : row->title_zh;
    const char *fix = error->fix[0] != '\0' ? error->fix
                      : row == NULL         ? ""
                                            : row->fix_en;
    const char *fix_zh =
        error->fix[0] == '\0' && row != NULL ? row->fix_zh : "";
    if (size == 0)
        return 0;
    int n = snprintf(out, size, "error[%s]: %s · %s\n%s%s%s  = %s\n%s%s%s%s%s",
        error->code, en, zh, error->where[0] == '\0' ? "" : "  --> ",
        error->where, error->where[0] == '\0' ? "" : "\n", error->message,
        fix[0] == '\0' ? "" : "  = fix: ", fix, fix[0] == '\0' ? "" : "\n",
        fix_zh[0] == '\0' ? "" : "  = 解决: ", fix_zh);
    if (n < 0)
        n = 0;
    size_t used = (size_t)n < size ? (size_t)n : size - 1;
    if (fix_zh[0] != '\0' && used + 1 < size) {
        out[used++] = '\n';
        out[used] = '\0';
    }
    return used;
}

const char *
linli_version(void)
{
    return LL_VERSION;
}
