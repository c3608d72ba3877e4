/* world/world.h: the only door to the operating system. [loop]
 *
 * One libuv loop, what hangs on it, the clocks and randomness. No other
 * layer calls uv_* or reads a clock. Contract of everything here: a start
 * that returns an error never calls back; a callback never runs before its
 * start has returned; after a free no callback comes, and memory is
 * reclaimed when libuv lets go. Nothing is process-global: no signal
 * handler, no default loop.
 */
#ifndef LL_WORLD_WORLD_H
#define LL_WORLD_WORLD_H

#include <signal.h>

#include "base/err.h"
#include "base/mem.h"

struct ll_world;

/* Two kinds of time that must not mix. */
struct ll_mono {
    int64_t ns; /* monotonic: deadlines, kills, back-off of processes */
};
struct ll_wall {
    int64_t ms; /* since 1970: what calls see, tokens, billing */
};

linli_status ll_world_new(struct ll_mem *mem, struct ll_world **out,
    struct ll_err *err) LL_USE_RESULT;
/* Runs the loop until every handle has closed, then frees. All handles must
 * have been freed by their owners before. */
void ll_world_free(struct ll_world **world);

/* libuv writes to sockets in ways that raise SIGPIPE when the peer has gone.
 * What a process does with that signal is its own affair, so it is held back
 * on this thread while the loop runs, and one that we raised is taken away.
 * For work on connections outside the loop's functions: begin, work, end. */
struct ll_quiet {
    sigset_t before;
    bool pending; /* one was waiting already: not ours */
};
void ll_quiet_begin(struct ll_quiet *quiet);
void ll_quiet_end(const struct ll_quiet *quiet);

/* Runs until ll_world_stop. */
void ll_world_run(struct ll_world *world);
void ll_world_stop(struct ll_world *world);
/* One turn: handles what is due; waits at most until the first event if
 * `wait`. For hosts that live in another loop, with ll_world_fd. */
void ll_world_turn(struct ll_world *world, bool wait);
/* Readable when a turn has work; and how long it may sleep, -1: for ever. */
int ll_world_fd(const struct ll_world *world);
int ll_world_timeout_ms(const struct ll_world *world);

/* Read once per loop turn, so that reasons never follow from two clocks. */
struct ll_mono ll_world_mono(const struct ll_world *world);
struct ll_wall ll_world_wall(const struct ll_world *world);
/* Makes the wall clock virtual from now on: it stands at `wall` until it is
 * set again, and an earlier instant than the last one set changes nothing.
 * The monotonic clock goes on. */
void ll_world_set_wall(struct ll_world *world, struct ll_wall wall);
/* The machine's own wall clock now, whatever was set. */
struct ll_wall ll_wall_real(void);
/* The monotonic clock now, for measuring inside a turn. */
struct ll_mono ll_mono_now(void);

/* The process, for /healthz: whoever asks can tell whom it reached. */
int64_t ll_world_pid(void);

/* Random bytes fit for keys. */
void ll_world_random(struct ll_world *world, void *out, size_t n);
/* A pseudo-random number seeded from them: fast, for seeds of calls. */
uint64_t ll_world_random_u64(struct ll_world *world);

/* Timers. */
struct ll_timer;
struct ll_timer *ll_timer_new(
    struct ll_world *world, void (*fire)(void *user), void *user) LL_USE_RESULT;
/* Fires after `delay_ms`, then each `repeat_ms` if that is not 0. */
void ll_timer_set(struct ll_timer *timer, int64_t delay_ms, int64_t repeat_ms);
void ll_timer_stop(struct ll_timer *timer);
void ll_timer_free(struct ll_timer **timer);

/* Watches a descriptor for reading; the descriptor stays the caller's and
 * must be closed only after the free. */
struct ll_watch;
struct ll_watch *ll_watch_new(struct ll_world *world, int fd,
    void (*ready)(void *user), void *user) LL_USE_RESULT;
void ll_watch_free(struct ll_watch **watch);

/* Called in each turn before the loop blocks, and at the end of each
 * ll_world_turn. */
struct ll_hook;
struct ll_hook *ll_hook_new(
    struct ll_world *world, void (*turn)(void *user), void *user) LL_USE_RESULT;
void ll_hook_free(struct ll_hook **hook);

/* Wakes the loop from any thread; calls made before it runs are one. */
struct ll_wakeup;
struct ll_wakeup *ll_wakeup_new(
    struct ll_world *world, void (*wake)(void *user), void *user) LL_USE_RESULT;
void ll_wakeup_send(struct ll_wakeup *wakeup); /* [any] */
void ll_wakeup_free(struct ll_wakeup **wakeup);

#endif
