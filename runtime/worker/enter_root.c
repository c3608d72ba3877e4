/* worker/enter_root.c: the empty root, and where shared objects lie.
 * [worker]
 *
 * dlopen wants a path. With a mount namespace the path is in our own root,
 * which holds nothing else; without one it is /proc/self/fd/N of a sealed
 * memfd, closed again before the last filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "worker/enter.h"

#define PAGE_BYTES 4096
#define ROOT_SLACK_BYTES 65536 /* of the tmpfs itself */
#define ROOT_SLACK_INODES 8    /* "/", "/so" and to spare */

/* Above RLIMIT_NOFILE, so that they take no number dlopen needs. */
#define MEMFD_FIRST 32

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3 */
#endif

static bool
is_object(linli_str path)
{
    return path.len > 3 && memcmp(path.ptr + path.len - 3, ".so", 3) == 0;
}

linli_status
ll_enter_list_objects(struct ll_worker *worker, struct ll_err *err)
{
    struct ll_entry *entry = worker->entry;
    uint32_t n = 0;
    for (uint32_t i = 0; i < worker->file_count; i++)
        n += is_object(worker->files[i].path);
    if (!worker->config.native || n == 0)
        return LINLI_OK;
    entry->objects = ll_arena_alloc(&worker->arena, n * sizeof *entry->objects);
    if (entry->objects == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the objects");
    for (uint32_t i = 0; i < worker->file_count; i++) {
        const struct ll_worker_file *file = &worker->files[i];
        if (!is_object(file->path))
            continue;
        struct ll_placed_object *object =
            &entry->objects[entry->object_count++];
        object->path = file->path;
        object->fd = -1;
        entry->object_bytes += file->bytes.len + PAGE_BYTES - 1;
        entry->object_bytes -= entry->object_bytes % PAGE_BYTES;
    }
    return LINLI_OK;
}

static bool
write_all(int fd, linli_str bytes)
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

static bool
place_in_root(struct ll_worker *worker, uint32_t i)
{
    struct ll_placed_object *object = &worker->entry->objects[i];
    (void)snprintf(object->place, sizeof object->place, "/so/%u.so", i);
    int fd = open(object->place, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, ll_worker_file(worker, object->path)->bytes);
    return close(fd) == 0 && ok;
}

/* /proc exists as a mount point: the host wrote our uid map through it. The
 * old root ends up mounted over the new one and is let go with all below. */
static bool
change_root(unsigned long flags, const char *options)
{
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/proc", "tmpfs", flags, options) == 0 &&
           chdir("/proc") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
           umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
}

linli_status
ll_enter_private_root(struct ll_worker *worker, struct ll_err *err)
{
    const struct ll_entry *entry = worker->entry;
    unsigned long flags = MS_NOSUID | MS_NODEV;
    char options[96];
    if (entry->object_count == 0)
        flags |= MS_NOEXEC;
    (void)snprintf(options, sizeof options, "mode=0700,size=%zu,nr_inodes=%u",
        entry->object_bytes + ROOT_SLACK_BYTES,
        entry->object_count + ROOT_SLACK_INODES);
    if (!change_root(flags, options))
        return ll_enter_refuse(err, "private root");
    if (entry->object_count > 0 && mkdir("/so", 0700) != 0)
        return ll_enter_refuse(err, "private root: /so");
    for (uint32_t i = 0; i < entry->object_count; i++)
        if (!place_in_root(worker, i))
            return ll_enter_refuse(err, "private root: shared object");
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | flags, options) != 0)
        return ll_enter_refuse(err, "private root: read-only");
    return LINLI_OK;
}

int
ll_enter_memfd(const char *name)
{
    int fd =
        memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd;
}

static bool
place_in_memfd(struct ll_worker *worker, struct ll_placed_object *object)
{
    int fd = ll_enter_memfd("object");
    if (fd < 0)
        return false;
    bool ok =
        write_all(fd, ll_worker_file(worker, object->path)->bytes) &&
        fcntl(fd, F_ADD_SEALS,
            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
    if (ok)
        object->fd = fcntl(fd, F_DUPFD_CLOEXEC, MEMFD_FIRST);
    (void)close(fd);
    (void)snprintf(
        object->place, sizeof object->place, "/proc/self/fd/%d", object->fd);
    return object->fd >= 0;
}

linli_status
ll_enter_memfds(struct ll_worker *worker, struct ll_err *err)
{
    for (uint32_t i = 0; i < worker->entry->object_count; i++)
        if (!place_in_memfd(worker, &worker->entry->objects[i]))
            return ll_enter_refuse(err, "memfd of a shared object");
    return LINLI_OK;
}

void
ll_enter_close_memfds(struct ll_worker *worker)
{
    for (uint32_t i = 0; i < worker->entry->object_count; i++) {
        struct ll_placed_object *object = &worker->entry->objects[i];
        if (object->fd >= 0)
            (void)close(object->fd);
        object->fd = -1;
    }
}

const char *
ll_worker_object_path(const struct ll_worker *worker, linli_str path)
{
    for (uint32_t i = 0; i < worker->entry->object_count; i++)
        if (ll_str_eq(worker->entry->objects[i].path, path))
            return worker->entry->objects[i].place;
    return NULL;
}
