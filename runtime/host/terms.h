/* host/terms.h: what a version that begins to serve declares of residents'
 * data, to the arbiter. [loop]
 */
#ifndef LL_HOST_TERMS_H
#define LL_HOST_TERMS_H

#include "host/host.h"

/* A version's declaration, with what its digests are in. */
struct ll_declared {
    struct ll_declaring declaring;
    char notice[65], recipient[65];
};
/* "runtime/memory". */
linli_status ll_terms_of(struct ll_host *host, linli_str community,
    const struct ll_manifest *manifest, struct ll_declared *out,
    struct ll_err *err) LL_USE_RESULT;

/* The version that serves from now on. Without memory it serves without
 * residents' data, and the log says so. */
void ll_terms_declare(struct ll_instance *instance);
/* It serves no more. */
void ll_terms_suspend(struct ll_instance *instance);

#endif
