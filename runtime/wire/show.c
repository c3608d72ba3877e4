/* wire/show.c: values of frames as JSON. [any] */
#include "wire/show.h"

#include <math.h>

#include "base/text.h"
#include "wire/value.h"

/* Of JSON inside bytes: with the levels of the value around it the whole
 * stays below what the reader of a trace takes. */
#define INNER_DEPTH_MAX 32

/* A list or a map that is being written. */
struct level {
    uint32_t left; /* items, or names and values */
    bool map;
};

static void
show_json_or_text(struct ll_show *show, linli_str s)
{
    bool container = s.len > 1 && (s.ptr[0] == '{' || s.ptr[0] == '[');
    if (!show->plain && container &&
        ll_json_parse(show->json, s, INNER_DEPTH_MAX, NULL) == LINLI_OK)
        ll_jw_value(show->to, ll_json_root(show->json));
    else
        ll_jw_str(show->to, s);
}

static void
show_bytes(struct ll_show *show, linli_str s)
{
    if (ll_utf8_valid(s)) {
        show_json_or_text(show, s);
        return;
    }
    ll_jw_open(show->to, '{');
    ll_jw_key(show->to, "base64url");
    ll_jw_raw(show->to, LINLI_STR("\""));
    ll_base64url_put(show->to->buf, s.ptr, s.len);
    ll_buf_char(show->to->buf, '"');
    ll_jw_close(show->to, '}');
}

static void
show_double(struct ll_show *show, double d)
{
    if (isfinite(d))
        ll_jw_double(show->to, d);
    else
        ll_jw_cstr(show->to, isnan(d) ? "nan" : d > 0 ? "inf" : "-inf");
}

static void
show_scalar(struct ll_show *show, struct ll_rd *rd)
{
    switch (ll_rd_peek(rd)) {
    case LL_VALUE_FALSE:
    case LL_VALUE_TRUE:
        ll_jw_bool(show->to, ll_rd_bool(rd));
        return;
    case LL_VALUE_INT:
        ll_jw_int(show->to, ll_rd_int(rd));
        return;
    case LL_VALUE_DOUBLE:
        show_double(show, ll_rd_double(rd));
        return;
    case LL_VALUE_BYTES:
        show_bytes(show, ll_rd_bytes(rd));
        return;
    default:
        (void)ll_rd_value(rd);
        ll_jw_null(show->to);
    }
}

/* `value` has been looked at by ll_rd_value: depth and counts are bounded. */
static void
show_checked(struct ll_show *show, linli_str value)
{
    struct level levels[LL_VALUE_DEPTH_MAX + 1];
    struct ll_rd rd = ll_rd(value);
    size_t depth = 0;
    do {
        while (depth > 0 && levels[depth - 1].left == 0) {
            depth--;
            ll_jw_close(show->to, levels[depth].map ? '}' : ']');
        }
        if (depth == 0 && ll_rd_peek(&rd) < 0)
            return;
        struct level *in = depth > 0 ? &levels[depth - 1] : NULL;
        bool key = in != NULL && in->map && in->left % 2 == 0;
        if (in != NULL)
            in->left--;
        int tag = ll_rd_peek(&rd);
        if (key) {
            ll_jw_key_str(show->to, ll_rd_bytes(&rd));
        } else if (tag == LL_VALUE_LIST || tag == LL_VALUE_MAP) {
            bool map = tag == LL_VALUE_MAP;
            ll_check(depth < LL_COUNT(levels));
            ll_jw_open(show->to, map ? '{' : '[');
            levels[depth++] = (struct level){
                .left = map ? 2 * ll_rd_map(&rd) : ll_rd_list(&rd), .map = map};
        } else {
            show_scalar(show, &rd);
        }
    } while (!rd.bad);
}

bool
ll_show_value(struct ll_show *show, linli_str value)
{
    struct ll_rd rd = ll_rd(value);
    linli_str whole = ll_rd_value(&rd);
    if (!ll_rd_end(&rd))
        return false;
    show_checked(show, whole);
    return true;
}

bool
ll_show_fields(struct ll_show *show, linli_str payload,
    const char *const *names, size_t name_count)
{
    struct ll_rd rd = ll_rd(payload);
    (void)ll_rd_value(&rd);
    if (!ll_rd_end(&rd))
        return false;
    rd = ll_rd(payload);
    uint32_t count = ll_rd_list(&rd), at = 0;
    if (rd.bad)
        return false;
    ll_jw_open(show->to, '{');
    for (; at < count && at < name_count; at++) {
        linli_str item = ll_rd_value(&rd);
        if (names[at][0] == '\0')
            continue;
        ll_jw_key(show->to, names[at]);
        show_checked(show, item);
    }
    if (at < count) {
        ll_jw_key(show->to, "more");
        ll_jw_open(show->to, '[');
        for (; at < count; at++)
            show_checked(show, ll_rd_value(&rd));
        ll_jw_close(show->to, ']');
    }
    ll_jw_close(show->to, '}');
    return true;
}

bool
ll_show_call(struct ll_show *show, linli_str payload)
{
    static const char *const names[] = {"kind", "route", "now", "seed",
        "wall_ms", "cpu_ms", "memory_bytes", "params", "path", "query",
        "caller_kind", "caller_id", "caller_roles", "locale", "trace_id",
        "body", "name", "input", "due", "late", "if_match", "bound_to",
        "device_kind", "resident", "fields"};
    return ll_show_fields(show, payload, names, LL_COUNT(names));
}

const char *
ll_hostcall_name(uint32_t number)
{
    static const char *const names[] = {
#define H(n, name, interface, draft, writes, args, answer) [n] = #name,
#include "wire/hostcall.def"
#undef H
    };
    bool known = number < LL_COUNT(names) && names[number] != NULL;
    return known ? names[number] : "unknown";
}
