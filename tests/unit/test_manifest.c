/* tests/unit/test_manifest.c: plugin.json, good and bad, and its routes. */
#include "manifest_rows.h"

/* The manifest of the specification; its names are fixed. */
static const char minimal[] =
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
    "\"main\":\"main.lua\",\"routes\":[{\"method\":\"POST\",\"path\":\"/run\","
    "\"caller\":[\"resident\"],\"safe\":true}],\"native\":{\"library\":"
    "\"lib/x.so\",\"functions\":{\"f\":{\"returns\":\"i32\",\"args\":[]}}},"
    "\"limits\":{\"wall_ms\":1000,\"burst_ms\":200,\"memory_bytes\":33554432}}";

T_CASE(reads_the_minimal_manifest)
{
    struct ll_mem mem;
    struct ll_manifest *m;
    struct ll_err err;
    T_INT(read_text(&mem, minimal, &m, &err), LINLI_OK);
    if (m == NULL)
        return;
    T_STR(m->id, "probe");
    T_STR(m->version, "1.0.0");
    T_STR(m->main, "main.lua");
    T_STR(m->name_en, "probe");
    T_STR(m->name_zh, "probe");
    T_INT(m->abi, 1);
    T_INT(m->runtime, LL_RUNTIME_LUA);
    T_INT(m->route_count, 1);
    T_STR(m->routes[0].method, "POST");
    T_STR(m->routes[0].path, "/run");
    T_INT(m->routes[0].segment_count, 1);
    T_INT(m->routes[0].callers, 1 << LL_CALLER_RESIDENT);
    T_OK(m->routes[0].safe);
    T_OK(!ll_jv_there(m->routes[0].request_schema));
    T_INT(m->routes[0].limits.wall_ms, 1000);
    T_INT(m->routes[0].limits.cpu_ms, 1000);
    T_INT(m->limits.memory_bytes, 33554432);
    T_INT(m->limits.body_bytes, LL_HTTP_BODY_BYTES_MAX);
    T_OK(ll_jv_there(m->native));
    T_OK(!ll_jv_there(m->config_schema));
    ll_manifest_free(&m);
    T_OK(m == NULL);
    T_INT(mem.used_bytes, 0);
}

T_CASE(reads_every_member)
{
    static const char text[] =
        "{\"$schema\":\"https://example.com/manifest.schema.json\","
        "\"id\":\"p2\",\"version\":\"1.2.3-rc.1+5\",\"abi\":1,"
        "\"runtime\":\"native\",\"main\":\"lib/p2.so\","
        "\"name\":{\"zh-CN\":\"\xe5\x81\x9c\xe8\xbd\xa6\",\"en\":\"Parking\"},"
        "\"description\":{\"zh-CN\":\"\",\"en\":\"text\"},"
        "\"limits\":{\"wall_ms\":500,\"memory_bytes\":2000000},"
        "\"problems\":{\"p2/full\":{\"status\":409,\"title\":"
        "{\"zh-CN\":\"x\",\"en\":\"Full\"}}},"
        "\"config_schema\":{\"type\":\"object\"},"
        "\"routes\":[{\"method\":\"GET\",\"path\":\"/\",\"caller\":"
        "[\"staff\",\"app\"],\"summary\":{\"zh-CN\":\"x\",\"en\":\"y\"}},"
        "{\"method\":\"PUT\",\"path\":\"/a/:b/c\",\"caller\":[\"operator\"],"
        "\"request\":{\"type\":\"object\"},\"response\":true,\"limits\":"
        "{\"wall_ms\":5000,\"burst_ms\":50,\"body_bytes\":0,"
        "\"memory_bytes\":1048576}}]}";
    struct ll_mem mem;
    struct ll_manifest *m;
    struct ll_err err;
    T_INT(read_text(&mem, text, &m, &err), LINLI_OK);
    if (m == NULL) {
        printf("# %s: %s\n", err.where, err.msg);
        return;
    }
    T_INT(m->runtime, LL_RUNTIME_NATIVE);
    T_STR(m->name_en, "Parking");
    T_STR(m->name_zh, "\xe5\x81\x9c\xe8\xbd\xa6");
    T_OK(ll_jv_there(m->config_schema));
    T_INT(m->problem_count, 1);
    const struct ll_plugin_problem *p =
        ll_manifest_problem(m, LINLI_STR("p2/full"));
    T_OK(p != NULL && p->http_status == 409);
    T_OK(ll_manifest_problem(m, LINLI_STR("p2/ful")) == NULL);
    T_OK(m->routes[0].safe);
    T_INT(m->routes[0].segment_count, 0);
    T_INT(m->routes[0].callers, 1 << LL_CALLER_STAFF | 1 << LL_CALLER_APP);
    /* Not declared: from the plugin, and never more than the wall. */
    T_INT(m->routes[0].limits.wall_ms, 500);
    T_INT(m->routes[0].limits.burst_ms, LL_BURST_MS_DEFAULT);
    T_INT(m->routes[0].limits.cpu_ms, 500);
    T_INT(m->routes[0].limits.memory_bytes, 2000000);
    T_OK(!m->routes[1].safe);
    T_INT(m->routes[1].limits.wall_ms, 5000);
    T_INT(m->routes[1].limits.burst_ms, 50);
    T_INT(m->routes[1].limits.cpu_ms, 5000);
    T_INT(m->routes[1].limits.body_bytes, 0);
    T_INT(m->routes[1].limits.memory_bytes, 1048576);
    T_OK(m->routes[1].segments[1].is_param);
    T_STR(m->routes[1].segments[1].text, "b");
    T_OK(ll_jv_there(m->routes[1].request_schema));
    T_OK(ll_jv_there(m->routes[1].response_schema));
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

#define LIMITS(rest) ",\"limits\":{" rest "}"

static const struct row table[] = {
    /* JSON itself */
    {"", "manifest/invalid", "", "no JSON"},
    {"{\"id\":", "manifest/invalid", "line 1 column 7", "too early"},
    {"{\"id\":1,\n\"id\":2}", "manifest/invalid", "line 2", "twice"},
    {"[]", "manifest/invalid", "", "an array, wanted an object"},
    /* members */
    {"{}", "manifest/invalid", "", "\"id\" is missing (and 4 more)"},
    {",\"naem\":{}", "manifest/invalid", "/naem", "did you mean \"name\"?"},
    {",\"zebra\":{}", "manifest/invalid", "/zebra", "not known here"},
    {",\"name\":{\"en\":\"x\"}", "manifest/invalid", "/name", "\"zh-CN\""},
    {"{\"id\":\"P\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"main.lua\"}",
        "manifest/invalid", "/id", "does not match"},
    {"{\"id\":\"p\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"main.lua\"}",
        "manifest/invalid", "/id", "does not match"},
    {"{\"id\":\"probe\",\"version\":\"1.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"main.lua\"}",
        "manifest/invalid", "/version", "does not match"},
    {"{\"id\":\"probe\",\"version\":\"01.0.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"main.lua\"}",
        "manifest/invalid", "/version", "does not match"},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"js\","
     "\"main\":\"main.lua\"}",
        "manifest/invalid", "/runtime", "\"lua\", \"native\""},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":2,\"runtime\":\"js\"}",
        "manifest/abi", "/abi", "supports level 1"},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":0}", "manifest/abi",
        "/abi", "level 0"},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":\"1\",\"runtime\":"
     "\"lua\",\"main\":\"main.lua\"}",
        "manifest/invalid", "/abi", "a string, wanted an integer"},
    /* 2.0 is an integer to a schema */
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1.0,\"runtime\":"
     "\"lua\",\"main\":\"main.lua\"}",
        "", "", ""},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":2.0}", "manifest/abi",
        "/abi", "level 2;"},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1e300}", "manifest/abi",
        "/abi", ""},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1.5,\"runtime\":"
     "\"lua\",\"main\":\"main.lua\"}",
        "manifest/invalid", "/abi", "wanted an integer"},
    /* ids that belong to Linli */
    {"{\"id\":\"admin\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"main.lua\"}",
        "plugin/reserved-id", "/id", "\"admin\""},
    {"{\"id\":\"me\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"main.lua\"}",
        "plugin/reserved-id", "/id", "\"me\""},
    {"{\"id\":\"sandbox\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"main.lua\"}",
        "plugin/reserved-id", "/id", "\"sandbox\""},
    {"{\"id\":\"openapi2\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":"
     "\"lua\",\"main\":\"main.lua\"}",
        "", "", ""},
    /* files */
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"x.so\"}",
        "manifest/invalid", "/main", "*.lua"},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"native\","
     "\"main\":\"x.lua\"}",
        "manifest/invalid", "/main", "*.so"},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"../x.lua\"}",
        "manifest/invalid", "/main", "does not match"},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
     "\"main\":\"/x.lua\"}",
        "manifest/invalid", "/main", "does not match"},
    {"{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"native\","
     "\"main\":\"x.so\",\"native\":{\"library\":\"y.so\",\"functions\":"
     "{\"f\":{\"returns\":\"i32\",\"args\":[]}}}}",
        "manifest/invalid", "/native", "Lua plugins"},
    {",\"native\":{\"library\":\"x.lua\",\"functions\":{\"f\":{\"returns\":"
     "\"i32\",\"args\":[]}}}",
        "manifest/invalid", "/native/library", "*.so"},
    {",\"native\":{\"library\":\"x.so\",\"functions\":{}}", "manifest/invalid",
        "/native/functions", "0 members"},
    {",\"native\":{\"library\":\"x.so\",\"functions\":{\"f\":{\"returns\":"
     "\"i16\",\"args\":[]}}}",
        "manifest/invalid", "/native/functions/f/returns", "\"i32\""},
    {",\"native\":{\"library\":\"x.so\",\"functions\":{\"f\":{\"returns\":"
     "\"i32\",\"args\":[\"void\"]}}}",
        "manifest/invalid", "/native/functions/f/args/0", "\"i32\""},
    {",\"native\":{\"library\":\"x.so\",\"functions\":{\"f g\":{\"returns\":"
     "\"i32\",\"args\":[]}}}",
        "manifest/invalid", "/native/functions/f g", "does not match"},
    /* routes */
    {ROUTE("\"path\":\"a\""), "manifest/invalid", "/routes/0/path", "match"},
    {ROUTE("\"path\":\"/a/\""), "manifest/invalid", "/routes/0/path", "match"},
    {ROUTE("\"path\":\"/a//b\""), "manifest/invalid", "/routes/0/path", ""},
    {ROUTE("\"path\":\"/a/..\""), "manifest/invalid", "/routes/0/path", ".."},
    {ROUTE("\"path\":\"/:a/:a\""), "manifest/invalid", "/routes/0/path",
        "\":a\" stands twice"},
    {ROUTE("\"path\":\"/:a/:b/:c/:d/:e/:f/:g/:h\""), "", "", ""},
    {ROUTE("\"path\":\"/:a/:b/:c/:d/:e/:f/:g/:h/:i\""), "manifest/invalid",
        "/routes/0/path", "more than 8 parameters"},
    {ROUTE("\"path\":\"/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g\""), "", "", ""},
    {ROUTE("\"path\":\"/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h\""),
        "manifest/invalid", "/routes/0/path", "more than 16 segments"},
    {ROUTE("\"path\":\"/a\",\"cost\":1"), "manifest/invalid", "/routes/0/cost",
        ""},
    {",\"routes\":[{\"method\":\"HEAD\",\"path\":\"/a\",\"caller\":[\"app\"]}]",
        "manifest/invalid", "/routes/0/method", "\"GET\", \"POST\""},
    {",\"routes\":[{\"method\":\"GET\",\"path\":\"/a\",\"caller\":[]}]",
        "manifest/invalid", "/routes/0/caller", "0 items"},
    {",\"routes\":[{\"method\":\"GET\",\"path\":\"/a\",\"caller\":"
     "[\"app\",\"app\"]}]",
        "manifest/invalid", "/routes/0/caller/1", "twice"},
    {",\"routes\":[{\"method\":\"GET\",\"path\":\"/a\",\"caller\":[\"all\"]}]",
        "manifest/invalid", "/routes/0/caller/0", "\"resident\""},
    {",\"routes\":[{\"method\":\"GET\",\"path\":\"/a\",\"caller\":[\"app\"],"
     "\"safe\":false}]",
        "manifest/invalid", "/routes/0/safe", "always safe"},
    {",\"routes\":[{\"method\":\"GET\",\"path\":\"/a\",\"caller\":[\"app\"],"
     "\"request\":true}]",
        "manifest/invalid", "/routes/0/request", "no body"},
    {",\"routes\":[{\"method\":\"GET\",\"path\":\"/a/:b\",\"caller\":"
     "[\"app\"]},{\"method\":\"POST\",\"path\":\"/a/:b\",\"caller\":[\"app\"]},"
     "{\"method\":\"GET\",\"path\":\"/a/:c\",\"caller\":[\"app\"]}]",
        "manifest/invalid", "/routes/2/path",
        "GET /a/:c takes the same requests as /routes/0, /a/:b"},
    /* schemas inside */
    {ROUTE("\"path\":\"/a\",\"request\":{\"properties\":{\"a\":{\"typ\":1}}}"),
        "manifest/schema", "/routes/0/request/properties/a/typ", "\"type\""},
    {ROUTE("\"path\":\"/a\",\"response\":{\"$ref\":\"http://x/y\"}"),
        "manifest/schema", "/routes/0/response/$ref", "remote"},
    {ROUTE("\"path\":\"/a\",\"request\":{\"$ref\":\"#/$defs/x\"}"),
        "manifest/schema", "/routes/0/request/$ref", "no schema"},
    {ROUTE("\"path\":\"/a\",\"request\":{\"pattern\":\"(*UTF)((((\"}"), "", "",
        ""},
    {",\"config_schema\":{\"unevaluatedProperties\":false}", "manifest/schema",
        "/config_schema/unevaluatedProperties", "additionalProperties"},
    {",\"config_schema\":1", "manifest/invalid", "/config_schema", ""},
    /* problems */
    {",\"problems\":{\"other/full\":{\"status\":409,\"title\":{\"zh-CN\":"
     "\"x\",\"en\":\"y\"}}}",
        "manifest/invalid", "/problems/other~1full", "\"probe/...\""},
    {",\"problems\":{\"probe/full\":{\"status\":200,\"title\":{\"zh-CN\":"
     "\"x\",\"en\":\"y\"}}}",
        "manifest/invalid", "/problems/probe~1full/status", "at least 400"},
    {",\"problems\":{\"probe-full\":{\"status\":409,\"title\":{\"zh-CN\":"
     "\"x\",\"en\":\"y\"}}}",
        "manifest/invalid", "/problems/probe-full", "does not match"},
    /* limits: the schema's numbers are those of base/limits.h */
    {LIMITS("\"wall_ms\":60000"), "", "", ""},
    {LIMITS("\"wall_ms\":60001"), "manifest/invalid", "/limits/wall_ms", ""},
    {LIMITS("\"wall_ms\":0"), "manifest/invalid", "/limits/wall_ms", ""},
    {LIMITS("\"wall_ms\":1.5"), "manifest/invalid", "/limits/wall_ms", ""},
    {LIMITS("\"wall_ms\":60000,\"burst_ms\":10000"), "", "", ""},
    {LIMITS("\"wall_ms\":60000,\"burst_ms\":10001"), "manifest/invalid",
        "/limits/burst_ms", ""},
    {LIMITS("\"wall_ms\":100,\"burst_ms\":101"), "manifest/invalid",
        "/limits/burst_ms", "more than wall_ms, 100"},
    {LIMITS("\"wall_ms\":1e2,\"burst_ms\":101.0"), "manifest/invalid",
        "/limits/burst_ms", "101, more than wall_ms, 100"},
    {LIMITS("\"cpu_ms\":1001"), "manifest/invalid", "/limits/cpu_ms", "1000"},
    {LIMITS("\"memory_bytes\":1048576"), "", "", ""},
    {LIMITS("\"memory_bytes\":1048575"), "manifest/invalid",
        "/limits/memory_bytes", ""},
    {LIMITS("\"memory_bytes\":1073741824"), "", "", ""},
    {LIMITS("\"memory_bytes\":1073741825"), "manifest/invalid",
        "/limits/memory_bytes", ""},
    {LIMITS("\"body_bytes\":1048576"), "", "", ""},
    {LIMITS("\"body_bytes\":1048577"), "manifest/invalid", "/limits/body_bytes",
        ""},
    {LIMITS("\"wal_ms\":1"), "manifest/invalid", "/limits/wal_ms",
        "\"wall_ms\""},
    {ROUTE("\"path\":\"/a\",\"limits\":{\"memory_bytes\":33554433}"),
        "manifest/invalid", "/routes/0/limits/memory_bytes",
        "more than the plugin's"},
};

_Static_assert(LL_WALL_MS_MAX == 60000, "the rows above");
_Static_assert(LL_BURST_MS_MAX == 10000, "the rows above");
_Static_assert(LL_MEMORY_BYTES_MIN == 1048576, "the rows above");
_Static_assert(LL_MEMORY_BYTES_MAX == 1073741824, "the rows above");
_Static_assert(LL_HTTP_BODY_BYTES_MAX == 1048576, "the rows above");
_Static_assert(LL_ROUTES_MAX == 256, "maxItems of routes");

T_CASE(says_where_and_why)
{
    check_rows(table, LL_COUNT(table));
}

T_CASE(bounds_its_size)
{
    static char text[LL_MANIFEST_BYTES_MAX + 2];
    struct ll_mem mem;
    struct ll_manifest *m;
    struct ll_err err;
    memset(text, ' ', sizeof text - 1);
    memcpy(text, minimal, sizeof minimal - 1);
    T_INT(read_text(&mem, text, &m, &err), LINLI_E_LIMIT);
    T_STR(ll_cstr(err.code), "package/too-large");
    text[LL_MANIFEST_BYTES_MAX] = '\0';
    T_INT(read_text(&mem, text, &m, &err), LINLI_OK);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(survives_every_failed_allocation)
{
    struct ll_mem mem;
    struct ll_manifest *m;
    struct ll_err err;
    linli_status status = LINLI_E_NOMEM;
    uint64_t n = 0;
    while (status != LINLI_OK && n < 10000) {
        ll_mem_init(&mem, 0);
        mem.fail_in = ++n;
        status = ll_manifest_read(&mem, ll_cstr(minimal), &m, &err);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        ll_manifest_free(&m);
        T_INT(mem.used_bytes, 0);
    }
    T_OK(n > 20 && n < 10000);
}

/* -- matching -- */

static const char routes[] =
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
    "\"main\":\"main.lua\",\"routes\":["
    "{\"method\":\"GET\",\"path\":\"/\",\"caller\":[\"app\"]},"
    "{\"method\":\"GET\",\"path\":\"/:a/:b\",\"caller\":[\"app\"]},"
    "{\"method\":\"GET\",\"path\":\"/x/:b\",\"caller\":[\"app\"]},"
    "{\"method\":\"GET\",\"path\":\"/:a/y\",\"caller\":[\"app\"]},"
    "{\"method\":\"POST\",\"path\":\"/x/y\",\"caller\":[\"app\"]},"
    "{\"method\":\"DELETE\",\"path\":\"/t/:a/z/:b\",\"caller\":[\"app\"]}]}";

static const struct {
    const char *method, *path;
    int route; /* -1: none; -2: malformed */
    uint32_t allow;
    const char *params; /* joined by ',' */
} paths[] = {
    {"GET", "/", 0, 0, ""},
    {"GET", "", 0, 0, ""},
    {"POST", "/", -1, 1, ""},
    {"GET", "/p/q", 1, 0, "p,q"},
    {"GET", "/x/q", 2, 0, "q"},
    {"GET", "/x/y", 2, 0, "y"}, /* left to right: x before y */
    {"GET", "/p/y", 3, 0, "p"},
    {"POST", "/x/y", 4, 0, ""},
    {"PUT", "/x/y", -1, 3, ""},
    {"POST", "/p/q", -1, 1, ""},
    {"GET", "/p", -1, 0, ""},
    {"GET", "/p/q/", -1, 0, ""},
    {"GET", "/p//", -1, 0, ""},
    {"GET", "//q", -1, 0, ""},
    {"DELETE", "/t/1/z/2", 5, 0, "1,2"},
    {"DELETE", "/t/1/Z/2", -1, 0, ""},
    {"GET", "/%78/q", 2, 0, "q"}, /* %78 is x */
    {"GET", "/p/a%20b%2B", 1, 0, "p,a b+"},
    {"GET", "/p/%E4%BA%AC", 1, 0, "p,\xe4\xba\xac"},
    {"GET", "/p/%", -2, 0, ""},
    {"GET", "/p/%4", -2, 0, ""},
    {"GET", "/p/%zz", -2, 0, ""},
    {"GET", "/p/a%2Fb", -2, 0, ""},
    {"GET", "/p/a%00", -2, 0, ""},
    {"GET", "/p/%FF", -2, 0, ""},
    {"GET", "/p/\xff", -2, 0, ""},
    {"GET", "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h/i/j", -1, 0, ""},
    {"get", "/p/q", -1, 1, ""},
};

T_CASE(matches_paths)
{
    struct ll_mem mem;
    struct ll_manifest *m;
    struct ll_err err;
    struct ll_arena scratch;
    T_INT(read_text(&mem, routes, &m, &err), LINLI_OK);
    if (m == NULL)
        return;
    ll_arena_init(&scratch, &mem, 4096);
    for (size_t i = 0; i < LL_COUNT(paths); i++) {
        struct ll_match match;
        char params[64] = "";
        bool read = ll_manifest_match(m, ll_cstr(paths[i].method),
            ll_cstr(paths[i].path), &scratch, &match);
        int got = !read                 ? -2
                  : match.route == NULL ? -1
                                        : (int)match.route_index;
        for (uint32_t k = 0; k < match.param_count; k++)
            (void)snprintf(params + strlen(params),
                sizeof params - strlen(params), "%s%.*s", k == 0 ? "" : ",",
                LL_FMT(match.params[k]));
        T_INT(got, paths[i].route);
        T_INT(match.allow, paths[i].allow);
        T_STR(ll_cstr(params), paths[i].params);
        ll_arena_reset(&scratch);
    }
    ll_arena_fini(&scratch);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(knows_methods_and_callers)
{
    static const char *const methods[] = {
        "GET", "POST", "PUT", "PATCH", "DELETE"};
    for (unsigned i = 0; i < LL_COUNT(methods); i++)
        T_INT(ll_method_bit(ll_cstr(methods[i])), 1u << i);
    T_INT(ll_method_bit(LINLI_STR("HEAD")), 0);
    T_INT(ll_method_bit(LINLI_STR("")), 0);
    T_STR(ll_cstr(ll_caller_name(LL_CALLER_OPERATOR)), "operator");
    T_OK(ll_caller_name(LL_CALLER_COUNT) == NULL);
}

T_MAIN(T_RUN(reads_the_minimal_manifest) T_RUN(reads_every_member)
        T_RUN(says_where_and_why) T_RUN(bounds_its_size)
            T_RUN(survives_every_failed_allocation) T_RUN(matches_paths)
                T_RUN(knows_methods_and_callers))
