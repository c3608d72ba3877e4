/* domain/payment.h: one payment, its transactions and refunds. [any] pure
 *
 * spec/payments.md. Money is fen, exact. Notices, answers of the provider,
 * refunds and the end of the pay window may come in any order and any number
 * of times: at most one transaction pays, and every other one is either
 * refunded in full, once, or held for the operator.
 */
#ifndef LL_DOMAIN_PAYMENT_H
#define LL_DOMAIN_PAYMENT_H

#include "base/defs.h"
#include "base/limits.h"

#define LL_PAY_STATES(X)                                            \
    X(CREATING, "creating") /* the provider has not answered yet */ \
    X(PENDING, "pending")   /* it can be paid */                    \
    X(FLAGGED, "flagged")   /* unpaid, and holds a wrong amount */  \
    X(PAID, "paid")                                                 \
    X(PARTIALLY_REFUNDED, "partially_refunded")                     \
    X(REFUNDED, "refunded") /* all of it */                         \
    X(EXPIRED, "expired")   /* unpaid at the end of its window */   \
    X(FAILED, "failed")     /* the provider did not take it */

enum ll_pay_state {
#define X(name, word) LL_PAY_##name,
    LL_PAY_STATES(X)
#undef X
};
/* The word that everybody sees: "pending". */
const char *ll_pay_state_name(enum ll_pay_state state);
/* The same back; false if it is none. */
bool ll_pay_state_read(linli_str word, enum ll_pay_state *out);

/* What a transaction came to. */
#define LL_PAY_OUTCOMES(X)                                            \
    X(ACCEPTED, "accepted") /* it pays */                             \
    X(FLAGGED, "flagged")   /* wrong amount: held for the operator */ \
    X(SECOND, "second")     /* the sum was settled: refunded */       \
    X(LATE, "late")         /* too late, or not wanted: refunded */

enum ll_pay_outcome {
#define X(name, word) LL_PAY_TX_##name,
    LL_PAY_OUTCOMES(X)
#undef X
};
/* The same of an outcome: "accepted". */
const char *ll_pay_outcome_name(enum ll_pay_outcome outcome);
bool ll_pay_outcome_read(linli_str word, enum ll_pay_outcome *out);

struct ll_pay_transaction {
    linli_str id; /* the provider's */
    int64_t amount_fen;
    int64_t received_ms;
    enum ll_pay_outcome outcome;
};

#define LL_PAY_REFUND_STATES(X) \
    X(PENDING, "pending")       \
    X(DONE, "done")             \
    X(FAILED, "failed") /* the provider refused: the operator's to settle */

enum ll_pay_refund_state {
#define X(name, word) LL_PAY_REFUND_##name,
    LL_PAY_REFUND_STATES(X)
#undef X
};
/* The same of a refund's state: "done". */
const char *ll_pay_refund_state_name(enum ll_pay_refund_state state);
bool ll_pay_refund_state_read(linli_str word, enum ll_pay_refund_state *out);

struct ll_pay_refund {
    linli_str transaction; /* of which */
    linli_str key, reason; /* as the plugin said; may be empty */
    int64_t amount_fen;
    int64_t asked_ms, settled_ms; /* settled: 0 until then */
    enum ll_pay_refund_state state;
    bool automatic; /* of a transaction that did not pay */
};

/* Strings are borrowed. A refund's number is its place plus one. */
struct ll_payment {
    enum ll_pay_state state;
    int64_t amount_fen;
    int64_t created_ms, pay_by_ms; /* the window: [created, pay_by) */
    int64_t paid_ms;               /* 0: it is not */
    bool answered;                 /* the provider's create call has ended */
    uint32_t transaction_count, refund_count;
    struct ll_pay_transaction transactions[LL_PAY_TRANSACTIONS_MAX];
    struct ll_pay_refund refunds[LL_PAY_REFUNDS_MAX];
};

/* A new one, in state CREATING. */
void ll_payment_begin(struct ll_payment *payment, int64_t amount_fen,
    int64_t created_ms, int64_t pay_by_ms);

/* The provider has answered the create call: it took it, or refused for good.
 * Returns whether the state has changed; what was paid meanwhile stays paid. */
bool ll_payment_created(struct ll_payment *payment);
bool ll_payment_refused(struct ll_payment *payment);

/* A notice that somebody has paid, received at `now_ms`. */
struct ll_pay_notice {
    linli_str transaction;
    int64_t amount_fen;
};
enum ll_pay_decision {
    LL_PAY_ACCEPT,    /* it is paid */
    LL_PAY_DUPLICATE, /* this transaction is known: nothing changes */
    LL_PAY_CONFLICT,  /* it is known with another amount: nothing changes */
    LL_PAY_FLAG,      /* wrong amount: held */
    LL_PAY_LATE,      /* refund it: the last refund is its */
    LL_PAY_SECOND,    /* the same */
    LL_PAY_UNKNOWN,   /* there is no such payment */
    LL_PAY_FULL       /* more than can be kept: nothing changes */
};
/* `payment` NULL: there is none. */
enum ll_pay_decision ll_payment_notice(struct ll_payment *payment,
    const struct ll_pay_notice *notice, int64_t now_ms);

/* The end of the window; returns whether the payment expires by it. */
bool ll_payment_expire(struct ll_payment *payment, int64_t now_ms);

/* A refund that the plugin asks for. */
struct ll_pay_ask {
    int64_t amount_fen;
    linli_str key, reason;
};
enum ll_pay_grant {
    LL_PAY_GRANTED,
    LL_PAY_SAME,       /* the key was used for the same: that one */
    LL_PAY_KEY_REUSED, /* and for another amount */
    LL_PAY_NOT_PAID,
    LL_PAY_TOO_MUCH, /* with those before it, more than was paid */
    LL_PAY_NO_ROOM   /* LL_PAY_REFUNDS_MAX */
};
/* *number: of the refund, for the first two. */
enum ll_pay_grant ll_payment_refund(struct ll_payment *payment,
    const struct ll_pay_ask *ask, int64_t now_ms, uint32_t *number);

/* What the provider says of a refund, in its answer or in a notice: the first
 * decides. */
struct ll_pay_result {
    uint32_t number;
    bool done;          /* false: it refuses for good */
    int64_t amount_fen; /* 0: it does not say */
};
enum ll_pay_settled {
    LL_PAY_SETTLED,      /* it is done, or failed, by this */
    LL_PAY_REPEATED,     /* it was so already */
    LL_PAY_CONTRADICTED, /* it was otherwise: nothing changes */
    LL_PAY_WRONG_AMOUNT, /* nothing changes */
    LL_PAY_NO_REFUND     /* there is none of this number */
};
enum ll_pay_settled ll_payment_refunded(struct ll_payment *payment,
    const struct ll_pay_result *result, int64_t now_ms);

/* Sums: of the refunds of what was paid that are in `state`; what can be
 * refunded still; what is held of wrong amounts. */
int64_t ll_payment_refund_fen(
    const struct ll_payment *payment, enum ll_pay_refund_state state);
int64_t ll_payment_refundable_fen(const struct ll_payment *payment);
int64_t ll_payment_held_fen(const struct ll_payment *payment);
/* The transaction that paid, or NULL. */
const struct ll_pay_transaction *ll_payment_accepted(
    const struct ll_payment *payment);

#endif
