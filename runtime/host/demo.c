/* host/demo.c: curl lines that work when pasted. */
#include "host/demo.h"

#include "base/text.h"
#include "host/dev_key.h"

#define DEMO_DEPTH_MAX 32
#define DEMO_TTL_S 86400

struct ll_demo_call {
    struct ll_demo_call *next;
    linli_str as, method, path, body, say_en, say_zh;
};

static linli_str
keep_json(struct ll_host *host, struct ll_jv value)
{
    struct ll_buf text;
    ll_buf_init(&text, &host->mem, LL_HTTP_BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    linli_str kept = {NULL, 0};
    if (ll_jv_there(value)) {
        ll_jw_value(&w, value);
        kept = ll_arena_str(&host->arena, ll_buf_view(&text));
    }
    ll_buf_fini(&text);
    return kept;
}

static linli_str
keep_str(struct ll_host *host, struct ll_jv value)
{
    return ll_arena_str(&host->arena, ll_jv_str(value));
}

/* A path as a curl line may name it: visible ASCII. */
static bool
is_path(linli_str path)
{
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] < 0x21 || path.ptr[i] > 0x7e)
            return false;
    return ll_str_starts(path, "/");
}

/* What no request can be made of is left out: these lines are for a shell,
 * and the package they come from is a stranger's. */
static void
remember(struct ll_host *host, struct ll_jv item)
{
    if (ll_method_bit(ll_jv_str(ll_jv_get(item, "method"))) == 0 ||
        !is_path(ll_jv_str(ll_jv_get(item, "path"))))
        return;
    struct ll_demo_call *call = ll_arena_alloc(&host->arena, sizeof *call);
    struct ll_demo_call **end = &host->demo_calls;
    if (call == NULL)
        return;
    struct ll_jv say = ll_jv_get(item, "say");
    *call = (struct ll_demo_call){
        .as = keep_str(host, ll_jv_get(item, "as")),
        .method = keep_str(host, ll_jv_get(item, "method")),
        .path = keep_str(host, ll_jv_get(item, "path")),
        .body = keep_json(host, ll_jv_get(item, "body")),
        .say_en = keep_str(host, ll_jv_get(say, "en")),
        .say_zh = keep_str(host, ll_jv_get(say, "zh-CN")),
    };
    while (*end != NULL)
        end = &(*end)->next;
    *end = call;
}

linli_status
ll_demo_read(struct ll_host *host, linli_str text, struct ll_buf *config,
    struct ll_err *err)
{
    struct ll_json json;
    ll_json_init(&json, &host->mem);
    linli_status status = ll_json_parse(&json, text, DEMO_DEPTH_MAX, err);
    if (status == LINLI_OK) {
        struct ll_jv root = ll_json_root(&json);
        struct ll_jw w = ll_jw(config);
        if (ll_jv_there(ll_jv_get(root, "config")))
            ll_jw_value(&w, ll_jv_get(root, "config"));
        LL_JSON_EACH (item, ll_jv_get(root, "try")) {
            remember(host, item);
        }
    }
    ll_json_fini(&json);
    return status;
}

/* A token for "ROLE" of the demo community, or nothing if it fails: the
 * caller would see 401, which says enough. */
static void
put_token(struct ll_host *host, linli_str kind, struct ll_buf *out)
{
    struct ll_buf claims;
    struct ll_dev_claims want = {.kind = kind,
        .id = LINLI_STR("demo"),
        .community = LINLI_STR("demo"),
        .now_ms = ll_world_wall(host->world).ms,
        .ttl_s = DEMO_TTL_S};
    ll_buf_init(&claims, &host->mem, LL_TOKEN_BYTES_MAX);
    if (ll_dev_claims_write(&host->mem, &want, &claims, NULL) == LINLI_OK &&
        ll_jwt_sign(host->dev_key, ll_buf_view(&claims), out, NULL) != LINLI_OK)
        ll_buf_cstr(out, "TOKEN");
    ll_buf_fini(&claims);
}

/* Inside single quotes of a shell. */
static void
put_quoted(struct ll_buf *out, linli_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\'')
            ll_buf_cstr(out, "'\\''");
        else
            ll_buf_char(out, s.ptr[i]);
}

/* One line behind a '#', whatever it says. */
static void
put_comment(struct ll_buf *out, linli_str s)
{
    ll_buf_cstr(out, "# ");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        ll_buf_char(out, c < 0x20 || c == 0x7f ? ' ' : s.ptr[i]);
    }
    ll_buf_char(out, '\n');
}

/* One for each line, so that it may be pasted twice. */
static void
put_key(const struct ll_demo_call *c, uint32_t number, struct ll_buf *out)
{
    if (!ll_str_is(c->method, "GET"))
        ll_buf_printf(out, " \\\n  -H 'Idempotency-Key: demo-%u'", number);
}

void
ll_demo_print(struct ll_host *host, struct ll_buf *out)
{
    uint32_t number = 0;
    for (struct ll_demo_call *c = host->demo_calls; c != NULL; c = c->next) {
        ll_buf_char(out, '\n');
        put_comment(out, c->say_en);
        put_comment(out, c->say_zh);
        ll_buf_printf(out, "curl -sS -w '\\n' -X %.*s '%s/v1/c/demo",
            LL_FMT(c->method), host->url);
        put_quoted(out, c->path);
        ll_buf_cstr(out, "' \\\n  -H 'Authorization: Bearer ");
        put_token(host, c->as, out);
        ll_buf_cstr(out, "'");
        put_key(c, ++number, out);
        if (c->body.len > 0) {
            ll_buf_cstr(out, " \\\n  -H 'Content-Type: application/json' -d '");
            put_quoted(out, c->body);
            ll_buf_cstr(out, "'");
        }
        ll_buf_char(out, '\n');
    }
}
