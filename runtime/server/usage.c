/* server/usage.c: what was counted, for the operator. [loop]
 *
 * GET /v1/c/{c}/admin/usage?plugin=&meter=&from=&to=&limit=&cursor=
 * GET /v1/c/{c}/admin/usage/{bucket}/records?limit=&cursor=
 * GET /v1/c/{c}/admin/reconcile
 */
#include <stdio.h>

#include "base/text.h"
#include "billing/subs.h"
#include "host/agree.h"
#include "server/view.h"

#define TEXT_BYTES_MAX ((size_t)1 << 20) /* names of one answer */

/* -- buckets and their totals -- */

struct total {
    linli_str plugin, meter;
    int64_t quantity, count;
};

struct usage {
    struct ll_view view;
    struct ll_params params;
    struct ll_arena arena;
    linli_str community; /* of the request's path */
    int64_t limit, after, from_ms, to_ms;
    int64_t sub; /* -1: of all */
    int64_t items, last_item;
    bool with_totals; /* the first page has them, over all pages */
    bool more;
    struct total *totals;
    uint32_t total_count;
};

struct row {
    int64_t bucket, slot_ms, quantity, count, first, last, sub;
    linli_str plugin, meter;
};

static void
end_usage(struct ll_view *view)
{
    struct usage *usage = LL_CONTAINER(view, struct usage, view);
    ll_arena_fini(&usage->arena);
    ll_release(&view->face->host->mem, usage, sizeof *usage);
}

static void
refuse_memory(struct ll_view *view)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room");
    ll_view_refuse(view, &err);
}

static void
put_names(struct ll_view *view, linli_str plugin, linli_str meter)
{
    ll_view_text(view, "plugin", plugin);
    ll_view_text(view, "meter", meter);
}

static void
put_int(struct ll_view *view, const char *name, int64_t value)
{
    ll_jw_key(&view->w, name);
    ll_jw_int(&view->w, value);
}

static void
put_quantity(struct ll_view *view, int64_t quantity)
{
    char text[32];
    (void)ll_usage_text(quantity, text);
    ll_jw_key(&view->w, "quantity");
    ll_jw_cstr(&view->w, text);
}

static bool
read_row(struct ll_rd *rd, struct row *row)
{
    (void)ll_rd_list(rd);
    row->bucket = ll_rd_int(rd);
    row->slot_ms = ll_rd_int(rd);
    row->plugin = ll_rd_bytes(rd);
    row->meter = ll_rd_bytes(rd);
    row->quantity = ll_rd_int(rd);
    row->count = ll_rd_int(rd);
    row->first = ll_rd_int(rd);
    row->last = ll_rd_int(rd);
    row->sub = ll_rd_int(rd);
    return !rd->bad;
}

static void
write_bucket(struct usage *usage, const struct row *row)
{
    struct ll_view *view = &usage->view;
    char sub[LL_SUB_TEXT_BYTES];
    ll_sub_text((uint32_t)row->sub, sub);
    ll_jw_open(&view->w, '{');
    put_int(view, "bucket", row->bucket);
    ll_view_instant(view, "slot", row->slot_ms);
    put_names(view, row->plugin, row->meter);
    ll_view_text(view, "subscription", ll_cstr(sub));
    put_quantity(view, row->quantity);
    put_int(view, "count", row->count);
    put_int(view, "first_lsn", row->first);
    put_int(view, "last_lsn", row->last);
    ll_jw_close(&view->w, '}');
    usage->items++;
    usage->last_item = row->bucket;
}

/* The total of the row's plugin and meter; NULL past the bound or without
 * memory. */
static struct total *
total_of(struct usage *usage, const struct row *row)
{
    struct total *totals = usage->totals;
    uint32_t i = 0;
    while (
        i < usage->total_count && !(ll_str_eq(totals[i].meter, row->meter) &&
                                      ll_str_eq(totals[i].plugin, row->plugin)))
        i++;
    if (i == LL_ADMIN_TOTALS_MAX)
        return NULL;
    if (i == usage->total_count) {
        totals[i] =
            (struct total){.plugin = ll_arena_str(&usage->arena, row->plugin),
                .meter = ll_arena_str(&usage->arena, row->meter)};
        usage->total_count++;
    }
    return usage->arena.failed ? NULL : &totals[i];
}

static linli_status
add_total(struct usage *usage, const struct row *row, struct ll_err *err)
{
    struct total *total = total_of(usage, row);
    if (total == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "runtime/memory",
            "more than %d meters of plugins, or no memory",
            LL_ADMIN_TOTALS_MAX);
    if (__builtin_add_overflow(
            total->quantity, row->quantity, &total->quantity))
        return ll_fail(err, LINLI_E_LIMIT, "request/invalid",
            "the sum of %.*s leaves 64 bits: ask for a shorter time",
            LL_FMT(row->meter));
    total->count += row->count;
    return LINLI_OK;
}

static void
answer_usage(struct usage *usage)
{
    struct ll_view *view = &usage->view;
    ll_jw_close(&view->w, ']');
    if (usage->with_totals) {
        ll_jw_key(&view->w, "totals");
        ll_jw_open(&view->w, '[');
        for (uint32_t i = 0; i < usage->total_count; i++) {
            const struct total *total = &usage->totals[i];
            ll_jw_open(&view->w, '{');
            put_names(view, total->plugin, total->meter);
            put_quantity(view, total->quantity);
            put_int(view, "count", total->count);
            ll_jw_close(&view->w, '}');
        }
        ll_jw_close(&view->w, ']');
    }
    ll_view_cursor(view, usage->more, usage->last_item);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
ask_buckets(struct usage *usage)
{
    struct ll_view *view = &usage->view;
    struct ll_query *query = ll_view_query(view, LL_ST_bucket_list);
    ll_put_bytes(&query->params, usage->community);
    ll_view_put(&query->params, ll_param(&usage->params, "plugin"));
    ll_view_put(&query->params, ll_param(&usage->params, "meter"));
    ll_put_int(&query->params, usage->from_ms);
    ll_put_int(&query->params, usage->to_ms);
    ll_put_int(&query->params, usage->after);
    ll_put_int(&query->params, LL_ADMIN_PAGE_ROWS);
    if (usage->sub >= 0)
        ll_put_int(&query->params, usage->sub);
    else
        ll_put_nil(&query->params);
    query->rows_max = LL_ADMIN_PAGE_ROWS;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(view);
}

static void
step_usage(struct ll_view *view)
{
    struct usage *usage = LL_CONTAINER(view, struct usage, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct row row;
    struct ll_err err;
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        if (!read_row(&rd, &row)) {
            ll_view_torn(view);
            return;
        }
        usage->after = row.bucket;
        if (usage->items < usage->limit)
            write_bucket(usage, &row);
        else
            usage->more = true;
        if (usage->with_totals && add_total(usage, &row, &err) != LINLI_OK) {
            ll_view_refuse(view, &err);
            return;
        }
    }
    bool enough = usage->more && !usage->with_totals;
    if (view->query.row_count == 0 || enough)
        answer_usage(usage);
    else
        ask_buckets(usage);
}

/* "sub_16", and also sub_0 and sub_1: billing/subs.h. */
static linli_status
read_sub(struct usage *usage, struct ll_err *err)
{
    linli_str text = ll_param(&usage->params, "subscription");
    usage->sub = -1;
    if (text.ptr == NULL)
        return LINLI_OK;
    if (ll_str_starts(text, "sub_") &&
        ll_str_int((linli_str){text.ptr + 4, text.len - 4}, 0, UINT32_MAX,
            &usage->sub))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`subscription` is one, sub_16");
}

static linli_status
read_usage(struct usage *usage, struct ll_err *err)
{
    static const char *const names[] = {"plugin", "meter", "subscription",
        "from", "to", "limit", "cursor", NULL};
    struct ll_params *params = &usage->params;
    usage->from_ms = INT64_MIN;
    usage->to_ms = INT64_MAX;
    linli_status status =
        ll_params_read(params, names, usage->view.request->query, err);
    if (status == LINLI_OK)
        status = ll_param_instant(params, "from", &usage->from_ms, err);
    if (status == LINLI_OK)
        status = ll_param_instant(params, "to", &usage->to_ms, err);
    if (status == LINLI_OK)
        status = ll_view_page(params, &usage->limit, &usage->after, err);
    return status == LINLI_OK ? read_sub(usage, err) : status;
}

void
ll_usage_begin(
    struct ll_face *face, struct ll_request *request, linli_str community)
{
    struct ll_err err;
    struct usage *usage = ll_alloc(&face->host->mem, sizeof *usage);
    if (usage == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    usage->view.step = step_usage;
    usage->view.end = end_usage;
    usage->community = community;
    ll_view_begin(&usage->view, face, request);
    ll_arena_init(&usage->arena, &face->host->mem, TEXT_BYTES_MAX);
    linli_status status = read_usage(usage, &err);
    usage->with_totals = usage->after == 0;
    if (status == LINLI_OK && usage->with_totals) {
        usage->totals = ll_arena_alloc(
            &usage->arena, LL_ADMIN_TOTALS_MAX * sizeof *usage->totals);
        if (usage->totals == NULL)
            status = ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "no room");
    }
    if (status != LINLI_OK) {
        ll_view_refuse(&usage->view, &err);
        return;
    }
    ll_jw_open(&usage->view.w, '{');
    ll_jw_key(&usage->view.w, "items");
    ll_jw_open(&usage->view.w, '[');
    ask_buckets(usage);
}

/* -- the records behind a bucket -- */

struct records {
    struct ll_view view;
    struct ll_params params;
    struct ll_arena arena;
    linli_str community; /* of the request's path */
    linli_str plugin, meter;
    int64_t limit, items, after, last; /* LSNs: looked at; of the bucket */
    int64_t slot_ms, segments;
    uint32_t series;
};

static void
end_records(struct ll_view *view)
{
    struct records *records = LL_CONTAINER(view, struct records, view);
    ll_arena_fini(&records->arena);
    ll_release(&view->face->host->mem, records, sizeof *records);
}

static void
write_record(struct records *records, const struct ll_usage *usage, int64_t lsn)
{
    struct ll_view *view = &records->view;
    char text[33];
    ll_jw_open(&view->w, '{');
    put_int(view, "lsn", lsn);
    (void)snprintf(text, sizeof text, "%016llx%016llx",
        (unsigned long long)usage->call_high,
        (unsigned long long)usage->call_low);
    ll_jw_key(&view->w, "call_id");
    ll_jw_cstr(&view->w, text);
    ll_view_instant(view, "at", usage->at_ms);
    put_names(view, records->plugin, records->meter);
    put_quantity(view, usage->quantity);
    put_int(view, "cpu_us", usage->cpu_us);
    if (usage->event_hash != 0) {
        (void)snprintf(text, sizeof text, "%016llx",
            (unsigned long long)usage->event_hash);
        ll_jw_key(&view->w, "event_hash");
        ll_jw_cstr(&view->w, text);
    }
    ll_jw_close(&view->w, '}');
    records->items++;
}

static void
answer_records(struct records *records)
{
    struct ll_view *view = &records->view;
    ll_jw_close(&view->w, ']');
    ll_view_cursor(view, records->after < records->last, records->after);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
ask_segments(struct records *records)
{
    struct ll_query *query = ll_view_query(&records->view, LL_ST_segment_list);
    ll_put_int(&query->params, records->after + 1);
    ll_put_int(&query->params, records->last);
    ll_put_int(&query->params, LL_ADMIN_PAGE_ROWS);
    query->rows_max = LL_ADMIN_PAGE_ROWS;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&records->view);
}

/* Writes what a segment has of the bucket, until the page is full. */
static void
look_through(struct records *records, int64_t first, linli_str content)
{
    struct ll_usage usage;
    for (uint32_t i = 0;
         records->items < records->limit && first + i <= records->last &&
         ll_usage_get(content, i, &usage);
         i++) {
        if (first + i <= records->after)
            continue;
        records->after = first + i;
        if (usage.series == records->series &&
            ll_usage_slot(usage.at_ms) == records->slot_ms)
            write_record(records, &usage, first + i);
    }
}

static void
step_segments(struct ll_view *view)
{
    struct records *records = LL_CONTAINER(view, struct records, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        (void)ll_rd_list(&rd);
        int64_t first = ll_rd_int(&rd);
        (void)ll_rd_int(&rd); /* last */
        (void)ll_rd_int(&rd); /* count */
        (void)ll_rd_bytes(&rd);
        linli_str content = ll_rd_bytes(&rd);
        if (rd.bad) {
            ll_view_torn(view);
            return;
        }
        look_through(records, first, content);
    }
    records->segments += view->query.row_count;
    if (view->query.row_count == 0)
        records->after = records->last; /* no more of it is there */
    if (records->items == records->limit || records->after >= records->last ||
        records->segments >= LL_ADMIN_SEGMENTS_MAX)
        answer_records(records);
    else
        ask_segments(records);
}

static void
refuse_absent(struct ll_view *view)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_NOT_FOUND, "request/not-found",
        "this community has no such bucket");
    ll_view_refuse(view, &err);
}

/* The bucket is there, and of this community. */
static void
step_bucket(struct ll_view *view)
{
    struct records *records = LL_CONTAINER(view, struct records, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    if (view->query.row_count == 0) {
        refuse_absent(view);
        return;
    }
    (void)ll_rd_list(&rd);
    bool ours = ll_str_eq(ll_rd_bytes(&rd), records->community);
    records->plugin = ll_arena_str(&records->arena, ll_rd_bytes(&rd));
    records->meter = ll_arena_str(&records->arena, ll_rd_bytes(&rd));
    records->series = (uint32_t)ll_rd_int(&rd);
    records->slot_ms = ll_rd_int(&rd);
    (void)ll_rd_int(&rd); /* quantity */
    (void)ll_rd_int(&rd); /* count */
    int64_t first = ll_rd_int(&rd);
    records->last = ll_rd_int(&rd);
    if (rd.bad) {
        ll_view_torn(view);
        return;
    }
    if (!ours || records->arena.failed) {
        if (ours)
            refuse_memory(view);
        else
            refuse_absent(view);
        return;
    }
    if (records->after < first - 1)
        records->after = first - 1;
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "items");
    ll_jw_open(&view->w, '[');
    view->step = step_segments;
    ask_segments(records);
}

void
ll_usage_records_begin(struct ll_face *face, struct ll_request *request,
    linli_str community, int64_t bucket)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct ll_err err;
    struct records *records = ll_alloc(&face->host->mem, sizeof *records);
    if (records == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    records->view.step = step_bucket;
    records->view.end = end_records;
    records->community = community;
    ll_view_begin(&records->view, face, request);
    ll_arena_init(&records->arena, &face->host->mem, TEXT_BYTES_MAX);
    linli_status status =
        ll_params_read(&records->params, names, request->query, &err);
    if (status == LINLI_OK)
        status = ll_view_page(
            &records->params, &records->limit, &records->after, &err);
    if (status != LINLI_OK) {
        ll_view_refuse(&records->view, &err);
        return;
    }
    struct ll_query *query = ll_view_query(&records->view, LL_ST_bucket_get);
    ll_put_int(&query->params, bucket);
    query->rows_max = 1;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&records->view);
}

/* -- whether they agree -- */

struct reconciling {
    struct ll_view view; /* asks nothing itself */
    struct ll_agree *agree;
};

static void
end_reconciling(struct ll_view *view)
{
    struct reconciling *r = LL_CONTAINER(view, struct reconciling, view);
    ll_agree_free(&r->agree);
    ll_release(&view->face->host->mem, r, sizeof *r);
}

static void
step_never(struct ll_view *view)
{
    refuse_memory(view);
}

static void
write_usage(struct ll_view *view, const struct ll_reconciled *found)
{
    bool bucket = found->bad_bucket != 0;
    put_int(view, "segments", (int64_t)found->segments);
    put_int(view, "records", (int64_t)found->records);
    put_int(view, "buckets", (int64_t)found->buckets);
    if (found->ok)
        return;
    ll_jw_key(&view->w, "first_bad");
    ll_jw_open(&view->w, '{');
    put_int(view, bucket ? "bucket" : "lsn",
        (int64_t)(bucket ? found->bad_bucket : found->bad_lsn));
    ll_jw_key(&view->w, "what");
    ll_jw_cstr(&view->w, found->what);
    ll_jw_close(&view->w, '}');
}

static void
write_billing(struct ll_view *view, const struct ll_checkup_found *found)
{
    put_int(view, "bills", found->bills);
    put_int(view, "invoices", found->invoices);
    put_int(view, "rated_again", found->rated);
    put_int(view, "settlements", found->settlements);
    put_int(view, "unbilled", found->unbilled);
    ll_jw_key(&view->w, "stranded");
    ll_jw_open(&view->w, '[');
    for (uint32_t i = 0; i < found->stranded_count; i++) {
        ll_jw_open(&view->w, '{');
        ll_view_text(view, "row", ll_cstr(found->stranded[i].row));
        ll_view_text(view, "what", ll_cstr(found->stranded[i].what));
        ll_jw_close(&view->w, '}');
    }
    ll_jw_close(&view->w, ']');
    ll_jw_key(&view->w, "breaks");
    ll_jw_open(&view->w, '[');
    for (uint32_t i = 0; i < found->break_count; i++) {
        const struct ll_break *b = &found->breaks[i];
        ll_jw_open(&view->w, '{');
        ll_view_text(view, "check", ll_cstr(ll_check_kind_name(b->kind)));
        ll_agree_put_row(view->face->host, &view->w, b->row, b->what);
        ll_jw_close(&view->w, '}');
    }
    ll_jw_close(&view->w, ']');
}

static void
on_agreed(void *user, const struct ll_agreed *found, const struct ll_err *err)
{
    struct reconciling *r = user;
    struct ll_view *view = &r->view;
    if (found == NULL) {
        ll_view_refuse(view, err);
        return;
    }
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "ok");
    ll_jw_bool(&view->w, found->ok);
    write_usage(view, &found->usage);
    write_billing(view, &found->billing);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

void
ll_reconcile_begin(struct ll_face *face, struct ll_request *request)
{
    struct ll_err err;
    for (const struct ll_view *v = face->views; v != NULL; v = v->next)
        if (v->end == end_reconciling) {
            ll_face_problem(face, request, "runtime/busy",
                LINLI_STR("one at a time: another is under way"));
            return;
        }
    struct reconciling *r = ll_alloc(&face->host->mem, sizeof *r);
    if (r == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    r->view.step = step_never;
    r->view.end = end_reconciling;
    ll_view_begin(&r->view, face, request);
    if (ll_agree_new(face->host, on_agreed, r, &r->agree, &err) != LINLI_OK)
        ll_view_refuse(&r->view, &err);
}
