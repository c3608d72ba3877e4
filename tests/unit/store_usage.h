/* tests/unit/store_usage.h: an independent look at the usage in a store: sums
 * in 128 bits over an array, no table and no code of the store's own. */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include "store_fixture.h"

#define USAGE_SUMS_MAX 4096

struct usage_sum {
    int64_t series, slot, count, first, last;
    __int128 quantity;
};

struct usage_sums {
    struct usage_sum of[USAGE_SUMS_MAX];
    uint32_t count;
};

static inline struct usage_sum *
usage_sum_of(struct usage_sums *sums, int64_t series, int64_t slot)
{
    for (uint32_t i = 0; i < sums->count; i++)
        if (sums->of[i].series == series && sums->of[i].slot == slot)
            return &sums->of[i];
    T_OK(sums->count < USAGE_SUMS_MAX);
    struct usage_sum *sum = &sums->of[sums->count++];
    *sum = (struct usage_sum){.series = series, .slot = slot};
    return sum;
}

static inline void
usage_add(struct usage_sums *sums, const struct ll_usage *u, int64_t lsn)
{
    /* Floor, also before 1970. */
    int64_t slot = u->at_ms - ((u->at_ms % 900000) + 900000) % 900000;
    struct usage_sum *sum = usage_sum_of(sums, u->series, slot);
    sum->first = sum->count == 0 ? lsn : sum->first;
    sum->last = lsn;
    sum->count++;
    sum->quantity += u->quantity;
}

/* One segment: follows the one before, chains, is summed up. */
static inline void
usage_segment(struct ll_rd *rd, struct usage_sums *sums, int64_t *last,
    unsigned char hash[LL_SHA256_BYTES])
{
    struct ll_usage usage;
    unsigned char both[LL_SHA256_BYTES + (size_t)LL_SEGMENT_RECORDS_MAX * 48];
    T_INT(ll_rd_list(rd), 5);
    T_INT(ll_rd_int(rd), *last + 1);
    int64_t to = ll_rd_int(rd), count = ll_rd_int(rd);
    T_INT(to - *last, count);
    linli_str chained = ll_rd_bytes(rd), content = ll_rd_bytes(rd);
    T_INT(content.len, count * 48);
    memcpy(both, hash, LL_SHA256_BYTES);
    memcpy(both + LL_SHA256_BYTES, content.ptr, content.len);
    ll_sha256(both, LL_SHA256_BYTES + content.len, hash);
    T_OK(ll_str_eq(chained, (linli_str){(const char *)hash, LL_SHA256_BYTES}));
    for (uint32_t i = 0; ll_usage_get(content, i, &usage); i++)
        usage_add(sums, &usage, ++*last);
    T_INT(*last, to);
}

/* Reads every segment and every bucket and compares; returns the records. */
static inline uint64_t
usage_check(struct fixture *f)
{
    static struct usage_sums records, buckets;
    unsigned char hash[LL_SHA256_BYTES] = {0};
    struct asked a;
    int64_t last = 0, before = -1;
    records.count = buckets.count = 0;
    asked_init(&a, f, LL_ST_segment_list);
    while (last != before) {
        before = last;
        ll_buf_clear(&a.query.params);
        ll_put_int(&a.query.params, last + 1);
        ll_put_int(&a.query.params, INT64_MAX);
        ll_put_int(&a.query.params, 50);
        T_INT(asked_run(&a, f), LINLI_OK);
        for (uint32_t i = 0; i < a.query.row_count; i++)
            usage_segment(&a.rows, &records, &last, hash);
    }
    ll_query_fini(&a.query);
    asked_init(&a, f, LL_ST_bucket_all);
    ll_put_int(&a.query.params, 0);
    ll_put_int(&a.query.params, USAGE_SUMS_MAX);
    T_INT(asked_run(&a, f), LINLI_OK);
    for (uint32_t i = 0; i < a.query.row_count; i++) {
        (void)ll_rd_list(&a.rows);
        (void)ll_rd_int(&a.rows);
        int64_t series = ll_rd_int(&a.rows), slot = ll_rd_int(&a.rows);
        struct usage_sum *sum = usage_sum_of(&buckets, series, slot);
        sum->quantity += ll_rd_int(&a.rows);
        bool first = sum->count == 0;
        sum->count += ll_rd_int(&a.rows);
        int64_t from = ll_rd_int(&a.rows), to = ll_rd_int(&a.rows);
        sum->first = first || from < sum->first ? from : sum->first;
        sum->last = to > sum->last ? to : sum->last;
    }
    T_OK(ll_rd_end(&a.rows));
    ll_query_fini(&a.query);
    T_INT(buckets.count, records.count);
    for (uint32_t i = 0; i < records.count; i++) {
        struct usage_sum *want = &records.of[i];
        struct usage_sum *got =
            usage_sum_of(&buckets, want->series, want->slot);
        T_OK(got->quantity == want->quantity);
        T_INT(got->count, want->count);
        T_INT(got->first, want->first);
        T_INT(got->last, want->last);
    }
    return (uint64_t)last;
}

#endif
