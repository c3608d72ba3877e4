/* worker/lua_data.c: call.data:get. [worker]
 *
 * One value of one resident, or nil and why not. A refusal is an answer like
 * any other, not an error: a plugin goes on without what it is not given.
 */
#include "base/text.h"
#include "worker/lua_op.h"

static const struct ll_lua_op op = {.number = LL_OP_data_get,
    .prefix = "call",
    .name = ".data:get",
    .use = "{resident =, field =, purpose =}"};

static void
set_text(lua_State *L, const char *name, linli_str text)
{
    lua_pushlstring(L, text.ptr == NULL ? "" : text.ptr, text.len);
    lua_setfield(L, -2, name);
}

/* nil and {code, consent_url, reason, fields}; the arguments stand at 2. */
static int
refused(lua_State *L, struct ll_rd *answer)
{
    linli_str code = ll_rd_bytes(answer);
    linli_str url = ll_rd_bytes(answer);
    linli_str reason = ll_rd_bytes(answer);
    lua_pushnil(L);
    lua_createtable(L, 0, 4);
    set_text(L, "code", code);
    set_text(L, "reason", reason);
    if (url.len > 0)
        set_text(L, "consent_url", url);
    lua_createtable(L, 1, 0);
    lua_getfield(L, 2, "field");
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "fields");
    return 2;
}

static int
answered(lua_State *L, int status, lua_KContext context)
{
    struct ll_rd answer = ll_lua_op_answer(L, &op);
    LL_UNUSED(status);
    LL_UNUSED(context);
    ll_lua_stack(L, 8, NULL);
    (void)ll_rd_list(&answer);
    if (!ll_rd_bool(&answer))
        return refused(L, &answer);
    ll_lua_op_push_json(L, &op, ll_rd_bytes(&answer));
    return 1;
}

static int
data_get(lua_State *L)
{
    static const struct ll_lua_rule rules[] = {{"field", LL_LUA_TEXT, true},
        {"purpose", LL_LUA_TEXT, true}, {"resident", LL_LUA_TEXT, false},
        {NULL, LL_LUA_TEXT, false}};
    (void)ll_lua_op_begin(L, &op, 1);
    if (lua_gettop(L) != 2 || !lua_istable(L, 1) || !lua_istable(L, 2))
        ll_lua_op_misused(L, &op, "it takes one table");
    ll_lua_stack(L, 16, NULL);
    ll_lua_op_put_members(L, &op, 2, rules);
    return ll_lua_op_send(L, &op, 0, answered);
}

void
ll_lua_push_data(lua_State *L)
{
    static const struct ll_lua_frozen_text text = {
        "the operation", "what the host offers is fixed"};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, data_get);
    lua_setfield(L, -2, "get");
    ll_lua_seal(L, text, false);
}
