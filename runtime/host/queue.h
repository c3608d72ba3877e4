/* host/queue.h: documents that are due at a time, begun in order. [loop]
 *
 * A collection of the runtime's own whose documents have `due` (ms since
 * 1970) and `seq`; one without `due` is kept and never begun. Whoever writes
 * one in a transaction has queued it; whoever begins one deletes it, or puts
 * it off, in a commit of its own. They survive the process.
 */
#ifndef LL_HOST_QUEUE_H
#define LL_HOST_QUEUE_H

#include "data/scan.h"
#include "host/host.h"

/* Looked up at once. */
#define LL_QUEUE_AHEAD 64

struct ll_queue_due {
    int64_t due_ms;
    struct ll_doc *doc; /* a reference */
};

struct ll_queue {
    struct ll_queue *next; /* of the host's */
    struct ll_host *host;
    struct ll_coll *coll;
    struct ll_ix *by_due;
    /* Whether its documents can be begun now. */
    bool (*serves)(const struct ll_queue *queue);
    /* Begins one, whose reference it takes and whose `owner` it is until the
     * end, which leads to ll_queue_ended. False without memory: later. */
    bool (*start)(struct ll_queue *queue, struct ll_doc *doc);
    void *user;
    uint32_t open_max;
    uint32_t open; /* under way */
    /* the queue's */
    struct ll_txn txn; /* of the scan; it commits nothing */
    struct ll_scan scan;
    bool scanning;
    bool stale;      /* something earlier may be in the store */
    bool all;        /* nothing is behind the last of `ahead` */
    int64_t next_ms; /* nothing is due before; INT64_MAX: nothing at all */
    struct ll_queue_due ahead[LL_QUEUE_AHEAD];
    uint32_t ahead_from, ahead_count;
};

/* Makes the collection a queue; the caller sets the functions, `user` and
 * `open_max` before the loop turns. LINLI_E_NOMEM. */
linli_status ll_queue_open(struct ll_host *host, struct ll_coll *coll,
    struct ll_queue **out, struct ll_err *err) LL_USE_RESULT;
/* Nothing of it may be under way. */
void ll_queue_close(struct ll_queue **queue);
/* All of it is looked at again. */
void ll_queue_again(struct ll_queue *queue);

/* One is no longer under way: `again` if its document may be there still, to
 * be looked at now or, without memory to put it off, `later`. */
void ll_queue_ended(struct ll_queue *queue, bool again, bool later);

/* Makes the collection what a queue needs, and returns its index by_due: the
 * dead, which have no `due`, come before LL_QUEUE_FIRST_DUE, the others in
 * their order after it. NULL without memory. */
struct ll_ix *ll_queue_index(struct ll_coll *coll);
#define LL_QUEUE_FIRST_DUE LINLI_STR("\x10") /* an integer, base/tuple.h */

/* Whether a document of a queue is there, and is not begun any more. */
bool ll_queue_dead(const struct ll_doc *doc);

/* How a failed attempt changes a document. */
struct ll_put_off {
    int64_t due_ms;    /* INT64_MAX: it stays, as evidence, and is not begun */
    uint32_t attempts; /* that failed, with this one */
    int64_t now_ms;
    const char *code;           /* of the failure, or NULL */
    const struct ll_dead *dead; /* an alert in the same commit, or NULL */
    bool revived; /* it was dead: what its death settled is settled */
};
/* Whether a document says that it was dead once. */
bool ll_queue_revived(struct ll_jv root);
/* Its members, with those of the attempt: `attempts`, `code`, `revived`; and
 * `due`, or `dead_at`. */
void ll_queue_write_put_off(
    struct ll_jw *w, struct ll_jv root, const struct ll_put_off *to);
/* Writes the document so, in a commit of its own. False without memory. */
bool ll_queue_put_off(struct ll_host *host, struct ll_doc *doc,
    const struct ll_put_off *to) LL_USE_RESULT;

/* Members `due` and `seq` of a new document. */
void ll_queue_write_due(struct ll_host *host, struct ll_jw *w, int64_t due_ms);

/* Looks at everything whose time has come, in all queues. */
void ll_queues_pump(struct ll_host *host);
/* True if nothing is under way, and nothing is due by now. */
bool ll_queues_idle(const struct ll_host *host);
/* When the next may be due; INT64_MAX: nothing is known to be. */
int64_t ll_queues_next_ms(const struct ll_host *host);

#endif
