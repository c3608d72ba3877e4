/* host/notify_http.h: a provider that is a gateway of the operator's, over
 * HTTP. [loop]
 *
 * spec/notify.md, section 4. Each message is one POST under the message's id
 * as Idempotency-Key; the status of the answer is the outcome.
 */
#ifndef LL_HOST_NOTIFY_HTTP_H
#define LL_HOST_NOTIFY_HTTP_H

#include "host/notify.h"

extern const struct ll_provider ll_notify_http;

/* Reads the keys of the gateways that are configured. "config/invalid" with
 * the file, "runtime/memory". */
linli_status ll_gateways_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
/* No message may be under way. */
void ll_gateways_close(struct ll_host *host);

#endif
