/* server/invoice_act.c: what an operator does to an invoice. [loop]
 *
 * POST .../admin/invoices/{id}/finalize {reason?}
 * POST .../admin/invoices/{id}/credit {lines: [key | {key, fen}], reason}, or
 *      {all: true, reason}
 * POST .../admin/invoices/{id}/write-off {reason}
 *
 * Each answers when it is durable, with the invoice as it is then.
 */
#include <stdio.h>

#include "base/text.h"
#include "billing/credit.h"
#include "server/desk.h"
#include "server/invoices.h"

#define HOUR_MS 3600000

struct doing {
    struct ll_view view;
    struct ll_community *community;
    int64_t id;
    char by[LL_TOKEN_NAME_BYTES_MAX + 16];
    struct ll_json body;
    linli_str reason;           /* in `body` */
    struct ll_bill_act act;     /* of a write-off */
    struct ll_crediting credit; /* of a credit note */
    struct ll_credit_want wants[LL_INVOICE_CREDITED_MAX];
    bool busy, gone; /* gone: answered, and what it waits for is not done */
};

static void
doing_free(struct doing *d)
{
    struct ll_mem *mem = d->body.mem;
    ll_json_fini(&d->body);
    ll_release(mem, d, sizeof *d);
}

static void
end(struct ll_view *view)
{
    struct doing *d = LL_CONTAINER(view, struct doing, view);
    d->gone = d->busy;
    if (!d->gone)
        doing_free(d);
}

/* It asks no query of its own. */
static void
step(struct ll_view *view)
{
    LL_UNUSED(view);
}

/* It is durable, or why not. */
static void
answer(struct doing *d, linli_status status, const struct ll_err *err)
{
    d->busy = false;
    if (d->gone) {
        doing_free(d);
        return;
    }
    if (status != LINLI_OK) {
        ll_view_refuse(&d->view, err);
        return;
    }
    struct ll_inv_wanted wanted = {.community = d->community,
        .id = d->id,
        .suffix = true,
        .form = LL_INV_JSON};
    struct ll_face *face = d->view.face;
    struct ll_request *request = d->view.request;
    ll_view_drop(&d->view);
    ll_invoice_begin_view(face, request, &wanted);
}

/* -- finalize -- */

static void
on_final(void *user, linli_status status, const struct ll_err *err)
{
    answer(user, status, err);
}

/* As long as use may come with an instant of the period, somebody says why it
 * is not waited for; for the last one it is, as nothing could bill it then. */
static linli_status
finalize(struct doing *d, struct ll_err *err)
{
    struct ll_billing *billing = &d->view.face->host->billing;
    const struct ll_inv *inv = ll_inv_by_id(billing, d->id);
    struct ll_inv_finalize how = {.id = d->id,
        .by = ll_cstr(d->by),
        .reason = d->reason,
        .done = on_final,
        .user = d};
    int64_t now_ms = ll_world_wall(billing->world).ms;
    if (inv != NULL && inv->state == LL_INV_DRAFT &&
        (d->reason.len == 0 || inv->last) &&
        now_ms < inv->made_ms + (int64_t)LL_INVOICE_GRACE_HOURS * HOUR_MS)
        return ll_fail(err, LINLI_E_CONFLICT, "invoice/grace",
            "use of this period may come until %d hours after its end",
            LL_INVOICE_GRACE_HOURS);
    linli_status status = ll_inv_finalize(billing, &how, err);
    d->busy = status == LINLI_OK;
    return status;
}

/* -- write-off -- */

static void
on_written_off(struct ll_bill_act *act, bool durable)
{
    struct ll_err err;
    linli_status status =
        durable ? LINLI_OK
                : ll_fail(&err, LINLI_E_IO, "store/failed", "it is not kept");
    answer(act->user, status, &err);
}

static linli_status
write_off(struct doing *d, struct ll_err *err)
{
    struct ll_billing *billing = &d->view.face->host->billing;
    d->act = (struct ll_bill_act){.billing = billing,
        .by = ll_cstr(d->by),
        .reason = d->reason,
        .now_ms = ll_world_wall(billing->world).ms,
        .done = on_written_off,
        .user = d};
    linli_status status = ll_bill_begin(&d->act, err);
    if (status != LINLI_OK)
        return status;
    status = ll_invoice_write_off(&d->act, d->id, err);
    if (status != LINLI_OK) {
        ll_bill_drop(&d->act);
        return status;
    }
    d->busy = true;
    (void)ll_bill_send(&d->act);
    return LINLI_OK;
}

/* -- credit -- */

static void
on_credited(
    struct ll_till_job *job, linli_status status, const struct ll_err *err)
{
    struct doing *d = LL_CONTAINER(job, struct doing, credit.job);
    ll_credit_end(&d->credit);
    answer(d, status, err);
}

static linli_status
read_want(struct doing *d, struct ll_jv line, struct ll_err *err)
{
    struct ll_credit_want *want = &d->wants[d->credit.want_count];
    bool whole = ll_jv_is(line, LL_JSON_STRING);
    struct ll_jv fen = ll_jv_get(line, "fen");
    want->key = ll_jv_str(whole ? line : ll_jv_get(line, "key"));
    want->fen = 0;
    bool good =
        want->key.len > 0 && (whole || !ll_jv_there(fen) ||
                                 (ll_jv_int(fen, &want->fen) && want->fen > 0));
    d->credit.want_count++;
    return good ? LINLI_OK
                : ll_fail(err, LINLI_E_INVALID, "request/invalid",
                      "a line is its key, or {key, fen} with 1 fen or more");
}

static linli_status
read_wants(struct doing *d, struct ll_err *err)
{
    struct ll_jv root = ll_json_root(&d->body);
    struct ll_jv lines = ll_jv_get(root, "lines");
    bool all = ll_jv_true(ll_jv_get(root, "all"));
    uint32_t count = ll_jv_count(lines);
    if (all == (count > 0) || count > LL_INVOICE_CREDITED_MAX)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "either `all`: true, or `lines`, 1 to %d of them",
            LL_INVOICE_CREDITED_MAX);
    LL_JSON_EACH (line, lines) {
        linli_status status = read_want(d, line, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

static linli_status
credit(struct doing *d, struct ll_err *err)
{
    struct ll_billing *billing = &d->view.face->host->billing;
    linli_status status = read_wants(d, err);
    if (status != LINLI_OK)
        return status;
    d->credit.job.act = (struct ll_bill_act){.billing = billing,
        .by = ll_cstr(d->by),
        .reason = d->reason,
        .now_ms = ll_world_wall(billing->world).ms};
    d->credit.job.done = on_credited;
    d->credit.community = d->community->id;
    d->credit.invoice = d->id;
    d->credit.wants = d->wants;
    d->busy = true;
    status = ll_credit_start(&d->credit, err);
    if (status != LINLI_OK) {
        d->busy = false;
        ll_credit_end(&d->credit);
    }
    return status;
}

/* -- beginning -- */

static const struct action {
    const char *word;
    bool must_say; /* why */
    const char *names[4];
    linli_status (*act)(struct doing *d, struct ll_err *err);
} actions[] = {
    {"finalize", false, {"reason", NULL}, finalize},
    {"credit", true, {"reason", "lines", "all", NULL}, credit},
    {"write-off", true, {"reason", NULL}, write_off},
};

static linli_status
read_reason(struct doing *d, bool must, struct ll_err *err)
{
    struct ll_jv v = ll_jv_get(ll_json_root(&d->body), "reason");
    size_t blank = 0;
    d->reason = ll_jv_str(v);
    while (blank < d->reason.len && (unsigned char)d->reason.ptr[blank] <= ' ')
        blank++;
    if ((!must || blank < d->reason.len) &&
        (blank < d->reason.len || !ll_jv_there(v)) &&
        d->reason.len <= LL_REASON_BYTES_MAX &&
        (d->reason.len == 0 ||
            memchr(d->reason.ptr, '\0', d->reason.len) == NULL))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`reason` says why, in 1 to %d bytes", LL_REASON_BYTES_MAX);
}

static linli_status
read_all(struct doing *d, const struct action *action, struct ll_err *err)
{
    struct ll_identity *identity = NULL;
    struct ll_request *request = d->view.request;
    linli_status status =
        ll_host_identify(d->view.face->host, request, &identity, err);
    if (status != LINLI_OK)
        return status;
    (void)snprintf(d->by, sizeof d->by, "operator:%.*s", LL_FMT(identity->id));
    ll_identity_unref(&identity);
    if (request->has_body)
        status = ll_desk_body(request, action->names, &d->body, err);
    else
        status = ll_json_parse(&d->body, LINLI_STR("{}"), 1, err);
    return status == LINLI_OK ? read_reason(d, action->must_say, err) : status;
}

static bool
is_here(const struct doing *d)
{
    const struct ll_billing *billing = &d->view.face->host->billing;
    const struct ll_inv *inv = ll_inv_by_id(billing, d->id);
    const struct ll_sub *sub =
        inv == NULL ? NULL : ll_sub_by_id(billing, inv->sub);
    return sub == NULL || ll_str_eq(sub->community, d->community->id);
}

static void
begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, int64_t id, const struct action *action)
{
    struct ll_err err;
    struct doing *d = ll_alloc(&face->host->mem, sizeof *d);
    if (d == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    d->community = community;
    d->id = id;
    d->view.step = step;
    d->view.end = end;
    ll_json_init(&d->body, &face->host->mem);
    ll_view_begin(&d->view, face, request);
    linli_status status = read_all(d, action, &err);
    if (status == LINLI_OK && !is_here(d))
        status = ll_fail(&err, LINLI_E_NOT_FOUND, "request/not-found",
            "this community has no such invoice");
    if (status == LINLI_OK)
        status = action->act(d, &err);
    if (status != LINLI_OK)
        ll_view_refuse(&d->view, &err);
}

bool
ll_invoice_act(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, int64_t id, linli_str what)
{
    for (size_t i = 0; i < LL_COUNT(actions); i++) {
        if (!ll_str_is(what, actions[i].word))
            continue;
        if (ll_str_is(request->method, "POST"))
            begin(face, request, community, id, &actions[i]);
        else
            ll_face_method(face, request, "POST");
        return true;
    }
    return false;
}
