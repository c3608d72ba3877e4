/* server/http.h: an HTTP/1.1 server on one listening address. [loop]
 *
 * Connections, timeouts, limits and the order of answers; what a request
 * means is the handler's. Requests of one connection may be pipelined: safe
 * ones (GET, HEAD, OPTIONS) are handled side by side, any other waits until
 * all before it are answered (RFC 9112, 9.3.2); answers leave in order.
 */
#ifndef LL_SERVER_HTTP_H
#define LL_SERVER_HTTP_H

#include "host/request.h"
#include "world/world.h"

struct ll_http;

/* Fields left 0 take the value of base/limits.h. */
struct ll_http_limits {
    int64_t header_ms, body_ms, idle_ms, write_ms;
    uint32_t connections_max;
    uint32_t body_bytes_max;
};

struct ll_http_options {
    struct ll_mem *mem;
    linli_str address; /* "127.0.0.1:8080", see ll_listen */
    struct ll_http_limits limits;
    /* Gets each request. It calls request->respond once, during the call or
     * any time later, also when the connection has gone meanwhile. */
    void (*handle)(void *user, struct ll_request *request);
    void *user;
};

struct ll_http_stats {
    uint64_t connections_accepted;
    uint64_t connections_refused; /* at the bound */
    uint64_t connections_open;
    uint64_t requests;     /* given to the handler */
    uint64_t refusals;     /* malformed, too large, too slow */
    uint64_t timeouts;     /* connections ended by a timeout, idle too */
    uint64_t responses[6]; /* by the status's first digit; [0] unused */
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t requests_open; /* with the handler now */
};

/* Listens at once. Failure: "listen/failed" or "runtime/memory". */
linli_status ll_http_new(struct ll_world *world,
    const struct ll_http_options *options, struct ll_http **out,
    struct ll_err *err) LL_USE_RESULT;

/* "127.0.0.1:40001", the real port. */
void ll_http_address(const struct ll_http *http, char out[64]);
const struct ll_http_stats *ll_http_stats(const struct ll_http *http);

/* Accepts no more, closes idle connections, answers what is open with
 * Connection: close. `done` is called once, never before this returns, when
 * the last connection has gone. The timeouts bound it; a caller with less
 * patience calls ll_http_free. */
void ll_http_drain(struct ll_http *http, void (*done)(void *user), void *user);

/* Closes everything at once. Every request the handler got must have been
 * answered before. `done` of a drain is not called any more. */
void ll_http_free(struct ll_http **http);

#endif
