/* tests/unit/test_docs.c: documents in memory over a store: found, loaded,
 * written, forgotten; who waits for them, and what there is to be found. */
#include "docs_fixture.h"
#include "data/series.h"

#define KIB ((size_t)1024)

/* Whether the document is in the table, without loading it. */
static bool
in_memory(struct engine *e, const char *id)
{
    bool found = false;
    for (uint32_t i = 0; i < e->docs.table_cap; i++)
        for (struct ll_doc *d = e->docs.table[i]; d != NULL; d = d->chain)
            found = found || (d->coll == e->coll && ll_str_is(d->id, id));
    return found;
}

/* -- loading -- */

static void
loads(bool memory)
{
    struct engine e;
    struct waited a = {.wait = {.ready = waited_ready}}, b = a;
    engine_init(&e, memory);
    uint64_t number = engine_put(&e, "x", "{\"id\":\"x\",\"n\":1}");
    engine_settle(&e);
    if (!memory)
        engine_again(&e);
    struct ll_doc *doc = ll_docs_get(e.coll, LINLI_STR("x"));
    struct ll_doc *again = ll_docs_get(e.coll, LINLI_STR("x"));
    T_OK(doc == again);
    if (!memory) {
        T_INT(doc->state, LL_DOC_LOADING);
        T_OK(!ll_doc_ready(doc, &a.wait) && !ll_doc_ready(doc, &b.wait));
        T_OK(!a.told && !b.told);
        fixture_wait(&e.f, &a.told);
        T_OK(b.told); /* all of them, once */
    }
    T_OK(ll_doc_ready(doc, &a.wait));
    T_INT(doc->version, number);
    T_STR(doc->content->body, "{\"id\":\"x\",\"n\":1}");
    ll_doc_unref(&doc);
    T_OK(doc == NULL && !again->idle);
    ll_doc_unref(&again);
    ll_doc_unref(&again); /* none is let go */
    doc = ll_docs_get(e.coll, LINLI_STR("x"));
    T_INT(doc->state, LL_DOC_KNOWN); /* out of the cache */
    T_OK(ll_store_floor(e.f.store) == UINT64_MAX);
    ll_doc_unref(&doc);
    engine_fini(&e);
}

T_CASE(loads_once_from_disk)
{
    loads(false);
}

T_CASE(keeps_what_it_wrote)
{
    loads(true);
}

T_CASE(knows_what_is_absent)
{
    struct engine e;
    engine_init(&e, false);
    struct ll_doc *doc = engine_doc(&e, "x");
    T_OK(doc->state == LL_DOC_KNOWN && doc->content == NULL);
    T_INT(doc->version, 0);
    T_INT(doc->number, 0);
    ll_doc_unref(&doc);
    T_OK(in_memory(&e, "x"));
    doc = ll_docs_get(e.coll, LINLI_STR("x"));
    T_INT(doc->state, LL_DOC_KNOWN);
    uint64_t number = engine_put(&e, "x", "{\"id\":\"x\"}");
    T_INT(doc->version, number); /* at once, though it is not durable */
    T_OK(ll_store_durable(e.f.store) < number);
    T_STR(doc->content->body, "{\"id\":\"x\"}");
    engine_settle(&e);
    number = engine_put(&e, "x", NULL);
    T_OK(doc->content == NULL && doc->number == number);
    ll_doc_unref(&doc);
    engine_settle(&e);
    engine_again(&e);
    doc = engine_doc(&e, "x");
    T_OK(doc->content == NULL && doc->version == 0);
    ll_doc_unref(&doc);
    engine_fini(&e);
}

T_CASE(makes_what_the_store_does_not_have)
{
    struct engine e;
    engine_init(&e, true);
    engine_settle(&e);
    struct ll_doc *doc = ll_docs_make(e.coll, LINLI_STR("x"));
    T_OK(doc->state == LL_DOC_KNOWN && doc->content == NULL);
    T_OK(ll_store_floor(e.f.store) == UINT64_MAX); /* nobody was asked */
    struct ll_doc *again = ll_docs_make(e.coll, LINLI_STR("x"));
    T_OK(doc == again);
    T_INT(doc->refs, 2);
    ll_doc_unref(&doc);
    ll_doc_unref(&again);
    engine_fini(&e);
}

T_CASE(the_same_id_elsewhere_is_another)
{
    struct engine e;
    engine_init(&e, true);
    struct ll_coll *other = ll_space_coll(e.space, LINLI_STR("other"));
    struct ll_space *far =
        ll_docs_space(&e.docs, LINLI_STR("lake"), LINLI_STR("shop"));
    struct ll_coll *abroad = ll_space_coll(far, LINLI_STR("doc"));
    T_OK(far != e.space && abroad != e.coll);
    (void)engine_put(&e, "x", "{\"id\":\"x\"}");
    struct ll_doc *a = engine_doc_of(&e, other, LINLI_STR("x"));
    struct ll_doc *b = engine_doc_of(&e, abroad, LINLI_STR("x"));
    T_OK(a->content == NULL && b->content == NULL && a != b);
    ll_doc_unref(&a);
    ll_doc_unref(&b);
    engine_fini(&e);
}

/* Who waits for a document, and commits when it is there. */
struct deleter {
    struct ll_wait wait;
    struct engine *e;
    struct ll_doc *other; /* this is deleted then */
};

static void
delete_other(struct ll_wait *wait)
{
    struct deleter *d = LL_CONTAINER(wait, struct deleter, wait);
    engine_write(d->e, d->other, NULL);
}

static void
on_scanned(struct ll_scan *scan)
{
    *(bool *)scan->user = true;
}

/* A scan brings a document that somebody waits for, and who then commits. It
 * must not happen while the scan holds what it has found before. */
T_CASE(rows_come_before_who_waits_for_them)
{
    struct engine e;
    struct ll_txn txn;
    struct ll_scan scan;
    bool done = false;
    engine_init(&e, false);
    (void)engine_put(&e, "a", "{\"id\":\"a\"}");
    (void)engine_put(&e, "b", "{\"id\":\"b\"}");
    engine_settle(&e);
    e.one_reader = true;
    engine_again(&e);
    struct deleter deleter = {
        .wait = {.ready = delete_other}, .e = &e, .other = engine_doc(&e, "a")};
    ll_txn_init(&txn, &e.docs);
    ll_scan_init(&scan, &txn);
    scan.coll = e.coll;
    scan.limit = 10;
    scan.done = on_scanned;
    scan.user = &done;
    ll_scan_start(&scan);
    struct ll_doc *doc = ll_docs_get(e.coll, LINLI_STR("b"));
    T_OK(!ll_doc_ready(doc, &deleter.wait));
    fixture_wait(&e.f, &done);
    T_OK(scan.count == 1 || txn.doomed || deleter.other->content != NULL);
    while (deleter.other->content != NULL)
        ll_world_turn(e.f.world, true);
    T_OK(scan.count == 1 || txn.doomed);
    T_OK(doc->state == LL_DOC_KNOWN && doc->content != NULL);
    ll_scan_fini(&scan);
    ll_txn_fini(&txn);
    ll_doc_unref(&doc);
    ll_doc_unref(&deleter.other);
    engine_settle(&e);
    T_OK(in_memory(&e, "b"));
    engine_fini(&e);
}

/* What a document that nobody waits for comes to. */
T_CASE(a_load_that_nobody_wants_any_more)
{
    struct engine e;
    struct waited w = {.wait = {.ready = waited_ready}};
    engine_init(&e, true);
    struct ll_doc *doc = ll_docs_get(e.coll, LINLI_STR("x"));
    T_OK(!ll_doc_ready(doc, &w.wait));
    ll_wait_cancel(&w.wait);
    ll_wait_cancel(&w.wait); /* it does not wait: nothing */
    ll_doc_unref(&doc);
    T_OK(in_memory(&e, "x"));
    engine_settle(&e);
    T_OK(!w.told && in_memory(&e, "x"));
    doc = ll_docs_get(e.coll, LINLI_STR("x"));
    T_INT(doc->state, LL_DOC_KNOWN);
    ll_doc_unref(&doc);
    /* And one that is under way when all ends. */
    doc = ll_docs_get(e.coll, LINLI_STR("y"));
    T_OK(!ll_doc_ready(doc, &w.wait));
    ll_docs_stop(&e.docs);
    T_INT(doc->state, LL_DOC_LOST);
    T_OK(!w.told);
    ll_wait_cancel(&w.wait);
    ll_doc_unref(&doc);
    T_OK(!in_memory(&e, "y"));
    engine_fini(&e);
}

/* A document whose subject's key is gone is not there (store.md, S17). */
T_CASE(what_cannot_be_opened_is_not_there)
{
    static const char pid[] = "0123456789abcdef0123456789abcdef";
    char text[128];
    struct engine e;
    engine_init(&e, false);
    e.coll->subject = LINLI_STR("who");
    snprintf(text, sizeof text, "{\"id\":\"x\",\"who\":\"%s\"}", pid);
    (void)engine_put(&e, "x", text);
    struct ll_commit *commit = ll_docs_commit_new(&e.docs);
    ll_commit_op(commit, LL_ST_subject_shred);
    ll_put_int(&commit->ops, e.space->id);
    put_cstr(&commit->ops, pid);
    T_OK(ll_docs_commit_send(&e.docs, commit) != 0);
    engine_settle(&e);
    engine_again(&e);
    struct ll_doc *doc = engine_doc(&e, "x");
    T_OK(doc->state == LL_DOC_KNOWN && doc->content == NULL);
    ll_doc_unref(&doc);
    engine_fini(&e);
}

/* -- the cache -- */

#define LARGE 200
#define LARGE_BYTES (255 * KIB)

/* {"id":"d000","pad":"aaa…"} */
static void
put_large(struct engine *e, int n)
{
    static char text[LARGE_BYTES];
    char id[8];
    snprintf(id, sizeof id, "d%03d", n);
    int head = snprintf(text, sizeof text, "{\"id\":\"%s\",\"pad\":\"", id);
    memset(text + head, 'a', sizeof text - (size_t)head - 3);
    memcpy(text + sizeof text - 3, "\"}", 3);
    struct ll_doc *doc = ll_docs_make(e->coll, ll_cstr(id));
    (void)engine_write(e, doc, text);
    ll_doc_unref(&doc);
}

static void
check_idle(const struct engine *e)
{
    size_t bytes = 0;
    uint32_t count = 0;
    for (struct ll_doc *d = e->docs.idle_first; d != NULL; d = d->idle_next) {
        T_OK(d->idle && d->refs == 0 && !d->in_recent && d->query == NULL);
        bytes += sizeof *d + d->id.len + 1;
        bytes += d->content == NULL ? 0 : d->content->block_bytes;
        count++;
    }
    T_INT(e->docs.idle_bytes, bytes);
    T_OK(bytes <= LL_DOC_CACHE_BYTES_MAX);
    T_OK(count <= e->docs.doc_count);
}

T_CASE(the_cache_has_a_bound)
{
    struct engine e;
    engine_init(&e, true);
    engine_settle(&e);
    struct ll_doc *held = engine_doc(&e, "d000");
    for (int n = 0; n < LARGE; n++)
        put_large(&e, n);
    /* None of it is durable: nothing may go. */
    T_INT(e.docs.idle_bytes, 0);
    T_OK(e.docs.doc_count == LARGE);
    T_OK(e.f.mem.used_bytes > LARGE * LARGE_BYTES);
    engine_settle(&e);
    check_idle(&e);
    T_OK(e.docs.idle_bytes > LL_DOC_CACHE_BYTES_MAX - LARGE_BYTES - KIB);
    T_OK(in_memory(&e, "d199") && !in_memory(&e, "d001"));
    T_OK(in_memory(&e, "d000")); /* it is held */
    T_OK(!held->idle && held->content->body.len == LARGE_BYTES - 1);
    ll_doc_unref(&held);
    check_idle(&e);
    T_OK(in_memory(&e, "d000")); /* the newest now; older ones went */
    engine_fini(&e);
}

T_CASE(the_cache_forgets_the_longest_unused)
{
    struct engine e;
    char id[8];
    const int fits = (int)(LL_DOC_CACHE_BYTES_MAX / (LARGE_BYTES + KIB));
    engine_init(&e, true);
    for (int n = 0; n < fits; n++)
        put_large(&e, n);
    engine_settle(&e);
    T_OK(in_memory(&e, "d000"));
    struct ll_doc *doc = engine_doc(&e, "d000"); /* used again */
    ll_doc_unref(&doc);
    for (int n = fits; n < fits + 5; n++)
        put_large(&e, n);
    engine_settle(&e);
    check_idle(&e);
    T_OK(in_memory(&e, "d000") && !in_memory(&e, "d001"));
    for (int n = fits; n < fits + 5; n++) {
        snprintf(id, sizeof id, "d%03d", n);
        T_OK(in_memory(&e, id));
    }
    doc = engine_doc(&e, "d001"); /* from the store, as it was */
    T_INT(doc->content->body.len, LARGE_BYTES - 1);
    ll_doc_unref(&doc);
    engine_fini(&e);
}

T_CASE(what_is_fleeting_is_not_cached)
{
    struct engine e;
    engine_init(&e, true);
    e.coll->fleeting = true;
    (void)engine_put(&e, "x", "{\"id\":\"x\"}");
    T_OK(in_memory(&e, "x")); /* it is not durable */
    engine_settle(&e);
    T_OK(!in_memory(&e, "x"));
    struct ll_doc *doc = engine_doc(&e, "x");
    T_STR(doc->content->body, "{\"id\":\"x\"}");
    ll_doc_unref(&doc);
    T_OK(!in_memory(&e, "x"));
    engine_fini(&e);
}

/* -- the floor -- */

/* A question that is under way while what is newer becomes durable: the
 * answer may be older than that, so that it has to stay in memory. Both are
 * handed to their threads in one turn; the next one finds the commit done
 * first. Now and then the answer is there before: then it proves nothing. */
T_CASE(nothing_above_the_floor_is_forgotten)
{
    struct engine e;
    struct asked a;
    int proved = 0;
    engine_init(&e, true);
    struct ll_doc *doc = engine_doc(&e, "x");
    engine_settle(&e);
    for (int i = 0; i < 50 && proved < 5; i++) {
        asked_init(&a, &e.f, LL_ST_spaces);
        ll_store_query(e.f.store, &a.query);
        uint64_t asked_at = a.query.issued_at;
        uint64_t number = engine_write(&e, doc, "{\"id\":\"x\"}");
        T_INT(ll_store_floor(e.f.store), asked_at);
        ll_world_turn(e.f.world, false);
        usleep(2000);
        while (ll_store_durable(e.f.store) < number && !a.done) {
            T_OK(e.docs.new_last != NULL && e.docs.new_last->number == number);
            ll_world_turn(e.f.world, true);
        }
        /* If durable was told first, the trim left it where it was. */
        if (ll_store_durable(e.f.store) >= number && e.docs.new_last != NULL) {
            T_OK(e.docs.new_last->number == number && in_memory(&e, "x"));
            T_OK(e.coll->recent_last == e.docs.new_last);
            T_OK(!e.docs.new_last->idle);
            proved++;
        }
        engine_settle(&e);
        T_OK(a.done);
        ll_query_fini(&a.query);
        ll_docs_trim(&e.docs); /* nobody asks any more */
        T_OK(e.docs.new_first == NULL && e.coll->recent == NULL);
    }
    T_OK(proved > 0);
    ll_doc_unref(&doc);
    T_OK(e.docs.idle_first != NULL && in_memory(&e, "x"));
    engine_fini(&e);
}

/* A batch that is durable while the next one is not: nobody asks, but the
 * file does not have it yet. */
T_CASE(nothing_that_is_not_durable_is_forgotten)
{
    struct engine e;
    int proved = 0;
    engine_init(&e, false);
    struct ll_doc *x = engine_doc(&e, "x"), *y = engine_doc(&e, "y");
    engine_settle(&e);
    for (int i = 0; i < 50 && proved < 5; i++) {
        uint64_t first = engine_write(&e, x, "{\"id\":\"x\"}");
        ll_world_turn(e.f.world, false); /* handed over: a batch of its own */
        usleep(1000 * (unsigned)(1 + i));
        uint64_t second = engine_write(&e, y, "{\"id\":\"y\"}");
        while (ll_store_durable(e.f.store) < first)
            ll_world_turn(e.f.world, true);
        if (ll_store_durable(e.f.store) < second) {
            T_OK(!x->in_recent && y->in_recent && e.docs.new_first == y);
            proved++;
        }
        engine_settle(&e);
        T_OK(!y->in_recent && e.docs.new_first == NULL);
    }
    T_OK(proved > 0);
    ll_doc_unref(&x);
    ll_doc_unref(&y);
    engine_fini(&e);
}

/* Numbers ascend in both lists, whatever is written again and again. */
T_CASE(what_is_new_is_in_order)
{
    struct engine e;
    uint64_t seed = 7, before = 0;
    engine_init(&e, true);
    struct ll_coll *other = ll_space_coll(e.space, LINLI_STR("other"));
    struct ll_coll *colls[] = {e.coll, other};
    engine_settle(&e);
    for (int i = 0; i < 300; i++) {
        char id[8], text[32];
        snprintf(id, sizeof id, "%d", (int)(seed % 17));
        snprintf(text, sizeof text, "{\"id\":\"%s\"}", id);
        e.coll = colls[i % 2];
        (void)engine_put(&e, id, seed % 3 == 0 ? NULL : text);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (i % 40 == 39) /* a few become durable */
            ll_world_turn(e.f.world, false);
    }
    e.coll = colls[0];
    for (struct ll_doc *d = e.docs.new_first; d != NULL; d = d->new_next) {
        T_OK(d->number > before && d->in_recent && !d->idle);
        T_OK(d->new_next == NULL || d->new_next->new_prev == d);
        before = d->number;
    }
    for (int i = 0; i < 2; i++) {
        before = 0;
        for (struct ll_doc *d = colls[i]->recent; d != NULL;
             d = d->recent_next) {
            T_OK(d->number > before && d->coll == colls[i]);
            before = d->number;
        }
    }
    engine_settle(&e);
    ll_docs_trim(&e.docs);
    T_OK(e.docs.new_first == NULL && e.docs.new_last == NULL);
    T_OK(colls[0]->recent == NULL && colls[1]->recent_last == NULL);
    engine_fini(&e);
}

/* -- waiting -- */

struct queue {
    struct ll_wait *head;
    struct waiter {
        struct ll_wait wait;
        struct queue *queue;
        int number;
        int cancels; /* who is taken back when this one is told; 0: nobody */
        int adds;    /* how often it waits again */
    } waiters[5];
    char told[32];
};

static void
on_told(struct ll_wait *wait)
{
    struct waiter *w = LL_CONTAINER(wait, struct waiter, wait);
    char digit[2] = {(char)('0' + w->number), '\0'};
    T_OK(wait->head == NULL);
    strcat(w->queue->told, digit);
    if (w->cancels != 0)
        ll_wait_cancel(&w->queue->waiters[w->cancels].wait);
    if (w->adds > 0) {
        w->adds--;
        ll_wait_add(&w->queue->head, wait);
    }
}

static void
queue_init(struct queue *q)
{
    *q = (struct queue){.head = NULL};
    for (int i = 0; i < 5; i++) {
        q->waiters[i] = (struct waiter){
            .wait = {.ready = on_told}, .queue = q, .number = i};
        ll_wait_add(&q->head, &q->waiters[i].wait);
    }
}

T_CASE(those_who_wait_are_told_in_order)
{
    struct queue q;
    queue_init(&q);
    ll_wait_cancel(&q.waiters[0].wait); /* first, */
    ll_wait_cancel(&q.waiters[2].wait); /* within, */
    ll_wait_cancel(&q.waiters[4].wait); /* last */
    ll_wait_add(&q.head, &q.waiters[2].wait);
    ll_wait_tell(&q.head);
    T_STR(ll_cstr(q.told), "132");
    T_OK(q.head == NULL);
    ll_wait_tell(&q.head);
    ll_wait_tell_first(&q.head);
    T_STR(ll_cstr(q.told), "132");
}

T_CASE(the_first_alone_is_told)
{
    struct queue q;
    queue_init(&q);
    q.waiters[0].adds = 1;
    for (int i = 0; i < 6; i++)
        ll_wait_tell_first(&q.head);
    T_STR(ll_cstr(q.told), "012340");
    T_OK(q.head == NULL);
}

T_CASE(who_is_told_may_cancel_and_wait_again)
{
    struct queue q;
    queue_init(&q);
    q.waiters[0].cancels = 1; /* the next */
    q.waiters[2].cancels = 4; /* the last */
    q.waiters[3].cancels = 3; /* itself: it does not wait */
    q.waiters[2].adds = 2;
    q.waiters[3].adds = 1;
    ll_wait_tell(&q.head);
    T_STR(ll_cstr(q.told), "023"); /* those who wait again: the next time */
    ll_wait_tell(&q.head);
    T_STR(ll_cstr(q.told), "02323");
    ll_wait_cancel(&q.waiters[2].wait);
    T_OK(q.head == NULL);
}

/* -- what a document says -- */

T_CASE(subjects_are_judged)
{
    static const char *const good[] = {"null",
        "\"0123456789abcdef0123456789abcdef\"",
        "\"0123456789abcdef\\u0030123456789abcdef\""};
    static const char *const bad[] = {"\"\"", "1", "false", "[]", "{}",
        "\"0123456789ABCDEF0123456789ABCDEF\"",
        "\"0123456789abcdef0123456789abcde\"",
        "\"0123456789abcdef0123456789abcdef0\"",
        "\"0123456789abcdef0123456789abcde\\u0000\""};
    struct engine e;
    char text[128];
    engine_init(&e, true);
    struct ll_content *c = engine_content(&e, e.coll, LINLI_STR("{}"));
    T_INT(c->subject.len, 0); /* the collection is about nobody */
    ll_content_free(&e.f.mem, &c);
    e.coll->subject = LINLI_STR("who");
    for (size_t i = 0; i < COUNT(good); i++) {
        snprintf(text, sizeof text, "{\"who\":%s}", good[i]);
        c = engine_content(&e, e.coll, ll_cstr(text));
        T_OK(c != NULL && c->subject.len == (i == 0 ? 0 : 32));
        ll_content_free(&e.f.mem, &c);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(text, sizeof text, "{\"who\":%s}", bad[i]);
        c = engine_content(&e, e.coll, ll_cstr(text));
        T_OK(c == NULL);
        T_STR(ll_cstr(e.f.err.code), "db/document");
        ll_content_free(&e.f.mem, &c);
    }
    engine_fini(&e);
}

T_CASE(retention_gives_a_time)
{
    static const struct {
        const char *from, *text;
        int64_t days, due_ms;
    } cases[] = {
        {"", "{}", 0, 0},
        {"", "{\"t\":5}", 1, NOW_MS + 86400000},
        {"t", "{}", 1, 0},
        {"t", "{\"t\":null}", 1, 0},
        {"t", "{\"t\":\"5\"}", 1, 0},
        {"t", "{\"t\":5.5}", 1, 0},
        {"t", "{\"t\":5}", 1, 86400005},
        {"t", "{\"t\":0}", 1, 86400000},
        {"t", "{\"t\":-86400001}", 1, 1},
        {"t", "{\"t\":-9223372036854775808}", 1, 1},
        {"t", "{\"t\":9223372036854775807}", 1, INT64_MAX},
    };
    struct engine e;
    engine_init(&e, true);
    for (size_t i = 0; i < COUNT(cases); i++) {
        e.coll->retention_from = ll_cstr(cases[i].from);
        e.coll->retention_ms = cases[i].days * 86400000;
        struct ll_content *c =
            engine_content(&e, e.coll, ll_cstr(cases[i].text));
        T_INT(c->due_ms, cases[i].due_ms);
        ll_content_free(&e.f.mem, &c);
    }
    engine_fini(&e);
}

T_CASE(keys_are_computed)
{
    struct engine e;
    engine_init(&e, true);
    struct ll_ix *a = engine_index(&e, "a", "{\"fields\":[\"a\",\"b\"]}");
    struct ll_ix *s =
        engine_index(&e, "s", "{\"fields\":[\"a\"],\"sparse\":true}");
    struct ll_content *c =
        engine_content(&e, e.coll, LINLI_STR("{\"a\":\"z\",\"b\":true}"));
    T_OK(ll_str_eq(ll_content_key(c, s), LINLI_STR(" z\0")));
    T_INT(ll_content_key(c, a).len, 4);
    ll_content_free(&e.f.mem, &c);
    c = engine_content(&e, e.coll, LINLI_STR("{}"));
    T_OK(ll_content_key(c, s).ptr == NULL);
    T_STR(ll_content_key(c, a), "\x01\x01");
    ll_content_free(&e.f.mem, &c);
    c = engine_content(&e, e.coll, LINLI_STR("{\"b\":[]}"));
    T_OK(c == NULL);
    T_STR(ll_cstr(e.f.err.code), "db/key");
    T_STR(ll_cstr(e.f.err.where), "doc.a: ");
    T_OK(ll_content_key(NULL, a).ptr == NULL);
    engine_fini(&e);
}

/* -- spaces, collections, indexes -- */

T_CASE(names_are_found_again)
{
    struct engine e;
    engine_init(&e, false);
    int64_t space = e.space->id, coll = e.coll->id;
    int64_t ix = engine_index(&e, "i", "{\"fields\":[\"a\"]}")->id;
    T_OK(ix > 15); /* those are Linli's own */
    T_INT(engine_index(&e, "i", "{\"fields\":[\"a\"]}")->id, ix);
    (void)engine_put(&e, "x", "{\"id\":\"x\",\"a\":1}");
    T_INT(e.space->rows, 1);
    T_INT(e.space->bytes, 1 + strlen("{\"id\":\"x\",\"a\":1}"));
    engine_settle(&e);
    engine_again(&e);
    T_INT(e.space->id, space);
    T_INT(e.coll->id, coll);
    T_OK(ll_docs_coll_by_id(&e.docs, coll) == e.coll);
    T_OK(ll_docs_coll_by_id(&e.docs, coll + 1) == NULL);
    T_OK(ll_space_find(e.space, LINLI_STR("other")) == NULL);
    T_INT(ll_coll_find_index(e.coll, LINLI_STR("i"))->id, ix);
    T_INT(e.space->rows, 1);
    T_INT(e.space->bytes, 1 + strlen("{\"id\":\"x\",\"a\":1}"));
    struct ll_space *more =
        ll_docs_space(&e.docs, LINLI_STR("garden"), LINLI_STR("post"));
    T_OK(more->id > space && ll_space_coll(more, LINLI_STR("a"))->id > coll);
    engine_fini(&e);
}

T_CASE(linlis_own_is_not_counted)
{
    struct engine e;
    engine_init(&e, true);
    e.coll = ll_space_coll(e.space, LINLI_STR("~own"));
    T_OK(e.coll->system);
    (void)engine_put(&e, "x", "{\"id\":\"x\"}");
    T_INT(e.space->rows, 0);
    T_INT(e.space->bytes, 0);
    engine_fini(&e);
}

/* The series of a meter of subscription `i`, and of its versions. */
static struct ll_counted
counted(uint32_t i)
{
    return (struct ll_counted){.meter = i % 2 ? (linli_str)LINLI_STR("shop.a")
                                              : (linli_str)LINLI_STR("shop.b"),
        .subscription = i / 4,
        .version = i / 2 % 2};
}

/* Many of them, more than the table begins with: each is its own, is found by
 * the same number, and is there after a restart. */
T_CASE(series_grow)
{
    enum { N = 9000 };
    static uint32_t ids[N];
    struct engine e;
    engine_init(&e, false);
    for (uint32_t i = 0; i < N; i++) {
        struct ll_counted c = counted(i);
        T_INT(ll_series_find(e.space, &c), 0);
        ids[i] = ll_series(e.space, &c);
        T_INT(ids[i], ids[0] + i);
    }
    T_OK(e.docs.series_cap >= N);
    engine_settle(&e);
    engine_again(&e);
    T_INT(e.docs.series_count, N);
    for (uint32_t i = 0; i < N; i++) {
        struct ll_counted c = counted(i);
        T_INT(ll_series(e.space, &c), ids[i]);
    }
    T_INT(e.docs.series_count, N);
    engine_fini(&e);
}

/* -- without memory -- */

/* Names so long that each needs memory of its own. */
#define NAME_BYTES 9000

/* What can be made, in order; false at the first thing that cannot. */
static bool
make_names(struct engine *e)
{
    static char plugin[NAME_BYTES], name[NAME_BYTES];
    memset(plugin, 'p', sizeof plugin);
    memset(name, 'n', sizeof name);
    struct ll_space *space = ll_docs_space(
        &e->docs, LINLI_STR("lake"), (linli_str){plugin, sizeof plugin});
    struct ll_coll *coll =
        space == NULL ? NULL
                      : ll_space_coll(space, (linli_str){name, sizeof name});
    return coll != NULL &&
           ll_coll_index(coll, (linli_str){name, sizeof name},
               LINLI_STR("{\"fields\":[\"a\"]}")) != NULL &&
           ll_series(
               space, &(struct ll_counted){.meter = {name, sizeof name}}) != 0;
}

/* What cannot be made today can be made tomorrow, and is there after a
 * restart: nothing is half there. */
T_CASE(names_without_memory)
{
    uint64_t failing = 0;
    for (bool made = false; !made;) {
        struct engine e;
        engine_init(&e, false);
        engine_settle(&e);
        e.f.mem.fail_in = ++failing;
        made = make_names(&e);
        e.f.mem.fail_in = 0;
        T_OK(made || make_names(&e));
        engine_settle(&e);
        engine_again(&e);
        struct ll_space *space = e.docs.spaces;
        while (space != NULL && !ll_str_is(space->community, "lake"))
            space = space->next;
        T_OK(space != NULL && space->plugin.len == NAME_BYTES);
        struct ll_coll *coll = space == NULL ? NULL : space->colls;
        T_OK(coll != NULL && coll->name.len == NAME_BYTES && !coll->next);
        T_OK(coll != NULL && coll->indexes != NULL && !coll->indexes->next);
        T_INT(e.docs.series_count, 1);
        engine_fini(&e);
    }
    T_OK(failing > 8);
}

/* A document that cannot be loaded is lost for those who hold it, and can be
 * asked for again. */
T_CASE(documents_without_memory)
{
    bool good = false;
    struct engine e;
    engine_init(&e, false);
    (void)engine_index(&e, "i", "{\"fields\":[\"a\"]}");
    (void)engine_put(&e, "x", "{\"id\":\"x\",\"a\":\"\\u0041\"}");
    engine_settle(&e);
    for (uint64_t failing = 1; !good; failing++) {
        struct waited w = {.wait = {.ready = waited_ready}};
        engine_again(&e);
        e.f.mem.fail_in = failing;
        struct ll_doc *doc = ll_docs_get(e.coll, LINLI_STR("x"));
        if (doc != NULL && !ll_doc_ready(doc, &w.wait))
            fixture_wait(&e.f, &w.told);
        good = e.f.mem.fail_in != 0;
        e.f.mem.fail_in = 0;
        T_OK(doc == NULL || doc->state == LL_DOC_LOST || doc->content != NULL);
        if (doc != NULL && doc->state == LL_DOC_LOST) {
            ll_doc_unref(&doc);
            T_OK(!in_memory(&e, "x"));
        }
        ll_doc_unref(&doc);
        doc = engine_doc(&e, "x");
        T_OK(doc->content != NULL && doc->content->key_count == 1);
        ll_doc_unref(&doc);
    }
    engine_fini(&e);
}

T_MAIN(T_RUN(loads_once_from_disk) T_RUN(keeps_what_it_wrote) T_RUN(
    knows_what_is_absent) T_RUN(makes_what_the_store_does_not_have)
        T_RUN(the_same_id_elsewhere_is_another) T_RUN(
            rows_come_before_who_waits_for_them)
            T_RUN(a_load_that_nobody_wants_any_more) T_RUN(
                what_cannot_be_opened_is_not_there) T_RUN(the_cache_has_a_bound)
                T_RUN(the_cache_forgets_the_longest_unused) T_RUN(
                    what_is_fleeting_is_not_cached)
                    T_RUN(nothing_above_the_floor_is_forgotten) T_RUN(
                        nothing_that_is_not_durable_is_forgotten)
                        T_RUN(what_is_new_is_in_order) T_RUN(
                            those_who_wait_are_told_in_order)
                            T_RUN(the_first_alone_is_told) T_RUN(
                                who_is_told_may_cancel_and_wait_again)
                                T_RUN(subjects_are_judged)
                                    T_RUN(retention_gives_a_time) T_RUN(
                                        keys_are_computed)
                                        T_RUN(names_are_found_again) T_RUN(
                                            linlis_own_is_not_counted)
                                            T_RUN(series_grow) T_RUN(
                                                names_without_memory)
                                                T_RUN(documents_without_memory))
