/* plugin/breaker.h: when a plugin that keeps crashing is left alone. [any]
 *
 * Pure: time is an argument. Five crashes within a minute open it; then one
 * probe at a time is let through, and the first that ends well closes it.
 */
#ifndef LL_PLUGIN_BREAKER_H
#define LL_PLUGIN_BREAKER_H

#include "base/defs.h"
#include "base/limits.h"

struct ll_breaker {
    int64_t crashes_ms[LL_BREAKER_CRASHES]; /* the latest, in a ring */
    uint32_t crash_count;                   /* ever */
    bool open;
    bool probing; /* one call is under way to find out */
    int64_t probe_after_ms;
};

/* A crash at `now_ms` (monotonic); true if it opens the breaker now. */
bool ll_breaker_crash(struct ll_breaker *breaker, int64_t now_ms);
/* A call ended well; true if that closes the breaker now. */
bool ll_breaker_success(struct ll_breaker *breaker);
/* May a call run now? While open, true makes that call the probe. */
bool ll_breaker_admit(struct ll_breaker *breaker, int64_t now_ms);
/* The probe ended without a verdict: refused, cancelled, timed out. */
void ll_breaker_probe_over(struct ll_breaker *breaker, int64_t now_ms);

#endif
