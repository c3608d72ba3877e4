/* host/conf.c: reading linli.conf.json. */
#include "host/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config_schema.h"
#include "host/own_schema.h"

#define CONFIG_BYTES_MAX ((size_t)4 << 20)
/* Without short forms: some escapes and numbers are written longer. */
#define EXPANDED_BYTES_MAX (2 * CONFIG_BYTES_MAX)
/* What is read of its hosts and addresses. */
#define EGRESS_BYTES_MAX ((size_t)1 << 20)
/* Calls per second and at once of one caller, unless configured. */
#define RATE_PER_S_DEFAULT 50
#define RATE_BURST_DEFAULT 100
/* Below systemd's dynamic users and below 65536, which is all that a
 * rootless container maps; above what Debian gives to people. */
#define UID_FIRST_DEFAULT 60100
#define UID_COUNT_DEFAULT 1024
#define WORKERS_NATIVE_DEFAULT 2
#define PLUGIN_ROWS_DEFAULT 1000000
#define PLUGIN_BYTES_DEFAULT ((int64_t)1 << 30)

static const linli_str empty_config = {"{}", 2};

/* A setting that only development may have. */
static linli_status
unsafe(struct ll_config *config, const char *what, struct ll_err *err)
{
    size_t used = strlen(config->unsafe);
    if (!config->development) {
        linli_status status =
            ll_fail(err, LINLI_E_DENIED, "config/development-only", "%s", what);
        ll_err_where(err, "%s", what);
        return status;
    }
    (void)snprintf(config->unsafe + used, sizeof config->unsafe - used, "%s%s",
        used == 0 ? "" : ", ", what);
    return LINLI_OK;
}

static int64_t
int_or(struct ll_jv object, const char *name, int64_t otherwise)
{
    int64_t value = otherwise;
    (void)ll_jv_int(ll_jv_get(object, name), &value);
    return value;
}

static linli_status
read_worker(struct ll_config *config, struct ll_jv worker, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    config->workers_lua = (uint32_t)int_or(worker, "count_lua", 1);
    config->workers_native =
        (uint32_t)int_or(worker, "count_native", WORKERS_NATIVE_DEFAULT);
    config->uid_first =
        (uint32_t)int_or(worker, "uid_first", UID_FIRST_DEFAULT);
    config->uid_count =
        (uint32_t)int_or(worker, "uid_count", UID_COUNT_DEFAULT);
    config->drafts = ll_jv_true(ll_jv_get(worker, "drafts"));
    config->filter_errno =
        ll_str_is(ll_jv_str(ll_jv_get(worker, "seccomp_default")), "errno");
    config->no_import_check =
        ll_str_is(ll_jv_str(ll_jv_get(worker, "import_check")), "off");
    if (config->filter_errno)
        status = unsafe(config, "worker.seccomp_default: errno", err);
    if (status == LINLI_OK && config->no_import_check)
        status = unsafe(config, "worker.import_check: off", err);
    return status;
}

static linli_status
read_egress(struct ll_config *config, struct ll_jv egress, struct ll_err *err)
{
    linli_status status = ll_config_read_egress(config, egress, err);
    if (status == LINLI_OK && ll_jv_there(ll_jv_get(egress, "test_addresses")))
        status = unsafe(config, "egress.test_addresses", err);
    return status;
}

static linli_status
read_rate(struct ll_config *config, struct ll_jv rate, struct ll_err *err)
{
    config->rate = (struct ll_rate_policy){
        .per_minute = 60 * int_or(rate, "per_s", RATE_PER_S_DEFAULT),
        .burst = int_or(rate, "burst", RATE_BURST_DEFAULT),
    };
    if (!ll_jv_is(rate, LL_JSON_STRING))
        return LINLI_OK;
    config->rate_off = true;
    config->rate = (struct ll_rate_policy){.per_minute = 0, .burst = 1};
    return unsafe(config, "rate_limit: off", err);
}

static linli_status
read_notify(struct ll_config *config, struct ll_jv notify, struct ll_err *err)
{
    bool sim_asked = false;
    linli_status status =
        ll_config_read_notify(config, notify, &sim_asked, err);
    if (status == LINLI_OK && sim_asked && !config->development)
        status = unsafe(config, "notify: sim", err);
    return status;
}

static linli_status
read_payment(struct ll_config *config, struct ll_jv payment, struct ll_err *err)
{
    config->pay_adapters = ll_jv_get(payment, "adapters");
    LL_JSON_MEMBERS (channel, adapter, config->pay_adapters) {
        LL_UNUSED(channel);
        if (ll_str_is(ll_jv_str(adapter), "sim"))
            return unsafe(config, "payment.adapters: sim", err);
    }
    return LINLI_OK;
}

/* -- "worker.count_lua": short for a member of a member -- */

/* Splits "worker.count_lua"; false if there is no dot. */
static bool
split_key(linli_str key, linli_str *object, linli_str *member)
{
    linli_str rest = key;
    if (!ll_str_split(&rest, '.', object) || rest.ptr == NULL)
        return false;
    *member = rest;
    return true;
}

static bool
has_dots(struct ll_jv root)
{
    linli_str object, member;
    LL_JSON_MEMBERS (key, value, root) {
        if (split_key(ll_jv_str(key), &object, &member))
            return true;
    }
    return false;
}

/* Writes what `root` says of the object `name`, short forms included. A
 * setting that stands twice is refused: which one was meant? */
static linli_status
write_object(
    struct ll_jw *w, struct ll_jv root, linli_str name, struct ll_err *err)
{
    struct ll_jv whole = ll_jv_get_str(root, name);
    linli_str object, member;
    ll_jw_key_str(w, name);
    ll_jw_open(w, '{');
    LL_JSON_MEMBERS (key, value, whole) {
        ll_jw_key_str(w, ll_jv_str(key));
        ll_jw_value(w, value);
    }
    LL_JSON_MEMBERS (key, value, root) {
        if (!split_key(ll_jv_str(key), &object, &member) ||
            !ll_str_eq(object, name))
            continue;
        if (ll_jv_there(whole) &&
            (!ll_jv_is(whole, LL_JSON_OBJECT) ||
                ll_jv_there(ll_jv_get_str(whole, member)))) {
            linli_status status =
                ll_fail(err, LINLI_E_INVALID, "config/invalid",
                    "%.*s is set in two ways", LL_FMT(ll_jv_str(key)));
            ll_err_where(err, "/%.*s", LL_FMT(ll_jv_str(key)));
            ll_err_fix(err, "keep one of the two");
            return status;
        }
        ll_jw_key_str(w, member);
        ll_jw_value(w, value);
    }
    ll_jw_close(w, '}');
    return LINLI_OK;
}

/* True if an earlier member has named the same object in either form. */
static bool
named_before(struct ll_jv root, struct ll_jv upto, linli_str name)
{
    linli_str object, member;
    LL_JSON_MEMBERS (key, value, root) {
        if (key.at == upto.at)
            return false;
        bool dotted = split_key(ll_jv_str(key), &object, &member);
        if (ll_str_eq(dotted ? object : ll_jv_str(key), name))
            return true;
    }
    return false;
}

/* Writes the configuration without short forms into `out`. */
static linli_status
write_expanded(struct ll_buf *out, struct ll_jv root, struct ll_err *err)
{
    struct ll_jw w = ll_jw(out);
    linli_status status = LINLI_OK;
    linli_str object, member;
    ll_jw_open(&w, '{');
    LL_JSON_MEMBERS (key, value, root) {
        linli_str name = ll_jv_str(key);
        bool dotted = split_key(name, &object, &member);
        if (dotted)
            name = object;
        if (status != LINLI_OK || named_before(root, key, name))
            continue;
        if (dotted || ll_jv_is(value, LL_JSON_OBJECT)) {
            status = write_object(&w, root, name, err);
        } else {
            ll_jw_key_str(&w, name);
            ll_jw_value(&w, value);
        }
    }
    ll_jw_close(&w, '}');
    return status;
}

/* Replaces the tape by one without short forms. */
static linli_status
expand(struct ll_config *config, struct ll_mem *mem, struct ll_err *err)
{
    struct ll_buf out;
    if (!has_dots(ll_json_root(&config->json)))
        return LINLI_OK;
    ll_buf_init(&out, mem, EXPANDED_BYTES_MAX);
    linli_status status =
        write_expanded(&out, ll_json_root(&config->json), err);
    linli_str own = {NULL, 0};
    if (status == LINLI_OK && !out.failed)
        own = ll_arena_str(&config->arena, ll_buf_view(&out));
    if (status == LINLI_OK && own.ptr == NULL)
        status =
            ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a configuration");
    if (status == LINLI_OK)
        status = ll_json_parse(&config->json, own, LL_JSON_DEPTH_MAX, err);
    ll_buf_fini(&out);
    return status;
}

/* Where communities are listed, a plugin's must be one of them: a slip in
 * its name would serve a community that nobody calls. */
static linli_status
check_plugins(struct ll_jv root, struct ll_err *err)
{
    struct ll_jv communities = ll_jv_get(root, "communities");
    uint32_t at = 0;
    if (!ll_jv_there(communities))
        return LINLI_OK;
    LL_JSON_EACH (plugin, ll_jv_get(root, "plugins")) {
        linli_str wanted = ll_jv_str(ll_jv_get(plugin, "community"));
        bool listed = false;
        LL_JSON_EACH (community, communities)
            listed |= ll_str_eq(ll_jv_str(ll_jv_get(community, "id")), wanted);
        if (!listed) {
            linli_status status =
                ll_fail(err, LINLI_E_INVALID, "config/invalid",
                    "`communities` does not list %.*s", LL_FMT(wanted));
            ll_err_where(err, "/plugins/%u/community", at);
            return status;
        }
        at++;
    }
    return LINLI_OK;
}

linli_status
ll_config_read(struct ll_config *config, struct ll_mem *mem, linli_str text,
    bool development, struct ll_err *err)
{
    *config = (struct ll_config){.development = development};
    ll_arena_init(&config->arena, mem,
        CONFIG_BYTES_MAX + EXPANDED_BYTES_MAX + EGRESS_BYTES_MAX + 64);
    ll_json_init(&config->json, mem);
    linli_str own =
        ll_arena_str(&config->arena, text.len == 0 ? empty_config : text);
    linli_status status = LINLI_OK;
    if (text.len >= CONFIG_BYTES_MAX)
        status = ll_fail(err, LINLI_E_LIMIT, "config/invalid",
            "the configuration is larger than %zu bytes", CONFIG_BYTES_MAX);
    else if (own.ptr == NULL)
        status =
            ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a configuration");
    else
        status = ll_json_parse(&config->json, own, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        status = expand(config, mem, err);
    struct ll_jv root = ll_json_root(&config->json);
    if (status == LINLI_OK)
        status = ll_own_schema_check(mem,
            (linli_str){
                (const char *)ll_config_schema, sizeof ll_config_schema},
            root, "config/invalid", err);
    if (status == LINLI_OK)
        status = check_plugins(root, err);
    if (status == LINLI_OK)
        status = read_worker(config, ll_jv_get(root, "worker"), err);
    if (status == LINLI_OK)
        status = read_rate(config, ll_jv_get(root, "rate_limit"), err);
    if (status == LINLI_OK)
        status = read_notify(config, ll_jv_get(root, "notify"), err);
    if (status == LINLI_OK)
        status = read_payment(config, ll_jv_get(root, "payment"), err);
    if (status == LINLI_OK)
        status =
            ll_config_read_consent(config, ll_jv_get(root, "consent"), err);
    if (status == LINLI_OK)
        status =
            ll_config_read_billing(config, ll_jv_get(root, "billing"), err);
    if (status == LINLI_OK)
        status = read_egress(config, ll_jv_get(root, "egress"), err);
    if (status != LINLI_OK) {
        if (err != NULL && strcmp(err->code, "request/json") == 0)
            (void)snprintf(err->code, sizeof err->code, "config/invalid");
        ll_config_fini(config);
        return status;
    }
    struct ll_jv storage = ll_jv_get(root, "storage");
    linli_str prefix =
        ll_jv_str(ll_jv_get(ll_jv_get(root, "consent"), "relay_prefix"));
    config->relay_prefix =
        prefix.len > 0 ? prefix : LINLI_STR(LL_RELAY_PREFIX_DEFAULT);
    ll_check(config->relay_prefix.len <= LL_RELAY_PREFIX_BYTES_MAX);
    config->metering =
        !ll_str_is(ll_jv_str(ll_jv_get(root, "metering")), "off");
    config->plugin_rows = int_or(storage, "plugin_rows", PLUGIN_ROWS_DEFAULT);
    config->plugin_bytes =
        int_or(storage, "plugin_bytes", PLUGIN_BYTES_DEFAULT);
    config->log_origin = ll_jv_str(ll_jv_get(ll_jv_get(root, "log"), "origin"));
    config->communities = ll_jv_get(root, "communities");
    config->plugins = ll_jv_get(root, "plugins");
    config->jwks = ll_jv_get(ll_jv_get(root, "auth"), "jwks");
    return LINLI_OK;
}

void
ll_config_fini(struct ll_config *config)
{
    ll_json_fini(&config->json);
    ll_arena_fini(&config->arena);
}
