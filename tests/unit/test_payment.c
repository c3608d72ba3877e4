/* tests/unit/test_payment.c: what becomes of a payment, whatever comes when.
 */
#include "t.h"

#include "base/text.h"
#include "dice.h"
#include "domain/payment.h"

#define CREATED 1000
#define PAY_BY 2000
#define SUM 500

static struct ll_payment payment;

static enum ll_pay_decision
notice(const char *transaction, int64_t amount_fen, int64_t now_ms)
{
    struct ll_pay_notice n = {ll_cstr(transaction), amount_fen};
    return ll_payment_notice(&payment, &n, now_ms);
}

static enum ll_pay_grant
refund(const char *key, int64_t amount_fen, uint32_t *number)
{
    struct ll_pay_ask ask = {amount_fen, ll_cstr(key), LINLI_STR("why")};
    return ll_payment_refund(&payment, &ask, 1500, number);
}

static enum ll_pay_settled
result(uint32_t number, bool done, int64_t amount_fen)
{
    struct ll_pay_result r = {number, done, amount_fen};
    return ll_payment_refunded(&payment, &r, 1600);
}

static void
begin(void)
{
    ll_payment_begin(&payment, SUM, CREATED, PAY_BY);
}

/* What one letter does to a payment, and what is there at the end. */
struct row {
    const char *steps;
    enum ll_pay_state state;
    uint32_t transactions, refunds;
    int64_t held_fen;
};

/* c created, f refused for good, p q two transactions of the sum, w v two of
 * a wrong one, l m late, e the end of the window, r all back, h half of it,
 * d D the first and second refund is done, x the first has failed */
static const struct row rows[] = {
    {"", LL_PAY_CREATING, 0, 0, 0},
    {"c", LL_PAY_PENDING, 0, 0, 0},
    {"cf", LL_PAY_PENDING, 0, 0, 0},
    {"f", LL_PAY_FAILED, 0, 0, 0},
    {"fc", LL_PAY_FAILED, 0, 0, 0},
    {"fp", LL_PAY_FAILED, 1, 1, 0},
    {"cp", LL_PAY_PAID, 1, 0, 0},
    {"cppppp", LL_PAY_PAID, 1, 0, 0},
    {"pc", LL_PAY_PAID, 1, 0, 0},
    {"pf", LL_PAY_PAID, 1, 0, 0},
    {"cpe", LL_PAY_PAID, 1, 0, 0},
    {"cpq", LL_PAY_PAID, 2, 1, 0},
    {"cpqqpq", LL_PAY_PAID, 2, 1, 0},
    {"ce", LL_PAY_EXPIRED, 0, 0, 0},
    {"e", LL_PAY_EXPIRED, 0, 0, 0},
    {"ec", LL_PAY_EXPIRED, 0, 0, 0},
    {"ef", LL_PAY_EXPIRED, 0, 0, 0},
    {"cl", LL_PAY_EXPIRED, 1, 1, 0},
    {"cle", LL_PAY_EXPIRED, 1, 1, 0},
    {"cel", LL_PAY_EXPIRED, 1, 1, 0},
    {"cellml", LL_PAY_EXPIRED, 2, 2, 0},
    {"celd", LL_PAY_EXPIRED, 1, 1, 0},
    {"celr", LL_PAY_EXPIRED, 1, 1, 0},
    {"cpl", LL_PAY_PAID, 2, 1, 0},
    {"cw", LL_PAY_FLAGGED, 1, 0, 499},
    {"w", LL_PAY_FLAGGED, 1, 0, 499},
    {"wc", LL_PAY_FLAGGED, 1, 0, 499},
    {"cwww", LL_PAY_FLAGGED, 1, 0, 499},
    {"cwv", LL_PAY_FLAGGED, 2, 0, 1000},
    {"cwp", LL_PAY_PAID, 2, 0, 499},
    {"cpw", LL_PAY_PAID, 2, 0, 499},
    {"cwe", LL_PAY_EXPIRED, 1, 0, 499},
    {"cew", LL_PAY_EXPIRED, 1, 0, 499},
    {"fw", LL_PAY_FAILED, 1, 0, 499},
    {"cwr", LL_PAY_FLAGGED, 1, 0, 499},
    {"cpr", LL_PAY_PAID, 1, 1, 0},
    {"cprr", LL_PAY_PAID, 1, 1, 0},
    {"cprd", LL_PAY_REFUNDED, 1, 1, 0},
    {"cprddxd", LL_PAY_REFUNDED, 1, 1, 0},
    {"cprdp", LL_PAY_REFUNDED, 1, 1, 0},
    {"cprdq", LL_PAY_REFUNDED, 2, 2, 0},
    {"cphd", LL_PAY_PARTIALLY_REFUNDED, 1, 1, 0},
    {"cphhd", LL_PAY_PARTIALLY_REFUNDED, 1, 2, 0},
    {"cphhdD", LL_PAY_REFUNDED, 1, 2, 0},
    {"cphhDd", LL_PAY_REFUNDED, 1, 2, 0},
    {"cphhhdD", LL_PAY_REFUNDED, 1, 2, 0},
    {"cprx", LL_PAY_PAID, 1, 1, 0},
    {"cprxd", LL_PAY_PAID, 1, 1, 0},
    {"cprxrD", LL_PAY_REFUNDED, 1, 2, 0},
    {"cr", LL_PAY_PENDING, 0, 0, 0},
};

static void
play(char step)
{
    uint32_t number;
    switch (step) {
    case 'c':
        (void)ll_payment_created(&payment);
        break;
    case 'f':
        (void)ll_payment_refused(&payment);
        break;
    case 'p':
        (void)notice("p", SUM, 1999);
        break;
    case 'q':
        (void)notice("q", SUM, 1999);
        break;
    case 'w':
        (void)notice("w", SUM - 1, 1999);
        break;
    case 'v':
        (void)notice("v", SUM + 1, 1999);
        break;
    case 'l':
        (void)notice("l", SUM, 2000);
        break;
    case 'm':
        (void)notice("m", SUM, 3000);
        break;
    case 'e':
        (void)ll_payment_expire(&payment, 2000);
        break;
    case 'r':
        (void)refund("", SUM, &number);
        break;
    case 'h':
        (void)refund("", SUM / 2, &number);
        break;
    case 'd':
        (void)result(1, true, 0);
        break;
    case 'D':
        (void)result(2, true, 0);
        break;
    case 'x':
        (void)result(1, false, 0);
        break;
    default:
        T_OK(false);
    }
}

T_CASE(what_comes_when)
{
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        int failed = t_failed_checks;
        begin();
        for (const char *s = row->steps; *s != '\0'; s++)
            play(*s);
        T_STR(ll_cstr(ll_pay_state_name(payment.state)),
            ll_pay_state_name(row->state));
        T_INT(payment.transaction_count, row->transactions);
        T_INT(payment.refund_count, row->refunds);
        T_INT(ll_payment_held_fen(&payment), row->held_fen);
        if (t_failed_checks != failed)
            printf("# in the row \"%s\"\n", row->steps);
    }
}

T_CASE(decisions_of_notices)
{
    struct ll_pay_notice n = {LINLI_STR("p"), SUM};
    T_INT(ll_payment_notice(NULL, &n, 1500), LL_PAY_UNKNOWN);
    begin();
    T_INT(notice("w", 1, 1500), LL_PAY_FLAG);
    T_INT(notice("w", 1, 1500), LL_PAY_DUPLICATE);
    T_INT(notice("w", SUM, 1500), LL_PAY_CONFLICT);
    T_INT(payment.state, LL_PAY_FLAGGED);
    T_INT(notice("p", SUM, 1500), LL_PAY_ACCEPT);
    T_INT(payment.paid_ms, 1500);
    T_INT(notice("p", SUM, 1700), LL_PAY_DUPLICATE);
    T_INT(notice("p", 1, 1700), LL_PAY_CONFLICT);
    T_INT(payment.paid_ms, 1500);
    T_INT(notice("q", SUM, 1700), LL_PAY_SECOND);
    T_STR(payment.refunds[0].transaction, "q");
    T_INT(payment.refunds[0].amount_fen, SUM);
    T_OK(payment.refunds[0].automatic);
    T_STR(ll_payment_accepted(&payment)->id, "p");
}

/* [created, pay_by), by the receipt. */
T_CASE(the_window_ends_at_its_millisecond)
{
    begin();
    T_INT(notice("p", SUM, CREATED), LL_PAY_ACCEPT);
    begin();
    T_INT(notice("p", SUM, PAY_BY - 1), LL_PAY_ACCEPT);
    begin();
    T_OK(!ll_payment_expire(&payment, PAY_BY - 1));
    T_INT(notice("p", SUM, PAY_BY), LL_PAY_LATE);
    T_INT(payment.state, LL_PAY_EXPIRED);
    T_OK(!ll_payment_expire(&payment, PAY_BY));
    T_INT(payment.refunds[0].amount_fen, SUM);
    begin();
    T_OK(ll_payment_expire(&payment, PAY_BY));
}

T_CASE(refunds_never_exceed_what_was_paid)
{
    uint32_t n = 7;
    begin();
    T_INT(refund("a", 1, &n), LL_PAY_NOT_PAID);
    T_INT(n, 0);
    T_INT(notice("p", SUM, 1500), LL_PAY_ACCEPT);
    T_INT(ll_payment_refundable_fen(&payment), SUM);
    T_INT(refund("a", SUM + 1, &n), LL_PAY_TOO_MUCH);
    T_INT(refund("a", 200, &n), LL_PAY_GRANTED);
    T_INT(n, 1);
    T_INT(refund("b", 301, &n), LL_PAY_TOO_MUCH);
    T_INT(refund("a", 200, &n), LL_PAY_SAME);
    T_INT(n, 1);
    T_INT(refund("a", 100, &n), LL_PAY_KEY_REUSED);
    T_INT(refund("b", 300, &n), LL_PAY_GRANTED);
    T_INT(n, 2);
    T_INT(refund("", 1, &n), LL_PAY_TOO_MUCH);
    T_INT(ll_payment_refundable_fen(&payment), 0);
    /* What has failed can be asked for again. */
    T_INT(result(2, false, 300), LL_PAY_SETTLED);
    T_INT(payment.state, LL_PAY_PAID);
    T_INT(ll_payment_refundable_fen(&payment), 300);
}

T_CASE(the_first_result_of_a_refund_decides)
{
    uint32_t n;
    begin();
    T_INT(notice("p", SUM, 1500), LL_PAY_ACCEPT);
    T_INT(refund("", SUM, &n), LL_PAY_GRANTED);
    T_INT(result(0, true, 0), LL_PAY_NO_REFUND);
    T_INT(result(2, true, 0), LL_PAY_NO_REFUND);
    T_INT(result(1, true, SUM - 1), LL_PAY_WRONG_AMOUNT);
    T_INT(payment.refunds[0].state, LL_PAY_REFUND_PENDING);
    T_INT(result(1, true, SUM), LL_PAY_SETTLED);
    T_INT(payment.refunds[0].settled_ms, 1600);
    T_INT(result(1, true, 0), LL_PAY_REPEATED);
    T_INT(result(1, false, 0), LL_PAY_CONTRADICTED);
    T_INT(payment.state, LL_PAY_REFUNDED);
}

T_CASE(bounds)
{
    char id[16];
    uint32_t n;
    begin();
    static char ids[LL_PAY_TRANSACTIONS_MAX][16]; /* they are borrowed */
    for (int i = 0; i < LL_PAY_TRANSACTIONS_MAX; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "t%d", i);
        T_INT(
            notice(ids[i], SUM, 1500), i == 0 ? LL_PAY_ACCEPT : LL_PAY_SECOND);
    }
    (void)snprintf(id, sizeof id, "more");
    T_INT(notice(id, SUM, 1500), LL_PAY_FULL);
    T_INT(notice("t3", SUM, 1500), LL_PAY_DUPLICATE);
    for (int i = 0; i < LL_PAY_REFUNDS_MAX - LL_PAY_TRANSACTIONS_MAX; i++)
        T_INT(refund("", 1, &n), LL_PAY_GRANTED);
    T_INT(refund("", 1, &n), LL_PAY_NO_ROOM);
}

T_CASE(words_go_both_ways)
{
    enum ll_pay_state state;
    enum ll_pay_outcome outcome;
    enum ll_pay_refund_state refund_state;
    for (int i = 0; i <= LL_PAY_FAILED; i++) {
        T_OK(ll_pay_state_read(
            ll_cstr(ll_pay_state_name((enum ll_pay_state)i)), &state));
        T_INT(state, i);
    }
    for (int i = 0; i <= LL_PAY_TX_LATE; i++) {
        T_OK(ll_pay_outcome_read(
            ll_cstr(ll_pay_outcome_name((enum ll_pay_outcome)i)), &outcome));
        T_INT(outcome, i);
    }
    for (int i = 0; i <= LL_PAY_REFUND_FAILED; i++) {
        T_OK(ll_pay_refund_state_read(
            ll_cstr(ll_pay_refund_state_name((enum ll_pay_refund_state)i)),
            &refund_state));
        T_INT(refund_state, i);
    }
    T_OK(!ll_pay_state_read(LINLI_STR("payed"), &state));
    T_OK(!ll_pay_outcome_read(LINLI_STR(""), &outcome));
    T_OK(!ll_pay_refund_state_read(LINLI_STR("don"), &refund_state));
}

/* -- any order, any repetition -- */

#define PAYERS 6

/* Transactions of one world: some of a wrong sum. */
static const char *const payer_ids[PAYERS] = {"a", "b", "c", "d", "e", "f"};

static uint32_t
refunds_of(const char *transaction, bool automatic, int64_t *fen)
{
    /* Those that have failed moved nothing. */
    uint32_t count = 0;
    *fen = 0;
    for (uint32_t i = 0; i < payment.refund_count; i++) {
        const struct ll_pay_refund *r = &payment.refunds[i];
        if (!ll_str_is(r->transaction, transaction) ||
            r->automatic != automatic)
            continue;
        count++;
        if (r->state != LL_PAY_REFUND_FAILED)
            *fen += r->amount_fen;
    }
    return count;
}

/* Every transaction that was noticed has paid, or went back whole and once,
 * or is held; and there is not a fen besides. */
static void
judge_money(const int64_t fen[PAYERS], const bool noticed[PAYERS])
{
    uint32_t accepted = 0, seen = 0;
    int64_t held = 0, back, asked;
    for (uint32_t i = 0; i < payment.transaction_count; i++) {
        const struct ll_pay_transaction *t = &payment.transactions[i];
        int who = t->id.ptr[0] - 'a';
        uint32_t automatic = refunds_of(payer_ids[who], true, &back);
        T_OK(noticed[who]);
        T_INT(t->amount_fen, fen[who]);
        seen++;
        switch (t->outcome) {
        case LL_PAY_TX_ACCEPTED:
            accepted++;
            T_INT(t->amount_fen, SUM);
            T_INT(automatic, 0);
            (void)refunds_of(payer_ids[who], false, &asked);
            T_OK(asked <= SUM);
            break;
        case LL_PAY_TX_FLAGGED:
            held += t->amount_fen;
            T_OK(t->amount_fen != SUM);
            T_INT(automatic, 0);
            break;
        default:
            T_INT(automatic, 1);
            T_OK(back == t->amount_fen || back == 0); /* 0: it failed */
            break;
        }
    }
    uint32_t wanted = 0;
    for (int i = 0; i < PAYERS; i++)
        wanted += noticed[i];
    T_INT(seen, wanted);
    T_OK(accepted <= 1);
    T_INT(ll_payment_held_fen(&payment), held);
    bool paid = payment.state == LL_PAY_PAID ||
                payment.state == LL_PAY_REFUNDED ||
                payment.state == LL_PAY_PARTIALLY_REFUNDED;
    T_INT(accepted, paid);
}

static void
random_step(uint64_t *seed, const int64_t fen[PAYERS], bool noticed[PAYERS],
    int64_t now_ms)
{
    static const char *const keys[] = {"", "k1", "k2"};
    uint32_t n, who = dice_below(seed, PAYERS);
    switch (dice_below(seed, 8)) {
    case 0:
        (void)ll_payment_created(&payment);
        break;
    case 1:
        if (dice_below(seed, 8) == 0)
            (void)ll_payment_refused(&payment);
        break;
    case 2:
        (void)ll_payment_expire(&payment, now_ms);
        break;
    case 3:
        (void)refund(keys[dice_below(seed, 3)],
            1 + (int64_t)dice_below(seed, SUM + 50), &n);
        break;
    case 4: {
        struct ll_pay_result r = {
            dice_below(seed, 10), dice_below(seed, 4) != 0, 0};
        (void)ll_payment_refunded(&payment, &r, now_ms);
        break;
    }
    default:
        (void)notice(payer_ids[who], fen[who], now_ms);
        noticed[who] = true;
        break;
    }
}

T_CASE(any_order_ends_with_the_same_money)
{
    uint64_t seed = 20260302;
    for (int round = 0; round < 3000; round++) {
        int64_t fen[PAYERS], now_ms = CREATED;
        bool noticed[PAYERS] = {false};
        begin();
        for (int i = 0; i < PAYERS; i++)
            fen[i] = dice_below(&seed, 3) != 0
                         ? SUM
                         : 1 + (int64_t)dice_below(&seed, SUM - 1);
        for (int step = 0; step < 40; step++) {
            now_ms += dice_below(&seed, 50);
            random_step(&seed, fen, noticed, now_ms);
        }
        int failed = t_failed_checks;
        judge_money(fen, noticed);
        if (t_failed_checks != failed) {
            printf("# in round %d\n", round);
            return;
        }
    }
}

/* The same notices within the window, in two orders: the same sum is held,
 * and as many go back. */
T_CASE(the_order_of_notices_moves_no_money)
{
    uint64_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        int64_t fen[PAYERS], held[2];
        uint32_t refunds[2];
        for (int i = 0; i < PAYERS; i++)
            fen[i] = dice_below(&seed, 2) == 0 ? SUM : SUM - 1 - i;
        for (int turn = 0; turn < 2; turn++) {
            begin();
            for (int i = 0; i < PAYERS; i++) {
                int who = turn == 0 ? i : PAYERS - 1 - i;
                (void)notice(payer_ids[who], fen[who], 1500);
                if (dice_below(&seed, 2) == 0)
                    (void)ll_payment_created(&payment);
            }
            held[turn] = ll_payment_held_fen(&payment);
            refunds[turn] = payment.refund_count;
        }
        T_INT(held[0], held[1]);
        T_INT(refunds[0], refunds[1]);
    }
}

T_MAIN(T_RUN(what_comes_when) T_RUN(decisions_of_notices)
        T_RUN(the_window_ends_at_its_millisecond)
            T_RUN(refunds_never_exceed_what_was_paid)
                T_RUN(the_first_result_of_a_refund_decides) T_RUN(bounds)
                    T_RUN(words_go_both_ways)
                        T_RUN(any_order_ends_with_the_same_money)
                            T_RUN(the_order_of_notices_moves_no_money))
