/* tests/unit/test_reindex.c: indexes that come, and take the place of others,
 * while documents are written, read and listed. */
#include "docs_fixture.h"

#define BY_A "{\"fields\":[\"a\"],\"sparse\":true}"
#define BY_B "{\"fields\":[\"b\"],\"sparse\":true}"

/* -- asking -- */

struct listed {
    struct ll_scan scan;
    bool done;
    linli_status status;
    char ids[256]; /* each with a space behind; unless it is doomed */
};

static void
on_listed(struct ll_scan *scan)
{
    struct listed *l = scan->user;
    T_OK(!l->done);
    l->done = true;
    l->status = scan->status;
    for (uint32_t i = 0; !scan->txn->doomed && i < scan->count; i++) {
        const struct ll_scan_item *item = &scan->items[i];
        size_t at = strlen(l->ids);
        T_OK(item->content->body.len > 0); /* it can be read */
        (void)snprintf(
            l->ids + at, sizeof l->ids - at, "%.*s ", LL_FMT(item->id));
    }
}

static void
list_begin(
    struct listed *l, struct engine *e, struct ll_ix *ix, struct ll_txn *txn)
{
    *l = (struct listed){.done = false};
    ll_scan_init(&l->scan, txn);
    l->scan.coll = e->coll;
    l->scan.ix = ix;
    l->scan.limit = 50;
    l->scan.done = on_listed;
    l->scan.user = l;
    ll_scan_start(&l->scan);
    T_OK(!l->done);
}

static void
list_end(struct listed *l, struct engine *e)
{
    fixture_wait(&e->f, &l->done);
    ll_scan_fini(&l->scan);
}

#define T_LISTS(e, ix, want)                      \
    do {                                          \
        struct listed t_listed;                   \
        struct ll_txn t_txn;                      \
        ll_txn_init(&t_txn, &(e)->docs);          \
        list_begin(&t_listed, (e), (ix), &t_txn); \
        list_end(&t_listed, (e));                 \
        T_INT(t_listed.status, LINLI_OK);         \
        T_STR(ll_cstr(t_listed.ids), (want));     \
        ll_txn_fini(&t_txn);                      \
    } while (0)

/* Three documents: one in the file alone, one cached, one not durable. */
static void
three(struct engine *e)
{
    engine_init(e, false);
    e->coll->fleeting = true;
    (void)engine_put(e, "x", "{\"id\":\"x\",\"a\":1,\"b\":3}");
    engine_settle(e);
    ll_docs_trim(&e->docs);
    e->coll->fleeting = false;
    (void)engine_put(e, "y", "{\"id\":\"y\",\"a\":2,\"b\":2}");
    struct ll_doc *z = engine_doc(e, "z");
    engine_settle(e);
    T_INT(e->docs.doc_count, 2);
    (void)engine_write(e, z, "{\"id\":\"z\",\"a\":3,\"b\":1}");
    ll_doc_unref(&z);
}

/* -- an index that is new -- */

T_CASE(a_new_index_has_what_was_there)
{
    struct engine e;
    three(&e);
    struct ll_ix *ix = engine_index(&e, "i", BY_A);
    T_OK(ll_store_durable(e.f.store) < ix->number);
    T_LISTS(&e, ix, "x y z "); /* it waits until it is built */
    T_OK(ll_store_durable(e.f.store) >= ix->number);
    engine_settle(&e);
    engine_again(&e);
    T_LISTS(&e, ll_coll_find_index(e.coll, LINLI_STR("i")), "x y z ");
    engine_fini(&e);
}

/* What a new index cannot hold has no entry, and gets one when it can. */
T_CASE(what_a_new_index_cannot_hold)
{
    struct engine e;
    engine_init(&e, false);
    (void)engine_put(&e, "x", "{\"id\":\"x\",\"a\":[1]}");
    (void)engine_put(&e, "y", "{\"id\":\"y\",\"a\":1}");
    struct ll_ix *ix = engine_index(&e, "i", BY_A);
    T_LISTS(&e, ix, "y ");
    (void)engine_put(&e, "x", "{\"id\":\"x\",\"a\":0}");
    T_LISTS(&e, ix, "x y ");
    engine_settle(&e);
    engine_again(&e);
    T_LISTS(&e, ll_coll_find_index(e.coll, LINLI_STR("i")), "x y ");
    engine_fini(&e);
}

T_CASE(a_scan_that_waits_can_be_dropped)
{
    struct engine e;
    struct listed l;
    struct ll_txn txn;
    three(&e);
    struct ll_ix *ix = engine_index(&e, "i", BY_A);
    ll_txn_init(&txn, &e.docs);
    list_begin(&l, &e, ix, &txn);
    T_OK(e.docs.built != NULL);
    ll_scan_fini(&l.scan);
    T_OK(e.docs.built == NULL);
    engine_settle(&e);
    T_OK(!l.done);
    ll_txn_fini(&txn);
    engine_fini(&e);
}

/* -- who has begun before -- */

T_CASE(who_has_read_or_written_begins_again)
{
    struct engine e;
    struct ll_txn txns[5];
    const struct ll_range range = {.low = LINLI_STR("")};
    three(&e);
    struct ll_coll *mine = e.coll;
    struct ll_coll *other = ll_space_coll(e.space, LINLI_STR("other"));
    struct ll_ix *old = engine_index(&e, "i", BY_A);
    for (size_t i = 0; i < COUNT(txns); i++)
        ll_txn_init(&txns[i], &e.docs);
    T_SEES(&e, &txns[0], "q", "-");
    T_INT(txn_put(&e, &txns[1], "q", "{\"id\":\"q\"}"), LINLI_OK);
    T_INT(ll_txn_read_range(&txns[2], mine, old, &range, &e.f.err), LINLI_OK);
    T_INT(ll_txn_read_range(&txns[3], mine, NULL, &range, &e.f.err), LINLI_OK);
    T_INT(ll_txn_read_range(&txns[4], other, NULL, &range, &e.f.err), LINLI_OK);
    e.coll = other;
    T_SEES(&e, &txns[4], "q", "-");
    T_INT(txn_put(&e, &txns[4], "q", "{\"id\":\"q\"}"), LINLI_OK);
    e.coll = mine;
    T_OK(engine_index(&e, "i", BY_A) == old); /* the same: nothing */
    for (size_t i = 0; i < COUNT(txns); i++)
        T_OK(!txns[i].doomed);
    T_OK(engine_index(&e, "i", BY_B) != old);
    for (size_t i = 0; i < COUNT(txns); i++)
        T_INT(txns[i].doomed, i < 4);
    for (size_t i = 0; i < COUNT(txns); i++)
        ll_txn_fini(&txns[i]);
    T_OK(old->ranges == NULL);
    engine_fini(&e);
}

/* A document made with the keys of before is not kept without the new one. */
T_CASE(keys_of_before_are_not_written)
{
    struct engine e;
    struct ll_txn txn;
    three(&e);
    ll_txn_init(&txn, &e.docs);
    struct ll_doc *doc = engine_doc(&e, "q");
    struct ll_content *content =
        engine_content(&e, e.coll, LINLI_STR("{\"id\":\"q\",\"a\":4}"));
    struct ll_ix *ix = engine_index(&e, "i", BY_A);
    T_OK(!txn.doomed); /* it has done nothing yet */
    T_INT(ll_txn_write(&txn, doc, content, &e.f.err), LINLI_OK);
    T_OK(txn.doomed);
    ll_txn_reset(&txn);
    T_INT(txn_write(&e, &txn, doc, "{\"id\":\"q\",\"a\":4}"), LINLI_OK);
    T_OK(!txn.doomed && txn_commit(&e, &txn) != 0);
    T_LISTS(&e, ix, "x y z q ");
    ll_doc_unref(&doc);
    ll_txn_fini(&txn);
    engine_fini(&e);
}

/* -- an index that takes another's place -- */

T_CASE(another_declaration)
{
    struct engine e;
    three(&e);
    struct ll_ix *a = engine_index(&e, "i", BY_A);
    T_LISTS(&e, a, "x y z ");
    struct ll_ix *b = engine_index(&e, "i", BY_B);
    T_OK(a->gone && !b->gone && b->id > a->id);
    T_INT(e.coll->index_count, 1);
    T_LISTS(&e, b, "z y x ");
    (void)engine_put(&e, "x", "{\"id\":\"x\",\"a\":9,\"b\":0}");
    T_LISTS(&e, b, "x z y ");
    engine_settle(&e);
    engine_again(&e);
    T_INT(e.coll->index_count, 1);
    T_LISTS(&e, ll_coll_find_index(e.coll, LINLI_STR("i")), "x z y ");
    engine_fini(&e);
}

/* A list of the old index that is under way ends, and its call begins
 * again: at each moment that it can be met. */
T_CASE(a_list_of_the_old_one)
{
    for (int turns = 0; turns < 4; turns++) {
        struct engine e;
        struct listed l;
        struct ll_txn txn;
        three(&e);
        struct ll_ix *a = engine_index(&e, "i", BY_A);
        ll_txn_init(&txn, &e.docs);
        list_begin(&l, &e, a, &txn);
        for (int i = 0; i < turns && !l.done; i++)
            ll_world_turn(e.f.world, true);
        bool before = l.done;
        struct ll_ix *b = engine_index(&e, "i", BY_B);
        T_OK(txn.doomed || !before);
        fixture_wait(&e.f, &l.done);
        T_OK(txn.doomed);
        T_INT(l.status, before ? LINLI_OK : LINLI_E_AGAIN);
        ll_scan_fini(&l.scan);
        ll_txn_reset(&txn);
        T_LISTS(&e, b, "z y x ");
        ll_txn_fini(&txn);
        engine_fini(&e);
    }
}

static bool
wants_odd(const struct ll_scan *scan, linli_str key)
{
    LL_UNUSED(scan);
    return key.len > 0 && (key.ptr[key.len - 1] & 1) != 0;
}

/* A list that is read in pieces: between two of them all contents are made
 * anew, and what the first has found is gone. */
T_CASE(a_list_in_pieces)
{
    struct engine e;
    struct listed l;
    struct ll_txn txn;
    engine_init(&e, true);
    struct ll_ix *ix = engine_index(&e, "i", BY_A);
    for (int i = 0; i < 60; i++) {
        char id[8], text[48];
        snprintf(id, sizeof id, "%03d", i);
        snprintf(text, sizeof text, "{\"id\":\"%s\",\"a\":%d}", id, i);
        (void)engine_put(&e, id, text);
    }
    engine_settle(&e);
    ll_txn_init(&txn, &e.docs);
    l = (struct listed){.done = false};
    ll_scan_init(&l.scan, &txn);
    l.scan.coll = e.coll;
    l.scan.ix = ix;
    l.scan.limit = 20;
    l.scan.wants = wants_odd;
    l.scan.done = on_listed;
    l.scan.user = &l;
    ll_scan_start(&l.scan);
    while (l.scan.count == 0)
        ll_world_turn(e.f.world, true);
    T_OK(!l.done);
    T_OK(engine_index(&e, "j", BY_A) != NULL);
    T_OK(txn.doomed);
    list_end(&l, &e);
    ll_txn_fini(&txn);
    engine_fini(&e);
}

/* -- the cache -- */

/* Contents with another key have another size: it is kept count of. */
T_CASE(the_cache_counts_the_new_keys)
{
    struct engine e;
    three(&e);
    engine_settle(&e);
    ll_docs_trim(&e.docs);
    size_t before = e.docs.idle_bytes, bytes = 0;
    const struct ll_doc *oldest = e.docs.idle_first;
    T_OK(before > 0);
    (void)engine_index(&e, "i", BY_A);
    T_OK(e.docs.idle_bytes > before && e.docs.idle_first == oldest);
    for (struct ll_doc *d = e.docs.idle_first; d != NULL; d = d->idle_next)
        bytes += sizeof *d + d->id.len + 1 +
                 (d->content == NULL ? 0 : d->content->block_bytes);
    T_INT(e.docs.idle_bytes, bytes);
    engine_fini(&e);
}

/* -- without memory -- */

/* Whatever fails, the old index is as it was, or the new one is whole. */
T_CASE(without_memory)
{
    bool good = false;
    uint64_t failing;
    for (failing = 1; !good; failing++) {
        struct engine e;
        struct ll_txn reader;
        three(&e);
        struct ll_ix *a = engine_index(&e, "i", BY_A);
        T_LISTS(&e, a, "x y z ");
        ll_txn_init(&reader, &e.docs);
        T_SEES(&e, &reader, "x", "{\"id\":\"x\",\"a\":1,\"b\":3}");
        e.f.mem.fail_in = failing;
        struct ll_ix *b =
            ll_coll_index(e.coll, LINLI_STR("i"), LINLI_STR(BY_B));
        e.f.mem.fail_in = 0;
        good = b != NULL;
        T_INT(reader.doomed, good);
        T_OK(ll_coll_find_index(e.coll, LINLI_STR("i")) == (good ? b : a));
        T_INT(e.coll->index_count, 1);
        ll_txn_fini(&reader);
        (void)engine_put(&e, "y", "{\"id\":\"y\",\"a\":0,\"b\":4}");
        T_LISTS(&e, good ? b : a, good ? "z x y " : "y x z ");
        T_LISTS(&e, engine_index(&e, "i", BY_B), "z x y ");
        engine_settle(&e);
        engine_again(&e);
        T_LISTS(&e, ll_coll_find_index(e.coll, LINLI_STR("i")), "z x y ");
        engine_fini(&e);
    }
    T_OK(failing > 4);
}

T_MAIN(T_RUN(a_new_index_has_what_was_there) T_RUN(what_a_new_index_cannot_hold)
        T_RUN(a_scan_that_waits_can_be_dropped)
            T_RUN(who_has_read_or_written_begins_again)
                T_RUN(keys_of_before_are_not_written) T_RUN(another_declaration)
                    T_RUN(a_list_of_the_old_one) T_RUN(a_list_in_pieces) T_RUN(
                        the_cache_counts_the_new_keys) T_RUN(without_memory))
