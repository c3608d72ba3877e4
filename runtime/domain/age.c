/* domain/age.c: days and ages. */
#include "domain/age.h"

#include "base/text.h"

/* The calendar in eras of 400 years from 1 March, so that the leap day is the
 * last of a year (Hinnant, chrono-compatible low-level date algorithms). */
#define DAYS_OF_ERA 146097
#define DAYS_TO_1970 719468 /* from 0000-03-01 */

int32_t
ll_day_of(struct ll_date date)
{
    int32_t year = date.year - (date.month <= 2);
    int32_t era = (year >= 0 ? year : year - 399) / 400;
    int32_t of_era = year - era * 400;
    int32_t month = ((int32_t)date.month + 9) % 12;
    int32_t of_year = (153 * month + 2) / 5 + (int32_t)date.day - 1;
    return era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 +
           of_year - DAYS_TO_1970;
}

struct ll_date
ll_date_of(int32_t day)
{
    int32_t z = day + DAYS_TO_1970;
    int32_t era = (z >= 0 ? z : z - DAYS_OF_ERA + 1) / DAYS_OF_ERA;
    int32_t of_era = z - era * DAYS_OF_ERA;
    int32_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int32_t month = (5 * of_year + 2) / 153;
    return (struct ll_date){
        year + era * 400 + (month >= 10),
        (uint32_t)(month < 10 ? month + 3 : month - 9),
        (uint32_t)(of_year - (153 * month + 2) / 5 + 1),
    };
}

bool
ll_day_read(linli_str text, int32_t *day)
{
    int64_t year, month, of_month;
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-' ||
        !ll_str_int((linli_str){text.ptr, 4}, 1, 9999, &year) ||
        !ll_str_int((linli_str){text.ptr + 5, 2}, 1, 12, &month) ||
        !ll_str_int((linli_str){text.ptr + 8, 2}, 1, 31, &of_month))
        return false;
    int32_t found = ll_day_of(
        (struct ll_date){(int32_t)year, (uint32_t)month, (uint32_t)of_month});
    if (ll_date_of(found).day != (uint32_t)of_month)
        return false; /* 30 February is a day of March */
    *day = found;
    return true;
}

int32_t
ll_age_day(int32_t birth_day, int32_t years)
{
    struct ll_date date = ll_date_of(birth_day);
    date.year += years;
    return ll_day_of(date); /* 29 February of such a year is 1 March */
}

bool
ll_age_under(int32_t birth_day, int32_t today, int32_t years)
{
    if (birth_day == LL_DAY_UNKNOWN)
        return false;
    int64_t days = (int64_t)today - birth_day;
    if (days >= (int64_t)years * 366)
        return false;
    if (days < (int64_t)years * 365)
        return true;
    return today < ll_age_day(birth_day, years);
}
