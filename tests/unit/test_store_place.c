/* tests/unit/test_store_place.c: the files of the store: how they are made,
 * which ones are refused, that what is refused stays as it was, and how a
 * file gets from one version to the next. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "store/migrate.h"
#include "store/place.h"
#include "store_fixture.h"

/* -- a folder's files, to be compared -- */

struct files {
    struct ll_mem mem;
    struct ll_buf bytes;
};

/* Names and contents, by name; what SQLite makes to look (-shm) left out. */
static void
files_read(struct files *files, struct fixture *f)
{
    struct ll_arena arena;
    struct ll_file_list list;
    ll_mem_init(&files->mem, 0);
    ll_buf_init(&files->bytes, &files->mem, 64u << 20);
    ll_arena_init(&arena, &files->mem, 1u << 20);
    T_INT(ll_folder_list(f->dir_fd, 1000, &arena, &list, NULL), LINLI_OK);
    for (uint32_t i = 0; i < list.count; i++) {
        const char *name = list.entries[i].name.ptr;
        if (strstr(name, "-shm") != NULL)
            continue;
        ll_buf_printf(&files->bytes, "[%s]", name);
        if (list.entries[i].kind == LL_FILE_REGULAR)
            T_INT(ll_file_read(f->dir_fd, name, 32u << 20, &files->bytes, NULL),
                LINLI_OK);
    }
    ll_arena_fini(&arena);
}

static void
files_same(struct files *before, struct fixture *f, const char *what)
{
    struct files now;
    files_read(&now, f);
    bool same = ll_str_eq(ll_buf_view(&before->bytes), ll_buf_view(&now.bytes));
    T_OK(same);
    if (!same)
        printf("# %s: %zu bytes, now %zu\n", what, before->bytes.len,
            now.bytes.len);
    ll_buf_fini(&now.bytes);
    ll_buf_fini(&before->bytes);
}

/* -- making a folder that will be refused -- */

static void
run_sql(struct fixture *f, const char *name, const char *sql)
{
    char path[128];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    T_INT(sqlite3_open(path, &db), SQLITE_OK);
    T_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    T_INT(sqlite3_close(db), SQLITE_OK);
}

static void
put_file(struct fixture *f, const char *name, const char *bytes)
{
    T_INT(ll_file_write(f->dir_fd, name, ll_cstr(bytes), 0600, NULL), LINLI_OK);
}

/* A database with something in it. */
static void
make_good(struct fixture *f)
{
    struct change c;
    T_INT(fixture_open(f), LINLI_OK);
    change_init(&c, f);
    for (int i = 0; i < 200; i++)
        put_doc(&c.commit,
            (char[4]){'d', (char)('a' + i / 20), (char)('a' + i % 20)}, 1,
            "0123", "{\"text\":\"so that it has some pages\"}");
    T_OK(change_make(&c, f));
    ll_commit_fini(&c.commit);
    ll_store_close(&f->store);
}

static void
cut_file(struct fixture *f, const char *name, off_t size)
{
    int fd = openat(f->dir_fd, name, O_WRONLY);
    T_INT(ftruncate(fd, size), 0);
    close(fd);
}

static void
write_at(struct fixture *f, const char *name, off_t at, const char *bytes)
{
    int fd = openat(f->dir_fd, name, O_WRONLY);
    T_INT(pwrite(fd, bytes, strlen(bytes), at), strlen(bytes));
    close(fd);
}

static void
foreign_text(struct fixture *f)
{
    put_file(f, "linli.db",
        "This is a letter to nobody, and it is long enough to be taken for "
        "a database by somebody who only looks at the length of a file.");
}

static void
foreign_database(struct fixture *f)
{
    run_sql(f, "linli.db", "PRAGMA application_id=77; CREATE TABLE t(a)");
}

static void
foreign_folder(struct fixture *f)
{
    T_INT(mkdirat(f->dir_fd, "linli.db", 0700), 0);
}

static void
foreign_link(struct fixture *f)
{
    make_good(f);
    T_INT(renameat(f->dir_fd, "linli.db", f->dir_fd, "real.db"), 0);
    T_INT(symlinkat("real.db", f->dir_fd, "linli.db"), 0);
}

static void
newer(struct fixture *f)
{
    make_good(f);
    run_sql(f, "linli.db", "PRAGMA user_version=1000");
}

/* The version stands in the log alone, as after a crash. */
static void
newer_in_log(struct fixture *f)
{
    char path[128];
    make_good(f);
    snprintf(path, sizeof path, "%s/linli.db", f->dir);
    pid_t pid = fork();
    if (pid == 0) {
        sqlite3 *db;
        bool ok = sqlite3_open(path, &db) == SQLITE_OK &&
                  sqlite3_exec(db, "PRAGMA user_version=1000", NULL, NULL,
                      NULL) == SQLITE_OK;
        _exit(ok ? 0 : 1);
    }
    int status;
    T_INT(waitpid(pid, &status, 0), pid);
    T_INT(status, 0);
    T_OK(ll_file_there(f->dir_fd, "linli.db-wal"));
}

static void
empty(struct fixture *f)
{
    make_good(f);
    cut_file(f, "linli.db", 0);
}

static void
cut_in_half(struct fixture *f)
{
    make_good(f);
    cut_file(f, "linli.db", 8 * 4096);
}

static void
damaged_page(struct fixture *f)
{
    static const char garbage[64] =
        "garbage garbage garbage garbage garbage garbage garbage garbage";
    make_good(f);
    for (int page = 1; page < 20; page++)
        write_at(f, "linli.db", page * 4096, garbage);
}

static void
no_version(struct fixture *f)
{
    make_good(f);
    run_sql(f, "linli.db", "PRAGMA user_version=0");
}

static void
log_alone(struct fixture *f)
{
    make_good(f);
    T_INT(unlinkat(f->dir_fd, "linli.db", 0), 0);
    put_file(f, "linli.db-wal", "what was committed last");
}

static void
no_key(struct fixture *f)
{
    make_good(f);
    T_INT(unlinkat(f->dir_fd, "linli.key", 0), 0);
}

static void
short_key(struct fixture *f)
{
    make_good(f);
    put_file(f, "linli.key", "0123456789abcdef0123456789abcde");
}

static void
long_key(struct fixture *f)
{
    make_good(f);
    put_file(f, "linli.key", "0123456789abcdef0123456789abcdefg");
}

static void
other_key(struct fixture *f)
{
    make_good(f);
    put_file(f, "linli.key", "0123456789abcdef0123456789abcdef");
}

static void
no_mark(struct fixture *f)
{
    make_good(f);
    run_sql(f, "linli.db", "DELETE FROM subject_key WHERE subject = ''");
}

T_CASE(what_is_not_ours_is_refused_and_left_alone)
{
    static const struct {
        const char *name, *code;
        void (*make)(struct fixture *f);
    } cases[] = {
        {"foreign_text", "store/foreign", foreign_text},
        {"foreign_database", "store/foreign", foreign_database},
        {"foreign_folder", "store/foreign", foreign_folder},
        {"foreign_link", "store/foreign", foreign_link},
        {"newer", "store/newer", newer},
        {"newer_in_log", "store/newer", newer_in_log},
        {"empty", "store/corrupt", empty},
        {"cut_in_half", "store/corrupt", cut_in_half},
        {"damaged_page", "store/corrupt", damaged_page},
        {"no_version", "store/corrupt", no_version},
        {"log_alone", "store/corrupt", log_alone},
        {"no_key", "store/key", no_key},
        {"short_key", "store/key", short_key},
        {"long_key", "store/key", long_key},
        {"other_key", "store/key", other_key},
        {"no_mark", "store/corrupt", no_mark},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture f;
        struct files before;
        fixture_init(&f, false);
        cases[i].make(&f);
        files_read(&before, &f);
        /* Twice: the first try does not make the second one pass. */
        for (int j = 0; j < 2; j++) {
            T_OK(fixture_open(&f) != LINLI_OK);
            if (strcmp(f.err.code, cases[i].code) != 0)
                printf("# %s: %s: %s\n", cases[i].name, f.err.where, f.err.msg);
            T_STR(ll_cstr(f.err.code), cases[i].code);
            T_OK(strncmp(f.err.where, f.dir, strlen(f.dir)) == 0);
        }
        files_same(&before, &f, cases[i].name);
        (void)unlinkat(f.dir_fd, "linli.db", AT_REMOVEDIR);
        fixture_fini(&f);
    }
}

T_CASE(files_are_for_their_owner_alone)
{
    static const char *const names[] = {
        "linli.db", "linli.db-wal", "linli.db-shm", "linli.key"};
    struct fixture f;
    struct stat st;
    mode_t mask = umask(0);
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    for (size_t i = 0; i < COUNT(names); i++) {
        T_INT(fstatat(f.dir_fd, names[i], &st, 0), 0);
        T_INT(st.st_mode & 07777, 0600);
    }
    T_INT(fstatat(f.dir_fd, "linli.key", &st, 0), 0);
    T_INT(st.st_size, 32);
    umask(mask);
    fixture_fini(&f);
}

T_CASE(a_key_without_a_database_is_kept)
{
    struct fixture f;
    char key[33] = "0123456789abcdef0123456789abcdef";
    fixture_init(&f, false);
    put_file(&f, "linli.key", key);
    put_file(&f, "linli.db.new", "a crash left this");
    put_file(&f, "linli.db.new-wal", "and this");
    make_good(&f);
    struct ll_mem mem;
    struct ll_buf bytes;
    ll_mem_init(&mem, 0);
    ll_buf_init(&bytes, &mem, 8192);
    T_INT(ll_file_read(f.dir_fd, "linli.key", 64, &bytes, NULL), LINLI_OK);
    T_STR(ll_buf_view(&bytes), key);
    ll_buf_fini(&bytes);
    T_OK(!ll_file_there(f.dir_fd, "linli.db.new"));
    T_OK(!ll_file_there(f.dir_fd, "linli.db.new-wal"));
    T_INT(fixture_open(&f), LINLI_OK);
    fixture_fini(&f);
}

T_CASE(a_folder_that_cannot_be_written)
{
    struct fixture f;
    fixture_init(&f, false);
    /* In the way of what is made first: nothing may be left. */
    T_INT(mkdirat(f.dir_fd, "linli.db.new", 0700), 0);
    T_OK(fixture_open(&f) != LINLI_OK);
    T_STR(ll_cstr(f.err.code), "store/io");
    T_OK(!ll_file_there(f.dir_fd, "linli.key"));
    T_OK(!ll_file_there(f.dir_fd, "linli.db"));
    T_INT(unlinkat(f.dir_fd, "linli.db.new", AT_REMOVEDIR), 0);
    T_INT(fixture_open(&f), LINLI_OK);
    fixture_fini(&f);
}

/* The directory may be named from where the process stands, and the process
 * may go elsewhere. */
T_CASE(a_relative_path)
{
    struct fixture f;
    struct change c;
    char here[4096], full[64];
    T_OK(getcwd(here, sizeof here) != NULL);
    fixture_init(&f, false);
    snprintf(full, sizeof full, "%s", f.dir);
    T_INT(chdir(fixture_base()), 0);
    snprintf(f.dir, sizeof f.dir, "%s", strrchr(full, '/') + 1);
    T_INT(fixture_open(&f), LINLI_OK);
    T_INT(chdir("/"), 0);
    change_init(&c, &f);
    put_doc(&c.commit, "a", 1, "", "{}");
    T_OK(change_make(&c, &f));
    struct asked a;
    asked_init(&a, &f, LL_ST_spaces);
    T_INT(ll_store_ask(f.store, &a.query), LINLI_OK);
    ll_query_fini(&a.query);
    ll_commit_fini(&c.commit);
    snprintf(f.dir, sizeof f.dir, "%s", full);
    T_INT(chdir(here), 0);
    fixture_fini(&f);
}

/* -- migrations -- */

#define STEPS 12

/* Each step makes a table, and in another one the sum of all before; they
 * hold only if every step was taken once and whole. */
static char step_sql[STEPS][320];
static struct ll_migration steps[STEPS];
static int then_calls;

static linli_status
then(struct ll_db *db, struct ll_err *err)
{
    then_calls++;
    return ll_db_exec(db, "UPDATE total SET n = n + 1", err);
}

static void
make_steps(void)
{
    for (int i = 0; i < STEPS; i++) {
        snprintf(step_sql[i], sizeof step_sql[i],
            "%s CREATE TABLE t%d(a); INSERT INTO t%d WITH RECURSIVE r(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 300) "
            "SELECT hex(randomblob(20)) FROM r; "
            "UPDATE total SET n = n + 10; DELETE FROM t%d WHERE rowid > 250;",
            i == 0 ? "CREATE TABLE total(n); INSERT INTO total VALUES(0);" : "",
            i, i, i);
        steps[i] = (struct ll_migration){step_sql[i], then};
    }
}

static linli_status
open_bare(struct fixture *f, struct ll_db *db)
{
    char path[128];
    snprintf(path, sizeof path, "%s/steps.db", f->dir);
    if (!ll_file_there(f->dir_fd, "steps.db"))
        T_INT(ll_file_make(f->dir_fd, "steps.db", 0600, NULL), LINLI_OK);
    return ll_db_open(db, path, LL_DB_WRITER, &f->err);
}

/* The version, after a check that it is the whole truth. */
static int64_t
version_of(struct fixture *f, struct ll_db *db)
{
    int64_t version = 0, total = 0, tables = 0;
    T_INT(ll_db_number(db, "PRAGMA user_version", &version, &f->err), LINLI_OK);
    T_INT(ll_db_number(db,
              "SELECT count(*) FROM sqlite_schema "
              "WHERE name GLOB 't[0-9]*'",
              &tables, &f->err),
        LINLI_OK);
    T_INT(tables, version);
    if (version > 0)
        T_INT(
            ll_db_number(db, "SELECT n FROM total", &total, &f->err), LINLI_OK);
    T_INT(total, 11 * version);
    return version;
}

T_CASE(steps_are_taken_once_and_in_order)
{
    struct fixture f;
    struct ll_db db;
    make_steps();
    fixture_init(&f, false);
    for (uint32_t n = 0; n <= STEPS; n += 3) {
        T_INT(open_bare(&f, &db), LINLI_OK);
        then_calls = 0;
        T_INT(ll_migrate(&db, steps, n, &f.err), LINLI_OK);
        T_INT(then_calls, n == 0 ? 0 : 3);
        T_INT(version_of(&f, &db), n);
        T_INT(ll_migrate(&db, steps, n, &f.err), LINLI_OK);
        T_INT(version_of(&f, &db), n);
        ll_db_close(&db);
    }
    T_INT(open_bare(&f, &db), LINLI_OK);
    T_INT(ll_migrate(&db, steps, 5, &f.err), LINLI_E_UNSUPPORTED);
    T_STR(ll_cstr(f.err.code), "store/newer");
    ll_db_close(&db);
    fixture_fini(&f);
}

T_CASE(a_step_that_fails_is_not_taken)
{
    struct fixture f;
    struct ll_db db;
    make_steps();
    fixture_init(&f, false);
    T_INT(open_bare(&f, &db), LINLI_OK);
    steps[4].sql = "CREATE TABLE t4(a); INSERT INTO nowhere VALUES(1)";
    T_OK(ll_migrate(&db, steps, STEPS, &f.err) != LINLI_OK);
    T_STR(ll_cstr(f.err.code), "store/io");
    T_STR(ll_cstr(f.err.where), "step 5: ");
    T_INT(version_of(&f, &db), 4);
    steps[4].sql = step_sql[4];
    T_INT(ll_migrate(&db, steps, STEPS, &f.err), LINLI_OK);
    T_INT(version_of(&f, &db), STEPS);
    ll_db_close(&db);
    fixture_fini(&f);
}

/* Alerts of version 1 are open, of no name, and can be closed. */
T_CASE(alerts_of_version_1)
{
    struct fixture f;
    struct ll_db db;
    uint32_t count = 0;
    int64_t found = 0;
    const struct ll_migration *own = ll_migrations(&count);
    T_OK(count >= 2);
    fixture_init(&f, false);
    T_INT(open_bare(&f, &db), LINLI_OK);
    T_INT(ll_migrate(&db, own, 1, &f.err), LINLI_OK);
    T_INT(ll_db_exec(&db,
              "INSERT INTO alert VALUES(1, 'c', 'k', 'p', 5, NULL, '', "
              "'open', x'00'), (2, 'c', 'k', 'p', 6, 's', 't', 'open', x'00')",
              &f.err),
        LINLI_OK);
    T_INT(ll_migrate(&db, own, count, &f.err), LINLI_OK);
    T_INT(ll_db_number(&db,
              "SELECT count(*) FROM alert WHERE state = 'open' AND ref IS NULL "
              "AND closed_at IS NULL AND closed_by IS NULL AND reason IS NULL",
              &found, &f.err),
        LINLI_OK);
    T_INT(found, 2);
    T_INT(ll_db_number(&db,
              "SELECT count(*) FROM sqlite_schema WHERE name = 'alert_ref'",
              &found, &f.err),
        LINLI_OK);
    T_INT(found, 1);
    ll_db_close(&db);
    fixture_fini(&f);
}

/* Answers under keys of version 11 lie where data/known.h reads such; another
 * collection's documents stay. */
T_CASE(answers_of_version_11)
{
    struct fixture f;
    struct ll_db db;
    uint32_t count = 0;
    int64_t found = 0;
    const struct ll_migration *own = ll_migrations(&count);
    T_OK(count > 11);
    fixture_init(&f, false);
    T_INT(open_bare(&f, &db), LINLI_OK);
    T_INT(ll_migrate(&db, own, 11, &f.err), LINLI_OK);
    T_INT(ll_db_exec(&db,
              "INSERT INTO collection VALUES(1, 1, '~idem'), (2, 1, 'doc');"
              "INSERT INTO doc SELECT c.id, printf('%032x', n.value) || "
              "'00112233445566778899aabbccddeeff', 5, NULL, NULL, x'00' "
              "FROM collection c, json_each('[7, 8]') n",
              &f.err),
        LINLI_OK);
    T_INT(ll_migrate(&db, own, count, &f.err), LINLI_OK);
    T_INT(ll_db_number(&db,
              "SELECT count(*) FROM doc WHERE collection = 1 AND (id = "
              "'ffffffffffff' || printf('%032x', 7) OR id = 'ffffffffffff' || "
              "printf('%032x', 8))",
              &found, &f.err),
        LINLI_OK);
    T_INT(found, 2);
    T_INT(ll_db_number(&db,
              "SELECT count(*) FROM doc WHERE collection = 2 AND "
              "length(id) = 64",
              &found, &f.err),
        LINLI_OK);
    T_INT(found, 2);
    ll_db_close(&db);
    fixture_fini(&f);
}

/* Killed anywhere, the file is of one version or the next. How long a step
 * takes differs from machine to machine: the time to the kill follows. */
T_CASE(steps_survive_a_kill)
{
    int between = 0;
    unsigned delay_us = 1000;
    make_steps();
    for (int round = 0; round < 60; round++) {
        struct fixture f;
        struct ll_db db;
        fixture_init(&f, false);
        T_INT(open_bare(&f, &db), LINLI_OK);
        T_INT(ll_db_exec(&db, "PRAGMA journal_mode=WAL", &f.err), LINLI_OK);
        ll_db_close(&db);
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            if (open_bare(&f, &db) == LINLI_OK)
                (void)!ll_migrate(&db, steps, STEPS, &f.err);
            pause();
        }
        usleep(delay_us);
        kill(pid, SIGKILL);
        T_INT(waitpid(pid, NULL, 0), pid);
        T_INT(open_bare(&f, &db), LINLI_OK);
        int64_t version = version_of(&f, &db);
        between += version > 0 && version < STEPS;
        if (version == 0 && delay_us < 1000000)
            delay_us += delay_us / 3;
        else if (version == STEPS)
            delay_us -= delay_us / 4;
        T_INT(ll_migrate(&db, steps, STEPS, &f.err), LINLI_OK);
        T_INT(version_of(&f, &db), STEPS);
        int64_t bad = 0;
        T_INT(ll_db_number(&db,
                  "SELECT count(*) FROM pragma_integrity_check "
                  "WHERE integrity_check <> 'ok'",
                  &bad, &f.err),
            LINLI_OK);
        T_INT(bad, 0);
        ll_db_close(&db);
        fixture_fini(&f);
    }
    printf("# %d of 60 were killed between two steps\n", between);
    T_OK(between > 0);
}

T_MAIN(T_RUN(what_is_not_ours_is_refused_and_left_alone) T_RUN(
    files_are_for_their_owner_alone) T_RUN(a_key_without_a_database_is_kept)
        T_RUN(a_folder_that_cannot_be_written) T_RUN(a_relative_path)
            T_RUN(steps_are_taken_once_and_in_order)
                T_RUN(a_step_that_fails_is_not_taken) T_RUN(alerts_of_version_1)
                    T_RUN(answers_of_version_11) T_RUN(steps_survive_a_kill))
