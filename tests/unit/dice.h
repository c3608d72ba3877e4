/* tests/unit/dice.h: numbers that look random and are the same every time.
 *
 * SplitMix64 (Steele, Lea and Flood, 2014). A property test names its seed;
 * whoever looks for more tries others.
 */
#ifndef DICE_H
#define DICE_H

#include <stdint.h>

static inline uint64_t
dice(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 to n - 1; n is small. */
static inline uint32_t
dice_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((dice(state) >> 32) % n);
}

/* Mostly where integers go wrong: near zero, and at both ends. */
static inline int64_t
dice_int(uint64_t *state)
{
    int64_t near = (int64_t)dice_below(state, 5) - 2;
    switch (dice_below(state, 4)) {
    case 0:
        return near;
    case 1:
        return INT64_MIN + 2 + near;
    case 2:
        return INT64_MAX - 2 - near;
    default:
        return (int64_t)(dice(state) >> dice_below(state, 64)) *
               (dice_below(state, 2) == 0 ? 1 : -1);
    }
}

#endif
