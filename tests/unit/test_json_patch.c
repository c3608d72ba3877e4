/* tests/unit/test_json_patch.c: RFC 7396, JSON Merge Patch. */
#include "t.h"

#include "base/json_patch.h"
#include "base/text.h"
#include "dice.h"

#define OUT_BYTES_MAX (8u << 20)

static struct ll_mem mem;

struct bed {
    struct ll_json target, patch;
    struct ll_buf out;
};

static void
parse(struct ll_json *json, linli_str text)
{
    struct ll_err err = {0};
    ll_json_init(json, &mem);
    T_INT(ll_json_parse(json, text, LL_JSON_DEPTH_MAX, &err), LINLI_OK);
}

static void
bed_init(struct bed *bed, linli_str target, linli_str patch)
{
    parse(&bed->target, target);
    parse(&bed->patch, patch);
    ll_buf_init(&bed->out, &mem, OUT_BYTES_MAX);
}

static void
bed_fini(struct bed *bed)
{
    ll_json_fini(&bed->target);
    ll_json_fini(&bed->patch);
    ll_buf_fini(&bed->out);
    T_INT(mem.used_bytes, 0);
}

static void
merge(struct bed *bed)
{
    struct ll_jw w = ll_jw(&bed->out);
    ll_json_merge(&w, ll_json_root(&bed->target), ll_json_root(&bed->patch));
}

static const struct {
    const char *target, *patch, *result;
} rows[] = {
    /* RFC 7396, appendix A, all of it and in its order */
    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
        "{\"a\":{\"b\":\"d\"}}"},
    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
    {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"{\"a\":\"foo\"}", "null", "null"},
    {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    /* its section 3 */
    {"{\"title\":\"Goodbye!\",\"author\":{\"givenName\":\"John\","
     "\"familyName\":\"Doe\"},\"tags\":[\"example\",\"sample\"],"
     "\"content\":\"This will be unchanged\"}",
        "{\"title\":\"Hello!\",\"phoneNumber\":\"+01-123-456-7890\","
        "\"author\":{\"familyName\":null},\"tags\":[\"example\"]}",
        "{\"title\":\"Hello!\",\"author\":{\"givenName\":\"John\"},"
        "\"tags\":[\"example\"],\"content\":\"This will be unchanged\","
        "\"phoneNumber\":\"+01-123-456-7890\"}"},
    /* order: the target's, then the patch's */
    {"{\"c\":1,\"a\":2,\"b\":3}", "{\"z\":0,\"b\":4,\"y\":0,\"c\":5}",
        "{\"c\":5,\"a\":2,\"b\":4,\"z\":0,\"y\":0}"},
    {"{\"b\":1,\"a\":{\"d\":1,\"c\":2}}", "{\"a\":{\"e\":3,\"c\":4}}",
        "{\"b\":1,\"a\":{\"d\":1,\"c\":4,\"e\":3}}"},
    /* what a patch does not touch stays, nulls included; lists are whole */
    {"{\"a\":null,\"b\":[null,{\"c\":null}]}", "{}",
        "{\"a\":null,\"b\":[null,{\"c\":null}]}"},
    {"{\"a\":1}", "{\"b\":[null,{\"c\":null}]}",
        "{\"a\":1,\"b\":[null,{\"c\":null}]}"},
    {"{\"a\":null}", "{\"a\":{\"b\":null,\"c\":1}}", "{\"a\":{\"c\":1}}"},
    {"{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"a\":{\"b\":1}}"},
    {"{\"a\":1}", "{\"a\":{}}", "{\"a\":{}}"},
    {"{}", "{}", "{}"},
    {"3", "{}", "{}"},
    {"{\"a\":1}", "{\"b\":null}", "{\"a\":1}"},
    /* names by their meaning, not their spelling; the empty one is a name */
    {"{\"\\u0061\":1,\"\":2}", "{\"a\":null,\"\":3}", "{\"\":3}"},
    {"{\"a\":1,\"A\":2,\"aa\":3}", "{\"aa\":null}", "{\"a\":1,\"A\":2}"},
    {"{\"q\\\"\\n\":1}", "{\"q\\\"\\n\":9007199254740993}",
        "{\"q\\\"\\n\":9007199254740993}"},
};

T_CASE(examples)
{
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct bed bed;
        bed_init(&bed, ll_cstr(rows[i].target), ll_cstr(rows[i].patch));
        merge(&bed);
        T_OK(!bed.out.failed);
        T_STR(ll_buf_view(&bed.out), rows[i].result);
        bed_fini(&bed);
    }
}

T_CASE(a_target_that_is_not_there)
{
    struct bed bed;
    bed_init(&bed, LINLI_STR("0"), LINLI_STR("{\"a\":{\"b\":null},\"c\":1}"));
    struct ll_jw w = ll_jw(&bed.out);
    ll_json_merge(&w, (struct ll_jv){NULL, 0}, ll_json_root(&bed.patch));
    T_STR(ll_buf_view(&bed.out), "{\"a\":{},\"c\":1}");
    bed_fini(&bed);
}

/* -- against what the RFC says, word by word -- */

/* A document of a few names, so that target and patch meet. */
static void
put_random(struct ll_buf *out, uint64_t *seed, unsigned depth)
{
    static const char *const scalars[] = {
        "null", "null", "1", "\"x\"", "true", "[null]", "[{\"a\":null}]"};
    if (depth == 0 || dice_below(seed, 3) == 0) {
        ll_buf_cstr(out, scalars[dice_below(seed, LL_COUNT(scalars))]);
        return;
    }
    /* Some objects have more members than fit the merge's stack. */
    uint32_t every = dice_below(seed, 4) + 1;
    bool comma = false;
    ll_buf_char(out, '{');
    uint32_t turn = dice_below(seed, 26);
    for (uint32_t n = 0; n < 26; n++) {
        if (dice_below(seed, every * (4 - depth)) != 0)
            continue;
        ll_buf_printf(out, "%s\"%c\":", comma ? "," : "",
            (char)('a' + (n * 7 + turn) % 26));
        put_random(out, seed, depth - 1);
        comma = true;
    }
    ll_buf_char(out, '}');
}

/* The RFC's MergePatch for one member at a time, in one order: quadratic. */
static void
naive(struct ll_jw *w, struct ll_jv target, struct ll_jv patch)
{
    if (!ll_jv_is(patch, LL_JSON_OBJECT)) {
        ll_jw_value(w, patch);
        return;
    }
    if (!ll_jv_is(target, LL_JSON_OBJECT))
        target = (struct ll_jv){NULL, 0};
    ll_jw_open(w, '{');
    LL_JSON_MEMBERS (key, value, target) {
        struct ll_jv new = ll_jv_get_str(patch, ll_jv_str(key));
        if (ll_jv_is(new, LL_JSON_NULL))
            continue;
        ll_jw_key_str(w, ll_jv_str(key));
        if (ll_jv_there(new))
            naive(w, value, new);
        else
            ll_jw_value(w, value);
    }
    LL_JSON_MEMBERS (key, value, patch) {
        if (ll_jv_is(value, LL_JSON_NULL) ||
            ll_jv_there(ll_jv_get_str(target, ll_jv_str(key))))
            continue;
        ll_jw_key_str(w, ll_jv_str(key));
        naive(w, (struct ll_jv){NULL, 0}, value);
    }
    ll_jw_close(w, '}');
}

T_CASE(random_documents)
{
    uint64_t seed = 7396;
    struct ll_buf texts[2], want;
    ll_buf_init(&texts[0], &mem, OUT_BYTES_MAX);
    ll_buf_init(&texts[1], &mem, OUT_BYTES_MAX);
    ll_buf_init(&want, &mem, OUT_BYTES_MAX);
    int large = 0, wrong = 0;
    for (int round = 0; round < 3000; round++) {
        struct bed bed;
        for (int i = 0; i < 2; i++) {
            ll_buf_clear(&texts[i]);
            put_random(&texts[i], &seed, 3);
        }
        parse(&bed.target, ll_buf_view(&texts[0]));
        parse(&bed.patch, ll_buf_view(&texts[1]));
        ll_buf_init(&bed.out, &mem, OUT_BYTES_MAX);
        merge(&bed);
        ll_buf_clear(&want);
        struct ll_jw w = ll_jw(&want);
        naive(&w, ll_json_root(&bed.target), ll_json_root(&bed.patch));
        wrong += bed.out.failed || want.failed ||
                 !ll_str_eq(ll_buf_view(&bed.out), ll_buf_view(&want));
        large += ll_jv_count(ll_json_root(&bed.patch)) > 16;
        ll_json_fini(&bed.target);
        ll_json_fini(&bed.patch);
        ll_buf_fini(&bed.out);
    }
    T_INT(wrong, 0);
    T_OK(large > 100);
    ll_buf_fini(&texts[0]);
    ll_buf_fini(&texts[1]);
    ll_buf_fini(&want);
    T_INT(mem.used_bytes, 0);
}

/* -- bounds -- */

static void
put_deep(struct ll_buf *out, unsigned depth, const char *inner)
{
    for (unsigned i = 0; i < depth; i++)
        ll_buf_cstr(out, "{\"a\":");
    ll_buf_cstr(out, inner);
    for (unsigned i = 0; i < depth; i++)
        ll_buf_char(out, '}');
}

T_CASE(as_deep_as_a_tape)
{
    struct ll_buf target, patch, want;
    struct bed bed;
    ll_buf_init(&target, &mem, OUT_BYTES_MAX);
    ll_buf_init(&patch, &mem, OUT_BYTES_MAX);
    ll_buf_init(&want, &mem, OUT_BYTES_MAX);
    put_deep(&target, LL_JSON_DEPTH_MAX - 1, "{\"b\":1}");
    put_deep(&patch, LL_JSON_DEPTH_MAX - 1, "{\"c\":2}");
    put_deep(&want, LL_JSON_DEPTH_MAX - 1, "{\"b\":1,\"c\":2}");
    bed_init(&bed, ll_buf_view(&target), ll_buf_view(&patch));
    merge(&bed);
    T_OK(ll_str_eq(ll_buf_view(&bed.out), ll_buf_view(&want)));
    /* So the result is never deeper than what it came from. */
    struct ll_json again;
    parse(&again, ll_buf_view(&bed.out));
    ll_json_fini(&again);
    ll_buf_fini(&target);
    ll_buf_fini(&patch);
    ll_buf_fini(&want);
    bed_fini(&bed);
}

/* Two objects of many members with no name in common: one by one that would
 * be 1.6 thousand million comparisons. */
T_CASE(many_members)
{
    enum { MEMBERS = 40000 };
    struct ll_buf target, patch;
    struct bed bed;
    ll_buf_init(&target, &mem, OUT_BYTES_MAX);
    ll_buf_init(&patch, &mem, OUT_BYTES_MAX);
    for (int n = 0; n < MEMBERS; n++) {
        ll_buf_printf(&target, "%s\"t%d\":1", n == 0 ? "{" : ",", n);
        ll_buf_printf(&patch, "%s\"p%d\":2", n == 0 ? "{" : ",", n);
    }
    ll_buf_char(&target, '}');
    ll_buf_char(&patch, '}');
    bed_init(&bed, ll_buf_view(&target), ll_buf_view(&patch));
    merge(&bed);
    T_INT(bed.out.len, target.len + patch.len - 1);
    T_OK(memcmp(bed.out.ptr, target.ptr, target.len - 1) == 0);
    T_OK(memcmp(bed.out.ptr + target.len, patch.ptr + 1, patch.len - 1) == 0);
    ll_buf_fini(&target);
    ll_buf_fini(&patch);
    bed_fini(&bed);
}

T_CASE(allocations_that_fail)
{
    struct ll_buf patch;
    struct bed bed;
    bool reached_end = false;
    ll_buf_init(&patch, &mem, OUT_BYTES_MAX);
    for (int n = 0; n < 400; n++)
        ll_buf_printf(&patch, "%s\"p%d\":\"%d\"", n == 0 ? "{" : ",", n, n);
    ll_buf_cstr(&patch, ",\"in\":");
    put_deep(&patch, 2, "1");
    ll_buf_char(&patch, '}');
    bed_init(&bed, LINLI_STR("{\"p7\":1,\"in\":{\"a\":{\"b\":1}}}"),
        ll_buf_view(&patch));
    for (uint64_t nth = 1; nth < 50 && !reached_end; nth++) {
        ll_buf_fini(&bed.out);
        size_t before = mem.used_bytes;
        mem.fail_in = nth;
        merge(&bed);
        reached_end = mem.fail_in != 0;
        mem.fail_in = 0;
        T_OK(bed.out.failed != reached_end);
        T_INT(mem.used_bytes - bed.out.cap, before);
    }
    T_OK(reached_end);
    ll_buf_fini(&patch);
    bed_fini(&bed);
    /* A result that its buffer may not hold. */
    bed_init(&bed, LINLI_STR("{\"a\":1}"), LINLI_STR("{\"b\":2}"));
    bed.out.max_bytes = 12;
    merge(&bed);
    T_OK(bed.out.failed);
    bed_fini(&bed);
}

T_MAIN(T_RUN(examples) T_RUN(a_target_that_is_not_there) T_RUN(random_documents)
        T_RUN(as_deep_as_a_tape) T_RUN(many_members)
            T_RUN(allocations_that_fail))
