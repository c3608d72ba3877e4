/* tests/unit/test_world.c: the loop, timers and connections. */
#include <stdlib.h>

#include "base/text.h"
#include "t.h"
#include "world/tcp.h"

struct pair {
    struct ll_world *world;
    struct ll_conn *server;
    size_t got;
    bool ended;
    int fired;
};

static void
on_fire(void *user)
{
    struct pair *pair = user;
    if (++pair->fired == 3)
        ll_world_stop(pair->world);
}

T_CASE(timer_repeats_and_frees)
{
    struct ll_mem mem;
    struct pair pair = {0};
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &pair.world, NULL), LINLI_OK);
    struct ll_timer *timer = ll_timer_new(pair.world, on_fire, &pair);
    ll_timer_set(timer, 1, 1);
    ll_world_run(pair.world);
    T_INT(pair.fired, 3);
    ll_timer_free(&timer);
    ll_world_free(&pair.world);
    T_INT(mem.used_bytes, 0);
}

static void
on_server_read(void *user, const char *bytes, size_t n)
{
    struct pair *pair = user;
    (void)bytes;
    pair->got += n;
}

static void
on_server_end(void *user, bool broken)
{
    struct pair *pair = user;
    pair->ended = true;
    T_OK(!broken);
    T_INT(ll_conn_write(pair->server, "bye", 3), LINLI_OK);
    ll_conn_finish(&pair->server, 1000);
    ll_world_stop(pair->world);
}

static void
on_drained(void *user)
{
    (void)user;
}

static const struct ll_conn_ops server_ops = {
    on_server_read, on_server_end, on_drained};

static void
on_accept(void *user, struct ll_conn *conn)
{
    struct pair *pair = user;
    pair->server = conn;
    ll_conn_start(conn, &server_ops, pair);
}

T_CASE(reads_answers_and_closes)
{
    struct ll_mem mem;
    struct pair pair = {0};
    struct ll_listener *listener = NULL;
    char address[64], command[200];
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &pair.world, NULL), LINLI_OK);
    T_INT(ll_listen(pair.world, LINLI_STR("127.0.0.1:0"), on_accept, &pair,
              &listener, NULL),
        LINLI_OK);
    ll_listener_address(listener, address);
    linli_str port = ll_cstr(address), host;
    T_OK(ll_str_split(&port, ':', &host));
    /* A bounded peer: sends 300,000 bytes and closes its side. */
    (void)snprintf(command, sizeof command,
        "python3 -c 'import socket; s=socket.create_connection((\"127.0.0.1\""
        ", %s)); s.sendall(bytes(300000)); s.shutdown(1); s.recv(9)' &",
        port.ptr);
    T_INT(system(command), 0);
    ll_world_run(pair.world);
    T_INT(pair.got, 300000);
    T_OK(pair.ended);
    ll_listener_free(&listener);
    ll_world_free(&pair.world);
    T_INT(mem.used_bytes, 0);
}

T_CASE(refuses_bad_and_busy_addresses)
{
    struct ll_mem mem;
    struct ll_err err;
    struct ll_world *world = NULL;
    struct ll_listener *first = NULL, *second = NULL;
    char address[64];
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &world, NULL), LINLI_OK);
    static const char *const bad[] = {"", "8080", "127.0.0.1", "a.b:80",
        "127.0.0.1:65536", "::1:80", "127.0.0.1:-1", "[::1:80"};
    for (size_t i = 0; i < LL_COUNT(bad); i++) {
        T_INT(ll_listen(world, ll_cstr(bad[i]), on_accept, NULL, &first, &err),
            LINLI_E_INVALID);
        T_STR(ll_cstr(err.code), "listen/failed");
    }
    T_INT(ll_listen(
              world, LINLI_STR("127.0.0.1:0"), on_accept, NULL, &first, NULL),
        LINLI_OK);
    ll_listener_address(first, address);
    T_INT(ll_listen(world, ll_cstr(address), on_accept, NULL, &second, &err),
        LINLI_E_IO);
    T_OK(strstr(err.msg, "address already in use") != NULL);
    ll_listener_free(&first);
    ll_world_free(&world);
    T_INT(mem.used_bytes, 0);
}

/* Accepts and never reads, so that the peer's end goes unnoticed. */
static void
on_accept_only(void *user, struct ll_conn *conn)
{
    struct pair *pair = user;
    pair->server = conn;
}

static void
on_write_to_nobody(void *user)
{
    struct pair *pair = user;
    /* The first write draws a reset, the next would raise the signal. */
    if (pair->server != NULL)
        pair->ended |= ll_conn_write(pair->server, "x", 1) == LINLI_E_CLOSED;
    if (++pair->fired == 8)
        ll_world_stop(pair->world);
}

T_CASE(a_peer_that_has_gone_raises_no_signal)
{
    struct ll_mem mem;
    struct pair pair = {0};
    struct ll_listener *listener = NULL;
    char address[64], command[200];
    sigset_t waiting;
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &pair.world, NULL), LINLI_OK);
    T_INT(ll_listen(pair.world, LINLI_STR("127.0.0.1:0"), on_accept_only, &pair,
              &listener, NULL),
        LINLI_OK);
    ll_listener_address(listener, address);
    (void)snprintf(command, sizeof command,
        "python3 -c 'import socket, time; s=socket.create_connection("
        "(\"127.0.0.1\", %s)); time.sleep(0.1)' &",
        strchr(address, ':') + 1);
    T_INT(system(command), 0);
    struct ll_timer *timer =
        ll_timer_new(pair.world, on_write_to_nobody, &pair);
    ll_timer_set(timer, 300, 50);
    ll_world_run(pair.world);
    T_INT(pair.fired, 8);
    T_OK(pair.ended);
    T_INT(sigpending(&waiting), 0);
    T_INT(sigismember(&waiting, SIGPIPE), 0);
    ll_conn_free(&pair.server);
    ll_timer_free(&timer);
    ll_listener_free(&listener);
    ll_world_free(&pair.world);
    T_INT(mem.used_bytes, 0);
}

static void
on_moment(void *user)
{
    ll_world_stop(user);
}

/* A turn that takes time moves the monotonic clock alone. */
T_CASE(a_wall_clock_that_is_set_stands_still)
{
    struct ll_mem mem;
    struct ll_world *world = NULL;
    ll_mem_init(&mem, 0);
    T_INT(ll_world_new(&mem, &world, NULL), LINLI_OK);
    T_OK(ll_world_wall(world).ms > INT64_C(1500000000000));
    ll_world_set_wall(world, (struct ll_wall){1000}); /* the first: anywhen */
    struct ll_timer *timer = ll_timer_new(world, on_moment, world);
    ll_timer_set(timer, 20, 0);
    struct ll_mono before = ll_world_mono(world);
    ll_world_run(world);
    T_OK(ll_world_mono(world).ns - before.ns >= 15000000);
    T_INT(ll_world_wall(world).ms, 1000);
    ll_world_set_wall(world, (struct ll_wall){2000});
    T_INT(ll_world_wall(world).ms, 2000);
    ll_world_set_wall(world, (struct ll_wall){1999});
    T_INT(ll_world_wall(world).ms, 2000);
    ll_timer_free(&timer);
    ll_world_free(&world);
}

T_MAIN(
    T_RUN(timer_repeats_and_frees) T_RUN(a_wall_clock_that_is_set_stands_still)
        T_RUN(reads_answers_and_closes) T_RUN(refuses_bad_and_busy_addresses)
            T_RUN(a_peer_that_has_gone_raises_no_signal))
