/* host/birthdays.h: residents who turn 8, 14 or 18. [loop]
 *
 * At local midnight of that day the law lets somebody see for themself, decide
 * for themself, or be nobody's ward any more. A decision is a function of
 * today's date, so access is right without this; what is done here is that
 * what was decided before is void (the epoch rises, calls that hold something
 * begin again), that the log says so, and that the operator hears of it, as do
 * they and their guardians (host/tell.h).
 *
 * How far the days were looked through is kept: what a host that was down has
 * missed is done, in order, when it is up again. At least once.
 */
#ifndef LL_HOST_BIRTHDAYS_H
#define LL_HOST_BIRTHDAYS_H

#include "host/host.h"

linli_status ll_birthdays_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
void ll_birthdays_close(struct ll_host *host);
/* Does what is due by now. */
void ll_birthdays_now(struct ll_host *host);
/* When the next is due; INT64_MAX: never. For a clock that is advanced. */
int64_t ll_birthdays_next_ms(const struct ll_host *host);
/* The instant at which a day begins in a zone. */
int64_t ll_midnight(const struct ll_zone *zone, int32_t day);

#endif
