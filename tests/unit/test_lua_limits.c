/* tests/unit/test_lua_limits.c: time and memory, and what tries to get
 * around them. What only the host can stop (loops in C) is in the scenario
 * tests of hostile plugins. */
#include "lua_fake.h"

#include "worker/lua_engine.h"

#define BURST_MS 50   /* where time is to run out */
#define AMPLE_MS 5000 /* where it is not, on a busy machine too */
#define TIMEOUT "!sandbox/timeout soft time limit"
#define MEMORY "!sandbox/memory bytes of memory"

static int64_t memory_bytes = 4 << 20, burst_ms = AMPLE_MS;

static struct fake *
limited(const char *code)
{
    struct fake *f = fake_new(FAKE_MANIFEST);
    f->worker.config.burst_ms = burst_ms;
    f->worker.config.memory_bytes = memory_bytes;
    (void)snprintf(f->main, sizeof f->main,
        "local linli = require 'linli' local p = linli.plugin() "
        "local calls = 0 "
        "p:post('/run', function(call) "
        "if call.body == 'well' then return 200, 'well' end %s\nend) return p",
        code);
    fake_file(f, "main.lua", f->main);
    linli_status status = fake_load(f);
    T_INT(status, LINLI_OK);
    if (status != LINLI_OK)
        printf("#   %s: %s\n", f->err.where, f->err.msg);
    return f;
}

/* Every attack ends as said, soon, and the next call is answered. */
static void
attack(const struct fake_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fake *f = limited(cases[i].code);
        int64_t begun = ll_worker_clock_ns();
        fake_call(f, NULL);
        int64_t took_ms = (ll_worker_clock_ns() - begun) / 1000000;
        T_INT(f->ended, 1);
        fake_check(f, cases[i].code, cases[i].want);
        if (took_ms > 5000) {
            t_fail(__FILE__, __LINE__, cases[i].code);
            printf("#   took %d ms\n", (int)took_ms);
        }
        T_OK(f->worker.mem.peak_bytes < 16 << 20);
        fake_call(f, "\"well\"");
        fake_check(f, cases[i].code, "\"well\"");
        fake_free(f);
    }
}
#define ATTACK(cases) attack(cases, LL_COUNT(cases))

static const struct fake_case loops[] = {
    {"while true do end", TIMEOUT},
    {"::a:: goto a", TIMEOUT},
    {"for i = 1, math.huge do end", TIMEOUT},
    {"local function f() return f() end f()", TIMEOUT},
    {"repeat local x = {} until false", TIMEOUT},
    {"local t = setmetatable({}, {__index = function(t, k) return t[k .. ''] "
     "or t[k] end}) local n = 0 while true do n = n + #'x' end",
        TIMEOUT},
    {"for _ in function() return 1 end do end", TIMEOUT},
    {"local m = {} m.__index = function() while true do end end "
     "local x = setmetatable({}, m).y",
        TIMEOUT},
    {"table.sort({1, 2, 3}, function() while true do end end)", TIMEOUT},
    {"('x'):gsub('x', function() while true do end end)", TIMEOUT},
    {"tostring(setmetatable({}, {__tostring = function() while true do end "
     "end}))",
        TIMEOUT},
    {"local t = {} for i = 1, 20 do t[i] = i end while true do "
     "for k, v in pairs(t) do end end",
        TIMEOUT},
    {"while true do call.params = nil local x = call.params end", TIMEOUT},
    {"return 200, setmetatable({}, {__index = function() while true do end "
     "end})",
        "{}"},
};

T_CASE(loops_end)
{
    burst_ms = BURST_MS;
    ATTACK(loops);
    burst_ms = AMPLE_MS;
}

static const struct fake_case swallowing[] = {
    {"while true do pcall(function() while true do end end) end", TIMEOUT},
    {"pcall(function() while true do end end) return 200, 'ok'", TIMEOUT},
    {"xpcall(function() while true do end end, function() while true do end "
     "end) return 200, 'ok'",
        TIMEOUT},
    {"xpcall(function() while true do end end, print) return 200, 'ok'",
        TIMEOUT},
    {"pcall(pcall, pcall, function() while true do end end) return 200",
        TIMEOUT},
    {"coroutine.resume(coroutine.create(function() while true do end end)) "
     "return 200, 'ok'",
        TIMEOUT},
    {"pcall(coroutine.wrap(function() while true do end end)) return 200",
        TIMEOUT},
    /* a fresh coroutine for each slice */
    {"while true do coroutine.wrap(function() for i = 1, 1e5 do end end)() "
     "end",
        TIMEOUT},
    {"while true do local co = coroutine.create(function() "
     "for i = 1, 1e5 do end coroutine.yield() end) coroutine.resume(co) end",
        TIMEOUT},
    {"local co = coroutine.wrap(function() while true do coroutine.yield() "
     "end end) while true do co() end",
        TIMEOUT},
    {"local function nest(n) if n == 0 then while true do end end "
     "coroutine.wrap(nest)(n - 1) end pcall(nest, 50) return 200",
        TIMEOUT},
    {"local x <close> = setmetatable({}, {__close = function() while true do "
     "end end}) while true do end",
        TIMEOUT},
    {"local function f() local x <close> = setmetatable({}, {__close = "
     "function() pcall(f) while true do end end}) while true do end end "
     "pcall(f) return 200, 'ok'",
        TIMEOUT},
    {"local co = coroutine.create(function() local x <close> = "
     "setmetatable({}, {__close = function() while true do end end}) "
     "coroutine.yield() end) coroutine.resume(co) coroutine.close(co) "
     "return 200, 'ok'",
        TIMEOUT},
    {"local x <close> = setmetatable({}, {__close = coroutine.wrap(function() "
     "while true do end end)}) while true do end",
        TIMEOUT},
    {"for _ in pairs(setmetatable({}, {__pairs = function() while true do end "
     "end})) do end",
        TIMEOUT},
    {"while true do local ok, e = pcall(error, setmetatable({}, {__index = "
     "function() while true do end end})) local y = e.x end",
        TIMEOUT},
};

T_CASE(a_time_limit_is_not_swallowed)
{
    burst_ms = BURST_MS;
    ATTACK(swallowing);
    burst_ms = AMPLE_MS;
}

static const struct fake_case growth[] = {
    {"local t = {} for i = 1, 1e9 do t[i] = {} end", MEMORY},
    {"local s = 'x' while true do s = s .. s end", MEMORY},
    {"local t = {} for i = 1, 1e9 do t['k' .. i] = i end", MEMORY},
    {"local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end",
        MEMORY},
    {"local t = {} for i = 1, 1e9 do t[i] = function() return i end end",
        MEMORY},
    {"local s = ('x'):rep(1000000) local t = {} "
     "for i = 1, 1e9 do t[i] = s .. i end",
        MEMORY},
    {"('x'):rep(1e6):gsub('x', ('y'):rep(1000))", MEMORY},
    {"table.concat(setmetatable({}, {__index = function() return "
     "('x'):rep(100000) end}), '', 1, 1000)",
        MEMORY},
    {"string.pack('c' .. (64 << 20), '')", MEMORY},
    {"local function f() pcall(f) f() end f()", MEMORY},
    {"pcall(function() local s = 'x' while true do s = s .. s end end) "
     "return 200, 'ok'",
        MEMORY},
    {"while true do pcall(function() local s = 'x' while true do "
     "s = s .. s end end) end",
        MEMORY},
    {"coroutine.resume(coroutine.create(function() local s = 'x' "
     "while true do s = s .. s end end)) return 200, 'ok'",
        MEMORY},
    {"xpcall(function() local s = 'x' while true do s = s .. s end end, "
     "function() local t = {} for i = 1, 1e9 do t[i] = {} end end) "
     "return 200, 'ok'",
        MEMORY},
    {"local x <close> = setmetatable({}, {__close = function() local t = {} "
     "for i = 1, 1e9 do t[i] = {} end end}) local s = 'x' "
     "while true do s = s .. s end",
        MEMORY},
    {"local t = {} for i = 1, 1e7 do t[i] = i end table.sort(t)", MEMORY},
    /* garbage is no growth */
    {"for i = 1, 20 do local s = ('x'):rep(1000000) .. i end "
     "return 200, 'ok'",
        "\"ok\""},
};

T_CASE(a_memory_limit_is_not_swallowed)
{
    ATTACK(growth);
}

static const struct fake_case refused[] = {
    /* what one instruction could make huge, refused before it starts */
    {"return 200, {pcall(string.rep, 'x', 1 << 40)}",
        "[false,\"string.rep: the result is larger than the plugin's "
        "memory\"]"},
    {"return 200, #string.rep('', 1 << 60)", "0"},
    {"return 200, #string.rep('x', -5)", "0"},
    {"return 200, string.rep('ab', 3, '-')", "\"ab-ab-ab\""},
    {"table.move({}, 1, 1 << 60, 2)", "!plugin/error a range of more than"},
    {"table.concat({}, '', 1, 1 << 60)", "!plugin/error a range of more"},
    {"table.remove(setmetatable({}, {__len = function() return 1 << 60 end}), "
     "1)",
        "!plugin/error a list of more than"},
    {"table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), "
     "1, 1)",
        "!plugin/error a list of more than"},
    {"table.unpack({}, 1, 1 << 40)", "!plugin/error too many results"},
    /* Lua calls Lua without the C stack: memory ends it, or at a larger cap
     * Lua's own bound of a million slots */
    {"local function f() return 1 + f() end f()", MEMORY},
    {"local function f() return 1 + f() end return 200, (pcall(f))", MEMORY},
    {"local function f(n) return n == 0 or pcall(f, n - 1) end "
     "return 200, {f(150), f(10)}",
        "[true,true]"},
    {"local function f() return pcall(f) end f() return 200, 'ok'", "\"ok\""},
    {"local function f() return ('x'):gsub('x', f) end "
     "return 200, (pcall(f))",
        "false"},
    {"local function f() return coroutine.wrap(f)() end "
     "return 200, (pcall(f))",
        "false"},
    {"local s = ('('):rep(50000) return 200, (pcall(string.find, 'x', s))",
        "false"},
    /* coroutine.close within __close, as deep as one likes */
    {"local function chain(n) local co = coroutine.create(function() "
     "local x <close> = setmetatable({}, {__close = function() "
     "if n > 0 then coroutine.close(chain(n - 1)) end end}) "
     "coroutine.yield() end) coroutine.resume(co) return co end "
     "return 200, (pcall(coroutine.close, chain(20000)))",
        "true"},
    {"setmetatable({}, {__gc = function() end})",
        "!plugin/error __gc is not available"},
    {"setmetatable({}, {__gc = true})", "!plugin/error __gc"},
    {"setmetatable({}, {__mode = 'k'})", "!plugin/error __mode"},
    {"local m = {} local t = setmetatable({}, m) m.__gc = function() "
     "while true do end end t = nil for i = 1, 1e5 do local x = {} end "
     "return 200, 'no finalizer'",
        "\"no finalizer\""},
    {"return 200, {pcall(error, 'not enough memory')}",
        "[false,\"not enough memory\"]"},
    {"error(setmetatable({}, {__tostring = function() while true do end "
     "end}))",
        "!plugin/error (a table as error)"},
    {"local t = {} for i = 1, 2e5 do t = {t} end error(t)",
        "!plugin/error (a table as error)"},
    {"error(('x'):rep(2000000))", "!plugin/error"},
    {"error()", "!plugin/error (a nil as error)"},
    {"error(42)", "!plugin/error (a number as error)"},
};

T_CASE(bombs_are_errors)
{
    memory_bytes = LL_MEMORY_BYTES_DEFAULT;
    ATTACK(refused);
    memory_bytes = 4 << 20;
}

/* gc set after load: freezing the module must not make it a finalizer. */
T_CASE(a_frozen_module_has_no_finalizer)
{
    struct fake *f = fake_new(FAKE_MANIFEST);
    fake_file(f, "m.lua",
        "local mt = {} local M = setmetatable({}, mt) "
        "mt.__gc = function() while true do end end return M");
    fake_file(f, "main.lua",
        "local linli = require 'linli' local p = linli.plugin() "
        "require 'm' p:post('/run', function() return 200, 1 end) return p");
    T_INT(fake_load(f), LINLI_OK);
    fake_call(f, NULL);
    T_STR(ll_cstr(f->body), "1");
    fake_free(f);
}

T_CASE(loading_is_limited_too)
{
    static const struct {
        const char *main, *want;
    } cases[] = {
        {"local s = 'x' while true do s = s .. s end", "bytes of memory"},
        {"pcall(function() local s = 'x' while true do s = s .. s end end)",
            "bytes of memory"},
    };
    for (size_t i = 0; i < LL_COUNT(cases); i++) {
        struct fake *f = fake_new(FAKE_MANIFEST);
        fake_file(f, "main.lua", cases[i].main);
        T_INT(fake_load(f), LINLI_E_NOMEM);
        T_STR(ll_cstr(f->err.code), "plugin/load");
        T_OK(strstr(f->err.msg, cases[i].want) != NULL);
        fake_free(f);
    }
}

T_CASE(the_cap_is_the_calls)
{
    struct fake *f = limited("return 200, #('x'):rep(call.body)");
    struct ll_call_in in = fake_in(f);
    in.memory_bytes = 1 << 20;
    fake_begin(f, &in, "400000");
    fake_check(f, "under its cap", "400000");
    in = fake_in(f);
    in.memory_bytes = 1 << 20;
    fake_begin(f, &in, "1100000");
    fake_check(f, "over its cap", MEMORY);
    in = fake_in(f);
    fake_begin(f, &in, "1100000");
    fake_check(f, "another call's cap", "1100000");
    fake_free(f);
}

T_CASE(cpu_time_is_the_runs)
{
    struct fake *f = limited("for i = 1, 1e9 do end return 200");
    struct ll_call_in in = fake_in(f);
    in.cpu_ms = 10;
    fake_begin(f, &in, NULL);
    fake_check(f, "10 ms", TIMEOUT);
    T_OK(f->run_ns > 0);
    fake_free(f);
}

/* A limit error ends one call; those that wait go on in the old state. */
T_CASE(others_outlive_a_limit)
{
    struct fake *f = limited(
        "if call.body == 'wait' then local v = call.host.probe_echo('mine') "
        "return 200, v .. #('x'):rep(100) end "
        "local s = 'x' while true do s = s .. s end");
    uint32_t waiting[LL_LUA_STATES_MAX];
    struct ll_buf value;
    ll_buf_init(&value, &f->worker.mem, 64);
    ll_put_bytes(&value, LINLI_STR("mine"));
    for (size_t i = 0; i < LL_COUNT(waiting); i++) {
        fake_call(f, "\"wait\"");
        T_INT(f->host_calls, i + 1);
        waiting[i] = f->host_call;
        fake_call(f, "\"bomb\"");
        fake_check(f, "bomb", MEMORY);
    }
    fake_call(f, "\"well\"");
    fake_check(f, "every state waits", "!runtime/busy retired states");
    for (size_t i = 0; i < LL_COUNT(waiting); i++) {
        fake_answer_to(f, waiting[i], LINLI_OK, ll_buf_view(&value));
        T_INT(f->call, waiting[i]);
        fake_check(f, "who waited", "\"mine100\"");
        fake_call(f, "\"well\"");
        fake_check(f, "a state is free", "\"well\"");
    }
    ll_buf_fini(&value);
    fake_free(f);
}

/* Every allocation fails once, in Lua and in the engine's own functions:
 * each time the call ends as it should and the next is answered. */
T_CASE(memory_may_end_anywhere)
{
    static const char code[] =
        "local t, n = {}, 0 "
        "for i = 1, 40 do t['k' .. i] = {i, call.params, call.caller} end "
        "for k, v in pairs(t) do n = n + v[1] end "
        "local s = {} for i = 1, 200 do s[i] = i * 7 % 101 end table.sort(s) "
        "local co = coroutine.wrap(function(a) "
        "  coroutine.yield(string.format('%s %d', a, n)) "
        "  return linli.json.encode(linli.json.decode('[1,{\"a\":[]}]')) end) "
        "local ok = pcall(error, {}) "
        "return 200, {co({}), co(), linli.time.format(call.now), ok, "
        "tostring(call), linli.money.split(100, {1, 2}), call.query, "
        "('x'):rep(2000):gsub('x', 'yy')}";
    struct fake *f = limited(code);
    int ended_well = 0, ended_early = 0;
    for (int64_t cap = 1; cap < 120000 && ended_well < 20; cap += 61) {
        struct ll_call_in in = fake_in(f);
        in.memory_bytes = cap;
        in.query = LINLI_STR("a=1&b=2");
        fake_begin(f, &in, "{\"a\":[1,2,{\"b\":\"text\"}]}");
        if (f->status == 200)
            ended_well++;
        else
            ended_early++;
        if (f->status != 200)
            fake_check(f, "a small cap", "!sandbox/memory");
    }
    T_OK(ended_early > 100);
    T_INT(ended_well, 20);
    fake_call(f, "\"well\"");
    fake_check(f, "afterwards", "\"well\"");
    fake_free(f);
}

T_CASE(a_greedy_call_leaves_no_mark)
{
    struct fake *f = limited(
        "local t = {} for i = 1, 20000 do t[i] = {i} end return 200, #t");
    const struct ll_lua *lua = f->worker.engine_state;
    size_t before = lua->total.footprint_bytes;
    for (int i = 0; i < 5; i++) {
        fake_call(f, NULL);
        fake_check(f, "greedy", "20000");
        fake_call(f, "\"well\"");
        fake_check(f, "modest", "\"well\"");
        T_OK(lua->total.footprint_bytes < before + (1 << 20));
    }
    fake_free(f);
}

/* The trusted part's own memory: refused at each allocation of a load and of
 * a call, nothing crashes and nothing leaks. */
T_CASE(the_workers_memory_may_end_too)
{
    int loads = 0;
    for (uint64_t n = 1; n < 60 && loads < 3; n++) {
        struct fake *f = fake_new(FAKE_MANIFEST);
        fake_file(f, "main.lua",
            "local p = require 'linli'.plugin() p:post('/run', function(call) "
            "return 200, call.host.probe_echo(call.query) end) return p");
        f->worker.mem.fail_in = n;
        linli_status status = fake_load(f);
        f->worker.mem.fail_in = 0;
        loads += status == LINLI_OK;
        fake_free(f);
    }
    T_INT(loads, 3);
}

T_MAIN(T_RUN(loops_end) T_RUN(a_time_limit_is_not_swallowed)
        T_RUN(a_memory_limit_is_not_swallowed) T_RUN(bombs_are_errors) T_RUN(
            a_frozen_module_has_no_finalizer) T_RUN(loading_is_limited_too)
            T_RUN(the_cap_is_the_calls) T_RUN(cpu_time_is_the_runs)
                T_RUN(others_outlive_a_limit) T_RUN(memory_may_end_anywhere)
                    T_RUN(a_greedy_call_leaves_no_mark)
                        T_RUN(the_workers_memory_may_end_too))
