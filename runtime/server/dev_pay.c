/* server/dev_pay.c: the payment simulator, in development mode. [loop]
 *
 * GET, PUT /v1/dev/sim/payment    how it behaves
 * GET /v1/dev/sim/order?id=       what it was asked for: a payment, a refund
 */
#include "base/params.h"
#include "base/text.h"
#include "host/pay_doc.h"
#include "host/pay_sim.h"
#include "server/view.h"

#define BODY_DEPTH_MAX 4
#define DELAY_MS_MAX 600000

/* -- how it behaves -- */

static void
answer_settings(struct ll_face *face, struct ll_request *request)
{
    const struct ll_pay_sim_settings *now = ll_pay_sim_settings(face->host);
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "notify_before_return");
    ll_jw_bool(&w, now->notify_before_return);
    ll_jw_key(&w, "refund_notify_first");
    ll_jw_bool(&w, now->refund_notify_first);
    ll_jw_key(&w, "refund_delay_ms");
    ll_jw_int(&w, now->refund_delay_ms);
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

static bool
read_flag(struct ll_jv value, bool *out)
{
    *out = ll_jv_true(value);
    return ll_jv_is(value, LL_JSON_TRUE) || ll_jv_is(value, LL_JSON_FALSE);
}

/* Members that are not there are as at the start. */
static linli_status
read_settings(
    struct ll_jv root, struct ll_pay_sim_settings *out, struct ll_err *err)
{
    bool good = ll_jv_is(root, LL_JSON_OBJECT);
    *out = (struct ll_pay_sim_settings){.refund_delay_ms = 0};
    LL_JSON_MEMBERS (key, value, root) {
        linli_str name = ll_jv_str(key);
        if (ll_str_is(name, "notify_before_return"))
            good = good && read_flag(value, &out->notify_before_return);
        else if (ll_str_is(name, "refund_notify_first"))
            good = good && read_flag(value, &out->refund_notify_first);
        else if (ll_str_is(name, "refund_delay_ms"))
            good = good && ll_jv_int(value, &out->refund_delay_ms) &&
                   out->refund_delay_ms >= 0 &&
                   out->refund_delay_ms <= DELAY_MS_MAX;
        else
            good = false;
    }
    if (good)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "there are notify_before_return and refund_notify_first, true or "
        "false, and refund_delay_ms, 0 to %d",
        DELAY_MS_MAX);
}

void
ll_dev_pay_settings(struct ll_face *face, struct ll_request *request)
{
    struct ll_pay_sim_settings wanted;
    struct ll_json json;
    struct ll_err err;
    if (ll_str_is(request->method, "GET")) {
        answer_settings(face, request);
        return;
    }
    ll_json_init(&json, &face->host->mem);
    linli_status status =
        ll_request_is_json(request)
            ? ll_json_parse(&json, request->body, BODY_DEPTH_MAX, &err)
            : ll_fail(&err, LINLI_E_INVALID, "request/content-type",
                  "this path takes JSON");
    if (status == LINLI_OK)
        status = read_settings(ll_json_root(&json), &wanted, &err);
    ll_json_fini(&json);
    if (status != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    *ll_pay_sim_settings(face->host) = wanted;
    answer_settings(face, request);
}

/* -- what it was asked for -- */

struct order {
    struct ll_view view;
    struct ll_params params;
    struct ll_doc *doc;
    struct ll_wait wait;
    linli_str id; /* in `params` */
    uint32_t refund;
};

static void
end(struct ll_view *view)
{
    struct order *order = LL_CONTAINER(view, struct order, view);
    ll_wait_cancel(&order->wait);
    ll_doc_unref(&order->doc);
    ll_release(&view->face->host->mem, order, sizeof *order);
}

/* No query of the store's is asked. */
static void
step(struct ll_view *view)
{
    LL_UNUSED(view);
    ll_panic(__FILE__, __LINE__, "a view without a query has rows");
}

static void
refuse(struct order *order, linli_status status, const char *code)
{
    struct ll_err err;
    (void)ll_fail(&err, status, code, "no such payment or refund");
    ll_view_refuse(&order->view, &err);
}

static void
write_order(struct order *order, const struct ll_pay_doc *pay)
{
    struct ll_jw *w = &order->view.w;
    const struct ll_pay_refund *refund =
        order->refund == 0 ? NULL : &pay->money.refunds[order->refund - 1];
    ll_jw_open(w, '{');
    ll_view_text(&order->view, "payment_id", pay->id);
    if (refund != NULL) {
        ll_view_text(&order->view, "refund_id", order->id);
        ll_view_text(&order->view, "transaction_id", refund->transaction);
    }
    ll_jw_key(w, "amount_fen");
    ll_jw_int(w, refund != NULL ? refund->amount_fen : pay->money.amount_fen);
    ll_jw_close(w, '}');
}

static void
answer_order(struct order *order)
{
    const struct ll_doc *doc = order->doc;
    struct ll_pay_doc pay;
    ll_pay_doc_init(&pay, &order->view.face->host->mem);
    if (doc->state == LL_DOC_LOST) {
        refuse(order, LINLI_E_IO, "store/failed");
    } else if (doc->content == NULL) {
        refuse(order, LINLI_E_NOT_FOUND, "request/not-found");
    } else if (!ll_pay_doc_read(&pay, doc->content->body)) {
        refuse(order, LINLI_E_NOMEM, "runtime/memory");
    } else if (order->refund > pay.money.refund_count) {
        refuse(order, LINLI_E_NOT_FOUND, "request/not-found");
    } else {
        write_order(order, &pay);
        ll_view_answer(&order->view);
    }
    ll_pay_doc_fini(&pay);
}

static void
on_ready(struct ll_wait *wait)
{
    answer_order(LL_CONTAINER(wait, struct order, wait));
}

static void
look_up(struct order *order)
{
    struct ll_host *host = order->view.face->host;
    linli_str payment = order->id;
    (void)ll_pay_refund_id_split(order->id, &payment, &order->refund);
    struct ll_instance *instance = ll_pay_instance(host, payment);
    if (instance == NULL ||
        ll_space_find(instance->space, LINLI_STR("~payment")) == NULL) {
        refuse(order, LINLI_E_NOT_FOUND, "request/not-found");
        return;
    }
    struct ll_coll *coll = ll_pay_coll(instance);
    order->doc = coll == NULL ? NULL : ll_docs_get(coll, payment);
    if (order->doc == NULL)
        refuse(order, LINLI_E_NOMEM, "runtime/memory");
    else if (ll_doc_ready(order->doc, &order->wait))
        answer_order(order);
}

void
ll_dev_pay_order(struct ll_face *face, struct ll_request *request)
{
    static const char *const names[] = {"id", NULL};
    struct ll_err err;
    struct order *order = ll_alloc(&face->host->mem, sizeof *order);
    if (order == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    order->view.step = step;
    order->view.end = end;
    order->wait = (struct ll_wait){.ready = on_ready};
    ll_view_begin(&order->view, face, request);
    if (ll_params_read(&order->params, names, request->query, &err) !=
        LINLI_OK) {
        ll_view_refuse(&order->view, &err);
        return;
    }
    order->id = ll_param(&order->params, "id");
    look_up(order);
}
