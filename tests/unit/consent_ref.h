/* tests/unit/consent_ref.h: the decision again, slow and obvious.
 *
 * Written from spec/consent.md and sharing no code with runtime/domain: lists
 * that are walked from end to end, ages counted on a calendar, nothing kept
 * that could be looked up. What it says is what the decider must say.
 */
#ifndef CONSENT_REF_H
#define CONSENT_REF_H

#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "domain/consent_state.h"

#define REF_PEOPLE 64
#define REF_PARTIES 4
#define REF_SCOPES 36
#define REF_RECORDS 64
#define REF_GUARDS 64
#define REF_GRANTS 256
#define REF_NOS 256
#define REF_DAY_MS ((int64_t)86400000)

struct ref_person {
    struct ll_person is;
    const char *community, *name;
    bool gone; /* shredded */
};

struct ref_party {
    struct ll_terms terms;
    struct ll_scope scopes[REF_SCOPES];
    const char *community, *name;
};

struct ref_objection {
    uint32_t subject, party;
    enum ll_objection kind;
};

struct ref {
    const struct ll_dictionary *dictionary;
    struct ref_person people[REF_PEOPLE];
    struct ref_party parties[REF_PARTIES];
    struct ll_basis_record records[REF_RECORDS];
    struct ll_guardianship guards[REF_GUARDS];
    struct ll_grant grants[REF_GRANTS];
    struct ref_objection objections[REF_NOS];
    struct ll_refusal refusals[REF_NOS];
    uint32_t person_count, party_count, record_count, guard_count;
    uint32_t grant_count, objection_count, refusal_count;
};

/* -- a calendar, day by day -- */

#define REF_YEAR_FIRST 1900
#define REF_YEAR_LAST 2100
#define REF_DAY_FIRST (-25567) /* 1900-01-01 */
#define REF_DAYS ((REF_YEAR_LAST - REF_YEAR_FIRST) * 366)

struct ref_date {
    int year, month, day;
};
static struct ref_date ref_calendar[REF_DAYS];

static inline bool
ref_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline void
ref_calendar_make(void)
{
    static const int lengths[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct ref_date date = {REF_YEAR_FIRST, 1, 1};
    for (int i = 0; i < REF_DAYS; i++) {
        ref_calendar[i] = date;
        int length = lengths[date.month - 1];
        if (date.month == 2 && ref_leap(date.year))
            length = 29;
        if (++date.day > length) {
            date.day = 1;
            if (++date.month > 12) {
                date.month = 1;
                date.year++;
            }
        }
    }
}

/* Whole years; -1 before birth. */
static inline int
ref_age(int32_t birth, int32_t today)
{
    if (birth > today)
        return -1;
    struct ref_date b = ref_calendar[birth - REF_DAY_FIRST];
    struct ref_date t = ref_calendar[today - REF_DAY_FIRST];
    int age = t.year - b.year;
    if (t.month < b.month || (t.month == b.month && t.day < b.day))
        age--;
    return age;
}

static inline bool
ref_younger(const struct ll_person *person, int32_t today, int years)
{
    return person->birth_day != LL_DAY_UNKNOWN &&
           ref_age(person->birth_day, today) < years;
}

static inline bool
ref_is_ward(const struct ll_person *person, int32_t today)
{
    if (person->capacity == LL_CAPACITY_LIMITED)
        return true;
    if (person->capacity == LL_CAPACITY_NONE)
        return true;
    return ref_younger(person, today, 14);
}

/* -- guardians: only of consent, which is what a decision asks about -- */

enum ref_force { REF_NO, REF_SUSPENDED, REF_YES };

static inline enum ref_force
ref_guard_may(const struct ref *ref, const struct ll_guardianship *g,
    const struct ll_ask *ask)
{
    const struct ref_person *ward = &ref->people[g->ward];
    const struct ref_person *guardian = &ref->people[g->guardian];
    if (guardian->gone || guardian->is.state != LL_SUBJECT_ACTIVE)
        return REF_NO;
    if (guardian->is.capacity != LL_CAPACITY_FULL)
        return REF_NO;
    if (ref_younger(&guardian->is, ask->today, 18))
        return REF_NO;
    if ((g->powers & LL_POWER_CONSENT) == 0)
        return REF_NO;
    if (ref->dictionary->fields[ask->field].class > g->ceiling)
        return REF_NO;
    if (ask->now_ms < g->from_ms || g->until_ms <= ask->now_ms)
        return REF_NO;
    if (g->kind == LL_GUARDIAN_DELEGATE) {
        if (ref_is_ward(&ward->is, ask->today))
            return REF_NO;
    } else if (g->kind == LL_GUARDIAN_AGREED) {
        if (ward->is.capacity == LL_CAPACITY_FULL)
            return REF_NO;
    } else if (!ref_is_ward(&ward->is, ask->today)) {
        return REF_NO;
    }
    if (g->status == LL_GUARDIAN_ACTIVE)
        return REF_YES;
    return g->status == LL_GUARDIAN_SUSPENDED ? REF_SUSPENDED : REF_NO;
}

/* The best of a guardian's, or of anybody's. */
static inline enum ref_force
ref_guards(const struct ref *ref, const struct ll_ask *ask, uint32_t guardian)
{
    enum ref_force best = REF_NO;
    for (uint32_t i = 0; i < ref->guard_count; i++) {
        const struct ll_guardianship *g = &ref->guards[i];
        if (g->ward != ask->subject)
            continue;
        if (guardian != LL_NOBODY && g->guardian != guardian)
            continue;
        enum ref_force force = ref_guard_may(ref, g, ask);
        if (force > best)
            best = force;
    }
    return best;
}

/* -- no -- */

static inline const struct ll_refusal *
ref_refusal(const struct ref *ref, const struct ll_ask *ask)
{
    for (uint32_t i = 0; i < ref->refusal_count; i++) {
        const struct ll_refusal *r = &ref->refusals[i];
        if (r->subject == ask->subject && r->party == ask->party &&
            r->purpose == ask->purpose && r->field == ask->field)
            return r;
    }
    return NULL;
}

static inline bool
ref_objects(
    const struct ref *ref, const struct ll_ask *ask, enum ll_objection kind)
{
    for (uint32_t i = 0; i < ref->objection_count; i++) {
        const struct ref_objection *o = &ref->objections[i];
        if (o->subject == ask->subject && o->kind == kind &&
            (o->party == LL_NO_PARTY || o->party == ask->party))
            return true;
    }
    return false;
}

/* -- grants -- */

static inline bool
ref_is_newer(const struct ll_grant *a, const struct ll_grant *b)
{
    if (a->given_ms > b->given_ms)
        return true;
    if (a->given_ms < b->given_ms)
        return false;
    return memcmp(a->id, b->id, LL_TAG_BYTES) > 0;
}

/* Why a grant is not in force at all; ALLOW: it is. */
static inline enum ll_reason
ref_in_force(const struct ll_grant *g, int64_t now_ms)
{
    if (g->status == LL_GRANT_REVOKED)
        return LL_REASON_REVOKED;
    if (g->status == LL_GRANT_EXPIRED)
        return LL_REASON_EXPIRED;
    if (now_ms >= g->until_ms)
        return LL_REASON_EXPIRED;
    if (now_ms < g->from_ms)
        return LL_REASON_NOT_YET;
    if (g->idle_days != 0 && now_ms >= g->used_ms + g->idle_days * REF_DAY_MS)
        return LL_REASON_EXPIRED;
    return LL_REASON_ALLOW;
}

static inline uint32_t
ref_count_bits(uint64_t bits)
{
    uint32_t n = 0;
    for (int i = 0; i < 64; i++)
        if ((bits & (uint64_t)1 << i) != 0)
            n++;
    return n;
}

/* Who gave it. */
static inline enum ll_reason
ref_giver(
    const struct ref *ref, const struct ll_ask *ask, const struct ll_grant *g)
{
    bool ward = ref_is_ward(&ref->people[ask->subject].is, ask->today);
    if (g->guardian == LL_NOBODY)
        return ward ? LL_REASON_GUARDIAN_REQUIRED : LL_REASON_ALLOW;
    enum ref_force force = ref_guards(ref, ask, g->guardian);
    if (ward) {
        if (force == REF_YES)
            return LL_REASON_ALLOW;
        return force == REF_SUSPENDED ? LL_REASON_GUARDIAN_SUSPENDED
                                      : LL_REASON_GUARDIAN_REQUIRED;
    }
    if (force == REF_YES && ref_refusal(ref, ask) == NULL)
        return LL_REASON_ALLOW;
    return LL_REASON_SELF_RECONFIRM;
}

/* A grant in force that holds the field. */
static inline enum ll_reason
ref_serves(const struct ref *ref, const struct ll_ask *ask,
    const struct ll_scope *scope, const struct ll_grant *g)
{
    const struct ll_terms *terms = &ref->parties[ask->party].terms;
    bool sensitive = ref->dictionary->fields[ask->field].class == LL_C3;
    enum ll_reason giver = ref_giver(ref, ask, g);
    if (giver != LL_REASON_ALLOW)
        return giver;
    if (g->version < terms->since)
        return LL_REASON_POLICY_CHANGED;
    if (scope->since != 0 && g->version < scope->since)
        return LL_REASON_POLICY_CHANGED;
    if (g->version > terms->version)
        return LL_REASON_POLICY_CHANGED;
    if (sensitive || scope->basis == LL_BASIS_SEPARATE ||
        terms->relation == LL_RELATION_PROVIDE)
        if (g->level == LL_LEVEL_GENERAL)
            return LL_REASON_LEVEL_TOO_LOW;
    if (sensitive && ref_count_bits(g->fields) != 1)
        return LL_REASON_LEVEL_TOO_LOW;
    if (g->uses == 0)
        return LL_REASON_USES_EXHAUSTED;
    return LL_REASON_ALLOW;
}

struct ref_said {
    enum ll_reason reason;
    enum ll_basis basis;
    enum ll_remedy remedy;
    uint32_t grant;
    int64_t wait_until_ms;
};

/* How near each came: what is better has a greater rank. */
static inline struct ref_said
ref_grants(const struct ref *ref, const struct ll_ask *ask,
    const struct ll_scope *scope)
{
    uint64_t bit = (uint64_t)1 << ask->field;
    struct ref_said said = {
        LL_REASON_NO_GRANT, scope->basis, LL_REMEDY_NONE, LL_NO_GRANT, 0};
    int best = -1;
    for (uint32_t i = 0; i < ref->grant_count; i++) {
        const struct ll_grant *g = &ref->grants[i];
        if (g->subject != ask->subject || g->party != ask->party ||
            g->purpose != ask->purpose || g->status == LL_GRANT_REPLACED)
            continue;
        enum ll_reason reason = ref_in_force(g, ask->now_ms);
        bool force = reason == LL_REASON_ALLOW;
        int rank;
        if (force && (g->fields & bit) != 0) {
            reason = ref_serves(ref, ask, scope, g);
            rank = reason == LL_REASON_ALLOW ? 1000 : 100 + (int)reason;
        } else if ((g->fields & bit) != 0) {
            rank = 50;
        } else if (force) {
            reason = LL_REASON_FIELD_NOT_GRANTED;
            rank = 20;
        } else {
            continue;
        }
        if (rank > best ||
            (rank == best && ref_is_newer(g, &ref->grants[said.grant]))) {
            best = rank;
            said.reason = reason;
            said.grant = i;
        }
    }
    return said;
}

/* -- bases that are no consent -- */

static inline struct ref_said
ref_record(const struct ref *ref, const struct ll_ask *ask,
    const struct ll_scope *scope)
{
    struct ref_said said = {
        LL_REASON_NO_GRANT, scope->basis, LL_REMEDY_NONE, LL_NO_GRANT, 0};
    for (uint32_t i = 0; i < ref->record_count; i++) {
        const struct ll_basis_record *r = &ref->records[i];
        if (r->party != ask->party || r->purpose != ask->purpose ||
            r->basis != scope->basis)
            continue;
        if (ask->now_ms < r->from_ms) {
            said.reason = LL_REASON_NOT_YET;
            said.wait_until_ms = r->from_ms;
        } else if (r->until_ms <= ask->now_ms) {
            said.reason = LL_REASON_EXPIRED;
        } else if ((r->fields & (uint64_t)1 << ask->field) == 0) {
            said.reason = LL_REASON_FIELD_NOT_GRANTED;
        } else if (scope->basis == LL_BASIS_CONTRACT && !ask->own) {
            said.reason = LL_REASON_CONDITION;
        } else if (scope->basis == LL_BASIS_EMERGENCY) {
            said.reason = LL_REASON_INCIDENT_NOT_OPEN;
        } else {
            said.reason = LL_REASON_ALLOW;
        }
    }
    return said;
}

/* -- the steps -- */

static inline const struct ll_scope *
ref_scope(const struct ref *ref, const struct ll_ask *ask, bool *field)
{
    const struct ref_party *party = &ref->parties[ask->party];
    *field = false;
    for (uint32_t i = 0; i < party->terms.scope_count; i++) {
        if (party->scopes[i].field != ask->field)
            continue;
        *field = true;
        if (party->scopes[i].purpose == ask->purpose)
            return &party->scopes[i];
    }
    return NULL;
}

static inline bool
ref_is_consent(const struct ll_scope *scope)
{
    return scope->basis == LL_BASIS_CONSENT ||
           scope->basis == LL_BASIS_SEPARATE;
}

/* What does not depend on what was given. */
static inline enum ll_reason
ref_before(
    const struct ref *ref, const struct ll_ask *ask, const struct ll_scope **s)
{
    bool field;
    *s = NULL;
    if (ask->unlogged)
        return LL_REASON_LOG_UNAVAILABLE;
    if (ask->party >= ref->party_count)
        return LL_REASON_PLUGIN_INACTIVE;
    const struct ref_party *party = &ref->parties[ask->party];
    if (!party->terms.active)
        return LL_REASON_PLUGIN_INACTIVE;
    if (ask->subject >= ref->person_count)
        return LL_REASON_UNKNOWN_SUBJECT;
    const struct ref_person *person = &ref->people[ask->subject];
    if (person->gone || strcmp(person->community, party->community) != 0)
        return LL_REASON_UNKNOWN_SUBJECT;
    if (person->is.state == LL_SUBJECT_FROZEN)
        return LL_REASON_SUBJECT_FROZEN;
    if (person->is.state == LL_SUBJECT_DECEASED)
        return LL_REASON_SUBJECT_DECEASED;
    const struct ll_scope *scope = *s = ref_scope(ref, ask, &field);
    if (scope == NULL)
        return field ? LL_REASON_NOT_IN_MANIFEST_PURPOSE
                     : LL_REASON_NOT_IN_MANIFEST_FIELD;
    uint32_t actions = scope->actions == 0 ? 1 : scope->actions;
    if ((actions & 1u << ask->action) == 0)
        return LL_REASON_NOT_IN_MANIFEST_ACTION;
    enum ll_class class = ref->dictionary->fields[ask->field].class;
    if (!party->terms.pia && (class == LL_C3 || ask->auto_decision ||
                                 party->terms.relation == LL_RELATION_PROVIDE))
        return LL_REASON_PIA_MISSING;
    if (class > party->terms.ceiling)
        return LL_REASON_CLASS_CEILING;
    if (party->terms.abroad)
        return LL_REASON_REGION;
    enum ll_purpose_category category =
        ref->dictionary->purposes[ask->purpose].category;
    if ((ref_is_consent(scope) || scope->basis == LL_BASIS_CONTRACT) &&
        ref_objects(ref, ask, LL_OBJECTION_BLOCK))
        return LL_REASON_OBJECTION;
    if (ask->auto_decision && ref_objects(ref, ask, LL_OBJECTION_AUTO_DECISION))
        return LL_REASON_OBJECTION;
    if (category == LL_PURPOSE_PROFILING &&
        ref_objects(ref, ask, LL_OBJECTION_PROFILING))
        return LL_REASON_OBJECTION;
    if (category == LL_PURPOSE_MARKETING &&
        ref_objects(ref, ask, LL_OBJECTION_MARKETING))
        return LL_REASON_OBJECTION;
    if (ref_is_consent(scope) && ref_is_ward(&person->is, ask->today)) {
        enum ref_force force = ref_guards(ref, ask, LL_NOBODY);
        if (force == REF_NO)
            return LL_REASON_GUARDIAN_REQUIRED;
        if (force == REF_SUSPENDED)
            return LL_REASON_GUARDIAN_SUSPENDED;
    }
    return LL_REASON_ALLOW;
}

static inline bool
ref_may_ask(const struct ref *ref, const struct ll_ask *ask, int64_t *until_ms)
{
    const struct ll_refusal *no = ref_refusal(ref, ask);
    *until_ms = 0;
    if (no == NULL)
        return true;
    if (no->version >= ref->parties[ask->party].terms.version)
        *until_ms = INT64_MAX;
    else if (ask->now_ms < no->at_ms + LL_CONSENT_COOLDOWN_MS)
        *until_ms = no->at_ms + LL_CONSENT_COOLDOWN_MS;
    return *until_ms == 0;
}

static inline void
ref_remedy(const struct ref *ref, const struct ll_ask *ask,
    const struct ll_scope *scope, struct ref_said *said)
{
    switch (said->reason) {
    case LL_REASON_GUARDIAN_REQUIRED:
    case LL_REASON_GUARDIAN_SUSPENDED:
        said->remedy = LL_REMEDY_GUARDIAN;
        break;
    case LL_REASON_NOT_YET:
        said->remedy = LL_REMEDY_WAIT;
        if (said->grant != LL_NO_GRANT)
            said->wait_until_ms = ref->grants[said->grant].from_ms;
        break;
    case LL_REASON_SELF_RECONFIRM:
    case LL_REASON_NO_GRANT:
    case LL_REASON_EXPIRED:
    case LL_REASON_POLICY_CHANGED:
    case LL_REASON_LEVEL_TOO_LOW:
    case LL_REASON_FIELD_NOT_GRANTED:
    case LL_REASON_USES_EXHAUSTED:
        if (!ref_is_consent(scope))
            break;
        if (!ref_may_ask(ref, ask, &said->wait_until_ms))
            said->remedy = LL_REMEDY_WAIT;
        else if (ref_is_ward(&ref->people[ask->subject].is, ask->today))
            said->remedy = LL_REMEDY_GUARDIAN;
        else if (said->reason == LL_REASON_SELF_RECONFIRM)
            said->remedy = LL_REMEDY_RECONFIRM;
        else
            said->remedy = LL_REMEDY_ASK;
        break;
    default:
        break;
    }
}

static inline struct ref_said
ref_decide(const struct ref *ref, const struct ll_ask *ask)
{
    const struct ll_scope *scope;
    struct ref_said said = {ref_before(ref, ask, &scope), LL_BASIS_CONSENT,
        LL_REMEDY_NONE, LL_NO_GRANT, 0};
    if (said.reason == LL_REASON_ALLOW)
        said = ref_is_consent(scope) ? ref_grants(ref, ask, scope)
                                     : ref_record(ref, ask, scope);
    ref_remedy(ref, ask, scope, &said);
    return said;
}

#endif
