/* host/rate.h: how often a caller may call. [loop]
 *
 * A token bucket for each (community, caller), in one bounded table: a
 * bucket that is full again says nothing and may be dropped. The decision is
 * pure: time is an argument.
 */
#ifndef LL_HOST_RATE_H
#define LL_HOST_RATE_H

#include "base/mem.h"

struct ll_rate_policy {
    int64_t per_minute; /* calls in the long run; 0: no limit */
    int64_t burst;      /* calls at once at most, >= 1 */
};

struct ll_rate;

/* `buckets` is a power of two. NULL: no memory. */
struct ll_rate *ll_rate_new(struct ll_mem *mem, struct ll_rate_policy policy,
    uint32_t buckets) LL_USE_RESULT;
void ll_rate_free(struct ll_rate **rate);

struct ll_rate_verdict {
    bool allowed;
    int64_t remaining;     /* calls left at once */
    int64_t retry_after_s; /* when refused: whole seconds until one is left */
};

/* Takes one call from the bucket of `key`, a keyed hash of the caller.
 * `now_ms` is monotonic time. */
struct ll_rate_verdict ll_rate_take(
    struct ll_rate *rate, uint64_t key, int64_t now_ms);
/* The same without taking: what a call would be told now. */
struct ll_rate_verdict ll_rate_look(
    struct ll_rate *rate, uint64_t key, int64_t now_ms);
struct ll_rate_policy ll_rate_policy(const struct ll_rate *rate);

#endif
