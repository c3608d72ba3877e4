/* host/sink.h: a community's usage records to systems of others:
 * spec/metering.md, section 14. [loop]
 *
 * A sink is one document of the community's own space (~sink): where to, in
 * which format, with which header, and up to which record it has come. That
 * place moves when the receiver has answered 2xx to all before it, and never
 * otherwise: so a record may be sent again, under the same id, and none is
 * left out. sink.c moves places, sink_send.c sends and judges what comes
 * back, sink_doc.c is the document.
 */
#ifndef LL_HOST_SINK_H
#define LL_HOST_SINK_H

#include "domain/usage_export.h"
#include "host/host.h"
#include "host/vault.h"

#define LL_SINK_COLL "~sink"
/* Tells a sink from an earlier one of its name: hexadecimal digits, a NUL. */
#define LL_SINK_MADE_BYTES 17

/* -- sink_doc.c: the document -- */

/* As read: strings are borrowed from the JSON. */
struct ll_sink {
    linli_str id, url, made;
    linli_str header, value; /* a header's name; its value, sealed; or empty */
    enum ll_usage_format format;
    linli_str parked; /* why nothing is sent; empty: it is */
    int64_t created_ms, parked_ms;
    uint64_t after; /* the last record that was taken */
};

/* False if it is none. */
bool ll_sink_read(struct ll_jv root, struct ll_sink *out);
void ll_sink_write(struct ll_community *community, const struct ll_sink *sink,
    struct ll_buf *out);

/* Lower-case letters, digits, '-' and '_', 1 to 48, the first a letter. */
bool ll_sink_id_valid(linli_str id);
/* "request/invalid" unless it is the name of a header that an operator may
 * set: lower-case, and none that a request has of its own. */
linli_status ll_sink_header_check(
    linli_str name, struct ll_err *err) LL_USE_RESULT;
/* Appends the header's value sealed; "runtime/memory". And opens it; wipe it:
 * "store/unread". */
linli_status ll_sink_seal(struct ll_community *community,
    const struct ll_sink *sink, linli_str value, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;
linli_status ll_sink_unseal(struct ll_community *community,
    const struct ll_sink *sink, struct ll_opened *out,
    struct ll_err *err) LL_USE_RESULT;

/* How an alert of it is named: "sink/ID", and a NUL. */
#define LL_SINK_REF_BYTES (5 + LL_DOC_ID_BYTES_MAX + 1)
void ll_sink_ref(linli_str id, char ref[LL_SINK_REF_BYTES]);

/* -- sink.c: the sinks of a community, in memory -- */

struct ll_sinks;

/* What the last attempt came to, for the operator; in memory alone. */
struct ll_sink_last {
    int64_t at_ms;     /* 0: there was none since linlid runs */
    uint32_t status;   /* 0: no answer */
    uint32_t attempts; /* in a row that failed */
    char code[48];     /* empty: it was taken */
};

/* Begins to look after them; if it does so already, nothing. LINLI_E_NOMEM. */
linli_status ll_sinks_open(
    struct ll_community *community, struct ll_err *err) LL_USE_RESULT;
/* The same for a community that has used some. */
linli_status ll_sinks_open_used(
    struct ll_community *community, struct ll_err *err) LL_USE_RESULT;
void ll_sinks_close(struct ll_community *community);
/* How many there are; -1: not known yet. */
int ll_sinks_count(const struct ll_community *community);
/* NULL: it is not there. */
const struct ll_sink_last *ll_sinks_last(
    const struct ll_community *community, linli_str id);

#endif
