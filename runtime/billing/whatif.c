/* billing/whatif.c: a subscription that never was, period by period. [loop] */
#include "billing/whatif.h"

#include <stdlib.h>

#include "base/text.h"
#include "billing/invoice_body.h"
#include "domain/pricing_number.h"

#define PART_BITS 32
#define VERSION 1 /* of the catalogue that has only the plan */

static linli_status
fail_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a preview");
}

static linli_status
fail_row(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
        "a row of usage is not of its table's types");
}

/* -- the subscription -- */

static void
make_sub(struct ll_whatif *w)
{
    const struct ll_plan *plan = &w->version.plan;
    const struct ll_local *local = w->version.local;
    w->life[0] =
        (struct ll_sub_version){VERSION, ll_local_midnight(local, w->from)};
    w->sub = (struct ll_sub){.id = w->usage_of,
        .community = w->community,
        .plugin = w->version.plugin,
        .rhythm = {plan->interval, plan->anchor, w->from},
        .start_ms = w->life[0].from_ms,
        .end_ms = ll_local_midnight(local, w->to),
        .versions = w->life,
        .version_count = 1,
        .local = local,
        .zone = plan->tz,
        .seats_micro = w->seats_micro,
        .cap_fen = LL_CAP_NONE,
        .cap_asked_fen = LL_CAP_NONE};
}

static struct ll_period
period_of(const struct ll_whatif *w)
{
    return ll_period_at(&w->sub.rhythm, (int32_t)w->periods);
}

/* Its days that are asked for. */
static struct ll_period
asked_of(const struct ll_whatif *w)
{
    struct ll_period period = period_of(w);
    if (period.from < w->from)
        period.from = w->from;
    if (period.to > w->to)
        period.to = w->to;
    return period;
}

linli_status
ll_whatif_begin(struct ll_whatif *w, struct ll_err *err)
{
    w->version = *w->plan;
    w->version.id = VERSION;
    w->versions[0] = &w->version;
    w->plans.at = w->versions;
    w->plans.count = 1;
    w->scratch = *w->billing;
    w->scratch.plans = &w->plans;
    w->periods = w->series_count = w->step = 0;
    w->done = false;
    ll_arena_init(&w->arena, w->billing->mem, LL_GATHER_BYTES_MAX);
    if (w->from >= w->to)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`from` is a day before `to`");
    make_sub(w);
    if (ll_period_at(&w->sub.rhythm, LL_WHATIF_PERIODS_MAX).from < w->to)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "from `from` to `to` there are more than %d periods of the plan",
            LL_WHATIF_PERIODS_MAX);
    return LINLI_OK;
}

void
ll_whatif_end(struct ll_whatif *w)
{
    ll_arena_fini(&w->arena);
}

/* -- asking -- */

bool
ll_whatif_asks(const struct ll_whatif *w, enum ll_statement *statement)
{
    *statement =
        w->step < w->series_count ? LL_ST_whatif_segments : LL_ST_whatif_sums;
    return !w->done;
}

void
ll_whatif_put(const struct ll_whatif *w, struct ll_query *query)
{
    struct ll_buf *params = &query->params;
    struct ll_period asked = asked_of(w);
    bool sums = w->step == w->series_count;
    if (sums) {
        ll_put_bytes(params, w->community);
        ll_put_bytes(params, w->version.plugin);
        ll_put_int(params, w->usage_of);
    } else {
        ll_put_int(params, w->series[w->step].id);
    }
    ll_put_int(params, ll_local_midnight(w->sub.local, asked.from));
    ll_put_int(params, ll_local_midnight(w->sub.local, asked.to));
    if (sums)
        return;
    ll_put_int(params, (int64_t)w->of.after);
    ll_put_int(params, LL_SUMS_PAGE_SEGMENTS);
    query->rows_max = LL_SUMS_PAGE_SEGMENTS;
    query->bytes_max = LL_SUMS_PAGE_BYTES;
}

/* -- a period -- */

/* a + b in 64 bits. */
static linli_status
add(int64_t *a, int64_t b, struct ll_err *err)
{
    if (__builtin_add_overflow(*a, b, a))
        return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "what the periods come to does not fit");
    return LINLI_OK;
}

static linli_status
write_period(struct ll_whatif *w, const struct ll_rate *rate,
    const struct ll_rated *rated, struct ll_err *err)
{
    struct ll_body body = {.rate = rate,
        .rated = rated,
        .at_ms = rate->turn.due_ms,
        .watermark = w->span.sums.watermark};
    if (w->periods > 0)
        ll_buf_char(w->out, ',');
    ll_invoice_body(&body, w->out);
    if (w->out->failed)
        return fail_memory(err);
    linli_status status = add(&w->net_fen, rated->invoice.net_fen, err);
    if (status == LINLI_OK)
        status = add(&w->tax_fen, rated->invoice.tax_fen, err);
    if (status == LINLI_OK)
        status = add(&w->total_fen, rated->invoice.total_fen, err);
    return status;
}

/* Fees in advance and use of one period in one: of invoices the former would
 * stand on the one before. */
static linli_status
rate_period(struct ll_whatif *w, struct ll_err *err)
{
    struct ll_rated rated;
    struct ll_period period = period_of(w);
    struct ll_rate rate = {.billing = &w->scratch,
        .sub = &w->sub,
        .turn = {.k = (int32_t)w->periods,
            .due_ms = ll_local_midnight(w->sub.local, asked_of(w).from),
            .has_before = true,
            .has_advance = true,
            .before = period,
            .advance = period},
        .spans = &w->span,
        .span_count = 1};
    linli_status status = ll_rate_turn(&w->arena, &rate, &rated, err);
    if (status == LINLI_OK)
        status = write_period(w, &rate, &rated, err);
    ll_arena_reset(&w->arena);
    w->series_count = w->step = 0;
    w->periods++;
    w->done = period.to >= w->to;
    return status;
}

/* -- amounts -- */

/* Of a meter, made by its first series. */
static struct ll_amounts *
amounts_of(struct ll_whatif *w, linli_str meter)
{
    for (uint32_t i = 0; i < w->span.amount_count; i++)
        if (ll_str_eq(w->span.amounts[i].meter, meter))
            return &w->span.amounts[i].amounts;
    struct ll_span_amounts *new = &w->span.amounts[w->span.amount_count++];
    *new = (struct ll_span_amounts){
        .meter = meter, .version = VERSION, .amounts = {.arena = &w->arena}};
    return &new->amounts;
}

static int
by_lsn(const void *a, const void *b)
{
    uint64_t one = ((const struct ll_amount *)a)->lsn;
    uint64_t other = ((const struct ll_amount *)b)->lsn;
    return (one > other) - (one < other);
}

/* The next series whose single amounts the plan is about; then the period can
 * be rated. */
static linli_status
next_series(struct ll_whatif *w, struct ll_err *err)
{
    struct ll_period asked = asked_of(w);
    while (w->step < w->series_count && !ll_span_wants_amounts(&w->version.plan,
                                            w->series[w->step].sum.meter))
        w->step++;
    if (w->step < w->series_count) {
        w->of = (struct ll_amounts_of){
            .from_ms = ll_local_midnight(w->sub.local, asked.from),
            .to_ms = ll_local_midnight(w->sub.local, asked.to),
            .upto = w->series[w->step].sum.last_lsn};
        return LINLI_OK;
    }
    for (uint32_t i = 0; i < w->span.amount_count; i++) {
        struct ll_amounts *amounts = &w->span.amounts[i].amounts;
        if (amounts->count > 1)
            qsort(amounts->at, amounts->count, sizeof *amounts->at, by_lsn);
    }
    return rate_period(w, err);
}

static linli_status
take_amounts(
    struct ll_whatif *w, const struct ll_query *query, struct ll_err *err)
{
    bool whole = false;
    linli_status status =
        ll_amounts_take(amounts_of(w, w->series[w->step].sum.meter), &w->of,
            query, &whole, err);
    if (status != LINLI_OK || !whole)
        return status;
    w->step++;
    return next_series(w, err);
}

/* -- sums -- */

static linli_status
read_series(struct ll_whatif *w, struct ll_rd *rd, bool *there,
    struct ll_whatif_series *out, struct ll_err *err)
{
    (void)ll_rd_list(rd);
    int64_t id = ll_rd_int(rd);
    out->sum.meter = ll_rd_bytes(rd);
    int64_t high = ll_rd_int(rd), low = ll_rd_int(rd);
    out->sum.count = ll_rd_int(rd);
    out->sum.first_lsn = (uint64_t)ll_rd_int(rd);
    out->sum.last_lsn = (uint64_t)ll_rd_int(rd);
    out->sum.version = VERSION;
    out->id = (uint32_t)id;
    w->span.sums.watermark = (uint64_t)ll_rd_int(rd);
    *there = id > 0;
    if (rd->bad || id < 0 || id > UINT32_MAX)
        return fail_row(err);
    out->sum.meter = ll_arena_str(&w->arena, out->sum.meter);
    if (out->sum.meter.ptr == NULL)
        return fail_memory(err);
    ll_wide sum = (ll_wide)high * ((ll_wide)1 << PART_BITS) + low;
    if (sum < INT64_MIN || sum > INT64_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "the sum of %.*s does not fit", LL_FMT(out->sum.meter));
    out->sum.quantity_micro = (int64_t)sum;
    return LINLI_OK;
}

/* The series of one meter follow each other, and are one for the plan. */
static linli_status
merge(struct ll_whatif *w, struct ll_sum *sums, struct ll_err *err)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->series_count; i++) {
        const struct ll_sum *sum = &w->series[i].sum;
        struct ll_sum *last = count == 0 ? NULL : &sums[count - 1];
        if (last == NULL || !ll_str_eq(last->meter, sum->meter)) {
            sums[count++] = *sum;
            continue;
        }
        linli_status status =
            add(&last->quantity_micro, sum->quantity_micro, err);
        if (status != LINLI_OK)
            return status;
        last->count += sum->count;
        if (sum->first_lsn < last->first_lsn)
            last->first_lsn = sum->first_lsn;
        if (sum->last_lsn > last->last_lsn)
            last->last_lsn = sum->last_lsn;
    }
    w->span.sums.at = sums;
    w->span.sums.count = count;
    return LINLI_OK;
}

static linli_status
take_sums(struct ll_whatif *w, const struct ll_query *query, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&query->rows));
    uint32_t rows = query->row_count;
    w->span = (struct ll_span){.period = period_of(w)};
    w->series = ll_arena_alloc(&w->arena, (rows + 1) * sizeof *w->series);
    struct ll_sum *sums = ll_arena_alloc(&w->arena, (rows + 1) * sizeof *sums);
    w->span.amounts =
        ll_arena_alloc(&w->arena, (rows + 1) * sizeof *w->span.amounts);
    if (w->series == NULL || sums == NULL || w->span.amounts == NULL)
        return fail_memory(err);
    if (rows == 0)
        return fail_row(err);
    for (uint32_t i = 0; i < rows; i++) {
        bool there = false;
        linli_status status =
            read_series(w, &rd, &there, &w->series[w->series_count], err);
        if (status != LINLI_OK)
            return status;
        w->series_count += there;
    }
    if (w->periods == 0)
        w->watermark = w->span.sums.watermark;
    linli_status status = merge(w, sums, err);
    return status == LINLI_OK ? next_series(w, err) : status;
}

linli_status
ll_whatif_take(
    struct ll_whatif *w, const struct ll_query *query, struct ll_err *err)
{
    ll_check(!w->done);
    return w->step < w->series_count ? take_amounts(w, query, err)
                                     : take_sums(w, query, err);
}
