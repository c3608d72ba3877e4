/* worker/lua_db.c: call.db, the plugin's collections. [worker]
 *
 * call.db.NAME is a userdata that knows its name; its methods are operations
 * of the host. A document goes over as JSON, so that the host stores what the
 * plugin wrote, and comes back through the one reader.
 */
#include <string.h>

#include "base/text.h"
#include "worker/lua_op.h"

struct collection {
    linli_str name; /* in the manifest */
};

static char meta_key; /* in the registry: what all collections share */

static struct ll_buf *
args(lua_State *L)
{
    return &ll_lua_state(L)->engine->args;
}

/* -- arguments -- */

static void
put_id(lua_State *L, const struct ll_lua_op *op)
{
    LL_UNUSED(op);
    ll_put_bytes(args(L), ll_lua_op_string(L, 2));
}

static void
put_document(lua_State *L, const struct ll_lua_op *op)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    ll_lua_op_put_json(L, op, 2, "the document");
}

static void
put_changes(lua_State *L, const struct ll_lua_op *op)
{
    put_id(L, op);
    luaL_checktype(L, 3, LUA_TTABLE);
    ll_lua_op_put_json(L, op, 3, "the changes");
}

static void
put_query(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {{"index", LL_LUA_TEXT, false},
        {"eq", LL_LUA_VALUES, false}, {"from", LL_LUA_VALUES, false},
        {"to", LL_LUA_VALUES, false}, {"descending", LL_LUA_BOOLEAN, false},
        {"limit", LL_LUA_INTEGER, false}, {"cursor", LL_LUA_TEXT, false},
        {NULL, LL_LUA_TEXT, false}};
    ll_lua_op_put_members(L, op, 2, rules);
}

static void
put_count(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {{"index", LL_LUA_TEXT, false},
        {"eq", LL_LUA_VALUES, false}, {"from", LL_LUA_VALUES, false},
        {"to", LL_LUA_VALUES, false}, {NULL, LL_LUA_TEXT, false}};
    ll_lua_op_put_members(L, op, 2, rules);
}

/* {index, eq: the values from 3 to `last`} and `more` members. */
static void
put_index_query(
    lua_State *L, const struct ll_lua_op *op, int last, uint32_t more)
{
    linli_str index = ll_lua_op_string(L, 2);
    int count = last < 3 ? 0 : last - 2;
    if (count > LL_INDEX_FIELDS_MAX)
        ll_lua_op_error(L, op, "more values than an index has fields");
    ll_put_map(args(L), 2 + more);
    ll_put_bytes(args(L), LINLI_STR("index"));
    ll_put_bytes(args(L), index);
    ll_put_bytes(args(L), LINLI_STR("eq"));
    ll_put_list(args(L), (uint32_t)count);
    for (int i = 3; i < 3 + count; i++) {
        /* A misspelt variable, more often than what is meant. */
        if (lua_isnil(L, i))
            ll_lua_op_error(L, op,
                "a value is nil; linli.null finds documents without one");
        ll_lua_op_put_value(L, op, i, "the value");
    }
}

static void
put_find(lua_State *L, const struct ll_lua_op *op)
{
    (void)ll_lua_op_string(L, 2);
    if (lua_gettop(L) < 3)
        ll_lua_op_misused(L, op,
            "it takes an index and a value or more; the first document of "
            "all is that of list{index =, limit = 1}");
    put_index_query(L, op, lua_gettop(L), 1);
    ll_put_bytes(args(L), LINLI_STR("limit"));
    ll_put_int(args(L), 1);
}

static void
put_interval(lua_State *L, const struct ll_lua_op *op)
{
    int top = lua_gettop(L);
    if (top < 4)
        ll_lua_op_misused(L, op, "there are too few arguments");
    put_index_query(L, op, top - 2, 2);
    ll_put_bytes(args(L), LINLI_STR("from"));
    ll_put_int(args(L), ll_lua_op_integer(L, op, top - 1, "from"));
    ll_put_bytes(args(L), LINLI_STR("to"));
    ll_put_int(args(L), ll_lua_op_integer(L, op, top, "to"));
}

/* -- answers -- */

LL_NORETURN static void
unreadable(lua_State *L, const struct ll_lua_op *op)
{
    ll_lua_op_error(L, op, "the host's answer cannot be read");
}

static int
take_document(lua_State *L, const struct ll_lua_op *op, struct ll_rd *answer)
{
    bool there;
    linli_str text = ll_rd_bytes_or_nil(answer, &there);
    if (answer->bad)
        unreadable(L, op);
    if (there)
        ll_lua_op_push_json(L, op, text);
    else
        lua_pushnil(L);
    return 1;
}

/* [true, document], or [false, reason, index]. */
static int
take_written(lua_State *L, const struct ll_lua_op *op, struct ll_rd *answer)
{
    uint32_t count = ll_rd_list(answer);
    bool written = ll_rd_bool(answer);
    linli_str text = ll_rd_bytes(answer);
    if (answer->bad)
        unreadable(L, op);
    if (written)
        return ll_lua_op_push_json(L, op, text), 1;
    lua_pushnil(L);
    lua_pushlstring(L, text.ptr, text.len);
    if (count < 3 || ll_rd_peek(answer) != LL_VALUE_BYTES)
        return 2;
    ll_lua_op_push_value(L, answer);
    return 3;
}

static int
take_value(lua_State *L, const struct ll_lua_op *op, struct ll_rd *answer)
{
    LL_UNUSED(op);
    ll_lua_op_push_value(L, answer);
    return 1;
}

static void
push_documents(lua_State *L, const struct ll_lua_op *op, struct ll_rd *answer)
{
    uint32_t count = ll_rd_list(answer);
    if (answer->bad)
        unreadable(L, op);
    lua_createtable(L, (int)count, 0);
    ll_lua_mark_list(L, -1);
    for (uint32_t i = 1; i <= count; i++) {
        linli_str text = ll_rd_bytes(answer);
        if (answer->bad)
            unreadable(L, op);
        ll_lua_op_push_json(L, op, text);
        lua_rawseti(L, -2, i);
    }
}

/* [documents, next cursor or nil] */
static int
take_page(lua_State *L, const struct ll_lua_op *op, struct ll_rd *answer)
{
    if (ll_rd_list(answer) != 2)
        unreadable(L, op);
    push_documents(L, op, answer);
    ll_lua_op_push_value(L, answer);
    return 2;
}

/* [documents]: the list alone. */
static int
take_documents(lua_State *L, const struct ll_lua_op *op, struct ll_rd *answer)
{
    if (ll_rd_list(answer) != 1)
        unreadable(L, op);
    push_documents(L, op, answer);
    return 1;
}

/* The first of a page, or of all that overlap; nil if there is none. */
static int
take_first(lua_State *L, const struct ll_lua_op *op, struct ll_rd *answer)
{
    linli_str text = {NULL, 0};
    if (ll_rd_list(answer) >= 1 && ll_rd_list(answer) >= 1)
        text = ll_rd_bytes(answer);
    if (answer->bad)
        unreadable(L, op);
    if (text.len > 0)
        ll_lua_op_push_json(L, op, text);
    else
        lua_pushnil(L);
    return 1;
}

/* -- methods -- */

/* What it asks, how it writes its arguments after the collection's name, and
 * what it makes of the answer. */
static const struct method {
    const char *name; /* ":get" */
    const char *use;  /* what is written after it */
    uint32_t number;
    uint32_t arguments; /* of the host call */
    int most;           /* of the method's own, without self; 0: any */
    void (*put)(lua_State *L, const struct ll_lua_op *op);
    int (*take)(lua_State *L, const struct ll_lua_op *op, struct ll_rd *answer);
} methods[] = {
    {":get", "(id)", LL_OP_db_get, 2, 1, put_id, take_document},
    {":insert", "(document)", LL_OP_db_insert, 2, 1, put_document,
        take_written},
    {":put", "(document)", LL_OP_db_put, 2, 1, put_document, take_written},
    {":patch", "(id, changes)", LL_OP_db_patch, 3, 2, put_changes,
        take_written},
    {":delete", "(id)", LL_OP_db_delete, 2, 1, put_id, take_value},
    {":find", "(index, v1, ...)", LL_OP_db_list, 2, 0, put_find, take_first},
    {":list", "{index =, eq =, ...}", LL_OP_db_list, 2, 1, put_query,
        take_page},
    {":count", "{index =, eq =, ...}", LL_OP_db_count, 2, 1, put_count,
        take_value},
    {":overlaps", "(index, v1, ..., from, to)", LL_OP_db_overlaps, 2, 0,
        put_interval, take_first},
    {":overlapping", "(index, v1, ..., from, to)", LL_OP_db_overlaps, 2, 0,
        put_interval, take_documents},
};

static struct ll_lua_op
op_of(lua_State *L, const struct method *method)
{
    const struct collection *collection = lua_touserdata(L, 1);
    return (struct ll_lua_op){.number = method->number,
        .prefix = "call.db.",
        .collection = collection->name,
        .name = method->name,
        .use = method->use};
}

static int
answered(lua_State *L, int status, lua_KContext context)
{
    const struct method *method = &methods[context];
    struct ll_lua_op op = op_of(L, method);
    struct ll_rd answer = ll_lua_op_answer(L, &op);
    LL_UNUSED(status);
    ll_lua_stack(L, 8, NULL);
    return method->take(L, &op, &answer);
}

static void
check_collection(lua_State *L, const struct method *method)
{
    bool ours = lua_type(L, 1) == LUA_TUSERDATA && lua_getmetatable(L, 1) &&
                lua_topointer(L, -1) == ll_lua_state(L)->collection_at;
    if (!ours)
        (void)luaL_error(
            L, "call it with a colon: call.db.NAME%s(...)", method->name);
    lua_pop(L, 1);
}

/* upvalue: the index of the method */
static int
call_method(lua_State *L)
{
    lua_Integer index = lua_tointeger(L, lua_upvalueindex(1));
    const struct method *method = &methods[index];
    check_collection(L, method);
    struct ll_lua_op op = op_of(L, method);
    struct ll_buf *out = ll_lua_op_begin(L, &op, method->arguments);
    if (method->most != 0 && lua_gettop(L) > 1 + method->most)
        ll_lua_op_misused(L, &op, "there are too many arguments");
    ll_lua_stack(L, 16, NULL);
    ll_put_bytes(out, op.collection);
    method->put(L, &op);
    return ll_lua_op_send(L, &op, (lua_KContext)index, answered);
}

/* __index of the methods for names that are none. */
static int
no_method(lua_State *L)
{
    luaL_Buffer names;
    lua_settop(L, 2);
    ll_lua_to_text(L);
    luaL_buffinit(L, &names);
    for (size_t i = 0; i < LL_COUNT(methods); i++) {
        luaL_addstring(&names, i == 0 ? "" : ", ");
        luaL_addstring(&names, methods[i].name + 1);
    }
    luaL_pushresult(&names);
    return luaL_error(L, "a collection has no method '%s'; it has %s",
        lua_tostring(L, 2), lua_tostring(L, -1));
}

/* __index of call.db for names that plugin.json does not have. */
static int
no_collection(lua_State *L)
{
    const struct ll_lua *lua = ll_lua_state(L)->engine;
    luaL_Buffer names;
    lua_settop(L, 2);
    ll_lua_to_text(L);
    luaL_buffinit(L, &names);
    for (uint32_t i = 0; i < lua->collections.count; i++) {
        linli_str name = lua->collections.at[i];
        luaL_addstring(&names, i == 0 ? "" : ", ");
        luaL_addlstring(&names, name.ptr, name.len);
    }
    luaL_pushresult(&names);
    return luaL_error(L,
        "there is no collection '%s': plugin.json declares %s; add it under "
        "`collections`",
        lua_tostring(L, 2),
        lua->collections.count == 0 ? "none" : lua_tostring(L, -1));
}

/* Pushes the metatable that all collections share. */
static void
push_collection_meta(lua_State *L)
{
    static const struct ll_lua_frozen_text text = {"a collection's field",
        "documents are written with its methods insert, put and patch"};
    lua_newtable(L);
    lua_createtable(L, 0, (int)LL_COUNT(methods));
    for (size_t i = 0; i < LL_COUNT(methods); i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, call_method, 1);
        lua_setfield(L, -2, methods[i].name + 1);
    }
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, no_method);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    ll_lua_push_refusal(L, text);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushliteral(L, "collection");
    lua_setfield(L, -2, "__name");
}

void
ll_lua_push_db(lua_State *L)
{
    static const struct ll_lua_frozen_text text = {
        "the collection", "collections are declared in plugin.json"};
    struct ll_lua_state *state = ll_lua_state(L);
    const struct ll_lua *lua = state->engine;
    lua_newtable(L);
    push_collection_meta(L);
    state->collection_at = lua_topointer(L, -1);
    for (uint32_t i = 0; i < lua->collections.count; i++) {
        linli_str name = lua->collections.at[i];
        lua_pushlstring(L, name.ptr, name.len);
        struct collection *c = lua_newuserdatauv(L, sizeof *c, 0);
        c->name = name;
        lua_pushvalue(L, -3);
        lua_setmetatable(L, -2);
        lua_rawset(L, -4);
    }
    /* Kept even without any collection: the address must stay its own. */
    lua_rawsetp(L, LUA_REGISTRYINDEX, &meta_key);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, no_collection);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    ll_lua_seal(L, text, false);
}
