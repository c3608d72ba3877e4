/* host/pid.h: from a pid back to the resident. [loop]
 *
 * A pid is made with its row of ~pid (host/who.c), and the index by_pid of
 * that collection is part of the same commit: whoever has been told a pid
 * finds its row. A row that was deleted unlinks for good.
 */
#ifndef LL_HOST_PID_H
#define LL_HOST_PID_H

#include "consent/subject.h"
#include "data/scan.h"

/* Sets up a scan for the row of a pid in a plugin's space; the caller sets
 * `done` and `user` and starts it, and ends it in any case. LINLI_E_NOMEM. */
linli_status ll_pid_scan(struct ll_scan *scan, struct ll_txn *txn,
    struct ll_space *space, linli_str pid, struct ll_err *err) LL_USE_RESULT;
/* The same for what an index that begins with a pid holds of one. */
linli_status ll_pid_scan_index(struct ll_scan *scan, struct ll_txn *txn,
    struct ll_coll *coll, struct ll_ix *ix, linli_str pid,
    struct ll_err *err) LL_USE_RESULT;
/* What a scan that is done has found: the resident's id as the app knows it,
 * in the scan's memory. ptr NULL: nobody here has this pid, or a household
 * has. */
linli_str ll_pid_resident(const struct ll_scan *scan);

/* The row of a resident, by which a plugin knows them: a reference, which may
 * still be loading; NULL without memory, or for a plugin that never served. */
struct ll_doc *ll_pid_row(struct ll_space *space, linli_str resident);
/* The pid of a row that is known; false: there is none now. */
bool ll_pid_read(
    struct ll_docs *docs, const struct ll_doc *row, char pid[LL_PID_BYTES]);
/* The same, made if there is none, in a commit of its own that comes before
 * the caller's: of the first generation, or of the next. "runtime/memory". */
linli_status ll_pid_take(struct ll_docs *docs, struct ll_world *world,
    struct ll_doc *row, int64_t now_ms, char pid[LL_PID_BYTES]) LL_USE_RESULT;
/* Gives the pid of a row that is known up: whoever looks for it finds nobody,
 * and what is made at the next use is of the next generation. No pid, or no
 * memory: nothing happens. */
void ll_pid_give_up(struct ll_docs *docs, struct ll_doc *row, int64_t now_ms);

#endif
