/* store/reader.c: the threads that read. */
#include "store/reader.h"

#include "base/limits.h"
#include "store/query.h"
#include "world/thread.h"

struct reader {
    struct ll_readers *all;
    pthread_t thread;
    bool runs;
    /* the thread's */
    struct ll_mem mem;
    struct ll_db db;
    struct ll_sealer sealer;
    unsigned keys_epoch; /* that its keys are of */
};

struct ll_readers {
    struct ll_mem *loop_mem;
    struct ll_place *place;
    struct ll_wakeup *wakeup;
    const atomic_uint *keys_epoch;
    struct reader *readers;
    uint32_t count;
    pthread_mutex_t mutex;
    pthread_cond_t work;
    /* under the mutex */
    struct ll_jobs wanted, done;
    uint32_t idle; /* threads that wait */
    bool stop;
};

/* -- jobs -- */

void
ll_jobs_push(struct ll_jobs *list, struct ll_job *job)
{
    job->next = NULL;
    if (list->first == NULL)
        list->first = job;
    else
        list->last->next = job;
    list->last = job;
    list->count++;
}

void
ll_jobs_move(struct ll_jobs *to, struct ll_jobs *from)
{
    if (from->first == NULL)
        return;
    if (to->first == NULL)
        to->first = from->first;
    else
        to->last->next = from->first;
    to->last = from->last;
    to->count += from->count;
    *from = (struct ll_jobs){0};
}

struct ll_job *
ll_jobs_pop(struct ll_jobs *list)
{
    struct ll_job *job = list->first;
    if (job == NULL)
        return NULL;
    list->first = job->next;
    if (list->first == NULL)
        list->last = NULL;
    list->count--;
    return job;
}

struct ll_job *
ll_job_new(struct ll_mem *mem)
{
    struct ll_job *job = ll_alloc(mem, sizeof *job);
    if (job == NULL)
        return NULL;
    ll_mem_init(&job->mem, 0);
    ll_buf_init(&job->params, &job->mem, LL_QUERY_PARAMS_BYTES_MAX);
    ll_buf_init(&job->rows, &job->mem, LL_QUERY_ROWS_BYTES_MAX);
    return job;
}

void
ll_job_free(struct ll_mem *mem, struct ll_job *job)
{
    ll_buf_fini(&job->params);
    ll_buf_fini(&job->rows);
    ll_release(mem, job, sizeof *job);
}

/* -- a thread -- */

static void
run_job(struct reader *r, struct ll_job *job, uint64_t snapshot)
{
    struct ll_ask ask = {.statement = job->statement,
        .params = ll_buf_view(&job->params),
        .rows_max = job->rows_max,
        .bytes_max = job->bytes_max};
    struct ll_answer answer = {.rows = &job->rows};
    job->snapshot = snapshot;
    job->status = ll_query_run(&r->db, &r->sealer, &ask, &answer, &job->err);
    job->row_count = answer.row_count;
    job->more = answer.more;
}

static linli_status
begin(struct reader *r, uint64_t *snapshot, struct ll_err *err)
{
    struct ll_readers *all = r->all;
    linli_status status = ll_place_begin(all->place, &r->db, false, err);
    if (status != LINLI_OK)
        return status;
    status = ll_query_snapshot(&r->db, snapshot, err);
    if (status != LINLI_OK)
        ll_place_rollback(all->place, &r->db);
    /* After the snapshot: a key that it still has may be forgotten for
     * nothing, but one that it has not is never used. */
    unsigned epoch = atomic_load(all->keys_epoch);
    if (epoch != r->keys_epoch)
        ll_sealer_forget(&r->sealer);
    r->keys_epoch = epoch;
    return status;
}

static void
run_jobs(struct reader *r, const struct ll_jobs *jobs)
{
    struct ll_err err = {0};
    uint64_t snapshot = 0;
    linli_status status = begin(r, &snapshot, &err);
    for (struct ll_job *job = jobs->first; job != NULL; job = job->next) {
        job->status = status;
        if (status != LINLI_OK)
            job->err = err;
        else if (!atomic_load(&job->dropped))
            run_job(r, job, snapshot);
    }
    /* Nothing was written, so nothing can be lost by ending it this way. */
    if (status == LINLI_OK)
        ll_place_rollback(r->all->place, &r->db);
}

/* A fair share of what waits, so that no thread is idle beside a queue. */
static void
take_share(struct ll_readers *all, struct ll_jobs *share)
{
    uint32_t want = (all->wanted.count + all->count - 1) / all->count;
    if (want > LL_STORE_READ_BATCH_MAX)
        want = LL_STORE_READ_BATCH_MAX;
    while (share->count < want)
        ll_jobs_push(share, ll_jobs_pop(&all->wanted));
}

static void *
reader_main(void *arg)
{
    struct reader *r = arg;
    struct ll_readers *all = r->all;
    (void)pthread_mutex_lock(&all->mutex);
    while (!all->stop) {
        struct ll_jobs share = {0};
        if (all->wanted.first == NULL) {
            all->idle++;
            (void)pthread_cond_wait(&all->work, &all->mutex);
            all->idle--;
            continue;
        }
        take_share(all, &share);
        (void)pthread_mutex_unlock(&all->mutex);
        run_jobs(r, &share);
        (void)pthread_mutex_lock(&all->mutex);
        ll_jobs_move(&all->done, &share);
        ll_wakeup_send(all->wakeup);
    }
    (void)pthread_mutex_unlock(&all->mutex);
    return NULL;
}

/* -- the loop -- */

static linli_status
start_one(struct ll_readers *all, struct reader *r, struct ll_err *err)
{
    r->all = all;
    ll_mem_init(&r->mem, 0);
    linli_status status =
        ll_db_open(&r->db, all->place->name, LL_DB_READER, err);
    if (status == LINLI_OK)
        status = ll_sealer_init(&r->sealer, &r->mem, all->place->key, err);
    if (status != LINLI_OK)
        return status;
    r->runs = ll_thread_start(&r->thread, reader_main, r);
    return r->runs ? LINLI_OK
                   : ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
                         "no memory for a thread that reads");
}

linli_status
ll_readers_start(const struct ll_readers_options *options,
    struct ll_readers **out, struct ll_err *err)
{
    *out = NULL;
    ll_check(options->count >= 1 && options->count <= LL_STORE_READERS_MAX);
    struct ll_readers *all = ll_alloc(options->mem, sizeof *all);
    struct reader *readers =
        ll_alloc(options->mem, options->count * sizeof *readers);
    if (all == NULL || readers == NULL) {
        ll_release(options->mem, readers, options->count * sizeof *readers);
        ll_release(options->mem, all, sizeof *all);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the readers");
    }
    *all = (struct ll_readers){.loop_mem = options->mem,
        .place = options->place,
        .wakeup = options->wakeup,
        .keys_epoch = options->keys_epoch,
        .readers = readers,
        .count = options->count};
    (void)pthread_mutex_init(&all->mutex, NULL);
    (void)pthread_cond_init(&all->work, NULL);
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; i < all->count && status == LINLI_OK; i++)
        status = start_one(all, &readers[i], err);
    *out = all;
    if (status != LINLI_OK) {
        ll_readers_stop(all);
        ll_readers_free(out);
    }
    return status;
}

void
ll_readers_stop(struct ll_readers *readers)
{
    (void)pthread_mutex_lock(&readers->mutex);
    readers->stop = true;
    (void)pthread_cond_broadcast(&readers->work);
    (void)pthread_mutex_unlock(&readers->mutex);
    for (uint32_t i = 0; i < readers->count; i++) {
        if (readers->readers[i].runs)
            (void)pthread_join(readers->readers[i].thread, NULL);
        readers->readers[i].runs = false;
    }
    for (struct ll_job *job = readers->wanted.first; job != NULL;
         job = job->next)
        job->status = ll_fail(&job->err, LINLI_E_CLOSED, "runtime/draining",
            "the database is being closed");
    ll_jobs_move(&readers->done, &readers->wanted);
}

void
ll_readers_free(struct ll_readers **readers)
{
    struct ll_readers *all = *readers;
    if (all == NULL)
        return;
    *readers = NULL;
    ll_check(all->done.first == NULL);
    for (uint32_t i = 0; i < all->count; i++) {
        struct reader *r = &all->readers[i];
        ll_sealer_fini(&r->sealer);
        ll_db_close(&r->db);
        ll_check(r->mem.used_bytes == 0);
    }
    (void)pthread_cond_destroy(&all->work);
    (void)pthread_mutex_destroy(&all->mutex);
    ll_release(all->loop_mem, all->readers, all->count * sizeof *all->readers);
    ll_release(all->loop_mem, all, sizeof *all);
}

void
ll_readers_push(struct ll_readers *readers, struct ll_jobs *jobs)
{
    (void)pthread_mutex_lock(&readers->mutex);
    uint32_t wake = jobs->count < readers->idle ? jobs->count : readers->idle;
    ll_jobs_move(&readers->wanted, jobs);
    for (uint32_t i = 0; i < wake; i++)
        (void)pthread_cond_signal(&readers->work);
    (void)pthread_mutex_unlock(&readers->mutex);
}

void
ll_readers_pull(struct ll_readers *readers, struct ll_jobs *done)
{
    (void)pthread_mutex_lock(&readers->mutex);
    ll_jobs_move(done, &readers->done);
    (void)pthread_mutex_unlock(&readers->mutex);
}
