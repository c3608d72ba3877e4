/* worker/lua_order.c: an order for tables, the same in every run. [worker]
 *
 * Lua walks a table in an order that depends on a seed and on addresses, and
 * its sort picks pivots by the clock. A call must replay to the same bytes,
 * so: pairs and next go by key, numbers ascending, then strings bytewise,
 * then false, true; and sort is a stable merge sort.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "worker/lua_lib.h"

#define KEYS_ON_STACK 24 /* keys of a small table need no allocation */

enum key_rank { KEY_NUMBER, KEY_STRING, KEY_BOOL };

struct key {
    enum key_rank rank;
    bool is_int;
    int at; /* where it was met: 1 .. */
    union {
        lua_Integer i;
        lua_Number n;
        linli_str s;
    } u;
};

static int
compare_mixed(lua_Integer i, lua_Number n)
{
    /* A float key has no exact integer value, so they are never equal. */
    if (n >= 0x1p63)
        return -1;
    if (n < -0x1p63)
        return 1;
    return i <= (lua_Integer)floor(n) ? -1 : 1;
}

static int
compare_numbers(const struct key *a, const struct key *b)
{
    if (a->is_int && b->is_int)
        return (a->u.i > b->u.i) - (a->u.i < b->u.i);
    if (!a->is_int && !b->is_int)
        return (a->u.n > b->u.n) - (a->u.n < b->u.n);
    return a->is_int ? compare_mixed(a->u.i, b->u.n)
                     : -compare_mixed(b->u.i, a->u.n);
}

static int
compare_strings(linli_str a, linli_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare_keys(const void *x, const void *y)
{
    const struct key *a = x, *b = y;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rank == KEY_NUMBER)
        return compare_numbers(a, b);
    if (a->rank == KEY_STRING)
        return compare_strings(a->u.s, b->u.s);
    return (a->u.i > b->u.i) - (a->u.i < b->u.i);
}

/* Reads the key at `index`; it must not be converted, lua_next needs it. */
static void
read_key(lua_State *L, int index, struct key *key)
{
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        key->rank = KEY_NUMBER;
        key->is_int = lua_isinteger(L, index);
        if (key->is_int)
            key->u.i = lua_tointeger(L, index);
        else
            key->u.n = lua_tonumber(L, index);
        return;
    case LUA_TSTRING:
        key->rank = KEY_STRING;
        key->u.s.ptr = lua_tolstring(L, index, &key->u.s.len);
        return;
    case LUA_TBOOLEAN:
        key->rank = KEY_BOOL;
        key->u.i = lua_toboolean(L, index);
        return;
    default:
        (void)luaL_error(L,
            "a table with a key that is a %s has no order to walk it in; "
            "use strings or numbers as keys, or keep a list beside it",
            luaL_typename(L, index));
    }
}

static lua_Integer
count_keys(lua_State *L, int table)
{
    lua_Integer n = 0;
    lua_pushnil(L);
    for (; lua_next(L, table); lua_pop(L, 1))
        n++;
    return n;
}

/* A list's keys come in order by themselves. */
static bool
is_list(lua_State *L, int table)
{
    lua_Integer next = 1;
    lua_pushnil(L);
    for (; lua_next(L, table); next++) {
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) != next) {
            lua_pop(L, 1);
            return false;
        }
    }
    return true;
}

/* Pushes a list of the table's keys in order. */
static void
push_keys(lua_State *L, int table, lua_Integer n)
{
    struct key few[KEYS_ON_STACK];
    struct key *keys = few;
    int at = 0;
    bool sorted = true;
    if (n > INT32_MAX)
        (void)luaL_error(L, "a table with too many keys to walk");
    if (n > KEYS_ON_STACK)
        keys = lua_newuserdatauv(L, (size_t)n * sizeof *keys, 0);
    else
        lua_pushnil(L);
    lua_createtable(L, (int)n, 0);
    int met = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        read_key(L, -1, &keys[at]);
        keys[at].at = at + 1;
        if (at > 0 && compare_keys(&keys[at - 1], &keys[at]) > 0)
            sorted = false;
        at++;
        lua_pushvalue(L, -1);
        lua_rawseti(L, met, at);
    }
    if (!sorted) {
        qsort(keys, (size_t)at, sizeof *keys, compare_keys);
        lua_createtable(L, at, 0);
        for (int i = 0; i < at; i++) {
            lua_rawgeti(L, met, keys[i].at);
            lua_rawseti(L, met + 1, i + 1);
        }
        lua_remove(L, met);
    }
    lua_remove(L, -2);
}

/* upvalues: table, position, and the keys or, of a list, its length */
static int
walk(lua_State *L)
{
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(2));
    bool list = lua_isinteger(L, lua_upvalueindex(3));
    for (;;) {
        at++;
        if (list && at > lua_tointeger(L, lua_upvalueindex(3)))
            return 0;
        if (list)
            lua_pushinteger(L, at);
        else if (lua_rawgeti(L, lua_upvalueindex(3), at) == LUA_TNIL)
            return 0;
        lua_pushvalue(L, -1);
        /* What was removed on the way is not met. */
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
            break;
        lua_pop(L, 2);
    }
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(2));
    return 2;
}

static int
pairs_called(lua_State *L, int status, lua_KContext context)
{
    LL_UNUSED(L);
    LL_UNUSED(status);
    LL_UNUSED(context);
    return 3;
}

static int
ordered_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_callk(L, 1, 3, 0, pairs_called);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (ll_lua_frozen(L, 1))
        lua_replace(L, 1);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    lua_Integer n = count_keys(L, 1);
    if (is_list(L, 1))
        lua_pushinteger(L, n);
    else
        push_keys(L, 1, n);
    lua_pushcclosure(L, walk, 3);
    return 1;
}

/* next(t, k): looks at every key each time; pairs is the way to walk. */
static int
ordered_next(lua_State *L)
{
    struct key after, best = {0}, key = {0};
    bool found = false;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    bool first = lua_isnil(L, 2);
    if (!first)
        read_key(L, 2, &after);
    if (ll_lua_frozen(L, 1))
        lua_replace(L, 1);
    lua_pushnil(L); /* 3: the best key so far */
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        read_key(L, -1, &key);
        if ((first || compare_keys(&key, &after) > 0) &&
            (!found || compare_keys(&key, &best) < 0)) {
            best = key;
            found = true;
            lua_pushvalue(L, -1);
            lua_replace(L, 3);
        }
    }
    lua_settop(L, 3);
    if (!found)
        return 1;
    lua_pushvalue(L, 3);
    lua_rawget(L, 1);
    return 2;
}

void
ll_lua_open_order(lua_State *L)
{
    lua_pushcfunction(L, ordered_pairs);
    lua_setfield(L, -2, "pairs");
    lua_pushcfunction(L, ordered_next);
    lua_setfield(L, -2, "next");
}

/* -- table.sort -- */

/* The values lie on the stack from `base` on; what moves are indices. */
struct sort {
    lua_State *L;
    int base;
    bool compare; /* a function at 2 */
    int32_t *from, *to;
};

/* Is the value b to stand before a? Only if so do they change places, which
 * is what makes the sort stable. */
static bool
before(struct sort *s, int32_t b, int32_t a)
{
    lua_State *L = s->L;
    if (!s->compare)
        return lua_compare(L, s->base + b, s->base + a, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, s->base + b);
    lua_pushvalue(L, s->base + a);
    lua_call(L, 2, 1);
    bool is = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is;
}

/* Merges from[low, middle) and from[middle, high) into to[low, high). */
static void
merge(struct sort *s, int32_t low, int32_t middle, int32_t high)
{
    int32_t a = low, b = middle;
    for (int32_t i = low; i < high; i++)
        if (a < middle && (b == high || !before(s, s->from[b], s->from[a])))
            s->to[i] = s->from[a++];
        else
            s->to[i] = s->from[b++];
}

static void
merge_all(struct sort *s, int32_t n)
{
    for (int32_t width = 1; width < n; width *= 2) {
        for (int32_t low = 0; low < n; low += 2 * width) {
            int32_t middle = low + width < n ? low + width : n;
            int32_t high = middle + width < n ? middle + width : n;
            ll_lua_check_due(s->L);
            merge(s, low, middle, high);
        }
        int32_t *swap = s->from;
        s->from = s->to;
        s->to = swap;
    }
}

int
ll_lua_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_Integer length = luaL_len(L, 1);
    if (length < 2)
        return 0;
    luaL_argcheck(L, length < LL_LUA_SORT_MAX, 1, "too many items to sort");
    int32_t n = (int32_t)length;
    ll_lua_stack(L, n + 8, "too many items to sort");
    size_t bytes = (size_t)n * sizeof(int32_t);
    int32_t *indices = lua_newuserdatauv(L, 2 * bytes, 0);
    struct sort s = {.L = L,
        .base = lua_gettop(L) + 1,
        .compare = !lua_isnil(L, 2),
        .from = indices,
        .to = indices + n};
    for (int32_t i = 0; i < n; i++) {
        s.from[i] = i;
        lua_geti(L, 1, i + 1);
    }
    merge_all(&s, n);
    for (int32_t i = 0; i < n; i++) {
        lua_pushvalue(L, s.base + s.from[i]);
        lua_seti(L, 1, i + 1);
    }
    return 0;
}
