/* billing/gather.c: one question after the other. [loop] */
#include "billing/gather.h"

#include "base/text.h"

static linli_status ask_sums(struct ll_gather *g, struct ll_err *err);
static linli_status next_amounts(struct ll_gather *g, struct ll_err *err);
static linli_status ask_late(struct ll_gather *g, struct ll_err *err);

/* -- asking -- */

static void
on_rows(struct ll_query *query)
{
    struct ll_gather *g = query->user;
    struct ll_err err;
    g->asking = false;
    linli_status status = query->status;
    if (status != LINLI_OK)
        err = query->err;
    else
        status = g->take(g, &err);
    if (status != LINLI_OK)
        g->done(g, status, &err);
    else if (!g->asking)
        g->done(g, LINLI_OK, NULL);
}

static struct ll_buf *
new_query(struct ll_gather *g, enum ll_statement statement,
    linli_status (*take)(struct ll_gather *g, struct ll_err *err))
{
    ll_query_fini(&g->query);
    ll_query_init(&g->query, g->billing->mem, statement);
    g->query.done = on_rows;
    g->query.user = g;
    g->take = take;
    return &g->query.params;
}

static linli_status
send(struct ll_gather *g, struct ll_err *err)
{
    if (g->query.params.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a query");
    g->asking = true;
    ll_store_query(g->billing->store, &g->query);
    return LINLI_OK;
}

static linli_status
fail_row(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
        "a row of billing is not of its table's types");
}

static struct ll_span *
last_span(struct ll_gather *g)
{
    return &g->spans[g->span_count - 1];
}

static const struct ll_sub *
sub_of(const struct ll_gather *g)
{
    const struct ll_sub *sub = ll_sub_by_id(g->billing, g->sub);
    ll_check(sub != NULL); /* none ever goes */
    return sub;
}

/* -- sums -- */

static linli_status
take_sums(struct ll_gather *g, struct ll_err *err)
{
    struct ll_span *span = last_span(g);
    linli_status status = ll_sums_read(&g->arena, &g->query, &span->sums, err);
    if (status != LINLI_OK)
        return status;
    if (g->span_count == 1)
        g->watermark = span->sums.watermark;
    span->amounts = ll_arena_alloc(
        &g->arena, (2 * span->sums.count + 1) * sizeof *span->amounts);
    if (span->amounts == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    g->step = 0;
    return next_amounts(g, err);
}

static linli_status
ask_sums(struct ll_gather *g, struct ll_err *err)
{
    struct ll_period period = last_span(g)->period;
    const struct ll_sub *sub = sub_of(g);
    (void)new_query(g, LL_ST_sub_sums, take_sums);
    ll_sums_ask(&g->query, g->sub, ll_span_from(g->billing, sub, period),
        ll_span_to(sub, period));
    return send(g, err);
}

/* Nothing is billed of the time before the first period; but up to where the
 * records go is to be known. */
static linli_status
take_watermark(struct ll_gather *g, struct ll_err *err)
{
    struct ll_sums none;
    linli_status status = ll_sums_read(&g->arena, &g->query, &none, err);
    g->watermark = none.watermark;
    return status;
}

/* -- amounts -- */

static linli_status
take_amounts(struct ll_gather *g, struct ll_err *err)
{
    struct ll_span *span = last_span(g);
    bool whole = false;
    linli_status status =
        ll_amounts_take(&span->amounts[span->amount_count - 1].amounts, &g->of,
            &g->query, &whole, err);
    if (status != LINLI_OK)
        return status;
    if (whole)
        return next_amounts(g, err);
    (void)new_query(g, LL_ST_sub_segments, take_amounts);
    ll_amounts_ask(&g->query, &g->of);
    return send(g, err);
}

static uint64_t
billed_lsn(const struct ll_span *span, const struct ll_sum *sum)
{
    for (uint32_t i = 0; i < span->before_count; i++)
        if (span->before[i].version == sum->version &&
            ll_str_eq(span->before[i].meter, sum->meter))
            return span->before[i].last_lsn;
    return 0;
}

static linli_status
ask_amounts(struct ll_gather *g, const struct ll_sum *sum, bool before,
    struct ll_err *err)
{
    struct ll_span *span = last_span(g);
    span->amounts[span->amount_count++] = (struct ll_span_amounts){
        sum->meter, sum->version, before, {.arena = &g->arena}};
    g->of = (struct ll_amounts_of){.sub = g->sub,
        .version = sum->version,
        .meter = sum->meter,
        .from_ms = ll_span_from(g->billing, sub_of(g), span->period),
        .to_ms = ll_span_to(sub_of(g), span->period),
        .upto = before ? billed_lsn(span, sum) : sum->last_lsn};
    (void)new_query(g, LL_ST_sub_segments, take_amounts);
    ll_amounts_ask(&g->query, &g->of);
    return send(g, err);
}

/* Of the next sum that is one of money; then of what was billed of it. */
static linli_status
next_amounts(struct ll_gather *g, struct ll_err *err)
{
    const struct ll_sums *sums = &last_span(g)->sums;
    for (; g->step < 2 * sums->count; g->step++) {
        const struct ll_sum *sum = &sums->at[g->step / 2];
        const struct ll_plan_version *plan =
            ll_plan_by_id(g->billing, sum->version);
        bool before = g->step % 2 == 1;
        uint64_t upto = before ? billed_lsn(last_span(g), sum) : sum->last_lsn;
        if (plan == NULL || upto == 0 ||
            !ll_span_wants_amounts(&plan->plan, sum->meter))
            continue;
        g->step++;
        return ask_amounts(g, sum, before, err);
    }
    return ask_late(g, err);
}

/* -- what came late -- */

static linli_status
take_before(struct ll_gather *g, struct ll_err *err)
{
    struct ll_span *span = last_span(g);
    struct ll_rd rd = ll_rd(ll_buf_view(&g->query.rows));
    struct ll_billed *before =
        ll_arena_alloc(&g->arena, (g->query.row_count + 1) * sizeof *before);
    if (before == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    for (uint32_t i = 0; i < g->query.row_count; i++) {
        (void)ll_rd_list(&rd);
        before[i].meter = ll_arena_str(&g->arena, ll_rd_bytes(&rd));
        before[i].version = (uint32_t)ll_rd_int_in(&rd, 0, UINT32_MAX);
        before[i].quantity_micro = ll_rd_int(&rd);
        before[i].last_lsn = (uint64_t)ll_rd_int(&rd);
    }
    if (rd.bad)
        return fail_row(err);
    if (g->arena.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
    span->before = before;
    span->before_count = g->query.row_count;
    return ask_sums(g, err);
}

static linli_status
take_late(struct ll_gather *g, struct ll_err *err)
{
    const struct ll_sub *sub = sub_of(g);
    struct ll_rd rd = ll_rd(ll_buf_view(&g->query.rows));
    (void)ll_rd_list(&rd);
    if (ll_rd_peek(&rd) == LL_VALUE_NIL)
        return LINLI_OK; /* nothing did */
    int64_t slot_ms = ll_rd_int(&rd);
    if (rd.bad)
        return fail_row(err);
    if (g->span_count == LL_COUNT(g->spans))
        return LINLI_OK; /* the next invoice has it */
    g->span_count++;
    struct ll_span *span = last_span(g);
    span->period =
        ll_period_of(&sub->rhythm, ll_local_day(sub->local, slot_ms));
    g->late_from = span->period.to;
    struct ll_buf *params = new_query(g, LL_ST_invoice_uses, take_before);
    ll_put_int(params, g->sub);
    ll_put_int(params, span->period.from);
    return send(g, err);
}

/* The first slot, of those left, with a record above the watermark of the
 * newest final invoice. */
static linli_status
ask_late(struct ll_gather *g, struct ll_err *err)
{
    const struct ll_sub *sub = sub_of(g);
    if (g->final_k < 2)
        return LINLI_OK;
    int32_t to = ll_period_at(&sub->rhythm, g->final_k - 2).to;
    if (g->late_from >= to)
        return LINLI_OK;
    struct ll_buf *params = new_query(g, LL_ST_sub_late, take_late);
    ll_put_int(params, g->sub);
    ll_put_int(params, ll_local_midnight(sub->local, g->late_from));
    ll_put_int(params, ll_local_midnight(sub->local, to));
    return send(g, err);
}

/* -- beginning and end -- */

static linli_status
fail_late(struct ll_gather *g, struct ll_err *err)
{
    LL_UNUSED(g);
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a query");
}

void
ll_gather_begin(struct ll_gather *g)
{
    const struct ll_sub *sub = sub_of(g);
    struct ll_err err;
    linli_status status = LINLI_OK;
    int32_t first = g->final_k - 1 - LL_INVOICE_LATE_PERIODS;
    g->span_count = 0;
    g->asking = false;
    g->late_from = ll_period_at(&sub->rhythm, first > 0 ? first : 0).from;
    ll_arena_init(&g->arena, g->billing->mem, LL_GATHER_BYTES_MAX);
    ll_query_init(&g->query, g->billing->mem, LL_ST_sub_sums);
    if (g->turn.has_before) {
        g->spans[g->span_count++] = (struct ll_span){.period = g->turn.before};
        status = ask_sums(g, &err);
    } else {
        (void)new_query(g, LL_ST_sub_sums, take_watermark);
        ll_sums_ask(&g->query, g->sub, 0, 0);
        status = send(g, &err);
    }
    if (status == LINLI_OK)
        return;
    /* Told later, as what the store says is: by a question without room. */
    ll_query_fini(&g->query);
    ll_query_init(&g->query, g->billing->mem, LL_ST_log_size);
    g->query.done = on_rows;
    g->query.user = g;
    g->take = fail_late;
    g->asking = true;
    ll_store_query(g->billing->store, &g->query);
}

void
ll_gather_end(struct ll_gather *g)
{
    if (g->asking)
        ll_store_cancel(g->billing->store, &g->query);
    g->asking = false;
    ll_query_fini(&g->query);
    ll_arena_fini(&g->arena);
}
