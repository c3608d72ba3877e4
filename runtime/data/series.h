/* data/series.h: what is counted: a meter of a space. [loop]
 *
 * Usage records and buckets name it by its number (domain/usage.h).
 */
#ifndef LL_DATA_SERIES_H
#define LL_DATA_SERIES_H

#include "data/docs.h"

/* What is counted: a meter, for which subscription, by which version of its
 * plan; 0, 0: of a plugin that is not sold (billing/subs.h). */
struct ll_counted {
    linli_str meter;
    uint32_t subscription, version;
};

/* Its series; made by its first use. 0: no memory. */
uint32_t ll_series(struct ll_space *space, const struct ll_counted *counted);
/* The same, but 0 if there is none yet. */
uint32_t ll_series_find(
    const struct ll_space *space, const struct ll_counted *counted);
/* One that is in the store: for opening it. */
linli_status ll_series_known(struct ll_space *space, int64_t id,
    const struct ll_counted *counted) LL_USE_RESULT;
/* What a number stands for, and in which space; NULL if for nothing. */
const struct ll_space *ll_series_of(
    const struct ll_docs *docs, uint32_t id, struct ll_counted *counted);
/* Gives the tables back; there is none of them any more. */
void ll_series_close(struct ll_docs *docs);

#endif
