/* store/apply.c: the operations of commits, and running them. */
#include "store/apply.h"

#include <stdlib.h>

#include "base/limits.h"
#include "domain/leaf.h"
#include "store/gone.h"

/* -- making, on the loop -- */

void
ll_commit_init(struct ll_commit *commit, struct ll_mem *mem)
{
    *commit = (struct ll_commit){0};
    ll_buf_init(&commit->ops, mem, LL_COMMIT_BYTES_MAX);
}

void
ll_commit_fini(struct ll_commit *commit)
{
    ll_buf_fini(&commit->ops);
}

void
ll_commit_op(struct ll_commit *commit, enum ll_statement statement)
{
    ll_check(ll_statement_info(statement)->columns[0] == '\0');
    ll_put_int(&commit->ops, (int64_t)statement);
}

void
ll_put_sealed(
    struct ll_buf *ops, int64_t space, linli_str subject, linli_str bytes)
{
    ll_put_list(ops, 3);
    ll_put_int(ops, space);
    ll_put_bytes(ops, subject);
    ll_put_bytes(ops, bytes);
}

void
ll_commit_usage(struct ll_commit *commit, const struct ll_usage *usage)
{
    /* What ll_put_bytes puts before so many bytes. */
    static const char head[5] = {LL_VALUE_BYTES, LL_USAGE_BYTES};
    ll_put_int(&commit->ops, LL_OP_USAGE);
    ll_buf_add(&commit->ops, head, sizeof head);
    ll_usage_put(&commit->ops, usage);
}

void
ll_commit_size(
    struct ll_commit *commit, int64_t space, int64_t rows, int64_t bytes)
{
    ll_put_int(&commit->ops, LL_OP_SIZE);
    ll_put_int(&commit->ops, space);
    ll_put_int(&commit->ops, rows);
    ll_put_int(&commit->ops, bytes);
}

void
ll_commit_reindex(
    struct ll_commit *commit, int64_t collection, int64_t index, linli_str spec)
{
    ll_put_int(&commit->ops, LL_OP_REINDEX);
    ll_put_int(&commit->ops, collection);
    ll_put_int(&commit->ops, index);
    ll_put_bytes(&commit->ops, spec);
}

void
ll_commit_leaf(struct ll_commit *commit, linli_str leaf)
{
    ll_put_int(&commit->ops, LL_OP_LEAF);
    ll_put_bytes(&commit->ops, leaf);
    if (leaf.len == 0 || leaf.len > LL_LEAF_BYTES_MAX)
        commit->ops.failed = true;
}

/* -- the applier -- */

/* The last number that a key was given. */
static linli_status
load_last_id(struct ll_applier *a, struct ll_err *err)
{
    bool row;
    sqlite3_stmt *last = ll_db_statement(a->db, LL_SI_subject_last, err);
    if (last == NULL)
        return LINLI_E_IO;
    linli_status status = ll_db_step(a->db, last, &row, err);
    if (row) {
        a->sealer->last_id = sqlite3_column_int64(last, 0);
        (void)sqlite3_reset(last);
    }
    return status;
}

linli_status
ll_applier_init(struct ll_applier *applier, struct ll_mem *mem,
    struct ll_db *db, struct ll_sealer *sealer, struct ll_err *err)
{
    *applier = (struct ll_applier){.mem = mem, .db = db, .sealer = sealer};
    ll_pack_init(&applier->pack, mem);
    ll_buf_init(&applier->sealed, mem, 2 * (size_t)LL_STORE_BLOB_BYTES_MAX);
    ll_buf_init(&applier->sizes, mem, LL_STORE_BATCH_BYTES_MAX * 4ul);
    ll_buf_init(&applier->key, mem, 65536);
    ll_buf_init(&applier->gone, mem, LL_GONE_BYTES_MAX);
    ll_json_init(&applier->json, mem);
    linli_status status = ll_pack_load(&applier->pack, db, err);
    if (status == LINLI_OK)
        status = ll_logtree_load(&applier->log, mem, db, err);
    if (status != LINLI_OK)
        return status;
    return load_last_id(applier, err);
}

void
ll_applier_fini(struct ll_applier *applier)
{
    if (applier->mem == NULL)
        return;
    ll_pack_fini(&applier->pack);
    ll_logtree_fini(&applier->log);
    ll_buf_fini(&applier->sealed);
    ll_buf_fini(&applier->sizes);
    ll_buf_fini(&applier->key);
    ll_buf_fini(&applier->gone);
    ll_json_fini(&applier->json);
    applier->mem = NULL;
}

/* -- statements -- */

/* A list of space, subject and bytes, as ll_put_sealed makes it. */
static linli_status
bind_sealed(struct ll_applier *a, sqlite3_stmt *statement, int at,
    struct ll_rd *rd, struct ll_err *err)
{
    struct ll_subject subject;
    if (ll_rd_list(rd) != 3 || a == NULL)
        rd->bad = true;
    subject.space = ll_rd_int(rd);
    subject.pid = ll_rd_bytes(rd);
    linli_str plain = ll_rd_bytes(rd);
    if (rd->bad)
        return LINLI_OK; /* the caller sees it */
    ll_buf_clear(&a->sealed);
    linli_status status =
        ll_seal(a->sealer, a->db, &subject, plain, &a->sealed, err);
    if (status != LINLI_OK)
        return status;
    int code = sqlite3_bind_blob64(
        statement, at, a->sealed.ptr, a->sealed.len, SQLITE_TRANSIENT);
    return code == SQLITE_OK ? LINLI_OK : ll_db_fail(a->db, code, err);
}

/* A value that is not sealed; it stays where it is until the statement has
 * run. */
static int
bind_plain(sqlite3_stmt *statement, int at, char letter, struct ll_rd *rd)
{
    if (ll_rd_peek(rd) == LL_VALUE_NIL) {
        (void)ll_rd_value(rd);
        return sqlite3_bind_null(statement, at);
    }
    if (letter == 'i')
        return sqlite3_bind_int64(statement, at, ll_rd_int(rd));
    linli_str s = ll_rd_bytes(rd);
    if (letter == 't')
        return sqlite3_bind_text64(
            statement, at, s.ptr, s.len, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(statement, at, s.ptr, s.len, SQLITE_STATIC);
}

linli_status
ll_bind(struct ll_applier *applier, sqlite3_stmt *statement, unsigned number,
    struct ll_rd *rd, struct ll_err *err)
{
    const char *letters = ll_statement_info(number)->params;
    for (int at = 1; letters[at - 1] != '\0'; at++) {
        linli_status status = LINLI_OK;
        int code = SQLITE_OK;
        if (letters[at - 1] == 's')
            status = bind_sealed(applier, statement, at, rd, err);
        else
            code = bind_plain(statement, at, letters[at - 1], rd);
        if (status != LINLI_OK)
            return status;
        if (rd->bad || code != SQLITE_OK)
            return ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
                "statement %s has parameters \"%s\", and was given others",
                ll_statement_info(number)->name, letters);
    }
    return LINLI_OK;
}

static linli_status
apply_statement(
    struct ll_applier *a, unsigned number, struct ll_rd *rd, struct ll_err *err)
{
    sqlite3_stmt *statement = ll_db_statement(a->db, number, err);
    if (statement == NULL)
        return LINLI_E_IO;
    linli_status status = ll_bind(a, statement, number, rd, err);
    if (status == LINLI_OK)
        status = ll_db_run(a->db, statement, err);
    if (status != LINLI_OK)
        ll_err_where(err, "statement %s", ll_statement_info(number)->name);
    return status;
}

/* -- usage and sizes -- */

static linli_status
apply_usage(struct ll_applier *a, struct ll_rd *rd, struct ll_err *err)
{
    struct ll_usage usage;
    if (!ll_usage_get(ll_rd_bytes(rd), 0, &usage))
        return ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
            "a usage record that is none");
    return ll_pack_add(&a->pack, a->db, &usage, err);
}

struct size {
    int64_t space, rows, bytes;
};

static linli_status
apply_size(struct ll_applier *a, struct ll_rd *rd, struct ll_err *err)
{
    struct size size;
    size.space = ll_rd_int(rd);
    size.rows = ll_rd_int(rd);
    size.bytes = ll_rd_int(rd);
    ll_buf_add(&a->sizes, &size, sizeof size);
    if (rd->bad || a->sizes.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "no memory for the sizes of a batch");
    return LINLI_OK;
}

static int
size_cmp(const void *a, const void *b)
{
    const struct size *x = a, *y = b;
    return (x->space > y->space) - (x->space < y->space);
}

static linli_status
put_size(struct ll_db *db, const struct size *size, struct ll_err *err)
{
    sqlite3_stmt *update = ll_db_statement(db, LL_SI_space_size, err);
    if (update == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(update, 1, size->space);
    (void)sqlite3_bind_int64(update, 2, size->rows);
    (void)sqlite3_bind_int64(update, 3, size->bytes);
    return ll_db_run(db, update, err);
}

/* One update a space. */
static linli_status
put_sizes(struct ll_applier *a, struct ll_err *err)
{
    struct size *sizes = (struct size *)(void *)a->sizes.ptr;
    size_t count = a->sizes.len / sizeof *sizes;
    linli_status status = LINLI_OK;
    if (count > 1)
        qsort(sizes, count, sizeof *sizes, size_cmp);
    for (size_t i = 0, next; i < count && status == LINLI_OK; i = next) {
        struct size sum = sizes[i];
        for (next = i + 1; next < count && sizes[next].space == sum.space;
             next++) {
            sum.rows += sizes[next].rows;
            sum.bytes += sizes[next].bytes;
        }
        status = put_size(a->db, &sum, err);
    }
    ll_buf_reset(&a->sizes, 65536);
    return status;
}

/* -- keys that go -- */

/* The line of linli.gone for a subject_shred or subject_freeze whose
 * parameters come next; the caller's own place in them stays. */
static linli_status
note_gone(
    struct ll_applier *a, bool frozen, struct ll_rd rd, struct ll_err *err)
{
    unsigned char name[LL_GONE_NAME_BYTES];
    bool row;
    struct ll_whose whose = {.space = ll_rd_int(&rd)};
    whose.subject = ll_rd_bytes(&rd);
    int64_t until_ms = frozen ? ll_rd_int(&rd) : 0;
    linli_str kept = frozen ? ll_rd_bytes(&rd) : (linli_str){NULL, 0};
    if (rd.bad)
        return LINLI_OK; /* whoever binds them sees it */
    sqlite3_stmt *get = ll_db_statement(a->db, LL_SI_space_names, err);
    if (get == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(get, 1, whose.space);
    linli_status status = ll_db_step(a->db, get, &row, err);
    if (row) {
        whose.community = ll_db_bytes(get, 0);
        whose.plugin = ll_db_bytes(get, 1);
    }
    ll_gone_name(&whose, name);
    if (row)
        (void)sqlite3_reset(get);
    ll_gone_line(&a->gone, name, until_ms, kept);
    a->gone_count++;
    a->keys_changed = true;
    if (status == LINLI_OK && a->gone.failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", LL_GONE_FILE);
    return status;
}

/* -- the log -- */

/* Whom a leaf is about finds it by their tag. A leaf is canonical: no text in
 * it can hold a quotation mark that is not escaped. */
static linli_status
note_about(
    struct ll_applier *a, linli_str leaf, int64_t index, struct ll_err *err)
{
    static const char member[] = ",\"subject\":\"";
    const size_t tag_len = 32, n = sizeof member - 1;
    const char *at = memmem(leaf.ptr, leaf.len, member, n);
    if (at == NULL || (size_t)(leaf.ptr + leaf.len - at) < n + tag_len + 1 ||
        at[n + tag_len] != '"')
        return LINLI_OK;
    sqlite3_stmt *put = ll_db_statement(a->db, LL_SI_leaf_about_put, err);
    if (put == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_text64(
        put, 1, at + n, tag_len, SQLITE_STATIC, SQLITE_UTF8);
    (void)sqlite3_bind_int64(put, 2, index);
    return ll_db_run(a->db, put, err);
}

static linli_status
apply_leaf(struct ll_applier *a, struct ll_commit *commit, struct ll_rd *rd,
    struct ll_err *err)
{
    linli_str leaf = ll_rd_bytes(rd);
    if (rd->bad)
        return ll_fail(
            err, LINLI_E_INTERNAL, "runtime/internal", "a leaf that is none");
    linli_status status = ll_logtree_begin(&a->log, err);
    if (commit->leaf_count++ == 0)
        commit->leaf_first = a->log.merkle.size;
    int64_t index = (int64_t)a->log.merkle.size;
    if (status == LINLI_OK)
        status = ll_logtree_add(&a->log, leaf, err);
    return status == LINLI_OK ? note_about(a, leaf, index, err) : status;
}

/* -- a batch -- */

static linli_status
apply_one(struct ll_applier *a, struct ll_commit *commit, struct ll_rd *rd,
    struct ll_err *err)
{
    int64_t op = ll_rd_int(rd);
    if (op == LL_OP_LEAF)
        return apply_leaf(a, commit, rd, err);
    if (op == LL_OP_USAGE)
        return apply_usage(a, rd, err);
    if (op == LL_OP_SIZE)
        return apply_size(a, rd, err);
    if (op == LL_OP_REINDEX)
        return ll_reindex(a, rd, err);
    if (rd->bad || op < 0 || op >= LL_ST_COUNT)
        return ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
            "an operation that is none");
    bool frozen = op == LL_ST_subject_freeze;
    if (!frozen && op != LL_ST_subject_shred)
        return apply_statement(a, (unsigned)op, rd, err);
    linli_status status = note_gone(a, frozen, *rd, err);
    if (status == LINLI_OK)
        status = apply_statement(a, (unsigned)op, rd, err);
    /* Who never had a key has a row now. */
    return status == LINLI_OK ? load_last_id(a, err) : status;
}

linli_status
ll_apply(
    struct ll_applier *applier, struct ll_commit *commit, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&commit->ops));
    commit->leaf_first = commit->leaf_count = 0;
    linli_status status = LINLI_OK;
    while (status == LINLI_OK && !ll_rd_end(&rd))
        status = apply_one(applier, commit, &rd, err);
    return status;
}

static linli_status
put_meta(struct ll_db *db, const char *name, int64_t value, struct ll_err *err)
{
    sqlite3_stmt *put = ll_db_statement(db, LL_ST_meta_put, err);
    if (put == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_text(put, 1, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(put, 2, value);
    return ll_db_run(db, put, err);
}

linli_status
ll_apply_end(struct ll_applier *applier, uint64_t number, bool *log_grown,
    struct ll_err *err)
{
    *log_grown = false;
    linli_status status = ll_pack_flush(&applier->pack, applier->db, err);
    if (status == LINLI_OK)
        status = put_sizes(applier, err);
    if (status == LINLI_OK)
        status = ll_logtree_flush(&applier->log, log_grown, err);
    if (status == LINLI_OK && applier->gone.len > 0)
        status = put_meta(applier->db, LL_GONE_COUNT, applier->gone_count, err);
    ll_buf_reset(&applier->sealed, 65536);
    return status == LINLI_OK
               ? put_meta(applier->db, "commit", (int64_t)number, err)
               : status;
}
