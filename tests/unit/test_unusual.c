/* tests/unit/test_unusual.c: which days of a meter are far from the others. */
#include "t.h"

#include "dice.h"
#include "domain/unusual.h"
#include "domain/usage.h"

#define U LL_USAGE_UNIT
#define DAYS_MAX 64

static struct ll_unusual is;

/* Judges the last of these, in units. */
static enum ll_unusual_word
judge(const int64_t *units, uint32_t count)
{
    int64_t days[DAYS_MAX];
    for (uint32_t i = 0; i < count; i++)
        days[i] = units[i] * U;
    ll_unusual_judge(days, count, &is);
    return is.word;
}

/* `past` days of one kind each, then the day. */
static enum ll_unusual_word
after_same(uint32_t past, int64_t units, int64_t day)
{
    int64_t days[DAYS_MAX];
    for (uint32_t i = 0; i < past; i++)
        days[i] = units;
    days[past] = day;
    return judge(days, past + 1);
}

T_CASE(too_few_days_say_nothing)
{
    T_INT(after_same(0, 0, 1000000), LL_UNUSUAL_UNKNOWN);
    T_INT(after_same(LL_UNUSUAL_DAYS_MIN - 1, 10, 1000000), LL_UNUSUAL_UNKNOWN);
    T_INT(after_same(LL_UNUSUAL_DAYS_MIN, 10, 1000000), LL_UNUSUAL_ABOVE);
    T_INT(is.days, LL_UNUSUAL_DAYS_MIN);
}

/* Days that are all the same have no spread: a share of the median, and at
 * least some units, are usual. */
T_CASE(steady_days_have_room)
{
    T_INT(after_same(28, 100, 150), LL_UNUSUAL_NOT);
    T_INT(after_same(28, 100, 151), LL_UNUSUAL_ABOVE);
    T_INT(after_same(28, 100, 50), LL_UNUSUAL_NOT);
    T_INT(after_same(28, 100, 49), LL_UNUSUAL_BELOW);
    T_INT(after_same(28, 0, 10), LL_UNUSUAL_NOT);
    T_INT(after_same(28, 0, 11), LL_UNUSUAL_ABOVE);
    T_INT(is.median, 0);
    T_INT(is.most, 10 * U);
    T_INT(after_same(28, 5, 0), LL_UNUSUAL_NOT);
}

T_CASE(spread_is_the_median_of_distances)
{
    /* median 10; distances 2 2 1 1 0 1 1 2 2, their median 1 */
    static const int64_t quiet[] = {8, 8, 9, 9, 10, 11, 11, 12, 12, 20};
    T_INT(judge(quiet, 10), LL_UNUSUAL_NOT); /* the units that always are */
    T_INT(is.median, 10 * U);
    T_INT(is.spread, 1 * U);
    /* median 100, spread 20: up to 260 */
    static const int64_t wild[] = {60, 70, 80, 90, 100, 110, 120, 130, 140, 0};
    int64_t days[10];
    memcpy(days, wild, sizeof days);
    days[9] = 260;
    T_INT(judge(days, 10), LL_UNUSUAL_NOT);
    T_INT(is.spread, 20 * U);
    T_INT(is.most, 260 * U);
    days[9] = 261;
    T_INT(judge(days, 10), LL_UNUSUAL_ABOVE);
    T_INT(is.least, -60 * U);
}

T_CASE(two_in_the_middle)
{
    static const int64_t days[] = {1, 2, 3, 4, 5, 6, 7, 8, 4};
    T_INT(judge(days, 9), LL_UNUSUAL_NOT);
    T_INT(is.median, 4 * U + U / 2);
}

/* One wild day moves neither median nor spread, so the next is seen too. */
T_CASE(a_wild_day_hides_no_other)
{
    int64_t days[30];
    for (int i = 0; i < 30; i++)
        days[i] = 100 + i % 3;
    days[25] = 1000000000;
    days[29] = 5000;
    T_INT(judge(days, 30), LL_UNUSUAL_ABOVE);
    T_INT(is.median, 101 * U);
}

/* Weekends are no surprise, once there were three of them. */
T_CASE(weekdays_have_their_own)
{
    int64_t days[29];
    for (int i = 0; i < 29; i++)
        days[i] = i % 7 >= 5 ? 10 : 200;
    T_INT(judge(days, 27), LL_UNUSUAL_NOT); /* 26 % 7 is 5 */
    T_INT(judge(days, 28), LL_UNUSUAL_NOT);
    days[27] = 301; /* past what all days say, too */
    T_INT(judge(days, 28), LL_UNUSUAL_ABOVE);
    /* Only two of its weekday before: all days say. */
    T_INT(judge(days + 7, 20), LL_UNUSUAL_BELOW);
    T_INT(days[7 + 19], 10);
}

/* What is longer ago is not looked at. */
T_CASE(a_window_of_days)
{
    int64_t days[60];
    for (int i = 0; i < 60; i++)
        days[i] = i < 31 ? 100000 : 100;
    T_INT(judge(days, 60), LL_UNUSUAL_NOT);
    T_INT(is.days, LL_UNUSUAL_DAYS);
    days[59] = 100000;
    T_INT(judge(days, 60), LL_UNUSUAL_ABOVE);
}

/* Sums at the ends of int64, of corrections too, overflow nowhere. */
T_CASE(ends_of_the_numbers)
{
    int64_t days[29];
    for (int i = 0; i < 29; i++)
        days[i] = i % 2 == 0 ? INT64_MAX : INT64_MIN;
    ll_unusual_judge(days, 29, &is);
    T_INT(is.word, LL_UNUSUAL_NOT);
    T_INT(is.least, INT64_MIN);
    T_INT(is.most, INT64_MAX);
    for (int i = 0; i < 29; i++)
        days[i] = INT64_MIN;
    ll_unusual_judge(days, 29, &is);
    T_INT(is.word, LL_UNUSUAL_NOT);
    days[28] = INT64_MAX;
    ll_unusual_judge(days, 29, &is);
    T_INT(is.word, LL_UNUSUAL_ABOVE);
}

/* Whatever the days are: the word is what the bounds say, and the same days
 * in another order of the past have the same bounds. */
T_CASE(bounds_agree_with_the_word)
{
    uint64_t seed = 7;
    for (int round = 0; round < 5000; round++) {
        int64_t days[12];
        uint32_t count = 8 + dice_below(&seed, 4);
        for (uint32_t i = 0; i < count; i++)
            days[i] = (int64_t)dice_below(&seed, 400) * U / 3;
        ll_unusual_judge(days, count, &is);
        struct ll_unusual first = is;
        bool outside = days[count - 1] < is.least || days[count - 1] > is.most;
        T_OK(outside == (is.word != LL_UNUSUAL_NOT));
        T_OK(is.least <= is.median && is.median <= is.most);
        int64_t swap = days[0];
        days[0] = days[count - 2];
        days[count - 2] = swap;
        ll_unusual_judge(days, count, &is);
        T_OK(is.median == first.median && is.spread == first.spread);
    }
}

T_MAIN(T_RUN(too_few_days_say_nothing) T_RUN(steady_days_have_room)
        T_RUN(spread_is_the_median_of_distances) T_RUN(two_in_the_middle)
            T_RUN(a_wild_day_hides_no_other) T_RUN(weekdays_have_their_own)
                T_RUN(a_window_of_days) T_RUN(ends_of_the_numbers)
                    T_RUN(bounds_agree_with_the_word))
