/* billing/invoice_run.c: the calendar: what is due, a part at a time. [loop] */
#include "billing/invoices_int.h"

#include "base/text.h"

#define BY LINLI_STR("linli")

static struct ll_bill_act
act_now(struct ll_billing *billing, int64_t now_ms)
{
    return (struct ll_bill_act){.billing = billing,
        .by = BY,
        .reason = LINLI_STR(""),
        .now_ms = now_ms};
}

/* -- a period turns -- */

/* Whether the first invoice has any line: fees in advance alone could make
 * one. */
static linli_status
is_empty(struct ll_billing *billing, const struct ll_sub *sub,
    const struct ll_turn *turn, bool *empty, struct ll_err *err)
{
    struct ll_arena arena;
    struct ll_rate rate = {billing, sub, *turn, NULL, 0};
    struct ll_rated rated;
    *empty = false;
    if (turn->has_before)
        return LINLI_OK;
    ll_arena_init(&arena, billing->mem, LL_GATHER_BYTES_MAX);
    linli_status status = ll_rate_turn(&arena, &rate, &rated, err);
    *empty = status == LINLI_OK && rated.invoice.lines.count == 0;
    ll_arena_fini(&arena);
    return status;
}

static void
put_draft(
    struct ll_bill_act *act, const struct ll_sub *sub, const struct ll_inv *inv)
{
    struct ll_buf *ops = &act->commit->ops;
    ll_commit_op(act->commit, LL_ST_invoice_put);
    ll_put_int(ops, inv->id);
    ll_put_bytes(ops, sub->community);
    ll_put_int(ops, inv->sub);
    ll_put_int(ops, inv->k);
    ll_put_int(ops, inv->last);
    ll_put_int(ops, inv->made_ms);
    ll_put_int(ops, inv->grace_ms);
}

/* Behind the last one nothing can be billed any more: it is a draft for as long
 * as use may come, and until what was under way then is durable. */
static int64_t
grace_of(const struct ll_invoices *invoices, const struct ll_turn *turn)
{
    int64_t grace_ms = invoices->policy.grace_ms;
    if (turn->last && grace_ms < LL_INVOICE_LAST_GRACE_MS)
        grace_ms = LL_INVOICE_LAST_GRACE_MS;
    return turn->due_ms + grace_ms;
}

/* A draft, and that the subscription is billed so far: one commit. */
static linli_status
make_draft(struct ll_billing *billing, struct ll_sub *sub,
    const struct ll_turn *turn, int64_t now_ms, struct ll_err *err)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_bill_act act = act_now(billing, now_ms);
    struct ll_sub_deed deed = {.what = LL_SUB_DO_BILLED, .day = turn->next};
    bool empty = false;
    struct ll_inv *inv = ll_alloc(billing->mem, sizeof *inv);
    if (inv == NULL || !ll_inv_room(billing, sub->id)) {
        ll_release(billing->mem, inv, sizeof *inv);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    }
    *inv = (struct ll_inv){.id = invoices->last_id + 1,
        .sub = sub->id,
        .k = turn->k,
        .last = turn->last,
        .made_ms = turn->due_ms,
        .grace_ms = grace_of(invoices, turn)};
    linli_status status = is_empty(billing, sub, turn, &empty, err);
    if (status == LINLI_OK)
        status = ll_bill_begin(&act, err);
    if (status != LINLI_OK) {
        ll_release(billing->mem, inv, sizeof *inv);
        return status;
    }
    if (!empty)
        put_draft(&act, sub, inv);
    status = ll_sub_put(&act, sub, &deed, err);
    if (status != LINLI_OK)
        ll_bill_drop(&act);
    else if (!empty)
        invoices->last_id++;
    if (status == LINLI_OK)
        (void)ll_bill_send(&act);
    if (status != LINLI_OK || empty) {
        ll_release(billing->mem, inv, sizeof *inv);
        return status;
    }
    ll_inv_add(billing, inv);
    ll_inv_due(billing, inv);
    return LINLI_OK;
}

/* Of a subscription, if it is its turn. */
static linli_status
turn(struct ll_billing *billing, uint32_t id, int64_t now_ms, bool *done,
    struct ll_err *err)
{
    struct ll_sub *sub = ll_sub_by_id(billing, id);
    struct ll_turn turn;
    *done = false;
    if (sub == NULL || !ll_turn_next(sub, &turn) || turn.due_ms > now_ms)
        return LINLI_OK; /* it was moved, and stands elsewhere in the heap */
    linli_status status = make_draft(billing, sub, &turn, now_ms, err);
    *done = status == LINLI_OK;
    return status;
}

/* -- dunning -- */

/* The service stops; what has ended has nothing to stop. */
static linli_status
suspend(struct ll_bill_act *act, struct ll_sub *sub, struct ll_err *err)
{
    struct ll_sub_deed deed = {.what = LL_SUB_DO_SUSPEND};
    return act->now_ms < sub->end_ms ? ll_sub_put(act, sub, &deed, err)
                                     : LINLI_OK;
}

static linli_status
dun(struct ll_billing *billing, struct ll_inv *inv, int64_t now_ms, bool *done,
    struct ll_err *err)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_sub *sub = ll_sub_by_id(billing, inv->sub);
    struct ll_bill_act act = act_now(billing, now_ms);
    struct ll_inv next = *inv;
    next.step = ll_inv_step_on(billing, inv, now_ms);
    next.step = next.step > inv->step ? next.step : inv->step;
    next.state = ll_local_day(sub->local, now_ms) > inv->due_day
                     ? LL_INV_OVERDUE
                     : inv->state;
    *done = next.step != inv->step || next.state != inv->state;
    if (!*done || !ll_inv_room(billing, inv->sub))
        return LINLI_OK;
    linli_status status = ll_bill_begin(&act, err);
    if (status != LINLI_OK)
        return status;
    ll_inv_put_state(&act, &next);
    ll_inv_deed(&act, inv,
        next.step != inv->step ? ll_dunning_name(next.step) : "overdue");
    if (next.step == LL_DUNNING_SUSPEND && inv->step != LL_DUNNING_SUSPEND)
        status = suspend(&act, sub, err);
    if (status != LINLI_OK) {
        ll_bill_drop(&act);
        return status;
    }
    status = ll_bill_room(&act, err);
    if (status != LINLI_OK)
        return status;
    bool stepped = next.step != inv->step;
    *inv = next;
    (void)ll_bill_send(&act);
    ll_inv_due(billing, inv);
    if (stepped && invoices->hooks.stepped != NULL)
        invoices->hooks.stepped(invoices->hooks.user, inv);
    return LINLI_OK;
}

/* -- an invoice's instant -- */

/* A draft whose grace is over; it waits for an earlier one of the same
 * subscription, which tells it (invoice_final.c). */
static linli_status
finish(struct ll_billing *billing, struct ll_inv *inv, struct ll_err *err)
{
    struct ll_inv_finalize how = {
        .id = inv->id, .by = BY, .reason = LINLI_STR("")};
    if (inv->busy || ll_inv_first_draft(billing, inv->sub) != inv)
        return LINLI_OK;
    if (billing->invoices->stopped) {
        inv->held = true;
        return LINLI_OK;
    }
    return ll_inv_finalize(billing, &how, err);
}

static linli_status
come(struct ll_billing *billing, int64_t id, int64_t now_ms, bool *done,
    struct ll_err *err)
{
    struct ll_inv *inv = ll_inv_by_id(billing, id);
    *done = false;
    if (inv == NULL || ll_inv_due_ms(billing, inv) > now_ms)
        return LINLI_OK;
    if (inv->state != LL_INV_DRAFT)
        return dun(billing, inv, now_ms, done, err);
    *done = true;
    return finish(billing, inv, err);
}

/* Could not be done now: looked at again later. */
static void
give_up(struct ll_billing *billing, int64_t id, const struct ll_err *err)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_inv *inv = id > 0 ? ll_inv_by_id(billing, id) : NULL;
    ll_inv_again(billing, id);
    if (invoices->hooks.failed != NULL)
        invoices->hooks.failed(invoices->hooks.user, inv, err);
}

bool
ll_invoices_run(struct ll_billing *billing, int64_t now_ms)
{
    struct ll_invoices *invoices = billing->invoices;
    struct ll_inv_due due;
    struct ll_err err;
    uint32_t made = 0;
    while (made < LL_INVOICE_TURN_MAX && !invoices->shut &&
           invoices->flight_count < LL_INVOICE_FLIGHTS_MAX &&
           !ll_store_busy(billing->store) &&
           ll_inv_pop(invoices, now_ms, &due)) {
        bool done = false;
        linli_status status =
            due.id < 0 ? turn(billing, (uint32_t)-due.id, now_ms, &done, &err)
                       : come(billing, due.id, now_ms, &done, &err);
        if (status != LINLI_OK)
            give_up(billing, due.id, &err);
        made += done ? 1 : 0;
    }
    return !invoices->shut && ll_invoices_next_ms(billing) <= now_ms;
}

/* -- the books -- */

void
ll_invoices_stop(struct ll_billing *billing, bool stop)
{
    struct ll_invoices *invoices = billing->invoices;
    bool was = invoices->stopped;
    invoices->stopped = stop;
    if (stop || !was)
        return;
    for (uint32_t i = 0; i < invoices->chain_count; i++)
        for (struct ll_inv *inv = invoices->chains[i]; inv != NULL;
             inv = inv->next) {
            if (!inv->held || !ll_inv_room(billing, inv->sub))
                continue;
            inv->held = false;
            ll_inv_due(billing, inv);
        }
}

bool
ll_invoices_stopped(const struct ll_billing *billing)
{
    return billing->invoices->stopped;
}
