/* billing/gather.h: asks the store for all that an invoice needs. [loop]
 *
 * One question after the other, so that the loop serves calls in between: the
 * sums of the period, the amounts that percentages are of, then each earlier
 * period for which something came late, with what was billed of it.
 */
#ifndef LL_BILLING_GATHER_H
#define LL_BILLING_GATHER_H

#include "billing/rating.h"

struct ll_gather {
    struct ll_billing *billing;
    uint32_t sub;
    struct ll_turn turn;
    int32_t final_k; /* invoices before it are final: what came late for their
                        periods is looked for */
    struct ll_arena arena; /* all that was found */
    struct ll_span spans[LL_INVOICE_LATE_PERIODS + 1];
    uint32_t span_count;
    uint64_t watermark;
    /* Once, later; never before ll_gather_begin has returned. */
    void (*done)(struct ll_gather *gather, linli_status status,
        const struct ll_err *err);
    void *user;
    /* its own */
    struct ll_query query;
    bool asking;
    linli_status (*take)(struct ll_gather *gather, struct ll_err *err);
    struct ll_amounts_of of;
    uint32_t step; /* of the last span: two for each sum, whose amounts there
                      are and which were billed */
    int32_t late_from;
};

/* `billing`, `sub`, `turn`, `final_k`, `done` and `user` are set. */
void ll_gather_begin(struct ll_gather *gather);
/* Frees what was found; one that is not done is given up. */
void ll_gather_end(struct ll_gather *gather);

#endif
