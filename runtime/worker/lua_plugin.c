/* worker/lua_plugin.c: what `linli` is made of: handlers, log, config.
 * [worker]
 *
 * linli.plugin() gives the object whose methods take the handlers. Each must
 * name a route, timer or event of the manifest, and each of these must have
 * one: what is wrong is told while the plugin loads, with the line.
 */
#include <string.h>

#include "base/text.h"
#include "worker/lua_lib.h"

static char plugin_key; /* in the registry: the plugin object */

static linli_str
check_str(lua_State *L, int index)
{
    linli_str s;
    s.ptr = luaL_checklstring(L, index, &s.len);
    return s;
}

static uint32_t
find_route(const struct ll_worker *worker, linli_str method, linli_str path)
{
    uint32_t i = 0;
    while (i < worker->route_count &&
           !(ll_str_eq(worker->routes[i].method, method) &&
               ll_str_eq(worker->routes[i].path, path)))
        i++;
    return i;
}

/* What p:METHOD(name, handler) is given; the name. */
static linli_str
check_handler(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    linli_str name = check_str(L, 2);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    if (ll_lua_state(L)->loaded)
        (void)luaL_error(L, "handlers are given while the plugin loads");
    lua_settop(L, 3);
    return name;
}

/* p:METHOD(path, handler); upvalue: the method */
static int
take_handler(lua_State *L)
{
    struct ll_lua_state *state = ll_lua_state(L);
    const struct ll_worker *worker = state->engine->worker;
    linli_str method = check_str(L, lua_upvalueindex(1));
    linli_str path = check_handler(L);
    uint32_t route = find_route(worker, method, path);
    if (route == worker->route_count)
        return luaL_error(L,
            "plugin.json has no route %s %s; add it under `routes`, with the "
            "path written the same",
            method.ptr, path.ptr);
    if (worker->routes[route].feed)
        return luaL_error(L,
            "%s %s is a feed, which the host answers; take the handler out",
            method.ptr, path.ptr);
    if (state->handlers[route] != LUA_NOREF)
        return luaL_error(
            L, "%s %s has a handler already", method.ptr, path.ptr);
    state->handlers[route] = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

const struct ll_lua_named ll_lua_named[LL_CALL_KINDS] = {
    [LL_CALL_TIMER] = {"timer", "timers", "timer"},
    [LL_CALL_EVENT] = {"event", "events.handles", "event"},
    [LL_CALL_JOB] = {"job", "jobs", "job"},
    [LL_CALL_ANSWER] = {"answer", "answers", "answer"},
    [LL_CALL_PAYMENT] = {"handler of", NULL, NULL},
};

/* Of a job: whether the host asks for it (p:compliance), not the plugin. */
static bool
is_compliance(linli_str name)
{
    return name.len > 0 && memchr(name.ptr, '.', name.len) != NULL;
}

static const struct ll_lua_named compliance = {
    "compliance call", "compliance", "compliance"};

/* p:timer(name, handler) and its like; upvalues: the kind of call, and whether
 * it is p:compliance */
static int
take_named(lua_State *L)
{
    lua_Integer kind = lua_tointeger(L, lua_upvalueindex(1));
    bool complies = lua_toboolean(L, lua_upvalueindex(2));
    struct ll_lua_state *state = ll_lua_state(L);
    const struct ll_lua_named *named =
        complies ? &compliance : &ll_lua_named[kind];
    const struct ll_lua_names *names = &state->engine->named[kind];
    int *handlers = state->named[kind];
    linli_str name = check_handler(L);
    uint32_t at = ll_lua_name_index(names, name);
    if (at == names->count ||
        (kind == LL_CALL_JOB && complies != is_compliance(name)))
        return luaL_error(L, "plugin.json has no %s '%s'; add it under `%s`",
            named->what, name.ptr, named->member);
    if (handlers[at] != LUA_NOREF)
        return luaL_error(
            L, "the %s '%s' has a handler already", named->what, name.ptr);
    handlers[at] = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* p:payment(handler) */
static int
take_payment(lua_State *L)
{
    struct ll_lua_state *state = ll_lua_state(L);
    int *handlers = state->named[LL_CALL_PAYMENT];
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (state->loaded)
        return luaL_error(L, "handlers are given while the plugin loads");
    if (state->engine->named[LL_CALL_PAYMENT].count == 0)
        return luaL_error(L, "plugin.json has no \"payments\": true; add it");
    if (handlers[0] != LUA_NOREF)
        return luaL_error(L, "payments have a handler already");
    lua_settop(L, 2);
    handlers[0] = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static void
check_payment(lua_State *L)
{
    const struct ll_lua_state *state = ll_lua_state(L);
    if (state->engine->named[LL_CALL_PAYMENT].count > 0 &&
        state->named[LL_CALL_PAYMENT][0] == LUA_NOREF)
        (void)luaL_error(L,
            "plugin.json declares payments, which have no handler: give them "
            "one with p:payment");
}

static void
push_methods(lua_State *L)
{
    static const char *const methods[][2] = {{"get", "GET"}, {"post", "POST"},
        {"put", "PUT"}, {"patch", "PATCH"}, {"delete", "DELETE"}};
    lua_newtable(L);
    for (size_t i = 0; i < LL_COUNT(methods); i++) {
        lua_pushstring(L, methods[i][1]);
        lua_pushcclosure(L, take_handler, 1);
        lua_setfield(L, -2, methods[i][0]);
    }
    for (size_t i = 0; i < LL_COUNT(ll_lua_named); i++) {
        if (ll_lua_named[i].method == NULL)
            continue;
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushboolean(L, false);
        lua_pushcclosure(L, take_named, 2);
        lua_setfield(L, -2, ll_lua_named[i].method);
    }
    lua_pushinteger(L, LL_CALL_JOB);
    lua_pushboolean(L, true);
    lua_pushcclosure(L, take_named, 2);
    lua_setfield(L, -2, compliance.method);
    lua_pushcfunction(L, take_payment);
    lua_setfield(L, -2, "payment");
}

static int
make_plugin(lua_State *L)
{
    static const struct ll_lua_frozen_text text = {"the plugin's field",
        "its methods are get, post, put, patch, delete, timer, event, job, "
        "answer, payment and compliance"};
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &plugin_key) != LUA_TNIL)
        return luaL_error(L, "linli.plugin() was called before");
    push_methods(L);
    ll_lua_seal(L, text, false);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &plugin_key);
    return 1;
}

static void
check_routes(lua_State *L)
{
    const struct ll_lua_state *state = ll_lua_state(L);
    const struct ll_worker *worker = state->engine->worker;
    for (uint32_t i = 0; i < worker->route_count; i++) {
        const struct ll_worker_route *route = &worker->routes[i];
        if (state->handlers[i] != LUA_NOREF || route->feed)
            continue;
        lua_pushlstring(L, route->method.ptr, route->method.len);
        lua_pushlstring(L, route->path.ptr, route->path.len);
        (void)luaL_error(L, "plugin.json declares %s %s, which has no handler",
            lua_tostring(L, -2), lua_tostring(L, -1));
    }
}

static void
check_named(lua_State *L, size_t kind)
{
    const struct ll_lua_state *state = ll_lua_state(L);
    const struct ll_lua_names *names = &state->engine->named[kind];
    for (uint32_t i = 0; i < names->count; i++) {
        if (state->named[kind][i] != LUA_NOREF)
            continue;
        const struct ll_lua_named *named =
            kind == LL_CALL_JOB && is_compliance(names->at[i])
                ? &compliance
                : &ll_lua_named[kind];
        lua_pushlstring(L, names->at[i].ptr, names->at[i].len);
        (void)luaL_error(L,
            "plugin.json declares the %s '%s', which has no handler: give it "
            "one with p:%s",
            named->what, lua_tostring(L, -1), named->method);
    }
}

void
ll_lua_check_plugin(lua_State *L)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &plugin_key);
    if (lua_isnil(L, -1) || !lua_rawequal(L, -1, -2))
        (void)luaL_error(L,
            "the main file returned %s; begin it with `local p = "
            "linli.plugin()` and end it with `return p`",
            lua_isnil(L, -2) ? "nothing" : luaL_typename(L, -2));
    check_routes(L);
    for (size_t kind = 0; kind < LL_COUNT(ll_lua_named); kind++)
        if (ll_lua_named[kind].member != NULL)
            check_named(L, kind);
    check_payment(L);
    lua_pop(L, 1);
}

/* -- log -- */

/* log(level, value): level 0 to 3 */
static int
write_log(lua_State *L)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    lua_Integer level = luaL_checkinteger(L, 1);
    linli_str text;
    luaL_argcheck(
        L, level >= LL_LOG_DEBUG && level <= LL_LOG_ERROR, 1, "0 to 3");
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    ll_lua_to_text(L);
    text.ptr = lua_tolstring(L, 2, &text.len);
    ll_worker_log(lua->worker, lua->current->call, lua->current->run,
        (enum ll_log_level)level, text);
    return 0;
}

/* -- configuration -- */

static const struct ll_lua_frozen_text config_text = {
    "the configuration's", "it belongs to the operator; copy what you change"};

/* The tables of decoded JSON: no metatables but the mark of a list, no
 * cycles, depth bounded by the reader. A list stays one: its fields keep the
 * mark. */
static void
freeze_deep(lua_State *L, int index)
{
    int table = lua_absindex(L, index);
    ll_lua_stack(L, 8, NULL);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        if (lua_istable(L, -1))
            freeze_deep(L, -1);
        lua_pop(L, 1);
    }
    ll_lua_freeze(L, table, config_text);
}

static void
push_config(lua_State *L)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    linli_str text = lua->worker->config.config_json;
    struct ll_err err;
    if (text.len == 0)
        text = (linli_str)LINLI_STR("{}");
    if (ll_json_parse(&lua->tape, text, LL_JSON_DEPTH_MAX, &err) != LINLI_OK)
        (void)luaL_error(L, "the configuration: %s: %s", err.where, err.msg);
    ll_lua_push_json(L, ll_json_root(&lua->tape));
    if (lua_istable(L, -1))
        freeze_deep(L, -1);
}

void
ll_lua_push_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"plugin", make_plugin}, {"log", write_log}, {NULL, NULL}};
    luaL_newlib(L, functions);
    ll_lua_open_json(L);
    ll_lua_open_time(L);
    push_config(L);
    lua_setfield(L, -2, "config");
}
