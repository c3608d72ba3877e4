/* tests/unit/test_json.c: the strict reader, the writer, the values. */
#include "t.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/text.h"

/* What is read is written again without space: one text says it all. */
static const struct {
    const char *text;
    size_t len;       /* 0: strlen */
    const char *out;  /* NULL: refused */
    const char *says; /* within the message, or the place */
} reads[] = {
    {"null", 0, "null", ""},
    {" \t\r\n true \n", 0, "true", ""},
    {"false", 0, "false", ""},
    {"\"\"", 0, "\"\"", ""},
    {"[]", 0, "[]", ""},
    {"{}", 0, "{}", ""},
    {"[ 1 , [ ] , { } , null ]", 0, "[1,[],{},null]", ""},
    {"{ \"b\" : 1 , \"a\" : { \"c\" : [ 2 ] } }", 0,
        "{\"b\":1,\"a\":{\"c\":[2]}}", ""},
    {"", 0, NULL, "no JSON"},
    {" ", 0, NULL, "too early"},
    {"nul", 0, NULL, "a word"},
    {"nulll", 0, NULL, "after"},
    {"True", 0, NULL, "not the start"},
    {"NaN", 0, NULL, "not the start"},
    {"Infinity", 0, NULL, "not the start"},
    {"1 2", 0, NULL, "after"},
    {"{} x", 0, NULL, "after"},
    {"[1]]", 0, NULL, "after"},
    {"\xef\xbb\xbf{}", 0, NULL, "byte order mark"},
    {"{}\0", 3, NULL, "after"},
    /* containers */
    {"[1,]", 0, NULL, "not the start"},
    {"[,1]", 0, NULL, "not the start"},
    {"[1 2]", 0, NULL, "a comma or ']'"},
    {"[1", 0, NULL, "a comma or ']'"},
    {"[", 0, NULL, "too early"},
    {"[1}", 0, NULL, "a comma or ']'"},
    {"{\"a\":1,}", 0, NULL, "a name in quotes"},
    {"{\"a\"}", 0, NULL, "a colon"},
    {"{\"a\" 1}", 0, NULL, "a colon"},
    {"{\"a\":}", 0, NULL, "not the start"},
    {"{\"a\":1 \"b\":2}", 0, NULL, "a comma or '}'"},
    {"{a:1}", 0, NULL, "a name in quotes"},
    {"{1:1}", 0, NULL, "a name in quotes"},
    {"{'a':1}", 0, NULL, "a name in quotes"},
    {"[1,/**/2]", 0, NULL, "not the start"},
    /* members that stand twice, spelled alike or not */
    {"{\"a\":1,\"a\":1}", 0, NULL, "the member \"a\" stands twice"},
    {"{\"a\":1,\"\\u0061\":2}", 0, NULL, "stands twice"},
    {"{\"\":1,\"\":2}", 0, NULL, "stands twice"},
    {"[{\"a\":{\"b\":1,\"b\":2}}]", 0, NULL, "\"b\" stands twice"},
    {"{\"a\":1,\"b\":{\"a\":2},\"A\":3}", 0,
        "{\"a\":1,\"b\":{\"a\":2},\"A\":3}", ""},
    {"{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,"
     "\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0,\"n\":0,\"o\":0,\"p\":0,"
     "\"q\":0,\"h\":0}",
        0, NULL, "\"h\" stands twice"},
    /* numbers */
    {"0", 0, "0", ""},
    {"-0", 0, "0", ""},
    {"-0.0", 0, "-0.0", ""},
    {"9223372036854775807", 0, "9223372036854775807", ""},
    {"-9223372036854775808", 0, "-9223372036854775808", ""},
    {"9223372036854775808", 0, NULL, "64 bits"},
    {"-9223372036854775809", 0, NULL, "64 bits"},
    {"100000000000000000000", 0, NULL, "64 bits"},
    {"1e0", 0, "1.0", ""},
    {"1E+2", 0, "100.0", ""},
    {"1e-2", 0, "0.01", ""},
    {"1.50", 0, "1.5", ""},
    {"0.1", 0, "0.1", ""},
    {"1e22", 0, "1e+22", ""},
    {"1.7976931348623157e308", 0, "1.7976931348623157e+308", ""},
    {"5e-324", 0, "4.94065645841247e-324", ""},
    {"1e-400", 0, "0.0", ""},
    {"1e309", 0, NULL, "out of range"},
    {"-1e309", 0, NULL, "out of range"},
    {"1e99999999999999999999", 0, NULL, "out of range"},
    {"9007199254740993.0", 0, "9007199254740992.0", ""},
    {"01", 0, NULL, "leading zero"},
    {"-01", 0, NULL, "leading zero"},
    {"00", 0, NULL, "leading zero"},
    {"-", 0, NULL, "needs digits"},
    {"+1", 0, NULL, "not the start"},
    {".5", 0, NULL, "not the start"},
    {"1.", 0, NULL, "after its point"},
    {"1.e1", 0, NULL, "after its point"},
    {"1e", 0, NULL, "in its exponent"},
    {"1e+", 0, NULL, "in its exponent"},
    {"1e1.5", 0, NULL, "after"},
    {"0x10", 0, NULL, "after"},
    {"1_000", 0, NULL, "after"},
    /* strings */
    {"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", 0, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\"", ""},
    {"\"\\u0000\\u001f\"", 0, "\"\\u0000\\u001f\"", ""},
    {"\"\\u00e9\\u4eac\"", 0, "\"\xc3\xa9\xe4\xba\xac\"", ""},
    {"\"\\ud83d\\uDE0e\"", 0, "\"\xf0\x9f\x98\x8e\"", ""},
    {"\"\\uFFFF\"", 0, "\"\xef\xbf\xbf\"", ""},
    {"\"\x7f\"", 0, "\"\x7f\"", ""},
    {"\"\\ud800\"", 0, NULL, "surrogate"},
    {"\"\\ud800x\"", 0, NULL, "surrogate"},
    {"\"\\ud800\\n\"", 0, NULL, "surrogate"},
    {"\"\\ud800\\ud800\"", 0, NULL, "surrogate"},
    {"\"\\ud800\\u0041\"", 0, NULL, "surrogate"},
    {"\"\\udc00\"", 0, NULL, "surrogate"},
    {"\"\\udc00\\ud800\"", 0, NULL, "surrogate"},
    {"\"\\u12\"", 0, NULL, "four hexadecimal"},
    {"\"\\u12g4\"", 0, NULL, "four hexadecimal"},
    {"\"\\x41\"", 0, NULL, "an escape"},
    {"\"\\'\"", 0, NULL, "an escape"},
    {"\"\\U0041\"", 0, NULL, "an escape"},
    {"\"\\", 0, NULL, "no end"},
    {"\"abc", 0, NULL, "no end"},
    {"\"a\\n", 0, NULL, "no end"},
    {"\"a\nb\"", 0, NULL, "control"},
    {"\"a\\t\nb\"", 0, NULL, "control"},
    {"\"a\0b\"", 5, NULL, "control"},
    {"\"a\\\0b\"", 6, NULL, "an escape"},
    {"'a'", 0, NULL, "not the start"},
    /* UTF-8: overlong, surrogate, too large, cut, stray */
    {"\"\xc0\x80\"", 0, NULL, "UTF-8"},
    {"\"\xe0\x80\x80\"", 0, NULL, "UTF-8"},
    {"\"\xed\xa0\x80\"", 0, NULL, "UTF-8"},
    {"\"\xf4\x90\x80\x80\"", 0, NULL, "UTF-8"},
    {"\"\xe4\xba\"", 0, NULL, "UTF-8"},
    {"\"\x80\"", 0, NULL, "UTF-8"},
    {"\"\xff\"", 0, NULL, "UTF-8"},
    {"\"\\n\xff\"", 0, NULL, "UTF-8"},
    {"\"\xff\\n\"", 0, NULL, "UTF-8"},
    {"{\"\xff\":1}", 0, NULL, "UTF-8"},
    /* the place */
    {"{\n  \"a\": 1,\n  \"b\": x\n}", 0, NULL, "line 3 column 8"},
    {"[1,\n\n2,\n x]", 0, NULL, "line 4 column 2"},
};

/* Writes the tape again; false if it does not fit. */
static bool
write_again(struct ll_buf *buf, const struct ll_json *json)
{
    ll_buf_clear(buf);
    struct ll_jw w = ll_jw(buf);
    ll_jw_value(&w, ll_json_root(json));
    return !buf->failed;
}

T_CASE(reads_strictly)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_buf buf;
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    ll_buf_init(&buf, &mem, 4096);
    for (size_t i = 0; i < LL_COUNT(reads); i++) {
        struct ll_err err = {0};
        size_t len = reads[i].len > 0 ? reads[i].len : strlen(reads[i].text);
        /* An exact copy: a sanitizer sees a read past the end. */
        char *text = malloc(len + 1);
        memcpy(text, reads[i].text, len);
        linli_status status = ll_json_parse(
            &json, (linli_str){text, len}, LL_JSON_DEPTH_MAX, &err);
        bool ok;
        if (reads[i].out == NULL)
            ok = status == LINLI_E_INVALID &&
                 strcmp(err.code, "request/json") == 0 &&
                 (strstr(err.msg, reads[i].says) != NULL ||
                     strcmp(err.where, reads[i].says) == 0);
        else
            ok = status == LINLI_OK && write_again(&buf, &json) &&
                 ll_str_is(ll_buf_view(&buf), reads[i].out);
        T_OK(ok);
        if (!ok)
            printf("# row %zu: %s: %d %s %s; %.*s\n", i, reads[i].text,
                (int)status, err.where, err.msg, LL_FMT(ll_buf_view(&buf)));
        free(text);
    }
    ll_buf_fini(&buf);
    ll_json_fini(&json);
    T_INT(mem.used_bytes, 0);
}

T_CASE(bounds_depth)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    char text[2 * LL_JSON_DEPTH_MAX + 3];
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    for (unsigned depth = 1; depth <= LL_JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        linli_str s = {text, 2 * depth};
        if (depth <= LL_JSON_DEPTH_MAX)
            T_INT(ll_json_parse(&json, s, depth, &err), LINLI_OK);
        if (depth > 1)
            T_INT(ll_json_parse(&json, s, depth - 1, &err), LINLI_E_INVALID);
    }
    T_OK(strstr(err.msg, "too deep") != NULL);
    T_INT(ll_json_parse(&json, LINLI_STR("{\"a\":[{}]}"), 2, &err),
        LINLI_E_INVALID);
    T_INT(ll_json_parse(&json, LINLI_STR("{\"a\":[{}]}"), 3, &err), LINLI_OK);
    ll_json_fini(&json);
}

T_CASE(bounds_digits)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    char text[402];
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    memset(text, '1', sizeof text);
    text[1] = '.';
    T_INT(ll_json_parse(&json, (linli_str){text, 320}, 1, &err), LINLI_OK);
    T_OK(ll_jv_number(ll_json_root(&json)) > 1.1);
    T_INT(
        ll_json_parse(&json, (linli_str){text, 321}, 1, &err), LINLI_E_INVALID);
    memset(text, '1', sizeof text);
    T_INT(
        ll_json_parse(&json, (linli_str){text, 400}, 1, &err), LINLI_E_INVALID);
    T_OK(strstr(err.msg, "64 bits") != NULL);
    ll_json_fini(&json);
}

T_CASE(looks_at_values)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    int64_t i = 7;
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    linli_str text = LINLI_STR(
        "{\"a\":[1,2.5,\"x\\n\",true],\"e\":\"\",\"o\":{\"k\":null}}");
    T_INT(ll_json_parse(&json, text, 8, &err), LINLI_OK);
    struct ll_jv root = ll_json_root(&json), a = ll_jv_get(root, "a");
    T_INT(ll_jv_count(root), 3);
    T_INT(ll_jv_count(a), 4);
    struct ll_jv item = ll_jv_first(a);
    T_OK(ll_jv_int(item, &i) && i == 1);
    item = ll_jv_after(item);
    i = 7;
    T_OK(!ll_jv_int(item, &i) && i == 7);
    T_OK(ll_jv_number(item) > 2.4 && ll_jv_number(item) < 2.6);
    item = ll_jv_after(item);
    T_STR(ll_jv_str(item), "x\n");
    T_OK(ll_jv_true(ll_jv_after(item)));
    T_STR(ll_jv_str(ll_jv_get(root, "e")), "");
    T_OK(ll_jv_str(ll_jv_get(root, "e")).ptr != NULL);
    T_OK(ll_jv_is(ll_jv_get(ll_jv_get(root, "o"), "k"), LL_JSON_NULL));
    /* What is not there, and what is of another type. */
    T_OK(!ll_jv_there(ll_jv_get(root, "A")));
    T_OK(!ll_jv_there(ll_jv_get(a, "a")));
    T_OK(!ll_jv_there(ll_jv_get(ll_jv_get(root, "x"), "y")));
    T_INT(ll_jv_count(ll_jv_get(root, "e")), 0);
    T_OK(ll_jv_str(a).ptr == NULL);
    T_OK(!(ll_jv_number(a) > 0));
    uint32_t n = 0;
    LL_JSON_EACH (each, ll_jv_get(root, "none")) {
        n++;
        T_OK(ll_jv_there(each));
    }
    T_INT(n, 0);
    char names[16] = "";
    LL_JSON_MEMBERS (key, value, root) {
        T_OK(ll_jv_there(value));
        (void)snprintf(names + strlen(names), sizeof names - strlen(names),
            "%.*s", LL_FMT(ll_jv_str(key)));
    }
    T_STR(ll_cstr(names), "aeo");
    ll_json_fini(&json);
    T_INT(mem.used_bytes, 0);
}

static const struct {
    const char *a, *b;
    bool equal;
} pairs[] = {
    {"1", "1", true},
    {"1", "1.0", true},
    {"1e2", "100", true},
    {"0", "-0.0", true},
    {"1", "1.5", false},
    {"1", "true", false},
    {"0", "false", false},
    {"0", "null", false},
    {"1", "\"1\"", false},
    {"9007199254740993", "9007199254740992.0", false},
    {"9223372036854775807", "9223372036854775808.0", false},
    {"-9223372036854775808", "-9223372036854775808.0", true},
    {"1e300", "9223372036854775807", false},
    {"\"a\"", "\"\\u0061\"", true},
    {"\"a\"", "\"b\"", false},
    {"\"\"", "\"\"", true},
    {"[]", "[]", true},
    {"[]", "{}", false},
    {"[1,2]", "[1,2]", true},
    {"[1,2]", "[2,1]", false},
    {"[1]", "[1,1]", false},
    {"{}", "{}", true},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
    {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"a\":1,\"b\":2}", true},
    {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
    {"{\"a\":[{\"x\":1.0}]}", "{\"a\":[{\"x\":1}]}", true},
};

T_CASE(compares_by_value)
{
    struct ll_mem mem;
    struct ll_json a, b;
    struct ll_err err;
    ll_mem_init(&mem, 0);
    ll_json_init(&a, &mem);
    ll_json_init(&b, &mem);
    for (size_t i = 0; i < LL_COUNT(pairs); i++) {
        T_INT(ll_json_parse(&a, ll_cstr(pairs[i].a), 8, &err), LINLI_OK);
        T_INT(ll_json_parse(&b, ll_cstr(pairs[i].b), 8, &err), LINLI_OK);
        struct ll_jv x = ll_json_root(&a), y = ll_json_root(&b);
        bool ok = ll_jv_equal(x, y) == pairs[i].equal &&
                  ll_jv_equal(y, x) == pairs[i].equal;
        T_OK(ok);
        if (!ok)
            printf("# %s and %s\n", pairs[i].a, pairs[i].b);
        uint64_t work = 100;
        T_INT(ll_jv_equal_within(x, y, &work), pairs[i].equal);
        uint64_t used = 100 - work;
        work = used;
        T_INT(ll_jv_equal_within(x, y, &work), pairs[i].equal);
        T_INT(work, 0);
        work = used - 1;
        T_OK(!ll_jv_equal_within(x, y, &work));
        T_INT(work, 0);
    }
    T_OK(!ll_jv_equal((struct ll_jv){NULL, 0}, (struct ll_jv){NULL, 0}));
    ll_json_fini(&a);
    ll_json_fini(&b);
}

T_CASE(points_at_values)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    char out[24];
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    linli_str text = LINLI_STR(
        "{\"a/b\":[10,{\"~\":0,\"\":[]}],\"\xe4\xba\xac\xe4\xba\xac\xe4\xba"
        "\xac\xe4\xba\xac\xe4\xba\xac\xe4\xba\xac\xe4\xba\xac\":1}");
    T_INT(ll_json_parse(&json, text, 8, &err), LINLI_OK);
    struct ll_jv root = ll_json_root(&json), a = ll_jv_get(root, "a/b");
    struct ll_jv second = ll_jv_after(ll_jv_first(a));
    const struct {
        struct ll_jv v;
        const char *pointer;
    } rows[] = {
        {root, ""},
        {a, "/a~1b"},
        {ll_jv_first(root), "/a~1b"}, /* the name of it */
        {ll_jv_first(a), "/a~1b/0"},
        {second, "/a~1b/1"},
        {ll_jv_get(second, "~"), "/a~1b/1/~0"},
        {ll_jv_get(second, ""), "/a~1b/1/"},
        {ll_jv_after(a), "/\xe4\xba\xac\xe4\xba\xac\xe4\xba\xac\xe4\xba\xac"
                         "\xe4\xba\xac\xe4\xba\xac..."},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        ll_jv_pointer(root, rows[i].v, out, sizeof out);
        T_STR(ll_cstr(out), rows[i].pointer);
    }
    ll_jv_pointer(a, ll_jv_get(second, "~"), out, sizeof out);
    T_STR(ll_cstr(out), "/1/~0");
    ll_jv_pointer(root, ll_jv_get(second, "~"), out, 8);
    T_STR(ll_cstr(out), "/a~1...");
    ll_json_fini(&json);
}

T_CASE(writes_values)
{
    struct ll_mem mem;
    struct ll_buf buf;
    ll_mem_init(&mem, 0);
    ll_buf_init(&buf, &mem, 4096);
    struct ll_jw w = ll_jw(&buf);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "a");
    ll_jw_open(&w, '[');
    ll_jw_int(&w, INT64_MIN);
    ll_jw_int(&w, INT64_MAX);
    ll_jw_int(&w, 0);
    ll_jw_double(&w, 1.0);
    ll_jw_double(&w, 0.1 + 0.2);
    ll_jw_double(&w, -1e-7);
    ll_jw_bool(&w, true);
    ll_jw_null(&w);
    ll_jw_close(&w, ']');
    ll_jw_key_str(&w, LINLI_STR("q\"\n"));
    ll_jw_str(&w, LINLI_STR("\xff\xe4\xba\xac\xe4\xba\x01\xed\xa0\x80"));
    ll_jw_key(&w, "r");
    ll_jw_raw(&w, LINLI_STR("{}"));
    ll_jw_key(&w, "n");
    ll_jw_value(&w, (struct ll_jv){NULL, 0});
    ll_jw_close(&w, '}');
    T_STR(ll_buf_view(&buf),
        "{\"a\":[-9223372036854775808,9223372036854775807,0,1.0,"
        "0.30000000000000004,-1e-07,true,null],\"q\\\"\\n\":"
        "\"\xef\xbf\xbd\xe4\xba\xac\xef\xbf\xbd\xef\xbf\xbd\\u0001"
        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"r\":{},\"n\":null}");
    ll_buf_fini(&buf);
    T_INT(mem.used_bytes, 0);
}

T_CASE(writes_doubles_that_read_back)
{
    static const double values[] = {0.0, -0.0, 1.0 / 3, 1e21, 1e22, 123456.789,
        5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
        9007199254740993.0, 4.35, 1e15, 1e16, 1e17};
    /* An embedder's locale must not change a byte. */
    bool comma = setlocale(LC_NUMERIC, "de_DE.UTF-8") != NULL;
    printf("# decimal comma: %s\n", comma ? "tried" : "no such locale here");
    for (size_t i = 0; i < LL_COUNT(values); i++) {
        char text[32];
        struct ll_mem mem;
        struct ll_json json;
        struct ll_err err;
        size_t len = ll_double_text(values[i], text);
        T_INT(strlen(text), len);
        ll_mem_init(&mem, 0);
        ll_json_init(&json, &mem);
        T_INT(ll_json_parse(&json, (linli_str){text, len}, 1, &err), LINLI_OK);
        T_OK(ll_jv_is(ll_json_root(&json), LL_JSON_DOUBLE));
        double back = ll_jv_number(ll_json_root(&json));
        T_INT(memcmp(&back, &values[i], sizeof back), 0);
        ll_json_fini(&json);
    }
    T_OK(setlocale(LC_NUMERIC, "C") != NULL);
}

T_CASE(reuses_one_tape)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    linli_str text = LINLI_STR("[\"\\n\",{\"a\":[1,2,3]}]");
    T_INT(ll_json_parse(&json, text, 8, &err), LINLI_OK);
    size_t used = mem.used_bytes;
    for (int i = 0; i < 1000; i++) {
        T_INT(ll_json_parse(&json, text, 8, &err), LINLI_OK);
        T_INT(ll_json_parse(&json, LINLI_STR("[\"\\n"), 8, &err),
            LINLI_E_INVALID);
    }
    T_INT(mem.used_bytes, used);
    ll_json_fini(&json);
    T_INT(mem.used_bytes, 0);
}

T_CASE(survives_every_failed_allocation)
{
    struct ll_mem mem;
    struct ll_json json;
    struct ll_err err;
    struct ll_buf buf;
    struct ll_mem text_mem;
    struct ll_buf text;
    ll_mem_init(&text_mem, 0);
    ll_buf_init(&text, &text_mem, 4096);
    ll_buf_cstr(&text, "{\"s\":\"\\n\",\"a\":[0");
    for (int i = 0; i < 400; i++)
        ll_buf_cstr(&text, ",1");
    ll_buf_cstr(&text, "],\"o\":{\"a\":0");
    for (int i = 0; i < 30; i++)
        ll_buf_printf(&text, ",\"b%d\":0", i);
    ll_buf_cstr(&text, "}}");
    T_OK(!text.failed);
    linli_status status = LINLI_E_NOMEM;
    uint64_t n = 0;
    while (status != LINLI_OK && n < 100) {
        ll_mem_init(&mem, 0);
        mem.fail_in = ++n;
        ll_json_init(&json, &mem);
        status = ll_json_parse(&json, ll_buf_view(&text), 8, &err);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        if (status == LINLI_E_NOMEM)
            T_STR(ll_cstr(err.code), "runtime/memory");
        ll_json_fini(&json);
        T_INT(mem.used_bytes, 0);
    }
    T_OK(n > 4 && n < 100);
    /* A writer past its maximum says so once, at the end. */
    ll_mem_init(&mem, 0);
    ll_json_init(&json, &mem);
    T_INT(ll_json_parse(&json, ll_buf_view(&text), 8, &err), LINLI_OK);
    ll_buf_init(&buf, &mem, 100);
    T_OK(!write_again(&buf, &json));
    ll_buf_fini(&buf);
    ll_buf_fini(&text);
    ll_json_fini(&json);
    T_INT(mem.used_bytes, 0);
}

T_MAIN(T_RUN(reads_strictly) T_RUN(bounds_depth) T_RUN(bounds_digits)
        T_RUN(looks_at_values) T_RUN(compares_by_value) T_RUN(points_at_values)
            T_RUN(writes_values) T_RUN(writes_doubles_that_read_back)
                T_RUN(reuses_one_tape) T_RUN(survives_every_failed_allocation))
