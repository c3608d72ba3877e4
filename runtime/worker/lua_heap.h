/* worker/lua_heap.h: the memory of one lua_State. [worker]
 *
 * Accounts are exact in Lua's sizes: new = old + nsize - osize. Three caps
 * stand: of the running call (its net growth), of the state, and of all
 * states of the process. Small blocks come from size classes in chunks,
 * larger ones from malloc with a header that links them, so that a state can
 * be dropped whole without asking Lua, however damaged it may be.
 */
#ifndef LL_WORKER_LUA_HEAP_H
#define LL_WORKER_LUA_HEAP_H

#include "base/defs.h"

#define LL_LUA_SMALL_BYTES 512 /* largest block of a size class */
#define LL_LUA_CLASS_BYTES 16  /* between classes */
#define LL_LUA_CLASSES (LL_LUA_SMALL_BYTES / LL_LUA_CLASS_BYTES)

/* What all states of the process hold together. */
struct ll_lua_total {
    size_t footprint_bytes;
    size_t max_bytes;
};

struct ll_lua_block {
    struct ll_lua_block *prev, *next;
};

struct ll_lua_heap {
    struct ll_lua_total *total;
    size_t used_bytes;      /* as Lua counts */
    size_t footprint_bytes; /* chunks and large blocks */
    size_t max_bytes;       /* of used_bytes */
    size_t overdraft_bytes; /* beyond it, until the next collection */
    int64_t call_bytes;     /* net growth of the running call */
    int64_t call_max_bytes;
    uint64_t refusals;
    struct ll_lua_free *free[LL_LUA_CLASSES];
    unsigned char *fresh, *fresh_end;  /* of the newest chunk */
    struct ll_lua_block chunks, large; /* list heads */
};

void ll_lua_heap_init(
    struct ll_lua_heap *heap, struct ll_lua_total *total, size_t max_bytes);
/* Gives everything back to the system. */
void ll_lua_heap_drop(struct ll_lua_heap *heap);
/* From now on the heap grows for a call that has grown it by `used_bytes`
 * before and may grow it to `max_bytes`. */
void ll_lua_heap_call(
    struct ll_lua_heap *heap, int64_t used_bytes, int64_t max_bytes);
/* A lua_Alloc; `ud` is the heap. */
void *ll_lua_alloc(void *ud, void *ptr, size_t osize, size_t nsize);

#endif
