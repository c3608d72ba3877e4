/* worker/call_in.h: what the host asks of a worker. [worker]
 *
 * One struct for all kinds of calls: what a kind has not is zero. loop.c
 * fills it from a CALL frame (spec/wire.md, section 6).
 */
#ifndef LL_WORKER_CALL_IN_H
#define LL_WORKER_CALL_IN_H

#include <linli/types.h>

#include "base/defs.h"
#include "base/limits.h"

/* A CALL frame, decoded and checked; strings borrowed from the frame until
 * the engine's `call` returns: copy what must live longer. */
enum ll_call_kind {
    LL_CALL_REQUEST = 0,
    LL_CALL_TIMER = 1,   /* a timer that the plugin set is due */
    LL_CALL_EVENT = 2,   /* an event that the plugin handles */
    LL_CALL_JOB = 3,     /* a job that the plugin has asked for */
    LL_CALL_ANSWER = 4,  /* what a call awaited from outside has come */
    LL_CALL_PAYMENT = 5, /* a payment of the plugin's has changed */
    LL_CALL_KINDS        /* how many */
};
struct ll_call_in {
    uint32_t call;
    uint16_t run;
    enum ll_call_kind kind;
    uint32_t route; /* of a request: index into worker->routes */
    int64_t now_ms; /* since 1970; does not move during the call */
    int64_t seed;   /* of the call's random numbers */
    int64_t wall_ms, cpu_ms, memory_bytes; /* limits of this run */
    linli_str params[LL_PATH_PARAMS_MAX];
    uint32_t param_count;
    linli_str path;         /* below the plugin, as sent */
    linli_str query;        /* as sent, without '?' */
    linli_str caller_kind;  /* "resident" ... */
    linli_str caller_id;    /* a resident's is a pid, never the app's id */
    linli_str caller_roles; /* JSON array of strings */
    linli_str locale;       /* "zh-CN" or "en" */
    linli_str trace_id;     /* 32 hex digits */
    linli_str body;         /* raw JSON bytes */
    bool has_body;
    linli_str name;  /* of its handler; of a request: empty */
    linli_str input; /* JSON that the handler is given; or empty */
    int64_t due_ms;  /* of a timer: when it was due; else 0 */
    bool late;       /* a device's request that it kept while offline */
    bool has_if_match;
    linli_str if_match;    /* without its quotes */
    linli_str bound_to;    /* what the calling device belongs to */
    linli_str device_kind; /* "gate" ... */
    linli_str resident;    /* JSON of what the directory has, or empty */
    linli_str fields;      /* JSON of the route's `data`, or empty */
};

#endif
