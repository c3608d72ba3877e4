/* host/birthdays.c: coming of age, in the zone of each community. [loop] */
#include "host/birthdays.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/text.h"
#include "domain/age.h"
#include "host/alert.h"
#include "host/duty.h"
#include "host/tell.h"

#define LOOKED_NAME "birthdays_ms" /* a single value of the store */
#define EVERY_MS 600000            /* the wall clock may be set */
#define DAY_MS 86400000
#define ZONE_MS_MAX ((int64_t)15 * 3600000) /* from UTC, either way */

static const int32_t ages[] = {8, 14, 18};

struct ll_birthdays {
    struct ll_host *host;
    struct ll_timer *timer;
    int64_t looked_ms; /* every day up to this instant's was looked through */
};

struct turn {
    uint32_t subject;
    int32_t day, age;
};

int64_t
ll_midnight(const struct ll_zone *zone, int32_t day)
{
    int64_t low = (int64_t)day * DAY_MS - ZONE_MS_MAX;
    int64_t high = (int64_t)day * DAY_MS + ZONE_MS_MAX;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (ll_arbiter_today(zone, middle) >= day)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* -- finding -- */

static bool
is_here(const struct ll_community *community, uint32_t subject)
{
    const struct ll_consent *consent = community->host->arbiter.consent;
    const struct ll_person *person = ll_consent_person(consent, subject);
    return person != NULL && person->birth_day != LL_DAY_UNKNOWN &&
           person->state != LL_SUBJECT_DECEASED &&
           ll_str_eq(ll_consent_community(consent, subject), community->id);
}

/* Who turns what in (after, until]: how many times somebody does, of which the
 * first `room` are told. */
static uint32_t
find_turns(const struct ll_community *community, int32_t after, int32_t until,
    struct turn *turns, uint32_t room)
{
    const struct ll_consent *consent = community->host->arbiter.consent;
    uint32_t count = 0, subjects = ll_consent_subjects(consent);
    for (uint32_t i = 0; i < subjects; i++) {
        if (!is_here(community, i))
            continue;
        int32_t birth = ll_consent_person(consent, i)->birth_day;
        for (size_t k = 0; k < LL_COUNT(ages); k++) {
            int32_t day = ll_age_day(birth, ages[k]);
            if (day <= after || day > until)
                continue;
            if (count < room)
                turns[count] = (struct turn){i, day, ages[k]};
            count++;
        }
    }
    return count;
}

static int
by_day(const void *a, const void *b)
{
    const struct turn *one = a, *other = b;
    return (one->day > other->day) - (one->day < other->day);
}

/* -- doing -- */

/* An operator is told, by the tag that the log has. */
static void
tell(struct ll_community *community, const struct turn *turn, int64_t now_ms)
{
    struct ll_host *host = community->host;
    const struct ll_person *person =
        ll_consent_person(host->arbiter.consent, turn->subject);
    struct ll_space *space =
        ll_docs_space(&host->docs, community->id, LINLI_STR("~"));
    char tag[2 * LL_TAG_BYTES + 1], data[128];
    ll_hex(person->tag, sizeof person->tag, tag);
    (void)snprintf(data, sizeof data, "{\"age\":%d,\"resident_tag\":\"%s\"}",
        (int)turn->age, tag);
    if (space == NULL)
        return;
    struct ll_alert alert = {.space = space,
        .kind = LINLI_STR("linli.age"),
        .data = ll_cstr(data),
        .at_ms = now_ms};
    ll_host_alert(host, &alert);
}

/* Whether something that a guardian gave for them is live. */
static bool
is_given_for(const struct ll_consent *consent, uint32_t subject)
{
    uint32_t at = LL_NO_GRANT;
    while ((at = ll_consent_next_grant(consent, subject, at)) != LL_NO_GRANT) {
        const struct ll_grant *grant = ll_consent_grant(consent, at);
        if (grant->status == LL_GRANT_LIVE && grant->guardian != LL_NOBODY)
            return true;
    }
    return false;
}

/* They are to be asked themself, while what was given for them still holds. */
static void
put_duty(
    struct ll_community *community, const struct turn *turn, int64_t now_ms)
{
    struct ll_host *host = community->host;
    struct ll_docs *docs = &host->docs;
    char tag[2 * LL_TAG_BYTES + 1], ref[sizeof tag + 4];
    struct ll_txn txn;
    if (turn->age < 14 || !is_given_for(host->arbiter.consent, turn->subject))
        return;
    ll_hex(ll_consent_person(host->arbiter.consent, turn->subject)->tag,
        LL_TAG_BYTES, tag);
    (void)snprintf(ref, sizeof ref, "%s.%d", tag, (int)turn->age);
    struct ll_duty duty = {.kind = "RECONFIRM",
        .why = "age",
        .ref = ll_cstr(ref),
        .tag = ll_cstr(tag),
        .until_ms =
            now_ms + host->config.consent.reconfirm_days * (int64_t)DAY_MS,
        .now_ms = now_ms};
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return; /* the alert is there all the same */
    ll_txn_init(&txn, docs);
    ll_docs_commit_unwatched(docs, commit);
    if (ll_duty_put(community, &duty, &txn, commit) != LINLI_OK ||
        commit->ops.failed || ll_txn_commit(&txn, commit) == 0)
        ll_docs_commit_free(docs, commit);
    ll_txn_fini(&txn);
}

/* What it means, by the number of the age in `ages`. */
static const struct {
    const char *zh, *en;
} meanings[] = {{"可以自己查看个人信息, 同意仍由监护人作出",
                    "can see what is kept of them; a guardian still decides"},
    {"今后由本人决定个人信息的使用, 监护人此前的同意请本人确认",
        "decides about their own data from now on, and is asked to confirm "
        "what a guardian has given"},
    {"监护到此为止, 今后只由本人决定",
        "is nobody's ward any more, and decides alone"}};

static void
tell_one(struct ll_community *community, const struct turn *turn,
    linli_str whom, linli_str about)
{
    char zh[LL_NOTIFY_TEXT_BYTES_MAX + 1], en[LL_NOTIFY_TEXT_BYTES_MAX + 1];
    size_t k = 0;
    while (ages[k] != turn->age)
        k++;
    bool self = ll_str_eq(whom, about);
    (void)snprintf(zh, sizeof zh, "%s%.*s今天年满 %d 周岁: %s.",
        self ? "您" : "您监护的居民 ", self ? 0 : (int)about.len, about.ptr,
        (int)turn->age, meanings[k].zh);
    (void)snprintf(en, sizeof en, "%s%.*s%s %d today: who is %d %s.",
        self ? "You turn" : "Your ward ", self ? 0 : (int)about.len, about.ptr,
        self ? "" : " turns", (int)turn->age, (int)turn->age, meanings[k].en);
    struct ll_telling telling = {
        .resident = whom, .zh = ll_cstr(zh), .en = ll_cstr(en)};
    struct ll_log_line line = {.level = LL_ERROR,
        .code = "runtime/memory",
        .plugin = LINLI_STR("~"),
        .community = community->id,
        .msg = LINLI_STR("somebody is not told of an age")};
    if (!ll_tell(community, &telling))
        ll_log_write(&community->host->log, &line);
}

/* They are told themself, and whoever acts for them. */
static void
tell_people(struct ll_community *community, const struct turn *turn)
{
    const struct ll_consent *consent = community->host->arbiter.consent;
    const struct ll_guardianship *g;
    linli_str resident = ll_consent_resident(consent, turn->subject);
    uint32_t at = 0;
    tell_one(community, turn, resident, resident);
    while ((g = ll_consent_next_guard(consent, turn->subject, &at)) != NULL)
        if (g->status == LL_GUARDIAN_ACTIVE)
            tell_one(community, turn, ll_consent_resident(consent, g->guardian),
                resident);
}

static void
do_turn(struct ll_community *community, const struct turn *turn)
{
    struct ll_arbiter *arbiter = &community->host->arbiter;
    struct ll_err err;
    int64_t now_ms = ll_world_wall(community->host->world).ms;
    const struct ll_person *is =
        ll_consent_person(arbiter->consent, turn->subject);
    if (is == NULL)
        return;
    struct ll_person person = *is;
    struct ll_actor_of who = {.community = community->id,
        .subject = turn->subject,
        .actor = LL_NOBODY,
        .actor_name = LINLI_STR("system"),
        .channel = LINLI_STR("birthday"),
        .now_ms = now_ms,
        .today = ll_arbiter_today(&community->zone, now_ms)};
    ll_consent_raise(arbiter->consent, turn->subject);
    /* Without memory the log lacks a line; what they may is right anyway. */
    if (ll_arbiter_put_person(arbiter, &who,
            ll_consent_resident(arbiter->consent, turn->subject), &person, NULL,
            &err) == LINLI_OK) {
        tell(community, turn, now_ms);
        put_duty(community, turn, now_ms);
        tell_people(community, turn);
    }
}

/* False: without memory; they are looked through again. */
static bool
look_through(struct ll_community *community, int64_t after_ms, int64_t now_ms)
{
    struct ll_mem *mem = &community->host->mem;
    int32_t after = ll_arbiter_today(&community->zone, after_ms);
    int32_t until = ll_arbiter_today(&community->zone, now_ms);
    if (after >= until)
        return true;
    uint32_t count = find_turns(community, after, until, NULL, 0);
    if (count == 0)
        return true;
    struct turn *turns = ll_alloc(mem, count * sizeof *turns);
    if (turns == NULL)
        return false;
    (void)find_turns(community, after, until, turns, count);
    qsort(turns, count, sizeof *turns, by_day);
    for (uint32_t i = 0; i < count; i++)
        do_turn(community, &turns[i]);
    ll_release(mem, turns, count * sizeof *turns);
    return true;
}

/* After all that was done, in the order of commits. */
static void
keep(struct ll_birthdays *birthdays)
{
    struct ll_docs *docs = &birthdays->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return; /* it is done again after a crash */
    ll_commit_op(commit, LL_ST_meta_put);
    ll_put_bytes(&commit->ops, LINLI_STR(LOOKED_NAME));
    ll_put_int(&commit->ops, birthdays->looked_ms);
    (void)ll_docs_commit_send(docs, commit);
}

void
ll_birthdays_now(struct ll_host *host)
{
    struct ll_birthdays *birthdays = host->birthdays;
    int64_t now_ms = ll_world_wall(host->world).ms;
    bool changed = false, whole = true;
    if (birthdays == NULL || host->draining ||
        host->failure.status != LINLI_OK || now_ms <= birthdays->looked_ms)
        return;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next) {
        changed |= ll_arbiter_today(&c->zone, birthdays->looked_ms) <
                   ll_arbiter_today(&c->zone, now_ms);
        whole = look_through(c, birthdays->looked_ms, now_ms) && whole;
    }
    if (!changed || !whole)
        return;
    birthdays->looked_ms = now_ms;
    keep(birthdays);
}

/* The first day after `after` on which one turns an age; INT32_MAX: none. */
static int32_t
next_of(int32_t birth, int32_t after)
{
    int32_t first = INT32_MAX;
    for (size_t k = 0; k < LL_COUNT(ages); k++) {
        int32_t day = ll_age_day(birth, ages[k]);
        if (day > after && day < first)
            first = day;
    }
    return first;
}

/* The same of everybody in a community. */
static int32_t
next_day(const struct ll_community *community, int32_t after)
{
    const struct ll_consent *consent = community->host->arbiter.consent;
    int32_t first = INT32_MAX;
    for (uint32_t i = 0; i < ll_consent_subjects(consent); i++) {
        if (!is_here(community, i))
            continue;
        int32_t day = next_of(ll_consent_person(consent, i)->birth_day, after);
        if (day < first)
            first = day;
    }
    return first;
}

int64_t
ll_birthdays_next_ms(const struct ll_host *host)
{
    int64_t next_ms = INT64_MAX;
    if (host->birthdays == NULL)
        return next_ms;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next) {
        int32_t day =
            next_day(c, ll_arbiter_today(&c->zone, host->birthdays->looked_ms));
        int64_t ms = day == INT32_MAX ? INT64_MAX : ll_midnight(&c->zone, day);
        if (ms < next_ms)
            next_ms = ms;
    }
    return next_ms;
}

/* -- beginning and end -- */

static void
on_time(void *user)
{
    struct ll_birthdays *birthdays = user;
    ll_birthdays_now(birthdays->host);
    ll_timer_set(birthdays->timer, EVERY_MS, 0);
}

static linli_status
read_looked(struct ll_birthdays *birthdays, struct ll_err *err)
{
    struct ll_host *host = birthdays->host;
    struct ll_query query;
    ll_query_init(&query, &host->mem, LL_ST_meta_get);
    ll_put_bytes(&query.params, LINLI_STR(LOOKED_NAME));
    linli_status status = ll_store_ask(host->store, &query);
    birthdays->looked_ms = ll_world_wall(host->world).ms;
    if (status != LINLI_OK) {
        *err = query.err;
    } else if (query.row_count > 0) {
        struct ll_rd row = ll_rd(ll_buf_view(&query.rows));
        (void)ll_rd_list(&row);
        birthdays->looked_ms = ll_rd_int(&row);
    }
    ll_query_fini(&query);
    return status;
}

linli_status
ll_birthdays_open(struct ll_host *host, struct ll_err *err)
{
    struct ll_birthdays *birthdays = ll_alloc(&host->mem, sizeof *birthdays);
    if (birthdays == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    birthdays->host = host;
    host->birthdays = birthdays;
    birthdays->timer = ll_timer_new(host->world, on_time, birthdays);
    if (birthdays->timer == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    /* Communities come after this, in the same turn. */
    ll_timer_set(birthdays->timer, 0, 0);
    return read_looked(birthdays, err);
}

void
ll_birthdays_close(struct ll_host *host)
{
    if (host->birthdays == NULL)
        return;
    ll_timer_free(&host->birthdays->timer);
    ll_release(&host->mem, host->birthdays, sizeof *host->birthdays);
    host->birthdays = NULL;
}
