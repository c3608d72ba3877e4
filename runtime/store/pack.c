/* store/pack.c: usage of a batch into segments and buckets. */
#include "store/pack.h"

#include "base/limits.h"

void
ll_pack_init(struct ll_pack *pack, struct ll_mem *mem)
{
    *pack = (struct ll_pack){.mem = mem};
    ll_buf_init(
        &pack->content, mem, (size_t)LL_SEGMENT_RECORDS_MAX * LL_USAGE_BYTES);
    ll_usage_fold_init(&pack->fold, mem);
}

void
ll_pack_fini(struct ll_pack *pack)
{
    if (pack->mem == NULL)
        return;
    ll_buf_fini(&pack->content);
    ll_usage_fold_fini(&pack->fold);
    pack->mem = NULL;
}

linli_status
ll_pack_load(struct ll_pack *pack, struct ll_db *db, struct ll_err *err)
{
    bool row;
    sqlite3_stmt *last = ll_db_statement(db, LL_SI_segment_last, err);
    if (last == NULL)
        return LINLI_E_IO;
    linli_status status = ll_db_step(db, last, &row, err);
    if (!row)
        return status;
    linli_str hash = ll_db_bytes(last, 1);
    pack->last = (uint64_t)sqlite3_column_int64(last, 0);
    if (hash.len == sizeof pack->hash)
        memcpy(pack->hash, hash.ptr, sizeof pack->hash);
    else
        status = ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "the last usage segment has no hash");
    (void)sqlite3_reset(last);
    return status;
}

/* -- buckets -- */

struct part {
    int64_t id, part, quantity;
};

/* The newest part of a bucket; id 0 if there is none. */
static linli_status
top_part(struct ll_db *db, const struct ll_usage_bucket *bucket,
    struct part *top, struct ll_err *err)
{
    bool row;
    *top = (struct part){0, -1, 0};
    sqlite3_stmt *find = ll_db_statement(db, LL_SI_bucket_top, err);
    if (find == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(find, 1, bucket->series);
    (void)sqlite3_bind_int64(find, 2, bucket->slot_ms);
    linli_status status = ll_db_step(db, find, &row, err);
    if (!row)
        return status;
    top->id = sqlite3_column_int64(find, 0);
    top->part = sqlite3_column_int64(find, 1);
    top->quantity = sqlite3_column_int64(find, 2);
    (void)sqlite3_reset(find);
    return LINLI_OK;
}

static linli_status
add_to_part(struct ll_db *db, const struct ll_usage_bucket *bucket, int64_t id,
    struct ll_err *err)
{
    sqlite3_stmt *add = ll_db_statement(db, LL_SI_bucket_add, err);
    if (add == NULL)
        return LINLI_E_IO;
    (void)sqlite3_bind_int64(add, 1, id);
    (void)sqlite3_bind_int64(add, 2, bucket->quantity);
    (void)sqlite3_bind_int64(add, 3, bucket->count);
    (void)sqlite3_bind_int64(add, 4, (int64_t)bucket->last_lsn);
    return ll_db_run(db, add, err);
}

static linli_status
new_part(struct ll_db *db, const struct ll_usage_bucket *bucket, int64_t part,
    struct ll_err *err)
{
    sqlite3_stmt *insert = ll_db_statement(db, LL_SI_bucket_new, err);
    if (insert == NULL)
        return LINLI_E_IO;
    const int64_t values[] = {bucket->series, bucket->slot_ms, part,
        bucket->quantity, bucket->count, (int64_t)bucket->first_lsn,
        (int64_t)bucket->last_lsn};
    for (int i = 0; i < (int)LL_COUNT(values); i++)
        (void)sqlite3_bind_int64(insert, i + 1, values[i]);
    return ll_db_run(db, insert, err);
}

static linli_status
fold_one(
    struct ll_db *db, const struct ll_usage_bucket *bucket, struct ll_err *err)
{
    struct part top;
    int64_t sum;
    linli_status status = top_part(db, bucket, &top, err);
    if (status != LINLI_OK)
        return status;
    bool fits = !__builtin_add_overflow(top.quantity, bucket->quantity, &sum) &&
                sum <= LL_BUCKET_QUANTITY_MAX && sum >= -LL_BUCKET_QUANTITY_MAX;
    return top.id != 0 && fits ? add_to_part(db, bucket, top.id, err)
                               : new_part(db, bucket, top.part + 1, err);
}

linli_status
ll_pack_fold(struct ll_pack *pack, struct ll_db *db, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; i < pack->fold.count && status == LINLI_OK; i++)
        status = fold_one(db, &pack->fold.buckets[i], err);
    ll_usage_fold_clear(&pack->fold);
    return status;
}

/* -- segments -- */

static linli_status
put_segment(struct ll_pack *pack, struct ll_db *db, struct ll_err *err)
{
    sqlite3_stmt *insert = ll_db_statement(db, LL_SI_segment_new, err);
    if (insert == NULL)
        return LINLI_E_IO;
    linli_str content = ll_buf_view(&pack->content);
    unsigned char hash[LL_SHA256_BYTES];
    ll_usage_chain(pack->hash, content, hash);
    (void)sqlite3_bind_int64(insert, 1, (int64_t)(pack->last + 1));
    (void)sqlite3_bind_int64(insert, 2, (int64_t)(pack->last + pack->count));
    (void)sqlite3_bind_int64(insert, 3, pack->count);
    (void)sqlite3_bind_blob64(insert, 4, hash, sizeof hash, SQLITE_STATIC);
    (void)sqlite3_bind_blob64(
        insert, 5, content.ptr, content.len, SQLITE_STATIC);
    linli_status status = ll_db_run(db, insert, err);
    if (status != LINLI_OK)
        return status;
    memcpy(pack->hash, hash, sizeof hash);
    pack->last += pack->count;
    return LINLI_OK;
}

linli_status
ll_pack_flush(struct ll_pack *pack, struct ll_db *db, struct ll_err *err)
{
    if (pack->count == 0)
        return LINLI_OK;
    linli_status status = put_segment(pack, db, err);
    if (status == LINLI_OK)
        status = ll_pack_fold(pack, db, err);
    pack->count = 0;
    ll_buf_reset(&pack->content, (size_t)1024 * LL_USAGE_BYTES);
    return status;
}

linli_status
ll_pack_add(struct ll_pack *pack, struct ll_db *db,
    const struct ll_usage *usage, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    if (pack->count == LL_SEGMENT_RECORDS_MAX)
        status = ll_pack_flush(pack, db, err);
    if (status != LINLI_OK)
        return status;
    status =
        ll_usage_fold_add(&pack->fold, usage, pack->last + pack->count + 1);
    if (status == LINLI_E_LIMIT) {
        status = ll_pack_flush(pack, db, err);
        if (status == LINLI_OK)
            status = ll_usage_fold_add(&pack->fold, usage, pack->last + 1);
    }
    ll_usage_put(&pack->content, usage);
    if (status != LINLI_OK || pack->content.failed)
        return ll_fail(
            err, LINLI_E_NOMEM, "runtime/memory", "no memory for usage");
    pack->count++;
    return LINLI_OK;
}
