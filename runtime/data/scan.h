/* data/scan.h: a range of an index, as a transaction sees it. [loop]
 *
 * Rows of the file, under what commits have written since, under what the
 * transaction itself writes; read in pieces, each registered as read in the
 * turn in which it was put together.
 */
#ifndef LL_DATA_SCAN_H
#define LL_DATA_SCAN_H

#include "data/txn.h"

struct ll_scan_item {
    linli_str key, id;                /* in the scan's arena */
    struct ll_doc *doc;               /* a reference */
    const struct ll_content *content; /* as the transaction sees it; valid
                                         in the turn of `done` alone */
};

struct ll_scan {
    /* what is wanted */
    struct ll_txn *txn;
    struct ll_coll *coll;
    struct ll_ix *ix; /* NULL: by id, and keys are ids */
    linli_str low;    /* from here on; empty: from the start; */
    linli_str high;   /* before this; ptr NULL: to the end. By id: neither */
    /* A page goes on strictly after (ascending) or before (descending) this
     * place; ptr NULL: at the range's begin. */
    linli_str after_key, after_id;
    bool descending;
    uint32_t limit;   /* items */
    size_t bytes_max; /* of their bodies: it ends there too */
    bool counting;    /* only `total` is wanted; up to limit */
    /* Items are left out that this says no to; NULL: none. */
    bool (*wants)(const struct ll_scan *scan, linli_str key);
    int64_t than; /* for `wants` */
    void (*done)(struct ll_scan *scan);
    void *user;
    /* what was found, in order */
    linli_status status;
    struct ll_err err;
    struct ll_scan_item *items;
    uint32_t count;
    uint32_t total; /* with those that were only counted */
    size_t bytes;
    bool exhausted; /* there is nothing after the last item */
    /* its own */
    struct ll_arena arena;
    struct ll_wait wait; /* for its index */
    struct ll_query query;
    bool querying;
    uint32_t cap;
};

/* The wishes must be set by the caller after init; strings are copied by
 * start. `done` comes once, later, unless the scan is stopped. If another index
 * takes the place of this one meanwhile, the transaction is doomed, and
 * nothing was found. */
void ll_scan_init(struct ll_scan *scan, struct ll_txn *txn);
void ll_scan_start(struct ll_scan *scan);
/* Ends it, if it runs, and gives back what it holds. */
void ll_scan_fini(struct ll_scan *scan);

#endif
