/* tests/unit/docs_fixture.h: a store with spaces, documents and transactions
 * on it, without a host, and the few steps that their tests are made of. */
#ifndef DOCS_FIXTURE_H
#define DOCS_FIXTURE_H

#include "data/scan.h"
#include "store_fixture.h"

#define NOW_MS ((int64_t)1700000000000)

struct engine {
    struct fixture f;
    struct ll_docs docs;
    struct ll_space *space;
    struct ll_coll *coll; /* "doc" */
    bool one_reader;      /* answers come in the order of the questions */
};

static inline void
engine_durable(void *user)
{
    struct engine *e = user;
    ll_docs_trim(&e->docs);
}

static inline void
engine_failed(void *user, const struct ll_err *err)
{
    struct engine *e = user;
    fixture_failed(&e->f, err);
}

/* The store, and what it holds. */
static inline void
engine_open(struct engine *e)
{
    struct fixture *f = &e->f;
    struct ll_store_options options = {.mem = &f->mem,
        .world = f->world,
        .dir_fd = f->dir_fd,
        .dir = f->dir_fd < 0 ? NULL : f->dir,
        .readers = e->one_reader ? 1 : 2,
        .durable = engine_durable,
        .failed = engine_failed,
        .user = e};
    T_INT(ll_store_open(&options, &f->store, &f->err), LINLI_OK);
    T_INT(
        ll_docs_open(&e->docs, &f->mem, f->world, f->store, &f->err), LINLI_OK);
    e->space = ll_docs_space(&e->docs, LINLI_STR("garden"), LINLI_STR("shop"));
    e->coll = ll_space_coll(e->space, LINLI_STR("doc"));
    T_OK(e->coll != NULL);
}

static inline void
engine_shut(struct engine *e)
{
    ll_docs_stop(&e->docs);
    ll_store_close(&e->f.store);
    ll_docs_close(&e->docs);
}

static inline void
engine_init(struct engine *e, bool memory)
{
    *e = (struct engine){.space = NULL};
    fixture_init(&e->f, memory);
    engine_open(e);
}

static inline void
engine_fini(struct engine *e)
{
    engine_shut(e);
    T_INT(e->f.failures, 0);
    fixture_fini(&e->f);
}

/* Turns until all that was committed is durable and nothing is asked. */
static inline void
engine_settle(struct engine *e)
{
    while (ll_store_durable(e->f.store) < ll_store_last(e->f.store) ||
           ll_store_floor(e->f.store) != UINT64_MAX)
        ll_world_turn(e->f.world, true);
}

/* Ends and begins again. In memory nothing stays. */
static inline void
engine_again(struct engine *e)
{
    engine_shut(e);
    engine_open(e);
    engine_settle(e);
}

static inline struct ll_ix *
engine_index(struct engine *e, const char *name, const char *text)
{
    struct ll_ix *ix = ll_coll_index(e->coll, ll_cstr(name), ll_cstr(text));
    T_OK(ix != NULL);
    return ix;
}

/* -- waiting -- */

struct waited {
    struct ll_wait wait;
    bool told;
};

static inline void
waited_ready(struct ll_wait *wait)
{
    struct waited *w = LL_CONTAINER(wait, struct waited, wait);
    T_OK(!w->told);
    w->told = true;
}

/* A reference to a document that is loaded by now. */
static inline struct ll_doc *
engine_doc_of(struct engine *e, struct ll_coll *coll, linli_str id)
{
    struct waited w = {.wait = {.ready = waited_ready}};
    struct ll_doc *doc = ll_docs_get(coll, id);
    T_OK(doc != NULL);
    if (doc != NULL && !ll_doc_ready(doc, &w.wait))
        fixture_wait(&e->f, &w.told);
    return doc;
}

static inline struct ll_doc *
engine_doc(struct engine *e, const char *id)
{
    return engine_doc_of(e, e->coll, ll_cstr(id));
}

/* -- transactions -- */

/* What the text becomes in a collection; NULL, with err, if it may not. */
static inline struct ll_content *
engine_content(struct engine *e, struct ll_coll *coll, linli_str text)
{
    struct ll_json json;
    struct ll_content *content = NULL;
    ll_json_init(&json, &e->f.mem);
    linli_status status = ll_json_parse(&json, text, 16, &e->f.err);
    if (status == LINLI_OK)
        status = ll_content_new(
            coll, ll_json_root(&json), text, NOW_MS, &content, &e->f.err);
    T_OK((status == LINLI_OK) == (content != NULL));
    ll_json_fini(&json);
    return content;
}

/* Writes (text NULL: deletes) a document that is loaded. */
static inline linli_status
txn_write(
    struct engine *e, struct ll_txn *txn, struct ll_doc *doc, const char *text)
{
    struct ll_content *content =
        text == NULL ? NULL : engine_content(e, doc->coll, ll_cstr(text));
    T_OK(text == NULL || content != NULL);
    return ll_txn_write(txn, doc, content, &e->f.err);
}

/* The same by id. */
static inline linli_status
txn_put(struct engine *e, struct ll_txn *txn, const char *id, const char *text)
{
    struct ll_doc *doc = engine_doc(e, id);
    linli_status status = txn_write(e, txn, doc, text);
    ll_doc_unref(&doc);
    return status;
}

/* Its number; 0 without memory. */
static inline uint64_t
txn_commit(struct engine *e, struct ll_txn *txn)
{
    struct ll_commit *commit = ll_docs_commit_new(&e->docs);
    if (commit == NULL)
        return 0;
    ll_docs_commit_unwatched(&e->docs, commit);
    uint64_t number = ll_txn_commit(txn, commit);
    if (number == 0)
        ll_docs_commit_free(&e->docs, commit);
    return number;
}

/* A transaction of one write, committed; the loop does not turn. */
static inline uint64_t
engine_write(struct engine *e, struct ll_doc *doc, const char *text)
{
    struct ll_txn txn;
    ll_txn_init(&txn, &e->docs);
    T_INT(txn_write(e, &txn, doc, text), LINLI_OK);
    uint64_t number = txn_commit(e, &txn);
    T_OK(number != 0);
    ll_txn_fini(&txn);
    return number;
}

/* The same by id: it turns until the document is loaded. */
static inline uint64_t
engine_put(struct engine *e, const char *id, const char *text)
{
    struct ll_doc *doc = engine_doc(e, id);
    uint64_t number = engine_write(e, doc, text);
    ll_doc_unref(&doc);
    return number;
}

/* What a transaction sees of a document: its body, or "-". */
static inline const char *
txn_get(struct engine *e, struct ll_txn *txn, const char *id, char out[256])
{
    const struct ll_content *content = NULL;
    struct ll_doc *doc = engine_doc(e, id);
    T_INT(ll_txn_read(txn, doc, &content, &e->f.err), LINLI_OK);
    snprintf(out, 256, "%.*s", content == NULL ? 1 : (int)content->body.len,
        content == NULL ? "-" : content->body.ptr);
    ll_doc_unref(&doc);
    return out;
}

#define T_SEES(e, txn, id, want)                                   \
    do {                                                           \
        char t_seen[256];                                          \
        T_STR(ll_cstr(txn_get((e), (txn), (id), t_seen)), (want)); \
    } while (0)

#endif
