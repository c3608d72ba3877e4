/* host/await.c: who goes on with an answer, and who waits for theirs.
 * [loop] */
#include "host/await.h"

#include <stdio.h>

#include "base/text.h"
#include "data/put.h"
#include "host/errand.h"
#include "host/plan_call.h"
#include "host/release.h"
#include "host/task.h"
#include "host/work.h"

static struct ll_coll *
coll_of(struct ll_instance *instance, const char *name)
{
    struct ll_coll *coll = ll_space_coll(instance->space, ll_cstr(name));
    if (coll != NULL)
        coll->subject = (linli_str)LINLI_STR("subject");
    return coll;
}

struct ll_doc *
ll_await_doc(struct ll_instance *instance, linli_str id)
{
    struct ll_coll *coll = coll_of(instance, "~await");
    return coll == NULL ? NULL : ll_docs_get(coll, id);
}

static void
write_text(struct ll_jw *w, const char *name, linli_str text)
{
    if (text.len == 0)
        return;
    ll_jw_key(w, name);
    ll_jw_str(w, text);
}

static linli_status
no_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an answer");
}

/* -- the host call -- */

static linli_status
refuse(struct ll_err *err, const char *why)
{
    return ll_fail(err, LINLI_E_INVALID, "db/query", "%s", why);
}

static linli_status
judge(struct ll_call *call, const struct ll_await *await, struct ll_err *err)
{
    const struct ll_route *route = call->match.route;
    if (call->await != NULL)
        return refuse(err, "a call awaits one answer, and this one does");
    if (call->task != NULL && call->task->kind == LL_TASK_ANSWER)
        return refuse(err,
            "who goes on with an answer awaits no other: ask for a job that "
            "does");
    if (ll_manifest_answer(call->package->manifest, await->next) < 0)
        return ll_fail(err, LINLI_E_DENIED, "db/undeclared",
            "plugin.json declares no answer \"%.*s\"",
            await->next.len > 64 ? 64 : LL_FMT(await->next));
    if (route != NULL && route->fallback_status != 0)
        return refuse(err,
            "a route with a fallback answers a device at once; ask for a job "
            "that awaits");
    if (await->state.len > LL_AWAIT_STATE_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "db/limit",
            "%zu bytes of state, more than %d", await->state.len,
            LL_AWAIT_STATE_BYTES_MAX);
    return LINLI_OK;
}

/* kind of an errand, its JSON or the id of one, next, state */
bool
ll_serve_await_set(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct ll_err err;
    struct ll_arena *arena = &call->txn.arena;
    struct ll_await asked = {.errand = ll_rd_bytes(args),
        .with = ll_rd_bytes(args),
        .next = ll_rd_bytes(args),
        .state = ll_rd_bytes(args)};
    linli_status status =
        ll_rd_end(args)
            ? judge(call, &asked, &err)
            : refuse(&err, "what is awaited, who goes on and a state");
    if (status == LINLI_OK && asked.errand.len > 0 &&
        !(ll_str_is(asked.errand, "fetch") && ll_errand_known(asked.errand)))
        status = refuse(&err, "there is no such thing to await");
    if (status == LINLI_OK && asked.errand.len > 0)
        status = ll_fetch_check(&call->host->mem, asked.with, &err);
    if (status == LINLI_OK && ll_json_parse(&op->json, asked.state,
                                  LL_BODY_DEPTH_MAX, NULL) != LINLI_OK)
        status = refuse(&err, "the state is not JSON, or too deep");
    if (status == LINLI_OK)
        status =
            ll_txn_hold(&call->txn, asked.with.len + asked.state.len, &err);
    struct ll_await *await =
        status == LINLI_OK ? ll_arena_alloc(arena, sizeof *await) : NULL;
    if (await != NULL)
        *await = (struct ll_await){ll_arena_str(arena, asked.errand),
            ll_arena_str(arena, asked.with), ll_arena_str(arena, asked.next),
            ll_arena_str(arena, asked.state)};
    if (status == LINLI_OK && (await == NULL || arena->failed))
        status = no_memory(&err);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    call->await = await;
    ll_op_answer(call, LINLI_OK);
    return false;
}

/* -- the first step's commit -- */

static void
write_caller(const struct ll_call *call, struct ll_jw *w)
{
    const struct ll_identity *identity = call->identity;
    if (identity == NULL)
        return;
    linli_str pid = ll_cstr(call->pid);
    write_text(w, "caller_kind", ll_cstr(ll_caller_name(identity->kind)));
    write_text(w, "caller", pid.len > 0 ? pid : identity->id);
    write_text(w, "roles", identity->roles);
    write_text(w, "resident", call->resident_json);
    write_text(w, "who", identity->id);
    write_text(w, "locale", ll_cstr(ll_locale_tag(call->locale)));
}

/* What is done for it is counted as its own: spec/metering.md, M3a. */
static void
write_counted(struct ll_call *call, struct ll_jw *w)
{
    char sub[16];
    (void)snprintf(sub, sizeof sub, "%u", ll_plan_call_sub(call));
    write_text(w, "sub", ll_cstr(sub));
    ll_jw_key(w, "call_high");
    ll_jw_int(w, (int64_t)call->id_high);
    ll_jw_key(w, "call_low");
    ll_jw_int(w, (int64_t)call->id_low);
}

static linli_status
put_await(struct ll_call *call, linli_str id, struct ll_err *err)
{
    const struct ll_await *await = call->await;
    struct ll_coll *coll = coll_of(call->instance, "~await");
    /* Its errand is new, so nobody awaits it. */
    struct ll_doc *doc = coll == NULL ? NULL : ll_docs_make(coll, id);
    if (doc == NULL)
        return no_memory(err);
    struct ll_buf *text = &call->scratch;
    struct ll_jw w = ll_jw(text);
    char traceparent[LL_TRACEPARENT_BYTES];
    ll_trace_header(&call->trace, traceparent);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    write_text(&w, "id", id);
    write_text(&w, "next", await->next);
    write_text(&w, "trace", ll_cstr(traceparent));
    ll_jw_key(&w, "state");
    ll_jw_raw(&w, await->state);
    ll_jw_key(&w, "at");
    ll_jw_int(&w, call->now_ms);
    write_text(&w, "subject", ll_cstr(call->pid));
    write_counted(call, &w);
    write_caller(call, &w);
    ll_jw_close(&w, '}');
    linli_status status = ll_txn_put(&call->txn, doc, text, call->now_ms, err);
    ll_doc_unref(&doc);
    return status;
}

/* An errand that this very call has made, of a kind that answers. */
static bool
made_here(const struct ll_call *call, linli_str id)
{
    const struct ll_coll *coll = call->instance->errands->coll;
    for (const struct ll_write *w = call->txn.writes; w != NULL; w = w->next)
        if (w->doc->coll == coll && ll_str_eq(w->doc->id, id))
            return w->content != NULL &&
                   ll_errand_answers(call->host, w->content->body);
    return false;
}

/* What the caller gets if the answer takes too long. */
static linli_status
write_pending(struct ll_call *call, struct ll_err *err)
{
    struct ll_buf *text = &call->scratch;
    ll_buf_clear(text);
    ll_buf_printf(text, "/v1/c/%.*s/me/calls/%.*s/%s",
        LL_FMT(call->community->id), LL_FMT(call->instance->id),
        call->await_id);
    linli_str href = ll_arena_str(&call->arena, ll_buf_view(text));
    struct ll_jw w = ll_jw(text);
    ll_buf_clear(text);
    ll_jw_open(&w, '{');
    write_text(&w, "state", LINLI_STR("pending"));
    write_text(&w, "href", href);
    ll_jw_close(&w, '}');
    call->response.status = 202;
    call->response.content_type = LINLI_STR("application/json");
    call->response.body = ll_arena_str(&call->arena, ll_buf_view(text));
    ll_call_add_header(call, "location", href);
    return call->arena.failed ? no_memory(err) : LINLI_OK;
}

/* The plugin's own mistake: the log says which, the caller does not. */
static linli_status
misused(struct ll_call *call, const char *why, struct ll_err *err)
{
    ll_call_log(call, LL_WARN, "plugin/error", ll_cstr(why));
    return ll_fail(err, LINLI_E_INVALID, "plugin/error", "%s", "");
}

linli_status
ll_await_put(struct ll_call *call, struct ll_err *err)
{
    const struct ll_await *await = call->await;
    linli_status status = LINLI_OK;
    if (call->match.route != NULL &&
        (call->status != 202 || call->body.len > 0))
        return misused(call,
            "it awaits an answer, so it returns what call:await returned", err);
    if (await->errand.len == 0 && !made_here(call, await->with))
        return misused(call, "what it awaits was not begun by this call", err);
    if (await->errand.len > 0) {
        char kind[32];
        (void)snprintf(kind, sizeof kind, "%.*s", LL_FMT(await->errand));
        struct ll_errand_want want = {
            .kind = kind, .with = await->with, .subject = ll_cstr(call->pid)};
        status = ll_errand_put(call->instance->errands, &call->txn, &want,
            call->now_ms, call->await_id, err);
    } else if (await->with.len < sizeof call->await_id) {
        (void)snprintf(
            call->await_id, sizeof call->await_id, "%.*s", LL_FMT(await->with));
    } else {
        status = no_memory(err);
    }
    if (status == LINLI_OK)
        status = put_await(call, ll_cstr(call->await_id), err);
    return status == LINLI_OK ? write_pending(call, err) : status;
}

/* -- whoever waits -- */

static void
on_too_long(void *user)
{
    struct ll_call *call = user;
    ll_timer_stop(call->await_timer);
    call->awaited = true;
    ll_call_advance(call);
}

static struct ll_call *
waiting_for(const struct ll_host *host, linli_str id)
{
    struct ll_call *call = host->awaiting;
    while (call != NULL && !ll_str_is(id, call->await_id))
        call = call->await_next;
    return call;
}

static void
take_response(struct ll_call *call, const struct ll_response *r)
{
    call->response = *r;
    call->response.body = ll_arena_str(&call->arena, r->body);
    call->response.content_type = ll_arena_str(&call->arena, r->content_type);
    call->response.header_count = 0;
    for (uint32_t i = 0; i < r->header_count; i++)
        if (ll_str_is(r->headers[i].name, "etag"))
            ll_call_add_header(
                call, "etag", ll_arena_str(&call->arena, r->headers[i].value));
    if (call->arena.failed)
        (void)ll_call_refuse(call, "runtime/memory", NULL);
}

/* -- what is kept -- */

static bool
take_kept(struct ll_call *call, const struct ll_content *content)
{
    struct ll_json *json = &call->host->docs.json;
    int64_t status = 0;
    if (ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    struct ll_jv kept = ll_json_root(json);
    linli_str etag = ll_jv_str(ll_jv_get(kept, "etag"));
    if (!ll_releases_hold(call, kept)) /* it has been refused */
        return true;
    if (!ll_jv_int(ll_jv_get(kept, "status"), &status))
        return false;
    struct ll_response r = {.status = (int)status,
        .content_type = ll_jv_str(ll_jv_get(kept, "type")),
        .body = ll_jv_str(ll_jv_get(kept, "body"))};
    if (etag.len > 0)
        r.headers[r.header_count++] =
            (struct ll_field){LINLI_STR("etag"), etag};
    take_response(call, &r);
    if (call->replayed && call->state != LL_CALL_RESPOND)
        ll_call_add_header(call, "idempotency-replayed", LINLI_STR("true"));
    return true;
}

/* A key that was used again: what has come of it by now. */
static enum ll_step
look_kept(struct ll_call *call)
{
    struct ll_coll *coll = coll_of(call->instance, "~result");
    if (call->asked == NULL && coll != NULL)
        call->asked = ll_docs_get(coll, ll_cstr(call->await_id));
    if (call->asked == NULL)
        return ll_call_refuse(call, "runtime/memory", NULL);
    if (!ll_doc_ready(call->asked, &call->hold))
        return LL_STEP_WAIT;
    const struct ll_content *content = call->asked->content;
    if (content != NULL &&
        call->asked->number <= ll_store_durable(call->host->store))
        (void)take_kept(call, content);
    ll_doc_unref(&call->asked);
    return LL_STEP_MORE;
}

enum ll_step
ll_step_await(struct ll_call *call)
{
    struct ll_host *host = call->host;
    if (call->await_id[0] == '\0' || call->match.route == NULL)
        return LL_STEP_MORE;
    if (call->awaited)
        return ll_call_release(call);
    if (call->replayed)
        return look_kept(call);
    if (call->await_timer != NULL) /* it waits */
        return LL_STEP_WAIT;
    call->await_timer = ll_timer_new(host->world, on_too_long, call);
    if (call->await_timer == NULL || host->draining)
        return LL_STEP_MORE; /* the 202 */
    ll_timer_set(call->await_timer, LL_AWAIT_MS, 0);
    call->await_next = host->awaiting;
    host->awaiting = call;
    return LL_STEP_WAIT;
}

void
ll_await_end(struct ll_call *call)
{
    struct ll_call **at = &call->host->awaiting;
    ll_timer_free(&call->await_timer);
    while (*at != NULL && *at != call)
        at = &(*at)->await_next;
    if (*at != NULL)
        *at = call->await_next;
    call->await_next = NULL;
}

void
ll_await_stop(struct ll_host *host)
{
    while (host->awaiting != NULL) {
        struct ll_call *call = host->awaiting;
        call->awaited = true;
        ll_await_end(call);
        ll_call_advance(call);
    }
}

/* -- the answer -- */

static void
write_work(struct ll_jw *w, struct ll_host *host, struct ll_jv await,
    linli_str answer, int64_t now_ms)
{
    static const char *const copied[] = {"caller_kind", "caller", "roles",
        "resident", "who", "locale", "subject", "sub", NULL};
    ll_jw_open(w, '{');
    write_text(w, "id", ll_jv_str(ll_jv_get(await, "id")));
    write_text(w, "kind", LINLI_STR("answer"));
    ll_queue_write_due(host, w, now_ms);
    ll_jw_key(w, "at");
    ll_jw_int(w, now_ms);
    write_text(w, "run", ll_jv_str(ll_jv_get(await, "next")));
    ll_jw_key(w, "with");
    ll_jw_open(w, '[');
    ll_jw_raw(w, answer);
    ll_jw_value(w, ll_jv_get(await, "state"));
    ll_jw_close(w, ']');
    for (size_t i = 0; copied[i] != NULL; i++)
        write_text(w, copied[i], ll_jv_str(ll_jv_get(await, copied[i])));
    ll_jw_close(w, '}');
}

linli_status
ll_errand_answer(struct ll_errand *errand, linli_str answer, struct ll_txn *txn,
    struct ll_err *err)
{
    struct ll_host *host = errand->host;
    struct ll_json json;
    struct ll_buf text;
    if (errand->await == NULL || errand->await->content == NULL)
        return LINLI_OK;
    int64_t now_ms = ll_world_wall(host->world).ms;
    struct ll_doc *work =
        ll_docs_make(ll_work_coll(errand->instance), errand->id);
    if (work == NULL)
        return no_memory(err);
    ll_json_init(&json, &host->mem);
    ll_buf_init(&text, &host->mem, LL_COMMIT_BYTES_MAX);
    linli_status status = ll_json_parse(
        &json, errand->await->content->body, LL_JSON_DEPTH_MAX, err);
    struct ll_jw w = ll_jw(&text);
    if (status == LINLI_OK) {
        write_work(&w, host, ll_json_root(&json), answer, now_ms);
        status = ll_txn_put(txn, work, &text, now_ms, err);
    }
    if (status == LINLI_OK)
        status = ll_txn_write(txn, errand->await, NULL, err);
    ll_buf_fini(&text);
    ll_json_fini(&json);
    ll_doc_unref(&work);
    return status;
}

static linli_str
text_of(struct ll_arena *arena, struct ll_jv root, const char *name)
{
    return ll_arena_str(arena, ll_jv_str(ll_jv_get(root, name)));
}

bool
ll_await_read_work(
    struct ll_task *task, struct ll_arena *arena, struct ll_jv root)
{
    linli_str locale = ll_jv_str(ll_jv_get(root, "locale"));
    task->caller_kind = text_of(arena, root, "caller_kind");
    task->caller = text_of(arena, root, "caller");
    task->roles = text_of(arena, root, "roles");
    task->resident_json = text_of(arena, root, "resident");
    task->who = text_of(arena, root, "who");
    task->subject = text_of(arena, root, "subject");
    task->english = ll_str_is(locale, "en");
    task->sub_known = ll_str_int(
        ll_jv_str(ll_jv_get(root, "sub")), 0, UINT32_MAX, &task->sub);
    return !arena->failed;
}

/* -- what it answered -- */

/* `call` may be NULL: it was given nothing. */
static void
write_result(struct ll_jw *w, const struct ll_task *task,
    const struct ll_response *r, const struct ll_call *call)
{
    ll_jw_open(w, '{');
    write_text(w, "id", task->doc->id);
    write_text(w, "caller_kind", task->caller_kind);
    write_text(w, "who", task->who);
    ll_jw_key(w, "status");
    ll_jw_int(w, r->status);
    write_text(w, "type", r->content_type);
    write_text(w, "body", r->body);
    for (uint32_t i = 0; i < r->header_count; i++)
        if (ll_str_is(r->headers[i].name, "etag"))
            write_text(w, "etag", r->headers[i].value);
    if (call != NULL)
        ll_releases_write(call, w);
    ll_jw_close(w, '}');
}

static struct ll_doc *
result_doc(const struct ll_task *task)
{
    struct ll_coll *coll = coll_of(task->instance, "~result");
    return coll == NULL ? NULL : ll_docs_make(coll, task->doc->id);
}

static linli_status
put_result(struct ll_txn *txn, const struct ll_task *task,
    const struct ll_response *r, const struct ll_call *call, int64_t now_ms,
    struct ll_err *err)
{
    struct ll_buf text;
    struct ll_doc *doc = result_doc(task);
    if (doc == NULL)
        return no_memory(err);
    ll_buf_init(&text, task->doc->coll->space->docs->mem, LL_COMMIT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    write_result(&w, task, r, call);
    struct ll_plain plain = {
        .subject = task->subject, .due_ms = now_ms + LL_AWAIT_KEPT_MS};
    linli_status status = ll_txn_put_plain(txn, doc, &text, &plain, err);
    ll_buf_fini(&text);
    ll_doc_unref(&doc);
    return status;
}

linli_status
ll_await_keep(struct ll_call *call, struct ll_err *err)
{
    const struct ll_task *task = call->task;
    if (task->caller_kind.len == 0) /* nobody could ask for it */
        return LINLI_OK;
    return put_result(
        &call->txn, task, &call->response, call, call->now_ms, err);
}

uint64_t
ll_await_keep_problem(struct ll_task *task, const struct ll_response *r)
{
    struct ll_host *host = task->instance->host;
    struct ll_docs *docs = &host->docs;
    struct ll_err err;
    struct ll_txn txn;
    uint64_t number = 0;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return 0;
    ll_txn_init(&txn, docs);
    ll_docs_commit_unwatched(docs, commit);
    linli_status status = ll_txn_write(&txn, task->doc, NULL, &err);
    if (status == LINLI_OK && task->caller_kind.len > 0)
        status = put_result(&txn, task, r, NULL, task->now_ms, &err);
    if (status == LINLI_OK)
        number = ll_txn_commit(&txn, commit);
    if (number == 0)
        ll_docs_commit_free(docs, commit);
    ll_txn_fini(&txn);
    return number;
}

bool
ll_await_final(const struct ll_task *task, int status, linli_str code)
{
    const struct ll_package *package = task->instance->package;
    return status < 500 ||
           (package != NULL &&
               ll_manifest_problem(package->manifest, code) != NULL);
}

void
ll_await_deliver(
    struct ll_task *task, const struct ll_response *response, uint64_t number)
{
    struct ll_call *call = waiting_for(task->instance->host, task->doc->id);
    if (call == NULL)
        return;
    ll_await_end(call);
    call->awaited = true;
    take_response(call, response);
    if (number > call->release)
        call->release = number;
    ll_call_advance(call);
}
