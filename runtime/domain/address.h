/* domain/address.h: which addresses a plugin's request may reach. [any]
 *
 * Pure: bytes in, a verdict out. What is not on the public internet is
 * refused, and so is every IPv6 form that carries an IPv4 address inside,
 * since what is behind it is decided elsewhere. The ranges are those of the
 * IANA special-purpose registries (RFC 6890), each with its own RFC.
 */
#ifndef LL_DOMAIN_ADDRESS_H
#define LL_DOMAIN_ADDRESS_H

#include "base/defs.h"

struct ll_address {
    uint8_t bytes[16]; /* network order; IPv4 has the first four */
    bool v6;
    uint16_t port; /* 0: none given */
};

enum ll_address_kind {
    LL_ADDRESS_PUBLIC,
    LL_ADDRESS_PRIVATE, /* an operator may allow one: private and loopback */
    LL_ADDRESS_NEVER,   /* nobody may */
};

struct ll_address_verdict {
    enum ll_address_kind kind;
    const char *range; /* "loopback, RFC 1122"; NULL if public */
};

/* What an address is by the first range that holds it; the port is no matter.
 */
struct ll_address_verdict ll_address_judge(const struct ll_address *address);

/* Address and port are the same; an IPv4 one is never an IPv6 one. */
bool ll_address_equal(const struct ll_address *a, const struct ll_address *b);

/* Reads "192.0.2.1", "2001:db8::1" or, with a port, "192.0.2.1:80" and
 * "[2001:db8::1]:80". Strict: four decimal numbers without leading zeros, no
 * zone. False if it is none. */
bool ll_address_read(linli_str text, struct ll_address *out);

/* The same text again, IPv6 as RFC 5952 writes it, the port if it is not 0;
 * NUL-terminated. */
#define LL_ADDRESS_TEXT_BYTES 64
void ll_address_text(
    const struct ll_address *address, char out[LL_ADDRESS_TEXT_BYTES]);

#endif
