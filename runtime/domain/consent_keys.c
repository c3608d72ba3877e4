/* domain/consent_keys.c: a table of keys that grows. */
#include "domain/consent_keys.h"

#define CAP_FIRST 16u

bool
ll_keys_room(struct ll_keys *keys, struct ll_mem *mem)
{
    uint64_t cap = keys->cap == 0 ? CAP_FIRST : keys->cap;
    if (keys->used + 1 > cap / 4 * 3)
        cap = (cap + cap / 4) & ~(uint64_t)3;
    if (cap == keys->cap)
        return true;
    ll_check(cap < UINT32_MAX);
    struct ll_keys larger = {
        ll_alloc(mem, (size_t)cap * sizeof *keys->slots), (uint32_t)cap, 0};
    if (larger.slots == NULL)
        return false;
    for (uint32_t i = 0; i < keys->cap; i++)
        if (keys->slots[i].grant != 0)
            ll_keys_add(&larger, keys->slots[i]);
    ll_keys_fini(keys, mem);
    *keys = larger;
    return true;
}

void
ll_keys_add(struct ll_keys *keys, struct ll_key_slot slot)
{
    struct ll_key_slot *at = ll_key_home(keys, slot.key);
    ll_check(keys->used < keys->cap / 4 * 3);
    while (at->grant != 0)
        if (++at == keys->slots + keys->cap)
            at = keys->slots;
    *at = slot;
    keys->used++;
}

void
ll_keys_fini(struct ll_keys *keys, struct ll_mem *mem)
{
    ll_release(mem, keys->slots, ll_keys_bytes(keys));
    *keys = (struct ll_keys){NULL, 0, 0};
}
