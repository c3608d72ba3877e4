/* server/view.c: holding a request while the store is asked. [loop] */
#include "server/view.h"

#include <stdio.h>

#include "base/problem.h"
#include "base/text.h"

void
ll_view_begin(
    struct ll_view *view, struct ll_face *face, struct ll_request *request)
{
    ll_check(view->step != NULL);
    ll_check(view->end != NULL);
    view->face = face;
    view->request = request;
    view->next = face->views;
    view->before = NULL;
    if (view->next != NULL)
        view->next->before = view;
    face->views = view;
    ll_buf_init(&view->out, &face->host->mem, LL_HTTP_RESPONSE_BYTES_MAX);
    view->w = ll_jw(&view->out);
    ll_query_init(&view->query, &face->host->mem, LL_ST_meta_get);
}

/* Unlinks the view and gives everything back; its request is answered. */
static void
finish(struct ll_view *view)
{
    struct ll_face *face = view->face;
    ll_check(!view->asking);
    if (view->before != NULL)
        view->before->next = view->next;
    else
        face->views = view->next;
    if (view->next != NULL)
        view->next->before = view->before;
    ll_query_fini(&view->query);
    ll_buf_fini(&view->out);
    view->end(view);
}

void
ll_view_drop(struct ll_view *view)
{
    finish(view);
}

static void
on_rows(struct ll_query *query)
{
    struct ll_view *view = query->user;
    view->asking = false;
    if (query->status == LINLI_OK)
        view->step(view);
    else
        ll_view_refuse(view, &query->err);
}

struct ll_query *
ll_view_query(struct ll_view *view, enum ll_statement statement)
{
    ll_check(!view->asking);
    ll_query_fini(&view->query);
    ll_query_init(&view->query, &view->face->host->mem, statement);
    view->query.done = on_rows;
    view->query.user = view;
    return &view->query;
}

void
ll_view_ask(struct ll_view *view)
{
    struct ll_err err;
    if (view->query.params.failed) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room");
        ll_view_refuse(view, &err);
        return;
    }
    view->asking = true;
    ll_store_query(view->face->host->store, &view->query);
}

void
ll_view_put(struct ll_buf *params, linli_str text)
{
    if (text.ptr == NULL)
        ll_put_nil(params);
    else
        ll_put_bytes(params, text);
}

static void
answer(struct ll_view *view, int status, linli_str content_type)
{
    struct ll_request *request = view->request;
    if (view->out.failed) {
        struct ll_err err;
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room");
        ll_view_refuse(view, &err);
        return;
    }
    struct ll_response response = {.status = status,
        .content_type = content_type,
        .body = ll_buf_view(&view->out)};
    for (uint32_t i = 0; i < view->header_count; i++)
        response.headers[response.header_count++] = view->headers[i];
    request->respond(request, &response);
    finish(view);
}

void
ll_view_answer(struct ll_view *view)
{
    answer(view, view->status == 0 ? 200 : view->status,
        view->content_type == NULL ? LINLI_STR("application/json")
                                   : ll_cstr(view->content_type));
}

void
ll_view_answer_problem(struct ll_view *view, int status)
{
    answer(view, status, LINLI_STR("application/problem+json"));
}

void
ll_view_refuse(struct ll_view *view, const struct ll_err *err)
{
    struct ll_err said = *err;
    const struct ll_problem *row = ll_problem_find(ll_cstr(said.code));
    /* Some of the store's codes are for whoever starts linlid. */
    if (row == NULL || row->http_status == 0)
        (void)snprintf(said.code, sizeof said.code, "runtime/internal");
    ll_face_error(view->face, view->request, &said);
    finish(view);
}

void
ll_view_torn(struct ll_view *view)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_INTERNAL, "store/corrupt",
        "a row is not of its table's types");
    ll_view_refuse(view, &err);
}

void
ll_view_text(struct ll_view *view, const char *name, linli_str text)
{
    ll_jw_key(&view->w, name);
    if (text.ptr == NULL)
        ll_jw_null(&view->w);
    else
        ll_jw_str(&view->w, text);
}

void
ll_view_instant(struct ll_view *view, const char *name, int64_t ms)
{
    char text[LL_RFC3339_BYTES];
    ll_rfc3339(ms, text);
    ll_jw_key(&view->w, name);
    ll_jw_cstr(&view->w, text);
}

void
ll_put_cursor(struct ll_jw *w, bool more, int64_t last)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)last);
    ll_jw_key(w, "next_cursor");
    if (more)
        ll_jw_cstr(w, text);
    else
        ll_jw_null(w);
}

void
ll_view_cursor(struct ll_view *view, bool more, int64_t last)
{
    ll_put_cursor(&view->w, more, last);
}

linli_status
ll_view_page(const struct ll_params *params, int64_t *limit, int64_t *after,
    struct ll_err *err)
{
    linli_str cursor = ll_param(params, "cursor");
    *limit = LL_ADMIN_LIST_DEFAULT;
    if (cursor.ptr != NULL && !ll_str_int(cursor, 1, INT64_MAX, after))
        return ll_fail(
            err, LINLI_E_INVALID, "request/cursor", "it is a number");
    return ll_param_int(params, "limit", 1, LL_ADMIN_LIST_MAX, limit, err);
}

void
ll_view_end_all(struct ll_face *face)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_CLOSED, "runtime/draining", "this host stops");
    for (uint32_t i = 0; face->views != NULL; i++) {
        struct ll_view *view = face->views;
        ll_check(i < LL_HTTP_CONNECTIONS_MAX * LL_HTTP_PIPELINE_MAX);
        if (view->asking)
            ll_store_cancel(face->host->store, &view->query);
        view->asking = false;
        ll_view_refuse(view, &err);
    }
}
