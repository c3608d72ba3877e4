/* base/params.c: reading a query, strictly. [any] */
#include "base/params.h"

#include "base/instant.h"
#include "base/text.h"

/* The place of a name; LL_PARAMS_MAX if it is not known. */
static uint32_t
find(const struct ll_params *params, linli_str name)
{
    for (uint32_t i = 0; i < LL_PARAMS_MAX && params->names[i] != NULL; i++)
        if (ll_str_is(name, params->names[i]))
            return i;
    return LL_PARAMS_MAX;
}

static linli_status
read_one(
    struct ll_params *params, linli_str part, size_t *used, struct ll_err *err)
{
    linli_str rest = part, name;
    size_t n = 0;
    (void)ll_str_split(&rest, '=', &name);
    uint32_t at = find(params, name);
    if (at == LL_PARAMS_MAX)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`%.*s` is no parameter of this path", LL_FMT(name));
    if (params->values[at].ptr != NULL)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`%s` stands twice", params->names[at]);
    char *room = params->room + *used;
    if (rest.ptr == NULL || !ll_percent_decode(rest, room, &n) ||
        !ll_utf8_valid((linli_str){room, n}))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`%s` has no value that can be read", params->names[at]);
    params->values[at] = (linli_str){room, n};
    *used += n;
    return LINLI_OK;
}

linli_status
ll_params_read(struct ll_params *params, const char *const *names,
    linli_str query, struct ll_err *err)
{
    linli_str rest = query, part;
    linli_status status = LINLI_OK;
    size_t used = 0;
    params->names = names;
    memset(params->values, 0, sizeof params->values);
    if (query.len > sizeof params->room)
        return ll_fail(err, LINLI_E_LIMIT, "request/invalid",
            "a query of %zu bytes", query.len);
    while (status == LINLI_OK && ll_str_split(&rest, '&', &part))
        if (part.len > 0)
            status = read_one(params, part, &used, err);
    return status;
}

linli_str
ll_param(const struct ll_params *params, const char *name)
{
    uint32_t at = find(params, ll_cstr(name));
    ll_check(at < LL_PARAMS_MAX);
    return params->values[at];
}

linli_status
ll_param_int(const struct ll_params *params, const char *name, int64_t min,
    int64_t max, int64_t *out, struct ll_err *err)
{
    linli_str text = ll_param(params, name);
    int64_t value = 0;
    if (text.ptr == NULL)
        return LINLI_OK;
    if (!ll_str_int(text, min, max, &value))
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "`%s` is an integer from %lld to %lld", name, (long long)min,
            (long long)max);
    *out = value;
    return LINLI_OK;
}

linli_status
ll_param_instant(const struct ll_params *params, const char *name, int64_t *out,
    struct ll_err *err)
{
    linli_str text = ll_param(params, name);
    if (text.ptr == NULL || ll_instant_read(text, out))
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`%s` is a time as in 2026-03-02T09:00:00+08:00, or milliseconds "
        "since 1970",
        name);
}
