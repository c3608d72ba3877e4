/* host/lock.c: the commit lock of a space. [loop]
 *
 * A call that met conflicts twice runs under it: until it is given back
 * nobody else of the space commits, so nothing can doom it. It is held for
 * at most one burst limit; then others commit again, and who held it is
 * only as safe as anybody.
 */
#include "host/call.h"

#define NS_PER_MS 1000000

static void
on_late(void *user)
{
    struct ll_space *space = user;
    struct ll_call *holder = space->lock_holder;
    if (holder != NULL)
        ll_lock_give(holder);
}

/* Without memory for the timer there is no lock: it runs as before. */
static void
hold(struct ll_call *call)
{
    struct ll_space *space = call->instance->space;
    if (space->lock_timer == NULL)
        space->lock_timer = ll_timer_new(call->host->world, on_late, space);
    if (space->lock_timer == NULL)
        return;
    ll_timer_set(
        space->lock_timer, call->package->manifest->limits.burst_ms, 0);
    space->lock_holder = call;
    call->locking = true;
}

bool
ll_lock_take(struct ll_call *call)
{
    struct ll_space *space = call->instance->space;
    if (space->lock_holder == call)
        return true;
    if (space->lock_holder == NULL) {
        hold(call);
        return true;
    }
    ll_wait_add(&space->lock_waits, &call->hold);
    return false;
}

bool
ll_lock_free(struct ll_call *call)
{
    struct ll_space *space = call->instance->space;
    if (space->lock_holder == NULL || space->lock_holder == call)
        return true;
    ll_wait_add(&space->commit_waits, &call->hold);
    return false;
}

void
ll_lock_give(struct ll_call *call)
{
    struct ll_space *space = call->instance->space;
    if (!call->locking)
        return;
    call->locking = false;
    space->lock_holder = NULL;
    ll_timer_stop(space->lock_timer);
    /* First those who are ready to commit, then the next for the lock. */
    ll_wait_tell(&space->commit_waits);
    ll_wait_tell_first(&space->lock_waits);
}
