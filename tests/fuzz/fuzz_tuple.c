/* tests/fuzz/fuzz_tuple.c: keys and index entries from any bytes.
 *
 * Bytes that read as a tuple are the key of what was read. A document has a
 * key that reads back, or none and says so; two runs agree.
 */
#include <stdlib.h>

#include "base/index.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char declared[] =
    "{\"fields\":[\"a\",\"b\"],\"sparse\":true,\"interval\":"
    "{\"from\":\"f\",\"to\":\"t\",\"longest_ms\":1000}}";

static void
must(bool holds)
{
    if (!holds)
        abort();
}

/* Reads values while there are any; *plain is false if a text came back
 * other than it was, as bytes that are no UTF-8 do. */
static linli_str
read_some(linli_str bytes, struct ll_buf *json, bool *plain)
{
    linli_str rest = bytes;
    struct ll_jw w = ll_jw(json);
    ll_jw_open(&w, '[');
    for (linli_str before = rest; ll_tuple_read(&rest, &w); before = rest) {
        must(rest.len < before.len);
        linli_str value = {before.ptr, before.len - rest.len};
        *plain &= value.ptr[0] != 0x20 || value.len <= LL_KEY_STR_BYTES_MAX;
    }
    ll_jw_close(&w, ']');
    must(!json->failed);
    bytes.len -= rest.len;
    /* Integers hold bytes that are no text; replacements tell the rest. */
    for (size_t i = 0; i + 2 < json->len; i++)
        *plain &= memcmp(json->ptr + i, "\xef\xbf\xbd", 3) != 0;
    return bytes;
}

static void
check_bytes(struct ll_mem *mem, linli_str bytes)
{
    struct ll_buf text, again;
    struct ll_json json;
    struct ll_err err;
    bool plain = true;
    ll_buf_init(&text, mem, bytes.len * 24 + 64);
    ll_buf_init(&again, mem, bytes.len + 1);
    ll_json_init(&json, mem);
    linli_str read = read_some(bytes, &text, &plain);
    must(ll_json_parse(&json, ll_buf_view(&text), 1, &err) == LINLI_OK);
    LL_JSON_EACH (item, ll_json_root(&json)) {
        bool held = ll_tuple_json(&again, item) == LINLI_OK;
        must(held || !plain);
    }
    must(!plain || ll_str_eq(ll_buf_view(&again), read));
    ll_buf_fini(&text);
    ll_buf_fini(&again);
    ll_json_fini(&json);
}

static void
check_document(struct ll_mem *mem, struct ll_jv document)
{
    struct ll_json json;
    struct ll_index_spec spec;
    struct ll_buf key, back;
    struct ll_err err;
    bool there = false, plain = true;
    ll_json_init(&json, mem);
    ll_buf_init(&key, mem, 4096);
    ll_buf_init(&back, mem, 65536);
    must(ll_json_parse(&json, ll_cstr(declared), 4, &err) == LINLI_OK);
    ll_index_spec_read(ll_json_root(&json), &spec);
    linli_status status = ll_index_key(&spec, document, &key, &there, &err);
    must(status == LINLI_OK || (status == LINLI_E_INVALID && !there));
    must(there == (key.len > 0));
    linli_str read = read_some(ll_buf_view(&key), &back, &plain);
    must(read.len == key.len);
    if (there) {
        must(ll_json_parse(&json, ll_buf_view(&back), 1, &err) == LINLI_OK);
        must(ll_jv_count(ll_json_root(&json)) == 4);
    }
    ll_buf_fini(&key);
    ll_buf_fini(&back);
    ll_json_fini(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    linli_str bytes = {(const char *)data, size};
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    check_bytes(&mem, bytes);
    if (ll_json_parse(&json, bytes, LL_JSON_DEPTH_MAX, &err) == LINLI_OK)
        check_document(&mem, ll_json_root(&json));
    ll_json_fini(&json);
    must(mem.used_bytes == 0);
    return 0;
}
