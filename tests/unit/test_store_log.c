/* tests/unit/test_store_log.c: leaves of commits, their places, and the tree
 * that the database keeps of them. */
#include "domain/leaf.h"
#include "domain/merkle.h"
#include "store/head.h"
#include "store_fixture.h"

static size_t
leaf_text(uint64_t i, char out[64])
{
    return (size_t)snprintf(out, 64, "{\"v\":1,\"type\":\"duty\",\"at\":%llu}",
        (unsigned long long)i);
}

static void
put_leaf(struct ll_commit *commit, uint64_t i)
{
    char text[64];
    ll_commit_leaf(commit, (linli_str){text, leaf_text(i, text)});
}

static void
hash_of(uint64_t i, struct ll_hash *out)
{
    char text[64];
    ll_merkle_leaf((linli_str){text, leaf_text(i, text)}, out);
}

/* The first leaf, which the log begins with by itself, into a tree. */
static void
add_origin(struct fixture *f, struct ll_db *db, struct ll_merkle *tree)
{
    bool row;
    struct ll_vkey key;
    struct ll_hash hash;
    sqlite3_stmt *get = ll_db_statement(db, LL_SI_log_leaves, &f->err);
    (void)sqlite3_bind_int64(get, 1, 0);
    T_INT(ll_db_step(db, get, &row, &f->err), LINLI_OK);
    T_OK(row && sqlite3_column_int64(get, 0) == 0);
    T_OK(row && ll_origin_leaf_read(&f->mem, ll_db_bytes(get, 1), &key));
    ll_merkle_leaf(ll_db_bytes(get, 1), &hash);
    ll_merkle_add(tree, &hash);
    (void)sqlite3_reset(get);
}

/* The database of a closed store. */
static void
open_closed(struct fixture *f, struct ll_db *db)
{
    char path[128];
    snprintf(path, sizeof path, "%s/linli.db", f->dir);
    T_INT(ll_db_open(db, path, LL_DB_WRITER, &f->err), LINLI_OK);
    ll_db_leave_log(db, false);
}

static void
run_closed(struct fixture *f, const char *sql)
{
    struct ll_db db;
    open_closed(f, &db);
    T_INT(ll_db_exec(&db, sql, &f->err), LINLI_OK);
    ll_db_close(&db);
}

T_CASE(commits_are_told_their_leaves)
{
    struct fixture f;
    static struct change changes[100];
    fixture_init(&f, true);
    T_INT(fixture_open(&f), LINLI_OK);
    uint64_t leaf = 0;
    for (size_t i = 0; i < COUNT(changes); i++) {
        change_init(&changes[i], &f);
        for (size_t j = 0; j < i % 4; j++)
            put_leaf(&changes[i].commit, leaf++);
        put_doc(&changes[i].commit, "a", (int64_t)i + 1, "", "{}");
        changes[i].commit.leaf_first = changes[i].commit.leaf_count = 77;
        ll_store_commit(f.store, &changes[i].commit);
    }
    leaf = 1; /* behind the origin */
    for (size_t i = 0; i < COUNT(changes); i++) {
        fixture_wait(&f, &changes[i].done);
        T_OK(changes[i].durable);
        T_INT(changes[i].commit.leaf_count, i % 4);
        if (i % 4 > 0)
            T_INT(changes[i].commit.leaf_first, leaf);
        leaf += i % 4;
        ll_commit_fini(&changes[i].commit);
    }
    fixture_fini(&f);
}

T_CASE(what_is_no_leaf_fails_the_commit)
{
    static char text[LL_LEAF_BYTES_MAX + 1];
    struct ll_mem mem;
    struct ll_commit commit;
    ll_mem_init(&mem, 0);
    for (size_t n = 0; n < 3; n++) {
        ll_commit_init(&commit, &mem);
        ll_commit_leaf(
            &commit, (linli_str){text, n == 0   ? 0
                                       : n == 1 ? LL_LEAF_BYTES_MAX
                                                : LL_LEAF_BYTES_MAX + 1});
        T_INT(commit.ops.failed, n != 1);
        ll_commit_fini(&commit);
    }
}

/* Rows as they should be after `size` leaves, the first of them the origin. */
static void
check_rows(struct fixture *f, uint64_t size)
{
    struct ll_db db;
    struct ll_merkle tree = {0};
    struct ll_hash root, hash;
    bool row;
    int64_t n = 0;
    open_closed(f, &db);
    add_origin(f, &db, &tree);
    sqlite3_stmt *get = ll_db_statement(&db, LL_SI_log_leaves, &f->err);
    (void)sqlite3_bind_int64(get, 1, 1);
    for (uint64_t i = 1; i < size; i++) {
        char text[64];
        T_INT(ll_db_step(&db, get, &row, &f->err), LINLI_OK);
        T_OK(row);
        T_INT(sqlite3_column_int64(get, 0), i);
        text[leaf_text(i, text)] = '\0';
        T_STR(ll_db_bytes(get, 1), text);
        hash_of(i, &hash);
        ll_merkle_add(&tree, &hash);
    }
    (void)sqlite3_reset(get);
    ll_merkle_root(&tree, &root);
    get = ll_db_statement(&db, LL_SI_log_head, &f->err);
    T_INT(ll_db_step(&db, get, &row, &f->err), LINLI_OK);
    T_OK(row);
    T_INT(sqlite3_column_int64(get, 0), size);
    T_OK(ll_str_eq(ll_db_bytes(get, 1),
        (linli_str){(const char *)root.bytes, sizeof root}));
    (void)sqlite3_reset(get);
    for (uint64_t tile = 0; tile < (size + 255) / 256; tile++) {
        uint64_t hashes = size - tile * 256 < 256 ? size % 256 : 256;
        get = ll_db_statement(&db, LL_SI_log_tile, &f->err);
        (void)sqlite3_bind_int64(get, 1, 0);
        (void)sqlite3_bind_int64(get, 2, (int64_t)tile);
        T_INT(ll_db_step(&db, get, &row, &f->err), LINLI_OK);
        T_INT(row ? ll_db_bytes(get, 0).len : 0, hashes * 32);
        for (uint64_t i = tile == 0; i < hashes && row; i++) {
            hash_of(tile * 256 + i, &hash);
            T_OK(memcmp(ll_db_bytes(get, 0).ptr + 32 * i, &hash, 32) == 0);
        }
        (void)sqlite3_reset(get);
    }
    T_INT(ll_db_number(&db, "SELECT count(*) FROM log_tile WHERE level = 0", &n,
              &f->err),
        LINLI_OK);
    T_INT(n, (size + 255) / 256);
    T_INT(ll_db_number(&db,
              "SELECT sum(length(bytes)) FROM log_tile WHERE level = 1", &n,
              &f->err),
        LINLI_OK);
    T_INT(n, size / 256 * 32);
    ll_db_close(&db);
}

/* Batches of all sizes, closed and opened in between. */
T_CASE(the_tree_is_what_the_leaves_make_it)
{
    struct fixture f;
    struct change c;
    uint64_t size = 1;
    static const int sizes[] = {1, 254, 1, 1, 300, 0, 211, 257, 1000, 24};
    fixture_init(&f, false);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        T_INT(fixture_open(&f), LINLI_OK);
        change_init(&c, &f);
        for (int j = 0; j < sizes[i]; j++) {
            put_leaf(&c.commit, size++);
            if (j % 100 == 99)
                T_OK(change_make(&c, &f));
        }
        T_OK(change_make(&c, &f));
        ll_commit_fini(&c.commit);
        ll_store_close(&f.store);
        check_rows(&f, size);
    }
    fixture_fini(&f);
}

/* A whole tile of tiles: level 2 begins. */
T_CASE(a_tree_of_three_levels)
{
    struct fixture f;
    struct change c;
    struct ll_merkle tree = {0};
    struct ll_hash hash, root;
    int64_t n = 0;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    for (uint64_t i = 1; i < 65536 + 300; i++) {
        put_leaf(&c.commit, i);
        if (i % 5000 == 4999)
            T_OK(change_make(&c, &f));
    }
    T_OK(change_make(&c, &f));
    ll_store_close(&f.store);
    T_INT(fixture_open(&f), LINLI_OK); /* the edge gives the root of the head */
    put_leaf(&c.commit, 65536 + 300);
    T_OK(change_make(&c, &f));
    T_INT(c.commit.leaf_first, 65536 + 300);
    ll_commit_fini(&c.commit);
    ll_store_close(&f.store);
    struct ll_db db;
    bool row;
    open_closed(&f, &db);
    add_origin(&f, &db, &tree);
    for (uint64_t i = 1; i <= 65536 + 300; i++) {
        hash_of(i, &hash);
        ll_merkle_add(&tree, &hash);
    }
    ll_merkle_root(&tree, &root);
    sqlite3_stmt *get = ll_db_statement(&db, LL_SI_log_head, &f.err);
    T_INT(ll_db_step(&db, get, &row, &f.err), LINLI_OK);
    T_OK(memcmp(ll_db_bytes(get, 1).ptr, &root, sizeof root) == 0);
    (void)sqlite3_reset(get);
    T_INT(ll_db_number(&db,
              "SELECT length(bytes) FROM log_tile WHERE level = 2", &n, &f.err),
        LINLI_OK);
    T_INT(n, 32);
    ll_db_close(&db);
    fixture_fini(&f);
}

/* What its edge cannot be of is not opened, so that nothing is built on it. */
T_CASE(a_damaged_edge_is_refused)
{
    static const char *const sqls[] = {
        "UPDATE log_leaf SET leaf = x'00' WHERE idx = 599",
        "UPDATE log_leaf SET leaf = x'00' WHERE idx = 512",
        "DELETE FROM log_leaf WHERE idx = 599",
        "DELETE FROM log_leaf WHERE idx = 550",
        "INSERT INTO log_leaf VALUES(600, x'00')",
        "UPDATE log_head SET size = 599",
        "UPDATE log_head SET size = 601",
        "UPDATE log_head SET size = -5",
        "UPDATE log_head SET root = zeroblob(32)",
        "UPDATE log_head SET root = x'00'",
        "UPDATE log_tile SET bytes = zeroblob(64) WHERE level = 1",
        "UPDATE log_tile SET bytes = zeroblob(32) WHERE level = 1",
        "DELETE FROM log_tile WHERE level = 1",
        "UPDATE log_tile SET bytes = zeroblob(2816) WHERE n = 2",
        "DELETE FROM log_tile WHERE n = 2",
    };
    struct fixture f;
    struct change c;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    change_init(&c, &f);
    for (uint64_t i = 1; i < 600; i++)
        put_leaf(&c.commit, i);
    T_OK(change_make(&c, &f));
    ll_commit_fini(&c.commit);
    ll_store_close(&f.store);
    run_closed(&f, "CREATE TABLE kl AS SELECT * FROM log_leaf;"
                   "CREATE TABLE kt AS SELECT * FROM log_tile;"
                   "CREATE TABLE kh AS SELECT * FROM log_head");
    for (size_t i = 0; i < COUNT(sqls); i++) {
        run_closed(&f, sqls[i]);
        T_INT(fixture_open(&f), LINLI_E_INVALID);
        T_STR(ll_cstr(f.err.code), "store/corrupt");
        T_OK(strstr(f.err.msg, "the log") != NULL);
        ll_store_close(&f.store);
        run_closed(&f, "DELETE FROM log_leaf; DELETE FROM log_tile; "
                       "DELETE FROM log_head; "
                       "INSERT INTO log_leaf SELECT * FROM kl;"
                       "INSERT INTO log_tile SELECT * FROM kt;"
                       "INSERT INTO log_head SELECT * FROM kh");
    }
    T_INT(fixture_open(&f), LINLI_OK);
    fixture_fini(&f);
}

T_MAIN(T_RUN(commits_are_told_their_leaves) T_RUN(
    what_is_no_leaf_fails_the_commit) T_RUN(the_tree_is_what_the_leaves_make_it)
        T_RUN(a_tree_of_three_levels) T_RUN(a_damaged_edge_is_refused))
