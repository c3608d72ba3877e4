/* store/head_key.c: the log's key and name, from linli.key and the first leaf.
 * A file of its own: who only audits needs it, and neither threads nor loop. */
#include <stdio.h>

#include "base/text.h"
#include "domain/leaf.h"
#include "store/head.h"

void
ll_head_seed(const unsigned char key[LL_SEAL_KEY_BYTES],
    unsigned char seed[LL_ED25519_BYTES])
{
    linli_str root = {(const char *)key, LL_SEAL_KEY_BYTES};
    _Static_assert(LL_ED25519_BYTES == LL_SHA256_BYTES, "one hash is a seed");
    ll_hmac_sha256(root, LINLI_STR("log.ed25519"), seed);
}

void
ll_head_origin(const unsigned char key[LL_SEAL_KEY_BYTES],
    char origin[LL_HEAD_ORIGIN_BYTES])
{
    unsigned char hash[LL_SHA256_BYTES];
    char hex[17];
    linli_str root = {(const char *)key, LL_SEAL_KEY_BYTES};
    ll_hmac_sha256(root, LINLI_STR("log.origin"), hash);
    ll_hex(hash, 8, hex);
    (void)snprintf(origin, LL_HEAD_ORIGIN_BYTES, "linli/%s", hex);
}

bool
ll_origin_leaf_read(struct ll_mem *mem, linli_str leaf, struct ll_vkey *out)
{
    struct ll_json json, data;
    struct ll_leaf read;
    bool ok = false;
    *out = (struct ll_vkey){.id = {0}};
    ll_json_init(&json, mem);
    ll_json_init(&data, mem);
    if (ll_leaf_read(&json, leaf, &read, NULL) == LINLI_OK &&
        read.type == LL_LEAF_ORIGIN && read.data_json.len > 0 &&
        ll_json_parse(&data, read.data_json, 2, NULL) == LINLI_OK)
        ok =
            ll_vkey_read(ll_jv_str(ll_jv_get(ll_json_root(&data), "key")), out);
    ll_json_fini(&data);
    ll_json_fini(&json);
    return ok;
}
