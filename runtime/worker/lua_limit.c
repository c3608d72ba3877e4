/* worker/lua_limit.c: the soft time limit. [worker]
 *
 * A timer ticks while the process burns CPU. Past the deadline its signal
 * handler sets a count hook on the coroutine that runs, the one thing the
 * Lua manual allows there; until then no hook stands, since a standing one
 * halves the speed of Lua whatever its interval. The hook ends the run. It
 * cannot stop a loop in a C function; for that the host kills the process
 * (spec/sandbox.md).
 *
 * The state below is the process's, as the signal is. The handler reads it
 * at any moment, so every word is atomic and `running` is set last.
 */
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "worker/lua_engine.h"

static struct {
    _Atomic(lua_State *) running; /* NULL between bursts */
    _Atomic int32_t ticks;        /* since the burst began */
    _Atomic int32_t ticks_max;
    _Atomic int64_t wall_end_ns;
    _Atomic bool due;
} soft;

static void
on_hook(lua_State *L, lua_Debug *ar)
{
    LL_UNUSED(ar);
    if (!ll_lua_limit_due()) {
        /* Left over from an earlier burst of this coroutine. */
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    ll_lua_time_out(L);
}

static void
on_tick(int signal_number)
{
    LL_UNUSED(signal_number);
    lua_State *L = atomic_load_explicit(&soft.running, memory_order_relaxed);
    if (L == NULL)
        return;
    int32_t ticks =
        atomic_fetch_add_explicit(&soft.ticks, 1, memory_order_relaxed) + 1;
    if (ticks <= soft.ticks_max && ll_worker_clock_ns() < soft.wall_end_ns)
        return;
    atomic_store_explicit(&soft.due, true, memory_order_relaxed);
    lua_sethook(L, on_hook, LUA_MASKCOUNT, 1);
}

linli_status
ll_lua_limit_arm(struct ll_err *err)
{
    const struct itimerval tick = {
        .it_interval = {.tv_usec = LL_LUA_TICK_MS * 1000},
        .it_value = {.tv_usec = LL_LUA_TICK_MS * 1000}};
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    sigset_t set;
    if (sigemptyset(&action.sa_mask) != 0 ||
        sigaction(SIGVTALRM, &action, NULL) != 0 || sigemptyset(&set) != 0 ||
        sigaddset(&set, SIGVTALRM) != 0 ||
        sigprocmask(SIG_UNBLOCK, &set, NULL) != 0 ||
        setitimer(ITIMER_VIRTUAL, &tick, NULL) != 0)
        return ll_fail(err, LINLI_E_IO, "runtime/internal",
            "the timer of the soft limit cannot be armed");
    return LINLI_OK;
}

void
ll_lua_limit_begin(lua_State *L, struct ll_lua_allowance allowance)
{
    int64_t ticks = allowance.cpu_ms / LL_LUA_TICK_MS;
    if (ticks > INT32_MAX)
        ticks = INT32_MAX;
    atomic_store_explicit(
        &soft.ticks_max, (int32_t)ticks, memory_order_relaxed);
    atomic_store_explicit(&soft.ticks, 0, memory_order_relaxed);
    atomic_store_explicit(&soft.wall_end_ns,
        allowance.from_ns + allowance.wall_ms * 1000000, memory_order_relaxed);
    atomic_store_explicit(&soft.due, false, memory_order_relaxed);
    atomic_store_explicit(&soft.running, L, memory_order_release);
}

void
ll_lua_limit_end(void)
{
    atomic_store_explicit(&soft.running, NULL, memory_order_release);
    atomic_store_explicit(&soft.due, false, memory_order_relaxed);
}

lua_State *
ll_lua_limit_enter(lua_State *L)
{
    lua_State *before =
        atomic_load_explicit(&soft.running, memory_order_relaxed);
    atomic_store_explicit(&soft.running, L, memory_order_release);
    return before;
}

bool
ll_lua_limit_due(void)
{
    return atomic_load_explicit(&soft.due, memory_order_relaxed);
}
