/* tests/unit/test_reconcile.c: usage that does not add up is found, and the
 * place of it named; over a real store, also while it is written. */
#include <sqlite3.h>

#include "host/host.h"
#include "host/reconcile.h"
#include "store_fixture.h"

#define SLOT INT64_C(900000)
#define SERIES 3

struct bench {
    struct fixture f;
    struct ll_host *host;
    struct change change;
    struct ll_reconcile *reconcile;
    struct ll_reconciled found;
    struct ll_err err;
    int done, failed;
};

static void
bench_init(struct bench *b, bool memory)
{
    memset(b, 0, sizeof *b);
    fixture_init(&b->f, memory);
    T_INT(fixture_open(&b->f), LINLI_OK);
    b->host = calloc(1, sizeof *b->host);
    ll_mem_init(&b->host->mem, 0);
    b->host->world = b->f.world;
    b->host->store = b->f.store;
    change_init(&b->change, &b->f);
}

static void
bench_fini(struct bench *b)
{
    ll_commit_fini(&b->change.commit);
    T_INT(b->host->mem.used_bytes, 0);
    free(b->host);
    fixture_fini(&b->f);
}

static void
on_done(void *user, const struct ll_reconciled *found, const struct ll_err *err)
{
    struct bench *b = user;
    b->done++;
    if (found != NULL) {
        b->found = *found;
    } else {
        b->failed++;
        b->err = *err;
    }
    ll_reconcile_free(&b->reconcile);
}

static void
begin(struct bench *b)
{
    b->done = 0;
    T_INT(ll_reconcile_new(b->host, on_done, b, &b->reconcile, &b->err),
        LINLI_OK);
    T_INT(b->done, 0);
}

/* Whether it is ok, once it is known. */
static bool
reconcile(struct bench *b)
{
    begin(b);
    while (b->done == 0)
        ll_world_turn(b->f.world, true);
    T_INT(b->done, 1);
    T_INT(b->failed, 0);
    return b->found.ok;
}

static void
add(struct bench *b, uint32_t series, int64_t at_ms, int64_t quantity)
{
    struct ll_usage usage = {
        .call_low = 7, .at_ms = at_ms, .quantity = quantity, .series = series};
    ll_commit_usage(&b->change.commit, &usage);
}

/* `count` commits of `each` records over a few series and slots. */
static void
fill(struct bench *b, int count, int each)
{
    for (int i = 0; i < count; i++) {
        for (int n = 0; n < each; n++)
            add(b, (uint32_t)(1 + n % SERIES), (i / 4) * SLOT + n,
                LL_USAGE_UNIT * (n % 5 - 1));
        T_OK(change_make(&b->change, &b->f));
    }
}

T_CASE(what_adds_up_is_ok)
{
    for (int memory = 0; memory < 2; memory++) {
        struct bench b;
        bench_init(&b, memory == 1);
        T_OK(reconcile(&b));
        T_INT(b.found.segments + b.found.records + b.found.buckets, 0);
        fill(&b, 40, 6);
        T_OK(reconcile(&b));
        T_INT(b.found.segments, 40);
        T_INT(b.found.records, 240);
        T_INT(b.found.buckets, 10 * SERIES);
        bench_fini(&b);
    }
}

/* A sum that would leave int64 lies in several buckets. */
T_CASE(sums_in_parts_are_ok)
{
    struct bench b;
    bench_init(&b, true);
    for (int i = 0; i < 6; i++) {
        add(&b, 1, 0, INT64_C(3000000000000000000));
        T_OK(change_make(&b.change, &b.f));
    }
    add(&b, 1, 0, INT64_C(-3000000000000000000));
    T_OK(change_make(&b.change, &b.f));
    T_OK(reconcile(&b));
    T_OK(b.found.buckets > 1);
    T_INT(b.found.records, 7);
    bench_fini(&b);
}

/* More series and slots than its table first has room for. */
T_CASE(many_sums_are_ok)
{
    struct bench b;
    bench_init(&b, true);
    for (int i = 0; i < 5000; i++)
        add(&b, (uint32_t)(i % 50) + 1, i / 50 * SLOT, 1);
    T_OK(change_make(&b.change, &b.f));
    T_OK(reconcile(&b));
    T_INT(b.found.buckets, 5000);
    T_INT(b.found.segments, 1);
    bench_fini(&b);
}

static void
commit_done(struct ll_commit *commit, bool durable)
{
    T_OK(durable);
    ll_commit_fini(commit);
    free(commit);
}

/* Buckets grow and new ones come while it walks. */
T_CASE(what_is_being_written_is_ok)
{
    struct bench b;
    uint64_t made = 0, records = 0;
    bench_init(&b, false);
    fill(&b, 300, 3);
    for (int round = 0; round < 20; round++) {
        begin(&b);
        while (b.done == 0) {
            struct ll_commit *commit = calloc(1, sizeof *commit);
            ll_commit_init(commit, &b.f.mem);
            commit->done = commit_done;
            struct ll_usage usage = {.at_ms = (int64_t)(made / 50) * SLOT,
                .quantity = (int64_t)made,
                .series = (uint32_t)(1 + made % 4)};
            ll_commit_usage(commit, &usage);
            ll_store_commit(b.f.store, commit);
            made++;
            ll_world_turn(b.f.world, true);
        }
        T_OK(b.found.ok);
        if (!b.found.ok)
            printf("# %s, bucket %d, lsn %d\n", b.found.what,
                (int)b.found.bad_bucket, (int)b.found.bad_lsn);
        T_OK(b.found.records >= records);
        records = b.found.records;
    }
    while (ll_store_durable(b.f.store) < ll_store_last(b.f.store))
        ll_world_turn(b.f.world, true);
    printf("# %d commits meanwhile\n", (int)made);
    T_OK(made > 20);
    T_OK(reconcile(&b));
    T_INT(b.found.records, 900 + made);
    bench_fini(&b);
}

/* -- what has been tampered with -- */

static void
sql(struct bench *b, const char *text)
{
    char path[80];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/linli.db", b->f.dir);
    T_INT(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    char *why = NULL;
    T_INT(sqlite3_exec(db, text, NULL, NULL, &why), SQLITE_OK);
    if (why != NULL)
        printf("# %s: %s\n", text, why);
    sqlite3_free(why);
    (void)sqlite3_close(db);
}

static const struct {
    const char *sql, *what;
    bool bucket; /* a bucket is named, else an LSN */
    uint64_t at;
} wrongs[] = {
    {"UPDATE usage_bucket SET quantity = quantity + 1 WHERE id = 5",
        "its quantity", true, 5},
    {"UPDATE usage_bucket SET count = count - 1 WHERE id = 7", "its count",
        true, 7},
    {"UPDATE usage_bucket SET count = count - 1 WHERE id >= 7", "its count",
        true, 7},
    {"UPDATE usage_bucket SET first = first + 1 WHERE id = 2", "its LSNs", true,
        2},
    {"UPDATE usage_bucket SET last = last - 1 WHERE id = 2", "its LSNs", true,
        2},
    /* It claims what nobody has written. */
    {"UPDATE usage_bucket SET last = 100000 WHERE id = 2", "its LSNs", true, 2},
    {"UPDATE usage_bucket SET series = 9 WHERE id = 1", "its LSNs", true, 1},
    {"INSERT INTO usage_bucket VALUES(99, 9, 0, 0, 0, 1, 1, 1)", "its LSNs",
        true, 99},
    {"DELETE FROM usage_bucket WHERE id = 1", "a record is in no bucket", false,
        1},
    {"UPDATE usage_segment SET content = zeroblob(length(content)) "
     "WHERE first = 19",
        "its hash", false, 19},
    {"UPDATE usage_segment SET hash = zeroblob(32) WHERE first = 19",
        "its hash", false, 19},
    {"UPDATE usage_segment SET hash = x'00' WHERE first = 1", "its hash", false,
        1},
    {"DELETE FROM usage_segment WHERE first = 19", "LSNs are missing", false,
        25},
    {"DELETE FROM usage_segment WHERE first = 1", "LSNs are missing", false, 7},
    {"UPDATE usage_segment SET last = last + 1 WHERE first = 235",
        "it has not as many", false, 235},
    {"UPDATE usage_segment SET count = 5 WHERE first = 7", "it has not as many",
        false, 7},
    {"UPDATE usage_segment SET content = x'' WHERE first = 7",
        "it has not as many", false, 7},
    /* The end of the chain is cut off: the buckets remember it. */
    {"DELETE FROM usage_segment WHERE first = 235", "its LSNs", true, 28},
    {"DELETE FROM usage_segment", "its LSNs", true, 1},
};

static void
check_wrong(struct bench *b, size_t i)
{
    sql(b, wrongs[i].sql);
    T_OK(!reconcile(b));
    if (b->found.ok) {
        printf("# not found: %s\n", wrongs[i].sql);
        return;
    }
    bool as_said =
        strstr(b->found.what, wrongs[i].what) != NULL &&
        b->found.bad_bucket == (wrongs[i].bucket ? wrongs[i].at : 0) &&
        b->found.bad_lsn == (wrongs[i].bucket ? 0 : wrongs[i].at);
    T_OK(as_said);
    if (!as_said)
        printf("# %s: %s, bucket %d, lsn %d\n", wrongs[i].sql, b->found.what,
            (int)b->found.bad_bucket, (int)b->found.bad_lsn);
}

T_CASE(what_was_changed_is_found)
{
    struct bench b;
    bench_init(&b, false);
    fill(&b, 40, 6);
    sql(&b, "CREATE TABLE keep_b AS SELECT * FROM usage_bucket;"
            "CREATE TABLE keep_s AS SELECT * FROM usage_segment");
    for (size_t i = 0; i < LL_COUNT(wrongs); i++) {
        check_wrong(&b, i);
        sql(&b, "BEGIN IMMEDIATE;"
                "DELETE FROM usage_bucket; DELETE FROM usage_segment;"
                "INSERT INTO usage_bucket SELECT * FROM keep_b;"
                "INSERT INTO usage_segment SELECT * FROM keep_s; COMMIT");
        T_OK(reconcile(&b));
    }
    bench_fini(&b);
}

T_CASE(it_can_be_given_up)
{
    struct bench b;
    bench_init(&b, true);
    fill(&b, 4, 6);
    begin(&b);
    ll_reconcile_free(&b.reconcile);
    T_OK(b.reconcile == NULL);
    T_INT(b.host->mem.used_bytes, 0);
    begin(&b);
    ll_world_turn(b.f.world, true);
    ll_reconcile_free(&b.reconcile);
    T_INT(b.host->mem.used_bytes, 0);
    bench_fini(&b);
}

T_CASE(each_allocation_may_fail)
{
    struct bench b;
    int failures = 0;
    bench_init(&b, true);
    fill(&b, 4, 6);
    for (uint64_t n = 1; n < 100; n++) {
        b.done = b.failed = 0;
        b.host->mem.fail_in = n;
        if (ll_reconcile_new(b.host, on_done, &b, &b.reconcile, &b.err) !=
            LINLI_OK) {
            T_STR(ll_cstr(b.err.code), "runtime/memory");
            failures++;
            continue;
        }
        while (b.done == 0)
            ll_world_turn(b.f.world, true);
        if (b.failed == 0) {
            T_OK(b.found.ok);
            break;
        }
        T_STR(ll_cstr(b.err.code), "runtime/memory");
        failures++;
    }
    b.host->mem.fail_in = 0;
    printf("# %d allocations failed\n", failures);
    T_OK(failures > 2 && failures < 99);
    bench_fini(&b);
}

T_MAIN(T_RUN(what_adds_up_is_ok) T_RUN(sums_in_parts_are_ok)
        T_RUN(many_sums_are_ok) T_RUN(what_is_being_written_is_ok)
            T_RUN(what_was_changed_is_found) T_RUN(it_can_be_given_up)
                T_RUN(each_allocation_may_fail))
