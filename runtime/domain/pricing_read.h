/* domain/pricing_read.h: JSON of plans and cases, member by member. [any] pure
 *
 * A reader keeps its first failure: what is read after it yields 0, so that a
 * function reads all its members and looks at `status` once. A failure has
 * its code, the JSON pointer of the member and the fix.
 */
#ifndef LL_DOMAIN_PRICING_READ_H
#define LL_DOMAIN_PRICING_READ_H

#include "base/json.h"

struct ll_plan_rd {
    struct ll_jv root; /* pointers begin here */
    struct ll_arena *arena;
    struct ll_err *err;
    linli_status status; /* LINLI_OK so far */
};

/* Fails at `at`, unless it has failed before; always false. */
bool ll_read_fail(struct ll_plan_rd *r, struct ll_jv at, const char *code,
    const char *fmt, ...) LL_PRINTF(4, 5);
/* The same without memory. */
bool ll_read_nomem(struct ll_plan_rd *r);
/* The same of an exact number that does not fit: "pricing/overflow". */
bool ll_read_overflow(struct ll_plan_rd *r, struct ll_jv at);

/* `object` is one, and has no member but those in `names`, separated by
 * spaces, of which one with '!' behind it has to be there. `what` names it in
 * messages: "a charge". "pricing/plan" or, of a case, "pricing/case". */
bool ll_read_object(struct ll_plan_rd *r, struct ll_jv object, const char *what,
    const char *names);

/* Members. Absent: the default, or 0. Those that are there and are not what
 * they should be fail. */
linli_str ll_read_id(
    struct ll_plan_rd *r, struct ll_jv object, const char *name);
/* The place of a word in `words`, NULL-terminated; absent: `otherwise`. */
int ll_read_word(struct ll_plan_rd *r, struct ll_jv object, const char *name,
    const char *const *words, int otherwise);
/* An integer from 0 to `max`; absent or null: `otherwise`. */
int64_t ll_read_count(struct ll_plan_rd *r, struct ll_jv object,
    const char *name, int64_t max, int64_t otherwise);
/* An exact decimal, 0 or more, in millionths: a string or an integer. */
int64_t ll_read_micro(struct ll_plan_rd *r, struct ll_jv object,
    const char *name, int64_t otherwise);
/* The same of a value. */
int64_t ll_read_micro_of(struct ll_plan_rd *r, struct ll_jv value);
int64_t ll_read_count_of(struct ll_plan_rd *r, struct ll_jv value, int64_t max);
bool ll_read_true(struct ll_plan_rd *r, struct ll_jv object, const char *name);
/* An instant of RFC 3339 with its offset; absent or null: `otherwise`. */
int64_t ll_read_instant(struct ll_plan_rd *r, struct ll_jv object,
    const char *name, int64_t otherwise);
/* A list of at most `max`; its length. */
uint32_t ll_read_list(
    struct ll_plan_rd *r, struct ll_jv list, const char *what, uint32_t max);
/* Zeroed room for `count` things of `bytes`; never NULL unless it fails. */
void *ll_read_room(struct ll_plan_rd *r, uint32_t count, size_t bytes);

#endif
