/* server/act.h: what an operator does, and says why. [loop]
 *
 * An action holds its request as a view does, until its commit is durable.
 */
#ifndef LL_SERVER_ACT_H
#define LL_SERVER_ACT_H

#include "server/view.h"

struct ll_actor {
    char by[LL_TOKEN_NAME_BYTES_MAX + 16]; /* "operator:ID" */
    char reason[LL_REASON_BYTES_MAX + 1];  /* empty if none is asked for */
};

/* Reads who acts, who was admitted, and the body: {"reason"} if one is asked
 * for, else {} or nothing. "request/content-type", "request/json",
 * "request/invalid". */
linli_status ll_actor_read(struct ll_actor *actor, struct ll_view *view,
    bool with_reason, struct ll_err *err) LL_USE_RESULT;

/* POST .../admin/alerts/{id}/close; server/alerts.c */
void ll_alert_close_begin(struct ll_face *face, struct ll_request *request,
    linli_str community, int64_t id);

/* /v1/c/{community}/admin/jobs and what is below it; false for any other
 * `rest`. server/jobs.c and server/job.c */
bool ll_jobs_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);

#endif
