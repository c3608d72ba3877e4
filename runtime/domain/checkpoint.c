/* domain/checkpoint.c: signed notes, written, read and verified. */
#include "domain/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/text.h"

#define ALGORITHM 1          /* Ed25519 in a C2SP signed note */
#define DASH "\xe2\x80\x94 " /* U+2014, a space */

bool
ll_origin_valid(linli_str origin)
{
    if (origin.len == 0 || origin.len > LL_ORIGIN_BYTES_MAX)
        return false;
    for (size_t i = 0; i < origin.len; i++)
        if (origin.ptr[i] <= 0x20 || origin.ptr[i] > 0x7e ||
            origin.ptr[i] == '+')
            return false;
    return true;
}

/* -- base64 with padding, RFC 4648 section 4 -- */

static void
put_base64(struct ll_buf *out, const unsigned char *bytes, size_t n)
{
    unsigned char text[256];
    ll_check(n <= 128);
    int len = EVP_EncodeBlock(text, bytes, (int)n);
    ll_buf_add(out, text, (size_t)len);
}

/* Exactly `n` bytes; false for any other text, also of the same bytes. */
static bool
read_base64(linli_str text, unsigned char *out, size_t n)
{
    char url[256];
    size_t got = 0, plain = (n * 4 + 2) / 3;
    if (text.len != (n + 2) / 3 * 4 || text.len > sizeof url)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '-' || c == '_' || (c == '=') != (i >= plain))
            return false;
        url[i] = (char)(c == '+' ? '-' : c == '/' ? '_' : c);
    }
    return ll_base64url_decode((linli_str){url, plain}, out, n, &got) &&
           got == n;
}

/* -- keys -- */

static void
set_id(struct ll_vkey *key)
{
    unsigned char hash[LL_SHA256_BYTES], tail[2 + LL_ED25519_BYTES];
    tail[0] = '\n';
    tail[1] = ALGORITHM;
    memcpy(tail + 2, key->key, sizeof key->key);
    ll_sha256_two(ll_cstr(key->origin),
        (linli_str){(const char *)tail, sizeof tail}, hash);
    memcpy(key->id, hash, sizeof key->id);
}

static void
set_origin(struct ll_vkey *key, linli_str origin)
{
    ll_check(ll_origin_valid(origin));
    memcpy(key->origin, origin.ptr, origin.len);
    key->origin[origin.len] = '\0';
}

void
ll_vkey_of(const unsigned char seed[LL_ED25519_BYTES], linli_str origin,
    struct ll_vkey *out)
{
    size_t n = sizeof out->key;
    *out = (struct ll_vkey){.id = {0}};
    set_origin(out, origin);
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, NULL, seed, LL_ED25519_BYTES);
    ll_check(pair != NULL);
    int ok = EVP_PKEY_get_raw_public_key(pair, out->key, &n);
    ll_check(ok == 1);
    ll_check(n == sizeof out->key);
    EVP_PKEY_free(pair);
    set_id(out);
}

void
ll_vkey_put(struct ll_buf *out, const struct ll_vkey *key)
{
    unsigned char bytes[1 + LL_ED25519_BYTES] = {ALGORITHM};
    char id[2 * sizeof key->id + 1];
    memcpy(bytes + 1, key->key, sizeof key->key);
    ll_hex(key->id, sizeof key->id, id);
    ll_buf_printf(out, "%s+%s+", key->origin, id);
    put_base64(out, bytes, sizeof bytes);
}

bool
ll_vkey_read(linli_str text, struct ll_vkey *out)
{
    linli_str origin, id, rest = text;
    unsigned char bytes[1 + LL_ED25519_BYTES];
    char want[2 * sizeof out->id + 1];
    *out = (struct ll_vkey){.id = {0}};
    if (text.len > LL_VKEY_BYTES_MAX || !ll_str_split(&rest, '+', &origin) ||
        !ll_str_split(&rest, '+', &id) || !ll_origin_valid(origin) ||
        !read_base64(rest, bytes, sizeof bytes) || bytes[0] != ALGORITHM)
        return false;
    set_origin(out, origin);
    memcpy(out->key, bytes + 1, sizeof out->key);
    set_id(out);
    ll_hex(out->id, sizeof out->id, want);
    return ll_str_is(id, want);
}

bool
ll_vkey_eq(const struct ll_vkey *a, const struct ll_vkey *b)
{
    return strcmp(a->origin, b->origin) == 0 &&
           memcmp(a->key, b->key, sizeof a->key) == 0;
}

/* -- signing -- */

void
ll_ed25519_sign(const unsigned char seed[LL_ED25519_BYTES], linli_str text,
    unsigned char out[LL_ED25519_SIGNATURE_BYTES])
{
    size_t n = LL_ED25519_SIGNATURE_BYTES;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, NULL, seed, LL_ED25519_BYTES);
    ll_check(ctx != NULL && pair != NULL);
    int ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, pair);
    ll_check(ok == 1);
    ok =
        EVP_DigestSign(ctx, out, &n, (const unsigned char *)text.ptr, text.len);
    ll_check(ok == 1);
    ll_check(n == LL_ED25519_SIGNATURE_BYTES);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pair);
}

static bool
verifies(const struct ll_vkey *key, linli_str text,
    const unsigned char signature[LL_ED25519_SIGNATURE_BYTES])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *pub = EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, NULL, key->key, sizeof key->key);
    ll_check(ctx != NULL);
    bool ok = pub != NULL &&
              EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pub) == 1 &&
              EVP_DigestVerify(ctx, signature, LL_ED25519_SIGNATURE_BYTES,
                  (const unsigned char *)text.ptr, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pub);
    return ok;
}

void
ll_checkpoint_put(struct ll_buf *out, const struct ll_vkey *key,
    const unsigned char seed[LL_ED25519_BYTES], uint64_t size,
    const struct ll_hash *root)
{
    size_t from = out->len;
    unsigned char bytes[sizeof key->id + LL_ED25519_SIGNATURE_BYTES];
    ll_buf_printf(out, "%s\n%llu\n", key->origin, (unsigned long long)size);
    put_base64(out, root->bytes, sizeof root->bytes);
    ll_buf_char(out, '\n');
    if (out->failed)
        return;
    memcpy(bytes, key->id, sizeof key->id);
    ll_ed25519_sign(seed, (linli_str){out->ptr + from, out->len - from},
        bytes + sizeof key->id);
    ll_buf_printf(out, "\n" DASH "%s ", key->origin);
    put_base64(out, bytes, sizeof bytes);
    ll_buf_char(out, '\n');
}

/* -- reading -- */

static linli_status
refuse(struct ll_err *err, const char *why)
{
    return ll_fail(err, LINLI_E_INVALID, "log/checkpoint", "%s", why);
}

/* Splits a line off; false unless it ends with a newline. */
static bool
take_line(linli_str *rest, linli_str *line)
{
    const char *end =
        rest->len == 0 ? NULL : memchr(rest->ptr, '\n', rest->len);
    if (end == NULL)
        return false;
    *line = (linli_str){rest->ptr, (size_t)(end - rest->ptr)};
    rest->len -= line->len + 1;
    rest->ptr = end + 1;
    return true;
}

static bool
read_size(linli_str text, uint64_t *out)
{
    int64_t size = 0;
    if (!ll_str_int(text, 0, (INT64_C(1) << LL_MERKLE_LEVELS) - 1, &size) ||
        text.ptr[0] == '-' || (text.ptr[0] == '0' && text.len > 1))
        return false;
    *out = (uint64_t)size;
    return true;
}

linli_status
ll_checkpoint_read(
    linli_str note, struct ll_checkpoint *out, struct ll_err *err)
{
    linli_str rest = note, line, size, root;
    *out = (struct ll_checkpoint){.size = 0};
    if (note.len > LL_NOTE_BYTES_MAX || !ll_utf8_valid(note) ||
        memchr(note.ptr, '\r', note.len) != NULL)
        return refuse(err, "it is too long, or no text");
    if (!take_line(&rest, &out->origin) || !ll_origin_valid(out->origin) ||
        !take_line(&rest, &size) || !read_size(size, &out->size) ||
        !take_line(&rest, &root) ||
        !read_base64(root, out->root.bytes, sizeof out->root.bytes))
        return refuse(err, "it does not begin with origin, size and root");
    do {
        if (!take_line(&rest, &line))
            return refuse(err, "it has no signatures");
    } while (line.len > 0);
    out->signed_text = (linli_str){note.ptr, (size_t)(line.ptr - note.ptr)};
    out->signatures = rest;
    uint32_t count = 0;
    while (take_line(&rest, &line)) {
        if (!ll_str_starts(line, DASH) || ++count > LL_NOTE_SIGNATURES_MAX)
            return refuse(err, "its signatures are none, or too many");
    }
    if (rest.len > 0 || count == 0)
        return refuse(err, "it is cut off");
    return LINLI_OK;
}

bool
ll_checkpoint_signed(
    const struct ll_checkpoint *checkpoint, const struct ll_vkey *key)
{
    linli_str rest = checkpoint->signatures, line, name;
    unsigned char bytes[sizeof key->id + LL_ED25519_SIGNATURE_BYTES];
    if (!ll_str_is(checkpoint->origin, key->origin))
        return false;
    while (take_line(&rest, &line)) {
        line.ptr += sizeof DASH - 1;
        line.len -= sizeof DASH - 1;
        if (ll_str_split(&line, ' ', &name) && ll_str_is(name, key->origin) &&
            read_base64(line, bytes, sizeof bytes) &&
            memcmp(bytes, key->id, sizeof key->id) == 0 &&
            verifies(key, checkpoint->signed_text, bytes + sizeof key->id))
            return true;
    }
    return false;
}
