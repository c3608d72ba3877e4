/* store/wal_file.h: SQLite's log, written with one call a commit. [any]
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

/* The name, registered with SQLite when it is first asked for; NULL if
 * SQLite refuses. */
const char *ll_wal_vfs(void);

#endif
