/* store/db.c: the pragmas, the result codes, the cache of statements. */
#include "store/db.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "store/wal_file.h"

static const struct ll_statement_info infos[] = {
#define S(name, params, columns, sql) {#name, params, columns, sql},
#include "store/statements.def"
#undef S
#define S(name, params, columns, sql) {#name, params, columns, sql},
#include "store/inner.def"
#undef S
};

_Static_assert(LL_COUNT(infos) == LL_SI_COUNT, "one row a statement");

const struct ll_statement_info *
ll_statement_info(unsigned statement)
{
    ll_check(statement < LL_SI_COUNT);
    return &infos[statement];
}

/* What the system said last of the file or its log; 0 if it was not asked.
 * sqlite3_system_errno does not know why a COMMIT failed. */
static int
system_errno(struct ll_db *db)
{
    sqlite3_file *log = NULL;
    int of_file = 0, of_log = 0;
    if (db->handle == NULL)
        return 0;
    (void)sqlite3_file_control(
        db->handle, NULL, SQLITE_FCNTL_LAST_ERRNO, &of_file);
    (void)sqlite3_file_control(
        db->handle, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log != NULL && log->pMethods != NULL)
        (void)log->pMethods->xFileControl(
            log, SQLITE_FCNTL_LAST_ERRNO, &of_log);
    if (of_log != 0 || of_file != 0)
        return of_log != 0 ? of_log : of_file;
    return sqlite3_system_errno(db->handle);
}

/* With the system's word where SQLite's does not say it all. */
static linli_status
fail_io(struct ll_db *db, int code, const char *words, struct ll_err *err)
{
    char text[128];
    int kind = code & 0xff;
    bool asked = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN;
    int why = asked ? system_errno(db) : 0;
    if (why == 0)
        return ll_fail(
            err, LINLI_E_IO, "store/io", "SQLite says: %s (%d)", words, code);
    return ll_fail(err, LINLI_E_IO, "store/io", "SQLite says: %s (%d): %s",
        words, code, strerror_r(why, text, sizeof text));
}

linli_status
ll_db_fail(struct ll_db *db, int code, struct ll_err *err)
{
    const char *words =
        db->handle == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(db->handle);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return ll_fail(
            err, LINLI_E_NOMEM, "runtime/memory", "no memory for the database");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "SQLite says: %s (%d)", words, code);
    case SQLITE_INTERRUPT:
        return ll_fail(err, LINLI_E_CLOSED, "store/io", "interrupted");
    default:
        return fail_io(db, code, words, err);
    }
}

/* -- opening -- */

#define NO_CHECKPOINT "PRAGMA wal_autocheckpoint=0;"
#define WHOLE_SYNCS "PRAGMA synchronous=FULL;"
#define NO_SYNCS "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY;"

static const char *const setup[] = {
    [LL_DB_WRITER] = NO_CHECKPOINT WHOLE_SYNCS "PRAGMA secure_delete=ON;",
    [LL_DB_READER] = NO_CHECKPOINT "PRAGMA query_only=ON;",
    [LL_DB_AUDIT] = NO_CHECKPOINT "PRAGMA query_only=ON;",
    [LL_DB_KEEPER] = NO_CHECKPOINT WHOLE_SYNCS,
    [LL_DB_COPY] = NO_SYNCS "PRAGMA secure_delete=ON;",
};

/* A database file is data, not a program: nothing in it may run code of its
 * own, and a damaged page is found when it is read. */
static linli_status
set_up(struct ll_db *db, enum ll_db_use use, struct ll_err *err)
{
    (void)sqlite3_extended_result_codes(db->handle, 1);
    (void)sqlite3_busy_timeout(db->handle, LL_STORE_BUSY_MS);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(
        db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(
        db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    if (use == LL_DB_READER || use == LL_DB_WRITER || use == LL_DB_AUDIT)
        ll_db_leave_log(db, true);
    char common[160];
    (void)snprintf(common, sizeof common,
        "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; "
        "PRAGMA mmap_size=0; PRAGMA cache_size=-%d;",
        LL_STORE_CACHE_KIB);
    linli_status status = ll_db_exec(db, common, err);
    if (status == LINLI_OK)
        status = ll_db_exec(db, setup[use], err);
    return status;
}

linli_status
ll_db_open(
    struct ll_db *db, const char *name, enum ll_db_use use, struct ll_err *err)
{
    *db = (struct ll_db){0};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const char *vfs = NULL;
    /* A database in memory, or a temporary one. */
    if (use == LL_DB_AUDIT)
        flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    else if (name[0] == '\0' || strncmp(name, "file:", 5) == 0)
        flags |= SQLITE_OPEN_URI | SQLITE_OPEN_CREATE;
    else if (use == LL_DB_WRITER || use == LL_DB_KEEPER)
        vfs = ll_wal_vfs();
    int code = sqlite3_open_v2(name, &db->handle, flags, vfs);
    linli_status status = LINLI_OK;
    if (sqlite3_threadsafe() == 0)
        status = ll_fail(err, LINLI_E_UNSUPPORTED, "store/io",
            "this SQLite is built without threads");
    else if (code != SQLITE_OK)
        status = ll_db_fail(db, code, err);
    else if (use != LL_DB_READER && use != LL_DB_AUDIT &&
             sqlite3_db_readonly(db->handle, "main") > 0)
        status =
            ll_fail(err, LINLI_E_IO, "store/io", "the file cannot be written");
    else
        status = set_up(db, use, err);
    if (status != LINLI_OK)
        ll_db_close(db);
    return status;
}

void
ll_db_leave_log(struct ll_db *db, bool leave)
{
    (void)sqlite3_db_config(
        db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave, NULL);
}

void
ll_db_close(struct ll_db *db)
{
    for (size_t i = 0; i < LL_COUNT(db->statements); i++)
        (void)sqlite3_finalize(db->statements[i]);
    int code = sqlite3_close(db->handle);
    ll_check(code == SQLITE_OK);
    *db = (struct ll_db){0};
}

/* -- statements -- */

linli_status
ll_db_exec(struct ll_db *db, const char *sql, struct ll_err *err)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? LINLI_OK : ll_db_fail(db, code, err);
}

linli_status
ll_db_number(
    struct ll_db *db, const char *sql, int64_t *out, struct ll_err *err)
{
    sqlite3_stmt *statement = NULL;
    *out = 0;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    linli_status status = LINLI_OK;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = ll_db_fail(db, code, err);
    (void)sqlite3_finalize(statement);
    return status;
}

sqlite3_stmt *
ll_db_statement(struct ll_db *db, unsigned statement, struct ll_err *err)
{
    ll_check(statement < LL_SI_COUNT);
    sqlite3_stmt **at = &db->statements[statement];
    if (*at != NULL)
        return *at;
    int code = sqlite3_prepare_v3(db->handle, infos[statement].sql, -1,
        SQLITE_PREPARE_PERSISTENT, at, NULL);
    if (code != SQLITE_OK) {
        (void)ll_db_fail(db, code, err);
        ll_err_where(err, "statement %s", infos[statement].name);
        return NULL;
    }
    ll_check(sqlite3_bind_parameter_count(*at) ==
             (int)strlen(infos[statement].params));
    ll_check(
        sqlite3_column_count(*at) == (int)strlen(infos[statement].columns));
    return *at;
}

linli_status
ll_db_step(
    struct ll_db *db, sqlite3_stmt *statement, bool *row, struct ll_err *err)
{
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (*row)
        return LINLI_OK;
    linli_status status =
        code == SQLITE_DONE ? LINLI_OK : ll_db_fail(db, code, err);
    (void)sqlite3_reset(statement);
    return status;
}

linli_status
ll_db_run(struct ll_db *db, sqlite3_stmt *statement, struct ll_err *err)
{
    bool row;
    linli_status status = ll_db_step(db, statement, &row, err);
    if (!row)
        return status;
    (void)sqlite3_reset(statement);
    return ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
        "a statement of a commit has rows");
}

linli_str
ll_db_bytes(sqlite3_stmt *statement, int column)
{
    /* The pointer first: it may convert, which the length must follow. */
    const void *ptr = sqlite3_column_blob(statement, column);
    int len = sqlite3_column_bytes(statement, column);
    return (linli_str){ptr, ptr == NULL ? 0 : (size_t)len};
}

/* -- transactions -- */

static linli_status
run_alone(struct ll_db *db, unsigned which, struct ll_err *err)
{
    sqlite3_stmt *statement = ll_db_statement(db, which, err);
    return statement == NULL ? LINLI_E_IO : ll_db_run(db, statement, err);
}

linli_status
ll_db_begin(struct ll_db *db, bool write, struct ll_err *err)
{
    return run_alone(db, write ? LL_SI_begin_write : LL_SI_begin_read, err);
}

linli_status
ll_db_commit(struct ll_db *db, struct ll_err *err)
{
    return run_alone(db, LL_SI_commit, err);
}

void
ll_db_rollback(struct ll_db *db)
{
    if (sqlite3_get_autocommit(db->handle) == 0)
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}
