/* tests/unit/test_jwks.c: which key sets are taken, and what of them. */
#include "t.h"

#include "host/jwks.h"
#include "jwt_keys.h"

#define ALL_KINDS 0xffu

#define ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ED "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\""
#define EC \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""

static linli_status
ring_from(const char *text, struct ll_jwks **out, struct ll_err *err)
{
    struct ll_jwks_source source = {.text = ll_cstr(text),
        .name = LINLI_STR("keys.json"),
        .kinds = ALL_KINDS};
    memset(err, 0, sizeof *err);
    return ll_jwks_new(&jk_mem, &source, 1, out, err);
}

T_CASE(takes_every_kind_and_leaves_out_the_rest)
{
    static const char text[] =
        "{\"keys\":[{\"kid\":\"e\"," ED ",\"use\":\"sig\",\"alg\":\"EdDSA\"},"
        "{\"kid\":\"c\"," EC ",\"key_ops\":[\"verify\"],\"extra\":[1]},"
        "{\"kid\":\"x\",\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED_X "\"},"
        "{\"kid\":\"enc\"," EC ",\"use\":\"enc\"},"
        "{\"kid\":\"ops\"," EC ",\"key_ops\":[\"deriveKey\"]},"
        "{\"kid\":\"noops\"," EC ",\"key_ops\":[]},"
        "{\"kid\":\"ps\",\"kty\":\"RSA\",\"alg\":\"PS256\",\"n\":\"AQ\"},"
        "{\"kid\":\"384\",\"kty\":\"EC\",\"crv\":\"P-384\"},"
        "{\"kty\":\"future\"}]}";
    struct ll_jwks *ring;
    struct ll_err err;
    T_INT(ring_from(text, &ring, &err), LINLI_OK);
    T_STR(ll_cstr(err.msg), "");
    if (ring == NULL)
        return;
    T_INT(ll_jwks_count(ring), 2);
    T_INT(ll_jwks_left_out(ring), 7);
    const struct ll_jwk *e = ll_jwks_find(ring, LINLI_STR("e"));
    const struct ll_jwk *c = ll_jwks_find(ring, LINLI_STR("c"));
    T_OK(e != NULL && e->alg == LL_JWT_EDDSA);
    T_OK(c != NULL && c->alg == LL_JWT_ES256);
    T_OK(ll_jwks_find(ring, LINLI_STR("enc")) == NULL);
    T_OK(ll_jwks_find(ring, LINLI_STR("")) == NULL);
    T_OK(ll_jwks_find(ring, LINLI_STR("E")) == NULL);
    ll_jwks_free(&ring);
    T_OK(ring == NULL);
    T_INT(jk_mem.used_bytes, 0);
}

/* One row per rule: what the file says, and what we answer. */
static const struct {
    const char *text, *code, *where, *msg;
} refused[] = {
    {"", "auth/jwks", "keys.json: ", NULL},
    {"{\"keys\":", "auth/jwks", "keys.json: line 1", NULL},
    {"{\"keys\":[],\"keys\":[]}", "auth/jwks", "keys.json: line 1", NULL},
    {"[]", "auth/jwks", "keys.json: ", "array `keys`"},
    {"{\"keys\":{}}", "auth/jwks", "keys.json: ", "array `keys`"},
    {"{\"keys\":[]}", "auth/jwks", "keys.json: ", "no key that verifies"},
    {"{\"keys\":[{\"kty\":\"future\"}]}", "auth/jwks",
        "keys.json: ", "no key that verifies"},
    {"{\"keys\":[7]}", "auth/jwks", "keys.json: /keys/0", "object"},
    {"{\"keys\":[{\"kid\":\"a\"}]}", "auth/jwks", "keys.json: /keys/0",
        "kty is required"},
    {"{\"keys\":[{" ED "}]}", "auth/jwks", "keys.json: /keys/0",
        "kid is required"},
    {"{\"keys\":[{\"kid\":\"\"," ED "}]}", "auth/jwks", "keys.json: /keys/0",
        "kid is required"},
    {"{\"keys\":[{\"kid\":7," ED "}]}", "auth/jwks", "keys.json: /keys/0",
        "kid is required"},
    {"{\"keys\":[{\"kid\":\"a\"," ED "},{\"kid\":\"a\"," EC "}]}", "auth/jwks",
        "keys.json: /keys/1", "repeats"},
    {"{\"keys\":[{\"kid\":\"a\"," ED ",\"use\":1}]}", "auth/jwks",
        "keys.json: /keys/0", "use must be"},
    {"{\"keys\":[{\"kid\":\"a\"," ED ",\"alg\":null}]}", "auth/jwks",
        "keys.json: /keys/0", "alg must be"},
    {"{\"keys\":[{\"kid\":\"a\"," ED ",\"key_ops\":\"verify\"}]}", "auth/jwks",
        "keys.json: /keys/0", "key_ops must be"},
    /* Padding, a foreign alphabet, one byte short, no x. */
    {"{\"keys\":[{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\","
     "\"x\":\"" ED_X "=\"}]}",
        "auth/jwks", "keys.json: /keys/0", "x must be 32 bytes"},
    {"{\"keys\":[{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\","
     "\"x\":\"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
        "auth/jwks", "keys.json: /keys/0", "x must be 32 bytes"},
    {"{\"keys\":[{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\","
     "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcH\"}]}",
        "auth/jwks", "keys.json: /keys/0", "x must be 32 bytes"},
    {"{\"keys\":[{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\"}]}",
        "auth/jwks", "keys.json: /keys/0", "x must be 32 bytes"},
    /* x twice is no point of the curve. */
    {"{\"keys\":[{\"kid\":\"a\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X
     "\",\"y\":\"" EC_X "\"}]}",
        "auth/jwks", "keys.json: /keys/0", "not a point"},
    {"{\"keys\":[{\"kid\":\"a\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X
     "\"}]}",
        "auth/jwks", "keys.json: /keys/0", "y must be"},
    {"{\"keys\":[{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"_w\",\"e\":\"AQAB\"}]}",
        "auth/jwks", "keys.json: /keys/0", "too short"},
    {"{\"keys\":[{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"_w\"}]}", "auth/jwks",
        "keys.json: /keys/0", "e must be"},
    /* Secrets, also in keys that would be left out. */
    {"{\"keys\":[{\"kid\":\"a\"," ED ",\"d\":\"AAAA\"}]}", "auth/jwks-private",
        "keys.json: /keys/0", "\"d\" is secret"},
    {"{\"keys\":[{\"kid\":\"a\"," ED "},{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
        "auth/jwks-private", "keys.json: /keys/1", "\"k\" is secret"},
    {"{\"keys\":[{\"kty\":\"RSA\",\"use\":\"enc\",\"dp\":\"AAAA\"}]}",
        "auth/jwks-private", "keys.json: /keys/0", "\"dp\" is secret"},
};

T_CASE(refuses_what_breaks_a_rule)
{
    for (size_t i = 0; i < LL_COUNT(refused); i++) {
        struct ll_jwks *ring;
        struct ll_err err;
        linli_status status = ring_from(refused[i].text, &ring, &err);
        bool as_said =
            status == LINLI_E_INVALID && ring == NULL &&
            strcmp(err.code, refused[i].code) == 0 &&
            strncmp(err.where, refused[i].where, strlen(refused[i].where)) ==
                0 &&
            (refused[i].msg == NULL || strstr(err.msg, refused[i].msg));
        T_OK(as_said);
        if (!as_said)
            printf("#   row %zu: %d %s | %s | %s\n", i, status, err.code,
                err.where, err.msg);
        /* The secret itself is never repeated. */
        T_OK(strstr(err.msg, "AAAA") == NULL);
        ll_jwks_free(&ring);
    }
    T_INT(jk_mem.used_bytes, 0);
}

T_CASE(refuses_a_short_rsa_key_and_takes_a_long_one)
{
    static const unsigned bits[] = {1024, 2048};
    for (size_t i = 0; i < LL_COUNT(bits); i++) {
        EVP_PKEY *key = jk_key(LL_JWT_RS256, bits[i]);
        struct ll_buf text;
        struct ll_jwks *ring;
        struct ll_err err;
        ll_buf_init(&text, &jk_mem, 8192);
        ll_buf_cstr(&text, "{\"keys\":[");
        jk_jwk(&text, key, "r", "");
        ll_buf_add(&text, "]}", 3);
        T_INT(ring_from(text.ptr, &ring, &err),
            bits[i] < LL_RSA_BITS_MIN ? LINLI_E_INVALID : LINLI_OK);
        T_OK((ring != NULL) == (bits[i] >= LL_RSA_BITS_MIN));
        ll_jwks_free(&ring);
        ll_buf_fini(&text);
        EVP_PKEY_free(key);
    }
}

T_CASE(joins_sources_and_keeps_their_rules)
{
    struct ll_jwks_source sources[] = {
        {.text = LINLI_STR("{\"keys\":[{\"kid\":\"app\"," ED "}]}"),
            .name = LINLI_STR("app.json"),
            .issuer = LINLI_STR("https://app.example"),
            .audience = LINLI_STR("linli"),
            .kinds = 1},
        {.text = LINLI_STR("{\"keys\":[{\"kid\":\"dev\"," EC "}]}"),
            .name = LINLI_STR("dev.json"),
            .kinds = 15,
            .development = true},
    };
    struct ll_jwks *ring;
    struct ll_err err;
    T_INT(ll_jwks_new(&jk_mem, sources, 2, &ring, &err), LINLI_OK);
    const struct ll_jwk *app = ll_jwks_find(ring, LINLI_STR("app"));
    const struct ll_jwk *dev = ll_jwks_find(ring, LINLI_STR("dev"));
    T_STR(app->issuer, "https://app.example");
    T_STR(app->audience, "linli");
    T_OK(app->kinds == 1 && !app->development);
    T_OK(dev->kinds == 15 && dev->development && dev->issuer.len == 0);
    ll_jwks_free(&ring);

    /* The same id in two files would let one issuer speak as the other. */
    sources[1].text = sources[0].text;
    T_INT(ll_jwks_new(&jk_mem, sources, 2, &ring, &err), LINLI_E_INVALID);
    T_STR(ll_cstr(err.where), "dev.json: /keys/0");
    T_INT(ll_jwks_new(&jk_mem, NULL, 0, &ring, &err), LINLI_OK);
    T_INT(ll_jwks_count(ring), 0);
    ll_jwks_free(&ring);
    T_INT(jk_mem.used_bytes, 0);
}

static void
many_keys(struct ll_buf *text, unsigned count)
{
    ll_buf_clear(text);
    ll_buf_cstr(text, "{\"keys\":[");
    for (unsigned i = 0; i < count; i++)
        ll_buf_printf(text, "%s{\"kid\":\"k%u\"," ED "}", i > 0 ? "," : "", i);
    ll_buf_add(text, "]}", 3);
}

T_CASE(holds_its_bounds)
{
    struct ll_buf text;
    struct ll_jwks *ring;
    struct ll_err err;
    ll_buf_init(&text, &jk_mem, (size_t)1 << 20);
    many_keys(&text, LL_JWKS_KEYS_MAX);
    T_INT(ring_from(text.ptr, &ring, &err), LINLI_OK);
    ll_jwks_free(&ring);
    many_keys(&text, LL_JWKS_KEYS_MAX + 1);
    T_INT(ring_from(text.ptr, &ring, &err), LINLI_E_LIMIT);
    T_STR(ll_cstr(err.where), "keys.json: /keys/64");
    ll_buf_clear(&text);
    for (unsigned i = 0; i < LL_JWKS_BYTES_MAX; i++)
        ll_buf_char(&text, ' ');
    ll_buf_add(&text, "{}", 3);
    T_INT(ring_from(text.ptr, &ring, &err), LINLI_E_LIMIT);
    ll_buf_fini(&text);
}

T_CASE(survives_every_failed_allocation)
{
    static const char text[] =
        "{\"keys\":[{\"kid\":\"\\u0061\"," ED "},{\"kid\":\"b\"," EC "}]}";
    struct ll_jwks *ring = NULL;
    struct ll_err err;
    uint64_t nth = 0;
    while (ring == NULL && nth < 100) {
        jk_mem.fail_in = ++nth;
        linli_status status = ring_from(text, &ring, &err);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        T_OK((status == LINLI_OK) == (ring != NULL));
    }
    jk_mem.fail_in = 0;
    T_OK(nth > 2 && nth < 100);
    ll_jwks_free(&ring);
    T_INT(jk_mem.used_bytes, 0);
}

T_MAIN(T_RUN(takes_every_kind_and_leaves_out_the_rest)
        T_RUN(refuses_what_breaks_a_rule)
            T_RUN(refuses_a_short_rsa_key_and_takes_a_long_one) T_RUN(
                joins_sources_and_keeps_their_rules) T_RUN(holds_its_bounds)
                T_RUN(survives_every_failed_allocation))
