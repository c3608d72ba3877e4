/* host/seed_people.h: what a seed says of people beyond their documents: values
 * of fields, birth and capacity, who guards whom. [loop] */
#ifndef LL_HOST_SEED_PEOPLE_H
#define LL_HOST_SEED_PEOPLE_H

#include "host/seed.h"
#include "host/seed_read.h"

/* Judges all of it by the data dictionary. "seed/invalid". */
linli_status ll_seed_people_read(struct ll_host *host,
    struct ll_seed_text *text, struct ll_err *err) LL_USE_RESULT;

/* Asks for the values that there are; */
linli_status ll_seed_people_ask(struct ll_host *host, struct ll_seed_text *text,
    struct ll_err *err) LL_USE_RESULT;
/* true when all of them are known, from *next on; false: `wait` is told. */
bool ll_seed_people_ready(
    struct ll_seed_text *text, uint32_t *next, struct ll_wait *wait);

/* Adds the values that change to a transaction and its commit. The people they
 * are of get their tags here. */
linli_status ll_seed_people_write(struct ll_host *host,
    struct ll_seed_text *text, const struct ll_seeding *how, struct ll_txn *txn,
    struct ll_commit *commit, struct ll_err *err) LL_USE_RESULT;
/* Then people and guardians, in commits of the arbiter's that come before. */
linli_status ll_seed_people_put(struct ll_host *host, struct ll_seed_text *text,
    const struct ll_seeding *how, struct ll_err *err) LL_USE_RESULT;

#endif
