/* tests/unit/store_shim.h: a file system for SQLite that fails on purpose,
 * and one that forgets what was not synced. Over the one that SQLite has;
 * registered as the default, so that the store need not know. */
#ifndef STORE_SHIM_H
#define STORE_SHIM_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum shim_op { SHIM_READ, SHIM_WRITE, SHIM_SYNC, SHIM_TRUNCATE, SHIM_OPS };

static struct {
    atomic_int counts[SHIM_OPS];  /* since armed */
    atomic_int fail_at[SHIM_OPS]; /* 0: never; from there on, if `sticky` */
    atomic_int code;              /* what it fails with */
    atomic_bool sticky;
    atomic_bool keep_synced; /* NAME.synced: what a power cut would leave */
    atomic_int failed;       /* how many did */
    atomic_int sync_us;      /* of a database, not its log: at least so long */
    atomic_int log_us;       /* of a log */
} shim;

static sqlite3_vfs shim_vfs, *shim_real_vfs;

struct shim_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this */
    char name[512];     /* empty: a temporary file */
};

/* Whether this operation is to fail. */
static int
shim_fails(enum shim_op op)
{
    int n = atomic_fetch_add(&shim.counts[op], 1) + 1;
    int at = atomic_load(&shim.fail_at[op]);
    if (at == 0 || n < at || (n > at && !atomic_load(&shim.sticky)))
        return 0;
    (void)atomic_fetch_add(&shim.failed, 1);
    return 1;
}

static void
shim_disarm(void)
{
    for (int i = 0; i < SHIM_OPS; i++) {
        atomic_store(&shim.fail_at[i], 0);
        atomic_store(&shim.counts[i], 0);
    }
    atomic_store(&shim.failed, 0);
}

static inline void
shim_arm(enum shim_op op, int at, int code, int sticky)
{
    shim_disarm();
    atomic_store(&shim.code, code);
    atomic_store(&shim.sticky, sticky != 0);
    atomic_store(&shim.fail_at[op], at);
}

static struct shim_file *
shim_of(sqlite3_file *file)
{
    return (struct shim_file *)(void *)file;
}

/* The file's bytes as they are, under another name, all or nothing. */
static void
shim_keep(const char *name)
{
    char synced[600], aside[600], bytes[65536];
    snprintf(synced, sizeof synced, "%s.synced", name);
    snprintf(aside, sizeof aside, "%s.syncing", name);
    FILE *in = fopen(name, "rbe"), *out = fopen(aside, "wbe");
    for (size_t n; in != NULL && out != NULL &&
                   (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        (void)!fwrite(bytes, 1, n, out);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        fclose(out);
    (void)rename(aside, synced);
}

static int
shim_close(sqlite3_file *file)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods == NULL ? SQLITE_OK : real->pMethods->xClose(real);
}

static int
shim_read(sqlite3_file *file, void *out, int n, sqlite3_int64 at)
{
    sqlite3_file *real = shim_of(file)->real;
    if (shim_fails(SHIM_READ))
        return SQLITE_IOERR_READ;
    return real->pMethods->xRead(real, out, n, at);
}

static int
shim_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    sqlite3_file *real = shim_of(file)->real;
    if (!shim_fails(SHIM_WRITE))
        return real->pMethods->xWrite(real, bytes, n, at);
    /* A full disk takes a part. */
    (void)real->pMethods->xWrite(real, bytes, n / 2, at);
    return atomic_load(&shim.code);
}

static int
shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = shim_of(file)->real;
    if (shim_fails(SHIM_TRUNCATE))
        return SQLITE_IOERR_TRUNCATE;
    return real->pMethods->xTruncate(real, size);
}

static int
shim_sync(sqlite3_file *file, int flags)
{
    sqlite3_file *real = shim_of(file)->real;
    bool log = strstr(shim_of(file)->name, "-wal") != NULL;
    int least_us = atomic_load(log ? &shim.log_us : &shim.sync_us);
    if (least_us > 0)
        usleep((useconds_t)least_us);
    if (shim_fails(SHIM_SYNC))
        return SQLITE_IOERR_FSYNC;
    int code = real->pMethods->xSync(real, flags);
    if (code == SQLITE_OK && atomic_load(&shim.keep_synced) &&
        shim_of(file)->name[0] != '\0')
        shim_keep(shim_of(file)->name);
    return code;
}

static int
shim_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xFileSize(real, size);
}

static int
shim_lock(sqlite3_file *file, int lock)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xLock(real, lock);
}

static int
shim_unlock(sqlite3_file *file, int lock)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xUnlock(real, lock);
}

static int
shim_reserved(sqlite3_file *file, int *reserved)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xCheckReservedLock(real, reserved);
}

static int
shim_control(sqlite3_file *file, int op, void *arg)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xFileControl(real, op, arg);
}

static int
shim_sector(sqlite3_file *file)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xSectorSize(real);
}

static int
shim_traits(sqlite3_file *file)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

static int
shim_shm_map(
    sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xShmMap(real, page, size, extend, out);
}

static int
shim_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xShmLock(real, offset, n, flags);
}

static void
shim_shm_barrier(sqlite3_file *file)
{
    sqlite3_file *real = shim_of(file)->real;
    real->pMethods->xShmBarrier(real);
}

static int
shim_shm_unmap(sqlite3_file *file, int remove)
{
    sqlite3_file *real = shim_of(file)->real;
    return real->pMethods->xShmUnmap(real, remove);
}

static const sqlite3_io_methods shim_methods = {.iVersion = 2,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_reserved,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_traits,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap};

static int
shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
    int *out_flags)
{
    struct shim_file *f = shim_of(file);
    (void)vfs;
    f->real = (sqlite3_file *)(void *)(f + 1);
    f->real->pMethods = NULL;
    snprintf(f->name, sizeof f->name, "%s", name == NULL ? "" : name);
    int code =
        shim_real_vfs->xOpen(shim_real_vfs, name, f->real, flags, out_flags);
    f->base.pMethods = code == SQLITE_OK ? &shim_methods : NULL;
    return code;
}

/* From now on every database that is opened goes through it. */
static void
shim_install(void)
{
    shim_real_vfs = sqlite3_vfs_find(NULL);
    shim_vfs = *shim_real_vfs;
    shim_vfs.pNext = NULL;
    shim_vfs.zName = "shim";
    shim_vfs.szOsFile = (int)sizeof(struct shim_file) + shim_real_vfs->szOsFile;
    shim_vfs.xOpen = shim_open;
    (void)sqlite3_vfs_register(&shim_vfs, 1);
}

#endif
