/* worker/lua_shape.c: a Lua table as a list or a map. [worker]
 *
 * Shared by all that writes Lua values out. A list has the keys 1 .. n, a
 * map has strings; an empty table is a map unless it bears the mark of a
 * list. Nothing here calls a metamethod, and no plugin code runs.
 */
#include <stdlib.h>
#include <string.h>

#include "worker/lua_lib.h"

static const char mixed[] =
    "a table with both a list's and a map's keys, or with a gap; a list has "
    "the keys 1 to n, a map has strings";

static int
by_key(const void *x, const void *y)
{
    const struct ll_lua_member *a = x, *b = y;
    size_t n = a->key.len < b->key.len ? a->key.len : b->key.len;
    int order = memcmp(a->key.ptr, b->key.ptr, n);
    return order != 0 ? order
                      : (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

static void
sort_members(struct ll_lua_member *members, uint32_t n)
{
    if (n > LL_COUNT(((struct ll_lua_shape *)0)->few)) {
        qsort(members, n, sizeof *members, by_key);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        struct ll_lua_member moving = members[i];
        uint32_t at = i;
        for (; at > 0 && by_key(&members[at - 1], &moving) > 0; at--)
            members[at] = members[at - 1];
        members[at] = moving;
    }
}

/* Values that did not come in order: keys in the hash part. */
static const char *
gather_scattered(
    lua_State *L, int index, uint32_t count, struct ll_lua_shape *shape)
{
    ll_lua_stack(L, (int)count + 4, "a list too long to write");
    for (uint32_t i = 1; i <= count; i++)
        if (lua_rawgeti(L, index, i) == LUA_TNIL)
            return mixed;
    shape->count = count;
    return NULL;
}

/* The first key is on top. Leaves the values, in order. */
static const char *
gather_list(lua_State *L, int index, size_t max, struct ll_lua_shape *shape)
{
    uint32_t count = 0, in_order = 0;
    do {
        if (++count > max)
            return "more items than can be written";
        if ((count & 63) == 1)
            ll_lua_stack(L, 64 + 4, "a list too long to write");
        if (!lua_isinteger(L, -2))
            return mixed;
        in_order += lua_tointeger(L, -2) == count;
        lua_insert(L, -2);
    } while (lua_next(L, index));
    shape->count = count;
    if (LL_LIKELY(in_order == count))
        return NULL;
    lua_settop(L, shape->first - 1);
    return gather_scattered(L, index, count, shape);
}

/* The first key and value are on top. Leaves key, value, key, value ... */
static const char *
gather_map(lua_State *L, int index, size_t max, struct ll_lua_shape *shape)
{
    uint32_t count = 0;
    do {
        if (++count > max)
            return "more members than can be written";
        if ((count & 31) == 1)
            ll_lua_stack(L, 64 + 4, "a map too large to write");
        if (lua_type(L, -2) != LUA_TSTRING)
            return mixed;
        lua_pushvalue(L, -2);
    } while (lua_next(L, index));
    shape->count = count;
    shape->members = shape->few;
    if (count > LL_COUNT(shape->few))
        shape->members =
            lua_newuserdatauv(L, count * sizeof *shape->members, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct ll_lua_member *member = &shape->members[i];
        int at = shape->first + 2 * (int)i;
        member->key.ptr = lua_tolstring(L, at, &member->key.len);
        member->at = at + 1;
    }
    sort_members(shape->members, count);
    return NULL;
}

const char *
ll_lua_shape(lua_State *L, int index, size_t max, struct ll_lua_shape *shape)
{
    bool marked = false;
    shape->count = 0;
    shape->list = false;
    shape->members = shape->few;
    ll_lua_stack(L, 8, NULL);
    if (LL_UNLIKELY(ll_lua_frozen(L, index))) {
        index = lua_gettop(L);
    }
    if (lua_getmetatable(L, index)) {
        marked = lua_topointer(L, -1) == ll_lua_state(L)->list_mark_at;
        lua_pop(L, 1);
    }
    shape->first = lua_gettop(L) + 1;
    lua_pushnil(L);
    if (!lua_next(L, index)) {
        shape->list = marked;
        return NULL;
    }
    shape->list = lua_type(L, -2) == LUA_TNUMBER;
    if (marked && !shape->list)
        return mixed;
    return shape->list ? gather_list(L, index, max, shape)
                       : gather_map(L, index, max, shape);
}

void
ll_lua_mark_list(lua_State *L, int index)
{
    int table = lua_absindex(L, index);
    lua_rawgeti(L, LUA_REGISTRYINDEX, ll_lua_state(L)->list_mark);
    lua_setmetatable(L, table);
}

LL_NORETURN void
ll_lua_path_error(lua_State *L, const struct ll_lua_subject *subject,
    const struct ll_lua_path *path, const char *what)
{
    luaL_Buffer text;
    ll_lua_stack(L, 8, NULL);
    luaL_buffinit(L, &text);
    luaL_where(L, 1);
    luaL_addvalue(&text);
    if (subject->op != NULL) {
        ll_lua_push_op_name(L, subject->op);
        luaL_addvalue(&text);
        luaL_addstring(&text, ": ");
    }
    luaL_addstring(&text, subject->what);
    luaL_addstring(&text, path->depth == 0 ? "" : " at ");
    for (int i = 0; i < path->depth; i++) {
        luaL_addchar(&text, '/');
        linli_str key = path->step[i].key;
        if (key.ptr != NULL) {
            luaL_addlstring(&text, key.ptr, key.len < 40 ? key.len : 40);
        } else {
            lua_pushinteger(L, path->step[i].index);
            luaL_addvalue(&text);
        }
    }
    luaL_addstring(&text, ": ");
    luaL_addstring(&text, what);
    luaL_pushresult(&text);
    (void)lua_error(L);
    ll_panic(__FILE__, __LINE__, "lua_error returned");
}
