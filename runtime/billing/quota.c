/* billing/quota.c: windows of subscriptions: begun, asked, counted. [loop]
 *
 * A window is exact because it knows which commits its answer has seen: what
 * was counted while the question was under way is added if the answer's
 * snapshot ends before it, and an answer that is older than the window itself
 * is asked for again.
 */
#include "billing/quota.h"

#include "base/text.h"
#include "billing/invoices.h"
#include "billing/sums.h"

#define TABLE_CAP_FIRST 256
#define SCRATCH_BYTES_MAX ((size_t)64 << 20) /* sums, a plan that is rated */

struct ll_quota_delta {
    struct ll_quota_delta *next;
    uint64_t number;
    uint32_t meter;
    int64_t micro;
};

/* -- the table -- */

static struct ll_quotas *
quotas_of(struct ll_billing *billing)
{
    struct ll_quotas *quotas = billing->quotas;
    if (quotas != NULL)
        return quotas;
    quotas = ll_alloc(billing->mem, sizeof *quotas);
    if (quotas == NULL)
        return NULL;
    *quotas = (struct ll_quotas){.cap = TABLE_CAP_FIRST};
    quotas->table = ll_alloc(billing->mem, quotas->cap * sizeof(void *));
    if (quotas->table == NULL) {
        ll_release(billing->mem, quotas, sizeof *quotas);
        return NULL;
    }
    memset(quotas->table, 0, quotas->cap * sizeof(void *));
    ll_arena_init(&quotas->scratch, billing->mem, SCRATCH_BYTES_MAX);
    return billing->quotas = quotas;
}

/* Twice as many chains; without memory they become longer. */
static void
grow(struct ll_billing *billing)
{
    struct ll_quotas *quotas = billing->quotas;
    uint32_t cap = 2 * quotas->cap;
    struct ll_window **table = ll_alloc(billing->mem, cap * sizeof *table);
    if (table == NULL)
        return;
    memset(table, 0, cap * sizeof *table);
    for (uint32_t i = 0; i < quotas->cap; i++)
        for (struct ll_window *w = quotas->table[i], *next; w != NULL;
             w = next) {
            next = w->chain;
            w->chain = table[w->sub & (cap - 1)];
            table[w->sub & (cap - 1)] = w;
        }
    ll_release(billing->mem, quotas->table, quotas->cap * sizeof *table);
    quotas->table = table;
    quotas->cap = cap;
}

static void
drop_deltas(struct ll_window *window)
{
    struct ll_mem *mem = window->billing->mem;
    while (window->deltas != NULL) {
        struct ll_quota_delta *delta = window->deltas;
        window->deltas = delta->next;
        ll_release(mem, delta, sizeof *delta);
    }
}

static void
drop_query(struct ll_window *window)
{
    struct ll_mem *mem = window->billing->mem;
    if (window->query == NULL)
        return;
    ll_query_fini(window->query);
    ll_release(mem, window->query, sizeof *window->query);
    window->query = NULL;
}

static void
window_free(struct ll_window *window)
{
    ll_check(window->holds == 0);
    ll_check(window->waits == NULL);
    drop_deltas(window);
    drop_query(window);
    ll_quota_drop_prices(window);
    ll_release(window->billing->mem, window, window->bytes);
}

static void
unlink_window(struct ll_window *window)
{
    struct ll_quotas *quotas = window->billing->quotas;
    struct ll_window **at = &quotas->table[window->sub & (quotas->cap - 1)];
    while (*at != window)
        at = &(*at)->chain;
    *at = window->chain;
    quotas->count--;
}

void
ll_quotas_close(struct ll_billing *billing)
{
    struct ll_quotas *quotas = billing->quotas;
    if (quotas == NULL)
        return;
    for (uint32_t i = 0; i < quotas->cap; i++)
        while (quotas->table[i] != NULL) {
            struct ll_window *window = quotas->table[i];
            quotas->table[i] = window->chain;
            window_free(window);
        }
    ll_arena_fini(&quotas->scratch);
    ll_release(billing->mem, quotas->table, quotas->cap * sizeof(void *));
    ll_release(billing->mem, quotas, sizeof *quotas);
    billing->quotas = NULL;
}

/* Of those that nobody holds, the one that was not asked for longest goes
 * when a subscription has too many: late use keeps an old one for a while. */
static void
make_room(struct ll_billing *billing, uint32_t sub)
{
    struct ll_quotas *quotas = billing->quotas;
    struct ll_window *oldest = NULL;
    uint32_t count = 0;
    struct ll_window *w = quotas->table[sub & (quotas->cap - 1)];
    for (; w != NULL; w = w->chain) {
        if (w->sub != sub)
            continue;
        count++;
        if (w->state == LL_WINDOW_KNOWN && w->holds == 0 &&
            (oldest == NULL || w->used_at < oldest->used_at))
            oldest = w;
    }
    if (count < LL_QUOTA_WINDOWS_MAX || oldest == NULL)
        return;
    unlink_window(oldest);
    window_free(oldest);
}

/* -- a window begins -- */

bool
ll_quota_asks(const struct ll_sub *sub, const struct ll_plan_version *plan)
{
    return plan->plan.limit_count > 0 || sub->cap_fen >= 0 ||
           plan->plan.credit_only;
}

struct ll_quota_span
ll_quota_span_at(
    const struct ll_sub *sub, const struct ll_plan_version *plan, int64_t at_ms)
{
    struct ll_period period = ll_sub_period_at(sub, at_ms);
    struct ll_quota_span span = {
        .from_ms = ll_local_midnight(sub->local, period.from),
        .to_ms = ll_local_midnight(sub->local, period.to)};
    if (!plan->plan.trial_usage_free || sub->trial_days == 0)
        return span;
    int64_t paid_ms =
        ll_local_midnight(sub->local, sub->rhythm.start + sub->trial_days);
    span.free = at_ms < paid_ms;
    if (span.free && paid_ms < span.to_ms)
        span.to_ms = paid_ms;
    if (!span.free && paid_ms > span.from_ms)
        span.from_ms = paid_ms;
    return span;
}

/* Names of the meters of a plan, each once; returns how many. */
static uint32_t
list_meters(const struct ll_plan *plan, linli_str *names)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->limit_count + plan->charge_count; i++) {
        linli_str name = i < plan->limit_count
                             ? plan->limits[i].meter
                             : plan->charges[i - plan->limit_count].meter;
        uint32_t j = 0;
        while (j < count && !ll_str_eq(names[j], name))
            j++;
        if (name.len > 0 && j == count)
            names[count++] = name;
    }
    return count;
}

static bool
affords(void *user, int64_t all_micro)
{
    const struct ll_quota_meter *meter = user;
    return ll_quota_affords(meter, all_micro, meter->events + 1);
}

/* One block: the window, its meters, their thresholds. */
static struct ll_window *
window_new(struct ll_billing *billing, const struct ll_plan *plan)
{
    linli_str names[LL_PLAN_LIMITS_MAX + LL_PLAN_CHARGES_MAX];
    struct ll_arena *scratch = &billing->quotas->scratch;
    uint32_t count = list_meters(plan, names), told = 0;
    ll_arena_reset(scratch);
    struct ll_entitlement *made =
        ll_arena_alloc(scratch, (count + 1) * sizeof *made);
    for (uint32_t i = 0; made != NULL && i < count; i++) {
        if (ll_entitlement_begin(&made[i], scratch, plan, names[i]) != LINLI_OK)
            return NULL;
        told += made[i].threshold_count;
    }
    size_t bytes = sizeof(struct ll_window) +
                   count * sizeof(struct ll_quota_meter) +
                   told * sizeof(struct ll_threshold);
    struct ll_window *w = made == NULL ? NULL : ll_alloc(billing->mem, bytes);
    if (w == NULL)
        return NULL;
    *w = (struct ll_window){
        .billing = billing, .meter_count = count, .bytes = bytes};
    w->meters = (struct ll_quota_meter *)(void *)(w + 1);
    struct ll_threshold *at = (void *)(w->meters + count);
    for (uint32_t i = 0; i < count; i++) {
        struct ll_quota_meter *m = &w->meters[i];
        *m = (struct ll_quota_meter){
            .name = names[i], .window = w, .is = made[i]};
        m->is.affords = affords;
        m->is.user = m;
        if (m->is.threshold_count > 0)
            memcpy(at, made[i].thresholds, m->is.threshold_count * sizeof *at);
        m->is.thresholds = at;
        at += m->is.threshold_count;
    }
    return w;
}

static void on_summed(struct ll_query *query);

static bool
ask(struct ll_window *window)
{
    struct ll_query *query = ll_alloc(window->billing->mem, sizeof *query);
    if (query == NULL)
        return false;
    ll_query_init(query, window->billing->mem, LL_ST_sub_sums);
    ll_sums_ask(query, window->sub, window->span.from_ms, window->span.to_ms);
    query->done = on_summed;
    query->user = window;
    window->query = query;
    if (query->params.failed) {
        drop_query(window);
        return false;
    }
    ll_store_query(window->billing->store, query);
    return true;
}

static struct ll_window *
begin(struct ll_billing *billing, const struct ll_sub *sub,
    const struct ll_plan_version *plan, int64_t at_ms)
{
    struct ll_quotas *quotas = quotas_of(billing);
    if (quotas == NULL)
        return NULL;
    make_room(billing, sub->id);
    if (quotas->count >= quotas->cap)
        grow(billing);
    struct ll_window *window = window_new(billing, &plan->plan);
    if (window == NULL)
        return NULL;
    window->plan = plan;
    window->sub = sub->id;
    window->since = ll_store_last(billing->store);
    window->span = ll_quota_span_at(sub, plan, at_ms);
    if (!ask(window)) {
        window_free(window);
        return NULL;
    }
    window->chain = quotas->table[sub->id & (quotas->cap - 1)];
    quotas->table[sub->id & (quotas->cap - 1)] = window;
    quotas->count++;
    return window;
}

struct ll_window *
ll_quota_find(const struct ll_billing *billing, const struct ll_sub *sub,
    const struct ll_plan_version *plan, int64_t at_ms)
{
    const struct ll_quotas *quotas = billing->quotas;
    struct ll_window *w =
        quotas == NULL ? NULL : quotas->table[sub->id & (quotas->cap - 1)];
    while (w != NULL && (w->sub != sub->id || w->plan != plan ||
                            at_ms < w->span.from_ms || at_ms >= w->span.to_ms))
        w = w->chain;
    return w;
}

struct ll_window *
ll_quota_window(struct ll_billing *billing, const struct ll_sub *sub,
    const struct ll_plan_version *plan, int64_t at_ms)
{
    struct ll_window *w = ll_quota_find(billing, sub, plan, at_ms);
    if (w == NULL)
        w = begin(billing, sub, plan, at_ms);
    if (w != NULL)
        w->used_at = ++billing->quotas->ticks;
    return w;
}

struct ll_window *
ll_quota_before(struct ll_window *window, bool *good)
{
    struct ll_billing *billing = window->billing;
    const struct ll_sub *sub = ll_sub_by_id(billing, window->sub);
    int64_t at_ms = window->span.from_ms - 1;
    *good = true;
    if (sub == NULL || !window->plan->plan.credit_only ||
        ll_inv_first_draft(billing, sub->id) == NULL)
        return NULL;
    const struct ll_plan_version *plan = ll_sub_plan_at(billing, sub, at_ms);
    struct ll_window *before =
        plan == NULL ? NULL : ll_quota_window(billing, sub, plan, at_ms);
    *good = plan == NULL || before != NULL;
    return before;
}

bool
ll_window_ready(struct ll_window *window, struct ll_wait *wait)
{
    if (window->state != LL_WINDOW_LOADING)
        return true;
    ll_wait_add(&window->waits, wait);
    return false;
}

/* -- its sums come -- */

static void
tell_quietly(struct ll_quota_meter *meter)
{
    int64_t at;
    while (ll_entitlement_alert(&meter->is, &at)) {
        /* Its alert stands in the commit of the record that reached it. */
    }
}

static bool
add(struct ll_quota_meter *meter, int64_t micro)
{
    meter->events += micro > 0 ? 1 : 0;
    return ll_entitlement_count(&meter->is, micro);
}

/* What was there when the window began, then what came since. */
static bool
take_sums(struct ll_window *window, const struct ll_sums *sums, uint64_t seen)
{
    bool fits = true;
    for (uint32_t i = 0; i < window->meter_count; i++) {
        struct ll_quota_meter *meter = &window->meters[i];
        const struct ll_sum *sum =
            ll_sums_of(sums, meter->name, window->plan->id);
        int64_t now = sum == NULL ? 0 : sum->quantity_micro;
        int64_t before = now;
        meter->events = sum == NULL ? 0 : sum->count;
        struct ll_quota_delta *d = window->deltas;
        for (; d != NULL; d = d->next)
            if (d->meter == i && d->number <= seen)
                fits =
                    fits && !__builtin_sub_overflow(before, d->micro, &before);
        fits = fits && ll_entitlement_count(&meter->is, before);
        tell_quietly(meter);
        fits = fits && ll_entitlement_count(&meter->is, now - before);
        for (d = window->deltas; d != NULL; d = d->next)
            if (d->meter == i && d->number > seen)
                fits = fits && add(meter, d->micro);
    }
    return fits && ll_quota_keep_others(window, sums);
}

/* Those that came while it was loading: nobody else will tell of them. */
static void
tell_since(struct ll_window *window)
{
    struct ll_billing *billing = window->billing;
    struct ll_quota_alert alert;
    while (billing->alerted != NULL && ll_quota_alert(window, &alert))
        billing->alerted(billing->user, &alert);
}

static void
on_summed(struct ll_query *query)
{
    struct ll_window *window = query->user;
    struct ll_arena *scratch = &window->billing->quotas->scratch;
    struct ll_sums sums;
    struct ll_err err;
    uint64_t seen = query->snapshot;
    bool good = query->status == LINLI_OK;
    if (good && seen < window->since) {
        drop_query(window);
        good = ask(window);
        if (good)
            return;
    }
    ll_arena_reset(scratch);
    good = good && window->query != NULL &&
           ll_sums_read(scratch, query, &sums, &err) == LINLI_OK &&
           take_sums(window, &sums, seen);
    drop_query(window);
    drop_deltas(window);
    window->state = good ? LL_WINDOW_KNOWN : LL_WINDOW_LOST;
    if (good)
        tell_since(window);
    window->holds++; /* it stays while those who wait are told */
    ll_wait_tell(&window->waits);
    window->holds--;
    if (!good) { /* the next call asks anew */
        unlink_window(window);
        window_free(window);
    }
}

/* -- promises -- */

struct ll_quota_meter *
ll_window_meter(const struct ll_window *window, linli_str name)
{
    for (uint32_t i = 0; i < window->meter_count; i++)
        if (ll_str_eq(window->meters[i].name, name))
            return &window->meters[i];
    return NULL;
}

/* Why it was denied. */
static enum ll_quota_word
why(const struct ll_entitlement *is, int64_t micro)
{
    int64_t all;
    bool fits =
        !__builtin_add_overflow(is->used_micro, is->reserved_micro, &all) &&
        !__builtin_add_overflow(all, micro, &all);
    return fits && all <= is->max_micro ? LL_QUOTA_CAP : LL_QUOTA_LIMIT;
}

enum ll_quota_word
ll_quota_reserve(struct ll_window *window, linli_str meter, int64_t micro,
    struct ll_quota_hold *hold)
{
    ll_check(window->state == LL_WINDOW_KNOWN);
    struct ll_reservation more = {0, false};
    struct ll_quota_meter *m = ll_window_meter(window, meter);
    if (m == NULL)
        return LL_QUOTA_YES;
    ll_check(hold->meter == NULL || hold->meter == m);
    if (!ll_entitlement_reserve(&m->is, micro, &more))
        return why(&m->is, micro);
    m->events++;
    if (hold->meter == NULL)
        window->holds++;
    hold->meter = m;
    hold->events++;
    hold->is.micro += more.micro;
    hold->is.open = true;
    return LL_QUOTA_YES;
}

void
ll_quota_release(struct ll_quota_hold *hold)
{
    if (hold->meter == NULL)
        return;
    ll_entitlement_release(&hold->meter->is, &hold->is);
    hold->meter->events -= hold->events;
    ll_check(hold->meter->window->holds > 0);
    hold->meter->window->holds--;
    hold->meter = NULL;
    hold->events = 0;
}

enum ll_quota_word
ll_quota_left(struct ll_window *window, linli_str meter)
{
    ll_check(window->state == LL_WINDOW_KNOWN);
    const struct ll_quota_meter *m = ll_window_meter(window, meter);
    if (m == NULL)
        return LL_QUOTA_YES;
    if (m->is.used_micro >= m->is.max_micro)
        return LL_QUOTA_LIMIT;
    return ll_quota_affords(m, m->is.used_micro + 1, m->events + 1)
               ? LL_QUOTA_YES
               : LL_QUOTA_CAP;
}

/* -- what is used -- */

bool
ll_quota_count(
    struct ll_window *window, linli_str meter, int64_t micro, uint64_t number)
{
    struct ll_quota_meter *m = ll_window_meter(window, meter);
    if (m == NULL)
        return true;
    if (window->state == LL_WINDOW_KNOWN)
        return add(m, micro);
    struct ll_quota_delta *delta =
        ll_alloc(window->billing->mem, sizeof *delta);
    if (delta == NULL)
        return false;
    *delta = (struct ll_quota_delta){.next = window->deltas,
        .number = number,
        .meter = (uint32_t)(m - window->meters),
        .micro = micro};
    window->deltas = delta;
    return true;
}

bool
ll_quota_alert(struct ll_window *window, struct ll_quota_alert *alert)
{
    if (window->state != LL_WINDOW_KNOWN)
        return false;
    for (uint32_t i = 0; i < window->meter_count; i++) {
        struct ll_quota_meter *meter = &window->meters[i];
        *alert = (struct ll_quota_alert){.window = window, .meter = meter};
        if (ll_entitlement_alert(&meter->is, &alert->at_micro))
            return true;
    }
    return false;
}
