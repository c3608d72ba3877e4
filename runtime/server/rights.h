/* server/rights.h: what residents may demand, over HTTP. [loop]
 *
 * spec/consent.md, section 7.
 */
#ifndef LL_SERVER_RIGHTS_H
#define LL_SERVER_RIGHTS_H

#include "domain/leaf.h"
#include "server/desk.h"

/* .../me/access-log; false for any other `rest`. server/access_log.c */
bool ll_access_log_handle(
    struct ll_face *face, struct ll_request *request, linli_str rest);
/* Whether a leaf is one that the access log shows: releases and corrections,
 * and whatever helpers have done. */
bool ll_access_is(const struct ll_leaf *leaf);
/* Its members, in an open object; `named`: with the ids of staff. */
void ll_access_put(struct ll_view *view, const struct ll_community *community,
    const struct ll_leaf *leaf, int64_t seq, bool named);
/* .../me/requests...; false if `rest`, which begins with "me/", is none of
 * them. */
bool ll_rights_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);
/* .../admin/requests...; false for any other `rest`. */
bool ll_rights_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

/* .../admin/duties...; false for any other `rest`. server/duties.c */
bool ll_duties_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

/* .../admin/uninstalls[/{id}] and .../admin/plugins/{id}/uninstall; false for
 * any other `rest`. server/uninstalls.c */
bool ll_uninstalls_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

/* GET .../me/requests/{id}/export?cursor=: `resident` has been admitted.
 * server/export.c */
struct ll_exporting {
    struct ll_community *community;
    linli_str resident, id, cursor;
};
void ll_export_begin(struct ll_face *face, struct ll_request *request,
    const struct ll_exporting *wanted);

/* A request that staff makes for a resident, in a body of LL_ASSIST_NAMES;
 * `by` is "staff:ID". False: it was refused. */
bool ll_rights_assist(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str resident, linli_str by);

/* POST .../admin/requests/{id}/answer, of `by`. server/answer.c */
void ll_rights_answer(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str by, linli_str id);

#endif
