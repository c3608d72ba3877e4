/* tests/unit/test_digest.c: what libcrypto does for us, by public vectors. */
#include "t.h"

#include "base/hash.h"
#include "base/text.h"

static linli_str
hex(const unsigned char digest[LL_SHA256_BYTES])
{
    static char text[2 * LL_SHA256_BYTES + 1];
    ll_hex(digest, LL_SHA256_BYTES, text);
    return ll_cstr(text);
}

/* FIPS 180-4, as its examples give them. */
T_CASE(sha256)
{
    unsigned char digest[LL_SHA256_BYTES];
    ll_sha256("abc", 3, digest);
    T_STR(hex(digest),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ll_sha256("", 0, digest);
    T_STR(hex(digest),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, cases 1, 2 and 6. */
T_CASE(hmac_sha256)
{
    unsigned char digest[LL_SHA256_BYTES];
    char key[131];
    memset(key, 0x0b, 20);
    ll_hmac_sha256((linli_str){key, 20}, LINLI_STR("Hi There"), digest);
    T_STR(hex(digest),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    ll_hmac_sha256(
        LINLI_STR("Jefe"), LINLI_STR("what do ya want for nothing?"), digest);
    T_STR(hex(digest),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    ll_hmac_sha256((linli_str){key, sizeof key},
        LINLI_STR("Test Using Larger Than Block-Size Key - Hash Key First"),
        digest);
    T_STR(hex(digest),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

T_CASE(compares_secrets)
{
    T_OK(ll_secret_is(LINLI_STR("abc"), LINLI_STR("abc")));
    T_OK(!ll_secret_is(LINLI_STR("abd"), LINLI_STR("abc")));
    T_OK(!ll_secret_is(LINLI_STR("ab"), LINLI_STR("abc")));
    T_OK(!ll_secret_is(LINLI_STR("abcd"), LINLI_STR("abc")));
    T_OK(!ll_secret_is((linli_str){NULL, 0}, LINLI_STR("abc")));
}

T_MAIN(T_RUN(sha256) T_RUN(hmac_sha256) T_RUN(compares_secrets))
