/* server/bills_me.c: why a resident pays: what their page asks. [loop]
 *
 * GET /v1/c/{c}/me/subscriptions/{id}/plan     its prices, names and cap; who
 *                                              pays for it or uses it
 * GET .../{id}/preview                         what the period costs so far;
 * GET .../{id}/days?meter=&from=&to=           what was counted, by day; both
 *                                              for who pays
 */
#include "server/bills.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "domain/pricing_number.h"
#include "host/jwt.h"
#include "server/deal.h"
#include "server/invoices.h"

#define PART_BITS 32
#define DAY_BYTES 44 /* "[from,to]," */

static const struct ll_admission residents = {.kinds = 1u << LL_CALLER_RESIDENT,
    .served = true,
    .words = "residents only"};

/* Who asks, about what. */
struct bill {
    struct ll_view view;
    uint32_t sub;
    uint32_t place; /* of those who pay, from 1; 0: does not */
    struct ll_params params;
    int32_t from, to;
    struct ll_json published;
};

static void
end_bill(struct ll_view *view)
{
    struct bill *bill = LL_CONTAINER(view, struct bill, view);
    ll_json_fini(&bill->published);
    ll_release(&view->face->host->mem, bill, sizeof *bill);
}

static uint32_t
place_of(const struct ll_sub *sub, const struct ll_sub_reader *reader)
{
    for (uint32_t i = 0; i < sub->payer_count; i++)
        if (ll_sub_is_readers(&sub->payers[i], reader))
            return i + 1;
    return 0;
}

static bool
uses(const struct ll_sub *sub, const struct ll_sub_reader *reader)
{
    for (uint32_t i = 0; i < sub->beneficiary_count; i++)
        if (ll_sub_is_readers(&sub->beneficiaries[i], reader))
            return true;
    return false;
}

static void
put_both(struct ll_jw *w, const char *name, linli_str zh, linli_str en)
{
    ll_jw_key(w, name);
    ll_jw_open(w, '{');
    ll_jw_key(w, "zh-CN");
    ll_jw_str(w, zh);
    ll_jw_key(w, "en");
    ll_jw_str(w, en);
    ll_jw_close(w, '}');
}

/* -- the plan, in words -- */

/* The version in force, or the first, or the last. */
static const struct ll_plan_version *
version_of(const struct bill *bill, const struct ll_sub *sub)
{
    struct ll_host *host = bill->view.face->host;
    int64_t now_ms = ll_world_wall(host->world).ms;
    uint32_t i = sub->version_count;
    while (i > 1 && sub->versions[i - 1].from_ms > now_ms)
        i--;
    return ll_plan_by_id(&host->billing, sub->versions[i - 1].version);
}

/* Meters of a plugin's own that the plan is about: by the vendor's word. */
static void
put_meters(struct ll_jw *w, const struct ll_manifest *manifest,
    const struct ll_plan *plan)
{
    ll_jw_key(w, "own_meters");
    ll_jw_open(w, '{');
    for (uint32_t i = 0; manifest != NULL && i < manifest->meter_count; i++) {
        const struct ll_meter_decl *meter = &manifest->meters[i];
        if (!ll_plan_has_meter(plan, meter->name))
            continue;
        char name[LL_PLAN_ID_BYTES_MAX + 1];
        (void)snprintf(name, sizeof name, "%.*s", LL_FMT(meter->name));
        put_both(w, name, meter->title_zh, meter->title_en);
    }
    ll_jw_close(w, '}');
}

/* Who set what a period may cost, of the deeds: the last of that kind; a cap
 * may stand since the start. */
static void
put_cap(struct bill *bill, const char *name, const char *what, bool started)
{
    struct ll_jw *w = &bill->view.w;
    struct ll_rd row = ll_rd(ll_buf_view(&bill->view.query.rows));
    int64_t at_ms = 0, payer = 0;
    linli_str by = {NULL, 0};
    for (uint32_t i = 0; i < bill->view.query.row_count; i++) {
        (void)ll_rd_list(&row);
        (void)ll_rd_int(&row);
        int64_t at = ll_rd_int(&row);
        linli_str who = ll_rd_bytes(&row), did = ll_rd_bytes(&row);
        (void)ll_rd_bytes(&row);
        if (!ll_str_is(did, what) && !(started && ll_str_is(did, "start")))
            continue;
        at_ms = at;
        by = who;
    }
    ll_jw_key(w, name);
    if (by.ptr == NULL) {
        ll_jw_null(w);
        return;
    }
    bool payers = ll_str_starts(by, "payer:");
    if (payers)
        (void)ll_str_int(
            (linli_str){by.ptr + 6, by.len - 6}, 1, LL_SUB_PARTIES_MAX, &payer);
    ll_jw_open(w, '{');
    ll_view_instant(&bill->view, "at", at_ms);
    ll_jw_key(w, "by");
    ll_jw_cstr(w, !payers                                   ? "operator"
                  : bill->place > 0 && payer == bill->place ? "you"
                                                            : "payer");
    ll_jw_close(w, '}');
}

static void
step_plan(struct ll_view *view)
{
    struct bill *bill = LL_CONTAINER(view, struct bill, view);
    struct ll_host *host = view->face->host;
    const struct ll_sub *sub = ll_sub_by_id(&host->billing, bill->sub);
    const struct ll_plan_version *version = version_of(bill, sub);
    const struct ll_community *community =
        ll_host_community(host, sub->community);
    const struct ll_instance *instance =
        community == NULL ? NULL
                          : ll_community_instance(community, sub->plugin);
    const struct ll_manifest *manifest =
        instance == NULL || instance->package == NULL
            ? NULL
            : instance->package->manifest;
    struct ll_jw *w = &view->w;
    struct ll_err err;
    if (ll_json_parse(&bill->published, version->body, LL_JSON_DEPTH_MAX,
            &err) != LINLI_OK) {
        ll_view_refuse(view, &err);
        return;
    }
    struct ll_jv published = ll_json_root(&bill->published);
    ll_jw_open(w, '{');
    put_both(w, "plugin_name",
        manifest == NULL ? sub->plugin : manifest->name_zh,
        manifest == NULL ? sub->plugin : manifest->name_en);
    ll_jw_key(w, "plan");
    ll_jw_value(w, ll_jv_get(published, "plan"));
    ll_jw_key(w, "words");
    if (ll_jv_there(ll_jv_get(published, "words"))) {
        ll_jw_value(w, ll_jv_get(published, "words"));
    } else {
        ll_jw_open(w, '{');
        ll_jw_close(w, '}');
    }
    put_meters(w, manifest, &version->plan);
    put_cap(bill, "cap_set", "cap", true);
    put_cap(bill, "cap_asked", "ask-cap", false);
    ll_jw_close(w, '}');
    ll_view_answer(view);
}

static void
ask_plan(struct bill *bill)
{
    bill->view.step = step_plan;
    struct ll_query *query = ll_view_query(&bill->view, LL_ST_sub_deeds);
    ll_put_int(&query->params, bill->sub);
    ll_put_int(&query->params, 0);
    ll_put_int(&query->params, LL_ADMIN_LIST_MAX);
    query->rows_max = LL_ADMIN_LIST_MAX;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_view_ask(&bill->view);
}

/* -- days -- */

static linli_status
put_days_row(struct bill *bill, struct ll_rd *rd, struct ll_err *err)
{
    struct ll_jw *w = &bill->view.w;
    char text[32];
    (void)ll_rd_list(rd);
    int64_t day = ll_rd_int_in(rd, 0, LL_BILL_DAYS_MAX);
    int64_t high = ll_rd_int(rd), low = ll_rd_int(rd), count = ll_rd_int(rd);
    if (rd->bad)
        return ll_fail(err, LINLI_E_INTERNAL, "store/corrupt",
            "a row of usage is not of its table's types");
    ll_wide sum = (ll_wide)high * ((ll_wide)1 << PART_BITS) + low;
    if (sum < INT64_MIN || sum > INT64_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "pricing/overflow",
            "the sum of a day does not fit");
    ll_day_text(bill->from + (int32_t)day, text);
    ll_jw_open(w, '{');
    ll_jw_key(w, "day");
    ll_jw_cstr(w, text);
    (void)ll_usage_text((int64_t)sum, text);
    ll_jw_key(w, "quantity");
    ll_jw_cstr(w, text);
    ll_jw_key(w, "records");
    ll_jw_int(w, count);
    ll_jw_close(w, '}');
    return LINLI_OK;
}

static void
step_days(struct ll_view *view)
{
    struct bill *bill = LL_CONTAINER(view, struct bill, view);
    struct ll_rd rd = ll_rd(ll_buf_view(&view->query.rows));
    struct ll_err err;
    ll_jw_open(&view->w, '{');
    ll_jw_key(&view->w, "items");
    ll_jw_open(&view->w, '[');
    for (uint32_t i = 0; i < view->query.row_count; i++)
        if (put_days_row(bill, &rd, &err) != LINLI_OK) {
            ll_view_refuse(view, &err);
            return;
        }
    ll_jw_close(&view->w, ']');
    ll_jw_close(&view->w, '}');
    ll_view_answer(view);
}

static linli_status
read_days(struct bill *bill, struct ll_err *err)
{
    static const char *const names[] = {"meter", "from", "to", NULL};
    struct ll_params *params = &bill->params;
    linli_status status =
        ll_params_read(params, names, bill->view.request->query, err);
    if (status != LINLI_OK)
        return status;
    if (ll_param(params, "meter").len > 0 &&
        ll_day_read(ll_param(params, "from"), &bill->from) &&
        ll_day_read(ll_param(params, "to"), &bill->to) &&
        bill->from < bill->to && bill->to - bill->from <= LL_BILL_DAYS_MAX)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`meter`, and days `from` and `to` like 2026-03-01, of at most %d days",
        LL_BILL_DAYS_MAX);
}

static void
ask_days(struct bill *bill)
{
    struct ll_err err;
    struct ll_mem *mem = &bill->view.face->host->mem;
    const struct ll_sub *sub =
        ll_sub_by_id(&bill->view.face->host->billing, bill->sub);
    struct ll_buf text;
    linli_status status = read_days(bill, &err);
    if (status != LINLI_OK) {
        ll_view_refuse(&bill->view, &err);
        return;
    }
    ll_buf_init(&text, mem, LL_BILL_DAYS_MAX * DAY_BYTES + 2);
    for (int32_t day = bill->from; day < bill->to; day++)
        ll_buf_printf(&text, "%c[%lld,%lld]", day == bill->from ? '[' : ',',
            (long long)ll_local_midnight(sub->local, day),
            (long long)ll_local_midnight(sub->local, day + 1));
    ll_buf_char(&text, ']');
    bill->view.step = step_days;
    struct ll_query *query = ll_view_query(&bill->view, LL_ST_sub_days);
    ll_put_int(&query->params, bill->sub);
    ll_put_bytes(&query->params, ll_param(&bill->params, "meter"));
    ll_put_bytes(&query->params, ll_buf_view(&text));
    query->params.failed = query->params.failed || text.failed;
    query->rows_max = LL_BILL_DAYS_MAX;
    query->bytes_max = LL_ADMIN_PAGE_BYTES;
    ll_buf_fini(&text);
    ll_view_ask(&bill->view);
}

/* -- which it is -- */

static void
begin(struct ll_face *face, struct ll_request *request,
    const struct ll_sub *sub, uint32_t place, bool days)
{
    struct bill *bill = ll_alloc(&face->host->mem, sizeof *bill);
    if (bill == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    bill->sub = sub->id;
    bill->place = place;
    ll_json_init(&bill->published, &face->host->mem);
    bill->view.step = step_plan;
    bill->view.end = end_bill;
    ll_view_begin(&bill->view, face, request);
    if (days)
        ask_days(bill);
    else
        ask_plan(bill);
}

static void
handle(struct ll_face *face, struct ll_request *request,
    const struct ll_identity *identity, linli_str id, linli_str what)
{
    struct ll_sub_reader reader = {identity->id, identity->household};
    uint32_t number = 0;
    const struct ll_sub *sub = ll_sub_text_read(id, &number)
                                   ? ll_sub_by_id(&face->host->billing, number)
                                   : NULL;
    uint32_t place = sub == NULL ? 0 : place_of(sub, &reader);
    if (sub == NULL || !ll_str_eq(sub->community, identity->community) ||
        (place == 0 && !uses(sub, &reader))) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    if (ll_str_is(what, "plan")) {
        begin(face, request, sub, place, false);
    } else if (place == 0) {
        ll_face_problem(face, request, "plan/payer",
            LINLI_STR("others pay for this subscription"));
    } else if (ll_str_is(what, "days")) {
        begin(face, request, sub, place, true);
    } else {
        struct ll_inv_wanted wanted = {
            .community = ll_host_community(face->host, identity->community),
            .sub = sub->id};
        ll_invoice_begin_view(face, request, &wanted);
    }
}

bool
ll_bills_me_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    struct ll_identity *identity = NULL;
    struct ll_err err;
    linli_str id;
    if (!ll_str_starts(rest, "me/subscriptions/"))
        return false;
    linli_str what = {rest.ptr + 17, rest.len - 17};
    if (!ll_str_split(&what, '/', &id) || what.ptr == NULL ||
        (!ll_str_is(what, "plan") && !ll_str_is(what, "preview") &&
            !ll_str_is(what, "days")))
        return false;
    if (!ll_face_admit(face, request, community, &residents))
        return true;
    if (ll_host_identify(face->host, request, &identity, &err) != LINLI_OK)
        ll_face_error(face, request, &err);
    else if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else
        handle(face, request, identity, id, what);
    ll_identity_unref(&identity);
    return true;
}
