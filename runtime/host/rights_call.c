/* host/rights_call.c: plugins are told what a resident demands. [loop]
 *
 * Each that knows the resident and handles the call gets it as a job of its
 * own, with the retries of any job, and has until the request's deadline.
 * What is erased is erased then, whether it has answered or not; a copy says
 * who has not. What a plugin answers to "resident.export" becomes a document of
 * its space about them, in the commit that settles the job.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "host/alert.h"
#include "host/call.h"
#include "host/duty.h"
#include "host/rights_int.h"
#include "host/task.h"
#include "host/work.h"

/* A plugin that has not come by then is told nothing. */
#define ASKED_MS 3600000
#define CALL_ID_BYTES (LL_REQUEST_ID_DIGITS + 16)

/* "redact-ID" and "resident.redact". */
static const char *
verb_of(const struct ll_erasing *e)
{
    return ll_erase_copies(e) ? "export" : "redact";
}

static linli_str
call_id(const struct ll_erasing *e, char out[CALL_ID_BYTES])
{
    int n = snprintf(out, CALL_ID_BYTES, "%s-%.*s", verb_of(e), LL_FMT(e->id));
    ll_check(n > 0 && n < CALL_ID_BYTES);
    return (linli_str){out, (size_t)n};
}

static bool
handles(const struct ll_erasing *e, const struct ll_erase_target *target)
{
    char name[32];
    (void)snprintf(name, sizeof name, "resident.%s", verb_of(e));
    return target->instance != NULL && target->instance->package != NULL &&
           target->instance->state != LL_INSTANCE_UNINSTALLING &&
           ll_manifest_complies(
               target->instance->package->manifest, ll_cstr(name));
}

static void
write_call(struct ll_erasing *e, const struct ll_erase_target *target,
    linli_str id, struct ll_buf *text)
{
    char run[32];
    struct ll_jw w = ll_jw(text);
    (void)snprintf(run, sizeof run, "resident.%s", verb_of(e));
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, id);
    ll_jw_key(&w, "kind");
    ll_jw_cstr(&w, "job");
    ll_queue_write_due(e->host, &w, e->now_ms);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, e->now_ms);
    ll_jw_key(&w, "run");
    ll_jw_cstr(&w, run);
    ll_jw_key(&w, "with");
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "deadline");
    ll_jw_int(&w, e->deadline_ms);
    ll_jw_key(&w, "request");
    ll_jw_str(&w, e->id);
    ll_jw_key(&w, "resident");
    ll_jw_cstr(&w, target->subject);
    ll_jw_close(&w, '}');
    ll_jw_key(&w, "subject");
    ll_jw_cstr(&w, target->subject);
    ll_jw_close(&w, '}');
}

/* The request is looked at again, later with each time. */
static bool
wait_on(struct ll_erasing *e, const char *state)
{
    static const char *const without[] = {"recheck", NULL};
    struct ll_docs *docs = &e->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_txn txn;
    if (commit == NULL) {
        ll_erase_end(e, true);
        return false;
    }
    bool asked = strcmp(state, "asked") == 0;
    int64_t wait_ms = e->recheck_ms != 0 ? 2 * e->recheck_ms
                      : asked            ? LL_TASK_PAUSE_MS_FIRST
                                         : LL_REQUEST_RECHECK_MS;
    if (wait_ms > LL_TASK_PAUSE_MS_MAX)
        wait_ms = LL_TASK_PAUSE_MS_MAX;
    int64_t due_ms = e->now_ms + wait_ms;
    ll_txn_init(&txn, docs);
    struct ll_jw w = ll_erase_text(e, state, without);
    ll_jw_key(&w, "recheck");
    ll_jw_int(&w, wait_ms);
    ll_queue_write_due(
        e->host, &w, due_ms < e->deadline_ms ? due_ms : e->deadline_ms);
    ll_jw_close(&w, '}');
    if (ll_erase_commit(e, &txn, commit, false))
        ll_erase_end(e, false);
    return false;
}

/* What follows when nobody is waited for. */
static struct ll_jw
go_on_text(struct ll_erasing *e)
{
    struct ll_jw w =
        ll_erase_text(e, ll_erase_copies(e) ? "done" : "erasing", NULL);
    if (ll_erase_copies(e)) {
        ll_jw_key(&w, "done_at");
        ll_jw_int(&w, e->now_ms);
    } else {
        ll_queue_write_due(e->host, &w, e->now_ms);
    }
    return w;
}

/* The jobs, whose documents are known, and the request's new state. */
static bool
tell_all(struct ll_erasing *e)
{
    char id[CALL_ID_BYTES];
    struct ll_docs *docs = &e->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_txn txn;
    if (commit == NULL) {
        ll_erase_end(e, true);
        return false;
    }
    linli_status status = LINLI_OK;
    ll_txn_init(&txn, docs);
    for (uint32_t i = 0, k = 0; status == LINLI_OK && k < e->count; i++) {
        if (!handles(e, &e->targets[i]))
            continue;
        write_call(e, &e->targets[i], call_id(e, id), &e->text);
        status = ll_txn_put(&txn, e->docs[k++], &e->text, e->now_ms, NULL);
    }
    bool any = e->count > 0;
    struct ll_jw w = any ? ll_erase_text(e, "calling", NULL) : go_on_text(e);
    ll_jw_key(&w, "deadline");
    ll_jw_int(&w, e->deadline_ms);
    if (any)
        ll_queue_write_due(e->host, &w, e->now_ms + LL_REQUEST_RECHECK_MS);
    ll_jw_close(&w, '}');
    e->text.failed = e->text.failed || status != LINLI_OK;
    if (ll_erase_commit(e, &txn, commit, false))
        ll_erase_end(e, false);
    return false;
}

/* After a start plugins come one after another. */
static bool
is_on_its_way(const struct ll_erase_target *target)
{
    return target->pid != NULL &&
           (target->instance == NULL ||
               target->instance->state == LL_INSTANCE_LOADING);
}

bool
ll_erase_tell(struct ll_erasing *e)
{
    char id[CALL_ID_BYTES];
    for (uint32_t i = 0; i < e->target_count; i++)
        if (e->now_ms < e->at_ms + ASKED_MS && is_on_its_way(&e->targets[i]))
            return wait_on(e, "asked");
    for (; e->at < e->target_count; e->at++) {
        if (!handles(e, &e->targets[e->at]) || e->count == LL_ERASE_ROWS)
            continue;
        if (!ll_erase_ask(
                e, ll_work_coll(e->targets[e->at].instance), call_id(e, id)))
            return false;
        e->docs[e->count++] = e->asked;
        e->asked = NULL;
    }
    return tell_all(e);
}

/* -- whether they have -- */

static void
put_missed_alert(struct ll_erasing *e, const struct ll_erase_target *target,
    struct ll_commit *commit)
{
    char ref[CALL_ID_BYTES];
    struct ll_buf data;
    ll_buf_init(&data, &e->host->mem, 4096);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "deadline");
    ll_jw_int(&w, e->deadline_ms);
    ll_jw_key(&w, "plugin");
    ll_jw_str(&w, target->space->plugin);
    ll_jw_key(&w, "request");
    ll_jw_str(&w, e->id);
    ll_jw_close(&w, '}');
    struct ll_alert alert = {.space = target->space,
        .kind = ll_cstr(
            ll_erase_copies(e) ? "linli.export_missed" : "linli.redact_missed"),
        .ref = call_id(e, ref),
        .data = ll_buf_view(&data),
        .at_ms = e->now_ms};
    ll_alert_put(e->host, &alert, commit);
    if (data.failed)
        commit->ops.failed = true;
    ll_buf_fini(&data);
}

/* Of an erasure: the operator has it deleted. Whom it was about nobody knows by
 * then. */
static linli_status
put_missed(struct ll_erasing *e, const struct ll_erase_target *target,
    struct ll_txn *txn, struct ll_commit *commit)
{
    struct ll_duty duty = {.kind = "DELETE",
        .why = "redact",
        .ref = e->id,
        .plugin = target->space->plugin,
        .until_ms = e->now_ms + (int64_t)LL_DUTY_DAYS * 86400000,
        .now_ms = e->now_ms};
    put_missed_alert(e, target, commit);
    if (!ll_str_is(e->kind, "erase"))
        return LINLI_OK;
    return ll_duty_put(e->community, &duty, txn, commit);
}

static bool
begin_erasing(struct ll_erasing *e)
{
    struct ll_docs *docs = &e->host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    struct ll_txn txn;
    if (commit == NULL) {
        ll_erase_end(e, true);
        return false;
    }
    linli_status status = LINLI_OK;
    ll_txn_init(&txn, docs);
    struct ll_jw w = go_on_text(e);
    ll_jw_key(&w, "missed");
    ll_jw_open(&w, '[');
    for (uint32_t i = 0; i < e->target_count; i++)
        if (e->targets[i].missed) {
            ll_jw_str(&w, e->targets[i].space->plugin);
            if (status == LINLI_OK)
                status = put_missed(e, &e->targets[i], &txn, commit);
        }
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    e->text.failed = e->text.failed || status != LINLI_OK;
    if (ll_erase_commit(e, &txn, commit, false))
        ll_erase_end(e, false);
    return false;
}

/* A job that is there still: it runs, or waits, or has failed, and an operator
 * may have it tried again until the deadline. */
bool
ll_erase_told(struct ll_erasing *e)
{
    char id[CALL_ID_BYTES];
    for (; e->at < e->target_count; e->at++) {
        struct ll_erase_target *target = &e->targets[e->at];
        struct ll_coll *coll = ll_space_find(target->space, LINLI_STR("~work"));
        if (target->pid == NULL || coll == NULL)
            continue;
        if (!ll_erase_ask(e, coll, call_id(e, id)))
            return false;
        bool there = e->asked->content != NULL;
        ll_doc_unref(&e->asked);
        if (there && e->now_ms < e->deadline_ms)
            return wait_on(e, "calling");
        target->missed = there;
    }
    return begin_erasing(e);
}

/* -- what they give -- */

linli_status
ll_rights_keep_answer(struct ll_call *call, struct ll_err *err)
{
    const struct ll_task *task = call->task;
    if (task == NULL || task->kind != LL_TASK_JOB || call->body.len == 0 ||
        !ll_str_is(task->name, "resident.export"))
        return LINLI_OK;
    struct ll_coll *coll =
        ll_space_coll(task->instance->space, LINLI_STR(LL_COPIES));
    /* There is none: its job is done once. */
    struct ll_doc *doc =
        coll == NULL ? NULL : ll_docs_make(coll, task->doc->id);
    if (doc == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an export");
    struct ll_buf text;
    ll_buf_init(&text, &call->host->mem, LL_COMMIT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    linli_str subject = task->doc->content->subject;
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, task->doc->id);
    ll_jw_key(&w, "answer");
    ll_jw_raw(&w, call->body);
    ll_jw_key(&w, "subject");
    ll_jw_str(&w, subject);
    ll_jw_close(&w, '}');
    struct ll_plain plain = {.subject = subject,
        .due_ms = call->now_ms + LL_EXPORT_CALL_MS + LL_EXPORT_KEPT_MS};
    coll->subject = (linli_str)LINLI_STR("subject");
    linli_status status = ll_txn_put_plain(&call->txn, doc, &text, &plain, err);
    ll_buf_fini(&text);
    ll_doc_unref(&doc);
    return status;
}
