/* store/audit.c: reading a log that may be anybody's. */
#include "store/audit.h"

#include <stdio.h>

#include "base/buf.h"
#include "store/place.h"
#include "world/file.h"

#define NAME_BYTES_MAX 8192

/* SQLite's URI of a path. Without a log beside it the file is all there is,
 * and nobody has it open; then not even a lock is taken. */
static linli_status
make_name(const char *path, char name[NAME_BYTES_MAX], struct ll_err *err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    char log[4096];
    size_t at = (size_t)snprintf(name, NAME_BYTES_MAX, "file:");
    int n = snprintf(log, sizeof log, "%s-wal", path);
    if (n < 0 || (size_t)n >= sizeof log)
        return ll_fail(err, LINLI_E_LIMIT, "store/io", "its path is too long");
    for (const char *p = path; *p != '\0' && at < NAME_BYTES_MAX - 64; p++)
        at += (size_t)snprintf(name + at, NAME_BYTES_MAX - at,
            strchr(plain, *p) != NULL ? "%c" : "%%%02X", (unsigned char)*p);
    (void)snprintf(name + at, NAME_BYTES_MAX - at, "?mode=ro%s",
        ll_file_there(LL_AT_CWD, log) ? "" : "&immutable=1");
    return LINLI_OK;
}

linli_status
ll_audit_open(struct ll_audit_db *audit, const char *path, struct ll_err *err)
{
    char name[NAME_BYTES_MAX];
    int64_t tables = 0;
    *audit = (struct ll_audit_db){.tile_bytes = 0};
    linli_status status = make_name(path, name, err);
    if (status == LINLI_OK)
        status = ll_db_open(&audit->db, name, LL_DB_AUDIT, err);
    if (status != LINLI_OK)
        return status;
    /* One state, whatever others write meanwhile. */
    status = ll_db_begin(&audit->db, false, err);
    if (status == LINLI_OK)
        status = ll_db_number(&audit->db,
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND "
            "name IN ('log_leaf', 'log_tile', 'log_head')",
            &tables, err);
    if (status == LINLI_OK && tables != 3)
        status = ll_fail(err, LINLI_E_NOT_FOUND, "log/none",
            "the database has no log of consent");
    if (status != LINLI_OK)
        ll_audit_close(audit);
    return status;
}

void
ll_audit_close(struct ll_audit_db *audit)
{
    if (audit->db.handle == NULL)
        return;
    ll_db_rollback(&audit->db);
    ll_db_close(&audit->db);
    *audit = (struct ll_audit_db){.tile_bytes = 0};
}

linli_status
ll_audit_head(
    struct ll_audit_db *audit, struct ll_audit_head *out, struct ll_err *err)
{
    sqlite3_stmt *head = ll_db_statement(&audit->db, LL_SI_log_head, err);
    *out = (struct ll_audit_head){.there = false};
    if (head == NULL)
        return LINLI_E_IO;
    (void)sqlite3_reset(head);
    linli_status status = ll_db_step(&audit->db, head, &out->there, err);
    if (!out->there)
        return status;
    out->size = sqlite3_column_int64(head, 0);
    out->root = ll_db_bytes(head, 1);
    out->note = ll_db_bytes(head, 2);
    return LINLI_OK; /* the row stays for its texts */
}

linli_status
ll_audit_leaves(struct ll_audit_db *audit, uint64_t from, struct ll_err *err)
{
    audit->leaves = ll_db_statement(&audit->db, LL_SI_log_leaves, err);
    if (audit->leaves == NULL)
        return LINLI_E_IO;
    (void)sqlite3_reset(audit->leaves);
    (void)sqlite3_bind_int64(audit->leaves, 1, (int64_t)from);
    return LINLI_OK;
}

linli_status
ll_audit_next(struct ll_audit_db *audit, bool *row, int64_t *index,
    linli_str *leaf, struct ll_err *err)
{
    linli_status status = ll_db_step(&audit->db, audit->leaves, row, err);
    if (*row) {
        *index = sqlite3_column_int64(audit->leaves, 0);
        *leaf = ll_db_bytes(audit->leaves, 1);
    }
    return status;
}

linli_status
ll_audit_tile(struct ll_audit_db *audit, unsigned level, uint64_t n,
    linli_str *out, struct ll_err *err)
{
    bool row = false;
    if (audit->tile_bytes == 0 || audit->level != level ||
        audit->n != (int64_t)n) {
        audit->tile_bytes = 0;
        sqlite3_stmt *get = ll_db_statement(&audit->db, LL_SI_log_tile, err);
        if (get == NULL)
            return LINLI_E_IO;
        (void)sqlite3_bind_int64(get, 1, level);
        (void)sqlite3_bind_int64(get, 2, (int64_t)n);
        linli_status status = ll_db_step(&audit->db, get, &row, err);
        if (status != LINLI_OK)
            return status;
        linli_str bytes = row ? ll_db_bytes(get, 0) : (linli_str){0};
        if (bytes.len > 0 && bytes.len <= sizeof audit->tile) {
            memcpy(audit->tile, bytes.ptr, bytes.len);
            audit->tile_bytes = bytes.len;
        }
        if (row)
            (void)sqlite3_reset(get);
        audit->level = level;
        audit->n = (int64_t)n;
    }
    *out = (linli_str){(const char *)audit->tile, audit->tile_bytes};
    return LINLI_OK;
}

linli_status
ll_audit_tile_count(struct ll_audit_db *audit, int64_t *out, struct ll_err *err)
{
    return ll_db_number(&audit->db, "SELECT count(*) FROM log_tile", out, err);
}
