/* server/audit.c: the leaves of a community, for its operator. [loop]
 *
 * GET /v1/c/{c}/admin/audit?type=&plugin=&subject=&limit=&cursor=
 *
 * Newest first. The database looks at so many leaves of the whole log for one
 * page, and no more; a page may be short or empty and have a next one.
 */
#include "server/log.h"

#include <stdio.h>

#include "base/text.h"
#include "domain/leaf.h"
#include "domain/merkle.h"

static const char *const names[] = {
    "type", "plugin", "subject", "limit", "cursor", NULL};

struct audit {
    struct ll_view view;
    struct ll_params params;
    linli_str community;
    int64_t limit, before; /* before: looked at from there down */
    int64_t down_to;       /* to there */
};

static void
end(struct ll_view *view)
{
    struct audit *audit = LL_CONTAINER(view, struct audit, view);
    ll_release(&view->face->host->mem, audit, sizeof *audit);
}

static bool
wanted(linli_str is, linli_str want)
{
    return want.ptr == NULL || ll_str_eq(is, want);
}

/* What the database has found by its text is what was asked for. */
static bool
fits(const struct audit *audit, struct ll_json *json, linli_str text)
{
    struct ll_leaf leaf;
    return ll_leaf_read(json, text, &leaf, NULL) == LINLI_OK &&
           ll_str_eq(leaf.community, audit->community) &&
           wanted(ll_cstr(ll_leaf_type_name(leaf.type)),
               ll_param(&audit->params, "type")) &&
           wanted(leaf.plugin, ll_param(&audit->params, "plugin")) &&
           wanted(leaf.subject, ll_param(&audit->params, "subject"));
}

/* {"seq","leaf_hash", and the leaf's own members}. */
static void
write_row(struct ll_view *view, int64_t seq, linli_str leaf)
{
    struct ll_hash hash;
    struct ll_buf row;
    char hex[2 * LL_SHA256_BYTES + 1];
    ll_merkle_leaf(leaf, &hash);
    ll_hex(hash.bytes, sizeof hash.bytes, hex);
    ll_buf_init(&row, &view->face->host->mem, LL_LEAF_BYTES_MAX + 256);
    ll_buf_printf(
        &row, "{\"seq\":%lld,\"leaf_hash\":\"%s\",", (long long)seq, hex);
    ll_buf_str(&row, (linli_str){leaf.ptr + 1, leaf.len - 1});
    if (row.failed)
        view->out.failed = true;
    else
        ll_jw_raw(&view->w, ll_buf_view(&row));
    ll_buf_fini(&row);
}

static void
step(struct ll_view *view)
{
    struct audit *audit = LL_CONTAINER(view, struct audit, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct ll_json json;
    uint32_t rows = view->query.row_count, i = 0, written = 0;
    int64_t seq = audit->before;
    ll_json_init(&json, &view->face->host->mem);
    for (; i < rows && written < audit->limit &&
           view->out.len < LL_ADMIN_PAGE_BYTES;
         i++) {
        (void)ll_rd_list(&rd);
        seq = ll_rd_int(&rd);
        linli_str leaf = ll_rd_bytes(&rd);
        if (rd.bad || !fits(audit, &json, leaf))
            continue;
        write_row(view, seq, leaf);
        written++;
    }
    ll_json_fini(&json);
    bool cut = i < rows || view->query.more;
    int64_t next = cut ? seq : audit->down_to;
    ll_jw_close(&view->w, ']');
    ll_view_cursor(view, cut || audit->down_to > 0, next);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

/* `"name":"value"` as a leaf has it; null for no value. */
static void
put_member(struct ll_buf *params, struct ll_mem *mem, const char *name,
    linli_str value)
{
    struct ll_buf text;
    if (value.ptr == NULL) {
        ll_put_nil(params);
        return;
    }
    ll_buf_init(&text, mem, 2 * LL_LEAF_BYTES_MAX);
    ll_buf_printf(&text, "\"%s\":\"", name);
    ll_json_escape(&text, value);
    ll_buf_char(&text, '"');
    ll_put_bytes(params, ll_buf_view(&text));
    params->failed = params->failed || text.failed;
    ll_buf_fini(&text);
}

static void
ask_rows(struct audit *audit)
{
    struct ll_mem *mem = &audit->view.face->host->mem;
    struct ll_query *query = ll_view_query(&audit->view, LL_ST_log_find);
    struct ll_buf *params = &query->params;
    audit->down_to = audit->before > LL_LOG_LOOKED_MAX
                         ? audit->before - LL_LOG_LOOKED_MAX
                         : 0;
    ll_put_int(params, audit->before);
    ll_put_int(params, audit->down_to);
    put_member(params, mem, "community", audit->community);
    put_member(params, mem, "type", ll_param(&audit->params, "type"));
    put_member(params, mem, "plugin", ll_param(&audit->params, "plugin"));
    put_member(params, mem, "subject", ll_param(&audit->params, "subject"));
    ll_put_int(params, audit->limit + 1);
    query->rows_max = (uint32_t)audit->limit + 1;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_jw_open(&audit->view.w, '{');
    ll_jw_key(&audit->view.w, "items");
    ll_jw_open(&audit->view.w, '[');
    audit->view.step = step;
    ll_view_ask(&audit->view);
}

/* How long the log is: where a first page begins. */
static void
step_size(struct ll_view *view)
{
    struct audit *audit = LL_CONTAINER(view, struct audit, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    if (view->query.row_count == 1) {
        (void)ll_rd_list(&rd);
        audit->before = ll_rd_int(&rd);
    }
    if (rd.bad)
        ll_view_torn(view);
    else
        ask_rows(audit);
}

static linli_status
begin(struct audit *audit, struct ll_err *err)
{
    struct ll_view *view = &audit->view;
    linli_status status =
        ll_params_read(&audit->params, names, view->request->query, err);
    if (status == LINLI_OK)
        status =
            ll_view_page(&audit->params, &audit->limit, &audit->before, err);
    if (status != LINLI_OK)
        return status;
    if (audit->before > 0) {
        ask_rows(audit);
        return LINLI_OK;
    }
    struct ll_query *query = ll_view_query(view, LL_ST_log_size);
    query->rows_max = 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    ll_view_ask(view);
    return LINLI_OK;
}

void
ll_audit_begin_rows(
    struct ll_face *face, struct ll_request *request, linli_str community)
{
    struct ll_err err;
    struct audit *audit = ll_alloc(&face->host->mem, sizeof *audit);
    if (audit == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    audit->view.step = step_size;
    audit->view.end = end;
    audit->community = community;
    ll_view_begin(&audit->view, face, request);
    if (begin(audit, &err) != LINLI_OK)
        ll_view_refuse(&audit->view, &err);
}
