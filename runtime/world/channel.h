/* world/channel.h: the descriptors between the host and one worker. [loop]
 *
 * A socketpair for the handshake and the news of death, two sealed memfds
 * for the rings, two eventfds to wake each other. The host's memfd is
 * sealed against writing by anybody who maps it after us.
 */
#ifndef LL_WORLD_CHANNEL_H
#define LL_WORLD_CHANNEL_H

#include "base/err.h"

struct ll_channel {
    int control;      /* ours; non-blocking, close-on-exec */
    int control_peer; /* the worker's end; closed once it has started */
    int host_area_fd, worker_area_fd; /* closed once it has started */
    int wake_worker, wake_host;       /* eventfds, non-blocking */
    void *host_area;                  /* ours to write */
    const void *worker_area;          /* mapped read-only here */
    size_t area_bytes;
};

/* Opens all of it; on failure nothing stays open. Areas start zeroed. */
linli_status ll_channel_open(struct ll_channel *channel, size_t area_bytes,
    struct ll_err *err) LL_USE_RESULT;
/* What only the worker needed to inherit. */
void ll_channel_close_peer(struct ll_channel *channel);
void ll_channel_close(struct ll_channel *channel);

/* Writes all of `n` bytes to the worker or fails; never blocks. */
linli_status ll_channel_tell(
    struct ll_channel *channel, const void *bytes, size_t n) LL_USE_RESULT;
/* Reads what is there; *got 0 and LINLI_E_AGAIN if nothing, LINLI_E_CLOSED at
 * the end. Descriptors that a peer tries to pass are dropped by the kernel,
 * because no control buffer is given. */
linli_status ll_channel_hear(struct ll_channel *channel, void *bytes, size_t n,
    size_t *got) LL_USE_RESULT;

/* Wakes the worker; resets our own eventfd after it woke us. */
void ll_channel_wake_worker(struct ll_channel *channel);
void ll_channel_woken(struct ll_channel *channel);
/* Makes our own eventfd readable: the next turn must not block. */
void ll_channel_wake_self(struct ll_channel *channel);

#endif
