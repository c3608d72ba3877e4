/* tests/unit/test_lua_json.c: JSON to Lua and back. */
#include "lua_fake.h"

/* Bodies that come back as they are, but for white space and order. */
static const struct {
    const char *in, *out;
} round_trips[] = {
    {"null", "null"},
    {"true", "true"},
    {"[]", "[]"},
    {"{}", "{}"},
    {"[ ]", "[]"},
    {"{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}"},
    {"{\"a\":[],\"b\":{}}", "{\"a\":[],\"b\":{}}"},
    {"[null,null]", "[null,null]"},
    {"{\"a\":null}", "{\"a\":null}"},
    {"[1,2.0,3.5,-0.0]", "[1,2.0,3.5,-0.0]"},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9007199254740993", "9007199254740993"},
    {"1e3", "1000.0"},
    {"\"\\u4f60\\u597d\"", "\"\xe4\xbd\xa0\xe5\xa5\xbd\""},
    {"\"\\u0000\\n\\\"\\\\\"", "\"\\u0000\\n\\\"\\\\\""},
    {"{\"\":1}", "{\"\":1}"},
    {"{\"10\":1,\"9\":2}", "{\"10\":1,\"9\":2}"},
    {"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"},
    {"{\"a\":{\"b\":{\"c\":[{\"d\":[1,{\"e\":2}]}]}}}",
        "{\"a\":{\"b\":{\"c\":[{\"d\":[1,{\"e\":2}]}]}}}"},
};

T_CASE(bodies_come_back)
{
    struct fake *f = fake_handler("return 200, call.body");
    for (size_t i = 0; i < LL_COUNT(round_trips); i++) {
        fake_call(f, round_trips[i].in);
        T_INT(f->status, 200);
        T_STR(ll_cstr(f->body), round_trips[i].out);
    }
    fake_free(f);
}

static const struct fake_case written[] = {
    {"return 200, {1, 2, 3}", "[1,2,3]"},
    {"return 200, {}", "{}"},
    {"return 200, linli.array()", "[]"},
    {"return 200, linli.array{}", "[]"},
    {"return 200, linli.array{1}", "[1]"},
    {"return 200, {linli.array(linli.array())}", "[[]]"},
    {"return 200, {linli.null, 1}", "[null,1]"},
    {"return 200, linli.null", "null"},
    {"return 200, 'x'", "\"x\""},
    {"return 200, false", "false"},
    {"return 200, 7", "7"},
    {"return 200, nil", ""},
    {"return 200", ""},
    {"return 204", ""},
    /* keys met in any order, in the hash part, are still a list */
    {"local t = {} for i = 20, 1, -1 do t[i] = i % 3 end return 200, t",
        "[1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2]"},
    {"local t = {} for i = 40, 1, -1 do t['k' .. i] = i end "
     "local s = linli.json.encode(t) return 200, {#s, s:sub(1, 24)}",
        "[343,\"{\\\"k1\\\":1,\\\"k10\\\":10,\\\"k11\\\":1\"]"},
    {"call.body.list[1] = nil return 200, call.body", "{\"list\":[]}"},
    /* metamethods are not asked */
    {"return 200, setmetatable({a = 1}, {__index = error, __pairs = error, "
     "__len = error, __tostring = error})",
        "{\"a\":1}"},
    {"return 200, {linli.config}", "[{}]"},
    /* what has no JSON, named by its place */
    {"return 200, print", "!plugin/error body: a function has no JSON"},
    {"return 200, {a = {{}, {b = print}}}",
        "!plugin/error at /a/2/b: a function has no JSON"},
    {"return 200, {coroutine.create(print)}", "!plugin/error /1: a thread"},
    {"return 200, {1, nil, 3}", "!plugin/error or with a gap"},
    {"return 200, {1, x = 2}", "!plugin/error both a list's and a map's"},
    {"return 200, {[0] = 1}", "!plugin/error with a gap"},
    {"return 200, {[1.5] = 1}", "!plugin/error with a gap"},
    {"return 200, {[true] = 1}", "!plugin/error both a list's"},
    {"local t = linli.array() t.x = 1 return 200, t", "!plugin/error both"},
    {"return 200, {n = 0/0}", "!plugin/error at /n: not a number (NaN)"},
    {"return 200, {n = -1/0}", "!plugin/error at /n: an infinite number"},
    {"return 200, {'\\xff'}", "!plugin/error at /1: a string that is not UTF"},
    {"return 200, {['\\xff'] = 1}", "!plugin/error not UTF-8"},
    {"local t = {} t.t = t return 200, t", "!plugin/error within itself"},
    {"local t = {} for i = 1, 200000 do t = {t} end return 200, t",
        "!plugin/error deeper than 16"},
    {"local t = {} for i = 1, 30 do t = {t, t, t, t} end return 200, t",
        "!plugin/error deeper than 16"},
    {"return 200, ('x'):rep(2000000)", "!plugin/error larger than may"},
    {"local t = {} for i = 1, 300000 do t[i] = 1000 end return 200, t",
        "!plugin/error larger than may"},
    /* for plugins */
    {"return 200, linli.json.decode('[1,{\"a\":null}]')", "[1,{\"a\":null}]"},
    {"local v, m = linli.json.decode('[1,]') return 200, {v == nil, m}",
        "[true,\"line 1 column 4: not the start of a JSON value\"]"},
    {"local v, m = linli.json.decode(('[1]'):rep(500000)) "
     "return 200, {v == nil, m}",
        "[true,\"more than 1 MiB of JSON\"]"},
    {"return 200, linli.json.encode{b = 1, a = 'x'}",
        "\"{\\\"a\\\":\\\"x\\\",\\\"b\\\":1}\""},
    {"return 200, {pcall(linli.json.encode, {a = print})}",
        "[false,\"the value at /a: a function has no JSON\"]"},
    {"return 200, {pcall(linli.array, setmetatable({}, {}))}",
        "[false,\"linli.array: the table has a metatable of its own\"]"},
    {"return 200, {type(linli.null), tostring(linli.null)}",
        "[\"userdata\",\"null\"]"},
};

T_CASE(values_are_written)
{
    FAKE_CASES(written, "{\"list\":[1]}");
}

T_CASE(the_same_value_is_the_same_bytes)
{
    /* Insertion order and history of a table do not show. */
    static const struct fake_case cases[] = {
        {"local a, b = {}, {} for i = 1, 50 do a['k' .. i] = i end "
         "for i = 50, 1, -1 do b['k' .. i] = i end "
         "for i = 1, 500 do b['x' .. i] = 1 end "
         "for i = 1, 500 do b['x' .. i] = nil end "
         "return 200, linli.json.encode(a) == linli.json.encode(b)",
            "true"},
    };
    FAKE_CASES(cases, NULL);
}

T_MAIN(T_RUN(bodies_come_back) T_RUN(values_are_written)
        T_RUN(the_same_value_is_the_same_bytes))
