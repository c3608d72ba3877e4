/* base/schema_format.c: the values of `format` that Linli asserts. [any]
 *
 * spec/schema.md lists them with the text that defines each. A format that
 * is not here is refused when a schema is compiled.
 */
#include <arpa/inet.h>

#include "base/schema_int.h"

/* Eats `n` digits as a number in [min, max]. */
static bool
eat_number(linli_str *s, size_t n, int64_t min, int64_t max, int64_t *out)
{
    if (s->len < n || s->ptr[0] == '-' ||
        !ll_str_int((linli_str){s->ptr, n}, min, max, out))
        return false;
    s->ptr += n;
    s->len -= n;
    return true;
}

static bool
eat_char(linli_str *s, const char *any_of)
{
    if (s->len == 0 || s->ptr[0] == '\0' || strchr(any_of, s->ptr[0]) == NULL)
        return false;
    s->ptr++;
    s->len--;
    return true;
}

static bool
eat_date(linli_str *s)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = 0, month = 0, day = 0;
    if (!eat_number(s, 4, 0, 9999, &year) || !eat_char(s, "-") ||
        !eat_number(s, 2, 1, 12, &month) || !eat_char(s, "-"))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return eat_number(s, 2, 1, days[month - 1] + (leap && month == 2), &day);
}

/* "Z" or "+hh:mm"; minutes east of UTC. */
static bool
eat_offset(linli_str *s, int64_t *minutes)
{
    int64_t hour = 0, minute = 0;
    *minutes = 0;
    if (eat_char(s, "zZ"))
        return true;
    bool west = s->len > 0 && s->ptr[0] == '-';
    if (!eat_char(s, "+-") || !eat_number(s, 2, 0, 23, &hour) ||
        !eat_char(s, ":") || !eat_number(s, 2, 0, 59, &minute))
        return false;
    *minutes = (hour * 60 + minute) * (west ? -1 : 1);
    return true;
}

static bool
eat_time(linli_str *s)
{
    int64_t hour = 0, minute = 0, second = 0, offset = 0, digit = 0;
    if (!eat_number(s, 2, 0, 23, &hour) || !eat_char(s, ":") ||
        !eat_number(s, 2, 0, 59, &minute) || !eat_char(s, ":") ||
        !eat_number(s, 2, 0, 60, &second))
        return false;
    if (eat_char(s, ".")) {
        if (!eat_number(s, 1, 0, 9, &digit))
            return false;
        while (eat_number(s, 1, 0, 9, &digit))
            continue;
    }
    if (!eat_offset(s, &offset))
        return false;
    /* A leap second is the last of a day in UTC. */
    const int64_t day = 24 * 60;
    return second < 60 || (hour * 60 + minute - offset + day) % day == day - 1;
}

static bool
valid_date(linli_str s)
{
    return eat_date(&s) && s.len == 0;
}

static bool
valid_time(linli_str s)
{
    return eat_time(&s) && s.len == 0;
}

static bool
valid_date_time(linli_str s)
{
    return eat_date(&s) && eat_char(&s, "tT") && eat_time(&s) && s.len == 0;
}

/* A run of parts "12X", whose units follow each other in `units` without a
 * gap (RFC 3339 appendix A). Eats at least one. */
static bool
eat_parts(linli_str *s, const char *units)
{
    const char *at = NULL;
    int64_t digit = 0;
    while (s->len > 0 && s->ptr[0] >= '0' && s->ptr[0] <= '9') {
        while (eat_number(s, 1, 0, 9, &digit))
            continue;
        if (s->len == 0 || s->ptr[0] == '\0')
            return false;
        const char *unit = strchr(units, s->ptr[0]);
        if (unit == NULL || (at != NULL && unit != at + 1))
            return false;
        at = unit;
        (void)eat_char(s, units);
    }
    return at != NULL;
}

static bool
valid_duration(linli_str s)
{
    if (!eat_char(&s, "P"))
        return false;
    if (s.len > 0 && s.ptr[s.len - 1] == 'W')
        return eat_parts(&s, "W") && s.len == 0;
    if (s.len > 0 && s.ptr[0] != 'T' && !eat_parts(&s, "YMD"))
        return false;
    if (s.len == 0)
        return s.ptr[-1] != 'P';
    return eat_char(&s, "T") && eat_parts(&s, "HMS") && s.len == 0;
}

static bool
valid_uuid(linli_str s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = s.ptr[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                   (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

static bool
valid_address(linli_str s, int family)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (s.len >= sizeof text || memchr(s.ptr, '\0', s.len) != NULL)
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return inet_pton(family, text, &address) == 1;
}

static bool
valid_ipv4(linli_str s)
{
    return valid_address(s, AF_INET);
}

static bool
valid_ipv6(linli_str s)
{
    return valid_address(s, AF_INET6);
}

static bool
valid_uri(linli_str s)
{
    return ll_uri_valid(s, false);
}

static bool
valid_uri_reference(linli_str s)
{
    return ll_uri_valid(s, true);
}

static bool
is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool
valid_domain(linli_str s)
{
    linli_str label;
    if (s.len == 0 || s.len > 253)
        return false;
    while (ll_str_split(&s, '.', &label)) {
        if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' ||
            label.ptr[label.len - 1] == '-')
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-')
                return false;
    }
    return true;
}

static bool
valid_quoted(linli_str s)
{
    if (s.len < 2 || s.ptr[s.len - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < s.len; i++) {
        char c = s.ptr[i];
        if (c == '\\' && ++i + 1 >= s.len)
            return false;
        if (c == '"' || s.ptr[i] < 0x20 || s.ptr[i] > 0x7e)
            return false;
    }
    return true;
}

static bool
valid_local(linli_str s)
{
    linli_str atom;
    if (s.len == 0 || s.len > 64)
        return false;
    if (s.ptr[0] == '"')
        return valid_quoted(s);
    while (ll_str_split(&s, '.', &atom)) {
        if (atom.len == 0)
            return false;
        for (size_t i = 0; i < atom.len; i++)
            if (!is_alnum(atom.ptr[i]) &&
                (atom.ptr[i] == '\0' ||
                    strchr("!#$%&'*+-/=?^_`{|}~", atom.ptr[i]) == NULL))
                return false;
    }
    return true;
}

static bool
valid_email(linli_str s)
{
    size_t at = s.len;
    while (at > 0 && s.ptr[at - 1] != '@')
        at--;
    if (at == 0 || !valid_local((linli_str){s.ptr, at - 1}))
        return false;
    linli_str domain = {s.ptr + at, s.len - at};
    if (domain.len < 3 || domain.ptr[0] != '[')
        return valid_domain(domain);
    if (domain.ptr[domain.len - 1] != ']')
        return false;
    domain.ptr++;
    domain.len -= 2;
    if (!ll_str_starts(domain, "IPv6:"))
        return valid_ipv4(domain);
    return valid_ipv6((linli_str){domain.ptr + 5, domain.len - 5});
}

static bool
valid_json_pointer(linli_str s)
{
    if (s.len > 0 && s.ptr[0] != '/')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '~' &&
            (i + 1 == s.len || (s.ptr[i + 1] != '0' && s.ptr[i + 1] != '1')))
            return false;
    return true;
}

static const struct ll_schema_format formats[] = {
    {"date", valid_date},
    {"date-time", valid_date_time},
    {"duration", valid_duration},
    {"email", valid_email},
    {"ipv4", valid_ipv4},
    {"ipv6", valid_ipv6},
    {"json-pointer", valid_json_pointer},
    {"time", valid_time},
    {"uri", valid_uri},
    {"uri-reference", valid_uri_reference},
    {"uuid", valid_uuid},
};

const struct ll_schema_format *
ll_schema_format(linli_str name)
{
    for (size_t i = 0; i < LL_COUNT(formats); i++)
        if (ll_str_is(name, formats[i].name))
            return &formats[i];
    return NULL;
}

const char *
ll_schema_format_name(size_t index)
{
    return index < LL_COUNT(formats) ? formats[index].name : NULL;
}
