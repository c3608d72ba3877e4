/* world/channel.c: socketpair, sealed memfds and eventfds of a worker. */
#include "world/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Debian 12's headers are older than its kernel. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static const struct ll_channel closed = {.control = -1,
    .control_peer = -1,
    .host_area_fd = -1,
    .worker_area_fd = -1,
    .wake_worker = -1,
    .wake_host = -1};

static int
memfd(size_t bytes)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("linli-ring", flags | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create("linli-ring", flags);
    if (fd >= 0 && ftruncate(fd, (off_t)bytes) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Maps both areas and seals them: ours so that nobody else can write it,
 * both so that nobody can resize them and send the reader a SIGBUS. */
static bool
map_areas(struct ll_channel *channel)
{
    const int fixed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    channel->host_area = mmap(NULL, channel->area_bytes, PROT_READ | PROT_WRITE,
        MAP_SHARED, channel->host_area_fd, 0);
    channel->worker_area = mmap(NULL, channel->area_bytes, PROT_READ,
        MAP_SHARED, channel->worker_area_fd, 0);
    if (channel->host_area == MAP_FAILED)
        channel->host_area = NULL;
    if (channel->worker_area == MAP_FAILED)
        channel->worker_area = NULL;
    return channel->host_area != NULL && channel->worker_area != NULL &&
           fcntl(channel->host_area_fd, F_ADD_SEALS,
               fixed | F_SEAL_FUTURE_WRITE) == 0 &&
           fcntl(channel->worker_area_fd, F_ADD_SEALS, fixed) == 0;
}

linli_status
ll_channel_open(
    struct ll_channel *channel, size_t area_bytes, struct ll_err *err)
{
    int pair[2] = {-1, -1};
    *channel = closed;
    channel->area_bytes = area_bytes;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        goto fail;
    channel->control = pair[0];
    channel->control_peer = pair[1];
    channel->host_area_fd = memfd(area_bytes);
    channel->worker_area_fd = memfd(area_bytes);
    channel->wake_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    channel->wake_host = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (channel->host_area_fd >= 0 && channel->worker_area_fd >= 0 &&
        channel->wake_worker >= 0 && channel->wake_host >= 0 &&
        fcntl(channel->control, F_SETFL, O_NONBLOCK) == 0 && map_areas(channel))
        return LINLI_OK;
fail:;
    int why = errno;
    ll_channel_close(channel);
    return ll_fail(err, LINLI_E_IO, "runtime/internal",
        "no descriptors for a worker: %s", strerror(why));
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void
ll_channel_close_peer(struct ll_channel *channel)
{
    close_fd(&channel->control_peer);
    close_fd(&channel->host_area_fd);
    close_fd(&channel->worker_area_fd);
}

void
ll_channel_close(struct ll_channel *channel)
{
    /* munmap takes no const, and writes nothing. */
    union {
        const void *from;
        void *to;
    } worker_area = {.from = channel->worker_area};
    ll_channel_close_peer(channel);
    close_fd(&channel->control);
    close_fd(&channel->wake_worker);
    close_fd(&channel->wake_host);
    if (channel->host_area != NULL)
        (void)munmap(channel->host_area, channel->area_bytes);
    if (channel->worker_area != NULL)
        (void)munmap(worker_area.to, channel->area_bytes);
    *channel = closed;
}

linli_status
ll_channel_tell(struct ll_channel *channel, const void *bytes, size_t n)
{
    ssize_t sent = send(channel->control, bytes, n, MSG_NOSIGNAL);
    if (sent == (ssize_t)n)
        return LINLI_OK;
    return sent >= 0 || errno == EAGAIN ? LINLI_E_LIMIT : LINLI_E_CLOSED;
}

linli_status
ll_channel_hear(struct ll_channel *channel, void *bytes, size_t n, size_t *got)
{
    *got = 0;
    ssize_t have = recv(channel->control, bytes, n, 0);
    if (have > 0) {
        *got = (size_t)have;
        return LINLI_OK;
    }
    return have < 0 && errno == EAGAIN ? LINLI_E_AGAIN : LINLI_E_CLOSED;
}

static void
wake(int fd)
{
    const uint64_t one = 1;
    /* EAGAIN means that a wake is pending already. */
    ssize_t n = write(fd, &one, sizeof one);
    LL_UNUSED(n);
}

void
ll_channel_wake_worker(struct ll_channel *channel)
{
    wake(channel->wake_worker);
}

void
ll_channel_wake_self(struct ll_channel *channel)
{
    wake(channel->wake_host);
}

void
ll_channel_woken(struct ll_channel *channel)
{
    uint64_t count;
    ssize_t n = read(channel->wake_host, &count, sizeof count);
    LL_UNUSED(n);
}
