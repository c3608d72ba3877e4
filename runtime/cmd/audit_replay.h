/* cmd/audit_replay.h: the log of consent folded again.
 *
 * Leaves make the state of domain/consent_state.h, as acts made the host's, by
 * tags instead of names; every access leaf must stand where a live grant, or a
 * basis that an operator had approved, covers it. spec/log.md, L23.
 */
#ifndef LL_CMD_AUDIT_REPLAY_H
#define LL_CMD_AUDIT_REPLAY_H

#include "cmd/audit_source.h"

struct ll_replayed {
    uint64_t leaves, accesses, grants, withdrawals;
    uint64_t duties_open, duties_overdue; /* at the time of the last leaf */
};

/* From the first leaf of an open source to its end. Code "audit/replay",
 * `where` "seq N": the first leaf that should not be there. */
linli_status ll_audit_replay(struct ll_source *source, struct ll_replayed *out,
    struct ll_err *err) LL_USE_RESULT;

#endif
