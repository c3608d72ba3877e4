/* host/pay_sim.c: the simulator. [loop] */
#include "host/pay_sim.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "host/payment.h"
#include "world/file.h"

#define SECRET_RANDOM_BYTES 32
#define SECRET_BYTES_MIN 16
#define SECRET_BYTES_MAX 256
#define NOTICE_DEPTH_MAX 8
/* No sum of notices leaves int64. */
#define NOTICE_FEN_MAX ((int64_t)1000000000000000)

struct ll_pay_sim {
    struct ll_pay_sim_settings settings;
    char secret[SECRET_BYTES_MAX];
    size_t secret_bytes;
};

/* -- the secret -- */

static linli_status
make_secret(struct ll_host *host, struct ll_err *err)
{
    unsigned char random[SECRET_RANDOM_BYTES];
    struct ll_pay_sim *sim = host->pay_sim;
    ll_world_random(host->world, random, sizeof random);
    ll_hex(random, sizeof random, sim->secret);
    sim->secret_bytes = 2 * sizeof random;
    if (host->data.dir_fd < 0)
        return LINLI_OK;
    return ll_file_write(host->data.dir_fd, LL_PAY_SIM_SECRET_FILE,
        (linli_str){sim->secret, sim->secret_bytes}, 0600, err);
}

/* Space at its end is no part of it: an editor may have added a line's. */
static linli_status
keep_secret(struct ll_pay_sim *sim, linli_str text, struct ll_err *err)
{
    while (text.len > 0 && (unsigned char)text.ptr[text.len - 1] <= ' ')
        text.len--;
    if (text.len < SECRET_BYTES_MIN || text.len > sizeof sim->secret) {
        linli_status status = ll_fail(err, LINLI_E_INVALID, "data/unusable",
            "a secret has %d to %zu bytes", SECRET_BYTES_MIN,
            sizeof sim->secret);
        ll_err_where(err, LL_PAY_SIM_SECRET_FILE);
        ll_err_fix(err, "remove the file: a new one is made");
        return status;
    }
    memcpy(sim->secret, text.ptr, text.len);
    sim->secret_bytes = text.len;
    return LINLI_OK;
}

linli_status
ll_pay_sim_open(struct ll_host *host, struct ll_err *err)
{
    struct ll_buf text;
    host->pay_sim = ll_arena_alloc(ll_host_arena(host), sizeof *host->pay_sim);
    if (host->pay_sim == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a simulator");
    if (host->data.dir_fd < 0)
        return make_secret(host, err);
    ll_buf_init(&text, &host->mem, (size_t)2 * SECRET_BYTES_MAX);
    linli_status status = ll_file_read(host->data.dir_fd,
        LL_PAY_SIM_SECRET_FILE, SECRET_BYTES_MAX + 1, &text, err);
    if (status == LINLI_E_NOT_FOUND)
        status = make_secret(host, err);
    else if (status == LINLI_OK)
        status = keep_secret(host->pay_sim, ll_buf_view(&text), err);
    ll_buf_fini(&text);
    return status;
}

struct ll_pay_sim_settings *
ll_pay_sim_settings(struct ll_host *host)
{
    return &host->pay_sim->settings;
}

/* -- requests -- */

/* One that is not answered at once. */
struct sim_op {
    struct ll_pay_request *request;
    struct ll_pay_receipt receipt;
    struct ll_timer *timer;
    int64_t delay_ms;
    char payment[LL_PAY_ID_BYTES], refund[LL_PAY_REFUND_ID_BYTES];
    char transaction[LL_PAY_ID_BYTES + 8];
};

static void
op_free(struct sim_op *op)
{
    struct ll_host *host = op->request->host;
    ll_pay_receipt_drop(&op->receipt);
    ll_timer_free(&op->timer);
    op->request->state = NULL;
    ll_release(&host->mem, op, sizeof *op);
}

static void
answer_failed(struct ll_pay_request *request)
{
    struct ll_pay_answer answer = {
        .kind = LL_PAY_ANSWER_FAILED, .code = "runtime/memory"};
    request->done(request, &answer);
}

static struct sim_op *
op_new(struct ll_pay_request *request, linli_str payment)
{
    struct sim_op *op = ll_alloc(&request->host->mem, sizeof *op);
    if (op == NULL)
        return NULL;
    op->request = request;
    (void)snprintf(op->payment, sizeof op->payment, "%.*s", LL_FMT(payment));
    request->state = op;
    return op;
}

static void
sim_cancel(struct ll_pay_request *request)
{
    if (request->state != NULL)
        op_free(request->state);
}

/* -- create -- */

static void
answer_created(struct ll_pay_request *request, linli_str payment)
{
    char params[LL_PAY_ID_BYTES + 16];
    (void)snprintf(
        params, sizeof params, "{\"sim\":\"%.*s\"}", LL_FMT(payment));
    struct ll_pay_answer answer = {
        .kind = LL_PAY_ANSWER_DONE, .params = ll_cstr(params)};
    request->done(request, &answer);
}

/* Whatever became of the notice: the provider's answer is its own affair. */
static void
on_paid_first(struct ll_pay_receipt *receipt, const struct ll_err *err)
{
    struct sim_op *op = LL_CONTAINER(receipt, struct sim_op, receipt);
    struct ll_pay_request *request = op->request;
    char payment[LL_PAY_ID_BYTES];
    LL_UNUSED(err);
    memcpy(payment, op->payment, sizeof payment);
    op_free(op);
    answer_created(request, ll_cstr(payment));
}

static void
sim_create(struct ll_pay_request *request, const struct ll_pay_order *order)
{
    if (!ll_pay_sim_settings(request->host)->notify_before_return) {
        answer_created(request, order->payment);
        return;
    }
    struct sim_op *op = op_new(request, order->payment);
    if (op == NULL) {
        answer_failed(request);
        return;
    }
    (void)snprintf(
        op->transaction, sizeof op->transaction, "sim-%s", op->payment);
    op->receipt = (struct ll_pay_receipt){.host = request->host,
        .event = {.adapter = &ll_pay_sim_adapter,
            .payment = ll_cstr(op->payment),
            .transaction = ll_cstr(op->transaction),
            .amount_fen = order->amount_fen},
        .done = on_paid_first};
    ll_pay_receive(&op->receipt);
}

/* -- refund -- */

static void
on_delayed(void *user)
{
    struct sim_op *op = user;
    struct ll_pay_request *request = op->request;
    struct ll_pay_answer answer = {
        .kind = op->delay_ms > 0 ? LL_PAY_ANSWER_DONE : LL_PAY_ANSWER_ACCEPTED};
    op_free(op);
    request->done(request, &answer);
}

static void
answer_refund(struct sim_op *op)
{
    struct ll_host *host = op->request->host;
    if (op->delay_ms == 0) {
        on_delayed(op);
        return;
    }
    op->timer = ll_timer_new(host->world, on_delayed, op);
    if (op->timer != NULL) {
        ll_timer_set(op->timer, op->delay_ms, 0);
        return;
    }
    struct ll_pay_request *request = op->request;
    op_free(op);
    answer_failed(request);
}

static void
on_refunded_first(struct ll_pay_receipt *receipt, const struct ll_err *err)
{
    LL_UNUSED(err);
    answer_refund(LL_CONTAINER(receipt, struct sim_op, receipt));
}

static void
sim_refund(struct ll_pay_request *request, const struct ll_pay_return *what)
{
    const struct ll_pay_sim_settings *settings =
        ll_pay_sim_settings(request->host);
    struct sim_op *op = op_new(request, what->payment);
    if (op == NULL) {
        answer_failed(request);
        return;
    }
    op->delay_ms = settings->refund_delay_ms;
    (void)snprintf(op->refund, sizeof op->refund, "%.*s", LL_FMT(what->refund));
    if (!settings->refund_notify_first) {
        answer_refund(op);
        return;
    }
    op->receipt = (struct ll_pay_receipt){.host = request->host,
        .event = {.adapter = &ll_pay_sim_adapter,
            .refund = true,
            .payment = ll_cstr(op->payment),
            .refund_id = ll_cstr(op->refund),
            .amount_fen = what->amount_fen},
        .done = on_refunded_first};
    ll_pay_receive(&op->receipt);
}

/* -- callbacks -- */

/* "t=UNIX,v1=HEX" */
static bool
read_signature(linli_str header, linli_str *t, linli_str *v1)
{
    linli_str part;
    *t = *v1 = (linli_str){NULL, 0};
    while (ll_str_split(&header, ',', &part)) {
        linli_str name, value = part;
        while (value.len > 0 && value.ptr[0] == ' ')
            value = (linli_str){value.ptr + 1, value.len - 1};
        if (!ll_str_split(&value, '=', &name))
            continue;
        if (ll_str_is(name, "t"))
            *t = value;
        else if (ll_str_is(name, "v1"))
            *v1 = value;
    }
    return t->len > 0 && v1->len == (size_t)2 * LL_SHA256_BYTES;
}

static bool
is_near(int64_t t, struct ll_wall now)
{
    int64_t off_s = now.ms / 1000 - t;
    return off_s <= LL_PAY_SKEW_S_MAX && off_s >= -LL_PAY_SKEW_S_MAX;
}

/* A clock that was set by hand says nothing about who signs with his own. */
static bool
is_fresh(const struct ll_host *host, linli_str text)
{
    int64_t t;
    return ll_str_int(text, 0, INT64_MAX / 1000, &t) &&
           (is_near(t, ll_world_wall(host->world)) ||
               (host->virtual_clock && is_near(t, ll_wall_real())));
}

static linli_status
check_signature(
    struct ll_host *host, const struct ll_request *callback, struct ll_err *err)
{
    const struct ll_pay_sim *sim = host->pay_sim;
    linli_str t, v1;
    unsigned char mac[LL_SHA256_BYTES];
    char hex[2 * LL_SHA256_BYTES + 1];
    struct ll_buf text;
    linli_str header = ll_request_field(callback, "linli-sim-signature");
    if (!read_signature(header, &t, &v1))
        return ll_fail(err, LINLI_E_DENIED, "payments/signature",
            "Linli-Sim-Signature is t=UNIX,v1=HEX");
    ll_buf_init(&text, &host->mem, LL_PAY_NOTICE_BYTES_MAX + 64);
    ll_buf_str(&text, t);
    ll_buf_char(&text, '.');
    ll_buf_str(&text, callback->body);
    bool failed = text.failed;
    if (!failed)
        ll_hmac_sha256((linli_str){sim->secret, sim->secret_bytes},
            ll_buf_view(&text), mac);
    ll_buf_fini(&text);
    if (failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a notice");
    ll_hex(mac, sizeof mac, hex);
    if (!ll_secret_is(v1, ll_cstr(hex)))
        return ll_fail(err, LINLI_E_DENIED, "payments/signature",
            "v1 is not the HMAC-SHA256 of t, a dot and the body");
    if (!is_fresh(host, t))
        return ll_fail(err, LINLI_E_DENIED, "payments/signature",
            "t is more than %d s away from the clock", LL_PAY_SKEW_S_MAX);
    return LINLI_OK;
}

static linli_status
bad_notice(struct ll_err *err, const char *what)
{
    return ll_fail(err, LINLI_E_INVALID, "payments/notice", "%s", what);
}

/* What providers call an id: no control characters. */
static bool
is_id(linli_str s, size_t bytes_max)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    return s.len <= bytes_max;
}

static linli_status
read_event(struct ll_jv root, struct ll_pay_event *event, struct ll_err *err)
{
    linli_str type = ll_jv_str(ll_jv_get(root, "type"));
    struct ll_jv amount = ll_jv_get(root, "amount_fen");
    event->refund = ll_str_is(type, "refund.done");
    event->payment = ll_jv_str(ll_jv_get(root, "payment_id"));
    event->transaction = ll_jv_str(ll_jv_get(root, "transaction_id"));
    if (event->refund)
        event->refund_id = ll_jv_str(ll_jv_get(root, "refund_id"));
    if (!event->refund && !ll_str_is(type, "payment.paid"))
        return bad_notice(err, "`type` is payment.paid or refund.done");
    if (event->payment.len == 0 && event->refund_id.len == 0)
        return bad_notice(err, event->refund
                                   ? "`refund_id` or `payment_id` is missing"
                                   : "`payment_id` is missing");
    if (!event->refund && event->transaction.len == 0)
        return bad_notice(err, "`transaction_id` is missing");
    if (!is_id(event->payment, LL_DOC_ID_BYTES_MAX) ||
        !is_id(event->refund_id, LL_DOC_ID_BYTES_MAX) ||
        !is_id(event->transaction, LL_PAY_TRANSACTION_BYTES_MAX))
        return bad_notice(err, "an id is too long, or not text");
    if (event->refund && !ll_jv_there(amount))
        return LINLI_OK;
    if (!ll_jv_int(amount, &event->amount_fen) || event->amount_fen < 1 ||
        event->amount_fen > NOTICE_FEN_MAX)
        return bad_notice(err, "`amount_fen` is an integer from 1");
    return LINLI_OK;
}

static linli_status
sim_verify(struct ll_host *host, const struct ll_request *callback,
    struct ll_arena *arena, struct ll_pay_event *event, struct ll_err *err)
{
    struct ll_json json;
    *event = (struct ll_pay_event){.adapter = &ll_pay_sim_adapter};
    linli_status status = check_signature(host, callback, err);
    if (status != LINLI_OK)
        return status;
    ll_json_init(&json, &host->mem);
    status = ll_json_parse(&json, callback->body, NOTICE_DEPTH_MAX, err);
    if (status != LINLI_OK && status != LINLI_E_NOMEM)
        status = bad_notice(err, "the body is not JSON");
    if (status == LINLI_OK)
        status = read_event(ll_json_root(&json), event, err);
    event->payment = ll_arena_str(arena, event->payment);
    event->refund_id = ll_arena_str(arena, event->refund_id);
    event->transaction = ll_arena_str(arena, event->transaction);
    ll_json_fini(&json);
    if (status == LINLI_OK && arena->failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a notice");
    return status;
}

static void
sim_reply(struct ll_buf *out, const struct ll_err *err)
{
    char message[sizeof err->code + sizeof err->msg + 4];
    struct ll_jw w = ll_jw(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "code");
    ll_jw_cstr(&w, err == NULL ? "SUCCESS" : "FAIL");
    if (err != NULL) {
        (void)snprintf(message, sizeof message, "%s: %s", err->code, err->msg);
        ll_jw_key(&w, "message");
        ll_jw_cstr(&w, message);
    }
    ll_jw_close(&w, '}');
}

const struct ll_pay_adapter ll_pay_sim_adapter = {.name = "sim",
    .development = true,
    .create = sim_create,
    .refund = sim_refund,
    .cancel = sim_cancel,
    .verify = sim_verify,
    .reply = sim_reply};
