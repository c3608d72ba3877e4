/* world/datadir.h: the directory that a host keeps its things in. [loop]
 *
 * One host at a time: the directory is locked while it is open. Its files
 * are read and written with world/file.h, by `dir_fd`.
 */
#ifndef LL_WORLD_DATADIR_H
#define LL_WORLD_DATADIR_H

#include "base/err.h"

struct ll_datadir {
    int dir_fd;
    int lock_fd;
};

#define LL_DATADIR_CLOSED ((struct ll_datadir){-1, -1})

/* Makes the directory (mode 0700, parents not) unless it is there, proves
 * that it can be written, and locks it. "data/unusable", "data/locked". */
linli_status ll_datadir_open(
    struct ll_datadir *dir, const char *path, struct ll_err *err) LL_USE_RESULT;
void ll_datadir_close(struct ll_datadir *dir);

#endif
