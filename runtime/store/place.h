/* store/place.h: where the database lies, and its files. [any]
 *
 * linli.db and linli.key in the data directory, or a database in memory that
 * nothing outside this process sees. A new database is made aside and
 * renamed when it is whole, so linli.db is never half a database; one that
 * is there is looked at before a byte of it changes.
 */
#ifndef LL_STORE_PLACE_H
#define LL_STORE_PLACE_H

#include <pthread.h>

#include "store/gone.h"

#define LL_STORE_FILE "linli.db"
#define LL_STORE_KEY_FILE "linli.key"
#define LL_STORE_FILE_NEW "linli.db.new"
#define LL_STORE_APPLICATION 0x4c4e4c49 /* "LNLI" */

struct ll_place {
    char name[4096]; /* the path, absolute; or SQLite's URI */
    bool memory;
    /* SQLite's shared database in memory has no snapshots: readers and the
     * writer keep each other out. Not used on disk. */
    pthread_rwlock_t guard;
    unsigned char key[LL_SEAL_KEY_BYTES];
    int at;              /* the data directory */
    uint32_t gone_count; /* lines of linli.gone, when it was opened */
};

/* Finds or makes the database, proves that it is ours, whole and of this
 * key, migrates it, and leaves its first connection, the writer's, open in
 * `db`, which must be the last to be closed. What linli.gone names is taken
 * away in it, and put into `gone`. Codes as ll_store_open. */
linli_status ll_place_open(struct ll_place *place,
    const struct ll_store_options *options, struct ll_db *db,
    struct ll_gone_set *gone, struct ll_err *err) LL_USE_RESULT;
void ll_place_close(struct ll_place *place);

/* Transactions that know of the guard. */
linli_status ll_place_begin(struct ll_place *place, struct ll_db *db,
    bool write, struct ll_err *err) LL_USE_RESULT;
linli_status ll_place_commit(
    struct ll_place *place, struct ll_db *db, struct ll_err *err) LL_USE_RESULT;
void ll_place_rollback(struct ll_place *place, struct ll_db *db);

/* The file `name` below `at` by its first bytes: "store/foreign",
 * "store/newer" or "store/corrupt" if it is not a database of ours.
 * LINLI_E_NOT_FOUND without it. */
linli_status ll_place_look(
    int at, const char *name, struct ll_err *err) LL_USE_RESULT;
/* The same by what it holds; `whole`: every page, however long it takes. */
linli_status ll_place_check(
    struct ll_db *db, bool whole, struct ll_err *err) LL_USE_RESULT;
/* The 32 bytes of a key file; "store/key". */
linli_status ll_place_read_key(int at, const char *name,
    unsigned char key[LL_SEAL_KEY_BYTES], struct ll_err *err) LL_USE_RESULT;
/* Removes a database and what SQLite left beside it. */
void ll_place_remove(int at, const char *name);

#endif
