/* wire/ring.c: single-producer single-consumer byte rings in shared memory. */
#include "wire/ring.h"

#include <stdatomic.h>
#include <string.h>

#define MASK (LL_RING_BYTES - 1u)
_Static_assert((LL_RING_BYTES & MASK) == 0, "the ring's size masks indices");

void
ll_ring_init(struct ll_ring *ring, struct ll_ring_area *mine,
    const struct ll_ring_area *theirs)
{
    *ring = (struct ll_ring){.mine = mine, .theirs = theirs};
}

static uint32_t
load(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

linli_status
ll_ring_write(struct ll_ring *ring, const void *bytes, size_t n, size_t *taken)
{
    *taken = 0;
    uint32_t unread = ring->written - load(&ring->theirs->read);
    if (unread > LL_RING_BYTES)
        return LINLI_E_PROTOCOL;
    size_t room = LL_RING_BYTES - unread;
    if (n > room)
        n = room;
    if (n > LL_RING_PART_BYTES)
        n = LL_RING_PART_BYTES;
    if (n == 0)
        return LINLI_OK;
    uint32_t at = ring->written & MASK;
    size_t first = LL_RING_BYTES - at < n ? LL_RING_BYTES - at : n;
    memcpy(ring->mine->data + at, bytes, first);
    memcpy(ring->mine->data, (const char *)bytes + first, n - first);
    ring->written += (uint32_t)n;
    atomic_store_explicit(
        &ring->mine->written, ring->written, memory_order_release);
    *taken = n;
    return LINLI_OK;
}

linli_status
ll_ring_read(struct ll_ring *ring, void *bytes, size_t n, size_t *got)
{
    *got = 0;
    uint32_t unread = load(&ring->theirs->written) - ring->read;
    if (unread > LL_RING_BYTES)
        return LINLI_E_PROTOCOL;
    if (n > unread)
        n = unread;
    if (n == 0)
        return LINLI_OK;
    uint32_t at = ring->read & MASK;
    size_t first = LL_RING_BYTES - at < n ? LL_RING_BYTES - at : n;
    memcpy(bytes, ring->theirs->data + at, first);
    memcpy((char *)bytes + first, ring->theirs->data, n - first);
    ring->read += (uint32_t)n;
    atomic_store_explicit(&ring->mine->read, ring->read, memory_order_release);
    *got = n;
    return LINLI_OK;
}

bool
ll_ring_peer_asleep(const struct ll_ring *ring)
{
    return load(&ring->theirs->asleep) != 0;
}

bool
ll_ring_must_wake(const struct ll_ring *ring, bool wrote, bool read)
{
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t asleep = load(&ring->theirs->asleep);
    return (wrote && (asleep & LL_RING_DATA) != 0) ||
           (read && (asleep & LL_RING_ROOM) != 0);
}

uint32_t
ll_ring_peer_running(const struct ll_ring *ring)
{
    return load(&ring->theirs->running);
}

uint32_t
ll_ring_peer_turns(const struct ll_ring *ring)
{
    return load(&ring->theirs->turns);
}

bool
ll_ring_sleep(struct ll_ring *ring, unsigned wanted)
{
    atomic_store_explicit(&ring->mine->asleep, wanted, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    bool data = load(&ring->theirs->written) != ring->read;
    bool room = ring->written - load(&ring->theirs->read) != LL_RING_BYTES;
    bool quiet = !(data && (wanted & LL_RING_DATA) != 0) &&
                 !(room && (wanted & LL_RING_ROOM) != 0);
    if (!quiet)
        ll_ring_awake(ring);
    return quiet;
}

void
ll_ring_awake(struct ll_ring *ring)
{
    atomic_store_explicit(&ring->mine->asleep, 0, memory_order_relaxed);
}
