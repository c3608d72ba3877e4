/* cmd/audit_source.h: where an auditor reads a log: an export, a database.
 *
 * An export is FILE, one leaf a line; FILE.tiles, the hash of each, 32 bytes,
 * one after the other; FILE.checkpoint, the signed head. A database is in a
 * data directory, in use or not, or a copy. Nothing here is believed.
 */
#ifndef LL_CMD_AUDIT_SOURCE_H
#define LL_CMD_AUDIT_SOURCE_H

#include "base/buf.h"
#include "store/audit.h"

#define LL_AUDIT_PATH_BYTES 4096

struct ll_source {
    struct ll_mem *mem;
    char path[LL_AUDIT_PATH_BYTES]; /* of the export, or of the database */
    char dir[LL_AUDIT_PATH_BYTES];  /* the data directory; empty: none */
    bool is_db;
    struct ll_audit_db db;
    /* an export */
    int fd, tiles_fd; /* -1: there is none */
    struct ll_buf text;
    size_t used;     /* of `text`, by lines that were given */
    uint64_t line;   /* the next */
    bool ended;      /* nothing is left to read */
    bool has_hashes; /* something is there to compare leaves with */
};

/* A file by what it holds, or with `data_dir` DIR/linli.db. Codes "cli/file",
 * "log/none", "store/corrupt", "store/io". */
linli_status ll_source_open(struct ll_source *source, struct ll_mem *mem,
    const char *path, bool data_dir, struct ll_err *err) LL_USE_RESULT;
void ll_source_close(struct ll_source *source);

/* Goes to leaf `seq`, or behind the last. */
linli_status ll_source_seek(
    struct ll_source *source, uint64_t seq, struct ll_err *err) LL_USE_RESULT;
/* The next leaf, until the next call; *there false at the end. In a database
 * *seq may leap. A line that is no line (it does not end) is "audit/leaf". */
linli_status ll_source_next(struct ll_source *source, bool *there,
    uint64_t *seq, linli_str *leaf, struct ll_err *err) LL_USE_RESULT;
/* The hash that is kept of leaf `seq`. */
linli_status ll_source_hash(struct ll_source *source, uint64_t seq, bool *there,
    struct ll_hash *out, struct ll_err *err) LL_USE_RESULT;

/* A checkpoint that lies in a file into `out`; *there false without one. */
linli_status ll_source_note(const char *path, bool *there, struct ll_buf *out,
    struct ll_err *err) LL_USE_RESULT;

#endif
