/* tests/unit/test_diff.c: unified diffs, and JSON of many lines. */
#include "base/diff.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "t.h"

static struct ll_mem mem;
static struct ll_buf out;

static void
open_buf(void)
{
    ll_mem_init(&mem, 0);
    ll_buf_init(&out, &mem, (size_t)64 << 20);
}

static void
close_buf(void)
{
    ll_buf_fini(&out);
    T_INT(mem.used_bytes, 0);
}

T_CASE(tells_lines_apart)
{
    static const struct {
        const char *before, *after, *diff;
    } rows[] = {
        {"", "", ""},
        {"a\nb\n", "a\nb\n", ""},
        {"a", "a\n", ""}, /* lines, not line feeds */
        {"", "a\n", "@@ -0,0 +1,1 @@\n+a\n"},
        {"a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
        {"a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
        {"a\nc\n", "a\nb\nc\n", "@@ -1,2 +1,3 @@\n a\n+b\n c\n"},
        /* Three lines around; what is far apart stands apart. */
        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
        {"a\n1\n2\n3\n4\n5\n6\n7\nb\n", "x\n1\n2\n3\n4\n5\n6\n7\ny\n",
            "@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n"
            "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+y\n"},
        {"a\n1\n2\n3\n4\n5\n6\nb\n", "x\n1\n2\n3\n4\n5\n6\ny\n",
            "@@ -1,8 +1,8 @@\n-a\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+y\n"},
        /* The shortest: c and d stay. */
        {"a\nb\nc\nd\n", "c\nd\ne\n", "@@ -1,4 +1,3 @@\n-a\n-b\n c\n d\n+e\n"},
    };
    open_buf();
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        ll_buf_clear(&out);
        T_OK(
            ll_diff_put(&out, ll_cstr(rows[i].before), ll_cstr(rows[i].after)));
        T_STR(ll_buf_view(&out), rows[i].diff);
    }
    close_buf();
}

/* What a reader who applies it gets is the other text. */
static void
apply(linli_str before, linli_str diff, struct ll_buf *made)
{
    linli_str line, old;
    size_t at = 1; /* the next line of `before` */
    while (ll_str_split(&diff, '\n', &line)) {
        if (line.len == 0)
            continue;
        if (line.ptr[0] == '@') {
            size_t from = strtoul(line.ptr + 4, NULL, 10);
            const char *comma = memchr(line.ptr, ',', line.len);
            size_t count = strtoul(comma + 1, NULL, 10);
            for (; at < from + (count == 0); at++) {
                (void)ll_str_split(&before, '\n', &old);
                ll_buf_str(made, old);
                ll_buf_char(made, '\n');
            }
            continue;
        }
        if (line.ptr[0] != '+') {
            (void)ll_str_split(&before, '\n', &old);
            at++;
        }
        if (line.ptr[0] != '-') {
            ll_buf_add(made, line.ptr + 1, line.len - 1);
            ll_buf_char(made, '\n');
        }
    }
    while (ll_str_split(&before, '\n', &old) && before.ptr != NULL) {
        ll_buf_str(made, old);
        ll_buf_char(made, '\n');
    }
}

static uint32_t
next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

T_CASE(makes_one_of_the_other)
{
    struct ll_buf a, b, made;
    uint32_t state = 7;
    open_buf();
    ll_buf_init(&a, &mem, 65536);
    ll_buf_init(&b, &mem, 65536);
    ll_buf_init(&made, &mem, 65536);
    for (int round = 0; round < 300; round++) {
        ll_buf_clear(&a);
        ll_buf_clear(&b);
        ll_buf_clear(&made);
        ll_buf_clear(&out);
        for (uint32_t n = next_random(&state) % 40; n > 0; n--) {
            uint32_t line = next_random(&state) % 6;
            if (next_random(&state) % 4 > 0)
                ll_buf_printf(&a, "%u\n", line);
            if (next_random(&state) % 4 > 0)
                ll_buf_printf(&b, "%u\n", line);
        }
        T_OK(ll_diff_put(&out, ll_buf_view(&a), ll_buf_view(&b)));
        apply(ll_buf_view(&a), ll_buf_view(&out), &made);
        T_OK(ll_str_eq(ll_buf_view(&made), ll_buf_view(&b)));
    }
    ll_buf_fini(&a);
    ll_buf_fini(&b);
    ll_buf_fini(&made);
    close_buf();
}

/* Past the table's bound all of the one stands before all of the other. */
T_CASE(is_bounded)
{
    struct ll_buf a, b;
    open_buf();
    ll_buf_init(&a, &mem, (size_t)1 << 20);
    ll_buf_init(&b, &mem, (size_t)1 << 20);
    T_OK((uint64_t)5000 * 5000 > LL_DIFF_CELLS_MAX);
    for (int i = 0; i < 5000; i++) {
        ll_buf_printf(&a, "%d\n", i);
        ll_buf_printf(&b, "%d\n", i + 1);
    }
    ll_buf_str(&a, LINLI_STR("x\n"));
    T_OK(ll_diff_put(&out, ll_buf_view(&a), ll_buf_view(&b)));
    T_OK(ll_str_starts(
        ll_buf_view(&out), "@@ -1,5001 +1,5000 @@\n-0\n-1\n-2\n"));
    ll_buf_fini(&a);
    ll_buf_fini(&b);
    close_buf();
}

T_CASE(survives_want_of_memory)
{
    open_buf();
    for (uint64_t n = 1; n <= 5; n++) {
        ll_buf_clear(&out);
        mem.fail_in = n;
        bool ok = ll_diff_put(&out, LINLI_STR("a\nb\n"), LINLI_STR("c\nd\n"));
        T_INT(ok, mem.fail_in != 0);
        mem.fail_in = 0;
    }
    close_buf();
}

T_CASE(writes_json_of_many_lines)
{
    static const struct {
        const char *json, *pretty;
    } rows[] = {
        {"null", "null"},
        {"{}", "{}"},
        {"[]", "[]"},
        {"[1,\"a\\n\"]", "[\n  1,\n  \"a\\n\"\n]"},
        {"{\"b\":1,\"a\":{\"c\":[[],{}]}}",
            "{\n  \"b\": 1,\n  \"a\": {\n    \"c\": [\n      [],\n      {}\n"
            "    ]\n  }\n}"},
        {"[{\"a\":true},2.5]", "[\n  {\n    \"a\": true\n  },\n  2.5\n]"},
    };
    struct ll_json json;
    open_buf();
    ll_json_init(&json, &mem);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        ll_buf_clear(&out);
        T_INT(ll_json_parse(
                  &json, ll_cstr(rows[i].json), LL_JSON_DEPTH_MAX, NULL),
            LINLI_OK);
        ll_json_pretty(&out, ll_json_root(&json));
        T_STR(ll_buf_view(&out), rows[i].pretty);
    }
    ll_json_fini(&json);
    close_buf();
}

T_MAIN(T_RUN(tells_lines_apart) T_RUN(makes_one_of_the_other) T_RUN(is_bounded)
        T_RUN(survives_want_of_memory) T_RUN(writes_json_of_many_lines))
