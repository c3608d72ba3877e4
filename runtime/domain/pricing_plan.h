/* domain/pricing_plan.h: a plan, as it is sold. [any] pure
 *
 * A version of a plan never changes: it is read once, and what is rated by it
 * names it. spec/pricing.md is written for the person who makes one.
 */
#ifndef LL_DOMAIN_PRICING_PLAN_H
#define LL_DOMAIN_PRICING_PLAN_H

#include "base/json.h"
#include "base/limits.h"
#include "domain/pricing_calendar.h"

/* X(name, word): what a charge can be. */
#define LL_CHARGE_KINDS(X)                                                \
    X(FLAT, flat)             /* a fee a period, or one for each seat */  \
    X(UNIT, unit)             /* quantity times price */                  \
    X(GRADUATED, graduated)   /* each unit at the price of its tier */    \
    X(VOLUME, volume)         /* all units at the price of the total's */ \
    X(PACKAGE, package)       /* whole packages, begun ones too */        \
    X(PERCENTAGE, percentage) /* of amounts, and a fee for each */        \
    X(GRADUATED_PERCENTAGE, graduated_percentage) /* tiers of amounts */  \
    X(COMMIT, commit) /* a quantity paid in any case, and what is over it */
enum ll_charge_kind {
#define X(name, word) LL_CHARGE_##name,
    LL_CHARGE_KINDS(X)
#undef X
};
/* "graduated". */
const char *ll_charge_kind_name(enum ll_charge_kind kind);

enum ll_timing { LL_ADVANCE, LL_ARREARS };
enum ll_per { LL_PER_NONE, LL_PER_SEAT, LL_PER_HOUSEHOLD };
enum ll_tax_mode { LL_TAX_NONE, LL_TAX_INCLUSIVE, LL_TAX_EXCLUSIVE };

#define LL_PLAN_UNSET (-1) /* of what may be left out */
#define LL_TIER_OPEN INT64_MAX

/* Bounds are inclusive. Of a graduated_percentage they are fen, and the price
 * is a rate in basis points; otherwise millionths. */
struct ll_tier {
    int64_t up_to; /* LL_TIER_OPEN: no bound; the last alone has none */
    int64_t price;
    int64_t flat_fen;
};

/* Fen, basis points, and millionths of a unit or of a fen (`_micro`). What is
 * not of its kind is 0. */
struct ll_charge {
    linli_str id, meter; /* meter: empty only of a flat charge */
    enum ll_charge_kind kind;
    enum ll_timing timing;
    enum ll_per per;
    uint32_t index; /* in its plan, for messages: /charges/INDEX */
    int64_t tax_bp; /* the plan's, unless the charge has its own */
    int64_t line_discount_bp;
    int64_t min_fen, max_fen; /* LL_PLAN_UNSET */
    int64_t included_micro;   /* fen × 10^6 of amounts */
    int64_t amount_fen;       /* flat */
    int64_t unit_micro;       /* unit, commit */
    int64_t size_micro;       /* package */
    int64_t package_fen;      /* package */
    int64_t rate_bp;          /* percentage */
    int64_t fixed_fen;        /* percentage: for each amount not free */
    int64_t free_events;      /* percentage; LL_PLAN_UNSET */
    int64_t free_amount_fen;  /* percentage; LL_PLAN_UNSET */
    int64_t commit_micro;     /* commit */
    int64_t overage_bp;       /* commit: of the price, of what is over */
    bool true_up;             /* commit: what was not used is owed too */
    const struct ll_tier *tiers;
    uint32_t tier_count;
};
/* True if its meter holds amounts of money, event by event. */
static inline bool
ll_charge_of_amounts(const struct ll_charge *charge)
{
    return charge->kind == LL_CHARGE_PERCENTAGE ||
           charge->kind == LL_CHARGE_GRADUATED_PERCENTAGE;
}

struct ll_discount {
    linli_str id;
    int64_t amount_fen, percent_bp; /* one of them is LL_PLAN_UNSET */
};

struct ll_plan_limit {
    linli_str meter;
    bool hard;
    int64_t max_micro;
    int64_t alerts_bp[LL_PLAN_ALERTS_MAX]; /* rising */
    uint32_t alert_count;
};

struct ll_plan {
    linli_str tz;
    enum ll_interval interval;
    enum ll_anchor anchor;
    int32_t trial_days;
    bool trial_usage_free;
    enum ll_tax_mode tax_mode;
    int64_t tax_bp;
    bool credit_only; /* prepaid: admission stops at the balance */
    const struct ll_charge *charges;
    const struct ll_discount *discounts;
    const struct ll_plan_limit *limits;
    uint32_t charge_count, discount_count, limit_count;
};

/* Reads a plan; all of it is copied into `arena`. On failure the code is one
 * of "pricing/...", `where` the JSON pointer below `root` (the plan's own is
 * not part of it if it is the root), `fix` what is known of the fix. That
 * there is such a zone is the caller's to see: "pricing/zone". */
linli_status ll_plan_read(struct ll_arena *arena, struct ll_jv root,
    struct ll_jv plan, struct ll_plan *out, struct ll_err *err) LL_USE_RESULT;
/* One charge by itself, for a plan: its `tax_bp` is `plan`'s by default. */
linli_status ll_charge_read(struct ll_arena *arena, struct ll_jv root,
    struct ll_jv charge, const struct ll_plan *plan, struct ll_charge *out,
    struct ll_err *err) LL_USE_RESULT;

/* A charge by its id; NULL if there is none. */
const struct ll_charge *ll_plan_charge(
    const struct ll_plan *plan, linli_str id);
/* True if a charge or a limit of the plan is of this meter. */
bool ll_plan_has_meter(const struct ll_plan *plan, linli_str meter);

#endif
