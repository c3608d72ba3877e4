/* base/buf.c: growth of a bounded buffer. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void
ll_buf_init(struct ll_buf *buf, struct ll_mem *mem, size_t max_bytes)
{
    *buf = (struct ll_buf){.mem = mem, .max_bytes = max_bytes};
}

void
ll_buf_fini(struct ll_buf *buf)
{
    ll_release(buf->mem, buf->ptr, buf->cap);
    *buf = (struct ll_buf){.mem = buf->mem, .max_bytes = buf->max_bytes};
}

bool
ll_buf_grow(struct ll_buf *buf, size_t bytes)
{
    if (buf->failed)
        return false;
    if (bytes > buf->max_bytes || buf->len > buf->max_bytes - bytes)
        goto fail;
    size_t need = buf->len + bytes;
    size_t cap = buf->cap == 0 ? 256 : buf->cap;
    while (cap < need)
        cap *= 2;
    if (cap > buf->max_bytes)
        cap = buf->max_bytes;
    char *moved = ll_realloc(buf->mem, buf->ptr, buf->cap, cap);
    if (moved == NULL)
        goto fail;
    buf->ptr = moved;
    buf->cap = cap;
    return true;
fail:
    buf->failed = true;
    return false;
}

void
ll_buf_printf(struct ll_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    /* vsnprintf writes a NUL that the length does not count. */
    if (need < 0)
        buf->failed = true;
    else if (ll_buf_room(buf, (size_t)need + 1)) {
        (void)vsnprintf(buf->ptr + buf->len, (size_t)need + 1, fmt, again);
        buf->len += (size_t)need;
    }
    va_end(again);
}

void
ll_buf_reset(struct ll_buf *buf, size_t keep_bytes)
{
    if (buf->cap > keep_bytes)
        ll_buf_fini(buf);
    ll_buf_clear(buf);
}

void
ll_buf_drop(struct ll_buf *buf, size_t bytes)
{
    ll_check(bytes <= buf->len);
    buf->len -= bytes;
    if (buf->len > 0 && bytes > 0)
        memmove(buf->ptr, buf->ptr + bytes, buf->len);
}
