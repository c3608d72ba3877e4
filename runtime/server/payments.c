/* server/payments.c: payments, for a community's operator. [loop]
 *
 * GET /v1/c/{c}/admin/payments?state=&limit=&cursor=
 * GET /v1/c/{c}/admin/payments/{id}
 *
 * Plugin after plugin, the newest of each first. They lie in the plugins'
 * spaces, so they are read as a transaction reads them, not by a statement.
 */
#include <stdio.h>

#include "base/text.h"
#include "base/tuple.h"
#include "data/scan.h"
#include "host/pay_doc.h"
#include "server/view.h"

#define KEY_BYTES_MAX 256

static const char *const names[] = {"state", "limit", "cursor", NULL};

struct payments {
    struct ll_view view;
    struct ll_params params;
    int64_t limit;
    linli_str state; /* of the query; ptr NULL: all */
    struct ll_community *community;
    struct ll_instance *instance; /* whose are being read */
    struct ll_txn txn;
    struct ll_scan scan;
    bool scanning;
    struct ll_buf low, high, after;  /* keys */
    linli_str after_id;              /* in `params`; ptr NULL: from the start */
    uint32_t count;                  /* items so far */
    char last[LL_PAY_ID_BYTES + 24]; /* the cursor after the last */
    /* of one */
    struct ll_doc *doc;
    struct ll_wait wait;
};

static void
end(struct ll_view *view)
{
    struct payments *p = LL_CONTAINER(view, struct payments, view);
    ll_wait_cancel(&p->wait);
    ll_doc_unref(&p->doc);
    if (p->scanning)
        ll_scan_fini(&p->scan);
    ll_txn_fini(&p->txn);
    ll_buf_fini(&p->low);
    ll_buf_fini(&p->high);
    ll_buf_fini(&p->after);
    ll_release(&view->face->host->mem, p, sizeof *p);
}

/* No query of the store's is asked. */
static void
step(struct ll_view *view)
{
    LL_UNUSED(view);
    ll_panic(__FILE__, __LINE__, "a view without a query has rows");
}

static struct payments *
payments_new(struct ll_face *face, struct ll_request *request)
{
    struct ll_mem *mem = &face->host->mem;
    struct payments *p = ll_alloc(mem, sizeof *p);
    if (p == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return NULL;
    }
    p->view.step = step;
    p->view.end = end;
    ll_view_begin(&p->view, face, request);
    ll_txn_init(&p->txn, &face->host->docs);
    ll_buf_init(&p->low, mem, KEY_BYTES_MAX);
    ll_buf_init(&p->high, mem, KEY_BYTES_MAX);
    ll_buf_init(&p->after, mem, KEY_BYTES_MAX);
    return p;
}

static void
refuse(
    struct payments *p, linli_status status, const char *code, const char *what)
{
    struct ll_err err;
    (void)ll_fail(&err, status, code, "%s", what);
    ll_view_refuse(&p->view, &err);
}

/* Adds one; false without memory. */
static bool
show(struct payments *p, linli_str body)
{
    struct ll_pay_doc pay;
    ll_pay_doc_init(&pay, &p->view.face->host->mem);
    bool good = ll_pay_doc_read(&pay, body);
    if (good) {
        ll_pay_doc_show(&pay, p->instance->id, &p->view.w);
        (void)snprintf(p->last, sizeof p->last, "%lld.%.*s",
            (long long)pay.money.created_ms, LL_FMT(pay.id));
    }
    ll_pay_doc_fini(&pay);
    return good;
}

/* -- a page -- */

static void read_on(struct payments *p);

static void
answer_page(struct payments *p, bool more)
{
    struct ll_jw *w = &p->view.w;
    ll_jw_close(w, ']');
    ll_jw_key(w, "next_cursor");
    if (more)
        ll_jw_cstr(w, p->last);
    else
        ll_jw_null(w);
    ll_jw_close(w, '}');
    ll_view_answer(&p->view);
}

static void
on_scanned(struct ll_scan *scan)
{
    struct payments *p = scan->user;
    uint32_t i = 0;
    if (scan->status != LINLI_OK) {
        ll_view_refuse(&p->view, &scan->err);
        return;
    }
    for (; i < scan->count && p->count < p->limit &&
           p->view.out.len < LL_ADMIN_PAGE_BYTES;
         i++, p->count++)
        if (!show(p, scan->items[i].content->body)) {
            refuse(p, LINLI_E_NOMEM, "runtime/memory", "no room");
            return;
        }
    bool more = i < scan->count || !scan->exhausted;
    ll_scan_fini(scan);
    p->scanning = false;
    ll_txn_reset(&p->txn);
    if (more) {
        answer_page(p, true);
        return;
    }
    p->instance = p->instance->next;
    p->after_id = (linli_str){NULL, 0};
    read_on(p);
}

/* What the keys of the wanted begin with; the index's name. */
static linli_str
put_head(const struct payments *p, struct ll_buf *key)
{
    ll_buf_clear(key);
    if (p->state.ptr == NULL)
        return (linli_str)LINLI_STR("by_created");
    if (ll_str_is(p->state, "flagged")) {
        ll_tuple_bool(key, true);
        return (linli_str)LINLI_STR("by_held");
    }
    ll_tuple_str(key, p->state);
    return (linli_str)LINLI_STR("by_state");
}

/* The instances that take money follow each other. */
static struct ll_instance *
next_with_payments(struct ll_instance *instance)
{
    while (instance != NULL &&
           ll_space_find(instance->space, LINLI_STR("~payment")) == NULL)
        instance = instance->next;
    return instance;
}

static void
read_on(struct payments *p)
{
    struct ll_scan *scan = &p->scan;
    int64_t created_ms = 0;
    p->instance = next_with_payments(p->instance);
    if (p->instance == NULL || p->count == p->limit) {
        answer_page(p, p->instance != NULL && p->count > 0);
        return;
    }
    ll_scan_init(scan, &p->txn);
    p->scanning = true;
    scan->coll = ll_pay_coll(p->instance);
    linli_str index = put_head(p, &p->low);
    (void)put_head(p, &p->high);
    (void)put_head(p, &p->after);
    if (p->state.ptr != NULL)
        (void)ll_tuple_next(&p->high);
    if (p->after_id.ptr != NULL) {
        (void)ll_str_int((linli_str){p->last, strcspn(p->last, ".")}, 0,
            INT64_MAX, &created_ms);
        ll_tuple_int(&p->after, created_ms);
        scan->after_key = ll_buf_view(&p->after);
        scan->after_id = p->after_id;
    }
    if (scan->coll == NULL || p->low.failed || p->high.failed ||
        p->after.failed) {
        refuse(p, LINLI_E_NOMEM, "runtime/memory", "no room");
        return;
    }
    scan->ix = ll_coll_find_index(scan->coll, index);
    scan->low = ll_buf_view(&p->low);
    if (p->state.ptr != NULL)
        scan->high = ll_buf_view(&p->high);
    scan->descending = true;
    scan->limit = (uint32_t)(p->limit - p->count) + 1;
    scan->bytes_max = LL_ADMIN_PAGE_BYTES;
    scan->done = on_scanned;
    scan->user = p;
    ll_scan_start(scan);
}

/* "CREATED.ID": the place after which a page begins. */
static linli_status
read_cursor(struct payments *p, linli_str cursor, struct ll_err *err)
{
    linli_str rest = cursor, created;
    int64_t ms;
    if (cursor.ptr == NULL)
        return LINLI_OK;
    if (cursor.len >= sizeof p->last || !ll_str_split(&rest, '.', &created) ||
        !ll_str_int(created, 0, INT64_MAX, &ms))
        return ll_fail(err, LINLI_E_INVALID, "request/cursor",
            "it is that of a page before");
    p->instance = ll_pay_instance(p->view.face->host, rest);
    if (p->instance == NULL || p->instance->community != p->community)
        return ll_fail(err, LINLI_E_INVALID, "request/cursor",
            "it is that of a page before");
    (void)snprintf(p->last, sizeof p->last, "%.*s", LL_FMT(cursor));
    p->after_id = rest;
    return LINLI_OK;
}

static linli_status
read_query(struct payments *p, struct ll_err *err)
{
    enum ll_pay_state state;
    linli_status status =
        ll_params_read(&p->params, names, p->view.request->query, err);
    p->limit = LL_ADMIN_LIST_DEFAULT;
    if (status == LINLI_OK)
        status = ll_param_int(
            &p->params, "limit", 1, LL_ADMIN_LIST_MAX, &p->limit, err);
    if (status != LINLI_OK)
        return status;
    p->state = ll_param(&p->params, "state");
    if (p->state.ptr != NULL && !ll_pay_state_read(p->state, &state))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`state` is none of creating, pending, flagged, paid, "
            "partially_refunded, refunded, expired, failed");
    return read_cursor(p, ll_param(&p->params, "cursor"), err);
}

static void
begin_list(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    struct ll_err err;
    struct payments *p = payments_new(face, request);
    if (p == NULL)
        return;
    p->community = community;
    p->instance = community->instances;
    if (read_query(p, &err) != LINLI_OK) {
        ll_view_refuse(&p->view, &err);
        return;
    }
    ll_jw_open(&p->view.w, '{');
    ll_jw_key(&p->view.w, "items");
    ll_jw_open(&p->view.w, '[');
    read_on(p);
}

/* -- one -- */

static void
answer_one(struct payments *p)
{
    const struct ll_doc *doc = p->doc;
    if (doc->state == LL_DOC_LOST)
        refuse(p, LINLI_E_IO, "store/failed", "a payment");
    else if (doc->content == NULL)
        refuse(p, LINLI_E_NOT_FOUND, "request/not-found", "no such payment");
    else if (!show(p, doc->content->body))
        refuse(p, LINLI_E_NOMEM, "runtime/memory", "no room");
    else
        ll_view_answer(&p->view);
}

static void
on_ready(struct ll_wait *wait)
{
    answer_one(LL_CONTAINER(wait, struct payments, wait));
}

static void
begin_one(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, linli_str id)
{
    struct ll_instance *instance = ll_pay_instance(face->host, id);
    if (instance == NULL || instance->community != community ||
        next_with_payments(instance) != instance) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    struct payments *p = payments_new(face, request);
    if (p == NULL)
        return;
    p->instance = instance;
    p->wait = (struct ll_wait){.ready = on_ready};
    struct ll_coll *coll = ll_pay_coll(instance);
    p->doc = coll == NULL ? NULL : ll_docs_get(coll, id);
    if (p->doc == NULL)
        refuse(p, LINLI_E_NOMEM, "runtime/memory", "no room");
    else if (ll_doc_ready(p->doc, &p->wait))
        answer_one(p);
}

bool
ll_payments_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    static const char path[] = "/payments";
    const size_t n = sizeof path - 1;
    bool list = ll_str_is(rest, path);
    if (!list && !ll_str_starts(rest, "/payments/"))
        return false;
    if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (list)
        begin_list(face, request, community);
    else
        begin_one(face, request, community,
            (linli_str){rest.ptr + n + 1, rest.len - n - 1});
    return true;
}
