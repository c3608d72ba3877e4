/* store/migrate.h: from the schema a file has to the one we know. [any]
 *
 * The version of a file is SQLite's user_version: how many steps it has
 * taken. Each step is one transaction that ends by counting itself, so a
 * process that dies anywhere leaves a file of one version or the next. Steps
 * are never changed once released, only added.
 */
#ifndef LL_STORE_MIGRATE_H
#define LL_STORE_MIGRATE_H

#include "store/db.h"

struct ll_migration {
    const char *sql; /* statements; run first */
    /* What SQL cannot do; NULL: nothing. */
    linli_status (*then)(struct ll_db *db, struct ll_err *err);
};

/* Linli's own steps, the first of which makes the schema. */
const struct ll_migration *ll_migrations(uint32_t *count);

/* The version of a file; "store/newer" if it is past `count`, or
 * "store/corrupt" if it is none. */
linli_status ll_migration_version(struct ll_db *db, uint32_t count,
    uint32_t *version, struct ll_err *err) LL_USE_RESULT;

/* Takes the steps that the file has not taken. */
linli_status ll_migrate(struct ll_db *db, const struct ll_migration *steps,
    uint32_t count, struct ll_err *err) LL_USE_RESULT;

#endif
