/* domain/dictionary.c: reads the compiled-in registry of fields and purposes.
 */
#include "domain/dictionary.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

#include "data_dictionary.h"

#define DEPTH_MAX 8
#define ARENA_BYTES_MAX ((size_t)1 << 20)
#define DAYS_MAX 365 /* of a grant: none is for ever */

#define X(name, word) #word,
static const char *const kind_words[] = {LL_FIELD_KINDS(X)};
static const char *const category_words[] = {LL_PURPOSE_CATEGORIES(X)};
static const char *const view_words[] = {LL_VIEWS(X)};
#undef X
static const char *const class_words[] = {"C0", "C1", "C2", "C3"};
static const char *const type_words[] = {
    "string", "integer", "number", "boolean", "object", "array"};

const char *ll_class_name(enum ll_class class)
{
    return class_words[class];
}

const char *
ll_field_kind_name(enum ll_field_kind kind)
{
    return kind_words[kind];
}

const char *
ll_purpose_category_name(enum ll_purpose_category category)
{
    return category_words[category];
}

/* The place of a word that must be one of a table. */
static uint32_t
find(linli_str word, const char *const *words, size_t count)
{
    uint32_t i = 0;
    while (i < count && !ll_str_is(word, words[i]))
        i++;
    /* Otherwise a word of spec/data-dictionary.json that nobody knows. */
    ll_check(i < count);
    return i;
}

/* The same of a member that may be absent: then the first. */
static uint32_t
find_or_first(struct ll_jv word, const char *const *words, size_t count)
{
    return ll_jv_there(word) ? find(ll_jv_str(word), words, count) : 0;
}

static uint32_t
days(struct ll_jv v, int64_t max)
{
    int64_t n = 0;
    ll_check(ll_jv_int(v, &n));
    ll_check(n >= 1 && n <= max);
    return (uint32_t)n;
}

/* A text that must be there, in the registry's arena. */
static linli_str
text(struct ll_dictionary *dictionary, struct ll_jv v)
{
    linli_str s = ll_jv_str(v);
    ll_check(s.len > 0);
    return ll_arena_str(&dictionary->arena, s);
}

static void
read_field(struct ll_dictionary *dictionary, struct ll_jv v)
{
    struct ll_field_def *field = &dictionary->fields[dictionary->field_count];
    struct ll_jv name = ll_jv_get(v, "name"), law = ll_jv_get(v, "statutory");
    linli_str id = ll_jv_str(ll_jv_get(v, "id"));
    ll_check(ll_dictionary_field(dictionary, id) < 0);
    field->id = text(dictionary, ll_jv_get(v, "id"));
    field->name_zh = text(dictionary, ll_jv_get(name, "zh-CN"));
    field->name_en = text(dictionary, ll_jv_get(name, "en"));
    field->type = text(dictionary, ll_jv_get(v, "type"));
    find(ll_jv_str(ll_jv_get(v, "type")), type_words, LL_COUNT(type_words));
    field->class = (enum ll_class)find(
        ll_jv_str(ll_jv_get(v, "class")), class_words, LL_COUNT(class_words));
    ll_check(field->class >= LL_C1);
    field->kind = (enum ll_field_kind)find_or_first(
        ll_jv_get(v, "kind"), kind_words, LL_COUNT(kind_words));
    field->household = ll_jv_true(ll_jv_get(v, "household"));
    field->direct_identifier = ll_jv_true(ll_jv_get(v, "direct_identifier"));
    field->brokered = ll_jv_true(ll_jv_get(v, "brokered"));
    field->deny_opaque = ll_jv_true(ll_jv_get(v, "deny_opaque"));
    field->retention_days = days(ll_jv_get(v, "retention_days"), DAYS_MAX);
    if (ll_jv_there(law)) {
        field->statutory_days = days(ll_jv_get(law, "days"), INT32_MAX);
        field->statutory_law = text(dictionary, ll_jv_get(law, "law"));
    }
    field->view = (enum ll_view_kind)find_or_first(
        ll_jv_get(v, "view"), view_words, LL_COUNT(view_words));
    field->source = (uint8_t)dictionary->field_count;
    if (field->view != LL_VIEW_NONE && !dictionary->arena.failed) {
        int source =
            ll_dictionary_field(dictionary, ll_jv_str(ll_jv_get(v, "of")));
        ll_check(source >= 0); /* it stands before its views */
        ll_check(dictionary->fields[source].view == LL_VIEW_NONE);
        ll_check(dictionary->fields[source].household == field->household);
        field->source = (uint8_t)source;
    }
    dictionary->field_count++;
}

static void
read_purpose(struct ll_dictionary *dictionary, struct ll_jv v)
{
    struct ll_purpose_def *purpose =
        &dictionary->purposes[dictionary->purpose_count];
    struct ll_jv words = ll_jv_get(v, "text");
    linli_str id = ll_jv_str(ll_jv_get(v, "id"));
    ll_check(ll_dictionary_purpose(dictionary, id) < 0);
    purpose->id = text(dictionary, ll_jv_get(v, "id"));
    purpose->text_zh = text(dictionary, ll_jv_get(words, "zh-CN"));
    purpose->text_en = text(dictionary, ll_jv_get(words, "en"));
    purpose->category =
        (enum ll_purpose_category)find(ll_jv_str(ll_jv_get(v, "category")),
            category_words, LL_COUNT(category_words));
    dictionary->purpose_count++;
}

static void
read_all(struct ll_dictionary *dictionary, struct ll_jv root)
{
    struct ll_jv fields = ll_jv_get(root, "fields");
    struct ll_jv purposes = ll_jv_get(root, "purposes");
    int64_t version = 0;
    ll_check(ll_jv_int(ll_jv_get(root, "version"), &version));
    ll_check(version >= 1 && version <= UINT32_MAX);
    dictionary->version = (uint32_t)version;
    ll_check(ll_jv_count(fields) <= LL_FIELDS_MAX);
    ll_check(ll_jv_count(purposes) <= LL_PURPOSES_MAX);
    LL_JSON_EACH (field, fields) {
        if (!dictionary->arena.failed)
            read_field(dictionary, field);
    }
    LL_JSON_EACH (purpose, purposes) {
        if (!dictionary->arena.failed)
            read_purpose(dictionary, purpose);
    }
}

linli_status
ll_dictionary_init(
    struct ll_dictionary *out, struct ll_mem *mem, struct ll_err *err)
{
    struct ll_json json;
    linli_str bytes = {
        (const char *)ll_data_dictionary, sizeof ll_data_dictionary};
    memset(out, 0, sizeof *out);
    ll_arena_init(&out->arena, mem, ARENA_BYTES_MAX);
    ll_json_init(&json, mem);
    linli_status status = ll_json_parse(&json, bytes, DEPTH_MAX, err);
    ll_check(status == LINLI_OK || status == LINLI_E_NOMEM);
    if (status == LINLI_OK)
        read_all(out, ll_json_root(&json));
    ll_json_fini(&json);
    if (status != LINLI_OK || out->arena.failed) {
        ll_dictionary_fini(out);
        return ll_fail(
            err, LINLI_E_NOMEM, "runtime/memory", "the data dictionary");
    }
    return LINLI_OK;
}

void
ll_dictionary_fini(struct ll_dictionary *dictionary)
{
    ll_arena_fini(&dictionary->arena);
    memset(dictionary, 0, sizeof *dictionary);
}

int
ll_dictionary_field(const struct ll_dictionary *dictionary, linli_str id)
{
    for (uint32_t i = 0; i < dictionary->field_count; i++)
        if (ll_str_eq(dictionary->fields[i].id, id))
            return (int)i;
    return -1;
}

int
ll_dictionary_purpose(const struct ll_dictionary *dictionary, linli_str id)
{
    for (uint32_t i = 0; i < dictionary->purpose_count; i++)
        if (ll_str_eq(dictionary->purposes[i].id, id))
            return (int)i;
    return -1;
}

enum ll_class
ll_dictionary_class(const struct ll_dictionary *dictionary, uint64_t fields)
{
    enum ll_class highest = LL_C1;
    for (uint32_t i = 0; i < dictionary->field_count; i++)
        if ((fields >> i & 1) != 0 && dictionary->fields[i].class > highest)
            highest = dictionary->fields[i].class;
    return highest;
}
