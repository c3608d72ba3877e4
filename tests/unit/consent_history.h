/* tests/unit/consent_history.h: what happens to residents and plugins, done to
 * the decider's state and to the reference alike.
 */
#ifndef CONSENT_HISTORY_H
#define CONSENT_HISTORY_H

#include "consent_ref.h"
#include "dice.h"
#include "t.h"

#define PANEL 20
#define START_DAY 20500 /* 2026-02-16 */
#define PEOPLE 6

static const char *const field_names[] = {"phone", "plate", "display_name",
    "parking_trail", "care_notes", "phone_relay"};
static const char *const purpose_names[] = {"service", "billing", "marketing",
    "recommendation", "legal_duty", "emergency_rescue"};
static const char *const names[PEOPLE] = {
    "wang", "kid", "teen", "mother", "son", "stranger"};
static uint8_t fields[LL_COUNT(field_names)];
static uint8_t purposes[LL_COUNT(purpose_names)];

static struct ll_mem mem;
static struct ll_dictionary dictionary;
static struct ll_consent *consent;
static struct ref ref;
static struct ll_ask panel[PANEL];
static int64_t given_uses[REF_GRANTS], used_uses[REF_GRANTS];
static uint64_t seed, die, ids;
static int64_t now_ms;
static uint32_t step, checks;
static bool failed;

/* -- saying so -- */

static void
law(int number, bool holds, const char *what)
{
    checks++;
    if (holds || failed)
        return;
    failed = true;
    printf(
        "# seed %" PRIu64 ", step %u: law %d: %s\n", seed, step, number, what);
}

static void
same(const char *what, int64_t got, int64_t want, const struct ll_ask *ask)
{
    checks++;
    if (got == want || failed)
        return;
    failed = true;
    printf("# seed %" PRIu64 ", step %u: %s: got %" PRId64 ", want %" PRId64
           "; subject %u party %u field %u purpose %u\n",
        seed, step, what, got, want, ask->subject, ask->party, ask->field,
        ask->purpose);
}

static uint32_t
below(uint32_t n)
{
    return dice_below(&die, n);
}

static bool
chance(uint32_t percent)
{
    return below(100) < percent;
}

static int32_t
today(void)
{
    return (int32_t)(now_ms / REF_DAY_MS);
}

static void
draw_id(unsigned char id[LL_TAG_BYTES])
{
    for (int i = 0; i < LL_TAG_BYTES; i++)
        id[i] = (unsigned char)(dice(&ids) >> 32);
}

static uint8_t
any_field(void)
{
    return fields[below(LL_COUNT(fields))];
}

static uint8_t
any_purpose(void)
{
    return purposes[below(LL_COUNT(purposes))];
}

static uint32_t
any_person(void)
{
    return below(ref.person_count);
}

static uint64_t
any_fields(void)
{
    uint64_t set = (uint64_t)1 << any_field();
    while (chance(35))
        set |= (uint64_t)1 << any_field();
    return set;
}

static void
set_time(int64_t ms)
{
    now_ms = ms;
    for (int i = 0; i < PANEL; i++) {
        panel[i].now_ms = now_ms;
        panel[i].today = today();
    }
}

/* -- what happens: done to both -- */

/* Near the ages that matter, so that they are passed in a history. */
static int32_t
draw_birth(void)
{
    static const int years[] = {8, 14, 18, 40, 70};
    if (chance(15))
        return LL_DAY_UNKNOWN;
    return START_DAY - years[below(5)] * 365 - (int32_t)below(800) + 500;
}

static void
put_person(const char *community, const char *name, struct ll_person is)
{
    uint32_t number, old = LL_NOBODY;
    for (uint32_t i = 0; i < ref.person_count; i++)
        if (!ref.people[i].gone &&
            strcmp(ref.people[i].community, community) == 0 &&
            strcmp(ref.people[i].name, name) == 0)
            old = i;
    T_OK(ll_consent_put_person(consent, ll_cstr(community), ll_cstr(name), &is,
             &number, NULL) == LINLI_OK);
    if (is.state == LL_SUBJECT_SHREDDED) {
        law(18, number == old, "the number of one who is shredded");
        if (old == LL_NOBODY)
            return;
        ref.people[old].gone = true;
        for (uint32_t i = 0; i < ref.grant_count; i++)
            if (ref.grants[i].subject == old &&
                ref.grants[i].status == LL_GRANT_LIVE)
                ref.grants[i].status = LL_GRANT_REVOKED;
        return;
    }
    if (old == LL_NOBODY)
        old = ref.person_count++;
    law(18, number == old, "the number of a person");
    ref.people[old] = (struct ref_person){is, community, name, false};
}

static void
person_changes(void)
{
    uint32_t i = any_person();
    struct ll_person is = ref.people[i].is;
    if (ref.people[i].gone || ref.person_count > REF_PEOPLE - 2)
        return;
    if (chance(30))
        is.birth_day = draw_birth();
    if (chance(50))
        is.capacity = (enum ll_capacity)below(3);
    else if (chance(60))
        is.capacity = LL_CAPACITY_FULL;
    is.state =
        chance(80) ? LL_SUBJECT_ACTIVE : (enum ll_subject_state)(1 + below(2));
    if (chance(4))
        is.state = LL_SUBJECT_SHREDDED;
    put_person(ref.people[i].community, ref.people[i].name, is);
    if (is.state == LL_SUBJECT_SHREDDED && chance(50)) {
        is.state = LL_SUBJECT_ACTIVE; /* comes back as somebody else */
        draw_id(is.tag);
        put_person(ref.people[i].community, ref.people[i].name, is);
    }
}

static void
put_guard(const struct ll_guardianship *g)
{
    bool ok =
        g->ward != g->guardian && strcmp(ref.people[g->ward].community,
                                      ref.people[g->guardian].community) == 0;
    linli_status status = ll_consent_put_guardian(consent, g, NULL);
    law(10, (status == LINLI_OK) == ok, "nobody guards themself");
    if (!ok)
        return;
    for (uint32_t i = 0; i < ref.guard_count; i++)
        if (ref.guards[i].ward == g->ward &&
            ref.guards[i].guardian == g->guardian &&
            ref.guards[i].kind == g->kind) {
            ref.guards[i] = *g;
            return;
        }
    ref.guards[ref.guard_count++] = *g;
}

static void
guard_changes(void)
{
    struct ll_guardianship g = {.ward = any_person(),
        .guardian = any_person(),
        .kind = (enum ll_guardian_kind)below(5),
        .powers = chance(85) ? 15u : below(16),
        .ceiling = chance(80) ? LL_C3 : (enum ll_class)(1 + below(3)),
        .from_ms = chance(90) ? 0 : now_ms + REF_DAY_MS,
        .until_ms = chance(70) ? INT64_MAX : now_ms + below(90) * REF_DAY_MS,
        .status = chance(70) ? LL_GUARDIAN_ACTIVE
                             : (enum ll_guardian_status)below(4)};
    if (ref.guard_count > REF_GUARDS - 2)
        return;
    if (chance(60) && ref.guard_count > 0) { /* one that is there */
        const struct ll_guardianship *is = &ref.guards[below(ref.guard_count)];
        g.ward = is->ward;
        g.guardian = is->guardian;
        g.kind = is->kind;
    }
    if (!ref.people[g.ward].gone && !ref.people[g.guardian].gone)
        put_guard(&g);
}

static void
put_terms(uint32_t number, const struct ref_party *party)
{
    uint32_t got;
    T_OK(ll_consent_put_party(consent, ll_cstr(party->community),
             ll_cstr(party->name), &party->terms, &got, NULL) == LINLI_OK);
    law(18, got == number, "the number of a plugin");
}

static enum ll_basis
draw_basis(void)
{
    uint32_t n = below(100);
    return n < 55   ? LL_BASIS_CONSENT
           : n < 75 ? LL_BASIS_SEPARATE
           : n < 88 ? LL_BASIS_CONTRACT
           : n < 96 ? LL_BASIS_STATUTORY
                    : LL_BASIS_EMERGENCY;
}

static void
draw_scopes(struct ref_party *party)
{
    uint32_t percent = 30 + below(60);
    party->terms.scope_count = 0;
    for (size_t f = 0; f < LL_COUNT(fields); f++)
        for (size_t p = 0; p < LL_COUNT(purposes); p++) {
            if (!chance(percent))
                continue;
            party->scopes[party->terms.scope_count++] =
                (struct ll_scope){.field = fields[f],
                    .purpose = purposes[p],
                    .basis = draw_basis(),
                    .required = chance(50),
                    .actions = chance(90) ? 0 : 1u << below(3),
                    .since = chance(85) ? 0 : 1 + below(party->terms.version)};
        }
    party->terms.scopes = party->scopes;
}

/* Ordinary once, then wider, narrower, elsewhere, or off. */
static void
terms_change(void)
{
    uint32_t number = below(ref.party_count);
    struct ref_party *party = &ref.parties[number];
    struct ll_terms *terms = &party->terms;
    terms->version++;
    if (chance(30)) {
        terms->since = terms->version; /* wider: ask again */
        draw_scopes(party);
    } else if (chance(40) && terms->scope_count > 1) {
        uint32_t gone = below(terms->scope_count); /* narrower */
        party->scopes[gone] = party->scopes[--terms->scope_count];
    } else if (terms->scope_count > 0) {
        for (uint32_t i = 0; i < terms->scope_count; i++)
            if (chance(30)) /* these alone are wider */
                party->scopes[i].since = terms->version;
    }
    terms->active = chance(92);
    terms->pia = chance(90);
    terms->abroad = chance(4);
    terms->ceiling = chance(85) ? LL_C3 : (enum ll_class)(1 + below(3));
    terms->relation = chance(80) ? LL_RELATION_ENTRUST : LL_RELATION_PROVIDE;
    put_terms(number, party);
}

static void
basis_changes(void)
{
    struct ll_basis_record r = {.party = below(ref.party_count),
        .purpose = any_purpose(),
        .basis = (enum ll_basis)(2 + below(3)),
        .fields = any_fields() | any_fields() | any_fields(),
        .from_ms = chance(85) ? 0 : now_ms + REF_DAY_MS,
        .until_ms = chance(70) ? INT64_MAX : now_ms + below(60) * REF_DAY_MS};
    T_OK(ll_consent_put_basis(consent, &r, NULL) == LINLI_OK);
    for (uint32_t i = 0; i < ref.record_count; i++)
        if (ref.records[i].party == r.party &&
            ref.records[i].purpose == r.purpose &&
            ref.records[i].basis == r.basis) {
            ref.records[i] = r;
            return;
        }
    ref.records[ref.record_count++] = r;
}

static bool
same_key(const struct ll_grant *a, const struct ll_grant *b)
{
    return a->subject == b->subject && a->party == b->party &&
           a->purpose == b->purpose;
}

/* Whether all that stands between the two is a delegation. */
static bool
is_delegate_only(uint32_t ward, uint32_t guardian)
{
    bool any = false;
    for (uint32_t i = 0; i < ref.guard_count; i++)
        if (ref.guards[i].ward == ward && ref.guards[i].guardian == guardian) {
            if (ref.guards[i].kind != LL_GUARDIAN_DELEGATE)
                return false;
            any = true;
        }
    return any;
}

static void
take_back(const struct ll_grant *g)
{
    if (g->guardian != LL_NOBODY && is_delegate_only(g->subject, g->guardian))
        return;
    for (uint32_t i = ref.refusal_count; i-- > 0;) {
        const struct ll_refusal *no = &ref.refusals[i];
        if (no->subject == g->subject && no->party == g->party &&
            no->purpose == g->purpose && no->at_ms <= g->given_ms &&
            (g->fields & (uint64_t)1 << no->field) != 0)
            ref.refusals[i] = ref.refusals[--ref.refusal_count];
    }
}

static uint32_t
put_grant(const struct ll_grant *g)
{
    uint32_t got = LL_NO_GRANT, number = ref.grant_count;
    T_OK(ll_consent_put_grant(consent, g, &got, NULL) == LINLI_OK);
    law(18, got == number, "the number of a grant");
    for (uint32_t i = 0; i < ref.grant_count; i++)
        if (same_key(&ref.grants[i], g) &&
            ref.grants[i].status == LL_GRANT_LIVE &&
            (ref.grants[i].fields | g->fields) == g->fields)
            ref.grants[i].status = LL_GRANT_REPLACED;
    take_back(g);
    ref.grants[ref.grant_count++] = *g;
    given_uses[number] = g->uses;
    used_uses[number] = 0;
    return number;
}

/* Mostly one that answers a question of the panel. */
static void
grant_is_given(void)
{
    set_time(now_ms + below(2)); /* now and then in one millisecond */
    const struct ll_ask *ask = &panel[below(PANEL)];
    bool about = chance(75) && ask->subject < ref.person_count &&
                 ask->party < ref.party_count;
    struct ll_grant g = {.subject = about ? ask->subject : any_person(),
        .party = about ? ask->party : below(ref.party_count),
        .purpose = about ? ask->purpose : any_purpose(),
        .fields = about ? (uint64_t)1 << ask->field : any_fields(),
        .level = (uint8_t)(chance(40) ? LL_LEVEL_GENERAL : LL_LEVEL_SEPARATE),
        .idle_days = (uint8_t)(chance(20) ? 1 + below(40) : 0),
        .uses = chance(20) ? (int32_t)(1 + below(2)) : -1,
        .guardian = LL_NOBODY,
        .from_ms = chance(90) ? now_ms : now_ms + 3 * REF_DAY_MS,
        .given_ms = now_ms};
    if (ref.grant_count > REF_GRANTS - PANEL - 2 || ref.people[g.subject].gone)
        return;
    if (chance(15))
        g.fields |= any_fields();
    for (uint32_t i = 0; i < ref.guard_count; i++)
        if (ref.guards[i].ward == g.subject && chance(40))
            g.guardian = ref.guards[i].guardian;
    g.until_ms = g.from_ms + (1 + below(200)) * REF_DAY_MS;
    g.used_ms = g.from_ms;
    g.version = ref.parties[g.party].terms.version;
    if (chance(6))
        g.version = 1 + below(g.version + 1);
    draw_id(g.id);
    put_grant(&g);
}

static void
grant_ends(void)
{
    if (ref.grant_count == 0)
        return;
    uint32_t i = below(ref.grant_count);
    enum ll_grant_status how = chance(70) ? LL_GRANT_REVOKED : LL_GRANT_EXPIRED;
    ll_consent_end_grant(consent, i, how);
    if (ref.grants[i].status == LL_GRANT_LIVE)
        ref.grants[i].status = (uint8_t)how;
}

/* What was allowed is released; some of it reaches nobody after all. */
static void
grant_is_used(void)
{
    struct ll_ask ask = panel[below(PANEL)];
    struct ll_verdict verdict = ll_consent_decide(consent, &ask);
    if (verdict.reason != LL_REASON_ALLOW || verdict.grant == LL_NO_GRANT)
        return;
    struct ll_grant *g = &ref.grants[verdict.grant];
    ll_consent_use_grant(consent, verdict.grant, now_ms);
    g->uses -= g->uses > 0;
    int64_t at_ms = now_ms > g->from_ms ? now_ms : g->from_ms + 1;
    if (at_ms > g->used_ms)
        g->used_ms = at_ms;
    used_uses[verdict.grant]++;
    law(7,
        given_uses[verdict.grant] < 0 ||
            used_uses[verdict.grant] <= given_uses[verdict.grant],
        "more uses than were given");
    if (chance(10)) {
        ll_consent_unuse_grant(consent, verdict.grant);
        g->uses += g->uses >= 0;
        used_uses[verdict.grant]--;
    }
}

static void
object(void)
{
    const struct ll_ask *ask = &panel[below(PANEL)];
    struct ref_objection o = {ask->subject,
        chance(50) ? LL_NO_PARTY : ask->party,
        (enum ll_objection)below(LL_OBJECTION_MARKETING + 1)};
    bool on = chance(40);
    if (o.subject >= ref.person_count ||
        (o.party != LL_NO_PARTY && o.party >= ref.party_count) ||
        ref.objection_count == REF_NOS)
        return;
    T_OK(ll_consent_object(consent, o.subject, o.party, o.kind, on, NULL) ==
         LINLI_OK);
    for (uint32_t i = ref.objection_count; i-- > 0;)
        if (memcmp(&ref.objections[i], &o, sizeof o) == 0)
            ref.objections[i] = ref.objections[--ref.objection_count];
    if (on)
        ref.objections[ref.objection_count++] = o;
}

static void
refuse(void)
{
    const struct ll_ask *ask = &panel[below(PANEL)];
    if (ask->subject >= ref.person_count || ask->party >= ref.party_count ||
        ref.refusal_count == REF_NOS)
        return;
    struct ll_refusal no = {ask->subject, ask->party, ask->purpose, ask->field,
        ref.parties[ask->party].terms.version, now_ms};
    T_OK(ll_consent_refuse(consent, &no, NULL) == LINLI_OK);
    for (uint32_t i = 0; i < ref.refusal_count; i++) {
        struct ll_refusal *is = &ref.refusals[i];
        if (is->subject != no.subject || is->party != no.party ||
            is->purpose != no.purpose || is->field != no.field)
            continue;
        if (no.at_ms >= is->at_ms)
            *is = no;
        return;
    }
    ref.refusals[ref.refusal_count++] = no;
}

/* An instant at which something begins or ends, where off-by-one lives. */
static int64_t
draw_edge(void)
{
    const struct ll_grant *g = &ref.grants[below(REF_GRANTS)];
    const struct ll_basis_record *r = &ref.records[below(REF_RECORDS)];
    const struct ll_guardianship *of = &ref.guards[below(REF_GUARDS)];
    if (ref.grant_count > 0)
        g = &ref.grants[below(ref.grant_count)];
    if (ref.record_count > 0)
        r = &ref.records[below(ref.record_count)];
    if (ref.guard_count > 0)
        of = &ref.guards[below(ref.guard_count)];
    const int64_t edges[] = {g->from_ms, g->until_ms,
        g->used_ms + g->idle_days * REF_DAY_MS, r->from_ms, r->until_ms,
        of->from_ms, of->until_ms};
    return edges[below(LL_COUNT(edges))] - (int64_t)below(2);
}

static void
time_passes(void)
{
    int64_t edge = draw_edge();
    if (chance(30) && edge > now_ms - 5 * REF_DAY_MS &&
        edge < now_ms + 400 * REF_DAY_MS)
        set_time(edge);
    else if (chance(10)) /* a step back */
        set_time(now_ms - below(3) * REF_DAY_MS - below(1000));
    else
        set_time(now_ms + below(45) * REF_DAY_MS + (int64_t)below(86400000));
}

/* -- how a history begins -- */

static void
begin_people(void)
{
    static const int32_t ages[PEOPLE] = {72, 9, 13, 40, 45, 30};
    for (uint32_t i = 0; i < PEOPLE; i++) {
        struct ll_person is = {
            .birth_day = START_DAY - ages[i] * 365 - (int32_t)below(360)};
        draw_id(is.tag);
        put_person(i == PEOPLE - 1 ? "lake" : "garden", names[i], is);
    }
    struct ll_guardianship g = {.ward = 1,
        .guardian = 3,
        .kind = LL_GUARDIAN_PARENT,
        .powers = 15,
        .ceiling = LL_C3,
        .until_ms = INT64_MAX,
        .status = LL_GUARDIAN_ACTIVE};
    put_guard(&g);
    g.ward = 2;
    put_guard(&g);
    g = (struct ll_guardianship){0, 4,
        chance(50) ? LL_GUARDIAN_DELEGATE : LL_GUARDIAN_AGREED, 15, LL_C3, 0,
        INT64_MAX, LL_GUARDIAN_ACTIVE};
    put_guard(&g);
}

static void
begin_history(uint64_t of)
{
    static const char *const parties[] = {"parking", "shop", "lakeside"};
    seed = die = ids = of;
    ids ^= 0x5555;
    memset(&ref, 0, sizeof ref);
    ref.dictionary = &dictionary;
    now_ms = START_DAY * REF_DAY_MS + below(86400000);
    T_OK(ll_consent_new(&mem, &dictionary, &consent, NULL) == LINLI_OK);
    begin_people();
    for (uint32_t i = 0; i < LL_COUNT(parties); i++) {
        struct ref_party *party = &ref.parties[ref.party_count++];
        *party = (struct ref_party){.terms = {.active = true,
                                        .version = 1,
                                        .since = 1,
                                        .pia = true,
                                        .ceiling = LL_C3},
            .community = i == 2 ? "lake" : "garden",
            .name = parties[i]};
        draw_scopes(party);
        put_terms(i, party);
    }
    for (int i = 0; i < PANEL; i++)
        panel[i] = (struct ll_ask){
            .subject = chance(4) ? LL_NOBODY : below(PEOPLE + chance(5)),
            .party = chance(4) ? LL_NO_PARTY : below(2 + chance(10)),
            .purpose = any_purpose(),
            .field = any_field(),
            .action = (uint8_t)(chance(92) ? LL_ACTION_READ : below(3)),
            .auto_decision = chance(10),
            .own = chance(70),
            .unlogged = chance(2),
            .now_ms = now_ms,
            .today = today()};
}

#endif
