/* server/form.c: bodies about money, member by member. [loop] */
#include "server/form.h"

#include <stdio.h>

#include "base/instant.h"
#include "base/text.h"
#include "server/desk.h"

void
ll_form_begin(struct ll_form *form, const struct ll_view *view,
    const char *const *names, struct ll_err *err)
{
    ll_json_init(&form->json, &view->face->host->mem);
    form->err = err;
    form->status = ll_desk_body(view->request, names, &form->json, err);
    if (form->status == LINLI_OK)
        form->root = ll_json_root(&form->json);
}

void
ll_form_end(struct ll_form *form)
{
    ll_json_fini(&form->json);
}

static struct ll_jv
member(const struct ll_form *form, const char *name)
{
    return ll_jv_get(form->root, name);
}

int64_t
ll_form_int(struct ll_form *form, const char *name, int64_t min, int64_t max,
    int64_t otherwise)
{
    int64_t value = otherwise;
    if (form->status != LINLI_OK)
        return otherwise;
    struct ll_jv at = member(form, name);
    if ((ll_jv_there(at) && !ll_jv_int(at, &value)) || value < min ||
        value > max)
        form->status = ll_fail(form->err, LINLI_E_INVALID, "request/invalid",
            "`%s` is an integer from %lld to %lld", name, (long long)min,
            (long long)max);
    return value;
}

int64_t
ll_form_instant(struct ll_form *form, const char *name, int64_t otherwise)
{
    int64_t ms = otherwise;
    if (form->status != LINLI_OK)
        return otherwise;
    struct ll_jv at = member(form, name);
    if (ll_jv_there(at) && !ll_jv_is(at, LL_JSON_NULL) &&
        !ll_instant_read(ll_jv_str(at), &ms))
        form->status = ll_fail(form->err, LINLI_E_INVALID, "request/invalid",
            "`%s` is a time as in 2026-03-02T09:00:00+08:00", name);
    return ms;
}

/* Text that may stand in a list, a file and a log. */
static bool
is_plain(linli_str text, size_t bytes_max)
{
    bool plain = text.len > 0 && text.len <= bytes_max && ll_utf8_valid(text);
    for (size_t i = 0; plain && i < text.len; i++)
        plain = (unsigned char)text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f;
    return plain;
}

void
ll_form_text(struct ll_form *form, const struct ll_form_text *text)
{
    text->out[0] = '\0';
    if (form->status != LINLI_OK)
        return;
    struct ll_jv at = member(form, text->name);
    linli_str value = ll_jv_str(at);
    if (!ll_jv_there(at) && text->otherwise != NULL)
        value = ll_cstr(text->otherwise);
    if (is_plain(value, text->bytes - 1))
        (void)snprintf(text->out, text->bytes, "%.*s", LL_FMT(value));
    else
        form->status = ll_fail(form->err, LINLI_E_INVALID, "request/invalid",
            "`%s` is a text of 1 to %zu bytes without control characters",
            text->name, text->bytes - 1);
}

bool
ll_id_read(linli_str text, const char *prefix, int64_t *out)
{
    size_t n = strlen(prefix);
    *out = 0;
    return ll_str_starts(text, prefix) &&
           (text.len > n && text.ptr[n] != '0') &&
           ll_str_int(
               (linli_str){text.ptr + n, text.len - n}, 1, INT64_MAX, out);
}

int64_t
ll_form_id(struct ll_form *form, const char *name, const char *prefix)
{
    int64_t id = 0;
    if (form->status == LINLI_OK &&
        !ll_id_read(ll_jv_str(member(form, name)), prefix, &id))
        form->status = ll_fail(form->err, LINLI_E_INVALID, "request/invalid",
            "`%s` is an id as in \"%s7\"", name, prefix);
    return id;
}
