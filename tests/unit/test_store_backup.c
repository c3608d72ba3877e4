/* tests/unit/test_store_backup.c: copies made while commits go on, and what
 * a restore takes and refuses. */
#include <sqlite3.h>

#include "store_fixture.h"
#include "store_usage.h"
#include "world/datadir.h"

/* -- making one -- */

struct backup {
    bool done;
    linli_status status;
    uint64_t number;
    int64_t bytes;
    struct ll_err err;
};

static void
backup_done(void *user, linli_status status, uint64_t number, int64_t bytes,
    const struct ll_err *err)
{
    struct backup *b = user;
    T_OK(!b->done);
    b->done = true;
    b->status = status;
    b->number = number;
    b->bytes = bytes;
    b->err = *err;
}

/* The place of a file beside those of the store. */
static const char *
path_of(struct fixture *f, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", f->dir, name);
    return out;
}

static linli_status
make_backup(struct fixture *f, const char *path, struct backup *b)
{
    *b = (struct backup){0};
    linli_status status =
        ll_store_backup(f->store, path, backup_done, b, &f->err);
    if (status != LINLI_OK)
        return status;
    T_OK(!b->done);
    fixture_wait(f, &b->done);
    f->err = b->err;
    return b->status;
}

static void
commit_one(struct fixture *f, struct change *c)
{
    int64_t number = (int64_t)ll_store_last(f->store) + 1;
    put_doc(&c->commit, "x", number, "0123", "{\"text\":\"kept\"}");
    put_doc(&c->commit, "y", number, "", "{}");
    struct ll_usage usage = {.call_low = (uint64_t)number,
        .at_ms = number * 100000,
        .quantity = number,
        .series = 1};
    ll_commit_usage(&c->commit, &usage);
    c->done = false;
    (void)ll_store_commit(f->store, &c->commit);
}

static void
fill(struct fixture *f, int commits)
{
    struct change c;
    change_init(&c, f);
    for (int i = 0; i < commits; i++) {
        commit_one(f, &c);
        fixture_wait(f, &c.done);
        T_OK(c.durable);
        ll_buf_clear(&c.commit.ops);
    }
    ll_commit_fini(&c.commit);
}

/* -- putting it somewhere else -- */

struct place {
    struct fixture f; /* without a store as yet */
    char file[128], key[128], dir[128];
};

static void
place_init(struct place *p, struct fixture *from)
{
    fixture_init(&p->f, false);
    path_of(from, "copy.db", p->file);
    path_of(from, "linli.key", p->key);
    snprintf(p->dir, sizeof p->dir, "%s", p->f.dir);
}

static linli_status
place_restore(struct place *p, uint64_t *number)
{
    return ll_store_restore(p->file, p->key, p->dir, number, &p->f.err);
}

/* The version of document x in the store. */
static int64_t
version_of_x(struct fixture *f)
{
    struct asked a;
    asked_init(&a, f, LL_ST_doc_get);
    ll_put_int(&a.query.params, 1);
    put_cstr(&a.query.params, "x");
    T_INT(asked_run(&a, f), LINLI_OK);
    (void)ll_rd_list(&a.rows);
    int64_t version = ll_rd_int(&a.rows);
    ll_query_fini(&a.query);
    return version;
}

T_CASE(a_copy_becomes_a_database)
{
    for (int memory = 0; memory < 2; memory++) {
        struct fixture f;
        struct place p;
        struct backup b;
        struct stat st;
        uint64_t number = 0;
        fixture_init(&f, false);
        int dir_fd = f.dir_fd;
        if (memory == 1)
            f.dir_fd = -1;
        T_INT(fixture_open(&f), LINLI_OK);
        f.dir_fd = dir_fd;
        fill(&f, 20);
        place_init(&p, &f);
        T_INT(make_backup(&f, p.file, &b), LINLI_OK);
        T_INT(b.number, 20);
        T_INT(stat(p.file, &st), 0);
        T_INT(st.st_size, b.bytes);
        T_INT(st.st_mode & 07777, 0600);
        T_OK(!ll_file_there(f.dir_fd, "copy.db.new"));
        fill(&f, 5);
        if (memory == 1) {
            /* Its key was never written: what it sealed is for itself. */
            T_OK(place_restore(&p, &number) != LINLI_OK);
            T_STR(ll_cstr(p.f.err.code), "store/key");
        } else {
            T_INT(place_restore(&p, &number), LINLI_OK);
            T_INT(number, 20);
            T_INT(fixture_open(&p.f), LINLI_OK);
            T_INT(ll_store_last(p.f.store), 20);
            T_INT(version_of_x(&p.f), 20);
            T_DOC(&p.f, "x", "{\"text\":\"kept\"}");
            T_INT(usage_check(&p.f), 20);
            fill(&p.f, 5);
            T_INT(usage_check(&p.f), 25);
        }
        T_INT(version_of_x(&f), 25);
        fixture_fini(&p.f);
        fixture_fini(&f);
    }
}

/* Under load the copy is one commit's state, and nothing stops. */
T_CASE(commits_go_on_meanwhile)
{
    struct fixture f;
    struct change c;
    static char body[200000];
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    memset(body, 'x', sizeof body - 1);
    for (int i = 0; i < 60; i++) {
        char id[16];
        snprintf(id, sizeof id, "big%d", i);
        put_doc(&c.commit, id, 1, "4567", body);
        T_OK(change_make(&c, &f));
    }
    int64_t during = 0;
    for (int round = 0; round < 5; round++) {
        struct backup b = {0};
        struct place p;
        uint64_t number;
        place_init(&p, &f);
        (void)unlink(p.file);
        uint64_t before = ll_store_durable(f.store);
        T_INT(ll_store_backup(f.store, p.file, backup_done, &b, &f.err),
            LINLI_OK);
        c.done = true;
        while (!b.done || !c.done) {
            if (c.done) {
                ll_buf_clear(&c.commit.ops);
                commit_one(&f, &c);
                during++;
            }
            ll_world_turn(f.world, true);
        }
        ll_buf_clear(&c.commit.ops);
        T_INT(b.status, LINLI_OK);
        T_OK(b.number >= before);
        T_INT(place_restore(&p, &number), LINLI_OK);
        T_INT(number, b.number);
        T_INT(fixture_open(&p.f), LINLI_OK);
        if (number > 60)
            T_INT(version_of_x(&p.f), number);
        T_INT(usage_check(&p.f), number - 60);
        fixture_fini(&p.f);
    }
    printf("# %lld commits during five copies\n", (long long)during);
    T_OK(during > 10);
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

T_CASE(a_copy_never_replaces_anything)
{
    struct fixture f;
    struct backup b;
    char path[128];
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    fill(&f, 1);
    T_INT(make_backup(&f, path_of(&f, "linli.db", path), &b), LINLI_E_CONFLICT);
    T_STR(ll_cstr(f.err.code), "store/backup");
    T_INT(
        make_backup(&f, path_of(&f, "linli.key", path), &b), LINLI_E_CONFLICT);
    T_INT(symlinkat("nowhere", f.dir_fd, "link"), 0);
    T_INT(make_backup(&f, path_of(&f, "link", path), &b), LINLI_E_CONFLICT);
    /* What stands where the copy is made, too. */
    T_INT(ll_file_make(f.dir_fd, "a.db.new", 0600, NULL), LINLI_OK);
    T_INT(make_backup(&f, path_of(&f, "a.db", path), &b), LINLI_E_CONFLICT);
    T_STR(ll_cstr(f.err.code), "store/backup");
    T_OK(ll_file_there(f.dir_fd, "a.db.new"));
    T_OK(!ll_file_there(f.dir_fd, "a.db"));
    T_INT(make_backup(&f, "/nowhere/at/all", &b), LINLI_E_NOT_FOUND);
    T_STR(ll_cstr(f.err.code), "store/backup");
    T_INT(make_backup(&f, "/dev/full/x", &b), LINLI_E_NOT_FOUND);
    T_INT(f.failures, 0);
    fill(&f, 1);
    /* One at a time. */
    struct backup other = {0};
    b = (struct backup){0};
    T_INT(ll_store_backup(
              f.store, path_of(&f, "b.db", path), backup_done, &b, &f.err),
        LINLI_OK);
    T_INT(ll_store_backup(
              f.store, path_of(&f, "c.db", path), backup_done, &other, &f.err),
        LINLI_E_AGAIN);
    fixture_wait(&f, &b.done);
    T_INT(b.status, LINLI_OK);
    T_OK(!other.done);
    T_OK(!ll_file_there(f.dir_fd, "c.db"));
    fixture_fini(&f);
}

T_CASE(closing_ends_a_copy)
{
    struct fixture f;
    struct change c;
    static char body[250000];
    char path[128];
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    memset(body, 'x', sizeof body - 1);
    for (int i = 0; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof id, "big%d", i);
        put_doc(&c.commit, id, 1, "", body);
        T_OK(change_make(&c, &f));
    }
    struct backup b = {0};
    T_INT(ll_store_backup(
              f.store, path_of(&f, "copy.db", path), backup_done, &b, &f.err),
        LINLI_OK);
    ll_store_close(&f.store);
    T_OK(b.done);
    T_OK(b.status == LINLI_OK || b.status == LINLI_E_CLOSED);
    T_OK(ll_file_there(f.dir_fd, "copy.db") == (b.status == LINLI_OK));
    T_OK(!ll_file_there(f.dir_fd, "copy.db.new"));
    T_OK(!ll_file_there(f.dir_fd, "copy.db.new-journal"));
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* -- copies that are not good -- */

static void
run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    T_INT(sqlite3_open(path, &db), SQLITE_OK);
    T_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    T_INT(sqlite3_close(db), SQLITE_OK);
}

/* Something in the middle of pages of data, with SQLite knowing nothing. */
static void
damage_bytes(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;
    T_INT(fstat(fd, &st), 0);
    for (off_t at = 4096 + 8; at < st.st_size; at += 4096)
        T_INT(pwrite(fd, "\xff\xff\xff\xff", 4, at), 4);
    close(fd);
}

static void
cut_in_half(const char *path)
{
    struct stat st;
    T_INT(stat(path, &st), 0);
    T_INT(truncate(path, st.st_size / 2 / 4096 * 4096), 0);
}

T_CASE(a_damaged_copy_is_refused)
{
    static const struct {
        const char *sql, *code;
        void (*damage)(const char *path);
    } cases[] = {
        {NULL, "store/corrupt", damage_bytes},
        {NULL, "store/corrupt", cut_in_half},
        {"PRAGMA user_version=1000", "store/newer", NULL},
        {"PRAGMA application_id=7", "store/foreign", NULL},
        {"UPDATE usage_bucket SET quantity = quantity + 1 WHERE id = 1",
            "store/corrupt", NULL},
        {"UPDATE usage_bucket SET count = count - 1 WHERE id = 2",
            "store/corrupt", NULL},
        {"UPDATE usage_bucket SET first = first + 1 WHERE id = 2",
            "store/corrupt", NULL},
        {"UPDATE usage_bucket SET last = last + 1 WHERE id = 2",
            "store/corrupt", NULL},
        {"DELETE FROM usage_bucket WHERE id = 1", "store/corrupt", NULL},
        {"INSERT INTO usage_bucket(series, slot, part, quantity, count, "
         "first, last) VALUES(9, 0, 0, 0, 0, 1, 1)",
            "store/corrupt", NULL},
        {"DELETE FROM usage_segment WHERE first = 1", "store/corrupt", NULL},
        {"DELETE FROM usage_segment WHERE first = 10", "store/corrupt", NULL},
        {"DELETE FROM usage_segment WHERE first = 20", "store/corrupt", NULL},
        {"UPDATE usage_segment SET hash = zeroblob(32) WHERE first = 7",
            "store/corrupt", NULL},
        {"UPDATE usage_segment SET content = zeroblob(48) WHERE first = 7",
            "store/corrupt", NULL},
        {"UPDATE usage_segment SET count = 2 WHERE first = 7", "store/corrupt",
            NULL},
        {"UPDATE subject_key SET wrapped = zeroblob(60) WHERE subject = ''",
            "store/key", NULL},
        {"DELETE FROM meta", "store/corrupt", NULL},
        {"DROP TABLE usage_bucket", "store/io", NULL},
    };
    struct fixture f;
    struct backup b;
    char good[128];
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    fill(&f, 20);
    T_INT(make_backup(&f, path_of(&f, "good.db", good), &b), LINLI_OK);
    ll_store_close(&f.store);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct place p;
        uint64_t number = 1;
        place_init(&p, &f);
        (void)unlink(p.file);
        T_INT(ll_file_copy(good, LL_AT_CWD, p.file, 0600, NULL), LINLI_OK);
        if (cases[i].sql != NULL)
            run_sql(p.file, cases[i].sql);
        else
            cases[i].damage(p.file);
        if (place_restore(&p, &number) == LINLI_OK)
            printf("# taken: %s\n",
                cases[i].sql == NULL ? "damage" : cases[i].sql);
        T_STR(ll_cstr(p.f.err.code), cases[i].code);
        T_INT(number, 0);
        /* It is as if nothing had been tried. */
        T_OK(!ll_file_there(p.f.dir_fd, "linli.db"));
        T_OK(!ll_file_there(p.f.dir_fd, "linli.key"));
        T_OK(!ll_file_there(p.f.dir_fd, "linli.gone"));
        T_OK(!ll_file_there(p.f.dir_fd, "linli.db.new"));
        T_OK(!ll_file_there(p.f.dir_fd, "linli.db.new-wal"));
        fixture_fini(&p.f);
    }
    fixture_fini(&f);
}

T_CASE(a_restore_never_replaces_anything)
{
    struct fixture f;
    struct backup b;
    struct place p;
    uint64_t number;
    char other[128];
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    fill(&f, 3);
    place_init(&p, &f);
    T_INT(make_backup(&f, p.file, &b), LINLI_OK);
    /* A key that is there must be the same; then it stays. */
    T_INT(ll_file_write(p.f.dir_fd, "linli.key",
              LINLI_STR("0123456789abcdef0123456789abcdef"), 0600, NULL),
        LINLI_OK);
    T_INT(place_restore(&p, &number), LINLI_E_CONFLICT);
    T_STR(ll_cstr(p.f.err.code), "store/restore");
    T_INT(unlinkat(p.f.dir_fd, "linli.key", 0), 0);
    T_INT(ll_file_copy(p.key, p.f.dir_fd, "linli.key", 0600, NULL), LINLI_OK);
    T_INT(place_restore(&p, &number), LINLI_OK);
    /* Again: it is there. */
    T_INT(place_restore(&p, &number), LINLI_E_CONFLICT);
    T_STR(ll_cstr(p.f.err.code), "store/restore");
    T_INT(fixture_open(&p.f), LINLI_OK);
    T_INT(version_of_x(&p.f), 3);
    fixture_fini(&p.f);
    /* A database in use is no copy. */
    place_init(&p, &f);
    path_of(&f, "linli.db", p.file);
    T_INT(place_restore(&p, &number), LINLI_E_CONFLICT);
    T_STR(ll_cstr(p.f.err.code), "store/restore");
    /* A log alone belongs to somebody. */
    path_of(&f, "copy.db", p.file);
    T_INT(ll_file_make(p.f.dir_fd, "linli.db-wal", 0600, NULL), LINLI_OK);
    T_INT(place_restore(&p, &number), LINLI_E_CONFLICT);
    T_INT(unlinkat(p.f.dir_fd, "linli.db-wal", 0), 0);
    /* Somebody else's key, no key, no copy. */
    T_INT(ll_file_write(p.f.dir_fd, "k",
              LINLI_STR("0123456789abcdef0123456789abcdef"), 0600, NULL),
        LINLI_OK);
    path_of(&p.f, "k", p.key);
    T_OK(place_restore(&p, &number) != LINLI_OK);
    T_STR(ll_cstr(p.f.err.code), "store/key");
    path_of(&f, "nokey", p.key);
    T_OK(place_restore(&p, &number) != LINLI_OK);
    T_STR(ll_cstr(p.f.err.code), "store/key");
    path_of(&f, "linli.key", p.key);
    path_of(&f, "nocopy", p.file);
    T_INT(place_restore(&p, &number), LINLI_E_NOT_FOUND);
    T_STR(ll_cstr(p.f.err.code), "cli/file");
    /* A directory in use. */
    struct ll_datadir lock;
    T_INT(ll_datadir_open(&lock, p.dir, NULL), LINLI_OK);
    path_of(&f, "copy.db", p.file);
    T_INT(place_restore(&p, &number), LINLI_E_CONFLICT);
    T_STR(ll_cstr(p.f.err.code), "data/locked");
    ll_datadir_close(&lock);
    /* One that is not there is made. */
    snprintf(other, sizeof other, "%s/made", p.f.dir);
    T_INT(ll_store_restore(p.file, p.key, other, &number, &p.f.err), LINLI_OK);
    T_INT(number, 3);
    int made = open(other, O_RDONLY | O_DIRECTORY);
    T_OK(ll_file_there(made, "linli.db") && ll_file_there(made, "linli.key"));
    for (const char *const *name = (const char *const[]){"linli.db",
             "linli.gone", "linli.key", "linlid.lock", NULL};
         *name != NULL; name++)
        T_INT(unlinkat(made, *name, 0), 0);
    close(made);
    T_INT(rmdir(other), 0);
    fixture_fini(&p.f);
    fixture_fini(&f);
}

T_MAIN(T_RUN(a_copy_becomes_a_database) T_RUN(commits_go_on_meanwhile)
        T_RUN(a_copy_never_replaces_anything) T_RUN(closing_ends_a_copy) T_RUN(
            a_damaged_copy_is_refused) T_RUN(a_restore_never_replaces_anything))
