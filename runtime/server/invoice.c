/* server/invoice.c: one invoice, or a preview, in three forms. [loop]
 *
 * A final one is shown out of its frozen body; a draft and a preview are rated
 * now, by the same code, and say up to which record.
 */
#include "server/invoices.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "billing/invoice_show.h"
#include "billing/invoice_words.h"
#include "host/jwt.h"
#include "host/locale.h"

struct showing {
    struct ll_view view;
    struct ll_params params;
    struct ll_inv_wanted wanted;
    struct ll_inv_row row; /* id 0: a preview */
    bool last;
    char hash[2 * LL_SHA256_BYTES + 1];
    struct ll_buf body, words;
    struct ll_gather gather;
    bool gathering;
    bool zh;
};

static void
end(struct ll_view *view)
{
    struct showing *s = LL_CONTAINER(view, struct showing, view);
    if (s->gathering)
        ll_gather_end(&s->gather);
    ll_buf_fini(&s->body);
    ll_buf_fini(&s->words);
    ll_release(&view->face->host->mem, s, sizeof *s);
}

static void
refuse_absent(struct showing *s)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_NOT_FOUND, "request/not-found",
        "this community has no such invoice");
    ll_view_refuse(&s->view, &err);
}

/* -- as JSON -- */

static void
write_deeds(struct showing *s)
{
    struct ll_view *view = &s->view;
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    ll_jw_key(&view->w, "history");
    ll_jw_open(&view->w, '[');
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        (void)ll_rd_list(&rd);
        ll_jw_open(&view->w, '{');
        ll_view_instant(view, "at", ll_rd_int(&rd));
        ll_view_text(view, "by", ll_rd_bytes(&rd));
        ll_view_text(view, "what", ll_rd_bytes(&rd));
        linli_str reason = ll_rd_bytes(&rd);
        if (reason.len > 0)
            ll_view_text(view, "reason", reason);
        ll_jw_close(&view->w, '}');
    }
    ll_jw_close(&view->w, ']');
    if (rd.bad)
        view->out.failed = true;
}

static void
step_deeds(struct ll_view *view)
{
    struct showing *s = LL_CONTAINER(view, struct showing, view);
    write_deeds(s);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
ask_deeds(struct showing *s)
{
    struct ll_query *query = ll_view_query(&s->view, LL_ST_invoice_deeds);
    ll_put_int(&query->params, s->row.id);
    ll_put_int(&query->params, LL_ADMIN_LIST_MAX);
    query->rows_max = LL_ADMIN_LIST_MAX;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    s->view.step = step_deeds;
    ll_view_ask(&s->view);
}

/* Their frozen bodies. */
static void
step_notes(struct ll_view *view)
{
    struct showing *s = LL_CONTAINER(view, struct showing, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    char hex[2 * LL_SHA256_BYTES + 1];
    ll_jw_key(&view->w, "credit_notes");
    ll_jw_open(&view->w, '[');
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        (void)ll_rd_list(&rd);
        for (int column = 0; column < 6; column++)
            (void)ll_rd_int(&rd);
        linli_str hash = ll_rd_bytes(&rd), body = ll_rd_bytes(&rd);
        if (rd.bad || hash.len != LL_SHA256_BYTES) {
            ll_view_torn(view);
            return;
        }
        ll_hex((const unsigned char *)hash.ptr, hash.len, hex);
        ll_jw_open(&view->w, '{');
        ll_view_text(view, "hash", ll_cstr(hex));
        ll_jw_key(&view->w, "credit_note");
        ll_jw_raw(&view->w, body);
        ll_jw_close(&view->w, '}');
    }
    ll_jw_close(&view->w, ']');
    if (s->wanted.reader.resident[0] == '\0') {
        ask_deeds(s);
        return;
    }
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
answer_json(struct showing *s)
{
    struct ll_view *view = &s->view;
    if (s->row.id == 0) {
        ll_buf_str(&view->out, ll_buf_view(&s->body));
        ll_view_answer(view);
        return;
    }
    ll_jw_open(&view->w, '{');
    ll_inv_row_write(view, &s->row);
    if (s->hash[0] != '\0')
        ll_view_text(view, "hash", ll_cstr(s->hash));
    ll_jw_key(&view->w, "invoice");
    if (s->body.len > 0)
        ll_jw_raw(&view->w, ll_buf_view(&s->body));
    else
        ll_jw_null(&view->w);
    ll_jw_key(&view->w, "words");
    ll_jw_raw(&view->w, ll_buf_view(&s->words));
    struct ll_query *query = ll_view_query(view, LL_ST_credit_notes_of);
    ll_put_int(&query->params, s->row.id);
    ll_put_int(&query->params, 0);
    ll_put_int(&query->params, LL_ADMIN_LIST_MAX);
    query->rows_max = LL_ADMIN_LIST_MAX;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    view->step = step_notes;
    ll_view_ask(view);
}

/* -- in the form that is wanted -- */

static void
answer_shown(struct showing *s, struct ll_jv body, struct ll_jv words)
{
    struct ll_view *view = &s->view;
    struct ll_invoice_show show = {.body = body,
        .words = words,
        .state = s->row.id == 0
                     ? "preview"
                     : ll_inv_state_name((enum ll_inv_state)s->row.state),
        .hash = ll_cstr(s->hash),
        .paid_fen = s->row.paid_fen,
        .credited_fen = s->row.credited_fen,
        .zh = s->zh};
    if (s->wanted.form == LL_INV_CSV)
        ll_invoice_csv(&show, &view->out);
    else
        ll_invoice_html(&show, &view->out);
    view->content_type = s->wanted.form == LL_INV_CSV
                             ? "text/csv; charset=utf-8; header=present"
                             : "text/html; charset=utf-8";
    if (s->wanted.form == LL_INV_HTML) {
        view->headers[view->header_count++] =
            (struct ll_field){LINLI_STR("content-security-policy"),
                LINLI_STR("default-src 'none'; style-src 'unsafe-inline'; "
                          "frame-ancestors 'none'; base-uri 'none'; "
                          "form-action 'none'")};
        view->headers[view->header_count++] = (struct ll_field){
            LINLI_STR("content-language"), ll_cstr(s->zh ? "zh-CN" : "en")};
    }
    ll_view_answer(view);
}

static void
answer(struct showing *s)
{
    struct ll_host *host = s->view.face->host;
    struct ll_json body, words;
    struct ll_err err;
    linli_status status = LINLI_OK;
    ll_json_init(&body, &host->mem);
    ll_json_init(&words, &host->mem);
    if (s->body.len > 0)
        status = ll_json_parse(
            &body, ll_buf_view(&s->body), LL_JSON_DEPTH_MAX, &err);
    if (status == LINLI_OK)
        status = ll_invoice_words(&host->billing,
            ll_sub_by_id(
                &host->billing, s->row.id == 0 ? s->wanted.sub : s->row.sub),
            s->body.len > 0 ? ll_json_root(&body) : (struct ll_jv){NULL, 0},
            &s->words, &err);
    if (status == LINLI_OK)
        status = ll_json_parse(
            &words, ll_buf_view(&s->words), LL_JSON_DEPTH_MAX, &err);
    if (status != LINLI_OK)
        ll_view_refuse(&s->view, &err);
    else if (s->wanted.form == LL_INV_JSON)
        answer_json(s);
    else if (s->body.len > 0)
        answer_shown(s, ll_json_root(&body), ll_json_root(&words));
    else
        refuse_absent(s); /* an empty one has nothing to show */
    ll_json_fini(&words);
    ll_json_fini(&body);
}

/* -- what is not frozen yet -- */

static linli_status
rate(struct showing *s, struct ll_err *err)
{
    struct ll_gather *g = &s->gather;
    struct ll_billing *billing = g->billing;
    struct ll_rate rate = {billing, ll_sub_by_id(billing, g->sub), g->turn,
        g->spans, g->span_count};
    struct ll_rated rated;
    linli_status status = ll_rate_turn(&g->arena, &rate, &rated, err);
    if (status != LINLI_OK)
        return status;
    struct ll_body body = {.rate = &rate,
        .rated = &rated,
        .id = s->row.id,
        .at_ms = ll_world_wall(billing->world).ms,
        .watermark = g->watermark};
    ll_invoice_body(&body, &s->body);
    s->row.net_fen = rated.invoice.net_fen;
    s->row.tax_fen = rated.invoice.tax_fen;
    s->row.total_fen = rated.invoice.total_fen;
    return s->body.failed
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice")
               : LINLI_OK;
}

static void
on_gathered(
    struct ll_gather *gather, linli_status status, const struct ll_err *why)
{
    struct showing *s = gather->user;
    struct ll_err err;
    if (why != NULL)
        err = *why;
    if (status == LINLI_OK)
        status = rate(s, &err);
    ll_gather_end(gather);
    s->gathering = false;
    if (status == LINLI_OK)
        answer(s);
    else
        ll_view_refuse(&s->view, &err);
}

static void
gather(struct showing *s, const struct ll_sub *sub)
{
    struct ll_billing *billing = &s->view.face->host->billing;
    int32_t final_k = ll_inv_final_k(billing, sub);
    s->gather = (struct ll_gather){
        .billing = billing, .sub = sub->id, .done = on_gathered, .user = s};
    if (s->row.id == 0)
        ll_turn_preview(sub, ll_world_wall(billing->world).ms, &s->gather.turn);
    else
        ll_turn_of(sub, (int32_t)s->row.k, s->last, &s->gather.turn);
    s->gather.final_k = final_k < s->gather.turn.k ? final_k : s->gather.turn.k;
    s->gathering = true;
    ll_gather_begin(&s->gather);
}

/* -- one of the store -- */

static bool
may_see(const struct showing *s, const struct ll_sub *sub)
{
    return s->wanted.reader.resident[0] == '\0' ||
           (s->row.number > 0 && ll_inv_pays(sub, &s->wanted.reader));
}

static void
step_row(struct ll_view *view)
{
    struct showing *s = LL_CONTAINER(view, struct showing, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    bool hashed = false, there = false;
    if (view->query.row_count == 0) {
        refuse_absent(s);
        return;
    }
    bool read = ll_inv_row_read(&rd, &s->row);
    s->last = ll_rd_int(&rd) != 0;
    linli_str hash = ll_rd_bytes_or_nil(&rd, &hashed);
    linli_str body = ll_rd_bytes_or_nil(&rd, &there);
    const struct ll_sub *sub =
        ll_sub_by_id(&view->face->host->billing, s->row.sub);
    if (!read || rd.bad || sub == NULL ||
        (hashed && hash.len != LL_SHA256_BYTES)) {
        ll_view_torn(view);
        return;
    }
    if (!may_see(s, sub)) {
        refuse_absent(s);
        return;
    }
    if (hashed)
        ll_hex((const unsigned char *)hash.ptr, hash.len, s->hash);
    if (there)
        ll_buf_str(&s->body, body);
    if (s->row.state == LL_INV_DRAFT)
        gather(s, sub);
    else
        answer(s);
}

/* -- beginning -- */

/* By Accept, unless the path has said it. */
static void
choose(struct showing *s)
{
    linli_str accept = ll_request_field(s->view.request, "accept"), part;
    if (s->wanted.suffix)
        return;
    while (ll_str_split(&accept, ',', &part)) {
        while (part.len > 0 && part.ptr[0] == ' ')
            part = (linli_str){part.ptr + 1, part.len - 1};
        if (ll_str_starts(part, "text/html"))
            s->wanted.form = LL_INV_HTML;
        else if (ll_str_starts(part, "text/csv"))
            s->wanted.form = LL_INV_CSV;
        else if (!ll_str_starts(part, "application/json"))
            continue;
        return;
    }
}

static linli_status
read_language(struct showing *s, struct ll_err *err)
{
    static const char *const names[] = {"lang", NULL};
    struct ll_request *request = s->view.request;
    linli_status status =
        ll_params_read(&s->params, names, request->query, err);
    if (status != LINLI_OK)
        return status;
    linli_str lang = ll_param(&s->params, "lang");
    s->zh = ll_locale_pick(lang.ptr != NULL
                               ? lang
                               : ll_request_field(request,
                                     "accept-language")) == LL_LOCALE_ZH;
    if (lang.ptr == NULL || ll_str_starts(lang, "zh") ||
        ll_str_starts(lang, "en"))
        return LINLI_OK;
    return ll_fail(
        err, LINLI_E_INVALID, "request/invalid", "`lang` is zh-CN or en");
}

void
ll_invoice_begin_view(struct ll_face *face, struct ll_request *request,
    const struct ll_inv_wanted *wanted)
{
    struct ll_err err;
    struct showing *s = ll_alloc(&face->host->mem, sizeof *s);
    if (s == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    s->wanted = *wanted;
    s->view.step = step_row;
    s->view.end = end;
    ll_buf_init(&s->body, &face->host->mem, LL_INVOICE_BYTES_MAX);
    ll_buf_init(&s->words, &face->host->mem, LL_INVOICE_BYTES_MAX);
    ll_view_begin(&s->view, face, request);
    choose(s);
    if (read_language(s, &err) != LINLI_OK) {
        ll_view_refuse(&s->view, &err);
        return;
    }
    if (wanted->id == 0) {
        gather(s, ll_sub_by_id(&face->host->billing, wanted->sub));
        return;
    }
    struct ll_query *query = ll_view_query(&s->view, LL_ST_invoice_get);
    ll_put_int(&query->params, wanted->id);
    ll_put_bytes(&query->params, wanted->community->id);
    query->rows_max = 1;
    query->bytes_max = 2 * LL_INVOICE_BYTES_MAX;
    ll_view_ask(&s->view);
}
