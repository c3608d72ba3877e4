/* base/instant.c: reading instants and durations. [any] */
#include "base/instant.h"

#include "base/text.h"

#define DAY_MS 86400000

/* Exactly `n` digits from the front, as a number in [min, max]. */
static bool
eat_number(linli_str *s, size_t n, int64_t min, int64_t max, int64_t *out)
{
    if (s->len < n || s->ptr[0] == '-' ||
        !ll_str_int((linli_str){s->ptr, n}, min, max, out))
        return false;
    *s = (linli_str){s->ptr + n, s->len - n};
    return true;
}

/* Either of two characters. */
static bool
eat_char(linli_str *s, char either, char other)
{
    if (s->len == 0 || (s->ptr[0] != either && s->ptr[0] != other))
        return false;
    *s = (linli_str){s->ptr + 1, s->len - 1};
    return true;
}

static size_t
digits(linli_str s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

/* Days since 1970-01-01; H. Hinnant's algorithm (chrono-Compatible Low-Level
 * Date Algorithms, days_from_civil). */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool
eat_date(linli_str *s, int64_t *ms)
{
    static const int64_t days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = 0, month = 0, day = 0;
    if (!eat_number(s, 4, 0, 9999, &year) || !eat_char(s, '-', '-') ||
        !eat_number(s, 2, 1, 12, &month) || !eat_char(s, '-', '-'))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (!eat_number(s, 2, 1, days[month - 1] + (leap && month == 2), &day))
        return false;
    *ms = days_of(year, month, day) * DAY_MS;
    return true;
}

static bool
eat_time(linli_str *s, int64_t *ms)
{
    int64_t hour = 0, minute = 0, second = 0;
    if (!eat_number(s, 2, 0, 23, &hour) || !eat_char(s, ':', ':') ||
        !eat_number(s, 2, 0, 59, &minute) || !eat_char(s, ':', ':') ||
        !eat_number(s, 2, 0, 59, &second))
        return false;
    *ms += ((hour * 60 + minute) * 60 + second) * 1000;
    if (!eat_char(s, '.', '.'))
        return true;
    size_t n = digits(*s);
    for (size_t i = 0, unit = 100; i < n; i++, unit /= 10)
        *ms += (s->ptr[i] - '0') * (int64_t)unit;
    *s = (linli_str){s->ptr + n, s->len - n};
    return n > 0;
}

/* "Z", or what is ahead of UTC. */
static bool
eat_offset(linli_str *s, int64_t *ms)
{
    int64_t hour = 0, minute = 0;
    if (eat_char(s, 'Z', 'z'))
        return true;
    bool west = s->len > 0 && s->ptr[0] == '-';
    if (!eat_char(s, '+', '-') || !eat_number(s, 2, 0, 23, &hour) ||
        !eat_char(s, ':', ':') || !eat_number(s, 2, 0, 59, &minute))
        return false;
    *ms -= (hour * 60 + minute) * 60000 * (west ? -1 : 1);
    return true;
}

bool
ll_instant_read(linli_str text, int64_t *ms)
{
    int64_t at = 0;
    bool whole = ll_str_int(text, LL_INSTANT_MS_MIN, LL_INSTANT_MS_MAX, &at);
    if (whole)
        *ms = at;
    if (whole || !eat_date(&text, &at) || !eat_char(&text, 'T', 't') ||
        !eat_time(&text, &at) || !eat_offset(&text, &at) || text.len > 0 ||
        at < LL_INSTANT_MS_MIN || at > LL_INSTANT_MS_MAX)
        return whole;
    *ms = at;
    return true;
}

bool
ll_duration_read(linli_str text, int64_t *ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        {"d", DAY_MS}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    int64_t sum = 0;
    size_t next = 0; /* units from here on may follow */
    if (text.len == 0)
        return false;
    while (text.len > 0) {
        size_t n = digits(text), letters = n;
        int64_t count = 0;
        while (letters < text.len && text.ptr[letters] >= 'a')
            letters++;
        linli_str name = {text.ptr + n, letters - n};
        while (next < LL_COUNT(units) && !ll_str_is(name, units[next].name))
            next++;
        if (next == LL_COUNT(units) ||
            !eat_number(&text, n, 0, (LL_INSTANT_MS_MAX - sum) / units[next].ms,
                &count))
            return false;
        sum += count * units[next++].ms;
        text = (linli_str){text.ptr + name.len, text.len - name.len};
    }
    *ms = sum;
    return true;
}
