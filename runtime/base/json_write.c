/* base/json_write.c: JSON out, byte by byte into a bounded buffer. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/text.h"

static void
separate(struct ll_jw *w)
{
    if (w->comma)
        ll_buf_char(w->buf, ',');
    w->comma = true;
}

void
ll_jw_open(struct ll_jw *w, char bracket)
{
    separate(w);
    ll_buf_char(w->buf, bracket);
    w->comma = false;
}

void
ll_jw_close(struct ll_jw *w, char bracket)
{
    ll_buf_char(w->buf, bracket);
    w->comma = true;
}

void
ll_jw_key_str(struct ll_jw *w, linli_str name)
{
    ll_jw_str(w, name);
    ll_buf_char(w->buf, ':');
    w->comma = false;
}

void
ll_jw_key(struct ll_jw *w, const char *name)
{
    ll_jw_key_str(w, ll_cstr(name));
}

static void
escape_char(struct ll_buf *buf, unsigned char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    static const char hex[] = "0123456789abcdef";
    const char *hit = c == 0 ? NULL : strchr(from, c);
    ll_buf_char(buf, '\\');
    if (hit != NULL) {
        ll_buf_char(buf, to[hit - from]);
        return;
    }
    ll_buf_add(buf, "u00", 3);
    ll_buf_char(buf, hex[c >> 4]);
    ll_buf_char(buf, hex[c & 15]);
}

static inline bool
must_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void
escape_valid(struct ll_buf *buf, linli_str s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (LL_LIKELY(!must_escape((unsigned char)s.ptr[i])))
            continue;
        ll_buf_add(buf, s.ptr + from, i - from);
        escape_char(buf, (unsigned char)s.ptr[i]);
        from = i + 1;
    }
    if (s.len > from)
        ll_buf_add(buf, s.ptr + from, s.len - from);
}

/* Bytes that are no UTF-8 come out as U+FFFD, one for each. */
static void
escape_invalid(struct ll_buf *buf, linli_str s)
{
    for (size_t i = 0; i < s.len;) {
        size_t n = 1;
        while (
            n < 4 && i + n < s.len && !ll_utf8_valid((linli_str){s.ptr + i, n}))
            n++;
        linli_str one = {s.ptr + i, n};
        if (ll_utf8_valid(one)) {
            escape_valid(buf, one);
            i += n;
        } else {
            ll_buf_cstr(buf, "\xef\xbf\xbd");
            i++;
        }
    }
}

void
ll_json_escape(struct ll_buf *buf, linli_str s)
{
    if (LL_LIKELY(ll_utf8_valid(s)))
        escape_valid(buf, s);
    else
        escape_invalid(buf, s);
}

void
ll_jw_str(struct ll_jw *w, linli_str s)
{
    separate(w);
    ll_buf_char(w->buf, '"');
    ll_json_escape(w->buf, s);
    ll_buf_char(w->buf, '"');
}

void
ll_jw_cstr(struct ll_jw *w, const char *s)
{
    ll_jw_str(w, ll_cstr(s));
}

void
ll_jw_int(struct ll_jw *w, int64_t i)
{
    char digits[24];
    char *p = digits + sizeof digits;
    /* Counting with negatives reaches INT64_MIN without overflow. */
    int64_t rest = i > 0 ? -i : i;
    do
        *--p = (char)('0' - rest % 10);
    while ((rest /= 10) != 0);
    if (i < 0)
        *--p = '-';
    separate(w);
    ll_buf_add(w->buf, p, (size_t)(digits + sizeof digits - p));
}

size_t
ll_double_text(double d, char out[32])
{
    int n = 0;
    ll_check(isfinite(d));
    for (int precision = 15; precision <= 17; precision++) {
        n = snprintf(out, 32, "%.*g", precision, d);
        double back = strtod(out, NULL); /* same locale as snprintf */
        if (!(back < d) && !(back > d))
            break;
    }
    /* The embedder's locale may have another decimal point. */
    size_t len = 0;
    bool fraction = false;
    for (int i = 0; i < n; i++) {
        bool known = out[i] != '\0' && strchr("0123456789+-e", out[i]) != NULL;
        bool dot = !known && !fraction;
        if (known || dot)
            out[len++] = known ? out[i] : '.';
        fraction |= dot || out[i] == 'e';
    }
    if (!fraction && len + 2 < 32) {
        out[len++] = '.';
        out[len++] = '0';
    }
    out[len] = '\0';
    return len;
}

void
ll_jw_double(struct ll_jw *w, double d)
{
    char text[32];
    separate(w);
    ll_buf_add(w->buf, text, ll_double_text(d, text));
}

void
ll_jw_bool(struct ll_jw *w, bool b)
{
    separate(w);
    ll_buf_cstr(w->buf, b ? "true" : "false");
}

void
ll_jw_null(struct ll_jw *w)
{
    separate(w);
    ll_buf_cstr(w->buf, "null");
}

void
ll_jw_raw(struct ll_jw *w, linli_str json)
{
    separate(w);
    ll_buf_str(w->buf, json);
}

static void
write_container(struct ll_jw *w, struct ll_jv v)
{
    bool object = ll_jv_is(v, LL_JSON_OBJECT);
    ll_jw_open(w, object ? '{' : '[');
    if (object) {
        LL_JSON_MEMBERS (key, value, v) {
            ll_jw_key_str(w, ll_jv_str(key));
            ll_jw_value(w, value);
        }
    } else {
        LL_JSON_EACH (item, v) {
            ll_jw_value(w, item);
        }
    }
    ll_jw_close(w, object ? '}' : ']');
}

void
ll_jw_value(struct ll_jw *w, struct ll_jv v)
{
    if (!ll_jv_there(v)) {
        ll_jw_null(w);
        return;
    }
    const struct ll_json_node *node = ll_jv_node(v);
    switch ((enum ll_json_type)node->type) {
    case LL_JSON_NULL:
        ll_jw_null(w);
        break;
    case LL_JSON_FALSE:
    case LL_JSON_TRUE:
        ll_jw_bool(w, node->type == LL_JSON_TRUE);
        break;
    case LL_JSON_INT:
        ll_jw_int(w, node->u.i);
        break;
    case LL_JSON_DOUBLE:
        ll_jw_double(w, node->u.d);
        break;
    case LL_JSON_STRING:
        ll_jw_str(w, ll_jv_str(v));
        break;
    case LL_JSON_ARRAY:
    case LL_JSON_OBJECT:
        /* Depth is bounded by the reader. */
        write_container(w, v);
        break;
    }
}
