/* billing/money_int.h: what the files of money share. [loop] */
#ifndef LL_BILLING_MONEY_INT_H
#define LL_BILLING_MONEY_INT_H

#include "billing/money.h"
#include "domain/pricing_invoice.h"

struct ll_grant;

struct ll_money {
    struct ll_money_ids ids;
    int64_t settled_ms; /* up to which statements are closed, or are being: no
                           move is booked before it, whatever the clock says */
    struct ll_grant **grants; /* chains, by subscription: wallet.c */
};

/* Reads what is left of every top-up; blocks. */
linli_status ll_wallets_open(
    struct ll_billing *billing, struct ll_err *err) LL_USE_RESULT;
/* Gives it back. */
void ll_wallets_close(struct ll_billing *billing);

/* What is due of a new bill is taken from what is theirs (credit) and from
 * their wallet, whose grants it uses. */
linli_status ll_wallet_use(struct ll_bill_act *act, const struct ll_bill *bill,
    int64_t credit_fen, struct ll_settled *settled,
    struct ll_err *err) LL_USE_RESULT;

#endif
