/* plugin/breaker.c: the breaker's few rules. */
#include "plugin/breaker.h"

bool
ll_breaker_crash(struct ll_breaker *breaker, int64_t now_ms)
{
    uint32_t slot = breaker->crash_count++ % LL_BREAKER_CRASHES;
    breaker->crashes_ms[slot] = now_ms;
    if (breaker->open) {
        ll_breaker_probe_over(breaker, now_ms);
        return false;
    }
    /* The next slot to be overwritten holds the oldest of the last five. */
    uint32_t oldest = breaker->crash_count % LL_BREAKER_CRASHES;
    if (breaker->crash_count < LL_BREAKER_CRASHES ||
        now_ms - breaker->crashes_ms[oldest] > LL_BREAKER_WINDOW_MS)
        return false;
    breaker->open = true;
    breaker->probing = false;
    breaker->probe_after_ms = now_ms + LL_BREAKER_PROBE_MS;
    return true;
}

bool
ll_breaker_success(struct ll_breaker *breaker)
{
    bool was_open = breaker->open;
    if (was_open)
        *breaker = (struct ll_breaker){.open = false};
    return was_open;
}

bool
ll_breaker_admit(struct ll_breaker *breaker, int64_t now_ms)
{
    if (!breaker->open)
        return true;
    if (breaker->probing || now_ms < breaker->probe_after_ms)
        return false;
    breaker->probing = true;
    return true;
}

void
ll_breaker_probe_over(struct ll_breaker *breaker, int64_t now_ms)
{
    breaker->probing = false;
    breaker->probe_after_ms = now_ms + LL_BREAKER_PROBE_MS;
}
