/* domain/ledger.h: entries of a ledger, checked before they are made. [any]
 * pure
 *
 * Double entry: what one account is debited others are credited, so every
 * entry sums to zero and all accounts together do. Money is int64 fen; a debit
 * is more than 0, a credit less.
 */
#ifndef LL_DOMAIN_LEDGER_H
#define LL_DOMAIN_LEDGER_H

#include "base/err.h"

/* X(NAME, word, of_whom): the kinds of accounts, of a community. `of_whom`:
 * whether a name follows after a colon: "receivable:sub_16", "tax". */
#define LL_ACCOUNTS(X)                                                        \
    X(RECEIVABLE, "receivable", true) /* of a subscription: owed by payers */ \
    X(REVENUE, "revenue", true)       /* of a plugin: billed, not shared */   \
    X(TAX, "tax", false)                                                      \
    X(CASH, "cash", true)     /* of a channel: what came in by it */          \
    X(DUE, "due", true)       /* to operator, channel, vendor:PLUGIN */       \
    X(CREDIT, "credit", true) /* of a subscription: theirs, not used */       \
    X(WALLET, "wallet", true) /* of a subscription: paid beforehand */        \
    X(WRITEOFF, "writeoff", false)
enum ll_account_kind {
#define X(NAME, word, of_whom) LL_ACCOUNT_##NAME,
    LL_ACCOUNTS(X)
#undef X
        LL_ACCOUNT_NONE /* it is no account's name */
};
/* Of a name; LL_ACCOUNT_NONE: it is none. After the kind come 1 to 2 parts of
 * a-z, 0-9, '.', '-', '_', '/' and, at most LL_ACCOUNT_BYTES_MAX in all. */
enum ll_account_kind ll_account_kind(linli_str account);

struct ll_posting {
    linli_str account;
    int64_t fen; /* debit > 0, credit < 0; 0 is left out */
};
struct ll_entry {
    linli_str community;
    linli_str kind; /* "invoice", "credit-note", "payment", ... */
    linli_str ref;  /* which one of the kind, once in a community */
    const struct ll_posting *postings;
    uint32_t count; /* 1 to LL_LEDGER_POSTINGS_MAX */
    int64_t at_ms;
};
/* "ledger/unbalanced", with the difference, for one whose postings do not sum
 * to zero, or that has none; "ledger/account" for one that names no account. */
linli_status ll_entry_check(
    const struct ll_entry *entry, struct ll_err *err) LL_USE_RESULT;

#endif
