/* domain/dunning.h: what follows when an invoice is not paid. [any] pure
 *
 * A final invoice is to be paid by the end of its due day. Each step comes so
 * many local days after that, and stays until it is paid. What a community
 * cannot do without is never restricted and never suspended.
 */
#ifndef LL_DOMAIN_DUNNING_H
#define LL_DOMAIN_DUNNING_H

#include "base/defs.h"

/* X(NAME, word, zh): in their order; each has the ones before in it. */
#define LL_DUNNING_STEPS(X)             \
    X(NONE, "none", "正常")             \
    X(NOTIFY, "notify", "已提醒")       \
    X(RESTRICT, "restrict", "限制变更") \
    X(SUSPEND, "suspend", "暂停服务")
enum ll_dunning {
#define X(name, word, zh) LL_DUNNING_##name,
    LL_DUNNING_STEPS(X)
#undef X
};
/* "notify". */
const char *ll_dunning_name(enum ll_dunning step);

#define LL_DUNNING_NEVER INT32_MAX

/* Days after the due day: 1 is the day after it. Each no less than the one
 * before, or LL_DUNNING_NEVER. */
struct ll_dunning_policy {
    int32_t due_days; /* from the day it was made final to the due day */
    int32_t notify_days, restrict_days, suspend_days;
};
/* True if the steps rise and every day is in 1..LL_DUNNING_DAYS_MAX (due_days
 * may be 0), or never. */
bool ll_dunning_valid(const struct ll_dunning_policy *policy);

/* The step that stands on a day. `essential`: it ends with NOTIFY. */
enum ll_dunning ll_dunning_on(const struct ll_dunning_policy *policy,
    int32_t due_day, int32_t today, bool essential);
/* The first day after `today` with another step, or on which the invoice is
 * overdue; LL_DUNNING_NEVER: none. */
int32_t ll_dunning_next(const struct ll_dunning_policy *policy, int32_t due_day,
    int32_t today, bool essential);

#endif
