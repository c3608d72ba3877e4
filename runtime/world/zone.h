/* world/zone.h: time zones, from the system's tzdata. [any] */
#ifndef LL_WORLD_ZONE_H
#define LL_WORLD_ZONE_H

#include "base/err.h"
#include "base/mem.h"

/* From changes[2i] (ms since 1970) on, local time is UTC plus
 * changes[2i + 1] seconds; the first entry reaches back for ever. Zones that
 * still change their clocks are known as far as the system's file lists
 * (2037 on Debian). */
struct ll_zone {
    int64_t *changes;
    uint32_t count; /* pairs */
};

/* Reads the zone `name` (RFC 8536, version 2 or later). Allocated from
 * `arena`. Fails with "config/invalid" and says what to install. */
linli_status ll_zone_load(struct ll_arena *arena, linli_str name,
    struct ll_zone *out, struct ll_err *err) LL_USE_RESULT;

#endif
