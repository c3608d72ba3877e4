/* server/plan_preview.c: what past usage would have cost. [loop]
 *
 * POST /v1/c/{c}/admin/plans/preview
 *      {plan, from, to, subscription?, seats?}
 *
 * `plan` is one to be published, as POST .../plans takes it, or "basic@2".
 * Nothing is kept, and nobody owes anything.
 */
#include "base/text.h"
#include "billing/whatif.h"
#include "server/deal.h"

struct previewing {
    struct ll_view view;
    struct ll_json body;
    struct ll_plan_version *draft; /* NULL: it is of the catalogue */
    struct ll_buf periods;
    struct ll_whatif whatif;
    bool begun;
};

static void
end_preview(struct ll_view *view)
{
    struct previewing *p = LL_CONTAINER(view, struct previewing, view);
    struct ll_host *host = view->face->host;
    if (p->begun)
        ll_whatif_end(&p->whatif);
    ll_plan_version_free(&host->billing, &p->draft);
    ll_buf_fini(&p->periods);
    ll_json_fini(&p->body);
    ll_release(&host->mem, p, sizeof *p);
}

/* -- the answer -- */

static void
put_day(struct ll_jw *w, const char *name, int32_t day)
{
    char text[16];
    ll_day_text(day, text);
    ll_jw_key(w, name);
    ll_jw_cstr(w, text);
}

static void
put_int(struct ll_jw *w, const char *name, int64_t value)
{
    ll_jw_key(w, name);
    ll_jw_int(w, value);
}

static void
answer(struct previewing *p)
{
    const struct ll_whatif *f = &p->whatif;
    struct ll_jw *w = &p->view.w;
    char plan[LL_PLAN_TEXT_BYTES], sub[LL_SUB_TEXT_BYTES];
    ll_plan_text(f->plan, plan);
    ll_sub_text(f->usage_of, sub);
    ll_jw_open(w, '{');
    ll_jw_key(w, "plan");
    ll_jw_cstr(w, plan);
    ll_jw_key(w, "published");
    ll_jw_bool(w, p->draft == NULL);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, f->plan->plugin);
    ll_jw_key(w, "usage_of");
    ll_jw_cstr(w, sub);
    put_day(w, "from", f->from);
    put_day(w, "to", f->to);
    ll_jw_key(w, "zone");
    ll_jw_str(w, f->plan->plan.tz);
    put_int(w, "watermark", (int64_t)f->watermark);
    ll_jw_key(w, "periods");
    ll_jw_open(w, '[');
    ll_jw_raw(w, ll_buf_view(&p->periods));
    ll_jw_close(w, ']');
    put_int(w, "net_fen", f->net_fen);
    put_int(w, "tax_fen", f->tax_fen);
    put_int(w, "total_fen", f->total_fen);
    ll_jw_close(w, '}');
    ll_view_answer(&p->view);
}

static void
go_on(struct previewing *p)
{
    enum ll_statement statement;
    if (!ll_whatif_asks(&p->whatif, &statement)) {
        answer(p);
        return;
    }
    ll_whatif_put(&p->whatif, ll_view_query(&p->view, statement));
    ll_view_ask(&p->view);
}

static void
step(struct ll_view *view)
{
    struct previewing *p = LL_CONTAINER(view, struct previewing, view);
    struct ll_err err;
    if (ll_whatif_take(&p->whatif, &view->query, &err) == LINLI_OK)
        go_on(p);
    else
        ll_view_refuse(view, &err);
}

/* -- what is asked -- */

static linli_status
fail_at(struct ll_err *err, const char *where, const char *what)
{
    (void)ll_fail(err, LINLI_E_INVALID, "request/invalid", "%s", what);
    ll_err_where(err, "%s", where);
    return LINLI_E_INVALID;
}

static linli_status
read_draft(
    struct previewing *p, const struct ll_plan_offer *offer, struct ll_err *err)
{
    struct ll_billing *billing = &p->view.face->host->billing;
    linli_status status =
        ll_plan_version_new(billing, offer, true, &p->draft, err);
    if (status != LINLI_OK)
        return status;
    const struct ll_plan_version *newest =
        ll_plan_find(billing, offer->community, p->draft->name, 0);
    p->draft->version = newest == NULL ? 1 : newest->version + 1;
    p->whatif.plan = p->draft;
    return LINLI_OK;
}

static linli_status
read_plan(struct previewing *p, struct ll_community *community, struct ll_jv v,
    struct ll_err *err)
{
    const struct ll_billing *billing = &p->view.face->host->billing;
    struct ll_plan_offer offer = {.community = community->id,
        .root = v,
        .known = ll_plan_meter_known,
        .user = community};
    linli_str name;
    uint32_t number;
    if (ll_jv_is(v, LL_JSON_OBJECT))
        return read_draft(p, &offer, err);
    if (ll_plan_text_read(ll_jv_str(v), &name, &number))
        p->whatif.plan = ll_plan_find(billing, community->id, name, number);
    if (p->whatif.plan != NULL)
        return LINLI_OK;
    return fail_at(err, "/plan",
        "`plan` is what POST plans takes, or the name of one that there is");
}

/* Nothing: what was counted while the plugin was not sold. */
static linli_status
read_usage_of(struct previewing *p, struct ll_jv v, struct ll_err *err)
{
    struct ll_whatif *w = &p->whatif;
    uint32_t id = 0;
    w->usage_of = LL_SUB_FREE;
    w->seats_micro = LL_USAGE_UNIT;
    if (!ll_jv_there(v))
        return LINLI_OK;
    const struct ll_sub *sub =
        ll_sub_text_read(ll_jv_str(v), &id)
            ? ll_sub_by_id(&p->view.face->host->billing, id)
            : NULL;
    if (sub == NULL || !ll_str_eq(sub->community, w->community))
        return fail_at(err, "/subscription", "there is no such subscription");
    if (!ll_str_eq(sub->plugin, w->plan->plugin))
        return fail_at(
            err, "/subscription", "it is of another plugin than the plan is");
    w->usage_of = id;
    w->seats_micro = sub->seats_micro;
    return LINLI_OK;
}

static linli_status
read_asked(
    struct previewing *p, struct ll_community *community, struct ll_err *err)
{
    static const char *const names[] = {
        "plan", "from", "to", "subscription", "seats", NULL};
    struct ll_whatif *w = &p->whatif;
    linli_status status = ll_desk_body(p->view.request, names, &p->body, err);
    if (status != LINLI_OK)
        return status;
    struct ll_jv root = ll_json_root(&p->body);
    struct ll_jv seats = ll_jv_get(root, "seats");
    w->community = community->id;
    status = read_plan(p, community, ll_jv_get(root, "plan"), err);
    if (status == LINLI_OK)
        status = read_usage_of(p, ll_jv_get(root, "subscription"), err);
    if (status != LINLI_OK)
        return status;
    if (!ll_day_read(ll_jv_str(ll_jv_get(root, "from")), &w->from))
        return fail_at(err, "/from", "`from` is a day, like 2026-03-01");
    if (!ll_day_read(ll_jv_str(ll_jv_get(root, "to")), &w->to))
        return fail_at(
            err, "/to", "`to` is the day after the last one, like 2026-04-01");
    if (ll_jv_there(seats) &&
        (!ll_usage_read(ll_jv_str(seats), &w->seats_micro) ||
            w->seats_micro <= 0))
        return fail_at(err, "/seats", "`seats` is a number, like \"2\"");
    return LINLI_OK;
}

void
ll_plan_preview_begin(struct ll_face *face, struct ll_request *request,
    struct ll_community *community)
{
    struct ll_host *host = face->host;
    struct ll_err err;
    struct previewing *p = ll_alloc(&host->mem, sizeof *p);
    if (p == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    p->view.step = step;
    p->view.end = end_preview;
    ll_view_begin(&p->view, face, request);
    ll_json_init(&p->body, &host->mem);
    ll_buf_init(&p->periods, &host->mem, LL_HTTP_RESPONSE_BYTES_MAX);
    p->whatif.billing = &host->billing;
    p->whatif.out = &p->periods;
    linli_status status = read_asked(p, community, &err);
    if (status == LINLI_OK) {
        p->begun = true;
        status = ll_whatif_begin(&p->whatif, &err);
    }
    if (status == LINLI_OK)
        go_on(p);
    else
        ll_view_refuse(&p->view, &err);
}
