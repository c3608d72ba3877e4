/* consent/receipt.h: what a resident keeps of an act. [loop]
 *
 * The fields of ISO/IEC TS 27560:2023 and Linli's own. It says under which
 * number and with which bytes the act stands in the log, so that anyone can
 * check it without asking whoever wrote it (spec/consent.md, section 3).
 */
#ifndef LL_CONSENT_RECEIPT_H
#define LL_CONSENT_RECEIPT_H

#include "consent/arbiter.h"
#include "consent/notice.h"
#include "domain/merkle.h"

/* Where the act stands, and what shows it to anyone. */
struct ll_receipt_log {
    linli_str leaf;               /* the line, or empty: it is not known */
    const struct ll_proof *proof; /* NULL: not signed */
    uint64_t size;                /* of the tree of the proof */
    linli_str checkpoint;         /* a signed note of that size */
};

struct ll_receipt {
    const struct ll_arbiter *arbiter;
    uint32_t grant;
    struct ll_notice notice; /* who asks, and who runs the place */
    bool required;           /* one of its fields is declared so */
    linli_str pid;           /* as the plugin knows them; empty: it does not */
    struct ll_receipt_log log;
    linli_str path; /* of the grant: DELETE withdraws it */
    int64_t now_ms;
};

/* Appends it, an object. */
void ll_receipt_put(const struct ll_receipt *receipt, struct ll_jw *w);

/* A grant's state, as people are told it: "live", "withdrawn", "expired",
 * "replaced". */
const char *ll_receipt_state(const struct ll_grant *grant, int64_t now_ms);

#endif
