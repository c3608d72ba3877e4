/* server/face.c: which request is whose. [loop] */
#include "server/face.h"
#include "server/people.h"

#include <stdio.h>

#include "base/text.h"
#include "host/problem_json.h"
#include "host/trace.h"
#include "server/assist.h"
#include "server/bills.h"
#include "server/consents.h"
#include "server/deal.h"
#include "server/invoices.h"
#include "server/log.h"
#include "server/metrics_http.h"
#include "server/rights.h"
#include "server/openapi.h"
#include "server/pages.h"
#include "server/view.h"

#define OUT_BYTES_MAX ((size_t)LL_HTTP_RESPONSE_BYTES_MAX)

void
ll_face_answer(struct ll_face *face, struct ll_request *request, int status,
    const char *content_type)
{
    if (face->out.failed) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    struct ll_response response = {.status = status,
        .content_type = ll_cstr(content_type),
        .body = ll_buf_view(&face->out)};
    request->respond(request, &response);
}

/* `args` says which and what more; `allow` may be NULL. */
static void
respond_problem(struct ll_face *face, struct ll_request *request,
    struct ll_problem_args args, const char *allow)
{
    struct ll_world *world = face->host->world;
    struct ll_trace_seed seed = {ll_world_random_u64(world),
        ll_world_random_u64(world), ll_world_random_u64(world)};
    struct ll_trace trace;
    (void)ll_trace_make(ll_request_field(request, "traceparent"), seed, &trace);
    args.locale = ll_locale_pick(ll_request_field(request, "accept-language"));
    args.instance = request->path;
    args.trace_id = ll_cstr(trace.trace_id);
    ll_check(args.row != NULL);
    ll_buf_clear(&face->out);
    ll_problem_write(&face->out, &args);
    char traceparent[LL_TRACEPARENT_BYTES];
    ll_trace_header(&trace, traceparent);
    struct ll_response response = {.status = ll_problem_status(&args),
        .content_type = LINLI_STR(LL_PROBLEM_CONTENT_TYPE),
        .body = ll_buf_view(&face->out),
        .headers = {{LINLI_STR("content-language"),
                        ll_cstr(ll_locale_tag(args.locale))},
            {LINLI_STR("traceparent"), ll_cstr(traceparent)}},
        .header_count = 2};
    if (response.status == 401)
        response.headers[response.header_count++] = (struct ll_field){
            LINLI_STR("www-authenticate"), LINLI_STR("Bearer")};
    if (allow != NULL)
        response.headers[response.header_count++] =
            (struct ll_field){LINLI_STR("allow"), ll_cstr(allow)};
    request->respond(request, &response);
}

void
ll_face_problem(struct ll_face *face, struct ll_request *request,
    const char *code, linli_str detail)
{
    struct ll_problem_args args = {
        .row = ll_problem_find(ll_cstr(code)), .detail = detail};
    respond_problem(face, request, args, NULL);
}

void
ll_face_denied(struct ll_face *face, struct ll_request *request,
    const char *code, const struct ll_denial *denial)
{
    struct ll_problem_args args = {.row = ll_problem_find(ll_cstr(code)),
        .detail = denial->reason,
        .consent_url = denial->consent_url,
        .fields_json = denial->fields_json};
    respond_problem(face, request, args, NULL);
}

void
ll_face_method(
    struct ll_face *face, struct ll_request *request, const char *allow)
{
    struct ll_problem_args args = {
        .row = ll_problem_find(LINLI_STR("request/method"))};
    respond_problem(face, request, args, allow);
}

bool
ll_face_admit(struct ll_face *face, struct ll_request *request,
    linli_str community, const struct ll_admission *who)
{
    struct ll_identity *identity = NULL;
    struct ll_err err;
    if (ll_host_identify(face->host, request, &identity, &err) != LINLI_OK) {
        ll_face_problem(face, request, err.code, ll_cstr(err.msg));
        return false;
    }
    bool here =
        ll_str_eq(identity->community, community) &&
        (!who->served || ll_host_community(face->host, community) != NULL);
    bool may = (who->kinds & 1u << identity->kind) != 0;
    ll_identity_unref(&identity);
    if (!here)
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (!may)
        ll_face_problem(face, request, "auth/forbidden", ll_cstr(who->words));
    return here && may;
}

void
ll_face_error(
    struct ll_face *face, struct ll_request *request, const struct ll_err *err)
{
    char detail[sizeof err->where + sizeof err->msg + sizeof err->fix + 16];
    const struct ll_problem *row = ll_problem_find(ll_cstr(err->code));
    bool ours = row != NULL && row->http_status != 0;
    (void)snprintf(detail, sizeof detail, "%s%s%s%s%s", err->where,
        err->where[0] == '\0' ? "" : ": ", err->msg,
        err->fix[0] == '\0' ? "" : ". ", err->fix);
    ll_face_problem(
        face, request, ours ? err->code : "plugin/load", ll_cstr(detail));
}

static void
handle_health(struct ll_face *face, struct ll_request *request)
{
    ll_buf_clear(&face->out);
    ll_buf_printf(&face->out, "{\"status\":\"ok\",\"pid\":%lld}",
        (long long)ll_world_pid());
    ll_face_answer(face, request, 200, "application/json");
}

/* Ready: calls are taken, and no plugin is still on its first load. */
static void
handle_ready(struct ll_face *face, struct ll_request *request)
{
    struct ll_host *host = face->host;
    uint32_t loading = 0;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            loading += i->state == LL_INSTANCE_LOADING;
    bool ready = !host->draining && loading == 0;
    ll_buf_clear(&face->out);
    ll_buf_printf(&face->out, "{\"status\":\"%s\",\"loading\":%u}",
        host->draining ? "draining"
        : ready        ? "ready"
                       : "loading",
        loading);
    ll_face_answer(face, request, ready ? 200 : 503, "application/json");
}

/* Sums what living pools have used into their rows. */
static void
add_pools(struct ll_host *host)
{
    for (struct ll_pool *p = host->supervisor.pools; p != NULL; p = p->next) {
        const struct ll_manifest *manifest = p->package->manifest;
        struct ll_plugin_metrics *row = ll_metrics_row(&host->metrics,
            ll_metrics_index(&host->metrics, manifest->id, manifest->version));
        row->cpu_ns += (uint64_t)ll_pool_cpu_ns(p);
        row->restarts += p->restarts;
        row->memory_bytes += (uint64_t)ll_pool_memory_bytes(p);
        row->workers += p->proc_count;
        row->breakers_open += p->breaker.open;
    }
}

static void
handle_metrics(struct ll_face *face, struct ll_request *request)
{
    struct ll_host *host = face->host;
    ll_metrics_begin(&host->metrics);
    add_pools(host);
    ll_buf_clear(&face->out);
    ll_metrics_write(&face->out, &host->metrics);
    ll_metrics_http_write(&face->out, ll_http_stats(face->http));
    ll_face_answer(face, request, 200, LL_METRICS_CONTENT_TYPE);
}

/* The description of what is enabled, in the order of the lists. */
static void
handle_openapi(struct ll_face *face, struct ll_request *request)
{
    struct ll_host *host = face->host;
    struct ll_openapi_entry *entries =
        ll_alloc(&host->mem, (host->instance_count + 1) * sizeof *entries);
    uint32_t count = 0;
    if (entries == NULL) {
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
        return;
    }
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            if (i->state == LL_INSTANCE_ENABLED)
                entries[count++] =
                    (struct ll_openapi_entry){c->id, i->package->manifest};
    ll_buf_clear(&face->out);
    linli_status status =
        ll_openapi_write(&host->mem, entries, count, &face->out);
    ll_release(
        &host->mem, entries, (host->instance_count + 1) * sizeof *entries);
    if (status == LINLI_OK)
        ll_face_answer(face, request, 200, "application/json");
    else
        ll_face_problem(face, request, "runtime/memory", LINLI_STR(""));
}

static const struct {
    const char *path;
    void (*handle)(struct ll_face *face, struct ll_request *request);
} own_paths[] = {
    {"/healthz", handle_health},
    {"/readyz", handle_ready},
    {"/metrics", handle_metrics},
    {"/openapi.json", handle_openapi},
};

/* "/v1/c/COMMUNITY/REST", where a REST is ours: "events", "me/..." or
 * "admin/...", "staff/..."; false for any other path. */
static bool
split_own(linli_str path, linli_str *community, linli_str *rest)
{
    if (!ll_str_starts(path, "/v1/c/"))
        return false;
    linli_str left = {path.ptr + 6, path.len - 6};
    if (!ll_str_split(&left, '/', community) || left.ptr == NULL)
        return false;
    *rest = left;
    return ll_str_is(left, "events") || ll_str_starts(left, "me/") ||
           ll_str_starts(left, "admin/") || ll_str_starts(left, "staff/");
}

static void
on_request(void *user, struct ll_request *request)
{
    struct ll_face *face = user;
    linli_str community, rest;
    for (size_t i = 0; i < LL_COUNT(own_paths); i++) {
        if (!ll_str_is(request->path, own_paths[i].path))
            continue;
        if (ll_str_is(request->method, "GET"))
            own_paths[i].handle(face, request);
        else
            ll_face_method(face, request, "GET");
        return;
    }
    if (ll_pages_handle(face, request))
        return;
    if (ll_str_starts(request->path, "/v1/log/"))
        ll_log_handle(face, request,
            (linli_str){request->path.ptr + 8, request->path.len - 8});
    else if (ll_str_starts(request->path, "/v1/callbacks/"))
        ll_callbacks_handle(face, request,
            (linli_str){request->path.ptr + 14, request->path.len - 14});
    else if (ll_str_starts(request->path, "/v1/dev/") ||
             ll_str_starts(request->path, "/v1/host/"))
        ll_dev_handle(face, request);
    else if (!split_own(request->path, &community, &rest))
        ll_host_dispatch(face->host, request);
    else if (ll_str_is(rest, "events"))
        ll_events_handle(face, request, community);
    else if (ll_assist_handle(face, request, community, rest) ||
             ll_rights_me_handle(face, request, community, rest) ||
             ll_access_log_handle(face, request, rest) ||
             ll_consents_handle(face, request, community, rest) ||
             ll_people_me_handle(face, request, community, rest) ||
             ll_bills_me_handle(face, request, community, rest) ||
             ll_subs_me_handle(face, request, community, rest) ||
             ll_invoices_me_handle(face, request, community, rest))
        return;
    else if (!ll_str_starts(rest, "admin/") &&
             !ll_str_starts(rest, "me/calls/"))
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (ll_str_starts(rest, "me/"))
        ll_calls_handle(
            face, request, community, (linli_str){rest.ptr + 9, rest.len - 9});
    else
        ll_admin_handle(
            face, request, community, (linli_str){rest.ptr + 5, rest.len - 5});
}

static void
face_drain(void *face_at, void (*drained)(void *user), void *user)
{
    struct ll_face *face = face_at;
    ll_http_drain(face->http, drained, user);
}

static void
face_free(void *face_at)
{
    struct ll_face *face = face_at;
    ll_view_end_all(face);
    ll_events_end(face);
    ll_callbacks_end(face);
    ll_calls_end(face);
    ll_dev_end(face);
    ll_http_free(&face->http);
    ll_pages_free(&face->pages);
    ll_buf_fini(&face->out);
    ll_release(&face->host->mem, face, sizeof *face);
}

linli_status
ll_face_open(struct ll_host *host, linli_str address, struct ll_err *err)
{
    if (host->face != NULL)
        return ll_fail(err, LINLI_E_CONFLICT, "listen/failed",
            "this host listens already, on %s", host->url);
    struct ll_face *face = ll_alloc(&host->mem, sizeof *face);
    if (face == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a listener");
    face->host = host;
    ll_buf_init(&face->out, &host->mem, OUT_BYTES_MAX);
    struct ll_http_options options = {.mem = &host->mem,
        .address = address,
        .handle = on_request,
        .user = face};
    linli_status status = ll_pages_open(&host->mem, &face->pages, err);
    if (status == LINLI_OK)
        status = ll_http_new(host->world, &options, &face->http, err);
    if (status != LINLI_OK) {
        ll_pages_free(&face->pages);
        ll_release(&host->mem, face, sizeof *face);
        return status;
    }
    char real[64];
    ll_http_address(face->http, real);
    (void)snprintf(host->url, sizeof host->url, "http://%s", real);
    host->face = face;
    host->face_drain = face_drain;
    host->face_free = face_free;
    return LINLI_OK;
}
