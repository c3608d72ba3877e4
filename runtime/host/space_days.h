/* host/space_days.h: what spaces hold, counted day by day. [loop]
 *
 * At each local midnight of a community every plugin's space that holds
 * something has one record of linli.storage_byte_days: its bytes, as use of the
 * day that ends. How far the days were counted stands in the same commit, so
 * each day is counted once whatever becomes of the process; and as nothing is
 * written while there is none, the days that it missed are what is there when
 * it begins. spec/metering.md, M3c.
 */
#ifndef LL_HOST_SPACE_DAYS_H
#define LL_HOST_SPACE_DAYS_H

#include "host/host.h"

linli_status ll_space_days_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
void ll_space_days_close(struct ll_host *host);
/* Counts the days that have ended by now. */
void ll_space_days_now(struct ll_host *host);
/* The next midnight at which there is something to count; INT64_MAX: none. For
 * a clock that is advanced. */
int64_t ll_space_days_next_ms(const struct ll_host *host);

#endif
