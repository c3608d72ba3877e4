/* base/index.c: from a document to the key of its index entry. */
#include "base/index.h"

#include "base/text.h"

void
ll_index_spec_read(struct ll_jv declared, struct ll_index_spec *spec)
{
    *spec = (struct ll_index_spec){0};
    LL_JSON_EACH (field, ll_jv_get(declared, "fields")) {
        if (spec->field_count == LL_INDEX_FIELDS_MAX)
            break; /* the schema lets no more through */
        spec->fields[spec->field_count++] = ll_jv_str(field);
    }
    spec->unique = ll_jv_true(ll_jv_get(declared, "unique"));
    spec->sparse = ll_jv_true(ll_jv_get(declared, "sparse"));
    struct ll_jv interval = ll_jv_get(declared, "interval");
    spec->interval = ll_jv_is(interval, LL_JSON_OBJECT);
    spec->from = ll_jv_str(ll_jv_get(interval, "from"));
    spec->to = ll_jv_str(ll_jv_get(interval, "to"));
    (void)ll_jv_int(ll_jv_get(interval, "longest_ms"), &spec->longest_ms);
}

static bool
is_null(struct ll_jv v)
{
    return !ll_jv_there(v) || ll_jv_is(v, LL_JSON_NULL);
}

static bool
has_entry(const struct ll_index_spec *spec, struct ll_jv document)
{
    for (uint32_t i = 0; spec->sparse && i < spec->field_count; i++)
        if (is_null(ll_jv_get_str(document, spec->fields[i])))
            return false;
    return !spec->interval || !is_null(ll_jv_get_str(document, spec->from)) ||
           !is_null(ll_jv_get_str(document, spec->to));
}

/* Names the member and the kind of its value, never the value. */
static linli_status
fail_value(linli_str field, struct ll_jv v, struct ll_err *err)
{
    const char *what = ll_jv_is(v, LL_JSON_ARRAY)    ? "a list"
                       : ll_jv_is(v, LL_JSON_OBJECT) ? "an object"
                       : ll_jv_is(v, LL_JSON_STRING)
                           ? "a longer text"
                           : "not written as an integer";
    return ll_fail(err, LINLI_E_INVALID, "db/key",
        "\"%.*s\" is %s; an index holds null, booleans, integers and texts "
        "of at most %d bytes",
        LL_FMT(field), what, LL_KEY_STR_BYTES_MAX);
}

static linli_status
add_interval(const struct ll_index_spec *spec, struct ll_jv document,
    struct ll_buf *key, struct ll_err *err)
{
    int64_t from = 0, to = 0, length = 0;
    bool from_int = ll_jv_int(ll_jv_get_str(document, spec->from), &from);
    if (!from_int || !ll_jv_int(ll_jv_get_str(document, spec->to), &to))
        return ll_fail(err, LINLI_E_INVALID, "db/key",
            "\"%.*s\": both ends of an interval must be integers",
            LL_FMT(from_int ? spec->to : spec->from));
    if (to <= from)
        return ll_fail(err, LINLI_E_INVALID, "db/key",
            "\"%.*s\": an interval must end after it begins", LL_FMT(spec->to));
    if (__builtin_sub_overflow(to, from, &length) || length > spec->longest_ms)
        return ll_fail(err, LINLI_E_INVALID, "db/key",
            "\"%.*s\": the interval is longer than longest_ms, %lld",
            LL_FMT(spec->to), (long long)spec->longest_ms);
    ll_tuple_int(key, from);
    ll_tuple_int(key, to);
    return LINLI_OK;
}

static linli_status
add_fields(const struct ll_index_spec *spec, struct ll_jv document,
    struct ll_buf *key, struct ll_err *err)
{
    for (uint32_t i = 0; i < spec->field_count; i++) {
        struct ll_jv v = ll_jv_get_str(document, spec->fields[i]);
        if (ll_tuple_json(key, v) != LINLI_OK)
            return fail_value(spec->fields[i], v, err);
    }
    return spec->interval ? add_interval(spec, document, key, err) : LINLI_OK;
}

linli_status
ll_index_key(const struct ll_index_spec *spec, struct ll_jv document,
    struct ll_buf *key, bool *there, struct ll_err *err)
{
    size_t before = key->len;
    *there = false;
    if (!has_entry(spec, document))
        return LINLI_OK;
    linli_status status = add_fields(spec, document, key, err);
    if (status == LINLI_OK && key->failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "no memory for an index key of %zu bytes", key->len - before);
    *there = status == LINLI_OK;
    if (status != LINLI_OK)
        key->len = before;
    return status;
}
