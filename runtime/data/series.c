/* data/series.c: what is counted in a space. [loop]
 *
 * One table holds all series of all spaces: it grows with them, for every
 * subscription has its own. Meters have few names, which are kept once.
 */
#include "data/series.h"

#include "base/text.h"

#define SERIES_CAP_FIRST 1024
#define NUMBERS_FIRST 1024

struct ll_counter {
    struct ll_counter *next; /* of the space, */
    const struct ll_space *space;
    linli_str name;
    uint32_t id; /* among all: mixed into the hash */
};

struct ll_series {
    struct ll_series *next; /* of the chain */
    const struct ll_counter *meter;
    uint32_t id, subscription, version;
};

static uint32_t
chain_of(const struct ll_series *series, uint32_t cap)
{
    uint64_t mixed = series->meter->id * UINT64_C(0x9e3779b97f4a7c15) ^
                     series->subscription * UINT64_C(0xc2b2ae3d27d4eb4f) ^
                     series->version * UINT64_C(0x165667b19e3779f9);
    return (uint32_t)(mixed >> 32 ^ mixed) & (cap - 1);
}

static void
drop_table(struct ll_docs *docs)
{
    if (docs->series != NULL)
        ll_release(
            docs->mem, docs->series, docs->series_cap * sizeof *docs->series);
    docs->series = NULL;
    docs->series_cap = 0;
}

/* Twice as many chains; without memory they become longer. */
static void
grow(struct ll_docs *docs)
{
    uint32_t cap =
        docs->series_cap == 0 ? SERIES_CAP_FIRST : 2 * docs->series_cap;
    struct ll_series **table = ll_alloc(docs->mem, cap * sizeof *table);
    if (table == NULL)
        return;
    memset(table, 0, cap * sizeof *table);
    for (uint32_t i = 0; i < docs->series_cap; i++)
        for (struct ll_series *s = docs->series[i], *next; s != NULL;
             s = next) {
            struct ll_series **head = &table[chain_of(s, cap)];
            next = s->next;
            s->next = *head;
            *head = s;
        }
    drop_table(docs);
    docs->series = table;
    docs->series_cap = cap;
}

void
ll_series_close(struct ll_docs *docs)
{
    drop_table(docs);
    if (docs->numbers != NULL)
        ll_release(docs->mem, docs->numbers,
            docs->numbers_cap * sizeof *docs->numbers);
    docs->numbers = NULL;
    docs->numbers_cap = 0;
}

/* Room for a number in the list of all; false without memory. */
static bool
make_room(struct ll_docs *docs, uint32_t id)
{
    uint32_t cap = docs->numbers_cap == 0 ? NUMBERS_FIRST : docs->numbers_cap;
    if (id < docs->numbers_cap)
        return true;
    while (cap <= id && cap <= UINT32_MAX / 2)
        cap *= 2;
    if (cap <= id)
        return false;
    struct ll_series **more = ll_realloc(docs->mem, docs->numbers,
        docs->numbers_cap * sizeof *more, cap * sizeof *more);
    if (more == NULL)
        return false;
    memset(
        more + docs->numbers_cap, 0, (cap - docs->numbers_cap) * sizeof *more);
    docs->numbers = more;
    docs->numbers_cap = cap;
    return true;
}

const struct ll_space *
ll_series_of(
    const struct ll_docs *docs, uint32_t id, struct ll_counted *counted)
{
    const struct ll_series *series =
        id < docs->numbers_cap ? docs->numbers[id] : NULL;
    *counted = (struct ll_counted){.meter = {NULL, 0}};
    if (series == NULL)
        return NULL;
    *counted = (struct ll_counted){.meter = series->meter->name,
        .subscription = series->subscription,
        .version = series->version};
    return series->meter->space;
}

static const struct ll_counter *
find_meter(const struct ll_space *space, linli_str name)
{
    const struct ll_counter *meter = space->meters;
    while (meter != NULL && !ll_str_eq(meter->name, name))
        meter = meter->next;
    return meter;
}

static const struct ll_counter *
make_meter(struct ll_space *space, linli_str name)
{
    struct ll_arena *arena = ll_docs_arena(space->docs);
    struct ll_counter *meter = ll_arena_alloc(arena, sizeof *meter);
    linli_str copy = ll_arena_str(arena, name);
    if (meter == NULL || copy.ptr == NULL)
        return NULL;
    *meter = (struct ll_counter){.next = space->meters,
        .space = space,
        .name = copy,
        .id = ++space->docs->last_meter};
    space->meters = meter;
    return meter;
}

static struct ll_series *
series_make(
    struct ll_space *space, uint32_t id, const struct ll_counted *counted)
{
    struct ll_docs *docs = space->docs;
    const struct ll_counter *meter = find_meter(space, counted->meter);
    if (meter == NULL)
        meter = make_meter(space, counted->meter);
    if (docs->series_count >= docs->series_cap)
        grow(docs);
    if (meter == NULL || docs->series == NULL || !make_room(docs, id))
        return NULL;
    struct ll_series *series =
        ll_arena_alloc(ll_docs_arena(docs), sizeof *series);
    if (series == NULL)
        return NULL;
    *series = (struct ll_series){.meter = meter,
        .id = id,
        .subscription = counted->subscription,
        .version = counted->version};
    struct ll_series **head = &docs->series[chain_of(series, docs->series_cap)];
    series->next = *head;
    *head = series;
    docs->numbers[id] = series;
    docs->series_count++;
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

uint32_t
ll_series_find(const struct ll_space *space, const struct ll_counted *counted)
{
    const struct ll_docs *docs = space->docs;
    struct ll_series key = {.meter = find_meter(space, counted->meter),
        .subscription = counted->subscription,
        .version = counted->version};
    if (key.meter == NULL || docs->series == NULL)
        return 0;
    const struct ll_series *s = docs->series[chain_of(&key, docs->series_cap)];
    while (s != NULL &&
           (s->meter != key.meter || s->subscription != key.subscription ||
               s->version != key.version))
        s = s->next;
    return s == NULL ? 0 : s->id;
}

uint32_t
ll_series(struct ll_space *space, const struct ll_counted *counted)
{
    struct ll_docs *docs = space->docs;
    uint32_t id = ll_series_find(space, counted);
    if (id != 0 || docs->last_series >= UINT32_MAX)
        return id;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return 0;
    ll_commit_op(commit, LL_ST_series_put);
    ll_put_int(&commit->ops, docs->last_series + 1);
    ll_put_int(&commit->ops, space->id);
    ll_put_bytes(&commit->ops, counted->meter);
    ll_put_int(&commit->ops, counted->subscription);
    ll_put_int(&commit->ops, counted->version);
    const struct ll_series *series = NULL;
    if (!commit->ops.failed)
        series = series_make(space, (uint32_t)docs->last_series + 1, counted);
    if (series == NULL) {
        ll_docs_commit_free(docs, commit);
        return 0;
    }
    (void)ll_docs_commit_send(docs, commit);
    return series->id;
}
