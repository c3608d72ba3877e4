/* server/job.c: one job: what it is, another try, the end. [loop]
 *
 * Once its document is ready, it is read, judged and written in one turn of
 * the loop; the answer waits until that is durable.
 */
#include "server/jobs.h"

#include "base/text.h"
#include "data/put.h"
#include "host/alert.h"
#include "host/queue.h"

#define DATA_BYTES_MAX 8192

struct acting {
    struct ll_view view;
    struct ll_job_wanted wanted;
    struct ll_actor actor;
    const struct ll_space *space;
    int coll; /* of ll_job_colls */
    struct ll_doc *doc;
    struct ll_wait wait;
    struct ll_commit *commit; /* under way, or NULL */
};

static void look(struct acting *acting);

static void
step(struct ll_view *view)
{
    LL_UNUSED(view); /* the store is asked for a document alone */
}

static void
end(struct ll_view *view)
{
    struct acting *acting = LL_CONTAINER(view, struct acting, view);
    struct ll_host *host = view->face->host;
    ll_wait_cancel(&acting->wait);
    ll_doc_unref(&acting->doc);
    if (acting->commit != NULL)
        ll_docs_commit_unwatched(&host->docs, acting->commit);
    ll_release(&host->mem, acting, sizeof *acting);
}

static void
refuse(struct acting *acting, linli_status status, const char *code,
    const char *msg)
{
    struct ll_err err;
    (void)ll_fail(&err, status, code, "%s", msg);
    ll_view_refuse(&acting->view, &err);
}

/* -- what is shown -- */

/* What the handler is given; of a device's event, the request. */
static void
write_with(struct ll_jw *w, struct ll_jv document)
{
    static const char *const members[] = {
        "method", "path", "query", "device", "body"};
    struct ll_jv with = ll_jv_get(document, "with");
    ll_jw_key(w, "with");
    if (ll_jv_there(with)) {
        ll_jw_value(w, with);
        return;
    }
    ll_jw_open(w, '{');
    for (size_t i = 0; i < LL_COUNT(members); i++) {
        struct ll_jv value = ll_jv_get(document, members[i]);
        if (ll_jv_there(value)) {
            ll_jw_key(w, members[i]);
            ll_jw_value(w, value);
        }
    }
    ll_jw_close(w, '}');
}

static void
show(struct acting *acting, struct ll_jv document, const struct ll_job *job)
{
    struct ll_view *view = &acting->view;
    ll_jw_open(&view->w, '{');
    ll_job_write(view, acting->space, job);
    write_with(&view->w, document);
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

/* -- what is done -- */

static void
on_durable(struct ll_commit *commit, bool durable)
{
    struct acting *acting = commit->user;
    acting->commit = NULL;
    ll_docs_commit_free(&acting->view.face->host->docs, commit);
    if (durable)
        ll_view_answer(&acting->view);
    else
        refuse(acting, LINLI_E_IO, "store/failed", "nothing was done");
}

/* Writes the document (NULL: it goes) in the commit, which may have more. */
static void
commit_it(struct acting *acting, struct ll_commit *commit,
    const struct ll_buf *text, int64_t now_ms)
{
    struct ll_docs *docs = &acting->view.face->host->docs;
    commit->done = on_durable;
    commit->user = acting;
    acting->commit = commit;
    if (ll_docs_put_in(docs, acting->doc, text, now_ms, commit) != 0)
        return;
    acting->commit = NULL;
    ll_docs_commit_free(docs, commit);
    refuse(acting, LINLI_E_NOMEM, "runtime/memory", "no room");
}

/* A dead one has an open alert, which is over now. */
static void
settle(const struct acting *acting, int64_t now_ms, const char *reason,
    struct ll_commit *commit)
{
    char ref[LL_ALERT_JOB_BYTES];
    struct ll_closing closing = {.by = ll_cstr(acting->actor.by),
        .reason = ll_cstr(reason),
        .at_ms = now_ms};
    ll_alert_job_ref(acting->doc->id, ref);
    ll_alert_settle(acting->space, ll_cstr(ref), &closing, commit);
}

static void
retry(struct acting *acting, struct ll_jv document, const struct ll_job *job,
    struct ll_commit *commit)
{
    struct ll_view *view = &acting->view;
    struct ll_host *host = view->face->host;
    int64_t now_ms = ll_world_wall(host->world).ms;
    struct ll_put_off to = {.due_ms = now_ms,
        .now_ms = now_ms,
        .revived = job->state == LL_JOB_DEAD};
    struct ll_job after = *job;
    struct ll_buf text;
    after.state = LL_JOB_WAITING;
    after.due_ms = now_ms;
    after.attempts = 0;
    after.code = (linli_str){NULL, 0};
    ll_jw_open(&view->w, '{');
    ll_job_write(view, acting->space, &after);
    ll_jw_close(&view->w, '}');
    ll_buf_init(&text, &host->mem, LL_COMMIT_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_queue_write_put_off(&w, document, &to);
    settle(acting, now_ms, "retried", commit);
    commit_it(acting, commit, &text, now_ms);
    ll_buf_fini(&text);
}

/* What is left of one that was dropped: a closed alert, as evidence. */
static void
note(const struct acting *acting, const struct ll_job *job, int64_t now_ms,
    struct ll_commit *commit)
{
    struct ll_host *host = acting->view.face->host;
    struct ll_buf data;
    ll_buf_init(&data, &host->mem, DATA_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_str(&w, job->id);
    ll_jw_key(&w, "kind");
    ll_jw_str(&w, job->kind);
    ll_jw_key(&w, "run");
    ll_jw_str(&w, job->run);
    ll_jw_key(&w, "code");
    ll_jw_str(&w, job->code);
    ll_jw_key(&w, "attempts");
    ll_jw_int(&w, job->attempts);
    ll_jw_close(&w, '}');
    struct ll_alert alert = {.space = acting->space,
        .kind = LINLI_STR("linli.job_dropped"),
        .subject = job->subject,
        .trace_id = LINLI_STR(""),
        .data = ll_buf_view(&data),
        .at_ms = now_ms};
    struct ll_closing closing = {.by = ll_cstr(acting->actor.by),
        .reason = ll_cstr(acting->actor.reason)};
    if (data.failed)
        commit->ops.failed = true;
    else
        ll_alert_note(host, &alert, &closing, commit);
    ll_buf_fini(&data);
}

static void
drop(struct acting *acting, const struct ll_job *job, struct ll_commit *commit)
{
    struct ll_view *view = &acting->view;
    int64_t now_ms = ll_world_wall(view->face->host->world).ms;
    ll_jw_open(&view->w, '{');
    ll_view_text(view, "id", job->id);
    ll_view_text(view, "plugin", ll_job_plugin(acting->space));
    ll_view_text(view, "kind", job->kind);
    ll_view_text(view, "run", job->run);
    ll_view_text(view, "state", LINLI_STR("dropped"));
    ll_view_text(view, "reason", ll_cstr(acting->actor.reason));
    ll_jw_close(&view->w, '}');
    settle(acting, now_ms, acting->actor.reason, commit);
    note(acting, job, now_ms, commit);
    commit_it(acting, commit, NULL, now_ms);
}

static void
act(struct acting *acting, struct ll_jv document)
{
    struct ll_host *host = acting->view.face->host;
    enum ll_job_verb verb = acting->wanted.verb;
    struct ll_job job;
    ll_job_read(&job, document, acting->coll == 1, acting->doc->owner != NULL);
    const char *code = NULL;
    if (verb == LL_JOB_RETRY)
        code = ll_job_refuse_retry(&job, ll_world_wall(host->world).ms);
    else if (verb == LL_JOB_DROP)
        code = ll_job_refuse_drop(&job);
    if (code != NULL) {
        refuse(acting, LINLI_E_CONFLICT, code, "");
        return;
    }
    if (verb == LL_JOB_SHOW) {
        show(acting, document, &job);
        return;
    }
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    if (commit == NULL)
        refuse(acting, LINLI_E_NOMEM, "runtime/memory", "no room");
    else if (verb == LL_JOB_RETRY)
        retry(acting, document, &job, commit);
    else
        drop(acting, &job, commit);
}

/* -- finding it -- */

/* The document is known. */
static void
take(struct acting *acting)
{
    struct ll_json json;
    const struct ll_content *content = acting->doc->content;
    if (acting->doc->state == LL_DOC_LOST) {
        refuse(acting, LINLI_E_IO, "store/failed", "it cannot be read");
        return;
    }
    if (content == NULL) {
        ll_doc_unref(&acting->doc);
        acting->coll++;
        look(acting);
        return;
    }
    ll_json_init(&json, &acting->view.face->host->mem);
    if (ll_json_parse(&json, content->body, LL_JSON_DEPTH_MAX, NULL) ==
        LINLI_OK)
        act(acting, ll_json_root(&json));
    else
        ll_view_torn(&acting->view);
    ll_json_fini(&json);
}

static void
on_ready(struct ll_wait *wait)
{
    take(LL_CONTAINER(wait, struct acting, wait));
}

static void
look(struct acting *acting)
{
    const struct ll_job_wanted *wanted = &acting->wanted;
    struct ll_coll *coll = NULL;
    for (; acting->coll < 2 && coll == NULL; acting->coll += coll == NULL)
        coll =
            ll_space_find(acting->space, ll_cstr(ll_job_colls[acting->coll]));
    if (coll == NULL) {
        refuse(acting, LINLI_E_NOT_FOUND, "request/not-found", "no such job");
        return;
    }
    /* Also if its plugin does not serve: what is written has its keys. */
    if (ll_queue_index(coll) != NULL)
        acting->doc =
            ll_docs_get(coll, (linli_str){wanted->id, wanted->id_len});
    if (acting->doc == NULL)
        refuse(acting, LINLI_E_NOMEM, "runtime/memory", "no room");
    else if (ll_doc_ready(acting->doc, &acting->wait))
        take(acting);
}

void
ll_job_begin(struct ll_face *face, struct ll_request *request,
    linli_str community, const struct ll_job_wanted *wanted)
{
    struct ll_err err;
    const struct ll_space *space =
        ll_job_space(face->host, community, wanted->plugin);
    struct acting *acting =
        space == NULL ? NULL : ll_alloc(&face->host->mem, sizeof *acting);
    if (acting == NULL) {
        ll_face_problem(face, request,
            space == NULL ? "request/not-found" : "runtime/memory",
            LINLI_STR(""));
        return;
    }
    acting->view.step = step;
    acting->view.end = end;
    acting->wanted = *wanted;
    acting->space = space;
    acting->wait.ready = on_ready;
    ll_view_begin(&acting->view, face, request);
    if (wanted->verb != LL_JOB_SHOW &&
        ll_actor_read(&acting->actor, &acting->view,
            wanted->verb == LL_JOB_DROP, &err) != LINLI_OK)
        ll_view_refuse(&acting->view, &err);
    else
        look(acting);
}
