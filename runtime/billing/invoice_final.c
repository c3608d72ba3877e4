/* billing/invoice_final.c: a draft becomes final. [loop]
 *
 * A flight asks the store for what was counted, rates it, and puts the frozen
 * body, its number, its entry in the ledger and what is billed by it into one
 * commit. The number is drawn in the turn in which the commit is sent, so that
 * numbers have no gaps whatever happens to other flights.
 */
#include "billing/invoices_int.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "billing/money.h"

static void
end_flight(
    struct ll_inv_flight *f, linli_status status, const struct ll_err *err)
{
    struct ll_billing *billing = f->billing;
    struct ll_invoices *invoices = billing->invoices;
    struct ll_inv_flight *next = f->next;
    void (*done)(void *, linli_status, const struct ll_err *) = f->done;
    void *user = f->user;
    if (f->gathering)
        ll_gather_end(&f->gather);
    if (f->before == NULL)
        invoices->flights = next;
    else
        f->before->next = next;
    if (next != NULL)
        next->before = f->before;
    invoices->flight_count--;
    ll_release(billing->mem, f, sizeof *f);
    if (invoices->hooks.wake != NULL && !invoices->shut)
        invoices->hooks.wake(invoices->hooks.user);
    if (done != NULL)
        done(user, status, err);
}

/* It stays a draft, for somebody to look at, and is tried again. */
static void
fail_flight(
    struct ll_inv_flight *f, linli_status status, const struct ll_err *err)
{
    struct ll_invoices *invoices = f->billing->invoices;
    struct ll_inv *inv = ll_inv_by_id(f->billing, f->id);
    if (inv != NULL) {
        inv->busy = false;
        inv->held = invoices->stopped;
        if (!inv->held && !invoices->shut)
            ll_inv_again(f->billing, inv->id);
    }
    if (inv != NULL && invoices->hooks.failed != NULL && !invoices->shut)
        invoices->hooks.failed(invoices->hooks.user, inv, err);
    end_flight(f, status, err);
}

/* -- what goes into the commit -- */

static void
put_uses(struct ll_inv_flight *f)
{
    struct ll_buf *ops = &f->act.commit->ops;
    for (uint32_t s = 0; s < f->gather.span_count; s++) {
        const struct ll_span *span = &f->gather.spans[s];
        for (uint32_t i = 0; i < span->sums.count; i++) {
            const struct ll_sum *sum = &span->sums.at[i];
            ll_commit_op(f->act.commit, LL_ST_invoice_use_put);
            ll_put_int(ops, f->sub);
            ll_put_int(ops, span->period.from);
            ll_put_bytes(ops, sum->meter);
            ll_put_int(ops, sum->version);
            ll_put_int(ops, sum->quantity_micro);
            ll_put_int(ops, (int64_t)sum->last_lsn);
        }
    }
}

static void
put_final(struct ll_inv_flight *f, const struct ll_inv *inv,
    const struct ll_rated *rated, linli_str body)
{
    struct ll_buf *ops = &f->act.commit->ops;
    unsigned char hash[LL_SHA256_BYTES];
    ll_sha256(body.ptr, body.len, hash);
    ll_commit_op(f->act.commit, LL_ST_invoice_final);
    ll_put_int(ops, inv->id);
    ll_put_int(ops, inv->state);
    if (f->empty)
        ll_put_nil(ops);
    else
        ll_put_int(ops, inv->number);
    ll_put_int(ops, inv->final_ms);
    ll_put_int(ops, inv->due_day);
    ll_put_int(ops, (int64_t)f->gather.watermark);
    ll_put_int(ops, rated->invoice.net_fen);
    ll_put_int(ops, rated->invoice.tax_fen);
    ll_put_int(ops, rated->invoice.total_fen);
    if (f->empty) {
        ll_put_nil(ops);
        ll_put_nil(ops);
    } else {
        ll_put_bytes(ops, (linli_str){(const char *)hash, sizeof hash});
        ll_put_bytes(ops, body);
    }
}

/* receivable | revenue, tax; of less than nothing credit of the subscription.
 * What they have as credit or in a wallet pays at once. */
static linli_status
post(struct ll_inv_flight *f, struct ll_inv *inv, const struct ll_rated *rated,
    struct ll_err *err)
{
    const struct ll_sub *sub = ll_sub_by_id(f->billing, f->sub);
    struct ll_account_text owed, revenue;
    char number[LL_INVOICE_NUMBER_BYTES];
    bool owes = rated->invoice.total_fen >= 0;
    const struct ll_posting postings[] = {
        {ll_account_sub(&owed, owes ? "receivable" : "credit", sub->id),
            rated->invoice.total_fen},
        {ll_account_of(&revenue, "revenue", sub->plugin),
            -rated->invoice.net_fen},
        {LINLI_STR("tax"), -rated->invoice.tax_fen}};
    ll_invoice_number("INV", inv->number, number);
    const struct ll_entry entry = {.community = sub->community,
        .kind = LINLI_STR("invoice"),
        .ref = ll_cstr(number),
        .postings = postings,
        .count = LL_COUNT(postings),
        .at_ms = f->act.now_ms};
    linli_status status = ll_books_post(&f->act, &entry, err);
    if (status != LINLI_OK)
        return status;
    struct ll_bill bill = {.invoice = inv->id,
        .community = sub->community,
        .number = ll_cstr(number),
        .plugin = sub->plugin,
        .sub = sub->id,
        .owed = {.total_fen = rated->invoice.total_fen,
            .tax_fen = rated->invoice.tax_fen,
            .terms = rated->plan->share}};
    status = ll_money_bill(&f->act, &bill, err);
    if (owes)
        inv->paid_fen = bill.owed.paid_fen;
    if (status == LINLI_OK && ll_inv_due_fen(inv) == 0)
        inv->state = LL_INV_PAID;
    return status;
}

/* -- making it -- */

/* The day on which it is to be paid, and where it stands at once. */
static void
decide(struct ll_inv_flight *f, const struct ll_sub *sub, struct ll_inv *next,
    const struct ll_rated *rated)
{
    next->final_ms = f->act.now_ms;
    next->due_day = ll_local_day(sub->local, f->act.now_ms) +
                    f->billing->invoices->policy.dunning.due_days;
    next->total_fen = rated->invoice.total_fen;
    next->state = f->empty              ? LL_INV_EMPTY
                  : next->total_fen > 0 ? LL_INV_FINAL
                                        : LL_INV_PAID;
}

/* The commit with all of it; memory changes with it, or nothing does. */
static linli_status
send(struct ll_inv_flight *f, struct ll_inv *inv, const struct ll_rated *rated,
    linli_str body, struct ll_err *err)
{
    struct ll_billing *billing = f->billing;
    const struct ll_sub *sub = ll_sub_by_id(billing, f->sub);
    struct ll_inv next = *inv;
    struct ll_inv_numbers *numbers = ll_inv_numbers(billing, sub->community);
    if (numbers == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    next.number = f->empty ? 0 : numbers->invoice + 1;
    decide(f, sub, &next, rated);
    linli_status status = ll_bill_begin(&f->act, err);
    if (status != LINLI_OK)
        return status;
    if (!f->empty)
        status = post(f, &next, rated, err);
    if (status != LINLI_OK) {
        ll_bill_drop(&f->act);
        return status;
    }
    put_final(f, &next, rated, body);
    ll_inv_put_state(&f->act, &next);
    put_uses(f);
    ll_inv_deed(&f->act, inv, f->empty ? "empty" : "final");
    status = ll_bill_room(&f->act, err);
    if (status != LINLI_OK)
        return status;
    if (!f->empty)
        numbers->invoice = next.number;
    next.busy = false;
    next.held = false;
    *inv = next;
    f->sent = true;
    (void)ll_bill_send(&f->act);
    return LINLI_OK;
}

static linli_status
rate(struct ll_inv_flight *f, struct ll_inv *inv, struct ll_buf *text,
    struct ll_err *err)
{
    struct ll_gather *g = &f->gather;
    const struct ll_sub *sub = ll_sub_by_id(f->billing, f->sub);
    struct ll_rate rate = {f->billing, sub, g->turn, g->spans, g->span_count};
    struct ll_rated rated;
    struct ll_inv next = *inv;
    linli_status status = ll_rate_turn(&g->arena, &rate, &rated, err);
    if (status != LINLI_OK)
        return status;
    const struct ll_inv_numbers *numbers =
        ll_inv_numbers(f->billing, sub->community);
    if (numbers == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    f->empty = rated.invoice.lines.count == 0;
    decide(f, sub, &next, &rated);
    struct ll_body body = {.rate = &rate,
        .rated = &rated,
        .id = inv->id,
        .number = numbers->invoice + 1,
        .at_ms = f->act.now_ms,
        .due_day = next.due_day,
        .watermark = g->watermark};
    ll_invoice_body(&body, text);
    if (text->failed)
        return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "inv_%lld is longer than %d bytes, or there is no memory",
            (long long)inv->id, LL_INVOICE_BYTES_MAX);
    return send(f, inv, &rated, ll_buf_view(text), err);
}

/* Nothing waits for one that is paid, or was empty; the next draft of the
 * subscription, if its grace is over, has waited for this one. */
static void
settle(struct ll_billing *billing, int64_t id, uint32_t sub)
{
    struct ll_inv *inv = ll_inv_by_id(billing, id);
    if (inv != NULL &&
        (inv->state == LL_INV_PAID || inv->state == LL_INV_EMPTY))
        ll_inv_remove(billing, inv);
    else if (inv != NULL && ll_inv_room(billing, sub))
        ll_inv_due(billing, inv);
    for (inv = ll_inv_first(billing, sub); inv != NULL; inv = inv->next_sub)
        if (inv->state == LL_INV_DRAFT) {
            if (ll_inv_room(billing, sub))
                ll_inv_due(billing, inv);
            return;
        }
}

static void
on_durable(struct ll_bill_act *act, bool durable)
{
    struct ll_inv_flight *f = act->user;
    struct ll_err err;
    if (durable) {
        settle(f->billing, f->id, f->sub);
        end_flight(f, LINLI_OK, NULL);
        return;
    }
    linli_status status = ll_fail(
        &err, LINLI_E_CLOSED, "runtime/draining", "the store takes no more");
    end_flight(f, status, &err);
}

static void
on_gathered(
    struct ll_gather *gather, linli_status status, const struct ll_err *why)
{
    struct ll_inv_flight *f = gather->user;
    struct ll_inv *inv = ll_inv_by_id(f->billing, f->id);
    struct ll_buf text;
    struct ll_err err;
    ll_check(inv != NULL && inv->state == LL_INV_DRAFT);
    if (why != NULL)
        err = *why;
    if (status == LINLI_OK && f->billing->invoices->stopped)
        status = ll_fail(&err, LINLI_E_CONFLICT, "invoice/stopped",
            "reconcile has found a break");
    ll_buf_init(&text, f->billing->mem, LL_INVOICE_BYTES_MAX);
    if (status == LINLI_OK)
        status = rate(f, inv, &text, &err);
    ll_buf_fini(&text);
    ll_gather_end(gather);
    f->gathering = false;
    if (status != LINLI_OK)
        fail_flight(f, status, &err);
}

/* -- beginning -- */

static linli_status
may(const struct ll_billing *billing, const struct ll_inv *inv,
    struct ll_err *err)
{
    const struct ll_invoices *invoices = billing->invoices;
    if (inv == NULL || inv->state != LL_INV_DRAFT)
        return ll_fail(err, LINLI_E_CONFLICT, "invoice/final",
            "a period that is final is not billed again");
    if (invoices->stopped)
        return ll_fail(err, LINLI_E_CONFLICT, "invoice/stopped",
            "reconcile has found a break");
    for (const struct ll_inv *i = ll_inv_first(billing, inv->sub); i != inv;
         i = i->next_sub)
        if (i->state == LL_INV_DRAFT)
            return ll_fail(err, LINLI_E_CONFLICT, "invoice/earlier",
                "inv_%lld of an earlier period is a draft", (long long)i->id);
    if (inv->busy || invoices->shut ||
        invoices->flight_count >= LL_INVOICE_FLIGHTS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "runtime/busy",
            "other invoices are being made");
    return LINLI_OK;
}

linli_status
ll_inv_finalize(struct ll_billing *billing, const struct ll_inv_finalize *how,
    struct ll_err *err)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_inv *inv = ll_inv_by_id(billing, how->id);
    linli_status status = may(billing, inv, err);
    if (status != LINLI_OK)
        return status;
    struct ll_inv_flight *f = ll_alloc(billing->mem, sizeof *f);
    if (f == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    *f = (struct ll_inv_flight){.billing = billing,
        .id = inv->id,
        .sub = inv->sub,
        .gathering = true,
        .done = how->done,
        .user = how->user,
        .next = invoices->flights};
    (void)snprintf(f->by, sizeof f->by, "%.*s", LL_FMT(how->by));
    (void)snprintf(f->reason, sizeof f->reason, "%.*s", LL_FMT(how->reason));
    f->act = (struct ll_bill_act){.billing = billing,
        .by = ll_cstr(f->by),
        .reason = ll_cstr(f->reason),
        .now_ms = ll_world_wall(billing->world).ms,
        .done = on_durable,
        .user = f};
    if (f->next != NULL)
        f->next->before = f;
    invoices->flights = f;
    invoices->flight_count++;
    inv->busy = true;
    f->gather = (struct ll_gather){.billing = billing,
        .sub = inv->sub,
        .final_k = inv->k,
        .done = on_gathered,
        .user = f};
    ll_turn_of(
        ll_sub_by_id(billing, inv->sub), inv->k, inv->last, &f->gather.turn);
    ll_gather_begin(&f->gather);
    return LINLI_OK;
}

/* What has not been sent; what has is told by the store. */
void
ll_inv_flights_cancel(struct ll_billing *billing)
{
    struct ll_err err;
    linli_status status =
        ll_fail(&err, LINLI_E_CLOSED, "runtime/draining", "this host stops");
    for (struct ll_inv_flight *f = billing->invoices->flights, *next; f != NULL;
         f = next) {
        next = f->next;
        if (!f->sent)
            end_flight(f, status, &err);
    }
}
