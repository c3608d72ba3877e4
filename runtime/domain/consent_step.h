/* domain/consent_step.h: the steps of a decision, for whoever explains one.
 * [any: one owner]
 */
#ifndef LL_DOMAIN_CONSENT_STEP_H
#define LL_DOMAIN_CONSENT_STEP_H

#include "domain/consent_int.h"

#define LL_DAY_MS 86400000

/* In their order: spec/consent.md, section 2. */
#define LL_STEPS(X) \
    X(log)          \
    X(plugin)       \
    X(subject)      \
    X(manifest) X(pia) X(ceiling) X(region) X(objection) X(guardian) X(basis)

/* What the steps so far have found. */
struct ll_rerate {
    const struct ll_consent *consent;
    const struct ll_ask *ask;
    const struct ll_party *party;     /* from plugin on */
    const struct ll_subject *subject; /* from subject on */
    const struct ll_scope *scope;     /* from manifest on */
    const struct ll_field_def *field;
    bool ward; /* from guardian on */
    struct ll_verdict verdict;
};

struct ll_step_def {
    const char *name;
    enum ll_reason (*take)(struct ll_rerate *at);
};
extern const struct ll_step_def ll_steps[]; /* ends with a NULL name */

void ll_step_begin(struct ll_rerate *at, const struct ll_consent *consent,
    const struct ll_ask *ask);
/* The verdict, with what would help. */
struct ll_verdict ll_step_end(struct ll_rerate *at, enum ll_reason reason);

#endif
