/* base/schema_text.c: the words of schema messages. [any] */
#include "base/schema_int.h"

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
