/* host/dev_key.h: the key a development daemon signs its own tokens with.
 * [any]
 *
 * linlid makes it in development mode and keeps it in its data directory;
 * `linli` signs with it. Nothing here touches a file: the caller reads and
 * writes the texts. The key is Ed25519; its id is its RFC 7638 thumbprint.
 */
#ifndef LL_HOST_DEV_KEY_H
#define LL_HOST_DEV_KEY_H

#include "base/buf.h"
#include "base/err.h"

#define LL_DEV_KEY_FILE "dev.key"         /* PEM (PKCS #8), mode 0600 */
#define LL_DEV_JWKS_FILE "dev.jwks.json"  /* its public half */
#define LL_DEV_ISSUER "linli-development" /* `iss` of what it signs */

struct ll_dev_key;

/* Makes a key with OpenSSL's generator, or reads one from PEM. Failures:
 * "auth/dev-key", "runtime/memory". */
linli_status ll_dev_key_create(struct ll_mem *mem, struct ll_dev_key **out,
    struct ll_err *err) LL_USE_RESULT;
linli_status ll_dev_key_read(struct ll_mem *mem, linli_str pem,
    struct ll_dev_key **out, struct ll_err *err) LL_USE_RESULT;
void ll_dev_key_free(struct ll_dev_key **key);

/* The RFC 7638 thumbprint, base64url; borrowed from the key. */
linli_str ll_dev_key_id(const struct ll_dev_key *key);

/* Appends the private PEM, or the public JWK Set. */
linli_status ll_dev_key_pem(const struct ll_dev_key *key, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;
linli_status ll_dev_key_jwks(const struct ll_dev_key *key, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;

/* Appends a compact EdDSA JWS over `claims_json`, which is signed as it is
 * given: tests sign wrong claims on purpose. */
linli_status ll_jwt_sign(const struct ll_dev_key *key, linli_str claims_json,
    struct ll_buf *out, struct ll_err *err) LL_USE_RESULT;

/* The claims of a development token; `extra` is a JSON object whose members
 * replace or add to them, or empty. Appends one JSON object. */
struct ll_dev_claims {
    linli_str kind; /* "resident", "staff", "operator", "app" */
    linli_str id;   /* sub */
    linli_str community;
    int64_t now_ms;
    int64_t ttl_s;
    linli_str extra;
};
linli_status ll_dev_claims_write(struct ll_mem *mem,
    const struct ll_dev_claims *claims, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;

#endif
