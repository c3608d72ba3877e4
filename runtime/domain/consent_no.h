/* domain/consent_no.h: objections and refusals.
 * [any: one owner, no locks; the host's is the loop]
 *
 * Part of the state of domain/consent_state.h.
 */
#ifndef LL_DOMAIN_CONSENT_NO_H
#define LL_DOMAIN_CONSENT_NO_H

#include "domain/consent.h"

#define LL_OBJECTIONS(X)            \
    X(BLOCK, block)                 \
    X(AUTO_DECISION, auto_decision) \
    X(PROFILING, profiling) X(MARKETING, marketing)
enum ll_objection {
#define X(name, word) LL_OBJECTION_##name,
    LL_OBJECTIONS(X)
#undef X
};
const char *ll_objection_name(enum ll_objection objection);
/* `party` LL_NO_PARTY: to all. BLOCK denies everything that does not rest on
 * law or emergency; AUTO_DECISION what asks with auto_decision; the others
 * purposes of that category. `on` false takes it back. */
linli_status ll_consent_object(struct ll_consent *consent, uint32_t subject,
    uint32_t party, enum ll_objection objection, bool on,
    struct ll_err *err) LL_USE_RESULT;
/* What of this stands: bits 1 << enum ll_objection, to that party alone;
 * LL_NO_PARTY: to all. */
uint32_t ll_consent_objections(
    const struct ll_consent *consent, uint32_t subject, uint32_t party);

/* A refusal: it may not be asked again for the cool-down, nor twice in a
 * version of the terms. A later grant takes it back, unless it is a
 * delegate's: a capable ward's refusal wins. */
struct ll_refusal {
    uint32_t subject, party;
    uint8_t purpose, field;
    uint32_t version; /* of the terms it was said under */
    int64_t at_ms;
};
linli_status ll_consent_refuse(struct ll_consent *consent,
    const struct ll_refusal *refusal, struct ll_err *err) LL_USE_RESULT;
/* Whether a sheet may be shown unasked-for now, of subject, party, purpose,
 * field and now_ms of `ask`. False: *until_ms, INT64_MAX for as long as the
 * terms are of that version. Usual: LL_CONSENT_COOLDOWN_MS. */
bool ll_consent_may_ask(const struct ll_consent *consent,
    const struct ll_ask *ask, int64_t cooldown_ms, int64_t *until_ms);

#endif
