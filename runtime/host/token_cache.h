/* host/token_cache.h: tokens that were verified once. [loop]
 *
 * On the way of every request, so a look-up costs a hash of 32 bytes, one
 * set of slots and one comparison of the whole token, in time that does not
 * depend on where two tokens differ. Only verified tokens get in; a full set
 * drops the entry that expires first. Clear it when the key ring changes.
 */
#ifndef LL_HOST_TOKEN_CACHE_H
#define LL_HOST_TOKEN_CACHE_H

#include "host/jwt.h"

struct ll_token_cache;

/* `key` is 16 random bytes. NULL: no memory. */
struct ll_token_cache *ll_token_cache_new(
    struct ll_mem *mem, const unsigned char key[16]) LL_USE_RESULT;
void ll_token_cache_free(struct ll_token_cache **cache);
void ll_token_cache_clear(struct ll_token_cache *cache);

/* The identity of a token that is cached and valid at `now_ms`, or NULL.
 * Borrowed until the next call on this cache: take a reference to keep it
 * longer. */
struct ll_identity *ll_token_cache_get(
    struct ll_token_cache *cache, linli_str token, int64_t now_ms);

/* Remembers a verified token and takes a reference to its identity. Without
 * memory it remembers nothing: the next request verifies again. */
void ll_token_cache_put(struct ll_token_cache *cache, linli_str token,
    struct ll_identity *identity, int64_t now_ms);

/* What a request does: from the cache, or verified with `jwks` and then
 * remembered. *out is a reference of the caller's, given back with
 * ll_identity_unref. Failures as of ll_jwt_verify. */
linli_status ll_token_identify(struct ll_token_cache *cache,
    const struct ll_jwks *jwks, linli_str token, int64_t now_ms,
    struct ll_identity **out, struct ll_err *err) LL_USE_RESULT;

/* Entries held, expired ones included until they are met. */
size_t ll_token_cache_count(const struct ll_token_cache *cache);

#endif
