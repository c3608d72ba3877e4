/* data/doc.c: documents in memory: found, loaded, written, forgotten.
 * [loop]
 *
 * What must stay true: a document that is in the table is the newest state
 * there is. A commit writes it here before the store has it; it stays at
 * least as long as an answer may come that does not have it yet
 * (ll_store_floor).
 */
#include <string.h>

#include "base/text.h"
#include "data/docs.h"
#include "data/known.h"

#define ALIGN sizeof(void *)

/* -- contents -- */

linli_str
ll_content_key(const struct ll_content *content, const struct ll_ix *ix)
{
    for (uint32_t i = 0; content != NULL && i < content->key_count; i++)
        if (content->keys[i].ix == ix)
            return content->keys[i].bytes;
    return (linli_str){NULL, 0};
}

void
ll_content_free(struct ll_mem *mem, struct ll_content **content)
{
    if (*content != NULL)
        ll_release(mem, *content, (*content)->block_bytes);
    *content = NULL;
}

bool
ll_pid_valid(linli_str s)
{
    if (s.len != 32)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
                (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return true;
}

/* Where a content's parts are before it is one block. */
struct parts {
    struct ll_coll *coll;
    linli_str body, subject;
    int64_t due_ms;
    uint32_t key_count;
    struct {
        struct ll_ix *ix;
        size_t from, to; /* in docs->key_bytes */
    } keys[LL_INDEXES_KEPT_MAX];
};

static linli_str
place(char **at, linli_str s)
{
    linli_str placed = {*at, s.len};
    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return placed;
}

static struct ll_content *
join(const struct parts *parts)
{
    struct ll_docs *docs = parts->coll->space->docs;
    size_t head = sizeof(struct ll_content) +
                  parts->key_count * sizeof(struct ll_doc_key);
    size_t bytes =
        head + parts->body.len + parts->subject.len + docs->key_bytes.len + 1;
    struct ll_content *content = ll_realloc(docs->mem, NULL, 0, bytes);
    if (content == NULL)
        return NULL;
    char *at = (char *)content + head;
    content->block_bytes = bytes;
    content->body = place(&at, parts->body);
    content->subject = place(&at, parts->subject);
    content->due_ms = parts->due_ms;
    content->epoch = parts->coll->epoch;
    content->key_count = parts->key_count;
    linli_str keys = place(&at, ll_buf_view(&docs->key_bytes));
    for (uint32_t i = 0; i < parts->key_count; i++)
        content->keys[i] = (struct ll_doc_key){
            parts->keys[i].ix, {keys.ptr + parts->keys[i].from,
                                   parts->keys[i].to - parts->keys[i].from}};
    return content;
}

/* The document's keys into docs->key_bytes. */
static linli_status
put_keys(struct ll_coll *coll, struct ll_jv document, struct parts *parts,
    struct ll_err *err)
{
    struct ll_buf *bytes = &coll->space->docs->key_bytes;
    ll_buf_clear(bytes);
    for (struct ll_ix *ix = coll->indexes; ix != NULL; ix = ix->next) {
        bool there;
        size_t from = bytes->len;
        linli_status status =
            ll_index_key(&ix->spec, document, bytes, &there, err);
        if (status != LINLI_OK && ix->retired) {
            bytes->len = from;
            continue;
        }
        if (status != LINLI_OK) {
            ll_err_where(
                err, "%.*s.%.*s: ", LL_FMT(coll->name), LL_FMT(ix->name));
            return status;
        }
        if (!there)
            continue;
        ll_check(parts->key_count < LL_INDEXES_KEPT_MAX);
        parts->keys[parts->key_count].ix = ix;
        parts->keys[parts->key_count].from = from;
        parts->keys[parts->key_count++].to = bytes->len;
    }
    return bytes->failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "keys")
                         : LINLI_OK;
}

/* When the document is to go. */
static int64_t
due_of(const struct ll_coll *coll, struct ll_jv document, int64_t now_ms)
{
    int64_t from = now_ms;
    if (coll->retention_ms == 0)
        return 0;
    if (coll->retention_from.len > 0 &&
        !ll_jv_int(ll_jv_get_str(document, coll->retention_from), &from))
        return 0;
    int64_t due;
    if (__builtin_add_overflow(from, coll->retention_ms, &due))
        return INT64_MAX;
    return due < 1 ? 1 : due;
}

linli_status
ll_content_new(struct ll_coll *coll, struct ll_jv document, linli_str body,
    int64_t now_ms, struct ll_content **out, struct ll_err *err)
{
    struct parts parts = {.coll = coll, .body = body};
    *out = NULL;
    if (coll->subject.len > 0) {
        struct ll_jv subject = ll_jv_get_str(document, coll->subject);
        parts.subject = ll_jv_str(subject);
        if (ll_jv_there(subject) && !ll_jv_is(subject, LL_JSON_NULL) &&
            !ll_pid_valid(parts.subject))
            return ll_fail(err, LINLI_E_INVALID, "db/document",
                "%.*s: `%.*s` is to be a resident's pid", LL_FMT(coll->name),
                LL_FMT(coll->subject));
    }
    parts.due_ms = due_of(coll, document, now_ms);
    linli_status status = put_keys(coll, document, &parts, err);
    if (status != LINLI_OK)
        return status;
    *out = join(&parts);
    return *out == NULL
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a document")
               : LINLI_OK;
}

struct ll_content *
ll_content_plain(
    struct ll_coll *coll, linli_str body, linli_str subject, int64_t due_ms)
{
    struct parts parts = {
        .coll = coll, .body = body, .subject = subject, .due_ms = due_ms};
    ll_buf_clear(&coll->space->docs->key_bytes);
    return join(&parts);
}

/* -- the table -- */

static uint64_t
hash_of(const struct ll_coll *coll, linli_str id)
{
    return ll_siphash(coll->space->docs->hash_key, id) +
           (uint64_t)coll->id * 0x9e3779b97f4a7c15u;
}

static struct ll_doc *
table_find(const struct ll_docs *docs, const struct ll_coll *coll, linli_str id,
    uint64_t hash)
{
    struct ll_doc *doc = docs->table[hash & (docs->table_cap - 1)];
    while (doc != NULL &&
           !(doc->hash == hash && doc->coll == coll && ll_str_eq(doc->id, id)))
        doc = doc->chain;
    return doc;
}

/* Doubled when full; without memory chains grow longer. */
static void
table_grow(struct ll_docs *docs)
{
    uint32_t cap = docs->table_cap * 2;
    struct ll_doc **table = ll_alloc(docs->mem, cap * sizeof *table);
    if (table == NULL)
        return;
    for (uint32_t i = 0; i < docs->table_cap; i++)
        while (docs->table[i] != NULL) {
            struct ll_doc *doc = docs->table[i];
            docs->table[i] = doc->chain;
            doc->chain = table[doc->hash & (cap - 1)];
            table[doc->hash & (cap - 1)] = doc;
        }
    ll_release(docs->mem, docs->table, docs->table_cap * sizeof *docs->table);
    docs->table = table;
    docs->table_cap = cap;
}

static struct ll_doc *
doc_new(struct ll_coll *coll, linli_str id, uint64_t hash)
{
    struct ll_docs *docs = coll->space->docs;
    if (docs->doc_count >= docs->table_cap)
        table_grow(docs);
    struct ll_doc *doc = ll_alloc(docs->mem, sizeof *doc + id.len + 1);
    if (doc == NULL)
        return NULL;
    char *text = (char *)(doc + 1);
    memcpy(text, id.ptr, id.len);
    doc->coll = coll;
    doc->id = (linli_str){text, id.len};
    doc->hash = hash;
    doc->chain = docs->table[hash & (docs->table_cap - 1)];
    docs->table[hash & (docs->table_cap - 1)] = doc;
    docs->doc_count++;
    return doc;
}

static size_t
doc_bytes(const struct ll_doc *doc)
{
    return sizeof *doc + doc->id.len + 1 +
           (doc->content == NULL ? 0 : doc->content->block_bytes);
}

static void
idle_remove(struct ll_docs *docs, struct ll_doc *doc)
{
    if (!doc->idle)
        return;
    doc->idle = false;
    docs->idle_bytes -= doc_bytes(doc);
    if (doc->idle_prev != NULL)
        doc->idle_prev->idle_next = doc->idle_next;
    else
        docs->idle_first = doc->idle_next;
    if (doc->idle_next != NULL)
        doc->idle_next->idle_prev = doc->idle_prev;
    else
        docs->idle_last = doc->idle_prev;
}

static void
idle_push(struct ll_docs *docs, struct ll_doc *doc)
{
    doc->idle = true;
    doc->idle_next = NULL;
    doc->idle_prev = docs->idle_last;
    if (docs->idle_last != NULL)
        docs->idle_last->idle_next = doc;
    else
        docs->idle_first = doc;
    docs->idle_last = doc;
    docs->idle_bytes += doc_bytes(doc);
}

static void
doc_drop(struct ll_docs *docs, struct ll_doc *doc)
{
    idle_remove(docs, doc);
    struct ll_doc **at = &docs->table[doc->hash & (docs->table_cap - 1)];
    while (*at != doc)
        at = &(*at)->chain;
    *at = doc->chain;
    docs->doc_count--;
    ll_content_free(docs->mem, &doc->content);
    ll_release(docs->mem, doc, sizeof *doc + doc->id.len + 1);
}

/* Nobody holds it: into the cache, whose oldest go. */
static void
idle_add(struct ll_docs *docs, struct ll_doc *doc)
{
    if (doc->idle || doc->refs > 0 || doc->in_recent || doc->query != NULL)
        return;
    if (doc->state == LL_DOC_LOST || doc->coll->fleeting) {
        doc_drop(docs, doc);
        return;
    }
    idle_push(docs, doc);
    while (docs->idle_bytes > LL_DOC_CACHE_BYTES_MAX)
        doc_drop(docs, docs->idle_first);
}

void
ll_doc_unref(struct ll_doc **doc_at)
{
    struct ll_doc *doc = *doc_at;
    *doc_at = NULL;
    if (doc == NULL)
        return;
    ll_check(doc->refs > 0);
    if (--doc->refs == 0)
        idle_add(doc->coll->space->docs, doc);
}

static struct ll_doc *
doc_ref(struct ll_doc *doc)
{
    idle_remove(doc->coll->space->docs, doc);
    doc->refs++;
    return doc;
}

/* -- loading -- */

/* The columns version, due, subject, body of a row. */
struct columns {
    int64_t version, due_ms;
    linli_str subject, body;
    bool there; /* false: its key is gone, and so is the document */
};

static struct columns
read_columns(struct ll_rd *row)
{
    struct columns columns = {.version = ll_rd_int(row)};
    bool about;
    if (ll_rd_peek(row) == LL_VALUE_INT)
        columns.due_ms = ll_rd_int(row);
    else
        (void)ll_rd_value(row);
    columns.subject = ll_rd_bytes_or_nil(row, &about);
    columns.body = ll_rd_bytes_or_nil(row, &columns.there);
    return columns;
}

/* From the file: it was judged when it was written, but for indexes that are
 * younger than it and that it may not fit. NULL without memory, or if it is not
 * there. */
static struct ll_content *
content_of(struct ll_coll *coll, const struct columns *columns)
{
    struct ll_docs *docs = coll->space->docs;
    struct parts parts = {.coll = coll,
        .body = columns->body,
        .subject = columns->subject,
        .due_ms = columns->due_ms};
    if (!columns->there)
        return NULL;
    ll_buf_clear(&docs->key_bytes);
    if (coll->indexes != NULL) {
        if (ll_json_parse(&docs->json, columns->body, LL_JSON_DEPTH_MAX,
                NULL) != LINLI_OK)
            return NULL;
        for (struct ll_ix *ix = coll->indexes; ix != NULL; ix = ix->next) {
            bool there;
            size_t from = docs->key_bytes.len;
            if (ll_index_key(&ix->spec, ll_json_root(&docs->json),
                    &docs->key_bytes, &there, NULL) != LINLI_OK ||
                !there) {
                docs->key_bytes.len = from;
                continue;
            }
            ll_check(parts.key_count < LL_INDEXES_KEPT_MAX);
            parts.keys[parts.key_count].ix = ix;
            parts.keys[parts.key_count].from = from;
            parts.keys[parts.key_count++].to = docs->key_bytes.len;
        }
    }
    return docs->key_bytes.failed ? NULL : join(&parts);
}

static void
query_free(struct ll_docs *docs, struct ll_query *query)
{
    ll_query_fini(query);
    ll_release(docs->mem, query, sizeof *query);
}

/* What the store has of it. */
static void
take_loaded(struct ll_doc *doc, const struct ll_query *query)
{
    struct ll_coll *coll = doc->coll;
    doc->state = query->status == LINLI_OK ? LL_DOC_KNOWN : LL_DOC_LOST;
    if (query->status == LINLI_OK && query->row_count > 0) {
        struct ll_rd row = ll_rd(ll_buf_view(&query->rows));
        (void)ll_rd_list(&row);
        struct columns columns = read_columns(&row);
        doc->version = (uint64_t)columns.version;
        doc->content = content_of(coll, &columns);
        if (columns.there && doc->content == NULL)
            doc->state = LL_DOC_LOST;
    }
}

static void
on_loaded(struct ll_query *query)
{
    struct ll_doc *doc = query->user;
    struct ll_docs *docs = doc->coll->space->docs;
    doc->query = NULL;
    /* Unless a list had it before, and it may have been written since. */
    if (doc->state == LL_DOC_LOADING)
        take_loaded(doc, query);
    query_free(docs, query);
    doc->refs++; /* those who are told may be the last that hold it */
    ll_wait_tell(&doc->waits);
    ll_doc_unref(&doc);
}

static linli_status
doc_load(struct ll_doc *doc)
{
    struct ll_docs *docs = doc->coll->space->docs;
    struct ll_query *query = ll_alloc(docs->mem, sizeof *query);
    if (query == NULL)
        return LINLI_E_NOMEM;
    ll_query_init(query, docs->mem, LL_ST_doc_get);
    ll_put_int(&query->params, doc->coll->id);
    ll_put_bytes(&query->params, doc->id);
    query->rows_max = 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_loaded;
    query->user = doc;
    if (query->params.failed) {
        query_free(docs, query);
        return LINLI_E_NOMEM;
    }
    doc->query = query;
    ll_store_query(docs->store, query);
    return LINLI_OK;
}

struct ll_doc *
ll_docs_get(struct ll_coll *coll, linli_str id)
{
    struct ll_docs *docs = coll->space->docs;
    uint64_t hash = hash_of(coll, id);
    struct ll_doc *doc = table_find(docs, coll, id, hash);
    if (doc != NULL)
        return doc_ref(doc);
    doc = doc_new(coll, id, hash);
    if (doc == NULL)
        return NULL;
    if (doc_load(doc) != LINLI_OK) {
        doc_drop(docs, doc);
        return NULL;
    }
    return doc_ref(doc);
}

struct ll_doc *
ll_docs_make(struct ll_coll *coll, linli_str id)
{
    uint64_t hash = hash_of(coll, id);
    struct ll_doc *doc = table_find(coll->space->docs, coll, id, hash);
    if (doc != NULL)
        return doc_ref(doc);
    doc = doc_new(coll, id, hash);
    if (doc == NULL)
        return NULL;
    doc->state = LL_DOC_KNOWN;
    return doc_ref(doc);
}

bool
ll_doc_ready(struct ll_doc *doc, struct ll_wait *wait)
{
    if (doc->state != LL_DOC_LOADING)
        return true;
    ll_wait_add(&doc->waits, wait);
    return false;
}

struct ll_doc *
ll_doc_from_row(struct ll_coll *coll, linli_str id, struct ll_rd *row)
{
    struct ll_docs *docs = coll->space->docs;
    uint64_t hash = hash_of(coll, id);
    struct ll_doc *doc = table_find(docs, coll, id, hash);
    struct columns columns = read_columns(row);
    if (doc != NULL && doc->state == LL_DOC_KNOWN)
        return doc_ref(doc);
    struct ll_content *content = content_of(coll, &columns);
    if (columns.there && content == NULL)
        return NULL;
    if (doc == NULL)
        doc = doc_new(coll, id, hash);
    if (doc == NULL) {
        ll_content_free(docs->mem, &content);
        return NULL;
    }
    /* If it was loading, those who wait for that are told when it comes: what
     * they do may change what the caller is looking at. */
    doc_ref(doc);
    doc->state = LL_DOC_KNOWN;
    doc->content = content;
    doc->version = (uint64_t)columns.version;
    return doc;
}

/* -- what commits have written -- */

static void
recent_remove(struct ll_doc *doc)
{
    struct ll_coll *coll = doc->coll;
    struct ll_docs *docs = coll->space->docs;
    if (!doc->in_recent)
        return;
    doc->in_recent = false;
    if (doc->recent_prev != NULL)
        doc->recent_prev->recent_next = doc->recent_next;
    else
        coll->recent = doc->recent_next;
    if (doc->recent_next != NULL)
        doc->recent_next->recent_prev = doc->recent_prev;
    else
        coll->recent_last = doc->recent_prev;
    if (doc->new_prev != NULL)
        doc->new_prev->new_next = doc->new_next;
    else
        docs->new_first = doc->new_next;
    if (doc->new_next != NULL)
        doc->new_next->new_prev = doc->new_prev;
    else
        docs->new_last = doc->new_prev;
}

/* Numbers only ascend: the newest is last. */
static void
recent_add(struct ll_doc *doc)
{
    struct ll_coll *coll = doc->coll;
    struct ll_docs *docs = coll->space->docs;
    doc->in_recent = true;
    doc->recent_next = NULL;
    doc->recent_prev = coll->recent_last;
    if (coll->recent_last != NULL)
        coll->recent_last->recent_next = doc;
    else
        coll->recent = doc;
    coll->recent_last = doc;
    doc->new_next = NULL;
    doc->new_prev = docs->new_last;
    if (docs->new_last != NULL)
        docs->new_last->new_next = doc;
    else
        docs->new_first = doc;
    docs->new_last = doc;
}

void
ll_doc_write(
    struct ll_doc *doc, uint64_t number, struct ll_content *take_content)
{
    struct ll_docs *docs = doc->coll->space->docs;
    ll_check(doc->state == LL_DOC_KNOWN);
    ll_check(!doc->idle);
    recent_remove(doc);
    ll_content_free(docs->mem, &doc->content);
    doc->content = take_content;
    doc->version = number;
    doc->number = number;
    recent_add(doc);
}

void
ll_docs_trim(struct ll_docs *docs)
{
    uint64_t floor = ll_store_floor(docs->store);
    uint64_t durable = ll_store_durable(docs->store);
    if (durable < floor)
        floor = durable;
    while (docs->new_first != NULL && docs->new_first->number <= floor) {
        struct ll_doc *doc = docs->new_first;
        recent_remove(doc);
        idle_add(docs, doc);
    }
    ll_wait_tell(&docs->built);
}

bool
ll_ix_built(struct ll_ix *ix, struct ll_wait *wait)
{
    struct ll_docs *docs = ix->coll->space->docs;
    if (ix->number <= ll_store_durable(docs->store))
        return true;
    ll_wait_add(&docs->built, wait);
    return false;
}

/* -- indexes that have changed -- */

/* The next document of the collection that is there, in the table's order;
 * from the start: doc NULL. */
static struct ll_doc *
table_next(struct ll_coll *coll, struct ll_doc *doc, uint32_t *slot)
{
    const struct ll_docs *docs = coll->space->docs;
    if (doc == NULL)
        *slot = 0;
    doc = doc == NULL ? docs->table[0] : doc->chain;
    for (;; doc = doc->chain) {
        while (doc == NULL && ++*slot < docs->table_cap)
            doc = docs->table[*slot];
        if (doc == NULL || (doc->coll == coll && doc->content != NULL))
            return doc;
    }
}

/* Makes the contents of all such documents anew. */
static bool
make_anew(struct ll_coll *coll, struct ll_content **made)
{
    uint32_t slot;
    for (struct ll_doc *doc = table_next(coll, NULL, &slot); doc != NULL;
         doc = table_next(coll, doc, &slot)) {
        const struct ll_content *old = doc->content;
        const struct columns columns = {.due_ms = old->due_ms,
            .subject = old->subject,
            .body = old->body,
            .there = true};
        *made = content_of(coll, &columns);
        if (*made++ == NULL)
            return false;
    }
    return true;
}

bool
ll_docs_reindexed(struct ll_coll *coll)
{
    struct ll_docs *docs = coll->space->docs;
    uint32_t slot, count = 0;
    for (struct ll_doc *doc = table_next(coll, NULL, &slot); doc != NULL;
         doc = table_next(coll, doc, &slot))
        count++;
    if (count == 0)
        return true;
    struct ll_content **made = ll_alloc(docs->mem, count * sizeof(void *));
    bool good = made != NULL && make_anew(coll, made);
    struct ll_content **at = made;
    for (struct ll_doc *doc = good ? table_next(coll, NULL, &slot) : NULL;
         doc != NULL; doc = table_next(coll, doc, &slot)) {
        struct ll_content *old = doc->content;
        if (doc->idle)
            docs->idle_bytes += (*at)->block_bytes - old->block_bytes;
        doc->content = *at;
        *at++ = old;
    }
    /* Those that are not used: the old ones, or what was made in vain. */
    for (uint32_t i = 0; made != NULL && i < count; i++)
        ll_content_free(docs->mem, &made[i]);
    if (made != NULL)
        ll_release(docs->mem, made, count * sizeof(void *));
    while (docs->idle_bytes > LL_DOC_CACHE_BYTES_MAX)
        doc_drop(docs, docs->idle_first);
    return good;
}

/* It is not loaded any more, and nobody is told. */
static void
load_cancel(struct ll_doc *doc)
{
    struct ll_docs *docs = doc->coll->space->docs;
    if (doc->query == NULL)
        return;
    ll_store_cancel(docs->store, doc->query);
    query_free(docs, doc->query);
    doc->query = NULL;
    if (doc->state == LL_DOC_LOADING)
        doc->state = LL_DOC_LOST;
}

void
ll_docs_stop(struct ll_docs *docs)
{
    for (uint32_t i = 0; docs->table != NULL && i < docs->table_cap; i++)
        for (struct ll_doc *doc = docs->table[i]; doc != NULL; doc = doc->chain)
            load_cancel(doc);
    for (struct ll_space *s = docs->spaces; s != NULL; s = s->next)
        ll_known_close(s);
}

void
ll_docs_drop_docs(struct ll_docs *docs)
{
    for (uint32_t i = 0; docs->table != NULL && i < docs->table_cap; i++)
        while (docs->table[i] != NULL) {
            struct ll_doc *doc = docs->table[i];
            ll_check(doc->query == NULL);
            ll_check(doc->refs == 0);
            doc_drop(docs, doc);
        }
    docs->new_first = docs->new_last = NULL;
}
