/* billing/rating.c: pieces, charges, corrections, what came late. [any] */
#include "billing/rating.h"

#include "base/text.h"

#define NOTES_FIRST 32

/* A plan version's share of a period. */
struct piece {
    const struct ll_plan_version *plan;
    struct ll_days days;
    uint32_t segment; /* its number, if there are several; else 0 */
};

struct work {
    const struct ll_rate *rate;
    struct ll_arena *arena;
    struct ll_rated *out;
    struct ll_err *err;
};

static linli_status
fail_memory(struct ll_err *err)
{
    return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an invoice");
}

/* -- spans -- */

int64_t
ll_span_to(const struct ll_sub *sub, struct ll_period period)
{
    return ll_local_midnight(sub->local, period.to);
}

int64_t
ll_span_from(const struct ll_billing *billing, const struct ll_sub *sub,
    struct ll_period period)
{
    const struct ll_plan_version *first =
        ll_plan_by_id(billing, sub->versions[0].version);
    int32_t from = period.from;
    if (first != NULL && first->plan.trial_usage_free &&
        sub->rhythm.start + sub->trial_days > from)
        from = sub->rhythm.start + sub->trial_days;
    return ll_local_midnight(sub->local, from < period.to ? from : period.to);
}

bool
ll_span_wants_amounts(const struct ll_plan *plan, linli_str meter)
{
    for (uint32_t i = 0; i < plan->charge_count; i++)
        if (ll_charge_of_amounts(&plan->charges[i]) &&
            ll_str_eq(plan->charges[i].meter, meter))
            return true;
    return false;
}

/* -- notes: what each line is of -- */

static linli_status
note(struct work *w, const struct ll_line_note *note)
{
    struct ll_rated *out = w->out;
    uint32_t count = out->invoice.lines.count;
    if (count > out->note_cap) {
        uint32_t cap = out->note_cap == 0 ? NOTES_FIRST : out->note_cap;
        while (cap < count)
            cap *= 2;
        struct ll_line_note *notes =
            ll_arena_alloc(w->arena, cap * sizeof *notes);
        if (notes == NULL)
            return fail_memory(w->err);
        if (out->note_cap > 0)
            memcpy(notes, out->notes, out->note_cap * sizeof *notes);
        out->notes = notes;
        out->note_cap = cap;
    }
    /* Those that have none yet: a period is never [0, 0). */
    for (uint32_t i = count; i > 0 && out->notes[i - 1].period.to == 0; i--)
        out->notes[i - 1] = *note;
    return LINLI_OK;
}

/* -- pieces -- */

static linli_status
find_plan(const struct work *w, uint32_t id, const struct ll_plan_version **out)
{
    *out = ll_plan_by_id(w->rate->billing, id);
    if (*out != NULL)
        return LINLI_OK;
    return ll_fail(w->err, LINLI_E_INTERNAL, "store/corrupt",
        "plan version %u is not there", id);
}

struct pieces {
    struct piece at[2 * LL_SUB_VERSIONS_MAX];
    uint32_t count;
};

/* That of a version; made, without days, if there is none. */
static linli_status
piece_of(struct work *w, struct pieces *pieces, uint32_t version,
    int32_t period, struct piece **out)
{
    for (uint32_t i = 0; i < pieces->count; i++)
        if (pieces->at[i].plan->id == version) {
            *out = &pieces->at[i];
            return LINLI_OK;
        }
    if (pieces->count == LL_COUNT(pieces->at))
        return ll_fail(w->err, LINLI_E_LIMIT, "pricing/overflow",
            "more than %zu plan versions in a period", LL_COUNT(pieces->at));
    struct piece *piece = &pieces->at[pieces->count++];
    *piece = (struct piece){.days = {0, period}};
    *out = piece;
    return find_plan(w, version, &piece->plan);
}

/* What a period owes in arrears: those of one version are one, as their use
 * stands in the same buckets. A version that something was counted for has a
 * piece in any case. */
static linli_status
find_pieces(struct work *w, const struct ll_span *span, struct pieces *pieces)
{
    struct ll_subscription life;
    struct ll_sub_piece raw[LL_SUB_VERSIONS_MAX];
    int32_t period = span->period.to - span->period.from;
    struct piece *piece;
    linli_status status = LINLI_OK;
    pieces->count = 0;
    ll_sub_life(w->rate->sub, &life);
    uint32_t count =
        ll_sub_pieces(&life, w->rate->sub->local, span->period, raw);
    for (uint32_t i = 0; i < count && status == LINLI_OK; i++) {
        status = piece_of(w, pieces, raw[i].version, period, &piece);
        if (status == LINLI_OK)
            piece->days.billed += raw[i].days.billed;
    }
    for (uint32_t i = 0; i < span->sums.count && status == LINLI_OK; i++)
        status = piece_of(w, pieces, span->sums.at[i].version, period, &piece);
    for (uint32_t i = 0; pieces->count > 1 && i < pieces->count; i++)
        pieces->at[i].segment = i + 1;
    return status;
}

/* -- use -- */

static bool
is_advance(const struct ll_charge *charge)
{
    return charge->kind == LL_CHARGE_FLAT && charge->timing == LL_ADVANCE;
}

static int64_t
seats_of(const struct ll_sub *sub, const struct ll_charge *charge)
{
    return charge->per == LL_PER_NONE ? LL_MICRO : sub->seats_micro;
}

/* The amounts of a charge's meter, as the engine reads them. */
static linli_status
put_amounts(struct work *w, const struct ll_span *span,
    const struct ll_span_amounts *wanted, struct ll_used *used)
{
    const struct ll_amounts *amounts = NULL;
    for (uint32_t i = 0; i < span->amount_count; i++)
        if (span->amounts[i].version == wanted->version &&
            span->amounts[i].before == wanted->before &&
            ll_str_eq(span->amounts[i].meter, wanted->meter))
            amounts = &span->amounts[i].amounts;
    used->amount_count = 0;
    if (amounts == NULL || amounts->count == 0)
        return LINLI_OK;
    int64_t *fen = ll_arena_alloc(w->arena, amounts->count * sizeof *fen);
    if (fen == NULL)
        return fail_memory(w->err);
    for (uint32_t i = 0; i < amounts->count; i++)
        fen[i] = amounts->at[i].fen;
    used->amounts = fen;
    used->amount_count = amounts->count;
    return LINLI_OK;
}

/* What was used of a charge's meter under a piece's version. */
static linli_status
put_used(struct work *w, const struct ll_span *span, const struct piece *piece,
    const struct ll_charge *charge, struct ll_used *used)
{
    *used =
        (struct ll_used){.days = piece->days, .rounding = LL_ROUND_HALF_AWAY};
    if (charge->meter.len == 0) {
        used->quantity_micro = seats_of(w->rate->sub, charge);
        return LINLI_OK;
    }
    const struct ll_sum *sum =
        ll_sums_of(&span->sums, charge->meter, piece->plan->id);
    struct ll_span_amounts wanted = {
        .meter = charge->meter, .version = piece->plan->id};
    if (ll_charge_of_amounts(charge))
        return put_amounts(w, span, &wanted, used);
    used->quantity_micro = sum == NULL ? 0 : sum->quantity_micro;
    return LINLI_OK;
}

static linli_status
rate_piece(
    struct work *w, const struct ll_span *span, const struct piece *piece)
{
    const struct ll_plan *plan = &piece->plan->plan;
    struct ll_mark mark = {.segment = piece->segment};
    linli_status status = LINLI_OK;
    for (uint32_t i = 0; i < plan->charge_count && status == LINLI_OK; i++) {
        const struct ll_charge *charge = &plan->charges[i];
        struct ll_used used;
        struct ll_line_note about = {.version = piece->plan->id,
            .charge = charge,
            .period = span->period};
        if (is_advance(charge))
            continue;
        if (charge->kind == LL_CHARGE_FLAT)
            about.days = piece->days;
        status = put_used(w, span, piece, charge, &used);
        if (status == LINLI_OK)
            status =
                ll_invoice_rate(&w->out->invoice, charge, &used, mark, w->err);
        if (status == LINLI_OK)
            status = note(w, &about);
    }
    return status;
}

static linli_status
rate_arrears(struct work *w, const struct ll_span *span)
{
    struct pieces pieces;
    linli_status status = find_pieces(w, span, &pieces);
    for (uint32_t i = 0; i < pieces.count && status == LINLI_OK; i++)
        status = rate_piece(w, span, &pieces.at[i]);
    return status;
}

/* -- what came late -- */

static const struct ll_billed *
billed_of(const struct ll_span *span, linli_str meter, uint32_t version)
{
    for (uint32_t i = 0; i < span->before_count; i++)
        if (span->before[i].version == version &&
            ll_str_eq(span->before[i].meter, meter))
            return &span->before[i];
    return NULL;
}

/* rated(now) - rated(billed) of one charge. */
static linli_status
rate_step(struct work *w, const struct ll_span *span, const struct piece *piece,
    const struct ll_charge *charge, struct ll_mark mark)
{
    struct ll_used now, before;
    linli_status status = put_used(w, span, piece, charge, &now);
    if (status != LINLI_OK)
        return status;
    const struct ll_billed *billed =
        billed_of(span, charge->meter, piece->plan->id);
    before = now;
    before.quantity_micro = billed == NULL ? 0 : billed->quantity_micro;
    struct ll_span_amounts wanted = {
        .meter = charge->meter, .version = piece->plan->id, .before = true};
    if (ll_charge_of_amounts(charge))
        status = put_amounts(w, span, &wanted, &before);
    struct ll_rerate step = {.before = &before, .now = &now};
    struct ll_line_note about = {
        .version = piece->plan->id, .charge = charge, .period = span->period};
    if (status == LINLI_OK)
        status = ll_invoice_difference(
            &w->out->invoice, charge, &step, mark, w->err);
    return status == LINLI_OK ? note(w, &about) : status;
}

static linli_status
rate_late(struct work *w, const struct ll_span *span)
{
    struct pieces pieces;
    char label[16];
    ll_period_label(&w->rate->sub->rhythm, span->period, label);
    linli_str period = ll_arena_str(w->arena, ll_cstr(label));
    linli_status status = period.ptr == NULL ? fail_memory(w->err)
                                             : find_pieces(w, span, &pieces);
    for (uint32_t i = 0; status == LINLI_OK && i < pieces.count; i++) {
        const struct piece *piece = &pieces.at[i];
        const struct ll_plan *plan = &piece->plan->plan;
        struct ll_mark mark = {period, piece->segment};
        for (uint32_t c = 0; status == LINLI_OK && c < plan->charge_count; c++)
            if (plan->charges[c].meter.len > 0 &&
                !is_advance(&plan->charges[c]))
                status = rate_step(w, span, piece, &plan->charges[c], mark);
    }
    return status;
}

/* -- fees in advance -- */

/* The subscription's life as it was known at an instant. What ends later had
 * not ended; an end with the period changes nothing of its fee. */
static void
life_at(const struct ll_sub *sub, int64_t at_ms, struct ll_subscription *out)
{
    ll_sub_life(sub, out);
    while (out->version_count > 1 &&
           out->versions[out->version_count - 1].from_ms > at_ms)
        out->version_count--;
    while (out->pause_count > 0 &&
           out->pauses[out->pause_count - 1].from_ms > at_ms)
        out->pause_count--;
    if (out->pause_count > 0 && out->pauses[out->pause_count - 1].to_ms > at_ms)
        out->pauses[out->pause_count - 1].to_ms = LL_NO_END;
    out->end_ms = LL_NO_END;
}

/* What was billed, or is, of a period's fees as it began. */
static uint32_t
advance_piece(const struct ll_sub *sub, struct ll_period period, int64_t at_ms,
    struct ll_sub_piece *out)
{
    struct ll_subscription life;
    struct ll_sub_piece pieces[LL_SUB_VERSIONS_MAX];
    life_at(sub, at_ms, &life);
    uint32_t count = ll_sub_pieces(&life, sub->local, period, pieces);
    if (count == 0)
        return 0;
    *out = pieces[count - 1];
    return 1;
}

static linli_status
rate_advance(struct work *w)
{
    const struct ll_turn *turn = &w->rate->turn;
    struct ll_sub_piece piece;
    const struct ll_plan_version *plan = NULL;
    if (advance_piece(w->rate->sub, turn->advance, turn->due_ms, &piece) == 0)
        return LINLI_OK;
    linli_status status = find_plan(w, piece.version, &plan);
    for (uint32_t i = 0; status == LINLI_OK && i < plan->plan.charge_count;
         i++) {
        const struct ll_charge *charge = &plan->plan.charges[i];
        struct ll_used used = {.days = piece.days,
            .rounding = LL_ROUND_HALF_AWAY,
            .quantity_micro = seats_of(w->rate->sub, charge)};
        struct ll_line_note about = {
            plan->id, charge, turn->advance, piece.days, true};
        if (!is_advance(charge))
            continue;
        status = ll_invoice_rate(
            &w->out->invoice, charge, &used, LL_MARK_NONE, w->err);
        if (status == LINLI_OK)
            status = note(w, &about);
    }
    return status;
}

/* A fee of a whole period, and how many of it. One with a minimum, a maximum
 * or a discount of its own is taken as what it comes to. */
static linli_status
fee_of(struct work *w, const struct ll_plan_version *plan, linli_str id,
    int64_t *fen, int64_t *micro)
{
    const struct ll_charge *charge =
        plan == NULL ? NULL : ll_plan_charge(&plan->plan, id);
    *fen = *micro = 0;
    if (charge == NULL || !is_advance(charge))
        return LINLI_OK;
    *micro = seats_of(w->rate->sub, charge);
    *fen = charge->amount_fen;
    if (charge->line_discount_bp == 0 && charge->min_fen == LL_PLAN_UNSET &&
        charge->max_fen == LL_PLAN_UNSET)
        return LINLI_OK;
    struct ll_lines lines = {.arena = w->arena};
    struct ll_used used = {.days = {1, 1},
        .rounding = LL_ROUND_HALF_AWAY,
        .quantity_micro = *micro};
    *micro = LL_MICRO;
    return ll_charge_rate(charge, &used, &lines, fen, w->err);
}

/* A change of fees: of all charges in advance of either version, for so many
 * days; either may be NULL. */
struct change {
    const struct ll_plan_version *old, *new;
    struct ll_days days;
    struct ll_period period;
    uint32_t segment;
};

/* What is charged from the change on is the new version's. */
static void
name_new(struct work *w, uint32_t first, const struct ll_plan_version *new,
    linli_str id)
{
    const struct ll_charge *charge = ll_plan_charge(&new->plan, id);
    struct ll_rated *out = w->out;
    for (uint32_t i = first; i < out->invoice.lines.count; i++)
        if (out->invoice.lines.at[i].part == LL_PART_CHARGE) {
            out->notes[i].version = new->id;
            if (charge != NULL)
                out->notes[i].charge = charge;
        }
}

static linli_status
change_charge(struct work *w, const struct change *change,
    const struct ll_plan_version *whose, const struct ll_charge *charge)
{
    struct ll_fee_change fees = {.days = change->days};
    struct ll_line_note about = {
        whose->id, charge, change->period, change->days, true};
    uint32_t first = w->out->invoice.lines.count;
    linli_status status =
        fee_of(w, change->old, charge->id, &fees.old_fen, &fees.old_micro);
    if (status == LINLI_OK)
        status =
            fee_of(w, change->new, charge->id, &fees.new_fen, &fees.new_micro);
    if (status == LINLI_OK)
        status = ll_invoice_change(&w->out->invoice, charge, &fees, w->err);
    for (uint32_t i = first; i < w->out->invoice.lines.count; i++)
        w->out->invoice.lines.at[i].mark.segment = change->segment;
    if (status == LINLI_OK)
        status = note(w, &about);
    if (status == LINLI_OK && change->new != NULL)
        name_new(w, first, change->new, charge->id);
    return status;
}

static linli_status
change_fees(struct work *w, const struct change *change)
{
    const struct ll_plan_version *both[] = {change->old, change->new};
    linli_status status = LINLI_OK;
    for (int n = 0; n < 2; n++) {
        const struct ll_plan *plan = both[n] == NULL ? NULL : &both[n]->plan;
        for (uint32_t i = 0;
             status == LINLI_OK && plan != NULL && i < plan->charge_count;
             i++) {
            const struct ll_charge *charge = &plan->charges[i], *old;
            old = n == 0 || both[0] == NULL
                      ? NULL
                      : ll_plan_charge(&both[0]->plan, charge->id);
            /* Of what both have once. */
            if (is_advance(charge) && (old == NULL || !is_advance(old)))
                status = change_charge(w, change, both[n], charge);
        }
    }
    return status;
}

/* Days billed of a version and not owed come back; days owed and not billed
 * are charged. */
static linli_status
correct(struct work *w, const struct ll_plan_version *plan, int32_t days,
    struct change change)
{
    if (days == 0)
        return LINLI_OK;
    change.old = days > 0 ? plan : NULL;
    change.new = days > 0 ? NULL : plan;
    change.days.billed = days > 0 ? days : -days;
    return change_fees(w, &change);
}

/* All that was billed of a period's fees. */
static linli_status
give_back(
    struct work *w, const struct ll_sub_piece *billed, struct ll_period period)
{
    struct change change = {
        .period = period, .days = {0, period.to - period.from}};
    const struct ll_plan_version *plan = NULL;
    linli_status status = find_plan(w, billed->version, &plan);
    return status == LINLI_OK ? correct(w, plan, billed->days.billed, change)
                              : status;
}

/* What the fees of the period before, billed as it began, turned out to be:
 * two lines for each change of the plan, and the days of pauses and after the
 * end. */
static linli_status
rate_changes(struct work *w, struct ll_period period)
{
    const struct ll_sub *sub = w->rate->sub;
    struct ll_subscription life;
    struct ll_sub_piece pieces[LL_SUB_VERSIONS_MAX], first;
    int64_t began = ll_local_midnight(sub->local, period.from);
    began = began > sub->start_ms ? began : sub->start_ms;
    ll_sub_life(sub, &life);
    uint32_t count = ll_sub_pieces(&life, sub->local, period, pieces);
    if (advance_piece(sub, period, began, &first) == 0)
        return LINLI_OK;
    if (count == 0) /* it ended as the period began: no instant was theirs */
        return give_back(w, &first, period);
    const struct ll_plan_version *plan = NULL, *next = NULL;
    int32_t left = first.days.billed;
    linli_status status = find_plan(w, pieces[0].version, &plan);
    for (uint32_t i = 0; i < count && status == LINLI_OK; i++) {
        struct change change = {.period = period,
            .days = {0, period.to - period.from},
            .segment = count > 1 ? i + 1 : 0};
        int32_t after = 0;
        if (i + 1 < count) {
            after = ll_sub_days_left(&life, sub->local, pieces[i + 1].from_ms)
                        .billed;
            status = find_plan(w, pieces[i + 1].version, &next);
        }
        if (status == LINLI_OK)
            status =
                correct(w, plan, left - after - pieces[i].days.billed, change);
        if (status == LINLI_OK && i + 1 < count && after > 0) {
            change.old = plan;
            change.new = next;
            change.days.billed = after;
            change.segment = count > 2 ? i + 1 : 0;
            status = change_fees(w, &change);
        }
        left = after;
        plan = next;
    }
    return status;
}

/* -- the whole -- */

/* No two lines have one key: people name them by it. */
static void
tell_apart(struct ll_lines *lines)
{
    for (uint32_t i = 1; i < lines->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (ll_line_same(&lines->at[i], &lines->at[j])) {
                lines->at[i].mark.segment++;
                j = UINT32_MAX; /* once more, from the first */
            }
}

/* Each line's part of its charge's net and tax: differences of rounded sums,
 * so that they sum to it exactly, whatever their signs. */
static linli_status
share_out(struct work *w)
{
    struct ll_invoice *invoice = &w->out->invoice;
    size_t bytes = (invoice->lines.count + 1) * sizeof(int64_t);
    int64_t *nets = ll_arena_alloc(w->arena, bytes);
    int64_t *taxes = ll_arena_alloc(w->arena, bytes);
    if (nets == NULL || taxes == NULL)
        return fail_memory(w->err);
    for (uint32_t n = 0; n < invoice->item_count; n++) {
        const struct ll_item *item = &invoice->items[n];
        int64_t sum = 0, net = 0, tax = 0;
        for (uint32_t i = 0; i < invoice->lines.count; i++) {
            const struct ll_line *line = &invoice->lines.at[i];
            int64_t to_net = 0, to_tax = 0;
            if (line->part == LL_PART_INVOICE_DISCOUNT ||
                !ll_str_eq(line->of, item->charge))
                continue;
            sum += line->amount_fen; /* it fits: so does the subtotal */
            int64_t sign = item->subtotal_fen < 0 ? -1 : 1;
            int64_t whole = sign * item->subtotal_fen;
            if (whole != 0 &&
                (!ll_fen_share(item->net_fen, sign * sum, whole, &to_net) ||
                    !ll_fen_share(item->tax_fen, sign * sum, whole, &to_tax)))
                return ll_charge_overflow(item->charge, w->err);
            nets[i] = to_net - net;
            taxes[i] = to_tax - tax;
            net = to_net;
            tax = to_tax;
        }
    }
    w->out->nets = nets;
    w->out->taxes = taxes;
    return LINLI_OK;
}

/* The version whose discounts and tax hold: the one in force as the period
 * begins, or in the end. */
static linli_status
choose_plan(struct work *w)
{
    const struct ll_sub *sub = w->rate->sub;
    uint32_t n = sub->version_count;
    while (n > 1 && sub->versions[n - 1].from_ms > w->rate->turn.due_ms)
        n--;
    return find_plan(w, sub->versions[n - 1].version, &w->out->plan);
}

linli_status
ll_rate_turn(struct ll_arena *arena, const struct ll_rate *rate,
    struct ll_rated *out, struct ll_err *err)
{
    struct work w = {.rate = rate, .arena = arena, .out = out, .err = err};
    struct ll_line_note discounts = {.version = 0};
    uint32_t at = 0;
    *out = (struct ll_rated){.plan = NULL};
    linli_status status = choose_plan(&w);
    if (status != LINLI_OK)
        return status;
    ll_invoice_begin(&out->invoice, arena, &out->plan->plan);
    if (rate->turn.has_before) {
        status = rate_arrears(&w, &rate->spans[at++]);
        if (status == LINLI_OK)
            status = rate_changes(&w, rate->turn.before);
    }
    for (; at < rate->span_count && status == LINLI_OK; at++)
        status = rate_late(&w, &rate->spans[at]);
    if (status == LINLI_OK && rate->turn.has_advance)
        status = rate_advance(&w);
    if (status == LINLI_OK)
        tell_apart(&out->invoice.lines);
    if (status == LINLI_OK)
        status = ll_invoice_close(&out->invoice, err);
    discounts.period =
        rate->turn.has_advance ? rate->turn.advance : rate->turn.before;
    if (status == LINLI_OK)
        status = note(&w, &discounts);
    return status == LINLI_OK ? share_out(&w) : status;
}
