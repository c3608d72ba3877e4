/* domain/age.h: days, and how old somebody is on one. [any]
 *
 * A day is its number since 1970-01-01 in the calendar that is in use today
 * (proleptic Gregorian). Whoever was born on 29 February grows a year older
 * on 1 March of the years that have none.
 */
#ifndef LL_DOMAIN_AGE_H
#define LL_DOMAIN_AGE_H

#include "base/defs.h"

#define LL_DAY_UNKNOWN INT32_MIN

struct ll_date {
    int32_t year;
    uint32_t month, day; /* 1..12, 1..31 */
};
int32_t ll_day_of(struct ll_date date);
struct ll_date ll_date_of(int32_t day);
/* "1953-02-28", a day that there is, 0001 to 9999; false, and *day kept. */
bool ll_day_read(linli_str text, int32_t *day);

/* The day on which they are `years` old, 0..200. */
int32_t ll_age_day(int32_t birth_day, int32_t years);
/* Whether they are not yet: false for LL_DAY_UNKNOWN, true before birth. */
bool ll_age_under(int32_t birth_day, int32_t today, int32_t years);

#endif
