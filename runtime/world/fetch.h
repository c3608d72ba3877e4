/* world/fetch.h: HTTP requests to the outside, through libcurl. [loop]
 *
 * One fetch is one exchange: no redirect is followed, no proxy is used, no
 * cookie, password or encoding is known, and nothing comes from the
 * environment. The owner judges each address before a socket to it is
 * opened. Names are resolved on threads of libcurl's. Connections are kept
 * in a pool, and a pool has one owner: nobody gets a connection that was
 * judged for another.
 */
#ifndef LL_WORLD_FETCH_H
#define LL_WORLD_FETCH_H

#include "world/world.h"

struct ll_fetch_pool;
struct ll_fetch;

struct ll_fetch_pool_options {
    uint32_t idle_connections; /* kept open at most */
    int64_t idle_ms;           /* without a fetch, then they are closed */
    const char *ca_file;       /* whose certificates are believed, PEM; NULL:
                                  the system's. Outlives the pool. */
};

/* NULL: no memory. */
struct ll_fetch_pool *ll_fetch_pool_new(
    struct ll_world *world, struct ll_fetch_pool_options options) LL_USE_RESULT;
/* Ends what is under way without its callback. */
void ll_fetch_pool_free(struct ll_fetch_pool **pool);

struct ll_fetch_peer {
    bool v6;
    uint8_t bytes[16]; /* network order; IPv4 has the first four */
    uint16_t port;
};

/* How a fetch ended. */
enum ll_fetch_end {
    LL_FETCH_ANSWERED,
    LL_FETCH_REFUSED,     /* by the judge, and no other address was left */
    LL_FETCH_UNREACHABLE, /* no name, no connection, nobody there in time */
    LL_FETCH_TLS,         /* not the one that it should be, or no TLS */
    LL_FETCH_TIMEOUT,     /* the answer did not end in time */
    LL_FETCH_TOO_LARGE,   /* its header section or its body */
    LL_FETCH_BROKEN,      /* what came is no whole HTTP answer */
    LL_FETCH_NOMEM,
};

struct ll_fetch_field {
    linli_str name; /* in small letters */
    linli_str value;
};

/* Borrowed until the callback returns. */
struct ll_fetch_result {
    enum ll_fetch_end end;
    const char *detail; /* unless answered: why, for people */
    bool sent;          /* something of the request may have arrived */
    uint32_t status;    /* as all below, if answered */
    const struct ll_fetch_field *fields; /* in the order they came */
    uint32_t field_count;
    linli_str body; /* as it came: no content encoding is undone */
};

/* Borrowed until the start returns. */
struct ll_fetch_want {
    linli_str method;         /* "GET"; HEAD has no body in its answer */
    linli_str url;            /* absolute and well formed, http or https */
    const linli_str *headers; /* "name: value" */
    uint32_t header_count;
    linli_str body; /* ptr NULL: none */
    /* Connect there instead of asking for the host's address: "HOST:PORT:" of
     * the URL, then "ADDRESS:PORT". Empty: the host's own. */
    linli_str connect_to;
    int64_t connect_ms, timeout_ms;
    size_t header_bytes_max, body_bytes_max;
    uint32_t fields_max;
    /* Whether a connection to this address may be opened. */
    bool (*judge)(void *user, const struct ll_fetch_peer *peer);
    void (*done)(void *user, const struct ll_fetch_result *result);
    void *user;
};

/* Begins; `done` once, later. "runtime/memory", and "egress/invalid" if
 * libcurl does not take the URL. */
linli_status ll_fetch_start(struct ll_fetch_pool *pool,
    const struct ll_fetch_want *want, struct ll_fetch **out,
    struct ll_err *err) LL_USE_RESULT;
/* No callback comes. NULL is fine; one that has called back is gone. */
void ll_fetch_cancel(struct ll_fetch **fetch);

#endif
