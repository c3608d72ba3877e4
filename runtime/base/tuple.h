/* base/tuple.h: keys whose bytes sort as the values they are made of. [any]
 *
 * A key is a tuple of values, one after the other: null, false, true,
 * integers, strings, in that order of kinds. memcmp of two keys orders them
 * as their values; a key that continues another one comes after it. What
 * FoundationDB's tuple layer does, for the kinds that indexes may hold.
 *
 *   0x01 null   0x02 false   0x03 true
 *   0x10 int64: eight bytes, big-endian, sign bit flipped
 *   0x20 string: its bytes, 0x00 as 0x00 0xFF, ended by 0x00
 */
#ifndef LL_BASE_TUPLE_H
#define LL_BASE_TUPLE_H

#include "base/json.h"

void ll_tuple_null(struct ll_buf *key);
void ll_tuple_bool(struct ll_buf *key, bool b);
void ll_tuple_int(struct ll_buf *key, int64_t i);
void ll_tuple_str(struct ll_buf *key, linli_str s);
/* A scalar of a document; LINLI_E_INVALID for a double, list or object, or
 * a string over LL_KEY_STR_BYTES_MAX. Not there counts as null. */
linli_status ll_tuple_json(struct ll_buf *key, struct ll_jv v) LL_USE_RESULT;

/* Makes `key` the end of the range [key, end): the keys that begin with its
 * values. Appends 0xFF, which begins no value: one more on the last byte would
 * take "a\0b" in under "a". An empty key's range is all keys. False if the
 * buffer has failed. */
bool ll_tuple_next(struct ll_buf *key);

/* Reads one value off the front of *key and writes it as JSON; false, with
 * nothing read or written, if the bytes are no tuple, or no more of one. */
bool ll_tuple_read(linli_str *key, struct ll_jw *out);

#endif
