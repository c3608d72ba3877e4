/* base/schema_number.c: comparing and dividing JSON numbers exactly. [any]
 *
 * A number is an int64 or a double. Neither is ever rounded to the other:
 * comparisons go through a type that holds both, divisions through the
 * decimals that the two numbers are written as.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/schema_int.h"

/* Holds every int64 and every double. */
typedef long double exact;
_Static_assert(LDBL_MANT_DIG >= 64, "long double must hold an int64");

static exact
exact_of(struct ll_jv v)
{
    const struct ll_json_node *node = ll_jv_node(v);
    return node->type == LL_JSON_INT ? (exact)node->u.i : (exact)node->u.d;
}

int
ll_number_cmp(struct ll_jv a, struct ll_jv b)
{
    exact x = exact_of(a), y = exact_of(b);
    return (x > y) - (x < y);
}

bool
ll_number_integral(struct ll_jv v)
{
    if (ll_jv_is(v, LL_JSON_INT))
        return true;
    double d = ll_jv_number(v);
    return ll_jv_is(v, LL_JSON_DOUBLE) && !(floor(d) < d);
}

/* digits x 10^exponent; digits ends in no zero unless it is 0. */
struct decimal {
    uint64_t digits;
    int exponent;
};

static struct decimal
decimal_of(struct ll_jv v)
{
    struct decimal out = {0, 0};
    if (ll_jv_is(v, LL_JSON_INT)) {
        int64_t i = ll_jv_node(v)->u.i;
        out.digits = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    } else {
        char text[32];
        bool point = false;
        (void)ll_double_text(ll_jv_node(v)->u.d, text);
        /* At most 17 significant digits: no overflow. */
        for (const char *p = text; *p != '\0'; p++) {
            if (*p == 'e') {
                out.exponent += (int)strtol(p + 1, NULL, 10);
                break;
            }
            point |= *p == '.';
            if (*p < '0' || *p > '9')
                continue;
            out.digits = out.digits * 10 + (uint64_t)(*p - '0');
            out.exponent -= point;
        }
    }
    while (out.digits != 0 && out.digits % 10 == 0) {
        out.digits /= 10;
        out.exponent++;
    }
    return out;
}

bool
ll_number_multiple(struct ll_jv v, struct ll_jv of)
{
    struct decimal a = decimal_of(v), b = decimal_of(of);
    if (a.digits == 0)
        return true;
    /* a has no factor 10 left to make up for a larger exponent of b. */
    if (a.exponent < b.exponent || b.digits == 0)
        return false;
    uint64_t rest = a.digits % b.digits;
    /* Doubles span 10^-324 .. 10^308, so this loop is short. */
    for (int i = a.exponent - b.exponent; i > 0 && rest != 0; i--)
        rest = (uint64_t)((unsigned __int128)rest * 10 % b.digits);
    return rest == 0;
}
