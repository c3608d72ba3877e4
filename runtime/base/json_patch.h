/* base/json_patch.h: RFC 7396, JSON Merge Patch. [any] */
#ifndef LL_BASE_JSON_PATCH_H
#define LL_BASE_JSON_PATCH_H

#include "base/json.h"

/* Writes `target` with `patch` merged into it: members of the patch replace,
 * null removes, objects merge into objects. Members keep the target's order,
 * new ones follow in the patch's. Depth is bounded by the tapes'. */
void ll_json_merge(struct ll_jw *out, struct ll_jv target, struct ll_jv patch);

#endif
