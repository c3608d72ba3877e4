/* host/call_commit.c: a call's place in the order, and when it may answer.
 * [loop]
 *
 * Its writes, its usage, its effects and what is kept under its key are one
 * commit with one number. It answers when that number is durable, and the
 * highest one that it has seen: nobody hears of what may yet be lost.
 */
#include "host/call.h"

#include <stdio.h>

#include "base/text.h"
#include "host/await.h"
#include "host/bus.h"
#include "host/device.h"
#include "host/effect.h"
#include "host/kept.h"
#include "host/meter.h"
#include "host/plan_call.h"
#include "host/record.h"
#include "host/rights.h"
#include "host/task.h"

/* -- who waits for durability -- */

static void
release_later(struct ll_call *call)
{
    struct ll_host *host = call->host;
    /* Nearly always the last: numbers ascend. */
    struct ll_call *before = host->release_last;
    if (before != NULL && before->release > call->release) {
        before = NULL;
        for (struct ll_call *c = host->release_first;
             c != NULL && c->release <= call->release; c = c->release_next)
            before = c;
    }
    call->release_next =
        before == NULL ? host->release_first : before->release_next;
    if (before == NULL)
        host->release_first = call;
    else
        before->release_next = call;
    if (call->release_next == NULL)
        host->release_last = call;
    call->releasing = true;
}

void
ll_call_wait_durable(struct ll_call *call, uint64_t number)
{
    call->release = number;
    release_later(call);
}

enum ll_step
ll_call_release(struct ll_call *call)
{
    if (call->release <= ll_store_durable(call->host->store))
        return LL_STEP_MORE;
    if (call->host->failure.status != LINLI_OK)
        return ll_call_refuse(call, "store/failed", NULL);
    release_later(call);
    return LL_STEP_WAIT;
}

void
ll_call_unrelease(struct ll_call *call)
{
    struct ll_host *host = call->host;
    struct ll_call *before = NULL;
    if (!call->releasing)
        return;
    struct ll_call **at = &host->release_first;
    for (; *at != call; at = &(*at)->release_next)
        before = *at;
    *at = call->release_next;
    if (host->release_last == call)
        host->release_last = before;
    call->releasing = false;
}

/* Whoever waited: a step of the call, or of its host call. */
static void
go_on(struct ll_call *call)
{
    if (call->op.open)
        ll_op_go(call);
    else
        ll_call_advance(call);
}

void
ll_host_release(struct ll_host *host)
{
    uint64_t durable = ll_store_durable(host->store);
    while (host->release_first != NULL &&
           host->release_first->release <= durable) {
        struct ll_call *call = host->release_first;
        ll_call_unrelease(call);
        go_on(call);
    }
}

/* -- the commit -- */

/* What was said commits: a reply, but one of a failure of the plugin's own. */
static bool
commits(const struct ll_call *call)
{
    return call->word == LL_WORD_REPLY && call->status < 500;
}

static bool
is_billed(const struct ll_call *call)
{
    return call->match.route != NULL && call->match.route->billed &&
           call->host->config.metering;
}

static bool
is_relaxed(const struct ll_call *call)
{
    return call->match.route != NULL && call->match.route->relaxed;
}

/* All that becomes part of the commit. *any: there is something. */
static linli_status
gather(struct ll_call *call, bool *any, struct ll_err *err)
{
    /* A plugin that was refused a write may go on and commit the rest. */
    linli_status status = ll_quota_check(call, err);
    struct ll_task *task = call->task;
    /* A timer may have set itself anew, under its own key. */
    if (status == LINLI_OK && task != NULL &&
        ll_txn_own(&call->txn, task->doc) == NULL) {
        status = ll_txn_write(&call->txn, task->doc, task->after, err);
        task->after = NULL;
    }
    if (status == LINLI_OK)
        status = ll_device_settle(call, err);
    if (status == LINLI_OK && call->await != NULL)
        status = ll_await_put(call, err);
    if (status == LINLI_OK && task != NULL && task->kind == LL_TASK_ANSWER)
        status = ll_await_keep(call, err);
    if (status == LINLI_OK && task != NULL)
        status = ll_rights_keep_answer(call, err);
    if (status == LINLI_OK && call->kept != NULL)
        status = ll_kept_write(call, err);
    if (status == LINLI_OK && is_billed(call))
        status = ll_meter_call(call, err);
    *any = call->txn.writes != NULL || call->effects != NULL;
    return status;
}

static linli_status
sequence(struct ll_call *call, struct ll_err *err)
{
    struct ll_host *host = call->host;
    struct ll_docs *docs = &host->docs;
    bool any = false;
    linli_status status = gather(call, &any, err);
    if (status != LINLI_OK || !any)
        return status;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
    ll_docs_commit_unwatched(docs, commit);
    commit->patient = is_relaxed(call);
    bool events = ll_effects_put(call, commit);
    bool used = ll_plan_call_count(call, commit);
    call->number = used ? ll_txn_commit(&call->txn, commit) : 0;
    if (call->number == 0) {
        ll_plan_call_uncount(call);
        ll_docs_commit_free(docs, commit);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a commit");
    }
    if (events)
        ll_bus_published(call->community, call->number);
    return LINLI_OK;
}

/* Gives the call its place: what it has written is the newest state from now
 * on, and what it has seen is fixed. */
static enum ll_step
take_place(struct ll_call *call)
{
    struct ll_err err;
    struct ll_docs *docs = &call->host->docs;
    if (!commits(call) && call->response.status >= 500 &&
        ll_device_fall_back(call))
        return LL_STEP_MORE;
    ll_call_keep_word(call);
    call->response.body =
        call->word == LL_WORD_REPLY ? call->body : call->response.body;
    call->release = call->txn.read_high > call->tried_number
                        ? call->txn.read_high
                        : call->tried_number;
    if (call->arena.failed)
        return ll_call_refuse(call, "runtime/memory", NULL);
    /* Whatever it made of that: what it was not told, it may have missed. */
    if (commits(call) && call->unserved != LINLI_OK)
        return ll_call_refuse(call,
            call->unserved == LINLI_E_IO ? "store/failed" : "runtime/memory",
            NULL);
    call->sequenced = true;
    if (commits(call) && sequence(call, &err) != LINLI_OK)
        return ll_call_refuse(call, err.code, err.msg);
    if (!commits(call))
        ll_device_refused(call);
    if (call->number > call->release && !is_relaxed(call))
        call->release = call->number;
    call->seen = ll_store_last(docs->store);
    ll_txn_reset(&call->txn);
    call->effects = call->effects_last = NULL;
    call->await = NULL;
    ll_lock_give(call);
    ll_doc_turn_give(call);
    return LL_STEP_MORE;
}

enum ll_step
ll_step_commit(struct ll_call *call)
{
    if (!call->sequenced) {
        enum ll_step step = take_place(call);
        if (call->state != LL_CALL_COMMIT)
            return step;
    }
    return ll_call_release(call);
}

void
ll_host_store_failed(struct ll_host *host)
{
    while (host->release_first != NULL) {
        struct ll_call *call = host->release_first;
        ll_call_unrelease(call);
        go_on(call);
    }
}

/* -- the answer -- */

static void
count(const struct ll_call *call)
{
    if (!call->counted)
        return;
    struct ll_plugin_metrics *row =
        ll_metrics_row(&call->host->metrics, call->metrics_row);
    row->in_flight--;
    row->calls[ll_outcome_of(call->response.status, call->problem)]++;
    ll_histogram_add(&row->duration, ll_mono_now().ns - call->began.ns);
}

enum ll_step
ll_step_respond(struct ll_call *call)
{
    struct ll_request *request = call->request;
    bool unanswered = call->response.status >= 500 ||
                      ll_str_is(call->problem, "plugin/disabled");
    if (unanswered && ll_device_fall_back(call))
        return LL_STEP_MORE;
    count(call);
    if (call->problem.len > 0)
        ll_call_add_header(
            call, "content-language", ll_cstr(ll_locale_tag(call->locale)));
    ll_trace_header(&call->trace, call->traceparent);
    ll_call_add_header(call, "traceparent",
        (linli_str){call->traceparent, LL_TRACEPARENT_BYTES - 1});
    /* For tests of the order: its place, or that of what it saw. */
    if (call->host->config.development && call->sequenced) {
        (void)snprintf(call->commit_text, sizeof call->commit_text, "%llu",
            (unsigned long long)(call->number != 0 ? call->number
                                                   : call->seen));
        ll_call_add_header(call, "linli-commit", ll_cstr(call->commit_text));
    }
    if (call->task != NULL && call->problem.len > 0) {
        call->task->ended_with = call->problem;
        memcpy(call->task->trace_id, call->trace.trace_id,
            sizeof call->task->trace_id);
    }
    if (LL_UNLIKELY(call->recording != NULL))
        ll_record_end(call);
    request->call = NULL;
    request->respond(request, &call->response);
    return LL_STEP_MORE;
}
