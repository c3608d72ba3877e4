/* server/attribute.c: whose use it was. [loop]
 *
 * POST /v1/c/{c}/admin/usage/records/{lsn}/attribute {subscription, reason}
 */
#include <stdio.h>

#include "base/text.h"
#include "billing/attribute.h"
#include "host/directory.h"
#include "server/money.h"

struct attribution {
    struct ll_till_view till; /* first */
    struct ll_attributing is;
    char reason[LL_REASON_BYTES_MAX + 1];
};

static void
write_it(struct ll_till_view *till)
{
    struct attribution *a = LL_CONTAINER(till, struct attribution, till);
    struct ll_view *view = &till->view;
    const struct ll_plan_version *plan = a->is.plan;
    char text[LL_PLAN_ID_BYTES_MAX + 16];
    view->status = a->is.again ? 200 : 201;
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "lsn");
    ll_jw_int(&view->w, a->is.lsn);
    (void)snprintf(text, sizeof text, "sub_%u", a->is.sub);
    ll_view_text(view, "subscription", ll_cstr(text));
    if (plan != NULL)
        (void)snprintf(
            text, sizeof text, "%.*s@%u", LL_FMT(plan->name), plan->version);
    ll_view_text(
        view, "plan", plan == NULL ? (linli_str){NULL, 0} : ll_cstr(text));
    ll_view_instant(view, "at", a->is.usage.at_ms);
    (void)ll_usage_text(a->is.usage.quantity, text);
    ll_view_text(view, "quantity", ll_cstr(text));
    ll_jw_key(&view->w, "duplicate");
    ll_jw_bool(&view->w, a->is.again);
    ll_jw_close(&view->w, '}');
}

static linli_status
read_it(struct attribution *a, struct ll_err *err)
{
    static const char *const names[] = {"subscription", "reason", NULL};
    struct ll_form form;
    ll_form_begin(&form, &a->till.view, names, err);
    int64_t sub = ll_form_id(&form, "subscription", "sub_");
    ll_form_text(&form,
        &(struct ll_form_text){"reason", a->reason, sizeof a->reason, NULL});
    if (form.status == LINLI_OK && sub > UINT32_MAX)
        form.status = ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "this community has no such subscription");
    a->is.sub = (uint32_t)sub;
    a->is.job.act.reason = ll_cstr(a->reason);
    ll_form_end(&form);
    return form.status;
}

static void
attribute(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, int64_t lsn)
{
    struct ll_err err;
    struct ll_till_view *till =
        ll_till_view_new(face, request, sizeof(struct attribution));
    if (till == NULL)
        return;
    struct attribution *a = LL_CONTAINER(till, struct attribution, till);
    till->write = write_it;
    ll_till_view_job(till, &a->is.job);
    a->is.community = community->id;
    a->is.lsn = lsn;
    linli_status status = read_it(a, &err);
    if (status == LINLI_OK)
        status = ll_attribute(&a->is, &err);
    ll_till_view_lined(till, status, &err);
}

bool
ll_attribute_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    static const char prefix[] = "/usage/records/";
    linli_str id;
    int64_t lsn = 0;
    if (!ll_str_starts(rest, prefix))
        return false;
    linli_str left = {
        rest.ptr + sizeof prefix - 1, rest.len - (sizeof prefix - 1)};
    if (!ll_str_split(&left, '/', &id) || !ll_str_is(left, "attribute") ||
        !ll_str_int(id, 1, INT64_MAX, &lsn))
        return false;
    if (!ll_str_is(request->method, "POST"))
        ll_face_method(face, request, "POST");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else
        attribute(face, request, community, lsn);
    return true;
}
