/* server/till_view.c: a request that waits in the till's line. [loop] */
#include "server/money.h"

#include <stdio.h>

#include "base/text.h"

static void
free_it(struct ll_till_view *view)
{
    if (view->drop != NULL)
        view->drop(view);
    ll_release(view->mem, view, view->bytes);
}

static void
on_end(struct ll_view *view)
{
    struct ll_till_view *till = LL_CONTAINER(view, struct ll_till_view, view);
    till->gone = till->lined;
    if (!till->gone)
        free_it(till);
}

/* It asks the till, not the store. */
static void
on_step(struct ll_view *view)
{
    ll_view_torn(view);
}

static linli_status
read_by(struct ll_till_view *view, struct ll_err *err)
{
    struct ll_identity *identity = NULL;
    linli_status status = ll_host_identify(
        view->view.face->host, view->view.request, &identity, err);
    if (status != LINLI_OK)
        return status;
    (void)snprintf(
        view->by, sizeof view->by, "operator:%.*s", LL_FMT(identity->id));
    ll_identity_unref(&identity);
    return LINLI_OK;
}

struct ll_till_view *
ll_till_view_new(struct ll_face *face, struct ll_request *request, size_t bytes)
{
    struct ll_err err;
    struct ll_till_view *view = ll_alloc(&face->host->mem, bytes);
    if (view == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return NULL;
    }
    view->bytes = bytes;
    view->mem = &face->host->mem;
    view->view.end = on_end;
    view->view.step = on_step;
    ll_view_begin(&view->view, face, request);
    if (read_by(view, &err) == LINLI_OK)
        return view;
    ll_view_refuse(&view->view, &err);
    return NULL;
}

static void
on_done(struct ll_till_job *job, linli_status status, const struct ll_err *err)
{
    struct ll_till_view *view = job->user;
    view->lined = false;
    if (view->gone) {
        free_it(view);
    } else if (status != LINLI_OK) {
        ll_view_refuse(&view->view, err);
    } else {
        view->write(view);
        if (!view->view.asking)
            ll_view_answer(&view->view);
    }
}

void
ll_till_view_job(struct ll_till_view *view, struct ll_till_job *job)
{
    struct ll_host *host = view->view.face->host;
    view->job = job;
    view->lined = true;
    job->user = view;
    job->done = on_done;
    job->act = (struct ll_bill_act){.billing = &host->billing,
        .by = ll_cstr(view->by),
        .now_ms = ll_world_wall(host->world).ms};
}

void
ll_till_view_lined(
    struct ll_till_view *view, linli_status status, const struct ll_err *err)
{
    if (status == LINLI_OK)
        return; /* it may be gone by now */
    view->lined = false;
    ll_view_refuse(&view->view, err);
}
