/* Acts of residents over a store: one commit each, the same state after a
 * restart, and a withdrawal that is told last. */
#include <sqlite3.h>

#include "consent/arbiter.h"
#include "docs_fixture.h"
#include "base/hash.h"
#include "base/text.h"
#include "t.h"

#define DAY_MS ((int64_t)86400000)
#define TODAY 19675 /* of NOW_MS */

struct desk {
    struct engine e;
    struct ll_arbiter arbiter;
    uint32_t party, lin, risen, risen_party;
};

static void
on_risen(void *user, uint32_t subject, uint32_t party)
{
    struct desk *d = user;
    d->risen = subject;
    d->risen_party = party;
}

static void
desk_open(struct desk *d)
{
    T_INT(ll_arbiter_open(
              &d->arbiter, &d->e.f.mem, &d->e.docs, d->e.f.world, &d->e.f.err),
        LINLI_OK);
    d->arbiter.risen = on_risen;
    d->arbiter.user = d;
}

/* As the host does: answers first, then whoever acted. */
static void
desk_settle(struct desk *d)
{
    engine_settle(&d->e);
    ll_arbiter_durable(&d->arbiter);
}

static uint8_t
field(struct desk *d, const char *id)
{
    int f = ll_dictionary_field(&d->arbiter.dictionary, ll_cstr(id));
    T_OK(f >= 0);
    return (uint8_t)f;
}

static uint8_t
purpose(struct desk *d, const char *id)
{
    int p = ll_dictionary_purpose(&d->arbiter.dictionary, ll_cstr(id));
    T_OK(p >= 0);
    return (uint8_t)p;
}

static uint64_t
bit(struct desk *d, const char *id)
{
    return (uint64_t)1 << field(d, id);
}

static struct ll_scope
scope(struct desk *d, const char *f, const char *p, enum ll_basis basis)
{
    return (struct ll_scope){.field = field(d, f),
        .purpose = purpose(d, p),
        .basis = basis,
        .actions = 1u << LL_ACTION_READ};
}

static enum ll_terms_change
declare(struct desk *d, const struct ll_scope *scopes, uint32_t count,
    const char *notice)
{
    struct ll_declaring declaring = {.community = LINLI_STR("garden"),
        .plugin = LINLI_STR("shop"),
        .approver = LINLI_STR("config"),
        .terms = {.active = true,
            .ceiling = LL_C3,
            .pia = true,
            .scopes = scopes,
            .scope_count = count},
        .notice = ll_cstr(notice),
        .now_ms = NOW_MS};
    enum ll_terms_change change;
    T_INT(ll_arbiter_declare(
              &d->arbiter, &declaring, NULL, &d->party, &change, &d->e.f.err),
        LINLI_OK);
    return change;
}

/* phone and address for delivery, heart_rate for safety_monitoring; the plate
 * rests on contract. */
static enum ll_terms_change
declare_usual(struct desk *d)
{
    struct ll_scope scopes[] = {
        scope(d, "phone", "delivery", LL_BASIS_CONSENT),
        scope(d, "address", "delivery", LL_BASIS_CONSENT),
        scope(d, "heart_rate", "safety_monitoring", LL_BASIS_SEPARATE),
        scope(d, "plate", "service", LL_BASIS_CONTRACT),
    };
    return declare(d, scopes, 4, "");
}

static void
desk_init(struct desk *d, bool memory)
{
    *d = (struct desk){.risen = LL_NOBODY};
    engine_init(&d->e, memory);
    desk_open(d);
    T_INT(declare_usual(d), LL_TERMS_WIDEN);
    T_INT(ll_arbiter_meet(&d->arbiter, LINLI_STR("garden"), LINLI_STR("r-lin"),
              NOW_MS, &d->lin, &d->e.f.err),
        LINLI_OK);
}

static void
desk_fini(struct desk *d)
{
    ll_docs_stop(&d->e.docs);
    ll_store_close(&d->e.f.store);
    ll_arbiter_close(&d->arbiter);
    ll_docs_close(&d->e.docs);
    T_INT(d->e.f.failures, 0);
    fixture_fini(&d->e.f);
}

static void
desk_again(struct desk *d)
{
    ll_docs_stop(&d->e.docs);
    ll_store_close(&d->e.f.store);
    ll_arbiter_close(&d->arbiter);
    ll_docs_close(&d->e.docs);
    engine_open(&d->e);
    desk_open(d);
    d->lin = ll_consent_subject(
        d->arbiter.consent, LINLI_STR("garden"), LINLI_STR("r-lin"));
    T_OK(d->lin != LL_NOBODY);
}

/* -- acts -- */

struct acted {
    struct ll_act act;
    bool done, durable;
    uint64_t leaf;
};

static void
on_act(struct ll_act *act, bool durable, uint64_t leaf)
{
    struct acted *a = act->user;
    T_OK(!a->done);
    a->done = true;
    a->durable = durable;
    a->leaf = leaf;
}

static struct ll_act *
acted_init(struct acted *a)
{
    *a = (struct acted){.act = {.done = on_act}};
    a->act.user = a;
    return &a->act;
}

static struct ll_actor_of
self(struct desk *d)
{
    return (struct ll_actor_of){.community = LINLI_STR("garden"),
        .subject = d->lin,
        .actor = d->lin,
        .channel = LINLI_STR("app"),
        .now_ms = NOW_MS,
        .today = TODAY};
}

static struct ll_giving
giving(struct desk *d, const char *f, const char *p)
{
    return (struct ll_giving){.party = d->party,
        .purpose = purpose(d, p),
        .fields = bit(d, f),
        .level = LL_LEVEL_SEPARATE,
        .uses = -1};
}

static uint32_t
give(struct desk *d, const struct ll_giving *g)
{
    struct ll_actor_of who = self(d);
    struct acted a;
    uint32_t grant;
    T_INT(ll_arbiter_give(
              &d->arbiter, &who, g, acted_init(&a), &grant, &d->e.f.err),
        LINLI_OK);
    T_OK(!a.done);
    desk_settle(d);
    T_OK(a.done && a.durable);
    T_OK(a.leaf > 0);
    T_INT(ll_arbiter_grant_more(&d->arbiter, grant).leaf, a.leaf);
    return grant;
}

static enum ll_reason
decide(struct desk *d, const char *f, const char *p, int64_t now_ms)
{
    struct ll_ask ask = {.subject = d->lin,
        .party = d->party,
        .purpose = purpose(d, p),
        .field = field(d, f),
        .now_ms = now_ms,
        .today = TODAY};
    return ll_consent_decide(d->arbiter.consent, &ask).reason;
}

T_CASE(a_withdrawal_is_true_at_once_and_told_last)
{
    struct desk d;
    desk_init(&d, true);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_NO_GRANT);
    struct ll_giving g = giving(&d, "phone", "delivery");
    uint32_t grant = give(&d, &g);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    T_INT(decide(&d, "address", "delivery", NOW_MS) == LL_REASON_ALLOW, 0);

    struct ll_actor_of who = self(&d);
    struct acted a, again;
    T_INT(ll_arbiter_withdraw(
              &d.arbiter, &who, grant, acted_init(&a), &d.e.f.err),
        LINLI_OK);
    T_OK(!a.done); /* true at once, told later */
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_REVOKED);
    T_INT(d.risen, d.lin);
    T_INT(d.risen_party, d.party);
    engine_settle(&d.e);
    T_OK(!a.done); /* not before the answers have left */
    ll_arbiter_durable(&d.arbiter);
    T_OK(a.done && a.durable);
    uint64_t last = ll_store_last(d.e.f.store);
    T_INT(ll_arbiter_withdraw(
              &d.arbiter, &who, grant, acted_init(&again), &d.e.f.err),
        LINLI_OK);
    desk_settle(&d);
    T_OK(again.done);
    T_INT(again.leaf, a.leaf);
    T_INT(ll_store_last(d.e.f.store), last + 1); /* a place, and no leaf */
    desk_fini(&d);
}

static void
refuses(struct desk *d, const struct ll_giving *g, const char *word)
{
    struct ll_actor_of who = self(d);
    uint32_t grant;
    uint64_t last = ll_store_last(d->e.f.store);
    T_OK(ll_arbiter_give(&d->arbiter, &who, g, NULL, &grant, &d->e.f.err) !=
         LINLI_OK);
    T_STR(ll_cstr(d->e.f.err.code), "consent/act");
    T_OK(strstr(d->e.f.err.msg, word) != NULL);
    T_OK(d->e.f.err.fix[0] != '\0');
    T_INT(grant, LL_NO_GRANT);
    T_INT(ll_store_last(d->e.f.store), last);
}

T_CASE(what_is_no_act_says_what_fixes_it)
{
    struct desk d;
    desk_init(&d, true);
    struct ll_giving g = giving(&d, "heart_rate", "safety_monitoring");
    g.fields |= bit(&d, "phone");
    refuses(&d, &g, "does not ask"); /* declared for another purpose */
    g = giving(&d, "heart_rate", "safety_monitoring");
    g.level = LL_LEVEL_GENERAL;
    refuses(&d, &g, "act of its own");
    g = giving(&d, "phone", "marketing");
    refuses(&d, &g, "does not ask");
    g = giving(&d, "plate", "service"); /* rests on contract */
    refuses(&d, &g, "does not ask");
    g = giving(&d, "phone", "delivery");
    g.until_ms = NOW_MS + 366 * DAY_MS;
    refuses(&d, &g, "365 days");
    g.until_ms = NOW_MS;
    refuses(&d, &g, "before it begins");
    g = giving(&d, "phone", "delivery");
    g.uses = 0;
    refuses(&d, &g, "one use");
    desk_fini(&d);
}

T_CASE(what_is_sensitive_is_decided_one_by_one)
{
    struct desk d;
    desk_init(&d, true);
    struct ll_scope scopes[] = {
        scope(&d, "heart_rate", "safety_monitoring", LL_BASIS_SEPARATE),
        scope(&d, "spo2", "safety_monitoring", LL_BASIS_SEPARATE),
        scope(&d, "phone", "delivery", LL_BASIS_CONSENT),
        scope(&d, "display_name", "delivery", LL_BASIS_CONSENT)};
    T_INT(declare(&d, scopes, 4, ""), LL_TERMS_WIDEN);
    struct ll_giving g = giving(&d, "heart_rate", "safety_monitoring");
    g.fields |= bit(&d, "spo2");
    refuses(&d, &g, "one by one");
    T_OK(strstr(d.e.f.err.fix, "one request for each") != NULL);
    g = giving(&d, "phone", "delivery");
    g.fields |= bit(&d, "display_name");
    g.level = LL_LEVEL_GENERAL;
    (void)give(&d, &g);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    desk_fini(&d);
}

T_CASE(the_same_key_gives_once)
{
    struct desk d;
    desk_init(&d, true);
    struct ll_actor_of who = self(&d);
    struct acted a, b;
    uint32_t first, second;
    who.key = (linli_str)LINLI_STR("k-1");
    struct ll_giving g = giving(&d, "phone", "delivery");
    T_INT(ll_arbiter_give(
              &d.arbiter, &who, &g, acted_init(&a), &first, &d.e.f.err),
        LINLI_OK);
    desk_settle(&d);
    who.now_ms += 5000;
    T_INT(ll_arbiter_give(
              &d.arbiter, &who, &g, acted_init(&b), &second, &d.e.f.err),
        LINLI_OK);
    desk_settle(&d);
    T_INT(first, second);
    T_INT(b.leaf, a.leaf);
    g.fields = bit(&d, "address");
    T_OK(ll_arbiter_give(&d.arbiter, &who, &g, NULL, &second, &d.e.f.err) !=
         LINLI_OK);
    T_STR(ll_cstr(d.e.f.err.code), "request/idempotency-key");
    desk_fini(&d);
}

static void
access_phone(struct desk *d, uint32_t grant, int64_t now_ms)
{
    struct ll_access access = {.community = LINLI_STR("garden"),
        .subject = d->lin,
        .party = d->party,
        .grant = grant,
        .purpose = purpose(d, "delivery"),
        .fields = bit(d, "phone"),
        .basis = LL_BASIS_CONSENT,
        .actor = LINLI_STR("system"),
        .call = LINLI_STR("00000000000000000000000000000001"),
        .now_ms = now_ms};
    T_OK(ll_arbiter_access(&d->arbiter, &access, NULL) != 0);
}

T_CASE(one_use_is_one_use)
{
    struct desk d;
    desk_init(&d, false);
    struct ll_giving g = giving(&d, "phone", "delivery");
    g.uses = 1;
    uint32_t grant = give(&d, &g);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    access_phone(&d, grant, NOW_MS);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_USES_EXHAUSTED);
    desk_settle(&d);
    desk_again(&d);
    declare_usual(&d);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_USES_EXHAUSTED);
    desk_fini(&d);
}

T_CASE(grants_end_by_time)
{
    struct desk d;
    desk_init(&d, false);
    struct ll_giving g = giving(&d, "phone", "delivery");
    g.until_ms = NOW_MS + 10 * DAY_MS;
    g.idle_days = 3;
    uint32_t grant = give(&d, &g);
    access_phone(&d, grant, NOW_MS + 2 * DAY_MS);
    T_INT(
        decide(&d, "phone", "delivery", NOW_MS + 4 * DAY_MS), LL_REASON_ALLOW);
    T_INT(decide(&d, "phone", "delivery", NOW_MS + 6 * DAY_MS),
        LL_REASON_EXPIRED);
    ll_arbiter_tidy(&d.arbiter, NOW_MS + 4 * DAY_MS, 1000);
    T_INT(ll_consent_grant(d.arbiter.consent, grant)->status, LL_GRANT_LIVE);
    ll_arbiter_tidy(&d.arbiter, NOW_MS + 6 * DAY_MS, 1000);
    T_INT(ll_consent_grant(d.arbiter.consent, grant)->status, LL_GRANT_EXPIRED);
    /* A clock that goes back revives nothing, nor does a restart. */
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_EXPIRED);
    desk_settle(&d);
    desk_again(&d);
    declare_usual(&d);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_EXPIRED);
    desk_fini(&d);
}

T_CASE(what_is_new_needs_consent_of_its_own)
{
    struct desk d;
    desk_init(&d, false);
    struct ll_scope narrow[] = {
        scope(&d, "phone", "delivery", LL_BASIS_CONSENT),
        scope(&d, "plate", "service", LL_BASIS_CONTRACT)};
    struct ll_giving g = giving(&d, "phone", "delivery");
    (void)give(&d, &g);
    g = giving(&d, "address", "delivery");
    (void)give(&d, &g);
    T_INT(declare_usual(&d), LL_TERMS_SAME);
    T_INT(declare(&d, narrow, 2, ""), LL_TERMS_NARROW);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    T_INT(decide(&d, "address", "delivery", NOW_MS),
        LL_REASON_NOT_IN_MANIFEST_FIELD);
    T_INT(declare(&d, narrow, 2,
              "00000000000000000000000000000000"
              "00000000000000000000000000000000"),
        LL_TERMS_TEXT);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    /* What comes back is new: whoever agreed to it agreed to a text of then */
    T_INT(declare_usual(&d), LL_TERMS_WIDEN);
    T_INT(ll_consent_terms(d.arbiter.consent, d.party)->version, 2);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    T_INT(decide(&d, "address", "delivery", NOW_MS), LL_REASON_POLICY_CHANGED);
    desk_settle(&d);
    desk_again(&d);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_PLUGIN_INACTIVE);
    T_INT(declare_usual(&d), LL_TERMS_SAME);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    T_INT(decide(&d, "address", "delivery", NOW_MS), LL_REASON_POLICY_CHANGED);
    desk_fini(&d);
}

/* Of the leaves that are durable, those that hold a text. */
static int
leaves_with(struct desk *d, const char *text)
{
    char path[256];
    sqlite3 *db;
    sqlite3_stmt *count;
    desk_settle(d);
    snprintf(path, sizeof path, "%s/linli.db", d->e.f.dir);
    T_INT(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    T_INT(sqlite3_prepare_v2(db,
              "SELECT count(*) FROM log_leaf WHERE "
              "instr(CAST(leaf AS TEXT), ?1) > 0",
              -1, &count, NULL),
        SQLITE_OK);
    sqlite3_bind_text(count, 1, text, -1, SQLITE_STATIC);
    T_INT(sqlite3_step(count), SQLITE_ROW);
    int found = sqlite3_column_int(count, 0);
    sqlite3_finalize(count);
    sqlite3_close(db);
    return found;
}

T_CASE(off_and_on_are_in_the_log)
{
    struct desk d;
    desk_init(&d, false);
    struct ll_giving g = giving(&d, "phone", "delivery");
    (void)give(&d, &g);
    T_INT(
        leaves_with(&d, "\"ceiling\":\"C3\",\"pia\":true,\"abroad\":false"), 1);
    ll_arbiter_suspend(&d.arbiter, d.party);
    ll_arbiter_suspend(&d.arbiter, d.party); /* it is */
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_PLUGIN_INACTIVE);
    T_INT(leaves_with(&d, "\"result\":\"off\""), 1);
    desk_again(&d);
    T_INT(declare_usual(&d), LL_TERMS_SAME);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    T_INT(leaves_with(&d, "\"result\":\"on\""), 1);
    /* What was on says it no second time. */
    desk_again(&d);
    T_INT(declare_usual(&d), LL_TERMS_SAME);
    T_INT(leaves_with(&d, "\"result\":\"on\""), 1);
    desk_fini(&d);
}

/* 14 years are 5113 or 5114 days: on the day itself they are 14. */
T_CASE(an_age_begins_on_its_birthday)
{
    static const char under[] = "\"age\":\"under14\"";
    struct desk d;
    desk_init(&d, false);
    struct ll_actor_of who = self(&d);
    struct ll_person child = {.birth_day = 15400}; /* 2012-03-01 */
    who.today = 20512;                             /* 2026-02-28 */
    for (int day = 0; day < 2; day++) {
        T_INT(ll_arbiter_put_person(&d.arbiter, &who, LINLI_STR("r-lin"),
                  &child, NULL, &d.e.f.err),
            LINLI_OK);
        T_INT(leaves_with(&d, under), 1);
        who.today++;
    }
    desk_fini(&d);
}

T_CASE(an_ended_basis_stays_ended)
{
    struct desk d;
    desk_init(&d, false);
    const struct ll_basis_more *basis = ll_arbiter_basis(&d.arbiter, 0);
    T_OK(basis != NULL && ll_arbiter_basis(&d.arbiter, 1) == NULL);
    T_INT(basis->record.basis, LL_BASIS_CONTRACT);
    T_STR(basis->approver, "config");
    struct ll_ask ask = {.subject = d.lin,
        .party = d.party,
        .purpose = purpose(&d, "service"),
        .field = field(&d, "plate"),
        .own = true,
        .now_ms = NOW_MS + 1,
        .today = TODAY};
    T_INT(ll_consent_decide(d.arbiter.consent, &ask).reason, LL_REASON_ALLOW);
    struct ll_actor_of who = {.community = LINLI_STR("garden"),
        .subject = LL_NOBODY,
        .actor = LL_NOBODY,
        .actor_name = LINLI_STR("operator:o-1"),
        .now_ms = NOW_MS + 1};
    T_INT(
        ll_arbiter_end_basis(&d.arbiter, &who, 0, NULL, &d.e.f.err), LINLI_OK);
    T_OK(ll_consent_decide(d.arbiter.consent, &ask).reason != LL_REASON_ALLOW);
    desk_settle(&d);
    desk_again(&d);
    T_INT(declare_usual(&d), LL_TERMS_SAME); /* approves nothing anew */
    T_OK(ll_consent_decide(d.arbiter.consent, &ask).reason != LL_REASON_ALLOW);
    desk_fini(&d);
}

T_CASE(a_refusal_is_kept_until_they_give)
{
    struct desk d;
    int64_t until_ms;
    desk_init(&d, false);
    struct ll_actor_of who = self(&d);
    struct ll_refusing refusing = {.party = d.party,
        .purpose = purpose(&d, "delivery"),
        .fields = bit(&d, "phone")};
    T_INT(ll_arbiter_refuse(&d.arbiter, &who, &refusing, NULL, &d.e.f.err),
        LINLI_OK);
    struct ll_ask ask = {.subject = d.lin,
        .party = d.party,
        .purpose = purpose(&d, "delivery"),
        .field = field(&d, "phone"),
        .now_ms = NOW_MS + DAY_MS,
        .today = TODAY};
    T_OK(!ll_consent_may_ask(d.arbiter.consent, &ask, 30 * DAY_MS, &until_ms));
    desk_settle(&d);
    desk_again(&d);
    declare_usual(&d);
    ask.subject = d.lin;
    T_OK(!ll_consent_may_ask(d.arbiter.consent, &ask, 30 * DAY_MS, &until_ms));
    /* Who comes back by themself may always give. */
    struct ll_giving g = giving(&d, "phone", "delivery");
    (void)give(&d, &g);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    desk_settle(&d);
    desk_again(&d);
    declare_usual(&d);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    T_OK(ll_consent_may_ask(d.arbiter.consent, &ask, 30 * DAY_MS, &until_ms));
    desk_fini(&d);
}

T_CASE(an_objection_is_kept_until_taken_back)
{
    struct desk d;
    desk_init(&d, false);
    struct ll_giving g = giving(&d, "phone", "delivery");
    (void)give(&d, &g);
    struct ll_actor_of who = self(&d);
    struct ll_objecting objecting = {
        .party = d.party, .objection = LL_OBJECTION_BLOCK, .on = true};
    T_INT(ll_arbiter_object(&d.arbiter, &who, &objecting, NULL, &d.e.f.err),
        LINLI_OK);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_OBJECTION);
    desk_settle(&d);
    desk_again(&d);
    declare_usual(&d);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_OBJECTION);
    who = self(&d);
    objecting.on = false;
    T_INT(ll_arbiter_object(&d.arbiter, &who, &objecting, NULL, &d.e.f.err),
        LINLI_OK);
    desk_settle(&d);
    desk_again(&d);
    declare_usual(&d);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_ALLOW);
    desk_fini(&d);
}

T_CASE(a_guardian_gives_for_a_child)
{
    struct desk d;
    uint32_t child, mother, grant;
    desk_init(&d, false);
    struct ll_actor_of staff = {.community = LINLI_STR("garden"),
        .subject = LL_NOBODY,
        .actor = LL_NOBODY,
        .actor_name = LINLI_STR("staff:s-1"),
        .now_ms = NOW_MS,
        .today = TODAY};
    struct ll_person young = {.birth_day = TODAY - 10 * 365};
    struct ll_person old = {.birth_day = TODAY - 40 * 365};
    T_INT(ll_arbiter_put_person(&d.arbiter, &staff, LINLI_STR("r-child"),
              &young, NULL, &d.e.f.err),
        LINLI_OK);
    T_INT(ll_arbiter_put_person(&d.arbiter, &staff, LINLI_STR("r-mother"), &old,
              NULL, &d.e.f.err),
        LINLI_OK);
    child = ll_consent_subject(
        d.arbiter.consent, LINLI_STR("garden"), LINLI_STR("r-child"));
    mother = ll_consent_subject(
        d.arbiter.consent, LINLI_STR("garden"), LINLI_STR("r-mother"));
    struct ll_giving g = giving(&d, "phone", "delivery");
    struct ll_actor_of who = self(&d);
    who.subject = who.actor = child;
    T_OK(ll_arbiter_give(&d.arbiter, &who, &g, NULL, &grant, &d.e.f.err) !=
         LINLI_OK);
    T_STR(ll_cstr(d.e.f.err.code), "consent/forbidden");
    who.actor = mother;
    T_OK(ll_arbiter_give(&d.arbiter, &who, &g, NULL, &grant, &d.e.f.err) !=
         LINLI_OK);
    struct ll_guardianship parent = {.ward = child,
        .guardian = mother,
        .kind = LL_GUARDIAN_PARENT,
        .powers = LL_POWER_CONSENT | LL_POWER_VIEW,
        .ceiling = LL_C3,
        .from_ms = NOW_MS,
        .until_ms = INT64_MAX,
        .status = LL_GUARDIAN_ACTIVE};
    T_INT(
        ll_arbiter_put_guardian(&d.arbiter, &staff, &parent, NULL, &d.e.f.err),
        LINLI_OK);
    T_INT(ll_arbiter_give(&d.arbiter, &who, &g, NULL, &grant, &d.e.f.err),
        LINLI_OK);
    desk_settle(&d);
    desk_again(&d);
    declare_usual(&d);
    child = ll_consent_subject(
        d.arbiter.consent, LINLI_STR("garden"), LINLI_STR("r-child"));
    mother = ll_consent_subject(
        d.arbiter.consent, LINLI_STR("garden"), LINLI_STR("r-mother"));
    uint32_t again =
        ll_consent_next_grant(d.arbiter.consent, child, LL_NO_GRANT);
    T_OK(again != LL_NO_GRANT);
    T_INT(ll_consent_grant(d.arbiter.consent, again)->guardian, mother);
    /* Staff write down her word: the leaf names them, and its data her, as
     * the guardianship's does. */
    who.subject = child;
    who.actor = mother;
    who.actor_name = (linli_str)LINLI_STR("staff:s-1");
    T_INT(ll_arbiter_withdraw(&d.arbiter, &who, again, NULL, &d.e.f.err),
        LINLI_OK);
    T_INT(leaves_with(&d, "\"data\":{\"guardian\":\""), 2);
    desk_fini(&d);
}

T_CASE(a_later_grant_takes_its_place)
{
    struct desk d;
    desk_init(&d, false);
    struct ll_giving g = giving(&d, "phone", "delivery");
    uint32_t first = give(&d, &g), second = give(&d, &g);
    T_INT(
        ll_consent_grant(d.arbiter.consent, first)->status, LL_GRANT_REPLACED);
    T_INT(ll_consent_grant(d.arbiter.consent, second)->status, LL_GRANT_LIVE);
    desk_again(&d);
    declare_usual(&d);
    uint32_t live = 0, all = 0, at = LL_NO_GRANT;
    while ((at = ll_consent_next_grant(d.arbiter.consent, d.lin, at)) !=
           LL_NO_GRANT) {
        all++;
        live +=
            ll_consent_grant(d.arbiter.consent, at)->status == LL_GRANT_LIVE;
    }
    T_INT(all, 2);
    T_INT(live, 1);
    desk_fini(&d);
}

/* Where an act stands is found in the log where the commit that would have
 * said so was never made. */
T_CASE(a_crash_between_two_commits_loses_no_place)
{
    struct desk d;
    desk_init(&d, false);
    struct ll_giving g = giving(&d, "phone", "delivery");
    struct ll_actor_of who = self(&d);
    struct acted given, gone;
    uint32_t grant;
    unsigned char id[LL_TAG_BYTES];
    (void)give(&d, &g); /* another, before it */
    T_INT(ll_arbiter_give(
              &d.arbiter, &who, &g, acted_init(&given), &grant, &d.e.f.err),
        LINLI_OK);
    memcpy(id, ll_consent_grant(d.arbiter.consent, grant)->id, sizeof id);
    T_INT(ll_arbiter_withdraw(
              &d.arbiter, &who, grant, acted_init(&gone), &d.e.f.err),
        LINLI_OK);
    engine_settle(&d.e); /* durable, and nothing was done about it */
    desk_again(&d);
    grant = ll_consent_find_grant(d.arbiter.consent, id);
    struct ll_grant_more more = ll_arbiter_grant_more(&d.arbiter, grant);
    T_OK(given.leaf > 0 && gone.leaf > given.leaf);
    T_INT(more.leaf, given.leaf);
    T_INT(more.end_leaf, gone.leaf);
    desk_fini(&d);
}

/* A resident who is shredded is nobody, and nothing of them comes back. */
T_CASE(who_is_shredded_is_nobody)
{
    struct desk d;
    desk_init(&d, false);
    struct ll_giving g = giving(&d, "phone", "delivery");
    (void)give(&d, &g);
    struct ll_actor_of who = self(&d);
    struct ll_person gone = {
        .birth_day = LL_DAY_UNKNOWN, .state = LL_SUBJECT_SHREDDED};
    T_INT(ll_arbiter_put_person(
              &d.arbiter, &who, LINLI_STR("r-lin"), &gone, NULL, &d.e.f.err),
        LINLI_OK);
    T_INT(decide(&d, "phone", "delivery", NOW_MS), LL_REASON_UNKNOWN_SUBJECT);
    desk_settle(&d);
    ll_docs_stop(&d.e.docs);
    ll_store_close(&d.e.f.store);
    ll_arbiter_close(&d.arbiter);
    ll_docs_close(&d.e.docs);
    engine_open(&d.e);
    desk_open(&d);
    T_INT(ll_consent_subject(
              d.arbiter.consent, LINLI_STR("garden"), LINLI_STR("r-lin")),
        LL_NOBODY);
    T_INT(ll_consent_grants(d.arbiter.consent), 0);
    desk_fini(&d);
}

T_MAIN(T_RUN(a_withdrawal_is_true_at_once_and_told_last)
        T_RUN(what_is_no_act_says_what_fixes_it) T_RUN(
            what_is_sensitive_is_decided_one_by_one)
            T_RUN(the_same_key_gives_once) T_RUN(one_use_is_one_use) T_RUN(
                grants_end_by_time) T_RUN(what_is_new_needs_consent_of_its_own)
                T_RUN(off_and_on_are_in_the_log)
                    T_RUN(an_age_begins_on_its_birthday)
                        T_RUN(an_ended_basis_stays_ended) T_RUN(
                            a_refusal_is_kept_until_they_give)
                            T_RUN(an_objection_is_kept_until_taken_back) T_RUN(
                                a_guardian_gives_for_a_child)
                                T_RUN(a_later_grant_takes_its_place) T_RUN(
                                    a_crash_between_two_commits_loses_no_place)
                                    T_RUN(who_is_shredded_is_nobody))
