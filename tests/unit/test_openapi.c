/* tests/unit/test_openapi.c: the description merged from manifests. */
#include "base/text.h"
#include "server/openapi.h"
#include "t.h"

static struct ll_mem mem;
static struct ll_buf out;
static struct ll_json json;

static const char parking[] =
    "{\"id\":\"parking\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
    "\"main\":\"main.lua\",\"name\":{\"zh-CN\":\"停车\",\"en\":\"Parking\"},"
    "\"routes\":["
    "{\"method\":\"POST\",\"path\":\"/tariffs/:lot/simulate\","
    "\"caller\":[\"operator\",\"resident\"],\"safe\":true,"
    "\"summary\":{\"zh-CN\":\"试算\",\"en\":\"Try a stay\"},"
    "\"request\":{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
    "\"type\":\"object\",\"additionalProperties\":false,"
    "\"properties\":{\"never\":false,\"tariff\":{\"$ref\":\"#/$defs/tariff\"},"
    "\"$ref\":{\"type\":\"string\"},"
    "\"self\":{\"$ref\":\"#\"},"
    "\"list\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/tariff\"}},"
    "\"any\":{\"anyOf\":[{\"$ref\":\"#/$defs/tariff\"},true]},"
    "\"word\":{\"const\":{\"$ref\":\"#/$defs/tariff\"}}},"
    "\"$defs\":{\"tariff\":{\"type\":\"integer\"}}},"
    "\"response\":{\"type\":\"object\"}},"
    "{\"method\":\"GET\",\"path\":\"/lots/:id\",\"caller\":[\"app\"]},"
    "{\"method\":\"PUT\",\"path\":\"/lots/:lot\",\"caller\":[\"staff\"],"
    "\"request\":{\"$id\":\"https://a.example/lot\","
    "\"properties\":{\"a\":{\"$ref\":\"#/$defs/b\"}},"
    "\"$defs\":{\"b\":{\"type\":\"null\"}}}},"
    "{\"method\":\"POST\",\"path\":\"/a/b\",\"caller\":[\"app\"],"
    "\"request\":{\"properties\":{\"a\":{\"$ref\":\"#there\"}},"
    "\"$defs\":{\"b /c\":{\"$anchor\":\"there\",\"type\":\"null\"}}}},"
    "{\"method\":\"POST\",\"path\":\"/a_b\",\"caller\":[\"app\"],"
    "\"request\":{\"properties\":{\"a\":{\"$ref\":\"part#/$defs/c\"}},"
    "\"$defs\":{\"p\":{\"$id\":\"part\","
    "\"$defs\":{\"c\":{\"type\":\"null\"}}}}}},"
    "{\"method\":\"POST\",\"path\":\"/a.b\",\"caller\":[\"app\"]},"
    "{\"method\":\"GET\",\"path\":\"/\",\"caller\":[\"app\"]},"
    "{\"method\":\"DELETE\",\"path\":\"/c/:community\","
    "\"caller\":[\"operator\"]}]}";

static const char parking_next[] =
    "{\"id\":\"parking\",\"version\":\"2.0.0-rc.1+x\",\"abi\":1,"
    "\"runtime\":\"lua\",\"main\":\"main.lua\",\"routes\":["
    "{\"method\":\"POST\",\"path\":\"/tariffs/:lot/simulate\","
    "\"caller\":[\"operator\"],\"request\":{\"type\":\"object\","
    "\"properties\":{\"x\":{\"$ref\":\"#/properties/y\"},"
    "\"y\":true}}},"
    "{\"method\":\"GET\",\"path\":\"/c/:community\",\"caller\":[\"app\"]}]}";

static const char bare[] =
    "{\"id\":\"bare\",\"version\":\"0.1.0\",\"abi\":1,\"runtime\":\"lua\","
    "\"main\":\"main.lua\",\"problems\":{\"bare/none-left\":{\"status\":409,"
    "\"title\":{\"zh-CN\":\"没有了\",\"en\":\"None left\"}}}}";

static const char gates[] =
    "{\"id\":\"gates\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
    "\"main\":\"main.lua\",\"collections\":{\"pass\":{}},"
    "\"events\":{\"publishes\":[\"gates.open\"]},\"routes\":["
    "{\"method\":\"POST\",\"path\":\"/:gate/entry\",\"caller\":[\"device\"],"
    "\"fallback\":{\"status\":200,\"body\":{\"open\":true}}},"
    "{\"method\":\"GET\",\"path\":\"/:gate/feed\","
    "\"caller\":[\"device\",\"staff\"],\"feed\":{\"event\":\"gates.open\"}},"
    "{\"method\":\"GET\",\"path\":\"/passes/:id\",\"caller\":[\"staff\"]},"
    "{\"method\":\"PATCH\",\"path\":\"/passes/:id\",\"caller\":[\"staff\"],"
    "\"response\":{\"type\":\"object\"}},"
    "{\"method\":\"POST\",\"path\":\"/both\","
    "\"caller\":[\"staff\",\"device\"]}]}";

static struct ll_manifest *
read_manifest(const char *text)
{
    struct ll_manifest *m = NULL;
    struct ll_err err = {.msg = ""};
    linli_status status = ll_manifest_read(&mem, ll_cstr(text), &m, &err);
    T_INT(status, LINLI_OK);
    if (status != LINLI_OK)
        printf("#   %s: %s\n", err.where, err.msg);
    return m;
}

/* -- looking into the document -- */

/* What a pointer such as "/paths/~1healthz/get" leads to. */
static struct ll_jv
at(const char *pointer)
{
    struct ll_jv v = ll_json_root(&json);
    linli_str rest = ll_cstr(pointer), part;
    (void)ll_str_split(&rest, '/', &part);
    while (ll_str_split(&rest, '/', &part)) {
        char name[256];
        size_t n = 0;
        for (size_t i = 0; i < part.len && n < sizeof name; i++) {
            if (part.ptr[i] == '~' && i + 1 < part.len)
                name[n++] = part.ptr[++i] == '1' ? '/' : '~';
            else
                name[n++] = part.ptr[i];
        }
        if (!ll_percent_decode((linli_str){name, n}, name, &n))
            return (struct ll_jv){NULL, 0};
        v = ll_jv_get_str(v, (linli_str){name, n});
    }
    return v;
}

static unsigned refs_seen;

/* Every reference to this document must lead somewhere. A $ref that is data
 * (under const) or a property's name holds no string of that form here. */
static void
check_refs(struct ll_jv v, bool in_data)
{
    if (ll_jv_is(v, LL_JSON_ARRAY)) {
        LL_JSON_EACH (item, v)
            check_refs(item, in_data);
        return;
    }
    if (!ll_jv_is(v, LL_JSON_OBJECT))
        return;
    if (ll_jv_there(ll_jv_get(v, "$id")))
        return;
    LL_JSON_MEMBERS (key, value, v) {
        if (ll_str_is(ll_jv_str(key), "$ref") &&
            ll_jv_is(value, LL_JSON_STRING) && !in_data) {
            char pointer[256];
            linli_str ref = ll_jv_str(value);
            T_OK(ll_str_starts(ref, "#/components/"));
            (void)snprintf(
                pointer, sizeof pointer, "%.*s", (int)ref.len - 1, ref.ptr + 1);
            bool leads = ll_jv_there(at(pointer));
            T_OK(leads);
            if (!leads)
                printf("#   dangling %.*s\n", LL_FMT(ref));
            refs_seen++;
        }
        check_refs(value, in_data || ll_str_is(ll_jv_str(key), "const"));
    }
}

#define IDS_MAX 256
static linli_str ids[IDS_MAX];
static unsigned id_count;

static void
check_operation(linli_str path, struct ll_jv item, struct ll_jv op)
{
    linli_str id = ll_jv_str(ll_jv_get(op, "operationId"));
    T_OK(id.len > 0);
    for (unsigned i = 0; i < id_count; i++)
        T_OK(!ll_str_eq(ids[i], id));
    if (id_count < IDS_MAX)
        ids[id_count++] = id;
    T_OK(ll_jv_str(ll_jv_get(op, "summary")).len > 0);
    T_OK(ll_jv_there(ll_jv_get(op, "security")));
    T_OK(ll_jv_count(ll_jv_get(op, "responses")) > 1);
    T_INT(ll_jv_count(ll_jv_get(op, "tags")), 1);
    /* The path's parameters are those declared, each once. */
    unsigned braces = 0, declared = 0;
    for (size_t i = 0; i < path.len; i++)
        braces += path.ptr[i] == '{';
    LL_JSON_EACH (parameter, ll_jv_get(item, "parameters")) {
        char want[64];
        linli_str name = ll_jv_str(ll_jv_get(parameter, "name"));
        (void)snprintf(want, sizeof want, "{%.*s}", LL_FMT(name));
        size_t n = strlen(want), hits = 0;
        for (size_t i = 0; i + n <= path.len; i++)
            hits += memcmp(path.ptr + i, want, n) == 0;
        T_INT(hits, 1);
        T_OK(ll_jv_true(ll_jv_get(parameter, "required")));
        declared++;
    }
    T_INT(braces, declared);
}

static void
check_paths(void)
{
    id_count = 0;
    LL_JSON_MEMBERS (path, item, at("/paths")) {
        T_OK(ll_str_starts(ll_jv_str(path), "/"));
        LL_JSON_MEMBERS (method, op, item)
            if (!ll_str_is(ll_jv_str(method), "parameters"))
                check_operation(ll_jv_str(path), item, op);
    }
}

/* OpenAPI allows these characters in a component's name and no others. */
static bool
is_component(linli_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'))
            return false;
    }
    return name.len > 0;
}

static void
check_components(void)
{
    LL_JSON_MEMBERS (name, schema, at("/components/schemas")) {
        T_OK(is_component(ll_jv_str(name)));
        T_OK(ll_jv_there(schema));
    }
}

/* Writes and reads back; the strict reader refuses a member that stands
 * twice, so no path and no component is lost. */
static void
write(const struct ll_openapi_entry *entries, uint32_t count)
{
    struct ll_err err = {.msg = ""};
    ll_buf_init(&out, &mem, 1u << 20);
    ll_json_init(&json, &mem);
    T_INT(ll_openapi_write(&mem, entries, count, &out), LINLI_OK);
    linli_status status =
        ll_json_parse(&json, ll_buf_view(&out), LL_JSON_DEPTH_MAX, &err);
    T_INT(status, LINLI_OK);
    if (status != LINLI_OK) {
        printf("#   %s\n", err.msg);
        return;
    }
    T_STR(ll_jv_str(at("/openapi")), "3.1.0");
    refs_seen = 0;
    check_refs(ll_json_root(&json), false);
    T_OK(refs_seen > 10);
    check_paths();
    check_components();
}

static void
done(void)
{
    ll_json_fini(&json);
    ll_buf_fini(&out);
}

#define ONE "/paths/~1v1~1c~1{community}~1parking~1"
#define SCHEMA "/components/schemas/parking."

T_CASE(without_plugins)
{
    write(NULL, 0);
    T_OK(ll_jv_there(at("/paths/~1healthz/get")));
    T_OK(ll_jv_there(at("/paths/~1readyz/get")));
    T_OK(ll_jv_there(at("/paths/~1metrics/get")));
    T_OK(ll_jv_there(at("/paths/~1openapi.json/get")));
    T_INT(ll_jv_count(at("/tags")), 1);
    done();
    T_INT(mem.used_bytes, 0);
}

T_CASE(one_plugin)
{
    struct ll_manifest *m = read_manifest(parking), *b = read_manifest(bare);
    struct ll_openapi_entry entries[] = {
        {LINLI_STR("hy"), m}, {LINLI_STR("yg"), m}, {LINLI_STR("hy"), b}};
    write(entries, 3);
    struct ll_jv op = at(ONE "tariffs~1{lot}~1simulate/post");
    T_STR(ll_jv_str(ll_jv_get(op, "operationId")),
        "parking.post_tariffs_by_lot_simulate");
    T_STR(ll_jv_str(ll_jv_get(op, "summary")), "试算 / Try a stay");
    T_INT(ll_jv_count(ll_jv_get(op, "x-linli-callers")), 2);
    T_STR(ll_jv_str(ll_jv_get(
              ll_jv_get(
                  ll_jv_get(ll_jv_get(ll_jv_get(op, "requestBody"), "content"),
                      "application/json"),
                  "schema"),
              "$ref")),
        "#/components/schemas/parking.post_tariffs_by_lot_simulate.request");
    /* Safe: no key. Not safe: the key is asked for. */
    T_OK(!ll_jv_there(ll_jv_get(op, "parameters")));
    op = at(ONE "lots~1{id}/put");
    T_STR(
        ll_jv_str(ll_jv_get(ll_jv_first(ll_jv_get(op, "parameters")), "$ref")),
        "#/components/parameters/IdempotencyKey");
    /* Both methods of a path stand together, by the first one's names. */
    op = at(ONE "lots~1{id}/get");
    T_STR(ll_jv_str(ll_jv_get(op, "summary")), "GET /lots/:id");
    T_OK(!ll_jv_there(ll_jv_get(op, "parameters")));
    T_OK(!ll_jv_there(ll_jv_get(op, "requestBody")));
    T_OK(!ll_jv_there(at(ONE "lots~1{lot}")));
    T_OK(ll_jv_there(at("/paths/~1v1~1c~1{community}~1parking/get")));
    T_OK(ll_jv_there(at(ONE "c~1{community-2}/delete/parameters")));
    struct ll_jv communities = ll_jv_get(
        ll_jv_get(ll_jv_first(at(ONE "lots~1{id}/parameters")), "schema"),
        "enum");
    T_INT(ll_jv_count(communities), 2);
    T_STR(ll_jv_str(ll_jv_first(communities)), "hy");
    T_INT(ll_jv_count(at("/tags")), 3);
    int tagged = 0;
    LL_JSON_EACH (tag, at("/tags")) {
        struct ll_jv problem =
            ll_jv_get(ll_jv_get(tag, "x-linli-problems"), "bare/none-left");
        int64_t http_status = 0;
        if (!ll_jv_int(ll_jv_get(problem, "status"), &http_status))
            continue;
        tagged++;
        T_INT(http_status, 409);
        T_STR(ll_jv_str(ll_jv_get(ll_jv_get(problem, "title"), "zh-CN")),
            "没有了");
    }
    T_INT(tagged, 1);
    done();
    ll_manifest_free(&m);
    ll_manifest_free(&b);
    T_INT(mem.used_bytes, 0);
}

T_CASE(references_lead_where_they_did)
{
    struct ll_manifest *m = read_manifest(parking);
    struct ll_openapi_entry entry = {LINLI_STR("hy"), m};
    write(&entry, 1);
#define REQUEST SCHEMA "post_tariffs_by_lot_simulate.request"
#define LEADS                                                   \
    "#/components/schemas/parking.post_tariffs_by_lot_simulate" \
    ".request"
    static const struct {
        const char *pointer, *want;
    } table[] = {
        {REQUEST "/properties/tariff/$ref", LEADS "/$defs/tariff"},
        {REQUEST "/properties/self/$ref", LEADS},
        {REQUEST "/properties/list/items/$ref", LEADS "/$defs/tariff"},
        /* Not references: a property of this name, and data. */
        {REQUEST "/properties/$ref/type", "string"},
        {REQUEST "/properties/word/const/$ref", "#/$defs/tariff"},
        /* What names the schema is dropped, and not needed. */
        {SCHEMA "put_lots_by_lot.request/properties/a/$ref",
            "#/components/schemas/parking.put_lots_by_lot.request/$defs/b"},
        {SCHEMA "post_a_b.request/properties/a/$ref",
            "#/components/schemas/parking.post_a_b.request/$defs/b%20~1c"},
        /* What refers by URI is left alone, as a resource. */
        {SCHEMA "post_a_b_2.request/$id",
            "urn:linli:schema:parking.post_a_b_2.request"},
        {SCHEMA "post_a_b_2.request/properties/a/$ref", "part#/$defs/c"},
    };
    for (size_t i = 0; i < LL_COUNT(table); i++)
        T_STR(ll_jv_str(at(table[i].pointer)), table[i].want);
    struct ll_jv any = at(REQUEST "/properties/any/anyOf");
    T_STR(
        ll_jv_str(ll_jv_get(ll_jv_first(any), "$ref")), LEADS "/$defs/tariff");
    struct ll_jv second = ll_jv_after(ll_jv_first(any));
    T_OK(ll_jv_is(second, LL_JSON_OBJECT));
    T_INT(ll_jv_count(second), 0);
    T_INT(ll_jv_count(at(REQUEST "/properties/never/not")), 0);
    T_OK(ll_jv_is(at(REQUEST "/properties/never/not"), LL_JSON_OBJECT));
    T_OK(ll_jv_is(at(REQUEST "/additionalProperties"), LL_JSON_FALSE));
    T_OK(!ll_jv_there(at(REQUEST "/$schema")));
    T_OK(!ll_jv_there(at(SCHEMA "put_lots_by_lot.request/$id")));
    done();
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(two_versions)
{
    struct ll_manifest *old = read_manifest(parking);
    struct ll_manifest *new = read_manifest(parking_next);
    struct ll_openapi_entry entries[] = {{LINLI_STR("hy"), old},
        {LINLI_STR("yg"), new}, {LINLI_STR("dh"), old}, {LINLI_STR("xc"), new}};
    write(entries, 4);
    struct ll_jv communities = ll_jv_get(
        ll_jv_get(ll_jv_first(at(ONE "lots~1{id}/parameters")), "schema"),
        "enum");
    T_INT(ll_jv_count(communities), 2);
    T_STR(ll_jv_str(ll_jv_after(ll_jv_first(communities))), "dh");
    /* Not safe in the new version: it differs where it is described. */
    T_OK(!ll_jv_there(at(ONE "tariffs~1{lot}~1simulate/post/parameters")));
#define YG "/paths/~1v1~1c~1yg~1parking~1"
#define XC "/paths/~1v1~1c~1xc~1parking~1"
    T_OK(ll_jv_there(at(YG "tariffs~1{lot}~1simulate/post/parameters")));
    T_OK(ll_jv_there(at(XC "tariffs~1{lot}~1simulate/post/parameters")));
    T_STR(ll_jv_str(at(SCHEMA "at3.post_tariffs_by_lot_simulate.request"
                              "/properties/x/$ref")),
        "#/components/schemas/"
        "parking.at3.post_tariffs_by_lot_simulate.request/properties/y");
    /* Without {community} in the path the plugin's own keeps its name. */
    T_OK(ll_jv_there(at(YG "c~1{community}/get")));
    T_INT(ll_jv_count(at("/tags")), 2);
    done();
    ll_manifest_free(&old);
    ll_manifest_free(&new);
    T_INT(mem.used_bytes, 0);
}

/* The compact text of what a pointer leads to. */
static linli_str
text_at(struct ll_buf *buf, const char *pointer)
{
    ll_buf_clear(buf);
    struct ll_jw w = ll_jw(buf);
    struct ll_jv v = at(pointer);
    if (ll_jv_there(v))
        ll_jw_value(&w, v);
    return ll_buf_view(buf);
}

#define GATES "/paths/~1v1~1c~1{community}~1gates~1"
#define REF(where) "{\"$ref\":\"#/components/" where "\"}"

T_CASE(devices_feeds_and_versions)
{
    static const struct {
        const char *pointer, *want;
    } table[] = {
        {GATES "{gate}~1entry/post/security", "[{\"device\":[]}]"},
        {GATES "{gate}~1entry/post/parameters", ""},
        {GATES "{gate}~1entry/post/x-linli-fallback",
            "{\"status\":200,\"body\":{\"open\":true}}"},
        {GATES "{gate}~1feed/get/security",
            "[{\"bearer\":[]},{\"device\":[]}]"},
        {GATES "{gate}~1feed/get/parameters",
            "[" REF("parameters/FeedAfter") "," REF(
                "parameters/FeedWait") "," REF("parameters/FeedLimit") "]"},
        {GATES "{gate}~1feed/get/responses/2XX/headers", ""},
        {GATES "{gate}~1feed/get/responses/2XX/content/application~1json",
            "{\"schema\":" REF("schemas/EventPage") "}"},
        {GATES "passes~1{id}/get/security", "[{\"bearer\":[]}]"},
        {GATES "passes~1{id}/get/parameters", ""},
        {GATES "passes~1{id}/get/responses/2XX/headers",
            "{\"ETag\":" REF("headers/ETag") "}"},
        {GATES "passes~1{id}/patch/parameters",
            "[" REF("parameters/IdempotencyKey") "," REF(
                "parameters/IfMatch") "]"},
        {GATES "passes~1{id}/patch/responses/2XX/headers",
            "{\"ETag\":" REF("headers/ETag") "}"},
        {GATES "both/post/parameters",
            "[" REF("parameters/IdempotencyKey") "]"},
        {GATES "both/post/responses/2XX/headers", ""},
        {"/components/securitySchemes/device/name", "\"Linli-Signature\""},
    };
    struct ll_manifest *m = read_manifest(gates);
    struct ll_openapi_entry entry = {LINLI_STR("hy"), m};
    struct ll_buf text;
    ll_buf_init(&text, &mem, 4096);
    write(&entry, 1);
    for (size_t i = 0; i < LL_COUNT(table); i++)
        T_STR(text_at(&text, table[i].pointer), table[i].want);
    ll_buf_fini(&text);
    done();
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(memory_runs_out)
{
    struct ll_manifest *m = read_manifest(parking);
    struct ll_openapi_entry entry = {LINLI_STR("hy"), m};
    size_t before = mem.used_bytes;
    unsigned failures = 0;
    for (uint64_t nth = 1; nth < 200; nth++) {
        ll_buf_init(&out, &mem, 1u << 20);
        mem.fail_in = nth;
        failures += ll_openapi_write(&mem, &entry, 1, &out) != LINLI_OK;
        bool reached = mem.fail_in == 0;
        mem.fail_in = 0;
        ll_buf_fini(&out);
        T_INT(mem.used_bytes, before);
        if (!reached)
            break;
    }
    T_OK(failures > 5);
    ll_buf_init(&out, &mem, 100);
    T_INT(ll_openapi_write(&mem, &entry, 1, &out), LINLI_E_NOMEM);
    ll_buf_fini(&out);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

/* clang-format off */
T_MAIN(
    T_RUN(without_plugins)
    T_RUN(one_plugin)
    T_RUN(references_lead_where_they_did)
    T_RUN(two_versions)
    T_RUN(devices_feeds_and_versions)
    T_RUN(memory_runs_out))
