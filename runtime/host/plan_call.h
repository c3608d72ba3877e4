/* host/plan_call.h: a call and the plan that it is under. [loop]
 *
 * Whose subscription it is counted for, whether that admits it, what it has
 * been promised, and what its commit uses. spec/metering.md, section 10.
 */
#ifndef LL_HOST_PLAN_CALL_H
#define LL_HOST_PLAN_CALL_H

#include "billing/quota.h"
#include "data/series.h"
#include "host/call.h"

/* Meters that the runtime counts (spec/metering.md, M1). */
#define LL_METER_CALL "linli.call"
#define LL_METER_CPU "linli.cpu_us"
#define LL_METER_NOTIFICATION "linli.notification"
#define LL_METER_EGRESS "linli.egress_bytes"
#define LL_METER_STORAGE "linli.storage_byte_days"

/* What something is counted as that happened at `at_ms` for a subscription:
 * by the version of the plan that was in force then; LL_SUB_SUSPENSE outside
 * of its life. */
struct ll_counted ll_plan_counted(
    struct ll_host *host, uint32_t sub, linli_str meter, int64_t at_ms);
/* The subscription of what nobody in particular does in a plugin: the
 * community's; LL_SUB_SUSPENSE if the plugin is sold and there is none;
 * LL_SUB_FREE of one that is not. */
struct ll_plan_place {
    linli_str community, plugin;
};
uint32_t ll_plan_sub_of(
    struct ll_host *host, const struct ll_plan_place *place, int64_t at_ms);
/* The same of a call: what it found, or of a task what it stands for. */
uint32_t ll_plan_call_sub(struct ll_call *call);

/* A record of what was counted goes with the commit, in this turn: it is used
 * from now on, and thresholds that it reaches are told in the commit. False
 * without memory, and nothing has changed. */
struct ll_plan_record {
    struct ll_space *space;
    const struct ll_counted *counted;
    const struct ll_usage *usage;
};
bool ll_plan_count(struct ll_host *host, const struct ll_plan_record *record,
    struct ll_commit *commit) LL_USE_RESULT;
/* The same of all that a call has recorded; its promises end. Whether it could
 * or not, uncount takes it back: the commit does not go. */
bool ll_plan_call_count(
    struct ll_call *call, struct ll_commit *commit) LL_USE_RESULT;
void ll_plan_call_uncount(struct ll_call *call);

/* Promises of a run that begins again; of a call that is over. */
void ll_plan_call_anew(struct ll_call *call);
void ll_plan_call_end(struct ll_call *call);

/* Before call:meter counts `micro` of a meter at an instant: true, and
 * `status` OK or a refusal ("plan/limit-reached", "plan/cap-reached"), or
 * false: `wait` is told. `micro` 0: whether it can be asked now. */
bool ll_plan_meter(struct ll_call *call, const struct ll_plan_record *record,
    struct ll_wait *wait, linli_status *status, struct ll_err *err);
/* The run has ended with call:meter's refusal, which nobody caught: the call
 * is refused with it. */
bool ll_plan_call_uncaught(struct ll_call *call);

/* For the host's billing: an alert in a commit of its own. */
void ll_plan_alerted(void *host, const struct ll_quota_alert *alert);

#endif
