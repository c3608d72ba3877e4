/* billing/sums.c: sums of buckets, and amounts of segments. [loop] */
#include "billing/sums.h"

#include "base/text.h"
#include "domain/pricing_number.h"
#include "domain/usage.h"

#define AMOUNTS_FIRST 64
#define PART_BITS 32

static linli_status
fail_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room for sums");
}

static linli_status
fail_row(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
        "a row of usage is not of its table's types");
}

void
ll_sums_ask(
    struct ll_query *query, uint32_t sub, int64_t from_ms, int64_t to_ms)
{
    ll_put_int(&query->params, sub);
    ll_put_int(&query->params, from_ms);
    ll_put_int(&query->params, to_ms);
}

/* h * 2^32 + l, which stands in 128 bits. */
static bool
join(int64_t high, int64_t low, int64_t *out)
{
    ll_wide sum = ((ll_wide)high * ((ll_wide)1 << PART_BITS)) + low;
    *out = (int64_t)sum;
    return sum >= INT64_MIN && sum <= INT64_MAX;
}

static linli_status
read_sum(struct ll_arena *arena, struct ll_rd *rd, struct ll_sum *sum,
    struct ll_err *err)
{
    sum->version = (uint32_t)ll_rd_int_in(rd, 0, UINT32_MAX);
    int64_t high = ll_rd_int(rd), low = ll_rd_int(rd);
    sum->count = ll_rd_int(rd);
    sum->first_lsn = (uint64_t)ll_rd_int(rd);
    sum->last_lsn = (uint64_t)ll_rd_int(rd);
    if (rd->bad)
        return fail_row(err);
    sum->meter = ll_arena_str(arena, sum->meter);
    if (sum->meter.ptr == NULL)
        return fail_memory(err);
    if (!join(high, low, &sum->quantity_micro))
        return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "the sum of %.*s does not fit", LL_FMT(sum->meter));
    return LINLI_OK;
}

linli_status
ll_sums_read(struct ll_arena *arena, const struct ll_query *query,
    struct ll_sums *out, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&query->rows));
    *out = (struct ll_sums){.at = NULL};
    struct ll_sum *sums =
        ll_arena_alloc(arena, (query->row_count + 1) * sizeof *sums);
    if (sums == NULL)
        return fail_memory(err);
    uint32_t count = 0;
    uint64_t watermark = 0;
    for (uint32_t i = 0; i < query->row_count; i++) {
        bool there = false;
        (void)ll_rd_list(&rd);
        struct ll_sum sum = {.meter = ll_rd_bytes_or_nil(&rd, &there)};
        if (there) {
            linli_status status = read_sum(arena, &rd, &sum, err);
            if (status != LINLI_OK)
                return status;
            sums[count++] = sum;
        } else {
            for (int column = 1; column < 7; column++)
                (void)ll_rd_int(&rd);
        }
        watermark = (uint64_t)ll_rd_int(&rd);
    }
    if (rd.bad || query->row_count == 0)
        return fail_row(err);
    *out = (struct ll_sums){sums, count, watermark};
    return LINLI_OK;
}

const struct ll_sum *
ll_sums_of(const struct ll_sums *sums, linli_str meter, uint32_t version)
{
    for (uint32_t i = 0; i < sums->count; i++)
        if (sums->at[i].version == version &&
            ll_str_eq(sums->at[i].meter, meter))
            return &sums->at[i];
    return NULL;
}

/* -- amounts -- */

void
ll_amounts_ask(struct ll_query *query, const struct ll_amounts_of *of)
{
    struct ll_buf *params = &query->params;
    ll_put_int(params, of->sub);
    ll_put_bytes(params, of->meter);
    ll_put_int(params, of->version);
    ll_put_int(params, of->from_ms);
    ll_put_int(params, of->to_ms);
    ll_put_int(params, (int64_t)of->after);
    ll_put_int(params, LL_SUMS_PAGE_SEGMENTS);
    query->rows_max = LL_SUMS_PAGE_SEGMENTS;
    query->bytes_max = LL_SUMS_PAGE_BYTES;
}

static bool
grow(struct ll_amounts *amounts)
{
    uint32_t cap = amounts->cap == 0 ? AMOUNTS_FIRST : 2 * amounts->cap;
    struct ll_amount *at = ll_arena_alloc(amounts->arena, cap * sizeof *at);
    if (at == NULL)
        return false;
    if (amounts->count > 0)
        memcpy(at, amounts->at, amounts->count * sizeof *at);
    amounts->at = at;
    amounts->cap = cap;
    return true;
}

/* The newest that a correction can mean: of its instant, and of the same sum.
 * There is one, as the record that it names has both. */
static linli_status
take_back(struct ll_amounts *amounts, const struct ll_amount *back,
    struct ll_err *err)
{
    uint32_t i = amounts->count;
    while (i > 0 && (amounts->at[i - 1].at_ms != back->at_ms ||
                        amounts->at[i - 1].fen != -back->fen))
        i--;
    if (i == 0)
        return ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
            "record %llu takes back what is not there",
            (unsigned long long)back->lsn);
    memmove(&amounts->at[i - 1], &amounts->at[i],
        (amounts->count - i) * sizeof *amounts->at);
    amounts->count--;
    return LINLI_OK;
}

static linli_status
add(struct ll_amounts *amounts, const struct ll_usage *usage, uint64_t lsn,
    struct ll_err *err)
{
    struct ll_amount amount = {
        usage->quantity / LL_USAGE_UNIT, usage->at_ms, lsn};
    if (usage->quantity % LL_USAGE_UNIT != 0)
        return ll_fail(err, LINLI_E_INVALID, "pricing/precision",
            "record %llu is no whole fen", (unsigned long long)lsn);
    if (amount.fen < 0)
        return take_back(amounts, &amount, err);
    if (amounts->count == LL_RATE_EVENTS_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "more than %d amounts in a period", LL_RATE_EVENTS_MAX);
    if (amounts->count == amounts->cap && !grow(amounts))
        return fail_memory(err);
    amounts->at[amounts->count++] = amount;
    return LINLI_OK;
}

/* What a segment has of them. */
struct segment {
    uint32_t series;
    uint64_t first;
    linli_str content;
};

static linli_status
take_segment(struct ll_amounts *amounts, struct ll_amounts_of *of,
    const struct segment *segment, struct ll_err *err)
{
    struct ll_usage usage;
    uint64_t after = of->after;
    for (uint32_t i = 0; ll_usage_get(segment->content, i, &usage); i++) {
        of->after = segment->first + i;
        if (of->after <= after || of->after > of->upto ||
            usage.series != segment->series || usage.at_ms < of->from_ms ||
            usage.at_ms >= of->to_ms)
            continue;
        linli_status status = add(amounts, &usage, of->after, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}

linli_status
ll_amounts_take(struct ll_amounts *amounts, struct ll_amounts_of *of,
    const struct ll_query *query, bool *whole, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&query->rows));
    *whole = query->row_count == 0;
    for (uint32_t i = 0; i < query->row_count; i++) {
        (void)ll_rd_list(&rd);
        struct segment segment = {
            .series = (uint32_t)ll_rd_int_in(&rd, 0, UINT32_MAX)};
        segment.first = (uint64_t)ll_rd_int(&rd);
        segment.content = ll_rd_bytes(&rd);
        if (rd.bad)
            return fail_row(err);
        linli_status status = take_segment(amounts, of, &segment, err);
        if (status != LINLI_OK)
            return status;
    }
    return LINLI_OK;
}
