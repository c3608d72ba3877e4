/* worker/lua_host.c: host calls from Lua, from the one table. [worker]
 *
 * call.host.NAME(...) sends the frame and yields; the answer resumes it.
 * It cannot yield through a C function that called Lua (sort, gsub): then it
 * raises an error that names the function.
 */
#include <string.h>

#include "base/text.h"
#include "worker/lua_lib.h"

static const struct op {
    uint32_t number;
    const char *name, *interface;
    bool draft;
    const char *args, *answer;
} ops[] = {
#define H(number, name, interface, draft, args, answer) \
    {number, #name, interface, draft, args, answer},
#include "wire/hostcall.def"
#undef H
};

/* Functions of ours that a host call yields through. */
static bool
yields_through(const char *name)
{
    static const char *const names[] = {
        "pcall", "xpcall", "pairs", "coroutine.resume", "coroutine.wrap"};
    for (size_t i = 0; i < LL_COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The innermost function of `at`, from `level` outwards, that nothing can
 * yield through. */
static const char *
find_fixed(lua_State *L, lua_State *at, int level)
{
    lua_Debug ar;
    /* Not luaL_checkstack: an error may not be raised in another thread. */
    if (!lua_checkstack(L, 4) || !lua_checkstack(at, 4))
        return "a C function";
    for (; lua_getstack(at, level, &ar); level++) {
        (void)lua_getinfo(at, "Snf", &ar);
        if (at != L)
            lua_xmove(at, L, 1);
        const char *name = ll_lua_function_name(L);
        bool wrapped = lua_tocfunction(L, -1) == ll_lua_wrap_call;
        lua_pop(L, 1);
        if (wrapped || strcmp(ar.what, "C") != 0)
            continue;
        if (name == NULL)
            name = ar.name != NULL ? ar.name : "a C function";
        if (!yields_through(name))
            return name;
    }
    return "a C function";
}

/* Raises unless the host call can wait here. */
static void
check_yieldable(lua_State *L, struct ll_lua_run *run, const char *name)
{
    const char *within;
    if (LL_LIKELY(run->unyieldable == 0 && lua_isyieldable(L)))
        return;
    if (run->unyieldable == 0)
        within = find_fixed(L, L, 1);
    else
        within = find_fixed(L, run->fixed, 0);
    (void)luaL_error(L,
        "call.host.%s cannot wait inside %s; call it before or after", name,
        within);
}

static void
put_argument(lua_State *L, const struct op *op, int index, struct ll_buf *out)
{
    linli_str s;
    switch (op->args[index - 1]) {
    case 'i':
        ll_put_int(out, luaL_checkinteger(L, index));
        return;
    case 'b':
        s.ptr = luaL_checklstring(L, index, &s.len);
        ll_put_bytes(out, s);
        return;
    default:
        luaL_checkany(L, index);
        ll_lua_put_value(L, index, out);
        return;
    }
}

static int
host_answered(lua_State *L, int status, lua_KContext context)
{
    const struct op *op = &ops[context];
    struct ll_lua_run *run = ll_lua_run(L);
    LL_UNUSED(status);
    if (run->answer_status == LINLI_E_CANCELLED)
        ll_lua_end_run(L, LL_LUA_CANCELLED);
    if (run->answer_status != LINLI_OK)
        return luaL_error(L, "call.host.%s: %s", op->name,
            ll_status_name(run->answer_status));
    if (op->answer[0] == '\0')
        return 0;
    struct ll_rd rd = ll_rd(run->answer);
    if (ll_rd_peek(&rd) == LL_VALUE_NIL)
        lua_pushnil(L);
    else
        ll_lua_push_value(L, &rd);
    return 1;
}

/* upvalue: the index of the operation */
static int
host_call(lua_State *L)
{
    lua_Integer index = lua_tointeger(L, lua_upvalueindex(1));
    const struct op *op = &ops[index];
    struct ll_lua *lua = ll_lua_state(L)->engine;
    struct ll_lua_run *run = lua->current;
    ll_lua_check_due(L);
    if (run->end != LL_LUA_ALIVE)
        ll_lua_end_run(L, run->end);
    if (run->in == NULL)
        return luaL_error(L, "call.host.%s: there is no call", op->name);
    check_yieldable(L, run, op->name);
    if (run->host_calls == LL_HOST_CALLS_MAX)
        return luaL_error(L, "call.host.%s: more than %d host calls in a call",
            op->name, LL_HOST_CALLS_MAX);
    int count = (int)strlen(op->args);
    luaL_argcheck(L, lua_gettop(L) <= count, count + 1, "no such argument");
    ll_buf_clear(&lua->args);
    ll_put_list(&lua->args, (uint32_t)count);
    for (int i = 1; i <= count; i++)
        put_argument(L, op, i, &lua->args);
    if (lua->args.failed)
        return luaL_error(L, "call.host.%s: too large", op->name);
    ll_lua_keep_input(L, run);
    run->host_calls++;
    run->waiting = true;
    ll_worker_hostcall(
        lua->worker, run->call, run->run, op->number, ll_buf_view(&lua->args));
    return lua_yieldk(L, 0, (lua_KContext)index, host_answered);
}

void
ll_lua_push_host(lua_State *L)
{
    bool drafts = ll_lua_state(L)->engine->worker->config.drafts;
    lua_newtable(L);
    for (size_t i = 0; i < LL_COUNT(ops); i++) {
        if (ops[i].draft && !drafts)
            continue;
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, host_call, 1);
        lua_setfield(L, -2, ops[i].name);
    }
}
