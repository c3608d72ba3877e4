/* host/payment_errand.c: what is done towards the provider, and at the end of
 * the pay window. [loop]
 *
 * At least once, under the payment's and the refund's own ids, by which a
 * provider tells a repetition. What has been settled meanwhile, by a notice,
 * is not asked for again.
 */
#include "base/text.h"
#include "host/await.h"
#include "host/payment.h"

#define CREATE_ATTEMPTS_MAX 10
#define REFUND_ATTEMPTS_MAX 20 /* 14 hours: a provider may be away for long */
#define EXPIRE_ATTEMPTS_MAX 1000

/* An attempt; in its errand's arena. */
struct attempt {
    struct ll_errand *errand;
    struct ll_pay_request request;
    const struct ll_pay_adapter *adapter; /* NULL: not asked yet */
    struct ll_pay_docs docs;
    struct ll_wait wait;
    void (*go)(struct attempt *attempt); /* the document is known */
    /* What else becomes of it if the payment is gone, or it is given up before
     * anybody was asked; NULL: nothing. */
    linli_status (*write_gone)(struct ll_errand *errand, bool dead,
        struct ll_txn *txn, struct ll_commit *commit, struct ll_err *err);
    /* the answer */
    bool refused;
    linli_str params;
    uint32_t number; /* of the refund */
};

static void
end(struct attempt *attempt, const struct ll_errand_end *how)
{
    /* `write` needs them, and the attempt goes with its errand. */
    struct ll_pay_docs docs = attempt->docs;
    ll_wait_cancel(&attempt->wait);
    ll_errand_end(attempt->errand, how);
    ll_pay_docs_unref(&docs);
}

static void
end_done(struct attempt *attempt)
{
    struct ll_errand_end how = {.outcome = LL_ERRAND_DONE};
    end(attempt, &how);
}

/* Whom it was about has been forgotten. */
static void
end_gone(struct attempt *attempt)
{
    struct ll_errand_end how = {
        .outcome = LL_ERRAND_DONE, .write = attempt->write_gone};
    end(attempt, &how);
}

static void
end_again(struct attempt *attempt, const char *code)
{
    struct ll_errand_end how = {
        .outcome = LL_ERRAND_AGAIN, .code = code, .write = attempt->write_gone};
    end(attempt, &how);
}

static void
cancel(struct ll_errand *errand)
{
    struct attempt *attempt = errand->state;
    ll_wait_cancel(&attempt->wait);
    if (attempt->adapter != NULL)
        attempt->adapter->cancel(&attempt->request);
    ll_pay_docs_unref(&attempt->docs);
}

static void
on_ready(struct ll_wait *wait)
{
    struct attempt *attempt = LL_CONTAINER(wait, struct attempt, wait);
    if (ll_pay_docs_ready(&attempt->docs, wait))
        attempt->go(attempt);
}

/* Begins an attempt: looks up the payment, then goes on. */
static void
begin(struct ll_errand *errand, linli_str payment,
    void (*go)(struct attempt *attempt))
{
    static const struct ll_errand_end no_memory = {
        .outcome = LL_ERRAND_AGAIN, .code = "runtime/memory"};
    struct ll_err err;
    struct attempt *attempt = ll_arena_alloc(&errand->arena, sizeof *attempt);
    if (attempt == NULL ||
        ll_payments_open(errand->instance, &err) != LINLI_OK) {
        ll_errand_end(errand, &no_memory);
        return;
    }
    attempt->errand = errand;
    attempt->go = go;
    attempt->wait = (struct ll_wait){.ready = on_ready};
    attempt->request.host = errand->host;
    errand->state = attempt;
    if (!ll_pay_docs_get(&attempt->docs, errand->instance, payment))
        end_again(attempt, "runtime/memory");
    else if (ll_pay_docs_ready(&attempt->docs, &attempt->wait))
        go(attempt);
}

/* Reads the payment; false: the attempt has ended. */
static bool
read_payment(struct attempt *attempt, struct ll_pay_change *change)
{
    struct ll_err err;
    linli_status status = ll_pay_change_begin(
        change, attempt->errand->instance, &attempt->docs, &err);
    if (status == LINLI_OK)
        return true;
    ll_pay_change_fini(change);
    if (status == LINLI_E_NOT_FOUND)
        end_gone(attempt);
    else
        end_again(attempt, err.code);
    return false;
}

/* Which adapter it was made with; false: it is not there any more. */
static bool
find_adapter(struct attempt *attempt, const struct ll_pay_doc *pay)
{
    attempt->adapter = ll_pay_adapter(attempt->errand->host, pay->adapter);
    return attempt->adapter != NULL;
}

/* -- create -- */

/* Whoever awaits the payment gets it as it is now; null: it is gone. */
static linli_status
put_answer(struct ll_errand *errand, const struct ll_pay_doc *pay,
    struct ll_txn *txn, struct ll_err *err)
{
    struct ll_buf text;
    ll_buf_init(&text, &errand->host->mem, LL_FRAME_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    if (pay != NULL)
        ll_pay_doc_tell(pay, 0, &w);
    else
        ll_jw_null(&w);
    linli_status status =
        text.failed ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a payment")
                    : ll_errand_answer(errand, ll_buf_view(&text), txn, err);
    ll_buf_fini(&text);
    return status;
}

static linli_status
write_created(struct ll_errand *errand, bool dead, struct ll_txn *txn,
    struct ll_commit *commit, struct ll_err *err)
{
    struct attempt *attempt = errand->state;
    struct ll_pay_change change;
    linli_status status =
        ll_pay_change_begin(&change, errand->instance, &attempt->docs, err);
    change.commit = commit;
    bool there = status == LINLI_OK;
    if (status == LINLI_E_NOT_FOUND)
        status = LINLI_OK; /* whom it was about has been forgotten */
    if (there && (dead || attempt->refused)) {
        (void)ll_payment_refused(&change.pay.money);
    } else if (there) {
        (void)ll_payment_created(&change.pay.money);
        if (attempt->params.len > 0)
            change.pay.params_json = attempt->params;
    }
    if (there)
        status = ll_pay_change_put(&change, txn, err);
    if (status == LINLI_OK)
        status = put_answer(errand, there ? &change.pay : NULL, txn, err);
    ll_pay_change_fini(&change);
    return status;
}

static void
on_created(struct ll_pay_request *request, const struct ll_pay_answer *answer)
{
    struct attempt *attempt = LL_CONTAINER(request, struct attempt, request);
    struct ll_errand_end how = {.outcome = LL_ERRAND_DONE,
        .code = answer->code,
        .write = write_created};
    attempt->adapter = NULL;
    attempt->params = ll_arena_str(&attempt->errand->arena, answer->params);
    attempt->refused = answer->kind == LL_PAY_ANSWER_REFUSED;
    if (answer->kind == LL_PAY_ANSWER_FAILED ||
        answer->params.len > LL_PAY_PARAMS_BYTES_MAX ||
        attempt->errand->arena.failed) {
        how.outcome = LL_ERRAND_AGAIN;
        how.code = how.code == NULL ? "runtime/memory" : how.code;
    }
    end(attempt, &how);
}

static void
go_create(struct attempt *attempt)
{
    struct ll_pay_change change;
    attempt->write_gone = write_created;
    if (!read_payment(attempt, &change))
        return;
    struct ll_pay_doc *pay = &change.pay;
    const struct ll_payment *money = &pay->money;
    struct ll_arena *arena = &attempt->errand->arena;
    struct ll_pay_order order = {.payment = ll_arena_str(arena, pay->id),
        .title = ll_arena_str(arena, pay->title),
        .channel = ll_arena_str(arena, pay->channel),
        .amount_fen = money->amount_fen,
        .pay_by_ms = money->pay_by_ms};
    /* Who has paid a wrong sum may still pay the right one. */
    bool wanted = !money->answered && (money->state == LL_PAY_CREATING ||
                                          money->state == LL_PAY_FLAGGED);
    bool served = wanted && find_adapter(attempt, pay);
    ll_pay_change_fini(&change);
    if (!wanted) { /* paid, or expired, before it was asked for */
        struct ll_errand_end how = {
            .outcome = LL_ERRAND_DONE, .write = write_created};
        end(attempt, &how);
    } else if (!served) {
        end_again(attempt, "payments/no-adapter");
    } else {
        attempt->request.done = on_created;
        attempt->adapter->create(&attempt->request, &order);
    }
}

static void
start_create(struct ll_errand *errand)
{
    begin(errand, ll_jv_str(ll_jv_get(errand->with, "payment")), go_create);
}

const struct ll_errand_kind ll_pay_create_kind = {.name = "pay.create",
    .attempts_max = CREATE_ATTEMPTS_MAX,
    .answers = true,
    .start = start_create,
    .cancel = cancel};

/* -- refund -- */

static linli_status
write_refunded(struct ll_errand *errand, bool dead, struct ll_txn *txn,
    struct ll_commit *commit, struct ll_err *err)
{
    struct attempt *attempt = errand->state;
    struct ll_pay_change change;
    char id[LL_PAY_REFUND_ID_BYTES];
    bool good = true;
    if (dead) /* nobody knows: it stays pending, so nothing is paid twice */
        return LINLI_OK;
    linli_status status =
        ll_pay_change_begin(&change, errand->instance, &attempt->docs, err);
    change.commit = commit;
    struct ll_pay_result result = {
        .number = attempt->number, .done = !attempt->refused};
    if (status == LINLI_OK && ll_payment_refunded(&change.pay.money, &result,
                                  change.now_ms) == LL_PAY_SETTLED) {
        const struct ll_pay_refund *refund =
            &change.pay.money.refunds[attempt->number - 1];
        change.refund = attempt->number;
        status = ll_pay_change_put(&change, txn, err);
        ll_pay_refund_id(change.pay.id, attempt->number, id);
        struct ll_pay_alarm alarm = {.kind = "linli.refund_failed",
            .reason = "refused",
            .payment = change.pay.id,
            .refund = ll_cstr(id),
            .transaction = refund->transaction,
            .subject = change.pay.subject,
            .amount_fen = refund->amount_fen};
        if (attempt->refused)
            good = ll_pay_alarm_put(
                errand->host, errand->instance->space, &alarm, commit);
    } else if (status == LINLI_E_NOT_FOUND) {
        status = LINLI_OK;
    }
    ll_pay_change_fini(&change);
    if (!good)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an alert");
    return status;
}

static void
on_refunded(struct ll_pay_request *request, const struct ll_pay_answer *answer)
{
    struct attempt *attempt = LL_CONTAINER(request, struct attempt, request);
    struct ll_errand_end how = {.outcome = LL_ERRAND_DONE,
        .code = answer->code,
        .write = write_refunded};
    attempt->adapter = NULL;
    attempt->refused = answer->kind == LL_PAY_ANSWER_REFUSED;
    if (answer->kind == LL_PAY_ANSWER_ACCEPTED)
        how.write = NULL;
    else if (answer->kind == LL_PAY_ANSWER_FAILED)
        how.outcome = LL_ERRAND_AGAIN;
    end(attempt, &how);
}

static void
go_refund(struct attempt *attempt)
{
    struct ll_pay_change change;
    if (!read_payment(attempt, &change))
        return;
    struct ll_pay_doc *pay = &change.pay;
    struct ll_arena *arena = &attempt->errand->arena;
    linli_str id = ll_jv_str(ll_jv_get(attempt->errand->with, "refund"));
    linli_str payment;
    ll_check(ll_pay_refund_id_split(id, &payment, &attempt->number));
    ll_check(attempt->number <= pay->money.refund_count);
    const struct ll_pay_refund *refund =
        &pay->money.refunds[attempt->number - 1];
    struct ll_pay_return what = {.payment = ll_arena_str(arena, pay->id),
        .refund = id,
        .transaction = ll_arena_str(arena, refund->transaction),
        .reason = ll_arena_str(arena, refund->reason),
        .amount_fen = refund->amount_fen};
    bool wanted = refund->state == LL_PAY_REFUND_PENDING;
    bool served = wanted && find_adapter(attempt, pay);
    ll_pay_change_fini(&change);
    if (!wanted) {
        end_done(attempt); /* the notice came first */
    } else if (!served) {
        end_again(attempt, "payments/no-adapter");
    } else {
        attempt->request.done = on_refunded;
        attempt->adapter->refund(&attempt->request, &what);
    }
}

static void
start_refund(struct ll_errand *errand)
{
    linli_str payment = {NULL, 0};
    uint32_t number = 0;
    linli_str id = ll_jv_str(ll_jv_get(errand->with, "refund"));
    /* We wrote it. */
    ll_check(ll_pay_refund_id_split(id, &payment, &number));
    begin(errand, payment, go_refund);
}

const struct ll_errand_kind ll_pay_refund_kind = {.name = "pay.refund",
    .attempts_max = REFUND_ATTEMPTS_MAX,
    .start = start_refund,
    .cancel = cancel};

/* -- the end of the window -- */

static linli_status
write_expired(struct ll_errand *errand, bool dead, struct ll_txn *txn,
    struct ll_commit *commit, struct ll_err *err)
{
    struct attempt *attempt = errand->state;
    struct ll_pay_change change;
    LL_UNUSED(dead);
    linli_status status =
        ll_pay_change_begin(&change, errand->instance, &attempt->docs, err);
    change.commit = commit;
    if (status == LINLI_OK &&
        ll_payment_expire(&change.pay.money, change.now_ms))
        status = ll_pay_change_put(&change, txn, err);
    ll_pay_change_fini(&change);
    return status;
}

static void
go_expire(struct attempt *attempt)
{
    struct ll_pay_change change;
    struct ll_errand_end how = {
        .outcome = LL_ERRAND_DONE, .write = write_expired};
    if (!read_payment(attempt, &change))
        return;
    int64_t left_ms = change.pay.money.pay_by_ms - change.now_ms;
    ll_pay_change_fini(&change);
    if (left_ms > 0) { /* the clock was set back */
        how.outcome = LL_ERRAND_AGAIN;
        how.code = "clock/backwards";
        how.retry_ms = left_ms;
    }
    end(attempt, &how);
}

static void
start_expire(struct ll_errand *errand)
{
    begin(errand, ll_jv_str(ll_jv_get(errand->with, "payment")), go_expire);
}

const struct ll_errand_kind ll_pay_expire_kind = {.name = "pay.expire",
    .attempts_max = EXPIRE_ATTEMPTS_MAX,
    .start = start_expire,
    .cancel = cancel};
