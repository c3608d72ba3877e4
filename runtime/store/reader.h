/* store/reader.h: the threads that read, and their queue. [loop]
 *
 * A query crosses the threads as a job, which holds copies of all it needs:
 * its query may be gone before it is done. A thread takes its share of what
 * waits and answers it in one transaction, so from one snapshot.
 */
#ifndef LL_STORE_READER_H
#define LL_STORE_READER_H

#include <stdatomic.h>

#include "store/place.h"

/* Belongs to whoever holds it, with its memory. */
struct ll_job {
    struct ll_job *next;          /* in a queue */
    struct ll_job *older, *newer; /* under way; the loop's */
    struct ll_query *query;       /* NULL: dropped; the loop's */
    atomic_bool dropped;          /* need not be run */
    uint64_t issued_at;           /* the loop's */
    struct ll_mem mem;
    struct ll_buf params, rows;
    unsigned statement;
    uint32_t rows_max;
    size_t bytes_max;
    linli_status status;
    struct ll_err err;
    uint32_t row_count;
    bool more;
    uint64_t snapshot;
};

struct ll_jobs {
    struct ll_job *first, *last;
    uint32_t count;
};
/* To the end; all of `from` to the end; the first, or NULL. */
void ll_jobs_push(struct ll_jobs *list, struct ll_job *job);
void ll_jobs_move(struct ll_jobs *to, struct ll_jobs *from);
struct ll_job *ll_jobs_pop(struct ll_jobs *list);

/* With empty buffers, to be used again and again; NULL without memory. */
struct ll_job *ll_job_new(struct ll_mem *mem) LL_USE_RESULT;
void ll_job_free(struct ll_mem *mem, struct ll_job *job);

struct ll_readers;
struct ll_readers_options {
    struct ll_mem *mem; /* of the loop */
    struct ll_place *place;
    struct ll_wakeup *wakeup;
    uint32_t count;
    const atomic_uint *keys_epoch; /* changed: forget the keys */
};

/* Starts the threads, each with a connection of its own. */
linli_status ll_readers_start(const struct ll_readers_options *options,
    struct ll_readers **out, struct ll_err *err) LL_USE_RESULT;
/* Ends the threads. What was not begun is pulled as LINLI_E_CLOSED. */
void ll_readers_stop(struct ll_readers *readers);
/* Nothing may be left to pull. */
void ll_readers_free(struct ll_readers **readers);

/* Hands over queries, all of `jobs`; takes back those that are done. */
void ll_readers_push(struct ll_readers *readers, struct ll_jobs *jobs);
void ll_readers_pull(struct ll_readers *readers, struct ll_jobs *done);

#endif
