/* host/jwks.c: JWK Sets into EVP keys. [loop]
 *
 * Owns the EVP keys and copies of all texts. What must stay true: the
 * algorithm of a key follows from its type and curve alone, and the ring
 * never changes once it is handed out.
 */
#include "host/jwks.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdio.h>

#include "base/text.h"

#define COORDINATE_BYTES 32 /* of P-256 and of Ed25519 */

struct ll_jwks {
    struct ll_mem *mem;
    struct ll_arena arena;
    struct ll_jwk keys[LL_JWKS_KEYS_MAX];
    size_t count;
    size_t left_out;
};

const char *
ll_jwt_alg_name(enum ll_jwt_alg alg)
{
    static const char *const names[LL_JWT_ALG_COUNT] = {
        [LL_JWT_ES256] = "ES256",
        [LL_JWT_EDDSA] = "EdDSA",
        [LL_JWT_RS256] = "RS256",
    };
    ll_check(alg < LL_JWT_ALG_COUNT);
    return names[alg];
}

static linli_status
bad_key(struct ll_err *err, const char *member, const char *what)
{
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "auth/jwks", "%s %s", member, what);
    return status;
}

/* A member that holds bytes as base64url; false if it does not. */
static bool
read_bytes(struct ll_jv key, const char *member, unsigned char *out,
    size_t out_size, size_t *out_len)
{
    struct ll_jv v = ll_jv_get(key, member);
    *out_len = 0;
    return ll_jv_is(v, LL_JSON_STRING) &&
           ll_base64url_decode(ll_jv_str(v), out, out_size, out_len) &&
           *out_len > 0;
}

static linli_status
read_ed25519(struct ll_jv key, EVP_PKEY **out, struct ll_err *err)
{
    unsigned char x[COORDINATE_BYTES];
    size_t n = 0;
    if (!read_bytes(key, "x", x, sizeof x, &n) || n != sizeof x)
        return bad_key(err, "x", "must be 32 bytes in base64url");
    *out = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, sizeof x);
    if (*out == NULL)
        return bad_key(err, "x", "is not an Ed25519 public key");
    return LINLI_OK;
}

/* Makes a key of OpenSSL's `type` and has OpenSSL check it. */
static EVP_PKEY *
key_from(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *check = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        goto out;
    check = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (check == NULL || EVP_PKEY_public_check(check) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
out:
    EVP_PKEY_CTX_free(check);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static linli_status
read_p256(struct ll_jv key, EVP_PKEY **out, struct ll_err *err)
{
    /* An uncompressed point, SEC 1 section 2.3.3. */
    unsigned char point[1 + 2 * COORDINATE_BYTES] = {0x04};
    unsigned char *x = point + 1, *y = x + COORDINATE_BYTES;
    size_t xn = 0, yn = 0;
    if (!read_bytes(key, "x", x, COORDINATE_BYTES, &xn) ||
        xn != COORDINATE_BYTES)
        return bad_key(err, "x", "must be 32 bytes in base64url");
    if (!read_bytes(key, "y", y, COORDINATE_BYTES, &yn) ||
        yn != COORDINATE_BYTES)
        return bad_key(err, "y", "must be 32 bytes in base64url");
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (build != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(
            build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(
            build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
        *out = key_from("EC", build);
    OSSL_PARAM_BLD_free(build);
    if (*out == NULL)
        return bad_key(err, "x and y", "are not a point of P-256");
    return LINLI_OK;
}

static linli_status
read_rsa(struct ll_jv key, EVP_PKEY **out, struct ll_err *err)
{
    unsigned char n_bytes[LL_RSA_BITS_MAX / 8], e_bytes[8];
    size_t n_len = 0, e_len = 0;
    if (!read_bytes(key, "n", n_bytes, sizeof n_bytes, &n_len))
        return bad_key(err, "n", "must be base64url, at most 8192 bits");
    if (!read_bytes(key, "e", e_bytes, sizeof e_bytes, &e_len))
        return bad_key(err, "e", "must be base64url, at most 64 bits");
    BIGNUM *n = BN_bin2bn(n_bytes, (int)n_len, NULL);
    BIGNUM *e = BN_bin2bn(e_bytes, (int)e_len, NULL);
    int bits = n == NULL ? 0 : BN_num_bits(n);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (bits >= LL_RSA_BITS_MIN && build != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        *out = key_from("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(e);
    BN_free(n);
    if (bits < LL_RSA_BITS_MIN)
        return bad_key(err, "n", "is too short: 2048 bits are the least");
    if (*out == NULL)
        return bad_key(err, "n and e", "are not an RSA public key");
    return LINLI_OK;
}

/* The kinds of key we use, by what the set says about them. */
static const struct kind {
    const char *kty;
    const char *crv; /* NULL: this kind has none */
    enum ll_jwt_alg alg;
    linli_status (*read)(struct ll_jv, EVP_PKEY **, struct ll_err *);
} kinds[] = {
    {"EC", "P-256", LL_JWT_ES256, read_p256},
    {"OKP", "Ed25519", LL_JWT_EDDSA, read_ed25519},
    {"RSA", NULL, LL_JWT_RS256, read_rsa},
};

/* The kind of a key, or NULL if it is none that we use. */
static const struct kind *
kind_of(struct ll_jv key)
{
    for (size_t i = 0; i < LL_COUNT(kinds); i++) {
        if (!ll_str_is(ll_jv_str(ll_jv_get(key, "kty")), kinds[i].kty))
            continue;
        if (kinds[i].crv == NULL ||
            ll_str_is(ll_jv_str(ll_jv_get(key, "crv")), kinds[i].crv))
            return &kinds[i];
    }
    return NULL;
}

/* A string member that may be absent; false if it is something else. */
static bool
text_or_absent(struct ll_jv key, const char *member)
{
    struct ll_jv v = ll_jv_get(key, member);
    return !ll_jv_there(v) || ll_jv_is(v, LL_JSON_STRING);
}

static bool
may_verify(struct ll_jv key_ops)
{
    LL_JSON_EACH (op, key_ops) {
        if (ll_str_is(ll_jv_str(op), "verify"))
            return true;
    }
    return false;
}

/* Whether the set offers the key for verifying with `alg`. */
static bool
offered_for(struct ll_jv key, enum ll_jwt_alg alg)
{
    struct ll_jv use = ll_jv_get(key, "use");
    struct ll_jv ops = ll_jv_get(key, "key_ops");
    struct ll_jv named = ll_jv_get(key, "alg");
    if (ll_jv_there(use) && !ll_str_is(ll_jv_str(use), "sig"))
        return false;
    if (ll_jv_there(ops) && !may_verify(ops))
        return false;
    return !ll_jv_there(named) ||
           ll_str_is(ll_jv_str(named), ll_jwt_alg_name(alg));
}

/* RFC 7518, sections 6.2.2, 6.3.2, 6.4: the secret members of all kinds. */
static linli_status
check_public(struct ll_jv key, struct ll_err *err)
{
    static const char *const secret[] = {
        "d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < LL_COUNT(secret); i++)
        if (ll_jv_there(ll_jv_get(key, secret[i])))
            return ll_fail(err, LINLI_E_INVALID, "auth/jwks-private",
                "member \"%s\" is secret and stands in a public key set",
                secret[i]);
    return LINLI_OK;
}

static linli_status
check_members(struct ll_jv key, struct ll_err *err)
{
    if (!ll_jv_is(key, LL_JSON_OBJECT))
        return bad_key(err, "a key", "must be an object");
    linli_status status = check_public(key, err);
    if (status != LINLI_OK)
        return status;
    if (!ll_jv_is(ll_jv_get(key, "kty"), LL_JSON_STRING))
        return bad_key(err, "kty", "is required and must be a string");
    if (!text_or_absent(key, "use"))
        return bad_key(err, "use", "must be a string");
    if (!text_or_absent(key, "alg"))
        return bad_key(err, "alg", "must be a string");
    struct ll_jv ops = ll_jv_get(key, "key_ops");
    if (ll_jv_there(ops) && !ll_jv_is(ops, LL_JSON_ARRAY))
        return bad_key(err, "key_ops", "must be an array of strings");
    return LINLI_OK;
}

static linli_status
read_kid(const struct ll_jwks *jwks, struct ll_jv key, linli_str *kid,
    struct ll_err *err)
{
    *kid = ll_jv_str(ll_jv_get(key, "kid"));
    if (kid->len == 0 || kid->len > LL_TOKEN_NAME_BYTES_MAX)
        return bad_key(err, "kid", "is required: a string of 1 to 128 bytes");
    if (ll_jwks_find(jwks, *kid) != NULL)
        return bad_key(err, "kid", "repeats the id of an earlier key");
    if (jwks->count == LL_JWKS_KEYS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "auth/jwks",
            "more than %d usable keys", LL_JWKS_KEYS_MAX);
    return LINLI_OK;
}

static linli_status
add_key(struct ll_jwks *jwks, const struct ll_jwks_source *source,
    struct ll_jv key, struct ll_err *err)
{
    EVP_PKEY *pkey = NULL;
    linli_str kid;
    linli_status status = check_members(key, err);
    if (status != LINLI_OK)
        return status;
    const struct kind *kind = kind_of(key);
    if (kind == NULL || !offered_for(key, kind->alg)) {
        jwks->left_out++;
        return LINLI_OK;
    }
    status = read_kid(jwks, key, &kid, err);
    if (status == LINLI_OK)
        status = kind->read(key, &pkey, err);
    if (status != LINLI_OK)
        return status;
    jwks->keys[jwks->count++] = (struct ll_jwk){
        .kid = ll_arena_str(&jwks->arena, kid),
        .alg = kind->alg,
        .pkey = pkey,
        .issuer = ll_arena_str(&jwks->arena, source->issuer),
        .audience = ll_arena_str(&jwks->arena, source->audience),
        .kinds = source->kinds,
        .development = source->development,
    };
    return LINLI_OK;
}

static linli_status
add_keys(struct ll_jwks *jwks, const struct ll_jwks_source *source,
    struct ll_jv root, struct ll_err *err)
{
    struct ll_jv keys = ll_jv_get(root, "keys");
    size_t before = jwks->count;
    unsigned index = 0;
    if (!ll_jv_is(keys, LL_JSON_ARRAY))
        return bad_key(err, "a JWK Set", "is an object with an array `keys`");
    LL_JSON_EACH (key, keys) {
        linli_status status = add_key(jwks, source, key, err);
        if (status != LINLI_OK) {
            ll_err_where(err, "/keys/%u", index);
            return status;
        }
        index++;
    }
    if (jwks->count == before)
        return bad_key(
            err, "the set", "has no key that verifies ES256, EdDSA or RS256");
    return LINLI_OK;
}

static linli_status
add_source(struct ll_jwks *jwks, const struct ll_jwks_source *source,
    struct ll_err *err)
{
    struct ll_json json;
    struct ll_err found = {0};
    linli_status status;
    ll_json_init(&json, jwks->mem);
    if (source->text.len > LL_JWKS_BYTES_MAX) {
        status = ll_fail(&found, LINLI_E_LIMIT, "auth/jwks",
            "larger than %u bytes", LL_JWKS_BYTES_MAX);
        goto out;
    }
    status = ll_json_parse(&json, source->text, LL_TOKEN_DEPTH_MAX, &found);
    if (status == LINLI_OK)
        status = add_keys(jwks, source, ll_json_root(&json), &found);
    else if (status != LINLI_E_NOMEM)
        (void)snprintf(found.code, sizeof found.code, "auth/jwks");
out:
    if (status != LINLI_OK && err != NULL) {
        ll_err_where(&found, "%.*s: ", LL_FMT(source->name));
        *err = found;
    }
    ll_json_fini(&json);
    return status;
}

linli_status
ll_jwks_new(struct ll_mem *mem, const struct ll_jwks_source *sources,
    size_t count, struct ll_jwks **out, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    struct ll_jwks *jwks = ll_alloc(mem, sizeof *jwks);
    *out = NULL;
    if (jwks == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no key ring");
    jwks->mem = mem;
    ll_arena_init(&jwks->arena, mem, LL_JWKS_BYTES_MAX);
    for (size_t i = 0; i < count && status == LINLI_OK; i++)
        status = add_source(jwks, &sources[i], err);
    if (status == LINLI_OK && jwks->arena.failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no key ring");
    if (status == LINLI_OK)
        *out = jwks;
    else
        ll_jwks_free(&jwks);
    /* OpenSSL's queue is the thread's: leave nothing there for others. */
    ERR_clear_error();
    return status;
}

void
ll_jwks_free(struct ll_jwks **jwks)
{
    struct ll_jwks *old = *jwks;
    *jwks = NULL;
    if (old == NULL)
        return;
    for (size_t i = 0; i < old->count; i++)
        EVP_PKEY_free(old->keys[i].pkey);
    ll_arena_fini(&old->arena);
    ll_release(old->mem, old, sizeof *old);
}

const struct ll_jwk *
ll_jwks_find(const struct ll_jwks *jwks, linli_str kid)
{
    for (size_t i = 0; i < jwks->count; i++)
        if (ll_str_eq(jwks->keys[i].kid, kid))
            return &jwks->keys[i];
    return NULL;
}

size_t
ll_jwks_count(const struct ll_jwks *jwks)
{
    return jwks->count;
}

size_t
ll_jwks_left_out(const struct ll_jwks *jwks)
{
    return jwks->left_out;
}
