/* host/pay_adapter.h: the port that payment providers stand behind. [loop]
 *
 * One adapter a provider: it creates payments and refunds over there, says
 * which notices are the provider's own, and how the provider wants them
 * answered. All else, what a notice does and when, is host/payment.h's and the
 * same for all of them.
 */
#ifndef LL_HOST_PAY_ADAPTER_H
#define LL_HOST_PAY_ADAPTER_H

#include "base/err.h"
#include "host/host.h"

struct ll_pay_request;

/* What is to be paid. */
struct ll_pay_order {
    linli_str payment; /* the merchant's order number, the same each time */
    linli_str title, channel;
    int64_t amount_fen, pay_by_ms;
};

/* What goes back, of which transaction. */
struct ll_pay_return {
    linli_str payment, refund; /* refund: the same number each time */
    linli_str transaction, reason;
    int64_t amount_fen;
};

enum ll_pay_answer_kind {
    LL_PAY_ANSWER_DONE,     /* the payment can be paid; the refund is made */
    LL_PAY_ANSWER_ACCEPTED, /* of a refund: a notice will tell */
    LL_PAY_ANSWER_REFUSED,  /* for good */
    LL_PAY_ANSWER_FAILED    /* nobody knows: to be asked again */
};
struct ll_pay_answer {
    enum ll_pay_answer_kind kind;
    linli_str params; /* of a payment: JSON, an object, for who pays */
    const char *code; /* a problem's, of the last two */
};

/* A request to a provider that is under way; embedded in its owner. */
struct ll_pay_request {
    struct ll_host *host;
    /* The answer, once, maybe at once; borrowed. */
    void (*done)(
        struct ll_pay_request *request, const struct ll_pay_answer *answer);
    void *state; /* the adapter's */
};

/* What a notice says. */
struct ll_pay_event {
    const struct ll_pay_adapter *adapter; /* whose it is */
    bool refund;           /* a refund is done; else: somebody has paid */
    linli_str payment;     /* id; may be empty if `refund_id` is not */
    linli_str refund_id;   /* may be empty if `payment` is not */
    linli_str transaction; /* the provider's id of it; of a refund, maybe "" */
    int64_t amount_fen;    /* of a refund 0: it does not say */
};

struct ll_pay_adapter {
    const char *name;
    bool development; /* exists in development mode only */
    void (*create)(
        struct ll_pay_request *request, const struct ll_pay_order *order);
    void (*refund)(
        struct ll_pay_request *request, const struct ll_pay_return *what);
    /* Gives a request up: no `done`. */
    void (*cancel)(struct ll_pay_request *request);
    /* Whether a callback is the provider's own, by its raw body, and what it
     * says; strings in `arena`. "payments/signature", "payments/notice". */
    linli_status (*verify)(struct ll_host *host,
        const struct ll_request *callback, struct ll_arena *arena,
        struct ll_pay_event *event, struct ll_err *err);
    /* The body of the answer to a callback; `err` NULL: it was taken. */
    void (*reply)(struct ll_buf *out, const struct ll_err *err);
};

/* By name, in this mode; NULL: there is none. */
const struct ll_pay_adapter *ll_pay_adapter(
    const struct ll_host *host, linli_str name);
/* The one that the operator has chosen for a channel. "payments/no-adapter".
 */
linli_status ll_pay_adapter_of(const struct ll_host *host, linli_str channel,
    const struct ll_pay_adapter **out, struct ll_err *err) LL_USE_RESULT;

#endif
