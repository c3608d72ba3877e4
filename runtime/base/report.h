/* base/report.h: telling a person, or a script, what went wrong.
 *
 * One shape for `linli` and `linlid`: the stable code, one sentence in
 * Chinese and English, where it is, what was found, how to correct it. The
 * sentences come from base/problem.def.
 */
#ifndef LL_BASE_REPORT_H
#define LL_BASE_REPORT_H

#include "base/buf.h"

/* Any text may be NULL or empty. */
struct ll_report {
    const char *code;  /* of base/problem.def, or a plugin's own */
    const char *title; /* for a code that the table does not have */
    const char *where; /* "plugin.json: /routes/0/path" */
    const char *msg;   /* what was found and what was wanted */
    const char *fix;   /* over the table's fix */
};

enum ll_lang { LL_LANG_BOTH, LL_LANG_ZH, LL_LANG_EN };

/* For people, several lines:
 *
 *   error[listen/failed]: The address cannot be listened on
 *                         无法监听该地址
 *     --> 127.0.0.1:80
 *      = permission denied
 *      = fix: Choose another --listen address or port
 *      = 修正: 请更换 --listen 的地址或端口
 *      = help: linli explain listen/failed
 */
void ll_report_text(
    struct ll_buf *out, const struct ll_report *report, enum ll_lang lang);

/* For scripts, one line of JSON: {"error":{"code","title","title_zh",
 * "where","detail","fix","fix_zh"}}; empty members are left out. */
void ll_report_json(struct ll_buf *out, const struct ll_report *report);

/* Appends text that others wrote: control characters, which a terminal would
 * obey, become '?'. */
void ll_put_safe(struct ll_buf *out, linli_str text);

#endif
