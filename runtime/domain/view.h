/* domain/view.h: values that say less than the value they are made of. [any]
 *
 * Pure: the same value and the same year give the same bytes. What is not of
 * the shape that a view knows how to lessen has no view: rather nothing than
 * too much. Ages are those of 1 January, so that whoever asks every day does
 * not learn a birthday.
 */
#ifndef LL_DOMAIN_VIEW_H
#define LL_DOMAIN_VIEW_H

#include "base/json.h"
#include "domain/dictionary.h"

/* Appends the view of a field's value as JSON. False, and nothing appended, if
 * there is none. `today`: days since 1970-01-01 in the community's zone.
 *   age_band       "1953-06-01": "0-13", "14-17", "18-34", "35-59", "60-69",
 *                  "70-79", "80+"
 *   is_60_plus     the same: true or false
 *   building_only  "幸福小区3号楼2单元501": "幸福小区3号楼"; "3-2-501": "3";
 *                  {"building": "3", "unit": ...}: "3"
 *   masked_phone   "13812341234": "138****1234"
 *   masked_plate   "沪A12345": "沪A***45", and of a list each of them */
bool ll_view_of(enum ll_view_kind view, struct ll_jv value, int32_t today,
    struct ll_buf *out) LL_USE_RESULT;

#endif
