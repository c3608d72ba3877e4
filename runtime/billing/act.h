/* billing/act.h: what somebody does to a plan, a subscription, money. [loop]
 *
 * An act is one commit. It is filled first; when all of it has found room,
 * memory changes and the commit goes, which cannot fail any more: memory and
 * store never part. Whoever acts is told when it is durable.
 */
#ifndef LL_BILLING_ACT_H
#define LL_BILLING_ACT_H

#include "data/docs.h"

struct ll_billing;
struct ll_book_change;

struct ll_bill_act {
    struct ll_billing *billing;
    struct ll_commit *commit;
    linli_str by;     /* "operator:ID", "resident:ID"; kept with what it does */
    linli_str reason; /* in their words; may be empty */
    int64_t now_ms;   /* of the wall clock */
    /* Once, on the loop, later; durable false: it never will be. May be NULL.
     * The act is the owner's again. */
    void (*done)(struct ll_bill_act *act, bool durable);
    void *user;
    struct ll_book_change *posted; /* billing/books.c; NULL at first */
};

/* Makes the commit. "runtime/memory". */
linli_status ll_bill_begin(
    struct ll_bill_act *act, struct ll_err *err) LL_USE_RESULT;
/* Whether all that was put has found room; if not, the act is given up:
 * "runtime/memory". To be asked before memory changes. */
linli_status ll_bill_room(
    struct ll_bill_act *act, struct ll_err *err) LL_USE_RESULT;
/* Hands it over; returns its number. */
uint64_t ll_bill_send(struct ll_bill_act *act);
/* Gives up one that was not sent; nothing has changed. */
void ll_bill_drop(struct ll_bill_act *act);

#endif
