/* domain/url.h: the URLs that requests go to. [any]
 *
 * Pure, and stricter than RFC 3986 where readers disagree: an authority that
 * two might read differently is refused, never mended. What comes out is
 * written anew from its parts, so that the transport cannot read anything else
 * into it: scheme and host in small letters, the port only if it is not the
 * scheme's own, no user, no fragment.
 */
#ifndef LL_DOMAIN_URL_H
#define LL_DOMAIN_URL_H

#include "base/mem.h"

#define LL_URL_HOST_BYTES_MAX 253 /* RFC 1035 */

struct ll_url {
    bool https;
    linli_str host; /* a name, "192.0.2.1" or "2001:db8::1" without brackets */
    bool v6;
    uint16_t port;
    linli_str target; /* path and query, begins with '/' */
};

/* Reads an absolute URL; what *out holds is the arena's. On failure *why is
 * a static text: what is wrong with it. */
bool ll_url_read(linli_str text, struct ll_arena *arena, struct ll_url *out,
    const char **why) LL_USE_RESULT;

/* The same of a Location, absolute or relative to `base`. */
bool ll_url_follow(const struct ll_url *base, linli_str location,
    struct ll_arena *arena, struct ll_url *out, const char **why) LL_USE_RESULT;

/* Scheme, host and port are the same. */
bool ll_url_same_origin(const struct ll_url *a, const struct ll_url *b);

/* "https://map.example.com:8443", and with the target behind it. ptr NULL
 * without memory. */
linli_str ll_url_origin(const struct ll_url *url, struct ll_arena *arena);
linli_str ll_url_text(const struct ll_url *url, struct ll_arena *arena);

#endif
