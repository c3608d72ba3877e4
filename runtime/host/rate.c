/* host/rate.c: token buckets in a bounded table. */
#include "host/rate.h"

/* Slots looked at for a key; the fullest of them gives way. */
#define PROBES 8
/* A call in the unit in which a bucket fills by `per_minute` each ms. */
#define CALL_UNITS 60000

struct bucket {
    uint64_t key; /* 0: free */
    int64_t units;
    int64_t at_ms;
};

struct ll_rate {
    struct ll_mem *mem;
    struct ll_rate_policy policy;
    uint32_t mask;
    struct bucket buckets[];
};

static size_t
table_bytes(uint32_t buckets)
{
    return sizeof(struct ll_rate) + buckets * sizeof(struct bucket);
}

struct ll_rate *
ll_rate_new(struct ll_mem *mem, struct ll_rate_policy policy, uint32_t buckets)
{
    ll_check((buckets & (buckets - 1)) == 0);
    ll_check(buckets >= PROBES);
    ll_check(policy.burst >= 1 || policy.per_minute == 0);
    struct ll_rate *rate = ll_alloc(mem, table_bytes(buckets));
    if (rate == NULL)
        return NULL;
    rate->mem = mem;
    rate->policy = policy;
    rate->mask = buckets - 1;
    return rate;
}

void
ll_rate_free(struct ll_rate **rate)
{
    if (*rate != NULL)
        ll_release((*rate)->mem, *rate, table_bytes((*rate)->mask + 1));
    *rate = NULL;
}

struct ll_rate_policy
ll_rate_policy(const struct ll_rate *rate)
{
    return rate->policy;
}

/* What the bucket would hold now. */
static int64_t
filled(const struct ll_rate *rate, const struct bucket *bucket, int64_t now)
{
    int64_t full = rate->policy.burst * CALL_UNITS;
    int64_t passed = now > bucket->at_ms ? now - bucket->at_ms : 0;
    if (passed > full / rate->policy.per_minute)
        return full;
    int64_t sum = bucket->units + passed * rate->policy.per_minute;
    return sum < full ? sum : full;
}

/* The key's bucket; a free or the fullest neighbour becomes it. */
static struct bucket *
find(struct ll_rate *rate, uint64_t wanted, int64_t now)
{
    /* 0 marks what is free. No other two keys may meet: they can be the
     * same hash with a small number added. */
    uint64_t key = wanted == 0 ? 1 : wanted;
    struct bucket *best = NULL;
    int64_t best_fill = -1;
    for (uint32_t i = 0; i < PROBES; i++) {
        struct bucket *bucket =
            &rate->buckets[((uint32_t)key + i) & rate->mask];
        if (bucket->key == key)
            return bucket;
        int64_t fill = bucket->key == 0 ? INT64_MAX : filled(rate, bucket, now);
        if (fill > best_fill) {
            best = bucket;
            best_fill = fill;
        }
    }
    *best = (struct bucket){
        .key = key, .units = rate->policy.burst * CALL_UNITS, .at_ms = now};
    return best;
}

struct ll_rate_verdict
ll_rate_look(struct ll_rate *rate, uint64_t key, int64_t now_ms)
{
    if (rate->policy.per_minute == 0)
        return (struct ll_rate_verdict){
            .allowed = true, .remaining = INT64_MAX};
    struct bucket *bucket = find(rate, key, now_ms);
    bucket->units = filled(rate, bucket, now_ms);
    bucket->at_ms = now_ms;
    struct ll_rate_verdict verdict = {.allowed = bucket->units >= CALL_UNITS,
        .remaining = bucket->units / CALL_UNITS};
    if (!verdict.allowed) {
        int64_t missing = CALL_UNITS - bucket->units;
        int64_t per_s = rate->policy.per_minute * 1000;
        verdict.retry_after_s = (missing + per_s - 1) / per_s;
    }
    return verdict;
}

struct ll_rate_verdict
ll_rate_take(struct ll_rate *rate, uint64_t key, int64_t now_ms)
{
    struct ll_rate_verdict verdict = ll_rate_look(rate, key, now_ms);
    if (!verdict.allowed || rate->policy.per_minute == 0)
        return verdict;
    find(rate, key, now_ms)->units -= CALL_UNITS;
    verdict.remaining--;
    return verdict;
}
