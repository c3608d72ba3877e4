/* billing/pay.c: payments, refunds and top-ups, one after the other. [loop] */
#include "billing/pay.h"

#include <stdio.h>

#include "base/text.h"
#include "billing/invoices.h"
#include "billing/money_int.h"

#define REF_BYTES 32

static linli_status
used(const char *what, int64_t id, struct ll_err *err)
{
    return ll_fail(err, LINLI_E_CONFLICT, "ledger/ref-used",
        "%s %lld has this `ref`, and is another one", what, (long long)id);
}

static linli_status
post(struct ll_bill_act *act, const struct ll_entry *entry, struct ll_err *err)
{
    struct ll_entry made = *entry;
    made.at_ms = act->now_ms;
    return ll_books_post(act, &made, err);
}

/* -- payments -- */

/* Whether it is known already; then asks for the bill. */
static linli_status
find_payment(struct ll_paying *p, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&p->job.query.rows));
    if (p->job.query.row_count > 0) {
        (void)ll_rd_list(&rd);
        p->id = ll_rd_int(&rd);
        int64_t invoice = ll_rd_int(&rd), fen = ll_rd_int(&rd);
        p->again = true;
        if (rd.bad)
            return ll_till_torn(err);
        if (fen != p->fen || invoice != p->invoice)
            return used("payment", p->id, err);
    }
    ll_money_ask(&p->job, p->community, p->invoice);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

static void
put_payment(struct ll_paying *p, const struct ll_bill *bill)
{
    struct ll_buf *ops = &p->job.act.commit->ops;
    ll_commit_op(p->job.act.commit, LL_ST_payment_put);
    ll_put_int(ops, p->id);
    ll_put_bytes(ops, p->community);
    ll_put_int(ops, bill->invoice);
    ll_put_bytes(ops, p->channel);
    ll_put_bytes(ops, p->ref);
    ll_put_int(ops, p->fen);
    ll_put_int(ops, p->paid_at_ms);
    ll_put_int(ops, p->job.act.now_ms);
    ll_put_bytes(ops, p->job.act.by);
}

static linli_status
post_payment(struct ll_paying *p, const struct ll_bill *bill, linli_str ref,
    struct ll_err *err)
{
    struct ll_account_text cash, owed, credit;
    const struct ll_posting postings[] = {
        {ll_account_of(&cash, "cash", p->channel), p->fen},
        {ll_account_sub(&owed, "receivable", bill->sub), -p->paid_fen},
        {ll_account_sub(&credit, "credit", bill->sub), -p->over_fen}};
    const struct ll_entry entry = {.community = p->community,
        .kind = LINLI_STR("payment"),
        .ref = ref,
        .postings = postings,
        .count = LL_COUNT(postings)};
    return post(&p->job.act, &entry, err);
}

static linli_status
take_payment(struct ll_paying *p, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_bill_act *act = &p->job.act;
    struct ll_bill bill;
    char ref[REF_BYTES];
    linli_status status = ll_money_read(&p->job, &bill, err);
    p->due_fen = ll_owed_due(&bill.owed);
    if (status != LINLI_OK || p->again)
        return status;
    if (bill.owed.total_fen < 0)
        return ll_fail(err, LINLI_E_CONFLICT, "ledger/too-much",
            "an invoice of less than nothing is not paid");
    status = ll_bill_begin(act, err);
    if (status != LINLI_OK)
        return status;
    p->id = ++act->billing->money->ids.payment;
    (void)snprintf(ref, sizeof ref, "pay_%lld", (long long)p->id);
    struct ll_money_move move = {
        .kind = "payment", .ref = ll_cstr(ref), .by = {.paid_fen = p->fen}};
    put_payment(p, &bill);
    status = ll_money_move(act, &bill, &move, err);
    p->paid_fen = move.by.paid_fen;
    p->over_fen = move.by.over_fen;
    p->due_fen = ll_owed_due(&bill.owed);
    if (status == LINLI_OK)
        status = post_payment(p, &bill, ll_cstr(ref), err);
    if (status == LINLI_OK)
        status = ll_invoice_moved(act, &bill.was, &move.by, err);
    *next = LL_TILL_SEND;
    return status;
}

static linli_status
step_payment(
    struct ll_till_job *job, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_paying *p = LL_CONTAINER(job, struct ll_paying, job);
    if (job->steps == 1)
        return find_payment(p, next, err);
    if (job->steps == 2)
        return take_payment(p, next, err);
    struct ll_query *query = ll_till_query(job, LL_ST_payment_find);
    ll_put_bytes(&query->params, p->community);
    ll_put_bytes(&query->params, p->channel);
    ll_put_bytes(&query->params, p->ref);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

linli_status
ll_pay_take(struct ll_paying *paying, struct ll_err *err)
{
    ll_check(paying->fen > 0);
    paying->job.step = step_payment;
    return ll_till_put(&paying->job, err);
}

/* -- refunds -- */

static linli_status
find_refund(struct ll_refunding *r, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&r->job.query.rows));
    if (r->job.query.row_count > 0) {
        (void)ll_rd_list(&rd);
        r->id = ll_rd_int(&rd);
        int64_t payment = ll_rd_int(&rd), fen = ll_rd_int(&rd);
        r->again = true;
        if (rd.bad)
            return ll_till_torn(err);
        if (payment != r->payment || fen != r->fen)
            return used("refund", r->id, err);
    }
    struct ll_query *query = ll_till_query(&r->job, LL_ST_payment_get);
    ll_put_bytes(&query->params, r->community);
    ll_put_int(&query->params, r->payment);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

/* What is left of the payment; then asks for the bill. */
static linli_status
find_paid(struct ll_refunding *r, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&r->job.query.rows));
    (void)ll_rd_list(&rd);
    int64_t invoice = ll_rd_int(&rd);
    linli_str channel = ll_rd_bytes(&rd);
    int64_t fen = ll_rd_int(&rd), back = ll_rd_int(&rd);
    if (r->job.query.row_count == 0 || invoice != r->invoice)
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "the invoice has no such payment");
    if (rd.bad)
        return ll_till_torn(err);
    if (!r->again && r->fen > fen - back)
        return ll_fail(err, LINLI_E_CONFLICT, "ledger/too-much",
            "%lld of %lld fen are left of the payment", (long long)(fen - back),
            (long long)fen);
    (void)ll_account_of(&r->cash, "cash", channel);
    ll_money_ask(&r->job, r->community, r->invoice);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

static void
put_refund(struct ll_refunding *r)
{
    struct ll_buf *ops = &r->job.act.commit->ops;
    ll_commit_op(r->job.act.commit, LL_ST_refund_put);
    ll_put_int(ops, r->id);
    ll_put_bytes(ops, r->community);
    ll_put_int(ops, r->payment);
    ll_put_bytes(ops, r->ref);
    ll_put_int(ops, r->fen);
    ll_put_bytes(ops, r->reason);
    ll_put_int(ops, r->job.act.now_ms);
    ll_put_bytes(ops, r->job.act.by);
}

static linli_status
post_refund(struct ll_refunding *r, const struct ll_bill *bill, linli_str ref,
    struct ll_err *err)
{
    struct ll_account_text owed, credit;
    const struct ll_posting postings[] = {
        {ll_account_sub(&credit, "credit", bill->sub), r->credit_fen},
        {ll_account_sub(&owed, "receivable", bill->sub), r->owed_fen},
        {ll_cstr(r->cash.text), -r->fen}};
    const struct ll_entry entry = {.community = r->community,
        .kind = LINLI_STR("refund"),
        .ref = ref,
        .postings = postings,
        .count = LL_COUNT(postings)};
    return post(&r->job.act, &entry, err);
}

static linli_status
give_back(struct ll_refunding *r, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_bill_act *act = &r->job.act;
    struct ll_account_text credit;
    struct ll_bill bill;
    char ref[REF_BYTES];
    linli_status status = ll_money_read(&r->job, &bill, err);
    r->due_fen = ll_owed_due(&bill.owed);
    if (status != LINLI_OK || r->again)
        return status;
    int64_t theirs = -ll_books_balance(act->billing, r->community,
        ll_account_sub(&credit, "credit", bill.sub));
    r->credit_fen = theirs < 0 ? 0 : theirs < r->fen ? theirs : r->fen;
    r->owed_fen = r->fen - r->credit_fen;
    status = ll_bill_begin(act, err);
    if (status != LINLI_OK)
        return status;
    r->id = ++act->billing->money->ids.refund;
    (void)snprintf(ref, sizeof ref, "ref_%lld", (long long)r->id);
    struct ll_money_move move = {.kind = "refund",
        .ref = ll_cstr(ref),
        .by = {.paid_fen = -r->owed_fen}};
    put_refund(r);
    if (r->owed_fen > 0)
        status = ll_money_move(act, &bill, &move, err);
    r->due_fen = ll_owed_due(&bill.owed);
    if (status == LINLI_OK)
        status = post_refund(r, &bill, ll_cstr(ref), err);
    if (status == LINLI_OK && r->owed_fen > 0)
        status = ll_invoice_moved(act, &bill.was, &move.by, err);
    *next = LL_TILL_SEND;
    return status;
}

static linli_status
step_refund(
    struct ll_till_job *job, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_refunding *r = LL_CONTAINER(job, struct ll_refunding, job);
    if (job->steps == 1)
        return find_refund(r, next, err);
    if (job->steps == 2)
        return find_paid(r, next, err);
    if (job->steps == 3)
        return give_back(r, next, err);
    struct ll_query *query = ll_till_query(job, LL_ST_refund_find);
    ll_put_bytes(&query->params, r->community);
    ll_put_bytes(&query->params, r->ref);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

linli_status
ll_pay_back(struct ll_refunding *refunding, struct ll_err *err)
{
    ll_check(refunding->fen > 0);
    refunding->job.step = step_refund;
    return ll_till_put(&refunding->job, err);
}

/* -- top-ups -- */

static linli_status
top_up(struct ll_topping *t, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_bill_act *act = &t->job.act;
    struct ll_rd rd = ll_rd(ll_buf_view(&t->job.query.rows));
    linli_status status = LINLI_OK;
    if (t->job.query.row_count > 0) {
        (void)ll_rd_list(&rd);
        t->id = ll_rd_int(&rd);
        bool same = ll_rd_int(&rd) == t->grant.sub;
        same = ll_rd_int(&rd) == t->grant.fen && same;
        same = ll_rd_int(&rd) == t->grant.priority && same;
        same = ll_rd_int(&rd) == t->grant.expires_ms && same;
        t->again = true;
        status = rd.bad ? ll_till_torn(err)
                 : same ? LINLI_OK
                        : used("top-up", t->id, err);
    } else {
        *next = LL_TILL_SEND;
        status = ll_bill_begin(act, err);
        if (status == LINLI_OK)
            status = ll_wallet_put(act, &t->grant, &t->id, err);
    }
    t->balance_fen = ll_wallet_balance(act->billing, t->grant.sub, act->now_ms);
    return status;
}

static linli_status
step_top_up(
    struct ll_till_job *job, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_topping *t = LL_CONTAINER(job, struct ll_topping, job);
    if (job->steps == 1)
        return top_up(t, next, err);
    struct ll_query *query = ll_till_query(job, LL_ST_wallet_grant_find);
    ll_put_bytes(&query->params, t->grant.community);
    ll_put_bytes(&query->params, t->grant.ref);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

linli_status
ll_pay_ahead(struct ll_topping *topping, struct ll_err *err)
{
    ll_check(topping->grant.fen > 0);
    topping->job.step = step_top_up;
    return ll_till_put(&topping->job, err);
}
