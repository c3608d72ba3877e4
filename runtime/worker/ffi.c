/* worker/ffi.c: typed libraries, prepared once and called. [worker]
 *
 * A signature in plugin.json is the author's word for what the C function
 * is; a wrong one breaks this process and nothing else.
 */
#include "worker/ffi.h"

#include <dlfcn.h>

#include "base/text.h"
#include "worker/ffi_call.h"

static const struct {
    const char *name;
    ffi_type *type;
} types[] = {
#define X(name, text, type) [LL_FFI_##name] = {text, &type},
    LL_FFI_TYPES(X)
#undef X
};

const char *
ll_ffi_type_name(enum ll_ffi_type type)
{
    ll_check(type < LL_FFI_TYPE_COUNT);
    return types[type].name;
}

static linli_status
invalid(struct ll_err *err, linli_str function, const char *what)
{
    linli_status s =
        ll_fail(err, LINLI_E_INVALID, "manifest/invalid", "%s", what);
    ll_err_where(err, "plugin.json: /native/functions/%.*s",
        function.len > 64 ? 64 : LL_FMT(function));
    return s;
}

static bool
find_type(struct ll_jv v, enum ll_ffi_type *out)
{
    for (unsigned i = 0; i < LL_FFI_TYPE_COUNT; i++) {
        if (ll_jv_is(v, LL_JSON_STRING) &&
            ll_str_is(ll_jv_str(v), types[i].name)) {
            *out = (enum ll_ffi_type)i;
            return true;
        }
    }
    return false;
}

static linli_status
read_signature(
    struct ll_ffi_function *f, struct ll_jv declared, struct ll_err *err)
{
    struct ll_jv args = ll_jv_get(declared, "args");
    if (!find_type(ll_jv_get(declared, "returns"), &f->returns))
        return invalid(err, f->name,
            "`returns` must be one of void i32 u32 i64 u64 f64 bool str");
    if (!ll_jv_is(args, LL_JSON_ARRAY) ||
        ll_jv_count(args) > LL_NATIVE_ARGS_MAX)
        return invalid(
            err, f->name, "`args` must be an array of at most 16 types");
    LL_JSON_EACH (arg, args) {
        enum ll_ffi_type type;
        if (!find_type(arg, &type) || type == LL_FFI_VOID)
            return invalid(err, f->name,
                "each of `args` must be one of i32 u32 i64 u64 f64 bool str");
        f->ffi_args[f->arg_count] = types[type].type;
        f->args[f->arg_count++] = type;
    }
    return LINLI_OK;
}

static linli_status
bind_function(struct ll_ffi_function *f, void *handle, struct ll_err *err)
{
    char symbol[65] = "";
    if (f->name.len == 0 || f->name.len >= sizeof(symbol) ||
        memchr(f->name.ptr, 0, f->name.len) != NULL)
        return invalid(err, f->name, "a function's name has 1 to 64 bytes");
    memcpy(symbol, f->name.ptr, f->name.len);
    void *address = dlsym(handle, symbol);
    if (address == NULL) {
        linli_status s = ll_fail(err, LINLI_E_NOT_FOUND, "plugin/load",
            "the library does not export %s", symbol);
        ll_err_fix(err, "Define it without `static`, with default visibility, "
                        "in C or as extern \"C\"");
        ll_err_where(err, "plugin.json: /native/functions/%s", symbol);
        return s;
    }
    /* POSIX: an object's address may be a function's. */
    memcpy(&f->address, &address, sizeof(f->address));
    if (ffi_prep_cif(&f->cif, FFI_DEFAULT_ABI, f->arg_count,
            types[f->returns].type, f->ffi_args) != FFI_OK)
        return invalid(err, f->name, "libffi cannot call such a function");
    return LINLI_OK;
}

static linli_status
read_functions(
    struct ll_ffi *ffi, struct ll_jv declared, void *handle, struct ll_err *err)
{
    LL_JSON_MEMBERS (key, value, declared) {
        struct ll_ffi_function *f = &ffi->functions[ffi->count++];
        f->name = ll_jv_str(key);
        linli_status s = read_signature(f, value, err);
        if (s == LINLI_OK)
            s = bind_function(f, handle, err);
        if (s != LINLI_OK)
            return s;
    }
    return LINLI_OK;
}

linli_status
ll_ffi_prepare_from(
    struct ll_worker *worker, ll_object_locate *locate, struct ll_err *err)
{
    struct ll_jv native = ll_jv_get(ll_json_root(&worker->manifest), "native");
    struct ll_jv functions = ll_jv_get(native, "functions");
    uint32_t count = ll_jv_count(functions);
    void *handle;
    worker->ffi = NULL;
    if (!ll_jv_there(native))
        return LINLI_OK;
    if (!ll_jv_is(functions, LL_JSON_OBJECT) || count == 0 ||
        count > LL_NATIVE_FUNCTIONS_MAX) {
        linli_status s = ll_fail(err, LINLI_E_INVALID, "manifest/invalid",
            "a typed library has 1 to %d functions", LL_NATIVE_FUNCTIONS_MAX);
        ll_err_where(err, "plugin.json: /native/functions");
        return s;
    }
    linli_status s = ll_objects_open(
        worker, ll_jv_str(ll_jv_get(native, "library")), locate, &handle, err);
    if (s != LINLI_OK)
        return s;
    struct ll_ffi *ffi = ll_arena_alloc(
        &worker->arena, sizeof(*ffi) + count * sizeof(ffi->functions[0]));
    if (ffi == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "signatures");
    s = read_functions(ffi, functions, handle, err);
    if (s == LINLI_OK)
        worker->ffi = ffi;
    return s;
}

linli_status
ll_ffi_prepare(struct ll_worker *worker, struct ll_err *err)
{
    return ll_ffi_prepare_from(worker, ll_worker_object_path, err);
}

/* libffi widens small results to a register; takes back what was meant. */
static union ll_ffi_word
narrow(enum ll_ffi_type type, const void *result)
{
    union ll_ffi_word word = {.u64 = 0};
    ffi_arg wide;
    switch (type) {
    case LL_FFI_I32:
    case LL_FFI_U32:
    case LL_FFI_BOOL:
        memcpy(&wide, result, sizeof(wide));
        if (type == LL_FFI_BOOL)
            word.b = (wide & 0xff) != 0;
        else
            word.u32 = (uint32_t)wide;
        return word;
    case LL_FFI_VOID:
        return word;
    default:
        memcpy(&word, result, sizeof(word));
        return word;
    }
}

union ll_ffi_word
ll_ffi_call(const struct ll_ffi_function *f, union ll_ffi_word *args)
{
    void *places[LL_NATIVE_ARGS_MAX];
    union {
        ffi_arg wide;
        union ll_ffi_word word;
    } result = {.word.u64 = 0};
    /* ffi_call writes to neither, but does not say const. */
    ffi_cif cif = f->cif;
    for (uint32_t i = 0; i < f->arg_count; i++)
        places[i] = &args[i];
    ffi_call(&cif, f->address, &result, places);
    return narrow(f->returns, &result);
}
