/* server/usage_export.c: usage records as other systems read them. [loop]
 *
 * GET /v1/c/{c}/admin/usage/export?format=&after=&limit=
 *
 * The place where the next document begins stands in Linli-Next-After, and in
 * Linli-More whether there may be anything yet.
 */
#include <stdio.h>

#include "base/text.h"
#include "host/usage_rows.h"
#include "server/view.h"

struct exporting {
    struct ll_view view;
    struct ll_params params;
    struct ll_buf source;
    struct ll_usage_doc document;
    struct ll_usage_rows rows;
    int64_t segments; /* looked through */
    char next[24];
};

static void
end_exporting(struct ll_view *view)
{
    struct exporting *e = LL_CONTAINER(view, struct exporting, view);
    ll_buf_fini(&e->source);
    ll_release(&view->face->host->mem, e, sizeof *e);
}

static void
answer(struct exporting *e, bool more)
{
    struct ll_view *view = &e->view;
    ll_usage_doc_end(&e->document);
    (void)snprintf(
        e->next, sizeof e->next, "%llu", (unsigned long long)e->rows.after);
    view->content_type = ll_usage_doc_media(e->document.format);
    view->headers[0] =
        (struct ll_field){LINLI_STR("linli-next-after"), ll_cstr(e->next)};
    view->headers[1] = (struct ll_field){
        LINLI_STR("linli-more"), more ? LINLI_STR("true") : LINLI_STR("false")};
    view->header_count = 2;
    ll_view_answer(view);
}

static void
ask(struct exporting *e)
{
    ll_usage_rows_ask(
        ll_view_query(&e->view, LL_ST_segment_list), e->rows.after);
    ll_view_ask(&e->view);
}

static void
step(struct ll_view *view)
{
    struct exporting *e = LL_CONTAINER(view, struct exporting, view);
    uint64_t before = e->rows.after;
    struct ll_err err;
    if (!ll_usage_rows_take(&e->rows, &view->query)) {
        ll_view_torn(view);
        return;
    }
    if (!e->rows.seen && before > 0) {
        (void)ll_fail(&err, LINLI_E_INVALID, "request/cursor",
            "there is no record %llu: `after` is a place of another database, "
            "or of this one before an older copy was restored",
            (unsigned long long)before);
        ll_view_refuse(view, &err);
        return;
    }
    e->segments += view->query.row_count;
    if (e->rows.full || e->segments >= LL_ADMIN_SEGMENTS_MAX)
        answer(e, true);
    else if (e->rows.after == before)
        answer(e, false);
    else
        ask(e);
}

static linli_status
read_params(struct exporting *e, struct ll_err *err)
{
    static const char *const names[] = {"format", "after", "limit", NULL};
    struct ll_params *params = &e->params;
    int64_t after = 0, limit = 0;
    linli_status status =
        ll_params_read(params, names, e->view.request->query, err);
    if (status != LINLI_OK)
        return status;
    linli_str format = ll_param(params, "format");
    if (format.ptr != NULL &&
        !ll_usage_format_read(format, &e->document.format))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`format` is cloudevents, cloudevents-batch, csv, openmeter or "
            "lago");
    int64_t most = ll_usage_doc_most(e->document.format);
    limit = most < LL_EXPORT_RECORDS_DEFAULT ? most : LL_EXPORT_RECORDS_DEFAULT;
    status = ll_param_int(params, "after", 0, INT64_MAX - 1, &after, err);
    if (status == LINLI_OK)
        status = ll_param_int(params, "limit", 1, most, &limit, err);
    e->rows.after = (uint64_t)after;
    e->rows.most = (uint32_t)limit;
    return status;
}

void
ll_usage_export_begin(
    struct ll_face *face, struct ll_request *request, linli_str community)
{
    struct ll_err err;
    struct exporting *e = ll_alloc(&face->host->mem, sizeof *e);
    if (e == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    e->view.step = step;
    e->view.end = end_exporting;
    ll_view_begin(&e->view, face, request);
    ll_buf_init(&e->source, &face->host->mem, LL_EXPORT_SOURCE_BYTES_MAX);
    linli_status status = read_params(e, &err);
    ll_usage_rows_source(face->host, community, &e->source);
    if (status == LINLI_OK && e->source.failed)
        status = ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room");
    if (status != LINLI_OK) {
        ll_view_refuse(&e->view, &err);
        return;
    }
    e->document.out = &e->view.out;
    e->document.source = ll_buf_view(&e->source);
    e->rows.host = face->host;
    e->rows.community = community;
    e->rows.into = &e->document;
    ll_usage_doc_begin(&e->document);
    ask(e);
}
