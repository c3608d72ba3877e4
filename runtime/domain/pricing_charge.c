/* domain/pricing_charge.c: from a charge and what was used to lines. */
#include "domain/pricing_charge.h"

#include <string.h>

#include "base/text.h"

#define LINES_FIRST 16

static const char *const part_words[] = {
#define X(name, word) #word,
    LL_PARTS(X)
#undef X
};

/* -- lines -- */

void
ll_line_key(const struct ll_line *line, struct ll_buf *out)
{
    if (line->part == LL_PART_INVOICE_DISCOUNT)
        ll_buf_printf(out, "discount:%.*s", LL_FMT(line->of));
    else if (line->tier > 0)
        ll_buf_printf(out, "%.*s:t%u:%s", LL_FMT(line->of), line->tier,
            part_words[line->part]);
    else
        ll_buf_printf(out, "%.*s:%s", LL_FMT(line->of), part_words[line->part]);
    if (line->mark.period.len > 0)
        ll_buf_printf(out, "@%.*s", LL_FMT(line->mark.period));
    if (line->mark.segment > 0)
        ll_buf_printf(out, "#%u", line->mark.segment);
}

bool
ll_line_same(const struct ll_line *a, const struct ll_line *b)
{
    return a->part == b->part && a->tier == b->tier &&
           a->mark.segment == b->mark.segment && ll_str_eq(a->of, b->of) &&
           ll_str_eq(a->mark.period, b->mark.period);
}

linli_status
ll_lines_add(
    struct ll_lines *lines, const struct ll_line *line, struct ll_err *err)
{
    if (line->amount_fen == 0)
        return LINLI_OK;
    if (lines->count >= LL_RATE_LINES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "pricing/range",
            "an invoice of more than %d lines", LL_RATE_LINES_MAX);
    if (lines->count == lines->cap) {
        uint32_t cap = lines->cap == 0 ? LINES_FIRST : lines->cap * 2;
        struct ll_line *at = ll_arena_alloc(lines->arena, cap * sizeof *at);
        if (at == NULL)
            return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
        if (lines->count > 0)
            memcpy(at, lines->at, lines->count * sizeof *at);
        lines->at = at;
        lines->cap = cap;
    }
    lines->at[lines->count++] = *line;
    return LINLI_OK;
}

linli_status
ll_charge_overflow(linli_str id, struct ll_err *err)
{
    return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
        "what %.*s costs does not fit into int64 fen", LL_FMT(id));
}

/* -- one charge -- */

struct rating {
    const struct ll_charge *charge;
    const struct ll_used *used;
    struct ll_lines *lines;
    struct ll_err *err;
    linli_status status;
    int64_t sum_fen; /* of the lines so far */
};

/* The line of num / den fen. */
static void
emit(struct rating *r, struct ll_line line, ll_wide num, ll_wide den)
{
    if (r->status != LINLI_OK)
        return;
    line.of = r->charge->id;
    if (!ll_wide_divide(num, den, r->used->rounding, &line.amount_fen) ||
        !ll_fen_add(&r->sum_fen, line.amount_fen))
        r->status = ll_charge_overflow(r->charge->id, r->err);
    else
        r->status = ll_lines_add(r->lines, &line, r->err);
}

/* quantity × price, both in millionths: no product of two leaves 128 bits. */
static void
emit_units(struct rating *r, enum ll_part part, uint32_t tier, int64_t quantity,
    int64_t price)
{
    struct ll_line line = {.part = part,
        .tier = tier,
        .quantity_micro = quantity,
        .price_micro = price};
    emit(r, line, (ll_wide)quantity * price, (ll_wide)LL_MICRO * LL_MICRO);
}

static void
emit_fen(struct rating *r, enum ll_part part, uint32_t tier, int64_t fen)
{
    struct ll_line line = {.part = part, .tier = tier};
    emit(r, line, fen, 1);
}

/* Basis points of whole fen. */
static void
emit_pct(struct rating *r, uint32_t tier, int64_t fen, int64_t bp)
{
    struct ll_line line = {
        .part = LL_PART_PCT, .tier = tier, .price_micro = bp};
    if (__builtin_mul_overflow(fen, LL_MICRO, &line.quantity_micro))
        line.quantity_micro = 0; /* too much to be shown in millionths */
    emit(r, line, (ll_wide)fen * bp, LL_BP);
}

static void
rate_flat(struct rating *r, int64_t seats)
{
    const struct ll_days *days = &r->used->days;
    struct ll_line line = {
        .part = LL_PART_FEE, .tier = 0, .quantity_micro = seats};
    ll_wide num = (ll_wide)r->charge->amount_fen * seats;
    if (r->status == LINLI_OK && !ll_wide_times(&num, days->billed))
        r->status = ll_charge_overflow(r->charge->id, r->err);
    emit(r, line, num, (ll_wide)LL_MICRO * days->period);
}

/* Each unit at the price of the tier it falls into. */
static void
rate_graduated(struct rating *r, int64_t quantity)
{
    int64_t below = 0;
    for (uint32_t i = 0; i < r->charge->tier_count; i++) {
        const struct ll_tier *tier = &r->charge->tiers[i];
        int64_t top = quantity < tier->up_to ? quantity : tier->up_to;
        if (i > 0 && quantity <= below)
            break;
        emit_units(r, LL_PART_UNIT, i + 1, top - below, tier->price);
        emit_fen(r, LL_PART_FLAT, i + 1, tier->flat_fen);
        below = top;
    }
}

/* All units at the price of the tier that the total falls into. */
static void
rate_volume(struct rating *r, int64_t quantity)
{
    uint32_t i = 0;
    while (quantity > r->charge->tiers[i].up_to)
        i++;
    const struct ll_tier *tier = &r->charge->tiers[i];
    emit_units(r, LL_PART_UNIT, i + 1, quantity, tier->price);
    emit_fen(r, LL_PART_FLAT, i + 1, tier->flat_fen);
}

static void
rate_package(struct rating *r, int64_t quantity)
{
    int64_t size = r->charge->size_micro;
    int64_t packages = quantity / size + (quantity % size > 0);
    struct ll_line line = {.part = LL_PART_USAGE};
    if (__builtin_mul_overflow(packages, LL_MICRO, &line.quantity_micro))
        line.quantity_micro = 0; /* too many to be shown in millionths */
    emit(r, line, (ll_wide)packages * r->charge->package_fen, 1);
}

static void
rate_commit(struct rating *r, int64_t quantity)
{
    const struct ll_charge *c = r->charge;
    int64_t within = quantity < c->commit_micro ? quantity : c->commit_micro;
    emit_units(r, LL_PART_COMMIT, 0, within, c->unit_micro);
    if (c->true_up)
        emit_units(
            r, LL_PART_TRUEUP, 0, c->commit_micro - within, c->unit_micro);
    struct ll_line over = {.part = LL_PART_OVERAGE,
        .quantity_micro = quantity - within,
        .price_micro = c->unit_micro};
    ll_wide num = (ll_wide)over.quantity_micro * c->unit_micro;
    if (r->status == LINLI_OK && !ll_wide_times(&num, c->overage_bp))
        r->status = ll_charge_overflow(c->id, r->err);
    emit(r, over, num, (ll_wide)LL_MICRO * LL_MICRO * LL_BP);
}

/* An amount is free while both the free events and the free amount last; one
 * that goes over the free amount is charged for what is over. */
static void
rate_percentage(struct rating *r)
{
    const struct ll_charge *c = r->charge;
    int64_t running = 0, charged = 0, count = 0;
    bool gives = c->free_events >= 0 || c->free_amount_fen >= 0;
    int64_t free_events = c->free_events >= 0 ? c->free_events : INT64_MAX;
    int64_t free_fen = c->free_amount_fen >= 0 ? c->free_amount_fen : INT64_MAX;
    for (uint32_t i = 0; i < r->used->amount_count; i++) {
        int64_t fen = r->used->amounts[i], before = running;
        bool may = gives && i < free_events;
        if (!ll_fen_add(&running, fen)) {
            r->status = ll_charge_overflow(c->id, r->err);
            return;
        }
        if (may && running <= free_fen)
            continue;
        int64_t left = may && before < free_fen ? free_fen - before : 0;
        charged += fen - left;
        count++;
    }
    int64_t included = c->included_micro / LL_MICRO;
    emit_pct(r, 0, charged > included ? charged - included : 0, c->rate_bp);
    struct ll_line fixed = {
        .part = LL_PART_FIXED, .quantity_micro = count * LL_MICRO};
    emit(r, fixed, (ll_wide)count * c->fixed_fen, 1);
}

static void
rate_graduated_percentage(struct rating *r)
{
    const struct ll_charge *c = r->charge;
    int64_t total = 0, below = 0;
    for (uint32_t i = 0; i < r->used->amount_count; i++) {
        if (!ll_fen_add(&total, r->used->amounts[i])) {
            r->status = ll_charge_overflow(c->id, r->err);
            return;
        }
    }
    int64_t included = c->included_micro / LL_MICRO;
    total = total > included ? total - included : 0;
    for (uint32_t i = 0; i < c->tier_count; i++) {
        const struct ll_tier *tier = &c->tiers[i];
        int64_t top = total < tier->up_to ? total : tier->up_to;
        if (i > 0 && total <= below)
            break;
        emit_pct(r, i + 1, top - below, tier->price);
        emit_fen(r, LL_PART_FLAT, i + 1, tier->flat_fen);
        below = top;
    }
}

/* What the charge's own discount, maximum and minimum make of its lines. */
static void
adjust(struct rating *r)
{
    const struct ll_charge *c = r->charge;
    struct ll_line discount = {
        .part = LL_PART_DISCOUNT, .price_micro = c->line_discount_bp};
    emit(r, discount, -(ll_wide)r->sum_fen * c->line_discount_bp, LL_BP);
    if (c->max_fen >= 0 && r->sum_fen > c->max_fen)
        emit_fen(r, LL_PART_MAX, 0, c->max_fen - r->sum_fen);
    if (c->min_fen < 0 || r->status != LINLI_OK)
        return;
    int64_t least = 0;
    bool fits = ll_fen_share(
        c->min_fen, r->used->days.billed, r->used->days.period, &least);
    ll_check(fits); /* it is no more than the whole */
    if (r->sum_fen < least)
        emit_fen(r, LL_PART_MIN, 0, least - r->sum_fen);
}

static void
rate_kind(struct rating *r, int64_t quantity)
{
    switch (r->charge->kind) {
    case LL_CHARGE_FLAT:
        rate_flat(r, quantity);
        break;
    case LL_CHARGE_UNIT:
        emit_units(r, LL_PART_USAGE, 0, quantity, r->charge->unit_micro);
        break;
    case LL_CHARGE_GRADUATED:
        rate_graduated(r, quantity);
        break;
    case LL_CHARGE_VOLUME:
        rate_volume(r, quantity);
        break;
    case LL_CHARGE_PACKAGE:
        rate_package(r, quantity);
        break;
    case LL_CHARGE_PERCENTAGE:
        rate_percentage(r);
        break;
    case LL_CHARGE_GRADUATED_PERCENTAGE:
        rate_graduated_percentage(r);
        break;
    case LL_CHARGE_COMMIT:
        rate_commit(r, quantity);
        break;
    }
}

linli_status
ll_charge_rate(const struct ll_charge *charge, const struct ll_used *used,
    struct ll_lines *lines, int64_t *sum_fen, struct ll_err *err)
{
    struct rating r = {charge, used, lines, err, LINLI_OK, 0};
    int64_t quantity = used->quantity_micro;
    ll_check(quantity >= 0);
    ll_check(used->days.period > 0 && used->days.billed >= 0);
    ll_check(used->days.billed <= used->days.period);
    quantity = quantity > charge->included_micro
                   ? quantity - charge->included_micro
                   : 0;
    rate_kind(&r, quantity);
    adjust(&r);
    *sum_fen = r.status == LINLI_OK ? r.sum_fen : 0;
    return r.status;
}
