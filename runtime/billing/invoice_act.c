/* billing/invoice_act.c: paid, credited, written off. [loop] */
#include "billing/invoices_int.h"

#include "base/text.h"
#include "billing/money.h"

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

/* Of one that is closed: its sums alone. */
static void
put_moved(struct ll_bill_act *act, int64_t id, const struct ll_owed_move *by)
{
    ll_commit_op(act->commit, LL_ST_invoice_moved);
    ll_put_int(&act->commit->ops, id);
    ll_put_int(&act->commit->ops, by->paid_fen);
    ll_put_int(&act->commit->ops, by->credited_fen);
}

linli_status
ll_invoice_moved(struct ll_bill_act *act, int64_t id,
    const struct ll_owed_move *by, struct ll_err *err)
{
    struct ll_inv *inv =
        act->billing->invoices == NULL ? NULL : ll_inv_by_id(act->billing, id);
    if (inv == NULL) {
        put_moved(act, id, by);
        return by->paid_fen < 0 && act->billing->invoices != NULL
                   ? ll_inv_reopen(act->billing, id, err)
                   : LINLI_OK;
    }
    struct ll_inv next = *inv;
    if (!ll_fen_add(&next.paid_fen, by->paid_fen) ||
        !ll_fen_add(&next.credited_fen, by->credited_fen))
        return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "what was paid of inv_%lld", (long long)id);
    if (ll_inv_due_fen(&next) == 0)
        next.state = LL_INV_PAID;
    return become(
        act, inv, &next, next.state == LL_INV_PAID ? "paid" : NULL, err);
}

static linli_status
post_write_off(
    struct ll_bill_act *act, const struct ll_inv *inv, struct ll_err *err)
{
    const struct ll_sub *sub = ll_sub_by_id(act->billing, inv->sub);
    struct ll_account_text owed;
    char number[LL_INVOICE_NUMBER_BYTES];
    int64_t left = ll_inv_due_fen(inv);
    const struct ll_posting postings[] = {{LINLI_STR("writeoff"), left},
        {ll_account_sub(&owed, "receivable", sub->id), -left}};
    ll_invoice_number("INV", inv->number, number);
    const struct ll_entry entry = {.community = sub->community,
        .kind = LINLI_STR("write-off"),
        .ref = ll_cstr(number),
        .postings = postings,
        .count = LL_COUNT(postings),
        .at_ms = act->now_ms};
    return ll_books_post(act, &entry, err);
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
    linli_status status = post_write_off(act, inv, err);
    return status == LINLI_OK ? become(act, inv, &next, "written-off", err)
                              : status;
}
