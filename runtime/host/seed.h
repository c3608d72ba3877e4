/* host/seed.h: data to begin with, for development. [loop] */
#ifndef LL_HOST_SEED_H
#define LL_HOST_SEED_H

#include "base/err.h"

struct ll_host;

/* How a seed is taken in which an operator's word stands. */
struct ll_seeding {
    linli_str json;           /* borrowed until `done` */
    linli_str actor, channel; /* as in a leaf; the same */
    /* A document that is there keeps the members that the seed leaves out;
     * else it is replaced as a whole. */
    bool merge;
    /* Told of everything it refers to that is not there, by the pointer of the
     * member that does, before it fails; may be NULL. */
    void (*missing)(void *user, linli_str pointer);
    void (*done)(void *user, linli_status status, const struct ll_err *err,
        uint32_t documents, uint32_t plugins);
    void *user;
};
linli_status ll_seed_as(struct ll_host *host, const struct ll_seeding *seeding,
    struct ll_err *err) LL_USE_RESULT;

/* The same by nobody but the one who starts linlid: takes a seed
 * (spec/seed.schema.json) in whole or not at all. `json` is
 * borrowed until `done`, which is called once, later, with how many documents
 * were written and plugins enabled; `err` is borrowed, NULL with LINLI_OK. An
 * error that is returned ("request/json", "seed/invalid" with the place) has
 * changed nothing and calls nothing. */
linli_status ll_seed(struct ll_host *host, linli_str json,
    void (*done)(void *user, linli_status status, const struct ll_err *err,
        uint32_t documents, uint32_t plugins),
    void *user, struct ll_err *err) LL_USE_RESULT;

#endif
