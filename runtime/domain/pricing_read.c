/* domain/pricing_read.c: JSON of plans and cases, member by member. */
#include "domain/pricing_read.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/instant.h"
#include "base/limits.h"
#include "base/text.h"
#include "domain/pricing_number.h"

#define POINTER_BYTES 160
#define SHOWN_BYTES 64 /* of what was found */

bool
ll_read_fail(struct ll_plan_rd *r, struct ll_jv at, const char *code,
    const char *fmt, ...)
{
    char pointer[POINTER_BYTES], said[256];
    va_list args;
    if (r->status != LINLI_OK)
        return false;
    va_start(args, fmt);
    (void)vsnprintf(said, sizeof said, fmt, args);
    va_end(args);
    r->status = ll_fail(r->err, LINLI_E_INVALID, code, "%s", said);
    ll_jv_pointer(r->root, at, pointer, sizeof pointer);
    ll_err_where(r->err, "%s", pointer);
    return false;
}

bool
ll_read_nomem(struct ll_plan_rd *r)
{
    if (r->status == LINLI_OK)
        r->status = ll_fail(r->err, LINLI_E_NOMEM, "runtime/memory",
            "a plan and what is rated by it");
    return false;
}

bool
ll_read_overflow(struct ll_plan_rd *r, struct ll_jv at)
{
    return ll_read_fail(
        r, at, "pricing/overflow", "the number is beyond 9223372036854.775807");
}

/* Whether `name` stands in `names`; *must: with '!' behind it. */
static bool
stands_in(linli_str name, const char *names)
{
    linli_str rest = ll_cstr(names), one;
    while (ll_str_split(&rest, ' ', &one)) {
        if (one.len > 0 && one.ptr[one.len - 1] == '!')
            one.len--;
        if (one.len > 0 && ll_str_eq(one, name))
            return true;
    }
    return false;
}

static bool
has_what_it_must(struct ll_plan_rd *r, struct ll_jv object, const char *what,
    const char *all)
{
    linli_str rest = ll_cstr(all), one;
    while (ll_str_split(&rest, ' ', &one)) {
        if (one.len == 0 || one.ptr[one.len - 1] != '!')
            continue;
        one.len--;
        if (!ll_jv_there(ll_jv_get_str(object, one)))
            return ll_read_fail(r, object, "pricing/missing", "%s lacks `%.*s`",
                what, LL_FMT(one));
    }
    return true;
}

bool
ll_read_object(struct ll_plan_rd *r, struct ll_jv object, const char *what,
    const char *names)
{
    char known[256];
    size_t n = 0;
    if (r->status != LINLI_OK)
        return false;
    if (!ll_jv_is(object, LL_JSON_OBJECT))
        return ll_read_fail(r, object, "pricing/type", "%s is an object", what);
    LL_JSON_MEMBERS (key, value, object) {
        if (stands_in(ll_jv_str(key), names))
            continue;
        for (const char *p = names; *p != '\0' && n + 1 < sizeof known; p++)
            if (*p != '!')
                known[n++] = *p;
        known[n] = '\0';
        linli_str found = ll_jv_str(key);
        return ll_read_fail(r, value, "pricing/unknown-member",
            "%s has no `%.*s`; it has: %s", what,
            (int)(found.len > SHOWN_BYTES ? SHOWN_BYTES : found.len), found.ptr,
            known);
    }
    return has_what_it_must(r, object, what, names);
}

linli_str
ll_read_id(struct ll_plan_rd *r, struct ll_jv object, const char *name)
{
    static const linli_str none = {NULL, 0};
    struct ll_jv v = ll_jv_get(object, name);
    linli_str id = ll_jv_str(v);
    if (r->status != LINLI_OK || !ll_jv_there(v))
        return none;
    if (!ll_jv_is(v, LL_JSON_STRING) || id.len == 0 ||
        id.len > LL_PLAN_ID_BYTES_MAX) {
        (void)ll_read_fail(r, v, "pricing/type",
            "`%s` is a string of 1 to %d bytes", name, LL_PLAN_ID_BYTES_MAX);
        return none;
    }
    id = ll_arena_str(r->arena, id);
    if (id.ptr == NULL)
        (void)ll_read_nomem(r);
    return id;
}

int
ll_read_word(struct ll_plan_rd *r, struct ll_jv object, const char *name,
    const char *const *words, int otherwise)
{
    struct ll_jv v = ll_jv_get(object, name);
    char all[200];
    size_t n = 0;
    if (r->status != LINLI_OK || !ll_jv_there(v))
        return otherwise;
    for (int i = 0; words[i] != NULL; i++)
        if (words[i][0] != '\0' && ll_str_is(ll_jv_str(v), words[i]))
            return i;
    for (int i = 0; words[i] != NULL && n < sizeof all; i++)
        n += (size_t)snprintf(
            all + n, sizeof all - n, "%s%s", n > 0 ? ", " : "", words[i]);
    linli_str found = ll_jv_str(v);
    (void)ll_read_fail(r, v, "pricing/unknown-word",
        "`%s` is '%.*s'; it can be: %s", name,
        (int)(found.len > SHOWN_BYTES ? SHOWN_BYTES : found.len),
        found.len == 0 ? "" : found.ptr, all);
    return otherwise;
}

int64_t
ll_read_count_of(struct ll_plan_rd *r, struct ll_jv v, int64_t max)
{
    int64_t i = 0;
    if (r->status != LINLI_OK)
        return 0;
    if (!ll_jv_int(v, &i)) {
        (void)ll_read_fail(r, v, "pricing/type",
            "an integer is wanted, without quotes and decimals");
        return 0;
    }
    if (i < 0)
        (void)ll_read_fail(
            r, v, "pricing/negative", "it is %lld", (long long)i);
    else if (i > max)
        (void)ll_read_fail(r, v, "pricing/range", "it is %lld, %lld at most",
            (long long)i, (long long)max);
    return r->status == LINLI_OK ? i : 0;
}

int64_t
ll_read_count(struct ll_plan_rd *r, struct ll_jv object, const char *name,
    int64_t max, int64_t otherwise)
{
    struct ll_jv v = ll_jv_get(object, name);
    if (!ll_jv_there(v) || ll_jv_is(v, LL_JSON_NULL))
        return otherwise;
    return ll_read_count_of(r, v, max);
}

int64_t
ll_read_micro_of(struct ll_plan_rd *r, struct ll_jv v)
{
    int64_t micro = 0, whole = 0;
    linli_str text = ll_jv_str(v);
    if (r->status != LINLI_OK)
        return 0;
    enum ll_decimal found = LL_DECIMAL_NONE;
    if (ll_jv_int(v, &whole))
        found = __builtin_mul_overflow(whole, LL_MICRO, &micro)
                    ? LL_DECIMAL_LARGE
                : whole < 0 ? LL_DECIMAL_NEGATIVE
                            : LL_DECIMAL_OK;
    else if (ll_jv_is(v, LL_JSON_STRING))
        found = ll_decimal_read(text, &micro);
    int shown = (int)(text.len > SHOWN_BYTES ? SHOWN_BYTES : text.len);
    if (found == LL_DECIMAL_NONE)
        (void)ll_read_fail(r, v, "pricing/number", "'%.*s' is no exact decimal",
            shown, shown > 0 ? text.ptr : "");
    else if (found == LL_DECIMAL_FINE)
        (void)ll_read_fail(r, v, "pricing/precision",
            "'%.*s' is finer than 0.000001", shown, text.ptr);
    else if (found == LL_DECIMAL_NEGATIVE)
        (void)ll_read_fail(r, v, "pricing/negative", "it is less than 0");
    else if (found == LL_DECIMAL_LARGE)
        (void)ll_read_overflow(r, v);
    return r->status == LINLI_OK ? micro : 0;
}

int64_t
ll_read_micro(struct ll_plan_rd *r, struct ll_jv object, const char *name,
    int64_t otherwise)
{
    struct ll_jv v = ll_jv_get(object, name);
    if (!ll_jv_there(v) || ll_jv_is(v, LL_JSON_NULL))
        return otherwise;
    return ll_read_micro_of(r, v);
}

bool
ll_read_true(struct ll_plan_rd *r, struct ll_jv object, const char *name)
{
    struct ll_jv v = ll_jv_get(object, name);
    if (!ll_jv_there(v) || ll_jv_is(v, LL_JSON_FALSE))
        return false;
    return ll_jv_true(v) ||
           ll_read_fail(r, v, "pricing/type", "`%s` is true or false", name);
}

int64_t
ll_read_instant(struct ll_plan_rd *r, struct ll_jv object, const char *name,
    int64_t otherwise)
{
    struct ll_jv v = ll_jv_get(object, name);
    int64_t ms = 0;
    if (!ll_jv_there(v) || ll_jv_is(v, LL_JSON_NULL))
        return otherwise;
    if (!ll_jv_is(v, LL_JSON_STRING) || !ll_instant_read(ll_jv_str(v), &ms))
        (void)ll_read_fail(r, v, "pricing/instant",
            "`%s` is no instant such as 2026-03-01T00:00:00+08:00", name);
    return ms;
}

uint32_t
ll_read_list(
    struct ll_plan_rd *r, struct ll_jv list, const char *what, uint32_t max)
{
    if (r->status != LINLI_OK || !ll_jv_there(list))
        return 0;
    if (!ll_jv_is(list, LL_JSON_ARRAY))
        (void)ll_read_fail(r, list, "pricing/type", "%s are a list", what);
    else if (ll_jv_count(list) > max)
        (void)ll_read_fail(r, list, "pricing/range", "%u %s, %u at most",
            ll_jv_count(list), what, max);
    return r->status == LINLI_OK ? ll_jv_count(list) : 0;
}

void *
ll_read_room(struct ll_plan_rd *r, uint32_t count, size_t bytes)
{
    if (r->status != LINLI_OK)
        return NULL;
    void *room = ll_arena_alloc(r->arena, (count > 0 ? count : 1) * bytes);
    if (room == NULL)
        (void)ll_read_nomem(r);
    return room;
}
