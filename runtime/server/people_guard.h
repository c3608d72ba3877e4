/* server/people_guard.h: guardianships over HTTP. [loop]
 *
 * A resident asks (PENDING), the guardian accepts (ACCEPTED, or ACTIVE if the
 * resident alone can give it), the operator verifies what the law wants
 * verified (ACTIVE). Nobody's own word makes them a guardian.
 */
#ifndef LL_SERVER_PEOPLE_GUARD_H
#define LL_SERVER_PEOPLE_GUARD_H

#include "server/people.h"

/* .../me/guardians..., .../me/wards...: `rest` begins with either. */
void ll_guard_me_handle(struct ll_face *face, struct ll_request *request,
    const struct ll_asker *asker, linli_str rest);

/* .../admin/guardians...; `rest` is what follows that. `by` is the operator's
 * id. */
void ll_guard_admin_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str by, linli_str rest);

#endif
