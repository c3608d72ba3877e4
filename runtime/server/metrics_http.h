/* server/metrics_http.h: the counters of the HTTP server, rendered. [loop] */
#ifndef LL_SERVER_METRICS_HTTP_H
#define LL_SERVER_METRICS_HTTP_H

#include "base/buf.h"
#include "server/http.h"

/* Appends the linli_http_* families as Prometheus text. */
void ll_metrics_http_write(
    struct ll_buf *buf, const struct ll_http_stats *stats);

#endif
