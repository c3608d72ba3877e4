/* tests/unit/http_peer.h: an HTTP server on the loop of a test that behaves
 * as the path of the request says. */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include "base/buf.h"
#include "base/text.h"
#include "t.h"
#include "world/tcp.h"

struct peer {
    struct ll_conn *conn;
    struct peer *next;
    struct ll_buf in;
    const char *more; /* written again and again */
};

static struct ll_mem mem;
static struct ll_world *world;
static struct ll_listener *listener;
static struct peer *peers;
static char address[64]; /* "127.0.0.1:PORT" */
static int requests, connections;
static char last_request[4096];

struct behaviour {
    const char *path, *head, *more;
    bool closes;
};

/* What every test may ask for; its own come from `peer_more`. */
static const struct behaviour *peer_more;

static const struct behaviour behaviours[] = {
    {"/hello", "HTTP/1.1 200 OK\r\nX-One:  1 \r\nContent-Length: 2\r\n\r\nhi",
        NULL, false},
    {"/silent", "", NULL, false},
    {"/stuck", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", NULL, false},
    {"/endless", "HTTP/1.1 200 OK\r\n\r\n", "more and more and more ", false},
    {"/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "4\r\nmore\r\n", false},
    {"/huge", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "a",
        false},
    {"/heads", "HTTP/1.1 200 OK\r\n", "X-More: and more\r\n", false},
    {"/head", "HTTP/1.1 200 OK\r\nX-Long: ", "aaaaaaaaaaaaaaaaaaaa", false},
    {"/interim", "HTTP/1.1 103 Early\r\n\r\n", "HTTP/1.1 103 Early\r\n\r\n",
        false},
    {"/hints",
        "HTTP/1.1 103 Early\r\nX-Hint: 1\r\n\r\n"
        "HTTP/1.1 201 Made\r\nX-Two: 2\r\n folded\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
        "2\r\nok\r\n0\r\nX-Trailer: 3\r\n\r\n",
        NULL, false},
    {"/gone", "", NULL, true},
    {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", NULL, true},
    {"/old", "hello\n", NULL, true},
    {"/zipped",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
        "Content-Length: 3\r\n\r\n\x1f\x8b!",
        NULL, false},
    {"/cookie",
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", NULL,
        false},
    {"/login",
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
        "Content-Length: 0\r\n\r\n",
        NULL, false},
    {"/there",
        "HTTP/1.1 302 Found\r\nLocation: /hello\r\n"
        "Content-Length: 0\r\n\r\n",
        NULL, false},
};

static inline void
peer_write_more(struct peer *peer)
{
    char many[4096];
    size_t one = peer->more == NULL ? 0 : strlen(peer->more), n = 0;
    for (; one > 0 && n + one <= sizeof many; n += one)
        memcpy(many + n, peer->more, one);
    while (peer->more != NULL && ll_conn_queued(peer->conn) < 65536)
        if (ll_conn_write(peer->conn, many, n) != LINLI_OK)
            peer->more = NULL;
}

static inline void
peer_answer(struct peer *peer)
{
    linli_str rest = ll_buf_view(&peer->in), method, path;
    (void)ll_str_split(&rest, ' ', &method);
    (void)ll_str_split(&rest, ' ', &path);
    requests++;
    snprintf(last_request, sizeof last_request, "%.*s", (int)peer->in.len,
        peer->in.ptr);
    const struct behaviour *b = NULL;
    for (size_t i = 0; i < LL_COUNT(behaviours); i++)
        if (ll_str_is(path, behaviours[i].path))
            b = &behaviours[i];
    for (size_t i = 0; peer_more != NULL && peer_more[i].path != NULL; i++)
        if (ll_str_is(path, peer_more[i].path))
            b = &peer_more[i];
    if (b != NULL) {
        if (b->head[0] != '\0')
            T_INT(
                ll_conn_write(peer->conn, b->head, strlen(b->head)), LINLI_OK);
        peer->more = b->more;
        if (b->closes)
            ll_conn_finish(&peer->conn, 1000);
        else
            peer_write_more(peer);
    }
    ll_buf_clear(&peer->in);
}

static inline void
peer_on_read(void *user, const char *bytes, size_t n)
{
    struct peer *peer = user;
    ll_buf_add(&peer->in, bytes, n);
    if (peer->in.len > 4 &&
        memmem(peer->in.ptr, peer->in.len, "\r\n\r\n", 4) != NULL)
        peer_answer(peer);
}

static inline void
peer_on_end(void *user, bool broken)
{
    struct peer *peer = user;
    (void)broken;
    peer->more = NULL;
    ll_conn_free(&peer->conn);
}

static inline void
peer_on_drained(void *user)
{
    peer_write_more(user);
}

static const struct ll_conn_ops peer_ops = {
    peer_on_read, peer_on_end, peer_on_drained};

static inline void
peer_on_accept(void *user, struct ll_conn *conn)
{
    struct peer *peer = ll_alloc(&mem, sizeof *peer);
    (void)user;
    connections++;
    peer->conn = conn;
    ll_buf_init(&peer->in, &mem, 65536);
    peer->next = peers;
    peers = peer;
    ll_conn_start(conn, &peer_ops, peer);
}

static inline void
peer_begin(void)
{
    ll_mem_init(&mem, 0);
    requests = connections = 0;
    T_INT(ll_world_new(&mem, &world, NULL), LINLI_OK);
    T_INT(ll_listen(world, LINLI_STR("127.0.0.1:0"), peer_on_accept, NULL,
              &listener, NULL),
        LINLI_OK);
    ll_listener_address(listener, address);
}

static inline void
peer_end(void)
{
    ll_listener_free(&listener);
    for (struct peer *peer; (peer = peers) != NULL;) {
        peers = peer->next;
        ll_conn_free(&peer->conn);
        ll_buf_fini(&peer->in);
        ll_release(&mem, peer, sizeof *peer);
    }
    ll_world_free(&world);
    T_INT(mem.used_bytes, 0);
}

#endif
