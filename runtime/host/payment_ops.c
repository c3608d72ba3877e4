/* host/payment_ops.c: call:pay, call:refund, call:payment. [loop]
 *
 * What they change is part of the call: the payment, or the refund, is there
 * if it commits, and the provider is asked after that, by an errand.
 */
#include <stdio.h>

#include "base/text.h"
#include "host/call.h"
#include "host/payment.h"

/* More than a payment's errands, and what a refund adds to it. */
#define ROOM_BYTES ((size_t)8 << 10)

/* -- what is asked -- */

struct wanted {
    linli_str title, channel, subject, with; /* with: JSON, or empty */
    linli_str payment, reason, key;          /* of a refund */
    int64_t amount_fen, pay_by_ms;
};

/* A member and where it goes; `number` NULL: it is text. */
struct member {
    const char *name;
    linli_str *text;
    int64_t *number;
};

static linli_status
read_members(struct ll_rd *args, const struct member *members, size_t n,
    const char *all, struct ll_err *err)
{
    uint32_t count = ll_rd_map(args);
    for (uint32_t i = 0; i < count && !args->bad; i++) {
        linli_str name = ll_rd_bytes(args);
        const struct member *m = NULL;
        for (size_t j = 0; j < n; j++)
            if (ll_str_is(name, members[j].name))
                m = &members[j];
        if (m == NULL)
            return ll_fail(err, LINLI_E_INVALID, "db/query",
                "`%.*s` is not known: there are %s",
                name.len > 64 ? 64 : LL_FMT(name), all);
        if (m->number != NULL)
            *m->number = ll_rd_int(args);
        else
            *m->text = ll_rd_bytes(args);
    }
    if (!ll_rd_end(args))
        return ll_fail(err, LINLI_E_INVALID, "db/query", "there are %s", all);
    return LINLI_OK;
}

static linli_status
bad(struct ll_err *err, const char *what, int max)
{
    return ll_fail(err, LINLI_E_INVALID, "payments/invalid", what, max);
}

/* Text for people and providers: no control characters. */
static bool
is_line(linli_str s, size_t bytes_max)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    return s.len <= bytes_max && ll_utf8_valid(s);
}

static bool
is_channel(linli_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = c >= 'a' && c <= 'z';
        bool inner = (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!letter && !(i > 0 && inner))
            return false;
    }
    return s.len > 0 && s.len <= LL_PAY_CHANNEL_BYTES_MAX;
}

static linli_status
check_declared(const struct ll_call *call, struct ll_err *err)
{
    if (call->package->manifest->payments)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_DENIED, "db/undeclared",
        "plugin.json does not declare \"payments\": true");
}

/* -- call:pay -- */

static linli_status
judge_payment(struct ll_call *call, struct wanted *w, struct ll_err *err)
{
    struct ll_op *op = &call->op;
    if (w->amount_fen < 1 || w->amount_fen > LL_PAY_FEN_MAX)
        return ll_fail(err, LINLI_E_INVALID, "payments/invalid",
            "`amount_fen` is %lld: a whole number from 1 to %lld",
            (long long)w->amount_fen, (long long)LL_PAY_FEN_MAX);
    if (w->title.len == 0 || !is_line(w->title, LL_PAY_TITLE_BYTES_MAX))
        return bad(
            err, "`title` is text of 1 to %d bytes", LL_PAY_TITLE_BYTES_MAX);
    if (!is_channel(w->channel))
        return bad(err, "`channel` is [a-z][a-z0-9_-]*, at most %d bytes",
            LL_PAY_CHANNEL_BYTES_MAX);
    if (w->pay_by_ms == 0)
        w->pay_by_ms = call->now_ms + LL_PAY_WINDOW_MS;
    if (w->pay_by_ms <= call->now_ms || w->pay_by_ms > LL_TIMER_AT_MS_MAX)
        return ll_fail(err, LINLI_E_INVALID, "payments/invalid",
            "`pay_by` is %lld: ms since 1970, after now",
            (long long)w->pay_by_ms);
    if (w->subject.len > 0 && !ll_pid_valid(w->subject))
        return ll_fail(err, LINLI_E_INVALID, "db/document",
            "a subject is a resident's pid");
    if (w->with.len > LL_PAY_WITH_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "db/limit",
            "`with` has %zu bytes, more than %d", w->with.len,
            LL_PAY_WITH_BYTES_MAX);
    if (w->with.len > 0 &&
        ll_json_parse(&op->json, w->with, LL_BODY_DEPTH_MAX, NULL) != LINLI_OK)
        return ll_fail(err, LINLI_E_INVALID, "db/document",
            "`with` is not JSON, or more than %d deep", LL_BODY_DEPTH_MAX);
    return LINLI_OK;
}

/* The payment's errands: to create it over there, and to end its window. */
static linli_status
put_errands(
    struct ll_call *call, const struct ll_pay_doc *pay, struct ll_err *err)
{
    char with[LL_PAY_ID_BYTES + 16], id[LL_PAY_ID_BYTES + 8];
    (void)snprintf(
        with, sizeof with, "{\"payment\":\"%.*s\"}", LL_FMT(pay->id));
    struct ll_errand_want want = {.kind = "pay.create",
        .with = ll_cstr(with),
        .subject = pay->subject,
        .id = pay->id}; /* by which linli.paid awaits it */
    linli_status status = ll_errand_put(
        call->instance->errands, &call->txn, &want, call->now_ms, NULL, err);
    if (status != LINLI_OK)
        return status;
    (void)snprintf(id, sizeof id, "expire:%.*s", LL_FMT(pay->id));
    want.id = ll_cstr(id);
    want.kind = "pay.expire";
    want.due_ms = pay->money.pay_by_ms;
    return ll_errand_put(
        call->instance->errands, &call->txn, &want, call->now_ms, NULL, err);
}

/* What is written is several documents, all or none: that they find room is
 * seen to before the first. `bytes` is of the payment. */
static linli_status
check_room(const struct ll_call *call, size_t bytes, struct ll_err *err)
{
    if (call->txn.write_bytes + 2 * bytes + ROOM_BYTES <= LL_OVERLAY_BYTES_MAX)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_LIMIT, "db/limit",
        "a call that writes more than %u bytes", LL_OVERLAY_BYTES_MAX);
}

static linli_status
put_payment(struct ll_call *call, struct ll_op *op, struct ll_pay_doc *pay,
    struct ll_err *err)
{
    struct ll_coll *coll = ll_pay_coll(call->instance);
    /* Nobody has this id: it is known to be absent. */
    op->doc = coll == NULL ? NULL : ll_docs_make(coll, pay->id);
    if (op->doc == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a payment");
    ll_pay_doc_write(pay, &op->text);
    linli_status status = check_room(call, op->text.len, err);
    if (status == LINLI_OK)
        status = ll_txn_put(&call->txn, op->doc, &op->text, call->now_ms, err);
    return status == LINLI_OK ? put_errands(call, pay, err) : status;
}

/* Answers with JSON, as bytes. It fits a frame: what it lacks is memory, and
 * then what was written must not be committed by whoever goes on. */
static void
answer_json(struct ll_call *call, struct ll_buf *json)
{
    struct ll_op *op = &call->op;
    struct ll_err err;
    ll_buf_clear(&op->text);
    ll_put_bytes(&op->text, ll_buf_view(json));
    if (!json->failed && !op->text.failed) {
        ll_op_answer_text(call);
        return;
    }
    (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "an answer");
    ll_op_refuse(call, &err);
}

static void
answer_payment(struct ll_call *call, const struct ll_pay_doc *pay)
{
    struct ll_buf json;
    ll_buf_init(&json, &call->host->mem, LL_FRAME_BYTES_MAX);
    struct ll_jw w = ll_jw(&json);
    ll_pay_doc_tell(pay, 0, &w);
    answer_json(call, &json);
    ll_buf_fini(&json);
}

bool
ll_serve_pay_create(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct wanted w = {.amount_fen = 0};
    const struct member members[] = {{"amount_fen", NULL, &w.amount_fen},
        {"title", &w.title, NULL}, {"channel", &w.channel, NULL},
        {"pay_by", NULL, &w.pay_by_ms}, {"subject", &w.subject, NULL},
        {"with", &w.with, NULL}};
    char id[LL_PAY_ID_BYTES];
    const struct ll_pay_adapter *adapter = NULL;
    struct ll_pay_doc pay;
    struct ll_err err;
    ll_pay_doc_init(&pay, &call->host->mem);
    linli_status status = check_declared(call, &err);
    if (status == LINLI_OK)
        status = read_members(args, members, LL_COUNT(members),
            "amount_fen, title, channel, pay_by, subject, with", &err);
    if (status == LINLI_OK)
        status = judge_payment(call, &w, &err);
    if (status == LINLI_OK)
        status = ll_pay_adapter_of(call->host, w.channel, &adapter, &err);
    if (status == LINLI_OK) {
        ll_pay_id_new(call->host, call->instance->space, id);
        pay.id = ll_cstr(id);
        pay.title = w.title;
        pay.channel = w.channel;
        pay.adapter = ll_cstr(adapter->name);
        pay.subject = w.subject;
        pay.with_json = w.with;
        ll_payment_begin(&pay.money, w.amount_fen, call->now_ms, w.pay_by_ms);
        status = put_payment(call, op, &pay, &err);
    }
    if (status == LINLI_OK)
        answer_payment(call, &pay);
    else
        ll_op_refuse(call, &err);
    ll_pay_doc_fini(&pay);
    return false;
}

/* -- call:refund -- */

static const char refund_members[] = "payment, amount_fen, reason, key";

static linli_status
read_refund(struct ll_rd *args, struct wanted *w, struct ll_err *err)
{
    const struct member members[] = {{"payment", &w->payment, NULL},
        {"amount_fen", NULL, &w->amount_fen}, {"reason", &w->reason, NULL},
        {"key", &w->key, NULL}};
    return read_members(args, members, LL_COUNT(members), refund_members, err);
}

static linli_status
judge_refund(const struct wanted *w, struct ll_err *err)
{
    if (w->payment.len == 0 || w->payment.len > LL_DOC_ID_BYTES_MAX)
        return bad(err, "`payment` is the id of a payment, not %d bytes",
            (int)w->payment.len);
    if (w->amount_fen < 1 || w->amount_fen > LL_PAY_FEN_MAX)
        return ll_fail(err, LINLI_E_INVALID, "payments/invalid",
            "`amount_fen` is %lld: a whole number from 1",
            (long long)w->amount_fen);
    if (!is_line(w->reason, LL_PAY_REASON_BYTES_MAX))
        return bad(err, "`reason` is text of at most %d bytes",
            LL_PAY_REASON_BYTES_MAX);
    if (!is_line(w->key, LL_DOC_ID_BYTES_MAX))
        return bad(
            err, "`key` is text of at most %d bytes", LL_DOC_ID_BYTES_MAX);
    return LINLI_OK;
}

static linli_status
refuse_grant(enum ll_pay_grant grant, const struct ll_payment *money,
    const struct wanted *w, struct ll_err *err)
{
    switch (grant) {
    case LL_PAY_KEY_REUSED:
        return ll_fail(err, LINLI_E_CONFLICT, "payments/key-reused",
            "the key has asked for another amount");
    case LL_PAY_NOT_PAID:
        return ll_fail(err, LINLI_E_CONFLICT, "payments/not-paid",
            "the payment is %s", ll_pay_state_name(money->state));
    case LL_PAY_TOO_MUCH:
        return ll_fail(err, LINLI_E_CONFLICT, "payments/too-much",
            "%lld fen, where %lld can be refunded", (long long)w->amount_fen,
            (long long)ll_payment_refundable_fen(money));
    default:
        return ll_fail(err, LINLI_E_LIMIT, "db/limit",
            "a payment has at most %d refunds that were asked for",
            LL_PAY_REFUNDS_MAX - LL_PAY_TRANSACTIONS_MAX);
    }
}

static void
answer_refund(struct ll_call *call, linli_str payment, uint32_t number,
    const struct ll_pay_refund *refund)
{
    char id[LL_PAY_REFUND_ID_BYTES];
    struct ll_buf json;
    ll_pay_refund_id(payment, number, id);
    ll_buf_init(&json, &call->host->mem, LL_FRAME_BYTES_MAX);
    struct ll_jw w = ll_jw(&json);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_cstr(&w, id);
    ll_jw_key(&w, "payment");
    ll_jw_str(&w, payment);
    ll_jw_key(&w, "state");
    ll_jw_cstr(&w, ll_pay_refund_state_name(refund->state));
    ll_jw_key(&w, "amount_fen");
    ll_jw_int(&w, refund->amount_fen);
    ll_jw_close(&w, '}');
    answer_json(call, &json);
    ll_buf_fini(&json);
}

/* Reads what the call sees of the payment; LINLI_E_NOT_FOUND. */
static linli_status
read_seen(struct ll_call *call, struct ll_op *op, struct ll_pay_change *change,
    struct ll_err *err)
{
    const struct ll_content *content = NULL;
    change->host = call->host;
    change->instance = call->instance;
    change->docs = (struct ll_pay_docs){.payment = op->doc};
    change->commit = NULL;
    change->now_ms = call->now_ms;
    change->refund = 0;
    linli_status status = ll_txn_read(&call->txn, op->doc, &content, err);
    if (status != LINLI_OK)
        return status;
    if (content == NULL)
        return ll_fail(err, LINLI_E_NOT_FOUND, "payments/not-found",
            "the plugin has no such payment here");
    if (!ll_pay_doc_read(&change->pay, content->body))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a payment");
    change->state_before = change->pay.money.state;
    change->refunds_before = change->pay.money.refund_count;
    return LINLI_OK;
}

static bool
step_refund(struct ll_call *call, struct ll_op *op)
{
    struct ll_pay_change change;
    struct wanted w = {.amount_fen = 0};
    struct ll_err err;
    uint32_t number = 0;
    enum ll_pay_grant grant = LL_PAY_SAME;
    if (!ll_op_wait_doc(call, op))
        return false;
    struct ll_rd args = ll_rd(ll_buf_view(&op->args));
    (void)ll_rd_list(&args);
    ll_pay_doc_init(&change.pay, &call->host->mem);
    linli_status status = read_refund(&args, &w, &err);
    if (status == LINLI_OK)
        status = read_seen(call, op, &change, &err);
    if (status == LINLI_OK) {
        struct ll_pay_ask ask = {w.amount_fen, w.key, w.reason};
        grant =
            ll_payment_refund(&change.pay.money, &ask, call->now_ms, &number);
        if (grant != LL_PAY_GRANTED && grant != LL_PAY_SAME)
            status = refuse_grant(grant, &change.pay.money, &w, &err);
    }
    if (status == LINLI_OK && grant == LL_PAY_GRANTED)
        status = check_room(call, change.pay.json.text.len, &err);
    if (status == LINLI_OK && grant == LL_PAY_GRANTED)
        status = ll_pay_change_put(&change, &call->txn, &err);
    if (status == LINLI_OK)
        answer_refund(
            call, change.pay.id, number, &change.pay.money.refunds[number - 1]);
    else
        ll_op_refuse(call, &err);
    ll_pay_change_fini(&change);
    return true;
}

/* The collection; false, and the call is refused, without memory. */
static bool
open_coll(struct ll_call *call, struct ll_op *op)
{
    struct ll_err err;
    op->coll = ll_pay_coll(call->instance);
    if (op->coll != NULL)
        return true;
    (void)ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "payments");
    ll_op_refuse(call, &err);
    return false;
}

bool
ll_serve_pay_refund(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct wanted w = {.amount_fen = 0};
    struct ll_err err;
    linli_status status = check_declared(call, &err);
    if (status == LINLI_OK)
        status = read_refund(args, &w, &err);
    if (status == LINLI_OK)
        status = judge_refund(&w, &err);
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    op->id = w.payment;
    op->step = step_refund;
    return open_coll(call, op);
}

/* -- call:payment -- */

static bool
step_get(struct ll_call *call, struct ll_op *op)
{
    struct ll_pay_change change;
    struct ll_err err;
    if (!ll_op_wait_doc(call, op))
        return false;
    ll_pay_doc_init(&change.pay, &call->host->mem);
    linli_status status = read_seen(call, op, &change, &err);
    if (status == LINLI_OK) {
        answer_payment(call, &change.pay);
    } else if (status == LINLI_E_NOT_FOUND) {
        ll_buf_clear(&op->text);
        ll_put_nil(&op->text);
        ll_op_answer_text(call);
    } else {
        ll_op_refuse(call, &err);
    }
    ll_pay_change_fini(&change);
    return true;
}

bool
ll_serve_pay_get(struct ll_call *call, struct ll_op *op, struct ll_rd *args)
{
    struct ll_err err;
    op->id = ll_rd_bytes(args);
    linli_status status = check_declared(call, &err);
    if (status == LINLI_OK &&
        (args->bad || op->id.len == 0 || op->id.len > LL_DOC_ID_BYTES_MAX))
        status = ll_fail(
            &err, LINLI_E_INVALID, "db/query", "it takes the id of a payment");
    if (status != LINLI_OK) {
        ll_op_refuse(call, &err);
        return false;
    }
    op->step = step_get;
    return open_coll(call, op);
}
