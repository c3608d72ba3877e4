/* tests/unit/test_money.c: what is owed, who gets what of it, payments,
 * refunds, credit notes and wallets. */
#include "docs_fixture.h"

#include "base/text.h"
#include "billing/pay.h"
#include "billing/settlement.h"
#include "dice.h"

/* -- what is owed, by itself -- */

static struct ll_owed
owed_of(int64_t total_fen, int64_t tax_fen)
{
    return (struct ll_owed){.total_fen = total_fen,
        .tax_fen = tax_fen,
        .terms = {
            .platform_bp = 1500, .platform_fixed_fen = 3, .channel_bp = 60}};
}

static linli_status
paid(struct ll_owed *owed, int64_t fen, struct ll_owed_move *move)
{
    struct ll_err err;
    *move = (struct ll_owed_move){.paid_fen = fen};
    return ll_owed_move(owed, move, &err);
}

T_CASE(many_small_refunds_end_where_one_would)
{
    struct ll_owed once = owed_of(10600, 600), often = once;
    struct ll_owed_move move;
    struct ll_share sum = {0, 0, 0};
    T_INT(paid(&once, 10600, &move), LINLI_OK);
    T_INT(move.base_fen, 10000);
    T_INT(move.share.platform_fen, 1503);
    T_INT(move.share.channel_fen, 60);
    T_INT(move.share.vendor_fen, 8437);
    often = once;
    T_INT(paid(&once, -7777, &move), LINLI_OK);
    for (int i = 0; i < 7777; i++) {
        struct ll_owed_move one;
        T_INT(paid(&often, -1, &one), LINLI_OK);
        T_INT(one.share.platform_fen + one.share.channel_fen +
                  one.share.vendor_fen,
            one.base_fen);
        sum.platform_fen += one.share.platform_fen;
        sum.channel_fen += one.share.channel_fen;
        sum.vendor_fen += one.share.vendor_fen;
    }
    T_INT(often.base_fen, once.base_fen);
    T_INT(sum.platform_fen, move.share.platform_fen);
    T_INT(sum.channel_fen, move.share.channel_fen);
    T_INT(sum.vendor_fen, move.share.vendor_fen);
    T_INT(paid(&often, -(10600 - 7777), &move), LINLI_OK);
    T_INT(often.base_fen, 0);
    T_OK(paid(&often, -1, &move) != LINLI_OK); /* nothing is paid */
}

T_CASE(what_is_paid_past_the_rest_is_theirs)
{
    struct ll_err err;
    struct ll_owed owed = owed_of(10600, 600);
    struct ll_owed_move move;
    T_INT(paid(&owed, 4000, &move), LINLI_OK);
    T_INT(move.over_fen, 0);
    T_INT(ll_owed_due(&owed), 6600);
    T_INT(paid(&owed, 7000, &move), LINLI_OK);
    T_INT(move.paid_fen, 6600);
    T_INT(move.over_fen, 400);
    T_INT(ll_owed_due(&owed), 0);
    move = (struct ll_owed_move){.credited_fen = 2120, .credited_tax_fen = 120};
    T_INT(ll_owed_move(&owed, &move, &err), LINLI_OK);
    T_INT(move.over_fen, 2120);
    T_INT(move.paid_fen, -2120);
    T_INT(owed.base_fen, 8000);
    T_INT(ll_owed_due(&owed), 0);
    move = (struct ll_owed_move){.credited_fen = 8481, .credited_tax_fen = 480};
    T_OK(ll_owed_move(&owed, &move, &err) != LINLI_OK);
    T_STR(ll_cstr(err.code), "ledger/too-much");
    move = (struct ll_owed_move){.credited_fen = 500, .credited_tax_fen = 481};
    T_OK(ll_owed_move(&owed, &move, &err) != LINLI_OK);
    T_INT(owed.base_fen, 8000);
    move = (struct ll_owed_move){.credited_fen = 8480, .credited_tax_fen = 480};
    T_INT(ll_owed_move(&owed, &move, &err), LINLI_OK);
    T_INT(owed.base_fen, 0);
    T_INT(owed.paid_fen, 0);
}

/* Any way there ends at the same sums. */
T_CASE(the_way_does_not_matter)
{
    uint64_t state = 7;
    for (int round = 0; round < 200; round++) {
        int64_t total = 1 + (int64_t)dice_below(&state, 100000);
        int64_t tax = (int64_t)dice_below(&state, (uint32_t)total);
        struct ll_owed owed = owed_of(total, tax), direct = owed;
        struct ll_owed_move move;
        struct ll_share sum = {0, 0, 0};
        for (int i = 0; i < 40; i++) {
            int64_t fen = (int64_t)dice_below(&state, (uint32_t)total);
            if (dice_below(&state, 2) == 0)
                fen = -(int64_t)dice_below(&state, (uint32_t)owed.paid_fen + 1);
            T_INT(paid(&owed, fen, &move), LINLI_OK);
            sum.platform_fen += move.share.platform_fen;
            sum.channel_fen += move.share.channel_fen;
            sum.vendor_fen += move.share.vendor_fen;
        }
        T_INT(paid(&direct, owed.paid_fen, &move), LINLI_OK);
        T_INT(direct.base_fen, owed.base_fen);
        T_INT(sum.platform_fen, move.share.platform_fen);
        T_INT(sum.channel_fen, move.share.channel_fen);
        T_INT(sum.vendor_fen, move.share.vendor_fen);
        T_OK(owed.paid_fen < total || owed.base_fen == total - tax);
    }
}

/* -- in the books -- */

struct desk {
    struct engine e;
    struct ll_billing billing;
    struct ll_err err;
};

static void
desk_open(struct desk *d)
{
    T_INT(ll_billing_open(
              &d->billing, &d->e.f.mem, &d->e.docs, d->e.f.world, &d->err),
        LINLI_OK);
}

static void
desk_begin(struct desk *d)
{
    engine_init(&d->e, false);
    desk_open(d);
}

static void
desk_again(struct desk *d)
{
    engine_settle(&d->e);
    engine_shut(&d->e);
    ll_billing_close(&d->billing);
    engine_open(&d->e);
    desk_open(d);
}

static void
desk_end(struct desk *d)
{
    engine_settle(&d->e);
    engine_shut(&d->e);
    ll_billing_close(&d->billing);
    T_INT(d->e.f.failures, 0);
    fixture_fini(&d->e.f);
}

#define GARDEN LINLI_STR("garden")

static int64_t
balance(const struct desk *d, const char *account)
{
    return ll_books_balance(&d->billing, GARDEN, ll_cstr(account));
}

static struct ll_bill_act
act_of(struct desk *d)
{
    return (struct ll_bill_act){.billing = &d->billing,
        .by = LINLI_STR("operator:o1"),
        .now_ms = NOW_MS};
}

/* An invoice of subscription 16 becomes final; what is due of it. */
static int64_t
bill(struct desk *d, int64_t invoice, const char *number, int64_t total,
    int64_t tax)
{
    struct ll_bill_act act = act_of(d);
    struct ll_bill b = {.invoice = invoice,
        .community = GARDEN,
        .number = ll_cstr(number),
        .plugin = LINLI_STR("hello"),
        .sub = 16,
        .owed = owed_of(total, tax)};
    const struct ll_posting postings[] = {
        {LINLI_STR("receivable:sub_16"), total},
        {LINLI_STR("revenue:hello"), tax - total}, {LINLI_STR("tax"), -tax}};
    struct ll_entry entry = {.community = GARDEN,
        .kind = LINLI_STR("invoice"),
        .ref = ll_cstr(number),
        .postings = postings,
        .count = 3,
        .at_ms = NOW_MS};
    T_INT(ll_bill_begin(&act, &d->err), LINLI_OK);
    T_INT(ll_books_post(&act, &entry, &d->err), LINLI_OK);
    T_INT(ll_money_bill(&act, &b, &d->err), LINLI_OK);
    (void)ll_bill_send(&act);
    engine_settle(&d->e); /* nobody knows its number before */
    return ll_owed_due(&b.owed);
}

struct outcome {
    bool told;
    linli_status status;
    struct ll_err err;
};
static struct outcome outcome;

static void
on_done(struct ll_till_job *job, linli_status status, const struct ll_err *err)
{
    LL_UNUSED(job);
    T_OK(!outcome.told);
    outcome.told = true;
    outcome.status = status;
    if (err != NULL)
        outcome.err = *err;
}

static void
await(struct desk *d)
{
    while (!outcome.told)
        ll_world_turn(d->e.f.world, true);
}

static linli_status
pay(struct desk *d, struct ll_paying *p, int64_t invoice, const char *ref,
    int64_t fen)
{
    outcome = (struct outcome){.told = false};
    *p = (struct ll_paying){.job = {.act = act_of(d), .done = on_done},
        .community = GARDEN,
        .invoice = invoice,
        .channel = LINLI_STR("wechat"),
        .ref = ll_cstr(ref),
        .fen = fen,
        .paid_at_ms = NOW_MS};
    T_INT(ll_pay_take(p, &d->err), LINLI_OK);
    await(d);
    return outcome.status;
}

static linli_status
refund(struct desk *d, struct ll_refunding *r, int64_t payment, const char *ref,
    int64_t fen)
{
    outcome = (struct outcome){.told = false};
    *r = (struct ll_refunding){.job = {.act = act_of(d), .done = on_done},
        .community = GARDEN,
        .invoice = 1,
        .payment = payment,
        .ref = ll_cstr(ref),
        .reason = LINLI_STR("broken"),
        .fen = fen};
    T_INT(ll_pay_back(r, &d->err), LINLI_OK);
    await(d);
    return outcome.status;
}

struct grant_row {
    const char *ref;
    int64_t fen, priority, expires_ms;
};

static linli_status
top_up(struct desk *d, struct ll_topping *t, struct grant_row row)
{
    outcome = (struct outcome){.told = false};
    *t = (struct ll_topping){.job = {.act = act_of(d), .done = on_done},
        .grant = {.community = GARDEN,
            .sub = 16,
            .channel = LINLI_STR("cash"),
            .ref = ll_cstr(row.ref),
            .fen = row.fen,
            .priority = row.priority,
            .expires_ms = row.expires_ms}};
    T_INT(ll_pay_ahead(t, &d->err), LINLI_OK);
    await(d);
    return outcome.status;
}

T_CASE(payments_in_parts_and_too_much)
{
    struct desk d;
    struct ll_paying p;
    desk_begin(&d);
    T_INT(bill(&d, 1, "INV-000001", 10600, 600), 10600);
    T_INT(pay(&d, &p, 1, "w1", 4000), LINLI_OK);
    T_INT(p.id, 1);
    T_OK(!p.again);
    T_INT(p.due_fen, 6600);
    T_INT(balance(&d, "receivable:sub_16"), 6600);
    T_INT(balance(&d, "cash:wechat"), 4000);
    /* The same once more; then with another amount, and of another invoice. */
    T_INT(pay(&d, &p, 1, "w1", 4000), LINLI_OK);
    T_OK(p.again && p.id == 1 && p.due_fen == 6600);
    T_INT(pay(&d, &p, 1, "w1", 4001), LINLI_E_CONFLICT);
    T_STR(ll_cstr(outcome.err.code), "ledger/ref-used");
    T_INT(pay(&d, &p, 9, "w2", 1), LINLI_E_NOT_FOUND);
    T_INT(balance(&d, "cash:wechat"), 4000);
    desk_again(&d);
    T_INT(pay(&d, &p, 1, "w2", 7000), LINLI_OK);
    T_INT(p.id, 2);
    T_INT(p.paid_fen, 6600);
    T_INT(p.over_fen, 400);
    T_INT(p.due_fen, 0);
    T_INT(balance(&d, "receivable:sub_16"), 0);
    T_INT(balance(&d, "credit:sub_16"), -400);
    T_INT(balance(&d, "revenue:hello"), 0);
    T_INT(balance(&d, "due:operator"), -1503);
    T_INT(balance(&d, "due:channel"), -60);
    T_INT(balance(&d, "due:vendor:hello"), -8437);
    T_INT(balance(&d, "tax"), -600);
    /* The next invoice uses what is theirs. */
    T_INT(bill(&d, 2, "INV-000002", 1060, 60), 660);
    T_INT(balance(&d, "credit:sub_16"), 0);
    desk_end(&d);
}

T_CASE(refunds_take_credit_first_then_are_owed)
{
    struct desk d;
    struct ll_paying p;
    struct ll_refunding r;
    desk_begin(&d);
    (void)bill(&d, 1, "INV-000001", 10600, 600);
    T_INT(pay(&d, &p, 1, "w1", 11000), LINLI_OK);
    T_INT(refund(&d, &r, 1, "r1", 300), LINLI_OK);
    T_INT(r.credit_fen, 300);
    T_INT(r.due_fen, 0);
    T_INT(refund(&d, &r, 1, "r1", 300), LINLI_OK);
    T_OK(r.again);
    T_INT(refund(&d, &r, 1, "r1", 301), LINLI_E_CONFLICT);
    T_INT(refund(&d, &r, 1, "r2", 1100), LINLI_OK);
    T_INT(r.credit_fen, 100);
    T_INT(r.owed_fen, 1000);
    T_INT(r.due_fen, 1000);
    T_INT(balance(&d, "cash:wechat"), 9600);
    T_INT(balance(&d, "receivable:sub_16"), 1000);
    T_INT(refund(&d, &r, 1, "r3", 9601), LINLI_E_CONFLICT);
    T_STR(ll_cstr(outcome.err.code), "ledger/too-much");
    T_INT(refund(&d, &r, 2, "r3", 1), LINLI_E_NOT_FOUND);
    T_INT(refund(&d, &r, 1, "r3", 9600), LINLI_OK);
    T_INT(balance(&d, "cash:wechat"), 0);
    T_INT(balance(&d, "due:operator"), 0);
    T_INT(balance(&d, "due:channel"), 0);
    T_INT(balance(&d, "due:vendor:hello"), 0);
    T_INT(balance(&d, "revenue:hello"), -10000);
    T_INT(balance(&d, "receivable:sub_16"), 10600);
    desk_end(&d);
}

/* A credit note in a job of the till, as invoices make them. */
struct noting {
    struct ll_till_job job;
    struct ll_money_note note;
};

static linli_status
step_note(struct ll_till_job *job, enum ll_till_next *next, struct ll_err *err)
{
    struct noting *n = LL_CONTAINER(job, struct noting, job);
    struct ll_bill b;
    if (job->steps == 0) {
        ll_money_ask(job, GARDEN, 1);
        *next = LL_TILL_ASK;
        return LINLI_OK;
    }
    linli_status status = ll_money_read(job, &b, err);
    if (status == LINLI_OK)
        status = ll_bill_begin(&job->act, err);
    if (status != LINLI_OK)
        return status;
    const struct ll_posting postings[] = {
        {LINLI_STR("revenue:hello"), n->note.fen - n->note.tax_fen},
        {LINLI_STR("tax"), n->note.tax_fen},
        {LINLI_STR("receivable:sub_16"), -n->note.fen}};
    struct ll_entry entry = {.community = GARDEN,
        .kind = LINLI_STR("credit-note"),
        .ref = n->note.number,
        .postings = postings,
        .count = 3};
    *next = LL_TILL_SEND;
    status = ll_books_post(&job->act, &entry, err);
    return status == LINLI_OK ? ll_money_credit(&job->act, &b, &n->note, err)
                              : status;
}

T_CASE(a_credit_note_of_what_was_paid_is_theirs)
{
    struct desk d;
    struct ll_paying p;
    struct ll_refunding r;
    desk_begin(&d);
    (void)bill(&d, 1, "INV-000001", 10600, 600);
    T_INT(pay(&d, &p, 1, "w1", 10600), LINLI_OK);
    struct noting n = {
        .job = {.act = act_of(&d), .step = step_note, .done = on_done},
        .note = {LINLI_STR("CN-000001"), 2120, 120}};
    outcome.told = false;
    T_INT(ll_till_put(&n.job, &d.err), LINLI_OK);
    await(&d);
    T_INT(outcome.status, LINLI_OK);
    T_INT(balance(&d, "credit:sub_16"), -2120);
    T_INT(balance(&d, "receivable:sub_16"), 0);
    T_INT(balance(&d, "tax"), -480);
    T_INT(balance(&d, "due:operator"), -1203);
    T_INT(balance(&d, "due:channel"), -48);
    T_INT(balance(&d, "due:vendor:hello"), -6749);
    T_INT(refund(&d, &r, 1, "r1", 2120), LINLI_OK);
    T_INT(r.credit_fen, 2120);
    T_INT(r.due_fen, 0); /* nothing is owed again */
    T_INT(balance(&d, "due:operator"), -1203);
    /* More than the invoice has: nothing has changed. */
    n.note = (struct ll_money_note){LINLI_STR("CN-000002"), 8481, 480};
    outcome.told = false;
    T_INT(ll_till_put(&n.job, &d.err), LINLI_OK);
    await(&d);
    T_INT(outcome.status, LINLI_E_CONFLICT);
    T_INT(balance(&d, "tax"), -480);
    desk_end(&d);
}

T_CASE(wallets_are_used_in_order)
{
    struct desk d;
    struct ll_topping t;
    desk_begin(&d);
    const struct grant_row rows[] = {{"a", 100, 2, INT64_MAX},
        {"b", 200, 1, INT64_MAX}, {"c", 300, 1, NOW_MS + 1000},
        {"d", 400, 0, NOW_MS}};
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        T_INT(top_up(&d, &t, rows[i]), LINLI_OK);
    T_INT(t.id, 4);
    T_INT(t.balance_fen, 600); /* d has expired */
    T_INT(ll_wallet_balance(&d.billing, 17, NOW_MS), 0);
    T_INT(top_up(&d, &t, rows[0]), LINLI_OK);
    T_OK(t.again && t.id == 1);
    T_INT(top_up(&d, &t, (struct grant_row){"a", 101, 2, INT64_MAX}),
        LINLI_E_CONFLICT);
    T_INT(balance(&d, "wallet:sub_16"), -1000);
    T_INT(bill(&d, 1, "INV-000001", 450, 0), 0); /* c, then 150 of b */
    desk_again(&d);
    T_INT(ll_wallet_balance(&d.billing, 16, NOW_MS), 150);
    T_INT(ll_wallet_balance(&d.billing, 16, NOW_MS - 1), 550);
    T_INT(balance(&d, "receivable:sub_16"), 0);
    T_INT(balance(&d, "revenue:hello"), 0); /* it is shared at once */
    struct ll_bill_act act = act_of(&d);
    uint32_t count = 0;
    T_INT(ll_bill_begin(&act, &d.err), LINLI_OK);
    T_INT(ll_wallet_lapse(&act, &count, &d.err), LINLI_OK);
    T_INT(count, 1);
    (void)ll_bill_send(&act);
    T_INT(balance(&d, "writeoff"), -400);
    T_INT(balance(&d, "wallet:sub_16"), -150);
    desk_again(&d);
    T_INT(ll_wallet_balance(&d.billing, 16, NOW_MS - 1), 150);
    T_INT(bill(&d, 2, "INV-000002", 450, 0), 300);
    T_INT(balance(&d, "wallet:sub_16"), 0);
    desk_end(&d);
}

T_CASE(an_invoice_that_is_given_up_uses_nothing)
{
    struct desk d;
    struct ll_topping t;
    desk_begin(&d);
    T_INT(top_up(&d, &t, (struct grant_row){"a", 100, 0, INT64_MAX}), LINLI_OK);
    uint32_t failed = 0;
    for (uint64_t nth = 1;; nth++) {
        struct ll_bill_act act = act_of(&d);
        struct ll_bill b = {.invoice = 1,
            .community = GARDEN,
            .number = LINLI_STR("INV-000001"),
            .plugin = LINLI_STR("hello"),
            .sub = 16,
            .owed = owed_of(80, 0)};
        T_INT(ll_bill_begin(&act, &d.err), LINLI_OK);
        d.e.f.mem.fail_in = nth;
        linli_status status = ll_money_bill(&act, &b, &d.err);
        bool room = !act.commit->ops.failed;
        d.e.f.mem.fail_in = 0;
        ll_bill_drop(&act);
        T_INT(ll_wallet_balance(&d.billing, 16, NOW_MS), 100);
        T_INT(balance(&d, "wallet:sub_16"), -100);
        T_INT(balance(&d, "due:operator"), 0);
        if (status == LINLI_OK && room)
            break;
        failed++;
    }
    T_OK(failed > 3);
    T_INT(bill(&d, 1, "INV-000001", 80, 0), 0);
    T_INT(ll_wallet_balance(&d.billing, 16, NOW_MS), 20);
    desk_end(&d);
}

/* Closes what ends so long after NOW_MS; how many moves that has. */
static int64_t
settle(struct desk *d, const char *period, int64_t after_ms)
{
    struct ll_settling s = {.job = {.act = act_of(d), .done = on_done},
        .community = GARDEN,
        .plugin = LINLI_STR("hello"),
        .to_ms = NOW_MS + after_ms};
    s.job.act.now_ms = s.to_ms;
    (void)snprintf(s.period, sizeof s.period, "%s", period);
    outcome = (struct outcome){.told = false};
    T_INT(ll_settle_period(&s, &d->err), LINLI_OK);
    await(d);
    T_INT(outcome.status, LINLI_OK);
    return s.made.sums.moves;
}

/* A clock that is set back, also while nobody is there, and an invoice that
 * took its time: no move is of a month that is closed. */
T_CASE(each_move_is_in_one_statement)
{
    struct desk d;
    struct ll_paying p;
    desk_begin(&d);
    T_INT(bill(&d, 1, "INV-000001", 10600, 600), 10600);
    T_INT(pay(&d, &p, 1, "w1", 1000), LINLI_OK);
    T_INT(settle(&d, "2026-01", 10), 1);
    T_INT(pay(&d, &p, 1, "w2", 1000), LINLI_OK); /* at NOW_MS */
    desk_again(&d);
    T_INT(pay(&d, &p, 1, "w3", 1000), LINLI_OK);
    T_INT(settle(&d, "2026-02", 20), 2);
    T_INT(settle(&d, "2026-03", 30), 0);
    desk_end(&d);
}

static uint32_t told;

static void
on_counted(
    struct ll_till_job *job, linli_status status, const struct ll_err *err)
{
    LL_UNUSED(job);
    LL_UNUSED(err);
    T_INT(status, LINLI_OK);
    told++;
}

/* Many at once: each stands on those before it. */
T_CASE(they_stand_in_one_line)
{
    enum { COUNT = 300 };
    static struct ll_paying line[COUNT];
    static char refs[COUNT][8];
    struct desk d;
    struct ll_paying p;
    desk_begin(&d);
    (void)bill(&d, 1, "INV-000001", 10600, 600);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(refs[i], sizeof refs[i], "w%d", i / 2);
        line[i] =
            (struct ll_paying){.job = {.act = act_of(&d), .done = on_counted},
                .community = GARDEN,
                .invoice = 1,
                .channel = LINLI_STR("wechat"),
                .ref = ll_cstr(refs[i]),
                .fen = 100,
                .paid_at_ms = NOW_MS};
        T_INT(ll_pay_take(&line[i], &d.err), LINLI_OK);
    }
    while (told < COUNT)
        ll_world_turn(d.e.f.world, true);
    T_INT(balance(&d, "cash:wechat"), 15000);
    T_INT(balance(&d, "credit:sub_16"), -4400);
    T_INT(balance(&d, "due:operator"), -1503);
    T_INT(pay(&d, &p, 1, "w0", 100), LINLI_OK);
    T_OK(p.again);
    desk_end(&d);
}

T_MAIN(T_RUN(many_small_refunds_end_where_one_would)
        T_RUN(what_is_paid_past_the_rest_is_theirs)
            T_RUN(the_way_does_not_matter) T_RUN(payments_in_parts_and_too_much)
                T_RUN(refunds_take_credit_first_then_are_owed)
                    T_RUN(a_credit_note_of_what_was_paid_is_theirs)
                        T_RUN(wallets_are_used_in_order)
                            T_RUN(an_invoice_that_is_given_up_uses_nothing)
                                T_RUN(each_move_is_in_one_statement)
                                    T_RUN(they_stand_in_one_line))
