/* domain/url.c: reading URLs and following relative ones. */
#include "domain/url.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "domain/address.h"

static bool
letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

static linli_str
after(linli_str s, size_t n)
{
    return (linli_str){s.ptr + n, s.len - n};
}

/* How many bytes from the start hold none of `stops`. */
static size_t
span_without(linli_str s, const char *stops)
{
    size_t n = 0;
    while (n < s.len && strchr(stops, s.ptr[n]) == NULL)
        n++;
    return n;
}

static bool
starts_nocase(linli_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.len >= n && ll_str_eq_nocase((linli_str){s.ptr, n}, prefix);
}

/* -- the host -- */

/* The last label begins with a digit: to curl, to browsers and to libc's
 * resolver it is an IPv4 address in one of their many spellings (0177.1,
 * 0x7f000001, 2130706433). Here it is one in four decimal numbers, or
 * nothing. */
static bool
numeric(linli_str host)
{
    size_t last = host.len;
    while (last > 0 && host.ptr[last - 1] != '.')
        last--;
    return last < host.len && digit(host.ptr[last]);
}

static const char *
check_name(linli_str host)
{
    size_t label = 0;
    char before = '.';
    if (host.len > LL_URL_HOST_BYTES_MAX)
        return "the host's name is longer than 253 characters";
    for (size_t i = 0; i < host.len; i++, before = host.ptr[i - 1]) {
        char c = host.ptr[i];
        bool word = letter(c) || digit(c) || c == '_';
        if (c == '.' && (label == 0 || before == '-'))
            return "a label of the host is empty or ends with '-'";
        if (!word && c != '.' && (c != '-' || label == 0))
            return "the host's name has letters, digits, '-' and '.' only; "
                   "write another as xn--";
        label = c == '.' ? 0 : label + 1;
        if (label > 63)
            return "a label of the host is longer than 63 characters";
    }
    if (label == 0 || before == '-')
        return "the host's name is empty or ends with '.' or '-'";
    return NULL;
}

static const char *
read_literal(linli_str text, struct ll_arena *arena, struct ll_url *out)
{
    struct ll_address address;
    char canonical[LL_ADDRESS_TEXT_BYTES];
    if (!ll_address_read(text, &address) || !address.v6 || address.port != 0)
        return "what stands in brackets is no IPv6 address";
    ll_address_text(&address, canonical);
    out->v6 = true;
    out->host = ll_arena_str(arena, ll_cstr(canonical));
    return NULL;
}

static const char *
read_name(linli_str text, struct ll_arena *arena, struct ll_url *out)
{
    struct ll_address address;
    const char *why = check_name(text);
    if (why != NULL)
        return why;
    if (numeric(text) && (!ll_address_read(text, &address) || address.v6))
        return "an IPv4 address is written as four decimal numbers";
    char *lower = ll_arena_alloc(arena, text.len);
    if (lower == NULL)
        return "no memory";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out->host = (linli_str){lower, text.len};
    return NULL;
}

static const char *
read_port(linli_str text, struct ll_url *out)
{
    int64_t port = out->https ? 443 : 80;
    if (text.len > 0 &&
        (text.ptr[0] != ':' || text.len > 6 || !digit(text.ptr[text.len > 1]) ||
            !ll_str_int(after(text, 1), 1, 65535, &port)))
        return "the port is no number from 1 to 65535";
    out->port = (uint16_t)port;
    return NULL;
}

static const char *
read_authority(linli_str text, struct ll_arena *arena, struct ll_url *out)
{
    size_t end;
    const char *why;
    if (memchr(text.ptr, '@', text.len) != NULL)
        return "a user stands in it";
    if (text.len > 0 && text.ptr[0] == '[') {
        end = span_without(text, "]");
        if (end == text.len)
            return "a bracket is not closed";
        why = read_literal((linli_str){text.ptr + 1, end - 1}, arena, out);
        end++;
    } else {
        end = span_without(text, ":");
        why = read_name((linli_str){text.ptr, end}, arena, out);
    }
    return why != NULL ? why : read_port(after(text, end), out);
}

/* -- the target -- */

/* Path and query, without a fragment. Bytes that no URL may hold are
 * percent-encoded, as browsers do. */
static const char *
read_target(linli_str text, struct ll_arena *arena, struct ll_url *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = span_without(text, "#"), used = 0;
    char *to = ll_arena_alloc(arena, 3 * n + 1);
    if (to == NULL)
        return "no memory";
    if (n == 0 || text.ptr[0] != '/')
        to[used++] = '/';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c > ' ' && c < 0x7f && strchr("\"<>\\^`{|}", c) == NULL) {
            to[used++] = (char)c;
            continue;
        }
        to[used++] = '%';
        to[used++] = hex[c >> 4];
        to[used++] = hex[c & 15];
    }
    if (used > LL_EGRESS_URL_BYTES_MAX)
        return "it is too long";
    out->target = (linli_str){to, used};
    return NULL;
}

static const char *
check_bytes(linli_str text)
{
    if (text.len > LL_EGRESS_URL_BYTES_MAX)
        return "it is too long";
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return "a control character stands in it";
    return NULL;
}

static const char *
read_absolute(linli_str text, struct ll_arena *arena, struct ll_url *out)
{
    const char *why = check_bytes(text);
    if (why != NULL)
        return why;
    out->https = starts_nocase(text, "https://");
    if (!out->https && !starts_nocase(text, "http://"))
        return "it does not begin with http:// or https://";
    linli_str rest = after(text, out->https ? 8 : 7);
    size_t n = span_without(rest, "/?#");
    why = read_authority((linli_str){rest.ptr, n}, arena, out);
    return why != NULL ? why : read_target(after(rest, n), arena, out);
}

/* A failure leaves nothing in *out. */
static bool
ended(const char *said, const struct ll_arena *arena, struct ll_url *out,
    const char **why)
{
    *why = said == NULL && arena->failed ? "no memory" : said;
    if (*why != NULL)
        *out = (struct ll_url){.https = false};
    return *why == NULL;
}

bool
ll_url_read(linli_str text, struct ll_arena *arena, struct ll_url *out,
    const char **why)
{
    *out = (struct ll_url){.https = false};
    return ended(read_absolute(text, arena, out), arena, out, why);
}

/* -- relative to another -- */

static bool
has_scheme(linli_str s)
{
    size_t n = 0;
    while (n < s.len && (letter(s.ptr[n]) ||
                            (n > 0 && (digit(s.ptr[n]) || s.ptr[n] == '+' ||
                                          s.ptr[n] == '-' || s.ptr[n] == '.'))))
        n++;
    return n > 0 && n < s.len && s.ptr[n] == ':';
}

static linli_str
joined(struct ll_arena *arena, linli_str a, linli_str b)
{
    char *to = ll_arena_alloc(arena, a.len + b.len + 1);
    if (to == NULL)
        return (linli_str){NULL, 0};
    memcpy(to, a.ptr, a.len);
    if (b.len > 0)
        memcpy(to + a.len, b.ptr, b.len);
    return (linli_str){to, a.len + b.len};
}

/* What precedes `location` in the path of `base`. */
static linli_str
kept_of(const struct ll_url *base, linli_str location)
{
    linli_str path = {base->target.ptr, span_without(base->target, "?")};
    if (location.ptr[0] == '/')
        return (linli_str){path.ptr, 0};
    if (location.ptr[0] == '#')
        return base->target;
    if (location.ptr[0] != '?')
        while (path.len > 0 && path.ptr[path.len - 1] != '/')
            path.len--;
    return path;
}

bool
ll_url_follow(const struct ll_url *base, linli_str location,
    struct ll_arena *arena, struct ll_url *out, const char **why)
{
    linli_str whole;
    *out = (struct ll_url){.https = false};
    if (location.len == 0)
        return ended("it is empty", arena, out, why);
    if (has_scheme(location))
        return ll_url_read(location, arena, out, why);
    if (ll_str_starts(location, "//")) {
        linli_str scheme = ll_cstr(base->https ? "https:" : "http:");
        whole = joined(arena, scheme, location);
        return whole.ptr == NULL ? ended("no memory", arena, out, why)
                                 : ll_url_read(whole, arena, out, why);
    }
    const char *said = check_bytes(location);
    if (said != NULL)
        return ended(said, arena, out, why);
    whole = joined(arena, kept_of(base, location), location);
    if (whole.ptr == NULL)
        return ended("no memory", arena, out, why);
    *out = *base;
    return ended(read_target(whole, arena, out), arena, out, why);
}

bool
ll_url_same_origin(const struct ll_url *a, const struct ll_url *b)
{
    return a->https == b->https && a->port == b->port &&
           ll_str_eq(a->host, b->host);
}

/* -- as text -- */

static linli_str
put(const struct ll_url *url, linli_str target, struct ll_arena *arena)
{
    char port[8] = "";
    size_t max = url->host.len + target.len + 24;
    char *to = ll_arena_alloc(arena, max);
    if (to == NULL)
        return (linli_str){NULL, 0};
    if (url->port != (url->https ? 443 : 80))
        (void)snprintf(port, sizeof port, ":%u", url->port);
    int n = snprintf(to, max, url->v6 ? "%s[%.*s]%s%.*s" : "%s%.*s%s%.*s",
        url->https ? "https://" : "http://", LL_FMT(url->host), port,
        LL_FMT(target));
    ll_check(n > 0 && (size_t)n < max);
    return (linli_str){to, (size_t)n};
}

linli_str
ll_url_origin(const struct ll_url *url, struct ll_arena *arena)
{
    return put(url, (linli_str){"", 0}, arena);
}

linli_str
ll_url_text(const struct ll_url *url, struct ll_arena *arena)
{
    return put(url, url->target, arena);
}
