/* host/call.h: one call through the pipeline. [loop]
 *
 * The order of the states is the order of the checks; the first that refuses
 * names the error (spec/http.md). Each state is one function in call.c; a
 * state that must wait returns WAIT and is stepped again by its event.
 */
#ifndef LL_HOST_CALL_H
#define LL_HOST_CALL_H

#include "host/host.h"
#include "host/locale.h"
#include "host/trace.h"

/* X(name, step, what it decides) */
#define LL_CALL_STATES(X)                                                    \
    X(ROUTE, route, "which plugin, which route; 404, 405, 423")              \
    X(AUTHENTICATE, authenticate, "who calls; 401, 403, 404")                \
    X(IDEMPOTENCY, idempotency, "the key stands where it must; 400")         \
    X(ADMIT, admit, "rate, what a body may be; 429, 400, 413")               \
    X(CONSENT, consent, "which resident fields; none can be declared yet")   \
    X(QUOTA, quota, "what the plan allows; there is no plan yet")            \
    X(RUN, run, "the plugin runs; waits for its word")                       \
    X(VALIDATE, validate, "the word is one a plugin may say")                \
    X(COMMIT, commit, "what it wrote becomes durable; nothing to write yet") \
    X(RESPOND, respond, "the answer leaves")

enum ll_call_state {
#define X(name, step, what) LL_CALL_##name,
    LL_CALL_STATES(X)
#undef X
        LL_CALL_OVER
};

/* What the plugin, or the lack of its word, came to. */
enum ll_call_word {
    LL_WORD_NONE,
    LL_WORD_REPLY,
    LL_WORD_FAILED,
    LL_WORD_ENDED
};

struct ll_call {
    struct ll_call *next, *prev; /* of the host's open calls */
    struct ll_host *host;
    struct ll_request *request;
    enum ll_call_state state;
    struct ll_run run;
    struct ll_arena arena; /* what lives as long as the call */
    struct ll_buf payload; /* of the CALL frame */
    struct ll_buf scratch; /* problem bodies */
    struct ll_community *community;
    struct ll_instance *instance;
    struct ll_package *package; /* the version that was routed to */
    struct ll_match match;
    struct ll_identity *identity;
    struct ll_trace trace;
    enum ll_locale locale;
    struct ll_mono began;
    linli_str path;      /* below the plugin */
    uint64_t burst_hash; /* of caller and route */
    /* the plugin's word, while the steps after RUN look at it */
    enum ll_call_word word;
    enum ll_run_end end;
    int status;
    linli_str body, etag, code, detail, log, errors_json;
    struct ll_response response;
    linli_str problem; /* code of the problem in it; empty: none */
    uint32_t metrics_row;
    bool counted;          /* in flight in that row */
    struct ll_timer *wait; /* of linli.probe/0 */
    char traceparent[LL_TRACEPARENT_BYTES];
    char retry_after[24], rate_limit[64], rate_policy[64];
};

/* Ends a call with a problem of the table; `detail` may be NULL. Returns the
 * step's verdict, so that a refusing step ends with it. */
enum ll_step { LL_STEP_MORE, LL_STEP_WAIT };
enum ll_step ll_call_refuse(
    struct ll_call *call, const char *code, const char *detail);

/* Makes the response of the problem that the call's word came to. */
void ll_call_problem(struct ll_call *call, linli_str code, linli_str detail);

/* Gives up a call that is open: its run is cancelled, 503 is answered. */
void ll_call_abandon(struct ll_call *call);

/* A host call of the run, host/services.c. */
void ll_call_service(struct ll_call *call, uint32_t op, linli_str args);
/* Ends what services still do for the call. */
void ll_call_services_end(struct ll_call *call);

/* Frees the spare calls of a host that goes. */
void ll_call_free_spares(struct ll_host *host);

#endif
