/* domain/pricing_number.c: exact arithmetic of prices. */
#include "domain/pricing_number.h"

#include "domain/usage.h"

#define DECIMALS 6

bool
ll_wide_divide(
    ll_wide num, ll_wide den, enum ll_rounding rounding, int64_t *out)
{
    ll_check(den > 0);
    ll_wide whole = num / den, rest = num % den;
    *out = 0;
    if (rounding == LL_ROUND_UP)
        whole += rest > 0;
    else if (rest >= den - rest)
        whole++;
    else if (-rest >= den + rest)
        whole--;
    if (whole > INT64_MAX || whole < -INT64_MAX)
        return false;
    *out = (int64_t)whole;
    return true;
}

bool
ll_wide_times(ll_wide *product, int64_t factor)
{
    ll_wide result;
    if (__builtin_mul_overflow(*product, (ll_wide)factor, &result))
        return false;
    *product = result;
    return true;
}

bool
ll_fen_share(int64_t fen, int64_t num, int64_t den, int64_t *out)
{
    return ll_wide_divide((ll_wide)fen * num, den, LL_ROUND_HALF_AWAY, out);
}

bool
ll_fen_add(int64_t *sum, int64_t fen)
{
    int64_t result;
    if (__builtin_add_overflow(*sum, fen, &result) || result == INT64_MIN)
        return false;
    *sum = result;
    return true;
}

/* What is left of total × weights[at] / sum behind its whole fen. */
static ll_wide
remainder_of(int64_t total, int64_t weight, ll_wide sum)
{
    return (ll_wide)total * weight % sum;
}

/* True if `a` gets an odd fen before `b`. */
static bool
comes_before(
    int64_t total, ll_wide sum, const int64_t *weights, uint32_t a, uint32_t b)
{
    ll_wide of_a = remainder_of(total, weights[a], sum);
    ll_wide of_b = remainder_of(total, weights[b], sum);
    return of_a > of_b || (of_a == of_b && a < b);
}

void
ll_fen_split(
    int64_t total, const int64_t *weights, uint32_t count, int64_t *parts)
{
    ll_wide sum = 0;
    int64_t given = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += weights[i];
    ll_check(total >= 0 && sum > 0);
    for (uint32_t i = 0; i < count; i++)
        given += parts[i] = (int64_t)((ll_wide)total * weights[i] / sum);
    /* The odd fen are fewer than the parts with a remainder. */
    int64_t odd = total - given;
    for (uint32_t i = 0; odd > 0 && i < count; i++) {
        int64_t before = 0;
        for (uint32_t j = 0; j < count; j++)
            before += j != i && comes_before(total, sum, weights, j, i);
        parts[i] += before < odd;
    }
}

/* Why ll_usage_read took it for no quantity. */
static enum ll_decimal
why_not(linli_str text)
{
    size_t i = text.len > 0 && text.ptr[0] == '-', first = i, point = 0;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '.' && point == 0 && i > first)
            point = i;
        else if (c < '0' || c > '9')
            return LL_DECIMAL_NONE;
    }
    size_t whole = (point > 0 ? point : text.len) - first;
    if (whole == 0 || (whole > 1 && text.ptr[first] == '0') ||
        (point > 0 && point + 1 == text.len))
        return LL_DECIMAL_NONE;
    return point > 0 && text.len - point - 1 > DECIMALS ? LL_DECIMAL_FINE
                                                        : LL_DECIMAL_LARGE;
}

enum ll_decimal
ll_decimal_read(linli_str text, int64_t *out)
{
    if (!ll_usage_read(text, out))
        return why_not(text);
    return *out < 0 ? LL_DECIMAL_NEGATIVE : LL_DECIMAL_OK;
}
