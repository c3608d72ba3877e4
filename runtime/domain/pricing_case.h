/* domain/pricing_case.h: a case, as spec/vectors/pricing.json has them: a plan,
 * a period and what happened in it, and what that comes to. [any] pure
 *
 * What `linli rate` prints: the engine's answer to anything that the format
 * can say, so that a plan is tried before it is sold.
 */
#ifndef LL_DOMAIN_PRICING_CASE_H
#define LL_DOMAIN_PRICING_CASE_H

#include "base/json.h"
#include "domain/pricing_calendar.h"

struct ll_case_env {
    struct ll_arena *arena; /* all that one case needs; may be reset after */
    /* The zone of a name; what it fails with becomes "pricing/zone", but for
     * LINLI_E_NOMEM. The zone lives as long as the case. */
    linli_status (*zone)(
        void *user, linli_str name, struct ll_local *out, struct ll_err *err);
    void *user;
};

/* Rates one case and writes its "expected" as one object. `root` is what
 * pointers in errors begin at, and `one` stands in it. On failure nothing that
 * was written is of use. */
linli_status ll_case_rate(const struct ll_case_env *env, struct ll_jv root,
    struct ll_jv one, struct ll_jw *out, struct ll_err *err) LL_USE_RESULT;

#endif
