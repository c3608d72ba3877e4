/* tests/unit/test_store_usage.c: usage of batches: segments without gaps,
 * their chain, and buckets that are exactly the sums of the records. */
#include "store_fixture.h"
#include "store_usage.h"

static uint64_t seed = 88172645463325252u;

static uint64_t
random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static struct ll_usage
any_usage(int64_t quantity)
{
    uint64_t r = random_u64();
    return (struct ll_usage){.call_high = r,
        .call_low = random_u64(),
        .at_ms = (int64_t)(r % 5) * 700000 - 1000000,
        .quantity = quantity,
        .series = (uint32_t)(1 + r / 5 % 3),
        .cpu_us = (uint32_t)(r % 1000),
        .event_hash = r % 2 == 0 ? r : 0};
}

T_CASE(records_come_back)
{
    struct fixture f;
    struct change c;
    struct asked a;
    struct ll_usage put[3], got;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    for (int i = 0; i < 3; i++) {
        put[i] = any_usage(LL_USAGE_UNIT * (i - 1));
        ll_commit_usage(&c.commit, &put[i]);
    }
    T_OK(change_make(&c, &f));
    asked_init(&a, &f, LL_ST_segment_list);
    ll_put_int(&a.query.params, 1);
    ll_put_int(&a.query.params, 3);
    ll_put_int(&a.query.params, 10);
    T_INT(asked_run(&a, &f), LINLI_OK);
    T_INT(ll_rd_list(&a.rows), 5);
    T_INT(ll_rd_int(&a.rows), 1);
    T_INT(ll_rd_int(&a.rows), 3);
    T_INT(ll_rd_int(&a.rows), 3);
    (void)ll_rd_bytes(&a.rows);
    linli_str content = ll_rd_bytes(&a.rows);
    for (uint32_t i = 0; i < 3; i++) {
        T_OK(ll_usage_get(content, i, &got));
        T_OK(memcmp(&got, &put[i], sizeof got) == 0);
    }
    T_OK(ll_rd_end(&a.rows));
    ll_query_fini(&a.query);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* Batches of all sizes, closed and opened in between. */
T_CASE(segments_sum_up_to_buckets)
{
    struct fixture f;
    static struct change changes[64];
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    uint64_t records = 0;
    for (int round = 0; round < 40; round++) {
        int commits = 1 + (int)(random_u64() % 64);
        for (int i = 0; i < commits; i++) {
            change_init(&changes[i], &f);
            int count = (int)(random_u64() % 6);
            records += (uint64_t)count;
            for (int j = 0; j < count; j++) {
                struct ll_usage u =
                    any_usage((int64_t)(random_u64() % 2000000) - 500000);
                ll_commit_usage(&changes[i].commit, &u);
            }
            (void)ll_store_commit(f.store, &changes[i].commit);
            if (random_u64() % 8 == 0)
                ll_world_turn(f.world, false);
        }
        for (int i = 0; i < commits; i++) {
            fixture_wait(&f, &changes[i].done);
            ll_commit_fini(&changes[i].commit);
        }
        if (round % 10 == 9) {
            ll_store_close(&f.store);
            T_INT(fixture_open(&f), LINLI_OK);
        }
    }
    T_INT(usage_check(&f), records);
    fixture_fini(&f);
}

/* A sum that no int64 holds goes on in the next part, and in the same batch
 * as well as in the next one. */
T_CASE(no_sum_overflows)
{
    static const int64_t quantities[] = {LL_BUCKET_QUANTITY_MAX, 1, -1,
        INT64_MAX, INT64_MAX, INT64_MIN, -1, INT64_MIN, INT64_MAX,
        LL_BUCKET_QUANTITY_MAX, -LL_BUCKET_QUANTITY_MAX, 5};
    struct fixture f;
    struct change c;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    struct ll_usage u = {.series = 1, .at_ms = 5};
    for (size_t i = 0; i < COUNT(quantities); i++) {
        u.quantity = quantities[i];
        ll_commit_usage(&c.commit, &u);
    }
    T_OK(change_make(&c, &f));
    for (size_t i = 0; i < COUNT(quantities); i++) {
        u.quantity = quantities[i];
        ll_commit_usage(&c.commit, &u);
        T_OK(change_make(&c, &f));
    }
    T_INT(usage_check(&f), 2 * COUNT(quantities));
    T_INT(f.failures, 0);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* More records than a segment takes. */
T_CASE(a_large_batch_is_several_segments)
{
    struct fixture f;
    struct change c;
    struct asked a;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    for (int i = 0; i < LL_SEGMENT_RECORDS_MAX + 10; i++) {
        struct ll_usage u = any_usage(1);
        ll_commit_usage(&c.commit, &u);
    }
    T_OK(!c.commit.ops.failed);
    T_OK(change_make(&c, &f));
    T_INT(usage_check(&f), LL_SEGMENT_RECORDS_MAX + 10);
    asked_init(&a, &f, LL_ST_segment_list);
    ll_put_int(&a.query.params, 0);
    ll_put_int(&a.query.params, INT64_MAX);
    ll_put_int(&a.query.params, 10);
    T_INT(asked_run(&a, &f), LINLI_OK);
    T_INT(a.query.row_count, 2);
    ll_query_fini(&a.query);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

T_MAIN(T_RUN(records_come_back) T_RUN(segments_sum_up_to_buckets)
        T_RUN(no_sum_overflows) T_RUN(a_large_batch_is_several_segments))
