/* domain/consent_table.h: a hash table of numbers, and a growing array whose
 * items stay where they are. [any]
 *
 * The table keeps half a hash beside each number, so that it is searched and
 * grown without looking at what the numbers stand for; who searches compares.
 * Open addressing, linear, at most three quarters full.
 */
#ifndef LL_DOMAIN_CONSENT_TABLE_H
#define LL_DOMAIN_CONSENT_TABLE_H

#include "base/mem.h"

#define LL_TABLE_NONE UINT32_MAX

struct ll_table_slot {
    uint32_t mark;  /* the hash */
    uint32_t value; /* and one; 0: empty */
};

struct ll_table {
    struct ll_table_slot *slots;
    uint32_t cap, used;
};

/* Where the numbers of a hash begin. */
static inline uint32_t
ll_table_home(const struct ll_table *table, uint32_t mark)
{
    return (uint32_t)((uint64_t)mark * table->cap >> 32);
}

/* The next number of that hash from *at on, and *at where it is;
 * LL_TABLE_NONE: there is none. To go on: ++*at. An empty table, whose cap is
 * 0, is not searched. */
static inline uint32_t
ll_table_next(const struct ll_table *table, uint32_t mark, uint32_t *at)
{
    for (uint32_t i = *at;; i++) {
        if (i == table->cap)
            i = 0;
        struct ll_table_slot slot = table->slots[i];
        if (slot.value == 0 || slot.mark == mark) {
            *at = i;
            return slot.value - 1;
        }
    }
}

/* Room for `more` numbers; false without memory. */
bool ll_table_room(
    struct ll_table *table, struct ll_mem *mem, uint32_t more) LL_USE_RESULT;
/* Adds one, for which there is room. */
void ll_table_add(struct ll_table *table, uint32_t mark, uint32_t value);
/* Takes out the one at a place that ll_table_next found. */
void ll_table_drop(struct ll_table *table, uint32_t at);
void ll_table_fini(struct ll_table *table, struct ll_mem *mem);
static inline size_t
ll_table_bytes(const struct ll_table *table)
{
    return (size_t)table->cap * sizeof(struct ll_table_slot);
}

/* A hash of 64 bits as a mark: the finalizer of MurmurHash3 (Appleby). */
static inline uint32_t
ll_table_mark(uint64_t bits)
{
    bits = (bits ^ bits >> 33) * 0xff51afd7ed558ccdu;
    bits = (bits ^ bits >> 33) * 0xc4ceb9fe1a85ec53u;
    return (uint32_t)(bits >> 32);
}

/* Items of one size, LL_SLAB_ITEMS to a block. */
#define LL_SLAB_ITEMS 1024u
struct ll_slab {
    char **blocks;
    uint32_t block_count, block_cap;
    uint32_t count;      /* items */
    uint32_t item_bytes; /* set before the first use */
};

/* Room for one more; false without memory. */
bool ll_slab_room(struct ll_slab *slab, struct ll_mem *mem) LL_USE_RESULT;
void ll_slab_fini(struct ll_slab *slab, struct ll_mem *mem);
size_t ll_slab_bytes(const struct ll_slab *slab);
/* An item below count, or the one after, for which there is room. */
static inline void *
ll_slab_at(const struct ll_slab *slab, uint32_t i)
{
    return slab->blocks[i / LL_SLAB_ITEMS] +
           (size_t)(i % LL_SLAB_ITEMS) * slab->item_bytes;
}

#endif
