/* host/batch.h: enabling several plugins, and telling once. [loop] */
#ifndef LL_HOST_BATCH_H
#define LL_HOST_BATCH_H

#include "host/host.h"

/* Enables what the configuration lists, and what was enabled in an earlier
 * process; see linli/host.h. Of the latter no failure is told but to the log:
 * one plugin that is gone must not keep a community from the others. */
linli_status ll_host_enable_configured(struct ll_host *host,
    void (*done)(void *user, linli_status status, const struct ll_err *err),
    void *user, struct ll_err *err) LL_USE_RESULT;

/* The demo community with every plugin below `plugins_dir`. */
linli_status ll_host_demo(struct ll_host *host, linli_str plugins_dir,
    void (*done)(void *user, linli_status status, const struct ll_err *err),
    void *user, struct ll_err *err) LL_USE_RESULT;

#endif
