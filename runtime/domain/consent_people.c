/* domain/consent_people.c: who may decide for whom. */
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "domain/consent_int.h"

#define AGE_OF_SIGHT 8     /* 民法典 19, 20 */
#define AGE_OF_MAJORITY 18 /* 民法典 17 */

static const char *const kind_words[] = {
    "parent", "statutory", "court", "agreed", "delegate"};

const char *
ll_guardian_kind_name(enum ll_guardian_kind kind)
{
    return kind_words[kind];
}

bool
ll_guardian_kind_read(linli_str word, enum ll_guardian_kind *out)
{
    *out = LL_GUARDIAN_PARENT;
    for (size_t i = 0; i < LL_COUNT(kind_words); i++)
        if (ll_str_is(word, kind_words[i])) {
            *out = (enum ll_guardian_kind)i;
            return true;
        }
    return false;
}

linli_status
ll_consent_put_guardian(struct ll_consent *consent,
    const struct ll_guardianship *is, struct ll_err *err)
{
    ll_check(is->ward < consent->subjects.count);
    ll_check(is->guardian < consent->subjects.count);
    struct ll_subject *ward = ll_subject_at(consent, is->ward);
    if (is->ward == is->guardian ||
        ward->community != ll_subject_at(consent, is->guardian)->community)
        return ll_fail(err, LINLI_E_INVALID, "consent/forbidden",
            "nobody guards themself, or a resident of another community");
    for (uint32_t i = ward->guards; i != LL_NO_NODE;) {
        struct ll_guard_node *node = ll_slab_at(&consent->guards, i);
        if (node->is.guardian == is->guardian && node->is.kind == is->kind) {
            node->is = *is;
            ward->epoch++;
            return LINLI_OK;
        }
        i = node->next;
    }
    if (!ll_slab_room(&consent->guards, consent->mem))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a guardianship");
    uint32_t number = consent->guards.count++;
    *(struct ll_guard_node *)ll_slab_at(&consent->guards, number) =
        (struct ll_guard_node){*is, ward->guards};
    ward->guards = number;
    ward->epoch++;
    ll_subject_at(consent, is->guardian)->guards_some = true;
    return LINLI_OK;
}

/* *at is the number of the node before, and one. */
const struct ll_guardianship *
ll_consent_next_guard(
    const struct ll_consent *consent, uint32_t ward, uint32_t *at)
{
    uint32_t next = LL_NO_NODE;
    if (*at > 0)
        next = ((const struct ll_guard_node *)ll_slab_at(
                    &consent->guards, *at - 1))
                   ->next;
    else if (ll_consent_person(consent, ward) != NULL)
        next = ll_subject_at(consent, ward)->guards;
    if (next == LL_NO_NODE)
        return NULL;
    *at = next + 1;
    return &((const struct ll_guard_node *)ll_slab_at(&consent->guards, next))
                ->is;
}

const struct ll_guardianship *
ll_consent_next_ward(
    const struct ll_consent *consent, uint32_t guardian, uint32_t *at)
{
    while (*at < consent->guards.count) {
        const struct ll_guard_node *node =
            ll_slab_at(&consent->guards, (*at)++);
        if (node->is.guardian == guardian &&
            ll_consent_person(consent, node->is.ward) != NULL)
            return &node->is;
    }
    return NULL;
}

void
ll_consent_raise(struct ll_consent *consent, uint32_t subject)
{
    if (ll_consent_person(consent, subject) == NULL)
        return;
    ll_subject_at(consent, subject)->epoch++;
    ll_guard_changed(consent, subject);
}

void
ll_consent_set_reconfirm(struct ll_consent *consent, int32_t days)
{
    consent->reconfirm_days = days;
}

void
ll_guard_changed(struct ll_consent *consent, uint32_t guardian)
{
    if (!ll_subject_at(consent, guardian)->guards_some)
        return;
    for (uint32_t i = 0; i < consent->guards.count; i++) {
        const struct ll_guard_node *node = ll_slab_at(&consent->guards, i);
        if (node->is.guardian == guardian)
            ll_subject_at(consent, node->is.ward)->epoch++;
    }
}

/* -- what a guardianship is good for -- */

/* Consenting and erasing change what others may do with a person's data. */
static bool
is_deciding(uint32_t power)
{
    return power == LL_POWER_CONSENT || power == LL_POWER_ERASE;
}

static bool
kind_serves(enum ll_guardian_kind kind, const struct ll_person *ward,
    const struct ll_guarding *want)
{
    switch (kind) {
    case LL_GUARDIAN_AGREED:
        return ward->capacity != LL_CAPACITY_FULL;
    case LL_GUARDIAN_DELEGATE:
        return !ll_person_is_ward(ward, want->today);
    default:
        return ll_person_is_ward(ward, want->today) ||
               (!is_deciding(want->power) &&
                   ll_age_under(ward->birth_day, want->today, AGE_OF_MAJORITY));
    }
}

/* Whether somebody can guard anybody today. */
static bool
is_able(const struct ll_person *person, int32_t today)
{
    return person->state == LL_SUBJECT_ACTIVE &&
           person->capacity == LL_CAPACITY_FULL &&
           !ll_age_under(person->birth_day, today, AGE_OF_MAJORITY);
}

enum ll_reason
ll_guard_force(const struct ll_consent *consent,
    const struct ll_guardianship *is, const struct ll_guarding *want)
{
    const struct ll_person *ward = &ll_subject_at(consent, is->ward)->person;
    const struct ll_person *guardian =
        &ll_subject_at(consent, is->guardian)->person;
    if ((is->powers & want->power) == 0 || is->ceiling < want->class ||
        want->now_ms < is->from_ms || want->now_ms >= is->until_ms ||
        !kind_serves(is->kind, ward, want) || !is_able(guardian, want->today))
        return LL_REASON_GUARDIAN_REQUIRED;
    if (is->status == LL_GUARDIAN_SUSPENDED)
        return LL_REASON_GUARDIAN_SUSPENDED;
    return is->status == LL_GUARDIAN_ACTIVE ? LL_REASON_ALLOW
                                            : LL_REASON_GUARDIAN_REQUIRED;
}

enum ll_reason
ll_guard_best(const struct ll_consent *consent, uint32_t ward,
    uint32_t guardian, const struct ll_guarding *want)
{
    enum ll_reason best = LL_REASON_GUARDIAN_REQUIRED;
    for (uint32_t i = ll_subject_at(consent, ward)->guards; i != LL_NO_NODE;) {
        const struct ll_guard_node *node = ll_slab_at(&consent->guards, i);
        i = node->next;
        if (guardian != LL_NOBODY && node->is.guardian != guardian)
            continue;
        enum ll_reason force = ll_guard_force(consent, &node->is, want);
        if (force == LL_REASON_ALLOW)
            return force;
        if (force == LL_REASON_GUARDIAN_SUSPENDED)
            best = force;
    }
    return best;
}

bool
ll_guard_is_delegate(
    const struct ll_consent *consent, uint32_t ward, uint32_t guardian)
{
    bool any = false;
    for (uint32_t i = ll_subject_at(consent, ward)->guards; i != LL_NO_NODE;) {
        const struct ll_guard_node *node = ll_slab_at(&consent->guards, i);
        i = node->next;
        if (node->is.guardian != guardian)
            continue;
        if (node->is.kind != LL_GUARDIAN_DELEGATE)
            return false;
        any = true;
    }
    return any;
}

bool
ll_consent_is_ward(
    const struct ll_consent *consent, uint32_t subject, int32_t today)
{
    const struct ll_person *person = ll_consent_person(consent, subject);
    return person != NULL && ll_person_is_ward(person, today);
}

/* Whether they may do it for themself. */
static bool
may_alone(const struct ll_person *person, const struct ll_acting *acting)
{
    if (person->capacity == LL_CAPACITY_NONE ||
        ll_age_under(person->birth_day, acting->today, AGE_OF_SIGHT))
        return false;
    return !is_deciding(acting->power) ||
           !ll_person_is_ward(person, acting->today);
}

enum ll_reason
ll_consent_may_act(
    const struct ll_consent *consent, const struct ll_acting *acting)
{
    const struct ll_person *person =
        ll_consent_person(consent, acting->subject);
    struct ll_guarding want = {
        acting->power, acting->class, acting->now_ms, acting->today};
    if (person == NULL)
        return LL_REASON_UNKNOWN_SUBJECT;
    if (person->state == LL_SUBJECT_DECEASED)
        return LL_REASON_SUBJECT_DECEASED;
    if (person->state == LL_SUBJECT_FROZEN && acting->power != LL_POWER_VIEW)
        return LL_REASON_SUBJECT_FROZEN;
    if (acting->actor == acting->subject)
        return may_alone(person, acting) ? LL_REASON_ALLOW
                                         : LL_REASON_GUARDIAN_REQUIRED;
    if (acting->actor >= consent->subjects.count)
        return LL_REASON_GUARDIAN_REQUIRED;
    return ll_guard_best(consent, acting->subject, acting->actor, &want);
}
