/* tests/unit/test_manifest_egress.c: where a plugin may send requests to. */
#include "manifest_rows.h"

#define INVALID "manifest/invalid"

static const struct row rows[] = {
    {",'egress':[]", "", "", ""},
    {",'egress':['https://map.example.com','http://10.0.0.5:8080',"
     "'http://[fd00::5]']",
        "", "", ""},
    {",'egress':'https://a.b'", INVALID, "/egress", "array"},
    {",'egress':[1]", INVALID, "/egress/0", "string"},
    {",'egress':['a.b']", INVALID, "/egress/0", ""},
    {",'egress':['ftp://a.b']", INVALID, "/egress/0", ""},
    {",'egress':['https://a.b/']", INVALID, "/egress/0", ""},
    {",'egress':['https://a.b/x']", INVALID, "/egress/0", ""},
    {",'egress':['https://a.b?x']", INVALID, "/egress/0", ""},
    {",'egress':['https://u@a.b']", INVALID, "/egress/0", ""},
    {",'egress':['https://*.a.b']", INVALID, "/egress/0", "https://map"},
    {",'egress':['https://a.b:0']", INVALID, "/egress/0", "port"},
    {",'egress':['https://a.b:']", INVALID, "/egress/0", "port"},
    {",'egress':['https://a.b.']", INVALID, "/egress/0", "'.'"},
    {",'egress':['http://2130706433']", INVALID, "/egress/0", "decimal"},
    {",'egress':['http://0x7f.1']", INVALID, "/egress/0", "decimal"},
    {",'egress':['https://a.b','https://a.b']", INVALID, "/egress/1", "twice"},
    {",'egress':['https://a.b','https://A.B:443']", INVALID, "/egress/1",
        "/egress/0"},
};

T_CASE(hosts_are_checked)
{
    check_rows(rows, LL_COUNT(rows));
}

T_CASE(how_many_is_bounded)
{
    for (int over = 0; over <= 1; over++) {
        char text[ROW_TEXT_BYTES];
        struct ll_mem mem;
        struct ll_manifest *m;
        struct ll_err err;
        int n = snprintf(text, sizeof text, HEAD ",\"egress\":[");
        for (int i = 0; i < LL_EGRESS_HOSTS_MAX + over; i++)
            n += snprintf(text + n, sizeof text - (size_t)n,
                "%s\"https://h%d.test\"", i == 0 ? "" : ",", i);
        (void)snprintf(text + n, sizeof text - (size_t)n, "]}");
        T_INT(
            read_text(&mem, text, &m, &err), over ? LINLI_E_INVALID : LINLI_OK);
        ll_manifest_free(&m);
        T_INT(mem.used_bytes, 0);
    }
}

T_CASE(what_is_declared_is_matched_whole)
{
    static const struct {
        const char *url;
        bool declared;
    } urls[] = {
        {"https://a.b/x?y", true},
        {"https://A.B:443/", true},
        {"http://a.b/", false},
        {"https://a.b:8443/", false},
        {"https://x.a.b/", false},
        {"https://a.b.x/", false},
        {"https://b/", false},
        {"http://10.0.0.5:8080/z", true},
        {"http://10.0.0.5/", false},
        {"http://10.0.0.50:8080/", false},
        {"http://[fd00:0:0::5]/", true},
    };
    char text[ROW_TEXT_BYTES];
    struct ll_mem mem;
    struct ll_manifest *m;
    struct ll_err err;
    struct ll_arena arena;
    row_text(",'egress':['https://a.b','http://10.0.0.5:8080',"
             "'http://[fd00::5]']",
        text);
    T_INT(read_text(&mem, text, &m, &err), LINLI_OK);
    ll_arena_init(&arena, &mem, 65536);
    for (size_t i = 0; i < LL_COUNT(urls); i++) {
        struct ll_url url;
        const char *why;
        T_OK(ll_url_read(ll_cstr(urls[i].url), &arena, &url, &why));
        T_INT(ll_manifest_egress(m, &url), urls[i].declared);
    }
    ll_arena_fini(&arena);
    ll_manifest_free(&m);
}

T_MAIN(T_RUN(hosts_are_checked) T_RUN(how_many_is_bounded)
        T_RUN(what_is_declared_is_matched_whole))
