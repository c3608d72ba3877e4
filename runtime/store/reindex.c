/* store/reindex.c: entries of an index, made anew from the documents. */
#include "base/index.h"
#include "base/limits.h"
#include "store/apply.h"

/* Memory of the walk, beside the applier's. */
struct walk {
    struct ll_applier *applier;
    struct ll_index_spec spec;
    int64_t index;
};

static linli_status
put_entry(struct walk *walk, linli_str id, struct ll_err *err)
{
    struct ll_applier *a = walk->applier;
    sqlite3_stmt *put = ll_db_statement(a->db, LL_ST_entry_put, err);
    if (put == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(put, 1, walk->index);
    (void)sqlite3_bind_blob64(put, 2, a->key.ptr, a->key.len, SQLITE_STATIC);
    (void)sqlite3_bind_text64(
        put, 3, id.ptr, id.len, SQLITE_STATIC, SQLITE_UTF8);
    return ll_db_run(a->db, put, err);
}

/* One document: sealed, opened, read, and its entry made. */
static linli_status
index_one(struct walk *walk, linli_str id, linli_str body, struct ll_err *err)
{
    struct ll_applier *a = walk->applier;
    linli_str plain;
    bool there;
    linli_status status =
        ll_unseal(a->sealer, a->db, body, &plain, &there, err);
    if (status != LINLI_OK || !there)
        return status;
    status = ll_json_parse(&a->json, plain, LL_JSON_DEPTH_MAX, NULL);
    if (status == LINLI_E_NOMEM)
        return ll_fail(
            err, status, "runtime/memory", "no memory for a document");
    if (status != LINLI_OK)
        return LINLI_OK;
    ll_buf_clear(&a->key);
    status = ll_index_key(
        &walk->spec, ll_json_root(&a->json), &a->key, &there, NULL);
    if (status == LINLI_OK && a->key.failed)
        return ll_fail(
            err, LINLI_E_NOMEM, "runtime/memory", "no memory for a key");
    return status == LINLI_OK && there ? put_entry(walk, id, err) : LINLI_OK;
}

static linli_status
clear(struct walk *walk, struct ll_err *err)
{
    struct ll_db *db = walk->applier->db;
    sqlite3_stmt *drop = ll_db_statement(db, LL_ST_index_clear, err);
    if (drop == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(drop, 1, walk->index);
    return ll_db_run(db, drop, err);
}

static linli_status
walk_documents(struct walk *walk, int64_t collection, struct ll_err *err)
{
    struct ll_db *db = walk->applier->db;
    bool row = true;
    sqlite3_stmt *docs = ll_db_statement(db, LL_SI_doc_walk, err);
    if (docs == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(docs, 1, collection);
    linli_status status = LINLI_OK;
    for (;;) {
        status = ll_db_step(db, docs, &row, err);
        if (!row)
            return status;
        status =
            index_one(walk, ll_db_bytes(docs, 0), ll_db_bytes(docs, 1), err);
        if (status != LINLI_OK)
            break;
    }
    (void)sqlite3_reset(docs);
    return status;
}

linli_status
ll_reindex(struct ll_applier *applier, struct ll_rd *rd, struct ll_err *err)
{
    struct ll_json declared;
    int64_t collection = ll_rd_int(rd);
    struct walk walk = {.applier = applier, .index = ll_rd_int(rd)};
    linli_str text = ll_rd_bytes(rd);
    if (rd->bad)
        return ll_fail(err, LINLI_E_INTERNAL, "runtime/internal",
            "a new index that is none");
    ll_json_init(&declared, applier->mem);
    linli_status status =
        ll_json_parse(&declared, text, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK) {
        ll_index_spec_read(ll_json_root(&declared), &walk.spec);
        status = clear(&walk, err);
    }
    if (status == LINLI_OK)
        status = walk_documents(&walk, collection, err);
    ll_json_fini(&declared);
    return status;
}
