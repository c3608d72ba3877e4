/* store/audit.h: the tables of the log, for who only reads them. [any: one
 * owner]
 *
 * Opens a database, in use or not, or a copy of one, in a way that changes no
 * byte of it and leaves no file behind, and reads all of it at one state.
 * Nothing is believed: what is there is given as it is, to be judged
 * (cmd/audit_verify.h).
 */
#ifndef LL_STORE_AUDIT_H
#define LL_STORE_AUDIT_H

#include "domain/merkle.h"
#include "store/db.h"

struct ll_audit_db {
    struct ll_db db;
    sqlite3_stmt *leaves; /* under way, or NULL */
    /* the tile that was read last */
    int64_t level, n;
    size_t tile_bytes; /* 0: none was */
    unsigned char tile[LL_TILE_BYTES];
};

/* Codes as ll_store_open's for files that are none of ours; "log/none": made
 * before there was a log. */
linli_status ll_audit_open(struct ll_audit_db *audit, const char *path,
    struct ll_err *err) LL_USE_RESULT;
void ll_audit_close(struct ll_audit_db *audit);

/* log_head: whether it is there, and what it says; texts until the next call.
 */
struct ll_audit_head {
    bool there;
    int64_t size;
    linli_str root, note;
};
linli_status ll_audit_head(struct ll_audit_db *audit, struct ll_audit_head *out,
    struct ll_err *err) LL_USE_RESULT;

/* Leaves from index `from` on, in order; *row false at the end. The text is
 * there until the next call. */
linli_status ll_audit_leaves(
    struct ll_audit_db *audit, uint64_t from, struct ll_err *err) LL_USE_RESULT;
linli_status ll_audit_next(struct ll_audit_db *audit, bool *row, int64_t *index,
    linli_str *leaf, struct ll_err *err) LL_USE_RESULT;

/* The hashes of a tile, until the next call; empty if it is not there, or
 * longer than a tile can be. */
linli_status ll_audit_tile(struct ll_audit_db *audit, unsigned level,
    uint64_t n, linli_str *out, struct ll_err *err) LL_USE_RESULT;
/* How many tiles there are. */
linli_status ll_audit_tile_count(
    struct ll_audit_db *audit, int64_t *out, struct ll_err *err) LL_USE_RESULT;

#endif
