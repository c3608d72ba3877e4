/* tests/unit/test_value.c: values inside frames: there and back, and what a
 * hostile worker may make of them. */
#include "wire/value.h"

#include <math.h>

#include "base/text.h"
#include "t.h"

static struct ll_mem mem;

static void
buf_init(struct ll_buf *buf)
{
    ll_buf_init(buf, &mem, 4u << 20);
}

T_CASE(there_and_back)
{
    struct ll_buf buf;
    bool there = false;
    buf_init(&buf);
    ll_put_list(&buf, 9);
    ll_put_nil(&buf);
    ll_put_bool(&buf, true);
    ll_put_bool(&buf, false);
    ll_put_int(&buf, INT64_MIN);
    ll_put_double(&buf, -0.5);
    ll_put_bytes(&buf, LINLI_STR("bytes"));
    ll_put_nil(&buf);
    ll_put_bytes(&buf, (linli_str){NULL, 0});
    ll_put_map(&buf, 1);
    ll_put_bytes(&buf, LINLI_STR("key"));
    ll_put_int(&buf, -1);
    struct ll_rd rd = ll_rd(ll_buf_view(&buf));
    T_INT(ll_rd_list(&rd), 9);
    T_INT(ll_rd_peek(&rd), LL_VALUE_NIL);
    (void)ll_rd_bytes_or_nil(&rd, &there);
    T_OK(!there);
    T_OK(ll_rd_bool(&rd));
    T_OK(!ll_rd_bool(&rd));
    T_INT(ll_rd_int(&rd), INT64_MIN);
    T_OK(ll_rd_double(&rd) == -0.5);
    T_STR(ll_rd_bytes_or_nil(&rd, &there), "bytes");
    T_OK(there);
    T_INT(ll_rd_value(&rd).len, 1);
    T_STR(ll_rd_bytes(&rd), "");
    T_OK(!ll_rd_end(&rd));
    T_INT(ll_rd_map(&rd), 1);
    T_STR(ll_rd_bytes(&rd), "key");
    T_INT(ll_rd_int_in(&rd, -1, 0), -1);
    T_OK(ll_rd_end(&rd));
    T_INT(ll_rd_peek(&rd), -1);
    ll_buf_fini(&buf);
}

/* Once bad, bad for good, and everything after it reads as zero. */
T_CASE(bad_is_sticky)
{
    struct ll_buf buf;
    bool there = true;
    buf_init(&buf);
    ll_put_int(&buf, 1);
    ll_put_int(&buf, 2);
    struct ll_rd rd = ll_rd(ll_buf_view(&buf));
    T_INT(ll_rd_bytes(&rd).len, 0);
    T_OK(rd.bad);
    T_INT(ll_rd_int(&rd), 0);
    T_INT(ll_rd_int_in(&rd, 5, 9), 5);
    T_OK(ll_rd_double(&rd) == 0);
    T_OK(!ll_rd_bool(&rd));
    T_INT(ll_rd_list(&rd), 0);
    T_INT(ll_rd_map(&rd), 0);
    T_OK(ll_rd_bytes_or_nil(&rd, &there).ptr == NULL);
    T_OK(!there);
    T_OK(ll_rd_value(&rd).ptr == NULL);
    T_INT(ll_rd_peek(&rd), -1);
    T_OK(!ll_rd_end(&rd));
    ll_buf_fini(&buf);
}

T_CASE(numbers_out_of_range)
{
    static const struct {
        int64_t value, min, max;
        bool bad;
    } rows[] = {{199, 200, 599, true}, {200, 200, 599, false},
        {599, 200, 599, false}, {600, 200, 599, true},
        {INT64_MIN, 0, INT64_MAX, true}, {INT64_MAX, 0, INT64_MAX, false}};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_buf buf;
        buf_init(&buf);
        ll_put_int(&buf, rows[i].value);
        struct ll_rd rd = ll_rd(ll_buf_view(&buf));
        T_INT(ll_rd_int_in(&rd, rows[i].min, rows[i].max),
            rows[i].bad ? rows[i].min : rows[i].value);
        T_INT(rd.bad, rows[i].bad);
        ll_buf_fini(&buf);
    }
}

/* A value of each kind, cut off after each of its bytes. */
T_CASE(cut_short)
{
    struct ll_buf buf;
    buf_init(&buf);
    ll_put_map(&buf, 2);
    ll_put_bytes(&buf, LINLI_STR("a"));
    ll_put_double(&buf, 1.5);
    ll_put_bytes(&buf, LINLI_STR("b"));
    ll_put_list(&buf, 2);
    ll_put_int(&buf, 3);
    ll_put_bool(&buf, true);
    for (size_t n = 0; n <= buf.len; n++) {
        /* A copy of the exact size, so that a sanitizer sees a step past. */
        char *copy = ll_alloc(&mem, n + 1);
        memcpy(copy, buf.ptr, n);
        struct ll_rd rd = ll_rd((linli_str){copy, n});
        linli_str value = ll_rd_value(&rd);
        T_INT(value.len, n == buf.len ? n : 0);
        T_INT(ll_rd_end(&rd), n == buf.len);
        ll_release(&mem, copy, n + 1);
    }
    ll_buf_fini(&buf);
    T_INT(mem.used_bytes, 0);
}

/* Counts and lengths that promise more than there is: refused without a
 * byte being allocated, and soon. */
T_CASE(promises)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool good;
    } rows[] = {
        {"\x05\xff\xff\xff\xff"
         "abc",
            8, false}, /* 4 GiB of bytes */
        {"\x05\x03\0\0\0abc", 8, true},
        {"\x05\x04\0\0\0abc", 8, false},
        {"\x06\xff\xff\xff\xff\0", 6, false}, /* 2^32 - 1 items */
        {"\x07\xff\xff\xff\xff\0", 6, false}, /* twice as many */
        {"\x07\0\0\0\x80\0", 6, false},       /* 2^32 after doubling */
        {"\x07\x01\0\0\0\0\0", 7, false},     /* a key that is nil */
        {"\x07\x01\0\0\0\x05\0\0\0\0\0", 11, true},
        {"\x06\0\0\0\0", 5, true},
        {"\x07\0\0\0\0", 5, true},
        {"\x08", 1, false}, /* no such tag */
        {"\xff", 1, false},
        {"", 0, false},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_rd rd = ll_rd((linli_str){rows[i].bytes, rows[i].n});
        linli_str value = ll_rd_value(&rd);
        T_INT(value.len, rows[i].good ? rows[i].n : 0);
        T_INT(ll_rd_end(&rd), rows[i].good);
    }
}

static bool
value_is_good(const struct ll_buf *buf)
{
    struct ll_rd rd = ll_rd(ll_buf_view(buf));
    bool there = ll_rd_value(&rd).len == buf->len;
    return there && ll_rd_end(&rd);
}

T_CASE(depth_and_nodes)
{
    static const struct {
        unsigned depth, width;
        bool good;
    } rows[] = {
        {LL_VALUE_DEPTH_MAX, 0, true},
        {LL_VALUE_DEPTH_MAX + 1, 0, false},
        {200000, 0, false},
        {1, LL_VALUE_NODES_MAX - 1, true}, /* and the list itself */
        {1, LL_VALUE_NODES_MAX, false},
        {1, 200000, false},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_buf buf;
        buf_init(&buf);
        for (unsigned d = 1; d < rows[i].depth; d++)
            ll_put_list(&buf, 1);
        ll_put_list(&buf, rows[i].width == 0 ? 1 : rows[i].width);
        for (unsigned w = 0; w < rows[i].width; w++)
            ll_put_nil(&buf);
        if (rows[i].width == 0)
            ll_put_nil(&buf);
        T_INT(value_is_good(&buf), rows[i].good);
        ll_buf_fini(&buf);
    }
}

/* Every double crosses bit for bit, with no trap. */
T_CASE(doubles)
{
    static const uint64_t bits[] = {0, 1, 0x7ff0000000000000u,
        0x7ff8000000000001u, 0xfff0000000000000u, 0x8000000000000000u};
    for (size_t i = 0; i < LL_COUNT(bits); i++) {
        struct ll_buf buf;
        double in, out;
        uint64_t back;
        memcpy(&in, &bits[i], sizeof in);
        buf_init(&buf);
        ll_put_double(&buf, in);
        struct ll_rd rd = ll_rd(ll_buf_view(&buf));
        out = ll_rd_double(&rd);
        memcpy(&back, &out, sizeof back);
        T_OK(back == bits[i] || (isnan(in) && isnan(out)));
        T_OK(ll_rd_end(&rd));
        ll_buf_fini(&buf);
    }
}

T_MAIN(ll_mem_init(&mem, 64u << 20); T_RUN(there_and_back) T_RUN(bad_is_sticky)
           T_RUN(numbers_out_of_range) T_RUN(cut_short) T_RUN(promises)
               T_RUN(depth_and_nodes) T_RUN(doubles))
