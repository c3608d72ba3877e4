/* store/restore.c: a copy becomes the database of a data directory. [any]
 *
 * Whose keys were taken away after the copy was made is in linli.gone beside
 * the key file; they are taken from the copy before it gets its name.
 * What is verified is the copy that was made here, not the file it was made
 * from, and it gets its name last: what is linli.db has been verified.
 */
#include <openssl/crypto.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "store/migrate.h"
#include "store/place.h"
#include "store/query.h"
#include "store/verify.h"
#include "world/datadir.h"
#include "world/file.h"

struct restore {
    const char *file, *key_file, *dir;
    int at; /* the folder of `dir` */
    unsigned char key[LL_SEAL_KEY_BYTES];
    bool key_there;       /* linli.key is in place already */
    char gone_file[4096]; /* linli.gone beside the key file */
    bool gone_there;
    struct ll_gone_file gone;
};

static linli_status
refuse(struct ll_err *err, const char *where, const char *what)
{
    linli_status status =
        ll_fail(err, LINLI_E_CONFLICT, "store/restore", "%s", what);
    ll_err_where(err, "%s", where);
    return status;
}

/* -- what is in the way -- */

static linli_status
check_place(struct restore *r, struct ll_err *err)
{
    unsigned char there[LL_SEAL_KEY_BYTES];
    if (ll_file_there(r->at, LL_STORE_FILE) ||
        ll_file_there(r->at, LL_STORE_FILE "-wal"))
        return refuse(err, r->dir, "it has a " LL_STORE_FILE " already");
    r->key_there = ll_file_there(r->at, LL_STORE_KEY_FILE);
    if (!r->key_there)
        return LINLI_OK;
    linli_status status =
        ll_place_read_key(r->at, LL_STORE_KEY_FILE, there, err);
    if (status == LINLI_OK && memcmp(there, r->key, sizeof there) != 0)
        status =
            refuse(err, r->dir, "it has another " LL_STORE_KEY_FILE " already");
    OPENSSL_cleanse(there, sizeof there);
    return status;
}

/* A database in use is more than its file. */
static linli_status
check_file(const struct restore *r, struct ll_err *err)
{
    char log[4096];
    int n = snprintf(log, sizeof log, "%s-wal", r->file);
    if (n > 0 && (size_t)n < sizeof log && ll_file_there(LL_AT_CWD, log))
        return refuse(err, r->file,
            "this is the database of a linlid, with a log beside it, and no "
            "copy made by `linli backup`");
    return LINLI_OK;
}

/* -- what the copy holds -- */

static linli_status
check_key(const struct restore *r, struct ll_db *db, struct ll_err *err)
{
    struct ll_mem mem;
    struct ll_sealer sealer;
    ll_mem_init(&mem, 0);
    linli_status status = ll_sealer_init(&sealer, &mem, r->key, err);
    if (status != LINLI_OK)
        return status;
    status = ll_seal_check_mark(&sealer, db, err);
    ll_sealer_fini(&sealer);
    return status;
}

/* What was taken away lies beside the key; what is in place may not know of
 * more. */
static linli_status
check_gone(struct restore *r, struct ll_err *err)
{
    struct ll_gone_file there = {0};
    const char *slash = strrchr(r->key_file, '/');
    int folder = slash == NULL ? 0 : (int)(slash - r->key_file) + 1;
    int n = snprintf(r->gone_file, sizeof r->gone_file, "%.*s" LL_GONE_FILE,
        folder, r->key_file);
    if (n < 0 || (size_t)n >= sizeof r->gone_file)
        return ll_fail(
            err, LINLI_E_LIMIT, "store/gone", "its path is too long");
    linli_status status =
        ll_gone_read(LL_AT_CWD, r->gone_file, r->key, &r->gone, err);
    r->gone_there = ll_file_there(r->at, LL_GONE_FILE);
    if (status != LINLI_OK || !r->gone_there)
        return status;
    ll_buf_init(&there.text, r->gone.text.mem, LL_GONE_BYTES_MAX);
    status = ll_gone_read(r->at, LL_GONE_FILE, r->key, &there, err);
    if (status == LINLI_OK && !ll_str_eq(there.lines, r->gone.lines))
        status = refuse(err, r->dir, "it has another " LL_GONE_FILE " already");
    ll_buf_fini(&there.text);
    return status;
}

static linli_status
check_copy(struct restore *r, uint64_t *number, struct ll_err *err)
{
    char path[4096];
    struct ll_db db;
    uint32_t count;
    bool taken;
    const struct ll_migration *steps = ll_migrations(&count);
    linli_status status = ll_place_look(r->at, LL_STORE_FILE_NEW, err);
    if (status != LINLI_OK)
        return status;
    (void)snprintf(path, sizeof path, "%s/%s", r->dir, LL_STORE_FILE_NEW);
    status = ll_db_open(&db, path, LL_DB_COPY, err);
    if (status != LINLI_OK)
        return status;
    status = ll_place_check(&db, true, err);
    if (status == LINLI_OK)
        status = check_key(r, &db, err);
    if (status == LINLI_OK)
        status = ll_migrate(&db, steps, count, err);
    if (status == LINLI_OK)
        status = check_gone(r, err);
    if (status == LINLI_OK)
        status = ll_gone_apply(&db, r->gone.lines, r->gone.count, &taken, err);
    if (status == LINLI_OK)
        status = ll_verify_usage(&db, err);
    if (status == LINLI_OK)
        status = ll_verify_log(&db, r->gone.text.mem, r->key, err);
    if (status == LINLI_OK)
        status = ll_query_snapshot(&db, number, err);
    ll_db_close(&db);
    return status;
}

/* -- putting it there -- */

static linli_status
put_files(const struct restore *r, struct ll_err *err)
{
    linli_status status = ll_file_sync(r->at, LL_STORE_FILE_NEW, err);
    bool made = false, gone_made = false;
    if (status == LINLI_OK && !r->gone_there) {
        status = ll_gone_write(r->at, r->key, r->gone.lines, err);
        gone_made = status == LINLI_OK;
    }
    if (status == LINLI_OK && !r->key_there) {
        linli_str key = {(const char *)r->key, sizeof r->key};
        status = ll_file_write(r->at, LL_STORE_KEY_FILE, key, 0600, err);
        made = status == LINLI_OK;
    }
    if (status == LINLI_OK)
        status = ll_file_rename(r->at, LL_STORE_FILE_NEW, LL_STORE_FILE, err);
    if (status != LINLI_OK && made)
        ll_file_remove(r->at, LL_STORE_KEY_FILE);
    if (status != LINLI_OK && gone_made)
        ll_file_remove(r->at, LL_GONE_FILE);
    return status;
}

static linli_status
restore(struct restore *r, uint64_t *number, struct ll_err *err)
{
    linli_status status = check_place(r, err);
    if (status == LINLI_OK)
        status = check_file(r, err);
    if (status != LINLI_OK)
        return status;
    ll_place_remove(r->at, LL_STORE_FILE_NEW); /* what a crash left */
    status = ll_file_copy(r->file, r->at, LL_STORE_FILE_NEW, 0600, err);
    if (status == LINLI_OK) {
        status = check_copy(r, number, err);
        if (status != LINLI_OK && strcmp(err->code, "store/gone") != 0)
            ll_err_where(err, "%s: ", r->file);
    }
    if (status == LINLI_OK)
        status = put_files(r, err);
    if (status != LINLI_OK)
        ll_place_remove(r->at, LL_STORE_FILE_NEW);
    return status;
}

linli_status
ll_store_restore(const char *file, const char *key_file, const char *dir,
    uint64_t *number, struct ll_err *err)
{
    struct ll_datadir lock;
    struct ll_mem mem;
    struct restore r = {.file = file, .key_file = key_file, .dir = dir};
    *number = 0;
    ll_mem_init(&mem, 0);
    ll_buf_init(&r.gone.text, &mem, LL_GONE_BYTES_MAX);
    linli_status status = ll_place_read_key(LL_AT_CWD, key_file, r.key, err);
    if (status == LINLI_OK)
        status = ll_datadir_open(&lock, dir, err);
    if (status == LINLI_OK) {
        r.at = lock.dir_fd;
        status = restore(&r, number, err);
        ll_datadir_close(&lock);
    }
    if (status != LINLI_OK)
        *number = 0;
    ll_buf_fini(&r.gone.text);
    OPENSSL_cleanse(&r, sizeof r);
    return status;
}
