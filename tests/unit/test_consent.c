/* tests/unit/test_consent.c: each reason by itself, and what is kept. */
#include "consent_world.h"

#include "base/json.h"

T_CASE(denies_by_default_and_allows_what_was_granted)
{
    begin();
    T_REASON(no_grant);
    T_REMEDY(ask);
    uint32_t grant = give(bit("phone"));
    T_REASON(allow);
    T_INT(decide().grant, grant);
    T_INT(decide().basis, LL_BASIS_CONSENT);
    T_INT(decide().epoch, ll_consent_epoch(consent, wang));
    ask.purpose = purpose("marketing"); /* another purpose is another thing */
    T_REASON(no_grant);
    ask.purpose = purpose("service");
    ask.field = field("plate");
    T_REASON(field_not_granted);
    T_INT(decide().grant, grant);
    end();
}

T_CASE(needs_a_log_a_plugin_and_a_resident)
{
    begin();
    give(bit("phone"));
    ask.unlogged = true;
    T_REASON(log_unavailable);
    ask.unlogged = false;
    ask.party = LL_NO_PARTY;
    T_REASON(plugin_inactive);
    ask.party = party;
    terms.active = false;
    declare();
    T_REASON(plugin_inactive);
    terms.active = true;
    declare();
    T_REASON(allow);
    ask.subject = LL_NOBODY;
    T_REASON(unknown_subject);
    ask.subject = wang;
    becomes(wang, LL_DAY_UNKNOWN, LL_CAPACITY_FULL, LL_SUBJECT_FROZEN);
    T_REASON(subject_frozen);
    becomes(wang, LL_DAY_UNKNOWN, LL_CAPACITY_FULL, LL_SUBJECT_DECEASED);
    T_REASON(subject_deceased);
    becomes(wang, LL_DAY_UNKNOWN, LL_CAPACITY_FULL, LL_SUBJECT_SHREDDED);
    T_REASON(unknown_subject);
    end();
}

/* What is of another community is answered like what is not there. */
T_CASE(a_resident_of_another_community_is_unknown)
{
    begin();
    struct ll_person p = {.birth_day = LL_DAY_UNKNOWN};
    uint32_t other;
    world_id(p.tag);
    T_OK(ll_consent_put_person(consent, LINLI_STR("lake"), LINLI_STR("wang"),
             &p, &other, NULL) == LINLI_OK);
    T_OK(other != wang);
    ask.subject = other;
    struct ll_verdict there = decide();
    ask.subject = 77777;
    struct ll_verdict nowhere = decide();
    T_INT(there.reason, LL_REASON_UNKNOWN_SUBJECT);
    T_OK(memcmp(&there, &nowhere, sizeof there) == 0);
    end();
}

T_CASE(a_manifest_says_which_field_why_and_how)
{
    begin();
    give(bit("phone") | bit("gender"));
    ask.field = field("gender");
    T_REASON(not_in_manifest_field);
    ask.field = 200;
    T_REASON(not_in_manifest_field);
    ask.field = field("phone");
    ask.purpose = purpose("delivery");
    T_REASON(not_in_manifest_purpose);
    ask.purpose = purpose("service");
    ask.action = LL_ACTION_EXPORT;
    T_REASON(not_in_manifest_action);
    ask.action = 250;
    T_REASON(not_in_manifest_action);
    scopes[1].actions = 1u << LL_ACTION_READ | 1u << LL_ACTION_EXPORT;
    declare();
    ask.action = LL_ACTION_EXPORT;
    T_REASON(allow);
    end();
}

T_CASE(what_a_plugin_must_have)
{
    begin();
    ask.purpose = purpose("billing");
    ask.field = field("parking_trail");
    struct ll_grant g = draft(bit("parking_trail"));
    g.level = LL_LEVEL_SEPARATE;
    put(&g);
    T_REASON(allow);
    terms.pia = false;
    declare();
    T_REASON(pia_missing);
    terms.pia = true;
    terms.ceiling = LL_C2;
    declare();
    T_REASON(class_ceiling);
    terms.ceiling = LL_C3;
    terms.abroad = true;
    declare();
    T_REASON(region);
    terms.abroad = false;
    terms.pia = false; /* an ordinary one decides by itself */
    declare();
    ask.field = field("phone");
    ask.purpose = purpose("service");
    give(bit("phone"));
    T_REASON(allow);
    ask.auto_decision = true;
    T_REASON(pia_missing);
    end();
}

T_CASE(sensitive_data_is_agreed_to_alone)
{
    begin();
    ask.purpose = purpose("billing");
    ask.field = field("parking_trail"); /* C3, though declared as consent */
    struct ll_grant g = draft(bit("parking_trail"));
    put(&g);
    T_REASON(level_too_low);
    g = draft(bit("parking_trail") | bit("phone"));
    g.level = LL_LEVEL_WRITTEN;
    put(&g);
    T_REASON(level_too_low); /* a bundle */
    g = draft(bit("parking_trail"));
    g.level = LL_LEVEL_SEPARATE;
    put(&g);
    T_REASON(allow);
    ask.field = field("phone"); /* declared as separate */
    T_REASON(allow);
    g = draft(bit("phone"));
    g.given_ms = NOW;
    ask.purpose = purpose("marketing");
    give(bit("phone"));
    T_REASON(allow);
    terms.relation = LL_RELATION_PROVIDE; /* to another: alone again */
    declare();
    T_REASON(level_too_low);
    end();
}

T_CASE(objections_win_over_grants)
{
    static const struct {
        const char *purpose;
        enum ll_objection objection;
        bool auto_decision, denied;
    } rows[] = {
        {"service", LL_OBJECTION_BLOCK, false, true},
        {"service", LL_OBJECTION_AUTO_DECISION, false, false},
        {"service", LL_OBJECTION_AUTO_DECISION, true, true},
        {"service", LL_OBJECTION_MARKETING, false, false},
        {"marketing", LL_OBJECTION_MARKETING, false, true},
        {"marketing", LL_OBJECTION_PROFILING, false, false},
        {"recommendation", LL_OBJECTION_PROFILING, false, true},
        {"recommendation", LL_OBJECTION_MARKETING, false, false},
    };
    begin();
    for (size_t i = 0; i < 2 * LL_COUNT(rows); i++) {
        uint32_t to = i % 2 == 0 ? LL_NO_PARTY : party;
        uint32_t epoch = ll_consent_epoch(consent, wang);
        ask.purpose = purpose(rows[i / 2].purpose);
        ask.auto_decision = rows[i / 2].auto_decision;
        give(bit("phone"));
        T_REASON(allow);
        T_OK(ll_consent_object(consent, wang, to, rows[i / 2].objection, true,
                 NULL) == LINLI_OK);
        T_INT(decide().reason == LL_REASON_OBJECTION, rows[i / 2].denied);
        T_OK(ll_consent_epoch(consent, wang) > epoch);
        T_OK(ll_consent_object(consent, wang, to, rows[i / 2].objection, false,
                 NULL) == LINLI_OK);
        T_REASON(allow);
    }
    /* To one plugin is not to another. */
    uint32_t other;
    T_OK(ll_consent_put_party(consent, COMMUNITY, LINLI_STR("shop"), &terms,
             &other, NULL) == LINLI_OK);
    T_OK(ll_consent_object(
             consent, wang, other, LL_OBJECTION_BLOCK, true, NULL) == LINLI_OK);
    T_REASON(allow);
    /* What the law asks for is given all the same. */
    T_OK(ll_consent_object(consent, wang, LL_NO_PARTY, LL_OBJECTION_BLOCK, true,
             NULL) == LINLI_OK);
    struct ll_basis_record record = {party, purpose("legal_duty"),
        LL_BASIS_STATUTORY, bit("plate"), 0, INT64_MAX};
    T_OK(ll_consent_put_basis(consent, &record, NULL) == LINLI_OK);
    ask.purpose = purpose("legal_duty");
    ask.field = field("plate");
    ask.auto_decision = false;
    T_REASON(allow);
    end();
}

T_CASE(a_grant_has_a_beginning_and_an_end)
{
    begin();
    struct ll_grant g = draft(bit("phone"));
    g.from_ms = NOW + 5;
    uint32_t n = put(&g);
    T_REASON(not_yet);
    T_REMEDY(wait);
    T_INT(decide().wait_until_ms, NOW + 5);
    ask.now_ms = NOW + 5;
    T_REASON(allow);
    ask.now_ms = g.until_ms - 1;
    T_REASON(allow);
    ask.now_ms = g.until_ms;
    T_REASON(expired);
    T_REMEDY(ask);
    ask.now_ms = NOW + 5;
    ll_consent_end_grant(consent, n, LL_GRANT_EXPIRED);
    T_REASON(expired); /* a clock that goes back revives nothing */
    T_INT(ll_consent_grant(consent, n)->status, LL_GRANT_EXPIRED);
    ll_consent_end_grant(consent, n, LL_GRANT_REVOKED);
    T_INT(ll_consent_grant(consent, n)->status, LL_GRANT_EXPIRED);
    end();
}

T_CASE(an_unused_grant_goes_idle)
{
    begin();
    struct ll_grant g = draft(bit("phone"));
    g.idle_days = 7;
    uint32_t n = put(&g);
    ask.now_ms = g.used_ms + 7 * DAY - 1;
    T_REASON(allow);
    ll_consent_use_grant(consent, n, ask.now_ms);
    ask.now_ms = g.used_ms + 14 * DAY - 2;
    T_REASON(allow);
    ask.now_ms++;
    T_REASON(expired);
    ll_consent_use_grant(consent, n, NOW); /* an earlier clock */
    T_INT(ll_consent_grant(consent, n)->used_ms, g.used_ms + 7 * DAY - 1);
    end();
}

T_CASE(uses_are_counted)
{
    begin();
    struct ll_grant g = draft(bit("phone"));
    g.uses = 2;
    uint32_t n = put(&g);
    ll_consent_use_grant(consent, n, NOW);
    T_REASON(allow);
    ll_consent_use_grant(consent, n, NOW);
    T_REASON(uses_exhausted);
    ll_consent_unuse_grant(consent, n);
    T_REASON(allow);
    ll_consent_use_grant(consent, n, NOW);
    T_REASON(uses_exhausted);
    g = draft(bit("phone") | bit("plate")); /* another one helps */
    n = put(&g);
    T_REASON(allow);
    ll_consent_unuse_grant(consent, n);
    T_INT(ll_consent_grant(consent, n)->uses, -1);
    end();
}

T_CASE(a_withdrawal_is_at_once_and_raises_the_epoch)
{
    begin();
    uint32_t n = give(bit("phone")), epoch = ll_consent_epoch(consent, wang);
    ll_consent_end_grant(consent, n, LL_GRANT_REVOKED);
    T_REASON(revoked);
    T_REMEDY(none); /* nobody is pressed who has just said no */
    T_INT(ll_consent_epoch(consent, wang), epoch + 1);
    ll_consent_end_grant(consent, n, LL_GRANT_REVOKED);
    T_INT(ll_consent_epoch(consent, wang), epoch + 1);
    give(bit("phone"));
    T_REASON(allow);
    end();
}

T_CASE(a_grant_replaces_what_it_covers)
{
    begin();
    uint32_t small = give(bit("phone")), plate = give(bit("plate"));
    uint32_t epoch = ll_consent_epoch(consent, wang);
    uint32_t both = give(bit("phone") | bit("plate"));
    T_INT(ll_consent_grant(consent, small)->status, LL_GRANT_REPLACED);
    T_INT(ll_consent_grant(consent, plate)->status, LL_GRANT_REPLACED);
    T_OK(ll_consent_epoch(consent, wang) > epoch);
    uint32_t again = give(bit("phone"));
    T_INT(ll_consent_grant(consent, both)->status, LL_GRANT_LIVE);
    ll_consent_end_grant(consent, again, LL_GRANT_REVOKED);
    T_REASON(allow); /* the other one still holds it */
    ll_consent_end_grant(consent, both, LL_GRANT_REVOKED);
    T_REASON(revoked);
    end();
}

/* However a state was loaded, the newest grant is the newest given. */
T_CASE(loading_in_any_order_is_the_same_state)
{
    begin();
    struct ll_grant old = draft(bit("phone")), revoked, young;
    old.status = LL_GRANT_REPLACED;
    revoked = draft(bit("phone"));
    revoked.given_ms += 10;
    revoked.status = LL_GRANT_REVOKED;
    young = draft(bit("phone"));
    young.given_ms += 20;
    young.until_ms = NOW - 5;
    const struct ll_grant *of[] = {&old, &revoked, &young};
    static const int orders[][3] = {
        {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < LL_COUNT(orders); i++) {
        char name[] = {'r', (char)('0' + i), 0};
        ask.subject = person(name, LL_DAY_UNKNOWN);
        for (int j = 0; j < 3; j++) {
            struct ll_grant g = *of[orders[i][j]];
            uint32_t got;
            g.subject = ask.subject;
            T_OK(ll_consent_load_grant(consent, &g, &got, NULL) == LINLI_OK);
        }
        T_REASON(expired);
        uint32_t n = LL_NO_GRANT, last = 0, count = 0;
        int64_t before = INT64_MAX;
        while ((n = ll_consent_next_grant(consent, ask.subject, n)) !=
               LL_NO_GRANT) {
            T_OK(ll_consent_grant(consent, n)->given_ms < before);
            before = ll_consent_grant(consent, n)->given_ms;
            last = n;
            count++;
        }
        T_INT(count, 3);
        T_INT(ll_consent_grant(consent, last)->status, LL_GRANT_REPLACED);
    }
    end();
}

/* What stands until it is asked again: both what was, and what is. */
T_CASE(changed_terms_ask_again)
{
    begin();
    struct ll_grant g = draft(bit("phone"));
    g.version = 1;
    put(&g);
    T_REASON(policy_changed);
    g = draft(bit("phone"));
    g.version = 2;
    put(&g);
    T_REASON(allow);
    scopes[1].since = 3; /* this scope alone is wider than it was */
    declare();
    T_REASON(policy_changed);
    T_REMEDY(ask);
    scopes[1].since = 0;
    terms.version = terms.since = 4;
    declare();
    T_REASON(policy_changed);
    g = draft(bit("phone"));
    g.version = 5; /* of terms that nobody knows */
    put(&g);
    T_REASON(policy_changed);
    terms.scope_count = 1; /* narrowed at once */
    declare();
    T_REASON(not_in_manifest_field);
    end();
}

T_CASE(a_basis_that_is_no_consent_is_approved)
{
    begin();
    ask.purpose = purpose("billing");
    ask.field = field("phone_relay");
    ask.own = true;
    T_REASON(no_grant);
    T_REMEDY(none);
    struct ll_basis_record record = {party, purpose("billing"),
        LL_BASIS_CONTRACT, bit("phone"), NOW + 1, NOW + DAY};
    T_OK(ll_consent_put_basis(consent, &record, NULL) == LINLI_OK);
    T_REASON(not_yet);
    T_INT(decide().wait_until_ms, NOW + 1);
    ask.now_ms = NOW + 1;
    T_REASON(field_not_granted);
    T_REMEDY(none);
    record.fields = bit("phone_relay");
    T_OK(ll_consent_put_basis(consent, &record, NULL) == LINLI_OK);
    T_REASON(allow);
    T_INT(decide().basis, LL_BASIS_CONTRACT);
    T_INT(decide().grant, LL_NO_GRANT);
    ask.own = false; /* somebody else's business */
    T_REASON(condition);
    ask.own = true;
    ask.now_ms = NOW + DAY;
    T_REASON(expired);
    /* An emergency needs an incident besides. */
    ask.now_ms = NOW;
    ask.purpose = purpose("emergency_rescue");
    ask.field = field("location");
    record = (struct ll_basis_record){party, purpose("emergency_rescue"),
        LL_BASIS_EMERGENCY, bit("location"), 0, INT64_MAX};
    T_OK(ll_consent_put_basis(consent, &record, NULL) == LINLI_OK);
    T_REASON(incident_not_open);
    end();
}

T_CASE(terms_are_of_the_registry)
{
    struct ll_err err = {.code = ""};
    begin();
    scopes[terms.scope_count] = scopes[0];
    terms.scope_count++;
    uint32_t n;
    T_OK(ll_consent_put_party(consent, COMMUNITY, LINLI_STR("parking"), &terms,
             &n, &err) == LINLI_E_INVALID);
    T_STR(ll_cstr(err.code), "manifest/invalid");
    T_STR(ll_cstr(err.msg),
        "the field plate is declared twice for the purpose service");
    T_INT(n, LL_NO_PARTY);
    scopes[terms.scope_count - 1].field = 63;
    T_OK(ll_consent_put_party(consent, COMMUNITY, LINLI_STR("parking"), &terms,
             &n, &err) == LINLI_E_INVALID);
    terms.scope_count = LL_DATA_USES_MAX + 1;
    T_OK(ll_consent_put_party(consent, COMMUNITY, LINLI_STR("parking"), &terms,
             &n, &err) == LINLI_E_INVALID);
    T_INT(ll_consent_terms(consent, party)->scope_count, 10);
    T_OK(ll_consent_terms(consent, 99) == NULL);
    end();
}

/* -- no -- */

T_CASE(a_refusal_is_not_nagged)
{
    int64_t until = 0;
    begin();
    struct ll_refusal no = {
        wang, party, purpose("service"), field("phone"), 3, NOW};
    T_OK(ll_consent_may_ask(consent, &ask, 30 * DAY, &until));
    T_OK(ll_consent_refuse(consent, &no, NULL) == LINLI_OK);
    T_REASON(no_grant);
    T_REMEDY(wait);
    T_OK(!ll_consent_may_ask(consent, &ask, 30 * DAY, &until));
    T_INT(until, INT64_MAX); /* not in this version */
    ask.field = field("plate");
    T_OK(ll_consent_may_ask(consent, &ask, 30 * DAY, &until));
    ask.field = field("phone");
    terms.version = 4;
    declare();
    T_OK(!ll_consent_may_ask(consent, &ask, 30 * DAY, &until));
    T_INT(until, NOW + 30 * DAY);
    T_INT(decide().wait_until_ms, NOW + 30 * DAY);
    ask.now_ms = NOW + 30 * DAY - 1;
    T_OK(!ll_consent_may_ask(consent, &ask, 30 * DAY, &until));
    ask.now_ms++;
    T_OK(ll_consent_may_ask(consent, &ask, 30 * DAY, &until));
    T_REMEDY(ask);
    /* Who agrees has taken it back, and may be asked when that has ended. */
    ask.now_ms = NOW;
    struct ll_grant g = draft(bit("phone"));
    g.given_ms = NOW - 1; /* an older one takes nothing back */
    put(&g);
    T_OK(!ll_consent_may_ask(consent, &ask, 30 * DAY, &until));
    g = draft(bit("phone"));
    g.given_ms = NOW + 1;
    put(&g);
    T_OK(ll_consent_may_ask(consent, &ask, 30 * DAY, &until));
    end();
}

/* -- explained -- */

static const char *
explain(enum ll_audience audience, bool zh)
{
    static char text[4096];
    struct ll_buf out;
    struct ll_json json;
    ll_buf_init(&out, &world_mem, sizeof text);
    ll_json_init(&json, &world_mem);
    ll_consent_explain(consent, &ask, audience, zh, &out);
    T_OK(!out.failed && out.len < sizeof text);
    T_OK(ll_json_parse(&json, ll_buf_view(&out), 16, NULL) == LINLI_OK);
    snprintf(text, sizeof text, "%.*s", (int)out.len, out.ptr);
    ll_json_fini(&json);
    ll_buf_fini(&out);
    return text;
}

T_CASE(a_verdict_is_explained_to_each)
{
    begin();
    T_STR(ll_cstr(explain(LL_FOR_PLUGIN, false)),
        "{\"code\":\"consent/required\",\"reason\":\"no_grant\"}");
    T_STR(ll_cstr(explain(LL_FOR_RESIDENT, true)),
        "{\"sentence\":\"您还没有同意「parking」使用“手机号码”. 用途: "
        "办好您要办的这件事.\",\"remedy\":\"ask\",\"plugin\":\"parking\","
        "\"field\":\"phone\",\"purpose\":\"service\"}");
    T_STR(ll_cstr(explain(LL_FOR_RESIDENT, false)),
        "{\"sentence\":\"You have not agreed that “parking” uses “Phone "
        "number”. What for: To do what you asked for.\",\"remedy\":\"ask\","
        "\"plugin\":\"parking\",\"field\":\"phone\",\"purpose\":\"service\"}");
    uint32_t n = give(bit("phone"));
    ll_consent_end_grant(consent, n, LL_GRANT_REVOKED);
    T_STR(ll_cstr(explain(LL_FOR_PLUGIN, true)),
        "{\"code\":\"consent/withdrawn\",\"reason\":\"revoked\"}");
    const char *all = explain(LL_FOR_AUDITOR, false);
    T_OK(strstr(all, "\"step\":\"log\",\"reason\":\"allow\"") != NULL);
    T_OK(strstr(all, "\"step\":\"basis\",\"reason\":\"revoked\"") != NULL);
    T_OK(strstr(all, "\"status\":\"revoked\",\"level\":\"general\"") != NULL);
    T_OK(strstr(all, "\"reason\":\"revoked\",\"remedy\":\"none\"") != NULL);
    ask.field = 99; /* nonsense is explained too */
    ask.purpose = 99;
    ask.party = 99;
    T_STR(ll_cstr(explain(LL_FOR_PLUGIN, true)),
        "{\"code\":\"consent/denied\",\"reason\":\"plugin_inactive\"}");
    T_OK(strstr(explain(LL_FOR_RESIDENT, true), "“?”") != NULL);
    T_OK(strstr(explain(LL_FOR_AUDITOR, true), "plugin_inactive") != NULL);
    end();
}

/* -- opaque -- */

T_CASE(an_opaque_field_does_not_say_why)
{
    static const struct {
        bool subject, refused, granted;
    } rows[] = {{false, false, false}, {true, false, false},
        {true, true, false}, {true, true, true}};
    begin();
    ask.field = field("care_notes");
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_refusal no = {wang, party, ask.purpose, ask.field, 3, NOW};
        ask.subject = rows[i].subject ? wang : LL_NOBODY;
        if (rows[i].refused)
            T_OK(ll_consent_refuse(consent, &no, NULL) == LINLI_OK);
        uint32_t n = rows[i].granted ? give(bit("care_notes")) : 0;
        if (rows[i].granted)
            ll_consent_end_grant(consent, n, LL_GRANT_REVOKED);
        struct ll_verdict verdict = decide();
        T_STR(ll_cstr(ll_verdict_code(consent, &ask, &verdict)),
            "consent/denied");
        T_STR(ll_cstr(explain(LL_FOR_PLUGIN, i % 2 == 0)),
            "{\"code\":\"consent/denied\",\"reason\":\"no_data\"}");
    }
    /* What was read once cannot be unknown. */
    struct ll_grant g = draft(bit("care_notes"));
    g.level = LL_LEVEL_SEPARATE;
    g.from_ms = g.used_ms = NOW;
    uint32_t n = put(&g);
    T_REASON(allow);
    ll_consent_use_grant(consent, n, NOW);
    ll_consent_end_grant(consent, n, LL_GRANT_REVOKED);
    struct ll_verdict verdict = decide();
    T_STR(
        ll_cstr(ll_verdict_code(consent, &ask, &verdict)), "consent/withdrawn");
    ask.field = field("phone");
    verdict = decide();
    T_STR(
        ll_cstr(ll_verdict_code(consent, &ask, &verdict)), "consent/required");
    end();
}

T_CASE(many_at_once_are_each_alone)
{
    enum { N = 100 };
    static struct ll_verdict verdicts[N];
    static uint32_t subjects[N];
    begin();
    for (uint32_t i = 0; i < N; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%u", i);
        ask.subject = subjects[i] = person(name, LL_DAY_UNKNOWN);
        if (i % 3 == 0)
            give(bit("phone"));
        if (i % 7 == 0)
            subjects[i] = LL_NOBODY - i;
    }
    ll_consent_decide_all(consent, &ask, subjects, N, verdicts);
    uint32_t allowed = 0;
    for (uint32_t i = 0; i < N; i++) {
        ask.subject = subjects[i];
        struct ll_verdict one = decide();
        T_OK(memcmp(&one, &verdicts[i], sizeof one) == 0);
        allowed += one.reason == LL_REASON_ALLOW;
    }
    T_INT(allowed, 29);
    end();
}

/* -- memory -- */

/* What a state may be asked to take, one after another. */
static linli_status
fill(struct ll_consent *it)
{
    struct ll_person p = {.birth_day = LL_DAY_UNKNOWN};
    uint32_t a, b, to, n;
    linli_status status;
    world_id(p.tag);
    if ((status = ll_consent_put_person(
             it, COMMUNITY, LINLI_STR("a"), &p, &a, NULL)) != LINLI_OK)
        return status;
    world_id(p.tag);
    if ((status = ll_consent_put_person(
             it, COMMUNITY, LINLI_STR("b"), &p, &b, NULL)) != LINLI_OK ||
        (status = ll_consent_put_party(
             it, COMMUNITY, LINLI_STR("p"), &terms, &to, NULL)) != LINLI_OK)
        return status;
    struct ll_guardianship g = {.ward = a, .guardian = b};
    struct ll_basis_record record = {.party = to, .fields = 1};
    struct ll_refusal no = {a, to, 0, 0, 1, 0};
    struct ll_grant grant = {.subject = a, .party = to, .fields = 1};
    if ((status = ll_consent_put_guardian(it, &g, NULL)) != LINLI_OK ||
        (status = ll_consent_put_basis(it, &record, NULL)) != LINLI_OK ||
        (status = ll_consent_refuse(it, &no, NULL)) != LINLI_OK ||
        (status = ll_consent_object(
             it, a, to, LL_OBJECTION_BLOCK, true, NULL)) != LINLI_OK)
        return status;
    return ll_consent_put_grant(it, &grant, &n, NULL);
}

T_CASE(ends_without_memory)
{
    linli_status status = LINLI_E_NOMEM;
    uint64_t n = 1;
    begin();
    for (; status == LINLI_E_NOMEM && n < 1000; n++) {
        struct ll_mem mem;
        struct ll_consent *it = NULL;
        ll_mem_init(&mem, 0);
        mem.fail_in = n;
        status = ll_consent_new(&mem, &dictionary, &it, NULL);
        if (status == LINLI_OK)
            status = fill(it);
        if (status == LINLI_E_NOMEM && it != NULL)
            T_OK(fill(it) == LINLI_OK); /* and goes on with more of it */
        if (it != NULL)
            T_INT(ll_consent_bytes(it) <= mem.used_bytes, 1);
        ll_consent_free(&it);
        T_INT(mem.used_bytes, 0);
    }
    T_OK(n > 20);
    T_INT(status, LINLI_OK);
    end();
}

T_CASE(words)
{
    enum ll_basis basis;
    enum ll_guardian_kind kind;
    T_OK(ll_basis_read(LINLI_STR("separate_consent"), &basis));
    T_INT(basis, LL_BASIS_SEPARATE);
    T_OK(!ll_basis_read(LINLI_STR("whim"), &basis));
    T_STR(ll_cstr(ll_basis_name(LL_BASIS_CONTRACT)), "contract");
    T_OK(ll_guardian_kind_read(LINLI_STR("agreed"), &kind));
    T_INT(kind, LL_GUARDIAN_AGREED);
    T_OK(!ll_guardian_kind_read(LINLI_STR(""), &kind));
    T_STR(ll_cstr(ll_act_level_name(LL_LEVEL_SEPARATE)), "separate");
    T_STR(ll_cstr(ll_grant_status_name(LL_GRANT_REVOKED)), "revoked");
    T_STR(ll_cstr(ll_objection_name(LL_OBJECTION_PROFILING)), "profiling");
    T_STR(ll_cstr(ll_reason_code(LL_REASON_EXPIRED)), "consent/expired");
}

int
main(void)
{
    T_RUN(denies_by_default_and_allows_what_was_granted)
    T_RUN(needs_a_log_a_plugin_and_a_resident)
    T_RUN(a_resident_of_another_community_is_unknown)
    T_RUN(a_manifest_says_which_field_why_and_how)
    T_RUN(what_a_plugin_must_have)
    T_RUN(sensitive_data_is_agreed_to_alone)
    T_RUN(objections_win_over_grants)
    T_RUN(a_grant_has_a_beginning_and_an_end)
    T_RUN(an_unused_grant_goes_idle)
    T_RUN(uses_are_counted)
    T_RUN(a_withdrawal_is_at_once_and_raises_the_epoch)
    T_RUN(a_grant_replaces_what_it_covers)
    T_RUN(loading_in_any_order_is_the_same_state)
    T_RUN(changed_terms_ask_again)
    T_RUN(a_basis_that_is_no_consent_is_approved)
    T_RUN(terms_are_of_the_registry)
    T_RUN(a_refusal_is_not_nagged)
    T_RUN(a_verdict_is_explained_to_each)
    T_RUN(an_opaque_field_does_not_say_why)
    T_RUN(many_at_once_are_each_alone)
    T_RUN(ends_without_memory)
    T_RUN(words)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
