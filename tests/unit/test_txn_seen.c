/* tests/unit/test_txn_seen.c: what a transaction has seen, while nothing of it
 * is durable. That it sees the right things is shown by the histories
 * (tests/scenario/test_histories.py); this is about when it may be told. Where
 * the machine stands still for longer than the disk, a case proves nothing. */
#include "data/scan.h"
#include "store_fixture.h"
#include "store_shim.h"

#define SYNC_US 200000 /* of the disk, while a case looks */

struct stand {
    struct fixture f;
    struct ll_docs docs;
    struct ll_coll *coll;
    struct ll_ix *by_a;
};

static void
stand_init(struct stand *s)
{
    static const char by_a[] = "{\"fields\":[\"a\"]}";
    fixture_init(&s->f, false);
    T_INT(fixture_open(&s->f), LINLI_OK);
    T_INT(ll_docs_open(&s->docs, &s->f.mem, s->f.world, s->f.store, &s->f.err),
        LINLI_OK);
    struct ll_space *space =
        ll_docs_space(&s->docs, LINLI_STR("demo"), LINLI_STR("shop"));
    s->coll = ll_space_coll(space, LINLI_STR("thing"));
    s->by_a = ll_coll_index(s->coll, LINLI_STR("by_a"), ll_cstr(by_a));
    T_OK(s->by_a != NULL);
}

static void
stand_fini(struct stand *s)
{
    ll_docs_stop(&s->docs);
    ll_store_close(&s->f.store);
    ll_docs_close(&s->docs);
    fixture_fini(&s->f);
}

/* The document in memory, with a reference. */
static struct ll_doc *
load(struct stand *s, const char *id)
{
    struct ll_doc *doc = ll_docs_get(s->coll, ll_cstr(id));
    while (doc->state == LL_DOC_LOADING)
        ll_world_turn(s->f.world, true);
    T_INT(doc->state, LL_DOC_KNOWN);
    return doc;
}

static void
on_done(struct ll_commit *commit, bool durable)
{
    T_OK(durable);
    ll_docs_commit_free(commit->user, commit);
}

/* Commits the document, NULL: deletes it; the number. Turns no loop. */
static uint64_t
commit(struct stand *s, struct ll_doc *doc, const char *body)
{
    struct ll_txn txn;
    struct ll_content *content = NULL;
    struct ll_err *err = &s->f.err;
    ll_txn_init(&txn, &s->docs);
    if (body != NULL) {
        T_INT(ll_json_parse(&s->docs.json, ll_cstr(body), 4, err), LINLI_OK);
        T_INT(ll_content_new(s->coll, ll_json_root(&s->docs.json),
                  ll_cstr(body), 0, &content, err),
            LINLI_OK);
    }
    T_INT(ll_txn_write(&txn, doc, content, err), LINLI_OK);
    struct ll_commit *commit = ll_docs_commit_new(&s->docs);
    commit->done = on_done;
    commit->user = &s->docs;
    uint64_t number = ll_txn_commit(&txn, commit);
    T_OK(number > 0);
    ll_txn_fini(&txn);
    return number;
}

static void
until_durable(struct stand *s)
{
    while (ll_store_durable(s->f.store) < ll_store_last(s->f.store))
        ll_world_turn(s->f.world, true);
}

static void
on_scanned(struct ll_scan *scan)
{
    *(bool *)scan->user = true;
}

/* How many there are, or in the index how many with an "a" from "b" on; what
 * the transaction has seen is in *high. 0x20 is a text's mark in a key. */
static uint32_t
look(struct stand *s, struct ll_ix *ix, uint64_t *high)
{
    struct ll_txn txn;
    struct ll_scan scan;
    bool done = false;
    ll_txn_init(&txn, &s->docs);
    ll_scan_init(&scan, &txn);
    scan.coll = s->coll;
    scan.ix = ix;
    scan.low = ix == NULL ? LINLI_STR("")
                          : LINLI_STR("\x20"
                                      "b");
    scan.limit = 10;
    scan.done = on_scanned;
    scan.user = &done;
    ll_scan_start(&scan);
    fixture_wait(&s->f, &done);
    T_INT(scan.status, LINLI_OK);
    *high = txn.read_high;
    uint32_t count = scan.count;
    ll_scan_fini(&scan);
    ll_txn_fini(&txn);
    return count;
}

/* A range is as it is because of commits that the disk does not have yet:
 * who has looked must not answer before they are there, even if nothing of
 * them is left to be seen. */
T_CASE(what_came_and_went)
{
    struct stand s;
    uint64_t high;
    stand_init(&s);
    struct ll_doc *doc = load(&s, "x");
    until_durable(&s);
    T_INT(look(&s, s.by_a, &high), 0);
    T_INT(high, 0);
    atomic_store(&shim.log_us, SYNC_US);
    commit(&s, doc, "{\"id\":\"x\",\"a\":\"c\"}");
    uint64_t gone = commit(&s, doc, NULL);
    T_INT(look(&s, s.by_a, &high), 0);
    T_OK(high == gone || ll_store_durable(s.f.store) >= gone);
    T_INT(look(&s, NULL, &high), 0);
    T_OK(high == gone || ll_store_durable(s.f.store) >= gone);
    atomic_store(&shim.log_us, 0);
    until_durable(&s);
    T_INT(look(&s, s.by_a, &high), 0);
    ll_doc_unref(&doc);
    stand_fini(&s);
}

/* The same of one that is in another part of the index now. */
T_CASE(what_moved_through)
{
    struct stand s;
    uint64_t high;
    stand_init(&s);
    struct ll_doc *doc = load(&s, "x");
    commit(&s, doc, "{\"id\":\"x\",\"a\":\"a\"}");
    until_durable(&s);
    atomic_store(&shim.log_us, SYNC_US);
    commit(&s, doc, "{\"id\":\"x\",\"a\":\"c\"}");
    uint64_t out = commit(&s, doc, "{\"id\":\"x\",\"a\":\"a\"}");
    T_INT(look(&s, s.by_a, &high), 0);
    T_OK(high == out || ll_store_durable(s.f.store) >= out);
    T_INT(look(&s, NULL, &high), 1);
    T_OK(high == out || ll_store_durable(s.f.store) >= out);
    atomic_store(&shim.log_us, 0);
    until_durable(&s);
    ll_doc_unref(&doc);
    stand_fini(&s);
}

/* A document of a commit that the disk does not have yet, there or deleted. */
T_CASE(what_is_on_its_way)
{
    struct stand s;
    struct ll_txn txn;
    const struct ll_content *content;
    stand_init(&s);
    struct ll_doc *doc = load(&s, "x");
    until_durable(&s);
    for (int i = 0; i < 2; i++) {
        uint64_t number =
            commit(&s, doc, i == 0 ? "{\"id\":\"x\",\"a\":\"a\"}" : NULL);
        ll_txn_init(&txn, &s.docs);
        T_INT(ll_txn_read(&txn, doc, &content, &s.f.err), LINLI_OK);
        T_OK((content != NULL) == (i == 0));
        T_INT(txn.read_high, number);
        ll_txn_fini(&txn);
    }
    until_durable(&s);
    ll_doc_unref(&doc);
    stand_fini(&s);
}

int
main(void)
{
    shim_install();
    T_RUN(what_came_and_went)
    T_RUN(what_moved_through)
    T_RUN(what_is_on_its_way)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
