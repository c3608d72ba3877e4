/* server/invoices.c: the list of invoices, and ways to each. [loop]
 *
 * GET  /v1/c/{c}/admin/invoices?state=&subscription=&limit=&cursor=
 * GET  /v1/c/{c}/admin/invoices/{id}[.csv|.html]?lang=
 * GET  /v1/c/{c}/admin/invoices/{id}/lines/{key}/records?limit=&cursor=
 * POST /v1/c/{c}/admin/invoices/{id}/finalize|credit|write-off
 * GET  /v1/c/{c}/admin/subscriptions/{id}/preview[.csv|.html]?lang=
 * GET  /v1/c/{c}/me/invoices, .../me/invoices/{id}[.csv|.html]
 */
#include "server/invoices.h"

#include <stdio.h>

#include "base/text.h"
#include "host/jwt.h"

/* -- a row -- */

bool
ll_inv_row_read(struct ll_rd *rd, struct ll_inv_row *row)
{
    (void)ll_rd_list(rd);
    row->id = ll_rd_int(rd);
    row->sub = (uint32_t)ll_rd_int_in(rd, 0, UINT32_MAX);
    row->k = ll_rd_int(rd);
    row->state = ll_rd_int_in(rd, 0, LL_INV_STATE_COUNT - 1);
    row->number = ll_rd_int(rd);
    row->made_ms = ll_rd_int(rd);
    row->grace_ms = ll_rd_int(rd);
    row->final_ms = ll_rd_int(rd);
    row->due_day = ll_rd_int_in(rd, INT32_MIN, INT32_MAX);
    row->net_fen = ll_rd_int(rd);
    row->tax_fen = ll_rd_int(rd);
    row->total_fen = ll_rd_int(rd);
    row->paid_fen = ll_rd_int(rd);
    row->credited_fen = ll_rd_int(rd);
    row->step = ll_rd_int_in(rd, 0, LL_DUNNING_SUSPEND);
    return !rd->bad;
}

static void
put_int(struct ll_view *view, const char *name, int64_t value)
{
    ll_jw_key(&view->w, name);
    ll_jw_int(&view->w, value);
}

static int64_t
due_fen(const struct ll_inv_row *row)
{
    int64_t left = row->total_fen - row->paid_fen - row->credited_fen;
    bool owed = row->state == LL_INV_FINAL || row->state == LL_INV_OVERDUE;
    return owed && left > 0 ? left : 0;
}

static void
write_final(struct ll_view *view, const struct ll_inv_row *row)
{
    char text[LL_INVOICE_NUMBER_BYTES];
    ll_invoice_number("INV", row->number, text);
    ll_view_text(view, "number", ll_cstr(text));
    ll_view_instant(view, "final_at", row->final_ms);
    ll_day_text((int32_t)row->due_day, text);
    ll_view_text(view, "due", ll_cstr(text));
    put_int(view, "net_fen", row->net_fen);
    put_int(view, "tax_fen", row->tax_fen);
    put_int(view, "total_fen", row->total_fen);
    put_int(view, "paid_fen", row->paid_fen);
    put_int(view, "credited_fen", row->credited_fen);
    put_int(view, "due_fen", due_fen(row));
    ll_view_text(
        view, "dunning", ll_cstr(ll_dunning_name((enum ll_dunning)row->step)));
}

void
ll_inv_row_write(struct ll_view *view, const struct ll_inv_row *row)
{
    char text[32];
    (void)snprintf(text, sizeof text, "inv_%lld", (long long)row->id);
    ll_view_text(view, "id", ll_cstr(text));
    (void)snprintf(text, sizeof text, "sub_%u", row->sub);
    ll_view_text(view, "subscription", ll_cstr(text));
    put_int(view, "k", row->k);
    ll_view_text(view, "state",
        ll_cstr(ll_inv_state_name((enum ll_inv_state)row->state)));
    ll_view_instant(view, "made_at", row->made_ms);
    ll_view_instant(view, "grace_until", row->grace_ms);
    if (row->number > 0)
        write_final(view, row);
}

/* -- the list -- */

struct listing {
    struct ll_view view;
    struct ll_params params;
    linli_str community;
    int64_t limit, before, state, sub; /* before 0: the newest */
    struct ll_inv_reader reader;
    int64_t items;
};

static void
end_listing(struct ll_view *view)
{
    struct listing *listing = LL_CONTAINER(view, struct listing, view);
    ll_release(&view->face->host->mem, listing, sizeof *listing);
}

static void
put_or_nil(struct ll_buf *params, int64_t value, bool there)
{
    if (there)
        ll_put_int(params, value);
    else
        ll_put_nil(params);
}

static void
ask(struct listing *listing)
{
    struct ll_query *query = ll_view_query(&listing->view, LL_ST_invoice_list);
    ll_put_bytes(&query->params, listing->community);
    put_or_nil(&query->params, listing->state, listing->state >= 0);
    put_or_nil(&query->params, listing->sub, listing->sub > 0);
    put_or_nil(&query->params, listing->before, listing->before > 0);
    ll_put_int(&query->params, LL_ADMIN_PAGE_ROWS);
    query->rows_max = LL_ADMIN_PAGE_ROWS;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&listing->view);
}

static void
answer(struct listing *listing, bool more)
{
    struct ll_view *view = &listing->view;
    ll_jw_close(&view->w, ']');
    ll_view_cursor(view, more, listing->before);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

/* The next of the subscriptions that somebody pays for; 0: there is none. */
static uint32_t
next_of(const struct listing *listing, enum ll_party_kind kind, const char *who)
{
    const struct ll_billing *billing = &listing->view.face->host->billing;
    const struct ll_sub_person person = {
        listing->community, kind, ll_cstr(who)};
    struct ll_sub *sub = NULL;
    uint32_t id = (uint32_t)listing->sub;
    while (ll_subs_about(billing, &person, id, &sub, 1) > 0) {
        id = sub->id;
        if (ll_inv_pays(sub, &listing->reader))
            return id;
    }
    return 0;
}

/* The next that a resident or their household pays for. */
static bool
next_sub(struct listing *listing)
{
    const struct ll_inv_reader *reader = &listing->reader;
    uint32_t own = next_of(listing, LL_PARTY_RESIDENT, reader->resident);
    uint32_t ours = next_of(listing, LL_PARTY_HOUSEHOLD, reader->household);
    listing->before = 0;
    listing->sub = own == 0 || (ours != 0 && ours < own) ? ours : own;
    return listing->sub != 0;
}

/* Drafts are the operator's. */
static void
write_row(struct listing *listing, const struct ll_inv_row *row)
{
    if (listing->reader.resident[0] != '\0' && row->number == 0)
        return;
    ll_jw_open(&listing->view.w, '{');
    ll_inv_row_write(&listing->view, row);
    ll_jw_close(&listing->view.w, '}');
    listing->items++;
}

static void
step(struct ll_view *view)
{
    struct listing *listing = LL_CONTAINER(view, struct listing, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    uint32_t rows = view->query.row_count, i = 0;
    struct ll_inv_row row;
    for (; i < rows && listing->items < listing->limit; i++) {
        if (!ll_inv_row_read(&rd, &row)) {
            ll_view_torn(view);
            return;
        }
        listing->before = row.id;
        write_row(listing, &row);
    }
    bool own = listing->reader.resident[0] != '\0';
    if (listing->items >= listing->limit)
        answer(listing, !own && rows > 0);
    else if (rows > 0 || (own && next_sub(listing)))
        ask(listing);
    else
        answer(listing, false);
}

static linli_status
read_state(struct listing *listing, struct ll_err *err)
{
    linli_str state = ll_param(&listing->params, "state");
    listing->state = -1;
    for (int i = 0; i < LL_INV_STATE_COUNT; i++)
        if (ll_str_is(state, ll_inv_state_name((enum ll_inv_state)i)))
            listing->state = i;
    if (state.ptr == NULL || listing->state >= 0)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`state` is draft, final, paid, overdue, written-off or empty");
}

/* Of a resident: all of theirs at once. */
static linli_status
begin(struct listing *listing, bool own, struct ll_err *err)
{
    static const char *const names[] = {
        "state", "subscription", "limit", "cursor", NULL};
    static const char *const none[] = {NULL};
    struct ll_params *params = &listing->params;
    uint32_t sub = 0;
    listing->state = -1;
    listing->limit = LL_ADMIN_LIST_MAX;
    linli_status status = ll_params_read(
        params, own ? none : names, listing->view.request->query, err);
    if (own || status != LINLI_OK)
        return status;
    status = read_state(listing, err);
    if (status == LINLI_OK)
        status = ll_view_page(params, &listing->limit, &listing->before, err);
    linli_str text = ll_param(params, "subscription");
    if (status == LINLI_OK && text.ptr != NULL && !ll_sub_text_read(text, &sub))
        status = ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`subscription` is like sub_16");
    listing->sub = sub;
    return status;
}

static void
list(struct ll_face *face, struct ll_request *request, linli_str community,
    const struct ll_inv_reader *reader)
{
    struct ll_err err;
    struct listing *listing = ll_alloc(&face->host->mem, sizeof *listing);
    if (listing == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    listing->community = community;
    listing->reader = *reader;
    listing->view.step = step;
    listing->view.end = end_listing;
    ll_view_begin(&listing->view, face, request);
    bool own = reader->resident[0] != '\0';
    if (begin(listing, own, &err) != LINLI_OK) {
        ll_view_refuse(&listing->view, &err);
        return;
    }
    ll_jw_open(&listing->view.w, '{');
    ll_jw_key(&listing->view.w, "items");
    ll_jw_open(&listing->view.w, '[');
    if (own && !next_sub(listing))
        answer(listing, false);
    else
        ask(listing);
}

/* -- ways -- */

bool
ll_inv_text_read(linli_str text, int64_t *id)
{
    *id = 0;
    return ll_str_starts(text, "inv_") &&
           ll_str_int(
               (linli_str){text.ptr + 4, text.len - 4}, 1, INT64_MAX, id);
}

static bool
is_party(
    const struct ll_sub_party *party, enum ll_party_kind kind, const char *who)
{
    return party->kind == kind && who[0] != '\0' && ll_str_is(party->who, who);
}

bool
ll_inv_pays(const struct ll_sub *sub, const struct ll_inv_reader *reader)
{
    for (uint32_t i = 0; i < sub->payer_count; i++)
        if (is_party(&sub->payers[i], LL_PARTY_RESIDENT, reader->resident) ||
            is_party(&sub->payers[i], LL_PARTY_HOUSEHOLD, reader->household))
            return true;
    return false;
}

/* Takes ".csv" or ".html" off the end. */
static void
take_suffix(linli_str *text, struct ll_inv_wanted *wanted)
{
    static const struct {
        linli_str suffix;
        enum ll_inv_form form;
    } forms[] = {{LINLI_STR(".csv"), LL_INV_CSV},
        {LINLI_STR(".html"), LL_INV_HTML}, {LINLI_STR(".json"), LL_INV_JSON}};
    for (size_t i = 0; i < LL_COUNT(forms); i++) {
        size_t n = forms[i].suffix.len;
        if (text->len <= n ||
            memcmp(text->ptr + text->len - n, forms[i].suffix.ptr, n) != 0)
            continue;
        text->len -= n;
        wanted->suffix = true;
        wanted->form = forms[i].form;
        return;
    }
}

static void
absent(struct ll_face *face, struct ll_request *request)
{
    ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
}

/* "KEY/records", percent-encoded; of an invoice. */
static void
handle_records(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, int64_t id, linli_str rest)
{
    char room[LL_HTTP_TARGET_BYTES_MAX];
    linli_str key;
    size_t len = 0;
    if (!ll_str_split(&rest, '/', &key) || !ll_str_is(rest, "records") ||
        key.len > sizeof room || !ll_percent_decode(key, room, &len))
        absent(face, request);
    else if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else
        ll_invoice_records(
            face, request, community, id, (linli_str){room, len});
}

/* What is below "invoices/". */
static void
handle_one(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    struct ll_inv_wanted wanted = {.community = community};
    linli_str text, word;
    (void)ll_str_split(&rest, '/', &text);
    if (rest.ptr == NULL)
        take_suffix(&text, &wanted);
    if (!ll_inv_text_read(text, &wanted.id)) {
        absent(face, request);
    } else if (rest.ptr == NULL) {
        if (ll_str_is(request->method, "GET"))
            ll_invoice_begin_view(face, request, &wanted);
        else
            ll_face_method(face, request, "GET");
    } else if (ll_str_starts(rest, "lines/")) {
        handle_records(face, request, community, wanted.id,
            (linli_str){rest.ptr + 6, rest.len - 6});
    } else {
        word = rest;
        if (!ll_invoice_act(face, request, community, wanted.id, word))
            absent(face, request);
    }
}

/* "/subscriptions/ID/preview[.csv]" */
static bool
handle_preview(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    struct ll_inv_wanted wanted = {.community = community};
    linli_str text;
    if (!ll_str_starts(rest, "/subscriptions/"))
        return false;
    linli_str left = {rest.ptr + 15, rest.len - 15};
    if (!ll_str_split(&left, '/', &text) || left.ptr == NULL)
        return false;
    take_suffix(&left, &wanted);
    if (!ll_str_is(left, "preview"))
        return false;
    const struct ll_sub *sub =
        !ll_sub_text_read(text, &wanted.sub)
            ? NULL
            : ll_sub_by_id(&face->host->billing, wanted.sub);
    if (sub == NULL || !ll_str_eq(sub->community, community->id))
        absent(face, request);
    else if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else
        ll_invoice_begin_view(face, request, &wanted);
    return true;
}

bool
ll_invoices_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    bool all = ll_str_is(rest, "/invoices");
    if (!all && !ll_str_starts(rest, "/invoices/"))
        return handle_preview(face, request, community, rest);
    if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (!all)
        handle_one(face, request, community,
            (linli_str){rest.ptr + 10, rest.len - 10});
    else if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else
        list(face, request, community->id,
            &(struct ll_inv_reader){.resident = ""});
    return true;
}

static const struct ll_admission residents = {.kinds = 1u << LL_CALLER_RESIDENT,
    .served = true,
    .words = "residents only"};

static void
handle_own(struct ll_face *face, struct ll_request *request,
    struct ll_inv_wanted *wanted, linli_str text)
{
    take_suffix(&text, wanted);
    if (ll_inv_text_read(text, &wanted->id))
        ll_invoice_begin_view(face, request, wanted);
    else
        absent(face, request);
}

bool
ll_invoices_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    bool all = ll_str_is(rest, "me/invoices");
    struct ll_identity *identity = NULL;
    struct ll_err err;
    if (!all && !ll_str_starts(rest, "me/invoices/"))
        return false;
    if (!ll_face_admit(face, request, community, &residents))
        return true;
    struct ll_inv_wanted wanted = {
        .community = ll_host_community(face->host, community)};
    if (ll_host_identify(face->host, request, &identity, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return true;
    }
    (void)snprintf(wanted.reader.resident, sizeof wanted.reader.resident,
        "%.*s", LL_FMT(identity->id));
    (void)snprintf(wanted.reader.household, sizeof wanted.reader.household,
        "%.*s", LL_FMT(identity->household));
    if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (all)
        list(face, request, wanted.community->id, &wanted.reader);
    else
        handle_own(
            face, request, &wanted, (linli_str){rest.ptr + 12, rest.len - 12});
    ll_identity_unref(&identity);
    return true;
}
