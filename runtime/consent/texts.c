/* consent/texts.c: who is to be told of other words. [loop] */
#include "consent/texts.h"

#include "consent/arbiter_int.h"

/* Fields of a grant whose words changed after change number `after`, at or
 * after an instant. */
static uint64_t
changed(const struct ll_arbiter *arbiter, const struct ll_grant *grant,
    uint32_t after, int64_t from_ms)
{
    const struct ll_terms *terms =
        ll_consent_terms(arbiter->consent, grant->party);
    uint64_t fields = 0;
    for (uint32_t i = 0; i < terms->scope_count; i++) {
        const struct ll_scope *scope = &terms->scopes[i];
        if (scope->purpose == grant->purpose && scope->text > after &&
            scope->text_ms >= from_ms)
            fields |= (uint64_t)1 << scope->field;
    }
    return fields & grant->fields;
}

bool
ll_text_unread(const struct ll_arbiter *arbiter, uint32_t grant, int64_t now_ms)
{
    return changed(arbiter, ll_consent_grant(arbiter->consent, grant),
               arbiter->ledger->grants[grant].read,
               now_ms - LL_CONSENT_TEXT_DAYS * LL_CONSENT_DAY_MS) != 0;
}

static uint64_t
untold(const struct ll_arbiter *arbiter, uint32_t number)
{
    const struct ll_grant *grant = ll_consent_grant(arbiter->consent, number);
    const struct ll_person *person =
        grant == NULL ? NULL
                      : ll_consent_person(arbiter->consent, grant->subject);
    bool here = person != NULL && person->state == LL_SUBJECT_ACTIVE &&
                grant->status == LL_GRANT_LIVE &&
                grant->until_ms > ll_world_wall(arbiter->world).ms &&
                ll_consent_terms(arbiter->consent, grant->party)->active;
    return here ? changed(arbiter, grant, arbiter->ledger->grants[number].told,
                      INT64_MIN)
                : 0;
}

bool
ll_text_more(const struct ll_arbiter *arbiter)
{
    return arbiter->ledger->text_open;
}

bool
ll_text_next(
    struct ll_arbiter *arbiter, uint32_t *looks, struct ll_text_news *out)
{
    struct ll_ledger *ledger = arbiter->ledger;
    const struct ll_consent *consent = arbiter->consent;
    while (ledger->text_open && *looks > 0) {
        uint32_t number = ledger->text_at;
        if (number >= ll_consent_grants(consent)) {
            ledger->text_open = false;
            ledger->text_at = 0;
            return false;
        }
        ledger->text_at++;
        (*looks)--;
        if (untold(arbiter, number) == 0)
            continue;
        const struct ll_grant *grant = ll_consent_grant(consent, number);
        uint32_t at = LL_NO_GRANT;
        *out = (struct ll_text_news){
            .subject = grant->subject, .party = grant->party};
        while ((at = ll_consent_next_grant(consent, out->subject, at)) !=
               LL_NO_GRANT)
            if (ll_consent_grant(consent, at)->party == out->party)
                out->fields |= untold(arbiter, at);
        return true;
    }
    return false;
}

static bool
is_behind(const struct ll_arbiter *arbiter, uint32_t number, uint32_t party,
    bool read)
{
    const struct ll_grant *grant = ll_consent_grant(arbiter->consent, number);
    const struct ll_own_more *more = &arbiter->ledger->grants[number];
    return grant->party == party && grant->status == LL_GRANT_LIVE &&
           changed(arbiter, grant, read ? more->read : more->told, INT64_MIN) !=
               0;
}

/* In memory, or into a deed as they will be. */
static void
note_all(struct ll_arbiter *arbiter, uint32_t subject, uint32_t party,
    bool read, struct ll_deed *deed)
{
    uint32_t texts = ll_consent_terms(arbiter->consent, party)->texts;
    uint32_t at = LL_NO_GRANT;
    while ((at = ll_consent_next_grant(arbiter->consent, subject, at)) !=
           LL_NO_GRANT) {
        if (!is_behind(arbiter, at, party, read))
            continue;
        struct ll_own_more more = arbiter->ledger->grants[at];
        more.told = texts;
        more.read = read ? texts : more.read;
        if (deed == NULL)
            arbiter->ledger->grants[at] = more;
        else
            ll_deed_put_grant(
                deed, ll_consent_grant(arbiter->consent, at), &more);
    }
}

bool
ll_text_note(
    struct ll_arbiter *arbiter, uint32_t subject, uint32_t party, bool read)
{
    struct ll_deed deed;
    uint32_t at = LL_NO_GRANT;
    while ((at = ll_consent_next_grant(arbiter->consent, subject, at)) !=
               LL_NO_GRANT &&
           !is_behind(arbiter, at, party, read))
        continue;
    if (at == LL_NO_GRANT)
        return true;
    ll_deed_begin(&deed, arbiter,
        ll_consent_community(arbiter->consent, subject),
        ll_world_wall(arbiter->world).ms);
    note_all(arbiter, subject, party, read, &deed);
    if (ll_deed_ready(&deed, NULL) != LINLI_OK)
        return false;
    note_all(arbiter, subject, party, read, NULL);
    (void)ll_deed_commit(&deed, NULL);
    return true;
}
