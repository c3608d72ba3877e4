/* tests/unit/test_tuple.c: keys sort as their values and read back. */
#include "t.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/tuple.h"
#include "dice.h"

#define KEY_BYTES_MAX 65536

static struct ll_mem mem;

/* The key of the items of a JSON array; what cannot be one fails. */
static linli_status
key_of(struct ll_buf *key, const char *array)
{
    struct ll_json json;
    struct ll_err err;
    ll_json_init(&json, &mem);
    linli_status status =
        ll_json_parse(&json, ll_cstr(array), LL_JSON_DEPTH_MAX, &err);
    T_INT(status, LINLI_OK);
    LL_JSON_EACH (item, ll_json_root(&json)) {
        if (status == LINLI_OK)
            status = ll_tuple_json(key, item);
    }
    ll_json_fini(&json);
    return status;
}

/* All that a key holds, as one JSON array. */
static bool
read_all(linli_str key, struct ll_buf *out)
{
    struct ll_jw w = ll_jw(out);
    ll_jw_open(&w, '[');
    while (key.len > 0)
        if (!ll_tuple_read(&key, &w))
            return false;
    ll_jw_close(&w, ']');
    return !out->failed;
}

T_CASE(bytes_of_each_kind)
{
    static const struct {
        const char *array;
        const char *hex;
    } rows[] = {
        {"[]", ""},
        {"[null]", "01"},
        {"[false,true]", "0203"},
        {"[0]", "108000000000000000"},
        {"[1]", "108000000000000001"},
        {"[-1]", "107fffffffffffffff"},
        {"[-9223372036854775808]", "100000000000000000"},
        {"[9223372036854775807]", "10ffffffffffffffff"},
        {"[\"\"]", "2000"},
        {"[\"a\"]", "206100"},
        {"[\"\\u0000\"]", "2000ff00"},
        {"[\"a\\u0000\\u0000b\"]", "206100ff00ff6200"},
        {"[\"\xe7\x8e\x8b\"]", "20e78e8b00"},
        {"[\"a\",null,7]", "20610001108000000000000007"},
    };
    struct ll_buf key, back;
    ll_buf_init(&key, &mem, KEY_BYTES_MAX);
    ll_buf_init(&back, &mem, KEY_BYTES_MAX);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        char hex[256];
        ll_buf_clear(&key);
        ll_buf_clear(&back);
        T_INT(key_of(&key, rows[i].array), LINLI_OK);
        ll_hex((const unsigned char *)key.ptr, key.len, hex);
        T_STR(ll_cstr(hex), rows[i].hex);
        T_OK(read_all(ll_buf_view(&key), &back));
        T_STR(ll_buf_view(&back), rows[i].array);
    }
    ll_buf_fini(&key);
    ll_buf_fini(&back);
    T_INT(mem.used_bytes, 0);
}

T_CASE(what_no_key_holds)
{
    static const char *const arrays[] = {
        "[1.5]", "[1.0]", "[1e3]", "[[]]", "[{}]", "[-0.0]"};
    struct ll_buf key;
    ll_buf_init(&key, &mem, KEY_BYTES_MAX);
    for (size_t i = 0; i < LL_COUNT(arrays); i++) {
        T_INT(key_of(&key, arrays[i]), LINLI_E_INVALID);
        T_INT(key.len, 0);
    }
    /* A text is as long as its bytes: 256 go, 257 do not. */
    char text[LL_KEY_STR_BYTES_MAX + 6];
    for (size_t n = LL_KEY_STR_BYTES_MAX; n <= LL_KEY_STR_BYTES_MAX + 1; n++) {
        memset(text, 'x', sizeof text);
        memcpy(text, "[\"", 2);
        memcpy(text + 2 + n, "\"]", 3);
        ll_buf_clear(&key);
        bool fits = n <= LL_KEY_STR_BYTES_MAX;
        T_INT(key_of(&key, text), fits ? LINLI_OK : LINLI_E_INVALID);
        T_INT(key.len, fits ? n + 2 : 0);
    }
    /* What is not there counts as null. */
    ll_buf_clear(&key);
    T_INT(ll_tuple_json(&key, (struct ll_jv){NULL, 0}), LINLI_OK);
    T_STR(ll_buf_view(&key), "\x01");
    ll_buf_fini(&key);
}

T_CASE(bytes_that_are_no_tuple)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"", 0},
        {"\0", 1},
        {"\x04", 1},
        {"\x0f", 1},
        {"\x11", 1},
        {"\x21", 1},
        {"\xff", 1},
        {"\x10", 1},
        {"\x10\1\2\3\4\5\6\7", 8},
        {" ", 1},
        {" ab", 3},
        {" a\0\xff", 4},
        {" a\0\xff"
         "b",
            5},
    };
    struct ll_buf out;
    ll_buf_init(&out, &mem, KEY_BYTES_MAX);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        linli_str key = {rows[i].bytes, rows[i].len};
        struct ll_jw w = ll_jw(&out);
        T_OK(!ll_tuple_read(&key, &w));
        T_OK(key.ptr == rows[i].bytes && key.len == rows[i].len);
        T_INT(out.len, 0);
    }
    /* A string ends at a NUL that no 0xff follows, also before a NUL. */
    linli_str key = {" a\0\0", 4};
    struct ll_jw w = ll_jw(&out);
    T_OK(ll_tuple_read(&key, &w));
    T_STR(ll_buf_view(&out), "\"a\"");
    T_INT(key.len, 1);
    T_OK(!ll_tuple_read(&key, &w));
    ll_buf_fini(&out);
}

/* -- order -- */

#define PARTS_MAX 4
#define TUPLES 400

/* A value apart from any encoding, and how values compare. */
struct part {
    int kind; /* 0 null, 1 false, 2 true, 3 integer, 4 string */
    int64_t i;
    char text[4];
    size_t len;
};

struct tuple {
    struct part parts[PARTS_MAX];
    uint32_t count;
    struct ll_buf key;
};

static struct tuple tuples[TUPLES];

static struct part
random_part(uint64_t *seed)
{
    /* Few letters, so that prefixes and equals are common. */
    static const char letters[] = {0, 1, 'a', 0x20, (char)0xff, 0};
    struct part part = {.kind = (int)dice_below(seed, 9)};
    if (part.kind == 3 || part.kind == 5 || part.kind == 6) {
        part.kind = 3;
        part.i = dice_int(seed);
    } else if (part.kind >= 4) {
        part.kind = 4;
        part.len = dice_below(seed, sizeof part.text + 1);
        for (size_t n = 0; n < part.len; n++)
            part.text[n] = letters[dice_below(seed, sizeof letters)];
    }
    return part;
}

static int
compare_parts(const struct part *a, const struct part *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == 3)
        return a->i < b->i ? -1 : a->i > b->i;
    for (size_t n = 0; a->kind == 4 && n < a->len && n < b->len; n++) {
        unsigned char x = (unsigned char)a->text[n];
        unsigned char y = (unsigned char)b->text[n];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a->len < b->len ? -1 : a->len > b->len;
}

/* *begins: the values of `a` are the first of those of `b`. */
static int
compare(const struct tuple *a, const struct tuple *b, bool *begins)
{
    uint32_t n = 0;
    int order = 0;
    while (order == 0 && n < a->count && n < b->count) {
        order = compare_parts(&a->parts[n], &b->parts[n]);
        n++;
    }
    *begins = order == 0 && a->count <= b->count;
    if (order != 0)
        return order;
    return a->count < b->count ? -1 : a->count > b->count;
}

static void
write_key(struct tuple *t)
{
    ll_buf_init(&t->key, &mem, KEY_BYTES_MAX);
    for (uint32_t n = 0; n < t->count; n++) {
        const struct part *part = &t->parts[n];
        if (part->kind == 0)
            ll_tuple_null(&t->key);
        else if (part->kind < 3)
            ll_tuple_bool(&t->key, part->kind == 2);
        else if (part->kind == 3)
            ll_tuple_int(&t->key, part->i);
        else
            ll_tuple_str(&t->key, (linli_str){part->text, part->len});
    }
    T_OK(!t->key.failed);
}

static int
sign(int order)
{
    return order < 0 ? -1 : order > 0;
}

T_CASE(keys_sort_as_their_values)
{
    uint64_t seed = 20260302;
    int equal = 0, begun = 0, wrong = 0;
    for (uint32_t i = 0; i < TUPLES; i++) {
        tuples[i].count = dice_below(&seed, PARTS_MAX + 1);
        for (uint32_t n = 0; n < tuples[i].count; n++)
            tuples[i].parts[n] = random_part(&seed);
        write_key(&tuples[i]);
    }
    for (uint32_t i = 0; i < TUPLES; i++) {
        struct ll_buf end;
        ll_buf_init(&end, &mem, KEY_BYTES_MAX);
        ll_buf_str(&end, ll_buf_view(&tuples[i].key));
        T_OK(ll_tuple_next(&end));
        for (uint32_t k = 0; k < TUPLES; k++) {
            linli_str a = ll_buf_view(&tuples[i].key);
            linli_str b = ll_buf_view(&tuples[k].key);
            bool begins = false;
            int order = compare(&tuples[i], &tuples[k], &begins);
            /* The order, and the range of what begins with these values. */
            bool within =
                ll_str_cmp(a, b) <= 0 && ll_str_cmp(b, ll_buf_view(&end)) < 0;
            wrong += sign(ll_str_cmp(a, b)) != order || within != begins;
            equal += order == 0 && i != k;
            begun += begins && i != k;
        }
        ll_buf_fini(&end);
    }
    T_INT(wrong, 0);
    T_OK(equal > 100);
    T_OK(begun > 1000);
    for (uint32_t i = 0; i < TUPLES; i++)
        ll_buf_fini(&tuples[i].key);
    T_INT(mem.used_bytes, 0);
}

T_CASE(a_range_holds_no_longer_text)
{
    static const struct {
        const char *array;
        bool within;
    } rows[] = {
        {"[\"a\"]", true},
        {"[\"a\",null]", true},
        {"[\"a\",\"\"]", true},
        {"[\"a\",9223372036854775807]", true},
        {"[\"a\\u0000\"]", false},
        {"[\"a\\u0000b\"]", false},
        {"[\"ab\"]", false},
        {"[\"\"]", false},
        {"[1]", false},
    };
    struct ll_buf from, to, key;
    ll_buf_init(&from, &mem, KEY_BYTES_MAX);
    ll_buf_init(&to, &mem, KEY_BYTES_MAX);
    ll_buf_init(&key, &mem, KEY_BYTES_MAX);
    T_INT(key_of(&from, "[\"a\"]"), LINLI_OK);
    ll_buf_str(&to, ll_buf_view(&from));
    T_OK(ll_tuple_next(&to));
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        ll_buf_clear(&key);
        T_INT(key_of(&key, rows[i].array), LINLI_OK);
        T_INT(ll_str_cmp(ll_buf_view(&from), ll_buf_view(&key)) <= 0 &&
                  ll_str_cmp(ll_buf_view(&key), ll_buf_view(&to)) < 0,
            rows[i].within);
    }
    /* All keys lie in the range of no values. */
    ll_buf_clear(&to);
    T_OK(ll_tuple_next(&to));
    T_OK(ll_str_cmp(ll_buf_view(&key), ll_buf_view(&to)) < 0);
    ll_buf_fini(&from);
    ll_buf_fini(&to);
    ll_buf_fini(&key);
}

/* What is read, encoded again, is the same key, if its texts are UTF-8. */
T_CASE(random_keys_read_back)
{
    uint64_t seed = 7;
    struct ll_buf json, again;
    ll_buf_init(&json, &mem, KEY_BYTES_MAX);
    ll_buf_init(&again, &mem, KEY_BYTES_MAX);
    for (int round = 0; round < 2000; round++) {
        struct tuple t = {.count = dice_below(&seed, PARTS_MAX + 1)};
        for (uint32_t n = 0; n < t.count; n++) {
            t.parts[n] = random_part(&seed);
            for (size_t k = 0; k < t.parts[n].len; k++)
                t.parts[n].text[k] &= 0x7f;
        }
        write_key(&t);
        ll_buf_clear(&json);
        ll_buf_clear(&again);
        T_OK(read_all(ll_buf_view(&t.key), &json));
        ll_buf_char(&json, '\0');
        T_INT(key_of(&again, json.ptr), LINLI_OK);
        T_OK(ll_str_eq(ll_buf_view(&again), ll_buf_view(&t.key)));
        ll_buf_fini(&t.key);
    }
    ll_buf_fini(&json);
    ll_buf_fini(&again);
}

T_CASE(allocations_that_fail)
{
    char nuls[200] = {0};
    bool reached_end = false;
    for (uint64_t nth = 1; nth < 10 && !reached_end; nth++) {
        struct ll_buf key, out;
        ll_buf_init(&key, &mem, KEY_BYTES_MAX);
        ll_buf_init(&out, &mem, KEY_BYTES_MAX);
        mem.fail_in = nth;
        ll_tuple_int(&key, 1);
        ll_tuple_str(&key, (linli_str){nuls, sizeof nuls});
        bool next = ll_tuple_next(&key);
        T_OK(next == !key.failed);
        linli_str rest = {key.ptr, key.failed ? 0 : key.len - 1};
        struct ll_jw w = ll_jw(&out);
        while (rest.len > 0)
            T_OK(ll_tuple_read(&rest, &w));
        reached_end = mem.fail_in != 0;
        T_OK(reached_end != (key.failed || out.failed));
        mem.fail_in = 0;
        ll_buf_fini(&key);
        ll_buf_fini(&out);
        T_INT(mem.used_bytes, 0);
    }
    T_OK(reached_end);
}

T_MAIN(T_RUN(bytes_of_each_kind) T_RUN(what_no_key_holds)
        T_RUN(bytes_that_are_no_tuple) T_RUN(keys_sort_as_their_values)
            T_RUN(a_range_holds_no_longer_text) T_RUN(random_keys_read_back)
                T_RUN(allocations_that_fail))
