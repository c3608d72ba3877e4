/* plugin/match.c: which route a request is for. [any]
 *
 * Runs on each request. A plugin has at most LL_ROUTES_MAX routes, so one
 * pass over them is enough; what is decoded is decoded once, before it.
 */
#include "base/text.h"
#include "plugin/manifest.h"

#define SEGMENTS_MAX (LL_PATH_PARAMS_MAX * 2)

const char *
ll_caller_name(unsigned kind)
{
    static const char *const names[LL_CALLER_COUNT] = {
        "resident", "staff", "operator", "app", "device"};
    return kind < LL_CALLER_COUNT ? names[kind] : NULL;
}

uint32_t
ll_method_bit(linli_str method)
{
    static const char *const names[] = {
        "GET", "POST", "PUT", "PATCH", "DELETE"};
    for (uint32_t i = 0; i < LL_COUNT(names); i++)
        if (ll_str_is(method, names[i]))
            return 1u << i;
    return 0;
}

static bool
decode(linli_str *segment, struct ll_arena *scratch)
{
    if (segment->len == 0 || memchr(segment->ptr, '%', segment->len) == NULL)
        return segment->len == 0 ||
               memchr(segment->ptr, '\0', segment->len) == NULL;
    char *decoded = ll_arena_alloc(scratch, segment->len);
    size_t n = 0;
    if (decoded == NULL || !ll_percent_decode(*segment, decoded, &n) ||
        memchr(decoded, '/', n) != NULL || memchr(decoded, '\0', n) != NULL)
        return false;
    *segment = (linli_str){decoded, n};
    return true;
}

/* Decoded segments; *count is SEGMENTS_MAX + 1 if there are more. */
static bool
split(linli_str path, struct ll_arena *scratch, linli_str *segments,
    uint32_t *count)
{
    linli_str rest = path, part;
    *count = 0;
    if (rest.len > 0 && rest.ptr[0] == '/')
        rest = (linli_str){rest.ptr + 1, rest.len - 1};
    if (rest.len == 0)
        return true;
    while (ll_str_split(&rest, '/', &part)) {
        if (!decode(&part, scratch) || !ll_utf8_valid(part))
            return false;
        if (*count < SEGMENTS_MAX)
            segments[*count] = part;
        if (*count <= SEGMENTS_MAX)
            ++*count;
    }
    return true;
}

static bool
fits(const struct ll_route *r, const linli_str *segments, uint32_t count)
{
    if (r->segment_count != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (r->segments[i].is_param
                ? segments[i].len == 0
                : !ll_str_eq(r->segments[i].text, segments[i]))
            return false;
    return true;
}

/* Two routes that fit one path differ where one has a literal; the first
 * such place decides. */
static bool
closer(const struct ll_route *a, const struct ll_route *b)
{
    for (uint32_t i = 0; i < a->segment_count; i++)
        if (a->segments[i].is_param != b->segments[i].is_param)
            return b->segments[i].is_param;
    return false;
}

bool
ll_manifest_match(const struct ll_manifest *manifest, linli_str method,
    linli_str path, struct ll_arena *scratch, struct ll_match *match)
{
    linli_str segments[SEGMENTS_MAX];
    uint32_t count = 0, allow = 0;
    memset(match, 0, sizeof *match);
    if (!split(path, scratch, segments, &count))
        return false;
    for (uint32_t i = 0; i < manifest->route_count; i++) {
        const struct ll_route *r = &manifest->routes[i];
        if (!fits(r, segments, count))
            continue;
        allow |= ll_method_bit(r->method);
        if (!ll_str_eq(r->method, method) ||
            (match->route != NULL && !closer(r, match->route)))
            continue;
        match->route = r;
        match->route_index = i;
    }
    if (match->route == NULL) {
        match->allow = allow;
        return true;
    }
    for (uint32_t i = 0; i < count; i++)
        if (match->route->segments[i].is_param)
            match->params[match->param_count++] = segments[i];
    return true;
}
