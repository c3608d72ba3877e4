/* base/json_value.c: looking at the values of a tape. */
#include "base/json.h"

#include <math.h>

#include "base/text.h"

linli_str
ll_jv_str(struct ll_jv v)
{
    if (!ll_jv_is(v, LL_JSON_STRING))
        return (linli_str){NULL, 0};
    const struct ll_json_node *node = ll_jv_node(v);
    const char *from = node->unescaped ? v.json->own.ptr : v.json->text.ptr;
    if (node->size == 0)
        return LINLI_STR("");
    return (linli_str){from + node->u.at, node->size};
}

bool
ll_jv_int(struct ll_jv v, int64_t *out)
{
    if (!ll_jv_is(v, LL_JSON_INT))
        return false;
    *out = ll_jv_node(v)->u.i;
    return true;
}

double
ll_jv_number(struct ll_jv v)
{
    if (ll_jv_is(v, LL_JSON_INT))
        return (double)ll_jv_node(v)->u.i;
    return ll_jv_is(v, LL_JSON_DOUBLE) ? ll_jv_node(v)->u.d : 0;
}

struct ll_jv
ll_jv_first(struct ll_jv v)
{
    if (ll_jv_count(v) == 0)
        return (struct ll_jv){NULL, 0};
    return (struct ll_jv){v.json, v.at + 1};
}

struct ll_jv
ll_jv_get_str(struct ll_jv v, linli_str name)
{
    if (!ll_jv_is(v, LL_JSON_OBJECT))
        return (struct ll_jv){NULL, 0};
    LL_JSON_MEMBERS (key, value, v) {
        if (ll_str_eq(ll_jv_str(key), name))
            return value;
    }
    return (struct ll_jv){NULL, 0};
}

struct ll_jv
ll_jv_get(struct ll_jv v, const char *name)
{
    return ll_jv_get_str(v, ll_cstr(name));
}

static bool
is_number(struct ll_jv v)
{
    return ll_jv_is(v, LL_JSON_INT) || ll_jv_is(v, LL_JSON_DOUBLE);
}

/* An int64 and a double are equal only if the double is that integer. */
static bool
number_equal(struct ll_jv a, struct ll_jv b)
{
    bool a_int = ll_jv_is(a, LL_JSON_INT), b_int = ll_jv_is(b, LL_JSON_INT);
    if (a_int && b_int)
        return ll_jv_node(a)->u.i == ll_jv_node(b)->u.i;
    if (!a_int && !b_int)
        return !(ll_jv_node(a)->u.d < ll_jv_node(b)->u.d) &&
               !(ll_jv_node(a)->u.d > ll_jv_node(b)->u.d);
    double d = ll_jv_node(a_int ? b : a)->u.d;
    int64_t i = ll_jv_node(a_int ? a : b)->u.i;
    return d >= -9223372036854775808.0 && d < 9223372036854775808.0 &&
           floor(d) >= d && (int64_t)d == i;
}

static bool
array_equal(struct ll_jv a, struct ll_jv b, uint64_t *work)
{
    struct ll_jv other = ll_jv_first(b);
    LL_JSON_EACH (item, a) {
        if (!ll_jv_equal_within(item, other, work))
            return false;
        other = ll_jv_after(other);
    }
    return true;
}

/* The member of `object` under `name`, looked for from `hint` on, which is a
 * key in it, and round to it: two objects mostly have one order. */
static struct ll_jv
find_from(
    struct ll_jv object, struct ll_jv hint, linli_str name, uint64_t *work)
{
    struct ll_jv key = hint;
    do {
        if (*work == 0)
            break;
        --*work;
        struct ll_jv value = ll_jv_after(key);
        if (ll_str_eq(ll_jv_str(key), name))
            return value;
        key = ll_jv_after(value);
        if (!ll_jv_within(key, object))
            key = ll_jv_first(object);
    } while (key.at != hint.at);
    return (struct ll_jv){NULL, 0};
}

static bool
object_equal(struct ll_jv a, struct ll_jv b, uint64_t *work)
{
    struct ll_jv hint = ll_jv_first(b);
    LL_JSON_MEMBERS (key, value, a) {
        struct ll_jv other = find_from(b, hint, ll_jv_str(key), work);
        if (!ll_jv_there(other) || !ll_jv_equal_within(value, other, work))
            return false;
        hint = ll_jv_after(other);
        if (!ll_jv_within(hint, b))
            hint = ll_jv_first(b);
    }
    return true;
}

bool
ll_jv_equal_within(struct ll_jv a, struct ll_jv b, uint64_t *work)
{
    if (!ll_jv_there(a) || !ll_jv_there(b) || *work == 0)
        return false;
    --*work;
    if (is_number(a) && is_number(b))
        return number_equal(a, b);
    if (ll_jv_node(a)->type != ll_jv_node(b)->type)
        return false;
    if (ll_jv_is(a, LL_JSON_STRING))
        return ll_str_eq(ll_jv_str(a), ll_jv_str(b));
    if (ll_jv_count(a) != ll_jv_count(b))
        return false;
    /* The reader bounds the depth, so this recursion is bounded too. */
    if (ll_jv_is(a, LL_JSON_ARRAY))
        return array_equal(a, b, work);
    return !ll_jv_is(a, LL_JSON_OBJECT) || object_equal(a, b, work);
}

bool
ll_jv_equal(struct ll_jv a, struct ll_jv b)
{
    uint64_t work = UINT64_MAX;
    return ll_jv_equal_within(a, b, &work);
}

static void
put_token(struct ll_buf *out, linli_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '~')
            ll_buf_cstr(out, "~0");
        else if (name.ptr[i] == '/')
            ll_buf_cstr(out, "~1");
        else
            ll_buf_char(out, name.ptr[i]);
    }
}

/* Appends one token and returns the child of `in` that holds `at`. */
static struct ll_jv
step_towards(struct ll_jv in, uint32_t at, struct ll_buf *out)
{
    size_t index = 0;
    ll_buf_char(out, '/');
    if (ll_jv_is(in, LL_JSON_OBJECT)) {
        LL_JSON_MEMBERS (key, value, in) {
            if (at >= ll_jv_node(value)->next)
                continue;
            put_token(out, ll_jv_str(key));
            return at == key.at ? key : value;
        }
    }
    LL_JSON_EACH (item, in) {
        if (at < ll_jv_node(item)->next) {
            ll_buf_printf(out, "%zu", index);
            return item;
        }
        index++;
    }
    return in;
}

void
ll_jv_pointer(struct ll_jv root, struct ll_jv v, char *out, size_t size)
{
    ll_check(size >= 8);
    ll_check(v.json == root.json);
    ll_check(v.at == root.at || ll_jv_within(v, root));
    /* Its maximum is what it has, so it never allocates. */
    struct ll_buf buf = {.ptr = out, .cap = size - 4, .max_bytes = size - 4};
    while (root.at < v.at && !buf.failed)
        root = step_towards(root, v.at, &buf);
    if (buf.failed) {
        while (buf.len > 0 && (out[buf.len - 1] & 0xc0) == 0x80)
            buf.len--;
        if (buf.len > 0 && (out[buf.len - 1] & 0xc0) == 0xc0)
            buf.len--;
    }
    memcpy(out + buf.len, buf.failed ? "..." : "", buf.failed ? 4 : 1);
}
