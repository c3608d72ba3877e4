/* host/revoked.h: plugins are told that a consent has ended. [loop]
 *
 * The commit that ends a grant leaves a document of ~revoked, under the
 * grant's id, sealed as what is said of its resident: a crash loses neither or
 * both. It becomes a job of the plugin, "resident.consent_revoked", and goes
 * when the plugin has done that. Without an answer there is an alert and a
 * duty. spec/consent.md, section 7.
 */
#ifndef LL_HOST_REVOKED_H
#define LL_HOST_REVOKED_H

#include "host/queue.h"

struct ll_revoked; /* of a community */

/* Makes what has ended be told; again is nothing. `make`: also if there has
 * never been anything. LINLI_E_NOMEM. */
linli_status ll_revoked_open(struct ll_community *community, bool make,
    struct ll_err *err) LL_USE_RESULT;
void ll_revoked_close(struct ll_community *community);

/* arbiter.tells of an arbiter whose `user` is the host. */
bool ll_revoked_tells(
    void *user, const struct ll_party_of *who, char pid[LL_PID_BYTES]);

#endif
