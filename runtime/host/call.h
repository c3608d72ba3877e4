/* host/call.h: one call through the pipeline. [loop]
 *
 * The order of the states is the order of the checks; the first that refuses
 * names the error (spec/pipeline.md). Each state is one function, in
 * call_admit.c, call_run.c or call_commit.c; a state that must wait returns
 * WAIT, and call.c steps it again when its event comes.
 */
#ifndef LL_HOST_CALL_H
#define LL_HOST_CALL_H

#include "host/host.h"
#include "host/locale.h"
#include "host/op.h"
#include "host/trace.h"

/* X(name, step, what it decides) */
#define LL_CALL_STATES(X)                                                     \
    X(ROUTE, route, "which plugin, which route; 404, 405, 423")               \
    X(AUTHENTICATE, authenticate, "who calls; 401, 403, 404")                 \
    X(IDEMPOTENCY, idempotency,                                               \
        "the key, and what is kept under it; 400, "                           \
        "409, 422, or the answer of then")                                    \
    X(ADMIT, admit, "rate, what a body may be; 429, 400, 413")                \
    X(SUBSCRIBE, subscribe, "whose plan it is under; 402")                    \
    X(CONSENT, consent, "which resident fields are given; 403")               \
    X(QUOTA, quota, "what the plan has left; 402")                            \
    X(RUN, run, "the plugin runs; waits for its word")                        \
    X(VALIDATE, validate, "it saw one state, and its word is one it may say") \
    X(COMMIT, commit,                                                         \
        "what it wrote gets its number; waits until all that "                \
        "it saw is durable")                                                  \
    X(AWAIT, await,                                                           \
        "what it awaits from outside, for so long; "                          \
        "then 202")                                                           \
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

struct ll_task;
struct ll_effect;
struct ll_quota_hold;
struct ll_reading;
struct ll_recording;
struct ll_release;

struct ll_call {
    struct ll_call *next, *prev; /* of the host's open calls */
    struct ll_host *host;
    struct ll_request *request;
    struct ll_task *task; /* a timer, an event, a late device call; or NULL */
    enum ll_call_state state;
    struct ll_run run;
    struct ll_arena arena; /* what lives as long as the call */
    struct ll_buf payload; /* of the CALL frame */
    struct ll_buf scratch; /* problem bodies, texts on the way */
    struct ll_community *community;
    struct ll_instance *instance;
    struct ll_package *package; /* the version that was routed to, */
    struct ll_pool *pool;       /* held; NULL: it is disabled */
    struct ll_match match;      /* of a request; route NULL for others */
    struct ll_identity *identity;
    struct ll_trace trace;
    enum ll_locale locale;
    struct ll_mono began;
    uint64_t id_high, id_low; /* random: names it in usage */
    int64_t now_ms;           /* when it was received: what the plugin sees */
    linli_str path;           /* below the plugin */
    uint64_t burst_hash;      /* of caller and route */
    /* the transaction */
    struct ll_txn txn;
    struct ll_op op;
    struct ll_effect *effects, *effects_last; /* in the txn's arena */
    struct ll_wait hold;     /* of the steps: a document, the lock */
    linli_status unserved;   /* what the host failed it with: no commit */
    uint32_t conflicts;      /* how often it began again */
    bool locking;            /* it holds the lock of its space */
    struct ll_doc_turn turn; /* at a document that many write */
    struct ll_try *tries;    /* host/code_try.c */
    uint64_t tried_number;   /* of the last count of one, or of a leaf */
    /* what it is given of residents; host/release.h, host/reading.h */
    struct ll_release *releases;
    struct ll_reading *reading; /* of its route's fields, while they are read */
    bool recalled; /* something of it may not be used: it begins again */
    linli_str consent_url, fields_json; /* of a denial; or empty */
    /* what is kept under its key */
    struct ll_doc *kept;
    char kept_print[2 * LL_SHA256_BYTES + 1]; /* of the request */
    bool replayed;
    /* who calls, as the plugin knows them; host/who.c */
    struct ll_doc *asked; /* being looked up */
    uint32_t who_step;
    bool household_known;
    char pid[33];
    linli_str household; /* the runtime's id; empty: none */
    linli_str resident_json;
    /* what it is counted for, and what it was promised; host/plan_call.c */
    uint32_t sub; /* billing/subs.h */
    bool sub_known;
    bool limited; /* it is refused what its plan has not */
    struct ll_quota_hold *holds, *run_holds; /* in the arena */
    const char *plan_no;   /* why it was refused that; NULL: it was not */
    linli_str plan_json;   /* the same, of the problem */
    char plan_detail[160]; /* and in words */
    /* a device's call; host/device.c */
    struct ll_device *device;
    linli_str bound_to, device_kind;
    /* the plugin's word, while the steps after RUN look at it */
    enum ll_call_word word;
    enum ll_run_end end;
    int status;
    linli_str body, etag, code, detail, log, errors_json;
    bool word_kept; /* they are the call's own copies */
    struct ll_response response;
    linli_str problem; /* code of the problem in it; empty: none */
    /* what it awaits from outside; host/await.c */
    struct ll_await *await; /* in the txn's arena, while it runs */
    char await_id[33];      /* of the errand; empty: nothing */
    bool awaited;           /* it has come, or took too long */
    struct ll_timer *await_timer;
    struct ll_call *await_next; /* of the host's that wait */
    /* its commit */
    bool sequenced;   /* it has its place in the order */
    uint64_t number;  /* of its commit; 0: it wrote nothing */
    uint64_t seen;    /* the last number there was at its place */
    uint64_t release; /* it may leave when this number is durable */
    struct ll_call *release_next;
    bool releasing; /* in the host's list */
    uint32_t metrics_row;
    bool counted;                   /* in flight in that row */
    struct ll_timer *wait;          /* of linli.probe/0 */
    struct ll_feed *feed;           /* of a route that is one */
    struct ll_recording *recording; /* host/record.h; NULL: not recorded */
    char traceparent[LL_TRACEPARENT_BYTES];
    char retry_after[24], rate_limit[64], rate_policy[64], commit_text[24];
};

enum ll_step { LL_STEP_MORE, LL_STEP_WAIT };

/* Ends a call with a problem of the table; `detail` may be NULL. Returns the
 * step's verdict, so that a refusing step ends with it. */
enum ll_step ll_call_refuse(
    struct ll_call *call, const char *code, const char *detail);

/* Makes the response of the problem that the call's word came to. */
void ll_call_problem(struct ll_call *call, linli_str code, linli_str detail);

/* Gives up a call that is open: its run is cancelled, 503 is answered. */
void ll_call_abandon(struct ll_call *call);

/* Goes on with its steps until it waits or is over. */
void ll_call_advance(struct ll_call *call);
/* What it has read is no state any more: it forgets its run and begins
 * another, with the same `now`. */
void ll_call_again(struct ll_call *call);
/* The same, for a step: the caller goes on with the steps. */
void ll_call_restart(struct ll_call *call);
/* Begins the call of a task; its `done` may come at once. False without
 * memory, and nothing comes. */
bool ll_call_start_task(struct ll_host *host, struct ll_task *task);
/* Reads the task's document in a run that begins; false: the call is over. */
bool ll_call_read_task(struct ll_call *call);
/* Copies what the plugin said, for a call that waits before it answers. */
void ll_call_keep_word(struct ll_call *call);

void ll_call_add_header(
    struct ll_call *call, const char *name, linli_str value);
/* Its runs go to the version that serves now, to the end. */
void ll_call_hold_pool(struct ll_call *call);
/* Limits of its route, or of the plugin. */
const struct ll_call_limits *ll_call_limits(const struct ll_call *call);
/* A line in the host's log that names the call. */
void ll_call_log(
    struct ll_call *call, enum ll_level level, const char *code, linli_str msg);

/* -- the steps, in their files -- */
#define X(name, step, what) enum ll_step ll_step_##step(struct ll_call *call);
LL_CALL_STATES(X)
#undef X

/* -- call_commit.c -- */

/* Waits until what it is to tell is durable; refused if it never will be. */
enum ll_step ll_call_release(struct ll_call *call);
/* A step that waits for a number: the call goes on when that is durable, or
 * never will be. */
void ll_call_wait_durable(struct ll_call *call, uint64_t number);
/* Leaves the line of those who wait for durability, if it stands there. */
void ll_call_unrelease(struct ll_call *call);
/* Answers all whose number is durable by now. */
void ll_host_release(struct ll_host *host);
/* The store has failed: nobody who waits for it can be answered. */
void ll_host_store_failed(struct ll_host *host);

/* -- db_ops.c -- */

/* "db/quota" if the space would hold more than it may with what the call
 * writes; deleting is always possible. */
linli_status ll_quota_check(
    struct ll_call *call, struct ll_err *err) LL_USE_RESULT;

/* -- who.c -- */

/* Looks up what the plugin is told of the caller; false: it waits. On a
 * failure the call has been refused. */
bool ll_who_ready(struct ll_call *call, bool *refused);
/* The same of their household alone. */
bool ll_who_household(struct ll_call *call, bool *refused);

/* -- data_get.c -- */

/* Reads the fields that travel with the call; false: it waits. What is ready
 * is put into the CALL frame, and that submitted, in the same turn. On a
 * failure, or if one is denied that the route requires, the call has been
 * refused. */
bool ll_call_fields_ready(struct ll_call *call, bool *refused);
void ll_call_put_fields(struct ll_call *call, struct ll_buf *out);

/* A host call of the run, host/op.c. */
void ll_call_service(struct ll_call *call, uint32_t op, linli_str args);
/* Ends what services still do for the call. */
void ll_call_services_end(struct ll_call *call);

/* Frees the spare calls of a host that goes. */
void ll_call_free_spares(struct ll_host *host);

#endif
