/* billing/invoice_words.c: the words of plans for an invoice's lines. [loop] */
#include "billing/invoice_words.h"

#include "base/json.h"
#include "base/text.h"
#include "billing/plans.h"

/* One plan version, and the invoice that it is about. */
struct saying {
    struct ll_jv body;
    linli_str plan; /* "basic@1" */
    struct ll_jw *w;
};

/* A discount of the whole is of the invoice's own plan. */
static linli_str
plan_of(const struct saying *saying, struct ll_jv line)
{
    struct ll_jv plan = ll_jv_get(line, "plan");
    return ll_jv_str(
        ll_jv_there(plan) ? plan : ll_jv_get(saying->body, "plan"));
}

static bool
is_used(const struct saying *saying, linli_str id)
{
    LL_JSON_EACH (line, ll_jv_get(saying->body, "lines"))
        if (ll_str_eq(ll_jv_str(ll_jv_get(line, "of")), id) &&
            ll_str_eq(plan_of(saying, line), saying->plan))
            return true;
    return false;
}

static void
write_words(const struct saying *saying, struct ll_jv words)
{
    bool any = false;
    LL_JSON_MEMBERS (id, said, words) {
        if (!is_used(saying, ll_jv_str(id)))
            continue;
        if (!any) {
            ll_jw_key_str(saying->w, saying->plan);
            ll_jw_open(saying->w, '{');
        }
        any = true;
        ll_jw_key_str(saying->w, ll_jv_str(id));
        ll_jw_value(saying->w, said);
    }
    if (any)
        ll_jw_close(saying->w, '}');
}

static linli_status
say(const struct ll_plan_version *version, struct saying *saying,
    struct ll_mem *mem, struct ll_err *err)
{
    char text[LL_PLAN_TEXT_BYTES];
    struct ll_json json;
    ll_json_init(&json, mem);
    linli_status status =
        ll_json_parse(&json, version->body, LL_JSON_DEPTH_MAX, err);
    ll_plan_text(version, text);
    saying->plan = ll_cstr(text);
    if (status == LINLI_OK)
        write_words(saying, ll_jv_get(ll_json_root(&json), "words"));
    ll_json_fini(&json);
    return status;
}

static bool
is_first(const struct ll_sub *sub, uint32_t i)
{
    uint32_t j = 0;
    while (sub->versions[j].version != sub->versions[i].version)
        j++;
    return j == i;
}

linli_status
ll_invoice_words(const struct ll_billing *billing, const struct ll_sub *sub,
    struct ll_jv body, struct ll_buf *out, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    struct ll_jw w = ll_jw(out);
    struct saying saying = {.body = body, .w = &w};
    ll_jw_open(&w, '{');
    for (uint32_t i = 0; i < sub->version_count && status == LINLI_OK; i++) {
        const struct ll_plan_version *version =
            ll_plan_by_id(billing, sub->versions[i].version);
        if (version != NULL && is_first(sub, i))
            status = say(version, &saying, billing->mem, err);
    }
    ll_jw_close(&w, '}');
    if (status == LINLI_OK && out->failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "its words");
    return status;
}
