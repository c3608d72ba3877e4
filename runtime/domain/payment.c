/* domain/payment.c: what becomes of a payment. */
#include "domain/payment.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"

/* -- words -- */

#define X(name, word) word,
static const char *const state_words[] = {LL_PAY_STATES(X)};
static const char *const outcome_words[] = {LL_PAY_OUTCOMES(X)};
static const char *const refund_words[] = {LL_PAY_REFUND_STATES(X)};
#undef X

const char *
ll_pay_state_name(enum ll_pay_state state)
{
    return state_words[state];
}

const char *
ll_pay_outcome_name(enum ll_pay_outcome outcome)
{
    return outcome_words[outcome];
}

const char *
ll_pay_refund_state_name(enum ll_pay_refund_state state)
{
    return refund_words[state];
}

/* The place of a word in a table, or -1. */
static int
find(linli_str word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ll_str_is(word, words[i]))
            return (int)i;
    return -1;
}

bool
ll_pay_state_read(linli_str word, enum ll_pay_state *out)
{
    int at = find(word, state_words, LL_COUNT(state_words));
    *out = at < 0 ? LL_PAY_CREATING : (enum ll_pay_state)at;
    return at >= 0;
}

bool
ll_pay_outcome_read(linli_str word, enum ll_pay_outcome *out)
{
    int at = find(word, outcome_words, LL_COUNT(outcome_words));
    *out = at < 0 ? LL_PAY_TX_ACCEPTED : (enum ll_pay_outcome)at;
    return at >= 0;
}

bool
ll_pay_refund_state_read(linli_str word, enum ll_pay_refund_state *out)
{
    int at = find(word, refund_words, LL_COUNT(refund_words));
    *out = at < 0 ? LL_PAY_REFUND_PENDING : (enum ll_pay_refund_state)at;
    return at >= 0;
}

/* -- the create call -- */

void
ll_payment_begin(struct ll_payment *payment, int64_t amount_fen,
    int64_t created_ms, int64_t pay_by_ms)
{
    ll_check(amount_fen > 0);
    ll_check(pay_by_ms > created_ms);
    memset(payment, 0, sizeof *payment);
    payment->state = LL_PAY_CREATING;
    payment->amount_fen = amount_fen;
    payment->created_ms = created_ms;
    payment->pay_by_ms = pay_by_ms;
}

bool
ll_payment_created(struct ll_payment *payment)
{
    payment->answered = true;
    if (payment->state != LL_PAY_CREATING)
        return false;
    payment->state = LL_PAY_PENDING;
    return true;
}

bool
ll_payment_refused(struct ll_payment *payment)
{
    payment->answered = true;
    if (payment->state != LL_PAY_CREATING)
        return false;
    payment->state = LL_PAY_FAILED;
    return true;
}

/* -- sums -- */

const struct ll_pay_transaction *
ll_payment_accepted(const struct ll_payment *payment)
{
    for (uint32_t i = 0; i < payment->transaction_count; i++)
        if (payment->transactions[i].outcome == LL_PAY_TX_ACCEPTED)
            return &payment->transactions[i];
    return NULL;
}

int64_t
ll_payment_refund_fen(
    const struct ll_payment *payment, enum ll_pay_refund_state state)
{
    int64_t fen = 0;
    for (uint32_t i = 0; i < payment->refund_count; i++)
        if (!payment->refunds[i].automatic &&
            payment->refunds[i].state == state)
            fen += payment->refunds[i].amount_fen;
    return fen;
}

int64_t
ll_payment_refundable_fen(const struct ll_payment *payment)
{
    if (ll_payment_accepted(payment) == NULL)
        return 0;
    return payment->amount_fen -
           ll_payment_refund_fen(payment, LL_PAY_REFUND_PENDING) -
           ll_payment_refund_fen(payment, LL_PAY_REFUND_DONE);
}

int64_t
ll_payment_held_fen(const struct ll_payment *payment)
{
    int64_t fen = 0;
    for (uint32_t i = 0; i < payment->transaction_count; i++)
        if (payment->transactions[i].outcome == LL_PAY_TX_FLAGGED)
            fen += payment->transactions[i].amount_fen;
    return fen;
}

/* -- the window -- */

/* Nobody has paid it, and it may be paid if it is not too late. */
static bool
is_open(const struct ll_payment *payment)
{
    return payment->state == LL_PAY_CREATING ||
           payment->state == LL_PAY_PENDING || payment->state == LL_PAY_FLAGGED;
}

bool
ll_payment_expire(struct ll_payment *payment, int64_t now_ms)
{
    if (!is_open(payment) || now_ms < payment->pay_by_ms)
        return false;
    payment->state = LL_PAY_EXPIRED;
    return true;
}

/* -- notices -- */

static struct ll_pay_transaction *
find_transaction(struct ll_payment *payment, linli_str id)
{
    for (uint32_t i = 0; i < payment->transaction_count; i++)
        if (ll_str_eq(payment->transactions[i].id, id))
            return &payment->transactions[i];
    return NULL;
}

/* Of a transaction that does not pay: all of it, without being asked. */
static void
refund_whole(struct ll_payment *payment, const struct ll_pay_notice *notice,
    int64_t now_ms)
{
    payment->refunds[payment->refund_count++] =
        (struct ll_pay_refund){.transaction = notice->transaction,
            .amount_fen = notice->amount_fen,
            .asked_ms = now_ms,
            .state = LL_PAY_REFUND_PENDING,
            .automatic = true};
}

static enum ll_pay_decision
judge(const struct ll_payment *payment, const struct ll_pay_notice *notice)
{
    /* First, so that it does not depend on what came before. */
    if (notice->amount_fen != payment->amount_fen)
        return LL_PAY_FLAG;
    if (is_open(payment))
        return LL_PAY_ACCEPT;
    return ll_payment_accepted(payment) != NULL ? LL_PAY_SECOND : LL_PAY_LATE;
}

enum ll_pay_decision
ll_payment_notice(struct ll_payment *payment,
    const struct ll_pay_notice *notice, int64_t now_ms)
{
    if (payment == NULL)
        return LL_PAY_UNKNOWN;
    const struct ll_pay_transaction *known =
        find_transaction(payment, notice->transaction);
    if (known != NULL)
        return known->amount_fen == notice->amount_fen ? LL_PAY_DUPLICATE
                                                       : LL_PAY_CONFLICT;
    if (payment->transaction_count == LL_PAY_TRANSACTIONS_MAX)
        return LL_PAY_FULL;
    /* The window may have ended, and nobody has said so yet. */
    (void)ll_payment_expire(payment, now_ms);
    enum ll_pay_decision decision = judge(payment, notice);
    enum ll_pay_outcome outcome = LL_PAY_TX_ACCEPTED;
    switch (decision) {
    case LL_PAY_FLAG:
        outcome = LL_PAY_TX_FLAGGED;
        if (is_open(payment))
            payment->state = LL_PAY_FLAGGED;
        break;
    case LL_PAY_LATE:
    case LL_PAY_SECOND:
        outcome = decision == LL_PAY_LATE ? LL_PAY_TX_LATE : LL_PAY_TX_SECOND;
        refund_whole(payment, notice, now_ms);
        break;
    default:
        payment->state = LL_PAY_PAID;
        payment->paid_ms = now_ms;
        break;
    }
    payment->transactions[payment->transaction_count++] =
        (struct ll_pay_transaction){
            notice->transaction, notice->amount_fen, now_ms, outcome};
    return decision;
}

/* -- refunds -- */

/* The refund that this key named before; 0: none. */
static uint32_t
find_key(const struct ll_payment *payment, linli_str key)
{
    for (uint32_t i = 0; key.len > 0 && i < payment->refund_count; i++)
        if (!payment->refunds[i].automatic &&
            ll_str_eq(payment->refunds[i].key, key))
            return i + 1;
    return 0;
}

/* Those that nobody has asked for always have room. */
static uint32_t
asked_count(const struct ll_payment *payment)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < payment->refund_count; i++)
        count += !payment->refunds[i].automatic;
    return count;
}

enum ll_pay_grant
ll_payment_refund(struct ll_payment *payment, const struct ll_pay_ask *ask,
    int64_t now_ms, uint32_t *number)
{
    const struct ll_pay_transaction *paid = ll_payment_accepted(payment);
    ll_check(ask->amount_fen > 0);
    *number = find_key(payment, ask->key);
    if (*number != 0)
        return payment->refunds[*number - 1].amount_fen == ask->amount_fen
                   ? LL_PAY_SAME
                   : LL_PAY_KEY_REUSED;
    if (paid == NULL)
        return LL_PAY_NOT_PAID;
    if (ask->amount_fen > ll_payment_refundable_fen(payment))
        return LL_PAY_TOO_MUCH;
    if (asked_count(payment) == LL_PAY_REFUNDS_MAX - LL_PAY_TRANSACTIONS_MAX)
        return LL_PAY_NO_ROOM;
    payment->refunds[payment->refund_count] =
        (struct ll_pay_refund){.transaction = paid->id,
            .key = ask->key,
            .reason = ask->reason,
            .amount_fen = ask->amount_fen,
            .asked_ms = now_ms,
            .state = LL_PAY_REFUND_PENDING};
    *number = ++payment->refund_count;
    return LL_PAY_GRANTED;
}

enum ll_pay_settled
ll_payment_refunded(struct ll_payment *payment,
    const struct ll_pay_result *result, int64_t now_ms)
{
    enum ll_pay_refund_state state =
        result->done ? LL_PAY_REFUND_DONE : LL_PAY_REFUND_FAILED;
    if (result->number == 0 || result->number > payment->refund_count)
        return LL_PAY_NO_REFUND;
    struct ll_pay_refund *refund = &payment->refunds[result->number - 1];
    if (result->amount_fen != 0 && result->amount_fen != refund->amount_fen)
        return LL_PAY_WRONG_AMOUNT;
    if (refund->state != LL_PAY_REFUND_PENDING)
        return refund->state == state ? LL_PAY_REPEATED : LL_PAY_CONTRADICTED;
    refund->state = state;
    refund->settled_ms = now_ms;
    if (!refund->automatic && result->done)
        payment->state = ll_payment_refund_fen(payment, LL_PAY_REFUND_DONE) ==
                                 payment->amount_fen
                             ? LL_PAY_REFUNDED
                             : LL_PAY_PARTIALLY_REFUNDED;
    return LL_PAY_SETTLED;
}
