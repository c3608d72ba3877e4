/* tests/unit/test_http_parse.c: the parser seam, fed in all ways. */
#include "base/problem.h"
#include "base/text.h"
#include "server/http_parse.h"
#include "t.h"

struct http_case {
    const char *name;
    int handled, refusal;
    linli_str bytes;
};

static const struct http_case cases[] = {
#define C(name, handled, refusal, bytes) \
    {name, handled, refusal, {bytes, sizeof(bytes) - 1}},
#include "../scenario/http_cases/cases.def"
#undef C
};

struct outcome {
    int handled, refusal;
    uint64_t hash; /* of everything a handler would have seen */
};

static void
mix(uint64_t *hash, linli_str s)
{
    for (size_t i = 0; i < s.len; i++)
        *hash = (*hash ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    *hash = (*hash ^ 256u) * 1099511628211u;
}

static void
see(const struct ll_http_parser *p, struct outcome *out)
{
    struct ll_request r = {.body = {NULL, 0}};
    ll_http_parser_request(p, &r);
    mix(&out->hash, r.method);
    mix(&out->hash, r.path);
    mix(&out->hash, r.query);
    for (uint32_t i = 0; i < r.field_count; i++) {
        mix(&out->hash, r.fields[i].name);
        mix(&out->hash, r.fields[i].value);
    }
    mix(&out->hash, r.body);
    out->handled++;
}

/* Feeds one piece, as a connection would; true when no more is read. */
static bool
feed(struct ll_http_parser *p, linli_str piece, struct outcome *out)
{
    while (piece.len > 0) {
        size_t taken = 0;
        enum ll_http_step step = ll_http_parse(p, piece.ptr, piece.len, &taken);
        if (step == LL_HTTP_REFUSED) {
            const struct ll_problem *row =
                ll_problem_find(ll_cstr(p->refusal_code));
            out->refusal = row == NULL ? -1 : row->http_status;
            return true;
        }
        if (step == LL_HTTP_MORE)
            return false;
        see(p, out);
        bool last = !p->keep_alive;
        ll_http_parser_reset(p);
        if (last)
            return true;
        piece = (linli_str){piece.ptr + taken, piece.len - taken};
    }
    return false;
}

/* Pieces are copied so that a sanitizer sees any read beyond them. */
static bool
feed_copy(struct ll_http_parser *p, linli_str piece, struct outcome *out)
{
    static struct ll_mem mem;
    if (piece.len == 0)
        return false;
    char *copy = ll_alloc(&mem, piece.len);
    memcpy(copy, piece.ptr, piece.len);
    bool end = feed(p, (linli_str){copy, piece.len}, out);
    ll_release(&mem, copy, piece.len);
    return end;
}

static struct outcome
run_split(struct ll_http_parser *p, linli_str bytes, size_t a, size_t b)
{
    struct outcome out = {0, 0, 14695981039346656037u};
    ll_http_parser_reset(p);
    linli_str pieces[3] = {
        {bytes.ptr, a}, {bytes.ptr + a, b - a}, {bytes.ptr + b, bytes.len - b}};
    for (int i = 0; i < 3; i++)
        if (feed_copy(p, pieces[i], &out))
            break;
    return out;
}

static struct outcome
run_step(struct ll_http_parser *p, linli_str bytes, size_t step)
{
    struct outcome out = {0, 0, 14695981039346656037u};
    ll_http_parser_reset(p);
    for (size_t at = 0; at < bytes.len; at += step) {
        size_t n = bytes.len - at < step ? bytes.len - at : step;
        if (feed_copy(p, (linli_str){bytes.ptr + at, n}, &out))
            break;
    }
    return out;
}

static bool
same(struct outcome a, struct outcome b)
{
    return a.handled == b.handled && a.refusal == b.refusal && a.hash == b.hash;
}

T_CASE(each_case_in_one_piece)
{
    struct ll_mem mem = {0};
    struct ll_http_parser p;
    ll_http_parser_init(&p, &mem, LL_HTTP_BODY_BYTES_MAX);
    for (size_t i = 0; i < LL_COUNT(cases); i++) {
        struct outcome got =
            run_split(&p, cases[i].bytes, 0, cases[i].bytes.len);
        T_INT(got.handled, cases[i].handled);
        T_INT(got.refusal, cases[i].refusal);
        if (got.handled != cases[i].handled || got.refusal != cases[i].refusal)
            printf("#   in case %s: %s\n", cases[i].name,
                got.refusal ? p.refusal_why : "");
    }
    ll_http_parser_fini(&p);
    T_INT(mem.used_bytes, 0);
}

T_CASE(each_case_at_each_split)
{
    struct ll_mem mem = {0};
    struct ll_http_parser p;
    ll_http_parser_init(&p, &mem, LL_HTTP_BODY_BYTES_MAX);
    for (size_t i = 0; i < LL_COUNT(cases); i++) {
        linli_str bytes = cases[i].bytes;
        struct outcome whole = run_split(&p, bytes, 0, bytes.len);
        size_t differ = 0;
        for (size_t a = 0; a <= bytes.len; a++)
            for (size_t b = a; b <= bytes.len; b += 7)
                differ += !same(whole, run_split(&p, bytes, a, b));
        for (size_t step = 1; step < 5; step++)
            differ += !same(whole, run_step(&p, bytes, step));
        T_INT(differ, 0);
        if (differ > 0)
            printf("#   in case %s\n", cases[i].name);
    }
    ll_http_parser_fini(&p);
    T_INT(mem.used_bytes, 0);
}

/* -- bounds -- */

static struct outcome
run_built(const char *before, size_t fill, const char *after)
{
    struct ll_mem mem = {0};
    struct ll_http_parser p;
    struct ll_buf text;
    ll_http_parser_init(&p, &mem, LL_HTTP_BODY_BYTES_MAX);
    ll_buf_init(&text, &mem, 4u << 20);
    ll_buf_cstr(&text, before);
    for (size_t i = 0; i < fill; i++)
        ll_buf_char(&text, 'a');
    ll_buf_cstr(&text, after);
    struct outcome whole = run_step(&p, ll_buf_view(&text), text.len);
    struct outcome pieces = run_step(&p, ll_buf_view(&text), 1000);
    T_OK(!text.failed);
    T_OK(same(whole, pieces));
    ll_buf_fini(&text);
    ll_http_parser_fini(&p);
    T_INT(mem.used_bytes, 0);
    return whole;
}

T_CASE(target_bound)
{
    const char *after = " HTTP/1.1\r\nHost: a\r\n\r\n";
    struct outcome at = run_built("GET /", 8191, after);
    struct outcome past = run_built("GET /", 8192, after);
    struct outcome far = run_built("GET /", 100000, after);
    struct outcome endless = run_built("GET /", 100000, "");
    T_INT(at.handled, 1);
    T_INT(past.refusal, 414);
    T_INT(far.refusal, 414);
    T_INT(endless.refusal, 414);
}

T_CASE(header_bytes_bound)
{
    /* "X: " and CRLF, "Host: a" and CRLF, and the empty line count too. */
    const char *before = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    struct outcome at = run_built(before, 16384 - 9 - 5 - 2, "\r\n\r\n");
    struct outcome past = run_built(before, 16384 - 9 - 5 - 1, "\r\n\r\n");
    struct outcome endless = run_built(before, 100000, "");
    T_INT(at.handled, 1);
    T_INT(past.refusal, 431);
    T_INT(endless.refusal, 431);
}

static struct outcome
run_fields(unsigned count)
{
    struct ll_mem mem = {0};
    struct ll_http_parser p;
    struct ll_buf text;
    ll_http_parser_init(&p, &mem, LL_HTTP_BODY_BYTES_MAX);
    ll_buf_init(&text, &mem, 1u << 16);
    ll_buf_cstr(&text, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (unsigned i = 1; i < count; i++)
        ll_buf_printf(&text, "X%u: y\r\n", i);
    ll_buf_cstr(&text, "\r\n");
    struct outcome out = run_step(&p, ll_buf_view(&text), text.len);
    ll_buf_fini(&text);
    ll_http_parser_fini(&p);
    return out;
}

T_CASE(header_count_bound)
{
    T_INT(run_fields(64).handled, 1);
    T_INT(run_fields(65).refusal, 431);
}

T_CASE(body_bound)
{
    const char *head =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n";
    struct outcome at = run_built(head, 1048576, "");
    T_INT(at.handled, 1);
    T_INT(at.refusal, 0);
}

T_CASE(chunked_body_bound)
{
    const char *head = "POST / HTTP/1.1\r\nHost: a\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n100000\r\n";
    struct outcome at = run_built(head, 1048576, "\r\n0\r\n\r\n");
    struct outcome past = run_built(head, 1048576, "\r\n1\r\na\r\n0\r\n\r\n");
    T_INT(at.handled, 1);
    T_INT(past.refusal, 413);
}

static struct outcome
run_chunks(const char *chunk, unsigned count)
{
    struct ll_mem mem = {0};
    struct ll_http_parser p;
    struct ll_buf text;
    ll_http_parser_init(&p, &mem, LL_HTTP_BODY_BYTES_MAX);
    ll_buf_init(&text, &mem, 4u << 20);
    ll_buf_cstr(&text, "POST / HTTP/1.1\r\nHost: a\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n");
    for (unsigned i = 0; i < count; i++)
        ll_buf_cstr(&text, chunk);
    ll_buf_cstr(&text, "0\r\n\r\n");
    struct outcome out = run_step(&p, ll_buf_view(&text), 4096);
    ll_buf_fini(&text);
    ll_http_parser_fini(&p);
    return out;
}

T_CASE(chunk_framing_bound)
{
    /* The smallest honest chunks pass; extensions that outweigh their data
     * do not. */
    T_INT(run_chunks("1\r\nx\r\n", 50000).handled, 1);
    T_INT(run_chunks("1;abcdefghijklmnopqrst\r\nx\r\n", 50000).refusal, 431);
    struct outcome trailers = run_built(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\nX: ",
        20000, "\r\n\r\n");
    T_INT(trailers.refusal, 431);
}

/* -- what a handler sees -- */

static struct ll_request
parse_one(struct ll_http_parser *p, const char *text)
{
    struct ll_request r = {.body = {NULL, 0}};
    size_t taken = 0;
    ll_http_parser_reset(p);
    enum ll_http_step step = ll_http_parse(p, text, strlen(text), &taken);
    T_INT(step, LL_HTTP_DONE);
    T_INT(taken, strlen(text));
    if (step == LL_HTTP_DONE)
        ll_http_parser_request(p, &r);
    return r;
}

T_CASE(request_fields)
{
    struct ll_mem mem = {0};
    struct ll_http_parser p;
    ll_http_parser_init(&p, &mem, LL_HTTP_BODY_BYTES_MAX);
    struct ll_request r = parse_one(&p,
        "POST /v1/c/hy/parking/x?a=%20b HTTP/1.1\r\nHost: a\r\n"
        "X-Case:  some \t\r\nContent-TYPE: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Late: 1\r\n\r\n");
    T_STR(r.method, "POST");
    T_STR(r.path, "/v1/c/hy/parking/x");
    T_STR(r.query, "a=%20b");
    T_STR(ll_request_field(&r, "x-case"), "some");
    T_STR(ll_request_field(&r, "content-type"), "application/json");
    T_OK(ll_request_field(&r, "x-late").ptr == NULL);
    T_OK(ll_request_field(&r, "X-Case").ptr == NULL);
    T_STR(r.body, "{}");
    T_OK(r.has_body);
    r = parse_one(&p, "HEAD http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n");
    T_STR(r.method, "GET");
    T_OK(p.is_head);
    T_STR(r.path, "/x");
    T_STR(r.query, "y");
    T_OK(!r.has_body);
    r = parse_one(&p, "GET http://a?y HTTP/1.1\r\nHost: a\r\n\r\n");
    T_STR(r.path, "/");
    T_STR(r.query, "y");
    ll_http_parser_fini(&p);
}

T_CASE(memory_failures_refuse)
{
    const char *text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5"
                       "\r\n\r\nhello";
    for (uint64_t nth = 1; nth < 3; nth++) {
        struct ll_mem mem = {0};
        struct ll_http_parser p;
        struct outcome out = {0, 0, 0};
        ll_http_parser_init(&p, &mem, LL_HTTP_BODY_BYTES_MAX);
        mem.fail_in = nth;
        T_OK(feed(&p, ll_cstr(text), &out));
        T_INT(out.handled, 0);
        T_INT(out.refusal, 503);
        ll_http_parser_fini(&p);
        T_INT(mem.used_bytes, 0);
    }
}

T_CASE(steady_state_allocates_nothing)
{
    struct ll_mem mem = {0};
    struct ll_http_parser p;
    ll_http_parser_init(&p, &mem, LL_HTTP_BODY_BYTES_MAX);
    const char *text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5"
                       "\r\n\r\nhello";
    (void)parse_one(&p, text);
    mem.fail_in = 1;
    for (int i = 0; i < 100; i++)
        (void)parse_one(&p, text);
    T_INT(mem.fail_in, 1);
    ll_http_parser_fini(&p);
}

/* clang-format off */
T_MAIN(
    T_RUN(each_case_in_one_piece)
    T_RUN(each_case_at_each_split)
    T_RUN(target_bound)
    T_RUN(header_bytes_bound)
    T_RUN(header_count_bound)
    T_RUN(body_bound)
    T_RUN(chunked_body_bound)
    T_RUN(chunk_framing_bound)
    T_RUN(request_fields)
    T_RUN(memory_failures_refuse)
    T_RUN(steady_state_allocates_nothing))
