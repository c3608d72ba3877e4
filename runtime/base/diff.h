/* base/diff.h: how two texts differ, for people. [any] */
#ifndef LL_BASE_DIFF_H
#define LL_BASE_DIFF_H

#include "base/json.h"

/* Appends a unified diff of two texts, line by line, with three lines of
 * context; nothing if they are equal. The shortest one while the changed
 * middle is no larger than LL_DIFF_CELLS_MAX, else all of the one middle and
 * then all of the other. False without memory. */
bool ll_diff_put(struct ll_buf *out, linli_str before, linli_str after);

/* Appends a value of a tape as JSON of many lines, two spaces a level,
 * members in their order, without a line feed at its end. */
void ll_json_pretty(struct ll_buf *out, struct ll_jv value);

#endif
