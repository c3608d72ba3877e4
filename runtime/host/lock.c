/* host/lock.c: the commit lock of a space. [loop]
 *
 * A call that met conflicts twice runs under it: until it is given back
 * nobody else of the space commits, so nothing can doom it. It is held for
 * at most one burst limit; then others commit again, and who held it is
 * only as safe as anybody.
 */
#include "host/call.h"

static void
on_late(void *user)
{
    struct ll_lock *lock = user;
    if (lock->holder != NULL)
        ll_lock_give(lock->holder);
}

/* Without memory for the timer there is no lock: it runs as before. */
static void
hold(struct ll_call *call)
{
    struct ll_lock *lock = &call->instance->lock;
    if (lock->timer == NULL)
        lock->timer = ll_timer_new(call->host->world, on_late, lock);
    if (lock->timer == NULL)
        return;
    ll_timer_set(lock->timer, call->package->manifest->limits.burst_ms, 0);
    lock->holder = call;
    call->locking = true;
}

bool
ll_lock_take(struct ll_call *call)
{
    struct ll_lock *lock = &call->instance->lock;
    if (lock->holder == call)
        return true;
    if (lock->holder == NULL) {
        hold(call);
        return true;
    }
    ll_wait_add(&lock->waits, &call->hold);
    return false;
}

bool
ll_lock_free(struct ll_call *call)
{
    struct ll_lock *lock = &call->instance->lock;
    if (lock->holder == NULL || lock->holder == call)
        return true;
    ll_wait_add(&lock->commit_waits, &call->hold);
    return false;
}

void
ll_lock_give(struct ll_call *call)
{
    struct ll_lock *lock = &call->instance->lock;
    if (!call->locking)
        return;
    call->locking = false;
    lock->holder = NULL;
    ll_timer_stop(lock->timer);
    /* First those who are ready to commit, then the next for the lock. */
    ll_wait_tell(&lock->commit_waits);
    ll_wait_tell_first(&lock->waits);
}

void
ll_lock_close(struct ll_instance *instance)
{
    ll_check(instance->lock.holder == NULL);
    ll_timer_free(&instance->lock.timer);
}
