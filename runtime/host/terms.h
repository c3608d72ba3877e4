/* host/terms.h: what a version that begins to serve declares of residents'
 * data, to the arbiter. [loop]
 */
#ifndef LL_HOST_TERMS_H
#define LL_HOST_TERMS_H

#include "consent/notice.h"
#include "host/host.h"
#include "plugin/manifest_consent.h"

/* A version's declaration, with what its digests are in. */
struct ll_declared {
    struct ll_declaring declaring;
    char notice[65], recipient[65];
};
/* "runtime/memory". */
linli_status ll_terms_of(struct ll_host *host, linli_str community,
    const struct ll_manifest *manifest, struct ll_declared *out,
    struct ll_err *err) LL_USE_RESULT;

/* What a resident reads of a version. `recipient`: where its text is made, and
 * stays as long as the notice. */
struct ll_notice ll_terms_notice(struct ll_host *host,
    const struct ll_manifest *manifest, struct ll_buf *recipient);
struct ll_notice_item ll_terms_item(
    const struct ll_manifest *manifest, uint32_t datum);
/* All of it, as JSON: what its digest is of. */
void ll_terms_text(struct ll_host *host, const struct ll_manifest *manifest,
    struct ll_buf *out);

/* The version that serves from now on, by `approver`, "operator:ID", or empty:
 * the configuration. Without memory it serves without
 * residents' data, and the log says so. */
void ll_terms_declare(struct ll_instance *instance, linli_str approver);
/* It serves no more. */
void ll_terms_suspend(struct ll_instance *instance);

#endif
