/* server/alerts.c: what plugins and the runtime have raised. [loop]
 *
 * GET /v1/c/{c}/admin/alerts?kind=&state=&limit=&cursor=    newest first
 */
#include "server/view.h"

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

/* One row as an item; false if it cannot be read. */
static bool
write_alert(struct ll_view *view, struct ll_rd *rd, int64_t *id)
{
    struct ll_jw *w = &view->w;
    bool there = false;
    (void)ll_rd_list(rd);
    *id = ll_rd_int(rd);
    (void)ll_rd_bytes(rd); /* the community that was asked for */
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_int(w, *id);
    ll_view_text(view, "kind", ll_rd_bytes(rd));
    ll_view_text(view, "plugin", ll_rd_bytes(rd));
    ll_view_instant(view, "at", ll_rd_int(rd));
    linli_str subject = ll_rd_bytes_or_nil(rd, &there);
    ll_view_text(view, "subject", there ? subject : (linli_str){NULL, 0});
    ll_view_text(view, "trace_id", ll_rd_bytes(rd));
    ll_view_text(view, "state", ll_rd_bytes(rd));
    linli_str data = ll_rd_bytes_or_nil(rd, &there);
    ll_jw_key(w, "data");
    if (there && data.len > 0)
        ll_jw_raw(w, data);
    else
        ll_jw_null(w); /* of somebody who has been forgotten */
    ll_jw_close(w, '}');
    return !rd->bad;
}

static void
step(struct ll_view *view)
{
    struct alerts *alerts = LL_CONTAINER(view, struct alerts, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    uint32_t rows = view->query.row_count, i = 0;
    int64_t id = 0;
    /* So many bytes end a page: the data of an alert may be long. */
    for (; i < rows && i < (uint32_t)alerts->limit &&
           view->out.len < LL_ADMIN_PAGE_BYTES;
         i++)
        if (!write_alert(view, &rd, &id)) {
            ll_view_torn(view);
            return;
        }
    ll_jw_close(&view->w, ']');
    ll_view_cursor(view, i < rows || view->query.more, id);
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
