/* host/instance.c: plugins in communities: enable, replace, disable. [loop]
 *
 * A new version or configuration is loaded aside; the old one serves until
 * the new one's first worker is READY, then drains. A load that fails
 * changes nothing that serves.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/alert.h"
#include "host/bus.h"
#include "host/errand.h"
#include "host/remember.h"
#include "host/secret.h"
#include "host/terms.h"
#include "host/uninstall.h"
#include "host/work.h"

#define PATH_BYTES 4096
#define ALERT_BYTES_MAX 4096

/* One version on its way. */
struct ll_loading {
    struct ll_instance *instance;
    struct ll_package *package;
    struct ll_pool *pool;
    bool lasting; /* to be enabled again after a restart */
    char approver[LL_TOKEN_NAME_BYTES_MAX + 16]; /* "operator:ID", or empty */
    ll_enabled done;
    void *user;
};

const char *
ll_instance_state_name(enum ll_instance_state state)
{
    static const char *const names[] = {
#define X(name, word) word,
        LL_INSTANCE_STATES(X)
#undef X
    };
    return names[state];
}

struct ll_community *
ll_host_community(const struct ll_host *host, linli_str id)
{
    struct ll_community *at = host->communities;
    while (at != NULL && !ll_str_eq(at->id, id))
        at = at->next;
    return at;
}

struct ll_instance *
ll_community_instance(const struct ll_community *community, linli_str plugin)
{
    struct ll_instance *at = community->instances;
    while (at != NULL && !ll_str_eq(at->id, plugin))
        at = at->next;
    return at;
}

/* Of `package`: while a version drains or loads there are two. */
static void
log_instance(const struct ll_instance *instance,
    const struct ll_package *package, enum ll_level level, const char *code,
    linli_str msg)
{
    struct ll_log_line line = {
        .level = level,
        .code = code,
        .plugin = instance->id,
        .version = package->manifest->version,
        .community = instance->community->id,
        .msg = msg,
    };
    ll_log_write(&instance->host->log, &line);
}

/* -- what the operator is to see -- */

struct trouble {
    const char *kind, *ref; /* host/alert.h */
    linli_str version;      /* empty: it is not known */
    const char *counts;     /* member that says how many, or NULL */
    int64_t count;
};

/* An alert that is open until the trouble is over. */
static void
alert_trouble(struct ll_instance *instance, const struct trouble *trouble,
    const struct ll_err *err)
{
    struct ll_host *host = instance->host;
    struct ll_buf data;
    ll_buf_init(&data, &host->mem, ALERT_BYTES_MAX);
    struct ll_jw w = ll_jw(&data);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "plugin");
    ll_jw_str(&w, instance->id);
    ll_jw_key(&w, "version");
    ll_jw_str(&w, trouble->version);
    if (trouble->counts != NULL) {
        ll_jw_key(&w, trouble->counts);
        ll_jw_int(&w, trouble->count);
    }
    ll_jw_key(&w, "code");
    ll_jw_cstr(&w, err->code);
    ll_jw_key(&w, "where");
    ll_jw_cstr(&w, err->where);
    ll_jw_key(&w, "message");
    ll_jw_cstr(&w, err->msg);
    ll_jw_close(&w, '}');
    struct ll_alert alert = {.space = instance->space,
        .kind = ll_cstr(trouble->kind),
        .ref = ll_cstr(trouble->ref),
        .subject = LINLI_STR(""),
        .trace_id = LINLI_STR(""),
        .data = ll_buf_view(&data),
        .at_ms = ll_world_wall(host->world).ms};
    if (!data.failed)
        ll_host_alert(host, &alert);
    ll_buf_fini(&data);
}

static void
settle(struct ll_instance *instance, const char *ref, const char *reason)
{
    const char *refs[] = {ref, NULL};
    ll_host_settle(instance->host, instance->space, refs, reason);
}

/* What a pool tells and an operator must see; the rest is in the log. */
static void
judge_event(struct ll_instance *instance, const struct ll_pool *pool,
    const char *code, const struct ll_err *err)
{
    linli_str version = pool->package->manifest->version;
    struct trouble opens = {"linli.breaker_open", LL_ALERT_BREAKER, version,
        "crashes", LL_BREAKER_CRASHES};
    struct trouble fails = {"linli.start_failing", LL_ALERT_STARTS, version,
        "failures", LL_STARTS_FAILED_MAX};
    if (instance->pool != pool)
        return; /* of a version that goes, or is not there yet */
    if (strcmp(code, LL_POOL_BREAKER_OPEN) == 0)
        alert_trouble(instance, &opens, err);
    else if (strcmp(code, LL_POOL_STARTS_FAIL) == 0)
        alert_trouble(instance, &fails, err);
    else if (strcmp(code, LL_POOL_BREAKER_CLOSED) == 0)
        settle(instance, LL_ALERT_BREAKER, "a call ended well");
    else if (strcmp(code, LL_POOL_STARTS) == 0)
        settle(instance, LL_ALERT_STARTS, "a worker started");
}

/* It could not be loaded, and nothing serves in its place. */
static void
fail(struct ll_instance *instance, linli_str version, const struct ll_err *err)
{
    struct trouble trouble = {
        "linli.plugin_failed", LL_ALERT_PLUGIN, version, NULL, 0};
    instance->state = LL_INSTANCE_FAILED;
    instance->last_error = *err;
    instance->last_error_ms = ll_world_wall(instance->host->world).ms;
    if (!instance->host->draining)
        alert_trouble(instance, &trouble, err);
}

/* Of a version that serves no more: its workers' troubles are over. */
static void
settle_workers(struct ll_instance *instance, const char *reason)
{
    const char *refs[] = {LL_ALERT_BREAKER, LL_ALERT_STARTS, NULL};
    ll_host_settle(instance->host, instance->space, refs, reason);
}

/* A version serves: also what an earlier process has left open is over. */
static void
settle_all(struct ll_instance *instance)
{
    const char *refs[] = {
        LL_ALERT_PLUGIN, LL_ALERT_BREAKER, LL_ALERT_STARTS, NULL};
    ll_host_settle(
        instance->host, instance->space, refs, "a version was enabled");
}

/* -- versions that go -- */

static void
on_pool_closed(void *user, const struct ll_pool *pool)
{
    struct ll_instance *instance = user;
    struct ll_host *host = instance->host;
    const struct ll_manifest *manifest = pool->package->manifest;
    struct ll_plugin_metrics *row = ll_metrics_row(&host->metrics,
        ll_metrics_index(&host->metrics, manifest->id, manifest->version));
    row->cpu_ns_gone += (uint64_t)ll_pool_cpu_ns(pool);
    row->restarts_gone += pool->restarts;
    instance->pool_count--;
    host->pool_count--;
    ll_collections_retire(instance);
    ll_uninstalls_again(instance->community);
    ll_host_check_stopped(host);
}

static void
close_pool(struct ll_instance *instance, struct ll_pool **pool)
{
    if (*pool == NULL)
        return;
    instance->restarts += (*pool)->restarts;
    ll_pool_close(*pool, on_pool_closed, instance);
    *pool = NULL;
}

/* What a pool tells for the operator. */
static void
on_pool_event(void *user, const struct ll_pool *pool, const char *code,
    const struct ll_err *err)
{
    struct ll_instance *instance = user;
    char msg[sizeof err->where + sizeof err->msg + 4] = "";
    if (err != NULL) {
        instance->last_error = *err;
        instance->last_error_ms = ll_world_wall(instance->host->world).ms;
        (void)snprintf(msg, sizeof msg, "%s%s%s", err->where,
            err->where[0] == '\0' ? "" : ": ", err->msg);
    }
    log_instance(instance, pool->package, err == NULL ? LL_INFO : LL_ERROR,
        code, ll_cstr(msg));
    judge_event(instance, pool, code, err);
}

/* A line that the plugin wrote while it was loaded. */
static void
on_pool_log(
    void *user, const struct ll_pool *pool, unsigned level, linli_str line)
{
    log_instance(user, pool->package, (enum ll_level)level, "plugin.log", line);
}

static void
loading_free(struct ll_loading **loading_at)
{
    struct ll_loading *loading = *loading_at;
    struct ll_host *host = loading->instance->host;
    *loading_at = NULL;
    ll_package_unref(&loading->package);
    ll_release(&host->mem, loading, sizeof *loading);
}

/* One that is being uninstalled is told of it, and does nothing else. */
static void
serve(struct ll_instance *instance, linli_str approver)
{
    if (ll_uninstall_of(instance->community, instance->id) != NULL) {
        instance->state = LL_INSTANCE_UNINSTALLING;
        ll_uninstalls_again(instance->community);
        return;
    }
    instance->state = LL_INSTANCE_ENABLED;
    ll_terms_declare(instance, approver);
    ll_bus_open(instance);
    ll_work_again(instance);
}

/* The new version serves, or never will. */
static void
on_loaded(
    struct ll_instance *instance, linli_status status, const struct ll_err *err)
{
    struct ll_loading *loading = instance->loading;
    ll_enabled done = loading->done;
    void *done_user = loading->user;
    if (status == LINLI_OK) {
        log_instance(instance, loading->package, LL_INFO, "plugin.enabled",
            LINLI_STR(""));
        close_pool(instance, &instance->pool);
        ll_package_unref(&instance->package);
        instance->pool = loading->pool;
        instance->package = ll_package_ref(loading->package);
        instance->metrics_row = ll_metrics_index(&instance->host->metrics,
            instance->id, instance->package->manifest->version);
        instance->last_error_ms = 0;
        ll_secrets_open(instance);
        settle_all(instance);
        serve(instance, ll_cstr(loading->approver));
    } else {
        close_pool(instance, &loading->pool);
        instance->last_error = *err;
        instance->last_error_ms = ll_world_wall(instance->host->world).ms;
        if (instance->state == LL_INSTANCE_LOADING)
            fail(instance, loading->package->manifest->version, err);
    }
    loading_free(&instance->loading);
    ll_collections_retire(instance);
    if (done != NULL)
        done(done_user, instance, status, err);
}

/* Its first worker is READY, or never will be. What is to last is written
 * before it serves: whoever was told of it finds it again. */
static void
on_pool_opened(void *user, linli_status status, const struct ll_err *err)
{
    struct ll_instance *instance = user;
    struct ll_loading *loading = instance->loading;
    struct ll_err own;
    if (status == LINLI_OK) {
        status =
            ll_collections_open(instance, loading->package->manifest, &own);
        if (status == LINLI_OK && loading->lasting) {
            status = ll_remember_enabled(instance, loading->package,
                loading->pool->options.config_json, on_loaded, &own);
            if (status == LINLI_OK)
                return;
        }
        if (status != LINLI_OK)
            err = &own;
    }
    on_loaded(instance, status, err);
}

static struct ll_instance *
instance_new(
    struct ll_host *host, struct ll_community *community, linli_str plugin)
{
    struct ll_arena *arena = ll_host_arena(host);
    struct ll_instance *instance = ll_arena_alloc(arena, sizeof *instance);
    if (instance == NULL)
        return NULL;
    instance->host = host;
    instance->community = community;
    instance->id = ll_arena_str(arena, plugin);
    if (instance->id.ptr == NULL)
        return NULL;
    instance->hash = community->hash * 3 + ll_siphash(host->hash_key, plugin);
    instance->state = LL_INSTANCE_LOADING;
    instance->space = ll_docs_space(&host->docs, community->id, plugin);
    if (instance->space == NULL)
        return NULL;
    instance->next = community->instances;
    community->instances = instance;
    host->instance_count++;
    return instance;
}

static uint32_t
uid_slot(const struct ll_host *host, linli_str plugin)
{
    /* Stable for a plugin; two that share a slot are still two processes
     * that can neither signal nor trace each other. */
    return (uint32_t)(ll_fnv(plugin) % host->config.uid_count);
}

static linli_status
open_pool(struct ll_instance *instance, linli_str config, struct ll_err *err)
{
    struct ll_host *host = instance->host;
    struct ll_package *package = instance->loading->package;
    const struct ll_manifest *manifest = package->manifest;
    bool native = manifest->runtime == LL_RUNTIME_NATIVE;
    struct ll_pool_options options = {
        .package = package,
        .community = instance->community->id,
        .config_json = config.len == 0 ? LINLI_STR("{}") : config,
        .zone = instance->community->zone_name,
        .zone_changes = instance->community->zone.changes,
        .zone_change_count = instance->community->zone.count,
        .workers_max =
            native ? host->config.workers_native : host->config.workers_lua,
        .uid_slot = uid_slot(host, manifest->id),
        .limits = manifest->limits,
        .opened = on_pool_opened,
        .event = on_pool_event,
        .log = on_pool_log,
        .user = instance,
    };
    linli_status status = ll_pool_open(
        &host->supervisor, &options, &instance->loading->pool, err);
    if (status != LINLI_OK)
        return status;
    host->pool_count++;
    instance->pool_count++;
    return LINLI_OK;
}

/* A configuration must be a JSON object before a worker may judge it. */
static linli_status
check_config(struct ll_host *host, linli_str text, struct ll_err *err)
{
    struct ll_json json;
    if (text.len == 0)
        return LINLI_OK;
    if (text.len > LL_PLUGIN_CONFIG_BYTES_MAX)
        return ll_fail(err, LINLI_E_LIMIT, "plugin/config",
            "a configuration of %zu bytes, more than %u", text.len,
            LL_PLUGIN_CONFIG_BYTES_MAX);
    ll_json_init(&json, &host->mem);
    linli_status status = ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, err);
    if (status != LINLI_OK) {
        (void)snprintf(err->code, sizeof err->code, "plugin/config");
    } else if (!ll_jv_is(ll_json_root(&json), LL_JSON_OBJECT)) {
        status = ll_fail(err, LINLI_E_INVALID, "plugin/config",
            "a configuration is a JSON object");
    }
    if (status != LINLI_OK)
        ll_err_where(err, "config: ");
    ll_json_fini(&json);
    return status;
}

static linli_status
find_community(struct ll_host *host, linli_str id, struct ll_community **out,
    struct ll_err *err)
{
    *out = ll_host_community(host, id);
    if (*out != NULL)
        return LINLI_OK;
    if (!host->config.development)
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "there is no community %.*s", LL_FMT(id));
    /* In development a community is made by its first use. */
    linli_status status =
        ll_host_add_community(host, id, LINLI_STR(LL_ZONE_DEFAULT), err);
    *out = ll_host_community(host, id);
    return status;
}

/* What is to be enabled, and how. */
struct wanted {
    linli_str dir, community, config;
    linli_str id; /* that the folder must hold; empty: any */
    linli_str approver;
    bool lasting;
    ll_enabled done;
    void *user;
};

static linli_status
check_wanted(
    struct ll_host *host, const struct wanted *wanted, struct ll_err *err)
{
    if (host->draining)
        return ll_fail(err, LINLI_E_CLOSED, "runtime/draining", "stopping");
    if (!host->config.development)
        return ll_fail(err, LINLI_E_DENIED, "package/unsigned",
            "%.*s has no signature", LL_FMT(wanted->dir));
    return check_config(host, wanted->config, err);
}

static linli_status
open_package(struct ll_host *host, const struct wanted *wanted,
    struct ll_package **out, struct ll_err *err)
{
    char dir[PATH_BYTES];
    if (wanted->dir.len == 0 || wanted->dir.len >= sizeof dir)
        return ll_fail(err, LINLI_E_INVALID, "package/missing-file",
            "the folder's path has %zu bytes, 1 to %zu are possible",
            wanted->dir.len, sizeof dir - 1);
    (void)snprintf(dir, sizeof dir, "%.*s", LL_FMT(wanted->dir));
    linli_status status = ll_package_open(&host->mem, dir, out, err);
    if (status != LINLI_OK || wanted->id.len == 0 ||
        ll_str_eq((*out)->manifest->id, wanted->id))
        return status;
    status = ll_fail(err, LINLI_E_CONFLICT, "plugin/load",
        "the folder holds %.*s now, not %.*s", LL_FMT((*out)->manifest->id),
        LL_FMT(wanted->id));
    ll_err_where(err, "%s", dir);
    ll_package_unref(out);
    return status;
}

/* The instance of a plugin, made if there is none. */
static linli_status
find_instance(struct ll_host *host, linli_str community_id, linli_str plugin,
    struct ll_instance **out, struct ll_err *err)
{
    struct ll_community *community = NULL;
    linli_status status = find_community(host, community_id, &community, err);
    *out = NULL;
    if (status != LINLI_OK)
        return status;
    *out = ll_community_instance(community, plugin);
    if (*out == NULL)
        *out = instance_new(host, community, plugin);
    return *out != NULL ? LINLI_OK
                        : ll_fail(err, LINLI_E_NOMEM, "runtime/memory",
                              "no room for another plugin");
}

static linli_status
load(struct ll_instance *instance, struct ll_package *package,
    const struct wanted *wanted, struct ll_err *err)
{
    struct ll_host *host = instance->host;
    const struct ll_uninstall *leaving =
        ll_uninstall_of(instance->community, instance->id);
    if (leaving != NULL && (wanted->lasting || leaving->emptying)) {
        instance->state = LL_INSTANCE_UNINSTALLING;
        return ll_fail(err, LINLI_E_CONFLICT, "plugin/uninstalling",
            "uninstall %s is not done", leaving->id);
    }
    if (instance->loading != NULL)
        return ll_fail(err, LINLI_E_CONFLICT, "plugin/loading",
            "another version is being loaded");
    struct ll_loading *loading = ll_alloc(&host->mem, sizeof *loading);
    if (loading == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room");
    *loading = (struct ll_loading){.instance = instance,
        .package = ll_package_ref(package),
        .lasting = wanted->lasting,
        .done = wanted->done,
        .user = wanted->user};
    (void)snprintf(loading->approver, sizeof loading->approver, "%.*s",
        LL_FMT(wanted->approver));
    instance->loading = loading;
    if (instance->state == LL_INSTANCE_FAILED ||
        instance->state == LL_INSTANCE_GONE)
        instance->state = LL_INSTANCE_LOADING;
    linli_status status = open_pool(instance, wanted->config, err);
    if (status != LINLI_OK) {
        if (instance->state == LL_INSTANCE_LOADING)
            fail(instance, package->manifest->version, err);
        loading_free(&instance->loading);
    }
    return status;
}

static linli_status
enable(struct ll_host *host, const struct wanted *wanted, struct ll_err *err)
{
    struct ll_package *package = NULL;
    struct ll_instance *instance = NULL;
    linli_status status = check_wanted(host, wanted, err);
    if (status == LINLI_OK)
        status = open_package(host, wanted, &package, err);
    if (status == LINLI_OK)
        status = find_instance(
            host, wanted->community, package->manifest->id, &instance, err);
    if (status == LINLI_OK)
        status = load(instance, package, wanted, err);
    ll_package_unref(&package);
    return status;
}

linli_status
ll_host_enable(struct ll_host *host, const linli_plugin_options *options,
    ll_enabled done, void *user, struct ll_err *err)
{
    return ll_host_enable_by(host, options, LINLI_STR(""), done, user, err);
}

linli_status
ll_host_enable_by(struct ll_host *host, const linli_plugin_options *options,
    linli_str approver, ll_enabled done, void *user, struct ll_err *err)
{
    struct wanted wanted = {.dir = options->dir,
        .community = options->community,
        .config = options->config_json,
        .approver = approver,
        .lasting = true,
        .done = done,
        .user = user};
    return enable(host, &wanted, err);
}

linli_status
ll_host_enable_listed(struct ll_host *host, const linli_plugin_options *options,
    ll_enabled done, void *user, struct ll_err *err)
{
    struct wanted wanted = {.dir = options->dir,
        .community = options->community,
        .config = options->config_json,
        .done = done,
        .user = user};
    return enable(host, &wanted, err);
}

static struct wanted
wanted_again(
    const struct ll_remembered *remembered, ll_enabled done, void *user)
{
    return (struct wanted){.dir = remembered->dir,
        .community = remembered->community,
        .config = remembered->config,
        .id = remembered->plugin,
        .done = done,
        .user = user};
}

linli_status
ll_host_enable_again(struct ll_host *host,
    const struct ll_remembered *remembered, ll_enabled done, void *user,
    struct ll_err *err)
{
    struct wanted wanted = wanted_again(remembered, done, user);
    return enable(host, &wanted, err);
}

void
ll_instance_put_failed(struct ll_host *host,
    const struct ll_remembered *remembered, const struct ll_err *err)
{
    struct ll_instance *instance = NULL;
    struct ll_err own;
    if (find_instance(host, remembered->community, remembered->plugin,
            &instance, NULL) != LINLI_OK)
        return;
    fail(instance, LINLI_STR(""), err);
    /* What it owes outside, refunds above all, goes on. */
    if (ll_space_find(instance->space, LINLI_STR("~errand")) != NULL &&
        ll_errands_open(instance, &own) != LINLI_OK)
        instance->last_error = own;
}

/* Its manifest is read, as far as it still can be: a gate opens also while
 * its plugin is disabled. */
linli_status
ll_instance_put_disabled(struct ll_host *host,
    const struct ll_remembered *remembered, struct ll_err *err)
{
    struct ll_package *package = NULL;
    struct ll_instance *instance = NULL;
    struct wanted wanted = wanted_again(remembered, NULL, NULL);
    linli_status status = check_wanted(host, &wanted, err);
    if (status == LINLI_OK)
        status = find_instance(
            host, remembered->community, remembered->plugin, &instance, err);
    if (status != LINLI_OK)
        return status;
    instance->state = LL_INSTANCE_DISABLED;
    status = open_package(host, &wanted, &package, err);
    if (status == LINLI_OK)
        status = ll_collections_open(instance, package->manifest, err);
    if (status == LINLI_OK) {
        instance->package = ll_package_ref(package);
        ll_collections_retire(instance);
        instance->metrics_row = ll_metrics_index(
            &host->metrics, instance->id, package->manifest->version);
    }
    ll_package_unref(&package);
    return status;
}

linli_status
ll_host_disable(struct ll_host *host, linli_str community_id, linli_str plugin,
    struct ll_err *err)
{
    struct ll_community *community = ll_host_community(host, community_id);
    struct ll_instance *instance =
        community == NULL ? NULL : ll_community_instance(community, plugin);
    if (instance == NULL || instance->state == LL_INSTANCE_GONE)
        return ll_fail(err, LINLI_E_NOT_FOUND, "request/not-found",
            "%.*s is not installed in %.*s", LL_FMT(plugin),
            LL_FMT(community_id));
    if (instance->loading != NULL)
        return ll_fail(err, LINLI_E_CONFLICT, "plugin/loading",
            "a version is being loaded");
    if (instance->state == LL_INSTANCE_ENABLED) {
        log_instance(instance, instance->package, LL_INFO, "plugin.disabled",
            LINLI_STR(""));
        instance->state = LL_INSTANCE_DISABLED;
        close_pool(instance, &instance->pool);
        settle_workers(instance, "it is disabled");
        ll_terms_suspend(instance);
        ll_remember_disabled(instance);
    }
    return LINLI_OK;
}

void
ll_instance_leave(struct ll_instance *instance)
{
    if (instance->state != LL_INSTANCE_UNINSTALLING &&
        instance->package != NULL)
        log_instance(instance, instance->package, LL_INFO,
            "plugin.uninstalling", LINLI_STR(""));
    instance->state = LL_INSTANCE_UNINSTALLING;
}

void
ll_instance_still(struct ll_instance *instance)
{
    close_pool(instance, &instance->pool);
}

void
ll_instance_gone(struct ll_instance *instance)
{
    ll_check(instance->pool_count == 0 && instance->loading == NULL);
    settle_workers(instance, "it is uninstalled");
    settle(instance, LL_ALERT_PLUGIN, "it is uninstalled");
    instance->state = LL_INSTANCE_GONE;
    instance->last_error_ms = 0;
    ll_package_unref(&instance->package);
}

void
ll_instance_close(struct ll_instance *instance)
{
    if (instance->loading != NULL) {
        struct ll_err err;
        linli_status status =
            ll_fail(&err, LINLI_E_CLOSED, "runtime/draining", "the host stops");
        ll_remember_detach(instance);
        /* The pool that closes does not call back any more. */
        instance->loading->pool->opening = false;
        close_pool(instance, &instance->loading->pool);
        ll_enabled done = instance->loading->done;
        void *user = instance->loading->user;
        loading_free(&instance->loading);
        if (done != NULL)
            done(user, instance, status, &err);
    }
    close_pool(instance, &instance->pool);
    if (instance->state == LL_INSTANCE_ENABLED)
        instance->state = LL_INSTANCE_DISABLED;
}
