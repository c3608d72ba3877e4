/* tests/unit/jwt_keys.h: keys and tokens made on the spot, right or wrong.
 * Signs any header over any claims, so that every forgery can be tried. */
#ifndef JWT_KEYS_H
#define JWT_KEYS_H

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/buf.h"
#include "base/text.h"
#include "host/jwks.h"

static struct ll_mem jk_mem;

/* A test that cannot make its keys cannot say anything. */
#define JK_NEED(x)                                           \
    do {                                                     \
        if (!(x)) {                                          \
            printf("Bail out! %s:%d\n", __FILE__, __LINE__); \
            exit(1);                                         \
        }                                                    \
    } while (0)

static inline EVP_PKEY *
jk_key(enum ll_jwt_alg alg, unsigned rsa_bits)
{
    EVP_PKEY *key = alg == LL_JWT_ES256 ? EVP_EC_gen("P-256")
                    : alg == LL_JWT_EDDSA
                        ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                        : EVP_RSA_gen(rsa_bits);
    JK_NEED(key != NULL);
    return key;
}

static inline void
jk_put_bn(struct ll_buf *out, EVP_PKEY *key, const char *param, int width)
{
    unsigned char bytes[1024];
    BIGNUM *n = NULL;
    JK_NEED(EVP_PKEY_get_bn_param(key, param, &n) == 1);
    if (width == 0)
        width = BN_num_bytes(n);
    JK_NEED(BN_bn2binpad(n, bytes, width) == width);
    ll_base64url_put(out, bytes, (size_t)width);
    BN_free(n);
}

/* Appends the public JWK, with `more` (",\"use\":\"sig\"") in it. */
static inline void
jk_jwk(struct ll_buf *out, EVP_PKEY *key, const char *kid, const char *more)
{
    unsigned char x[32];
    size_t n = sizeof x;
    ll_buf_char(out, '{');
    if (kid != NULL)
        ll_buf_printf(out, "\"kid\":\"%s\",", kid);
    if (EVP_PKEY_is_a(key, "ED25519")) {
        JK_NEED(EVP_PKEY_get_raw_public_key(key, x, &n) == 1);
        ll_buf_cstr(out, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
        ll_base64url_put(out, x, n);
    } else if (EVP_PKEY_is_a(key, "EC")) {
        ll_buf_cstr(out, "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
        jk_put_bn(out, key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
        ll_buf_cstr(out, "\",\"y\":\"");
        jk_put_bn(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    } else {
        ll_buf_cstr(out, "\"kty\":\"RSA\",\"e\":\"");
        jk_put_bn(out, key, OSSL_PKEY_PARAM_RSA_E, 0);
        ll_buf_cstr(out, "\",\"n\":\"");
        jk_put_bn(out, key, OSSL_PKEY_PARAM_RSA_N, 0);
    }
    ll_buf_printf(out, "\"%s}", more);
}

/* DER to r||s, as RFC 7518 section 3.4 wants it. */
static inline size_t
jk_raw_es256(unsigned char *sig, size_t n)
{
    const unsigned char *at = sig;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)n);
    JK_NEED(pair != NULL);
    JK_NEED(BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig, 32) == 32);
    JK_NEED(BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig + 32, 32) == 32);
    ECDSA_SIG_free(pair);
    return 64;
}

/* Appends a compact JWS of `key` over the two texts as they are. */
static inline void
jk_sign(
    struct ll_buf *out, EVP_PKEY *key, const char *header, const char *claims)
{
    unsigned char sig[1024];
    size_t from = out->len, n = sizeof sig;
    ll_base64url_put(out, header, strlen(header));
    ll_buf_char(out, '.');
    ll_base64url_put(out, claims, strlen(claims));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
    JK_NEED(EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1);
    JK_NEED(EVP_DigestSign(ctx, sig, &n, (const unsigned char *)out->ptr + from,
                out->len - from) == 1);
    EVP_MD_CTX_free(ctx);
    if (EVP_PKEY_is_a(key, "EC"))
        n = jk_raw_es256(sig, n);
    ll_buf_char(out, '.');
    ll_base64url_put(out, sig, n);
    JK_NEED(!out->failed);
}

#endif
