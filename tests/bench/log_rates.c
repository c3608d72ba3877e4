/* tests/bench/log_rates.c: what leaves of the log cost.
 *
 *   log_rates FOLDER LEAVES [BATCH [START]]
 *
 * Writes so many leaves (access leaves, as a plugin's reads leave them) into
 * the store in FOLDER, BATCH of them a commit, waits for each commit, and
 * prints one line of JSON (START: makes other leaves than another one): leaves
 * and commits a second, the CPU time of a leaf with that of an empty commit
 * taken off, and what a proof takes. tests/faults/test_log.py makes its logs
 * with it; with `-` for LEAVES they are the lines of stdin.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "domain/leaf.h"
#include "domain/merkle.h"
#include "store/store.h"

#define PROOFS 2000

struct run {
    struct ll_mem mem;
    struct ll_world *world;
    struct ll_store *store;
    struct ll_commit commit;
    bool done;
    uint64_t leaf;
};

static int64_t
cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
give_up(void *user, const struct ll_err *err)
{
    (void)user;
    fprintf(stderr, "%s: %s %s\n", err->code, err->where, err->msg);
    exit(1);
}

static void
on_done(struct ll_commit *commit, bool durable)
{
    struct run *r = commit->user;
    r->done = durable;
}

static void
put_leaf(struct run *r)
{
    char tag[33], call[33];
    struct ll_buf line;
    snprintf(tag, sizeof tag, "%032llx", (unsigned long long)(r->leaf % 997));
    snprintf(call, sizeof call, "%032llx", (unsigned long long)r->leaf);
    struct ll_leaf leaf = {.type = LL_LEAF_ACCESS,
        .at_ms = 1772413200000 + (int64_t)r->leaf,
        .community = LINLI_STR("maple"),
        .actor = LINLI_STR("system"),
        .subject = ll_cstr(tag),
        .plugin = LINLI_STR("parking"),
        .purpose = LINLI_STR("service"),
        .fields_json = LINLI_STR("[\"plate\"]"),
        .basis = LINLI_STR("contract"),
        .version = 1,
        .result = LINLI_STR("allow"),
        .call = ll_cstr(call)};
    ll_buf_init(&line, &r->mem, LL_LEAF_BYTES_MAX);
    ll_leaf_put(&line, &leaf);
    ll_commit_leaf(&r->commit, ll_buf_view(&line));
    ll_buf_fini(&line);
    r->leaf++;
}

/* So many commits of so many leaves; the CPU time of it all. */
static int64_t
write_all(struct run *r, uint64_t commits, uint64_t batch)
{
    int64_t before = cpu_ns();
    for (uint64_t i = 0; i < commits; i++) {
        ll_buf_clear(&r->commit.ops);
        for (uint64_t j = 0; j < batch; j++)
            put_leaf(r);
        if (batch == 0)
            ll_commit_size(&r->commit, 1, 0, 0);
        r->done = false;
        (void)ll_store_commit(r->store, &r->commit);
        while (!r->done)
            ll_world_turn(r->world, true);
    }
    return cpu_ns() - before;
}

/* -- proofs, over hashes in memory as tiles have them -- */

struct hashes {
    struct ll_hash *levels[LL_MERKLE_LEVELS];
};

static bool
get_node(void *user, unsigned level, uint64_t index, struct ll_hash *out)
{
    *out = ((struct hashes *)user)->levels[level][index];
    return true;
}

static double
proof_us(uint64_t leaves)
{
    struct hashes h = {{NULL}};
    struct ll_proof proof;
    struct ll_merkle_nodes nodes = {get_node, &h};
    for (unsigned level = 0; leaves >> level > 0; level++) {
        uint64_t n = leaves >> level;
        h.levels[level] = calloc(n, sizeof(struct ll_hash));
        for (uint64_t i = 0; i < n; i++)
            if (level == 0)
                ll_merkle_leaf(
                    (linli_str){(const char *)&i, sizeof i}, &h.levels[0][i]);
            else
                ll_merkle_node(&h.levels[level - 1][2 * i],
                    &h.levels[level - 1][2 * i + 1], &h.levels[level][i]);
    }
    int64_t before = cpu_ns();
    for (uint64_t i = 0; i < PROOFS; i++)
        if (!ll_merkle_prove(&nodes, i * 7919 % leaves, leaves, &proof))
            exit(1);
    double us = (double)(cpu_ns() - before) / 1000 / PROOFS;
    for (unsigned level = 0; level < LL_MERKLE_LEVELS; level++)
        free(h.levels[level]);
    return us;
}

/* Leaves as they are given, in one commit. */
static void
write_stdin(struct run *r)
{
    char *line = NULL;
    size_t room = 0;
    for (ssize_t n; (n = getline(&line, &room, stdin)) > 1;)
        ll_commit_leaf(&r->commit, (linli_str){line, (size_t)n - 1});
    free(line);
    (void)ll_store_commit(r->store, &r->commit);
    while (!r->done)
        ll_world_turn(r->world, true);
}

static void
close_store(struct run *r)
{
    ll_commit_fini(&r->commit);
    ll_store_close(&r->store);
    ll_world_free(&r->world);
}

static void
open_store(struct run *r, const char *dir)
{
    struct ll_err err;
    ll_mem_init(&r->mem, 0);
    if (ll_world_new(&r->mem, &r->world, &err) != LINLI_OK)
        give_up(NULL, &err);
    struct ll_store_options options = {.mem = &r->mem,
        .world = r->world,
        .dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        .dir = dir,
        .readers = 1,
        .log_origin = LINLI_STR("maple.example/log"),
        .failed = give_up};
    if (ll_store_open(&options, &r->store, &err) != LINLI_OK)
        give_up(NULL, &err);
    ll_commit_init(&r->commit, &r->mem);
    r->commit.done = on_done;
    r->commit.user = r;
}

int
main(int argc, char **argv)
{
    struct run r = {.leaf = 0};
    if (argc == 3 && strcmp(argv[2], "-") == 0) {
        open_store(&r, argv[1]);
        write_stdin(&r);
        close_store(&r);
        return 0;
    }
    uint64_t leaves = argc < 3 ? 0 : strtoull(argv[2], NULL, 10);
    uint64_t batch = argc < 4 ? 100 : strtoull(argv[3], NULL, 10);
    r.leaf = argc < 5 ? 0 : strtoull(argv[4], NULL, 10);
    if (leaves == 0 || batch == 0 || batch > leaves) {
        fprintf(stderr, "log_rates FOLDER LEAVES [BATCH]\n");
        return 2;
    }
    open_store(&r, argv[1]);
    uint64_t commits = leaves / batch;
    int64_t empty = write_all(&r, commits, 0);
    int64_t from = ll_mono_now().ns;
    int64_t cpu = write_all(&r, commits, batch);
    if (leaves % batch > 0)
        (void)write_all(&r, 1, leaves % batch);
    double s = (double)(ll_mono_now().ns - from) / 1e9;
    close_store(&r);
    printf("{\"leaves\":%llu,\"batch\":%llu,\"leaves_per_s\":%.0f,"
           "\"commits_per_s\":%.0f,\"leaf_cpu_us\":%.2f,\"proof_us\":%.2f}\n",
        (unsigned long long)leaves, (unsigned long long)batch,
        (double)leaves / s, (double)commits / s,
        (double)(cpu - empty) / 1000 / (double)(commits * batch),
        proof_us(leaves));
    return 0;
}
