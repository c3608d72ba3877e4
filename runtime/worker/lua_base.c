/* worker/lua_base.c: the globals of a plugin. [worker]
 *
 * An allow-list: the tables a plugin sees are made here and filled by name.
 * The stock libraries are opened aside and forgotten, so what is not copied
 * cannot be reached, whatever a distribution adds. loadlib, liolib, loslib
 * and ldblib are never opened.
 */
#include <lualib.h>
#include <string.h>

#include "worker/lua_lib.h"

static char names_key; /* registry: function to its name */

/* Functions of Lua's own, as they are. */
static const char *const base_names[] = {"assert", "error", "getmetatable",
    "ipairs", "rawequal", "select", "tonumber", "type", "_VERSION", NULL};
static const char *const math_names[] = {"abs", "acos", "asin", "atan", "ceil",
    "cos", "deg", "exp", "floor", "fmod", "huge", "log", "max", "maxinteger",
    "min", "mininteger", "modf", "pi", "rad", "sin", "sqrt", "tan", "tointeger",
    "type", "ult", NULL};
static const char *const string_names[] = {"byte", "char", "find", "gmatch",
    "gsub", "len", "lower", "match", "pack", "packsize", "reverse", "sub",
    "unpack", "upper", NULL};
static const char *const table_names[] = {"pack", "unpack", NULL};
static const char *const utf8_names[] = {
    "char", "charpattern", "codepoint", "codes", "len", "offset", NULL};

/* -- text of values -- */

static void
push_type_text(lua_State *L)
{
    if (luaL_getmetafield(L, -1, "__name") == LUA_TSTRING)
        return;
    if (lua_touserdata(L, -1) == &ll_lua_null)
        lua_pushliteral(L, "null");
    else
        lua_pushstring(L, luaL_typename(L, -1));
}

void
ll_lua_to_text(lua_State *L)
{
    ll_lua_stack(L, 4, NULL);
    if (luaL_callmeta(L, -1, "__tostring")) {
        if (!lua_isstring(L, -1))
            (void)luaL_error(L, "'__tostring' must return a string");
        lua_remove(L, -2);
        return;
    }
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        return;
    case LUA_TNUMBER:
        (void)lua_tolstring(L, -1, NULL);
        return;
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
        break;
    case LUA_TNIL:
        lua_pushliteral(L, "nil");
        break;
    default: {
        int before = lua_gettop(L);
        push_type_text(L);
        lua_replace(L, before);
        lua_settop(L, before);
        return;
    }
    }
    lua_remove(L, -2);
}

static int
to_string(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    ll_lua_to_text(L);
    return 1;
}

static int
print(lua_State *L)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    int n = lua_gettop(L);
    luaL_Buffer line;
    for (int i = 1; i <= n; i++) {
        lua_pushvalue(L, i);
        ll_lua_to_text(L);
        lua_replace(L, i);
    }
    luaL_buffinit(L, &line);
    for (int i = 1; i <= n && luaL_bufflen(&line) < LL_LOG_LINE_BYTES_MAX;
         i++) {
        if (i > 1)
            luaL_addchar(&line, '\t');
        lua_pushvalue(L, i);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    linli_str text;
    text.ptr = lua_tolstring(L, -1, &text.len);
    ll_worker_log(
        lua->worker, lua->current->call, lua->current->run, LL_LOG_INFO, text);
    return 0;
}

/* -- wrapped functions; upvalue 1 is the stock one -- */

static int
stock(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int
set_metatable(lua_State *L)
{
    int type = lua_type(L, 2);
    luaL_argexpected(
        L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: __gc is not available; use a "
                                 "to-be-closed variable");
        lua_pushliteral(L, "__mode");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: __mode is not available: "
                                 "what a weak table holds is not the same in "
                                 "every run");
        lua_settop(L, 2);
    }
    return stock(L);
}

/* Does the work of `%s` for what string.format would print an address of. */
static int
string_format(lua_State *L)
{
    size_t length;
    const char *p = luaL_checklstring(L, 1, &length), *end = p + length;
    int argument = 1, top = lua_gettop(L);
    while ((p = memchr(p, '%', (size_t)(end - p))) != NULL) {
        p++;
        if (p < end && *p == '%') {
            p++;
            continue;
        }
        while (p < end && memchr("-+ #0123456789.", *p, 15) != NULL)
            p++;
        if (p == end)
            break;
        argument++;
        if (*p == 'p')
            return luaL_error(L, "string.format: '%%p' is not available");
        if (*p == 's' && argument <= top && !lua_isstring(L, argument)) {
            lua_pushvalue(L, argument);
            ll_lua_to_text(L);
            lua_replace(L, argument);
        }
        p++;
    }
    return stock(L);
}

static int
string_rep(lua_State *L)
{
    size_t length, separator = 0;
    (void)luaL_checklstring(L, 1, &length);
    lua_Integer n = luaL_checkinteger(L, 2);
    (void)luaL_optlstring(L, 3, "", &separator);
    size_t max = ll_lua_state(L)->heap.max_bytes;
    if (n <= 0 || length + separator == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (length + separator > max ||
        (lua_Unsigned)n > max / (length + separator))
        return luaL_error(L, "string.rep: the result is larger than the "
                             "plugin's memory");
    return stock(L);
}

/* A table's metamethods can claim any length. */
static void
check_length(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_getmetatable(L, 1))
        return;
    lua_pop(L, 1);
    if (luaL_len(L, 1) > LL_LUA_LIST_MAX)
        (void)luaL_error(L, "a list of more than %d items", LL_LUA_LIST_MAX);
}

static int
table_insert_remove(lua_State *L)
{
    check_length(L);
    return stock(L);
}

static void
check_range(lua_State *L, lua_Integer first, lua_Integer last)
{
    if (last >= first &&
        (lua_Unsigned)last - (lua_Unsigned)first >= LL_LUA_LIST_MAX)
        (void)luaL_error(L, "a range of more than %d items", LL_LUA_LIST_MAX);
}

static int
table_move(lua_State *L)
{
    check_range(L, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
    return stock(L);
}

static int
table_concat(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer last = luaL_len(L, 1);
    check_range(L, luaL_optinteger(L, 3, 1), luaL_optinteger(L, 4, last));
    return stock(L);
}

/* -- filling -- */

/* From the stock table on top into the one at `to`. */
static void
copy_names(lua_State *L, int to, const char *const *names)
{
    for (; *names != NULL; names++) {
        ll_check(lua_getfield(L, -1, *names) != LUA_TNIL);
        lua_setfield(L, to, *names);
    }
}

static void
wrap(lua_State *L, int to, const char *name, lua_CFunction wrapper)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, wrapper, 1);
    lua_setfield(L, to, name);
}

/* Pushes a stock library's table, opened aside. */
static void
push_stock(lua_State *L, lua_CFunction open)
{
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1);
}

/* Notes what the functions of the table on top are called. */
static void
note_names(lua_State *L, const char *library)
{
    int own = lua_gettop(L);
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
    lua_pushnil(L);
    for (; lua_next(L, own); lua_pop(L, 1)) {
        if (!lua_isfunction(L, -1))
            continue;
        lua_pushvalue(L, -1);
        lua_pushfstring(L, "%s%s", library, lua_tostring(L, -3));
        lua_rawset(L, own + 1);
    }
    lua_pop(L, 1);
}

const char *
ll_lua_function_name(lua_State *L)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
    lua_pushvalue(L, -2);
    (void)lua_rawget(L, -2);
    const char *name = lua_tostring(L, -1); /* kept by the table */
    lua_pop(L, 2);
    return name;
}

/* Takes the filled library on top, makes it read-only and global. */
static void
publish(lua_State *L, int globals, const char *name)
{
    static const struct ll_lua_frozen_text text = {
        "the library field", "libraries are read-only"};
    lua_pushfstring(L, "%s.", name);
    lua_insert(L, -2);
    note_names(L, lua_tostring(L, -2));
    lua_remove(L, -2);
    ll_lua_seal(L, text, false);
    lua_setfield(L, globals, name);
}

static void
open_string(lua_State *L, int globals)
{
    lua_newtable(L);
    int own = lua_gettop(L);
    push_stock(L, luaopen_string);
    copy_names(L, own, string_names);
    wrap(L, own, "rep", string_rep);
    wrap(L, own, "format", string_format);
    lua_pop(L, 1);
    /* s:len() and the like reach our table, and nobody the metatable. */
    lua_pushliteral(L, "");
    ll_check(lua_getmetatable(L, -1));
    lua_pushvalue(L, own);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_settop(L, own);
    publish(L, globals, "string");
}

static void
open_table(lua_State *L, int globals)
{
    lua_newtable(L);
    int own = lua_gettop(L);
    push_stock(L, luaopen_table);
    copy_names(L, own, table_names);
    wrap(L, own, "insert", table_insert_remove);
    wrap(L, own, "remove", table_insert_remove);
    wrap(L, own, "move", table_move);
    wrap(L, own, "concat", table_concat);
    lua_settop(L, own);
    lua_pushcfunction(L, ll_lua_sort);
    lua_setfield(L, own, "sort");
    publish(L, globals, "table");
}

static void
open_math_utf8(lua_State *L, int globals)
{
    lua_newtable(L);
    int own = lua_gettop(L);
    push_stock(L, luaopen_math);
    copy_names(L, own, math_names);
    lua_settop(L, own);
    ll_lua_open_random(L);
    publish(L, globals, "math");
    lua_newtable(L);
    push_stock(L, luaopen_utf8);
    copy_names(L, own, utf8_names);
    lua_settop(L, own);
    publish(L, globals, "utf8");
}

void
ll_lua_open_base(lua_State *L)
{
    int globals = lua_gettop(L);
    ll_lua_stack(L, 20, NULL);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
    push_stock(L, luaopen_base);
    copy_names(L, globals, base_names);
    wrap(L, globals, "setmetatable", set_metatable);
    lua_settop(L, globals);
    static const luaL_Reg own[] = {
        {"tostring", to_string}, {"print", print}, {NULL, NULL}};
    luaL_setfuncs(L, own, 0);
    ll_lua_open_protected(L);
    ll_lua_open_order(L);
    ll_lua_open_raw(L);
    note_names(L, "");
    open_string(L, globals);
    open_table(L, globals);
    open_math_utf8(L, globals);
    ll_lua_open_coroutine(L);
    publish(L, globals, "coroutine");
}
