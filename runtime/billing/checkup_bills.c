/* billing/checkup_bills.c: shares by their terms, statements by their lines.
 * [loop] */
#include <stdio.h>

#include "base/text.h"
#include "billing/checkup_int.h"
#include "domain/owed.h"

/* -- what is owed of a bill, and who gets what of it -- */

static bool
ask_bills(struct ll_checkup *c)
{
    if (c->step > 0 && c->query.row_count < LL_CHECKUP_PAGE_ROWS)
        return false;
    struct ll_buf *params = ll_checkup_query(c, LL_ST_check_bill_states);
    ll_put_int(params, c->after);
    ll_put_int(params, LL_CHECKUP_PAGE_ROWS);
    c->step++;
    return true;
}

/* All that was paid, at once: it has to come to the same. */
static void
judge_bill(struct ll_checkup *c, int64_t invoice, const struct ll_owed *is,
    const struct ll_share *share)
{
    struct ll_owed fresh = *is;
    struct ll_owed_move move = {.credited_fen = is->credited_fen,
        .credited_tax_fen = is->credited_tax_fen,
        .paid_fen = is->paid_fen};
    struct ll_err err;
    char row[64];
    (void)snprintf(row, sizeof row, "bill inv_%lld", (long long)invoice);
    fresh.credited_fen = fresh.credited_tax_fen = 0;
    fresh.paid_fen = fresh.base_fen = 0;
    linli_status status = is->total_fen < 0 ? ll_owed_less(&fresh, &move, &err)
                                            : ll_owed_move(&fresh, &move, &err);
    if (status != LINLI_OK || move.over_fen != 0)
        ll_checkup_break(c, LL_CHECK_SHARES, row,
            "paid %lld and credited %lld of %lld fen", (long long)is->paid_fen,
            (long long)is->credited_fen, (long long)is->total_fen);
    else if (move.base_fen != is->base_fen)
        ll_checkup_break(c, LL_CHECK_SHARES, row,
            "the base is %lld fen, and should be %lld", (long long)is->base_fen,
            (long long)move.base_fen);
    else if (memcmp(share, &move.share, sizeof *share) != 0)
        ll_checkup_break(c, LL_CHECK_SHARES, row,
            "the vendor has %lld fen of it, and should have %lld",
            (long long)share->vendor_fen, (long long)move.share.vendor_fen);
}

static linli_status
take_bills(struct ll_checkup *c, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&c->query.rows));
    for (uint32_t i = 0; i < c->query.row_count; i++) {
        struct ll_owed owed;
        struct ll_share share;
        (void)ll_rd_list(&rd);
        c->after = ll_rd_int(&rd);
        owed.total_fen = ll_rd_int(&rd);
        owed.tax_fen = ll_rd_int(&rd);
        owed.terms.platform_bp = ll_rd_int(&rd);
        owed.terms.platform_fixed_fen = ll_rd_int(&rd);
        owed.terms.channel_bp = ll_rd_int(&rd);
        owed.credited_fen = ll_rd_int(&rd);
        owed.credited_tax_fen = ll_rd_int(&rd);
        owed.paid_fen = ll_rd_int(&rd);
        owed.base_fen = ll_rd_int(&rd);
        share.platform_fen = ll_rd_int(&rd);
        share.channel_fen = ll_rd_int(&rd);
        share.vendor_fen = ll_rd_int(&rd);
        if (rd.bad)
            return ll_till_torn(err);
        judge_bill(c, c->after, &owed, &share);
        c->found.bills++;
    }
    return LINLI_OK;
}

const struct ll_check_phase ll_check_bills = {ask_bills, take_bills};

/* -- statements -- */

enum { NEXT_STATEMENT, LINES };

static bool
ask_settlements(struct ll_checkup *c)
{
    if (c->step == LINES) {
        struct ll_buf *params = ll_checkup_query(c, LL_ST_settlement_moves);
        ll_put_bytes(params, ll_cstr(c->community));
        ll_put_bytes(params, ll_cstr(c->plugin));
        ll_put_int(params, c->after_ms);
        ll_put_int(params, c->after_id);
        ll_put_int(params, c->settlement.to_ms);
        ll_put_int(params, LL_SETTLEMENT_PAGE_ROWS);
        return true;
    }
    if (c->after < 0)
        return false;
    struct ll_buf *params = ll_checkup_query(c, LL_ST_check_settlement);
    ll_put_int(params, c->after);
    return true;
}

static void
judge_statement(struct ll_checkup *c)
{
    char row[64];
    (void)snprintf(
        row, sizeof row, "settlement set_%lld", (long long)c->settlement.id);
    if (memcmp(&c->sums, &c->settlement.sums, sizeof c->sums) != 0)
        ll_checkup_break(c, LL_CHECK_SETTLEMENTS, row,
            "its sums are not those of its lines");
    else if (memcmp(c->hash, c->settlement.hash, sizeof c->hash) != 0)
        ll_checkup_break(
            c, LL_CHECK_SETTLEMENTS, row, "its hash is not that of its lines");
    c->found.settlements++;
}

static linli_status
take_lines(struct ll_checkup *c, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&c->query.rows));
    for (uint32_t i = 0; i < c->query.row_count; i++) {
        struct ll_settlement_line line;
        if (!ll_settlement_line(&rd, &line))
            return ll_till_torn(err);
        linli_status status =
            ll_settlement_add(&c->sums, c->hash, &line, c->billing->mem, err);
        if (status != LINLI_OK)
            return status;
        c->after_ms = line.at_ms;
        c->after_id = line.id;
    }
    if (c->query.row_count < LL_SETTLEMENT_PAGE_ROWS) {
        judge_statement(c);
        c->step = NEXT_STATEMENT;
    }
    return LINLI_OK;
}

/* id, community, plugin, since, until, sums, what was before in two ways. */
static linli_status
take_settlements(struct ll_checkup *c, struct ll_err *err)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&c->query.rows));
    struct ll_settlement *is = &c->settlement;
    char row[64];
    if (c->step == LINES)
        return take_lines(c, err);
    if (c->query.row_count == 0) {
        c->after = -1;
        return LINLI_OK;
    }
    (void)ll_rd_list(&rd);
    is->id = ll_rd_int(&rd);
    linli_str community = ll_rd_bytes(&rd), plugin = ll_rd_bytes(&rd);
    is->since_ms = ll_rd_int(&rd);
    is->to_ms = ll_rd_int(&rd);
    is->sums.moves = ll_rd_int(&rd);
    is->sums.paid_fen = ll_rd_int(&rd);
    is->sums.base_fen = ll_rd_int(&rd);
    is->sums.platform_fen = ll_rd_int(&rd);
    is->sums.channel_fen = ll_rd_int(&rd);
    is->sums.vendor_fen = ll_rd_int(&rd);
    is->before_fen = ll_rd_int(&rd);
    int64_t since_ms = ll_rd_int(&rd), before_fen = ll_rd_int(&rd);
    linli_str hash = ll_rd_bytes(&rd);
    if (rd.bad || hash.len != sizeof is->hash)
        return ll_till_torn(err);
    memcpy(is->hash, hash.ptr, sizeof is->hash);
    (void)snprintf(
        c->community, sizeof c->community, "%.*s", LL_FMT(community));
    (void)snprintf(c->plugin, sizeof c->plugin, "%.*s", LL_FMT(plugin));
    (void)snprintf(row, sizeof row, "settlement set_%lld", (long long)is->id);
    if (since_ms != is->since_ms || before_fen != is->before_fen)
        ll_checkup_break(c, LL_CHECK_SETTLEMENTS, row,
            "it does not begin where the one before it ends");
    c->sums = (struct ll_settled_sums){0};
    memset(c->hash, 0, sizeof c->hash);
    c->after = is->id;
    c->after_ms = is->since_ms;
    c->after_id = 0;
    c->step = LINES;
    return LINLI_OK;
}

const struct ll_check_phase ll_check_settlements = {
    ask_settlements, take_settlements};
