/* host/jwt.c: verifying bearer tokens over OpenSSL's EVP. [loop]
 *
 * Debian 12 has no JOSE library that does both EdDSA and JWK Sets, so the
 * little of RFC 7515 and 7519 that Linli needs stands here. What must stay
 * true: the algorithm is the key's, no claim is looked at before the
 * signature holds, and no message repeats a part of the token.
 */
#include "host/jwt.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/text.h"

#define PART_BYTES_MAX (LL_TOKEN_BYTES_MAX / 4 * 3)
#define SIGNATURE_BYTES_MAX (LL_RSA_BITS_MAX / 8)
#define ES256_HALF_BYTES 32    /* r, s */
#define ES256_DER_BYTES_MAX 72 /* SEQUENCE of two INTEGERs of 33 bytes */

/* A token cut at its dots; the parts are still base64url. */
struct parts {
    linli_str header, claims, signature;
    linli_str signed_text; /* header '.' claims, as sent */
};

/* What the claims said, before it becomes an identity. */
struct claims {
    enum ll_caller_kind kind;
    bool elder;
    linli_str id, community, household;
    linli_str roles, amr;
    int64_t exp_ms, iat_ms, nbf_ms;
};

/* Everything one verification works with. */
struct check {
    struct ll_mem *mem;
    const struct ll_jwk *key;
    int64_t now_ms;
    struct ll_err *err;
    struct ll_json json;
    struct ll_buf lists; /* roles and amr as JSON again */
    unsigned char part[PART_BYTES_MAX];
};

static linli_status
refuse(struct ll_err *err, const char *why)
{
    return ll_fail(err, LINLI_E_DENIED, "auth/invalid", "%s", why);
}

static linli_status
refuse_claim(struct check *c, const char *claim, const char *why)
{
    return ll_fail(
        c->err, LINLI_E_DENIED, "auth/invalid", "claim `%s` %s", claim, why);
}

static linli_status
no_memory(struct ll_err *err)
{
    return ll_fail(
        err, LINLI_E_NOMEM, "runtime/memory", "no memory to verify a token");
}

linli_status
ll_bearer_token(linli_str header, linli_str *token, struct ll_err *err)
{
    const size_t scheme = sizeof "Bearer" - 1;
    *token = (linli_str){NULL, 0};
    if (header.len < scheme ||
        !ll_str_eq_nocase((linli_str){header.ptr, scheme}, "Bearer") ||
        (header.len > scheme && header.ptr[scheme] != ' '))
        return ll_fail(err, LINLI_E_DENIED, "auth/missing",
            "the request has no Authorization header of scheme Bearer");
    linli_str rest = {header.ptr + scheme, header.len - scheme};
    while (rest.len > 0 && rest.ptr[0] == ' ') {
        rest.ptr++;
        rest.len--;
    }
    if (rest.len == 0 || memchr(rest.ptr, ' ', rest.len) != NULL)
        return refuse(err, "the Authorization header must hold one token");
    *token = rest;
    return LINLI_OK;
}

static bool
split_token(linli_str token, struct parts *parts)
{
    linli_str rest = token;
    memset(parts, 0, sizeof *parts);
    if (token.len == 0 || token.len > LL_TOKEN_BYTES_MAX ||
        !ll_str_split(&rest, '.', &parts->header) ||
        !ll_str_split(&rest, '.', &parts->claims) ||
        !ll_str_split(&rest, '.', &parts->signature) || rest.ptr != NULL)
        return false;
    parts->signed_text =
        (linli_str){token.ptr, parts->header.len + 1 + parts->claims.len};
    return true;
}

/* Decodes one part and reads it as a JSON object. */
static linli_status
read_object(struct check *c, linli_str part, const char *not_one)
{
    size_t n = 0;
    if (!ll_base64url_decode(part, c->part, sizeof c->part, &n))
        return refuse(c->err, not_one);
    linli_status status = ll_json_parse(&c->json,
        (linli_str){(const char *)c->part, n}, LL_TOKEN_DEPTH_MAX, NULL);
    if (status == LINLI_E_NOMEM)
        return no_memory(c->err);
    if (status != LINLI_OK || !ll_jv_is(ll_json_root(&c->json), LL_JSON_OBJECT))
        return refuse(c->err, not_one);
    return LINLI_OK;
}

/* `typ` may be absent; a token made for another purpose is refused
 * (RFC 8725, section 3.11). */
static bool
typ_fits(struct ll_jv typ)
{
    linli_str s = ll_jv_str(typ);
    const char *prefix = "application/";
    size_t n = strlen(prefix);
    if (!ll_jv_there(typ))
        return true;
    if (s.len > n && ll_str_eq_nocase((linli_str){s.ptr, n}, prefix))
        s = (linli_str){s.ptr + n, s.len - n};
    return ll_str_eq_nocase(s, "JWT") || ll_str_eq_nocase(s, "at+jwt");
}

/* Picks the key; the header may only name it, never bring it. */
static linli_status
read_header(struct check *c, const struct ll_jwks *jwks, linli_str part)
{
    static const char *const refused[] = {
        "crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"};
    linli_status status =
        read_object(c, part, "the header is not JSON in base64url");
    if (status != LINLI_OK)
        return status;
    struct ll_jv header = ll_json_root(&c->json);
    for (size_t i = 0; i < LL_COUNT(refused); i++)
        if (ll_jv_there(ll_jv_get(header, refused[i])))
            return ll_fail(c->err, LINLI_E_DENIED, "auth/invalid",
                "the header must not have `%s`", refused[i]);
    if (!typ_fits(ll_jv_get(header, "typ")))
        return refuse(c->err, "`typ` must be JWT or at+jwt");
    struct ll_jv kid = ll_jv_get(header, "kid");
    if (!ll_jv_is(kid, LL_JSON_STRING))
        return refuse(c->err, "the header must name its key as `kid`");
    c->key = ll_jwks_find(jwks, ll_jv_str(kid));
    if (c->key == NULL)
        return refuse(c->err, "no key here has the id that `kid` names");
    if (!ll_str_is(
            ll_jv_str(ll_jv_get(header, "alg")), ll_jwt_alg_name(c->key->alg)))
        return refuse(c->err, "`alg` is not the algorithm of that key");
    return LINLI_OK;
}

/* RFC 7518 section 3.4 writes r and s side by side; OpenSSL wants DER. */
static size_t
es256_der(const unsigned char *raw, size_t n, unsigned char *der)
{
    if (n != (size_t)2 * ES256_HALF_BYTES)
        return 0;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, ES256_HALF_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(raw + ES256_HALF_BYTES, ES256_HALF_BYTES, NULL);
    int len = 0;
    if (sig != NULL && r != NULL && s != NULL &&
        ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* now the signature's */
        len = i2d_ECDSA_SIG(sig, NULL);
        ll_check(len <= ES256_DER_BYTES_MAX);
        if (len > 0)
            len = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(s);
    BN_free(r);
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

static bool
signature_holds(const struct ll_jwk *key, const struct parts *parts)
{
    unsigned char sig[SIGNATURE_BYTES_MAX];
    unsigned char der[ES256_DER_BYTES_MAX];
    const unsigned char *use = sig;
    size_t n = 0;
    if (!ll_base64url_decode(parts->signature, sig, sizeof sig, &n) || n == 0)
        return false;
    if (key->alg == LL_JWT_ES256) {
        n = es256_der(sig, n, der);
        use = der;
    }
    /* Ed25519 hashes inside; the others sign a SHA-256. */
    const EVP_MD *md = key->alg == LL_JWT_EDDSA ? NULL : EVP_sha256();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool holds = n > 0 && ctx != NULL &&
                 EVP_DigestVerifyInit(ctx, NULL, md, NULL, key->pkey) == 1 &&
                 EVP_DigestVerify(ctx, use, n,
                     (const unsigned char *)parts->signed_text.ptr,
                     parts->signed_text.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return holds;
}

bool
ll_jws_holds(const struct ll_jwk *key, linli_str token)
{
    struct parts parts;
    return split_token(token, &parts) && signature_holds(key, &parts);
}

/* A name that goes into keys, logs and headers: short, no controls. */
static bool
name_fits(linli_str s)
{
    if (s.len == 0 || s.len > LL_TOKEN_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static linli_status
read_name(struct check *c, const char *claim, bool required, linli_str *out)
{
    struct ll_jv v = ll_jv_get(ll_json_root(&c->json), claim);
    *out = LINLI_STR("");
    if (!ll_jv_there(v))
        return required ? refuse_claim(c, claim, "is missing") : LINLI_OK;
    if (!name_fits(ll_jv_str(v)))
        return refuse_claim(
            c, claim, "must be a string of 1 to 128 bytes without controls");
    *out = ll_jv_str(v);
    return LINLI_OK;
}

/* A NumericDate (RFC 7519, section 2), which may have a fraction. */
static linli_status
read_time(struct check *c, const char *claim, bool required, int64_t *out_ms)
{
    struct ll_jv v = ll_jv_get(ll_json_root(&c->json), claim);
    const double year_9999_s = 253402300800.0;
    double s = ll_jv_number(v);
    if (!ll_jv_there(v))
        return required ? refuse_claim(c, claim, "is missing") : LINLI_OK;
    if ((!ll_jv_is(v, LL_JSON_INT) && !ll_jv_is(v, LL_JSON_DOUBLE)) || s < 0 ||
        s > year_9999_s)
        return refuse_claim(c, claim, "must be seconds since 1970");
    *out_ms = (int64_t)(s * 1000);
    return LINLI_OK;
}

/* Copies an array of names as JSON to `lists` and says where it stands. */
static linli_status
read_list(struct check *c, const char *claim, size_t *from, size_t *len)
{
    struct ll_jv v = ll_jv_get(ll_json_root(&c->json), claim);
    struct ll_jw w = ll_jw(&c->lists);
    *from = c->lists.len;
    ll_jw_open(&w, '[');
    if (ll_jv_there(v) && !ll_jv_is(v, LL_JSON_ARRAY))
        return refuse_claim(c, claim, "must be an array of strings");
    if (ll_jv_count(v) > LL_TOKEN_LIST_MAX)
        return refuse_claim(c, claim, "has more than 16 items");
    LL_JSON_EACH (item, v) {
        if (!name_fits(ll_jv_str(item)))
            return refuse_claim(c, claim,
                "must hold strings of 1 to 128 bytes without controls");
        ll_jw_str(&w, ll_jv_str(item));
    }
    ll_jw_close(&w, ']');
    *len = c->lists.len - *from;
    return LINLI_OK;
}

static linli_status
read_lists(struct check *c, struct claims *claims)
{
    size_t roles = 0, roles_len = 0, amr = 0, amr_len = 0;
    linli_status status = read_list(c, "roles", &roles, &roles_len);
    if (status == LINLI_OK)
        status = read_list(c, "amr", &amr, &amr_len);
    if (status == LINLI_OK && c->lists.failed)
        status = no_memory(c->err);
    if (status != LINLI_OK)
        return status;
    /* Only now: the buffer moves while it grows. */
    claims->roles = (linli_str){c->lists.ptr + roles, roles_len};
    claims->amr = (linli_str){c->lists.ptr + amr, amr_len};
    return LINLI_OK;
}

static linli_status
read_kind(struct check *c, enum ll_caller_kind *out)
{
    static const struct {
        const char *name;
        enum ll_caller_kind kind;
    } kinds[] = {{"resident", LL_CALLER_RESIDENT}, {"staff", LL_CALLER_STAFF},
        {"operator", LL_CALLER_OPERATOR}, {"app", LL_CALLER_APP}};
    struct ll_jv v = ll_jv_get(ll_json_root(&c->json), "kind");
    /* Without the claim it is a resident, who may do the least. */
    linli_str name = ll_jv_there(v) ? ll_jv_str(v) : LINLI_STR("resident");
    for (size_t i = 0; i < LL_COUNT(kinds); i++) {
        if (!ll_str_is(name, kinds[i].name))
            continue;
        *out = kinds[i].kind;
        if ((c->key->kinds & 1u << kinds[i].kind) == 0)
            return refuse_claim(
                c, "kind", "is one that this key may not speak for");
        return LINLI_OK;
    }
    return refuse_claim(c, "kind", "must be resident, staff, operator or app");
}

static bool
audience_holds(struct ll_jv aud, linli_str wanted)
{
    if (ll_jv_is(aud, LL_JSON_STRING))
        return ll_str_eq(ll_jv_str(aud), wanted);
    LL_JSON_EACH (item, aud) {
        if (ll_jv_is(aud, LL_JSON_ARRAY) && ll_str_eq(ll_jv_str(item), wanted))
            return true;
    }
    return false;
}

static linli_status
check_origin(struct check *c)
{
    struct ll_jv root = ll_json_root(&c->json);
    const struct ll_jwk *key = c->key;
    if (key->issuer.len > 0 &&
        !ll_str_eq(ll_jv_str(ll_jv_get(root, "iss")), key->issuer))
        return refuse_claim(c, "iss", "is not the issuer of that key");
    if (key->audience.len > 0 &&
        !audience_holds(ll_jv_get(root, "aud"), key->audience))
        return refuse_claim(c, "aud", "does not name this service");
    return LINLI_OK;
}

static int64_t
lifetime_max_ms(const struct check *c, enum ll_caller_kind kind)
{
    if (c->key->development)
        return LL_TOKEN_DEV_MS_MAX;
    return kind == LL_CALLER_RESIDENT ? LL_TOKEN_RESIDENT_MS_MAX
                                      : LL_TOKEN_OTHER_MS_MAX;
}

static linli_status
check_times(struct check *c, struct claims *claims)
{
    linli_status status = read_time(c, "exp", true, &claims->exp_ms);
    if (status == LINLI_OK)
        status = read_time(c, "iat", true, &claims->iat_ms);
    if (status == LINLI_OK)
        status = read_time(c, "nbf", false, &claims->nbf_ms);
    if (status != LINLI_OK)
        return status;
    int64_t max_ms = lifetime_max_ms(c, claims->kind);
    if (claims->exp_ms <= claims->iat_ms)
        return refuse_claim(c, "exp", "must be later than `iat`");
    if (claims->exp_ms - claims->iat_ms > max_ms)
        return ll_fail(c->err, LINLI_E_DENIED, "auth/invalid",
            "claim `exp` is more than %lld s after `iat`, the longest life "
            "of such a token",
            (long long)(max_ms / 1000));
    if (claims->iat_ms - LL_TOKEN_LEEWAY_MS > c->now_ms)
        return refuse_claim(c, "iat", "is in the future");
    if (claims->nbf_ms - LL_TOKEN_LEEWAY_MS > c->now_ms)
        return refuse_claim(c, "nbf", "says that it is not valid yet");
    if (claims->exp_ms + LL_TOKEN_LEEWAY_MS <= c->now_ms)
        return ll_fail(c->err, LINLI_E_DENIED, "auth/expired",
            "the token expired %lld s ago",
            (long long)((c->now_ms - claims->exp_ms) / 1000));
    return LINLI_OK;
}

static linli_status
read_claims(struct check *c, linli_str part, struct claims *claims)
{
    linli_status status =
        read_object(c, part, "the claims are not JSON in base64url");
    memset(claims, 0, sizeof *claims);
    if (status == LINLI_OK)
        status = check_origin(c);
    if (status == LINLI_OK)
        status = read_kind(c, &claims->kind);
    if (status == LINLI_OK)
        status = check_times(c, claims);
    if (status == LINLI_OK)
        status = read_name(c, "sub", true, &claims->id);
    if (status == LINLI_OK)
        status = read_name(c, "community", true, &claims->community);
    if (status == LINLI_OK)
        status = read_name(c, "household", false, &claims->household);
    if (status == LINLI_OK)
        status = read_lists(c, claims);
    if (status != LINLI_OK)
        return status;
    struct ll_jv elder = ll_jv_get(ll_json_root(&c->json), "elder");
    claims->elder = ll_jv_true(elder);
    if (ll_jv_there(elder) && !ll_jv_true(elder) &&
        !ll_jv_is(elder, LL_JSON_FALSE))
        return refuse_claim(c, "elder", "must be true or false");
    return LINLI_OK;
}

static linli_str
put_text(char **at, linli_str s)
{
    linli_str put = {*at, s.len};
    memcpy(*at, s.ptr, s.len);
    (*at)[s.len] = '\0';
    *at += s.len + 1;
    return put;
}

/* One block holds the identity and its texts. */
static struct ll_identity *
identity_new(const struct check *c, const struct claims *claims)
{
    size_t bytes = sizeof(struct ll_identity) + claims->id.len +
                   claims->community.len + claims->household.len +
                   claims->roles.len + claims->amr.len + 5;
    struct ll_identity *identity = ll_alloc(c->mem, bytes);
    if (identity == NULL)
        return NULL;
    int64_t from_ms =
        claims->iat_ms > claims->nbf_ms ? claims->iat_ms : claims->nbf_ms;
    char *at = (char *)(identity + 1);
    identity->kind = claims->kind;
    identity->elder = claims->elder;
    identity->development = c->key->development;
    identity->id = put_text(&at, claims->id);
    identity->community = put_text(&at, claims->community);
    identity->household = put_text(&at, claims->household);
    identity->roles = put_text(&at, claims->roles);
    identity->amr = put_text(&at, claims->amr);
    identity->from_ms = from_ms - LL_TOKEN_LEEWAY_MS;
    identity->expires_ms = claims->exp_ms + LL_TOKEN_LEEWAY_MS;
    identity->mem = c->mem;
    identity->bytes = bytes;
    identity->refs = 1;
    ll_check(at == (char *)identity + bytes);
    return identity;
}

linli_status
ll_jwt_verify(struct ll_mem *mem, const struct ll_jwks *jwks, linli_str token,
    int64_t now_ms, struct ll_identity **out, struct ll_err *err)
{
    struct check c = {.mem = mem, .now_ms = now_ms, .err = err};
    struct parts parts;
    struct claims claims;
    linli_status status;
    *out = NULL;
    if (!split_token(token, &parts))
        return refuse(err, "it is not a compact JWS of at most 4096 bytes");
    ll_json_init(&c.json, mem);
    ll_buf_init(&c.lists, mem, PART_BYTES_MAX * 2);
    status = read_header(&c, jwks, parts.header);
    if (status == LINLI_OK && !signature_holds(c.key, &parts))
        status = refuse(err, "the signature does not hold");
    if (status == LINLI_OK)
        status = read_claims(&c, parts.claims, &claims);
    if (status == LINLI_OK) {
        *out = identity_new(&c, &claims);
        if (*out == NULL)
            status = no_memory(err);
    }
    ll_buf_fini(&c.lists);
    ll_json_fini(&c.json);
    return status;
}

struct ll_identity *
ll_identity_device(struct ll_mem *mem, linli_str id, linli_str community)
{
    size_t bytes = sizeof(struct ll_identity) + id.len + community.len + 2;
    struct ll_identity *identity = ll_alloc(mem, bytes);
    if (identity == NULL)
        return NULL;
    char *at = (char *)(identity + 1);
    identity->kind = LL_CALLER_DEVICE;
    identity->id = put_text(&at, id);
    identity->community = put_text(&at, community);
    identity->roles = identity->amr = (linli_str)LINLI_STR("[]");
    identity->expires_ms = INT64_MAX;
    identity->mem = mem;
    identity->bytes = bytes;
    identity->refs = 1;
    return identity;
}

struct ll_identity *
ll_identity_ref(struct ll_identity *identity)
{
    ll_check(identity->refs > 0);
    identity->refs++;
    return identity;
}

void
ll_identity_unref(struct ll_identity **identity)
{
    struct ll_identity *old = *identity;
    *identity = NULL;
    if (old == NULL)
        return;
    ll_check(old->refs > 0);
    if (--old->refs == 0)
        ll_release(old->mem, old, old->bytes);
}
