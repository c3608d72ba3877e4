/* host/work.c: what a plugin does at a time, and what becomes of it. [loop] */
#include "host/work.h"

#include <stdio.h>

#include "base/text.h"
#include "data/put.h"
#include "host/await.h"
#include "host/device.h"
#include "host/effect.h"
#include "host/payment.h"
#include "host/queue.h"
#include "host/rights.h"
#include "host/task.h"
#include "host/uninstall.h"

#define JOB_ARENA_BYTES_MAX ((size_t)4 << 20)

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

/* -- what a task came to -- */

static struct ll_instance *
instance_of(const struct ll_queue *queue)
{
    return queue->user;
}

static void
job_free(struct job *job)
{
    struct ll_host *host = job->queue->host;
    if (job->task.doc != NULL)
        job->task.doc->owner = NULL;
    ll_doc_unref(&job->task.doc);
    ll_content_free(&host->mem, &job->task.after);
    ll_identity_unref(&job->task.device);
    ll_arena_fini(&job->arena);
    ll_release(&host->mem, job, sizeof *job);
}

static struct ll_dead
dead_of(const struct job *job, linli_str code)
{
    static const char *const kinds[] = {[LL_TASK_TIMER] = "linli.dead_timer",
        [LL_TASK_JOB] = "linli.dead_job",
        [LL_TASK_ANSWER] = "linli.dead_answer",
        [LL_TASK_PAYMENT] = "linli.dead_payment",
        [LL_TASK_DEVICE] = "linli.dead_device_event"};
    return (struct ll_dead){.kind = kinds[job->task.kind],
        .id = job->task.doc->id,
        .run = job->task.name,
        .code = code,
        .attempts = job->attempts,
        .subject = job->task.doc->content->subject,
        .trace_id = ll_cstr(job->task.trace_id)};
}

/* The plugin has said no to a device's event, or to who awaited an answer, as
 * it might have at once: that is an answer, not a failure. */
static bool
says_no(const struct job *job, int status, linli_str code)
{
    bool final = job->task.kind == LL_TASK_DEVICE ? status < 500
                 : job->task.kind == LL_TASK_ANSWER
                     ? ll_await_final(&job->task, status, code)
                     : false;
    return final && status >= 400 && !ll_str_is(code, "request/not-found") &&
           !ll_task_not_its_fault(code);
}

/* What it stands for is there still, as it was: nobody has settled it, and no
 * call has cancelled or replaced it meanwhile. */
static bool
still_there(const struct job *job)
{
    const struct ll_host *host = job->queue->host;
    const struct ll_doc *doc = job->task.doc;
    return doc->content != NULL && doc->version == job->task.version &&
           host->failure.status == LINLI_OK;
}

static bool
take_failure(struct job *job, linli_str code)
{
    char code_text[64];
    struct ll_host *host = job->queue->host;
    bool counts = !ll_task_not_its_fault(code);
    job->attempts += counts;
    bool dead = job->attempts >= LL_TASK_ATTEMPTS_MAX;
    int64_t now_ms = ll_world_wall(host->world).ms;
    int64_t pause_ms = ll_task_pause_ms(counts ? job->attempts : 1);
    struct ll_dead alert = dead_of(job, code);
    struct ll_put_off to = {.due_ms = dead ? INT64_MAX : now_ms + pause_ms,
        .attempts = job->attempts,
        .now_ms = now_ms,
        .code = code_text,
        .dead = dead ? &alert : NULL};
    (void)snprintf(code_text, sizeof code_text, "%.*s", LL_FMT(code));
    return ll_queue_put_off(host, job->task.doc, &to);
}

static void
on_task_done(struct ll_task *task, int status, linli_str code)
{
    struct job *job = LL_CONTAINER(task, struct job, task);
    struct ll_host *host = job->queue->host;
    struct ll_queue *queue = job->queue;
    bool failed = status >= 300 && still_there(job);
    bool kept = true;
    if (failed && says_no(job, status, code))
        kept = ll_docs_put_now(&host->docs, task->doc, NULL, task->now_ms) != 0;
    else if (failed && !host->draining)
        kept = take_failure(job, code);
    bool again = task->doc->content != NULL;
    if (queue == instance_of(queue)->leave && !again)
        ll_uninstall_called(instance_of(queue));
    else if (task->kind == LL_TASK_JOB && !again)
        ll_rights_called(instance_of(queue), task->doc->id);
    job_free(job);
    ll_queue_ended(queue, again, !kept);
}

/* -- starting one -- */

static linli_str
text_of(struct job *job, struct ll_jv root, const char *name)
{
    linli_str s = ll_jv_str(ll_jv_get(root, name));
    return ll_arena_str(&job->arena, s);
}

/* A timer, a job, what a payment has come to. */
static void
read_timer(struct job *job, struct ll_jv root, enum ll_task_kind kind)
{
    struct ll_buf text;
    struct ll_task *task = &job->task;
    ll_buf_init(&text, job->arena.mem, LL_COMMIT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_value(&w, ll_jv_get(root, "with"));
    task->kind = kind;
    task->name = text_of(job, root, "run");
    task->input = ll_arena_str(&job->arena, ll_buf_view(&text));
    (void)ll_jv_int(ll_jv_get(root, "at"), &task->due_ms);
    ll_buf_fini(&text);
}

/* The next that a payment has come to is another call, after this one. */
static bool
read_payment(struct job *job, struct ll_jv root)
{
    struct ll_task *task = &job->task;
    read_timer(job, root, LL_TASK_PAYMENT);
    return ll_pay_work_after(
        job->queue->coll, root, task->now_ms, &task->after);
}

static bool
read_answer(struct job *job, struct ll_jv root)
{
    read_timer(job, root, LL_TASK_ANSWER);
    return ll_await_read_work(&job->task, &job->arena, root);
}

static bool
read_job(struct job *job)
{
    struct ll_host *host = job->queue->host;
    struct ll_json json;
    int64_t attempts = 0;
    ll_json_init(&json, &host->mem);
    bool good = ll_json_parse(&json, job->task.doc->content->body,
                    LL_JSON_DEPTH_MAX, NULL) == LINLI_OK;
    if (good) {
        struct ll_jv root = ll_json_root(&json);
        (void)ll_jv_int(ll_jv_get(root, "attempts"), &attempts);
        job->attempts = (uint32_t)attempts;
        linli_str kind = ll_jv_str(ll_jv_get(root, "kind"));
        if (ll_str_is(kind, "timer"))
            read_timer(job, root, LL_TASK_TIMER);
        else if (ll_str_is(kind, "job"))
            read_timer(job, root, LL_TASK_JOB);
        else if (ll_str_is(kind, "payment"))
            good = read_payment(job, root);
        else if (ll_str_is(kind, "answer"))
            good = read_answer(job, root);
        else
            good = ll_device_read_work(
                &job->task, &job->arena, instance_of(job->queue), root);
    }
    ll_json_fini(&json);
    return good && !job->arena.failed;
}

/* False without memory. */
static bool
start_job(struct ll_queue *queue, struct ll_doc *doc)
{
    struct ll_host *host = queue->host;
    struct job *job = ll_alloc(&host->mem, sizeof *job);
    if (job == NULL) {
        ll_doc_unref(&doc);
        return false;
    }
    queue->open++;
    job->queue = queue;
    ll_arena_init(&job->arena, &host->mem, JOB_ARENA_BYTES_MAX);
    job->task = (struct ll_task){.instance = instance_of(queue),
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

/* -- opening -- */

static bool
serves(const struct ll_queue *queue)
{
    const struct ll_instance *instance = instance_of(queue);
    return instance->state == LL_INSTANCE_ENABLED && instance->pool != NULL;
}

void
ll_work_again(struct ll_instance *instance)
{
    if (instance->work != NULL)
        ll_queue_again(instance->work);
}

struct ll_coll *
ll_work_coll(struct ll_instance *instance)
{
    return ll_space_coll(instance->space, LINLI_STR("~work"));
}

linli_status
ll_work_open(struct ll_instance *instance, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    if (instance->work == NULL)
        status = ll_queue_open(
            instance->host, ll_work_coll(instance), &instance->work, err);
    if (status != LINLI_OK)
        return status;
    instance->work->serves = serves;
    instance->work->start = start_job;
    instance->work->user = instance;
    instance->work->open_max = LL_TASKS_OPEN_MAX;
    ll_queue_again(instance->work);
    return LINLI_OK;
}

static bool
serves_leave(const struct ll_queue *queue)
{
    const struct ll_instance *instance = instance_of(queue);
    return instance->state == LL_INSTANCE_UNINSTALLING &&
           instance->pool != NULL;
}

linli_status
ll_work_leave(struct ll_instance *instance, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    if (instance->leave == NULL)
        status = ll_queue_open(instance->host,
            ll_space_coll(instance->space, LINLI_STR(LL_LEAVE)),
            &instance->leave, err);
    if (status != LINLI_OK)
        return status;
    instance->leave->serves = serves_leave;
    instance->leave->start = start_job;
    instance->leave->user = instance;
    instance->leave->open_max = 1;
    ll_queue_again(instance->leave);
    return LINLI_OK;
}

void
ll_work_close(struct ll_instance *instance)
{
    ll_queue_close(&instance->leave);
    ll_queue_close(&instance->work);
}
