/* tests/unit/test_store.c: the store through its header: order, batches,
 * snapshots, what comes back and when, and that nothing stays behind. */
#include "store_fixture.h"

/* -- one after the other -- */

T_CASE(commits_and_answers)
{
    for (int memory = 0; memory < 2; memory++) {
        struct fixture f;
        struct change c;
        fixture_init(&f, memory == 1);
        T_INT(fixture_open(&f), LINLI_OK);
        T_INT(ll_store_last(f.store), 0);
        change_init(&c, &f);
        put_doc(&c.commit, "a", 1, "", "{\"id\":\"a\"}");
        put_doc(&c.commit, "b", 1, "0123", "{\"id\":\"b\"}");
        T_OK(change_make(&c, &f));
        T_INT(c.commit.number, 1);
        T_INT(ll_store_durable(f.store), 1);
        T_DOC(&f, "a", "{\"id\":\"a\"}");
        T_DOC(&f, "b", "{\"id\":\"b\"}");
        T_DOC(&f, "c", "-");
        put_doc(&c.commit, "a", 2, "", "{}");
        T_OK(change_make(&c, &f));
        T_DOC(&f, "a", "{}");
        ll_commit_fini(&c.commit);
        fixture_fini(&f);
    }
}

T_CASE(what_is_durable_is_there_again)
{
    struct fixture f;
    struct change c;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    put_doc(&c.commit, "a", 1, "0123", "{\"n\":1}");
    T_OK(change_make(&c, &f));
    ll_store_close(&f.store);
    T_OK(!ll_file_there(f.dir_fd, "linli.db-wal"));
    T_INT(fixture_open(&f), LINLI_OK);
    T_INT(ll_store_durable(f.store), 1);
    T_DOC(&f, "a", "{\"n\":1}");
    put_doc(&c.commit, "b", 2, "0123", "{\"n\":2}");
    T_OK(change_make(&c, &f));
    T_INT(c.commit.number, 2);
    T_DOC(&f, "b", "{\"n\":2}");
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* -- every statement -- */

/* Any value of the kind. */
static void
put_any(struct ll_buf *buf, char letter)
{
    if (letter == 'i')
        ll_put_int(buf, 7);
    else if (letter == 's')
        ll_put_sealed(buf, 7, LINLI_STR("0123"), LINLI_STR("{}"));
    else
        put_cstr(buf, "[]"); /* a text, and a list where days are asked for */
}

static const struct {
    const char *name, *params, *columns;
} statements[] = {
#define S(name, params, columns, sql) {#name, params, columns},
#include "store/statements.def"
#undef S
};

/* That a value read is of its column's kind, or nil. */
static bool
is_a(struct ll_rd *rd, char letter)
{
    int tag = ll_rd_peek(rd);
    (void)ll_rd_value(rd);
    return tag == LL_VALUE_NIL ||
           tag == (letter == 'i' ? LL_VALUE_INT : LL_VALUE_BYTES);
}

static void
query_statement(struct fixture *f, unsigned n)
{
    struct asked a;
    asked_init(&a, f, (enum ll_statement)n);
    for (const char *p = statements[n].params; *p != '\0'; p++)
        put_any(&a.query.params, *p);
    T_INT(asked_run(&a, f), LINLI_OK);
    if (a.query.status != LINLI_OK)
        printf("# %s: %s\n", statements[n].name, a.query.err.msg);
    for (uint32_t i = 0; i < a.query.row_count; i++) {
        T_INT(ll_rd_list(&a.rows), strlen(statements[n].columns));
        for (const char *p = statements[n].columns; *p != '\0'; p++)
            T_OK(is_a(&a.rows, *p));
    }
    T_OK(ll_rd_end(&a.rows));
    ll_query_fini(&a.query);
}

T_CASE(every_statement_fits_the_schema)
{
    struct fixture f;
    struct change c;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    for (unsigned n = 0; n < LL_ST_COUNT; n++) {
        if (statements[n].columns[0] != '\0')
            continue;
        /* Three that make a row of one table: each has its own. */
        const char *p = statements[n].params;
        ll_commit_op(&c.commit, (enum ll_statement)n);
        if (n == LL_ST_alert_once || n == LL_ST_alert_note) {
            ll_put_int(&c.commit.ops, n);
            p++;
        }
        for (; *p != '\0'; p++)
            put_any(&c.commit.ops, *p);
        T_OK(change_make(&c, &f));
        for (unsigned q = 0; q < LL_ST_COUNT; q++)
            if (statements[q].columns[0] != '\0')
                query_statement(&f, q);
    }
    T_INT(f.failures, 0);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* -- those that nobody waits for -- */

static void
put_patient(struct fixture *f, struct change *c, const char *id)
{
    change_init(c, f);
    c->commit.patient = true;
    put_doc(&c->commit, id, 1, "", "{}");
    (void)ll_store_commit(f->store, &c->commit);
}

T_CASE(patient_commits_are_written_too)
{
    static struct change many[LL_STORE_LINGER_COMMITS];
    struct fixture f;
    struct change alone, before, hasty;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    put_patient(&f, &alone, "alone");
    fixture_wait(&f, &alone.done);
    T_INT(ll_store_durable(f.store), 1);
    put_patient(&f, &before, "before");
    change_init(&hasty, &f);
    put_doc(&hasty.commit, "hasty", 1, "", "{}");
    T_OK(change_make(&hasty, &f));
    T_OK(before.done && before.durable);
    for (size_t i = 0; i < COUNT(many); i++)
        put_patient(&f, &many[i], "many");
    fixture_wait(&f, &many[COUNT(many) - 1].done);
    for (size_t i = 0; i < COUNT(many); i++) {
        T_OK(many[i].done && many[i].durable);
        ll_commit_fini(&many[i].commit);
    }
    ll_commit_fini(&alone.commit);
    put_patient(&f, &alone, "last");
    ll_store_close(&f.store);
    T_OK(alone.done && alone.durable);
    T_INT(fixture_open(&f), LINLI_OK);
    T_DOC(&f, "last", "{}");
    ll_commit_fini(&alone.commit);
    ll_commit_fini(&before.commit);
    ll_commit_fini(&hasty.commit);
    fixture_fini(&f);
}

/* -- order -- */

#define MANY 6000

struct order {
    struct fixture f;
    struct ll_commit commits[MANY];
    uint64_t seen;
    bool returned, all;
};

static void
order_done(struct ll_commit *commit, bool durable)
{
    struct order *o = commit->user;
    T_OK(o->returned && durable && commit->number == o->seen + 1 &&
         ll_store_durable(o->f.store) >= commit->number);
    o->seen = commit->number;
    o->all = o->seen == MANY;
}

T_CASE(a_queue_is_done_in_order)
{
    struct order *o = calloc(1, sizeof *o);
    fixture_init(&o->f, false);
    T_INT(fixture_open(&o->f), LINLI_OK);
    for (int i = 0; i < MANY; i++) {
        char id[16];
        ll_commit_init(&o->commits[i], &o->f.mem);
        o->commits[i].done = order_done;
        o->commits[i].user = o;
        snprintf(id, sizeof id, "%d", i % 100);
        put_doc(&o->commits[i], id, i + 1, "", "{}");
        T_INT(ll_store_commit(o->f.store, &o->commits[i]), i + 1);
    }
    T_INT(ll_store_last(o->f.store), MANY);
    T_INT(ll_store_durable(o->f.store), 0);
    o->returned = true;
    fixture_wait(&o->f, &o->all);
    T_INT(ll_store_durable(o->f.store), MANY);
    for (int i = 0; i < MANY; i++)
        ll_commit_fini(&o->commits[i]);
    fixture_fini(&o->f);
    free(o);
}

T_CASE(a_queue_that_is_too_long_is_told)
{
    struct fixture f;
    static struct ll_commit commits[LL_STORE_QUEUE_MAX];
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    struct order o = {.returned = true};
    for (int i = 0; i < LL_STORE_QUEUE_MAX; i++) {
        T_OK(!ll_store_busy(f.store));
        ll_commit_init(&commits[i], &f.mem);
        commits[i].done = order_done;
        commits[i].user = &o;
        o.f.store = f.store;
        (void)ll_store_commit(f.store, &commits[i]);
    }
    T_OK(ll_store_busy(f.store));
    while (o.seen < LL_STORE_QUEUE_MAX)
        ll_world_turn(f.world, true);
    T_OK(!ll_store_busy(f.store));
    for (int i = 0; i < LL_STORE_QUEUE_MAX; i++)
        ll_commit_fini(&commits[i]);
    fixture_fini(&f);
}

/* -- snapshots -- */

/* Every commit rewrites the same documents with its number; whatever a query
 * sees must be exactly its snapshot. */
#define WRITERS 8
#define ASKERS 16

struct snap {
    struct fixture f;
    struct {
        struct ll_commit commit;
        struct snap *snap;
    } writers[WRITERS];
    struct asked askers[ASKERS];
    uint64_t until, answers, behind;
    uint32_t open;
};

static void
snap_write(struct snap *s, struct ll_commit *commit)
{
    int64_t number = (int64_t)ll_store_last(s->f.store) + 1;
    ll_buf_clear(&commit->ops);
    put_doc(commit, "x", number, "", "{}");
    put_doc(commit, "y", number, "0123", "{}");
    s->open++;
    (void)ll_store_commit(s->f.store, commit);
}

static void
snap_written(struct ll_commit *commit, bool durable)
{
    struct snap *s = commit->user;
    T_OK(durable);
    s->open--;
    if (commit->number < s->until)
        snap_write(s, commit);
}

static void
snap_ask(struct snap *s, struct asked *a)
{
    s->open++;
    ll_store_query(s->f.store, &a->query);
}

static void
snap_answered(struct ll_query *query)
{
    struct snap *s = query->user;
    struct ll_rd rd = ll_rd(ll_buf_view(&query->rows));
    s->open--;
    s->answers++;
    T_OK(query->status == LINLI_OK && query->row_count == 2);
    T_OK(query->snapshot >= query->issued_at);
    for (int i = 0; i < 2; i++) {
        (void)ll_rd_list(&rd);
        (void)ll_rd_bytes(&rd);
        T_INT(ll_rd_int(&rd), query->snapshot);
        (void)ll_rd_value(&rd);
        (void)ll_rd_value(&rd);
        (void)ll_rd_value(&rd);
    }
    T_OK(ll_rd_end(&rd));
    s->behind += query->snapshot > query->issued_at;
    if (ll_store_durable(s->f.store) < s->until)
        snap_ask(s, (struct asked *)(void *)query);
}

static void
snapshots(bool memory)
{
    struct snap *s = calloc(1, sizeof *s);
    struct change first;
    s->until = 1500;
    fixture_init(&s->f, memory);
    T_INT(fixture_open(&s->f), LINLI_OK);
    change_init(&first, &s->f);
    put_doc(&first.commit, "x", 1, "", "{}");
    put_doc(&first.commit, "y", 1, "0123", "{}");
    T_OK(change_make(&first, &s->f));
    ll_commit_fini(&first.commit);
    for (int i = 0; i < WRITERS; i++) {
        ll_commit_init(&s->writers[i].commit, &s->f.mem);
        s->writers[i].commit.done = snap_written;
        s->writers[i].commit.user = s;
        snap_write(s, &s->writers[i].commit);
    }
    for (int i = 0; i < ASKERS; i++) {
        asked_init(&s->askers[i], &s->f, LL_ST_doc_up);
        s->askers[i].query.done = snap_answered;
        s->askers[i].query.user = s;
        ll_put_int(&s->askers[i].query.params, 1);
        put_cstr(&s->askers[i].query.params, "");
        ll_put_int(&s->askers[i].query.params, 10);
        snap_ask(s, &s->askers[i]);
    }
    while (s->open > 0)
        ll_world_turn(s->f.world, true);
    T_OK(s->answers > 100);
    T_OK(s->behind > 0); /* or else it proved nothing */
    for (int i = 0; i < WRITERS; i++)
        ll_commit_fini(&s->writers[i].commit);
    for (int i = 0; i < ASKERS; i++)
        ll_query_fini(&s->askers[i].query);
    fixture_fini(&s->f);
    free(s);
}

T_CASE(a_snapshot_is_exact_on_disk)
{
    snapshots(false);
}

T_CASE(a_snapshot_is_exact_in_memory)
{
    snapshots(true);
}

/* -- queries -- */

T_CASE(the_floor_is_the_oldest_question)
{
    struct fixture f;
    struct change c;
    struct asked a, b;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    asked_init(&a, &f, LL_ST_spaces);
    asked_init(&b, &f, LL_ST_spaces);
    T_OK(ll_store_floor(f.store) == UINT64_MAX);
    ll_store_query(f.store, &a.query);
    T_INT(ll_store_floor(f.store), 0);
    c.done = false;
    (void)ll_store_commit(f.store, &c.commit);
    /* The question may be answered first: then it is no floor. */
    fixture_wait(&f, &c.done);
    T_OK(ll_store_floor(f.store) == (a.done ? UINT64_MAX : 0));
    ll_store_query(f.store, &b.query);
    T_INT(b.query.issued_at, 1);
    T_INT(ll_store_floor(f.store), a.done ? 1 : 0);
    fixture_wait(&f, &a.done);
    T_OK(ll_store_floor(f.store) == (b.done ? UINT64_MAX : 1));
    ll_store_cancel(f.store, &b.query);
    T_OK(ll_store_floor(f.store) == UINT64_MAX);
    ll_query_fini(&a.query);
    ll_query_fini(&b.query);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

T_CASE(a_query_can_be_dropped_at_any_time)
{
    struct fixture f;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    for (int turns = 0; turns < 200; turns++) {
        struct asked *a = malloc(sizeof *a), last;
        asked_init(a, &f, LL_ST_spaces);
        asked_init(&last, &f, LL_ST_spaces);
        ll_store_query(f.store, &a->query);
        ll_store_query(f.store, &last.query);
        for (int i = 0; i < turns % 4; i++)
            ll_world_turn(f.world, false);
        bool answered = a->done;
        if (!answered)
            ll_store_cancel(f.store, &a->query);
        ll_query_fini(&a->query);
        memset(a, 0xa5, sizeof *a);
        free(a);
        fixture_wait(&f, &last.done);
        ll_query_fini(&last.query);
        T_OK(ll_store_floor(f.store) == UINT64_MAX);
    }
    fixture_fini(&f);
}

struct drop {
    struct asked a, b;
    struct fixture *f;
    int answers;
};

/* Whichever of the two is answered drops the other. */
static void
drop_other(struct ll_query *query)
{
    struct drop *d = query->user;
    d->answers++;
    ll_store_cancel(
        d->f->store, query == &d->a.query ? &d->b.query : &d->a.query);
}

T_CASE(an_answer_can_drop_the_next)
{
    struct fixture f;
    struct drop d = {.f = &f};
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    asked_init(&d.a, &f, LL_ST_spaces);
    asked_init(&d.b, &f, LL_ST_spaces);
    d.a.query.done = d.b.query.done = drop_other;
    d.a.query.user = d.b.query.user = &d;
    ll_store_query(f.store, &d.a.query);
    ll_store_query(f.store, &d.b.query);
    while (d.answers == 0)
        ll_world_turn(f.world, true);
    for (int i = 0; i < 20; i++)
        ll_world_turn(f.world, false);
    T_INT(d.answers, 1);
    ll_query_fini(&d.a.query);
    ll_query_fini(&d.b.query);
    fixture_fini(&f);
}

T_CASE(reading_ends_at_its_bounds)
{
    static const struct {
        uint32_t rows_max, rows;
        size_t bytes_max;
        bool more;
    } cases[] = {
        {100, 10, 1000000, false},
        {10, 10, 1000000, false},
        {9, 9, 1000000, true},
        {0, 0, 1000000, true},
        {100, 1, 1, true},
        {100, 10, 100000, false},
        {100, 0, 0, true},
    };
    struct fixture f;
    struct change c;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    for (int i = 0; i < 10; i++)
        put_doc(&c.commit, (char[2]){(char)('a' + i)}, 1, "", "{}");
    T_OK(change_make(&c, &f));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct asked a;
        asked_init(&a, &f, LL_ST_doc_up);
        ll_put_int(&a.query.params, 1);
        put_cstr(&a.query.params, "");
        ll_put_int(&a.query.params, 1000);
        a.query.rows_max = cases[i].rows_max;
        a.query.bytes_max = cases[i].bytes_max;
        T_INT(asked_run(&a, &f), LINLI_OK);
        T_INT(a.query.row_count, cases[i].rows);
        T_INT(a.query.more, cases[i].more);
        ll_query_fini(&a.query);
    }
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

T_CASE(a_question_at_once)
{
    struct fixture f;
    struct change c;
    struct asked a;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    put_doc(&c.commit, "a", 1, "0123", "{\"n\":1}");
    T_OK(change_make(&c, &f));
    ll_store_close(&f.store);
    T_INT(fixture_open(&f), LINLI_OK);
    asked_init(&a, &f, LL_ST_doc_get);
    ll_put_int(&a.query.params, 1);
    put_cstr(&a.query.params, "a");
    for (int i = 0; i < 2; i++) {
        T_INT(ll_store_ask(f.store, &a.query), LINLI_OK);
        T_INT(a.query.row_count, 1);
        T_INT(a.query.snapshot, 1);
        T_INT(a.query.issued_at, 1);
    }
    ll_put_int(&a.query.params, 1); /* one too many */
    T_INT(ll_store_ask(f.store, &a.query), LINLI_E_INTERNAL);
    T_INT(a.query.row_count, 0);
    T_OK(!a.done);
    ll_query_fini(&a.query);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* -- sizes and indexes -- */

T_CASE(sizes_are_summed_up)
{
    struct fixture f;
    struct change c;
    struct asked a;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    for (int64_t space = 1; space <= 3; space++) {
        ll_commit_op(&c.commit, LL_ST_space_put);
        ll_put_int(&c.commit.ops, space);
        put_cstr(&c.commit.ops, "demo");
        put_cstr(&c.commit.ops, (char[2]){(char)('a' + space)});
    }
    for (int i = 0; i < 300; i++)
        ll_commit_size(&c.commit, 1 + i % 2, i % 3 == 0 ? -1 : 2, 10);
    T_OK(change_make(&c, &f));
    ll_commit_size(&c.commit, 1, 0, -500);
    T_OK(change_make(&c, &f));
    asked_init(&a, &f, LL_ST_spaces);
    T_INT(asked_run(&a, &f), LINLI_OK);
    static const int64_t rows[] = {150, 150, 0}, bytes[] = {1000, 1500, 0};
    for (int i = 0; i < 3; i++) {
        T_INT(ll_rd_list(&a.rows), 5);
        T_INT(ll_rd_int(&a.rows), i + 1);
        (void)ll_rd_bytes(&a.rows);
        (void)ll_rd_bytes(&a.rows);
        T_INT(ll_rd_int(&a.rows), rows[i]);
        T_INT(ll_rd_int(&a.rows), bytes[i]);
    }
    T_OK(ll_rd_end(&a.rows));
    ll_query_fini(&a.query);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* The ids under index 20, in the order of their keys. */
static void
index_ids(struct fixture *f, char *out, size_t size)
{
    struct asked a;
    size_t used = 0;
    asked_init(&a, f, LL_ST_entry_keys);
    ll_put_int(&a.query.params, 20);
    put_cstr(&a.query.params, "");
    put_cstr(&a.query.params, "");
    put_cstr(&a.query.params, "\xff\xff");
    ll_put_int(&a.query.params, 1000);
    T_INT(asked_run(&a, f), LINLI_OK);
    out[0] = '\0';
    for (uint32_t i = 0; i < a.query.row_count; i++) {
        (void)ll_rd_list(&a.rows);
        (void)ll_rd_bytes(&a.rows);
        linli_str id = ll_rd_bytes(&a.rows);
        used += (size_t)snprintf(out + used, size - used, "%.*s ", LL_FMT(id));
    }
    ll_query_fini(&a.query);
}

T_CASE(an_index_is_made_anew)
{
    struct fixture f;
    struct change c;
    char ids[256];
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    put_doc(&c.commit, "a", 1, "0123", "{\"id\":\"a\",\"n\":3}");
    put_doc(&c.commit, "b", 1, "", "{\"id\":\"b\",\"n\":1}");
    put_doc(&c.commit, "c", 1, "4567", "{\"id\":\"c\",\"n\":2}");
    put_doc(&c.commit, "d", 1, "", "{\"id\":\"d\",\"n\":[1]}");
    put_doc(&c.commit, "e", 1, "", "{\"id\":\"e\"}");
    put_doc(&c.commit, "f", 1, "", "{not json");
    ll_commit_op(&c.commit, LL_ST_entry_put);
    ll_put_int(&c.commit.ops, 20);
    put_cstr(&c.commit.ops, "old");
    put_cstr(&c.commit.ops, "z");
    T_OK(change_make(&c, &f));
    index_ids(&f, ids, sizeof ids);
    T_STR(ll_cstr(ids), "z ");
    ll_commit_reindex(
        &c.commit, 1, 20, LINLI_STR("{\"fields\":[\"n\"],\"sparse\":true}"));
    T_OK(change_make(&c, &f));
    index_ids(&f, ids, sizeof ids);
    T_STR(ll_cstr(ids), "b c a ");
    /* A commit of the same batch before it counts, one after it too. */
    put_doc(&c.commit, "g", 3, "", "{\"id\":\"g\",\"n\":0}");
    ll_commit_reindex(&c.commit, 1, 20, LINLI_STR("{\"fields\":[\"n\"]}"));
    T_OK(change_make(&c, &f));
    index_ids(&f, ids, sizeof ids);
    T_STR(ll_cstr(ids), "e g b c a ");
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* -- the end -- */

struct last_words {
    struct fixture *f;
    struct change change;
    struct asked asked;
    struct change late;
    struct asked late_asked;
};

static void
goes_on(struct ll_commit *commit, bool durable)
{
    struct last_words *w = commit->user;
    w->change.done = true;
    w->change.durable = durable;
    (void)ll_store_commit(w->f->store, &w->late.commit);
    ll_store_query(w->f->store, &w->late_asked.query);
}

T_CASE(closing_ends_everything)
{
    struct fixture f;
    fixture_init(&f, false);
    for (int turns = 0; turns < 8; turns++) {
        struct last_words w = {.f = &f};
        T_INT(fixture_open(&f), LINLI_OK);
        uint64_t before = ll_store_durable(f.store);
        change_init(&w.change, &f);
        change_init(&w.late, &f);
        asked_init(&w.asked, &f, LL_ST_spaces);
        asked_init(&w.late_asked, &f, LL_ST_spaces);
        w.change.commit.done = goes_on;
        w.change.commit.user = &w;
        put_doc(&w.change.commit, "a", 1, "", "{}");
        (void)ll_store_commit(f.store, &w.change.commit);
        ll_store_query(f.store, &w.asked.query);
        for (int i = 0; i < turns / 2 && !w.change.done; i++)
            ll_world_turn(f.world, false);
        struct ll_store *store = f.store;
        ll_store_close(&store);
        f.store = NULL;
        /* What was committed before the close is written. */
        T_OK(w.change.done);
        T_OK(w.change.durable);
        T_OK(w.late.done);
        T_OK(w.asked.done);
        T_OK(w.late_asked.done);
        T_OK(w.asked.query.status == LINLI_OK ||
             w.asked.query.status == LINLI_E_CLOSED);
        T_INT(fixture_open(&f), LINLI_OK);
        T_INT(ll_store_durable(f.store), before + 1 + (w.late.durable ? 1 : 0));
        ll_store_close(&f.store);
        ll_commit_fini(&w.change.commit);
        ll_commit_fini(&w.late.commit);
        ll_query_fini(&w.asked.query);
        ll_query_fini(&w.late_asked.query);
    }
    fixture_fini(&f);
}

static int
entries_of(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        closedir(dir);
    return count;
}

static void
open_and_close(struct fixture *f, int times)
{
    struct change c;
    change_init(&c, f);
    for (int i = 0; i < times; i++) {
        T_INT(fixture_open(f), LINLI_OK);
        if (i % 8 == 0) {
            put_doc(&c.commit, "a", i, "0123", "{}");
            T_OK(change_make(&c, f));
        }
        ll_store_close(&f->store);
        ll_world_turn(f->world, false);
    }
    ll_commit_fini(&c.commit);
}

T_CASE(a_thousand_times_leave_nothing_behind)
{
    struct fixture disk, memory;
    fixture_init(&disk, false);
    fixture_init(&memory, true);
    open_and_close(&disk, 2);
    open_and_close(&memory, 2);
    int fds = entries_of("/proc/self/fd"),
        tasks = entries_of("/proc/self/task");
    size_t used = disk.mem.used_bytes;
    open_and_close(&disk, 200);
    open_and_close(&memory, 800);
    T_INT(entries_of("/proc/self/fd"), fds);
    T_INT(entries_of("/proc/self/task"), tasks);
    T_INT(disk.mem.used_bytes, used);
    fixture_fini(&disk);
    fixture_fini(&memory);
}

/* What /proc says is blocked in a thread of this process. */
static uint64_t
blocked_in(const char *task)
{
    char path[300], line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        (void)sscanf(line, "SigBlk: %llx", &mask);
    if (file != NULL)
        fclose(file);
    return mask;
}

T_CASE(threads_take_no_signal)
{
    static const int signals[] = {1, 2, 3, 10, 12, 13, 14, 15, 17, 25};
    struct fixture f;
    char self[32];
    int threads = 0;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    snprintf(self, sizeof self, "%d", getpid());
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.' || strcmp(e->d_name, self) == 0)
            continue;
        threads++;
        for (size_t i = 0; i < COUNT(signals); i++)
            T_OK(blocked_in(e->d_name) >> (signals[i] - 1) & 1);
    }
    closedir(dir);
    T_OK(threads >= 4); /* writer, keeper, two readers */
    fixture_fini(&f);
}

T_CASE(two_stores_know_nothing_of_each_other)
{
    struct fixture f[4];
    struct change c[4];
    for (int i = 0; i < 4; i++) {
        fixture_init(&f[i], i % 2 == 0);
        T_INT(fixture_open(&f[i]), LINLI_OK);
        change_init(&c[i], &f[i]);
        put_doc(&c[i].commit, (char[2]){(char)('a' + i)}, 1, "0123", "{}");
        (void)ll_store_commit(f[i].store, &c[i].commit);
    }
    for (int i = 0; i < 4; i++)
        fixture_wait(&f[i], &c[i].done);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            T_DOC(&f[i], (char[2]){(char)('a' + j)}, i == j ? "{}" : "-");
    for (int i = 0; i < 4; i++) {
        ll_commit_fini(&c[i].commit);
        fixture_fini(&f[i]);
    }
}

/* -- memory -- */

T_CASE(no_memory_is_told)
{
    struct fixture f;
    fixture_init(&f, false);
    linli_status status = LINLI_E_NOMEM;
    for (uint64_t n = 1; status != LINLI_OK; n++) {
        f.mem.fail_in = n;
        status = fixture_open(&f);
        f.mem.fail_in = 0;
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        ll_world_turn(f.world, false);
        if (n > 100)
            break;
    }
    T_INT(status, LINLI_OK);
    struct asked a;
    asked_init(&a, &f, LL_ST_spaces);
    f.mem.fail_in = 1;
    ll_store_query(f.store, &a.query);
    f.mem.fail_in = 0;
    T_OK(!a.done);
    fixture_wait(&f, &a.done);
    T_INT(a.query.status, LINLI_E_NOMEM);
    T_INT(asked_run(&a, &f), LINLI_OK);
    f.mem.fail_in = 1;
    a.done = false;
    ll_store_query(f.store, &a.query);
    ll_store_cancel(f.store, &a.query);
    f.mem.fail_in = 0;
    for (int i = 0; i < 10; i++)
        ll_world_turn(f.world, false);
    T_OK(!a.done);
    ll_query_fini(&a.query);
    fixture_fini(&f);
}

T_MAIN(T_RUN(commits_and_answers) T_RUN(patient_commits_are_written_too) T_RUN(
    what_is_durable_is_there_again) T_RUN(every_statement_fits_the_schema)
        T_RUN(a_queue_is_done_in_order) T_RUN(a_queue_that_is_too_long_is_told)
            T_RUN(a_snapshot_is_exact_on_disk) T_RUN(
                a_snapshot_is_exact_in_memory)
                T_RUN(the_floor_is_the_oldest_question) T_RUN(
                    a_query_can_be_dropped_at_any_time)
                    T_RUN(an_answer_can_drop_the_next) T_RUN(
                        reading_ends_at_its_bounds) T_RUN(a_question_at_once)
                        T_RUN(sizes_are_summed_up) T_RUN(an_index_is_made_anew)
                            T_RUN(closing_ends_everything)
                                T_RUN(a_thousand_times_leave_nothing_behind)
                                    T_RUN(threads_take_no_signal) T_RUN(
                                        two_stores_know_nothing_of_each_other)
                                        T_RUN(no_memory_is_told))
