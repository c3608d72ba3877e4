/* billing/attribute.h: use that nobody's subscription had is given to one.
 * [loop]
 *
 * Of a plugin that is sold, what no subscription owns is counted for suspense
 * (LL_SUB_SUSPENSE): seen by everybody who looks, billed to nobody. An operator
 * may say whose it was. The record stays as it is; another takes it back and a
 * third counts it anew, in one commit. spec/metering.md, section 12.
 */
#ifndef LL_BILLING_ATTRIBUTE_H
#define LL_BILLING_ATTRIBUTE_H

#include "billing/subs.h"
#include "billing/till.h"
#include "domain/usage.h"

struct ll_attributing {
    struct ll_till_job job; /* act.by, act.reason: who says so, and why */
    linli_str community;
    int64_t lsn; /* of the record */
    uint32_t sub;
    /* the answer */
    bool again;                         /* it was given to that one already */
    struct ll_usage usage;              /* the record as it is */
    const struct ll_plan_version *plan; /* that counts it from now on */
};
/* Done with "request/not-found", "usage/attributed" (to another),
 * "usage/owned" (it is not in suspense), "usage/outside" (the subscription was
 * not in force when it happened, is of something else, or has no invoice to
 * come that would bill it). */
linli_status ll_attribute(
    struct ll_attributing *attributing, struct ll_err *err) LL_USE_RESULT;

#endif
