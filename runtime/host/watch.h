/* host/watch.h: days of plugins' own meters that are far from usual. [loop]
 *
 * At local midnight the day that has ended, and those that late records may
 * have changed, are held against the days before (domain/unusual.h); what is
 * far outside is told to the operator, once for a meter and a day. Only where
 * a plugin has metered lately is there anything to look at, so a clock that is
 * advanced stops at those midnights only.
 *
 * Nothing is kept of it: what a host that was down has missed is found again
 * in the buckets, and an alert that was raised is in the store, closed or not.
 */
#ifndef LL_HOST_WATCH_H
#define LL_HOST_WATCH_H

#include "host/host.h"

linli_status ll_watch_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
void ll_watch_close(struct ll_host *host);
/* A plugin of a community has metered by itself, or is about to. */
void ll_watch_seen(struct ll_host *host, linli_str community);
/* Does what is due by now. */
void ll_watch_now(struct ll_host *host);
bool ll_watch_idle(const struct ll_host *host);
/* When the next is due; INT64_MAX: never. For a clock that is advanced. */
int64_t ll_watch_next_ms(const struct ll_host *host);

#endif
