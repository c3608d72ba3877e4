/* tests/unit/test_locale.c: Accept-Language and traceparent. */
#include "base/text.h"
#include "host/locale.h"
#include "host/trace.h"
#include "t.h"

T_CASE(picks_a_language)
{
    static const struct {
        const char *header;
        enum ll_locale want;
    } table[] = {
        {"", LL_LOCALE_EN},
        {"zh", LL_LOCALE_ZH},
        {"zh-CN", LL_LOCALE_ZH},
        {"ZH-hant-TW", LL_LOCALE_ZH},
        {"zh-CN,zh;q=0.9,en;q=0.8", LL_LOCALE_ZH},
        {"en,zh", LL_LOCALE_EN},
        {"en-GB, zh", LL_LOCALE_EN},
        {"zh, en", LL_LOCALE_ZH},
        {"en;q=0.8, zh;q=0.9", LL_LOCALE_ZH},
        {"en;q=0.9, zh;q=0.8", LL_LOCALE_EN},
        {"fr, zh;q=0.1", LL_LOCALE_ZH},
        {"fr, de", LL_LOCALE_EN},
        {"zho", LL_LOCALE_EN},
        {"z", LL_LOCALE_EN},
        {"*", LL_LOCALE_EN},
        {"*, zh;q=0.5", LL_LOCALE_EN},
        {"en;q=0.5, *", LL_LOCALE_ZH},
        {"en;q=0, *", LL_LOCALE_ZH},
        {"zh;q=0", LL_LOCALE_EN},
        {"zh;q=0, en;q=0", LL_LOCALE_EN},
        {"zh;q=0.000", LL_LOCALE_EN},
        {"en;q=0, zh;q=0.001", LL_LOCALE_ZH},
        {"zh;q=0.1, zh-CN;q=0.9, en;q=0.5", LL_LOCALE_ZH},
        {"zh-CN;q=0.9, zh;q=0.1, en;q=0.5", LL_LOCALE_ZH},
        {"zh ; q=1.000 , en", LL_LOCALE_ZH},
        {"zh;Q=1", LL_LOCALE_ZH},
        /* Parts that cannot be read are skipped. */
        {"zh;q=2", LL_LOCALE_EN},
        {"zh;q=1.001", LL_LOCALE_EN},
        {"zh;q=0.1234", LL_LOCALE_EN},
        {"zh;q=", LL_LOCALE_EN},
        {"zh;q=a", LL_LOCALE_EN},
        {"zh;q=0x1", LL_LOCALE_EN},
        {"zh;level=1", LL_LOCALE_EN},
        {",,;,zh", LL_LOCALE_ZH},
        {";;;", LL_LOCALE_EN},
    };
    for (size_t i = 0; i < LL_COUNT(table); i++) {
        T_INT(ll_locale_pick(ll_cstr(table[i].header)), table[i].want);
        if (ll_locale_pick(ll_cstr(table[i].header)) != table[i].want)
            printf("#   header \"%s\"\n", table[i].header);
    }
    T_INT(ll_locale_pick((linli_str){NULL, 0}), LL_LOCALE_EN);
    T_STR(ll_cstr(ll_locale_tag(LL_LOCALE_ZH)), "zh-CN");
    T_STR(ll_cstr(ll_locale_tag(LL_LOCALE_EN)), "en");
}

T_CASE(looks_at_32_ranges)
{
    char many[128];
    int n = 0;
    for (int i = 0; i < 32; i++)
        n += snprintf(many + n, sizeof many - (size_t)n, "fr,");
    (void)snprintf(many + n, sizeof many - (size_t)n, "zh");
    T_INT(ll_locale_pick(ll_cstr(many + 3)), LL_LOCALE_ZH);
    T_INT(ll_locale_pick(ll_cstr(many)), LL_LOCALE_EN);
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define ZERO8 "00000000"

static const struct ll_trace_seed seed = {0x1122334455667788u, 0x99u, 0xabcu};

T_CASE(keeps_a_valid_trace)
{
    static const struct {
        const char *header;
        bool sampled;
    } good[] = {
        {"00-" TRACE "-" SPAN "-01", true},
        {"00-" TRACE "-" SPAN "-00", false},
        {"00-" TRACE "-" SPAN "-ff", true},
        {"00-" TRACE "-" SPAN "-0a", false},
        {"01-" TRACE "-" SPAN "-01", true},
        {"cc-" TRACE "-" SPAN "-01-what-the-future", true},
    };
    for (size_t i = 0; i < LL_COUNT(good); i++) {
        struct ll_trace t;
        char header[LL_TRACEPARENT_BYTES];
        T_OK(ll_trace_make(ll_cstr(good[i].header), seed, &t));
        T_STR(ll_cstr(t.trace_id), TRACE);
        T_STR(ll_cstr(t.parent_id), "0000000000000abc");
        T_INT(t.sampled, good[i].sampled);
        ll_trace_header(&t, header);
        T_STR(ll_cstr(header), good[i].sampled
                                   ? "00-" TRACE "-0000000000000abc-01"
                                   : "00-" TRACE "-0000000000000abc-00");
    }
}

T_CASE(starts_a_trace_where_none_is_valid)
{
    static const char *const bad[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-01-",
        "00-" TRACE "-" SPAN "-01-x",
        "01-" TRACE "-" SPAN "-01x",
        "ff-" TRACE "-" SPAN "-01",
        "0g-" TRACE "-" SPAN "-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
        "00-" TRACE "-" SPAN "-0G",
        "00-" ZERO8 ZERO8 ZERO8 ZERO8 "-" SPAN "-01",
        "00-" TRACE "-" ZERO8 ZERO8 "-01",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        " 00-" TRACE "-" SPAN "-01",
    };
    for (size_t i = 0; i < LL_COUNT(bad); i++) {
        struct ll_trace t;
        T_OK(!ll_trace_make(ll_cstr(bad[i]), seed, &t));
        T_STR(ll_cstr(t.trace_id), "11223344556677880000000000000099");
        T_STR(ll_cstr(t.parent_id), "0000000000000abc");
        T_OK(!t.sampled);
    }
    /* An all-zero id is invalid, even from a generator. */
    struct ll_trace t;
    T_OK(!ll_trace_make(
        (linli_str){NULL, 0}, (struct ll_trace_seed){0, 0, 0}, &t));
    T_STR(ll_cstr(t.trace_id), "00000000000000000000000000000001");
    T_STR(ll_cstr(t.parent_id), "0000000000000001");
}

/* clang-format off */
T_MAIN(
    T_RUN(picks_a_language)
    T_RUN(looks_at_32_ranges)
    T_RUN(keeps_a_valid_trace)
    T_RUN(starts_a_trace_where_none_is_valid))
