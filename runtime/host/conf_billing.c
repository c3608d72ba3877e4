/* host/conf_billing.c: when invoices are final, and what follows if they are
 * not paid: the member `billing`. */
#include "host/conf.h"

#define HOUR_MS 3600000

static int32_t
days_or(struct ll_jv billing, const char *name, int32_t otherwise)
{
    struct ll_jv v = ll_jv_get(billing, name);
    int64_t days = otherwise;
    if (ll_jv_is(v, LL_JSON_NULL))
        return LL_DUNNING_NEVER;
    (void)ll_jv_int(v, &days);
    return (int32_t)days; /* the schema bounds it */
}

/* The schema has let through days within their bounds; that the steps follow
 * each other is seen here. */
linli_status
ll_config_read_billing(
    struct ll_config *config, struct ll_jv billing, struct ll_err *err)
{
    struct ll_invoice_policy *policy = &config->billing;
    int64_t hours = LL_INVOICE_GRACE_HOURS;
    (void)ll_jv_int(ll_jv_get(billing, "grace_hours"), &hours);
    ll_check(hours <= LL_INVOICE_GRACE_HOURS_MAX);
    policy->grace_ms = hours * HOUR_MS;
    policy->dunning.due_days =
        days_or(billing, "due_days", LL_DUNNING_DUE_DAYS);
    policy->dunning.notify_days =
        days_or(billing, "notify_days", LL_DUNNING_NOTIFY_DAYS);
    policy->dunning.restrict_days =
        days_or(billing, "restrict_days", LL_DUNNING_RESTRICT_DAYS);
    policy->dunning.suspend_days =
        days_or(billing, "suspend_days", LL_DUNNING_SUSPEND_DAYS);
    policy->essential = ll_jv_get(billing, "essential");
    if (ll_dunning_valid(&policy->dunning))
        return LINLI_OK;
    (void)ll_fail(err, LINLI_E_INVALID, "config/invalid",
        "notify_days, restrict_days and suspend_days must rise, and what "
        "follows a step that never comes never comes either");
    ll_err_where(err, "/billing");
    return LINLI_E_INVALID;
}
