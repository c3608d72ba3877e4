/* store/writer.c: the thread that writes, and the one that checkpoints.
 *
 * One mutex guards the two queues and the gate. The writer's connection and
 * all it needs are touched by the writer alone. A checkpoint copies the log
 * into the file beside the writer; when little is left of it, or the log has
 * grown past its bound, the gate is closed, so that the log can begin anew:
 * then the writer waits for what is left.
 */
#include "store/writer.h"

#include <stdio.h>
#include <time.h>

#include "base/limits.h"
#include "store/apply.h"
#include "store/gone.h"
#include "store/query.h"
#include "store/wal_file.h"
#include "world/thread.h"

struct ll_writer {
    struct ll_mem *loop_mem;
    struct ll_place *place;
    struct ll_wakeup *wakeup;
    atomic_uint *keys_epoch;
    /* the writer's thread */
    struct ll_mem mem;
    struct ll_db db;
    struct ll_sealer sealer;
    struct ll_applier applier;
    struct ll_head *head;
    uint64_t notes;      /* of the head, that are in the database */
    uint32_t frames_now; /* of the log, after the last commit */
    bool wipe_next;      /* the last batch took keys away */
    /* the keeper's thread */
    struct ll_db keeper_db;
    int folded; /* frames that the last checkpoint left in the file */
    pthread_t writer_thread, keeper_thread;
    bool writer_runs, keeper_runs;
    pthread_mutex_t mutex;
    pthread_cond_t work; /* the writer has some, or the gate has opened */
    pthread_cond_t rest; /* the keeper has some, or the writer is between */
    /* under the mutex */
    struct ll_commits wanted, done;
    bool stop, failed;
    bool writing;       /* a transaction is open */
    bool keeping;       /* a checkpoint runs */
    bool gate_closed;   /* none may be opened */
    bool wipe;          /* the log holds keys that were taken away */
    uint32_t holds;     /* long readers */
    uint64_t durable;   /* the last number */
    uint32_t frames;    /* of the log */
    int64_t used_bytes; /* of the log's file; behind them it holds nothing */
    uint32_t frames_at; /* the keeper checkpoints from so many on */
    int64_t written_ns; /* when the last batch ended */
    int64_t emptied_ns; /* when that was last tried; 0: and it went well */
    struct ll_err err;
};

/* -- lists -- */

void
ll_commits_push(struct ll_commits *list, struct ll_commit *commit)
{
    commit->next = NULL;
    if (list->first == NULL)
        list->first = commit;
    else
        list->last->next = commit;
    list->last = commit;
}

void
ll_commits_move(struct ll_commits *to, struct ll_commits *from)
{
    if (from->first == NULL)
        return;
    if (to->first == NULL)
        to->first = from->first;
    else
        to->last->next = from->first;
    to->last = from->last;
    *from = (struct ll_commits){0};
}

struct ll_commit *
ll_commits_pop(struct ll_commits *list)
{
    struct ll_commit *commit = list->first;
    if (commit == NULL)
        return NULL;
    list->first = commit->next;
    if (list->first == NULL)
        list->last = NULL;
    return commit;
}

/* What one transaction takes: bounded, so that a long queue is not one. */
static void
take_batch(struct ll_commits *wanted, struct ll_commits *batch)
{
    size_t bytes = 0;
    for (uint32_t i = 0; wanted->first != NULL && i < LL_STORE_BATCH_MAX &&
                         bytes < LL_STORE_BATCH_BYTES_MAX;
         i++) {
        bytes += wanted->first->ops.len;
        ll_commits_push(batch, ll_commits_pop(wanted));
    }
}

/* -- the writer's thread -- */

static linli_status
write_batch(struct ll_writer *w, struct ll_commits *batch, struct ll_err *err)
{
    linli_status status = ll_place_begin(w->place, &w->db, true, err);
    if (status != LINLI_OK)
        return status;
    for (struct ll_commit *commit = batch->first;
         commit != NULL && status == LINLI_OK; commit = commit->next)
        status = ll_apply(&w->applier, commit, err);
    struct ll_logtree *log = &w->applier.log;
    bool grown = false;
    if (status == LINLI_OK && log->grown)
        (void)ll_head_newer(w->head, &w->notes, &log->note);
    if (status == LINLI_OK)
        status = ll_apply_end(&w->applier, batch->last->number, &grown, err);
    if (status != LINLI_OK) {
        ll_place_rollback(w->place, &w->db);
        return status;
    }
    /* What is said to be gone is so in every copy that was ever made. */
    if (w->applier.gone.len > 0 && !w->place->memory)
        status =
            ll_gone_append(w->place->at, ll_buf_view(&w->applier.gone), err);
    ll_buf_clear(&w->applier.gone);
    if (status != LINLI_OK) {
        ll_place_rollback(w->place, &w->db);
        return status;
    }
    status = ll_place_commit(w->place, &w->db, err);
    if (status == LINLI_OK && grown)
        ll_head_grown(w->head, log->merkle.size, &log->root);
    if (status == LINLI_OK && w->applier.keys_changed) {
        w->applier.keys_changed = false;
        w->wipe_next = true;
        ll_sealer_forget(&w->sealer);
        (void)atomic_fetch_add(w->keys_epoch, 1);
    }
    return status;
}

/* Whatever it was: what is on disk cannot be trusted to grow any more. */
static void
mark_failed(struct ll_writer *w, const struct ll_err *err)
{
    if (w->failed)
        return;
    w->failed = true;
    w->err = *err;
    w->err.status = LINLI_E_IO;
    (void)snprintf(w->err.code, sizeof w->err.code, "store/io");
}

/* The keeper rests until the log is long enough, or was left alone. */
static void
note_frames(struct ll_writer *w)
{
    bool first = w->frames == 0;
    if (w->frames_now < w->frames) /* the log began anew */
        w->frames_at = LL_STORE_WAL_FRAMES;
    w->frames = w->frames_now;
    if (w->used_bytes < ll_wal_bytes(w->frames))
        w->used_bytes = ll_wal_bytes(w->frames);
    w->written_ns = ll_mono_now().ns;
    w->wipe = w->wipe || w->wipe_next;
    w->wipe_next = false;
    if (first || w->wipe || w->frames >= w->frames_at || w->gate_closed)
        (void)pthread_cond_signal(&w->rest);
}

/* With the mutex; gives it up meanwhile. */
static void
write_some(struct ll_writer *w)
{
    struct ll_commits batch = {0};
    struct ll_err err = {0};
    linli_status status = LINLI_OK;
    bool failed = w->failed;
    take_batch(&w->wanted, &batch);
    w->writing = true;
    (void)pthread_mutex_unlock(&w->mutex);
    if (!failed)
        status = write_batch(w, &batch, &err);
    (void)pthread_mutex_lock(&w->mutex);
    w->writing = false;
    if (status != LINLI_OK)
        mark_failed(w, &err);
    else if (!failed)
        w->durable = batch.last->number;
    ll_commits_move(&w->done, &batch);
    note_frames(w);
    ll_wakeup_send(w->wakeup);
}

/* The keeper is alone, or about to be: the log has no room. */
static bool
must_wait(const struct ll_writer *w)
{
    return w->gate_closed || (w->keeping && w->holds == 0 &&
                                 w->frames >= LL_STORE_WAL_FRAMES_MAX);
}

static void *
writer_main(void *arg)
{
    struct ll_writer *w = arg;
    (void)pthread_mutex_lock(&w->mutex);
    for (;;) {
        while (must_wait(w) || (w->wanted.first == NULL && !w->stop))
            (void)pthread_cond_wait(&w->work, &w->mutex);
        if (w->wanted.first == NULL)
            break;
        write_some(w);
    }
    (void)pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static int
on_committed(void *user, sqlite3 *db, const char *name, int frames)
{
    LL_UNUSED(db);
    LL_UNUSED(name);
    ((struct ll_writer *)user)->frames_now = (uint32_t)frames;
    return SQLITE_OK;
}

/* -- the keeper's thread -- */

static void
fail_keeping(struct ll_writer *w, int code)
{
    struct ll_err err = {0};
    (void)ll_db_fail(&w->keeper_db, code, &err);
    (void)pthread_mutex_lock(&w->mutex);
    mark_failed(w, &err);
    (void)pthread_mutex_unlock(&w->mutex);
    ll_wakeup_send(w->wakeup);
}

/* One checkpoint; true if it did all there was to do. A reader in the way, or
 * a full disk, is no failure: the log still has everything, and the next one
 * tries again. */
static bool
checkpoint(struct ll_writer *w, int mode)
{
    w->folded = 0;
    int code = sqlite3_wal_checkpoint_v2(
        w->keeper_db.handle, NULL, mode, NULL, &w->folded);
    int kind = code & 0xff;
    if (code != SQLITE_OK && kind != SQLITE_BUSY && kind != SQLITE_LOCKED &&
        kind != SQLITE_FULL)
        fail_keeping(w, code);
    return code == SQLITE_OK;
}

/* A checkpoint beside the writer syncs nothing, as the log goes on. What it
 * copied is synced here, so that little is left for when the writer waits. */
static void
sync_ahead(struct ll_writer *w)
{
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(
        w->keeper_db.handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK && file->pMethods != NULL)
        code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    if (code != SQLITE_OK)
        fail_keeping(w, code);
}

/* Nobody writes from here on; with the mutex. */
static void
close_gate(struct ll_writer *w)
{
    w->gate_closed = true;
    while (w->writing)
        (void)pthread_cond_wait(&w->rest, &w->mutex);
}

static void
open_gate(struct ll_writer *w)
{
    w->gate_closed = false;
    (void)pthread_cond_signal(&w->work);
}

/* A checkpoint with no transaction open and none to come. It waits so long
 * for readers of what is older. With the mutex, which it gives up. */
static bool
checkpoint_alone(struct ll_writer *w, int mode, int wait_ms)
{
    close_gate(w);
    (void)pthread_mutex_unlock(&w->mutex);
    (void)sqlite3_busy_timeout(w->keeper_db.handle, wait_ms);
    bool whole = checkpoint(w, mode);
    (void)pthread_mutex_lock(&w->mutex);
    open_gate(w);
    return whole;
}

/* Everything of the log is in the file and it begins anew. Its bytes are
 * overwritten where they are, and the file stays as long as it was: to sync
 * bytes that take another's place costs half of what it costs to sync a file
 * that grows. In pieces, as somebody may have come meanwhile: then the rest
 * is for the next time. With the mutex, which it gives up. */
static void
wipe(struct ll_writer *w)
{
    int64_t at = ll_wal_bytes(0);
    int code = SQLITE_OK;
    while (
        code == SQLITE_OK && w->frames == 0 && !w->stop && at < w->used_bytes) {
        close_gate(w);
        bool empty = w->frames == 0;
        (void)pthread_mutex_unlock(&w->mutex);
        if (empty)
            code = ll_wal_wipe(w->keeper_db.handle, &at);
        (void)pthread_mutex_lock(&w->mutex);
        open_gate(w);
    }
    if (code != SQLITE_OK && code != SQLITE_FULL) {
        (void)pthread_mutex_unlock(&w->mutex);
        fail_keeping(w, code);
        (void)pthread_mutex_lock(&w->mutex);
    } else if (code == SQLITE_OK && w->frames == 0) {
        w->used_bytes = 0;
    }
}

/* Left alone, the log is emptied: overwritten, or, if it holds keys that were
 * taken away, cut to nothing at once. */
static void
empty_log(struct ll_writer *w)
{
    w->emptied_ns = ll_mono_now().ns;
    bool cut = w->wipe || !ll_wal_spare(w->keeper_db.handle, true);
    bool whole =
        checkpoint_alone(w, SQLITE_CHECKPOINT_TRUNCATE, LL_STORE_WAL_WAIT_MS);
    (void)ll_wal_spare(w->keeper_db.handle, false);
    if (!whole)
        return;
    w->wipe = false;
    w->emptied_ns = 0;
    w->frames = 0;
    w->frames_at = LL_STORE_WAL_FRAMES;
    if (cut)
        w->used_bytes = 0;
    else
        wipe(w);
}

/* Folds in what the log holds; `empty`: and leaves nothing in it. If little
 * has come meanwhile the log begins anew, which the writer waits for; if it
 * has no room, however much it is. With the mutex. */
static void
keep(struct ll_writer *w, bool empty)
{
    (void)pthread_mutex_unlock(&w->mutex);
    if (checkpoint(w, SQLITE_CHECKPOINT_PASSIVE))
        sync_ahead(w);
    int64_t folded = w->folded;
    (void)pthread_mutex_lock(&w->mutex);
    if (w->failed)
        return;
    w->frames_at = w->frames + LL_STORE_WAL_FRAMES;
    if (w->frames < LL_STORE_WAL_FRAMES_MAX &&
        w->frames_at > LL_STORE_WAL_FRAMES_MAX)
        w->frames_at = LL_STORE_WAL_FRAMES_MAX;
    bool full = w->frames >= LL_STORE_WAL_FRAMES_MAX;
    if (empty)
        empty_log(w);
    else if (w->holds == 0 &&
             (full || w->frames <= folded + LL_STORE_WAL_TAIL_FRAMES))
        (void)checkpoint_alone(w, SQLITE_CHECKPOINT_RESTART,
            full ? LL_STORE_WAL_WAIT_MS : LL_STORE_WAL_GLANCE_MS);
}

/* When the log should be emptied: when it was left alone for a while; if it
 * holds what must go, at once; after a vain try, after a while. */
static int64_t
empty_at_ns(const struct ll_writer *w)
{
    const int64_t while_ns = (int64_t)LL_STORE_IDLE_MS * 1000000;
    int64_t at = w->wipe ? 0 : w->written_ns + while_ns;
    int64_t again = w->emptied_ns == 0 ? 0 : w->emptied_ns + while_ns;
    return at > again ? at : again;
}

/* Waits until there is something to keep; true if the log should be
 * emptied. With the mutex. */
static bool
rest(struct ll_writer *w)
{
    while (!w->stop && !w->failed && w->frames < w->frames_at) {
        int64_t until = empty_at_ns(w);
        struct timespec at = {until / 1000000000, until % 1000000000};
        if (w->frames == 0 || w->holds > 0)
            (void)pthread_cond_wait(&w->rest, &w->mutex);
        else if (ll_mono_now().ns >= until)
            return true;
        else
            (void)pthread_cond_timedwait(&w->rest, &w->mutex, &at);
    }
    return false;
}

static void *
keeper_main(void *arg)
{
    struct ll_writer *w = arg;
    (void)pthread_mutex_lock(&w->mutex);
    for (;;) {
        bool empty = rest(w);
        if (w->stop || w->failed)
            break;
        w->keeping = true;
        keep(w, empty);
        w->keeping = false;
        (void)pthread_cond_signal(&w->work);
    }
    (void)pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* -- the loop -- */

static void
init_sync(struct ll_writer *w)
{
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&w->mutex, NULL);
    (void)pthread_cond_init(&w->work, NULL);
    (void)pthread_cond_init(&w->rest, &attr);
    (void)pthread_condattr_destroy(&attr);
}

static linli_status
start_threads(struct ll_writer *w, struct ll_err *err)
{
    w->writer_runs = ll_thread_start(&w->writer_thread, writer_main, w);
    if (w->writer_runs && !w->place->memory)
        w->keeper_runs = ll_thread_start(&w->keeper_thread, keeper_main, w);
    if (w->writer_runs && (w->keeper_runs || w->place->memory))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
        "no memory for the threads of the database");
}

linli_status
ll_writer_start(const struct ll_writer_options *options, struct ll_writer **out,
    struct ll_err *err)
{
    *out = NULL;
    struct ll_writer *w = ll_alloc(options->mem, sizeof *w);
    if (w == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the writer");
    *w = (struct ll_writer){.loop_mem = options->mem,
        .place = options->place,
        .wakeup = options->wakeup,
        .keys_epoch = options->keys_epoch,
        .head = options->head,
        .frames_at = LL_STORE_WAL_FRAMES,
        .used_bytes = INT64_MAX}; /* what an earlier process left */
    init_sync(w);
    ll_mem_init(&w->mem, 0);
    w->db = *options->db;
    linli_status status = ll_query_snapshot(&w->db, &w->durable, err);
    if (status == LINLI_OK)
        status = ll_sealer_init(&w->sealer, &w->mem, w->place->key, err);
    if (status == LINLI_OK)
        status = ll_applier_init(&w->applier, &w->mem, &w->db, &w->sealer, err);
    if (status == LINLI_OK)
        status = ll_head_judge(w->head, &w->applier.log, err);
    w->applier.gone_count = w->place->gone_count;
    if (status == LINLI_OK && !w->place->memory)
        status = ll_db_open(&w->keeper_db, w->place->name, LL_DB_KEEPER, err);
    if (status == LINLI_OK) {
        (void)sqlite3_wal_hook(w->db.handle, on_committed, w);
        status = start_threads(w, err);
    }
    *options->db = (struct ll_db){0};
    *out = w;
    if (status != LINLI_OK) {
        ll_writer_stop(w);
        ll_writer_free(out);
    }
    return status;
}

void
ll_writer_stop(struct ll_writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    writer->stop = true;
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_cond_signal(&writer->rest);
    (void)pthread_mutex_unlock(&writer->mutex);
    if (writer->keeper_runs)
        (void)pthread_join(writer->keeper_thread, NULL);
    if (writer->writer_runs)
        (void)pthread_join(writer->writer_thread, NULL);
    writer->keeper_runs = writer->writer_runs = false;
    ll_commits_move(&writer->done, &writer->wanted); /* came too late */
}

/* The last note, so that a copy of the database has it. */
static void
keep_note(struct ll_writer *w)
{
    struct ll_logtree *log = &w->applier.log;
    struct ll_err err;
    if (w->failed || log->merkle.size == 0 ||
        !ll_head_newer(w->head, &w->notes, &log->note) || log->note.len == 0 ||
        ll_place_begin(w->place, &w->db, true, &err) != LINLI_OK)
        return;
    if (ll_logtree_keep_note(log, &err) == LINLI_OK &&
        ll_place_commit(w->place, &w->db, &err) == LINLI_OK)
        return;
    ll_place_rollback(w->place, &w->db); /* linli.head has it all the same */
}

void
ll_writer_free(struct ll_writer **writer)
{
    struct ll_writer *w = *writer;
    if (w == NULL)
        return;
    *writer = NULL;
    ll_check(!w->writer_runs);
    ll_check(w->done.first == NULL);
    keep_note(w);
    ll_applier_fini(&w->applier);
    ll_sealer_fini(&w->sealer);
    /* After a failed sync, what the log's pages hold is known to nobody:
     * they are read from the disk when the database is opened again. */
    if (w->failed && w->keeper_db.handle != NULL)
        ll_db_leave_log(&w->keeper_db, true);
    if (w->failed)
        ll_db_leave_log(&w->db, true);
    ll_db_close(&w->keeper_db);
    ll_db_close(&w->db);
    (void)pthread_cond_destroy(&w->work);
    (void)pthread_cond_destroy(&w->rest);
    (void)pthread_mutex_destroy(&w->mutex);
    ll_check(w->mem.used_bytes == 0);
    ll_release(w->loop_mem, w, sizeof *w);
}

void
ll_writer_push(struct ll_writer *writer, struct ll_commits *commits)
{
    (void)pthread_mutex_lock(&writer->mutex);
    ll_commits_move(&writer->wanted, commits);
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_mutex_unlock(&writer->mutex);
}

bool
ll_writer_pull(struct ll_writer *writer, struct ll_commits *done,
    uint64_t *durable, struct ll_err *err)
{
    (void)pthread_mutex_lock(&writer->mutex);
    ll_commits_move(done, &writer->done);
    *durable = writer->durable;
    bool failed = writer->failed;
    if (failed)
        *err = writer->err;
    (void)pthread_mutex_unlock(&writer->mutex);
    return failed;
}

void
ll_writer_hold(struct ll_writer *writer, bool held)
{
    (void)pthread_mutex_lock(&writer->mutex);
    if (held)
        writer->holds++;
    else
        writer->holds--;
    (void)pthread_cond_signal(&writer->rest);
    (void)pthread_mutex_unlock(&writer->mutex);
}
