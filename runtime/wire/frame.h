/* wire/frame.h: frames over a byte stream. [any]
 *
 * A frame is a 16-byte little-endian header and a payload of at most
 * LL_FRAME_BYTES_MAX bytes; spec/wire.md is normative. The codec does not
 * know what carries it: a ring (wire/ring.h) or a socket. The header is
 * copied out once, checked, and used from the copy.
 */
#ifndef LL_WIRE_FRAME_H
#define LL_WIRE_FRAME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#define LL_FRAME_HEADER_BYTES 16
#define LL_FRAME_MAGIC 0x4c4cu /* "LL" */
#define LL_WIRE_VERSION 1

/* X(name, number, direction): H host to worker, W worker to host, B both. */
#define LL_FRAME_TYPES(X)                                                  \
    X(HELLO, 1, B)     /* control socket only: versions, limits, config */ \
    X(READY, 2, W)     /* control socket only: the plugin is loaded */     \
    X(REFUSED, 3, W)   /* control socket only: it could not be; why */     \
    X(CALL, 16, H)     /* begin a run */                                   \
    X(ANSWER, 17, H)   /* to a host call of the run */                     \
    X(CANCEL, 18, H)   /* the run's answer is no longer wanted */          \
    X(DRAIN, 19, H)    /* finish what is open, then exit 0 */              \
    X(REPLY, 32, W)    /* ends a run with a response */                    \
    X(FAILED, 33, W)   /* ends a run with a problem */                     \
    X(HOSTCALL, 34, W) /* the run waits for an ANSWER */                   \
    X(LOG, 35, W)      /* a log line of the run; no answer */              \
    X(ENDED, 36, W)    /* a cancelled run is over and its slot is free */

enum ll_frame_type {
#define X(name, number, direction) LL_FRAME_##name = number,
    LL_FRAME_TYPES(X)
#undef X
};

struct ll_frame {
    uint8_t type;  /* enum ll_frame_type, or a number we do not know */
    uint16_t run;  /* 1.. : which run of the call; 0 outside calls */
    uint32_t call; /* the worker's sequence of calls; 0 outside calls */
    linli_str payload;
};

/* Writes a header for `payload_bytes` bytes that follow it. */
void ll_frame_header(unsigned char out[LL_FRAME_HEADER_BYTES],
    const struct ll_frame *frame, size_t payload_bytes);

/* Starts a frame in `buf`; the payload is appended by the caller, then
 * ll_frame_end writes its length. Returns the mark to give back. */
size_t ll_frame_begin(
    struct ll_buf *buf, enum ll_frame_type type, uint32_t call, uint16_t run);
void ll_frame_end(struct ll_buf *buf, size_t mark);

/* Turns a stream of bytes into frames. One per direction and peer. */
struct ll_frame_reader {
    struct ll_buf buf; /* at most one frame and what came after it */
    size_t taken;      /* bytes of buf already returned as frames */
};

/* Empty; `mem` outlives it. */
void ll_frame_reader_init(struct ll_frame_reader *reader, struct ll_mem *mem);
void ll_frame_reader_fini(struct ll_frame_reader *reader);

/* Appends bytes that arrived. */
linli_status ll_frame_feed(
    struct ll_frame_reader *reader, const void *bytes, size_t n) LL_USE_RESULT;

/* The next whole frame; its payload is borrowed until the next feed.
 * LINLI_E_AGAIN: not there yet. LINLI_E_PROTOCOL: the stream is broken for
 * good (wrong magic, version, reserved bits, or a length past the bound). */
linli_status ll_frame_next(
    struct ll_frame_reader *reader, struct ll_frame *frame) LL_USE_RESULT;

#endif
