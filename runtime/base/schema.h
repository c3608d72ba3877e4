/* base/schema.h: JSON Schema 2020-12, the part Linli claims. [any]
 *
 * spec/schema.md lists the keywords. A schema with a keyword that is not on
 * that list, a remote $ref, $dynamicRef or unevaluated* is refused when it
 * is compiled, never ignored. Compiled once, used for many documents.
 *
 * Patterns are compiled by PCRE2 under match limits. A stranger's patterns
 * must not reach PCRE2 inside the host: compile such a schema with
 * `patterns` false, which checks everything else, and let the worker compile
 * it whole behind its sandbox.
 */
#ifndef LL_BASE_SCHEMA_H
#define LL_BASE_SCHEMA_H

#include "base/json.h"

struct ll_schema;

struct ll_schema_options {
    bool patterns; /* compile `pattern` and `patternProperties` */
};

/* Compiles the schema at `root`, which must outlive it, as must the tape it
 * stands in. `$ref` resolves within `root`. On failure: code
 * "manifest/schema", `where` is the JSON pointer inside root. Freed with
 * ll_schema_free; all memory is counted in `mem`. */
linli_status ll_schema_compile(struct ll_mem *mem, struct ll_jv root,
    struct ll_schema_options options, struct ll_schema **out,
    struct ll_err *err) LL_USE_RESULT;
void ll_schema_free(struct ll_schema **schema);

/* One broken rule. Pointers are RFC 6901. */
struct ll_schema_error {
    char at[160];      /* where in the document, "/plate"; "" is the root */
    char rule[64];     /* the keyword, "maximum" */
    char message[200]; /* what was found and what is wanted, in English */
};

#define LL_SCHEMA_ERRORS_MAX 16 /* broken rules reported for one document */

struct ll_schema_report {
    uint32_t count; /* of errors[] that are filled; the rest is undefined */
    struct ll_schema_error errors[LL_SCHEMA_ERRORS_MAX];
};

/* Judges `doc`. LINLI_OK: it is valid. LINLI_E_INVALID: report says where
 * and why. No verdict, and `report` has one error that says so:
 * LINLI_E_LIMIT, the work bound or depth bound was reached; LINLI_E_NOMEM;
 * LINLI_E_UNSUPPORTED, the schema has patterns that were not compiled.
 * `report` may be NULL. */
linli_status ll_schema_check(const struct ll_schema *schema, struct ll_jv doc,
    struct ll_schema_report *report) LL_USE_RESULT;

#endif
