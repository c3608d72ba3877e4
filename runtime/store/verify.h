/* store/verify.h: whether a database says the same thing twice. [any]
 *
 * Usage: segments must follow each other without a gap, their hashes chain,
 * and their records sum up to exactly what the buckets say. The log: leaves
 * must follow each other, hash to the tiles, and both to the head.
 */
#ifndef LL_STORE_VERIFY_H
#define LL_STORE_VERIFY_H

#include "store/db.h"
#include "store/seal.h"

/* "store/corrupt" and the place of the first thing that is wrong. Reads all
 * usage there is; what it sums up lies in a temporary file. */
linli_status ll_verify_usage(
    struct ll_db *db, struct ll_err *err) LL_USE_RESULT;
/* The same of the log: every leaf and tile, the head, and that the checkpoint
 * in it is signed with what follows from the key file. */
linli_status ll_verify_log(struct ll_db *db, struct ll_mem *mem,
    const unsigned char key[LL_SEAL_KEY_BYTES],
    struct ll_err *err) LL_USE_RESULT;

#endif
