/* domain/address.c: the table of ranges, and addresses as text. */
#include "domain/address.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/text.h"

struct range {
    uint8_t bytes[16];
    unsigned bits; /* of the prefix */
    struct ll_address_verdict verdict;
};

#define PRIVATE(text)            \
    {                            \
        LL_ADDRESS_PRIVATE, text \
    }
#define NEVER(text)            \
    {                          \
        LL_ADDRESS_NEVER, text \
    }

static const struct range ranges_v4[] = {
    {{0}, 8, NEVER("this network, RFC 1122")},
    {{10}, 8, PRIVATE("private, RFC 1918")},
    {{100, 64}, 10, PRIVATE("shared by carriers, RFC 6598")},
    {{127}, 8, PRIVATE("loopback, RFC 1122")},
    {{168, 63, 129, 16}, 32, NEVER("the host of an Azure machine")},
    {{169, 254}, 16, NEVER("link-local, RFC 3927")},
    {{172, 16}, 12, PRIVATE("private, RFC 1918")},
    {{192, 0, 0}, 24, NEVER("IETF protocols, RFC 6890")},
    {{192, 0, 2}, 24, NEVER("documentation, RFC 5737")},
    {{192, 88, 99}, 24, NEVER("6to4 relays, RFC 7526")},
    {{192, 168}, 16, PRIVATE("private, RFC 1918")},
    {{198, 18}, 15, NEVER("benchmarks, RFC 2544")},
    {{198, 51, 100}, 24, NEVER("documentation, RFC 5737")},
    {{203, 0, 113}, 24, NEVER("documentation, RFC 5737")},
    {{224}, 4, NEVER("multicast, RFC 5771")},
    {{255, 255, 255, 255}, 32, NEVER("broadcast, RFC 919")},
    {{240}, 4, NEVER("reserved, RFC 1112")},
};

/* In order: the first that holds the address decides. The last row takes
 * whatever lies outside 2000::/3, the only global unicast there is. */
static const struct range ranges_v6[] = {
    {{0}, 128, NEVER("unspecified, RFC 4291")},
    {{[15] = 1}, 128, PRIVATE("loopback, RFC 4291")},
    {{[10] = 0xff, 0xff}, 96, NEVER("IPv4-mapped, RFC 4291")},
    {{[8] = 0xff, 0xff}, 96, NEVER("IPv4-translated, RFC 2765")},
    {{0}, 96, NEVER("IPv4-compatible, RFC 4291")},
    {{0x00, 0x64, 0xff, 0x9b}, 96, NEVER("NAT64, RFC 6052")},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, NEVER("NAT64, RFC 8215")},
    {{0x01, 0x00}, 64, NEVER("discard-only, RFC 6666")},
    {{0x20, 0x01, 0x00, 0x00}, 32, NEVER("Teredo, RFC 4380")},
    {{0x20, 0x01, 0x00, 0x02}, 48, NEVER("benchmarks, RFC 5180")},
    {{0x20, 0x01}, 23, NEVER("IETF protocols, RFC 2928")},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, NEVER("documentation, RFC 3849")},
    {{0x20, 0x02}, 16, NEVER("6to4, RFC 3056")},
    {{0x3f, 0xff}, 20, NEVER("documentation, RFC 9637")},
    {{0x5f, 0x00}, 16, NEVER("segment routing, RFC 9602")},
    {{0xfc}, 7, PRIVATE("unique local, RFC 4193")},
    {{0xfe, 0x80}, 10, NEVER("link-local, RFC 4291")},
    {{0xfe, 0xc0}, 10, NEVER("site-local, RFC 3879")},
    {{0xff}, 8, NEVER("multicast, RFC 4291")},
};
static const struct range global_v6 = {
    {0x20}, 3, NEVER("not global unicast, RFC 4291")};

static bool
within(const uint8_t *bytes, const struct range *range)
{
    unsigned whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(bytes, range->bytes, whole) != 0)
        return false;
    return rest == 0 ||
           ((bytes[whole] ^ range->bytes[whole]) >> (8 - rest)) == 0;
}

struct ll_address_verdict
ll_address_judge(const struct ll_address *address)
{
    const struct range *ranges = address->v6 ? ranges_v6 : ranges_v4;
    size_t count = address->v6 ? LL_COUNT(ranges_v6) : LL_COUNT(ranges_v4);
    for (size_t i = 0; i < count; i++)
        if (within(address->bytes, &ranges[i]))
            return ranges[i].verdict;
    if (address->v6 && !within(address->bytes, &global_v6))
        return global_v6.verdict;
    return (struct ll_address_verdict){LL_ADDRESS_PUBLIC, NULL};
}

bool
ll_address_equal(const struct ll_address *a, const struct ll_address *b)
{
    return a->v6 == b->v6 && a->port == b->port &&
           memcmp(a->bytes, b->bytes, a->v6 ? 16 : 4) == 0;
}

/* A number without leading zeros, so that nobody reads it as octal. */
static bool
plain_number(linli_str s, int64_t min, int64_t max, int64_t *out)
{
    if (s.len == 0 || s.ptr[0] == '-' || (s.len > 1 && s.ptr[0] == '0'))
        return false;
    return ll_str_int(s, min, max, out);
}

static bool
read_v4(linli_str text, struct ll_address *out)
{
    linli_str rest = text, part;
    for (int i = 0; i < 4; i++) {
        int64_t byte;
        if (!ll_str_split(&rest, '.', &part) ||
            !plain_number(part, 0, 255, &byte))
            return false;
        out->bytes[i] = (uint8_t)byte;
    }
    return rest.ptr == NULL;
}

static bool
read_v6(linli_str text, struct ll_address *out)
{
    char cstr[INET6_ADDRSTRLEN];
    if (text.len >= sizeof cstr || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(cstr, text.ptr, text.len);
    cstr[text.len] = '\0';
    out->v6 = true;
    return inet_pton(AF_INET6, cstr, out->bytes) == 1;
}

/* Splits "HOST:PORT" and "[HOST]:PORT"; without a port `host` is all. */
static bool
split_port(linli_str text, linli_str *host, struct ll_address *out)
{
    const char *colon = NULL;
    int64_t port;
    *host = text;
    if (text.len > 0 && text.ptr[0] == '[') {
        const char *end = memchr(text.ptr, ']', text.len);
        if (end == NULL || end + 1 == text.ptr + text.len || end[1] != ':')
            return false;
        *host = (linli_str){text.ptr + 1, (size_t)(end - text.ptr) - 1};
        colon = end + 1;
    } else if (memchr(text.ptr, '.', text.len) != NULL && text.ptr[0] != ':') {
        colon = memchr(text.ptr, ':', text.len);
        /* "::ffff:1.2.3.4" has a dot too, after its colons. */
        if (colon != NULL &&
            memchr(text.ptr, '.', (size_t)(colon - text.ptr)) == NULL)
            colon = NULL;
        if (colon != NULL)
            host->len = (size_t)(colon - text.ptr);
    }
    if (colon == NULL)
        return true;
    linli_str digits = {colon + 1, (size_t)(text.ptr + text.len - colon) - 1};
    if (!plain_number(digits, 1, 65535, &port))
        return false;
    out->port = (uint16_t)port;
    return true;
}

bool
ll_address_read(linli_str text, struct ll_address *out)
{
    linli_str host;
    struct ll_address read = {.port = 0};
    *out = (struct ll_address){.port = 0};
    if (text.len == 0 || !split_port(text, &host, &read) || host.len == 0)
        return false;
    bool v6 = memchr(host.ptr, ':', host.len) != NULL;
    if (!v6 && text.ptr[0] == '[')
        return false;
    if (!(v6 ? read_v6(host, &read) : read_v4(host, &read)))
        return false;
    *out = read;
    return true;
}

void
ll_address_text(
    const struct ll_address *address, char out[LL_ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "";
    (void)inet_ntop(
        address->v6 ? AF_INET6 : AF_INET, address->bytes, host, sizeof host);
    if (address->port == 0)
        (void)snprintf(out, LL_ADDRESS_TEXT_BYTES, "%s", host);
    else
        (void)snprintf(out, LL_ADDRESS_TEXT_BYTES,
            address->v6 ? "[%s]:%u" : "%s:%u", host, address->port);
}
