/* domain/pricing_invoice.h: one subscription's period, from lines to what is
 * due. [any] pure
 *
 *   ll_invoice_begin(&invoice, arena, plan);
 *   ll_invoice_rate_plan(&invoice, NULL, &rating, err);   every charge
 *   ll_invoice_close(&invoice, err);                      discounts, tax, total
 *   ll_settle(invoice.total_fen, &purse, &settled);       what is due of it
 *
 * The same for a preview and for the final one: a function of the plan's
 * version, the quantities and the days, and of nothing else.
 */
#ifndef LL_DOMAIN_PRICING_INVOICE_H
#define LL_DOMAIN_PRICING_INVOICE_H

#include "domain/pricing_charge.h"

/* What one charge comes to: discounts of the invoice are allocated to it by
 * largest remainder, then it is taxed by itself. */
struct ll_item {
    linli_str charge; /* its id */
    int64_t tax_bp;
    int64_t subtotal_fen; /* of its lines */
    int64_t discount_fen; /* its part of the invoice's discounts, 0 or more */
    int64_t net_fen, tax_fen;
};

struct ll_invoice {
    const struct ll_plan *plan;
    struct ll_lines lines;
    struct ll_item *items; /* in order of first appearance */
    uint32_t item_count, item_cap;
    /* Once closed. */
    int64_t discount_fen;
    int64_t net_fen, tax_fen;
    int64_t total_fen; /* the lines, and the tax if it is exclusive */
};

#define LL_MARK_NONE ((struct ll_mark){{NULL, 0}, 0})

/* An empty one; all that it will hold comes from `arena`. `plan`, and the
 * charges given below, outlive it. */
void ll_invoice_begin(struct ll_invoice *invoice, struct ll_arena *arena,
    const struct ll_plan *plan);

/* Adds the lines of a charge. All that add: "pricing/overflow" if it does not
 * fit, "runtime/memory"; the invoice is of no use then. */
linli_status ll_invoice_rate(struct ll_invoice *invoice,
    const struct ll_charge *charge, const struct ll_used *used,
    struct ll_mark mark, struct ll_err *err) LL_USE_RESULT;
/* What was counted in a period, by the meter's name; seats of a flat charge by
 * the charge's id. What is not there is nothing; of seats, one. */
struct ll_use {
    linli_str name;
    int64_t quantity_micro;
    const int64_t *amounts; /* of a meter that counts money: fen, in order */
    uint32_t amount_count;
};
struct ll_rating {
    const struct ll_use *uses;
    uint32_t use_count;
    struct ll_days days; /* ll_days_owed, or of a piece (subscription.h) */
    struct ll_mark mark; /* the piece's number, if there are several */
    enum ll_rounding rounding;
};
/* Adds the lines of every charge of a version of the plan: of `version`, or if
 * that is NULL of the invoice's own. With several pieces in a period, once for
 * each. */
linli_status ll_invoice_rate_plan(struct ll_invoice *invoice,
    const struct ll_plan *version, const struct ll_rating *rating,
    struct ll_err *err) LL_USE_RESULT;

/* Adds rated(now) - rated(before), line by line: what late usage changes in a
 * period that is billed, what progressive billing adds. `before` NULL: nothing
 * was billed of it, no fee for nothing either. */
struct ll_rerate {
    const struct ll_used *before, *now;
};
linli_status ll_invoice_difference(struct ll_invoice *invoice,
    const struct ll_charge *charge, const struct ll_rerate *step,
    struct ll_mark mark, struct ll_err *err) LL_USE_RESULT;
/* Adds the two lines of a change in the middle of a period: what was billed
 * at the old price for the days that are left comes back, and they are
 * charged at the new one. `days.billed` are those left, the day of the change
 * among them. Fees: fen × millionths of a seat. */
struct ll_fee_change {
    int64_t old_fen, new_fen;
    int64_t old_micro, new_micro;
    struct ll_days days;
};
linli_status ll_invoice_change(struct ll_invoice *invoice,
    const struct ll_charge *charge, const struct ll_fee_change *change,
    struct ll_err *err) LL_USE_RESULT;

/* Discounts in order, tax, total. Once. */
linli_status ll_invoice_close(
    struct ll_invoice *invoice, struct ll_err *err) LL_USE_RESULT;
/* Of a closed one: the credit note that mirrors every number of it. */
void ll_invoice_reverse(struct ll_invoice *invoice);

/* -- what is due -- */

/* Money that was given beforehand. */
struct ll_credit {
    linli_str id;
    int64_t amount_fen; /* what is left of it */
    int64_t priority;   /* less: earlier */
    int64_t expires_ms; /* INT64_MAX: never, and used last */
    int64_t used_fen;   /* set by ll_settle */
};
struct ll_purse {
    int64_t credit_notes_fen; /* used first */
    struct ll_credit *grants; /* by priority, expiry, order */
    uint32_t grant_count;
    int64_t at_ms; /* what expires at it or before is not used */
};
struct ll_settled {
    int64_t credit_notes_fen, wallet_fen; /* used */
    int64_t due_fen;
    int64_t balance_fen; /* of a total below 0: owed to the payer */
};
/* Reduces what is due, never the total or its tax. */
void ll_settle(
    int64_t total_fen, struct ll_purse *purse, struct ll_settled *out);

#endif
