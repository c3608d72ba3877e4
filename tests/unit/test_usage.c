/* tests/unit/test_usage.c: records, slots, sums and quantities as text. */
#include "t.h"

#include "base/limits.h"
#include "base/text.h"
#include "dice.h"
#include "domain/usage.h"

#define OUT_BYTES_MAX (1u << 20)

static struct ll_mem mem;

static const struct ll_usage sample = {
    .call_high = 0x0102030405060708u,
    .call_low = 0x1112131415161718u,
    .at_ms = 1772413200123,
    .quantity = -1000000,
    .series = 7,
    .cpu_us = 0,
    .event_hash = 0x1e3d0696a721729bu,
};

/* spec/metering.md has the same vector. */
T_CASE(bytes_of_a_record)
{
    char hex[2 * LL_USAGE_BYTES + 1];
    struct ll_buf out;
    ll_buf_init(&out, &mem, OUT_BYTES_MAX);
    ll_usage_put(&out, &sample);
    T_INT(out.len, LL_USAGE_BYTES);
    ll_hex((const unsigned char *)out.ptr, out.len, hex);
    T_STR(ll_cstr(hex), "0807060504030201"
                        "1817161514131211"
                        "fb260fac9c010000"
                        "c0bdf0ffffffffff"
                        "07000000"
                        "00000000"
                        "9b7221a796063d1e");
    ll_buf_fini(&out);
}

static bool
same(const struct ll_usage *a, const struct ll_usage *b)
{
    return a->call_high == b->call_high && a->call_low == b->call_low &&
           a->at_ms == b->at_ms && a->quantity == b->quantity &&
           a->series == b->series && a->cpu_us == b->cpu_us &&
           a->event_hash == b->event_hash;
}

static struct ll_usage
random_usage(uint64_t *seed)
{
    return (struct ll_usage){
        .call_high = dice(seed),
        .call_low = dice(seed),
        .at_ms = dice_int(seed),
        .quantity = dice_int(seed),
        .series = (uint32_t)dice(seed),
        .cpu_us = (uint32_t)dice(seed),
        .event_hash = dice(seed),
    };
}

T_CASE(records_read_back)
{
    static const struct ll_usage zero = {0};
    struct ll_usage in[100], out;
    struct ll_buf content;
    uint64_t seed = 48;
    int wrong = 0;
    ll_buf_init(&content, &mem, OUT_BYTES_MAX);
    for (size_t i = 0; i < LL_COUNT(in); i++) {
        in[i] = random_usage(&seed);
        ll_usage_put(&content, &in[i]);
    }
    for (uint32_t i = 0; i < LL_COUNT(in); i++)
        wrong += !ll_usage_get(ll_buf_view(&content), i, &out) ||
                 !same(&out, &in[i]);
    T_INT(wrong, 0);
    T_OK(!ll_usage_get(ll_buf_view(&content), LL_COUNT(in), &out));
    T_OK(same(&out, &zero));
    T_OK(!ll_usage_get(ll_buf_view(&content), UINT32_MAX, &out));
    T_OK(!ll_usage_get((linli_str){NULL, 0}, 0, &out));
    /* Of a record that was cut short, nothing is read. */
    linli_str cut = {content.ptr, LL_USAGE_BYTES - 1};
    T_OK(!ll_usage_get(cut, 0, &out));
    T_OK(same(&out, &zero));
    ll_buf_fini(&content);
}

T_CASE(hashes_of_event_ids)
{
    T_OK(ll_usage_event_hash(LINLI_STR("session-81")) == sample.event_hash);
    T_OK(ll_usage_event_hash(LINLI_STR("")) == 0);
    T_OK(ll_usage_event_hash((linli_str){NULL, 0}) == 0);
    /* SHA-256("abc") begins ba7816bf8f01cfea. */
    T_OK(ll_usage_event_hash(LINLI_STR("abc")) == 0xeacf018fbf1678bau);
}

/* spec/metering.md has these. */
T_CASE(the_chain)
{
    static const char first[] = "a6951bc6a3bddddef70ee0386b82f78d"
                                "ebb70965c34f7aea6d9da69d572d2222";
    static const char second[] = "3fbbec24a8c7241b37e01c105b3326a2"
                                 "6311d3fd19a726166dc4076355d0de96";
    unsigned char hash[LL_SHA256_BYTES] = {0};
    char hex[2 * LL_SHA256_BYTES + 1];
    struct ll_buf content;
    ll_buf_init(&content, &mem, OUT_BYTES_MAX);
    ll_usage_put(&content, &sample);
    for (int i = 0; i < 2; i++) {
        /* In place, and as the words say: one hash over both. */
        unsigned char both[LL_SHA256_BYTES + LL_USAGE_BYTES], want[32];
        memcpy(both, hash, sizeof hash);
        memcpy(both + sizeof hash, content.ptr, content.len);
        ll_sha256(both, sizeof both, want);
        ll_usage_chain(hash, ll_buf_view(&content), hash);
        T_OK(memcmp(hash, want, sizeof hash) == 0);
        ll_hex(hash, sizeof hash, hex);
        T_STR(ll_cstr(hex), i == 0 ? first : second);
    }
    ll_buf_fini(&content);
}

T_CASE(slots)
{
    static const struct {
        int64_t at_ms, slot_ms;
    } rows[] = {
        {0, 0},
        {1, 0},
        {899999, 0},
        {900000, 900000},
        {900001, 900000},
        {1772413200123, 1772413200000},
        {-1, -900000},
        {-899999, -900000},
        {-900000, -900000},
        {-900001, -1800000},
        {INT64_MAX, 9223372036854000000},
        {INT64_MIN, INT64_MIN},
        {INT64_MIN + 775807, INT64_MIN},
        {INT64_MIN + 775808, -9223372036854000000},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        T_INT(ll_usage_slot(rows[i].at_ms), rows[i].slot_ms);
}

/* -- sums -- */

static linli_status
add(struct ll_usage_fold *fold, uint32_t series, int64_t at_ms,
    int64_t quantity, uint64_t lsn)
{
    struct ll_usage usage = {
        .series = series, .at_ms = at_ms, .quantity = quantity};
    return ll_usage_fold_add(fold, &usage, lsn);
}

T_CASE(a_small_fold)
{
    struct ll_usage_fold fold;
    ll_usage_fold_init(&fold, &mem);
    T_INT(add(&fold, 7, 900000, 1, 10), LINLI_OK);
    T_INT(add(&fold, 8, 900000, 5, 11), LINLI_OK);
    T_INT(add(&fold, 7, 1799999, 2, 12), LINLI_OK);
    T_INT(add(&fold, 7, 1800000, 3, 13), LINLI_OK);
    T_INT(add(&fold, 8, 900000, -5, 14), LINLI_OK);
    T_INT(fold.count, 3);
    static const struct ll_usage_bucket want[] = {
        {7, 900000, 3, 2, 10, 12},
        {8, 900000, 0, 2, 11, 14},
        {7, 1800000, 3, 1, 13, 13},
    };
    for (uint32_t i = 0; i < LL_COUNT(want) && i < fold.count; i++) {
        T_INT(fold.buckets[i].series, want[i].series);
        T_INT(fold.buckets[i].slot_ms, want[i].slot_ms);
        T_INT(fold.buckets[i].quantity, want[i].quantity);
        T_INT(fold.buckets[i].count, want[i].count);
        T_INT(fold.buckets[i].first_lsn, want[i].first_lsn);
        T_INT(fold.buckets[i].last_lsn, want[i].last_lsn);
    }
    /* Cleared it is empty, and keeps its room. */
    size_t room = mem.used_bytes;
    ll_usage_fold_clear(&fold);
    T_INT(fold.count, 0);
    T_INT(add(&fold, 7, 900000, 9, 20), LINLI_OK);
    T_INT(fold.count, 1);
    T_INT(fold.buckets[0].quantity, 9);
    T_INT(fold.buckets[0].first_lsn, 20);
    T_INT(mem.used_bytes, room);
    ll_usage_fold_fini(&fold);
    T_INT(mem.used_bytes, 0);
    ll_usage_fold_clear(&fold); /* of nothing */
    ll_usage_fold_fini(&fold);
}

T_CASE(sums_that_leave_int64)
{
    struct ll_usage_fold fold;
    ll_usage_fold_init(&fold, &mem);
    T_INT(add(&fold, 1, 0, INT64_MAX, 1), LINLI_OK);
    T_INT(add(&fold, 1, 0, 1, 2), LINLI_E_LIMIT);
    /* Nothing of it was taken. */
    T_INT(fold.buckets[0].quantity, INT64_MAX);
    T_INT(fold.buckets[0].count, 1);
    T_INT(fold.buckets[0].last_lsn, 1);
    T_INT(add(&fold, 1, 0, -1, 3), LINLI_OK);
    T_INT(add(&fold, 1, 0, 1, 4), LINLI_OK);
    T_INT(fold.buckets[0].quantity, INT64_MAX);
    T_INT(add(&fold, 2, 0, INT64_MIN, 5), LINLI_OK);
    T_INT(add(&fold, 2, 0, -1, 6), LINLI_E_LIMIT);
    T_INT(add(&fold, 2, 900000, -1, 7), LINLI_OK);
    T_INT(fold.count, 3);
    fold.buckets[2].count = INT64_MAX;
    T_INT(add(&fold, 2, 900000, 0, 8), LINLI_E_LIMIT);
    T_INT(fold.buckets[2].quantity, -1);
    ll_usage_fold_fini(&fold);
}

/* A fold against sums in 128 bits over all records, bucket by bucket. */
T_CASE(folds_against_plain_sums)
{
    enum { RECORDS = 3000, ROUNDS = 6 };
    static struct ll_usage records[RECORDS];
    struct ll_usage_fold fold;
    uint64_t seed = 15;
    int wrong = 0;
    ll_usage_fold_init(&fold, &mem);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t series = dice_below(&seed, 60) + 1;
        ll_usage_fold_clear(&fold);
        for (uint32_t i = 0; i < RECORDS; i++) {
            records[i] = (struct ll_usage){
                .series = dice_below(&seed, series),
                .at_ms = (int64_t)dice_below(&seed, 20000000) - 10000000,
                .quantity = (int64_t)(dice(&seed) >> 16) - (1LL << 46),
            };
            wrong += ll_usage_fold_add(&fold, &records[i], 100 + i) != LINLI_OK;
        }
        __int128 all = 0, folded = 0;
        int64_t count = 0;
        for (uint32_t b = 0; b < fold.count; b++) {
            const struct ll_usage_bucket *bucket = &fold.buckets[b];
            __int128 sum = 0;
            int64_t n = 0;
            uint64_t first = 0, last = 0;
            for (uint32_t i = 0; i < RECORDS; i++) {
                int64_t into = records[i].at_ms - bucket->slot_ms;
                if (records[i].series != bucket->series || into < 0 ||
                    into >= LL_USAGE_SLOT_MS)
                    continue;
                sum += records[i].quantity;
                first = n++ == 0 ? 100 + i : first;
                last = 100 + i;
            }
            wrong += sum != bucket->quantity || n != bucket->count ||
                     first != bucket->first_lsn || last != bucket->last_lsn;
            folded += bucket->quantity;
            count += bucket->count;
        }
        for (uint32_t i = 0; i < RECORDS; i++)
            all += records[i].quantity;
        T_OK(all == folded);
        T_INT(count, RECORDS);
    }
    T_INT(wrong, 0);
    ll_usage_fold_fini(&fold);
    T_INT(mem.used_bytes, 0);
}

T_CASE(allocations_that_fail)
{
    enum { SERIES = 1000 };
    bool reached_end = false;
    for (uint64_t nth = 1; nth < 40 && !reached_end; nth++) {
        struct ll_usage_fold fold;
        int failed = 0, wrong = 0;
        ll_usage_fold_init(&fold, &mem);
        mem.fail_in = nth;
        for (uint32_t i = 0; i < SERIES; i++) {
            linli_status status = add(&fold, i, 0, i, i);
            if (status == LINLI_OK)
                continue;
            /* It was refused whole, and the same passes later. */
            failed++;
            wrong += status != LINLI_E_NOMEM || fold.count != i ||
                     add(&fold, i, 0, i, i) != LINLI_OK;
        }
        reached_end = mem.fail_in != 0;
        mem.fail_in = 0;
        T_INT(failed, reached_end ? 0 : 1);
        for (uint32_t i = 0; i < SERIES; i++)
            wrong += add(&fold, i, 0, 1, SERIES + i) != LINLI_OK ||
                     fold.buckets[i].quantity != (int64_t)i + 1;
        T_INT(wrong, 0);
        T_INT(fold.count, SERIES);
        ll_usage_fold_fini(&fold);
        T_INT(mem.used_bytes, 0);
    }
    T_OK(reached_end);
}

T_CASE(as_many_buckets_as_there_may_be)
{
    struct ll_usage_fold fold;
    int wrong = 0;
    ll_usage_fold_init(&fold, &mem);
    for (uint32_t i = 0; i < LL_USAGE_BUCKETS_MAX; i++)
        wrong += add(&fold, i % 1024, (int64_t)(i / 1024) * LL_USAGE_SLOT_MS, 1,
                     i) != LINLI_OK;
    T_INT(wrong, 0);
    T_INT(fold.count, LL_USAGE_BUCKETS_MAX);
    T_INT(add(&fold, 1024, 0, 1, 1), LINLI_E_NOMEM);
    T_INT(add(&fold, 0, 0, 1, 1), LINLI_OK);
    ll_usage_fold_fini(&fold);
    T_INT(mem.used_bytes, 0);
}

/* -- text -- */

static const struct {
    const char *text;
    int64_t quantity;
} texts[] = {
    {"0", 0},
    {"1", 1000000},
    {"-1", -1000000},
    {"0.5", 500000},
    {"-0.5", -500000},
    {"0.000001", 1},
    {"-0.000001", -1},
    {"-12.000001", -12000001},
    {"10", 10000000},
    {"1000000", 1000000000000},
    {"0.1", 100000},
    {"0.100001", 100001},
    {"9223372036854.775807", INT64_MAX},
    {"-9223372036854.775808", INT64_MIN},
};

T_CASE(quantities_as_text)
{
    for (size_t i = 0; i < LL_COUNT(texts); i++) {
        char out[32];
        int64_t back = 42;
        size_t n = ll_usage_text(texts[i].quantity, out);
        T_INT(n, strlen(out));
        T_STR(((linli_str){out, n}), texts[i].text);
        T_OK(ll_usage_read(ll_cstr(texts[i].text), &back));
        T_INT(back, texts[i].quantity);
    }
    uint64_t seed = 6;
    int wrong = 0;
    for (int i = 0; i < 20000; i++) {
        char out[32];
        int64_t quantity = dice_int(&seed), back = 0;
        size_t n = ll_usage_text(quantity, out);
        wrong += !ll_usage_read((linli_str){out, n}, &back) || back != quantity;
    }
    T_INT(wrong, 0);
}

T_CASE(text_that_is_a_quantity_too)
{
    static const struct {
        const char *text;
        int64_t quantity;
    } rows[] = {{"-0", 0}, {"0.0", 0}, {"1.50", 1500000}, {"1.000000", 1000000},
        {"-0.000000", 0}};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        int64_t back = 42;
        T_OK(ll_usage_read(ll_cstr(rows[i].text), &back));
        T_INT(back, rows[i].quantity);
    }
}

T_CASE(text_that_is_no_quantity)
{
    static const char *const rows[] = {"", "-", "+1", ".5", "5.", "-.5", "1.-5",
        "01", "-01", "00", "1e3", "1 ", " 1", "1,5", "0x1", "1.2.3", "--1",
        "1.0000000", "0.0000001", "9223372036854.775808",
        "-9223372036854.775809", "9223372036855", "9223372036854775807",
        "9223372036854775808", "99999999999999999999", "nan", "\xef\xbc\x91",
        "1.0000001"};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        int64_t back = 42;
        T_OK(!ll_usage_read(ll_cstr(rows[i]), &back));
        T_INT(back, 0);
    }
    int64_t back = 42;
    T_OK(!ll_usage_read((linli_str){NULL, 0}, &back));
    T_OK(!ll_usage_read((linli_str){"1\0", 2}, &back));
}

T_MAIN(T_RUN(bytes_of_a_record) T_RUN(records_read_back) T_RUN(
    hashes_of_event_ids) T_RUN(the_chain) T_RUN(slots) T_RUN(a_small_fold)
        T_RUN(sums_that_leave_int64) T_RUN(folds_against_plain_sums)
            T_RUN(allocations_that_fail) T_RUN(as_many_buckets_as_there_may_be)
                T_RUN(quantities_as_text) T_RUN(text_that_is_a_quantity_too)
                    T_RUN(text_that_is_no_quantity))
