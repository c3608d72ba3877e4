/* billing/checkup.h: do usage, invoices, money and shares agree? [loop]
 *
 * Everything that billing keeps twice, or that follows from something it
 * keeps, is looked at once more, one question after the other: what was
 * counted against what was billed, every final invoice by rating it again,
 * every bill, every account, every statement. Calls go on; each answer is of
 * one state. What is wrong is named by its row. spec/metering.md, section 15.
 */
#ifndef LL_BILLING_CHECKUP_H
#define LL_BILLING_CHECKUP_H

#include "billing/billing.h"

/* X(NAME, word): what holds. */
#define LL_CHECKS(X)                                                          \
    X(ENTRIES, "entries")       /* each sums to zero */                       \
    X(RECEIVABLE, "receivable") /* total - credits - payments */              \
    X(DUE, "due")               /* to operator, channel and vendors: moves */ \
    X(CASH, "cash")             /* payments - refunds + top-ups */            \
    X(WALLETS, "wallets")       /* top-ups - what was used */                 \
    X(REVENUE, "revenue")       /* billed - credited - shared; and tax */     \
    X(MOVES, "moves")           /* operator + channel + vendor = base */      \
    X(REFUNDS, "refunds")       /* at most what was paid */                   \
    X(BILLS, "bills")           /* as their invoices have it */               \
    X(PAID, "paid")             /* invoices as their moves have it */         \
    X(TOTALS, "totals")         /* lines + tax = total */                     \
    X(CREDIT_NOTES, "credit_notes") /* as their moves have it */              \
    X(NUMBERS, "numbers")           /* without gaps */                        \
    X(SHARES, "shares")             /* by the terms, of the base */           \
    X(INVOICES, "invoices")         /* rated again: the same bytes */         \
    X(USE, "use")                   /* counted = billed + not billed yet */   \
    X(SETTLEMENTS, "settlements")   /* as their moves have it */
enum ll_check_kind {
#define X(NAME, word) LL_CHECK_##NAME,
    LL_CHECKS(X)
#undef X
        LL_CHECK_KIND_COUNT
};
/* "receivable". */
const char *ll_check_kind_name(enum ll_check_kind kind);

struct ll_break {
    enum ll_check_kind kind;
    char row[128]; /* "invoice inv_7", "ledger_entry 12" */
    char what[160];
};
struct ll_checkup_found {
    bool ok;
    struct ll_break breaks[LL_CHECKUP_BREAKS_MAX]; /* the first of them */
    uint32_t break_count;
    int64_t bills, invoices, settlements;
    int64_t rated;    /* invoices that were rated again */
    int64_t unbilled; /* meters of final periods with use that came late */
    /* The first of those that no invoice is to come for: row and what. */
    struct ll_break stranded[LL_CHECKUP_BREAKS_MAX];
    uint32_t stranded_count;
};

struct ll_checkup;

/* Begins; `done` is called once, later, with what was found or, if it could
 * not be looked at, with an error and NULL. It may be freed inside. */
linli_status ll_checkup_new(struct ll_billing *billing,
    void (*done)(void *user, const struct ll_checkup_found *found,
        const struct ll_err *err),
    void *user, struct ll_checkup **out, struct ll_err *err) LL_USE_RESULT;
/* Gives it back; one that is not done is given up. */
void ll_checkup_free(struct ll_checkup **checkup);

#endif
