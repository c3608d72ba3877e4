/* domain/consent_table.c: numbers by their hash, items that stay. */
#include "domain/consent_table.h"

#include <string.h>

#define CAP_FIRST 16u
#define BLOCKS_FIRST 8u
#define LINE_BYTES 64u /* of the cache: blocks begin with one */

/* At most three quarters of the places are taken. */
static bool
holds(uint32_t cap, uint64_t count)
{
    return count <= (uint64_t)cap / 4 * 3;
}

bool
ll_table_room(struct ll_table *table, struct ll_mem *mem, uint32_t more)
{
    uint64_t want = (uint64_t)table->used + more;
    uint64_t cap = table->cap == 0 ? CAP_FIRST : table->cap;
    while (!holds((uint32_t)cap, want))
        cap = (cap + cap / 4) & ~(uint64_t)3;
    if (cap == table->cap)
        return true;
    ll_check(cap < UINT32_MAX);
    struct ll_table larger = {
        ll_alloc(mem, (size_t)cap * sizeof *table->slots), (uint32_t)cap, 0};
    if (larger.slots == NULL)
        return false;
    for (uint32_t i = 0; i < table->cap; i++)
        if (table->slots[i].value != 0)
            ll_table_add(
                &larger, table->slots[i].mark, table->slots[i].value - 1);
    ll_table_fini(table, mem);
    *table = larger;
    return true;
}

void
ll_table_add(struct ll_table *table, uint32_t mark, uint32_t value)
{
    uint32_t i = ll_table_home(table, mark);
    ll_check(holds(table->cap, (uint64_t)table->used + 1));
    while (table->slots[i].value != 0)
        i = i + 1 == table->cap ? 0 : i + 1;
    table->slots[i] = (struct ll_table_slot){mark, value + 1};
    table->used++;
}

void
ll_table_drop(struct ll_table *table, uint32_t at)
{
    uint32_t hole = at, cap = table->cap;
    table->used--;
    /* What follows moves down unless that would be before its home. */
    for (uint32_t i = at;;) {
        i = i + 1 == cap ? 0 : i + 1;
        struct ll_table_slot slot = table->slots[i];
        if (slot.value == 0)
            break;
        uint32_t home = ll_table_home(table, slot.mark);
        uint32_t from_home = i >= home ? i - home : i + cap - home;
        uint32_t from_hole = i >= hole ? i - hole : i + cap - hole;
        if (from_home < from_hole)
            continue;
        table->slots[hole] = slot;
        hole = i;
    }
    table->slots[hole] = (struct ll_table_slot){0, 0};
}

void
ll_table_fini(struct ll_table *table, struct ll_mem *mem)
{
    ll_release(mem, table->slots, ll_table_bytes(table));
    *table = (struct ll_table){NULL, 0, 0};
}

static size_t
block_bytes(const struct ll_slab *slab)
{
    return (size_t)slab->item_bytes * LL_SLAB_ITEMS + LINE_BYTES;
}

/* Where a line begins, and before it how far that is from the allocation. */
static char *
block_new(const struct ll_slab *slab, struct ll_mem *mem)
{
    unsigned char *from = ll_alloc(mem, block_bytes(slab));
    if (from == NULL)
        return NULL;
    size_t gap = LINE_BYTES - ((uintptr_t)from & (LINE_BYTES - 1));
    from[gap - 1] = (unsigned char)gap;
    return (char *)from + gap;
}

static void
block_free(const struct ll_slab *slab, struct ll_mem *mem, char *block)
{
    ll_release(mem, block - (unsigned char)block[-1], block_bytes(slab));
}

bool
ll_slab_room(struct ll_slab *slab, struct ll_mem *mem)
{
    if (slab->count < slab->block_count * LL_SLAB_ITEMS)
        return true;
    if (slab->block_count == slab->block_cap) {
        uint32_t cap =
            slab->block_cap == 0 ? BLOCKS_FIRST : slab->block_cap * 2;
        char **more = ll_realloc(mem, slab->blocks,
            slab->block_cap * sizeof *more, cap * sizeof *more);
        if (more == NULL)
            return false;
        slab->blocks = more;
        slab->block_cap = cap;
    }
    slab->blocks[slab->block_count] = block_new(slab, mem);
    if (slab->blocks[slab->block_count] == NULL)
        return false;
    slab->block_count++;
    return true;
}

void
ll_slab_fini(struct ll_slab *slab, struct ll_mem *mem)
{
    for (uint32_t i = 0; i < slab->block_count; i++)
        block_free(slab, mem, slab->blocks[i]);
    ll_release(mem, slab->blocks, slab->block_cap * sizeof *slab->blocks);
    *slab = (struct ll_slab){.item_bytes = slab->item_bytes};
}

size_t
ll_slab_bytes(const struct ll_slab *slab)
{
    return slab->block_count * block_bytes(slab) +
           slab->block_cap * sizeof *slab->blocks;
}
