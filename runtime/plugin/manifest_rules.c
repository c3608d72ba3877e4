/* plugin/manifest_rules.c: what a schema cannot say about a manifest. [any]
 *
 * Fills the manifest's structures from its tape, and refuses routes that
 * collide, schemas that do not compile, limits that contradict each other
 * and problems under another plugin's name.
 */
#include "base/schema.h"
#include "base/text.h"
#include "plugin/manifest_int.h"

/* A stranger's schema: its patterns are compiled in the worker only. */
static linli_status
check_schema(struct ll_manifest *m, struct ll_jv declared, struct ll_err *err)
{
    struct ll_schema *schema;
    char where[160];
    if (!ll_jv_there(declared))
        return LINLI_OK;
    linli_status status = ll_schema_compile(m->arena.mem, declared,
        (struct ll_schema_options){.patterns = false}, &schema, err);
    ll_schema_free(&schema);
    if (status == LINLI_OK)
        return LINLI_OK;
    ll_jv_pointer(ll_json_root(&m->json), declared, where, sizeof where);
    ll_err_where(err, "plugin.json: %s", where);
    return status;
}

/* -- limits -- */

/* The manifest's schema has the bounds of base/limits.h in its own words. */
static void
limit_read(struct ll_jv declared, const char *name, int64_t max, int64_t *out)
{
    (void)ll_manifest_int(ll_jv_get(declared, name), out);
    ll_check(*out >= 0);
    ll_check(*out <= max);
}

/* *limits holds what is inherited. */
static linli_status
read_limits(struct ll_manifest *m, struct ll_jv declared,
    struct ll_call_limits *limits, struct ll_err *err)
{
    int64_t memory_bytes = limits->memory_bytes;
    bool of_plugin = limits == &m->limits;
    struct ll_jv burst = ll_jv_get(declared, "burst_ms");
    struct ll_jv cpu = ll_jv_get(declared, "cpu_ms");
    limit_read(declared, "wall_ms", LL_WALL_MS_MAX, &limits->wall_ms);
    limit_read(declared, "burst_ms", LL_BURST_MS_MAX, &limits->burst_ms);
    limit_read(declared, "cpu_ms", LL_WALL_MS_MAX, &limits->cpu_ms);
    limit_read(
        declared, "memory_bytes", LL_MEMORY_BYTES_MAX, &limits->memory_bytes);
    limit_read(
        declared, "body_bytes", LL_HTTP_BODY_BYTES_MAX, &limits->body_bytes);
    if (ll_jv_there(burst) && limits->burst_ms > limits->wall_ms)
        return ll_manifest_refuse(m, burst, err,
            "burst_ms is %lld, more than wall_ms, %lld",
            (long long)limits->burst_ms, (long long)limits->wall_ms);
    if (ll_jv_there(cpu) && limits->cpu_ms > limits->wall_ms)
        return ll_manifest_refuse(m, cpu, err,
            "cpu_ms is %lld, more than wall_ms, %lld",
            (long long)limits->cpu_ms, (long long)limits->wall_ms);
    if (!of_plugin && limits->memory_bytes > memory_bytes)
        return ll_manifest_refuse(m, ll_jv_get(declared, "memory_bytes"), err,
            "memory_bytes is %lld, more than the plugin's, %lld",
            (long long)limits->memory_bytes, (long long)memory_bytes);
    return LINLI_OK;
}

/* Gives what was not declared its value, once nothing inherits it any more. */
static void
settle_limits(struct ll_call_limits *limits)
{
    if (limits->burst_ms > limits->wall_ms)
        limits->burst_ms = limits->wall_ms;
    if (limits->cpu_ms == 0 || limits->cpu_ms > limits->wall_ms)
        limits->cpu_ms = limits->wall_ms;
}

/* -- routes -- */

static linli_status
read_segments(struct ll_manifest *m, struct ll_route *r, struct ll_err *err)
{
    struct ll_jv at = ll_jv_get(r->declared, "path");
    linli_str rest = {r->path.ptr + 1, r->path.len - 1}, part;
    uint32_t params = 0;
    if (rest.len == 0)
        return LINLI_OK;
    while (ll_str_split(&rest, '/', &part)) {
        if (r->segment_count == LL_COUNT(r->segments))
            return ll_manifest_refuse(
                m, at, err, "more than %zu segments", LL_COUNT(r->segments));
        struct ll_segment *s = &r->segments[r->segment_count++];
        *s = (struct ll_segment){.text = part};
        if (ll_str_is(part, ".") || ll_str_is(part, ".."))
            return ll_manifest_refuse(
                m, at, err, "\".\" and \"..\" are no names of a segment");
        if (part.ptr[0] != ':')
            continue;
        s->is_param = true;
        s->text = (linli_str){part.ptr + 1, part.len - 1};
        if (++params > LL_PATH_PARAMS_MAX)
            return ll_manifest_refuse(
                m, at, err, "more than %d parameters", LL_PATH_PARAMS_MAX);
        for (const struct ll_segment *o = r->segments; o < s; o++)
            if (o->is_param && ll_str_eq(o->text, s->text))
                return ll_manifest_refuse(m, at, err,
                    "the parameter \":%.*s\" stands twice", LL_FMT(s->text));
    }
    return LINLI_OK;
}

static uint32_t
caller_bits(struct ll_jv callers)
{
    uint32_t bits = 0;
    LL_JSON_EACH (caller, callers) {
        for (unsigned kind = 0; kind < LL_CALLER_COUNT; kind++)
            if (ll_str_is(ll_jv_str(caller), ll_caller_name(kind)))
                bits |= 1u << kind;
    }
    return bits;
}

static linli_status
read_route(struct ll_manifest *m, struct ll_route *r, struct ll_err *err)
{
    r->method = ll_jv_str(ll_jv_get(r->declared, "method"));
    r->path = ll_jv_str(ll_jv_get(r->declared, "path"));
    r->callers = caller_bits(ll_jv_get(r->declared, "caller"));
    r->request_schema = ll_jv_get(r->declared, "request");
    r->response_schema = ll_jv_get(r->declared, "response");
    bool get = ll_str_is(r->method, "GET");
    r->safe = get || ll_jv_true(ll_jv_get(r->declared, "safe"));
    if (get && ll_jv_is(ll_jv_get(r->declared, "safe"), LL_JSON_FALSE))
        return ll_manifest_refuse(m, ll_jv_get(r->declared, "safe"), err,
            "a GET changes nothing, so it is always safe");
    if (get && ll_jv_there(r->request_schema))
        return ll_manifest_refuse(
            m, r->request_schema, err, "a GET has no body to judge");
    r->limits = m->limits;
    linli_status status = read_segments(m, r, err);
    if (status == LINLI_OK)
        status =
            read_limits(m, ll_jv_get(r->declared, "limits"), &r->limits, err);
    settle_limits(&r->limits);
    if (status == LINLI_OK)
        status = check_schema(m, r->request_schema, err);
    if (status == LINLI_OK)
        status = check_schema(m, r->response_schema, err);
    if (status == LINLI_OK)
        status = ll_manifest_fill_promises(m, r, err);
    if (status == LINLI_OK)
        status = ll_manifest_fill_route_data(m, r, err);
    return status;
}

/* Would every request of one be a request of the other, in one order? */
static bool
same_shape(const struct ll_route *a, const struct ll_route *b)
{
    if (!ll_str_eq(a->method, b->method) ||
        a->segment_count != b->segment_count)
        return false;
    for (uint32_t i = 0; i < a->segment_count; i++) {
        const struct ll_segment *x = &a->segments[i], *y = &b->segments[i];
        if (x->is_param != y->is_param ||
            (!x->is_param && !ll_str_eq(x->text, y->text)))
            return false;
    }
    return true;
}

static linli_status
check_collisions(struct ll_manifest *m, struct ll_err *err)
{
    for (uint32_t i = 1; i < m->route_count; i++) {
        const struct ll_route *b = &m->routes[i];
        for (uint32_t k = 0; k < i; k++) {
            const struct ll_route *a = &m->routes[k];
            if (!same_shape(a, b))
                continue;
            linli_status status =
                ll_manifest_refuse(m, ll_jv_get(b->declared, "path"), err,
                    "%.*s %.*s takes the same requests as /routes/%u, %.*s",
                    LL_FMT(b->method), LL_FMT(b->path), k, LL_FMT(a->path));
            ll_err_fix(err, "Keep one of the two routes");
            return status;
        }
    }
    return LINLI_OK;
}

static linli_status
read_routes(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv routes = ll_jv_get(ll_json_root(&m->json), "routes");
    uint32_t count = ll_jv_count(routes);
    ll_check(count <= LL_ROUTES_MAX);
    if (count == 0)
        return LINLI_OK;
    m->routes = ll_arena_alloc(&m->arena, count * sizeof *m->routes);
    if (m->routes == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_EACH (declared, routes) {
        struct ll_route *r = &m->routes[m->route_count++];
        r->declared = declared;
        linli_status status = read_route(m, r, err);
        if (status != LINLI_OK)
            return status;
    }
    return check_collisions(m, err);
}

/* -- the rest -- */

static linli_status
read_problems(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv problems = ll_jv_get(ll_json_root(&m->json), "problems");
    uint32_t count = ll_jv_count(problems);
    if (count == 0)
        return LINLI_OK;
    m->problems = ll_arena_alloc(&m->arena, count * sizeof *m->problems);
    if (m->problems == NULL)
        return ll_manifest_no_memory(err);
    LL_JSON_MEMBERS (key, value, problems) {
        struct ll_plugin_problem *p = &m->problems[m->problem_count++];
        struct ll_jv title = ll_jv_get(value, "title");
        int64_t status = 0;
        (void)ll_manifest_int(ll_jv_get(value, "status"), &status);
        p->code = ll_jv_str(key);
        p->http_status = (int)status;
        p->title_en = ll_jv_str(ll_jv_get(title, "en"));
        p->title_zh = ll_jv_str(ll_jv_get(title, "zh-CN"));
        if (p->code.len > m->id.len && p->code.ptr[m->id.len] == '/' &&
            memcmp(p->code.ptr, m->id.ptr, m->id.len) == 0)
            continue;
        return ll_manifest_refuse(m, value, err,
            "a problem's code starts with the plugin's id: \"%.*s/...\"",
            LL_FMT(m->id));
    }
    return LINLI_OK;
}

static bool
ends_with(linli_str s, const char *tail)
{
    size_t n = strlen(tail);
    return s.len > n && memcmp(s.ptr + s.len - n, tail, n) == 0;
}

static linli_status
read_files(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&m->json);
    struct ll_jv library = ll_jv_get(m->native, "library");
    bool lua = m->runtime == LL_RUNTIME_LUA;
    m->main = ll_jv_str(ll_jv_get(root, "main"));
    if (!ends_with(m->main, lua ? ".lua" : ".so"))
        return ll_manifest_refuse(m, ll_jv_get(root, "main"), err,
            "`main` of a %s plugin is a file *%s", lua ? "Lua" : "native",
            lua ? ".lua" : ".so");
    if (!lua && ll_jv_there(m->native))
        return ll_manifest_refuse(m, m->native, err,
            "`native` is for Lua plugins: a native one is its own library");
    if (ll_jv_there(library) && !ends_with(ll_jv_str(library), ".so"))
        return ll_manifest_refuse(m, library, err, "`library` is a file *.so");
    return LINLI_OK;
}

linli_status
ll_manifest_fill(struct ll_manifest *m, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&m->json);
    struct ll_jv name = ll_jv_get(root, "name");
    m->version = ll_jv_str(ll_jv_get(root, "version"));
    m->name_en = ll_jv_there(name) ? ll_jv_str(ll_jv_get(name, "en")) : m->id;
    m->name_zh =
        ll_jv_there(name) ? ll_jv_str(ll_jv_get(name, "zh-CN")) : m->id;
    m->runtime = ll_str_is(ll_jv_str(ll_jv_get(root, "runtime")), "native")
                     ? LL_RUNTIME_NATIVE
                     : LL_RUNTIME_LUA;
    m->native = ll_jv_get(root, "native");
    m->config_schema = ll_jv_get(root, "config_schema");
    m->limits = (struct ll_call_limits){.wall_ms = LL_WALL_MS_DEFAULT,
        .burst_ms = LL_BURST_MS_DEFAULT,
        .memory_bytes = LL_MEMORY_BYTES_DEFAULT,
        .body_bytes = LL_HTTP_BODY_BYTES_MAX};
    linli_status status = read_files(m, err);
    if (status == LINLI_OK)
        status = read_limits(m, ll_jv_get(root, "limits"), &m->limits, err);
    if (status == LINLI_OK)
        status = ll_manifest_fill_data(m, err);
    if (status == LINLI_OK)
        status = ll_manifest_fill_consent(m, err);
    if (status == LINLI_OK)
        status = ll_manifest_fill_notifications(m, err);
    if (status == LINLI_OK)
        status = ll_manifest_fill_egress(m, err);
    if (status == LINLI_OK)
        status = read_routes(m, err);
    settle_limits(&m->limits);
    if (status == LINLI_OK)
        status = read_problems(m, err);
    if (status == LINLI_OK)
        status = check_schema(m, m->config_schema, err);
    return status;
}
