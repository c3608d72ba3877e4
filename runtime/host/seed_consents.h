/* host/seed_consents.h: what a seed says that residents have agreed to. [loop]
 */
#ifndef LL_HOST_SEED_CONSENTS_H
#define LL_HOST_SEED_CONSENTS_H

#include "host/seed.h"
#include "host/seed_read.h"

/* Gives what was not given before, once the plugins are enabled that ask for
 * it. *last, if that is not NULL, is told when all of it is durable; *begun:
 * it will be. Codes of ll_arbiter_give, at its place. */
linli_status ll_seed_consents_put(struct ll_host *host,
    const struct ll_seed_text *text, const struct ll_seeding *how,
    struct ll_act *last, bool *begun, struct ll_err *err) LL_USE_RESULT;

#endif
