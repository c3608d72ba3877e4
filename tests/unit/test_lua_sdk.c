/* tests/unit/test_lua_sdk.c: linli.time and linli.money. */
#include "lua_fake.h"

/* Shanghai has one offset since 1991; New York 2026 has two changes; a zone
 * whose clocks go forward at midnight (as Beirut's did), one whose go back
 * at midnight (Havana's to 23:00 would be), one east of the date line. */
static const struct ll_zone_change zones[][4] = {
    {{INT64_MIN, 8 * 3600}},
    {{INT64_MIN, -5 * 3600}, {1772953200000, -4 * 3600},
        {1793512800000, -5 * 3600}},
    {{INT64_MIN, 2 * 3600}, {1774735200000, 3 * 3600}},
    {{INT64_MIN, 3 * 3600}, {1792875600000, 2 * 3600}},
};
static const uint32_t zone_sizes[] = {1, 3, 2, 2};
enum { SHANGHAI, NEW_YORK, GAP_AT_MIDNIGHT, BACK_AT_MIDNIGHT };

static const struct {
    int zone;
    const char *code, *want;
} times[] = {
    /* parse: strict RFC 3339 */
    {0, "t.parse('2026-03-02T09:00:00+08:00')", "1772413200000"},
    {0, "t.parse('2026-03-02T01:00:00Z')", "1772413200000"},
    {0, "t.parse('2026-03-02t01:00:00z')", "1772413200000"},
    {0, "t.parse('1970-01-01T00:00:00Z')", "0"},
    {0, "t.parse('1969-12-31T23:59:59.999Z')", "-1"},
    {0, "t.parse('2024-02-29T00:00:00Z')", "1709164800000"},
    {0, "t.parse('2000-02-29T00:00:00Z')", "951782400000"},
    {0, "t.parse('2026-03-02T01:00:00.5Z')", "1772413200500"},
    {0, "t.parse('2026-03-02T01:00:00.1239999Z')", "1772413200123"},
    {0, "t.parse('2026-03-02T00:59:59-00:01')", "1772413259000"},
    {0, "t.parse('9999-12-30T00:00:00Z')", "253402128000000"},
    {0, "t.parse('0000-01-02T00:00:00Z')", "-62167132800000"},
    {0, "{t.parse('2025-02-29T00:00:00Z')}",
        "[null,\"the month has no such day\"]"},
    {0, "{t.parse('1900-02-29T00:00:00Z')}",
        "[null,\"the month has no such day\"]"},
    {0, "{t.parse('2026-13-01T00:00:00Z')}",
        "[null,\"the month is not 01 to 12\"]"},
    {0, "{t.parse('2026-04-31T00:00:00Z')}",
        "[null,\"the month has no such day\"]"},
    {0, "{t.parse('2026-03-02T24:00:00Z')}",
        "[null,\"the time of day is not 00:00:00 to 23:59:59\"]"},
    {0, "{t.parse('2026-03-02T23:59:60Z')}",
        "[null,\"the time of day is not 00:00:00 to 23:59:59\"]"},
    {0, "{t.parse('2026-03-02')}", "[null,\"no time of day like T09:00:00\"]"},
    {0, "{t.parse('2026-03-02 09:00:00Z')}",
        "[null,\"no time of day like T09:00:00\"]"},
    {0, "{t.parse('2026-03-02T09:00Z')}",
        "[null,\"no time of day like T09:00:00\"]"},
    {0, "{t.parse('2026-03-02T09:00:00')}",
        "[null,\"no offset like +08:00 or Z\"]"},
    {0, "{t.parse('2026-03-02T09:00:00+0800')}",
        "[null,\"no offset like +08:00 or Z\"]"},
    {0, "{t.parse('2026-03-02T09:00:00+24:00')}",
        "[null,\"the offset is not within 23:59\"]"},
    {0, "{t.parse('2026-03-02T09:00:00.Z')}",
        "[null,\"a fraction without digits\"]"},
    {0, "{t.parse('2026-03-02T09:00:00Z ')}",
        "[null,\"something stands after the offset\"]"},
    {0, "{t.parse('26-03-02T09:00:00Z')}",
        "[null,\"not a date like 2026-03-02\"]"},
    {0, "{t.parse('')}", "[null,\"not a date like 2026-03-02\"]"},
    {0, "{t.parse('0000-01-01T00:00:00Z')}",
        "[null,\"not within the years 0000 to 9999\"]"},
    {0, "{t.parse('2026-03-02T09:00:00Z\\0')}",
        "[null,\"something stands after the offset\"]"},
    /* format */
    {0, "t.format(1772413200000)", "\"2026-03-02T09:00:00+08:00\""},
    {0, "t.format(1772413200001)", "\"2026-03-02T09:00:00.001+08:00\""},
    {0, "t.format(1772413200000, 'utc')", "\"2026-03-02T01:00:00Z\""},
    {0, "t.format(-1, 'utc')", "\"1969-12-31T23:59:59.999Z\""},
    {0, "t.format(-62167132800000, 'utc')", "\"0000-01-02T00:00:00Z\""},
    {NEW_YORK, "t.format(1772953199999)", "\"2026-03-08T01:59:59.999-05:00\""},
    {NEW_YORK, "t.format(1772953200000)", "\"2026-03-08T03:00:00-04:00\""},
    {NEW_YORK, "t.format(1793512799999)", "\"2026-11-01T01:59:59.999-04:00\""},
    {NEW_YORK, "t.format(1793512800000)", "\"2026-11-01T01:00:00-05:00\""},
    {0, "(pcall(t.format, 1 << 60))", "false"},
    {0, "(pcall(t.format, 1.5))", "false"},
    {0, "(pcall(t.format, 0, 'mars'))", "false"},
    /* days */
    {0, "t.day(1772413200000)", "\"2026-03-02\""},
    {0, "t.day(1772380800000)", "\"2026-03-02\""},
    {0, "t.day(1772380799999)", "\"2026-03-01\""},
    {0, "t.start_of_day(1772413200000)", "1772380800000"},
    {0, "t.start_of_day(1772380800000)", "1772380800000"},
    {0, "t.next_midnight(1772413200000)", "1772467200000"},
    {0, "t.next_midnight(1772467199999)", "1772467200000"},
    {0, "t.next_midnight(1772467200000)", "1772553600000"},
    {0, "t.from_day('2026-03-02')", "1772380800000"},
    {0, "t.from_day('2024-02-29')", "1709136000000"},
    {0, "{t.from_day('2026-02-29')}", "[null,\"the month has no such day\"]"},
    {0, "{t.from_day('2026-03-02T')}",
        "[null,\"something stands after the date\"]"},
    /* New York: a day of 23 hours, one of 25 */
    {NEW_YORK,
        "(t.next_midnight(1772953200000) - "
        "t.start_of_day(1772953200000)) // linli.hour",
        "23"},
    {NEW_YORK,
        "(t.next_midnight(1793512800000) - "
        "t.start_of_day(1793512800000)) // linli.hour",
        "25"},
    {NEW_YORK, "t.format(t.start_of_day(1793512800000))",
        "\"2026-11-01T00:00:00-04:00\""},
    {NEW_YORK, "t.format(t.next_midnight(1793512800000))",
        "\"2026-11-02T00:00:00-05:00\""},
    /* 2026-03-29 00:00 does not exist: the day starts at 01:00 */
    {GAP_AT_MIDNIGHT, "t.format(t.from_day('2026-03-29'))",
        "\"2026-03-29T01:00:00+03:00\""},
    {GAP_AT_MIDNIGHT, "t.next_midnight(1774735199999)", "1774735200000"},
    {GAP_AT_MIDNIGHT, "t.start_of_day(1774735200000)", "1774735200000"},
    {GAP_AT_MIDNIGHT,
        "(t.next_midnight(1774735200000) - 1774735200000) "
        "// linli.hour",
        "23"},
    /* at 2026-10-25 00:00 clocks go back to 23:00 of the 24th */
    {BACK_AT_MIDNIGHT, "t.format(1792875600000)",
        "\"2026-10-24T23:00:00+02:00\""},
    {BACK_AT_MIDNIGHT, "t.format(t.start_of_day(1792875600000))",
        "\"2026-10-24T00:00:00+03:00\""},
    {BACK_AT_MIDNIGHT, "t.format(t.next_midnight(1792875600000))",
        "\"2026-10-25T00:00:00+02:00\""},
    /* fields */
    {0, "t.fields(1772413200007)",
        "{\"day\":2,\"hour\":9,\"millisecond\":7,\"minute\":0,\"month\":3,"
        "\"second\":0,\"weekday\":1,\"year\":2026}"},
    {0, "t.fields(0).weekday", "4"},
    {0, "t.fields(-86400000 * 4).weekday", "7"},
    {0, "{linli.second, linli.minute, linli.hour, linli.day}",
        "[1000,60000,3600000,86400000]"},
};

T_CASE(instants_and_days)
{
    for (size_t i = 0; i < LL_COUNT(times); i++) {
        char code[512];
        (void)snprintf(code, sizeof code,
            "local t = linli.time local r = %s "
            "if type(r) == 'table' and r[2] and r[1] == nil then "
            "r[1] = linli.null end return 200, r",
            times[i].code);
        struct fake *f = fake_handler(code);
        f->worker.config.zone_changes = zones[times[i].zone];
        f->worker.config.zone_change_count = zone_sizes[times[i].zone];
        fake_call(f, NULL);
        fake_check(f, times[i].code, times[i].want);
        fake_free(f);
    }
}

T_CASE(days_tile_the_time_line)
{
    /* Each instant lies in exactly the day whose bounds it is told, and
     * parse undoes format, over every change of every zone. */
    static const char code[] =
        "local t = linli.time local from = call.body "
        "for ms = from - 50 * linli.hour, from + 50 * linli.hour, "
        "10 * linli.minute do "
        "local a, b = t.start_of_day(ms), t.next_midnight(ms) "
        "assert(a <= ms and ms < b) "
        "assert(t.start_of_day(b) == b and t.start_of_day(b - 1) == a) "
        "assert(t.next_midnight(a) == b) "
        "assert(t.parse(t.format(ms)) == ms) "
        "assert(t.from_day(t.day(a)) == a) end return 200, 'tiled'";
    static const char *const around[] = {"1772953200000", "1793512800000",
        "1774735200000", "1792875600000", "0", "951782400000"};
    for (size_t zone = 0; zone < LL_COUNT(zones); zone++) {
        struct fake *f = fake_handler(code);
        f->worker.config.burst_ms = 5000;
        f->worker.config.zone_changes = zones[zone];
        f->worker.config.zone_change_count = zone_sizes[zone];
        for (size_t i = 0; i < LL_COUNT(around); i++) {
            fake_call(f, around[i]);
            fake_check(f, around[i], "\"tiled\"");
        }
        fake_free(f);
    }
}

T_CASE(every_day_of_four_centuries)
{
    struct fake *f = fake_handler(
        "local t = linli.time local y, m, d = 1896, 1, 1 "
        "local days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31} "
        "local ms = t.parse('1896-01-01T00:00:00Z') "
        "for i = 1, 146097 do "
        "local f = t.fields(ms) "
        "assert(f.year == y and f.month == m and f.day == d) "
        "local leap = y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0) "
        "d = d + 1 if d > days[m] + ((m == 2 and leap) and 1 or 0) then "
        "d, m = 1, m + 1 if m > 12 then m, y = 1, y + 1 end end "
        "ms = ms + linli.day end return 200, {y, m, d}");
    f->worker.config.burst_ms = 10000;
    f->worker.config.zone_change_count = 0; /* no zone: UTC */
    struct ll_call_in in = fake_in(f);
    in.cpu_ms = 0;
    fake_begin(f, &in, NULL);
    fake_check(f, "146097 days", "[2296,1,1]");
    fake_free(f);
}

static const struct fake_case money[] = {
    {"return 200, {m.mul_div(7, 1, 2, 'floor'), m.mul_div(7, 1, 2, 'ceil'), "
     "m.mul_div(7, 1, 2, 'half_up'), m.mul_div(7, 1, 2, 'half_even'), "
     "m.mul_div(5, 1, 2, 'half_even')}",
        "[3,4,4,4,2]"},
    {"return 200, {m.mul_div(-7, 1, 2, 'floor'), m.mul_div(-7, 1, 2, 'ceil'), "
     "m.mul_div(-7, 1, 2, 'half_up'), m.mul_div(7, -1, 2, 'half_even'), "
     "m.mul_div(7, 1, -2, 'floor')}",
        "[-4,-3,-4,-4,-4]"},
    {"return 200, {m.mul_div(8, 1, 4, 'floor'), m.mul_div(-8, 1, 4, 'floor'), "
     "m.mul_div(0, 5, 7, 'ceil'), m.mul_div(1, 1, 3, 'half_up'), "
     "m.mul_div(2, 1, 3, 'half_up')}",
        "[2,-2,0,0,1]"},
    {"return 200, m.mul_div(math.maxinteger, math.maxinteger, "
     "math.maxinteger, 'floor') == math.maxinteger",
        "true"},
    {"return 200, m.mul_div(math.mininteger, math.mininteger, "
     "math.mininteger, 'floor') == math.mininteger",
        "true"},
    {"return 200, m.mul_div(math.mininteger, 3, 4, 'floor')",
        "-6917529027641081856"},
    {"m.mul_div(math.maxinteger, 2, 1, 'floor')",
        "!plugin/error does not fit 64 bits"},
    {"m.mul_div(math.mininteger, -1, 1, 'floor')",
        "!plugin/error does not fit 64 bits"},
    {"m.mul_div(1, 1, 0, 'floor')", "!plugin/error division by zero"},
    {"m.mul_div(1, 1, 1)", "!plugin/error bad argument #4"},
    {"m.mul_div(1, 1, 1, 'up')", "!plugin/error invalid option 'up'"},
    {"m.mul_div(1.5, 1, 1, 'floor')", "!plugin/error no integer represent"},
    {"return 200, {m.bp(12345, 600), m.bp(12345, 600, 'half_up'), "
     "m.bp(-1, 1), m.bp(199, 10000)}",
        "[740,741,-1,199]"},
    {"return 200, {m.add(), m.add(1), m.add(1, 2, 3), m.sum{}, m.sum{5, -7}}",
        "[0,1,6,0,-2]"},
    {"m.add(math.maxinteger, 1)", "!plugin/error does not fit 64 bits"},
    {"m.sum{math.mininteger, -1}", "!plugin/error does not fit 64 bits"},
    {"m.add(1.5)", "!plugin/error"},
    {"return 200, {m.split(100, {1, 1, 1}), m.split(0, {1, 2}), "
     "m.split(10, {0, 1}), m.split(1, {1, 1, 1}), m.split(7, {3})}",
        "[[34,33,33],[0,0],[0,10],[1,0,0],[7]]"},
    {"return 200, {m.split(-100, {1, 1, 1}), m.split(100, {50, 30, 21})}",
        "[[-33,-33,-34],[49,30,21]]"},
    {"for total = -50, 50 do for a = 0, 6 do for b = 0, 6 do "
     "if a + b > 0 then local p = m.split(total, {a, b, 3, a}) "
     "assert(p[1] + p[2] + p[3] + p[4] == total) "
     "for i, w in ipairs{a, b, 3, a} do "
     "local x = p[i] * (a + b + 3 + a) - total * w "
     "assert(x < a + b + 3 + a and x > -(a + b + 3 + a)) end "
     "end end end end return 200, 'exact'",
        "\"exact\""},
    {"local p = m.split(math.maxinteger, {math.maxinteger // 2, "
     "math.maxinteger // 2}) return 200, p[1] + p[2] == math.maxinteger",
        "true"},
    {"m.split(1, {})", "!plugin/error must not all be 0"},
    {"m.split(1, {0})", "!plugin/error must not all be 0"},
    {"m.split(1, {-1, 2})", "!plugin/error weight 1 must be an integer"},
    {"m.split(1, {1.5})", "!plugin/error weight 1 must be an integer"},
    {"m.split(1.5, {1})", "!plugin/error the total must be an integer"},
    {"m.split(1, {math.maxinteger, 1})", "!plugin/error does not fit"},
};

T_CASE(money_is_exact)
{
    for (size_t i = 0; i < LL_COUNT(money); i++) {
        char code[1024];
        (void)snprintf(
            code, sizeof code, "local m = linli.money %s", money[i].code);
        struct fake *f = fake_handler(code);
        f->worker.config.burst_ms = 5000;
        fake_call(f, NULL);
        fake_check(f, money[i].code, money[i].want);
        fake_free(f);
    }
}

T_MAIN(T_RUN(instants_and_days) T_RUN(days_tile_the_time_line)
        T_RUN(every_day_of_four_centuries) T_RUN(money_is_exact))
