/* base/limits_consent.h: the bounds of consent and of what rests on it.
 *
 * Part of limits.h.
 */
#ifndef LL_BASE_LIMITS_CONSENT_H
#define LL_BASE_LIMITS_CONSENT_H

/* -- acts: spec/consent.md, section 3 -- */
#define LL_CONSENT_DAYS_MAX 365 /* that a grant lasts */
#define LL_CONSENT_DAY_MS 86400000L
#define LL_CONSENT_SCOPES_MAX 256       /* of one plugin: field and purpose */
#define LL_CONSENT_WORD_BYTES_MAX 128   /* of a proof, a channel, a key */
#define LL_CONSENT_PROOF_BYTES_MAX 4096 /* of a leaf's proof in a receipt */
#define LL_CONSENT_TIDY_GRANTS 20000    /* looked at in one sweep */

#endif
