/* domain/pricing_plan.c: reading a plan, and all that can be wrong with it. */
#include "domain/pricing_plan.h"

#include <stdio.h>

#include "base/text.h"
#include "domain/pricing_number.h"
#include "domain/pricing_read.h"

static const char *const kind_words[] = {
#define X(name, word) #word,
    LL_CHARGE_KINDS(X)
#undef X
        NULL};
static const char *const timing_words[] = {"advance", "arrears", NULL};
static const char *const per_words[] = {"", "seat", "household", NULL};
static const char *const interval_words[] = {"month", "quarter", "year", NULL};
static const char *const anchor_words[] = {"calendar", "anniversary", NULL};
static const char *const tax_words[] = {"none", "inclusive", "exclusive", NULL};
static const char *const limit_words[] = {"soft", "hard", NULL};
static const char *const wallet_words[] = {"", "credit_only", NULL};
static const char *const trial_words[] = {"billed", "free", NULL};
static const char *const currency_words[] = {"CNY", NULL};

const char *
ll_charge_kind_name(enum ll_charge_kind kind)
{
    return kind_words[kind];
}

/* The members of each kind, besides those of every charge. */
#define EVERY                                                             \
    "id! kind! meter timing per tax_bp line_discount_bp min_fen max_fen " \
    "included "
static const char *const members[] = {
    [LL_CHARGE_FLAT] = EVERY "amount_fen!",
    [LL_CHARGE_UNIT] = EVERY "unit_fen!",
    [LL_CHARGE_GRADUATED] = EVERY "tiers!",
    [LL_CHARGE_VOLUME] = EVERY "tiers!",
    [LL_CHARGE_PACKAGE] = EVERY "size! package_fen!",
    [LL_CHARGE_PERCENTAGE] = EVERY "rate_bp! fixed_fen free_events "
                                   "free_amount_fen",
    [LL_CHARGE_GRADUATED_PERCENTAGE] = EVERY "tiers!",
    [LL_CHARGE_COMMIT] = EVERY "commit_qty! unit_fen! overage_bp true_up",
};

/* -- tiers -- */

static bool
read_tier(
    struct ll_plan_rd *r, struct ll_jv v, bool amounts, struct ll_tier *out)
{
    if (!ll_read_object(r, v, "a tier",
            amounts ? "up_to_fen! rate_bp! flat_fen"
                    : "up_to! unit_fen! flat_fen"))
        return false;
    out->flat_fen = ll_read_count(r, v, "flat_fen", INT64_MAX, 0);
    if (amounts) {
        out->up_to =
            ll_read_count(r, v, "up_to_fen", LL_TIER_OPEN - 1, LL_TIER_OPEN);
        out->price = ll_read_count(r, v, "rate_bp", LL_BP, 0);
    } else {
        out->up_to = ll_read_micro(r, v, "up_to", LL_TIER_OPEN);
        out->price = ll_read_micro(r, v, "unit_fen", 0);
    }
    return r->status == LINLI_OK;
}

/* Each begins where the one before ends, and the last has no end. */
static bool
check_tier(struct ll_plan_rd *r, struct ll_jv v, const struct ll_tier *tiers,
    uint32_t i, uint32_t count)
{
    bool open = tiers[i].up_to == LL_TIER_OPEN;
    const char *why = NULL;
    if (open && i + 1 < count)
        why = "only the last tier has no bound";
    else if (!open && i + 1 == count)
        why = "the last tier has a bound, and what is over it no price";
    else if (i > 0 && tiers[i].up_to <= tiers[i - 1].up_to)
        why = "its bound is not above that of the tier before it";
    else if (i == 0 && tiers[i].up_to == 0)
        why = "it ends at 0";
    return why == NULL ||
           ll_read_fail(r, v, "pricing/tiers", "tier %u: %s", i + 1, why);
}

static void
read_tiers(struct ll_plan_rd *r, struct ll_jv list, struct ll_charge *out)
{
    uint32_t count = ll_read_list(r, list, "tiers", LL_PLAN_TIERS_MAX), i = 0;
    struct ll_tier *tiers = ll_read_room(r, count, sizeof *tiers);
    if (tiers == NULL)
        return;
    if (count == 0)
        (void)ll_read_fail(r, list, "pricing/tiers", "there is no tier");
    LL_JSON_EACH (v, list) {
        if (!read_tier(r, v, ll_charge_of_amounts(out), &tiers[i]) ||
            !check_tier(r, v, tiers, i, count))
            return;
        i++;
    }
    out->tiers = tiers;
    out->tier_count = count;
}

/* -- charges -- */

static void
read_price(struct ll_plan_rd *r, struct ll_jv v, struct ll_charge *out)
{
    out->amount_fen = ll_read_count(r, v, "amount_fen", INT64_MAX, 0);
    out->unit_micro = ll_read_micro(r, v, "unit_fen", 0);
    out->size_micro = ll_read_micro(r, v, "size", 0);
    out->package_fen = ll_read_count(r, v, "package_fen", INT64_MAX, 0);
    out->rate_bp = ll_read_count(r, v, "rate_bp", LL_BP, 0);
    out->fixed_fen = ll_read_count(r, v, "fixed_fen", INT64_MAX, 0);
    out->free_events =
        ll_read_count(r, v, "free_events", INT64_MAX, LL_PLAN_UNSET);
    out->free_amount_fen =
        ll_read_count(r, v, "free_amount_fen", INT64_MAX, LL_PLAN_UNSET);
    out->commit_micro = ll_read_micro(r, v, "commit_qty", 0);
    out->overage_bp =
        ll_read_count(r, v, "overage_bp", LL_PLAN_FACTOR_BP_MAX, LL_BP);
    out->true_up = ll_read_true(r, v, "true_up");
    if (ll_jv_there(ll_jv_get(v, "tiers")))
        read_tiers(r, ll_jv_get(v, "tiers"), out);
    if (ll_charge_of_amounts(out) && out->included_micro % LL_MICRO != 0)
        (void)ll_read_fail(r, ll_jv_get(v, "included"), "pricing/precision",
            "of amounts it is whole fen");
    if (out->kind == LL_CHARGE_PACKAGE && out->size_micro == 0)
        (void)ll_read_fail(r, ll_jv_get(v, "size"), "pricing/range",
            "a package holds more than 0");
}

static void
read_rest(struct ll_plan_rd *r, struct ll_jv v, const struct ll_plan *plan,
    struct ll_charge *out)
{
    out->timing = (enum ll_timing)ll_read_word(r, v, "timing", timing_words,
        out->kind == LL_CHARGE_FLAT ? LL_ADVANCE : LL_ARREARS);
    out->per = (enum ll_per)ll_read_word(r, v, "per", per_words, LL_PER_NONE);
    out->line_discount_bp = ll_read_count(r, v, "line_discount_bp", LL_BP, 0);
    out->min_fen = ll_read_count(r, v, "min_fen", INT64_MAX, LL_PLAN_UNSET);
    out->max_fen = ll_read_count(r, v, "max_fen", INT64_MAX, LL_PLAN_UNSET);
    out->included_micro = ll_read_micro(r, v, "included", 0);
    out->tax_bp = ll_read_count(r, v, "tax_bp", LL_BP, plan->tax_bp);
    if (plan->tax_mode == LL_TAX_NONE && ll_jv_there(ll_jv_get(v, "tax_bp")))
        (void)ll_read_fail(
            r, ll_jv_get(v, "tax_bp"), "pricing/tax", "the plan has no tax");
    if (out->min_fen != LL_PLAN_UNSET && out->max_fen != LL_PLAN_UNSET &&
        out->min_fen > out->max_fen)
        (void)ll_read_fail(r, ll_jv_get(v, "min_fen"), "pricing/range",
            "min_fen is more than max_fen");
}

static bool
read_charge(struct ll_plan_rd *r, struct ll_jv v, const struct ll_plan *plan,
    struct ll_charge *out)
{
    if (!ll_jv_is(v, LL_JSON_OBJECT))
        return ll_read_fail(r, v, "pricing/type", "a charge is an object");
    if (!ll_jv_there(ll_jv_get(v, "kind")))
        return ll_read_fail(r, v, "pricing/missing", "a charge lacks `kind`");
    int kind = ll_read_word(r, v, "kind", kind_words, LL_CHARGE_FLAT);
    char what[64];
    out->kind = (enum ll_charge_kind)kind;
    (void)snprintf(what, sizeof what, "a charge of kind %s", kind_words[kind]);
    if (!ll_read_object(r, v, what, members[kind]))
        return false;
    out->id = ll_read_id(r, v, "id");
    out->meter = ll_read_id(r, v, "meter");
    read_rest(r, v, plan, out);
    read_price(r, v, out);
    if (r->status == LINLI_OK && out->meter.len == 0 &&
        out->kind != LL_CHARGE_FLAT)
        (void)ll_read_fail(r, v, "pricing/meter",
            "a charge of kind %s counts what a meter counts, and has none",
            kind_words[kind]);
    return r->status == LINLI_OK;
}

linli_status
ll_charge_read(struct ll_arena *arena, struct ll_jv root, struct ll_jv charge,
    const struct ll_plan *plan, struct ll_charge *out, struct ll_err *err)
{
    struct ll_plan_rd r = {root, arena, err, LINLI_OK};
    *out = (struct ll_charge){0};
    if (!read_charge(&r, charge, plan, out))
        *out = (struct ll_charge){0};
    return r.status;
}

/* -- the plan -- */

/* A meter counts units or amounts of money, and not both. */
static void
check_meter(struct ll_plan_rd *r, struct ll_jv v, const struct ll_plan *plan,
    const struct ll_charge *charge)
{
    for (uint32_t i = 0; i < plan->charge_count; i++) {
        const struct ll_charge *other = &plan->charges[i];
        if (other->meter.len > 0 && ll_str_eq(other->meter, charge->meter) &&
            ll_charge_of_amounts(other) != ll_charge_of_amounts(charge))
            (void)ll_read_fail(r, ll_jv_get(v, "meter"), "pricing/meter",
                "`%.*s` counts amounts of money for one charge and units for "
                "another",
                LL_FMT(charge->meter));
    }
}

static void
read_charges(struct ll_plan_rd *r, struct ll_jv list, struct ll_plan *out)
{
    uint32_t count = ll_read_list(r, list, "charges", LL_PLAN_CHARGES_MAX);
    struct ll_charge *charges = ll_read_room(r, count, sizeof *charges);
    if (charges == NULL)
        return;
    out->charges = charges;
    LL_JSON_EACH (v, list) {
        struct ll_charge *charge = &charges[out->charge_count];
        if (!read_charge(r, v, out, charge))
            return;
        if (ll_plan_charge(out, charge->id) != NULL)
            (void)ll_read_fail(r, ll_jv_get(v, "id"), "pricing/twice",
                "two charges are called %.*s", LL_FMT(charge->id));
        check_meter(r, v, out, charge);
        charge->index = out->charge_count++;
    }
}

static void
read_discounts(struct ll_plan_rd *r, struct ll_jv list, struct ll_plan *out)
{
    uint32_t count = ll_read_list(r, list, "discounts", LL_PLAN_DISCOUNTS_MAX);
    struct ll_discount *discounts = ll_read_room(r, count, sizeof *discounts);
    if (discounts == NULL)
        return;
    out->discounts = discounts;
    LL_JSON_EACH (v, list) {
        struct ll_discount *d = &discounts[out->discount_count];
        if (!ll_read_object(r, v, "a discount", "id! amount_fen percent_bp"))
            return;
        d->id = ll_read_id(r, v, "id");
        d->amount_fen =
            ll_read_count(r, v, "amount_fen", INT64_MAX, LL_PLAN_UNSET);
        d->percent_bp = ll_read_count(r, v, "percent_bp", LL_BP, LL_PLAN_UNSET);
        if ((d->amount_fen == LL_PLAN_UNSET) ==
            (d->percent_bp == LL_PLAN_UNSET))
            (void)ll_read_fail(r, v, "pricing/missing",
                "a discount has amount_fen or percent_bp, and not both");
        for (uint32_t i = 0; i < out->discount_count; i++)
            if (ll_str_eq(discounts[i].id, d->id))
                (void)ll_read_fail(r, ll_jv_get(v, "id"), "pricing/twice",
                    "two discounts are called %.*s", LL_FMT(d->id));
        out->discount_count++;
    }
}

static void
read_alerts(struct ll_plan_rd *r, struct ll_jv list, struct ll_plan_limit *out)
{
    if (ll_read_list(r, list, "alerts_bp", LL_PLAN_ALERTS_MAX) == 0)
        return;
    LL_JSON_EACH (v, list) {
        int64_t bp = ll_read_count_of(r, v, LL_PLAN_FACTOR_BP_MAX);
        uint32_t i = out->alert_count;
        if (i > 0 && bp <= out->alerts_bp[i - 1])
            (void)ll_read_fail(r, v, "pricing/range",
                "thresholds rise, and %lld does not", (long long)bp);
        out->alerts_bp[out->alert_count++] = bp;
    }
}

static void
read_limits(struct ll_plan_rd *r, struct ll_jv list, struct ll_plan *out)
{
    uint32_t count = ll_read_list(r, list, "limits", LL_PLAN_LIMITS_MAX);
    struct ll_plan_limit *limits = ll_read_room(r, count, sizeof *limits);
    if (limits == NULL)
        return;
    out->limits = limits;
    LL_JSON_EACH (v, list) {
        struct ll_plan_limit *limit = &limits[out->limit_count];
        if (!ll_read_object(r, v, "a limit", "meter! kind! max! alerts_bp"))
            return;
        limit->meter = ll_read_id(r, v, "meter");
        limit->hard = ll_read_word(r, v, "kind", limit_words, 0) == 1;
        limit->max_micro = ll_read_micro(r, v, "max", 0);
        read_alerts(r, ll_jv_get(v, "alerts_bp"), limit);
        out->limit_count++;
    }
}

static void
read_tax(struct ll_plan_rd *r, struct ll_jv v, struct ll_plan *out)
{
    if (!ll_jv_there(v) || !ll_read_object(r, v, "tax", "mode! rate_bp"))
        return;
    out->tax_mode = (enum ll_tax_mode)ll_read_word(r, v, "mode", tax_words, 0);
    out->tax_bp = ll_read_count(r, v, "rate_bp", LL_BP, 0);
    if (out->tax_mode != LL_TAX_NONE && !ll_jv_there(ll_jv_get(v, "rate_bp")))
        (void)ll_read_fail(r, v, "pricing/missing", "tax lacks `rate_bp`");
}

linli_status
ll_plan_read(struct ll_arena *arena, struct ll_jv root, struct ll_jv plan,
    struct ll_plan *out, struct ll_err *err)
{
    struct ll_plan_rd r = {root, arena, err, LINLI_OK};
    *out = (struct ll_plan){.tz = LINLI_STR("Asia/Shanghai")};
    if (ll_read_object(&r, plan, "a plan",
            "currency tz interval! anchor! trial_days trial_usage tax "
            "wallet_mode limits discounts charges!")) {
        (void)ll_read_word(&r, plan, "currency", currency_words, 0);
        if (ll_jv_there(ll_jv_get(plan, "tz")))
            out->tz = ll_read_id(&r, plan, "tz");
        out->interval = (enum ll_interval)ll_read_word(
            &r, plan, "interval", interval_words, 0);
        out->anchor =
            (enum ll_anchor)ll_read_word(&r, plan, "anchor", anchor_words, 0);
        out->trial_days = (int32_t)ll_read_count(
            &r, plan, "trial_days", LL_PLAN_TRIAL_DAYS_MAX, 0);
        out->trial_usage_free =
            ll_read_word(&r, plan, "trial_usage", trial_words, 0) == 1;
        out->credit_only =
            ll_read_word(&r, plan, "wallet_mode", wallet_words, 0) == 1;
        read_tax(&r, ll_jv_get(plan, "tax"), out);
        read_charges(&r, ll_jv_get(plan, "charges"), out);
        read_discounts(&r, ll_jv_get(plan, "discounts"), out);
        read_limits(&r, ll_jv_get(plan, "limits"), out);
    }
    if (r.status != LINLI_OK)
        *out = (struct ll_plan){0};
    return r.status;
}

const struct ll_charge *
ll_plan_charge(const struct ll_plan *plan, linli_str id)
{
    for (uint32_t i = 0; i < plan->charge_count; i++)
        if (ll_str_eq(plan->charges[i].id, id))
            return &plan->charges[i];
    return NULL;
}

bool
ll_plan_has_meter(const struct ll_plan *plan, linli_str meter)
{
    if (meter.len == 0)
        return false;
    for (uint32_t i = 0; i < plan->charge_count; i++)
        if (ll_str_eq(plan->charges[i].meter, meter))
            return true;
    for (uint32_t i = 0; i < plan->limit_count; i++)
        if (ll_str_eq(plan->limits[i].meter, meter))
            return true;
    return false;
}
