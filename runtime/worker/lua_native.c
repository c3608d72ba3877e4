/* worker/lua_native.c: native.f(...), typed libraries for Lua. [worker]
 *
 * Arguments are taken as what they are: nothing is rounded, cut or turned
 * from text into a number, and an error names the function, the argument
 * and what would fit. A string is given to C as it lies in Lua, which ends
 * it with NUL; one that holds a NUL would reach C cut off and is refused.
 */
#include <stdio.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/text.h"
#include "worker/ffi_call.h"

/* Beyond it a double no longer holds every integer. */
#define EXACT_DOUBLE_MAX ((int64_t)1 << 53)

/* Raises "native.f: argument 2 must be WHAT, got ...". Does not return. */
static int
bad_argument(
    lua_State *L, const struct ll_ffi_function *f, int at, const char *what)
{
    /* A number says more than its type; a string may be a resident's. */
    const char *got = lua_type(L, at) == LUA_TNUMBER
                          ? luaL_tolstring(L, at, NULL)
                          : luaL_typename(L, at);
    (void)lua_pushlstring(L, f->name.ptr, f->name.len);
    const char *name = lua_tostring(L, -1);
    return luaL_error(
        L, "native.%s: argument %d must be %s, got %s", name, at, what, got);
}

/* An integer of Lua within [min, max]; 3.0 counts as 3, "3" does not. */
static int64_t
integer_argument(lua_State *L, const struct ll_ffi_function *f, int at,
    const int64_t range[2])
{
    int is_integer = 0;
    lua_Integer i = 0;
    if (lua_type(L, at) == LUA_TNUMBER)
        i = lua_tointegerx(L, at, &is_integer);
    if (!is_integer || i < range[0] || i > range[1]) {
        char what[96];
        (void)snprintf(what, sizeof(what), "an integer within %lld..%lld (%s)",
            (long long)range[0], (long long)range[1],
            ll_ffi_type_name(f->args[at - 1]));
        (void)bad_argument(L, f, at, what);
    }
    return i;
}

static double
double_argument(lua_State *L, const struct ll_ffi_function *f, int at)
{
    if (lua_type(L, at) != LUA_TNUMBER)
        (void)bad_argument(L, f, at, "a number (f64)");
    if (lua_isinteger(L, at)) {
        lua_Integer i = lua_tointeger(L, at);
        if (i < -EXACT_DOUBLE_MAX || i > EXACT_DOUBLE_MAX)
            (void)bad_argument(
                L, f, at, "an integer that f64 holds exactly, within 2^53");
    }
    return lua_tonumber(L, at);
}

static const char *
string_argument(lua_State *L, const struct ll_ffi_function *f, int at)
{
    size_t n = 0;
    if (lua_type(L, at) != LUA_TSTRING)
        (void)bad_argument(L, f, at, "a string (str)");
    const char *s = lua_tolstring(L, at, &n);
    if (memchr(s, 0, n) != NULL)
        (void)bad_argument(L, f, at, "a string without NUL (str)");
    return s;
}

static union ll_ffi_word
argument(lua_State *L, const struct ll_ffi_function *f, int at)
{
    static const int64_t ranges[LL_FFI_TYPE_COUNT][2] = {
        [LL_FFI_I32] = {INT32_MIN, INT32_MAX},
        [LL_FFI_U32] = {0, UINT32_MAX},
        [LL_FFI_I64] = {INT64_MIN, INT64_MAX},
        [LL_FFI_U64] = {0, INT64_MAX}, /* Lua has no integer above */
    };
    union ll_ffi_word word = {.u64 = 0};
    enum ll_ffi_type type = f->args[at - 1];
    switch (type) {
    case LL_FFI_I32:
    case LL_FFI_U32:
    case LL_FFI_I64:
    case LL_FFI_U64: {
        int64_t i = integer_argument(L, f, at, ranges[type]);
        if (type == LL_FFI_I32 || type == LL_FFI_U32)
            word.u32 = (uint32_t)i;
        else
            word.i64 = i;
        return word;
    }
    case LL_FFI_F64:
        word.f64 = double_argument(L, f, at);
        return word;
    case LL_FFI_BOOL:
        if (!lua_isboolean(L, at))
            (void)bad_argument(L, f, at, "a boolean (bool)");
        word.b = (uint8_t)lua_toboolean(L, at);
        return word;
    case LL_FFI_STR:
        word.str = string_argument(L, f, at);
        return word;
    case LL_FFI_VOID:
    case LL_FFI_TYPE_COUNT:
        break;
    }
    ll_check(false); /* ll_ffi_prepare takes no such argument */
    return word;
}

/* Raises "native.f: WHAT". Does not return. */
static int
bad_call(lua_State *L, const struct ll_ffi_function *f, const char *what)
{
    (void)lua_pushlstring(L, f->name.ptr, f->name.len);
    return luaL_error(L, "native.%s: %s", lua_tostring(L, -1), what);
}

static int
push_string(lua_State *L, const struct ll_ffi_function *f, const char *s)
{
    if (s == NULL) {
        lua_pushnil(L);
        return 1;
    }
    size_t n = strnlen(s, LL_NATIVE_STR_BYTES_MAX + 1);
    if (n > LL_NATIVE_STR_BYTES_MAX)
        return bad_call(L, f, "it returned a string over 1 MiB");
    (void)lua_pushlstring(L, s, n);
    return 1;
}

static int
push_result(
    lua_State *L, const struct ll_ffi_function *f, union ll_ffi_word word)
{
    switch (f->returns) {
    case LL_FFI_I32:
        lua_pushinteger(L, word.i32);
        return 1;
    case LL_FFI_U32:
        lua_pushinteger(L, word.u32);
        return 1;
    case LL_FFI_I64:
        lua_pushinteger(L, word.i64);
        return 1;
    case LL_FFI_U64:
        if (word.u64 > INT64_MAX)
            return bad_call(L, f,
                "its result (u64) is over 2^63 - 1, the "
                "largest integer of Lua");
        lua_pushinteger(L, word.i64);
        return 1;
    case LL_FFI_F64:
        lua_pushnumber(L, word.f64);
        return 1;
    case LL_FFI_BOOL:
        lua_pushboolean(L, word.b);
        return 1;
    case LL_FFI_STR:
        return push_string(L, f, word.str);
    case LL_FFI_VOID:
    case LL_FFI_TYPE_COUNT:
        break;
    }
    return 0;
}

static int
call_function(lua_State *L)
{
    const struct ll_ffi_function *f = lua_touserdata(L, lua_upvalueindex(1));
    union ll_ffi_word args[LL_NATIVE_ARGS_MAX];
    int given = lua_gettop(L);
    if (given != (int)f->arg_count) {
        char what[64];
        (void)snprintf(what, sizeof(what), "it takes %u arguments, got %d",
            f->arg_count, given);
        return bad_call(L, f, what);
    }
    for (int i = 1; i <= given; i++)
        args[i - 1] = argument(L, f, i);
    return push_result(L, f, ll_ffi_call(f, args));
}

bool
ll_ffi_lua_open(struct ll_worker *worker, struct lua_State *L)
{
    struct ll_ffi *ffi = worker->ffi;
    if (ffi == NULL)
        return false;
    luaL_checkstack(L, 4, "native");
    lua_createtable(L, 0, (int)ffi->count);
    for (uint32_t i = 0; i < ffi->count; i++) {
        struct ll_ffi_function *f = &ffi->functions[i];
        (void)lua_pushlstring(L, f->name.ptr, f->name.len);
        /* No plugin can reach an upvalue: there is no debug library. */
        lua_pushlightuserdata(L, f);
        lua_pushcclosure(L, call_function, 1);
        lua_rawset(L, -3);
    }
    return true;
}
