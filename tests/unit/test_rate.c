/* tests/unit/test_rate.c: token buckets in a bounded table. */
#include "host/rate.h"

#include "t.h"

#define NOW_MS INT64_C(1000000000)

static struct ll_rate *
rate_new(
    struct ll_mem *mem, int64_t per_minute, int64_t burst, uint32_t buckets)
{
    struct ll_rate_policy policy = {.per_minute = per_minute, .burst = burst};
    ll_mem_init(mem, 0);
    struct ll_rate *rate = ll_rate_new(mem, policy, buckets);
    T_OK(rate != NULL);
    return rate;
}

static void
rate_free(struct ll_rate **rate, const struct ll_mem *mem)
{
    ll_rate_free(rate);
    T_OK(*rate == NULL);
    T_INT(mem->used_bytes, 0);
}

/* How many of `n` calls of one key at one time are allowed. */
static int
take(struct ll_rate *rate, uint64_t key, int64_t now_ms, int n)
{
    int allowed = 0;
    for (int i = 0; i < n; i++)
        allowed += ll_rate_take(rate, key, now_ms).allowed;
    return allowed;
}

T_CASE(takes_a_burst_and_then_the_rate)
{
    struct ll_mem mem;
    struct ll_rate *rate = rate_new(&mem, 60, 3, 64);
    T_INT(take(rate, 7, NOW_MS, 10), 3);
    T_INT(take(rate, 7, NOW_MS + 999, 10), 0);
    T_INT(take(rate, 7, NOW_MS + 1000, 10), 1);
    T_INT(take(rate, 7, NOW_MS + 3000, 10), 2);
    T_INT(take(rate, 7, NOW_MS + 3600000, 10), 3); /* never above the burst */
    rate_free(&rate, &mem);
}

T_CASE(says_what_is_left_and_how_long_to_wait)
{
    static const struct {
        int64_t per_minute, burst, after_ms, retry_after_s;
    } rows[] = {
        {60, 1, 0, 1},
        {60, 1, 1, 1}, /* 999 ms: whole seconds, rounded up */
        {3, 3, 0, 20},
        {3, 3, 1, 20},
        {3, 3, 19000, 1},
        {3, 3, 19999, 1},
        {60000000, 1, 0, 1},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_mem mem;
        struct ll_rate *rate =
            rate_new(&mem, rows[i].per_minute, rows[i].burst, 64);
        for (int64_t left = rows[i].burst; left > 0; left--) {
            struct ll_rate_verdict v = ll_rate_take(rate, 1, NOW_MS);
            T_OK(v.allowed);
            T_INT(v.remaining, left - 1);
            T_INT(v.retry_after_s, 0);
        }
        int64_t at_ms = NOW_MS + rows[i].after_ms;
        struct ll_rate_verdict v = ll_rate_look(rate, 1, at_ms);
        T_OK(!v.allowed);
        T_INT(v.retry_after_s, rows[i].retry_after_s);
        /* Who waits as long as told is let in. */
        T_INT(take(rate, 1, at_ms + v.retry_after_s * 1000, 1), 1);
        rate_free(&rate, &mem);
    }
}

T_CASE(a_look_takes_nothing)
{
    struct ll_mem mem;
    struct ll_rate *rate = rate_new(&mem, 60, 2, 64);
    for (int i = 0; i < 10; i++)
        T_INT(ll_rate_look(rate, 5, NOW_MS).remaining, 2);
    T_INT(take(rate, 5, NOW_MS, 5), 2);
    T_OK(!ll_rate_look(rate, 5, NOW_MS).allowed);
    rate_free(&rate, &mem);
}

/* Keys are one hash with small numbers added: neighbours are strangers. */
T_CASE(neighbouring_keys_have_buckets_of_their_own)
{
    struct ll_mem mem;
    struct ll_rate *rate = rate_new(&mem, 60, 1, 1024);
    for (uint64_t key = 2; key < 10; key++)
        T_INT(take(rate, key, NOW_MS, 3), 1);
    T_INT(take(rate, UINT64_MAX, NOW_MS, 3), 1);
    T_INT(take(rate, 0, NOW_MS, 3), 1); /* 0 is a key as any */
    T_INT(take(rate, 0, NOW_MS, 3), 0);
    rate_free(&rate, &mem);
}

T_CASE(no_limit)
{
    struct ll_mem mem;
    struct ll_rate *rate = rate_new(&mem, 0, 1, 64);
    T_INT(take(rate, 5, NOW_MS, 1000), 1000);
    T_INT(ll_rate_look(rate, 5, NOW_MS).remaining, INT64_MAX);
    rate_free(&rate, &mem);
}

/* A clock that is set back neither fills a bucket nor blocks it for long. */
T_CASE(a_clock_that_goes_back)
{
    struct ll_mem mem;
    struct ll_rate *rate = rate_new(&mem, 60, 1, 64);
    T_INT(take(rate, 5, NOW_MS, 2), 1);
    T_INT(take(rate, 5, NOW_MS - 3600000, 2), 0);
    T_INT(take(rate, 5, NOW_MS - 3599000, 2), 1); /* it fills from there on */
    T_INT(take(rate, 5, NOW_MS + 1000, 2), 1);
    rate_free(&rate, &mem);
}

/* With every place taken the fullest gives way, so who is limited stays so
 * as long as somebody near has more left. */
T_CASE(a_full_table_forgets_the_fullest)
{
    struct ll_mem mem;
    struct ll_rate *rate = rate_new(&mem, 60, 2, 8);
    T_INT(take(rate, 8, NOW_MS, 5), 2); /* empty: stays */
    for (uint64_t key = 9; key < 16; key++)
        T_INT(take(rate, key, NOW_MS, 1), 1);
    for (uint64_t key = 100; key < 120; key++)
        T_INT(take(rate, key, NOW_MS, 1), 1);
    T_INT(take(rate, 8, NOW_MS, 5), 0);
    rate_free(&rate, &mem);
}

T_CASE(no_memory)
{
    struct ll_mem mem;
    struct ll_rate_policy policy = {.per_minute = 60, .burst = 1};
    ll_mem_init(&mem, 1000);
    struct ll_rate *rate = ll_rate_new(&mem, policy, 1024);
    T_OK(rate == NULL);
    ll_rate_free(&rate);
    T_INT(mem.used_bytes, 0);
}

T_MAIN(T_RUN(takes_a_burst_and_then_the_rate) T_RUN(
    says_what_is_left_and_how_long_to_wait) T_RUN(a_look_takes_nothing)
        T_RUN(neighbouring_keys_have_buckets_of_their_own) T_RUN(no_limit)
            T_RUN(a_clock_that_goes_back)
                T_RUN(a_full_table_forgets_the_fullest) T_RUN(no_memory))
