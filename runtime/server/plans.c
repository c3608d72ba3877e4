/* server/plans.c: the catalogue of a community. [loop]
 *
 * GET  /v1/c/{c}/admin/plans?plugin=&cursor=&limit=    every version
 * POST /v1/c/{c}/admin/plans {name, plugin, title?, plan, share?, words?}
 * GET  /v1/c/{c}/admin/plans/{name}[@{version}]
 * POST /v1/c/{c}/admin/plans/{name}/close {reason}
 * POST /v1/c/{c}/admin/plans/preview    server/plan_preview.c
 */
#include <stdio.h>

#include "base/text.h"
#include "server/deal.h"

#define NAME_BYTES_MAX (3 * LL_PLAN_TEXT_BYTES) /* percent-encoded */

/* -- one, written -- */

static void
write_plan(struct ll_jw *w, const struct ll_plan_version *version)
{
    char text[LL_PLAN_TEXT_BYTES], at[LL_RFC3339_BYTES];
    ll_plan_text(version, text);
    ll_rfc3339(version->at_ms, at);
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_cstr(w, text);
    ll_jw_key(w, "name");
    ll_jw_str(w, version->name);
    ll_jw_key(w, "version");
    ll_jw_int(w, version->version);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, version->plugin);
    ll_jw_key(w, "title");
    ll_jw_open(w, '{');
    ll_jw_key(w, "zh-CN");
    ll_jw_str(w, version->title_zh);
    ll_jw_key(w, "en");
    ll_jw_str(w, version->title_en);
    ll_jw_close(w, '}');
    ll_jw_key(w, "at");
    ll_jw_cstr(w, at);
    ll_jw_key(w, "closed");
    ll_jw_bool(w, version->closed);
}

/* With what was published. */
static void
write_whole(struct ll_jw *w, const struct ll_plan_version *version)
{
    write_plan(w, version);
    ll_jw_key(w, "published");
    ll_jw_raw(w, version->body);
    ll_jw_close(w, '}');
}

static void
get_one(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community, linli_str text)
{
    linli_str name;
    uint32_t number;
    const struct ll_plan_version *version =
        !ll_plan_text_read(text, &name, &number)
            ? NULL
            : ll_plan_find(&face->host->billing, community->id, name, number);
    if (version == NULL) {
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
        return;
    }
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    write_whole(&w, version);
    ll_face_answer(face, request, 200, "application/json");
}

/* -- the list -- */

static void
write_list(struct ll_face *face, const struct ll_community *community,
    linli_str plugin, int64_t limit, int64_t after)
{
    const struct ll_billing *billing = &face->host->billing;
    struct ll_jw w = ll_jw(&face->out);
    const struct ll_plan_version *version = NULL;
    int64_t shown = 0;
    ll_buf_clear(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    while ((version = ll_plan_next(billing, (uint32_t)after)) != NULL &&
           shown < limit && face->out.len < LL_ADMIN_PAGE_BYTES) {
        after = version->id;
        if (!ll_str_eq(version->community, community->id) ||
            (plugin.ptr != NULL && !ll_str_eq(version->plugin, plugin)))
            continue;
        write_plan(&w, version);
        ll_jw_close(&w, '}');
        shown++;
    }
    ll_jw_close(&w, ']');
    ll_put_cursor(&w, version != NULL, after);
    ll_jw_close(&w, '}');
}

static void
list(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community)
{
    static const char *const names[] = {"plugin", "cursor", "limit", NULL};
    struct ll_params *params = ll_alloc(&face->host->mem, sizeof *params);
    struct ll_err err;
    int64_t limit = LL_ADMIN_LIST_MAX, after = 0;
    if (params == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    linli_status status = ll_params_read(params, names, request->query, &err);
    if (status == LINLI_OK)
        status = ll_view_page(params, &limit, &after, &err);
    if (status == LINLI_OK && after > UINT32_MAX)
        status = ll_fail(&err, LINLI_E_INVALID, "request/cursor", "it is none");
    if (status == LINLI_OK)
        write_list(face, community, ll_param(params, "plugin"), limit, after);
    ll_release(&face->host->mem, params, sizeof *params);
    if (status == LINLI_OK)
        ll_face_answer(face, request, 200, "application/json");
    else
        ll_face_error(face, request, &err);
}

/* -- publishing -- */

/* What Linli itself counts, or will. */
static const char *const own_meters[] = {"linli.call", "linli.cpu_us",
    "linli.egress_bytes", "linli.notification", "linli.storage_byte_days"};

bool
ll_plan_meter_known(void *user, linli_str plugin, linli_str meter)
{
    const struct ll_community *community = user;
    const struct ll_instance *instance =
        ll_community_instance(community, plugin);
    for (size_t i = 0; i < LL_COUNT(own_meters); i++)
        if (ll_str_is(meter, own_meters[i]))
            return true;
    return instance != NULL && instance->package != NULL &&
           ll_manifest_meter(instance->package->manifest, meter) != NULL;
}

static linli_status
check_plugin(
    const struct ll_community *community, struct ll_jv root, struct ll_err *err)
{
    linli_str plugin = ll_jv_str(ll_jv_get(root, "plugin"));
    const struct ll_instance *instance =
        ll_community_instance(community, plugin);
    if (plugin.len == 0 || (instance != NULL && instance->package != NULL))
        return LINLI_OK;
    (void)ll_fail(err, LINLI_E_CONFLICT, "plan/plugin",
        "no plugin `%.*s` is enabled in this community",
        plugin.len > 64 ? 64 : (int)plugin.len, plugin.ptr);
    ll_err_where(err, "/plugin");
    return LINLI_E_CONFLICT;
}

static linli_status
publish_it(struct ll_deal *deal, bool *again, struct ll_err *err)
{
    static const char *const names[] = {
        "name", "plugin", "title", "plan", "share", "words", NULL};
    struct ll_view *view = &deal->view;
    const struct ll_plan_version *version;
    struct ll_buf text;
    linli_status status = ll_deal_read(deal, names, err);
    if (status != LINLI_OK)
        return status;
    struct ll_jv root = ll_json_root(&deal->body);
    status = check_plugin(deal->community, root, err);
    if (status != LINLI_OK)
        return status;
    ll_buf_init(&text, &view->face->host->mem, LL_HTTP_BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&text);
    ll_jw_value(&w, root);
    struct ll_plan_offer offer = {.community = deal->community->id,
        .root = root,
        .body = ll_buf_view(&text),
        .known = ll_plan_meter_known,
        .user = deal->community};
    status = text.failed
                 ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a plan")
                 : ll_plan_publish(&deal->act, &offer, &version, again, err);
    ll_buf_fini(&text);
    if (status != LINLI_OK)
        return status;
    view->status = *again ? 200 : 201;
    write_whole(&view->w, version);
    return LINLI_OK;
}

static linli_status
close_it(struct ll_deal *deal, linli_str name, bool *again, struct ll_err *err)
{
    static const char *const names[] = {"!reason", NULL};
    const struct ll_billing *billing = &deal->view.face->host->billing;
    linli_str community = deal->community->id;
    linli_status status = ll_deal_read(deal, names, err);
    if (status == LINLI_OK && ll_plan_find(billing, community, name, 0) == NULL)
        status = ll_fail(
            err, LINLI_E_NOT_FOUND, "request/not-found", "no such plan");
    if (status == LINLI_OK)
        status = ll_plan_close(&deal->act, community, name, again, err);
    if (status == LINLI_OK)
        write_whole(&deal->view.w, ll_plan_find(billing, community, name, 0));
    return status;
}

/* `name` ptr NULL: one is published; else it is closed. */
static void
act(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str name)
{
    struct ll_err err;
    bool again = false;
    struct ll_deal *deal = ll_deal_begin(face, request, community);
    if (deal == NULL)
        return;
    linli_status status = name.ptr == NULL ? publish_it(deal, &again, &err)
                                           : close_it(deal, name, &again, &err);
    ll_deal_end(deal, status, again, &err);
}

/* -- which it is -- */

static void
handle_one(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str below)
{
    char room[NAME_BYTES_MAX];
    linli_str text;
    size_t len = 0;
    (void)ll_str_split(&below, '/', &text);
    bool get = ll_str_is(request->method, "GET");
    if (text.len == 0 || text.len > sizeof room ||
        !ll_percent_decode(text, room, &len) ||
        (below.ptr != NULL && !ll_str_is(below, "close")))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (below.ptr == NULL ? !get : !ll_str_is(request->method, "POST"))
        ll_face_method(face, request, below.ptr == NULL ? "GET" : "POST");
    else if (below.ptr == NULL)
        get_one(face, request, community, (linli_str){room, len});
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else
        act(face, request, community, (linli_str){room, len});
}

bool
ll_plans_handle(struct ll_face *face, struct ll_request *request,
    struct ll_community *community, linli_str rest)
{
    bool all = ll_str_is(rest, "/plans");
    if (ll_str_is(rest, "/plans/preview") &&
        ll_str_is(request->method, "POST")) {
        ll_plan_preview_begin(face, request, community);
        return true;
    }
    if (!all && !ll_str_starts(rest, "/plans/"))
        return false;
    if (!all)
        handle_one(
            face, request, community, (linli_str){rest.ptr + 7, rest.len - 7});
    else if (ll_str_is(request->method, "GET"))
        list(face, request, community);
    else if (!ll_str_is(request->method, "POST"))
        ll_face_method(face, request, "GET, POST");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else
        act(face, request, community, (linli_str){NULL, 0});
    return true;
}
