/* base/digest.c: what OpenSSL's libcrypto does for us. A file of its own, so
 * that a worker, which needs none of it, does not carry libcrypto. */
#include "base/hash.h"

#include <pthread.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* Found once: looking the algorithm up takes twice as long as a short hash.
 * libcrypto keeps it for the process, and so do we: it is nobody's state. */
static pthread_once_t found = PTHREAD_ONCE_INIT;
static const EVP_MD *the_sha256;

static void
find_sha256(void)
{
    the_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    ll_check(the_sha256 != NULL);
}

static const EVP_MD *
sha256(void)
{
    int code = pthread_once(&found, find_sha256);
    ll_check(code == 0);
    return the_sha256;
}

void
ll_sha256(const void *bytes, size_t n, unsigned char out[LL_SHA256_BYTES])
{
    unsigned int len = 0;
    int ok = EVP_Digest(bytes, n, out, &len, sha256(), NULL);
    ll_check(ok == 1);
    ll_check(len == LL_SHA256_BYTES);
}

void
ll_sha256_two(linli_str a, linli_str b, unsigned char out[LL_SHA256_BYTES])
{
    unsigned int len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    ll_check(ctx != NULL);
    int ok = EVP_DigestInit_ex(ctx, sha256(), NULL);
    ll_check(ok == 1);
    ok = EVP_DigestUpdate(ctx, a.ptr, a.len);
    ll_check(ok == 1);
    ok = EVP_DigestUpdate(ctx, b.ptr, b.len);
    ll_check(ok == 1);
    ok = EVP_DigestFinal_ex(ctx, out, &len);
    ll_check(ok == 1);
    ll_check(len == LL_SHA256_BYTES);
    EVP_MD_CTX_free(ctx);
}

void
ll_hmac_sha256(
    linli_str key, linli_str message, unsigned char out[LL_SHA256_BYTES])
{
    unsigned int len = 0;
    const unsigned char *made = HMAC(sha256(), key.ptr, (int)key.len,
        (const unsigned char *)message.ptr, message.len, out, &len);
    ll_check(made != NULL);
    ll_check(len == LL_SHA256_BYTES);
}

bool
ll_secret_is(linli_str given, linli_str secret)
{
    return given.len == secret.len &&
           CRYPTO_memcmp(given.ptr, secret.ptr, secret.len) == 0;
}

void
ll_wipe(struct ll_buf *buf)
{
    if (buf->ptr != NULL)
        OPENSSL_cleanse(buf->ptr, buf->cap);
    ll_buf_clear(buf);
}

void
ll_wipe_bytes(void *bytes, size_t n)
{
    OPENSSL_cleanse(bytes, n);
}
