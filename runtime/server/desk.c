/* server/desk.c: waiting for a document, writing it, answering. [loop] */
#include "server/desk.h"

#include "base/text.h"
#include "host/vault.h"

#define BODY_DEPTH_MAX 8

/* The document and what it was to become are given back. */
static void
give_back(struct ll_desk *desk)
{
    ll_wait_cancel(&desk->wait);
    ll_doc_unref(&desk->doc);
    ll_wipe(&desk->text);
    ll_buf_fini(&desk->text);
}

/* Its request is answered; the commit may still point here. */
static void
on_end(struct ll_view *view)
{
    struct ll_desk *desk = LL_CONTAINER(view, struct ll_desk, view);
    give_back(desk);
    desk->gone = desk->committing;
    if (!desk->gone)
        desk->end(desk);
}

static void
on_committed(struct ll_commit *commit, bool durable)
{
    struct ll_desk *desk = commit->user;
    struct ll_err err;
    ll_docs_commit_free(desk->docs, commit);
    desk->committing = false;
    if (desk->gone) {
        desk->end(desk);
        return;
    }
    if (durable) {
        ll_view_answer(&desk->view);
        return;
    }
    (void)ll_fail(&err, LINLI_E_IO, "store/failed", "it cannot be kept");
    ll_view_refuse(&desk->view, &err);
}

static linli_status
commit_it(struct ll_desk *desk, bool put, struct ll_err *err)
{
    struct ll_host *host = desk->view.face->host;
    struct ll_commit *commit = ll_docs_commit_new(desk->docs);
    if (commit != NULL) {
        commit->done = on_committed;
        commit->user = desk;
        desk->committing = true;
        if (desk->with != NULL)
            desk->with(desk, commit);
        if (ll_docs_put_in(desk->docs, desk->doc, put ? &desk->text : NULL,
                ll_world_wall(host->world).ms, commit) != 0)
            return LINLI_OK;
        desk->committing = false;
        ll_docs_commit_free(desk->docs, commit);
    }
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a document");
}

/* The document is known. */
static void
decide(struct ll_desk *desk)
{
    enum ll_desk_verdict verdict = LL_DESK_NOTHING;
    struct ll_err err;
    linli_status status;
    if (desk->doc->state == LL_DOC_LOST)
        status = ll_fail(&err, LINLI_E_IO, "store/failed", "it cannot be read");
    else
        status = desk->decide(desk, &verdict, &err);
    if (status == LINLI_OK && verdict != LL_DESK_NOTHING)
        status = commit_it(desk, verdict == LL_DESK_PUT, &err);
    if (status != LINLI_OK)
        ll_view_refuse(&desk->view, &err);
    else if (verdict == LL_DESK_NOTHING)
        ll_view_answer(&desk->view);
}

static void
on_ready(struct ll_wait *wait)
{
    decide(LL_CONTAINER(wait, struct ll_desk, wait));
}

/* A desk asks no query. */
static void
on_step(struct ll_view *view)
{
    LL_UNUSED(view);
}

void
ll_desk_begin(
    struct ll_desk *desk, struct ll_face *face, struct ll_request *request)
{
    ll_check(desk->decide != NULL);
    ll_check(desk->end != NULL);
    desk->docs = &face->host->docs;
    desk->wait.ready = on_ready;
    desk->view.step = on_step;
    desk->view.end = on_end;
    ll_buf_init(&desk->text, &face->host->mem, LL_DOC_BYTES_MAX);
    ll_view_begin(&desk->view, face, request);
}

void
ll_desk_ask(struct ll_desk *desk, struct ll_coll *coll, linli_str id)
{
    struct ll_err err;
    desk->doc = coll == NULL ? NULL : ll_docs_get(coll, id);
    if (desk->doc == NULL) {
        (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a document");
        ll_view_refuse(&desk->view, &err);
    } else if (ll_doc_ready(desk->doc, &desk->wait)) {
        decide(desk);
    }
}

linli_status
ll_desk_body(const struct ll_request *request, const char *const *names,
    struct ll_json *json, struct ll_err *err)
{
    if (request->has_body && !ll_request_is_json(request))
        return ll_fail(err, LINLI_E_INVALID, "request/content-type",
            "the body is not application/json");
    linli_status status =
        ll_json_parse(json, request->body, BODY_DEPTH_MAX, err);
    if (status != LINLI_OK)
        return status;
    if (!ll_jv_is(ll_json_root(json), LL_JSON_OBJECT))
        return ll_fail(
            err, LINLI_E_INVALID, "request/invalid", "an object is expected");
    LL_JSON_MEMBERS (name, value, ll_json_root(json)) {
        size_t i = 0;
        while (names[i] != NULL && !ll_str_is(ll_jv_str(name), names[i]))
            i++;
        if (names[i] == NULL && ll_jv_there(value))
            return ll_fail(err, LINLI_E_INVALID, "request/invalid",
                "a member that is not known; there is `%s`%s", names[0],
                names[1] == NULL ? "" : " and others");
    }
    return LINLI_OK;
}
