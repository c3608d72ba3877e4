/* worker/lua_freeze.c: read-only tables. [worker]
 *
 * Lua has no such flag, so a read-only table is an empty one whose metatable
 * reads from another, which nothing else reaches. What works on tables raw
 * (pairs, next, rawget, JSON) looks through it.
 */
#include "worker/lua_lib.h"

static char frozen_key; /* in the metatable: the table with the fields */

bool
ll_lua_frozen(lua_State *L, int index)
{
    if (LL_LIKELY(!lua_getmetatable(L, index)))
        return false;
    if (lua_rawgetp(L, -1, &frozen_key) == LUA_TTABLE) {
        lua_remove(L, -2);
        return true;
    }
    lua_pop(L, 2);
    return false;
}

/* __newindex; upvalues: what, fix. */
static int
refuse_write(lua_State *L)
{
    lua_settop(L, 2);
    ll_lua_to_text(L);
    return luaL_error(L, "%s '%s' cannot be set; %s",
        lua_tostring(L, lua_upvalueindex(1)), lua_tostring(L, 2),
        lua_tostring(L, lua_upvalueindex(2)));
}

/* __len; upvalue: the table with the fields. */
static int
length(lua_State *L)
{
    lua_len(L, lua_upvalueindex(1));
    return 1;
}

void
ll_lua_push_refusal(lua_State *L, struct ll_lua_frozen_text text)
{
    lua_pushstring(L, text.what);
    lua_pushstring(L, text.fix);
    lua_pushcclosure(L, refuse_write, 2);
}

/* The metatable on top gets what makes a table read from the one at
 * `fields`. */
static void
fill_metatable(lua_State *L, int fields, struct ll_lua_frozen_text text)
{
    lua_pushvalue(L, fields);
    lua_rawsetp(L, -2, &frozen_key);
    lua_pushvalue(L, fields);
    lua_setfield(L, -2, "__index");
    ll_lua_push_refusal(L, text);
    lua_setfield(L, -2, "__newindex");
    lua_pushvalue(L, fields);
    lua_pushcclosure(L, length, 1);
    lua_setfield(L, -2, "__len");
    if (lua_getfield(L, -1, "__metatable") == LUA_TNIL) {
        lua_pushboolean(L, 0);
        lua_setfield(L, -3, "__metatable");
    }
    lua_pop(L, 1);
}

static void
copy_fields(lua_State *L, int from, int to)
{
    lua_pushnil(L);
    while (lua_next(L, from)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
}

void
ll_lua_freeze(lua_State *L, int index, struct ll_lua_frozen_text text)
{
    int table = lua_absindex(L, index);
    ll_lua_stack(L, 10, NULL);
    if (ll_lua_frozen(L, table)) {
        lua_pop(L, 1);
        return;
    }
    lua_newtable(L);
    int fields = lua_gettop(L), meta = fields + 1;
    copy_fields(L, table, fields);
    lua_pushnil(L);
    while (lua_next(L, fields)) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, table);
    }
    lua_newtable(L);
    if (lua_getmetatable(L, table)) {
        /* Set now, it would become a finalizer, which no limit can stop. */
        lua_pushnil(L);
        lua_setfield(L, -2, "__gc");
        copy_fields(L, meta + 1, meta);
        lua_setmetatable(L, fields);
    }
    fill_metatable(L, fields, text);
    lua_setmetatable(L, table);
    lua_pop(L, 1);
}

void
ll_lua_seal(lua_State *L, struct ll_lua_frozen_text text, bool open)
{
    int fields = lua_gettop(L);
    lua_newtable(L);
    lua_newtable(L);
    fill_metatable(L, fields, text);
    if (open) {
        lua_pushvalue(L, fields);
        lua_setfield(L, -2, "__newindex");
    }
    lua_setmetatable(L, -2);
    lua_remove(L, fields);
}

void
ll_lua_shut(lua_State *L, int index, struct ll_lua_frozen_text text)
{
    if (!lua_getmetatable(L, index))
        return;
    ll_lua_push_refusal(L, text);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
}

/* The table with the fields takes the place of the one at 1. */
static void
look_through(lua_State *L)
{
    if (ll_lua_frozen(L, 1))
        lua_replace(L, 1);
}

static int
raw_get(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    look_through(L);
    lua_rawget(L, 1);
    return 1;
}

static int
raw_len(lua_State *L)
{
    int type = lua_type(L, 1);
    luaL_argexpected(
        L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "table or string");
    lua_settop(L, 1);
    if (type == LUA_TTABLE)
        look_through(L);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
    return 1;
}

static int
raw_set(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    lua_pushvalue(L, 1);
    lua_insert(L, 2);
    if (ll_lua_frozen(L, 1)) {
        lua_pop(L, 1);
        lua_settable(L, 1); /* which refuses, or is _G while loading */
    } else {
        lua_rawset(L, 1);
    }
    lua_settop(L, 1);
    return 1;
}

void
ll_lua_open_raw(lua_State *L)
{
    static const luaL_Reg functions[] = {{"rawget", raw_get},
        {"rawlen", raw_len}, {"rawset", raw_set}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
