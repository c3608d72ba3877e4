/* server/http_parse.h: bytes in, at most one request out. [loop]
 *
 * Holds one request while it arrives and until it is answered; the fields of
 * `message` point into its buffers. Pure: no I/O and no clock, so that tests
 * and the fuzzer feed it in any pieces. llhttp does the grammar (seen by
 * http_parse.c alone); http_rules.h refuses what llhttp is kind to. A refusal
 * is final: the connection must end after its answer.
 */
#ifndef LL_SERVER_HTTP_PARSE_H
#define LL_SERVER_HTTP_PARSE_H

#include "base/buf.h"
#include "base/limits.h"
#include "host/request.h"
#include "server/http_rules.h"

enum ll_http_step {
    LL_HTTP_MORE,    /* all bytes taken; the request is not complete */
    LL_HTTP_DONE,    /* complete; bytes not taken belong to the next one */
    LL_HTTP_REFUSED, /* see refusal_code and refusal_why */
};

enum ll_http_part {
    LL_HTTP_PART_HEAD,
    LL_HTTP_PART_LENGTH, /* in a body of known length */
    LL_HTTP_PART_CHUNKS, /* in a chunked body or its trailers */
    LL_HTTP_PART_END,    /* complete or refused */
};

struct ll_http_parser {
    enum ll_http_part part;
    struct ll_buf head; /* request line and fields, as sent */
    struct ll_buf body; /* decoded */
    size_t body_bytes_max;
    uint64_t body_left;   /* LL_HTTP_PART_LENGTH: bytes to come */
    size_t framing_bytes; /* of chunk lines and trailers so far */
    const char *piece;    /* while chunks are read: framing not yet gated */
    struct ll_http_gate gate;

    linli_str method, raw_target;
    struct ll_http_target target;
    struct ll_field fields[LL_HTTP_HEADERS_MAX];
    uint32_t field_count;
    linli_str singletons[LL_HTTP_SINGLETON_COUNT]; /* ptr NULL: absent */
    bool is_head;    /* HEAD: answer as GET, without the body */
    bool keep_alive; /* what the request allows */
    bool is_http10;
    bool forgave_blank;  /* one empty line before the request */
    bool wants_continue; /* 100 Continue is awaited before the body comes */

    const char *refusal_code; /* of base/problem.def; NULL: not refused */
    const char *refusal_why;  /* English, static */
    _Alignas(16) unsigned char engine[160]; /* llhttp_t */
};

void ll_http_parser_init(
    struct ll_http_parser *parser, struct ll_mem *mem, size_t body_bytes_max);
void ll_http_parser_fini(struct ll_http_parser *parser);
/* Forgets the request; keeps buffers up to `LL_HTTP_KEEP_BYTES`. */
#define LL_HTTP_KEEP_BYTES ((size_t)32768)
void ll_http_parser_reset(struct ll_http_parser *parser);

/* Takes up to `n` bytes; *taken says how many. Not to be called again after
 * DONE or REFUSED before a reset. */
enum ll_http_step ll_http_parse(struct ll_http_parser *parser,
    const char *bytes, size_t n, size_t *taken) LL_USE_RESULT;

/* Refuses from outside (a timeout, the peer's end inside a request). */
void ll_http_parser_refuse(
    struct ll_http_parser *parser, const char *code, const char *why);

/* The complete request: borrowed from the parser until its reset. Does not
 * touch `respond` and `call`. HEAD appears as GET. */
void ll_http_parser_request(
    const struct ll_http_parser *parser, struct ll_request *out);

/* A field by lower-case name among those read so far; ptr NULL: absent. */
linli_str ll_http_parser_field(
    const struct ll_http_parser *parser, const char *name);

#endif
