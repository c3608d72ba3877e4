/* tests/fuzz/fuzz_json.c: the JSON reader and writer against each other.
 *
 * What is read, written and read again is the same document, and writing it
 * a second time gives the same bytes.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_into(struct ll_buf *buf, const struct ll_json *json)
{
    struct ll_jw w = ll_jw(buf);
    ll_jw_value(&w, ll_json_root(json));
    if (buf->failed)
        abort();
}

/* Escapes grow six times at most; numbers to 25 bytes. */
static void
check_round(const struct ll_json *json, size_t size)
{
    struct ll_mem mem;
    struct ll_json again;
    struct ll_buf first, second;
    struct ll_err err;
    ll_mem_init(&mem, 0);
    ll_json_init(&again, &mem);
    ll_buf_init(&first, &mem, size * 32 + 64);
    ll_buf_init(&second, &mem, size * 32 + 64);
    write_into(&first, json);
    if (ll_json_parse(&again, ll_buf_view(&first), LL_JSON_DEPTH_MAX, &err) !=
        LINLI_OK)
        abort();
    if (!ll_jv_equal(ll_json_root(json), ll_json_root(&again)))
        abort();
    write_into(&second, &again);
    if (!ll_str_eq(ll_buf_view(&first), ll_buf_view(&second)))
        abort();
    ll_buf_fini(&first);
    ll_buf_fini(&second);
    ll_json_fini(&again);
    if (mem.used_bytes != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    linli_str text = {(const char *)data, size};
    linli_status deep = ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, &err);
    if (deep == LINLI_OK)
        check_round(&json, size);
    /* A smaller depth refuses more, never less. */
    if (ll_json_parse(&json, text, LL_BODY_DEPTH_MAX, &err) == LINLI_OK &&
        deep != LINLI_OK)
        abort();
    ll_json_fini(&json);
    if (mem.used_bytes != 0)
        abort();
    return 0;
}
