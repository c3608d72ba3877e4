/* billing/subs_index.c: the table of who uses what. [loop] */
#include "base/hash.h"
#include "base/text.h"
#include "billing/subs_int.h"

#define BY_KEY 255 /* among the kinds of parties */

static uint64_t
hash_of(const struct ll_subs *subs, unsigned kind, linli_str community,
    linli_str plugin, linli_str who)
{
    uint64_t hash = ll_siphash(subs->hash_key, community);
    hash = hash * 31 + ll_siphash(subs->hash_key, plugin);
    hash = hash * 31 + ll_siphash(subs->hash_key, who);
    return hash * 257 + kind;
}

/* The middle bits: those below are the kind's. */
static uint32_t
first_of(const struct ll_subs *subs, uint64_t hash)
{
    return (uint32_t)(hash >> 20) & (subs->place_cap - 1);
}

static void
place(struct ll_subs *subs, uint64_t hash, uint32_t sub)
{
    uint32_t i = first_of(subs, hash);
    while (subs->places[i].sub != 0)
        i = (i + 1) & (subs->place_cap - 1);
    subs->places[i] = (struct ll_sub_place){hash, sub};
    subs->place_count++;
}

static bool
grow_places(struct ll_billing *billing, uint32_t more)
{
    struct ll_subs *subs = billing->subs;
    struct ll_sub_place *old = subs->places;
    uint32_t old_cap = subs->place_cap, cap = old_cap == 0 ? 256 : old_cap;
    while (cap / 2 < subs->place_count + more)
        cap *= 2;
    if (cap == old_cap)
        return true;
    struct ll_sub_place *places = ll_alloc(billing->mem, cap * sizeof *places);
    if (places == NULL)
        return false;
    subs->places = places;
    subs->place_cap = cap;
    subs->place_count = 0;
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].sub != 0)
            place(subs, old[i].hash, old[i].sub);
    ll_release(billing->mem, old, old_cap * sizeof *old);
    return true;
}

bool
ll_subs_room(struct ll_billing *billing, uint32_t more, uint32_t users)
{
    struct ll_subs *subs = billing->subs;
    uint32_t cap = subs->cap == 0 ? 64 : subs->cap;
    while (cap < subs->count + more)
        cap *= 2;
    if (cap != subs->cap) {
        struct ll_sub **at = ll_realloc(
            billing->mem, subs->at, subs->cap * sizeof *at, cap * sizeof *at);
        if (at == NULL)
            return false;
        subs->at = at;
        subs->cap = cap;
    }
    return grow_places(billing, more + users);
}

void
ll_subs_add(struct ll_billing *billing, struct ll_sub *take_sub)
{
    static const linli_str none = {"", 0};
    struct ll_subs *subs = billing->subs;
    struct ll_sub *sub = take_sub;
    ll_check(subs->count < subs->cap);
    ll_check(sub->id == LL_SUB_FIRST + subs->count);
    subs->at[subs->count++] = sub;
    place(subs, hash_of(subs, BY_KEY, sub->community, none, sub->key), sub->id);
    for (uint32_t i = 0; i < sub->beneficiary_count; i++) {
        const struct ll_sub_party *p = &sub->beneficiaries[i];
        place(subs, hash_of(subs, p->kind, sub->community, sub->plugin, p->who),
            sub->id);
    }
    struct ll_market *market = ll_market(billing, sub->community, sub->plugin);
    ll_check(market != NULL);
    if (sub->end_ms > market->end_ms)
        market->end_ms = sub->end_ms;
}

struct ll_sub *
ll_sub_by_key(
    const struct ll_billing *billing, linli_str community, linli_str key)
{
    static const linli_str none = {"", 0};
    const struct ll_subs *subs = billing->subs;
    if (subs->place_cap == 0)
        return NULL;
    uint64_t hash = hash_of(subs, BY_KEY, community, none, key);
    uint32_t i = first_of(subs, hash);
    for (; subs->places[i].sub != 0; i = (i + 1) & (subs->place_cap - 1)) {
        if (subs->places[i].hash != hash)
            continue;
        struct ll_sub *sub = ll_sub_by_id(billing, subs->places[i].sub);
        if (ll_str_eq(sub->key, key) && ll_str_eq(sub->community, community))
            return sub;
    }
    return NULL;
}

static bool
uses(const struct ll_sub *sub, const struct ll_sub_user *who)
{
    if (!ll_str_eq(sub->plugin, who->plugin) ||
        !ll_str_eq(sub->community, who->community))
        return false;
    for (uint32_t i = 0; i < sub->beneficiary_count; i++) {
        const struct ll_sub_party *p = &sub->beneficiaries[i];
        if (p->kind == who->kind && ll_str_eq(p->who, who->who))
            return true;
    }
    return false;
}

void
ll_subs_of(const struct ll_billing *billing, const struct ll_sub_user *who,
    void (*look)(void *user, struct ll_sub *sub), void *user)
{
    const struct ll_subs *subs = billing->subs;
    if (subs->place_cap == 0)
        return;
    uint64_t hash =
        hash_of(subs, who->kind, who->community, who->plugin, who->who);
    uint32_t i = first_of(subs, hash);
    for (; subs->places[i].sub != 0; i = (i + 1) & (subs->place_cap - 1)) {
        if (subs->places[i].hash != hash)
            continue;
        struct ll_sub *sub = ll_sub_by_id(billing, subs->places[i].sub);
        if (uses(sub, who))
            look(user, sub);
    }
}
