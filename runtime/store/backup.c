/* store/backup.c: a copy of the database as of now. */
#include "store/backup.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/limits.h"
#include "store/query.h"
#include "world/file.h"
#include "world/thread.h"

struct ll_backup {
    struct ll_mem *loop_mem;
    struct ll_place *place;
    struct ll_wakeup *wakeup;
    pthread_t thread;
    bool running; /* not joined */
    atomic_bool cancelled, done;
    char path[4000], aside[4096];   /* the copy while it is made */
    struct ll_backup_result result; /* the thread's until done */
};

/* Says "store/backup" of what stood in the way of the copy. */
static linli_status
as_backup(const struct ll_backup *b, struct ll_err *err, linli_status status)
{
    if (status == LINLI_OK || status == LINLI_E_CLOSED)
        return status;
    (void)snprintf(err->code, sizeof err->code, "store/backup");
    if (err->where[0] == '\0')
        ll_err_where(err, "%s", b->path);
    return status;
}

static linli_status
copy_pages(struct ll_backup *b, struct ll_db *to, struct ll_db *from,
    struct ll_err *err)
{
    sqlite3_backup *copy =
        sqlite3_backup_init(to->handle, "main", from->handle, "main");
    if (copy == NULL)
        return ll_db_fail(to, sqlite3_errcode(to->handle), err);
    int code = SQLITE_OK;
    while (code == SQLITE_OK && !atomic_load(&b->cancelled))
        code = sqlite3_backup_step(copy, LL_STORE_BACKUP_PAGES);
    (void)sqlite3_backup_finish(copy);
    if (code == SQLITE_OK)
        return ll_fail(
            err, LINLI_E_CLOSED, "runtime/draining", "the store was closed");
    return code == SQLITE_DONE ? LINLI_OK : ll_db_fail(to, code, err);
}

static linli_status
copy_snapshot(struct ll_backup *b, struct ll_db *to, struct ll_err *err)
{
    struct ll_db from;
    linli_status status = ll_db_open(&from, b->place->name, LL_DB_READER, err);
    if (status != LINLI_OK)
        return status;
    status = ll_place_begin(b->place, &from, false, err);
    if (status == LINLI_OK) {
        status = ll_query_snapshot(&from, &b->result.number, err);
        if (status == LINLI_OK)
            status = copy_pages(b, to, &from, err);
        ll_place_rollback(b->place, &from);
    }
    ll_db_close(&from);
    return status;
}

static linli_status
make_copy(struct ll_backup *b, struct ll_err *err)
{
    struct ll_db to;
    unsigned char head[LL_FILE_HEAD_BYTES];
    linli_status status = ll_file_make(LL_AT_CWD, b->aside, 0600, err);
    if (status != LINLI_OK)
        return status;
    status = ll_db_open(&to, b->aside, LL_DB_COPY, err);
    if (status == LINLI_OK) {
        status = copy_snapshot(b, &to, err);
        ll_db_close(&to);
    }
    if (status == LINLI_OK)
        status = ll_file_sync(LL_AT_CWD, b->aside, err);
    if (status == LINLI_OK)
        status = ll_file_head(LL_AT_CWD, b->aside, head, &b->result.bytes, err);
    if (status == LINLI_OK)
        status = ll_file_rename(LL_AT_CWD, b->aside, b->path, err);
    if (status != LINLI_OK)
        ll_place_remove(LL_AT_CWD, b->aside);
    return status;
}

static void *
backup_main(void *arg)
{
    struct ll_backup *b = arg;
    struct ll_err *err = &b->result.err;
    b->result.status = as_backup(b, err, make_copy(b, err));
    if (b->result.status != LINLI_OK)
        b->result.bytes = 0;
    atomic_store(&b->done, true);
    ll_wakeup_send(b->wakeup);
    return NULL;
}

linli_status
ll_backup_start(const struct ll_backup_options *options, struct ll_backup **out,
    struct ll_err *err)
{
    *out = NULL;
    if (strlen(options->path) >= sizeof((struct ll_backup *)0)->path)
        return ll_fail(
            err, LINLI_E_LIMIT, "store/backup", "its path is too long");
    if (ll_file_there(LL_AT_CWD, options->path)) {
        linli_status status =
            ll_fail(err, LINLI_E_CONFLICT, "store/backup", "is there already");
        ll_err_where(err, "%s", options->path);
        return status;
    }
    struct ll_backup *b = ll_alloc(options->mem, sizeof *b);
    if (b == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "the backup");
    b->loop_mem = options->mem;
    b->place = options->place;
    b->wakeup = options->wakeup;
    (void)snprintf(b->path, sizeof b->path, "%s", options->path);
    (void)snprintf(b->aside, sizeof b->aside, "%s.new", options->path);
    b->running = ll_thread_start(&b->thread, backup_main, b);
    if (!b->running) {
        ll_release(options->mem, b, sizeof *b);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
            "no memory for the backup's thread");
    }
    *out = b;
    return LINLI_OK;
}

static void
join(struct ll_backup *b)
{
    if (b->running)
        (void)pthread_join(b->thread, NULL);
    b->running = false;
}

void
ll_backup_cancel(struct ll_backup *backup)
{
    atomic_store(&backup->cancelled, true);
    join(backup);
}

bool
ll_backup_done(const struct ll_backup *backup)
{
    return atomic_load(&backup->done);
}

void
ll_backup_free(struct ll_backup **backup, struct ll_backup_result *result)
{
    struct ll_backup *b = *backup;
    *backup = NULL;
    join(b);
    *result = b->result;
    ll_release(b->loop_mem, b, sizeof *b);
}
