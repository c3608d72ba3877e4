/* domain/consent_state.c: who there is: residents and plugins by name. */
#include "domain/consent_state.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "domain/consent_int.h"

#define LIST_FIRST 8u

static linli_status
no_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a state of consent");
}

/* -- all of it -- */

linli_status
ll_consent_new(struct ll_mem *mem, const struct ll_dictionary *dictionary,
    struct ll_consent **out, struct ll_err *err)
{
    struct ll_consent *consent = *out = ll_alloc(mem, sizeof *consent);
    if (consent == NULL)
        return no_memory(err);
    consent->mem = mem;
    consent->dictionary = dictionary;
    consent->subjects.item_bytes = sizeof(struct ll_subject);
    consent->parties.item_bytes = sizeof(struct ll_party);
    consent->grants.item_bytes = sizeof(struct ll_grant_item);
    consent->guards.item_bytes = sizeof(struct ll_guard_node);
    consent->refusals.item_bytes = sizeof(struct ll_refusal_node);
    consent->objections.item_bytes = sizeof(struct ll_objection_node);
    consent->free_refusal = LL_NO_NODE;
    return LINLI_OK;
}

static size_t
name_bytes(const struct ll_name *name)
{
    return sizeof *name + name->len + 1;
}

static struct ll_name *
name_new(struct ll_consent *consent, linli_str text)
{
    ll_check(text.len < UINT32_MAX);
    struct ll_name *name = ll_alloc(consent->mem, sizeof *name + text.len + 1);
    if (name == NULL)
        return NULL;
    name->len = (uint32_t)text.len;
    if (text.len > 0)
        memcpy(name->text, text.ptr, text.len);
    consent->name_bytes += name_bytes(name);
    return name;
}

static void
name_free(struct ll_consent *consent, struct ll_name **name)
{
    if (*name == NULL)
        return;
    size_t bytes = name_bytes(*name);
    consent->name_bytes -= bytes;
    memset(*name, 0, bytes);
    ll_release(consent->mem, *name, bytes);
    *name = NULL;
}

static linli_str
name_text(const struct ll_name *name)
{
    return name == NULL ? (linli_str){NULL, 0}
                        : (linli_str){name->text, name->len};
}

static size_t
scopes_bytes(uint32_t cap)
{
    return cap * (sizeof(struct ll_scope) + sizeof(uint16_t));
}

static void
party_fini(struct ll_consent *consent, struct ll_party *party)
{
    name_free(consent, &party->name);
    ll_release(consent->mem, party->scopes, scopes_bytes(party->scope_cap));
    ll_release(consent->mem, party->records,
        party->record_cap * sizeof *party->records);
}

void
ll_consent_free(struct ll_consent **it)
{
    struct ll_consent *consent = *it;
    if (consent == NULL)
        return;
    for (uint32_t i = 0; i < consent->subjects.count; i++)
        name_free(consent, &ll_subject_at(consent, i)->name);
    for (uint32_t i = 0; i < consent->parties.count; i++)
        party_fini(consent, ll_party_at(consent, i));
    for (uint32_t i = 0; i < consent->community_count; i++)
        name_free(consent, &consent->communities[i]);
    ll_release(consent->mem, consent->communities,
        consent->community_cap * sizeof *consent->communities);
    struct ll_slab *slabs[] = {&consent->subjects, &consent->parties,
        &consent->grants, &consent->guards, &consent->refusals,
        &consent->objections};
    for (size_t i = 0; i < LL_COUNT(slabs); i++)
        ll_slab_fini(slabs[i], consent->mem);
    struct ll_table *tables[] = {&consent->by_community, &consent->by_name,
        &consent->by_tag, &consent->by_plugin, &consent->by_id};
    for (size_t i = 0; i < LL_COUNT(tables); i++)
        ll_table_fini(tables[i], consent->mem);
    ll_keys_fini(&consent->by_key, consent->mem);
    ll_release(consent->mem, consent, sizeof *consent);
    *it = NULL;
}

uint32_t
ll_consent_subjects(const struct ll_consent *consent)
{
    return consent->subjects.count;
}

uint32_t
ll_consent_grants(const struct ll_consent *consent)
{
    return consent->grants.count;
}

size_t
ll_consent_bytes(const struct ll_consent *consent)
{
    return sizeof *consent + consent->name_bytes + consent->party_bytes +
           consent->community_cap * sizeof *consent->communities +
           ll_slab_bytes(&consent->subjects) +
           ll_slab_bytes(&consent->parties) + ll_slab_bytes(&consent->grants) +
           ll_slab_bytes(&consent->guards) + ll_slab_bytes(&consent->refusals) +
           ll_slab_bytes(&consent->objections) +
           ll_table_bytes(&consent->by_community) +
           ll_table_bytes(&consent->by_name) +
           ll_table_bytes(&consent->by_tag) +
           ll_table_bytes(&consent->by_plugin) +
           ll_keys_bytes(&consent->by_key) + ll_table_bytes(&consent->by_id);
}

/* -- communities: as many as one host serves -- */

static uint32_t
community_find(const struct ll_consent *consent, linli_str name)
{
    const struct ll_table *table = &consent->by_community;
    uint32_t mark = ll_table_mark(ll_fnv(name)), at, i;
    if (table->cap == 0)
        return LL_TABLE_NONE;
    at = ll_table_home(table, mark);
    while ((i = ll_table_next(table, mark, &at)) != LL_TABLE_NONE) {
        if (ll_str_eq(name_text(consent->communities[i]), name))
            return i;
        at++;
    }
    return LL_TABLE_NONE;
}

/* Grows a list to hold one more; false without memory. */
static bool
list_room(
    struct ll_consent *consent, void **list, uint32_t *cap, size_t item_bytes)
{
    uint32_t more = *cap == 0 ? LIST_FIRST : *cap * 2;
    void *moved =
        ll_realloc(consent->mem, *list, *cap * item_bytes, more * item_bytes);
    if (moved == NULL)
        return false;
    *list = moved;
    *cap = more;
    return true;
}

/* Finds or makes; LL_TABLE_NONE without memory. */
static uint32_t
community_of(struct ll_consent *consent, linli_str name)
{
    uint32_t found = community_find(consent, name);
    if (found != LL_TABLE_NONE)
        return found;
    void *list = consent->communities;
    if (!ll_table_room(&consent->by_community, consent->mem, 1) ||
        (consent->community_count == consent->community_cap &&
            !list_room(consent, &list, &consent->community_cap,
                sizeof *consent->communities)))
        return LL_TABLE_NONE;
    consent->communities = list;
    struct ll_name *made = name_new(consent, name);
    if (made == NULL)
        return LL_TABLE_NONE;
    ll_table_add(&consent->by_community, ll_table_mark(ll_fnv(name)),
        consent->community_count);
    consent->communities[consent->community_count] = made;
    return consent->community_count++;
}

/* -- residents -- */

/* Names are chosen elsewhere, so the hash has a key. */
static uint32_t
name_mark(
    const struct ll_consent *consent, uint32_t community, linli_str resident)
{
    return ll_table_mark(ll_siphash(consent->name_key, resident) + community);
}

static uint64_t
half_of(const unsigned char id[LL_TAG_BYTES])
{
    uint64_t bits;
    memcpy(&bits, id, sizeof bits);
    return bits;
}

/* *at: its place in by_name. */
static uint32_t
name_find(const struct ll_consent *consent, uint32_t community,
    linli_str resident, uint32_t *at)
{
    const struct ll_table *table = &consent->by_name;
    uint32_t mark = name_mark(consent, community, resident), i;
    if (table->cap == 0)
        return LL_NOBODY;
    *at = ll_table_home(table, mark);
    while ((i = ll_table_next(table, mark, at)) != LL_TABLE_NONE) {
        const struct ll_subject *subject = ll_subject_at(consent, i);
        if (subject->community == community &&
            ll_str_eq(name_text(subject->name), resident))
            return i;
        ++*at;
    }
    return LL_NOBODY;
}

static uint32_t
tag_find(const struct ll_consent *consent,
    const unsigned char tag[LL_TAG_BYTES], uint32_t *at)
{
    const struct ll_table *table = &consent->by_tag;
    uint32_t mark = ll_table_mark(half_of(tag)), i;
    if (table->cap == 0)
        return LL_NOBODY;
    *at = ll_table_home(table, mark);
    while ((i = ll_table_next(table, mark, at)) != LL_TABLE_NONE) {
        if (memcmp(ll_subject_at(consent, i)->person.tag, tag, LL_TAG_BYTES) ==
            0)
            return i;
        ++*at;
    }
    return LL_NOBODY;
}

uint32_t
ll_consent_subject(
    const struct ll_consent *consent, linli_str community, linli_str resident)
{
    uint32_t at, of = community_find(consent, community);
    return of == LL_TABLE_NONE ? LL_NOBODY
                               : name_find(consent, of, resident, &at);
}

uint32_t
ll_consent_subject_by_tag(
    const struct ll_consent *consent, const unsigned char tag[LL_TAG_BYTES])
{
    uint32_t at;
    return tag_find(consent, tag, &at);
}

/* Takes the name and the tag away; what stood in the log is nobody's. */
static void
shred(struct ll_consent *consent, uint32_t number)
{
    struct ll_subject *subject = ll_subject_at(consent, number);
    uint32_t at;
    if (name_find(consent, subject->community, name_text(subject->name), &at) ==
        number)
        ll_table_drop(&consent->by_name, at);
    if (tag_find(consent, subject->person.tag, &at) == number)
        ll_table_drop(&consent->by_tag, at);
    name_free(consent, &subject->name);
    memset(&subject->person, 0, sizeof subject->person);
    subject->person.birth_day = LL_DAY_UNKNOWN;
    subject->person.state = LL_SUBJECT_SHREDDED;
    ll_grants_end_all(consent, number);
    ll_guard_changed(consent, number);
    subject->epoch++;
}

static linli_status
change(struct ll_consent *consent, uint32_t number,
    const struct ll_person *person, struct ll_err *err)
{
    struct ll_subject *subject = ll_subject_at(consent, number);
    struct ll_person *is = &subject->person;
    uint32_t at;
    if (memcmp(is->tag, person->tag, LL_TAG_BYTES) != 0) {
        if (!ll_table_room(&consent->by_tag, consent->mem, 1))
            return no_memory(err);
        if (tag_find(consent, is->tag, &at) == number)
            ll_table_drop(&consent->by_tag, at);
        ll_table_add(
            &consent->by_tag, ll_table_mark(half_of(person->tag)), number);
    }
    if (is->birth_day != person->birth_day ||
        is->capacity != person->capacity || is->state != person->state) {
        subject->epoch++;
        ll_guard_changed(consent, number);
    }
    *is = *person;
    return LINLI_OK;
}

static linli_status
add(struct ll_consent *consent, uint32_t community, linli_str resident,
    const struct ll_person *person, struct ll_err *err)
{
    struct ll_name *name = NULL;
    if (!consent->keyed) { /* the first tag is as random as any key */
        memcpy(consent->name_key, person->tag, sizeof consent->name_key);
        consent->keyed = true;
    }
    if (!ll_table_room(&consent->by_name, consent->mem, 1) ||
        !ll_table_room(&consent->by_tag, consent->mem, 1) ||
        !ll_slab_room(&consent->subjects, consent->mem) ||
        (name = name_new(consent, resident)) == NULL)
        return no_memory(err);
    uint32_t number = consent->subjects.count++;
    *ll_subject_at(consent, number) = (struct ll_subject){
        .person = *person,
        .community = community,
        .newest = LL_NO_GRANT,
        .guards = LL_NO_NODE,
        .refusals = LL_NO_NODE,
        .objections = LL_NO_NODE,
        .name = name,
    };
    ll_table_add(
        &consent->by_name, name_mark(consent, community, resident), number);
    ll_table_add(&consent->by_tag, ll_table_mark(half_of(person->tag)), number);
    return LINLI_OK;
}

linli_status
ll_consent_put_person(struct ll_consent *consent, linli_str community,
    linli_str resident, const struct ll_person *person, uint32_t *out,
    struct ll_err *err)
{
    uint32_t at, of = community_of(consent, community);
    *out = LL_NOBODY;
    if (of == LL_TABLE_NONE)
        return no_memory(err);
    uint32_t number = name_find(consent, of, resident, &at);
    linli_status status = LINLI_OK;
    if (person->state == LL_SUBJECT_SHREDDED) {
        if (number != LL_NOBODY)
            shred(consent, number);
    } else if (number != LL_NOBODY) {
        status = change(consent, number, person, err);
    } else {
        status = add(consent, of, resident, person, err);
        number = consent->subjects.count - 1;
    }
    if (status == LINLI_OK)
        *out = number;
    return status;
}

const struct ll_person *
ll_consent_person(const struct ll_consent *consent, uint32_t subject)
{
    if (subject >= consent->subjects.count)
        return NULL;
    const struct ll_person *person = &ll_subject_at(consent, subject)->person;
    return person->state == LL_SUBJECT_SHREDDED ? NULL : person;
}

linli_str
ll_consent_resident(const struct ll_consent *consent, uint32_t subject)
{
    return subject >= consent->subjects.count
               ? (linli_str){NULL, 0}
               : name_text(ll_subject_at(consent, subject)->name);
}

linli_str
ll_consent_community(const struct ll_consent *consent, uint32_t subject)
{
    if (subject >= consent->subjects.count)
        return (linli_str){NULL, 0};
    return name_text(
        consent->communities[ll_subject_at(consent, subject)->community]);
}

uint32_t
ll_consent_epoch(const struct ll_consent *consent, uint32_t subject)
{
    return subject >= consent->subjects.count
               ? 0
               : ll_subject_at(consent, subject)->epoch;
}

/* -- plugins -- */

static uint32_t
plugin_mark(uint32_t community, linli_str plugin)
{
    return ll_table_mark(ll_fnv(plugin) + community);
}

static uint32_t
plugin_find(
    const struct ll_consent *consent, uint32_t community, linli_str plugin)
{
    const struct ll_table *table = &consent->by_plugin;
    uint32_t mark = plugin_mark(community, plugin), at, i;
    if (table->cap == 0)
        return LL_NO_PARTY;
    at = ll_table_home(table, mark);
    while ((i = ll_table_next(table, mark, &at)) != LL_TABLE_NONE) {
        const struct ll_party *party = ll_party_at(consent, i);
        if (party->community == community &&
            ll_str_eq(name_text(party->name), plugin))
            return i;
        at++;
    }
    return LL_NO_PARTY;
}

uint32_t
ll_consent_party(
    const struct ll_consent *consent, linli_str community, linli_str plugin)
{
    uint32_t of = community_find(consent, community);
    return of == LL_TABLE_NONE ? LL_NO_PARTY : plugin_find(consent, of, plugin);
}

static uint16_t
scope_key(uint8_t field, uint8_t purpose)
{
    return (uint16_t)(field << 8 | purpose);
}

/* Each scope is of the registry, and of its own. */
static linli_status
check_scopes(const struct ll_consent *consent, const struct ll_terms *terms,
    struct ll_err *err)
{
    if (terms->scope_count > LL_DATA_USES_MAX)
        return ll_fail(err, LINLI_E_INVALID, "manifest/invalid",
            "%u uses of resident data; at most %d", terms->scope_count,
            LL_DATA_USES_MAX);
    for (uint32_t i = 0; i < terms->scope_count; i++) {
        const struct ll_scope *scope = &terms->scopes[i];
        if (scope->field >= consent->dictionary->field_count ||
            scope->purpose >= consent->dictionary->purpose_count)
            return ll_fail(err, LINLI_E_INVALID, "manifest/invalid",
                "no such field or purpose: number %u, %u", scope->field,
                scope->purpose);
        for (uint32_t j = 0; j < i; j++)
            if (terms->scopes[j].field == scope->field &&
                terms->scopes[j].purpose == scope->purpose)
                return ll_fail(err, LINLI_E_INVALID, "manifest/invalid",
                    "the field %.*s is declared twice for the purpose %.*s",
                    LL_FMT(consent->dictionary->fields[scope->field].id),
                    LL_FMT(consent->dictionary->purposes[scope->purpose].id));
    }
    return LINLI_OK;
}

/* The party has these terms from now on; nothing changes without memory. */
static linli_status
take_terms(struct ll_consent *consent, struct ll_party *party,
    const struct ll_terms *terms, struct ll_err *err)
{
    uint32_t count = terms->scope_count;
    if (count > party->scope_cap) {
        struct ll_scope *scopes = ll_alloc(consent->mem, scopes_bytes(count));
        if (scopes == NULL)
            return no_memory(err);
        ll_release(consent->mem, party->scopes, scopes_bytes(party->scope_cap));
        consent->party_bytes +=
            scopes_bytes(count) - scopes_bytes(party->scope_cap);
        party->scopes = scopes;
        party->scope_cap = count;
        party->keys = (uint16_t *)(void *)(scopes + count);
    }
    for (uint32_t i = 0; i < count; i++) {
        party->scopes[i] = terms->scopes[i];
        if (party->scopes[i].actions == 0)
            party->scopes[i].actions = 1u << LL_ACTION_READ;
        party->keys[i] =
            scope_key(party->scopes[i].field, party->scopes[i].purpose);
    }
    party->terms = *terms;
    party->terms.scopes = party->scopes;
    return LINLI_OK;
}

/* A new party, with no terms yet: it is not active. */
static uint32_t
party_add(struct ll_consent *consent, uint32_t community, linli_str plugin)
{
    struct ll_name *name = NULL;
    if (consent->parties.count == LL_KEY_PARTIES_MAX ||
        !ll_table_room(&consent->by_plugin, consent->mem, 1) ||
        !ll_slab_room(&consent->parties, consent->mem) ||
        (name = name_new(consent, plugin)) == NULL)
        return LL_NO_PARTY;
    uint32_t number = consent->parties.count++;
    *ll_party_at(consent, number) =
        (struct ll_party){.community = community, .name = name};
    ll_table_add(&consent->by_plugin, plugin_mark(community, plugin), number);
    return number;
}

linli_status
ll_consent_put_party(struct ll_consent *consent, linli_str community,
    linli_str plugin, const struct ll_terms *terms, uint32_t *out,
    struct ll_err *err)
{
    *out = LL_NO_PARTY;
    linli_status status = check_scopes(consent, terms, err);
    if (status != LINLI_OK)
        return status;
    uint32_t of = community_of(consent, community);
    if (of == LL_TABLE_NONE)
        return no_memory(err);
    uint32_t number = plugin_find(consent, of, plugin);
    if (number == LL_NO_PARTY)
        number = party_add(consent, of, plugin);
    if (number == LL_NO_PARTY)
        return no_memory(err);
    status = take_terms(consent, ll_party_at(consent, number), terms, err);
    if (status == LINLI_OK)
        *out = number;
    return status;
}

const struct ll_terms *
ll_consent_terms(const struct ll_consent *consent, uint32_t party)
{
    return party >= consent->parties.count
               ? NULL
               : &ll_party_at(consent, party)->terms;
}

linli_str
ll_consent_plugin(const struct ll_consent *consent, uint32_t party)
{
    return party >= consent->parties.count
               ? (linli_str){NULL, 0}
               : name_text(ll_party_at(consent, party)->name);
}

linli_status
ll_consent_put_basis(struct ll_consent *consent,
    const struct ll_basis_record *record, struct ll_err *err)
{
    ll_check(record->party < consent->parties.count);
    struct ll_party *party = ll_party_at(consent, record->party);
    for (uint32_t i = 0; i < party->record_count; i++)
        if (party->records[i].purpose == record->purpose &&
            party->records[i].basis == record->basis) {
            party->records[i] = *record;
            return LINLI_OK;
        }
    if (party->record_count == party->record_cap) {
        void *list = party->records;
        uint32_t before = party->record_cap;
        if (!list_room(
                consent, &list, &party->record_cap, sizeof *party->records))
            return no_memory(err);
        party->records = list;
        consent->party_bytes +=
            (party->record_cap - before) * sizeof *party->records;
    }
    party->records[party->record_count++] = *record;
    return LINLI_OK;
}
