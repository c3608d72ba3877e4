/* tests/unit/consent_world.h: residents and plugins to decide about. */
#ifndef CONSENT_WORLD_H
#define CONSENT_WORLD_H

#include "base/limits.h"
#include "base/text.h"
#include "domain/consent_state.h"
#include "t.h"

#define DAY ((int64_t)86400000)
#define NOW (20000 * DAY) /* 2024-10-04 */
#define TODAY 20000
#define COMMUNITY LINLI_STR("garden")

static struct ll_mem world_mem;
static struct ll_dictionary dictionary;
static struct ll_consent *consent;
static uint64_t world_ids;

static inline uint8_t
field(const char *id)
{
    int n = ll_dictionary_field(&dictionary, ll_cstr(id));
    T_OK(n >= 0);
    return (uint8_t)n;
}

static inline uint8_t
purpose(const char *id)
{
    int n = ll_dictionary_purpose(&dictionary, ll_cstr(id));
    T_OK(n >= 0);
    return (uint8_t)n;
}

static inline uint64_t
bit(const char *id)
{
    return (uint64_t)1 << field(id);
}

/* An id that nobody else has. */
static inline void
world_id(unsigned char id[LL_TAG_BYTES])
{
    uint64_t n = ++world_ids;
    memset(id, 0, LL_TAG_BYTES);
    for (int i = 0; i < 8; i++)
        id[i] = (unsigned char)(n >> (56 - 8 * i));
}

static inline uint32_t
person(const char *name, int32_t birth_day)
{
    struct ll_person p = {.birth_day = birth_day};
    uint32_t n = LL_NOBODY;
    world_id(p.tag);
    T_OK(ll_consent_put_person(
             consent, COMMUNITY, ll_cstr(name), &p, &n, NULL) == LINLI_OK);
    return n;
}

/* Changes what is known of somebody. */
static inline void
becomes(uint32_t subject, int32_t birth_day, enum ll_capacity capacity,
    enum ll_subject_state state)
{
    struct ll_person p = *ll_consent_person(consent, subject);
    uint32_t n;
    p.birth_day = birth_day;
    p.capacity = capacity;
    p.state = state;
    T_OK(ll_consent_put_person(consent, ll_consent_community(consent, subject),
             ll_consent_resident(consent, subject), &p, &n, NULL) == LINLI_OK);
}

static inline void
guards(uint32_t guardian, uint32_t ward, enum ll_guardian_kind kind,
    enum ll_guardian_status status)
{
    struct ll_guardianship g = {.ward = ward,
        .guardian = guardian,
        .kind = kind,
        .powers = LL_POWER_CONSENT | LL_POWER_VIEW,
        .ceiling = LL_C3,
        .from_ms = 0,
        .until_ms = INT64_MAX,
        .status = status};
    T_OK(ll_consent_put_guardian(consent, &g, NULL) == LINLI_OK);
}

static inline void
world_open(void)
{
    ll_mem_init(&world_mem, 0);
    T_OK(ll_dictionary_init(&dictionary, &world_mem, NULL) == LINLI_OK);
    T_OK(ll_consent_new(&world_mem, &dictionary, &consent, NULL) == LINLI_OK);
}

static inline void
world_close(void)
{
    ll_consent_free(&consent);
    ll_dictionary_fini(&dictionary);
    T_INT(world_mem.used_bytes, 0);
}

/* -- one plugin, one resident, one question -- */

static struct ll_scope scopes[16];
static struct ll_terms terms;
static uint32_t wang, party;
static struct ll_ask ask;

static inline void
declare(void)
{
    T_OK(ll_consent_put_party(consent, COMMUNITY, LINLI_STR("parking"), &terms,
             &party, NULL) == LINLI_OK);
}

static inline void
scope(const char *name, const char *why, enum ll_basis basis)
{
    scopes[terms.scope_count++] = (struct ll_scope){
        .field = field(name), .purpose = purpose(why), .basis = basis};
    terms.scopes = scopes;
}

static inline void
begin(void)
{
    world_open();
    terms = (struct ll_terms){.active = true,
        .version = 3,
        .since = 2,
        .ceiling = LL_C3,
        .pia = true};
    scope("plate", "service", LL_BASIS_CONSENT);
    scope("phone", "service", LL_BASIS_CONSENT);
    scope("phone", "marketing", LL_BASIS_CONSENT);
    scope("phone", "recommendation", LL_BASIS_CONSENT);
    scope("phone", "billing", LL_BASIS_SEPARATE);
    scope("phone_relay", "billing", LL_BASIS_CONTRACT);
    scope("parking_trail", "billing", LL_BASIS_CONSENT);
    scope("plate", "legal_duty", LL_BASIS_STATUTORY);
    scope("location", "emergency_rescue", LL_BASIS_EMERGENCY);
    scope("care_notes", "service", LL_BASIS_SEPARATE);
    declare();
    wang = person("wang", LL_DAY_UNKNOWN);
    ask = (struct ll_ask){.subject = wang,
        .party = party,
        .purpose = purpose("service"),
        .field = field("phone"),
        .now_ms = NOW,
        .today = TODAY};
}

static inline void
end(void)
{
    world_close();
}

static inline struct ll_verdict
decide(void)
{
    return ll_consent_decide(consent, &ask);
}

#define T_REASON(want) T_STR(ll_cstr(ll_reason_name(decide().reason)), #want)
#define T_REMEDY(want) T_STR(ll_cstr(ll_remedy_name(decide().remedy)), #want)

/* For what `ask` asks, of now, for 30 days. */
static inline struct ll_grant
draft(uint64_t fields)
{
    struct ll_grant g = {.subject = ask.subject,
        .party = ask.party,
        .fields = fields,
        .purpose = ask.purpose,
        .version = 3,
        .uses = -1,
        .guardian = LL_NOBODY,
        .from_ms = NOW - 1000,
        .until_ms = NOW + 30 * DAY,
        .used_ms = NOW - 1000,
        .given_ms = NOW - 1000};
    world_id(g.id);
    return g;
}

static inline uint32_t
put(const struct ll_grant *grant)
{
    uint32_t n = LL_NO_GRANT;
    T_OK(ll_consent_put_grant(consent, grant, &n, NULL) == LINLI_OK);
    return n;
}

static inline uint32_t
give(uint64_t fields)
{
    struct ll_grant g = draft(fields);
    return put(&g);
}

#endif
