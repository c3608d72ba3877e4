/* host/problem_json.h: problem bodies, RFC 9457. [any]
 *
 * The one writer of application/problem+json. spec/http.md section 6 says
 * what each member holds.
 */
#ifndef LL_HOST_PROBLEM_JSON_H
#define LL_HOST_PROBLEM_JSON_H

#include "base/buf.h"
#include "base/problem.h"
#include "host/locale.h"

#define LL_PROBLEM_CONTENT_TYPE "application/problem+json"
#define LL_PROBLEM_TYPE_PREFIX "urn:linli:problem:"

/* One broken rule of a body; the `errors` member lists them. */
struct ll_problem_error {
    linli_str pointer; /* RFC 6901 into the body; empty: the whole of it */
    linli_str rule;    /* the schema's keyword, "maximum" */
    linli_str detail;  /* what was found and what is wanted */
};

/* Everything is borrowed; empty strings leave their member out. */
struct ll_problem_args {
    const struct ll_problem *row; /* Linli's own; NULL: a plugin's problem */
    /* A plugin's problem: what its manifest declares. Ignored with a row. */
    linli_str code;
    int status;
    linli_str title_en, title_zh;

    enum ll_locale locale;
    linli_str detail;   /* what only this failure knows */
    linli_str instance; /* the request's path */
    linli_str trace_id;
    linli_str consent_url;
    linli_str fields_json; /* a JSON array: the fields consent lacks */
    linli_str plan_json;   /* a JSON object: what the plan has not */
    const struct ll_problem_error *errors;
    uint32_t error_count;
};

/* The status of the answer these make. */
int ll_problem_status(const struct ll_problem_args *args);

/* Appends the object. `buf->failed` tells of a full buffer. */
void ll_problem_write(struct ll_buf *buf, const struct ll_problem_args *args);

#endif
