/* worker/lua_op.c: from a Lua function to the host and back. [worker]
 *
 * It cannot yield through a C function that called Lua (sort, gsub): then it
 * raises an error that names the function.
 */
#include "worker/lua_op.h"

#include <stdio.h>
#include <string.h>

#include "base/problem.h"
#include "base/text.h"

void
ll_lua_push_op_name(lua_State *L, const struct ll_lua_op *op)
{
    lua_pushstring(L, op->prefix);
    lua_pushlstring(L, op->collection.ptr == NULL ? "" : op->collection.ptr,
        op->collection.len);
    lua_pushstring(L, op->name);
    lua_concat(L, 3);
}

LL_NORETURN void
ll_lua_op_error(lua_State *L, const struct ll_lua_op *op, const char *what)
{
    ll_lua_stack(L, 8, NULL);
    luaL_where(L, 1);
    ll_lua_push_op_name(L, op);
    lua_pushfstring(
        L, "%s%s: %s", lua_tostring(L, -2), lua_tostring(L, -1), what);
    (void)lua_error(L);
    ll_panic(__FILE__, __LINE__, "lua_error returned");
}

LL_NORETURN void
ll_lua_op_misused(lua_State *L, const struct ll_lua_op *op, const char *what)
{
    ll_lua_stack(L, 8, NULL);
    ll_lua_push_op_name(L, op);
    ll_lua_op_error(L, op,
        lua_pushfstring(
            L, "%s; write %s%s", what, lua_tostring(L, -1), op->use));
}

/* -- where it can wait -- */

/* Functions of ours that an operation yields through. */
static bool
yields_through(const char *name)
{
    static const char *const names[] = {
        "pcall", "xpcall", "pairs", "coroutine.resume", "coroutine.wrap"};
    for (size_t i = 0; i < LL_COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The innermost function of `at`, from `level` outwards, that nothing can
 * yield through. */
static const char *
find_fixed(lua_State *L, lua_State *at, int level)
{
    lua_Debug ar;
    /* Not luaL_checkstack: an error may not be raised in another thread. */
    if (!lua_checkstack(L, 4) || !lua_checkstack(at, 4))
        return "a C function";
    for (; lua_getstack(at, level, &ar); level++) {
        (void)lua_getinfo(at, "Snf", &ar);
        if (at != L)
            lua_xmove(at, L, 1);
        const char *name = ll_lua_function_name(L);
        bool wrapped = lua_tocfunction(L, -1) == ll_lua_wrap_call;
        lua_pop(L, 1);
        if (wrapped || strcmp(ar.what, "C") != 0)
            continue;
        if (name == NULL)
            name = ar.name != NULL ? ar.name : "a C function";
        if (!yields_through(name))
            return name;
    }
    return "a C function";
}

/* Raises unless the operation can wait here. */
static void
check_yieldable(
    lua_State *L, struct ll_lua_run *run, const struct ll_lua_op *op)
{
    const char *within;
    if (LL_LIKELY(run->unyieldable == 0 && lua_isyieldable(L)))
        return;
    if (run->unyieldable == 0)
        within = find_fixed(L, L, 1);
    else
        within = find_fixed(L, run->fixed, 0);
    ll_lua_push_op_name(L, op);
    (void)luaL_error(L, "%s cannot wait inside %s; call it before or after",
        lua_tostring(L, -1), within);
}

struct ll_buf *
ll_lua_op_begin(lua_State *L, const struct ll_lua_op *op, uint32_t count)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    struct ll_lua_run *run = lua->current;
    ll_lua_check_due(L);
    if (run->end != LL_LUA_ALIVE)
        ll_lua_end_run(L, run->end);
    if (run->in == NULL)
        ll_lua_op_error(L, op, "there is no call");
    check_yieldable(L, run, op);
    if (run->host_calls == LL_HOST_CALLS_MAX) {
        char what[48];
        (void)snprintf(what, sizeof what, "more than %d host calls in a call",
            LL_HOST_CALLS_MAX);
        ll_lua_op_error(L, op, what);
    }
    ll_buf_clear(&lua->args);
    ll_put_list(&lua->args, count);
    return &lua->args;
}

/* -- arguments -- */

linli_str
ll_lua_op_string(lua_State *L, int index)
{
    linli_str s;
    /* A number would pass for its text, which no other side would know. */
    luaL_argexpected(L, lua_type(L, index) == LUA_TSTRING, index, "string");
    s.ptr = lua_tolstring(L, index, &s.len);
    return s;
}

/* What stands there, for an error: of a number that is no integer its value,
 * and how to make one of it. */
static const char *
push_got(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TNUMBER)
        return luaL_typename(L, index);
    return lua_pushfstring(
        L, "%f: round it, as math.floor does", lua_tonumber(L, index));
}

lua_Integer
ll_lua_op_integer(
    lua_State *L, const struct ll_lua_op *op, int index, const char *what)
{
    int is_integer = 0;
    lua_Integer integer = 0;
    /* Not a text: "1" would pass for 1. */
    if (lua_type(L, index) == LUA_TNUMBER)
        integer = lua_tointegerx(L, index, &is_integer);
    if (!is_integer)
        ll_lua_op_misused(L, op,
            lua_pushfstring(L, "'%s' must be an integer, got %s", what,
                push_got(L, index)));
    return integer;
}

void
ll_lua_op_put_value(
    lua_State *L, const struct ll_lua_op *op, int index, const char *what)
{
    struct ll_lua_subject subject = {op, what};
    ll_lua_put_value(L, index, &ll_lua_state(L)->engine->args, &subject);
}

void
ll_lua_op_put_json(
    lua_State *L, const struct ll_lua_op *op, int index, const char *what)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    struct ll_lua_subject subject = {op, what};
    ll_buf_clear(&lua->scratch);
    ll_lua_put_json(L, index, &lua->scratch, &subject);
    ll_put_bytes(&lua->args, ll_buf_view(&lua->scratch));
}

/* -- members -- */

struct members {
    lua_State *L;
    const struct ll_lua_op *op;
    const struct ll_lua_rule *rules;
};

/* The names of the rules, as an error lists them. */
static const char *
push_names(const struct members *m)
{
    luaL_Buffer text;
    luaL_buffinit(m->L, &text);
    for (const struct ll_lua_rule *rule = m->rules; rule->name != NULL;
         rule++) {
        luaL_addstring(&text, rule == m->rules ? "" : ", ");
        luaL_addstring(&text, rule->name);
    }
    luaL_pushresult(&text);
    return lua_tostring(m->L, -1);
}

static const struct ll_lua_rule *
find_rule(const struct members *m, linli_str name)
{
    const struct ll_lua_rule *rule = m->rules;
    while (rule->name != NULL && !ll_str_is(name, rule->name))
        rule++;
    if (rule->name != NULL)
        return rule;
    const char *names = push_names(m);
    ll_lua_op_error(m->L, m->op,
        lua_pushfstring(
            m->L, "there is no '%s'; it takes %s", name.ptr, names));
}

LL_NORETURN static void
refuse_member(const struct members *m, const struct ll_lua_rule *rule, int at)
{
    static const char *const wants[] = {[LL_LUA_TEXT] = "a string",
        [LL_LUA_INTEGER] = "an integer",
        [LL_LUA_BOOLEAN] = "true or false",
        [LL_LUA_VALUES] = "a list of values",
        [LL_LUA_JSON] = "a value"};
    const char *got = at == 0                        ? "nothing"
                      : rule->type == LL_LUA_INTEGER ? push_got(m->L, at)
                                                     : luaL_typename(m->L, at);
    ll_lua_op_error(m->L, m->op,
        lua_pushfstring(m->L, "'%s' must be %s, got %s", rule->name,
            wants[rule->type], got));
}

/* A list of values. An empty one is what {x} is when x is nil: it would ask
 * for everybody's documents. */
static void
put_values(const struct members *m, const struct ll_lua_rule *rule, int at)
{
    struct ll_lua_shape shape;
    int top = lua_gettop(m->L);
    if (!lua_istable(m->L, at) ||
        ll_lua_shape(m->L, at, LL_INDEX_FIELDS_MAX, &shape) != NULL ||
        (!shape.list && shape.count > 0))
        refuse_member(m, rule, at);
    if (shape.count == 0)
        ll_lua_op_error(m->L, m->op,
            lua_pushfstring(m->L,
                "'%s' is an empty list: its values are nil, or missing; "
                "leave '%s' out if any value will do",
                rule->name, rule->name));
    ll_put_list(&ll_lua_state(m->L)->engine->args, shape.count);
    for (uint32_t i = 0; i < shape.count; i++)
        ll_lua_op_put_value(m->L, m->op, shape.first + (int)i, rule->name);
    lua_settop(m->L, top);
}

static void
put_member(const struct members *m, const struct ll_lua_rule *rule, int at)
{
    struct ll_buf *out = &ll_lua_state(m->L)->engine->args;
    int is_integer = 0;
    lua_Integer integer = 0;
    ll_put_bytes(out, ll_cstr(rule->name));
    switch (rule->type) {
    case LL_LUA_TEXT:
        if (lua_type(m->L, at) != LUA_TSTRING)
            refuse_member(m, rule, at);
        ll_put_bytes(out, ll_lua_op_string(m->L, at));
        return;
    case LL_LUA_INTEGER:
        if (lua_type(m->L, at) == LUA_TNUMBER)
            integer = lua_tointegerx(m->L, at, &is_integer);
        if (!is_integer)
            refuse_member(m, rule, at);
        ll_put_int(out, integer);
        return;
    case LL_LUA_BOOLEAN:
        if (!lua_isboolean(m->L, at))
            refuse_member(m, rule, at);
        ll_put_bool(out, lua_toboolean(m->L, at));
        return;
    case LL_LUA_VALUES:
        put_values(m, rule, at);
        return;
    case LL_LUA_JSON:
        ll_lua_op_put_json(m->L, m->op, at, rule->name);
        return;
    }
}

void
ll_lua_op_put_members(lua_State *L, const struct ll_lua_op *op, int index,
    const struct ll_lua_rule *rules)
{
    struct members m = {L, op, rules};
    const struct ll_lua_rule *rule[LL_LUA_RULES_MAX], *absent = NULL;
    struct ll_lua_shape shape = {.count = 0};
    struct ll_buf *out = &ll_lua_state(L)->engine->args;
    uint32_t found = 0;
    int top = lua_gettop(L);
    ll_lua_stack(L, 16, NULL);
    if (!lua_isnoneornil(L, index)) {
        luaL_checktype(L, index, LUA_TTABLE);
        if (ll_lua_shape(L, index, LL_LUA_RULES_MAX, &shape) != NULL ||
            (shape.list && shape.count > 0))
            ll_lua_op_error(L, op,
                lua_pushfstring(
                    L, "it takes a table with the names %s", push_names(&m)));
    }
    for (uint32_t i = 0; i < shape.count; i++) {
        rule[i] = find_rule(&m, shape.members[i].key);
        found |= 1u << (rule[i] - rules);
    }
    for (uint32_t i = 0; rules[i].name != NULL; i++) {
        if (!rules[i].required || found & 1u << i)
            continue;
        if (rules[i].type != LL_LUA_JSON)
            refuse_member(&m, &rules[i], 0);
        absent = &rules[i];
    }
    ll_put_map(out, shape.count + (absent != NULL));
    for (uint32_t i = 0; i < shape.count; i++)
        put_member(&m, rule[i], shape.members[i].at);
    if (absent != NULL) {
        ll_put_bytes(out, ll_cstr(absent->name));
        ll_put_bytes(out, LINLI_STR("{}"));
    }
    lua_settop(L, top);
}

int
ll_lua_op_send(lua_State *L, const struct ll_lua_op *op, lua_KContext context,
    lua_KFunction again)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    struct ll_lua_run *run = lua->current;
    if (lua->args.failed)
        ll_lua_op_error(L, op, "too large");
    ll_lua_keep_input(L, run);
    run->host_calls++;
    run->waiting = true;
    ll_worker_hostcall(
        lua->worker, run->call, run->run, op->number, ll_buf_view(&lua->args));
    return lua_yieldk(L, 0, context, again);
}

/* -- the answer -- */

/* A refusal: [code, detail], or nothing but the status. */
LL_NORETURN static void
refused(lua_State *L, const struct ll_lua_op *op, struct ll_lua_run *run)
{
    struct ll_rd rd = ll_rd(run->answer);
    linli_str code = {NULL, 0}, detail = {NULL, 0};
    if (ll_rd_peek(&rd) == LL_VALUE_LIST && ll_rd_list(&rd) == 2) {
        code = ll_rd_bytes(&rd);
        detail = ll_rd_bytes(&rd);
    }
    if (rd.bad || code.len == 0)
        ll_lua_op_error(L, op, ll_status_name(run->answer_status));
    if (ll_problem_ends_call(code)) {
        ll_lua_set_problem(run, code, detail);
        ll_lua_end_run(L, LL_LUA_PROBLEM);
    }
    ll_lua_stack(L, 8, NULL);
    lua_pushlstring(L, code.ptr, code.len);
    if (detail.len > 0) {
        lua_pushliteral(L, ": ");
        lua_pushlstring(L, detail.ptr, detail.len);
        lua_concat(L, 3);
    }
    ll_lua_op_error(L, op, lua_tostring(L, -1));
}

struct ll_rd
ll_lua_op_answer(lua_State *L, const struct ll_lua_op *op)
{
    struct ll_lua_run *run = ll_lua_run(L);
    if (run->answer_status == LINLI_E_CANCELLED)
        ll_lua_end_run(L, LL_LUA_CANCELLED);
    if (run->answer_status != LINLI_OK)
        refused(L, op, run);
    return ll_rd(run->answer);
}

void
ll_lua_op_push_json(lua_State *L, const struct ll_lua_op *op, linli_str text)
{
    struct ll_json *tape = &ll_lua_state(L)->engine->tape;
    linli_status status = ll_json_parse(tape, text, LL_JSON_DEPTH_MAX, NULL);
    if (status == LINLI_E_NOMEM)
        ll_lua_end_run(L, LL_LUA_MEMORY);
    if (status != LINLI_OK)
        ll_lua_op_error(L, op, "the host's answer cannot be read");
    ll_lua_push_json(L, ll_json_root(tape));
}

void
ll_lua_op_push_value(lua_State *L, struct ll_rd *rd)
{
    if (ll_rd_peek(rd) == LL_VALUE_NIL) {
        (void)ll_rd_value(rd);
        lua_pushnil(L);
    } else {
        ll_lua_push_value(L, rd);
    }
}
