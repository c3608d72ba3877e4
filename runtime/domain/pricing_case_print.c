/* domain/pricing_case_print.c: what a case comes to, as JSON. */
#include "base/text.h"
#include "domain/pricing_case_int.h"
#include "domain/pricing_share.h"

static void
put_fen(struct ll_case *c, const char *name, int64_t fen)
{
    ll_jw_key(c->out, name);
    ll_jw_int(c->out, fen);
}

static bool
is_shares(const struct ll_case *c)
{
    return ll_case_has(c, "share") || ll_case_has(c, "share_refunds");
}

/* -- the invoice -- */

static bool
put_lines(struct ll_case *c)
{
    struct ll_buf key;
    ll_buf_init(&key, c->r.arena->mem, 1024);
    ll_jw_key(c->out, "lines");
    ll_jw_open(c->out, '[');
    for (uint32_t i = 0; i < c->invoice.lines.count; i++) {
        const struct ll_line *line = &c->invoice.lines.at[i];
        ll_buf_clear(&key);
        ll_line_key(line, &key);
        ll_jw_open(c->out, '{');
        ll_jw_key(c->out, "key");
        ll_jw_str(c->out, ll_buf_view(&key));
        put_fen(c, "amount_fen", line->amount_fen);
        ll_jw_close(c->out, '}');
    }
    ll_jw_close(c->out, ']');
    bool failed = key.failed;
    ll_buf_fini(&key);
    return !failed || ll_read_nomem(&c->r);
}

/* {charge: fen} of the charges that have lines. */
static void
put_items(struct ll_case *c, const char *name, size_t member)
{
    ll_jw_key(c->out, name);
    ll_jw_open(c->out, '{');
    for (uint32_t i = 0; i < c->invoice.item_count; i++) {
        const struct ll_item *item = &c->invoice.items[i];
        if (item->subtotal_fen == 0)
            continue;
        ll_jw_key_str(c->out, item->charge);
        ll_jw_int(c->out,
            *(const int64_t *)(const void *)((const char *)item + member));
    }
    ll_jw_close(c->out, '}');
}

static void
put_due(struct ll_case *c)
{
    struct ll_settled settled;
    ll_settle(c->invoice.total_fen, &c->purse, &settled);
    put_fen(c, "due_fen", settled.due_fen);
    if (ll_case_has(c, "credit_note_balance_fen"))
        put_fen(c, "credit_note_used_fen", settled.credit_notes_fen);
    if (settled.balance_fen > 0)
        put_fen(c, "credit_balance_fen", settled.balance_fen);
    if (!ll_case_has(c, "wallet"))
        return;
    ll_jw_key(c->out, "wallet_used");
    ll_jw_open(c->out, '{');
    for (uint32_t i = 0; i < c->purse.grant_count; i++) {
        const struct ll_credit *grant = &c->purse.grants[i];
        if (grant->used_fen == 0)
            continue;
        ll_jw_key_str(c->out, grant->id);
        ll_jw_int(c->out, grant->used_fen);
    }
    ll_jw_close(c->out, '}');
}

bool
ll_case_print_invoice(struct ll_case *c)
{
    const struct ll_invoice *invoice = &c->invoice;
    if (!put_lines(c))
        return false;
    if (is_shares(c))
        return true;
    put_fen(c, "total_fen", invoice->total_fen);
    put_fen(c, "net_fen", invoice->net_fen);
    put_fen(c, "tax_fen", invoice->tax_fen);
    if (c->plan.tax_mode != LL_TAX_NONE)
        put_items(c, "line_tax_fen", offsetof(struct ll_item, tax_fen));
    if (c->plan.discount_count > 0)
        put_items(c, "discount_allocation_fen",
            offsetof(struct ll_item, discount_fen));
    if (!ll_case_has(c, "reverse_all"))
        put_due(c);
    return true;
}

/* -- periods -- */

bool
ll_case_print_periods(struct ll_case *c)
{
    char text[16];
    int64_t count =
        ll_read_count(&c->r, c->input, "list_periods", LL_RATE_PERIODS_MAX, 0);
    if (c->r.status != LINLI_OK || !ll_case_has(c, "list_periods"))
        return c->r.status == LINLI_OK;
    if (c->stay.start_ms == LL_NO_START)
        return ll_read_fail(&c->r, ll_jv_get(c->input, "list_periods"),
            "pricing/missing", "periods are listed from `start`");
    struct ll_rhythm rhythm = {c->plan.interval, c->plan.anchor,
        ll_local_day(&c->local, c->stay.start_ms)};
    ll_jw_key(c->out, "periods");
    ll_jw_open(c->out, '[');
    for (int32_t i = 0; i < count; i++) {
        struct ll_period period = ll_period_at(&rhythm, i);
        ll_jw_open(c->out, '[');
        ll_day_text(period.from, text);
        ll_jw_cstr(c->out, text);
        ll_day_text(period.to, text);
        ll_jw_cstr(c->out, text);
        ll_jw_close(c->out, ']');
    }
    ll_jw_close(c->out, ']');
    return true;
}

/* -- shares -- */

static bool
read_terms(struct ll_case *c, struct ll_jv v, struct ll_share_terms *out)
{
    struct ll_plan_rd *r = &c->r;
    out->platform_bp = ll_read_count(r, v, "platform_bp", LL_BP, 0);
    out->channel_bp = ll_read_count(r, v, "channel_bp", LL_BP, 0);
    out->platform_fixed_fen =
        ll_read_count(r, v, "platform_fixed_fen", INT64_MAX, 0);
    if (r->status == LINLI_OK && out->platform_bp + out->channel_bp > LL_BP)
        (void)ll_read_fail(
            r, v, "pricing/range", "platform and channel take more than all");
    return r->status == LINLI_OK;
}

static bool
share(struct ll_case *c)
{
    struct ll_jv v = ll_jv_get(c->input, "share");
    struct ll_share_terms terms;
    struct ll_share parts;
    if (!ll_jv_there(v))
        return true;
    if (!ll_read_object(&c->r, v, "`share`",
            "base_fen! platform_bp! platform_fixed_fen channel_bp") ||
        !read_terms(c, v, &terms))
        return false;
    int64_t base = ll_read_count(&c->r, v, "base_fen", INT64_MAX, 0);
    if (c->r.status != LINLI_OK)
        return false;
    if (!ll_share(&terms, base, &parts))
        return ll_read_overflow(&c->r, v);
    put_fen(c, "total_fen", base);
    put_fen(c, "platform_fen", parts.platform_fen);
    put_fen(c, "channel_fen", parts.channel_fen);
    put_fen(c, "vendor_fen", parts.vendor_fen);
    return true;
}

/* The state at first, then what each refund books. */
static bool
read_moves(
    struct ll_case *c, struct ll_jv v, struct ll_share *moves, int64_t *base)
{
    struct ll_share_terms terms;
    struct ll_jv refunds = ll_jv_get(v, "refunds_fen");
    uint32_t n = 0;
    if (!read_terms(c, v, &terms))
        return false;
    *base = ll_read_count(&c->r, v, "base_fen", INT64_MAX, 0);
    if (c->r.status != LINLI_OK || !ll_share(&terms, *base, &moves[n++]))
        return ll_read_overflow(&c->r, v);
    LL_JSON_EACH (one, refunds) {
        int64_t refund = ll_read_count_of(&c->r, one, INT64_MAX);
        if (c->r.status != LINLI_OK)
            return false;
        if (refund > *base)
            return ll_read_fail(
                &c->r, one, "pricing/range", "more is refunded than was paid");
        if (!ll_share_move(&terms, *base, *base - refund, &moves[n++]))
            return ll_read_overflow(&c->r, one);
        *base -= refund;
    }
    return true;
}

static void
put_moves(struct ll_case *c, const char *name, const struct ll_share *moves,
    uint32_t count, size_t member)
{
    ll_jw_key(c->out, name);
    ll_jw_open(c->out, '[');
    for (uint32_t i = 0; i < count; i++)
        ll_jw_int(c->out,
            *(const int64_t *)(const void *)((const char *)&moves[i] + member));
    ll_jw_close(c->out, ']');
}

static bool
share_refunds(struct ll_case *c)
{
    struct ll_jv v = ll_jv_get(c->input, "share_refunds");
    int64_t base = 0;
    if (!ll_jv_there(v))
        return true;
    if (!ll_read_object(&c->r, v, "`share_refunds`",
            "base_fen! platform_bp! refunds_fen! platform_fixed_fen "
            "channel_bp"))
        return false;
    struct ll_jv refunds = ll_jv_get(v, "refunds_fen");
    uint32_t count =
        ll_read_list(&c->r, refunds, "refunds", LL_RATE_LINES_MAX) + 1;
    struct ll_share *moves = ll_read_room(&c->r, count, sizeof *moves);
    if (moves == NULL || !read_moves(c, v, moves, &base))
        return false;
    put_fen(c, "total_fen", base);
    put_moves(c, "platform_fen", moves, count,
        offsetof(struct ll_share, platform_fen));
    put_moves(
        c, "channel_fen", moves, count, offsetof(struct ll_share, channel_fen));
    put_moves(
        c, "vendor_fen", moves, count, offsetof(struct ll_share, vendor_fen));
    return true;
}

bool
ll_case_print_shares(struct ll_case *c)
{
    if (ll_case_has(c, "share") && ll_case_has(c, "share_refunds"))
        return ll_read_fail(&c->r, ll_jv_get(c->input, "share_refunds"),
            "pricing/case", "a case has one share");
    return share(c) && share_refunds(c);
}
