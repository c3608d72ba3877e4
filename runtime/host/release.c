/* host/release.c: what calls have been given, and taking it back. [loop] */
#include "host/release.h"

#include <stdio.h>

#include "base/text.h"
#include "host/revoked.h"
#include "host/task.h"
#include "plugin/manifest_consent.h"

#define ACTOR_BYTES_MAX (LL_DOC_ID_BYTES_MAX + 16)
/* Not yet 18, by a year of 365.25 days and a day over. */
#define MINOR_DAYS 6576
#define URL_ITEM_MAX 64 /* "care_notes:safety_monitoring" */

/* -- deciding -- */

static bool
decides_alone(const struct ll_call *call, uint8_t field, uint8_t purpose)
{
    const struct ll_dictionary *d = &call->host->arbiter.dictionary;
    const struct ll_manifest *manifest = call->package->manifest;
    int datum = ll_manifest_datum(
        manifest, d->fields[field].id, d->purposes[purpose].id);
    return datum >= 0 && manifest->data[datum].auto_decision;
}

/* Of whichever plugin, in whichever community. */
struct asker {
    const struct ll_host *host;
    const struct ll_community *community;
    linli_str plugin;
};

static struct ll_ask
make_ask(const struct asker *asker, uint32_t subject, int field, int purpose)
{
    const struct ll_host *host = asker->host;
    int64_t now_ms = ll_world_wall(host->world).ms;
    return (struct ll_ask){.subject = subject,
        .party = ll_consent_party(
            host->arbiter.consent, asker->community->id, asker->plugin),
        .purpose = (uint8_t)purpose,
        .field = (uint8_t)field,
        .action = LL_ACTION_READ,
        .unlogged = host->arbiter.sealed || host->failure.status != LINLI_OK,
        .now_ms = now_ms,
        .today = ll_arbiter_today(&asker->community->zone, now_ms)};
}

struct ll_ask
ll_release_ask(const struct ll_call *call, uint32_t subject, uint8_t field,
    uint8_t purpose, bool own)
{
    struct asker asker = {call->host, call->community, call->instance->id};
    struct ll_ask ask = make_ask(&asker, subject, field, purpose);
    ask.auto_decision = decides_alone(call, field, purpose);
    ask.own = own;
    return ask;
}

static struct ll_release *
find(const struct ll_call *call, const struct ll_ask *ask, uint32_t grant)
{
    for (struct ll_release *r = call->releases; r != NULL; r = r->next)
        if (r->field == ask->field && r->access.purpose == ask->purpose &&
            r->access.subject == ask->subject && r->access.grant == grant &&
            r->state != LL_RELEASE_ABORTED)
            return r;
    return NULL;
}

struct ll_verdict
ll_release_decide(const struct ll_call *call, const struct ll_ask *ask)
{
    const struct ll_consent *consent = call->host->arbiter.consent;
    struct ll_verdict verdict = ll_consent_decide(consent, ask);
    if (verdict.reason != LL_REASON_USES_EXHAUSTED)
        return verdict;
    struct ll_release *used = find(call, ask, verdict.grant);
    if (used == NULL)
        return verdict;
    verdict.reason = LL_REASON_ALLOW;
    verdict.basis = used->access.basis;
    verdict.remedy = LL_REMEDY_NONE;
    return verdict;
}

bool
ll_release_is_hard(const struct ll_call *call, const struct ll_ask *ask,
    const struct ll_verdict *verdict)
{
    const struct ll_arbiter *arbiter = &call->host->arbiter;
    const struct ll_person *person =
        ll_consent_person(arbiter->consent, ask->subject);
    const struct ll_grant *grant =
        verdict->grant == LL_NO_GRANT
            ? NULL
            : ll_consent_grant(arbiter->consent, verdict->grant);
    bool minor =
        person == NULL || (person->birth_day != LL_DAY_UNKNOWN &&
                              ask->today - person->birth_day < MINOR_DAYS);
    return arbiter->dictionary.fields[ask->field].class == LL_C3 || minor ||
           (grant != NULL && grant->uses >= 0);
}

/* -- one release -- */

/* Who acts, as the log names them: a resident by their tag. */
static linli_str
actor_of(struct ll_call *call)
{
    const struct ll_consent *consent = call->host->arbiter.consent;
    const struct ll_identity *identity = call->identity;
    const struct ll_task *task = call->task;
    linli_str id = identity != NULL ? identity->id
                   : task != NULL   ? task->who
                                    : (linli_str){NULL, 0};
    bool resident = identity != NULL ? identity->kind == LL_CALLER_RESIDENT
                                     : call->pid[0] != '\0';
    char text[ACTOR_BYTES_MAX];
    if (id.len == 0)
        return (linli_str)LINLI_STR("system");
    if (!resident) {
        linli_str kind = identity != NULL
                             ? ll_cstr(ll_caller_name(identity->kind))
                             : task->caller_kind;
        (void)snprintf(
            text, sizeof text, "%.*s:%.*s", LL_FMT(kind), LL_FMT(id));
        return ll_arena_str(&call->arena, ll_cstr(text));
    }
    const struct ll_person *person = ll_consent_person(
        consent, ll_consent_subject(consent, call->community->id, id));
    if (person == NULL)
        return (linli_str)LINLI_STR("system");
    ll_hex(person->tag, sizeof person->tag, text);
    return ll_arena_str(&call->arena, ll_cstr(text));
}

static linli_str
id_of(struct ll_call *call)
{
    char text[33];
    (void)snprintf(text, sizeof text, "%016llx%016llx",
        (unsigned long long)call->id_high, (unsigned long long)call->id_low);
    return ll_arena_str(&call->arena, ll_cstr(text));
}

static uint32_t
count_of(const struct ll_call *call)
{
    uint32_t count = 0;
    for (const struct ll_release *r = call->releases; r != NULL; r = r->next)
        count++;
    return count;
}

struct ll_release *
ll_release_take(struct ll_call *call, const struct ll_ask *ask,
    const struct ll_verdict *verdict, struct ll_err *err)
{
    struct ll_release *r = find(call, ask, verdict->grant);
    if (r != NULL)
        return r;
    if (count_of(call) >= LL_RELEASES_MAX) {
        (void)ll_fail(err, LINLI_E_LIMIT, "db/limit",
            "more than %d values of residents in one call", LL_RELEASES_MAX);
        return NULL;
    }
    r = ll_arena_alloc(&call->arena, sizeof *r);
    if (r != NULL)
        *r = (struct ll_release){.access = {.community = call->community->id,
                                     .subject = ask->subject,
                                     .party = ask->party,
                                     .grant = verdict->grant,
                                     .purpose = ask->purpose,
                                     .fields = (uint64_t)1 << ask->field,
                                     .basis = verdict->basis,
                                     .actor = actor_of(call),
                                     .call = id_of(call),
                                     .now_ms = ask->now_ms},
            .field = ask->field,
            .own = ask->own,
            .auto_decision = ask->auto_decision};
    if (r != NULL && !call->arena.failed)
        r->number = ll_arbiter_access(&call->host->arbiter, &r->access, NULL);
    if (r == NULL || r->number == 0) {
        (void)ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a release");
        return NULL;
    }
    /* Nothing of the call leaves before it is durable. */
    if (r->number > call->tried_number)
        call->tried_number = r->number;
    r->next = call->releases;
    call->releases = r;
    return r;
}

void
ll_release_abort(struct ll_call *call, struct ll_release *release)
{
    if (release->state != LL_RELEASE_PENDING)
        return;
    release->state = LL_RELEASE_ABORTED;
    (void)ll_arbiter_abort(&call->host->arbiter, &release->access);
}

void
ll_releases_anew(struct ll_call *call)
{
    for (struct ll_release *r = call->releases; r != NULL; r = r->next)
        r->given = false;
}

void
ll_releases_end(struct ll_call *call)
{
    for (struct ll_release *r = call->releases; r != NULL; r = r->next)
        ll_release_abort(call, r);
    call->releases = NULL;
}

/* -- taking back -- */

/* Its run is over now; it begins again in the next turn, when whoever ended
 * the consent has come to an end with it. */
static void
recall(struct ll_call *call)
{
    ll_call_services_end(call);
    ll_wait_cancel(&call->hold);
    call->recalled = true;
    ll_timer_set(call->host->recall, 0, 0);
}

void
ll_releases_risen(void *user, uint32_t subject, uint32_t party)
{
    struct ll_host *host = user;
    for (struct ll_call *call = host->calls; call != NULL; call = call->next) {
        const struct ll_release *r = call->releases;
        if (call->sequenced || call->recalled || call->state > LL_CALL_VALIDATE)
            continue;
        while (r != NULL &&
               ((subject != LL_NOBODY && r->access.subject != subject) ||
                   (party != LL_NO_PARTY && r->access.party != party)))
            r = r->next;
        if (r == NULL)
            continue;
        ll_pool_cancel(&call->run);
        recall(call);
    }
}

static bool
holds(const struct ll_call *call, const struct ll_release *r)
{
    struct ll_ask ask = ll_release_ask(
        call, r->access.subject, r->field, r->access.purpose, r->own);
    return ll_release_decide(call, &ask).reason == LL_REASON_ALLOW;
}

bool
ll_releases_due(struct ll_call *call)
{
    bool good = true;
    for (struct ll_release *r = call->releases; r != NULL && good; r = r->next)
        if (r->travels && r->state != LL_RELEASE_ABORTED)
            good = holds(call, r);
    if (!good) {
        recall(call);
        return false;
    }
    for (struct ll_release *r = call->releases; r != NULL; r = r->next)
        if (r->travels && r->state != LL_RELEASE_ABORTED) {
            r->state = LL_RELEASE_PUSHED;
            r->given = true;
        }
    return true;
}

static void
on_recall(void *user)
{
    struct ll_host *host = user;
    struct ll_call *call = host->calls;
    while (call != NULL) {
        if (!call->recalled) {
            call = call->next;
            continue;
        }
        call->recalled = false;
        ll_call_again(call);
        call = host->calls; /* it may have gone, and others with it */
    }
}

linli_status
ll_releases_open(struct ll_host *host, struct ll_err *err)
{
    host->recall = ll_timer_new(host->world, on_recall, host);
    if (host->recall == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    host->arbiter.risen = ll_releases_risen;
    host->arbiter.tells = ll_revoked_tells;
    host->arbiter.user = host;
    return LINLI_OK;
}

void
ll_releases_close(struct ll_host *host)
{
    host->arbiter.risen = NULL;
    ll_timer_free(&host->recall);
}

/* -- saying no -- */

static bool
is_hidden(const struct ll_host *host, const struct ll_denied *denied)
{
    return ll_verdict_hidden(
        host->arbiter.consent, &denied->ask, &denied->verdict);
}

const char *
ll_denied_reason(const struct ll_host *host, const struct ll_denied *denied)
{
    return is_hidden(host, denied) ? LL_NO_DATA_REASON
                                   : ll_reason_name(denied->verdict.reason);
}

static bool
may_help(const struct ll_host *host, const struct ll_denied *denied)
{
    const struct ll_verdict *v = &denied->verdict;
    bool asked = v->basis == LL_BASIS_CONSENT || v->basis == LL_BASIS_SEPARATE;
    if (is_hidden(host, denied))
        return false;
    return v->remedy != LL_REMEDY_NONE ||
           (asked && (v->reason == LL_REASON_REVOKED ||
                         v->reason == LL_REASON_REVOKED_IN_FLIGHT));
}

static void
write_url(const struct asker *asker, const struct ll_denied *denied,
    uint32_t count, struct ll_buf *out)
{
    char between = '?';
    for (uint32_t i = 0; i < count; i++) {
        if (!may_help(asker->host, &denied[i]))
            continue;
        if (between == '?')
            ll_buf_printf(out, "/v1/c/%.*s/consent/%.*s",
                LL_FMT(asker->community->id), LL_FMT(asker->plugin));
        ll_buf_printf(out, "%citem=%.*s:%.*s", between, LL_FMT(denied[i].field),
            LL_FMT(denied[i].purpose));
        between = '&';
    }
}

void
ll_consent_url(const struct ll_call *call, const struct ll_denied *denied,
    uint32_t count, struct ll_buf *out)
{
    struct asker asker = {call->host, call->community, call->instance->id};
    write_url(&asker, denied, count, out);
}

enum ll_step
ll_call_deny(
    struct ll_call *call, const struct ll_denied *denied, uint32_t count)
{
    struct ll_buf *text = &call->scratch;
    const char *code = ll_verdict_code(
        call->host->arbiter.consent, &denied->ask, &denied->verdict);
    ll_buf_clear(text);
    ll_consent_url(call, denied, count, text);
    call->consent_url = ll_arena_str(&call->arena, ll_buf_view(text));
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '[');
    for (uint32_t i = 0; i < count; i++)
        ll_jw_str(&w, denied[i].field);
    ll_jw_close(&w, ']');
    call->fields_json = ll_arena_str(&call->arena, ll_buf_view(text));
    if (text->failed || call->arena.failed)
        return ll_call_refuse(call, "runtime/memory", NULL);
    return ll_call_refuse(call, code, ll_denied_reason(call->host, denied));
}

/* -- what is kept under a key -- */

void
ll_releases_write(const struct ll_call *call, struct ll_jw *w)
{
    const struct ll_arbiter *arbiter = &call->host->arbiter;
    char tag[2 * LL_TAG_BYTES + 1], grant[2 * LL_TAG_BYTES + 1];
    if (call->releases == NULL)
        return;
    ll_jw_key(w, "released");
    ll_jw_open(w, '[');
    for (const struct ll_release *r = call->releases; r != NULL; r = r->next) {
        const struct ll_person *person =
            ll_consent_person(arbiter->consent, r->access.subject);
        if (!r->given)
            continue;
        /* One who is gone: nobody's, and nothing of them is allowed. */
        tag[0] = '\0';
        if (person != NULL)
            ll_hex(person->tag, sizeof person->tag, tag);
        ll_jw_open(w, '[');
        ll_jw_cstr(w, tag);
        ll_jw_str(w, arbiter->dictionary.fields[r->field].id);
        ll_jw_str(w, arbiter->dictionary.purposes[r->access.purpose].id);
        ll_jw_bool(w, r->own);
        ll_jw_bool(w, r->auto_decision);
        grant[0] = '\0';
        if (r->access.grant != LL_NO_GRANT)
            ll_hex(ll_consent_grant(arbiter->consent, r->access.grant)->id,
                LL_TAG_BYTES, grant);
        ll_jw_cstr(w, grant);
        ll_jw_close(w, ']');
    }
    ll_jw_close(w, ']');
}

/* Of 32 lower-case hexadecimal digits. */
static bool
tag_read(linli_str text, unsigned char tag[LL_TAG_BYTES])
{
    if (!ll_pid_valid(text))
        return false;
    for (size_t i = 0; i < LL_TAG_BYTES; i++) {
        unsigned char byte = 0;
        for (size_t k = 2 * i; k < 2 * i + 2; k++) {
            char c = text.ptr[k];
            byte = (unsigned char)(byte << 4 |
                                   (c <= '9' ? c - '0' : c - 'a' + 10));
        }
        tag[i] = byte;
    }
    return true;
}

/* Whether a grant is the one whose id was kept. */
static bool
is_grant(const struct ll_arbiter *arbiter, uint32_t grant, linli_str kept)
{
    char id[2 * LL_TAG_BYTES + 1];
    if (grant == LL_NO_GRANT)
        return false;
    ll_hex(ll_consent_grant(arbiter->consent, grant)->id, LL_TAG_BYTES, id);
    return ll_str_is(kept, id);
}

static bool
still(const struct asker *asker, struct ll_jv kept, struct ll_denied *denied)
{
    const struct ll_arbiter *arbiter = &asker->host->arbiter;
    unsigned char tag[LL_TAG_BYTES];
    uint32_t subject = LL_NOBODY;
    linli_str words[6] = {{NULL, 0}}; /* 3, 4: own, auto_decision */
    bool said[6] = {false};
    uint32_t i = 0;
    LL_JSON_EACH (part, kept) {
        if (i == LL_COUNT(words))
            break;
        words[i] = ll_jv_str(part);
        said[i++] = ll_jv_true(part);
    }
    int field = ll_dictionary_field(&arbiter->dictionary, words[1]);
    int purpose = ll_dictionary_purpose(&arbiter->dictionary, words[2]);
    if (tag_read(words[0], tag))
        subject = ll_consent_subject_by_tag(arbiter->consent, tag);
    if (field < 0 || purpose < 0)
        return false;
    *denied = (struct ll_denied){.field = arbiter->dictionary.fields[field].id,
        .purpose = arbiter->dictionary.purposes[purpose].id,
        .ask = make_ask(asker, subject, field, purpose)};
    denied->ask.own = said[3];
    denied->ask.auto_decision = said[4];
    denied->verdict = ll_consent_decide(arbiter->consent, &denied->ask);
    /* The use that it was is the one that this very grant has had. */
    return denied->verdict.reason == LL_REASON_ALLOW ||
           (denied->verdict.reason == LL_REASON_USES_EXHAUSTED &&
               is_grant(arbiter, denied->verdict.grant, words[5]));
}

static bool
all_hold(const struct asker *asker, struct ll_jv kept, struct ll_denied *denied)
{
    *denied = (struct ll_denied){.verdict = {.reason = LL_REASON_NO_GRANT}};
    LL_JSON_EACH (one, ll_jv_get(kept, "released")) {
        if (!still(asker, one, denied))
            return false;
    }
    return true;
}

bool
ll_releases_hold(struct ll_call *call, struct ll_jv kept)
{
    struct asker asker = {call->host, call->community, call->instance->id};
    struct ll_denied denied;
    if (all_hold(&asker, kept, &denied))
        return true;
    (void)ll_call_deny(call, &denied, 1);
    return false;
}

const char *
ll_releases_deny(struct ll_host *host, const struct ll_space *space,
    struct ll_jv kept, struct ll_denied *denied, struct ll_buf *url)
{
    struct asker asker = {
        host, ll_host_community(host, space->community), space->plugin};
    if (all_hold(&asker, kept, denied))
        return NULL;
    write_url(&asker, denied, 1, url);
    return ll_verdict_code(
        host->arbiter.consent, &denied->ask, &denied->verdict);
}
