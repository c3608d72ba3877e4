/* host/egress_place.c: hosts and addresses of requests to the outside. [loop]
 */
#include "host/egress_place.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

const struct ll_egress_fixed *
ll_egress_fixed_of(const struct ll_community *community, linli_str who,
    const struct ll_url *url)
{
    const struct ll_config *config = &community->host->config;
    for (uint32_t i = 0; i < config->egress_count; i++) {
        const struct ll_egress_fixed *fixed = &config->egress[i];
        if (ll_str_eq(fixed->host, url->host) &&
            (fixed->port == 0 || fixed->port == url->port) &&
            (fixed->plugin.len == 0 || ll_str_eq(fixed->plugin, who)) &&
            (fixed->community.len == 0 ||
                ll_str_eq(fixed->community, community->id)))
            return fixed;
    }
    return NULL;
}

static struct ll_address
address_of(const struct ll_egress_fixed *fixed, const struct ll_url *url)
{
    struct ll_address address = fixed->address;
    if (address.port == 0)
        address.port = url->port;
    return address;
}

linli_str
ll_egress_connect_to(const struct ll_egress_fixed *fixed,
    const struct ll_url *url, struct ll_arena *arena)
{
    char address[LL_ADDRESS_TEXT_BYTES];
    size_t max = url->host.len + LL_ADDRESS_TEXT_BYTES + 16;
    if (fixed == NULL)
        return LINLI_STR("");
    char *to = ll_arena_alloc(arena, max);
    struct ll_address wanted = address_of(fixed, url);
    ll_address_text(&wanted, address);
    if (to == NULL)
        return LINLI_STR("");
    int n = snprintf(to, max, url->v6 ? "[%.*s]:%u:%s" : "%.*s:%u:%s",
        LL_FMT(url->host), url->port, address);
    return (linli_str){to, (size_t)n};
}

bool
ll_egress_judge(const struct ll_egress_fixed *fixed, const struct ll_url *url,
    const struct ll_fetch_peer *peer, char refused[LL_EGRESS_REFUSED_BYTES])
{
    struct ll_address address = {.v6 = peer->v6, .port = peer->port};
    char text[LL_ADDRESS_TEXT_BYTES];
    memcpy(address.bytes, peer->bytes, sizeof address.bytes);
    const char *range = ll_address_judge(&address).range;
    if (fixed != NULL) {
        struct ll_address wanted = address_of(fixed, url);
        range = ll_address_equal(&address, &wanted)
                    ? NULL
                    : "not the one that the operator named";
    }
    if (range == NULL)
        return true;
    ll_address_text(&address, text);
    (void)snprintf(refused, LL_EGRESS_REFUSED_BYTES, "%s is %s", text, range);
    return false;
}

const char *
ll_egress_code(enum ll_fetch_end end)
{
    static const char *const codes[] = {
        [LL_FETCH_REFUSED] = "egress/refused",
        [LL_FETCH_UNREACHABLE] = "egress/unreachable",
        [LL_FETCH_TLS] = "egress/tls",
        [LL_FETCH_TIMEOUT] = "egress/timeout",
        [LL_FETCH_TOO_LARGE] = "egress/too-large",
        [LL_FETCH_BROKEN] = "egress/broken",
        [LL_FETCH_NOMEM] = "runtime/memory",
    };
    return codes[end];
}
