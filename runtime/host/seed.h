/* host/seed.h: data to begin with, for development. [loop] */
#ifndef LL_HOST_SEED_H
#define LL_HOST_SEED_H

#include "base/err.h"

struct ll_host;

/* Takes a seed (spec/seed.schema.json) in whole or not at all. `json` is
 * borrowed until `done`, which is called once, later, with how many documents
 * were written and plugins enabled; `err` is borrowed, NULL with LINLI_OK. An
 * error that is returned ("request/json", "seed/invalid" with the place) has
 * changed nothing and calls nothing. */
linli_status ll_seed(struct ll_host *host, linli_str json,
    void (*done)(void *user, linli_status status, const struct ll_err *err,
        uint32_t documents, uint32_t plugins),
    void *user, struct ll_err *err) LL_USE_RESULT;

#endif
