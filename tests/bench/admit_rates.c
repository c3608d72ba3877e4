/* tests/bench/admit_rates.c: what it costs to admit a call by its plan.
 *
 *   admit_rates [SUBSCRIPTIONS [ROUNDS]]
 *
 * The steps SUBSCRIBE and QUOTA of residents' calls, in turn of so many
 * subscriptions, and the end of what was promised; in process, without a run
 * and a commit. CPU nanoseconds a call: of a plugin that is not sold, where
 * nothing is sold and where others are; of one that is, without a limit, with a
 * hard limit, with a cap in fen. `load` is what the first call of a
 * subscription waits for, from the buckets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../unit/host_call.h"
#include "domain/pricing_number.h"
#include "host/plan_call.h"

#define NAME_BYTES 32

static const char manifest[] =
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,"
    "\"runtime\":\"lua\",\"main\":\"main.lua\","
    "\"routes\":[{\"method\":\"GET\",\"path\":\"/x\","
    "\"caller\":[\"resident\"]}]}";

#define PLAN(name, plugin, tail)                                               \
    "{\"name\":\"" name "\",\"plugin\":\"" plugin "\",\"plan\":{\"interval\":" \
    "\"month\",\"anchor\":\"calendar\",\"charges\":[{\"id\":\"c\",\"kind\":"   \
    "\"graduated\",\"meter\":\"linli.call\",\"tiers\":[{\"up_to\":\"1000\","   \
    "\"unit_fen\":\"2\"},{\"up_to\":null,\"unit_fen\":\"1\"}]}]" tail "}}"

struct bench {
    struct host_call h;
    struct ll_identity identity;
    char name[NAME_BYTES];
    long subs, rounds;
};

static double
cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
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

/* -- one call -- */

static void
begin(struct bench *b, long n)
{
    struct ll_call *call = &b->h.call;
    b->identity.id.len =
        (size_t)snprintf(b->name, sizeof b->name, "r%ld", n % b->subs);
    call->sub_known = call->limited = call->household_known = false;
    call->holds = call->run_holds = NULL;
    call->state = LL_CALL_SUBSCRIBE;
    ll_arena_reset(&call->arena);
}

/* A step, until it waits for nothing. */
static void
step(struct bench *b, enum ll_step (*of)(struct ll_call *call))
{
    while (of(&b->h.call) == LL_STEP_WAIT)
        while (b->h.call.hold.head != NULL)
            ll_world_turn(b->h.host.world, true);
}

/* Whether it was let through. */
static bool
admit(struct bench *b, long n)
{
    struct ll_call *call = &b->h.call;
    begin(b, n);
    step(b, ll_step_subscribe);
    call->state = LL_CALL_QUOTA;
    step(b, ll_step_quota);
    ll_plan_call_end(call);
    return call->state == LL_CALL_QUOTA;
}

/* Nanoseconds of CPU a call. */
static double
measure(struct bench *b)
{
    long calls = b->subs * b->rounds;
    double start = cpu_s();
    for (long n = 0; n < calls; n++)
        ll_check(admit(b, n * 7919)); /* none after its neighbour */
    return (cpu_s() - start) * 1e9 / (double)calls;
}

/* -- what is sold -- */

static bool
knows(void *user, linli_str plugin, linli_str meter)
{
    (void)user;
    (void)plugin;
    return ll_str_is(meter, "linli.call");
}

static struct ll_bill_act
act_of(struct bench *b)
{
    return (struct ll_bill_act){.billing = &b->h.host.billing,
        .by = LINLI_STR("operator:o1"),
        .reason = LINLI_STR("bench"),
        .now_ms = b->h.call.now_ms};
}

static const struct ll_plan_version *
publish(struct bench *b, const char *body)
{
    struct ll_json json;
    struct ll_bill_act act = act_of(b);
    const struct ll_plan_version *version;
    bool again;
    ll_json_init(&json, &b->h.host.mem);
    must(ll_json_parse(&json, ll_cstr(body), 16, &b->h.err), &b->h.err);
    struct ll_plan_offer offer = {.community = b->h.community.id,
        .root = ll_json_root(&json),
        .body = ll_cstr(body),
        .known = knows};
    must(ll_plan_publish(&act, &offer, &version, &again, &b->h.err), &b->h.err);
    ll_json_fini(&json);
    return version;
}

static void
subscribe(struct bench *b, const struct ll_plan_version *plan, int64_t cap_fen)
{
    for (long n = 0; n < b->subs; n++) {
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
            .cap_fen = cap_fen};
        must(ll_sub_start(&act, &offer, &sub, &again, &b->h.err), &b->h.err);
        if (n % 4096 == 0)
            host_call_settle(&b->h);
    }
    host_call_settle(&b->h);
}

static void
told(struct ll_wait *wait)
{
    (void)wait;
}

static void
open(struct bench *b)
{
    struct ll_host *host = &b->h.host;
    struct ll_call *call = &b->h.call;
    memset(&b->h, 0, sizeof b->h);
    host_call_open(&b->h, ll_cstr(manifest));
    host->config.metering = true;
    ll_world_set_wall(host->world, (struct ll_wall){call->now_ms});
    b->identity = (struct ll_identity){.kind = LL_CALLER_RESIDENT,
        .community = b->h.community.id,
        .id = {b->name, 0}};
    call->identity = &b->identity;
    call->match.route = &b->h.package.manifest->routes[0];
    call->hold.ready = told;
}

static void
close_all(struct bench *b)
{
    b->h.call.identity = NULL;
    host_call_close(&b->h);
}

/* The first calls, then the others. */
static void
sold(struct bench *b, const char *what, const char *plan, int64_t cap_fen)
{
    open(b);
    subscribe(b, publish(b, plan), cap_fen);
    double start = wall_s();
    for (long n = 0; n < b->subs; n++)
        ll_check(admit(b, n));
    double load_us = (wall_s() - start) * 1e6 / (double)b->subs;
    (void)printf("{\"plan\":\"%s\",\"subscriptions\":%ld,\"ns\":%.0f,"
                 "\"load_us\":%.1f,\"bytes\":%zu}\n",
        what, b->subs, measure(b), load_us,
        b->h.host.mem.used_bytes / (size_t)b->subs);
    close_all(b);
}

int
main(int argc, char **argv)
{
    static struct bench b;
    b.subs = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
    b.rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
    open(&b);
    (void)printf("{\"plan\":\"nothing is sold\",\"ns\":%.0f}\n", measure(&b));
    (void)publish(&b, PLAN("other", "other", ""));
    (void)printf("{\"plan\":\"others are sold\",\"ns\":%.0f}\n", measure(&b));
    host_call_settle(&b.h);
    close_all(&b);
    sold(&b, "no limit", PLAN("a", "probe", ""), LL_CAP_NONE);
    sold(&b, "hard limit",
        PLAN("a", "probe",
            ",\"limits\":[{\"meter\":\"linli.call\",\"kind\":\"hard\","
            "\"max\":\"1000000\"}]"),
        LL_CAP_NONE);
    sold(&b, "cap in fen", PLAN("a", "probe", ""), 1000000);
    return 0;
}
