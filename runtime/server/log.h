/* server/log.h: the log of consent over HTTP. [loop]
 *
 * What is public of it holds no personal data, and nobody is asked who they
 * are; an operator reads the leaves of their community. spec/log.md,
 * section 6.
 */
#ifndef LL_SERVER_LOG_H
#define LL_SERVER_LOG_H

#include "server/view.h"

/* GET /v1/log/checkpoint, tile/{level}/{n}[.p/{w}], proof, consistency;
 * `rest` is what follows "/v1/log/". */
void ll_log_handle(
    struct ll_face *face, struct ll_request *request, linli_str rest);

/* GET .../admin/audit of a community. server/audit.c */
void ll_audit_begin_rows(
    struct ll_face *face, struct ll_request *request, linli_str community);

#endif
