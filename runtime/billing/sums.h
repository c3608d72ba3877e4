/* billing/sums.h: what was counted for a subscription, from the store. [loop]
 *
 * One question to the store gives, for one subscription and a half-open span
 * of event time, the sum of each (plugin's meter, plan version), exactly, with
 * the last LSN that is in them: the watermark that a preview states and an
 * invoice keeps.
 */
#ifndef LL_BILLING_SUMS_H
#define LL_BILLING_SUMS_H

#include "billing/billing.h"

struct ll_sum {
    linli_str meter;
    uint32_t version;       /* plan version (ll_plan_by_id) */
    int64_t quantity_micro; /* "pricing/overflow" if it does not fit */
    int64_t count;
    uint64_t first_lsn, last_lsn;
};
struct ll_sums {
    const struct ll_sum *at; /* by meter, then version */
    uint32_t count;
    uint64_t watermark; /* every record up to this LSN is in them */
};

/* Reads the rows of LL_ST_sub_sums into `arena`. "pricing/overflow",
 * "store/corrupt", "runtime/memory". */
linli_status ll_sums_read(struct ll_arena *arena, const struct ll_query *query,
    struct ll_sums *out, struct ll_err *err) LL_USE_RESULT;
/* Puts the parameters: a subscription, and instants that are multiples of a
 * slot (domain/usage.h), as midnights are. */
void ll_sums_ask(
    struct ll_query *query, uint32_t sub, int64_t from_ms, int64_t to_ms);

#endif
