/* base/tuple.c: writes and reads keys that sort as their values. */
#include "base/tuple.h"

#include "base/limits.h"
#include "base/text.h"

/* The kinds, in the order of their values. All are below END, which never
 * begins a value: a key with END after it follows all that continue it. */
enum {
    KIND_NULL = 0x01,
    KIND_FALSE = 0x02,
    KIND_TRUE = 0x03,
    KIND_INT = 0x10,
    KIND_STR = 0x20,
    END = 0xff,
};

#define INT_BYTES 8
#define SIGN_BIT ((uint64_t)1 << 63)

void
ll_tuple_null(struct ll_buf *key)
{
    ll_buf_char(key, KIND_NULL);
}

void
ll_tuple_bool(struct ll_buf *key, bool b)
{
    ll_buf_char(key, b ? KIND_TRUE : KIND_FALSE);
}

void
ll_tuple_int(struct ll_buf *key, int64_t i)
{
    char bytes[1 + INT_BYTES] = {KIND_INT};
    uint64_t bits = (uint64_t)i ^ SIGN_BIT;
    for (int n = INT_BYTES; n > 0; n--, bits >>= 8)
        bytes[n] = (char)(bits & 0xff);
    ll_buf_add(key, bytes, sizeof bytes);
}

/* The bytes up to the first NUL, or all. */
static linli_str
run_without_nul(linli_str s)
{
    const char *nul = s.len > 0 ? memchr(s.ptr, 0, s.len) : NULL;
    return (linli_str){s.ptr, nul == NULL ? s.len : (size_t)(nul - s.ptr)};
}

static linli_str
skip(linli_str s, size_t bytes)
{
    return bytes == 0 ? s : (linli_str){s.ptr + bytes, s.len - bytes};
}

void
ll_tuple_str(struct ll_buf *key, linli_str s)
{
    ll_buf_char(key, KIND_STR);
    for (;;) {
        linli_str run = run_without_nul(s);
        ll_buf_str(key, run);
        ll_buf_char(key, '\0');
        if (run.len == s.len)
            return;
        ll_buf_char(key, (char)END);
        s = skip(s, run.len + 1);
    }
}

linli_status
ll_tuple_json(struct ll_buf *key, struct ll_jv v)
{
    int64_t i = 0;
    if (!ll_jv_there(v) || ll_jv_is(v, LL_JSON_NULL))
        ll_tuple_null(key);
    else if (ll_jv_is(v, LL_JSON_FALSE) || ll_jv_is(v, LL_JSON_TRUE))
        ll_tuple_bool(key, ll_jv_true(v));
    else if (ll_jv_int(v, &i))
        ll_tuple_int(key, i);
    else if (ll_jv_is(v, LL_JSON_STRING) &&
             ll_jv_str(v).len <= LL_KEY_STR_BYTES_MAX)
        ll_tuple_str(key, ll_jv_str(v));
    else
        return LINLI_E_INVALID;
    return LINLI_OK;
}

bool
ll_tuple_next(struct ll_buf *key)
{
    /* Not the last byte plus one: that range would hold "a\0b" beside "a",
     * as the end of a string begins an escape too. */
    ll_buf_char(key, (char)END);
    return !key->failed;
}

static bool
read_int(linli_str *rest, struct ll_jw *out)
{
    if (rest->len < INT_BYTES)
        return false;
    uint64_t bits = 0;
    for (int n = 0; n < INT_BYTES; n++)
        bits = bits << 8 | (unsigned char)rest->ptr[n];
    bits ^= SIGN_BIT;
    int64_t i;
    memcpy(&i, &bits, sizeof i);
    ll_jw_int(out, i);
    *rest = skip(*rest, INT_BYTES);
    return true;
}

/* True if the string goes on with a NUL after a run of `len` bytes. */
static bool
is_escape(linli_str s, size_t len)
{
    return s.len - len >= 2 && (unsigned char)s.ptr[len + 1] == END;
}

/* Two passes, so that nothing is written of a string without an end. */
static bool
read_str(linli_str *rest, struct ll_jw *out)
{
    linli_str s = *rest, run = run_without_nul(s);
    for (; is_escape(s, run.len); run = run_without_nul(s))
        s = skip(s, run.len + 2);
    if (run.len == s.len)
        return false;
    linli_str after = skip(s, run.len + 1);
    ll_jw_raw(out, LINLI_STR("\""));
    for (s = *rest, run = run_without_nul(s); is_escape(s, run.len);
         run = run_without_nul(s)) {
        ll_json_escape(out->buf, run);
        ll_json_escape(out->buf, (linli_str){s.ptr + run.len, 1});
        s = skip(s, run.len + 2);
    }
    ll_json_escape(out->buf, run);
    ll_buf_char(out->buf, '"');
    *rest = after;
    return true;
}

bool
ll_tuple_read(linli_str *key, struct ll_jw *out)
{
    if (key->len == 0)
        return false;
    linli_str rest = skip(*key, 1);
    switch ((unsigned char)key->ptr[0]) {
    case KIND_NULL:
        ll_jw_null(out);
        break;
    case KIND_FALSE:
    case KIND_TRUE:
        ll_jw_bool(out, key->ptr[0] == KIND_TRUE);
        break;
    case KIND_INT:
        if (!read_int(&rest, out))
            return false;
        break;
    case KIND_STR:
        if (!read_str(&rest, out))
            return false;
        break;
    default:
        return false;
    }
    *key = rest;
    return true;
}
