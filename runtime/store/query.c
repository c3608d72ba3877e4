/* store/query.c: rows of SQLite into values of the wire. */
#include "store/query.h"

#include "base/limits.h"
#include "store/apply.h"

void
ll_query_init(
    struct ll_query *query, struct ll_mem *mem, enum ll_statement statement)
{
    ll_check(ll_statement_info(statement)->columns[0] != '\0');
    *query = (struct ll_query){.statement = statement,
        .rows_max = UINT32_MAX,
        .bytes_max = LL_QUERY_BYTES_MAX};
    ll_buf_init(&query->params, mem, LL_QUERY_PARAMS_BYTES_MAX);
    ll_buf_init(&query->rows, mem, LL_QUERY_ROWS_BYTES_MAX);
}

void
ll_query_fini(struct ll_query *query)
{
    ll_check(query->job == NULL);
    ll_buf_fini(&query->params);
    ll_buf_fini(&query->rows);
}

/* -- columns -- */

struct source {
    struct ll_db *db;
    struct ll_sealer *sealer;
    sqlite3_stmt *statement;
};

static linli_status
put_unsealed(
    struct source *from, int column, struct ll_buf *rows, struct ll_err *err)
{
    linli_str plain;
    bool there;
    linli_status status = ll_unseal(from->sealer, from->db,
        ll_db_bytes(from->statement, column), &plain, &there, err);
    if (status != LINLI_OK)
        return status;
    if (there)
        ll_put_bytes(rows, plain);
    else
        ll_put_nil(rows);
    return LINLI_OK;
}

static linli_status
put_column(struct source *from, int column, char letter, struct ll_buf *rows,
    struct ll_err *err)
{
    if (sqlite3_column_type(from->statement, column) == SQLITE_NULL)
        ll_put_nil(rows);
    else if (letter == 'i')
        ll_put_int(rows, sqlite3_column_int64(from->statement, column));
    else if (letter == 's')
        return put_unsealed(from, column, rows, err);
    else
        ll_put_bytes(rows, ll_db_bytes(from->statement, column));
    return LINLI_OK;
}

static linli_status
put_row(struct source *from, const char *letters, struct ll_buf *rows,
    struct ll_err *err)
{
    linli_status status = LINLI_OK;
    ll_put_list(rows, (uint32_t)strlen(letters));
    for (int i = 0; letters[i] != '\0' && status == LINLI_OK; i++)
        status = put_column(from, i, letters[i], rows, err);
    if (status == LINLI_OK && rows->failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "no memory for the rows of a query");
    return status;
}

/* -- rows -- */

static linli_status
put_rows(struct source *from, const struct ll_ask *ask,
    struct ll_answer *answer, struct ll_err *err)
{
    const char *letters = ll_statement_info(ask->statement)->columns;
    size_t bytes_max = ask->bytes_max < LL_QUERY_BYTES_MAX ? ask->bytes_max
                                                           : LL_QUERY_BYTES_MAX;
    for (;;) {
        bool row;
        linli_status status = ll_db_step(from->db, from->statement, &row, err);
        if (!row)
            return status;
        /* Looked at after the step, so that `more` is never a guess. */
        answer->more = answer->row_count >= ask->rows_max ||
                       answer->rows->len >= bytes_max;
        if (!answer->more)
            status = put_row(from, letters, answer->rows, err);
        if (status != LINLI_OK || answer->more) {
            (void)sqlite3_reset(from->statement);
            return status;
        }
        answer->row_count++;
    }
}

linli_status
ll_query_run(struct ll_db *db, struct ll_sealer *sealer,
    const struct ll_ask *ask, struct ll_answer *answer, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ask->params);
    struct source from = {.db = db, .sealer = sealer};
    answer->row_count = 0;
    answer->more = false;
    ll_buf_clear(answer->rows);
    from.statement = ll_db_statement(db, ask->statement, err);
    if (from.statement == NULL)
        return LINLI_E_IO;
    linli_status status =
        ll_bind(NULL, from.statement, ask->statement, &rd, err);
    if (status == LINLI_OK && !ll_rd_end(&rd))
        status = ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
            "statement %s has fewer parameters than it was given",
            ll_statement_info(ask->statement)->name);
    if (status == LINLI_OK)
        status = put_rows(&from, ask, answer, err);
    if (status == LINLI_OK)
        return LINLI_OK;
    ll_err_where(err, "statement %s", ll_statement_info(ask->statement)->name);
    ll_buf_clear(answer->rows);
    answer->row_count = 0;
    answer->more = false;
    return status;
}

linli_status
ll_query_snapshot(struct ll_db *db, uint64_t *number, struct ll_err *err)
{
    bool row;
    *number = 0;
    sqlite3_stmt *get = ll_db_statement(db, LL_SI_commit_number, err);
    if (get == NULL)
        return LINLI_E_IO;
    linli_status status = ll_db_step(db, get, &row, err);
    if (status == LINLI_OK && !row)
        return ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "the number of the last commit is not there");
    if (row) {
        *number = (uint64_t)sqlite3_column_int64(get, 0);
        (void)sqlite3_reset(get);
    }
    return status;
}
