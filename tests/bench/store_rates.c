/* tests/bench/store_rates.c: commits and queries a second, by how many are
 * under way at once.
 *
 *   store_rates [FOLDER] [SECONDS]
 *
 * A commit is what a small billable call leaves: a document of 200 bytes
 * about a subject, its index entry, a usage record, the sizes. Without a
 * folder the store is in memory. Figures are for comparing changes on one
 * machine; nothing depends on them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "store/store.h"

struct run;
struct slot {
    struct run *run;
    struct ll_commit commit;
    struct ll_query query;
    uint64_t n;
};

struct run {
    struct ll_mem mem;
    struct ll_world *world;
    struct ll_store *store;
    uint64_t done, next, open;
    int64_t until_ns;
};

static int64_t
cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
on_failed(void *user, const struct ll_err *err)
{
    (void)user;
    fprintf(stderr, "%s: %s\n", err->code, err->msg);
    exit(1);
}

static void
commit_next(struct slot *s)
{
    static const char body[] =
        "{\"id\":\"0123456789\",\"state\":\"paid\",\"from\":1767225600000,"
        "\"to\":1767229200000,\"plate\":\"A12345\",\"space_id\":\"b1-204\","
        "\"resident\":\"0123456789abcdef0123456789abcdef\",\"fen\":1500}";
    struct ll_buf *ops = &s->commit.ops;
    char id[32], pid[40];
    s->n = s->run->next++;
    snprintf(id, sizeof id, "%016llx", (unsigned long long)s->n);
    snprintf(pid, sizeof pid, "%032llx", (unsigned long long)(s->n % 1000));
    ll_buf_clear(ops);
    ll_commit_op(&s->commit, LL_ST_doc_put);
    ll_put_int(ops, 1);
    ll_put_bytes(ops, ll_cstr(id));
    ll_put_int(ops, (int64_t)s->n);
    ll_put_nil(ops);
    ll_put_bytes(ops, ll_cstr(pid));
    ll_put_sealed(ops, 1, ll_cstr(pid), ll_cstr(body));
    ll_commit_op(&s->commit, LL_ST_entry_put);
    ll_put_int(ops, 20);
    ll_put_bytes(ops, ll_cstr(pid));
    ll_put_bytes(ops, ll_cstr(id));
    struct ll_usage usage = {.call_low = s->n,
        .at_ms = (int64_t)s->n,
        .quantity = LL_USAGE_UNIT,
        .series = 1};
    ll_commit_usage(&s->commit, &usage);
    ll_commit_size(&s->commit, 1, 1, 200);
    s->run->open++;
    ll_store_commit(s->run->store, &s->commit);
}

static void
on_commit(struct ll_commit *commit, bool durable)
{
    struct slot *s = commit->user;
    (void)durable;
    s->run->done++;
    s->run->open--;
    if (ll_mono_now().ns < s->run->until_ns)
        commit_next(s);
}

static void
query_next(struct slot *s)
{
    char id[32];
    s->n = s->n * 6364136223846793005u + 1442695040888963407u;
    snprintf(id, sizeof id, "%016llx",
        (unsigned long long)((s->n >> 33) % s->run->next));
    ll_buf_clear(&s->query.params);
    ll_put_int(&s->query.params, 1);
    ll_put_bytes(&s->query.params, ll_cstr(id));
    s->run->open++;
    ll_store_query(s->run->store, &s->query);
}

static void
on_query(struct ll_query *query)
{
    struct slot *s = query->user;
    if (query->row_count != 1)
        exit(1);
    s->run->done++;
    s->run->open--;
    if (ll_mono_now().ns < s->run->until_ns)
        query_next(s);
}

static void
measure(struct run *run, const char *what, void (*next)(struct slot *),
    int window, double seconds)
{
    struct slot *slots = calloc((size_t)window, sizeof *slots);
    int64_t began = ll_mono_now().ns, cpu = cpu_ns();
    run->done = 0;
    run->until_ns = began + (int64_t)(seconds * 1e9);
    for (int i = 0; i < window; i++) {
        struct slot *s = &slots[i];
        s->run = run;
        s->n = (uint64_t)i * 977 + 1;
        ll_commit_init(&s->commit, &run->mem);
        ll_query_init(&s->query, &run->mem, LL_ST_doc_get);
        s->commit.done = on_commit;
        s->query.done = on_query;
        s->commit.user = s->query.user = s;
        next(s);
    }
    while (run->open > 0)
        ll_world_turn(run->world, true);
    double took = (double)(ll_mono_now().ns - began) / 1e9;
    printf("%-8s %5d at once %9.0f a second %6.2f us of CPU each\n", what,
        window, (double)run->done / took,
        (double)(cpu_ns() - cpu) / 1e3 / (double)run->done);
    fflush(stdout);
    for (int i = 0; i < window; i++) {
        ll_commit_fini(&slots[i].commit);
        ll_query_fini(&slots[i].query);
    }
    free(slots);
}

int
main(int argc, char **argv)
{
    static const int windows[] = {1, 8, 64, 1024};
    struct run run = {0};
    struct ll_err err = {0};
    double seconds = argc > 2 ? atof(argv[2]) : 2;
    ll_mem_init(&run.mem, 0);
    struct ll_store_options options = {.mem = &run.mem,
        .dir_fd = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1,
        .dir = argc > 1 ? argv[1] : NULL,
        .readers = 2,
        .failed = on_failed};
    if (ll_world_new(&run.mem, &run.world, &err) != LINLI_OK)
        return 1;
    options.world = run.world;
    if (ll_store_open(&options, &run.store, &err) != LINLI_OK) {
        fprintf(stderr, "%s: %s: %s\n", err.where, err.code, err.msg);
        return 1;
    }
    for (size_t i = 0; i < LL_COUNT(windows); i++)
        measure(&run, "commits", commit_next, windows[i], seconds);
    for (size_t i = 0; i < LL_COUNT(windows); i++)
        measure(&run, "queries", query_next, windows[i], seconds);
    ll_store_close(&run.store);
    ll_world_free(&run.world);
    return 0;
}
