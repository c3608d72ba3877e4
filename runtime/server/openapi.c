/* server/openapi.c: openapi.json out of manifests. [loop] */
#include "server/openapi.h"

#include "base/text.h"

/* runtime/server/openapi.base.json, by the build. */
static const unsigned char base_text[] = {
#include "openapi_base.h"
};

/* An operation's id: the plugin's, the method's and the path's words. */
#define ID_BYTES_MAX ((size_t)1024)

struct writer {
    struct ll_jw w;
    struct ll_arena arena;
    const struct ll_openapi_entry *entries;
    uint32_t count;
    /* Of the entry that is being written: operation ids by route. */
    linli_str *ids;
    bool failed; /* an arena was too small; the next entry resets it */
};

/* -- which entry is described where -- */

static bool
same_plugin(const struct ll_openapi_entry *a, const struct ll_openapi_entry *b)
{
    return ll_str_eq(a->manifest->id, b->manifest->id);
}

static bool
same_version(const struct ll_openapi_entry *a, const struct ll_openapi_entry *b)
{
    return ll_str_eq(a->manifest->version, b->manifest->version);
}

/* The first entry of this plugin: its version gets the templated paths. */
static const struct ll_openapi_entry *
leader(const struct writer *o, const struct ll_openapi_entry *entry)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (same_plugin(&o->entries[i], entry))
            return &o->entries[i];
    return entry;
}

static bool
has_own_paths(const struct writer *o, const struct ll_openapi_entry *entry)
{
    return !same_version(leader(o, entry), entry);
}

/* Whether the entry's routes are written: once for the leader's version, and
 * for each community that runs another. */
static bool
is_described(const struct writer *o, const struct ll_openapi_entry *entry)
{
    return leader(o, entry) == entry || has_own_paths(o, entry);
}

/* -- ids -- */

/* "/tariffs/:lot/simulate" adds "_tariffs_by_lot_simulate". */
static void
put_words(struct ll_buf *buf, const struct ll_route *route)
{
    for (uint32_t i = 0; i < route->segment_count; i++) {
        const struct ll_segment *segment = &route->segments[i];
        ll_buf_cstr(buf, segment->is_param ? "_by_" : "_");
        for (size_t k = 0; k < segment->text.len; k++) {
            char c = segment->text.ptr[k];
            bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9');
            ll_buf_char(buf, word ? c : '_');
        }
    }
}

static bool
is_taken(const linli_str *ids, uint32_t count, linli_str id)
{
    for (uint32_t i = 0; i < count; i++)
        if (ll_str_eq(ids[i], id))
            return true;
    return false;
}

/* Unique: across plugins by the plugin's id, across entries of one plugin by
 * the entry's number, within one by a number at the end. */
static linli_str
make_id(struct writer *o, const struct ll_openapi_entry *entry, uint32_t route)
{
    const struct ll_route *r = &entry->manifest->routes[route];
    struct ll_buf buf;
    ll_buf_init(&buf, o->arena.mem, ID_BYTES_MAX);
    ll_buf_str(&buf, entry->manifest->id);
    ll_buf_char(&buf, '.');
    if (has_own_paths(o, entry))
        ll_buf_printf(&buf, "at%u.", (unsigned)(entry - o->entries));
    for (size_t i = 0; i < r->method.len; i++)
        ll_buf_char(&buf, (char)(r->method.ptr[i] | 0x20));
    put_words(&buf, r);
    size_t base = buf.len;
    for (unsigned n = 2; is_taken(o->ids, route, ll_buf_view(&buf)); n++) {
        buf.len = base;
        ll_buf_printf(&buf, "_%u", n);
    }
    linli_str id = ll_arena_str(&o->arena, ll_buf_view(&buf));
    if (buf.failed)
        o->arena.failed = true;
    ll_buf_fini(&buf);
    return id;
}

static bool
make_ids(struct writer *o, const struct ll_openapi_entry *entry)
{
    uint32_t count = entry->manifest->route_count;
    ll_arena_reset(&o->arena);
    o->ids = ll_arena_alloc(&o->arena, (count + 1) * sizeof *o->ids);
    for (uint32_t i = 0; i < count && !o->arena.failed; i++)
        o->ids[i] = make_id(o, entry, i);
    o->failed |= o->arena.failed;
    return !o->arena.failed;
}

static linli_str
schema_name(struct writer *o, linli_str id, const char *what)
{
    char *name = ll_arena_alloc(&o->arena, id.len + 10);
    size_t n = strlen(what);
    o->failed |= name == NULL;
    if (name == NULL)
        return LINLI_STR("");
    memcpy(name, id.ptr, id.len);
    memcpy(name + id.len, what, n);
    return (linli_str){name, id.len + n};
}

/* -- one operation -- */

static void
member(struct ll_jw *w, const char *name, linli_str value)
{
    ll_jw_key(w, name);
    ll_jw_str(w, value);
}

static void
write_parameter(struct ll_jw *w, linli_str name)
{
    ll_jw_open(w, '{');
    member(w, "name", name);
    member(w, "in", LINLI_STR("path"));
    ll_jw_key(w, "required");
    ll_jw_bool(w, true);
    ll_jw_key(w, "schema");
    ll_jw_open(w, '{');
    member(w, "type", LINLI_STR("string"));
    ll_jw_key(w, "minLength");
    ll_jw_int(w, 1);
    ll_jw_close(w, '}');
    ll_jw_close(w, '}');
}

static void
write_community(struct writer *o, const struct ll_openapi_entry *entry)
{
    struct ll_jw *w = &o->w;
    ll_jw_open(w, '{');
    member(w, "name", LINLI_STR("community"));
    member(w, "in", LINLI_STR("path"));
    ll_jw_key(w, "required");
    ll_jw_bool(w, true);
    member(w, "description", LINLI_STR("社区编号 / The community's id"));
    ll_jw_key(w, "schema");
    ll_jw_open(w, '{');
    member(w, "type", LINLI_STR("string"));
    ll_jw_key(w, "enum");
    ll_jw_open(w, '[');
    for (const struct ll_openapi_entry *e = entry; e < o->entries + o->count;
         e++)
        if (same_plugin(e, entry) && same_version(e, entry))
            ll_jw_str(w, e->community);
    ll_jw_close(w, ']');
    ll_jw_close(w, '}');
    ll_jw_close(w, '}');
}

/* A plugin's own ":community" must not be the runtime's {community}. The
 * manifest allows no '-' in a name, so this one is free. */
static linli_str
param_name(const struct writer *o, const struct ll_openapi_entry *entry,
    const struct ll_segment *segment)
{
    return !has_own_paths(o, entry) && ll_str_is(segment->text, "community")
               ? LINLI_STR("community-2")
               : segment->text;
}

static void
write_ref(struct ll_jw *w, const char *where, linli_str name)
{
    ll_jw_open(w, '{');
    ll_jw_key(w, "$ref");
    ll_jw_raw(w, LINLI_STR("\"#/components/"));
    ll_json_escape(w->buf, ll_cstr(where));
    ll_json_escape(w->buf, name);
    ll_buf_char(w->buf, '"');
    ll_jw_close(w, '}');
}

static void
write_content(struct ll_jw *w, linli_str schema)
{
    ll_jw_key(w, "content");
    ll_jw_open(w, '{');
    ll_jw_key(w, "application/json");
    ll_jw_open(w, '{');
    if (schema.len > 0) {
        ll_jw_key(w, "schema");
        write_ref(w, "schemas/", schema);
    }
    ll_jw_close(w, '}');
    ll_jw_close(w, '}');
}

/* "停车费试算 / What a stay would cost", else method and path. */
static void
write_summary(struct ll_jw *w, const struct ll_route *route)
{
    struct ll_jv summary = ll_jv_get(route->declared, "summary");
    linli_str zh = ll_jv_str(ll_jv_get(summary, "zh-CN"));
    linli_str en = ll_jv_str(ll_jv_get(summary, "en"));
    bool given = zh.len > 0 || en.len > 0;
    ll_jw_key(w, "summary");
    ll_jw_raw(w, LINLI_STR("\""));
    ll_json_escape(w->buf, given ? zh : route->method);
    ll_json_escape(w->buf, given && zh.len > 0 && en.len > 0 ? LINLI_STR(" / ")
                           : given                           ? LINLI_STR("")
                                                             : LINLI_STR(" "));
    ll_json_escape(w->buf, given ? en : route->path);
    ll_buf_char(w->buf, '"');
}

static void
write_callers(struct ll_jw *w, const struct ll_route *route)
{
    ll_jw_key(w, "x-linli-callers");
    ll_jw_open(w, '[');
    for (unsigned i = 0; i < LL_CALLER_COUNT; i++)
        if (route->callers >> i & 1)
            ll_jw_cstr(w, ll_caller_name(i));
    ll_jw_close(w, ']');
}

#define DEVICE (1u << LL_CALLER_DEVICE)

/* Either will do: a person's token, a device's signature. */
static void
write_security(struct ll_jw *w, const struct ll_route *route)
{
    ll_jw_key(w, "security");
    ll_jw_open(w, '[');
    if (route->callers != DEVICE)
        ll_jw_raw(w, LINLI_STR("{\"bearer\":[]}"));
    if (route->callers & DEVICE)
        ll_jw_raw(w, LINLI_STR("{\"device\":[]}"));
    ll_jw_close(w, ']');
}

static bool
is_one_of(const struct ll_route *route, const char *const *methods, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ll_str_is(route->method, methods[i]))
            return true;
    return false;
}

/* Versions are those of documents: without collections there are none. */
static bool
has_etag(const struct ll_manifest *m, const struct ll_route *route)
{
    static const char *const methods[] = {"GET", "PUT", "PATCH"};
    return m->collection_count > 0 && !route->feed &&
           is_one_of(route, methods, LL_COUNT(methods));
}

static bool
takes_if_match(const struct ll_manifest *m, const struct ll_route *route)
{
    static const char *const methods[] = {"PUT", "PATCH", "DELETE"};
    return m->collection_count > 0 &&
           is_one_of(route, methods, LL_COUNT(methods));
}

static void
write_op_parameters(
    struct ll_jw *w, const struct ll_manifest *m, const struct ll_route *route)
{
    /* A device's event has an identity of its own. */
    bool key = !route->safe && route->callers != DEVICE;
    bool if_match = takes_if_match(m, route);
    if (!key && !if_match && !route->feed)
        return;
    ll_jw_key(w, "parameters");
    ll_jw_open(w, '[');
    if (key)
        write_ref(w, "parameters/", LINLI_STR("IdempotencyKey"));
    if (if_match)
        write_ref(w, "parameters/", LINLI_STR("IfMatch"));
    if (route->feed) {
        write_ref(w, "parameters/", LINLI_STR("FeedAfter"));
        write_ref(w, "parameters/", LINLI_STR("FeedWait"));
        write_ref(w, "parameters/", LINLI_STR("FeedLimit"));
    }
    ll_jw_close(w, ']');
}

static void
write_request(struct writer *o, const struct ll_route *route, linli_str id)
{
    struct ll_jw *w = &o->w;
    bool body =
        !ll_str_is(route->method, "GET") && !ll_str_is(route->method, "DELETE");
    bool has_schema = ll_jv_there(route->request_schema);
    if (!has_schema && !body)
        return;
    ll_jw_key(w, "requestBody");
    ll_jw_open(w, '{');
    ll_jw_key(w, "required");
    ll_jw_bool(w, has_schema);
    write_content(
        w, has_schema ? schema_name(o, id, ".request") : LINLI_STR(""));
    ll_jw_close(w, '}');
}

static void
write_responses(struct writer *o, const struct ll_manifest *m,
    const struct ll_route *route, linli_str id)
{
    struct ll_jw *w = &o->w;
    linli_str schema = ll_jv_there(route->response_schema)
                           ? schema_name(o, id, ".response")
                       : route->feed ? LINLI_STR("EventPage")
                                     : LINLI_STR("");
    ll_jw_key(w, "responses");
    ll_jw_open(w, '{');
    ll_jw_key(w, "2XX");
    ll_jw_open(w, '{');
    member(w, "description", LINLI_STR("成功 / Done"));
    if (has_etag(m, route)) {
        ll_jw_key(w, "headers");
        ll_jw_open(w, '{');
        ll_jw_key(w, "ETag");
        write_ref(w, "headers/", LINLI_STR("ETag"));
        ll_jw_close(w, '}');
    }
    write_content(w, schema);
    ll_jw_close(w, '}');
    ll_jw_key(w, "4XX");
    write_ref(w, "responses/", LINLI_STR("Problem"));
    ll_jw_key(w, "default");
    write_ref(w, "responses/", LINLI_STR("Problem"));
    ll_jw_close(w, '}');
}

static void
write_operation(
    struct writer *o, const struct ll_openapi_entry *entry, uint32_t index)
{
    static const char *const words[] = {
        "get", "post", "put", "patch", "delete"};
    const struct ll_route *route = &entry->manifest->routes[index];
    struct ll_jw *w = &o->w;
    uint32_t bit = ll_method_bit(route->method);
    for (unsigned i = 0; i < LL_COUNT(words); i++)
        if (bit == 1u << i)
            ll_jw_key(w, words[i]);
    ll_jw_open(w, '{');
    member(w, "operationId", o->ids[index]);
    write_summary(w, route);
    ll_jw_key(w, "tags");
    ll_jw_open(w, '[');
    ll_jw_str(w, entry->manifest->id);
    ll_jw_close(w, ']');
    write_callers(w, route);
    if (ll_jv_there(route->fallback)) {
        ll_jw_key(w, "x-linli-fallback");
        ll_jw_value(w, route->fallback);
    }
    write_security(w, route);
    write_op_parameters(w, entry->manifest, route);
    write_request(o, route, o->ids[index]);
    write_responses(o, entry->manifest, route, o->ids[index]);
    ll_jw_close(w, '}');
}

/* -- paths -- */

/* Identical to OpenAPI: parameters' names do not tell paths apart. */
static bool
same_path(const struct ll_route *a, const struct ll_route *b)
{
    if (a->segment_count != b->segment_count)
        return false;
    for (uint32_t i = 0; i < a->segment_count; i++)
        if (a->segments[i].is_param != b->segments[i].is_param ||
            (!a->segments[i].is_param &&
                !ll_str_eq(a->segments[i].text, b->segments[i].text)))
            return false;
    return true;
}

static void
write_path_key(struct writer *o, const struct ll_openapi_entry *entry,
    const struct ll_route *route)
{
    struct ll_buf *buf = o->w.buf;
    ll_jw_raw(&o->w, LINLI_STR("\"/v1/c/"));
    if (has_own_paths(o, entry))
        ll_json_escape(buf, entry->community);
    else
        ll_buf_cstr(buf, "{community}");
    ll_buf_char(buf, '/');
    ll_json_escape(buf, entry->manifest->id);
    for (uint32_t i = 0; i < route->segment_count; i++) {
        const struct ll_segment *segment = &route->segments[i];
        ll_buf_cstr(buf, segment->is_param ? "/{" : "/");
        ll_json_escape(buf,
            segment->is_param ? param_name(o, entry, segment) : segment->text);
        if (segment->is_param)
            ll_buf_char(buf, '}');
    }
    ll_buf_cstr(buf, "\":");
    o->w.comma = false;
}

static void
write_path(
    struct writer *o, const struct ll_openapi_entry *entry, uint32_t first)
{
    const struct ll_manifest *m = entry->manifest;
    const struct ll_route *route = &m->routes[first];
    struct ll_jw *w = &o->w;
    write_path_key(o, entry, route);
    ll_jw_open(w, '{');
    ll_jw_key(w, "parameters");
    ll_jw_open(w, '[');
    if (!has_own_paths(o, entry))
        write_community(o, entry);
    for (uint32_t i = 0; i < route->segment_count; i++)
        if (route->segments[i].is_param)
            write_parameter(w, param_name(o, entry, &route->segments[i]));
    ll_jw_close(w, ']');
    for (uint32_t i = first; i < m->route_count; i++)
        if (same_path(route, &m->routes[i]))
            write_operation(o, entry, i);
    ll_jw_close(w, '}');
}

static void
write_paths(struct writer *o)
{
    for (uint32_t i = 0; i < o->count; i++) {
        const struct ll_openapi_entry *entry = &o->entries[i];
        if (!is_described(o, entry) || !make_ids(o, entry))
            continue;
        for (uint32_t r = 0; r < entry->manifest->route_count; r++) {
            bool seen = false;
            for (uint32_t k = 0; k < r && !seen; k++)
                seen = same_path(
                    &entry->manifest->routes[k], &entry->manifest->routes[r]);
            if (!seen)
                write_path(o, entry, r);
        }
    }
}

static void
write_schemas(struct writer *o)
{
    for (uint32_t i = 0; i < o->count; i++) {
        const struct ll_openapi_entry *entry = &o->entries[i];
        if (!is_described(o, entry) || !make_ids(o, entry))
            continue;
        for (uint32_t r = 0; r < entry->manifest->route_count; r++) {
            const struct ll_route *route = &entry->manifest->routes[r];
            if (ll_jv_there(route->request_schema))
                ll_openapi_schema(&o->w, schema_name(o, o->ids[r], ".request"),
                    route->request_schema);
            if (ll_jv_there(route->response_schema))
                ll_openapi_schema(&o->w, schema_name(o, o->ids[r], ".response"),
                    route->response_schema);
        }
    }
}

/* What the plugin's own problem codes mean, which no path can say. */
static void
write_problems(struct ll_jw *w, const struct ll_manifest *manifest)
{
    if (manifest->problem_count == 0)
        return;
    ll_jw_key(w, "x-linli-problems");
    ll_jw_open(w, '{');
    for (uint32_t i = 0; i < manifest->problem_count; i++) {
        const struct ll_plugin_problem *problem = &manifest->problems[i];
        ll_jw_key_str(w, problem->code);
        ll_jw_open(w, '{');
        ll_jw_key(w, "status");
        ll_jw_int(w, problem->http_status);
        ll_jw_key(w, "title");
        ll_jw_open(w, '{');
        member(w, "zh-CN", problem->title_zh);
        member(w, "en", problem->title_en);
        ll_jw_close(w, '}');
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, '}');
}

static void
write_tags(struct writer *o)
{
    struct ll_jw *w = &o->w;
    for (uint32_t i = 0; i < o->count; i++) {
        const struct ll_openapi_entry *entry = &o->entries[i];
        if (leader(o, entry) != entry)
            continue;
        ll_jw_open(w, '{');
        member(w, "name", entry->manifest->id);
        ll_jw_key(w, "description");
        ll_jw_raw(w, LINLI_STR("\""));
        ll_json_escape(w->buf, entry->manifest->name_zh);
        ll_json_escape(w->buf, LINLI_STR(" / "));
        ll_json_escape(w->buf, entry->manifest->name_en);
        ll_buf_char(w->buf, '"');
        write_problems(w, entry->manifest);
        ll_jw_close(w, '}');
    }
}

/* -- the document -- */

/* Copies a container of the base and adds what the plugins have. */
static void
write_merged(struct writer *o, struct ll_jv base, void (*add)(struct writer *o))
{
    bool object = ll_jv_is(base, LL_JSON_OBJECT);
    ll_jw_open(&o->w, object ? '{' : '[');
    if (object)
        LL_JSON_MEMBERS (key, value, base) {
            ll_jw_key_str(&o->w, ll_jv_str(key));
            ll_jw_value(&o->w, value);
        }
    else
        LL_JSON_EACH (item, base)
            ll_jw_value(&o->w, item);
    add(o);
    ll_jw_close(&o->w, object ? '}' : ']');
}

static void
write_components(struct writer *o, struct ll_jv base)
{
    ll_jw_open(&o->w, '{');
    LL_JSON_MEMBERS (key, value, base) {
        ll_jw_key_str(&o->w, ll_jv_str(key));
        if (ll_str_is(ll_jv_str(key), "schemas"))
            write_merged(o, value, write_schemas);
        else
            ll_jw_value(&o->w, value);
    }
    ll_jw_close(&o->w, '}');
}

static void
write_document(struct writer *o, struct ll_jv base)
{
    ll_jw_open(&o->w, '{');
    LL_JSON_MEMBERS (key, value, base) {
        linli_str name = ll_jv_str(key);
        ll_jw_key_str(&o->w, name);
        if (ll_str_is(name, "tags"))
            write_merged(o, value, write_tags);
        else if (ll_str_is(name, "paths"))
            write_merged(o, value, write_paths);
        else if (ll_str_is(name, "components"))
            write_components(o, value);
        else
            ll_jw_value(&o->w, value);
    }
    ll_jw_close(&o->w, '}');
}

/* Ids of one entry at a time; a manifest's words bound them. */
#define ARENA_BYTES_MAX ((size_t)4 << 20)

linli_status
ll_openapi_write(struct ll_mem *mem, const struct ll_openapi_entry *entries,
    uint32_t count, struct ll_buf *out)
{
    struct writer o = {.w = ll_jw(out), .entries = entries, .count = count};
    struct ll_json base;
    linli_str text = {(const char *)base_text, sizeof base_text};
    ll_json_init(&base, mem);
    ll_arena_init(&o.arena, mem, ARENA_BYTES_MAX);
    linli_status status = ll_json_parse(&base, text, LL_JSON_DEPTH_MAX, NULL);
    if (status == LINLI_OK)
        write_document(&o, ll_json_root(&base));
    if (out->failed || o.failed)
        status = LINLI_E_NOMEM;
    ll_arena_fini(&o.arena);
    ll_json_fini(&base);
    return status;
}
