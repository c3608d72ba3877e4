/* domain/consent.c: the decision.
 *
 * Steps in a fixed order; the first that fails names the reason. Each step is
 * a function of what is asked and what is known, so that an explanation walks
 * the same ones.
 */
#include "domain/consent.h"

#include "base/limits.h"
#include "base/text.h"
#include "domain/consent_step.h"

#define FETCH_AHEAD 8 /* of many: whose lines are sent for meanwhile */

/* -- words -- */

#define X(name, word, code) #word,
static const char *const reason_words[] = {LL_REASONS(X)};
#undef X
#define X(name, word, code) code,
static const char *const reason_codes[] = {LL_REASONS(X)};
#undef X
#define X(name, word) #word,
static const char *const basis_words[] = {LL_BASES(X)};
#undef X
static const char *const level_words[] = {"general", "separate", "written"};
static const char *const remedy_words[] = {
    "none", "ask", "reconfirm", "guardian", "wait"};

const char *
ll_reason_name(enum ll_reason reason)
{
    return reason_words[reason];
}

const char *
ll_reason_code(enum ll_reason reason)
{
    return reason_codes[reason];
}

const char *
ll_basis_name(enum ll_basis basis)
{
    return basis_words[basis];
}

bool
ll_basis_read(linli_str word, enum ll_basis *out)
{
    *out = LL_BASIS_CONSENT;
    for (size_t i = 0; i < LL_COUNT(basis_words); i++)
        if (ll_str_is(word, basis_words[i])) {
            *out = (enum ll_basis)i;
            return true;
        }
    return false;
}

const char *
ll_act_level_name(enum ll_act_level level)
{
    return level_words[level];
}

const char *
ll_remedy_name(enum ll_remedy remedy)
{
    return remedy_words[remedy];
}

/* -- what is known before anybody is asked -- */

static enum ll_reason
step_log(struct ll_rerate *at)
{
    return at->ask->unlogged ? LL_REASON_LOG_UNAVAILABLE : LL_REASON_ALLOW;
}

static enum ll_reason
step_plugin(struct ll_rerate *at)
{
    if (at->ask->party >= at->consent->parties.count)
        return LL_REASON_PLUGIN_INACTIVE;
    at->party = ll_party_at(at->consent, at->ask->party);
    return at->party->terms.active ? LL_REASON_ALLOW
                                   : LL_REASON_PLUGIN_INACTIVE;
}

/* Another community's resident is nobody here. */
static enum ll_reason
step_subject(struct ll_rerate *at)
{
    if (at->ask->subject >= at->consent->subjects.count)
        return LL_REASON_UNKNOWN_SUBJECT;
    const struct ll_subject *subject =
        ll_subject_at(at->consent, at->ask->subject);
    if (subject->person.state == LL_SUBJECT_SHREDDED ||
        subject->community != at->party->community)
        return LL_REASON_UNKNOWN_SUBJECT;
    at->subject = subject;
    at->verdict.epoch = subject->epoch;
    if (subject->person.state == LL_SUBJECT_FROZEN)
        return LL_REASON_SUBJECT_FROZEN;
    return subject->person.state == LL_SUBJECT_DECEASED
               ? LL_REASON_SUBJECT_DECEASED
               : LL_REASON_ALLOW;
}

/* Its place among the uses; without a branch, which nothing could predict. */
static uint32_t
find_use(const struct ll_party *party, uint16_t key)
{
    uint32_t hit = UINT32_MAX;
    for (uint32_t i = 0; i < party->terms.scope_count; i++)
        hit = party->keys[i] == key ? i : hit;
    return hit;
}

static enum ll_reason
not_declared(const struct ll_party *party, uint8_t field)
{
    for (uint32_t i = 0; i < party->terms.scope_count; i++)
        if (party->keys[i] >> 8 == field)
            return LL_REASON_NOT_IN_MANIFEST_PURPOSE;
    return LL_REASON_NOT_IN_MANIFEST_FIELD;
}

static enum ll_reason
step_manifest(struct ll_rerate *at)
{
    const struct ll_ask *ask = at->ask;
    uint32_t use =
        find_use(at->party, (uint16_t)(ask->field << 8 | ask->purpose));
    if (use == UINT32_MAX)
        return not_declared(at->party, ask->field);
    at->scope = &at->party->scopes[use];
    at->field = &at->consent->dictionary->fields[ask->field];
    return ask->action < 32 && (at->scope->actions >> ask->action & 1) != 0
               ? LL_REASON_ALLOW
               : LL_REASON_NOT_IN_MANIFEST_ACTION;
}

/* 个人信息保护法 55: sensitive, to others, or to decide by itself. */
static enum ll_reason
step_pia(struct ll_rerate *at)
{
    bool wanted = at->field->class == LL_C3 ||
                  at->party->terms.relation == LL_RELATION_PROVIDE ||
                  at->ask->auto_decision;
    return wanted && !at->party->terms.pia ? LL_REASON_PIA_MISSING
                                           : LL_REASON_ALLOW;
}

static enum ll_reason
step_ceiling(struct ll_rerate *at)
{
    return at->field->class > at->party->terms.ceiling ? LL_REASON_CLASS_CEILING
                                                       : LL_REASON_ALLOW;
}

static enum ll_reason
step_region(struct ll_rerate *at)
{
    return at->party->terms.abroad ? LL_REASON_REGION : LL_REASON_ALLOW;
}

static bool
rests_on_consent(const struct ll_rerate *at)
{
    return at->scope->basis == LL_BASIS_CONSENT ||
           at->scope->basis == LL_BASIS_SEPARATE;
}

static enum ll_reason
step_objection(struct ll_rerate *at)
{
    uint32_t bits =
        ll_objections_between(at->consent, at->subject, at->ask->party);
    uint32_t against = 0;
    if (LL_LIKELY(bits == 0))
        return LL_REASON_ALLOW;
    if (at->scope->basis != LL_BASIS_STATUTORY &&
        at->scope->basis != LL_BASIS_EMERGENCY)
        against |= 1u << LL_OBJECTION_BLOCK;
    if (at->ask->auto_decision)
        against |= 1u << LL_OBJECTION_AUTO_DECISION;
    enum ll_purpose_category category =
        at->consent->dictionary->purposes[at->ask->purpose].category;
    if (category == LL_PURPOSE_PROFILING)
        against |= 1u << LL_OBJECTION_PROFILING;
    if (category == LL_PURPOSE_MARKETING)
        against |= 1u << LL_OBJECTION_MARKETING;
    return (bits & against) != 0 ? LL_REASON_OBJECTION : LL_REASON_ALLOW;
}

/* -- consent -- */

static enum ll_reason
step_guardian(struct ll_rerate *at)
{
    at->ward = ll_person_is_ward(&at->subject->person, at->ask->today);
    if (!at->ward || !rests_on_consent(at))
        return LL_REASON_ALLOW;
    struct ll_guarding want = {
        LL_POWER_CONSENT, at->field->class, at->ask->now_ms, at->ask->today};
    return ll_guard_best(at->consent, at->ask->subject, LL_NOBODY, &want);
}

/* In the days after they became the one who decides: what held on the last day
 * before, through a guardian who is one still, unless they have said no. */
static bool
in_grace(const struct ll_rerate *at, const struct ll_grant *grant)
{
    int32_t birth = at->subject->person.birth_day;
    if (at->consent->reconfirm_days == 0 || birth == LL_DAY_UNKNOWN ||
        ll_refusal_find(at->consent, at->ask) != NULL)
        return false;
    int32_t since = ll_age_day(birth, LL_AGE_OF_CONSENT);
    struct ll_guarding want = {
        LL_POWER_CONSENT, at->field->class, at->ask->now_ms, since - 1};
    return at->ask->today >= since &&
           at->ask->today - since < at->consent->reconfirm_days &&
           ll_guard_best(at->consent, at->ask->subject, grant->guardian,
               &want) == LL_REASON_ALLOW;
}

/* Whoever gave a grant must be who may give it today. */
static enum ll_reason
judge_giver(const struct ll_rerate *at, const struct ll_grant *grant)
{
    if (LL_LIKELY(grant->guardian == LL_NOBODY))
        return at->ward ? LL_REASON_GUARDIAN_REQUIRED : LL_REASON_ALLOW;
    struct ll_guarding want = {
        LL_POWER_CONSENT, at->field->class, at->ask->now_ms, at->ask->today};
    enum ll_reason force =
        ll_guard_best(at->consent, at->ask->subject, grant->guardian, &want);
    if (at->ward)
        return force;
    /* Who has just turned 14 is given time to say it themself. */
    if (in_grace(at, grant))
        return LL_REASON_ALLOW;
    /* A delegate of one who may decide themself, unless they said no. */
    return force == LL_REASON_ALLOW &&
                   ll_refusal_find(at->consent, at->ask) == NULL
               ? LL_REASON_ALLOW
               : LL_REASON_SELF_RECONFIRM;
}

/* Whether it takes an act for this alone, PIPL 23, 29. */
static bool
is_separate(const struct ll_rerate *at)
{
    const struct ll_terms *terms = &at->party->terms;
    return at->scope->basis == LL_BASIS_SEPARATE || at->field->class == LL_C3 ||
           terms->relation == LL_RELATION_PROVIDE;
}

/* Whether what a slot of the index says of a grant is enough to allow: what
 * judge_time and judge_live would find, without a look at the grant. */
static bool
is_said(const struct ll_rerate *at, uint64_t said)
{
    const struct ll_terms *terms = &at->party->terms;
    uint32_t version = said >> LL_SAID_VERSION & LL_SAID_VERSION_MAX;
    int64_t now_ms = at->ask->now_ms;
    return !at->ward && (said >> LL_SAID_FIELD & 63) == at->ask->field &&
           now_ms >= at->consent->begun_ms &&
           now_ms >> LL_SAID_UNIT_BITS < (int64_t)(said >> LL_SAID_UNTIL) &&
           version >= terms->since && version >= at->scope->since &&
           version <= terms->version &&
           (!is_separate(at) || (said >> LL_SAID_SEPARATE & 1) != 0);
}

/* A grant that is in force and holds the field: does it hold for this? */
static enum ll_reason
judge_live(const struct ll_rerate *at, const struct ll_grant *grant)
{
    const struct ll_terms *terms = &at->party->terms;
    enum ll_reason giver = judge_giver(at, grant);
    if (giver != LL_REASON_ALLOW)
        return giver;
    if (grant->version < terms->since || grant->version < at->scope->since ||
        grant->version > terms->version)
        return LL_REASON_POLICY_CHANGED;
    if (is_separate(at) && grant->level < LL_LEVEL_SEPARATE)
        return LL_REASON_LEVEL_TOO_LOW;
    /* What is sensitive was never agreed to together with another. */
    if (at->field->class == LL_C3 && (grant->fields & (grant->fields - 1)) != 0)
        return LL_REASON_LEVEL_TOO_LOW;
    return grant->uses == 0 ? LL_REASON_USES_EXHAUSTED : LL_REASON_ALLOW;
}

/* Whether a grant is in force, whoever asks for what. */
static enum ll_reason
judge_time(const struct ll_grant *grant, int64_t now_ms)
{
    if (grant->status == LL_GRANT_REVOKED)
        return LL_REASON_REVOKED;
    if (grant->status == LL_GRANT_EXPIRED || now_ms >= grant->until_ms)
        return LL_REASON_EXPIRED;
    if (now_ms < grant->from_ms)
        return LL_REASON_NOT_YET;
    return grant->idle_days > 0 && now_ms - grant->used_ms >=
                                       (int64_t)grant->idle_days * LL_DAY_MS
               ? LL_REASON_EXPIRED
               : LL_REASON_ALLOW;
}

/* Any grant that serves allows. Otherwise of those that hold the field: one in
 * force, which came furthest; else the newest; else one in force that holds
 * another; else there is none. */
static enum ll_reason
step_grant(struct ll_rerate *at)
{
    enum ll_reason live = LL_REASON_ALLOW, dead = LL_REASON_ALLOW;
    uint32_t near = LL_NO_GRANT, ended = LL_NO_GRANT, other = LL_NO_GRANT;
    const struct ll_key_slot *slot = ll_key_find(&at->consent->by_key,
        ll_key_of(at->ask->subject, at->ask->party, at->ask->purpose));
    uint32_t i = slot == NULL ? LL_NO_GRANT : ll_key_number(slot);
    if (LL_LIKELY(slot != NULL && is_said(at, slot->grant))) {
        at->verdict.grant = i;
        return LL_REASON_ALLOW;
    }
    for (; i != LL_NO_GRANT; i = ll_grant_at(at->consent, i)->older) {
        const struct ll_grant *grant = &ll_grant_at(at->consent, i)->grant;
        bool holds = (grant->fields >> at->ask->field & 1) != 0;
        if (grant->status == LL_GRANT_REPLACED)
            continue;
        enum ll_reason reason = judge_time(grant, at->ask->now_ms);
        if (reason == LL_REASON_ALLOW && holds) {
            reason = judge_live(at, grant);
            if (LL_LIKELY(reason == LL_REASON_ALLOW)) {
                at->verdict.grant = i;
                return LL_REASON_ALLOW;
            }
            if (reason > live) {
                live = reason;
                near = i;
            }
        } else if (reason == LL_REASON_ALLOW && other == LL_NO_GRANT) {
            other = i;
        } else if (holds && dead == LL_REASON_ALLOW) {
            dead = reason;
            ended = i;
        }
    }
    at->verdict.grant = live != LL_REASON_ALLOW   ? near
                        : dead != LL_REASON_ALLOW ? ended
                                                  : other;
    return live != LL_REASON_ALLOW   ? live
           : dead != LL_REASON_ALLOW ? dead
           : other != LL_NO_GRANT    ? LL_REASON_FIELD_NOT_GRANTED
                                     : LL_REASON_NO_GRANT;
}

/* -- what rests on no consent -- */

static enum ll_reason
step_record(struct ll_rerate *at)
{
    const struct ll_party *party = at->party;
    const struct ll_basis_record *record = NULL;
    for (uint32_t i = 0; i < party->record_count; i++)
        if (party->records[i].purpose == at->ask->purpose &&
            party->records[i].basis == at->scope->basis)
            record = &party->records[i];
    if (record == NULL)
        return LL_REASON_NO_GRANT;
    if (at->ask->now_ms < record->from_ms)
        return LL_REASON_NOT_YET;
    if (at->ask->now_ms >= record->until_ms)
        return LL_REASON_EXPIRED;
    if ((record->fields >> at->ask->field & 1) == 0)
        return LL_REASON_FIELD_NOT_GRANTED;
    if (at->scope->basis == LL_BASIS_CONTRACT && !at->ask->own)
        return LL_REASON_CONDITION;
    /* Nothing opens an incident yet, so none is open. */
    return at->scope->basis == LL_BASIS_EMERGENCY ? LL_REASON_INCIDENT_NOT_OPEN
                                                  : LL_REASON_ALLOW;
}

static enum ll_reason
step_basis(struct ll_rerate *at)
{
    at->verdict.basis = at->scope->basis;
    return rests_on_consent(at) ? step_grant(at) : step_record(at);
}

/* -- all of it -- */

#define X(name) {#name, step_##name},
const struct ll_step_def ll_steps[] = {LL_STEPS(X){NULL, NULL}};
#undef X

static enum ll_reason
walk(struct ll_rerate *at)
{
    enum ll_reason reason;
#define X(name)                                        \
    if ((reason = step_##name(at)) != LL_REASON_ALLOW) \
        return reason;
    LL_STEPS(X)
#undef X
    return LL_REASON_ALLOW;
}

/* What would help; the refusal of a sheet is heard for a while. */
static void
find_remedy(struct ll_rerate *at)
{
    struct ll_verdict *verdict = &at->verdict;
    switch (verdict->reason) {
    case LL_REASON_NOT_YET:
        verdict->remedy = LL_REMEDY_WAIT;
        return;
    case LL_REASON_GUARDIAN_REQUIRED:
    case LL_REASON_GUARDIAN_SUSPENDED:
        verdict->remedy = LL_REMEDY_GUARDIAN;
        return;
    case LL_REASON_NO_GRANT:
    case LL_REASON_EXPIRED:
    case LL_REASON_POLICY_CHANGED:
    case LL_REASON_LEVEL_TOO_LOW:
    case LL_REASON_FIELD_NOT_GRANTED:
    case LL_REASON_USES_EXHAUSTED:
    case LL_REASON_SELF_RECONFIRM:
        if (!rests_on_consent(at))
            return; /* an operator approves, no resident */
        if (!ll_consent_may_ask(at->consent, at->ask, LL_CONSENT_COOLDOWN_MS,
                &verdict->wait_until_ms))
            verdict->remedy = LL_REMEDY_WAIT;
        else if (at->ward)
            verdict->remedy = LL_REMEDY_GUARDIAN;
        else if (verdict->reason == LL_REASON_SELF_RECONFIRM)
            verdict->remedy = LL_REMEDY_RECONFIRM;
        else
            verdict->remedy = LL_REMEDY_ASK;
        return;
    default:
        return; /* nothing that a resident could tap */
    }
}

/* When what is not yet begins. */
static int64_t
find_beginning(const struct ll_rerate *at)
{
    if (at->verdict.grant != LL_NO_GRANT)
        return ll_grant_at(at->consent, at->verdict.grant)->grant.from_ms;
    for (uint32_t i = 0; i < at->party->record_count; i++)
        if (at->party->records[i].purpose == at->ask->purpose &&
            at->party->records[i].basis == at->scope->basis)
            return at->party->records[i].from_ms;
    return 0;
}

void
ll_step_begin(struct ll_rerate *at, const struct ll_consent *consent,
    const struct ll_ask *ask)
{
    *at = (struct ll_rerate){
        .consent = consent, .ask = ask, .verdict = {.grant = LL_NO_GRANT}};
}

struct ll_verdict
ll_step_end(struct ll_rerate *at, enum ll_reason reason)
{
    at->verdict.reason = reason;
    if (reason != LL_REASON_ALLOW) {
        find_remedy(at);
        if (reason == LL_REASON_NOT_YET)
            at->verdict.wait_until_ms = find_beginning(at);
    }
    return at->verdict;
}

/* Sends for the two cache lines that no step can do without, at once. */
static void
fetch(const struct ll_consent *consent, const struct ll_ask *ask)
{
    const struct ll_keys *keys = &consent->by_key;
    if (ask->subject < consent->subjects.count)
        __builtin_prefetch(ll_subject_at(consent, ask->subject));
    if (keys->cap > 0)
        __builtin_prefetch(ll_key_home(
            keys, ll_key_of(ask->subject, ask->party, ask->purpose)));
}

struct ll_verdict
ll_consent_decide(const struct ll_consent *consent, const struct ll_ask *ask)
{
    struct ll_rerate at;
    fetch(consent, ask);
    ll_step_begin(&at, consent, ask);
    return ll_step_end(&at, walk(&at));
}

void
ll_consent_decide_all(const struct ll_consent *consent,
    const struct ll_ask *ask, const uint32_t *subjects, uint32_t count,
    struct ll_verdict *verdicts)
{
    struct ll_ask one = *ask;
    for (uint32_t i = 0; i < count; i++) {
        if (i + FETCH_AHEAD < count) {
            one.subject = subjects[i + FETCH_AHEAD];
            fetch(consent, &one);
        }
        one.subject = subjects[i];
        verdicts[i] = ll_consent_decide(consent, &one);
    }
}

/* -- what a plugin is told -- */

bool
ll_verdict_hidden(const struct ll_consent *consent, const struct ll_ask *ask,
    const struct ll_verdict *verdict)
{
    if (ask->field >= consent->dictionary->field_count ||
        !consent->dictionary->fields[ask->field].deny_opaque)
        return false;
    switch (verdict->reason) {
    case LL_REASON_ALLOW:
    case LL_REASON_LEASE_LOST:
    case LL_REASON_LOG_UNAVAILABLE:
    case LL_REASON_PLUGIN_INACTIVE:
    case LL_REASON_NOT_IN_MANIFEST_FIELD:
    case LL_REASON_NOT_IN_MANIFEST_PURPOSE:
    case LL_REASON_NOT_IN_MANIFEST_ACTION:
    case LL_REASON_PIA_MISSING:
    case LL_REASON_CLASS_CEILING:
    case LL_REASON_REGION:
    case LL_REASON_REVOKED_IN_FLIGHT:
        return false; /* the plugin's own, whoever is asked for */
    case LL_REASON_REVOKED:
    case LL_REASON_EXPIRED:
    case LL_REASON_USES_EXHAUSTED: {
        /* What was read once cannot be unknown: copies must go. */
        const struct ll_grant *grant =
            ll_consent_grant(consent, verdict->grant);
        return grant == NULL || grant->used_ms <= grant->from_ms;
    }
    default:
        return true;
    }
}

const char *
ll_verdict_code(const struct ll_consent *consent, const struct ll_ask *ask,
    const struct ll_verdict *verdict)
{
    return ll_verdict_hidden(consent, ask, verdict)
               ? LL_NO_DATA_CODE
               : reason_codes[verdict->reason];
}
