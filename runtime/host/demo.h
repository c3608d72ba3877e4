/* host/demo.h: what a plugin brings for the demo community. [loop]
 *
 * A plugin's folder may hold demo.json, which is no part of the package:
 * {"config": {...}, "try": [{"as": "resident", "method", "path", "body",
 * "say": {"en", "zh-CN"}}]}. The calls are printed as curl lines.
 */
#ifndef LL_HOST_DEMO_H
#define LL_HOST_DEMO_H

#include "host/host.h"

/* Reads one demo.json: appends its configuration to `config` (nothing if it
 * has none) and remembers its calls in the host. */
linli_status ll_demo_read(struct ll_host *host, linli_str text,
    struct ll_buf *config, struct ll_err *err) LL_USE_RESULT;

/* Appends the remembered calls as lines for a shell. */
void ll_demo_print(struct ll_host *host, struct ll_buf *out);

#endif
