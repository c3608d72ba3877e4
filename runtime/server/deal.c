/* server/deal.c: an act, and its answer when it is durable. [loop] */
#include "server/deal.h"

#include <stdio.h>

#include "base/text.h"
#include "host/jwt.h"

static void
deal_free(struct ll_deal *deal)
{
    struct ll_mem *mem = deal->body.mem;
    ll_json_fini(&deal->body);
    ll_release(mem, deal, sizeof *deal);
}

/* Its request is answered; the act may still point here. */
static void
on_end(struct ll_view *view)
{
    struct ll_deal *deal = LL_CONTAINER(view, struct ll_deal, view);
    deal->gone = deal->acting;
    if (!deal->gone)
        deal_free(deal);
}

/* A deal asks no query. */
static void
on_step(struct ll_view *view)
{
    LL_UNUSED(view);
}

static void
on_done(struct ll_bill_act *act, bool durable)
{
    struct ll_deal *deal = act->user;
    struct ll_err err;
    deal->acting = false;
    if (deal->gone) {
        deal_free(deal);
        return;
    }
    if (durable) {
        ll_view_answer(&deal->view);
        return;
    }
    (void)ll_fail(&err, LINLI_E_IO, "store/failed", "it cannot be kept");
    ll_view_refuse(&deal->view, &err);
}

struct ll_deal *
ll_deal_begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    struct ll_host *host = face->host;
    struct ll_identity *identity = NULL;
    struct ll_err err;
    if (ll_host_identify(host, request, &identity, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return NULL;
    }
    struct ll_deal *deal = ll_alloc(&host->mem, sizeof *deal);
    if (deal == NULL) {
        ll_identity_unref(&identity);
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return NULL;
    }
    deal->community = community;
    ll_json_init(&deal->body, &host->mem);
    (void)snprintf(deal->by, sizeof deal->by, "%s:%.*s",
        ll_caller_name(identity->kind), LL_FMT(identity->id));
    ll_identity_unref(&identity);
    deal->act = (struct ll_bill_act){.billing = &host->billing,
        .by = ll_cstr(deal->by),
        .now_ms = ll_world_wall(host->world).ms,
        .done = on_done,
        .user = deal};
    deal->view.step = on_step;
    deal->view.end = on_end;
    ll_view_begin(&deal->view, face, request);
    return deal;
}

static linli_status
take_reason(struct ll_deal *deal, bool must, struct ll_err *err)
{
    struct ll_jv v = ll_jv_get(ll_json_root(&deal->body), "reason");
    linli_str reason = ll_jv_str(v);
    size_t blank = 0;
    while (blank < reason.len && (unsigned char)reason.ptr[blank] <= ' ')
        blank++;
    bool good = must ? blank < reason.len
                     : !ll_jv_there(v) || ll_jv_is(v, LL_JSON_STRING);
    if (good && reason.len <= LL_REASON_BYTES_MAX &&
        (reason.len == 0 || memchr(reason.ptr, '\0', reason.len) == NULL)) {
        deal->act.reason = reason;
        return LINLI_OK;
    }
    (void)ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`reason` says why, in 1 to %d bytes", LL_REASON_BYTES_MAX);
    ll_err_where(err, "/reason");
    return LINLI_E_INVALID;
}

linli_status
ll_deal_read(struct ll_deal *deal, const char *const *names, struct ll_err *err)
{
    const struct ll_request *request = deal->view.request;
    bool must = false, may = false;
    if (request->has_body && !ll_request_is_json(request))
        return ll_fail(err, LINLI_E_INVALID, "request/content-type",
            "the body is not application/json");
    linli_status status = ll_json_parse(&deal->body,
        request->has_body ? request->body : LINLI_STR("{}"), LL_BODY_DEPTH_MAX,
        err);
    if (status != LINLI_OK)
        return status;
    struct ll_jv root = ll_json_root(&deal->body);
    if (!ll_jv_is(root, LL_JSON_OBJECT))
        return ll_fail(
            err, LINLI_E_INVALID, "request/invalid", "an object is expected");
    LL_JSON_MEMBERS (name, value, root) {
        linli_str found = ll_jv_str(name);
        size_t i = 0;
        while (names[i] != NULL &&
               !ll_str_is(found, names[i] + (names[i][0] == '!')))
            i++;
        if (names[i] == NULL && ll_jv_there(value))
            return ll_fail(err, LINLI_E_INVALID, "request/invalid",
                "`%.*s` is not known here",
                found.len > 64 ? 64 : (int)found.len, found.ptr);
    }
    for (size_t i = 0; names[i] != NULL; i++) {
        must = must || strcmp(names[i], "!reason") == 0;
        may = may || strcmp(names[i], "reason") == 0;
    }
    return must || may ? take_reason(deal, must, err) : LINLI_OK;
}

void
ll_deal_end(struct ll_deal *deal, linli_status status, bool again,
    const struct ll_err *err)
{
    if (status != LINLI_OK)
        ll_view_refuse(&deal->view, err);
    else if (again)
        ll_view_answer(&deal->view);
    else
        deal->acting = true;
}
