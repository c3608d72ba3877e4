/* billing/till.c: the line. [loop] */
#include "billing/till.h"

static void advance(struct ll_till *till);

/* The first is done: it leaves the line before it is told. */
static void
finish(struct ll_till *till, linli_status status, const struct ll_err *err)
{
    struct ll_till_job *job = till->first;
    till->first = job->next;
    if (till->first == NULL)
        till->last = NULL;
    till->count--;
    ll_query_fini(&job->query);
    job->done(job, status, err);
}

static void
on_sent(struct ll_bill_act *act, bool durable)
{
    struct ll_till *till = &act->billing->till;
    struct ll_err err;
    if (durable) {
        finish(till, LINLI_OK, NULL);
    } else {
        till->shut = true;
        linli_status status =
            ll_fail(&err, LINLI_E_IO, "store/failed", "it cannot be kept");
        finish(till, status, &err);
    }
    advance(till);
}

static void
on_rows(struct ll_query *query)
{
    struct ll_till_job *job = query->user;
    struct ll_till *till = &job->act.billing->till;
    if (query->status == LINLI_OK) {
        advance(till);
        return;
    }
    struct ll_err err = query->err;
    till->shut = till->shut || query->status == LINLI_E_CLOSED;
    finish(till, query->status, &err);
    advance(till);
}

/* Takes one step of the first. True: it is over, and the next may begin. */
static bool
step(struct ll_till *till)
{
    struct ll_till_job *job = till->first;
    enum ll_till_next next = LL_TILL_END;
    struct ll_err err;
    linli_status status = till->shut
                              ? ll_fail(&err, LINLI_E_CLOSED,
                                    "runtime/draining", "this host stops")
                              : job->step(job, &next, &err);
    job->steps++;
    if (status == LINLI_OK && next == LL_TILL_SEND)
        status = ll_bill_room(&job->act, &err);
    else if (status != LINLI_OK && job->act.commit != NULL)
        ll_bill_drop(&job->act);
    if (status == LINLI_OK && next == LL_TILL_ASK && job->query.params.failed)
        status = ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a query");
    if (status != LINLI_OK || next == LL_TILL_END) {
        finish(till, status, status == LINLI_OK ? NULL : &err);
        return true;
    }
    if (next == LL_TILL_SEND) {
        job->act.done = on_sent;
        (void)ll_bill_send(&job->act);
    } else {
        ll_store_query(job->act.billing->store, &job->query);
    }
    return false;
}

/* A `done` may put another job: that is lined up, and begun here. */
static void
advance(struct ll_till *till)
{
    if (till->stepping)
        return;
    till->stepping = true;
    while (till->first != NULL && step(till))
        ;
    till->stepping = false;
}

linli_status
ll_till_put(struct ll_till_job *job, struct ll_err *err)
{
    struct ll_till *till = &job->act.billing->till;
    if (till->count == LL_TILL_JOBS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "runtime/busy",
            "%d jobs about money wait already", LL_TILL_JOBS_MAX);
    job->next = NULL;
    job->steps = 0;
    job->act.commit = NULL;
    ll_query_init(&job->query, job->act.billing->mem, LL_ST_ledger_last);
    if (till->last != NULL)
        till->last->next = job;
    else
        till->first = job;
    till->last = job;
    till->count++;
    if (till->count == 1)
        advance(till);
    return LINLI_OK;
}

struct ll_query *
ll_till_query(struct ll_till_job *job, enum ll_statement statement)
{
    ll_query_fini(&job->query);
    ll_query_init(&job->query, job->act.billing->mem, statement);
    job->query.done = on_rows;
    job->query.user = job;
    return &job->query;
}

linli_status
ll_till_torn(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
        "a row is not of its table's types");
}
