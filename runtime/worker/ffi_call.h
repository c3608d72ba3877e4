/* worker/ffi_call.h: one prepared function, for who marshals. [worker]
 *
 * ffi.c prepares and calls, lua_native.c turns Lua values into arguments.
 * Between them: words of 8 bytes, each of the type that the signature says.
 */
#ifndef LL_WORKER_FFI_CALL_H
#define LL_WORKER_FFI_CALL_H

#include <ffi.h>

#include "worker/ffi.h"

/* X(enumerator, name in plugin.json, libffi type) */
#define LL_FFI_TYPES(X)             \
    X(VOID, "void", ffi_type_void)  \
    X(I32, "i32", ffi_type_sint32)  \
    X(U32, "u32", ffi_type_uint32)  \
    X(I64, "i64", ffi_type_sint64)  \
    X(U64, "u64", ffi_type_uint64)  \
    X(F64, "f64", ffi_type_double)  \
    X(BOOL, "bool", ffi_type_uint8) \
    X(STR, "str", ffi_type_pointer)

enum ll_ffi_type {
#define X(name, text, type) LL_FFI_##name,
    LL_FFI_TYPES(X)
#undef X
        LL_FFI_TYPE_COUNT
};

/* The type's name in plugin.json. */
const char *ll_ffi_type_name(enum ll_ffi_type type);

union ll_ffi_word {
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    double f64;
    uint8_t b;       /* 0 or 1 */
    const char *str; /* NUL-terminated */
};

struct ll_ffi_function {
    linli_str name;
    enum ll_ffi_type returns;
    enum ll_ffi_type args[LL_NATIVE_ARGS_MAX];
    uint32_t arg_count;
    void (*address)(void);
    ffi_cif cif;
    ffi_type *ffi_args[LL_NATIVE_ARGS_MAX];
};

struct ll_ffi {
    uint32_t count;
    struct ll_ffi_function functions[]; /* in the order of plugin.json */
};

/* Calls; `args` holds arg_count words, the result's word is returned, zero
 * for void. */
union ll_ffi_word ll_ffi_call(
    const struct ll_ffi_function *f, union ll_ffi_word *args);

#endif
