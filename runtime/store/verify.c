/* store/verify.c: refolds the segments and compares with the buckets. */
#include "store/verify.h"

#include "base/limits.h"
#include "store/migrate.h"
#include "store/pack.h"

/* Sums in memory before they go to the scratch database. */
#define FOLD_MAX 65536

struct refold {
    struct ll_db *db;
    struct ll_db scratch; /* a database of the same schema */
    struct ll_pack pack;  /* folds into it; its hash is the chain's */
};

static linli_status
fail_usage(struct ll_err *err, int64_t at, const char *what)
{
    return ll_fail(err, LINLI_E_INVALID, "store/corrupt", "usage: %s (at %lld)",
        what, (long long)at);
}

/* -- segments -- */

static linli_status
refold_records(struct refold *r, linli_str content, struct ll_err *err)
{
    struct ll_usage usage;
    for (uint32_t i = 0; ll_usage_get(content, i, &usage); i++) {
        uint64_t lsn = ++r->pack.last;
        linli_status status = LINLI_OK;
        if (r->pack.fold.count >= FOLD_MAX)
            status = ll_pack_fold(&r->pack, &r->scratch, err);
        if (status == LINLI_OK)
            status = ll_usage_fold_add(&r->pack.fold, &usage, lsn);
        if (status == LINLI_E_LIMIT) {
            status = ll_pack_fold(&r->pack, &r->scratch, err);
            if (status == LINLI_OK)
                status = ll_usage_fold_add(&r->pack.fold, &usage, lsn);
        }
        if (status == LINLI_E_NOMEM)
            return ll_fail(
                err, status, "runtime/memory", "no memory for usage");
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

static linli_status
refold_segment(struct refold *r, sqlite3_stmt *row, struct ll_err *err)
{
    int64_t first = sqlite3_column_int64(row, 0);
    int64_t last = sqlite3_column_int64(row, 1);
    int64_t count = sqlite3_column_int64(row, 2);
    linli_str hash = ll_db_bytes(row, 3), content = ll_db_bytes(row, 4);
    unsigned char chained[LL_SHA256_BYTES];
    if ((uint64_t)first != r->pack.last + 1)
        return fail_usage(err, first, "records are missing before a segment");
    if (count < 1 || count > LL_SEGMENT_RECORDS_MAX ||
        last != first + count - 1 ||
        content.len != (size_t)count * LL_USAGE_BYTES)
        return fail_usage(err, first, "a segment has not its length");
    ll_usage_chain(r->pack.hash, content, chained);
    if (hash.len != sizeof chained ||
        memcmp(hash.ptr, chained, sizeof chained) != 0)
        return fail_usage(err, first, "the chain of hashes is broken");
    memcpy(r->pack.hash, chained, sizeof chained);
    return refold_records(r, content, err);
}

static linli_status
refold_all(struct refold *r, struct ll_err *err)
{
    bool row = true;
    sqlite3_stmt *all = ll_db_statement(r->db, LL_SI_segment_all, err);
    if (all == NULL)
        return LINLI_E_IO;
    linli_status status = LINLI_OK;
    while (status == LINLI_OK && row) {
        status = ll_db_step(r->db, all, &row, err);
        if (row)
            status = refold_segment(r, all, err);
    }
    if (row)
        (void)sqlite3_reset(all);
    return status == LINLI_OK ? ll_pack_fold(&r->pack, &r->scratch, err)
                              : status;
}

/* -- buckets -- */

/* The parts of one bucket, summed up. */
struct sum {
    int64_t series, slot, count, first, last;
    __int128 quantity;
};

struct cursor {
    struct ll_db *db;
    sqlite3_stmt *parts; /* of all buckets, in order */
    bool row;            /* it stands on one */
};

static linli_status
cursor_step(struct cursor *c, struct ll_err *err)
{
    return ll_db_step(c->db, c->parts, &c->row, err);
}

static linli_status
cursor_start(struct cursor *c, struct ll_db *db, struct ll_err *err)
{
    *c = (struct cursor){.db = db};
    c->parts = ll_db_statement(db, LL_SI_bucket_parts, err);
    return c->parts == NULL ? LINLI_E_IO : cursor_step(c, err);
}

static bool
is_part_of(const struct cursor *c, const struct sum *sum)
{
    return c->row && sqlite3_column_int64(c->parts, 0) == sum->series &&
           sqlite3_column_int64(c->parts, 1) == sum->slot;
}

/* The next bucket; count 0 at the end. */
static linli_status
cursor_next(struct cursor *c, struct sum *sum, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    *sum = (struct sum){0};
    if (!c->row)
        return LINLI_OK;
    sum->series = sqlite3_column_int64(c->parts, 0);
    sum->slot = sqlite3_column_int64(c->parts, 1);
    sum->first = sqlite3_column_int64(c->parts, 4);
    while (status == LINLI_OK && is_part_of(c, sum)) {
        int64_t last = sqlite3_column_int64(c->parts, 5);
        sum->quantity += sqlite3_column_int64(c->parts, 2);
        sum->count += sqlite3_column_int64(c->parts, 3);
        sum->last = last > sum->last ? last : sum->last;
        status = cursor_step(c, err);
    }
    return status;
}

static linli_status
compare(struct refold *r, struct ll_err *err)
{
    struct cursor kept, refolded;
    struct sum a, b;
    linli_status status = cursor_start(&kept, r->db, err);
    if (status != LINLI_OK)
        return status;
    status = cursor_start(&refolded, &r->scratch, err);
    do {
        if (status == LINLI_OK)
            status = cursor_next(&kept, &a, err);
        if (status == LINLI_OK)
            status = cursor_next(&refolded, &b, err);
        if (status == LINLI_OK &&
            (a.series != b.series || a.slot != b.slot ||
                a.quantity != b.quantity || a.count != b.count ||
                a.first != b.first || a.last != b.last))
            status = fail_usage(err, a.count == 0 ? b.slot : a.slot,
                "a bucket is not the sum of its records");
    } while (status == LINLI_OK && a.count != 0);
    if (kept.row)
        (void)sqlite3_reset(kept.parts);
    if (refolded.row)
        (void)sqlite3_reset(refolded.parts);
    return status;
}

linli_status
ll_verify_usage(struct ll_db *db, struct ll_err *err)
{
    struct refold r = {.db = db};
    struct ll_mem mem;
    uint32_t count;
    const struct ll_migration *steps = ll_migrations(&count);
    ll_mem_init(&mem, 0);
    /* SQLite's name for a temporary database that may go to disk. */
    linli_status status = ll_db_open(&r.scratch, "", LL_DB_COPY, err);
    if (status != LINLI_OK)
        return status;
    ll_pack_init(&r.pack, &mem);
    status = ll_migrate(&r.scratch, steps, count, err);
    if (status == LINLI_OK)
        status = ll_db_begin(&r.scratch, true, err);
    if (status == LINLI_OK)
        status = refold_all(&r, err);
    if (status == LINLI_OK)
        status = compare(&r, err);
    ll_db_rollback(&r.scratch);
    ll_pack_fini(&r.pack);
    ll_db_close(&r.scratch);
    return status;
}
