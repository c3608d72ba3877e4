/* tests/unit/test_text.c: strings, UTF-8, encodings, dates. */
#include "t.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"

T_CASE(orders_and_compares)
{
    T_OK(ll_str_cmp(LINLI_STR("a"), LINLI_STR("b")) < 0);
    T_OK(ll_str_cmp(LINLI_STR("b"), LINLI_STR("a")) > 0);
    T_INT(ll_str_cmp(LINLI_STR("a"), LINLI_STR("a")), 0);
    T_OK(ll_str_cmp(LINLI_STR("a"), LINLI_STR("aa")) < 0);
    T_OK(ll_str_cmp(LINLI_STR(""), LINLI_STR("a")) < 0);
    T_OK(ll_str_cmp(LINLI_STR("\xff"), LINLI_STR("a")) > 0);
    T_INT(ll_str_cmp((linli_str){NULL, 0}, LINLI_STR("")), 0);
    T_OK(ll_str_eq((linli_str){NULL, 0}, LINLI_STR("")));
    T_OK(!ll_str_eq(LINLI_STR("a"), LINLI_STR("A")));
    T_OK(!ll_str_is(LINLI_STR("a\0b"), "a"));
    T_OK(ll_str_starts(LINLI_STR("abc"), "ab"));
    T_OK(ll_str_starts(LINLI_STR("abc"), ""));
    T_OK(!ll_str_starts(LINLI_STR("a"), "ab"));
    T_OK(ll_str_eq_nocase(LINLI_STR("Content-LENGTH"), "content-length"));
    T_OK(!ll_str_eq_nocase(LINLI_STR("content"), "content-length"));
    T_OK(!ll_str_eq_nocase(LINLI_STR("content-length"), "content"));
    T_OK(ll_str_eq_nocase(LINLI_STR(""), ""));
    /* Only letters: '@' and '`' differ by the same bit. */
    T_OK(!ll_str_eq_nocase(LINLI_STR("@"), "`"));
    T_OK(!ll_str_eq_nocase(LINLI_STR("\xc9"), "\xe9"));
}

T_CASE(splits)
{
    static const struct {
        const char *text, *parts; /* each in brackets */
    } rows[] = {{"a/b", "(a)(b)"}, {"", "()"}, {"/", "()()"},
        {"a//b/", "(a)()(b)()"}, {"abc", "(abc)"}};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        linli_str rest = ll_cstr(rows[i].text), part;
        char out[64] = "";
        while (ll_str_split(&rest, '/', &part))
            (void)snprintf(out + strlen(out), sizeof out - strlen(out),
                "(%.*s)", LL_FMT(part));
        T_STR(ll_cstr(out), rows[i].parts);
    }
    linli_str none = {NULL, 0}, part;
    T_OK(!ll_str_split(&none, '/', &part));
}

T_CASE(reads_integers)
{
    static const struct {
        const char *text;
        int64_t min, max, value;
        bool ok;
    } rows[] = {
        {"0", 0, 9, 0, true},
        {"-0", 0, 9, 0, true},
        {"007", 0, 9, 7, true},
        {"10", 0, 9, 0, false},
        {"-1", 0, 9, 0, false},
        {"-5", -9, -1, -5, true},
        {"", 0, 9, 0, false},
        {"-", INT64_MIN, 9, 0, false},
        {"+1", 0, 9, 0, false},
        {" 1", 0, 9, 0, false},
        {"1 ", 0, 9, 0, false},
        {"1a", 0, 9, 0, false},
        {"--1", INT64_MIN, 9, 0, false},
        {"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, true},
        {"9223372036854775808", INT64_MIN, INT64_MAX, 0, false},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, true},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, 0, false},
        {"99999999999999999999999", INT64_MIN, INT64_MAX, 0, false},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        int64_t got = 0;
        bool ok =
            ll_str_int(ll_cstr(rows[i].text), rows[i].min, rows[i].max, &got);
        T_INT(ok, rows[i].ok);
        if (rows[i].ok)
            T_INT(got, rows[i].value);
    }
}

static bool
valid(const char *bytes, size_t n)
{
    /* At every offset in a word, and with ASCII before and after it. */
    bool all = true, any = false;
    for (size_t pad = 0; pad <= 9; pad++) {
        char text[40];
        memset(text, 'a', sizeof text);
        memcpy(text + pad, bytes, n);
        bool ok = ll_utf8_valid((linli_str){text, pad + n}) &&
                  ll_utf8_valid((linli_str){text, sizeof text});
        all &= ok;
        any |= ok;
    }
    T_INT(all, any);
    return all;
}

T_CASE(knows_utf8)
{
    T_OK(ll_utf8_valid((linli_str){NULL, 0}));
    T_OK(valid("\xc2\x80", 2) && valid("\xdf\xbf", 2));
    T_OK(valid("\xe0\xa0\x80", 3) && valid("\xef\xbf\xbf", 3));
    T_OK(valid("\xed\x9f\xbf", 3) && valid("\xee\x80\x80", 3));
    T_OK(valid("\xf0\x90\x80\x80", 4) && valid("\xf4\x8f\xbf\xbf", 4));
    T_OK(valid("\0", 1));
    T_OK(!valid("\x80", 1) && !valid("\xbf", 1));
    T_OK(!valid("\xc0\x80", 2) && !valid("\xc1\xbf", 2));
    T_OK(!valid("\xe0\x9f\xbf", 3) && !valid("\xed\xa0\x80", 3));
    T_OK(!valid("\xed\xbf\xbf", 3) && !valid("\xf0\x8f\xbf\xbf", 4));
    T_OK(!valid("\xf4\x90\x80\x80", 4) && !valid("\xf5\x80\x80\x80", 4));
    T_OK(!valid("\xff", 1) && !valid("\xfe", 1));
    T_OK(!valid("\xc2", 1) && !valid("\xe4\xba", 2));
    T_OK(!valid("\xf0\x9f\x98", 3) && !valid("\xc2\xc2\x80", 3));
    T_INT(ll_utf8_count(LINLI_STR("a\xc3\xa9\xe4\xba\xac\xf0\x9f\x98\x8e")), 4);
    T_INT(ll_utf8_count(LINLI_STR("")), 0);
}

T_CASE(writes_every_code_point)
{
    uint32_t wrong = 0, count = 0;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        char out[4];
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        size_t n = ll_utf8_put(out, cp);
        wrong += !ll_utf8_valid((linli_str){out, n}) ||
                 ll_utf8_count((linli_str){out, n}) != 1 ||
                 n != (cp < 0x80         ? 1u
                          : cp < 0x800   ? 2u
                          : cp < 0x10000 ? 3u
                                         : 4u);
        count++;
    }
    T_INT(wrong, 0);
    T_INT(count, 0x110000 - 0x800);
}

T_CASE(decodes_percent)
{
    static const struct {
        const char *text, *out; /* NULL: refused */
    } rows[] = {{"abc", "abc"}, {"a%20b", "a b"}, {"%41%4a%4A", "AJJ"},
        {"a+b", "a+b"}, {"%25%34%31", "%41"}, {"", ""}, {"%", NULL},
        {"%4", NULL}, {"a%4", NULL}, {"%4g", NULL}, {"%g4", NULL},
        {"%-1", NULL}, {"% 1", NULL}};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        char out[32];
        size_t n = 0;
        bool ok = ll_percent_decode(ll_cstr(rows[i].text), out, &n);
        T_INT(ok, rows[i].out != NULL);
        if (ok && rows[i].out != NULL)
            T_STR(((linli_str){out, n}), rows[i].out);
        /* In place, and no byte past the end is looked at. */
        size_t len = strlen(rows[i].text);
        char *own = malloc(len + 1);
        memcpy(own, rows[i].text, len);
        T_INT(ll_percent_decode((linli_str){own, len}, own, &n), ok);
        if (ok && rows[i].out != NULL)
            T_STR(((linli_str){own, n}), rows[i].out);
        free(own);
    }
}

T_CASE(writes_times)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1709251199999, "2024-02-29T23:59:59.999Z"},
        {1709251200000, "2024-03-01T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {1772413200123, "2026-03-02T01:00:00.123Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        char out[LL_RFC3339_BYTES];
        ll_rfc3339(rows[i].ms, out);
        T_STR(ll_cstr(out), rows[i].text);
    }
}

T_CASE(writes_hex)
{
    const unsigned char bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char out[9];
    ll_hex(bytes, sizeof bytes, out);
    T_STR(ll_cstr(out), "000fa5ff");
    ll_hex(bytes, 0, out);
    T_STR(ll_cstr(out), "");
}

T_CASE(codes_base64url)
{
    static const struct {
        const char *text, *bytes; /* NULL: refused */
        size_t len;
    } rows[] = {{"", "", 0}, {"Zg", "f", 1}, {"Zm8", "fo", 2},
        {"Zm9v", "foo", 3}, {"Zm9vYg", "foob", 4}, {"-_8", "\xfb\xff", 2},
        {"AAAA", "\0\0\0", 3}, {"Z", NULL, 0}, {"Zg==", NULL, 0},
        {"Zh", NULL, 0}, {"Zm9", NULL, 0}, {"Zm9vY", NULL, 0}, {"+/8", NULL, 0},
        {"Zg\n", NULL, 0}, {"Z g", NULL, 0}, {"\xc3\xa9", NULL, 0}};
    struct ll_mem mem;
    struct ll_buf buf;
    ll_mem_init(&mem, 0);
    ll_buf_init(&buf, &mem, 64);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        unsigned char out[8];
        size_t n = 0;
        bool ok =
            ll_base64url_decode(ll_cstr(rows[i].text), out, sizeof out, &n);
        T_INT(ok, rows[i].bytes != NULL);
        if (!ok || rows[i].bytes == NULL)
            continue;
        T_INT(n, rows[i].len);
        T_OK(memcmp(out, rows[i].bytes, n) == 0);
        ll_buf_clear(&buf);
        ll_base64url_put(&buf, rows[i].bytes, rows[i].len);
        T_STR(ll_buf_view(&buf), rows[i].text);
        if (n > 0)
            T_OK(!ll_base64url_decode(ll_cstr(rows[i].text), out, n - 1, &n));
    }
    ll_buf_fini(&buf);
}

/* Every byte value in every place: never past the first that is not
 * printable, and within eight of it. */
T_CASE(passes_printable_bytes)
{
    char bytes[27];
    for (unsigned value = 0; value < 256; value++)
        for (size_t at = 0; at < sizeof bytes; at++) {
            memset(bytes, 'a' + (char)(at % 20), sizeof bytes);
            bytes[at] = (char)value;
            bool printable = value >= 0x20 && value < 0x7f;
            size_t first = printable ? sizeof bytes : at;
            size_t run = ll_printable_run(bytes, sizeof bytes);
            if (run > first || first - run >= 8)
                T_INT(run, first);
        }
    T_INT(ll_printable_run(bytes, 0), 0);
    T_INT(ll_printable_run("12345678", 8), 8);
}

T_CASE(judges_entity_tags)
{
    static const char *const good[] = {"7", "!", "~", "W/7", "a-b_c=="};
    static const char *const bad[] = {
        "", "\"", "\\", "a b", "a\r\nb", "\x7f", "\xe4\xbd\xa0"};
    char longest[LL_ETAG_BYTES_MAX + 1];
    memset(longest, 'x', sizeof longest);
    for (size_t i = 0; i < LL_COUNT(good); i++)
        T_OK(ll_etag_valid(ll_cstr(good[i])));
    for (size_t i = 0; i < LL_COUNT(bad); i++)
        T_OK(!ll_etag_valid(ll_cstr(bad[i])));
    T_OK(!ll_etag_valid((linli_str){"a\0b", 3}));
    T_OK(ll_etag_valid((linli_str){longest, LL_ETAG_BYTES_MAX}));
    T_OK(!ll_etag_valid((linli_str){longest, LL_ETAG_BYTES_MAX + 1}));
}

T_MAIN(T_RUN(judges_entity_tags) T_RUN(passes_printable_bytes) T_RUN(
    orders_and_compares) T_RUN(splits) T_RUN(reads_integers) T_RUN(knows_utf8)
        T_RUN(writes_every_code_point) T_RUN(decodes_percent)
            T_RUN(writes_times) T_RUN(writes_hex) T_RUN(codes_base64url))
