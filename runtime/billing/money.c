/* billing/money.c: bills and their moves. [loop] */
#include "billing/money.h"

#include <stdio.h>

#include "base/text.h"
#include "billing/money_int.h"

linli_str
ll_account_sub(struct ll_account_text *room, const char *kind, uint32_t sub)
{
    (void)snprintf(room->text, sizeof room->text, "%s:sub_%u", kind, sub);
    return ll_cstr(room->text);
}

linli_str
ll_account_of(struct ll_account_text *room, const char *kind, linli_str whose)
{
    (void)snprintf(
        room->text, sizeof room->text, "%s:%.*s", kind, LL_FMT(whose));
    return ll_cstr(room->text);
}

/* -- posting -- */

static linli_status
post(struct ll_bill_act *act, linli_str community, const char *kind,
    const struct ll_entry *entry, struct ll_err *err)
{
    struct ll_entry made = *entry;
    made.community = community;
    made.kind = ll_cstr(kind);
    made.at_ms = act->now_ms;
    return ll_books_post(act, &made, err);
}

/* What is paid past the rest is the subscription's. */
static linli_status
post_credit(struct ll_bill_act *act, const struct ll_bill *bill, linli_str ref,
    int64_t fen, struct ll_err *err)
{
    struct ll_account_text owed, theirs;
    const struct ll_posting postings[] = {
        {ll_account_sub(&owed, "receivable", bill->sub), fen},
        {ll_account_sub(&theirs, "credit", bill->sub), -fen}};
    const struct ll_entry entry = {
        .ref = ref, .postings = postings, .count = LL_COUNT(postings)};
    return post(act, bill->community, "credit", &entry, err);
}

static linli_status
post_share(struct ll_bill_act *act, const struct ll_bill *bill, linli_str ref,
    const struct ll_owed_move *by, struct ll_err *err)
{
    struct ll_account_text revenue, vendor;
    const struct ll_posting postings[] = {
        {ll_account_of(&revenue, "revenue", bill->plugin), by->base_fen},
        {LINLI_STR("due:operator"), -by->share.platform_fen},
        {LINLI_STR("due:channel"), -by->share.channel_fen},
        {ll_account_of(&vendor, "due:vendor", bill->plugin),
            -by->share.vendor_fen}};
    const struct ll_entry entry = {
        .ref = ref, .postings = postings, .count = LL_COUNT(postings)};
    return post(act, bill->community, "share", &entry, err);
}

/* -- moves -- */

static void
put_move(struct ll_bill_act *act, const struct ll_bill *bill,
    const struct ll_money_move *move)
{
    struct ll_buf *ops = &act->commit->ops;
    struct ll_money *money = act->billing->money;
    ll_commit_op(act->commit, LL_ST_bill_move_put);
    ll_put_int(ops, ++money->ids.move);
    ll_put_int(ops, bill->invoice);
    ll_put_int(
        ops, act->now_ms > money->settled_ms ? act->now_ms : money->settled_ms);
    ll_put_bytes(ops, ll_cstr(move->kind));
    ll_put_bytes(ops, move->ref);
    ll_put_int(ops, move->by.credited_fen);
    ll_put_int(ops, move->by.credited_tax_fen);
    ll_put_int(ops, move->by.paid_fen);
    ll_put_int(ops, move->by.base_fen);
    ll_put_int(ops, move->by.share.platform_fen);
    ll_put_int(ops, move->by.share.channel_fen);
    ll_put_int(ops, move->by.share.vendor_fen);
}

linli_status
ll_money_move(struct ll_bill_act *act, struct ll_bill *bill,
    struct ll_money_move *move, struct ll_err *err)
{
    linli_status status = ll_owed_move(&bill->owed, &move->by, err);
    if (status != LINLI_OK)
        return status;
    put_move(act, bill, move);
    return post_share(act, bill, move->ref, &move->by, err);
}

linli_status
ll_money_credit(struct ll_bill_act *act, struct ll_bill *bill,
    const struct ll_money_note *note, struct ll_err *err)
{
    struct ll_money_move move = {.kind = "credit-note",
        .ref = note->number,
        .by = {.credited_fen = note->fen, .credited_tax_fen = note->tax_fen}};
    linli_status status = ll_money_move(act, bill, &move, err);
    return status == LINLI_OK
               ? post_credit(act, bill, note->number, move.by.over_fen, err)
               : status;
}

/* -- an invoice becomes final -- */

static void
put_bill(struct ll_bill_act *act, const struct ll_bill *bill)
{
    struct ll_buf *ops = &act->commit->ops;
    const struct ll_owed *owed = &bill->owed;
    ll_commit_op(act->commit, LL_ST_bill_put);
    ll_put_int(ops, bill->invoice);
    ll_put_bytes(ops, bill->community);
    ll_put_bytes(ops, bill->number);
    ll_put_bytes(ops, bill->plugin);
    ll_put_int(ops, bill->sub);
    ll_put_int(ops, owed->total_fen);
    ll_put_int(ops, owed->tax_fen);
    ll_put_int(ops, owed->terms.platform_bp);
    ll_put_int(ops, owed->terms.platform_fixed_fen);
    ll_put_int(ops, owed->terms.channel_bp);
    ll_put_int(ops, act->now_ms);
}

static linli_status
post_settled(struct ll_bill_act *act, const struct ll_bill *bill,
    const struct ll_settled *settled, struct ll_err *err)
{
    struct ll_account_text owed, credit, wallet;
    int64_t used = settled->credit_notes_fen + settled->wallet_fen;
    const struct ll_posting postings[] = {
        {ll_account_sub(&credit, "credit", bill->sub),
            settled->credit_notes_fen},
        {ll_account_sub(&wallet, "wallet", bill->sub), settled->wallet_fen},
        {ll_account_sub(&owed, "receivable", bill->sub), -used}};
    const struct ll_entry entry = {
        .ref = bill->number, .postings = postings, .count = LL_COUNT(postings)};
    return post(act, bill->community, "settle", &entry, err);
}

/* An invoice of less than nothing: the caller's entry made it their credit. */
static linli_status
take_back(struct ll_bill_act *act, struct ll_bill *bill, struct ll_err *err)
{
    struct ll_money_move move = {.kind = "settle", .ref = bill->number};
    linli_status status = ll_owed_less(&bill->owed, &move.by, err);
    if (status != LINLI_OK)
        return status;
    put_move(act, bill, &move);
    return post_share(act, bill, move.ref, &move.by, err);
}

linli_status
ll_money_bill(struct ll_bill_act *act, struct ll_bill *bill, struct ll_err *err)
{
    struct ll_account_text credit;
    struct ll_settled settled;
    int64_t theirs = ll_books_balance(act->billing, bill->community,
        ll_account_sub(&credit, "credit", bill->sub));
    put_bill(act, bill);
    if (bill->owed.total_fen < 0)
        return take_back(act, bill, err);
    linli_status status =
        ll_wallet_use(act, bill, theirs < 0 ? -theirs : 0, &settled, err);
    if (status != LINLI_OK)
        return status;
    struct ll_money_move move = {.kind = "settle", .ref = bill->number};
    move.by.paid_fen = settled.credit_notes_fen + settled.wallet_fen;
    if (move.by.paid_fen == 0)
        return LINLI_OK;
    status = ll_money_move(act, bill, &move, err);
    return status == LINLI_OK ? post_settled(act, bill, &settled, err) : status;
}

/* -- reading one -- */

void
ll_money_ask(struct ll_till_job *job, linli_str community, int64_t invoice)
{
    struct ll_query *query = ll_till_query(job, LL_ST_bill_state);
    ll_put_bytes(&query->params, community);
    ll_put_int(&query->params, invoice);
}

/* A bill that has no invoice is of a draft, which has none. */
static void
read_invoice(struct ll_rd *rd, struct ll_bill *bill)
{
    struct ll_inv *was = &bill->was;
    was->id = bill->invoice;
    was->sub = bill->sub;
    was->total_fen = bill->owed.total_fen;
    was->credited_fen = bill->owed.credited_fen;
    was->paid_fen = bill->owed.paid_fen;
    was->state = (enum ll_inv_state)ll_rd_int_in(rd, 0, LL_INV_STATE_COUNT - 1);
    was->k = (int32_t)ll_rd_int_in(rd, 0, INT32_MAX);
    was->last = ll_rd_int(rd) != 0;
    was->number = ll_rd_int(rd);
    was->made_ms = ll_rd_int(rd);
    was->grace_ms = ll_rd_int(rd);
    was->final_ms = ll_rd_int(rd);
}

linli_status
ll_money_read(
    const struct ll_till_job *job, struct ll_bill *bill, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&job->query.rows));
    struct ll_owed *owed = &bill->owed;
    *bill = (struct ll_bill){.invoice = 0};
    if (job->query.row_count == 0)
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "no such invoice is final");
    (void)ll_rd_list(&rd);
    bill->invoice = ll_rd_int(&rd);
    bill->community = ll_rd_bytes(&rd);
    bill->number = ll_rd_bytes(&rd);
    bill->plugin = ll_rd_bytes(&rd);
    bill->sub = (uint32_t)ll_rd_int_in(&rd, 0, UINT32_MAX);
    owed->total_fen = ll_rd_int(&rd);
    owed->tax_fen = ll_rd_int(&rd);
    owed->terms.platform_bp = ll_rd_int(&rd);
    owed->terms.platform_fixed_fen = ll_rd_int(&rd);
    owed->terms.channel_bp = ll_rd_int(&rd);
    owed->credited_fen = ll_rd_int(&rd);
    owed->credited_tax_fen = ll_rd_int(&rd);
    owed->paid_fen = ll_rd_int(&rd);
    owed->base_fen = ll_rd_int(&rd);
    read_invoice(&rd, bill);
    return rd.bad ? ll_till_torn(err) : LINLI_OK;
}

/* -- opening -- */

static linli_status
load_ids(struct ll_billing *billing, struct ll_err *err)
{
    struct ll_money_ids *ids = &billing->money->ids;
    struct ll_query query;
    ll_query_init(&query, billing->mem, LL_ST_money_last);
    linli_status status = ll_store_ask(billing->store, &query);
    struct ll_rd rd = ll_rd(ll_buf_view(&query.rows));
    if (status != LINLI_OK) {
        *err = query.err;
    } else {
        (void)ll_rd_list(&rd);
        ids->move = ll_rd_int(&rd);
        ids->payment = ll_rd_int(&rd);
        ids->refund = ll_rd_int(&rd);
        ids->grant = ll_rd_int(&rd);
        ids->use = ll_rd_int(&rd);
        billing->money->settled_ms = ll_rd_int(&rd);
        if (rd.bad)
            status = ll_till_torn(err);
    }
    ll_query_fini(&query);
    return status;
}

linli_status
ll_money_open(struct ll_billing *billing, struct ll_err *err)
{
    billing->money = ll_alloc(billing->mem, sizeof *billing->money);
    if (billing->money == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "wallets");
    linli_status status = load_ids(billing, err);
    return status == LINLI_OK ? ll_wallets_open(billing, err) : status;
}

void
ll_money_close(struct ll_billing *billing)
{
    if (billing->money == NULL)
        return;
    ll_wallets_close(billing);
    ll_release(billing->mem, billing->money, sizeof *billing->money);
    billing->money = NULL;
}
