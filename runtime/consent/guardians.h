/* consent/guardians.h: who may guard whom, in words and in rules. [any]
 *
 * What a guardianship is good for on a day is decided anew each time
 * (ll_consent_may_act); here is what one may be at all, when it is made.
 * spec/consent.md, section 5.
 */
#ifndef LL_CONSENT_GUARDIANS_H
#define LL_CONSENT_GUARDIANS_H

#include "base/json.h"
#include "domain/consent_state.h"

/* "pending", "accepted", "active", "suspended", "ended". */
const char *ll_guardian_status_name(enum ll_guardian_status status);
bool ll_guardian_status_read(linli_str word, enum ll_guardian_status *out);
/* "full", "limited", "none". */
const char *ll_capacity_name(enum ll_capacity capacity);
bool ll_capacity_read(linli_str word, enum ll_capacity *out);
/* "consent", "view", "correct", "erase": 0 if one is unknown, or none is
 * there. */
uint32_t ll_powers_read(struct ll_jv words);
void ll_powers_write(struct ll_jw *w, uint32_t powers);

/* The one of the same ward, guardian and kind. */
bool ll_guardian_find(const struct ll_consent *consent,
    const struct ll_guardianship *like, struct ll_guardianship *out);
bool ll_guardianship_same(
    const struct ll_guardianship *a, const struct ll_guardianship *b);

/* The law wants it verified by an operator: all but DELEGATE, which the
 * resident gives themself. */
bool ll_guardian_is_verified(enum ll_guardian_kind kind);

/* Whether it may be made today. PARENT: of a minor. STATUTORY, COURT: of a
 * minor or of somebody whose capacity is recorded as lost. AGREED: by somebody
 * of age and capable, for later (民法典 33). DELEGATE: by the same, for now. A
 * guardian is of age and capable. Code "people/guardian", with the rule. */
linli_status ll_guardianship_check(const struct ll_consent *consent,
    const struct ll_guardianship *g, int32_t today,
    struct ll_err *err) LL_USE_RESULT;

#endif
