/* base/hash.h: hashes for tables and for content. [any] */
#ifndef LL_BASE_HASH_H
#define LL_BASE_HASH_H

#include "base/buf.h"

/* SipHash-2-4 (Aumasson and Bernstein, 2012): for tables whose keys a
 * stranger chooses. The key is 16 random bytes, one per host. */
uint64_t ll_siphash(const unsigned char key[16], linli_str s);

/* FNV-1a, 64 bits: only for tables whose keys are ours. */
uint64_t ll_fnv(linli_str s);

#define LL_SHA256_BYTES 32
/* SHA-256 (FIPS 180-4) by OpenSSL. Aborts only if libcrypto is broken. */
void ll_sha256(const void *bytes, size_t n, unsigned char out[LL_SHA256_BYTES]);
/* Of `a` followed by `b`. */
void ll_sha256_two(
    linli_str a, linli_str b, unsigned char out[LL_SHA256_BYTES]);

/* HMAC-SHA256 (RFC 2104); a key of any length up to INT32_MAX. */
void ll_hmac_sha256(
    linli_str key, linli_str message, unsigned char out[LL_SHA256_BYTES]);

/* Whether two texts are the same, in a time that tells nothing of where they
 * differ; of their lengths it does. */
bool ll_secret_is(linli_str given, linli_str secret);

/* The bytes of a buffer, which stays as long as it is and is empty then; so
 * many bytes. No compiler leaves it out. */
void ll_wipe(struct ll_buf *buf);
void ll_wipe_bytes(void *bytes, size_t n);

#endif
