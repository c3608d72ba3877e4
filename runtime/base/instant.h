/* base/instant.h: instants and durations that people write. [any] */
#ifndef LL_BASE_INSTANT_H
#define LL_BASE_INSTANT_H

#include "base/defs.h"

/* Years 0000 to 9999 in UTC, the range that RFC 3339 can write. */
#define LL_INSTANT_MS_MIN (-62167219200000LL)
#define LL_INSTANT_MS_MAX 253402300799999LL

/* "2026-03-02T09:00:00+08:00" (RFC 3339; what is finer than a millisecond is
 * cut off, a leap second refused) or milliseconds since 1970 as an integer.
 * False, and *ms kept, for anything else and outside the range above. */
bool ll_instant_read(linli_str text, int64_t *ms);

/* "90s", "250ms", "1d12h": days, hours, minutes, seconds, milliseconds, each
 * at most once and the greater first. False, and *ms kept, for anything else
 * and past LL_INSTANT_MS_MAX. */
bool ll_duration_read(linli_str text, int64_t *ms);

#endif
