/* domain/pricing_charge.h: from a charge and what was used to lines. [any] pure
 *
 * Each line is rounded once, when it is emitted, half away from zero; what
 * stands above a line adds integers. Lines of nothing are not emitted.
 */
#ifndef LL_DOMAIN_PRICING_CHARGE_H
#define LL_DOMAIN_PRICING_CHARGE_H

#include "base/buf.h"
#include "domain/pricing_number.h"
#include "domain/pricing_plan.h"

/* X(name, word): what a line is of its charge; the word ends its key. */
#define LL_PARTS(X)                                        \
    X(USAGE, usage)                                        \
    X(UNIT, unit)   /* of tier N: tN:unit */               \
    X(FLAT, flat)   /* of tier N: tN:flat */               \
    X(PCT, pct)     /* of amounts; tN:pct */               \
    X(FIXED, fixed) /* for each amount not free */         \
    X(FEE, fee)     /* of a flat charge */                 \
    X(COMMIT, commit)                                      \
    X(OVERAGE, overage)                                    \
    X(TRUEUP, trueup)                                      \
    X(DISCOUNT, discount) /* of this charge alone */       \
    X(MAX, max)                                            \
    X(MIN, min)                                            \
    X(CREDIT, credit)            /* billed and not used */ \
    X(CHARGE, charge)            /* what a change costs */ \
    X(INVOICE_DISCOUNT, invoice) /* discount:ID, of all */
enum ll_part {
#define X(name, word) LL_PART_##name,
    LL_PARTS(X)
#undef X
};

/* What a line is besides that of its charge in this period. */
struct ll_mark {
    linli_str period; /* @PERIOD: it adjusts an earlier one; or empty */
    uint32_t segment; /* #N: of the n-th plan version in it; 0: there is one */
};

struct ll_line {
    linli_str of; /* the charge's id, or the discount's; borrowed */
    enum ll_part part;
    uint32_t tier; /* from 1; 0: it is of none */
    struct ll_mark mark;
    int64_t amount_fen;
    /* What it was made from, for people: units (or seats, packages, amounts
     * of money in fen) in millionths, and the price of one in millionths of a
     * fen; of a PCT line basis points. 0 where there is no such thing. */
    int64_t quantity_micro, price_micro;
};
/* Appends its key: "api:t2:unit", "api:usage@2026-02", "discount:SPRING". */
void ll_line_key(const struct ll_line *line, struct ll_buf *out);
/* Whether two lines have the same key. */
bool ll_line_same(const struct ll_line *a, const struct ll_line *b);

struct ll_lines {
    struct ll_arena *arena;
    struct ll_line *at;
    uint32_t count, cap;
};
/* Appends one unless its amount is 0. LINLI_E_LIMIT past LL_RATE_LINES_MAX,
 * LINLI_E_NOMEM. */
linli_status ll_lines_add(struct ll_lines *lines, const struct ll_line *line,
    struct ll_err *err) LL_USE_RESULT;

/* What was used in the period. */
struct ll_used {
    int64_t quantity_micro; /* units, or seats of a flat charge */
    const int64_t *amounts; /* fen, 0 or more, in order: for percentages */
    uint32_t amount_count;
    struct ll_days days; /* the share of recurring fees and of the minimum */
    enum ll_rounding rounding;
};

/* Appends the lines of one charge: included, tiers, line discount, maximum,
 * prorated minimum. "pricing/overflow" (LINLI_E_LIMIT) if a line or their sum
 * does not fit; then *sum_fen is 0, otherwise the sum of the lines. */
linli_status ll_charge_rate(const struct ll_charge *charge,
    const struct ll_used *used, struct ll_lines *lines, int64_t *sum_fen,
    struct ll_err *err) LL_USE_RESULT;

/* "pricing/overflow", said of this charge. */
linli_status ll_charge_overflow(linli_str id, struct ll_err *err);

#endif
