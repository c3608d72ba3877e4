/* host/directory.h: who and what a community has: residents, households,
 * staff, devices, spaces. [loop]
 *
 * Documents of the community's own space, whose plugin is "~": written by
 * seeds and operators, read by the runtime. No plugin reaches them. What the
 * host itself remembers, its communities and their plugins, lies in a space
 * of its own, community "~".
 *
 * The documents hold names, homes and the keys of devices, so they are
 * sealed (spec/store.md): each has a member `subject` that the store's key
 * file leads to and nothing else does. It is one for each resident,
 * household, device, so that taking that key away takes exactly what was
 * said of one; what is said of a ward goes with the ward.
 */
#ifndef LL_HOST_DIRECTORY_H
#define LL_HOST_DIRECTORY_H

#include "consent/subject.h"
#include "host/host.h"

#define LL_DIR_HOST "~" /* the community that the host's own things are in */
#define LL_DIR_COMMUNITY "~community" /* there; not sealed */
#define LL_DIR_PLUGIN "~plugin"       /* there: what is to be enabled */
#define LL_DIR_HOUSEHOLD "~household"
#define LL_DIR_RESIDENT "~resident"
#define LL_DIR_STAFF "~staff"
#define LL_DIR_GUARDIAN "~guardian"
#define LL_DIR_DEVICE "~device"
#define LL_DIR_SPACE "~space"
#define LL_DIR_RELAY "~relay" /* numbers that stand for a resident */

/* A collection of it, made by its first use; NULL without memory. */
struct ll_coll *ll_directory(struct ll_community *community, const char *name);
/* The same of the host's own. */
struct ll_coll *ll_directory_host(struct ll_host *host, const char *name);
/* A collection of a community, which this host need not serve; NULL if it was
 * never used. */
struct ll_coll *ll_directory_find(
    struct ll_host *host, linli_str community, const char *name);

/* The subject of what is kept of `id`, the same each time. */
void ll_directory_subject(struct ll_host *host, linli_str community,
    const char *coll, linli_str id, char out[LL_PID_BYTES]);

/* The household that a resident's document says they belong to at an instant;
 * ptr NULL: the document says nothing of it; empty: to none. Borrowed from it.
 */
linli_str ll_directory_household(struct ll_jv resident, int64_t now_ms);

#endif
