/* host/sweep.c: what has outlived its time goes. [loop]
 *
 * Documents whose retention is over (answers kept under keys, nonces, and
 * what plugins declare), a few hundred at a time, each batch a commit like
 * any other; keys that a law had kept until now, with what they open; and
 * events after LL_EVENT_KEPT_MS, some thousand at a time, until the oldest
 * that is left is young enough.
 */
#include "host/sweep.h"

#include "host/clock.h"
#include "data/txn.h"
#include "host/rights.h"
#include "host/texts.h"

#define EVERY_MS 60000
#define ROWS 256
/* Without memory it looks again then. */
#define PAUSE_MS 1000
#define TRIM_EVERY_MS 600000
#define TRIM_ROWS 10000

struct ll_sweep {
    struct ll_host *host;
    struct ll_timer *timer;
    struct ll_query query;
    bool querying;
    struct ll_wait wait;
    struct ll_doc *docs[ROWS]; /* being loaded, then deleted */
    uint32_t count, ready;
    bool more;
    bool telling; /* there are residents to tell of other words */
    /* events */
    int64_t trim_ms;        /* they are looked at again from then on */
    struct ll_query oldest; /* asked for, if `asking` */
    bool asking;
    struct ll_commit *trim; /* under way */
    /* keys */
    struct ll_query keys; /* asked for, if `asking_keys` */
    bool asking_keys;
    struct ll_commit *shred; /* under way */
};

static void look(struct ll_sweep *sweep);

static void
rest(struct ll_sweep *sweep, int64_t ms)
{
    ll_timer_set(
        sweep->timer, sweep->telling && ms > PAUSE_MS ? PAUSE_MS : ms, 0);
    ll_host_clock_step(sweep->host);
}

static void
drop_docs(struct ll_sweep *sweep)
{
    for (uint32_t i = 0; i < sweep->count; i++)
        ll_doc_unref(&sweep->docs[i]);
    sweep->count = sweep->ready = 0;
}

/* -- events -- */

static void look_events(struct ll_sweep *sweep);

static void
on_trimmed(struct ll_commit *commit, bool durable)
{
    struct ll_sweep *sweep = commit->user;
    sweep->trim = NULL;
    ll_docs_commit_free(&sweep->host->docs, commit);
    if (durable)
        look_events(sweep);
    ll_host_clock_step(sweep->host);
}

/* Old events go, and how far their numbers have come is noted: it must not be
 * forgotten with the last of them. Without memory the next look does it. */
static void
trim_events(struct ll_sweep *sweep, int64_t before_ms)
{
    struct ll_host *host = sweep->host;
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    if (commit == NULL)
        return;
    ll_commit_op(commit, LL_ST_event_trim);
    ll_put_int(&commit->ops, before_ms);
    ll_put_int(&commit->ops, TRIM_ROWS);
    ll_commit_op(commit, LL_ST_meta_put);
    ll_put_bytes(&commit->ops, LINLI_STR(LL_EVENT_SEQ_NAME));
    ll_put_int(&commit->ops, (int64_t)host->docs.last_event_seq);
    if (commit->ops.failed) {
        ll_docs_commit_free(&host->docs, commit);
        return;
    }
    commit->done = on_trimmed;
    commit->user = sweep;
    sweep->trim = commit;
    (void)ll_store_commit(host->store, commit);
}

static void
on_oldest(struct ll_query *query)
{
    struct ll_sweep *sweep = query->user;
    struct ll_host *host = sweep->host;
    int64_t now_ms = ll_world_wall(host->world).ms, at_ms = INT64_MAX;
    int64_t before_ms = now_ms - LL_EVENT_KEPT_MS;
    bool known = query->status == LINLI_OK;
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    if (known && query->row_count > 0) {
        (void)ll_rd_list(&rows);
        at_ms = ll_rd_int(&rows);
    }
    ll_query_fini(query);
    sweep->asking = false;
    if (at_ms < before_ms)
        trim_events(sweep, before_ms);
    else if (known)
        sweep->trim_ms = now_ms + TRIM_EVERY_MS;
    ll_host_clock_step(host);
}

static bool
serves(const struct ll_host *host)
{
    return !host->draining && host->failure.status == LINLI_OK;
}

/* Asks how old the oldest is: a trim does not tell whether it was full. */
static void
look_events(struct ll_sweep *sweep)
{
    struct ll_host *host = sweep->host;
    struct ll_query *query = &sweep->oldest;
    if (sweep->asking || sweep->trim != NULL || !serves(host) ||
        ll_world_wall(host->world).ms < sweep->trim_ms)
        return;
    ll_query_init(query, &host->mem, LL_ST_event_oldest);
    query->rows_max = 1;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_oldest;
    query->user = sweep;
    sweep->asking = true;
    ll_store_query(host->store, query);
}

/* -- keys that were frozen -- */

static void look_keys(struct ll_sweep *sweep);

static void
on_shredded(struct ll_commit *commit, bool durable)
{
    struct ll_sweep *sweep = commit->user;
    sweep->shred = NULL;
    ll_docs_commit_free(&sweep->host->docs, commit);
    if (durable)
        look_keys(sweep);
    ll_host_clock_step(sweep->host);
}

/* One goes with what lay aside, and the log says so. */
static void
shred(struct ll_sweep *sweep, struct ll_commit *commit, struct ll_rd *row)
{
    struct ll_host *host = sweep->host;
    (void)ll_rd_list(row);
    struct ll_whose whose = {.space = ll_rd_int(row)};
    whose.subject = ll_rd_bytes(row);
    (void)ll_rd_value(row); /* until */
    (void)ll_rd_value(row); /* kept */
    for (const struct ll_space *s = host->docs.spaces; s != NULL; s = s->next)
        if (s->id == whose.space) {
            whose.community = s->community;
            whose.plugin = s->plugin;
        }
    ll_store_shred(host->store, commit, &whose);
    ll_commit_op(commit, LL_ST_frozen_drop);
    ll_put_int(&commit->ops, whose.space);
    ll_put_bytes(&commit->ops, whose.subject);
    ll_rights_due_leaf(host, &whose, commit);
}

static void
on_keys(struct ll_query *query)
{
    struct ll_sweep *sweep = query->user;
    struct ll_host *host = sweep->host;
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    struct ll_commit *commit = NULL;
    sweep->asking_keys = false;
    if (query->status == LINLI_OK && query->row_count > 0)
        commit = ll_docs_commit_new(&host->docs);
    for (uint32_t i = 0; commit != NULL && i < query->row_count; i++)
        shred(sweep, commit, &rows);
    ll_query_fini(query);
    if (commit != NULL && commit->ops.failed) {
        ll_docs_commit_free(&host->docs, commit);
        commit = NULL; /* the next look does it */
    }
    if (commit != NULL) {
        commit->done = on_shredded;
        commit->user = sweep;
        sweep->shred = commit;
        (void)ll_store_commit(host->store, commit);
    }
    ll_host_clock_step(host);
}

static void
look_keys(struct ll_sweep *sweep)
{
    struct ll_host *host = sweep->host;
    struct ll_query *query = &sweep->keys;
    if (sweep->asking_keys || sweep->shred != NULL || !serves(host))
        return;
    ll_query_init(query, &host->mem, LL_ST_subject_due);
    ll_put_int(&query->params, ll_world_wall(host->world).ms);
    ll_put_int(&query->params, ROWS);
    query->rows_max = ROWS;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_keys;
    query->user = sweep;
    sweep->asking_keys = true;
    ll_store_query(host->store, query);
}

/* -- documents -- */

/* Those that are still due: one may have been written anew meanwhile. False
 * without memory. */
static bool
delete_docs(struct ll_sweep *sweep)
{
    struct ll_docs *docs = &sweep->host->docs;
    int64_t now_ms = ll_world_wall(sweep->host->world).ms;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_txn txn;
    if (commit == NULL)
        return false;
    bool good = true;
    ll_txn_init(&txn, docs);
    for (uint32_t i = 0; good && i < sweep->count; i++) {
        struct ll_doc *doc = sweep->docs[i];
        if (doc->state == LL_DOC_KNOWN && doc->content != NULL &&
            doc->content->due_ms != 0 && doc->content->due_ms <= now_ms)
            good = ll_txn_write(&txn, doc, NULL, NULL) == LINLI_OK;
    }
    ll_docs_commit_unwatched(docs, commit);
    if (!good || ll_txn_commit(&txn, commit) == 0) {
        ll_docs_commit_free(docs, commit);
        good = false;
    }
    ll_txn_fini(&txn);
    return good;
}

static void
load_docs(struct ll_sweep *sweep)
{
    for (; sweep->ready < sweep->count; sweep->ready++)
        if (!ll_doc_ready(sweep->docs[sweep->ready], &sweep->wait))
            return;
    bool good = delete_docs(sweep);
    drop_docs(sweep);
    if (!good)
        rest(sweep, PAUSE_MS);
    else if (sweep->more)
        look(sweep);
    else
        rest(sweep, EVERY_MS);
}

static void
on_loaded(struct ll_wait *wait)
{
    load_docs(LL_CONTAINER(wait, struct ll_sweep, wait));
}

static void
on_rows(struct ll_query *query)
{
    struct ll_sweep *sweep = query->user;
    struct ll_docs *docs = &sweep->host->docs;
    struct ll_rd rows = ll_rd(ll_buf_view(&query->rows));
    sweep->querying = false;
    sweep->more = query->status == LINLI_OK && query->more;
    for (uint32_t i = 0; query->status == LINLI_OK && i < query->row_count;
         i++) {
        (void)ll_rd_list(&rows);
        struct ll_coll *coll = ll_docs_coll_by_id(docs, ll_rd_int(&rows));
        linli_str id = ll_rd_bytes(&rows);
        struct ll_doc *doc = coll == NULL ? NULL : ll_docs_get(coll, id);
        if (doc != NULL)
            sweep->docs[sweep->count++] = doc;
    }
    ll_query_fini(query);
    if (sweep->count == 0)
        rest(sweep, EVERY_MS);
    else
        load_docs(sweep);
}

static void
look(struct ll_sweep *sweep)
{
    struct ll_host *host = sweep->host;
    struct ll_query *query = &sweep->query;
    look_events(sweep);
    look_keys(sweep);
    if (serves(host)) {
        ll_arbiter_tidy(&host->arbiter, ll_world_wall(host->world).ms,
            LL_CONSENT_TIDY_GRANTS);
        sweep->telling = ll_texts_tell(host);
    }
    if (sweep->querying || sweep->count > 0 || !serves(host))
        return;
    ll_query_init(query, &host->mem, LL_ST_doc_due);
    ll_put_int(&query->params, ll_world_wall(host->world).ms);
    ll_put_int(&query->params, ROWS + 1);
    query->rows_max = ROWS;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_rows;
    query->user = sweep;
    sweep->querying = true;
    ll_store_query(host->store, query);
}

static void
on_time(void *user)
{
    look(user);
}

linli_status
ll_sweep_open(struct ll_host *host, struct ll_err *err)
{
    struct ll_sweep *sweep = ll_alloc(&host->mem, sizeof *sweep);
    if (sweep != NULL) {
        sweep->host = host;
        sweep->wait.ready = on_loaded;
        sweep->timer = ll_timer_new(host->world, on_time, sweep);
        host->sweep = sweep;
    }
    if (sweep == NULL || sweep->timer == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    ll_timer_set(sweep->timer, EVERY_MS, 0);
    return LINLI_OK;
}

void
ll_sweep_close(struct ll_host *host)
{
    struct ll_sweep *sweep = host->sweep;
    if (sweep == NULL)
        return;
    host->sweep = NULL;
    if (sweep->querying) {
        ll_store_cancel(host->store, &sweep->query);
        ll_query_fini(&sweep->query);
    }
    if (sweep->asking) {
        ll_store_cancel(host->store, &sweep->oldest);
        ll_query_fini(&sweep->oldest);
    }
    if (sweep->trim != NULL)
        ll_docs_commit_unwatched(&host->docs, sweep->trim);
    if (sweep->asking_keys) {
        ll_store_cancel(host->store, &sweep->keys);
        ll_query_fini(&sweep->keys);
    }
    if (sweep->shred != NULL)
        ll_docs_commit_unwatched(&host->docs, sweep->shred);
    ll_wait_cancel(&sweep->wait);
    drop_docs(sweep);
    ll_timer_free(&sweep->timer);
    ll_release(&host->mem, sweep, sizeof *sweep);
}

void
ll_sweep_now(struct ll_host *host)
{
    if (host->sweep != NULL)
        look(host->sweep);
}

bool
ll_sweep_idle(const struct ll_host *host)
{
    return host->sweep == NULL ||
           (!host->sweep->querying && host->sweep->count == 0 &&
               !host->sweep->asking && host->sweep->trim == NULL &&
               !host->sweep->asking_keys && host->sweep->shred == NULL);
}
