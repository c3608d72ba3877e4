/* cmd/audit_fold.c: leaves into people, plugins and bases. */
#include "cmd/audit_fold.h"

#include <string.h>

#include "base/limits_consent.h"
#include "base/text.h"
#include "consent/guardians.h"

#define DAY_MS INT64_C(86400000)
#define ZONE_MS INT64_C(28800000) /* communities are in China */
/* Of whom a band is told for the first time they have just come into it: the
 * next one is told on its day. */
#define DAYS_8 2922
#define DAYS_14 5114

linli_status
ll_fold_bad(struct ll_fold *f, const char *words)
{
    linli_status status =
        ll_fail(f->err, LINLI_E_INVALID, "audit/replay", "%s", words);
    ll_err_where(f->err, "seq %llu", (unsigned long long)f->seq);
    return status;
}

bool
ll_fold_unhex(linli_str text, unsigned char out[LL_TAG_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (text.len != 2 * LL_TAG_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = memchr(digits, text.ptr[i], 16);
        if (at == NULL)
            return false;
        unsigned char half = (unsigned char)(at - digits);
        out[i / 2] =
            (unsigned char)(i % 2 == 0 ? half << 4 : out[i / 2] | half);
    }
    return true;
}

struct ll_jv
ll_fold_data(struct ll_fold *f, const struct ll_leaf *leaf)
{
    if (leaf->data_json.len == 0 ||
        ll_json_parse(&f->data, leaf->data_json, 8, NULL) != LINLI_OK)
        return (struct ll_jv){NULL, 0};
    return ll_json_root(&f->data);
}

int32_t
ll_fold_day(const struct ll_leaf *leaf)
{
    return (int32_t)((leaf->at_ms + ZONE_MS) / DAY_MS);
}

static int
word_of(linli_str word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ll_str_is(word, words[i]))
            return (int)i;
    return -1;
}

static linli_str
text_of(struct ll_jv object, const char *name)
{
    return ll_jv_str(ll_jv_get(object, name));
}

static int64_t
number_of(struct ll_jv object, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;
    (void)ll_jv_int(ll_jv_get(object, name), &number);
    return number;
}

/* Of a leaf that does not say it: whatever it may be. */
static enum ll_class
ceiling_of(struct ll_jv data)
{
    linli_str word = text_of(data, "ceiling");
    for (int i = 0; i < LL_C3; i++)
        if (ll_str_is(word, ll_class_name((enum ll_class)i)))
            return (enum ll_class)i;
    return LL_C3;
}

/* -- people -- */

linli_status
ll_fold_subject(
    struct ll_fold *f, const struct ll_leaf *leaf, linli_str tag, uint32_t *out)
{
    struct ll_person person = {.birth_day = LL_DAY_UNKNOWN};
    *out = LL_NOBODY;
    if (!ll_fold_unhex(tag, person.tag))
        return ll_fold_bad(f, "it does not say about whom");
    *out = ll_consent_subject(f->consent, leaf->community, tag);
    return *out != LL_NOBODY ? LINLI_OK
                             : ll_consent_put_person(f->consent,
                                   leaf->community, tag, &person, out, f->err);
}

/* Erased is dead to the log: their tag is never used again. */
linli_status
ll_fold_person(struct ll_fold *f, const struct ll_leaf *leaf)
{
    static const char *const states[] = {[LL_SUBJECT_ACTIVE] = "active",
        [LL_SUBJECT_FROZEN] = "frozen",
        [LL_SUBJECT_DECEASED] = "deceased",
        [LL_SUBJECT_SHREDDED] = "shredded"};
    static const char *const ages[] = {
        "unknown", "adult", "under18", "under14", "under8"};
    int32_t today = ll_fold_day(leaf);
    const int32_t births[] = {
        LL_DAY_UNKNOWN, LL_DAY_UNKNOWN, today - DAYS_14, today - DAYS_8, today};
    struct ll_person person = {.birth_day = LL_DAY_UNKNOWN};
    uint32_t subject;
    struct ll_jv data = ll_fold_data(f, leaf);
    int state = word_of(leaf->result, states, LL_COUNT(states));
    int age = word_of(text_of(data, "age"), ages, LL_COUNT(ages));
    if (!ll_fold_unhex(leaf->subject, person.tag) || state < 0 || age < 0 ||
        !ll_capacity_read(text_of(data, "capacity"), &person.capacity))
        return ll_fold_bad(f, "it does not say who somebody is");
    person.birth_day = births[age];
    person.state = state == LL_SUBJECT_SHREDDED ? LL_SUBJECT_DECEASED
                                                : (enum ll_subject_state)state;
    return ll_consent_put_person(
        f->consent, leaf->community, leaf->subject, &person, &subject, f->err);
}

linli_status
ll_fold_guardian(struct ll_fold *f, const struct ll_leaf *leaf)
{
    char tag[2 * LL_TAG_BYTES + 1];
    struct ll_jv data = ll_fold_data(f, leaf);
    struct ll_guardianship g = {
        .powers = (uint32_t)number_of(data, "powers", 0),
        .ceiling = ceiling_of(data),
        .from_ms = number_of(data, "from", 0),
        .until_ms = leaf->until_ms == 0 ? INT64_MAX : leaf->until_ms};
    linli_str guardian = text_of(data, "guardian");
    if (guardian.len >= sizeof tag ||
        !ll_guardian_kind_read(text_of(data, "kind"), &g.kind) ||
        !ll_guardian_status_read(leaf->result, &g.status))
        return ll_fold_bad(f, "it does not say who guards whom");
    linli_status status = ll_fold_subject(f, leaf, leaf->subject, &g.ward);
    if (status == LINLI_OK)
        status = ll_fold_subject(f, leaf, guardian, &g.guardian);
    if (status == LINLI_OK && g.ward == g.guardian)
        status = ll_fold_bad(f, "somebody guards themself");
    return status == LINLI_OK ? ll_consent_put_guardian(f->consent, &g, f->err)
                              : status;
}

linli_status
ll_fold_object(struct ll_fold *f, const struct ll_leaf *leaf)
{
    uint32_t subject, party = LL_NO_PARTY;
    linli_str word = text_of(ll_fold_data(f, leaf), "objection");
    int objection = LL_OBJECTION_BLOCK;
    while (objection <= LL_OBJECTION_MARKETING &&
           !ll_str_is(word, ll_objection_name((enum ll_objection)objection)))
        objection++;
    if (objection > LL_OBJECTION_MARKETING)
        return ll_fold_bad(f, "it does not say what is objected to");
    linli_status status = ll_fold_subject(f, leaf, leaf->subject, &subject);
    if (status == LINLI_OK && leaf->plugin.len > 0)
        status = ll_fold_party(f, leaf, &party);
    return status == LINLI_OK ? ll_consent_object(f->consent, subject, party,
                                    (enum ll_objection)objection,
                                    ll_str_is(leaf->result, "on"), f->err)
                              : status;
}

/* -- plugins -- */

linli_status
ll_fold_party(struct ll_fold *f, const struct ll_leaf *leaf, uint32_t *out)
{
    struct ll_terms none = {.active = true, .version = 1, .since = 1};
    if (leaf->plugin.len == 0)
        return ll_fold_bad(f, "it does not say which plugin");
    *out = ll_consent_party(f->consent, leaf->community, leaf->plugin);
    return *out != LL_NO_PARTY
               ? LINLI_OK
               : ll_consent_put_party(f->consent, leaf->community, leaf->plugin,
                     &none, out, f->err);
}

/* What was done with a field is not in the log, so reading it, the least, is
 * in every scope. */
static bool
read_scopes(const struct ll_fold *f, struct ll_jv array,
    struct ll_scope scopes[LL_CONSENT_SCOPES_MAX], uint32_t *count)
{
    *count = 0;
    LL_JSON_EACH (item, array) {
        int field = ll_dictionary_field(&f->dictionary, text_of(item, "field"));
        int purpose =
            ll_dictionary_purpose(&f->dictionary, text_of(item, "purpose"));
        if (field < 0 || purpose < 0 || *count == LL_CONSENT_SCOPES_MAX)
            return false;
        struct ll_scope *scope = &scopes[(*count)++];
        *scope = (struct ll_scope){.field = (uint8_t)field,
            .purpose = (uint8_t)purpose,
            .required = ll_jv_true(ll_jv_get(item, "required")),
            .actions =
                (uint32_t)number_of(item, "actions", 1) | 1u << LL_ACTION_READ,
            .since = (uint32_t)number_of(item, "since", 1)};
        if (!ll_basis_read(text_of(item, "basis"), &scope->basis))
            return false;
    }
    return true;
}

linli_status
ll_fold_terms(struct ll_fold *f, const struct ll_leaf *leaf)
{
    struct ll_scope scopes[LL_CONSENT_SCOPES_MAX];
    uint32_t party;
    struct ll_jv data = ll_fold_data(f, leaf);
    struct ll_jv pia = ll_jv_get(data, "pia");
    struct ll_terms terms = {.active = !ll_str_is(leaf->result, "off"),
        .version = (uint32_t)leaf->version,
        .since = (uint32_t)number_of(data, "since", 1),
        .relation = ll_str_is(text_of(data, "relation"), "provide")
                        ? LL_RELATION_PROVIDE
                        : LL_RELATION_ENTRUST,
        .ceiling = ceiling_of(data),
        .pia = !ll_jv_there(pia) || ll_jv_true(pia),
        .abroad = ll_jv_true(ll_jv_get(data, "abroad")),
        .scopes = scopes};
    if (leaf->plugin.len == 0)
        return ll_fold_bad(f, "it does not say which plugin");
    if (!read_scopes(f, ll_jv_get(data, "scopes"), scopes, &terms.scope_count))
        return ll_fold_bad(f, "its scopes are none of the registry's");
    return ll_consent_put_party(
        f->consent, leaf->community, leaf->plugin, &terms, &party, f->err);
}

linli_status
ll_fold_basis(struct ll_fold *f, const struct ll_leaf *leaf)
{
    struct ll_basis_record record = {
        .fields = f->fields, .from_ms = leaf->at_ms};
    linli_status status = ll_fold_party(f, leaf, &record.party);
    if (status != LINLI_OK)
        return status;
    if (f->purpose < 0 || !ll_basis_read(leaf->basis, &record.basis))
        return ll_fold_bad(f, "it does not say which basis for which purpose");
    record.purpose = (uint8_t)f->purpose;
    record.until_ms = !ll_str_is(leaf->result, "approved") ? leaf->at_ms
                      : leaf->until_ms == 0                ? INT64_MAX
                                                           : leaf->until_ms;
    return ll_consent_put_basis(f->consent, &record, f->err);
}

/* -- who says it -- */

uint32_t
ll_fold_speaker(struct ll_fold *f, const struct ll_leaf *leaf, uint32_t subject)
{
    unsigned char tag[LL_TAG_BYTES];
    linli_str guardian = text_of(ll_fold_data(f, leaf), "guardian");
    if (guardian.len > 0)
        return ll_consent_subject(f->consent, leaf->community, guardian);
    return ll_fold_unhex(leaf->actor, tag)
               ? ll_consent_subject(f->consent, leaf->community, leaf->actor)
               : subject;
}

const char *
ll_fold_may(struct ll_fold *f, const struct ll_leaf *leaf, uint32_t subject,
    uint64_t fields, bool no)
{
    struct ll_acting acting = {.subject = subject,
        .actor = ll_fold_speaker(f, leaf, subject),
        .power = LL_POWER_CONSENT,
        .class = ll_dictionary_class(&f->dictionary, fields),
        .now_ms = leaf->at_ms,
        .today = ll_fold_day(leaf)};
    if (no && acting.actor == subject)
        return NULL;
    enum ll_reason reason = acting.actor == LL_NOBODY
                                ? LL_REASON_GUARDIAN_REQUIRED
                                : ll_consent_may_act(f->consent, &acting);
    return reason == LL_REASON_ALLOW ? NULL : ll_reason_name(reason);
}
