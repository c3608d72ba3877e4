/* domain/consent_state.h: residents, plugins and what passed between them.
 * [any: one owner, no locks; the host's is the loop]
 *
 * What a decision is made over: residents with their age, capacity and
 * guardians, plugins with what they declared, grants, refusals, objections.
 * It is the fold of the log (domain/leaf.h), kept in memory.
 *
 * Subjects, parties and grants are numbered from 0; a number stays what it
 * was until the state is freed.
 */
#ifndef LL_DOMAIN_CONSENT_STATE_H
#define LL_DOMAIN_CONSENT_STATE_H

#include "domain/age.h"
#include "domain/consent.h"
#include "domain/consent_no.h"

#define LL_TAG_BYTES 16 /* of a subject, in the log; of a grant's id */

linli_status ll_consent_new(struct ll_mem *mem,
    const struct ll_dictionary *dictionary, struct ll_consent **out,
    struct ll_err *err) LL_USE_RESULT;
void ll_consent_free(struct ll_consent **consent);
/* How many there are, and the bytes they take: for metrics and the bench. */
uint32_t ll_consent_subjects(const struct ll_consent *consent);
uint32_t ll_consent_grants(const struct ll_consent *consent);
size_t ll_consent_bytes(const struct ll_consent *consent);

/* -- people -- */

enum ll_capacity { LL_CAPACITY_FULL, LL_CAPACITY_LIMITED, LL_CAPACITY_NONE };
enum ll_subject_state {
    LL_SUBJECT_ACTIVE,
    LL_SUBJECT_FROZEN,
    LL_SUBJECT_DECEASED,
    LL_SUBJECT_SHREDDED
};

struct ll_person {
    unsigned char tag[LL_TAG_BYTES]; /* random: how the log calls them */
    int32_t birth_day; /* days since 1970-01-01; LL_DAY_UNKNOWN: of age */
    enum ll_capacity capacity; /* as recorded; age lowers it */
    enum ll_subject_state state;
};

/* A name of it is (community, resident); finds or LL_NOBODY. */
uint32_t ll_consent_subject(
    const struct ll_consent *consent, linli_str community, linli_str resident);
uint32_t ll_consent_subject_by_tag(
    const struct ll_consent *consent, const unsigned char tag[LL_TAG_BYTES]);
/* Makes it or changes it. SHREDDED: its name and tag are forgotten and the
 * number is nobody's any more. "runtime/memory". */
linli_status ll_consent_put_person(struct ll_consent *consent,
    linli_str community, linli_str resident, const struct ll_person *person,
    uint32_t *out, struct ll_err *err) LL_USE_RESULT;
/* NULL for LL_NOBODY or a shredded one. */
const struct ll_person *ll_consent_person(
    const struct ll_consent *consent, uint32_t subject);
linli_str ll_consent_resident(
    const struct ll_consent *consent, uint32_t subject);
linli_str ll_consent_community(
    const struct ll_consent *consent, uint32_t subject);
/* Rises whenever a grant of theirs ends, an objection is made, or their state,
 * capacity or guardians change: what was decided at another epoch is void. */
uint32_t ll_consent_epoch(const struct ll_consent *consent, uint32_t subject);

/* The same for one whom time has changed: they have come of an age. */
void ll_consent_raise(struct ll_consent *consent, uint32_t subject);
/* For how many days what a guardian gave holds once the ward has turned 14 or
 * may decide for themself; 0, which it begins with: not at all. */
void ll_consent_set_reconfirm(struct ll_consent *consent, int32_t days);

enum ll_guardian_kind {
    LL_GUARDIAN_PARENT,
    LL_GUARDIAN_STATUTORY,
    LL_GUARDIAN_COURT,
    LL_GUARDIAN_AGREED,
    LL_GUARDIAN_DELEGATE
};
const char *ll_guardian_kind_name(enum ll_guardian_kind kind);
bool ll_guardian_kind_read(linli_str word, enum ll_guardian_kind *out);
enum ll_guardian_status {
    LL_GUARDIAN_PENDING,
    LL_GUARDIAN_ACTIVE,
    LL_GUARDIAN_SUSPENDED,
    LL_GUARDIAN_ENDED,
    LL_GUARDIAN_ACCEPTED /* by the guardian; an operator is to verify it */
};
/* Bits of what a guardian may do for a ward. */
#define LL_POWER_CONSENT 1u /* give, refuse, withdraw */
#define LL_POWER_VIEW 2u    /* centre, access log, export */
#define LL_POWER_CORRECT 4u
#define LL_POWER_ERASE 8u

struct ll_guardianship {
    uint32_t ward, guardian; /* subjects of one community */
    enum ll_guardian_kind kind;
    uint32_t powers;
    enum ll_class ceiling; /* acts for fields up to this class */
    int64_t from_ms, until_ms;
    enum ll_guardian_status status;
};
/* One for (ward, guardian, kind): made or changed. */
linli_status ll_consent_put_guardian(struct ll_consent *consent,
    const struct ll_guardianship *guardianship,
    struct ll_err *err) LL_USE_RESULT;

/* The guardianships of a ward, or of a guardian, one after the other: *at
 * begins as 0. NULL: there are no more. Borrowed until one is put. The second
 * looks at all there are. */
const struct ll_guardianship *ll_consent_next_guard(
    const struct ll_consent *consent, uint32_t ward, uint32_t *at);
const struct ll_guardianship *ll_consent_next_ward(
    const struct ll_consent *consent, uint32_t guardian, uint32_t *at);

/* May `actor` do that for `subject` now: ALLOW, or why not. 民法典 19-21, 33,
 * PIPL 31. Under 8 and with capacity NONE: a guardian in everything. Under 14
 * and with LIMITED: they see and correct their own, a guardian consents and
 * erases. From 14: themself; parents and the like of one under 18 still see
 * and correct. AGREED (意定) acts only when capacity is lost, DELEGATE only
 * for one who has it. A guardian is of age, capable and ACTIVE themself; what
 * a guardian may do is not passed on. */
struct ll_acting {
    uint32_t subject, actor;
    uint32_t power; /* one LL_POWER_ */
    enum ll_class class;
    int64_t now_ms;
    int32_t today; /* as in struct ll_ask */
};
enum ll_reason ll_consent_may_act(
    const struct ll_consent *consent, const struct ll_acting *acting);
/* Whether it is a guardian who must consent for them today. */
bool ll_consent_is_ward(
    const struct ll_consent *consent, uint32_t subject, int32_t today);

/* -- plugins: what they declared, in one community -- */

struct ll_scope {
    uint8_t field, purpose;
    enum ll_basis basis;
    bool required;    /* refusing OPTIONAL changes no REQUIRED verdict */
    uint32_t actions; /* bits 1 << enum ll_action; READ if it says nothing */
    uint32_t since;   /* the oldest version whose grants hold for this one:
                         it was there with these actions; 0: the terms' */
};

enum ll_relation { LL_RELATION_ENTRUST, LL_RELATION_PROVIDE };

struct ll_terms {
    bool active;      /* enabled here */
    uint32_t version; /* counts manifests whose data part differs, from 1 */
    uint32_t since;   /* the oldest version whose grants still hold: a
                         later one only narrowed or changed words */
    enum ll_relation relation;
    enum ll_class ceiling; /* of its certification */
    bool pia;              /* an impact assessment is on file, PIPL art. 55 */
    bool abroad;           /* data leaves the mainland, art. 38 */
    const struct ll_scope *scopes; /* copied */
    uint32_t scope_count;
};

uint32_t ll_consent_party(
    const struct ll_consent *consent, linli_str community, linli_str plugin);
/* Makes it or changes it. Grants of older versions hold for what both
 * versions declare (old scope and new manifest): if >= since of the terms and
 * of the scope. "manifest/invalid": two scopes of one field and purpose, or
 * one that no dictionary has. */
linli_status ll_consent_put_party(struct ll_consent *consent,
    linli_str community, linli_str plugin, const struct ll_terms *terms,
    uint32_t *out, struct ll_err *err) LL_USE_RESULT;
const struct ll_terms *ll_consent_terms(
    const struct ll_consent *consent, uint32_t party);
linli_str ll_consent_plugin(const struct ll_consent *consent, uint32_t party);

/* An operator's approval of a basis that is no consent: of `fields` for
 * `purpose` on `basis`, in [from, until). Without one such a basis denies with
 * NO_GRANT. One for (party, purpose, basis): made or changed. */
struct ll_basis_record {
    uint32_t party;
    uint8_t purpose;
    enum ll_basis basis;
    uint64_t fields;
    int64_t from_ms, until_ms;
};
linli_status ll_consent_put_basis(struct ll_consent *consent,
    const struct ll_basis_record *record, struct ll_err *err) LL_USE_RESULT;

/* -- grants -- */

enum ll_grant_status {
    LL_GRANT_LIVE,
    LL_GRANT_REVOKED,
    LL_GRANT_EXPIRED,
    LL_GRANT_REPLACED
};
/* "live", "revoked", "expired", "replaced". */
const char *ll_grant_status_name(enum ll_grant_status status);

struct ll_grant {
    uint32_t subject, party;
    uint64_t fields;
    uint8_t purpose;
    uint8_t level;     /* enum ll_act_level */
    uint8_t status;    /* enum ll_grant_status */
    uint8_t idle_days; /* 0: none; else it expires unused for so long */
    uint32_t version;  /* of the terms it was given under */
    int32_t uses;      /* left; -1: as many as wanted */
    uint32_t guardian; /* who acted for them, or LL_GONE; LL_NOBODY: themself */
    int64_t from_ms, until_ms; /* [from, until), until < INT64_MAX */
    int64_t used_ms;           /* the last release, or from */
    int64_t given_ms;
    unsigned char id[LL_TAG_BYTES]; /* random */
};

/* Takes a grant. A live one of the same subject, party and purpose that covers
 * no other field than this becomes REPLACED. "runtime/memory". */
linli_status ll_consent_put_grant(struct ll_consent *consent,
    const struct ll_grant *grant, uint32_t *out,
    struct ll_err *err) LL_USE_RESULT;
/* The same of one that was kept, in any order: nothing is replaced, and no
 * refusal taken back, as that was kept too. */
linli_status ll_consent_load_grant(struct ll_consent *consent,
    const struct ll_grant *grant, uint32_t *out,
    struct ll_err *err) LL_USE_RESULT;
const struct ll_grant *ll_consent_grant(
    const struct ll_consent *consent, uint32_t grant);
uint32_t ll_consent_find_grant(
    const struct ll_consent *consent, const unsigned char id[LL_TAG_BYTES]);
/* How many a party has of a status; what ended by time alone is LIVE until it
 * is swept. */
uint32_t ll_consent_count_grants(const struct ll_consent *consent,
    uint32_t party, enum ll_grant_status status);
/* Of a subject, newest first: begins with LL_NO_GRANT, ends with it. */
uint32_t ll_consent_next_grant(
    const struct ll_consent *consent, uint32_t subject, uint32_t grant);
/* It ends; the subject's epoch rises. */
void ll_consent_end_grant(
    struct ll_consent *consent, uint32_t grant, enum ll_grant_status status);
/* A release under it: uses and used_ms. The caller has decided. */
void ll_consent_use_grant(
    struct ll_consent *consent, uint32_t grant, int64_t now_ms);
/* The same back, for a use that the caller could not keep. */
void ll_consent_unuse_grant(struct ll_consent *consent, uint32_t grant);

#endif
