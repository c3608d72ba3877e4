/* tests/unit/test_ring.c: the rings: streams, wakes, and peers that lie. */
#include "wire/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "t.h"

static struct ll_ring_area area_a, area_b;

/* Two ends of one channel, as host and worker have them. `at`: where both
 * indices of both rings stand, to meet the wrap of the index early. */
static void
pair(struct ll_ring *a, struct ll_ring *b, uint32_t at)
{
    memset(&area_a, 0, sizeof area_a);
    memset(&area_b, 0, sizeof area_b);
    ll_ring_init(a, &area_a, &area_b);
    ll_ring_init(b, &area_b, &area_a);
    a->written = a->read = b->written = b->read = at;
    area_a.written = area_a.read = area_b.written = area_b.read = at;
}

static void
fill(char *bytes, size_t n, size_t from)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)((from + i) * 7 + (from + i) / 251);
}

static bool
is_filled(const char *bytes, size_t n, size_t from)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != (char)((from + i) * 7 + (from + i) / 251))
            return false;
    return true;
}

/* A stream goes through in order, whatever the steps, over the ring's end
 * and over the end of the index. */
T_CASE(a_stream_keeps_its_order)
{
    enum { STREAM = 300000 };
    static const struct {
        uint32_t at;
        size_t put, get;
    } rows[] = {{0, 1000, 1000}, {0, 8192, 3000}, {UINT32_MAX - 5, 77, 4096},
        {UINT32_MAX - 100000, 8192, 8192}, {LL_RING_BYTES - 1, 1, 1}};
    static char in[LL_RING_PART_BYTES], out[LL_RING_PART_BYTES];
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_ring a, b;
        size_t put = 0, got = 0, n = 0;
        bool same = true;
        pair(&a, &b, rows[i].at);
        while (got < STREAM && same) {
            size_t want =
                STREAM - put < rows[i].put ? STREAM - put : rows[i].put;
            fill(in, want, put);
            T_INT(ll_ring_write(&a, in, want, &n), LINLI_OK);
            put += n;
            same = ll_ring_read(&b, out, rows[i].get, &n) == LINLI_OK &&
                   is_filled(out, n, got);
            got += n;
        }
        T_OK(same);
        T_INT(got, STREAM);
    }
}

T_CASE(full_and_empty)
{
    static char bytes[2 * LL_RING_PART_BYTES];
    struct ll_ring a, b;
    size_t n = 1, all = 0;
    pair(&a, &b, UINT32_MAX - LL_RING_BYTES / 2);
    T_INT(ll_ring_read(&b, bytes, sizeof bytes, &n), LINLI_OK);
    T_INT(n, 0);
    T_INT(ll_ring_write(&a, bytes, sizeof bytes, &n), LINLI_OK);
    T_INT(n, LL_RING_PART_BYTES); /* never more at once */
    for (all = n; n > 0; all += n)
        T_INT(ll_ring_write(&a, bytes, LL_RING_PART_BYTES, &n), LINLI_OK);
    T_INT(all, LL_RING_BYTES);
    T_INT(ll_ring_read(&b, bytes, 1, &n), LINLI_OK);
    T_INT(n, 1);
    T_INT(ll_ring_write(&a, bytes, 100, &n), LINLI_OK);
    T_INT(n, 1); /* as much room as was made */
}

/* -- peers that lie -- */

T_CASE(an_index_out_of_range_is_a_protocol_error)
{
    static const struct {
        uint32_t written, read; /* what b publishes; a has written 100 */
        linli_status on_read, on_write;
    } rows[] = {
        {0, 0, LINLI_OK, LINLI_OK},
        {LL_RING_BYTES, 100, LINLI_OK, LINLI_OK},
        {LL_RING_BYTES + 1, 0, LINLI_E_PROTOCOL, LINLI_OK},
        {UINT32_MAX, 0, LINLI_E_PROTOCOL, LINLI_OK},
        {0x80000000u, 0, LINLI_E_PROTOCOL, LINLI_OK},
        {0, 101, LINLI_OK, LINLI_E_PROTOCOL}, /* more than was written */
        {0, UINT32_MAX, LINLI_OK, LINLI_OK},  /* 101 unread: can be */
        {0, 99u - LL_RING_BYTES, LINLI_OK, LINLI_E_PROTOCOL},
        {0, 0x80000000u, LINLI_OK, LINLI_E_PROTOCOL},
    };
    static char bytes[LL_RING_BYTES];
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_ring a, b;
        size_t n = 0;
        pair(&a, &b, 0);
        T_INT(ll_ring_write(&a, bytes, 100, &n), LINLI_OK);
        area_b.written = rows[i].written;
        area_b.read = rows[i].read;
        n = 1;
        T_INT(ll_ring_read(&a, bytes, sizeof bytes, &n), rows[i].on_read);
        T_OK(rows[i].on_read == LINLI_OK || n == 0);
        n = 1;
        T_INT(ll_ring_write(&a, bytes, 100, &n), rows[i].on_write);
        T_OK(rows[i].on_write == LINLI_OK || n == 0);
    }
}

/* What it took is taken: a peer that winds its index back gives no byte a
 * second time. */
T_CASE(an_index_wound_back_is_a_protocol_error)
{
    static char bytes[LL_RING_BYTES];
    struct ll_ring a, b;
    size_t n = 0;
    pair(&a, &b, 0);
    T_INT(ll_ring_write(&b, bytes, 64, &n), LINLI_OK);
    T_INT(ll_ring_read(&a, bytes, 64, &n), LINLI_OK);
    T_INT(n, 64);
    area_b.written = 32;
    T_INT(ll_ring_read(&a, bytes, 64, &n), LINLI_E_PROTOCOL);
    T_INT(n, 0);
}

/* What the peer scribbles over our own published words changes nothing: the
 * truth is private. */
T_CASE(our_words_are_not_read_back)
{
    static char bytes[LL_RING_BYTES];
    struct ll_ring a, b;
    size_t n = 0;
    pair(&a, &b, 0);
    T_INT(ll_ring_write(&a, bytes, 10, &n), LINLI_OK);
    area_a.written = 0xdeadbeef;
    area_a.read = 0xdeadbeef;
    T_INT(ll_ring_write(&a, bytes, 10, &n), LINLI_OK);
    T_INT(n, 10);
    T_INT(area_a.written, 20);
    T_INT(ll_ring_read(&b, bytes, sizeof bytes, &n), LINLI_OK);
    T_INT(n, 20);
}

/* -- sleep and wake -- */

T_CASE(who_must_be_woken)
{
    static const struct {
        uint32_t asleep;
        bool wrote, read, wake;
    } rows[] = {{0, true, true, false}, {1, true, false, true},
        {1, false, true, false}, {2, true, false, false},
        {2, false, true, true}, {2, false, false, false},
        {3, true, false, true}, {3, false, true, true},
        {UINT32_MAX, true, false, true}};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_ring a, b;
        pair(&a, &b, 0);
        area_b.asleep = rows[i].asleep;
        T_INT(ll_ring_must_wake(&a, rows[i].wrote, rows[i].read), rows[i].wake);
        T_INT(ll_ring_peer_asleep(&a), rows[i].asleep != 0);
    }
}

T_CASE(sleeps_only_if_there_is_nothing)
{
    static char bytes[LL_RING_PART_BYTES];
    struct ll_ring a, b;
    size_t n = 0;
    pair(&a, &b, 0);
    T_OK(ll_ring_sleep(&b, LL_RING_DATA));
    T_INT(area_b.asleep, 1);
    ll_ring_awake(&b);
    T_INT(area_b.asleep, 0);
    T_INT(ll_ring_write(&a, bytes, 1, &n), LINLI_OK);
    T_OK(!ll_ring_sleep(&b, LL_RING_DATA)); /* something came */
    T_INT(area_b.asleep, 0);
    pair(&a, &b, 0);
    T_OK(!ll_ring_sleep(
        &a, LL_RING_DATA | LL_RING_ROOM)); /* there is room already */
    do
        T_INT(ll_ring_write(&a, bytes, sizeof bytes, &n), LINLI_OK);
    while (n > 0);
    T_OK(ll_ring_sleep(&a, LL_RING_DATA | LL_RING_ROOM));
    T_INT(area_a.asleep, LL_RING_DATA | LL_RING_ROOM);
    T_INT(ll_ring_read(&b, bytes, 1, &n), LINLI_OK);
    T_OK(ll_ring_must_wake(&b, false, true));
}

T_CASE(what_the_worker_says_of_itself)
{
    struct ll_ring a, b;
    pair(&a, &b, 0);
    area_b.running = 7;
    area_b.turns = UINT32_MAX;
    T_INT(ll_ring_peer_running(&a), 7);
    T_INT(ll_ring_peer_turns(&a), UINT32_MAX);
}

/* Two threads, each on its own side: no byte is lost, none is invented, and
 * nobody sleeps through a wake. The yields stand for the eventfd. */
enum { THREADED = 4 << 20 };

static void *
writer(void *user)
{
    struct ll_ring *ring = user;
    static char bytes[LL_RING_PART_BYTES];
    size_t put = 0, n = 0;
    while (put < THREADED) {
        size_t want = THREADED - put < 5000 ? THREADED - put : 5000;
        fill(bytes, want, put);
        if (ll_ring_write(ring, bytes, want, &n) != LINLI_OK)
            break;
        put += n;
        if (n == 0)
            (void)sched_yield();
    }
    return NULL;
}

T_CASE(two_threads)
{
    static char bytes[LL_RING_PART_BYTES];
    struct ll_ring a, b;
    pthread_t thread;
    size_t got = 0, n = 0;
    bool same = true;
    pair(&a, &b, UINT32_MAX - 1000000);
    T_INT(pthread_create(&thread, NULL, writer, &a), 0);
    while (got < THREADED && same) {
        same = ll_ring_read(&b, bytes, 3001, &n) == LINLI_OK &&
               is_filled(bytes, n, got);
        got += n;
        if (n == 0)
            (void)sched_yield();
    }
    T_OK(same);
    T_INT(got, THREADED);
    T_INT(pthread_join(thread, NULL), 0);
}

T_MAIN(T_RUN(a_stream_keeps_its_order) T_RUN(full_and_empty)
        T_RUN(an_index_out_of_range_is_a_protocol_error)
            T_RUN(an_index_wound_back_is_a_protocol_error)
                T_RUN(our_words_are_not_read_back) T_RUN(who_must_be_woken)
                    T_RUN(sleeps_only_if_there_is_nothing) T_RUN(
                        what_the_worker_says_of_itself) T_RUN(two_threads))
