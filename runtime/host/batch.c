/* host/batch.c: the plugins of the configuration, and those of the demo. */
#include "host/batch.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/demo.h"
#include "host/remember.h"
#include "host/uninstall.h"
#include "world/file.h"

#define DEMO_FILE_BYTES_MAX ((size_t)256 << 10)
#define DEMO_PLUGINS_MAX 256
#define BATCH_ARENA_BYTES_MAX ((size_t)8 << 20)

/* Counts what is still loading; the first failure is the answer. */
struct batch {
    struct ll_host *host;
    uint32_t open; /* loads, and one while they are being begun */
    linli_status status;
    struct ll_err err;
    void (*done)(void *user, linli_status status, const struct ll_err *err);
    void *user;
    struct ll_timer *end; /* `done` comes later, never from the start */
};

static void
on_batch_end(void *user)
{
    struct batch *batch = user;
    struct ll_host *host = batch->host;
    ll_timer_free(&batch->end);
    batch->done(batch->user, batch->status,
        batch->status == LINLI_OK ? NULL : &batch->err);
    ll_release(&host->mem, batch, sizeof *batch);
    host->batch_count--;
    ll_host_check_stopped(host);
}

static void
batch_put(struct batch *batch)
{
    if (--batch->open == 0)
        ll_timer_set(batch->end, 0, 0);
}

static void
batch_fail(struct batch *batch, linli_status status, const struct ll_err *err)
{
    if (batch->status != LINLI_OK)
        return;
    batch->status = status;
    batch->err = *err;
}

static void
on_one(void *user, const struct ll_instance *instance, linli_status status,
    const struct ll_err *err)
{
    struct batch *batch = user;
    if (status != LINLI_OK) {
        batch_fail(batch, status, err);
        ll_err_where(&batch->err, "%.*s%s", LL_FMT(instance->id),
            err->where[0] == '\0' ? "" : ": ");
    }
    batch_put(batch);
}

static struct batch *
batch_new(struct ll_host *host,
    void (*done)(void *user, linli_status status, const struct ll_err *err),
    void *user)
{
    struct batch *batch = ll_alloc(&host->mem, sizeof *batch);
    if (batch == NULL)
        return NULL;
    *batch =
        (struct batch){.host = host, .open = 1, .done = done, .user = user};
    batch->end = ll_timer_new(host->world, on_batch_end, batch);
    if (batch->end != NULL) {
        host->batch_count++;
        return batch;
    }
    ll_release(&host->mem, batch, sizeof *batch);
    return NULL;
}

/* It was being uninstalled when the host ended, which goes on. */
static bool
is_leaving(const struct ll_err *err)
{
    return strcmp(err->code, "plugin/uninstalling") == 0;
}

static void
batch_enable(
    struct batch *batch, linli_str dir, linli_str community, linli_str config)
{
    struct ll_err err;
    linli_plugin_options options = {.size = sizeof options,
        .dir = dir,
        .community = community,
        .config_json = config};
    batch->open++;
    linli_status status =
        ll_host_enable_listed(batch->host, &options, on_one, batch, &err);
    if (status == LINLI_OK)
        return;
    if (!is_leaving(&err))
        batch_fail(batch, status, &err);
    batch_put(batch);
}

/* -- what an earlier process had -- */

static void
log_gone(struct ll_host *host, linli_str community, linli_str plugin,
    const struct ll_err *err)
{
    char text[sizeof err->where + sizeof err->msg + 4];
    (void)snprintf(text, sizeof text, "%s%s%s", err->where,
        err->where[0] == '\0' ? "" : ": ", err->msg);
    struct ll_log_line line = {.level = LL_ERROR,
        .code = err->code,
        .plugin = plugin,
        .community = community,
        .msg = ll_cstr(text)};
    ll_log_write(&host->log, &line);
}

static void
on_again(void *user, const struct ll_instance *instance, linli_status status,
    const struct ll_err *err)
{
    struct batch *batch = user;
    if (status != LINLI_OK)
        log_gone(batch->host, instance->community->id, instance->id, err);
    batch_put(batch);
}

static void
enable_again(struct batch *batch, const struct ll_remembered *one)
{
    struct ll_host *host = batch->host;
    struct ll_err err;
    struct ll_community *community = ll_host_community(host, one->community);
    if (community != NULL &&
        ll_community_instance(community, one->plugin) != NULL)
        return; /* the configuration says what it is to be */
    batch->open += one->enabled;
    linli_status status =
        one->enabled ? ll_host_enable_again(host, one, on_again, batch, &err)
                     : ll_instance_put_disabled(host, one, &err);
    if (status == LINLI_OK)
        return;
    if (is_leaving(&err)) {
        if (one->enabled)
            batch_put(batch);
        return;
    }
    log_gone(host, one->community, one->plugin, &err);
    if (!one->enabled)
        return;
    ll_instance_put_failed(host, one, &err);
    batch_put(batch);
}

static void
enable_all_again(struct batch *batch)
{
    struct ll_roster *roster = batch->host->roster;
    if (roster == NULL)
        return;
    for (struct ll_remembered *one = roster->first; one != NULL;
         one = one->next)
        enable_again(batch, one);
    ll_roster_free(batch->host);
    for (const struct ll_community *c = batch->host->communities; c != NULL;
         c = c->next)
        ll_uninstalls_again(c);
}

linli_status
ll_host_enable_configured(struct ll_host *host,
    void (*done)(void *user, linli_status status, const struct ll_err *err),
    void *user, struct ll_err *err)
{
    struct batch *batch = batch_new(host, done, user);
    if (batch == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room");
    LL_JSON_EACH (item, host->config.plugins) {
        struct ll_buf config;
        ll_buf_init(&config, &host->mem, LL_HTTP_BODY_BYTES_MAX);
        struct ll_jw w = ll_jw(&config);
        if (ll_jv_there(ll_jv_get(item, "config")))
            ll_jw_value(&w, ll_jv_get(item, "config"));
        batch_enable(batch, ll_jv_str(ll_jv_get(item, "path")),
            ll_jv_str(ll_jv_get(item, "community")), ll_buf_view(&config));
        ll_buf_fini(&config);
    }
    enable_all_again(batch);
    batch_put(batch);
    return LINLI_OK;
}

/* One folder of the demo: its demo.json tells configuration and calls. */
static void
demo_plugin(struct batch *batch, struct ll_arena *arena, linli_str dir,
    const struct ll_file_entry *entry)
{
    struct ll_host *host = batch->host;
    struct ll_buf text, config;
    struct ll_err err;
    char path[4096];
    int n = snprintf(path, sizeof path, "%.*s/%.*s/demo.json", LL_FMT(dir),
        LL_FMT(entry->name));
    if (entry->kind != LL_FILE_FOLDER || n < 0 || (size_t)n >= sizeof path)
        return;
    ll_buf_init(&text, &host->mem, DEMO_FILE_BYTES_MAX);
    ll_buf_init(&config, &host->mem, DEMO_FILE_BYTES_MAX);
    linli_status status =
        ll_file_read(LL_AT_CWD, path, DEMO_FILE_BYTES_MAX, &text, &err);
    linli_str folder = ll_arena_str(
        arena, (linli_str){path, (size_t)n - sizeof "/demo.json" + 1});
    if (status == LINLI_OK)
        status = ll_demo_read(host, ll_buf_view(&text), &config, &err);
    if (status == LINLI_OK || status == LINLI_E_NOT_FOUND) {
        batch_enable(batch, folder, LINLI_STR("demo"), ll_buf_view(&config));
    } else {
        ll_err_where(&err, "%s: ", path);
        batch_fail(batch, status, &err);
    }
    ll_buf_fini(&text);
    ll_buf_fini(&config);
}

linli_status
ll_host_demo(struct ll_host *host, linli_str plugins_dir,
    void (*done)(void *user, linli_status status, const struct ll_err *err),
    void *user, struct ll_err *err)
{
    struct ll_arena arena;
    struct ll_file_list list;
    int fd = -1;
    if (!host->config.development)
        return ll_fail(err, LINLI_E_DENIED, "config/development-only",
            "the demo community");
    if (ll_host_community(host, LINLI_STR("demo")) == NULL) {
        linli_status added = ll_host_add_community(
            host, LINLI_STR("demo"), LINLI_STR(LL_ZONE_DEFAULT), err);
        if (added != LINLI_OK)
            return added;
    }
    ll_arena_init(&arena, &host->mem, BATCH_ARENA_BYTES_MAX);
    linli_str dir = ll_arena_str(&arena, plugins_dir);
    linli_status status =
        dir.ptr == NULL
            ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room")
            : ll_folder_open(LL_AT_CWD, dir.ptr, true, &fd, err);
    if (status == LINLI_OK)
        status = ll_folder_list(fd, DEMO_PLUGINS_MAX, &arena, &list, err);
    ll_file_close(&fd);
    struct batch *batch =
        status == LINLI_OK ? batch_new(host, done, user) : NULL;
    if (status == LINLI_OK && batch == NULL)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room");
    if (batch != NULL) {
        for (uint32_t i = 0; i < list.count; i++)
            demo_plugin(batch, &arena, dir, &list.entries[i]);
        batch_put(batch);
    }
    ll_arena_fini(&arena);
    return status;
}
