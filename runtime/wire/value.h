/* wire/value.h: the values inside frames. [any]
 *
 * nil, bool, int64, double, bytes, list, map: nothing else crosses the
 * sandbox's wall, no pointers, no handles but small integers. A payload is a
 * list read in a fixed order with the typed getters below: a wrong type, a
 * short payload or a leftover makes the reader `bad`, once and for good, and
 * what bad readers return is zero or empty, never indeterminate.
 *
 * Encoding: one tag byte; int64 and double 8 bytes little-endian; bytes,
 * list and map a u32 count. A map is key (bytes), value, key, value ...
 */
#ifndef LL_WIRE_VALUE_H
#define LL_WIRE_VALUE_H

#include "base/buf.h"
#include "base/limits.h"

enum ll_value_tag {
    LL_VALUE_NIL = 0,
    LL_VALUE_FALSE = 1,
    LL_VALUE_TRUE = 2,
    LL_VALUE_INT = 3,
    LL_VALUE_DOUBLE = 4,
    LL_VALUE_BYTES = 5,
    LL_VALUE_LIST = 6,
    LL_VALUE_MAP = 7,
};

void ll_put_nil(struct ll_buf *buf);
void ll_put_bool(struct ll_buf *buf, bool b);
void ll_put_int(struct ll_buf *buf, int64_t i);
void ll_put_double(struct ll_buf *buf, double d);
void ll_put_bytes(struct ll_buf *buf, linli_str s);
void ll_put_list(struct ll_buf *buf, uint32_t count); /* items follow */
void ll_put_map(struct ll_buf *buf, uint32_t count);  /* pairs follow */

struct ll_rd {
    const unsigned char *p;
    const unsigned char *end;
    bool bad; /* sticky */
};

/* Reads `payload`, which is borrowed and must be private memory: never read
 * out of a ring in place. */
struct ll_rd ll_rd(linli_str payload);

/* The tag of the next value, -1 at the end or if bad. */
int ll_rd_peek(const struct ll_rd *rd);
bool ll_rd_bool(struct ll_rd *rd);
int64_t ll_rd_int(struct ll_rd *rd);
/* An integer in [min, max]; out of it is bad. */
int64_t ll_rd_int_in(struct ll_rd *rd, int64_t min, int64_t max);
double ll_rd_double(struct ll_rd *rd);
linli_str ll_rd_bytes(struct ll_rd *rd); /* borrowed from the payload */
/* Bytes or nil; *there tells which. */
linli_str ll_rd_bytes_or_nil(struct ll_rd *rd, bool *there);
uint32_t ll_rd_list(struct ll_rd *rd);
uint32_t ll_rd_map(struct ll_rd *rd);

/* Skips one whole value and returns its bytes, checked: depth, nodes, room.
 * What it returns can be read again without a look at its shape. */
linli_str ll_rd_value(struct ll_rd *rd);

/* True if all was read and nothing was bad. */
bool ll_rd_end(const struct ll_rd *rd);

#endif
