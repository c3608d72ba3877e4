/* domain/unusual.h: a day of a meter that is far from those before. [any] pure
 *
 * What a plugin counts itself is the word of somebody who earns from it. So
 * each of its days is held against those before: their median, and how far
 * days usually are from it (the median of the distances), which one day cannot
 * move, however wild. Integers alone. spec/metering.md, section 16.
 */
#ifndef LL_DOMAIN_UNUSUAL_H
#define LL_DOMAIN_UNUSUAL_H

#include "base/defs.h"
#include "base/limits_billing.h"

enum ll_unusual_word {
    LL_UNUSUAL_NOT,
    LL_UNUSUAL_UNKNOWN, /* there are too few days to say */
    LL_UNUSUAL_ABOVE,
    LL_UNUSUAL_BELOW,
};

struct ll_unusual {
    enum ll_unusual_word word;
    uint32_t days;       /* looked at before it */
    int64_t median;      /* of them, millionths */
    int64_t spread;      /* the median of their distances from it */
    int64_t least, most; /* what would have been usual: [least, most] */
};

/* Judges the last of `count` days, oldest first, in millionths; `count` at
 * least 1. Of those before it the last LL_UNUSUAL_DAYS are looked at. Unusual
 * is what is outside of what all of them say, and also outside of what those
 * of the same weekday say where there are LL_UNUSUAL_WEEKS of them. */
void ll_unusual_judge(
    const int64_t *days, uint32_t count, struct ll_unusual *out);

#endif
