/* consent/arbiter_doc.c: what is kept of residents and what they said, as
 * documents. [loop] */
#include "consent/arbiter_int.h"

#include "base/hash.h"
#include "base/text.h"

static void
put_text(struct ll_jw *w, const char *name, linli_str text)
{
    if (text.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

static void
put_number(struct ll_jw *w, const char *name, int64_t number)
{
    ll_jw_key(w, name);
    ll_jw_int(w, number);
}

static void
put_hex(
    struct ll_jw *w, const char *name, const unsigned char bytes[LL_TAG_BYTES])
{
    char hex[LL_HEX_BYTES];
    ll_hex(bytes, LL_TAG_BYTES, hex);
    ll_jw_key(w, name);
    ll_jw_cstr(w, hex);
}

/* -- grants -- */

static void
put_more(struct ll_jw *w, const struct ll_own_more *more)
{
    put_number(w, "reads", more->reads);
    if (more->leaf != 0)
        put_number(w, "leaf", (int64_t)more->leaf);
    if (more->end_leaf != 0)
        put_number(w, "end_leaf", (int64_t)more->end_leaf);
    if (more->ended_ms != 0)
        put_number(w, "ended", more->ended_ms);
    put_text(w, "notice", more->notice->text);
    put_text(w, "channel", more->channel->text);
    put_text(w, "staff", more->staff->text);
}

void
ll_deed_put_grant(struct ll_deed *deed, const struct ll_grant *grant,
    const struct ll_own_more *more)
{
    const struct ll_arbiter *arbiter = deed->arbiter;
    const struct ll_dictionary *dictionary = &arbiter->dictionary;
    char id[LL_HEX_BYTES];
    linli_str resident = ll_consent_resident(arbiter->consent, grant->subject);
    ll_hex(grant->id, sizeof grant->id, id);
    struct ll_jw w = ll_deed_body(deed, ll_cstr(id));
    put_text(&w, "resident", resident);
    put_text(&w, "plugin", ll_consent_plugin(arbiter->consent, grant->party));
    put_text(&w, "purpose", dictionary->purposes[grant->purpose].id);
    ll_jw_key(&w, "fields");
    ll_fields_put(dictionary, &w, grant->fields);
    put_text(&w, "level",
        ll_cstr(ll_act_level_name((enum ll_act_level)grant->level)));
    put_text(&w, "status",
        ll_cstr(ll_grant_status_name((enum ll_grant_status)grant->status)));
    put_number(&w, "version", grant->version);
    put_number(&w, "uses", grant->uses);
    put_number(&w, "idle_days", grant->idle_days);
    linli_str guardian = ll_consent_resident(arbiter->consent, grant->guardian);
    put_text(&w, "guardian", guardian);
    if (grant->guardian != LL_NOBODY && guardian.len == 0) {
        ll_jw_key(&w, "guardian_gone");
        ll_jw_bool(&w, true);
    }
    put_number(&w, "from", grant->from_ms);
    put_number(&w, "until", grant->until_ms);
    put_number(&w, "used", grant->used_ms);
    put_number(&w, "given", grant->given_ms);
    put_more(&w, more);
    ll_deed_put(deed, &w, LL_CONSENT_GRANT, ll_cstr(id), resident);
}

void
ll_revoked_write(const struct ll_arbiter *arbiter, struct ll_jw *w,
    const struct ll_grant *grant, const char *reason)
{
    const struct ll_person *person =
        ll_consent_person(arbiter->consent, grant->subject);
    put_text(w, "state", ll_cstr("asked"));
    put_text(
        w, "resident", ll_consent_resident(arbiter->consent, grant->subject));
    put_text(w, "plugin", ll_consent_plugin(arbiter->consent, grant->party));
    put_text(w, "purpose", arbiter->dictionary.purposes[grant->purpose].id);
    ll_jw_key(w, "fields");
    ll_fields_put(&arbiter->dictionary, w, grant->fields);
    put_text(w, "reason", ll_cstr(reason));
    if (person != NULL)
        put_hex(w, "tag", person->tag);
}

/* -- people -- */

const char *
ll_capacity_word(enum ll_capacity capacity)
{
    static const char *const words[] = {[LL_CAPACITY_FULL] = "full",
        [LL_CAPACITY_LIMITED] = "limited",
        [LL_CAPACITY_NONE] = "none"};
    return words[capacity];
}

const char *
ll_state_word(enum ll_subject_state state)
{
    static const char *const words[] = {[LL_SUBJECT_ACTIVE] = "active",
        [LL_SUBJECT_FROZEN] = "frozen",
        [LL_SUBJECT_DECEASED] = "deceased",
        [LL_SUBJECT_SHREDDED] = "shredded"};
    return words[state];
}

void
ll_deed_put_person(
    struct ll_deed *deed, linli_str resident, const struct ll_person *person)
{
    struct ll_jw w = ll_deed_body(deed, resident);
    put_hex(&w, "tag", person->tag);
    if (person->birth_day != LL_DAY_UNKNOWN)
        put_number(&w, "birth_day", person->birth_day);
    put_text(&w, "capacity", ll_cstr(ll_capacity_word(person->capacity)));
    put_text(&w, "state", ll_cstr(ll_state_word(person->state)));
    ll_deed_put(deed, &w, LL_CONSENT_PERSON, resident, resident);
}

/* -- bases -- */

void
ll_deed_put_basis(struct ll_deed *deed, const struct ll_basis_more *basis)
{
    const struct ll_arbiter *arbiter = deed->arbiter;
    const struct ll_basis_record *r = &basis->record;
    linli_str plugin = ll_consent_plugin(arbiter->consent, r->party);
    linli_str purpose = arbiter->dictionary.purposes[r->purpose].id;
    char id[LL_DOC_ID_BYTES_MAX + 1];
    struct ll_buf text;
    ll_buf_init(&text, arbiter->mem, sizeof id);
    ll_buf_printf(&text, "%.*s:%.*s:%s", LL_FMT(plugin), LL_FMT(purpose),
        ll_basis_name(r->basis));
    if (text.failed)
        deed->status = LINLI_E_NOMEM;
    struct ll_jw w = ll_deed_body(deed, ll_buf_view(&text));
    put_text(&w, "plugin", plugin);
    put_text(&w, "purpose", purpose);
    put_text(&w, "basis", ll_cstr(ll_basis_name(r->basis)));
    ll_jw_key(&w, "fields");
    ll_fields_put(&arbiter->dictionary, &w, r->fields);
    put_text(&w, "approver", basis->approver);
    put_number(&w, "from", r->from_ms);
    put_number(&w, "until", r->until_ms);
    ll_deed_put(
        deed, &w, LL_CONSENT_BASIS, ll_buf_view(&text), (linli_str){NULL, 0});
    ll_buf_fini(&text);
}

/* -- refusals and objections -- */

void
ll_refusal_id(const struct ll_arbiter *arbiter, uint32_t subject,
    uint32_t party, unsigned item, char out[LL_HEX_BYTES])
{
    unsigned char hash[LL_SHA256_BYTES];
    unsigned char text[LL_TAG_BYTES + 4];
    const struct ll_person *person =
        ll_consent_person(arbiter->consent, subject);
    linli_str plugin = party == LL_NO_PARTY
                           ? (linli_str){NULL, 0}
                           : ll_consent_plugin(arbiter->consent, party);
    ll_check(person != NULL);
    memcpy(text, person->tag, LL_TAG_BYTES);
    for (unsigned i = 0; i < 4; i++)
        text[LL_TAG_BYTES + i] = (unsigned char)(item >> 8 * i);
    ll_sha256_two((linli_str){(const char *)text, sizeof text}, plugin, hash);
    ll_hex(hash, LL_TAG_BYTES, out);
}
