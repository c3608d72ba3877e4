/* wire/ring.h: two byte rings between a host and one worker. [one thread
 * each side]
 *
 * Each side owns one sealed memfd and writes only there: its write index,
 * how far it has read the other's ring, its sleep flag and 32 KiB of data.
 * The host's area is read-only in the worker. Indices run on through 2^32
 * and are masked; each side keeps its own privately and trusts only the
 * copy: a peer index out of range is a protocol error (spec/wire.md).
 *
 * Nobody waits on a full ring: write says how much went in. To sleep: set
 * the flag, fence, look again, then block on the eventfd. To wake: publish,
 * fence, read the flag, and only if it asks for it write the eventfd.
 */
#ifndef LL_WIRE_RING_H
#define LL_WIRE_RING_H

#include "base/defs.h"
#include "base/limits.h"

/* What one side publishes; one cache line for what the peer polls. */
struct ll_ring_area {
    _Alignas(64) _Atomic uint32_t written; /* bytes ever, mod 2^32 */
    _Atomic uint32_t read;                 /* of the peer's ring */
    _Atomic uint32_t asleep;  /* LL_RING_ bits: wake me for these */
    _Atomic uint32_t running; /* worker: call in hand, or 0 */
    _Atomic uint32_t turns;   /* worker: returns to its loop */
    _Alignas(64) unsigned char data[LL_RING_BYTES];
};

struct ll_ring {
    struct ll_ring_area *mine;
    const struct ll_ring_area *theirs;
    uint32_t written; /* private truth of mine->written */
    uint32_t read;    /* private truth of mine->read */
};

#define LL_RING_AREA_BYTES (sizeof(struct ll_ring_area))

/* Both areas must be mapped and start zeroed; `theirs` may be read-only. */
void ll_ring_init(struct ll_ring *ring, struct ll_ring_area *mine,
    const struct ll_ring_area *theirs);

/* Copies in as much as there is room for, at most LL_RING_PART_BYTES, and
 * publishes it. *taken may be 0. LINLI_E_PROTOCOL: the peer's index lies. */
linli_status ll_ring_write(struct ll_ring *ring, const void *bytes, size_t n,
    size_t *taken) LL_USE_RESULT;

/* Copies out at most `n` bytes; *got may be 0. */
linli_status ll_ring_read(
    struct ll_ring *ring, void *bytes, size_t n, size_t *got) LL_USE_RESULT;

/* After writing and reading: true if the peer sleeps and what we did is what
 * it sleeps for. */
bool ll_ring_must_wake(const struct ll_ring *ring, bool wrote, bool read);
bool ll_ring_peer_asleep(const struct ll_ring *ring);
/* What the peer publishes about itself; a worker's lie harms only itself. */
uint32_t ll_ring_peer_running(const struct ll_ring *ring);
uint32_t ll_ring_peer_turns(const struct ll_ring *ring);

/* What a sleeper waits for; what its flag says. */
enum {
    LL_RING_DATA = 1, /* something to read */
    LL_RING_ROOM = 2, /* room in its own ring */
};

/* Says that we are about to sleep until one of `wanted` (bits above) is
 * there; true if none is yet, so that blocking is safe. */
bool ll_ring_sleep(struct ll_ring *ring, unsigned wanted);
void ll_ring_awake(struct ll_ring *ring);

#endif
