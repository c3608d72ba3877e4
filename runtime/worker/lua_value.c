/* worker/lua_value.c: Lua values as the wire's, for host calls. [worker]
 *
 * The wire knows bytes, not text: a Lua string goes over as it is.
 */
#include "worker/lua_lib.h"

struct put {
    lua_State *L;
    struct ll_buf *out;
    const struct ll_lua_subject *subject;
    uint32_t nodes;
    struct ll_lua_path path;
};

static void put_node(struct put *p, int index);

static void
put_table(struct put *p, int index)
{
    struct ll_lua_shape shape;
    int top = lua_gettop(p->L);
    if (p->path.depth == LL_VALUE_DEPTH_MAX - 1)
        ll_lua_path_error(p->L, p->subject, &p->path,
            "nested deeper than 15 levels, or within itself");
    const char *wrong =
        ll_lua_shape(p->L, index, LL_VALUE_NODES_MAX - p->nodes, &shape);
    if (wrong != NULL)
        ll_lua_path_error(p->L, p->subject, &p->path, wrong);
    p->path.depth++;
    if (shape.list)
        ll_put_list(p->out, shape.count);
    else
        ll_put_map(p->out, shape.count);
    for (uint32_t i = 0; i < shape.count; i++) {
        p->path.step[p->path.depth - 1].key = (linli_str){NULL, 0};
        p->path.step[p->path.depth - 1].index = i + 1;
        if (!shape.list) {
            p->path.step[p->path.depth - 1].key = shape.members[i].key;
            ll_put_bytes(p->out, shape.members[i].key);
            p->nodes++;
        }
        put_node(p, shape.list ? shape.first + (int)i : shape.members[i].at);
    }
    p->path.depth--;
    lua_settop(p->L, top);
}

static void
put_node(struct put *p, int index)
{
    linli_str s;
    if (++p->nodes > LL_VALUE_NODES_MAX - 2)
        ll_lua_path_error(
            p->L, p->subject, &p->path, "more values than a host call takes");
    switch (lua_type(p->L, index)) {
    case LUA_TNIL:
        ll_put_nil(p->out);
        return;
    case LUA_TBOOLEAN:
        ll_put_bool(p->out, lua_toboolean(p->L, index));
        return;
    case LUA_TNUMBER:
        if (lua_isinteger(p->L, index))
            ll_put_int(p->out, lua_tointeger(p->L, index));
        else
            ll_put_double(p->out, lua_tonumber(p->L, index));
        return;
    case LUA_TSTRING:
        s.ptr = lua_tolstring(p->L, index, &s.len);
        ll_put_bytes(p->out, s);
        return;
    case LUA_TTABLE:
        put_table(p, index);
        return;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(p->L, index) == &ll_lua_null) {
            ll_put_nil(p->out);
            return;
        }
        break;
    default:
        break;
    }
    lua_pushfstring(
        p->L, "a %s cannot go to the host", luaL_typename(p->L, index));
    ll_lua_path_error(p->L, p->subject, &p->path, lua_tostring(p->L, -1));
}

void
ll_lua_put_value(lua_State *L, int index, struct ll_buf *out,
    const struct ll_lua_subject *subject)
{
    struct put p = {.L = L, .out = out, .subject = subject};
    ll_lua_stack(L, 8, NULL);
    put_node(&p, lua_absindex(L, index));
    if (out->failed)
        ll_lua_path_error(L, subject, &p.path, "larger than a host call takes");
}

static void
push_map(lua_State *L, struct ll_rd *rd)
{
    uint32_t n = ll_rd_map(rd);
    lua_createtable(L, 0, (int)n);
    for (uint32_t i = 0; i < n; i++) {
        linli_str key = ll_rd_bytes(rd);
        lua_pushlstring(L, key.ptr == NULL ? "" : key.ptr, key.len);
        ll_lua_push_value(L, rd);
        lua_rawset(L, -3);
    }
}

static void
push_list(lua_State *L, struct ll_rd *rd)
{
    uint32_t n = ll_rd_list(rd);
    lua_createtable(L, (int)n, 0);
    ll_lua_mark_list(L, -1);
    for (uint32_t i = 1; i <= n; i++) {
        ll_lua_push_value(L, rd);
        lua_rawseti(L, -2, i);
    }
}

/* The reader has been checked whole: depth and size are bounded. */
void
ll_lua_push_value(lua_State *L, struct ll_rd *rd)
{
    linli_str s;
    ll_lua_stack(L, 8, "a host's answer nested too deep");
    switch (ll_rd_peek(rd)) {
    case LL_VALUE_FALSE:
    case LL_VALUE_TRUE:
        lua_pushboolean(L, ll_rd_bool(rd));
        return;
    case LL_VALUE_INT:
        lua_pushinteger(L, ll_rd_int(rd));
        return;
    case LL_VALUE_DOUBLE:
        lua_pushnumber(L, ll_rd_double(rd));
        return;
    case LL_VALUE_BYTES:
        s = ll_rd_bytes(rd);
        lua_pushlstring(L, s.ptr == NULL ? "" : s.ptr, s.len);
        return;
    case LL_VALUE_LIST:
        push_list(L, rd);
        return;
    case LL_VALUE_MAP:
        push_map(L, rd);
        return;
    default: /* nil, which the getter of bytes or nil steps over */
        (void)ll_rd_value(rd);
        lua_pushlightuserdata(L, &ll_lua_null);
        return;
    }
}
