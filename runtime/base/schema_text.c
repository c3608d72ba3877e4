/* base/schema_text.c: the words of schema messages. [any] */
#include "base/schema_int.h"

/* Longer names are not compared: nobody mistypes one into another. */
#define NEAR_BYTES_MAX 40

/* Edits between two names, a swap of neighbours counted as one (optimal
 * string alignment). */
static unsigned
edits(linli_str a, linli_str b)
{
    unsigned rows[3][NEAR_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3];
        const unsigned *up2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned best = up[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            best = up[j] + 1 < best ? up[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
                a.ptr[i - 2] == b.ptr[j - 1] && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a.len % 3][b.len];
}

void
ll_near_try(struct ll_near *near, linli_str candidate)
{
    size_t longer = near->s.len > candidate.len ? near->s.len : candidate.len;
    size_t shorter = near->s.len + candidate.len - longer;
    if (shorter == 0 || longer > NEAR_BYTES_MAX || longer - shorter > 3)
        return;
    unsigned distance = edits(near->s, candidate);
    /* A third of a name may be wrong, or it is another name. */
    if (distance > 3 || distance * 3 > longer)
        return;
    if (near->best.ptr == NULL || distance < near->distance) {
        near->best = candidate;
        near->distance = distance;
    }
}

const char *
ll_schema_type_text(struct ll_jv v)
{
    switch ((enum ll_json_type)ll_jv_node(v)->type) {
    case LL_JSON_NULL:
        return "null";
    case LL_JSON_FALSE:
    case LL_JSON_TRUE:
        return "a boolean";
    case LL_JSON_INT:
        return "an integer";
    case LL_JSON_DOUBLE:
        return "a number with a fraction";
    case LL_JSON_STRING:
        return "a string";
    case LL_JSON_ARRAY:
        return "an array";
    case LL_JSON_OBJECT:
        return "an object";
    }
    return "a value";
}

void
ll_schema_types_text(struct ll_buf *out, uint32_t types)
{
    static const struct {
        uint32_t bits;
        const char *text;
    } words[] = {{1u << LL_JSON_STRING, "a string"},
        {1u << LL_JSON_DOUBLE, "a number"}, {LL_SCHEMA_INTEGRAL, "an integer"},
        {1u << LL_JSON_TRUE, "a boolean"}, {1u << LL_JSON_ARRAY, "an array"},
        {1u << LL_JSON_OBJECT, "an object"}, {1u << LL_JSON_NULL, "null"}};
    uint32_t left = types;
    /* Each integer is a number too. */
    if (left & 1u << LL_JSON_DOUBLE)
        left &= ~LL_SCHEMA_INTEGRAL;
    const char *before = "";
    for (size_t i = 0; i < LL_COUNT(words); i++) {
        if ((left & words[i].bits) == 0)
            continue;
        ll_buf_cstr(out, before);
        ll_buf_cstr(out, words[i].text);
        before = " or ";
    }
}
