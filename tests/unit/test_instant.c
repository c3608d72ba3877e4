/* tests/unit/test_instant.c: instants and durations as people write them. */
#include "t.h"

#include "base/instant.h"
#include "base/text.h"

#define DAY INT64_C(86400000)

T_CASE(reads_instants)
{
    static const struct {
        const char *text;
        bool good;
        int64_t ms;
    } rows[] = {
        {"0", true, 0},
        {"-1", true, -1},
        {"1772413200123", true, 1772413200123},
        {"253402300799999", true, LL_INSTANT_MS_MAX},
        {"253402300800000", false, 0},
        {"-62167219200000", true, LL_INSTANT_MS_MIN},
        {"-62167219200001", false, 0},
        {"99999999999999999999", false, 0},
        {"1970-01-01T00:00:00Z", true, 0},
        {"1969-12-31T23:59:59.999Z", true, -1},
        {"2026-03-02T09:00:00+08:00", true, 1772413200000},
        {"2026-03-02t01:00:00.123z", true, 1772413200123},
        {"2026-03-01T17:00:00.1-08:00", true, 1772413200100},
        {"2026-03-02T01:00:00.1239999Z", true, 1772413200123},
        {"2000-02-29T00:00:00Z", true, 951782400000},
        {"0000-01-01T00:00:00Z", true, LL_INSTANT_MS_MIN},
        {"9999-12-31T23:59:59.999Z", true, LL_INSTANT_MS_MAX},
        {"0000-01-01T00:00:00+00:01", false, 0},
        {"9999-12-31T23:59:59-00:01", false, 0},
        {"2026-02-29T00:00:00Z", false, 0},
        {"1900-02-29T00:00:00Z", false, 0},
        {"2026-13-01T00:00:00Z", false, 0},
        {"2026-00-01T00:00:00Z", false, 0},
        {"2026-04-31T00:00:00Z", false, 0},
        {"2026-03-02T24:00:00Z", false, 0},
        {"2026-03-02T00:60:00Z", false, 0},
        {"2026-03-02T23:59:60Z", false, 0},
        {"2026-03-02T00:00:00", false, 0},
        {"2026-03-02T00:00:00.Z", false, 0},
        {"2026-03-02T00:00:00+0800", false, 0},
        {"2026-03-02T00:00:00+24:00", false, 0},
        {"2026-03-02T00:00:00Zz", false, 0},
        {"2026-03-02 00:00:00Z", false, 0},
        {"2026-03-02", false, 0},
        {"2026-3-2T00:00:00Z", false, 0},
        {"-026-03-02T00:00:00Z", false, 0},
        {"now", false, 0},
        {"", false, 0},
        {" 1", false, 0},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        int64_t ms = 7;
        bool good = ll_instant_read(ll_cstr(rows[i].text), &ms);
        T_INT(good, rows[i].good);
        T_INT(ms, rows[i].good ? rows[i].ms : 7);
        if (good != rows[i].good)
            printf("#   %s\n", rows[i].text);
    }
    /* What we write we read, at every step of four centuries and more. */
    for (int64_t ms = LL_INSTANT_MS_MIN; ms < LL_INSTANT_MS_MAX;
         ms += 97 * DAY + 1234567) {
        char text[LL_RFC3339_BYTES];
        int64_t back = 0;
        ll_rfc3339(ms, text);
        if (!ll_instant_read(ll_cstr(text), &back) || back != ms)
            T_STR(ll_cstr(text), "read back as written");
    }
}

T_CASE(reads_durations)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {
        {"90s", 90000},
        {"15m", 900000},
        {"2h", 7200000},
        {"1d", DAY},
        {"250ms", 250},
        {"0s", 0},
        {"1d2h3m4s5ms", DAY + 7384005},
        {"1h30m", 5400000},
        {"366d", 366 * DAY},
        {"007s", 7000},
        {"253402300799999ms", LL_INSTANT_MS_MAX},
        {"253402300800000ms", -1},
        {"2932896d", 2932896 * DAY},
        {"2932897d", -1},
        {"99999999999999999999d", -1},
        {"30m1h", -1},
        {"1h1h", -1},
        {"90", -1},
        {"s", -1},
        {"-1s", -1},
        {"+1s", -1},
        {"1.5h", -1},
        {"1 h", -1},
        {"1w", -1},
        {"1S", -1},
        {"1h30", -1},
        {"", -1},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        int64_t ms = 7;
        bool good = ll_duration_read(ll_cstr(rows[i].text), &ms);
        T_INT(good, rows[i].ms >= 0);
        T_INT(ms, rows[i].ms >= 0 ? rows[i].ms : 7);
        if (good != (rows[i].ms >= 0))
            printf("#   %s\n", rows[i].text);
    }
}

T_MAIN(T_RUN(reads_instants) T_RUN(reads_durations))
