/* base/problem.h: the table of stable problem codes. [any] */
#ifndef LL_BASE_PROBLEM_H
#define LL_BASE_PROBLEM_H

#include "base/err.h"

struct ll_problem {
    const char *code;
    int http_status; /* 0: never leaves over HTTP */
    bool retryable;  /* the same request may pass later */
    const char *title_en, *title_zh;
    const char *fix_en, *fix_zh;
};

/* The row of a code, or NULL if Linli does not know it. */
const struct ll_problem *ll_problem_find(linli_str code);

/* Rows in table order: 0 .. count - 1; NULL past the end. */
const struct ll_problem *ll_problem_at(size_t index);

#endif
