/* host/token_cache.c: a set-associative table of verified tokens. [loop]
 *
 * A set is eight slots in two cache lines. The hash is taken of the token's
 * tail, which is its signature: as good as random for a verified token, and
 * a stranger cannot make sets collide without the key.
 */
#include "host/token_cache.h"

#include "base/hash.h"

#define TAIL_BYTES 32 /* of the signature; 192 bits of it */

struct entry {
    struct ll_identity *identity;
    size_t bytes; /* of this block */
    size_t token_len;
    char token[];
};

struct slot {
    uint64_t hash;
    struct entry *entry; /* NULL: free */
};

struct ll_token_cache {
    struct slot slots[LL_TOKEN_CACHE_SETS][LL_TOKEN_CACHE_WAYS];
    unsigned char key[16];
    struct ll_mem *mem;
    size_t count;
};

_Static_assert((LL_TOKEN_CACHE_SETS & (LL_TOKEN_CACHE_SETS - 1)) == 0,
    "a set is picked with a mask");

struct ll_token_cache *
ll_token_cache_new(struct ll_mem *mem, const unsigned char key[16])
{
    struct ll_token_cache *cache = ll_alloc(mem, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->mem = mem;
    memcpy(cache->key, key, sizeof cache->key);
    return cache;
}

static void
slot_drop(struct ll_token_cache *cache, struct slot *slot)
{
    struct entry *entry = slot->entry;
    if (entry == NULL)
        return;
    *slot = (struct slot){0, NULL};
    ll_identity_unref(&entry->identity);
    ll_release(cache->mem, entry, entry->bytes);
    ll_check(cache->count > 0);
    cache->count--;
}

void
ll_token_cache_clear(struct ll_token_cache *cache)
{
    for (size_t set = 0; set < LL_TOKEN_CACHE_SETS; set++)
        for (size_t way = 0; way < LL_TOKEN_CACHE_WAYS; way++)
            slot_drop(cache, &cache->slots[set][way]);
    ll_check(cache->count == 0);
}

void
ll_token_cache_free(struct ll_token_cache **cache)
{
    struct ll_token_cache *old = *cache;
    *cache = NULL;
    if (old == NULL)
        return;
    ll_token_cache_clear(old);
    ll_release(old->mem, old, sizeof *old);
}

static uint64_t
token_hash(const struct ll_token_cache *cache, linli_str token)
{
    size_t n = token.len < TAIL_BYTES ? token.len : TAIL_BYTES;
    return ll_siphash(cache->key, (linli_str){token.ptr + token.len - n, n});
}

/* What differs between eight bytes at a and at b. */
static inline uint64_t
word_differs(const char *a, const char *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x ^ y;
}

/* Four words a step: the byte-wise comparison of libcrypto would cost more
 * than the rest of the look-up. The time depends on the length alone. */
static bool
same_token(const struct entry *entry, linli_str token)
{
    const char *a = entry->token, *b = token.ptr;
    uint64_t differ = 0;
    size_t i = 0;
    if (entry->token_len != token.len)
        return false;
    for (; i + 32 <= token.len; i += 32)
        differ |= word_differs(a + i, b + i) |
                  word_differs(a + i + 8, b + i + 8) |
                  word_differs(a + i + 16, b + i + 16) |
                  word_differs(a + i + 24, b + i + 24);
    for (; i < token.len; i++)
        differ |= (unsigned char)(a[i] ^ b[i]);
    return differ == 0;
}

/* The slot that holds this very token, or NULL. */
static struct slot *
find(struct ll_token_cache *cache, linli_str token, uint64_t hash)
{
    struct slot *set = cache->slots[hash & (LL_TOKEN_CACHE_SETS - 1)];
    for (size_t way = 0; way < LL_TOKEN_CACHE_WAYS; way++)
        if (set[way].entry != NULL && set[way].hash == hash &&
            same_token(set[way].entry, token))
            return &set[way];
    return NULL;
}

struct ll_identity *
ll_token_cache_get(
    struct ll_token_cache *cache, linli_str token, int64_t now_ms)
{
    if (token.len == 0)
        return NULL;
    struct slot *slot = find(cache, token, token_hash(cache, token));
    if (slot == NULL)
        return NULL;
    if (ll_identity_live(slot->entry->identity, now_ms))
        return slot->entry->identity;
    slot_drop(cache, slot);
    return NULL;
}

/* A free slot of the set; if there is none, the one that expires first. */
static struct slot *
slot_for(struct ll_token_cache *cache, uint64_t hash)
{
    struct slot *set = cache->slots[hash & (LL_TOKEN_CACHE_SETS - 1)];
    struct slot *soonest = &set[0];
    for (size_t way = 0; way < LL_TOKEN_CACHE_WAYS; way++) {
        if (set[way].entry == NULL)
            return &set[way];
        if (set[way].entry->identity->expires_ms <
            soonest->entry->identity->expires_ms)
            soonest = &set[way];
    }
    slot_drop(cache, soonest);
    return soonest;
}

void
ll_token_cache_put(struct ll_token_cache *cache, linli_str token,
    struct ll_identity *identity, int64_t now_ms)
{
    uint64_t hash;
    if (token.len == 0 || token.len > LL_TOKEN_BYTES_MAX ||
        !ll_identity_live(identity, now_ms))
        return;
    hash = token_hash(cache, token);
    if (find(cache, token, hash) != NULL)
        return;
    size_t bytes = sizeof(struct entry) + token.len;
    struct entry *entry = ll_alloc(cache->mem, bytes);
    if (entry == NULL)
        return;
    entry->identity = ll_identity_ref(identity);
    entry->bytes = bytes;
    entry->token_len = token.len;
    memcpy(entry->token, token.ptr, token.len);
    *slot_for(cache, hash) = (struct slot){hash, entry};
    cache->count++;
}

linli_status
ll_token_identify(struct ll_token_cache *cache, const struct ll_jwks *jwks,
    linli_str token, int64_t now_ms, struct ll_identity **out,
    struct ll_err *err)
{
    struct ll_identity *known = ll_token_cache_get(cache, token, now_ms);
    *out = NULL;
    if (LL_LIKELY(known != NULL)) {
        *out = ll_identity_ref(known);
        return LINLI_OK;
    }
    linli_status status =
        ll_jwt_verify(cache->mem, jwks, token, now_ms, out, err);
    if (status == LINLI_OK)
        ll_token_cache_put(cache, token, *out, now_ms);
    return status;
}

size_t
ll_token_cache_count(const struct ll_token_cache *cache)
{
    return cache->count;
}
