/* domain/consent_no.c: objections and refusals. */
#include "base/err.h"
#include "domain/consent_int.h"

#define X(name, word) #word,
static const char *const objection_words[] = {LL_OBJECTIONS(X)};
#undef X

const char *
ll_objection_name(enum ll_objection objection)
{
    return objection_words[objection];
}

/* -- objections -- */

static struct ll_objection_node *
objection_find(const struct ll_consent *consent,
    const struct ll_subject *subject, uint32_t party)
{
    for (uint32_t i = subject->objections; i != LL_NO_NODE;) {
        struct ll_objection_node *node = ll_slab_at(&consent->objections, i);
        if (node->party == party)
            return node;
        i = node->next;
    }
    return NULL;
}

uint32_t
ll_objections_between(const struct ll_consent *consent,
    const struct ll_subject *subject, uint32_t party)
{
    if (subject->objections == LL_NO_NODE)
        return subject->objected;
    const struct ll_objection_node *node =
        objection_find(consent, subject, party);
    return subject->objected | (node == NULL ? 0 : node->bits);
}

uint32_t
ll_consent_objections(
    const struct ll_consent *consent, uint32_t number, uint32_t party)
{
    const struct ll_subject *subject = ll_subject_at(consent, number);
    if (subject == NULL || party == LL_NO_PARTY)
        return subject == NULL ? 0 : subject->objected;
    const struct ll_objection_node *node =
        objection_find(consent, subject, party);
    return node == NULL ? 0 : node->bits;
}

/* The node of subject and party, made if there is none; NULL: no memory. */
static struct ll_objection_node *
objection_make(
    struct ll_consent *consent, struct ll_subject *subject, uint32_t party)
{
    struct ll_objection_node *node = objection_find(consent, subject, party);
    if (node != NULL)
        return node;
    if (!ll_slab_room(&consent->objections, consent->mem))
        return NULL;
    uint32_t number = consent->objections.count++;
    node = ll_slab_at(&consent->objections, number);
    *node = (struct ll_objection_node){party, 0, subject->objections};
    subject->objections = number;
    return node;
}

linli_status
ll_consent_object(struct ll_consent *consent, uint32_t subject, uint32_t party,
    enum ll_objection objection, bool on, struct ll_err *err)
{
    ll_check(subject < consent->subjects.count);
    ll_check(party == LL_NO_PARTY || party < consent->parties.count);
    struct ll_subject *who = ll_subject_at(consent, subject);
    struct ll_objection_node *node = NULL;
    if (party != LL_NO_PARTY) {
        node = objection_make(consent, who, party);
        if (node == NULL)
            return ll_fail(
                err, LINLI_E_NOMEM, "runtime/memory", "an objection");
    }
    uint32_t bit = 1u << objection;
    uint32_t was = node == NULL ? who->objected : node->bits;
    uint32_t is = on ? was | bit : was & ~bit;
    if ((is & ~was) != 0)
        who->epoch++;
    if (node == NULL)
        who->objected = (uint16_t)is;
    else
        node->bits = is;
    return LINLI_OK;
}

/* -- refusals -- */

static struct ll_refusal_node *
refusal_node(const struct ll_consent *consent, uint32_t i)
{
    return ll_slab_at(&consent->refusals, i);
}

static struct ll_refusal_node *
refusal_find(const struct ll_consent *consent, const struct ll_refusal *key)
{
    for (uint32_t i = ll_subject_at(consent, key->subject)->refusals;
         i != LL_NO_NODE; i = refusal_node(consent, i)->next) {
        const struct ll_refusal *is = &refusal_node(consent, i)->is;
        if (is->party == key->party && is->purpose == key->purpose &&
            is->field == key->field)
            return refusal_node(consent, i);
    }
    return NULL;
}

const struct ll_refusal *
ll_refusal_find(const struct ll_consent *consent, const struct ll_ask *ask)
{
    struct ll_refusal key = {
        ask->subject, ask->party, ask->purpose, ask->field, 0, 0};
    if (ask->subject >= consent->subjects.count)
        return NULL;
    const struct ll_refusal_node *node = refusal_find(consent, &key);
    return node == NULL ? NULL : &node->is;
}

linli_status
ll_consent_refuse(struct ll_consent *consent, const struct ll_refusal *refusal,
    struct ll_err *err)
{
    ll_check(refusal->subject < consent->subjects.count);
    ll_check(refusal->party < consent->parties.count);
    struct ll_subject *subject = ll_subject_at(consent, refusal->subject);
    struct ll_refusal_node *node = refusal_find(consent, refusal);
    if (node != NULL) {
        if (refusal->at_ms >= node->is.at_ms)
            node->is = *refusal;
        return LINLI_OK;
    }
    uint32_t number = consent->free_refusal;
    if (number != LL_NO_NODE) {
        consent->free_refusal = refusal_node(consent, number)->next;
    } else {
        if (!ll_slab_room(&consent->refusals, consent->mem))
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a refusal");
        number = consent->refusals.count++;
    }
    *refusal_node(consent, number) =
        (struct ll_refusal_node){*refusal, subject->refusals};
    subject->refusals = number;
    return LINLI_OK;
}

void
ll_refusals_take_back(struct ll_consent *consent, const struct ll_grant *grant)
{
    uint32_t *from = &ll_subject_at(consent, grant->subject)->refusals;
    if (*from == LL_NO_NODE ||
        (grant->guardian != LL_NOBODY &&
            ll_guard_is_delegate(consent, grant->subject, grant->guardian)))
        return;
    while (*from != LL_NO_NODE) {
        uint32_t number = *from;
        struct ll_refusal_node *node = refusal_node(consent, number);
        if (node->is.party != grant->party ||
            node->is.purpose != grant->purpose ||
            (grant->fields >> node->is.field & 1) == 0 ||
            node->is.at_ms > grant->given_ms) {
            from = &node->next;
            continue;
        }
        *from = node->next;
        node->next = consent->free_refusal;
        consent->free_refusal = number;
    }
}

bool
ll_consent_may_ask(const struct ll_consent *consent, const struct ll_ask *ask,
    int64_t cooldown_ms, int64_t *until_ms)
{
    const struct ll_refusal *refusal = ll_refusal_find(consent, ask);
    const struct ll_terms *terms = ll_consent_terms(consent, ask->party);
    *until_ms = 0;
    if (refusal == NULL || terms == NULL)
        return true;
    if (terms->version <= refusal->version) {
        *until_ms = INT64_MAX;
        return false;
    }
    if (ask->now_ms - refusal->at_ms >= cooldown_ms)
        return true;
    *until_ms = refusal->at_ms + cooldown_ms;
    return false;
}
