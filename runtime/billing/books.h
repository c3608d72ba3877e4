/* billing/books.h: the ledger of every community. [loop]
 *
 * An entry goes into the commit of what it is about, so that no money moves
 * without its reason and no invoice is final without its entry. Balances are
 * in memory, exact, and at the start are made of the postings themselves:
 * nothing is kept twice. spec/metering.md, section 12.
 */
#ifndef LL_BILLING_BOOKS_H
#define LL_BILLING_BOOKS_H

#include "billing/act.h"
#include "billing/billing.h"
#include "domain/ledger.h"

struct ll_books;

/* Reads the balances; blocks. "store/corrupt", "ledger/overflow",
 * "runtime/memory". */
linli_status ll_books_open(
    struct ll_billing *billing, struct ll_err *err) LL_USE_RESULT;
void ll_books_close(struct ll_billing *billing);

/* Puts an entry into an act that has begun: the balances are changed from now
 * on; ll_bill_drop takes that back. Postings of 0 are left out, and an entry
 * that has no others is nothing. (kind, ref) is the caller's to keep unique in
 * a community. "ledger/unbalanced", "ledger/account", "ledger/overflow" if a
 * balance would leave int64, "runtime/memory": then nothing has changed. */
linli_status ll_books_post(struct ll_bill_act *act,
    const struct ll_entry *entry, struct ll_err *err) LL_USE_RESULT;

/* Debits less credits; 0 of an account that has none. What is owed to somebody
 * (wallet, credit, due, revenue, tax) is less than 0. */
int64_t ll_books_balance(
    const struct ll_billing *billing, linli_str community, linli_str account);

/* A number of the caller's changes by `fen` as the balances do: now, and back
 * if the act is dropped. It has to stay where it is until the act is over.
 * "ledger/overflow", "runtime/memory". */
linli_status ll_books_change(struct ll_bill_act *act, int64_t *number,
    int64_t fen, struct ll_err *err) LL_USE_RESULT;

/* For act.c: what an act has posted stays, or is taken back. */
void ll_books_keep(struct ll_bill_act *act);
void ll_books_undo(struct ll_bill_act *act);

#endif
