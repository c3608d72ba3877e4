/* host/reading.h: values of one resident on their way to a plugin. [loop]
 *
 * Decided, read, made into what the plugin may see of them, logged, and
 * decided once more: in the turn in which it is over, and in no later one, the
 * values may be pushed.
 */
#ifndef LL_HOST_READING_H
#define LL_HOST_READING_H

#include "consent/values.h"
#include "host/release.h"

/* One value. */
struct ll_wanted {
    /* what is wanted */
    uint8_t field, purpose;
    bool own; /* the subject's own business */
    /* what became of it */
    struct ll_verdict verdict; /* ALLOW: there is a value, unless `none` */
    struct ll_ask ask;
    bool none;       /* nobody has said it */
    linli_str value; /* compact JSON; wiped at the end */
    struct ll_release *release;
    /* its own */
    struct ll_held held;
};

struct ll_reading {
    struct ll_call *call;
    struct ll_arena *arena;
    uint32_t subject;
    linli_str resident; /* as the app knows them */
    linli_str pid;      /* as the plugin does */
    struct ll_wanted *wanted;
    uint32_t count;
    linli_status status; /* when it is over: LINLI_OK, or in `err` */
    struct ll_err err;
    /* its own */
    uint32_t step, at;
    bool again; /* it has been decided twice */
    linli_str household;
    struct ll_doc *doc, *other;
    char number[LL_RELAY_BYTES_MAX];
};

/* Makes one for `count` values in an arena that outlives it; the caller fills
 * subject, resident, pid and what is wanted. NULL without memory. */
struct ll_reading *ll_reading_new(
    struct ll_call *call, struct ll_arena *arena, uint32_t count);
/* True: it is over, and what it found may be used in this turn. False: `wait`
 * is told, or the call is advanced, when to go on. */
bool ll_reading_go(struct ll_reading *reading, struct ll_wait *wait);
/* Wipes and lets go. NULL inside is fine. */
void ll_reading_end(struct ll_reading **reading);

/* -- relay.c: numbers that stand for a resident -- */

/* Goes on to reading->number, the plugin's number for reading->pid, which is
 * made if there is none. True: it is there, or reading->status says why not.
 */
bool ll_relay_go(struct ll_reading *reading, struct ll_wait *wait);

#endif
