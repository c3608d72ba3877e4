/* data/series.h: what is counted: a meter of a space. [loop]
 *
 * Usage records and buckets name it by its number (domain/usage.h).
 */
#ifndef LL_DATA_SERIES_H
#define LL_DATA_SERIES_H

#include "data/docs.h"

/* The series of a meter; made by its first use. 0: no memory. */
uint32_t ll_series(struct ll_space *space, linli_str meter);
/* One that is in the store: for opening it. */
linli_status ll_series_known(
    struct ll_space *space, int64_t id, linli_str meter) LL_USE_RESULT;

#endif
