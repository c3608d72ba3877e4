/* base/json_patch.h: RFC 7396, JSON Merge Patch. [any] */
#ifndef LL_BASE_JSON_PATCH_H
#define LL_BASE_JSON_PATCH_H

#include "base/json.h"

/* Writes `target` with `patch` merged into it: members of the patch replace,
 * null removes, objects merge into objects; a target that is no object, or is
 * not there, counts as an empty one. Members keep the target's order, new
 * ones follow in the patch's. Depth is bounded by the tapes'. For a patch of
 * many members it allocates from the buffer's account while it runs; what is
 * refused there makes the buffer `failed`. */
void ll_json_merge(struct ll_jw *out, struct ll_jv target, struct ll_jv patch);

#endif
