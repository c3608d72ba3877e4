/* data/put.h: one document of the runtime's own, in a commit of its own.
 * [loop] */
#ifndef LL_DATA_PUT_H
#define LL_DATA_PUT_H

#include "data/docs.h"

/* Writes a document of the runtime's own that is ready (`body` empty: deletes
 * it) in a commit of its own; whoever has read it begins again. Returns its
 * number, 0 without memory. */
uint64_t ll_docs_put_now(
    struct ll_docs *docs, struct ll_doc *doc, linli_str body, int64_t now_ms);

/* The same in a commit that the caller has made, which is its own still if 0
 * is returned. */
uint64_t ll_docs_put_in(struct ll_docs *docs, struct ll_doc *doc,
    linli_str body, int64_t now_ms, struct ll_commit *commit);

#endif
