/* tests/unit/test_leaf.c: leaves of the log: what is written is read, and no
 * other bytes are. */
#include "t.h"

#include "base/text.h"
#include "domain/leaf.h"

#define TAG "00112233445566778899aabbccddeeff"
#define DIGEST TAG TAG

static struct ll_mem mem;

static linli_status
read_line(linli_str line, struct ll_leaf *out, struct ll_json *json)
{
    struct ll_err err;
    linli_status status = ll_leaf_read(json, line, out, &err);
    if (status != LINLI_OK)
        T_STR(ll_cstr(err.code), "log/leaf");
    return status;
}

/* One with every member. */
static const char whole[] =
    "{\"v\":1,\"type\":\"give\",\"at\":1772413200123,\"community\":\"maple\","
    "\"actor\":\"staff:li \\\"q\\\" \xe6\x9d\x8e\",\"subject\":\"" TAG "\","
    "\"plugin\":\"parking\",\"purpose\":\"service\","
    "\"fields\":[\"phone\",\"plate\"],\"basis\":\"consent\","
    "\"level\":\"separate\",\"grant\":\"" TAG "\",\"version\":3,"
    "\"until\":1803949200000,\"uses\":1,\"result\":\"done\",\"call\":\"" TAG
    "\",\"notice\":\"" DIGEST "\",\"digest\":\"" DIGEST
    "\",\"data\":{\"b\":[1,{}],\"a\":{\"fields\":[\"x\"]},\"t\":true,"
    "\"n\":null}}";

static struct ll_leaf
whole_leaf(void)
{
    return (struct ll_leaf){.type = LL_LEAF_GIVE,
        .at_ms = 1772413200123,
        .community = LINLI_STR("maple"),
        .actor = LINLI_STR("staff:li \"q\" \xe6\x9d\x8e"),
        .subject = LINLI_STR(TAG),
        .plugin = LINLI_STR("parking"),
        .purpose = LINLI_STR("service"),
        .fields_json = LINLI_STR("[\"phone\",\"plate\"]"),
        .basis = LINLI_STR("consent"),
        .level = LINLI_STR("separate"),
        .grant = LINLI_STR(TAG),
        .version = 3,
        .until_ms = 1803949200000,
        .uses = 1,
        .result = LINLI_STR("done"),
        .call = LINLI_STR(TAG),
        .notice = LINLI_STR(DIGEST),
        .digest = LINLI_STR(DIGEST),
        .data_json = LINLI_STR("{\"b\":[1,{}],\"a\":{\"fields\":[\"x\"]},"
                               "\"t\":true,\"n\":null}")};
}

T_CASE(every_member_comes_back)
{
    struct ll_buf out;
    struct ll_json json;
    struct ll_leaf leaf = whole_leaf(), got;
    ll_buf_init(&out, &mem, LL_LEAF_BYTES_MAX);
    ll_json_init(&json, &mem);
    ll_leaf_put(&out, &leaf);
    T_STR(ll_buf_view(&out), whole);
    T_INT(read_line(ll_buf_view(&out), &got, &json), LINLI_OK);
    T_INT(got.type, LL_LEAF_GIVE);
    T_INT(got.at_ms, 1772413200123);
    T_STR(got.community, "maple");
    T_STR(got.actor, "staff:li \"q\" \xe6\x9d\x8e");
    T_STR(got.subject, TAG);
    T_STR(got.plugin, "parking");
    T_STR(got.purpose, "service");
    T_STR(got.fields_json, "[\"phone\",\"plate\"]");
    T_STR(got.basis, "consent");
    T_STR(got.level, "separate");
    T_STR(got.grant, TAG);
    T_INT(got.version, 3);
    T_INT(got.until_ms, 1803949200000);
    T_INT(got.uses, 1);
    T_STR(got.result, "done");
    T_STR(got.call, TAG);
    T_STR(got.notice, DIGEST);
    T_STR(got.digest, DIGEST);
    T_OK(ll_str_eq(got.data_json, leaf.data_json));
    ll_json_fini(&json);
    ll_buf_fini(&out);
    T_INT(mem.used_bytes, 0);
}

T_CASE(what_says_nothing_is_left_out)
{
    struct ll_buf out;
    struct ll_json json;
    struct ll_leaf leaf = {.type = LL_LEAF_ORIGIN}, got;
    ll_buf_init(&out, &mem, LL_LEAF_BYTES_MAX);
    ll_json_init(&json, &mem);
    for (int type = LL_LEAF_ORIGIN; type <= LL_LEAF_DUTY; type++) {
        leaf.type = (enum ll_leaf_type)type;
        leaf.at_ms = -type;
        ll_buf_clear(&out);
        ll_leaf_put(&out, &leaf);
        T_INT(read_line(ll_buf_view(&out), &got, &json), LINLI_OK);
        T_INT(got.type, type);
        T_INT(got.at_ms, -type);
        T_INT(got.fields_json.len + got.data_json.len + got.actor.len, 0);
    }
    T_STR(ll_buf_view(&out), "{\"v\":1,\"type\":\"duty\",\"at\":-14}");
    ll_json_fini(&json);
    ll_buf_fini(&out);
}

/* Whatever one byte is changed to, taken out or put in at any place: it is
 * refused, or it is another leaf whose own bytes these are. */
T_CASE(every_changed_byte_is_refused_or_another_leaf)
{
    static const char puts[] = " \n\t\"\\{}[],:0a-.e";
    struct ll_json json;
    struct ll_buf out;
    size_t n = sizeof whole - 1, others = 0, refused = 0;
    ll_json_init(&json, &mem);
    ll_buf_init(&out, &mem, LL_LEAF_BYTES_MAX);
    for (size_t at = 0; at <= n; at++) {
        for (int what = 0; what < 256 + 1 + (int)sizeof puts - 1; what++) {
            char text[sizeof whole + 1];
            size_t len = n;
            struct ll_leaf got;
            memcpy(text, whole, sizeof whole);
            if (what < 256) {
                if (at == n || text[at] == (char)what)
                    continue;
                text[at] = (char)what;
            } else if (what == 256) {
                memmove(text + at, text + at + 1, n - at);
                len = at == n ? n - 1 : n - 1;
            } else {
                memmove(text + at + 1, text + at, n - at);
                text[at] = puts[what - 257];
                len = n + 1;
            }
            linli_str line = {text, len};
            if (ll_leaf_read(&json, line, &got, NULL) != LINLI_OK) {
                refused++;
                continue;
            }
            others++;
            ll_buf_clear(&out);
            ll_leaf_put(&out, &got);
            if (!ll_str_eq(ll_buf_view(&out), line)) {
                t_fail(__FILE__, __LINE__, "another text is the same leaf");
                printf("# %.*s\n", (int)line.len, line.ptr);
            }
        }
    }
    T_OK(refused > 100000);
    T_OK(others > 1000);
    ll_buf_fini(&out);
    ll_json_fini(&json);
}

/* Texts that mean a leaf and are not its own. */
T_CASE(other_texts_are_refused)
{
#define BASE "{\"v\":1,\"type\":\"give\",\"at\":5"
    static const char *const lines[] = {
        "",
        "{}",
        "[]",
        "1",
        "null",
        "{\"v\":2,\"type\":\"give\",\"at\":5}",
        "{\"v\":1.0,\"type\":\"give\",\"at\":5}",
        "{\"type\":\"give\",\"v\":1,\"at\":5}",
        "{\"v\":1,\"type\":\"given\",\"at\":5}",
        "{\"v\":1,\"type\":\"give\"}",
        "{\"v\":1,\"type\":\"give\",\"at\":5.0}",
        "{\"v\":1,\"type\":\"give\",\"at\":5e0}",
        "{\"v\":1,\"type\":\"give\",\"at\":-0}",
        "{\"v\":1,\"type\":\"give\",\"at\":05}",
        "{\"v\":1,\"type\":\"\\u0067ive\",\"at\":5}",
        BASE " }",
        " " BASE "}",
        BASE "}\n",
        BASE ",}",
        BASE ",\"at\":5}",
        BASE ",\"extra\":1}",
        BASE ",\"community\":\"\"}",
        BASE ",\"community\":null}",
        BASE ",\"community\":1}",
        BASE ",\"actor\":\"x\",\"community\":\"c\"}",
        BASE ",\"actor\":\"\\/\"}",
        BASE ",\"actor\":\"\\u00e9\"}",
        BASE ",\"actor\":\"\xff\"}",
        BASE ",\"actor\":\"\\ud800\"}",
        BASE ",\"subject\":\"0011\"}",
        BASE ",\"subject\":\"00112233445566778899AABBCCDDEEFF\"}",
        BASE ",\"grant\":\"" TAG "0\"}",
        BASE ",\"digest\":\"" TAG "\"}",
        BASE ",\"notice\":\"" TAG "\"}",
        BASE ",\"call\":\"x\"}",
        BASE ",\"fields\":[]}",
        BASE ",\"fields\":{}}",
        BASE ",\"fields\":[\"b\",\"a\"]}",
        BASE ",\"fields\":[\"a\",\"a\"]}",
        BASE ",\"fields\":[\"a\", \"b\"]}",
        BASE ",\"fields\":[1]}",
        BASE ",\"fields\":[\"\"]}",
        BASE ",\"version\":0}",
        BASE ",\"uses\":\"1\"}",
        BASE ",\"data\":[]}",
        BASE ",\"data\":{\"a\":1.5}}",
        BASE ",\"data\":{\"a\":1e3}}",
        BASE ",\"data\":{ }}",
        BASE ",\"data\":{\"a\":\"\\u0061\"}}",
        BASE ",\"data\":{\"a\":1,\"a\":1}}",
        BASE ",\"data\":null}",
    };
    struct ll_json json;
    struct ll_leaf got;
    ll_json_init(&json, &mem);
    T_INT(read_line(LINLI_STR(BASE "}"), &got, &json), LINLI_OK);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (read_line(ll_cstr(lines[i]), &got, &json) == LINLI_OK) {
            t_fail(__FILE__, __LINE__, "it was read");
            printf("# %s\n", lines[i]);
        }
    ll_json_fini(&json);
}

T_CASE(a_long_line_is_refused)
{
    static char text[LL_LEAF_BYTES_MAX + 64];
    struct ll_json json;
    struct ll_buf out;
    struct ll_leaf got, leaf = {.type = LL_LEAF_TERMS};
    memset(text, 'x', sizeof text);
    ll_json_init(&json, &mem);
    ll_buf_init(&out, &mem, (size_t)2 * LL_LEAF_BYTES_MAX);
    leaf.actor = (linli_str){text, LL_LEAF_BYTES_MAX};
    ll_leaf_put(&out, &leaf);
    T_OK(!out.failed);
    T_INT(read_line(ll_buf_view(&out), &got, &json), LINLI_E_INVALID);
    size_t over = out.len - LL_LEAF_BYTES_MAX;
    leaf.actor.len -= over;
    ll_buf_clear(&out);
    ll_leaf_put(&out, &leaf);
    T_INT(out.len, LL_LEAF_BYTES_MAX);
    T_INT(read_line(ll_buf_view(&out), &got, &json), LINLI_OK);
    ll_buf_fini(&out);
    ll_json_fini(&json);
}

T_MAIN(T_RUN(every_member_comes_back) T_RUN(what_says_nothing_is_left_out)
        T_RUN(every_changed_byte_is_refused_or_another_leaf)
            T_RUN(other_texts_are_refused) T_RUN(a_long_line_is_refused))
