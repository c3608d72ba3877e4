/* tests/unit/test_token_cache.c: what is remembered, and for how long. */
#include "t.h"

#include "host/dev_key.h"
#include "host/token_cache.h"
#include "jwt_keys.h"

#define NOW_MS INT64_C(1767225600000)
#define MINUTE_MS INT64_C(60000)

static const unsigned char hash_key[16] = "0123456789abcde";
static struct ll_dev_key *dev;
static struct ll_jwks *ring;
static struct ll_token_cache *cache;

static void
set_up(void)
{
    struct ll_buf text;
    ll_buf_init(&text, &jk_mem, 4096);
    JK_NEED(ll_dev_key_create(&jk_mem, &dev, NULL) == LINLI_OK);
    JK_NEED(ll_dev_key_jwks(dev, &text, NULL) == LINLI_OK);
    struct ll_jwks_source source = {
        .text = ll_buf_view(&text), .kinds = 15, .development = true};
    JK_NEED(ll_jwks_new(&jk_mem, &source, 1, &ring, NULL) == LINLI_OK);
    ll_buf_fini(&text);
    cache = ll_token_cache_new(&jk_mem, hash_key);
    JK_NEED(cache != NULL);
}

/* A token for resident number `n`, good for `ttl_s`. */
static linli_str
token_of(struct ll_buf *buf, unsigned n, int64_t ttl_s)
{
    struct ll_buf claims;
    char id[32];
    int len = snprintf(id, sizeof id, "resident-%u", n);
    struct ll_dev_claims said = {.kind = LINLI_STR("resident"),
        .id = {id, (size_t)len},
        .community = LINLI_STR("demo"),
        .now_ms = NOW_MS,
        .ttl_s = ttl_s};
    ll_buf_init(&claims, &jk_mem, 4096);
    ll_buf_init(buf, &jk_mem, LL_TOKEN_BYTES_MAX);
    JK_NEED(ll_dev_claims_write(&jk_mem, &said, &claims, NULL) == LINLI_OK);
    JK_NEED(ll_jwt_sign(dev, ll_buf_view(&claims), buf, NULL) == LINLI_OK);
    ll_buf_fini(&claims);
    return ll_buf_view(buf);
}

T_CASE(remembers_a_verified_token)
{
    struct ll_buf buf;
    struct ll_identity *first, *second;
    linli_str token = token_of(&buf, 1, 600);
    T_OK(ll_token_cache_get(cache, token, NOW_MS) == NULL);
    T_INT(
        ll_token_identify(cache, ring, token, NOW_MS, &first, NULL), LINLI_OK);
    T_INT(ll_token_cache_count(cache), 1);
    T_INT(
        ll_token_identify(cache, ring, token, NOW_MS, &second, NULL), LINLI_OK);
    T_OK(first == second);
    T_INT(ll_token_cache_count(cache), 1);
    /* What the caller holds outlives the cache's entry. */
    ll_token_cache_clear(cache);
    T_INT(ll_token_cache_count(cache), 0);
    T_STR(first->id, "resident-1");
    ll_identity_unref(&first);
    T_STR(second->id, "resident-1");
    ll_identity_unref(&second);
    ll_buf_fini(&buf);
}

T_CASE(remembers_no_refused_token)
{
    struct ll_buf buf;
    struct ll_identity *who;
    struct ll_err err;
    linli_str token = token_of(&buf, 2, 600);
    buf.ptr[buf.len - 2] ^= 1;
    T_INT(ll_token_identify(cache, ring, token, NOW_MS, &who, &err),
        LINLI_E_DENIED);
    T_OK(who == NULL);
    T_INT(ll_token_cache_count(cache), 0);
    T_INT(ll_token_identify(cache, ring, LINLI_STR(""), NOW_MS, &who, &err),
        LINLI_E_DENIED);
    T_INT(ll_token_cache_count(cache), 0);
    ll_buf_fini(&buf);
}

/* A cached token must not save a changed one with the same tail. */
T_CASE(compares_the_whole_token)
{
    struct ll_buf buf;
    struct ll_identity *who;
    linli_str token = token_of(&buf, 3, 600);
    T_INT(ll_token_identify(cache, ring, token, NOW_MS, &who, NULL), LINLI_OK);
    ll_identity_unref(&who);
    for (size_t at = 0; at < token.len; at++) {
        buf.ptr[at] ^= 1;
        T_OK(ll_token_cache_get(cache, token, NOW_MS) == NULL);
        buf.ptr[at] ^= 1;
    }
    T_OK(ll_token_cache_get(cache, token, NOW_MS) != NULL);
    T_OK(ll_token_cache_get(
             cache, (linli_str){token.ptr + 1, token.len - 1}, NOW_MS) == NULL);
    ll_token_cache_clear(cache);
    ll_buf_fini(&buf);
}

T_CASE(forgets_with_the_tokens_end)
{
    struct ll_buf buf;
    struct ll_identity *who;
    struct ll_err err;
    linli_str token = token_of(&buf, 4, 600);
    int64_t end_ms = NOW_MS + 10 * MINUTE_MS + LL_TOKEN_LEEWAY_MS;
    T_INT(ll_token_identify(cache, ring, token, NOW_MS, &who, NULL), LINLI_OK);
    ll_identity_unref(&who);
    T_OK(ll_token_cache_get(cache, token, end_ms - 1) != NULL);
    T_OK(ll_token_cache_get(cache, token, end_ms) == NULL);
    T_INT(ll_token_cache_count(cache), 0);
    T_INT(ll_token_identify(cache, ring, token, end_ms, &who, &err),
        LINLI_E_DENIED);
    T_STR(ll_cstr(err.code), "auth/expired");
    /* A clock that was set back does not revive it early either. */
    T_INT(ll_token_identify(cache, ring, token, NOW_MS, &who, NULL), LINLI_OK);
    ll_identity_unref(&who);
    T_OK(ll_token_cache_get(cache, token, NOW_MS - LL_TOKEN_LEEWAY_MS - 1) ==
         NULL);
    ll_token_cache_clear(cache);
    ll_buf_fini(&buf);
}

T_CASE(drops_what_expires_first_when_full)
{
    const unsigned tokens = 2 * LL_TOKEN_CACHE_SETS * LL_TOKEN_CACHE_WAYS;
    struct ll_buf buf, late;
    struct ll_identity *who, *keeper;
    linli_str last = token_of(&late, 5, 86400);
    T_INT(
        ll_token_identify(cache, ring, last, NOW_MS, &keeper, NULL), LINLI_OK);
    for (unsigned i = 0; i < tokens; i++) {
        /* Names of our own instead of 16384 signatures. */
        char text[64];
        int len = snprintf(text, sizeof text, "made.up.%u", i);
        T_OK(len > 0);
        linli_str made_up = {text, (size_t)len};
        ll_token_cache_put(cache, made_up, keeper, NOW_MS);
        T_OK(ll_token_cache_get(cache, made_up, NOW_MS) == keeper);
    }
    T_OK(ll_token_cache_count(cache) <=
         (size_t)LL_TOKEN_CACHE_SETS * LL_TOKEN_CACHE_WAYS);
    T_OK(ll_token_cache_count(cache) > LL_TOKEN_CACHE_SETS);
    ll_token_cache_clear(cache);

    /* One set's worth of short ones gives way to the long one. */
    linli_str shorter = token_of(&buf, 6, 60);
    T_INT(
        ll_token_identify(cache, ring, shorter, NOW_MS, &who, NULL), LINLI_OK);
    for (unsigned i = 0; i < tokens; i++) {
        char text[64];
        int len = snprintf(text, sizeof text, "made.up.%u", i);
        ll_token_cache_put(
            cache, (linli_str){text, (size_t)len}, keeper, NOW_MS);
    }
    T_OK(ll_token_cache_get(cache, shorter, NOW_MS) == NULL);
    T_STR(who->id, "resident-6");
    ll_identity_unref(&who);
    ll_identity_unref(&keeper);
    ll_token_cache_clear(cache);
    ll_buf_fini(&buf);
    ll_buf_fini(&late);
}

T_CASE(works_without_memory_to_remember)
{
    struct ll_buf buf;
    struct ll_identity *who;
    linli_str token = token_of(&buf, 7, 600);
    T_INT(ll_jwt_verify(&jk_mem, ring, token, NOW_MS, &who, NULL), LINLI_OK);
    jk_mem.fail_in = 1;
    ll_token_cache_put(cache, token, who, NOW_MS);
    T_INT(ll_token_cache_count(cache), 0);
    ll_token_cache_put(cache, token, who, NOW_MS);
    ll_token_cache_put(cache, token, who, NOW_MS);
    T_INT(ll_token_cache_count(cache), 1);
    ll_identity_unref(&who);
    ll_buf_fini(&buf);
}

T_CASE(gives_all_memory_back)
{
    ll_token_cache_free(&cache);
    T_OK(cache == NULL);
    ll_token_cache_free(&cache);
    ll_jwks_free(&ring);
    ll_dev_key_free(&dev);
    T_INT(jk_mem.used_bytes, 0);
}

int
main(void)
{
    set_up();
    T_RUN(remembers_a_verified_token)
    T_RUN(remembers_no_refused_token)
    T_RUN(compares_the_whole_token)
    T_RUN(forgets_with_the_tokens_end)
    T_RUN(drops_what_expires_first_when_full)
    T_RUN(works_without_memory_to_remember)
    T_RUN(gives_all_memory_back)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
