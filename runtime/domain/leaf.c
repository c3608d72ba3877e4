/* domain/leaf.c: one entry of the log of consent, written and read. */
#include "domain/leaf.h"

#include <string.h>

#include "base/text.h"

/* Containers within `data`; no type needs more. */
#define DEPTH_MAX 8

const char *
ll_leaf_type_name(enum ll_leaf_type type)
{
    static const char *const names[] = {
#define X(name, word) #word,
        LL_LEAF_TYPES(X)
#undef X
    };
    return names[type];
}

static bool
read_type(linli_str word, enum ll_leaf_type *out)
{
#define X(name, text)             \
    if (ll_str_is(word, #text)) { \
        *out = LL_LEAF_##name;    \
        return true;              \
    }
    LL_LEAF_TYPES(X)
#undef X
    return false;
}

/* -- writing -- */

static void
put_str(struct ll_jw *w, const char *name, linli_str s)
{
    if (s.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, s);
}

static void
put_int(struct ll_jw *w, const char *name, int64_t i)
{
    if (i == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_int(w, i);
}

static void
put_json(struct ll_jw *w, const char *name, linli_str json)
{
    if (json.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_raw(w, json);
}

void
ll_leaf_put(struct ll_buf *out, const struct ll_leaf *leaf)
{
    struct ll_jw w = ll_jw(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "v");
    ll_jw_int(&w, LL_LEAF_VERSION);
    ll_jw_key(&w, "type");
    ll_jw_cstr(&w, ll_leaf_type_name(leaf->type));
    ll_jw_key(&w, "at");
    ll_jw_int(&w, leaf->at_ms);
    put_str(&w, "community", leaf->community);
    put_str(&w, "actor", leaf->actor);
    put_str(&w, "subject", leaf->subject);
    put_str(&w, "plugin", leaf->plugin);
    put_str(&w, "purpose", leaf->purpose);
    put_json(&w, "fields", leaf->fields_json);
    put_str(&w, "basis", leaf->basis);
    put_str(&w, "level", leaf->level);
    put_str(&w, "grant", leaf->grant);
    put_int(&w, "version", leaf->version);
    put_int(&w, "until", leaf->until_ms);
    put_int(&w, "uses", leaf->uses);
    put_str(&w, "result", leaf->result);
    put_str(&w, "call", leaf->call);
    put_str(&w, "notice", leaf->notice);
    put_str(&w, "digest", leaf->digest);
    put_json(&w, "data", leaf->data_json);
    ll_jw_close(&w, '}');
}

/* -- reading -- */

static linli_status
refuse(struct ll_err *err, const char *why)
{
    return ll_fail(err, LINLI_E_INVALID, "log/leaf", "%s", why);
}

/* The text of a value as ll_jw_value writes it, which is where it stands in
 * `line` if the line is canonical: `at` is the bytes before it. */
static linli_str
text_at(linli_str line, size_t at, size_t len)
{
    return at + len > line.len ? (linli_str){0}
                               : (linli_str){line.ptr + at, len};
}

static bool
is_hex(linli_str s, size_t digits)
{
    if (s.len != 0 && s.len != digits)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
                (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return true;
}

/* Ids in their order, none twice. */
static bool
fields_sorted(struct ll_jv fields)
{
    linli_str before = {0};
    if (!ll_jv_there(fields))
        return true;
    if (!ll_jv_is(fields, LL_JSON_ARRAY) || ll_jv_count(fields) == 0)
        return false;
    LL_JSON_EACH (field, fields) {
        linli_str id = ll_jv_str(field);
        if (id.len == 0 || ll_str_cmp(before, id) >= 0)
            return false;
        before = id;
    }
    return true;
}

/* Integers only: a double has more than one text. */
static bool
plain_numbers(const struct ll_json *json)
{
    for (uint32_t i = 0; i < json->count; i++)
        if (json->nodes[i].type == LL_JSON_DOUBLE)
            return false;
    return true;
}

static void
get_members(struct ll_jv root, struct ll_leaf *out)
{
    (void)ll_jv_int(ll_jv_get(root, "at"), &out->at_ms);
    (void)ll_jv_int(ll_jv_get(root, "version"), &out->version);
    (void)ll_jv_int(ll_jv_get(root, "until"), &out->until_ms);
    (void)ll_jv_int(ll_jv_get(root, "uses"), &out->uses);
    out->community = ll_jv_str(ll_jv_get(root, "community"));
    out->actor = ll_jv_str(ll_jv_get(root, "actor"));
    out->subject = ll_jv_str(ll_jv_get(root, "subject"));
    out->plugin = ll_jv_str(ll_jv_get(root, "plugin"));
    out->purpose = ll_jv_str(ll_jv_get(root, "purpose"));
    out->basis = ll_jv_str(ll_jv_get(root, "basis"));
    out->level = ll_jv_str(ll_jv_get(root, "level"));
    out->grant = ll_jv_str(ll_jv_get(root, "grant"));
    out->result = ll_jv_str(ll_jv_get(root, "result"));
    out->call = ll_jv_str(ll_jv_get(root, "call"));
    out->notice = ll_jv_str(ll_jv_get(root, "notice"));
    out->digest = ll_jv_str(ll_jv_get(root, "digest"));
}

/* Writes the leaf anew, member by member, and compares: whatever was there
 * twice, in another order, in another text or not at all is told by that.
 * `fields` and `data` are found in the line where the writer puts them. */
static bool
is_canonical(struct ll_jv root, linli_str line, struct ll_leaf *out)
{
    struct ll_buf again;
    struct ll_jv fields = ll_jv_get(root, "fields");
    struct ll_jv data = ll_jv_get(root, "data");
    struct ll_leaf bare = *out;
    size_t fields_len = 0, data_len = 0;
    ll_buf_init(&again, root.json->mem, (size_t)2 * LL_LEAF_BYTES_MAX);
    struct ll_jw w = ll_jw(&again);
    if (ll_jv_there(fields))
        ll_jw_value(&w, fields);
    fields_len = again.len;
    w = ll_jw(&again);
    if (ll_jv_there(data))
        ll_jw_value(&w, data);
    data_len = again.len - fields_len;
    bool same = !again.failed;
    if (same) {
        struct ll_buf text;
        bare.fields_json = (linli_str){again.ptr, fields_len};
        bare.data_json = (linli_str){again.ptr + fields_len, data_len};
        ll_buf_init(&text, root.json->mem, (size_t)2 * LL_LEAF_BYTES_MAX);
        ll_leaf_put(&text, &bare);
        same = !text.failed && ll_str_eq(ll_buf_view(&text), line);
        ll_buf_fini(&text);
    }
    ll_buf_fini(&again);
    if (!same)
        return false;
    out->data_json = text_at(line, line.len - 1 - data_len, data_len);
    out->fields_json = (linli_str){NULL, fields_len};
    return true;
}

/* The array stands behind the first `"fields":` that is a member's name:
 * within a string a quote would be escaped. */
static linli_str
find_fields(linli_str line, size_t len)
{
    static const char name[] = ",\"fields\":";
    const char *at =
        len == 0 ? NULL : memmem(line.ptr, line.len, name, sizeof name - 1);
    return at == NULL
               ? (linli_str){0}
               : text_at(line, (size_t)(at - line.ptr) + sizeof name - 1, len);
}

linli_status
ll_leaf_read(struct ll_json *json, linli_str line, struct ll_leaf *out,
    struct ll_err *err)
{
    int64_t version = 0;
    *out = (struct ll_leaf){0};
    if (line.len > LL_LEAF_BYTES_MAX)
        return refuse(err, "it is too long");
    linli_status status = ll_json_parse(json, line, DEPTH_MAX, err);
    if (status != LINLI_OK)
        return status == LINLI_E_NOMEM ? status : refuse(err, "it is no JSON");
    struct ll_jv root = ll_json_root(json);
    if (!ll_jv_is(root, LL_JSON_OBJECT) || !plain_numbers(json))
        return refuse(err, "it is no object of strings and integers");
    if (!ll_jv_int(ll_jv_get(root, "v"), &version) ||
        version != LL_LEAF_VERSION)
        return refuse(err, "its v is another version's");
    if (!read_type(ll_jv_str(ll_jv_get(root, "type")), &out->type))
        return refuse(err, "its type is none");
    get_members(root, out);
    if (!fields_sorted(ll_jv_get(root, "fields")))
        return refuse(err, "its fields are not ids in their order");
    if (ll_jv_there(ll_jv_get(root, "data")) &&
        !ll_jv_is(ll_jv_get(root, "data"), LL_JSON_OBJECT))
        return refuse(err, "its data is no object");
    if (!is_hex(out->subject, 32) || !is_hex(out->grant, 32) ||
        !is_hex(out->call, 32) || !is_hex(out->notice, 64) ||
        !is_hex(out->digest, 64))
        return refuse(err, "a tag, id or digest is not as many digits");
    if (!is_canonical(root, line, out))
        return refuse(err, "its bytes are not those that are written");
    out->fields_json = find_fields(line, out->fields_json.len);
    return LINLI_OK;
}
