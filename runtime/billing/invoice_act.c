/* billing/invoice_act.c: paid, credited, written off. [loop] */
#include "billing/invoices_int.h"

#include <stdio.h>

#include "base/text.h"
#include "billing/money_int.h"

struct ll_inv *
ll_inv_first_draft(const struct ll_billing *billing, uint32_t sub)
{
    struct ll_inv *inv = ll_inv_first(billing, sub);
    while (inv != NULL && inv->state != LL_INV_DRAFT)
        inv = inv->next_sub;
    return inv;
}

bool
ll_inv_restricts(const struct ll_billing *billing, uint32_t sub)
{
    if (billing->invoices == NULL)
        return false;
    for (const struct ll_inv *inv = ll_inv_first(billing, sub); inv != NULL;
         inv = inv->next_sub)
        if (inv->step >= LL_DUNNING_RESTRICT)
            return true;
    return false;
}

/* Whether another invoice of the subscription suspends it. */
static bool
is_held_by_another(const struct ll_billing *billing, const struct ll_inv *but)
{
    for (const struct ll_inv *inv = ll_inv_first(billing, but->sub);
         inv != NULL; inv = inv->next_sub)
        if (inv != but && inv->step == LL_DUNNING_SUSPEND)
            return true;
    return false;
}

/* It is `next` from now on; closed, it is forgotten, and what was suspended
 * for it goes on. The act may still be dropped before. */
static linli_status
become(struct ll_bill_act *act, struct ll_inv *inv, const struct ll_inv *next,
    const char *what, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    struct ll_sub *sub = ll_sub_by_id(billing, inv->sub);
    struct ll_sub_deed deed = {.what = LL_SUB_DO_UNSUSPEND};
    bool closed =
        next->state == LL_INV_PAID || next->state == LL_INV_WRITTEN_OFF;
    struct ll_inv now = *next;
    if (closed) /* should it be owed again, all begins anew */
        now.step = LL_DUNNING_NONE;
    ll_inv_put_state(act, &now);
    if (what != NULL)
        ll_inv_deed(act, inv, what);
    if (act->commit->ops.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
    if (closed && inv->step == LL_DUNNING_SUSPEND &&
        !is_held_by_another(billing, inv)) {
        linli_status status = ll_sub_put(act, sub, &deed, err);
        if (status != LINLI_OK)
            return status;
    }
    *inv = now;
    if (closed)
        ll_inv_remove(billing, inv);
    return LINLI_OK;
}

/* Receivable to `writeoff`, or so much less of it. An invoice may have several
 * such entries, each after another move. */
static linli_status
post_write_off(struct ll_bill_act *act, const struct ll_inv *inv, int64_t fen,
    struct ll_err *err)
{
    const struct ll_sub *sub = ll_sub_by_id(act->billing, inv->sub);
    struct ll_account_text owed;
    char number[LL_INVOICE_NUMBER_BYTES], ref[LL_INVOICE_NUMBER_BYTES + 24];
    const struct ll_posting postings[] = {{LINLI_STR("writeoff"), fen},
        {ll_account_sub(&owed, "receivable", sub->id), -fen}};
    ll_invoice_number("INV", inv->number, number);
    (void)snprintf(ref, sizeof ref, "%s/%lld", number,
        (long long)act->billing->money->ids.move);
    const struct ll_entry entry = {.community = sub->community,
        .kind = LINLI_STR("write-off"),
        .ref = ll_cstr(ref),
        .postings = postings,
        .count = LL_COUNT(postings),
        .at_ms = act->now_ms};
    return ll_books_post(act, &entry, err);
}

/* -- of one that is closed -- */

/* Something went back: it is open, and due as if it were final now. */
static linli_status
owe_again(struct ll_bill_act *act, struct ll_inv *next, struct ll_err *err)
{
    struct ll_billing *billing = act->billing;
    const struct ll_sub *sub = ll_sub_by_id(billing, next->sub);
    struct ll_inv *inv = ll_alloc(billing->mem, sizeof *inv);
    if (inv == NULL || !ll_inv_room(billing, next->sub)) {
        ll_release(billing->mem, inv, sizeof *inv);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    }
    next->state = LL_INV_FINAL;
    next->step = LL_DUNNING_NONE;
    next->due_day = ll_local_day(sub->local, act->now_ms) +
                    billing->invoices->policy.dunning.due_days;
    *inv = *next;
    ll_inv_put_state(act, inv);
    ll_commit_op(act->commit, LL_ST_invoice_due);
    ll_put_int(&act->commit->ops, inv->id);
    ll_put_int(&act->commit->ops, inv->due_day);
    ll_inv_deed(act, inv, "owed-again");
    if (act->commit->ops.failed) {
        ll_release(billing->mem, inv, sizeof *inv);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
    }
    ll_inv_add(billing, inv);
    ll_inv_due(billing, inv);
    return LINLI_OK;
}

/* What comes is not written off any more; what goes back is. */
static linli_status
come_after_all(struct ll_bill_act *act, struct ll_inv *next,
    const struct ll_owed_move *by, struct ll_err *err)
{
    int64_t fen = by->paid_fen;
    bool closed = ll_inv_due_fen(next) == 0;
    linli_status status = LINLI_OK;
    if (!ll_fen_add(&fen, by->credited_fen))
        return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "what was paid of inv_%lld", (long long)next->id);
    next->state = closed ? LL_INV_PAID : LL_INV_WRITTEN_OFF;
    if (fen != 0)
        status = post_write_off(act, next, -fen, err);
    ll_inv_put_state(act, next);
    if (closed)
        ll_inv_deed(act, next, "paid");
    return status;
}

static linli_status
move_closed(struct ll_bill_act *act, const struct ll_inv *was,
    struct ll_inv *next, const struct ll_owed_move *by, struct ll_err *err)
{
    switch (was->state) {
    case LL_INV_FINAL: /* written off a moment ago: nothing else closes it */
    case LL_INV_OVERDUE:
    case LL_INV_WRITTEN_OFF:
        return come_after_all(act, next, by, err);
    case LL_INV_PAID:
        if (ll_inv_due_fen(next) > 0)
            return owe_again(act, next, err);
        break;
    case LL_INV_DRAFT:
    case LL_INV_EMPTY:
    case LL_INV_STATE_COUNT:
        break;
    }
    ll_inv_put_state(act, next);
    return LINLI_OK;
}

linli_status
ll_invoice_moved(struct ll_bill_act *act, const struct ll_inv *was,
    const struct ll_owed_move *by, struct ll_err *err)
{
    struct ll_inv *inv = ll_inv_by_id(act->billing, was->id);
    struct ll_inv next = inv == NULL ? *was : *inv;
    if (!ll_fen_add(&next.paid_fen, by->paid_fen) ||
        !ll_fen_add(&next.credited_fen, by->credited_fen))
        return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "what was paid of inv_%lld", (long long)was->id);
    if (inv == NULL)
        return move_closed(act, was, &next, by, err);
    if (ll_inv_due_fen(&next) == 0)
        next.state = LL_INV_PAID;
    return become(
        act, inv, &next, next.state == LL_INV_PAID ? "paid" : NULL, err);
}

linli_status
ll_invoice_write_off(struct ll_bill_act *act, int64_t id, struct ll_err *err)
{
    struct ll_inv *inv = ll_inv_by_id(act->billing, id);
    if (inv == NULL ||
        (inv->state != LL_INV_FINAL && inv->state != LL_INV_OVERDUE))
        return ll_fail(err, LINLI_E_CONFLICT, "invoice/closed",
            "inv_%lld is not owed", (long long)id);
    if (inv->busy)
        return ll_fail(err, LINLI_E_CONFLICT, "runtime/busy",
            "inv_%lld is being credited", (long long)id);
    struct ll_inv next = *inv;
    next.state = LL_INV_WRITTEN_OFF;
    linli_status status = post_write_off(act, inv, ll_inv_due_fen(inv), err);
    return status == LINLI_OK ? become(act, inv, &next, "written-off", err)
                              : status;
}
