/* billing/attribute.c: out of suspense. [loop] */
#include "billing/attribute.h"

#include "base/text.h"
#include "billing/invoices.h"
#include "billing/quota.h"
#include "data/series.h"

static linli_status
absent(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
        "this community has no such record");
}

/* Whether it was given to somebody; then asks for the record. */
static linli_status
find(struct ll_attributing *a, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&a->job.query.rows));
    if (a->job.query.row_count > 0) {
        (void)ll_rd_list(&rd);
        bool ours = ll_str_eq(ll_rd_bytes(&rd), a->community);
        int64_t sub = ll_rd_int(&rd);
        a->again = true;
        if (rd.bad)
            return ll_till_torn(err);
        if (!ours)
            return absent(err);
        if (sub != a->sub)
            return ll_fail(err, LINLI_E_CONFLICT, "usage/attributed",
                "it is sub_%lld's already", (long long)sub);
    }
    struct ll_query *query = ll_till_query(&a->job, LL_ST_segment_list);
    ll_put_int(&query->params, a->lsn);
    ll_put_int(&query->params, a->lsn);
    ll_put_int(&query->params, 1);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

/* The record, in its segment. */
static linli_status
read_record(struct ll_attributing *a, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&a->job.query.rows));
    if (a->job.query.row_count == 0)
        return absent(err);
    (void)ll_rd_list(&rd);
    int64_t first = ll_rd_int(&rd);
    (void)ll_rd_int(&rd); /* last */
    (void)ll_rd_int(&rd); /* count */
    (void)ll_rd_bytes(&rd);
    linli_str content = ll_rd_bytes(&rd);
    if (rd.bad)
        return ll_till_torn(err);
    if (a->lsn < first ||
        !ll_usage_get(content, (uint32_t)(a->lsn - first), &a->usage))
        return absent(err);
    return LINLI_OK;
}

/* Whose it could be: *counted is what the record counts from then on. */
static linli_status
judge(struct ll_attributing *a, struct ll_counted *counted, struct ll_err *err)
{
    struct ll_billing *billing = a->job.act.billing;
    const struct ll_space *space =
        ll_series_of(billing->docs, a->usage.series, counted);
    const struct ll_sub *sub = ll_sub_by_id(billing, a->sub);
    if (space == NULL || !ll_str_eq(space->community, a->community))
        return absent(err);
    if (sub == NULL || !ll_str_eq(sub->community, a->community))
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "this community has no such subscription");
    a->plan = ll_sub_plan_at(billing, sub, a->usage.at_ms);
    if (a->again)
        return LINLI_OK;
    if (counted->subscription != LL_SUB_SUSPENSE || a->usage.quantity <= 0)
        return ll_fail(err, LINLI_E_CONFLICT, "usage/owned",
            a->usage.quantity <= 0 ? "it takes another record back"
                                   : "it is not in suspense");
    if (a->plan == NULL || !ll_str_eq(sub->plugin, space->plugin))
        return ll_fail(err, LINLI_E_CONFLICT, "usage/outside",
            "sub_%u was not in force for `%.*s` then", a->sub,
            LL_FMT(space->plugin));
    if (!ll_inv_looks_at(
            billing, sub, ll_local_day(sub->local, a->usage.at_ms)))
        return ll_fail(err, LINLI_E_CONFLICT, "usage/outside",
            "no invoice of sub_%u is to come that would bill it", a->sub);
    counted->subscription = a->sub;
    counted->version = a->plan->id;
    return LINLI_OK;
}

/* It is used from then on, in the window of then, if that is known. */
static linli_status
count(struct ll_attributing *a, linli_str meter, struct ll_err *err)
{
    struct ll_billing *billing = a->job.act.billing;
    const struct ll_sub *sub = ll_sub_by_id(billing, a->sub);
    if (!ll_quota_asks(sub, a->plan))
        return LINLI_OK;
    struct ll_window *window =
        ll_quota_window(billing, sub, a->plan, a->usage.at_ms);
    if (window == NULL || !ll_quota_count(window, meter, a->usage.quantity,
                              ll_store_last(billing->store) + 1))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a window");
    return LINLI_OK;
}

static linli_status
give(struct ll_attributing *a, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_bill_act *act = &a->job.act;
    struct ll_counted counted;
    linli_status status = read_record(a, err);
    if (status == LINLI_OK)
        status = judge(a, &counted, err);
    if (status != LINLI_OK || a->again)
        return status;
    struct ll_space *space =
        ll_docs_space(act->billing->docs, a->community, a->plan->plugin);
    struct ll_usage back = a->usage, fresh = a->usage;
    back.quantity = -back.quantity;
    back.cpu_us = 0;
    fresh.series = space == NULL ? 0 : ll_series(space, &counted);
    if (fresh.series == 0)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a series");
    status = ll_bill_begin(act, err);
    if (status != LINLI_OK)
        return status;
    struct ll_buf *ops = &act->commit->ops;
    ll_commit_usage(act->commit, &back);
    ll_commit_usage(act->commit, &fresh);
    ll_commit_op(act->commit, LL_ST_attribution_put);
    ll_put_int(ops, a->lsn);
    ll_put_bytes(ops, a->community);
    ll_put_int(ops, a->sub);
    ll_put_int(ops, act->now_ms);
    ll_put_bytes(ops, act->by);
    ll_put_bytes(ops, act->reason);
    if (ops->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a record");
    *next = LL_TILL_SEND;
    return count(a, counted.meter, err);
}

static linli_status
step(struct ll_till_job *job, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_attributing *a = LL_CONTAINER(job, struct ll_attributing, job);
    if (job->steps == 1)
        return find(a, next, err);
    if (job->steps == 2)
        return give(a, next, err);
    struct ll_query *query = ll_till_query(job, LL_ST_attribution_find);
    ll_put_int(&query->params, a->lsn);
    *next = LL_TILL_ASK;
    return LINLI_OK;
}

linli_status
ll_attribute(struct ll_attributing *attributing, struct ll_err *err)
{
    attributing->job.step = step;
    return ll_till_put(&attributing->job, err);
}
