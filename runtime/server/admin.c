/* server/admin.c: what an operator asks over HTTP. [loop]
 *
 * GET  /v1/c/{c}/admin/plugins                 what is installed
 * POST /v1/c/{c}/admin/plugins {path, config?} load a folder (development)
 * POST /v1/c/{c}/admin/plugins/{id}/disable
 * GET  /v1/c/{c}/admin/workers                 processes
 *
 * GET  /v1/c/{c}/admin/usage[/{bucket}/records], usage/export, reconcile
 * GET  /v1/c/{c}/admin/alerts, jobs
 * GET  /v1/c/{c}/admin/audit, messages
 * GET  /v1/c/{c}/admin/payments[/{id}]
 * GET  /v1/c/{c}/admin/relays/{number}
 *
 * The last are routed here, with what can be done to them, and answered in
 * server/usage.c, server/audit.c, server/alerts.c, server/jobs.c,
 * server/messages.c and server/payments.c; what is below secrets and webhooks
 * in files of that name.
 */
#include <stdio.h>

#include "base/text.h"
#include "server/money.h"
#include "server/act.h"
#include "server/consents.h"
#include "server/deal.h"
#include "server/desk.h"
#include "server/invoices.h"
#include "server/log.h"
#include "server/people.h"
#include "server/rights.h"

#define BODY_DEPTH_MAX 64

static const struct ll_admission operators = {
    .kinds = 1u << LL_CALLER_OPERATOR, .words = "operators only"};

static void
write_error(struct ll_jw *w, const struct ll_instance *instance)
{
    char at[LL_RFC3339_BYTES];
    ll_jw_key(w, "last_error");
    if (instance->last_error_ms == 0) {
        ll_jw_null(w);
        return;
    }
    ll_rfc3339(instance->last_error_ms, at);
    ll_jw_open(w, '{');
    ll_jw_key(w, "code");
    ll_jw_cstr(w, instance->last_error.code);
    ll_jw_key(w, "where");
    ll_jw_cstr(w, instance->last_error.where);
    ll_jw_key(w, "message");
    ll_jw_cstr(w, instance->last_error.msg);
    ll_jw_key(w, "at");
    ll_jw_cstr(w, at);
    ll_jw_close(w, '}');
}

static void
write_workers(struct ll_jw *w, const struct ll_pool *pool)
{
    ll_jw_open(w, '[');
    for (const struct ll_proc *proc = pool == NULL ? NULL : pool->procs;
         proc != NULL; proc = proc->next) {
        ll_jw_open(w, '{');
        ll_jw_key(w, "pid");
        ll_jw_int(w, proc->child.pid);
        ll_jw_key(w, "state");
        ll_jw_cstr(w, ll_proc_state_name(proc->state));
        ll_jw_key(w, "open_runs");
        ll_jw_int(w, proc->slot_count);
        ll_jw_key(w, "served");
        ll_jw_int(w, (int64_t)proc->served);
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
}

static void
write_instance(struct ll_jw *w, const struct ll_instance *instance)
{
    const struct ll_package *package = instance->package;
    const struct ll_pool *pool = instance->pool;
    ll_jw_open(w, '{');
    ll_jw_key(w, "id");
    ll_jw_str(w, instance->id);
    ll_jw_key(w, "version");
    if (package == NULL)
        ll_jw_null(w);
    else
        ll_jw_str(w, package->manifest->version);
    ll_jw_key(w, "state");
    ll_jw_cstr(w, ll_instance_state_name(instance->state));
    ll_jw_key(w, "breaker");
    ll_jw_cstr(w, pool != NULL && pool->breaker.open ? "open" : "closed");
    ll_jw_key(w, "workers");
    write_workers(w, pool);
    ll_jw_key(w, "restarts");
    ll_jw_int(
        w, (int64_t)(instance->restarts + (pool == NULL ? 0 : pool->restarts)));
    write_error(w, instance);
    ll_jw_key(w, "hash");
    if (package == NULL)
        ll_jw_null(w);
    else
        ll_jw_cstr(w, package->hash);
    ll_jw_close(w, '}');
}

static void
list_plugins(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community)
{
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    for (struct ll_instance *i = community->instances; i != NULL; i = i->next)
        if (i->state != LL_INSTANCE_GONE)
            write_instance(&w, i);
    ll_jw_close(&w, ']');
    ll_jw_key(&w, "next_cursor");
    ll_jw_null(&w);
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

static void
list_workers(struct ll_face *face, struct ll_request *request,
    const struct ll_community *community)
{
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "sandbox");
    ll_jw_cstr(&w, ll_spawner_caps(face->host->spawner)->text);
    ll_jw_key(&w, "items");
    ll_jw_open(&w, '[');
    for (struct ll_instance *i = community->instances; i != NULL; i = i->next) {
        ll_jw_open(&w, '{');
        ll_jw_key(&w, "plugin");
        ll_jw_str(&w, i->id);
        ll_jw_key(&w, "workers");
        write_workers(&w, i->pool);
        ll_jw_close(&w, '}');
    }
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
    ll_face_answer(face, request, 200, "application/json");
}

/* An enable that waits for its worker; holds the request meanwhile. */
struct enabling {
    struct ll_face *face;
    struct ll_request *request;
};

static void
on_enabled(void *user, const struct ll_instance *instance, linli_status status,
    const struct ll_err *err)
{
    struct enabling *enabling = user;
    struct ll_face *face = enabling->face;
    struct ll_request *request = enabling->request;
    ll_release(&face->host->mem, enabling, sizeof *enabling);
    if (status != LINLI_OK) {
        ll_face_error(face, request, err);
        return;
    }
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    write_instance(&w, instance);
    ll_face_answer(face, request, 201, "application/json");
}

/* What a body of POST .../plugins says. */
struct wanted {
    linli_str path;
    struct ll_buf config; /* empty: none given */
};

static linli_status
read_wanted(struct ll_jv root, struct wanted *wanted, struct ll_err *err)
{
    struct ll_jw w = ll_jw(&wanted->config);
    LL_JSON_MEMBERS (name, value, root) {
        if (ll_str_is(ll_jv_str(name), "path"))
            wanted->path = ll_jv_str(value);
        else if (ll_str_is(ll_jv_str(name), "config"))
            ll_jw_value(&w, value);
        else
            return ll_fail(err, LINLI_E_INVALID, "request/invalid",
                "`%.*s` is not known: there are `path` and `config`",
                LL_FMT(ll_jv_str(name)));
    }
    if (wanted->config.failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room");
    if (wanted->path.len > 0)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_INVALID, "request/invalid",
        "`path` must name the plugin's folder");
}

static linli_status
begin_enable(struct ll_face *face, struct ll_request *request,
    linli_str community, const struct wanted *wanted, struct ll_err *err)
{
    struct ll_host *host = face->host;
    linli_plugin_options options = {.size = sizeof options,
        .dir = wanted->path,
        .community = community,
        .config_json = ll_buf_view(&wanted->config)};
    struct enabling *enabling = ll_alloc(&host->mem, sizeof *enabling);
    if (enabling == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room");
    *enabling = (struct enabling){face, request};
    struct ll_identity *identity = NULL;
    char approver[LL_TOKEN_NAME_BYTES_MAX + 16];
    linli_status status = ll_host_identify(host, request, &identity, err);
    if (status == LINLI_OK) {
        (void)snprintf(
            approver, sizeof approver, "operator:%.*s", LL_FMT(identity->id));
        ll_identity_unref(&identity);
        status = ll_host_enable_by(
            host, &options, ll_cstr(approver), on_enabled, enabling, err);
    }
    if (status != LINLI_OK)
        ll_release(&host->mem, enabling, sizeof *enabling);
    return status;
}

static void
enable(struct ll_face *face, struct ll_request *request, linli_str community)
{
    struct ll_mem *mem = &face->host->mem;
    struct wanted wanted = {.path = {NULL, 0}};
    struct ll_json body;
    struct ll_err err;
    if (request->has_body && !ll_request_is_json(request)) {
        ll_face_problem(face, request, "request/content-type", LINLI_STR(""));
        return;
    }
    ll_json_init(&body, mem);
    ll_buf_init(&wanted.config, mem, LL_HTTP_BODY_BYTES_MAX);
    linli_status status =
        ll_json_parse(&body, request->body, BODY_DEPTH_MAX, &err);
    if (status == LINLI_OK)
        status = read_wanted(ll_json_root(&body), &wanted, &err);
    if (status == LINLI_OK)
        status = begin_enable(face, request, community, &wanted, &err);
    ll_json_fini(&body);
    ll_buf_fini(&wanted.config);
    if (status != LINLI_OK)
        ll_face_error(face, request, &err);
}

static void
disable(struct ll_face *face, struct ll_request *request, linli_str community,
    linli_str plugin)
{
    struct ll_err err;
    if (ll_host_disable(face->host, community, plugin, &err) != LINLI_OK) {
        ll_face_error(face, request, &err);
        return;
    }
    ll_buf_clear(&face->out);
    struct ll_jw w = ll_jw(&face->out);
    write_instance(&w, ll_community_instance(
                           ll_host_community(face->host, community), plugin));
    ll_face_answer(face, request, 200, "application/json");
}

/* "/plugins/ID/disable" to ID; false for any other path. */
static bool
split_disable(linli_str rest, linli_str *plugin)
{
    linli_str head, word;
    if (!ll_str_starts(rest, "/plugins/"))
        return false;
    linli_str left = {rest.ptr + 9, rest.len - 9};
    if (!ll_str_split(&left, '/', &head) || left.ptr == NULL)
        return false;
    *plugin = head;
    word = left;
    return ll_str_is(word, "disable");
}

/* 404 for a path that is not there, 405 for one with other methods. */
static void
refuse_path(struct ll_face *face, struct ll_request *request, linli_str rest)
{
    linli_str plugin;
    if (ll_str_is(rest, "/plugins"))
        ll_face_method(face, request, "GET, POST");
    else if (ll_str_is(rest, "/workers"))
        ll_face_method(face, request, "GET");
    else if (split_disable(rest, &plugin))
        ll_face_method(face, request, "POST");
    else
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
}

/* "/usage/ID/records" to ID; false for any other path. */
static bool
split_records(linli_str rest, int64_t *bucket)
{
    linli_str id;
    if (!ll_str_starts(rest, "/usage/"))
        return false;
    linli_str left = {rest.ptr + 7, rest.len - 7};
    return ll_str_split(&left, '/', &id) && ll_str_is(left, "records") &&
           ll_str_int(id, 1, INT64_MAX, bucket);
}

/* "/alerts/ID/close" to ID; false for any other path. */
static bool
split_close(linli_str rest, int64_t *alert)
{
    linli_str id;
    if (!ll_str_starts(rest, "/alerts/"))
        return false;
    linli_str left = {rest.ptr + 8, rest.len - 8};
    return ll_str_split(&left, '/', &id) && ll_str_is(left, "close") &&
           ll_str_int(id, 1, INT64_MAX, alert);
}

static void
close_alert(struct ll_face *face, struct ll_request *request,
    linli_str community, int64_t alert)
{
    if (!ll_str_is(request->method, "POST"))
        ll_face_method(face, request, "POST");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else
        ll_alert_close_begin(face, request, community, alert);
}

bool
ll_view_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    int64_t bucket = 0, alert = 0;
    if (ll_jobs_handle(face, request, community, rest))
        return true;
    if (split_close(rest, &alert)) {
        close_alert(face, request, community, alert);
        return true;
    }
    bool usage = ll_str_is(rest, "/usage");
    bool alerts = ll_str_is(rest, "/alerts");
    bool audit = ll_str_is(rest, "/audit");
    bool messages = ll_str_is(rest, "/messages");
    bool reconcile = ll_str_is(rest, "/reconcile");
    bool export = ll_str_is(rest, "/usage/export");
    if (!usage && !export && !alerts && !audit && !messages && !reconcile &&
        !split_records(rest, &bucket))
        return false;
    if (!ll_str_is(request->method, "GET"))
        ll_face_method(face, request, "GET");
    else if (face->host->draining)
        ll_face_problem(face, request, "runtime/draining", LINLI_STR(""));
    else if (usage)
        ll_usage_begin(face, request, community);
    else if (export)
        ll_usage_export_begin(face, request, community);
    else if (alerts)
        ll_alerts_begin(face, request, community);
    else if (audit)
        ll_audit_begin_rows(face, request, community);
    else if (messages)
        ll_messages_begin(face, request, community);
    else if (reconcile)
        ll_reconcile_begin(face, request);
    else
        ll_usage_records_begin(face, request, community, bucket);
    return true;
}

void
ll_admin_handle(struct ll_face *face, struct ll_request *request,
    linli_str community, linli_str rest)
{
    bool get = ll_str_is(request->method, "GET");
    bool post = ll_str_is(request->method, "POST");
    linli_str plugin;
    if (!ll_face_admit(face, request, community, &operators))
        return;
    struct ll_community *there = ll_host_community(face->host, community);
    bool plugins = ll_str_is(rest, "/plugins");
    /* In development a community is made by its first plugin; what it has
     * used before a restart is there without. */
    if ((there != NULL || face->host->config.development) &&
        ll_view_handle(face, request, community, rest))
        return;
    if (there != NULL &&
        (ll_consents_admin_handle(face, request, there, rest) ||
            ll_money_handle(face, request, there, rest) ||
            ll_attribute_handle(face, request, there, rest) ||
            ll_settlements_handle(face, request, there, rest) ||
            ll_invoices_admin_handle(face, request, there, rest) ||
            ll_payments_handle(face, request, there, rest) ||
            ll_plans_handle(face, request, there, rest) ||
            ll_subs_handle(face, request, there, rest) ||
            ll_people_admin_handle(face, request, there, rest) ||
            ll_relays_handle(face, request, there, rest) ||
            ll_secrets_handle(face, request, there, rest) ||
            ll_sinks_handle(face, request, there, rest) ||
            ll_webhooks_handle(face, request, there, rest) ||
            ll_rights_admin_handle(face, request, there, rest) ||
            ll_duties_admin_handle(face, request, there, rest) ||
            ll_uninstalls_handle(face, request, there, rest)))
        return;
    if (plugins && post)
        enable(face, request, community);
    else if (there == NULL)
        ll_face_problem(face, request, "request/not-found", LINLI_STR(""));
    else if (plugins && get)
        list_plugins(face, request, there);
    else if (ll_str_is(rest, "/workers") && get)
        list_workers(face, request, there);
    else if (split_disable(rest, &plugin) && post)
        disable(face, request, community, plugin);
    else
        refuse_path(face, request, rest);
}
