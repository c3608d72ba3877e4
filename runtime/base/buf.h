/* base/buf.h: a growing byte buffer with a maximum. [any]
 *
 * Every buffer is created with its maximum, as curl's dynbuf is. Overflow is
 * sticky: append freely, look at `failed` once at the end.
 */
#ifndef LL_BASE_BUF_H
#define LL_BASE_BUF_H

#include <string.h>

#include "base/mem.h"

struct ll_buf {
    struct ll_mem *mem;
    char *ptr;
    size_t len;
    size_t cap;
    size_t max_bytes;
    bool failed; /* sticky until ll_buf_clear */
};

/* Empty, with nothing allocated; `max_bytes` bounds it. Fini frees. */
void ll_buf_init(struct ll_buf *buf, struct ll_mem *mem, size_t max_bytes);
void ll_buf_fini(struct ll_buf *buf);

/* Makes room for `bytes` more; false, and failed set, past the maximum. */
bool ll_buf_grow(struct ll_buf *buf, size_t bytes);
void ll_buf_printf(struct ll_buf *buf, const char *fmt, ...) LL_PRINTF(2, 3);

/* Empties it, and gives its room back if that is more than `keep_bytes`. */
void ll_buf_reset(struct ll_buf *buf, size_t keep_bytes);

/* Drops the first `bytes` bytes and moves the rest down. */
void ll_buf_drop(struct ll_buf *buf, size_t bytes);

static inline bool
ll_buf_room(struct ll_buf *buf, size_t bytes)
{
    return LL_LIKELY(!buf->failed && buf->cap - buf->len >= bytes) ||
           ll_buf_grow(buf, bytes);
}

static inline void
ll_buf_add(struct ll_buf *buf, const void *ptr, size_t bytes)
{
    if (bytes == 0 || !ll_buf_room(buf, bytes))
        return;
    memcpy(buf->ptr + buf->len, ptr, bytes);
    buf->len += bytes;
}

static inline void
ll_buf_str(struct ll_buf *buf, linli_str s)
{
    ll_buf_add(buf, s.ptr, s.len);
}

static inline void
ll_buf_cstr(struct ll_buf *buf, const char *s)
{
    ll_buf_add(buf, s, strlen(s));
}

static inline void
ll_buf_char(struct ll_buf *buf, char c)
{
    if (ll_buf_room(buf, 1))
        buf->ptr[buf->len++] = c;
}

static inline void
ll_buf_clear(struct ll_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

/* Borrowed until the buffer changes. */
static inline linli_str
ll_buf_view(const struct ll_buf *buf)
{
    return (linli_str){buf->ptr, buf->len};
}

#endif
