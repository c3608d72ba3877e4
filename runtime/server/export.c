/* server/export.c: a copy of what is kept of a resident. [loop]
 *
 * GET .../me/requests/{id}/export?cursor=   {items, next}
 *
 * Made as it is fetched, a page at a time: documents about them, of the
 * community's own collections that are theirs to have and of every plugin's.
 * Nothing of it is kept. For a week after it was asked for.
 */
#include <stdio.h>

#include "base/text.h"
#include "consent/values.h"
#include "host/rights.h"
#include "server/rights.h"

#define OWN 4 /* of the community: the resident, and values by class */

struct exporting {
    struct ll_view view;
    struct ll_community *community;
    char resident[LL_DOC_ID_BYTES_MAX + 1];
    char id[LL_REQUEST_ID_BYTES];
    char subject[LL_PID_BYTES], plugin[LL_DOC_ID_BYTES_MAX + 1];
    int64_t target, after_coll; /* where the page begins */
    char after_id[LL_DOC_ID_BYTES_MAX + 1];
    bool asked; /* the request was looked at */
};

static void
end(struct ll_view *view)
{
    struct exporting *x = LL_CONTAINER(view, struct exporting, view);
    ll_release(&view->face->host->mem, x, sizeof *x);
}

static void
refuse(struct exporting *x)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_NOT_FOUND, "request/not-found", "no such copy");
    ll_view_refuse(&x->view, &err);
}

/* "TARGET.COLLECTION.ID" */
static bool
read_cursor(struct exporting *x, linli_str cursor)
{
    linli_str rest = cursor, target, coll;
    if (cursor.ptr == NULL)
        return true;
    if (!ll_str_split(&rest, '.', &target) || rest.ptr == NULL ||
        !ll_str_split(&rest, '.', &coll) || rest.ptr == NULL ||
        rest.len >= sizeof x->after_id ||
        !ll_str_int(target, 0, LL_ERASE_TARGETS_MAX, &x->target) ||
        !ll_str_int(coll, 0, INT64_MAX, &x->after_coll))
        return false;
    (void)snprintf(x->after_id, sizeof x->after_id, "%.*s", LL_FMT(rest));
    return true;
}

static void
finish(struct exporting *x, const char *cursor)
{
    struct ll_jw *w = &x->view.w;
    ll_jw_close(w, ']');
    ll_jw_key(w, "next");
    if (cursor == NULL)
        ll_jw_null(w);
    else
        ll_jw_cstr(w, cursor);
    ll_jw_close(w, '}');
    ll_view_answer(&x->view);
}

/* What is theirs to have: no bookkeeping, and nobody else's part in it. */
static bool
is_theirs(linli_str coll)
{
    static const char *const own[] = {"~resident", "~person", "~grant",
        "~refusal", "~objection", "~field", "~payment"};
    for (size_t i = 0; i < LL_COUNT(own); i++)
        if (ll_str_is(coll, own[i]))
            return true;
    return !ll_str_starts(coll, "~");
}

static void ask_subject(struct exporting *x);

static void
take_documents(struct ll_view *view)
{
    struct exporting *x = LL_CONTAINER(view, struct exporting, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    char cursor[LL_DOC_ID_BYTES_MAX + 64];
    uint32_t rows = view->query.row_count;
    for (uint32_t i = 0; i < rows; i++) {
        bool there = false;
        (void)ll_rd_list(&rd);
        x->after_coll = ll_rd_int(&rd);
        linli_str id = ll_rd_bytes(&rd), coll = ll_rd_bytes(&rd);
        linli_str body = ll_rd_bytes_or_nil(&rd, &there);
        (void)snprintf(x->after_id, sizeof x->after_id, "%.*s", LL_FMT(id));
        if (!there || !is_theirs(coll))
            continue;
        ll_jw_open(&view->w, '{');
        if (x->plugin[0] != '\0')
            ll_view_text(view, "plugin", ll_cstr(x->plugin));
        ll_view_text(view, "collection", coll);
        ll_jw_key(&view->w, "document");
        ll_jw_raw(&view->w, body);
        ll_jw_close(&view->w, '}');
    }
    bool more = view->query.more || rows == LL_EXPORT_ROWS;
    if (!more) {
        x->target++;
        x->after_coll = 0;
        x->after_id[0] = '\0';
    }
    if (!more && view->out.len < LL_ADMIN_PAGE_BYTES) {
        ask_subject(x);
        return;
    }
    (void)snprintf(cursor, sizeof cursor, "%lld.%lld.%s", (long long)x->target,
        (long long)x->after_coll, x->after_id);
    finish(x, cursor);
}

static void
ask_documents(struct exporting *x)
{
    struct ll_query *query = ll_view_query(&x->view, LL_ST_doc_about_whole);
    x->view.step = take_documents;
    ll_put_bytes(&query->params, ll_cstr(x->subject));
    ll_put_int(&query->params, x->after_coll);
    ll_put_bytes(&query->params, ll_cstr(x->after_id));
    ll_put_int(&query->params, LL_EXPORT_ROWS);
    query->rows_max = LL_EXPORT_ROWS;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&x->view);
}

/* The pid by which the plugin that is next knows them. */
static void
take_pid(struct ll_view *view)
{
    struct exporting *x = LL_CONTAINER(view, struct exporting, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct ll_json *json = &view->face->host->docs.json;
    bool there = false;
    linli_str pid = {NULL, 0};
    if (x->target - OWN >= (int64_t)view->query.row_count) {
        finish(x, NULL);
        return;
    }
    for (int64_t i = OWN; i <= x->target; i++) {
        (void)ll_rd_list(&rd);
        linli_str plugin = ll_rd_bytes(&rd);
        linli_str body = ll_rd_bytes_or_nil(&rd, &there);
        (void)snprintf(x->plugin, sizeof x->plugin, "%.*s", LL_FMT(plugin));
        pid = there && ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) ==
                           LINLI_OK
                  ? ll_jv_str(ll_jv_get(ll_json_root(json), "pid"))
                  : (linli_str){NULL, 0};
    }
    (void)snprintf(x->subject, sizeof x->subject, "%.*s", LL_FMT(pid));
    ask_documents(x);
}

static void
ask_subject(struct exporting *x)
{
    struct ll_store *store = x->view.face->host->store;
    struct ll_owner owner = {.community = x->community->id,
        .coll = LL_OF_RESIDENT,
        .id = ll_cstr(x->resident)};
    if (x->target == 0) {
        ll_subject(
            store, owner.community, LL_SUBJECT_RESIDENT, owner.id, x->subject);
        ask_documents(x);
    } else if (x->target < OWN) {
        ll_values_subject(store, &owner, (enum ll_class)x->target, x->subject);
        ask_documents(x);
    } else {
        char id[LL_DOC_ID_BYTES_MAX + 3];
        struct ll_query *query = ll_view_query(&x->view, LL_ST_pids_of);
        (void)snprintf(id, sizeof id, "r:%s", x->resident);
        x->view.step = take_pid;
        ll_put_bytes(&query->params, x->community->id);
        ll_put_bytes(&query->params, ll_cstr(id));
        ll_view_ask(&x->view);
    }
}

/* Theirs, a copy, and not too long ago. */
static void
take_request(struct ll_view *view)
{
    struct exporting *x = LL_CONTAINER(view, struct exporting, view);
    struct ll_host *host = view->face->host;
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    int64_t at_ms = 0, now_ms = ll_world_wall(host->world).ms;
    bool there = false;
    linli_str body = {NULL, 0};
    if (view->query.row_count == 1) {
        (void)ll_rd_list(&rd);
        for (int k = 0; k < 3; k++) /* version, due, subject */
            (void)ll_rd_value(&rd);
        body = ll_rd_bytes_or_nil(&rd, &there);
    }
    struct ll_json *json = &host->docs.json;
    if (!there ||
        ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK) {
        refuse(x);
        return;
    }
    struct ll_jv root = ll_json_root(json);
    (void)ll_jv_int(ll_jv_get(root, "at"), &at_ms);
    if (!ll_str_is(ll_jv_str(ll_jv_get(root, "kind")), "export") ||
        !ll_str_is(ll_jv_str(ll_jv_get(root, "resident")), x->resident) ||
        now_ms >= at_ms + LL_EXPORT_KEPT_MS) {
        refuse(x);
        return;
    }
    ll_jw_open(&view->w, '{');
    ll_view_text(view, "request", ll_cstr(x->id));
    ll_view_instant(view, "made_at", now_ms);
    ll_jw_key(&view->w, "items");
    ll_jw_open(&view->w, '[');
    ask_subject(x);
}

void
ll_export_begin(struct ll_face *face, struct ll_request *request,
    const struct ll_exporting *wanted)
{
    struct exporting *x = ll_alloc(&face->host->mem, sizeof *x);
    if (x == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    x->community = wanted->community;
    (void)snprintf(
        x->resident, sizeof x->resident, "%.*s", LL_FMT(wanted->resident));
    (void)snprintf(x->id, sizeof x->id, "%.*s", LL_FMT(wanted->id));
    x->view.step = take_request;
    x->view.end = end;
    ll_view_begin(&x->view, face, request);
    if (wanted->community->rights == NULL || !read_cursor(x, wanted->cursor)) {
        refuse(x);
        return;
    }
    struct ll_query *query = ll_view_query(&x->view, LL_ST_doc_get);
    ll_put_int(&query->params, wanted->community->rights->queue->coll->id);
    ll_put_bytes(&query->params, ll_cstr(x->id));
    query->rows_max = 1;
    ll_view_ask(&x->view);
}
