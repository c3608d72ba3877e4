/* wire/frame.c: the frame codec.
 *
 * Header, little-endian: u16 magic, u8 version, u8 type, u32 call, u16 run,
 * u16 reserved (0), u32 payload bytes.
 */
#include "wire/frame.h"

#include <string.h>

/* Room kept when all that came has been taken. */
#define KEEP_BYTES ((size_t)64 << 10)

static void
put_le(unsigned char *out, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t
get_le(const unsigned char *in, int bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)in[i] << (8 * i);
    return value;
}

void
ll_frame_header(unsigned char out[LL_FRAME_HEADER_BYTES],
    const struct ll_frame *frame, size_t payload_bytes)
{
    put_le(out, LL_FRAME_MAGIC, 2);
    out[2] = LL_WIRE_VERSION;
    out[3] = frame->type;
    put_le(out + 4, frame->call, 4);
    put_le(out + 8, frame->run, 2);
    put_le(out + 10, 0, 2);
    put_le(out + 12, (uint32_t)payload_bytes, 4);
}

size_t
ll_frame_begin(
    struct ll_buf *buf, enum ll_frame_type type, uint32_t call, uint16_t run)
{
    struct ll_frame frame = {.type = (uint8_t)type, .run = run, .call = call};
    unsigned char header[LL_FRAME_HEADER_BYTES];
    size_t mark = buf->len;
    ll_frame_header(header, &frame, 0);
    ll_buf_add(buf, header, sizeof header);
    return mark;
}

void
ll_frame_end(struct ll_buf *buf, size_t mark)
{
    if (buf->failed)
        return;
    size_t payload = buf->len - mark - LL_FRAME_HEADER_BYTES;
    if (payload > LL_FRAME_BYTES_MAX)
        buf->failed = true;
    else
        put_le((unsigned char *)buf->ptr + mark + 12, (uint32_t)payload, 4);
}

void
ll_frame_reader_init(struct ll_frame_reader *reader, struct ll_mem *mem)
{
    *reader = (struct ll_frame_reader){.taken = 0};
    ll_buf_init(&reader->buf, mem,
        LL_FRAME_HEADER_BYTES + LL_FRAME_BYTES_MAX + LL_RING_BYTES);
}

void
ll_frame_reader_fini(struct ll_frame_reader *reader)
{
    ll_buf_fini(&reader->buf);
}

linli_status
ll_frame_feed(struct ll_frame_reader *reader, const void *bytes, size_t n)
{
    if (reader->taken == reader->buf.len)
        ll_buf_reset(&reader->buf, KEEP_BYTES);
    else
        ll_buf_drop(&reader->buf, reader->taken);
    reader->taken = 0;
    ll_buf_add(&reader->buf, bytes, n);
    return reader->buf.failed ? LINLI_E_NOMEM : LINLI_OK;
}

linli_status
ll_frame_next(struct ll_frame_reader *reader, struct ll_frame *frame)
{
    size_t have = reader->buf.len - reader->taken;
    *frame = (struct ll_frame){.type = 0};
    if (have < LL_FRAME_HEADER_BYTES) /* also when there is no buffer yet */
        return LINLI_E_AGAIN;
    const unsigned char *in =
        (const unsigned char *)reader->buf.ptr + reader->taken;
    uint32_t length = get_le(in + 12, 4);
    if (get_le(in, 2) != LL_FRAME_MAGIC || in[2] != LL_WIRE_VERSION ||
        get_le(in + 10, 2) != 0 || length > LL_FRAME_BYTES_MAX)
        return LINLI_E_PROTOCOL;
    if (have - LL_FRAME_HEADER_BYTES < length)
        return LINLI_E_AGAIN;
    frame->type = in[3];
    frame->call = get_le(in + 4, 4);
    frame->run = (uint16_t)get_le(in + 8, 2);
    frame->payload =
        (linli_str){(const char *)in + LL_FRAME_HEADER_BYTES, length};
    reader->taken += LL_FRAME_HEADER_BYTES + length;
    return LINLI_OK;
}
