/* billing/invoice_body.c: writing an invoice. [any] */
#include "billing/invoice_body.h"

#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "domain/usage.h"

void
ll_invoice_number(
    const char *prefix, int64_t number, char out[LL_INVOICE_NUMBER_BYTES])
{
    (void)snprintf(
        out, LL_INVOICE_NUMBER_BYTES, "%s-%06lld", prefix, (long long)number);
}

/* -- members -- */

static void
put_int(struct ll_jw *w, const char *name, int64_t value)
{
    ll_jw_key(w, name);
    ll_jw_int(w, value);
}

static void
put_text(struct ll_jw *w, const char *name, linli_str value)
{
    ll_jw_key(w, name);
    ll_jw_str(w, value);
}

static void
put_decimal(struct ll_jw *w, const char *name, int64_t micro)
{
    char text[32];
    (void)ll_usage_text(micro, text);
    put_text(w, name, ll_cstr(text));
}

static void
put_instant(struct ll_jw *w, const char *name, int64_t ms)
{
    char text[LL_RFC3339_BYTES];
    ll_rfc3339(ms, text);
    put_text(w, name, ll_cstr(text));
}

static void
put_day(struct ll_jw *w, const char *name, int32_t day)
{
    char text[16];
    ll_day_text(day, text);
    put_text(w, name, ll_cstr(text));
}

static void
put_period(struct ll_jw *w, const char *name, struct ll_period period)
{
    ll_jw_key(w, name);
    ll_jw_open(w, '{');
    put_day(w, "from", period.from);
    put_day(w, "to", period.to);
    ll_jw_close(w, '}');
}

static void
put_plan(struct ll_jw *w, const struct ll_billing *billing, uint32_t version)
{
    char text[LL_PLAN_ID_BYTES_MAX + 16];
    const struct ll_plan_version *plan = ll_plan_by_id(billing, version);
    if (plan == NULL)
        return;
    (void)snprintf(
        text, sizeof text, "%.*s@%u", LL_FMT(plan->name), plan->version);
    put_text(w, "plan", ll_cstr(text));
}

/* -- lines -- */

static const char *
part_name(enum ll_part part)
{
    static const char *const names[] = {
#define X(name, word) #word,
        LL_PARTS(X)
#undef X
    };
    return names[part];
}

static void
put_made_of(struct ll_jw *w, const struct ll_line *line,
    const struct ll_line_note *note)
{
    bool money = note->charge != NULL && line->part != LL_PART_FIXED &&
                 ll_charge_of_amounts(note->charge);
    if (line->quantity_micro != 0)
        put_decimal(
            w, money ? "amount_of_fen" : "quantity", line->quantity_micro);
    if (line->price_micro == 0)
        return;
    if (line->part == LL_PART_PCT || line->part == LL_PART_INVOICE_DISCOUNT)
        put_int(w, "rate_bp", line->price_micro);
    else
        put_decimal(w, "unit_fen", line->price_micro);
}

static void
put_line(
    struct ll_jw *w, const struct ll_body *body, uint32_t i, struct ll_buf *key)
{
    const struct ll_rated *rated = body->rated;
    const struct ll_line *line = &rated->invoice.lines.at[i];
    const struct ll_line_note *note = &rated->notes[i];
    ll_buf_clear(key);
    ll_line_key(line, key);
    ll_jw_open(w, '{');
    put_text(w, "key", ll_buf_view(key));
    put_text(w, "of", line->of);
    put_text(w, "part", ll_cstr(part_name(line->part)));
    if (line->tier > 0)
        put_int(w, "tier", line->tier);
    if (note->charge != NULL) {
        put_text(w, "kind", ll_cstr(ll_charge_kind_name(note->charge->kind)));
        if (note->charge->meter.len > 0)
            put_text(w, "meter", note->charge->meter);
        put_plan(w, body->rate->billing, note->version);
    }
    put_period(w, "period", note->period);
    if (note->advance) {
        ll_jw_key(w, "advance");
        ll_jw_bool(w, true);
    }
    if (line->mark.period.len > 0)
        put_text(w, "adjusts", line->mark.period);
    if (note->days.period > 0) {
        put_int(w, "days", note->days.billed);
        put_int(w, "days_of", note->days.period);
    }
    put_made_of(w, line, note);
    put_int(w, "amount_fen", line->amount_fen);
    put_int(w, "net_fen", rated->nets[i]);
    put_int(w, "tax_fen", rated->taxes[i]);
    ll_jw_close(w, '}');
}

static void
put_items(struct ll_jw *w, const struct ll_invoice *invoice)
{
    ll_jw_key(w, "items");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < invoice->item_count; i++) {
        const struct ll_item *item = &invoice->items[i];
        ll_jw_open(w, '{');
        put_text(w, "charge", item->charge);
        put_int(w, "subtotal_fen", item->subtotal_fen);
        put_int(w, "discount_fen", item->discount_fen);
        put_int(w, "net_fen", item->net_fen);
        put_int(w, "tax_bp",
            invoice->plan->tax_mode == LL_TAX_NONE ? 0 : item->tax_bp);
        put_int(w, "tax_fen", item->tax_fen);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

/* -- the price list, as it was -- */

static void
put_tiers(struct ll_jw *w, const struct ll_charge *charge)
{
    bool money = ll_charge_of_amounts(charge);
    ll_jw_key(w, "tiers");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < charge->tier_count; i++) {
        const struct ll_tier *tier = &charge->tiers[i];
        ll_jw_open(w, '{');
        if (tier->up_to == LL_TIER_OPEN) {
            ll_jw_key(w, "up_to");
            ll_jw_null(w);
        } else if (money) {
            put_int(w, "up_to_fen", tier->up_to);
        } else {
            put_decimal(w, "up_to", tier->up_to);
        }
        if (money)
            put_int(w, "rate_bp", tier->price);
        else
            put_decimal(w, "unit_fen", tier->price);
        put_int(w, "flat_fen", tier->flat_fen);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

static void
put_price(struct ll_jw *w, const struct ll_billing *billing,
    const struct ll_line_note *note)
{
    const struct ll_charge *c = note->charge;
    ll_jw_open(w, '{');
    put_text(w, "charge", c->id);
    put_plan(w, billing, note->version);
    put_text(w, "kind", ll_cstr(ll_charge_kind_name(c->kind)));
    if (c->included_micro > 0)
        put_decimal(w, "included", c->included_micro);
    if (c->amount_fen > 0)
        put_int(w, "amount_fen", c->amount_fen);
    if (c->unit_micro > 0)
        put_decimal(w, "unit_fen", c->unit_micro);
    if (c->size_micro > 0) {
        put_decimal(w, "size", c->size_micro);
        put_int(w, "package_fen", c->package_fen);
    }
    if (c->rate_bp > 0)
        put_int(w, "rate_bp", c->rate_bp);
    if (c->fixed_fen > 0)
        put_int(w, "fixed_fen", c->fixed_fen);
    if (c->commit_micro > 0)
        put_decimal(w, "commit", c->commit_micro);
    if (c->min_fen != LL_PLAN_UNSET)
        put_int(w, "min_fen", c->min_fen);
    if (c->max_fen != LL_PLAN_UNSET)
        put_int(w, "max_fen", c->max_fen);
    if (c->tier_count > 0)
        put_tiers(w, c);
    ll_jw_close(w, '}');
}

/* Each charge that has a line, of each version, once. */
static void
put_prices(struct ll_jw *w, const struct ll_body *body)
{
    const struct ll_rated *rated = body->rated;
    ll_jw_key(w, "prices");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < rated->invoice.lines.count; i++) {
        const struct ll_line_note *note = &rated->notes[i];
        uint32_t j = 0;
        while (j < i && rated->notes[j].charge != note->charge)
            j++;
        if (note->charge != NULL && j == i)
            put_price(w, body->rate->billing, note);
    }
    ll_jw_close(w, ']');
}

/* -- who pays, and what was used -- */

static void
put_payers(struct ll_jw *w, const struct ll_sub *sub, int64_t total_fen)
{
    int64_t weights[LL_SUB_PARTIES_MAX], parts[LL_SUB_PARTIES_MAX];
    int64_t sign = total_fen < 0 ? -1 : 1;
    ll_check(sub->payer_count <= LL_SUB_PARTIES_MAX);
    for (uint32_t i = 0; i < sub->payer_count; i++)
        weights[i] = sub->payers[i].bp;
    if (sub->payer_count > 0)
        ll_fen_split(sign * total_fen, weights, sub->payer_count, parts);
    ll_jw_key(w, "payers");
    ll_jw_open(w, '[');
    for (uint32_t i = 0; i < sub->payer_count; i++) {
        ll_jw_open(w, '{');
        put_text(w, "kind", ll_cstr(ll_party_kind_name(sub->payers[i].kind)));
        put_int(w, "bp", sub->payers[i].bp);
        put_int(w, "fen", sign * parts[i]);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

static void
put_uses(struct ll_jw *w, const struct ll_body *body)
{
    const struct ll_rate *rate = body->rate;
    ll_jw_key(w, "uses");
    ll_jw_open(w, '[');
    for (uint32_t s = 0; s < rate->span_count; s++)
        for (uint32_t i = 0; i < rate->spans[s].sums.count; i++) {
            const struct ll_sum *sum = &rate->spans[s].sums.at[i];
            ll_jw_open(w, '{');
            put_text(w, "meter", sum->meter);
            put_plan(w, rate->billing, sum->version);
            put_period(w, "period", rate->spans[s].period);
            put_decimal(w, "quantity", sum->quantity_micro);
            put_int(w, "records", sum->count);
            put_int(w, "last_lsn", (int64_t)sum->last_lsn);
            ll_jw_close(w, '}');
        }
    ll_jw_close(w, ']');
}

/* -- the whole -- */

static void
put_head(struct ll_jw *w, const struct ll_body *body)
{
    const struct ll_rate *rate = body->rate;
    const struct ll_plan_version *plan = body->rated->plan;
    char text[32];
    if (body->id > 0) {
        (void)snprintf(text, sizeof text, "inv_%lld", (long long)body->id);
        put_text(w, "id", ll_cstr(text));
    }
    if (body->number > 0) {
        ll_invoice_number("INV", body->number, text);
        put_text(w, "number", ll_cstr(text));
    }
    put_text(w, "community", rate->sub->community);
    put_text(w, "plugin", rate->sub->plugin);
    (void)snprintf(text, sizeof text, "sub_%u", rate->sub->id);
    put_text(w, "subscription", ll_cstr(text));
    put_int(w, "k", rate->turn.k);
    put_plan(w, rate->billing, plan->id);
    ll_jw_key(w, "title");
    ll_jw_open(w, '{');
    put_text(w, "zh-CN", plan->title_zh);
    put_text(w, "en", plan->title_en);
    ll_jw_close(w, '}');
    put_instant(w, "at", body->at_ms);
    put_text(w, "zone", rate->sub->zone);
    if (rate->turn.has_before)
        put_period(w, "period", rate->turn.before);
    if (rate->turn.has_advance)
        put_period(w, "advance", rate->turn.advance);
    if (body->number > 0)
        put_day(w, "due", body->due_day);
    put_text(w, "currency", LINLI_STR("CNY"));
    put_int(w, "watermark", (int64_t)body->watermark);
}

void
ll_invoice_body(const struct ll_body *body, struct ll_buf *out)
{
    static const char *const modes[] = {"none", "inclusive", "exclusive"};
    const struct ll_invoice *invoice = &body->rated->invoice;
    struct ll_jw w = ll_jw(out);
    struct ll_buf key;
    ll_buf_init(&key, out->mem, LL_INVOICE_BYTES_MAX);
    ll_jw_open(&w, '{');
    put_head(&w, body);
    ll_jw_key(&w, "lines");
    ll_jw_open(&w, '[');
    for (uint32_t i = 0; i < invoice->lines.count; i++)
        put_line(&w, body, i, &key);
    ll_jw_close(&w, ']');
    put_items(&w, invoice);
    put_text(&w, "tax_mode", ll_cstr(modes[invoice->plan->tax_mode]));
    put_int(&w, "discount_fen", invoice->discount_fen);
    put_int(&w, "net_fen", invoice->net_fen);
    put_int(&w, "tax_fen", invoice->tax_fen);
    put_int(&w, "total_fen", invoice->total_fen);
    put_payers(&w, body->rate->sub, invoice->total_fen);
    put_uses(&w, body);
    put_prices(&w, body);
    ll_jw_close(&w, '}');
    out->failed = out->failed || key.failed;
    ll_buf_fini(&key);
}
