/* host/reconcile.h: do the usage records and their sums agree? [loop]
 *
 * Walks every segment, in pages: the chain of hashes, the places of the LSNs,
 * and the sum of each (series, slot); then every bucket, which must say the
 * same; then once more the segments that came meanwhile, as far as those
 * buckets have them. Calls go on; what is found is of one state.
 */
#ifndef LL_HOST_RECONCILE_H
#define LL_HOST_RECONCILE_H

#include "base/err.h"

struct ll_host;
struct ll_reconcile;

struct ll_reconciled {
    uint64_t segments, records, buckets;
    bool ok;
    /* The first that is wrong, unless ok: the LSN that its segment begins
     * with, or the bucket's id; the other is 0. And what is wrong with it. */
    uint64_t bad_lsn, bad_bucket;
    const char *what;
};

/* Begins; `done` is called once, later, with what was found or, if it could
 * not be looked at, with an error and NULL ("runtime/memory", or the store's
 * codes). It may be freed inside. */
linli_status ll_reconcile_new(struct ll_host *host,
    void (*done)(void *user, const struct ll_reconciled *found,
        const struct ll_err *err),
    void *user, struct ll_reconcile **out, struct ll_err *err) LL_USE_RESULT;

/* Gives it back; one that is not done is given up. */
void ll_reconcile_free(struct ll_reconcile **reconcile);

#endif
