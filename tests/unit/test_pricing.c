/* tests/unit/test_pricing.c: days, sums, admission and shares by themselves;
 * prices are tested over `linli rate` (tests/scenario/test_pricing*.py). */
#include "t.h"

#include <stdlib.h>

#include "base/text.h"
#include "dice.h"
#include "domain/entitlement.h"
#include "domain/pricing_invoice.h"
#include "domain/pricing_share.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define UNIT LL_MICRO

static struct ll_mem mem;
static struct ll_arena arena;

static void
begin(void)
{
    ll_mem_init(&mem, 0);
    ll_arena_init(&arena, &mem, (size_t)1 << 20);
}

static void
end(void)
{
    ll_arena_fini(&arena);
    T_INT(mem.used_bytes, 0);
}

/* -- numbers -- */

T_CASE(halves_go_away_from_zero)
{
    static const struct {
        int64_t num, den, half_away, up;
    } rows[] = {{5, 10, 1, 1}, {4, 10, 0, 1}, {-5, 10, -1, 0}, {-4, 10, 0, 0},
        {15, 10, 2, 2}, {-15, 10, -2, -1}, {0, 7, 0, 0}, {1, 3, 0, 1},
        {2, 3, 1, 1}, {-2, 3, -1, 0}, {INT64_MAX, 1, INT64_MAX, INT64_MAX}};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        int64_t out = 0;
        T_OK(
            ll_wide_divide(rows[i].num, rows[i].den, LL_ROUND_HALF_AWAY, &out));
        T_INT(out, rows[i].half_away);
        T_OK(ll_wide_divide(rows[i].num, rows[i].den, LL_ROUND_UP, &out));
        T_INT(out, rows[i].up);
    }
}

T_CASE(what_does_not_fit_is_said)
{
    int64_t out = 7, sum = INT64_MAX;
    T_OK(!ll_wide_divide((ll_wide)INT64_MAX * 10, 9, LL_ROUND_UP, &out));
    T_INT(out, 0);
    T_OK(!ll_wide_divide((ll_wide)INT64_MIN, 1, LL_ROUND_UP, &out));
    T_OK(!ll_fen_add(&sum, 1));
    T_INT(sum, INT64_MAX);
    sum = -INT64_MAX;
    T_OK(!ll_fen_add(&sum, -1)); /* it has no mirror image */
    ll_wide product = (ll_wide)INT64_MAX * INT64_MAX;
    T_OK(ll_wide_times(&product, 1));
    T_OK(!ll_wide_times(&product, 3));
    T_OK(!ll_fen_share(INT64_MAX, 10001, 10000, &out));
    T_OK(ll_fen_share(INT64_MAX, 10000, 10000, &out));
    T_INT(out, INT64_MAX);
}

T_CASE(decimals_are_exact)
{
    static const struct {
        const char *text;
        enum ll_decimal found;
        int64_t micro;
    } rows[] = {{"0", LL_DECIMAL_OK, 0}, {"12.5", LL_DECIMAL_OK, 12500000},
        {"0.000001", LL_DECIMAL_OK, 1}, {"-3", LL_DECIMAL_NEGATIVE, -3000000},
        {"9223372036854.775807", LL_DECIMAL_OK, INT64_MAX},
        {"9223372036854.775808", LL_DECIMAL_LARGE, 0},
        {"99999999999999999999", LL_DECIMAL_LARGE, 0},
        {"0.0000001", LL_DECIMAL_FINE, 0}, {"1.0000000", LL_DECIMAL_FINE, 0},
        {"", LL_DECIMAL_NONE, 0}, {"-", LL_DECIMAL_NONE, 0},
        {".5", LL_DECIMAL_NONE, 0}, {"5.", LL_DECIMAL_NONE, 0},
        {"1e3", LL_DECIMAL_NONE, 0}, {"+1", LL_DECIMAL_NONE, 0},
        {"01", LL_DECIMAL_NONE, 0}, {"1.2.3", LL_DECIMAL_NONE, 0},
        {" 1", LL_DECIMAL_NONE, 0}};
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        int64_t micro = 7;
        T_INT(ll_decimal_read(ll_cstr(rows[i].text), &micro), rows[i].found);
        T_INT(micro, rows[i].micro);
    }
}

T_CASE(a_split_sums_to_the_whole)
{
    uint64_t state = 3;
    for (int round = 0; round < 2000; round++) {
        int64_t weights[8], parts[8], sum = 0;
        uint32_t count = (uint32_t)(dice(&state) % 8) + 1;
        int64_t total = (int64_t)(dice(&state) % 100000);
        for (uint32_t i = 0; i < count; i++)
            weights[i] = (int64_t)(dice(&state) % 4);
        weights[dice(&state) % count] = 1 + (int64_t)(dice(&state) % 100000);
        ll_fen_split(total, weights, count, parts);
        for (uint32_t i = 0; i < count; i++) {
            T_OK(parts[i] >= 0);
            T_OK(weights[i] > 0 || parts[i] == 0);
            sum += parts[i];
        }
        T_INT(sum, total);
    }
    int64_t thirds[3], same[3] = {1, 1, 1};
    ll_fen_split(1000, same, 3, thirds); /* a payer split of 10 yuan */
    T_INT(thirds[0], 334);
    T_INT(thirds[1], 333);
    T_INT(thirds[2], 333);
}

/* -- days -- */

/* At +08:00; at 00:01 an hour back; at 23:30 an hour on; at 00:00 a day on. */
static const int64_t odd[] = {INT64_MIN, 28800,
    100 * DAY_MS - 8 * HOUR_MS + 60000, 25200,
    200 * DAY_MS - 7 * HOUR_MS - HOUR_MS / 2, 28800, 300 * DAY_MS - 8 * HOUR_MS,
    28800 + 86400};

T_CASE(days_never_go_back)
{
    struct ll_local local = {odd, 4};
    int32_t before = ll_local_day(&local, 90 * DAY_MS);
    for (int64_t ms = 90 * DAY_MS; ms < 310 * DAY_MS; ms += HOUR_MS / 4) {
        int32_t day = ll_local_day(&local, ms);
        T_OK(day >= before);
        T_OK(ll_local_midnight(&local, day) <= ms);
        T_OK(ms < ll_local_midnight(&local, day + 1));
        T_INT(ll_local_day_end(&local, ms),
            day + (ll_local_midnight(&local, day) != ms));
        before = day;
    }
    /* Midnight of day 100 came, the clock was set back, and it came again. */
    T_INT(ll_local_midnight(&local, 100), 100 * DAY_MS - 8 * HOUR_MS);
    T_INT(ll_local_day(&local, 100 * DAY_MS - 7 * HOUR_MS - 1), 100);
    /* That of day 200 was skipped: 23:30, then 00:30. */
    T_INT(ll_local_midnight(&local, 200),
        200 * DAY_MS - 7 * HOUR_MS - HOUR_MS / 2);
    /* Day 300 was left out: it has no length. */
    T_INT(ll_local_midnight(&local, 300), ll_local_midnight(&local, 301));
}

T_CASE(anniversaries_come_back)
{
    struct ll_rhythm rhythm = {LL_MONTH, LL_ANNIVERSARY, 0};
    T_OK(ll_day_read(LINLI_STR("2027-12-31"), &rhythm.start));
    for (int32_t n = 0; n < 60; n++) {
        struct ll_period period = ll_period_at(&rhythm, n);
        T_INT(ll_period_at(&rhythm, n + 1).from, period.to);
        T_OK(period.to - period.from >= 28 && period.to - period.from <= 31);
        T_OK(ll_date_of(period.to + 1).day == 1); /* the month's last day */
        for (int32_t day = period.from; day < period.to; day++)
            T_INT(ll_period_of(&rhythm, day).from, period.from);
    }
}

/* -- an invoice -- */

static const char plan_text[] =
    "{\"interval\":\"month\",\"anchor\":\"calendar\",\"charges\":["
    "{\"id\":\"base\",\"kind\":\"flat\",\"amount_fen\":3100},"
    "{\"id\":\"seat\",\"kind\":\"flat\",\"amount_fen\":310,"
    "\"per\":\"seat\"},"
    "{\"id\":\"api\",\"kind\":\"unit\",\"meter\":\"m\","
    "\"unit_fen\":\"0.5\"},"
    "{\"id\":\"pay\",\"kind\":\"percentage\",\"meter\":\"p\","
    "\"rate_bp\":100}]}";

/* Two versions in a month of 31 days, 10 and 21: each line by its key. */
T_CASE(a_plan_is_rated_by_pieces)
{
    begin();
    static const char *const keys[] = {"base:fee#1", "seat:fee#1",
        "api:usage#1", "pay:pct#1", "base:fee#2", "seat:fee#2"};
    static const int64_t fens[] = {1000, 300, 6, 5, 2100, 210};
    struct ll_json json;
    struct ll_plan plan;
    struct ll_invoice invoice;
    struct ll_err err = {0};
    struct ll_buf key;
    int64_t amounts[] = {200, 300};
    struct ll_use uses[] = {{LINLI_STR("seat"), 3 * UNIT, NULL, 0},
        {LINLI_STR("m"), 11 * UNIT, NULL, 0}, {LINLI_STR("p"), 0, amounts, 2}};
    struct ll_rating first = {
        .uses = uses, .use_count = 3, .days = {10, 31}, .mark = {{NULL, 0}, 1}};
    struct ll_rating second = {.days = {21, 31}, .mark = {{NULL, 0}, 2}};
    ll_json_init(&json, &mem);
    ll_buf_init(&key, &mem, 256);
    T_INT(ll_json_parse(&json, ll_cstr(plan_text), 16, &err), LINLI_OK);
    struct ll_jv root = ll_json_root(&json);
    T_INT(ll_plan_read(&arena, root, root, &plan, &err), LINLI_OK);
    ll_json_fini(&json); /* the plan keeps nothing of its text */
    ll_invoice_begin(&invoice, &arena, &plan);
    T_INT(ll_invoice_rate_plan(&invoice, NULL, &first, &err), LINLI_OK);
    T_INT(ll_invoice_rate_plan(&invoice, &plan, &second, &err), LINLI_OK);
    T_INT(ll_invoice_close(&invoice, &err), LINLI_OK);
    T_INT(invoice.lines.count, LL_COUNT(keys));
    for (uint32_t i = 0; i < invoice.lines.count && i < LL_COUNT(keys); i++) {
        ll_buf_clear(&key);
        ll_line_key(&invoice.lines.at[i], &key);
        T_STR(ll_buf_view(&key), keys[i]);
        T_INT(invoice.lines.at[i].amount_fen, fens[i]);
    }
    T_INT(invoice.total_fen, 1000 + 300 + 6 + 5 + 2100 + 210);
    ll_buf_fini(&key);
    end();
}

/* Each allocation fails in turn: it is said, and nothing is lost. */
T_CASE(no_memory_is_said)
{
    linli_status status = LINLI_E_NOMEM;
    for (uint64_t nth = 1; status != LINLI_OK && nth < 100; nth++) {
        struct ll_json json;
        struct ll_plan plan;
        struct ll_invoice invoice;
        struct ll_err err = {0};
        struct ll_rating rating = {.days = {1, 1}};
        begin();
        ll_json_init(&json, &mem);
        T_INT(ll_json_parse(&json, ll_cstr(plan_text), 16, &err), LINLI_OK);
        struct ll_jv root = ll_json_root(&json);
        mem.fail_in = nth;
        status = ll_plan_read(&arena, root, root, &plan, &err);
        if (status == LINLI_OK) {
            ll_invoice_begin(&invoice, &arena, &plan);
            status = ll_invoice_rate_plan(&invoice, NULL, &rating, &err);
        }
        if (status == LINLI_OK)
            status = ll_invoice_close(&invoice, &err);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        mem.fail_in = 0;
        ll_json_fini(&json);
        end();
    }
    T_INT(status, LINLI_OK);
}

/* -- the purse -- */

T_CASE(grants_are_used_in_order)
{
    struct ll_credit grants[] = {{LINLI_STR("late"), 100, 1, INT64_MAX, 0},
        {LINLI_STR("soon"), 100, 1, 50, 0}, {LINLI_STR("over"), 100, 0, 5, 0},
        {LINLI_STR("tie"), 100, 1, 50, 0}};
    struct ll_purse purse = {30, grants, 4, 10};
    struct ll_settled out;
    ll_settle(240, &purse, &out);
    T_INT(out.credit_notes_fen, 30);
    T_INT(grants[1].used_fen, 100);
    T_INT(grants[3].used_fen, 100);
    T_INT(grants[0].used_fen, 10);
    T_INT(grants[2].used_fen, 0); /* it had ended */
    T_INT(out.due_fen, 0);
    ll_settle(-70, &purse, &out);
    T_INT(out.balance_fen, 70);
    T_INT(out.due_fen + out.credit_notes_fen + out.wallet_fen, 0);
}

/* -- admission -- */

static struct ll_entitlement
limited(bool hard, int64_t max_micro)
{
    struct ll_plan_limit limit = {.meter = LINLI_STR("m"),
        .hard = hard,
        .max_micro = max_micro,
        .alerts_bp = {8000, 10000},
        .alert_count = 2};
    struct ll_plan plan = {.limits = &limit, .limit_count = 1};
    struct ll_entitlement e;
    T_INT(ll_entitlement_begin(&e, &arena, &plan, LINLI_STR("m")), LINLI_OK);
    return e;
}

T_CASE(exactly_what_fits_passes)
{
    begin();
    uint64_t state = 11;
    for (int round = 0; round < 200; round++) {
        struct ll_entitlement e = limited(true, 1000 * UNIT);
        struct ll_reservation held[64] = {{0, false}};
        int64_t used = 0, reserved = 0;
        for (int step = 0; step < 400; step++) {
            struct ll_reservation *r = &held[dice(&state) % 64];
            int64_t micro = (int64_t)(dice(&state) % 40) * UNIT;
            bool fits = used + reserved + micro <= 1000 * UNIT;
            uint64_t what = dice(&state) % 4;
            int64_t was = r->micro;
            if (what == 0) {
                T_INT(ll_entitlement_use(&e, micro), fits);
                used += fits ? micro : 0;
            } else if (what == 1 && !r->open) {
                T_INT(ll_entitlement_reserve(&e, micro, r), fits);
                reserved += fits ? micro : 0;
            } else if (what == 2 && r->open) {
                bool less = micro <= was;
                T_INT(ll_entitlement_commit(&e, r, micro), less);
                used += less ? micro : 0;
                reserved -= less ? was : 0;
            } else if (what == 3 && r->open) {
                ll_entitlement_release(&e, r);
                reserved -= was;
            }
            T_INT(e.used_micro, used);
            T_INT(e.reserved_micro, reserved);
            T_OK(used + reserved <= 1000 * UNIT);
        }
        ll_arena_reset(&arena);
    }
    end();
}

T_CASE(thresholds_are_told_once)
{
    begin();
    struct ll_entitlement e = limited(false, 1000 * UNIT);
    int64_t at = 0, told = 0;
    for (int i = 0; i < 1600; i++) {
        T_OK(ll_entitlement_use(&e, UNIT));
        while (ll_entitlement_alert(&e, &at)) {
            told++;
            T_INT(at, e.used_micro);
            T_OK(at == 800 * UNIT || at == 1000 * UNIT);
        }
    }
    T_INT(told, 2);
    end();
}

T_CASE(reservations_end_once)
{
    begin();
    struct ll_entitlement e = limited(true, 10 * UNIT);
    struct ll_reservation r = {0, false};
    T_OK(ll_entitlement_reserve(&e, 10 * UNIT, &r));
    T_OK(!ll_entitlement_use(&e, 1));
    T_OK(!ll_entitlement_commit(&e, &r, 11 * UNIT));
    T_OK(ll_entitlement_commit(&e, &r, 7 * UNIT));
    T_OK(!ll_entitlement_commit(&e, &r, 0));
    ll_entitlement_release(&e, &r);
    T_INT(e.reserved_micro, 0);
    T_INT(e.used_micro, 7 * UNIT);
    T_OK(ll_entitlement_use(&e, 3 * UNIT));
    T_OK(!ll_entitlement_reserve(&e, 1, &r));
    end();
}

/* -- shares -- */

T_CASE(shares_end_where_they_began)
{
    uint64_t state = 5;
    for (int round = 0; round < 2000; round++) {
        struct ll_share_terms terms = {(int64_t)(dice(&state) % 7000),
            (int64_t)(dice(&state) % 100), (int64_t)(dice(&state) % 3000)};
        int64_t base = 1 + (int64_t)(dice(&state) % 100000);
        struct ll_share sum, move;
        T_OK(ll_share(&terms, base, &sum));
        T_INT(sum.platform_fen + sum.channel_fen + sum.vendor_fen, base);
        while (base > 0) {
            int64_t left = (int64_t)(dice(&state) % (uint64_t)base);
            T_OK(ll_share_move(&terms, base, left, &move));
            sum.platform_fen += move.platform_fen;
            sum.channel_fen += move.channel_fen;
            sum.vendor_fen += move.vendor_fen;
            base = left;
            T_INT(sum.platform_fen + sum.channel_fen + sum.vendor_fen, base);
        }
        T_INT(sum.platform_fen, 0);
        T_INT(sum.channel_fen, 0);
    }
}

T_MAIN(T_RUN(halves_go_away_from_zero) T_RUN(what_does_not_fit_is_said)
        T_RUN(decimals_are_exact) T_RUN(a_split_sums_to_the_whole)
            T_RUN(days_never_go_back) T_RUN(anniversaries_come_back)
                T_RUN(a_plan_is_rated_by_pieces) T_RUN(no_memory_is_said) T_RUN(
                    grants_are_used_in_order) T_RUN(exactly_what_fits_passes)
                    T_RUN(thresholds_are_told_once) T_RUN(reservations_end_once)
                        T_RUN(shares_end_where_they_began))
