/* worker/lua_json.c: JSON straight between bytes and Lua values. [worker]
 *
 * Integers stay integers, doubles doubles. null is the light userdata
 * `linli.null`; a decoded array bears the mark of a list. Objects are
 * written by key, bytewise, so equal values are equal bytes.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "worker/lua_lib.h"

char ll_lua_null;

/* -- in -- */

static uint32_t push_node(
    lua_State *L, const struct ll_json *json, uint32_t at);

static inline void
push_text(
    lua_State *L, const struct ll_json *json, const struct ll_json_node *node)
{
    const char *bytes = node->unescaped ? json->own.ptr : json->text.ptr;
    lua_pushlstring(L, bytes + node->u.at, node->size);
}

static uint32_t
push_array(lua_State *L, const struct ll_json *json, uint32_t at)
{
    uint32_t n = json->nodes[at].size;
    ll_lua_stack(L, 8, "JSON nested too deep");
    lua_createtable(L, (int)n, 0);
    ll_lua_mark_list(L, -1);
    at++;
    for (uint32_t i = 1; i <= n; i++) {
        at = push_node(L, json, at);
        lua_rawseti(L, -2, i);
    }
    return at;
}

static uint32_t
push_object(lua_State *L, const struct ll_json *json, uint32_t at)
{
    uint32_t n = json->nodes[at].size;
    ll_lua_stack(L, 8, "JSON nested too deep");
    lua_createtable(L, 0, (int)n);
    at++;
    for (uint32_t i = 0; i < n; i++) {
        push_text(L, json, &json->nodes[at]);
        at = push_node(L, json, at + 1);
        lua_rawset(L, -3);
    }
    return at;
}

/* Returns the index after the value. Depth is bounded by the reader. */
static uint32_t
push_node(lua_State *L, const struct ll_json *json, uint32_t at)
{
    const struct ll_json_node *node = &json->nodes[at];
    switch ((enum ll_json_type)node->type) {
    case LL_JSON_NULL:
        lua_pushlightuserdata(L, &ll_lua_null);
        return at + 1;
    case LL_JSON_FALSE:
    case LL_JSON_TRUE:
        lua_pushboolean(L, node->type == LL_JSON_TRUE);
        return at + 1;
    case LL_JSON_INT:
        lua_pushinteger(L, node->u.i);
        return at + 1;
    case LL_JSON_DOUBLE:
        lua_pushnumber(L, node->u.d);
        return at + 1;
    case LL_JSON_STRING:
        push_text(L, json, node);
        return at + 1;
    case LL_JSON_ARRAY:
        return push_array(L, json, at);
    case LL_JSON_OBJECT:
        return push_object(L, json, at);
    }
    ll_panic(__FILE__, __LINE__, "a JSON node of no type");
}

void
ll_lua_push_json(lua_State *L, struct ll_jv value)
{
    ll_lua_stack(L, 8, NULL);
    (void)push_node(L, value.json, value.at);
}

/* -- out -- */

struct put {
    lua_State *L;
    struct ll_buf *out;
    const struct ll_lua_subject *subject;
    struct ll_lua_path path;
};

LL_NORETURN static void
refuse(struct put *p, const char *what)
{
    ll_lua_path_error(p->L, p->subject, &p->path, what);
}

/* True if the bytes go out as they are: visible ASCII but '"' and '\'. */
static inline bool
is_plain(linli_str s)
{
    unsigned special = 0;
    for (size_t i = ll_json_plain_run(s.ptr, s.len); i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        special |= (unsigned)(c < 0x20) | (unsigned)(c >= 0x80) |
                   (unsigned)(c == '"') | (unsigned)(c == '\\');
    }
    return special == 0;
}

static void
put_string(struct put *p, linli_str s)
{
    ll_buf_char(p->out, '"');
    if (LL_LIKELY(is_plain(s)))
        ll_buf_str(p->out, s);
    else if (ll_utf8_valid(s))
        ll_json_escape(p->out, s);
    else
        refuse(p, "a string that is not UTF-8");
    ll_buf_char(p->out, '"');
}

static void
put_number(struct put *p, int index)
{
    struct ll_jw w = ll_jw(p->out);
    if (LL_LIKELY(lua_isinteger(p->L, index))) {
        ll_jw_int(&w, lua_tointeger(p->L, index));
        return;
    }
    double d = lua_tonumber(p->L, index);
    if (!isfinite(d))
        refuse(p, isnan(d) ? "not a number (NaN)" : "an infinite number");
    ll_jw_double(&w, d);
}

static void put_node(struct put *p, int index);

static void
put_list(struct put *p, const struct ll_lua_shape *shape)
{
    ll_buf_char(p->out, '[');
    for (uint32_t i = 0; i < shape->count; i++) {
        if (i > 0)
            ll_buf_char(p->out, ',');
        p->path.step[p->path.depth - 1].key = (linli_str){NULL, 0};
        p->path.step[p->path.depth - 1].index = i + 1;
        put_node(p, shape->first + (int)i);
    }
    ll_buf_char(p->out, ']');
}

static void
put_map(struct put *p, const struct ll_lua_shape *shape)
{
    ll_buf_char(p->out, '{');
    for (uint32_t i = 0; i < shape->count; i++) {
        const struct ll_lua_member *member = &shape->members[i];
        if (i > 0)
            ll_buf_char(p->out, ',');
        p->path.step[p->path.depth - 1].key = member->key;
        put_string(p, member->key);
        ll_buf_char(p->out, ':');
        put_node(p, member->at);
    }
    ll_buf_char(p->out, '}');
}

static void
put_table(struct put *p, int index)
{
    struct ll_lua_shape shape;
    int top = lua_gettop(p->L);
    if (p->path.depth == LL_LUA_JSON_DEPTH_MAX)
        refuse(p, "nested deeper than 16 levels, or within itself");
    const char *wrong =
        ll_lua_shape(p->L, index, p->out->max_bytes - p->out->len, &shape);
    if (wrong != NULL)
        refuse(p, wrong);
    p->path.depth++;
    if (shape.list)
        put_list(p, &shape);
    else
        put_map(p, &shape);
    p->path.depth--;
    lua_settop(p->L, top);
    if (p->out->failed)
        refuse(p, "larger than may be written");
}

static void
put_node(struct put *p, int index)
{
    linli_str s;
    switch (lua_type(p->L, index)) {
    case LUA_TBOOLEAN:
        ll_buf_cstr(p->out, lua_toboolean(p->L, index) ? "true" : "false");
        return;
    case LUA_TNUMBER:
        put_number(p, index);
        return;
    case LUA_TSTRING:
        s.ptr = lua_tolstring(p->L, index, &s.len);
        put_string(p, s);
        return;
    case LUA_TTABLE:
        put_table(p, index);
        return;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(p->L, index) == &ll_lua_null) {
            ll_buf_cstr(p->out, "null");
            return;
        }
        break;
    default:
        break;
    }
    lua_pushfstring(p->L, "a %s has no JSON", luaL_typename(p->L, index));
    refuse(p, lua_tostring(p->L, -1));
}

void
ll_lua_put_json(lua_State *L, int index, struct ll_buf *out,
    const struct ll_lua_subject *subject)
{
    struct put p = {.L = L, .out = out, .subject = subject};
    ll_lua_stack(L, 8, NULL);
    put_node(&p, lua_absindex(L, index));
    if (out->failed)
        refuse(&p, "larger than may be written");
}

/* -- for plugins -- */

static int
json_encode(lua_State *L)
{
    struct ll_buf *out = &ll_lua_state(L)->engine->scratch;
    luaL_checkany(L, 1);
    ll_buf_clear(out);
    ll_lua_put_json(L, 1, out, &(struct ll_lua_subject){.what = "the value"});
    lua_pushlstring(L, out->ptr, out->len);
    return 1;
}

static int
json_decode(lua_State *L)
{
    struct ll_json *tape = &ll_lua_state(L)->engine->tape;
    struct ll_err err;
    linli_str text;
    text.ptr = luaL_checklstring(L, 1, &text.len);
    if (text.len > LL_HTTP_BODY_BYTES_MAX) {
        /* The tape is the worker's memory, not the plugin's. */
        lua_pushnil(L);
        lua_pushliteral(L, "more than 1 MiB of JSON");
        return 2;
    }
    if (ll_json_parse(tape, text, LL_BODY_DEPTH_MAX, &err) != LINLI_OK) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s: %s", err.where, err.msg);
        return 2;
    }
    ll_lua_push_json(L, ll_json_root(tape));
    return 1;
}

static int
make_array(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (lua_getmetatable(L, 1)) {
        if (lua_topointer(L, -1) == ll_lua_state(L)->list_mark_at) {
            lua_settop(L, 1);
            return 1;
        }
        return luaL_error(
            L, "linli.array: the table has a metatable of its own");
    }
    ll_lua_mark_list(L, 1);
    return 1;
}

void
ll_lua_open_json(lua_State *L)
{
    static const luaL_Reg functions[] = {{"json_encode", json_encode},
        {"json_decode", json_decode}, {"array", make_array}, {NULL, NULL}};
    struct ll_lua_state *state = ll_lua_state(L);
    luaL_setfuncs(L, functions, 0);
    lua_pushlightuserdata(L, &ll_lua_null);
    lua_setfield(L, -2, "null");
    lua_newtable(L);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    state->list_mark_at = lua_topointer(L, -1);
    state->list_mark = luaL_ref(L, LUA_REGISTRYINDEX);
}
