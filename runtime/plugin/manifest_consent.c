/* plugin/manifest_consent.c: which resident data a plugin declares. [any]
 *
 * A manifest is where a plugin says what it wants to know, so here is where
 * what no resident could agree to is refused: a purpose that the registry
 * does not have, a reason that says nothing, an endless grant, sensitive data
 * under a plain consent, a telephone number where a relay would do. Each
 * refusal has the lines that mend it.
 */
#include "plugin/manifest_consent.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/near.h"
#include "base/text.h"
#include "plugin/manifest_int.h"

#define NOTICE_BYTES_MAX (LL_MANIFEST_BYTES_MAX * 2)
#define NORMAL_BYTES_MAX 1600 /* of a reason of 400 characters */
/* What is left of a reason without its empty words must be so long. */
#define WHY_ZH_MIN 4
#define WHY_EN_MIN 12

/* Words that are said of everything, and so of nothing. */
static const char *const empty_words[] = {"提升用户体验", "改善用户体验",
    "优化用户体验", "提升体验", "改善体验", "优化体验", "更好的服务",
    "更好地服务", "提升服务质量", "提升服务", "改善服务", "优化服务",
    "提供服务", "为您", "业务需要", "业务需求", "服务需要", "功能需要",
    "用户体验", "improve user experience", "improve the user experience",
    "improve your experience", "improve experience", "better experience",
    "user experience", "improve our service", "improve the service",
    "improve service", "better service", "provide services",
    "provide our service", "provide the service", "business needs",
    "business purposes", "as needed", "to serve you"};

/* -- fields and purposes -- */

static linli_status
refuse_field(struct ll_manifest *m, struct ll_jv at,
    const struct ll_dictionary *dictionary, struct ll_err *err)
{
    struct ll_near near = {.s = ll_jv_str(at)};
    for (uint32_t i = 0; i < dictionary->field_count; i++)
        ll_near_try(&near, dictionary->fields[i].id);
    linli_status status = ll_manifest_refuse(m, at, err,
        "the data dictionary has no field \"%.*s\"", LL_FMT(ll_jv_str(at)));
    if (near.best.ptr != NULL)
        ll_err_fix(err, "Write \"field\": \"%.*s\"", LL_FMT(near.best));
    else
        ll_err_fix(err, "Use a field of spec/data-dictionary.json");
    return status;
}

/* All of them: a registry is short, and a vague purpose is near to none. */
static linli_status
refuse_purpose(struct ll_manifest *m, struct ll_jv at,
    const struct ll_dictionary *dictionary, struct ll_err *err)
{
    char known[160];
    size_t n = 0;
    struct ll_near near = {.s = ll_jv_str(at)};
    known[0] = '\0';
    for (uint32_t i = 0; i < dictionary->purpose_count; i++) {
        linli_str id = dictionary->purposes[i].id;
        ll_near_try(&near, id);
        if (n + id.len + 3 < sizeof known)
            n += (size_t)snprintf(known + n, sizeof known - n, "%s%.*s",
                n == 0 ? "" : ", ", LL_FMT(id));
    }
    linli_status status = ll_manifest_refuse(m, at, err,
        "\"%.*s\" is no purpose: residents agree to one of a closed list",
        LL_FMT(ll_jv_str(at)));
    if (near.best.ptr != NULL)
        ll_err_fix(err, "Write \"purpose\": \"%.*s\"", LL_FMT(near.best));
    else
        ll_err_fix(err, "Write one of: %s", known);
    return status;
}

/* What says less than a direct identifier and may do: a relay of it, or a
 * view. NULL: there is none. */
static const struct ll_field_def *
instead_of(const struct ll_dictionary *dictionary, uint8_t field)
{
    linli_str id = dictionary->fields[field].id;
    for (uint32_t i = 0; i < dictionary->field_count; i++) {
        const struct ll_field_def *def = &dictionary->fields[i];
        if (def->brokered && def->id.len > id.len &&
            memcmp(def->id.ptr, id.ptr, id.len) == 0 &&
            def->id.ptr[id.len] == '_')
            return def;
    }
    for (uint32_t i = 0; i < dictionary->field_count; i++)
        if (dictionary->fields[i].view != LL_VIEW_NONE &&
            dictionary->fields[i].source == field)
            return &dictionary->fields[i];
    return NULL;
}

static linli_status
check_identifier(struct ll_manifest *m, const struct ll_datum *datum,
    uint8_t field, const struct ll_dictionary *dictionary, struct ll_err *err)
{
    if (!dictionary->fields[field].direct_identifier || datum->review.len > 0)
        return LINLI_OK;
    const struct ll_field_def *instead = instead_of(dictionary, field);
    linli_status status =
        ll_manifest_refuse(m, ll_jv_get(datum->declared, "field"), err,
            "\"%.*s\" tells who a resident is; a plugin has it only after the "
            "operator's review",
            LL_FMT(datum->field));
    if (instead != NULL)
        ll_err_fix(err,
            "Write \"field\": \"%.*s\", or name the review: \"review\": "
            "\"ID\"",
            LL_FMT(instead->id));
    else
        ll_err_fix(err, "Name the operator's review: \"review\": \"ID\"");
    return status;
}

/* -- reasons -- */

/* Small letters, without punctuation and doubled spaces. */
static void
normalise(linli_str text, char out[NORMAL_BYTES_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < text.len && n < NORMAL_BYTES_MAX; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool word = c >= 0x80 || (c >= 'a' && c <= 'z') ||
                    (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c + 32);
        if (word)
            out[n++] = (char)c;
        else if (n > 0 && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    out[n] = '\0';
}

static bool
says_nothing(linli_str text, size_t least)
{
    char normal[NORMAL_BYTES_MAX + 1];
    normalise(text, normal);
    for (size_t i = 0; i < LL_COUNT(empty_words); i++) {
        size_t n = strlen(empty_words[i]);
        char *found;
        while ((found = strstr(normal, empty_words[i])) != NULL)
            memmove(found, found + n, strlen(found + n) + 1);
    }
    size_t left = 0;
    for (const char *c = normal; *c != '\0'; c++)
        left += *c != ' ' && ((unsigned char)*c & 0xc0) != 0x80;
    return left < least;
}

static linli_status
check_reason(struct ll_manifest *m, const struct ll_datum *datum,
    const char *name, struct ll_err *err)
{
    struct ll_jv reason = ll_jv_get(datum->declared, name);
    struct ll_jv zh = ll_jv_get(reason, "zh-CN"), en = ll_jv_get(reason, "en");
    bool zh_empty = says_nothing(ll_jv_str(zh), WHY_ZH_MIN);
    if (!ll_jv_there(reason)) {
        linli_status status = ll_manifest_refuse(m, datum->declared, err,
            "residents are asked for \"%.*s\", and `%s` does not tell them "
            "%s",
            LL_FMT(datum->field), name,
            name[1] == 'h' ? "what it is needed for"
                           : "what happens if they refuse");
        ll_err_fix(
            err, "Add \"%s\": {\"zh-CN\": \"...\", \"en\": \"...\"}", name);
        return status;
    }
    if (!zh_empty && !says_nothing(ll_jv_str(en), WHY_EN_MIN))
        return LINLI_OK;
    linli_status status = ll_manifest_refuse(m, zh_empty ? zh : en, err,
        "this says nothing that a resident could decide by");
    ll_err_fix(err,
        "Say what is done with \"%.*s\", and when, in words of "
        "this plugin alone",
        LL_FMT(datum->field));
    return status;
}

/* -- bases -- */

static bool
asks(enum ll_basis basis)
{
    return basis == LL_BASIS_CONSENT || basis == LL_BASIS_SEPARATE;
}

/* PIPL art. 29, and art. 23: which consent must be one of its own. */
static linli_status
check_separate(struct ll_manifest *m, const struct ll_datum *datum,
    const struct ll_scope *scope, const struct ll_dictionary *dictionary,
    struct ll_err *err)
{
    bool sensitive = dictionary->fields[scope->field].class == LL_C3;
    if (scope->basis != LL_BASIS_CONSENT || (!sensitive && !m->provides))
        return LINLI_OK;
    linli_status status = ll_manifest_refuse(m,
        ll_jv_get(datum->declared, "basis"), err,
        sensitive ? "\"%.*s\" is of class C3: one act for it alone"
                  : "\"%.*s\" goes to another controller: one act for it alone",
        LL_FMT(datum->field));
    ll_err_fix(err, "Write \"basis\": \"separate_consent\"");
    return status;
}

/* Nobody needs advertising to have a parcel delivered. */
static linli_status
check_required(struct ll_manifest *m, const struct ll_datum *datum,
    const struct ll_scope *scope, const struct ll_dictionary *dictionary,
    struct ll_err *err)
{
    enum ll_purpose_category category =
        dictionary->purposes[scope->purpose].category;
    if (!scope->required ||
        (category != LL_PURPOSE_MARKETING && category != LL_PURPOSE_PROFILING))
        return LINLI_OK;
    linli_status status =
        ll_manifest_refuse(m, ll_jv_get(datum->declared, "required"), err,
            "\"%.*s\" is never required: a resident may refuse it and keep "
            "the service",
            LL_FMT(datum->purpose));
    ll_err_fix(err, "Write \"required\": false");
    return status;
}

static linli_status
read_days(struct ll_manifest *m, struct ll_datum *datum, struct ll_err *err)
{
    struct ll_jv at = ll_jv_get(datum->declared, "days");
    int64_t days = 0;
    (void)ll_manifest_int(at, &days);
    if (days <= LL_GRANT_DAYS_MAX) {
        datum->days = (uint32_t)days;
        return LINLI_OK;
    }
    linli_status status = ll_manifest_refuse(m, at, err,
        "a grant of %lld days; every grant ends within %d", (long long)days,
        LL_GRANT_DAYS_MAX);
    ll_err_fix(err, "Write \"days\": %d, or leave it out", LL_GRANT_DAYS_MAX);
    return status;
}

/* -- while -- */

static linli_status
read_while(struct ll_manifest *m, struct ll_datum *datum, enum ll_basis basis,
    struct ll_err *err)
{
    struct ll_jv tie = ll_jv_get(datum->declared, "while");
    struct ll_jv coll = ll_jv_get(tie, "collection");
    struct ll_jv index = ll_jv_get(tie, "index");
    linli_status status;
    if (!ll_jv_there(tie))
        return LINLI_OK;
    if (basis != LL_BASIS_CONTRACT) {
        status = ll_manifest_refuse(
            m, tie, err, "only a contract stands while a document does");
        ll_err_fix(err, "Remove `while`, or write \"basis\": \"contract\"");
        return status;
    }
    datum->while_coll = ll_manifest_collection(m, ll_jv_str(coll));
    if (datum->while_coll == NULL || datum->while_coll->subject.len == 0) {
        status = ll_manifest_refuse(m, coll, err,
            "the manifest declares no collection \"%.*s\" with a `subject`",
            LL_FMT(ll_jv_str(coll)));
        ll_err_fix(err, "Name a collection whose documents have a `subject`");
        return status;
    }
    datum->while_index = ll_manifest_index(datum->while_coll, ll_jv_str(index));
    if (datum->while_index != NULL &&
        ll_str_eq(
            datum->while_index->spec.fields[0], datum->while_coll->subject))
        return LINLI_OK;
    status = ll_manifest_refuse(m, index, err,
        "the collection has no index \"%.*s\" that begins with its subject, "
        "\"%.*s\"",
        LL_FMT(ll_jv_str(index)), LL_FMT(datum->while_coll->subject));
    ll_err_fix(err, "Declare it: \"%.*s\": {\"fields\": [\"%.*s\"]}",
        LL_FMT(ll_jv_str(index)), LL_FMT(datum->while_coll->subject));
    return status;
}

/* -- one use -- */

static uint32_t
read_actions(struct ll_jv actions)
{
    static const char *const words[] = {[LL_ACTION_READ] = "read",
        [LL_ACTION_DERIVE] = "derive",
        [LL_ACTION_LIST] = "list",
        [LL_ACTION_WRITE] = "write",
        [LL_ACTION_DELETE] = "delete",
        [LL_ACTION_EXPORT] = "export"};
    uint32_t bits = 0;
    LL_JSON_EACH (action, actions) {
        for (size_t i = 0; i < LL_COUNT(words); i++)
            if (ll_str_is(ll_jv_str(action), words[i]))
                bits |= 1u << i;
    }
    return bits != 0 ? bits : 1u << LL_ACTION_READ;
}

static linli_status
read_ids(struct ll_manifest *m, struct ll_datum *datum, struct ll_scope *scope,
    const struct ll_dictionary *dictionary, struct ll_err *err)
{
    struct ll_jv field_at = ll_jv_get(datum->declared, "field");
    struct ll_jv purpose_at = ll_jv_get(datum->declared, "purpose");
    datum->field = ll_jv_str(field_at);
    datum->purpose = ll_jv_str(purpose_at);
    int field = ll_dictionary_field(dictionary, datum->field);
    int purpose = ll_dictionary_purpose(dictionary, datum->purpose);
    if (field < 0)
        return refuse_field(m, field_at, dictionary, err);
    if (purpose < 0)
        return refuse_purpose(m, purpose_at, dictionary, err);
    for (const struct ll_datum *d = m->data; d < datum; d++) {
        if (!ll_str_eq(d->field, datum->field) ||
            !ll_str_eq(d->purpose, datum->purpose))
            continue;
        linli_status status = ll_manifest_refuse(m, datum->declared, err,
            "\"%.*s\" for \"%.*s\" stands in /data/%td too",
            LL_FMT(datum->field), LL_FMT(datum->purpose), d - m->data);
        ll_err_fix(err, "Keep one of the two");
        return status;
    }
    scope->field = (uint8_t)field;
    scope->purpose = (uint8_t)purpose;
    return LINLI_OK;
}

/* The schema names them. */
static enum ll_basis
read_basis(struct ll_jv at)
{
    static const char *const words[] = {
#define X(name, word) [LL_BASIS_##name] = #word,
        LL_BASES(X)
#undef X
    };
    size_t basis = 0;
    while (basis < LL_COUNT(words) && !ll_str_is(ll_jv_str(at), words[basis]))
        basis++;
    ll_check(basis < LL_COUNT(words));
    return (enum ll_basis)basis;
}

static void
read_words(struct ll_datum *datum)
{
    struct ll_jv why = ll_jv_get(datum->declared, "why");
    struct ll_jv without = ll_jv_get(datum->declared, "without");
    datum->why_zh = ll_jv_str(ll_jv_get(why, "zh-CN"));
    datum->why_en = ll_jv_str(ll_jv_get(why, "en"));
    datum->without_zh = ll_jv_str(ll_jv_get(without, "zh-CN"));
    datum->without_en = ll_jv_str(ll_jv_get(without, "en"));
    datum->review = ll_jv_str(ll_jv_get(datum->declared, "review"));
    datum->once = ll_jv_true(ll_jv_get(datum->declared, "once"));
    datum->auto_decision =
        ll_jv_true(ll_jv_get(datum->declared, "auto_decision"));
}

static linli_status
read_datum(struct ll_manifest *m, struct ll_datum *datum,
    struct ll_scope *scope, const struct ll_dictionary *dictionary,
    struct ll_err *err)
{
    scope->basis = read_basis(ll_jv_get(datum->declared, "basis"));
    scope->required = ll_jv_true(ll_jv_get(datum->declared, "required"));
    scope->actions = read_actions(ll_jv_get(datum->declared, "actions"));
    read_words(datum);
    linli_status status = read_ids(m, datum, scope, dictionary, err);
    if (status == LINLI_OK)
        status = check_identifier(m, datum, scope->field, dictionary, err);
    if (status == LINLI_OK)
        status = check_separate(m, datum, scope, dictionary, err);
    if (status == LINLI_OK)
        status = check_required(m, datum, scope, dictionary, err);
    if (status == LINLI_OK)
        status = read_days(m, datum, err);
    if (status == LINLI_OK)
        status = read_while(m, datum, scope->basis, err);
    if (status == LINLI_OK &&
        (asks(scope->basis) || ll_jv_there(ll_jv_get(datum->declared, "why"))))
        status = check_reason(m, datum, "why", err);
    if (status == LINLI_OK && asks(scope->basis))
        status = check_reason(m, datum, "without", err);
    return status;
}

static linli_status
read_data(struct ll_manifest *m, struct ll_jv data,
    const struct ll_dictionary *dictionary, struct ll_err *err)
{
    uint32_t count = ll_jv_count(data);
    ll_check(count <= LL_DATA_USES_MAX);
    m->data = ll_arena_alloc(&m->arena, count * sizeof *m->data);
    m->scopes = ll_arena_alloc(&m->arena, count * sizeof *m->scopes);
    if (m->data == NULL || m->scopes == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_EACH (declared, data) {
        struct ll_datum *datum = &m->data[m->datum_count];
        struct ll_scope *scope = &m->scopes[m->datum_count];
        *datum = (struct ll_datum){.declared = declared};
        *scope = (struct ll_scope){.required = false};
        linli_status status = read_datum(m, datum, scope, dictionary, err);
        if (status != LINLI_OK)
            return status;
        m->datum_count++;
    }
    return LINLI_OK;
}

/* -- who it is -- */

static linli_status
read_relation(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&m->json);
    struct ll_jv relation = ll_jv_get(root, "relation");
    struct ll_jv recipient = ll_jv_get(root, "recipient");
    linli_status status;
    m->provides = ll_str_is(ll_jv_str(relation), "provide");
    m->recipient = recipient;
    if (m->provides && !ll_jv_there(recipient)) {
        status = ll_manifest_refuse(m, relation, err,
            "data is provided to another controller, and nobody is named");
        ll_err_fix(err,
            "Add \"recipient\": {\"name\": {\"zh-CN\": \"...\", \"en\": "
            "\"...\"}, \"address\": \"...\", \"contact\": \"...\"}");
        return status;
    }
    if (!m->provides && ll_jv_there(recipient)) {
        status = ll_manifest_refuse(m, recipient, err,
            "a recipient is named, and the plugin works for the operator");
        ll_err_fix(
            err, "Write \"relation\": \"provide\", or remove `recipient`");
        return status;
    }
    return LINLI_OK;
}

linli_status
ll_manifest_fill_consent(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv data = ll_jv_get(ll_json_root(&m->json), "data");
    linli_status status = read_relation(m, err);
    if (status != LINLI_OK || ll_jv_count(data) == 0)
        return status;
    struct ll_mem *mem = m->arena.mem;
    struct ll_dictionary *dictionary = ll_alloc(mem, sizeof *dictionary);
    if (dictionary == NULL)
        return ll_manifest_no_memory(err);
    status = ll_dictionary_init(dictionary, mem, err);
    if (status == LINLI_OK) {
        status = read_data(m, data, dictionary, err);
        ll_dictionary_fini(dictionary);
    }
    ll_release(mem, dictionary, sizeof *dictionary);
    return status;
}

/* -- routes -- */

static linli_status
undeclared(struct ll_manifest *m, struct ll_jv item, struct ll_err *err)
{
    linli_str field = ll_jv_str(ll_jv_get(item, "field"));
    linli_str purpose = ll_jv_str(ll_jv_get(item, "purpose"));
    for (uint32_t i = 0; i < m->datum_count; i++) {
        if (!ll_str_eq(m->data[i].field, field))
            continue;
        linli_status status = ll_manifest_refuse(m, ll_jv_get(item, "purpose"),
            err, "\"%.*s\" is declared for \"%.*s\", not for \"%.*s\"",
            LL_FMT(field), LL_FMT(m->data[i].purpose), LL_FMT(purpose));
        ll_err_fix(err,
            "Write \"purpose\": \"%.*s\", or declare the other "
            "purpose in the plugin's `data`",
            LL_FMT(m->data[i].purpose));
        return status;
    }
    linli_status status = ll_manifest_refuse(m, ll_jv_get(item, "field"), err,
        "the plugin's `data` does not declare \"%.*s\"", LL_FMT(field));
    ll_err_fix(err,
        "Add to the plugin's `data`: {\"field\": \"%.*s\", \"purpose\": "
        "\"%.*s\", \"basis\": \"contract\"}",
        LL_FMT(field), LL_FMT(purpose));
    return status;
}

static linli_status
read_route_datum(struct ll_manifest *m, struct ll_route *r, struct ll_jv item,
    struct ll_err *err)
{
    struct ll_jv field = ll_jv_get(item, "field");
    struct ll_jv basis = ll_jv_get(item, "basis");
    struct ll_jv required = ll_jv_get(item, "required");
    int datum = ll_manifest_datum(
        m, ll_jv_str(field), ll_jv_str(ll_jv_get(item, "purpose")));
    linli_status status;
    if (datum < 0)
        return undeclared(m, item, err);
    linli_str declared = ll_jv_str(ll_jv_get(m->data[datum].declared, "basis"));
    if (ll_jv_there(basis) && !ll_str_eq(ll_jv_str(basis), declared)) {
        status = ll_manifest_refuse(m, basis, err,
            "the plugin's `data` says \"%.*s\" of \"%.*s\"", LL_FMT(declared),
            LL_FMT(ll_jv_str(field)));
        ll_err_fix(err, "Write \"basis\": \"%.*s\", or leave it out",
            LL_FMT(declared));
        return status;
    }
    for (uint32_t i = 0; i < r->datum_count; i++) {
        if (!ll_str_eq(m->data[r->data[i].datum].field, ll_jv_str(field)))
            continue;
        status =
            ll_manifest_refuse(m, item, err, "a call has one value of a field");
        ll_err_fix(err,
            "Keep one purpose of \"%.*s\", and ask for the other "
            "with call.data:get",
            LL_FMT(ll_jv_str(field)));
        return status;
    }
    struct ll_route_datum *out = &r->data[r->datum_count++];
    out->datum = (uint32_t)datum;
    out->required = ll_jv_there(required) ? ll_jv_true(required)
                                          : m->scopes[datum].required;
    return LINLI_OK;
}

linli_status
ll_manifest_fill_route_data(
    struct ll_manifest *m, struct ll_route *r, struct ll_err *err)
{
    struct ll_jv data = ll_jv_get(r->declared, "data");
    uint32_t count = ll_jv_count(data);
    ll_check(count <= LL_ROUTE_FIELDS_MAX);
    if (count == 0)
        return LINLI_OK;
    if ((r->callers & 1u << LL_CALLER_RESIDENT) == 0) {
        linli_status status = ll_manifest_refuse(m, data, err,
            "the fields of a route are those of the resident who calls, and "
            "none may");
        ll_err_fix(err, "Add \"resident\" to `caller`, or ask with "
                        "call.data:get{resident = ...}");
        return status;
    }
    r->data = ll_arena_alloc(&m->arena, count * sizeof *r->data);
    if (r->data == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_EACH (item, data) {
        linli_status status = read_route_datum(m, r, item, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

/* -- what others need of it -- */

int
ll_manifest_datum(
    const struct ll_manifest *manifest, linli_str field, linli_str purpose)
{
    for (uint32_t i = 0; i < manifest->datum_count; i++)
        if (ll_str_eq(manifest->data[i].field, field) &&
            ll_str_eq(manifest->data[i].purpose, purpose))
            return (int)i;
    return -1;
}

void
ll_manifest_terms(const struct ll_manifest *manifest, struct ll_terms *out)
{
    *out = (struct ll_terms){.active = true,
        .relation =
            manifest->provides ? LL_RELATION_PROVIDE : LL_RELATION_ENTRUST,
        .ceiling = LL_C3,
        .pia = true,
        .scopes = manifest->scopes,
        .scope_count = manifest->datum_count};
}

linli_status
ll_manifest_notice(
    const struct ll_manifest *manifest, char out[65], struct ll_err *err)
{
    static const char *const members[] = {
        "name", "relation", "recipient", "data"};
    unsigned char digest[LL_SHA256_BYTES];
    struct ll_jv root = ll_json_root(&manifest->json);
    struct ll_buf text;
    ll_buf_init(&text, manifest->arena.mem, NOTICE_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_open(&w, '{');
    for (size_t i = 0; i < LL_COUNT(members); i++) {
        struct ll_jv member = ll_jv_get(root, members[i]);
        if (!ll_jv_there(member))
            continue;
        ll_jw_key(&w, members[i]);
        ll_jw_value(&w, member);
    }
    ll_jw_close(&w, '}');
    bool failed = text.failed;
    if (!failed) {
        ll_sha256(text.ptr, text.len, digest);
        ll_hex(digest, sizeof digest, out);
    }
    ll_buf_fini(&text);
    return failed ? ll_manifest_no_memory(err) : LINLI_OK;
}
