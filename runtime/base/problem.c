/* base/problem.c: look-up in the table of problem codes. */
#include "base/problem.h"

#include "base/text.h"

static const struct ll_problem rows[] = {
#define P(code, status, retryable, en, zh, fix_en, fix_zh) \
    {code, status, retryable, en, zh, fix_en, fix_zh},
#include "base/problem.def"
#undef P
};

const struct ll_problem *
ll_problem_at(size_t index)
{
    return index < LL_COUNT(rows) ? &rows[index] : NULL;
}

const struct ll_problem *
ll_problem_find(linli_str code)
{
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        if (ll_str_is(code, rows[i].code))
            return &rows[i];
    return NULL;
}

bool
ll_problem_ends_call(linli_str code)
{
    static const char *const codes[] = {"request/cursor", "db/quota",
        "runtime/conflict", "store/failed", "runtime/memory"};
    for (size_t i = 0; i < LL_COUNT(codes); i++)
        if (ll_str_is(code, codes[i]))
            return true;
    return false;
}
