/* host/pay_adapter.c: which adapter serves which channel. [loop] */
#include "host/pay_adapter.h"

#include "base/text.h"
#include "host/pay_sim.h"

/* Every adapter there is. */
static const struct ll_pay_adapter *const adapters[] = {&ll_pay_sim_adapter};

const struct ll_pay_adapter *
ll_pay_adapter(const struct ll_host *host, linli_str name)
{
    for (size_t i = 0; i < LL_COUNT(adapters); i++)
        if (ll_str_is(name, adapters[i]->name) &&
            (host->config.development || !adapters[i]->development))
            return adapters[i];
    return NULL;
}

linli_status
ll_pay_adapter_of(const struct ll_host *host, linli_str channel,
    const struct ll_pay_adapter **out, struct ll_err *err)
{
    struct ll_jv chosen = host->config.pay_adapters;
    *out = NULL;
    if (ll_jv_there(chosen))
        *out = ll_pay_adapter(host, ll_jv_str(ll_jv_get_str(chosen, channel)));
    else if (host->config.development)
        *out = &ll_pay_sim_adapter;
    if (*out != NULL)
        return LINLI_OK;
    linli_status status = ll_fail(err, LINLI_E_DENIED, "payments/no-adapter",
        "no adapter serves the channel \"%.*s\"; the operator names one in "
        "linli.conf.json: \"payment\": {\"adapters\": {\"%.*s\": \"ADAPTER\"}}",
        LL_FMT(channel), LL_FMT(channel));
    return status;
}
