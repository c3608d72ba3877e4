/* host/trace.h: W3C trace context, level 1. [any] */
#ifndef LL_HOST_TRACE_H
#define LL_HOST_TRACE_H

#include "base/defs.h"

struct ll_trace {
    char trace_id[33];  /* 32 lower-case hex digits, not all zero */
    char parent_id[17]; /* 16: our own span, sent on with egress */
    bool sampled;
};

/* The context of a request: the trace id of a valid `traceparent` is kept,
 * with the given span as parent; an absent or invalid one starts a new trace
 * from the random numbers. True if the header was used. */
struct ll_trace_seed {
    uint64_t trace_high, trace_low, span; /* random; zero is mended */
};
bool ll_trace_make(
    linli_str traceparent, struct ll_trace_seed seed, struct ll_trace *out);

/* "00-TRACE-PARENT-01", NUL-terminated. */
#define LL_TRACEPARENT_BYTES 56
void ll_trace_header(
    const struct ll_trace *trace, char out[LL_TRACEPARENT_BYTES]);

#endif
