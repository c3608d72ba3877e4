/* data/series.c: what is counted in a space. [loop] */
#include "data/series.h"

#include "base/text.h"

/* Chains of a space that counts something. */
#define LL_SERIES_CHAINS 1024

struct ll_series {
    struct ll_series *next;
    uint32_t id;
    struct ll_counted counted;
};

static bool
is_same(const struct ll_counted *a, const struct ll_counted *b)
{
    return a->subscription == b->subscription && a->version == b->version &&
           ll_str_eq(a->meter, b->meter);
}

static uint32_t
chain_of(const struct ll_counted *counted)
{
    uint32_t mixed = (counted->subscription * 31 + counted->version) * 31 +
                     (uint32_t)counted->meter.len;
    return mixed % LL_SERIES_CHAINS;
}

static struct ll_series *
series_make(
    struct ll_space *space, uint32_t id, const struct ll_counted *counted)
{
    struct ll_docs *docs = space->docs;
    struct ll_arena *arena = ll_docs_arena(docs);
    if (space->series == NULL)
        space->series =
            ll_arena_alloc(arena, LL_SERIES_CHAINS * sizeof *space->series);
    struct ll_series *series = ll_arena_alloc(arena, sizeof *series);
    if (series == NULL || space->series == NULL)
        return NULL;
    series->id = id;
    series->counted = *counted;
    series->counted.meter = ll_arena_str(arena, counted->meter);
    if (arena->failed)
        return NULL;
    struct ll_series **head = &space->series[chain_of(counted)];
    series->next = *head;
    *head = series;
    if (id > docs->last_series)
        docs->last_series = id;
    return series;
}

linli_status
ll_series_known(
    struct ll_space *space, int64_t id, const struct ll_counted *counted)
{
    return series_make(space, (uint32_t)id, counted) == NULL ? LINLI_E_NOMEM
                                                             : LINLI_OK;
}

static const struct ll_series *
find(const struct ll_space *space, const struct ll_counted *counted)
{
    const struct ll_series *series =
        space->series == NULL ? NULL : space->series[chain_of(counted)];
    while (series != NULL && !is_same(&series->counted, counted))
        series = series->next;
    return series;
}

uint32_t
ll_series(struct ll_space *space, const struct ll_counted *counted)
{
    struct ll_docs *docs = space->docs;
    const struct ll_series *series = find(space, counted);
    if (series != NULL)
        return series->id;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return 0;
    ll_commit_op(commit, LL_ST_series_put);
    ll_put_int(&commit->ops, docs->last_series + 1);
    ll_put_int(&commit->ops, space->id);
    ll_put_bytes(&commit->ops, counted->meter);
    ll_put_int(&commit->ops, counted->subscription);
    ll_put_int(&commit->ops, counted->version);
    if (!commit->ops.failed)
        series = series_make(space, (uint32_t)docs->last_series + 1, counted);
    if (series == NULL) {
        ll_docs_commit_free(docs, commit);
        return 0;
    }
    (void)ll_docs_commit_send(docs, commit);
    return series->id;
}
