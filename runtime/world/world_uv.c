/* world/world_uv.c: the loop, timers, watches and clocks over libuv. [loop]
 *
 * Every handle here is allocated by its _new, closed by its _free, and its
 * memory is released in libuv's close callback. libuv's allocator and
 * default loop are left alone: two worlds live in one process.
 */
#include "world/world_uv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct ll_hook {
    uv_prepare_t prepare;
    struct ll_world *world;
    struct ll_hook *next;
    void (*turn)(void *user);
    void *user;
};

struct ll_timer {
    uv_timer_t timer;
    struct ll_world *world;
    void (*fire)(void *user);
    void *user;
};

struct ll_watch {
    uv_poll_t poll;
    struct ll_world *world;
    void (*ready)(void *user);
    void *user;
};

struct ll_wakeup {
    uv_async_t async;
    struct ll_world *world;
    void (*wake)(void *user);
    void *user;
};

static void
read_clocks(struct ll_world *world)
{
    world->mono = ll_mono_now();
    if (!world->wall_is_set)
        world->wall = ll_wall_real();
}

/* Runs right after the loop has polled: the new turn's time. */
static void
on_polled(uv_check_t *check)
{
    read_clocks(check->data);
}

linli_status
ll_world_new(struct ll_mem *mem, struct ll_world **out, struct ll_err *err)
{
    *out = NULL;
    struct ll_world *world = ll_alloc(mem, sizeof *world);
    if (world == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no event loop");
    world->mem = mem;
    if (getrandom(world->seed, sizeof world->seed, 0) !=
            (ssize_t)sizeof world->seed ||
        uv_loop_init(&world->loop) != 0) {
        ll_release(mem, world, sizeof *world);
        return ll_fail(err, LINLI_E_IO, "runtime/internal", "no event loop");
    }
    (void)uv_check_init(&world->loop, &world->check);
    world->check.data = world;
    (void)uv_check_start(&world->check, on_polled);
    uv_unref((uv_handle_t *)&world->check);
    read_clocks(world);
    *out = world;
    return LINLI_OK;
}

void
ll_world_free(struct ll_world **world_at)
{
    struct ll_world *world = *world_at;
    if (world == NULL)
        return;
    *world_at = NULL;
    uv_close((uv_handle_t *)&world->check, NULL);
    /* A stop that nothing has run since ends the first run at once. */
    do
        (void)uv_run(&world->loop, UV_RUN_DEFAULT);
    while (uv_loop_alive(&world->loop));
    int busy = uv_loop_close(&world->loop);
    ll_check(busy == 0);
    ll_release(world->mem, world, sizeof *world);
}

void
ll_quiet_begin(struct ll_quiet *quiet)
{
    sigset_t pipe_only, waiting;
    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)sigpending(&waiting);
    quiet->pending = sigismember(&waiting, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &quiet->before);
}

void
ll_quiet_end(const struct ll_quiet *quiet)
{
    static const struct timespec now = {0, 0};
    sigset_t pipe_only;
    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    if (!quiet->pending)
        (void)sigtimedwait(&pipe_only, NULL, &now);
    (void)pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
}

void
ll_world_run(struct ll_world *world)
{
    struct ll_quiet quiet;
    read_clocks(world);
    ll_quiet_begin(&quiet);
    (void)uv_run(&world->loop, UV_RUN_DEFAULT);
    ll_quiet_end(&quiet);
}

void
ll_world_stop(struct ll_world *world)
{
    uv_stop(&world->loop);
}

void
ll_world_turn(struct ll_world *world, bool wait)
{
    struct ll_quiet quiet;
    read_clocks(world);
    ll_quiet_begin(&quiet);
    (void)uv_run(&world->loop, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    /* libuv's turn ends with the events. What they left to do must not wait
     * until whoever owns the loop around us comes back. */
    for (struct ll_hook *hook = world->hooks, *next; hook != NULL;
         hook = next) {
        next = hook->next;
        hook->turn(hook->user);
    }
    ll_quiet_end(&quiet);
}

int
ll_world_fd(const struct ll_world *world)
{
    return uv_backend_fd(&world->loop);
}

int
ll_world_timeout_ms(const struct ll_world *world)
{
    return uv_backend_timeout(&world->loop);
}

struct ll_mono
ll_world_mono(const struct ll_world *world)
{
    return world->mono;
}

struct ll_wall
ll_world_wall(const struct ll_world *world)
{
    return world->wall;
}

void
ll_world_set_wall(struct ll_world *world, struct ll_wall wall)
{
    if (world->wall_is_set && wall.ms < world->wall.ms)
        return;
    world->wall_is_set = true;
    world->wall = wall;
}

struct ll_wall
ll_wall_real(void)
{
    struct timespec wall;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    return (struct ll_wall){
        (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000};
}

struct ll_mono
ll_mono_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct ll_mono){(int64_t)now.tv_sec * 1000000000 + now.tv_nsec};
}

int64_t
ll_world_pid(void)
{
    return uv_os_getpid();
}

void
ll_world_random(struct ll_world *world, void *out, size_t n)
{
    LL_UNUSED(world);
    /* Blocks only before the machine's first entropy; never fails after. */
    for (size_t have = 0; have < n;) {
        ssize_t got = getrandom((char *)out + have, n - have, 0);
        if (got > 0)
            have += (size_t)got;
    }
}

uint64_t
ll_world_random_u64(struct ll_world *world)
{
    /* xoshiro256++ (Blackman and Vigna, 2019). */
    uint64_t *s = world->seed, sum = s[0] + s[3];
    uint64_t result = (sum << 23 | sum >> 41) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s[3] << 45 | s[3] >> 19;
    return result;
}

static void
on_timer(uv_timer_t *handle)
{
    struct ll_timer *timer = handle->data;
    timer->fire(timer->user);
}

struct ll_timer *
ll_timer_new(struct ll_world *world, void (*fire)(void *user), void *user)
{
    struct ll_timer *timer = ll_alloc(world->mem, sizeof *timer);
    if (timer == NULL)
        return NULL;
    *timer = (struct ll_timer){.world = world, .fire = fire, .user = user};
    (void)uv_timer_init(&world->loop, &timer->timer);
    timer->timer.data = timer;
    return timer;
}

void
ll_timer_set(struct ll_timer *timer, int64_t delay_ms, int64_t repeat_ms)
{
    ll_check(delay_ms >= 0);
    ll_check(repeat_ms >= 0);
    uv_update_time(&timer->world->loop);
    (void)uv_timer_start(
        &timer->timer, on_timer, (uint64_t)delay_ms, (uint64_t)repeat_ms);
}

void
ll_timer_stop(struct ll_timer *timer)
{
    (void)uv_timer_stop(&timer->timer);
}

static void
on_timer_closed(uv_handle_t *handle)
{
    struct ll_timer *timer = handle->data;
    ll_release(timer->world->mem, timer, sizeof *timer);
}

void
ll_timer_free(struct ll_timer **timer)
{
    if (*timer != NULL)
        uv_close((uv_handle_t *)&(*timer)->timer, on_timer_closed);
    *timer = NULL;
}

static void
on_ready(uv_poll_t *handle, int status, int events)
{
    struct ll_watch *watch = handle->data;
    LL_UNUSED(status); /* an error is for the reader to find */
    LL_UNUSED(events);
    watch->ready(watch->user);
}

struct ll_watch *
ll_watch_new(
    struct ll_world *world, int fd, void (*ready)(void *user), void *user)
{
    struct ll_watch *watch = ll_alloc(world->mem, sizeof *watch);
    if (watch == NULL)
        return NULL;
    *watch = (struct ll_watch){.world = world, .ready = ready, .user = user};
    if (uv_poll_init(&world->loop, &watch->poll, fd) != 0) {
        ll_release(world->mem, watch, sizeof *watch);
        return NULL;
    }
    watch->poll.data = watch;
    (void)uv_poll_start(&watch->poll, UV_READABLE, on_ready);
    return watch;
}

static void
on_watch_closed(uv_handle_t *handle)
{
    struct ll_watch *watch = handle->data;
    ll_release(watch->world->mem, watch, sizeof *watch);
}

void
ll_watch_free(struct ll_watch **watch)
{
    if (*watch != NULL)
        uv_close((uv_handle_t *)&(*watch)->poll, on_watch_closed);
    *watch = NULL;
}

static void
on_prepare(uv_prepare_t *handle)
{
    struct ll_hook *hook = handle->data;
    hook->turn(hook->user);
}

struct ll_hook *
ll_hook_new(struct ll_world *world, void (*turn)(void *user), void *user)
{
    struct ll_hook *hook = ll_alloc(world->mem, sizeof *hook);
    if (hook == NULL)
        return NULL;
    *hook = (struct ll_hook){.world = world, .turn = turn, .user = user};
    (void)uv_prepare_init(&world->loop, &hook->prepare);
    hook->prepare.data = hook;
    (void)uv_prepare_start(&hook->prepare, on_prepare);
    hook->next = world->hooks;
    world->hooks = hook;
    return hook;
}

static void
on_hook_closed(uv_handle_t *handle)
{
    struct ll_hook *hook = handle->data;
    ll_release(hook->world->mem, hook, sizeof *hook);
}

void
ll_hook_free(struct ll_hook **hook)
{
    if (*hook == NULL)
        return;
    struct ll_hook **at = &(*hook)->world->hooks;
    while (*at != *hook)
        at = &(*at)->next;
    *at = (*hook)->next;
    uv_close((uv_handle_t *)&(*hook)->prepare, on_hook_closed);
    *hook = NULL;
}

static void
on_async(uv_async_t *handle)
{
    struct ll_wakeup *wakeup = handle->data;
    wakeup->wake(wakeup->user);
}

struct ll_wakeup *
ll_wakeup_new(struct ll_world *world, void (*wake)(void *user), void *user)
{
    struct ll_wakeup *wakeup = ll_alloc(world->mem, sizeof *wakeup);
    if (wakeup == NULL)
        return NULL;
    *wakeup = (struct ll_wakeup){.world = world, .wake = wake, .user = user};
    if (uv_async_init(&world->loop, &wakeup->async, on_async) != 0) {
        ll_release(world->mem, wakeup, sizeof *wakeup);
        return NULL;
    }
    wakeup->async.data = wakeup;
    return wakeup;
}

void
ll_wakeup_send(struct ll_wakeup *wakeup)
{
    (void)uv_async_send(&wakeup->async);
}

static void
on_wakeup_closed(uv_handle_t *handle)
{
    struct ll_wakeup *wakeup = handle->data;
    ll_release(wakeup->world->mem, wakeup, sizeof *wakeup);
}

void
ll_wakeup_free(struct ll_wakeup **wakeup)
{
    if (*wakeup != NULL)
        uv_close((uv_handle_t *)&(*wakeup)->async, on_wakeup_closed);
    *wakeup = NULL;
}
