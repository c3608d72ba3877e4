/* world/datadir.c: making, opening and locking the data directory. */
#include "world/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "linlid.lock"

static linli_status
unusable(struct ll_err *err, const char *name, const char *what)
{
    linli_status status = ll_fail(
        err, LINLI_E_IO, "data/unusable", "%s: %s", what, strerror(errno));
    ll_err_where(err, "%s", name);
    return status;
}

linli_status
ll_datadir_open(struct ll_datadir *dir, const char *path, struct ll_err *err)
{
    *dir = LL_DATADIR_CLOSED;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return unusable(err, path, "cannot make the directory");
    dir->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir->dir_fd < 0)
        return unusable(err, path, "cannot open the directory");
    dir->lock_fd = openat(dir->dir_fd, LOCK_NAME,
        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    linli_status status = LINLI_OK;
    if (dir->lock_fd < 0) {
        status = unusable(err, path, "cannot write into the directory");
    } else if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        status = ll_fail(err, LINLI_E_CONFLICT, "data/locked",
            "another linlid holds %s", LOCK_NAME);
        ll_err_where(err, "%s", path);
    }
    if (status != LINLI_OK)
        ll_datadir_close(dir);
    return status;
}

void
ll_datadir_close(struct ll_datadir *dir)
{
    if (dir->lock_fd >= 0)
        (void)close(dir->lock_fd);
    if (dir->dir_fd >= 0)
        (void)close(dir->dir_fd);
    *dir = LL_DATADIR_CLOSED;
}
