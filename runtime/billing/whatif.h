/* billing/whatif.h: what past usage would have cost under a plan. [loop]
 *
 * A subscription that never was: it starts on the first day that is asked for,
 * has one plan version all its life, and ends with the last day. What was
 * counted, for a real subscription or for a plugin that was not sold, is rated
 * period by period by the code that makes invoices (billing/rating.h), and
 * written as they are. Nothing is kept. spec/metering.md, section 16.
 *
 *   ll_whatif_begin(&w, err);
 *   while (ll_whatif_asks(&w, &statement)) {
 *       ll_whatif_put(&w, query);   and the query is answered
 *       ll_whatif_take(&w, query, err);
 *   }
 *   ll_whatif_end(&w);
 */
#ifndef LL_BILLING_WHATIF_H
#define LL_BILLING_WHATIF_H

#include "billing/plans_int.h"
#include "billing/rating.h"

/* A meter's usage as a series has it; one meter may have several, of several
 * versions of the plan that it really was under. */
struct ll_whatif_series {
    uint32_t id;
    struct ll_sum sum;
};

struct ll_whatif {
    /* set by the caller */
    const struct ll_billing *billing;
    linli_str community;
    const struct ll_plan_version *plan; /* of the catalogue, or a draft */
    uint32_t usage_of; /* a subscription, or LL_SUB_FREE: while not sold */
    int32_t from, to;  /* local days of the plan's zone, [from, to) */
    int64_t seats_micro;
    struct ll_buf *out; /* "{...},{...}": the periods, as invoice bodies */
    /* the answer */
    uint32_t periods;
    uint64_t watermark; /* every record up to this LSN is in all of them */
    int64_t net_fen, tax_fen, total_fen;
    /* its own */
    struct ll_billing scratch; /* whose catalogue has only the plan */
    struct ll_plans plans;
    struct ll_plan_version version, *versions[1];
    struct ll_sub sub;
    struct ll_sub_version life[1];
    struct ll_arena arena; /* of one period */
    struct ll_span span;
    struct ll_whatif_series *series;
    uint32_t series_count;
    uint32_t step; /* series that is decoded; series_count: sums are next */
    struct ll_amounts_of of;
    bool done;
};

/* "request/invalid" if there are no days, or more than LL_WHATIF_PERIODS_MAX
 * periods. Also after a failure it is ended. */
linli_status ll_whatif_begin(
    struct ll_whatif *w, struct ll_err *err) LL_USE_RESULT;
/* What is to be asked next; false: the answer is there. */
bool ll_whatif_asks(const struct ll_whatif *w, enum ll_statement *statement);
/* The parameters of that statement, and its bounds. */
void ll_whatif_put(const struct ll_whatif *w, struct ll_query *query);
/* The rows. "pricing/overflow", "store/corrupt", "runtime/memory". */
linli_status ll_whatif_take(struct ll_whatif *w, const struct ll_query *query,
    struct ll_err *err) LL_USE_RESULT;
void ll_whatif_end(struct ll_whatif *w);

#endif
