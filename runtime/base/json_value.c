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
array_equal(struct ll_jv a, struct ll_jv b)
{
    struct ll_jv other = ll_jv_first(b);
    LL_JSON_EACH (item, a) {
        if (!ll_jv_equal(item, other))
            return false;
        other = ll_jv_after(other);
    }
    return true;
}

static bool
object_equal(struct ll_jv a, struct ll_jv b)
{
    LL_JSON_MEMBERS (key, value, a) {
        struct ll_jv other = ll_jv_get_str(b, ll_jv_str(key));
        if (!ll_jv_there(other) || !ll_jv_equal(value, other))
            return false;
    }
    return true;
}

bool
ll_jv_equal(struct ll_jv a, struct ll_jv b)
{
    if (!ll_jv_there(a) || !ll_jv_there(b))
        return false;
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
        return array_equal(a, b);
    return !ll_jv_is(a, LL_JSON_OBJECT) || object_equal(a, b);
}
