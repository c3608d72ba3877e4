/* base/text.c: strings, UTF-8, base64url and dates as text. */
#include "base/text.h"

#include <stdio.h>

#include "base/limits.h"

int
ll_str_cmp(linli_str a, linli_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool
ll_str_eq_nocase(linli_str a, const char *b)
{
    for (size_t i = 0; i < a.len; i++)
        if (b[i] == '\0' || lower(a.ptr[i]) != lower(b[i]))
            return false;
    return b[a.len] == '\0';
}

bool
ll_str_split(linli_str *rest, char sep, linli_str *part)
{
    if (rest->ptr == NULL)
        return false;
    const char *hit = rest->len == 0 ? NULL : memchr(rest->ptr, sep, rest->len);
    if (hit == NULL) {
        *part = *rest;
        *rest = (linli_str){NULL, 0};
        return true;
    }
    *part = (linli_str){rest->ptr, (size_t)(hit - rest->ptr)};
    rest->ptr = hit + 1;
    rest->len -= part->len + 1;
    return true;
}

bool
ll_str_int(linli_str s, int64_t min, int64_t max, int64_t *out)
{
    size_t i = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    bool negative = i == 1;
    int64_t value = 0;
    if (i == s.len)
        return false;
    for (; i < s.len; i++) {
        int digit = s.ptr[i] - '0';
        if (digit < 0 || digit > 9)
            return false;
        /* Counting down reaches INT64_MIN without overflow. */
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    *out = value;
    return value >= min && value <= max;
}

bool
ll_etag_valid(linli_str s)
{
    if (s.len < 1 || s.len > LL_ETAG_BYTES_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < 0x21 || s.ptr[i] > 0x7e || s.ptr[i] == '"' ||
            s.ptr[i] == '\\')
            return false;
    return true;
}

/* Bytes of the sequence that starts at p, or 0 if it is malformed. */
static size_t
utf8_sequence(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char first_min, first_max, second_min, second_max, bytes;
    } forms[] = {{0x00, 0x7f, 0, 0, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < LL_COUNT(forms); i++) {
        if (p[0] < forms[i].first_min || p[0] > forms[i].first_max)
            continue;
        size_t bytes = forms[i].bytes;
        if (bytes > left)
            return 0;
        if (bytes > 1 &&
            (p[1] < forms[i].second_min || p[1] > forms[i].second_max))
            return 0;
        for (size_t k = 2; k < bytes; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return bytes;
    }
    return 0;
}

size_t
ll_printable_run(const void *bytes, size_t n)
{
    const char *p = bytes;
    size_t i = 0;
    for (uint64_t word; n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        uint64_t del = word ^ LL_EACH_BYTE(0x7f);
        if (((word & LL_EACH_BYTE(0x80)) | LL_BYTES_BELOW(word, 0x20) |
                LL_BYTES_BELOW(del, 1)) != 0)
            break;
    }
    return i;
}

bool
ll_utf8_valid(linli_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t i = 0;
    while (i < s.len) {
        uint64_t word;
        if (s.len - i >= sizeof word) {
            memcpy(&word, p + i, sizeof word);
            if ((word & 0x8080808080808080u) == 0) {
                i += sizeof word;
                continue;
            }
        }
        size_t bytes = utf8_sequence(p + i, s.len - i);
        if (bytes == 0)
            return false;
        i += bytes;
    }
    return true;
}

size_t
ll_utf8_count(linli_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

size_t
ll_utf8_put(char out[4], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
ll_percent_decode(linli_str s, char *out, size_t *out_len)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '%') {
            out[n++] = s.ptr[i];
            continue;
        }
        if (s.len - i < 3)
            return false;
        int high = hex_digit(s.ptr[i + 1]);
        int low = hex_digit(s.ptr[i + 2]);
        if (high < 0 || low < 0)
            return false;
        out[n++] = (char)(high * 16 + low);
        i += 2;
    }
    *out_len = n;
    return true;
}

/* Days since 1970-01-01 to a civil date; H. Hinnant's algorithm
 * (chrono-Compatible Low-Level Date Algorithms, civil_from_days). */
static void
civil(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

void
ll_rfc3339(int64_t ms, char out[LL_RFC3339_BYTES])
{
    const int64_t day_ms = 86400000;
    /* Years 0000 to 9999, the range RFC 3339 can write. */
    const int64_t first = -62167219200000, last = 253402300799999;
    ms = ms < first ? first : ms > last ? last : ms;
    int64_t days = ms / day_ms - (ms % day_ms < 0);
    int64_t rest = ms - days * day_ms;
    int64_t year = 0;
    int month = 0, day = 0;
    civil(days, &year, &month, &day);
    (void)snprintf(out, LL_RFC3339_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
        (unsigned)year % 10000u, (unsigned)month % 100u, (unsigned)day % 100u,
        (unsigned)(rest / 3600000) % 100u, (unsigned)(rest / 60000 % 60),
        (unsigned)(rest / 1000 % 60), (unsigned)(rest % 1000));
}

void
ll_hex(const unsigned char *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

static const char base64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool
ll_base64url_decode(
    linli_str s, unsigned char *out, size_t out_size, size_t *out_len)
{
    uint32_t bits = 0;
    int have = 0;
    size_t n = 0;
    if (s.len % 4 == 1)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        const char *at = s.ptr[i] == '\0' ? NULL : strchr(base64url, s.ptr[i]);
        if (at == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(at - base64url);
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (n == out_size)
            return false;
        out[n++] = (unsigned char)(bits >> have);
        bits &= (1u << have) - 1;
    }
    *out_len = n;
    return bits == 0;
}

void
ll_base64url_put(struct ll_buf *buf, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | p[i];
        for (have += 8; have >= 6;) {
            have -= 6;
            ll_buf_char(buf, base64url[bits >> have & 63]);
        }
        bits &= (1u << have) - 1;
    }
    if (have > 0)
        ll_buf_char(buf, base64url[bits << (6 - have) & 63]);
}
