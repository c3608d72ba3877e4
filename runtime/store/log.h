/* store/log.h: the log of consent, as it grows in the database. [any: a tree
 * belongs to the writer]
 *
 * Each leaf is a row of log_leaf; its hash, and those above, are in rows of
 * log_tile, in C2SP's tiles, of which the last of each level grows: at the end
 * of a batch the one of level 0 is written, when it is full the one above.
 * log_head has the size and the root. All in the transaction of the commit
 * that brought the leaves, so that no file has one without the other.
 * spec/log.md.
 */
#ifndef LL_STORE_LOG_H
#define LL_STORE_LOG_H

#include "domain/merkle.h"
#include "store/db.h"

/* The hashes of the tiles that are not full, one of each level. */
struct ll_tiles {
    struct ll_hash hashes[LL_TILE_LEVELS][LL_TILE_HASHES];
};

struct ll_logtree {
    struct ll_mem *mem;
    struct ll_db *db;
    struct ll_merkle merkle;
    struct ll_tiles *tiles; /* NULL: no leaf yet */
    struct ll_buf begin;    /* the first leaf of a log that has none */
    struct ll_buf note;     /* what log_head is to have; empty: what it has */
    struct ll_hash root;    /* as it was flushed */
    bool grown;             /* log_head is to be written */
};

/* What `db` has. "store/corrupt" if leaves, tiles and head are not of one
 * tree, as far as its edge tells: the whole is the auditor's to check. */
linli_status ll_logtree_load(struct ll_logtree *tree, struct ll_mem *mem,
    struct ll_db *db, struct ll_err *err) LL_USE_RESULT;
void ll_logtree_fini(struct ll_logtree *tree);

/* The root of the first `size` leaves, size <= merkle.size. "store/corrupt". */
linli_status ll_logtree_root_at(struct ll_logtree *tree, uint64_t size,
    struct ll_hash *out, struct ll_err *err) LL_USE_RESULT;

/* Begins the log with the leaf in tree->begin, unless it has begun; with none
 * there it begins without. */
linli_status ll_logtree_begin(
    struct ll_logtree *tree, struct ll_err *err) LL_USE_RESULT;
/* Takes a leaf, in the open transaction; its index is the size before. */
linli_status ll_logtree_add(
    struct ll_logtree *tree, linli_str leaf, struct ll_err *err) LL_USE_RESULT;
/* Writes log_head, if there was a leaf since the last time: *grown. */
linli_status ll_logtree_flush(
    struct ll_logtree *tree, bool *grown, struct ll_err *err) LL_USE_RESULT;
/* Writes tree->note alone. */
linli_status ll_logtree_keep_note(
    struct ll_logtree *tree, struct ll_err *err) LL_USE_RESULT;

#endif
