/* billing/sums.h: what was counted for a subscription, from the store. [loop]
 *
 * One question to the store gives, for one subscription and a half-open span
 * of event time, the sum of each (plugin's meter, plan version), exactly, with
 * the last LSN that is in them: the watermark that a preview states and an
 * invoice keeps. A percentage is of single amounts: they are decoded from the
 * segments that the buckets point at.
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
/* The sum of a meter and version; NULL if there is none. */
const struct ll_sum *ll_sums_of(
    const struct ll_sums *sums, linli_str meter, uint32_t version);

/* -- single amounts of a meter that counts money: units are fen -- */

struct ll_amount {
    int64_t fen;
    int64_t at_ms;
    uint64_t lsn;
};
struct ll_amounts {
    struct ll_arena *arena;
    struct ll_amount *at; /* in the order of their LSNs */
    uint32_t count, cap;
};
/* Whose, when, and how far. */
struct ll_amounts_of {
    uint32_t sub, version;
    linli_str meter;
    int64_t from_ms, to_ms;
    uint64_t after, upto; /* LSNs: those in (after, upto] */
};
/* Puts the parameters of LL_ST_sub_segments. */
void ll_amounts_ask(struct ll_query *query, const struct ll_amounts_of *of);
/* Takes the rows, which is a page; of->after moves to its end. *whole: nothing
 * follows. A correction takes the amount that it reverses away.
 * "pricing/precision" of an amount that is no whole fen, "store/corrupt",
 * "runtime/memory", LINLI_E_LIMIT past LL_RATE_EVENTS_MAX. */
linli_status ll_amounts_take(struct ll_amounts *amounts,
    struct ll_amounts_of *of, const struct ll_query *query, bool *whole,
    struct ll_err *err) LL_USE_RESULT;

#endif
