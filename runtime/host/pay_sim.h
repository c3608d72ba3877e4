/* host/pay_sim.h: a payment provider that moves no money. [loop]
 *
 * For development. Payments and refunds stay pending until somebody sends the
 * notice: `linli trigger`, or whoever can read DIR/sim.secret
 * (spec/payments.md, section 6).
 */
#ifndef LL_HOST_PAY_SIM_H
#define LL_HOST_PAY_SIM_H

#include "host/pay_adapter.h"

#define LL_PAY_SIM_SECRET_FILE "sim.secret"

extern const struct ll_pay_adapter ll_pay_sim_adapter;

/* How it behaves; all zero at each start. */
struct ll_pay_sim_settings {
    bool notify_before_return; /* it pays at once, before it answers create */
    bool refund_notify_first;  /* it sends the notice before it answers */
    int64_t refund_delay_ms;   /* >0: it answers after that, that it is done */
};

/* Reads the secret, or makes one: mode 0600; without a data directory it is
 * known to nobody. Development mode only. */
linli_status ll_pay_sim_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
struct ll_pay_sim_settings *ll_pay_sim_settings(struct ll_host *host);

#endif
