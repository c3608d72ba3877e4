/* worker/lua_engine.c: calls of a Lua plugin. [worker]
 *
 * The head of `states` admits calls. A limit error, or a heap that a call
 * left fragmented, retires it: the calls that are open there go on, the next
 * one gets a fresh state, made by running main.lua again.
 */
#include "worker/lua_lib.h"

#include <stdio.h>

#include "base/text.h"
#include "worker/ffi.h"

#define LOG_BYTES_MAX LL_LOG_LINE_BYTES_MAX
#define SCRATCH_BYTES_MAX ((size_t)4 << 20)
static linli_status
engine_prepare(struct ll_worker *worker, struct ll_err *err)
{
    linli_status status = ll_ffi_prepare(worker, err);
    return status == LINLI_OK ? ll_lua_limit_arm(err) : status;
}

static int64_t
percent(int64_t whole, int64_t part)
{
    return whole * part / 100;
}

/* The texts of a list of the manifest, or the keys of an object. The host has
 * judged it: `max` is its bound there too. */
static linli_status
take_names(struct ll_worker *worker, struct ll_jv list, uint32_t max,
    struct ll_lua_names *names, struct ll_err *err)
{
    uint32_t n = ll_jv_count(list);
    if (n > max)
        return ll_fail(err, LINLI_E_LIMIT, "plugin/load",
            "plugin.json declares %u names where %u may be", n, max);
    names->at = ll_arena_alloc(&worker->arena, (n + 1) * sizeof *names->at);
    if (names->at == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "plugin.json");
    if (ll_jv_is(list, LL_JSON_OBJECT)) {
        LL_JSON_MEMBERS (key, value, list)
            names->at[names->count++] = ll_jv_str(key);
    } else {
        LL_JSON_EACH (item, list)
            names->at[names->count++] = ll_jv_str(item);
    }
    return LINLI_OK;
}

/* The value at a path like "events.handles". */
static struct ll_jv
declared_at(struct ll_jv root, const char *path)
{
    linli_str rest = ll_cstr(path), part;
    while (ll_str_split(&rest, '.', &part)) {
        char name[32];
        (void)snprintf(name, sizeof name, "%.*s", LL_FMT(part));
        root = ll_jv_get(root, name);
    }
    return root;
}

static linli_status
add_names(struct ll_worker *worker, struct ll_jv list,
    struct ll_lua_names *names, struct ll_err *err)
{
    struct ll_lua_names more = {NULL, 0};
    linli_status status =
        take_names(worker, list, LL_COMPLIANCE_MAX, &more, err);
    uint32_t count = names->count + more.count;
    linli_str *all = ll_arena_alloc(&worker->arena, (count + 1) * sizeof *all);
    if (status == LINLI_OK && all == NULL)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "plugin.json");
    if (status != LINLI_OK)
        return status;
    for (uint32_t i = 0; i < count; i++)
        all[i] = i < names->count ? names->at[i] : more.at[i - names->count];
    *names = (struct ll_lua_names){all, count};
    return LINLI_OK;
}

static linli_status
take_declared(struct ll_lua *lua, struct ll_err *err)
{
    struct ll_worker *worker = lua->worker;
    struct ll_jv root = ll_json_root(&worker->manifest);
    linli_status status = take_names(worker, ll_jv_get(root, "collections"),
        LL_COLLECTIONS_MAX, &lua->collections, err);
    for (size_t i = 0; i < LL_COUNT(ll_lua_named); i++)
        if (ll_lua_named[i].member != NULL && status == LINLI_OK)
            status =
                take_names(worker, declared_at(root, ll_lua_named[i].member),
                    LL_LUA_NAMED_MAX, &lua->named[i], err);
    /* What the host asks for is a job with a name that no plugin can give. */
    struct ll_jv compliance = ll_jv_get(root, "compliance");
    if (status == LINLI_OK && ll_jv_count(compliance) > 0)
        status = add_names(worker, compliance, &lua->named[LL_CALL_JOB], err);
    if (ll_jv_true(ll_jv_get(root, LL_LUA_PAYMENTS))) {
        static linli_str payments = LINLI_STR(LL_LUA_PAYMENTS);
        lua->named[LL_CALL_PAYMENT] = (struct ll_lua_names){&payments, 1};
    }
    return status;
}

uint32_t
ll_lua_name_index(const struct ll_lua_names *names, linli_str name)
{
    uint32_t i = 0;
    while (i < names->count && !ll_str_eq(names->at[i], name))
        i++;
    return i;
}

static linli_status
engine_load(struct ll_worker *worker, struct ll_err *err)
{
    struct ll_lua *lua = ll_arena_alloc(&worker->arena, sizeof *lua);
    if (lua == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the engine");
    lua->worker = worker;
    lua->total.max_bytes =
        (size_t)worker->config.memory_bytes + LL_LUA_OVERLAP_BYTES;
    ll_buf_init(&lua->json, &worker->mem, LL_REPLY_BYTES_MAX);
    ll_buf_init(&lua->args, &worker->mem, LL_REPLY_BYTES_MAX);
    ll_buf_init(&lua->log, &worker->mem, LOG_BYTES_MAX);
    ll_buf_init(&lua->errors, &worker->mem, LOG_BYTES_MAX);
    ll_buf_init(&lua->scratch, &worker->mem, SCRATCH_BYTES_MAX);
    ll_json_init(&lua->tape, &worker->mem);
    worker->engine_state = lua;
    linli_status status = take_declared(lua, err);
    if (status != LINLI_OK)
        return status;
    return ll_lua_state_new(lua, 0, LL_LUA_LOAD_MS, &lua->states, err);
}

/* -- states -- */

/* Drops retired states whose last run has ended. */
static void
drop_retired(struct ll_lua *lua)
{
    struct ll_lua_state **at = &lua->states;
    while (*at != NULL) {
        struct ll_lua_state *state = *at;
        if (state->retired && state->open == 0) {
            *at = state->next;
            ll_lua_state_drop(state);
        } else {
            at = &state->next;
        }
    }
}

/* Makes the state that admits calls from now on; NULL: `in` has been failed
 * for want of one. */
static struct ll_lua_state *
replace_state(struct ll_lua *lua, const struct ll_call_in *in)
{
    struct ll_lua_state *fresh = NULL;
    struct ll_worker_problem problem = {.code = LINLI_STR("runtime/busy"),
        .log = LINLI_STR("too many retired states wait for their calls")};
    struct ll_err err = {0};
    char log[sizeof err.where + sizeof err.msg + 32];
    uint32_t count = 0;
    for (struct ll_lua_state *s = lua->states; s != NULL; s = s->next)
        count++;
    if (count < LL_LUA_STATES_MAX) {
        int64_t soft_ms =
            percent(lua->worker->config.burst_ms, LL_LUA_SOFT_PERCENT);
        if (ll_lua_state_new(lua, in->call, soft_ms, &fresh, &err) ==
            LINLI_OK) {
            fresh->next = lua->states;
            lua->states = fresh;
            return fresh;
        }
        (void)snprintf(
            log, sizeof log, "loading again: %s: %s", err.where, err.msg);
        problem.code = err.status == LINLI_E_NOMEM
                           ? (linli_str)LINLI_STR("sandbox/memory")
                           : (linli_str)LINLI_STR("plugin/error");
        problem.log = ll_cstr(log);
    }
    ll_worker_fail(lua->worker, in->call, in->run, &problem, 0);
    return NULL;
}

/* After a call: is the state worth keeping? A call that took much of the
 * memory leaves it in blocks of its own sizes, useless to the next. */
static void
judge_state(struct ll_lua_state *state, enum ll_lua_end end)
{
    size_t grown = state->heap.footprint_bytes - state->loaded_bytes;
    if (end == LL_LUA_TIMEOUT || end == LL_LUA_MEMORY) {
        state->retired = true;
        /* Others still run there: what the culprit held is needed. No
         * finalizers exist, so this runs nothing of the plugin. */
        if (state->open > 0) {
            ll_worker_breathe(state->engine->worker);
            (void)lua_gc(state->L, LUA_GCCOLLECT);
        }
    } else if (state->open == 0 &&
               state->heap.footprint_bytes > state->loaded_bytes &&
               grown > (state->heap.max_bytes - state->loaded_bytes) / 2) {
        state->retired = true;
    }
}

/* -- runs -- */

static struct ll_lua_run *
run_find(const struct ll_lua *lua, uint32_t call, uint16_t run)
{
    for (uint32_t i = 0; i < lua->open_count; i++)
        if (lua->open[i]->call == call && lua->open[i]->run == run)
            return lua->open[i];
    return NULL;
}

static void
run_close(struct ll_lua *lua, struct ll_lua_run *run, bool clean)
{
    struct ll_lua_state *state = run->tag.state;
    enum ll_lua_end end = run->end;
    uint32_t i = 0;
    while (lua->open[i] != run)
        i++;
    lua->open[i] = lua->open[--lua->open_count];
    ll_lua_run_free(run, clean);
    judge_state(state, end);
    if (LL_UNLIKELY(state->retired))
        drop_retired(lua);
}

static void
fail(struct ll_lua *lua, struct ll_lua_run *run, int status)
{
    struct ll_worker_problem problem = {.code = LINLI_STR("plugin/error")};
    if (run->end == LL_LUA_PROBLEM) {
        problem.code = ll_cstr(run->code);
        problem.detail = ll_cstr(run->detail);
        if (run->errors != NULL)
            problem.errors_json = ll_buf_view(run->errors);
        if (ll_str_is(problem.code, "plugin/undeclared-problem")) {
            problem.log = problem.detail;
            problem.detail = (linli_str){NULL, 0};
        }
    } else {
        problem.log = ll_lua_describe(run, status);
    }
    if (run->end == LL_LUA_TIMEOUT)
        problem.code = (linli_str)LINLI_STR("sandbox/timeout");
    else if (run->end == LL_LUA_MEMORY)
        problem.code = (linli_str)LINLI_STR("sandbox/memory");
    else if (run->end == LL_LUA_CANCELLED)
        problem.code = (linli_str)LINLI_STR("runtime/busy");
    ll_worker_fail(lua->worker, run->call, run->run, &problem, run->spent_ns);
}

/* A burst of the run; ends it unless it waits for the host. */
static void
go_on(struct ll_lua *lua, struct ll_lua_run *run)
{
    int64_t burst_ms = lua->worker->config.burst_ms;
    struct ll_lua_allowance allowance = {
        .cpu_ms = percent(burst_ms, LL_LUA_SOFT_PERCENT),
        .wall_ms = percent(burst_ms, LL_LUA_WALL_PERCENT)};
    int64_t left_ms = run->in->cpu_ms - run->spent_ns / 1000000;
    if (run->in->cpu_ms > 0 && left_ms < allowance.cpu_ms)
        allowance.cpu_ms = left_ms > 0 ? left_ms : 0;
    int status = ll_lua_burst(run, allowance);
    if (status == LUA_YIELD && run->end == LL_LUA_ALIVE) {
        ll_check(run->waiting);
        return;
    }
    if (LL_LIKELY(status == LUA_OK)) {
        struct ll_worker_answer answer = {.status = run->status};
        answer.etag = ll_cstr(run->etag);
        if (run->has_body)
            answer.body_json = ll_buf_view(&lua->json);
        ll_worker_reply(
            lua->worker, run->call, run->run, &answer, run->spent_ns);
    } else {
        fail(lua, run, status);
    }
    run_close(lua, run, status == LUA_OK);
}

static void
engine_call(
    struct ll_worker *worker, const struct ll_call_in *in, struct ll_jv body)
{
    struct ll_lua *lua = worker->engine_state;
    struct ll_lua_state *state = lua->states;
    if (LL_UNLIKELY(state == NULL || state->retired))
        state = replace_state(lua, in);
    if (state == NULL)
        return;
    ll_check(lua->open_count < LL_COUNT(lua->open));
    struct ll_lua_run *run = ll_lua_run_new(state);
    if (run == NULL) {
        struct ll_worker_problem problem = {.code = LINLI_STR("sandbox/memory"),
            .log = LINLI_STR("no memory for a coroutine")};
        ll_worker_fail(worker, in->call, in->run, &problem, 0);
        judge_state(state, LL_LUA_MEMORY);
        drop_retired(lua);
        return;
    }
    lua->open[lua->open_count++] = run;
    run->call = in->call;
    run->run = in->run;
    run->in = in;
    run->body = body;
    ll_lua_seed(run, (uint64_t)in->seed);
    lua_pushcfunction(run->L, ll_lua_handle);
    go_on(lua, run);
}

static void
engine_answer(struct ll_worker *worker, uint32_t call, uint16_t number,
    linli_status status, linli_str answer)
{
    struct ll_lua *lua = worker->engine_state;
    struct ll_lua_run *run = run_find(lua, call, number);
    if (run == NULL || !run->waiting)
        return;
    run->waiting = false;
    run->answer_status = status;
    run->answer = answer;
    go_on(lua, run);
}

static void
engine_cancel(struct ll_worker *worker, uint32_t call, uint16_t number)
{
    struct ll_lua *lua = worker->engine_state;
    struct ll_lua_run *run = run_find(lua, call, number);
    if (run != NULL)
        run_close(lua, run, false);
}

static bool
engine_idle(const struct ll_worker *worker)
{
    const struct ll_lua *lua = worker->engine_state;
    return lua->open_count == 0;
}

static void
engine_end(struct ll_worker *worker)
{
    struct ll_lua *lua = worker->engine_state;
    while (lua->open_count > 0)
        run_close(lua, lua->open[0], false);
    for (struct ll_lua_state *s = lua->states; s != NULL; s = s->next)
        s->retired = true;
    drop_retired(lua);
    ll_buf_fini(&lua->json);
    ll_buf_fini(&lua->args);
    ll_buf_fini(&lua->log);
    ll_buf_fini(&lua->errors);
    ll_buf_fini(&lua->scratch);
    ll_json_fini(&lua->tape);
    worker->engine_state = NULL;
}

const struct ll_engine ll_lua_engine = {.prepare = engine_prepare,
    .load = engine_load,
    .call = engine_call,
    .answer = engine_answer,
    .cancel = engine_cancel,
    .idle = engine_idle,
    .end = engine_end};
