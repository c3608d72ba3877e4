/* tests/unit/test_rating.c: what invoices bill, given sums: over whole random
 * lives of subscriptions the fees are those of the days that were owed, no more
 * and no less, whenever the plan was changed, paused or ended; and what comes
 * late is the difference. */
#include "billing/rating.h"
#include "billing_fixture.h"
#include "dice.h"

#define FEE 377580 /* is divided by 28, 29, 30 and 31 */
#define PLANS 3
#define LIVES 4000

/* One of a fee in advance, without tax. */
static const char *const bodies[PLANS] = {
    "{\"name\":\"a\",\"plugin\":\"parking\",\"plan\":{\"interval\":\"month\","
    "\"anchor\":\"calendar\",\"charges\":[{\"id\":\"fee\",\"kind\":\"flat\","
    "\"amount_fen\":377580},{\"id\":\"hours\",\"kind\":\"graduated\","
    "\"meter\":\"hours\",\"tiers\":[{\"up_to\":\"10\",\"unit_fen\":\"100\"},"
    "{\"up_to\":null,\"unit_fen\":\"50\"}]}]}}",
    "{\"name\":\"b\",\"plugin\":\"parking\",\"plan\":{\"interval\":\"month\","
    "\"anchor\":\"calendar\",\"charges\":[{\"id\":\"fee\",\"kind\":\"flat\","
    "\"per\":\"seat\",\"amount_fen\":755160}]}}",
    "{\"name\":\"c\",\"plugin\":\"parking\",\"plan\":{\"interval\":\"month\","
    "\"anchor\":\"calendar\",\"charges\":[{\"id\":\"base\",\"kind\":\"flat\","
    "\"amount_fen\":1132740},{\"id\":\"late\",\"kind\":\"flat\","
    "\"timing\":\"arrears\",\"amount_fen\":377580}]}}"};
/* What a day's fees are of a whole period's, in FEE; by the plan. */
static const int64_t weights[PLANS] = {1, 2, 4};

struct world {
    struct shop s;
    const struct ll_plan_version *plans[PLANS];
    const struct ll_local *local;
};

static void
world_init(struct world *w)
{
    shop_init(&w->s, true);
    for (int i = 0; i < PLANS; i++)
        w->plans[i] = shop_plan(&w->s, bodies[i]);
    T_INT(ll_billing_zone(&w->s.billing, LINLI_STR("Asia/Shanghai"), &w->local,
              &w->s.e.f.err),
        LINLI_OK);
}

/* A subscription that is nowhere but here. */
static struct ll_sub
sub_of(const struct world *w, struct ll_subscription *life)
{
    static struct ll_sub_party nobody = {LL_PARTY_OPERATOR, {NULL, 0}, LL_BP};
    return (struct ll_sub){.id = 16,
        .community = HERE,
        .plugin = LINLI_STR("parking"),
        .payers = &nobody,
        .payer_count = 1,
        .rhythm = life->rhythm,
        .start_ms = life->start_ms,
        .end_ms = life->end_ms,
        .acted_ms = life->acted_ms,
        .trial_days = life->trial_days,
        .versions = life->versions,
        .pauses = life->pauses,
        .version_count = life->version_count,
        .pause_count = life->pause_count,
        .local = w->local,
        .zone = LINLI_STR("Asia/Shanghai"),
        .seats_micro = LL_MICRO};
}

/* Some months, in which all that can be done is done at any time. */
static void
live(struct world *w, uint64_t *seed, struct ll_subscription *life)
{
    struct ll_sub_terms terms = {LL_MONTH,
        dice_below(seed, 2) == 0 ? LL_CALENDAR : LL_ANNIVERSARY,
        dice_below(seed, 3) == 0 ? (int32_t)dice_below(seed, 40) : 0,
        w->plans[dice_below(seed, PLANS)]->id};
    int64_t now = NOW_MS + (int64_t)dice_below(seed, 90 * 24) * 3600000;
    ll_sub_begin(life, w->local, &terms, now);
    for (uint32_t acts = dice_below(seed, 9); acts > 0; acts--) {
        uint32_t version = w->plans[dice_below(seed, PLANS)]->id;
        now += (int64_t)dice_below(seed, 25 * 24) * 3600000;
        switch (dice_below(seed, 4)) {
        case 0:
            (void)ll_sub_upgrade(life, version, now);
            break;
        case 1:
            (void)ll_sub_downgrade(life, w->local, version, now);
            break;
        case 2:
            (void)ll_sub_pause(life, now);
            break;
        default:
            (void)ll_sub_resume(life, now);
        }
    }
    now += (int64_t)dice_below(seed, 40 * 24) * 3600000;
    if (dice_below(seed, 2) == 0)
        (void)ll_sub_cancel(life, now);
    else
        (void)ll_sub_cancel_at_end(life, w->local, now);
}

static int64_t
weight_of(const struct world *w, uint32_t version)
{
    for (int i = 0; i < PLANS; i++)
        if (w->plans[i]->id == version)
            return weights[i];
    return 0;
}

/* By days, from the pieces alone. */
static int64_t
owed(const struct world *w, const struct ll_subscription *life)
{
    struct ll_sub_piece pieces[LL_SUB_VERSIONS_MAX];
    int32_t end = ll_local_day_end(w->local, life->end_ms);
    int64_t sum = 0;
    for (int32_t n = 0;; n++) {
        struct ll_period period = ll_period_at(&life->rhythm, n);
        if (period.from >= end)
            return sum;
        uint32_t count = ll_sub_pieces(life, w->local, period, pieces);
        for (uint32_t i = 0; i < count; i++)
            sum += weight_of(w, pieces[i].version) * FEE *
                   pieces[i].days.billed / pieces[i].days.period;
    }
}

/* One invoice; its total. Its parts sum to it. */
static int64_t
rated(struct world *w, struct ll_arena *arena, const struct ll_rate *rate)
{
    struct ll_rated out;
    int64_t nets = 0, amounts = 0;
    ll_arena_reset(arena);
    T_INT(ll_rate_turn(arena, rate, &out, &w->s.e.f.err), LINLI_OK);
    for (uint32_t i = 0; i < out.invoice.lines.count; i++) {
        nets += out.nets[i] + out.taxes[i];
        amounts += out.invoice.lines.at[i].amount_fen;
        T_OK(out.notes[i].charge != NULL);
        for (uint32_t j = 0; j < i; j++)
            T_OK(!ll_line_same(
                &out.invoice.lines.at[i], &out.invoice.lines.at[j]));
    }
    T_INT(nets, out.invoice.total_fen);
    T_INT(amounts, out.invoice.total_fen);
    return out.invoice.total_fen;
}

/* All of a life, one after the other; as the calendar does, each with what is
 * known when it becomes final, which is all of it: that changes nothing. */
static int64_t
billed(struct world *w, struct ll_arena *arena, struct ll_sub *sub)
{
    struct ll_turn turn;
    int64_t sum = 0, due = INT64_MIN;
    int32_t k = 0;
    while (ll_turn_next(sub, &turn)) {
        struct ll_span span = {.period = turn.before};
        struct ll_rate rate = {
            &w->s.billing, sub, turn, &span, turn.has_before ? 1 : 0};
        T_INT(turn.k, k++);
        T_OK(turn.due_ms >= due);
        due = turn.due_ms;
        sum += rated(w, arena, &rate);
        T_OK(turn.next > sub->billed_to);
        sub->billed_to = turn.next;
        T_OK(turn.last == (turn.next == LL_BILLED_ALL));
    }
    T_OK(turn.k == 0 && k > 0);
    return sum;
}

T_CASE(fees_are_those_of_the_days_owed)
{
    struct world w;
    struct ll_arena arena;
    uint64_t seed = 11;
    uint32_t changed = 0;
    world_init(&w);
    ll_arena_init(&arena, &w.s.e.f.mem, (size_t)8 << 20);
    for (int n = 0; n < LIVES; n++) {
        struct ll_subscription life;
        live(&w, &seed, &life);
        if (life.end_ms == LL_NO_END)
            continue; /* it had ended before: nothing was done */
        struct ll_sub sub = sub_of(&w, &life);
        changed += life.version_count > 1 && life.pause_count > 0;
        T_INT(billed(&w, &arena, &sub), owed(&w, &life));
    }
    T_OK(changed > LIVES / 10);
    ll_arena_fini(&arena);
    shop_fini(&w.s);
}

/* An invoice that was made as its period began is the same when it is final,
 * whatever was done meanwhile. */
T_CASE(advance_is_as_the_period_began)
{
    struct world w;
    struct ll_arena arena;
    uint64_t seed = 5;
    world_init(&w);
    ll_arena_init(&arena, &w.s.e.f.mem, (size_t)8 << 20);
    for (int n = 0; n < LIVES / 4; n++) {
        struct ll_sub_terms terms = {LL_MONTH, LL_CALENDAR, 0, w.plans[0]->id};
        struct ll_subscription life;
        struct ll_turn turn;
        ll_sub_begin(&life, w.local, &terms, NOW_MS);
        struct ll_sub sub = sub_of(&w, &life);
        sub.billed_to = ll_period_at(&life.rhythm, 0).to;
        T_OK(ll_turn_next(&sub, &turn));
        struct ll_span span = {.period = turn.before};
        struct ll_rate rate = {&w.s.billing, &sub, turn, &span, 1};
        int64_t before = rated(&w, &arena, &rate);
        int64_t at = turn.due_ms + 1 + (int64_t)dice_below(&seed, 72) * 3600000;
        switch (dice_below(&seed, 3)) {
        case 0:
            T_INT(ll_sub_upgrade(&life, w.plans[1]->id, at), LL_SUB_OK);
            break;
        case 1:
            T_INT(ll_sub_pause(&life, at), LL_SUB_OK);
            break;
        default:
            T_INT(ll_sub_cancel(&life, at), LL_SUB_OK);
        }
        struct ll_sub then = sub_of(&w, &life);
        ll_turn_of(&then, turn.k, false, &rate.turn);
        rate.sub = &then;
        T_INT(rated(&w, &arena, &rate), before);
    }
    ll_arena_fini(&arena);
    shop_fini(&w.s);
}

/* Late use in a period that was billed, through the tiers of that period. */
T_CASE(late_use_is_the_difference)
{
    struct world w;
    struct ll_arena arena;
    struct ll_subscription life;
    struct ll_turn turn;
    struct ll_rated out;
    world_init(&w);
    ll_arena_init(&arena, &w.s.e.f.mem, (size_t)8 << 20);
    struct ll_sub_terms terms = {LL_MONTH, LL_CALENDAR, 0, w.plans[0]->id};
    ll_sub_begin(&life, w.local, &terms, NOW_MS);
    struct ll_sub sub = sub_of(&w, &life);
    ll_turn_of(&sub, 2, false, &turn);
    struct ll_sum now = {
        LINLI_STR("hours"), w.plans[0]->id, 15 * LL_MICRO, 9, 1, 90};
    struct ll_billed was = {
        LINLI_STR("hours"), w.plans[0]->id, 8 * LL_MICRO, 50};
    struct ll_span spans[] = {
        {.period = turn.before}, {.period = ll_period_at(&life.rhythm, 0),
                                     .sums = {&now, 1, 90},
                                     .before = &was,
                                     .before_count = 1}};
    struct ll_rate rate = {&w.s.billing, &sub, turn, spans, 2};
    T_INT(ll_rate_turn(&arena, &rate, &out, &w.s.e.f.err), LINLI_OK);
    T_INT(out.invoice.lines.count, 3);
    struct ll_buf key;
    ll_buf_init(&key, &w.s.e.f.mem, 256);
    ll_line_key(&out.invoice.lines.at[0], &key);
    T_STR(ll_buf_view(&key), "hours:t1:unit@2023-11");
    T_INT(out.invoice.lines.at[0].amount_fen, 200);
    T_INT(out.invoice.lines.at[1].amount_fen, 250);
    T_INT(out.invoice.lines.at[2].amount_fen, FEE);
    /* Taken back: less than nothing. */
    now.quantity_micro = 5 * LL_MICRO;
    T_INT(ll_rate_turn(&arena, &rate, &out, &w.s.e.f.err), LINLI_OK);
    T_INT(out.invoice.lines.at[0].amount_fen, -300);
    ll_buf_fini(&key);
    ll_arena_fini(&arena);
    shop_fini(&w.s);
}

T_MAIN(T_RUN(fees_are_those_of_the_days_owed)
        T_RUN(advance_is_as_the_period_began) T_RUN(late_use_is_the_difference))
