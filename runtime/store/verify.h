/* store/verify.h: whether usage says the same thing twice. [any]
 *
 * Segments must follow each other without a gap, their hashes chain, and
 * their records sum up to exactly what the buckets say.
 */
#ifndef LL_STORE_VERIFY_H
#define LL_STORE_VERIFY_H

#include "store/db.h"

/* "store/corrupt" and the place of the first thing that is wrong. Reads all
 * usage there is; what it sums up lies in a temporary file. */
linli_status ll_verify_usage(
    struct ll_db *db, struct ll_err *err) LL_USE_RESULT;

#endif
