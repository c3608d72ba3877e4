/* host/jwks.h: the public keys that tokens are verified with. [loop]
 *
 * A key ring is built once from one or more JWK Sets (RFC 7517) and never
 * changes; a reload builds another, and clears the token cache, because a
 * key that is gone must stop working at once. Each set brings its own rules:
 * whom its keys may speak for, and as which issuer (RFC 8725, section 3.8).
 */
#ifndef LL_HOST_JWKS_H
#define LL_HOST_JWKS_H

#include "base/json.h"
#include "base/limits.h"

/* The signature algorithms there are; the list is closed on purpose. */
enum ll_jwt_alg { LL_JWT_ES256, LL_JWT_EDDSA, LL_JWT_RS256, LL_JWT_ALG_COUNT };
/* "ES256", "EdDSA", "RS256". */
const char *ll_jwt_alg_name(enum ll_jwt_alg alg);

/* One JWK Set and what its keys may vouch for. */
struct ll_jwks_source {
    linli_str text;     /* the file's bytes */
    linli_str name;     /* for messages: "keys.json" */
    linli_str issuer;   /* `iss` must equal it; empty: not checked */
    linli_str audience; /* `aud` must hold it; empty: not checked */
    uint32_t kinds;     /* bit per enum ll_caller_kind it may vouch for */
    bool development;   /* long lifetimes; never in production */
};

struct ll_jwk {
    linli_str kid;
    enum ll_jwt_alg alg;        /* follows from kty and crv, never a token */
    void *pkey;                 /* EVP_PKEY */
    linli_str issuer, audience; /* of the source */
    uint32_t kinds;
    bool development;
};

struct ll_jwks;

/* Reads all sources into one ring. Keys for other uses (kty, use, alg or
 * key_ops not ours) are left out, as RFC 7517 section 5 asks; a key of a
 * kind we use that is malformed, weak, without kid, or that repeats a kid
 * refuses the ring, and so does any private or symmetric key. A source with
 * no usable key is refused. Texts are copied. On failure: code
 * "auth/jwks" or "auth/jwks-private", `where` is "NAME: /keys/3". */
linli_status ll_jwks_new(struct ll_mem *mem,
    const struct ll_jwks_source *sources, size_t count, struct ll_jwks **out,
    struct ll_err *err) LL_USE_RESULT;
void ll_jwks_free(struct ll_jwks **jwks);

/* The key with this id, or NULL. Borrowed from the ring. */
const struct ll_jwk *ll_jwks_find(const struct ll_jwks *jwks, linli_str kid);

/* Keys in the ring, and keys that were left out because they serve other
 * purposes. */
size_t ll_jwks_count(const struct ll_jwks *jwks);
size_t ll_jwks_left_out(const struct ll_jwks *jwks);

#endif
