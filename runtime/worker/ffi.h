/* worker/ffi.h: typed libraries, C functions that Lua calls. [worker]
 *
 * A Lua plugin's manifest may name plain C functions of a shared object of
 * its package, with their signatures; libffi calls them, so the author
 * writes no glue (spec/abi.md, section 7). Signatures are read, symbols
 * found and call frames prepared once, in ll_ffi_prepare; a call checks its
 * arguments strictly and then only calls. Owns struct ll_ffi in
 * worker->ffi, which lives as long as the process.
 */
#ifndef LL_WORKER_FFI_H
#define LL_WORKER_FFI_H

#include "worker/objects.h"

struct lua_State;
struct ll_ffi;

/* Reads `native` of the manifest, maps its library (checked as a native
 * plugin's is) and finds each function. LINLI_OK and worker->ffi NULL if
 * the manifest declares no library. Under stage 1: it maps objects, and
 * their constructors run. Codes: "manifest/invalid", "package/missing-file",
 * "plugin/load". */
linli_status ll_ffi_prepare(
    struct ll_worker *worker, struct ll_err *err) LL_USE_RESULT;

/* The same, the objects' places told by `locate`. */
linli_status ll_ffi_prepare_from(struct ll_worker *worker,
    ll_object_locate *locate, struct ll_err *err) LL_USE_RESULT;

/* Pushes the table `native`, a field for each declared function, and returns
 * true; pushes nothing and returns false if there is no library. The caller
 * makes it the global `native` and read-only as any library table. May raise
 * a memory error: call it protected. */
bool ll_ffi_lua_open(struct ll_worker *worker, struct lua_State *L);

#endif
