/* host/sweep.h: what has outlived its time goes. [loop] */
#ifndef LL_HOST_SWEEP_H
#define LL_HOST_SWEEP_H

#include "host/host.h"

linli_status ll_sweep_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;
void ll_sweep_close(struct ll_host *host);
/* Looks now, not only once a minute: the clock was moved. */
void ll_sweep_now(struct ll_host *host);
bool ll_sweep_idle(const struct ll_host *host);

#endif
