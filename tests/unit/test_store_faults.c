/* tests/unit/test_store_faults.c: disks that are full, syncs that fail,
 * processes that are killed and power that is cut: what was called durable is
 * there, whole and in order, and a store that failed says so once and ends.
 *
 * test-timeout-s: 120
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/wal_file.h"
#include "store_fixture.h"
#include "store_shim.h"
#include "store_usage.h"

/* One commit of the histories below: a document of its own, one that every
 * commit rewrites, and a usage record, all with its number. */
static void
put_history(struct ll_commit *commit, int64_t number)
{
    char id[32], body[64];
    snprintf(id, sizeof id, "%06lld", (long long)number);
    snprintf(body, sizeof body, "{\"n\":%lld}", (long long)number);
    put_doc(commit, id, number, "0123", body);
    put_doc(commit, "last", number, "", body);
    struct ll_usage usage = {.call_low = (uint64_t)number,
        .at_ms = number * 100000,
        .quantity = number,
        .series = 1};
    ll_commit_usage(commit, &usage);
}

/* The numbers 1 to n are there, nothing else is, and usage agrees. */
static void
check_history(struct fixture *f)
{
    struct asked a;
    char want[32];
    int64_t n = (int64_t)ll_store_durable(f->store);
    asked_init(&a, f, LL_ST_doc_up);
    ll_put_int(&a.query.params, 1);
    put_cstr(&a.query.params, "");
    ll_put_int(&a.query.params, n + 10);
    T_INT(asked_run(&a, f), LINLI_OK);
    T_INT(a.query.snapshot, n);
    T_INT(a.query.row_count, n == 0 ? 0 : n + 1);
    for (int64_t i = 1; i <= n; i++) {
        (void)ll_rd_list(&a.rows);
        snprintf(want, sizeof want, "%06lld", (long long)i);
        T_STR(ll_rd_bytes(&a.rows), want);
        T_INT(ll_rd_int(&a.rows), i);
        (void)ll_rd_value(&a.rows);
        (void)ll_rd_value(&a.rows);
        snprintf(want, sizeof want, "{\"n\":%lld}", (long long)i);
        T_STR(ll_rd_bytes(&a.rows), want);
    }
    if (n > 0) {
        (void)ll_rd_list(&a.rows);
        T_STR(ll_rd_bytes(&a.rows), "last");
        T_INT(ll_rd_int(&a.rows), n);
        (void)ll_rd_value(&a.rows);
        (void)ll_rd_value(&a.rows);
        (void)ll_rd_value(&a.rows);
    }
    T_OK(ll_rd_end(&a.rows));
    ll_query_fini(&a.query);
    T_INT(usage_check(f), n);
}

/* -- failing calls, one after the other -- */

#define COMMITS 8

/* A store's life up to the fault: returns the last number that was durable,
 * -1 if it could not even be opened. */
static int64_t
live(struct fixture *f)
{
    struct change c;
    int64_t durable = 0;
    bool failed = false;
    f->failures = 0;
    if (fixture_open(f) != LINLI_OK) {
        T_STR(ll_cstr(f->err.code), "store/io");
        return -1;
    }
    int64_t from = (int64_t)ll_store_durable(f->store);
    durable = from;
    change_init(&c, f);
    for (int64_t n = from + 1; n <= from + COMMITS; n++) {
        put_history(&c.commit, n);
        bool made = change_make(&c, f);
        if (made)
            durable = n;
        T_OK(!(failed && made)); /* for good */
        failed = failed || !made;
        T_INT(f->failures, failed ? 1 : 0);
        T_INT(ll_store_durable(f->store), durable);
        if (failed)
            T_STR(ll_cstr(f->failure.code), "store/io");
    }
    ll_commit_fini(&c.commit);
    ll_store_close(&f->store);
    T_INT(f->failures, failed ? 1 : 0);
    return durable;
}

static void
fail_each(enum shim_op op, int code, bool sticky)
{
    int n = 0, failed = 1, lives = 0;
    for (n = 1; failed > 0 && n < 2000; n++) {
        struct fixture f;
        fixture_init(&f, false);
        /* Every other time the files are there already. */
        if (n % 2 == 0)
            T_INT(live(&f), COMMITS);
        shim_arm(op, n / 2 + 1, code, sticky);
        int64_t durable = live(&f);
        failed = atomic_load(&shim.failed);
        lives += durable >= 0;
        shim_disarm();
        T_INT(fixture_open(&f), LINLI_OK);
        T_OK((int64_t)ll_store_durable(f.store) >= durable);
        check_history(&f);
        fixture_fini(&f);
    }
    printf("# %d places to fail at, %d after it was open\n", n - 2, lives);
    T_OK(lives > 0);
}

T_CASE(every_write_can_find_a_full_disk)
{
    fail_each(SHIM_WRITE, SQLITE_FULL, true);
}

T_CASE(every_write_can_fail_once)
{
    fail_each(SHIM_WRITE, SQLITE_IOERR_WRITE, false);
}

T_CASE(every_sync_can_fail_once)
{
    fail_each(SHIM_SYNC, SQLITE_IOERR_FSYNC, false);
}

T_CASE(every_sync_can_fail_from_then_on)
{
    fail_each(SHIM_SYNC, SQLITE_IOERR_FSYNC, true);
}

/* A read that fails answers that query only. */
T_CASE(a_query_can_fail_alone)
{
    struct fixture f;
    struct asked a;
    fixture_init(&f, false);
    T_INT(live(&f), COMMITS);
    int failures = 0;
    for (int n = 1; n < 12; n++) {
        T_INT(fixture_open(&f), LINLI_OK);
        asked_init(&a, &f, LL_ST_doc_get);
        ll_put_int(&a.query.params, 1);
        put_cstr(&a.query.params, "000001");
        shim_arm(SHIM_READ, n, SQLITE_IOERR_READ, false);
        linli_status status = asked_run(&a, &f);
        T_OK(status == LINLI_OK || atomic_load(&shim.failed) > 0);
        if (status != LINLI_OK) {
            failures++;
            T_STR(ll_cstr(a.query.err.code), "store/io");
            T_INT(a.query.row_count, 0);
        }
        shim_disarm();
        T_INT(asked_run(&a, &f), LINLI_OK);
        T_INT(f.failures, 0);
        ll_query_fini(&a.query);
        ll_store_close(&f.store);
    }
    T_OK(failures > 0);
    fixture_fini(&f);
}

struct told {
    struct change change;
    struct fixture *f;
};

static void
told_done(struct ll_commit *commit, bool durable)
{
    struct told *t = commit->user;
    t->change.done = true;
    t->change.durable = durable;
    /* The failure is told between the last that is and the first that is
     * not. */
    T_INT(t->f->failures, durable ? 0 : 1);
}

/* Many commits under way when it fails: each is told, in order, once. */
T_CASE(a_queue_fails_whole)
{
    struct fixture f;
    static struct told told[500];
    fixture_init(&f, false);
    T_INT(live(&f), COMMITS);
    T_INT(fixture_open(&f), LINLI_OK);
    for (int i = 0; i < 500; i++) {
        struct ll_commit *commit = &told[i].change.commit;
        told[i].f = &f;
        change_init(&told[i].change, &f);
        commit->done = told_done;
        commit->user = &told[i];
        put_history(commit, COMMITS + 1 + i);
        (void)ll_store_commit(f.store, commit);
        if (i % 50 == 0)
            ll_world_turn(f.world, false);
        if (i != 100)
            continue;
        fixture_wait(&f, &told[50].change.done);
        shim_arm(SHIM_WRITE, 1, SQLITE_FULL, true);
    }
    bool durable = true;
    for (int i = 0; i < 500; i++) {
        fixture_wait(&f, &told[i].change.done);
        T_OK(durable || !told[i].change.durable);
        durable = told[i].change.durable;
        ll_commit_fini(&told[i].change.commit);
    }
    T_OK(told[50].change.durable);
    T_OK(!durable);
    T_INT(f.failures, 1);
    ll_store_close(&f.store);
    shim_disarm();
    T_INT(fixture_open(&f), LINLI_OK);
    check_history(&f);
    fixture_fini(&f);
}

/* The system's own limit, without the shim's help: the writer's thread must
 * not take the signal that comes with it. */
T_CASE(a_file_that_may_not_grow)
{
    struct fixture f;
    fixture_init(&f, false);
    T_INT(live(&f), COMMITS);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {200000, 200000};
        struct change c;
        setrlimit(RLIMIT_FSIZE, &limit);
        if (fixture_open(&f) != LINLI_OK)
            _exit(2);
        change_init(&c, &f);
        for (int64_t n = COMMITS + 1; n < 1000; n++) {
            put_history(&c.commit, n);
            if (change_make(&c, &f))
                continue;
            bool told =
                f.failures == 1 && strcmp(f.failure.code, "store/io") == 0;
            ll_store_close(&f.store);
            _exit(told ? 0 : 3);
        }
        _exit(4);
    }
    int status;
    T_INT(waitpid(pid, &status, 0), pid);
    T_INT(status, 0);
    T_INT(fixture_open(&f), LINLI_OK);
    check_history(&f);
    fixture_fini(&f);
}

/* -- being killed -- */

struct killed {
    struct fixture *f;
    struct {
        struct ll_commit commit;
        struct killed *all;
    } slots[16];
    int report; /* durable numbers go there */
};

static void
commit_history(struct killed *k, struct ll_commit *commit)
{
    ll_buf_clear(&commit->ops);
    put_history(commit, (int64_t)ll_store_last(k->f->store) + 1);
    (void)ll_store_commit(k->f->store, commit);
}

static void
report(struct ll_commit *commit, bool durable)
{
    struct killed *k = commit->user;
    if (!durable || write(k->report, &commit->number, sizeof commit->number) !=
                        sizeof commit->number)
        _exit(1);
    commit_history(k, commit);
}

/* The child: commits until somebody ends it. */
static void
commit_for_ever(struct fixture *f, int pipe_fd, unsigned width)
{
    static struct killed k;
    k.f = f;
    k.report = pipe_fd;
    if (fixture_open(f) != LINLI_OK)
        _exit(1);
    for (unsigned i = 0; i < width; i++) {
        ll_commit_init(&k.slots[i].commit, &f->mem);
        k.slots[i].commit.done = report;
        k.slots[i].commit.user = &k;
        commit_history(&k, &k.slots[i].commit);
    }
    for (;;)
        ll_world_turn(f->world, true);
}

/* Starts a child, kills it after some time; the last number it was told. */
static uint64_t
kill_one(struct fixture *f, unsigned round, uint64_t before)
{
    int pipe_fds[2];
    uint64_t number = 0, last = before;
    T_INT(pipe(pipe_fds), 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        close(pipe_fds[0]);
        commit_for_ever(f, pipe_fds[1], 1 + round % 16);
    }
    close(pipe_fds[1]);
    /* Every fourth one while it opens, the others while they commit. */
    if (round % 4 != 0 &&
        read(pipe_fds[0], &number, sizeof number) == sizeof number)
        T_INT(number, ++last);
    usleep((useconds_t)(100 + (round * 7919) % 9000));
    kill(pid, SIGKILL);
    int status;
    T_INT(waitpid(pid, &status, 0), pid);
    T_OK(WIFSIGNALED(status));
    while (read(pipe_fds[0], &number, sizeof number) == sizeof number)
        T_INT(number, ++last);
    close(pipe_fds[0]);
    return last;
}

T_CASE(killed_a_hundred_times)
{
    struct fixture f;
    uint64_t durable = 0;
    fixture_init(&f, false);
    /* The world is made here and used in the children, one at a time. */
    ll_world_free(&f.world);
    for (unsigned round = 0; round < 100; round++) {
        T_INT(ll_world_new(&f.mem, &f.world, &f.err), LINLI_OK);
        uint64_t told = kill_one(&f, round, durable);
        T_INT(fixture_open(&f), LINLI_OK);
        durable = ll_store_durable(f.store);
        T_OK(durable >= told);
        if (round % 5 == 0)
            check_history(&f);
        ll_store_close(&f.store);
        ll_world_free(&f.world);
        if (durable > 50000)
            break;
    }
    printf("# %llu commits\n", (unsigned long long)durable);
    T_INT(ll_world_new(&f.mem, &f.world, &f.err), LINLI_OK);
    T_INT(fixture_open(&f), LINLI_OK);
    check_history(&f);
    T_OK(durable > 100);
    fixture_fini(&f);
}

/* -- power that is cut -- */

/* Puts back what was synced: what a disk holds that keeps its word. */
static void
cut_power(struct fixture *f)
{
    if (ll_file_there(f->dir_fd, "linli.db.synced"))
        T_INT(renameat(f->dir_fd, "linli.db.synced", f->dir_fd, "linli.db"), 0);
    (void)unlinkat(f->dir_fd, "linli.db-wal", 0);
    (void)unlinkat(f->dir_fd, "linli.db-shm", 0);
    (void)renameat(f->dir_fd, "linli.db-wal.synced", f->dir_fd, "linli.db-wal");
    (void)unlinkat(f->dir_fd, "linli.db.syncing", 0);
    (void)unlinkat(f->dir_fd, "linli.db-wal.syncing", 0);
}

T_CASE(power_is_cut_thirty_times)
{
    struct fixture f;
    uint64_t durable = 0;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    ll_store_close(&f.store);
    atomic_store(&shim.keep_synced, true);
    ll_world_free(&f.world);
    for (unsigned round = 0; round < 30; round++) {
        T_INT(ll_world_new(&f.mem, &f.world, &f.err), LINLI_OK);
        uint64_t told = kill_one(&f, round * 3, durable);
        cut_power(&f);
        T_INT(fixture_open(&f), LINLI_OK);
        durable = ll_store_durable(f.store);
        T_OK(durable >= told);
        check_history(&f);
        ll_store_close(&f.store);
        cut_power(&f);
        ll_world_free(&f.world);
    }
    printf("# %llu commits\n", (unsigned long long)durable);
    atomic_store(&shim.keep_synced, false);
    T_INT(ll_world_new(&f.mem, &f.world, &f.err), LINLI_OK);
    T_INT(fixture_open(&f), LINLI_OK);
    check_history(&f);
    T_OK(durable > 30);
    fixture_fini(&f);
}

/* -- the log -- */

static int64_t
log_bytes(struct fixture *f)
{
    struct stat st;
    return fstatat(f->dir_fd, "linli.db-wal", &st, 0) == 0 ? st.st_size : 0;
}

/* Writes documents of 200 KB without a pause; the longest the log was. */
static int64_t
write_much(struct fixture *f, int commits)
{
    static struct change changes[8];
    static char body[200000];
    int64_t most = 0;
    for (int i = 0; i < 8; i++) {
        change_init(&changes[i], f);
        changes[i].done = true;
    }
    for (int n = 0; n < commits; n++) {
        struct change *c = &changes[n % 8];
        char id[16];
        fixture_wait(f, &c->done);
        c->done = false;
        ll_buf_clear(&c->commit.ops);
        snprintf(id, sizeof id, "%d", n % 50);
        /* Another text: SQLite writes no page that stays as it was. */
        memset(body, 'a' + n / 50 % 26, sizeof body - 1);
        put_doc(&c->commit, id, n, "", body);
        (void)ll_store_commit(f->store, &c->commit);
        most = log_bytes(f) > most ? log_bytes(f) : most;
    }
    for (int i = 0; i < 8; i++) {
        fixture_wait(f, &changes[i].done);
        T_OK(changes[i].durable);
        ll_commit_fini(&changes[i].commit);
    }
    printf("# the log had %lld MiB at most\n", (long long)(most >> 20));
    return most;
}

#define LOG_BYTES_MAX ((int64_t)LL_STORE_WAL_FRAMES_MAX * 4096)

/* How many of the log's bytes are not zero. */
static int64_t
log_used(struct fixture *f)
{
    static unsigned char bytes[65536];
    int64_t used = 0;
    int fd = openat(f->dir_fd, "linli.db-wal", O_RDONLY | O_CLOEXEC);
    for (ssize_t n; fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            used += bytes[i] != 0;
    if (fd >= 0)
        (void)close(fd);
    return used;
}

/* Waits until the log is empty. */
static void
wait_for_empty(struct fixture *f)
{
    for (int i = 0; i < 300 && log_used(f) > 0; i++)
        usleep((LL_STORE_IDLE_MS + 1000) * 10);
    T_INT(log_used(f), 0);
}

/* Folded in beside the writer it begins anew by itself now and then; left
 * alone it is overwritten where it is, so that what comes next need not make
 * it grow, and no longer than so. */
T_CASE(the_log_is_kept_short)
{
    struct fixture f;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    T_OK(write_much(&f, 600) < LOG_BYTES_MAX * 3 / 2);
    wait_for_empty(&f);
    int64_t kept = log_bytes(&f);
    T_OK(kept > ll_wal_bytes(LL_STORE_WAL_FRAMES) / 2);
    T_OK(kept <= ll_wal_bytes(LL_STORE_WAL_FRAMES_KEPT));
    (void)write_much(&f, 8);
    T_OK(log_used(&f) > 100000);
    T_INT(log_bytes(&f), kept);
    wait_for_empty(&f);
    T_INT(f.failures, 0);
    fixture_fini(&f);
}

/* Power is cut at each sync of that: what was folded in stays, and nothing
 * older comes over it. */
T_CASE(power_is_cut_while_the_log_is_overwritten)
{
    struct fixture f;
    struct change c;
    int64_t made = 0;
    int cuts = 0;
    fixture_init(&f, false);
    change_init(&c, &f);
    for (int at = 1; at <= 6; at++) {
        f.failures = 0;
        T_INT(fixture_open(&f), LINLI_OK);
        for (int i = 0; i < 30 * at; i++) {
            put_history(&c.commit, ++made);
            atomic_store(&shim.keep_synced, i == 30 * at - 1);
            T_OK(change_make(&c, &f));
        }
        shim_arm(SHIM_SYNC, at, SQLITE_IOERR_FSYNC, true);
        for (int i = 0; i < 300 && f.failures == 0 && log_used(&f) > 0; i++) {
            usleep((LL_STORE_IDLE_MS + 1000) * 10);
            ll_world_turn(f.world, false);
        }
        cuts += atomic_load(&shim.failed) > 0;
        shim_disarm();
        /* What is written now, nobody has on a disk. */
        atomic_store(&shim.keep_synced, false);
        ll_store_close(&f.store);
        cut_power(&f);
        T_INT(fixture_open(&f), LINLI_OK);
        T_INT(ll_store_durable(f.store), made);
        check_history(&f);
        ll_store_close(&f.store);
    }
    T_OK(cuts >= 3);
    ll_commit_fini(&c.commit);
    T_INT(fixture_open(&f), LINLI_OK);
    fixture_fini(&f);
}

/* On a slow disk it never would: then the writer waits. */
T_CASE(the_log_has_a_bound)
{
    struct fixture f;
    fixture_init(&f, false);
    T_INT(fixture_open(&f), LINLI_OK);
    atomic_store(&shim.sync_us, 300000);
    int64_t most = write_much(&f, 700);
    atomic_store(&shim.sync_us, 0);
    T_OK(most >= LOG_BYTES_MAX);
    T_OK(most < LOG_BYTES_MAX * 3 / 2);
    T_INT(f.failures, 0);
    fixture_fini(&f);
}

int
main(void)
{
    shim_install();
    T_RUN(every_write_can_find_a_full_disk)
    T_RUN(every_write_can_fail_once)
    T_RUN(every_sync_can_fail_once)
    T_RUN(every_sync_can_fail_from_then_on)
    T_RUN(a_query_can_fail_alone)
    T_RUN(a_queue_fails_whole)
    T_RUN(a_file_that_may_not_grow)
    T_RUN(killed_a_hundred_times)
    T_RUN(power_is_cut_thirty_times)
    T_RUN(the_log_is_kept_short)
    T_RUN(power_is_cut_while_the_log_is_overwritten)
    T_RUN(the_log_has_a_bound)
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
