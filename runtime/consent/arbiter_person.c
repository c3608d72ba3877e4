/* consent/arbiter_person.c: who there is, and who decides for whom. [loop] */
#include "consent/arbiter_int.h"

#include "base/text.h"
#include "domain/age.h"

#define AGE_BAND_YEARS_1 8
#define AGE_BAND_YEARS_2 14
#define AGE_BAND_YEARS_3 18

/* -- what the log says: no birthday, only on which side of 8, 14 and 18 -- */

static const char *
age_word(const struct ll_person *person, int32_t today)
{
    if (person->birth_day == LL_DAY_UNKNOWN)
        return "unknown";
    if (ll_age_under(person->birth_day, today, AGE_BAND_YEARS_1))
        return "under8";
    if (ll_age_under(person->birth_day, today, AGE_BAND_YEARS_2))
        return "under14";
    return ll_age_under(person->birth_day, today, AGE_BAND_YEARS_3) ? "under18"
                                                                    : "adult";
}

static void
put_person_leaf(struct ll_deed *deed, const struct ll_actor_of *who,
    const struct ll_person *person)
{
    struct ll_leaf_text text;
    char tag[LL_HEX_BYTES];
    ll_leaf_text_init(&text, deed->arbiter->mem);
    struct ll_leaf leaf = ll_leaf_of(deed->arbiter, who, LL_LEAF_PERSON, &text);
    ll_hex(person->tag, sizeof person->tag, tag);
    leaf.subject = ll_cstr(tag);
    if (leaf.actor.len == 0) /* nobody is there before */
        leaf.actor = leaf.subject;
    leaf.result = ll_cstr(ll_state_word(person->state));
    ll_buf_printf(&text.data, "{\"age\":\"%s\",\"capacity\":\"%s\"}",
        age_word(person, who->today), ll_capacity_word(person->capacity));
    leaf.data_json = ll_buf_view(&text.data);
    if (text.data.failed)
        deed->status = LINLI_E_NOMEM;
    ll_deed_leaf(deed, &leaf);
    ll_leaf_text_fini(&text);
}

/* The document of a guardianship. The guardian's tag, not their id, which may
 * be as long as an id may be. */
static void
put_guardianship_id(const struct ll_arbiter *arbiter,
    const struct ll_guardianship *g, struct ll_buf *out)
{
    char id[LL_HEX_BYTES], of_guardian[LL_HEX_BYTES];
    const struct ll_person *other =
        ll_consent_person(arbiter->consent, g->guardian);
    ll_hex(other->tag, sizeof other->tag, of_guardian);
    ll_refusal_id(
        arbiter, g->ward, LL_NO_PARTY, 0x20000u | (unsigned)g->kind, id);
    ll_buf_printf(out, "%s:%s", id, of_guardian);
}

/* What they gave for a ward was their word, and is nobody's from now on: not
 * that of whoever is called so later, nor the ward's own. */
static void
disown(struct ll_deed *deed, uint32_t ward, uint32_t guardian)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    uint32_t at = LL_NO_GRANT;
    while ((at = ll_consent_next_grant(arbiter->consent, ward, at)) !=
           LL_NO_GRANT) {
        struct ll_grant grant = *ll_consent_grant(arbiter->consent, at);
        if (grant.guardian != guardian)
            continue;
        grant.guardian = LL_GONE;
        ll_deed_put_grant(deed, &grant, &arbiter->ledger->grants[at]);
    }
}

/* Whom they guarded is guarded by nobody of that name who comes later. */
static void
drop_wards(struct ll_deed *deed, uint32_t guardian)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    const struct ll_guardianship *g;
    struct ll_buf id;
    uint32_t at = 0;
    ll_buf_init(&id, arbiter->mem, LL_DOC_ID_BYTES_MAX);
    while (
        (g = ll_consent_next_ward(arbiter->consent, guardian, &at)) != NULL) {
        if (ll_consent_person(arbiter->consent, g->ward) == NULL)
            continue; /* gone with all that was theirs */
        ll_buf_clear(&id);
        put_guardianship_id(arbiter, g, &id);
        if (id.failed)
            deed->status = LINLI_E_NOMEM;
        ll_deed_drop(deed, LL_CONSENT_GUARDIANSHIP, ll_buf_view(&id));
        disown(deed, g->ward, guardian);
    }
    ll_buf_fini(&id);
}

/* All that they ever said goes with them. */
static void
drop_all(struct ll_deed *deed, linli_str resident, uint32_t subject)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    char id[LL_HEX_BYTES];
    uint32_t at = LL_NO_GRANT;
    ll_deed_drop(deed, LL_CONSENT_PERSON, resident);
    if (subject == LL_NOBODY)
        return;
    while ((at = ll_consent_next_grant(arbiter->consent, subject, at)) !=
           LL_NO_GRANT) {
        const struct ll_grant *grant = ll_consent_grant(arbiter->consent, at);
        ll_hex(grant->id, sizeof grant->id, id);
        ll_deed_drop(deed, LL_CONSENT_GRANT, ll_cstr(id));
        ll_deed_drop(deed, LL_CONSENT_PROOF, ll_cstr(id));
    }
    drop_wards(deed, subject);
}

static bool
is_zero(const unsigned char tag[LL_TAG_BYTES])
{
    unsigned char any = 0;
    for (int i = 0; i < LL_TAG_BYTES; i++)
        any |= tag[i];
    return any == 0;
}

static void
take_tag(struct ll_arbiter *arbiter, uint32_t subject, struct ll_person *person)
{
    const struct ll_person *before =
        ll_consent_person(arbiter->consent, subject);
    if (before != NULL)
        memcpy(person->tag, before->tag, sizeof person->tag);
    else if (is_zero(person->tag))
        ll_world_random(arbiter->world, person->tag, sizeof person->tag);
}

/* Theirs, and that of whom they guard. */
static void
rise(struct ll_arbiter *arbiter, uint32_t subject)
{
    const struct ll_guardianship *g;
    uint32_t at = 0;
    ll_arbiter_rise(arbiter, subject, LL_NO_PARTY);
    while ((g = ll_consent_next_ward(arbiter->consent, subject, &at)) != NULL)
        ll_arbiter_rise(arbiter, g->ward, LL_NO_PARTY);
}

linli_status
ll_arbiter_put_person(struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    linli_str resident, const struct ll_person *person, struct ll_act *act,
    struct ll_err *err)
{
    struct ll_consent *consent = arbiter->consent;
    struct ll_person after = *person;
    struct ll_deed deed;
    uint32_t number,
        before = ll_consent_subject(consent, who->community, resident);
    take_tag(arbiter, before, &after);
    ll_deed_begin(&deed, arbiter, who->community, who->now_ms);
    put_person_leaf(&deed, who, &after);
    if (after.state == LL_SUBJECT_SHREDDED)
        drop_all(&deed, resident, before);
    else
        ll_deed_put_person(&deed, resident, &after);
    linli_status status = ll_deed_ready(&deed, err);
    if (status != LINLI_OK)
        return status;
    status = ll_consent_put_person(
        consent, who->community, resident, &after, &number, err);
    if (status != LINLI_OK) {
        ll_deed_end(&deed);
        return status;
    }
    (void)ll_deed_commit(&deed, act);
    if (before != LL_NOBODY)
        rise(arbiter, before);
    return LINLI_OK;
}

linli_status
ll_arbiter_meet(struct ll_arbiter *arbiter, linli_str community,
    linli_str resident, int64_t now_ms, uint32_t *subject, struct ll_err *err)
{
    struct ll_person person = {.birth_day = LL_DAY_UNKNOWN};
    struct ll_actor_of who = {.community = community,
        .subject = LL_NOBODY,
        .actor = LL_NOBODY,
        .actor_name = (linli_str)LINLI_STR("system"),
        .now_ms = now_ms};
    *subject = ll_consent_subject(arbiter->consent, community, resident);
    if (*subject != LL_NOBODY)
        return LINLI_OK;
    linli_status status =
        ll_arbiter_put_person(arbiter, &who, resident, &person, NULL, err);
    *subject = ll_consent_subject(arbiter->consent, community, resident);
    return status;
}

/* -- guardians -- */

static void
put_guardianship(struct ll_deed *deed, const struct ll_guardianship *g)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    linli_str ward = ll_consent_resident(arbiter->consent, g->ward);
    linli_str guardian = ll_consent_resident(arbiter->consent, g->guardian);
    struct ll_buf text;
    ll_buf_init(&text, arbiter->mem, LL_DOC_ID_BYTES_MAX);
    put_guardianship_id(arbiter, g, &text);
    if (text.failed)
        deed->status = LINLI_E_NOMEM;
    struct ll_jw w = ll_deed_body(deed, ll_buf_view(&text));
    ll_jw_key(&w, "ward");
    ll_jw_str(&w, ward);
    ll_jw_key(&w, "guardian");
    ll_jw_str(&w, guardian);
    ll_jw_key(&w, "kind");
    ll_jw_cstr(&w, ll_guardian_kind_name(g->kind));
    ll_jw_key(&w, "powers");
    ll_jw_int(&w, g->powers);
    ll_jw_key(&w, "ceiling");
    ll_jw_cstr(&w, ll_class_name(g->ceiling));
    ll_jw_key(&w, "from");
    ll_jw_int(&w, g->from_ms);
    ll_jw_key(&w, "until");
    ll_jw_int(&w, g->until_ms);
    ll_jw_key(&w, "status");
    ll_jw_int(&w, g->status);
    ll_deed_put(deed, &w, LL_CONSENT_GUARDIANSHIP, ll_buf_view(&text), ward);
    ll_buf_fini(&text);
}

static void
put_guardian_leaf(struct ll_deed *deed, const struct ll_actor_of *who,
    const struct ll_guardianship *g)
{
    static const char *const words[] = {[LL_GUARDIAN_PENDING] = "pending",
        [LL_GUARDIAN_ACTIVE] = "active",
        [LL_GUARDIAN_SUSPENDED] = "suspended",
        [LL_GUARDIAN_ENDED] = "ended",
        [LL_GUARDIAN_ACCEPTED] = "accepted"};
    struct ll_arbiter *arbiter = deed->arbiter;
    struct ll_actor_of about = *who;
    struct ll_leaf_text text;
    char tag[LL_HEX_BYTES];
    about.subject = g->ward;
    ll_leaf_text_init(&text, arbiter->mem);
    struct ll_leaf leaf = ll_leaf_of(arbiter, &about, LL_LEAF_GUARDIAN, &text);
    const struct ll_person *guardian =
        ll_consent_person(arbiter->consent, g->guardian);
    ll_hex(guardian->tag, sizeof guardian->tag, tag);
    leaf.result = ll_cstr(words[g->status]);
    leaf.until_ms = g->until_ms;
    ll_buf_printf(&text.data,
        "{\"guardian\":\"%s\",\"kind\":\"%s\",\"powers\":%u,"
        "\"ceiling\":\"%s\",\"from\":%lld}",
        tag, ll_guardian_kind_name(g->kind), (unsigned)g->powers,
        ll_class_name(g->ceiling), (long long)g->from_ms);
    leaf.data_json = ll_buf_view(&text.data);
    if (text.data.failed)
        deed->status = LINLI_E_NOMEM;
    ll_deed_leaf(deed, &leaf);
    ll_leaf_text_fini(&text);
}

linli_status
ll_arbiter_put_guardian(struct ll_arbiter *arbiter,
    const struct ll_actor_of *who, const struct ll_guardianship *guardianship,
    struct ll_act *act, struct ll_err *err)
{
    struct ll_consent *consent = arbiter->consent;
    struct ll_deed deed;
    if (ll_consent_person(consent, guardianship->ward) == NULL ||
        ll_consent_person(consent, guardianship->guardian) == NULL ||
        guardianship->ward == guardianship->guardian)
        return ll_fail(err, LINLI_E_INVALID, "consent/act",
            "a guardianship is between two residents of one community");
    ll_deed_begin(&deed, arbiter, who->community, who->now_ms);
    put_guardianship(&deed, guardianship);
    put_guardian_leaf(&deed, who, guardianship);
    linli_status status = ll_deed_ready(&deed, err);
    if (status != LINLI_OK)
        return status;
    status = ll_consent_put_guardian(consent, guardianship, err);
    if (status != LINLI_OK) {
        ll_deed_end(&deed);
        return status;
    }
    (void)ll_deed_commit(&deed, act);
    ll_arbiter_rise(arbiter, guardianship->ward, LL_NO_PARTY);
    return LINLI_OK;
}
