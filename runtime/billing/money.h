/* billing/money.h: what final invoices cost, and what is given beforehand.
 * [loop]
 *
 * A final invoice has a bill: what money knows of it, which never changes. All
 * that happens to a bill is a move: credit and wallet used when it was made,
 * payments, refunds, credit notes. What is owed of it, and who gets what of
 * what was paid, is the sum of its moves and stands nowhere else
 * (spec/metering.md, section 12).
 */
#ifndef LL_BILLING_MONEY_H
#define LL_BILLING_MONEY_H

#include "billing/books.h"
#include "billing/invoices.h"
#include "billing/till.h"
#include "domain/owed.h"

struct ll_bill {
    int64_t invoice; /* its row: invoices' own id */
    linli_str community;
    linli_str number; /* "INV-000001" */
    linli_str plugin;
    uint32_t sub;
    struct ll_owed owed;
    struct ll_inv was; /* of ll_money_read: the invoice, as it is kept */
};

/* Loads what wallets hold; blocks. */
linli_status ll_money_open(
    struct ll_billing *billing, struct ll_err *err) LL_USE_RESULT;
void ll_money_close(struct ll_billing *billing);

/* -- for invoices: into an act that has begun, as ll_books_post -- */

/* An invoice is final; its entry (receivable | revenue, tax; of less than
 * nothing, credit for receivable) is posted by the caller. bill->owed has
 * total, tax and terms. Uses the subscription's credit
 * notes, then its wallet, as ll_settle does: bill->owed.paid_fen says how
 * much, and ll_owed_due what is left to pay. */
linli_status ll_money_bill(struct ll_bill_act *act, struct ll_bill *bill,
    struct ll_err *err) LL_USE_RESULT;
/* A credit note, whose entry the caller posts: `note` is what it takes off,
 * its tax in it. What was paid past the rest becomes credit of the
 * subscription. In a step of a till job, with the bill as ll_money_read has
 * read it. "ledger/too-much". */
struct ll_money_note {
    linli_str number; /* "CN-000001" */
    int64_t fen, tax_fen;
};
linli_status ll_money_credit(struct ll_bill_act *act, struct ll_bill *bill,
    const struct ll_money_note *note, struct ll_err *err) LL_USE_RESULT;

/* -- a bill, in a till job -- */

/* Asks for the bill of an invoice; and reads it, out of the rows of the answer.
 * "request/not-found": it has none, so is not final. Texts are borrowed from
 * the query. */
void ll_money_ask(
    struct ll_till_job *job, linli_str community, int64_t invoice);
linli_status ll_money_read(const struct ll_till_job *job, struct ll_bill *bill,
    struct ll_err *err) LL_USE_RESULT;

/* A move of a bill, for billing/pay.c: owed is moved, its row is put, and the
 * entries "credit" (of `move.over_fen`, if it comes from what was paid) and
 * "share" are posted under `ref`. */
struct ll_money_move {
    const char *kind; /* "settle", "payment", "refund", "credit-note" */
    linli_str ref;    /* "pay_7", ... */
    struct ll_owed_move by;
};
linli_status ll_money_move(struct ll_bill_act *act, struct ll_bill *bill,
    struct ll_money_move *move, struct ll_err *err) LL_USE_RESULT;

/* -- wallets -- */

/* What a subscription has in its wallet and may use at an instant. */
int64_t ll_wallet_balance(
    const struct ll_billing *billing, uint32_t sub, int64_t at_ms);
struct ll_wallet_grant {
    linli_str community;
    uint32_t sub;
    linli_str channel, ref; /* how it came in; ref once in a community */
    int64_t fen;            /* more than 0 */
    int64_t priority;       /* less: used earlier */
    int64_t expires_ms;     /* INT64_MAX: never */
};
linli_status ll_wallet_put(struct ll_bill_act *act,
    const struct ll_wallet_grant *grant, int64_t *id,
    struct ll_err *err) LL_USE_RESULT;
/* Writes off what has expired by act->now_ms; *count how many grants that
 * were: with 0 nothing was put. At most LL_WALLET_LAPSE_MAX at once. */
linli_status ll_wallet_lapse(
    struct ll_bill_act *act, uint32_t *count, struct ll_err *err) LL_USE_RESULT;

/* Ids of rows, given by money alone. */
struct ll_money_ids {
    int64_t move, payment, refund, grant, use;
};

/* "receivable:sub_16" and the like; `text` holds it. */
struct ll_account_text {
    char text[LL_ACCOUNT_BYTES_MAX + 1];
};
linli_str ll_account_sub(
    struct ll_account_text *room, const char *kind, uint32_t sub);
linli_str ll_account_of(
    struct ll_account_text *room, const char *kind, linli_str whose);

#endif
