/* tests/unit/test_webhook.c: documents and signatures of webhooks. */
#include "base/text.h"
#include "host/webhook.h"

#include "t.h"

/* The example of Standard Webhooks' own libraries. */
T_CASE(the_published_signature)
{
    static const unsigned char key[] = {0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06,
        0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48,
        0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0};
    char signature[LL_WEBHOOK_SIGNATURE_BYTES];
    ll_webhook_signature((linli_str){(const char *)key, sizeof key},
        LINLI_STR("msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330."
                  "{\"test\": 2432232314}"),
        signature);
    T_STR(
        ll_cstr(signature), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

/* Whether an endpoint with these types wants an event, and they are good. */
static void
check_types(const char *types, const char *event, bool good, bool wanted)
{
    struct ll_mem mem;
    struct ll_json json;
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    T_INT(ll_json_parse(&json, ll_cstr(types), 8, NULL), LINLI_OK);
    struct ll_webhook webhook = {.types = ll_json_root(&json)};
    T_INT(ll_webhook_types_check(webhook.types, NULL) == LINLI_OK, good);
    if (good)
        T_INT(ll_webhook_wants(&webhook, ll_cstr(event)), wanted);
    ll_json_fini(&json);
    T_INT(mem.used_bytes, 0);
}

T_CASE(types)
{
    check_types("[\"*\"]", "shop.paid", true, true);
    check_types("[\"shop.*\"]", "shop.paid", true, true);
    check_types("[\"shop.*\"]", "shop-2.paid", true, false);
    check_types("[\"shop.*\"]", "shopping.paid", true, false);
    check_types("[\"shop.paid\"]", "shop.paid", true, true);
    check_types("[\"shop.paid\"]", "shop.paid_back", true, false);
    check_types("[\"a.b\",\"shop-2.*\"]", "shop-2.x", true, true);
    check_types("[]", "", false, false);
    check_types("\"*\"", "", false, false);
    check_types("[\"\"]", "", false, false);
    check_types("[\"shop\"]", "", false, false);
    check_types("[\"shop.\"]", "", false, false);
    check_types("[\".paid\"]", "", false, false);
    check_types("[\"sho*\"]", "", false, false);
    check_types("[\"shop.pa*\"]", "", false, false);
    check_types("[\"shop.a.b\"]", "", false, false);
    check_types("[\"Shop.paid\"]", "", false, false);
    check_types("[\"*.paid\"]", "", false, false);
    check_types("[1]", "", false, false);
}

T_CASE(ids)
{
    char id[50];
    T_OK(ll_webhook_id_valid(LINLI_STR("main")));
    T_OK(ll_webhook_id_valid(LINLI_STR("a-1_b")));
    T_OK(!ll_webhook_id_valid(LINLI_STR("")));
    T_OK(!ll_webhook_id_valid(LINLI_STR("1a")));
    T_OK(!ll_webhook_id_valid(LINLI_STR("a/b")));
    T_OK(!ll_webhook_id_valid(LINLI_STR("a.b")));
    T_OK(!ll_webhook_id_valid((linli_str){"a\0b", 3}));
    memset(id, 'a', sizeof id);
    T_OK(ll_webhook_id_valid((linli_str){id, 48}));
    T_OK(!ll_webhook_id_valid((linli_str){id, 49}));
}

T_MAIN(T_RUN(the_published_signature) T_RUN(types) T_RUN(ids))
