/* host/plan_text.h: what is said of a plan that refuses, or is nearly used up.
 * [loop] */
#ifndef LL_HOST_PLAN_TEXT_H
#define LL_HOST_PLAN_TEXT_H

#include "billing/quota.h"
#include "host/call.h"

/* Of a subscription that is not in force: the member `plan` of the problem, in
 * the call's arena. */
linli_str ll_plan_state_json(struct ll_call *call, const struct ll_sub *sub);
/* Of a limit or a cap: sets plan_no, plan_detail and plan_json of the call. */
void ll_plan_refuse_text(struct ll_call *call, struct ll_window *window,
    linli_str meter, enum ll_quota_word word);
/* Name and data of an alert that a threshold is reached; cleared first. */
void ll_plan_alert_text(const struct ll_quota_alert *alert, struct ll_buf *ref,
    struct ll_buf *data);

#endif
