/* plugin/pool.h: the workers of one plugin in one community. [loop]
 *
 * The supervisor: starts workers on demand, hands runs out, watches the
 * burst and wall limits, kills, restarts with back-off, opens the breaker,
 * and runs again what was not at fault (spec/pipeline.md, section 4;
 * spec/limits.md for the numbers).
 */
#ifndef LL_PLUGIN_POOL_H
#define LL_PLUGIN_POOL_H

#include "plugin/breaker.h"
#include "plugin/package.h"
#include "plugin/proc.h"

/* What all pools of a host share: one per host. */
struct ll_supervisor {
    struct ll_mem *mem;
    struct ll_world *world;
    struct ll_spawner *spawner;
    struct ll_hook *hook;  /* each turn: publish, read, sleep */
    struct ll_timer *tick; /* limits, while runs are open */
    struct ll_timer *slow; /* idle workers, restarts */
    struct ll_pool *pools;
    struct ll_run_list refused;                 /* end in the next turn */
    bool wound;                                 /* the tick runs */
    bool turning;                               /* on_turn is at work */
    bool filter_errno, no_import_check, drafts; /* development settings */
};

linli_status ll_supervisor_init(struct ll_supervisor *supervisor,
    struct ll_mem *mem, struct ll_world *world, struct ll_spawner *spawner,
    struct ll_err *err) LL_USE_RESULT;
/* All pools must have closed. */
void ll_supervisor_fini(struct ll_supervisor *supervisor);
/* Starts the tick that looks at limits; it stops by itself when idle. */
void ll_supervisor_wind(struct ll_supervisor *supervisor);
/* The same, and the loop turns again at once: what a turn's own callbacks
 * ask for may lie before what it has passed already. */
void ll_supervisor_hurry(struct ll_supervisor *supervisor);

struct ll_pool;

/* What `event` tells besides a death, by whose code it is told. */
#define LL_POOL_BREAKER_OPEN "sandbox/breaker-open"
#define LL_POOL_BREAKER_CLOSED "breaker-closed"
#define LL_POOL_STARTS_FAIL "starts-fail" /* so many in a row */
#define LL_POOL_STARTS "starts-again"     /* one has not, after that */

struct ll_pool_options {
    struct ll_package *package; /* a reference is taken */
    linli_str community;
    linli_str config_json;       /* checked by the worker against its schema */
    linli_str zone;              /* IANA name */
    const int64_t *zone_changes; /* pairs: from_ms, offset_s */
    uint32_t zone_change_count;  /* pairs */
    uint32_t workers_max;        /* 1..LL_WORKERS_MAX */
    uint32_t uid_slot;
    struct ll_call_limits limits;
    /* The first worker is READY, or could not be made so; once. */
    void (*opened)(void *user, linli_status status, const struct ll_err *err);
    /* Something for the operator: a death, the breaker, starts that fail;
     * `err` may be NULL. */
    void (*event)(void *user, const struct ll_pool *pool, const char *code,
        const struct ll_err *err);
    /* A log line of the plugin from outside every run, as it is loaded;
     * `level` 0 debug .. 3 error. May be NULL. */
    void (*log)(
        void *user, const struct ll_pool *pool, unsigned level, linli_str line);
    void *user;
};

struct ll_pool {
    struct ll_supervisor *supervisor;
    struct ll_pool *next;
    struct ll_package *package;
    struct ll_pool_options options; /* strings are the pool's own copies */
    struct ll_arena arena;
    struct ll_proc *procs;
    uint32_t proc_count;
    struct ll_run_list queue;
    struct ll_run_list lonely; /* wait for a fresh worker of their own */
    struct ll_breaker breaker;
    uint32_t failures;        /* starts or lives in a row that served nothing */
    uint32_t starts_failed;   /* in a row */
    int64_t restart_after_ns; /* back-off */
    uint64_t restarts;
    int64_t cpu_ns_ended; /* of processes that are gone */
    uint32_t holds; /* calls that may still submit, also while it closes */
    bool opening, closing;
    bool gone; /* nothing is left: freed at the end of a turn */
    void (*closed)(void *user, const struct ll_pool *pool);
    void *closed_user;
};

/* Starts the first worker; `opened` tells. The strings are copied. */
linli_status ll_pool_open(struct ll_supervisor *supervisor,
    const struct ll_pool_options *options, struct ll_pool **out,
    struct ll_err *err) LL_USE_RESULT;
/* Lets open runs finish, drains the workers, kills what is late; `closed`
 * is called once when nothing is left, and the pool is then freed. */
void ll_pool_close(struct ll_pool *pool,
    void (*closed)(void *user, const struct ll_pool *pool), void *user);

/* A call that was routed to this version, and may run (again) in it: until
 * it lets go the pool takes its runs, closing or not, and stays. */
void ll_pool_hold(struct ll_pool *pool);
void ll_pool_let_go(struct ll_pool **pool);

/* Kills every process of the pool; open runs end at once. */
void ll_pool_kill(struct ll_pool *pool);

/* Takes a run. It ends with exactly one of reply, failed and ended, never
 * before this returns. */
void ll_pool_submit(struct ll_pool *pool, struct ll_run *run);
void ll_pool_answer(struct ll_run *run, linli_status status, linli_str value);
/* The host no longer wants the run; no callback comes after. */
void ll_pool_cancel(struct ll_run *run);

/* For metrics: CPU of all processes that ever were, nanoseconds; bytes of
 * those that live. */
int64_t ll_pool_cpu_ns(const struct ll_pool *pool);
int64_t ll_pool_memory_bytes(const struct ll_pool *pool);
uint32_t ll_pool_open_runs(const struct ll_pool *pool);

/* -- for supervisor.c -- */

/* One loop turn: hear all workers, give out what can run, speak to all. */
void ll_pool_turn(struct ll_pool *pool);
/* Frees a pool that has closed; true if it did. */
bool ll_pool_sweep(struct ll_pool *pool);

/* Looks at all limits; false if nothing is open that could pass one. */
bool ll_pool_tick(struct ll_pool *pool, int64_t at_ns);
/* Once a second: idle workers, and those that burn CPU without a call. */
void ll_pool_slow_tick(struct ll_pool *pool, int64_t at_ns);

/* -- for proc.c -- */
void ll_pool_proc_ready(struct ll_proc *proc);
/* It was killed or has ended: its runs are settled, once. */
void ll_pool_proc_lost(struct ll_proc *proc);
/* The kernel has let it go: the pool frees it. */
void ll_pool_proc_dead(struct ll_proc *proc);
/* The run that a word of the plugin's has ended; its callback comes next. */
void ll_pool_run_over(struct ll_run *run);

#endif
