/* plugin/run.h: one run of a call, between the host and the pool. [loop]
 *
 * The host embeds a run in its call, submits it to a pool and is told what
 * becomes of it through `ops`. A call may be run again in another process
 * after a kill that was not its fault; the host does not see that, but for
 * the run number in its logs.
 */
#ifndef LL_PLUGIN_RUN_H
#define LL_PLUGIN_RUN_H

#include "base/defs.h"
#include "wire/frame.h"
#include "wire/value.h"

/* How a run can end without a word from the plugin: X(name, word). */
#define LL_RUN_ENDS(X)                                                      \
    X(WALL, "wall")         /* the wall limit; the run was cancelled */     \
    X(BURST, "burst")       /* the burst limit; the culprit of a kill */    \
    X(CRASHED, "crashed")   /* its worker died while it was running */      \
    X(PROTOCOL, "protocol") /* its worker broke the protocol */             \
    X(BUSY, "busy")         /* no room in queue or ring */                  \
    X(BREAKER, "breaker")   /* the breaker is open */                       \
    X(STOPPED, "stopped")   /* the plugin is disabled, or the host stops */ \
    X(REFUSED, "refused")   /* no worker starts; the pool's event said why */

enum ll_run_end {
#define X(name, word) LL_RUN_##name,
    LL_RUN_ENDS(X)
#undef X
};
/* The word of traces: "burst". */
const char *ll_run_end_name(enum ll_run_end end);

struct ll_run;

struct ll_run_ops {
    /* The plugin's answer. `body` is the JSON it wrote, not yet looked at;
     * `etag` is empty or passes ll_etag_valid. Borrowed until return. The run
     * is over. */
    void (*reply)(
        struct ll_run *run, int status, linli_str body, linli_str etag);
    /* The plugin's problem, or the engine's; borrowed. The run is over. */
    void (*failed)(struct ll_run *run, linli_str code, linli_str detail,
        linli_str log, linli_str errors_json);
    /* A host call; answer with ll_pool_answer, now or later. */
    void (*hostcall)(struct ll_run *run, uint32_t op, linli_str args);
    void (*log)(struct ll_run *run, unsigned level, linli_str line);
    /* Its worker has gone and it will run again in another: nothing that was
     * begun for the run that ended may be answered any more. */
    void (*again)(struct ll_run *run);
    /* The run is over without an answer. */
    void (*ended)(struct ll_run *run, enum ll_run_end end);
    /* The CALL frame is about to be given to a worker, also when it is again.
     * False: not any more, and the run is the host's, which may submit another
     * later. May be NULL. */
    bool (*due)(struct ll_run *run);
};

/* Who is told of every frame of a run, before anything is made of it: CALL,
 * with which each run begins anew, HOSTCALL, ANSWER, LOG, REPLY, FAILED, all
 * of the shape they should have. For recording and replay. */
struct ll_run_tap {
    void (*frame)(struct ll_run_tap *tap, const struct ll_frame *frame);
};

struct ll_pool;
struct ll_proc;

struct ll_run {
    const struct ll_run_ops *ops;
    struct ll_run_tap *tap; /* NULL: nobody; stays valid until the end */
    linli_str payload;      /* of the CALL frame; stays valid until the end */
    int64_t deadline_ns;    /* monotonic: wall limit, counted from submission */
    /* the pool's */
    struct ll_pool *pool;
    struct ll_proc *proc; /* NULL while it waits for one */
    struct ll_run *next;  /* in the list that it waits in */
    uint32_t call;        /* number within the process */
    uint16_t number;      /* 1, 2, 3: which run of the call */
    uint16_t host_calls;
    bool waiting;            /* for an ANSWER of ours */
    bool alone;              /* must run with no other beside it */
    bool probe;              /* of an open breaker */
    enum ll_run_end refusal; /* how it ends in the next turn */
    int64_t run_ns;          /* time inside plugin code, as the worker says */
};

/* Runs that wait, in order. */
struct ll_run_list {
    struct ll_run *head, *tail;
    uint32_t count;
};

/* The run must be in no list. */
void ll_runs_push(struct ll_run_list *list, struct ll_run *run);
void ll_runs_push_front(struct ll_run_list *list, struct ll_run *run);
/* False if the run is not in the list. */
bool ll_runs_remove(struct ll_run_list *list, struct ll_run *run);
/* Takes the first off the list; NULL if there is none. */
struct ll_run *ll_runs_pop(struct ll_run_list *list);

#endif
