/* tests/unit/test_store_seal.c: what is about a subject is unreadable without
 * its key, keys are unreadable without the key file, and what was taken away
 * or deleted is in no file any more. */
#include <sqlite3.h>

#include "base/limits.h"
#include "store_fixture.h"

/* -- the files as bytes -- */

static bool
file_holds(struct fixture *f, const char *name, linli_str what)
{
    struct ll_mem mem;
    struct ll_buf bytes;
    ll_mem_init(&mem, 0);
    ll_buf_init(&bytes, &mem, 64u << 20);
    bool holds =
        ll_file_read(f->dir_fd, name, 32u << 20, &bytes, NULL) == LINLI_OK &&
        memmem(bytes.ptr, bytes.len, what.ptr, what.len) != NULL;
    ll_buf_fini(&bytes);
    return holds;
}

static bool
files_hold(struct fixture *f, linli_str what)
{
    return file_holds(f, "linli.db", what) ||
           file_holds(f, "linli.db-wal", what);
}

/* One blob of the closed database. */
static size_t
raw_blob(struct fixture *f, const char *sql, unsigned char *out, size_t size)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *statement;
    size_t len = 0;
    snprintf(path, sizeof path, "%s/linli.db", f->dir);
    T_INT(sqlite3_open(path, &db), SQLITE_OK);
    T_INT(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const void *blob = sqlite3_column_blob(statement, 0);
        len = (size_t)sqlite3_column_bytes(statement, 0);
        if (len <= size && len > 0)
            memcpy(out, blob, len);
    }
    sqlite3_finalize(statement);
    T_INT(sqlite3_close(db), SQLITE_OK);
    return len;
}

static void
run_sql(struct fixture *f, const char *sql)
{
    char path[128];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/linli.db", f->dir);
    T_INT(sqlite3_open(path, &db), SQLITE_OK);
    T_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    T_INT(sqlite3_close(db), SQLITE_OK);
}

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

/* -- blobs -- */

T_CASE(a_blob_says_what_it_is)
{
    struct fixture f;
    struct change c;
    unsigned char one[256], two[256];
    start(&f, &c);
    put_doc(&c.commit, "plain", 1, "", "{\"text\":\"anybody may know\"}");
    put_doc(&c.commit, "one", 1, "0123", "{\"text\":\"none of yours\"}");
    put_doc(&c.commit, "two", 1, "0123", "{\"text\":\"none of yours\"}");
    put_doc(&c.commit, "empty", 1, "0123", "");
    put_doc(&c.commit, "nothing", 1, "", "");
    T_OK(change_make(&c, &f));
    T_DOC(&f, "one", "{\"text\":\"none of yours\"}");
    T_DOC(&f, "empty", "");
    T_DOC(&f, "nothing", "");
    T_OK(files_hold(&f, LINLI_STR("anybody may know")));
    T_OK(!files_hold(&f, LINLI_STR("none of yours")));
    ll_store_close(&f.store);
    T_OK(!files_hold(&f, LINLI_STR("none of yours")));
    size_t n = raw_blob(
        &f, "SELECT body FROM doc WHERE id = 'plain'", one, sizeof one);
    T_OK(n == 28 && one[0] == 0 && memcmp(one + 1, "{\"text", 6) == 0);
    n = raw_blob(&f, "SELECT body FROM doc WHERE id = 'one'", one, sizeof one);
    T_INT(n, 1 + 8 + 12 + 24 + 16);
    T_INT(one[0], 1);
    /* Key 1 is the mark, 2 is the first subject's; big-endian. */
    T_OK(memcmp(one + 1, "\0\0\0\0\0\0\0\2", 8) == 0);
    n = raw_blob(&f, "SELECT body FROM doc WHERE id = 'two'", two, sizeof two);
    T_OK(memcmp(one, two, 9) == 0);
    T_OK(memcmp(one + 9, two + 9, 12) != 0);   /* the nonce */
    T_OK(memcmp(one + 21, two + 21, 24) != 0); /* so the text too */
    n = raw_blob(
        &f, "SELECT wrapped FROM subject_key WHERE id = 2", one, sizeof one);
    T_INT(n, 12 + 32 + 16);
    T_INT(fixture_open(&f), LINLI_OK);
    T_DOC(&f, "one", "{\"text\":\"none of yours\"}");
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

T_CASE(every_space_has_keys_of_its_own)
{
    struct fixture f;
    struct change c;
    unsigned char count[8];
    start(&f, &c);
    for (int64_t space = 1; space <= 3; space++) {
        ll_commit_op(&c.commit, LL_ST_event_put);
        ll_put_int(&c.commit.ops, space);
        put_cstr(&c.commit.ops, "demo");
        put_cstr(&c.commit.ops, "parking");
        put_cstr(&c.commit.ops, "parking.x");
        ll_put_int(&c.commit.ops, 0);
        ll_put_sealed(&c.commit.ops, space, LINLI_STR("0123"), LINLI_STR("1"));
    }
    T_OK(change_make(&c, &f));
    ll_store_close(&f.store);
    T_INT(raw_blob(&f,
              "SELECT CAST(count(*) AS TEXT) FROM subject_key WHERE "
              "subject = '0123'",
              count, sizeof count),
        1);
    T_INT(count[0], '3');
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* A query that meets a value that is not what was sealed says so. */
static void
expect_damage(struct fixture *f, const char *body)
{
    struct asked a;
    char sql[256];
    snprintf(sql, sizeof sql,
        "UPDATE doc SET body = CAST(%s AS BLOB) WHERE id = 'a'", body);
    run_sql(f, sql);
    T_INT(fixture_open(f), LINLI_OK);
    asked_init(&a, f, LL_ST_doc_get);
    ll_put_int(&a.query.params, 1);
    put_cstr(&a.query.params, "a");
    T_INT(asked_run(&a, f), LINLI_E_INVALID);
    T_STR(ll_cstr(a.query.err.code), "store/corrupt");
    T_INT(a.query.row_count, 0);
    T_INT(a.query.rows.len, 0);
    ll_query_fini(&a.query);
    T_DOC(f, "b", "{}");
    ll_store_close(&f->store);
}

T_CASE(what_was_changed_is_noticed)
{
    static const char *const damages[] = {
        /* a byte of the text, the nonce, the key's id: another's, nobody's */
        "substr(body, 1, 22) || x'00' || substr(body, 24)",
        "substr(body, 1, 9) || zeroblob(12) || substr(body, 22)",
        "x'010000000000000003' || substr(body, 10)",
        "x'01000000000000ffff' || substr(body, 10)",
        "x'010000000000000000' || substr(body, 10)",
        /* cut, extended, of an unknown kind, empty */
        "substr(body, 1, 30)",
        "body || x'00'",
        "x'02' || substr(body, 2)",
        "x''",
        "x'01'",
    };
    for (size_t i = 0; i < COUNT(damages); i++) {
        struct fixture f;
        struct change c;
        start(&f, &c);
        put_doc(&c.commit, "a", 1, "0123", "{\"text\":\"none of yours\"}");
        put_doc(&c.commit, "b", 1, "4567", "{}");
        T_OK(change_make(&c, &f));
        ll_store_close(&f.store);
        expect_damage(&f, damages[i]);
        ll_commit_fini(&c.commit);
        fixture_fini(&f);
    }
}

/* A wrapped key is good for its own row only. */
T_CASE(keys_cannot_be_swapped)
{
    struct fixture f;
    struct change c;
    struct asked a;
    start(&f, &c);
    put_doc(&c.commit, "a", 1, "0123", "{}");
    put_doc(&c.commit, "b", 1, "4567", "{}");
    T_OK(change_make(&c, &f));
    ll_store_close(&f.store);
    run_sql(&f, "UPDATE subject_key SET wrapped = (SELECT wrapped FROM "
                "subject_key WHERE id = 3) WHERE id = 2");
    T_INT(fixture_open(&f), LINLI_OK);
    asked_init(&a, &f, LL_ST_doc_get);
    ll_put_int(&a.query.params, 1);
    put_cstr(&a.query.params, "a");
    T_INT(asked_run(&a, &f), LINLI_E_DENIED);
    T_STR(ll_cstr(a.query.err.code), "store/key");
    ll_query_fini(&a.query);
    T_DOC(&f, "b", "{}");
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* -- keys that are kept, and keys that are not -- */

T_CASE(more_subjects_than_keys_are_kept)
{
    struct fixture f;
    struct change c;
    char id[16], body[32], long_pid[129];
    const int many = LL_STORE_KEYS_MAX * 2 + 100;
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    memset(long_pid, 'p', sizeof long_pid - 1);
    long_pid[sizeof long_pid - 1] = '\0';
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < many; i++) {
            snprintf(id, sizeof id, "%d", i);
            snprintf(body, sizeof body, "{\"n\":%d}", i + round);
            put_doc(&c.commit, id, 1, id, body);
        }
        put_doc(&c.commit, "long", 1, long_pid, "{\"long\":1}");
        T_OK(change_make(&c, &f));
    }
    for (int i = 0; i < many; i++) {
        snprintf(id, sizeof id, "%d", i);
        snprintf(body, sizeof body, "{\"n\":%d}", i + 1);
        T_DOC(&f, id, body);
    }
    T_DOC(&f, "long", "{\"long\":1}");
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

static void
shred(struct change *c, struct fixture *f, const char *subject)
{
    ll_commit_op(&c->commit, LL_ST_subject_shred);
    ll_put_int(&c->commit.ops, 1);
    put_cstr(&c->commit.ops, subject);
    T_OK(change_make(c, f));
}

T_CASE(what_was_shredded_is_nil)
{
    struct fixture f;
    struct change c;
    unsigned char wrapped[64];
    start(&f, &c);
    put_doc(&c.commit, "a", 1, "0123", "{\"n\":1}");
    put_doc(&c.commit, "b", 1, "4567", "{\"n\":2}");
    T_OK(change_make(&c, &f));
    /* Every reader has both keys now. */
    for (int i = 0; i < 20; i++) {
        T_DOC(&f, "a", "{\"n\":1}");
        T_DOC(&f, "b", "{\"n\":2}");
    }
    ll_store_close(&f.store);
    T_INT(raw_blob(&f, "SELECT wrapped FROM subject_key WHERE id = 2", wrapped,
              sizeof wrapped),
        60);
    linli_str key = {(const char *)wrapped, 60};
    T_OK(files_hold(&f, key));
    T_INT(fixture_open(&f), LINLI_OK);
    T_DOC(&f, "a", "{\"n\":1}");
    shred(&c, &f, "0123");
    for (int i = 0; i < 20; i++) {
        T_DOC(&f, "a", "nil");
        T_DOC(&f, "b", "{\"n\":2}");
    }
    /* The log is emptied soon, so that the key is not there either. */
    for (int i = 0; i < 100 && files_hold(&f, key); i++)
        usleep(10000);
    T_OK(!files_hold(&f, key));
    reopen(&f);
    T_DOC(&f, "a", "nil");
    /* A subject without a key can have none from now on, too; the next has
     * one all the same. */
    shred(&c, &f, "89ab");
    put_doc(&c.commit, "next", 1, "cdef", "{\"n\":4}");
    T_OK(change_make(&c, &f));
    T_DOC(&f, "next", "{\"n\":4}");
    reopen(&f);
    put_doc(&c.commit, "b", 1, "4567", "{\"n\":3}");
    T_OK(change_make(&c, &f));
    T_DOC(&f, "b", "{\"n\":3}");
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

/* An answer that was under way when the key went: written, and unreadable. */
T_CASE(what_is_sealed_for_a_shredded_subject_is_nil)
{
    for (int way = 0; way < 4; way++) {
        struct fixture f;
        struct change c;
        start(&f, &c);
        if (way < 2)
            put_doc(&c.commit, "a", 1, "0123", "{\"n\":1}");
        T_OK(change_make(&c, &f));
        shred(&c, &f, "0123");
        if (way % 2 == 0)
            reopen(&f);
        put_doc(&c.commit, "b", 1, "", "{}");
        put_doc(&c.commit, "a", 1, "0123", "{\"text\":\"none of yours\"}");
        T_OK(change_make(&c, &f));
        T_INT(f.failures, 0);
        T_DOC(&f, "a", "nil");
        T_DOC(&f, "b", "{}");
        reopen(&f);
        T_DOC(&f, "a", "nil");
        T_OK(!files_hold(&f, LINLI_STR("none of yours")));
        ll_commit_fini(&c.commit);
        fixture_fini(&f);
    }
}

/* Index keys and ids are plain in the file: deleted, they are gone. */
T_CASE(what_was_deleted_is_in_no_file)
{
    struct fixture f;
    struct change c;
    start(&f, &c);
    put_doc(&c.commit, "id-of-a-secret", 1, "", "{\"plate\":\"SU-A12345\"}");
    ll_commit_op(&c.commit, LL_ST_entry_put);
    ll_put_int(&c.commit.ops, 20);
    put_cstr(&c.commit.ops, "key-SU-A12345");
    put_cstr(&c.commit.ops, "id-of-a-secret");
    T_OK(change_make(&c, &f));
    T_OK(files_hold(&f, LINLI_STR("SU-A12345")));
    ll_commit_op(&c.commit, LL_ST_doc_del);
    ll_put_int(&c.commit.ops, 1);
    put_cstr(&c.commit.ops, "id-of-a-secret");
    ll_commit_op(&c.commit, LL_ST_entry_del);
    ll_put_int(&c.commit.ops, 20);
    put_cstr(&c.commit.ops, "key-SU-A12345");
    put_cstr(&c.commit.ops, "id-of-a-secret");
    T_OK(change_make(&c, &f));
    ll_store_close(&f.store);
    T_OK(!files_hold(&f, LINLI_STR("SU-A12345")));
    T_OK(!files_hold(&f, LINLI_STR("id-of-a-secret")));
    ll_commit_fini(&c.commit);
    fixture_fini(&f);
}

T_MAIN(T_RUN(a_blob_says_what_it_is) T_RUN(every_space_has_keys_of_its_own)
        T_RUN(what_was_changed_is_noticed) T_RUN(keys_cannot_be_swapped) T_RUN(
            more_subjects_than_keys_are_kept) T_RUN(what_was_shredded_is_nil)
            T_RUN(what_is_sealed_for_a_shredded_subject_is_nil)
                T_RUN(what_was_deleted_is_in_no_file))
