/* base/err.h: the one shape of a reported failure. [any]
 *
 * A fallible function returns a linli_status; whoever must tell a person
 * passes a `struct ll_err`. The stable code indexes base/problem.def, which
 * holds the sentence in English and Chinese and the fix; `where` and `msg`
 * hold what only this failure knows. No resident data goes into either.
 */
#ifndef LL_BASE_ERR_H
#define LL_BASE_ERR_H

#include "base/defs.h"

struct ll_err {
    linli_status status;
    char code[48];   /* stable, from problem.def, e.g. "manifest/invalid" */
    char where[192]; /* e.g. "plugin.json: /routes/0/path"; may be empty */
    char msg[256];   /* what was found and what was wanted, in English */
    char fix[256];   /* empty: the table's fix says enough */
};

/* Fills `err` (may be NULL) and returns `status`, so that a failing function
 * ends with `return ll_fail(err, ...)`. Texts too long are cut, never
 * refused. `fmt` makes `msg`. `where` and `fix` are cleared. */
linli_status ll_fail(struct ll_err *err, linli_status status, const char *code,
    const char *fmt, ...) LL_PRINTF(4, 5);

/* Sets where the failure is; keeps an earlier place as its tail, so that
 * callers outside add what they know: "a.json: " then "/routes/0". */
void ll_err_where(struct ll_err *err, const char *fmt, ...) LL_PRINTF(2, 3);

/* Sets a fix of this failure alone, over the table's. */
void ll_err_fix(struct ll_err *err, const char *fmt, ...) LL_PRINTF(2, 3);

/* A status as a word for logs: "denied"; "unknown" if it is none of ours. */
const char *ll_status_name(linli_status status);

#endif
