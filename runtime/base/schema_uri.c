/* base/schema_uri.c: URIs of schemas, RFC 3986. [any] */
#include <arpa/inet.h>

#include "base/schema_int.h"

/* A URI reference without its fragment, cut into its parts. */
struct parts {
    linli_str scheme, authority, path, query;
    bool has_scheme, has_authority, has_query;
};

static bool
is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static linli_str
rest_from(linli_str s, size_t at)
{
    return (linli_str){s.ptr + at, s.len - at};
}

/* Bytes before the first of `stops`; all if there is none. */
static size_t
span_until(linli_str s, const char *stops)
{
    size_t n = 0;
    while (n < s.len && (s.ptr[n] == '\0' || strchr(stops, s.ptr[n]) == NULL))
        n++;
    return n;
}

static size_t
scheme_bytes(linli_str s)
{
    size_t n = 0;
    while (n < s.len && (is_alpha(s.ptr[n]) ||
                            (n > 0 && (is_digit(s.ptr[n]) || s.ptr[n] == '+' ||
                                          s.ptr[n] == '-' || s.ptr[n] == '.'))))
        n++;
    return n > 0 && n < s.len && s.ptr[n] == ':' ? n : 0;
}

static struct parts
cut(linli_str s)
{
    struct parts out = {.path = s};
    size_t n = scheme_bytes(s);
    if (n > 0) {
        out.has_scheme = true;
        out.scheme = (linli_str){s.ptr, n};
        s = rest_from(s, n + 1);
    }
    if (ll_str_starts(s, "//")) {
        s = rest_from(s, 2);
        out.has_authority = true;
        out.authority = (linli_str){s.ptr, span_until(s, "/?")};
        s = rest_from(s, out.authority.len);
    }
    out.path = (linli_str){s.ptr, span_until(s, "?")};
    if (out.path.len < s.len) {
        out.has_query = true;
        out.query = rest_from(s, out.path.len + 1);
    }
    return out;
}

/* Drops what follows the last '/' that stands at or after `from`. */
static void
drop_segment(struct ll_buf *out, size_t from)
{
    while (out->len > from && out->ptr[out->len - 1] != '/')
        out->len--;
}

/* Appends `path` without "." and ".." segments (section 5.2.4); what the
 * buffer holds from `from` on is the path so far and ends in '/' or is
 * empty. */
static void
put_path(struct ll_buf *out, size_t from, linli_str path)
{
    linli_str part;
    while (ll_str_split(&path, '/', &part)) {
        bool last = path.ptr == NULL;
        if (ll_str_is(part, "..")) {
            if (out->len > from + 1)
                out->len--;
            drop_segment(out, from);
            continue;
        }
        if (!ll_str_is(part, ".")) {
            ll_buf_str(out, part);
            if (!last)
                ll_buf_char(out, '/');
        }
    }
}

static void
put_head(struct ll_buf *out, const struct parts *p)
{
    if (p->has_scheme) {
        ll_buf_str(out, p->scheme);
        ll_buf_char(out, ':');
    }
    if (p->has_authority) {
        ll_buf_cstr(out, "//");
        ll_buf_str(out, p->authority);
    }
}

static void
put_query(struct ll_buf *out, const struct parts *p)
{
    if (p->has_query) {
        ll_buf_char(out, '?');
        ll_buf_str(out, p->query);
    }
}

void
ll_uri_resolve(struct ll_buf *out, linli_str base, linli_str ref)
{
    struct parts b = cut(base), r = cut(ref);
    bool whole = r.has_scheme;
    if (!whole) {
        r.has_scheme = b.has_scheme;
        r.scheme = b.scheme;
        if (!r.has_authority) {
            r.has_authority = b.has_authority;
            r.authority = b.authority;
        } else {
            whole = true;
        }
    }
    put_head(out, &r);
    size_t from = out->len;
    if (!whole && r.path.len == 0) {
        put_path(out, from, b.path);
        put_query(out, r.has_query ? &r : &b);
        return;
    }
    if (!whole && r.path.ptr[0] != '/') {
        if (b.path.len == 0 && b.has_authority)
            ll_buf_char(out, '/');
        while (b.path.len > 0 && b.path.ptr[b.path.len - 1] != '/')
            b.path.len--;
        put_path(out, from, b.path);
    }
    put_path(out, from, r.path);
    put_query(out, &r);
}

/* unreserved, sub-delims and percent-encoding, and the bytes of `more`. */
static bool
only_uri_bytes(linli_str s, const char *more)
{
    static const char plain[] = "-._~!$&'()*+,;=";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '%') {
            char decoded[3];
            size_t n = 0;
            if (s.len - i < 3 ||
                !ll_percent_decode((linli_str){s.ptr + i, 3}, decoded, &n))
                return false;
            i += 2;
            continue;
        }
        if (!is_alpha(c) && !is_digit(c) &&
            (c == '\0' ||
                (strchr(plain, c) == NULL && strchr(more, c) == NULL)))
            return false;
    }
    return true;
}

/* "[...]" with an IPv6 address or a future one inside. */
static bool
literal_valid(linli_str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (s.len > 2 && (s.ptr[0] == 'v' || s.ptr[0] == 'V'))
        return span_until(s, ".") < s.len && only_uri_bytes(s, ":");
    if (s.len >= sizeof text || memchr(s.ptr, '\0', s.len) != NULL)
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

static bool
authority_valid(linli_str s)
{
    size_t at = span_until(s, "@");
    if (at < s.len) {
        if (!only_uri_bytes((linli_str){s.ptr, at}, ":"))
            return false;
        s = rest_from(s, at + 1);
    }
    size_t host = span_until(s, ":");
    if (s.len > 0 && s.ptr[0] == '[') {
        size_t end = span_until(s, "]");
        if (end == s.len || !literal_valid((linli_str){s.ptr + 1, end - 1}))
            return false;
        host = end + 1;
        if (host < s.len && s.ptr[host] != ':')
            return false;
    } else if (!only_uri_bytes((linli_str){s.ptr, host}, "")) {
        return false;
    }
    for (size_t i = host + 1; i < s.len; i++)
        if (!is_digit(s.ptr[i]))
            return false;
    return true;
}

bool
ll_uri_valid(linli_str s, bool relative)
{
    linli_str fragment = LINLI_STR("");
    size_t n = span_until(s, "#");
    if (n < s.len) {
        fragment = rest_from(s, n + 1);
        s.len = n;
    }
    struct parts p = cut(s);
    if (!p.has_scheme && !relative)
        return false;
    /* A relative path's first segment must not look like a scheme. */
    if (!p.has_scheme && !p.has_authority &&
        span_until(p.path, ":") < span_until(p.path, "/"))
        return false;
    return (!p.has_authority || authority_valid(p.authority)) &&
           only_uri_bytes(p.path, ":@/") && only_uri_bytes(p.query, ":@/?") &&
           only_uri_bytes(fragment, ":@/?");
}
