/* tests/unit/test_lua_effects.c: call:timer, event, meter ..., and the calls
 * that are no requests. */
#include "lua_host.h"

static const struct host_case methods[] = {
    {"return 200, call:timer{at = call.now + 6 * linli.minute, "
     "run = 'expire', with = {id = 'b1', n = {}, l = linli.array()}, "
     "key = 'k', subject = 's'}",
        {{OP_timer_set,
            "[{\"at\":1772413560000,\"key\":\"k\",\"run\":\"expire\","
            "\"subject\":\"s\",\"with\":\"{\\\"id\\\":\\\"b1\\\",\\\"l\\\":[],"
            "\\\"n\\\":{}}\"}]",
            0, "\"k\""}},
        "\"k\""},
    {"return 200, call:timer{at = 5, run = 'expire'}",
        {{OP_timer_set, "[{\"at\":5,\"run\":\"expire\",\"with\":\"{}\"}]", 0,
            "\"made\""}},
        "\"made\""},
    {"return 200, call:timer{at = 5.0, run = 'expire', with = linli.null}",
        {{OP_timer_set, "[{\"at\":5,\"run\":\"expire\",\"with\":\"null\"}]", 0,
            "\"k\""}},
        "\"k\""},
    {"return 200, {call:cancel('k'), call:cancel('k')}",
        {{OP_timer_cancel, "[\"k\"]", 0, "true"},
            {OP_timer_cancel, "[\"k\"]", 0, "false"}},
        "[true,false]"},
    {"return 200, {n = select('#', call:event('probe.done', {a = 1}))}",
        {{OP_event_emit, "[\"probe.done\",\"{\\\"a\\\":1}\",{}]", 0, "null"}},
        "{\"n\":0}"},
    {"call:event('probe.done', linli.array(), {subject = call.resident.id}) "
     "return 204",
        {{OP_event_emit, "[\"probe.done\",\"[]\",{\"subject\":\"r-1\"}]", 0,
            "null"}},
        ""},
    {"return 200, call:meter('probe.used', 3)",
        {{OP_meter_add, "[\"probe.used\",3,{}]", 0, "\"recorded\""}},
        "\"recorded\""},
    {"return 200, call:meter('probe.used', -3, {event_id = 'e', at = 7, "
     "reverses = 'd'})",
        {{OP_meter_add,
            "[\"probe.used\",-3,{\"at\":7,\"event_id\":\"e\",\"reverses\":"
            "\"d\"}]",
            0, "\"duplicate\""}},
        "\"duplicate\""},
    {"return 200, {n = select('#', call:alert('probe.odd', 'text'))}",
        {{OP_alert_raise, "[\"probe.odd\",\"\\\"text\\\"\",{}]", 0, "null"}},
        "{\"n\":0}"},
    {"return 200, call:notify{to = call.resident.id, template = 'pass', "
     "with = {fen = 7, date = '1'}, key = 'k', locale = 'en'}",
        {{OP_notify_send,
            "[{\"key\":\"k\",\"locale\":\"en\",\"template\":\"pass\","
            "\"to\":\"r-1\",\"with\":\"{\\\"date\\\":\\\"1\\\","
            "\\\"fen\\\":7}\"}]",
            0, "\"m1\""}},
        "\"m1\""},
    {"return 200, call:notify{to = 'p', template = 'pass'}",
        {{OP_notify_send,
            "[{\"template\":\"pass\",\"to\":\"p\",\"with\":\"{}\"}]", 0,
            "\"m2\""}},
        "\"m2\""},
    {"return 200, {call:try_code('door:b1', '', '1234'), "
     "call:try_code('door:b1', '1', '1'), call:try_code('d', '1', '2')}",
        {{OP_code_try, "[\"door:b1\",\"\",\"1234\"]", 0, "\"wrong\""},
            {OP_code_try, "[\"door:b1\",\"1\",\"1\"]", 0, "\"ok\""},
            {OP_code_try, "[\"d\",\"1\",\"2\"]", 0, "\"locked\""}},
        "[\"wrong\",\"ok\",\"locked\"]"},
    {"return 200, call:sign{secret = 'map_key', text = 'a\\0b'}",
        {{OP_secret_sign, "[{\"secret\":\"map_key\",\"text\":\"a\\u0000b\"}]",
            0, "\"00ff\""}},
        "\"00ff\""},
    {"return 200, call.data:get{field = 'plate', purpose = 'billing'}",
        {{OP_data_get, "[{\"field\":\"plate\",\"purpose\":\"billing\"}]", 0,
            "[true,\"\\\"A1\\\"\"]"}},
        "\"A1\""},
    {"local v, why = call.data:get{resident = 'r-1', field = 'plate', "
     "purpose = 'billing'} return 200, {why, v == nil}",
        {{OP_data_get,
            "[{\"field\":\"plate\",\"purpose\":\"billing\","
            "\"resident\":\"r-1\"}]",
            0, "[false,\"consent/required\",\"/v1\",\"no_grant\"]"}},
        "[{\"code\":\"consent/required\",\"consent_url\":\"/v1\","
        "\"fields\":[\"plate\"],\"reason\":\"no_grant\"},true]"},
    {"local v, why = call.data:get{field = 'care_notes', purpose = 'service'} "
     "return 200, why",
        {{OP_data_get, "[{\"field\":\"care_notes\",\"purpose\":\"service\"}]",
            0, "[false,\"consent/denied\",\"\",\"no_data\"]"}},
        "{\"code\":\"consent/denied\",\"fields\":[\"care_notes\"],"
        "\"reason\":\"no_data\"}"},
    {"return 200, coroutine.wrap(function() return call:cancel('k') end)()",
        {{OP_timer_cancel, "[\"k\"]", 0, "true"}}, "true"},
    {"\ncall:meter('probe.other', 1)",
        {{OP_meter_add, "[\"probe.other\",1,{}]", LINLI_E_INVALID,
            "[\"db/undeclared\",\"no such meter\"]"}},
        "!plugin/error main.lua:2: call:meter: db/undeclared: no such meter"},
    {"call:cancel('k')",
        {{OP_timer_cancel, "[\"k\"]", LINLI_E_UNSUPPORTED, "null"}},
        "!plugin/error main.lua:1: call:cancel: unsupported"},
};

T_CASE(each_method_asks_and_answers)
{
    HOST_CASES(methods);
}

static const struct host_case mistakes[] = {
    {"call:timer()", {{0}},
        "!plugin/error main.lua:1: call:timer: it takes one table; write "
        "call:timer{at =, run =, with =, key =, subject =}\n"},
    {"call.data:get('plate')", {{0}},
        "!plugin/error main.lua:1: call.data:get: it takes one table; write "
        "call.data:get{resident =, field =, purpose =}\n"},
    {"call.data:get{field = 'plate'}", {{0}},
        "!plugin/error call.data:get: 'purpose' must be a string"},
    {"call.data.get = 1", {{0}}, "!plugin/error the operation 'get' cannot"},
    {"call:timer('expire')", {{0}}, "!plugin/error takes one table; write"},
    {"call:timer('expire', 5)", {{0}},
        "!plugin/error call:timer: there are too many arguments; write "
        "call:timer{at =, run ="},
    {"call:timer{run = 'expire'}", {{0}},
        "!plugin/error main.lua:1: call:timer: 'at' must be an integer, got "
        "nothing"},
    {"call:timer{at = 1}", {{0}},
        "!plugin/error call:timer: 'run' must be a string, got nothing"},
    {"call:timer{at = '1', run = 'expire'}", {{0}},
        "!plugin/error 'at' must be an integer, got string"},
    {"call:timer{at = 1.5, run = 'expire'}", {{0}},
        "!plugin/error 'at' must be an integer, got 1.5: round it, as "
        "math.floor does"},
    {"call:timer{at = call.now + 0.5, run = 'expire'}", {{0}},
        "!plugin/error 'at' must be an integer, got 1772413200000.5: round"},
    {"call:timer{at = 1, run = 'expire', with = {print}}", {{0}},
        "!plugin/error call:timer: with at /1: a function has no JSON"},
    {"call:timer{at = 1, run = 'expire', whith = {}}", {{0}},
        "!plugin/error there is no 'whith'; it takes at, run, with, key, sub"},
    {"call:timer({at = 1, run = 'expire'}, 1)", {{0}},
        "!plugin/error there are too many arguments; write call:timer{at"},
    {"call:notify('pass')", {{0}}, "!plugin/error takes one table; write"},
    {"call:notify{template = 'pass'}", {{0}},
        "!plugin/error call:notify: 'to' must be a string, got nothing"},
    {"call:notify{to = 'p', template = 'pass', subject = 'p'}", {{0}},
        "!plugin/error there is no 'subject'; it takes to, template, with, "
        "key, locale"},
    {"call:notify{to = 'p', template = 'pass', with = {print}}", {{0}},
        "!plugin/error call:notify: with at /1: a function has no JSON"},
    {"call:cancel()", {{0}}, "!plugin/error string expected, got no value"},
    {"call:event('probe.done')", {{0}}, "!plugin/error value expected"},
    {"call:event('probe.done', nil)", {{0}},
        "!plugin/error call:event: the data: a nil has no JSON"},
    {"call:event('probe.done', {}, {Subject = 's'})", {{0}},
        "!plugin/error there is no 'Subject'; it takes subject"},
    {"call:event('probe.done', {}, 's')", {{0}}, "!plugin/error table expec"},
    {"call:meter('probe.used')", {{0}},
        "!plugin/error call:meter: 'quantity' must be an integer, got no "
        "value; write call:meter(name, quantity, {event_id ="},
    {"call:meter('probe.used', '1')", {{0}},
        "!plugin/error 'quantity' must be an integer, got string"},
    {"call:meter('probe.used', 1.5)", {{0}},
        "!plugin/error 'quantity' must be an integer, got 1.5: round it"},
    {"call:meter('probe.used', 1, {event_id = 1})", {{0}},
        "!plugin/error call:meter: 'event_id' must be a string, got number"},
    {"call:alert({}, {})", {{0}}, "!plugin/error string expected, got table"},
    {"call:try_code('a', 'b')", {{0}}, "!plugin/error bad argument #3"},
    {"call:try_code('a', 1, '1')", {{0}}, "!plugin/error bad argument #2"},
    {"call:sign('map_key', 'text')", {{0}},
        "!plugin/error too many arguments; write call:sign{secret =, text ="},
    {"call:sign{secret = 'map_key'}", {{0}},
        "!plugin/error call:sign: 'text' must be a string, got nothing"},
    {"call:sign{secret = 'map_key', text = 1}", {{0}},
        "!plugin/error 'text' must be a string, got number"},
    {"call:sign{secret = 'map_key', text = '', key = 'k'}", {{0}},
        "!plugin/error there is no 'key'; it takes secret, text, algorithm"},
    {"call.timer({at = 1, run = 'expire'})", {{0}},
        "!plugin/error not the running call's"},
    {"call.cancel('k')", {{0}}, "!plugin/error table expected, got string"},
};

T_CASE(mistakes_are_told_before_the_host_is_asked)
{
    HOST_CASES(mistakes);
}

/* -- calls that are no requests -- */

static struct fake *
background(const char *code)
{
    struct fake *f = fake_new(HOST_MANIFEST);
    (void)snprintf(f->main, sizeof f->main,
        "local linli = require 'linli' local p = linli.plugin() "
        "local function handler(call, input) %s\nend "
        "p:post('/run', function() return 200 end) "
        "p:timer('remind', function() error('the wrong one') end) "
        "p:timer('expire', handler) p:event('shop.paid', handler) "
        "return p",
        code);
    fake_file(f, "main.lua", f->main);
    T_INT(fake_load(f), LINLI_OK);
    T_STR(ll_cstr(f->err.msg), "");
    return f;
}

static struct ll_call_in
background_in(struct fake *f, enum ll_call_kind kind, const char *name)
{
    return (struct ll_call_in){.call = ++f->next_call,
        .run = 1,
        .kind = kind,
        .now_ms = 1772413200000,
        .wall_ms = 1000,
        .cpu_ms = 1000,
        .memory_bytes = f->worker.config.memory_bytes,
        .name = ll_cstr(name),
        .due_ms = kind == LL_CALL_TIMER ? 1772413100000 : 0,
        .caller_kind = LINLI_STR("system"),
        .caller_roles = LINLI_STR("[]"),
        .locale = LINLI_STR("zh-CN"),
        .trace_id = LINLI_STR("0123456789abcdef0123456789abcdef")};
}

static const struct {
    enum ll_call_kind kind;
    const char *name, *input, *code, *want; /* want: "" is 204 */
} backgrounds[] = {
    {LL_CALL_TIMER, "expire", "{\"id\":\"b1\",\"l\":[]}",
        "print(linli.json.encode{input, call.kind, call.due, call.now, "
        "call.caller, call.body == nil, call.params, call.query, call.late, "
        "call.path, call.resident == nil})",
        "1 [{\"id\":\"b1\",\"l\":[]},\"timer\",1772413100000,1772413200000,"
        "{\"id\":\"\",\"kind\":\"system\",\"roles\":[]},true,{},{},false,"
        "\"\",true]\n"},
    {LL_CALL_TIMER, "expire", NULL, "print(input)", "1 nil\n"},
    {LL_CALL_EVENT, "shop.paid",
        "{\"seq\":7,\"type\":\"shop.paid\",\"plugin\":\"shop\",\"at\":1,"
        "\"data\":{\"n\":1}}",
        "print(call.kind, call.due, input.seq, input.type, input.data.n)",
        "1 event\tnil\t7\tshop.paid\t1\n"},
    {LL_CALL_EVENT, "shop.paid", "null", "print(input == linli.null)",
        "1 true\n"},
    {LL_CALL_TIMER, "expire", "{}", "return", ""},
    {LL_CALL_TIMER, "expire", "{}", "return nil, nil", ""},
    {LL_CALL_TIMER, "expire", "{}", "return 200",
        "!plugin/error the handler of the timer expire returned a number; "
        "nobody waits for an answer, so it returns nothing"},
    {LL_CALL_EVENT, "shop.paid", "{}", "return nil, {}",
        "!plugin/error the handler of the event shop.paid returned a table"},
    {LL_CALL_TIMER, "expire", "{}", "call:fail('probe/no')", "!probe/no"},
    {LL_CALL_TIMER, "expire", "{}", "\nerror('x')",
        "!plugin/error main.lua:2: x"},
    {LL_CALL_TIMER, "expire", "{}", "while true do end", "!sandbox/timeout"},
    {LL_CALL_TIMER, "gone", "{}", "",
        "!plugin/error plugin.json does not declare the timer gone"},
    {LL_CALL_EVENT, "expire", "{}", "",
        "!plugin/error plugin.json does not declare the event expire"},
};

static void
begin_background(struct fake *f, const struct ll_call_in *in, const char *input)
{
    struct ll_worker *w = &f->worker;
    struct ll_call_in copy = *in;
    struct ll_jv value = {NULL, 0};
    char *text = input == NULL ? NULL : strdup(input);
    char *name = strndup(in->name.ptr, in->name.len);
    copy.name.ptr = name;
    if (input != NULL) {
        copy.input = ll_cstr(text);
        T_INT(ll_json_parse(&w->body, copy.input, 16, &f->err), LINLI_OK);
        value = ll_json_root(&w->body);
    }
    w->runs[w->run_count++] =
        (struct ll_worker_run){.call = in->call, .run = in->run};
    ll_lua_engine.call(w, &copy, value);
    memset(&copy, 0xee, sizeof copy);
    free(text);
    free(name);
    fake_read(f);
}

T_CASE(timers_and_events_are_calls)
{
    for (size_t i = 0; i < LL_COUNT(backgrounds); i++) {
        struct fake *f = background(backgrounds[i].code);
        struct ll_call_in in =
            background_in(f, backgrounds[i].kind, backgrounds[i].name);
        in.cpu_ms = 100;
        begin_background(f, &in, backgrounds[i].input);
        T_INT(f->ended, 1);
        if (backgrounds[i].want[0] == '!') {
            fake_check(f, backgrounds[i].code, backgrounds[i].want);
        } else {
            T_INT(f->status, 204);
            T_STR(ll_cstr(f->body), "");
            T_STR(ll_cstr(f->etag), "");
            T_STR(ll_cstr(f->lines), backgrounds[i].want);
        }
        fake_free(f);
    }
}

T_CASE(a_timer_waits_for_the_host_too)
{
    struct fake *f = background(
        "local d = call.db.booking:get(input.id) "
        "print(d.n, call.due, call.kind, call.caller.kind, input.id) "
        "call.db.booking:delete(input.id) return 5");
    struct ll_call_in in = background_in(f, LL_CALL_TIMER, "expire");
    begin_background(f, &in, "{\"id\":\"b1\"}");
    host_check(f, OP_db_get, "[\"booking\",\"b1\"]");
    host_answer(f, LINLI_OK, "\"{\\\"n\\\":3}\"");
    T_STR(ll_cstr(f->lines), "1 3\t1772413100000\ttimer\tsystem\tb1\n");
    host_answer(f, LINLI_OK, "true");
    fake_check(f, "late", "!plugin/error the timer expire returned a number");
    fake_free(f);
}

/* What a route's call has and earlier ones had not. */
T_CASE(devices_residents_and_tags)
{
    static const char code[] =
        "local before = {call.caller, call.resident, call.late, "
        "call.if_match} "
        "if call.query.wait then call.host.probe_echo(1) end "
        "return 200, {call.caller, call.resident or 0, call.late, "
        "call.if_match or 0}, {etag = '7'}";
    struct fake *f = fake_handler(code);
    struct ll_call_in in = fake_in(f);
    in.has_if_match = true;
    in.if_match = LINLI_STR("a");
    in.resident = LINLI_STR("{\"household\":\"h1\",\"plates\":[\"A1\"]}");
    fake_begin(f, &in, NULL);
    fake_check(f, "a resident",
        "[{\"id\":\"r-1\",\"kind\":\"resident\",\"roles\":[\"owner\"]},"
        "{\"household\":\"h1\",\"id\":\"r-1\",\"plates\":[\"A1\"]},false,"
        "\"a\"]");
    T_STR(ll_cstr(f->etag), "7");
    in = fake_in(f);
    in.caller_kind = LINLI_STR("device");
    in.caller_id = LINLI_STR("d1");
    in.caller_roles = LINLI_STR("[]");
    in.bound_to = LINLI_STR("g1");
    in.device_kind = LINLI_STR("gate");
    in.late = true;
    in.query = LINLI_STR("wait");
    fake_begin(f, &in, NULL);
    fake_answer_to(f, in.call, LINLI_OK, fake_echo(f));
    fake_check(f, "a device",
        "[{\"bound_to\":\"g1\",\"device_kind\":\"gate\",\"id\":\"d1\","
        "\"kind\":\"device\",\"roles\":[]},0,true,0]");
    /* A tag is its call's own. */
    f->etag[0] = 'x';
    fake_free(f);
    f = fake_handler("return 200, 1, call.query.tag and {etag = '7'}");
    in = fake_in(f);
    in.query = LINLI_STR("tag");
    fake_begin(f, &in, NULL);
    T_STR(ll_cstr(f->etag), "7");
    fake_call(f, NULL);
    T_STR(ll_cstr(f->etag), "");
    fake_free(f);
}

/* Fields first read when the frame is long gone. */
T_CASE(what_is_read_late_is_kept)
{
    struct fake *f = fake_handler(
        "call.host.probe_echo(1) return 200, {call.caller.bound_to, "
        "call.caller.device_kind, call.if_match, call.kind, call.late}");
    struct ll_call_in in = fake_in(f);
    char bound[] = "g1", kind[] = "gate", tag[] = "tag";
    in.caller_kind = LINLI_STR("device");
    in.bound_to = ll_cstr(bound);
    in.device_kind = ll_cstr(kind);
    in.has_if_match = true;
    in.if_match = ll_cstr(tag);
    fake_begin(f, &in, NULL);
    memset(bound, 'x', 2);
    memset(kind, 'x', 4);
    memset(tag, 'x', 3);
    fake_answer_to(f, in.call, LINLI_OK, fake_echo(f));
    fake_check(f, "kept", "[\"g1\",\"gate\",\"tag\",\"request\",false]");
    fake_free(f);
}

/* -- handlers -- */

static const struct {
    const char *code, *where, *why;
} loads[] = {
    {"p:timer('nosuch', f)", "main.lua:2",
        "plugin.json has no timer 'nosuch'; add it under `timers`"},
    {"p:timer('expire', f) p:timer('expire', f)", "main.lua:2",
        "the timer 'expire' has a handler already"},
    {"p:timer('expire')", "main.lua:2", "bad argument #2 to 'timer'"},
    {"p:timer(f)", "main.lua:2", "bad argument #1 to 'timer'"},
    {"p:event('x.y', f)", "main.lua:2",
        "plugin.json has no event 'x.y'; add it under `events.handles`"},
    {"p:event('probe.done', f)", "main.lua:2", "has no event 'probe.done'"},
    {"p:event('shop.paid', f) p:event('shop.paid', f)", "main.lua:2",
        "the event 'shop.paid' has a handler already"},
    {"p:timer('expire', f) p:event('shop.paid', f) p:post('/run', f)", "",
        "plugin.json declares the timer 'remind', which has no handler: give "
        "it one with p:timer"},
    {"p:timer('expire', f) p:timer('remind', f) p:post('/run', f)", "",
        "plugin.json declares the event 'shop.paid', which has no handler"},
    {"p:get('/feed', f)", "main.lua:2",
        "GET /feed is a feed, which the host answers; take the handler out"},
    {"p.timer = 1", "main.lua:2", "the plugin's field 'timer' cannot be set"},
};

T_CASE(handlers_are_what_the_manifest_declares)
{
    for (size_t i = 0; i < LL_COUNT(loads); i++) {
        struct fake *f = fake_new(HOST_MANIFEST);
        (void)snprintf(f->main, sizeof f->main,
            "local p = require 'linli'.plugin() local function f() end\n"
            "%s\nreturn p",
            loads[i].code);
        fake_file(f, "main.lua", f->main);
        T_INT(fake_load(f), LINLI_E_INVALID);
        T_STR(ll_cstr(f->err.code), "plugin/load");
        T_STR(ll_cstr(f->err.where), loads[i].where);
        if (strstr(f->err.msg, loads[i].why) == NULL)
            T_STR(ll_cstr(f->err.msg), loads[i].why);
        fake_free(f);
    }
}

T_CASE(no_more_names_than_may_be)
{
    static char manifest[4096];
    size_t n = (size_t)snprintf(manifest, sizeof manifest,
        "{\"id\":\"p\",\"main\":\"main.lua\",\"routes\":[],\"timers\":[");
    for (int i = 0; i <= LL_TIMERS_MAX; i++)
        n += (size_t)snprintf(manifest + n, sizeof manifest - n, "%s\"t%d\"",
            i == 0 ? "" : ",", i);
    (void)snprintf(manifest + n, sizeof manifest - n, "]}");
    struct fake *f = fake_new(manifest);
    fake_file(f, "main.lua", "");
    T_INT(fake_load(f), LINLI_E_LIMIT);
    T_STR(ll_cstr(f->err.code), "plugin/load");
    fake_free(f);
}

T_MAIN(T_RUN(each_method_asks_and_answers)
        T_RUN(mistakes_are_told_before_the_host_is_asked) T_RUN(
            timers_and_events_are_calls) T_RUN(a_timer_waits_for_the_host_too)
            T_RUN(devices_residents_and_tags) T_RUN(what_is_read_late_is_kept)
                T_RUN(handlers_are_what_the_manifest_declares)
                    T_RUN(no_more_names_than_may_be))
