/* base/mem.h: counted memory. [any: one account belongs to one thread]
 *
 * Long-lived things are allocated from an account, which counts bytes,
 * enforces a maximum and can be told to fail on purpose (fault tests).
 * Callers give the size back when they release, as Lua's allocator does, so
 * no header is kept. Per-call memory comes from an arena on top.
 */
#ifndef LL_BASE_MEM_H
#define LL_BASE_MEM_H

#include "base/defs.h"

struct ll_mem {
    size_t used_bytes;
    size_t peak_bytes;
    size_t max_bytes; /* 0: no maximum */
    uint64_t fail_in; /* 0: never; n: the nth allocation from now fails */
};

/* Nothing allocated yet; `max_bytes` 0: no maximum. */
void ll_mem_init(struct ll_mem *mem, size_t max_bytes);

/* Zeroed memory, or NULL at the maximum or when the system has none. */
void *ll_alloc(struct ll_mem *mem, size_t bytes) LL_USE_RESULT;

/* Grows or shrinks; the old block stays valid when NULL is returned.
 * New bytes are not zeroed. */
void *ll_realloc(struct ll_mem *mem, void *ptr, size_t old_bytes,
    size_t new_bytes) LL_USE_RESULT;

/* `bytes` is the size it was allocated with; ptr may be NULL. */
void ll_release(struct ll_mem *mem, void *ptr, size_t bytes);

/* An arena: allocate freely, check `failed` once, drop everything together.
 * Bytes are zeroed and 16-byte aligned. */
struct ll_arena {
    struct ll_mem *mem;
    struct ll_arena_chunk *chunks;
    size_t used_bytes; /* handed out since the last reset */
    size_t max_bytes;
    bool failed; /* sticky until reset */
};

/* `max_bytes` bounds all that is handed out between resets. Zeroed memory,
 * or NULL, and failed set, past it. */
void ll_arena_init(
    struct ll_arena *arena, struct ll_mem *mem, size_t max_bytes);
void *ll_arena_alloc(struct ll_arena *arena, size_t bytes) LL_USE_RESULT;

/* Copies `s` and adds a NUL that len does not count; ptr is NULL on failure. */
linli_str ll_arena_str(struct ll_arena *arena, linli_str s);

/* Overwrites all that it holds; what was handed out is zero then. */
void ll_arena_wipe(struct ll_arena *arena);
/* Forgets all allocations and keeps one chunk for the next use. */
void ll_arena_reset(struct ll_arena *arena);
void ll_arena_fini(struct ll_arena *arena);

#endif
