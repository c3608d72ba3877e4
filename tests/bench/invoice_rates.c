/* tests/bench/invoice_rates.c: invoices a second, and how long they block.
 *
 *   invoice_rates [SUBSCRIPTIONS]
 *
 * So many subscriptions of one plan (a fee in advance, tiers, a package), each
 * with ten records of use, turn at one midnight: their drafts, then, after the
 * grace, their final invoices, each with its number, frozen body, hash and
 * entry in the ledger in one commit. How many a second, the CPU time of the
 * process for each, and of the loop in the longest part of the calendar. The
 * store is in memory and has one reader.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../unit/host_call.h"
#include "billing/invoices.h"
#include "data/series.h"
#include "domain/pricing_number.h"

#define NAME_BYTES 32
#define HOUR_MS ((int64_t)3600000)
#define RECORDS 10

static const char manifest[] =
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,"
    "\"runtime\":\"lua\",\"main\":\"main.lua\","
    "\"routes\":[{\"method\":\"GET\",\"path\":\"/x\","
    "\"caller\":[\"resident\"]}]}";
static const char plan_text[] =
    "{\"name\":\"basic\",\"plugin\":\"probe\",\"plan\":{\"interval\":"
    "\"month\",\"anchor\":\"calendar\",\"tax\":{\"mode\":\"inclusive\","
    "\"rate_bp\":600},\"charges\":[{\"id\":\"fee\",\"kind\":\"flat\","
    "\"amount_fen\":3100},{\"id\":\"c\",\"kind\":\"graduated\",\"meter\":"
    "\"linli.call\",\"tiers\":[{\"up_to\":\"5\",\"unit_fen\":\"2\"},"
    "{\"up_to\":null,\"unit_fen\":\"1\"}]},{\"id\":\"sms\",\"kind\":"
    "\"package\",\"meter\":\"linli.notification\",\"size\":\"20\","
    "\"package_fen\":100}]}}";

struct bench {
    struct host_call h;
    long subs;
    int64_t now_ms;
    double longest_s; /* of the loop's CPU time, in one part */
};

static double
clock_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
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

static bool
knows(void *user, linli_str plugin, linli_str meter)
{
    (void)user;
    (void)plugin;
    return ll_str_starts(meter, "linli.");
}

static struct ll_bill_act
act_of(struct bench *b)
{
    return (struct ll_bill_act){.billing = &b->h.host.billing,
        .by = LINLI_STR("operator:o1"),
        .reason = LINLI_STR("bench"),
        .now_ms = b->now_ms};
}

static const struct ll_plan_version *
publish(struct bench *b)
{
    struct ll_json json;
    struct ll_bill_act act = act_of(b);
    const struct ll_plan_version *version;
    bool again;
    ll_json_init(&json, &b->h.host.mem);
    must(ll_json_parse(&json, ll_cstr(plan_text), 16, &b->h.err), &b->h.err);
    struct ll_plan_offer offer = {.community = b->h.community.id,
        .root = ll_json_root(&json),
        .body = ll_cstr(plan_text),
        .known = knows};
    must(ll_plan_publish(&act, &offer, &version, &again, &b->h.err), &b->h.err);
    ll_json_fini(&json);
    return version;
}

static void
subscribe(struct bench *b, const struct ll_plan_version *plan, long n)
{
    struct ll_bill_act act = act_of(b);
    char name[NAME_BYTES];
    struct ll_sub *sub;
    bool again;
    (void)snprintf(name, sizeof name, "r%ld", n);
    struct ll_sub_party party = {LL_PARTY_RESIDENT, ll_cstr(name), LL_BP};
    struct ll_sub_offer offer = {.community = b->h.community.id,
        .key = ll_cstr(name),
        .plan = plan,
        .payers = &party,
        .beneficiaries = &party,
        .payer_count = 1,
        .beneficiary_count = 1,
        .seats_micro = LL_MICRO,
        .cap_fen = LL_CAP_NONE};
    must(ll_sub_start(&act, &offer, &sub, &again, &b->h.err), &b->h.err);
    struct ll_commit *commit = ll_docs_commit_new(&b->h.host.docs);
    for (int i = 0; i < RECORDS; i++) {
        struct ll_counted counted = {i % 2 == 0
                                         ? LINLI_STR("linli.call")
                                         : LINLI_STR("linli.notification"),
            sub->id, plan->id};
        struct ll_usage usage = {.call_low = (uint64_t)(n * RECORDS + i),
            .at_ms = b->now_ms + i * 2 * HOUR_MS,
            .quantity = (1 + n % 7) * LL_USAGE_UNIT,
            .series = ll_series(b->h.instance.space, &counted)};
        ll_commit_usage(commit, &usage);
    }
    (void)ll_docs_commit_send(&b->h.host.docs, commit);
}

/* Everything that is due by now; in seconds. */
static double
run(struct bench *b)
{
    struct ll_billing *billing = &b->h.host.billing;
    struct ll_store *store = b->h.host.store;
    double start = clock_s(CLOCK_MONOTONIC);
    bool more = true;
    ll_world_set_wall(b->h.host.world, (struct ll_wall){b->now_ms});
    while (more || !ll_invoices_idle(billing) ||
           ll_store_durable(store) < ll_store_last(store)) {
        double begun = clock_s(CLOCK_THREAD_CPUTIME_ID);
        more = ll_invoices_run(billing, b->now_ms);
        double took = clock_s(CLOCK_THREAD_CPUTIME_ID) - begun;
        b->longest_s = took > b->longest_s ? took : b->longest_s;
        ll_world_turn(b->h.host.world, !more);
    }
    return clock_s(CLOCK_MONOTONIC) - start;
}

static void
print(struct bench *b, const char *what, long count, double took, double cpu)
{
    (void)printf("{\"what\":\"%s\",\"count\":%ld,\"per_s\":%.0f,"
                 "\"cpu_us\":%.1f,\"longest_ms\":%.2f}\n",
        what, count, (double)count / took, cpu * 1e6 / (double)count,
        b->longest_s * 1e3);
    (void)fflush(stdout);
    b->longest_s = 0;
}

/* The clock goes on by so much, and what is due is done. */
static void
go(struct bench *b, int64_t ms, const char *what)
{
    double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    b->now_ms += ms;
    double took = run(b);
    cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (what != NULL)
        print(b, what, b->subs, took, cpu);
    b->longest_s = 0;
}

int
main(int argc, char **argv)
{
    static struct bench b;
    b.subs = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
    b.now_ms = 1893430800000; /* 2030-01-01 01:00 in Shanghai */
    host_call_open(&b.h, ll_cstr(manifest));
    ll_world_set_wall(b.h.host.world, (struct ll_wall){b.now_ms});
    struct ll_invoice_policy policy = {LL_INVOICE_GRACE_HOURS * HOUR_MS,
        {15, LL_DUNNING_NEVER, LL_DUNNING_NEVER, LL_DUNNING_NEVER}, {NULL, 0}};
    struct ll_invoice_hooks hooks = {NULL, NULL, NULL, NULL};
    const struct ll_plan_version *plan = publish(&b);
    for (long n = 0; n < b.subs; n++) {
        subscribe(&b, plan, n);
        if (n % 1024 == 0)
            host_call_settle(&b.h);
    }
    host_call_settle(&b.h);
    ll_invoices_set(&b.h.host.billing, &policy, &hooks);
    go(&b, 0, "first drafts");
    go(&b, 72 * HOUR_MS, "first invoices");
    go(&b, 28 * 24 * HOUR_MS - HOUR_MS, "drafts");
    go(&b, 72 * HOUR_MS, "invoices");
    host_call_close(&b.h);
    return 0;
}
