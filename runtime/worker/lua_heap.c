/* worker/lua_heap.c: see lua_heap.h. [worker] */
#include "worker/lua_heap.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#define CHUNK_BYTES ((size_t)32768)

#define BOX_BYTES_MIN 1024
#define OVERDRAFT_BYTES_MAX ((size_t)8 << 20)

/* Under a sanitizer every block is its own, so that it can watch it. */
#define SMALL_BYTES (LL_SANITIZED ? (size_t)0 : (size_t)LL_LUA_SMALL_BYTES)

struct ll_lua_free {
    struct ll_lua_free *next;
};

static void
list_init(struct ll_lua_block *head)
{
    head->prev = head;
    head->next = head;
}

static void
list_add(struct ll_lua_block *head, struct ll_lua_block *block)
{
    block->prev = head;
    block->next = head->next;
    head->next->prev = block;
    head->next = block;
}

static void
list_remove(struct ll_lua_block *block)
{
    block->prev->next = block->next;
    block->next->prev = block->prev;
}

static void
list_free(struct ll_lua_block *head)
{
    struct ll_lua_block *block = head->next;
    while (block != head) {
        struct ll_lua_block *next = block->next;
        free(block);
        block = next;
    }
    list_init(head);
}

void
ll_lua_heap_call(
    struct ll_lua_heap *heap, int64_t used_bytes, int64_t max_bytes)
{
    size_t cap = heap->max_bytes;
    if (max_bytes >= 0 && (uint64_t)max_bytes < cap)
        cap = (size_t)max_bytes;
    heap->call_bytes = used_bytes;
    heap->call_max_bytes = max_bytes;
    heap->overdraft_bytes =
        cap / 2 < OVERDRAFT_BYTES_MAX ? cap / 2 : OVERDRAFT_BYTES_MAX;
}

void
ll_lua_heap_init(
    struct ll_lua_heap *heap, struct ll_lua_total *total, size_t max_bytes)
{
    *heap = (struct ll_lua_heap){.total = total, .max_bytes = max_bytes};
    ll_lua_heap_call(heap, 0, INT64_MAX);
    list_init(&heap->chunks);
    list_init(&heap->large);
}

void
ll_lua_heap_drop(struct ll_lua_heap *heap)
{
    list_free(&heap->chunks);
    list_free(&heap->large);
    ll_check(heap->total->footprint_bytes >= heap->footprint_bytes);
    heap->total->footprint_bytes -= heap->footprint_bytes;
    ll_lua_heap_init(heap, heap->total, heap->max_bytes);
    /* The C library keeps small blocks that were freed: beside the next
     * state's large ones they would count against the process. */
    (void)malloc_trim(0);
}

/* Room for `bytes` more from the system? */
static bool
admit(struct ll_lua_heap *heap, size_t bytes)
{
    size_t max = heap->max_bytes + heap->overdraft_bytes;
    if (bytes > max || heap->footprint_bytes > max - bytes ||
        heap->total->footprint_bytes > heap->total->max_bytes - bytes)
        return false;
    heap->footprint_bytes += bytes;
    heap->total->footprint_bytes += bytes;
    return true;
}

static void
give_back(struct ll_lua_heap *heap, size_t bytes)
{
    heap->footprint_bytes -= bytes;
    heap->total->footprint_bytes -= bytes;
}

static void *
system_alloc(struct ll_lua_heap *heap, struct ll_lua_block *head, size_t bytes)
{
    size_t all = bytes + sizeof(struct ll_lua_block);
    if (bytes > SIZE_MAX / 2 || !admit(heap, all))
        return NULL;
    struct ll_lua_block *block = malloc(all);
    if (block == NULL) {
        give_back(heap, all);
        return NULL;
    }
    list_add(head, block);
    return block + 1;
}

static void *
large_resize(struct ll_lua_heap *heap, void *ptr, size_t old, size_t bytes)
{
    struct ll_lua_block *block = (struct ll_lua_block *)ptr - 1;
    if (bytes > old && !admit(heap, bytes - old))
        return NULL;
    list_remove(block);
    struct ll_lua_block *moved = realloc(block, bytes + sizeof *block);
    if (moved == NULL) {
        if (bytes > old)
            give_back(heap, bytes - old);
        list_add(&heap->large, block);
        return NULL;
    }
    if (bytes < old)
        give_back(heap, old - bytes);
    list_add(&heap->large, moved);
    return moved + 1;
}

static void
large_free(struct ll_lua_heap *heap, void *ptr, size_t bytes)
{
    struct ll_lua_block *block = (struct ll_lua_block *)ptr - 1;
    list_remove(block);
    give_back(heap, bytes + sizeof *block);
    free(block);
}

static inline size_t
class_of(size_t bytes)
{
    return (bytes - 1) / LL_LUA_CLASS_BYTES;
}

static void *
small_alloc(struct ll_lua_heap *heap, size_t bytes)
{
    size_t class = class_of(bytes);
    struct ll_lua_free *block = heap->free[class];
    if (LL_LIKELY(block != NULL)) {
        heap->free[class] = block->next;
        return block;
    }
    size_t size = (class + 1) * LL_LUA_CLASS_BYTES;
    if ((size_t)(heap->fresh_end - heap->fresh) < size) {
        unsigned char *chunk = system_alloc(heap, &heap->chunks, CHUNK_BYTES);
        if (chunk == NULL)
            return NULL;
        heap->fresh = chunk;
        heap->fresh_end = chunk + CHUNK_BYTES;
    }
    void *fresh = heap->fresh;
    heap->fresh += size;
    return fresh;
}

static inline void
small_free(struct ll_lua_heap *heap, void *ptr, size_t bytes)
{
    struct ll_lua_free *block = ptr;
    size_t class = class_of(bytes);
    block->next = heap->free[class];
    heap->free[class] = block;
}

static void *
block_alloc(struct ll_lua_heap *heap, size_t bytes)
{
    return bytes <= SMALL_BYTES ? small_alloc(heap, bytes)
                                : system_alloc(heap, &heap->large, bytes);
}

static void
block_free(struct ll_lua_heap *heap, void *ptr, size_t bytes)
{
    if (bytes <= SMALL_BYTES)
        small_free(heap, ptr, bytes);
    else
        large_free(heap, ptr, bytes);
}

static void *
block_resize(struct ll_lua_heap *heap, void *ptr, size_t old, size_t bytes)
{
    if (old > SMALL_BYTES && bytes > SMALL_BYTES)
        return large_resize(heap, ptr, old, bytes);
    if (old <= SMALL_BYTES && bytes <= SMALL_BYTES &&
        class_of(old) == class_of(bytes))
        return ptr;
    void *moved = block_alloc(heap, bytes);
    if (moved == NULL)
        return NULL;
    memcpy(moved, ptr, old < bytes ? old : bytes);
    block_free(heap, ptr, old);
    return moved;
}

static inline bool
over_a_cap(const struct ll_lua_heap *heap, size_t bytes, size_t overdraft)
{
    size_t max = heap->max_bytes + overdraft;
    return bytes > max || heap->used_bytes > max - bytes ||
           heap->call_bytes - (int64_t)overdraft >
               heap->call_max_bytes - (int64_t)bytes;
}

/* When an object cannot be had, Lua collects its garbage and tries again;
 * the buffers of its string library (lauxlib's boxes) do not. They look like
 * any vector: no type's number, some size. All of those may pass the cap a
 * little, and the next object, the buffer's string at the latest, collects
 * or fails. */
static inline size_t
overdraft_of(
    const struct ll_lua_heap *heap, const void *ptr, size_t osize, size_t nsize)
{
    if (nsize <= BOX_BYTES_MIN || (ptr == NULL && osize != 0))
        return 0;
    return heap->overdraft_bytes;
}

void *
ll_lua_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct ll_lua_heap *heap = ud;
    size_t old = ptr == NULL ? 0 : osize; /* else it is a type's number */
    void *block = NULL;
    if (nsize == 0) {
        if (ptr != NULL)
            block_free(heap, ptr, old);
    } else if (nsize > old && over_a_cap(heap, nsize - old,
                                  overdraft_of(heap, ptr, osize, nsize))) {
        heap->refusals++;
        return NULL;
    } else {
        block = ptr == NULL ? block_alloc(heap, nsize)
                            : block_resize(heap, ptr, old, nsize);
        /* Lua relies on it that shrinking cannot fail. A block that is
         * larger than its class says does no harm. */
        if (block == NULL && nsize <= old)
            block = ptr;
        if (block == NULL) {
            heap->refusals++;
            return NULL;
        }
    }
    heap->used_bytes += nsize;
    heap->used_bytes -= old;
    heap->call_bytes += (int64_t)nsize - (int64_t)old;
    return block;
}
