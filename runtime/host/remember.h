/* host/remember.h: the communities and plugins of earlier processes. [loop]
 *
 * Documents of the host's own space (host/directory.h).
 */
#ifndef LL_HOST_REMEMBER_H
#define LL_HOST_REMEMBER_H

#include "host/host.h"

/* At the start, when the configuration's communities are there: adds those
 * that seeds have made. Where both know one, the configuration's zone holds,
 * and a line of the log says so. Blocks. */
linli_status ll_remember_open(
    struct ll_host *host, struct ll_err *err) LL_USE_RESULT;

#endif
