/* store/wal_file.h: the file of SQLite's log. [any]
 *
 * One half writes it with one call a commit, the other overwrites it.
 *
 * SQLite writes each page of a commit to its log with two calls, 24 bytes
 * and 4096, and then syncs. A name for sqlite3_open_v2 under which these
 * bytes are gathered and written together before the sync: a system call
 * costs more than the copy. What a sync has promised is as it was.
 *
 * Only for a connection that syncs each commit (synchronous=FULL): without
 * the sync other connections would be told of pages that no file has yet.
 */
#ifndef LL_STORE_WAL_FILE_H
#define LL_STORE_WAL_FILE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* The name, registered with SQLite when it is first asked for; NULL if
 * SQLite refuses. */
const char *ll_wal_vfs(void);

/* How long a log of so many pages is. */
int64_t ll_wal_bytes(uint32_t frames);

/* From now on what cuts the log of `db` to nothing (SQLITE_CHECKPOINT_TRUNCATE)
 * leaves the file as long as it is, and only overwrites and syncs its header;
 * `spared` false: no more. False if `db`, of the VFS above, has no log open.
 */
bool ll_wal_spare(sqlite3 *db, bool spared);

/* Overwrites a piece of the log of `db` from *at on, the first time behind
 * the header, ll_wal_bytes(0), and syncs it; *at is then where the next
 * begins, INT64_MAX behind the last. The file keeps LL_STORE_WAL_FRAMES_KEPT
 * pages of its length. The log was spared, cut, and not written to since, and
 * nobody writes to it meanwhile. What it gives is a result of SQLite. */
int ll_wal_wipe(sqlite3 *db, int64_t *at);

#endif
