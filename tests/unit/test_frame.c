/* tests/unit/test_frame.c: the frame codec, whole and in pieces, alone and
 * over a socketpair. */
#include "wire/frame.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t.h"

static struct ll_mem mem;

static void
put_frame(struct ll_buf *out, enum ll_frame_type type, uint32_t call,
    uint16_t run, linli_str payload)
{
    size_t mark = ll_frame_begin(out, type, call, run);
    ll_buf_str(out, payload);
    ll_frame_end(out, mark);
}

T_CASE(the_header_is_sixteen_bytes_little_endian)
{
    static const unsigned char want[] = {0x4c, 0x4c, 1, 16, 0x44, 0x33, 0x22,
        0x11, 0x66, 0x55, 0, 0, 0xcc, 0xbb, 0x0a, 0};
    unsigned char got[LL_FRAME_HEADER_BYTES];
    struct ll_frame frame = {
        .type = LL_FRAME_CALL, .run = 0x5566, .call = 0x11223344};
    ll_frame_header(got, &frame, 0xabbcc);
    T_OK(sizeof want == sizeof got && memcmp(want, got, sizeof got) == 0);
}

/* Frames of any length come back whole, however the stream is cut. */
T_CASE(cut_anywhere)
{
    static const size_t lengths[] = {0, 1, 15, 16, 17, 300};
    static const size_t cuts[] = {1, 2, 7, 16, 17, 4096};
    char bytes[300];
    struct ll_buf out;
    memset(bytes, 'x', sizeof bytes);
    ll_buf_init(&out, &mem, 1u << 20);
    for (size_t i = 0; i < LL_COUNT(lengths); i++)
        put_frame(&out, LL_FRAME_REPLY, (uint32_t)i + 1, (uint16_t)(i + 2),
            (linli_str){bytes, lengths[i]});
    for (size_t c = 0; c < LL_COUNT(cuts); c++) {
        struct ll_frame_reader reader;
        struct ll_frame frame;
        size_t seen = 0;
        ll_frame_reader_init(&reader, &mem);
        for (size_t at = 0; at < out.len; at += cuts[c]) {
            size_t n = out.len - at < cuts[c] ? out.len - at : cuts[c];
            T_INT(ll_frame_feed(&reader, out.ptr + at, n), LINLI_OK);
            while (ll_frame_next(&reader, &frame) == LINLI_OK) {
                T_INT(frame.type, LL_FRAME_REPLY);
                T_INT(frame.call, seen + 1);
                T_INT(frame.run, seen + 2);
                T_INT(frame.payload.len, lengths[seen]);
                T_OK(frame.payload.len == 0 ||
                     memcmp(frame.payload.ptr, bytes, frame.payload.len) == 0);
                seen++;
            }
        }
        T_INT(seen, LL_COUNT(lengths));
        T_INT(ll_frame_next(&reader, &frame), LINLI_E_AGAIN);
        ll_frame_reader_fini(&reader);
    }
    ll_buf_fini(&out);
    T_INT(mem.used_bytes, 0);
}

/* One byte of the header wrong: refused before the payload is there. */
T_CASE(a_broken_header_is_refused_at_once)
{
    static const struct {
        size_t at;
        unsigned char byte;
        linli_status status;
    } rows[] = {
        {0, 0x4d, LINLI_E_PROTOCOL}, {1, 0, LINLI_E_PROTOCOL},
        {2, 0, LINLI_E_PROTOCOL}, {2, 2, LINLI_E_PROTOCOL},
        {10, 1, LINLI_E_PROTOCOL}, {11, 0x80, LINLI_E_PROTOCOL},
        {15, 0x80, LINLI_E_PROTOCOL}, /* a length of 2 GiB */
        {3, 255, LINLI_E_AGAIN},      /* the type is the state machine's */
        {15, 0, LINLI_E_AGAIN},       /* as it was: one byte is missing */
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        unsigned char header[LL_FRAME_HEADER_BYTES];
        struct ll_frame frame = {.type = LL_FRAME_LOG, .run = 1, .call = 1};
        struct ll_frame_reader reader;
        ll_frame_reader_init(&reader, &mem);
        ll_frame_header(header, &frame, 1);
        header[rows[i].at] = rows[i].byte;
        T_INT(ll_frame_feed(&reader, header, sizeof header), LINLI_OK);
        T_INT(ll_frame_next(&reader, &frame), rows[i].status);
        T_INT(ll_frame_next(&reader, &frame), rows[i].status); /* for good */
        T_OK(frame.payload.ptr == NULL && frame.call == 0);
        ll_frame_reader_fini(&reader);
    }
}

T_CASE(the_longest_payload_and_one_byte_more)
{
    static char bytes[LL_FRAME_BYTES_MAX + 1];
    static const struct {
        size_t length;
        bool fits;
    } rows[] = {{LL_FRAME_BYTES_MAX, true}, {LL_FRAME_BYTES_MAX + 1, false}};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        unsigned char header[LL_FRAME_HEADER_BYTES];
        struct ll_frame frame = {.type = LL_FRAME_REPLY, .run = 1, .call = 1};
        struct ll_frame_reader reader;
        struct ll_buf out;
        ll_buf_init(&out, &mem, 2 * LL_FRAME_BYTES_MAX);
        put_frame(
            &out, LL_FRAME_REPLY, 1, 1, (linli_str){bytes, rows[i].length});
        T_OK(out.failed == !rows[i].fits);
        ll_frame_reader_init(&reader, &mem);
        ll_frame_header(header, &frame, rows[i].length);
        T_INT(ll_frame_feed(&reader, header, sizeof header), LINLI_OK);
        T_INT(ll_frame_next(&reader, &frame),
            rows[i].fits ? LINLI_E_AGAIN : LINLI_E_PROTOCOL);
        T_INT(ll_frame_feed(&reader, bytes, LL_FRAME_BYTES_MAX), LINLI_OK);
        T_INT(ll_frame_next(&reader, &frame),
            rows[i].fits ? LINLI_OK : LINLI_E_PROTOCOL);
        T_INT(frame.payload.len, rows[i].fits ? rows[i].length : 0);
        ll_frame_reader_fini(&reader);
        ll_buf_fini(&out);
    }
    T_INT(mem.used_bytes, 0);
}

/* A peer that never completes a frame cannot make the reader grow. */
T_CASE(the_reader_is_bounded)
{
    static char part[LL_RING_BYTES];
    unsigned char header[LL_FRAME_HEADER_BYTES];
    struct ll_frame frame = {.type = LL_FRAME_REPLY, .run = 1, .call = 1};
    struct ll_frame_reader reader;
    ll_frame_reader_init(&reader, &mem);
    ll_frame_header(header, &frame, LL_FRAME_BYTES_MAX);
    linli_status status = ll_frame_feed(&reader, header, sizeof header);
    for (int i = 0; i < 100 && status == LINLI_OK; i++)
        status = ll_frame_feed(&reader, part, sizeof part);
    T_INT(status, LINLI_E_NOMEM);
    T_OK(mem.used_bytes <=
         LL_FRAME_HEADER_BYTES + LL_FRAME_BYTES_MAX + LL_RING_BYTES);
    ll_frame_reader_fini(&reader);
    T_INT(mem.used_bytes, 0);
}

/* -- the same codec over a socket -- */

struct side {
    int fd;
    struct ll_buf out;
    size_t sent;
    struct ll_frame_reader reader;
};

static void
side_init(struct side *side, int fd)
{
    *side = (struct side){.fd = fd};
    ll_buf_init(&side->out, &mem, 16u << 20);
    ll_frame_reader_init(&side->reader, &mem);
}

static void
side_fini(struct side *side)
{
    (void)close(side->fd);
    ll_buf_fini(&side->out);
    ll_frame_reader_fini(&side->reader);
}

/* Sends what the socket takes, reads what it has; false at its end. */
static bool
exchange(struct side *side)
{
    char part[700]; /* no divisor of anything, so that frames are cut */
    while (side->sent < side->out.len) {
        ssize_t n = send(side->fd, side->out.ptr + side->sent,
            side->out.len - side->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            break;
        side->sent += (size_t)n;
    }
    ssize_t n = recv(side->fd, part, sizeof part, MSG_DONTWAIT);
    if (n > 0)
        return ll_frame_feed(&side->reader, part, (size_t)n) == LINLI_OK;
    return n < 0 && errno == EAGAIN;
}

/* The worker's side: every CALL is answered by a REPLY of its payload. */
static void
answer_calls(struct side *worker)
{
    struct ll_frame frame;
    while (ll_frame_next(&worker->reader, &frame) == LINLI_OK) {
        T_INT(frame.type, LL_FRAME_CALL);
        put_frame(
            &worker->out, LL_FRAME_REPLY, frame.call, frame.run, frame.payload);
    }
}

T_CASE(calls_and_replies_over_a_socketpair)
{
    enum { CALLS = 200 };
    static char bytes[64 * 1024];
    struct side host, worker;
    struct ll_frame frame;
    int fds[2];
    uint32_t answered = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31);
    T_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    side_init(&host, fds[0]);
    side_init(&worker, fds[1]);
    for (uint32_t i = 0; i < CALLS; i++)
        put_frame(&host.out, LL_FRAME_CALL, i + 1, 1,
            (linli_str){bytes, i * 301 % sizeof bytes});
    for (int turn = 0; turn < 1000000 && answered < CALLS; turn++) {
        if (!exchange(&host) || !exchange(&worker))
            break;
        answer_calls(&worker);
        while (ll_frame_next(&host.reader, &frame) == LINLI_OK) {
            T_INT(frame.type, LL_FRAME_REPLY);
            T_INT(frame.call, answered + 1);
            T_INT(frame.payload.len, answered * 301 % sizeof bytes);
            T_OK(frame.payload.len == 0 ||
                 memcmp(frame.payload.ptr, bytes, frame.payload.len) == 0);
            answered++;
        }
    }
    T_INT(answered, CALLS);
    side_fini(&host);
    side_fini(&worker);
    T_INT(mem.used_bytes, 0);
}

/* A peer that dies in a frame: the end is seen, and no frame is made up. */
T_CASE(a_peer_that_dies_in_a_frame)
{
    struct side host, worker;
    struct ll_frame frame;
    int fds[2];
    T_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    side_init(&host, fds[0]);
    side_init(&worker, fds[1]);
    put_frame(&worker.out, LL_FRAME_REPLY, 1, 1, LINLI_STR("cut short"));
    worker.out.len -= 4;
    T_OK(exchange(&worker));
    side_fini(&worker);
    T_OK(exchange(&host));
    T_INT(ll_frame_next(&host.reader, &frame), LINLI_E_AGAIN);
    T_OK(!exchange(&host));
    T_INT(ll_frame_next(&host.reader, &frame), LINLI_E_AGAIN);
    side_fini(&host);
}

T_MAIN(ll_mem_init(&mem, 64u << 20);
       T_RUN(the_header_is_sixteen_bytes_little_endian) T_RUN(cut_anywhere)
           T_RUN(a_broken_header_is_refused_at_once)
               T_RUN(the_longest_payload_and_one_byte_more)
                   T_RUN(the_reader_is_bounded)
                       T_RUN(calls_and_replies_over_a_socketpair)
                           T_RUN(a_peer_that_dies_in_a_frame))
