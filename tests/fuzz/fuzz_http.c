/* tests/fuzz/fuzz_http.c: bytes as a connection's requests.
 *
 * What must hold for any bytes:
 * - fed whole, or in pieces, they make the same requests and refusal;
 * - each request that comes out reads the same to a naive reader below, that
 *   knows lines, Content-Length and chunks and nothing else: the same end,
 *   method, target and body. So nobody in front of Linli who reads plainly
 *   can see one request more, or fewer.
 */
#include "base/text.h"
#include "server/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_BYTES_MAX 65536 /* reached by inputs of a fuzzer's size */
#define REQUESTS_MAX 256

/* -- the naive reader: the rest of the input, and what it takes -- */

struct reader {
    const char *at, *end;
    bool failed;
};

/* The line up to CRLF, which is taken too. */
static linli_str
take_line(struct reader *r)
{
    for (const char *p = r->at; p + 1 < r->end; p++)
        if (p[0] == '\r' && p[1] == '\n') {
            linli_str line = {r->at, (size_t)(p - r->at)};
            r->at = p + 2;
            return line;
        }
    r->failed = true;
    return (linli_str){NULL, 0};
}

static linli_str
take_bytes(struct reader *r, uint64_t n)
{
    if ((uint64_t)(r->end - r->at) < n) {
        r->failed = true;
        n = 0;
    }
    linli_str bytes = {r->at, (size_t)n};
    r->at += n;
    return bytes;
}

static uint64_t
hex_of(linli_str s, struct reader *r)
{
    uint64_t value = 0;
    size_t i = 0;
    for (; i < s.len && s.ptr[i] != ';'; i++) {
        const char *digits = "0123456789abcdef";
        char c = s.ptr[i];
        if (c >= 'A' && c <= 'F')
            c = (char)(c + 32);
        const char *hit = c == '\0' ? NULL : strchr(digits, c);
        if (hit == NULL || value >> 56 != 0) {
            r->failed = true;
            return 0;
        }
        value = value * 16 + (uint64_t)(hit - digits);
    }
    if (i == 0)
        r->failed = true;
    return value;
}

static void
take_chunks(struct reader *r, struct ll_buf *body)
{
    for (;;) {
        uint64_t n = hex_of(take_line(r), r);
        if (r->failed || n == 0)
            break;
        ll_buf_str(body, take_bytes(r, n));
        if (take_line(r).len != 0)
            r->failed = true;
    }
    while (!r->failed && take_line(r).len != 0)
        continue;
}

struct plain {
    linli_str method, target;
    struct ll_buf body;
};

/* Reads one request; r->failed if it makes no sense to a plain reader. */
static void
take_request(struct reader *r, struct plain *out)
{
    bool chunked = false;
    uint64_t length = 0;
    linli_str line = take_line(r);
    if (!r->failed && line.len == 0)
        line = take_line(r);
    linli_str rest = line;
    (void)ll_str_split(&rest, ' ', &out->method);
    (void)ll_str_split(&rest, ' ', &out->target);
    if (!ll_str_is(rest, "HTTP/1.1") && !ll_str_is(rest, "HTTP/1.0"))
        r->failed = true;
    while (!r->failed && (line = take_line(r)).len > 0) {
        linli_str name, value = line;
        (void)ll_str_split(&value, ':', &name);
        value = ll_http_trim(value);
        if (ll_str_eq_nocase(name, "transfer-encoding"))
            chunked = true;
        int64_t n = 0;
        if (ll_str_eq_nocase(name, "content-length")) {
            if (!ll_str_int(value, 0, INT64_MAX, &n))
                r->failed = true;
            length = (uint64_t)n;
        }
    }
    if (chunked)
        take_chunks(r, &out->body);
    else
        ll_buf_str(&out->body, take_bytes(r, length));
}

/* -- both together -- */

static struct ll_mem mem;

/* The parser has just ended a request that began at `begin`. */
static void
compare(const struct ll_http_parser *p, struct reader *r, const char *end)
{
    struct plain plain = {.method = {NULL, 0}};
    struct ll_request request = {.body = {NULL, 0}};
    ll_buf_init(&plain.body, &mem, BODY_BYTES_MAX);
    take_request(r, &plain);
    ll_http_parser_request(p, &request);
    ll_check(!r->failed);
    ll_check(!plain.body.failed);
    ll_check(r->at == end);
    ll_check(ll_str_eq(
        plain.body.len > 0 ? ll_buf_view(&plain.body) : (linli_str){NULL, 0},
        request.body));
    ll_check(ll_str_eq(plain.target, p->raw_target));
    ll_check(ll_str_is(plain.method, "HEAD")
                 ? p->is_head && ll_str_is(request.method, "GET")
                 : ll_str_eq(plain.method, request.method));
    ll_check(request.path.len > 0 && request.path.ptr[0] == '/');
    ll_buf_fini(&plain.body);
}

struct outcome {
    unsigned handled;
    const char *refusal_code;
    uint64_t hash;
};

static void
mix(struct outcome *out, linli_str s)
{
    for (size_t i = 0; i < s.len; i++)
        out->hash = (out->hash ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    out->hash = (out->hash ^ 256u) * 1099511628211u;
}

static void
see(const struct ll_http_parser *p, struct outcome *out)
{
    struct ll_request r = {.body = {NULL, 0}};
    ll_http_parser_request(p, &r);
    mix(out, r.method);
    mix(out, r.path);
    mix(out, r.query);
    mix(out, r.body);
    for (uint32_t i = 0; i < r.field_count; i++) {
        mix(out, r.fields[i].name);
        mix(out, r.fields[i].value);
    }
    out->handled++;
}

/* Feeds `data`, in one piece or in pieces of 1 to `piece_max` bytes. */
static struct outcome
run(linli_str data, size_t piece_max, uint64_t seed)
{
    struct ll_http_parser p;
    struct outcome out = {0, NULL, 14695981039346656037u};
    struct reader reader = {data.ptr, data.ptr + data.len, false};
    size_t at = 0, until = 0;
    ll_http_parser_init(&p, &mem, BODY_BYTES_MAX);
    while (at < data.len && out.handled < REQUESTS_MAX) {
        if (at == until) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            size_t n = piece_max == 0 ? data.len
                                      : 1 + (size_t)(seed >> 33) % piece_max;
            until = n < data.len - at ? at + n : data.len;
        }
        size_t taken = 0;
        enum ll_http_step step =
            ll_http_parse(&p, data.ptr + at, until - at, &taken);
        ll_check(taken <= until - at);
        ll_check(step != LL_HTTP_MORE || taken == until - at);
        at += taken;
        if (step == LL_HTTP_REFUSED) {
            out.refusal_code = p.refusal_code;
            break;
        }
        if (step == LL_HTTP_MORE)
            continue;
        see(&p, &out);
        compare(&p, &reader, data.ptr + at);
        if (!p.keep_alive)
            break;
        ll_http_parser_reset(&p);
    }
    ll_http_parser_fini(&p);
    return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    linli_str bytes = {(const char *)data, size};
    struct outcome whole = run(bytes, 0, 0);
    for (size_t pieces = 1; pieces <= 64; pieces *= 8) {
        struct outcome split = run(bytes, pieces, size * 31 + pieces);
        ll_check(split.handled == whole.handled);
        ll_check(split.hash == whole.hash);
        ll_check(split.refusal_code == whole.refusal_code ||
                 ll_str_is(ll_cstr(split.refusal_code), whole.refusal_code));
    }
    ll_check(mem.used_bytes == 0);
    return 0;
}
