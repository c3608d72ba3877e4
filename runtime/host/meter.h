/* host/meter.h: usage of calls, and meters of a plugin's own. [loop]
 *
 * spec/metering.md. A series is what is counted: a meter of a space. Records
 * are effects of the call and become part of its commit.
 */
#ifndef LL_HOST_METER_H
#define LL_HOST_METER_H

#include "host/call.h"

/* The series of a meter; made by its first use. 0: no memory. */
uint32_t ll_series(struct ll_space *space, linli_str meter);
/* For ll_docs_open: one that is there. */
linli_status ll_series_known(
    struct ll_space *space, int64_t id, linli_str meter) LL_USE_RESULT;

/* Notes the call itself: one linli.call, and its linli.cpu_us. */
linli_status ll_meter_call(
    struct ll_call *call, struct ll_err *err) LL_USE_RESULT;

#endif
