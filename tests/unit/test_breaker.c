/* tests/unit/test_breaker.c: when a plugin that keeps crashing is paused. */
#include "plugin/breaker.h"

#include "t.h"

#define FIRST_MS INT64_C(1000000)

/* Crashes `n` times, `step_ms` apart; how many of them opened it. */
static int
crash(struct ll_breaker *breaker, int n, int64_t from_ms, int64_t step_ms)
{
    int opened = 0;
    for (int i = 0; i < n; i++)
        opened += ll_breaker_crash(breaker, from_ms + i * step_ms);
    return opened;
}

T_CASE(opens_at_the_fifth_crash_of_a_minute)
{
    static const struct {
        int crashes;
        int64_t step_ms;
        bool open;
    } rows[] = {
        {4, 0, false},
        {5, 0, true},
        {5, 15000, true},  /* the first and the fifth: 60 s apart */
        {5, 15001, false}, /* one millisecond more than a minute */
        {50, 15001, false},
        {50, 15000, true},
    };
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct ll_breaker breaker = {.open = false};
        int opened =
            crash(&breaker, rows[i].crashes, FIRST_MS, rows[i].step_ms);
        T_INT(breaker.open, rows[i].open);
        T_INT(opened, rows[i].open); /* told once, however many follow */
    }
}

T_CASE(a_burst_after_quiet_years_opens_it)
{
    struct ll_breaker breaker = {.open = false};
    T_INT(crash(&breaker, 4, FIRST_MS, 0), 0);
    T_INT(crash(&breaker, 1, FIRST_MS + 3600000, 0), 0);
    T_OK(!breaker.open);
    T_INT(crash(&breaker, 4, FIRST_MS + 3600001, 1), 1);
    T_OK(breaker.open);
}

T_CASE(admits_one_probe_at_a_time)
{
    struct ll_breaker breaker = {.open = false};
    T_OK(ll_breaker_admit(&breaker, FIRST_MS));
    T_INT(crash(&breaker, 5, FIRST_MS, 0), 1);
    T_OK(!ll_breaker_admit(&breaker, FIRST_MS));
    T_OK(!ll_breaker_admit(&breaker, FIRST_MS + LL_BREAKER_PROBE_MS - 1));
    T_OK(ll_breaker_admit(&breaker, FIRST_MS + LL_BREAKER_PROBE_MS));
    T_OK(!ll_breaker_admit(&breaker, FIRST_MS + LL_BREAKER_PROBE_MS));
    T_OK(!ll_breaker_admit(&breaker, FIRST_MS + 10 * LL_BREAKER_PROBE_MS));
}

T_CASE(a_probe_without_verdict_makes_room_for_the_next)
{
    struct ll_breaker breaker = {.open = false};
    int64_t at_ms = FIRST_MS + LL_BREAKER_PROBE_MS;
    T_INT(crash(&breaker, 5, FIRST_MS, 0), 1);
    T_OK(ll_breaker_admit(&breaker, at_ms));
    ll_breaker_probe_over(&breaker, at_ms);
    T_OK(breaker.open);
    T_OK(!ll_breaker_admit(&breaker, at_ms + LL_BREAKER_PROBE_MS - 1));
    T_OK(ll_breaker_admit(&breaker, at_ms + LL_BREAKER_PROBE_MS));
}

T_CASE(a_probe_that_crashes_leaves_it_open)
{
    struct ll_breaker breaker = {.open = false};
    int64_t at_ms = FIRST_MS + LL_BREAKER_PROBE_MS;
    T_INT(crash(&breaker, 5, FIRST_MS, 0), 1);
    T_OK(ll_breaker_admit(&breaker, at_ms));
    T_OK(!ll_breaker_crash(&breaker, at_ms + 5));
    T_OK(breaker.open && !breaker.probing);
    T_OK(!ll_breaker_admit(&breaker, at_ms + 6));
    T_OK(ll_breaker_admit(&breaker, at_ms + 5 + LL_BREAKER_PROBE_MS));
}

T_CASE(success_closes_it_and_forgets)
{
    struct ll_breaker breaker = {.open = false};
    T_OK(!ll_breaker_success(&breaker)); /* it was not open */
    T_INT(crash(&breaker, 4, FIRST_MS, 0), 0);
    T_OK(!ll_breaker_success(&breaker));
    T_INT(crash(&breaker, 1, FIRST_MS + 1, 0), 1); /* success forgave none */
    T_OK(ll_breaker_admit(&breaker, FIRST_MS + 1 + LL_BREAKER_PROBE_MS));
    T_OK(ll_breaker_success(&breaker));
    T_OK(!breaker.open && !breaker.probing);
    T_OK(ll_breaker_admit(&breaker, FIRST_MS + 2 + LL_BREAKER_PROBE_MS));
    T_INT(crash(&breaker, 4, FIRST_MS + 3 + LL_BREAKER_PROBE_MS, 0), 0);
}

T_MAIN(T_RUN(opens_at_the_fifth_crash_of_a_minute) T_RUN(
    a_burst_after_quiet_years_opens_it) T_RUN(admits_one_probe_at_a_time)
        T_RUN(a_probe_without_verdict_makes_room_for_the_next)
            T_RUN(a_probe_that_crashes_leaves_it_open)
                T_RUN(success_closes_it_and_forgets))
