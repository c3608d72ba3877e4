/* store/wal_file.c: a VFS that is the system's but for the log's writes; and
 * a log that is overwritten.
 *
 * The format of the log is https://www.sqlite.org/fileformat2.html#walformat.
 */
#include "store/wal_file.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "base/defs.h"
#include "base/limits.h"

#define VFS_NAME "linli-wal"
#define HEADER_BYTES 32
#define FRAME_BYTES (24 + 4096)

/* SQLite's own file on Unix writes the low 17 bits of a length. */
_Static_assert(LL_STORE_WAL_GATHER_BYTES < 1 << 17, "what one xWrite takes");

/* What SQLite sees; the system's file follows it in memory. `bytes` are
 * those of [at, at + len) that the system does not have yet. */
struct wal_file {
    sqlite3_file base;
    char *bytes;
    sqlite3_int64 at;
    int len;
    bool spared; /* it is not cut to nothing: its header is overwritten */
};

static sqlite3_file *
real(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((struct wal_file *)(void *)file + 1);
}

/* -- the file -- */

/* Gathered bytes that could not be written are kept: SQLite fails the commit
 * and rolls it back, which writes nothing, or tries again. */
static int
flush(sqlite3_file *file)
{
    struct wal_file *f = (struct wal_file *)(void *)file;
    if (f->len == 0)
        return SQLITE_OK;
    int code =
        real(file)->pMethods->xWrite(real(file), f->bytes, f->len, f->at);
    if (code == SQLITE_OK)
        f->len = 0;
    return code;
}

/* Ready to gather n more bytes at `at`: false if they must go their own way,
 * what was gathered before them. */
static bool
has_room(struct wal_file *f, int n, sqlite3_int64 at)
{
    if (f->len == 0) {
        f->at = at;
        if (f->bytes == NULL)
            f->bytes = sqlite3_malloc(LL_STORE_WAL_GATHER_BYTES);
    }
    return f->bytes != NULL && at == f->at + f->len &&
           n <= LL_STORE_WAL_GATHER_BYTES - f->len;
}

static int
wal_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    struct wal_file *f = (struct wal_file *)(void *)file;
    if (!has_room(f, n, at)) {
        int code = flush(file);
        if (code != SQLITE_OK)
            return code;
        if (!has_room(f, n, at))
            return real(file)->pMethods->xWrite(real(file), bytes, n, at);
    }
    memcpy(f->bytes + f->len, bytes, (size_t)n);
    f->len += n;
    return SQLITE_OK;
}

static int
wal_sync(sqlite3_file *file, int flags)
{
    int code = flush(file);
    if (code != SQLITE_OK)
        return code;
    return real(file)->pMethods->xSync(real(file), flags);
}

static int
wal_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
    struct wal_file *f = (struct wal_file *)(void *)file;
    int code = at + n > f->at ? flush(file) : SQLITE_OK;
    if (code != SQLITE_OK)
        return code;
    return real(file)->pMethods->xRead(real(file), bytes, n, at);
}

/* Without its header the log is empty, whatever follows. It must be gone from
 * the disk before anything else of the log is: with it, a start of the log
 * would be put over what is newer in the database. */
static int
wipe_header(sqlite3_file *log)
{
    static const char zeros[HEADER_BYTES];
    sqlite3_int64 size;
    int code = log->pMethods->xFileSize(log, &size);
    if (code == SQLITE_OK && size > 0)
        code = log->pMethods->xWrite(log, zeros, sizeof zeros, 0);
    if (code == SQLITE_OK && size > 0)
        code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    return code;
}

static int
wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = flush(file);
    if (code != SQLITE_OK)
        return code;
    if (size == 0 && ((struct wal_file *)(void *)file)->spared)
        return wipe_header(real(file));
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int
wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int code = flush(file);
    if (code != SQLITE_OK)
        return code;
    return real(file)->pMethods->xFileSize(real(file), size);
}

/* What no sync has asked for was promised to nobody. */
static int
wal_close(sqlite3_file *file)
{
    sqlite3_free(((struct wal_file *)(void *)file)->bytes);
    return real(file)->pMethods->xClose(real(file));
}

static int
wal_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int
wal_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int
wal_check_lock(sqlite3_file *file, int *locked)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), locked);
}

static int
wal_control(sqlite3_file *file, int op, void *arg)
{
    return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int
wal_sector(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int
wal_device(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, /* a log has no shared memory and is not mapped */
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_check_lock,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector,
    .xDeviceCharacteristics = wal_device,
};

/* -- the VFS -- */

static sqlite3_vfs *system_vfs, wal_vfs;
static pthread_once_t wal_once = PTHREAD_ONCE_INIT;

static int
open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
    int *flags_out)
{
    LL_UNUSED(vfs);
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return system_vfs->xOpen(system_vfs, name, file, flags, flags_out);
    struct wal_file *f = (struct wal_file *)(void *)file;
    *f = (struct wal_file){0};
    int code =
        system_vfs->xOpen(system_vfs, name, real(file), flags, flags_out);
    if (code == SQLITE_OK)
        f->base.pMethods = &methods;
    return code;
}

/* The system's default in all but one function. A name that nobody else
 * asks for changes nothing for an embedder who uses SQLite too. */
static void
register_vfs(void)
{
    system_vfs = sqlite3_vfs_find(NULL);
    if (system_vfs == NULL)
        return;
    wal_vfs = *system_vfs;
    wal_vfs.pNext = NULL;
    wal_vfs.zName = VFS_NAME;
    wal_vfs.szOsFile = (int)sizeof(struct wal_file) + system_vfs->szOsFile;
    wal_vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&wal_vfs, 0) != SQLITE_OK)
        wal_vfs.zName = NULL;
}

const char *
ll_wal_vfs(void)
{
    (void)pthread_once(&wal_once, register_vfs);
    return wal_vfs.zName;
}

/* -- overwriting -- */

int64_t
ll_wal_bytes(uint32_t frames)
{
    return HEADER_BYTES + (int64_t)frames * FRAME_BYTES;
}

static int
write_zeros(sqlite3_file *log, int64_t at, int64_t end)
{
    static const char zeros[64 << 10];
    int code = SQLITE_OK;
    while (code == SQLITE_OK && at < end) {
        int64_t n = end - at;
        if (n > (int64_t)sizeof zeros)
            n = sizeof zeros;
        code = log->pMethods->xWrite(log, zeros, (int)n, at);
        at += n;
    }
    return code;
}

static int
wipe_piece(sqlite3_file *log, int64_t size, int64_t *at)
{
    int64_t kept = ll_wal_bytes(LL_STORE_WAL_FRAMES_KEPT);
    int64_t end = *at + LL_STORE_WAL_WIPE_BYTES;
    int code = SQLITE_OK;
    if (size > kept) {
        code = log->pMethods->xTruncate(log, kept);
        size = kept;
    }
    if (end > size)
        end = size;
    if (code == SQLITE_OK)
        code = write_zeros(log, *at, end);
    *at = end < size ? end : INT64_MAX;
    return code;
}

/* The log as its connection has it open; NULL if it has not. */
static sqlite3_file *
log_of(sqlite3 *db)
{
    sqlite3_file *log = NULL;
    int code =
        sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    return code == SQLITE_OK && log != NULL && log->pMethods == &methods ? log
                                                                         : NULL;
}

bool
ll_wal_spare(sqlite3 *db, bool spared)
{
    sqlite3_file *log = log_of(db);
    if (log == NULL)
        return false;
    ((struct wal_file *)(void *)log)->spared = spared;
    return true;
}

int
ll_wal_wipe(sqlite3 *db, int64_t *at)
{
    sqlite3_file *log = log_of(db);
    sqlite3_int64 size = 0;
    int code = SQLITE_OK;
    if (log != NULL)
        code = wal_size(log, &size);
    if (code == SQLITE_OK && size <= *at) {
        *at = INT64_MAX;
        return SQLITE_OK;
    }
    if (code == SQLITE_OK)
        code = wipe_piece(real(log), size, at);
    if (code == SQLITE_OK)
        code = wal_sync(log, SQLITE_SYNC_NORMAL);
    return code;
}
