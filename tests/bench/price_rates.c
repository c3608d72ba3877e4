/* tests/bench/price_rates.c: subscriptions and lines a second of the engine.
 *
 *   price_rates [SUBSCRIPTIONS]
 *
 * Rates one month of 100,000 subscriptions of one plan: a prorated fee, tiers,
 * a package, a percentage of ten payments, two discounts, inclusive tax; then
 * what is due of credit notes and a wallet. In memory, one thread; CPU time.
 * Figures are for comparing changes on one machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "domain/pricing_invoice.h"

static const char plan_text[] =
    "{\"interval\":\"month\",\"anchor\":\"calendar\","
    "\"tax\":{\"mode\":\"inclusive\",\"rate_bp\":600},"
    "\"discounts\":[{\"id\":\"A\",\"percent_bp\":500},"
    "{\"id\":\"B\",\"amount_fen\":300}],"
    "\"charges\":[{\"id\":\"base\",\"kind\":\"flat\",\"amount_fen\":9900},"
    "{\"id\":\"api\",\"kind\":\"graduated\",\"meter\":\"api\",\"included\":"
    "\"100\",\"tiers\":[{\"up_to\":\"1000\",\"unit_fen\":\"3\"},"
    "{\"up_to\":\"5000\",\"unit_fen\":\"2.5\"},"
    "{\"up_to\":null,\"unit_fen\":\"0.25\"}]},"
    "{\"id\":\"sms\",\"kind\":\"package\",\"meter\":\"sms\",\"size\":\"20\","
    "\"package_fen\":100},"
    "{\"id\":\"pay\",\"kind\":\"percentage\",\"meter\":\"pay\",\"rate_bp\":60,"
    "\"fixed_fen\":10,\"free_events\":3}]}";

static double
cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(linli_status status, const struct ll_err *err)
{
    if (status == LINLI_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", err->code, err->msg);
    exit(1);
}

/* One subscription's month; its lines. */
static uint32_t
rate(struct ll_arena *arena, const struct ll_plan *plan, uint32_t n)
{
    struct ll_invoice invoice;
    struct ll_err err = {0};
    int64_t amounts[10];
    for (int i = 0; i < 10; i++)
        amounts[i] = 1000 + (int64_t)(n * 37 + (uint32_t)i * 101) % 9000;
    ll_arena_reset(arena);
    ll_invoice_begin(&invoice, arena, plan);
    int64_t quantity = (int64_t)(n % 9973) * LL_MICRO + 250000;
    struct ll_use uses[] = {
        {.name = LINLI_STR("api"), .quantity_micro = quantity},
        {.name = LINLI_STR("sms"), .quantity_micro = quantity},
        {.name = LINLI_STR("pay"), .amounts = amounts, .amount_count = 10}};
    struct ll_rating rating = {
        .uses = uses, .use_count = 3, .days = {n % 5 == 0 ? 22 : 31, 31}};
    must(ll_invoice_rate_plan(&invoice, NULL, &rating, &err), &err);
    must(ll_invoice_close(&invoice, &err), &err);
    struct ll_credit grant = {LINLI_STR("W"), 3000, 1, INT64_MAX, 0};
    struct ll_purse purse = {500, &grant, 1, 0};
    struct ll_settled settled;
    ll_settle(invoice.total_fen, &purse, &settled);
    return invoice.lines.count;
}

int
main(int argc, char **argv)
{
    long subscriptions = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
    struct ll_mem mem;
    struct ll_arena of_plan, arena;
    struct ll_json json;
    struct ll_plan plan;
    struct ll_err err = {0};
    uint64_t lines = 0;
    ll_mem_init(&mem, 0);
    ll_arena_init(&of_plan, &mem, (size_t)1 << 20);
    ll_arena_init(&arena, &mem, (size_t)1 << 20);
    ll_json_init(&json, &mem);
    must(ll_json_parse(&json, ll_cstr(plan_text), 16, &err), &err);
    struct ll_jv root = ll_json_root(&json);
    must(ll_plan_read(&of_plan, root, root, &plan, &err), &err);
    double start = cpu_s();
    for (long n = 0; n < subscriptions; n++)
        lines += rate(&arena, &plan, (uint32_t)n);
    double took = cpu_s() - start;
    (void)printf("{\"subscriptions\":%ld,\"lines\":%llu,\"cpu_s\":%.3f,"
                 "\"lines_per_s\":%.0f}\n",
        subscriptions, (unsigned long long)lines, took,
        (double)lines / (took > 0 ? took : 1e-9));
    ll_json_fini(&json);
    ll_arena_fini(&arena);
    ll_arena_fini(&of_plan);
    return 0;
}
