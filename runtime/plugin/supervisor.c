/* plugin/supervisor.c: the turns and ticks that all pools share. [loop] */
#include "plugin/pool.h"

/* How often limits are looked at while runs are open: a runaway is stopped
 * at most this late. */
#define TICK_MS 5
#define SLOW_MS 1000

static void
end_refused(struct ll_supervisor *supervisor)
{
    struct ll_run *run;
    /* Those that are refused meanwhile are for the next turn. */
    for (uint32_t n = supervisor->refused.count;
         n > 0 && (run = ll_runs_pop(&supervisor->refused)) != NULL; n--) {
        run->pool = NULL;
        run->ops->ended(run, run->refusal);
    }
}

/* Before the loop blocks: all frames of this turn go out with one wake for
 * each worker, and what workers have published meanwhile is read. */
static void
on_turn(void *user)
{
    struct ll_supervisor *supervisor = user;
    supervisor->turning = true;
    end_refused(supervisor);
    for (struct ll_pool *pool = supervisor->pools; pool != NULL;
         pool = pool->next)
        ll_pool_turn(pool);
    /* Last: no list is being walked when a pool goes. */
    for (struct ll_pool *pool = supervisor->pools; pool != NULL;)
        pool = ll_pool_sweep(pool) ? supervisor->pools : pool->next;
    supervisor->turning = false;
}

static void
on_tick(void *user)
{
    struct ll_supervisor *supervisor = user;
    int64_t at_ns = ll_world_mono(supervisor->world).ns;
    bool busy = false;
    for (struct ll_pool *pool = supervisor->pools; pool != NULL;) {
        struct ll_pool *next = pool->next;
        busy |= ll_pool_tick(pool, at_ns);
        pool = next;
    }
    if (!busy) {
        ll_timer_stop(supervisor->tick);
        supervisor->wound = false;
    }
}

static void
on_slow(void *user)
{
    struct ll_supervisor *supervisor = user;
    int64_t at_ns = ll_world_mono(supervisor->world).ns;
    for (struct ll_pool *pool = supervisor->pools; pool != NULL;) {
        struct ll_pool *next = pool->next;
        ll_pool_slow_tick(pool, at_ns);
        pool = next;
    }
    ll_supervisor_wind(supervisor);
}

void
ll_supervisor_wind(struct ll_supervisor *supervisor)
{
    if (supervisor->wound)
        return;
    supervisor->wound = true;
    ll_timer_set(supervisor->tick, TICK_MS, TICK_MS);
}

void
ll_supervisor_hurry(struct ll_supervisor *supervisor)
{
    supervisor->wound = true;
    ll_timer_set(supervisor->tick, 0, TICK_MS);
}

linli_status
ll_supervisor_init(struct ll_supervisor *supervisor, struct ll_mem *mem,
    struct ll_world *world, struct ll_spawner *spawner, struct ll_err *err)
{
    *supervisor =
        (struct ll_supervisor){.mem = mem, .world = world, .spawner = spawner};
    supervisor->hook = ll_hook_new(world, on_turn, supervisor);
    supervisor->tick = ll_timer_new(world, on_tick, supervisor);
    supervisor->slow = ll_timer_new(world, on_slow, supervisor);
    if (supervisor->hook == NULL || supervisor->tick == NULL ||
        supervisor->slow == NULL) {
        ll_supervisor_fini(supervisor);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the supervisor");
    }
    ll_timer_set(supervisor->slow, SLOW_MS, SLOW_MS);
    return LINLI_OK;
}

void
ll_supervisor_fini(struct ll_supervisor *supervisor)
{
    ll_check(supervisor->pools == NULL);
    end_refused(supervisor);
    ll_hook_free(&supervisor->hook);
    ll_timer_free(&supervisor->tick);
    ll_timer_free(&supervisor->slow);
}
