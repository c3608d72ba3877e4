/* domain/pricing_case_int.h: what the files of a case share. [any] pure */
#ifndef LL_DOMAIN_PRICING_CASE_INT_H
#define LL_DOMAIN_PRICING_CASE_INT_H

#include "domain/entitlement.h"
#include "domain/pricing_case.h"
#include "domain/pricing_invoice.h"
#include "domain/pricing_read.h"

/* What one meter, or the seats of one charge, came to. */
struct ll_case_meter {
    linli_str name;
    int64_t quantity_micro;
    int64_t *amounts; /* fen, of a meter that holds amounts */
    uint32_t amount_count, amount_cap;
    bool of_amounts;
};

#define LL_CASE_METERS_MAX (2 * LL_PLAN_CHARGES_MAX + LL_PLAN_LIMITS_MAX)
#define LL_CASE_DONE_MAX (LL_PLAN_CHARGES_MAX + 8)

struct ll_case {
    struct ll_plan_rd r;
    struct ll_plan plan;
    struct ll_jv plan_at, input;
    struct ll_local local;

    bool has_period;
    int64_t from_ms, to_ms;
    struct ll_period period; /* days, if they are asked for */
    struct ll_stay stay;
    struct ll_days days; /* the share of recurring fees */

    struct ll_case_meter meters[LL_CASE_METERS_MAX];
    uint32_t meter_count;

    /* Charges that something else than their use has rated. */
    linli_str done[LL_CASE_DONE_MAX];
    uint32_t done_count;

    struct ll_purse purse;
    struct ll_arena scratch; /* of one admission */
    struct ll_invoice invoice;
    struct ll_jw *out;
};

/* True if the input has a member of this name. */
bool ll_case_has(const struct ll_case *c, const char *name);
/* The meter of a name, made if the plan knows it; NULL after a failure at
 * `at`. */
struct ll_case_meter *ll_case_meter(
    struct ll_case *c, struct ll_jv at, linli_str name);
/* The plan's charge that the member `charge` of an object names, counted as
 * done; NULL after a failure. */
const struct ll_charge *ll_case_charge(struct ll_case *c, struct ll_jv object);
/* What failed while a charge was rated: makes it the reader's failure. */
bool ll_case_rated(struct ll_case *c, linli_status status, struct ll_jv at);
/* Where a charge of the plan stands. */
struct ll_jv ll_case_place(
    const struct ll_case *c, const struct ll_charge *charge);

/* -- pricing_case_use.c: what was used -- */

/* Reads quantities, pooled, amount_events, events, void; writes counted,
 * accepted, duplicates, conflicts. */
bool ll_case_read_use(struct ll_case *c);
/* A quantity of a charge, as rating wants it; amounts: one of so many fen. */
bool ll_case_used(struct ll_case *c, const struct ll_charge *charge,
    struct ll_jv quantity, struct ll_used *out);
/* What was used of a charge of the plan. */
struct ll_used ll_case_used_of(
    const struct ll_case *c, const struct ll_charge *charge);

/* -- pricing_case_admit.c -- */

/* Reads the wallet, then attempts and reservations, which add to what was
 * used; writes admitted, denied, alerts_at, results. */
bool ll_case_admit(struct ll_case *c);

/* -- pricing_case_steps.c: changes, refunds, late use, segments -- */

/* Adds their lines. */
bool ll_case_steps(struct ll_case *c);
/* Rates the charges of the plan that are not done. */
bool ll_case_rate_rest(
    struct ll_case *c, struct ll_invoice *invoice, enum ll_rounding rounding);

/* -- pricing_case_print.c -- */

/* Writes lines, totals, what is due. */
bool ll_case_print_invoice(struct ll_case *c);
/* Writes the shares and their total. */
bool ll_case_print_shares(struct ll_case *c);
bool ll_case_print_periods(struct ll_case *c);

#endif
