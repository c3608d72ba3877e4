/* domain/consent_keys.h: which grant is the newest of a subject, party and
 * purpose, and most of what a decision asks of it. [any]
 *
 * A hash table whose slots hold the whole key, and beside the number of the
 * grant what can be said of it in so few bits: so a usual decision reads the
 * subject and one slot, which it can send for at once, and no grant. What is
 * said only ever allows; where it does not, the grant itself is looked at.
 * Open addressing, linear, at most three quarters full.
 */
#ifndef LL_DOMAIN_CONSENT_KEYS_H
#define LL_DOMAIN_CONSENT_KEYS_H

#include "domain/consent_table.h"

#define LL_KEY_PARTIES_MAX (1u << 24) /* the key has so many bits for them */

/* `grant`: its number and one in LL_SAID_FIELD bits, 0: an empty slot; then
 * what is said of it, if it is in force for one field, of the subject's own
 * giving, as often as wanted, and began when it was given: */
struct ll_key_slot {
    uint64_t key, grant;
};
#define LL_SAID_FIELD 27    /* 6 bits: the field */
#define LL_SAID_SEPARATE 33 /* 1 bit: by an act of its own */
#define LL_SAID_VERSION 34  /* 14 bits: of the terms */
#define LL_SAID_UNTIL 48    /* 16 bits: not before so many units; 0: nothing */
#define LL_SAID_VERSION_MAX ((1u << 14) - 1)
#define LL_SAID_UNTIL_MAX ((1 << 16) - 1)
#define LL_SAID_UNIT_BITS 26 /* of ms: 18.6 hours */

struct ll_keys {
    struct ll_key_slot *slots;
    uint32_t cap, used;
};

static inline uint64_t
ll_key_of(uint32_t subject, uint32_t party, uint8_t purpose)
{
    return (uint64_t)subject << 32 | (uint64_t)party << 8 | purpose;
}

/* Where the search for a key begins; the table is not empty. */
static inline struct ll_key_slot *
ll_key_home(const struct ll_keys *keys, uint64_t key)
{
    return &keys->slots[(uint64_t)ll_table_mark(key) * keys->cap >> 32];
}

/* The slot of a key, or NULL. */
static inline struct ll_key_slot *
ll_key_find(const struct ll_keys *keys, uint64_t key)
{
    if (keys->cap == 0)
        return NULL;
    struct ll_key_slot *slot = ll_key_home(keys, key);
    while (slot->key != key || slot->grant == 0) {
        if (slot->grant == 0)
            return NULL;
        if (++slot == keys->slots + keys->cap)
            slot = keys->slots;
    }
    return slot;
}

/* The number of a slot's grant. */
static inline uint32_t
ll_key_number(const struct ll_key_slot *slot)
{
    return (uint32_t)(slot->grant & ((1u << LL_SAID_FIELD) - 1)) - 1;
}

/* Room for one more; false without memory. */
bool ll_keys_room(struct ll_keys *keys, struct ll_mem *mem) LL_USE_RESULT;
/* Adds one that is not there, for which there is room. */
void ll_keys_add(struct ll_keys *keys, struct ll_key_slot slot);
void ll_keys_fini(struct ll_keys *keys, struct ll_mem *mem);
static inline size_t
ll_keys_bytes(const struct ll_keys *keys)
{
    return (size_t)keys->cap * sizeof(struct ll_key_slot);
}

#endif
