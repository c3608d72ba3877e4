/* tests/fuzz/fuzz_wire.c: the wire, against a peer that lies.
 *
 * The first byte says what the input is:
 *   v  one payload, for the decoder of values
 *   s  a stream of frames, each payload decoded; the second byte cuts it
 *   r  a worker's shared memory: steps of four bytes that write its ring,
 *      its indices and its flags, while the host goes on reading and
 *      writing as it does in a turn
 * Whatever comes in: no byte outside the input is read, what is decoded lies
 * within it, memory is bounded and given back.
 */
#include <string.h>

#include "base/text.h"
#include "wire/frame.h"
#include "wire/ring.h"
#include "wire/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ll_mem mem;

static void
check_inside(linli_str part, linli_str whole)
{
    ll_check(
        part.len == 0 || (part.ptr >= whole.ptr &&
                             part.ptr + part.len <= whole.ptr + whole.len));
}

/* Reads the values of a payload with every getter; what ll_rd_value has
 * passed, the getters must be able to walk. */
static void
walk(linli_str payload)
{
    struct ll_rd rd = ll_rd(payload);
    for (unsigned steps = 0; ll_rd_peek(&rd) >= 0; steps++) {
        bool there;
        ll_check(steps < payload.len);
        switch (ll_rd_peek(&rd)) {
        case LL_VALUE_INT:
            (void)ll_rd_int_in(&rd, -1000, INT64_MAX);
            break;
        case LL_VALUE_DOUBLE:
            (void)ll_rd_double(&rd);
            break;
        case LL_VALUE_BYTES:
        case LL_VALUE_NIL:
            check_inside(ll_rd_bytes_or_nil(&rd, &there), payload);
            break;
        case LL_VALUE_LIST:
            (void)ll_rd_list(&rd);
            break;
        case LL_VALUE_MAP:
            (void)ll_rd_map(&rd);
            break;
        default:
            (void)ll_rd_bool(&rd);
        }
    }
}

static void
take_values(linli_str payload)
{
    struct ll_rd rd = ll_rd(payload);
    while (ll_rd_peek(&rd) >= 0) {
        linli_str value = ll_rd_value(&rd);
        ll_check(rd.bad == (value.len == 0));
        check_inside(value, payload);
        struct ll_rd again = ll_rd(value);
        ll_check(rd.bad ||
                 (ll_rd_value(&again).len == value.len && ll_rd_end(&again)));
    }
    walk(payload);
}

/* Takes all frames; false if the stream is broken. */
static bool
take_frames(struct ll_frame_reader *reader)
{
    struct ll_frame frame;
    linli_status status;
    while ((status = ll_frame_next(reader, &frame)) == LINLI_OK) {
        ll_check(frame.payload.len <= LL_FRAME_BYTES_MAX);
        check_inside(frame.payload, ll_buf_view(&reader->buf));
        take_values(frame.payload);
    }
    return status == LINLI_E_AGAIN;
}

static void
stream(const uint8_t *data, size_t size)
{
    struct ll_frame_reader reader;
    size_t cut = size == 0 ? 1 : (size_t)data[0] * 3 + 1;
    ll_frame_reader_init(&reader, &mem);
    for (size_t at = size > 0; at < size; at += cut) {
        size_t n = size - at < cut ? size - at : cut;
        if (ll_frame_feed(&reader, data + at, n) != LINLI_OK ||
            !take_frames(&reader))
            break;
    }
    ll_frame_reader_fini(&reader);
}

/* -- shared memory -- */

struct host {
    struct ll_ring ring;
    struct ll_frame_reader reader;
    bool ended; /* the worker would be killed */
};

/* A turn of the host: hear, then speak. */
static void
turn(struct host *host)
{
    static const char words[300];
    char part[LL_RING_PART_BYTES];
    size_t n = 0;
    for (int i = 0; i < 5 && !host->ended; i++) {
        if (ll_ring_read(&host->ring, part, sizeof part, &n) != LINLI_OK ||
            ll_frame_feed(&host->reader, part, n) != LINLI_OK ||
            !take_frames(&host->reader))
            host->ended = true;
        ll_check(n <= sizeof part);
        if (n == 0)
            break;
    }
    if (host->ended)
        return;
    if (ll_ring_write(&host->ring, words, sizeof words, &n) != LINLI_OK)
        host->ended = true;
    ll_check(n <= sizeof words);
    (void)ll_ring_must_wake(&host->ring, n > 0, true);
    (void)ll_ring_peer_running(&host->ring);
    (void)ll_ring_peer_turns(&host->ring);
    if (ll_ring_sleep(&host->ring, LL_RING_DATA))
        ll_ring_awake(&host->ring);
}

static void
shared(const uint8_t *data, size_t size)
{
    static struct ll_ring_area mine, theirs;
    struct host host = {.ended = false};
    memset(&mine, 0, sizeof mine);
    memset(&theirs, 0, sizeof theirs);
    ll_ring_init(&host.ring, &mine, &theirs);
    ll_frame_reader_init(&host.reader, &mem);
    for (; size >= 4 && !host.ended; data += 4, size -= 4) {
        uint32_t value = (uint32_t)data[1] | (uint32_t)data[2] << 8;
        switch (data[0] % 8) {
        case 0:
            theirs.written += value;
            break;
        case 1:
            theirs.written = value << 16 | data[3];
            break;
        case 2:
            theirs.read += value;
            break;
        case 3:
            theirs.read = value << 16 | data[3];
            break;
        case 4:
            theirs.asleep = data[3];
            break;
        case 5:
            theirs.data[value % LL_RING_BYTES] = data[3];
            break;
        case 6: { /* an honest header there */
            struct ll_frame frame = {.type = data[3], .run = 1, .call = 1};
            uint32_t at = value % (LL_RING_BYTES - LL_FRAME_HEADER_BYTES);
            ll_frame_header(theirs.data + at, &frame, value % 700);
            break;
        }
        default:
            turn(&host);
        }
    }
    if (!host.ended)
        turn(&host);
    ll_frame_reader_fini(&host.reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    ll_mem_init(&mem, 16u << 20);
    switch (data[0]) {
    case 'v':
        take_values((linli_str){(const char *)data + 1, size - 1});
        break;
    case 's':
        stream(data + 1, size - 1);
        break;
    default:
        shared(data + 1, size - 1);
    }
    ll_check(mem.used_bytes == 0);
    return 0;
}
