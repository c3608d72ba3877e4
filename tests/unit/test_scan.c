/* tests/unit/test_scan.c: ranges as a transaction sees them, against a slow
 * and obvious model.
 *
 * Histories of writes, some durable, some not, some the transaction's own,
 * with commits of others at every turn of a scan. What a scan finds must be
 * the newest state of the turn in which it ends, or its transaction doomed;
 * whatever changes it later must doom it; and what it found must be so in
 * every state that can survive a crash once it is told (spec/db.md, D15,
 * D16).
 */
#include <stdlib.h>

#include "dice.h"
#include "docs_fixture.h"

#define IDS 24
#define VERSIONS_MAX 500
#define INDEXES 3 /* by id, "a", "s" */
#define KEY_BYTES 48
#define PAGE_MAX IDS
#define ROUNDS 150

/* What a document was from a commit on. */
struct version {
    uint64_t number;
    bool there;
    char text[128];
    struct {
        char bytes[KEY_BYTES];
        size_t len;
        bool there;
    } keys[INDEXES];
};

struct model {
    struct engine e;
    uint64_t seed;
    struct ll_ix *ixs[INDEXES];
    struct ll_doc *docs[IDS];
    struct version *versions[IDS]; /* by number */
    int count[IDS];
    struct version own[IDS]; /* number 1: the transaction writes it */
    /* how much was seen of what is to be seen */
    int checked, doomed, caught, pieces;
};

/* -- what there is -- */

static const char *
id_of(int n)
{
    static char ids[IDS][4];
    snprintf(ids[n], sizeof ids[n], "%02d", n);
    return ids[n];
}

static uint32_t
roll(struct model *m, uint32_t n)
{
    return dice_below(&m->seed, n);
}

/* A document, or that there is none. */
static void
roll_version(struct model *m, int n, struct version *v)
{
    static const char *const as[] = {"0", "1", "2", "2", "-1", "null", "\"2\"",
        "\"\"", "true", "\"a\\u0000b\"", "\"a\""};
    static const char pad[] = "....................";
    *v = (struct version){.there = roll(m, 4) > 0};
    if (!v->there)
        return;
    int at = snprintf(v->text, sizeof v->text, "{\"id\":\"%s\"", id_of(n));
    if (roll(m, 6) > 0)
        at += snprintf(v->text + at, sizeof v->text - (size_t)at, ",\"a\":%s",
            as[roll(m, COUNT(as))]);
    if (roll(m, 3) > 0)
        at += snprintf(
            v->text + at, sizeof v->text - (size_t)at, ",\"b\":%u", roll(m, 3));
    (void)snprintf(v->text + at, sizeof v->text - (size_t)at,
        ",\"p\":\"%.*s\"}", (int)roll(m, sizeof pad), pad);
    struct ll_content *content =
        engine_content(&m->e, m->e.coll, ll_cstr(v->text));
    for (int i = 0; i < INDEXES; i++) {
        linli_str key = m->ixs[i] == NULL ? ll_cstr(id_of(n))
                                          : ll_content_key(content, m->ixs[i]);
        T_OK(key.len <= KEY_BYTES);
        v->keys[i].there = key.ptr != NULL;
        v->keys[i].len = key.len;
        if (key.ptr != NULL)
            memcpy(v->keys[i].bytes, key.ptr, key.len);
    }
    ll_content_free(&m->e.f.mem, &content);
}

static void
write_version(struct model *m, struct ll_txn *txn, int n, struct version *v)
{
    struct ll_doc *doc = m->docs[n], *loaded = NULL;
    if (doc == NULL || doc->state == LL_DOC_LOADING)
        doc = loaded = engine_doc(&m->e, id_of(n));
    T_INT(txn_write(&m->e, txn, doc, v->there ? v->text : NULL), LINLI_OK);
    ll_doc_unref(&loaded);
}

/* Others write one to three documents. They hold what they write, so that
 * the loop does not turn. */
static void
others_write(struct model *m)
{
    struct ll_txn txn;
    struct version fresh[3];
    int ids[3], count = 1 + (int)roll(m, 3);
    ll_txn_init(&txn, &m->e.docs);
    for (int i = 0; i < count; i++) {
        ids[i] = (int)roll(m, IDS);
        roll_version(m, ids[i], &fresh[i]);
        write_version(m, &txn, ids[i], &fresh[i]);
    }
    uint64_t number = txn_commit(&m->e, &txn);
    T_OK(number != 0);
    for (int i = 0; i < count; i++) {
        int n = ids[i], last = m->count[n] - 1;
        fresh[i].number = number;
        /* Of two writes to one document in a commit the later counts. */
        if (last >= 0 && m->versions[n][last].number == number)
            m->versions[n][last] = fresh[i];
        else if (m->count[n] < VERSIONS_MAX)
            m->versions[n][m->count[n]++] = fresh[i];
    }
    ll_txn_fini(&txn);
}

/* What a document was at a commit; NULL: nothing. */
static const struct version *
version_at(const struct model *m, int n, uint64_t number)
{
    const struct version *found = NULL;
    if (m->own[n].number != 0)
        return m->own[n].there ? &m->own[n] : NULL;
    for (int i = 0; i < m->count[n] && m->versions[n][i].number <= number; i++)
        found = &m->versions[n][i];
    return found != NULL && found->there ? found : NULL;
}

/* -- a question, and its answers -- */

struct place {
    char key[KEY_BYTES], id[4];
    size_t key_len;
    bool there;
};

struct question {
    int ix;
    char low[KEY_BYTES], high[KEY_BYTES];
    size_t low_len, high_len;
    bool ends; /* there is a high */
    struct place after;
    bool descending, choosy, counting;
    uint32_t limit;
    size_t bytes_max;
};

struct answer {
    uint32_t count; /* what was counted, if it was counting */
    bool exhausted;
    struct {
        char id[4], text[128];
        struct place at;
    } items[PAGE_MAX];
};

static bool
chosen(linli_str key)
{
    return key.len > 0 && ((unsigned char)key.ptr[key.len - 1] & 3) == 0;
}

static bool
on_wants(const struct ll_scan *scan, linli_str key)
{
    T_INT(scan->than, 77);
    return chosen(key);
}

static int
order(const struct question *q, linli_str key_a, linli_str id_a,
    const struct place *b)
{
    int o = ll_str_cmp(key_a, (linli_str){b->key, b->key_len});
    if (o == 0)
        o = ll_str_cmp(id_a, ll_cstr(b->id));
    return q->descending ? -o : o;
}

static bool
is_in(const struct question *q, linli_str key, linli_str id)
{
    if (ll_str_cmp(key, (linli_str){q->low, q->low_len}) < 0)
        return false;
    if (q->ends && ll_str_cmp(key, (linli_str){q->high, q->high_len}) >= 0)
        return false;
    if (q->after.there && order(q, key, id, &q->after) <= 0)
        return false;
    return !q->choosy || chosen(key);
}

/* All that the question is about, in order, by insertion. */
static uint32_t
all_of(const struct model *m, const struct question *q, uint64_t number,
    struct answer *all)
{
    uint32_t count = 0;
    for (int n = 0; n < IDS; n++) {
        const struct version *v = version_at(m, n, number);
        linli_str id = ll_cstr(id_of(n));
        if (v == NULL || !v->keys[q->ix].there)
            continue;
        linli_str key = {v->keys[q->ix].bytes, v->keys[q->ix].len};
        if (!is_in(q, key, id))
            continue;
        uint32_t at = count++;
        while (at > 0 && order(q, key, id, &all->items[at - 1].at) < 0) {
            all->items[at] = all->items[at - 1];
            at--;
        }
        memcpy(all->items[at].at.key, key.ptr, key.len);
        all->items[at].at.key_len = key.len;
        snprintf(
            all->items[at].at.id, sizeof all->items[at].at.id, "%s", id_of(n));
        snprintf(all->items[at].id, sizeof all->items[at].id, "%s", id_of(n));
        memcpy(all->items[at].text, v->text, sizeof v->text);
    }
    return count;
}

/* What must be answered of it: as many as fit, one at least. */
static void
model_answer(const struct model *m, const struct question *q, uint64_t number,
    struct answer *out)
{
    uint32_t all = all_of(m, q, number, out);
    size_t bytes = 0;
    out->count = 0;
    while (out->count < all && out->count < q->limit) {
        size_t more = strlen(out->items[out->count].text);
        if (q->bytes_max > 0 && out->count > 0 && bytes + more > q->bytes_max)
            break;
        bytes += more;
        out->count++;
    }
    out->exhausted = out->count == all;
}

/* Whether what was found is so at that commit. A page that ended early for
 * its bytes is as good if it would be longer now; and that there may be more
 * is never wrong. */
static bool
agrees(const struct model *m, const struct question *q, uint64_t number,
    const struct answer *found)
{
    struct answer want;
    struct question wider = *q;
    if (q->bytes_max > 0 && !found->exhausted) {
        wider.bytes_max = 0;
        wider.limit = found->count;
    }
    model_answer(m, &wider, number, &want);
    if (want.count != found->count || (found->exhausted && !want.exhausted))
        return false;
    for (uint32_t i = 0; i < want.count && !q->counting; i++)
        if (strcmp(want.items[i].id, found->items[i].id) != 0 ||
            strcmp(want.items[i].text, found->items[i].text) != 0)
            return false;
    return true;
}

/* -- asking the engine -- */

struct asking {
    struct ll_scan scan;
    struct answer answer;
    bool done, doomed;
    struct model *m;
};

static void
copy_item(struct answer *answer, uint32_t i, const struct ll_scan_item *item)
{
    struct place *at = &answer->items[i].at;
    T_OK(item->id.len < 4 && item->key.len <= KEY_BYTES);
    snprintf(answer->items[i].id, 4, "%.*s", LL_FMT(item->id));
    snprintf(answer->items[i].text, sizeof answer->items[i].text, "%.*s",
        LL_FMT(item->content->body));
    memcpy(at->key, item->key.ptr, item->key.len);
    at->key_len = item->key.len;
    snprintf(at->id, sizeof at->id, "%.*s", LL_FMT(item->id));
    at->there = true;
}

/* What was found lasts only for this turn. */
static void
on_found(struct ll_scan *scan)
{
    struct asking *a = scan->user;
    T_OK(!a->done);
    a->done = true;
    a->doomed = scan->txn->doomed;
    a->answer = (struct answer){.exhausted = scan->exhausted};
    T_INT(scan->status, LINLI_OK);
    if (scan->counting) {
        T_INT(scan->count, 0);
        a->answer.count = scan->total;
        return;
    }
    T_INT(scan->total, scan->count);
    T_OK(scan->count <= PAGE_MAX);
    a->answer.count = scan->count;
    for (uint32_t i = 0; !a->doomed && i < scan->count; i++)
        copy_item(&a->answer, i, &scan->items[i]);
}

static void
on_over(struct ll_scan *scan)
{
    struct asking *a = scan->user;
    T_OK(!a->done);
    a->done = true;
}

static void
ask(struct asking *a, struct model *m, struct ll_txn *txn,
    const struct question *q)
{
    *a = (struct asking){.m = m};
    struct ll_scan *scan = &a->scan;
    ll_scan_init(scan, txn);
    scan->coll = m->e.coll;
    scan->ix = m->ixs[q->ix];
    scan->low = (linli_str){q->low, q->low_len};
    if (q->ends)
        scan->high = (linli_str){q->high, q->high_len};
    if (q->after.there) {
        scan->after_key = (linli_str){q->after.key, q->after.key_len};
        scan->after_id = ll_cstr(q->after.id);
    }
    scan->descending = q->descending;
    scan->limit = q->limit;
    scan->bytes_max = q->bytes_max;
    scan->counting = q->counting;
    scan->wants = q->choosy ? on_wants : NULL;
    scan->than = 77;
    scan->done = on_found;
    scan->user = a;
    ll_scan_start(scan);
}

/* -- questions at random -- */

static size_t
roll_bound(struct model *m, int ix, char out[KEY_BYTES])
{
    /* Some document's key, and perhaps the end of what begins so. */
    const struct version *v = version_at(m, (int)roll(m, IDS), UINT64_MAX);
    if (ix == 0 || v == NULL || !v->keys[ix].there)
        return 0;
    size_t len = v->keys[ix].len;
    memcpy(out, v->keys[ix].bytes, len);
    if (roll(m, 3) == 0 && len < KEY_BYTES)
        out[len++] = '\xff';
    return len;
}

static void
roll_question(struct model *m, struct question *q)
{
    *q = (struct question){.ix = (int)roll(m, INDEXES),
        .descending = roll(m, 2) == 0,
        .limit = 1 + roll(m, roll(m, 2) == 0 ? 3 : PAGE_MAX)};
    if (roll(m, 2) == 0)
        q->low_len = roll_bound(m, q->ix, q->low);
    if (q->ix != 0 && roll(m, 2) == 0) {
        q->high_len = roll_bound(m, q->ix, q->high);
        q->ends = q->high_len > 0;
    }
    q->choosy = roll(m, 3) == 0;
    q->counting = roll(m, 6) == 0;
    if (!q->counting && roll(m, 4) == 0)
        q->bytes_max = 20 + roll(m, 200);
}

/* -- a history -- */

static void
model_init(struct model *m, uint64_t seed, bool memory)
{
    *m = (struct model){.seed = seed};
    engine_init(&m->e, memory);
    m->ixs[1] = engine_index(&m->e, "a", "{\"fields\":[\"a\"]}");
    m->ixs[2] =
        engine_index(&m->e, "s", "{\"fields\":[\"a\",\"b\"],\"sparse\":true}");
    for (int n = 0; n < IDS; n++) {
        m->versions[n] = calloc(VERSIONS_MAX, sizeof *m->versions[n]);
        m->docs[n] = engine_doc(&m->e, id_of(n));
    }
    for (int i = 0; i < IDS; i++)
        others_write(m);
}

static void
model_fini(struct model *m)
{
    for (int n = 0; n < IDS; n++) {
        ll_doc_unref(&m->docs[n]);
        free(m->versions[n]);
    }
    engine_settle(&m->e);
    ll_docs_trim(&m->e.docs);
    T_OK(m->e.coll->id_ranges == NULL);
    engine_fini(&m->e);
}

/* All durable and out of memory, so that rows come from the file; then a few
 * documents are looked at again. */
static void
forget(struct model *m)
{
    for (int n = 0; n < IDS; n++)
        ll_doc_unref(&m->docs[n]);
    m->e.coll->fleeting = true;
    engine_settle(&m->e);
    ll_docs_trim(&m->e.docs);
    m->e.coll->fleeting = roll(m, 2) == 0;
    for (int n = 0; n < IDS; n++)
        m->docs[n] = engine_doc(&m->e, id_of(n));
    engine_settle(&m->e);
    if (roll(m, 2) == 0) /* those that are held are few */
        for (int n = 0; n < IDS; n++)
            if (roll(m, 3) > 0)
                ll_doc_unref(&m->docs[n]);
    for (int n = 0; n < IDS; n++)
        if (m->docs[n] == NULL && roll(m, 8) == 0)
            m->docs[n] = ll_docs_get(m->e.coll, ll_cstr(id_of(n)));
}

/* All documents are held: others can write without a turn. */
static void
hold_all(struct model *m)
{
    for (int n = 0; n < IDS; n++) {
        if (m->docs[n] != NULL && m->docs[n]->state == LL_DOC_LOADING)
            ll_doc_unref(&m->docs[n]);
        if (m->docs[n] == NULL)
            m->docs[n] = engine_doc(&m->e, id_of(n));
    }
}

/* Turns until the scan is over; others write between the turns, if they may:
 * if all documents are held. */
static void
run(struct asking *a, bool busy)
{
    struct model *m = a->m;
    while (!a->done) {
        if (busy && roll(m, 2) == 0)
            others_write(m);
        if (busy && roll(m, 4) == 0) { /* it is handed over, and answered, */
            ll_world_turn(m->e.f.world, false);
            if (!a->done && roll(m, 2) == 0)
                usleep(300);
            if (!a->done) /* but what is newer comes before the answer */
                others_write(m);
        }
        if (!a->done)
            ll_world_turn(m->e.f.world, true);
    }
    m->pieces += a->scan.txn->read_count > 1;
}

static void
write_own(struct model *m, struct ll_txn *txn)
{
    memset(m->own, 0, sizeof m->own);
    for (uint32_t i = roll(m, 4); i > 0; i--) {
        int n = (int)roll(m, IDS);
        struct version v;
        roll_version(m, n, &v);
        write_version(m, txn, n, &v);
        v.number = 1;
        m->own[n] = v;
    }
}

static void
show(const struct model *m, const struct question *q, const char *what)
{
    printf("# %s: seed %" PRIu64 ", ix %d, %s, limit %u, bytes %zu%s%s%s\n",
        what, m->seed, q->ix, q->descending ? "descending" : "ascending",
        q->limit, q->bytes_max, q->choosy ? ", choosy" : "",
        q->counting ? ", counting" : "", q->after.there ? ", on" : "");
}

/* It saw the newest state; and it may be told when `read_high` is durable:
 * then nothing that may still be lost makes it another. What the file shows
 * is durable already, though the loop may not know. */
static void
check_answer(struct asking *a, const struct question *q)
{
    struct model *m = a->m;
    uint64_t told_at = a->scan.txn->read_high;
    if (ll_store_durable(m->e.f.store) > told_at)
        told_at = ll_store_durable(m->e.f.store);
    if (a->scan.query.snapshot > told_at)
        told_at = a->scan.query.snapshot;
    m->checked++;
    bool newest = agrees(m, q, UINT64_MAX, &a->answer);
    bool survives = agrees(m, q, told_at, &a->answer);
    if (!newest || !survives)
        show(m, q, newest ? "would not survive" : "not the newest state");
    T_OK(newest);
    T_OK(survives);
}

/* Whatever makes it another answer must doom it. */
static void
check_dooming(struct asking *a, const struct question *q)
{
    struct model *m = a->m;
    for (int i = 0; i < 12 && !a->scan.txn->doomed; i++) {
        others_write(m);
        bool same = agrees(m, q, UINT64_MAX, &a->answer);
        if (!same && !a->scan.txn->doomed)
            show(m, q, "changed, and not doomed");
        T_OK(same || a->scan.txn->doomed);
        m->caught += !same;
    }
}

/* One transaction, one question, page after page. */
static void
round_of(struct model *m)
{
    struct ll_txn txn;
    struct question q;
    static struct asking a;
    bool busy = roll(m, 3) > 0;
    ll_txn_init(&txn, &m->e.docs);
    if (roll(m, 3) == 0)
        forget(m);
    if (busy)
        hold_all(m);
    for (uint32_t i = roll(m, 3); i > 0; i--)
        others_write(m);
    if (roll(m, 2) == 0)
        engine_settle(&m->e);
    write_own(m, &txn);
    roll_question(m, &q);
    for (int page = 0; page < 4; page++) {
        ask(&a, m, &txn, &q);
        run(&a, busy);
        m->doomed += a.doomed;
        if (!a.doomed)
            check_answer(&a, &q);
        bool on = !a.doomed && !q.counting && a.answer.count > 0 &&
                  !a.answer.exhausted;
        bool last = !on || roll(m, 3) == 0;
        if (last && !a.doomed) {
            hold_all(m);
            if (!txn.doomed)
                check_dooming(&a, &q);
        }
        ll_scan_fini(&a.scan);
        if (last || txn.doomed)
            break;
        /* The next page is another transaction's as often as not: a cursor
         * knows nothing of the first. */
        q.after = a.answer.items[a.answer.count - 1].at;
        if (roll(m, 2) == 0) {
            ll_txn_reset(&txn);
            memset(m->own, 0, sizeof m->own);
        }
        if (busy)
            others_write(m);
        if (txn.doomed)
            break;
    }
    ll_txn_fini(&txn);
    memset(m->own, 0, sizeof m->own);
}

/* Histories of so many seeds from `seed` on, which must have met it all. */
static void
histories(uint64_t seed, int seeds, bool memory)
{
    static struct model m;
    int checked = 0, doomed = 0, caught = 0, pieces = 0;
    for (int n = 0; n < seeds; n++) {
        model_init(&m, seed + (uint64_t)n, memory);
        for (int i = 0; i < ROUNDS; i++)
            round_of(&m);
        model_fini(&m);
        checked += m.checked;
        doomed += m.doomed;
        caught += m.caught;
        pieces += m.pieces;
    }
    printf("# %d answers, %d doomed, %d in pieces, %d changes caught\n",
        checked, doomed, pieces, caught);
    T_OK(checked > seeds * ROUNDS && doomed > 0);
    T_OK(caught > seeds * ROUNDS / 10 && pieces > seeds);
}

T_CASE(histories_in_memory)
{
    histories(1, 6, true);
}

T_CASE(histories_on_disk)
{
    histories(101, 4, false);
}

/* -- whom a scan meets -- */

/* Waits for a document that a scan finds, and writes another that the scan
 * has found before. */
struct intruder {
    struct ll_wait wait;
    struct engine *e;
    struct ll_doc *doc, *other;
    struct ll_scan *scan;
    bool told, within;
};

static void
on_intruder(struct ll_wait *wait)
{
    struct intruder *i = LL_CONTAINER(wait, struct intruder, wait);
    const struct asking *a = i->scan->user;
    i->told = true;
    /* Neither asking nor over: it is putting rows together. */
    i->within = !i->scan->querying && !a->done;
    T_INT(i->doc->state, LL_DOC_KNOWN);
    T_OK(i->doc->content != NULL);
    if (i->other->state == LL_DOC_KNOWN)
        (void)engine_write(i->e, i->other, "{\"id\":\"00\",\"n\":1}");
}

/* What can become of a document that a scan has, before the answer that
 * somebody waits for is there; returns whether it came to that. */
static bool
taken_over(struct intruder *i, const struct asking *a, int tries)
{
    struct engine *e = i->e;
    while (!a->done && !i->told)
        ll_world_turn(e->f.world, true);
    if (i->told)
        return false;
    T_INT(i->doc->state, LL_DOC_KNOWN);
    T_OK(i->doc->query != NULL);
    if (tries % 3 == 1) /* it is written: the answer is old news */
        (void)engine_write(e, i->doc, "{\"id\":\"01\",\"n\":2}");
    if (tries % 3 == 2) { /* it is let go, and fleeting */
        ll_wait_cancel(&i->wait);
        ll_doc_unref(&i->doc);
        i->told = true;
    }
    while (!i->told)
        ll_world_turn(e->f.world, true);
    if (i->doc != NULL)
        T_STR(i->doc->content->body,
            tries % 3 == 1 ? "{\"id\":\"01\",\"n\":2}" : "{\"id\":\"01\"}");
    return true;
}

/* A scan may come upon a document that somebody waits for. He is told, but
 * not in the midst of it: what he does may change what it has found. */
T_CASE(who_waits_is_not_told_by_a_scan)
{
    int met[3] = {0, 0, 0};
    bool all = false;
    for (int tries = 0; tries < 30 || (tries < 1000 && !all); tries++) {
        static struct model m;
        static struct asking a;
        struct ll_txn txn;
        struct question q = {.limit = 10};
        struct intruder i = {.wait = {.ready = on_intruder}, .e = &m.e};
        engine_init(&m.e, true);
        m.e.coll->fleeting = true;
        (void)engine_put(&m.e, "00", "{\"id\":\"00\"}");
        (void)engine_put(&m.e, "01", "{\"id\":\"01\"}");
        engine_settle(&m.e);
        ll_docs_trim(&m.e.docs);
        T_INT(m.e.docs.doc_count, 0);
        ll_txn_init(&txn, &m.e.docs);
        i.scan = &a.scan;
        ask(&a, &m, &txn, &q);
        ll_world_turn(m.e.f.world, false); /* asked, and answered */
        usleep(500 + 100 * (unsigned)(tries % 30));
        i.other = ll_docs_get(m.e.coll, LINLI_STR("00"));
        i.doc = ll_docs_get(m.e.coll, LINLI_STR("01"));
        if (!ll_doc_ready(i.doc, &i.wait))
            met[tries % 3] += taken_over(&i, &a, tries);
        fixture_wait(&m.e.f, &a.done);
        T_OK(!i.within);
        T_INT(a.answer.count, 2);
        ll_scan_fini(&a.scan);
        ll_txn_fini(&txn);
        ll_doc_unref(&i.doc);
        ll_doc_unref(&i.other);
        engine_settle(&m.e);
        engine_fini(&m.e);
        all = met[0] > 0 && met[1] > 0 && met[2] > 0;
    }
    T_OK(all);
}

/* -- without memory -- */

/* A list of what is in the file, what is newer and what is the transaction's
 * own, whatever fails: it says so, or is right; and can be asked again. */
static bool
scan_without_memory(struct engine *e, uint64_t failing, bool descending)
{
    static struct model m; /* for its callback alone */
    static struct asking a;
    struct ll_txn txn;
    struct ll_ix *ix = engine_index(e, "a", "{\"fields\":[\"a\"]}");
    ll_txn_init(&txn, &e->docs);
    T_INT(txn_put(e, &txn, "own", "{\"id\":\"own\",\"a\":2}"), LINLI_OK);
    engine_settle(e);
    ll_docs_trim(&e->docs);
    (void)engine_put(e, "new", "{\"id\":\"new\",\"a\":3}");
    bool good = false;
    for (int again = 0; again < 2; again++) {
        a = (struct asking){.m = &m};
        e->f.mem.fail_in = again == 0 ? failing : 0;
        ll_scan_init(&a.scan, &txn);
        a.scan.coll = e->coll;
        a.scan.ix = ix;
        a.scan.limit = 10;
        a.scan.descending = descending;
        a.scan.done = on_over;
        a.scan.user = &a;
        ll_scan_start(&a.scan);
        fixture_wait(&e->f, &a.done);
        if (again == 0)
            good = e->f.mem.fail_in != 0;
        T_OK(a.scan.status == LINLI_OK || !good);
        T_OK(a.scan.status == LINLI_OK || a.scan.count == 0);
        T_OK(a.scan.status != LINLI_OK || a.scan.count == 3);
        T_OK(a.scan.status != LINLI_OK || a.scan.exhausted);
        T_OK(again == 0 || a.scan.status == LINLI_OK);
        ll_scan_fini(&a.scan);
    }
    e->f.mem.fail_in = 0;
    ll_txn_fini(&txn);
    return good;
}

T_CASE(scans_without_memory)
{
    for (int descending = 0; descending < 2; descending++) {
        bool good = false;
        uint64_t failing;
        for (failing = 1; !good; failing++) {
            struct engine e;
            engine_init(&e, true);
            e.coll->fleeting = true;
            (void)engine_put(&e, "old", "{\"id\":\"old\",\"a\":1}");
            good = scan_without_memory(&e, failing, descending == 1);
            engine_settle(&e);
            engine_fini(&e);
        }
        T_OK(failing > 6);
    }
}

T_MAIN(T_RUN(histories_in_memory) T_RUN(histories_on_disk)
        T_RUN(who_waits_is_not_told_by_a_scan) T_RUN(scans_without_memory))
