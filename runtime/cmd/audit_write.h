/* cmd/audit_write.h: what an auditor gives to others: exports and proofs. */
#ifndef LL_CMD_AUDIT_WRITE_H
#define LL_CMD_AUDIT_WRITE_H

#include "cmd/audit_verify.h"

/* Writes what audit->last has signed of a log that was verified: the leaves
 * into `file`, their hashes into FILE.tiles, the checkpoint into
 * FILE.checkpoint; each aside first, then over what was there. "cli/file". */
linli_status ll_audit_write(
    struct ll_audit *audit, const char *file, struct ll_err *err) LL_USE_RESULT;

/* Appends a C2SP tlog-proof of leaf `seq`, with the leaf as its extra data, or
 * the same as JSON. "audit/unproved": no checkpoint has witnessed it. */
linli_status ll_audit_prove(struct ll_audit *audit, uint64_t seq, bool json,
    struct ll_buf *out, struct ll_err *err) LL_USE_RESULT;

#endif
