/* data/series.c: what is counted in a space. [loop] */
#include "data/series.h"

#include "base/text.h"

struct ll_series {
    struct ll_series *next;
    uint32_t id;
    linli_str meter;
};

static struct ll_series *
series_make(struct ll_space *space, uint32_t id, linli_str meter)
{
    struct ll_docs *docs = space->docs;
    struct ll_arena *arena = ll_docs_arena(docs);
    struct ll_series *series = ll_arena_alloc(arena, sizeof *series);
    if (series == NULL)
        return NULL;
    series->id = id;
    series->meter = ll_arena_str(arena, meter);
    if (arena->failed)
        return NULL;
    series->next = space->series;
    space->series = series;
    if (id > docs->last_series)
        docs->last_series = id;
    return series;
}

linli_status
ll_series_known(struct ll_space *space, int64_t id, linli_str meter)
{
    return series_make(space, (uint32_t)id, meter) == NULL ? LINLI_E_NOMEM
                                                           : LINLI_OK;
}

uint32_t
ll_series(struct ll_space *space, linli_str meter)
{
    struct ll_docs *docs = space->docs;
    struct ll_series *series = space->series;
    while (series != NULL && !ll_str_eq(series->meter, meter))
        series = series->next;
    if (series != NULL)
        return series->id;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return 0;
    ll_commit_op(commit, LL_ST_series_put);
    ll_put_int(&commit->ops, docs->last_series + 1);
    ll_put_int(&commit->ops, space->id);
    ll_put_bytes(&commit->ops, meter);
    if (!commit->ops.failed)
        series = series_make(space, (uint32_t)docs->last_series + 1, meter);
    if (series == NULL) {
        ll_docs_commit_free(docs, commit);
        return 0;
    }
    (void)ll_docs_commit_send(docs, commit);
    return series->id;
}
