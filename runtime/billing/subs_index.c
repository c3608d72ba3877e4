/* billing/subs_index.c: the table of who uses what. [loop] */
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "billing/subs_int.h"

/* Among the kinds of parties, which stand for who uses a plugin. */
#define BY_KEY 255
#define ABOUT(kind) (128 + (unsigned)(kind)) /* pays or uses, of any plugin */

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
ll_subs_room(struct ll_billing *billing, uint32_t parties)
{
    struct ll_subs *subs = billing->subs;
    if (subs->count == subs->cap) {
        uint32_t cap = subs->cap == 0 ? 64 : 2 * subs->cap;
        struct ll_sub **at = ll_realloc(
            billing->mem, subs->at, subs->cap * sizeof *at, cap * sizeof *at);
        if (at == NULL)
            return false;
        subs->at = at;
        subs->cap = cap;
    }
    return grow_places(billing, 1 + 2 * parties);
}

/* By whom it is found, each once: who uses it pays for it as a rule. */
static void
place_people(struct ll_subs *subs, const struct ll_sub *sub)
{
    static const linli_str none = {"", 0};
    for (uint32_t i = 0; i < sub->payer_count + sub->beneficiary_count; i++) {
        const struct ll_sub_party *p =
            i < sub->payer_count ? &sub->payers[i]
                                 : &sub->beneficiaries[i - sub->payer_count];
        bool again = false;
        for (uint32_t k = 0; i >= sub->payer_count && k < sub->payer_count; k++)
            again = again || (sub->payers[k].kind == p->kind &&
                                 ll_str_eq(sub->payers[k].who, p->who));
        if (p->who.len > 0 && !again)
            place(subs,
                hash_of(subs, ABOUT(p->kind), sub->community, none, p->who),
                sub->id);
    }
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
    place_people(subs, sub);
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

static bool
is_about(const struct ll_sub *sub, const struct ll_sub_person *person)
{
    if (!ll_str_eq(sub->community, person->community))
        return false;
    for (uint32_t i = 0; i < sub->payer_count + sub->beneficiary_count; i++) {
        const struct ll_sub_party *p =
            i < sub->payer_count ? &sub->payers[i]
                                 : &sub->beneficiaries[i - sub->payer_count];
        if (p->kind == person->kind && ll_str_eq(p->who, person->who))
            return true;
    }
    return false;
}

/* Into a list of the least ids, in their order. */
static uint32_t
insert(struct ll_sub **list, uint32_t count, uint32_t max, struct ll_sub *sub)
{
    uint32_t at = count;
    while (at > 0 && list[at - 1]->id > sub->id)
        at--;
    if (at == max || (at > 0 && list[at - 1] == sub))
        return count;
    uint32_t moved = count < max ? count - at : max - 1 - at;
    memmove(&list[at + 1], &list[at], moved * sizeof(struct ll_sub *));
    list[at] = sub;
    return count < max ? count + 1 : max;
}

uint32_t
ll_subs_about(const struct ll_billing *billing,
    const struct ll_sub_person *person, uint32_t after, struct ll_sub **out,
    uint32_t max)
{
    static const linli_str none = {"", 0};
    const struct ll_subs *subs = billing->subs;
    uint32_t count = 0;
    if (subs->place_cap == 0 || person->who.len == 0)
        return 0;
    uint64_t hash = hash_of(
        subs, ABOUT(person->kind), person->community, none, person->who);
    uint32_t i = first_of(subs, hash);
    for (; subs->places[i].sub != 0; i = (i + 1) & (subs->place_cap - 1)) {
        if (subs->places[i].hash != hash || subs->places[i].sub <= after)
            continue;
        struct ll_sub *sub = ll_sub_by_id(billing, subs->places[i].sub);
        if (is_about(sub, person))
            count = insert(out, count, max, sub);
    }
    return count;
}
