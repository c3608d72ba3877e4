/* base/text.h: small work on strings, UTF-8 and numbers as text. [any] */
#ifndef LL_BASE_TEXT_H
#define LL_BASE_TEXT_H

#include <string.h>

#include "base/buf.h"

static inline linli_str
ll_cstr(const char *s)
{
    return (linli_str){s, strlen(s)};
}

static inline bool
ll_str_eq(linli_str a, linli_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
ll_str_is(linli_str a, const char *b)
{
    return ll_str_eq(a, ll_cstr(b));
}

static inline bool
ll_str_starts(linli_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.len >= n && memcmp(s.ptr, prefix, n) == 0;
}

/* Bytewise order: < 0, 0, > 0. */
int ll_str_cmp(linli_str a, linli_str b);

/* ASCII letters compared without case, as HTTP field names are. */
bool ll_str_eq_nocase(linli_str a, const char *b);

/* Splits off what precedes `sep` (not included) from the front of *rest and
 * returns it; the whole rest if there is no `sep`. False when *rest is
 * exhausted (ptr NULL). */
bool ll_str_split(linli_str *rest, char sep, linli_str *part);

/* Strict decimal: digits only, optional '-', no space, within [min, max]. */
bool ll_str_int(linli_str s, int64_t min, int64_t max, int64_t *out);

/* An entity tag as it stands between its quotes: 1 to LL_ETAG_BYTES_MAX
 * visible ASCII characters without quotes and
 * backslash. */
bool ll_etag_valid(linli_str s);

/* For printf: ("%.*s", LL_FMT(s)). */
#define LL_FMT(s) (int)(s).len, (s).ptr == NULL ? "" : (s).ptr

/* A byte in each of eight places, and the highest bit of each byte of `word`
 * that is below `n` (1..128): exact up to the first such byte (Anderson, Bit
 * Twiddling Hacks). For passing dull bytes eight at a time. */
#define LL_EACH_BYTE(b) (0x0101010101010101u * (uint64_t)(b))
#define LL_BYTES_BELOW(word, n) \
    (((word)-LL_EACH_BYTE(n)) & ~(word)&LL_EACH_BYTE(0x80))

/* How many bytes from the start are printable ASCII (0x20 to 0x7e), counted
 * in whole eights: at or before the first that is not. */
size_t ll_printable_run(const void *bytes, size_t n);

/* True if all bytes are well-formed UTF-8 (RFC 3629: no surrogates, no
 * overlong forms, nothing above U+10FFFF). */
bool ll_utf8_valid(linli_str s);

/* Code points of valid UTF-8. */
size_t ll_utf8_count(linli_str s);

/* Appends a code point as UTF-8; cp must be a scalar value. */
size_t ll_utf8_put(char out[4], uint32_t cp);

/* Decodes %XX; '+' stays. False for a bad escape or no room. `out` may be
 * s.ptr itself. */
bool ll_percent_decode(linli_str s, char *out, size_t *out_len);

/* "2026-03-02T01:00:00.123Z": RFC 3339 in UTC, milliseconds since 1970. */
#define LL_RFC3339_BYTES 25
void ll_rfc3339(int64_t ms, char out[LL_RFC3339_BYTES]);

/* Lower-case hex, NUL-terminated: out holds 2 * n + 1. */
void ll_hex(const unsigned char *bytes, size_t n, char *out);

/* base64url without padding (RFC 4648 section 5). Strict: no padding, no
 * other characters, unused bits zero. False if malformed or out is small. */
bool ll_base64url_decode(
    linli_str s, unsigned char *out, size_t out_size, size_t *out_len);
void ll_base64url_put(struct ll_buf *buf, const void *bytes, size_t n);

#endif
