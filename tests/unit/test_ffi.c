/* tests/unit/test_ffi.c: typed libraries, as Lua sees them.
 *
 * The library is a real object, tests/abi/fixtures/typed.c.
 */
#include "worker_fake.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "worker/ffi.h"

#define MANIFEST(functions)                                            \
    "{\"main\":\"main.lua\",\"native\":{\"library\":\"lib/typed.so\"," \
    "\"functions\":{" functions "}}}"

static const char *const typed[] = {"typed.so", NULL};

static const char everything[] = MANIFEST(
    "\"nothing\":{\"returns\":\"void\",\"args\":[]},"
    "\"add_i32\":{\"returns\":\"i32\",\"args\":[\"i32\",\"i32\"]},"
    "\"u32_max\":{\"returns\":\"u32\",\"args\":[]},"
    "\"i32_min\":{\"returns\":\"i32\",\"args\":[]},"
    "\"same_i64\":{\"returns\":\"i64\",\"args\":[\"i64\"]},"
    "\"same_u64\":{\"returns\":\"u64\",\"args\":[\"u64\"]},"
    "\"u64_max\":{\"returns\":\"u64\",\"args\":[]},"
    "\"same_u32\":{\"returns\":\"u32\",\"args\":[\"u32\"]},"
    "\"half\":{\"returns\":\"f64\",\"args\":[\"f64\"]},"
    "\"not_\":{\"returns\":\"bool\",\"args\":[\"bool\"]},"
    "\"same_str\":{\"returns\":\"str\",\"args\":[\"str\"]},"
    "\"null_str\":{\"returns\":\"str\",\"args\":[]},"
    "\"long_str\":{\"returns\":\"str\",\"args\":[]},"
    "\"mixed\":{\"returns\":\"i64\",\"args\":[\"i64\",\"str\",\"f64\","
    "\"bool\"]},"
    "\"sixteen\":{\"returns\":\"str\",\"args\":[\"i32\",\"i64\",\"f64\","
    "\"i32\",\"f64\",\"u32\",\"u64\",\"bool\",\"str\",\"f64\",\"i32\","
    "\"i64\",\"f64\",\"u32\",\"str\",\"i32\"]}");

/* A Lua expression, and what it is or how it fails. */
static const struct {
    const char *code, *want;
} rows[] = {
    {"select('#', native.nothing())", "0"},
    {"native.add_i32(2, 3)", "5"},
    {"native.add_i32(-2147483648, 0)", "-2147483648"},
    {"native.add_i32(2.0, 3)", "5"},
    {"native.u32_max()", "4294967295"},
    {"native.i32_min()", "-2147483648"},
    {"native.same_i64(math.mininteger)", "-9223372036854775808"},
    {"native.same_i64(math.maxinteger)", "9223372036854775807"},
    {"native.same_u64(math.maxinteger)", "9223372036854775807"},
    {"native.same_u32(4294967295)", "4294967295"},
    {"native.half(3)", "1.5"},
    {"native.half(-0.5)", "-0.25"},
    {"math.type(native.half(4))", "float"},
    {"native.not_(false)", "true"},
    {"native.not_(true)", "false"},
    {"native.same_str('邻里')", "邻里"},
    {"native.same_str('')", ""},
    {"native.null_str()", "nil"},
    {"native.mixed(500, 'flat', 0.5, true)", "1000"},
    {"native.mixed(500, 'rated', 0.5, false)", "250"},
    {"native.sixteen(1, 2, 3.5, -4, 5.5, 6, 7, true, 'h', 9.5, -10, 11, "
     "12.5, 13, 'n', 15)",
        "1 2 3.5 -4 5.5 6 7 1 h 9.5 -10 11 12.5 13 n 15"},

    {"native.add_i32(1)", "t:1: native.add_i32: it takes 2 arguments, got 1"},
    {"native.add_i32(1, 2, 3)",
        "t:1: native.add_i32: it takes 2 arguments, got 3"},
    {"native.nothing(nil)", "t:1: native.nothing: it takes 0 arguments, got 1"},
    {"native.add_i32(1, 2147483648)",
        "t:1: native.add_i32: argument 2 must be an integer within "
        "-2147483648..2147483647 (i32), got 2147483648"},
    {"native.add_i32(-2147483649, 0)",
        "t:1: native.add_i32: argument 1 must be an integer within "
        "-2147483648..2147483647 (i32), got -2147483649"},
    {"native.add_i32(1, 2.5)",
        "t:1: native.add_i32: argument 2 must be an integer within "
        "-2147483648..2147483647 (i32), got 2.5"},
    {"native.add_i32(1, '2')",
        "t:1: native.add_i32: argument 2 must be an integer within "
        "-2147483648..2147483647 (i32), got string"},
    {"native.add_i32(1, 1e308 * 10)",
        "t:1: native.add_i32: argument 2 must be an integer within "
        "-2147483648..2147483647 (i32), got inf"},
    {"native.same_u32(-1)",
        "t:1: native.same_u32: argument 1 must be an integer within "
        "0..4294967295 (u32), got -1"},
    {"native.same_u32(4294967296)",
        "t:1: native.same_u32: argument 1 must be an integer within "
        "0..4294967295 (u32), got 4294967296"},
    {"native.same_u64(-1)",
        "t:1: native.same_u64: argument 1 must be an integer within "
        "0..9223372036854775807 (u64), got -1"},
    {"native.same_i64(1e300)",
        "t:1: native.same_i64: argument 1 must be an integer within "
        "-9223372036854775808..9223372036854775807 (i64), got 1e+300"},
    {"native.u64_max()",
        "t:1: native.u64_max: its result (u64) is over 2^63 - 1, the largest "
        "integer of Lua"},
    {"native.half('1')",
        "t:1: native.half: argument 1 must be a number (f64), got string"},
    {"native.half((1 << 53) + 1)",
        "t:1: native.half: argument 1 must be an integer that f64 holds "
        "exactly, within 2^53, got 9007199254740993"},
    {"native.not_(1)",
        "t:1: native.not_: argument 1 must be a boolean (bool), got 1"},
    {"native.not_(nil)",
        "t:1: native.not_: argument 1 must be a boolean (bool), got nil"},
    {"native.same_str(1)",
        "t:1: native.same_str: argument 1 must be a string (str), got 1"},
    {"native.same_str('a\\0b')",
        "t:1: native.same_str: argument 1 must be a string without NUL (str), "
        "got string"},
    {"native.long_str()",
        "t:1: native.long_str: it returned a string over 1 MiB"},
};

T_CASE(lua_calls_c_and_nothing_is_bent)
{
    struct ll_err err;
    struct ll_worker *worker = fake_worker(everything, typed);
    T_INT(ll_ffi_prepare_from(worker, fake_locate, &err), LINLI_OK);
    lua_State *L = luaL_newstate();
    luaL_requiref(L, "_G", luaopen_base, 1);
    luaL_requiref(L, "math", luaopen_math, 1);
    T_OK(ll_ffi_lua_open(worker, L));
    lua_setglobal(L, "native");
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        char code[256];
        int top = lua_gettop(L);
        (void)snprintf(
            code, sizeof(code), "local r = %s return r", rows[i].code);
        T_INT(luaL_loadbuffer(L, code, strlen(code), "=t"), LUA_OK);
        (void)lua_pcall(L, 0, 1, 0);
        T_STR(ll_cstr(luaL_tolstring(L, -1, NULL)), rows[i].want);
        lua_settop(L, top);
    }
    lua_close(L);
    fake_done(worker);
}

/* The functions of examples/typed-library, as `make` builds it. */
T_CASE(the_example_reckons)
{
    static const char *const names[] = {
        "../../examples/typed-library/lib/fee.so", NULL};
    static const char *const lines[][2] = {
        {"return native.fee_fen('lift', 8950, 12)", "193320"},
        {"return native.fee_fen('walk-up', 101, 1)", "81"},
        {"return native.fee_fen('castle', 100, 1)", "-1"},
        {"return native.fee_rule('castle')", "nil"},
        {"return native.fee_rule('villa')", "别墅: 每月每平方米 3.20 元"},
    };
    struct ll_err err;
    struct ll_worker *worker = fake_worker(
        "{\"native\":{\"library\":"
        "\"lib/../../examples/typed-library/lib/fee.so\",\"functions\":{"
        "\"fee_fen\":{\"returns\":\"i64\",\"args\":[\"str\",\"i64\","
        "\"i32\"]},\"fee_rule\":{\"returns\":\"str\",\"args\":[\"str\"]}"
        "}}}",
        names);
    T_INT(ll_ffi_prepare_from(worker, fake_locate, &err), LINLI_OK);
    lua_State *L = luaL_newstate();
    T_OK(ll_ffi_lua_open(worker, L));
    lua_setglobal(L, "native");
    for (size_t i = 0; i < LL_COUNT(lines); i++) {
        T_INT(luaL_dostring(L, lines[i][0]), LUA_OK);
        T_STR(ll_cstr(luaL_tolstring(L, -1, NULL)), lines[i][1]);
        lua_settop(L, 0);
    }
    lua_close(L);
    fake_done(worker);
}

T_CASE(a_plugin_without_a_library_has_no_native)
{
    struct ll_err err;
    struct ll_worker *worker = fake_worker("{\"main\":\"main.lua\"}", typed);
    T_INT(ll_ffi_prepare_from(worker, fake_locate, &err), LINLI_OK);
    T_OK(worker->ffi == NULL);
    lua_State *L = luaL_newstate();
    T_OK(!ll_ffi_lua_open(worker, L));
    T_INT(lua_gettop(L), 0);
    lua_close(L);
    fake_done(worker);
}

static const struct {
    const char *manifest;
    const char *code, *where, *message;
} refused[] = {
    {MANIFEST(""), "manifest/invalid", "plugin.json: /native/functions",
        "1 to 64 functions"},
    {"{\"native\":{\"library\":\"lib/typed.so\",\"functions\":7}}",
        "manifest/invalid", "plugin.json: /native/functions", "1 to 64"},
    {"{\"native\":{\"library\":\"lib/other.so\",\"functions\":"
     "{\"f\":{\"returns\":\"void\",\"args\":[]}}}}",
        "package/missing-file", "lib/other.so", "the package has it not"},
    {MANIFEST("\"half\":{\"returns\":\"float\",\"args\":[]}"),
        "manifest/invalid", "plugin.json: /native/functions/half", "`returns`"},
    {MANIFEST("\"half\":{\"args\":[]}"), "manifest/invalid",
        "plugin.json: /native/functions/half", "`returns`"},
    {MANIFEST("\"half\":{\"returns\":\"f64\"}"), "manifest/invalid",
        "plugin.json: /native/functions/half", "`args`"},
    {MANIFEST("\"half\":{\"returns\":\"f64\",\"args\":[\"void\"]}"),
        "manifest/invalid", "plugin.json: /native/functions/half",
        "each of `args`"},
    {MANIFEST("\"half\":{\"returns\":\"f64\",\"args\":[\"i32\",\"i32\","
              "\"i32\",\"i32\",\"i32\",\"i32\",\"i32\",\"i32\",\"i32\","
              "\"i32\",\"i32\",\"i32\",\"i32\",\"i32\",\"i32\",\"i32\","
              "\"i32\"]}"),
        "manifest/invalid", "plugin.json: /native/functions/half",
        "at most 16"},
    {MANIFEST("\"\":{\"returns\":\"void\",\"args\":[]}"), "manifest/invalid",
        "plugin.json: /native/functions/", "1 to 64 bytes"},
    {MANIFEST("\"absent\":{\"returns\":\"void\",\"args\":[]}"), "plugin/load",
        "plugin.json: /native/functions/absent", "does not export absent"},
};

T_CASE(wrong_declarations_are_named)
{
    for (size_t i = 0; i < LL_COUNT(refused); i++) {
        struct ll_err err = {.status = LINLI_OK};
        struct ll_worker *worker = fake_worker(refused[i].manifest, typed);
        T_OK(ll_ffi_prepare_from(worker, fake_locate, &err) != LINLI_OK);
        T_STR(ll_cstr(err.code), refused[i].code);
        T_STR(ll_cstr(err.where), refused[i].where);
        if (strstr(err.msg, refused[i].message) == NULL)
            T_STR(ll_cstr(err.msg), refused[i].message);
        T_OK(worker->ffi == NULL);
        fake_done(worker);
    }
}

// clang-format off
T_MAIN(
    T_RUN(lua_calls_c_and_nothing_is_bent)
    T_RUN(the_example_reckons)
    T_RUN(a_plugin_without_a_library_has_no_native)
    T_RUN(wrong_declarations_are_named))
