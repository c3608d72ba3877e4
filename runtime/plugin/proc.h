/* plugin/proc.h: one worker process, as the host sees it. [loop]
 *
 * States: STARTING (clone3 queued), GREETING (HELLO sent), LOADING (level
 * told and good enough), READY, DRAINING (no new run), KILLED (waiting for
 * the kernel), then it is given back to the pool, which frees it. Whatever a
 * worker sends that its state does not allow kills it.
 */
#ifndef LL_PLUGIN_PROC_H
#define LL_PLUGIN_PROC_H

#include "plugin/run.h"
#include "wire/frame.h"
#include "wire/ring.h"
#include "world/channel.h"
#include "world/spawn.h"

#define LL_PROC_STATES(X) \
    X(STARTING)           \
    X(GREETING)           \
    X(LOADING)            \
    X(READY)              \
    X(DRAINING)           \
    X(KILLED)

enum ll_proc_state {
#define X(name) LL_PROC_##name,
    LL_PROC_STATES(X)
#undef X
};
/* "READY" and so on, for operators and logs. */
const char *ll_proc_state_name(enum ll_proc_state state);

/* Why a process ended. */
enum ll_proc_death {
    LL_DEATH_NONE,     /* it lives */
    LL_DEATH_REFUSED,  /* it said REFUSED; `err` says why */
    LL_DEATH_CRASH,    /* a signal or exit nobody asked for */
    LL_DEATH_PROTOCOL, /* it broke the protocol; we killed it */
    LL_DEATH_BURST,    /* the burst limit; we killed it */
    LL_DEATH_START,    /* it could not be started, or not in time */
    LL_DEATH_STOPPED,  /* we asked for it */
};

/* A run in the process: open, or aborted and not yet acknowledged. */
struct ll_proc_slot {
    uint32_t call;
    uint16_t number;
    struct ll_run *run; /* NULL: aborted, its frames are dropped */
    int64_t aborted_ns; /* when; a worker that never ends it is killed */
};

struct ll_proc {
    struct ll_pool *pool;
    struct ll_proc *next; /* in the pool's list */
    enum ll_proc_state state;
    enum ll_proc_death death;
    struct ll_err err; /* of REFUSED and START */
    struct ll_child child;
    struct ll_channel channel;
    struct ll_watch *control_watch, *wake_watch;
    struct ll_ring ring;
    struct ll_frame_reader reader, control_reader;
    struct ll_buf out;
    size_t out_taken;
    struct ll_proc_slot slots[LL_WORKER_CALLS_MAX]; /* used ones first */
    uint32_t slot_count;
    uint32_t last_call;
    uint64_t served;       /* runs ended by a word of the plugin */
    int64_t since_ns;      /* of the state; for start and drain limits */
    int64_t cpu_ns;        /* as last read */
    uint32_t turns;        /* as last seen */
    int64_t turn_since_ns; /* when `turns` was first seen */
    int64_t idle_since_ns; /* when the last slot was freed */
    int64_t log_window_ns; /* start of the second that log_bytes counts */
    uint32_t log_bytes;
    uint32_t idle_wakes; /* since it last had something to say */
    bool woken;          /* hears in this turn, and says that it sleeps again */
    bool made_room;      /* heard something since we last spoke */
    bool more_waits;     /* and there is more */
    bool exclusive;      /* serves one run that must be alone */
    bool was_ready;      /* ever */
};

/* Queues the start. The pool hears of it through ll_pool_proc_*. */
linli_status ll_proc_start(
    struct ll_pool *pool, struct ll_proc **out) LL_USE_RESULT;

/* Hands a run over; the process must be READY with a slot free. */
linli_status ll_proc_call(
    struct ll_proc *proc, struct ll_run *run) LL_USE_RESULT;
/* Answers the run's open host call; `value` is one encoded value. */
void ll_proc_answer(struct ll_proc *proc, struct ll_run *run,
    linli_status status, linli_str value);
/* Aborts the run: the worker is told, its later frames are dropped. */
void ll_proc_abort(struct ll_proc *proc, struct ll_run *run, int64_t now_ns);
void ll_proc_drain(struct ll_proc *proc);
/* Kills; `death` says why unless a reason stands already. */
void ll_proc_kill(struct ll_proc *proc, enum ll_proc_death death);

/* In each loop turn, first: reads what the worker has published, within the
 * bounds of a turn; */
void ll_proc_hear(struct ll_proc *proc);
/* and last: publishes what waits for it and says that we go to sleep. */
void ll_proc_speak(struct ll_proc *proc);

/* The call the worker says it runs, 0 for none; one read, a lie at worst. */
uint32_t ll_proc_running(const struct ll_proc *proc);
/* True if the worker is out of its loop (not asleep) since before `turns`
 * last changed; updates what was seen. */
bool ll_proc_bursting(struct ll_proc *proc, int64_t now_ns);

/* After `ended`: closes descriptors and frees. */
void ll_proc_free(struct ll_proc **proc);

#endif
