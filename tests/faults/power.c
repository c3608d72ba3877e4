/* tests/faults/power.c: what a power cut leaves, to be preloaded into linlid.
 *
 * kill -9 loses nothing of what the system was given. This keeps, in the file
 * that LINLI_POWER names, every write to linli.db and linli.db-wal and every
 * sync, so that tests/faults/power.py can make the files as they would be if
 * only what was synced had reached the disk, and any part of the rest.
 *
 * A record is five little-endian integers and the bytes:
 *
 *     u64 number  u32 kind  u32 file  u64 at  u64 length
 *
 * kind 0: bytes at `at`; 1: the file is cut to `at`; 2: what has a number up
 * to `at` is on disk. file 0: linli.db; 1: its log. A write is noted when it
 * has been done, a sync by the last number before it began: never more is
 * taken for synced than was.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE, CUT, SYNC };

struct record {
    uint64_t number;
    uint32_t kind, file;
    uint64_t at, length;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last;
static int out = -1;

/* Which of the two files, or -1. */
static int
file_of(int fd)
{
    char link[64], path[4096];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (n <= 0)
        return -1;
    path[n] = '\0';
    const char *name = strrchr(path, '/');
    if (name == NULL)
        return -1;
    return strcmp(name, "/linli.db") == 0       ? 0
           : strcmp(name, "/linli.db-wal") == 0 ? 1
                                                : -1;
}

static void
keep(int file, uint32_t kind, uint64_t at, const void *bytes, size_t length)
{
    const char *path = getenv("LINLI_POWER");
    if (path == NULL || file < 0)
        return;
    (void)pthread_mutex_lock(&mutex);
    struct record record = {.number = ++last,
        .kind = kind,
        .file = (uint32_t)file,
        .at = at,
        .length = length};
    struct iovec parts[] = {
        {&record, sizeof record}, {(void *)(uintptr_t)bytes, length}};
    if (out < 0)
        out = (int)syscall(SYS_openat, AT_FDCWD, path,
            O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    long n = syscall(SYS_writev, out, parts, length > 0 ? 2 : 1);
    if (n != (long)(sizeof record + length))
        abort(); /* a record that is lost would be a lie */
    (void)pthread_mutex_unlock(&mutex);
}

static uint64_t
last_number(void)
{
    (void)pthread_mutex_lock(&mutex);
    uint64_t number = last;
    (void)pthread_mutex_unlock(&mutex);
    return number;
}

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    ssize_t done = (ssize_t)syscall(SYS_pwrite64, fd, bytes, n, at);
    if (done > 0)
        keep(file_of(fd), WRITE, (uint64_t)at, bytes, (size_t)done);
    return done;
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite64(fd, bytes, n, at);
}

int
ftruncate64(int fd, off64_t length)
{
    int failed = (int)syscall(SYS_ftruncate, fd, length);
    if (failed == 0)
        keep(file_of(fd), CUT, (uint64_t)length, NULL, 0);
    return failed;
}

int
ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

static int
sync_by(long number, int fd)
{
    uint64_t before = last_number();
    int failed = (int)syscall(number, fd);
    if (failed == 0)
        keep(file_of(fd), SYNC, before, NULL, 0);
    return failed;
}

int
fdatasync(int fd)
{
    return sync_by(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
    return sync_by(SYS_fsync, fd);
}
