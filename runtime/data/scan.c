/* data/scan.c: pieces of a range, put together. [loop] */
#include "data/scan.h"

#include <stdlib.h>

#include "base/text.h"

#define SCAN_ARENA_BYTES_MAX ((size_t)16 << 20)
/* Rows asked for beyond what is wanted: some will be superseded. */
#define SLACK_ROWS 8
#define PIECE_ROWS_MAX 256

static void on_built(struct ll_wait *wait);

void
ll_scan_init(struct ll_scan *scan, struct ll_txn *txn)
{
    *scan = (struct ll_scan){.txn = txn, .wait = {.ready = on_built}};
    ll_arena_init(&scan->arena, txn->docs->mem, SCAN_ARENA_BYTES_MAX);
}

static void
drop_items(struct ll_scan *scan, uint32_t from)
{
    for (uint32_t i = from; i < scan->count; i++)
        ll_doc_unref(&scan->items[i].doc);
    scan->count = from;
}

void
ll_scan_fini(struct ll_scan *scan)
{
    if (scan->querying) {
        ll_store_cancel(scan->txn->docs->store, &scan->query);
        ll_query_fini(&scan->query);
        scan->querying = false;
    }
    ll_wait_cancel(&scan->wait);
    drop_items(scan, 0);
    if (scan->items != NULL)
        ll_release(
            scan->txn->docs->mem, scan->items, scan->cap * sizeof *scan->items);
    scan->items = NULL;
    scan->cap = 0;
    ll_arena_fini(&scan->arena);
}

/* Order of two places in an index, in the direction of the scan. */
static int
compare(const struct ll_scan *scan, linli_str key_a, linli_str id_a,
    const struct ll_scan_item *b)
{
    int order = ll_str_cmp(key_a, b->key);
    if (order == 0)
        order = ll_str_cmp(id_a, b->id);
    return scan->descending ? -order : order;
}

/* Whether a place lies in the range and after where the scan stands. */
static bool
ahead(const struct ll_scan *scan, linli_str key, linli_str id)
{
    const struct ll_scan_item at = {
        .key = scan->after_key, .id = scan->after_id};
    if (ll_str_cmp(key, scan->low) < 0)
        return false;
    if (scan->high.ptr != NULL && ll_str_cmp(key, scan->high) >= 0)
        return false;
    return at.key.ptr == NULL || compare(scan, key, id, &at) > 0;
}

static bool
add_item(struct ll_scan *scan, linli_str key, struct ll_doc *take_doc,
    const struct ll_content *content)
{
    struct ll_mem *mem = scan->txn->docs->mem;
    if (scan->count == scan->cap) {
        uint32_t cap = scan->cap == 0 ? 32 : scan->cap * 2;
        void *grown = ll_realloc(mem, scan->items,
            scan->cap * sizeof *scan->items, cap * sizeof *scan->items);
        if (grown == NULL) {
            ll_doc_unref(&take_doc);
            return false;
        }
        scan->items = grown;
        scan->cap = cap;
    }
    /* The key lies in the rows, or in a content, until it is kept. */
    scan->items[scan->count++] = (struct ll_scan_item){
        .key = key, .id = take_doc->id, .doc = take_doc, .content = content};
    return true;
}

static linli_str
key_in(const struct ll_scan *scan, const struct ll_doc *doc,
    const struct ll_content *content)
{
    if (scan->ix != NULL)
        return ll_content_key(content, scan->ix);
    return content == NULL ? (linli_str){NULL, 0} : doc->id;
}

/* A place up to which (with it) a piece is complete; key.ptr NULL: to the
 * end of the range. */
struct horizon {
    linli_str key, id;
};

static bool
beyond(const struct ll_scan *scan, const struct horizon *horizon, linli_str key,
    linli_str id)
{
    const struct ll_scan_item at = {.key = horizon->key, .id = horizon->id};
    return horizon->key.ptr != NULL && compare(scan, key, id, &at) > 0;
}

/* -- the three sources -- */

/* Rows of the file that nothing newer replaces. */
static linli_status
add_rows(struct ll_scan *scan, struct horizon *horizon)
{
    struct ll_txn *txn = scan->txn;
    struct ll_rd rows = ll_rd(ll_buf_view(&scan->query.rows));
    for (uint32_t i = 0; i < scan->query.row_count; i++) {
        (void)ll_rd_list(&rows);
        linli_str key = ll_rd_bytes(&rows);
        linli_str id = scan->ix == NULL ? key : ll_rd_bytes(&rows);
        struct ll_doc *doc = ll_doc_from_row(scan->coll, id, &rows);
        if (doc == NULL)
            return LINLI_E_NOMEM;
        if (scan->query.more && i + 1 == scan->query.row_count)
            *horizon = (struct horizon){ll_arena_str(&scan->arena, key),
                ll_arena_str(&scan->arena, id)};
        bool newer = doc->number > scan->query.snapshot;
        if (newer || ll_txn_own(txn, doc) != NULL || doc->content == NULL)
            ll_doc_unref(&doc);
        else if (!add_item(scan, key, doc, doc->content))
            return LINLI_E_NOMEM;
    }
    return LINLI_OK;
}

/* What commits have written that the rows do not have yet. */
static linli_status
add_recent(struct ll_scan *scan, const struct horizon *horizon)
{
    struct ll_txn *txn = scan->txn;
    const struct ll_doc *newest = scan->coll->recent_last;
    /* Whatever they wrote: that something is not in the range any more, or
     * has only passed through it, is seen too. */
    if (newest != NULL && newest->number > scan->query.snapshot &&
        newest->number > txn->read_high)
        txn->read_high = newest->number;
    /* Newest first: the list ascends by number. */
    for (struct ll_doc *doc = scan->coll->recent_last;
         doc != NULL && doc->number > scan->query.snapshot;
         doc = doc->recent_prev) {
        linli_str key = key_in(scan, doc, doc->content);
        if (key.ptr == NULL || ll_txn_own(txn, doc) != NULL ||
            !ahead(scan, key, doc->id) || beyond(scan, horizon, key, doc->id))
            continue;
        struct ll_doc *held = ll_docs_get(scan->coll, doc->id);
        if (held == NULL || !add_item(scan, key, held, doc->content))
            return LINLI_E_NOMEM;
    }
    return LINLI_OK;
}

/* What the transaction writes itself. */
static linli_status
add_own(struct ll_scan *scan, const struct horizon *horizon)
{
    for (struct ll_write *w = scan->txn->writes; w != NULL; w = w->next) {
        if (w->doc->coll != scan->coll)
            continue;
        linli_str key = key_in(scan, w->doc, w->content);
        if (key.ptr == NULL || !ahead(scan, key, w->doc->id) ||
            beyond(scan, horizon, key, w->doc->id))
            continue;
        struct ll_doc *held = ll_docs_get(scan->coll, w->doc->id);
        if (held == NULL || !add_item(scan, key, held, w->content))
            return LINLI_E_NOMEM;
    }
    return LINLI_OK;
}

/* -- a piece -- */

static int
by_place(const void *a, const void *b)
{
    const struct ll_scan_item *x = a, *y = b;
    int order = ll_str_cmp(x->key, y->key);
    return order != 0 ? order : ll_str_cmp(x->id, y->id);
}

static void
reverse(struct ll_scan_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        struct ll_scan_item swap = items[i];
        items[i] = items[count - 1 - i];
        items[count - 1 - i] = swap;
    }
}

static void
drop_unwanted(struct ll_scan *scan, uint32_t from)
{
    uint32_t kept = from;
    if (scan->wants == NULL)
        return;
    for (uint32_t i = from; i < scan->count; i++) {
        if (scan->wants(scan, scan->items[i].key))
            scan->items[kept++] = scan->items[i];
        else
            ll_doc_unref(&scan->items[i].doc);
    }
    scan->count = kept;
}

/* Registers what the piece has looked at: from where the scan stood to
 * `horizon`. */
static linli_status
register_piece(struct ll_scan *scan, const struct horizon *horizon)
{
    struct ll_range range = {.low = scan->low, .high = scan->high};
    bool going_on = scan->after_key.ptr != NULL;
    if (!scan->descending) {
        if (going_on)
            range.low = scan->after_key;
        if (horizon->key.ptr != NULL) {
            range.high = horizon->key;
            range.closed = true;
        }
    } else {
        if (horizon->key.ptr != NULL)
            range.low = horizon->key;
        if (going_on) {
            range.high = scan->after_key;
            range.closed = true;
        }
    }
    return ll_txn_read_range(
        scan->txn, scan->coll, scan->ix, &range, &scan->err);
}

/* Rows of the file, what is newer, and what is the transaction's own, from
 * `from` on in the order of the scan. */
static linli_status
gather(struct ll_scan *scan, uint32_t from, struct horizon *horizon)
{
    linli_status status = add_rows(scan, horizon);
    if (status == LINLI_OK)
        status = add_recent(scan, horizon);
    if (status == LINLI_OK)
        status = add_own(scan, horizon);
    if (status == LINLI_OK && scan->arena.failed)
        status = LINLI_E_NOMEM;
    if (status != LINLI_OK)
        return ll_fail(&scan->err, status,
            status == LINLI_E_IO ? "store/failed" : "runtime/memory", "a list");
    if (scan->count == from)
        return LINLI_OK;
    qsort(
        scan->items + from, scan->count - from, sizeof *scan->items, by_place);
    if (scan->descending)
        reverse(scan->items + from, scan->count - from);
    drop_unwanted(scan, from);
    return LINLI_OK;
}

/* How many items from `from` on the scan may still take; at least one. */
static uint32_t
take_what_fits(struct ll_scan *scan, uint32_t from)
{
    uint32_t at = from;
    while (at < scan->count && scan->total < scan->limit) {
        size_t bytes = scan->items[at].content->body.len;
        if (scan->bytes_max > 0 && scan->total > 0 &&
            scan->bytes + bytes > scan->bytes_max)
            break;
        scan->bytes += bytes;
        scan->total++;
        at++;
    }
    return at;
}

/* Copies the keys of items that stay; of those that were only counted, the
 * last one's, where the scan may stand. */
static void
keep_keys(struct ll_scan *scan, uint32_t from)
{
    if (scan->counting && scan->count > from)
        from = scan->count - 1;
    for (uint32_t i = from; i < scan->count; i++)
        scan->items[i].key = ll_arena_str(&scan->arena, scan->items[i].key);
}

static linli_status
no_memory(struct ll_scan *scan)
{
    return ll_fail(&scan->err, LINLI_E_NOMEM, "runtime/memory", "a list");
}

/* Puts the answer together with what is newer; true if the scan is over. */
static bool
piece(struct ll_scan *scan)
{
    uint32_t from = scan->count;
    struct horizon horizon = {.key = {NULL, 0}};
    scan->status = gather(scan, from, &horizon);
    if (scan->status != LINLI_OK)
        return true;
    uint32_t taken = take_what_fits(scan, from);
    bool full = taken < scan->count || scan->total == scan->limit;
    bool all = horizon.key.ptr == NULL && taken == scan->count;
    drop_items(scan, taken);
    keep_keys(scan, from);
    if (full && !all && taken > 0)
        horizon = (struct horizon){
            scan->items[taken - 1].key, scan->items[taken - 1].id};
    scan->status =
        scan->arena.failed ? no_memory(scan) : register_piece(scan, &horizon);
    scan->exhausted = all;
    scan->after_key = horizon.key;
    scan->after_id = horizon.id;
    if (scan->counting)
        drop_items(scan, 0);
    return all || full || scan->status != LINLI_OK;
}

/* -- asking -- */

static void
put_after(struct ll_scan *scan, struct ll_buf *params)
{
    if (scan->ix == NULL) {
        if (scan->after_key.ptr != NULL)
            ll_put_bytes(params, scan->after_key);
        else if (scan->descending)
            ll_put_nil(params);
        else
            ll_put_bytes(params, LINLI_STR(""));
        return;
    }
    static const linli_str past = {"\xff", 1}; /* after every key */
    bool going_on = scan->after_key.ptr != NULL;
    linli_str key = going_on                 ? scan->after_key
                    : !scan->descending      ? scan->low
                    : scan->high.ptr != NULL ? scan->high
                                             : past;
    ll_put_bytes(params, key);
    ll_put_bytes(params, going_on ? scan->after_id : LINLI_STR(""));
    if (scan->descending)
        ll_put_bytes(params, scan->low);
    else
        ll_put_bytes(params, scan->high.ptr != NULL ? scan->high : past);
}

static void on_rows(struct ll_query *query);

static void
ask(struct ll_scan *scan)
{
    enum ll_statement statement =
        scan->ix == NULL
            ? (scan->descending ? LL_ST_doc_down : LL_ST_doc_up)
            : (scan->descending ? LL_ST_entry_down : LL_ST_entry_up);
    struct ll_query *query = &scan->query;
    uint32_t rows = scan->limit - scan->total + SLACK_ROWS;
    if (rows > PIECE_ROWS_MAX)
        rows = PIECE_ROWS_MAX;
    ll_query_init(query, scan->txn->docs->mem, statement);
    ll_put_int(&query->params, scan->coll->id);
    if (scan->ix != NULL)
        ll_put_int(&query->params, scan->ix->id);
    put_after(scan, &query->params);
    ll_put_int(&query->params, (int64_t)rows + 1);
    query->rows_max = rows;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_rows;
    query->user = scan;
    scan->querying = true;
    ll_store_query(scan->txn->docs->store, query);
}

static bool
has_gone(struct ll_scan *scan)
{
    if (scan->ix == NULL || !scan->ix->gone)
        return false;
    scan->txn->doomed = true;
    scan->status = ll_fail(&scan->err, LINLI_E_AGAIN, "runtime/conflict",
        "the index was replaced");
    return true;
}

static void
on_rows(struct ll_query *query)
{
    struct ll_scan *scan = query->user;
    bool over = true;
    scan->querying = false;
    if (query->status != LINLI_OK) {
        scan->status = query->status;
        scan->err = query->err;
        /* To whoever asks, the store has failed, whatever it was. */
        if (!ll_str_is(ll_cstr(query->err.code), "runtime/memory"))
            scan->status = ll_fail(
                &scan->err, LINLI_E_IO, "store/failed", "%s", query->err.msg);
    } else if (!has_gone(scan)) {
        over = piece(scan);
    }
    ll_query_fini(query);
    if (!over) {
        ask(scan);
        return;
    }
    if (scan->status != LINLI_OK)
        drop_items(scan, 0);
    scan->done(scan);
}

static void
begin(struct ll_scan *scan)
{
    if (scan->ix == NULL || ll_ix_built(scan->ix, &scan->wait))
        ask(scan);
}

static void
on_built(struct ll_wait *wait)
{
    begin(LL_CONTAINER(wait, struct ll_scan, wait));
}

void
ll_scan_start(struct ll_scan *scan)
{
    ll_check(
        scan->ix != NULL || (scan->low.len == 0 && scan->high.ptr == NULL));
    scan->low = ll_arena_str(&scan->arena, scan->low);
    if (scan->high.ptr != NULL)
        scan->high = ll_arena_str(&scan->arena, scan->high);
    if (scan->after_key.ptr != NULL) {
        scan->after_key = ll_arena_str(&scan->arena, scan->after_key);
        scan->after_id = ll_arena_str(&scan->arena, scan->after_id);
    }
    begin(scan);
}
