/* worker/lua_call.c: the call object. [worker]
 *
 * Most handlers use few of a call's fields, so all but `now`, `body` and
 * `query` are made when they are first read. What they are made from is
 * borrowed from the frame until the run's first host call.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "worker/lua_lib.h"

struct ll_lua_run *
ll_lua_check_call(lua_State *L)
{
    struct ll_lua_run *run = ll_lua_run(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    if (run->call_table == NULL || lua_topointer(L, 1) != run->call_table)
        (void)luaL_error(L, "this call object is not the running call's");
    return run;
}

static void
push_str(lua_State *L, linli_str s)
{
    lua_pushlstring(L, s.ptr == NULL ? "" : s.ptr, s.len);
}

static void
set_str(lua_State *L, const char *name, linli_str value)
{
    push_str(L, value);
    lua_setfield(L, -2, name);
}

/* -- the query -- */

/* Ends the run with 422; `name` is the parameter at fault. */
LL_NORETURN static void
refuse_query(lua_State *L, linli_str name, const char *rule, const char *why)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    struct ll_lua_run *run = lua->current;
    ll_buf_clear(&lua->errors);
    struct ll_jw w = ll_jw(&lua->errors);
    ll_buf_clear(&lua->scratch);
    ll_buf_char(&lua->scratch, '?');
    ll_buf_add(&lua->scratch, name.ptr, name.len < 100 ? name.len : 100);
    ll_jw_open(&w, '[');
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "at");
    ll_jw_str(&w, ll_buf_view(&lua->scratch));
    ll_jw_key(&w, "rule");
    ll_jw_cstr(&w, rule);
    ll_jw_key(&w, "message");
    ll_jw_cstr(&w, why);
    ll_jw_close(&w, '}');
    ll_jw_close(&w, ']');
    run->errors = &lua->errors;
    (void)snprintf(run->code, sizeof run->code, "request/invalid");
    ll_lua_end_run(L, LL_LUA_PROBLEM);
}

/* Pushes a name or value, decoded. '+' is a plus (RFC 3986). */
static void
push_decoded(lua_State *L, linli_str part, linli_str name)
{
    luaL_Buffer text;
    size_t length = 0;
    char *room = luaL_buffinitsize(L, &text, part.len + 1);
    if (!ll_percent_decode(part, room, &length))
        refuse_query(L, name, "encoding", "a '%' without two hex digits");
    if (!ll_utf8_valid((linli_str){room, length}))
        refuse_query(L, name, "encoding", "not UTF-8");
    luaL_pushresultsize(&text, length);
}

/* Pushes the table of an encoded query: each name once. */
static void
push_query(lua_State *L, linli_str query)
{
    linli_str pair, name;
    uint32_t count = 0;
    lua_newtable(L);
    while (ll_str_split(&query, '&', &pair)) {
        if (pair.len == 0)
            continue;
        linli_str value = pair;
        (void)ll_str_split(&value, '=', &name);
        if (value.ptr == NULL)
            value.len = 0;
        if (++count > LL_LUA_QUERY_NAMES_MAX)
            refuse_query(L, name, "maxProperties", "too many names");
        push_decoded(L, name, name);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) != LUA_TNIL)
            refuse_query(L, name, "unique", "the name stands twice");
        lua_pop(L, 1);
        push_decoded(L, value, name);
        lua_rawset(L, -3);
    }
}

/* -- fields made when they are read -- */

static void
push_params(lua_State *L, const struct ll_call_in *in)
{
    const struct ll_worker *worker = ll_lua_state(L)->engine->worker;
    const struct ll_worker_route *route = &worker->routes[in->route];
    lua_createtable(L, 0, (int)in->param_count);
    for (uint32_t i = 0; i < in->param_count; i++) {
        push_str(L, route->param_names[i]);
        push_str(L, in->params[i]);
        lua_rawset(L, -3);
    }
}

static void
push_no_query(lua_State *L, const struct ll_call_in *in)
{
    LL_UNUSED(in);
    lua_newtable(L);
}

static void
push_caller(lua_State *L, const struct ll_call_in *in)
{
    struct ll_json *tape = &ll_lua_state(L)->engine->tape;
    lua_createtable(L, 0, 3);
    set_str(L, "kind", in->caller_kind);
    set_str(L, "id", in->caller_id);
    if (ll_str_is(in->caller_kind, "device")) {
        set_str(L, "bound_to", in->bound_to);
        set_str(L, "device_kind", in->device_kind);
    }
    if (in->caller_roles.len > 0 &&
        ll_json_parse(tape, in->caller_roles, 2, NULL) == LINLI_OK) {
        ll_lua_push_json(L, ll_json_root(tape));
    } else {
        lua_newtable(L);
        ll_lua_mark_list(L, -1);
    }
    lua_setfield(L, -2, "roles");
}

/* The id, and what the directory has of the resident, if that is declared. */
static void
push_resident(lua_State *L, const struct ll_call_in *in)
{
    struct ll_json *tape = &ll_lua_state(L)->engine->tape;
    if (!ll_str_is(in->caller_kind, "resident")) {
        lua_pushnil(L);
        return;
    }
    if (in->resident.len > 0 &&
        ll_json_parse(tape, in->resident, LL_BODY_DEPTH_MAX, NULL) == LINLI_OK)
        ll_lua_push_json(L, ll_json_root(tape));
    else
        lua_createtable(L, 0, 1);
    set_str(L, "id", in->caller_id);
}

/* What the route declares of the resident who calls, as far as it is given. */
static void
push_fields(lua_State *L, const struct ll_call_in *in)
{
    struct ll_json *tape = &ll_lua_state(L)->engine->tape;
    if (in->fields.len > 0 &&
        ll_json_parse(tape, in->fields, LL_BODY_DEPTH_MAX, NULL) == LINLI_OK)
        ll_lua_push_json(L, ll_json_root(tape));
    else
        lua_newtable(L);
}

static void
push_kind(lua_State *L, const struct ll_call_in *in)
{
    static const char *const kinds[] = {[LL_CALL_REQUEST] = "request",
        [LL_CALL_TIMER] = "timer",
        [LL_CALL_EVENT] = "event",
        [LL_CALL_JOB] = "job",
        [LL_CALL_ANSWER] = "answer",
        [LL_CALL_PAYMENT] = "payment"};
    lua_pushstring(L, kinds[in->kind]);
}

static void
push_due(lua_State *L, const struct ll_call_in *in)
{
    if (in->kind == LL_CALL_TIMER || in->kind == LL_CALL_JOB)
        lua_pushinteger(L, in->due_ms);
    else
        lua_pushnil(L);
}

static void
push_late(lua_State *L, const struct ll_call_in *in)
{
    lua_pushboolean(L, in->late);
}

static void
push_if_match(lua_State *L, const struct ll_call_in *in)
{
    if (in->has_if_match)
        push_str(L, in->if_match);
    else
        lua_pushnil(L);
}

static void
push_locale(lua_State *L, const struct ll_call_in *in)
{
    push_str(L, in->locale);
}

static void
push_zone(lua_State *L, const struct ll_call_in *in)
{
    LL_UNUSED(in);
    push_str(L, ll_lua_state(L)->engine->worker->config.zone);
}

static void
push_trace_id(lua_State *L, const struct ll_call_in *in)
{
    push_str(L, in->trace_id);
}

static void
push_path(lua_State *L, const struct ll_call_in *in)
{
    push_str(L, in->path);
}

static const struct {
    const char *name;
    void (*push)(lua_State *L, const struct ll_call_in *in);
} lazy_fields[] = {{"params", push_params}, {"query", push_no_query},
    {"caller", push_caller}, {"resident", push_resident},
    {"fields", push_fields}, {"locale", push_locale}, {"zone", push_zone},
    {"trace_id", push_trace_id}, {"path", push_path}, {"kind", push_kind},
    {"due", push_due}, {"late", push_late}, {"if_match", push_if_match}};

/* __index of call objects; upvalue: what all calls have. */
static int
call_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    if (lua_type(L, 2) != LUA_TSTRING)
        return 1;
    const char *name = lua_tostring(L, 2);
    for (size_t i = 0; i < LL_COUNT(lazy_fields); i++) {
        if (strcmp(lazy_fields[i].name, name) != 0)
            continue;
        lazy_fields[i].push(L, ll_lua_check_call(L)->in);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, 1);
        return 1;
    }
    return 1;
}

/* -- call:fail -- */

static void
copy_cut(char *to, size_t size, linli_str from)
{
    size_t n = from.len < size - 1 ? from.len : size - 1;
    /* Not within a character. */
    while (n < from.len && n > 0 && ((unsigned char)from.ptr[n] & 0xc0) == 0x80)
        n--;
    memcpy(to, from.ptr, n);
    to[n] = '\0';
}

void
ll_lua_set_problem(struct ll_lua_run *run, linli_str code, linli_str detail)
{
    copy_cut(run->code, sizeof run->code, code);
    copy_cut(run->detail, sizeof run->detail, detail);
}

/* call:fail(code [, detail]) */
static int
call_fail(lua_State *L)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    struct ll_lua_run *run = ll_lua_check_call(L);
    linli_str code, detail;
    code.ptr = luaL_checklstring(L, 2, &code.len);
    detail.ptr = luaL_optlstring(L, 3, "", &detail.len);
    luaL_argcheck(L, ll_utf8_valid(detail), 3, "not UTF-8");
    if (run->end != LL_LUA_ALIVE)
        ll_lua_end_run(L, run->end);
    if (!ll_worker_declares(lua->worker, code)) {
        luaL_where(L, 1);
        (void)snprintf(run->detail, sizeof run->detail,
            "%scall:fail(\"%.60s\"): plugin.json does not declare it",
            lua_tostring(L, -1), code.ptr);
        (void)snprintf(
            run->code, sizeof run->code, "plugin/undeclared-problem");
    } else {
        ll_lua_set_problem(run, code, detail);
    }
    ll_lua_end_run(L, LL_LUA_PROBLEM);
}

void
ll_lua_open_call(lua_State *L)
{
    static const struct ll_lua_frozen_text text = {
        "the host operation", "what the host offers is fixed"};
    lua_newtable(L); /* the metatable */
    lua_newtable(L); /* what all calls have */
    lua_pushcfunction(L, call_fail);
    lua_setfield(L, -2, "fail");
    ll_lua_open_effects(L);
    ll_lua_open_payments(L);
    ll_lua_push_db(L);
    lua_setfield(L, -2, "db");
    ll_lua_push_data(L);
    lua_setfield(L, -2, "data");
    ll_lua_push_host(L);
    ll_lua_seal(L, text, false);
    lua_setfield(L, -2, "host");
    lua_pushcclosure(L, call_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushliteral(L, "call");
    lua_setfield(L, -2, "__name");
    ll_lua_state(L)->call_meta = luaL_ref(L, LUA_REGISTRYINDEX);
}

void
ll_lua_push_call(lua_State *L, struct ll_lua_run *run)
{
    lua_createtable(L, 0, 4);
    run->call_table = lua_topointer(L, -1);
    lua_pushinteger(L, run->in->now_ms);
    lua_setfield(L, -2, "now");
    if (ll_jv_there(run->body) && run->in->kind == LL_CALL_REQUEST) {
        ll_lua_push_json(L, run->body);
        lua_setfield(L, -2, "body");
    }
    if (run->in->query.len > 0) {
        push_query(L, run->in->query);
        lua_setfield(L, -2, "query");
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, ll_lua_state(L)->call_meta);
    lua_setmetatable(L, -2);
}
