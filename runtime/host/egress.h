/* host/egress.h: requests of a plugin to the outside: spec/egress.md. [loop]
 *
 * The policy over world/fetch.h: the hosts that the manifest declares, the
 * addresses that the operator allows, redirects, quotas, what goes out with
 * each request and what a plugin may not say. A refusal is a line of the log.
 */
#ifndef LL_HOST_EGRESS_H
#define LL_HOST_EGRESS_H

#include "host/host.h"
#include "host/trace.h"
#include "world/fetch.h"

struct ll_egress;

struct ll_egress_header {
    linli_str name, value; /* a value may name a secret */
};

/* Borrowed until the callback has returned, or the cancel. */
struct ll_egress_result {
    bool ok;            /* answered, whatever its status */
    const char *code;   /* else: "egress/timeout" */
    const char *detail; /* and why, for people */
    uint32_t status;    /* if ok, as all below */
    const struct ll_fetch_field *fields;
    uint32_t field_count;
    linli_str body;
};

struct ll_egress_want {
    linli_str method; /* "GET" */
    linli_str url;
    const struct ll_egress_header *headers;
    uint32_t header_count;
    linli_str body;        /* ptr NULL: none */
    int64_t timeout_ms;    /* in all; 0: LL_EGRESS_MS_DEFAULT */
    int64_t max_bytes;     /* of the answer's body; 0: the default */
    linli_str key;         /* goes out as Idempotency-Key */
    struct ll_trace trace; /* goes out as traceparent; empty: a new one */
    void (*done)(void *user, const struct ll_egress_result *result);
    void *user;
};

/* Reads what linli.fetch makes, {method, url, headers, json | body,
 * timeout_ms, max_bytes}, into *want, which borrows from it and from the
 * arena. Nothing else may stand there. "egress/invalid", "runtime/memory". */
linli_status ll_egress_read(struct ll_jv from, struct ll_arena *arena,
    struct ll_egress_want *want, struct ll_err *err) LL_USE_RESULT;
/* All that can be said of a request before it is sent, for whoever asks now
 * and sends later: "egress/invalid", "egress/undeclared", "runtime/memory",
 * and what is wrong with a secret that is named. */
linli_status ll_egress_check(const struct ll_instance *instance,
    const struct ll_egress_want *want, struct ll_arena *arena,
    struct ll_err *err) LL_USE_RESULT;

/* Sends it; `done` once, later. What *want points to is borrowed until then.
 * Fails as ll_egress_check does, and with "egress/quota". */
linli_status ll_egress_start(struct ll_instance *instance,
    const struct ll_egress_want *want, struct ll_egress **out,
    struct ll_err *err) LL_USE_RESULT;
/* No callback comes. NULL is fine; one that has called back is gone. */
void ll_egress_cancel(struct ll_egress **egress);

/* Closes the connections of an instance; nothing may be under way. */
void ll_egress_close(struct ll_instance *instance);

#endif
