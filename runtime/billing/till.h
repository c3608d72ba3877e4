/* billing/till.h: one thing about money after the other. [loop]
 *
 * What is paid, given back, put into a wallet or settled stands on what was
 * before, which is asked of the store. So such jobs wait in one line: each asks
 * what it has to know, decides, and is durable before the next one asks. What
 * invoices do at once (billing/money.h) keeps to invoices that no job can be
 * about yet.
 */
#ifndef LL_BILLING_TILL_H
#define LL_BILLING_TILL_H

#include "billing/act.h"
#include "billing/billing.h"

enum ll_till_next {
    LL_TILL_ASK,  /* job->query has been filled: step again with its rows */
    LL_TILL_SEND, /* job->act has begun and been filled: send it */
    LL_TILL_END,  /* nothing is to be done */
};

struct ll_till_job {
    struct ll_till_job *next; /* the till's */
    struct ll_bill_act act;   /* billing, by, reason, now_ms: the owner's */
    struct ll_query query;    /* the till's, between steps the rows */
    uint32_t steps;           /* taken so far */
    void *user;
    /* Says what comes next; job->steps 0: there are no rows yet. On a failure
     * an act that has begun is dropped. */
    linli_status (*step)(
        struct ll_till_job *job, enum ll_till_next *next, struct ll_err *err);
    /* Once: it is durable or nothing was to be done, or why not. The
     * job is the owner's again. */
    void (*done)(
        struct ll_till_job *job, linli_status status, const struct ll_err *err);
};

/* Lines up; `done` may come before it returns. "runtime/busy" past
 * LL_TILL_JOBS_MAX: then it does not come. */
linli_status ll_till_put(
    struct ll_till_job *job, struct ll_err *err) LL_USE_RESULT;
/* Makes job->query one to fill; then LL_TILL_ASK. */
struct ll_query *ll_till_query(
    struct ll_till_job *job, enum ll_statement statement);
/* "store/corrupt": a row is not of its table's types. */
linli_status ll_till_torn(struct ll_err *err);

#endif
