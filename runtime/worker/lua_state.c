/* worker/lua_state.c: making a state and running main.lua in it. [worker] */
#include <string.h>

#include "base/text.h"
#include "worker/ffi.h"
#include "worker/lua_lib.h"

/* The heap may grow to this multiple of what lives before a collection
 * begins: calls make garbage that is cheap to collect late. */
#define GC_PAUSE_PERCENT 400
#define GC_STEP_MULTIPLIER 400
#define GC_STEP_SIZE_LOG2 14

static const struct ll_lua_frozen_text library_text = {
    "the library field", "libraries are read-only"};
static const struct ll_lua_frozen_text global_text = {"the global",
    "globals are read-only after load: use a local, or keep it with the "
    "host"};

/* Runs protected on the main thread: libraries, globals, linli. */
static int
open_all(lua_State *L)
{
    struct ll_lua *lua = ll_lua_state(L)->engine;
    ll_lua_open_call(L);
    lua_newtable(L);
    ll_lua_open_base(L);
    ll_lua_open_require(L);
    if (ll_ffi_lua_open(lua->worker, L)) {
        ll_lua_seal(L, library_text, false);
        lua_setfield(L, -2, "native");
    }
    int fields = lua_gettop(L);
    lua_pushvalue(L, fields);
    ll_lua_seal(L, global_text, true);
    lua_pushvalue(L, -1);
    lua_setfield(L, fields, "_G");
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    return 0;
}

/* The coroutine of a load. */
static int
load_main(lua_State *L)
{
    struct ll_lua_state *state = ll_lua_state(L);
    ll_lua_push_main(L);
    lua_call(L, 0, 1);
    ll_lua_check_plugin(L);
    ll_lua_freeze_modules(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    ll_lua_shut(L, -1, global_text);
    state->loaded = true;
    return 0;
}

/* "main.lua:12: text" becomes where and message. */
static linli_status
load_failed(struct ll_lua_run *run, int status, struct ll_err *err)
{
    linli_str text = ll_lua_describe(run, status), line;
    (void)ll_str_split(&text, '\n', &line);
    const char *file_end = memchr(line.ptr, ':', line.len);
    const char *place_end = NULL;
    if (file_end != NULL && file_end + 1 < line.ptr + line.len &&
        file_end[1] >= '0' && file_end[1] <= '9')
        place_end = memchr(
            file_end + 1, ':', (size_t)(line.ptr + line.len - file_end - 1));
    size_t skip = 0;
    if (place_end != NULL)
        skip = (size_t)(place_end - line.ptr) + 1;
    linli_str where = {line.ptr, skip == 0 ? 0 : skip - 1};
    if (skip > 0 && skip < line.len && line.ptr[skip] == ' ')
        skip++;
    linli_str rest = {line.ptr + skip, line.len - skip};
    linli_status failed =
        run->end == LL_LUA_MEMORY ? LINLI_E_NOMEM : LINLI_E_INVALID;
    failed = ll_fail(err, failed, "plugin/load", "%.*s", LL_FMT(rest));
    if (where.len > 0)
        ll_err_where(err, "%.*s", LL_FMT(where));
    return failed;
}

static linli_status
run_main(struct ll_lua_state *state, uint32_t call, int64_t soft_ms,
    struct ll_err *err)
{
    linli_status result = LINLI_OK;
    struct ll_lua_run *run = ll_lua_run_new(state);
    if (run == NULL)
        return ll_fail(
            err, LINLI_E_NOMEM, "plugin/load", "no memory for main.lua");
    run->call = call;
    run->run = 0;
    lua_pushcfunction(run->L, load_main);
    int status = ll_lua_burst(
        run, (struct ll_lua_allowance){.cpu_ms = soft_ms, .wall_ms = soft_ms});
    if (status != LUA_OK)
        result = load_failed(run, status, err);
    ll_lua_run_free(run, status == LUA_OK);
    return result;
}

static linli_status
state_fill(struct ll_lua_state *state, uint32_t call, int64_t soft_ms,
    struct ll_err *err)
{
    lua_State *L = lua_newstate(ll_lua_alloc, &state->heap);
    if (L == NULL)
        return ll_fail(
            err, LINLI_E_NOMEM, "plugin/load", "no memory for a Lua state");
    state->L = L;
    ll_lua_set_tag(L, &state->inner);
    lua_gc(
        L, LUA_GCINC, GC_PAUSE_PERCENT, GC_STEP_MULTIPLIER, GC_STEP_SIZE_LOG2);
    lua_pushcfunction(L, open_all);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK)
        return ll_fail(err, LINLI_E_INVALID, "plugin/load",
            "opening the libraries: %s",
            lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?");
    linli_status status = run_main(state, call, soft_ms, err);
    if (status != LINLI_OK)
        return status;
    (void)lua_gc(L, LUA_GCCOLLECT);
    state->loaded_bytes = state->heap.footprint_bytes;
    return LINLI_OK;
}

linli_status
ll_lua_state_new(struct ll_lua *lua, uint32_t call, int64_t soft_ms,
    struct ll_lua_state **out, struct ll_err *err)
{
    struct ll_worker *worker = lua->worker;
    *out = NULL;
    struct ll_lua_state *state = ll_alloc(&worker->mem, sizeof *state);
    if (state == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a Lua state");
    state->inner = (struct ll_lua_tag){LL_LUA_INNER, state};
    state->waiting = (struct ll_lua_tag){LL_LUA_WAITING, state};
    state->engine = lua;
    for (size_t i = 0; i < LL_COUNT(state->handlers); i++)
        state->handlers[i] = LUA_NOREF;
    for (size_t kind = 0; kind < LL_COUNT(state->named); kind++)
        for (size_t i = 0; i < LL_COUNT(state->named[kind]); i++)
            state->named[kind][i] = LUA_NOREF;
    ll_lua_heap_init(
        &state->heap, &lua->total, (size_t)worker->config.memory_bytes);
    linli_status status = state_fill(state, call, soft_ms, err);
    if (status != LINLI_OK) {
        ll_lua_state_drop(state);
        return status;
    }
    *out = state;
    return LINLI_OK;
}

void
ll_lua_state_drop(struct ll_lua_state *state)
{
    struct ll_mem *mem = &state->engine->worker->mem;
    ll_check(state->open == 0);
    while (state->pool != NULL) {
        struct ll_lua_run *run = state->pool;
        state->pool = run->next_free;
        ll_buf_fini(&run->kept_bytes);
        ll_release(mem, run, sizeof *run);
    }
    /* Never lua_close: it would walk what the plugin may have damaged. */
    ll_lua_heap_drop(&state->heap);
    ll_release(mem, state, sizeof *state);
}
