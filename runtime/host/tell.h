/* host/tell.h: what the host itself tells a resident. [loop]
 *
 * No plugin's message: that somebody acted for them, that they come of age. It
 * goes by the ways that are configured (spec/notify.md), in their order, in
 * the resident's language. What is kept is a document of ~telling in the
 * community's space, sealed for the resident, until somebody has taken it.
 */
#ifndef LL_HOST_TELL_H
#define LL_HOST_TELL_H

#include "host/host.h"

#define LL_TELL_COLL "~telling"

struct ll_tells; /* of a community */

struct ll_telling {
    linli_str resident;
    linli_str zh, en; /* the same in both languages */
};

/* Goes on with what is kept; again is nothing. `make`: also if nothing has
 * ever been. LINLI_E_NOMEM. */
linli_status ll_tells_open(struct ll_community *community, bool make,
    struct ll_err *err) LL_USE_RESULT;
/* What providers have is taken back; a start goes on with it. */
void ll_tells_cancel(struct ll_community *community);
void ll_tells_close(struct ll_community *community);

/* Keeps it and brings it: after what was committed before it, at least once.
 * If every way fails, the operator has an alert "linli.unreachable". False
 * without memory. */
bool ll_tell(struct ll_community *community, const struct ll_telling *telling);
/* By text message and at once, once, kept nowhere: for a code. False: nobody
 * brings text messages ("notify/no-provider"), or there is no memory. */
bool ll_tell_code(
    struct ll_community *community, const struct ll_telling *telling);

#endif
