/* world/tcp_uv.c: listening and connections over libuv. [loop]
 *
 * A write goes to the kernel at once (uv_try_write); only what it refuses is
 * copied and queued, in one request at a time, so that a connection's steady
 * state allocates nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "world/tcp.h"
#include "world/world_uv.h"

#define BACKLOG 511
#define KEEP_BYTES ((size_t)16 << 10) /* of a queue that has been sent */
#define ACCEPT_RETRY_MS 50            /* after a connection found no memory */

struct ll_listener {
    uv_tcp_t tcp;
    uv_timer_t retry;
    struct ll_world *world;
    void (*accept)(void *user, struct ll_conn *conn);
    void *user;
    int open_handles;
};

struct ll_conn {
    uv_tcp_t tcp;
    uv_timer_t finish; /* bounds a polite close */
    uv_write_t request;
    struct ll_world *world;
    const struct ll_conn_ops *ops; /* NULL once nobody listens */
    void *user;
    struct ll_buf sending; /* in `request` now */
    struct ll_buf waiting; /* goes next */
    bool writing, ended, finishing, closing;
    int open_handles;
    uv_shutdown_t shutdown;
};

static void
on_conn_closed(uv_handle_t *handle)
{
    struct ll_conn *conn = handle->data;
    if (--conn->open_handles > 0)
        return;
    ll_buf_fini(&conn->sending);
    ll_buf_fini(&conn->waiting);
    ll_release(conn->world->mem, conn, sizeof *conn);
}

static void
conn_close(struct ll_conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = true;
    conn->ops = NULL;
    uv_close((uv_handle_t *)&conn->tcp, on_conn_closed);
    uv_close((uv_handle_t *)&conn->finish, on_conn_closed);
}

static struct ll_conn *
conn_new(struct ll_world *world)
{
    struct ll_conn *conn = ll_alloc(world->mem, sizeof *conn);
    if (conn == NULL)
        return NULL;
    conn->world = world;
    ll_buf_init(&conn->sending, world->mem, LL_CONN_QUEUE_BYTES_MAX);
    ll_buf_init(&conn->waiting, world->mem, LL_CONN_QUEUE_BYTES_MAX);
    (void)uv_tcp_init(&world->loop, &conn->tcp);
    (void)uv_timer_init(&world->loop, &conn->finish);
    conn->tcp.data = conn;
    conn->finish.data = conn;
    conn->request.data = conn;
    conn->open_handles = 2;
    return conn;
}

static void on_retry(uv_timer_t *timer);

static void
on_connection(uv_stream_t *server, int status)
{
    struct ll_listener *listener = server->data;
    if (status != 0)
        return;
    struct ll_conn *conn = conn_new(listener->world);
    /* Without memory the connection stays in the backlog until there is.
     * libuv stops polling until it is accepted, so nobody else asks again. */
    if (conn == NULL) {
        (void)uv_timer_start(&listener->retry, on_retry, ACCEPT_RETRY_MS, 0);
        return;
    }
    if (uv_accept(server, (uv_stream_t *)&conn->tcp) != 0) {
        conn_close(conn);
        return;
    }
    (void)uv_tcp_nodelay(&conn->tcp, 1);
    listener->accept(listener->user, conn);
}

static void
on_retry(uv_timer_t *timer)
{
    struct ll_listener *listener = timer->data;
    on_connection((uv_stream_t *)&listener->tcp, 0);
}

/* "[::1]:80" or "127.0.0.1:80" to a socket address. */
static bool
parse_address(linli_str text, struct sockaddr_storage *out)
{
    char host[64];
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    int64_t port = 0;
    if (colon == 0 || colon > sizeof host)
        return false;
    linli_str digits = {text.ptr + colon, text.len - colon};
    if (!ll_str_int(digits, 0, 65535, &port))
        return false;
    size_t n = colon - 1, skip = 0;
    bool v6 = n >= 2 && text.ptr[0] == '[' && text.ptr[n - 1] == ']';
    if (v6)
        skip = 1;
    memcpy(host, text.ptr + skip, n - 2 * skip);
    host[n - 2 * skip] = '\0';
    int bad = v6 ? uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)out)
                 : uv_ip4_addr(host, (int)port, (struct sockaddr_in *)out);
    return bad == 0;
}

static void
on_listener_closed(uv_handle_t *handle)
{
    struct ll_listener *listener = handle->data;
    if (--listener->open_handles == 0)
        ll_release(listener->world->mem, listener, sizeof *listener);
}

static void
listener_close(struct ll_listener *listener)
{
    uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
    uv_close((uv_handle_t *)&listener->retry, on_listener_closed);
}

linli_status
ll_listen(struct ll_world *world, linli_str address,
    void (*accept)(void *user, struct ll_conn *conn), void *user,
    struct ll_listener **out, struct ll_err *err)
{
    struct sockaddr_storage where = {0};
    *out = NULL;
    if (!parse_address(address, &where))
        return ll_fail(err, LINLI_E_INVALID, "listen/failed",
            "'%.*s' is not ADDRESS:PORT, such as 127.0.0.1:8080 or "
            "[::1]:8080",
            LL_FMT(address));
    struct ll_listener *listener = ll_alloc(world->mem, sizeof *listener);
    if (listener == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no listener");
    *listener =
        (struct ll_listener){.world = world, .accept = accept, .user = user};
    (void)uv_tcp_init(&world->loop, &listener->tcp);
    (void)uv_timer_init(&world->loop, &listener->retry);
    listener->tcp.data = listener;
    listener->retry.data = listener;
    listener->open_handles = 2;
    int bad = uv_tcp_bind(&listener->tcp, (struct sockaddr *)&where, 0);
    if (bad == 0)
        bad = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
    if (bad == 0) {
        *out = listener;
        return LINLI_OK;
    }
    listener_close(listener);
    return ll_fail(err, LINLI_E_IO, "listen/failed", "%.*s: %s",
        LL_FMT(address), uv_strerror(bad));
}

void
ll_listener_address(const struct ll_listener *listener, char out[64])
{
    struct sockaddr_storage where = {0};
    int size = sizeof where;
    char host[48] = "";
    (void)uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&where, &size);
    bool v6 = where.ss_family == AF_INET6;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&where;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&where;
    if (v6)
        (void)uv_ip6_name(six, host, sizeof host);
    else
        (void)uv_ip4_name(four, host, sizeof host);
    (void)snprintf(out, 64, v6 ? "[%s]:%d" : "%s:%d", host,
        ntohs(v6 ? six->sin6_port : four->sin_port));
}

void
ll_listener_free(struct ll_listener **listener)
{
    if (*listener != NULL)
        listener_close(*listener);
    *listener = NULL;
}

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct ll_conn *conn = handle->data;
    LL_UNUSED(suggested);
    *buf = uv_buf_init(conn->world->read, LL_WORLD_READ_BYTES);
}

static void
conn_end(struct ll_conn *conn, bool broken)
{
    if (conn->ended)
        return;
    conn->ended = true;
    (void)uv_read_stop((uv_stream_t *)&conn->tcp);
    if (conn->ops != NULL)
        conn->ops->end(conn->user, broken);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct ll_conn *conn = stream->data;
    if (n < 0 && conn->finishing)
        conn_close(conn);
    else if (n < 0)
        conn_end(conn, n != UV_EOF);
    else if (n > 0 && conn->ops != NULL)
        conn->ops->read(conn->user, buf->base, (size_t)n);
}

void
ll_conn_start(struct ll_conn *conn, const struct ll_conn_ops *ops, void *user)
{
    conn->ops = ops;
    conn->user = user;
    ll_conn_resume(conn);
}

void
ll_conn_pause(struct ll_conn *conn)
{
    (void)uv_read_stop((uv_stream_t *)&conn->tcp);
}

void
ll_conn_resume(struct ll_conn *conn)
{
    if (!conn->ended && !conn->closing)
        (void)uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

static void
on_shut_down(uv_shutdown_t *request, int status)
{
    LL_UNUSED(request); /* the peer's end, or the timer, closes */
    LL_UNUSED(status);
}

/* All has left: say so to the peer, and wait for its own end. Closing with
 * bytes unread would reset the connection and destroy what we sent. */
static void
shut_down(struct ll_conn *conn)
{
    if (conn->ended || uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp,
                           on_shut_down) != 0)
        conn_close(conn);
}

static void on_written(uv_write_t *request, int status);

static void
send_waiting(struct ll_conn *conn)
{
    struct ll_buf empty = conn->sending;
    ll_buf_clear(&empty);
    conn->sending = conn->waiting;
    conn->waiting = empty;
    uv_buf_t out = uv_buf_init(conn->sending.ptr, (unsigned)conn->sending.len);
    conn->writing = uv_write(&conn->request, (uv_stream_t *)&conn->tcp, &out, 1,
                        on_written) == 0;
    if (!conn->writing)
        conn_end(conn, true);
}

static void
on_written(uv_write_t *request, int status)
{
    struct ll_conn *conn = request->data;
    conn->writing = false;
    ll_buf_reset(&conn->sending, KEEP_BYTES);
    if (conn->closing)
        return;
    if (status != 0) {
        if (conn->finishing)
            conn_close(conn);
        else
            conn_end(conn, true);
        return;
    }
    if (conn->waiting.len > 0)
        send_waiting(conn);
    else if (conn->finishing)
        shut_down(conn);
    else if (conn->ops != NULL)
        conn->ops->drained(conn->user);
}

linli_status
ll_conn_write(struct ll_conn *conn, const void *bytes, size_t n)
{
    size_t sent = 0;
    if (!conn->writing) {
        /* uv_buf_t has no const; libuv only reads from it here. */
        union {
            const void *from;
            char *to;
        } base = {.from = bytes};
        uv_buf_t out = uv_buf_init(base.to, (unsigned)n);
        int now = uv_try_write((uv_stream_t *)&conn->tcp, &out, 1);
        if (now > 0)
            sent = (size_t)now;
        else if (now != UV_EAGAIN)
            return LINLI_E_CLOSED;
    }
    if (sent == n)
        return LINLI_OK;
    ll_buf_add(&conn->waiting, (const char *)bytes + sent, n - sent);
    if (conn->waiting.failed)
        return LINLI_E_LIMIT;
    if (!conn->writing)
        send_waiting(conn);
    return LINLI_OK;
}

size_t
ll_conn_queued(const struct ll_conn *conn)
{
    return conn->sending.len + conn->waiting.len;
}

void
ll_conn_free(struct ll_conn **conn)
{
    if (*conn != NULL)
        conn_close(*conn);
    *conn = NULL;
}

static void
on_finish_late(uv_timer_t *timer)
{
    conn_close(timer->data);
}

void
ll_conn_finish(struct ll_conn **conn_at, int64_t within_ms)
{
    struct ll_conn *conn = *conn_at;
    *conn_at = NULL;
    if (conn == NULL)
        return;
    conn->ops = NULL;
    conn->finishing = true;
    ll_conn_resume(conn); /* reads and drops */
    (void)uv_timer_start(&conn->finish, on_finish_late, (uint64_t)within_ms, 0);
    if (!conn->writing)
        shut_down(conn);
}
