/* tests/unit/test_problem_json.c: problem bodies and their page. */
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "host/problem_json.h"
#include "t.h"

static struct ll_mem mem;
static struct ll_buf buf;
static struct ll_json json;

/* Writes a problem and reads it back by the strict reader. */
static struct ll_jv
written(const struct ll_problem_args *args)
{
    ll_buf_clear(&buf);
    ll_problem_write(&buf, args);
    T_OK(!buf.failed);
    linli_status status =
        ll_json_parse(&json, ll_buf_view(&buf), LL_BODY_DEPTH_MAX, NULL);
    T_INT(status, LINLI_OK);
    return status == LINLI_OK ? ll_json_root(&json) : (struct ll_jv){NULL, 0};
}

static void
open_tape(void)
{
    ll_buf_init(&buf, &mem, 1u << 20);
    ll_json_init(&json, &mem);
}

static void
close_tape(void)
{
    ll_json_fini(&json);
    ll_buf_fini(&buf);
    T_INT(mem.used_bytes, 0);
}

static int64_t
int_of(struct ll_jv v)
{
    int64_t i = -1;
    (void)ll_jv_int(v, &i);
    return i;
}

T_CASE(own_problem_in_full)
{
    static const struct ll_problem_error errors[] = {
        {LINLI_STR("/plate"), LINLI_STR("pattern"),
            LINLI_STR("\"\\\" is no plate")},
        {LINLI_STR(""), LINLI_STR("required"), LINLI_STR("from is missing")},
    };
    struct ll_problem_args args = {
        .row = ll_problem_find(LINLI_STR("request/invalid")),
        .locale = LL_LOCALE_ZH,
        .detail = LINLI_STR("a \"quoted\"\nline"),
        .instance = LINLI_STR("/v1/c/hy/parking/x"),
        .trace_id = LINLI_STR("0af7651916cd43dd8448eb211c80319c"),
        .errors = errors,
        .error_count = 2};
    open_tape();
    struct ll_jv p = written(&args);
    T_STR(ll_jv_str(ll_jv_get(p, "type")), "urn:linli:problem:request/invalid");
    T_STR(ll_jv_str(ll_jv_get(p, "title")), "请求内容不符合接口规则");
    T_INT(int_of(ll_jv_get(p, "status")), 422);
    T_STR(ll_jv_str(ll_jv_get(p, "detail")), "a \"quoted\"\nline");
    T_STR(ll_jv_str(ll_jv_get(p, "instance")), "/v1/c/hy/parking/x");
    T_STR(ll_jv_str(ll_jv_get(p, "code")), "request/invalid");
    T_STR(ll_jv_str(ll_jv_get(p, "trace_id")),
        "0af7651916cd43dd8448eb211c80319c");
    T_OK(ll_jv_is(ll_jv_get(p, "retryable"), LL_JSON_FALSE));
    T_STR(ll_jv_str(ll_jv_get(p, "fix")), "请更正 detail 或 errors 列出的字段");
    struct ll_jv list = ll_jv_get(p, "errors");
    T_INT(ll_jv_count(list), 2);
    struct ll_jv one = ll_jv_first(list);
    T_STR(ll_jv_str(ll_jv_get(one, "pointer")), "/plate");
    T_STR(ll_jv_str(ll_jv_get(one, "rule")), "pattern");
    T_STR(ll_jv_str(ll_jv_get(one, "detail")), "\"\\\" is no plate");
    /* The root's pointer is the empty string, and stands. */
    T_OK(ll_jv_there(ll_jv_get(ll_jv_after(one), "pointer")));
    T_OK(!ll_jv_there(ll_jv_get(p, "consent_url")));
    T_OK(!ll_jv_there(ll_jv_get(p, "fields")));
    T_INT(ll_problem_status(&args), 422);
    close_tape();
}

T_CASE(plugin_problem)
{
    struct ll_problem_args args = {.code = LINLI_STR("parking/slot-taken"),
        .status = 409,
        .title_en = LINLI_STR("The slot is taken"),
        .title_zh = LINLI_STR("车位已被占用"),
        .locale = LL_LOCALE_ZH};
    open_tape();
    struct ll_jv p = written(&args);
    T_STR(ll_jv_str(ll_jv_get(p, "title")), "车位已被占用");
    T_STR(ll_jv_str(ll_jv_get(p, "code")), "parking/slot-taken");
    T_STR(ll_jv_str(ll_jv_get(p, "type")),
        "urn:linli:problem:parking/slot-taken");
    T_INT(int_of(ll_jv_get(p, "status")), 409);
    T_OK(ll_jv_is(ll_jv_get(p, "retryable"), LL_JSON_FALSE));
    T_OK(!ll_jv_there(ll_jv_get(p, "fix")));
    T_OK(!ll_jv_there(ll_jv_get(p, "detail")));
    T_OK(!ll_jv_there(ll_jv_get(p, "errors")));
    args.locale = LL_LOCALE_EN;
    T_STR(ll_jv_str(ll_jv_get(written(&args), "title")), "The slot is taken");
    args.title_en = LINLI_STR("");
    T_STR(ll_jv_str(ll_jv_get(written(&args), "title")), "车位已被占用");
    args.title_zh = LINLI_STR("");
    T_STR(ll_jv_str(ll_jv_get(written(&args), "title")), "parking/slot-taken");
    args.status = 503;
    T_OK(ll_jv_is(ll_jv_get(written(&args), "retryable"), LL_JSON_TRUE));
    args.status = 429;
    T_OK(ll_jv_is(ll_jv_get(written(&args), "retryable"), LL_JSON_TRUE));
    close_tape();
}

T_CASE(consent_members)
{
    struct ll_problem_args args = {.code = LINLI_STR("consent/missing"),
        .status = 403,
        .title_en = LINLI_STR("No consent"),
        .consent_url = LINLI_STR("https://a.example/consent?x=1"),
        .fields_json = LINLI_STR("[\"resident.phone\"]")};
    open_tape();
    struct ll_jv p = written(&args);
    T_STR(ll_jv_str(ll_jv_get(p, "consent_url")),
        "https://a.example/consent?x=1");
    T_STR(ll_jv_str(ll_jv_first(ll_jv_get(p, "fields"))), "resident.phone");
    close_tape();
}

/* Bytes that are no UTF-8 never break the body. */
T_CASE(hostile_strings)
{
    struct ll_problem_args args = {.code = LINLI_STR("a\"\\\xff"),
        .status = 400,
        .title_en = LINLI_STR("\xc0\xaf\n"),
        .detail = LINLI_STR("\x01\x7f\xed\xa0\x80")};
    open_tape();
    struct ll_jv p = written(&args);
    T_STR(
        ll_jv_str(ll_jv_get(p, "type")), "urn:linli:problem:a\"\\\xef\xbf\xbd");
    close_tape();
}

T_CASE(full_buffer_is_told)
{
    struct ll_problem_args args = {
        .row = ll_problem_find(LINLI_STR("request/json"))};
    ll_buf_init(&buf, &mem, 64);
    ll_problem_write(&buf, &args);
    T_OK(buf.failed);
    ll_buf_fini(&buf);
    T_INT(mem.used_bytes, 0);
}

/* Each row of the table makes a problem that a client can rely on. */
T_CASE(each_row)
{
    open_tape();
    for (size_t i = 0; ll_problem_at(i) != NULL; i++) {
        const struct ll_problem *row = ll_problem_at(i);
        T_OK(row->http_status == 0 ||
             (row->http_status >= 400 && row->http_status <= 599));
        T_OK(strlen(row->code) < sizeof(((struct ll_err *)0)->code));
        T_OK(row->title_en[0] != '\0' && row->title_zh[0] != '\0');
        T_OK(row->fix_en[0] != '\0' && row->fix_zh[0] != '\0');
        T_OK(ll_problem_find(ll_cstr(row->code)) == row);
        struct ll_problem_args args = {.row = row, .locale = LL_LOCALE_ZH};
        struct ll_jv p = written(&args);
        T_STR(ll_jv_str(ll_jv_get(p, "code")), row->code);
        T_STR(ll_jv_str(ll_jv_get(p, "title")), row->title_zh);
        args.locale = LL_LOCALE_EN;
        T_STR(ll_jv_str(ll_jv_get(written(&args), "title")), row->title_en);
    }
    close_tape();
}

/* clang-format off */
T_MAIN(
    T_RUN(own_problem_in_full)
    T_RUN(plugin_problem)
    T_RUN(consent_members)
    T_RUN(hostile_strings)
    T_RUN(full_buffer_is_told)
    T_RUN(each_row))
