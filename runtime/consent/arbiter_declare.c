/* consent/arbiter_declare.c: what plugins declare, version after version.
 * [loop]
 *
 * Of two versions only the data part counts. What a later one takes away is
 * gone at once; what it adds or changes needs consent of its own, and until
 * then the old scope holds where the new one still has it (spec/consent.md,
 * section 3).
 */
#include "consent/arbiter_int.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"

/* -- the difference -- */

static const struct ll_scope *
find_scope(const struct ll_terms *terms, const struct ll_scope *like)
{
    for (uint32_t i = 0; i < terms->scope_count; i++)
        if (terms->scopes[i].field == like->field &&
            terms->scopes[i].purpose == like->purpose)
            return &terms->scopes[i];
    return NULL;
}

static uint32_t
actions_of(const struct ll_scope *scope)
{
    return scope->actions == 0 ? 1u << LL_ACTION_READ : scope->actions;
}

/* Whoever agreed to `was` has agreed to this. */
static bool
is_within(const struct ll_scope *scope, const struct ll_scope *was)
{
    return (actions_of(scope) & ~actions_of(was)) == 0 &&
           scope->basis == was->basis;
}

struct difference {
    bool narrower, wider, changed, words;
};

static void
compare_scopes(const struct ll_terms *old, const struct ll_terms *now,
    struct difference *d)
{
    for (uint32_t i = 0; i < now->scope_count; i++) {
        const struct ll_scope *scope = &now->scopes[i];
        const struct ll_scope *was = find_scope(old, scope);
        if (was == NULL) {
            d->wider = true;
            continue;
        }
        d->wider |= !is_within(scope, was);
        d->narrower |= (actions_of(was) & ~actions_of(scope)) != 0;
        d->words |= scope->required != was->required;
    }
    for (uint32_t i = 0; i < old->scope_count; i++)
        d->narrower |= find_scope(now, &old->scopes[i]) == NULL;
}

enum ll_terms_change
ll_arbiter_compare(struct ll_arbiter *arbiter,
    const struct ll_declaring *declaring, bool *holds)
{
    uint32_t party = ll_consent_party(
        arbiter->consent, declaring->community, declaring->plugin);
    const struct ll_terms *old =
        party == LL_NO_PARTY ? NULL : ll_consent_terms(arbiter->consent, party);
    const struct ll_terms *now = &declaring->terms;
    struct difference d = {false, false, false, false};
    *holds = true;
    if (old == NULL)
        return now->scope_count == 0 ? LL_TERMS_SAME : LL_TERMS_WIDEN;
    const struct ll_party_more *more = &arbiter->ledger->parties[party];
    compare_scopes(old, now, &d);
    d.changed |= old->relation != now->relation ||
                 (now->abroad && !old->abroad) ||
                 !ll_str_eq(more->recipient->text, declaring->recipient);
    d.narrower |= old->abroad && !now->abroad;
    d.words |= old->pia != now->pia || old->ceiling != now->ceiling ||
               !ll_str_eq(more->notice->text, declaring->notice);
    *holds = !d.changed;
    if (d.changed || d.wider)
        return LL_TERMS_WIDEN;
    if (d.narrower)
        return LL_TERMS_NARROW;
    return d.words ? LL_TERMS_TEXT : LL_TERMS_SAME;
}

/* -- terms -- */

static void
put_scopes(const struct ll_arbiter *arbiter, const struct ll_terms *terms,
    struct ll_jw *w)
{
    const struct ll_dictionary *dictionary = &arbiter->dictionary;
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < terms->scope_count; i++) {
        const struct ll_scope *scope = &terms->scopes[i];
        ll_jw_open(w, '{');
        ll_jw_key(w, "field");
        ll_jw_str(w, dictionary->fields[scope->field].id);
        ll_jw_key(w, "purpose");
        ll_jw_str(w, dictionary->purposes[scope->purpose].id);
        ll_jw_key(w, "basis");
        ll_jw_cstr(w, ll_basis_name(scope->basis));
        ll_jw_key(w, "required");
        ll_jw_bool(w, scope->required);
        ll_jw_key(w, "actions");
        ll_jw_int(w, actions_of(scope));
        ll_jw_key(w, "since");
        ll_jw_int(w, scope->since);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

static void
put_terms(struct ll_deed *deed, const struct ll_declaring *declaring,
    const struct ll_terms *terms)
{
    struct ll_jw w = ll_deed_body(deed, declaring->plugin);
    ll_jw_key(&w, "version");
    ll_jw_int(&w, terms->version);
    ll_jw_key(&w, "since");
    ll_jw_int(&w, terms->since);
    ll_jw_key(&w, "provide");
    ll_jw_bool(&w, terms->relation == LL_RELATION_PROVIDE);
    ll_jw_key(&w, "ceiling");
    ll_jw_cstr(&w, ll_class_name(terms->ceiling));
    ll_jw_key(&w, "pia");
    ll_jw_bool(&w, terms->pia);
    ll_jw_key(&w, "abroad");
    ll_jw_bool(&w, terms->abroad);
    ll_jw_key(&w, "off");
    ll_jw_bool(&w, !terms->active);
    ll_jw_key(&w, "scopes");
    put_scopes(deed->arbiter, terms, &w);
    ll_jw_key(&w, "notice");
    ll_jw_str(&w, declaring->notice);
    ll_jw_key(&w, "recipient");
    ll_jw_str(&w, declaring->recipient);
    ll_deed_put(
        deed, &w, LL_CONSENT_TERMS, declaring->plugin, (linli_str){NULL, 0});
}

static const char *
change_word(enum ll_terms_change change)
{
    static const char *const words[] = {[LL_TERMS_SAME] = "same",
        [LL_TERMS_TEXT] = "text",
        [LL_TERMS_NARROW] = "narrow",
        [LL_TERMS_WIDEN] = "widen"};
    return words[change];
}

static struct ll_actor_of
approver_of(const struct ll_declaring *declaring)
{
    return (struct ll_actor_of){.community = declaring->community,
        .subject = LL_NOBODY,
        .actor = LL_NOBODY,
        .actor_name = declaring->approver,
        .notice = declaring->notice,
        .now_ms = declaring->now_ms};
}

/* All that a decision looks at, so that whoever folds the log decides alike. */
static void
put_terms_leaf(struct ll_deed *deed, const struct ll_declaring *declaring,
    const struct ll_terms *terms, const char *result)
{
    struct ll_leaf_text text;
    struct ll_actor_of who = approver_of(declaring);
    ll_leaf_text_init(&text, deed->arbiter->mem);
    struct ll_leaf leaf = ll_leaf_of(deed->arbiter, &who, LL_LEAF_TERMS, &text);
    leaf.plugin = declaring->plugin;
    leaf.version = terms->version;
    leaf.result = ll_cstr(result);
    struct ll_jw w = ll_jw(&text.data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "since");
    ll_jw_int(&w, terms->since);
    ll_jw_key(&w, "relation");
    ll_jw_cstr(
        &w, terms->relation == LL_RELATION_PROVIDE ? "provide" : "entrust");
    ll_jw_key(&w, "ceiling");
    ll_jw_cstr(&w, ll_class_name(terms->ceiling));
    ll_jw_key(&w, "pia");
    ll_jw_bool(&w, terms->pia);
    ll_jw_key(&w, "abroad");
    ll_jw_bool(&w, terms->abroad);
    ll_jw_key(&w, "scopes");
    put_scopes(deed->arbiter, terms, &w);
    ll_jw_close(&w, '}');
    leaf.data_json = ll_buf_view(&text.data);
    if (text.data.failed)
        deed->status = LINLI_E_NOMEM;
    ll_deed_leaf(deed, &leaf);
    ll_leaf_text_fini(&text);
}

/* -- bases that are no consent -- */

static void
put_basis_leaf(struct ll_deed *deed, const struct ll_actor_of *who,
    const struct ll_basis_more *basis, bool approved)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    const struct ll_basis_record *r = &basis->record;
    struct ll_leaf_text text;
    ll_leaf_text_init(&text, arbiter->mem);
    struct ll_leaf leaf = ll_leaf_of(arbiter, who, LL_LEAF_BASIS, &text);
    leaf.plugin = ll_consent_plugin(arbiter->consent, r->party);
    leaf.purpose = arbiter->dictionary.purposes[r->purpose].id;
    leaf.fields_json = ll_leaf_fields(arbiter, r->fields, &text);
    leaf.basis = ll_cstr(ll_basis_name(r->basis));
    leaf.until_ms = r->until_ms == INT64_MAX ? 0 : r->until_ms;
    leaf.result = approved ? (linli_str)LINLI_STR("approved")
                           : (linli_str)LINLI_STR("ended");
    if (text.fields.failed)
        deed->status = LINLI_E_NOMEM;
    ll_deed_leaf(deed, &leaf);
    ll_leaf_text_fini(&text);
}

void
ll_basis_id(const struct ll_arbiter *arbiter, const struct ll_basis_more *basis,
    char out[2 * LL_TAG_BYTES + 1])
{
    unsigned char hash[LL_SHA256_BYTES];
    const struct ll_basis_record *r = &basis->record;
    linli_str purpose = arbiter->dictionary.purposes[r->purpose].id;
    /* Ids are short, and none has a colon. */
    char what[LL_DOC_ID_BYTES_MAX + 1];
    (void)snprintf(what, sizeof what, ":%.*s:%.*s:%s",
        LL_FMT(ll_consent_plugin(arbiter->consent, r->party)), LL_FMT(purpose),
        ll_basis_name(r->basis));
    ll_sha256_two(basis->community, ll_cstr(what), hash);
    ll_hex(hash, LL_TAG_BYTES, out);
}

static uint64_t
fields_of(const struct ll_terms *terms, uint8_t purpose, enum ll_basis basis)
{
    uint64_t fields = 0;
    for (uint32_t i = 0; i < terms->scope_count; i++)
        if (terms->scopes[i].purpose == purpose &&
            terms->scopes[i].basis == basis)
            fields |= (uint64_t)1 << terms->scopes[i].field;
    return fields;
}

/* One (purpose, basis) of a declaration that differs from what is approved:
 * approved as it is now, or ended if it is no more. */
static void
put_basis(struct ll_deed *deed, const struct ll_declaring *declaring,
    uint32_t party, uint8_t purpose, enum ll_basis basis)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    struct ll_actor_of who = approver_of(declaring);
    uint64_t fields = fields_of(&declaring->terms, purpose, basis);
    const struct ll_word *approver =
        ll_ledger_word(arbiter->ledger, declaring->approver);
    const struct ll_word *where =
        ll_ledger_word(arbiter->ledger, declaring->community);
    struct ll_basis_record record = {.party = party,
        .purpose = purpose,
        .basis = basis,
        .fields = fields,
        .from_ms = declaring->now_ms,
        .until_ms = INT64_MAX};
    struct ll_basis_more *more = ll_ledger_basis(arbiter, &record);
    if (more == NULL || approver == NULL || where == NULL) {
        deed->status = LINLI_E_NOMEM;
        return;
    }
    if (more->community.len > 0 && more->record.fields == fields)
        return; /* as it was, also where an operator has ended it */
    if (fields == 0) {
        record.fields = more->record.fields;
        record.from_ms = more->record.from_ms;
        record.until_ms = declaring->now_ms;
    }
    *more = (struct ll_basis_more){
        .record = record, .community = where->text, .approver = approver->text};
    if (ll_consent_put_basis(arbiter->consent, &record, NULL) != LINLI_OK)
        deed->status = LINLI_E_NOMEM;
    ll_deed_put_basis(deed, more);
    put_basis_leaf(deed, &who, more, fields != 0);
}

static bool
is_approved(const struct ll_arbiter *arbiter, uint32_t party, uint8_t purpose,
    enum ll_basis basis)
{
    for (uint32_t i = 0; i < arbiter->ledger->basis_count; i++) {
        const struct ll_basis_record *r = &arbiter->ledger->bases[i]->record;
        if (r->party == party && r->purpose == purpose && r->basis == basis &&
            r->until_ms == INT64_MAX)
            return true;
    }
    return false;
}

static void
put_bases(
    struct ll_deed *deed, const struct ll_declaring *declaring, uint32_t party)
{
    static const enum ll_basis bases[] = {
        LL_BASIS_CONTRACT, LL_BASIS_STATUTORY, LL_BASIS_EMERGENCY};
    const struct ll_arbiter *arbiter = deed->arbiter;
    for (uint8_t p = 0; p < arbiter->dictionary.purpose_count; p++)
        for (size_t i = 0; i < LL_COUNT(bases); i++)
            if (fields_of(&declaring->terms, p, bases[i]) != 0 ||
                is_approved(arbiter, party, p, bases[i]))
                put_basis(deed, declaring, party, p, bases[i]);
}

/* -- declaring -- */

static linli_status
note_party(struct ll_arbiter *arbiter, const struct ll_declaring *declaring,
    uint32_t party, struct ll_err *err)
{
    struct ll_ledger *ledger = arbiter->ledger;
    const struct ll_word *where = ll_ledger_word(ledger, declaring->community);
    const struct ll_word *notice = ll_ledger_word(ledger, declaring->notice);
    const struct ll_word *recipient =
        ll_ledger_word(ledger, declaring->recipient);
    if (where == NULL || notice == NULL || recipient == NULL ||
        !ll_ledger_party(arbiter, party))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "terms");
    ledger->parties[party] = (struct ll_party_more){
        .community = where->text, .notice = notice, .recipient = recipient};
    return LINLI_OK;
}

/* Grants hold from the version on in which a scope was what it is. */
static linli_status
next_scopes(const struct ll_terms *old, struct ll_terms *terms,
    struct ll_scope *scopes, struct ll_err *err)
{
    if (terms->scope_count > LL_CONSENT_SCOPES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "manifest/invalid",
            "%u fields and purposes, more than %u",
            (unsigned)terms->scope_count, (unsigned)LL_CONSENT_SCOPES_MAX);
    for (uint32_t i = 0; i < terms->scope_count; i++) {
        scopes[i] = terms->scopes[i];
        const struct ll_scope *was =
            old == NULL ? NULL : find_scope(old, &scopes[i]);
        scopes[i].since = was != NULL && is_within(&scopes[i], was)
                              ? was->since
                              : terms->version;
    }
    terms->scopes = scopes;
    return LINLI_OK;
}

static void
next_terms(const struct ll_terms *old, enum ll_terms_change change, bool holds,
    struct ll_terms *terms)
{
    terms->active = true;
    terms->version = old == NULL ? 1 : old->version;
    terms->since = old == NULL ? 1 : old->since;
    if (old != NULL && change == LL_TERMS_WIDEN) {
        terms->version++;
        terms->since = holds ? terms->since : terms->version;
    }
}

static linli_status
write_terms(struct ll_arbiter *arbiter, const struct ll_declaring *declaring,
    uint32_t party, enum ll_terms_change change, struct ll_act *act,
    struct ll_err *err)
{
    struct ll_deed deed;
    ll_deed_begin(&deed, arbiter, declaring->community, declaring->now_ms);
    put_terms(&deed, declaring, &declaring->terms);
    put_terms_leaf(&deed, declaring, &declaring->terms,
        change == LL_TERMS_SAME ? "on" : change_word(change));
    put_bases(&deed, declaring, party);
    linli_status status = ll_deed_ready(&deed, err);
    if (status == LINLI_OK)
        (void)ll_deed_commit(&deed, act);
    return status;
}

linli_status
ll_arbiter_declare(struct ll_arbiter *arbiter,
    const struct ll_declaring *declaring, struct ll_act *act, uint32_t *party,
    enum ll_terms_change *change, struct ll_err *err)
{
    struct ll_consent *consent = arbiter->consent;
    struct ll_scope scopes[LL_CONSENT_SCOPES_MAX];
    struct ll_declaring next = *declaring;
    bool holds;
    *party = ll_consent_party(consent, declaring->community, declaring->plugin);
    const struct ll_terms *old =
        *party == LL_NO_PARTY ? NULL : ll_consent_terms(consent, *party);
    bool was_off = old != NULL && arbiter->ledger->parties[*party].off;
    *change = ll_arbiter_compare(arbiter, declaring, &holds);
    next_terms(old, *change, holds, &next.terms);
    linli_status status = next_scopes(old, &next.terms, scopes, err);
    /* The plugin is active even if no document can be written; what it may
     * read beyond the old scope rests on grants, which cannot be written
     * either. */
    if (status == LINLI_OK)
        status = ll_consent_put_party(consent, declaring->community,
            declaring->plugin, &next.terms, party, err);
    if (status == LINLI_OK)
        status = note_party(arbiter, declaring, *party, err);
    if (status != LINLI_OK)
        return status;
    if (*change == LL_TERMS_SAME && !was_off)
        return act == NULL ? LINLI_OK : ll_deed_barrier(arbiter, act, 0, err);
    status = write_terms(arbiter, &next, *party, *change, act, err);
    if (status == LINLI_OK && *change != LL_TERMS_TEXT)
        ll_arbiter_rise(arbiter, LL_NOBODY, *party);
    return status;
}

/* -- off -- */

/* It is off in memory whether or not that can be written: what the log lacks
 * then is a line, and nothing is released. */
void
ll_arbiter_suspend(struct ll_arbiter *arbiter, uint32_t party)
{
    struct ll_party_more *more = &arbiter->ledger->parties[party];
    const struct ll_terms *now = ll_consent_terms(arbiter->consent, party);
    struct ll_declaring off = {.community = more->community,
        .plugin = ll_consent_plugin(arbiter->consent, party),
        .notice = more->notice->text,
        .recipient = more->recipient->text,
        .approver = LINLI_STR("system"),
        .terms = *now,
        .now_ms = ll_world_wall(arbiter->world).ms};
    struct ll_deed deed;
    struct ll_err err;
    if (!now->active)
        return;
    off.terms.active = false;
    ll_deed_begin(&deed, arbiter, off.community, off.now_ms);
    put_terms(&deed, &off, &off.terms);
    put_terms_leaf(&deed, &off, &off.terms, "off");
    bool ready = ll_deed_ready(&deed, NULL) == LINLI_OK;
    /* What it is made of is there: only without memory it stays as it was. */
    (void)!ll_consent_put_party(
        arbiter->consent, off.community, off.plugin, &off.terms, &party, &err);
    more->off = ready;
    if (ready)
        (void)ll_deed_commit(&deed, NULL);
}

linli_status
ll_arbiter_end_basis(struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    uint32_t basis, struct ll_act *act, struct ll_err *err)
{
    struct ll_basis_more *more = arbiter->ledger->bases[basis];
    struct ll_basis_more after = *more;
    struct ll_deed deed;
    if (more->record.until_ms <= who->now_ms)
        return ll_deed_barrier(arbiter, act, 0, err);
    after.record.until_ms = who->now_ms;
    ll_deed_begin(&deed, arbiter, who->community, who->now_ms);
    ll_deed_put_basis(&deed, &after);
    put_basis_leaf(&deed, who, &after, false);
    linli_status status = ll_deed_ready(&deed, err);
    if (status != LINLI_OK)
        return status;
    status = ll_consent_put_basis(arbiter->consent, &after.record, err);
    if (status != LINLI_OK) {
        ll_deed_end(&deed);
        return status;
    }
    *more = after;
    (void)ll_deed_commit(&deed, act);
    ll_arbiter_rise(arbiter, LL_NOBODY, more->record.party);
    return LINLI_OK;
}
