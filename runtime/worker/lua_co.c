/* worker/lua_co.c: pcall and coroutines. [worker]
 *
 * Two things pass through all of them. The end of a run (time, memory,
 * call:fail) is nothing that anybody catches: `end` in the run is the truth,
 * and each coroutine is left as soon as it is set. And a host call yields
 * through every resume above it: the resumer yields in turn, and resumes
 * inwards again when the answer is there.
 */
#include <string.h>

#include "worker/lua_engine.h"

bool
ll_lua_ending(lua_State *L, int status)
{
    struct ll_lua_state *state = ll_lua_state(L);
    struct ll_lua_run *run = state->engine->current;
    if (run->end != LL_LUA_ALIVE)
        return true;
    /* error("not enough memory") has this status too, but no refusal. */
    if (status == LUA_ERRMEM && state->heap.refusals != run->refusals)
        run->end = LL_LUA_MEMORY;
    else if (ll_lua_limit_due())
        run->end = LL_LUA_TIMEOUT;
    return run->end != LL_LUA_ALIVE;
}

/* Leaves L for good. A yield goes straight to whoever resumed it, past all
 * pcalls and __close handlers, however many there are: the coroutine is never
 * resumed again. Inside a C function that cannot yield, an error leads to
 * the next place from where one can. */
LL_NORETURN static void
leave(lua_State *L)
{
    if (lua_isyieldable(L))
        (void)lua_yieldk(L, 0, 0, NULL);
    /* No string is made: this must work without memory. */
    lua_pushnil(L);
    (void)lua_error(L);
    ll_panic(__FILE__, __LINE__, "lua_error returned");
}

LL_NORETURN void
ll_lua_end_run(lua_State *L, enum ll_lua_end end)
{
    struct ll_lua_run *run = ll_lua_run(L);
    if (run->end == LL_LUA_ALIVE)
        run->end = end;
    leave(L);
}

void
ll_lua_time_out(lua_State *L)
{
    struct ll_lua_run *run = ll_lua_run(L);
    if (!lua_isyieldable(L))
        ll_lua_end_run(L, LL_LUA_TIMEOUT);
    if (run->end == LL_LUA_ALIVE)
        run->end = LL_LUA_TIMEOUT;
    (void)lua_yield(L, 0); /* which, in a hook, happens when it returns */
}

static int
pcall_ended(lua_State *L, int status, lua_KContext dropped)
{
    if (LL_LIKELY(status == LUA_OK || status == LUA_YIELD)) {
        ll_lua_check_due(L);
        return lua_gettop(L) - (int)dropped;
    }
    if (ll_lua_ending(L, status))
        leave(L);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int
protected_call(lua_State *L)
{
    luaL_checkany(L, 1);
    ll_lua_check_due(L);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status =
        lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, pcall_ended);
    return pcall_ended(L, status, 0);
}

/* The handler has returned what is on top, or failed with it. */
static int
handler_ended(lua_State *L, int status, lua_KContext context)
{
    LL_UNUSED(context);
    if (status != LUA_OK && status != LUA_YIELD && ll_lua_ending(L, status))
        leave(L);
    ll_lua_check_due(L);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int
handled_ended(lua_State *L, int status, lua_KContext dropped)
{
    if (status == LUA_OK || status == LUA_YIELD)
        return pcall_ended(L, status, dropped);
    if (ll_lua_ending(L, status))
        leave(L);
    lua_pushvalue(L, 2);
    lua_insert(L, -2);
    status = lua_pcallk(L, 1, 1, 0, 0, handler_ended);
    return handler_ended(L, status, 0);
}

/* xpcall(f, handler, ...): the stack becomes f, handler, true, f, ... The
 * handler is called when the stack has been unwound, not where the error
 * was: there, inside a hook, no hook could stop it. Nothing is lost, as
 * plugins have no debug library to look around with. */
static int
protected_call_handled(lua_State *L)
{
    int arguments = lua_gettop(L) - 2;
    luaL_checktype(L, 2, LUA_TFUNCTION);
    ll_lua_check_due(L);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    int status = lua_pcallk(L, arguments, LUA_MULTRET, 0, 2, handled_ended);
    return handled_ended(L, status, 2);
}

void
ll_lua_open_protected(lua_State *L)
{
    lua_pushcfunction(L, protected_call);
    lua_setfield(L, -2, "pcall");
    lua_pushcfunction(L, protected_call_handled);
    lua_setfield(L, -2, "xpcall");
}

/* -- coroutines -- */

static lua_State *
check_coroutine(lua_State *L, int index)
{
    lua_State *co = lua_tothread(L, index);
    luaL_argexpected(L, co != NULL, index, "coroutine");
    return co;
}

/* A coroutine that stands for a call, or waits with it for a host call, is
 * neither the plugin's to resume nor to close. */
static const char *
co_status(lua_State *L, lua_State *co)
{
    lua_Debug ar;
    if (L == co)
        return "running";
    if (ll_lua_kind(co) != LL_LUA_INNER)
        return "normal";
    switch (lua_status(co)) {
    case LUA_YIELD:
        return "suspended";
    case LUA_OK:
        if (lua_getstack(co, 0, &ar))
            return "normal";
        return lua_gettop(co) == 0 ? "dead" : "suspended";
    default:
        return "dead";
    }
}

static int
co_status_text(lua_State *L)
{
    lua_pushstring(L, co_status(L, check_coroutine(L, 1)));
    return 1;
}

/* What resume gives: the number of values now on L, or -1 with the error on
 * top. Yields itself, and does not return, while a host call is open. */
static int
co_continue(lua_State *L, lua_State *co, int arguments, lua_KFunction again)
{
    struct ll_lua_state *state = ll_lua_state(L);
    struct ll_lua_run *run = state->engine->current;
    uint32_t fixed = lua_isyieldable(L) ? 0 : 1;
    int results = 0;
    ll_lua_set_tag(co, &state->inner);
    if (run->unyieldable == 0)
        run->fixed = L;
    run->unyieldable += fixed;
    lua_State *before = ll_lua_limit_enter(co);
    int status = lua_resume(co, L, arguments, &results);
    (void)ll_lua_limit_enter(before);
    run->unyieldable -= fixed;
    if (LL_UNLIKELY(ll_lua_ending(L, status))) {
        /* Nobody shall resume or close it: it was left, not ended. */
        ll_lua_set_tag(co, &state->waiting);
        leave(L);
    }
    if (status == LUA_YIELD && run->waiting) {
        ll_lua_set_tag(co, &state->waiting);
        return lua_yieldk(L, 0, 0, again);
    }
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

/* Moves the arguments over and resumes. */
static int
co_start(lua_State *L, lua_State *co, int arguments, lua_KFunction again)
{
    const char *status = co_status(L, co);
    ll_lua_check_due(L);
    if (strcmp(status, "suspended") != 0) {
        lua_pushfstring(L, "cannot resume %s coroutine",
            strcmp(status, "dead") == 0 ? "dead" : "non-suspended");
        return -1;
    }
    if (!lua_checkstack(co, arguments + 1)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, arguments);
    return co_continue(L, co, arguments, again);
}

static int
resume_ended(lua_State *L, int count)
{
    lua_pushboolean(L, count >= 0);
    lua_insert(L, count >= 0 ? -(count + 1) : -2);
    return count >= 0 ? count + 1 : 2;
}

static int
resume_again(lua_State *L, int status, lua_KContext context)
{
    LL_UNUSED(status);
    LL_UNUSED(context);
    return resume_ended(L, co_continue(L, lua_tothread(L, 1), 0, resume_again));
}

static int
co_resume(lua_State *L)
{
    lua_State *co = check_coroutine(L, 1);
    return resume_ended(L, co_start(L, co, lua_gettop(L) - 1, resume_again));
}

/* lua_resetthread runs __close handlers without counting how deep such
 * calls are nested (lua/lua 1e64c139): counted here. */
static int
close_thread(lua_State *L, lua_State *co)
{
    struct ll_lua_run *run = ll_lua_run(L);
    if (run->closing == LL_LUA_CLOSE_DEPTH_MAX)
        return luaL_error(L,
            "coroutines closed within each other, more "
            "than %d deep",
            LL_LUA_CLOSE_DEPTH_MAX);
    run->closing++;
    if (run->unyieldable == 0)
        run->fixed = L;
    run->unyieldable++;
    lua_State *before = ll_lua_limit_enter(co);
    int status = lua_resetthread(co);
    (void)ll_lua_limit_enter(before);
    run->unyieldable--;
    run->closing--;
    if (ll_lua_ending(L, status))
        leave(L);
    return status;
}

static int
wrap_ended(lua_State *L, lua_State *co, int count)
{
    if (LL_LIKELY(count >= 0))
        return count;
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD &&
        ll_lua_kind(co) == LL_LUA_INNER) {
        (void)close_thread(L, co);
        lua_settop(L, -2);
        lua_xmove(co, L, 1);
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int
wrap_again(lua_State *L, int status, lua_KContext context)
{
    LL_UNUSED(status);
    LL_UNUSED(context);
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    return wrap_ended(L, co, co_continue(L, co, 0, wrap_again));
}

int
ll_lua_wrap_call(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    return wrap_ended(L, co, co_start(L, co, lua_gettop(L), wrap_again));
}

static int
co_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    ll_lua_set_tag(co, &ll_lua_state(L)->inner);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int
co_wrap(lua_State *L)
{
    (void)co_create(L);
    lua_pushcclosure(L, ll_lua_wrap_call, 1);
    return 1;
}

static int co_yield (lua_State *L)
{
    if (ll_lua_kind(L) != LL_LUA_INNER)
        return luaL_error(L, "attempt to yield from outside a coroutine");
    return lua_yield(L, lua_gettop(L));
}

static int
co_yieldable(lua_State *L)
{
    lua_State *co = lua_isnone(L, 1) ? L : check_coroutine(L, 1);
    lua_pushboolean(L, ll_lua_kind(co) == LL_LUA_INNER && lua_isyieldable(co));
    return 1;
}

static int
co_running(lua_State *L)
{
    bool main = ll_lua_kind(L) == LL_LUA_RUN;
    if (main)
        ll_lua_run(L)->shown = true;
    (void)lua_pushthread(L);
    lua_pushboolean(L, main);
    return 2;
}

static int
co_close(lua_State *L)
{
    lua_State *co = check_coroutine(L, 1);
    const char *status = co_status(L, co);
    ll_lua_check_due(L);
    if (strcmp(status, "dead") != 0 && strcmp(status, "suspended") != 0)
        return luaL_error(L, "cannot close a %s coroutine", status);
    if (close_thread(L, co) == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

void
ll_lua_open_coroutine(lua_State *L)
{
    static const luaL_Reg functions[] = {{"create", co_create},
        {"wrap", co_wrap}, {"resume", co_resume}, {"yield", co_yield },
        {"status", co_status_text}, {"isyieldable", co_yieldable},
        {"running", co_running}, {"close", co_close}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
