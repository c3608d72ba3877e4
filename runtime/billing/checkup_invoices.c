/* billing/checkup_invoices.c: every final invoice once more. [loop]
 *
 * One subscription after the other, its invoices in their order. What one has
 * billed stands in its body; from that it is rated again, by the plan versions
 * and the life of its subscription, and has to come to the same bytes. And what
 * was counted in its period has to be billed, but for what came late.
 */
#include <stdio.h>

#include "base/text.h"
#include "billing/checkup_int.h"
#include "billing/invoice_body.h"
#include "domain/age.h"
#include "domain/usage.h"

enum { NEXT, USE, AMOUNTS };

static linli_status
no_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a checkup");
}

static void
break_it(struct ll_checkup *c, enum ll_check_kind kind, const char *what)
{
    char row[64];
    (void)snprintf(
        row, sizeof row, "invoice inv_%lld", (long long)c->invoice->id);
    ll_checkup_break(c, kind, row, "%s", what);
}

/* -- asking -- */

static void
ask_next(struct ll_checkup *c)
{
    struct ll_buf *params = ll_checkup_query(c, LL_ST_check_invoice);
    ll_put_int(params, c->sub);
    ll_put_int(params, c->k);
}

static void
ask_use(struct ll_checkup *c)
{
    const struct ll_check_invoice *inv = c->invoice;
    const struct ll_sub *sub = ll_sub_by_id(c->billing, inv->sub);
    struct ll_buf *params = ll_checkup_query(c, LL_ST_check_use);
    ll_put_int(params, inv->sub);
    ll_put_int(params, inv->turn.before.from);
    ll_put_int(params, ll_span_from(c->billing, sub, inv->turn.before));
    ll_put_int(params, ll_span_to(sub, inv->turn.before));
}

static bool
ask(struct ll_checkup *c)
{
    if (c->step == USE) {
        ask_use(c);
    } else if (c->step == AMOUNTS) {
        (void)ll_checkup_query(c, LL_ST_sub_segments);
        ll_amounts_ask(&c->query, &c->invoice->of);
    } else if (c->after < 0) {
        return false;
    } else {
        ask_next(c);
    }
    return true;
}

/* -- rating again -- */

static uint64_t
billed_lsn(const struct ll_span *span, const struct ll_sum *sum)
{
    for (uint32_t i = 0; i < span->before_count; i++)
        if (span->before[i].version == sum->version &&
            ll_str_eq(span->before[i].meter, sum->meter))
            return span->before[i].last_lsn;
    return 0;
}

/* From the lines to the total: who pays may have been forgotten since. */
static linli_str
lines_of(linli_str body)
{
    static const char begin[] = "\"lines\":[", end[] = ",\"payers\":[";
    size_t from = 0, to = 0;
    for (size_t i = 0; i + sizeof end <= body.len; i++) {
        if (from == 0 && memcmp(body.ptr + i, begin, sizeof begin - 1) == 0)
            from = i;
        if (memcmp(body.ptr + i, end, sizeof end - 1) == 0)
            to = i;
    }
    return from == 0 || to < from ? (linli_str){NULL, 0}
                                  : (linli_str){body.ptr + from, to - from};
}

static linli_status
rate(struct ll_checkup *c, struct ll_err *err)
{
    struct ll_check_invoice *inv = c->invoice;
    const struct ll_sub *sub = ll_sub_by_id(c->billing, inv->sub);
    struct ll_rate rate = {
        c->billing, sub, inv->turn, inv->spans, inv->span_count};
    struct ll_rated rated;
    struct ll_buf text;
    linli_status status = ll_rate_turn(&c->arena, &rate, &rated, err);
    if (status == LINLI_E_NOMEM)
        return status;
    if (status != LINLI_OK) {
        break_it(c, LL_CHECK_INVOICES, "it cannot be rated again");
        return LINLI_OK;
    }
    struct ll_body body = {.rate = &rate,
        .rated = &rated,
        .id = inv->id,
        .number = inv->number,
        .at_ms = inv->final_ms,
        .due_day = inv->due_day,
        .watermark = inv->watermark};
    ll_buf_init(&text, c->billing->mem, LL_INVOICE_BYTES_MAX);
    ll_invoice_body(&body, &text);
    if (text.failed)
        status = no_memory(err);
    else if (!ll_str_eq(lines_of(inv->body), lines_of(ll_buf_view(&text))))
        break_it(c, LL_CHECK_INVOICES,
            "rated again, its lines are not those that it has");
    ll_buf_fini(&text);
    c->found.rated++;
    return status;
}

/* The next single amounts that are needed: then c->step is AMOUNTS; without,
 * all is there. */
static linli_status
next_amounts(struct ll_checkup *c, struct ll_err *err)
{
    struct ll_check_invoice *inv = c->invoice;
    for (; inv->span < inv->span_count; inv->span++, inv->sum = 0) {
        struct ll_span *span = &inv->spans[inv->span];
        for (; inv->sum < 2 * span->sums.count; inv->sum++) {
            const struct ll_sum *sum = &span->sums.at[inv->sum / 2];
            const struct ll_plan_version *plan =
                ll_plan_by_id(c->billing, sum->version);
            bool before = inv->sum % 2 == 1;
            uint64_t upto = before ? billed_lsn(span, sum) : sum->last_lsn;
            if (plan == NULL || upto == 0 ||
                !ll_span_wants_amounts(&plan->plan, sum->meter))
                continue;
            const struct ll_sub *sub = ll_sub_by_id(c->billing, inv->sub);
            struct ll_span_amounts *a = &span->amounts[span->amount_count++];
            *a = (struct ll_span_amounts){
                sum->meter, sum->version, before, {.arena = &c->arena}};
            inv->amounts = &a->amounts;
            inv->of = (struct ll_amounts_of){.sub = inv->sub,
                .version = sum->version,
                .meter = sum->meter,
                .from_ms = ll_span_from(c->billing, sub, span->period),
                .to_ms = ll_span_to(sub, span->period),
                .upto = upto};
            inv->sum++;
            c->step = AMOUNTS;
            return LINLI_OK;
        }
    }
    c->step = NEXT;
    return rate(c, err);
}

static linli_status
take_amounts(struct ll_checkup *c, struct ll_err *err)
{
    struct ll_check_invoice *inv = c->invoice;
    bool whole = false;
    linli_status status =
        ll_amounts_take(inv->amounts, &inv->of, &c->query, &whole, err);
    return status == LINLI_OK && whole ? next_amounts(c, err) : status;
}

/* -- what its body says was used -- */

static struct ll_span *
span_of(struct ll_check_invoice *inv, struct ll_period period)
{
    for (uint32_t i = 0; i < inv->span_count; i++)
        if (inv->spans[i].period.from == period.from)
            return &inv->spans[i];
    if (inv->span_count == LL_COUNT(inv->spans))
        return NULL;
    inv->spans[inv->span_count] = (struct ll_span){.period = period};
    return &inv->spans[inv->span_count++];
}

static struct ll_check_use *
find_use(const struct ll_checkup *c, struct ll_period period,
    const struct ll_sum *sum)
{
    struct ll_check_use *use = c->uses;
    while (use != NULL && !(use->period.from == period.from &&
                              use->billed.version == sum->version &&
                              ll_str_eq(use->billed.meter, sum->meter)))
        use = use->next;
    return use;
}

static bool
read_use(struct ll_checkup *c, struct ll_jv at, struct ll_period *period,
    struct ll_sum *sum)
{
    linli_str plan = ll_jv_str(ll_jv_get(at, "plan")), name;
    struct ll_jv span = ll_jv_get(at, "period");
    int64_t version = 0, last = 0;
    sum->meter = ll_jv_str(ll_jv_get(at, "meter"));
    if (!ll_day_read(ll_jv_str(ll_jv_get(span, "from")), &period->from) ||
        !ll_day_read(ll_jv_str(ll_jv_get(span, "to")), &period->to) ||
        !ll_str_split(&plan, '@', &name) ||
        !ll_str_int(plan, 1, UINT32_MAX, &version) ||
        !ll_usage_read(
            ll_jv_str(ll_jv_get(at, "quantity")), &sum->quantity_micro) ||
        !ll_jv_int(ll_jv_get(at, "records"), &sum->count) ||
        !ll_jv_int(ll_jv_get(at, "last_lsn"), &last))
        return false;
    const struct ll_plan_version *is = ll_plan_find(
        c->billing, c->invoice->community, name, (uint32_t)version);
    sum->last_lsn = (uint64_t)last;
    sum->version = is == NULL ? 0 : is->id;
    return is != NULL;
}

/* Room for as many sums as the body has, in each span. */
static bool
add_sum(struct ll_checkup *c, struct ll_span *span, const struct ll_sum *sum,
    uint32_t most)
{
    struct ll_check_invoice *inv = c->invoice;
    size_t at = (size_t)(span - inv->spans);
    if (inv->sums[at] == NULL) {
        inv->sums[at] = ll_arena_alloc(&c->arena, most * sizeof *sum);
        inv->billed[at] =
            ll_arena_alloc(&c->arena, most * sizeof(struct ll_billed));
        span->amounts =
            ll_arena_alloc(&c->arena, (2 * most + 1) * sizeof *span->amounts);
        span->sums.at = inv->sums[at];
        span->before = inv->billed[at];
    }
    if (c->arena.failed)
        return false;
    inv->sums[at][span->sums.count++] = *sum;
    const struct ll_check_use *use = find_use(c, span->period, sum);
    if (use != NULL)
        inv->billed[at][span->before_count++] = use->billed;
    return true;
}

/* From now on it is billed. */
static bool
keep_use(
    struct ll_checkup *c, struct ll_period period, const struct ll_sum *sum)
{
    struct ll_check_use *use = find_use(c, period, sum);
    if (use == NULL) {
        use = ll_arena_alloc(&c->kept, sizeof *use);
        if (use == NULL)
            return false;
        use->next = c->uses;
        use->period = period;
        use->billed.meter = ll_arena_str(&c->kept, sum->meter);
        use->billed.version = sum->version;
        c->uses = use;
    }
    use->billed.quantity_micro = sum->quantity_micro;
    use->billed.last_lsn = sum->last_lsn;
    return !c->kept.failed;
}

/* Fills the spans out of the body. False: it is not what invoices write. */
static bool
read_body(struct ll_checkup *c, linli_status *status, struct ll_err *err)
{
    struct ll_check_invoice *inv = c->invoice;
    if (ll_json_parse(&c->json, inv->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    struct ll_jv uses = ll_jv_get(ll_json_root(&c->json), "uses");
    uint32_t most = ll_jv_count(uses);
    if (inv->turn.has_before)
        (void)span_of(inv, inv->turn.before);
    LL_JSON_EACH (at, uses) {
        struct ll_sum sum = {.meter = {NULL, 0}};
        struct ll_period period;
        if (!read_use(c, at, &period, &sum))
            return false;
        sum.meter = ll_arena_str(&c->arena, sum.meter);
        struct ll_span *span = span_of(inv, period);
        if (span == NULL)
            return false;
        if (c->arena.failed || !add_sum(c, span, &sum, most))
            *status = no_memory(err);
    }
    for (uint32_t s = 0; s < inv->span_count && *status == LINLI_OK; s++)
        for (uint32_t i = 0; i < inv->spans[s].sums.count; i++)
            if (!keep_use(c, inv->spans[s].period, &inv->spans[s].sums.at[i]))
                *status = no_memory(err);
    return true;
}

/* -- an invoice -- */

static bool
read_invoice(struct ll_checkup *c, struct ll_check_invoice *inv)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&c->query.rows));
    bool has_hash = false, has_body = false;
    (void)ll_rd_list(&rd);
    inv->id = ll_rd_int(&rd);
    inv->community = ll_arena_str(&c->arena, ll_rd_bytes(&rd));
    inv->sub = (uint32_t)ll_rd_int_in(&rd, 0, UINT32_MAX);
    inv->k = (int32_t)ll_rd_int_in(&rd, 0, INT32_MAX);
    inv->last = ll_rd_int(&rd) != 0;
    inv->empty = ll_rd_int(&rd) == LL_INV_EMPTY;
    inv->number = ll_rd_int(&rd);
    inv->final_ms = ll_rd_int(&rd);
    inv->due_day = (int32_t)ll_rd_int_in(&rd, INT32_MIN, INT32_MAX);
    inv->watermark = (uint64_t)ll_rd_int(&rd);
    linli_str hash = ll_rd_bytes_or_nil(&rd, &has_hash);
    inv->hash = has_hash ? ll_arena_str(&c->arena, hash) : hash;
    linli_str body = ll_rd_bytes_or_nil(&rd, &has_body);
    inv->body = has_body ? ll_arena_str(&c->arena, body) : body;
    return !rd.bad;
}

static void
judge_hash(struct ll_checkup *c)
{
    const struct ll_check_invoice *inv = c->invoice;
    unsigned char hash[LL_SHA256_BYTES];
    ll_sha256(inv->body.ptr, inv->body.len, hash);
    if (!ll_str_eq(inv->hash, (linli_str){(const char *)hash, sizeof hash}))
        break_it(c, LL_CHECK_INVOICES, "its hash is not that of its body");
}

/* What a late span of it is compared with may be nowhere but in the rows of
 * what is billed, which have gone on since. */
static bool
can_rate(const struct ll_checkup *c)
{
    return !c->blind || c->invoice->span_count <= 1;
}

static linli_status
begin_invoice(struct ll_checkup *c, struct ll_err *err)
{
    struct ll_check_invoice *inv = c->invoice;
    const struct ll_sub *sub = ll_sub_by_id(c->billing, inv->sub);
    linli_status status = LINLI_OK;
    if (sub == NULL) {
        break_it(c, LL_CHECK_INVOICES, "it is of no subscription");
        c->step = NEXT;
        return LINLI_OK;
    }
    c->found.invoices++;
    if (inv->empty) {
        c->blind = true;
        c->step = NEXT;
        return LINLI_OK;
    }
    judge_hash(c);
    if (!read_body(c, &status, err)) {
        break_it(c, LL_CHECK_INVOICES, "its body cannot be read");
        c->blind = true;
        c->step = NEXT;
        return LINLI_OK;
    }
    if (status == LINLI_OK && can_rate(c))
        return next_amounts(c, err);
    c->step = NEXT;
    return status;
}

static linli_status
take_next(struct ll_checkup *c, struct ll_err *err)
{
    if (c->query.row_count == 0) {
        c->after = -1;
        return LINLI_OK;
    }
    ll_arena_reset(&c->arena);
    struct ll_check_invoice *inv = ll_arena_alloc(&c->arena, sizeof *inv);
    if (inv == NULL)
        return no_memory(err);
    c->invoice = inv;
    if (!read_invoice(c, inv))
        return ll_till_torn(err);
    if (c->arena.failed)
        return no_memory(err);
    if (inv->sub != c->sub) {
        ll_arena_reset(&c->kept);
        c->uses = NULL;
        c->blind = false;
    }
    c->sub = inv->sub;
    c->k = inv->k;
    const struct ll_sub *sub = ll_sub_by_id(c->billing, inv->sub);
    if (sub == NULL)
        return begin_invoice(c, err);
    ll_turn_of(sub, inv->k, inv->last, &inv->turn);
    c->step = USE;
    return inv->turn.has_before ? LINLI_OK : begin_invoice(c, err);
}

/* -- counted and billed -- */

/* It came late, and no invoice is to come that would have it. */
static void
strand(struct ll_checkup *c, linli_str meter, ll_wide late)
{
    struct ll_checkup_found *found = &c->found;
    char quantity[32] = "more";
    const struct ll_sub *sub = ll_sub_by_id(c->billing, c->sub);
    if (late == 0 || found->stranded_count == LL_CHECKUP_BREAKS_MAX ||
        ll_inv_looks_at(c->billing, sub, c->invoice->turn.before.from))
        return;
    if (late >= INT64_MIN && late <= INT64_MAX)
        (void)ll_usage_text((int64_t)late, quantity);
    struct ll_break *row = &found->stranded[found->stranded_count++];
    (void)snprintf(row->row, sizeof row->row, "invoice inv_%lld",
        (long long)c->invoice->id);
    (void)snprintf(row->what, sizeof row->what,
        "%s of `%.*s` came after the last invoice that could bill it", quantity,
        LL_FMT(meter));
}

/* meter, version, billed, its last LSN (both null: not billed), counted in two
 * parts, its last LSN. */
static linli_status
take_use(struct ll_checkup *c, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&c->query.rows));
    for (uint32_t i = 0; i < c->query.row_count; i++) {
        char what[160];
        (void)ll_rd_list(&rd);
        linli_str meter = ll_rd_bytes(&rd);
        (void)ll_rd_int(&rd); /* the version */
        bool billed = ll_rd_peek(&rd) != LL_VALUE_NIL;
        int64_t quantity = 0, last = 0;
        if (billed) {
            quantity = ll_rd_int(&rd);
            last = ll_rd_int(&rd);
        } else {
            (void)ll_rd_value(&rd);
            (void)ll_rd_value(&rd);
        }
        ll_wide counted = (ll_wide)ll_rd_int(&rd) * ((int64_t)1 << 32);
        counted += ll_rd_int(&rd);
        int64_t newest = ll_rd_int(&rd);
        if (rd.bad)
            return ll_till_torn(err);
        if (newest > last && newest > (int64_t)c->invoice->watermark) {
            c->found.unbilled++; /* it came late: the next one has it */
            strand(c, meter, counted - quantity);
            continue;
        }
        if (newest == last && counted == quantity)
            continue;
        (void)snprintf(what, sizeof what,
            "of `%.*s` something else is billed than was counted",
            LL_FMT(meter));
        break_it(c, LL_CHECK_USE, what);
    }
    return begin_invoice(c, err);
}

static linli_status
take(struct ll_checkup *c, struct ll_err *err)
{
    if (c->step == USE)
        return take_use(c, err);
    if (c->step == AMOUNTS)
        return take_amounts(c, err);
    return take_next(c, err);
}

const struct ll_check_phase ll_check_invoices = {ask, take};
