/* host/bills.h: the calendar of invoices on the host's clock. [loop]
 *
 * Billing knows what is due (billing/invoices.h); this wakes it when it is,
 * also while a virtual clock is advanced and for all that a host which was down
 * has missed, in bounded parts, so that calls are served in between. It tells
 * payers and the operator what billing has decided.
 */
#ifndef LL_HOST_BILLS_H
#define LL_HOST_BILLS_H

#include "host/host.h"

/* After the clock; nothing is done before the next turn. */
linli_status ll_bills_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
/* Before the store: what waits for it is given up. */
void ll_bills_close(struct ll_host *host);

/* Does what is due by now, or begins to. */
void ll_bills_now(struct ll_host *host);
/* Nothing that is due is under way. */
bool ll_bills_idle(const struct ll_host *host);
/* When the next is due; INT64_MAX: never. */
int64_t ll_bills_next_ms(const struct ll_host *host);

#endif
