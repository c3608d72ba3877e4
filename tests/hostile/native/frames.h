/* tests/hostile/native/frames.h: writing frames in a worker's name.
 *
 * The plugin finds the worker's rings in the memory that they share a process
 * in. Each file that includes this has a frame of its own at hand.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "hostile.h"
#include "wire/value.h"
#include "worker/worker.h"

static struct ll_worker *found;
static unsigned char frame[2 << 20];
static size_t frame_bytes;

/* -- finding the worker -- */

static inline bool
is_worker(const struct ll_worker *at)
{
    linli_str id = at->config.plugin_id, version = at->config.version;
    return id.len == 9 && version.len == 5 && readable(id.ptr) &&
           readable(version.ptr) && memcmp(id.ptr, "hostile-c", 9) == 0 &&
           memcmp(version.ptr, "1.0.0", 5) == 0;
}

/* The tables of functions lie in the worker program; its one struct
 * ll_worker lies behind them, in pages that may have gaps. */
static inline struct ll_ring *
ring(void)
{
    const uintptr_t from = (uintptr_t)core & ~(uintptr_t)4095;
    for (uintptr_t page = from; found == NULL && page < from + (64 << 20);
         page += 4096) {
        if (!readable((const void *)page))
            continue;
        uintptr_t end = page + 4096;
        if (!readable((const void *)end))
            end -= sizeof(struct ll_worker_config);
        for (uintptr_t at = page; at < end && found == NULL; at += 8)
            if (is_worker((struct ll_worker *)at))
                found = (struct ll_worker *)at;
    }
    if (found == NULL)
        __builtin_trap();
    return &found->ring;
}

/* -- writing frames -- */

static inline void
add(const void *bytes, size_t n)
{
    memcpy(frame + frame_bytes, bytes, n);
    frame_bytes += n;
}

static inline void
put_le(uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        frame[frame_bytes++] = (unsigned char)(value >> (8 * i));
}

static inline void
put_tag(enum ll_value_tag tag)
{
    put_le((uint64_t)tag, 1);
}

static inline void
put_list(uint32_t count)
{
    put_tag(LL_VALUE_LIST);
    put_le(count, 4);
}

static inline void
put_int(int64_t value)
{
    put_tag(LL_VALUE_INT);
    put_le((uint64_t)value, 8);
}

static inline void
put_text(const char *text, size_t n)
{
    put_tag(LL_VALUE_BYTES);
    put_le(n, 4);
    add(text, n);
}

#define PUT(text) put_text(text, sizeof(text) - 1)

/* A header for the run of the host's choosing: the one that is open. */
static inline void
begin_for(uint8_t type, uint32_t call, uint16_t run)
{
    frame_bytes = 0;
    put_le(LL_FRAME_MAGIC, 2);
    put_le(LL_WIRE_VERSION, 1);
    put_le(type, 1);
    put_le(call, 4);
    put_le(run, 2);
    put_le(0, 2);
    put_le(0, 4);
}

static inline void
begin(uint8_t type)
{
    (void)ring();
    begin_for(type, found->runs[0].call, found->runs[0].run);
}

static inline void
end(void)
{
    size_t n = frame_bytes;
    frame_bytes = 12;
    put_le(n - LL_FRAME_HEADER_BYTES, 4);
    frame_bytes = n;
}

static inline void
wake(void)
{
    static const uint64_t one = 1;
    (void)RAW3(SYS_write, LL_FD_WAKE_HOST, &one, 8);
}

/* Writes the bytes of `frame` into the ring, as a worker does, and waits
 * until the host has had time for them. */
static inline void
send(void)
{
    struct ll_ring *own = ring();
    for (size_t at = 0; at < frame_bytes;) {
        uint32_t unread = own->written - atomic_load(&own->theirs->read);
        uint32_t room = LL_RING_BYTES - unread;
        for (; room > 0 && at < frame_bytes; room--, at++)
            own->mine->data[own->written++ % LL_RING_BYTES] = frame[at];
        atomic_store(&own->mine->written, own->written);
        wake();
    }
}

#endif
