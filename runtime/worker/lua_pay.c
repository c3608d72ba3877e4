/* worker/lua_pay.c: call:pay, call:refund, call:payment. [worker]
 *
 * A payment, and a refund, happen with the call's commit or not at all; the
 * provider hears of them after that (spec/payments.md).
 */
#include "base/text.h"
#include "worker/lua_op.h"

static void
put_table(
    lua_State *L, const struct ll_lua_op *op, const struct ll_lua_rule *rules)
{
    if (!lua_istable(L, 2))
        ll_lua_op_misused(L, op, "it takes one table");
    ll_lua_op_put_members(L, op, 2, rules);
}

static void
put_payment(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {
        {"amount_fen", LL_LUA_INTEGER, true}, {"title", LL_LUA_TEXT, true},
        {"channel", LL_LUA_TEXT, true}, {"pay_by", LL_LUA_INTEGER, false},
        {"subject", LL_LUA_TEXT, false}, {"with", LL_LUA_JSON, false},
        {NULL, LL_LUA_TEXT, false}};
    put_table(L, op, rules);
}

static void
put_refund(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {{"payment", LL_LUA_TEXT, true},
        {"amount_fen", LL_LUA_INTEGER, true}, {"reason", LL_LUA_TEXT, false},
        {"key", LL_LUA_TEXT, false}, {NULL, LL_LUA_TEXT, false}};
    put_table(L, op, rules);
}

static void
put_id(lua_State *L, const struct ll_lua_op *op)
{
    LL_UNUSED(op);
    ll_put_bytes(&ll_lua_state(L)->engine->args, ll_lua_op_string(L, 2));
}

static const struct method {
    const char *name; /* ":pay" */
    const char *use;  /* what is written after it */
    uint32_t number;
    void (*put)(lua_State *L, const struct ll_lua_op *op);
} methods[] = {
    {":pay", "{amount_fen =, title =, channel =, pay_by =, subject =, with =}",
        LL_OP_pay_create, put_payment},
    {":refund", "{payment =, amount_fen =, reason =, key =}", LL_OP_pay_refund,
        put_refund},
    {":payment", "(id)", LL_OP_pay_get, put_id},
};

static struct ll_lua_op
op_of(const struct method *method)
{
    return (struct ll_lua_op){.number = method->number,
        .prefix = "call",
        .name = method->name,
        .use = method->use};
}

static int
answered(lua_State *L, int status, lua_KContext context)
{
    struct ll_lua_op op = op_of(&methods[context]);
    struct ll_rd answer = ll_lua_op_answer(L, &op);
    LL_UNUSED(status);
    if (ll_rd_peek(&answer) == LL_VALUE_NIL)
        lua_pushnil(L);
    else
        ll_lua_op_push_json(L, &op, ll_rd_bytes(&answer));
    return 1;
}

/* upvalue: the index of the method */
static int
call_method(lua_State *L)
{
    lua_Integer index = lua_tointeger(L, lua_upvalueindex(1));
    struct ll_lua_op op = op_of(&methods[index]);
    (void)ll_lua_check_call(L);
    (void)ll_lua_op_begin(L, &op, 1);
    if (lua_gettop(L) > 2)
        ll_lua_op_misused(L, &op, "there are too many arguments");
    ll_lua_stack(L, 16, NULL);
    methods[index].put(L, &op);
    return ll_lua_op_send(L, &op, (lua_KContext)index, answered);
}

void
ll_lua_open_payments(lua_State *L)
{
    for (size_t i = 0; i < LL_COUNT(methods); i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, call_method, 1);
        lua_setfield(L, -2, methods[i].name + 1);
    }
}
