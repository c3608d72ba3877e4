/* billing/plans_int.h: the catalogue in memory. [loop]
 *
 * Versions by their ids, which are dense; and what is sold where, a chain for
 * each hash, so that a call of a plugin that nobody sells costs one look.
 */
#ifndef LL_BILLING_PLANS_INT_H
#define LL_BILLING_PLANS_INT_H

#include "billing/plans.h"

#define LL_MARKET_CHAINS 1024

/* One plugin in one community that was ever sold. */
struct ll_market {
    struct ll_market *next;
    linli_str community, plugin;
    uint64_t hash;
    uint32_t open; /* versions that are not closed */
    /* Nobody is subscribed from then on; `stale`: it may be earlier. */
    int64_t end_ms;
    bool stale;
};

struct ll_plans {
    struct ll_plan_version **at; /* id - 1 */
    uint32_t count, cap;
    unsigned char hash_key[16];
    struct ll_market *markets[LL_MARKET_CHAINS];
    struct ll_arena arena; /* markets: as long as the host */
};

/* Loads what there is; closing it is ll_billing_close's, also after a
 * failure. */
linli_status ll_plans_open(
    struct ll_billing *billing, struct ll_err *err) LL_USE_RESULT;
void ll_plans_close(struct ll_billing *billing);

/* NULL if it was never sold. */
struct ll_market *ll_market(
    const struct ll_billing *billing, linli_str community, linli_str plugin);

/* billing/plans_read.c: a version out of what was published, all of it in its
 * own arena, of no billing yet. `known` as in ll_plan_offer; `check` false: of
 * the store, which was checked. */
linli_status ll_plan_version_new(struct ll_billing *billing,
    const struct ll_plan_offer *offer, bool check, struct ll_plan_version **out,
    struct ll_err *err) LL_USE_RESULT;
void ll_plan_version_free(
    struct ll_billing *billing, struct ll_plan_version **version);

#endif
