/* tests/fuzz/fuzz_pricing.c: bytes as a case of a plan, or a list of them.
 *
 * Whatever comes in, all memory comes back; a refusal has a code, a place or
 * a line, and a message; an answer is JSON whose lines sum to its net and, with
 * the tax, to its total.
 */
#include <stdlib.h>

#include "base/text.h"
#include "domain/pricing_case.h"

/* Keeps a hostile list of calls within a fuzzer's patience. */
#define INPUT_BYTES_MAX 8192
#define ARENA_BYTES_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* New York's clocks, in the two changes of 2026. */
static const int64_t changes[] = {INT64_MIN, -18000, INT64_C(1772953200000),
    -14400, INT64_C(1793512800000), -18000};

static linli_status
zone(void *user, linli_str name, struct ll_local *out, struct ll_err *err)
{
    LL_UNUSED(user);
    *out = (struct ll_local){changes, name.len % 2 == 0 ? 3 : 1};
    return ll_str_starts(name, "No/")
               ? ll_fail(err, LINLI_E_NOT_FOUND, "config/invalid", "no zone")
               : LINLI_OK;
}

/* Lines before tax are the net, or the gross that holds it. */
static void
check_answer(struct ll_mem *mem, linli_str text)
{
    struct ll_json json;
    struct ll_err err;
    int64_t sum = 0, net = 0, tax = 0, total = 0;
    ll_json_init(&json, mem);
    if (ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, &err) != LINLI_OK)
        abort();
    struct ll_jv root = ll_json_root(&json);
    LL_JSON_EACH (line, ll_jv_get(root, "lines")) {
        int64_t fen = 0;
        if (!ll_jv_int(ll_jv_get(line, "amount_fen"), &fen) || fen == 0 ||
            __builtin_add_overflow(sum, fen, &sum))
            abort();
    }
    if (ll_jv_int(ll_jv_get(root, "net_fen"), &net) &&
        (!ll_jv_int(ll_jv_get(root, "tax_fen"), &tax) ||
            !ll_jv_int(ll_jv_get(root, "total_fen"), &total) ||
            net + tax != total || (sum != net && sum != total)))
        abort();
    ll_json_fini(&json);
}

static void
rate(struct ll_arena *arena, struct ll_jv root, struct ll_jv one)
{
    struct ll_case_env env = {arena, zone, NULL};
    struct ll_err err = {0};
    struct ll_buf out;
    ll_arena_reset(arena);
    ll_buf_init(&out, arena->mem, (size_t)16 << 20);
    struct ll_jw w = ll_jw(&out);
    linli_status status = ll_case_rate(&env, root, one, &w, &err);
    if (status == LINLI_OK)
        check_answer(arena->mem, ll_buf_view(&out));
    else if (err.code[0] == '\0' || err.msg[0] == '\0')
        abort();
    ll_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ll_mem mem;
    struct ll_arena arena;
    struct ll_json json;
    struct ll_err err;
    if (size > INPUT_BYTES_MAX)
        return 0;
    ll_mem_init(&mem, 0);
    ll_arena_init(&arena, &mem, ARENA_BYTES_MAX);
    ll_json_init(&json, &mem);
    linli_str text = {(const char *)data, size};
    if (ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, &err) == LINLI_OK) {
        struct ll_jv root = ll_json_root(&json);
        if (!ll_jv_is(root, LL_JSON_ARRAY))
            rate(&arena, root, root);
        LL_JSON_EACH (one, root) {
            if (ll_jv_is(root, LL_JSON_ARRAY))
                rate(&arena, root, one);
        }
    }
    ll_json_fini(&json);
    ll_arena_fini(&arena);
    if (mem.used_bytes != 0)
        abort();
    return 0;
}
