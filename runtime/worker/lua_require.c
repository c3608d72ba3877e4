/* worker/lua_require.c: require, of package files and of linli. [worker]
 *
 * Nothing is searched: "a.b" is the package's file a/b.lua, "linli" and what
 * is below it are the modules of sdk/lua, compiled into the worker. Text
 * only: a binary chunk can break the interpreter.
 */
#include <string.h>

#include "base/text.h"
#include "sdk_lua.h"
#include "worker/lua_lib.h"

static char loaded_key; /* registry: name to module, false in the making */
static char core_key;   /* registry: what sdk/lua is given */

static const struct ll_lua_frozen_text module_text = {"the module field",
    "modules are read-only after load: what a call learns goes into a local "
    "or to the host"};
static const struct ll_lua_frozen_text linli_text = {
    "linli's field", "libraries are read-only"};

static const struct sdk_file *
find_sdk(linli_str name)
{
    for (size_t i = 0; i < LL_COUNT(sdk_files); i++)
        if (ll_str_is(name, sdk_files[i].name))
            return &sdk_files[i];
    return NULL;
}

static bool
valid_name(linli_str name)
{
    bool after_dot = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!word && (c != '.' || after_dot))
            return false;
        after_dot = c == '.';
    }
    return !after_dot && name.len < 128;
}

/* Compiles, or raises the error; chunk names make "lib/a.lua:12:". */
static void
push_chunk(lua_State *L, linli_str bytes, const char *path)
{
    if (bytes.len > LL_PACKAGE_SOURCE_BYTES_MAX)
        (void)luaL_error(
            L, "%s is larger than %d bytes", path, LL_PACKAGE_SOURCE_BYTES_MAX);
    /* As lua does with files: some editors put a byte order mark first. */
    if (bytes.len >= 3 && memcmp(bytes.ptr, "\xef\xbb\xbf", 3) == 0)
        bytes = (linli_str){bytes.ptr + 3, bytes.len - 3};
    lua_pushfstring(L, "=%s", path);
    if (luaL_loadbufferx(L, bytes.ptr, bytes.len, lua_tostring(L, -1), "t") !=
        LUA_OK)
        (void)lua_error(L);
    lua_remove(L, -2);
}

/* "a.b" to the chunk of a/b.lua; raises if there is no such file. */
static void
push_package_chunk(lua_State *L, linli_str name)
{
    char path[160];
    size_t n = 0;
    for (; n < name.len; n++)
        path[n] = name.ptr[n] == '.' ? '/' : name.ptr[n];
    memcpy(path + n, ".lua", 5);
    const struct ll_worker_file *file = ll_worker_file(
        ll_lua_state(L)->engine->worker, (linli_str){path, n + 4});
    if (file == NULL)
        (void)luaL_error(L, "module '%s' not found: the package has no file %s",
            name.ptr, path);
    push_chunk(L, file->bytes, path);
}

static void
push_module_chunk(lua_State *L, linli_str name, bool *ours)
{
    const struct sdk_file *sdk = find_sdk(name);
    *ours = sdk != NULL;
    if (!valid_name(name))
        (void)luaL_error(L,
            "'%s' is no module name: words of letters, "
            "digits, '_' and '-', with dots between them",
            name.ptr);
    if (sdk == NULL) {
        push_package_chunk(L, name);
        lua_pushvalue(L, 1);
        return;
    }
    push_chunk(L, (linli_str){(const char *)sdk->bytes, sdk->size}, sdk->path);
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &core_key);
}

static void
set_loaded(lua_State *L, int loaded)
{
    lua_pushvalue(L, 1);
    lua_insert(L, -2);
    lua_rawset(L, loaded);
}

static int
require(lua_State *L)
{
    linli_str name;
    bool ours = false;
    name.ptr = luaL_checklstring(L, 1, &name.len);
    lua_settop(L, 1);
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_pushvalue(L, 1);
    int type = lua_rawget(L, 2);
    if (type == LUA_TBOOLEAN && !lua_toboolean(L, 3))
        return luaL_error(L, "module '%s' requires itself", name.ptr);
    if (type != LUA_TNIL)
        return 1;
    lua_settop(L, 2);
    push_module_chunk(L, name, &ours);
    lua_pushboolean(L, 0);
    set_loaded(L, 2);
    int status = lua_pcall(L, 1, 1, 0);
    if (status != LUA_OK) {
        lua_pushnil(L);
        set_loaded(L, 2);
        (void)ll_lua_ending(L, status);
        return lua_error(L);
    }
    if (lua_isnil(L, -1) || (lua_isboolean(L, -1) && !lua_toboolean(L, -1))) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    if (lua_istable(L, -1) && (ours || ll_lua_state(L)->loaded))
        ll_lua_freeze(L, -1, ours ? linli_text : module_text);
    lua_pushvalue(L, -1);
    set_loaded(L, 2);
    return 1;
}

void
ll_lua_open_require(lua_State *L)
{
    lua_pushcfunction(L, require);
    lua_setfield(L, -2, "require");
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
    ll_lua_push_core(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &core_key);
}

void
ll_lua_push_main(lua_State *L)
{
    const struct ll_worker *worker = ll_lua_state(L)->engine->worker;
    linli_str path =
        ll_jv_str(ll_jv_get(ll_json_root(&worker->manifest), "main"));
    if (path.len == 0)
        path = (linli_str)LINLI_STR("main.lua");
    lua_pushlstring(L, path.ptr, path.len);
    const struct ll_worker_file *file = ll_worker_file(worker, path);
    if (file == NULL)
        (void)luaL_error(L, "the package has no file %s", lua_tostring(L, -1));
    push_chunk(L, file->bytes, lua_tostring(L, -1));
    lua_remove(L, -2);
}

void
ll_lua_freeze_modules(lua_State *L)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    int loaded = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, loaded)) {
        if (lua_istable(L, -1))
            ll_lua_freeze(L, -1, module_text);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}
