/* data/known.h: which keys of answers a space's ~idem may hold. [loop]
 *
 * Nearly every Idempotency-Key is new, and asking the store each time would
 * cost a call more than its commit. So hashes of the ids that are there are
 * kept in memory, up to LL_KNOWN_KEYS_MAX: what is not among them is not in
 * the store. What is may be: then the store is asked, as it is while they
 * are being read at the start, and where there are too many.
 */
#ifndef LL_DATA_KNOWN_H
#define LL_DATA_KNOWN_H

#include "data/docs.h"

/* Begins to read what is there; later calls find it begun. Without memory
 * the store is asked each time. */
void ll_known_open(struct ll_space *space, struct ll_coll *coll);
void ll_known_close(struct ll_space *space);

/* False: the store has no document of this id (hexadecimal digits). */
bool ll_known_maybe(const struct ll_space *space, linli_str id);
/* It may have one from now on. */
void ll_known_add(struct ll_space *space, linli_str id);

#endif
