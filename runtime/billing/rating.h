/* billing/rating.h: what one invoice of a subscription bills. [any] pure
 *
 * Invoice k is made when period k begins: what period k - 1 owes in arrears,
 * all its use, what its fees in advance turned out to be too much or too
 * little, what came late for periods before it, and the fees in advance of
 * period k as it begins. The same for a preview, a draft and the final one: a
 * function of the subscription's life and of the sums, and of nothing else.
 * spec/metering.md, section 11.
 */
#ifndef LL_BILLING_RATING_H
#define LL_BILLING_RATING_H

#include "billing/subs.h"
#include "billing/sums.h"
#include "domain/pricing_invoice.h"

/* What the calendar makes of a subscription next. */
struct ll_turn {
    int32_t k;       /* number of the invoice, and of `advance` */
    int64_t due_ms;  /* when it is made */
    int32_t next;    /* billed_to from then on */
    bool last;       /* nothing comes after it */
    bool has_before; /* a period has ended: `before` */
    bool has_advance;
    struct ll_period before, advance;
};
#define LL_BILLED_ALL INT32_MAX /* billed_to once the last one is made */
/* False: nothing is to be made any more. */
bool ll_turn_next(const struct ll_sub *sub, struct ll_turn *out);
/* The turn of an invoice by its number; of the last one `last` is said by the
 * caller, who has kept it. */
void ll_turn_of(
    const struct ll_sub *sub, int32_t k, bool last, struct ll_turn *out);
/* The turn that a preview at an instant shows: the period that holds it, as if
 * it ended now; nothing in advance. */
void ll_turn_preview(
    const struct ll_sub *sub, int64_t at_ms, struct ll_turn *out);
/* Number of the period that begins with a day, or holds it. */
int32_t ll_turn_number(const struct ll_rhythm *rhythm, int32_t day);

/* Use that was billed, of one period. */
struct ll_billed {
    linli_str meter;
    uint32_t version;
    int64_t quantity_micro;
    uint64_t last_lsn;
};
/* The amounts of a meter that counts money, of one version: those there are,
 * or those that were billed before. */
struct ll_span_amounts {
    linli_str meter;
    uint32_t version;
    bool before;
    struct ll_amounts amounts;
};
/* A period, with what was counted for it. */
struct ll_span {
    struct ll_period period;
    struct ll_sums sums; /* of ll_span_from to ll_span_to */
    struct ll_span_amounts *amounts;
    uint32_t amount_count; /* at most two for each sum */
    /* Of one that came late: what was billed of it before. */
    const struct ll_billed *before;
    uint32_t before_count;
};
/* The instants whose use is billed: not in a trial, if that is free. */
int64_t ll_span_from(const struct ll_billing *billing, const struct ll_sub *sub,
    struct ll_period period);
int64_t ll_span_to(const struct ll_sub *sub, struct ll_period period);
/* Whether a meter's single amounts are needed to rate a version. */
bool ll_span_wants_amounts(const struct ll_plan *plan, linli_str meter);

/* Of each line, for people. */
struct ll_line_note {
    uint32_t version; /* the plan version that it is rated by; 0: a discount */
    const struct ll_charge *charge; /* NULL: a discount */
    struct ll_period period;        /* that it is of */
    struct ll_days days;            /* {0, 0}: not by days */
    bool advance;
};
struct ll_rated {
    struct ll_invoice invoice;  /* closed */
    struct ll_line_note *notes; /* one for each line */
    int64_t *nets, *taxes;      /* of each line, after discounts: sum to the
                                   items'; of a discount 0 */
    uint32_t note_cap;
    const struct ll_plan_version *plan; /* that its discounts and tax are of */
};
struct ll_rate {
    const struct ll_billing *billing;
    const struct ll_sub *sub;
    struct ll_turn turn;
    const struct ll_span *spans; /* turn.before's first, if there is one; then
                                    those with late use */
    uint32_t span_count;
};
/* Everything comes from `arena`. "pricing/overflow", "runtime/memory",
 * "plan/unknown" if a version is not there (the store is damaged). */
linli_status ll_rate_turn(struct ll_arena *arena, const struct ll_rate *rate,
    struct ll_rated *out, struct ll_err *err) LL_USE_RESULT;

/* "2026-02" of a calendar month, else "2026-02-15", NUL-terminated. */
void ll_period_label(
    const struct ll_rhythm *rhythm, struct ll_period period, char out[16]);

#endif
