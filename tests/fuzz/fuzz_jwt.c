/* tests/fuzz/fuzz_jwt.c: bytes as a token, a key set, claims and PEM.
 *
 * The first byte says which. Claims are signed with a key of the ring, so
 * that the fuzzer gets past the signature. Whatever comes in, memory is given
 * back, and an identity comes out exactly with LINLI_OK.
 */
#include "host/dev_key.h"
#include "host/token_cache.h"
#include "base/text.h"

#define NOW_MS INT64_C(1767225600000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ll_mem mem;

/* RFC 8037, appendix A: a key that everybody knows. */
static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static struct ll_jwks *
ring_of(linli_str text)
{
    struct ll_jwks *ring;
    struct ll_jwks_source source = {
        .text = text, .name = LINLI_STR("fuzz"), .kinds = 15};
    struct ll_err err;
    linli_status status = ll_jwks_new(&mem, &source, 1, &ring, &err);
    ll_check((status == LINLI_OK) == (ring != NULL));
    return ring;
}

static void
verify(const struct ll_jwks *ring, linli_str token)
{
    struct ll_identity *who, *again;
    struct ll_err err;
    struct ll_token_cache *cache =
        ll_token_cache_new(&mem, (const unsigned char *)"0123456789abcdef");
    ll_check(cache != NULL);
    linli_status status =
        ll_token_identify(cache, ring, token, NOW_MS, &who, &err);
    ll_check((status == LINLI_OK) == (who != NULL));
    if (who != NULL) {
        ll_check(ll_identity_live(who, NOW_MS));
        ll_check(who->id.len > 0 && who->community.len > 0);
        status = ll_token_identify(cache, ring, token, NOW_MS, &again, &err);
        ll_check(status == LINLI_OK && again == who);
        ll_identity_unref(&again);
    }
    ll_identity_unref(&who);
    ll_token_cache_free(&cache);
}

static void
with_known_key(char mode, linli_str input)
{
    struct ll_dev_key *key;
    struct ll_buf jwks, token;
    linli_status status = ll_dev_key_read(&mem, ll_cstr(pem), &key, NULL);
    ll_check(status == LINLI_OK);
    ll_buf_init(&jwks, &mem, 1024);
    ll_buf_init(&token, &mem, (size_t)1 << 20);
    status = ll_dev_key_jwks(key, &jwks, NULL);
    ll_check(status == LINLI_OK);
    struct ll_jwks *ring = ring_of(ll_buf_view(&jwks));
    ll_check(ring != NULL);
    if (mode == 't')
        verify(ring, input);
    else if (ll_jwt_sign(key, input, &token, NULL) == LINLI_OK)
        verify(ring, ll_buf_view(&token));
    ll_jwks_free(&ring);
    ll_buf_fini(&token);
    ll_buf_fini(&jwks);
    ll_dev_key_free(&key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    linli_str input = {(const char *)data + 1, size - 1};
    linli_str token;
    struct ll_jwks *ring;
    struct ll_dev_key *key;
    switch (data[0]) {
    case 't': /* a token */
    case 'c': /* claims */
        with_known_key((char)data[0], input);
        break;
    case 'k': /* a key set */
        ring = ring_of(input);
        ll_jwks_free(&ring);
        break;
    case 'p': /* a private key */
        if (ll_dev_key_read(&mem, input, &key, NULL) == LINLI_OK)
            ll_dev_key_free(&key);
        break;
    default: /* an Authorization header */
        if (ll_bearer_token(input, &token, NULL) == LINLI_OK)
            ll_check(token.len > 0);
    }
    ll_check(mem.used_bytes == 0);
    return 0;
}
