/* server/http_parse.c: the seam to llhttp, its only user. [loop]
 *
 * A head is collected whole, then shown to llhttp in one piece, so that each
 * name and value is one span; llhttp starts afresh for every request and is
 * paused at its end, so that it never decides where the next one begins. A
 * body of known length is counted here; chunks are decoded by llhttp.
 */
#include "server/http_parse.h"

#include <llhttp.h>

#include "base/text.h"

/* The version switch: 8.1 is Debian 12's source, which configure builds in
 * strict mode; 9 and later are strict unless told otherwise. Both have the
 * callbacks and fields used here. */
#if LLHTTP_VERSION_MAJOR < 8
#error "llhttp 8.1 or later is needed"
#endif

_Static_assert(sizeof(llhttp_t) <= sizeof(((struct ll_http_parser *)0)->engine),
    "the parser's room for llhttp_t is too small");

/* The request line besides its target: the longest method, two spaces, the
 * version and CRLF. */
#define LINE_BYTES_EXTRA ((size_t)32)
#define LINE_BYTES_MAX (LL_HTTP_TARGET_BYTES_MAX + LINE_BYTES_EXTRA)
#define HEAD_BYTES_MAX (LINE_BYTES_MAX + LL_HTTP_HEADER_BYTES_MAX)

static llhttp_t *
engine(struct ll_http_parser *parser)
{
    return (llhttp_t *)(void *)parser->engine;
}

/* The parser that embeds this llhttp_t. */
static struct ll_http_parser *
owner(llhttp_t *ll)
{
    return ll->data;
}

static int
refuse(struct ll_http_parser *parser, const char *code, const char *why)
{
    if (parser->refusal_code == NULL) {
        parser->refusal_code = code;
        parser->refusal_why = why;
    }
    parser->part = LL_HTTP_PART_END;
    return HPE_USER;
}

static int
malformed(struct ll_http_parser *parser, const char *why)
{
    return refuse(parser, "request/malformed", why);
}

void
ll_http_parser_refuse(
    struct ll_http_parser *parser, const char *code, const char *why)
{
    (void)refuse(parser, code, why);
}

/* -- what llhttp finds -- */

static int
on_url(llhttp_t *ll, const char *at, size_t n)
{
    owner(ll)->raw_target = (linli_str){at, n};
    return 0;
}

static int
on_field(llhttp_t *ll, const char *at, size_t n)
{
    struct ll_http_parser *parser = owner(ll);
    /* Trailers are read, checked by the gate, and dropped (RFC 9110, 6.5.1:
     * a recipient may ignore them). */
    if (parser->part == LL_HTTP_PART_CHUNKS)
        return 0;
    if (parser->field_count == LL_HTTP_HEADERS_MAX)
        return refuse(
            parser, "request/headers-too-large", "more than 64 header fields");
    parser->fields[parser->field_count++] =
        (struct ll_field){{at, n}, {at + n, 0}};
    return 0;
}

static int
on_value(llhttp_t *ll, const char *at, size_t n)
{
    struct ll_http_parser *parser = owner(ll);
    if (parser->part == LL_HTTP_PART_CHUNKS)
        return 0;
    if (parser->field_count == 0)
        return malformed(parser, "a value without a name");
    linli_str *value = &parser->fields[parser->field_count - 1].value;
    if (value->len > 0)
        return malformed(parser, "a header is folded");
    *value = (linli_str){at, n};
    return 0;
}

/* Judges the framing between body data: `parser->piece` up to `end`. */
static int
gate_framing(struct ll_http_parser *parser, const char *end)
{
    const char *at = parser->piece;
    parser->framing_bytes += (size_t)(end - at);
    /* Chunks of one byte cost five; more is not framing but a flood. */
    if (parser->framing_bytes >
        LL_HTTP_HEADER_BYTES_MAX + LL_HTTP_CHUNK_COST_MAX * parser->body.len)
        return refuse(parser, "request/headers-too-large",
            "chunk lines and trailers outweigh the body");
    while (at < end) {
        bool blank = false;
        const char *why = NULL;
        at += ll_http_gate_walk(
            &parser->gate, at, (size_t)(end - at), &blank, &why);
        if (why != NULL)
            return malformed(parser, why);
    }
    parser->piece = end;
    return 0;
}

static int
on_chunk(llhttp_t *ll)
{
    struct ll_http_parser *parser = owner(ll);
    if (ll->content_length > parser->body_bytes_max - parser->body.len)
        return refuse(parser, "request/too-large", "the body is too large");
    return 0;
}

static int
on_body(llhttp_t *ll, const char *at, size_t n)
{
    struct ll_http_parser *parser = owner(ll);
    int bad = gate_framing(parser, at);
    if (bad != 0)
        return bad;
    parser->piece = at + n;
    if (n > parser->body_bytes_max - parser->body.len)
        return refuse(parser, "request/too-large", "the body is too large");
    ll_buf_add(&parser->body, at, n);
    if (parser->body.failed)
        return refuse(parser, "runtime/memory", "no memory for the body");
    return 0;
}

static int
on_headers_complete(llhttp_t *ll)
{
    struct ll_http_parser *parser = owner(ll);
    parser->keep_alive = llhttp_should_keep_alive(ll) != 0;
    /* Upgrades are ignored: what follows is HTTP/1.1 (RFC 9110, 7.8). */
    ll->upgrade = 0;
    return 0;
}

static int
on_message_complete(llhttp_t *ll)
{
    LL_UNUSED(ll);
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* -- the rules of a head -- */

static const struct {
    uint8_t llhttp;
    linli_str name;
} methods[] = {
    {HTTP_GET, {"GET", 3}},
    {HTTP_HEAD, {"GET", 3}}, /* answered as GET, without the body */
    {HTTP_POST, {"POST", 4}},
    {HTTP_PUT, {"PUT", 3}},
    {HTTP_PATCH, {"PATCH", 5}},
    {HTTP_DELETE, {"DELETE", 6}},
    {HTTP_OPTIONS, {"OPTIONS", 7}},
};

static int
check_method(struct ll_http_parser *parser)
{
    uint8_t method = engine(parser)->method;
    for (size_t i = 0; i < LL_COUNT(methods); i++)
        if (methods[i].llhttp == method)
            parser->method = methods[i].name;
    parser->is_head = method == HTTP_HEAD;
    return parser->method.len > 0
               ? 0
               : refuse(parser, "request/method",
                     "only GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS");
}

/* One space on either side of the target, then the version and CRLF. llhttp
 * takes more spaces and other protocols' names as well. */
static int
check_line(struct ll_http_parser *parser)
{
    static const char tail[] = " HTTP/1.";
    const char *target = parser->raw_target.ptr;
    if (target == NULL)
        return malformed(parser, "the target is missing");
    const char *end = target + parser->raw_target.len;
    size_t left = parser->head.len - (size_t)(end - parser->head.ptr);
    /* " HTTP/1.1" and CRLF are less than what ends a head. */
    if (left < sizeof tail + 2 || memcmp(end, tail, sizeof tail - 1) != 0)
        return malformed(parser, "the version is neither HTTP/1.1 nor 1.0");
    char minor = end[sizeof tail - 1];
    if ((minor != '0' && minor != '1') || end[sizeof tail] != '\r')
        return malformed(parser, "the version is neither HTTP/1.1 nor 1.0");
    if (target - parser->head.ptr < 2 || target[-1] != ' ' || target[-2] == ' ')
        return malformed(parser, "one space stands before the target");
    parser->is_http10 = minor == '0';
    return 0;
}

/* Lowers the names, trims the values, finds the singletons. */
static int
check_fields(struct ll_http_parser *parser)
{
    char *base = parser->head.ptr;
    for (uint32_t i = 0; i < parser->field_count; i++) {
        struct ll_field *f = &parser->fields[i];
        if (!ll_http_name_lower(base + (f->name.ptr - base), f->name.len))
            return malformed(parser, "a header name is no token");
        f->value = ll_http_trim(f->value);
        if (!ll_http_value_ok(f->value))
            return malformed(parser, "a header value is not printable UTF-8");
        enum ll_http_singleton s = ll_http_singleton(f->name);
        if (s == LL_HTTP_SINGLETON_COUNT)
            continue;
        if (parser->singletons[s].ptr != NULL)
            return malformed(parser, "a header that must stand once repeats");
        parser->singletons[s] = f->value;
    }
    return 0;
}

static int
check_host(struct ll_http_parser *parser)
{
    linli_str host = parser->singletons[LL_HTTP_HOST];
    const char *why = NULL;
    if (host.ptr == NULL && !parser->is_http10)
        return malformed(parser, "the Host header is missing");
    if (host.ptr != NULL && !ll_http_host_ok(host))
        return malformed(parser, "the Host header is no host");
    if (parser->raw_target.len > LL_HTTP_TARGET_BYTES_MAX)
        return refuse(parser, "request/uri-too-long",
            "the target has more than 8192 bytes");
    if (!ll_http_target_split(parser->raw_target, host, &parser->target, &why))
        return malformed(parser, why);
    return 0;
}

static bool
is_digits(linli_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

static int
check_length(struct ll_http_parser *parser, linli_str cl)
{
    int64_t length = 0;
    if (!is_digits(cl))
        return malformed(parser, "Content-Length is no number");
    /* Digits that 64 bits do not hold are a length, too large a one. */
    if (!ll_str_int(cl, 0, INT64_MAX, &length))
        length = INT64_MAX;
    if ((uint64_t)length > parser->body_bytes_max)
        return refuse(parser, "request/too-large", "the body is too large");
    parser->body_left = (uint64_t)length;
    return 0;
}

static int
check_coding(struct ll_http_parser *parser, linli_str te)
{
    if (parser->singletons[LL_HTTP_CONTENT_LENGTH].ptr != NULL)
        return malformed(parser, "both Transfer-Encoding and Content-Length");
    if (parser->is_http10)
        return malformed(parser, "Transfer-Encoding in HTTP/1.0");
    if (!ll_str_eq_nocase(te, "chunked"))
        return malformed(parser, "Transfer-Encoding is not chunked");
    if (!(engine(parser)->flags & F_CHUNKED))
        return malformed(parser, "Transfer-Encoding cannot be read");
    parser->part = LL_HTTP_PART_CHUNKS;
    return 0;
}

/* How the body is framed; exactly one way may be named. */
static int
check_framing(struct ll_http_parser *parser)
{
    linli_str te = parser->singletons[LL_HTTP_TRANSFER_ENCODING];
    linli_str cl = parser->singletons[LL_HTTP_CONTENT_LENGTH];
    if (te.ptr != NULL)
        return check_coding(parser, te);
    parser->body_left = 0;
    int bad = cl.ptr != NULL ? check_length(parser, cl) : 0;
    if (bad != 0)
        return bad;
    /* Two readings of one length would be two requests to somebody. */
    if (engine(parser)->content_length != parser->body_left)
        return malformed(parser, "Content-Length cannot be read");
    parser->part =
        parser->body_left > 0 ? LL_HTTP_PART_LENGTH : LL_HTTP_PART_END;
    return 0;
}

static int
check_expect(struct ll_http_parser *parser)
{
    linli_str expect = parser->singletons[LL_HTTP_EXPECT];
    if (expect.ptr == NULL || parser->is_http10)
        return 0;
    if (!ll_str_eq_nocase(expect, "100-continue"))
        return refuse(
            parser, "request/header", "Expect may only be 100-continue");
    parser->wants_continue = parser->part != LL_HTTP_PART_END;
    return 0;
}

/* The head is in the buffer, whole: reads and judges it. */
static int
read_head(struct ll_http_parser *parser)
{
    llhttp_t *ll = engine(parser);
    llhttp_init(ll, HTTP_REQUEST, &settings);
    ll->data = parser;
    llhttp_errno_t result =
        llhttp_execute(ll, parser->head.ptr, parser->head.len);
    if (parser->refusal_code != NULL)
        return HPE_USER;
    /* PAUSED: complete without a body; OK: a body follows. */
    if (result != HPE_OK && result != HPE_PAUSED)
        return malformed(parser, "the request line or a header cannot be read");
    int bad = check_line(parser);
    /* Early, so that a refusal knows the caller's language and trace. */
    if (bad == 0)
        bad = check_fields(parser);
    if (bad == 0)
        bad = check_method(parser);
    if (bad == 0)
        bad = check_host(parser);
    if (bad == 0)
        bad = check_framing(parser);
    if (bad == 0)
        bad = check_expect(parser);
    if (bad != 0)
        return bad;
    bool complete = parser->part == LL_HTTP_PART_END;
    if (complete != (result == HPE_PAUSED))
        return malformed(parser, "the framing of the body cannot be read");
    return 0;
}

/* -- bytes as they come -- */

/* Bounds of the head, told apart by where it is too long. */
static int
check_head_size(struct ll_http_parser *parser)
{
    size_t line = parser->head.len;
    if (parser->gate.lines > 0) {
        const char *end = memchr(parser->head.ptr, '\n', parser->head.len);
        ll_check(end != NULL);
        line = (size_t)(end - parser->head.ptr) + 1;
    }
    if (line > LINE_BYTES_MAX)
        return refuse(parser, "request/uri-too-long",
            "the target has more than 8192 bytes");
    if (parser->head.len - line > LL_HTTP_HEADER_BYTES_MAX)
        return refuse(parser, "request/headers-too-large",
            "the header fields have more than 16384 bytes");
    return 0;
}

/* Collects the head; reads it when its empty line has come. */
static size_t
take_head(struct ll_http_parser *parser, const char *bytes, size_t n)
{
    bool blank = false;
    const char *why = NULL;
    size_t room = HEAD_BYTES_MAX + 1 - parser->head.len;
    size_t walked = ll_http_gate_walk(
        &parser->gate, bytes, n < room ? n : room, &blank, &why);
    if (why != NULL) {
        (void)malformed(parser, why);
        return walked;
    }
    if (blank && parser->gate.lines == 0) {
        /* One empty line before a request is forgiven (RFC 9112, 2.2). */
        if (parser->forgave_blank)
            (void)malformed(parser, "empty lines before the request");
        parser->forgave_blank = true;
        ll_buf_clear(&parser->head);
        return walked;
    }
    ll_buf_add(&parser->head, bytes, walked);
    if (parser->head.failed)
        (void)refuse(parser, "runtime/memory", "no memory for the head");
    else if (check_head_size(parser) == 0 && blank)
        (void)read_head(parser);
    return walked;
}

static size_t
take_length(struct ll_http_parser *parser, const char *bytes, size_t n)
{
    size_t take = n < parser->body_left ? n : (size_t)parser->body_left;
    ll_buf_add(&parser->body, bytes, take);
    if (parser->body.failed)
        (void)refuse(parser, "runtime/memory", "no memory for the body");
    parser->body_left -= take;
    if (parser->body_left == 0)
        parser->part = LL_HTTP_PART_END;
    return take;
}

static size_t
take_chunks(struct ll_http_parser *parser, const char *bytes, size_t n)
{
    llhttp_t *ll = engine(parser);
    parser->piece = bytes;
    llhttp_errno_t result = llhttp_execute(ll, bytes, n);
    const char *end = result == HPE_OK ? bytes + n : llhttp_get_error_pos(ll);
    if (parser->refusal_code != NULL)
        return 0;
    if (result != HPE_OK && result != HPE_PAUSED)
        (void)malformed(parser, "a chunk or trailer cannot be read");
    else if (gate_framing(parser, end) == 0 && result == HPE_PAUSED)
        parser->part = LL_HTTP_PART_END;
    parser->piece = NULL;
    return (size_t)(end - bytes);
}

enum ll_http_step
ll_http_parse(
    struct ll_http_parser *parser, const char *bytes, size_t n, size_t *taken)
{
    ll_check(parser->part != LL_HTTP_PART_END);
    *taken = 0;
    while (*taken < n && parser->part != LL_HTTP_PART_END) {
        const char *at = bytes + *taken;
        size_t left = n - *taken;
        if (parser->part == LL_HTTP_PART_LENGTH)
            *taken += take_length(parser, at, left);
        else if (parser->part == LL_HTTP_PART_CHUNKS)
            *taken += take_chunks(parser, at, left);
        else
            *taken += take_head(parser, at, left);
    }
    if (parser->refusal_code != NULL)
        return LL_HTTP_REFUSED;
    return parser->part == LL_HTTP_PART_END ? LL_HTTP_DONE : LL_HTTP_MORE;
}

void
ll_http_parser_init(
    struct ll_http_parser *parser, struct ll_mem *mem, size_t body_bytes_max)
{
    *parser = (struct ll_http_parser){.body_bytes_max = body_bytes_max};
    ll_buf_init(&parser->head, mem, HEAD_BYTES_MAX + 1);
    ll_buf_init(&parser->body, mem, body_bytes_max);
}

void
ll_http_parser_fini(struct ll_http_parser *parser)
{
    ll_buf_fini(&parser->head);
    ll_buf_fini(&parser->body);
}

void
ll_http_parser_reset(struct ll_http_parser *parser)
{
    ll_buf_clear(&parser->head);
    ll_buf_reset(&parser->body, LL_HTTP_KEEP_BYTES);
    parser->part = LL_HTTP_PART_HEAD;
    parser->gate = (struct ll_http_gate){LL_GATE_START, 0};
    parser->framing_bytes = 0;
    parser->field_count = 0;
    parser->raw_target = parser->method = (linli_str){NULL, 0};
    parser->target = (struct ll_http_target){{NULL, 0}, {NULL, 0}};
    memset(parser->singletons, 0, sizeof parser->singletons);
    parser->forgave_blank = parser->wants_continue = parser->is_head = false;
    parser->keep_alive = parser->is_http10 = false;
    parser->refusal_code = parser->refusal_why = NULL;
}

void
ll_http_parser_request(
    const struct ll_http_parser *parser, struct ll_request *out)
{
    ll_check(parser->part == LL_HTTP_PART_END);
    ll_check(parser->refusal_code == NULL);
    out->method = parser->method;
    out->path = parser->target.path;
    out->query = parser->target.query;
    out->fields = parser->fields;
    out->field_count = parser->field_count;
    out->body = ll_buf_view(&parser->body);
    out->has_body = parser->body.len > 0;
}

linli_str
ll_http_parser_field(const struct ll_http_parser *parser, const char *name)
{
    for (uint32_t i = 0; i < parser->field_count; i++)
        if (ll_str_is(parser->fields[i].name, name))
            return parser->fields[i].value;
    return (linli_str){NULL, 0};
}
