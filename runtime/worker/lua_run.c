/* worker/lua_run.c: coroutines of calls, and their bursts. [worker] */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "worker/lua_engine.h"

static struct ll_mem *
mem_of(struct ll_lua_state *state)
{
    return &state->engine->worker->mem;
}

/* Runs protected on the main thread: a new thread may find no memory. */
static int
make_coroutine(lua_State *L)
{
    struct ll_lua_run *run = lua_touserdata(L, 1);
    run->L = lua_newthread(L);
    run->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static struct ll_lua_run *
run_make(struct ll_lua_state *state)
{
    struct ll_lua_run *run = ll_alloc(mem_of(state), sizeof *run);
    if (run == NULL)
        return NULL;
    run->tag = (struct ll_lua_tag){LL_LUA_RUN, state};
    ll_buf_init(&run->kept_bytes, mem_of(state), LL_FRAME_BYTES_MAX);
    lua_pushcfunction(state->L, make_coroutine);
    lua_pushlightuserdata(state->L, run);
    if (lua_pcall(state->L, 1, 0, 0) != LUA_OK) {
        lua_settop(state->L, 0);
        ll_release(mem_of(state), run, sizeof *run);
        return NULL;
    }
    ll_lua_set_tag(run->L, &run->tag);
    return run;
}

struct ll_lua_run *
ll_lua_run_new(struct ll_lua_state *state)
{
    struct ll_lua_run *run = state->pool;
    if (run != NULL) {
        state->pool = run->next_free;
        state->pooled--;
    } else {
        run = run_make(state);
        if (run == NULL)
            return NULL;
    }
    state->open++;
    run->waiting = false;
    run->shown = false;
    run->end = LL_LUA_ALIVE;
    run->in = NULL;
    run->body = (struct ll_jv){NULL, 0};
    run->call_table = NULL;
    run->unyieldable = 0;
    run->closing = 0;
    run->host_calls = 0;
    run->used_bytes = 0;
    run->spent_ns = 0;
    run->code[0] = '\0';
    run->detail[0] = '\0';
    run->etag[0] = '\0';
    run->errors = NULL;
    return run;
}

void
ll_lua_run_free(struct ll_lua_run *run, bool clean)
{
    struct ll_lua_state *state = run->tag.state;
    ll_check(state->open > 0);
    state->open--;
    run->in = NULL;
    run->call_table = NULL;
    if (clean && !run->shown && state->pooled < LL_LUA_POOL_MAX) {
        lua_settop(run->L, 0);
        run->next_free = state->pool;
        state->pool = run;
        state->pooled++;
        return;
    }
    /* A coroutine that the plugin still holds belongs to no run now. */
    ll_lua_set_tag(run->L, &state->waiting);
    luaL_unref(state->L, LUA_REGISTRYINDEX, run->ref);
    ll_buf_fini(&run->kept_bytes);
    ll_release(mem_of(state), run, sizeof *run);
}

static int64_t
memory_cap(const struct ll_lua_run *run)
{
    int64_t cap = run->tag.state->engine->worker->config.memory_bytes;
    if (run->in != NULL && run->in->memory_bytes > 0 &&
        run->in->memory_bytes < cap)
        cap = run->in->memory_bytes;
    return cap;
}

int
ll_lua_burst(struct ll_lua_run *run, struct ll_lua_allowance allowance)
{
    struct ll_lua_state *state = run->tag.state;
    struct ll_lua *lua = state->engine;
    struct ll_lua_heap *heap = &state->heap;
    int results = 0;
    ll_check(lua->current == NULL);
    lua->current = run;
    run->refusals = heap->refusals;
    ll_lua_heap_call(heap, run->used_bytes, memory_cap(run));
    allowance.from_ns = ll_worker_clock_ns();
    run->allowance = allowance;
    ll_worker_running(lua->worker, run->call);
    ll_lua_limit_begin(run->L, allowance);
    int status = lua_resume(run->L, NULL, 0, &results);
    bool due = ll_lua_limit_due();
    if (status != LUA_OK)
        (void)ll_lua_ending(run->L, status);
    ll_lua_limit_end();
    if (LL_UNLIKELY(due))
        lua_sethook(run->L, NULL, 0, 0);
    ll_worker_running(lua->worker, 0);
    run->spent_ns += ll_worker_clock_ns() - allowance.from_ns;
    run->used_bytes = heap->call_bytes;
    ll_lua_heap_call(heap, 0, INT64_MAX);
    lua->current = NULL;
    return status;
}

void
ll_lua_stack(lua_State *L, int n, const char *what)
{
    struct ll_lua_state *state = ll_lua_state(L);
    struct ll_lua_run *run = state->engine->current;
    if (LL_LIKELY(lua_checkstack(L, n)))
        return;
    if (run != NULL && state->heap.refusals != run->refusals)
        ll_lua_end_run(L, LL_LUA_MEMORY);
    (void)luaL_error(
        L, "stack overflow (%s)", what == NULL ? "too many values" : what);
}

/* -- errors -- */

static void
describe_error(struct ll_lua_run *run, int status, struct ll_buf *out)
{
    lua_State *L = run->L;
    linli_str text;
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        text.ptr = lua_tolstring(L, -1, &text.len);
        ll_buf_str(out, text);
        return;
    case LUA_TNUMBER: /* converting it would allocate */
        ll_buf_cstr(out, "(a number as error)");
        return;
    default:
        if (status == LUA_ERRMEM)
            ll_buf_cstr(out, "not enough memory");
        else
            ll_buf_printf(out, "(a %s as error)", luaL_typename(L, -1));
    }
}

static void
describe_level(lua_State *L, lua_Debug *ar, struct ll_buf *out)
{
    (void)lua_getinfo(L, "Sln", ar);
    if (strcmp(ar->what, "C") == 0 && ar->name == NULL)
        return; /* the engine's own frame, below all others */
    ll_buf_printf(out, "\n  %s:", ar->short_src);
    if (ar->currentline > 0)
        ll_buf_printf(out, "%d:", ar->currentline);
    if (ar->name != NULL)
        ll_buf_printf(out, " in %s '%s'", ar->namewhat, ar->name);
    else if (strcmp(ar->what, "main") == 0)
        ll_buf_cstr(out, " in the main chunk");
    else if (strcmp(ar->what, "C") != 0)
        ll_buf_printf(out, " in a function of line %d", ar->linedefined);
}

linli_str
ll_lua_describe(struct ll_lua_run *run, int status)
{
    struct ll_buf *out = &run->tag.state->engine->log;
    lua_Debug ar;
    ll_buf_clear(out);
    switch (run->end) {
    case LL_LUA_TIMEOUT:
        ll_buf_printf(out,
            "the soft time limit has passed: %" PRId64
            " ms of CPU time, or %" PRId64 " ms in all, at a stretch",
            run->allowance.cpu_ms, run->allowance.wall_ms);
        break;
    case LL_LUA_MEMORY:
        ll_buf_printf(
            out, "more than %" PRId64 " bytes of memory", memory_cap(run));
        break;
    case LL_LUA_CANCELLED:
        ll_buf_cstr(out, "the host gave the host call up");
        break;
    default:
        describe_error(run, status, out);
    }
    for (int level = 0;
         level < LL_LUA_TRACE_LEVELS_MAX && lua_getstack(run->L, level, &ar);
         level++)
        describe_level(run->L, &ar, out);
    /* A message that did not fit is one that nobody would read whole. */
    out->failed = false;
    return ll_buf_view(out);
}
