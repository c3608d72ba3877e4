/* host/meter_span.c: meters that are no sums: max, unique, last. [loop]
 *
 * What such a meter has come to in a span stands in a document of ~meter, and
 * each record is what it grew by: so the sum of the records is the meter, in
 * buckets, quotas and invoices alike, and each change leads to its call. The
 * document is read and written by the call's transaction, so that of two at
 * once the second sees the first. spec/metering.md, M13a.
 */
#include "base/text.h"
#include "host/meter_int.h"

/* From when the span counts: of a subscription, its period by its version; of
 * none, the community's month. */
static int64_t
span_from(struct ll_call *call, const struct ll_counted *counted, int64_t at_ms)
{
    const struct ll_billing *billing = &call->host->billing;
    const struct ll_sub *sub = ll_sub_by_id(billing, counted->subscription);
    const struct ll_plan_version *plan =
        ll_plan_by_id(billing, counted->version);
    if (sub != NULL && plan != NULL)
        return ll_quota_span_at(sub, plan, at_ms).from_ms;
    struct ll_local local = {
        call->community->zone.changes, call->community->zone.count};
    struct ll_date date = ll_date_of(ll_local_day(&local, at_ms));
    date.day = 1;
    return ll_local_midnight(&local, ll_day_of(date));
}

void
ll_span_name(
    struct ll_call *call, const struct ll_metered *m, struct ll_buf *out)
{
    struct ll_counted counted =
        ll_plan_counted(call->host, ll_plan_call_sub(call), m->meter, m->at_ms);
    ll_buf_printf(out, "@%u.%u.%lld", counted.subscription, counted.version,
        (long long)span_from(call, &counted, m->at_ms));
}

/* What a report changes: *after, and by how much. False: nothing. */
static bool
change(const struct ll_metered *m, const struct ll_claim *before, bool there,
    struct ll_claim *after, int64_t *by)
{
    *after = (struct ll_claim){.units = m->units, .at_ms = m->at_ms};
    *by = m->units - before->units;
    switch (m->decl->aggregate) {
    case LL_AGGREGATE_MAX:
        return *by > 0;
    case LL_AGGREGATE_LAST: /* of the same instant, the later to commit */
        return !there || m->at_ms >= before->at_ms;
    case LL_AGGREGATE_UNIQUE:
        return !there;
    case LL_AGGREGATE_SUM:
        break;
    }
    return false;
}

static linli_status
report(struct ll_call *call, struct ll_op *op, struct ll_metered *m,
    struct ll_err *err)
{
    const struct ll_content *content;
    struct ll_claim before, after;
    int64_t by;
    linli_status status = ll_txn_read(&call->txn, op->doc, &content, err);
    if (status != LINLI_OK)
        return status;
    bool there = ll_claim_read(call, content, &before);
    op->extra = m->decl->aggregate == LL_AGGREGATE_UNIQUE && there
                    ? (linli_str)LINLI_STR("duplicate")
                    : (linli_str)LINLI_STR("recorded");
    if (!change(m, &before, there, &after, &by))
        return LINLI_OK;
    m->units = by;
    return ll_claim_both(
        call, op, &after, ll_metered_record(call, m, m->event_id, err), err);
}

bool
ll_step_span(struct ll_call *call, struct ll_op *op)
{
    struct ll_metered m;
    struct ll_err err;
    linli_status status = ll_metered_again(call, op, &m, &err);
    if (status == LINLI_OK && !ll_metered_ready(call, op, &m))
        return false;
    if (!ll_op_wait_doc(call, op))
        return false;
    if (status == LINLI_OK)
        status = report(call, op, &m, &err);
    if (status == LINLI_OK)
        ll_metered_answer(call, op, op->extra.ptr);
    else
        ll_op_refuse(call, &err);
    return true;
}
