/* tests/unit/test_dunning.c: what follows when an invoice is not paid. */
#include "domain/dunning.h"

#include "base/limits.h"
#include "t.h"

static const struct ll_dunning_policy plain = {15, 1, 8, 15};

T_CASE(steps_come_in_their_days)
{
    static const struct {
        int32_t today;
        enum ll_dunning step, essential;
        int32_t next;
    } rows[] = {{90, LL_DUNNING_NONE, LL_DUNNING_NONE, 101},
        {100, LL_DUNNING_NONE, LL_DUNNING_NONE, 101},
        {101, LL_DUNNING_NOTIFY, LL_DUNNING_NOTIFY, 108},
        {107, LL_DUNNING_NOTIFY, LL_DUNNING_NOTIFY, 108},
        {108, LL_DUNNING_RESTRICT, LL_DUNNING_NOTIFY, 115},
        {114, LL_DUNNING_RESTRICT, LL_DUNNING_NOTIFY, 115},
        {115, LL_DUNNING_SUSPEND, LL_DUNNING_NOTIFY, LL_DUNNING_NEVER},
        {999, LL_DUNNING_SUSPEND, LL_DUNNING_NOTIFY, LL_DUNNING_NEVER}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_INT(ll_dunning_on(&plain, 100, rows[i].today, false), rows[i].step);
        T_INT(
            ll_dunning_on(&plain, 100, rows[i].today, true), rows[i].essential);
        T_INT(ll_dunning_next(&plain, 100, rows[i].today, false), rows[i].next);
    }
    /* What is essential has nothing to come after it was said. */
    T_INT(ll_dunning_next(&plain, 100, 101, true), LL_DUNNING_NEVER);
}

T_CASE(a_step_that_never_comes)
{
    struct ll_dunning_policy mild = {0, 3, LL_DUNNING_NEVER, LL_DUNNING_NEVER};
    T_OK(ll_dunning_valid(&mild));
    T_INT(ll_dunning_on(&mild, 0, 4000, false), LL_DUNNING_NOTIFY);
    T_INT(ll_dunning_next(&mild, 0, 0, false), 1); /* overdue, and no step */
    T_INT(ll_dunning_on(&mild, 0, 1, false), LL_DUNNING_NONE);
    T_INT(ll_dunning_next(&mild, 0, 1, false), 3);
    T_INT(ll_dunning_next(&mild, 0, 3, false), LL_DUNNING_NEVER);
}

T_CASE(steps_rise)
{
    struct ll_dunning_policy bad = plain;
    T_OK(ll_dunning_valid(&plain));
    bad.suspend_days = 7;
    T_OK(!ll_dunning_valid(&bad));
    bad = plain;
    bad.notify_days = 0;
    T_OK(!ll_dunning_valid(&bad));
    bad = plain;
    bad.suspend_days = LL_DUNNING_DAYS_MAX + 1;
    T_OK(!ll_dunning_valid(&bad));
    bad = plain;
    bad.due_days = -1;
    T_OK(!ll_dunning_valid(&bad));
}

T_MAIN(T_RUN(steps_come_in_their_days) T_RUN(a_step_that_never_comes)
        T_RUN(steps_rise))
