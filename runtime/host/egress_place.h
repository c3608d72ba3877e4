/* host/egress_place.h: where a request to the outside may go, whoever sends
 * it: spec/egress.md. [loop]
 *
 * A host is where the operator has put it for who sends, or where DNS says,
 * if that is a public address. Who sends is a plugin, or the host itself for
 * its operator: "~".
 */
#ifndef LL_HOST_EGRESS_PLACE_H
#define LL_HOST_EGRESS_PLACE_H

#include "domain/url.h"
#include "host/host.h"
#include "world/fetch.h"

#define LL_EGRESS_HOST_ITSELF "~"
#define LL_EGRESS_REFUSED_BYTES (LL_ADDRESS_TEXT_BYTES + 64)

/* Where the operator has put the host of `url` for `who`; NULL: nowhere, and
 * DNS is asked. */
const struct ll_egress_fixed *ll_egress_fixed_of(
    const struct ll_community *community, linli_str who,
    const struct ll_url *url);
/* "host:port:address:port", as the transport takes it, in the arena; empty for
 * `fixed` NULL. */
linli_str ll_egress_connect_to(const struct ll_egress_fixed *fixed,
    const struct ll_url *url, struct ll_arena *arena);
/* Where the socket is opened: an address that the operator has fixed is the
 * only one of its host, any other must be public. If not, `refused` says which
 * it is and why. */
bool ll_egress_judge(const struct ll_egress_fixed *fixed,
    const struct ll_url *url, const struct ll_fetch_peer *peer,
    char refused[LL_EGRESS_REFUSED_BYTES]);

/* The problem of a fetch that was not answered. */
const char *ll_egress_code(enum ll_fetch_end end);

#endif
