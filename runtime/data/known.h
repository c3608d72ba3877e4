/* data/known.h: where a space's ~idem holds the answer under a key. [loop]
 *
 * An answer lies under the time of its first call and a hash of its key, so
 * that those of a moment share the database's pages: under the hash alone
 * each would write a page of its own. Which time belongs to which hash is
 * kept in memory, LL_KNOWN_KEYS_MAX of them; it is read once, at the start,
 * when whoever asks waits. What is not among them is not in the store, which
 * therefore is not asked: nearly every key is new. Keys that come when there
 * are too many lie under one time that stands for none, and the store is
 * asked for each.
 */
#ifndef LL_DATA_KNOWN_H
#define LL_DATA_KNOWN_H

#include "data/docs.h"

/* Of a hash, in hexadecimal digits: 128 bits. */
#define LL_KNOWN_HASH_DIGITS 32
/* And of an id: milliseconds since 1970 and the hash. */
#define LL_KNOWN_TIME_DIGITS 12
#define LL_KNOWN_ID_DIGITS (LL_KNOWN_TIME_DIGITS + LL_KNOWN_HASH_DIGITS)

enum ll_known_state {
    LL_KNOWN_NEW,   /* the store has nothing under this id */
    LL_KNOWN_MAYBE, /* it may have */
    LL_KNOWN_LATER, /* `wait` is told when to ask again */
    LL_KNOWN_LOST   /* the store could not be read; it is asked again */
};

/* Begins to read what is there; later calls find it begun. `coll` is ~idem,
 * and its `written` is used. False without memory. */
bool ll_known_open(struct ll_space *space, struct ll_coll *coll);
void ll_known_close(struct ll_space *space);

/* The id of what is kept, or is to be, under a hash of LL_KNOWN_HASH_DIGITS
 * lower-case digits; from now on it is found again. With LATER and LOST there
 * is none. */
enum ll_known_state ll_known_find(struct ll_space *space, const char *hash,
    int64_t now_ms, char id[LL_KNOWN_ID_DIGITS + 1], struct ll_wait *wait);
/* The store has none of this id, and nobody is about to write it. */
void ll_known_drop(struct ll_space *space, linli_str id);

#endif
