/* server/http_rules.h: what Linli refuses besides the parser. [any]
 *
 * Pure functions over bytes. The gate looks at the raw bytes of a head and
 * of chunk framing before llhttp's verdict counts: every line ends in CRLF,
 * no line is folded, no control character stands anywhere. What passes here
 * and in llhttp has one reading only, whatever stands in front of Linli.
 */
#ifndef LL_SERVER_HTTP_RULES_H
#define LL_SERVER_HTTP_RULES_H

#include "base/defs.h"

enum ll_http_gate_state {
    LL_GATE_START,    /* at the first byte of a line */
    LL_GATE_LINE,     /* inside a line */
    LL_GATE_CR,       /* after the CR of a line */
    LL_GATE_BLANK_CR, /* after the CR of an empty line */
};

struct ll_http_gate {
    enum ll_http_gate_state state;
    uint32_t lines; /* that ended so far, empty ones not counted */
};

/* Walks over `n` bytes and stops behind the end of an empty line, with *blank
 * true, or behind the last byte. Returns the bytes walked over. A broken
 * rule: *why says which, in English, and the walk ends there. */
size_t ll_http_gate_walk(struct ll_http_gate *gate, const char *bytes, size_t n,
    bool *blank, const char **why);

/* Fields that the server itself reads or that must stand at most once. */
#define LL_HTTP_SINGLETONS(X)             \
    X(AUTHORIZATION, "authorization")     \
    X(CONTENT_LENGTH, "content-length")   \
    X(CONTENT_TYPE, "content-type")       \
    X(COOKIE, "cookie")                   \
    X(EXPECT, "expect")                   \
    X(HOST, "host")                       \
    X(IDEMPOTENCY_KEY, "idempotency-key") \
    X(IF_MATCH, "if-match")               \
    X(IF_NONE_MATCH, "if-none-match")     \
    X(LAST_EVENT_ID, "last-event-id")     \
    X(ORIGIN, "origin")                   \
    X(TRACEPARENT, "traceparent")         \
    X(TRANSFER_ENCODING, "transfer-encoding")

enum ll_http_singleton {
#define X(name, text) LL_HTTP_##name,
    LL_HTTP_SINGLETONS(X)
#undef X
        LL_HTTP_SINGLETON_COUNT
};

/* The index of a lower-case name; LL_HTTP_SINGLETON_COUNT: may repeat. */
enum ll_http_singleton ll_http_singleton(linli_str name);

/* Lowers ASCII letters in place; false if a byte is no token character of
 * RFC 9110 section 5.6.2, or the name is empty. */
bool ll_http_name_lower(char *name, size_t n);

/* Without spaces and tabs at either end. */
linli_str ll_http_trim(linli_str value);

/* Printable ASCII, tab, and well-formed UTF-8. */
bool ll_http_value_ok(linli_str value);

/* A host and perhaps a port: "a.example", "10.0.0.1:80", "[::1]:8080". */
bool ll_http_host_ok(linli_str host);

/* Splits a request target into path and query. Origin form, or absolute
 * form whose authority is `host`. Otherwise false and *why says why. */
struct ll_http_target {
    linli_str path;  /* starts with '/' */
    linli_str query; /* without '?'; empty if none */
};
bool ll_http_target_split(linli_str raw, linli_str host,
    struct ll_http_target *out, const char **why);

#endif
