/* host/payment_notice.c: what a provider says, from its receipt to the answer.
 * [loop]
 *
 * The signature has been judged. Nothing here waits for a plugin: the payment
 * is looked up, decided and committed, and the answer waits for the disk.
 */
#include "base/text.h"
#include "host/payment.h"

/* -- the end -- */

static void
unlink_receipt(struct ll_pay_receipt *r)
{
    struct ll_host *host = r->host;
    ll_check(r->open);
    r->open = false;
    *(r->prev == NULL ? &host->receipts : &r->prev->next) = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    ll_wait_cancel(&r->wait);
    ll_pay_docs_unref(&r->docs);
}

void
ll_pay_receipt_drop(struct ll_pay_receipt *receipt)
{
    if (receipt->open)
        unlink_receipt(receipt);
}

static void
answer(struct ll_pay_receipt *r)
{
    unlink_receipt(r);
    r->done(r, r->err.status == LINLI_OK ? NULL : &r->err);
}

static bool
is_durable(const struct ll_pay_receipt *r)
{
    return r->number <= ll_store_durable(r->host->store);
}

/* Answers once all up to `number` is durable. */
static void
answer_durable(struct ll_pay_receipt *r)
{
    r->answering = true;
    if (!is_durable(r) && r->host->failure.status == LINLI_OK)
        return;
    if (!is_durable(r))
        (void)ll_fail(&r->err, LINLI_E_IO, "store/failed", "a notice");
    answer(r);
}

void
ll_pay_receipts_release(struct ll_host *host)
{
    struct ll_pay_receipt *r = host->receipts;
    while (r != NULL)
        if (r->answering &&
            (is_durable(r) || host->failure.status != LINLI_OK)) {
            answer_durable(r);
            r = host->receipts; /* whoever was told may have dropped others */
        } else {
            r = r->next;
        }
}

/* -- one commit -- */

/* What a decision adds to the operator's alerts. */
static bool
put_alarm(struct ll_pay_receipt *r, const struct ll_pay_change *change,
    const char *kind, const char *reason, struct ll_commit *commit)
{
    const struct ll_pay_event *event = &r->event;
    struct ll_pay_alarm alarm = {.kind = kind,
        .reason = reason,
        .payment = change->pay.id,
        .refund = event->refund_id,
        .transaction = event->transaction,
        .subject = change->pay.subject,
        .amount_fen = event->amount_fen,
        .expected_fen = event->refund ? 0 : change->pay.money.amount_fen};
    return ll_pay_alarm_put(r->host, change->instance->space, &alarm, commit);
}

static linli_status
no_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a notice");
}

/* Decides a notice that somebody has paid. *changed: there is something to
 * write. */
static linli_status
take_paid(struct ll_pay_receipt *r, struct ll_pay_change *change,
    struct ll_commit *commit, bool *changed, struct ll_err *err)
{
    const struct ll_pay_notice notice = {
        r->event.transaction, r->event.amount_fen};
    const char *reason = NULL;
    *changed = true;
    switch (ll_payment_notice(&change->pay.money, &notice, change->now_ms)) {
    case LL_PAY_DUPLICATE:
        *changed = false;
        return LINLI_OK;
    case LL_PAY_FLAG:
        reason = "amount";
        break;
    case LL_PAY_CONFLICT:
        reason = "conflict";
        *changed = false;
        break;
    case LL_PAY_FULL:
        reason = "too-many";
        *changed = false;
        (void)ll_fail(&r->err, LINLI_E_LIMIT, "payments/too-many",
            "the payment has %d transactions", LL_PAY_TRANSACTIONS_MAX);
        break;
    default:
        return LINLI_OK;
    }
    if (!put_alarm(r, change, "linli.payment_flagged", reason, commit))
        return no_memory(err);
    return LINLI_OK;
}

/* The refund that a notice means: its own, or the first that is pending. */
static uint32_t
number_of(const struct ll_pay_receipt *r, const struct ll_payment *money)
{
    linli_str payment;
    uint32_t number = 0;
    if (r->event.refund_id.len > 0)
        return ll_pay_refund_id_split(r->event.refund_id, &payment, &number)
                   ? number
                   : 0;
    for (uint32_t i = 0; i < money->refund_count; i++)
        if (money->refunds[i].state == LL_PAY_REFUND_PENDING)
            return i + 1;
    return money->refund_count;
}

static linli_status
take_refund(struct ll_pay_receipt *r, struct ll_pay_change *change,
    struct ll_commit *commit, bool *changed, struct ll_err *err)
{
    struct ll_payment *money = &change->pay.money;
    const struct ll_pay_result result = {.number = number_of(r, money),
        .done = true,
        .amount_fen = r->event.amount_fen};
    const char *reason = NULL;
    *changed = false;
    switch (ll_payment_refunded(money, &result, change->now_ms)) {
    case LL_PAY_SETTLED:
        *changed = true;
        change->refund = result.number;
        return LINLI_OK;
    case LL_PAY_REPEATED:
        return LINLI_OK;
    case LL_PAY_NO_REFUND:
        return ll_fail(
            err, LINLI_E_NOT_FOUND, "payments/unknown", "no such refund");
    case LL_PAY_CONTRADICTED:
        reason = "conflict";
        break;
    case LL_PAY_WRONG_AMOUNT:
        reason = "amount";
        break;
    }
    if (!put_alarm(r, change, "linli.refund_disputed", reason, commit))
        return no_memory(err);
    return LINLI_OK;
}

static linli_status
write_change(struct ll_pay_receipt *r, struct ll_pay_change *change,
    struct ll_txn *txn, struct ll_commit *commit, struct ll_err *err)
{
    bool changed = false;
    if (!ll_str_is(change->pay.adapter, r->event.adapter->name))
        return ll_fail(err, LINLI_E_NOT_FOUND, "payments/unknown",
            "the payment is another provider's");
    linli_status status = r->event.refund
                              ? take_refund(r, change, commit, &changed, err)
                              : take_paid(r, change, commit, &changed, err);
    if (status == LINLI_OK && changed)
        status = ll_pay_change_put(change, txn, err);
    return status;
}

/* Sends what was gathered; *number is its number, or kept if that is
 * nothing. */
static linli_status
send(struct ll_host *host, struct ll_txn *txn, struct ll_commit *commit,
    uint64_t *number, struct ll_err *err)
{
    if (txn->writes == NULL && commit->ops.len == 0) {
        ll_docs_commit_free(&host->docs, commit);
        return LINLI_OK;
    }
    ll_docs_commit_unwatched(&host->docs, commit);
    *number = ll_txn_commit(txn, commit);
    if (*number != 0)
        return LINLI_OK;
    ll_docs_commit_free(&host->docs, commit);
    return no_memory(err);
}

static linli_status
change_payment(struct ll_pay_receipt *r, struct ll_err *err)
{
    struct ll_docs *docs = &r->host->docs;
    struct ll_pay_change change;
    struct ll_txn txn;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit == NULL)
        return no_memory(err);
    r->number = r->docs.payment->number;
    ll_txn_init(&txn, docs);
    linli_status status =
        ll_pay_change_begin(&change, r->instance, &r->docs, err);
    change.commit = commit;
    if (status == LINLI_OK)
        status = write_change(r, &change, &txn, commit, err);
    if (status == LINLI_OK)
        status = send(r->host, &txn, commit, &r->number, err);
    else
        ll_docs_commit_free(docs, commit);
    ll_pay_change_fini(&change);
    ll_txn_fini(&txn);
    return status;
}

/* -- nobody's -- */

/* Money that nothing here waits for: whoever operates a community that it may
 * be of is told, in its own words. */
static linli_status
tell_unknown(struct ll_pay_receipt *r, struct ll_err *err)
{
    struct ll_host *host = r->host;
    struct ll_txn txn;
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    struct ll_pay_alarm alarm = {.kind = "linli.payment_unknown",
        .reason = r->event.refund ? "refund.done" : "payment.paid",
        .payment = r->event.payment,
        .refund = r->event.refund_id,
        .transaction = r->event.transaction,
        .amount_fen = r->event.amount_fen};
    bool good = commit != NULL;
    for (struct ll_community *c = host->communities; good && c != NULL;
         c = c->next) {
        if (r->instance != NULL && r->instance->community != c)
            continue;
        const struct ll_space *space =
            r->instance != NULL
                ? r->instance->space
                : ll_docs_space(&host->docs, c->id, LINLI_STR("~"));
        good = space != NULL && ll_pay_alarm_put(host, space, &alarm, commit);
    }
    if (!good) {
        if (commit != NULL)
            ll_docs_commit_free(&host->docs, commit);
        return no_memory(err);
    }
    ll_txn_init(&txn, &host->docs);
    linli_status status = send(host, &txn, commit, &r->number, err);
    ll_txn_fini(&txn);
    return status;
}

static void
take_unknown(struct ll_pay_receipt *r)
{
    struct ll_err err;
    if (r->err.status == LINLI_OK)
        (void)ll_fail(
            &r->err, LINLI_E_NOT_FOUND, "payments/unknown", "no such payment");
    if (tell_unknown(r, &err) != LINLI_OK)
        r->err = err;
    answer_durable(r);
}

/* -- the beginning -- */

static void
decide(struct ll_pay_receipt *r)
{
    struct ll_err err;
    r->err.status = LINLI_OK;
    linli_status status = change_payment(r, &err);
    if (status != LINLI_OK)
        r->err = err;
    if (status == LINLI_E_NOT_FOUND)
        take_unknown(r);
    else
        answer_durable(r);
}

static void
on_ready(struct ll_wait *wait)
{
    struct ll_pay_receipt *r = LL_CONTAINER(wait, struct ll_pay_receipt, wait);
    if (ll_pay_docs_ready(&r->docs, wait))
        decide(r);
}

/* The payment's id, by itself or from its refund's; both must agree. */
static linli_str
payment_of(const struct ll_pay_event *event)
{
    linli_str payment = event->payment;
    uint32_t number;
    if (event->refund_id.len > 0 &&
        (!ll_pay_refund_id_split(event->refund_id, &payment, &number) ||
            (event->payment.len > 0 && !ll_str_eq(payment, event->payment))))
        return (linli_str){NULL, 0};
    return payment;
}

static bool
look_up(struct ll_pay_receipt *r, linli_str payment)
{
    struct ll_err err;
    if (ll_payments_open(r->instance, &err) != LINLI_OK)
        return false;
    return ll_pay_docs_get(&r->docs, r->instance, payment);
}

void
ll_pay_receive(struct ll_pay_receipt *receipt)
{
    struct ll_host *host = receipt->host;
    receipt->err.status = LINLI_OK;
    receipt->number = 0;
    receipt->answering = false;
    receipt->open = true;
    receipt->docs = (struct ll_pay_docs){NULL, NULL};
    receipt->wait = (struct ll_wait){.ready = on_ready};
    receipt->prev = NULL;
    receipt->next = host->receipts;
    if (host->receipts != NULL)
        host->receipts->prev = receipt;
    host->receipts = receipt;
    linli_str payment = payment_of(&receipt->event);
    receipt->instance = ll_pay_instance(host, payment);
    if (receipt->instance == NULL) {
        take_unknown(receipt);
    } else if (!look_up(receipt, payment)) {
        (void)no_memory(&receipt->err);
        answer_durable(receipt);
    } else if (ll_pay_docs_ready(&receipt->docs, &receipt->wait)) {
        decide(receipt);
    }
}
