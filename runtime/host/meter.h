/* host/meter.h: usage of calls, and meters of a plugin's own. [loop]
 *
 * spec/metering.md. Records are effects of the call and become part of its
 * commit.
 */
#ifndef LL_HOST_METER_H
#define LL_HOST_METER_H

#include "host/call.h"

/* Notes the call itself: one linli.call, and its linli.cpu_us. */
linli_status ll_meter_call(
    struct ll_call *call, struct ll_err *err) LL_USE_RESULT;

#endif
