/* host/locale.c: negotiation between zh-CN and en. [any] */
#include "host/locale.h"

#include "base/text.h"

/* Longer lists come from nobody's settings. */
#define RANGES_MAX 32

static linli_str
trim(linli_str s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = (linli_str){s.ptr + 1, s.len - 1};
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* "0", "0.5", "1.000": thousandths; -1 if it is no qvalue. */
static int
read_q(linli_str q)
{
    if (q.len == 0 || q.len > 5 || (q.ptr[0] != '0' && q.ptr[0] != '1') ||
        (q.len > 1 && q.ptr[1] != '.'))
        return -1;
    int value = (q.ptr[0] - '0') * 1000;
    int place = 100;
    for (size_t i = 2; i < q.len; i++, place /= 10) {
        if (q.ptr[i] < '0' || q.ptr[i] > '9')
            return -1;
        value += (q.ptr[i] - '0') * place;
    }
    return value <= 1000 ? value : -1;
}

/* One "zh-CN;q=0.9": the range without its weight, and the weight. */
static int
read_range(linli_str part, linli_str *range)
{
    linli_str rest = part;
    linli_str weight;
    if (!ll_str_split(&rest, ';', range))
        return -1;
    *range = trim(*range);
    if (!ll_str_split(&rest, ';', &weight))
        return 1000;
    weight = trim(weight);
    if (weight.len < 2 || !ll_str_eq_nocase((linli_str){weight.ptr, 2}, "q="))
        return -1;
    return read_q((linli_str){weight.ptr + 2, weight.len - 2});
}

static bool
is_language(linli_str range, const char *language)
{
    return range.len >= 2 &&
           ll_str_eq_nocase((linli_str){range.ptr, 2}, language) &&
           (range.len == 2 || range.ptr[2] == '-');
}

enum ll_locale
ll_locale_pick(linli_str accept_language)
{
    /* -1: not named; the weight and place of the best range otherwise. */
    int q[2] = {-1, -1}, place[2] = {RANGES_MAX, RANGES_MAX};
    int any = -1, any_place = RANGES_MAX;
    linli_str rest = accept_language, part, range;
    for (int i = 0; i < RANGES_MAX && ll_str_split(&rest, ',', &part); i++) {
        int weight = read_range(part, &range);
        if (weight < 0)
            continue;
        int which = is_language(range, "zh")   ? LL_LOCALE_ZH
                    : is_language(range, "en") ? LL_LOCALE_EN
                                               : -1;
        if (which >= 0 && weight > q[which]) {
            q[which] = weight;
            place[which] = i;
        } else if (which < 0 && ll_str_is(range, "*") && weight > any) {
            any = weight;
            any_place = i;
        }
    }
    for (int i = 0; i < 2; i++)
        if (q[i] < 0) {
            q[i] = any;
            place[i] = any_place;
        }
    if (q[LL_LOCALE_ZH] <= 0 || q[LL_LOCALE_ZH] < q[LL_LOCALE_EN])
        return LL_LOCALE_EN;
    if (q[LL_LOCALE_ZH] > q[LL_LOCALE_EN])
        return LL_LOCALE_ZH;
    return place[LL_LOCALE_ZH] < place[LL_LOCALE_EN] ? LL_LOCALE_ZH
                                                     : LL_LOCALE_EN;
}

const char *
ll_locale_tag(enum ll_locale locale)
{
    return locale == LL_LOCALE_ZH ? "zh-CN" : "en";
}
