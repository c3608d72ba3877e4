/* domain/entitlement.h: whether a plan admits one more. [any: one owner, no
 * locks; the host's is the loop] pure
 *
 * Before the plugin runs: used + reserved + asked <= limit, and the reservation
 * is made in the same step, so that of many callers exactly those that fit
 * pass. Long work reserves, then commits what it came to, releases, or lapses
 * when its owner has died. A soft limit never denies; it tells each threshold
 * once. Prepaid plans also ask whether the balance bears it.
 */
#ifndef LL_DOMAIN_ENTITLEMENT_H
#define LL_DOMAIN_ENTITLEMENT_H

#include "domain/pricing_plan.h"

struct ll_threshold {
    int64_t at_micro;
    bool told;
};

/* True if a balance bears `quantity_micro` of the meter in all. */
typedef bool ll_affords(void *user, int64_t quantity_micro);

/* One meter of one subscription in one period. */
struct ll_entitlement {
    int64_t used_micro, reserved_micro;
    int64_t max_micro;               /* INT64_MAX: nothing is denied */
    struct ll_threshold *thresholds; /* rising */
    uint32_t threshold_count;
    ll_affords *affords; /* NULL: not prepaid */
    void *user;
};

/* The least of the plan's hard limits of the meter, and the thresholds of all
 * of its limits, in memory of `arena`. Nothing used. LINLI_E_NOMEM. */
linli_status ll_entitlement_begin(struct ll_entitlement *entitlement,
    struct ll_arena *arena, const struct ll_plan *plan,
    linli_str meter) LL_USE_RESULT;

/* What is used whatever the limit says: counted already, or exempt from it. */
bool ll_entitlement_count(struct ll_entitlement *entitlement, int64_t micro);

/* Uses `micro` (0 or more) at once; false: denied, and nothing changes. */
bool ll_entitlement_use(struct ll_entitlement *entitlement, int64_t micro);

/* A promise that the units are there; belongs to a call. */
struct ll_reservation {
    int64_t micro;
    bool open;
};
/* False: denied. `reservation` is not open before. */
bool ll_entitlement_reserve(struct ll_entitlement *entitlement, int64_t micro,
    struct ll_reservation *reservation);
/* Uses at most what was reserved, and gives the rest back. False, and nothing
 * changes, if it is not open or `micro` is more. */
bool ll_entitlement_commit(struct ll_entitlement *entitlement,
    struct ll_reservation *reservation, int64_t micro);
/* Gives all of it back: the work was not done, or nobody is left to do it.
 * One that is not open stays so. */
void ll_entitlement_release(
    struct ll_entitlement *entitlement, struct ll_reservation *reservation);

/* The next threshold that use has reached and nobody was told of, which counts
 * as told by this. False: there is none. */
bool ll_entitlement_alert(
    struct ll_entitlement *entitlement, int64_t *at_micro);

#endif
