/* store/db.h: one connection to SQLite, and its prepared statements. [any]
 *
 * A connection belongs to one thread at a time. Statements are prepared when
 * they are first used and kept. No other file of the store names a pragma or
 * turns SQLite's result codes into ours.
 */
#ifndef LL_STORE_DB_H
#define LL_STORE_DB_H

#include <sqlite3.h>

#include "store/store.h"

/* The store's own statements follow those of statements.def. */
enum ll_inner_statement {
    LL_SI_BEFORE = LL_ST_COUNT - 1,
#define S(name, params, columns, sql) LL_SI_##name,
#include "store/inner.def"
#undef S
    LL_SI_COUNT
};

struct ll_statement_info {
    const char *name, *params, *columns, *sql;
};
/* Of an ll_statement or an ll_inner_statement. */
const struct ll_statement_info *ll_statement_info(unsigned statement);

struct ll_db {
    sqlite3 *handle;
    sqlite3_stmt *statements[LL_SI_COUNT];
};

enum ll_db_use {
    LL_DB_WRITER, /* the one connection that changes things */
    LL_DB_READER, /* refuses to write */
    LL_DB_KEEPER, /* checkpoints */
    LL_DB_AUDIT,  /* reads a file that may be anybody's; a URI says how */
    LL_DB_COPY    /* a file that nobody else knows: nothing synced */
};

/* Opens a file that is there, a URI, or ("") a database that goes when it is
 * closed, and sets the connection up. Changes
 * nothing in the file. */
linli_status ll_db_open(struct ll_db *db, const char *name, enum ll_db_use use,
    struct ll_err *err) LL_USE_RESULT;
/* The last connection to be closed folds the log into the file and removes
 * it, unless it leaves it; readers always do, the writer until it is told
 * otherwise: what it has opened may turn out not to be ours. */
void ll_db_close(struct ll_db *db);
void ll_db_leave_log(struct ll_db *db, bool leave);

/* Runs SQL that has no parameters and whose rows nobody wants. */
linli_status ll_db_exec(
    struct ll_db *db, const char *sql, struct ll_err *err) LL_USE_RESULT;
/* The one integer that SQL gives; 0 for NULL or no row. */
linli_status ll_db_number(struct ll_db *db, const char *sql, int64_t *out,
    struct ll_err *err) LL_USE_RESULT;

/* A statement ready for ll_db_step; NULL, and err filled, if it cannot be
 * prepared. Its parameters are those of the last time until bound anew. */
sqlite3_stmt *ll_db_statement(
    struct ll_db *db, unsigned statement, struct ll_err *err) LL_USE_RESULT;
/* Runs one to its end; it must give no row. Resets it. */
linli_status ll_db_run(struct ll_db *db, sqlite3_stmt *statement,
    struct ll_err *err) LL_USE_RESULT;
/* One step: *row tells whether there is a row. Without one, or on failure,
 * the statement has been reset. */
linli_status ll_db_step(struct ll_db *db, sqlite3_stmt *statement, bool *row,
    struct ll_err *err) LL_USE_RESULT;

/* The current row's column as bytes, valid until the next step. */
linli_str ll_db_bytes(sqlite3_stmt *statement, int column);

/* Fills err with SQLite's words for `code` of a call on `db`. The problem is
 * store/corrupt, store/foreign, runtime/memory or store/io. */
linli_status ll_db_fail(struct ll_db *db, int code, struct ll_err *err);

/* A transaction. `write`: waits for no other writer, as there is none. */
linli_status ll_db_begin(
    struct ll_db *db, bool write, struct ll_err *err) LL_USE_RESULT;
linli_status ll_db_commit(struct ll_db *db, struct ll_err *err) LL_USE_RESULT;
/* Ends one, whatever state it is in; nothing of it stays. */
void ll_db_rollback(struct ll_db *db);

#endif
