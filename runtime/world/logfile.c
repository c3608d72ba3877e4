/* world/logfile.c: appending lines to a file. */
#include "world/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct ll_logfile {
    struct ll_mem *mem;
    int fd;
};

linli_status
ll_logfile_open(struct ll_mem *mem, const char *path, struct ll_logfile **out,
    struct ll_err *err)
{
    *out = NULL;
    int fd = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        linli_status status = ll_fail(err, LINLI_E_IO, "data/unusable",
            "cannot append: %s", strerror(errno));
        ll_err_where(err, "%s", path);
        return status;
    }
    struct ll_logfile *file = ll_alloc(mem, sizeof *file);
    if (file == NULL) {
        (void)close(fd);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the log");
    }
    *file = (struct ll_logfile){.mem = mem, .fd = fd};
    *out = file;
    return LINLI_OK;
}

void
ll_logfile_write(struct ll_logfile *file, linli_str lines)
{
    ssize_t n = write(file->fd, lines.ptr, lines.len);
    LL_UNUSED(n);
}

void
ll_logfile_close(struct ll_logfile **file)
{
    if (*file == NULL)
        return;
    (void)close((*file)->fd);
    ll_release((*file)->mem, *file, sizeof **file);
    *file = NULL;
}
