/* worker/lua_handle.c: a call's coroutine, and what handlers return. [worker]
 *
 * A request's handler answers it; those that nobody waits for, a timer's and
 * their like, return nothing. An answer's may do either.
 */
#include <string.h>

#include "base/text.h"
#include "worker/lua_lib.h"

static void
push_str(lua_State *L, linli_str s)
{
    lua_pushlstring(L, s.ptr == NULL ? "" : s.ptr, s.len);
}

/* Pushes "POST /run", "the timer expire_booking". */
static const char *
push_subject(lua_State *L)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    const struct ll_call_in *in = lua->current->in;
    if (in->kind == LL_CALL_REQUEST) {
        const struct ll_worker_route *route = &lua->worker->routes[in->route];
        push_str(L, route->method);
        lua_pushliteral(L, " ");
        push_str(L, route->path);
        lua_concat(L, 3);
    } else {
        lua_pushfstring(L, "the %s ", ll_lua_named[in->kind].what);
        push_str(L, in->name);
        lua_concat(L, 2);
    }
    return lua_tostring(L, -1);
}

/* -- requests -- */

static int
refuse_return(lua_State *L, const char *what)
{
    return luaL_error(L,
        "the handler of %s returned %s; it must return an integer from 200 "
        "to 599 and, if there is a body, a value that JSON has",
        push_subject(L), what);
}

static int
refuse_third(lua_State *L, const char *what)
{
    return luaL_error(L,
        "the handler of %s returned %s as third value; it may be a table with "
        "`etag`: 1 to %d visible ASCII characters without quotes and "
        "backslash",
        push_subject(L), what, LL_ETAG_BYTES_MAX);
}

/* The third value, {etag = "7"}. */
static void
take_headers(lua_State *L, struct ll_lua_run *run)
{
    struct ll_lua_shape shape;
    linli_str tag;
    if (lua_isnil(L, 3))
        return;
    if (!lua_istable(L, 3))
        (void)refuse_third(L, lua_pushfstring(L, "a %s", luaL_typename(L, 3)));
    if (ll_lua_shape(L, 3, 1, &shape) != NULL || shape.count != 1 ||
        shape.list || !ll_str_is(shape.members[0].key, "etag"))
        (void)refuse_third(L, "other members");
    int at = shape.members[0].at;
    if (lua_type(L, at) != LUA_TSTRING)
        (void)refuse_third(
            L, lua_pushfstring(L, "a %s in `etag`", luaL_typename(L, at)));
    tag.ptr = lua_tolstring(L, at, &tag.len);
    if (!ll_etag_valid(tag))
        (void)refuse_third(L, "another text in `etag`");
    memcpy(run->etag, tag.ptr, tag.len);
    run->etag[tag.len] = '\0';
}

/* The handler has returned all that is on the stack. */
static int
request_done(lua_State *L, int status, lua_KContext context)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    struct ll_lua_run *run = lua->current;
    LL_UNUSED(status);
    LL_UNUSED(context);
    int n = lua_gettop(L);
    if (n == 0)
        return refuse_return(L, "nothing");
    if (n > 3)
        return refuse_return(L, "more than three values");
    if (!lua_isinteger(L, 1)) {
        lua_pushfstring(L, "a %s as status", luaL_typename(L, 1));
        return refuse_return(L, lua_tostring(L, -1));
    }
    lua_Integer http = lua_tointeger(L, 1);
    if (http < 200 || http > 599) {
        lua_pushfstring(L, "the status %I", http);
        return refuse_return(L, lua_tostring(L, -1));
    }
    if (n == 3)
        take_headers(L, run);
    run->status = (int)http;
    run->has_body = n >= 2 && !lua_isnil(L, 2);
    ll_buf_clear(&lua->json);
    if (!run->has_body)
        return 0;
    if (http == 204 || http == 205 || http == 304) {
        lua_pushfstring(L, "a body with the status %I, which has none", http);
        return refuse_return(L, lua_tostring(L, -1));
    }
    ll_lua_put_json(L, 2, &lua->json,
        &(struct ll_lua_subject){.what = "the returned body"});
    return 0;
}

/* -- timers and their like -- */

/* Of all that nobody waits for, one is asked for something: what a resident
 * gets with a copy of their data. */
static bool
is_asked(const struct ll_lua_run *run)
{
    return run->in->kind == LL_CALL_JOB &&
           ll_str_is(run->in->name, "resident.export");
}

static int
background_done(lua_State *L, int status, lua_KContext context)
{
    struct ll_lua_run *run = ll_lua_run(L);
    LL_UNUSED(status);
    LL_UNUSED(context);
    if (is_asked(run) && lua_gettop(L) > 0 && !lua_isnil(L, 1)) {
        lua_pushinteger(L, 200);
        lua_insert(L, 1);
        return request_done(L, LUA_OK, 0);
    }
    for (int i = 1; i <= lua_gettop(L); i++)
        if (!lua_isnil(L, i))
            return luaL_error(L,
                "the handler of %s returned a %s; nobody waits for an answer, "
                "so it returns nothing",
                push_subject(L), luaL_typename(L, i));
    run->status = 204;
    run->has_body = false;
    return 0;
}

/* Pushes the handler; an upgrade may have left a timer without one. */
static void
push_background(lua_State *L, const struct ll_call_in *in)
{
    const struct ll_lua_state *state = ll_lua_state(L);
    const struct ll_lua_names *names = &state->engine->named[in->kind];
    uint32_t at = ll_lua_name_index(names, in->name);
    if (at == names->count)
        (void)luaL_error(L, "plugin.json does not declare %s", push_subject(L));
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->named[in->kind][at]);
}

static int
handle_background(lua_State *L, struct ll_lua_run *run)
{
    push_background(L, run->in);
    ll_lua_push_call(L, run);
    if (ll_jv_there(run->body))
        ll_lua_push_json(L, run->body);
    else
        lua_pushnil(L);
    lua_callk(L, 2, LUA_MULTRET, 0, background_done);
    return background_done(L, LUA_OK, 0);
}

/* An answer's handler says what a request's does if one waits, and nothing if
 * none does. */
static int
answer_done(lua_State *L, int status, lua_KContext context)
{
    return lua_gettop(L) == 0 ? background_done(L, status, context)
                              : request_done(L, status, context);
}

/* handler(call, answer, state); they come as [answer, state]. */
static int
handle_answer(lua_State *L, struct ll_lua_run *run)
{
    push_background(L, run->in);
    ll_lua_push_call(L, run);
    LL_JSON_EACH (item, run->body)
        ll_lua_push_json(L, item);
    lua_callk(L, 3, LUA_MULTRET, 0, answer_done);
    return answer_done(L, LUA_OK, 0);
}

int
ll_lua_handle(lua_State *L)
{
    struct ll_lua_state *state = ll_lua_state(L);
    struct ll_lua_run *run = state->engine->current;
    if (LL_UNLIKELY(run->in->kind != LL_CALL_REQUEST))
        return run->in->kind == LL_CALL_ANSWER ? handle_answer(L, run)
                                               : handle_background(L, run);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->handlers[run->in->route]);
    ll_lua_push_call(L, run);
    lua_callk(L, 1, LUA_MULTRET, 0, request_done);
    return request_done(L, LUA_OK, 0);
}

/* -- what outlives the frame -- */

static void
keep_str(struct ll_lua_run *run, linli_str *s)
{
    char *at = run->kept_bytes.ptr + run->kept_bytes.len;
    ll_buf_str(&run->kept_bytes, *s);
    s->ptr = at;
}

void
ll_lua_keep_input(lua_State *L, struct ll_lua_run *run)
{
    struct ll_call_in *kept = &run->kept;
    if (run->in == kept)
        return;
    *kept = *run->in;
    linli_str *strings[] = {&kept->path, &kept->query, &kept->caller_kind,
        &kept->caller_id, &kept->caller_roles, &kept->locale, &kept->trace_id,
        &kept->name, &kept->if_match, &kept->bound_to, &kept->device_kind,
        &kept->resident, &kept->fields};
    size_t bytes = 1;
    for (size_t i = 0; i < LL_COUNT(strings); i++)
        bytes += strings[i]->len;
    for (uint32_t i = 0; i < kept->param_count; i++)
        bytes += kept->params[i].len;
    ll_buf_clear(&run->kept_bytes);
    /* All at once, so that the bytes do not move any more. */
    if (!ll_buf_room(&run->kept_bytes, bytes))
        ll_lua_end_run(L, LL_LUA_MEMORY);
    for (size_t i = 0; i < LL_COUNT(strings); i++)
        keep_str(run, strings[i]);
    for (uint32_t i = 0; i < kept->param_count; i++)
        keep_str(run, &kept->params[i]);
    kept->body = kept->input = (linli_str){NULL, 0};
    kept->has_body = false;
    run->in = kept;
    run->body = (struct ll_jv){NULL, 0};
}
