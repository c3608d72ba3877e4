/* worker/native_value.c: JSON into the values of the wire, and back.
 * [worker]
 *
 * Native plugins speak JSON, host calls speak values. Both directions walk
 * in the order of the text, without recursion.
 */
#include "worker/native.h"

#include <math.h>

static void
put_node(struct ll_buf *buf, struct ll_jv v)
{
    int64_t i = 0;
    switch ((enum ll_json_type)ll_jv_node(v)->type) {
    case LL_JSON_NULL:
        ll_put_nil(buf);
        return;
    case LL_JSON_FALSE:
    case LL_JSON_TRUE:
        ll_put_bool(buf, ll_jv_true(v));
        return;
    case LL_JSON_INT:
        (void)ll_jv_int(v, &i);
        ll_put_int(buf, i);
        return;
    case LL_JSON_DOUBLE:
        ll_put_double(buf, ll_jv_number(v));
        return;
    case LL_JSON_STRING:
        ll_put_bytes(buf, ll_jv_str(v));
        return;
    case LL_JSON_ARRAY:
        ll_put_list(buf, ll_jv_count(v));
        return;
    case LL_JSON_OBJECT:
        ll_put_map(buf, ll_jv_count(v));
        return;
    }
}

linli_status
ll_native_put_json(struct ll_buf *buf, const struct ll_json *json)
{
    if (json->count > LL_VALUE_NODES_MAX)
        return LINLI_E_LIMIT;
    /* A tape is in the order of the text, and so are values. */
    for (uint32_t at = 0; at < json->count; at++)
        put_node(buf, (struct ll_jv){json, at});
    return buf->failed ? LINLI_E_LIMIT : LINLI_OK;
}

/* Containers that are open while a value is read. */
struct nesting {
    uint32_t depth;
    struct {
        uint32_t left; /* items that are still to come */
        bool map;
    } level[LL_VALUE_DEPTH_MAX + 1]; /* an empty one may stand deeper */
};

static void
open_container(struct nesting *n, struct ll_jw *w, struct ll_rd *rd, bool map)
{
    ll_check(n->depth <= LL_VALUE_DEPTH_MAX); /* the value was checked */
    n->level[n->depth].map = map;
    n->level[n->depth++].left = map ? ll_rd_map(rd) : ll_rd_list(rd);
    ll_jw_open(w, map ? '{' : '[');
}

/* Writes a scalar, or the beginning of a container. */
static linli_status
get_one(struct nesting *n, struct ll_jw *w, struct ll_rd *rd)
{
    switch (ll_rd_peek(rd)) {
    case LL_VALUE_FALSE:
    case LL_VALUE_TRUE:
        ll_jw_bool(w, ll_rd_bool(rd));
        return LINLI_OK;
    case LL_VALUE_INT:
        ll_jw_int(w, ll_rd_int(rd));
        return LINLI_OK;
    case LL_VALUE_DOUBLE: {
        double d = ll_rd_double(rd);
        if (!isfinite(d))
            return LINLI_E_INTERNAL;
        ll_jw_double(w, d);
        return LINLI_OK;
    }
    case LL_VALUE_BYTES:
        ll_jw_str(w, ll_rd_bytes(rd));
        return LINLI_OK;
    case LL_VALUE_LIST:
        open_container(n, w, rd, false);
        return LINLI_OK;
    case LL_VALUE_MAP:
        open_container(n, w, rd, true);
        return LINLI_OK;
    default:
        (void)ll_rd_value(rd); /* nil */
        ll_jw_null(w);
        return LINLI_OK;
    }
}

linli_status
ll_native_get_json(struct ll_buf *buf, linli_str value)
{
    struct nesting n = {.depth = 0};
    struct ll_jw w = ll_jw(buf);
    struct ll_rd rd = ll_rd(value);
    do {
        if (n.depth > 0) {
            n.level[n.depth - 1].left--;
            if (n.level[n.depth - 1].map)
                ll_jw_key_str(&w, ll_rd_bytes(&rd));
        }
        linli_status s = get_one(&n, &w, &rd);
        if (s != LINLI_OK)
            return s;
        while (n.depth > 0 && n.level[n.depth - 1].left == 0)
            ll_jw_close(&w, n.level[--n.depth].map ? '}' : ']');
    } while (n.depth > 0 && !rd.bad);
    if (rd.bad)
        return LINLI_E_INTERNAL;
    return buf->failed ? LINLI_E_LIMIT : LINLI_OK;
}
