/* domain/pricing_invoice.c: one subscription's period, from lines to due. */
#include "domain/pricing_invoice.h"

#include <string.h>

#include "base/text.h"

#define ITEMS_FIRST 16

void
ll_invoice_begin(struct ll_invoice *invoice, struct ll_arena *arena,
    const struct ll_plan *plan)
{
    *invoice = (struct ll_invoice){.plan = plan, .lines = {.arena = arena}};
}

/* The item of a charge, made if there is none; NULL without memory. */
static struct ll_item *
item_of(struct ll_invoice *invoice, const struct ll_charge *charge)
{
    for (uint32_t i = 0; i < invoice->item_count; i++)
        if (ll_str_eq(invoice->items[i].charge, charge->id))
            return &invoice->items[i];
    if (invoice->item_count == invoice->item_cap) {
        uint32_t cap =
            invoice->item_cap == 0 ? ITEMS_FIRST : invoice->item_cap * 2;
        struct ll_item *items =
            ll_arena_alloc(invoice->lines.arena, cap * sizeof *items);
        if (items == NULL)
            return NULL;
        if (invoice->item_count > 0)
            memcpy(items, invoice->items, invoice->item_count * sizeof *items);
        invoice->items = items;
        invoice->item_cap = cap;
    }
    struct ll_item *item = &invoice->items[invoice->item_count++];
    *item = (struct ll_item){.charge = charge->id, .tax_bp = charge->tax_bp};
    return item;
}

/* What was added to a charge's lines counts towards it. */
static linli_status
count(struct ll_invoice *invoice, const struct ll_charge *charge, int64_t fen,
    struct ll_err *err)
{
    struct ll_item *item = item_of(invoice, charge);
    if (item == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    if (!ll_fen_add(&item->subtotal_fen, fen))
        return ll_charge_overflow(charge->id, err);
    return LINLI_OK;
}

linli_status
ll_invoice_rate(struct ll_invoice *invoice, const struct ll_charge *charge,
    const struct ll_used *used, struct ll_mark mark, struct ll_err *err)
{
    uint32_t first = invoice->lines.count;
    int64_t fen = 0;
    linli_status status =
        ll_charge_rate(charge, used, &invoice->lines, &fen, err);
    for (uint32_t i = first; i < invoice->lines.count; i++)
        invoice->lines.at[i].mark = mark;
    return status == LINLI_OK ? count(invoice, charge, fen, err) : status;
}

static const struct ll_use *
use_of(const struct ll_rating *rating, const struct ll_charge *charge)
{
    linli_str name =
        charge->kind == LL_CHARGE_FLAT ? charge->id : charge->meter;
    for (uint32_t i = 0; i < rating->use_count; i++)
        if (ll_str_eq(rating->uses[i].name, name))
            return &rating->uses[i];
    return NULL;
}

linli_status
ll_invoice_rate_plan(struct ll_invoice *invoice, const struct ll_plan *version,
    const struct ll_rating *rating, struct ll_err *err)
{
    const struct ll_plan *plan = version != NULL ? version : invoice->plan;
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; i < plan->charge_count && status == LINLI_OK; i++) {
        const struct ll_charge *charge = &plan->charges[i];
        const struct ll_use *use = use_of(rating, charge);
        struct ll_used used = {
            .days = rating->days, .rounding = rating->rounding};
        if (use != NULL) {
            used.quantity_micro = use->quantity_micro;
            used.amounts = use->amounts;
            used.amount_count = use->amount_count;
        }
        if (charge->kind == LL_CHARGE_FLAT &&
            (use == NULL || charge->per == LL_PER_NONE))
            used.quantity_micro = LL_MICRO;
        status = ll_invoice_rate(invoice, charge, &used, rating->mark, err);
    }
    return status;
}

/* The line of the same key in a list, or NULL. */
static struct ll_line *
find(struct ll_lines *lines, const struct ll_line *line)
{
    for (uint32_t i = 0; i < lines->count; i++)
        if (ll_line_same(&lines->at[i], line))
            return &lines->at[i];
    return NULL;
}

static linli_status
add(struct ll_invoice *invoice, const struct ll_charge *charge,
    const struct ll_line *line, struct ll_err *err)
{
    linli_status status = ll_lines_add(&invoice->lines, line, err);
    return status == LINLI_OK ? count(invoice, charge, line->amount_fen, err)
                              : status;
}

linli_status
ll_invoice_difference(struct ll_invoice *invoice,
    const struct ll_charge *charge, const struct ll_rerate *step,
    struct ll_mark mark, struct ll_err *err)
{
    struct ll_lines now = {.arena = invoice->lines.arena}, before = now;
    int64_t fen = 0;
    linli_status status = ll_charge_rate(charge, step->now, &now, &fen, err);
    if (status == LINLI_OK && step->before != NULL)
        status = ll_charge_rate(charge, step->before, &before, &fen, err);
    for (uint32_t i = 0; i < now.count && status == LINLI_OK; i++) {
        struct ll_line line = now.at[i], *was = find(&before, &line);
        line.mark = mark;
        if (was != NULL) {
            if (!ll_fen_add(&line.amount_fen, -was->amount_fen))
                return ll_charge_overflow(charge->id, err);
            line.quantity_micro -= was->quantity_micro;
            was->amount_fen = 0;
        }
        status = add(invoice, charge, &line, err);
    }
    for (uint32_t i = 0; i < before.count && status == LINLI_OK; i++) {
        struct ll_line line = before.at[i]; /* there is no such line now */
        line.mark = mark;
        line.amount_fen = -line.amount_fen;
        line.quantity_micro = -line.quantity_micro;
        status = add(invoice, charge, &line, err);
    }
    return status;
}

/* round(fen × seats × days), with its sign. */
static linli_status
add_fee(struct ll_invoice *invoice, const struct ll_charge *charge,
    struct ll_line line, const struct ll_fee_change *change, struct ll_err *err)
{
    bool back = line.part == LL_PART_CREDIT;
    ll_wide num = back ? (ll_wide)change->old_fen * change->old_micro
                       : (ll_wide)change->new_fen * change->new_micro;
    ll_wide den = (ll_wide)LL_MICRO * change->days.period;
    line.of = charge->id;
    line.quantity_micro = back ? change->old_micro : change->new_micro;
    if (!ll_wide_times(
            &num, back ? -change->days.billed : change->days.billed) ||
        !ll_wide_divide(num, den, LL_ROUND_HALF_AWAY, &line.amount_fen))
        return ll_charge_overflow(charge->id, err);
    return add(invoice, charge, &line, err);
}

linli_status
ll_invoice_change(struct ll_invoice *invoice, const struct ll_charge *charge,
    const struct ll_fee_change *change, struct ll_err *err)
{
    struct ll_line credit = {.part = LL_PART_CREDIT};
    struct ll_line more = {.part = LL_PART_CHARGE};
    linli_status status = add_fee(invoice, charge, credit, change, err);
    if (status == LINLI_OK)
        status = add_fee(invoice, charge, more, change, err);
    return status;
}

/* -- discounts -- */

/* What is left of an item to be discounted. */
static int64_t
left_of(const struct ll_item *item)
{
    int64_t left = item->subtotal_fen - item->discount_fen;
    return left > 0 ? left : 0;
}

/* The subtotal after the discounts so far; false if it does not fit. */
static bool
running(const struct ll_invoice *invoice, int64_t *out)
{
    *out = -invoice->discount_fen;
    for (uint32_t i = 0; i < invoice->item_count; i++)
        if (!ll_fen_add(out, invoice->items[i].subtotal_fen))
            return false;
    return true;
}

static linli_status
discount(struct ll_invoice *invoice, const struct ll_discount *d,
    int64_t *scratch, struct ll_err *err)
{
    int64_t before = 0, off = d->amount_fen;
    int64_t *weights = scratch, *parts = scratch + invoice->item_count;
    if (!running(invoice, &before))
        return ll_charge_overflow(d->id, err);
    if (before <= 0)
        return LINLI_OK;
    if (off < 0 && !ll_fen_share(before, d->percent_bp, LL_BP, &off))
        return ll_charge_overflow(d->id, err);
    off = off < before ? off : before;
    for (uint32_t i = 0; i < invoice->item_count; i++)
        weights[i] = left_of(&invoice->items[i]);
    ll_fen_split(off, weights, invoice->item_count, parts);
    for (uint32_t i = 0; i < invoice->item_count; i++)
        invoice->items[i].discount_fen += parts[i];
    invoice->discount_fen += off;
    struct ll_line line = {
        .of = d->id, .part = LL_PART_INVOICE_DISCOUNT, .amount_fen = -off};
    if (d->percent_bp > 0)
        line.price_micro = d->percent_bp;
    return ll_lines_add(&invoice->lines, &line, err);
}

static linli_status
discounts(struct ll_invoice *invoice, struct ll_err *err)
{
    const struct ll_plan *plan = invoice->plan;
    if (plan->discount_count == 0 || invoice->item_count == 0)
        return LINLI_OK;
    int64_t *scratch = ll_arena_alloc(invoice->lines.arena,
        2 * (size_t)invoice->item_count * sizeof *scratch);
    if (scratch == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; i < plan->discount_count && status == LINLI_OK; i++)
        status = discount(invoice, &plan->discounts[i], scratch, err);
    return status;
}

/* -- tax and totals -- */

static bool
tax(const struct ll_plan *plan, struct ll_item *item)
{
    int64_t after = item->subtotal_fen - item->discount_fen;
    item->net_fen = after;
    item->tax_fen = 0;
    if (plan->tax_mode == LL_TAX_EXCLUSIVE)
        return ll_fen_share(after, item->tax_bp, LL_BP, &item->tax_fen);
    if (plan->tax_mode == LL_TAX_NONE)
        return true;
    if (!ll_fen_share(after, LL_BP, LL_BP + item->tax_bp, &item->net_fen))
        return false;
    item->tax_fen = after - item->net_fen;
    return true;
}

linli_status
ll_invoice_close(struct ll_invoice *invoice, struct ll_err *err)
{
    linli_status status = discounts(invoice, err);
    for (uint32_t i = 0; i < invoice->item_count && status == LINLI_OK; i++) {
        struct ll_item *item = &invoice->items[i];
        if (!tax(invoice->plan, item) ||
            !ll_fen_add(&invoice->net_fen, item->net_fen) ||
            !ll_fen_add(&invoice->tax_fen, item->tax_fen))
            status = ll_charge_overflow(item->charge, err);
    }
    invoice->total_fen = invoice->net_fen;
    if (status == LINLI_OK &&
        !ll_fen_add(&invoice->total_fen, invoice->tax_fen))
        status = ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "the total does not fit into int64 fen");
    return status;
}

void
ll_invoice_reverse(struct ll_invoice *invoice)
{
    for (uint32_t i = 0; i < invoice->lines.count; i++)
        invoice->lines.at[i].amount_fen = -invoice->lines.at[i].amount_fen;
    for (uint32_t i = 0; i < invoice->item_count; i++) {
        struct ll_item *item = &invoice->items[i];
        item->subtotal_fen = -item->subtotal_fen;
        item->discount_fen = -item->discount_fen;
        item->net_fen = -item->net_fen;
        item->tax_fen = -item->tax_fen;
    }
    invoice->discount_fen = -invoice->discount_fen;
    invoice->net_fen = -invoice->net_fen;
    invoice->tax_fen = -invoice->tax_fen;
    invoice->total_fen = -invoice->total_fen;
}

/* -- what is due -- */

/* True if `a` is used before `b`, which stands behind it. */
static bool
earlier(const struct ll_credit *a, const struct ll_credit *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return a->expires_ms <= b->expires_ms;
}

/* The next grant that has something left, or NULL. */
static struct ll_credit *
next_grant(struct ll_purse *purse)
{
    struct ll_credit *next = NULL;
    for (uint32_t i = 0; i < purse->grant_count; i++) {
        struct ll_credit *g = &purse->grants[i];
        if (g->used_fen < g->amount_fen && g->expires_ms > purse->at_ms &&
            (next == NULL || !earlier(next, g)))
            next = g;
    }
    return next;
}

void
ll_settle(int64_t total_fen, struct ll_purse *purse, struct ll_settled *out)
{
    int64_t due = total_fen > 0 ? total_fen : 0;
    struct ll_credit *grant;
    *out = (struct ll_settled){.balance_fen = total_fen < 0 ? -total_fen : 0};
    for (uint32_t i = 0; i < purse->grant_count; i++)
        purse->grants[i].used_fen = 0;
    out->credit_notes_fen =
        due < purse->credit_notes_fen ? due : purse->credit_notes_fen;
    due -= out->credit_notes_fen;
    while (due > 0 && (grant = next_grant(purse)) != NULL) {
        grant->used_fen = due < grant->amount_fen ? due : grant->amount_fen;
        out->wallet_fen += grant->used_fen;
        due -= grant->used_fen;
    }
    out->due_fen = due;
}
