/* data/put.h: documents of the runtime's own, written as JSON text. [loop] */
#ifndef LL_DATA_PUT_H
#define LL_DATA_PUT_H

#include "data/txn.h"

/* Writes a ready document into a transaction: the JSON object that was made in
 * `text`, judged as the collection says. */
linli_status ll_txn_put(struct ll_txn *txn, struct ll_doc *doc,
    const struct ll_buf *text, int64_t now_ms,
    struct ll_err *err) LL_USE_RESULT;

struct ll_plain {
    linli_str subject; /* a pid; may be empty */
    int64_t due_ms;    /* 0: never */
};
/* The same in a collection without indexes, where the text need not be read:
 * what it would say is told. */
linli_status ll_txn_put_plain(struct ll_txn *txn, struct ll_doc *doc,
    const struct ll_buf *text, const struct ll_plain *plain,
    struct ll_err *err) LL_USE_RESULT;

/* Writes a document of the runtime's own that is ready (`body` NULL: deletes
 * it) in a commit of its own; whoever has read it begins again. Returns its
 * number, 0 without memory. */
uint64_t ll_docs_put_now(struct ll_docs *docs, struct ll_doc *doc,
    const struct ll_buf *body, int64_t now_ms);

/* The same in a commit that the caller has made, which is its own still if 0
 * is returned. */
uint64_t ll_docs_put_in(struct ll_docs *docs, struct ll_doc *doc,
    const struct ll_buf *body, int64_t now_ms, struct ll_commit *commit);

#endif
