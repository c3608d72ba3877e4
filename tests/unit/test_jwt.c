/* tests/unit/test_jwt.c: published vectors, good tokens of every kind, and
 * every way to forge one that we know of. */
#include "t.h"

#include <openssl/pem.h>

#include "host/dev_key.h"
#include "host/jwt.h"
#include "jwt_keys.h"

#define NOW_S 1767225600 /* 2026-01-01T00:00:00Z */
#define NOW_MS (NOW_S * INT64_C(1000))
#define KINDS_ALL 15u
#define RESIDENT_ONLY (1u << LL_CALLER_RESIDENT)

/* Keys made once: one of each algorithm, a second that is in no set. */
static EVP_PKEY *keys[LL_JWT_ALG_COUNT], *stranger;
static struct ll_jwks *ring;

static void
set_up(void)
{
    struct ll_buf text, narrow;
    struct ll_err err;
    ll_buf_init(&text, &jk_mem, 8192);
    ll_buf_init(&narrow, &jk_mem, 8192);
    for (unsigned i = 0; i < LL_JWT_ALG_COUNT; i++) {
        keys[i] = jk_key((enum ll_jwt_alg)i, 2048);
        ll_buf_cstr(&text, i == 0 ? "{\"keys\":[" : ",");
        jk_jwk(&text, keys[i], ll_jwt_alg_name((enum ll_jwt_alg)i), "");
    }
    ll_buf_cstr(&text, "]}");
    /* The same key again, under another id and with narrow rules. */
    ll_buf_cstr(&narrow, "{\"keys\":[");
    jk_jwk(&narrow, keys[LL_JWT_EDDSA], "narrow", "");
    ll_buf_cstr(&narrow, "]}");
    stranger = jk_key(LL_JWT_EDDSA, 0);
    struct ll_jwks_source sources[] = {
        {.text = ll_buf_view(&text), .kinds = KINDS_ALL},
        {.text = ll_buf_view(&narrow),
            .issuer = LINLI_STR("https://app.example"),
            .audience = LINLI_STR("linli"),
            .kinds = RESIDENT_ONLY},
    };
    JK_NEED(ll_jwks_new(&jk_mem, sources, 2, &ring, &err) == LINLI_OK);
    ll_buf_fini(&text);
    ll_buf_fini(&narrow);
}

static void
tear_down(void)
{
    ll_jwks_free(&ring);
    for (unsigned i = 0; i < LL_JWT_ALG_COUNT; i++)
        EVP_PKEY_free(keys[i]);
    EVP_PKEY_free(stranger);
}

static linli_status
verify_text(
    linli_str token, int64_t now_ms, struct ll_identity **out, struct ll_err *e)
{
    memset(e, 0, sizeof *e);
    return ll_jwt_verify(&jk_mem, ring, token, now_ms, out, e);
}

/* Signs and verifies; the identity is NULL unless it is LINLI_OK. */
static linli_status
verify(EVP_PKEY *key, const char *header, const char *claims,
    struct ll_identity **out, struct ll_err *err)
{
    struct ll_buf token;
    ll_buf_init(&token, &jk_mem, (size_t)1 << 16);
    jk_sign(&token, key, header, claims);
    linli_status status = verify_text(ll_buf_view(&token), NOW_MS, out, err);
    ll_buf_fini(&token);
    return status;
}

#define ED_HEADER "{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\"}"
#define NARROW_HEADER "{\"alg\":\"EdDSA\",\"kid\":\"narrow\"}"
/* 2025-12-31T23:59:00Z to 2026-01-01T00:10:00Z */
#define TIMES "\"iat\":1767225540,\"exp\":1767226200"
#define WHO "\"sub\":\"li\",\"community\":\"demo\""
#define GOOD "{" WHO "," TIMES "}"

/* -- published vectors -- */

#define RFC7515_CLAIMS                                               \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leG" \
    "FtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static const struct vector {
    const char *name, *jwk, *token;
} vectors[] = {
    {"RFC 8037 A.4, Ed25519",
        "{\"keys\":[{\"kid\":\"v\",\"kty\":\"OKP\",\"crv\":\"Ed25519\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
        "hVsPt9g7sVvpAr_MuM0KAg"},
    {"RFC 7515 A.3, ES256",
        "{\"keys\":[{\"kid\":\"v\",\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}",
        "eyJhbGciOiJFUzI1NiJ9." RFC7515_CLAIMS
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
        "pmWQxfKTUJqPP3-Kg6NU1Q"},
    {"RFC 7515 A.2, RS256",
        "{\"keys\":[{\"kid\":\"v\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-V"
        "aw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b"
        "32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-K"
        "XBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5"
        "IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb5"
        "4h4FRWyuXpoQ\"}]}",
        "eyJhbGciOiJSUzI1NiJ9." RFC7515_CLAIMS
        ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
        "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BA"
        "ynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0Gar"
        "ZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phC"
        "nvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_I"
        "oypGlUPQGe77Rw"},
};

T_CASE(holds_for_published_vectors)
{
    for (size_t i = 0; i < LL_COUNT(vectors); i++) {
        struct ll_jwks *own;
        struct ll_jwks_source source = {.text = ll_cstr(vectors[i].jwk)};
        T_INT(ll_jwks_new(&jk_mem, &source, 1, &own, NULL), LINLI_OK);
        if (own == NULL)
            continue;
        const struct ll_jwk *key = ll_jwks_find(own, LINLI_STR("v"));
        char token[1024];
        size_t n = strlen(vectors[i].token);
        memcpy(token, vectors[i].token, n);
        T_OK(ll_jws_holds(key, (linli_str){token, n}));
        /* Any other character of header, payload or signature. */
        for (size_t at = 0; at < n; at += 7) {
            char was = token[at];
            token[at] = was == 'A' ? 'B' : 'A';
            T_OK(!ll_jws_holds(key, (linli_str){token, n}));
            token[at] = was;
        }
        T_OK(!ll_jws_holds(key, (linli_str){token, n - 1}));
        ll_jwks_free(&own);
    }
    T_INT(jk_mem.used_bytes > 0, 1);
}

/* -- good tokens -- */

T_CASE(takes_a_token_of_each_algorithm)
{
    for (unsigned i = 0; i < LL_JWT_ALG_COUNT; i++) {
        const char *alg = ll_jwt_alg_name((enum ll_jwt_alg)i);
        struct ll_identity *who;
        struct ll_err err;
        char header[128];
        (void)snprintf(header, sizeof header,
            "{\"typ\":\"JWT\",\"alg\":\"%s\",\"kid\":\"%s\"}", alg, alg);
        T_INT(verify(keys[i], header, GOOD, &who, &err), LINLI_OK);
        T_STR(ll_cstr(err.msg), "");
        if (who == NULL)
            continue;
        T_STR(who->id, "li");
        T_STR(who->community, "demo");
        T_STR(who->household, "");
        T_STR(who->roles, "[]");
        T_STR(who->amr, "[]");
        T_INT(who->kind, LL_CALLER_RESIDENT);
        T_OK(!who->elder && !who->development);
        T_INT(who->from_ms, 1767225540000 - LL_TOKEN_LEEWAY_MS);
        T_INT(who->expires_ms, 1767226200000 + LL_TOKEN_LEEWAY_MS);
        ll_identity_unref(&who);
    }
}

T_CASE(carries_every_claim)
{
    struct ll_identity *who;
    struct ll_err err;
    T_INT(verify(keys[LL_JWT_EDDSA], ED_HEADER,
              "{\"sub\":\"\\u738b\\u963f\\u59e8\",\"community\":\"demo\","
              "\"household\":\"3-1-502\",\"kind\":\"staff\",\"elder\":true,"
              "\"roles\":[\"guard\",\"a\\\"b\"],\"amr\":[\"sms\"],"
              "\"nbf\":1767225600.5,\"unknown\":{\"a\":[1]}," TIMES "}",
              &who, &err),
        LINLI_OK);
    if (who == NULL)
        return;
    T_STR(who->id, "\xe7\x8e\x8b\xe9\x98\xbf\xe5\xa7\xa8");
    T_STR(who->household, "3-1-502");
    T_STR(who->roles, "[\"guard\",\"a\\\"b\"]");
    T_STR(who->amr, "[\"sms\"]");
    T_INT(who->kind, LL_CALLER_STAFF);
    T_OK(who->elder);
    T_OK(who->household.ptr[who->household.len] == '\0');
    T_INT(who->from_ms, 1767225600500 - LL_TOKEN_LEEWAY_MS);
    struct ll_identity *same = ll_identity_ref(who);
    ll_identity_unref(&who);
    T_OK(who == NULL);
    T_STR(same->community, "demo");
    ll_identity_unref(&same);
    ll_identity_unref(&same);
}

static const char *const good_headers[] = {
    ED_HEADER,
    "{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"typ\":\"jwt\"}",
    "{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"typ\":\"at+JWT\"}",
    "{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"typ\":\"application/at+jwt\"}",
    " {\"x5t\":\"abc\",\n\"kid\":\"\\u0045dDSA\",\"alg\":\"EdDSA\"} ",
};

T_CASE(takes_harmless_headers)
{
    for (size_t i = 0; i < LL_COUNT(good_headers); i++) {
        struct ll_identity *who;
        struct ll_err err;
        T_INT(verify(keys[LL_JWT_EDDSA], good_headers[i], GOOD, &who, &err),
            LINLI_OK);
        ll_identity_unref(&who);
    }
}

/* -- forgeries -- */

/* Signed by the right key, so that only the header can be at fault. */
static const struct {
    const char *header, *msg;
} bad_headers[] = {
    {"{\"alg\":\"none\",\"kid\":\"EdDSA\"}", "`alg`"},
    {"{\"alg\":\"None\",\"kid\":\"EdDSA\"}", "`alg`"},
    {"{\"alg\":\"HS256\",\"kid\":\"EdDSA\"}", "`alg`"},
    {"{\"alg\":\"ES256\",\"kid\":\"EdDSA\"}", "`alg`"},
    {"{\"alg\":\"eddsa\",\"kid\":\"EdDSA\"}", "`alg`"},
    {"{\"alg\":\"EdDSA \",\"kid\":\"EdDSA\"}", "`alg`"},
    {"{\"alg\":[\"EdDSA\"],\"kid\":\"EdDSA\"}", "`alg`"},
    {"{\"kid\":\"EdDSA\"}", "`alg`"},
    {"{\"alg\":\"EdDSA\"}", "`kid`"},
    {"{\"alg\":\"EdDSA\",\"kid\":null}", "`kid`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"\"}", "no key here"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"eddsa\"}", "no key here"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"../../etc/passwd\"}", "no key here"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"crit\":[\"exp\"]}", "`crit`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"crit\":[]}", "`crit`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"b64\":false}", "`b64`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"zip\":\"DEF\"}", "`zip`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"jwk\":{}}", "`jwk`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"jku\":\"http://x\"}", "`jku`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"x5u\":\"http://x\"}", "`x5u`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"x5c\":[]}", "`x5c`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"typ\":\"dpop+jwt\"}", "`typ`"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\",\"typ\":1}", "`typ`"},
    {"{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"kid\":\"EdDSA\"}",
        "header is not"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\"", "header is not"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\"}x", "header is not"},
    {"{\"alg\":\"EdDSA\",\"kid\":\"\xff\"}", "header is not"},
    {"[]", "header is not"},
    {"[[[[[[[[[1]]]]]]]]]", "header is not"},
    {"\"EdDSA\"", "header is not"},
};

T_CASE(refuses_bad_headers)
{
    for (size_t i = 0; i < LL_COUNT(bad_headers); i++) {
        struct ll_identity *who;
        struct ll_err err;
        linli_status status =
            verify(keys[LL_JWT_EDDSA], bad_headers[i].header, GOOD, &who, &err);
        bool as_said = status == LINLI_E_DENIED && who == NULL &&
                       strcmp(err.code, "auth/invalid") == 0 &&
                       strstr(err.msg, bad_headers[i].msg) != NULL;
        T_OK(as_said);
        if (!as_said)
            printf("#   row %zu: %d %s %s\n", i, status, err.code, err.msg);
    }
}

/* Signed by the right key, so that only the claims can be at fault. */
static const struct {
    const char *claims, *code, *msg;
} bad_claims[] = {
    {"{" WHO ",\"iat\":1767225540}", "auth/invalid", "`exp` is missing"},
    {"{" WHO ",\"exp\":1767226200}", "auth/invalid", "`iat` is missing"},
    {"{" WHO ",\"iat\":1767225540,\"exp\":\"1767226200\"}", "auth/invalid",
        "`exp` must be seconds"},
    {"{" WHO ",\"iat\":-1,\"exp\":1767226200}", "auth/invalid",
        "`iat` must be seconds"},
    {"{" WHO ",\"iat\":1767225540,\"exp\":1e300}", "auth/invalid",
        "`exp` must be seconds"},
    {"{" WHO ",\"iat\":1767225540,\"exp\":9223372036854775807}", "auth/invalid",
        "`exp` must be seconds"},
    {"{" WHO ",\"iat\":1767225540,\"exp\":null}", "auth/invalid",
        "`exp` must be seconds"},
    {"{" WHO ",\"iat\":1767225540,\"exp\":1767225540}", "auth/invalid",
        "`exp` must be later"},
    /* Expired by the leeway and a second; 31 minutes; both in the future. */
    {"{" WHO ",\"iat\":1767225000,\"exp\":1767225570}", "auth/expired",
        "30 s ago"},
    {"{" WHO ",\"iat\":1767225540,\"exp\":1767227341}", "auth/invalid",
        "more than 1800 s"},
    {"{" WHO ",\"kind\":\"operator\",\"iat\":1767225540,"
     "\"exp\":1767268741}",
        "auth/invalid", "more than 43200 s"},
    {"{" WHO ",\"iat\":1767225631,\"exp\":1767226200}", "auth/invalid",
        "`iat` is in the future"},
    {"{" WHO "," TIMES ",\"nbf\":1767225631}", "auth/invalid",
        "`nbf` says that it is not valid yet"},
    {"{" WHO "," TIMES ",\"nbf\":\"soon\"}", "auth/invalid",
        "`nbf` must be seconds"},
    {"{\"community\":\"demo\"," TIMES "}", "auth/invalid", "`sub` is missing"},
    {"{\"sub\":\"\",\"community\":\"demo\"," TIMES "}", "auth/invalid",
        "`sub` must be"},
    {"{\"sub\":7,\"community\":\"demo\"," TIMES "}", "auth/invalid",
        "`sub` must be"},
    {"{\"sub\":\"a\\u0000b\",\"community\":\"demo\"," TIMES "}", "auth/invalid",
        "`sub` must be"},
    {"{\"sub\":\"a\\nb\",\"community\":\"demo\"," TIMES "}", "auth/invalid",
        "`sub` must be"},
    {"{\"sub\":\"li\"," TIMES "}", "auth/invalid", "`community` is missing"},
    {"{\"sub\":\"li\",\"community\":[\"demo\"]," TIMES "}", "auth/invalid",
        "`community` must be"},
    {"{" WHO "," TIMES ",\"household\":null}", "auth/invalid",
        "`household` must be"},
    {"{" WHO "," TIMES ",\"kind\":\"admin\"}", "auth/invalid", "`kind` must"},
    {"{" WHO "," TIMES ",\"kind\":\"device\"}", "auth/invalid", "`kind` must"},
    {"{" WHO "," TIMES ",\"kind\":null}", "auth/invalid", "`kind` must"},
    {"{" WHO "," TIMES ",\"roles\":\"guard\"}", "auth/invalid",
        "`roles` must be an array"},
    {"{" WHO "," TIMES ",\"roles\":[1]}", "auth/invalid",
        "`roles` must hold strings"},
    {"{" WHO "," TIMES ",\"roles\":[\"\"]}", "auth/invalid",
        "`roles` must hold strings"},
    {"{" WHO "," TIMES ",\"roles\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\","
     "\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\","
     "\"17\"]}",
        "auth/invalid", "`roles` has more than 16"},
    {"{" WHO "," TIMES ",\"amr\":{}}", "auth/invalid", "`amr` must be"},
    {"{" WHO "," TIMES ",\"elder\":\"true\"}", "auth/invalid", "`elder` must"},
    {"{" WHO "," TIMES ",\"elder\":1}", "auth/invalid", "`elder` must"},
    {"{" WHO ",\"sub\":\"wang\"," TIMES "}", "auth/invalid", "claims are not"},
    {"[" GOOD "]", "auth/invalid", "claims are not"},
    {"", "auth/invalid", "claims are not"},
    {GOOD " x", "auth/invalid", "claims are not"},
};

T_CASE(refuses_bad_claims)
{
    for (size_t i = 0; i < LL_COUNT(bad_claims); i++) {
        struct ll_identity *who;
        struct ll_err err;
        linli_status status = verify(
            keys[LL_JWT_EDDSA], ED_HEADER, bad_claims[i].claims, &who, &err);
        bool as_said = status == LINLI_E_DENIED && who == NULL &&
                       strcmp(err.code, bad_claims[i].code) == 0 &&
                       strstr(err.msg, bad_claims[i].msg) != NULL;
        T_OK(as_said);
        if (!as_said)
            printf("#   row %zu: %d %s %s\n", i, status, err.code, err.msg);
    }
}

/* The edges of time themselves are good. */
static const char *const edge_claims[] = {
    /* expired 29 s ago */
    "{" WHO ",\"iat\":1767225000,\"exp\":1767225571}",
    /* 30 minutes to the second */
    "{" WHO ",\"iat\":1767225540,\"exp\":1767227340}",
    /* issued 30 s ahead of our clock */
    "{" WHO ",\"iat\":1767225630,\"exp\":1767226200}",
    "{" WHO "," TIMES ",\"nbf\":1767225630}",
    /* a shift of 12 hours */
    "{" WHO ",\"kind\":\"app\",\"iat\":1767225540,\"exp\":1767268740}",
};

T_CASE(takes_the_edges_of_time)
{
    for (size_t i = 0; i < LL_COUNT(edge_claims); i++) {
        struct ll_identity *who;
        struct ll_err err;
        T_INT(verify(keys[LL_JWT_EDDSA], ED_HEADER, edge_claims[i], &who, &err),
            LINLI_OK);
        T_STR(ll_cstr(err.msg), "");
        T_OK(who == NULL || ll_identity_live(who, NOW_MS));
        ll_identity_unref(&who);
    }
}

T_CASE(holds_a_name_to_its_bound)
{
    for (size_t extra = 0; extra < 2; extra++) {
        struct ll_identity *who;
        struct ll_err err;
        char claims[512], sub[LL_TOKEN_NAME_BYTES_MAX + 2];
        memset(sub, 's', sizeof sub);
        sub[LL_TOKEN_NAME_BYTES_MAX + extra] = '\0';
        (void)snprintf(claims, sizeof claims,
            "{\"sub\":\"%s\",\"community\":\"demo\"," TIMES "}", sub);
        T_INT(verify(keys[LL_JWT_EDDSA], ED_HEADER, claims, &who, &err),
            extra == 0 ? LINLI_OK : LINLI_E_DENIED);
        ll_identity_unref(&who);
    }
}

/* Rules of a set: issuer, audience, whom it may speak for. */
static const struct {
    const char *claims, *msg; /* NULL: it is good */
} set_rules[] = {
    {"{" WHO "," TIMES ",\"iss\":\"https://app.example\",\"aud\":\"linli\"}",
        NULL},
    {"{" WHO "," TIMES ",\"iss\":\"https://app.example\","
     "\"aud\":[\"x\",\"linli\"]}",
        NULL},
    {"{" WHO "," TIMES ",\"aud\":\"linli\"}", "`iss`"},
    {"{" WHO "," TIMES ",\"iss\":\"https://app.example/\","
     "\"aud\":\"linli\"}",
        "`iss`"},
    {"{" WHO "," TIMES ",\"iss\":[\"https://app.example\"],"
     "\"aud\":\"linli\"}",
        "`iss`"},
    {"{" WHO "," TIMES ",\"iss\":\"https://app.example\"}", "`aud`"},
    {"{" WHO "," TIMES ",\"iss\":\"https://app.example\",\"aud\":[]}", "`aud`"},
    {"{" WHO "," TIMES ",\"iss\":\"https://app.example\","
     "\"aud\":{\"linli\":\"linli\"}}",
        "`aud`"},
    {"{" WHO "," TIMES ",\"iss\":\"https://app.example\",\"aud\":\"linli\","
     "\"kind\":\"operator\"}",
        "may not speak for"},
};

T_CASE(keeps_the_rules_of_each_set)
{
    for (size_t i = 0; i < LL_COUNT(set_rules); i++) {
        struct ll_identity *who;
        struct ll_err err;
        linli_status status = verify(
            keys[LL_JWT_EDDSA], NARROW_HEADER, set_rules[i].claims, &who, &err);
        T_INT(status, set_rules[i].msg == NULL ? LINLI_OK : LINLI_E_DENIED);
        T_OK(set_rules[i].msg == NULL ||
             strstr(err.msg, set_rules[i].msg) != NULL);
        ll_identity_unref(&who);
    }
}

T_CASE(refuses_a_foreign_or_changed_signature)
{
    struct ll_identity *who;
    struct ll_err err;
    struct ll_buf token;
    T_INT(verify(stranger, ED_HEADER, GOOD, &who, &err), LINLI_E_DENIED);
    T_STR(ll_cstr(err.msg), "the signature does not hold");
    ll_buf_init(&token, &jk_mem, 8192);
    for (unsigned alg = 0; alg < LL_JWT_ALG_COUNT; alg++) {
        char header[64];
        const char *name = ll_jwt_alg_name((enum ll_jwt_alg)alg);
        (void)snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"%s\"}",
            name, name);
        ll_buf_clear(&token);
        jk_sign(&token, keys[alg], header, GOOD);
        /* Every character, header and claims and signature alike. */
        for (size_t at = 0; at < token.len; at++) {
            char was = token.ptr[at];
            token.ptr[at] = was == 'A' ? 'B' : 'A';
            T_INT(verify_text(ll_buf_view(&token), NOW_MS, &who, &err),
                LINLI_E_DENIED);
            T_OK(who == NULL);
            token.ptr[at] = was;
        }
        T_INT(verify_text(ll_buf_view(&token), NOW_MS, &who, &err), LINLI_OK);
        ll_identity_unref(&who);
    }
    ll_buf_fini(&token);
}

/* The same key signs with the alg of another: the public key as HMAC secret
 * is the classic; here no HMAC exists, so any alg but the key's must fail. */
T_CASE(refuses_a_key_used_with_another_algorithm)
{
    static const char *const headers[] = {
        "{\"alg\":\"RS256\",\"kid\":\"ES256\"}",
        "{\"alg\":\"ES256\",\"kid\":\"RS256\"}",
        "{\"alg\":\"HS256\",\"kid\":\"RS256\"}",
        "{\"alg\":\"PS256\",\"kid\":\"RS256\"}",
    };
    for (size_t i = 0; i < LL_COUNT(headers); i++)
        for (unsigned alg = 0; alg < LL_JWT_ALG_COUNT; alg++) {
            struct ll_identity *who;
            struct ll_err err;
            T_INT(verify(keys[alg], headers[i], GOOD, &who, &err),
                LINLI_E_DENIED);
            T_OK(who == NULL);
        }
}

/* r||s has one form: DER, zeros and other lengths are not it. */
T_CASE(takes_one_form_of_es256_signature)
{
    static const size_t lengths[] = {0, 1, 63, 65, 72, 128};
    struct ll_buf token;
    struct ll_identity *who;
    struct ll_err err;
    unsigned char sig[128] = {0};
    ll_buf_init(&token, &jk_mem, 8192);
    jk_sign(&token, keys[LL_JWT_ES256], "{\"alg\":\"ES256\",\"kid\":\"ES256\"}",
        GOOD);
    size_t cut = token.len - 86; /* 64 bytes in base64url */
    T_OK(token.ptr[cut - 1] == '.');
    token.len = cut;
    ll_base64url_put(&token, sig, 64);
    T_INT(verify_text(ll_buf_view(&token), NOW_MS, &who, &err), LINLI_E_DENIED);
    for (size_t i = 0; i < LL_COUNT(lengths); i++) {
        token.len = cut;
        memset(sig, 0x30, sizeof sig);
        ll_base64url_put(&token, sig, lengths[i]);
        T_INT(verify_text(ll_buf_view(&token), NOW_MS, &who, &err),
            LINLI_E_DENIED);
    }
    ll_buf_fini(&token);
}

static const char *const not_tokens[] = {"", ".", "..", "...", "a.b", "a.b.c",
    "e30.e30.", "e30..e30", ".e30.e30", "e30.e30.e30.e30", "e30=.e30.e30",
    "e30.e30.e30.e30.e30", "{}.{}.", " e30.e30.e30", "e30 .e30.e30",
    "eyJhbGciOiJub25lIiwia2lkIjoiRWREU0EifQ.e30."};

T_CASE(refuses_what_is_no_token)
{
    struct ll_identity *who;
    struct ll_err err;
    struct ll_buf big;
    for (size_t i = 0; i < LL_COUNT(not_tokens); i++) {
        T_INT(verify_text(ll_cstr(not_tokens[i]), NOW_MS, &who, &err),
            LINLI_E_DENIED);
        T_STR(ll_cstr(err.code), "auth/invalid");
    }
    /* One byte over the bound, rightly signed. */
    ll_buf_init(&big, &jk_mem, (size_t)1 << 16);
    ll_buf_cstr(&big, "{" WHO "," TIMES ",\"pad\":\"");
    while (big.len < LL_TOKEN_BYTES_MAX / 4 * 3)
        ll_buf_char(&big, 'p');
    ll_buf_add(&big, "\"}", 3);
    T_INT(verify(keys[LL_JWT_EDDSA], ED_HEADER, big.ptr, &who, &err),
        LINLI_E_DENIED);
    T_OK(strstr(err.msg, "4096") != NULL);
    ll_buf_fini(&big);
}

/* -- the header of the request -- */

static const struct {
    const char *header; /* NULL: none */
    linli_status status;
    const char *code, *token;
} bearers[] = {
    {"Bearer a.b.c", LINLI_OK, "", "a.b.c"},
    {"bearer a.b.c", LINLI_OK, "", "a.b.c"},
    {"BEARER   a.b.c", LINLI_OK, "", "a.b.c"},
    {NULL, LINLI_E_DENIED, "auth/missing", ""},
    {"", LINLI_E_DENIED, "auth/missing", ""},
    {"Basic dTpw", LINLI_E_DENIED, "auth/missing", ""},
    {"Bear", LINLI_E_DENIED, "auth/missing", ""},
    {"Bearera.b.c", LINLI_E_DENIED, "auth/missing", ""},
    {"Bearer", LINLI_E_DENIED, "auth/invalid", ""},
    {"Bearer ", LINLI_E_DENIED, "auth/invalid", ""},
    {"Bearer a.b.c d", LINLI_E_DENIED, "auth/invalid", ""},
    {"Bearer a.b.c ", LINLI_E_DENIED, "auth/invalid", ""},
};

T_CASE(finds_the_bearer_token)
{
    for (size_t i = 0; i < LL_COUNT(bearers); i++) {
        linli_str header = {NULL, 0}, token;
        struct ll_err err = {0};
        if (bearers[i].header != NULL)
            header = ll_cstr(bearers[i].header);
        T_INT(ll_bearer_token(header, &token, &err), bearers[i].status);
        T_STR(ll_cstr(err.code), bearers[i].code);
        T_STR(token, bearers[i].token);
    }
}

/* -- the development key -- */

/* RFC 8037, appendix A: the private key as PKCS #8. */
static const char rfc8037_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

T_CASE(names_a_key_by_its_thumbprint)
{
    struct ll_dev_key *key;
    struct ll_err err;
    T_INT(ll_dev_key_read(&jk_mem, ll_cstr(rfc8037_pem), &key, &err), LINLI_OK);
    if (key == NULL)
        return;
    /* RFC 8037, appendix A.3. */
    T_STR(ll_dev_key_id(key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    ll_dev_key_free(&key);
}

/* The key as PEM; with a passphrase if there is one. */
static void
put_pem(struct ll_buf *out, EVP_PKEY *key, const char *passphrase)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = passphrase == NULL ? NULL : EVP_aes_256_cbc();
    int n = passphrase == NULL ? 0 : (int)strlen(passphrase);
    JK_NEED(PEM_write_bio_PKCS8PrivateKey(
                bio, key, cipher, passphrase, n, NULL, NULL) == 1);
    long len = BIO_get_mem_data(bio, &text);
    ll_buf_clear(out);
    ll_buf_add(out, text, (size_t)len);
    BIO_free(bio);
}

static void
refuses_pem(linli_str pem)
{
    struct ll_dev_key *key;
    struct ll_err err = {0};
    T_INT(ll_dev_key_read(&jk_mem, pem, &key, &err), LINLI_E_INVALID);
    T_STR(ll_cstr(err.code), "auth/dev-key");
    T_OK(key == NULL);
    ll_dev_key_free(&key);
}

T_CASE(refuses_a_wrong_private_key)
{
    struct ll_buf pem;
    ll_buf_init(&pem, &jk_mem, 1 << 16);
    refuses_pem(LINLI_STR(""));
    refuses_pem(LINLI_STR("no pem"));
    refuses_pem((linli_str){rfc8037_pem, sizeof rfc8037_pem / 2});
    put_pem(&pem, keys[LL_JWT_ES256], NULL);
    refuses_pem(ll_buf_view(&pem));
    put_pem(&pem, keys[LL_JWT_RS256], NULL);
    refuses_pem(ll_buf_view(&pem));
    /* Would ask for the passphrase on the terminal if we let it. */
    put_pem(&pem, keys[LL_JWT_EDDSA], "secret");
    refuses_pem(ll_buf_view(&pem));
    ll_buf_clear(&pem);
    while (pem.len <= 4096)
        ll_buf_cstr(&pem, rfc8037_pem);
    refuses_pem(ll_buf_view(&pem));
    ll_buf_fini(&pem);
}

/* Made, written, read again, its set read, a token signed and verified. */
T_CASE(signs_what_its_own_set_verifies)
{
    struct ll_dev_key *made, *key;
    struct ll_buf pem, jwks, claims, token;
    struct ll_err err = {0};
    struct ll_identity *who = NULL;
    struct ll_jwks *own;
    ll_buf_init(&pem, &jk_mem, 4096);
    ll_buf_init(&jwks, &jk_mem, 4096);
    ll_buf_init(&claims, &jk_mem, 4096);
    ll_buf_init(&token, &jk_mem, LL_TOKEN_BYTES_MAX);
    T_INT(ll_dev_key_create(&jk_mem, &made, &err), LINLI_OK);
    T_INT(ll_dev_key_pem(made, &pem, &err), LINLI_OK);
    T_INT(ll_dev_key_read(&jk_mem, ll_buf_view(&pem), &key, &err), LINLI_OK);
    T_OK(ll_str_eq(ll_dev_key_id(made), ll_dev_key_id(key)));
    T_INT(ll_dev_key_jwks(key, &jwks, &err), LINLI_OK);
    struct ll_jwks_source source = {.text = ll_buf_view(&jwks),
        .issuer = LINLI_STR(LL_DEV_ISSUER),
        .kinds = KINDS_ALL,
        .development = true};
    T_INT(ll_jwks_new(&jk_mem, &source, 1, &own, &err), LINLI_OK);
    struct ll_dev_claims said = {.kind = LINLI_STR("operator"),
        .id = LINLI_STR("op1"),
        .community = LINLI_STR("demo"),
        .now_ms = NOW_MS,
        .ttl_s = 366 * 86400,
        .extra = LINLI_STR("{\"roles\":[\"boss\"],\"community\":\"north\"}")};
    T_INT(ll_dev_claims_write(&jk_mem, &said, &claims, &err), LINLI_OK);
    T_INT(ll_jwt_sign(made, ll_buf_view(&claims), &token, &err), LINLI_OK);
    T_INT(ll_jwt_verify(&jk_mem, own, ll_buf_view(&token), NOW_MS, &who, &err),
        LINLI_OK);
    T_STR(ll_cstr(err.msg), "");
    if (who != NULL) {
        T_INT(who->kind, LL_CALLER_OPERATOR);
        T_STR(who->community, "north");
        T_STR(who->roles, "[\"boss\"]");
        T_OK(who->development);
    }
    ll_identity_unref(&who);
    ll_jwks_free(&own);
    ll_dev_key_free(&made);
    ll_dev_key_free(&key);
    ll_buf_fini(&pem);
    ll_buf_fini(&jwks);
    ll_buf_fini(&claims);
    ll_buf_fini(&token);
}

T_CASE(bounds_what_it_signs)
{
    struct ll_dev_key *key;
    struct ll_buf out;
    struct ll_err err = {0};
    struct ll_dev_claims said = {.kind = LINLI_STR("staff"),
        .id = LINLI_STR("a"),
        .community = LINLI_STR("demo"),
        .now_ms = NOW_MS,
        .ttl_s = 60};
    T_INT(ll_dev_key_create(&jk_mem, &key, &err), LINLI_OK);
    ll_buf_init(&out, &jk_mem, 128);
    T_INT(ll_jwt_sign(key, LINLI_STR(GOOD), &out, &err), LINLI_E_LIMIT);
    ll_buf_clear(&out);
    said.extra = LINLI_STR("[1]");
    T_INT(ll_dev_claims_write(&jk_mem, &said, &out, &err), LINLI_E_INVALID);
    said.extra = LINLI_STR("{\"a\":");
    T_INT(ll_dev_claims_write(&jk_mem, &said, &out, &err), LINLI_E_INVALID);
    said.extra = (linli_str){NULL, 0};
    T_INT(ll_dev_claims_write(&jk_mem, &said, &out, &err), LINLI_OK);
    T_STR(ll_buf_view(&out),
        "{\"iss\":\"linli-development\",\"sub\":\"a\",\"kind\":\"staff\","
        "\"community\":\"demo\",\"iat\":1767225600,\"exp\":1767225660}");
    ll_buf_fini(&out);
    ll_dev_key_free(&key);
}

T_CASE(survives_every_failed_allocation)
{
    struct ll_identity *who = NULL;
    struct ll_err err;
    struct ll_buf token;
    size_t before = jk_mem.used_bytes;
    uint64_t nth = 0;
    ll_buf_init(&token, &jk_mem, 8192);
    jk_sign(&token, keys[LL_JWT_EDDSA], ED_HEADER,
        "{\"sub\":\"\\u738b\",\"community\":\"demo\",\"roles\":[\"a\"]," TIMES
        "}");
    while (who == NULL && nth < 100) {
        jk_mem.fail_in = ++nth;
        linli_status status =
            verify_text(ll_buf_view(&token), NOW_MS, &who, &err);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        T_OK(status == LINLI_OK || strcmp(err.code, "runtime/memory") == 0);
        T_OK((status == LINLI_OK) == (who != NULL));
    }
    jk_mem.fail_in = 0;
    T_OK(nth > 3 && nth < 100);
    ll_identity_unref(&who);
    ll_buf_fini(&token);
    T_INT(jk_mem.used_bytes, before);
}

T_CASE(gives_all_memory_back)
{
    tear_down();
    T_INT(jk_mem.used_bytes, 0);
}

int
main(void)
{
    set_up();
    T_RUN(holds_for_published_vectors)
    T_RUN(takes_a_token_of_each_algorithm)
    T_RUN(carries_every_claim)
    T_RUN(takes_harmless_headers)
    T_RUN(refuses_bad_headers)
    T_RUN(refuses_bad_claims)
    T_RUN(takes_the_edges_of_time)
    T_RUN(holds_a_name_to_its_bound)
    T_RUN(keeps_the_rules_of_each_set)
    T_RUN(refuses_a_foreign_or_changed_signature)
    T_RUN(refuses_a_key_used_with_another_algorithm)
    T_RUN(takes_one_form_of_es256_signature)
    T_RUN(refuses_what_is_no_token)
    T_RUN(finds_the_bearer_token)
    T_RUN(names_a_key_by_its_thumbprint)
    T_RUN(refuses_a_wrong_private_key)
    T_RUN(signs_what_its_own_set_verifies)
    T_RUN(bounds_what_it_signs)
    T_RUN(survives_every_failed_allocation)
    T_RUN(gives_all_memory_back)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
