/* tests/unit/test_store_gone.c: keys that were taken away stay away: in copies
 * from before, over a crash, and while the law keeps what they open. */
#include <sqlite3.h>

#include "store/gone.h"
#include "store_fixture.h"

static void
start(struct fixture *f, struct change *c)
{
    fixture_init(f, false);
    T_INT(fixture_open(f), LINLI_OK);
    change_init(c, f);
}

static void
reopen(struct fixture *f)
{
    ll_store_close(&f->store);
    T_INT(fixture_open(f), LINLI_OK);
}

static void
run_sql(const char *dir, const char *sql)
{
    char path[160];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/linli.db", dir);
    T_INT(sqlite3_open(path, &db), SQLITE_OK);
    T_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    T_INT(sqlite3_close(db), SQLITE_OK);
}

static int64_t
count(const char *dir, const char *sql)
{
    char path[160];
    sqlite3 *db;
    sqlite3_stmt *statement;
    int64_t n = -1;
    snprintf(path, sizeof path, "%s/linli.db", dir);
    T_INT(sqlite3_open(path, &db), SQLITE_OK);
    T_INT(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    T_INT(sqlite3_close(db), SQLITE_OK);
    return n;
}

static bool
file_holds(struct fixture *f, const char *name, const char *what)
{
    struct ll_mem mem;
    struct ll_buf bytes;
    ll_mem_init(&mem, 0);
    ll_buf_init(&bytes, &mem, 64u << 20);
    bool holds =
        ll_file_read(f->dir_fd, name, 32u << 20, &bytes, NULL) == LINLI_OK &&
        memmem(bytes.ptr, bytes.len, what, strlen(what)) != NULL;
    ll_buf_fini(&bytes);
    return holds;
}

/* Space 1 is c1/shop, with collections 1 (order) and 2 (invoice) and an index
 * of the first. */
static void
declare(struct change *c)
{
    struct ll_buf *ops = &c->commit.ops;
    ll_commit_op(&c->commit, LL_ST_space_put);
    ll_put_int(ops, 1);
    put_cstr(ops, "c1");
    put_cstr(ops, "shop");
    for (int64_t i = 1; i <= 2; i++) {
        ll_commit_op(&c->commit, LL_ST_collection_put);
        ll_put_int(ops, i);
        ll_put_int(ops, 1);
        put_cstr(ops, i == 1 ? "order" : "invoice");
    }
    ll_commit_op(&c->commit, LL_ST_index_put);
    ll_put_int(ops, 20);
    ll_put_int(ops, 1);
    put_cstr(ops, "by_name");
    put_cstr(ops, "{}");
}

static void
put_order(struct change *c, const char *id, const char *subject,
    const char *key, const char *body)
{
    put_doc(&c->commit, id, 1, subject, body);
    ll_commit_op(&c->commit, LL_ST_entry_put);
    ll_put_int(&c->commit.ops, 20);
    put_cstr(&c->commit.ops, key);
    put_cstr(&c->commit.ops, id);
    ll_commit_size(&c->commit, 1, 1, (int64_t)(strlen(id) + strlen(body)));
}

static void
put_invoice(struct change *c, const char *id, const char *subject)
{
    struct ll_buf *ops = &c->commit.ops;
    ll_commit_op(&c->commit, LL_ST_doc_put);
    ll_put_int(ops, 2);
    put_cstr(ops, id);
    ll_put_int(ops, 1);
    ll_put_nil(ops);
    put_cstr(ops, subject);
    ll_put_sealed(ops, 1, ll_cstr(subject), LINLI_STR("{\"paid\":1}"));
    ll_commit_size(&c->commit, 1, 1, (int64_t)(strlen(id) + 10));
}

static const struct ll_whose anna = {.space = 1,
    .community = LINLI_STR("c1"),
    .plugin = LINLI_STR("shop"),
    .subject = LINLI_STR("0123")};

static void
fill(struct change *c, struct fixture *f)
{
    declare(c);
    put_order(c, "o1", "0123", "key-anna", "{\"who\":\"anna\"}");
    put_order(c, "o2", "4567", "key-bert", "{\"who\":\"bert\"}");
    put_invoice(c, "i1", "0123");
    T_OK(change_make(c, f));
}

/* -- copies -- */

struct copied {
    bool done;
    linli_status status;
};

static void
on_copied(void *user, linli_status status, uint64_t number, int64_t bytes,
    const struct ll_err *err)
{
    struct copied *copied = user;
    LL_UNUSED(number);
    LL_UNUSED(bytes);
    LL_UNUSED(err);
    copied->done = true;
    copied->status = status;
}

static void
copy_to(struct fixture *f, const char *name, char path[160])
{
    struct copied copied = {0};
    snprintf(path, 160, "%s/%s", f->dir, name);
    T_INT(
        ll_store_backup(f->store, path, on_copied, &copied, &f->err), LINLI_OK);
    fixture_wait(f, &copied.done);
    T_INT(copied.status, LINLI_OK);
}

/* Into a new folder; *to has no store open. */
static linli_status
restore(struct fixture *f, const char *copy, struct fixture *to)
{
    char key[160];
    uint64_t number;
    fixture_init(to, false);
    snprintf(key, sizeof key, "%s/linli.key", f->dir);
    return ll_store_restore(copy, key, to->dir, &number, &to->err);
}

T_CASE(a_copy_from_before_yields_nothing)
{
    struct fixture f, to;
    struct change c;
    char before[160], after[160];
    start(&f, &c);
    fill(&c, &f);
    copy_to(&f, "before.db", before);
    /* Without the erasure it is all there: the test can fail. */
    T_INT(restore(&f, before, &to), LINLI_OK);
    T_OK(file_holds(&to, "linli.db", "key-anna"));
    T_INT(fixture_open(&to), LINLI_OK);
    T_DOC(&to, "o1", "{\"who\":\"anna\"}");
    fixture_fini(&to);
    T_OK(!ll_store_taken(f.store, &anna));
    ll_store_shred(f.store, &c.commit, &anna);
    T_OK(ll_store_taken(f.store, &anna));
    T_OK(change_make(&c, &f));
    copy_to(&f, "after.db", after);
    const char *copies[] = {before, after};
    for (size_t i = 0; i < COUNT(copies); i++) {
        T_INT(restore(&f, copies[i], &to), LINLI_OK);
        if (i == 0) {
            T_OK(!file_holds(&to, "linli.db", "key-anna"));
            T_INT(count(to.dir, "SELECT rows FROM space"), 1);
            T_INT(count(to.dir, "SELECT bytes FROM space"), 16);
            T_INT(count(to.dir, "SELECT count(*) FROM entry"), 1);
        }
        T_OK(file_holds(&to, "linli.db", "key-bert"));
        T_INT(fixture_open(&to), LINLI_OK);
        T_DOC(&to, "o1", i == 0 ? "-" : "nil");
        T_DOC(&to, "o2", "{\"who\":\"bert\"}");
        T_OK(ll_store_taken(to.store, &anna));
        fixture_fini(&to);
    }
    reopen(&f);
    T_OK(ll_store_taken(f.store, &anna));
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* What a restore wants beside the key file. */
T_CASE(a_restore_wants_to_know_what_is_gone)
{
    static const struct {
        const char *text; /* NULL: not there */
        linli_status status;
    } cases[] = {
        {NULL, LINLI_E_DENIED},
        {"", LINLI_OK}, /* an operator says: there never was one */
        {"linli.gone 1 00000000000000000000000000000000\n", LINLI_E_DENIED},
        {"anything\n", LINLI_E_DENIED},
        {"linli", LINLI_E_DENIED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture f, to;
        struct change c;
        char copy[160];
        start(&f, &c);
        fill(&c, &f);
        copy_to(&f, "copy.db", copy);
        T_INT(unlinkat(f.dir_fd, "linli.gone", 0), 0);
        if (cases[i].text != NULL)
            T_INT(ll_file_write(f.dir_fd, "linli.gone", ll_cstr(cases[i].text),
                      0600, NULL),
                LINLI_OK);
        T_INT(restore(&f, copy, &to), cases[i].status);
        if (cases[i].status != LINLI_OK) {
            T_STR(ll_cstr(to.err.code), "store/gone");
            T_OK(!ll_file_there(to.dir_fd, "linli.db"));
            T_OK(!ll_file_there(to.dir_fd, "linli.key"));
        }
        fixture_fini(&to);
        ll_commit_fini(&c.commit);
        fixture_fini(&f);
    }
}

/* A database that knows of more than the file says is not opened; nor is a
 * copy of it restored. */
T_CASE(a_file_that_lost_lines_is_refused)
{
    struct fixture f, to;
    struct change c;
    char copy[160];
    start(&f, &c);
    fill(&c, &f);
    ll_store_shred(f.store, &c.commit, &anna);
    T_OK(change_make(&c, &f));
    copy_to(&f, "copy.db", copy);
    ll_store_close(&f.store);
    struct ll_mem mem;
    struct ll_buf text;
    ll_mem_init(&mem, 0);
    ll_buf_init(&text, &mem, 8192);
    T_INT(ll_file_read(f.dir_fd, "linli.gone", 4096, &text, NULL), LINLI_OK);
    linli_str head = {text.ptr, 46};
    T_OK(text.len > head.len && head.ptr[45] == '\n');
    T_INT(ll_file_write(f.dir_fd, "linli.gone", head, 0600, NULL), LINLI_OK);
    T_OK(fixture_open(&f) != LINLI_OK);
    T_STR(ll_cstr(f.err.code), "store/gone");
    T_OK(restore(&f, copy, &to) != LINLI_OK);
    T_STR(ll_cstr(to.err.code), "store/gone");
    fixture_fini(&to);
    T_INT(unlinkat(f.dir_fd, "linli.gone", 0), 0);
    T_OK(fixture_open(&f) != LINLI_OK);
    T_STR(ll_cstr(f.err.code), "store/gone");
    T_INT(ll_file_write(f.dir_fd, "linli.gone", ll_buf_view(&text), 0600, NULL),
        LINLI_OK);
    T_INT(fixture_open(&f), LINLI_OK);
    ll_buf_fini(&text);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* The machine stops between the line and the commit, or within the line. */
T_CASE(a_start_goes_on_where_a_crash_was)
{
    for (int cut = 0; cut < 2; cut++) {
        struct fixture f;
        struct change c;
        struct ll_mem mem;
        struct ll_buf line;
        unsigned char name[LL_GONE_NAME_BYTES];
        start(&f, &c);
        fill(&c, &f);
        ll_store_close(&f.store);
        ll_mem_init(&mem, 0);
        ll_buf_init(&line, &mem, 4096);
        ll_gone_name(&anna, name);
        ll_gone_line(&line, name, 0, (linli_str){NULL, 0});
        if (cut == 1)
            line.len -= 5;
        T_INT(ll_gone_append(f.dir_fd, ll_buf_view(&line), NULL), LINLI_OK);
        T_INT(fixture_open(&f), LINLI_OK);
        T_DOC(&f, "o1", cut == 0 ? "-" : "{\"who\":\"anna\"}");
        T_DOC(&f, "o2", "{\"who\":\"bert\"}");
        T_OK(file_holds(&f, "linli.db", "key-anna") == (cut == 1));
        T_OK(ll_store_taken(f.store, &anna) == (cut == 0));
        /* The next line is a line of its own. */
        ll_store_shred(f.store, &c.commit, &anna);
        T_OK(change_make(&c, &f));
        reopen(&f);
        T_OK(ll_store_taken(f.store, &anna));
        T_DOC(&f, "o1", cut == 0 ? "-" : "nil");
        ll_buf_fini(&line);
        ll_commit_fini(&c.commit);
        fixture_fini(&f);
    }
}

/* -- what the law keeps -- */

static void
freeze(struct fixture *f, struct change *c, int64_t until_ms)
{
    struct ll_buf *ops = &c->commit.ops;
    ll_commit_op(&c->commit, LL_ST_doc_freeze);
    ll_put_int(ops, 1);
    put_cstr(ops, "0123");
    ll_put_int(ops, 2);
    put_cstr(ops, "i1");
    ll_commit_op(&c->commit, LL_ST_doc_del);
    ll_put_int(ops, 2);
    put_cstr(ops, "i1");
    ll_store_freeze(
        f->store, &c->commit, &anna, until_ms, LINLI_STR("invoice"));
    T_OK(change_make(c, f));
}

/* The keys that are due, as "subject:kept". */
static void
due(struct fixture *f, int64_t now_ms, const char *want)
{
    struct asked a;
    char found[128] = "";
    asked_init(&a, f, LL_ST_subject_due);
    ll_put_int(&a.query.params, now_ms);
    ll_put_int(&a.query.params, 10);
    T_INT(asked_run(&a, f), LINLI_OK);
    for (uint32_t i = 0; i < a.query.row_count; i++) {
        (void)ll_rd_list(&a.rows);
        (void)ll_rd_int(&a.rows);
        linli_str subject = ll_rd_bytes(&a.rows);
        (void)ll_rd_int(&a.rows);
        linli_str kept = ll_rd_bytes(&a.rows);
        snprintf(
            found, sizeof found, "%.*s:%.*s", LL_FMT(subject), LL_FMT(kept));
    }
    T_STR(ll_cstr(found), want);
    ll_query_fini(&a.query);
}

T_CASE(what_is_frozen_is_kept_and_read_by_nobody)
{
    struct fixture f, to;
    struct change c;
    char before[160];
    start(&f, &c);
    fill(&c, &f);
    copy_to(&f, "before.db", before);
    freeze(&f, &c, 5000);
    T_DOC(&f, "o1", "nil");
    T_DOC(&f, "o2", "{\"who\":\"bert\"}");
    put_doc(&c.commit, "o1", 1, "0123", "{\"who\":\"later\"}");
    T_OK(change_make(&c, &f));
    T_DOC(&f, "o1", "nil");
    due(&f, 4999, "");
    due(&f, 5000, "0123:invoice");
    /* A copy from before keeps the same and no more. */
    T_INT(restore(&f, before, &to), LINLI_OK);
    T_INT(count(to.dir, "SELECT count(*) FROM frozen WHERE collection = 2"), 1);
    T_INT(count(to.dir, "SELECT count(*) FROM frozen"), 1);
    T_INT(count(to.dir, "SELECT count(*) FROM doc"), 1);
    T_INT(fixture_open(&to), LINLI_OK);
    T_DOC(&to, "o1", "-");
    due(&to, 5000, "0123:invoice");
    fixture_fini(&to);
    ll_store_close(&f.store);
    T_INT(count(f.dir, "SELECT count(*) FROM frozen"), 1);
    T_INT(count(f.dir,
              "SELECT count(*) FROM subject_key WHERE wrapped IS NOT NULL AND "
              "until = 5000"),
        1);
    /* It is not the key that is missing: were it not frozen, it would open. */
    run_sql(f.dir, "UPDATE subject_key SET until = NULL");
    T_INT(fixture_open(&f), LINLI_OK);
    ll_commit_op(&c.commit, LL_ST_doc_del);
    ll_put_int(&c.commit.ops, 1);
    put_cstr(&c.commit.ops, "o1");
    T_OK(change_make(&c, &f));
    ll_store_close(&f.store);
    run_sql(f.dir, "INSERT INTO doc SELECT 1, 'o1', 1, NULL, subject, body "
                   "FROM frozen");
    T_INT(fixture_open(&f), LINLI_OK);
    T_DOC(&f, "o1", "{\"paid\":1}");
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

T_CASE(what_was_frozen_is_shredded_in_the_end)
{
    struct fixture f, to;
    struct change c;
    char frozen[160];
    start(&f, &c);
    fill(&c, &f);
    freeze(&f, &c, 5000);
    copy_to(&f, "frozen.db", frozen);
    ll_store_shred(f.store, &c.commit, &anna);
    ll_commit_op(&c.commit, LL_ST_frozen_drop);
    ll_put_int(&c.commit.ops, 1);
    put_cstr(&c.commit.ops, "0123");
    T_OK(change_make(&c, &f));
    due(&f, 5000, "");
    T_INT(restore(&f, frozen, &to), LINLI_OK);
    T_INT(count(to.dir, "SELECT count(*) FROM frozen"), 0);
    T_INT(count(to.dir,
              "SELECT count(*) FROM subject_key WHERE subject = '0123' AND "
              "wrapped IS NULL AND until IS NULL"),
        1);
    fixture_fini(&to);
    ll_store_close(&f.store);
    T_INT(count(f.dir, "SELECT count(*) FROM frozen"), 0);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

T_CASE(many_names_are_a_set)
{
    struct ll_mem mem;
    struct ll_gone_set set;
    unsigned char name[LL_GONE_NAME_BYTES];
    char subject[32];
    ll_mem_init(&mem, 0);
    ll_gone_set_init(&set, &mem);
    for (int i = 0; i < 4000; i++) {
        struct ll_whose whose = {.plugin = LINLI_STR("p")};
        snprintf(subject, sizeof subject, "%d", i);
        whose.subject = ll_cstr(subject);
        ll_gone_name(&whose, name);
        T_OK(!ll_gone_set_has(&set, name));
        if (i % 2 == 0)
            T_OK(ll_gone_set_add(&set, name));
        if (i % 2 == 0)
            T_OK(ll_gone_set_add(&set, name));
        T_OK(ll_gone_set_has(&set, name) == (i % 2 == 0));
    }
    T_INT(set.count, 2000);
    ll_gone_set_fini(&set);
    T_INT(mem.used_bytes, 0);
}

T_MAIN(T_RUN(a_copy_from_before_yields_nothing)
        T_RUN(a_restore_wants_to_know_what_is_gone)
            T_RUN(a_file_that_lost_lines_is_refused)
                T_RUN(a_start_goes_on_where_a_crash_was)
                    T_RUN(what_is_frozen_is_kept_and_read_by_nobody)
                        T_RUN(what_was_frozen_is_shredded_in_the_end)
                            T_RUN(many_names_are_a_set))
