/* server/alerts.c: what plugins and the runtime have raised. [loop]
 *
 * GET  /v1/c/{c}/admin/alerts?kind=&state=&limit=&cursor=    newest first
 * POST /v1/c/{c}/admin/alerts/{id}/close {reason}
 */
#include "server/act.h"

#include "base/text.h"

static const char *const names[] = {"kind", "state", "limit", "cursor", NULL};

struct alerts {
    struct ll_view view;
    struct ll_params params;
    int64_t limit;
};

static void
end(struct ll_view *view)
{
    struct alerts *alerts = LL_CONTAINER(view, struct alerts, view);
    ll_release(&view->face->host->mem, alerts, sizeof *alerts);
}

/* What of a row is looked at; borrowed from the rows. */
struct row {
    int64_t id;
    linli_str state, by, reason;
};

static linli_str
text_or_null(struct ll_rd *rd)
{
    bool there = false;
    linli_str text = ll_rd_bytes_or_nil(rd, &there);
    return there ? text : (linli_str){NULL, 0};
}

static void
write_closed(struct ll_view *view, struct ll_rd *rd, struct row *row)
{
    int64_t at_ms = 0;
    if (ll_rd_peek(rd) == LL_VALUE_NIL)
        (void)ll_rd_value(rd);
    else
        at_ms = ll_rd_int(rd);
    row->by = text_or_null(rd);
    row->reason = text_or_null(rd);
    if (at_ms == 0)
        ll_view_text(view, "closed_at", (linli_str){NULL, 0});
    else
        ll_view_instant(view, "closed_at", at_ms);
    ll_view_text(view, "closed_by", row->by);
    ll_view_text(view, "reason", row->reason);
}

/* One row as an item; false if it cannot be read. */
static bool
write_alert(struct ll_view *view, struct ll_rd *rd, struct row *row)
{
    struct ll_jw *w = &view->w;
    bool there = false;
    (void)ll_rd_list(rd);
    row->id = ll_rd_int(rd);
    (void)ll_rd_bytes(rd); /* the community that was asked for */
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_int(w, row->id);
    ll_view_text(view, "kind", ll_rd_bytes(rd));
    ll_view_text(view, "plugin", ll_rd_bytes(rd));
    ll_view_instant(view, "at", ll_rd_int(rd));
    ll_view_text(view, "subject", text_or_null(rd));
    ll_view_text(view, "trace_id", ll_rd_bytes(rd));
    row->state = ll_rd_bytes(rd);
    ll_view_text(view, "state", row->state);
    linli_str data = ll_rd_bytes_or_nil(rd, &there);
    ll_jw_key(w, "data");
    if (there && data.len > 0)
        ll_jw_raw(w, data);
    else
        ll_jw_null(w); /* of somebody who has been forgotten */
    write_closed(view, rd, row);
    ll_jw_close(w, '}');
    return !rd->bad;
}

/* -- the list -- */

static void
step(struct ll_view *view)
{
    struct alerts *alerts = LL_CONTAINER(view, struct alerts, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    uint32_t rows = view->query.row_count, i = 0;
    struct row row = {.id = 0};
    /* So many bytes end a page: the data of an alert may be long. */
    for (; i < rows && i < (uint32_t)alerts->limit &&
           view->out.len < LL_ADMIN_PAGE_BYTES;
         i++)
        if (!write_alert(view, &rd, &row)) {
            ll_view_torn(view);
            return;
        }
    ll_jw_close(&view->w, ']');
    ll_view_cursor(view, i < rows || view->query.more, row.id);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static linli_status
begin(struct alerts *alerts, linli_str community, struct ll_err *err)
{
    struct ll_view *view = &alerts->view;
    int64_t before = 0;
    linli_status status =
        ll_params_read(&alerts->params, names, view->request->query, err);
    if (status == LINLI_OK)
        status = ll_view_page(&alerts->params, &alerts->limit, &before, err);
    if (status != LINLI_OK)
        return status;
    struct ll_query *query = ll_view_query(view, LL_ST_alert_list);
    ll_put_bytes(&query->params, community);
    if (before > 0)
        ll_put_int(&query->params, before);
    else
        ll_put_nil(&query->params);
    ll_view_put(&query->params, ll_param(&alerts->params, "kind"));
    ll_view_put(&query->params, ll_param(&alerts->params, "state"));
    ll_put_int(&query->params, alerts->limit + 1); /* is there more? */
    query->rows_max = (uint32_t)alerts->limit + 1;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "items");
    ll_jw_open(&view->w, '[');
    return LINLI_OK;
}

void
ll_alerts_begin(
    struct ll_face *face, struct ll_request *request, linli_str community)
{
    struct ll_err err;
    struct alerts *alerts = ll_alloc(&face->host->mem, sizeof *alerts);
    if (alerts == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    alerts->view.step = step;
    alerts->view.end = end;
    ll_view_begin(&alerts->view, face, request);
    if (begin(alerts, community, &err) == LINLI_OK)
        ll_view_ask(&alerts->view);
    else
        ll_view_refuse(&alerts->view, &err);
}

/* -- closing one -- */

struct closing {
    struct ll_view view;
    linli_str community; /* of the request's path */
    int64_t id;
    struct ll_actor actor;
    struct ll_commit *commit; /* under way, or NULL */
};

static void
end_closing(struct ll_view *view)
{
    struct closing *closing = LL_CONTAINER(view, struct closing, view);
    struct ll_host *host = view->face->host;
    if (closing->commit != NULL)
        ll_docs_commit_unwatched(&host->docs, closing->commit);
    ll_release(&host->mem, closing, sizeof *closing);
}

static void
ask_for(struct closing *closing)
{
    struct ll_query *query = ll_view_query(&closing->view, LL_ST_alert_get);
    ll_put_int(&query->params, closing->id);
    ll_put_bytes(&query->params, closing->community);
    query->rows_max = 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(&closing->view);
}

/* Durable: who asked is told how it stands now, which another may have come
 * to first. */
static void
on_closed(struct ll_commit *commit, bool durable)
{
    struct closing *closing = commit->user;
    struct ll_err err;
    closing->commit = NULL;
    ll_docs_commit_free(&closing->view.face->host->docs, commit);
    if (durable) {
        ask_for(closing);
        return;
    }
    (void)ll_fail(&err, LINLI_E_IO, "store/failed", "it is not closed");
    ll_view_refuse(&closing->view, &err);
}

static void
close_it(struct closing *closing)
{
    struct ll_host *host = closing->view.face->host;
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    struct ll_err err;
    if (commit != NULL) {
        struct ll_buf *ops = &commit->ops;
        ll_commit_op(commit, LL_ST_alert_close);
        ll_put_int(ops, closing->id);
        ll_put_bytes(ops, closing->community);
        ll_put_int(ops, ll_world_wall(host->world).ms);
        ll_put_bytes(ops, ll_cstr(closing->actor.by));
        ll_put_bytes(ops, ll_cstr(closing->actor.reason));
    }
    if (commit == NULL || commit->ops.failed) {
        if (commit != NULL)
            ll_docs_commit_free(&host->docs, commit);
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room");
        ll_view_refuse(&closing->view, &err);
        return;
    }
    commit->done = on_closed;
    commit->user = closing;
    closing->commit = commit;
    (void)ll_store_commit(host->store, commit);
}

/* The alert as it is; closed by these very words, it is answered so, however
 * often it is asked. */
static void
step_closing(struct ll_view *view)
{
    struct closing *closing = LL_CONTAINER(view, struct closing, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct row row = {.id = 0};
    struct ll_err err;
    if (view->query.row_count == 0) {
        (void)ll_fail(
            &err, LINLI_E_NOT_FOUND, "request/not-found", "no such alert");
        ll_view_refuse(view, &err);
        return;
    }
    ll_buf_clear(&view->out);
    view->w = ll_jw(&view->out);
    if (!write_alert(view, &rd, &row)) {
        ll_view_torn(view);
    } else if (ll_str_is(row.state, "open")) {
        close_it(closing);
    } else if (ll_str_is(row.by, closing->actor.by) &&
               ll_str_is(row.reason, closing->actor.reason)) {
        ll_view_answer(view);
    } else {
        (void)ll_fail(
            &err, LINLI_E_CONFLICT, "alert/closed", "by %.*s", LL_FMT(row.by));
        ll_view_refuse(view, &err);
    }
}

void
ll_alert_close_begin(struct ll_face *face, struct ll_request *request,
    linli_str community, int64_t id)
{
    struct ll_err err;
    struct closing *closing = ll_alloc(&face->host->mem, sizeof *closing);
    if (closing == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    closing->view.step = step_closing;
    closing->view.end = end_closing;
    closing->community = community;
    closing->id = id;
    ll_view_begin(&closing->view, face, request);
    if (ll_actor_read(&closing->actor, &closing->view, true, &err) == LINLI_OK)
        ask_for(closing);
    else
        ll_view_refuse(&closing->view, &err);
}
