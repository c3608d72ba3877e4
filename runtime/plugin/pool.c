/* plugin/pool.c: who runs where, and what a kill means for the others. */
#include "plugin/pool.h"

#include <string.h>

#include "base/text.h"

#define NS_PER_MS 1000000
/* The slow tick's interval, plugin/supervisor.c. */
#define SLOW_MS 1000
/* An idle worker burns nothing. One that takes a twentieth of a core has been
 * taken over; where many fight for the cores it gets no more than that. */
#define IDLE_CPU_NS_MAX (SLOW_MS * NS_PER_MS / 20)
/* A worker acknowledges a cancelled run within its burst limit and this. */
#define ABORT_GRACE_MS 1000
/* Open runs of the least loaded worker that call for one more. */
#define SPREAD_SLOTS 8
#define ARENA_BYTES_MAX ((size_t)2 << 20)

static int64_t
now_ns(const struct ll_pool *pool)
{
    return ll_world_mono(pool->supervisor->world).ns;
}

/* -- runs that wait -- */

/* Puts a run that has been in a process back, before those that have not. */
static void
queue_again(struct ll_pool *pool, struct ll_run *run)
{
    run->proc = NULL;
    run->waiting = false;
    run->host_calls = 0;
    run->ops->again(run);
    run->alone = run->number + 1 >= LL_RUNS_MAX;
    ll_runs_push_front(run->alone ? &pool->lonely : &pool->queue, run);
}

/* Forgets a run that is in no list and no process. */
static void
drop_run(struct ll_run *run)
{
    if (run->probe)
        ll_breaker_probe_over(
            &run->pool->breaker, now_ns(run->pool) / NS_PER_MS);
    run->probe = false;
    run->pool = NULL;
}

/* Ends a run that is in no list and no process. */
static void
end_run(struct ll_run *run, enum ll_run_end end)
{
    struct ll_pool *pool = run->pool;
    if (run->probe)
        ll_breaker_probe_over(&pool->breaker, now_ns(pool) / NS_PER_MS);
    run->pool = NULL;
    run->ops->ended(run, end);
}

/* Ends all that wait now: who tries again from inside the callback is none
 * of them. */
static void
end_list(struct ll_run_list *list, enum ll_run_end end)
{
    struct ll_run *run;
    for (uint32_t n = list->count; n > 0 && (run = ll_runs_pop(list)) != NULL;
         n--)
        end_run(run, end);
}

static void
end_queue(struct ll_pool *pool, enum ll_run_end end)
{
    end_list(&pool->lonely, end);
    end_list(&pool->queue, end);
}

static uint32_t
waiting(const struct ll_pool *pool)
{
    return pool->queue.count + pool->lonely.count;
}

/* Ends the run in the next turn: never before submit has returned. */
static void
refuse_later(struct ll_pool *pool, struct ll_run *run, enum ll_run_end end)
{
    if (run->probe)
        ll_breaker_probe_over(&pool->breaker, now_ns(pool) / NS_PER_MS);
    run->probe = false;
    run->refusal = end;
    ll_runs_push(&pool->supervisor->refused, run);
    if (pool->supervisor->turning)
        ll_supervisor_hurry(pool->supervisor);
}

/* -- giving runs to processes -- */

static uint32_t
slots_per_proc(const struct ll_pool *pool)
{
    /* Native code blocks: one call at a time. */
    return pool->package->manifest->runtime == LL_RUNTIME_NATIVE
               ? 1
               : LL_WORKER_CALLS_MAX;
}

/* The least loaded process that can take the run, or NULL. A run that must
 * be alone takes only one that has never served. */
static struct ll_proc *
choose_proc(const struct ll_pool *pool, const struct ll_run *run)
{
    struct ll_proc *best = NULL;
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next) {
        if (proc->state != LL_PROC_READY || proc->exclusive ||
            proc->slot_count >= slots_per_proc(pool))
            continue;
        if (run->alone && (proc->slot_count > 0 || proc->served > 0))
            continue;
        if (best == NULL || proc->slot_count < best->slot_count)
            best = proc;
    }
    return best;
}

static bool
starting_one(const struct ll_pool *pool)
{
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        if (proc->state == LL_PROC_STARTING ||
            proc->state == LL_PROC_GREETING || proc->state == LL_PROC_LOADING)
            return true;
    return false;
}

static uint32_t
living(const struct ll_pool *pool)
{
    uint32_t count = 0;
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        count +=
            proc->state != LL_PROC_KILLED && proc->state != LL_PROC_DRAINING;
    return count;
}

static linli_status
start_proc(struct ll_pool *pool)
{
    struct ll_proc *proc = NULL;
    linli_status status = ll_proc_start(pool, &proc);
    if (status != LINLI_OK)
        return status;
    proc->next = pool->procs;
    pool->procs = proc;
    pool->proc_count++;
    return LINLI_OK;
}

/* Makes room for a fresh process where one that has served lies idle. */
static void
retire_idle(struct ll_pool *pool)
{
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        if (proc->state == LL_PROC_READY && proc->slot_count == 0 &&
            proc->served > 0) {
            ll_proc_drain(proc);
            return;
        }
}

/* One more worker, if the configuration and the back-off allow it. */
static void
want_proc(struct ll_pool *pool, bool alone)
{
    /* A run that must be alone may exceed the number by one. */
    uint32_t max = pool->options.workers_max + (alone ? 1 : 0);
    if (starting_one(pool) || now_ns(pool) < pool->restart_after_ns)
        return;
    if (alone && living(pool) >= max)
        retire_idle(pool);
    if (living(pool) >= max)
        return;
    if (start_proc(pool) != LINLI_OK)
        pool->restart_after_ns =
            now_ns(pool) + (int64_t)LL_BACKOFF_MS_FIRST * NS_PER_MS;
}

static void
drain_procs(struct ll_pool *pool)
{
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        if (proc->state != LL_PROC_KILLED && proc->state != LL_PROC_DRAINING)
            ll_proc_drain(proc);
}

/* Gives out what can run now, in order. */
static void
give_out(struct ll_pool *pool, struct ll_run_list *list)
{
    while (list->head != NULL) {
        struct ll_run *run = list->head;
        struct ll_proc *proc = choose_proc(pool, run);
        if (proc == NULL)
            return;
        if (proc->slot_count >= SPREAD_SLOTS)
            want_proc(pool, false);
        (void)ll_runs_pop(list);
        if (run->ops->due != NULL && !run->ops->due(run)) {
            drop_run(run);
            continue;
        }
        proc->exclusive = run->alone;
        if (ll_proc_call(proc, run) != LINLI_OK) {
            proc->exclusive = false;
            refuse_later(pool, run, LL_RUN_BUSY);
        }
    }
}

static void
pump(struct ll_pool *pool)
{
    /* First those that need a fresh worker, which any other would spoil. */
    give_out(pool, &pool->lonely);
    give_out(pool, &pool->queue);
    if (waiting(pool) > 0)
        want_proc(pool, pool->lonely.count > 0);
    else if (pool->closing && pool->holds == 0)
        drain_procs(pool);
}

/* -- what processes tell -- */

/* For the operator; `err` may be NULL. */
static void
tell(struct ll_pool *pool, const char *code, const struct ll_err *err)
{
    if (pool->options.event != NULL)
        pool->options.event(pool->options.user, pool, code, err);
}

void
ll_pool_proc_ready(struct ll_proc *proc)
{
    struct ll_pool *pool = proc->pool;
    if (pool->starts_failed >= LL_STARTS_FAILED_MAX)
        tell(pool, LL_POOL_STARTS, NULL);
    pool->starts_failed = 0;
    proc->was_ready = true;
    if (pool->opening) {
        pool->opening = false;
        pool->options.opened(pool->options.user, LINLI_OK, NULL);
    }
    pump(pool);
}

void
ll_pool_run_over(struct ll_run *run)
{
    struct ll_pool *pool = run->pool;
    run->pool = NULL;
    pool->failures = 0;
    /* A run from before the breaker opened says nothing about now. */
    if (run->probe && ll_breaker_success(&pool->breaker))
        tell(pool, LL_POOL_BREAKER_CLOSED, NULL);
}

static enum ll_run_end
end_of_death(enum ll_proc_death death)
{
    switch (death) {
    case LL_DEATH_BURST:
        return LL_RUN_BURST;
    case LL_DEATH_PROTOCOL:
        return LL_RUN_PROTOCOL;
    case LL_DEATH_STOPPED:
        return LL_RUN_STOPPED;
    case LL_DEATH_REFUSED:
        return LL_RUN_REFUSED;
    default:
        return LL_RUN_CRASHED;
    }
}

/* The culprit is the run the worker says it was running; it alone is answered
 * for. A word that names no run, or one that has been answered for already,
 * is no reason to blame anybody: not even the only one that is left. */
static struct ll_run *
find_culprit(const struct ll_proc *proc)
{
    uint32_t running = ll_proc_running(proc);
    for (uint32_t i = 0; i < proc->slot_count; i++)
        if (proc->slots[i].call == running)
            return proc->slots[i].run;
    return NULL;
}

void
ll_pool_proc_lost(struct ll_proc *proc)
{
    struct ll_pool *pool = proc->pool;
    enum ll_proc_death death =
        proc->death == LL_DEATH_NONE ? LL_DEATH_CRASH : proc->death;
    struct ll_run *culprit = find_culprit(proc);
    /* Newest first, each to the front: the queue keeps their order. */
    while (proc->slot_count > 0) {
        struct ll_run *run = proc->slots[--proc->slot_count].run;
        if (run == NULL)
            continue;
        run->proc = NULL;
        bool again = run != culprit && run->number < LL_RUNS_MAX &&
                     death != LL_DEATH_STOPPED && !pool->closing;
        if (!again) {
            end_run(run, end_of_death(death));
            continue;
        }
        queue_again(pool, run);
    }
}

/* Doubles with each life that served nothing; the first restart is at once,
 * so that innocent calls keep their time. */
static int64_t
backoff_ms(uint32_t failures)
{
    int64_t ms = LL_BACKOFF_MS_FIRST;
    if (failures <= 1)
        return 0;
    for (uint32_t i = 2; i < failures && ms < LL_BACKOFF_MS_MAX; i++)
        ms *= 2;
    return ms < LL_BACKOFF_MS_MAX ? ms : LL_BACKOFF_MS_MAX;
}

/* Starts that fail in a row are told once, however slowly they come: the
 * breaker looks at a minute, and not at a worker that refuses to load. */
static void
book_start(
    struct ll_pool *pool, const struct ll_proc *proc, const struct ll_err *err)
{
    if (proc->was_ready || pool->opening)
        return;
    if (++pool->starts_failed == LL_STARTS_FAILED_MAX)
        tell(pool, LL_POOL_STARTS_FAIL, err);
}

/* Books a death nobody asked for. */
static void
book_death(struct ll_pool *pool, const struct ll_proc *proc)
{
    bool counts = proc->death == LL_DEATH_CRASH ||
                  proc->death == LL_DEATH_PROTOCOL ||
                  proc->death == LL_DEATH_START;
    struct ll_err err = proc->err;
    if (err.code[0] == '\0')
        (void)ll_fail(&err, LINLI_E_DEADLINE, "sandbox/timeout",
            "a worker was killed at its %s limit",
            proc->death == LL_DEATH_BURST ? "burst" : "start");
    tell(pool, err.code, &err);
    /* A pool whose first worker dies is closed: nothing starts again. */
    pool->restarts += !pool->opening;
    if (proc->death != LL_DEATH_BURST)
        pool->failures++;
    pool->restart_after_ns =
        now_ns(pool) + backoff_ms(pool->failures) * NS_PER_MS;
    if (counts && ll_breaker_crash(&pool->breaker, now_ns(pool) / NS_PER_MS))
        tell(pool, LL_POOL_BREAKER_OPEN, &err);
    book_start(pool, proc, &err);
}

static void
unlink_proc(struct ll_pool *pool, struct ll_proc *proc)
{
    struct ll_proc **at = &pool->procs;
    while (*at != proc)
        at = &(*at)->next;
    *at = proc->next;
    pool->proc_count--;
}

/* Frees what the pool owns and takes it off the supervisor's list. */
static void
pool_free(struct ll_pool *pool)
{
    struct ll_supervisor *supervisor = pool->supervisor;
    struct ll_pool **at = &supervisor->pools;
    while (*at != pool)
        at = &(*at)->next;
    *at = pool->next;
    ll_package_unref(&pool->package);
    ll_arena_fini(&pool->arena);
    ll_release(supervisor->mem, pool, sizeof *pool);
}

bool
ll_pool_sweep(struct ll_pool *pool)
{
    if (!pool->gone)
        return false;
    if (pool->closed != NULL)
        pool->closed(pool->closed_user, pool);
    pool_free(pool);
    return true;
}

void
ll_pool_turn(struct ll_pool *pool)
{
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        ll_proc_hear(proc);
    if (waiting(pool) > 0)
        pump(pool);
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        ll_proc_speak(proc);
}

void
ll_pool_proc_dead(struct ll_proc *proc)
{
    struct ll_pool *pool = proc->pool;
    struct ll_err err = proc->err;
    enum ll_proc_death death = proc->death;
    if (death != LL_DEATH_STOPPED)
        book_death(pool, proc);
    pool->cpu_ns_ended += proc->cpu_ns;
    unlink_proc(pool, proc);
    ll_proc_free(&proc);
    if (death == LL_DEATH_REFUSED || death == LL_DEATH_START)
        end_queue(pool, LL_RUN_REFUSED);
    if (pool->opening) {
        /* The first worker decides: the caller closes the pool. */
        pool->opening = false;
        pool->options.opened(pool->options.user,
            err.status == LINLI_OK ? LINLI_E_INTERNAL : err.status, &err);
    }
    if (pool->closing && pool->procs == NULL && waiting(pool) == 0 &&
        pool->holds == 0)
        pool->gone = true;
    else
        pump(pool);
}

/* -- for the host -- */

static linli_status
copy_options(struct ll_pool *pool, const struct ll_pool_options *from,
    struct ll_err *err)
{
    struct ll_pool_options *to = &pool->options;
    size_t zone_bytes =
        2 * from->zone_change_count * sizeof *from->zone_changes;
    *to = *from;
    to->community = ll_arena_str(&pool->arena, from->community);
    to->config_json = ll_arena_str(&pool->arena, from->config_json);
    to->zone = ll_arena_str(&pool->arena, from->zone);
    int64_t *changes = ll_arena_alloc(&pool->arena, zone_bytes + 1);
    if (pool->arena.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "the configuration is larger than %zu bytes", ARENA_BYTES_MAX);
    if (zone_bytes > 0)
        memcpy(changes, from->zone_changes, zone_bytes);
    to->zone_changes = changes;
    return LINLI_OK;
}

linli_status
ll_pool_open(struct ll_supervisor *supervisor,
    const struct ll_pool_options *options, struct ll_pool **out,
    struct ll_err *err)
{
    ll_check(options->workers_max >= 1);
    ll_check(options->workers_max <= LL_WORKERS_MAX);
    *out = NULL;
    struct ll_pool *pool = ll_alloc(supervisor->mem, sizeof *pool);
    if (pool == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a pool");
    pool->supervisor = supervisor;
    pool->package = ll_package_ref(options->package);
    pool->opening = true;
    ll_arena_init(&pool->arena, supervisor->mem, ARENA_BYTES_MAX);
    pool->next = supervisor->pools;
    supervisor->pools = pool;
    linli_status status = copy_options(pool, options, err);
    if (status == LINLI_OK) {
        status = start_proc(pool);
        if (status != LINLI_OK)
            (void)ll_fail(err, status, "runtime/memory",
                "no descriptors or memory for a worker");
    }
    if (status != LINLI_OK)
        pool_free(pool);
    else
        *out = pool;
    return status;
}

void
ll_pool_close(struct ll_pool *pool,
    void (*closed)(void *user, const struct ll_pool *pool), void *user)
{
    pool->closing = true;
    pool->opening = false;
    pool->closed = closed;
    pool->closed_user = user;
    pump(pool); /* what waits may still run */
    if (pool->procs == NULL && pool->holds == 0) {
        end_queue(pool, LL_RUN_STOPPED);
        pool->gone = true;
    }
}

void
ll_pool_hold(struct ll_pool *pool)
{
    pool->holds++;
}

void
ll_pool_let_go(struct ll_pool **pool_at)
{
    struct ll_pool *pool = *pool_at;
    *pool_at = NULL;
    if (pool == NULL)
        return;
    ll_check(pool->holds > 0);
    if (--pool->holds > 0 || !pool->closing)
        return;
    pump(pool);
    if (pool->procs == NULL && waiting(pool) == 0)
        pool->gone = true;
    ll_supervisor_wind(pool->supervisor);
}

void
ll_pool_kill(struct ll_pool *pool)
{
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        ll_proc_kill(proc, LL_DEATH_STOPPED);
    end_queue(pool, LL_RUN_STOPPED);
}

void
ll_pool_submit(struct ll_pool *pool, struct ll_run *run)
{
    struct ll_breaker *breaker = &pool->breaker;
    run->pool = pool;
    run->proc = NULL;
    run->number = 0;
    run->host_calls = 0;
    run->waiting = run->alone = run->probe = false;
    run->run_ns = 0;
    if (pool->closing && pool->holds == 0) {
        refuse_later(pool, run, LL_RUN_STOPPED);
    } else if (waiting(pool) >= LL_POOL_QUEUE_MAX) {
        refuse_later(pool, run, LL_RUN_BUSY);
    } else if (!ll_breaker_admit(breaker, now_ns(pool) / NS_PER_MS)) {
        refuse_later(pool, run, LL_RUN_BREAKER);
    } else {
        run->probe = breaker->open;
        ll_runs_push(&pool->queue, run);
        if (pool->supervisor->turning)
            ll_supervisor_hurry(pool->supervisor);
        else
            ll_supervisor_wind(pool->supervisor);
        pump(pool);
    }
}

void
ll_pool_answer(struct ll_run *run, linli_status status, linli_str value)
{
    if (run->proc != NULL)
        ll_proc_answer(run->proc, run, status, value);
}

void
ll_pool_cancel(struct ll_run *run)
{
    struct ll_pool *pool = run->pool;
    if (pool == NULL)
        return;
    if (run->proc != NULL)
        ll_proc_abort(run->proc, run, now_ns(pool));
    else if (!ll_runs_remove(&pool->supervisor->refused, run) &&
             !ll_runs_remove(&pool->lonely, run))
        (void)ll_runs_remove(&pool->queue, run);
    if (run->probe)
        ll_breaker_probe_over(&pool->breaker, now_ns(pool) / NS_PER_MS);
    run->pool = NULL;
}

int64_t
ll_pool_cpu_ns(const struct ll_pool *pool)
{
    int64_t sum = pool->cpu_ns_ended;
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        sum += ll_child_cpu_ns(&proc->child);
    return sum;
}

int64_t
ll_pool_memory_bytes(const struct ll_pool *pool)
{
    int64_t sum = 0;
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        sum += ll_child_memory_bytes(&proc->child);
    return sum;
}

uint32_t
ll_pool_open_runs(const struct ll_pool *pool)
{
    uint32_t sum = waiting(pool);
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next)
        sum += proc->slot_count;
    return sum;
}

/* -- limits, looked at by the supervisor -- */

/* The wall limit of runs in a process, and of cancelled ones that a worker
 * does not let go. */
static void
check_slots(struct ll_proc *proc, int64_t at_ns)
{
    int64_t grace_ns =
        (proc->pool->options.limits.burst_ms + ABORT_GRACE_MS) * NS_PER_MS;
    for (uint32_t i = 0; i < proc->slot_count; i++) {
        struct ll_run *run = proc->slots[i].run;
        if (run == NULL) {
            if (at_ns - proc->slots[i].aborted_ns > grace_ns) {
                (void)ll_fail(&proc->err, LINLI_E_PROTOCOL, "sandbox/protocol",
                    "a cancelled run was not let go");
                ll_proc_kill(proc, LL_DEATH_PROTOCOL);
                return;
            }
        } else if (at_ns >= run->deadline_ns) {
            ll_proc_abort(proc, run, at_ns);
            end_run(run, LL_RUN_WALL);
        }
    }
}

static void
check_proc(struct ll_proc *proc, int64_t at_ns)
{
    int64_t age_ms = (at_ns - proc->since_ns) / NS_PER_MS;
    switch (proc->state) {
    case LL_PROC_STARTING:
    case LL_PROC_GREETING:
    case LL_PROC_LOADING:
        if (age_ms > LL_WORKER_START_MS) {
            (void)ll_fail(&proc->err, LINLI_E_DEADLINE, "plugin/load",
                "the plugin was not ready after %d ms", LL_WORKER_START_MS);
            ll_proc_kill(proc, LL_DEATH_START);
        }
        return;
    case LL_PROC_DRAINING:
        /* Open runs have limits of their own; what is late is the exit. */
        if (proc->slot_count == 0 && age_ms > LL_WORKER_DRAIN_MS &&
            at_ns - proc->idle_since_ns >
                (int64_t)LL_WORKER_DRAIN_MS * NS_PER_MS)
            ll_proc_kill(proc, LL_DEATH_STOPPED);
        /* fall through */
    case LL_PROC_READY:
        if (proc->slot_count > 0 && ll_proc_bursting(proc, at_ns))
            ll_proc_kill(proc, LL_DEATH_BURST);
        check_slots(proc, at_ns);
        return;
    case LL_PROC_KILLED:
        return;
    }
}

/* The first run of a list whose wall limit has passed, or NULL. */
static struct ll_run *
find_late(const struct ll_run_list *list, int64_t at_ns)
{
    struct ll_run *run = list->head;
    while (run != NULL && at_ns < run->deadline_ns)
        run = run->next;
    return run;
}

static void
check_list(struct ll_run_list *list, int64_t at_ns)
{
    struct ll_run *run;
    /* From the start each time: the callback may change the list. */
    while ((run = find_late(list, at_ns)) != NULL) {
        (void)ll_runs_remove(list, run);
        end_run(run, LL_RUN_WALL);
    }
}

bool
ll_pool_tick(struct ll_pool *pool, int64_t at_ns)
{
    struct ll_proc *proc = pool->procs;
    while (proc != NULL) {
        struct ll_proc *next = proc->next;
        check_proc(proc, at_ns);
        proc = next;
    }
    check_list(&pool->lonely, at_ns);
    check_list(&pool->queue, at_ns);
    pump(pool);
    return pool->closing || pool->opening || ll_pool_open_runs(pool) > 0;
}

void
ll_pool_slow_tick(struct ll_pool *pool, int64_t at_ns)
{
    for (struct ll_proc *proc = pool->procs; proc != NULL; proc = proc->next) {
        int64_t cpu_ns = ll_child_cpu_ns(&proc->child);
        int64_t burnt_ns = cpu_ns - proc->cpu_ns;
        bool idle = proc->state == LL_PROC_READY && proc->slot_count == 0 &&
                    at_ns - proc->idle_since_ns > (int64_t)SLOW_MS * NS_PER_MS;
        proc->cpu_ns = cpu_ns;
        if (idle && burnt_ns > IDLE_CPU_NS_MAX) {
            (void)ll_fail(&proc->err, LINLI_E_PROTOCOL, "sandbox/protocol",
                "the worker burns CPU without a call");
            ll_proc_kill(proc, LL_DEATH_PROTOCOL);
        } else if (idle && at_ns - proc->idle_since_ns >
                               (int64_t)LL_WORKER_IDLE_MS * NS_PER_MS) {
            ll_proc_drain(proc);
        }
    }
}
