/* base/near.h: what a mistyped name was meant to be. [any] */
#ifndef LL_BASE_NEAR_H
#define LL_BASE_NEAR_H

#include "base/defs.h"

/* Begin with `s` alone set; `best` is the candidate that it was probably meant
 * to be, ptr NULL: it is like none of them. */
struct ll_near {
    linli_str s;
    linli_str best;
    unsigned distance;
};
void ll_near_try(struct ll_near *near, linli_str candidate);

#endif
