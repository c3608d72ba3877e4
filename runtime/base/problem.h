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

/* True for the refusals of a host call that are not the plugin's to handle:
 * what the caller sent, what the operator allows, who else was at it, what
 * the host could not read. Engines end the call with them, and the host lets
 * them (spec/lua.md, section 4; spec/abi.md, A17). */
bool ll_problem_ends_call(linli_str code);

#endif
