/* plugin/manifest_int.h: between the files manifest*.c. [any] */
#ifndef LL_PLUGIN_MANIFEST_INT_H
#define LL_PLUGIN_MANIFEST_INT_H

#include "plugin/manifest.h"

/* Fills everything that lies behind the id, from a tape that the manifest's
 * schema has found valid, and checks what a schema cannot say. */
linli_status ll_manifest_fill(
    struct ll_manifest *m, struct ll_err *err) LL_USE_RESULT;

/* Its parts. manifest_data.c: what is kept, counted and told. */
linli_status ll_manifest_fill_data(
    struct ll_manifest *m, struct ll_err *err) LL_USE_RESULT;
/* manifest_notify.c: what residents may be told. */
linli_status ll_manifest_fill_notifications(
    struct ll_manifest *m, struct ll_err *err) LL_USE_RESULT;
/* manifest_egress.c: where it may send requests to. */
linli_status ll_manifest_fill_egress(
    struct ll_manifest *m, struct ll_err *err) LL_USE_RESULT;
/* manifest_consent.c: which resident data it uses; after the collections. */
linli_status ll_manifest_fill_consent(
    struct ll_manifest *m, struct ll_err *err) LL_USE_RESULT;
/* Which of it travels with a route's calls. */
linli_status ll_manifest_fill_route_data(struct ll_manifest *m,
    struct ll_route *r, struct ll_err *err) LL_USE_RESULT;
/* manifest_route.c, of a route whose path, callers and `safe` are read, after
 * ll_manifest_fill_data: what it promises beside its answer. */
linli_status ll_manifest_fill_promises(struct ll_manifest *m,
    struct ll_route *r, struct ll_err *err) LL_USE_RESULT;

/* An integer as the schema has it: 30.0 and 3e1 are 30. False, and *out kept,
 * if it is none. What no double holds exactly becomes 2^53, past any bound. */
bool ll_manifest_int(struct ll_jv v, int64_t *out);

/* LINLI_E_NOMEM, "runtime/memory". */
linli_status ll_manifest_no_memory(struct ll_err *err);

/* Refuses the manifest: `at` is the value to blame. */
linli_status ll_manifest_refuse(struct ll_manifest *m, struct ll_jv at,
    struct ll_err *err, const char *fmt, ...) LL_PRINTF(4, 5);

#endif
