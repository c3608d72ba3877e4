/* world/file.c: files and folders by POSIX, sealed memory by Linux. [any] */
#include "world/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* A name with ".new" after it. */
#define NAME_BYTES_MAX 4096

_Static_assert(LL_AT_CWD == AT_FDCWD, "world/file.h spells it out");

static linli_status
fail_errno(struct ll_err *err, const char *what, const char *name)
{
    int cause = errno;
    linli_status status = cause == ENOENT || cause == ENOTDIR
                              ? LINLI_E_NOT_FOUND
                          : cause == ELOOP ? LINLI_E_INVALID
                                           : LINLI_E_IO;
    (void)ll_fail(err, status, "cli/file", "%s: %s", what, strerror(cause));
    ll_err_where(err, "%s", name);
    return status;
}

static linli_status
fail_kind(struct ll_err *err, const char *what, const char *name)
{
    linli_status status = ll_fail(err, LINLI_E_INVALID, "cli/file", "%s", what);
    ll_err_where(err, "%s", name);
    return status;
}

static linli_status
fail_size(struct ll_err *err, const char *name, size_t bytes_max)
{
    linli_status status = ll_fail(
        err, LINLI_E_LIMIT, "cli/file", "more than %zu bytes", bytes_max);
    ll_err_where(err, "%s", name);
    return status;
}

void
ll_file_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

bool
ll_path_absolute(const char *name, char *out, size_t size)
{
    size_t n = 0;
    if (name[0] != '/') {
        if (getcwd(out, size) == NULL)
            return false;
        n = strlen(out);
        if (n > 0 && out[n - 1] != '/' && n + 1 < size)
            out[n++] = '/';
    }
    size_t len = strlen(name);
    if (n + len >= size)
        return false;
    memcpy(out + n, name, len + 1);
    return true;
}

/* -- reading -- */

/* Reads to the end, which may have moved since the file was looked at. */
static linli_status
read_rest(int fd, const char *name, size_t bytes_max, struct ll_buf *out,
    struct ll_err *err)
{
    size_t start = out->len;
    for (;;) {
        size_t have = out->len - start;
        size_t want = bytes_max - have < 65536 ? bytes_max - have + 1 : 65536;
        if (!ll_buf_room(out, want))
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
                "no memory for the file %s", name);
        ssize_t n = read(fd, out->ptr + out->len, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "cannot be read", name);
        if (n == 0)
            return LINLI_OK;
        out->len += (size_t)n;
        if (out->len - start > bytes_max)
            return fail_size(err, name, bytes_max);
    }
}

linli_status
ll_file_read(int at, const char *name, size_t bytes_max, struct ll_buf *out,
    struct ll_err *err)
{
    struct stat st;
    linli_status status;
    /* Not blocking: the name may be a pipe that nobody writes to. */
    int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(err, "cannot be opened", name);
    if (fstat(fd, &st) != 0)
        status = fail_errno(err, "cannot be looked at", name);
    else if (!S_ISREG(st.st_mode))
        status = fail_kind(err, "not a regular file", name);
    else if ((uint64_t)st.st_size > bytes_max)
        status = fail_size(err, name, bytes_max);
    else
        status = read_rest(fd, name, bytes_max, out, err);
    ll_file_close(&fd);
    return status;
}

/* -- writing -- */

static bool
write_bytes(int fd, linli_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
    return true;
}

/* The folder of `name`, so that the new entry in it lasts too. */
static bool
sync_folder(int at, const char *name)
{
    char folder[NAME_BYTES_MAX];
    const char *slash = strrchr(name, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - name);
    if (slash == name)
        n = 1;
    memcpy(folder, slash == NULL ? "." : name, slash == NULL ? 1 : n);
    folder[slash == NULL ? 1 : n] = '\0';
    int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    ll_file_close(&fd);
    return ok;
}

/* Written aside and renamed; `lasts`: also if the machine stops. */
static linli_status
replace(int at, const char *name, linli_str bytes, unsigned mode, bool lasts,
    struct ll_err *err)
{
    char aside[NAME_BYTES_MAX];
    int n = snprintf(aside, sizeof aside, "%s.new", name);
    if (n < 0 || (size_t)n >= sizeof aside)
        return fail_kind(err, "the name is too long", name);
    /* What a crash left here is nobody's. */
    (void)unlinkat(at, aside, 0);
    int fd = openat(
        at, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail_errno(err, "cannot be made", aside);
    bool ok = write_bytes(fd, bytes) && fchmod(fd, mode) == 0 &&
              (!lasts || fsync(fd) == 0);
    ok = ok && renameat(at, aside, at, name) == 0;
    linli_status status =
        ok ? LINLI_OK : fail_errno(err, "cannot be written", name);
    ll_file_close(&fd);
    if (!ok)
        (void)unlinkat(at, aside, 0);
    else if (lasts && !sync_folder(at, name))
        status = fail_errno(err, "cannot be synced", name);
    return status;
}

linli_status
ll_file_write(int at, const char *name, linli_str bytes, unsigned mode,
    struct ll_err *err)
{
    return replace(at, name, bytes, mode, true, err);
}

linli_status
ll_file_put(int at, const char *name, linli_str bytes, unsigned mode,
    struct ll_err *err)
{
    return replace(at, name, bytes, mode, false, err);
}

linli_status
ll_file_append(int at, const char *name, linli_str bytes, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    int fd = openat(at, name, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return fail_errno(err, "cannot be opened", name);
    if (!write_bytes(fd, bytes))
        status = fail_errno(err, "cannot be written", name);
    else if (fdatasync(fd) != 0)
        status = fail_errno(err, "cannot be synced", name);
    ll_file_close(&fd);
    return status;
}

linli_status
ll_file_cut(int at, const char *name, int64_t bytes, struct ll_err *err)
{
    struct stat st;
    linli_status status = LINLI_OK;
    int fd = openat(at, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(err, "cannot be opened", name);
    if (fstat(fd, &st) != 0)
        status = fail_errno(err, "cannot be looked at", name);
    else if (!S_ISREG(st.st_mode))
        status = fail_kind(err, "not a regular file", name);
    else if (st.st_size < bytes)
        status = fail_kind(err, "shorter than it was", name);
    else if (st.st_size > bytes &&
             (ftruncate(fd, bytes) != 0 || fdatasync(fd) != 0))
        status = fail_errno(err, "cannot be cut", name);
    ll_file_close(&fd);
    return status;
}

/* -- one step at a time, for files that others write -- */

linli_status
ll_file_head(int at, const char *name, unsigned char out[LL_FILE_HEAD_BYTES],
    int64_t *size, struct ll_err *err)
{
    struct stat st;
    linli_status status = LINLI_OK;
    memset(out, 0, LL_FILE_HEAD_BYTES);
    *size = 0;
    int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(err, "cannot be opened", name);
    if (fstat(fd, &st) != 0)
        status = fail_errno(err, "cannot be looked at", name);
    else if (!S_ISREG(st.st_mode))
        status = fail_kind(err, "not a regular file", name);
    else if (pread(fd, out, LL_FILE_HEAD_BYTES, 0) < 0)
        status = fail_errno(err, "cannot be read", name);
    else
        *size = st.st_size;
    ll_file_close(&fd);
    return status;
}

static linli_status
fail_there(struct ll_err *err, const char *name)
{
    linli_status status =
        ll_fail(err, LINLI_E_CONFLICT, "cli/file", "is there already");
    ll_err_where(err, "%s", name);
    return status;
}

linli_status
ll_file_make(int at, const char *name, unsigned mode, struct ll_err *err)
{
    int fd = openat(
        at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return fail_there(err, name);
    if (fd < 0)
        return fail_errno(err, "cannot be made", name);
    linli_status status = LINLI_OK;
    if (fchmod(fd, mode) != 0)
        status = fail_errno(err, "cannot be given its mode", name);
    ll_file_close(&fd);
    if (status != LINLI_OK)
        (void)unlinkat(at, name, 0);
    return status;
}

linli_status
ll_file_sync(int at, const char *name, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    int fd = openat(at, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return fail_errno(err, "cannot be opened", name);
    if (fsync(fd) != 0)
        status = fail_errno(err, "cannot be synced", name);
    ll_file_close(&fd);
    return status;
}

bool
ll_file_there(int at, const char *name)
{
    return faccessat(at, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

linli_status
ll_file_rename(int at, const char *from, const char *to, struct ll_err *err)
{
    int bad = renameat2(at, from, at, to, RENAME_NOREPLACE);
    if (bad != 0 && errno == EINVAL) { /* a file system without */
        if (ll_file_there(at, to))
            return fail_there(err, to);
        bad = renameat(at, from, at, to);
    }
    if (bad != 0 && errno == EEXIST)
        return fail_there(err, to);
    if (bad != 0)
        return fail_errno(err, "cannot be made", to);
    if (sync_folder(at, to))
        return LINLI_OK;
    linli_status status = fail_errno(err, "cannot be synced", to);
    (void)renameat(at, to, at, from);
    return status;
}

void
ll_file_remove(int at, const char *name)
{
    (void)unlinkat(at, name, 0);
}

static linli_status
copy_bytes(int from, int to, const char *name, struct ll_err *err)
{
    char bytes[65536];
    for (;;) {
        ssize_t n = read(from, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "cannot be read", name);
        if (n == 0)
            return LINLI_OK;
        if (!write_bytes(to, (linli_str){bytes, (size_t)n}))
            return fail_errno(err, "cannot be copied", name);
    }
}

linli_status
ll_file_copy(
    const char *from, int at, const char *to, unsigned mode, struct ll_err *err)
{
    struct stat st;
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in < 0)
        return fail_errno(err, "cannot be opened", from);
    linli_status status = LINLI_OK;
    int out = -1;
    if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode))
        status = fail_kind(err, "not a regular file", from);
    else
        status = ll_file_make(at, to, mode, err);
    if (status != LINLI_OK)
        goto out;
    out = openat(at, to, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (out < 0)
        status = fail_errno(err, "cannot be opened", to);
    else
        status = copy_bytes(in, out, from, err);
    if (status == LINLI_OK && fsync(out) != 0)
        status = fail_errno(err, "cannot be synced", to);
    if (status != LINLI_OK)
        (void)unlinkat(at, to, 0);
out:
    ll_file_close(&in);
    ll_file_close(&out);
    return status;
}

/* -- folders -- */

linli_status
ll_folder_make(int at, const char *name, struct ll_err *err)
{
    if (mkdirat(at, name, 0700) != 0 && errno != EEXIST)
        return fail_errno(err, "cannot be made", name);
    return LINLI_OK;
}

linli_status
ll_folder_open(
    int at, const char *name, bool follow, int *fd, struct ll_err *err)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    *fd = openat(at, name, follow ? flags : flags | O_NOFOLLOW);
    if (*fd >= 0)
        return LINLI_OK;
    if (errno == ENOTDIR && faccessat(at, name, F_OK, 0) == 0)
        return fail_kind(err, "not a folder", name);
    return fail_errno(err, "cannot be opened", name);
}

static enum ll_file_kind
kind_of(int fd, const char *name)
{
    struct stat st;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return LL_FILE_OTHER;
    return S_ISREG(st.st_mode)   ? LL_FILE_REGULAR
           : S_ISDIR(st.st_mode) ? LL_FILE_FOLDER
                                 : LL_FILE_OTHER;
}

static int
entry_cmp(const void *a, const void *b)
{
    const struct ll_file_entry *x = a, *y = b;
    return ll_str_cmp(x->name, y->name);
}

/* The next entry but "." and ".."; NULL at the end, or with errno set. */
static const char *
next_name(DIR *dir)
{
    const struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(dir);
    } while (entry != NULL && (strcmp(entry->d_name, ".") == 0 ||
                                  strcmp(entry->d_name, "..") == 0));
    return entry == NULL ? NULL : entry->d_name;
}

static linli_status
too_many(uint32_t entries_max, struct ll_err *err)
{
    return ll_fail(err, LINLI_E_LIMIT, "cli/file",
        "more than %u files in a folder", entries_max);
}

static linli_status
read_entries(DIR *dir, uint32_t entries_max, struct ll_arena *arena,
    struct ll_file_list *out, struct ll_err *err)
{
    const char *name;
    uint32_t room = 0;
    while (next_name(dir) != NULL)
        if (room++ == entries_max)
            return too_many(entries_max, err);
    rewinddir(dir);
    out->entries = ll_arena_alloc(arena, (room + 1) * sizeof *out->entries);
    if (out->entries == NULL)
        goto no_memory;
    while ((name = next_name(dir)) != NULL) {
        if (out->count == room) /* it grew meanwhile */
            return too_many(room, err);
        struct ll_file_entry *e = &out->entries[out->count++];
        e->name = ll_arena_str(arena, ll_cstr(name));
        e->kind = kind_of(dirfd(dir), name);
        if (e->name.ptr == NULL)
            goto no_memory;
    }
    return errno == 0 ? LINLI_OK : fail_errno(err, "cannot be listed", "");
no_memory:
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
        "no memory for the names in a folder");
}

linli_status
ll_folder_list(int fd, uint32_t entries_max, struct ll_arena *arena,
    struct ll_file_list *out, struct ll_err *err)
{
    *out = (struct ll_file_list){NULL, 0};
    /* closedir closes what it was given, and the caller keeps his. */
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own < 0 ? NULL : fdopendir(own);
    if (dir == NULL) {
        linli_status status = fail_errno(err, "cannot be listed", "");
        ll_file_close(&own);
        return status;
    }
    linli_status status = read_entries(dir, entries_max, arena, out, err);
    (void)closedir(dir);
    if (status == LINLI_OK && out->count > 1)
        qsort(out->entries, out->count, sizeof *out->entries, entry_cmp);
    if (status != LINLI_OK)
        *out = (struct ll_file_list){NULL, 0};
    return status;
}

/* -- sealed memory -- */

linli_status
ll_memory_sealed(const char *name, linli_str bytes, int *fd, struct ll_err *err)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int made = memfd_create(name, flags | MFD_NOEXEC_SEAL);
    if (made < 0 && errno == EINVAL)
        made = memfd_create(name, flags);
    *fd = -1;
    if (made < 0)
        return fail_errno(err, "no memory file can be made", name);
    if (!write_bytes(made, bytes) ||
        fcntl(made, F_ADD_SEALS,
            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        linli_status status = fail_errno(err, "cannot be sealed", name);
        ll_file_close(&made);
        return status;
    }
    *fd = made;
    return LINLI_OK;
}
