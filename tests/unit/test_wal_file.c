/* tests/unit/test_wal_file.c: the log's bytes are gathered, and nothing that
 * a sync has promised depends on it. */
#include "store/wal_file.h"

#include <sys/stat.h>

#include "base/limits.h"
#include "store_shim.h"
#include "t.h"

static char path[128];

static sqlite3 *
connect_to(const char *vfs)
{
    sqlite3 *db = NULL;
    T_INT(sqlite3_open_v2(
              path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
        SQLITE_OK);
    return db;
}

static void
run(sqlite3 *db, const char *sql)
{
    T_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int64_t
number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    T_INT(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    T_INT(sqlite3_step(statement), SQLITE_ROW);
    int64_t found = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return found;
}

/* A new database in a folder of its own, its writer, and somebody else. */
static void
open_both(sqlite3 **writer, sqlite3 **other)
{
    snprintf(path, sizeof path, "/tmp/linli-wal-XXXXXX");
    T_OK(mkdtemp(path) != NULL);
    snprintf(path + strlen(path), 16, "/t.db");
    T_OK(ll_wal_vfs() != NULL);
    *writer = connect_to(ll_wal_vfs());
    run(*writer, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                 "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=10;"
                 "CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)");
    *other = connect_to(NULL);
}

static void
close_both(sqlite3 *writer, sqlite3 *other)
{
    T_INT(sqlite3_close(writer), SQLITE_OK);
    T_INT(number(other, "SELECT count(*) FROM pragma_integrity_check "
                        "WHERE integrity_check <> 'ok'"),
        0);
    T_INT(sqlite3_close(other), SQLITE_OK);
    T_INT(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    T_INT(rmdir(path), 0);
}

static int
writes_of(sqlite3 *db, const char *sql)
{
    shim_disarm();
    run(db, sql);
    return atomic_load(&shim.counts[SHIM_WRITE]);
}

T_CASE(a_commit_is_one_write)
{
    sqlite3 *writer, *other;
    open_both(&writer, &other);
    for (int i = 1; i <= 20; i++) {
        T_INT(
            writes_of(writer, "INSERT INTO t(body) VALUES(zeroblob(9000))"), 1);
        T_INT(number(other, "SELECT count(*) FROM t"), i);
    }
    /* As SQLite does it alone: the header and the body of each page. */
    T_OK(writes_of(other, "INSERT INTO t(body) VALUES(zeroblob(9000))") > 5);
    T_INT(number(writer, "SELECT count(*) FROM t"), 21);
    close_both(writer, other);
}

#define MANY                                                 \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 " \
    "FROM n WHERE i < 500) "

/* More than the cache of pages holds: SQLite writes before the commit, reads
 * that back, and writes it again in its place. */
T_CASE(what_was_gathered_is_read_back)
{
    sqlite3 *writer, *other;
    open_both(&writer, &other);
    for (int round = 0; round < 3; round++) {
        run(writer, "BEGIN");
        run(writer, MANY "INSERT OR REPLACE INTO t(id, body) "
                         "SELECT i, randomblob(3000) FROM n");
        for (int i = 0; i < 3; i++)
            run(writer, "UPDATE t SET body = randomblob(length(body) + 1) "
                        "WHERE id % 7 = 1");
        T_INT(number(writer, "SELECT count(*) FROM t"), 500);
        T_INT(number(writer, "SELECT sum(length(body)) FROM t"),
            500 * 3000 + 72 * 3);
        T_INT(number(other, "SELECT count(*) FROM t"), round == 0 ? 0 : 500);
        run(writer, "COMMIT");
        T_INT(number(other, "SELECT sum(length(body)) FROM t"),
            500 * 3000 + 72 * 3);
    }
    T_OK(writes_of(writer, "UPDATE t SET body = zeroblob(3000)") <
         500 * 4120 / LL_STORE_WAL_GATHER_BYTES + 100);
    close_both(writer, other);
}

/* A disk that is full, for a while, at each write of a commit: nobody sees
 * anything of it, and the next commit is whole. */
T_CASE(a_write_that_fails_is_no_commit)
{
    sqlite3 *writer, *other;
    int failed = 0;
    open_both(&writer, &other);
    run(writer, MANY "INSERT INTO t(id, body) SELECT i, zeroblob(2000) FROM n");
    for (int at = 1; at <= 40; at++) {
        shim_arm(SHIM_WRITE, at, SQLITE_FULL, at % 2 == 0);
        int code = sqlite3_exec(
            writer, "UPDATE t SET body = randomblob(2000)", NULL, NULL, NULL);
        bool hit = atomic_load(&shim.failed) > 0;
        failed += hit;
        T_INT(code, hit ? SQLITE_FULL : SQLITE_OK);
        shim_disarm();
        if (!hit)
            run(writer, "UPDATE t SET body = zeroblob(2000)");
        T_INT(number(other, "SELECT count(*) FROM t "
                            "WHERE body <> zeroblob(2000)"),
            0);
        run(writer, "INSERT INTO t(body) VALUES(zeroblob(2000))");
        T_INT(number(other, "SELECT count(*) FROM t"), 500 + at);
    }
    T_OK(failed > 5);
    close_both(writer, other);
}

static int64_t
log_size(void)
{
    char name[160];
    struct stat st;
    snprintf(name, sizeof name, "%s-wal", path);
    return stat(name, &st) == 0 ? st.st_size : -1;
}

/* Whoever opens it next, after a crash, finds nothing in it. */
static bool
log_is_void(void)
{
    char name[160];
    char head[32] = {1};
    static const char zeros[32];
    snprintf(name, sizeof name, "%s-wal", path);
    FILE *f = fopen(name, "rbe");
    bool good = f != NULL && fread(head, 1, sizeof head, f) == sizeof head;
    if (f != NULL)
        (void)fclose(f);
    return good && memcmp(head, zeros, sizeof zeros) == 0;
}

/* Cut to nothing it keeps its length; and whatever is put into it then begins
 * at its start, also where somebody looks at it from outside meanwhile. */
T_CASE(a_spared_log_begins_anew)
{
    sqlite3 *writer, *keeper, *other;
    open_both(&writer, &other);
    keeper = connect_to(ll_wal_vfs());
    T_OK(!ll_wal_spare(other, true)); /* not of ours */
    for (int round = 0; round < 3; round++) {
        int64_t at = ll_wal_bytes(0);
        run(writer, MANY "INSERT INTO t(body) SELECT zeroblob(3000) FROM n");
        int64_t size = log_size();
        T_INT(number(keeper, "SELECT count(*) FROM t"), 500 * (round + 1));
        T_OK(ll_wal_spare(keeper, true));
        T_INT(sqlite3_wal_checkpoint_v2(
                  keeper, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
            SQLITE_OK);
        T_OK(ll_wal_spare(keeper, false));
        T_INT(log_size(), size);
        T_OK(log_is_void());
        while (at != INT64_MAX)
            T_INT(ll_wal_wipe(keeper, &at), SQLITE_OK);
        T_INT(log_size(), size);
        /* A reader with a mark of its own would keep a log that was not
         * restarted as it is, and the writer would go on behind it. */
        run(other, "BEGIN");
        T_INT(number(other, "SELECT count(*) FROM t"), 500 * (round + 1));
        run(writer, "UPDATE t SET body = randomblob(2000) WHERE id = 1");
        T_OK(!log_is_void());
        run(other, "COMMIT");
        T_INT(number(other, "SELECT length(body) FROM t WHERE id = 1"), 2000);
        T_INT(log_size(), size);
    }
    run(keeper, "PRAGMA wal_checkpoint(TRUNCATE)");
    T_INT(log_size(), 0);
    T_INT(sqlite3_close(keeper), SQLITE_OK);
    close_both(writer, other);
}

int
main(void)
{
    shim_install();
    T_RUN(a_commit_is_one_write)
    T_RUN(what_was_gathered_is_read_back)
    T_RUN(a_write_that_fails_is_no_commit)
    T_RUN(a_spared_log_begins_anew)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
