/* plugin/manifest_consent.h: what a plugin declares about residents. [any]
 *
 * Which fields of the dictionary it uses, for what, on what basis and why;
 * who it is towards residents; which of them travel with a route's call.
 */
#ifndef LL_PLUGIN_MANIFEST_CONSENT_H
#define LL_PLUGIN_MANIFEST_CONSENT_H

#include "domain/consent_state.h"
#include "plugin/manifest.h"

/* What a use says beside its scope; the same number in `data` and `scopes`. */
struct ll_datum {
    struct ll_jv declared;
    linli_str field, purpose; /* ids of the dictionary */
    linli_str why_zh, why_en, without_zh, without_en; /* empty: not said */
    uint32_t days;      /* of a grant; 0: the dictionary's */
    bool once;          /* a grant is for one release */
    bool auto_decision; /* something is decided by machine, PIPL art. 24 */
    /* basis contract: it stands while a document with that subject is there;
     * NULL: for the caller's own calls alone. */
    const struct ll_collection_decl *while_coll;
    const struct ll_index_decl *while_index;
    linli_str review; /* the operator's, of a direct identifier */
};

struct ll_route_datum {
    uint32_t datum; /* in `data` */
    bool required;  /* without it the call is refused */
};

/* Its terms, as a decision is made over them; the scopes are the manifest's
 * own. `version` and `since` are the arbiter's to set. What only an operator
 * can say is as where nothing was said: the highest ceiling, an assessment on
 * file, nothing abroad. */
void ll_manifest_terms(
    const struct ll_manifest *manifest, struct ll_terms *out);

/* Hexadecimal SHA-256 of all its words about data, who it is included: another
 * if one of them is another. "runtime/memory". */
linli_status ll_manifest_notice(const struct ll_manifest *manifest,
    char out[65], struct ll_err *err) LL_USE_RESULT;

/* The use of (field, purpose), by number in `data`, or -1. */
int ll_manifest_datum(
    const struct ll_manifest *manifest, linli_str field, linli_str purpose);

#endif
