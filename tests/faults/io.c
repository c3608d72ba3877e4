/* tests/faults/io.c: a disk that fails, to be preloaded into linlid.
 *
 * While the file that LINLI_FAULT names is there, it says in one line
 *
 *     OPERATION ERRNO SKIP TAIL [TIMES]
 *
 * what fails and how: `write`, `sync`, `read`, `open` or `create`; with which
 * error; after how many that still succeed; and on which files, those whose
 * path ends with linli.db and TAIL (`-wal`, `-shm`, or `.` for none; `*` for
 * all that begin so); and how many fail, all if it is absent. The first write
 * that fails has still written half of its bytes, as a disk does that is
 * filling up. `hold` is a `sync` that does not fail: it ends when the file
 * does. Everything else is as ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define NAME "linli.db"

struct fault {
    char operation[16], tail[16];
    int error;
    long skip, times;
};

static atomic_long passed; /* operations that met the fault */

/* What the file says now; false without it. By system calls alone: the
 * functions of the library may be ours. */
static bool
read_fault(struct fault *fault)
{
    char text[128];
    const char *path = getenv("LINLI_FAULT");
    int before = errno;
    if (path == NULL)
        return false;
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    long n = fd < 0 ? -1 : syscall(SYS_read, fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)syscall(SYS_close, fd);
    errno = before;
    if (n <= 0) {
        atomic_store(&passed, 0);
        return false;
    }
    text[n] = '\0';
    fault->times = LONG_MAX;
    return sscanf(text, "%15s %d %ld %15s %ld", fault->operation, &fault->error,
               &fault->skip, fault->tail, &fault->times) >= 4;
}

static bool
is_meant(const struct fault *fault, const char *path)
{
    const char *name = strrchr(path, '/');
    name = name == NULL ? path : name + 1;
    if (strncmp(name, NAME, strlen(NAME)) != 0)
        return false;
    name += strlen(NAME);
    if (strcmp(fault->tail, "*") == 0)
        return true;
    return strcmp(name, strcmp(fault->tail, ".") == 0 ? "" : fault->tail) == 0;
}

/* Whether this operation fails: 0, or with what. *first: no other has. */
static int
meets(const char *operation, const char *path, bool *first)
{
    struct fault fault;
    *first = false;
    if (!read_fault(&fault) || strcmp(fault.operation, operation) != 0 ||
        !is_meant(&fault, path))
        return 0;
    long before = atomic_fetch_add(&passed, 1);
    *first = before == fault.skip;
    bool fails = before >= fault.skip && before - fault.skip < fault.times;
    return fails ? fault.error : 0;
}

static int
meets_fd(const char *operation, int fd, bool *first)
{
    char link[64], path[4096];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    *first = false;
    if (n <= 0)
        return 0;
    path[n] = '\0';
    return meets(operation, path, first);
}

static ssize_t
fail(int error)
{
    errno = error;
    return -1;
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
    bool first;
    int error = meets_fd("write", fd, &first);
    if (error != 0 && (!first || n < 2))
        return fail(error);
    return (ssize_t)syscall(SYS_write, fd, bytes, first ? n / 2 : n);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    bool first;
    int error = meets_fd("write", fd, &first);
    if (error != 0 && (!first || n < 2))
        return fail(error);
    return (ssize_t)syscall(SYS_pwrite64, fd, bytes, first ? n / 2 : n, at);
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite64(fd, bytes, n, at);
}

ssize_t
pread64(int fd, void *bytes, size_t n, off64_t at)
{
    bool first;
    int error = meets_fd("read", fd, &first);
    if (error != 0)
        return fail(error);
    return (ssize_t)syscall(SYS_pread64, fd, bytes, n, at);
}

ssize_t
pread(int fd, void *bytes, size_t n, off_t at)
{
    return pread64(fd, bytes, n, at);
}

static int
meets_sync(int fd)
{
    bool first;
    while (meets_fd("hold", fd, &first) != 0)
        (void)usleep(1000);
    return meets_fd("sync", fd, &first);
}

int
fdatasync(int fd)
{
    int error = meets_sync(fd);
    return error != 0 ? (int)fail(error) : (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
    int error = meets_sync(fd);
    return error != 0 ? (int)fail(error) : (int)syscall(SYS_fsync, fd);
}

static int
open_at(int at, const char *path, int flags, mode_t mode)
{
    bool first;
    int error = meets("open", path, &first);
    if (error == 0 && (flags & O_CREAT) != 0)
        error = meets("create", path, &first);
    if (error != 0)
        return (int)fail(error);
    return (int)syscall(SYS_openat, at, path, flags, mode);
}

#define OPEN(name, args, at)                                                 \
    int name args                                                            \
    {                                                                        \
        va_list more;                                                        \
        va_start(more, flags);                                               \
        mode_t mode =                                                        \
            (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                        \
        return open_at(at, path, flags, mode);                               \
    }

OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), at)
OPEN(openat64, (int at, const char *path, int flags, ...), at)
