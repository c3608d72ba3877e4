/* server/export.c: a copy of what is kept of a resident. [loop]
 *
 * GET .../me/requests/{id}/export?cursor=   {items, next}
 *
 * Made as it is fetched, a page at a time, for a week: documents about them,
 * of the community's own collections that are theirs to have and of every
 * plugin's; their receipts, and what the log has of them; what plugins gave
 * when they were asked (host/rights_call.c), which alone was kept, sealed as
 * theirs. Each page is signed, and says where it begins and which is next.
 */
#include <stdio.h>

#include "base/text.h"
#include "consent/values.h"
#include "host/rights.h"
#include "server/consents.h"
#include "server/deal.h"
#include "server/rights.h"
#include "server/signed.h"

/* What comes after one another: of the community, the resident and values by
 * class; then plugins. */
#define VALUES LL_C3
#define RECEIPTS (VALUES + 1)
#define LOG (VALUES + 2)
#define SUBS (VALUES + 3)
#define OWN (VALUES + 4)
#define LEAVES_MAX 400 /* looked at for one page */
#define SUBS_MAX 50

struct exporting {
    struct ll_view view;
    struct ll_community *community;
    char resident[LL_DOC_ID_BYTES_MAX + 1];
    char id[LL_REQUEST_ID_BYTES];
    char tag[2 * LL_TAG_BYTES + 1]; /* by which the log calls them; or empty */
    char subject[LL_PID_BYTES], plugin[LL_DOC_ID_BYTES_MAX + 1];
    int64_t target, after_coll; /* where the page begins */
    char after_id[LL_DOC_ID_BYTES_MAX + 1];
    struct ll_receipting receipt;
    struct ll_buf text;                    /* of it */
    char cursor[LL_DOC_ID_BYTES_MAX + 64]; /* the same, as it was asked for */
};

static void
end(struct ll_view *view)
{
    struct exporting *x = LL_CONTAINER(view, struct exporting, view);
    ll_receipting_end(&x->receipt);
    ll_buf_fini(&x->text);
    ll_release(&view->face->host->mem, x, sizeof *x);
}

static void
refuse(struct exporting *x, const char *code, const char *why)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_NOT_FOUND, code, "%s", why);
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
        !ll_str_int(target, 0, LL_ERASE_TARGETS_MAX + OWN, &x->target) ||
        !ll_str_int(coll, 0, INT64_MAX, &x->after_coll))
        return false;
    (void)snprintf(x->after_id, sizeof x->after_id, "%.*s", LL_FMT(rest));
    (void)snprintf(x->cursor, sizeof x->cursor, "%.*s", LL_FMT(cursor));
    return true;
}

static void ask_subject(struct exporting *x);

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
    struct ll_err err;
    if (ll_signed_close(x->view.face->host, "linli.copy.v1", &x->view.out, 0,
            &err) == LINLI_OK)
        ll_view_answer(&x->view);
    else
        ll_view_refuse(&x->view, &err);
}

/* The page is full, or all of a kind is on it. */
static void
go_on(struct exporting *x, bool more)
{
    char cursor[LL_DOC_ID_BYTES_MAX + 64];
    if (!more) {
        x->target++;
        x->after_coll = 0;
        x->after_id[0] = '\0';
    }
    if (!more && x->view.out.len < LL_ADMIN_PAGE_BYTES && !x->view.out.failed) {
        ask_subject(x);
        return;
    }
    (void)snprintf(cursor, sizeof cursor, "%lld.%lld.%s", (long long)x->target,
        (long long)x->after_coll, x->after_id);
    finish(x, cursor);
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
    return !ll_str_starts(coll, "~") || ll_str_is(coll, LL_COPIES);
}

static void
write_document(struct exporting *x, linli_str coll, linli_str body)
{
    struct ll_view *view = &x->view;
    struct ll_json *json = &view->face->host->docs.json;
    const char *const own[] = {x->subject, x->tag, NULL};
    bool copy = ll_str_is(coll, LL_COPIES);
    if (ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK) {
        view->out.failed = true;
        return;
    }
    struct ll_jv root = ll_json_root(json);
    ll_jw_open(&view->w, '{');
    ll_view_text(view, "kind", ll_cstr(copy ? "answer" : "document"));
    if (x->plugin[0] != '\0')
        ll_view_text(view, "plugin", ll_cstr(x->plugin));
    if (!copy)
        ll_view_text(view, "collection", coll);
    ll_jw_key(&view->w, copy ? "answer" : "document");
    ll_redacted_put(&view->w, copy ? ll_jv_get(root, "answer") : root, own);
    ll_jw_close(&view->w, '}');
}

static void
take_documents(struct ll_view *view)
{
    struct exporting *x = LL_CONTAINER(view, struct exporting, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
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
        write_document(x, coll, body);
    }
    go_on(x, view->query.more || rows == LL_EXPORT_ROWS);
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

/* -- receipts and the log -- */

static uint32_t
subject_of(const struct exporting *x)
{
    return ll_consent_subject(x->view.face->host->arbiter.consent,
        x->community->id, ll_cstr(x->resident));
}

static void next_receipt(struct exporting *x);

/* The receipt as it is shown, without others. */
static void
put_receipt(struct exporting *x)
{
    struct ll_view *view = &x->view;
    char grant[2 * LL_TAG_BYTES + 1];
    const char *const own[] = {x->tag, grant, x->receipt.pid, NULL};
    struct ll_json json;
    ll_hex(x->receipt.id, sizeof x->receipt.id, grant);
    ll_json_init(&json, &view->face->host->mem);
    ll_jw_open(&view->w, '{');
    ll_view_text(view, "kind", LINLI_STR("receipt"));
    ll_jw_key(&view->w, "receipt");
    if (x->text.failed || ll_json_parse(&json, ll_buf_view(&x->text),
                              LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        view->out.failed = true;
    else
        ll_redacted_put(&view->w, ll_json_root(&json), own);
    ll_jw_close(&view->w, '}');
    ll_json_fini(&json);
}

static void
on_receipt(struct ll_receipting *receipt)
{
    struct exporting *x = LL_CONTAINER(receipt, struct exporting, receipt);
    put_receipt(x);
    ll_receipting_end(receipt);
    x->after_coll++;
    next_receipt(x);
}

static void
take_receipt(struct ll_view *view)
{
    ll_receipting_step(&LL_CONTAINER(view, struct exporting, view)->receipt);
}

/* after_coll: how many there were before. */
static void
next_receipt(struct exporting *x)
{
    struct ll_view *view = &x->view;
    const struct ll_consent *consent = view->face->host->arbiter.consent;
    uint32_t subject = subject_of(x), at = LL_NO_GRANT;
    if (x->tag[0] != '\0' && subject != LL_NOBODY)
        at = ll_consent_next_grant(consent, subject, at);
    for (int64_t n = 0; at != LL_NO_GRANT && n < x->after_coll; n++)
        at = ll_consent_next_grant(consent, subject, at);
    if (at == LL_NO_GRANT) {
        go_on(x, false);
    } else if (view->out.len >= LL_ADMIN_PAGE_BYTES || view->out.failed) {
        go_on(x, true);
    } else {
        view->step = take_receipt;
        ll_buf_clear(&x->text);
        x->receipt.into = &x->text;
        x->receipt.done = on_receipt;
        ll_receipting_begin(&x->receipt, view, x->community, at, false);
    }
}

static void
take_leaves(struct ll_view *view)
{
    struct exporting *x = LL_CONTAINER(view, struct exporting, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct ll_json json;
    struct ll_leaf leaf;
    uint32_t rows = view->query.row_count;
    ll_json_init(&json, &view->face->host->mem);
    for (uint32_t i = 0; i < rows; i++) {
        (void)ll_rd_list(&rd);
        x->after_coll = ll_rd_int(&rd);
        if (ll_leaf_read(&json, ll_rd_bytes(&rd), &leaf, NULL) != LINLI_OK ||
            !ll_access_is(&leaf))
            continue;
        ll_jw_open(&view->w, '{');
        ll_view_text(view, "kind", LINLI_STR("read"));
        ll_access_put(view, x->community, &leaf, x->after_coll, false);
        ll_jw_close(&view->w, '}');
    }
    ll_json_fini(&json);
    go_on(x, rows == LEAVES_MAX);
}

/* after_coll: the last that was looked at; they come newest first. */
static void
ask_leaves(struct exporting *x)
{
    struct ll_query *query = ll_view_query(&x->view, LL_ST_leaf_about);
    x->view.step = take_leaves;
    ll_put_bytes(&query->params, ll_cstr(x->tag));
    ll_put_int(&query->params, x->after_coll == 0 ? INT64_MAX : x->after_coll);
    ll_put_int(&query->params, LEAVES_MAX);
    query->rows_max = LEAVES_MAX;
    ll_view_ask(&x->view);
}

/* -- subscriptions -- */

/* after_coll: the last that is on a page. */
static void
take_subs(struct exporting *x)
{
    const struct ll_host *host = x->view.face->host;
    struct ll_sub_reader reader = {ll_cstr(x->resident), {NULL, 0}};
    struct ll_sub_person person = {
        x->community->id, LL_PARTY_RESIDENT, reader.resident};
    struct ll_sub *found[SUBS_MAX];
    struct ll_jw *w = &x->view.w;
    uint32_t count = ll_subs_about(
        &host->billing, &person, (uint32_t)x->after_coll, found, SUBS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        ll_jw_open(w, '{');
        ll_jw_key(w, "kind");
        ll_jw_cstr(w, "subscription");
        ll_jw_key(w, "subscription");
        ll_sub_write(w, &host->billing, found[i], ll_world_wall(host->world).ms,
            &reader);
        ll_jw_close(w, '}');
        ll_jw_close(w, '}');
        x->after_coll = found[i]->id;
    }
    go_on(x, count == SUBS_MAX);
}

/* -- plugins -- */

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
    } else if (x->target <= VALUES) {
        ll_values_subject(store, &owner, (enum ll_class)x->target, x->subject);
        ask_documents(x);
    } else if (x->target == RECEIPTS) {
        next_receipt(x);
    } else if (x->target == LOG) {
        ask_leaves(x);
    } else if (x->target == SUBS) {
        take_subs(x);
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

static void
begin_page(struct exporting *x, struct ll_jv root, int64_t now_ms)
{
    struct ll_view *view = &x->view;
    const struct ll_consent *consent = view->face->host->arbiter.consent;
    uint32_t subject = subject_of(x);
    const struct ll_person *person =
        subject == LL_NOBODY ? NULL : ll_consent_person(consent, subject);
    if (person != NULL)
        ll_hex(person->tag, sizeof person->tag, x->tag);
    ll_jw_open(&view->w, '{');
    ll_view_text(view, "community", x->community->id);
    ll_view_text(view, "request", ll_cstr(x->id));
    ll_view_instant(view, "made_at", now_ms);
    ll_jw_key(&view->w, "cursor");
    if (x->cursor[0] == '\0')
        ll_jw_null(&view->w);
    else
        ll_jw_cstr(&view->w, x->cursor);
    ll_jw_key(&view->w, "missed");
    if (ll_jv_there(ll_jv_get(root, "missed")))
        ll_jw_value(&view->w, ll_jv_get(root, "missed"));
    else
        ll_jw_raw(&view->w, LINLI_STR("[]"));
    ll_jw_key(&view->w, "items");
    ll_jw_open(&view->w, '[');
    ask_subject(x);
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
        refuse(x, "request/not-found", "no such copy");
        return;
    }
    struct ll_jv root = ll_json_root(json);
    bool made = ll_jv_int(ll_jv_get(root, "done_at"), &at_ms);
    if (!ll_str_is(ll_jv_str(ll_jv_get(root, "kind")), "export") ||
        !ll_str_is(ll_jv_str(ll_jv_get(root, "resident")), x->resident) ||
        (made && now_ms >= at_ms + LL_EXPORT_KEPT_MS))
        refuse(x, "request/not-found", "no such copy");
    else if (!made)
        refuse(x, "request/not-done", "plugins have been asked for their part");
    else
        begin_page(x, root, now_ms);
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
    ll_buf_init(&x->text, &face->host->mem, LL_HTTP_RESPONSE_BYTES_MAX);
    (void)snprintf(
        x->resident, sizeof x->resident, "%.*s", LL_FMT(wanted->resident));
    (void)snprintf(x->id, sizeof x->id, "%.*s", LL_FMT(wanted->id));
    x->view.step = take_request;
    x->view.end = end;
    ll_view_begin(&x->view, face, request);
    if (wanted->community->rights == NULL || !read_cursor(x, wanted->cursor)) {
        refuse(x, "request/not-found", "no such copy");
        return;
    }
    struct ll_query *query = ll_view_query(&x->view, LL_ST_doc_get);
    ll_put_int(&query->params, wanted->community->rights->queue->coll->id);
    ll_put_bytes(&query->params, ll_cstr(x->id));
    query->rows_max = 1;
    ll_view_ask(&x->view);
}
