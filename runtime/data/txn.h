/* data/txn.h: one serializable transaction. [loop]
 *
 * Reads take effect in the loop turn in which their answer is made, and are
 * registered then; writes stay in the transaction until it commits. A commit
 * is one instant: its writes become the newest state, it gets the next
 * number, and every open transaction that had read what it writes is doomed
 * and must begin again. So whoever ends undoomed has seen one state, the
 * newest one (spec/db.md, section 5).
 */
#ifndef LL_DATA_TXN_H
#define LL_DATA_TXN_H

#include "data/docs.h"

/* What a transaction writes to one document. */
struct ll_write {
    struct ll_write *next;
    struct ll_doc *doc;         /* a reference */
    struct ll_content *content; /* NULL: it is deleted */
};

struct ll_txn {
    struct ll_txn *next, *prev; /* of all */
    struct ll_docs *docs;
    struct ll_arena arena; /* registrations, ranges, write records */
    struct ll_write *writes, *writes_last;
    struct ll_reader *readers;
    struct ll_range *ranges;
    uint32_t read_count; /* of LL_READ_SET_MAX */
    size_t write_bytes;  /* of LL_OVERLAY_BYTES_MAX */
    uint64_t read_high;  /* highest commit number that it has seen */
    bool doomed;
};

void ll_txn_init(struct ll_txn *txn, struct ll_docs *docs);
/* Forgets everything it has read and written: to begin again, or to end. */
void ll_txn_reset(struct ll_txn *txn);
void ll_txn_fini(struct ll_txn *txn);

/* What the transaction sees of a document that is ready: its own write or
 * the newest state, which is registered as read. NULL in *content: there is
 * none. LINLI_E_LIMIT "db/limit"; LINLI_E_IO if the document was lost with
 * the store; LINLI_E_NOMEM. */
linli_status ll_txn_read(struct ll_txn *txn, struct ll_doc *doc,
    const struct ll_content **content, struct ll_err *err) LL_USE_RESULT;
/* Its own write to the document, or NULL. */
struct ll_write *ll_txn_own(const struct ll_txn *txn, const struct ll_doc *doc);

/* Registers [low, high) of an index (`ix` NULL: the collection by id), or up
 * to and with `high` if `closed`, as read. */
linli_status ll_txn_read_range(struct ll_txn *txn, struct ll_coll *coll,
    struct ll_ix *ix, const struct ll_range *range,
    struct ll_err *err) LL_USE_RESULT;

/* Writes (NULL: deletes) a ready document. Takes the content, also on
 * failure: "db/limit". One whose keys are of indexes that have changed since
 * it was made dooms the transaction. */
linli_status ll_txn_write(struct ll_txn *txn, struct ll_doc *doc,
    struct ll_content *take_content, struct ll_err *err) LL_USE_RESULT;

/* Counts what else the commit will hold, to the same bound: "db/limit". */
linli_status ll_txn_hold(
    struct ll_txn *txn, size_t bytes, struct ll_err *err) LL_USE_RESULT;

/* What the commit will take from the space, for quotas. */
void ll_txn_growth(const struct ll_txn *txn, const struct ll_space *space,
    int64_t *rows, int64_t *bytes);

/* The transaction must not be doomed. Adds its writes to `commit`, hands it
 * to the store, dooms others, and forgets itself as ll_txn_reset does;
 * returns the number. The commit may have operations of the caller's and has
 * its `done` set. 0: no memory, nothing has happened, and the commit is the
 * caller's still. */
uint64_t ll_txn_commit(struct ll_txn *txn, struct ll_commit *commit);

/* For docs.c: the indexes of the collection have changed. Who has read or
 * written in it is doomed. */
void ll_txns_doom(const struct ll_coll *coll);

#endif
