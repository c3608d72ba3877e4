/* base/mem.c: counted memory and arenas over the C library's heap. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void
ll_mem_init(struct ll_mem *mem, size_t max_bytes)
{
    *mem = (struct ll_mem){.max_bytes = max_bytes};
}

/* True if the account refuses to grow by `bytes`, or was told to fail. */
static bool
refuse(struct ll_mem *mem, size_t bytes)
{
    if (mem->fail_in != 0 && --mem->fail_in == 0)
        return true;
    return mem->max_bytes != 0 &&
           (bytes > mem->max_bytes || mem->used_bytes > mem->max_bytes - bytes);
}

static void
count(struct ll_mem *mem, size_t bytes)
{
    mem->used_bytes += bytes;
    if (mem->used_bytes > mem->peak_bytes)
        mem->peak_bytes = mem->used_bytes;
}

void *
ll_alloc(struct ll_mem *mem, size_t bytes)
{
    ll_check(bytes > 0);
    if (refuse(mem, bytes))
        return NULL;
    void *ptr = calloc(1, bytes);
    if (ptr != NULL)
        count(mem, bytes);
    return ptr;
}

void *
ll_realloc(struct ll_mem *mem, void *ptr, size_t old_bytes, size_t new_bytes)
{
    ll_check(new_bytes > 0);
    ll_check((ptr == NULL) == (old_bytes == 0));
    if (new_bytes > old_bytes && refuse(mem, new_bytes - old_bytes))
        return NULL;
    void *moved = realloc(ptr, new_bytes);
    if (moved != NULL) {
        mem->used_bytes -= old_bytes;
        count(mem, new_bytes);
    }
    return moved;
}

void
ll_release(struct ll_mem *mem, void *ptr, size_t bytes)
{
    if (ptr == NULL)
        return;
    ll_check(mem->used_bytes >= bytes);
    mem->used_bytes -= bytes;
    free(ptr);
}

#define CHUNK_BYTES ((size_t)8192)
#define ALIGN_BYTES ((size_t)16)

struct ll_arena_chunk {
    struct ll_arena_chunk *next;
    size_t size_bytes; /* of data */
    size_t used_bytes;
    size_t pad;
    unsigned char data[];
};

void
ll_arena_init(struct ll_arena *arena, struct ll_mem *mem, size_t max_bytes)
{
    *arena = (struct ll_arena){.mem = mem, .max_bytes = max_bytes};
}

static struct ll_arena_chunk *
chunk_new(struct ll_arena *arena, size_t bytes)
{
    size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    struct ll_arena_chunk *chunk =
        ll_realloc(arena->mem, NULL, 0, sizeof(struct ll_arena_chunk) + size);
    if (chunk == NULL)
        return NULL;
    chunk->next = arena->chunks;
    chunk->size_bytes = size;
    chunk->used_bytes = 0;
    arena->chunks = chunk;
    return chunk;
}

void *
ll_arena_alloc(struct ll_arena *arena, size_t bytes)
{
    if (arena->failed)
        return NULL;
    struct ll_arena_chunk *chunk = arena->chunks;
    if (bytes > arena->max_bytes ||
        arena->used_bytes > arena->max_bytes - bytes)
        goto fail;
    size_t need = (bytes + ALIGN_BYTES - 1) & ~(ALIGN_BYTES - 1);
    if (chunk == NULL || chunk->size_bytes - chunk->used_bytes < need)
        chunk = chunk_new(arena, need);
    if (chunk == NULL)
        goto fail;
    void *ptr = chunk->data + chunk->used_bytes;
    chunk->used_bytes += need;
    arena->used_bytes += bytes;
    return memset(ptr, 0, need);
fail:
    arena->failed = true;
    return NULL;
}

linli_str
ll_arena_str(struct ll_arena *arena, linli_str s)
{
    char *copy = ll_arena_alloc(arena, s.len + 1);
    if (copy == NULL)
        return (linli_str){NULL, 0};
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    return (linli_str){copy, s.len};
}

static void
drop_chunks(struct ll_arena *arena, struct ll_arena_chunk *keep)
{
    struct ll_arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct ll_arena_chunk *next = chunk->next;
        if (chunk != keep)
            ll_release(arena->mem, chunk, sizeof *chunk + chunk->size_bytes);
        chunk = next;
    }
    arena->chunks = keep;
    if (keep != NULL) {
        keep->next = NULL;
        keep->used_bytes = 0;
    }
    arena->used_bytes = 0;
    arena->failed = false;
}

void
ll_arena_wipe(struct ll_arena *arena)
{
    for (struct ll_arena_chunk *c = arena->chunks; c != NULL; c = c->next)
        explicit_bzero(c->data, c->size_bytes);
}

void
ll_arena_reset(struct ll_arena *arena)
{
    /* The newest chunk is kept unless one large value made it. */
    struct ll_arena_chunk *keep = arena->chunks;
    if (keep != NULL && keep->size_bytes > CHUNK_BYTES)
        keep = NULL;
    drop_chunks(arena, keep);
}

void
ll_arena_fini(struct ll_arena *arena)
{
    drop_chunks(arena, NULL);
}
