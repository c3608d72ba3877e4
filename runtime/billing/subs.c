/* billing/subs.c: subscriptions, looked at. [loop] */
#include "billing/subs_int.h"

#include <stdio.h>

#include "base/text.h"

/* -- words -- */

const char *
ll_party_kind_name(enum ll_party_kind kind)
{
    static const char *const names[] = {
#define X(name, word) word,
        LL_PARTY_KINDS(X)
#undef X
    };
    return names[kind];
}

const char *
ll_sub_state_name(enum ll_sub_state state)
{
    static const char *const names[] = {
#define X(name, word) word,
        LL_SUB_STATES(X)
#undef X
    };
    return names[state];
}

void
ll_sub_text(uint32_t id, char out[LL_SUB_TEXT_BYTES])
{
    (void)snprintf(out, LL_SUB_TEXT_BYTES, "sub_%u", id);
}

bool
ll_sub_text_read(linli_str text, uint32_t *id)
{
    int64_t number = 0;
    *id = 0;
    if (!ll_str_starts(text, "sub_"))
        return false;
    linli_str digits = {text.ptr + 4, text.len - 4};
    if (digits.len == 0 || digits.ptr[0] == '0' ||
        !ll_str_int(digits, LL_SUB_FIRST, UINT32_MAX, &number))
        return false;
    *id = (uint32_t)number;
    return true;
}

/* -- finding -- */

struct ll_sub *
ll_sub_by_id(const struct ll_billing *billing, uint32_t id)
{
    const struct ll_subs *subs = billing->subs;
    return id < LL_SUB_FIRST || id - LL_SUB_FIRST >= subs->count
               ? NULL
               : subs->at[id - LL_SUB_FIRST];
}

struct ll_sub *
ll_sub_next(const struct ll_billing *billing, uint32_t id)
{
    return ll_sub_by_id(billing, id < LL_SUB_FIRST ? LL_SUB_FIRST : id + 1);
}

struct seeking {
    int64_t at_ms;
    struct ll_sub *alive, *newest;
};

static void
look(void *user, struct ll_sub *sub)
{
    struct seeking *seeking = user;
    struct ll_sub **best =
        sub->start_ms <= seeking->at_ms && seeking->at_ms < sub->end_ms
            ? &seeking->alive
            : &seeking->newest;
    if (*best == NULL || (*best)->id < sub->id)
        *best = sub;
}

struct ll_sub *
ll_sub_for(const struct ll_billing *billing, const struct ll_sub_seeker *seeker)
{
    const struct ll_sub_user users[] = {
        {seeker->community, seeker->plugin, LL_PARTY_RESIDENT,
            seeker->resident},
        {seeker->community, seeker->plugin, LL_PARTY_HOUSEHOLD,
            seeker->household},
        {seeker->community, seeker->plugin, LL_PARTY_COMMUNITY, LINLI_STR("")},
    };
    struct ll_sub *newest = NULL;
    for (size_t i = 0; i < LL_COUNT(users); i++) {
        struct seeking seeking = {.at_ms = seeker->at_ms};
        if (users[i].kind != LL_PARTY_COMMUNITY && users[i].who.len == 0)
            continue;
        ll_subs_of(billing, &users[i], look, &seeking);
        if (seeking.alive != NULL)
            return seeking.alive;
        newest = newest == NULL ? seeking.newest : newest;
    }
    return newest;
}

void
ll_subs_refresh(const struct ll_billing *billing, struct ll_market *market)
{
    const struct ll_subs *subs = billing->subs;
    market->end_ms = INT64_MIN;
    for (uint32_t i = 0; i < subs->count; i++) {
        const struct ll_sub *sub = subs->at[i];
        if (sub->end_ms > market->end_ms &&
            sub->plugin.ptr == market->plugin.ptr)
            market->end_ms = sub->end_ms;
    }
    market->stale = false;
}

/* -- its life -- */

void
ll_sub_life(const struct ll_sub *sub, struct ll_subscription *out)
{
    ll_check(sub->version_count <= LL_SUB_VERSIONS_MAX);
    ll_check(sub->pause_count <= LL_SUB_PAUSES_MAX);
    *out = (struct ll_subscription){.rhythm = sub->rhythm,
        .start_ms = sub->start_ms,
        .end_ms = sub->end_ms,
        .acted_ms = sub->acted_ms,
        .trial_days = sub->trial_days,
        .version_count = sub->version_count,
        .pause_count = sub->pause_count};
    for (uint32_t i = 0; i < sub->version_count; i++)
        out->versions[i] = sub->versions[i];
    for (uint32_t i = 0; i < sub->pause_count; i++)
        out->pauses[i] = sub->pauses[i];
}

static bool
is_paused(const struct ll_sub *sub, int64_t at_ms)
{
    for (uint32_t i = 0; i < sub->pause_count; i++)
        if (sub->pauses[i].from_ms <= at_ms && at_ms < sub->pauses[i].to_ms)
            return true;
    return false;
}

enum ll_sub_state
ll_sub_state_at(const struct ll_sub *sub, int64_t at_ms)
{
    if (at_ms >= sub->end_ms)
        return LL_SUB_IS_ENDED;
    if (at_ms < sub->start_ms)
        return LL_SUB_IS_COMING;
    if (sub->suspended)
        return LL_SUB_IS_SUSPENDED;
    if (is_paused(sub, at_ms))
        return LL_SUB_IS_PAUSED;
    return ll_local_day(sub->local, at_ms) < sub->rhythm.start + sub->trial_days
               ? LL_SUB_IS_TRIAL
               : LL_SUB_IS_ACTIVE;
}

const struct ll_plan_version *
ll_sub_plan_at(
    const struct ll_billing *billing, const struct ll_sub *sub, int64_t at_ms)
{
    if (at_ms < sub->start_ms || at_ms >= sub->end_ms)
        return NULL;
    for (uint32_t i = sub->version_count; i > 0; i--)
        if (sub->versions[i - 1].from_ms <= at_ms)
            return ll_plan_by_id(billing, sub->versions[i - 1].version);
    return NULL;
}

struct ll_period
ll_sub_period_at(const struct ll_sub *sub, int64_t at_ms)
{
    int32_t day = ll_local_day(sub->local, at_ms);
    return ll_period_of(
        &sub->rhythm, day < sub->rhythm.start ? sub->rhythm.start : day);
}
