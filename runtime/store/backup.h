/* store/backup.h: a copy of the database as of now, by a thread of its own.
 * [loop]
 *
 * One read transaction copies every page, so the copy is one commit's state
 * however long it takes, and the writer goes on meanwhile (in memory it
 * waits). The copy gets its name when it is whole and synced.
 */
#ifndef LL_STORE_BACKUP_H
#define LL_STORE_BACKUP_H

#include "store/place.h"

struct ll_backup;
struct ll_backup_options {
    struct ll_mem *mem; /* of the loop */
    struct ll_place *place;
    struct ll_wakeup *wakeup; /* sent when it is done */
    const char *path;         /* copied */
};

struct ll_backup_result {
    linli_status status;
    struct ll_err err;
    uint64_t number; /* of the last commit in the copy */
    int64_t bytes;
};

/* "store/backup" if there is anything at `path`. */
linli_status ll_backup_start(const struct ll_backup_options *options,
    struct ll_backup **out, struct ll_err *err) LL_USE_RESULT;
/* Makes it end soon, with LINLI_E_CLOSED unless it is about to succeed, and
 * waits for that. */
void ll_backup_cancel(struct ll_backup *backup);
/* Whether it is done; then it can be freed, and tells what came of it. */
bool ll_backup_done(const struct ll_backup *backup);
void ll_backup_free(struct ll_backup **backup, struct ll_backup_result *result);

#endif
