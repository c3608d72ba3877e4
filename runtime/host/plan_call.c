/* host/plan_call.c: from who calls to a subscription, to a promise, to what is
 * used. [loop] */
#include "host/plan_call.h"

#include <string.h>

#include "base/text.h"
#include "domain/pricing_calendar.h"
#include "host/alert.h"
#include "host/effect.h"
#include "host/plan_text.h"

#define US_PER_MS 1000
#define ALERT_BYTES_MAX 1024

/* -- whose it is -- */

struct ll_counted
ll_plan_counted(
    struct ll_host *host, uint32_t sub_id, linli_str meter, int64_t at_ms)
{
    struct ll_counted counted = {.meter = meter, .subscription = sub_id};
    if (sub_id < LL_SUB_FIRST)
        return counted;
    const struct ll_sub *sub = ll_sub_by_id(&host->billing, sub_id);
    const struct ll_plan_version *plan =
        sub == NULL ? NULL : ll_sub_plan_at(&host->billing, sub, at_ms);
    counted.subscription = plan == NULL ? LL_SUB_SUSPENSE : sub_id;
    counted.version = plan == NULL ? 0 : plan->id;
    return counted;
}

uint32_t
ll_plan_sub_of(
    struct ll_host *host, const struct ll_plan_place *place, int64_t at_ms)
{
    const struct ll_billing *billing = &host->billing;
    const struct ll_sub_seeker seeker = {
        .community = place->community, .plugin = place->plugin, .at_ms = at_ms};
    if (!ll_plan_sells(billing, seeker.community, seeker.plugin))
        return LL_SUB_FREE;
    const struct ll_sub *sub = ll_sub_for(billing, &seeker);
    return sub == NULL ? LL_SUB_SUSPENSE : sub->id;
}

uint32_t
ll_plan_call_sub(struct ll_call *call)
{
    if (!call->sub_known) {
        const struct ll_plan_place place = {
            call->community->id, call->instance->id};
        call->sub = ll_plan_sub_of(call->host, &place, call->now_ms);
        call->sub_known = true;
    }
    return call->sub;
}

/* Only the lack of a resident's own refuses, and no safety route. */
static bool
may_refuse(const struct ll_call *call)
{
    return call->identity->kind == LL_CALLER_RESIDENT &&
           !call->match.route->safety;
}

static bool
has(linli_str text, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.len; i++)
        if (memcmp(text.ptr + i, word, n) == 0)
            return true;
    return false;
}

static enum ll_step
refuse_state(struct ll_call *call, const struct ll_sub *sub, const char *code)
{
    call->plan_json = ll_plan_state_json(call, sub);
    return ll_call_refuse(call, code, NULL);
}

/* A resident is refused unless the subscription is in force. */
static enum ll_step
judge_state(struct ll_call *call, const struct ll_sub *sub)
{
    if (sub == NULL)
        return ll_call_refuse(call, "plan/none", NULL);
    switch (ll_sub_state_at(sub, call->now_ms)) {
    case LL_SUB_IS_COMING:
        return refuse_state(call, sub, "plan/none");
    case LL_SUB_IS_ENDED:
        return refuse_state(call, sub, "plan/ended");
    case LL_SUB_IS_PAUSED:
        return refuse_state(call, sub, "plan/paused");
    case LL_SUB_IS_SUSPENDED:
        return refuse_state(call, sub, "plan/suspended");
    case LL_SUB_IS_TRIAL:
    case LL_SUB_IS_ACTIVE:
        break;
    }
    call->limited = true;
    return LL_STEP_MORE;
}

/* Theirs alone, and in force: nobody else's comes before it. */
static bool
is_own(const struct ll_call *call, const struct ll_sub *sub)
{
    if (sub == NULL ||
        ll_sub_plan_at(&call->host->billing, sub, call->now_ms) == NULL)
        return false;
    for (uint32_t i = 0; i < sub->beneficiary_count; i++)
        if (sub->beneficiaries[i].kind == LL_PARTY_RESIDENT &&
            ll_str_eq(sub->beneficiaries[i].who, call->identity->id))
            return true;
    return false;
}

enum ll_step
ll_step_subscribe(struct ll_call *call)
{
    const struct ll_billing *billing = &call->host->billing;
    bool refused = false, resident = call->identity->kind == LL_CALLER_RESIDENT;
    struct ll_sub_seeker seeker = {.community = call->community->id,
        .plugin = call->instance->id,
        .at_ms = call->now_ms};
    call->sub_known = true;
    call->sub = LL_SUB_FREE;
    if (!ll_plan_sells(billing, seeker.community, seeker.plugin))
        return LL_STEP_MORE;
    if (resident)
        seeker.resident = call->identity->id;
    const struct ll_sub *sub = ll_sub_for(billing, &seeker);
    if (resident && !is_own(call, sub)) {
        if (!ll_who_household(call, &refused))
            return refused ? LL_STEP_MORE : LL_STEP_WAIT;
        seeker.household = call->household;
        sub = ll_sub_for(billing, &seeker);
    }
    call->sub = sub == NULL ? LL_SUB_SUSPENSE : sub->id;
    return may_refuse(call) ? judge_state(call, sub) : LL_STEP_MORE;
}

/* The window that a record stands in; NULL: there is nothing to ask. *good
 * false: there is no memory. */
static struct ll_window *
window_of(struct ll_host *host, const struct ll_plan_record *record, bool *good)
{
    struct ll_billing *billing = &host->billing;
    const struct ll_counted *counted = record->counted;
    const struct ll_sub *sub = ll_sub_by_id(billing, counted->subscription);
    const struct ll_plan_version *plan =
        ll_plan_by_id(billing, counted->version);
    *good = true;
    if (sub == NULL || plan == NULL || !ll_quota_asks(sub, plan))
        return NULL;
    struct ll_window *window =
        ll_quota_window(billing, sub, plan, record->usage->at_ms);
    *good = window != NULL;
    return window;
}

/* -- promises -- */

static enum ll_step
refuse_quota(struct ll_call *call, struct ll_window *window, linli_str meter,
    enum ll_quota_word word)
{
    ll_plan_refuse_text(call, window, meter, word);
    return ll_call_refuse(call, call->plan_no, call->plan_detail);
}

/* The call's promise of a meter, made if there is none; NULL: no memory. */
static struct ll_quota_hold *
hold_of(struct ll_call *call, struct ll_quota_hold **list,
    const struct ll_quota_meter *meter)
{
    for (struct ll_quota_hold *h = *list; h != NULL; h = h->next)
        if (h->meter == NULL || h->meter == meter)
            return h;
    struct ll_quota_hold *hold = ll_arena_alloc(&call->arena, sizeof *hold);
    if (hold == NULL)
        return NULL;
    *hold = (struct ll_quota_hold){.next = *list};
    *list = hold;
    return hold;
}

static enum ll_quota_word
promise(struct ll_call *call, struct ll_window *window, linli_str meter,
    int64_t micro)
{
    const struct ll_quota_meter *m = ll_window_meter(window, meter);
    struct ll_quota_hold *hold =
        m == NULL ? NULL : hold_of(call, &call->holds, m);
    return hold == NULL ? LL_QUOTA_YES
                        : ll_quota_reserve(window, meter, micro, hold);
}

/* What a billed call is sure to use, and what it may use; of what others than
 * the run count, something has to be left. */
static enum ll_step
promise_all(struct ll_call *call, struct ll_window *window)
{
    static const char *const after[] = {
        LL_METER_NOTIFICATION, LL_METER_EGRESS, LL_METER_STORAGE};
    const struct {
        const char *meter;
        int64_t micro;
    } before[] = {{LL_METER_CALL, LL_USAGE_UNIT},
        {LL_METER_CPU,
            ll_call_limits(call)->cpu_ms * US_PER_MS * LL_USAGE_UNIT}};
    for (size_t i = 0; i < LL_COUNT(before); i++) {
        linli_str meter = ll_cstr(before[i].meter);
        enum ll_quota_word word = promise(call, window, meter, before[i].micro);
        if (word != LL_QUOTA_YES)
            return refuse_quota(call, window, meter, word);
    }
    for (size_t i = 0; i < LL_COUNT(after); i++) {
        linli_str meter = ll_cstr(after[i]);
        enum ll_quota_word word = ll_quota_left(window, meter);
        if (word != LL_QUOTA_YES)
            return refuse_quota(call, window, meter, word);
    }
    return call->arena.failed ? ll_call_refuse(call, "runtime/memory", NULL)
                              : LL_STEP_MORE;
}

enum ll_step
ll_step_quota(struct ll_call *call)
{
    struct ll_billing *billing = &call->host->billing;
    if (!call->limited || !call->match.route->billed ||
        !call->host->config.metering)
        return LL_STEP_MORE;
    const struct ll_sub *sub = ll_sub_by_id(billing, call->sub);
    const struct ll_plan_version *plan =
        sub == NULL ? NULL : ll_sub_plan_at(billing, sub, call->now_ms);
    if (plan == NULL)
        return ll_call_refuse(call, "plan/ended", NULL);
    if (!ll_quota_asks(sub, plan))
        return LL_STEP_MORE;
    struct ll_window *window =
        ll_quota_window(billing, sub, plan, call->now_ms);
    if (window == NULL)
        return ll_call_refuse(call, "runtime/memory", NULL);
    if (!ll_window_ready(window, &call->hold))
        return LL_STEP_WAIT;
    bool good;
    struct ll_window *before = ll_quota_before(window, &good);
    if (!good)
        return ll_call_refuse(call, "runtime/memory", NULL);
    if (before != NULL && !ll_window_ready(before, &call->hold))
        return LL_STEP_WAIT;
    if (window->state == LL_WINDOW_LOST ||
        (before != NULL && before->state == LL_WINDOW_LOST))
        return ll_call_refuse(call, "store/failed", NULL);
    return promise_all(call, window);
}

/* Promises what a record is; *status a refusal. */
static void
promise_record(struct ll_call *call, struct ll_window *window,
    const struct ll_plan_record *record, linli_status *status,
    struct ll_err *err)
{
    const struct ll_counted *counted = record->counted;
    const struct ll_quota_meter *meter =
        ll_window_meter(window, counted->meter);
    if (meter == NULL)
        return;
    struct ll_quota_hold *hold = hold_of(call, &call->run_holds, meter);
    if (hold == NULL) {
        *status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "usage");
        return;
    }
    enum ll_quota_word word =
        ll_quota_reserve(window, counted->meter, record->usage->quantity, hold);
    if (word == LL_QUOTA_YES)
        return;
    ll_plan_refuse_text(call, window, counted->meter, word);
    *status =
        ll_fail(err, LINLI_E_QUOTA, call->plan_no, "%s", call->plan_detail);
}

bool
ll_plan_meter(struct ll_call *call, const struct ll_plan_record *record,
    struct ll_wait *wait, linli_status *status, struct ll_err *err)
{
    bool good = true;
    struct ll_window *window =
        call->limited ? window_of(call->host, record, &good) : NULL;
    *status = LINLI_OK;
    if (!good)
        *status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "usage");
    if (window == NULL)
        return true;
    if (!ll_window_ready(window, wait))
        return false;
    if (window->state == LL_WINDOW_LOST)
        *status = ll_fail(err, LINLI_E_IO, "store/failed", "what was counted");
    else if (record->usage->quantity > 0)
        promise_record(call, window, record, status, err);
    return true;
}

bool
ll_plan_call_uncaught(struct ll_call *call)
{
    if (call->plan_no == NULL || !ll_str_is(call->code, "plugin/error") ||
        !has(call->log, call->plan_no))
        return false;
    call->word = LL_WORD_ENDED;
    (void)ll_call_refuse(call, call->plan_no, call->plan_detail);
    return true;
}

static void
release(struct ll_quota_hold *list)
{
    for (struct ll_quota_hold *h = list; h != NULL; h = h->next)
        ll_quota_release(h);
}

void
ll_plan_call_anew(struct ll_call *call)
{
    release(call->run_holds);
    call->plan_no = NULL;
    call->plan_json = (linli_str){NULL, 0};
}

void
ll_plan_call_end(struct ll_call *call)
{
    release(call->run_holds);
    release(call->holds);
    call->holds = call->run_holds = NULL;
}

/* -- what is used -- */

static void
put_alerts(struct ll_host *host, struct ll_space *space,
    struct ll_window *window, struct ll_commit *commit)
{
    struct ll_quota_alert reached;
    struct ll_buf data, ref;
    ll_buf_init(&data, &host->mem, ALERT_BYTES_MAX);
    ll_buf_init(&ref, &host->mem, ALERT_BYTES_MAX);
    while (ll_quota_alert(window, &reached)) {
        struct ll_alert alert = {.space = space,
            .kind = LINLI_STR("linli.quota"),
            .at_ms = ll_world_wall(host->world).ms};
        ll_plan_alert_text(&reached, &ref, &data);
        alert.ref = ll_buf_view(&ref);
        alert.data = ll_buf_view(&data);
        if (data.failed || ref.failed)
            commit->ops.failed = true;
        else
            ll_alert_put(host, &alert, commit);
    }
    ll_buf_fini(&data);
    ll_buf_fini(&ref);
}

void
ll_plan_alerted(void *user, const struct ll_quota_alert *reached)
{
    struct ll_host *host = user;
    const struct ll_plan_version *plan = reached->window->plan;
    struct ll_buf data, ref;
    ll_buf_init(&data, &host->mem, ALERT_BYTES_MAX);
    ll_buf_init(&ref, &host->mem, ALERT_BYTES_MAX);
    ll_plan_alert_text(reached, &ref, &data);
    struct ll_alert alert = {
        .space = ll_docs_space(&host->docs, plan->community, plan->plugin),
        .kind = LINLI_STR("linli.quota"),
        .ref = ll_buf_view(&ref),
        .data = ll_buf_view(&data),
        .at_ms = ll_world_wall(host->world).ms};
    if (alert.space != NULL && !data.failed && !ref.failed)
        ll_host_alert(host, &alert);
    ll_buf_fini(&data);
    ll_buf_fini(&ref);
}

bool
ll_plan_count(struct ll_host *host, const struct ll_plan_record *record,
    struct ll_commit *commit)
{
    bool good;
    struct ll_window *window = window_of(host, record, &good);
    if (window == NULL)
        return good;
    if (!ll_quota_count(window, record->counted->meter, record->usage->quantity,
            ll_store_last(host->store) + 1))
        return false;
    put_alerts(host, record->space, window, commit);
    return true;
}

bool
ll_plan_call_count(struct ll_call *call, struct ll_commit *commit)
{
    struct ll_space *space = call->instance->space;
    ll_plan_call_end(call);
    for (struct ll_effect *e = call->effects; e != NULL; e = e->next) {
        struct ll_plan_record record = {space, &e->counted, &e->usage};
        if (e->kind != LL_EFFECT_USAGE)
            continue;
        e->used = ll_plan_count(call->host, &record, commit);
        if (!e->used)
            return false;
    }
    return true;
}

void
ll_plan_call_uncount(struct ll_call *call)
{
    bool good;
    for (struct ll_effect *e = call->effects; e != NULL; e = e->next) {
        struct ll_plan_record record = {
            call->instance->space, &e->counted, &e->usage};
        struct ll_window *window =
            e->used ? window_of(call->host, &record, &good) : NULL;
        /* It was there a moment ago; without memory for a note of it, the
         * plan has used a little more than it has. */
        if (window != NULL &&
            !ll_quota_count(window, e->counted.meter, -e->usage.quantity,
                ll_store_last(call->host->store) + 1))
            ll_call_log(call, LL_WARN, "runtime/memory",
                LINLI_STR("use that did not commit stays in its quota"));
        e->used = false;
    }
}
