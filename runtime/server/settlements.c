/* server/settlements.c: what vendors get, period by period. [loop]
 *
 * GET  /v1/c/{c}/admin/settlements?plugin=
 * POST ... {plugin, period}               closes a month
 * GET  /v1/c/{c}/admin/settlements/{id}?format=json, csv, html
 */
#include <stdio.h>

#include "base/text.h"
#include "billing/settlement.h"
#include "domain/age.h"
#include "host/directory.h"
#include "server/money.h"

#define PLUGIN_BYTES 129

/* -- a row -- */

struct row {
    struct ll_settlement is;
    linli_str plugin, by; /* of the query's rows */
};

static bool
read_row(struct ll_rd *rd, struct row *row)
{
    struct ll_settlement *is = &row->is;
    (void)ll_rd_list(rd);
    is->id = ll_rd_int(rd);
    is->number = ll_rd_int(rd);
    row->plugin = ll_rd_bytes(rd);
    linli_str period = ll_rd_bytes(rd);
    (void)snprintf(is->period, sizeof is->period, "%.*s", LL_FMT(period));
    is->since_ms = ll_rd_int(rd);
    is->to_ms = ll_rd_int(rd);
    is->sums.moves = ll_rd_int(rd);
    is->sums.paid_fen = ll_rd_int(rd);
    is->sums.base_fen = ll_rd_int(rd);
    is->sums.platform_fen = ll_rd_int(rd);
    is->sums.channel_fen = ll_rd_int(rd);
    is->sums.vendor_fen = ll_rd_int(rd);
    is->before_fen = ll_rd_int(rd);
    is->at_ms = ll_rd_int(rd);
    row->by = ll_rd_bytes(rd);
    linli_str hash = ll_rd_bytes(rd);
    if (rd->bad || hash.len != sizeof is->hash)
        return false;
    memcpy(is->hash, hash.ptr, sizeof is->hash);
    return true;
}

static void
put_int(struct ll_view *view, const char *name, int64_t value)
{
    ll_jw_key(&view->w, name);
    ll_jw_int(&view->w, value);
}

static void
number_of(const struct ll_settlement *is, char out[32])
{
    (void)snprintf(out, 32, "SET-%06lld", (long long)is->number);
}

static void
write_row(struct ll_view *view, const struct row *row)
{
    const struct ll_settlement *is = &row->is;
    char text[2 * LL_SHA256_BYTES + 1];
    (void)snprintf(text, sizeof text, "set_%lld", (long long)is->id);
    ll_view_text(view, "id", ll_cstr(text));
    number_of(is, text);
    ll_view_text(view, "number", ll_cstr(text));
    ll_view_text(view, "plugin", row->plugin);
    ll_view_text(view, "period", ll_cstr(is->period));
    ll_view_instant(view, "since", is->since_ms);
    ll_view_instant(view, "until", is->to_ms);
    put_int(view, "moves", is->sums.moves);
    put_int(view, "paid_fen", is->sums.paid_fen);
    put_int(view, "base_fen", is->sums.base_fen);
    put_int(view, "platform_fen", is->sums.platform_fen);
    put_int(view, "channel_fen", is->sums.channel_fen);
    put_int(view, "vendor_fen", is->sums.vendor_fen);
    put_int(view, "vendor_before_fen", is->before_fen);
    ll_view_instant(view, "at", is->at_ms);
    ll_view_text(view, "by", row->by);
    ll_hex(is->hash, sizeof is->hash, text);
    ll_view_text(view, "lines_sha256", ll_cstr(text));
}

/* -- one, with its lines -- */

enum format { JSON, CSV, HTML };

struct showing {
    struct ll_view view;
    struct ll_params params;
    linli_str community;
    char plugin[PLUGIN_BYTES], by[LL_TOKEN_NAME_BYTES_MAX + 16];
    struct row row;
    enum format format;
    int64_t id, limit, shown, after_ms, after_id;
};

static void
end_showing(struct ll_view *view)
{
    struct showing *s = LL_CONTAINER(view, struct showing, view);
    ll_release(&view->face->host->mem, s, sizeof *s);
}

static void
put_yuan(struct ll_buf *out, int64_t fen)
{
    uint64_t size = fen < 0 ? -(uint64_t)fen : (uint64_t)fen;
    ll_buf_printf(out, "%s%llu.%02llu", fen < 0 ? "-" : "",
        (unsigned long long)(size / 100), (unsigned long long)(size % 100));
}

static void
put_cell(struct ll_buf *out, int64_t fen)
{
    ll_buf_cstr(out, "<td class=\"n\">");
    put_yuan(out, fen);
    ll_buf_cstr(out, "</td>");
}

static void
put_sums(struct ll_buf *out, const struct ll_settled_sums *sums)
{
    put_cell(out, sums->paid_fen);
    put_cell(out, sums->base_fen);
    put_cell(out, sums->platform_fen);
    put_cell(out, sums->channel_fen);
    put_cell(out, sums->vendor_fen);
    ll_buf_cstr(out, "</tr>\n");
}

/* Plugins' ids, numbers and names of moves: nothing in them is markup. */
static void
begin_html(struct showing *s)
{
    static const char style[] =
        "body{font:14px/1.5 sans-serif;max-width:60em;margin:2em auto;"
        "padding:0 1em}table{border-collapse:collapse;width:100%}"
        "th,td{border-bottom:1px solid #999;padding:.3em;text-align:left}"
        ".n{text-align:right;font-variant-numeric:tabular-nums}"
        "thead{display:table-header-group}tr{break-inside:avoid}"
        "@media print{body{margin:0;max-width:none}}@page{margin:18mm}";
    struct ll_buf *out = &s->view.out;
    const struct ll_settlement *is = &s->row.is;
    char number[32], since[LL_RFC3339_BYTES], until[LL_RFC3339_BYTES];
    number_of(is, number);
    ll_rfc3339(is->since_ms, since);
    ll_rfc3339(is->to_ms, until);
    ll_buf_printf(out,
        "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "<title>%s</title><style>%s</style></head><body>\n"
        "<h1>结算单 <span lang=\"en\">Settlement statement</span></h1>\n"
        "<p>%s · %.*s · %s · %s</p>\n"
        "<p>自 <span lang=\"en\">from</span> %s 至 "
        "<span lang=\"en\">to</span> %s, 单位: 元 <span lang=\"en\">yuan"
        "</span></p>\n<table><thead><tr><th>时间 At</th><th>账单 Invoice</th>"
        "<th>事由 What</th><th class=\"n\">收款 Paid</th>"
        "<th class=\"n\">分成基数 Base</th><th class=\"n\">平台 Operator</th>"
        "<th class=\"n\">通道 Channel</th><th class=\"n\">服务商 Vendor</th>"
        "</tr></thead><tbody>\n",
        number, style, number, LL_FMT(s->community), s->plugin, is->period,
        since, until);
}

static void
put_html(struct ll_buf *out, const struct ll_settlement_line *line)
{
    char at[LL_RFC3339_BYTES];
    struct ll_settled_sums sums = {1, line->paid_fen, line->base_fen,
        line->platform_fen, line->channel_fen, line->vendor_fen};
    ll_rfc3339(line->at_ms, at);
    ll_buf_printf(out, "<tr><td>%s</td><td>%.*s</td><td>%.*s %.*s</td>", at,
        LL_FMT(line->number), LL_FMT(line->kind), LL_FMT(line->ref));
    put_sums(out, &sums);
}

static void
end_html(struct showing *s)
{
    struct ll_buf *out = &s->view.out;
    char hash[2 * LL_SHA256_BYTES + 1];
    ll_hex(s->row.is.hash, sizeof s->row.is.hash, hash);
    ll_buf_cstr(out, "</tbody><tfoot><tr><th colspan=\"3\">合计 Total</th>");
    put_sums(out, &s->row.is.sums);
    ll_buf_cstr(out, "</tfoot></table>\n<p>此前各期服务商合计 "
                     "<span lang=\"en\">vendor, statements before</span>: ");
    put_yuan(out, s->row.is.before_fen);
    ll_buf_printf(out, "</p>\n<p>SHA-256: %s</p></body></html>\n", hash);
}

static void
put_json(struct ll_view *view, const struct ll_settlement_line *line)
{
    ll_jw_open(&view->w, '{');
    ll_view_instant(view, "at", line->at_ms);
    ll_view_text(view, "invoice", line->number);
    ll_view_text(view, "kind", line->kind);
    ll_view_text(view, "ref", line->ref);
    put_int(view, "paid_fen", line->paid_fen);
    put_int(view, "base_fen", line->base_fen);
    put_int(view, "platform_fen", line->platform_fen);
    put_int(view, "channel_fen", line->channel_fen);
    put_int(view, "vendor_fen", line->vendor_fen);
    ll_jw_close(&view->w, '}');
}

static void
put_line(struct showing *s, const struct ll_settlement_line *line)
{
    if (s->format == JSON) {
        put_json(&s->view, line);
    } else if (s->format == HTML) {
        put_html(&s->view.out, line);
    } else {
        ll_settlement_csv(line, &s->view.out);
        ll_buf_cstr(&s->view.out, "\r\n");
    }
}

static void
ask_lines(struct showing *s)
{
    int64_t rows = s->limit - s->shown;
    if (rows > LL_SETTLEMENT_PAGE_ROWS)
        rows = LL_SETTLEMENT_PAGE_ROWS;
    struct ll_query *query = ll_view_query(&s->view, LL_ST_settlement_moves);
    ll_put_bytes(&query->params, s->community);
    ll_put_bytes(&query->params, ll_cstr(s->plugin));
    ll_put_int(&query->params, s->after_ms);
    ll_put_int(&query->params, s->after_id);
    ll_put_int(&query->params, s->row.is.to_ms);
    ll_put_int(&query->params, rows);
    ll_view_ask(&s->view);
}

static void
finish(struct showing *s, bool more)
{
    struct ll_view *view = &s->view;
    char cursor[48];
    if (s->format == HTML)
        end_html(s);
    if (s->format == JSON) {
        (void)snprintf(cursor, sizeof cursor, "%lld.%lld",
            (long long)s->after_ms, (long long)s->after_id);
        ll_jw_close(&view->w, ']');
        ll_view_text(
            view, "next_cursor", more ? ll_cstr(cursor) : (linli_str){NULL, 0});
        ll_jw_close(&view->w, '}');
    }
    ll_view_answer(view);
}

static void
step_lines(struct ll_view *view)
{
    struct showing *s = LL_CONTAINER(view, struct showing, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct ll_settlement_line line;
    for (uint32_t i = 0; i < view->query.row_count; i++) {
        if (!ll_settlement_line(&rd, &line)) {
            ll_view_torn(view);
            return;
        }
        put_line(s, &line);
        s->after_ms = line.at_ms;
        s->after_id = line.id;
        s->shown++;
    }
    if (view->query.row_count == 0 || s->shown == s->row.is.sums.moves)
        finish(s, false);
    else if (s->shown == s->limit)
        finish(s, true);
    else
        ask_lines(s);
}

static void
refuse_absent(struct ll_view *view)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_NOT_FOUND, "request/not-found",
        "this community has no such statement");
    ll_view_refuse(view, &err);
}

static void
begin_lines(struct showing *s)
{
    static const char *const types[] = {
        NULL, "text/csv; charset=utf-8", "text/html; charset=utf-8"};
    struct ll_view *view = &s->view;
    struct ll_err err;
    if (s->format != JSON && s->row.is.sums.moves > LL_SETTLEMENT_LINES_MAX) {
        (void)ll_fail(&err, LINLI_E_LIMIT, "request/invalid",
            "it has %lld lines, more than %d: ask for JSON, page by page",
            (long long)s->row.is.sums.moves, LL_SETTLEMENT_LINES_MAX);
        ll_view_refuse(view, &err);
        return;
    }
    view->content_type = types[s->format];
    if (s->format == JSON) {
        ll_jw_open(&view->w, '{');
        write_row(view, &s->row);
        ll_jw_key(&view->w, "lines");
        ll_jw_open(&view->w, '[');
    } else if (s->format == HTML) {
        begin_html(s);
    } else {
        ll_buf_cstr(&view->out, LL_SETTLEMENT_CSV_HEAD "\r\n");
    }
    view->step = step_lines;
    ask_lines(s);
}

static void
step_row(struct ll_view *view)
{
    struct showing *s = LL_CONTAINER(view, struct showing, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    if (view->query.row_count == 0) {
        refuse_absent(view);
        return;
    }
    if (!read_row(&rd, &s->row)) {
        ll_view_torn(view);
        return;
    }
    (void)snprintf(s->plugin, sizeof s->plugin, "%.*s", LL_FMT(s->row.plugin));
    (void)snprintf(s->by, sizeof s->by, "%.*s", LL_FMT(s->row.by));
    s->row.plugin = ll_cstr(s->plugin);
    s->row.by = ll_cstr(s->by);
    if (s->after_ms == INT64_MIN)
        s->after_ms = s->row.is.since_ms;
    begin_lines(s);
}

/* "AT.ID": where a page of lines ended. */
static linli_status
read_cursor(struct showing *s, linli_str cursor, struct ll_err *err)
{
    linli_str part;
    s->after_ms = INT64_MIN;
    if (cursor.ptr == NULL)
        return LINLI_OK;
    if (s->format == JSON && ll_str_split(&cursor, '.', &part) &&
        ll_str_int(part, 0, INT64_MAX, &s->after_ms) &&
        ll_str_int(cursor, 1, INT64_MAX, &s->after_id))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/cursor", "it is of no page");
}

static linli_status
read_showing(struct showing *s, struct ll_err *err)
{
    static const char *const names[] = {"format", "limit", "cursor", NULL};
    static const char *const formats[] = {"json", "csv", "html"};
    size_t f = 0;
    linli_status status =
        ll_params_read(&s->params, names, s->view.request->query, err);
    if (status != LINLI_OK)
        return status;
    linli_str format = ll_param(&s->params, "format");
    while (format.ptr != NULL && f < LL_COUNT(formats) &&
           !ll_str_is(format, formats[f]))
        f++;
    if (f == LL_COUNT(formats))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`format` is json, csv or html");
    s->format = (enum format)f;
    s->limit = f == JSON ? LL_ADMIN_LIST_MAX : LL_SETTLEMENT_LINES_MAX;
    status = read_cursor(s, ll_param(&s->params, "cursor"), err);
    return status == LINLI_OK
               ? ll_param_int(&s->params, "limit", 1, s->limit, &s->limit, err)
               : status;
}

static void
show(struct ll_face *face, struct ll_request *request, linli_str community,
    int64_t id)
{
    struct ll_err err;
    struct showing *s = ll_alloc(&face->host->mem, sizeof *s);
    if (s == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    s->view.step = step_row;
    s->view.end = end_showing;
    s->community = community;
    ll_view_begin(&s->view, face, request);
    if (read_showing(s, &err) != LINLI_OK) {
        ll_view_refuse(&s->view, &err);
        return;
    }
    struct ll_query *query = ll_view_query(&s->view, LL_ST_settlement_get);
    ll_put_bytes(&query->params, community);
    ll_put_int(&query->params, id);
    ll_view_ask(&s->view);
}

/* -- all of them -- */

struct list {
    struct ll_view view;
    struct ll_params params;
    int64_t limit;
};

static void
end_list(struct ll_view *view)
{
    struct list *list = LL_CONTAINER(view, struct list, view);
    ll_release(&view->face->host->mem, list, sizeof *list);
}

static void
step_list(struct ll_view *view)
{
    struct list *list = LL_CONTAINER(view, struct list, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct row row = {.by = {NULL, 0}};
    bool more = view->query.more || view->query.row_count > list->limit;
    for (uint32_t i = 0; i < view->query.row_count && i < list->limit; i++) {
        if (!read_row(&rd, &row)) {
            ll_view_torn(view);
            return;
        }
        ll_jw_open(&view->w, '{');
        write_row(view, &row);
        ll_jw_close(&view->w, '}');
    }
    ll_jw_close(&view->w, ']');
    ll_view_cursor(view, more, row.is.id);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
list_all(struct ll_face *face, struct ll_request *request, linli_str community)
{
    static const char *const names[] = {"plugin", "limit", "cursor", NULL};
    struct ll_err err;
    int64_t before = 0;
    struct list *list = ll_alloc(&face->host->mem, sizeof *list);
    if (list == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    list->view.step = step_list;
    list->view.end = end_list;
    ll_view_begin(&list->view, face, request);
    linli_status status =
        ll_params_read(&list->params, names, request->query, &err);
    if (status == LINLI_OK)
        status = ll_view_page(&list->params, &list->limit, &before, &err);
    if (status != LINLI_OK) {
        ll_view_refuse(&list->view, &err);
        return;
    }
    ll_jw_open(&list->view.w, '{');
    ll_jw_key(&list->view.w, "items");
    ll_jw_open(&list->view.w, '[');
    struct ll_query *query = ll_view_query(&list->view, LL_ST_settlement_list);
    ll_put_bytes(&query->params, community);
    ll_view_put(&query->params, ll_param(&list->params, "plugin"));
    if (before == 0)
        ll_put_nil(&query->params);
    else
        ll_put_int(&query->params, before);
    ll_put_int(&query->params, list->limit + 1);
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&list->view);
}

/* -- closing one -- */

struct closing {
    struct ll_till_view till; /* first */
    struct ll_settling settling;
    linli_str community;
    char plugin[PLUGIN_BYTES];
};

static void
step_closed(struct ll_view *view)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct row row;
    if (view->query.row_count == 0 || !read_row(&rd, &row)) {
        ll_view_torn(view);
        return;
    }
    ll_jw_open(&view->w, '{');
    write_row(view, &row);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

/* Shown as it is kept. */
static void
write_closed(struct ll_till_view *till)
{
    struct closing *c = LL_CONTAINER(till, struct closing, till);
    struct ll_view *view = &till->view;
    view->status = c->settling.again ? 200 : 201;
    view->step = step_closed;
    struct ll_query *query = ll_view_query(view, LL_ST_settlement_get);
    ll_put_bytes(&query->params, c->community);
    ll_put_int(&query->params, c->settling.made.id);
    ll_view_ask(view);
}

/* The first day after a month "2026-03", in days since 1970. */
static bool
month_ends(const char *period, int32_t *day)
{
    int64_t year = 0, month = 0;
    if (strlen(period) != LL_PERIOD_BYTES - 1 || period[4] != '-' ||
        !ll_str_int((linli_str){period, 4}, 1970, 9998, &year) ||
        !ll_str_int((linli_str){period + 5, 2}, 1, 12, &month))
        return false;
    struct ll_date next = {.year = (int32_t)(month == 12 ? year + 1 : year),
        .month = month == 12 ? 1 : (uint32_t)month + 1,
        .day = 1};
    *day = ll_day_of(next);
    return true;
}

static linli_status
read_closing(
    struct closing *c, const struct ll_community *community, struct ll_err *err)
{
    static const char *const names[] = {"plugin", "period", NULL};
    const struct ll_local local = {
        community->zone.changes, community->zone.count};
    struct ll_settling *s = &c->settling;
    struct ll_form form;
    int32_t day = 0;
    ll_form_begin(&form, &c->till.view, names, err);
    ll_form_text(&form,
        &(struct ll_form_text){"plugin", c->plugin, sizeof c->plugin, NULL});
    ll_form_text(&form,
        &(struct ll_form_text){"period", s->period, sizeof s->period, NULL});
    if (form.status == LINLI_OK && !month_ends(s->period, &day))
        form.status = ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`period` is a month as in 2026-03");
    s->to_ms = ll_local_midnight(&local, day);
    s->community = community->id;
    s->plugin = ll_cstr(c->plugin);
    c->community = community->id;
    ll_form_end(&form);
    return form.status;
}

static void
close_period(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community)
{
    struct ll_err err;
    struct ll_till_view *till =
        ll_till_view_new(face, request, sizeof(struct closing));
    if (till == NULL)
        return;
    struct closing *c = LL_CONTAINER(till, struct closing, till);
    till->write = write_closed;
    ll_till_view_job(till, &c->settling.job);
    linli_status status = read_closing(c, community, &err);
    if (status == LINLI_OK)
        status = ll_settle_period(&c->settling, &err);
    ll_till_view_lined(till, status, &err);
}

bool
ll_settlements_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    int64_t id = 0;
    bool get = ll_str_is(request->method, "GET");
    if (ll_str_is(rest, "/settlements")) {
        if (get)
            list_all(face, request, community->id);
        else if (!ll_str_is(request->method, "POST"))
            ll_face_method(face, request, "GET, POST");
        else if (face->host->draining)
            ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
        else
            close_period(face, request, community);
        return true;
    }
    if (!ll_str_starts(rest, "/settlements/") ||
        !ll_id_read((linli_str){rest.ptr + 13, rest.len - 13}, "set_", &id))
        return false;
    if (get)
        show(face, request, community->id, id);
    else
        ll_face_method(face, request, "GET");
    return true;
}
