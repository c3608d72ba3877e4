/* server/view.h: an answer that the store is asked for. [loop]
 *
 * Holds a request while one query after another is under way, and the answer
 * as it grows. Whoever is asked embeds a view as the first member and gives
 * it back in `end`; a face that goes ends all views, and their requests are
 * told so.
 */
#ifndef LL_SERVER_VIEW_H
#define LL_SERVER_VIEW_H

#include "server/face.h"
#include "base/params.h"
#include "store/store.h"

struct ll_view {
    struct ll_view *next, *before; /* of the face */
    struct ll_face *face;
    struct ll_request *request;
    struct ll_query query;
    bool asking;                /* the query is the store's */
    int status;                 /* of a good answer; 0: 200 */
    const char *content_type;   /* of it; NULL: application/json */
    struct ll_field headers[2]; /* of it, besides */
    uint32_t header_count;
    struct ll_buf out;
    struct ll_jw w; /* into `out` */
    /* The rows of the query are there, in view->query; it asks again, answers
     * or refuses. */
    void (*step)(struct ll_view *view);
    void (*end)(struct ll_view *view); /* frees what it is in */
};

/* Begins a view, whose step and end are set; nothing is asked yet. */
void ll_view_begin(
    struct ll_view *view, struct ll_face *face, struct ll_request *request);

/* A query to fill with parameters and bounds, and then to ask. */
struct ll_query *ll_view_query(
    struct ll_view *view, enum ll_statement statement);
void ll_view_ask(struct ll_view *view);

/* A parameter that may be absent: text, or null. */
void ll_view_put(struct ll_buf *params, linli_str text);

/* Answers with view->status and view->out, or with a problem; the view is gone.
 */
void ll_view_answer(struct ll_view *view);
void ll_view_refuse(struct ll_view *view, const struct ll_err *err);
/* Answers with a problem that stands in view->out. */
void ll_view_answer_problem(struct ll_view *view, int status);
/* The view goes without an answer: its request has become another's. */
void ll_view_drop(struct ll_view *view);
/* Refuses because a row cannot be read: the database is damaged. */
void ll_view_torn(struct ll_view *view);

/* A member that a row may not have: text, or null. */
void ll_view_text(struct ll_view *view, const char *name, linli_str text);
/* A member with an instant. */
void ll_view_instant(struct ll_view *view, const char *name, int64_t ms);
/* The last member: the cursor of the next page, null if there is none. */
void ll_view_cursor(struct ll_view *view, bool more, int64_t last);
/* The same where an answer is written at once, without a view. */
void ll_put_cursor(struct ll_jw *w, bool more, int64_t last);

/* How many items a page has: `limit`, 1..LL_ADMIN_LIST_MAX. And where it
 * begins: `cursor`, as ll_view_cursor wrote it ("request/cursor"); *after is
 * kept if there is none. */
linli_status ll_view_page(const struct ll_params *params, int64_t *limit,
    int64_t *after, struct ll_err *err) LL_USE_RESULT;

/* For a face that goes: answers every view with "runtime/draining". */
void ll_view_end_all(struct ll_face *face);

/* -- what an operator who was admitted asks of the store -- */

/* /v1/c/{community}/admin/REST; false if `rest` is none of what follows, which
 * it leads to. server/admin.c */
bool ll_view_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest);

/* GET .../admin/alerts of a community. server/alerts.c */
void ll_alerts_begin(
    struct ll_face *face, struct ll_request *request, linli_str community);
/* GET .../admin/messages of a community. server/messages.c */
void ll_messages_begin(
    struct ll_face *face, struct ll_request *request, linli_str community);
/* GET .../admin/usage of a community. server/usage.c */
void ll_usage_begin(
    struct ll_face *face, struct ll_request *request, linli_str community);
/* GET .../admin/usage/{bucket}/records; 404 if the bucket is another
 * community's. */
void ll_usage_records_begin(struct ll_face *face, struct ll_request *request,
    linli_str community, int64_t bucket);
/* GET .../admin/usage/export. server/usage_export.c */
void ll_usage_export_begin(
    struct ll_face *face, struct ll_request *request, linli_str community);
/* GET .../admin/reconcile: of the whole host, one at a time. */
void ll_reconcile_begin(struct ll_face *face, struct ll_request *request);

/* .../admin/payments[/{id}]; false for any other `rest`. server/payments.c */
bool ll_payments_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

/* .../admin/relays/{number}; false for any other `rest`. server/relays.c */
bool ll_relays_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest);

#endif
