/* domain/consent_int.h: the state of consent inside. [any: one owner]
 *
 * Made so that a decision reads few cache lines: a resident is one, a slot of
 * the index of grants says what is usually asked of one, a grant begins with
 * what is compared.
 */
#ifndef LL_DOMAIN_CONSENT_INT_H
#define LL_DOMAIN_CONSENT_INT_H

#include "domain/consent_keys.h"
#include "domain/consent_state.h"
#include "domain/consent_table.h"

/* Of what was forgotten, or never was. */
#define LL_NO_NODE UINT32_MAX

struct ll_name {
    uint32_t len;
    char text[];
};

/* One cache line. The lists begin with a number of a slab, or LL_NO_NODE. */
struct ll_subject {
    struct ll_person person;
    uint32_t epoch;
    uint32_t community;
    uint16_t objected; /* to all: bits of enum ll_objection */
    bool guards_some;  /* is or was a guardian of somebody */
    uint32_t newest;   /* of their grants */
    uint32_t guards, refusals, objections;
    struct ll_name *name; /* NULL: shredded */
};

struct ll_party {
    struct ll_terms terms;
    struct ll_scope *scopes; /* of the terms */
    uint16_t *keys;          /* of these: field and purpose */
    uint32_t scope_cap;
    uint32_t community;
    struct ll_name *name;
    struct ll_basis_record *records;
    uint32_t record_count, record_cap;
    uint32_t grants[LL_GRANT_REPLACED + 1]; /* how many, by status */
};

/* `older`: the next of the same subject, party and purpose that a decision
 * may look at; `before`: of the subject. Both newest first. */
struct ll_grant_item {
    struct ll_grant grant;
    uint32_t older, before;
};

struct ll_guard_node {
    struct ll_guardianship is;
    uint32_t next;
};

struct ll_refusal_node {
    struct ll_refusal is;
    uint32_t next;
};

struct ll_objection_node {
    uint32_t party, bits, next;
};

#define LL_AGE_OF_CONSENT 14 /* 个人信息保护法 31 */

struct ll_consent {
    struct ll_mem *mem;
    const struct ll_dictionary *dictionary;
    struct ll_slab subjects, parties, grants, guards, refusals, objections;
    uint32_t free_refusal;        /* a list of nodes that are nobody's */
    struct ll_name **communities; /* by number */
    uint32_t community_count, community_cap;
    size_t name_bytes, party_bytes;
    struct ll_table by_community, by_name, by_tag, by_plugin;
    struct ll_keys by_key;      /* grants */
    struct ll_table by_id;      /* grants */
    int64_t begun_ms;           /* all have, of which by_key says something */
    unsigned char name_key[16]; /* of the hash of residents' names */
    bool keyed;
    int32_t reconfirm_days;
};

static inline struct ll_subject *
ll_subject_at(const struct ll_consent *consent, uint32_t i)
{
    return ll_slab_at(&consent->subjects, i);
}

static inline struct ll_party *
ll_party_at(const struct ll_consent *consent, uint32_t i)
{
    return ll_slab_at(&consent->parties, i);
}

static inline struct ll_grant_item *
ll_grant_at(const struct ll_consent *consent, uint32_t i)
{
    return ll_slab_at(&consent->grants, i);
}

/* What becomes of a subject who is shredded, in consent_grant.c. */
void ll_grants_end_all(struct ll_consent *consent, uint32_t subject);

/* -- people: consent_people.c -- */

/* Whether a guardianship has force for an act: ALLOW, GUARDIAN_SUSPENDED, or
 * GUARDIAN_REQUIRED. */
struct ll_guarding {
    uint32_t power;
    enum ll_class class;
    int64_t now_ms;
    int32_t today;
};
enum ll_reason ll_guard_force(const struct ll_consent *consent,
    const struct ll_guardianship *is, const struct ll_guarding *want);
/* The same of the best of `guardian`'s for `ward`, or of anybody's with
 * LL_NOBODY. */
enum ll_reason ll_guard_best(const struct ll_consent *consent, uint32_t ward,
    uint32_t guardian, const struct ll_guarding *want);
/* Whether a guardian must consent for them: too young, or too ill. */
static inline bool
ll_person_is_ward(const struct ll_person *person, int32_t today)
{
    return person->capacity != LL_CAPACITY_FULL ||
           ll_age_under(person->birth_day, today, 14);
}
/* A guardian is no more who they were: the epochs of their wards rise. */
void ll_guard_changed(struct ll_consent *consent, uint32_t guardian);
/* Whether what there is between the two is a delegation alone. */
bool ll_guard_is_delegate(
    const struct ll_consent *consent, uint32_t ward, uint32_t guardian);

/* -- no: consent_no.c -- */

/* The bits of enum ll_objection that stand between the two. */
uint32_t ll_objections_between(const struct ll_consent *consent,
    const struct ll_subject *subject, uint32_t party);
/* A refusal that stands, or NULL. */
const struct ll_refusal *ll_refusal_find(
    const struct ll_consent *consent, const struct ll_ask *key);
/* A grant takes refusals back. */
void ll_refusals_take_back(
    struct ll_consent *consent, const struct ll_grant *grant);

#endif
