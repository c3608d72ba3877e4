/* host/work.c: the queue of a space: who is next, and what becomes of it.
 * [loop] */
#include "host/work.h"

#include "base/text.h"
#include "data/put.h"
#include "host/clock.h"
#include "host/device.h"
#include "host/effect.h"
#include "host/task.h"

/* Looked up at once. */
#define AHEAD 64
/* Of the loop's timer: it looks again. */
#define SLEEP_MS_MAX ((int64_t)60 * 60 * 1000)
#define JOB_ARENA_BYTES_MAX ((size_t)4 << 20)

struct due {
    int64_t due_ms;
    struct ll_doc *doc; /* a reference */
};

struct ll_queue {
    struct ll_instance *instance;
    struct ll_coll *coll;
    struct ll_ix *by_due;
    struct ll_txn txn; /* of the scan; it commits nothing */
    struct ll_scan scan;
    bool scanning;
    bool stale;      /* something earlier may be in the store */
    bool all;        /* nothing is behind the last of `ahead` */
    int64_t next_ms; /* nothing is due before; INT64_MAX: nothing at all */
    struct due ahead[AHEAD];
    uint32_t ahead_from, ahead_count;
    uint32_t open; /* tasks that run */
};

/* A task and what it needs. */
struct job {
    struct ll_task task;
    struct ll_queue *queue;
    struct ll_arena arena;
    uint32_t attempts;
};

int64_t
ll_task_pause_ms(uint32_t attempts)
{
    int64_t ms = LL_TASK_PAUSE_MS_FIRST;
    for (uint32_t i = 1; i < attempts && ms < LL_TASK_PAUSE_MS_MAX; i++)
        ms *= 2;
    return ms < LL_TASK_PAUSE_MS_MAX ? ms : LL_TASK_PAUSE_MS_MAX;
}

bool
ll_task_not_its_fault(linli_str code)
{
    static const char *const codes[] = {"runtime/draining", "runtime/memory",
        "runtime/busy", "plugin/disabled", "sandbox/breaker-open",
        "sandbox/start", "store/failed"};
    for (size_t i = 0; i < LL_COUNT(codes); i++)
        if (ll_str_is(code, codes[i]))
            return true;
    return false;
}

static void
drop_ahead(struct ll_queue *queue)
{
    for (uint32_t i = queue->ahead_from; i < queue->ahead_count; i++)
        ll_doc_unref(&queue->ahead[i].doc);
    queue->ahead_from = queue->ahead_count = 0;
    queue->all = false;
}

/* Not at once: it may be a bad disk, or no memory. */
static int64_t
in_a_while(const struct ll_host *host)
{
    return ll_world_wall(host->world).ms + LL_TASK_PAUSE_MS_FIRST;
}

/* What is ahead cannot be had now: all of it is looked up again. */
static void
look_later(struct ll_queue *queue)
{
    drop_ahead(queue);
    queue->all = queue->stale = true;
    queue->next_ms = in_a_while(queue->instance->host);
}

/* -- the loop's timer -- */

static void
on_due(void *user)
{
    ll_work_pump(user);
}

static void
set_timer(struct ll_host *host)
{
    int64_t next_ms = ll_work_next_ms(host);
    if (host->work_timer == NULL)
        host->work_timer = ll_timer_new(host->world, on_due, host);
    if (host->work_timer == NULL)
        return;
    int64_t now_ms = ll_world_wall(host->world).ms;
    int64_t in_ms = next_ms <= now_ms ? 0 : SLEEP_MS_MAX;
    if (next_ms > now_ms && next_ms < now_ms + SLEEP_MS_MAX)
        in_ms = next_ms - now_ms;
    if (host->virtual_clock && in_ms > 0)
        return; /* it stands: who moves it looks */
    ll_timer_set(host->work_timer, in_ms, 0);
}

/* -- what a task came to -- */

static void
job_free(struct job *job)
{
    struct ll_host *host = job->queue->instance->host;
    if (job->task.doc != NULL)
        job->task.doc->owner = NULL;
    ll_doc_unref(&job->task.doc);
    ll_identity_unref(&job->task.device);
    ll_arena_fini(&job->arena);
    job->queue->open--;
    ll_release(&host->mem, job, sizeof *job);
}

static void
alert_dead(struct job *job, linli_str code)
{
    bool device = job->task.kind == LL_TASK_DEVICE;
    struct ll_dead dead = {
        .kind = device ? "linli.dead_device_event" : "linli.dead_timer",
        .id = job->task.doc->id,
        .run = job->task.name,
        .code = code,
        .attempts = job->attempts};
    ll_host_alert_dead(job->queue->instance, &dead);
}

/* Writes the document with another due and one more attempt; without a due
 * it stays, as evidence, and is not tried again. False without memory. */
static bool
put_off(struct job *job, int64_t due_ms)
{
    bool kept = false;
    struct ll_host *host = job->queue->instance->host;
    struct ll_doc *doc = job->task.doc;
    struct ll_json json;
    struct ll_buf text;
    ll_json_init(&json, &host->mem);
    ll_buf_init(&text, &host->mem, LL_COMMIT_BYTES_MAX);
    if (doc->content != NULL && ll_json_parse(&json, doc->content->body,
                                    LL_JSON_DEPTH_MAX, NULL) == LINLI_OK) {
        struct ll_jw w = ll_jw(&text);
        ll_jw_open(&w, '{');
        LL_JSON_MEMBERS (name, value, ll_json_root(&json)) {
            if (ll_str_is(ll_jv_str(name), "due") ||
                ll_str_is(ll_jv_str(name), "attempts"))
                continue;
            ll_jw_key_str(&w, ll_jv_str(name));
            ll_jw_value(&w, value);
        }
        ll_jw_key(&w, "attempts");
        ll_jw_int(&w, job->attempts);
        if (due_ms != INT64_MAX) {
            ll_jw_key(&w, "due");
            ll_jw_int(&w, due_ms);
        }
        ll_jw_close(&w, '}');
        kept = ll_docs_put_now(&host->docs, doc, &text, job->task.now_ms) != 0;
    }
    ll_buf_fini(&text);
    ll_json_fini(&json);
    return kept;
}

/* The plugin has said no to a device's event, as it might have at once: that
 * is an answer, not a failure. */
static bool
says_no(const struct job *job, int status, linli_str code)
{
    return job->task.kind == LL_TASK_DEVICE && status >= 400 && status < 500 &&
           !ll_str_is(code, "request/not-found") &&
           !ll_task_not_its_fault(code);
}

/* What it stands for is there still, as it was: nobody has settled it, and no
 * call has cancelled or replaced it meanwhile. */
static bool
still_there(const struct job *job)
{
    const struct ll_host *host = job->queue->instance->host;
    const struct ll_doc *doc = job->task.doc;
    return doc->content != NULL && doc->version == job->task.version &&
           host->failure.status == LINLI_OK;
}

static bool
take_failure(struct job *job, linli_str code)
{
    struct ll_host *host = job->queue->instance->host;
    bool counts = !ll_task_not_its_fault(code);
    job->attempts += counts;
    bool dead = job->attempts >= LL_TASK_ATTEMPTS_MAX;
    int64_t pause_ms = ll_task_pause_ms(counts ? job->attempts : 1);
    if (dead)
        alert_dead(job, code);
    return put_off(
        job, dead ? INT64_MAX : ll_world_wall(host->world).ms + pause_ms);
}

static void
on_task_done(struct ll_task *task, int status, linli_str code)
{
    struct job *job = LL_CONTAINER(task, struct job, task);
    struct ll_host *host = job->queue->instance->host;
    struct ll_queue *queue = job->queue;
    bool failed = status >= 300 && still_there(job);
    bool kept = true;
    if (failed && says_no(job, status, code))
        kept = ll_docs_put_now(&host->docs, task->doc, NULL, task->now_ms) != 0;
    else if (failed && !host->draining)
        kept = take_failure(job, code);
    /* While it was in hand, no scan has looked at it. */
    bool again = task->doc->content != NULL;
    job_free(job);
    if (again) {
        queue->stale = true;
        queue->next_ms = kept ? INT64_MIN : in_a_while(host);
    }
    /* Not from within: a thousand of them would lie on the stack. */
    if (host->work_timer != NULL)
        ll_timer_set(host->work_timer, 0, 0);
}

/* -- starting one -- */

static linli_str
text_of(struct job *job, struct ll_jv root, const char *name)
{
    linli_str s = ll_jv_str(ll_jv_get(root, name));
    return ll_arena_str(&job->arena, s);
}

static void
read_timer(struct job *job, struct ll_jv root)
{
    struct ll_buf text;
    struct ll_task *task = &job->task;
    ll_buf_init(&text, job->arena.mem, LL_COMMIT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_value(&w, ll_jv_get(root, "with"));
    task->kind = LL_TASK_TIMER;
    task->name = text_of(job, root, "run");
    task->input = ll_arena_str(&job->arena, ll_buf_view(&text));
    (void)ll_jv_int(ll_jv_get(root, "at"), &task->due_ms);
    ll_buf_fini(&text);
}

static bool
read_job(struct job *job)
{
    struct ll_host *host = job->queue->instance->host;
    struct ll_json json;
    int64_t attempts = 0;
    ll_json_init(&json, &host->mem);
    bool good = ll_json_parse(&json, job->task.doc->content->body,
                    LL_JSON_DEPTH_MAX, NULL) == LINLI_OK;
    if (good) {
        struct ll_jv root = ll_json_root(&json);
        (void)ll_jv_int(ll_jv_get(root, "attempts"), &attempts);
        job->attempts = (uint32_t)attempts;
        if (ll_str_is(ll_jv_str(ll_jv_get(root, "kind")), "timer"))
            read_timer(job, root);
        else
            good = ll_device_read_work(
                &job->task, &job->arena, job->queue->instance, root);
    }
    ll_json_fini(&json);
    return good && !job->arena.failed;
}

/* The first value of a key of by_due. */
static int64_t
due_of(linli_str key)
{
    uint64_t bits = 0;
    for (size_t i = 1; i < 9 && i < key.len; i++)
        bits = bits << 8 | (unsigned char)key.ptr[i];
    return (int64_t)(bits ^ (uint64_t)1 << 63);
}

/* False without memory. */
static bool
start_job(struct ll_queue *queue, struct due *due)
{
    struct ll_host *host = queue->instance->host;
    struct ll_doc *doc = due->doc;
    struct job *job = NULL;
    due->doc = NULL;
    /* Cancelled, moved since it was looked up, or its device's call is still
     * at it. */
    linli_str key = ll_content_key(doc->content, queue->by_due);
    bool wanted =
        key.ptr != NULL && due_of(key) == due->due_ms && doc->owner == NULL;
    if (wanted)
        job = ll_alloc(&host->mem, sizeof *job);
    if (job == NULL) {
        ll_doc_unref(&doc);
        return !wanted;
    }
    queue->open++;
    job->queue = queue;
    ll_arena_init(&job->arena, &host->mem, JOB_ARENA_BYTES_MAX);
    job->task = (struct ll_task){.instance = queue->instance,
        .doc = doc,
        .version = doc->version,
        .there = true,
        .now_ms = ll_world_wall(host->world).ms,
        .done = on_task_done};
    doc->owner = job;
    if (!read_job(job) || !ll_call_start_task(host, &job->task))
        on_task_done(&job->task, 503, LINLI_STR("runtime/memory"));
    return true;
}

/* -- who is next -- */

static void pump(struct ll_queue *queue);

static void
on_scanned(struct ll_scan *scan)
{
    struct ll_queue *queue = scan->user;
    drop_ahead(queue);
    queue->scanning = false;
    queue->all = scan->status == LINLI_OK && scan->exhausted;
    queue->next_ms = INT64_MAX;
    for (uint32_t i = 0; scan->status == LINLI_OK && i < scan->count; i++) {
        struct ll_scan_item *item = &scan->items[i];
        if (item->doc->owner != NULL)
            continue;
        if (queue->ahead_count == AHEAD) {
            queue->all = false;
            break;
        }
        int64_t due_ms = due_of(item->key);
        queue->ahead[queue->ahead_count++] = (struct due){due_ms, item->doc};
        item->doc = NULL;
    }
    if (queue->ahead_count > 0)
        queue->next_ms = queue->ahead[0].due_ms;
    if (scan->status != LINLI_OK)
        look_later(queue);
    ll_scan_fini(scan);
    ll_txn_reset(&queue->txn);
    pump(queue);
    set_timer(queue->instance->host);
}

static void
scan_queue(struct ll_queue *queue)
{
    queue->stale = false;
    queue->scanning = true;
    ll_scan_init(&queue->scan, &queue->txn);
    queue->scan.coll = queue->coll;
    queue->scan.ix = queue->by_due;
    queue->scan.limit = AHEAD + queue->open;
    queue->scan.done = on_scanned;
    queue->scan.user = queue;
    ll_scan_start(&queue->scan);
}

static bool
serves(const struct ll_queue *queue)
{
    const struct ll_instance *instance = queue->instance;
    return instance->state == LL_INSTANCE_ENABLED && instance->pool != NULL &&
           !instance->host->draining &&
           instance->host->failure.status == LINLI_OK;
}

static void
pump(struct ll_queue *queue)
{
    int64_t now_ms = ll_world_wall(queue->instance->host->world).ms;
    if (queue->scanning || !serves(queue))
        return;
    if (queue->stale && queue->next_ms <= now_ms) {
        scan_queue(queue);
        return;
    }
    while (queue->ahead_from < queue->ahead_count &&
           queue->open < LL_TASKS_OPEN_MAX &&
           queue->ahead[queue->ahead_from].due_ms <= now_ms)
        if (!start_job(queue, &queue->ahead[queue->ahead_from++])) {
            look_later(queue);
            return;
        }
    if (queue->ahead_from < queue->ahead_count) {
        int64_t due_ms = queue->ahead[queue->ahead_from].due_ms;
        if (!queue->stale || due_ms < queue->next_ms)
            queue->next_ms = due_ms;
    } else if (!queue->all) {
        if (queue->open < LL_TASKS_OPEN_MAX)
            scan_queue(queue);
    } else if (!queue->stale) {
        queue->next_ms = INT64_MAX;
    }
}

/* A commit has written one: it may be the next. */
static void
on_written(struct ll_coll *coll, const struct ll_doc *doc)
{
    struct ll_queue *queue = coll->user;
    linli_str key = ll_content_key(doc->content, queue->by_due);
    if (key.ptr == NULL)
        return;
    int64_t due_ms = due_of(key);
    bool behind = !queue->all && queue->ahead_count > 0 &&
                  due_ms > queue->ahead[queue->ahead_count - 1].due_ms;
    if (behind)
        return;
    queue->stale = true;
    if (due_ms < queue->next_ms)
        queue->next_ms = due_ms;
    set_timer(queue->instance->host);
}

void
ll_work_again(struct ll_instance *instance)
{
    struct ll_queue *queue = instance->queue;
    if (queue == NULL)
        return;
    queue->stale = true;
    queue->next_ms = INT64_MIN;
    set_timer(instance->host);
}

void
ll_work_pump(struct ll_host *host)
{
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            if (i->queue != NULL)
                pump(i->queue);
    set_timer(host);
    ll_host_clock_step(host);
}

bool
ll_work_idle(const struct ll_host *host)
{
    int64_t now_ms = ll_world_wall(host->world).ms;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            if (i->queue != NULL && serves(i->queue) &&
                (i->queue->scanning || i->queue->open > 0 ||
                    i->queue->next_ms <= now_ms))
                return false;
    return true;
}

int64_t
ll_work_next_ms(const struct ll_host *host)
{
    int64_t next_ms = INT64_MAX;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            /* What a scan finds is known when it ends, which looks again. */
            if (i->queue != NULL && serves(i->queue) && !i->queue->scanning &&
                i->queue->open < LL_TASKS_OPEN_MAX &&
                i->queue->next_ms < next_ms)
                next_ms = i->queue->next_ms;
    return next_ms;
}

/* -- opening -- */

struct ll_coll *
ll_work_coll(struct ll_instance *instance)
{
    return ll_space_coll(instance->space, LINLI_STR("~work"));
}

linli_status
ll_work_open(struct ll_instance *instance, struct ll_err *err)
{
    struct ll_host *host = instance->host;
    struct ll_queue *queue = instance->queue;
    struct ll_coll *coll = ll_work_coll(instance);
    if (queue == NULL && coll != NULL) {
        queue = ll_alloc(&host->mem, sizeof *queue);
        if (queue != NULL) {
            ll_txn_init(&queue->txn, &host->docs);
            queue->instance = instance;
            queue->coll = coll;
            coll->subject = (linli_str)LINLI_STR("subject");
            coll->user = queue;
            coll->written = on_written;
            instance->queue = queue;
        }
    }
    if (queue != NULL && queue->by_due == NULL)
        queue->by_due = ll_coll_index(coll, LINLI_STR("by_due"),
            LINLI_STR("{\"fields\":[\"due\",\"seq\"],\"sparse\":true}"));
    if (queue == NULL || queue->by_due == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a queue");
    queue->stale = true;
    queue->next_ms = INT64_MIN;
    set_timer(host);
    return LINLI_OK;
}

void
ll_work_close(struct ll_instance *instance)
{
    struct ll_queue *queue = instance->queue;
    if (queue == NULL)
        return;
    ll_check(queue->open == 0);
    instance->queue = NULL;
    queue->coll->written = NULL;
    if (queue->scanning)
        ll_scan_fini(&queue->scan);
    drop_ahead(queue);
    ll_txn_fini(&queue->txn);
    ll_release(&instance->host->mem, queue, sizeof *queue);
}
