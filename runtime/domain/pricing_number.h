/* domain/pricing_number.h: exact arithmetic of prices. [any] pure
 *
 * Money is int64 fen, a unit price int64 millionths of a fen, a quantity int64
 * millionths of a unit. Products stand in 128 bits and are rounded once; what
 * does not fit is said, never wrapped. There is no floating point.
 */
#ifndef LL_DOMAIN_PRICING_NUMBER_H
#define LL_DOMAIN_PRICING_NUMBER_H

#include "base/defs.h"

#define LL_MICRO 1000000 /* millionths of a fen, of a unit */
#define LL_BP 10000      /* basis points of the whole */

typedef __int128 ll_wide;

enum ll_rounding {
    LL_ROUND_HALF_AWAY, /* what is billed: half away from zero */
    LL_ROUND_UP,        /* what is admitted: never less than will be billed */
};

/* num / den, den > 0. False, and *out 0, if it does not fit. INT64_MIN, which
 * has no mirror image, does not. */
bool ll_wide_divide(
    ll_wide num, ll_wide den, enum ll_rounding rounding, int64_t *out);
/* *product times factor; false, and *product kept, past 128 bits. */
bool ll_wide_times(ll_wide *product, int64_t factor);
/* round(fen × num / den), half away from zero; false as above. */
bool ll_fen_share(int64_t fen, int64_t num, int64_t den, int64_t *out);
/* *sum plus fen; false, and *sum kept, past int64. */
bool ll_fen_add(int64_t *sum, int64_t fen);

/* Splits `total` (0 or more) by weights (each 0 or more, their sum more than
 * 0) by largest remainder, ties to the earlier: parts[i] sums to the total
 * exactly, and no part with weight 0 gets any. */
void ll_fen_split(
    int64_t total, const int64_t *weights, uint32_t count, int64_t *parts);

enum ll_decimal {
    LL_DECIMAL_OK,
    LL_DECIMAL_NONE,     /* not a decimal number */
    LL_DECIMAL_FINE,     /* finer than a millionth */
    LL_DECIMAL_LARGE,    /* past int64 */
    LL_DECIMAL_NEGATIVE, /* *out is it all the same */
};
/* "12", "0.000001", "-3.5": exact, in millionths; no exponent, no sign but
 * '-', no zeros in front. *out is 0 for the first three failures. */
enum ll_decimal ll_decimal_read(linli_str text, int64_t *out);

#endif
