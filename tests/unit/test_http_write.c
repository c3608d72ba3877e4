/* tests/unit/test_http_write.c: responses as bytes. */
#include "base/text.h"
#include "server/http_write.h"
#include "t.h"

static struct ll_mem mem;
static struct ll_buf out;

static linli_str
written(const struct ll_response *response, bool keep_alive, bool is_http10,
    bool is_head)
{
    struct ll_http_answer answer = {.response = response,
        .date = LINLI_STR("DATE"),
        .keep_alive = keep_alive,
        .is_http10 = is_http10,
        .is_head = is_head};
    ll_buf_clear(&out);
    ll_http_write(&out, &answer);
    T_OK(!out.failed);
    return ll_buf_view(&out);
}

T_CASE(whole_answers)
{
    struct ll_response r = {.status = 201,
        .content_type = LINLI_STR("application/json"),
        .body = LINLI_STR("{\"a\":1}"),
        .headers = {{LINLI_STR("etag"), LINLI_STR("\"1\"")}},
        .header_count = 1};
    ll_buf_init(&out, &mem, 1u << 16);
#define HEAD                                                  \
    "HTTP/1.1 201 Created\r\nDate: DATE\r\n"                  \
    "Content-Type: application/json\r\nContent-Length: 7\r\n" \
    "etag: \"1\"\r\n"
    T_STR(written(&r, true, false, false), HEAD "\r\n{\"a\":1}");
    T_STR(written(&r, false, false, false),
        HEAD "Connection: close\r\n\r\n{\"a\":1}");
    T_STR(written(&r, true, true, false),
        HEAD "Connection: keep-alive\r\n\r\n{\"a\":1}");
    T_STR(written(&r, true, false, true), HEAD "\r\n");
    ll_buf_fini(&out);
}

T_CASE(answers_without_content)
{
    struct ll_response r = {.status = 204,
        .content_type = LINLI_STR("text/plain"),
        .body = LINLI_STR("lost")};
    ll_buf_init(&out, &mem, 1u << 16);
    T_STR(written(&r, true, false, false),
        "HTTP/1.1 204 No Content\r\nDate: DATE\r\n\r\n");
    r.status = 304;
    T_STR(written(&r, true, false, false),
        "HTTP/1.1 304 Not Modified\r\nDate: DATE\r\n\r\n");
    r = (struct ll_response){.status = 200};
    T_STR(written(&r, true, false, false),
        "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 0\r\n\r\n");
    /* A plugin may choose a status that has no words here. */
    r.status = 418;
    T_STR(written(&r, true, false, false),
        "HTTP/1.1 418 \r\nDate: DATE\r\nContent-Length: 0\r\n\r\n");
    ll_buf_fini(&out);
}

T_CASE(dates)
{
    static const struct {
        int64_t ms;
        const char *want;
    } table[] = {
        {784111777000, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {784111777999, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {784111778000, "Sun, 06 Nov 1994 08:49:38 GMT"},
        {951782400000, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1767225599999, "Wed, 31 Dec 2025 23:59:59 GMT"},
        {1767225600000, "Thu, 01 Jan 2026 00:00:00 GMT"},
        {4102444800000, "Fri, 01 Jan 2100 00:00:00 GMT"},
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    };
    struct ll_http_date cache = {.second = 0};
    for (size_t i = 0; i < LL_COUNT(table); i++)
        T_STR(ll_http_date(&cache, table[i].ms), table[i].want);
}

T_CASE(refuses_what_would_break_the_stream)
{
    static const struct {
        const char *name, *value;
        bool ok;
    } table[] = {
        {"x-a", "b", true},
        {"x_a9", "tab\there, \xe9\x82\xbb", true},
        {"x-a", "", true},
        {"", "b", false},
        {"x a", "b", false},
        {"x:", "b", false},
        {"x\r\ny", "b", false},
        {"\xc3\xa9", "b", false},
        {"x-a", "b\r\nc: d", false},
        {"x-a", "b\nc", false},
        {"x-a", "b\rc", false},
        {"x-a", "\x7f", false},
        {"x-a", "\x01", false},
    };
    for (size_t i = 0; i < LL_COUNT(table); i++) {
        struct ll_response r = {.status = 200,
            .headers = {{ll_cstr(table[i].name), ll_cstr(table[i].value)}},
            .header_count = 1};
        T_INT(ll_http_response_ok(&r), table[i].ok);
    }
    struct ll_response nul = {.status = 200,
        .headers = {{LINLI_STR("a"), {"b\0c", 3}}},
        .header_count = 1};
    T_OK(!ll_http_response_ok(&nul));
    struct ll_response type = {
        .status = 200, .content_type = LINLI_STR("a/b\r\nx: y")};
    T_OK(!ll_http_response_ok(&type));
    struct ll_response many = {
        .status = 200, .header_count = LL_COUNT(many.headers) + 1};
    T_OK(!ll_http_response_ok(&many));
}

T_CASE(statuses_and_sizes)
{
    static const struct {
        int status;
        bool ok;
    } table[] = {{199, false}, {100, false}, {0, false}, {-1, false},
        {200, true}, {418, true}, {599, true}, {600, false}};
    for (size_t i = 0; i < LL_COUNT(table); i++) {
        struct ll_response r = {.status = table[i].status};
        T_INT(ll_http_response_ok(&r), table[i].ok);
    }
    struct ll_response large = {
        .status = 200, .body = {"", LL_HTTP_RESPONSE_BYTES_MAX}};
    T_OK(ll_http_response_ok(&large));
    large.body.len++;
    T_OK(!ll_http_response_ok(&large));
}

/* clang-format off */
T_MAIN(
    T_RUN(whole_answers)
    T_RUN(answers_without_content)
    T_RUN(dates)
    T_RUN(refuses_what_would_break_the_stream)
    T_RUN(statuses_and_sizes))
