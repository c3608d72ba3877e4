/* host/clock.h: the wall clock, as far as it is ours to set. [loop]
 *
 * What calls see, and what tokens, timers, retention and usage go by. With a
 * virtual clock (linli_host_options) it stands until it is set or advanced.
 */
#ifndef LL_HOST_CLOCK_H
#define LL_HOST_CLOCK_H

#include "base/err.h"

struct ll_host;

/* At the start: a virtual clock goes on where it stood. */
linli_status ll_clock_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
/* Something that an advance may wait for is done. */
void ll_host_clock_step(struct ll_host *host);

/* Milliseconds since 1970. */
int64_t ll_clock_now(struct ll_host *host);

/* Jumps to an instant. "clock/real": the clock is not virtual;
 * "clock/backwards": it is earlier than now; "request/invalid": past
 * LL_INSTANT_MS_MAX. */
linli_status ll_clock_set(
    struct ll_host *host, int64_t ms, struct ll_err *err) LL_USE_RESULT;

/* Goes `ms` (not negative) ahead, step by step through what falls due on the
 * way, and calls `done` once when all of it has been done, later; `err` is
 * borrowed, NULL with LINLI_OK. One at a time: "runtime/busy" while another
 * is under way; else the codes above. */
linli_status ll_clock_advance(struct ll_host *host, int64_t ms,
    void (*done)(void *user, linli_status status, const struct ll_err *err),
    void *user, struct ll_err *err) LL_USE_RESULT;

/* Ends an advance that is under way, which is told LINLI_E_CLOSED: the host
 * goes. */
void ll_clock_end(struct ll_host *host);

#endif
