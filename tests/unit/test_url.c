/* tests/unit/test_url.c: which URLs are read, and as what. */
#include "domain/url.h"

#include "base/limits.h"
#include "base/text.h"
#include "t.h"

static struct ll_mem mem;
static struct ll_arena arena;

static void
begin(void)
{
    ll_mem_init(&mem, 0);
    ll_arena_init(&arena, &mem, 1 << 20);
}

static void
end(void)
{
    ll_arena_fini(&arena);
    T_INT(mem.used_bytes, 0);
}

/* A URL as it is written out again; "" and the reason if it was refused. */
static linli_str
written(const char *text)
{
    struct ll_url url;
    const char *why;
    ll_arena_reset(&arena);
    if (!ll_url_read(ll_cstr(text), &arena, &url, &why)) {
        T_OK(why != NULL && url.host.ptr == NULL);
        return LINLI_STR("");
    }
    return ll_url_text(&url, &arena);
}

T_CASE(urls_are_written_anew)
{
    static const char *const rows[][2] = {
        {"http://good.test", "http://good.test/"},
        {"HTTPS://Map.Example.COM:443/a", "https://map.example.com/a"},
        {"http://a.b:80?x=1", "http://a.b/?x=1"},
        {"http://a.b:8080/x?y=1#z", "http://a.b:8080/x?y=1"},
        {"https://a.b:80/", "https://a.b:80/"},
        {"http://a_b.c-d.e1/", "http://a_b.c-d.e1/"},
        {"http://a.b/\xe4\xb8\xad?q=\xe6\x96\x87 x",
            "http://a.b/%E4%B8%AD?q=%E6%96%87%20x"},
        {"http://a.b/\\evil.test/", "http://a.b/%5Cevil.test/"},
        {"http://a.b/@evil.test/", "http://a.b/@evil.test/"},
        {"http://a.b?@evil.test", "http://a.b/?@evil.test"},
        {"http://1.2.3.4/", "http://1.2.3.4/"},
        {"http://[2001:DB8::0:1]:81/", "http://[2001:db8::1]:81/"},
        {"http://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]/"},
        {"http://localhost/", "http://localhost/"},
        {"http://xn--fiq228c.test/", "http://xn--fiq228c.test/"},
    };
    begin();
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        T_STR(written(rows[i][0]), rows[i][1]);
    end();
}

T_CASE(what_could_be_read_in_two_ways_is_refused)
{
    static const char *const texts[] = {"", "good.test", "//good.test/",
        "ftp://good.test/", "file:///etc/passwd", "gopher://a.b/", "http:/a.b/",
        "http:a.b", "http://", "http:///x", "http://?x",
        "http://user@good.test/", "http://user:pw@good.test/",
        "http://good.test@127.0.0.1/", "http://good.test\\@evil.test/",
        "http://good.test\\.evil.test/", "http://good.test%2eevil.test/",
        "http://good.test%00.evil.test/", "http://good test/",
        "http://good.test:/", "http://good.test:0/", "http://good.test:65536/",
        "http://good.test:+80/", "http://good.test:-80/",
        "http://good.test:80:80/", "http://good.test:8x/", "http://good.test./",
        "http://.good.test/", "http://good..test/", "http://-good.test/",
        "http://good-.test/", "http://good-/", "http://\xe4\xb8\xad.test/",
        "http://[::1/", "http://[::1]x/", "http://[::1%25lo]/",
        "http://[fe80::1%eth0]/", "http://[1.2.3.4]/", "http://[]/",
        "http://::1/", "http://a.b/\n", "http://a.b/\r\nX: y", "http://a.b/\t",
        "http://a.b/\x7f", " http://a.b/", "http://a.b\n/"};
    begin();
    for (size_t i = 0; i < LL_COUNT(texts); i++)
        T_STR(written(texts[i]), "");
    end();
}

/* curl, browsers and libc's resolver all take these for addresses. */
T_CASE(other_spellings_of_ipv4_are_refused)
{
    static const char *const texts[] = {"http://2130706433/", "http://127.1/",
        "http://127.0.1/", "http://0177.0.0.1/", "http://0x7f.0.0.1/",
        "http://0x7f000001/", "http://0X7F.1/", "http://017700000001/",
        "http://127.0.0.01/", "http://127.0.0.256/", "http://0/",
        "http://127.0.0.1.5/", "http://4294967297/", "http://good.test.0x1/",
        "http://1.2.3.4x/", "http://0x/", "http://127.0.0.0x1/"};
    begin();
    for (size_t i = 0; i < LL_COUNT(texts); i++)
        T_STR(written(texts[i]), "");
    end();
}

T_CASE(lengths_are_bounded)
{
    char text[2 * LL_EGRESS_URL_BYTES_MAX];
    struct ll_url url;
    const char *why;
    begin();
    memset(text, 'a', sizeof text);
    memcpy(text, "http://", 7);
    T_OK(!ll_url_read((linli_str){text, 7 + 64}, &arena, &url, &why));
    T_OK(ll_url_read((linli_str){text, 7 + 63}, &arena, &url, &why));
    for (size_t i = 7 + 63; i < sizeof text; i += 64)
        text[i] = '.';
    T_OK(ll_url_read((linli_str){text, 7 + 253}, &arena, &url, &why));
    T_OK(!ll_url_read((linli_str){text, 7 + 254}, &arena, &url, &why));
    memset(text, 'a', sizeof text);
    memcpy(text, "http://a.b/", 11);
    T_OK(ll_url_read(
        (linli_str){text, LL_EGRESS_URL_BYTES_MAX}, &arena, &url, &why));
    T_OK(!ll_url_read(
        (linli_str){text, LL_EGRESS_URL_BYTES_MAX + 1}, &arena, &url, &why));
    memset(text + 11, ' ', LL_EGRESS_URL_BYTES_MAX - 11);
    T_OK(!ll_url_read(
        (linli_str){text, LL_EGRESS_URL_BYTES_MAX}, &arena, &url, &why));
    end();
}

static linli_str
followed(const char *base, const char *location)
{
    struct ll_url from, to;
    const char *why;
    ll_arena_reset(&arena);
    T_OK(ll_url_read(ll_cstr(base), &arena, &from, &why));
    if (!ll_url_follow(&from, ll_cstr(location), &arena, &to, &why))
        return LINLI_STR("");
    return ll_url_text(&to, &arena);
}

T_CASE(locations_are_followed)
{
    static const char base[] = "https://a.b:8443/x/y?q=1";
    static const char *const rows[][2] = {
        {"http://c.d/e", "http://c.d/e"},
        {"//c.d/e", "https://c.d/e"},
        {"/e?f", "https://a.b:8443/e?f"},
        {"e", "https://a.b:8443/x/e"},
        {"../e", "https://a.b:8443/x/../e"},
        {"?f", "https://a.b:8443/x/y?f"},
        {"#z", "https://a.b:8443/x/y?q=1"},
        {"/\\c.d/", "https://a.b:8443/%5Cc.d/"},
        {"\\\\c.d/", "https://a.b:8443/x/%5C%5Cc.d/"},
        {"", ""},
        {"javascript:alert(1)", ""},
        {"file:///etc/passwd", ""},
        {"//user@c.d/", ""},
        {"http:c.d", ""},
        {"/a\r\nb", ""},
        {"//2130706433/", ""},
    };
    begin();
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        T_STR(followed(base, rows[i][0]), rows[i][1]);
    end();
}

T_CASE(origins_are_compared)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"http://a.b", "http://A.B:80/x", true},
        {"http://a.b", "https://a.b", false},
        {"http://a.b:443", "https://a.b", false},
        {"http://a.b", "http://a.b:81", false},
        {"http://a.b", "http://x.a.b", false},
        {"http://[::1]", "http://[0:0::1]/", true},
    };
    struct ll_url a, b;
    const char *why;
    begin();
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        T_OK(ll_url_read(ll_cstr(rows[i].a), &arena, &a, &why));
        T_OK(ll_url_read(ll_cstr(rows[i].b), &arena, &b, &why));
        T_INT(ll_url_same_origin(&a, &b), rows[i].same);
    }
    T_STR(ll_url_origin(&a, &arena), "http://[::1]");
    end();
}

/* Without memory it says so, at whichever allocation. */
T_CASE(memory_may_be_missing)
{
    for (uint64_t n = 1;; n++) {
        struct ll_url base, url;
        const char *why = NULL;
        begin();
        mem.fail_in = n;
        bool ok =
            ll_url_read(LINLI_STR("http://a.b/c"), &arena, &base, &why) &&
            ll_url_follow(&base, LINLI_STR("//c.d/e"), &arena, &url, &why);
        bool failed = mem.fail_in == 0;
        if (!ok)
            T_STR(ll_cstr(why), "no memory");
        T_OK(ok || failed);
        end();
        if (ok && !failed)
            break;
    }
}

T_MAIN(T_RUN(urls_are_written_anew)
        T_RUN(what_could_be_read_in_two_ways_is_refused)
            T_RUN(other_spellings_of_ipv4_are_refused)
                T_RUN(lengths_are_bounded) T_RUN(locations_are_followed)
                    T_RUN(origins_are_compared) T_RUN(memory_may_be_missing))
