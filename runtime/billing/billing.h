/* billing/billing.h: what is sold, to whom, and what they owe. [loop]
 *
 * Holds the plans in force and the subscriptions of every community of a
 * host, true to the store. Layers: it knows usage by its series and money by
 * its ledger, no call and no plugin; the host asks it before a plugin runs.
 *
 *   plans.h      versions of plans; none ever changes
 *   subs.h       subscriptions and their lives
 *   quota.h      whether a call is admitted, and what it uses
 *   sums.h       what was counted in a period, from the buckets
 *   invoices.h   preview, draft, grace, final; credit notes; what is due
 *   books.h      the ledger: entries and balances
 *   money.h      bills of final invoices, what is owed of them, wallets
 *   pay.h        payments, refunds, top-ups
 *   till.h       the line in which they wait
 */
#ifndef LL_BILLING_BILLING_H
#define LL_BILLING_BILLING_H

#include "base/limits_billing.h"
#include "data/docs.h"
#include "domain/pricing_calendar.h"
#include "world/world.h"

struct ll_bill_zone;
struct ll_books;
struct ll_invoices;
struct ll_money;
struct ll_plans;
struct ll_quota_alert;
struct ll_quotas;
struct ll_subs;
struct ll_till_job;

/* What waits in line: billing/till.h. */
struct ll_till {
    struct ll_till_job *first, *last;
    uint32_t count;
    bool stepping; /* the first is in the middle of a step */
    bool shut;     /* the store takes nothing any more */
};

struct ll_billing {
    struct ll_mem *mem;
    struct ll_docs *docs;
    struct ll_store *store;
    struct ll_world *world;
    struct ll_arena arena;      /* zones: as long as the host */
    struct ll_bill_zone *zones; /* that were asked for */
    struct ll_plans *plans;     /* billing/plans.c */
    struct ll_subs *subs;       /* billing/subs.c */
    struct ll_books *books;     /* billing/books.c */
    struct ll_quotas *quotas;   /* billing/quota.c; NULL: nobody asked yet */
    /* Of a threshold that a commit has reached whose window was not known
     * then. Set by the host; NULL: nobody is told. */
    void (*alerted)(void *user, const struct ll_quota_alert *alert);
    void *user;
    struct ll_money *money;       /* billing/money.c */
    struct ll_invoices *invoices; /* billing/invoices.c */
    struct ll_till till;          /* billing/till.c */
    uint32_t acts;                /* that have begun and are not sent */
};

/* Loads what the store knows; blocks, before anything is committed. */
linli_status ll_billing_open(struct ll_billing *billing, struct ll_mem *mem,
    struct ll_docs *docs, struct ll_world *world,
    struct ll_err *err) LL_USE_RESULT;
/* After the store has closed. */
void ll_billing_close(struct ll_billing *billing);

/* A time zone by its name, as long as the host lives; "pricing/zone" if there
 * is none, "runtime/memory". */
linli_status ll_billing_zone(struct ll_billing *billing, linli_str name,
    const struct ll_local **out, struct ll_err *err) LL_USE_RESULT;

#endif
