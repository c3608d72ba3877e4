/* tests/unit/test_consent_law.c: the decision against a slow, obvious one.
 *
 * Random histories of residents who grow up, fall ill and get well, of
 * guardians, plugins that ask for more and for less, grants, uses,
 * withdrawals, objections and refusals, on a clock that now and then steps
 * back. After each step a panel of questions is put to the decider and to
 * consent_ref.h, and the invariants of consent that can be told here are
 * checked; each names its number in `law`. A run prints its seed:
 * test_consent_law HISTORIES SEED plays it again.
 *
 * test-timeout-s: 180
 *
 * That this finds what is wrong is shown by tests/faults/test_consent_faults.
 */
#include "base/json.h"
#include "consent_history.h"

#define HISTORIES 10000
#define SEED 20260701
#define STEPS 36

static enum ll_reason before[PANEL];
static uint32_t epochs[REF_PEOPLE];

/* -- what must hold -- */

/* Laws of one release: it is written out, not asked of the reference. */
static void
check_allowed(const struct ll_ask *ask, const struct ll_verdict *verdict)
{
    const struct ref_party *party = &ref.parties[ask->party];
    const struct ll_person *person = &ref.people[ask->subject].is;
    const struct ll_field_def *field = &dictionary.fields[ask->field];
    bool by_consent = verdict->basis == LL_BASIS_CONSENT ||
                      verdict->basis == LL_BASIS_SEPARATE;
    bool declared = false;
    for (uint32_t i = 0; i < party->terms.scope_count; i++)
        declared |= party->scopes[i].field == ask->field &&
                    party->scopes[i].purpose == ask->purpose &&
                    party->scopes[i].basis == verdict->basis;
    law(1, declared, "released, and not in the manifest");
    law(1, field->class <= party->terms.ceiling, "released above the ceiling");
    law(1, party->terms.active && !ask->unlogged, "released to nobody");
    law(2, by_consent == (verdict->grant != LL_NO_GRANT),
        "released on a grant and a basis, or on neither");
    if (!by_consent)
        return;
    const struct ll_grant *g = &ref.grants[verdict->grant];
    law(1, (g->fields >> ask->field & 1) != 0, "released, and not granted");
    law(1, g->subject == ask->subject && g->party == ask->party,
        "released on another's grant");
    law(4, g->purpose == ask->purpose, "released for another purpose");
    law(5, g->from_ms <= now_ms && now_ms < g->until_ms,
        "released out of time");
    law(5, g->status == LL_GRANT_LIVE, "released on what has ended");
    law(6, ll_consent_grant(consent, verdict->grant)->status == LL_GRANT_LIVE,
        "released after a withdrawal");
    law(7, g->uses != 0, "released on what is used up");
    if (field->class == LL_C3)
        law(8, g->level >= LL_LEVEL_SEPARATE && ref_count_bits(g->fields) == 1,
            "sensitive, and not agreed to alone");
    bool acts = false, delegate = false;
    for (uint32_t i = 0; i < ref.guard_count; i++)
        if (ref.guards[i].ward == ask->subject &&
            ref.guards[i].guardian == g->guardian &&
            ref.guards[i].status == LL_GUARDIAN_ACTIVE &&
            (ref.guards[i].powers & LL_POWER_CONSENT) != 0) {
            acts = true;
            delegate |= ref.guards[i].kind == LL_GUARDIAN_DELEGATE;
        }
    if (ref_younger(person, today(), 14))
        law(9, acts, "of a child, and no guardian's act");
    else if (person->capacity == LL_CAPACITY_FULL && g->guardian != LL_NOBODY)
        law(9, delegate, "of one who decides, on a guardian's act");
    if (g->guardian != LL_NOBODY)
        law(10, g->guardian != ask->subject && acts, "on an act without power");
    if (g->guardian != LL_NOBODY && person->capacity == LL_CAPACITY_FULL &&
        !ref_younger(person, today(), 14))
        law(10, ref_refusal(&ref, ask) == NULL, "against a capable refusal");
    law(15,
        g->version >= party->terms.since && g->version <= party->terms.version,
        "released under terms that nobody agreed to");
}

static linli_str
for_plugin(const struct ll_ask *ask, struct ll_buf *out)
{
    ll_buf_clear(out);
    ll_consent_explain(consent, ask, LL_FOR_PLUGIN, false, out);
    return ll_buf_view(out);
}

/* Nobody, one of elsewhere and one who was shredded read the same; and for an
 * opaque field so does whoever never gave it. */
static void
check_hidden(const struct ll_ask *ask, const struct ll_verdict *verdict)
{
    struct ll_ask nobody = *ask;
    struct ll_buf a, b;
    ll_buf_init(&a, &mem, 1024);
    ll_buf_init(&b, &mem, 1024);
    nobody.subject = LL_NOBODY;
    linli_str want = for_plugin(&nobody, &a);
    linli_str got = for_plugin(ask, &b);
    if (verdict->reason == LL_REASON_UNKNOWN_SUBJECT) {
        struct ll_verdict other = ll_consent_decide(consent, &nobody);
        law(13, ll_str_eq(got, want), "a foreign resident can be told");
        law(13, memcmp(&other, verdict, sizeof other) == 0,
            "a foreign resident has a verdict of their own");
    }
    if (dictionary.fields[ask->field].deny_opaque &&
        (verdict->reason == LL_REASON_NO_GRANT ||
            verdict->reason == LL_REASON_FIELD_NOT_GRANTED ||
            verdict->reason == LL_REASON_OBJECTION ||
            verdict->reason == LL_REASON_GUARDIAN_REQUIRED))
        law(14, ll_str_eq(got, want), "an opaque field says why");
    ll_buf_fini(&a);
    ll_buf_fini(&b);
}

/* What an auditor reads is what was decided. */
static void
check_explained(const struct ll_ask *ask, const struct ll_verdict *verdict)
{
    struct ll_buf out;
    struct ll_json json;
    ll_buf_init(&out, &mem, 8192);
    ll_json_init(&json, &mem);
    ll_consent_explain(consent, ask, LL_FOR_AUDITOR, false, &out);
    bool reads = ll_json_parse(&json, ll_buf_view(&out), 8, NULL) == LINLI_OK;
    law(21, reads, "an explanation is no JSON");
    if (reads) {
        struct ll_jv root = ll_json_root(&json), last = {NULL, 0};
        LL_JSON_EACH (one, ll_jv_get(root, "steps"))
            last = one;
        const char *reason = ll_reason_name(verdict->reason);
        law(21, ll_str_is(ll_jv_str(ll_jv_get(root, "reason")), reason),
            "explained as another verdict");
        law(21, ll_str_is(ll_jv_str(ll_jv_get(last, "reason")), reason),
            "the last step is not the one that failed");
    }
    ll_json_fini(&json);
    ll_buf_fini(&out);
}

static void
compare(const struct ll_ask *ask)
{
    struct ll_verdict got = ll_consent_decide(consent, ask);
    struct ref_said want = ref_decide(&ref, ask);
    if (got.reason != want.reason && !failed)
        printf("# got %s, want %s\n", ll_reason_name(got.reason),
            ll_reason_name(want.reason));
    same("reason", got.reason, want.reason, ask);
    same("remedy", got.remedy, want.remedy, ask);
    same("grant", got.grant, want.grant, ask);
    same("wait", got.wait_until_ms, want.wait_until_ms, ask);
    if (got.reason == LL_REASON_ALLOW) {
        same("basis", got.basis, want.basis, ask);
        check_allowed(ask, &got);
    }
    if (got.remedy == LL_REMEDY_ASK || got.remedy == LL_REMEDY_RECONFIRM) {
        int64_t until;
        law(16, ref_may_ask(&ref, ask, &until), "asked again too soon");
    }
    same("epoch", got.epoch,
        got.reason != LL_REASON_ALLOW && got.reason <= LL_REASON_UNKNOWN_SUBJECT
            ? 0
            : ll_consent_epoch(consent, ask->subject),
        ask);
}

static void
compare_all(void)
{
    for (int i = 0; i < PANEL; i++)
        compare(&panel[i]);
    const struct ll_ask *ask = &panel[below(PANEL)];
    struct ll_verdict verdict = ll_consent_decide(consent, ask);
    check_hidden(ask, &verdict);
    if (chance(20))
        check_explained(ask, &verdict);
}

/* Of everybody at once as of each alone. */
static void
check_bulk(void)
{
    uint32_t subjects[REF_PEOPLE + 1];
    struct ll_verdict verdicts[REF_PEOPLE + 1];
    struct ll_ask ask = panel[below(PANEL)];
    for (uint32_t i = 0; i < ref.person_count; i++)
        subjects[i] = i;
    subjects[ref.person_count] = LL_NOBODY;
    ll_consent_decide_all(
        consent, &ask, subjects, ref.person_count + 1, verdicts);
    for (uint32_t i = 0; i <= ref.person_count; i++) {
        ask.subject = subjects[i];
        struct ll_verdict one = ll_consent_decide(consent, &ask);
        law(22, memcmp(&one, &verdicts[i], sizeof one) == 0,
            "of many as of one");
    }
}

/* -- one step: what may change, and what may not -- */

enum event {
    PERSON,
    GUARD,
    TERMS,
    BASIS,
    GIVE,
    END,
    USE,
    OBJECT,
    REFUSE,
    TIME
};

static void
remember(void)
{
    for (int i = 0; i < PANEL; i++)
        before[i] = ll_consent_decide(consent, &panel[i]).reason;
    for (uint32_t i = 0; i < ref.person_count; i++)
        epochs[i] = ll_consent_epoch(consent, i);
}

static void
check_step(enum event event, uint32_t objections)
{
    for (int i = 0; i < PANEL; i++) {
        const struct ll_ask *ask = &panel[i];
        bool was = before[i] == LL_REASON_ALLOW;
        enum ll_reason is = ll_consent_decide(consent, ask).reason;
        if (event == END ||
            (event == OBJECT && ref.objection_count > objections))
            law(3, was || is != LL_REASON_ALLOW, "less gives more");
        if (event == REFUSE)
            law(16, is == before[i] || is == LL_REASON_SELF_RECONFIRM,
                "a refusal changes what was agreed to");
        /* Who holds what was released must be able to see that it is void. */
        if (was && is != LL_REASON_ALLOW &&
            (event == PERSON || event == GUARD || event == END ||
                event == OBJECT))
            law(6,
                ll_consent_epoch(consent, ask->subject) != epochs[ask->subject],
                "denied from now on, and no epoch rose");
        if (event == USE || event == TIME || event == TERMS || event == BASIS)
            law(6,
                ask->subject >= ref.person_count ||
                    ll_consent_epoch(consent, ask->subject) ==
                        epochs[ask->subject],
                "an epoch rose for nothing");
    }
}

static void
happen(void)
{
    static const enum event events[] = {PERSON, PERSON, GUARD, GUARD, GUARD,
        TERMS, BASIS, BASIS, GIVE, GIVE, GIVE, GIVE, GIVE, GIVE, GIVE, END, END,
        USE, USE, OBJECT, OBJECT, REFUSE, TIME, TIME, TIME};
    static void (*const take[])(void) = {person_changes, guard_changes,
        terms_change, basis_changes, grant_is_given, grant_ends, grant_is_used,
        object, refuse, time_passes};
    enum event event = events[below(LL_COUNT(events))];
    uint32_t objections = ref.objection_count;
    remember();
    take[event]();
    check_step(event, objections);
    compare_all();
}

/* -- the state is the fold of what happened, in whatever order -- */

static void
load_people(struct ll_consent *into, uint32_t number[REF_PEOPLE])
{
    for (uint32_t i = 0; i < ref.person_count; i++) {
        const struct ref_person *p = &ref.people[i];
        number[i] = LL_NOBODY;
        if (!p->gone)
            T_OK(ll_consent_put_person(into, ll_cstr(p->community),
                     ll_cstr(p->name), &p->is, &number[i], NULL) == LINLI_OK);
    }
}

static void
load_grants(struct ll_consent *into, const uint32_t number[REF_PEOPLE])
{
    uint32_t order[REF_GRANTS], got;
    for (uint32_t i = 0; i < ref.grant_count; i++) {
        uint32_t j = below(i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (uint32_t i = 0; i < ref.grant_count; i++) {
        struct ll_grant g = ref.grants[order[i]];
        if (ref.people[g.subject].gone)
            continue;
        g.subject = number[g.subject];
        if (g.guardian != LL_NOBODY)
            g.guardian =
                ref.people[g.guardian].gone ? LL_GONE : number[g.guardian];
        T_OK(ll_consent_load_grant(into, &g, &got, NULL) == LINLI_OK);
    }
}

static void
load_rest(struct ll_consent *into, const uint32_t number[REF_PEOPLE])
{
    for (uint32_t i = 0; i < ref.guard_count; i++) {
        struct ll_guardianship g = ref.guards[i];
        g.ward = number[g.ward];
        g.guardian = number[g.guardian];
        if (g.ward != LL_NOBODY && g.guardian != LL_NOBODY)
            T_OK(ll_consent_put_guardian(into, &g, NULL) == LINLI_OK);
    }
    for (uint32_t i = 0; i < ref.record_count; i++)
        T_OK(ll_consent_put_basis(into, &ref.records[i], NULL) == LINLI_OK);
    for (uint32_t i = 0; i < ref.objection_count; i++) {
        const struct ref_objection *o = &ref.objections[i];
        if (number[o->subject] != LL_NOBODY)
            T_OK(ll_consent_object(into, number[o->subject], o->party, o->kind,
                     true, NULL) == LINLI_OK);
    }
}

static void
load_refusals(struct ll_consent *into, const uint32_t number[REF_PEOPLE])
{
    for (uint32_t i = 0; i < ref.refusal_count; i++) {
        struct ll_refusal no = ref.refusals[i];
        no.subject = number[no.subject];
        if (no.subject != LL_NOBODY)
            T_OK(ll_consent_refuse(into, &no, NULL) == LINLI_OK);
    }
}

static void
check_fold(void)
{
    struct ll_consent *again = NULL;
    uint32_t number[REF_PEOPLE], party;
    T_OK(ll_consent_new(&mem, &dictionary, &again, NULL) == LINLI_OK);
    load_people(again, number);
    for (uint32_t i = 0; i < ref.party_count; i++)
        T_OK(ll_consent_put_party(again, ll_cstr(ref.parties[i].community),
                 ll_cstr(ref.parties[i].name), &ref.parties[i].terms, &party,
                 NULL) == LINLI_OK);
    load_rest(again, number);
    load_grants(again, number);
    load_refusals(again, number);
    for (int i = 0; i < PANEL; i++) {
        struct ll_ask ask = panel[i];
        enum ll_reason want = ll_consent_decide(consent, &ask).reason;
        if (ask.subject < ref.person_count)
            ask.subject = number[ask.subject];
        enum ll_reason got = ll_consent_decide(again, &ask).reason;
        same("reason when loaded again", got, want, &panel[i]);
    }
    for (uint32_t i = 0; i < ref.grant_count; i++) {
        uint32_t at = ll_consent_find_grant(again, ref.grants[i].id);
        if (ref.people[ref.grants[i].subject].gone)
            continue;
        law(18, at != LL_NO_GRANT, "a grant is lost");
        law(18, ll_consent_grant(consent, i)->status == ref.grants[i].status,
            "a grant's status");
        law(18, ll_consent_grant(again, at)->status == ref.grants[i].status,
            "a grant's status when loaded again");
    }
    ll_consent_free(&again);
}

/* -- what is said to help helps -- */

static void
check_remedy(const struct ll_ask *ask)
{
    struct ll_verdict verdict = ll_consent_decide(consent, ask);
    struct ll_grant g = {.subject = ask->subject,
        .party = ask->party,
        .purpose = ask->purpose,
        .fields = (uint64_t)1 << ask->field,
        .level = LL_LEVEL_WRITTEN,
        .uses = -1,
        .guardian = LL_NOBODY,
        .from_ms = now_ms,
        .used_ms = now_ms,
        .given_ms = now_ms,
        .until_ms = now_ms + REF_DAY_MS};
    if (verdict.remedy == LL_REMEDY_WAIT) {
        struct ll_ask later = *ask;
        later.now_ms = verdict.wait_until_ms;
        if (later.now_ms < INT64_MAX) {
            struct ll_verdict then = ll_consent_decide(consent, &later);
            law(21,
                then.reason != verdict.reason || then.remedy != LL_REMEDY_WAIT,
                "waiting did not help");
        }
    }
    if (verdict.remedy == LL_REMEDY_NONE || verdict.remedy == LL_REMEDY_WAIT)
        return;
    if (verdict.remedy == LL_REMEDY_GUARDIAN) {
        struct ll_person is = {.birth_day = LL_DAY_UNKNOWN};
        draw_id(is.tag);
        put_person(ref.people[ask->subject].community, "guardian", is);
        g.guardian = ll_consent_subject(consent,
            ll_cstr(ref.people[ask->subject].community), LINLI_STR("guardian"));
        struct ll_guardianship of = {ask->subject, g.guardian,
            LL_GUARDIAN_COURT, LL_POWER_CONSENT, LL_C3, 0, INT64_MAX,
            LL_GUARDIAN_ACTIVE};
        put_guard(&of);
    }
    g.version = ref.parties[g.party].terms.version;
    draw_id(g.id);
    put_grant(&g);
    enum ll_reason is = ll_consent_decide(consent, ask).reason;
    if (is != LL_REASON_ALLOW && !failed)
        printf("# %s, %s, then %s\n", ll_reason_name(verdict.reason),
            ll_remedy_name(verdict.remedy), ll_reason_name(is));
    law(21, is == LL_REASON_ALLOW, "what was said to help did not");
}

/* -- a history -- */

static void
play(uint64_t of)
{
    begin_history(of);
    compare_all();
    for (step = 1; step <= STEPS && !failed; step++)
        happen();
    if (!failed && of % 4 == 0)
        check_fold();
    check_bulk();
    for (int i = 0; i < PANEL && !failed; i++)
        if (chance(30))
            check_remedy(&panel[i]);
    ll_consent_free(&consent);
}

static uint64_t histories = HISTORIES, first = SEED;
static uint32_t reasons[LL_REASON_REVOKED_IN_FLIGHT + 1];

T_CASE(the_decider_says_what_the_law_says)
{
    for (uint64_t i = 0; i < histories && !failed; i++) {
        play(first + i);
        for (int j = 0; j < PANEL; j++)
            reasons[before[j]]++;
    }
    printf("# %" PRIu64 " histories from seed %" PRIu64 ", %u checks\n",
        histories, first, checks);
    T_OK(!failed);
}

/* A history that never comes to a reason has shown nothing of it. */
T_CASE(every_reason_that_can_be_was)
{
    static const enum ll_reason never[] = {LL_REASON_LEASE_LOST,
        LL_REASON_CO_SUBJECT, LL_REASON_VOLUME_CAP, LL_REASON_COHORT_TOO_SMALL,
        LL_REASON_REVOKED_IN_FLIGHT};
    for (uint32_t i = 0; i < LL_COUNT(reasons); i++) {
        bool can = true;
        for (size_t j = 0; j < LL_COUNT(never); j++)
            can = can && i != never[j];
        if ((reasons[i] > 0) != can)
            printf("# %s: %u times\n", ll_reason_name((enum ll_reason)i),
                reasons[i]);
        T_INT(reasons[i] > 0, can);
    }
}

int
main(int argc, char **argv)
{
    if (argc > 1)
        histories = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        first = strtoull(argv[2], NULL, 10);
    ll_mem_init(&mem, 0);
    if (ll_dictionary_init(&dictionary, &mem, NULL) != LINLI_OK)
        return 1;
    for (size_t i = 0; i < LL_COUNT(fields); i++)
        fields[i] =
            (uint8_t)ll_dictionary_field(&dictionary, ll_cstr(field_names[i]));
    for (size_t i = 0; i < LL_COUNT(purposes); i++)
        purposes[i] = (uint8_t)ll_dictionary_purpose(
            &dictionary, ll_cstr(purpose_names[i]));
    ref_calendar_make();
    T_RUN(the_decider_says_what_the_law_says)
    if (argc == 1)
        T_RUN(every_reason_that_can_be_was)
    ll_dictionary_fini(&dictionary);
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0 || mem.used_bytes != 0;
}
