/* tests/unit/test_lua_calls.c: the call object, what handlers return,
 * problems, host calls and calls that interleave. */
#include "lua_fake.h"

static const struct fake_case objects[] = {
    {"return 200, {call.now, call.locale, call.zone, call.trace_id, "
     "call.path}",
        "[1772413200000,\"zh-CN\",\"Asia/Shanghai\","
        "\"0123456789abcdef0123456789abcdef\",\"/run\"]"},
    {"return 200, {call.caller, call.resident}",
        "[{\"id\":\"r-1\",\"kind\":\"resident\",\"roles\":[\"owner\"]},"
        "{\"id\":\"r-1\"}]"},
    {"return 200, {call.body == nil, call.nothing == nil}", "[true,true]"},
    {"return 200, {call.kind, call.due == nil, call.late, "
     "call.if_match == nil}",
        "[\"request\",true,false,true]"},
    {"return 200, {call.params, call.query}", "[{},{}]"},
    {"return 200, {call.params == call.params, tostring(call)}",
        "[true,\"call\"]"},
    {"call.mine = 1 return 200, call.mine", "1"},
    {"return 200, {getmetatable(call), pcall(setmetatable, call, {})}",
        "[false,false,\"cannot change a protected metatable\"]"},
    {"call.fail()", "!plugin/error bad argument #1 to 'fail'"},
    {"call.fail({}, 'probe/no')", "!plugin/error not the running call's"},
    {"call.host.new = 1", "!plugin/error the host operation 'new' cannot be"},
    /* what is returned */
    {"return", "!plugin/error the handler of POST /run returned nothing; it "
               "must return an integer from 200 to 599"},
    {"return 'ok'", "!plugin/error returned a string as status"},
    {"return 200.0", "!plugin/error returned a number as status"},
    {"return nil, {}", "!plugin/error returned a nil as status"},
    {"return 199", "!plugin/error returned the status 199"},
    {"return 600, {}", "!plugin/error returned the status 600"},
    {"return 200, 1, nil, 2", "!plugin/error returned more than three values"},
    {"return 200, 1, 2", "!plugin/error returned a number as third value"},
    {"return 200, 1, {}", "!plugin/error returned other members as third"},
    {"return 200, 1, {'7'}", "!plugin/error returned other members as third"},
    {"return 200, 1, {etag = '7', x = 1}", "!plugin/error other members"},
    {"return 200, 1, {etag = 7}", "!plugin/error a number in `etag`"},
    {"return 200, 1, {etag = ''}", "!plugin/error another text in `etag`"},
    {"return 200, 1, {etag = 'a\\r\\nb'}", "!plugin/error another text"},
    {"return 200, 1, {etag = '\"7\"'}", "!plugin/error another text in"},
    {"return 200, 1, {etag = ('7'):rep(65)}",
        "!plugin/error 1 to 64 visible ASCII characters"},
    {"return 204, {}", "!plugin/error returned a body with the status 204"},
    {"return 304, 1", "!plugin/error returned a body with the status 304"},
    {"coroutine.yield(1)", "!plugin/error from outside a coroutine"},
    /* problems */
    {"call:fail('probe/no')", "!probe/no"},
    {"call:fail('probe/no', 'the slot is taken')", "!probe/no the slot is"},
    {"pcall(call.fail, call, 'probe/no') return 200", "!probe/no"},
    {"pcall(function() pcall(call.fail, call, 'probe/no') end) "
     "return 200, 'swallowed'",
        "!probe/no"},
    {"coroutine.wrap(function() call:fail('probe/no') end)() return 200",
        "!probe/no"},
    {"table.sort({1, 2}, function() call:fail('probe/no') end) return 200",
        "!probe/no"},
    {"local x <close> = setmetatable({}, {__close = function() "
     "call:fail('probe/other') end}) call:fail('probe/no')",
        "!probe/no"},
    {"xpcall(call.fail, function() return 'x' end, call, 'probe/no') "
     "return 200",
        "!probe/no"},
    {"call:fail('probe/other')",
        "!plugin/undeclared-problem main.lua:1: call:fail(\"probe/other\")"},
    {"call:fail('request/invalid')", "!plugin/undeclared-problem"},
    {"call:fail()", "!plugin/error bad argument #1 to 'fail'"},
    {"call:fail('probe/no', '\\xff')", "!plugin/error not UTF-8"},
    {"call:fail('probe/no', ('\xe4\xbd\xa0'):rep(200))", "!probe/no \xe4\xbd"},
    /* errors name the line */
    {"\n\nlocal x = nil\nreturn 200, x.y",
        "!plugin/error main.lua:4: attempt to index a nil value"},
    {"local function inner() error('boom') end\ninner()",
        "!plugin/error main.lua:1: boom\n  [C]: in global 'error'\n"
        "  main.lua:1: in local 'inner'"},
    {"error({})", "!plugin/error (a table as error)"},
    {"print('a', 1, nil, {}, linli.null) linli.log.warn('w') "
     "linli.log.error({}) return 200",
        ""},
};

T_CASE(handlers_end_as_they_say)
{
    FAKE_CASES(objects, NULL);
}

T_CASE(log_lines_go_to_the_host)
{
    struct fake *f = fake_handler(
        "print('a', 1, nil, {}, linli.null, print, 1.5) "
        "linli.log.debug('d') linli.log.info('i') linli.log.warn(2) "
        "linli.log.error(true) print() print(('x'):rep(9000)) return 200");
    fake_call(f, NULL);
    T_INT(f->status, 200);
    T_OK(strncmp(f->lines,
             "1 a\t1\tnil\ttable\tnull\tfunction\t1.5\n0 d\n1 i\n2 2\n3 "
             "true\n1 \n1 xxx",
             57) == 0);
    T_OK(strlen(f->lines) < 60 + LL_LOG_LINE_BYTES_MAX + 8);
    fake_free(f);
}

static const struct {
    const char *query, *want;
} queries[] = {
    {"", "{}"},
    {"a=1", "{\"a\":\"1\"}"},
    {"a=1&b=%E4%BD%A0&c", "{\"a\":\"1\",\"b\":\"\xe4\xbd\xa0\",\"c\":\"\"}"},
    {"a=b=c&&d=", "{\"a\":\"b=c\",\"d\":\"\"}"},
    {"at=2026-03-02T09:00:00+08:00", "{\"at\":\"2026-03-02T09:00:00+08:00\"}"},
    {"a%3Db=c%26d", "{\"a=b\":\"c&d\"}"},
    {"=x", "{\"\":\"x\"}"},
    {"a=%2", "!request/invalid"},
    {"a=%zz", "!request/invalid"},
    {"a=%ff", "!request/invalid"},
    {"%=1", "!request/invalid"},
    {"a=1&a=2", "!request/invalid"},
    {"a=1&%61=1", "!request/invalid"},
};

T_CASE(queries_are_decoded_strictly)
{
    struct fake *f = fake_handler("return 200, call.query");
    for (size_t i = 0; i < LL_COUNT(queries); i++) {
        struct ll_call_in in = fake_in(f);
        in.query = ll_cstr(queries[i].query);
        fake_begin(f, &in, NULL);
        fake_check(f, queries[i].query, queries[i].want);
    }
    T_STR(ll_cstr(f->errors), "[{\"at\":\"?%61\",\"rule\":\"unique\","
                              "\"message\":\"the name stands twice\"}]");
    char many[1024] = "x=1";
    for (int i = 0; i < LL_LUA_QUERY_NAMES_MAX; i++)
        (void)snprintf(many + strlen(many), 8, "&k%d=", i);
    struct ll_call_in in = fake_in(f);
    in.query = ll_cstr(many);
    fake_begin(f, &in, NULL);
    fake_check(f, "65 names", "!request/invalid");
    fake_free(f);
}

T_CASE(params_come_by_name)
{
    struct fake *f = fake_new(
        "{\"id\":\"p\",\"main\":\"main.lua\",\"routes\":[{\"method\":\"GET\","
        "\"path\":\"/a/:lot/b/:id\"},{\"method\":\"DELETE\",\"path\":\"/a/"
        ":x\"}]}");
    fake_file(f, "main.lua",
        "local p = require 'linli'.plugin() "
        "p:get('/a/:lot/b/:id', function(c) return 200, c.params end) "
        "p:delete('/a/:x', function(c) c.host.probe_echo(1) "
        "return 200, {c.params, c.query, c.locale, c.caller, c.trace_id} end) "
        "return p");
    T_INT(fake_load(f), LINLI_OK);
    struct ll_call_in in = fake_in(f);
    in.param_count = 2;
    in.params[0] = LINLI_STR("p1");
    in.params[1] = LINLI_STR("\xe4\xbd\xa0");
    fake_begin(f, &in, NULL);
    T_STR(ll_cstr(f->body), "{\"id\":\"\xe4\xbd\xa0\",\"lot\":\"p1\"}");
    /* read after a host call, when the frame is long gone */
    in.call = ++f->next_call;
    in.route = 1;
    in.param_count = 1;
    in.query = LINLI_STR("q=1");
    in.caller_kind = LINLI_STR("staff");
    fake_begin(f, &in, NULL);
    fake_answer_to(f, in.call, LINLI_OK, fake_echo(f));
    T_STR(ll_cstr(f->body),
        "[{\"x\":\"p1\"},{\"q\":\"1\"},\"zh-CN\",{\"id\":\"r-1\",\"kind\":"
        "\"staff\",\"roles\":[\"owner\"]},"
        "\"0123456789abcdef0123456789abcdef\"]");
    fake_free(f);
}

/* -- host calls -- */

/* Plays the host until the call ends: every echo comes back. */
static void
run_echoing(struct fake *f, const char *body)
{
    fake_call(f, body);
    for (int i = 0; i < 1100 && f->worker.run_count > 0; i++)
        fake_answer_to(f, f->host_call, LINLI_OK, fake_echo(f));
}

static const struct fake_case echoes[] = {
    {"return 200, call.host.probe_echo('x')", "\"x\""},
    {"return 200, {call.host.probe_echo(nil) == nil, call.host.probe_echo(1), "
     "call.host.probe_echo(1.5), call.host.probe_echo(true)}",
        "[true,1,1.5,true]"},
    {"return 200, call.host.probe_echo{a = {1, {}, linli.array()}, "
     "n = linli.null, [''] = 'y'}",
        "{\"\":\"y\",\"a\":[1,{},[]],\"n\":null}"},
    {"local n = 0 for i = 1, 1000 do n = n + call.host.probe_echo(1) end "
     "return 200, n",
        "1000"},
    {"for i = 1, 1001 do call.host.probe_echo(1) end",
        "!plugin/error more than 1000 host calls"},
    {"return 200, {pcall(call.host.probe_echo, 'x')}", "[true,\"x\"]"},
    {"return 200, {xpcall(call.host.probe_echo, error, 'x')}", "[true,\"x\"]"},
    {"return 200, {pcall(pcall, pcall, call.host.probe_echo, 'x')}",
        "[true,true,true,\"x\"]"},
    /* through the plugin's own coroutines */
    {"return 200, coroutine.wrap(call.host.probe_echo)('x')", "\"x\""},
    {"local co = coroutine.create(function(a) "
     "local b = coroutine.yield(call.host.probe_echo(a)) "
     "return call.host.probe_echo(b) end) "
     "local r = {} "
     "r[1], r[2] = coroutine.resume(co, 'a') r[3] = coroutine.status(co) "
     "r[4], r[5] = coroutine.resume(co, 'b') r[6] = coroutine.status(co) "
     "return 200, r",
        "[true,\"a\",\"suspended\",true,\"b\",\"dead\"]"},
    {"local function nest(n) if n == 0 then return call.host.probe_echo('deep')"
     " end return coroutine.wrap(nest)(n - 1) end return 200, nest(60)",
        "\"deep\""},
    {"local r = {} for v in coroutine.wrap(function() for i = 1, 3 do "
     "coroutine.yield(call.host.probe_echo(i * 10)) end end) do "
     "r[#r + 1] = v end return 200, r",
        "[10,20,30]"},
    {"local co = coroutine.create(function() "
     "pcall(call.host.probe_echo, 1) error('inner') end) "
     "return 200, {coroutine.resume(co)}",
        "[false,\"main.lua:1: inner\"]"},
    {"local f = coroutine.wrap(function() call.host.probe_echo(1) "
     "error('x') end) return 200, {pcall(f)}",
        "[false,\"main.lua:1: x\"]"},
    {"local m = setmetatable({}, {__index = function(_, k) "
     "return call.host.probe_echo(k) end, __add = function(a, b) "
     "return call.host.probe_echo(b) end, __call = function(_, v) "
     "return call.host.probe_echo(v) end}) return 200, {m.x, m + 1, m(2)}",
        "[\"x\",1,2]"},
    {"local x <close> = setmetatable({}, {__close = function() "
     "call.host.probe_echo('closing') end}) return 200, 'closed'",
        "\"closed\""},
    /* where nothing can wait */
    {"table.sort({1, 2}, function() call.host.probe_echo(1) end)",
        "!plugin/error probe_echo cannot wait inside table.sort"},
    {"('x'):gsub('x', call.host.probe_echo)",
        "!plugin/error probe_echo cannot wait inside string.gsub"},
    {"('x'):gsub('x', function() call.host.probe_echo(1) end)",
        "!plugin/error inside string.gsub"},
    {"('x'):gsub('x', function() coroutine.wrap(function() "
     "call.host.probe_echo(1) end)() end)",
        "!plugin/error inside string.gsub"},
    {"local co = coroutine.wrap(function() ('x'):gsub('x', function() "
     "coroutine.wrap(coroutine.wrap(function() pcall(call.host.probe_echo, 1) "
     "error('then') end))() end) end) co()",
        "!plugin/error then"},
    {"tostring(setmetatable({}, {__tostring = function() "
     "call.host.probe_echo(1) end}))",
        "!plugin/error inside tostring"},
    {"local co = coroutine.create(function() local x <close> = "
     "setmetatable({}, {__close = function() call.host.probe_echo(1) end}) "
     "coroutine.yield() end) coroutine.resume(co) "
     "return 200, {coroutine.close(co)}",
        "[false,\"main.lua:1: call.host.probe_echo cannot wait inside "
        "coroutine.close; call it before or after\"]"},
    {"return 200, (pcall(table.sort, {1, 2}, function() "
     "call.host.probe_echo(1) end))",
        "false"},
    /* arguments */
    {"call.host.probe_wait('x')", "!plugin/error bad argument #1"},
    {"call.host.probe_wait(1, 2)", "!plugin/error no such argument"},
    {"call.host.probe_echo()", "!plugin/error value expected"},
    {"call.host.probe_echo(print)", "!plugin/error a function cannot go to"},
    {"call.host.probe_echo({a = {print}})", "!plugin/error at /a/1: a func"},
    {"local t = {} t.t = t call.host.probe_echo(t)", "!plugin/error within"},
    {"local t = {} for i = 1, 20000 do t[i] = i end call.host.probe_echo(t)",
        "!plugin/error more"},
    {"call.host.probe_echo(('x'):rep(1 << 21))", "!plugin/error larger than"},
    {"return 200, #call.host.probe_echo(('x'):rep(4000))", "4000"},
};

T_CASE(host_calls_wait_wherever_they_can)
{
    for (size_t i = 0; i < LL_COUNT(echoes); i++) {
        struct fake *f = fake_handler(echoes[i].code);
        run_echoing(f, NULL);
        T_INT(f->ended, 1);
        fake_check(f, echoes[i].code, echoes[i].want);
        T_OK(ll_lua_engine.idle(&f->worker));
        fake_free(f);
    }
}

T_CASE(a_refused_host_call_is_an_error)
{
    static const struct {
        linli_status status;
        const char *want;
    } cases[] = {{LINLI_E_DENIED, "[false,\"call.host.probe_wait: denied\"]"},
        {LINLI_E_INVALID, "[false,\"call.host.probe_wait: invalid\"]"},
        {LINLI_OK, "[true]"},
        {LINLI_E_CANCELLED, "!runtime/busy the host gave the host call up"}};
    for (size_t i = 0; i < LL_COUNT(cases); i++) {
        struct fake *f =
            fake_handler("return 200, {pcall(call.host.probe_wait, 5)}");
        fake_call(f, NULL);
        T_INT(f->host_op, 2);
        T_INT(f->mine.running, 0);
        fake_answer_to(f, f->host_call, cases[i].status, (linli_str){"\0", 1});
        fake_check(f, ll_status_name(cases[i].status), cases[i].want);
        fake_free(f);
    }
}

T_CASE(drafts_are_off_unless_allowed)
{
    struct fake *f = fake_new(FAKE_MANIFEST);
    f->worker.config.drafts = false;
    fake_file(f, "main.lua",
        "local p = require 'linli'.plugin() p:post('/run', function(call) "
        "return 200, {call.host.probe_echo == nil} end) return p");
    T_INT(fake_load(f), LINLI_OK);
    fake_call(f, NULL);
    T_STR(ll_cstr(f->body), "[true]");
    fake_free(f);
}

T_CASE(calls_interleave)
{
    struct fake *f = fake_handler(
        "local mine = call.body local a = call.host.probe_echo(mine) "
        "local r = math.random(1000000) "
        "local b = coroutine.wrap(function() "
        "return call.host.probe_echo(mine + 1) end)() "
        "return 200, {a, b, call.body, call.caller.id, r}");
    enum { N = 100 };
    uint32_t ids[N];
    char lone[128];
    fake_call(f, "7");
    for (int i = 0; i < 2; i++)
        fake_answer_to(f, f->host_call, LINLI_OK, fake_echo(f));
    fake_copy(lone, sizeof lone, ll_cstr(f->body));
    T_OK(strncmp(lone, "[7,8,7,\"r-1\",", 13) == 0);
    for (int i = 0; i < N; i++) {
        fake_call(f, "7");
        ids[i] = f->host_call;
    }
    T_OK(!ll_lua_engine.idle(&f->worker));
    for (int round = 0; round < 2; round++)
        for (int i = N - 1; i >= 0; i--) {
            struct ll_buf value;
            ll_buf_init(&value, &f->worker.mem, 64);
            ll_put_int(&value, 7 + round);
            fake_answer_to(f, ids[i], LINLI_OK, ll_buf_view(&value));
            ll_buf_fini(&value);
            if (round == 1)
                T_STR(ll_cstr(f->body), lone);
        }
    T_INT(f->ended, N + 1);
    T_OK(ll_lua_engine.idle(&f->worker));
    fake_free(f);
}

T_CASE(another_calls_coroutine_is_out_of_reach)
{
    struct fake *f = fake_new(FAKE_MANIFEST);
    fake_file(f, "main.lua",
        "local p = require 'linli'.plugin() local held = {} "
        "p:post('/run', function(call) "
        "if call.body == 'hold' then "
        "  held.own = coroutine.running() held.call = call "
        "  held.inner = coroutine.create(function() "
        "    call.host.probe_echo(1) end) "
        "  coroutine.resume(held.inner) return 200, 'held' "
        "end "
        "return 200, {coroutine.status(held.own), "
        "coroutine.status(held.inner), {coroutine.resume(held.own)}, "
        "{coroutine.resume(held.inner)}, "
        "(pcall(coroutine.close, held.own)), "
        "(pcall(coroutine.close, held.inner)), "
        "(pcall(function() return held.call.params end)), "
        "(pcall(held.call.fail, held.call, 'probe/no'))} end) return p");
    T_INT(fake_load(f), LINLI_OK);
    static const char want[] =
        "[\"normal\",\"normal\",[false,\"cannot resume non-suspended "
        "coroutine\"],[false,\"cannot resume non-suspended coroutine\"],"
        "false,false,false,false]";
    fake_call(f, "\"hold\"");
    uint32_t waiting = f->host_call;
    fake_call(f, "\"look\"");
    T_STR(ll_cstr(f->body), want);
    fake_answer_to(f, waiting, LINLI_OK, (linli_str){"\0", 1});
    T_STR(ll_cstr(f->body), "\"held\"");
    /* Its coroutine has been seen: it serves no other call. */
    fake_call(f, "\"look\"");
    T_INT(f->status, 200);
    T_OK(strncmp(f->body, "[\"normal\",\"dead\"", 16) == 0);
    fake_free(f);
}

T_CASE(a_cancelled_run_says_nothing)
{
    struct fake *f = fake_handler("call.host.probe_echo(1) return 200, 'late'");
    fake_call(f, NULL);
    uint32_t call = f->host_call;
    ll_lua_engine.cancel(&f->worker, call, 1);
    T_OK(ll_lua_engine.idle(&f->worker));
    fake_answer_to(f, call, LINLI_OK, fake_echo(f));
    ll_lua_engine.cancel(&f->worker, call, 1);
    T_INT(f->ended, 0);
    f->worker.run_count = 0;
    fake_call(f, NULL);
    fake_answer_to(f, f->host_call, LINLI_OK, fake_echo(f));
    T_STR(ll_cstr(f->body), "\"late\"");
    fake_free(f);
}

T_CASE(an_answer_without_a_question_is_dropped)
{
    struct fake *f = fake_handler("return 200, call.host.probe_echo(1)");
    fake_answer_to(f, 9, LINLI_OK, (linli_str){"\0", 1});
    fake_call(f, NULL);
    uint32_t call = f->host_call;
    ll_lua_engine.answer(
        &f->worker, call, 2, LINLI_OK, (linli_str){"\0", 1}); /* wrong run */
    fake_read(f);
    T_INT(f->ended, 0);
    fake_answer_to(f, call, LINLI_OK, fake_echo(f));
    T_INT(f->ended, 1);
    fake_answer_to(f, call, LINLI_OK, (linli_str){"\0", 1});
    T_INT(f->ended, 1);
    fake_free(f);
}

T_CASE(many_calls_do_not_grow_the_worker)
{
    struct fake *f = fake_handler(
        "local t = {} for i = 1, 50 do t[i] = {i = i, s = 'v' .. i} end "
        "return 200, {n = #t, last = t[50].s, given = call.body}");
    for (int i = 0; i < 200; i++)
        fake_call(f, "{\"a\":[1,2,3]}");
    size_t used = f->worker.mem.used_bytes;
    for (int i = 0; i < 3000; i++)
        fake_call(f, "{\"a\":[1,2,3]}");
    T_STR(ll_cstr(f->body),
        "{\"given\":{\"a\":[1,2,3]},\"last\":\"v50\",\"n\":50}");
    T_INT(f->worker.mem.used_bytes, used);
    fake_free(f);
}

T_MAIN(T_RUN(handlers_end_as_they_say) T_RUN(log_lines_go_to_the_host)
        T_RUN(queries_are_decoded_strictly) T_RUN(params_come_by_name)
            T_RUN(host_calls_wait_wherever_they_can)
                T_RUN(a_refused_host_call_is_an_error)
                    T_RUN(drafts_are_off_unless_allowed) T_RUN(calls_interleave)
                        T_RUN(another_calls_coroutine_is_out_of_reach)
                            T_RUN(a_cancelled_run_says_nothing)
                                T_RUN(an_answer_without_a_question_is_dropped)
                                    T_RUN(many_calls_do_not_grow_the_worker))
