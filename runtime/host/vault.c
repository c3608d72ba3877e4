/* host/vault.c: sealing and opening, by OpenSSL. [loop] */
#include "host/vault.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

#define KEY_BYTES 32
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define SEALED_BYTES_MAX (NONCE_BYTES + LL_SECRET_BYTES_MAX + TAG_BYTES)
#define PURPOSE_BYTES 512

static void
key_of(const struct ll_host *host, const struct ll_vault_name *name,
    unsigned char key[KEY_BYTES])
{
    char purpose[PURPOSE_BYTES];
    /* No part but the last can hold a ':'. */
    int n =
        snprintf(purpose, sizeof purpose, "vault:%s:%.*s:%.*s:%.*s", name->kind,
            LL_FMT(name->community), LL_FMT(name->owner), LL_FMT(name->name));
    ll_check(n > 0 && (size_t)n < sizeof purpose);
    ll_store_secret(host->store, purpose, key, KEY_BYTES);
}

/* nonce, text and tag into `out`; false without memory. */
static bool
seal(const unsigned char key[KEY_BYTES], linli_str plain,
    unsigned char out[SEALED_BYTES_MAX])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char *text = out + NONCE_BYTES;
    int n = 0, end = 0;
    bool good =
        context != NULL &&
        EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, out) == 1 &&
        EVP_EncryptUpdate(context, text, &n, (const unsigned char *)plain.ptr,
            (int)plain.len) == 1 &&
        EVP_EncryptFinal_ex(context, text + n, &end) == 1 &&
        EVP_CIPHER_CTX_ctrl(
            context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, text + plain.len) == 1;
    EVP_CIPHER_CTX_free(context);
    return good;
}

static bool
unseal(const unsigned char key[KEY_BYTES], unsigned char *sealed, size_t len,
    struct ll_opened *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    size_t text_len = len - NONCE_BYTES - TAG_BYTES;
    unsigned char *text = sealed + NONCE_BYTES;
    int n = 0, end = 0;
    bool good =
        context != NULL &&
        EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, sealed) ==
            1 &&
        EVP_CIPHER_CTX_ctrl(
            context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, text + text_len) == 1 &&
        EVP_DecryptUpdate(context, out->bytes, &n, text, (int)text_len) == 1 &&
        EVP_DecryptFinal_ex(context, out->bytes + n, &end) == 1;
    EVP_CIPHER_CTX_free(context);
    out->len = good ? text_len : 0;
    return good;
}

linli_status
ll_vault_close(struct ll_host *host, const struct ll_vault_name *name,
    linli_str plain, struct ll_buf *out, struct ll_err *err)
{
    unsigned char key[KEY_BYTES], sealed[SEALED_BYTES_MAX];
    ll_check(plain.len <= LL_SECRET_BYTES_MAX);
    ll_world_random(host->world, sealed, NONCE_BYTES);
    key_of(host, name, key);
    bool good = seal(key, plain, sealed);
    OPENSSL_cleanse(key, sizeof key);
    if (good)
        ll_base64url_put(out, sealed, NONCE_BYTES + plain.len + TAG_BYTES);
    return good && !out->failed
               ? LINLI_OK
               : ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a secret");
}

linli_status
ll_vault_open(struct ll_host *host, const struct ll_vault_name *name,
    linli_str sealed, struct ll_opened *out, struct ll_err *err)
{
    unsigned char key[KEY_BYTES], bytes[SEALED_BYTES_MAX];
    size_t len = 0;
    out->len = 0;
    bool good = ll_base64url_decode(sealed, bytes, sizeof bytes, &len) &&
                len >= NONCE_BYTES + TAG_BYTES;
    if (good) {
        key_of(host, name, key);
        good = unseal(key, bytes, len, out);
        OPENSSL_cleanse(key, sizeof key);
    }
    if (good)
        return LINLI_OK;
    ll_opened_wipe(out);
    return ll_fail(err, LINLI_E_IO, "store/unread",
        "the %s %.*s does not open with this key file", name->kind,
        LL_FMT(name->name));
}

void
ll_opened_wipe(struct ll_opened *opened)
{
    OPENSSL_cleanse(opened, sizeof *opened);
}

void
ll_vault_fingerprint(struct ll_host *host, linli_str community, linli_str plain,
    char out[LL_FINGERPRINT_BYTES])
{
    unsigned char key[KEY_BYTES], hash[LL_SHA256_BYTES];
    struct ll_vault_name name = {.kind = "fingerprint", .community = community};
    key_of(host, &name, key);
    ll_hmac_sha256((linli_str){(const char *)key, sizeof key}, plain, hash);
    ll_hex(hash, (LL_FINGERPRINT_BYTES - 1) / 2, out);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(hash, sizeof hash);
}
