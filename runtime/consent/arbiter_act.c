/* consent/arbiter_act.c: what residents say: give, refuse, withdraw, object.
 * [loop] */
#include "consent/arbiter_int.h"

#include "base/hash.h"
#include "base/text.h"

/* An id of a grant begins with the time, so that they are read again in the
 * order in which they were given; the rest is random, or of the key. */
#define ID_TIME_BYTES 6

static linli_status
no_room(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an act");
}

static linli_status
bad(struct ll_err *err, const char *what, const char *fix)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "consent/act", "%s", what);
    if (err != NULL)
        ll_err_fix(err, "%s", fix);
    return status;
}

static unsigned
count_bits(uint64_t fields)
{
    unsigned count = 0;
    for (; fields != 0; fields &= fields - 1)
        count++;
    return count;
}

/* -- who may -- */

/* Staff and seeds act for whoever could act themself. To say no is everybody's
 * own: `no` lets a resident withdraw whatever their age. */
static linli_status
check_actor(const struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    enum ll_class class, bool no, struct ll_err *err)
{
    uint32_t actor = who->actor == LL_NOBODY ? who->subject : who->actor;
    if (ll_consent_person(arbiter->consent, who->subject) == NULL)
        return ll_fail(err, LINLI_E_DENIED, "consent/forbidden",
            "there is nobody of whom this could be said");
    if (no && actor == who->subject)
        return LINLI_OK;
    struct ll_acting acting = {.subject = who->subject,
        .actor = actor,
        .power = LL_POWER_CONSENT,
        .class = class,
        .now_ms = who->now_ms,
        .today = who->today};
    enum ll_reason reason = ll_consent_may_act(arbiter->consent, &acting);
    if (reason == LL_REASON_ALLOW)
        return LINLI_OK;
    return ll_fail(
        err, LINLI_E_DENIED, "consent/forbidden", "%s", ll_reason_name(reason));
}

static uint64_t
declared(const struct ll_terms *terms, uint8_t purpose, bool consent_only)
{
    uint64_t fields = 0;
    for (uint32_t i = 0; i < terms->scope_count; i++) {
        const struct ll_scope *scope = &terms->scopes[i];
        if (scope->purpose == purpose &&
            (!consent_only || scope->basis == LL_BASIS_CONSENT ||
                scope->basis == LL_BASIS_SEPARATE))
            fields |= (uint64_t)1 << scope->field;
    }
    return fields;
}

static bool
needs_separate(const struct ll_arbiter *arbiter, const struct ll_terms *terms,
    const struct ll_giving *giving)
{
    bool separate =
        terms->relation == LL_RELATION_PROVIDE ||
        ll_dictionary_class(&arbiter->dictionary, giving->fields) == LL_C3;
    for (uint32_t i = 0; !separate && i < terms->scope_count; i++) {
        const struct ll_scope *scope = &terms->scopes[i];
        separate = scope->purpose == giving->purpose &&
                   (giving->fields >> scope->field & 1) != 0 &&
                   scope->basis == LL_BASIS_SEPARATE;
    }
    return separate;
}

/* -- what is given -- */

static linli_status
judge_end(const struct ll_actor_of *who, const struct ll_giving *giving,
    struct ll_err *err)
{
    int64_t longest = who->now_ms + LL_GRANT_DAYS_MAX * LL_CONSENT_DAY_MS;
    if (giving->until_ms != 0 && giving->until_ms <= who->now_ms)
        return bad(err, "the consent ends before it begins",
            "\"expires_at\": a time after now, at most 365 days ahead");
    if (giving->until_ms > longest)
        return bad(err, "a consent lasts at most 365 days",
            "leave \"expires_at\" out, or name a time within 365 days");
    if (giving->uses == 0 || giving->uses < -1)
        return bad(err, "a consent is for one use or for many",
            "\"once\": true or false");
    return LINLI_OK;
}

static linli_status
judge(const struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    const struct ll_giving *giving, struct ll_err *err)
{
    const struct ll_terms *terms =
        giving->party == LL_NO_PARTY
            ? NULL
            : ll_consent_terms(arbiter->consent, giving->party);
    if (terms == NULL || !terms->active)
        return bad(err, "the plugin does not serve here",
            "name a plugin that asks for data in this community");
    if (giving->fields == 0 ||
        (giving->fields & ~declared(terms, giving->purpose, true)) != 0)
        return bad(err,
            "the plugin does not ask for this field for this purpose under "
            "consent",
            "\"field\" and \"purpose\": one of the items of GET .../me/asks");
    if (needs_separate(arbiter, terms, giving)) {
        if (count_bits(giving->fields) > 1)
            return bad(err,
                "several items in one act: what is sensitive, or goes to "
                "somebody else, is decided one by one",
                "send one request for each: {\"field\": ..., \"purpose\": "
                "...}, not \"fields\"");
        if (giving->level < LL_LEVEL_SEPARATE)
            return bad(err, "this item needs an act of its own",
                "{\"field\": ..., \"purpose\": ...}");
    }
    linli_status status = judge_end(who, giving, err);
    return status != LINLI_OK
               ? status
               : check_actor(arbiter, who,
                     ll_dictionary_class(&arbiter->dictionary, giving->fields),
                     false, err);
}

static int64_t
end_of(const struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    const struct ll_giving *giving)
{
    int64_t days = LL_GRANT_DAYS_MAX;
    const struct ll_dictionary *dictionary = &arbiter->dictionary;
    for (uint32_t i = 0; i < dictionary->field_count; i++)
        if ((giving->fields >> i & 1) != 0 &&
            dictionary->fields[i].retention_days < days)
            days = dictionary->fields[i].retention_days;
    return giving->until_ms != 0 ? giving->until_ms
                                 : who->now_ms + days * LL_CONSENT_DAY_MS;
}

static void
make_id(struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    unsigned char id[LL_TAG_BYTES])
{
    unsigned char hash[LL_SHA256_BYTES];
    for (int i = 0; i < ID_TIME_BYTES; i++)
        id[i] = (unsigned char)(who->now_ms >> 8 * (ID_TIME_BYTES - 1 - i));
    ll_world_random(
        arbiter->world, id + ID_TIME_BYTES, LL_TAG_BYTES - ID_TIME_BYTES);
    if (who->key.len == 0)
        return;
    const struct ll_person *person =
        ll_consent_person(arbiter->consent, who->subject);
    ll_sha256_two(
        (linli_str){(const char *)person->tag, LL_TAG_BYTES}, who->key, hash);
    memcpy(id + ID_TIME_BYTES, hash, LL_TAG_BYTES - ID_TIME_BYTES);
}

/* What the same key has given before; LL_NO_GRANT. */
static uint32_t
find_again(const struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    const unsigned char id[LL_TAG_BYTES])
{
    uint32_t at = LL_NO_GRANT;
    if (who->key.len == 0)
        return at;
    while ((at = ll_consent_next_grant(arbiter->consent, who->subject, at)) !=
           LL_NO_GRANT)
        if (memcmp(ll_consent_grant(arbiter->consent, at)->id + ID_TIME_BYTES,
                id + ID_TIME_BYTES, LL_TAG_BYTES - ID_TIME_BYTES) == 0)
            break;
    return at;
}

static linli_status
give_again(struct ll_arbiter *arbiter, const struct ll_giving *giving,
    uint32_t grant, struct ll_act *act, struct ll_err *err)
{
    const struct ll_grant *before = ll_consent_grant(arbiter->consent, grant);
    if (before->party != giving->party || before->fields != giving->fields ||
        before->purpose != giving->purpose)
        return ll_fail(err, LINLI_E_CONFLICT, "request/idempotency-key",
            "this key has given something else");
    return ll_deed_barrier(
        arbiter, act, arbiter->ledger->grants[grant].leaf, err);
}

/* The grants that this one takes the place of, as they are from now on. */
static void
put_replaced(struct ll_deed *deed, const struct ll_grant *grant)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    uint32_t at = LL_NO_GRANT;
    while ((at = ll_consent_next_grant(arbiter->consent, grant->subject, at)) !=
           LL_NO_GRANT) {
        struct ll_grant old = *ll_consent_grant(arbiter->consent, at);
        if (old.status != LL_GRANT_LIVE || old.party != grant->party ||
            old.purpose != grant->purpose || (old.fields & ~grant->fields) != 0)
            continue;
        struct ll_own_more more = arbiter->ledger->grants[at];
        old.status = LL_GRANT_REPLACED;
        more.ended_ms = deed->now_ms;
        ll_deed_put_grant(deed, &old, &more);
    }
}

/* Memory after the store: those that were live until now have ended. */
static void
note_replaced(struct ll_arbiter *arbiter, uint32_t subject, int64_t now_ms)
{
    uint32_t at = LL_NO_GRANT;
    while ((at = ll_consent_next_grant(arbiter->consent, subject, at)) !=
           LL_NO_GRANT) {
        struct ll_own_more *more = &arbiter->ledger->grants[at];
        if (ll_consent_grant(arbiter->consent, at)->status ==
                LL_GRANT_REPLACED &&
            more->ended_ms == 0)
            more->ended_ms = now_ms;
    }
}

static unsigned
refusal_item(uint8_t purpose, unsigned field)
{
    return (unsigned)purpose << 8 | field;
}

static void
put_given(struct ll_deed *deed, const struct ll_actor_of *who,
    const struct ll_grant *grant, const struct ll_own_more *more)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    char id[LL_HEX_BYTES];
    put_replaced(deed, grant);
    /* A capable ward's own refusal stands beside what a delegate gives. */
    bool takes_back =
        grant->guardian == LL_NOBODY ||
        ll_consent_is_ward(arbiter->consent, grant->subject, who->today);
    for (unsigned f = 0; f < arbiter->dictionary.field_count; f++) {
        if (!takes_back || (grant->fields >> f & 1) == 0)
            continue;
        ll_refusal_id(arbiter, grant->subject, grant->party,
            refusal_item(grant->purpose, f), id);
        ll_deed_drop(deed, LL_CONSENT_REFUSAL, ll_cstr(id));
    }
    ll_deed_put_grant(deed, grant, more);
    if (who->proof.len == 0)
        return;
    linli_str resident = ll_consent_resident(arbiter->consent, grant->subject);
    ll_hex(grant->id, sizeof grant->id, id);
    struct ll_jw w = ll_deed_body(deed, ll_cstr(id));
    ll_jw_key(&w, "proof");
    ll_jw_str(&w, who->proof);
    ll_jw_key(&w, "by");
    ll_jw_str(&w, who->actor_name);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, who->now_ms);
    ll_deed_put(deed, &w, LL_CONSENT_PROOF, ll_cstr(id), resident);
}

/* For whom staff wrote it down, where that is not the subject: the actor of
 * such a leaf is the staff. */
static void
put_guardian(const struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    struct ll_jw *w)
{
    char tag[LL_HEX_BYTES];
    const struct ll_person *person =
        who->actor == who->subject || who->actor_name.len == 0
            ? NULL
            : ll_consent_person(arbiter->consent, who->actor);
    if (person == NULL)
        return;
    ll_hex(person->tag, sizeof person->tag, tag);
    ll_jw_key(w, "guardian");
    ll_jw_cstr(w, tag);
}

static void
put_given_leaf(struct ll_deed *deed, const struct ll_actor_of *who,
    const struct ll_grant *grant)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    struct ll_leaf_text text;
    ll_leaf_text_init(&text, arbiter->mem);
    struct ll_leaf leaf = ll_leaf_of(arbiter, who, LL_LEAF_GIVE, &text);
    leaf.plugin = ll_consent_plugin(arbiter->consent, grant->party);
    leaf.purpose = arbiter->dictionary.purposes[grant->purpose].id;
    leaf.fields_json = ll_leaf_fields(arbiter, grant->fields, &text);
    leaf.basis = ll_cstr(
        ll_basis_name(grant->level >= LL_LEVEL_SEPARATE ? LL_BASIS_SEPARATE
                                                        : LL_BASIS_CONSENT));
    leaf.level = ll_cstr(ll_act_level_name((enum ll_act_level)grant->level));
    ll_hex(grant->id, sizeof grant->id, text.grant);
    leaf.grant = ll_cstr(text.grant);
    leaf.version = grant->version;
    leaf.until_ms = grant->until_ms;
    leaf.uses = grant->uses > 0 ? grant->uses : 0;
    struct ll_jw w = ll_jw(&text.data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "channel");
    ll_jw_str(&w, who->channel);
    if (grant->idle_days > 0) {
        ll_jw_key(&w, "idle_days");
        ll_jw_int(&w, grant->idle_days);
    }
    put_guardian(arbiter, who, &w);
    ll_jw_close(&w, '}');
    leaf.data_json = ll_buf_view(&text.data);
    if (text.fields.failed || text.data.failed)
        deed->status = LINLI_E_NOMEM;
    ll_deed_leaf(deed, &leaf);
    ll_leaf_text_fini(&text);
}

static linli_status
send_given(struct ll_deed *deed, const struct ll_grant *g,
    const struct ll_own_more *more, struct ll_act *act, uint32_t *grant,
    struct ll_err *err)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    if (ll_deed_ready(deed, err) != LINLI_OK)
        return LINLI_E_NOMEM;
    /* Numbers are given one after the other. */
    linli_status status =
        ll_ledger_grant(arbiter, ll_consent_grants(arbiter->consent))
            ? ll_consent_put_grant(arbiter->consent, g, grant, err)
            : no_room(err);
    if (status != LINLI_OK) {
        ll_deed_end(deed);
        return status;
    }
    arbiter->ledger->grants[*grant] = *more;
    note_replaced(arbiter, g->subject, deed->now_ms);
    deed->told->given = *grant;
    (void)ll_deed_commit(deed, act);
    return LINLI_OK;
}

linli_status
ll_arbiter_give(struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    const struct ll_giving *giving, struct ll_act *act, uint32_t *grant,
    struct ll_err *err)
{
    struct ll_ledger *ledger = arbiter->ledger;
    struct ll_grant g = {.subject = who->subject,
        .party = giving->party,
        .fields = giving->fields,
        .purpose = giving->purpose,
        .level = (uint8_t)giving->level,
        .status = LL_GRANT_LIVE,
        .idle_days = giving->idle_days,
        .uses = giving->uses,
        .guardian = who->actor == who->subject ? LL_NOBODY : who->actor,
        .from_ms = who->now_ms,
        .used_ms = who->now_ms,
        .given_ms = who->now_ms};
    *grant = LL_NO_GRANT;
    linli_status status = judge(arbiter, who, giving, err);
    if (status != LINLI_OK)
        return status;
    make_id(arbiter, who, g.id);
    uint32_t again = find_again(arbiter, who, g.id);
    if (again != LL_NO_GRANT) {
        *grant = again;
        return give_again(arbiter, giving, again, act, err);
    }
    g.version = ll_consent_terms(arbiter->consent, giving->party)->version;
    g.until_ms = end_of(arbiter, who, giving);
    struct ll_own_more more = {.notice = ll_ledger_word(ledger, who->notice),
        .channel = ll_ledger_word(ledger, who->channel),
        .staff = ll_ledger_word(ledger, who->actor_name)};
    if (more.notice == NULL || more.channel == NULL || more.staff == NULL)
        return no_room(err);
    struct ll_deed deed;
    ll_deed_begin(&deed, arbiter, who->community, who->now_ms);
    put_given(&deed, who, &g, &more);
    put_given_leaf(&deed, who, &g);
    return send_given(&deed, &g, &more, act, grant, err);
}

/* -- refusals -- */

static void
put_refused(struct ll_deed *deed, const struct ll_actor_of *who, uint32_t party,
    uint8_t purpose, unsigned field)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    const struct ll_dictionary *dictionary = &arbiter->dictionary;
    char id[LL_HEX_BYTES];
    linli_str resident = ll_consent_resident(arbiter->consent, who->subject);
    ll_refusal_id(
        arbiter, who->subject, party, refusal_item(purpose, field), id);
    struct ll_jw w = ll_deed_body(deed, ll_cstr(id));
    ll_jw_key(&w, "resident");
    ll_jw_str(&w, resident);
    ll_jw_key(&w, "plugin");
    ll_jw_str(&w, ll_consent_plugin(arbiter->consent, party));
    ll_jw_key(&w, "purpose");
    ll_jw_str(&w, dictionary->purposes[purpose].id);
    ll_jw_key(&w, "field");
    ll_jw_str(&w, dictionary->fields[field].id);
    ll_jw_key(&w, "version");
    ll_jw_int(&w, ll_consent_terms(arbiter->consent, party)->version);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, who->now_ms);
    ll_deed_put(deed, &w, LL_CONSENT_REFUSAL, ll_cstr(id), resident);
}

linli_status
ll_arbiter_refuse(struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    const struct ll_refusing *refusing, struct ll_act *act, struct ll_err *err)
{
    struct ll_consent *consent = arbiter->consent;
    uint32_t party = refusing->party;
    uint8_t purpose = refusing->purpose;
    uint64_t fields = refusing->fields;
    const struct ll_terms *terms =
        party == LL_NO_PARTY ? NULL : ll_consent_terms(consent, party);
    if (terms == NULL || fields == 0 ||
        (fields & ~declared(terms, purpose, true)) != 0)
        return bad(err, "the plugin does not ask for this",
            "\"field\" and \"purpose\": one of the items of GET .../me/asks");
    linli_status status = check_actor(arbiter, who,
        ll_dictionary_class(&arbiter->dictionary, fields), true, err);
    if (status != LINLI_OK)
        return status;
    struct ll_deed deed;
    struct ll_leaf_text text;
    ll_leaf_text_init(&text, arbiter->mem);
    ll_deed_begin(&deed, arbiter, who->community, who->now_ms);
    for (unsigned f = 0; f < arbiter->dictionary.field_count; f++)
        if ((fields >> f & 1) != 0)
            put_refused(&deed, who, party, purpose, f);
    struct ll_leaf leaf = ll_leaf_of(arbiter, who, LL_LEAF_REFUSE, &text);
    leaf.plugin = ll_consent_plugin(consent, party);
    leaf.purpose = arbiter->dictionary.purposes[purpose].id;
    leaf.fields_json = ll_leaf_fields(arbiter, fields, &text);
    leaf.version = terms->version;
    ll_deed_leaf(&deed, &leaf);
    ll_leaf_text_fini(&text);
    status = ll_deed_ready(&deed, err);
    if (status != LINLI_OK)
        return status;
    struct ll_refusal refusal = {.subject = who->subject,
        .party = party,
        .purpose = purpose,
        .version = terms->version,
        .at_ms = who->now_ms};
    for (; status == LINLI_OK && refusal.field < LL_FIELDS_MAX; refusal.field++)
        if ((fields >> refusal.field & 1) != 0)
            status = ll_consent_refuse(consent, &refusal, err);
    if (status == LINLI_OK)
        (void)ll_deed_commit(&deed, act);
    else
        ll_deed_end(&deed);
    return status;
}

/* -- withdrawals -- */

/* The guardian, if only `data` can tell; else nothing. */
static linli_str
withdrawn_for(const struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    struct ll_leaf_text *text)
{
    struct ll_jw w = ll_jw(&text->data);
    ll_jw_open(&w, '{');
    put_guardian(arbiter, who, &w);
    ll_jw_close(&w, '}');
    return text->data.len > 2 ? ll_buf_view(&text->data) : (linli_str){NULL, 0};
}

linli_status
ll_arbiter_withdraw(struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    uint32_t grant, struct ll_act *act, struct ll_err *err)
{
    struct ll_consent *consent = arbiter->consent;
    struct ll_grant after = *ll_consent_grant(consent, grant);
    struct ll_own_more *own = &arbiter->ledger->grants[grant];
    ll_check(after.subject == who->subject);
    linli_status status = check_actor(arbiter, who,
        ll_dictionary_class(&arbiter->dictionary, after.fields), true, err);
    if (status != LINLI_OK)
        return status;
    if (after.status != LL_GRANT_LIVE)
        return ll_deed_barrier(arbiter, act, own->end_leaf, err);
    struct ll_deed deed;
    struct ll_leaf_text text;
    struct ll_own_more more = *own;
    after.status = LL_GRANT_REVOKED;
    more.ended_ms = who->now_ms;
    ll_leaf_text_init(&text, arbiter->mem);
    ll_deed_begin(&deed, arbiter, who->community, who->now_ms);
    ll_deed_put_grant(&deed, &after, &more);
    ll_deed_put_revoked(&deed, &after, "withdrawn");
    struct ll_leaf leaf = ll_leaf_of(arbiter, who, LL_LEAF_WITHDRAW, &text);
    leaf.plugin = ll_consent_plugin(consent, after.party);
    leaf.purpose = arbiter->dictionary.purposes[after.purpose].id;
    leaf.fields_json = ll_leaf_fields(arbiter, after.fields, &text);
    ll_hex(after.id, sizeof after.id, text.grant);
    leaf.grant = ll_cstr(text.grant);
    leaf.data_json = withdrawn_for(arbiter, who, &text);
    if (text.fields.failed || text.data.failed)
        deed.status = LINLI_E_NOMEM;
    ll_deed_leaf(&deed, &leaf);
    ll_leaf_text_fini(&text);
    status = ll_deed_ready(&deed, err);
    if (status != LINLI_OK)
        return status;
    own->ended_ms = who->now_ms;
    deed.told->ended = grant;
    ll_consent_end_grant(consent, grant, LL_GRANT_REVOKED);
    (void)ll_deed_commit(&deed, act);
    ll_arbiter_rise(arbiter, after.subject, after.party);
    return LINLI_OK;
}

/* -- objections -- */

static void
put_objection(struct ll_deed *deed, const struct ll_actor_of *who,
    uint32_t party, enum ll_objection objection, bool on)
{
    struct ll_arbiter *arbiter = deed->arbiter;
    char id[LL_HEX_BYTES];
    linli_str resident = ll_consent_resident(arbiter->consent, who->subject);
    ll_refusal_id(
        arbiter, who->subject, party, 0x10000u | (unsigned)objection, id);
    if (!on) {
        ll_deed_drop(deed, LL_CONSENT_OBJECTION, ll_cstr(id));
        return;
    }
    struct ll_jw w = ll_deed_body(deed, ll_cstr(id));
    ll_jw_key(&w, "resident");
    ll_jw_str(&w, resident);
    if (party != LL_NO_PARTY) {
        ll_jw_key(&w, "plugin");
        ll_jw_str(&w, ll_consent_plugin(arbiter->consent, party));
    }
    ll_jw_key(&w, "objection");
    ll_jw_cstr(&w, ll_objection_name(objection));
    ll_jw_key(&w, "at");
    ll_jw_int(&w, who->now_ms);
    ll_deed_put(deed, &w, LL_CONSENT_OBJECTION, ll_cstr(id), resident);
}

linli_status
ll_arbiter_object(struct ll_arbiter *arbiter, const struct ll_actor_of *who,
    const struct ll_objecting *objecting, struct ll_act *act,
    struct ll_err *err)
{
    uint32_t party = objecting->party;
    enum ll_objection objection = objecting->objection;
    bool on = objecting->on;
    /* The host takes back what it has set itself, whoever it is about. */
    bool no = on || ll_str_is(who->actor_name, "system");
    linli_status status = check_actor(arbiter, who, LL_C1, no, err);
    if (status != LINLI_OK)
        return status;
    struct ll_deed deed;
    struct ll_leaf_text text;
    ll_leaf_text_init(&text, arbiter->mem);
    ll_deed_begin(&deed, arbiter, who->community, who->now_ms);
    put_objection(&deed, who, party, objection, on);
    struct ll_leaf leaf = ll_leaf_of(arbiter, who, LL_LEAF_OBJECT, &text);
    if (party != LL_NO_PARTY)
        leaf.plugin = ll_consent_plugin(arbiter->consent, party);
    leaf.result = on ? (linli_str)LINLI_STR("on") : (linli_str)LINLI_STR("off");
    ll_buf_printf(
        &text.data, "{\"objection\":\"%s\"}", ll_objection_name(objection));
    leaf.data_json = ll_buf_view(&text.data);
    if (text.data.failed)
        deed.status = LINLI_E_NOMEM;
    ll_deed_leaf(&deed, &leaf);
    ll_leaf_text_fini(&text);
    status = ll_deed_ready(&deed, err);
    if (status != LINLI_OK)
        return status;
    status = ll_consent_object(
        arbiter->consent, who->subject, party, objection, on, err);
    if (status != LINLI_OK) {
        ll_deed_end(&deed);
        return status;
    }
    (void)ll_deed_commit(&deed, act);
    ll_arbiter_rise(arbiter, who->subject, party);
    return LINLI_OK;
}
