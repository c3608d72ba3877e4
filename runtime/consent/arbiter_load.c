/* consent/arbiter_load.c: what is known again after a restart. [loop]
 *
 * Blocks, page by page: people first, then what plugins declared, then what
 * passed between them. A document whose key was taken away is nobody's. One
 * that names what the dictionary or the store does not know any more stays
 * where it is and says nothing.
 */
#include "consent/arbiter_int.h"

#include <stdio.h>

#include "base/text.h"

#define ROWS 512

typedef linli_status (*take_fn)(struct ll_arbiter *arbiter, linli_str community,
    struct ll_jv document, struct ll_err *err);

static linli_str
text_of(struct ll_jv document, const char *name)
{
    return ll_jv_str(ll_jv_get(document, name));
}

static int64_t
number_of(struct ll_jv document, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;
    return ll_jv_int(ll_jv_get(document, name), &number) ? number : otherwise;
}

/* False, and the bytes kept, if it is not 32 hexadecimal digits. */
static bool
hex_of(struct ll_jv document, const char *name, unsigned char out[LL_TAG_BYTES])
{
    linli_str text = text_of(document, name);
    if (!ll_pid_valid(text))
        return false;
    for (size_t i = 0; i < LL_TAG_BYTES; i++) {
        unsigned byte = 0;
        for (size_t k = 0; k < 2; k++) {
            char c = text.ptr[2 * i + k];
            byte = byte * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        out[i] = (unsigned char)byte;
    }
    return true;
}

/* The number of the word that `document` says, of `count` words; -1. */
static int
word_of(struct ll_jv document, const char *name,
    const char *(*word)(int number), int count)
{
    linli_str text = text_of(document, name);
    for (int i = 0; i < count; i++)
        if (ll_str_is(text, word(i)))
            return i;
    return -1;
}

static const char *
capacity_word(int i)
{
    return ll_capacity_word((enum ll_capacity)i);
}
static const char *
state_word(int i)
{
    return ll_state_word((enum ll_subject_state)i);
}
static const char *
level_word(int i)
{
    return ll_act_level_name((enum ll_act_level)i);
}
static const char *
status_word(int i)
{
    return ll_grant_status_name((enum ll_grant_status)i);
}
static const char *
objection_word(int i)
{
    return ll_objection_name((enum ll_objection)i);
}
static const char *
class_word(int i)
{
    return ll_class_name((enum ll_class)(i + 1));
}

/* -- people -- */

static linli_status
take_person(struct ll_arbiter *arbiter, linli_str community,
    struct ll_jv document, struct ll_err *err)
{
    struct ll_person person = {.birth_day = LL_DAY_UNKNOWN};
    uint32_t subject;
    int capacity = word_of(document, "capacity", capacity_word, 3);
    int state = word_of(document, "state", state_word, 4);
    if (!hex_of(document, "tag", person.tag) || capacity < 0 || state < 0)
        return LINLI_OK;
    person.birth_day =
        (int32_t)number_of(document, "birth_day", LL_DAY_UNKNOWN);
    person.capacity = (enum ll_capacity)capacity;
    person.state = (enum ll_subject_state)state;
    return ll_consent_put_person(arbiter->consent, community,
        text_of(document, "id"), &person, &subject, err);
}

static linli_status
take_guardianship(struct ll_arbiter *arbiter, linli_str community,
    struct ll_jv document, struct ll_err *err)
{
    struct ll_guardianship g = {
        .ward = ll_consent_subject(
            arbiter->consent, community, text_of(document, "ward")),
        .guardian = ll_consent_subject(
            arbiter->consent, community, text_of(document, "guardian")),
        .powers = (uint32_t)number_of(document, "powers", 0),
        .from_ms = number_of(document, "from", 0),
        .until_ms = number_of(document, "until", 0),
        .status = (enum ll_guardian_status)number_of(
            document, "status", LL_GUARDIAN_ENDED),
    };
    int ceiling = word_of(document, "ceiling", class_word, 3);
    if (g.ward == LL_NOBODY || g.guardian == LL_NOBODY || ceiling < 0 ||
        !ll_guardian_kind_read(text_of(document, "kind"), &g.kind))
        return LINLI_OK;
    g.ceiling = (enum ll_class)(ceiling + LL_C1);
    return ll_consent_put_guardian(arbiter->consent, &g, err);
}

/* -- plugins -- */

static uint32_t
read_scopes(
    struct ll_arbiter *arbiter, struct ll_jv array, struct ll_scope *scopes)
{
    const struct ll_dictionary *dictionary = &arbiter->dictionary;
    uint32_t count = 0;
    LL_JSON_EACH (item, array) {
        int field = ll_dictionary_field(dictionary, text_of(item, "field"));
        int purpose =
            ll_dictionary_purpose(dictionary, text_of(item, "purpose"));
        struct ll_scope *scope = &scopes[count];
        if (field < 0 || purpose < 0 || count == LL_CONSENT_SCOPES_MAX)
            continue;
        *scope = (struct ll_scope){.field = (uint8_t)field,
            .purpose = (uint8_t)purpose,
            .required = ll_jv_true(ll_jv_get(item, "required")),
            .actions = (uint32_t)number_of(item, "actions", 1),
            .since = (uint32_t)number_of(item, "since", 1)};
        count += ll_basis_read(text_of(item, "basis"), &scope->basis) ? 1 : 0;
    }
    return count;
}

static linli_status
take_terms(struct ll_arbiter *arbiter, linli_str community,
    struct ll_jv document, struct ll_err *err)
{
    static struct ll_scope scopes[LL_CONSENT_SCOPES_MAX];
    struct ll_ledger *ledger = arbiter->ledger;
    uint32_t party;
    int ceiling = word_of(document, "ceiling", class_word, 3);
    struct ll_terms terms = {
        .version = (uint32_t)number_of(document, "version", 1),
        .since = (uint32_t)number_of(document, "since", 1),
        .relation = ll_jv_true(ll_jv_get(document, "provide"))
                        ? LL_RELATION_PROVIDE
                        : LL_RELATION_ENTRUST,
        .ceiling = ceiling < 0 ? LL_C1 : (enum ll_class)(ceiling + LL_C1),
        .pia = ll_jv_true(ll_jv_get(document, "pia")),
        .abroad = ll_jv_true(ll_jv_get(document, "abroad")),
        .scopes = scopes,
        .scope_count =
            read_scopes(arbiter, ll_jv_get(document, "scopes"), scopes)};
    linli_status status = ll_consent_put_party(arbiter->consent, community,
        text_of(document, "id"), &terms, &party, err);
    if (status != LINLI_OK)
        return status;
    const struct ll_word *notice =
        ll_ledger_word(ledger, text_of(document, "notice"));
    const struct ll_word *recipient =
        ll_ledger_word(ledger, text_of(document, "recipient"));
    const struct ll_word *where = ll_ledger_word(ledger, community);
    if (notice == NULL || recipient == NULL || where == NULL ||
        !ll_ledger_party(arbiter, party))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "terms");
    ledger->parties[party] = (struct ll_party_more){.community = where->text,
        .notice = notice,
        .recipient = recipient,
        .off = ll_jv_true(ll_jv_get(document, "off"))};
    return LINLI_OK;
}

static linli_status
take_basis(struct ll_arbiter *arbiter, linli_str community,
    struct ll_jv document, struct ll_err *err)
{
    const struct ll_dictionary *dictionary = &arbiter->dictionary;
    struct ll_ledger *ledger = arbiter->ledger;
    int purpose =
        ll_dictionary_purpose(dictionary, text_of(document, "purpose"));
    struct ll_basis_record record = {
        .party = ll_consent_party(
            arbiter->consent, community, text_of(document, "plugin")),
        .purpose = (uint8_t)purpose,
        .fields = ll_fields_read(dictionary, ll_jv_get(document, "fields")),
        .from_ms = number_of(document, "from", 0),
        .until_ms = number_of(document, "until", 0)};
    if (record.party == LL_NO_PARTY || purpose < 0 ||
        !ll_basis_read(text_of(document, "basis"), &record.basis))
        return LINLI_OK;
    struct ll_basis_more *more = ll_ledger_basis(arbiter, &record);
    const struct ll_word *approver =
        ll_ledger_word(ledger, text_of(document, "approver"));
    const struct ll_word *where = ll_ledger_word(ledger, community);
    if (more == NULL || approver == NULL || where == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a basis");
    *more = (struct ll_basis_more){
        .record = record, .community = where->text, .approver = approver->text};
    return ll_consent_put_basis(arbiter->consent, &record, err);
}

/* -- what was said -- */

static bool
read_grant(struct ll_arbiter *arbiter, linli_str community,
    struct ll_jv document, struct ll_grant *g)
{
    const struct ll_dictionary *dictionary = &arbiter->dictionary;
    struct ll_consent *consent = arbiter->consent;
    int purpose =
        ll_dictionary_purpose(dictionary, text_of(document, "purpose"));
    int level = word_of(document, "level", level_word, 3);
    int state = word_of(document, "status", status_word, 4);
    linli_str guardian = text_of(document, "guardian");
    *g = (struct ll_grant){
        .subject = ll_consent_subject(
            consent, community, text_of(document, "resident")),
        .party =
            ll_consent_party(consent, community, text_of(document, "plugin")),
        .fields = ll_fields_read(dictionary, ll_jv_get(document, "fields")),
        .purpose = (uint8_t)purpose,
        .level = (uint8_t)level,
        .status = (uint8_t)state,
        .idle_days = (uint8_t)number_of(document, "idle_days", 0),
        .version = (uint32_t)number_of(document, "version", 0),
        .uses = (int32_t)number_of(document, "uses", 0),
        .guardian = guardian.len == 0
                        ? LL_NOBODY
                        : ll_consent_subject(consent, community, guardian),
        .from_ms = number_of(document, "from", 0),
        .until_ms = number_of(document, "until", 0),
        .used_ms = number_of(document, "used", 0),
        .given_ms = number_of(document, "given", 0),
    };
    if ((guardian.len > 0 && g->guardian == LL_NOBODY) ||
        ll_jv_true(ll_jv_get(document, "guardian_gone")))
        g->guardian = LL_GONE; /* and not the resident's own word */
    return hex_of(document, "id", g->id) && purpose >= 0 && level >= 0 &&
           state >= 0 && g->subject != LL_NOBODY && g->party != LL_NO_PARTY;
}

/* Where the first leaf about a subject of this type and grant stands, from 1;
 * 0: there is none, or the store cannot say. */
static uint64_t
find_leaf(struct ll_arbiter *arbiter, const struct ll_grant *g,
    enum ll_leaf_type type)
{
    const struct ll_person *person =
        ll_consent_person(arbiter->consent, g->subject);
    char tag[LL_HEX_BYTES], id[LL_HEX_BYTES], text[LL_HEX_BYTES + 16];
    uint64_t number = 0;
    struct ll_query query;
    if (person == NULL)
        return 0;
    ll_hex(person->tag, sizeof person->tag, tag);
    ll_hex(g->id, sizeof g->id, id);
    ll_query_init(&query, arbiter->mem, LL_ST_leaf_first_with);
    ll_put_bytes(&query.params, ll_cstr(tag));
    (void)snprintf(
        text, sizeof text, "\"type\":\"%s\"", ll_leaf_type_name(type));
    ll_put_bytes(&query.params, ll_cstr(text));
    (void)snprintf(text, sizeof text, "\"grant\":\"%s\"", id);
    ll_put_bytes(&query.params, ll_cstr(text));
    query.rows_max = 1;
    query.bytes_max = LL_QUERY_BYTES_MAX;
    if (ll_store_ask(arbiter->docs->store, &query) == LINLI_OK &&
        query.row_count == 1) {
        struct ll_rd row = ll_rd(ll_buf_view(&query.rows));
        (void)ll_rd_list(&row);
        number = (uint64_t)ll_rd_int(&row) + 1;
    }
    ll_query_fini(&query);
    return number;
}

/* The act's own commit cannot say where its leaf stands; the next one does,
 * and may never have been made. */
static void
find_leaves(struct ll_arbiter *arbiter, const struct ll_grant *g,
    struct ll_own_more *more)
{
    if (more->leaf == 0)
        more->leaf = find_leaf(arbiter, g, LL_LEAF_GIVE);
    if (more->end_leaf == 0 && g->status == LL_GRANT_REVOKED)
        more->end_leaf = find_leaf(arbiter, g, LL_LEAF_WITHDRAW);
}

static linli_status
take_grant(struct ll_arbiter *arbiter, linli_str community,
    struct ll_jv document, struct ll_err *err)
{
    struct ll_ledger *ledger = arbiter->ledger;
    struct ll_grant g;
    uint32_t grant;
    if (!read_grant(arbiter, community, document, &g))
        return LINLI_OK;
    struct ll_own_more more = {.leaf = (uint64_t)number_of(document, "leaf", 0),
        .end_leaf = (uint64_t)number_of(document, "end_leaf", 0),
        .ended_ms = number_of(document, "ended", 0),
        .reads = (uint32_t)number_of(document, "reads", 0),
        .notice = ll_ledger_word(ledger, text_of(document, "notice")),
        .channel = ll_ledger_word(ledger, text_of(document, "channel")),
        .staff = ll_ledger_word(ledger, text_of(document, "staff"))};
    find_leaves(arbiter, &g, &more);
    linli_status status =
        ll_consent_load_grant(arbiter->consent, &g, &grant, err);
    if (status != LINLI_OK)
        return status;
    if (more.notice == NULL || more.channel == NULL || more.staff == NULL ||
        !ll_ledger_grant(arbiter, grant))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a grant");
    ledger->grants[grant] = more;
    return LINLI_OK;
}

static linli_status
take_refusal(struct ll_arbiter *arbiter, linli_str community,
    struct ll_jv document, struct ll_err *err)
{
    const struct ll_dictionary *dictionary = &arbiter->dictionary;
    uint32_t subject = ll_consent_subject(
        arbiter->consent, community, text_of(document, "resident"));
    uint32_t party = ll_consent_party(
        arbiter->consent, community, text_of(document, "plugin"));
    int purpose =
        ll_dictionary_purpose(dictionary, text_of(document, "purpose"));
    int field = ll_dictionary_field(dictionary, text_of(document, "field"));
    if (subject == LL_NOBODY || party == LL_NO_PARTY || purpose < 0 ||
        field < 0)
        return LINLI_OK;
    struct ll_refusal refusal = {.subject = subject,
        .party = party,
        .purpose = (uint8_t)purpose,
        .field = (uint8_t)field,
        .version = (uint32_t)number_of(document, "version", 1),
        .at_ms = number_of(document, "at", 0)};
    return ll_consent_refuse(arbiter->consent, &refusal, err);
}

static linli_status
take_objection(struct ll_arbiter *arbiter, linli_str community,
    struct ll_jv document, struct ll_err *err)
{
    uint32_t subject = ll_consent_subject(
        arbiter->consent, community, text_of(document, "resident"));
    linli_str plugin = text_of(document, "plugin");
    uint32_t party =
        plugin.len == 0 ? LL_NO_PARTY
                        : ll_consent_party(arbiter->consent, community, plugin);
    int objection = word_of(document, "objection", objection_word, 4);
    if (subject == LL_NOBODY || objection < 0 ||
        (plugin.len > 0 && party == LL_NO_PARTY))
        return LINLI_OK;
    return ll_consent_object(arbiter->consent, subject, party,
        (enum ll_objection)objection, true, err);
}

/* -- pages -- */

static linli_status
take_rows(struct ll_arbiter *arbiter, linli_str community,
    const struct ll_query *query, take_fn take, struct ll_buf *after)
{
    struct ll_rd row = ll_rd(ll_buf_view(&query->rows));
    struct ll_json *json = &arbiter->ledger->json;
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; status == LINLI_OK && i < query->row_count; i++) {
        bool there;
        (void)ll_rd_list(&row);
        ll_buf_clear(after);
        ll_buf_str(after, ll_rd_bytes(&row));
        for (int column = 0; column < 3; column++)
            (void)ll_rd_value(&row); /* version, due, subject */
        linli_str body = ll_rd_bytes_or_nil(&row, &there);
        if (there &&
            ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
            status = take(arbiter, community, ll_json_root(json), NULL);
    }
    return after->failed ? LINLI_E_NOMEM : status;
}

static linli_status
load_collection(struct ll_arbiter *arbiter, const struct ll_coll *coll,
    take_fn take, struct ll_err *err)
{
    struct ll_buf after;
    linli_status status = LINLI_OK;
    ll_buf_init(&after, arbiter->mem, LL_DOC_ID_BYTES_MAX);
    for (bool more = true; status == LINLI_OK && more;) {
        struct ll_query query;
        ll_query_init(&query, arbiter->mem, LL_ST_doc_up);
        ll_put_int(&query.params, coll->id);
        ll_put_bytes(&query.params, ll_buf_view(&after));
        ll_put_int(&query.params, ROWS + 1);
        query.rows_max = ROWS;
        query.bytes_max = LL_QUERY_BYTES_MAX;
        status = ll_store_ask(arbiter->docs->store, &query);
        if (status != LINLI_OK && err != NULL)
            *err = query.err;
        else if (status == LINLI_OK &&
                 take_rows(arbiter, coll->space->community, &query, take,
                     &after) != LINLI_OK)
            status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "consents");
        more = query.more;
        ll_query_fini(&query);
    }
    ll_buf_fini(&after);
    return status;
}

linli_status
ll_arbiter_load(struct ll_arbiter *arbiter, struct ll_err *err)
{
    static const struct {
        const char *coll;
        take_fn take;
    } kinds[] = {{LL_CONSENT_PERSON, take_person},
        {LL_CONSENT_GUARDIANSHIP, take_guardianship},
        {LL_CONSENT_TERMS, take_terms}, {LL_CONSENT_BASIS, take_basis},
        {LL_CONSENT_GRANT, take_grant}, {LL_CONSENT_REFUSAL, take_refusal},
        {LL_CONSENT_OBJECTION, take_objection}};
    linli_status status = LINLI_OK;
    for (const struct ll_space *s = arbiter->docs->spaces; s != NULL;
         s = s->next) {
        if (!ll_str_is(s->plugin, "~"))
            continue;
        for (size_t i = 0; status == LINLI_OK && i < LL_COUNT(kinds); i++) {
            const struct ll_coll *coll =
                ll_space_find(s, ll_cstr(kinds[i].coll));
            if (coll != NULL)
                status = load_collection(arbiter, coll, kinds[i].take, err);
        }
    }
    return status;
}
