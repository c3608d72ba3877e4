/* host/dev_key.c: making, keeping and using the development key. [any] */
#include "host/dev_key.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

#define PUBLIC_BYTES 32
#define SIGNATURE_BYTES 64
#define THUMBPRINT_CHARS 43 /* 32 bytes in base64url */
#define PEM_BYTES_MAX 4096  /* a real one has 119 */

struct ll_dev_key {
    struct ll_mem *mem;
    EVP_PKEY *pkey;
    char x[THUMBPRINT_CHARS + 1];   /* public key, base64url */
    char kid[THUMBPRINT_CHARS + 1]; /* RFC 7638 thumbprint */
};

static linli_status
bad_key(struct ll_err *err, const char *what)
{
    ERR_clear_error();
    return ll_fail(err, LINLI_E_INVALID, "auth/dev-key", "%s", what);
}

/* 32 bytes as 43 characters and a NUL. */
static linli_status
put_43(struct ll_mem *mem, const unsigned char bytes[32], char *out)
{
    struct ll_buf buf;
    ll_buf_init(&buf, mem, THUMBPRINT_CHARS + 1);
    ll_base64url_put(&buf, bytes, 32);
    bool ok = !buf.failed && buf.len == THUMBPRINT_CHARS;
    if (ok)
        memcpy(out, buf.ptr, THUMBPRINT_CHARS);
    ll_buf_fini(&buf);
    return ok ? LINLI_OK : LINLI_E_NOMEM;
}

/* Takes `pkey`, also on failure. */
static linli_status
key_new(struct ll_mem *mem, EVP_PKEY *take_pkey, struct ll_dev_key **out,
    struct ll_err *err)
{
    unsigned char x[PUBLIC_BYTES], print[LL_SHA256_BYTES];
    /* RFC 7638: the required members, in this order, without space. */
    char members[128];
    size_t n = sizeof x;
    struct ll_dev_key *key = ll_alloc(mem, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(take_pkey);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no key");
    }
    key->mem = mem;
    key->pkey = take_pkey;
    linli_status status = LINLI_OK;
    if (EVP_PKEY_get_raw_public_key(take_pkey, x, &n) != 1 || n != sizeof x)
        status = bad_key(err, "its public half cannot be read");
    if (status == LINLI_OK)
        status = put_43(mem, x, key->x);
    if (status == LINLI_OK) {
        int len = snprintf(members, sizeof members,
            "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", key->x);
        ll_sha256(members, (size_t)len, print);
        status = put_43(mem, print, key->kid);
    }
    if (status == LINLI_E_NOMEM)
        (void)ll_fail(err, status, "runtime/memory", "no key");
    if (status != LINLI_OK)
        ll_dev_key_free(&key);
    *out = key;
    return status;
}

linli_status
ll_dev_key_create(
    struct ll_mem *mem, struct ll_dev_key **out, struct ll_err *err)
{
    *out = NULL;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (pkey == NULL)
        return bad_key(err, "OpenSSL could not make an Ed25519 key");
    return key_new(mem, pkey, out, err);
}

/* Without this OpenSSL would ask for a passphrase on the terminal. */
static int
no_passphrase(char *buf, int size, int writing, void *user)
{
    LL_UNUSED(buf);
    LL_UNUSED(size);
    LL_UNUSED(writing);
    LL_UNUSED(user);
    return -1;
}

linli_status
ll_dev_key_read(struct ll_mem *mem, linli_str pem, struct ll_dev_key **out,
    struct ll_err *err)
{
    *out = NULL;
    if (pem.len == 0 || pem.len > PEM_BYTES_MAX)
        return bad_key(err, "it is not one private key in PEM");
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *pkey =
        bio == NULL ? NULL
                    : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (pkey == NULL)
        return bad_key(err, "it is not one private key in PEM");
    if (!EVP_PKEY_is_a(pkey, "ED25519")) {
        EVP_PKEY_free(pkey);
        return bad_key(err, "it is not an Ed25519 key");
    }
    return key_new(mem, pkey, out, err);
}

void
ll_dev_key_free(struct ll_dev_key **key)
{
    struct ll_dev_key *old = *key;
    *key = NULL;
    if (old == NULL)
        return;
    EVP_PKEY_free(old->pkey);
    ll_release(old->mem, old, sizeof *old);
}

linli_str
ll_dev_key_id(const struct ll_dev_key *key)
{
    return (linli_str){key->kid, THUMBPRINT_CHARS};
}

linli_status
ll_dev_key_pem(
    const struct ll_dev_key *key, struct ll_buf *out, struct ll_err *err)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_secmem());
    bool ok = bio != NULL && PEM_write_bio_PrivateKey(bio, key->pkey, NULL,
                                 NULL, 0, NULL, NULL) == 1;
    long n = ok ? BIO_get_mem_data(bio, &text) : 0;
    if (n > 0)
        ll_buf_add(out, text, (size_t)n);
    BIO_free(bio);
    if (n <= 0)
        return bad_key(err, "it cannot be written as PEM");
    if (out->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no key");
    return LINLI_OK;
}

linli_status
ll_dev_key_jwks(
    const struct ll_dev_key *key, struct ll_buf *out, struct ll_err *err)
{
    ll_buf_printf(out,
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\","
        "\"alg\":\"EdDSA\",\"kid\":\"%s\",\"x\":\"%s\"}]}\n",
        key->kid, key->x);
    if (out->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no key set");
    return LINLI_OK;
}

linli_status
ll_jwt_sign(const struct ll_dev_key *key, linli_str claims_json,
    struct ll_buf *out, struct ll_err *err)
{
    unsigned char sig[SIGNATURE_BYTES];
    char header[128];
    size_t from = out->len, n = sizeof sig;
    int len = snprintf(header, sizeof header,
        "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"%s\"}", key->kid);
    ll_base64url_put(out, header, (size_t)len);
    ll_buf_char(out, '.');
    ll_base64url_put(out, claims_json.ptr, claims_json.len);
    if (out->failed)
        return ll_fail(err, LINLI_E_LIMIT, "auth/dev-key",
            "the token would be larger than %zu bytes", out->max_bytes);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL &&
              EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
              EVP_DigestSign(ctx, sig, &n,
                  (const unsigned char *)out->ptr + from, out->len - from) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return bad_key(err, "OpenSSL could not sign with it");
    ll_buf_char(out, '.');
    ll_base64url_put(out, sig, n);
    if (out->failed)
        return ll_fail(err, LINLI_E_LIMIT, "auth/dev-key",
            "the token would be larger than %zu bytes", out->max_bytes);
    return LINLI_OK;
}

linli_status
ll_dev_claims_write(struct ll_mem *mem, const struct ll_dev_claims *claims,
    struct ll_buf *out, struct ll_err *err)
{
    int64_t iat_s = claims->now_ms / 1000;
    const struct {
        const char *name;
        linli_str text; /* ptr NULL: the number */
        int64_t number;
    } base[] = {{"iss", LINLI_STR(LL_DEV_ISSUER), 0}, {"sub", claims->id, 0},
        {"kind", claims->kind, 0}, {"community", claims->community, 0},
        {"iat", {NULL, 0}, iat_s}, {"exp", {NULL, 0}, iat_s + claims->ttl_s}};
    struct ll_json extra;
    linli_str text = claims->extra.len > 0 ? claims->extra : LINLI_STR("{}");
    ll_json_init(&extra, mem);
    linli_status status = ll_json_parse(&extra, text, LL_TOKEN_DEPTH_MAX, err);
    struct ll_jv root = ll_json_root(&extra);
    struct ll_jw w = ll_jw(out);
    if (status != LINLI_OK)
        goto out;
    if (!ll_jv_is(root, LL_JSON_OBJECT)) {
        status = ll_fail(err, LINLI_E_INVALID, "request/json",
            "claims must be a JSON object");
        goto out;
    }
    ll_jw_open(&w, '{');
    for (size_t i = 0; i < LL_COUNT(base); i++) {
        if (ll_jv_there(ll_jv_get(root, base[i].name)))
            continue;
        ll_jw_key(&w, base[i].name);
        if (base[i].text.ptr != NULL)
            ll_jw_str(&w, base[i].text);
        else
            ll_jw_int(&w, base[i].number);
    }
    LL_JSON_MEMBERS (name, value, root) {
        ll_jw_key_str(&w, ll_jv_str(name));
        ll_jw_value(&w, value);
    }
    ll_jw_close(&w, '}');
    if (out->failed)
        status = ll_fail(err, LINLI_E_LIMIT, "auth/dev-key",
            "the claims would be larger than %zu bytes", out->max_bytes);
out:
    ll_json_fini(&extra);
    return status;
}
