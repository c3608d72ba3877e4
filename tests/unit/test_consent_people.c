/* tests/unit/test_consent_people.c: who there is, and who may decide for whom.
 */
#include "consent_world.h"

T_CASE(people_are_found_and_forgotten)
{
    begin();
    struct ll_person p = *ll_consent_person(consent, wang);
    T_INT(ll_consent_subject(consent, COMMUNITY, LINLI_STR("wang")), wang);
    T_INT(ll_consent_subject(consent, LINLI_STR("lake"), LINLI_STR("wang")),
        LL_NOBODY);
    T_INT(ll_consent_subject(consent, COMMUNITY, LINLI_STR("li")), LL_NOBODY);
    T_INT(ll_consent_subject_by_tag(consent, p.tag), wang);
    T_STR(ll_consent_resident(consent, wang), "wang");
    T_STR(ll_consent_community(consent, wang), "garden");
    uint32_t grant = give(bit("phone"));
    becomes(wang, LL_DAY_UNKNOWN, LL_CAPACITY_FULL, LL_SUBJECT_SHREDDED);
    T_INT(ll_consent_subject(consent, COMMUNITY, LINLI_STR("wang")), LL_NOBODY);
    T_INT(ll_consent_subject_by_tag(consent, p.tag), LL_NOBODY);
    T_OK(ll_consent_person(consent, wang) == NULL);
    T_INT(ll_consent_resident(consent, wang).len, 0);
    T_INT(ll_consent_grant(consent, grant)->status, LL_GRANT_REVOKED);
    uint32_t again = person("wang", 10);
    T_OK(again != wang);
    ask.subject = again; /* nothing of the old one is theirs */
    ask.today = 20;
    T_REASON(guardian_required);
    ask.today = TODAY;
    T_REASON(no_grant);
    end();
}

T_CASE(ten_thousand_people_come_and_go)
{
    begin();
    char name[16];
    static uint32_t number[10000];
    for (uint32_t i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "r%u", i);
        number[i] = person(name, LL_DAY_UNKNOWN);
    }
    for (uint32_t i = 0; i < 10000; i += 3)
        becomes(number[i], 0, LL_CAPACITY_FULL, LL_SUBJECT_SHREDDED);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "r%u", i);
        uint32_t want = i % 3 == 0 ? LL_NOBODY : number[i];
        wrong += ll_consent_subject(consent, COMMUNITY, ll_cstr(name)) != want;
        const struct ll_person *p = ll_consent_person(consent, number[i]);
        wrong += p == NULL
                     ? i % 3 != 0
                     : ll_consent_subject_by_tag(consent, p->tag) != number[i];
    }
    T_INT(wrong, 0);
    end();
}

#define KIND(k) LL_GUARDIAN_##k
#define BORN(years) (TODAY - (years)*365 - (years) / 4 - 1)

T_CASE(a_child_needs_a_guardian)
{
    begin();
    uint32_t mother = person("mother", BORN(40)), kid = person("kid", BORN(9));
    ask.subject = kid;
    give(bit("phone")); /* their own word does not count yet */
    T_REASON(guardian_required);
    T_REMEDY(guardian);
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_ACTIVE);
    T_REASON(guardian_required);
    struct ll_grant g = draft(bit("phone"));
    g.guardian = mother;
    put(&g);
    T_REASON(allow);
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_SUSPENDED);
    T_REASON(guardian_suspended);
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_ENDED);
    T_REASON(guardian_required);
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_ACTIVE);
    T_REASON(allow);
    becomes(mother, BORN(40), LL_CAPACITY_FULL, LL_SUBJECT_DECEASED);
    T_REASON(guardian_required);
    becomes(mother, BORN(40), LL_CAPACITY_FULL, LL_SUBJECT_ACTIVE);
    T_REASON(allow);
    uint32_t father = person("father", BORN(41));
    guards(father, kid, KIND(PARENT), LL_GUARDIAN_ACTIVE);
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_ENDED);
    T_REASON(guardian_required); /* his word is not hers */
    end();
}

T_CASE(at_fourteen_they_decide_themselves)
{
    begin();
    int32_t birth = TODAY - 14 * 365;
    uint32_t mother = person("mother", BORN(40)), kid = person("kid", birth);
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_ACTIVE);
    ask.subject = kid;
    struct ll_grant g = draft(bit("phone"));
    g.guardian = mother;
    put(&g);
    ask.today = ll_age_day(birth, 14) - 1;
    T_REASON(allow);
    T_OK(ll_consent_is_ward(consent, kid, ask.today));
    ask.today++;
    T_REASON(self_reconfirm);
    T_REMEDY(reconfirm);
    T_OK(!ll_consent_is_ward(consent, kid, ask.today));
    give(bit("phone"));
    T_REASON(allow);
    end();
}

/* What held on the last day before holds for the days that are configured,
 * unless they say no or the guardian is none any more. */
T_CASE(grace_at_fourteen)
{
    begin();
    int32_t birth = TODAY - 14 * 365;
    uint32_t mother = person("mother", BORN(40)), kid = person("kid", birth);
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_ACTIVE);
    ll_consent_set_reconfirm(consent, 30);
    ask.subject = kid;
    struct ll_grant g = draft(bit("phone"));
    g.guardian = mother;
    put(&g);
    int32_t since = ll_age_day(birth, 14);
    ask.today = since;
    T_REASON(allow);
    ask.today = since + 29;
    T_REASON(allow);
    ask.today = since + 30;
    T_REASON(self_reconfirm);
    ask.today = since;
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_SUSPENDED);
    T_REASON(self_reconfirm);
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_ENDED);
    T_REASON(self_reconfirm);
    guards(mother, kid, KIND(PARENT), LL_GUARDIAN_ACTIVE);
    T_REASON(allow);
    struct ll_refusal refusal = {.subject = kid,
        .party = party,
        .purpose = ask.purpose,
        .field = ask.field,
        .version = terms.version,
        .at_ms = NOW};
    T_OK(ll_consent_refuse(consent, &refusal, NULL) == LINLI_OK);
    T_REASON(self_reconfirm);
    uint32_t epoch = ll_consent_epoch(consent, kid);
    ll_consent_raise(consent, kid);
    T_INT(ll_consent_epoch(consent, kid), epoch + 1);
    end();
}

T_CASE(capacity_is_lost_and_found)
{
    begin();
    uint32_t son = person("son", BORN(50));
    give(bit("phone"));
    guards(son, wang, KIND(AGREED), LL_GUARDIAN_ACTIVE);
    T_REASON(allow);
    becomes(wang, LL_DAY_UNKNOWN, LL_CAPACITY_LIMITED, LL_SUBJECT_ACTIVE);
    T_REASON(guardian_required);
    struct ll_grant g = draft(bit("phone"));
    g.guardian = son;
    put(&g);
    T_REASON(allow);
    becomes(wang, LL_DAY_UNKNOWN, LL_CAPACITY_FULL, LL_SUBJECT_ACTIVE);
    T_REASON(self_reconfirm);
    end();
}

T_CASE(a_capable_wards_refusal_wins)
{
    begin();
    uint32_t son = person("son", BORN(50));
    guards(son, wang, KIND(DELEGATE), LL_GUARDIAN_ACTIVE);
    struct ll_refusal no = {
        wang, party, purpose("service"), field("phone"), 3, NOW - 5000};
    struct ll_grant g = draft(bit("phone"));
    g.guardian = son;
    put(&g);
    T_REASON(allow);
    T_OK(ll_consent_refuse(consent, &no, NULL) == LINLI_OK);
    T_REASON(self_reconfirm);
    T_REMEDY(wait);
    g = draft(bit("phone"));
    g.guardian = son; /* again he says yes for them */
    put(&g);
    T_REASON(self_reconfirm);
    give(bit("phone"));
    T_REASON(allow);
    end();
}

T_CASE(who_may_act)
{
    static const struct {
        int32_t birth;
        enum ll_capacity capacity;
        int kind; /* -1: themself */
        uint32_t power;
        enum ll_reason want;
    } rows[] = {
#define ROW(age, cap, kind, power, want) \
    {BORN(age), LL_CAPACITY_##cap, kind, LL_POWER_##power, LL_REASON_##want},
        /* themself */
        ROW(30, FULL, -1, CONSENT, ALLOW) ROW(15, FULL, -1, CONSENT, ALLOW)
            ROW(15, FULL, -1, ERASE, ALLOW) ROW(10, FULL, -1, CONSENT,
                GUARDIAN_REQUIRED) ROW(10, FULL, -1, ERASE, GUARDIAN_REQUIRED)
                ROW(10, FULL, -1, VIEW, ALLOW) ROW(10, FULL, -1, CORRECT, ALLOW)
                    ROW(6, FULL, -1, VIEW, GUARDIAN_REQUIRED)
                        ROW(70, LIMITED, -1, VIEW, ALLOW)
                            ROW(70, LIMITED, -1, CONSENT, GUARDIAN_REQUIRED)
                                ROW(70, NONE, -1, VIEW, GUARDIAN_REQUIRED)
        /* a parent, and others whom the law names */
        ROW(6, FULL, KIND(PARENT), CONSENT, ALLOW) ROW(10, FULL,
            KIND(STATUTORY), CONSENT,
            ALLOW) ROW(15, FULL, KIND(PARENT), CONSENT, GUARDIAN_REQUIRED)
            ROW(15, FULL, KIND(PARENT), ERASE, GUARDIAN_REQUIRED)
                ROW(15, FULL, KIND(PARENT), VIEW, ALLOW)
                    ROW(19, FULL, KIND(PARENT), VIEW, GUARDIAN_REQUIRED)
                        ROW(70, LIMITED, KIND(COURT), CONSENT, ALLOW)
                            ROW(70, FULL, KIND(COURT), VIEW, GUARDIAN_REQUIRED)
        /* 意定监护, and one whom they chose for the time being */
        ROW(70, FULL, KIND(AGREED), CONSENT, GUARDIAN_REQUIRED) ROW(70, NONE,
            KIND(AGREED), CONSENT, ALLOW) ROW(10, FULL, KIND(AGREED), CONSENT,
            GUARDIAN_REQUIRED) ROW(70, FULL, KIND(DELEGATE), CONSENT, ALLOW)
            ROW(70, LIMITED, KIND(DELEGATE), CONSENT, GUARDIAN_REQUIRED)
                ROW(10, FULL, KIND(DELEGATE), VIEW, GUARDIAN_REQUIRED)
#undef ROW
    };
    begin();
    uint32_t guardian = person("guardian", BORN(40));
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        char name[16];
        snprintf(name, sizeof name, "ward%zu", i);
        uint32_t ward = person(name, rows[i].birth);
        becomes(ward, rows[i].birth, rows[i].capacity, LL_SUBJECT_ACTIVE);
        struct ll_acting acting = {
            ward, guardian, rows[i].power, LL_C2, NOW, TODAY};
        struct ll_guardianship g = {ward, guardian,
            (enum ll_guardian_kind)rows[i].kind, 15, LL_C2, NOW, NOW + DAY,
            LL_GUARDIAN_ACTIVE};
        if (rows[i].kind < 0) {
            acting.actor = ward;
            T_INT(ll_consent_may_act(consent, &acting), rows[i].want);
            continue;
        }
        T_INT(ll_consent_may_act(consent, &acting),
            LL_REASON_GUARDIAN_REQUIRED); /* nobody's guardian yet */
        T_OK(ll_consent_put_guardian(consent, &g, NULL) == LINLI_OK);
        enum ll_reason got = ll_consent_may_act(consent, &acting);
        if (got != rows[i].want)
            printf("# row %zu\n", i);
        T_INT(got, rows[i].want);
        if (rows[i].want != LL_REASON_ALLOW)
            continue;
        acting.class = LL_C3; /* past the ceiling */
        T_OK(ll_consent_may_act(consent, &acting) != LL_REASON_ALLOW);
        acting.class = LL_C2;
        acting.now_ms = NOW + DAY; /* past its end */
        T_OK(ll_consent_may_act(consent, &acting) != LL_REASON_ALLOW);
        acting.now_ms = NOW - 1;
        T_OK(ll_consent_may_act(consent, &acting) != LL_REASON_ALLOW);
        acting.now_ms = NOW;
        g.powers = 15u & ~rows[i].power;
        T_OK(ll_consent_put_guardian(consent, &g, NULL) == LINLI_OK);
        T_OK(ll_consent_may_act(consent, &acting) != LL_REASON_ALLOW);
        g.powers = 15;
        g.status = LL_GUARDIAN_SUSPENDED;
        T_OK(ll_consent_put_guardian(consent, &g, NULL) == LINLI_OK);
        T_INT(
            ll_consent_may_act(consent, &acting), LL_REASON_GUARDIAN_SUSPENDED);
        g.status = LL_GUARDIAN_PENDING;
        T_OK(ll_consent_put_guardian(consent, &g, NULL) == LINLI_OK);
        T_INT(
            ll_consent_may_act(consent, &acting), LL_REASON_GUARDIAN_REQUIRED);
    }
    struct ll_acting acting = {
        wang, LL_NOBODY, LL_POWER_VIEW, LL_C1, NOW, TODAY};
    T_INT(ll_consent_may_act(consent, &acting), LL_REASON_GUARDIAN_REQUIRED);
    acting.subject = LL_NOBODY;
    T_INT(ll_consent_may_act(consent, &acting), LL_REASON_UNKNOWN_SUBJECT);
    end();
}

T_CASE(a_guardian_is_of_age_able_and_of_the_place)
{
    struct ll_err err = {.code = ""};
    begin();
    uint32_t kid = person("kid", BORN(9)), boy = person("boy", BORN(16));
    struct ll_acting acting = {kid, boy, LL_POWER_CONSENT, LL_C1, NOW, TODAY};
    guards(boy, kid, KIND(PARENT), LL_GUARDIAN_ACTIVE);
    T_INT(ll_consent_may_act(consent, &acting), LL_REASON_GUARDIAN_REQUIRED);
    acting.today += 3 * 365;
    T_INT(ll_consent_may_act(consent, &acting), LL_REASON_ALLOW);
    becomes(boy, BORN(16), LL_CAPACITY_LIMITED, LL_SUBJECT_ACTIVE);
    T_INT(ll_consent_may_act(consent, &acting), LL_REASON_GUARDIAN_REQUIRED);
    struct ll_guardianship g = {.ward = kid, .guardian = kid};
    T_OK(ll_consent_put_guardian(consent, &g, &err) == LINLI_E_INVALID);
    T_STR(ll_cstr(err.code), "consent/forbidden");
    struct ll_person p = {.birth_day = LL_DAY_UNKNOWN};
    world_id(p.tag);
    T_OK(ll_consent_put_person(consent, LINLI_STR("lake"), LINLI_STR("x"), &p,
             &g.guardian, NULL) == LINLI_OK);
    T_OK(ll_consent_put_guardian(consent, &g, &err) == LINLI_E_INVALID);
    end();
}

T_CASE(ages)
{
    static const struct {
        const char *birth, *day;
        int32_t years;
    } rows[] = {
        {"2010-10-04", "2024-10-04", 14},
        {"2008-02-29", "2022-03-01", 14},
        {"2008-02-29", "2024-02-29", 16},
        {"1999-12-31", "2017-12-31", 18},
        {"1896-02-29", "1904-02-29", 8},
        {"2016-01-01", "2024-01-01", 8},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        int32_t birth, day;
        T_OK(ll_day_read(ll_cstr(rows[i].birth), &birth));
        T_OK(ll_day_read(ll_cstr(rows[i].day), &day));
        T_INT(ll_age_day(birth, rows[i].years), day);
        T_OK(ll_age_under(birth, day - 1, rows[i].years));
        T_OK(!ll_age_under(birth, day, rows[i].years));
        T_OK(ll_age_under(birth, birth - 1, rows[i].years));
    }
    int32_t day = 77;
    static const char *const bad[] = {"", "2024-02-30", "2023-02-29",
        "2024-13-01", "2024-00-10", "2024-1-010", "0000-01-01", "2024/01/01",
        "2024-01-01 ", "+024-01-01", "2024-01-00"};
    for (size_t i = 0; i < LL_COUNT(bad); i++)
        T_OK(!ll_day_read(ll_cstr(bad[i]), &day));
    T_INT(day, 77);
    T_OK(!ll_age_under(LL_DAY_UNKNOWN, 0, 18));
    for (int32_t d = -800000; d < 800000; d += 1)
        if (ll_day_of(ll_date_of(d)) != d) {
            T_INT(ll_day_of(ll_date_of(d)), d);
            break;
        }
    T_INT(ll_date_of(0).year, 1970);
    T_INT(ll_date_of(TODAY).month, 10);
}

int
main(void)
{
    T_RUN(people_are_found_and_forgotten)
    T_RUN(ten_thousand_people_come_and_go)
    T_RUN(a_child_needs_a_guardian)
    T_RUN(at_fourteen_they_decide_themselves)
    T_RUN(grace_at_fourteen)
    T_RUN(capacity_is_lost_and_found)
    T_RUN(a_capable_wards_refusal_wins)
    T_RUN(who_may_act)
    T_RUN(a_guardian_is_of_age_able_and_of_the_place)
    T_RUN(ages)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
