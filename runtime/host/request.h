/* host/request.h: a request and its response, free of HTTP. [loop]
 *
 * The HTTP server makes one from a connection, an embedder from its own
 * source (linli/host.h). All strings are borrowed from whoever made it and
 * stay valid until `respond` has been called, which happens exactly once, on
 * the loop thread: inside ll_host_dispatch when the answer is known at once,
 * else later.
 */
#ifndef LL_HOST_REQUEST_H
#define LL_HOST_REQUEST_H

#include "base/defs.h"
#include "base/limits.h"

struct ll_field {
    linli_str name; /* lower case */
    linli_str value;
};

struct ll_response {
    int status;
    linli_str content_type; /* empty: no body */
    linli_str body;
    struct ll_field headers[8]; /* besides content-type and -length */
    uint32_t header_count;
};

struct ll_request {
    linli_str method;
    linli_str path;  /* as sent, percent-encoded, starts with '/' */
    linli_str query; /* without '?'; empty if none */
    const struct ll_field *fields;
    uint32_t field_count;
    linli_str body;
    bool has_body;
    /* The response is borrowed: copy or send what must outlive the call. */
    void (*respond)(struct ll_request *request, const struct ll_response *r);
    /* Where the host hangs its call while it is open; NULL otherwise. */
    void *call;
};

/* A field by lower-case name; empty with ptr NULL if absent. The server has
 * refused duplicates of the fields that must stand once. */
linli_str ll_request_field(const struct ll_request *request, const char *name);

/* True if its content-type is application/json, with any parameters. */
bool ll_request_is_json(const struct ll_request *request);

#endif
