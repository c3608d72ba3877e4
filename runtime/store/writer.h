/* store/writer.h: the thread that writes, and its queue. [loop]
 *
 * Commits are pushed in the order of their numbers and pulled in the same.
 * What has queued while the thread wrote one batch is the next.
 */
#ifndef LL_STORE_WRITER_H
#define LL_STORE_WRITER_H

#include <stdatomic.h>

#include "store/head.h"
#include "store/place.h"

/* Commits in the order of their numbers. */
struct ll_commits {
    struct ll_commit *first, *last;
};
void ll_commits_push(struct ll_commits *list, struct ll_commit *commit);
/* Moves all of `from` to the end of `to`. */
void ll_commits_move(struct ll_commits *to, struct ll_commits *from);
struct ll_commit *ll_commits_pop(struct ll_commits *list);

struct ll_writer;
struct ll_writer_options {
    struct ll_mem *mem; /* of the loop */
    struct ll_place *place;
    struct ll_db *db; /* the first connection; moved in, if it starts */
    struct ll_wakeup *wakeup;
    struct ll_head *head; /* of the log */
    /* Counted up when keys were taken away and that is durable. */
    atomic_uint *keys_epoch;
};

/* Starts the threads: the writer, and on disk the one that checkpoints. */
linli_status ll_writer_start(const struct ll_writer_options *options,
    struct ll_writer **out, struct ll_err *err) LL_USE_RESULT;
/* Writes what was pushed, ends the threads. What is not pulled yet can be. */
void ll_writer_stop(struct ll_writer *writer);
/* Closes the database; nothing may be left to pull. */
void ll_writer_free(struct ll_writer **writer);

/* Hands over all of `commits`. */
void ll_writer_push(struct ll_writer *writer, struct ll_commits *commits);

/* What is done, or never will be: `done` with a number up to *durable is
 * durable. Returns whether the writer has failed, and then fills err. */
bool ll_writer_pull(struct ll_writer *writer, struct ll_commits *done,
    uint64_t *durable, struct ll_err *err);

/* While held, checkpoints do not wait for readers: somebody reads for long.
 * [any] */
void ll_writer_hold(struct ll_writer *writer, bool held);

#endif
