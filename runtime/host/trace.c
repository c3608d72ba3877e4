/* host/trace.c: reading and making traceparent values. [any] */
#include "host/trace.h"

#include <string.h>

#include "base/text.h"

/* n lower-case hex digits, as the specification wants them. */
static bool
is_hex(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
            return false;
    return true;
}

static bool
is_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != '0')
            return false;
    return true;
}

/* version 2, trace 32, parent 16, flags 2 digits, dashes between. A later
 * version may append fields; version ff does not exist. */
static bool
is_traceparent(linli_str s)
{
    const char *p = s.ptr;
    if (s.len < 55 || p[2] != '-' || p[35] != '-' || p[52] != '-')
        return false;
    if (!is_hex(p, 2) || !is_hex(p + 3, 32) || !is_hex(p + 36, 16) ||
        !is_hex(p + 53, 2))
        return false;
    if (is_zero(p + 3, 32) || is_zero(p + 36, 16))
        return false;
    if (memcmp(p, "ff", 2) == 0)
        return false;
    return s.len == 55 || (!is_zero(p, 2) && p[55] == '-');
}

static void
put_hex(char *out, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 15; i >= 0; i--, value >>= 4)
        out[i] = digits[value & 15];
}

bool
ll_trace_make(
    linli_str traceparent, struct ll_trace_seed seed, struct ll_trace *out)
{
    *out = (struct ll_trace){"", "", false};
    put_hex(out->parent_id, seed.span == 0 ? 1 : seed.span);
    if (is_traceparent(traceparent)) {
        memcpy(out->trace_id, traceparent.ptr + 3, 32);
        /* Bit 0 of the flags: the caller recorded this trace. */
        char low = traceparent.ptr[54];
        out->sampled = ((low <= '9' ? low - '0' : low - 'a' + 10) & 1) != 0;
        return true;
    }
    put_hex(out->trace_id, seed.trace_high);
    put_hex(out->trace_id + 16, seed.trace_low == 0 ? 1 : seed.trace_low);
    return false;
}

void
ll_trace_header(const struct ll_trace *trace, char out[LL_TRACEPARENT_BYTES])
{
    memcpy(out, "00-", 3);
    memcpy(out + 3, trace->trace_id, 32);
    out[35] = '-';
    memcpy(out + 36, trace->parent_id, 16);
    memcpy(out + 52, trace->sampled ? "-01" : "-00", 4);
}
