/* host/seed_people.c: people of a seed, towards the arbiter and ~field.
 * [loop]
 *
 * Whatever a seed leaves out stays as it is: a value, a date of birth, a
 * guardian are never taken away by one.
 */
#include "host/seed_people.h"

#include "base/hash.h"
#include "base/instant.h"
#include "base/text.h"
#include "consent/guardians.h"
#include "host/directory.h"

static bool
is_of(const struct ll_seed_item *item, const char *coll)
{
    return strcmp(item->coll, coll) == 0;
}

static linli_str
member(struct ll_jv object, const char *name)
{
    return ll_jv_str(ll_jv_get(object, name));
}

/* A failure of somebody else's, at a place of the seed. */
static linli_status
fail_as(const struct ll_seed_text *text, struct ll_jv at, struct ll_err *err,
    const struct ll_err *why)
{
    linli_status status = ll_seed_fail(text, at, err, "%s", why->msg);
    if (why->fix[0] != '\0')
        ll_err_fix(err, "%s", why->fix);
    return status;
}

/* -- guardians, as they are written -- */

static enum ll_guardian_status
status_of(struct ll_jv value, enum ll_guardian_kind kind)
{
    enum ll_guardian_status status = LL_GUARDIAN_PENDING;
    linli_str word = member(value, "status");
    if (word.len > 0)
        (void)ll_guardian_status_read(word, &status);
    else if (ll_jv_true(ll_jv_get(value, "accepted")) &&
             (kind == LL_GUARDIAN_DELEGATE ||
                 ll_jv_true(ll_jv_get(value, "verified"))))
        status = LL_GUARDIAN_ACTIVE;
    return status;
}

static void
read_guardianship(struct ll_jv value, struct ll_guardianship *g)
{
    struct ll_jv powers = ll_jv_get(value, "powers");
    linli_str ceiling = member(value, "class_ceiling");
    linli_str from = member(value, "from"), until = member(value, "until");
    g->powers = ll_jv_there(powers)
                    ? ll_powers_read(powers)
                    : LL_POWER_CONSENT | LL_POWER_VIEW | LL_POWER_CORRECT;
    g->ceiling =
        ceiling.len == 2 ? (enum ll_class)(ceiling.ptr[1] - '0') : LL_C3;
    (void)ll_instant_read(from, &g->from_ms);
    (void)ll_instant_read(until, &g->until_ms);
    g->status = status_of(value, g->kind);
}

/* -- judging -- */

/* A value that stands somewhere; `body` is scratch. */
struct placed {
    struct ll_seed_item *item;
    const struct ll_field_def *field;
    struct ll_jv value;
};

static linli_status
add_value(struct ll_seed_text *text, const struct placed *placed,
    struct ll_buf *body, struct ll_err *err)
{
    struct ll_err why;
    for (uint32_t i = text->value_count;
         i > 0 && text->values[i - 1].item == placed->item; i--)
        if (text->values[i - 1].field == placed->field)
            return ll_seed_fail(text, placed->value, err,
                "`%.*s` is said twice", LL_FMT(placed->field->id));
    if (ll_value_take(placed->field, placed->value, body, &why) != LINLI_OK)
        return fail_as(text, placed->value, err, &why);
    text->values[text->value_count++] = (struct ll_seed_value){
        .item = placed->item, .field = placed->field, .value = placed->value};
    return LINLI_OK;
}

static linli_status
add_fields(struct ll_host *host, struct ll_seed_text *text,
    struct ll_seed_item *item, struct ll_buf *body, struct ll_err *err)
{
    const struct ll_dictionary *dictionary = &host->arbiter.dictionary;
    bool household = is_of(item, LL_DIR_HOUSEHOLD);
    linli_status status = LINLI_OK;
    LL_JSON_MEMBERS (name, value, ll_jv_get(item->value, "fields")) {
        int number = ll_dictionary_field(dictionary, ll_jv_str(name));
        const struct ll_field_def *field = &dictionary->fields[number];
        struct placed placed = {item, field, value};
        if (status != LINLI_OK)
            break;
        if (number < 0)
            status = ll_seed_fail(text, value, err,
                "the data dictionary has no field of this name");
        else if (field->household != household)
            status = ll_seed_fail(text, value, err,
                "`%.*s` belongs into the `fields` of a %s", LL_FMT(field->id),
                household ? "resident" : "household");
        else
            status = add_value(text, &placed, body, err);
    }
    return status;
}

/* Members that are values of fields, and have been there for longer. */
static const struct {
    const char *coll, *member, *field;
} short_forms[] = {
    {LL_DIR_RESIDENT, "name", "display_name"},
    {LL_DIR_RESIDENT, "birth_date", "birth_date"},
    {LL_DIR_HOUSEHOLD, "plates", "plate"},
};

bool
ll_seed_is_elsewhere(const struct ll_seed_item *item, linli_str name)
{
    static const char *const of_guardians[] = {
        "kind", "powers", "class_ceiling", "from", "until", "status"};
    for (size_t i = 0; i < LL_COUNT(short_forms); i++)
        if (is_of(item, short_forms[i].coll) &&
            ll_str_is(name, short_forms[i].member))
            return true;
    for (size_t i = 0; i < LL_COUNT(of_guardians); i++)
        if (is_of(item, LL_DIR_GUARDIAN) && ll_str_is(name, of_guardians[i]))
            return true;
    return ll_str_is(name, "fields") || ll_str_is(name, "capacity");
}

static linli_status
read_values(struct ll_host *host, struct ll_seed_text *text,
    struct ll_seed_item *item, struct ll_buf *body, struct ll_err *err)
{
    const struct ll_dictionary *dictionary = &host->arbiter.dictionary;
    linli_status status = add_fields(host, text, item, body, err);
    for (size_t i = 0; status == LINLI_OK && i < LL_COUNT(short_forms); i++) {
        struct ll_jv value = ll_jv_get(item->value, short_forms[i].member);
        if (!is_of(item, short_forms[i].coll) || !ll_jv_there(value))
            continue;
        int number =
            ll_dictionary_field(dictionary, ll_cstr(short_forms[i].field));
        ll_check(number >= 0);
        struct placed placed = {item, &dictionary->fields[number], value};
        status = add_value(text, &placed, body, err);
    }
    return status;
}

/* What can be said of a guardianship without knowing the people. */
static linli_status
check_guardian(
    const struct ll_seed_text *text, struct ll_jv value, struct ll_err *err)
{
    struct ll_guardianship g = {.from_ms = 0, .until_ms = INT64_MAX};
    if (ll_str_eq(member(value, "ward"), member(value, "guardian")))
        return ll_seed_fail(
            text, ll_jv_get(value, "guardian"), err, "nobody guards themself");
    read_guardianship(value, &g);
    return g.from_ms < g.until_ms
               ? LINLI_OK
               : ll_seed_fail(text, ll_jv_get(value, "until"), err,
                     "it ends before it begins");
}

/* How many values there are at most. */
static uint32_t
count_values(const struct ll_seed_text *text)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < text->count; i++) {
        struct ll_jv value = text->items[i].value;
        if (is_of(&text->items[i], LL_DIR_RESIDENT) ||
            is_of(&text->items[i], LL_DIR_HOUSEHOLD))
            count += ll_jv_count(ll_jv_get(value, "fields")) +
                     (uint32_t)LL_COUNT(short_forms);
    }
    return count;
}

linli_status
ll_seed_people_read(
    struct ll_host *host, struct ll_seed_text *text, struct ll_err *err)
{
    struct ll_buf body;
    uint32_t room = count_values(text);
    linli_status status = LINLI_OK;
    if (room > LL_SEED_VALUES_MAX)
        return ll_seed_fail(text, ll_json_root(&text->json), err,
            "room for %u values, more than %d: use several seeds", room,
            LL_SEED_VALUES_MAX);
    text->values =
        ll_arena_alloc(&text->arena, (room + 1) * sizeof *text->values);
    if (text->values == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a seed");
    ll_buf_init(&body, &host->mem, 2 * LL_FIELD_VALUE_BYTES_MAX);
    for (uint32_t i = 0; status == LINLI_OK && i < text->count; i++)
        status = is_of(&text->items[i], LL_DIR_GUARDIAN)
                     ? check_guardian(text, text->items[i].value, err)
                     : read_values(host, text, &text->items[i], &body, err);
    ll_wipe(&body);
    ll_buf_fini(&body);
    return status;
}

/* -- values -- */

linli_status
ll_seed_people_ask(
    struct ll_host *host, struct ll_seed_text *text, struct ll_err *err)
{
    for (uint32_t i = 0; i < text->value_count; i++) {
        struct ll_seed_value *value = &text->values[i];
        struct ll_owner owner = {
            value->item->community, value->item->coll, value->item->id};
        linli_status status =
            ll_held_begin(&value->held, &host->docs, &owner, value->field, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

bool
ll_seed_people_ready(
    struct ll_seed_text *text, uint32_t *next, struct ll_wait *wait)
{
    /* Until all of them are known in one and the same turn. */
    for (uint32_t begun = 1; begun != 0; *next = 0) {
        begun = *next;
        for (; *next < text->value_count; ++*next)
            if (!ll_held_ready(&text->values[*next].held, wait))
                return false;
    }
    return true;
}

/* The tag by which the log calls a resident: theirs, or one that they get. */
static void
tag_of(struct ll_host *host, struct ll_seed_item *item)
{
    const struct ll_consent *consent = host->arbiter.consent;
    const struct ll_person *person = ll_consent_person(
        consent, ll_consent_subject(consent, item->community, item->id));
    if (person != NULL)
        memcpy(item->tag, person->tag, sizeof item->tag);
    else
        ll_world_random(host->world, item->tag, sizeof item->tag);
}

/* Where the values of a seed go, and as whose word. */
struct writing {
    struct ll_host *host;
    const struct ll_seeding *how;
    struct ll_txn *txn;
    struct ll_commit *commit;
    struct ll_buf body;
};

static linli_status
write_value(
    struct writing *writing, struct ll_seed_value *value, struct ll_err *err)
{
    char tag[2 * LL_TAG_BYTES + 1] = "";
    bool changed = false;
    if (is_of(value->item, LL_DIR_RESIDENT))
        ll_hex(value->item->tag, sizeof value->item->tag, tag);
    linli_status status =
        ll_value_take(value->field, value->value, &writing->body, err);
    struct ll_value_change change = {.json = ll_buf_view(&writing->body),
        .actor = writing->how->actor,
        .tag = ll_cstr(tag),
        .world = writing->host->world,
        .now_ms = ll_world_wall(writing->host->world).ms};
    if (status == LINLI_OK)
        status = ll_value_put(&value->held, &change, writing->txn,
            writing->commit, &changed, err);
    value->item->written |= changed;
    return status;
}

linli_status
ll_seed_people_write(struct ll_host *host, struct ll_seed_text *text,
    const struct ll_seeding *how, struct ll_txn *txn, struct ll_commit *commit,
    struct ll_err *err)
{
    struct writing writing = {
        .host = host, .how = how, .txn = txn, .commit = commit};
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; i < text->count; i++)
        if (is_of(&text->items[i], LL_DIR_RESIDENT))
            tag_of(host, &text->items[i]);
    ll_buf_init(&writing.body, &host->mem, 2 * LL_FIELD_VALUE_BYTES_MAX);
    for (uint32_t i = 0; status == LINLI_OK && i < text->value_count; i++) {
        struct ll_err why;
        status = write_value(&writing, &text->values[i], &why);
        if (status != LINLI_OK &&
            ll_str_is(ll_cstr(why.code), "field/shredded"))
            status = fail_as(text, text->values[i].value, err, &why);
        else if (status != LINLI_OK)
            *err = why;
    }
    ll_wipe(&writing.body);
    ll_buf_fini(&writing.body);
    return status;
}

/* -- people -- */

static struct ll_actor_of
seeder(struct ll_host *host, const struct ll_seeding *how, linli_str community,
    uint32_t subject)
{
    struct ll_community *at = ll_host_community(host, community);
    int64_t now_ms = ll_world_wall(host->world).ms;
    return (struct ll_actor_of){.community = community,
        .subject = subject,
        .actor = LL_NOBODY,
        .actor_name = how->actor,
        .channel = how->channel,
        .now_ms = now_ms,
        .today = ll_arbiter_today(&at->zone, now_ms)};
}

static linli_status
put_person(struct ll_host *host, const struct ll_seeding *how,
    struct ll_seed_item *item, struct ll_err *err)
{
    struct ll_consent *consent = host->arbiter.consent;
    uint32_t subject = ll_consent_subject(consent, item->community, item->id);
    const struct ll_person *is = ll_consent_person(consent, subject);
    struct ll_person person = {.birth_day = LL_DAY_UNKNOWN};
    linli_str birth = member(item->value, "birth_date");
    linli_str capacity = member(item->value, "capacity");
    struct ll_actor_of who = seeder(host, how, item->community, subject);
    if (is != NULL)
        person = *is;
    memcpy(person.tag, item->tag, sizeof person.tag);
    if (birth.len == 0)
        birth = member(ll_jv_get(item->value, "fields"), "birth_date");
    if (birth.len > 0 && !ll_date_read(birth, &person.birth_day))
        person.birth_day = LL_DAY_UNKNOWN; /* it was judged */
    if (capacity.len > 0)
        (void)ll_capacity_read(capacity, &person.capacity);
    if (is != NULL && is->birth_day == person.birth_day &&
        is->capacity == person.capacity)
        return LINLI_OK;
    item->written = true;
    return ll_arbiter_put_person(
        &host->arbiter, &who, item->id, &person, NULL, err);
}

/* -- guardians -- */

static linli_status
put_guardian(struct ll_host *host, const struct ll_seeding *how,
    struct ll_seed_item *item, struct ll_err *err)
{
    struct ll_arbiter *arbiter = &host->arbiter;
    struct ll_guardianship g, is;
    linli_str kind = member(item->value, "kind");
    int64_t now_ms = ll_world_wall(host->world).ms;
    if (kind.len == 0)
        return LINLI_OK;
    linli_status status = ll_arbiter_meet(arbiter, item->community,
        member(item->value, "ward"), now_ms, &g.ward, err);
    if (status == LINLI_OK)
        status = ll_arbiter_meet(arbiter, item->community,
            member(item->value, "guardian"), now_ms, &g.guardian, err);
    if (status != LINLI_OK)
        return status;
    (void)ll_guardian_kind_read(kind, &g.kind);
    bool there = ll_guardian_find(arbiter->consent, &g, &is);
    g.from_ms = there ? is.from_ms : now_ms;
    g.until_ms = there ? is.until_ms : INT64_MAX;
    read_guardianship(item->value, &g);
    if (there && ll_guardianship_same(&g, &is))
        return LINLI_OK;
    struct ll_actor_of who = seeder(host, how, item->community, g.ward);
    item->written = true;
    return ll_arbiter_put_guardian(arbiter, &who, &g, NULL, err);
}

linli_status
ll_seed_people_put(struct ll_host *host, struct ll_seed_text *text,
    const struct ll_seeding *how, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; status == LINLI_OK && i < text->count; i++)
        if (is_of(&text->items[i], LL_DIR_RESIDENT))
            status = put_person(host, how, &text->items[i], err);
    for (uint32_t i = 0; status == LINLI_OK && i < text->count; i++)
        if (is_of(&text->items[i], LL_DIR_GUARDIAN))
            status = put_guardian(host, how, &text->items[i], err);
    return status;
}
