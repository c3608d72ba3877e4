/* worker/lua_host.c: call.host, the operations that are drafts. [worker]
 *
 * call.host.NAME(...) is a row of wire/hostcall.def as it stands. What is
 * stable has a shape of its own: lua_db.c, lua_effects.c.
 */
#include <string.h>

#include "worker/lua_op.h"

static const struct row {
    uint32_t number;
    const char *name;
    bool draft;
    const char *args, *answer;
} rows[] = {
#define H(number, name, interface, draft, writes, args, answer) \
    {number, #name, draft, args, answer},
#include "wire/hostcall.def"
#undef H
};

static struct ll_lua_op
op_of(const struct row *row)
{
    return (struct ll_lua_op){
        .number = row->number, .prefix = "call.host.", .name = row->name};
}

static void
put_argument(lua_State *L, const struct ll_lua_op *op, char letter, int index)
{
    struct ll_buf *out = &ll_lua_state(L)->engine->args;
    switch (letter) {
    case 'i':
        ll_put_int(out, luaL_checkinteger(L, index));
        return;
    case 'b':
        ll_put_bytes(out, ll_lua_op_string(L, index));
        return;
    case 'j':
        luaL_checkany(L, index);
        ll_lua_op_put_json(L, op, index, "the argument");
        return;
    default:
        luaL_checkany(L, index);
        ll_lua_op_put_value(L, op, index, "the argument");
        return;
    }
}

static int
host_answered(lua_State *L, int status, lua_KContext context)
{
    const struct row *row = &rows[context];
    struct ll_lua_op op = op_of(row);
    struct ll_rd rd = ll_lua_op_answer(L, &op);
    LL_UNUSED(status);
    if (row->answer[0] == '\0')
        return 0;
    if (row->answer[0] == 'j' && ll_rd_peek(&rd) == LL_VALUE_BYTES)
        ll_lua_op_push_json(L, &op, ll_rd_bytes(&rd));
    else
        ll_lua_op_push_value(L, &rd);
    return 1;
}

/* upvalue: the index of the row */
static int
host_call(lua_State *L)
{
    lua_Integer index = lua_tointeger(L, lua_upvalueindex(1));
    const struct row *row = &rows[index];
    struct ll_lua_op op = op_of(row);
    int count = (int)strlen(row->args);
    (void)ll_lua_op_begin(L, &op, (uint32_t)count);
    luaL_argcheck(L, lua_gettop(L) <= count, count + 1, "no such argument");
    for (int i = 1; i <= count; i++)
        put_argument(L, &op, row->args[i - 1], i);
    return ll_lua_op_send(L, &op, (lua_KContext)index, host_answered);
}

void
ll_lua_push_host(lua_State *L)
{
    bool drafts = ll_lua_state(L)->engine->worker->config.drafts;
    lua_newtable(L);
    for (size_t i = 0; drafts && i < LL_COUNT(rows); i++) {
        if (!rows[i].draft)
            continue;
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, host_call, 1);
        lua_setfield(L, -2, rows[i].name);
    }
}
