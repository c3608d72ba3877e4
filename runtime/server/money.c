/* server/money.c: what is paid, given back, and put into wallets. [loop]
 *
 * GET  /v1/c/{c}/admin/invoices/{id}/payments
 * POST ... {amount_fen, channel, ref, paid_at?}
 * GET  /v1/c/{c}/admin/invoices/{id}/refunds
 * POST ... {payment, amount_fen, reason, ref}
 * GET  /v1/c/{c}/admin/subscriptions/{id}/wallet
 * POST ... {amount_fen, ref, channel?, priority?, expires?}
 * GET  /v1/c/{c}/admin/ledger                     every account's balance
 */
#include "server/money.h"

#include <stdio.h>

#include "base/text.h"
#include "billing/subs.h"
#include "domain/pricing_number.h"
#include "host/directory.h"

/* A paid_at may lie so far ahead of the clock. */
#define AHEAD_MS (5 * 60 * 1000)
#define PRIORITY_MAX 1000000
#define CHANNEL_PREPAID "prepaid"

static void
put_int(struct ll_view *view, const char *name, int64_t value)
{
    ll_jw_key(&view->w, name);
    ll_jw_int(&view->w, value);
}

static void
put_id(struct ll_view *view, const char *name, const char *prefix, int64_t id)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%s%lld", prefix, (long long)id);
    ll_view_text(view, name, ll_cstr(text));
}

/* -- a payment -- */

struct payment {
    struct ll_till_view till; /* first */
    struct ll_paying paying;
    char channel[LL_MONEY_CHANNEL_BYTES], ref[LL_MONEY_REF_BYTES];
};

static void
write_payment(struct ll_till_view *till)
{
    struct payment *p = LL_CONTAINER(till, struct payment, till);
    const struct ll_paying *paying = &p->paying;
    struct ll_view *view = &till->view;
    view->status = paying->again ? 200 : 201;
    ll_jw_open(&view->w, '{');
    put_id(view, "id", "pay_", paying->id);
    put_id(view, "invoice", "inv_", paying->invoice);
    ll_view_text(view, "channel", paying->channel);
    ll_view_text(view, "ref", paying->ref);
    put_int(view, "amount_fen", paying->fen);
    ll_jw_key(&view->w, "duplicate");
    ll_jw_bool(&view->w, paying->again);
    if (!paying->again) {
        put_int(view, "paid_fen", paying->paid_fen);
        put_int(view, "credit_fen", paying->over_fen);
    }
    put_int(view, "due_fen", paying->due_fen);
    ll_jw_close(&view->w, '}');
}

/* An account's name is made of it. */
static void
judge_channel(struct ll_form *form, const char *channel)
{
    struct ll_account_text room;
    linli_str account = ll_account_of(&room, "cash", ll_cstr(channel));
    bool good = ll_account_kind(account) == LL_ACCOUNT_CASH &&
                strchr(channel, ':') == NULL;
    if (form->status == LINLI_OK && !good)
        form->status = ll_fail(form->err, LINLI_E_INVALID, "request/invalid",
            "`channel` is made of a-z, 0-9, '.', '-', '_', '/'");
}

static linli_status
read_payment(struct payment *p, struct ll_err *err)
{
    static const char *const names[] = {
        "amount_fen", "channel", "ref", "paid_at", NULL};
    struct ll_paying *paying = &p->paying;
    struct ll_form form;
    int64_t now_ms = paying->job.act.now_ms;
    ll_form_begin(&form, &p->till.view, names, err);
    paying->fen = ll_form_int(&form, "amount_fen", 1, INT64_MAX, 0);
    ll_form_text(&form,
        &(struct ll_form_text){"channel", p->channel, sizeof p->channel, NULL});
    ll_form_text(
        &form, &(struct ll_form_text){"ref", p->ref, sizeof p->ref, NULL});
    judge_channel(&form, p->channel);
    paying->paid_at_ms = ll_form_instant(&form, "paid_at", now_ms);
    if (form.status == LINLI_OK && paying->paid_at_ms > now_ms + AHEAD_MS)
        form.status = ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`paid_at` has not come yet");
    paying->channel = ll_cstr(p->channel);
    paying->ref = ll_cstr(p->ref);
    ll_form_end(&form);
    return form.status;
}

static void
take_payment(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, int64_t invoice)
{
    struct ll_err err;
    struct ll_till_view *till =
        ll_till_view_new(face, request, sizeof(struct payment));
    if (till == NULL)
        return;
    struct payment *p = LL_CONTAINER(till, struct payment, till);
    till->write = write_payment;
    ll_till_view_job(till, &p->paying.job);
    p->paying.community = community->id;
    p->paying.invoice = invoice;
    linli_status status = read_payment(p, &err);
    if (status == LINLI_OK)
        status = ll_pay_take(&p->paying, &err);
    ll_till_view_lined(till, status, &err);
}

/* -- a refund -- */

struct refund {
    struct ll_till_view till; /* first */
    struct ll_refunding refunding;
    char ref[LL_MONEY_REF_BYTES], reason[LL_REASON_BYTES_MAX + 1];
};

static void
write_refund(struct ll_till_view *till)
{
    struct refund *r = LL_CONTAINER(till, struct refund, till);
    const struct ll_refunding *back = &r->refunding;
    struct ll_view *view = &till->view;
    view->status = back->again ? 200 : 201;
    ll_jw_open(&view->w, '{');
    put_id(view, "id", "ref_", back->id);
    put_id(view, "invoice", "inv_", back->invoice);
    put_id(view, "payment", "pay_", back->payment);
    ll_view_text(view, "ref", back->ref);
    put_int(view, "amount_fen", back->fen);
    ll_jw_key(&view->w, "duplicate");
    ll_jw_bool(&view->w, back->again);
    if (!back->again) {
        put_int(view, "credit_fen", back->credit_fen);
        put_int(view, "owed_fen", back->owed_fen);
    }
    put_int(view, "due_fen", back->due_fen);
    ll_jw_close(&view->w, '}');
}

static linli_status
read_refund(struct refund *r, struct ll_err *err)
{
    static const char *const names[] = {
        "payment", "amount_fen", "reason", "ref", NULL};
    struct ll_refunding *back = &r->refunding;
    struct ll_form form;
    ll_form_begin(&form, &r->till.view, names, err);
    back->payment = ll_form_id(&form, "payment", "pay_");
    back->fen = ll_form_int(&form, "amount_fen", 1, INT64_MAX, 0);
    ll_form_text(&form,
        &(struct ll_form_text){"reason", r->reason, sizeof r->reason, NULL});
    ll_form_text(
        &form, &(struct ll_form_text){"ref", r->ref, sizeof r->ref, NULL});
    back->reason = ll_cstr(r->reason);
    back->ref = ll_cstr(r->ref);
    back->job.act.reason = back->reason;
    ll_form_end(&form);
    return form.status;
}

static void
take_refund(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, int64_t invoice)
{
    struct ll_err err;
    struct ll_till_view *till =
        ll_till_view_new(face, request, sizeof(struct refund));
    if (till == NULL)
        return;
    struct refund *r = LL_CONTAINER(till, struct refund, till);
    till->write = write_refund;
    ll_till_view_job(till, &r->refunding.job);
    r->refunding.community = community->id;
    r->refunding.invoice = invoice;
    linli_status status = read_refund(r, &err);
    if (status == LINLI_OK)
        status = ll_pay_back(&r->refunding, &err);
    ll_till_view_lined(till, status, &err);
}

/* -- a top-up -- */

struct top_up {
    struct ll_till_view till; /* first */
    struct ll_topping topping;
    char channel[LL_MONEY_CHANNEL_BYTES], ref[LL_MONEY_REF_BYTES];
};

static void
put_expires(struct ll_view *view, int64_t expires_ms)
{
    if (expires_ms == INT64_MAX)
        ll_view_text(view, "expires", (linli_str){NULL, 0});
    else
        ll_view_instant(view, "expires", expires_ms);
}

static void
write_top_up(struct ll_till_view *till)
{
    struct top_up *t = LL_CONTAINER(till, struct top_up, till);
    const struct ll_wallet_grant *grant = &t->topping.grant;
    struct ll_view *view = &till->view;
    view->status = t->topping.again ? 200 : 201;
    ll_jw_open(&view->w, '{');
    put_id(view, "id", "top_", t->topping.id);
    put_id(view, "subscription", "sub_", grant->sub);
    ll_view_text(view, "channel", grant->channel);
    ll_view_text(view, "ref", grant->ref);
    put_int(view, "amount_fen", grant->fen);
    put_int(view, "priority", grant->priority);
    put_expires(view, grant->expires_ms);
    ll_jw_key(&view->w, "duplicate");
    ll_jw_bool(&view->w, t->topping.again);
    put_int(view, "balance_fen", t->topping.balance_fen);
    ll_jw_close(&view->w, '}');
}

static linli_status
read_top_up(struct top_up *t, struct ll_err *err)
{
    static const char *const names[] = {
        "amount_fen", "ref", "channel", "priority", "expires", NULL};
    struct ll_wallet_grant *grant = &t->topping.grant;
    struct ll_form form;
    ll_form_begin(&form, &t->till.view, names, err);
    grant->fen = ll_form_int(&form, "amount_fen", 1, INT64_MAX, 0);
    ll_form_text(
        &form, &(struct ll_form_text){"ref", t->ref, sizeof t->ref, NULL});
    ll_form_text(&form, &(struct ll_form_text){"channel", t->channel,
                            sizeof t->channel, CHANNEL_PREPAID});
    judge_channel(&form, t->channel);
    grant->priority = ll_form_int(&form, "priority", 0, PRIORITY_MAX, 0);
    grant->expires_ms = ll_form_instant(&form, "expires", INT64_MAX);
    if (form.status == LINLI_OK &&
        grant->expires_ms <= t->topping.job.act.now_ms)
        form.status = ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`expires` has passed already");
    grant->channel = ll_cstr(t->channel);
    grant->ref = ll_cstr(t->ref);
    ll_form_end(&form);
    return form.status;
}

static void
take_top_up(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, uint32_t sub)
{
    struct ll_err err;
    struct ll_till_view *till =
        ll_till_view_new(face, request, sizeof(struct top_up));
    if (till == NULL)
        return;
    struct top_up *t = LL_CONTAINER(till, struct top_up, till);
    till->write = write_top_up;
    ll_till_view_job(till, &t->topping.job);
    t->topping.grant.community = community->id;
    t->topping.grant.sub = sub;
    linli_status status = read_top_up(t, &err);
    if (status == LINLI_OK)
        status = ll_pay_ahead(&t->topping, &err);
    ll_till_view_lined(till, status, &err);
}

/* -- lists -- */

struct list {
    struct ll_view view;
    struct ll_params params;
    enum ll_statement statement;
    linli_str community;
    int64_t of, limit, after;
    bool (*row)(struct list *list, struct ll_rd *rd); /* false: torn */
};

static void
end_list(struct ll_view *view)
{
    struct list *list = LL_CONTAINER(view, struct list, view);
    ll_release(&view->face->host->mem, list, sizeof *list);
}

static bool
row_payment(struct list *list, struct ll_rd *rd)
{
    struct ll_view *view = &list->view;
    list->after = ll_rd_int(rd);
    put_id(view, "id", "pay_", list->after);
    ll_view_text(view, "channel", ll_rd_bytes(rd));
    ll_view_text(view, "ref", ll_rd_bytes(rd));
    put_int(view, "amount_fen", ll_rd_int(rd));
    ll_view_instant(view, "paid_at", ll_rd_int(rd));
    ll_view_instant(view, "at", ll_rd_int(rd));
    ll_view_text(view, "by", ll_rd_bytes(rd));
    put_int(view, "refunded_fen", ll_rd_int(rd));
    return !rd->bad;
}

static bool
row_refund(struct list *list, struct ll_rd *rd)
{
    struct ll_view *view = &list->view;
    list->after = ll_rd_int(rd);
    put_id(view, "id", "ref_", list->after);
    put_id(view, "payment", "pay_", ll_rd_int(rd));
    ll_view_text(view, "ref", ll_rd_bytes(rd));
    put_int(view, "amount_fen", ll_rd_int(rd));
    ll_view_text(view, "reason", ll_rd_bytes(rd));
    ll_view_instant(view, "at", ll_rd_int(rd));
    ll_view_text(view, "by", ll_rd_bytes(rd));
    return !rd->bad;
}

static bool
row_grant(struct list *list, struct ll_rd *rd)
{
    struct ll_view *view = &list->view;
    list->after = ll_rd_int(rd);
    put_id(view, "id", "top_", list->after);
    ll_view_text(view, "channel", ll_rd_bytes(rd));
    ll_view_text(view, "ref", ll_rd_bytes(rd));
    put_int(view, "amount_fen", ll_rd_int(rd));
    put_int(view, "priority", ll_rd_int(rd));
    put_expires(view, ll_rd_int(rd));
    ll_view_instant(view, "at", ll_rd_int(rd));
    ll_view_text(view, "by", ll_rd_bytes(rd));
    put_int(view, "left_fen", ll_rd_int(rd));
    return !rd->bad;
}

static bool
row_account(struct list *list, struct ll_rd *rd)
{
    struct ll_view *view = &list->view;
    list->after = ll_rd_int(rd);
    (void)ll_rd_bytes(rd); /* the community */
    ll_view_text(view, "account", ll_rd_bytes(rd));
    ll_wide fen = (ll_wide)ll_rd_int(rd) * ((int64_t)1 << 32);
    fen += ll_rd_int(rd);
    put_int(view, "balance_fen", (int64_t)fen);
    return !rd->bad && fen >= INT64_MIN && fen <= INT64_MAX;
}

static void
step_list(struct ll_view *view)
{
    struct list *list = LL_CONTAINER(view, struct list, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    bool more = view->query.more || view->query.row_count > list->limit;
    for (uint32_t i = 0; i < view->query.row_count && i < list->limit; i++) {
        (void)ll_rd_list(&rd);
        ll_jw_open(&view->w, '{');
        if (!list->row(list, &rd)) {
            ll_view_torn(view);
            return;
        }
        ll_jw_close(&view->w, '}');
    }
    ll_jw_close(&view->w, ']');
    ll_view_cursor(view, more, list->after);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static void
ask_list(struct list *list)
{
    struct ll_query *query = ll_view_query(&list->view, list->statement);
    ll_put_bytes(&query->params, list->community);
    if (list->of != 0)
        ll_put_int(&query->params, list->of);
    ll_put_int(&query->params, list->after);
    ll_put_int(&query->params, list->limit + 1);
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&list->view);
}

static void
begin_list(
    struct ll_face *face, struct ll_request *request, const struct list *what)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct ll_err err;
    struct list *list = ll_alloc(&face->host->mem, sizeof *list);
    if (list == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    *list = *what;
    list->view.step = step_list;
    list->view.end = end_list;
    ll_view_begin(&list->view, face, request);
    linli_status status =
        ll_params_read(&list->params, names, request->query, &err);
    if (status == LINLI_OK)
        status = ll_view_page(&list->params, &list->limit, &list->after, &err);
    if (status != LINLI_OK) {
        ll_view_refuse(&list->view, &err);
        return;
    }
    ll_jw_open(&list->view.w, '{');
    if (list->statement == LL_ST_wallet_list)
        put_int(&list->view, "balance_fen",
            ll_wallet_balance(&face->host->billing, (uint32_t)list->of,
                ll_world_wall(face->host->world).ms));
    ll_jw_key(&list->view.w, "items");
    ll_jw_open(&list->view.w, '[');
    ask_list(list);
}

/* -- which -- */

/* "/invoices/inv_7/payments" to 7; false for any other path. */
static bool
split(linli_str rest, const char *const parts[3], int64_t *id)
{
    linli_str name;
    if (!ll_str_starts(rest, parts[0]))
        return false;
    size_t n = strlen(parts[0]);
    linli_str left = {rest.ptr + n, rest.len - n};
    return ll_str_split(&left, '/', &name) && ll_str_is(left, parts[2]) &&
           ll_id_read(name, parts[1], id);
}

struct way {
    const char *parts[3];
    enum ll_statement statement;
    bool (*row)(struct list *list, struct ll_rd *rd);
    void (*take)(struct ll_face *face, struct ll_request *request,
        const struct ll_community *community, int64_t id);
};

static void
take_wallet(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, int64_t id)
{
    const struct ll_sub *sub =
        id > UINT32_MAX ? NULL
                        : ll_sub_by_id(&face->host->billing, (uint32_t)id);
    if (sub == NULL || !ll_str_eq(sub->community, community->id))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else
        take_top_up(face, request, community, sub->id);
}

static const struct way ways[] = {
    {{"/invoices/", "inv_", "payments"}, LL_ST_payments_of, row_payment,
        take_payment},
    {{"/invoices/", "inv_", "refunds"}, LL_ST_refunds_of, row_refund,
        take_refund},
    {{"/subscriptions/", "sub_", "wallet"}, LL_ST_wallet_list, row_grant,
        take_wallet},
};

static void
go(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, const struct way *way, int64_t id)
{
    const struct list list = {.statement = way->statement,
        .community = community->id,
        .of = id,
        .row = way->row};
    if (ll_str_is(request->method, "GET"))
        begin_list(face, request, &list);
    else if (!ll_str_is(request->method, "POST"))
        ll_face_method(face, request, "GET, POST");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else
        way->take(face, request, community, id);
}

bool
ll_money_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    int64_t id = 0;
    for (size_t i = 0; i < LL_COUNT(ways); i++)
        if (split(rest, ways[i].parts, &id)) {
            go(face, request, community, &ways[i], id);
            return true;
        }
    if (!ll_str_is(rest, "/ledger"))
        return false;
    const struct list list = {.statement = LL_ST_ledger_of,
        .community = community->id,
        .row = row_account};
    if (ll_str_is(request->method, "GET"))
        begin_list(face, request, &list);
    else
        ll_face_method(face, request, "GET");
    return true;
}
