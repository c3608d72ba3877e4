/* worker/lua_time.c: the calendar and exact arithmetic for sdk/lua. [worker]
 *
 * Instants are integers, milliseconds since 1970; money is integers. The
 * community's zone is a list of changes that the host told us, so nothing
 * here reads a file or the environment.
 */
#include <string.h>

#include "worker/lua_lib.h"

#define SECOND_MS ((int64_t)1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
/* 0000-01-02 and 9999-12-30: a day inside four-digit years in every zone. */
#define TIME_MIN_MS (-62167132800000)
#define TIME_MAX_MS 253402214399999
#define OFFSET_MS_MAX DAY_MS

/* -- the zone -- */

static const struct ll_worker_config *
config_of(lua_State *L)
{
    return &ll_lua_state(L)->engine->worker->config;
}

/* The segment an instant lies in; 0 also where the zone has none. */
static uint32_t
segment_at(const struct ll_worker_config *zone, int64_t ms)
{
    uint32_t low = 0, high = zone->zone_change_count;
    while (low + 1 < high) {
        uint32_t middle = (low + high) / 2;
        if (zone->zone_changes[middle].from_ms <= ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int64_t
segment_offset(const struct ll_worker_config *zone, uint32_t segment)
{
    if (segment >= zone->zone_change_count)
        return 0;
    return zone->zone_changes[segment].offset_s * SECOND_MS;
}

static int64_t
offset_at(const struct ll_worker_config *zone, int64_t ms)
{
    return segment_offset(zone, segment_at(zone, ms));
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The first instant at which clocks show midnight of local day `day` or
 * later: with a gap at midnight that is the end of the gap, and where
 * midnight comes twice it is the first. */
static int64_t
day_start(const struct ll_worker_config *zone, int64_t day)
{
    int64_t local = day * DAY_MS;
    uint32_t segment = segment_at(zone, local - OFFSET_MS_MAX);
    for (;; segment++) {
        int64_t at = local - segment_offset(zone, segment);
        bool last = segment + 1 >= zone->zone_change_count;
        if (segment > 0 && at < zone->zone_changes[segment].from_ms)
            at = zone->zone_changes[segment].from_ms;
        if (last || at < zone->zone_changes[segment + 1].from_ms)
            return at;
    }
}

/* The day whose start is the last at or before `ms`. */
static int64_t
day_of(const struct ll_worker_config *zone, int64_t ms)
{
    int64_t day = floor_div(ms + offset_at(zone, ms), DAY_MS);
    while (day_start(zone, day) > ms)
        day--;
    while (day_start(zone, day + 1) <= ms)
        day++;
    return day;
}

/* -- the calendar (proleptic Gregorian) -- */

struct date {
    int64_t year, month, day;
};

/* Days since 1970-01-01, counted in eras of 400 years from March on. */
static int64_t
days_from_date(struct date date)
{
    int64_t y = date.year - (date.month <= 2);
    int64_t era = floor_div(y, 400), year_of_era = y - era * 400;
    int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 -
           year_of_era / 100 + day_of_year - 719468;
}

static struct date
date_from_days(int64_t days)
{
    int64_t z = days + 719468, era = floor_div(z, 146097);
    int64_t of_era = z - era * 146097;
    int64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct date date = {.year = year + era * 400,
        .month = month < 10 ? month + 3 : month - 9,
        .day = of_year - (153 * month + 2) / 5 + 1};
    date.year += date.month <= 2;
    return date;
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
    static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* -- reading -- */

struct reader {
    const char *p, *end;
};

static bool
digit_follows(const struct reader *r)
{
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

static bool
read_digits(struct reader *r, int count, int64_t max, int64_t *out)
{
    *out = 0;
    if (r->end - r->p < count)
        return false;
    for (; count > 0; count--, r->p++) {
        if (!digit_follows(r))
            return false;
        *out = *out * 10 + (*r->p - '0');
    }
    return *out <= max;
}

static bool
read_char(struct reader *r, const char *any_of)
{
    if (r->p == r->end || *r->p == '\0' || strchr(any_of, *r->p) == NULL)
        return false;
    r->p++;
    return true;
}

static const char *
read_date(struct reader *r, int64_t *days)
{
    struct date date;
    if (!read_digits(r, 4, 9999, &date.year) || !read_char(r, "-") ||
        !read_digits(r, 2, 99, &date.month) || !read_char(r, "-") ||
        !read_digits(r, 2, 99, &date.day))
        return "not a date like 2026-03-02";
    if (date.month < 1 || date.month > 12)
        return "the month is not 01 to 12";
    if (date.day < 1 || date.day > days_in_month(date.year, date.month))
        return "the month has no such day";
    *days = days_from_date(date);
    return NULL;
}

static const char *
read_clock(struct reader *r, int64_t *ms)
{
    int64_t hour, minute, second;
    if (!read_char(r, "Tt") || !read_digits(r, 2, 99, &hour) ||
        !read_char(r, ":") || !read_digits(r, 2, 99, &minute) ||
        !read_char(r, ":") || !read_digits(r, 2, 99, &second))
        return "no time of day like T09:00:00";
    if (hour > 23 || minute > 59 || second > 59)
        return "the time of day is not 00:00:00 to 23:59:59";
    *ms = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS;
    if (!read_char(r, "."))
        return NULL;
    if (!digit_follows(r))
        return "a fraction without digits";
    /* Beyond milliseconds it is cut: an instant never moves forward. */
    for (int64_t scale = 100; digit_follows(r); scale /= 10)
        *ms += (*r->p++ - '0') * scale;
    return NULL;
}

static const char *
read_offset(struct reader *r, int64_t *ms)
{
    int64_t hours, minutes;
    *ms = 0;
    if (read_char(r, "Zz"))
        return NULL;
    bool west = r->p < r->end && *r->p == '-';
    if (!read_char(r, "+-") || !read_digits(r, 2, 99, &hours) ||
        !read_char(r, ":") || !read_digits(r, 2, 99, &minutes))
        return "no offset like +08:00 or Z";
    if (hours > 23 || minutes > 59)
        return "the offset is not within 23:59";
    *ms = (hours * HOUR_MS + minutes * MINUTE_MS) * (west ? -1 : 1);
    return NULL;
}

static const char *
read_instant(linli_str text, int64_t *ms)
{
    struct reader r = {text.ptr, text.ptr + text.len};
    int64_t days = 0, clock = 0, offset = 0;
    const char *wrong = read_date(&r, &days);
    if (wrong == NULL)
        wrong = read_clock(&r, &clock);
    if (wrong == NULL)
        wrong = read_offset(&r, &offset);
    if (wrong == NULL && r.p != r.end)
        wrong = "something stands after the offset";
    *ms = days * DAY_MS + clock - offset;
    if (wrong == NULL && (*ms < TIME_MIN_MS || *ms > TIME_MAX_MS))
        wrong = "not within the years 0000 to 9999";
    return wrong;
}

/* -- functions -- */

static int
refuse_text(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static int
time_parse(lua_State *L)
{
    linli_str text;
    int64_t ms = 0;
    text.ptr = luaL_checklstring(L, 1, &text.len);
    const char *wrong = read_instant(text, &ms);
    if (wrong != NULL)
        return refuse_text(L, wrong);
    lua_pushinteger(L, ms);
    return 1;
}

static int64_t
check_ms(lua_State *L, int index)
{
    int64_t ms = luaL_checkinteger(L, index);
    luaL_argcheck(L, ms >= TIME_MIN_MS && ms <= TIME_MAX_MS, index,
        "not within the years 0000 to 9999");
    return ms;
}

/* `count` digits, most significant first. */
static char *
put_digits(char *p, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        p[i] = (char)('0' + value % 10);
    return p + count;
}

static char *
put_date(char *p, int64_t days)
{
    struct date date = date_from_days(days);
    p = put_digits(p, date.year, 4);
    *p++ = '-';
    p = put_digits(p, date.month, 2);
    *p++ = '-';
    return put_digits(p, date.day, 2);
}

static char *
put_hour_minute(char *p, int64_t ms)
{
    p = put_digits(p, ms / HOUR_MS, 2);
    *p++ = ':';
    return put_digits(p, ms / MINUTE_MS % 60, 2);
}

/* time.format(ms [, "community" or "utc"]) */
static int
time_format(lua_State *L)
{
    static const char *const zones[] = {"community", "utc", NULL};
    char text[40], *p = text;
    int64_t ms = check_ms(L, 1);
    bool utc = luaL_checkoption(L, 2, "community", zones) == 1;
    int64_t offset = utc ? 0 : offset_at(config_of(L), ms);
    int64_t local = ms + offset, days = floor_div(local, DAY_MS);
    int64_t clock = local - days * DAY_MS;
    p = put_date(p, days);
    *p++ = 'T';
    p = put_hour_minute(p, clock);
    *p++ = ':';
    p = put_digits(p, clock / SECOND_MS % 60, 2);
    if (clock % SECOND_MS != 0) {
        *p++ = '.';
        p = put_digits(p, clock % SECOND_MS, 3);
    }
    if (utc) {
        *p++ = 'Z';
    } else {
        /* RFC 3339 has no seconds in an offset; old local times have. */
        luaL_argcheck(L, offset % MINUTE_MS == 0, 1,
            "the zone's offset then is not in whole minutes");
        *p++ = offset < 0 ? '-' : '+';
        p = put_hour_minute(p, offset < 0 ? -offset : offset);
    }
    lua_pushlstring(L, text, (size_t)(p - text));
    return 1;
}

/* time.day(ms): the local date */
static int
time_day(lua_State *L)
{
    char text[16];
    int64_t ms = check_ms(L, 1);
    char *end =
        put_date(text, floor_div(ms + offset_at(config_of(L), ms), DAY_MS));
    lua_pushlstring(L, text, (size_t)(end - text));
    return 1;
}

static int
time_start_of_day(lua_State *L)
{
    const struct ll_worker_config *zone = config_of(L);
    lua_pushinteger(L, day_start(zone, day_of(zone, check_ms(L, 1))));
    return 1;
}

static int
time_next_midnight(lua_State *L)
{
    const struct ll_worker_config *zone = config_of(L);
    lua_pushinteger(L, day_start(zone, day_of(zone, check_ms(L, 1)) + 1));
    return 1;
}

/* time.from_day("2026-03-02"): when it starts */
static int
time_from_day(lua_State *L)
{
    linli_str text;
    int64_t days = 0;
    text.ptr = luaL_checklstring(L, 1, &text.len);
    struct reader r = {text.ptr, text.ptr + text.len};
    const char *wrong = read_date(&r, &days);
    if (wrong == NULL && r.p != r.end)
        wrong = "something stands after the date";
    if (wrong != NULL)
        return refuse_text(L, wrong);
    lua_pushinteger(L, day_start(config_of(L), days));
    return 1;
}

static void
set_integer(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

/* time.fields(ms): what a local calendar and clock show */
static int
time_fields(lua_State *L)
{
    int64_t ms = check_ms(L, 1);
    int64_t local = ms + offset_at(config_of(L), ms);
    int64_t days = floor_div(local, DAY_MS), clock = local - days * DAY_MS;
    struct date date = date_from_days(days);
    lua_createtable(L, 0, 8);
    set_integer(L, "year", date.year);
    set_integer(L, "month", date.month);
    set_integer(L, "day", date.day);
    set_integer(L, "hour", clock / HOUR_MS);
    set_integer(L, "minute", clock / MINUTE_MS % 60);
    set_integer(L, "second", clock / SECOND_MS % 60);
    set_integer(L, "millisecond", clock % SECOND_MS);
    /* ISO 8601: Monday is 1; 1970-01-01 was a Thursday. */
    set_integer(L, "weekday", days + 3 - floor_div(days + 3, 7) * 7 + 1);
    return 1;
}

/* mul_div(a, b, c, rounding): a * b / c, exact before it is rounded */
static int
mul_div(lua_State *L)
{
    static const char *const roundings[] = {
        "floor", "ceil", "half_up", "half_even", NULL};
    __int128 product =
        (__int128)luaL_checkinteger(L, 1) * luaL_checkinteger(L, 2);
    int64_t divisor = luaL_checkinteger(L, 3);
    int rounding = luaL_checkoption(L, 4, NULL, roundings);
    luaL_argcheck(L, divisor != 0, 3, "division by zero");
    __int128 by = divisor < 0 ? -(__int128)divisor : divisor;
    bool negative = (product < 0) != (divisor < 0) && product != 0;
    __int128 size = product < 0 ? -product : product;
    __int128 whole = size / by, twice = 2 * (size % by);
    bool inexact = twice != 0, up = false;
    if (rounding == 0)
        up = inexact && negative;
    else if (rounding == 1)
        up = inexact && !negative;
    else
        up = twice > by || (twice == by && (rounding == 2 || (whole & 1)));
    __int128 result = (whole + up) * (negative ? -1 : 1);
    if (result > INT64_MAX || result < INT64_MIN)
        return luaL_error(L, "the result does not fit 64 bits");
    lua_pushinteger(L, (int64_t)result);
    return 1;
}

/* sum(...): of integers, checked */
static int
sum(lua_State *L)
{
    int64_t total = 0;
    for (int i = lua_gettop(L); i > 0; i--)
        if (__builtin_add_overflow(total, luaL_checkinteger(L, i), &total))
            return luaL_error(L, "the sum does not fit 64 bits");
    lua_pushinteger(L, total);
    return 1;
}

void
ll_lua_open_time(lua_State *L)
{
    static const luaL_Reg functions[] = {{"time_parse", time_parse},
        {"time_format", time_format}, {"time_day", time_day},
        {"time_start_of_day", time_start_of_day},
        {"time_next_midnight", time_next_midnight},
        {"time_from_day", time_from_day}, {"time_fields", time_fields},
        {"mul_div", mul_div}, {"sum", sum}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
