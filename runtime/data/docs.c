/* data/docs.c: what spaces, collections and indexes there are. [loop]
 *
 * Their numbers are given here and written in commits of their own, which
 * come before every commit that uses them.
 */
#include "data/docs.h"

#include "base/text.h"
#include "data/series.h"
#include "data/txn.h"

/* Mostly series: 32 bytes for each meter of each subscription by each version
 * of its plan, 31 million of them. */
#define DB_ARENA_BYTES_MAX ((size_t)1 << 30)
#define TABLE_CAP_FIRST 1024
/* Ids up to this are Linli's own, store/schema.sql. */
#define INDEX_ID_LAST_OWN 15
#define ROWS_MAX 1000000
#define SERIES_PAGE_ROWS 4096

struct ll_commit *
ll_docs_commit_new(struct ll_docs *docs)
{
    struct ll_commit *commit = docs->spare;
    if (commit != NULL) {
        docs->spare = commit->next;
        docs->spare_count--;
        return commit;
    }
    commit = ll_alloc(docs->mem, sizeof *commit);
    if (commit != NULL)
        ll_commit_init(commit, docs->mem);
    return commit;
}

void
ll_docs_commit_free(struct ll_docs *docs, struct ll_commit *commit)
{
    if (docs->spare_count >= LL_COMMITS_SPARE_MAX) {
        ll_commit_fini(commit);
        ll_release(docs->mem, commit, sizeof *commit);
        return;
    }
    ll_buf_reset(&commit->ops, 16384);
    commit->done = NULL;
    commit->user = NULL;
    commit->patient = false;
    commit->next = docs->spare;
    docs->spare = commit;
    docs->spare_count++;
}

/* A commit that nobody waits for. */
static void
on_own_done(struct ll_commit *commit, bool durable)
{
    LL_UNUSED(durable); /* if not, the store has said why */
    ll_docs_commit_free(commit->user, commit);
}

void
ll_docs_commit_unwatched(struct ll_docs *docs, struct ll_commit *commit)
{
    commit->done = on_own_done;
    commit->user = docs;
}

uint64_t
ll_docs_commit_send(struct ll_docs *docs, struct ll_commit *commit)
{
    ll_docs_commit_unwatched(docs, commit);
    if (!commit->ops.failed)
        return ll_store_commit(docs->store, commit);
    ll_docs_commit_free(docs, commit);
    return 0;
}

struct ll_arena *
ll_docs_arena(struct ll_docs *docs)
{
    docs->arena.failed = false;
    return &docs->arena;
}

/* -- spaces -- */

static struct ll_space *
space_make(
    struct ll_docs *docs, int64_t id, linli_str community, linli_str plugin)
{
    struct ll_arena *arena = ll_docs_arena(docs);
    struct ll_space *space = ll_arena_alloc(arena, sizeof *space);
    if (space == NULL)
        return NULL;
    space->docs = docs;
    space->id = id;
    space->community = ll_arena_str(arena, community);
    space->plugin = ll_arena_str(arena, plugin);
    if (arena->failed)
        return NULL;
    space->next = docs->spaces;
    docs->spaces = space;
    if (id > docs->last_space)
        docs->last_space = id;
    return space;
}

struct ll_space *
ll_docs_space(struct ll_docs *docs, linli_str community, linli_str plugin)
{
    struct ll_space *space = docs->spaces;
    while (space != NULL && !(ll_str_eq(space->community, community) &&
                                ll_str_eq(space->plugin, plugin)))
        space = space->next;
    if (space != NULL)
        return space;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return NULL;
    ll_commit_op(commit, LL_ST_space_put);
    ll_put_int(&commit->ops, docs->last_space + 1);
    ll_put_bytes(&commit->ops, community);
    ll_put_bytes(&commit->ops, plugin);
    if (!commit->ops.failed)
        space = space_make(docs, docs->last_space + 1, community, plugin);
    if (space == NULL) {
        ll_docs_commit_free(docs, commit);
        return NULL;
    }
    (void)ll_docs_commit_send(docs, commit);
    return space;
}

/* -- collections -- */

static struct ll_coll *
coll_make(struct ll_space *space, int64_t id, linli_str name)
{
    struct ll_docs *docs = space->docs;
    struct ll_arena *arena = ll_docs_arena(docs);
    struct ll_coll *coll = ll_arena_alloc(arena, sizeof *coll);
    if (coll == NULL)
        return NULL;
    coll->space = space;
    coll->id = id;
    coll->name = ll_arena_str(arena, name);
    coll->system = name.len > 0 && name.ptr[0] == '~';
    coll->doc_bytes = LL_DOC_BYTES_MAX;
    if (arena->failed)
        return NULL;
    coll->next = space->colls;
    space->colls = coll;
    if (id > docs->last_coll)
        docs->last_coll = id;
    return coll;
}

struct ll_coll *
ll_space_find(const struct ll_space *space, linli_str name)
{
    struct ll_coll *coll = space->colls;
    while (coll != NULL && !ll_str_eq(coll->name, name))
        coll = coll->next;
    return coll;
}

struct ll_coll *
ll_space_coll(struct ll_space *space, linli_str name)
{
    struct ll_docs *docs = space->docs;
    struct ll_coll *coll = ll_space_find(space, name);
    if (coll != NULL)
        return coll;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return NULL;
    ll_commit_op(commit, LL_ST_collection_put);
    ll_put_int(&commit->ops, docs->last_coll + 1);
    ll_put_int(&commit->ops, space->id);
    ll_put_bytes(&commit->ops, name);
    if (!commit->ops.failed)
        coll = coll_make(space, docs->last_coll + 1, name);
    if (coll == NULL) {
        ll_docs_commit_free(docs, commit);
        return NULL;
    }
    (void)ll_docs_commit_send(docs, commit);
    return coll;
}

/* -- indexes -- */

static struct ll_ix *
index_make(struct ll_coll *coll, int64_t id, linli_str name, linli_str text)
{
    struct ll_docs *docs = coll->space->docs;
    struct ll_arena *arena = ll_docs_arena(docs);
    struct ll_ix *ix = ll_arena_alloc(arena, sizeof *ix);
    if (ix == NULL)
        return NULL;
    ix->coll = coll;
    ix->id = id;
    ix->name = ll_arena_str(arena, name);
    ix->text = ll_arena_str(arena, text);
    ll_json_init(&ix->json, docs->mem);
    if (arena->failed || ll_json_parse(&ix->json, ix->text, LL_JSON_DEPTH_MAX,
                             NULL) != LINLI_OK) {
        ll_json_fini(&ix->json);
        return NULL;
    }
    ll_index_spec_read(ll_json_root(&ix->json), &ix->spec);
    if (id > docs->last_index)
        docs->last_index = id;
    return ix;
}

static void
index_link(struct ll_coll *coll, struct ll_ix *ix)
{
    ix->next = coll->indexes;
    coll->indexes = ix;
    coll->index_count++;
}

struct ll_ix *
ll_coll_find_index(const struct ll_coll *coll, linli_str name)
{
    struct ll_ix *ix = coll->indexes;
    while (ix != NULL && !ll_str_eq(ix->name, name))
        ix = ix->next;
    return ix;
}

static void
index_unlink(struct ll_coll *coll, struct ll_ix *ix)
{
    struct ll_ix **at = &coll->indexes;
    while (*at != ix)
        at = &(*at)->next;
    *at = ix->next;
    coll->index_count--;
}

/* Puts an index in the place of another, with the keys of what is in memory;
 * NULL for one of them: there is none. False without memory, and nothing has
 * changed. */
static bool
index_replace(struct ll_coll *coll, struct ll_ix *old, struct ll_ix *ix)
{
    if (old != NULL)
        index_unlink(coll, old);
    if (ix != NULL)
        index_link(coll, ix);
    coll->epoch++;
    if (!ll_docs_reindexed(coll)) {
        coll->epoch--;
        if (ix != NULL) {
            index_unlink(coll, ix);
            ll_json_fini(&ix->json);
        }
        if (old != NULL)
            index_link(coll, old);
        return false;
    }
    /* Who has seen or made keys of before cannot go on; ranges that were read
     * of the old index stay linked to it until then. */
    ll_txns_doom(coll);
    if (old != NULL) {
        old->gone = true;
        ll_json_fini(&old->json);
    }
    return true;
}

static void
commit_drop(struct ll_commit *commit, const struct ll_ix *ix)
{
    ll_commit_op(commit, LL_ST_index_drop);
    ll_put_int(&commit->ops, ix->id);
    ll_commit_op(commit, LL_ST_index_clear);
    ll_put_int(&commit->ops, ix->id);
}

bool
ll_coll_drop_index(struct ll_ix *ix)
{
    struct ll_docs *docs = ix->coll->space->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return false;
    commit_drop(commit, ix);
    if (commit->ops.failed || !index_replace(ix->coll, ix, NULL)) {
        ll_docs_commit_free(docs, commit);
        return false;
    }
    (void)ll_docs_commit_send(docs, commit);
    return true;
}

struct ll_ix *
ll_coll_index(struct ll_coll *coll, linli_str name, linli_str text)
{
    struct ll_docs *docs = coll->space->docs;
    struct ll_ix *old = ll_coll_find_index(coll, name);
    if (old != NULL && ll_str_eq(old->text, text))
        return old;
    ll_check(old != NULL || coll->index_count < LL_INDEXES_KEPT_MAX);
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return NULL;
    if (old != NULL)
        commit_drop(commit, old);
    int64_t id = docs->last_index + 1;
    ll_commit_op(commit, LL_ST_index_put);
    ll_put_int(&commit->ops, id);
    ll_put_int(&commit->ops, coll->id);
    ll_put_bytes(&commit->ops, name);
    ll_put_bytes(&commit->ops, text);
    ll_commit_reindex(commit, coll->id, id, text);
    struct ll_ix *ix =
        commit->ops.failed ? NULL : index_make(coll, id, name, text);
    if (ix == NULL || !index_replace(coll, old, ix)) {
        ll_docs_commit_free(docs, commit);
        return NULL;
    }
    ix->number = ll_docs_commit_send(docs, commit);
    return ix;
}

/* -- opening -- */

/* Runs a statement without parameters and hands each row on. */
static linli_status
each_row(struct ll_docs *docs, enum ll_statement statement,
    linli_status (*take)(struct ll_docs *docs, struct ll_rd *row),
    struct ll_err *err)
{
    struct ll_query query;
    ll_query_init(&query, docs->mem, statement);
    query.rows_max = ROWS_MAX;
    query.bytes_max = (size_t)256 << 20;
    linli_status status = ll_store_ask(docs->store, &query);
    struct ll_rd rows = ll_rd(ll_buf_view(&query.rows));
    if (status != LINLI_OK)
        *err = query.err;
    for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++) {
        (void)ll_rd_list(&rows);
        status = take(docs, &rows);
        if (status != LINLI_OK)
            (void)ll_fail(err, status, "runtime/memory", "a database");
    }
    ll_query_fini(&query);
    return status;
}

static linli_status
take_space(struct ll_docs *docs, struct ll_rd *row)
{
    int64_t id = ll_rd_int(row);
    linli_str community = ll_rd_bytes(row);
    linli_str plugin = ll_rd_bytes(row);
    struct ll_space *space = space_make(docs, id, community, plugin);
    if (space == NULL)
        return LINLI_E_NOMEM;
    space->rows = ll_rd_int(row);
    space->bytes = ll_rd_int(row);
    return LINLI_OK;
}

static linli_status
take_coll(struct ll_docs *docs, struct ll_rd *row)
{
    int64_t id = ll_rd_int(row), of = ll_rd_int(row);
    linli_str name = ll_rd_bytes(row);
    struct ll_space *space = docs->spaces;
    while (space != NULL && space->id != of)
        space = space->next;
    if (space == NULL) /* of a space that is gone */
        return LINLI_OK;
    return coll_make(space, id, name) == NULL ? LINLI_E_NOMEM : LINLI_OK;
}

struct ll_coll *
ll_docs_coll_by_id(const struct ll_docs *docs, int64_t id)
{
    for (struct ll_space *s = docs->spaces; s != NULL; s = s->next)
        for (struct ll_coll *c = s->colls; c != NULL; c = c->next)
            if (c->id == id)
                return c;
    return NULL;
}

static linli_status
take_statutory(struct ll_docs *docs, struct ll_rd *row)
{
    struct ll_coll *coll = ll_docs_coll_by_id(docs, ll_rd_int(row));
    int64_t ms = ll_rd_int(row);
    linli_str law = ll_arena_str(ll_docs_arena(docs), ll_rd_bytes(row));
    if (coll == NULL)
        return LINLI_OK;
    coll->statutory_ms = ms;
    coll->statutory_law = law;
    return docs->arena.failed ? LINLI_E_NOMEM : LINLI_OK;
}

bool
ll_coll_keep(struct ll_coll *coll, int64_t statutory_ms, linli_str law)
{
    struct ll_docs *docs = coll->space->docs;
    if (coll->statutory_ms == statutory_ms &&
        ll_str_eq(coll->statutory_law, law))
        return true;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    linli_str copy = ll_arena_str(ll_docs_arena(docs), law);
    if (commit == NULL || docs->arena.failed) {
        if (commit != NULL)
            ll_docs_commit_free(docs, commit);
        return false;
    }
    ll_commit_op(commit, LL_ST_statutory_put);
    ll_put_int(&commit->ops, coll->id);
    ll_put_int(&commit->ops, statutory_ms);
    ll_put_bytes(&commit->ops, law);
    if (ll_docs_commit_send(docs, commit) == 0)
        return false;
    coll->statutory_ms = statutory_ms;
    coll->statutory_law = copy;
    return true;
}

static linli_status
take_index(struct ll_docs *docs, struct ll_rd *row)
{
    int64_t id = ll_rd_int(row);
    struct ll_coll *coll = ll_docs_coll_by_id(docs, ll_rd_int(row));
    linli_str name = ll_rd_bytes(row), text = ll_rd_bytes(row);
    if (coll == NULL)
        return LINLI_OK;
    struct ll_ix *ix = index_make(coll, id, name, text);
    if (ix == NULL)
        return LINLI_E_NOMEM;
    index_link(coll, ix);
    return LINLI_OK;
}

static linli_status
take_series(struct ll_docs *docs, struct ll_rd *row, int64_t *last)
{
    int64_t id = ll_rd_int(row), of = ll_rd_int(row);
    struct ll_counted counted = {.meter = ll_rd_bytes(row)};
    counted.subscription = (uint32_t)ll_rd_int(row);
    counted.version = (uint32_t)ll_rd_int(row);
    *last = id;
    struct ll_space *space = docs->spaces;
    while (space != NULL && space->id != of)
        space = space->next;
    return space == NULL ? LINLI_OK : ll_series_known(space, id, &counted);
}

/* There are as many as subscriptions times what they count: page by page. */
static linli_status
read_series(struct ll_docs *docs, struct ll_err *err)
{
    int64_t last = 0;
    linli_status status = LINLI_OK;
    for (bool more = true; more && status == LINLI_OK;) {
        struct ll_query query;
        ll_query_init(&query, docs->mem, LL_ST_series);
        ll_put_int(&query.params, last);
        ll_put_int(&query.params, SERIES_PAGE_ROWS);
        query.rows_max = SERIES_PAGE_ROWS;
        status = ll_store_ask(docs->store, &query);
        struct ll_rd rows = ll_rd(ll_buf_view(&query.rows));
        if (status != LINLI_OK)
            *err = query.err;
        for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++) {
            (void)ll_rd_list(&rows);
            status = take_series(docs, &rows, &last);
            if (status != LINLI_OK)
                (void)ll_fail(err, status, "runtime/memory", "a database");
        }
        more = query.more || query.row_count == SERIES_PAGE_ROWS;
        ll_query_fini(&query);
    }
    return status;
}

static linli_status
take_last_event(struct ll_docs *docs, struct ll_rd *row)
{
    if (ll_rd_peek(row) == LL_VALUE_INT)
        docs->last_event_seq = (uint64_t)ll_rd_int(row);
    else
        (void)ll_rd_value(row);
    return LINLI_OK;
}

/* The last number that was given, also when its event is gone. */
static linli_status
read_event_seq(struct ll_docs *docs, struct ll_err *err)
{
    struct ll_query query;
    ll_query_init(&query, docs->mem, LL_ST_meta_get);
    ll_put_bytes(&query.params, LINLI_STR(LL_EVENT_SEQ_NAME));
    linli_status status = ll_store_ask(docs->store, &query);
    struct ll_rd row = ll_rd(ll_buf_view(&query.rows));
    if (status != LINLI_OK) {
        *err = query.err;
    } else if (query.row_count > 0) {
        (void)ll_rd_list(&row);
        uint64_t seq = (uint64_t)ll_rd_int(&row);
        if (seq > docs->last_event_seq)
            docs->last_event_seq = seq;
    }
    ll_query_fini(&query);
    return status;
}

static linli_status
take_last_alert(struct ll_docs *docs, struct ll_rd *row)
{
    if (ll_rd_peek(row) == LL_VALUE_INT)
        docs->last_alert_id = (uint64_t)ll_rd_int(row);
    else
        (void)ll_rd_value(row);
    return LINLI_OK;
}

static linli_status
read_all(struct ll_docs *docs, struct ll_err *err)
{
    linli_status status = each_row(docs, LL_ST_spaces, take_space, err);
    if (status == LINLI_OK)
        status = each_row(docs, LL_ST_collections, take_coll, err);
    if (status == LINLI_OK)
        status = each_row(docs, LL_ST_statutories, take_statutory, err);
    if (status == LINLI_OK)
        status = each_row(docs, LL_ST_indexes, take_index, err);
    if (status == LINLI_OK)
        status = read_series(docs, err);
    if (status == LINLI_OK)
        status = each_row(docs, LL_ST_event_last, take_last_event, err);
    if (status == LINLI_OK)
        status = read_event_seq(docs, err);
    if (status == LINLI_OK)
        status = each_row(docs, LL_ST_alert_last, take_last_alert, err);
    return status;
}

linli_status
ll_docs_open(struct ll_docs *docs, struct ll_mem *mem, struct ll_world *world,
    struct ll_store *store, struct ll_err *err)
{
    *docs = (struct ll_docs){.mem = mem,
        .store = store,
        .last_index = INDEX_ID_LAST_OWN,
        .table_cap = TABLE_CAP_FIRST};
    ll_arena_init(&docs->arena, mem, DB_ARENA_BYTES_MAX);
    ll_json_init(&docs->json, mem);
    ll_buf_init(&docs->key_bytes, mem, LL_COMMIT_BYTES_MAX);
    ll_world_random(world, docs->hash_key, sizeof docs->hash_key);
    ll_store_secret(store, "cursor", docs->cursor_key, sizeof docs->cursor_key);
    docs->table = ll_alloc(mem, docs->table_cap * sizeof *docs->table);
    linli_status status =
        docs->table == NULL
            ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a database")
            : read_all(docs, err);
    if (status != LINLI_OK)
        ll_docs_close(docs);
    return status;
}

void
ll_docs_close(struct ll_docs *docs)
{
    ll_check(docs->txns == NULL);
    for (struct ll_space *s = docs->spaces; s != NULL; s = s->next)
        for (struct ll_coll *c = s->colls; c != NULL; c = c->next)
            for (struct ll_ix *i = c->indexes; i != NULL; i = i->next)
                ll_json_fini(&i->json);
    ll_docs_drop_docs(docs);
    ll_series_close(docs);
    if (docs->table != NULL)
        ll_release(
            docs->mem, docs->table, docs->table_cap * sizeof *docs->table);
    while (docs->spare != NULL) {
        struct ll_commit *commit = docs->spare;
        docs->spare = commit->next;
        ll_commit_fini(commit);
        ll_release(docs->mem, commit, sizeof *commit);
    }
    ll_json_fini(&docs->json);
    ll_buf_fini(&docs->key_bytes);
    ll_arena_fini(&docs->arena);
    *docs = (struct ll_docs){.mem = NULL};
}
