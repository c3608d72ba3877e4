/* world/logfile.h: a file that lines are appended to. [loop] */
#ifndef LL_WORLD_LOGFILE_H
#define LL_WORLD_LOGFILE_H

#include "base/err.h"
#include "base/mem.h"

struct ll_logfile;

/* Opens or makes the file, mode 0600, for appending. "data/unusable". */
linli_status ll_logfile_open(struct ll_mem *mem, const char *path,
    struct ll_logfile **out, struct ll_err *err) LL_USE_RESULT;
/* Appends whole lines with one write. What a full disk refuses is dropped:
 * a log must not stop the calls it tells of. */
void ll_logfile_write(struct ll_logfile *file, linli_str lines);
void ll_logfile_close(struct ll_logfile **file);

#endif
