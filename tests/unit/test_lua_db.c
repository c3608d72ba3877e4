/* tests/unit/test_lua_db.c: call.db, as plugins use it. */
#include "lua_host.h"

#define DB "local db = call.db.booking "

static const struct host_case methods[] = {
    {DB "return 200, db:get('b1')",
        {{OP_db_get, "[\"booking\",\"b1\"]", 0,
            "\"{\\\"id\\\":\\\"b1\\\",\\\"n\\\":[1,{},[]]}\""}},
        "{\"id\":\"b1\",\"n\":[1,{},[]]}"},
    {DB "return 200, {db:get('') == nil}",
        {{OP_db_get, "[\"booking\",\"\"]", 0, "null"}}, "[true]"},
    {DB "return 200, {db:insert{n = 1, list = {}, empty = linli.array(), "
        "gone = linli.null, f = 2.0}}",
        {{OP_db_insert,
            "[\"booking\",\"{\\\"empty\\\":[],\\\"f\\\":2.0,\\\"gone\\\":"
            "null,\\\"list\\\":{},\\\"n\\\":1}\"]",
            0, "[true,\"{\\\"id\\\":\\\"x\\\",\\\"n\\\":1}\"]"}},
        "[{\"id\":\"x\",\"n\":1}]"},
    {DB "return 200, {n = select('#', db:insert{})}",
        {{OP_db_insert, "[\"booking\",\"{}\"]", 0, "[true,\"{}\"]"}},
        "{\"n\":1}"},
    {DB "local doc, why, index = db:insert{id = 'b1'} "
        "return 200, {doc == nil, why, index}",
        {{OP_db_insert, "[\"booking\",\"{\\\"id\\\":\\\"b1\\\"}\"]", 0,
            "[false,\"exists\",\"\"]"}},
        "[true,\"exists\",\"\"]"},
    {DB "local doc, why, index = db:put{id = 'b1'} "
        "return 200, {doc == nil, why, index}",
        {{OP_db_put, "[\"booking\",\"{\\\"id\\\":\\\"b1\\\"}\"]", 0,
            "[false,\"exists\",\"open_plate\"]"}},
        "[true,\"exists\",\"open_plate\"]"},
    {DB "return 200, db:patch('b1', {a = linli.null, b = {c = 1}})",
        {{OP_db_patch,
            "[\"booking\",\"b1\",\"{\\\"a\\\":null,\\\"b\\\":{\\\"c\\\":1}}\"]",
            0, "[true,\"{\\\"id\\\":\\\"b1\\\"}\"]"}},
        "{\"id\":\"b1\"}"},
    {DB "return 200, {n = select('#', db:patch('b1', {}))}",
        {{OP_db_patch, "[\"booking\",\"b1\",\"{}\"]", 0,
            "[false,\"not-found\"]"}},
        "{\"n\":2}"},
    {DB "return 200, {select(2, db:patch('b1', {}))}",
        {{OP_db_patch, "[\"booking\",\"b1\",\"{}\"]", 0,
            "[false,\"not-found\",null]"}},
        "[\"not-found\"]"},
    {DB "return 200, {db:delete('b1'), db:delete('b1')}",
        {{OP_db_delete, "[\"booking\",\"b1\"]", 0, "true"},
            {OP_db_delete, "[\"booking\",\"b1\"]", 0, "false"}},
        "[true,false]"},
    {DB "return 200, db:find('by_state', 'unpaid', 7, true, linli.null)",
        {{OP_db_list,
            "[\"booking\",{\"index\":\"by_state\",\"eq\":[\"unpaid\",7,true,"
            "null],\"limit\":1}]",
            0, "[[\"{\\\"id\\\":\\\"b1\\\"}\"],\"more\"]"}},
        "{\"id\":\"b1\"}"},
    {DB "return 200, {db:find('by_state', 'paid') == nil}",
        {{OP_db_list,
            "[\"booking\",{\"index\":\"by_state\",\"eq\":[\"paid\"],"
            "\"limit\":1}]",
            0, "[[],null]"}},
        "[true]"},
    {DB "local items, after = db:list{index = 'by_state', eq = {'unpaid'}, "
        "from = {1}, to = {9}, descending = true, limit = 2, cursor = 'c'} "
        "return 200, {items, after}",
        {{OP_db_list,
            "[\"booking\",{\"cursor\":\"c\",\"descending\":true,\"eq\":["
            "\"unpaid\"],\"from\":[1],\"index\":\"by_state\",\"limit\":2,"
            "\"to\":[9]}]",
            0, "[[\"{\\\"id\\\":\\\"b1\\\"}\",\"{\\\"n\\\":1}\"],\"next\"]"}},
        "[[{\"id\":\"b1\"},{\"n\":1}],\"next\"]"},
    {DB "local items, after = db:list() return 200, {items, after == nil}",
        {{OP_db_list, "[\"booking\",{}]", 0, "[[],null]"}}, "[[],true]"},
    {DB "return 200, {(db:list{}), (db:list(linli.array{}))}",
        {{OP_db_list, "[\"booking\",{}]", 0, "[[],null]"},
            {OP_db_list, "[\"booking\",{}]", 0, "[[\"[]\"],null]"}},
        "[[],[[]]]"},
    {DB "return 200, (db:list{eq = {1}, from = linli.array{2}, limit = 3.0})",
        {{OP_db_list, "[\"booking\",{\"eq\":[1],\"from\":[2],\"limit\":3}]", 0,
            "[[],null]"}},
        "[]"},
    {DB "return 200, db:count{index = 'by_state', eq = {'unpaid'}}",
        {{OP_db_count,
            "[\"booking\",{\"eq\":[\"unpaid\"],\"index\":\"by_state\"}]", 0,
            "12"}},
        "12"},
    {DB "return 200, db:count()", {{OP_db_count, "[\"booking\",{}]", 0, "0"}},
        "0"},
    {DB "return 200, db:overlaps('by_space', 's1', 10, 20)",
        {{OP_db_overlaps,
            "[\"booking\",{\"index\":\"by_space\",\"eq\":[\"s1\"],\"from\":10,"
            "\"to\":20}]",
            0, "[[\"{\\\"id\\\":\\\"b1\\\"}\",\"{}\"]]"}},
        "{\"id\":\"b1\"}"},
    {DB "return 200, {db:overlaps('all', 10, 20) == nil}",
        {{OP_db_overlaps,
            "[\"booking\",{\"index\":\"all\",\"eq\":[],\"from\":10,"
            "\"to\":20}]",
            0, "[[]]"}},
        "[true]"},
    {DB "return 200, db:overlapping('by_space', 's1', 10, 20.0)",
        {{OP_db_overlaps,
            "[\"booking\",{\"index\":\"by_space\",\"eq\":[\"s1\"],\"from\":10,"
            "\"to\":20}]",
            0, "[[\"{\\\"id\\\":\\\"b1\\\"}\",\"{}\"]]"}},
        "[{\"id\":\"b1\"},{}]"},
    {DB "return 200, db:overlapping('by_space', 's1', 10, 20)",
        {{OP_db_overlaps,
            "[\"booking\",{\"index\":\"by_space\",\"eq\":[\"s1\"],\"from\":10,"
            "\"to\":20}]",
            0, "[[]]"}},
        "[]"},
};

T_CASE(each_method_asks_and_answers)
{
    HOST_CASES(methods);
}

static const struct host_case waits[] = {
    {"return 200, coroutine.wrap(function() "
     "return call.db.pass:get('p') end)()",
        {{OP_db_get, "[\"pass\",\"p\"]", 0, "\"{\\\"a\\\":1}\""}}, "{\"a\":1}"},
    {DB "local co = coroutine.create(function() "
        "local a = db:get('1') coroutine.yield(a.n) "
        "return db:get('2').n end) "
        "local _, x = coroutine.resume(co) local _, y = coroutine.resume(co) "
        "return 200, {x, y}",
        {{OP_db_get, "[\"booking\",\"1\"]", 0, "\"{\\\"n\\\":1}\""},
            {OP_db_get, "[\"booking\",\"2\"]", 0, "\"{\\\"n\\\":2}\""}},
        "[1,2]"},
    {DB "return 200, {pcall(db.get, db, 'x')}",
        {{OP_db_get, "[\"booking\",\"x\"]", 0, "\"{}\""}}, "[true,{}]"},
    {DB "local t = setmetatable({}, {__index = function(_, id) "
        "return db:get(id) end}) return 200, t.x",
        {{OP_db_get, "[\"booking\",\"x\"]", 0, "\"{}\""}}, "{}"},
    {DB "table.sort({1, 2}, function() db:get('x') end)", {{0}},
        "!plugin/error main.lua:1: call.db.booking:get cannot wait inside "
        "table.sort"},
    {"local db = call.db return 200, {pcall(function() "
     "return db.pass:find('i', 1) end)}",
        {{OP_db_list, "[\"pass\",{\"index\":\"i\",\"eq\":[1],\"limit\":1}]", 0,
            "[[],null]"}},
        "[true]"},
};

T_CASE(it_waits_like_every_operation)
{
    HOST_CASES(waits);
}

#define UNDECLARED                                                 \
    {                                                              \
        {                                                          \
            OP_db_insert, "[\"booking\",\"{}\"]", LINLI_E_INVALID, \
                "[\"db/undeclared\",\"no such index\"]"            \
        }                                                          \
    }
#define ENDING(code)                                             \
    {                                                            \
        {                                                        \
            OP_db_insert, "[\"booking\",\"{}\"]", LINLI_E_QUOTA, \
                "[\"" code "\",\"why\"]"                         \
        }                                                        \
    }

static const struct host_case refusals[] = {
    {"\nlocal x\ncall.db.booking:insert{}", UNDECLARED,
        "!plugin/error main.lua:3: call.db.booking:insert: db/undeclared: "
        "no such index"},
    {DB "return 200, {pcall(db.insert, db, {})}", UNDECLARED,
        "[false,\"call.db.booking:insert: db/undeclared: no such index\"]"},
    {DB "return 200, {pcall(function() db:insert{} end)}", UNDECLARED,
        "[false,\"main.lua:1: call.db.booking:insert: db/undeclared: no such "
        "index\"]"},
    {DB "db:insert{}",
        {{OP_db_insert, "[\"booking\",\"{}\"]", LINLI_E_LIMIT,
            "[\"db/limit\",\"\"]"}},
        "!plugin/error call.db.booking:insert: db/limit\n"},
    {DB "db:insert{}",
        {{OP_db_insert, "[\"booking\",\"{}\"]", LINLI_E_DENIED, "null"}},
        "!plugin/error main.lua:1: call.db.booking:insert: denied"},
    {DB "db:insert{}",
        {{OP_db_insert, "[\"booking\",\"{}\"]", LINLI_E_DENIED, "[1,2]"}},
        "!plugin/error main.lua:1: call.db.booking:insert: denied"},
    {DB "db:insert{}",
        {{OP_db_insert, "[\"booking\",\"{}\"]", LINLI_E_CANCELLED, "null"}},
        "!runtime/busy the host gave the host call up"},
    /* what is not the plugin's to handle */
    {DB "pcall(db.insert, db, {}) return 200", ENDING("request/cursor"),
        "!request/cursor why"},
    {DB "pcall(db.insert, db, {}) return 200", ENDING("db/quota"),
        "!db/quota why"},
    {DB "pcall(db.insert, db, {}) return 200", ENDING("store/failed"),
        "!store/failed why"},
    {DB "pcall(db.insert, db, {}) return 200", ENDING("runtime/memory"),
        "!runtime/memory why"},
    {DB "coroutine.wrap(function() pcall(db.insert, db, {}) end)() "
        "return 200",
        ENDING("runtime/conflict"), "!runtime/conflict why"},
    {DB "local x <close> = setmetatable({}, {__close = function() "
        "call:fail('probe/no') end}) db:insert{}",
        ENDING("runtime/conflict"), "!runtime/conflict why"},
    {DB "return 200, (pcall(db.insert, db, {}))", ENDING("db/key"), "false"},
    /* a host that has lost its mind */
    {DB "db:get('x')", {{OP_db_get, "[\"booking\",\"x\"]", 0, "\"{\""}},
        "!plugin/error call.db.booking:get: the host's answer cannot"},
    {DB "db:get('x')", {{OP_db_get, "[\"booking\",\"x\"]", 0, "7"}},
        "!plugin/error call.db.booking:get: the host's answer cannot"},
    {DB "db:put{}", {{OP_db_put, "[\"booking\",\"{}\"]", 0, "[]"}},
        "!plugin/error call.db.booking:put: the host's answer cannot"},
    {DB "db:list()", {{OP_db_list, "[\"booking\",{}]", 0, "[[1],null]"}},
        "!plugin/error call.db.booking:list: the host's answer cannot"},
    {DB "db:list()", {{OP_db_list, "[\"booking\",{}]", 0, "{}"}},
        "!plugin/error call.db.booking:list: the host's answer cannot"},
    {DB "db:find('i', 1)",
        {{OP_db_list, "[\"booking\",{\"index\":\"i\",\"eq\":[1],\"limit\":1}]",
            0, "[7]"}},
        "!plugin/error call.db.booking:find: the host's answer cannot"},
};

T_CASE(refusals_name_line_and_operation)
{
    HOST_CASES(refusals);
}

/* Nothing of these reaches the host. */
static const struct host_case mistakes[] = {
    {"call.db.nosuch:get('x')", {{0}},
        "!plugin/error main.lua:1: there is no collection 'nosuch': "
        "plugin.json declares booking, pass; add it under `collections`"},
    {"return 200, call.db[1]", {{0}}, "!plugin/error no collection '1'"},
    {"call.db.x = 1", {{0}},
        "!plugin/error the collection 'x' cannot be set; collections are"},
    {"call.db.booking = 1", {{0}}, "!plugin/error 'booking' cannot be set"},
    {"rawset(call.db, 'x', 1)", {{0}}, "!plugin/error 'x' cannot be set"},
    {"call.db.booking.get = print", {{0}},
        "!plugin/error a collection's field 'get' cannot be set; documents"},
    {"call.db.booking:update('x')", {{0}},
        "!plugin/error main.lua:1: a collection has no method 'update'; it "
        "has get, insert, put, patch, delete, find, list, count, overlaps, "
        "overlapping\n"},
    {"return 200, call.db.booking[1]", {{0}}, "!plugin/error no method '1'"},
    {"call.db.booking.get('x')", {{0}},
        "!plugin/error main.lua:1: call it with a colon: call.db.NAME:get"},
    {"call.db.booking.get(linli.null, 'x')", {{0}}, "!plugin/error a colon"},
    {"call.db.booking.get(call, 'x')", {{0}}, "!plugin/error with a colon"},
    {"return 200, {tostring(call.db.booking), type(call.db.booking), "
     "getmetatable(call.db.booking), getmetatable(call.db)}",
        {{0}}, "[\"collection\",\"userdata\",false,false]"},
    {"return 200, call.db.booking", {{0}},
        "!plugin/error the returned body: a userdata has no JSON"},
    {"local n = '' for name in pairs(call.db) do n = n .. name .. ' ' end "
     "return 200, n",
        {{0}}, "\"booking pass \""},
    {DB "db:get()", {{0}},
        "!plugin/error main.lua:1: bad argument #1 to 'get' (string expected, "
        "got no value)"},
    {DB "db:get(7)", {{0}}, "!plugin/error string expected, got number"},
    {DB "db:get('a', 'b')", {{0}},
        "!plugin/error main.lua:1: call.db.booking:get: there are too many "
        "arguments; write call.db.booking:get(id)\n"},
    {DB "db:insert()", {{0}}, "!plugin/error table expected, got no value"},
    {DB "db:insert('{}')", {{0}}, "!plugin/error table expected, got string"},
    {"\n\ncall.db.booking:insert{a = {1, {b = print}}}", {{0}},
        "!plugin/error main.lua:3: call.db.booking:insert: the document at "
        "/a/2/b: a function has no JSON"},
    {DB "db:put{x = 0/0}", {{0}},
        "!plugin/error call.db.booking:put: the document at /x: not a number"},
    {DB "db:put{x = '\\xff'}", {{0}}, "!plugin/error a string that is not"},
    {DB "local t = {} t.t = t db:put(t)", {{0}}, "!plugin/error nested deeper"},
    {DB "db:put{[1] = 1, x = 2}", {{0}}, "!plugin/error with both a list's"},
    {DB "db:patch('x')", {{0}}, "!plugin/error bad argument #2 to 'patch'"},
    {DB "db:patch('x', {a = print})", {{0}},
        "!plugin/error call.db.booking:patch: the changes at /a: a function"},
    {DB "db:put{x = ('x'):rep(1 << 20)}", {{0}}, "!plugin/error too large"},
    {DB "db:list('x')", {{0}}, "!plugin/error table expected, got string"},
    {DB "db:list{order = 1}", {{0}},
        "!plugin/error main.lua:1: call.db.booking:list: there is no 'order'; "
        "it takes index, eq, from, to, descending, limit, cursor"},
    {DB "db:list{'by_state'}", {{0}},
        "!plugin/error it takes a table with the names index, eq"},
    {DB "db:list{eq = 'x'}", {{0}},
        "!plugin/error call.db.booking:list: 'eq' must be a list of values, "
        "got string"},
    {DB "db:list{eq = {a = 1}}", {{0}}, "!plugin/error must be a list of val"},
    {DB "db:list{eq = {1, nil, 3}}", {{0}}, "!plugin/error must be a list of"},
    {DB "db:list{eq = {1, 2, 3, 4, 5, 6, 7, 8, 9}}", {{0}},
        "!plugin/error must be a list of"},
    {DB "local x db:list{index = 'i', eq = {x}}", {{0}},
        "!plugin/error main.lua:1: call.db.booking:list: 'eq' is an empty "
        "list: its values are nil, or missing; leave 'eq' out if any"},
    {DB "db:list{index = 'i', from = linli.array()}", {{0}},
        "!plugin/error call.db.booking:list: 'from' is an empty list"},
    {DB "db:count{limit = 5}", {{0}},
        "!plugin/error call.db.booking:count: there is no 'limit'; it takes "
        "index, eq, from, to\n"},
    {DB "db:count{index = 'i', to = {}}", {{0}},
        "!plugin/error call.db.booking:count: 'to' is an empty list"},
    {DB "db:list{eq = {print}}", {{0}},
        "!plugin/error call.db.booking:list: eq: a function cannot go to"},
    {DB "db:list{limit = '5'}", {{0}},
        "!plugin/error 'limit' must be an integer, got string"},
    {DB "db:list{limit = 1.5}", {{0}}, "!plugin/error 'limit' must be an int"},
    {DB "db:list{descending = 1}", {{0}},
        "!plugin/error 'descending' must be true or false, got number"},
    {DB "db:list{cursor = 1}", {{0}}, "!plugin/error 'cursor' must be a str"},
    {DB "db:list({}, {})", {{0}}, "!plugin/error too many arguments; write"},
    {DB "db:find()", {{0}}, "!plugin/error bad argument #1 to 'find'"},
    {DB "db:find('i')", {{0}},
        "!plugin/error call.db.booking:find: it takes an index and a value "
        "or more; the first document of all is that of list{index ="},
    {DB "db:find('i', nil)", {{0}},
        "!plugin/error main.lua:1: call.db.booking:find: a value is nil; "
        "linli.null finds documents without one"},
    {DB "db:find('i', 1, 2, 3, 4, 5, 6, 7, 8, 9)", {{0}},
        "!plugin/error more values than an index has fields"},
    {DB "db:find('i', {print})", {{0}}, "!plugin/error the value at /1: a fun"},
    {DB "db:overlaps('i', 1)", {{0}},
        "!plugin/error there are too few arguments; write "
        "call.db.booking:overlaps(index, v1, ..., from, to)\n"},
    {DB "db:overlaps('i', 's', 1, 'x')", {{0}},
        "!plugin/error 'to' must be an integer, got string; write call.db"},
    {DB "db:overlaps('i', 's', 1.5, 2)", {{0}},
        "!plugin/error 'from' must be an integer, got 1.5: round it"},
    {DB "db:overlaps('i', 's', '1', 2)", {{0}},
        "!plugin/error 'from' must be an integer, got string"},
    {"return 200, (pcall(call.host.db_get, 'booking', 'x'))", {{0}}, "false"},
};

T_CASE(mistakes_are_told_before_the_host_is_asked)
{
    HOST_CASES(mistakes);
}

T_CASE(operations_are_counted)
{
    struct fake *f = host_handler(
        "for i = 1, 1001 do call.db.booking:get('x') end return 200");
    fake_call(f, NULL);
    for (int i = 0; i < 1001 && f->ended == 0; i++)
        host_answer(f, LINLI_OK, "null");
    T_INT(f->host_calls, 1000);
    fake_check(f, "1001 gets",
        "!plugin/error main.lua:1: call.db.booking:get: more than 1000 host "
        "calls in a call");
    fake_free(f);
}

T_CASE(without_collections_the_error_says_so)
{
    struct fake *f = fake_handler("return 200, call.db.booking");
    fake_call(f, NULL);
    fake_check(f, "none",
        "!plugin/error main.lua:1: there is no collection 'booking': "
        "plugin.json declares none; add it under `collections`");
    fake_free(f);
}

T_CASE(there_is_no_call_while_loading)
{
    struct fake *f = fake_new(HOST_MANIFEST);
    fake_file(f, "main.lua", "local p = require 'linli'.plugin() call = 1");
    T_INT(fake_load(f), LINLI_E_INVALID);
    fake_free(f);
    /* kept from a call, used in the load of a fresh state: not there */
    f = host_handler("held = call.db return 200");
    fake_call(f, NULL);
    fake_check(f, "held", "!plugin/error the global 'held' cannot be set");
    fake_free(f);
}

/* A page of long documents against a small memory: the call ends, the plugin
 * lives. */
T_CASE(answers_count_as_the_calls_memory)
{
    struct fake *f = host_handler("local all = {} for i = 1, 900 do "
                                  "all[i] = call.db.booking:get('x') end "
                                  "return 200, #all");
    struct ll_call_in in = fake_in(f);
    in.memory_bytes = LL_MEMORY_BYTES_MIN;
    char *doc = malloc(70000);
    memset(doc, 'x', 70000);
    memcpy(doc, "\"{\\\"a\\\":\\\"", 10);
    memcpy(doc + 69000, "\\\"}\"", 5);
    fake_begin(f, &in, NULL);
    for (int i = 0; i < 900 && f->ended == 0; i++)
        host_answer(f, LINLI_OK, doc);
    fake_check(f, "900 documents", "!sandbox/memory bytes of memory");
    fake_call(f, NULL);
    for (int i = 0; i < 900; i++)
        host_answer(f, LINLI_OK, "null");
    fake_check(f, "the next call", "0");
    free(doc);
    fake_free(f);
}

/* Whatever allocation fails, the call ends with a word. */
T_CASE(no_memory_at_any_place)
{
    static const char code[] =
        "local a = call.db.booking:insert{n = {1, 2, {x = 'y'}}} "
        "local b = call.db.booking:list{eq = {1}} "
        "return 200, {a, b}";
    int survived = 0;
    for (int64_t bytes = 0; bytes < 200000 && survived < 3; bytes += 512) {
        struct fake *f = host_handler(code);
        struct ll_call_in in = fake_in(f);
        in.memory_bytes = bytes + 1;
        fake_begin(f, &in, NULL);
        if (f->ended == 0)
            host_answer(f, LINLI_OK, "[true,\"{\\\"a\\\":[1,2,3]}\"]");
        if (f->ended == 0)
            host_answer(f, LINLI_OK, "[[\"{\\\"a\\\":[1]}\",\"{}\"],\"c\"]");
        T_INT(f->ended, 1);
        if (f->status == 200)
            survived++;
        else
            fake_check(f, "short", "!sandbox/memory");
        fake_free(f);
    }
    T_INT(survived, 3);
}

T_MAIN(T_RUN(each_method_asks_and_answers) T_RUN(it_waits_like_every_operation)
        T_RUN(refusals_name_line_and_operation)
            T_RUN(mistakes_are_told_before_the_host_is_asked)
                T_RUN(operations_are_counted)
                    T_RUN(without_collections_the_error_says_so)
                        T_RUN(there_is_no_call_while_loading)
                            T_RUN(answers_count_as_the_calls_memory)
                                T_RUN(no_memory_at_any_place))
