/* data/txn.c: reads registered, writes held back, one instant of commit.
 * [loop] */
#include "data/txn.h"

#include "base/text.h"

#define TXN_ARENA_BYTES_MAX ((size_t)8 << 20)

void
ll_txn_init(struct ll_txn *txn, struct ll_docs *docs)
{
    *txn = (struct ll_txn){.docs = docs, .next = docs->txns};
    ll_arena_init(&txn->arena, docs->mem, TXN_ARENA_BYTES_MAX);
    if (docs->txns != NULL)
        docs->txns->prev = txn;
    docs->txns = txn;
}

static void
reader_unlink(struct ll_reader *reader)
{
    if (reader->prev != NULL)
        reader->prev->next = reader->next;
    else
        reader->doc->readers = reader->next;
    if (reader->next != NULL)
        reader->next->prev = reader->prev;
}

static void
range_unlink(struct ll_range *range)
{
    if (range->prev != NULL)
        range->prev->next = range->next;
    else
        *range->head = range->next;
    if (range->next != NULL)
        range->next->prev = range->prev;
}

void
ll_txn_reset(struct ll_txn *txn)
{
    for (struct ll_reader *r = txn->readers; r != NULL; r = r->next_own) {
        reader_unlink(r);
        ll_doc_unref(&r->doc);
    }
    for (struct ll_range *r = txn->ranges; r != NULL; r = r->next_own)
        range_unlink(r);
    for (struct ll_write *w = txn->writes; w != NULL; w = w->next) {
        ll_content_free(txn->docs->mem, &w->content);
        ll_doc_unref(&w->doc);
    }
    txn->readers = NULL;
    txn->ranges = NULL;
    txn->writes = txn->writes_last = NULL;
    txn->read_count = 0;
    txn->write_bytes = 0;
    txn->read_high = 0;
    txn->doomed = false;
    ll_arena_reset(&txn->arena);
}

void
ll_txn_fini(struct ll_txn *txn)
{
    ll_txn_reset(txn);
    ll_arena_fini(&txn->arena);
    if (txn->prev != NULL)
        txn->prev->next = txn->next;
    else
        txn->docs->txns = txn->next;
    if (txn->next != NULL)
        txn->next->prev = txn->prev;
}

struct ll_write *
ll_txn_own(const struct ll_txn *txn, const struct ll_doc *doc)
{
    struct ll_write *write = txn->writes;
    while (write != NULL && write->doc != doc)
        write = write->next;
    return write;
}

static linli_status
too_much(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_LIMIT, "db/limit",
        "a call that reads more than %d documents and ranges", LL_READ_SET_MAX);
}

static linli_status
no_room(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a transaction");
}

static bool
reads_already(const struct ll_txn *txn, const struct ll_doc *doc)
{
    const struct ll_reader *reader = doc->readers;
    while (reader != NULL && reader->txn != txn)
        reader = reader->next;
    return reader != NULL;
}

static linli_status
add_reader(struct ll_txn *txn, struct ll_doc *doc, struct ll_err *err)
{
    if (reads_already(txn, doc))
        return LINLI_OK;
    if (txn->read_count == LL_READ_SET_MAX)
        return too_much(err);
    struct ll_reader *reader = ll_arena_alloc(&txn->arena, sizeof *reader);
    if (reader == NULL)
        return no_room(err);
    txn->read_count++;
    doc->refs++;
    reader->doc = doc;
    reader->txn = txn;
    reader->next = doc->readers;
    if (doc->readers != NULL)
        doc->readers->prev = reader;
    doc->readers = reader;
    reader->next_own = txn->readers;
    txn->readers = reader;
    return LINLI_OK;
}

linli_status
ll_txn_read(struct ll_txn *txn, struct ll_doc *doc,
    const struct ll_content **content, struct ll_err *err)
{
    *content = NULL;
    ll_check(doc->state != LL_DOC_LOADING);
    if (doc->state == LL_DOC_LOST)
        return ll_fail(err, LINLI_E_IO, "store/failed", "it cannot be read");
    const struct ll_write *own = ll_txn_own(txn, doc);
    if (own != NULL) {
        *content = own->content;
        return LINLI_OK;
    }
    linli_status status = add_reader(txn, doc, err);
    if (status != LINLI_OK)
        return status;
    if (doc->number > txn->read_high)
        txn->read_high = doc->number;
    *content = doc->content;
    return LINLI_OK;
}

linli_status
ll_txn_read_range(struct ll_txn *txn, struct ll_coll *coll, struct ll_ix *ix,
    const struct ll_range *from, struct ll_err *err)
{
    if (txn->read_count == LL_READ_SET_MAX)
        return too_much(err);
    struct ll_range *range = ll_arena_alloc(&txn->arena, sizeof *range);
    if (range == NULL)
        return no_room(err);
    range->txn = txn;
    range->closed = from->closed;
    range->low = ll_arena_str(&txn->arena, from->low);
    if (from->high.ptr != NULL)
        range->high = ll_arena_str(&txn->arena, from->high);
    if (txn->arena.failed)
        return no_room(err);
    range->coll = coll;
    range->head = ix == NULL ? &coll->id_ranges : &ix->ranges;
    range->next = *range->head;
    if (range->next != NULL)
        range->next->prev = range;
    *range->head = range;
    range->next_own = txn->ranges;
    txn->ranges = range;
    txn->read_count++;
    return LINLI_OK;
}

linli_status
ll_txn_hold(struct ll_txn *txn, size_t bytes, struct ll_err *err)
{
    if (txn->write_bytes + bytes > LL_OVERLAY_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "db/limit",
            "a call that writes more than %u bytes", LL_OVERLAY_BYTES_MAX);
    txn->write_bytes += bytes;
    return LINLI_OK;
}

linli_status
ll_txn_write(struct ll_txn *txn, struct ll_doc *doc,
    struct ll_content *take_content, struct ll_err *err)
{
    size_t bytes = take_content == NULL ? 0 : take_content->block_bytes;
    struct ll_write *write = ll_txn_own(txn, doc);
    ll_check(doc->state == LL_DOC_KNOWN);
    if (take_content != NULL && take_content->epoch != doc->coll->epoch)
        txn->doomed = true;
    linli_status status = ll_txn_hold(txn, bytes, err);
    if (status == LINLI_OK && write == NULL) {
        write = ll_arena_alloc(&txn->arena, sizeof *write);
        if (write == NULL)
            status = no_room(err);
    }
    if (status != LINLI_OK) {
        ll_content_free(txn->docs->mem, &take_content);
        return status;
    }
    ll_content_free(txn->docs->mem, &write->content);
    write->content = take_content;
    if (write->doc != NULL)
        return LINLI_OK;
    doc->refs++;
    write->doc = doc;
    if (txn->writes_last != NULL)
        txn->writes_last->next = write;
    else
        txn->writes = write;
    txn->writes_last = write;
    return LINLI_OK;
}

/* What a document counts for, in rows and bytes. */
static int64_t
size_of(const struct ll_doc *doc, const struct ll_content *content)
{
    return content == NULL ? 0 : (int64_t)(doc->id.len + content->body.len);
}

void
ll_txn_growth(const struct ll_txn *txn, const struct ll_space *space,
    int64_t *rows, int64_t *bytes)
{
    *rows = *bytes = 0;
    for (const struct ll_write *w = txn->writes; w != NULL; w = w->next) {
        if (w->doc->coll->space != space || w->doc->coll->system)
            continue;
        *rows += (w->content != NULL) - (w->doc->content != NULL);
        *bytes +=
            size_of(w->doc, w->content) - size_of(w->doc, w->doc->content);
    }
}

/* -- commit -- */

static bool
range_holds(const struct ll_range *range, linli_str key)
{
    if (ll_str_cmp(key, range->low) < 0)
        return false;
    if (range->high.ptr == NULL)
        return true;
    int order = ll_str_cmp(key, range->high);
    return order < 0 || (order == 0 && range->closed);
}

static void
doom_range(const struct ll_txn *txn, struct ll_range *list, linli_str key)
{
    if (key.ptr == NULL)
        return;
    for (struct ll_range *r = list; r != NULL; r = r->next)
        if (r->txn != txn && !r->txn->doomed && range_holds(r, key))
            r->txn->doomed = true;
}

static void
put_entry(struct ll_commit *commit, enum ll_statement statement,
    const struct ll_ix *ix, linli_str key, linli_str id)
{
    ll_commit_op(commit, statement);
    ll_put_int(&commit->ops, ix->id);
    ll_put_bytes(&commit->ops, key);
    ll_put_bytes(&commit->ops, id);
}

/* Entries that come and go. */
static void
put_entries(const struct ll_write *write, struct ll_commit *commit)
{
    const struct ll_doc *doc = write->doc;
    for (struct ll_ix *ix = doc->coll->indexes; ix != NULL; ix = ix->next) {
        linli_str before = ll_content_key(doc->content, ix);
        linli_str after = ll_content_key(write->content, ix);
        if (before.ptr != NULL && after.ptr != NULL && ll_str_eq(before, after))
            continue;
        if (before.ptr != NULL)
            put_entry(commit, LL_ST_entry_del, ix, before, doc->id);
        if (after.ptr != NULL)
            put_entry(commit, LL_ST_entry_put, ix, after, doc->id);
    }
}

static void
put_document(
    const struct ll_write *write, uint64_t number, struct ll_commit *commit)
{
    const struct ll_doc *doc = write->doc;
    const struct ll_content *content = write->content;
    struct ll_buf *ops = &commit->ops;
    ll_commit_op(commit, content == NULL ? LL_ST_doc_del : LL_ST_doc_put);
    ll_put_int(ops, doc->coll->id);
    ll_put_bytes(ops, doc->id);
    if (content == NULL)
        return;
    ll_put_int(ops, (int64_t)number);
    if (content->due_ms != 0)
        ll_put_int(ops, content->due_ms);
    else
        ll_put_nil(ops);
    if (content->subject.len > 0)
        ll_put_bytes(ops, content->subject);
    else
        ll_put_nil(ops);
    ll_put_sealed(ops, doc->coll->space->id, content->subject, content->body);
}

/* Made and deleted in one transaction, or never there. */
static bool
writes_nothing(const struct ll_write *write)
{
    return write->content == NULL && write->doc->content == NULL;
}

static int64_t
rows_of(const struct ll_write *write)
{
    return (write->content != NULL) - (write->doc->content != NULL);
}

static int64_t
bytes_of(const struct ll_write *write)
{
    return size_of(write->doc, write->content) -
           size_of(write->doc, write->doc->content);
}

static void
put_write(
    const struct ll_write *write, uint64_t number, struct ll_commit *commit)
{
    const struct ll_coll *coll = write->doc->coll;
    if (writes_nothing(write))
        return;
    put_entries(write, commit);
    put_document(write, number, commit);
    if (!coll->system)
        ll_commit_size(
            commit, coll->space->id, rows_of(write), bytes_of(write));
}

/* Who had read what changes must begin again. */
static void
doom(const struct ll_txn *txn, const struct ll_write *write)
{
    struct ll_doc *doc = write->doc;
    for (struct ll_reader *r = doc->readers; r != NULL; r = r->next)
        if (r->txn != txn)
            r->txn->doomed = doc->crowd.contended = true;
    doom_range(txn, doc->coll->id_ranges, doc->id);
    for (struct ll_ix *ix = doc->coll->indexes; ix != NULL; ix = ix->next) {
        doom_range(txn, ix->ranges, ll_content_key(doc->content, ix));
        doom_range(txn, ix->ranges, ll_content_key(write->content, ix));
    }
}

static void
apply(const struct ll_txn *txn, struct ll_write *write, uint64_t number)
{
    struct ll_coll *coll = write->doc->coll;
    if (writes_nothing(write))
        return;
    doom(txn, write);
    if (!coll->system) {
        coll->space->rows += rows_of(write);
        coll->space->bytes += bytes_of(write);
    }
    ll_doc_write(write->doc, number, write->content);
    write->content = NULL; /* the document's now */
    if (coll->written != NULL)
        coll->written(coll, write->doc);
}

uint64_t
ll_txn_commit(struct ll_txn *txn, struct ll_commit *commit)
{
    uint64_t number = ll_store_last(txn->docs->store) + 1;
    ll_check(!txn->doomed);
    for (const struct ll_write *w = txn->writes; w != NULL; w = w->next)
        put_write(w, number, commit);
    if (commit->ops.failed)
        return 0;
    for (struct ll_write *w = txn->writes; w != NULL; w = w->next)
        apply(txn, w, number);
    uint64_t given = ll_store_commit(txn->docs->store, commit);
    ll_check(given == number);
    ll_txn_reset(txn);
    return number;
}

/* -- indexes that have changed -- */

static bool
touches(const struct ll_txn *txn, const struct ll_coll *coll)
{
    for (const struct ll_reader *r = txn->readers; r != NULL; r = r->next_own)
        if (r->doc->coll == coll)
            return true;
    for (const struct ll_range *r = txn->ranges; r != NULL; r = r->next_own)
        if (r->coll == coll)
            return true;
    for (const struct ll_write *w = txn->writes; w != NULL; w = w->next)
        if (w->doc->coll == coll)
            return true;
    return false;
}

void
ll_txns_doom(const struct ll_coll *coll)
{
    for (struct ll_txn *t = coll->space->docs->txns; t != NULL; t = t->next)
        t->doomed = t->doomed || touches(t, coll);
}
