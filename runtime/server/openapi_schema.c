/* server/openapi_schema.c: a manifest's schema as a component. [loop]
 *
 * In plugin.json a schema is a document of its own, so "#/$defs/lot" starts
 * at its root; inside openapi.json it would start at that document's root.
 * References and anchors are rewritten to pointers below the component,
 * which every tool understands, and what named the schema is dropped. A
 * schema that refers by URI, or names a part of itself by $id, is left as it
 * is and becomes a resource by an $id: OpenAPI 3.1 allows that, and no
 * rewriting would be right for all of it.
 */
#include <stdio.h>

#include "base/text.h"
#include "server/openapi.h"

#define PREFIX "#/components/schemas/"
#define POINTER_BYTES_MAX ((size_t)65536) /* a path of a 1 MiB manifest */

/* What the value of a keyword holds. */
enum holds { NO_SCHEMA, ONE_SCHEMA, LIST_OF_SCHEMAS, MAP_OF_SCHEMAS };

static enum holds
what_holds(linli_str keyword)
{
    static const struct {
        const char *keyword;
        enum holds holds;
    } table[] = {
        {"items", ONE_SCHEMA},
        {"contains", ONE_SCHEMA},
        {"additionalProperties", ONE_SCHEMA},
        {"propertyNames", ONE_SCHEMA},
        {"not", ONE_SCHEMA},
        {"if", ONE_SCHEMA},
        {"then", ONE_SCHEMA},
        {"else", ONE_SCHEMA},
        {"allOf", LIST_OF_SCHEMAS},
        {"anyOf", LIST_OF_SCHEMAS},
        {"oneOf", LIST_OF_SCHEMAS},
        {"prefixItems", LIST_OF_SCHEMAS},
        {"$defs", MAP_OF_SCHEMAS},
        {"properties", MAP_OF_SCHEMAS},
        {"patternProperties", MAP_OF_SCHEMAS},
        {"dependentSchemas", MAP_OF_SCHEMAS},
    };
    for (size_t i = 0; i < LL_COUNT(table); i++)
        if (ll_str_is(keyword, table[i].keyword))
            return table[i].holds;
    return NO_SCHEMA;
}

/* The functions below call themselves for subschemas: the JSON reader has
 * bounded the depth of a manifest. */

static bool is_foreign(struct ll_jv schema, bool at_root);

static bool
holds_foreign(enum holds holds, struct ll_jv value)
{
    if (holds == ONE_SCHEMA)
        return is_foreign(value, false);
    if (holds == LIST_OF_SCHEMAS)
        LL_JSON_EACH (item, value)
            if (is_foreign(item, false))
                return true;
    if (holds == MAP_OF_SCHEMAS)
        LL_JSON_MEMBERS (name, item, value)
            if (is_foreign(item, false))
                return true;
    return false;
}

/* True if it cannot be rewritten: an $id below the root, or a $ref that is
 * more than a fragment. */
static bool
is_foreign(struct ll_jv schema, bool at_root)
{
    LL_JSON_MEMBERS (key, value, schema) {
        linli_str keyword = ll_jv_str(key);
        if (ll_str_is(keyword, "$id") && !at_root)
            return true;
        if (ll_str_is(keyword, "$ref") && !ll_str_starts(ll_jv_str(value), "#"))
            return true;
        if (holds_foreign(what_holds(keyword), value))
            return true;
    }
    return false;
}

/* -- anchors -- */

/* Appends "/step": escaped for a JSON pointer, then for a URI's fragment. */
static void
put_step(struct ll_buf *pointer, linli_str step)
{
    ll_buf_char(pointer, '/');
    for (size_t i = 0; i < step.len; i++) {
        char c = step.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr("-._!$&'()*+,;=:@?", c) != NULL);
        if (c == '~' || c == '/')
            ll_buf_cstr(pointer, c == '~' ? "~0" : "~1");
        else if (plain)
            ll_buf_char(pointer, c);
        else
            ll_buf_printf(pointer, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static bool find_anchor(
    struct ll_jv schema, linli_str name, struct ll_buf *pointer);

static bool
find_below(
    struct ll_jv schema, linli_str name, linli_str step, struct ll_buf *pointer)
{
    size_t before = pointer->len;
    put_step(pointer, step);
    if (find_anchor(schema, name, pointer))
        return true;
    pointer->len = before;
    return false;
}

static bool
find_held(enum holds holds, struct ll_jv value, linli_str name,
    struct ll_buf *pointer)
{
    unsigned index = 0;
    if (holds == ONE_SCHEMA)
        return find_anchor(value, name, pointer);
    if (holds == LIST_OF_SCHEMAS)
        LL_JSON_EACH (item, value) {
            char number[16];
            (void)snprintf(number, sizeof number, "%u", index++);
            if (find_below(item, name, ll_cstr(number), pointer))
                return true;
        }
    if (holds == MAP_OF_SCHEMAS)
        LL_JSON_MEMBERS (key, item, value)
            if (find_below(item, name, ll_jv_str(key), pointer))
                return true;
    return false;
}

/* Appends the pointer from `schema` to the one with this $anchor. */
static bool
find_anchor(struct ll_jv schema, linli_str name, struct ll_buf *pointer)
{
    if (ll_str_eq(ll_jv_str(ll_jv_get(schema, "$anchor")), name))
        return true;
    LL_JSON_MEMBERS (key, value, schema) {
        size_t before = pointer->len;
        enum holds holds = what_holds(ll_jv_str(key));
        if (holds == NO_SCHEMA)
            continue;
        put_step(pointer, ll_jv_str(key));
        if (find_held(holds, value, name, pointer))
            return true;
        pointer->len = before;
    }
    return false;
}

/* -- writing -- */

struct component {
    linli_str name;
    struct ll_jv root;
};

/* Fragments of a reference: nothing, a pointer, or an anchor's name. */
static void
write_ref(struct ll_jw *w, const struct component *c, linli_str ref)
{
    linli_str fragment = {ref.ptr + 1, ref.len - 1};
    struct ll_buf pointer;
    ll_buf_init(&pointer, w->buf->mem, POINTER_BYTES_MAX);
    if (fragment.len > 0 && fragment.ptr[0] != '/') {
        (void)find_anchor(c->root, fragment, &pointer);
        fragment = ll_buf_view(&pointer);
    }
    ll_jw_raw(w, LINLI_STR("\"" PREFIX));
    ll_json_escape(w->buf, c->name);
    ll_json_escape(w->buf, fragment);
    ll_buf_char(w->buf, '"');
    w->buf->failed |= pointer.failed;
    ll_buf_fini(&pointer);
}

static void write_schema(
    struct ll_jw *w, const struct component *c, struct ll_jv schema);

static void
write_held(struct ll_jw *w, const struct component *c, enum holds holds,
    struct ll_jv value)
{
    bool map = holds == MAP_OF_SCHEMAS;
    ll_jw_open(w, map ? '{' : '[');
    if (map)
        LL_JSON_MEMBERS (name, item, value) {
            ll_jw_key_str(w, ll_jv_str(name));
            write_schema(w, c, item);
        }
    else
        LL_JSON_EACH (item, value)
            write_schema(w, c, item);
    ll_jw_close(w, map ? '}' : ']');
}

/* The dialect is the document's own; names of the schema mean nothing here,
 * and two schemas may have the same. */
static bool
is_dropped(linli_str keyword)
{
    return ll_str_is(keyword, "$schema") || ll_str_is(keyword, "$id") ||
           ll_str_is(keyword, "$anchor");
}

static void
write_member(struct ll_jw *w, const struct component *c, linli_str keyword,
    struct ll_jv value)
{
    enum holds holds = what_holds(keyword);
    ll_jw_key_str(w, keyword);
    /* Everybody knows additionalProperties: false as it stands. */
    if (ll_str_is(keyword, "additionalProperties") &&
        !ll_jv_is(value, LL_JSON_OBJECT))
        ll_jw_value(w, value);
    else if (ll_str_is(keyword, "$ref"))
        write_ref(w, c, ll_jv_str(value));
    else if (holds == NO_SCHEMA)
        ll_jw_value(w, value);
    else if (holds == ONE_SCHEMA)
        write_schema(w, c, value);
    else
        write_held(w, c, holds, value);
}

static void
write_schema(struct ll_jw *w, const struct component *c, struct ll_jv schema)
{
    ll_jw_open(w, '{');
    /* Tools stumble over boolean schemas; these mean the same. */
    if (ll_jv_is(schema, LL_JSON_FALSE)) {
        ll_jw_key(w, "not");
        ll_jw_raw(w, LINLI_STR("{}"));
    }
    LL_JSON_MEMBERS (key, value, schema)
        if (!is_dropped(ll_jv_str(key)))
            write_member(w, c, ll_jv_str(key), value);
    ll_jw_close(w, '}');
}

static void
write_resource(struct ll_jw *w, const struct component *c)
{
    ll_jw_open(w, '{');
    if (!ll_jv_there(ll_jv_get(c->root, "$id"))) {
        ll_jw_key(w, "$id");
        ll_jw_raw(w, LINLI_STR("\"urn:linli:schema:"));
        ll_json_escape(w->buf, c->name);
        ll_buf_char(w->buf, '"');
    }
    LL_JSON_MEMBERS (key, value, c->root) {
        ll_jw_key_str(w, ll_jv_str(key));
        ll_jw_value(w, value);
    }
    ll_jw_close(w, '}');
}

void
ll_openapi_schema(struct ll_jw *w, linli_str name, struct ll_jv v)
{
    struct component component = {name, v};
    ll_jw_key_str(w, name);
    if (is_foreign(v, true))
        write_resource(w, &component);
    else
        write_schema(w, &component, v);
}
