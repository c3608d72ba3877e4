/* billing/settlement.c: closing a vendor's period. [loop] */
#include "billing/settlement.h"

#include "base/text.h"
#include "billing/money_int.h"
#include "domain/pricing_number.h"

#define LINE_BYTES_MAX 1024

enum phase { LOOKING, WALKING };

/* -- lines -- */

bool
ll_settlement_line(struct ll_rd *rd, struct ll_settlement_line *line)
{
    (void)ll_rd_list(rd);
    line->id = ll_rd_int(rd);
    line->at_ms = ll_rd_int(rd);
    line->number = ll_rd_bytes(rd);
    line->kind = ll_rd_bytes(rd);
    line->ref = ll_rd_bytes(rd);
    line->paid_fen = ll_rd_int(rd);
    line->base_fen = ll_rd_int(rd);
    line->platform_fen = ll_rd_int(rd);
    line->channel_fen = ll_rd_int(rd);
    line->vendor_fen = ll_rd_int(rd);
    return !rd->bad;
}

void
ll_settlement_csv(const struct ll_settlement_line *line, struct ll_buf *out)
{
    char at[LL_RFC3339_BYTES];
    ll_rfc3339(line->at_ms, at);
    ll_buf_printf(out, "%s,%.*s,%.*s,%.*s,%lld,%lld,%lld,%lld,%lld", at,
        LL_FMT(line->number), LL_FMT(line->kind), LL_FMT(line->ref),
        (long long)line->paid_fen, (long long)line->base_fen,
        (long long)line->platform_fen, (long long)line->channel_fen,
        (long long)line->vendor_fen);
}

linli_status
ll_settlement_add(struct ll_settled_sums *sums,
    unsigned char hash[LL_SHA256_BYTES], const struct ll_settlement_line *line,
    struct ll_mem *mem, struct ll_err *err)
{
    struct ll_buf text;
    ll_buf_init(&text, mem, LINE_BYTES_MAX);
    ll_settlement_csv(line, &text);
    bool room = !text.failed;
    ll_sha256_two((linli_str){(const char *)hash, LL_SHA256_BYTES},
        ll_buf_view(&text), hash);
    ll_buf_fini(&text);
    if (!room)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a statement");
    sums->moves++;
    if (!ll_fen_add(&sums->paid_fen, line->paid_fen) ||
        !ll_fen_add(&sums->base_fen, line->base_fen) ||
        !ll_fen_add(&sums->platform_fen, line->platform_fen) ||
        !ll_fen_add(&sums->channel_fen, line->channel_fen) ||
        !ll_fen_add(&sums->vendor_fen, line->vendor_fen))
        return ll_fail(err, LINLI_E_LIMIT, "ledger/overflow", "a statement");
    return LINLI_OK;
}

/* -- closing -- */

static void
look(struct ll_settling *s)
{
    struct ll_query *query = ll_till_query(&s->job, LL_ST_settlement_last);
    s->phase = LOOKING;
    ll_put_bytes(&query->params, s->community);
    ll_put_bytes(&query->params, s->plugin);
    ll_put_bytes(&query->params, ll_cstr(s->period));
}

static void
walk(struct ll_settling *s)
{
    struct ll_query *query = ll_till_query(&s->job, LL_ST_settlement_moves);
    s->phase = WALKING;
    ll_put_bytes(&query->params, s->community);
    ll_put_bytes(&query->params, s->plugin);
    ll_put_int(&query->params, s->after_ms);
    ll_put_int(&query->params, s->after_id);
    ll_put_int(&query->params, s->to_ms);
    ll_put_int(&query->params, LL_SETTLEMENT_PAGE_ROWS);
}

/* What there is of the plugin, and of this period. */
static linli_status
found(struct ll_settling *s, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&s->job.query.rows));
    struct ll_settlement *made = &s->made;
    (void)ll_rd_list(&rd);
    int64_t id = ll_rd_int(&rd), bills = ll_rd_int(&rd);
    made->id = ll_rd_int(&rd) + 1;
    made->number = ll_rd_int(&rd) + 1;
    made->since_ms = ll_rd_int(&rd);
    made->before_fen = ll_rd_int(&rd);
    if (rd.bad)
        return ll_till_torn(err);
    if (id > 0) {
        s->again = true;
        made->id = id;
        return LINLI_OK;
    }
    if (bills == 0)
        return ll_fail(err, LINLI_E_NOT_FOUND, "settlement/none",
            "`%.*s` has no final invoice", LL_FMT(s->plugin));
    if (s->to_ms > s->job.act.now_ms)
        return ll_fail(err, LINLI_E_CONFLICT, "settlement/open",
            "%s has not ended", s->period);
    if (s->to_ms <= made->since_ms)
        return ll_fail(err, LINLI_E_CONFLICT, "settlement/later",
            "a later period is closed, with what was open of %s", s->period);
    s->after_ms = made->since_ms;
    s->after_id = 0;
    *next = LL_TILL_ASK;
    walk(s);
    return LINLI_OK;
}

static void
put(struct ll_settling *s)
{
    struct ll_buf *ops = &s->job.act.commit->ops;
    const struct ll_settlement *made = &s->made;
    ll_commit_op(s->job.act.commit, LL_ST_settlement_put);
    ll_put_int(ops, made->id);
    ll_put_bytes(ops, s->community);
    ll_put_int(ops, made->number);
    ll_put_bytes(ops, s->plugin);
    ll_put_bytes(ops, ll_cstr(s->period));
    ll_put_int(ops, made->since_ms);
    ll_put_int(ops, made->to_ms);
    ll_put_int(ops, made->sums.moves);
    ll_put_int(ops, made->sums.paid_fen);
    ll_put_int(ops, made->sums.base_fen);
    ll_put_int(ops, made->sums.platform_fen);
    ll_put_int(ops, made->sums.channel_fen);
    ll_put_int(ops, made->sums.vendor_fen);
    ll_put_int(ops, made->before_fen);
    ll_put_int(ops, made->at_ms);
    ll_put_bytes(ops, s->job.act.by);
    ll_put_bytes(ops, (linli_str){(const char *)made->hash, LL_SHA256_BYTES});
}

static linli_status
take_lines(struct ll_settling *s, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&s->job.query.rows));
    struct ll_mem *mem = s->job.act.billing->mem;
    uint32_t rows = s->job.query.row_count;
    bool more = rows == LL_SETTLEMENT_PAGE_ROWS || s->job.query.more;
    for (uint32_t i = 0; i < rows; i++) {
        struct ll_settlement_line line;
        if (!ll_settlement_line(&rd, &line))
            return ll_till_torn(err);
        linli_status status =
            ll_settlement_add(&s->made.sums, s->made.hash, &line, mem, err);
        if (status != LINLI_OK)
            return status;
        s->after_ms = line.at_ms;
        s->after_id = line.id;
    }
    if (more) {
        *next = LL_TILL_ASK;
        walk(s);
        return LINLI_OK;
    }
    s->made.to_ms = s->to_ms;
    s->made.at_ms = s->job.act.now_ms;
    *next = LL_TILL_SEND;
    linli_status status = ll_bill_begin(&s->job.act, err);
    if (status == LINLI_OK)
        put(s);
    return status;
}

/* From now on no move is booked in the period. */
static void
shut(const struct ll_settling *s)
{
    struct ll_money *money = s->job.act.billing->money;
    if (s->to_ms <= s->job.act.now_ms && s->to_ms > money->settled_ms)
        money->settled_ms = s->to_ms;
}

/* Invoices become final beside the till: what was sent before this began has
 * to be seen. */
static linli_status
step(struct ll_till_job *job, enum ll_till_next *next, struct ll_err *err)
{
    struct ll_settling *s = LL_CONTAINER(job, struct ll_settling, job);
    if (job->steps > 0 && s->phase == WALKING)
        return take_lines(s, next, err);
    if (job->steps > 0 && job->query.snapshot >= s->known)
        return found(s, next, err);
    if (job->steps == 0) {
        s->known = ll_store_last(job->act.billing->store);
        shut(s);
    }
    *next = LL_TILL_ASK;
    look(s);
    return LINLI_OK;
}

linli_status
ll_settle_period(struct ll_settling *settling, struct ll_err *err)
{
    memset(&settling->made, 0, sizeof settling->made);
    memcpy(settling->made.period, settling->period, LL_PERIOD_BYTES);
    settling->job.step = step;
    return ll_till_put(&settling->job, err);
}
