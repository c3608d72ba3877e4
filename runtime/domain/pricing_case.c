/* domain/pricing_case.c: a case, from its JSON to its answer. */
#include "domain/pricing_case.h"

#include "base/text.h"
#include "domain/pricing_case_int.h"

#define SCRATCH_BYTES_MAX ((size_t)64 << 20)

/* -- what the files share -- */

bool
ll_case_has(const struct ll_case *c, const char *name)
{
    return ll_jv_there(ll_jv_get(c->input, name));
}

/* Every charge that counts the meter counts money. */
static bool
of_amounts(const struct ll_plan *plan, linli_str name)
{
    bool any = false;
    for (uint32_t i = 0; i < plan->charge_count; i++) {
        if (!ll_str_eq(plan->charges[i].meter, name))
            continue;
        if (!ll_charge_of_amounts(&plan->charges[i]))
            return false;
        any = true;
    }
    return any;
}

/* Seats are counted under the charge's id, or "seat", "household". */
static bool
is_seats(const struct ll_plan *plan, linli_str name)
{
    for (uint32_t i = 0; i < plan->charge_count; i++) {
        const struct ll_charge *charge = &plan->charges[i];
        if (charge->per == LL_PER_NONE)
            continue;
        const char *word = charge->per == LL_PER_SEAT ? "seat" : "household";
        if (ll_str_eq(charge->id, name) || ll_str_is(name, word))
            return true;
    }
    return false;
}

struct ll_case_meter *
ll_case_meter(struct ll_case *c, struct ll_jv at, linli_str name)
{
    for (uint32_t i = 0; i < c->meter_count; i++)
        if (ll_str_eq(c->meters[i].name, name))
            return &c->meters[i];
    if (!ll_plan_has_meter(&c->plan, name) && !is_seats(&c->plan, name)) {
        int shown = (int)(name.len > 64 ? 64 : name.len);
        (void)ll_read_fail(&c->r, at, "pricing/meter",
            "no charge and no limit of the plan has a meter `%.*s`", shown,
            name.ptr);
        return NULL;
    }
    ll_check(c->meter_count < LL_CASE_METERS_MAX);
    struct ll_case_meter *meter = &c->meters[c->meter_count++];
    *meter = (struct ll_case_meter){
        .name = name, .of_amounts = of_amounts(&c->plan, name)};
    return meter;
}

const struct ll_charge *
ll_case_charge(struct ll_case *c, struct ll_jv object)
{
    linli_str id = ll_read_id(&c->r, object, "charge");
    if (c->r.status != LINLI_OK)
        return NULL;
    const struct ll_charge *charge = ll_plan_charge(&c->plan, id);
    if (charge == NULL)
        (void)ll_read_fail(&c->r, ll_jv_get(object, "charge"), "pricing/case",
            "the plan has no charge `%.*s`", LL_FMT(id));
    else
        c->done[c->done_count++] = charge->id;
    return charge;
}

struct ll_jv
ll_case_place(const struct ll_case *c, const struct ll_charge *charge)
{
    uint32_t i = 0;
    LL_JSON_EACH (v, ll_jv_get(c->plan_at, "charges")) {
        if (i++ == charge->index)
            return v;
    }
    return c->plan_at;
}

bool
ll_case_rated(struct ll_case *c, linli_status status, struct ll_jv at)
{
    char pointer[160];
    if (status == LINLI_OK || c->r.status != LINLI_OK)
        return c->r.status == LINLI_OK;
    c->r.status = status;
    ll_jv_pointer(c->r.root, at, pointer, sizeof pointer);
    ll_err_where(c->r.err, "%s", pointer);
    return false;
}

/* -- the plan and the period -- */

static bool
read_plan(struct ll_case *c, const struct ll_case_env *env)
{
    c->r.status =
        ll_plan_read(c->r.arena, c->r.root, c->plan_at, &c->plan, c->r.err);
    if (c->r.status != LINLI_OK)
        return false;
    linli_status status = env->zone(env->user, c->plan.tz, &c->local, c->r.err);
    if (status == LINLI_E_NOMEM)
        return ll_read_nomem(&c->r);
    struct ll_jv tz = ll_jv_get(c->plan_at, "tz");
    return status == LINLI_OK ||
           ll_read_fail(&c->r, ll_jv_there(tz) ? tz : c->plan_at,
               "pricing/zone", "there is no time zone %.*s",
               LL_FMT(c->plan.tz));
}

/* A downgrade is in force from this period on. */
static bool
read_downgrade(struct ll_case *c)
{
    struct ll_jv v = ll_jv_get(c->input, "downgrade_at_period_end");
    if (!ll_jv_there(v))
        return true;
    if (!ll_read_object(&c->r, v, "a downgrade", "charge! new_fen!"))
        return false;
    const struct ll_charge *charge = ll_case_charge(c, v);
    if (charge == NULL)
        return false;
    c->done_count--; /* it is rated as the others are */
    struct ll_charge *charges =
        ll_read_room(&c->r, c->plan.charge_count, sizeof *charges);
    if (charges == NULL)
        return false;
    if (charge->kind != LL_CHARGE_FLAT)
        return ll_read_fail(&c->r, ll_jv_get(v, "charge"), "pricing/case",
            "`%.*s` has no fee: it is %s", LL_FMT(charge->id),
            ll_charge_kind_name(charge->kind));
    for (uint32_t i = 0; i < c->plan.charge_count; i++)
        charges[i] = c->plan.charges[i];
    charges[charge->index].amount_fen =
        ll_read_count(&c->r, v, "new_fen", INT64_MAX, 0);
    c->plan.charges = charges;
    return c->r.status == LINLI_OK;
}

static bool
at_midnight(struct ll_case *c, struct ll_jv at, int64_t ms, int32_t *day)
{
    *day = ll_local_day(&c->local, ms);
    return ll_local_midnight(&c->local, *day) == ms ||
           ll_read_fail(&c->r, at, "pricing/period",
               "it is not midnight in %.*s", LL_FMT(c->plan.tz));
}

/* Days are asked for only where something is prorated by them. */
static bool
read_days(struct ll_case *c, struct ll_jv period)
{
    bool stays = c->stay.start_ms != LL_NO_START || c->stay.end_ms != LL_NO_END;
    if (!stays && !ll_case_has(c, "change") &&
        !ll_case_has(c, "terminate_refund"))
        return true;
    if (!at_midnight(
            c, ll_jv_get(period, "from"), c->from_ms, &c->period.from) ||
        !at_midnight(c, ll_jv_get(period, "to"), c->to_ms, &c->period.to))
        return false;
    c->days = ll_days_owed(&c->local, c->period, &c->stay);
    return true;
}

static bool
read_period(struct ll_case *c, struct ll_jv period)
{
    struct ll_plan_rd *r = &c->r;
    c->days = (struct ll_days){1, 1};
    c->stay.start_ms = ll_read_instant(r, c->input, "start", LL_NO_START);
    c->stay.end_ms = ll_read_instant(r, c->input, "end", LL_NO_END);
    c->stay.trial_days = c->plan.trial_days;
    c->from_ms = INT64_MIN;
    c->to_ms = INT64_MAX;
    if (r->status == LINLI_OK && c->stay.end_ms <= c->stay.start_ms)
        (void)ll_read_fail(r, ll_jv_get(c->input, "end"), "pricing/period",
            "it ends before it starts");
    if (!ll_jv_there(period) || ll_jv_is(period, LL_JSON_NULL))
        return r->status == LINLI_OK;
    if (!ll_read_object(r, period, "a period", "from! to!"))
        return false;
    c->has_period = true;
    c->from_ms = ll_read_instant(r, period, "from", 0);
    c->to_ms = ll_read_instant(r, period, "to", 0);
    if (r->status == LINLI_OK && c->to_ms <= c->from_ms)
        (void)ll_read_fail(r, ll_jv_get(period, "to"), "pricing/period",
            "a period ends after it begins");
    return r->status == LINLI_OK && read_days(c, period);
}

/* -- all of it -- */

#define INPUT                                                             \
    "quantities amount_events events void pooled start end change "       \
    "downgrade_at_period_end terminate_refund list_periods progressive "  \
    "late segments attempts reservations wallet credit_note_balance_fen " \
    "reverse_all share share_refunds"

/* Whether the charges that nothing else rates are rated by their use: always,
 * unless the input speaks of one charge, of shares or of periods alone. */
static bool
rates_the_rest(const struct ll_case *c)
{
    static const char *const alone[] = {"change", "terminate_refund",
        "progressive", "late", "segments", "share", "share_refunds",
        "list_periods"};
    static const char *const use[] = {"quantities", "amount_events", "events",
        "pooled", "attempts", "reservations"};
    for (size_t i = 0; i < LL_COUNT(use); i++)
        if (ll_case_has(c, use[i]))
            return true;
    for (size_t i = 0; i < LL_COUNT(alone); i++)
        if (ll_case_has(c, alone[i]))
            return false;
    return true;
}

static bool
bill(struct ll_case *c)
{
    struct ll_err *err = c->r.err;
    ll_invoice_begin(&c->invoice, c->r.arena, &c->plan);
    if (!ll_case_steps(c))
        return false;
    if (rates_the_rest(c) &&
        !ll_case_rate_rest(c, &c->invoice, LL_ROUND_HALF_AWAY))
        return false;
    if (!ll_case_rated(c, ll_invoice_close(&c->invoice, err), c->plan_at))
        return false;
    if (ll_read_true(&c->r, c->input, "reverse_all"))
        ll_invoice_reverse(&c->invoice);
    return c->r.status == LINLI_OK;
}

static bool
answer(struct ll_case *c, const struct ll_case_env *env, struct ll_jv one)
{
    if (!ll_read_object(&c->r, one, "a case",
            "id group name source plan! period input! expected basis note") ||
        !read_plan(c, env) ||
        !ll_read_object(&c->r, c->input, "an input", INPUT) ||
        !read_downgrade(c) || !read_period(c, ll_jv_get(one, "period")) ||
        !ll_case_read_use(c) || !ll_case_admit(c) || !bill(c))
        return false;
    return ll_case_print_periods(c) && ll_case_print_invoice(c) &&
           ll_case_print_shares(c);
}

linli_status
ll_case_rate(const struct ll_case_env *env, struct ll_jv root, struct ll_jv one,
    struct ll_jw *out, struct ll_err *err)
{
    struct ll_case *c = ll_arena_alloc(env->arena, sizeof *c);
    if (c == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a case");
    *c = (struct ll_case){.r = {root, env->arena, err, LINLI_OK},
        .plan_at = ll_jv_get(one, "plan"),
        .input = ll_jv_get(one, "input"),
        .out = out};
    ll_arena_init(&c->scratch, env->arena->mem, SCRATCH_BYTES_MAX);
    ll_jw_open(out, '{');
    (void)answer(c, env, one);
    ll_jw_close(out, '}');
    ll_arena_fini(&c->scratch);
    if (c->r.status == LINLI_OK && out->buf->failed)
        return ll_fail(
            err, LINLI_E_LIMIT, "pricing/range", "the answer is too large");
    return c->r.status;
}
