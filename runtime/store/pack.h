/* store/pack.h: usage of a batch into segments and buckets. [any: one packer
 * belongs to one connection]
 *
 * Records gather until they are flushed, in the transaction of their batch:
 * then they are one segment more, and its sums are added to the buckets. A
 * bucket's quantity stays within LL_BUCKET_QUANTITY_MAX; what would leave it
 * opens the next part of the bucket, so no sum is ever too large.
 */
#ifndef LL_STORE_PACK_H
#define LL_STORE_PACK_H

#include "domain/usage.h"
#include "store/db.h"

struct ll_pack {
    struct ll_mem *mem;
    struct ll_buf content; /* of the segment to be */
    struct ll_usage_fold fold;
    uint64_t last; /* LSN in the segments */
    uint32_t count;
    unsigned char hash[LL_SHA256_BYTES]; /* of the last segment */
};

/* Empty; ll_pack_load says where it goes on. Fini frees. */
void ll_pack_init(struct ll_pack *pack, struct ll_mem *mem);
void ll_pack_fini(struct ll_pack *pack);

/* Where the segments in the database end. */
linli_status ll_pack_load(
    struct ll_pack *pack, struct ll_db *db, struct ll_err *err) LL_USE_RESULT;
/* Takes a record; flushes first if the segment or a sum would be too large. */
linli_status ll_pack_add(struct ll_pack *pack, struct ll_db *db,
    const struct ll_usage *usage, struct ll_err *err) LL_USE_RESULT;
linli_status ll_pack_flush(
    struct ll_pack *pack, struct ll_db *db, struct ll_err *err) LL_USE_RESULT;
/* Adds the sums that have gathered to the buckets, and nothing else. */
linli_status ll_pack_fold(
    struct ll_pack *pack, struct ll_db *db, struct ll_err *err) LL_USE_RESULT;

#endif
