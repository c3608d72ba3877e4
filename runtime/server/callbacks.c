/* server/callbacks.c: what payment providers send. [loop]
 *
 * POST /v1/callbacks/payment/{adapter}
 *
 * The raw body is judged by the adapter before anything looks into it. The
 * answer is in the provider's own words and waits for the disk alone, never
 * for a plugin (spec/payments.md, section 4).
 */
#include "base/problem.h"
#include "base/text.h"
#include "host/payment.h"
#include "server/face.h"

#define LOG_EVERY_NS ((int64_t)1000000000)
#define ARENA_BYTES_MAX ((size_t)64 << 10)

/* A notice that waits for its commit; holds the request meanwhile. */
struct ll_calling_back {
    struct ll_calling_back *next, **at; /* of the face */
    struct ll_face *face;
    struct ll_request *request;
    struct ll_arena arena;
    struct ll_pay_receipt receipt;
};

/* Answers as the provider wants it; `err` NULL: its notice was taken. */
static void
reply(struct ll_face *face, struct ll_request *request,
    const struct ll_pay_adapter *adapter, const struct ll_err *err)
{
    const struct ll_problem *row =
        err == NULL ? NULL : ll_problem_find(ll_cstr(err->code));
    struct ll_response response = {
        .status = 200, .content_type = LINLI_STR("application/json")};
    if (err != NULL)
        response.status =
            row == NULL || row->http_status == 0 ? 500 : row->http_status;
    if (response.status == 405)
        response.headers[response.header_count++] =
            (struct ll_field){LINLI_STR("allow"), LINLI_STR("POST")};
    ll_buf_clear(&face->out);
    adapter->reply(&face->out, err);
    response.body = ll_buf_view(&face->out);
    request->respond(request, &response);
}

/* Anybody can send what is refused: the log has one of a second. */
static void
refuse(struct ll_face *face, struct ll_request *request,
    const struct ll_pay_adapter *adapter, const struct ll_err *err)
{
    struct ll_log_line line = {.level = LL_WARN,
        .code = err->code,
        .msg = LINLI_STR("a payment notice was refused")};
    int64_t now_ns = ll_world_mono(face->host->world).ns;
    if (face->refused_ns == 0 || now_ns - face->refused_ns >= LOG_EVERY_NS) {
        face->refused_ns = now_ns;
        ll_log_write(&face->host->log, &line);
    }
    reply(face, request, adapter, err);
}

static void
end(struct ll_calling_back *c)
{
    struct ll_host *host = c->face->host;
    *c->at = c->next;
    if (c->next != NULL)
        c->next->at = c->at;
    ll_pay_receipt_drop(&c->receipt);
    ll_arena_fini(&c->arena);
    ll_release(&host->mem, c, sizeof *c);
}

static void
on_done(struct ll_pay_receipt *receipt, const struct ll_err *err)
{
    struct ll_calling_back *c =
        LL_CONTAINER(receipt, struct ll_calling_back, receipt);
    const struct ll_pay_adapter *adapter = receipt->event.adapter;
    if (err == NULL)
        reply(c->face, c->request, adapter, NULL);
    else
        refuse(c->face, c->request, adapter, err);
    end(c);
}

/* Before the body is looked at. */
static linli_status
check_request(
    struct ll_host *host, const struct ll_request *request, struct ll_err *err)
{
    if (!ll_str_is(request->method, "POST"))
        return ll_fail(
            err, LINLI_E_INVALID, "request/method", "a notice is POSTed");
    if (request->body.len > LL_PAY_NOTICE_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "request/too-large",
            "a notice has at most %d bytes", LL_PAY_NOTICE_BYTES_MAX);
    if (host->draining)
        return ll_fail(
            err, LINLI_E_CLOSED, "runtime/draining", "this host stops");
    if (ll_store_busy(host->store))
        return ll_fail(
            err, LINLI_E_LIMIT, "runtime/busy", "too much waits for the disk");
    return LINLI_OK;
}

static void
receive(struct ll_face *face, struct ll_request *request,
    const struct ll_pay_adapter *adapter)
{
    struct ll_host *host = face->host;
    struct ll_err err = {0};
    struct ll_calling_back *c = NULL;
    linli_status status = check_request(host, request, &err);
    if (status == LINLI_OK) {
        c = ll_alloc(&host->mem, sizeof *c);
        if (c == NULL)
            status = ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a notice");
    }
    if (status != LINLI_OK) {
        refuse(face, request, adapter, &err);
        return;
    }
    c->face = face;
    c->request = request;
    c->next = face->calling_back;
    c->at = &face->calling_back;
    if (c->next != NULL)
        c->next->at = &c->next;
    face->calling_back = c;
    ll_arena_init(&c->arena, &host->mem, ARENA_BYTES_MAX);
    c->receipt.host = host;
    c->receipt.done = on_done;
    status = adapter->verify(host, request, &c->arena, &c->receipt.event, &err);
    c->receipt.event.adapter = adapter;
    if (status == LINLI_OK)
        ll_pay_receive(&c->receipt);
    else
        on_done(&c->receipt, &err);
}

void
ll_callbacks_handle(
    struct ll_face *face, struct ll_request *request, linli_str rest)
{
    static const char prefix[] = "payment/";
    linli_str name = rest;
    if (ll_str_starts(rest, prefix))
        name = (linli_str){
            rest.ptr + sizeof prefix - 1, rest.len - sizeof prefix + 1};
    const struct ll_pay_adapter *adapter =
        name.ptr == rest.ptr ? NULL : ll_pay_adapter(face->host, name);
    if (adapter == NULL)
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else
        receive(face, request, adapter);
}

void
ll_callbacks_end(struct ll_face *face)
{
    struct ll_err err;
    (void)ll_fail(&err, LINLI_E_CLOSED, "runtime/draining", "this host stops");
    while (face->calling_back != NULL) {
        struct ll_pay_receipt *receipt = &face->calling_back->receipt;
        ll_pay_receipt_drop(receipt);
        on_done(receipt, &err);
    }
}
