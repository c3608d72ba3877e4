/* billing/pay.h: payments of invoices, refunds, top-ups. [loop]
 *
 * Each is known by a name that whoever paid or was paid gave it: the same name
 * with the same amount is the same, once; with another it is refused. Whoever
 * asks fills the first part and `job.act`'s billing, by and now_ms, sets
 * job.done and starts it; the second part is the answer.
 */
#ifndef LL_BILLING_PAY_H
#define LL_BILLING_PAY_H

#include "billing/money.h"

/* Texts are borrowed until it is done. */
struct ll_paying {
    struct ll_till_job job;
    linli_str community;
    int64_t invoice;         /* a final one */
    linli_str channel, ref;  /* once in a community */
    int64_t fen, paid_at_ms; /* more than 0 */
    /* the answer */
    int64_t id;
    bool again;       /* it was known */
    int64_t paid_fen; /* what counts for the invoice; */
    int64_t over_fen; /* the rest, which is credit of the subscription */
    int64_t due_fen;  /* of the invoice, now */
};
/* Done with "ledger/ref-used" (the name has another amount or invoice),
 * "request/not-found", "ledger/overflow", "ledger/too-much" of an invoice of
 * less than nothing. */
linli_status ll_pay_take(
    struct ll_paying *paying, struct ll_err *err) LL_USE_RESULT;

/* Money goes back the way it came. It is taken out of what the subscription
 * has as credit, and what is more than that is owed again. */
struct ll_refunding {
    struct ll_till_job job;
    linli_str community;
    int64_t invoice, payment;
    linli_str ref, reason; /* once in a community; in their words */
    int64_t fen;           /* more than 0 */
    /* the answer */
    int64_t id;
    bool again;
    int64_t credit_fen; /* of it was their credit; */
    int64_t owed_fen;   /* is owed again */
    int64_t due_fen;
    struct ll_account_text cash; /* room */
};
/* Also "ledger/too-much": more than is left of the payment. */
linli_status ll_pay_back(
    struct ll_refunding *refunding, struct ll_err *err) LL_USE_RESULT;

struct ll_topping {
    struct ll_till_job job;
    struct ll_wallet_grant grant;
    /* the answer */
    int64_t id;
    bool again;
    int64_t balance_fen; /* of the wallet, now */
};
linli_status ll_pay_ahead(
    struct ll_topping *topping, struct ll_err *err) LL_USE_RESULT;

#endif
