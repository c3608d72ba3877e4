/* tests/unit/test_lua_globals.c: what a plugin can reach, and change. */
#include "lua_fake.h"

/* Walks every value that can be reached from the globals, `require "linli"`,
 * metatables and the call; lists the functions by name. */
static const char walk[] =
    "local seen, names = {}, {} "
    "local function visit(v, name) "
    "  local kind = type(v) "
    "  if kind == 'function' or kind == 'userdata' or kind == 'thread' then "
    "    if v ~= linli.null then names[#names + 1] = name end "
    "    return end "
    "  if kind ~= 'table' then return end "
    "  for _, t in ipairs(seen) do if rawequal(t, v) then return end end "
    "  seen[#seen + 1] = v "
    "  local mt = getmetatable(v) "
    "  if mt then visit(mt, name .. '<mt>') end "
    "  for k, x in pairs(v) do "
    "    visit(x, name == '' and tostring(k) or name .. '.' .. tostring(k)) "
    "  end "
    "end "
    "visit(_G, '') visit(linli, 'linli') visit(getmetatable(''), 'string<mt>') "
    "visit(getmetatable(linli.null), 'null<mt>') visit(call, 'call') "
    "visit(call.host, 'host') visit(getmetatable(print), 'function<mt>') "
    "visit(getmetatable(coroutine.create(print)), 'thread<mt>') "
    "table.sort(names) return 200, table.concat(names, ' ')";

static const char reachable[] =
    "\"assert coroutine.close coroutine.create coroutine.isyieldable "
    "coroutine.resume coroutine.running coroutine.status coroutine.wrap "
    "coroutine.yield error getmetatable host.probe_echo host.probe_wait "
    "ipairs "
    "linli.fetch linli.json.decode linli.json.encode linli.log.debug "
    "linli.log.error "
    "linli.log.info linli.log.warn linli.money.add linli.money.bp "
    "linli.money.mul_div linli.money.split linli.money.sum linli.paid "
    "linli.plugin linli.secret "
    "linli.time.day linli.time.fields linli.time.format linli.time.from_day "
    "linli.time.next_midnight linli.time.parse linli.time.start_of_day "
    "math.abs math.acos math.asin math.atan math.ceil math.cos math.deg "
    "math.exp math.floor math.fmod math.log math.max math.min math.modf "
    "math.rad math.random math.sin math.sqrt math.tan math.tointeger "
    "math.type math.ult next pairs pcall print rawequal rawget rawlen rawset "
    "require select setmetatable string.byte string.char string.find "
    "string.format string.gmatch string.gsub string.len string.lower "
    "string.match string.pack string.packsize string.rep string.reverse "
    "string.sub string.unpack string.upper table.concat table.insert "
    "table.move table.pack table.remove table.sort table.unpack tonumber "
    "tostring type utf8.char utf8.codepoint utf8.codes utf8.len utf8.offset "
    "xpcall\"";

T_CASE(only_the_allow_list_is_reachable)
{
    struct fake *f = fake_handler(walk);
    char want[4096];
    /* linli.array is reached before linli.config in the walk */
    (void)snprintf(want, sizeof want, "%s", reachable);
    char *at = strstr(want, "linli.fetch");
    char rest[4096];
    (void)snprintf(rest, sizeof rest, "%s", at);
    (void)snprintf(
        at, sizeof want - (size_t)(at - want), "linli.array %s", rest);
    fake_call(f, NULL);
    T_STR(ll_cstr(f->body), want);
    fake_free(f);
}

static const struct fake_case absent[] = {
    {"return 200, {io, os, debug, package, load, loadstring, loadfile, dofile,"
     " collectgarbage, warn, string.dump, math.randomseed, unpack, setfenv}",
        "{}"},
    {"return 200, {pcall(require, 'io')}",
        "[false,\"module 'io' not found: the package has no file io.lua\"]"},
    {"return 200, (pcall(require, '../x'))", "false"},
    {"return 200, (pcall(require, '/etc/passwd'))", "false"},
    {"return 200, (pcall(require, 'a..b'))", "false"},
    {"return 200, (pcall(require, ''))", "false"},
    {"return 200, (pcall(require, 'a\\0b'))", "false"},
    {"return 200, (pcall(require, ('a'):rep(1000)))", "false"},
    {"return 200, (pcall(require, 'linli.secret'))", "false"},
    {"return 200, (pcall(require, 'binary'))", "false"},
    {"return 200, require 'linli' == linli", "true"},
    {"return 200, require 'linli.time' == linli.time", "true"},
    /* no addresses */
    {"return 200, {tostring({}), tostring(print), "
     "tostring(coroutine.create(print)), tostring(call), tostring(_G)}",
        "[\"table\",\"function\",\"thread\",\"call\",\"table\"]"},
    {"return 200, string.format('%s %-10s %d %%s', {}, print, 3)",
        "\"table function   3 %s\""},
    {"return 200, ('%s'):format(setmetatable({}, {__name = 'mine'}))",
        "\"mine\""},
    {"return 200, ('%5.1s|%q|%i'):format('abc', 'x', 7)",
        "\"    a|\\\"x\\\"|7\""},
    {"string.format('%p', {})", "!plugin/error '%p' is not available"},
    {"string.format('%10p', {})", "!plugin/error '%p' is not available"},
    {"string.format('%')", "!plugin/error"},
    {"string.format('%s')", "!plugin/error bad argument #2 to 'format'"},
    {"error({} .. '')", "!plugin/error attempt to concatenate a table"},
    {"return 200, {pcall(error, {})}", "[false,{}]"},
    {"return 200, tostring(setmetatable({}, {__tostring = function() "
     "return 5 end}))",
        "5"},
    {"return 200, {tostring(1), tostring(-0.0), tostring(2^53), tostring(nil),"
     " tostring(true), tostring('s')}",
        "[\"1\",\"-0.0\",\"9.007199254741e+15\",\"nil\",\"true\",\"s\"]"},
    {"return 200, tostring(setmetatable({}, {__tostring = function() "
     "return {} end}))",
        "!plugin/error must return a string"},
};

T_CASE(what_is_not_allowed_is_not_there)
{
    for (size_t i = 0; i < LL_COUNT(absent); i++) {
        struct fake *f = fake_handler(absent[i].code);
        fake_file(f, "binary.lua", "\033Lua");
        fake_call(f, NULL);
        fake_check(f, absent[i].code, absent[i].want);
        fake_free(f);
    }
}

static const struct fake_case writes[] = {
    {"new_global = 1", "!plugin/error main.lua:1: the global 'new_global' "
                       "cannot be set; globals are read-only after load: use "
                       "a local"},
    {"print = nil", "!plugin/error the global 'print' cannot be set"},
    {"_G.x = 1", "!plugin/error the global 'x' cannot be set"},
    {"rawset(_G, 'x', 1)", "!plugin/error the global 'x' cannot be set"},
    {"rawset(string, 'rep', 1)", "!plugin/error the library field 'rep'"},
    {"string.format = 1", "!plugin/error libraries are read-only"},
    {"math.pi = 3", "!plugin/error libraries are read-only"},
    {"linli.minute = 1", "!plugin/error linli's field 'minute'"},
    {"linli.time.parse = 1", "!plugin/error linli's field 'parse'"},
    {"linli.config.x = 1", "!plugin/error the configuration's 'x' cannot"},
    {"linli.config.list[1] = 2", "!plugin/error the configuration's '1'"},
    {"table.insert(linli.config.list, 2)", "!plugin/error configuration's"},
    {"setmetatable(_G, {})", "!plugin/error cannot change a protected"},
    {"setmetatable(string, {})", "!plugin/error cannot change a protected"},
    {"setmetatable('', {})", "!plugin/error bad argument #1"},
    {"getmetatable('').__index = {}", "!plugin/error attempt to index a bool"},
    {"return 200, {getmetatable(''), getmetatable(_G), getmetatable(math), "
     "getmetatable(linli.array())}",
        "[false,false,false,false]"},
    {"return 200, {linli.config, #linli.config.list, linli.config.list[2], "
     "linli.config.deep.a.b, linli.config.absent == nil}",
        "[{\"deep\":{\"a\":{\"b\":null}},\"list\":[1,2,3]},3,2,null,true]"},
    {"local n = 0 for i, v in ipairs(linli.config.list) do n = n + v end "
     "for k, v in pairs(linli.config.list) do n = n + v end "
     "return 200, {n, table.concat(linli.config.list, ','), "
     "select('#', table.unpack(linli.config.list))}",
        "[12,\"1,2,3\",3]"},
    {"local m = require 'm' return 200, {m.twice(4), m.self == m, "
     "rawget(m, 'n'), (pcall(function() m.n = 2 end)), m.n}",
        "[8,true,1,false,1]"},
    {"local m = require 'm' m.n = 2",
        "!plugin/error the module field 'n' cannot be set; modules are "
        "read-only after load"},
    {"local late = require 'late' late.x = 1", "!plugin/error module field"},
    {"local o = require 'object' return 200, {o(3), tostring(o), o.base, "
     "#o, rawequal(o, require 'object')}",
        "[4,\"object\",\"inherited\",5,true]"},
    {"require 'globals_late'", "!plugin/error the global 'oops' cannot"},
    {"require 'broken'", "!plugin/error broken.lua:1: "},
    {"return 200, {(pcall(require, 'fails')), (pcall(require, 'fails'))}",
        "[false,false]"},
    {"require 'loop'", "!plugin/error module 'loop' requires itself"},
    {"return 200, require 'nothing'", "true"},
    {"return 200, require 'dir.sub-1'", "\"dir/sub-1\""},
};

T_CASE(state_is_read_only_after_load)
{
    for (size_t i = 0; i < LL_COUNT(writes); i++) {
        struct fake *f = fake_new(FAKE_MANIFEST);
        f->worker.config.config_json =
            LINLI_STR("{\"list\":[1,2,3],\"deep\":{\"a\":{\"b\":null}}}");
        (void)snprintf(f->main, sizeof f->main,
            "local linli = require 'linli' local p = linli.plugin() "
            "set_while_loading = 1 rawset(_G, 'raw', 2) "
            "require 'm' require 'object' assert(raw == 2) "
            "p:post('/run', function(call) %s\nend) return p",
            writes[i].code);
        fake_file(f, "main.lua", f->main);
        fake_file(f, "m.lua",
            "\xef\xbb\xbflocal M = {n = 1} M.self = M function M.twice(x) "
            "return x * 2 end"
            " return M");
        fake_file(f, "object.lua",
            "return setmetatable({}, {__call = function(_, x) return x + 1 "
            "end, __tostring = function() return 'object' end, "
            "__len = function() return 5 end, __index = {base = "
            "'inherited'}})");
        fake_file(f, "late.lua", "return {x = 0}");
        struct ll_worker_file more[] = {
            {LINLI_STR("globals_late.lua"), LINLI_STR("oops = 1")},
            {LINLI_STR("broken.lua"), LINLI_STR("this is")},
            {LINLI_STR("fails.lua"), LINLI_STR("error 'x'")},
            {LINLI_STR("loop.lua"), LINLI_STR("require 'loop'")},
            {LINLI_STR("nothing.lua"), LINLI_STR("local x")},
            {LINLI_STR("dir/sub-1.lua"), LINLI_STR("return 'dir/sub-1'")}};
        struct ll_worker_file all[16];
        memcpy(all, f->files, 4 * sizeof *all);
        memcpy(all + 4, more, sizeof more);
        f->worker.files = all;
        f->worker.file_count = 4 + LL_COUNT(more);
        T_INT(fake_load(f), LINLI_OK);
        fake_call(f, NULL);
        fake_check(f, writes[i].code, writes[i].want);
        fake_free(f);
    }
}

/* A plugin that does not load says where and why. */
static const struct {
    const char *main, *where, *message;
} unloadable[] = {
    {"local x = = 1", "main.lua:1", "unexpected symbol"},
    {"\n\nerror('no')", "main.lua:3", "no"},
    {"return 1", "", "the main file returned number; begin it with"},
    {"", "", "the main file returned nothing"},
    {"local p = require 'linli'.plugin() return p", "",
        "plugin.json declares POST /run, which has no handler"},
    {"local p = require 'linli'.plugin()\np:get('/run', print)", "main.lua:2",
        "plugin.json has no route GET /run"},
    {"local p = require 'linli'.plugin()\np:post('/runs', print)", "main.lua:2",
        "plugin.json has no route POST /runs"},
    {"local p = require 'linli'.plugin() p:post('/run', print)\n"
     "p:post('/run', print)",
        "main.lua:2", "has a handler already"},
    {"local p = require 'linli'.plugin()\np:post('/run')", "main.lua:2",
        "bad argument #2 to 'post' (function expected, got no value)"},
    {"local l = require 'linli' l.plugin()\nl.plugin()", "main.lua:2",
        "linli.plugin() was called before"},
    {"require 'linli'.plugin().get = 1", "main.lua:1", "the plugin's field"},
    {"require 'absent'", "main.lua:1", "the package has no file absent.lua"},
    {"math.random()", "main.lua:1", "math.random belongs to a call"},
    {"local x = 5 x.y.z = 1", "main.lua:1", "attempt to index a number"},
    {"\033LuaT", "", "attempt to load a binary chunk"},
    {"error({})", "", "(a table as error)"},
    {"coroutine.yield()", "main.lua:1", "from outside a coroutine"},
};

T_CASE(loading_says_what_is_wrong)
{
    for (size_t i = 0; i < LL_COUNT(unloadable); i++) {
        struct fake *f = fake_new(FAKE_MANIFEST);
        fake_file(f, "main.lua", unloadable[i].main);
        T_OK(fake_load(f) != LINLI_OK);
        T_STR(ll_cstr(f->err.code), "plugin/load");
        T_STR(ll_cstr(f->err.where), unloadable[i].where);
        if (strstr(f->err.msg, unloadable[i].message) == NULL) {
            t_fail(__FILE__, __LINE__, unloadable[i].main);
            printf("#   %s\n", f->err.msg);
        }
        fake_free(f);
    }
    struct fake *f = fake_new(FAKE_MANIFEST);
    T_OK(fake_load(f) != LINLI_OK);
    T_OK(strstr(f->err.msg, "the package has no file main.lua") != NULL);
    fake_free(f);
}

T_CASE(handlers_cannot_be_given_later)
{
    struct fake *f = fake_new(FAKE_MANIFEST);
    fake_file(f, "main.lua",
        "local p = require 'linli'.plugin() p:post('/run', function() "
        "p:post('/run', print) end) return p");
    T_INT(fake_load(f), LINLI_OK);
    fake_call(f, NULL);
    fake_check(f, "late", "!plugin/error while the plugin loads");
    fake_free(f);
}

T_MAIN(T_RUN(only_the_allow_list_is_reachable) T_RUN(
    what_is_not_allowed_is_not_there) T_RUN(state_is_read_only_after_load)
        T_RUN(loading_says_what_is_wrong) T_RUN(handlers_cannot_be_given_later))
