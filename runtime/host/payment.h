/* host/payment.h: payments: what changes them, and who is told. [loop]
 *
 * Each change is decided by domain/payment.h in the turn in which the document
 * is known, and is one commit with all that follows from it: the refunds that
 * are due, the call of the plugin's handler, the operator's alert. So a notice
 * that was answered is never lost, and a plugin that hangs holds up nothing
 * (spec/payments.md).
 */
#ifndef LL_HOST_PAYMENT_H
#define LL_HOST_PAYMENT_H

#include "data/put.h"
#include "host/errand.h"
#include "host/pay_adapter.h"
#include "host/pay_doc.h"

/* -- a change -- */

/* The documents of a payment: itself, and of ~work what its plugin has not
 * heard of it yet. */
struct ll_pay_docs {
    struct ll_doc *payment, *untold;
};
/* References to them, for who opened the instance's payments; false without
 * memory. */
bool ll_pay_docs_get(struct ll_pay_docs *docs, struct ll_instance *instance,
    linli_str payment) LL_USE_RESULT;
/* True if both are known; otherwise `wait` is told when to ask again. */
bool ll_pay_docs_ready(const struct ll_pay_docs *docs, struct ll_wait *wait);
void ll_pay_docs_unref(struct ll_pay_docs *docs);

/* A payment in hand, for one turn. */
struct ll_pay_change {
    struct ll_host *host;
    struct ll_instance *instance;
    struct ll_pay_docs docs;  /* ready; borrowed */
    struct ll_commit *commit; /* that it is in; of a call: NULL */
    int64_t now_ms;
    struct ll_pay_doc pay; /* what it was, to be changed; */
    enum ll_pay_state state_before;
    uint32_t refunds_before;
    uint32_t refund; /* the one that was settled by it; 0: none */
};
/* Reads the payment; LINLI_E_NOT_FOUND if there is none (any more),
 * LINLI_E_NOMEM. Whatever it returns, ends with ll_pay_change_fini. */
linli_status ll_pay_change_begin(struct ll_pay_change *change,
    struct ll_instance *instance, const struct ll_pay_docs *docs,
    struct ll_err *err) LL_USE_RESULT;
void ll_pay_change_fini(struct ll_pay_change *change);
/* Writes the payment, an errand for each new refund, and the order to call
 * the plugin's handler if the payment has settled. */
linli_status ll_pay_change_put(struct ll_pay_change *change, struct ll_txn *txn,
    struct ll_err *err) LL_USE_RESULT;

/* Queues and collections of a plugin that may be disabled: what is owed is
 * owed all the same. LINLI_E_NOMEM. */
linli_status ll_payments_open(
    struct ll_instance *instance, struct ll_err *err) LL_USE_RESULT;

/* What is done towards the provider, and at the end of the window. */
extern const struct ll_errand_kind ll_pay_create_kind, ll_pay_expire_kind,
    ll_pay_refund_kind;

/* For host/work.c: what is left of an order, `root`, when its first part has
 * been heard; *after NULL: nothing. False without memory. */
bool ll_pay_work_after(struct ll_coll *work, struct ll_jv root, int64_t now_ms,
    struct ll_content **after) LL_USE_RESULT;

/* -- alerts -- */

struct ll_pay_alarm {
    const char *kind;   /* "linli.payment_flagged" */
    const char *reason; /* a word for machines */
    linli_str payment, refund, transaction, subject; /* may be empty */
    int64_t amount_fen, expected_fen;                /* 0: not said */
};
/* Into a commit; `space` is the plugin's or the community's. False without
 * memory. */
bool ll_pay_alarm_put(struct ll_host *host, const struct ll_space *space,
    const struct ll_pay_alarm *alarm, struct ll_commit *commit) LL_USE_RESULT;

/* -- notices -- */

/* One that has been received; embedded in who answers it. Its strings live
 * until `done`. */
struct ll_pay_receipt {
    struct ll_pay_receipt *next, *prev; /* of the host's */
    struct ll_host *host;
    struct ll_pay_event event;
    /* What became of it is durable; once, maybe at once. `err` NULL: taken.
     * "payments/unknown", "payments/notice", "store/failed", ... */
    void (*done)(struct ll_pay_receipt *receipt, const struct ll_err *err);
    /* its own */
    struct ll_wait wait;
    struct ll_pay_docs docs;
    struct ll_instance *instance;
    uint64_t number; /* to be durable before it is answered */
    bool open, answering;
    struct ll_err err; /* what it is answered with; status 0: taken */
};
/* Takes it: `host`, `event` and `done` are set. */
void ll_pay_receive(struct ll_pay_receipt *receipt);
/* Nobody waits for it any more: no `done`. What it did stays. */
void ll_pay_receipt_drop(struct ll_pay_receipt *receipt);
/* More is durable, or nothing will be. */
void ll_pay_receipts_release(struct ll_host *host);

#endif
