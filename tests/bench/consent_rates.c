/* tests/bench/consent_rates.c: what a decision costs, and a grant.
 *
 *   consent_rates [GRANTS]...
 *
 * Without numbers: 100,000 and 1,000,000 grants. Each resident has four, of
 * twenty plugins with ten uses of data each; questions are about random
 * residents, nine of ten about something granted. One decision at a time is
 * timed, less what reading the clock costs; "in a row" is the mean of many,
 * which the processor may overlap; line_ns is what this machine takes to fetch
 * a line of that much memory, now. One line of JSON for each size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "domain/consent_state.h"

#define PARTIES 20
#define USES 10
#define GRANTS_OF_ONE 4
#define QUESTIONS (1u << 20)
#define EXPLAINED 20000
#define DAY_MS ((int64_t)86400000)
#define NOW (20000 * DAY_MS)

static struct ll_mem mem;
static struct ll_dictionary dictionary;
static struct ll_consent *consent;
static uint64_t state = 1;
static struct ll_ask *questions;
static uint32_t *took_ns;

static uint32_t
below(uint32_t n)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)(((z ^ z >> 31) >> 32) * n >> 32);
}

static int64_t
read_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
must(linli_status status)
{
    if (status == LINLI_OK)
        return;
    fprintf(stderr, "consent_rates: %d\n", (int)status);
    exit(1);
}

static void
draw(unsigned char id[LL_TAG_BYTES])
{
    for (int i = 0; i < LL_TAG_BYTES; i++)
        id[i] = (unsigned char)below(256);
}

static int64_t
now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

/* Without what others had of the processor meanwhile. */
static int64_t
cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* The field of a plugin's i-th use, and what for. */
static struct ll_scope
use_of(uint32_t i)
{
    return (struct ll_scope){.field = (uint8_t)(i * 3 % 10),
        .purpose = (uint8_t)(i % dictionary.purpose_count),
        .basis = LL_BASIS_CONSENT};
}

static void
make_parties(void)
{
    for (uint32_t i = 0; i < PARTIES; i++) {
        struct ll_scope scopes[USES];
        char name[16];
        uint32_t n;
        struct ll_terms terms = {.active = true,
            .version = 1,
            .since = 1,
            .ceiling = LL_C3,
            .pia = true,
            .scopes = scopes,
            .scope_count = USES};
        for (uint32_t j = 0; j < USES; j++)
            scopes[j] = use_of(j);
        snprintf(name, sizeof name, "plugin%u", i);
        must(ll_consent_put_party(
            consent, LINLI_STR("c"), ll_cstr(name), &terms, &n, NULL));
    }
}

static void
make_people(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct ll_person person = {.birth_day = (int32_t)below(9000)};
        char name[40];
        uint32_t n;
        draw(person.tag);
        snprintf(name, sizeof name, "resident-%08u", i);
        must(ll_consent_put_person(
            consent, LINLI_STR("c"), ll_cstr(name), &person, &n, NULL));
    }
}

/* The g-th grant: its resident's, of one plugin for one purpose. */
static struct ll_ask
asked(uint32_t g)
{
    uint32_t subject = g / GRANTS_OF_ONE, k = g % GRANTS_OF_ONE;
    struct ll_scope use = use_of((subject + k * 3) % USES);
    return (struct ll_ask){.subject = subject,
        .party = (subject * 7 + k) % PARTIES,
        .purpose = use.purpose,
        .field = use.field,
        .now_ms = NOW,
        .today = 20000};
}

static void
make_grants(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct ll_ask ask = asked(i);
        struct ll_grant grant = {.subject = ask.subject,
            .party = ask.party,
            .fields = (uint64_t)1 << ask.field,
            .purpose = ask.purpose,
            .level = LL_LEVEL_SEPARATE,
            .version = 1,
            .uses = -1,
            .guardian = LL_NOBODY,
            .from_ms = NOW - DAY_MS,
            .until_ms = NOW + 90 * DAY_MS,
            .used_ms = NOW - DAY_MS,
            .given_ms = NOW - DAY_MS};
        uint32_t n;
        draw(grant.id);
        must(ll_consent_put_grant(consent, &grant, &n, NULL));
    }
}

static int
by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What reading the clock twice costs. */
static uint32_t
clock_ns(void)
{
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        int64_t from = now_ns();
        took_ns[i] = (uint32_t)(now_ns() - from);
    }
    qsort(took_ns, QUESTIONS, sizeof *took_ns, by_value);
    return took_ns[QUESTIONS / 2];
}

/* What the machine takes to fetch one line that it cannot guess, of as much
 * memory as the grants take: a usual decision needs two, at once. */
static double
line_ns(uint32_t count)
{
    uint32_t lines = count / 2 + 2, at = 0;
    struct line {
        uint32_t next, pad[15];
    } *chain = calloc(lines, sizeof *chain);
    if (chain == NULL)
        exit(1);
    for (uint32_t i = 0; i < lines; i++)
        chain[i].next = i;
    for (uint32_t i = lines - 1; i > 0; i--) { /* one cycle: Sattolo */
        uint32_t j = below(i), other = chain[i].next;
        chain[i].next = chain[j].next;
        chain[j].next = other;
    }
    int64_t from = cpu_ns();
    for (uint32_t i = 0; i < QUESTIONS; i++)
        at = chain[at].next;
    double ns = (double)(cpu_ns() - from) / QUESTIONS;
    free(chain);
    return at < lines ? ns : 0; /* at: so that it is not left out */
}

static double
in_a_row_ns(uint32_t *allowed)
{
    int64_t from = cpu_ns();
    *allowed = 0;
    for (uint32_t i = 0; i < QUESTIONS; i++)
        *allowed +=
            ll_consent_decide(consent, &questions[i]).reason == LL_REASON_ALLOW;
    return (double)(cpu_ns() - from) / QUESTIONS;
}

static double
explain_us(enum ll_audience audience)
{
    struct ll_buf out;
    ll_buf_init(&out, &mem, 1 << 16);
    int64_t from = cpu_ns();
    for (uint32_t i = 0; i < EXPLAINED; i++) {
        ll_buf_clear(&out);
        ll_consent_explain(consent, &questions[i], audience, true, &out);
    }
    double us = (double)(cpu_ns() - from) / EXPLAINED / 1000;
    ll_buf_fini(&out);
    return us;
}

static double
at(double share, uint32_t less)
{
    uint32_t ns = took_ns[(uint32_t)(share * (QUESTIONS - 1))];
    return ns > less ? ns - less : 0;
}

static void
measure(uint32_t count)
{
    uint32_t allowed, timer = clock_ns();
    must(ll_consent_new(&mem, &dictionary, &consent, NULL));
    make_parties();
    make_people(count / GRANTS_OF_ONE + 1);
    size_t before = ll_consent_bytes(consent);
    make_grants(count);
    double bytes = (double)(ll_consent_bytes(consent) - before) / count;
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        questions[i] = asked(below(count));
        if (below(10) == 0)
            questions[i].party = (questions[i].party + 5) % PARTIES;
    }
    double row = in_a_row_ns(&allowed);
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        int64_t from = now_ns();
        struct ll_verdict verdict = ll_consent_decide(consent, &questions[i]);
        took_ns[i] = (uint32_t)(now_ns() - from) +
                     (verdict.reason == LL_REASON_LEASE_LOST);
    }
    qsort(took_ns, QUESTIONS, sizeof *took_ns, by_value);
    printf("{\"grants\":%u,\"decide_p50_ns\":%.0f,\"decide_p99_ns\":%.0f,"
           "\"in_a_row_ns\":%.1f,\"allowed\":%.2f,\"bytes_a_grant\":%.1f,"
           "\"explain_plugin_us\":%.2f,\"explain_resident_us\":%.2f,"
           "\"explain_auditor_us\":%.2f,\"line_ns\":%.1f}\n",
        count, at(0.5, timer), at(0.99, timer), row,
        (double)allowed / QUESTIONS, bytes, explain_us(LL_FOR_PLUGIN),
        explain_us(LL_FOR_RESIDENT), explain_us(LL_FOR_AUDITOR),
        line_ns(count * 7 / 4));
    ll_consent_free(&consent);
}

int
main(int argc, char **argv)
{
    ll_mem_init(&mem, 0);
    must(ll_dictionary_init(&dictionary, &mem, NULL));
    questions = calloc(QUESTIONS, sizeof *questions);
    took_ns = calloc(QUESTIONS, sizeof *took_ns);
    if (questions == NULL || took_ns == NULL)
        return 1;
    if (argc == 1) {
        measure(100000);
        measure(1000000);
    }
    for (int i = 1; i < argc; i++) {
        int64_t count = 0;
        if (!ll_str_int(ll_cstr(argv[i]), 1, 100000000, &count))
            return 2;
        measure((uint32_t)count);
    }
    ll_dictionary_fini(&dictionary);
    free(questions);
    free(took_ns);
    return 0;
}
