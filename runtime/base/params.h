/* base/params.h: the query of one of our own paths. [any] */
#ifndef LL_BASE_PARAMS_H
#define LL_BASE_PARAMS_H

#include "base/err.h"
#include "base/limits.h"

#define LL_PARAMS_MAX 8

/* A query that was read. Values point into `room`; ptr NULL: absent. */
struct ll_params {
    const char *const *names; /* those that are known, then NULL */
    linli_str values[LL_PARAMS_MAX];
    char room[LL_HTTP_TARGET_BYTES_MAX];
};

/* Reads "a=b&c=d", percent-encoded. `names` (at most LL_PARAMS_MAX, then
 * NULL) lives as long as the params. A parameter that is not known or stands
 * twice is refused, never ignored: "request/invalid". */
linli_status ll_params_read(struct ll_params *params, const char *const *names,
    linli_str query, struct ll_err *err) LL_USE_RESULT;

/* Its value; ptr NULL if absent. `name` is one of the known. */
linli_str ll_param(const struct ll_params *params, const char *name);

/* The same as an integer in [min, max], or as an instant (base/instant.h);
 * *out is kept if it is absent. "request/invalid". */
linli_status ll_param_int(const struct ll_params *params, const char *name,
    int64_t min, int64_t max, int64_t *out, struct ll_err *err) LL_USE_RESULT;
linli_status ll_param_instant(const struct ll_params *params, const char *name,
    int64_t *out, struct ll_err *err) LL_USE_RESULT;

#endif
