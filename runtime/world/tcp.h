/* world/tcp.h: listening sockets and connections. [loop] */
#ifndef LL_WORLD_TCP_H
#define LL_WORLD_TCP_H

#include "world/world.h"

struct ll_listener;
struct ll_conn;

/* Listens on "ADDRESS:PORT" ("127.0.0.1:0", "[::1]:8080"; port 0 lets the
 * system choose). `accept` gets each connection, paused, and owns it.
 * Failure: "listen/failed". */
linli_status ll_listen(struct ll_world *world, linli_str address,
    void (*accept)(void *user, struct ll_conn *conn), void *user,
    struct ll_listener **out, struct ll_err *err) LL_USE_RESULT;
/* "127.0.0.1:40001", the real port; NUL-terminated, at most 64 bytes. */
void ll_listener_address(const struct ll_listener *listener, char out[64]);
void ll_listener_free(struct ll_listener **listener);

struct ll_conn_ops {
    /* Bytes that arrived; borrowed until return. */
    void (*read)(void *user, const char *bytes, size_t n);
    /* The peer sends no more, or the connection broke. Called once. */
    void (*end)(void *user, bool broken);
    /* All that was written has left for the kernel. */
    void (*drained)(void *user);
};

/* Sets the callbacks and begins to read. `ops` must outlive the conn. */
void ll_conn_start(
    struct ll_conn *conn, const struct ll_conn_ops *ops, void *user);
/* Back-pressure: stop and go on reading. */
void ll_conn_pause(struct ll_conn *conn);
void ll_conn_resume(struct ll_conn *conn);

/* Writes now what the kernel takes and queues a copy of the rest.
 * LINLI_E_LIMIT: more than `LL_CONN_QUEUE_BYTES_MAX` would wait: close. */
#define LL_CONN_QUEUE_BYTES_MAX ((size_t)16 << 20)
linli_status ll_conn_write(
    struct ll_conn *conn, const void *bytes, size_t n) LL_USE_RESULT;
/* Bytes that wait for the peer. */
size_t ll_conn_queued(const struct ll_conn *conn);

/* Closes at once; no callback comes after. */
void ll_conn_free(struct ll_conn **conn);
/* Sends what is queued, then closes; at most `within_ms`. No callback. */
void ll_conn_finish(struct ll_conn **conn, int64_t within_ms);

#endif
