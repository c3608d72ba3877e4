/* domain/dunning.c: the steps, by days. [any] */
#include "domain/dunning.h"

#include "base/limits.h"

const char *
ll_dunning_name(enum ll_dunning step)
{
    static const char *const names[] = {
#define X(name, word, zh) word,
        LL_DUNNING_STEPS(X)
#undef X
    };
    return names[step];
}

static bool
is_day(int32_t days, int32_t least)
{
    return days == LL_DUNNING_NEVER ||
           (days >= least && days <= LL_DUNNING_DAYS_MAX);
}

bool
ll_dunning_valid(const struct ll_dunning_policy *policy)
{
    return policy->due_days >= 0 && policy->due_days <= LL_DUNNING_DAYS_MAX &&
           is_day(policy->notify_days, 1) &&
           is_day(policy->restrict_days, policy->notify_days) &&
           is_day(policy->suspend_days, policy->restrict_days);
}

static bool
is_reached(int32_t late, int32_t days)
{
    return days != LL_DUNNING_NEVER && late >= days;
}

enum ll_dunning
ll_dunning_on(const struct ll_dunning_policy *policy, int32_t due_day,
    int32_t today, bool essential)
{
    int32_t late = today - due_day;
    enum ll_dunning step = LL_DUNNING_NONE;
    if (is_reached(late, policy->notify_days))
        step = LL_DUNNING_NOTIFY;
    if (!essential && is_reached(late, policy->restrict_days))
        step = LL_DUNNING_RESTRICT;
    if (!essential && is_reached(late, policy->suspend_days))
        step = LL_DUNNING_SUSPEND;
    return step;
}

int32_t
ll_dunning_next(const struct ll_dunning_policy *policy, int32_t due_day,
    int32_t today, bool essential)
{
    const int32_t days[] = {
        1, policy->notify_days, policy->restrict_days, policy->suspend_days};
    uint32_t count = essential ? 2 : 4;
    int32_t next = LL_DUNNING_NEVER;
    for (uint32_t i = 0; i < count; i++)
        if (days[i] != LL_DUNNING_NEVER && due_day + days[i] > today &&
            due_day + days[i] < next)
            next = due_day + days[i];
    return next;
}
