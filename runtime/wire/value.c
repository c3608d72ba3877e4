/* wire/value.c: the one decoder of what a worker says; fuzzed. */
#include "wire/value.h"

#include <endian.h>
#include <string.h>

static void
put_tag(struct ll_buf *buf, enum ll_value_tag tag)
{
    ll_buf_char(buf, (char)tag);
}

static void
put_u64(struct ll_buf *buf, uint64_t value)
{
    uint64_t le = htole64(value);
    ll_buf_add(buf, &le, sizeof le);
}

static void
put_count(struct ll_buf *buf, enum ll_value_tag tag, uint32_t count)
{
    unsigned char le[5] = {(unsigned char)tag};
    for (int i = 0; i < 4; i++)
        le[i + 1] = (unsigned char)(count >> (8 * i));
    ll_buf_add(buf, le, sizeof le);
}

void
ll_put_nil(struct ll_buf *buf)
{
    put_tag(buf, LL_VALUE_NIL);
}

void
ll_put_bool(struct ll_buf *buf, bool b)
{
    put_tag(buf, b ? LL_VALUE_TRUE : LL_VALUE_FALSE);
}

void
ll_put_int(struct ll_buf *buf, int64_t i)
{
    put_tag(buf, LL_VALUE_INT);
    put_u64(buf, (uint64_t)i);
}

void
ll_put_double(struct ll_buf *buf, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    put_tag(buf, LL_VALUE_DOUBLE);
    put_u64(buf, bits);
}

void
ll_put_bytes(struct ll_buf *buf, linli_str s)
{
    if (s.len > UINT32_MAX) {
        buf->failed = true;
        return;
    }
    put_count(buf, LL_VALUE_BYTES, (uint32_t)s.len);
    ll_buf_str(buf, s);
}

void
ll_put_list(struct ll_buf *buf, uint32_t count)
{
    put_count(buf, LL_VALUE_LIST, count);
}

void
ll_put_map(struct ll_buf *buf, uint32_t count)
{
    put_count(buf, LL_VALUE_MAP, count);
}

struct ll_rd
ll_rd(linli_str payload)
{
    const unsigned char *p = (const unsigned char *)payload.ptr;
    return (struct ll_rd){p, payload.len == 0 ? p : p + payload.len, false};
}

int
ll_rd_peek(const struct ll_rd *rd)
{
    return rd->bad || rd->p == rd->end ? -1 : rd->p[0];
}

bool
ll_rd_end(const struct ll_rd *rd)
{
    return !rd->bad && rd->p == rd->end;
}

/* Moves past the tag and `bytes` more; NULL, and bad, if they are not
 * there or the tag is another. */
static const unsigned char *
take(struct ll_rd *rd, enum ll_value_tag tag, size_t bytes)
{
    if (rd->bad || (size_t)(rd->end - rd->p) < 1 + bytes ||
        rd->p[0] != (unsigned char)tag) {
        rd->bad = true;
        return NULL;
    }
    const unsigned char *at = rd->p + 1;
    rd->p += 1 + bytes;
    return at;
}

static uint64_t
u64_at(const unsigned char *p)
{
    uint64_t le;
    memcpy(&le, p, sizeof le);
    return le64toh(le);
}

static uint32_t
take_count(struct ll_rd *rd, enum ll_value_tag tag)
{
    const unsigned char *p = take(rd, tag, 4);
    if (p == NULL)
        return 0;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

bool
ll_rd_bool(struct ll_rd *rd)
{
    bool is_true = ll_rd_peek(rd) == LL_VALUE_TRUE;
    return take(rd, is_true ? LL_VALUE_TRUE : LL_VALUE_FALSE, 0) != NULL &&
           is_true;
}

int64_t
ll_rd_int(struct ll_rd *rd)
{
    const unsigned char *p = take(rd, LL_VALUE_INT, 8);
    return p == NULL ? 0 : (int64_t)u64_at(p);
}

int64_t
ll_rd_int_in(struct ll_rd *rd, int64_t min, int64_t max)
{
    int64_t value = ll_rd_int(rd);
    if (value >= min && value <= max)
        return value;
    rd->bad = true;
    return min;
}

double
ll_rd_double(struct ll_rd *rd)
{
    const unsigned char *p = take(rd, LL_VALUE_DOUBLE, 8);
    if (p == NULL)
        return 0;
    uint64_t bits = u64_at(p);
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

linli_str
ll_rd_bytes(struct ll_rd *rd)
{
    uint32_t n = take_count(rd, LL_VALUE_BYTES);
    if (rd->bad || (size_t)(rd->end - rd->p) < n) {
        rd->bad = true;
        return (linli_str){NULL, 0};
    }
    linli_str s = {(const char *)rd->p, n};
    rd->p += n;
    return s;
}

linli_str
ll_rd_bytes_or_nil(struct ll_rd *rd, bool *there)
{
    *there = ll_rd_peek(rd) == LL_VALUE_BYTES;
    if (*there)
        return ll_rd_bytes(rd);
    (void)take(rd, LL_VALUE_NIL, 0);
    return (linli_str){NULL, 0};
}

uint32_t
ll_rd_list(struct ll_rd *rd)
{
    return take_count(rd, LL_VALUE_LIST);
}

uint32_t
ll_rd_map(struct ll_rd *rd)
{
    return take_count(rd, LL_VALUE_MAP);
}

/* Skips what the tag at rd->p holds itself; *inside is how many values
 * follow it as its content. */
static void
skip_one(struct ll_rd *rd, uint64_t *inside)
{
    *inside = 0;
    switch (ll_rd_peek(rd)) {
    case LL_VALUE_NIL:
    case LL_VALUE_FALSE:
    case LL_VALUE_TRUE:
        rd->p++;
        return;
    case LL_VALUE_INT:
        (void)ll_rd_int(rd);
        return;
    case LL_VALUE_DOUBLE:
        (void)ll_rd_double(rd);
        return;
    case LL_VALUE_BYTES:
        (void)ll_rd_bytes(rd);
        return;
    case LL_VALUE_LIST:
        *inside = ll_rd_list(rd);
        return;
    case LL_VALUE_MAP:
        *inside = 2 * (uint64_t)ll_rd_map(rd);
        return;
    default:
        rd->bad = true;
    }
}

linli_str
ll_rd_value(struct ll_rd *rd)
{
    const unsigned char *from = rd->p;
    struct {
        uint64_t left;
        bool map;
    } open[LL_VALUE_DEPTH_MAX];
    unsigned depth = 0;
    for (unsigned nodes = 0; !rd->bad; nodes++) {
        /* A map's keys are bytes: they fall on its even positions. */
        if (depth > 0 && open[depth - 1].map && open[depth - 1].left % 2 == 0 &&
            ll_rd_peek(rd) != LL_VALUE_BYTES)
            rd->bad = true;
        bool map = ll_rd_peek(rd) == LL_VALUE_MAP;
        uint64_t inside = 0;
        skip_one(rd, &inside);
        if (nodes >= LL_VALUE_NODES_MAX ||
            (inside > 0 && depth == LL_VALUE_DEPTH_MAX))
            rd->bad = true;
        if (rd->bad)
            break;
        if (depth > 0)
            open[depth - 1].left--;
        if (inside > 0) {
            open[depth].left = inside;
            open[depth++].map = map;
        }
        while (depth > 0 && open[depth - 1].left == 0)
            depth--;
        if (depth == 0)
            return (linli_str){(const char *)from, (size_t)(rd->p - from)};
    }
    return (linli_str){NULL, 0};
}
