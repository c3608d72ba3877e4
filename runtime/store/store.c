/* store/store.c: the port: what crosses the threads, and when.
 *
 * During a turn of the loop commits and queries gather; at its end they are
 * handed over at once and each thread is woken at most once. What comes back
 * is delivered from one wakeup, however much it is.
 */
#include "store/store.h"

#include <stdatomic.h>

#include "base/limits.h"
#include "base/text.h"
#include "store/backup.h"
#include "store/head.h"
#include "store/query.h"
#include "store/reader.h"
#include "store/writer.h"

struct ll_store {
    struct ll_mem *mem;
    void (*on_durable)(void *user);
    void (*on_failed)(void *user, const struct ll_err *err);
    void (*on_unread)(void *user, const struct ll_err *err);
    void (*on_unwitnessed)(void *user, const struct ll_err *err);
    void *user;
    struct ll_place place;
    struct ll_hook *hook;
    struct ll_wakeup *wakeup;
    struct ll_head *head;
    struct ll_writer *writer;
    struct ll_readers *readers;
    atomic_uint keys_epoch;
    struct ll_gone_set gone; /* names of keys that were taken */
    /* commits */
    uint64_t last, durable;
    struct ll_commits fresh; /* of this turn, or patient */
    uint32_t fresh_count;
    bool hurry;              /* somebody waits for one of them */
    bool lingering;          /* they wait for others */
    struct ll_timer *linger; /* until then */
    uint32_t queued;         /* not done */
    size_t queued_bytes;
    /* queries */
    struct ll_jobs fresh_jobs, spare_jobs;
    struct ll_job *oldest, *newest; /* under way, as they were issued */
    struct ll_query *refused;       /* no memory for a job */
    /* for ll_store_ask */
    struct ll_db ask_db;
    struct ll_sealer ask_sealer;
    /* the copy that is being made */
    struct ll_backup *backup;
    void (*backup_done)(void *user, linli_status status, uint64_t number,
        int64_t bytes, const struct ll_err *err);
    void *backup_user;
    bool failed, delivering;
};

void
ll_store_secret(
    const struct ll_store *store, const char *purpose, void *out, size_t n)
{
    unsigned char hash[LL_SHA256_BYTES];
    linli_str root = {(const char *)store->place.key, sizeof store->place.key};
    ll_check(n <= sizeof hash);
    ll_hmac_sha256(root, ll_cstr(purpose), hash);
    memcpy(out, hash, n);
}

void
ll_store_checkpoint(struct ll_store *store, struct ll_buf *out)
{
    ll_head_note(store->head, out);
}

bool
ll_store_sign_text(const struct ll_store *store, linli_str text,
    struct ll_vkey *key, unsigned char signature[LL_ED25519_SIGNATURE_BYTES])
{
    return ll_head_sign(store->head, text, key, signature);
}

void
ll_store_sign(struct ll_store *store)
{
    ll_head_hurry(store->head);
}

const char *
ll_store_log_sealed(const struct ll_store *store)
{
    return ll_head_sealed(store->head);
}

const char *
ll_store_log_origin(const struct ll_store *store)
{
    return ll_head_name(store->head);
}

/* -- keys that go -- */

/* Without memory for its name the key goes all the same; but whoever comes
 * back must not meet it, so it stops here. */
static void
note_taken(struct ll_store *store, struct ll_commit *commit,
    const struct ll_whose *whose)
{
    unsigned char name[LL_GONE_NAME_BYTES];
    ll_gone_name(whose, name);
    if (!ll_gone_set_add(&store->gone, name))
        commit->ops.failed = true;
}

void
ll_store_shred(struct ll_store *store, struct ll_commit *commit,
    const struct ll_whose *whose)
{
    note_taken(store, commit, whose);
    ll_commit_op(commit, LL_ST_subject_shred);
    ll_put_int(&commit->ops, whose->space);
    ll_put_bytes(&commit->ops, whose->subject);
}

void
ll_store_freeze(struct ll_store *store, struct ll_commit *commit,
    const struct ll_whose *whose, int64_t until_ms, linli_str kept)
{
    ll_check(until_ms > 0);
    note_taken(store, commit, whose);
    ll_commit_op(commit, LL_ST_subject_freeze);
    ll_put_int(&commit->ops, whose->space);
    ll_put_bytes(&commit->ops, whose->subject);
    ll_put_int(&commit->ops, until_ms);
    ll_put_bytes(&commit->ops, kept);
}

bool
ll_store_taken(const struct ll_store *store, const struct ll_whose *whose)
{
    unsigned char name[LL_GONE_NAME_BYTES];
    ll_gone_name(whose, name);
    return ll_gone_set_has(&store->gone, name);
}

/* -- commits -- */

uint64_t
ll_store_commit(struct ll_store *store, struct ll_commit *commit)
{
    ll_check(!commit->ops.failed);
    ll_check(commit->done != NULL);
    commit->number = ++store->last;
    store->queued++;
    store->queued_bytes += commit->ops.len;
    store->hurry = store->hurry || !commit->patient;
    store->fresh_count++;
    ll_commits_push(&store->fresh, commit);
    return commit->number;
}

bool
ll_store_busy(const struct ll_store *store)
{
    return store->queued >= LL_STORE_QUEUE_MAX ||
           store->queued_bytes >= LL_STORE_QUEUE_BYTES_MAX;
}

uint64_t
ll_store_durable(const struct ll_store *store)
{
    return store->durable;
}

uint64_t
ll_store_last(const struct ll_store *store)
{
    return store->last;
}

static void
end_commit(struct ll_store *store, struct ll_commit *commit)
{
    ll_check(store->queued > 0);
    store->queued--;
    store->queued_bytes -= commit->ops.len;
    commit->done(commit, commit->number <= store->durable);
}

/* What is durable, then that it failed, then what never will be. */
static void
deliver_commits(struct ll_store *store)
{
    struct ll_commits done = {0};
    struct ll_err err = {0};
    uint64_t before = store->durable;
    bool failed = ll_writer_pull(store->writer, &done, &store->durable, &err);
    while (done.first != NULL && done.first->number <= store->durable)
        end_commit(store, ll_commits_pop(&done));
    if (store->durable > before && store->on_durable != NULL)
        store->on_durable(store->user);
    if (failed && !store->failed) {
        store->failed = true;
        store->on_failed(store->user, &err);
    }
    while (done.first != NULL)
        end_commit(store, ll_commits_pop(&done));
}

/* -- queries -- */

/* Removes it from those under way. */
static void
unlink_job(struct ll_store *store, struct ll_job *job)
{
    *(job->older == NULL ? &store->oldest : &job->older->newer) = job->newer;
    *(job->newer == NULL ? &store->newest : &job->newer->older) = job->older;
    job->older = job->newer = NULL;
}

static void
recycle_job(struct ll_store *store, struct ll_job *job)
{
    ll_buf_reset(&job->params, 1024);
    ll_buf_reset(&job->rows, 16384);
    if (store->spare_jobs.count < LL_STORE_JOBS_KEPT)
        ll_jobs_push(&store->spare_jobs, job);
    else
        ll_job_free(store->mem, job);
}

static struct ll_job *
job_of(struct ll_store *store, struct ll_query *query)
{
    struct ll_job *job = ll_jobs_pop(&store->spare_jobs);
    if (job == NULL)
        job = ll_job_new(store->mem);
    if (job == NULL)
        return NULL;
    ll_buf_str(&job->params, ll_buf_view(&query->params));
    if (job->params.failed || query->params.failed) {
        recycle_job(store, job);
        return NULL;
    }
    job->query = query;
    atomic_store(&job->dropped, false);
    job->issued_at = store->durable;
    job->statement = query->statement;
    job->rows_max = query->rows_max;
    job->bytes_max = query->bytes_max;
    job->older = store->newest;
    *(store->newest == NULL ? &store->oldest : &store->newest->newer) = job;
    store->newest = job;
    return job;
}

void
ll_store_query(struct ll_store *store, struct ll_query *query)
{
    ll_check(query->done != NULL);
    ll_check(query->job == NULL);
    query->issued_at = store->durable;
    query->job = job_of(store, query);
    if (query->job != NULL) {
        ll_jobs_push(&store->fresh_jobs, query->job);
        return;
    }
    query->next = store->refused;
    store->refused = query;
    ll_wakeup_send(store->wakeup);
}

void
ll_store_cancel(struct ll_store *store, struct ll_query *query)
{
    struct ll_query **at = &store->refused;
    if (query->job != NULL) {
        atomic_store(&query->job->dropped, true);
        query->job->query = NULL;
        unlink_job(store, query->job);
        query->job = NULL;
        return;
    }
    while (*at != NULL && *at != query)
        at = &(*at)->next;
    if (*at != NULL)
        *at = query->next;
}

uint64_t
ll_store_floor(const struct ll_store *store)
{
    return store->oldest == NULL ? UINT64_MAX : store->oldest->issued_at;
}

static bool
is_unread(const struct ll_job *job)
{
    return job->status != LINLI_OK && job->status != LINLI_E_CLOSED &&
           job->status != LINLI_E_NOMEM;
}

static void
answer(struct ll_query *query, struct ll_job *job)
{
    query->status = job->status;
    if (job->status != LINLI_OK)
        query->err = job->err;
    query->row_count = job->row_count;
    query->more = job->more;
    query->snapshot = job->snapshot;
    ll_buf_clear(&query->rows);
    ll_buf_str(&query->rows, ll_buf_view(&job->rows));
    if (!query->rows.failed)
        return;
    query->status = ll_fail(&query->err, LINLI_E_NOMEM, "runtime/memory",
        "no memory for the answer of a query");
    query->row_count = 0;
    ll_buf_clear(&query->rows);
}

static void
deliver_refused(struct ll_store *store)
{
    while (store->refused != NULL) {
        struct ll_query *query = store->refused;
        store->refused = query->next;
        query->status = ll_fail(&query->err, LINLI_E_NOMEM, "runtime/memory",
            "no memory for a query");
        query->row_count = 0;
        ll_buf_clear(&query->rows);
        query->done(query);
    }
}

static void
deliver_queries(struct ll_store *store)
{
    struct ll_jobs done = {0};
    ll_readers_pull(store->readers, &done);
    for (struct ll_job *job; (job = ll_jobs_pop(&done)) != NULL;) {
        struct ll_query *query = job->query;
        if (store->on_unread != NULL && is_unread(job))
            store->on_unread(store->user, &job->err);
        if (query != NULL) {
            answer(query, job);
            unlink_job(store, job);
            query->job = NULL;
        }
        recycle_job(store, job);
        if (query != NULL)
            query->done(query);
    }
}

static linli_status
open_ask(struct ll_store *store, struct ll_err *err)
{
    if (store->ask_db.handle != NULL)
        return LINLI_OK;
    linli_status status =
        ll_db_open(&store->ask_db, store->place.name, LL_DB_READER, err);
    if (status != LINLI_OK)
        return status;
    status =
        ll_sealer_init(&store->ask_sealer, store->mem, store->place.key, err);
    if (status != LINLI_OK)
        ll_db_close(&store->ask_db);
    return status;
}

static void
close_ask(struct ll_store *store)
{
    if (store->ask_db.handle == NULL)
        return;
    ll_sealer_fini(&store->ask_sealer);
    ll_db_close(&store->ask_db);
}

linli_status
ll_store_ask(struct ll_store *store, struct ll_query *query)
{
    struct ll_ask ask = {.statement = query->statement,
        .params = ll_buf_view(&query->params),
        .rows_max = query->rows_max,
        .bytes_max = query->bytes_max};
    struct ll_answer answer = {.rows = &query->rows};
    struct ll_err *err = &query->err;
    query->issued_at = store->durable;
    query->status = query->params.failed
                        ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
                              "no memory for a question")
                        : open_ask(store, err);
    if (query->status == LINLI_OK)
        query->status =
            ll_place_begin(&store->place, &store->ask_db, false, err);
    if (query->status != LINLI_OK)
        return query->status;
    query->status = ll_query_snapshot(&store->ask_db, &query->snapshot, err);
    if (query->status == LINLI_OK)
        query->status = ll_query_run(
            &store->ask_db, &store->ask_sealer, &ask, &answer, err);
    query->row_count = answer.row_count;
    query->more = answer.more;
    ll_place_rollback(&store->place, &store->ask_db);
    return query->status;
}

/* -- backup -- */

linli_status
ll_store_backup(struct ll_store *store, const char *path,
    void (*done)(void *user, linli_status status, uint64_t number,
        int64_t bytes, const struct ll_err *err),
    void *user, struct ll_err *err)
{
    if (store->backup != NULL)
        return ll_fail(
            err, LINLI_E_AGAIN, "store/backup", "another backup is being made");
    struct ll_backup_options options = {.mem = store->mem,
        .place = &store->place,
        .wakeup = store->wakeup,
        .path = path};
    linli_status status = ll_backup_start(&options, &store->backup, err);
    if (status != LINLI_OK)
        return status;
    ll_writer_hold(store->writer, true);
    store->backup_done = done;
    store->backup_user = user;
    return LINLI_OK;
}

/* Waits for its thread, which has ended or soon will. */
static void
end_backup(struct ll_store *store)
{
    struct ll_backup_result result;
    ll_backup_free(&store->backup, &result);
    ll_writer_hold(store->writer, false);
    store->backup_done(store->backup_user, result.status, result.number,
        result.bytes, &result.err);
}

/* -- turns of the loop -- */

static void
push_fresh(struct ll_store *store)
{
    close_ask(store); /* the time for it is over */
    ll_writer_push(store->writer, &store->fresh);
    store->fresh_count = 0;
    store->hurry = store->lingering = false;
}

static void
on_linger_end(void *user)
{
    ((struct ll_store *)user)->hurry = true; /* this turn */
}

/* Commits that nobody waits for wait for others: one sync for many. */
static void
on_turn(void *user)
{
    struct ll_store *store = user;
    if (store->hurry || store->fresh_count >= LL_STORE_LINGER_COMMITS) {
        push_fresh(store);
    } else if (store->fresh_count > 0 && !store->lingering) {
        store->lingering = true;
        ll_timer_set(store->linger, LL_STORE_LINGER_MS, 0);
    }
    if (store->fresh_jobs.first != NULL)
        ll_readers_push(store->readers, &store->fresh_jobs);
}

static void
deliver_head(struct ll_store *store)
{
    struct ll_err err;
    if (ll_head_failed(store->head, &err) && store->on_unwitnessed != NULL)
        store->on_unwitnessed(store->user, &err);
}

static void
deliver(struct ll_store *store)
{
    store->delivering = true;
    deliver_commits(store);
    deliver_queries(store);
    deliver_refused(store);
    deliver_head(store);
    if (store->backup != NULL && ll_backup_done(store->backup))
        end_backup(store);
    store->delivering = false;
}

static void
on_wakeup(void *user)
{
    deliver(user);
}

/* -- opening and closing -- */

static linli_status
start(struct ll_store *store, const struct ll_store_options *options,
    struct ll_db *db, struct ll_err *err)
{
    store->wakeup = ll_wakeup_new(options->world, on_wakeup, store);
    store->hook = ll_hook_new(options->world, on_turn, store);
    store->linger = ll_timer_new(options->world, on_linger_end, store);
    if (store->wakeup == NULL || store->hook == NULL || store->linger == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "no memory for the database's threads");
    struct ll_head_options head = {.mem = options->mem,
        .place = &store->place,
        .wakeup = store->wakeup,
        .at = options->dir_fd,
        .origin = options->log_origin,
        .now_ms = ll_world_wall(options->world).ms};
    linli_status status = ll_head_new(&head, &store->head, err);
    if (status != LINLI_OK)
        return status;
    struct ll_writer_options writer = {.mem = options->mem,
        .head = store->head,
        .place = &store->place,
        .db = db,
        .wakeup = store->wakeup,
        .keys_epoch = &store->keys_epoch};
    struct ll_readers_options readers = {.mem = options->mem,
        .place = &store->place,
        .wakeup = store->wakeup,
        .count = options->readers,
        .keys_epoch = &store->keys_epoch};
    status = ll_writer_start(&writer, &store->writer, err);
    if (status == LINLI_OK)
        status = ll_readers_start(&readers, &store->readers, err);
    return status;
}

linli_status
ll_store_open(const struct ll_store_options *options, struct ll_store **out,
    struct ll_err *err)
{
    struct ll_db db = {0};
    struct ll_commits none = {0};
    *out = NULL;
    struct ll_store *store = ll_alloc(options->mem, sizeof *store);
    if (store == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the store");
    store->mem = options->mem;
    store->on_durable = options->durable;
    store->on_failed = options->failed;
    store->on_unread = options->unread;
    store->on_unwitnessed = options->unwitnessed;
    store->user = options->user;
    ll_gone_set_init(&store->gone, options->mem);
    linli_status status =
        ll_place_open(&store->place, options, &db, &store->gone, err);
    if (status != LINLI_OK) {
        ll_gone_set_fini(&store->gone);
        ll_release(options->mem, store, sizeof *store);
        return status;
    }
    *out = store;
    status = start(store, options, &db, err);
    if (status == LINLI_OK) {
        (void)ll_writer_pull(store->writer, &none, &store->durable, err);
        store->last = store->durable;
        return LINLI_OK;
    }
    ll_db_close(&db); /* unless the writer took it */
    ll_store_close(out);
    return status;
}

/* Callbacks may commit and ask on; they are told that it is over. */
static void
drain(struct ll_store *store)
{
    do {
        store->hurry = store->fresh_count > 0;
        on_turn(store);
        if (store->backup != NULL)
            ll_backup_cancel(store->backup);
        ll_readers_stop(store->readers);
        ll_writer_stop(store->writer);
        deliver(store);
    } while (store->fresh.first != NULL || store->fresh_jobs.first != NULL ||
             store->refused != NULL);
}

void
ll_store_close(struct ll_store **store)
{
    struct ll_store *s = *store;
    if (s == NULL)
        return;
    ll_check(!s->delivering);
    *store = NULL;
    if (s->writer != NULL && s->readers != NULL)
        drain(s);
    else if (s->writer != NULL)
        ll_writer_stop(s->writer);
    ll_readers_free(&s->readers);
    close_ask(s);
    if (s->head != NULL)
        ll_head_stop(s->head);
    ll_writer_free(&s->writer);
    ll_head_free(&s->head);
    ll_hook_free(&s->hook);
    ll_timer_free(&s->linger);
    ll_wakeup_free(&s->wakeup);
    for (struct ll_job *job; (job = ll_jobs_pop(&s->spare_jobs)) != NULL;)
        ll_job_free(s->mem, job);
    ll_gone_set_fini(&s->gone);
    ll_place_close(&s->place);
    ll_check(s->queued == 0 && s->oldest == NULL);
    ll_release(s->mem, s, sizeof *s);
}
