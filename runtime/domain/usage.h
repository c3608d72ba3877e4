/* domain/usage.h: usage records, segments and buckets. [any] pure
 *
 * spec/metering.md. A call that commits leaves records; the records of one
 * batch are packed into one segment, whose hash continues the chain of the
 * segments before it, and folded into buckets of a quarter of an hour. Sums
 * are exact: quantities are int64 in millionths of a unit, and what would
 * overflow is an error.
 */
#ifndef LL_DOMAIN_USAGE_H
#define LL_DOMAIN_USAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

/* One unit of a meter in the numbers below. */
#define LL_USAGE_UNIT 1000000
/* Length of a bucket's slot: the quarter of an hour that holds `at_ms`. */
#define LL_USAGE_SLOT_MS 900000

/* One record. In a segment LL_USAGE_BYTES bytes, little-endian, in this
 * order; the LSN is the segment's first plus its place. */
struct ll_usage {
    uint64_t call_high, call_low; /* the call's id: 128 random bits */
    int64_t at_ms;                /* event time, since 1970 */
    int64_t quantity;             /* millionths; negative: a correction */
    uint32_t series;              /* what is counted: id of a usage_series */
    uint32_t cpu_us;              /* of the committed run; 0 for others */
    uint64_t event_hash;          /* ll_usage_event_hash of its event_id */
};
#define LL_USAGE_BYTES 48

/* The first eight bytes of SHA-256, little-endian, and never 0; of an empty
 * id, which is none, 0. */
uint64_t ll_usage_event_hash(linli_str event_id);

/* Appends a record. */
void ll_usage_put(struct ll_buf *out, const struct ll_usage *usage);
/* Reads the record at `index` of a segment's content; false past its end. */
bool ll_usage_get(linli_str content, uint32_t index, struct ll_usage *out);

/* SHA-256(previous || content): the chain. `previous` of the first segment
 * is zero. */
void ll_usage_chain(const unsigned char previous[LL_SHA256_BYTES],
    linli_str content, unsigned char out[LL_SHA256_BYTES]);

/* The start of the slot that holds an instant (floor, also before 1970); of
 * the first slot, which int64 cuts, INT64_MIN. */
int64_t ll_usage_slot(int64_t at_ms);

/* Sums of one batch, one bucket for each (series, slot), in order of first
 * appearance. */
struct ll_usage_bucket {
    uint32_t series;
    int64_t slot_ms;
    int64_t quantity;
    int64_t count;
    uint64_t first_lsn, last_lsn; /* the least and the greatest in it */
};
struct ll_usage_fold {
    struct ll_mem *mem;
    struct ll_usage_bucket *buckets;
    uint32_t count, cap;
    uint32_t *table; /* open addressing: place of the bucket plus one, or 0 */
    uint32_t table_cap; /* 0 or a power of two, more than twice `count` */
};
/* Empty, with nothing allocated; fini frees, clear keeps the room. */
void ll_usage_fold_init(struct ll_usage_fold *fold, struct ll_mem *mem);
void ll_usage_fold_fini(struct ll_usage_fold *fold);
void ll_usage_fold_clear(struct ll_usage_fold *fold);
/* Adds a record to its bucket. On failure the fold is as before:
 * LINLI_E_LIMIT if a sum leaves int64, LINLI_E_NOMEM without memory or past
 * LL_USAGE_BUCKETS_MAX. */
linli_status ll_usage_fold_add(struct ll_usage_fold *fold,
    const struct ll_usage *usage, uint64_t lsn) LL_USE_RESULT;

/* "1", "0.5", "-12.000001": a quantity as exact decimal text, without zeros
 * at its end, NUL-terminated. Returns its length. */
size_t ll_usage_text(int64_t quantity, char out[32]);
/* The same back: a JSON number without exponent and with at most six decimals;
 * false, and *out 0, if it is none or does not fit. */
bool ll_usage_read(linli_str text, int64_t *out);

#endif
