/* domain/pricing_case_steps.c: what a case says of one charge: a change, a
 * refund, late use, progressive billing, plan versions. */
#include "base/text.h"
#include "domain/pricing_case_int.h"

/* The days that are left of the period on a day, and of the period. */
static bool
days_left(
    struct ll_case *c, struct ll_jv object, int32_t day, struct ll_days *out)
{
    if (!c->has_period)
        return ll_read_fail(
            &c->r, object, "pricing/period", "the case has no period");
    if (day < c->period.from || day > c->period.to)
        return ll_read_fail(&c->r, ll_jv_get(object, "at"), "pricing/period",
            "it is not in the period");
    *out = (struct ll_days){c->period.to - day, c->period.to - c->period.from};
    return true;
}

/* -- changes and refunds -- */

/* The day of the change belongs to the new price. */
static bool
change(struct ll_case *c)
{
    struct ll_plan_rd *r = &c->r;
    struct ll_jv v = ll_jv_get(c->input, "change");
    struct ll_fee_change change;
    if (!ll_jv_there(v))
        return true;
    if (!ll_read_object(r, v, "a change",
            "at! charge! old_quantity new_quantity old_fen new_fen"))
        return false;
    int64_t at = ll_read_instant(r, v, "at", 0);
    const struct ll_charge *charge = ll_case_charge(c, v);
    if (charge == NULL ||
        !days_left(c, v, ll_local_day(&c->local, at), &change.days))
        return false;
    bool fen = ll_jv_there(ll_jv_get(v, "old_fen")) &&
               ll_jv_there(ll_jv_get(v, "new_fen"));
    bool seats = ll_jv_there(ll_jv_get(v, "old_quantity")) &&
                 ll_jv_there(ll_jv_get(v, "new_quantity"));
    if (!fen && (!seats || charge->kind != LL_CHARGE_FLAT))
        return ll_read_fail(r, v, "pricing/missing",
            "a change has old_fen and new_fen, or of a flat charge "
            "old_quantity and new_quantity");
    change.old_fen =
        ll_read_count(r, v, "old_fen", INT64_MAX, charge->amount_fen);
    change.new_fen =
        ll_read_count(r, v, "new_fen", INT64_MAX, charge->amount_fen);
    change.old_micro = ll_read_micro(r, v, "old_quantity", LL_MICRO);
    change.new_micro = ll_read_micro(r, v, "new_quantity", LL_MICRO);
    if (r->status != LINLI_OK)
        return false;
    return ll_case_rated(
        c, ll_invoice_change(&c->invoice, charge, &change, r->err), v);
}

/* The day of the end is used, unless it ends at midnight. */
static bool
refund(struct ll_case *c)
{
    struct ll_plan_rd *r = &c->r;
    struct ll_jv v = ll_jv_get(c->input, "terminate_refund");
    struct ll_fee_change change = {
        .old_micro = LL_MICRO, .new_micro = LL_MICRO};
    if (!ll_jv_there(v))
        return true;
    if (!ll_read_object(r, v, "a refund", "at! charge! billed_fen!"))
        return false;
    int64_t at = ll_read_instant(r, v, "at", 0);
    const struct ll_charge *charge = ll_case_charge(c, v);
    change.old_fen = ll_read_count(r, v, "billed_fen", INT64_MAX, 0);
    if (charge == NULL || r->status != LINLI_OK ||
        !days_left(c, v, ll_local_day_end(&c->local, at), &change.days))
        return false;
    return ll_case_rated(
        c, ll_invoice_change(&c->invoice, charge, &change, r->err), v);
}

/* -- progressive and late -- */

static bool
difference(struct ll_case *c, const struct ll_charge *charge,
    const struct ll_rerate *step, struct ll_mark mark, struct ll_jv at)
{
    linli_status status =
        ll_invoice_difference(&c->invoice, charge, step, mark, c->r.err);
    return ll_case_rated(c, status, at);
}

static bool
progressive(struct ll_case *c)
{
    struct ll_jv v = ll_jv_get(c->input, "progressive");
    struct ll_used before, now;
    if (!ll_jv_there(v))
        return true;
    if (!ll_read_object(
            &c->r, v, "`progressive`", "charge! billed_quantity! quantity!"))
        return false;
    const struct ll_charge *charge = ll_case_charge(c, v);
    if (charge == NULL ||
        !ll_case_used(c, charge, ll_jv_get(v, "billed_quantity"), &before) ||
        !ll_case_used(c, charge, ll_jv_get(v, "quantity"), &now))
        return false;
    struct ll_rerate step = {&before, &now};
    return difference(c, charge, &step, LL_MARK_NONE, v);
}

/* What a list of {period, quantity} says of a period; not there if it does
 * not name it. */
static struct ll_jv
of_period(struct ll_jv list, linli_str period)
{
    LL_JSON_EACH (v, list) {
        if (ll_str_eq(ll_jv_str(ll_jv_get(v, "period")), period))
            return v;
    }
    return (struct ll_jv){NULL, 0};
}

static bool
check_periods(struct ll_case *c, struct ll_jv list)
{
    (void)ll_read_list(&c->r, list, "periods", LL_RATE_PERIODS_MAX);
    LL_JSON_EACH (v, list) {
        if (!ll_read_object(&c->r, v, "a period", "period! quantity!"))
            return false;
        linli_str period = ll_read_id(&c->r, v, "period");
        struct ll_jv first = of_period(list, period);
        if (c->r.status == LINLI_OK && first.at != v.at)
            (void)ll_read_fail(
                &c->r, v, "pricing/twice", "the period is there twice");
        if (c->r.status != LINLI_OK)
            return false;
    }
    return c->r.status == LINLI_OK;
}

static bool
late_period(struct ll_case *c, const struct ll_charge *charge, struct ll_jv now,
    struct ll_jv billed)
{
    struct ll_used is, was;
    struct ll_rerate step = {NULL, &is};
    struct ll_mark mark = {ll_read_id(&c->r, now, "period"), 0};
    if (!ll_case_used(c, charge, ll_jv_get(now, "quantity"), &is))
        return false;
    is.days = (struct ll_days){1, 1};
    if (ll_jv_there(billed)) {
        if (!ll_case_used(c, charge, ll_jv_get(billed, "quantity"), &was))
            return false;
        was.days = is.days;
        step.before = &was;
    }
    return difference(c, charge, &step, mark, now);
}

/* Late use stays in its own period: the difference of what it comes to. */
static bool
late(struct ll_case *c)
{
    struct ll_jv v = ll_jv_get(c->input, "late");
    struct ll_used current;
    if (!ll_jv_there(v))
        return true;
    if (!ll_read_object(
            &c->r, v, "`late`", "charge! billed! now! current_quantity"))
        return false;
    struct ll_jv now = ll_jv_get(v, "now"), billed = ll_jv_get(v, "billed");
    const struct ll_charge *charge = ll_case_charge(c, v);
    if (charge == NULL || !check_periods(c, now) || !check_periods(c, billed))
        return false;
    LL_JSON_EACH (one, now) {
        linli_str period = ll_jv_str(ll_jv_get(one, "period"));
        if (!late_period(c, charge, one, of_period(billed, period)))
            return false;
    }
    struct ll_jv quantity = ll_jv_get(v, "current_quantity");
    if (!ll_jv_there(quantity))
        return true;
    if (!ll_case_used(c, charge, quantity, &current))
        return false;
    return ll_case_rated(c,
        ll_invoice_rate(&c->invoice, charge, &current, LL_MARK_NONE, c->r.err),
        v);
}

/* -- plan versions in one period -- */

static bool
segment(struct ll_case *c, struct ll_jv v, uint32_t number)
{
    struct ll_charge *charge = ll_read_room(&c->r, 1, sizeof *charge);
    struct ll_used used;
    if (charge == NULL ||
        !ll_read_object(&c->r, v, "a segment", "plan_charge! quantity"))
        return false;
    struct ll_jv at = ll_jv_get(v, "plan_charge");
    c->r.status =
        ll_charge_read(c->r.arena, c->r.root, at, &c->plan, charge, c->r.err);
    if (c->r.status != LINLI_OK ||
        !ll_case_used(c, charge, ll_jv_get(v, "quantity"), &used))
        return false;
    const struct ll_charge *planned = ll_plan_charge(&c->plan, charge->id);
    if (planned != NULL && c->done_count < LL_CASE_DONE_MAX)
        c->done[c->done_count++] = planned->id;
    struct ll_mark mark = {{NULL, 0}, number};
    return ll_case_rated(
        c, ll_invoice_rate(&c->invoice, charge, &used, mark, c->r.err), at);
}

/* Tiers and what is included begin again with each version. */
static bool
segments(struct ll_case *c)
{
    struct ll_jv list = ll_jv_get(c->input, "segments");
    uint32_t n = 0;
    (void)ll_read_list(&c->r, list, "segments", LL_PLAN_CHARGES_MAX);
    LL_JSON_EACH (v, list) {
        if (!segment(c, v, ++n))
            return false;
    }
    return c->r.status == LINLI_OK;
}

bool
ll_case_steps(struct ll_case *c)
{
    return change(c) && refund(c) && progressive(c) && late(c) && segments(c);
}

/* -- the rest -- */

static bool
is_done(const struct ll_case *c, linli_str id)
{
    for (uint32_t i = 0; i < c->done_count; i++)
        if (ll_str_eq(c->done[i], id))
            return true;
    return false;
}

bool
ll_case_rate_rest(
    struct ll_case *c, struct ll_invoice *invoice, enum ll_rounding rounding)
{
    for (uint32_t i = 0; i < c->plan.charge_count; i++) {
        const struct ll_charge *charge = &c->plan.charges[i];
        if (is_done(c, charge->id))
            continue;
        struct ll_used used = ll_case_used_of(c, charge);
        used.rounding = rounding;
        linli_status status =
            ll_invoice_rate(invoice, charge, &used, LL_MARK_NONE, c->r.err);
        if (!ll_case_rated(c, status, ll_case_place(c, charge)))
            return false;
    }
    return true;
}
