/* server/invoice_records.c: the records behind a line. [loop]
 *
 * A line says its meter, its plan version and its period, and the invoice up
 * to which record it was made: those are the records, found by the buckets of
 * the meter. Each has the id of the call it came from.
 */
#include <stdio.h>

#include "base/text.h"
#include "domain/age.h"
#include "domain/usage.h"
#include "server/invoices.h"

struct records {
    struct ll_view view;
    struct ll_params params;
    linli_str community; /* of the request's path */
    char key[LL_HTTP_TARGET_BYTES_MAX];
    int64_t limit, after, items, watermark;
    uint32_t sub;
    struct ll_arena arena;
    struct ll_amounts_of of; /* whose, when, how far */
    uint32_t pages;
};

static void
end(struct ll_view *view)
{
    struct records *r = LL_CONTAINER(view, struct records, view);
    ll_arena_fini(&r->arena);
    ll_release(&view->face->host->mem, r, sizeof *r);
}

static void
put_record(struct records *r, const struct ll_usage *usage, uint64_t lsn)
{
    struct ll_view *view = &r->view;
    char text[40];
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "lsn");
    ll_jw_int(&view->w, (int64_t)lsn);
    (void)snprintf(text, sizeof text, "%016llx%016llx",
        (unsigned long long)usage->call_high,
        (unsigned long long)usage->call_low);
    ll_view_text(view, "call_id", ll_cstr(text));
    ll_view_instant(view, "at", usage->at_ms);
    (void)ll_usage_text(usage->quantity, text);
    ll_view_text(view, "quantity", ll_cstr(text));
    ll_jw_close(&view->w, '}');
    r->items++;
}

static void
answer(struct records *r, bool more)
{
    struct ll_view *view = &r->view;
    ll_jw_close(&view->w, ']');
    ll_view_cursor(view, more, (int64_t)r->of.after);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
ask(struct records *r)
{
    struct ll_query *query = ll_view_query(&r->view, LL_ST_sub_segments);
    ll_amounts_ask(query, &r->of);
    r->pages++;
    ll_view_ask(&r->view);
}

/* What a segment has of them, until the page is full. */
static void
look_through(
    struct records *r, uint32_t series, uint64_t first, linli_str content)
{
    struct ll_usage usage;
    uint64_t after = r->of.after;
    for (uint32_t i = 0;
         r->items < r->limit && ll_usage_get(content, i, &usage); i++) {
        uint64_t lsn = first + i;
        r->of.after = lsn > after ? lsn : after;
        if (lsn > after && lsn <= r->of.upto && usage.series == series &&
            usage.at_ms >= r->of.from_ms && usage.at_ms < r->of.to_ms)
            put_record(r, &usage, lsn);
    }
}

static void
step_segments(struct ll_view *view)
{
    struct records *r = LL_CONTAINER(view, struct records, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        (void)ll_rd_list(&rd);
        uint32_t series = (uint32_t)ll_rd_int_in(&rd, 0, UINT32_MAX);
        uint64_t first = (uint64_t)ll_rd_int(&rd);
        linli_str content = ll_rd_bytes(&rd);
        if (rd.bad) {
            ll_view_torn(view);
            return;
        }
        look_through(r, series, first, content);
    }
    if (r->items >= r->limit || r->pages >= LL_INVOICE_RECORD_PAGES_MAX)
        answer(r, view->query.row_count > 0);
    else if (view->query.row_count > 0)
        ask(r);
    else
        answer(r, false);
}

/* -- the line -- */

/* "basic@2" of the subscription's community. */
static const struct ll_plan_version *
find_plan(
    const struct ll_billing *billing, const struct ll_sub *sub, linli_str text)
{
    linli_str name;
    int64_t version = 0;
    if (!ll_str_split(&text, '@', &name) ||
        !ll_str_int(text, 1, UINT32_MAX, &version))
        return NULL;
    return ll_plan_find(billing, sub->community, name, (uint32_t)version);
}

static linli_status
find_line(struct records *r, struct ll_jv body, struct ll_err *err)
{
    const struct ll_billing *billing = &r->view.face->host->billing;
    const struct ll_sub *sub = ll_sub_by_id(billing, r->sub);
    struct ll_jv found = {NULL, 0};
    LL_JSON_EACH (line, ll_jv_get(body, "lines"))
        if (ll_str_is(ll_jv_str(ll_jv_get(line, "key")), r->key))
            found = line;
    if (!ll_jv_there(found))
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "the invoice has no such line");
    linli_str meter = ll_jv_str(ll_jv_get(found, "meter"));
    struct ll_jv days = ll_jv_get(found, "period");
    const struct ll_plan_version *plan =
        find_plan(billing, sub, ll_jv_str(ll_jv_get(found, "plan")));
    struct ll_period period;
    r->of.sub = r->sub;
    /* A fee was not counted: there are no records behind it. */
    if (meter.len == 0)
        return LINLI_OK;
    if (plan == NULL ||
        !ll_day_read(ll_jv_str(ll_jv_get(days, "from")), &period.from) ||
        !ll_day_read(ll_jv_str(ll_jv_get(days, "to")), &period.to))
        return ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
            "a line of an invoice cannot be read");
    r->of.version = plan->id;
    r->of.meter = ll_arena_str(&r->arena, meter);
    r->of.from_ms = ll_span_from(billing, sub, period);
    r->of.to_ms = ll_span_to(sub, period);
    r->of.after = (uint64_t)r->after;
    int64_t watermark = 0;
    (void)ll_jv_int(ll_jv_get(body, "watermark"), &watermark);
    r->of.upto = (uint64_t)watermark;
    return r->arena.failed
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room")
               : LINLI_OK;
}

static void
step_invoice(struct ll_view *view)
{
    struct records *r = LL_CONTAINER(view, struct records, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct ll_inv_row row;
    struct ll_json json;
    struct ll_err err;
    bool there = false;
    linli_str body = LINLI_STR("");
    if (view->query.row_count > 0 && ll_inv_row_read(&rd, &row)) {
        r->sub = row.sub;
        (void)ll_rd_int(&rd); /* last */
        (void)ll_rd_bytes_or_nil(&rd, &there);
        body = ll_rd_bytes_or_nil(&rd, &there);
    }
    ll_json_init(&json, &view->face->host->mem);
    linli_status status =
        there ? ll_json_parse(&json, body, LL_JSON_DEPTH_MAX, &err)
              : ll_fail(&err, LINLI_E_NOT_FOUND, "request/not-found",
                    "this community has no such final invoice");
    if (status == LINLI_OK)
        status = find_line(r, ll_json_root(&json), &err);
    ll_json_fini(&json);
    if (status != LINLI_OK) {
        ll_view_refuse(view, &err);
        return;
    }
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "items");
    ll_jw_open(&view->w, '[');
    view->step = step_segments;
    if (r->of.meter.len > 0)
        ask(r);
    else
        answer(r, false);
}

void
ll_invoice_records(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, int64_t id, linli_str key)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct ll_err err;
    struct records *r = ll_alloc(&face->host->mem, sizeof *r);
    if (r == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    (void)snprintf(r->key, sizeof r->key, "%.*s", LL_FMT(key));
    r->view.step = step_invoice;
    r->view.end = end;
    ll_arena_init(&r->arena, &face->host->mem, LL_INVOICE_BYTES_MAX);
    ll_view_begin(&r->view, face, request);
    linli_status status =
        ll_params_read(&r->params, names, request->query, &err);
    if (status == LINLI_OK)
        status = ll_view_page(&r->params, &r->limit, &r->after, &err);
    if (status != LINLI_OK) {
        ll_view_refuse(&r->view, &err);
        return;
    }
    struct ll_query *query = ll_view_query(&r->view, LL_ST_invoice_get);
    ll_put_int(&query->params, id);
    ll_put_bytes(&query->params, community->id);
    query->rows_max = 1;
    query->bytes_max = 2 * LL_INVOICE_BYTES_MAX;
    ll_view_ask(&r->view);
}
