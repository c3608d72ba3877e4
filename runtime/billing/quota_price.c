/* billing/quota_price.c: what a period would cost with one more. [loop]
 *
 * The same engine as the invoice, with every line rounded up: what is admitted
 * is never less than what will be billed. Where an invoice looks at single
 * amounts, this takes them together, to the payer's safety: as the fewest that
 * could be free.
 */
#include "base/hash.h"
#include "base/text.h"
#include "billing/invoices.h"
#include "billing/money.h"
#include "billing/quota.h"
#include "billing/sums.h"
#include "domain/pricing_invoice.h"

#define AMOUNTS_MAX 64 /* that stand for all amounts of a meter */

void
ll_quota_drop_prices(struct ll_window *window)
{
    struct ll_mem *mem = window->billing->mem;
    ll_release(
        mem, window->others, window->other_count * sizeof *window->others);
    ll_release(mem, window->pieces, window->piece_cap * sizeof *window->pieces);
    window->others = NULL;
    window->pieces = NULL;
    window->other_count = window->piece_count = window->piece_cap = 0;
}

/* The plan's own name of a meter; empty: it has none of it. */
static linli_str
name_in(const struct ll_plan *plan, linli_str meter)
{
    for (uint32_t i = 0; i < plan->charge_count; i++)
        if (ll_str_eq(plan->charges[i].meter, meter))
            return plan->charges[i].meter;
    return (linli_str){NULL, 0};
}

bool
ll_quota_keep_others(struct ll_window *window, const struct ll_sums *sums)
{
    ll_check(window->others == NULL);
    if (sums->count == 0)
        return true;
    struct ll_quota_other *others =
        ll_alloc(window->billing->mem, sums->count * sizeof *others);
    if (others == NULL)
        return false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < sums->count; i++) {
        const struct ll_sum *sum = &sums->at[i];
        const struct ll_plan_version *plan =
            ll_plan_by_id(window->billing, sum->version);
        if (plan == NULL || plan == window->plan)
            continue;
        linli_str name = name_in(&plan->plan, sum->meter);
        if (name.len > 0)
            others[count++] = (struct ll_quota_other){
                plan->id, name, sum->quantity_micro, sum->count};
    }
    window->others =
        count == 0 ? NULL
                   : ll_realloc(window->billing->mem, others,
                         sums->count * sizeof *others, count * sizeof *others);
    if (window->others == NULL)
        ll_release(window->billing->mem, others, sums->count * sizeof *others);
    window->other_count = window->others == NULL ? 0 : count;
    return count == 0 || window->others != NULL;
}

/* -- pieces of the period -- */

/* Changes with whatever an act changes of its life. */
static uint64_t
life_of(const struct ll_sub *sub)
{
    const uint64_t parts[] = {(uint64_t)sub->acted_ms, (uint64_t)sub->end_ms,
        sub->version_count, sub->pause_count};
    return ll_fnv((linli_str){(const char *)parts, sizeof parts});
}

static bool
have_pieces(struct ll_window *window, const struct ll_sub *sub)
{
    struct ll_sub_piece pieces[LL_SUB_VERSIONS_MAX];
    struct ll_subscription life;
    struct ll_mem *mem = window->billing->mem;
    uint64_t mark = life_of(sub);
    if (window->pieces != NULL && window->life == mark)
        return true;
    ll_sub_life(sub, &life);
    uint32_t count = ll_sub_pieces(
        &life, sub->local, ll_sub_period_at(sub, window->span.from_ms), pieces);
    if (window->piece_cap < count + 1) {
        struct ll_sub_piece *more = ll_realloc(mem, window->pieces,
            window->piece_cap * sizeof *more, (count + 1) * sizeof *more);
        if (more == NULL)
            return false;
        window->pieces = more;
        window->piece_cap = count + 1;
    }
    memcpy(window->pieces, pieces, count * sizeof *pieces);
    window->piece_count = count;
    window->life = mark;
    return true;
}

/* -- a price -- */

struct trial {
    struct ll_window *window;
    const struct ll_sub *sub;
    const struct ll_quota_meter *meter; /* NULL: as it is */
    int64_t all_micro, events;          /* of that meter */
    bool usage_only;
    struct ll_arena *arena;
    struct ll_invoice invoice;
};

struct quantity {
    int64_t micro, events;
};

static struct quantity
quantity_of(
    const struct trial *t, const struct ll_plan_version *plan, linli_str meter)
{
    const struct ll_window *w = t->window;
    if (plan == w->plan) {
        const struct ll_quota_meter *m = ll_window_meter(w, meter);
        if (m == NULL)
            return (struct quantity){0, 0};
        if (m == t->meter)
            return (struct quantity){t->all_micro, t->events};
        return (struct quantity){
            m->is.used_micro + m->is.reserved_micro, m->events};
    }
    for (uint32_t i = 0; i < w->other_count; i++)
        if (w->others[i].version == plan->id &&
            ll_str_eq(w->others[i].meter, meter))
            return (struct quantity){w->others[i].micro, w->others[i].events};
    return (struct quantity){0, 0};
}

/* All amounts as few: their sum, and noughts. What would be free by number is
 * not; a fee for each is spread over those few, rounded up. */
static const struct ll_charge *
join_amounts(const struct trial *t, const struct ll_charge *charge,
    struct quantity quantity, struct ll_used *used)
{
    struct ll_charge *joined = ll_arena_alloc(t->arena, sizeof *joined);
    int64_t *amounts = ll_arena_alloc(t->arena, AMOUNTS_MAX * sizeof *amounts);
    if (joined == NULL || amounts == NULL || quantity.micro < 0)
        return NULL;
    int64_t count = quantity.events < 1 ? 1 : quantity.events;
    int64_t few = count < AMOUNTS_MAX ? count : AMOUNTS_MAX;
    *joined = *charge;
    if (charge->free_events >= 0)
        joined->free_events = joined->free_amount_fen = LL_PLAN_UNSET;
    if (!ll_wide_divide((ll_wide)charge->fixed_fen * count, few, LL_ROUND_UP,
            &joined->fixed_fen))
        return NULL;
    amounts[0] = quantity.micro / LL_MICRO + (quantity.micro % LL_MICRO > 0);
    used->amounts = amounts;
    used->amount_count = quantity.micro == 0 ? 0 : (uint32_t)few;
    return joined;
}

static bool
rate_charge(struct trial *t, const struct ll_sub_piece *piece,
    const struct ll_plan_version *plan, const struct ll_charge *charge)
{
    struct ll_used used = {.days = piece->days, .rounding = LL_ROUND_UP};
    struct ll_err err;
    if (charge->kind == LL_CHARGE_FLAT) {
        if (t->usage_only && charge->timing == LL_ADVANCE)
            return true;
        used.quantity_micro =
            charge->per == LL_PER_NONE ? LL_MICRO : t->sub->seats_micro;
    } else {
        struct quantity quantity = quantity_of(t, plan, charge->meter);
        used.quantity_micro = quantity.micro < 0 ? 0 : quantity.micro;
        if (ll_charge_of_amounts(charge))
            charge = join_amounts(t, charge, quantity, &used);
    }
    return charge != NULL && ll_invoice_rate(&t->invoice, charge, &used,
                                 LL_MARK_NONE, &err) == LINLI_OK;
}

/* False: it does not fit, so nobody can afford it. */
static bool
price(struct trial *t, int64_t *fen)
{
    struct ll_window *w = t->window;
    struct ll_err err;
    *fen = INT64_MAX;
    if (!have_pieces(w, t->sub))
        return false;
    t->arena = &w->billing->quotas->scratch;
    ll_arena_reset(t->arena);
    ll_invoice_begin(&t->invoice, t->arena, &w->plan->plan);
    for (uint32_t i = 0; i < w->piece_count; i++) {
        const struct ll_sub_piece *piece = &w->pieces[i];
        const struct ll_plan_version *plan =
            ll_plan_by_id(w->billing, piece->version);
        for (uint32_t j = 0; plan != NULL && j < plan->plan.charge_count; j++)
            if (!rate_charge(t, piece, plan, &plan->plan.charges[j]))
                return false;
    }
    if (ll_invoice_close(&t->invoice, &err) != LINLI_OK)
        return false;
    *fen = t->invoice.total_fen;
    return true;
}

/* -- what bears it -- */

/* What was paid beforehand, less what is owed already. */
static int64_t
balance(const struct ll_billing *billing, const struct ll_sub *sub)
{
    struct ll_account_text text;
    int64_t left =
        ll_wallet_balance(billing, sub->id, ll_world_wall(billing->world).ms);
    int64_t owed = ll_books_balance(
        billing, sub->community, ll_account_sub(&text, "receivable", sub->id));
    if (owed > 0 && !ll_fen_add(&left, -owed))
        return 0;
    return left > 0 ? left : 0;
}

/* What the period before used, while that is a draft and no account has it. */
static int64_t
cost_before(const struct ll_window *window, const struct ll_sub *sub)
{
    int64_t at_ms = window->span.from_ms - 1, fen = 0;
    const struct ll_plan_version *plan =
        ll_sub_plan_at(window->billing, sub, at_ms);
    struct trial t = {.window = plan == NULL ? NULL
                                             : ll_quota_find(window->billing,
                                                   sub, plan, at_ms),
        .sub = sub,
        .usage_only = true};
    if (t.window == NULL || t.window->state != LL_WINDOW_KNOWN ||
        t.window->span.free)
        return 0;
    (void)price(&t, &fen);
    return fen;
}

/* Prepaid: what is drafted, and then the fees of this period too, is in no
 * account yet. */
static int64_t
cost_prepaid(struct trial *t)
{
    int64_t fen, before = 0;
    bool drafted = ll_inv_first_draft(t->window->billing, t->sub->id) != NULL;
    if (drafted)
        before = cost_before(t->window, t->sub);
    t->usage_only = !drafted;
    (void)price(t, &fen);
    return ll_fen_add(&fen, before) ? fen : INT64_MAX;
}

/* What it costs, and what it may. False: nothing limits it. */
static bool
weigh(struct trial *t, int64_t *cost_fen, int64_t *most_fen)
{
    const struct ll_window *w = t->window;
    bool asked = false;
    *cost_fen = 0;
    *most_fen = INT64_MAX;
    if (t->sub == NULL || w->span.free)
        return false;
    if (t->sub->cap_fen >= 0) {
        (void)price(t, cost_fen);
        *most_fen = t->sub->cap_fen;
        asked = true;
    }
    if (w->plan->plan.credit_only && (!asked || *cost_fen <= *most_fen)) {
        *cost_fen = cost_prepaid(t);
        *most_fen = balance(w->billing, t->sub);
        asked = true;
    }
    return asked;
}

bool
ll_quota_affords(
    const struct ll_quota_meter *meter, int64_t all_micro, int64_t events)
{
    struct ll_window *window = meter->window;
    struct trial t = {.window = window,
        .sub = ll_sub_by_id(window->billing, window->sub),
        .meter = meter,
        .all_micro = all_micro,
        .events = events};
    int64_t cost_fen, most_fen;
    return !weigh(&t, &cost_fen, &most_fen) || cost_fen <= most_fen;
}

bool
ll_quota_cost(struct ll_window *window, int64_t *cost_fen, int64_t *most_fen)
{
    struct trial t = {
        .window = window, .sub = ll_sub_by_id(window->billing, window->sub)};
    return weigh(&t, cost_fen, most_fen);
}
