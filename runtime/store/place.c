/* store/place.c: finding, making, judging and opening linli.db. */
#include "store/place.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "store/migrate.h"
#include "world/file.h"

/* Offsets in the header of an SQLite file, big-endian. */
#define AT_PAGE_BYTES 16
#define AT_USER_VERSION 60
#define AT_APPLICATION 68

static const char magic[16] = "SQLite format 3";

static linli_status
fail_at(struct ll_err *err, const char *dir, linli_status status)
{
    if (err != NULL && err->where[0] == '\0')
        ll_err_where(err, "%s", LL_STORE_FILE);
    if (dir != NULL)
        ll_err_where(err, "%s: ", dir);
    return status;
}

/* Says "store/io" of what world/file.h refused. */
static linli_status
as_io(struct ll_err *err, linli_status status)
{
    if (status != LINLI_OK && err != NULL && err->code[0] == 'c')
        (void)snprintf(err->code, sizeof err->code, "store/io");
    return status;
}

/* -- judging -- */

static uint32_t
u32_at(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* Whether the file stops within a page, which SQLite would fill up with
 * zeroes. Beside a log that may be a checkpoint that was cut short: the log
 * still has the page. */
static bool
is_cut(int at, const char *name, const unsigned char *head, int64_t size)
{
    char log[256];
    int64_t bytes = head[AT_PAGE_BYTES] << 8 | head[AT_PAGE_BYTES + 1];
    if (bytes == 1)
        bytes = 65536;
    (void)snprintf(log, sizeof log, "%s-wal", name);
    return bytes >= LL_FILE_HEAD_BYTES && size % bytes != 0 &&
           !ll_file_there(at, log);
}

linli_status
ll_place_look(int at, const char *name, struct ll_err *err)
{
    unsigned char head[LL_FILE_HEAD_BYTES];
    int64_t size;
    uint32_t known;
    (void)ll_migrations(&known);
    linli_status status = ll_file_head(at, name, head, &size, err);
    if (status == LINLI_E_NOT_FOUND)
        return status;
    if (status == LINLI_E_INVALID)
        status = ll_fail(err, status, "store/foreign", "not a regular file");
    else if (status != LINLI_OK)
        return as_io(err, status);
    else if (size < LL_FILE_HEAD_BYTES)
        status = ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "the file has %lld bytes only", (long long)size);
    else if (memcmp(head, magic, sizeof magic) != 0)
        status = ll_fail(
            err, LINLI_E_INVALID, "store/foreign", "not an SQLite database");
    else if (u32_at(head + AT_APPLICATION) != LL_STORE_APPLICATION)
        status = ll_fail(err, LINLI_E_INVALID, "store/foreign",
            "its application id is %u", u32_at(head + AT_APPLICATION));
    else if (u32_at(head + AT_USER_VERSION) > known)
        status = ll_fail(err, LINLI_E_UNSUPPORTED, "store/newer",
            "its version is %u, this Linli knows %u",
            u32_at(head + AT_USER_VERSION), known);
    else if (is_cut(at, name, head, size))
        status = ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "the file is cut off: it ends within a page");
    if (status != LINLI_OK)
        ll_err_where(err, "%s", name);
    return status;
}

/* SQLite's own check, which says "ok" or what it found first. */
static linli_status
check_pages(struct ll_db *db, const char *sql, struct ll_err *err)
{
    sqlite3_stmt *check = NULL;
    bool row = false;
    linli_status status = LINLI_OK;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &check, NULL);
    if (code != SQLITE_OK)
        status = ll_db_fail(db, code, err);
    else
        status = ll_db_step(db, check, &row, err);
    if (row && !ll_str_is(ll_db_bytes(check, 0), "ok"))
        status = ll_fail(err, LINLI_E_INVALID, "store/corrupt", "%.*s",
            LL_FMT(ll_db_bytes(check, 0)));
    (void)sqlite3_finalize(check);
    return status;
}

linli_status
ll_place_check(struct ll_db *db, bool whole, struct ll_err *err)
{
    uint32_t version, known;
    int64_t pages = 0, page_bytes = 0;
    (void)ll_migrations(&known);
    linli_status status = ll_migration_version(db, known, &version, err);
    if (status == LINLI_OK && version == 0)
        status =
            ll_fail(err, LINLI_E_INVALID, "store/corrupt", "it has no version");
    if (status == LINLI_OK)
        status = ll_db_number(db, "PRAGMA page_count", &pages, err);
    if (status == LINLI_OK)
        status = ll_db_number(db, "PRAGMA page_size", &page_bytes, err);
    if (status != LINLI_OK)
        return status;
    if (whole)
        return check_pages(db, "PRAGMA integrity_check(1)", err);
    if (pages <= LL_STORE_CHECK_BYTES_MAX / page_bytes)
        return check_pages(db, "PRAGMA quick_check(1)", err);
    return LINLI_OK;
}

linli_status
ll_place_read_key(int at, const char *name,
    unsigned char key[LL_SEAL_KEY_BYTES], struct ll_err *err)
{
    struct ll_mem mem;
    struct ll_buf bytes;
    ll_mem_init(&mem, 0);
    /* One byte more than a key: read_rest asks for the end too. */
    ll_buf_init(&bytes, &mem, 4096);
    linli_status status =
        ll_file_read(at, name, LL_SEAL_KEY_BYTES, &bytes, err);
    if (status == LINLI_E_NOT_FOUND || status == LINLI_E_INVALID ||
        status == LINLI_E_LIMIT || bytes.len != LL_SEAL_KEY_BYTES) {
        bool missing = status == LINLI_E_NOT_FOUND;
        status = ll_fail(err, LINLI_E_DENIED, "store/key",
            missing ? "the key file is missing"
                    : "the key file does not hold 32 bytes");
        ll_err_where(err, "%s", name);
    } else if (status != LINLI_OK) {
        status = as_io(err, status);
    } else {
        memcpy(key, bytes.ptr, LL_SEAL_KEY_BYTES);
    }
    if (bytes.ptr != NULL)
        OPENSSL_cleanse(bytes.ptr, bytes.cap);
    ll_buf_fini(&bytes);
    return status;
}

/* -- making -- */

void
ll_place_remove(int at, const char *name)
{
    static const char *const tails[] = {"", "-journal", "-wal", "-shm"};
    char full[256];
    for (size_t i = 0; i < LL_COUNT(tails); i++) {
        (void)snprintf(full, sizeof full, "%s%s", name, tails[i]);
        ll_file_remove(at, full);
    }
}

/* The schema, the mark of the key and the number of the last commit. */
static linli_status
fill(struct ll_db *db, const unsigned char *key, struct ll_err *err)
{
    uint32_t count;
    struct ll_mem mem;
    struct ll_sealer sealer;
    char application[64];
    const struct ll_migration *steps = ll_migrations(&count);
    ll_mem_init(&mem, 0);
    linli_status status = ll_sealer_init(&sealer, &mem, key, err);
    if (status != LINLI_OK)
        return status;
    (void)snprintf(application, sizeof application, "PRAGMA application_id=%d",
        LL_STORE_APPLICATION);
    status = ll_db_exec(db, application, err);
    if (status == LINLI_OK)
        status = ll_migrate(db, steps, count, err);
    if (status == LINLI_OK)
        status = ll_seal_mark(&sealer, db, err);
    if (status == LINLI_OK)
        status = ll_db_exec(
            db, "INSERT INTO meta(name, value) VALUES('commit', 0)", err);
    ll_sealer_fini(&sealer);
    return status;
}

/* The key file, made unless one is there: it may be all that somebody has
 * of a database that is elsewhere. */
static linli_status
make_key(struct ll_place *place, const struct ll_store_options *options,
    bool *made, struct ll_err *err)
{
    *made = false;
    if (ll_file_there(options->dir_fd, LL_STORE_KEY_FILE))
        return ll_place_read_key(
            options->dir_fd, LL_STORE_KEY_FILE, place->key, err);
    ll_world_random(options->world, place->key, sizeof place->key);
    linli_str bytes = {(const char *)place->key, sizeof place->key};
    linli_status status = as_io(err,
        ll_file_write(options->dir_fd, LL_STORE_KEY_FILE, bytes, 0600, err));
    *made = status == LINLI_OK;
    return status;
}

static linli_status
make_file(struct ll_place *place, const struct ll_store_options *options,
    struct ll_err *err)
{
    int at = options->dir_fd;
    char path[4096];
    struct ll_db db;
    (void)snprintf(path, sizeof path, "%s/%s", options->dir, LL_STORE_FILE_NEW);
    ll_place_remove(at, LL_STORE_FILE_NEW); /* what a crash left */
    linli_status status =
        as_io(err, ll_file_make(at, LL_STORE_FILE_NEW, 0600, err));
    if (status != LINLI_OK)
        return status;
    status = ll_db_open(&db, path, LL_DB_COPY, err);
    if (status == LINLI_OK) {
        status = fill(&db, place->key, err);
        if (status == LINLI_OK)
            status = ll_db_exec(&db, "PRAGMA journal_mode=WAL", err);
        ll_db_close(&db);
    }
    if (status == LINLI_OK)
        status = as_io(err, ll_file_sync(at, LL_STORE_FILE_NEW, err));
    if (status == LINLI_OK)
        status = as_io(
            err, ll_file_rename(at, LL_STORE_FILE_NEW, LL_STORE_FILE, err));
    if (status != LINLI_OK)
        ll_place_remove(at, LL_STORE_FILE_NEW);
    return status;
}

static linli_status
make_new(struct ll_place *place, const struct ll_store_options *options,
    struct ll_err *err)
{
    bool made;
    /* Commits that were never folded into a file that has gone. */
    if (ll_file_there(options->dir_fd, LL_STORE_FILE "-wal"))
        return ll_fail(err, LINLI_E_INVALID, "store/corrupt",
            "there is " LL_STORE_FILE "-wal without " LL_STORE_FILE);
    linli_status status = make_key(place, options, &made, err);
    if (status != LINLI_OK)
        return status;
    status = make_file(place, options, err);
    if (status != LINLI_OK && made)
        ll_file_remove(options->dir_fd, LL_STORE_KEY_FILE);
    return status;
}

/* -- opening -- */

static linli_status
check_mark(struct ll_place *place, struct ll_db *db, struct ll_err *err)
{
    struct ll_mem mem;
    struct ll_sealer sealer;
    ll_mem_init(&mem, 0);
    linli_status status = ll_sealer_init(&sealer, &mem, place->key, err);
    if (status != LINLI_OK)
        return status;
    status = ll_seal_check_mark(&sealer, db, err);
    ll_sealer_fini(&sealer);
    return status;
}

/* Opens what is there and judges it by what it holds. A log that came with
 * the connection goes with it; one that was there is left as it was. */
static linli_status
open_judged(
    struct ll_place *place, int at, struct ll_db *db, struct ll_err *err)
{
    bool log = ll_file_there(at, LL_STORE_FILE "-wal");
    linli_status status = ll_db_open(db, place->name, LL_DB_WRITER, err);
    if (status == LINLI_OK) {
        status = ll_place_check(db, false, err);
        if (status == LINLI_OK)
            status = check_mark(place, db, err);
        if (status == LINLI_OK)
            return LINLI_OK;
        ll_db_close(db);
    }
    if (!log) {
        ll_file_remove(at, LL_STORE_FILE "-wal");
        ll_file_remove(at, LL_STORE_FILE "-shm");
    }
    return status;
}

/* linli.gone as it is, made where no database has known of one. */
static linli_status
read_gone(struct ll_place *place, struct ll_db *db, struct ll_gone_file *file,
    struct ll_err *err)
{
    int64_t known = 0;
    linli_status status = ll_db_number(
        db, "SELECT value FROM meta WHERE name = 'gone'", &known, err);
    if (status == LINLI_OK && known == 0 &&
        !ll_file_there(place->at, LL_GONE_FILE))
        status = ll_gone_make(place->at, place->key, err);
    if (status == LINLI_OK)
        status = ll_gone_read(place->at, LL_GONE_FILE, place->key, file, err);
    if (status != LINLI_OK)
        return status;
    place->gone_count = file->count;
    /* The next line begins where one ends. */
    linli_str text = ll_buf_view(&file->text);
    size_t end = text.len == 0
                     ? 0
                     : (size_t)(file->lines.ptr - text.ptr) + file->lines.len;
    return text.len == 0 || end < text.len
               ? ll_gone_write(place->at, place->key, file->lines, err)
               : LINLI_OK;
}

/* What an earlier process said to be gone, and what a copy from before that
 * still has, goes now. */
static linli_status
take_gone(struct ll_place *place, struct ll_db *db, struct ll_gone_set *gone,
    struct ll_err *err)
{
    struct ll_mem mem;
    struct ll_gone_file file = {0};
    bool changed = false;
    ll_mem_init(&mem, 0);
    ll_buf_init(&file.text, &mem, LL_GONE_BYTES_MAX);
    linli_status status = read_gone(place, db, &file, err);
    if (status == LINLI_OK)
        status = ll_gone_apply(db, file.lines, file.count, &changed, err);
    if (status == LINLI_OK)
        status = ll_gone_names(file.lines, gone, err);
    /* The keys are not in the log either. */
    if (status == LINLI_OK && changed)
        status = ll_db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    ll_buf_fini(&file.text);
    return status;
}

/* What is there is ours, and is brought up to date. */
static linli_status
open_file(struct ll_place *place, struct ll_db *db, struct ll_gone_set *gone,
    struct ll_err *err)
{
    int at = place->at;
    uint32_t count;
    const struct ll_migration *steps = ll_migrations(&count);
    linli_status status = open_judged(place, at, db, err);
    if (status != LINLI_OK)
        return status;
    ll_db_leave_log(db, false);
    status = ll_db_exec(db, "PRAGMA journal_mode=WAL", err);
    if (status == LINLI_OK)
        status = ll_migrate(db, steps, count, err);
    if (status == LINLI_OK)
        status = take_gone(place, db, gone, err);
    if (status != LINLI_OK)
        ll_db_close(db);
    return status;
}

static linli_status
open_memory(struct ll_place *place, const struct ll_store_options *options,
    struct ll_db *db, struct ll_err *err)
{
    unsigned char unique[16];
    char hex[33];
    place->memory = true;
    ll_world_random(options->world, place->key, sizeof place->key);
    ll_world_random(options->world, unique, sizeof unique);
    ll_hex(unique, sizeof unique, hex);
    (void)snprintf(
        place->name, sizeof place->name, "file:/linli-%s?vfs=memdb", hex);
    linli_status status = ll_db_open(db, place->name, LL_DB_WRITER, err);
    if (status != LINLI_OK)
        return status;
    status = ll_db_exec(db, "PRAGMA journal_mode=MEMORY", err);
    if (status == LINLI_OK)
        status = fill(db, place->key, err);
    if (status != LINLI_OK)
        ll_db_close(db);
    return status;
}

static linli_status
open_disk(struct ll_place *place, const struct ll_store_options *options,
    struct ll_db *db, struct ll_gone_set *gone, struct ll_err *err)
{
    int at = options->dir_fd;
    place->at = at;
    int n = snprintf(
        place->name, sizeof place->name, "%s/%s", options->dir, LL_STORE_FILE);
    if (n < 0 || (size_t)n >= sizeof place->name - sizeof "-journal.new")
        return ll_fail(err, LINLI_E_LIMIT, "store/io", "its path is too long");
    linli_status status = ll_place_look(at, LL_STORE_FILE, err);
    if (status == LINLI_E_NOT_FOUND)
        status = make_new(place, options, err);
    else if (status == LINLI_OK)
        status = ll_place_read_key(at, LL_STORE_KEY_FILE, place->key, err);
    if (status == LINLI_OK)
        status = open_file(place, db, gone, err);
    if (status != LINLI_OK)
        return fail_at(err, options->dir, status);
    /* Whatever becomes of the working directory. */
    (void)snprintf(place->name, sizeof place->name, "%s",
        sqlite3_db_filename(db->handle, "main"));
    return LINLI_OK;
}

linli_status
ll_place_open(struct ll_place *place, const struct ll_store_options *options,
    struct ll_db *db, struct ll_gone_set *gone, struct ll_err *err)
{
    pthread_rwlockattr_t attr;
    *place = (struct ll_place){0};
    linli_status status = options->dir_fd < 0
                              ? open_memory(place, options, db, err)
                              : open_disk(place, options, db, gone, err);
    if (status != LINLI_OK) {
        OPENSSL_cleanse(place, sizeof *place);
        return status;
    }
    (void)pthread_rwlockattr_init(&attr);
    (void)pthread_rwlockattr_setkind_np(
        &attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&place->guard, &attr);
    (void)pthread_rwlockattr_destroy(&attr);
    return LINLI_OK;
}

void
ll_place_close(struct ll_place *place)
{
    (void)pthread_rwlock_destroy(&place->guard);
    OPENSSL_cleanse(place, sizeof *place);
}

/* -- transactions -- */

static void
unguard(struct ll_place *place)
{
    if (place->memory)
        (void)pthread_rwlock_unlock(&place->guard);
}

linli_status
ll_place_begin(
    struct ll_place *place, struct ll_db *db, bool write, struct ll_err *err)
{
    if (place->memory && write)
        (void)pthread_rwlock_wrlock(&place->guard);
    else if (place->memory)
        (void)pthread_rwlock_rdlock(&place->guard);
    linli_status status = ll_db_begin(db, write, err);
    if (status != LINLI_OK)
        unguard(place);
    return status;
}

linli_status
ll_place_commit(struct ll_place *place, struct ll_db *db, struct ll_err *err)
{
    linli_status status = ll_db_commit(db, err);
    if (status != LINLI_OK)
        ll_db_rollback(db);
    unguard(place);
    return status;
}

void
ll_place_rollback(struct ll_place *place, struct ll_db *db)
{
    ll_db_rollback(db);
    unguard(place);
}
