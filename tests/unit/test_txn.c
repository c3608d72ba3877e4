/* tests/unit/test_txn.c: transactions over a store: what they read of
 * themselves, who is doomed by whom and who is not, what they may take, and
 * what a commit leaves. */
#include "docs_fixture.h"

/* -- reading -- */

T_CASE(reads_its_own_writes)
{
    struct engine e;
    struct ll_txn txn, other;
    engine_init(&e, true);
    ll_txn_init(&txn, &e.docs);
    ll_txn_init(&other, &e.docs);
    uint64_t first = engine_put(&e, "x", "{\"id\":\"x\"}");
    T_SEES(&e, &txn, "x", "{\"id\":\"x\"}");
    T_INT(txn.read_high, first);
    T_INT(txn_put(&e, &txn, "x", "{\"id\":\"x\",\"n\":1}"), LINLI_OK);
    T_INT(txn_put(&e, &txn, "y", "{\"id\":\"y\"}"), LINLI_OK);
    T_SEES(&e, &txn, "x", "{\"id\":\"x\",\"n\":1}");
    T_SEES(&e, &txn, "y", "{\"id\":\"y\"}");
    T_SEES(&e, &other, "x", "{\"id\":\"x\"}"); /* nobody else does */
    T_SEES(&e, &other, "y", "-");
    T_INT(txn_put(&e, &txn, "x", NULL), LINLI_OK);
    T_SEES(&e, &txn, "x", "-");
    T_INT(txn_put(&e, &txn, "x", "{\"id\":\"x\",\"n\":2}"), LINLI_OK);
    T_SEES(&e, &txn, "x", "{\"id\":\"x\",\"n\":2}");
    ll_txn_reset(&txn);
    T_SEES(&e, &txn, "x", "{\"id\":\"x\"}"); /* and now neither does it */
    T_SEES(&e, &txn, "y", "-");
    T_INT(txn.read_high, first);
    ll_txn_fini(&txn);
    ll_txn_fini(&other);
    engine_fini(&e);
}

T_CASE(reads_a_document_once)
{
    struct engine e;
    struct ll_txn txn;
    engine_init(&e, true);
    ll_txn_init(&txn, &e.docs);
    struct ll_doc *doc = engine_doc(&e, "x");
    for (int i = 0; i < 3; i++)
        T_SEES(&e, &txn, "x", "-");
    T_INT(txn.read_count, 1);
    T_INT(doc->refs, 2); /* ours and the transaction's */
    T_INT(txn_put(&e, &txn, "y", NULL), LINLI_OK);
    T_SEES(&e, &txn, "y", "-"); /* its own: nothing is registered */
    T_INT(txn.read_count, 1);
    ll_txn_fini(&txn);
    T_INT(doc->refs, 1);
    T_OK(doc->readers == NULL);
    ll_doc_unref(&doc);
    engine_fini(&e);
}

T_CASE(what_is_lost_cannot_be_read)
{
    struct engine e;
    struct ll_txn txn;
    const struct ll_content *content = (const void *)&e;
    engine_init(&e, true);
    ll_txn_init(&txn, &e.docs);
    struct ll_doc *doc = ll_docs_get(e.coll, LINLI_STR("x"));
    ll_docs_stop(&e.docs);
    T_INT(ll_txn_read(&txn, doc, &content, &e.f.err), LINLI_E_IO);
    T_STR(ll_cstr(e.f.err.code), "store/failed");
    T_OK(content == NULL && txn.read_count == 0);
    ll_txn_fini(&txn);
    ll_doc_unref(&doc);
    engine_fini(&e);
}

/* -- conflicts over documents -- */

static const char one[] = "{\"id\":\"x\",\"n\":1}";
static const char two[] = "{\"id\":\"x\",\"n\":2}";

/* What was there, what is written over it, and whether who had read the
 * first must begin again: whenever something was written. */
T_CASE(who_read_a_document_is_doomed)
{
    static const struct {
        const char *before, *after;
        bool doomed;
    } cases[] = {
        {NULL, one, true}, /* it was absent */
        {one, two, true},
        {one, one, true}, /* the same again: it is another version */
        {one, NULL, true}, {NULL, NULL, false}, /* absent, and absent */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct engine e;
        struct ll_txn reader, both;
        engine_init(&e, true);
        ll_txn_init(&reader, &e.docs);
        ll_txn_init(&both, &e.docs);
        if (cases[i].before != NULL)
            (void)engine_put(&e, "x", cases[i].before);
        T_SEES(&e, &reader, "y", "-");
        T_SEES(
            &e, &reader, "x", cases[i].before == NULL ? "-" : cases[i].before);
        T_SEES(&e, &both, "x", cases[i].before == NULL ? "-" : cases[i].before);
        T_INT(txn_put(&e, &both, "x", cases[i].after), LINLI_OK);
        T_OK(!reader.doomed); /* not before it commits */
        T_OK(txn_commit(&e, &both) != 0);
        T_INT(reader.doomed, cases[i].doomed);
        T_OK(!both.doomed);
        ll_txn_reset(&reader);
        T_OK(!reader.doomed && reader.read_count == 0);
        (void)engine_put(&e, "x", one);
        T_OK(!reader.doomed); /* it reads nothing any more */
        ll_txn_fini(&reader);
        ll_txn_fini(&both);
        engine_fini(&e);
    }
}

T_CASE(two_that_write_what_both_read)
{
    struct engine e;
    struct ll_txn a, b;
    engine_init(&e, true);
    ll_txn_init(&a, &e.docs);
    ll_txn_init(&b, &e.docs);
    T_SEES(&e, &a, "x", "-");
    T_SEES(&e, &b, "x", "-");
    T_INT(txn_put(&e, &a, "x", one), LINLI_OK);
    T_INT(txn_put(&e, &b, "x", two), LINLI_OK);
    T_OK(txn_commit(&e, &b) != 0);
    T_OK(a.doomed);
    ll_txn_reset(&a);
    T_SEES(&e, &a, "x", two);
    ll_txn_fini(&a);
    ll_txn_fini(&b);
    engine_fini(&e);
}

/* Each reads what the other writes: one of the two goes. */
T_CASE(write_skew)
{
    struct engine e;
    struct ll_txn a, b;
    engine_init(&e, true);
    ll_txn_init(&a, &e.docs);
    ll_txn_init(&b, &e.docs);
    T_SEES(&e, &a, "x", "-");
    T_SEES(&e, &b, "y", "-");
    T_INT(txn_put(&e, &a, "y", "{}"), LINLI_OK);
    T_INT(txn_put(&e, &b, "x", "{}"), LINLI_OK);
    T_OK(txn_commit(&e, &a) != 0);
    T_OK(b.doomed && !a.doomed);
    ll_txn_fini(&a);
    ll_txn_fini(&b);
    engine_fini(&e);
}

T_CASE(blind_writes_doom_nobody_who_is_blind)
{
    struct engine e;
    struct ll_txn a, b, reader;
    engine_init(&e, true);
    ll_txn_init(&a, &e.docs);
    ll_txn_init(&b, &e.docs);
    ll_txn_init(&reader, &e.docs);
    T_INT(txn_put(&e, &a, "x", one), LINLI_OK);
    T_INT(txn_put(&e, &b, "x", two), LINLI_OK);
    T_SEES(&e, &a, "x", one); /* its own */
    T_SEES(&e, &reader, "x", "-");
    T_OK(txn_commit(&e, &a) != 0);
    T_OK(!b.doomed && reader.doomed);
    T_OK(txn_commit(&e, &b) != 0);
    ll_txn_reset(&reader);
    T_SEES(&e, &reader, "x", two); /* the later one */
    ll_txn_fini(&a);
    ll_txn_fini(&b);
    ll_txn_fini(&reader);
    engine_fini(&e);
}

/* -- conflicts over ranges -- */

static linli_str
tuple(struct ll_buf *buf, const char *text)
{
    /* "1" an integer, "a" a text, "-" null, "!" the end of what begins so */
    ll_buf_clear(buf);
    for (; *text != '\0'; text++) {
        if (*text == '-')
            ll_tuple_null(buf);
        else if (*text == '!')
            (void)ll_tuple_next(buf);
        else if (*text >= '0' && *text <= '9')
            ll_tuple_int(buf, *text - '0');
        else
            ll_tuple_str(buf, (linli_str){text, 1});
    }
    return ll_buf_view(buf);
}

/* A range [low, high) of keys, high NULL: to the end, and what a document's
 * key was and is; "" has no entry (the index is sparse). */
struct beside {
    const char *low, *high;
    bool closed;
    const char *before, *after;
    bool doomed;
};

static void
put_a(struct engine *e, const char *id, const char *key)
{
    char text[64];
    const char *mark = key[0] >= '0' && key[0] <= '9' ? "" : "\"";
    if (key[0] == '\0')
        snprintf(text, sizeof text, "{\"id\":\"%s\"}", id);
    else
        snprintf(text, sizeof text, "{\"id\":\"%s\",\"a\":%s%s%s}", id, mark,
            key, mark);
    (void)engine_put(e, id, text);
}

static void
check_beside(const struct beside *c, int number)
{
    struct engine e;
    struct ll_txn txn;
    struct ll_buf low, high;
    engine_init(&e, true);
    struct ll_ix *ix =
        engine_index(&e, "a", "{\"fields\":[\"a\"],\"sparse\":true}");
    ll_txn_init(&txn, &e.docs);
    ll_buf_init(&low, &e.f.mem, 64);
    ll_buf_init(&high, &e.f.mem, 64);
    put_a(&e, "x", c->before);
    struct ll_range range = {.low = tuple(&low, c->low), .closed = c->closed};
    if (c->high != NULL)
        range.high = tuple(&high, c->high);
    T_INT(ll_txn_read_range(&txn, e.coll, ix, &range, &e.f.err), LINLI_OK);
    put_a(&e, "x", c->after);
    if (txn.doomed != c->doomed)
        printf("# row %d\n", number);
    T_INT(txn.doomed, c->doomed);
    ll_buf_fini(&low);
    ll_buf_fini(&high);
    ll_txn_fini(&txn);
    engine_fini(&e);
}

T_CASE(ranges_of_an_index)
{
    static const struct beside cases[] = {
        {"2", "5", false, "", "2", true},   /* the first, included */
        {"2", "5", false, "", "4", true},   /* within */
        {"2", "5", false, "", "5", false},  /* the end, which is not */
        {"2", "5", true, "", "5", true},    /* unless it is closed */
        {"2", "5", true, "", "6", false},   /* just outside */
        {"2", "5", false, "", "1", false},  /* just before */
        {"2", "5", false, "3", "9", true},  /* it leaves */
        {"2", "5", false, "9", "3", true},  /* it comes */
        {"2", "5", false, "1", "9", false}, /* it jumps over */
        {"2", "5", false, "3", "", true},   /* its entry goes */
        {"2", "5", false, "", "", false},   /* it never had one */
        {"2", "5", false, "3", "3", true},  /* its body may have changed */
        {"2", NULL, false, "", "9", true},  /* to the end */
        {"2", NULL, false, "", "a", true},  /* of all kinds */
        {"2", NULL, false, "", "1", false},
        {"", "5", false, "", "1", true}, /* from the start */
        {"", "5", false, "", "a", false}, {"", NULL, false, "", "a", true},
        {"", NULL, false, "a", "", true},
        {"3", "3!", false, "", "3", true}, /* a unique key's point */
        {"3", "3!", false, "", "2", false}, {"3", "3!", false, "", "4", false},
        {"3", "3!", false, "3", "4", true},
        {"5", "2", false, "", "3", false}, /* no range at all */
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_beside(&cases[i], (int)i);
}

T_CASE(ranges_by_id)
{
    static const struct {
        const char *low, *high;
        bool closed;
        const char *id;
        bool doomed;
    } cases[] = {
        {"b", "d", false, "b", true},
        {"b", "d", false, "c", true},
        {"b", "d", false, "d", false},
        {"b", "d", true, "d", true},
        {"b", "d", true, "da", false}, /* the next there can be */
        {"b", "d", false, "a\xc3\xa9", false},
        {"b", NULL, false, "\xc3\xa9", true},
        {"", NULL, false, "a", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct engine e;
        struct ll_txn txn;
        struct ll_range range = {
            .low = ll_cstr(cases[i].low), .closed = cases[i].closed};
        engine_init(&e, true);
        struct ll_coll *other = ll_space_coll(e.space, LINLI_STR("other"));
        ll_txn_init(&txn, &e.docs);
        if (cases[i].high != NULL)
            range.high = ll_cstr(cases[i].high);
        T_INT(ll_txn_read_range(&txn, other, NULL, &range, &e.f.err), LINLI_OK);
        (void)engine_put(&e, cases[i].id, "{}");
        T_OK(!txn.doomed); /* another collection's */
        T_INT(
            ll_txn_read_range(&txn, e.coll, NULL, &range, &e.f.err), LINLI_OK);
        (void)engine_put(&e, cases[i].id, "{\"n\":1}"); /* a new body counts */
        T_INT(txn.doomed, cases[i].doomed);
        ll_txn_fini(&txn);
        engine_fini(&e);
    }
}

/* A range of one index knows nothing of another. */
T_CASE(ranges_of_two_indexes)
{
    struct engine e;
    struct ll_txn txn;
    struct ll_buf low;
    engine_init(&e, true);
    (void)engine_index(&e, "a", "{\"fields\":[\"a\"],\"sparse\":true}");
    struct ll_ix *b =
        engine_index(&e, "b", "{\"fields\":[\"b\"],\"sparse\":true}");
    ll_txn_init(&txn, &e.docs);
    ll_buf_init(&low, &e.f.mem, 64);
    struct ll_range range = {.low = tuple(&low, "")};
    T_INT(ll_txn_read_range(&txn, e.coll, b, &range, &e.f.err), LINLI_OK);
    put_a(&e, "x", "3");
    T_OK(!txn.doomed);
    (void)engine_put(&e, "x", "{\"id\":\"x\",\"a\":3,\"b\":1}");
    T_OK(txn.doomed);
    ll_buf_fini(&low);
    ll_txn_fini(&txn);
    engine_fini(&e);
}

/* Each registration leaves its list alone, in whatever order they end. */
T_CASE(registrations_come_and_go)
{
    struct engine e;
    struct ll_txn txns[5];
    uint64_t seed = 3;
    engine_init(&e, true);
    struct ll_ix *ix = engine_index(&e, "a", "{\"fields\":[\"a\"]}");
    struct ll_doc *doc = engine_doc(&e, "x");
    for (size_t i = 0; i < COUNT(txns); i++)
        ll_txn_init(&txns[i], &e.docs);
    for (int i = 0; i < 500; i++) {
        const struct ll_range range = {.low = LINLI_STR("")};
        struct ll_txn *txn = &txns[seed % COUNT(txns)];
        const struct ll_content *content;
        if (seed % 7 < 3)
            ll_txn_reset(txn);
        T_INT(ll_txn_read(txn, doc, &content, &e.f.err), LINLI_OK);
        T_INT(ll_txn_read_range(
                  txn, e.coll, seed % 2 == 0 ? ix : NULL, &range, &e.f.err),
            LINLI_OK);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        seed ^= seed >> 33;
    }
    uint32_t readers = 0, open = 0;
    for (struct ll_reader *r = doc->readers; r != NULL; r = r->next)
        readers++;
    (void)engine_put(&e, "x", "{\"id\":\"x\"}");
    for (size_t i = 0; i < COUNT(txns); i++) {
        open += txns[i].doomed;
        ll_txn_fini(&txns[i]);
    }
    T_INT(readers, open);
    T_OK(doc->readers == NULL && doc->refs == 1);
    T_OK(e.coll->id_ranges == NULL && ix->ranges == NULL);
    ll_doc_unref(&doc);
    engine_fini(&e);
}

/* -- bounds -- */

T_CASE(reads_have_a_bound)
{
    struct engine e;
    struct ll_txn txn;
    const struct ll_range range = {.low = LINLI_STR("")};
    engine_init(&e, true);
    ll_txn_init(&txn, &e.docs);
    struct ll_doc *x = engine_doc(&e, "x"), *y = engine_doc(&e, "y");
    const struct ll_content *content;
    T_INT(ll_txn_read(&txn, x, &content, &e.f.err), LINLI_OK);
    for (int i = 1; i < LL_READ_SET_MAX; i++)
        if (ll_txn_read_range(&txn, e.coll, NULL, &range, &e.f.err) != LINLI_OK)
            T_INT(i, -1);
    T_INT(txn.read_count, LL_READ_SET_MAX);
    T_INT(
        ll_txn_read_range(&txn, e.coll, NULL, &range, &e.f.err), LINLI_E_LIMIT);
    T_STR(ll_cstr(e.f.err.code), "db/limit");
    T_INT(ll_txn_read(&txn, y, &content, &e.f.err), LINLI_E_LIMIT);
    T_STR(ll_cstr(e.f.err.code), "db/limit");
    T_OK(y->readers == NULL && y->refs == 1);
    T_INT(ll_txn_read(&txn, x, &content, &e.f.err), LINLI_OK); /* again */
    T_INT(ll_txn_write(&txn, y, NULL, &e.f.err), LINLI_OK);
    T_INT(ll_txn_read(&txn, y, &content, &e.f.err), LINLI_OK); /* its own */
    ll_txn_reset(&txn);
    T_INT(ll_txn_read(&txn, y, &content, &e.f.err), LINLI_OK);
    ll_txn_fini(&txn);
    ll_doc_unref(&x);
    ll_doc_unref(&y);
    engine_fini(&e);
}

/* A document that takes a quarter of what a transaction may write. */
static struct ll_content *
quarter(struct engine *e)
{
    static char text[(LL_OVERLAY_BYTES_MAX / 4)];
    size_t n = sizeof text - sizeof(struct ll_content) - 1;
    memset(text, ' ', sizeof text);
    memcpy(text, "{}", 2);
    return engine_content(e, e->coll, (linli_str){text, n});
}

T_CASE(writes_have_a_bound)
{
    struct engine e;
    struct ll_txn txn;
    const struct ll_content *content;
    engine_init(&e, true);
    ll_txn_init(&txn, &e.docs);
    struct ll_doc *x = engine_doc(&e, "x"), *y = engine_doc(&e, "y");
    for (int i = 0; i < 4; i++)
        T_INT(ll_txn_write(&txn, x, quarter(&e), &e.f.err), LINLI_OK);
    T_INT(txn.write_bytes, LL_OVERLAY_BYTES_MAX);
    T_INT(txn_write(&e, &txn, y, "{}"), LINLI_E_LIMIT);
    T_STR(ll_cstr(e.f.err.code), "db/limit");
    T_OK(ll_txn_own(&txn, y) == NULL && y->refs == 1);
    T_INT(txn_write(&e, &txn, x, "{}"), LINLI_E_LIMIT);
    T_INT(ll_txn_read(&txn, x, &content, &e.f.err), LINLI_OK);
    T_OK(content->body.len > 2); /* what it was before that */
    T_INT(ll_txn_write(&txn, y, NULL, &e.f.err), LINLI_OK); /* deleting */
    T_INT(ll_txn_write(&txn, x, NULL, &e.f.err), LINLI_OK);
    T_OK(txn_commit(&e, &txn) != 0);
    T_OK(x->content == NULL);
    ll_txn_fini(&txn);
    ll_doc_unref(&x);
    ll_doc_unref(&y);
    engine_fini(&e);
}

/* -- commits -- */

T_CASE(growth_is_counted)
{
    struct engine e;
    struct ll_txn txn;
    int64_t rows, bytes;
    engine_init(&e, true);
    struct ll_coll *plain = e.coll;
    ll_txn_init(&txn, &e.docs);
    (void)engine_put(&e, "old", "{\"a\":1}");
    (void)engine_put(&e, "gone", "{\"a\":12}");
    T_INT(txn_put(&e, &txn, "old", "{\"a\":1234}"), LINLI_OK); /* +3 */
    T_INT(txn_put(&e, &txn, "gone", NULL), LINLI_OK);          /* -12 */
    T_INT(txn_put(&e, &txn, "new", "{}"), LINLI_OK);           /* +5 */
    T_INT(txn_put(&e, &txn, "never", NULL), LINLI_OK);
    T_INT(txn_put(&e, &txn, "new2", "{}"), LINLI_OK);
    T_INT(txn_put(&e, &txn, "new2", NULL), LINLI_OK); /* made, and deleted */
    e.coll = ll_space_coll(e.space, LINLI_STR("~own"));
    T_INT(txn_put(&e, &txn, "own", "{}"), LINLI_OK); /* not counted */
    e.coll = plain;
    ll_txn_growth(&txn, e.space, &rows, &bytes);
    T_INT(rows, 0);
    T_INT(bytes, -4);
    struct ll_space *other =
        ll_docs_space(&e.docs, LINLI_STR("lake"), LINLI_STR("shop"));
    ll_txn_growth(&txn, other, &rows, &bytes);
    T_OK(rows == 0 && bytes == 0);
    int64_t bytes_before = e.space->bytes;
    T_OK(txn_commit(&e, &txn) != 0);
    T_INT(e.space->rows, 2);
    T_INT(e.space->bytes, bytes_before - 4);
    ll_txn_fini(&txn);
    engine_fini(&e);
}

/* What is in memory is what the store has, after whatever was written. */
T_CASE(the_store_counts_alike)
{
    struct engine e;
    uint64_t seed = 11;
    engine_init(&e, false);
    for (int i = 0; i < 200; i++) {
        struct ll_txn txn;
        ll_txn_init(&txn, &e.docs);
        for (int k = 0; k < 4; k++) {
            char id[8], text[64];
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            snprintf(id, sizeof id, "%d", (int)(seed >> 60));
            snprintf(text, sizeof text, "{\"id\":\"%s\",\"n\":%d}", id,
                (int)(seed >> 40 & 1023));
            T_INT(txn_put(&e, &txn, id, (seed >> 33) % 3 == 0 ? NULL : text),
                LINLI_OK);
        }
        T_OK(txn_commit(&e, &txn) != 0);
        ll_txn_fini(&txn);
    }
    int64_t rows = e.space->rows, bytes = e.space->bytes, counted = 0;
    for (int i = 0; i < 16; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i);
        struct ll_doc *doc = engine_doc(&e, id);
        if (doc->content != NULL)
            counted += (int64_t)(doc->id.len + doc->content->body.len);
        ll_doc_unref(&doc);
    }
    T_INT(bytes, counted);
    engine_settle(&e);
    engine_again(&e);
    T_INT(e.space->rows, rows);
    T_INT(e.space->bytes, bytes);
    engine_fini(&e);
}

T_CASE(deletes_and_makes_in_one)
{
    struct engine e;
    struct ll_txn txn, reader;
    engine_init(&e, false);
    struct ll_ix *ix =
        engine_index(&e, "a", "{\"fields\":[\"a\"],\"sparse\":true}");
    put_a(&e, "x", "1");
    ll_txn_init(&txn, &e.docs);
    ll_txn_init(&reader, &e.docs);
    T_SEES(&e, &reader, "y", "-");
    T_INT(txn_put(&e, &txn, "x", NULL), LINLI_OK);
    T_INT(txn_put(&e, &txn, "x", "{\"id\":\"x\",\"a\":2}"), LINLI_OK);
    T_INT(txn_put(&e, &txn, "y", "{\"id\":\"y\",\"a\":3}"), LINLI_OK);
    T_INT(txn_put(&e, &txn, "y", NULL), LINLI_OK);
    uint64_t number = txn_commit(&e, &txn);
    T_OK(number != 0 && !reader.doomed); /* y is as absent as it was */
    T_INT(e.space->rows, 1);
    engine_settle(&e);
    ll_txn_fini(&txn);
    ll_txn_fini(&reader);
    engine_again(&e);
    ix = ll_coll_find_index(e.coll, LINLI_STR("a"));
    struct ll_doc *x = engine_doc(&e, "x"), *y = engine_doc(&e, "y");
    T_INT(x->version, number);
    T_OK(y->content == NULL && y->version == 0);
    T_INT(ll_content_key(x->content, ix).len, 9);
    ll_doc_unref(&x);
    ll_doc_unref(&y);
    engine_fini(&e);
}

static struct {
    int count;
    uint64_t numbers[8];
} told;

static void
on_written(struct ll_coll *coll, const struct ll_doc *doc)
{
    LL_UNUSED(coll);
    told.numbers[told.count++ % 8] = doc->number;
}

T_CASE(numbers_ascend_without_a_gap)
{
    struct engine e;
    struct ll_txn txn;
    engine_init(&e, true);
    told.count = 0;
    ll_txn_init(&txn, &e.docs);
    struct ll_doc *x = engine_doc(&e, "x");
    uint64_t last = ll_store_last(e.f.store);
    e.coll->written = on_written;
    for (uint64_t i = 1; i <= 4; i++) {
        T_INT(txn_write(&e, &txn, x, i % 2 == 0 ? NULL : "{}"), LINLI_OK);
        T_INT(txn_commit(&e, &txn), last + i);
        T_INT(x->number, last + i);
        T_INT(x->version, last + i);
        T_INT(told.numbers[i - 1], last + i);
        T_OK(txn.writes == NULL && txn.write_bytes == 0);
    }
    /* Of what writes nothing there is a number, and no word. */
    T_INT(txn_write(&e, &txn, x, NULL), LINLI_OK);
    T_INT(txn_commit(&e, &txn), last + 5);
    T_INT(x->number, last + 4);
    T_INT(told.count, 4);
    ll_txn_fini(&txn);
    ll_doc_unref(&x);
    engine_settle(&e);
    T_INT(ll_store_durable(e.f.store), last + 5);
    engine_fini(&e);
}

/* -- without memory -- */

/* Reads two, writes two, commits: whatever fails, nothing has happened. */
static bool
move(struct engine *e, struct ll_txn *txn, struct ll_doc *x, struct ll_doc *y)
{
    const struct ll_content *content;
    const struct ll_range range = {.low = LINLI_STR("")};
    struct ll_err *err = &e->f.err;
    bool good = ll_txn_read(txn, x, &content, err) == LINLI_OK &&
                ll_txn_read(txn, y, &content, err) == LINLI_OK &&
                ll_txn_read_range(txn, e->coll, NULL, &range, err) == LINLI_OK;
    struct ll_content *a = NULL, *b = NULL;
    struct ll_json json;
    linli_str text = LINLI_STR("{\"id\":\"x\",\"a\":\"moved\"}");
    ll_json_init(&json, &e->f.mem);
    good = good && ll_json_parse(&json, text, 16, err) == LINLI_OK &&
           ll_content_new(e->coll, ll_json_root(&json), text, NOW_MS, &a,
               err) == LINLI_OK &&
           ll_content_new(
               e->coll, ll_json_root(&json), text, NOW_MS, &b, err) == LINLI_OK;
    ll_json_fini(&json);
    if (good) {
        good = ll_txn_write(txn, x, a, err) == LINLI_OK;
        a = NULL; /* taken, come what may */
    }
    if (good) {
        good = ll_txn_write(txn, y, b, err) == LINLI_OK;
        b = NULL;
    }
    ll_content_free(&e->f.mem, &a);
    ll_content_free(&e->f.mem, &b);
    return good && txn_commit(e, txn) != 0;
}

T_CASE(transactions_without_memory)
{
    bool good = false;
    uint64_t failing;
    for (failing = 1; !good; failing++) {
        struct engine e;
        struct ll_txn txn, reader;
        engine_init(&e, true);
        (void)engine_index(&e, "a", "{\"fields\":[\"a\"]}");
        (void)engine_put(&e, "x", one);
        struct ll_doc *x = engine_doc(&e, "x"), *y = engine_doc(&e, "y");
        ll_txn_init(&txn, &e.docs);
        ll_txn_init(&reader, &e.docs);
        T_SEES(&e, &reader, "x", one);
        uint64_t last = ll_store_last(e.f.store);
        int64_t bytes = e.space->bytes;
        e.f.mem.fail_in = failing;
        good = move(&e, &txn, x, y);
        e.f.mem.fail_in = 0;
        T_INT(ll_store_last(e.f.store), last + good);
        T_INT(reader.doomed, good);
        if (!good) {
            T_STR(x->content->body, one);
            T_OK(y->content == NULL && e.space->bytes == bytes);
            ll_txn_reset(&txn);
            T_OK(move(&e, &txn, x, y));
        }
        T_OK(x->content != NULL && y->content != NULL);
        T_INT(e.space->rows, 2);
        ll_txn_fini(&txn);
        ll_txn_fini(&reader);
        ll_doc_unref(&x);
        ll_doc_unref(&y);
        engine_settle(&e);
        engine_fini(&e);
    }
    T_OK(failing > 5);
}

T_MAIN(T_RUN(reads_its_own_writes) T_RUN(reads_a_document_once)
        T_RUN(what_is_lost_cannot_be_read) T_RUN(who_read_a_document_is_doomed)
            T_RUN(two_that_write_what_both_read) T_RUN(write_skew) T_RUN(
                blind_writes_doom_nobody_who_is_blind) T_RUN(ranges_of_an_index)
                T_RUN(ranges_by_id) T_RUN(ranges_of_two_indexes)
                    T_RUN(registrations_come_and_go) T_RUN(reads_have_a_bound)
                        T_RUN(writes_have_a_bound) T_RUN(growth_is_counted)
                            T_RUN(the_store_counts_alike)
                                T_RUN(deletes_and_makes_in_one)
                                    T_RUN(numbers_ascend_without_a_gap)
                                        T_RUN(transactions_without_memory))
