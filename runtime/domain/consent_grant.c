/* domain/consent_grant.c: what residents have agreed to. */
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "domain/consent_int.h"

static const char *const status_words[] = {
    "live", "revoked", "expired", "replaced"};

const char *
ll_grant_status_name(enum ll_grant_status status)
{
    return status_words[status];
}

static uint32_t
id_mark(const unsigned char id[LL_TAG_BYTES])
{
    uint64_t bits;
    memcpy(&bits, id, sizeof bits);
    return ll_table_mark(bits);
}

/* Whether `a` was given after `b`: the same however they were loaded. */
static bool
is_newer(const struct ll_grant *a, const struct ll_grant *b)
{
    if (a->given_ms != b->given_ms)
        return a->given_ms > b->given_ms;
    return memcmp(a->id, b->id, LL_TAG_BYTES) > 0;
}

/* Whether no decision looks at `old` while `newer` is there: what is dead is
 * only asked for a reason, and the newest that holds a field gives it. */
static bool
is_hidden(const struct ll_grant *old, const struct ll_grant *newer)
{
    return old->status != LL_GRANT_LIVE && newer->status != LL_GRANT_REPLACED &&
           (old->fields & ~newer->fields) == 0;
}

/* A live one is of another status from now on: counted before it is. */
static void
count_ended(struct ll_consent *consent, const struct ll_grant *grant,
    enum ll_grant_status status)
{
    struct ll_party *party = ll_party_at(consent, grant->party);
    party->grants[grant->status]--;
    party->grants[status]++;
}

/* A live one that covers no other field than the new one is replaced. */
static bool
replace(
    struct ll_consent *consent, uint32_t newest, const struct ll_grant *grant)
{
    bool any = false;
    for (uint32_t i = newest; i != LL_NO_GRANT;) {
        struct ll_grant_item *item = ll_grant_at(consent, i);
        if (item->grant.status == LL_GRANT_LIVE &&
            (item->grant.fields & ~grant->fields) == 0) {
            count_ended(consent, &item->grant, LL_GRANT_REPLACED);
            item->grant.status = LL_GRANT_REPLACED;
            any = true;
        }
        i = item->older;
    }
    return any;
}

/* Puts it into the list of its key, newest first, without those that are
 * hidden by it; not at all if it is hidden itself. Returns the newest. */
static uint32_t
link_key(struct ll_consent *consent, uint32_t newest, uint32_t number)
{
    struct ll_grant_item *item = ll_grant_at(consent, number);
    uint32_t *from = &newest;
    if (item->grant.status == LL_GRANT_REPLACED)
        return newest;
    while (*from != LL_NO_GRANT) {
        struct ll_grant_item *other = ll_grant_at(consent, *from);
        if (is_newer(&item->grant, &other->grant))
            break;
        if (is_hidden(&item->grant, &other->grant))
            return newest;
        from = &other->older;
    }
    item->older = *from;
    *from = number;
    for (from = &item->older; *from != LL_NO_GRANT;) {
        struct ll_grant_item *other = ll_grant_at(consent, *from);
        if (other->grant.status == LL_GRANT_REPLACED ||
            is_hidden(&other->grant, &item->grant))
            *from = other->older;
        else
            from = &other->older;
    }
    return newest;
}

static void
link_subject(
    struct ll_consent *consent, struct ll_subject *subject, uint32_t number)
{
    struct ll_grant_item *item = ll_grant_at(consent, number);
    uint32_t *from = &subject->newest;
    while (*from != LL_NO_GRANT &&
           is_newer(&ll_grant_at(consent, *from)->grant, &item->grant))
        from = &ll_grant_at(consent, *from)->before;
    item->before = *from;
    *from = number;
}

_Static_assert(LL_CONSENT_GRANTS_MAX < 1 << LL_SAID_FIELD &&
                   LL_FIELDS_MAX <= 1 << (LL_SAID_SEPARATE - LL_SAID_FIELD),
    "a slot has bits enough");

/* What a slot says of a grant, as in consent_keys.h. */
static uint64_t
say(struct ll_consent *consent, uint32_t number)
{
    const struct ll_grant *grant = &ll_grant_at(consent, number)->grant;
    uint64_t said = (uint64_t)number + 1;
    int64_t until = grant->until_ms >> LL_SAID_UNIT_BITS;
    if (grant->status != LL_GRANT_LIVE || grant->guardian != LL_NOBODY ||
        grant->uses != -1 || grant->idle_days > 0 ||
        (grant->fields & (grant->fields - 1)) != 0 ||
        grant->version > LL_SAID_VERSION_MAX ||
        grant->from_ms > grant->given_ms || until <= 0)
        return said;
    if (grant->from_ms > consent->begun_ms)
        consent->begun_ms = grant->from_ms;
    if (until > LL_SAID_UNTIL_MAX)
        until = LL_SAID_UNTIL_MAX;
    said |= (uint64_t)__builtin_ctzll(grant->fields) << LL_SAID_FIELD;
    said |= (uint64_t)(grant->level >= LL_LEVEL_SEPARATE) << LL_SAID_SEPARATE;
    said |= (uint64_t)grant->version << LL_SAID_VERSION;
    return said | (uint64_t)until << LL_SAID_UNTIL;
}

/* A grant has ended: says so where it is the newest of its key. */
static void
say_ended(struct ll_consent *consent, uint32_t number)
{
    const struct ll_grant *grant = &ll_grant_at(consent, number)->grant;
    struct ll_key_slot *slot = ll_key_find(&consent->by_key,
        ll_key_of(grant->subject, grant->party, grant->purpose));
    if (slot != NULL && ll_key_number(slot) == number)
        slot->grant = say(consent, number);
}

static void
check_grant(const struct ll_consent *consent, const struct ll_grant *grant)
{
    uint32_t fields = consent->dictionary->field_count;
    ll_check(grant->subject < consent->subjects.count);
    ll_check(grant->party < consent->parties.count);
    ll_check(grant->purpose < consent->dictionary->purpose_count);
    ll_check(grant->fields != 0);
    ll_check(fields == LL_FIELDS_MAX || grant->fields >> fields == 0);
    ll_check(grant->until_ms < INT64_MAX); /* nothing is for ever */
    ll_check(grant->level <= LL_LEVEL_WRITTEN);
    ll_check(grant->status <= LL_GRANT_REPLACED);
}

static linli_status
make_room(struct ll_consent *consent, struct ll_err *err)
{
    if (consent->grants.count < LL_CONSENT_GRANTS_MAX &&
        ll_slab_room(&consent->grants, consent->mem) &&
        ll_keys_room(&consent->by_key, consent->mem) &&
        ll_table_room(&consent->by_id, consent->mem, 1))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a grant beside %u",
        consent->grants.count);
}

linli_status
ll_consent_load_grant(struct ll_consent *consent, const struct ll_grant *grant,
    uint32_t *out, struct ll_err *err)
{
    *out = LL_NO_GRANT;
    check_grant(consent, grant);
    linli_status status = make_room(consent, err);
    if (status != LINLI_OK)
        return status;
    uint32_t number = consent->grants.count++;
    uint64_t key = ll_key_of(grant->subject, grant->party, grant->purpose);
    struct ll_key_slot *slot = ll_key_find(&consent->by_key, key);
    uint32_t newest = slot == NULL ? LL_NO_GRANT : ll_key_number(slot);
    ll_party_at(consent, grant->party)->grants[grant->status]++;
    *ll_grant_at(consent, number) =
        (struct ll_grant_item){*grant, LL_NO_GRANT, LL_NO_GRANT};
    uint32_t now = link_key(consent, newest, number);
    if (slot != NULL)
        slot->grant = say(consent, now); /* the one before may have ended */
    else if (now != LL_NO_GRANT)
        ll_keys_add(
            &consent->by_key, (struct ll_key_slot){key, say(consent, now)});
    link_subject(consent, ll_subject_at(consent, grant->subject), number);
    ll_table_add(&consent->by_id, id_mark(grant->id), number);
    *out = number;
    return LINLI_OK;
}

linli_status
ll_consent_put_grant(struct ll_consent *consent, const struct ll_grant *grant,
    uint32_t *out, struct ll_err *err)
{
    *out = LL_NO_GRANT;
    check_grant(consent, grant);
    linli_status status = make_room(consent, err);
    if (status != LINLI_OK)
        return status;
    if (grant->status == LL_GRANT_LIVE) {
        const struct ll_key_slot *slot = ll_key_find(&consent->by_key,
            ll_key_of(grant->subject, grant->party, grant->purpose));
        if (slot != NULL)
            ll_subject_at(consent, grant->subject)->epoch +=
                replace(consent, ll_key_number(slot), grant);
        ll_refusals_take_back(consent, grant);
    }
    return ll_consent_load_grant(consent, grant, out, err);
}

const struct ll_grant *
ll_consent_grant(const struct ll_consent *consent, uint32_t grant)
{
    return grant >= consent->grants.count ? NULL
                                          : &ll_grant_at(consent, grant)->grant;
}

uint32_t
ll_consent_count_grants(const struct ll_consent *consent, uint32_t party,
    enum ll_grant_status status)
{
    ll_check(party < consent->parties.count);
    return ll_party_at(consent, party)->grants[status];
}

uint32_t
ll_consent_find_grant(
    const struct ll_consent *consent, const unsigned char id[LL_TAG_BYTES])
{
    const struct ll_table *table = &consent->by_id;
    uint32_t mark = id_mark(id), at, i;
    if (table->cap == 0)
        return LL_NO_GRANT;
    at = ll_table_home(table, mark);
    while ((i = ll_table_next(table, mark, &at)) != LL_TABLE_NONE) {
        if (memcmp(ll_grant_at(consent, i)->grant.id, id, LL_TAG_BYTES) == 0)
            return i;
        at++;
    }
    return LL_NO_GRANT;
}

uint32_t
ll_consent_next_grant(
    const struct ll_consent *consent, uint32_t subject, uint32_t grant)
{
    if (grant != LL_NO_GRANT)
        return ll_grant_at(consent, grant)->before;
    return subject >= consent->subjects.count
               ? LL_NO_GRANT
               : ll_subject_at(consent, subject)->newest;
}

void
ll_consent_end_grant(
    struct ll_consent *consent, uint32_t number, enum ll_grant_status status)
{
    ll_check(number < consent->grants.count);
    ll_check(status != LL_GRANT_LIVE);
    struct ll_grant *grant = &ll_grant_at(consent, number)->grant;
    if (grant->status != LL_GRANT_LIVE)
        return; /* it has ended: how stays what it was */
    count_ended(consent, grant, status);
    grant->status = (uint8_t)status;
    say_ended(consent, number);
    ll_subject_at(consent, grant->subject)->epoch++;
}

void
ll_grants_end_all(struct ll_consent *consent, uint32_t subject)
{
    for (uint32_t i = ll_subject_at(consent, subject)->newest; i != LL_NO_GRANT;
         i = ll_grant_at(consent, i)->before) {
        struct ll_grant *grant = &ll_grant_at(consent, i)->grant;
        if (grant->status != LL_GRANT_LIVE)
            continue;
        count_ended(consent, grant, LL_GRANT_REVOKED);
        grant->status = LL_GRANT_REVOKED;
        say_ended(consent, i);
    }
}

void
ll_consent_use_grant(
    struct ll_consent *consent, uint32_t number, int64_t now_ms)
{
    ll_check(number < consent->grants.count);
    struct ll_grant *grant = &ll_grant_at(consent, number)->grant;
    ll_check(grant->uses != 0);
    if (grant->uses > 0)
        grant->uses--;
    /* Later than its beginning: it has been used; never earlier again. */
    if (now_ms <= grant->from_ms)
        now_ms = grant->from_ms + 1;
    if (now_ms > grant->used_ms)
        grant->used_ms = now_ms;
}

void
ll_consent_unuse_grant(struct ll_consent *consent, uint32_t number)
{
    ll_check(number < consent->grants.count);
    struct ll_grant *grant = &ll_grant_at(consent, number)->grant;
    if (grant->uses >= 0)
        grant->uses++;
}
