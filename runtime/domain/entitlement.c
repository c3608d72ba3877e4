/* domain/entitlement.c: whether a plan admits one more. */
#include "domain/entitlement.h"

#include "base/text.h"
#include "domain/pricing_number.h"

/* Where a threshold is reached: the first quantity at or above its share. */
static int64_t
threshold(int64_t max_micro, int64_t bp)
{
    int64_t at = 0;
    bool fits =
        ll_wide_divide((ll_wide)max_micro * bp, LL_BP, LL_ROUND_UP, &at);
    return fits ? at : INT64_MAX;
}

static void
insert(struct ll_entitlement *e, int64_t at_micro)
{
    uint32_t i = e->threshold_count++;
    for (; i > 0 && e->thresholds[i - 1].at_micro > at_micro; i--)
        e->thresholds[i] = e->thresholds[i - 1];
    e->thresholds[i] = (struct ll_threshold){at_micro, false};
}

linli_status
ll_entitlement_begin(struct ll_entitlement *entitlement, struct ll_arena *arena,
    const struct ll_plan *plan, linli_str meter)
{
    size_t count = 0;
    *entitlement = (struct ll_entitlement){.max_micro = INT64_MAX};
    for (uint32_t i = 0; i < plan->limit_count; i++)
        count += plan->limits[i].alert_count;
    entitlement->thresholds =
        ll_arena_alloc(arena, (count + 1) * sizeof *entitlement->thresholds);
    if (entitlement->thresholds == NULL)
        return LINLI_E_NOMEM;
    for (uint32_t i = 0; i < plan->limit_count; i++) {
        const struct ll_plan_limit *limit = &plan->limits[i];
        if (!ll_str_eq(limit->meter, meter))
            continue;
        if (limit->hard && limit->max_micro < entitlement->max_micro)
            entitlement->max_micro = limit->max_micro;
        for (uint32_t j = 0; j < limit->alert_count; j++)
            insert(
                entitlement, threshold(limit->max_micro, limit->alerts_bp[j]));
    }
    return LINLI_OK;
}

bool
ll_entitlement_count(struct ll_entitlement *entitlement, int64_t micro)
{
    return !__builtin_add_overflow(
        entitlement->used_micro, micro, &entitlement->used_micro);
}

/* used + reserved + micro, if that is admitted; else -1. */
static int64_t
admitted(const struct ll_entitlement *e, int64_t micro)
{
    int64_t all = 0;
    if (__builtin_add_overflow(e->used_micro, e->reserved_micro, &all) ||
        __builtin_add_overflow(all, micro, &all) || all > e->max_micro)
        return -1;
    return e->affords == NULL || e->affords(e->user, all) ? all : -1;
}

bool
ll_entitlement_use(struct ll_entitlement *entitlement, int64_t micro)
{
    ll_check(micro >= 0);
    if (admitted(entitlement, micro) < 0)
        return false;
    entitlement->used_micro += micro;
    return true;
}

bool
ll_entitlement_reserve(struct ll_entitlement *entitlement, int64_t micro,
    struct ll_reservation *reservation)
{
    ll_check(micro >= 0);
    ll_check(!reservation->open);
    if (admitted(entitlement, micro) < 0)
        return false;
    entitlement->reserved_micro += micro;
    *reservation = (struct ll_reservation){micro, true};
    return true;
}

bool
ll_entitlement_commit(struct ll_entitlement *entitlement,
    struct ll_reservation *reservation, int64_t micro)
{
    ll_check(micro >= 0);
    if (!reservation->open || micro > reservation->micro)
        return false;
    ll_entitlement_release(entitlement, reservation);
    entitlement->used_micro += micro;
    return true;
}

void
ll_entitlement_release(
    struct ll_entitlement *entitlement, struct ll_reservation *reservation)
{
    if (!reservation->open)
        return;
    ll_check(entitlement->reserved_micro >= reservation->micro);
    entitlement->reserved_micro -= reservation->micro;
    *reservation = (struct ll_reservation){0, false};
}

bool
ll_entitlement_alert(struct ll_entitlement *entitlement, int64_t *at_micro)
{
    for (uint32_t i = 0; i < entitlement->threshold_count; i++) {
        struct ll_threshold *t = &entitlement->thresholds[i];
        if (t->told || entitlement->used_micro < t->at_micro)
            continue;
        t->told = true;
        *at_micro = t->at_micro;
        return true;
    }
    return false;
}
