/* base/limits_consent.h: the bounds of what is kept of residents and of who
 * may have it.
 *
 * Part of limits.h.
 */
#ifndef LL_BASE_LIMITS_CONSENT_H
#define LL_BASE_LIMITS_CONSENT_H

/* -- decisions: spec/consent.md, section 2 -- */
#define LL_CONSENT_COOLDOWN_MS 2592000000 /* after a refusal: 30 days */
#define LL_CONSENT_SCOPES_MAX 256         /* of a plugin: field and purpose */
#define LL_CONSENT_GRANTS_MAX 67108864    /* that one host holds */

#endif
