/* worker/lua_effects.c: call:timer, cancel, event, meter, alert, notify,
 * try_code, sign. [worker]
 *
 * What a call brings about besides documents. All of it happens with the
 * call's commit, or not at all; try_code alone counts whatever becomes of
 * the call, and sign changes nothing.
 */
#include <string.h>

#include "base/text.h"
#include "worker/lua_op.h"

static struct ll_buf *
args(lua_State *L)
{
    return &ll_lua_state(L)->engine->args;
}

/* The arguments stand from 2 on; 1 is the call. */

static void
put_timer(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {{"at", LL_LUA_INTEGER, true},
        {"run", LL_LUA_TEXT, true}, {"with", LL_LUA_JSON, true},
        {"key", LL_LUA_TEXT, false}, {"subject", LL_LUA_TEXT, false},
        {NULL, LL_LUA_TEXT, false}};
    if (!lua_istable(L, 2))
        ll_lua_op_misused(L, op, "it takes one table");
    ll_lua_op_put_members(L, op, 2, rules);
}

/* A job is due at once unless it says when. */
static void
put_job(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {{"run", LL_LUA_TEXT, true},
        {"with", LL_LUA_JSON, true}, {"at", LL_LUA_INTEGER, false},
        {"key", LL_LUA_TEXT, false}, {"subject", LL_LUA_TEXT, false},
        {NULL, LL_LUA_TEXT, false}};
    if (!lua_istable(L, 2))
        ll_lua_op_misused(L, op, "it takes one table");
    ll_lua_op_put_members(L, op, 2, rules);
}

static void
put_key(lua_State *L, const struct ll_lua_op *op)
{
    LL_UNUSED(op);
    ll_put_bytes(args(L), ll_lua_op_string(L, 2));
}

/* Of an event and an alert: name, data, {subject}. */
static void
put_told(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {
        {"subject", LL_LUA_TEXT, false}, {NULL, LL_LUA_TEXT, false}};
    put_key(L, op);
    luaL_checkany(L, 3);
    ll_lua_op_put_json(L, op, 3, "the data");
    ll_lua_op_put_members(L, op, 4, rules);
}

static void
put_usage(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {{"event_id", LL_LUA_TEXT, false},
        {"at", LL_LUA_INTEGER, false}, {"reverses", LL_LUA_TEXT, false},
        {NULL, LL_LUA_TEXT, false}};
    put_key(L, op);
    ll_put_int(args(L), ll_lua_op_integer(L, op, 3, "quantity"));
    ll_lua_op_put_members(L, op, 4, rules);
}

static void
put_message(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {{"to", LL_LUA_TEXT, true},
        {"template", LL_LUA_TEXT, true}, {"with", LL_LUA_JSON, true},
        {"key", LL_LUA_TEXT, false}, {"locale", LL_LUA_TEXT, false},
        {NULL, LL_LUA_TEXT, false}};
    if (!lua_istable(L, 2))
        ll_lua_op_misused(L, op, "it takes one table");
    ll_lua_op_put_members(L, op, 2, rules);
}

static void
put_code(lua_State *L, const struct ll_lua_op *op)
{
    LL_UNUSED(op);
    for (int i = 2; i <= 4; i++)
        ll_put_bytes(args(L), ll_lua_op_string(L, i));
}

static void
put_signed(lua_State *L, const struct ll_lua_op *op)
{
    static const struct ll_lua_rule rules[] = {{"secret", LL_LUA_TEXT, true},
        {"text", LL_LUA_TEXT, true}, {"algorithm", LL_LUA_TEXT, false},
        {NULL, LL_LUA_TEXT, false}};
    if (!lua_istable(L, 2))
        ll_lua_op_misused(L, op, "it takes one table");
    ll_lua_op_put_members(L, op, 2, rules);
}

/* what, next, state: `what` is as linli.fetch and linli.paid make it. */
static void
put_await(lua_State *L, const struct ll_lua_op *op)
{
    static const char what[] =
        "what it awaits is linli.fetch{...} or linli.paid(id)";
    if (!lua_istable(L, 2))
        ll_lua_op_misused(L, op, what);
    lua_settop(L, 4);
    if (lua_isnil(L, 4)) {
        lua_newtable(L);
        lua_replace(L, 4);
    }
    lua_pushliteral(L, "fetch");
    if (lua_rawget(L, 2) == LUA_TTABLE) {
        ll_put_bytes(args(L), LINLI_STR("fetch"));
        ll_lua_op_put_json(L, op, 5, "what is fetched");
    } else {
        lua_pushliteral(L, "paid");
        if (lua_rawget(L, 2) != LUA_TSTRING)
            ll_lua_op_misused(L, op, what);
        ll_put_bytes(args(L), LINLI_STR(""));
        ll_put_bytes(args(L), ll_lua_op_string(L, 6));
    }
    lua_settop(L, 4);
    ll_put_bytes(args(L), ll_lua_op_string(L, 3));
    ll_lua_op_put_json(L, op, 4, "the state");
}

static const struct effect {
    const char *name; /* ":timer" */
    const char *use;  /* what is written after it */
    uint32_t number;
    uint32_t arguments; /* of the host call, and of the method the most */
    bool answers;
    void (*put)(lua_State *L, const struct ll_lua_op *op);
} effects[] = {
    {":timer", "{at =, run =, with =, key =, subject =}", LL_OP_timer_set, 1,
        true, put_timer},
    {":job", "{run =, with =, at =, key =, subject =}", LL_OP_job_set, 1, true,
        put_job},
    {":cancel", "(key)", LL_OP_timer_cancel, 1, true, put_key},
    {":event", "(type, data, {subject =})", LL_OP_event_emit, 3, false,
        put_told},
    {":meter", "(name, quantity, {event_id =, at =, reverses =})",
        LL_OP_meter_add, 3, true, put_usage},
    {":alert", "(kind, data, {subject =})", LL_OP_alert_raise, 3, false,
        put_told},
    {":notify", "{to =, template =, with =, key =, locale =}",
        LL_OP_notify_send, 1, true, put_message},
    {":await", "(what, next, state)", LL_OP_await_set, 4, false, put_await},
    {":try_code", "(name, given, expected)", LL_OP_code_try, 3, true, put_code},
    {":sign", "{secret =, text =, algorithm =}", LL_OP_secret_sign, 1, true,
        put_signed},
};

static struct ll_lua_op
op_of(const struct effect *effect)
{
    return (struct ll_lua_op){.number = effect->number,
        .prefix = "call",
        .name = effect->name,
        .use = effect->use};
}

static int
answered(lua_State *L, int status, lua_KContext context)
{
    const struct effect *effect = &effects[context];
    struct ll_lua_op op = op_of(effect);
    struct ll_rd answer = ll_lua_op_answer(L, &op);
    LL_UNUSED(status);
    /* What a request's handler returns; of others nobody waits. */
    if (effect->number == LL_OP_await_set &&
        ll_lua_run(L)->in->kind == LL_CALL_REQUEST) {
        lua_pushinteger(L, 202);
        return 1;
    }
    if (!effect->answers)
        return 0;
    ll_lua_op_push_value(L, &answer);
    return 1;
}

/* upvalue: the index of the effect */
static int
call_effect(lua_State *L)
{
    lua_Integer index = lua_tointeger(L, lua_upvalueindex(1));
    const struct effect *effect = &effects[index];
    struct ll_lua_op op = op_of(effect);
    (void)ll_lua_check_call(L);
    (void)ll_lua_op_begin(L, &op, effect->arguments);
    if (lua_gettop(L) > 1 + (int)effect->arguments)
        ll_lua_op_misused(L, &op, "there are too many arguments");
    ll_lua_stack(L, 16, NULL);
    effect->put(L, &op);
    return ll_lua_op_send(L, &op, (lua_KContext)index, answered);
}

void
ll_lua_open_effects(lua_State *L)
{
    for (size_t i = 0; i < LL_COUNT(effects); i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, call_effect, 1);
        lua_setfield(L, -2, effects[i].name + 1);
    }
}
