/* host/remember.c: what a host knows again after a restart. [loop] */
#include "host/remember.h"

#include <stdio.h>

#include "base/text.h"
#include "data/put.h"
#include "host/directory.h"
#include "world/file.h"

#define ROWS 256
/* A document that could not be read is asked for again then. */
#define PAUSE_MS 1000
#define ROSTER_BYTES_MAX ((size_t)64 << 20)
/* What `state` says. */
#define ENABLED "enabled"
#define DISABLED "disabled"

static linli_str
text_of(struct ll_arena *arena, struct ll_jv document, const char *name)
{
    return ll_arena_str(arena, ll_jv_str(ll_jv_get(document, name)));
}

/* -- reading, at the start -- */

/* Hands each document of a collection of the host's own on. */
static linli_status
each_document(struct ll_host *host, const char *name,
    linli_status (*take)(
        struct ll_host *host, struct ll_jv document, struct ll_err *err),
    struct ll_err *err)
{
    struct ll_coll *coll =
        ll_directory_find(host, LINLI_STR(LL_DIR_HOST), name);
    char after[LL_DOC_ID_BYTES_MAX] = "";
    size_t after_len = 0;
    linli_status status = LINLI_OK;
    bool more = coll != NULL;
    while (status == LINLI_OK && more) {
        struct ll_query query;
        ll_query_init(&query, &host->mem, LL_ST_doc_up);
        ll_put_int(&query.params, coll->id);
        ll_put_bytes(&query.params, (linli_str){after, after_len});
        ll_put_int(&query.params, ROWS + 1);
        query.rows_max = ROWS;
        query.bytes_max = LL_QUERY_BYTES_MAX;
        status = ll_store_ask(host->store, &query);
        if (status != LINLI_OK)
            *err = query.err;
        struct ll_rd row = ll_rd(ll_buf_view(&query.rows));
        for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++) {
            bool there;
            (void)ll_rd_list(&row);
            linli_str id = ll_rd_bytes(&row);
            after_len = id.len < sizeof after ? id.len : sizeof after;
            memcpy(after, id.ptr, after_len);
            for (int column = 0; column < 3; column++)
                (void)ll_rd_value(&row); /* version, due, subject */
            linli_str body = ll_rd_bytes_or_nil(&row, &there);
            struct ll_json *json = &host->docs.json;
            if (there &&
                ll_json_parse(json, body, LL_JSON_DEPTH_MAX, NULL) == LINLI_OK)
                status = take(host, ll_json_root(json), err);
        }
        more = query.more;
        ll_query_fini(&query);
    }
    return status;
}

static linli_status
take_community(struct ll_host *host, struct ll_jv document, struct ll_err *err)
{
    linli_str id = ll_jv_str(ll_jv_get(document, "id"));
    linli_str zone = ll_jv_str(ll_jv_get(document, "zone"));
    const struct ll_community *there = ll_host_community(host, id);
    if (there == NULL)
        return ll_host_add_community(host, id, zone, err);
    if (!ll_str_eq(there->zone_name, zone)) {
        struct ll_log_line line = {.level = LL_WARN,
            .code = "config/zone",
            .community = id,
            .msg = LINLI_STR("the configuration gives this community another "
                             "zone than its seed did; the configuration's is "
                             "used")};
        ll_log_write(&host->log, &line);
    }
    return LINLI_OK;
}

/* -- plugins, at the start -- */

static linli_status
take_plugin(struct ll_host *host, struct ll_jv document, struct ll_err *err)
{
    struct ll_arena *arena = &host->roster->arena;
    struct ll_remembered *one = ll_arena_alloc(arena, sizeof *one);
    struct ll_buf config;
    ll_buf_init(&config, &host->mem, 2 * LL_PLUGIN_CONFIG_BYTES_MAX);
    struct ll_jw w = ll_jw(&config);
    if (one != NULL) {
        ll_jw_value(&w, ll_jv_get(document, "config"));
        one->community = text_of(arena, document, "community");
        one->plugin = text_of(arena, document, "plugin");
        one->dir = text_of(arena, document, "path");
        one->config = ll_arena_str(arena, ll_buf_view(&config));
        one->enabled =
            ll_str_is(ll_jv_str(ll_jv_get(document, "state")), ENABLED);
        one->next = host->roster->first;
        host->roster->first = one;
    }
    bool good = one != NULL && !arena->failed && !config.failed;
    ll_buf_fini(&config);
    return good ? LINLI_OK
                : ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "plugins");
}

linli_status
ll_remember_open(struct ll_host *host, struct ll_err *err)
{
    host->roster = ll_alloc(&host->mem, sizeof *host->roster);
    if (host->roster == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    ll_arena_init(&host->roster->arena, &host->mem, ROSTER_BYTES_MAX);
    linli_status status =
        each_document(host, LL_DIR_COMMUNITY, take_community, err);
    if (status == LINLI_OK)
        status = each_document(host, LL_DIR_PLUGIN, take_plugin, err);
    return status;
}

void
ll_roster_free(struct ll_host *host)
{
    if (host->roster == NULL)
        return;
    ll_arena_fini(&host->roster->arena);
    ll_release(&host->mem, host->roster, sizeof *host->roster);
    host->roster = NULL;
}

/* -- writing -- */

/* The document of an instance, and what it is to become. */
struct ll_keeping {
    struct ll_instance *instance;
    struct ll_doc *doc; /* a reference; NULL: it is to be asked for */
    struct ll_wait wait;
    struct ll_timer *pause;
    bool enable;        /* else it is to be disabled */
    struct ll_buf text; /* the whole of it, if so */
    void (*done)(struct ll_instance *instance, linli_status status,
        const struct ll_err *err);
};

static void
tell(struct ll_keeping *keeping, linli_status status, const struct ll_err *err)
{
    void (*done)(struct ll_instance * instance, linli_status status,
        const struct ll_err *err) = keeping->done;
    keeping->done = NULL;
    if (done != NULL)
        done(keeping->instance, status, status == LINLI_OK ? NULL : err);
}

static void
on_written(struct ll_commit *commit, bool durable)
{
    struct ll_keeping *keeping = commit->user;
    struct ll_host *host = keeping->instance->host;
    struct ll_err err;
    ll_docs_commit_free(&host->docs, commit);
    if (durable) {
        tell(keeping, LINLI_OK, NULL);
        return;
    }
    linli_status status =
        ll_fail(&err, LINLI_E_IO, "store/failed", "it cannot be kept");
    tell(keeping, status, &err);
}

/* The document as it is, but for its state. */
static void
write_disabled(struct ll_keeping *keeping)
{
    struct ll_json *json = &keeping->instance->host->docs.json;
    const struct ll_content *content = keeping->doc->content;
    ll_buf_clear(&keeping->text);
    if (content == NULL ||
        ll_json_parse(json, content->body, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return;
    struct ll_jw w = ll_jw(&keeping->text);
    ll_jw_open(&w, '{');
    LL_JSON_MEMBERS (name, value, ll_json_root(json)) {
        ll_jw_key_str(&w, ll_jv_str(name));
        if (ll_str_is(ll_jv_str(name), "state"))
            ll_jw_cstr(&w, DISABLED);
        else
            ll_jw_value(&w, value);
    }
    ll_jw_close(&w, '}');
}

/* The document could not be read: it is let go of. Who enables is told, and may
 * ask again; a disable goes on by itself. */
static void
take_lost(struct ll_keeping *keeping)
{
    struct ll_err err;
    ll_doc_unref(&keeping->doc);
    if (!keeping->enable)
        ll_timer_set(keeping->pause, PAUSE_MS, 0);
    linli_status status =
        ll_fail(&err, LINLI_E_IO, "store/failed", "it cannot be kept");
    tell(keeping, status, &err);
}

/* The document is known. */
static void
write_now(struct ll_keeping *keeping)
{
    struct ll_host *host = keeping->instance->host;
    struct ll_docs *docs = &host->docs;
    struct ll_err err;
    if (keeping->doc->state == LL_DOC_LOST) {
        take_lost(keeping);
        return;
    }
    if (!keeping->enable)
        write_disabled(keeping);
    if (keeping->text.len == 0) /* nobody had enabled it */
        return;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    if (commit != NULL) {
        commit->done = on_written;
        commit->user = keeping;
    }
    if (commit != NULL && ll_docs_put_in(docs, keeping->doc, &keeping->text,
                              ll_world_wall(host->world).ms, commit) != 0)
        return;
    if (commit != NULL)
        ll_docs_commit_free(docs, commit);
    linli_status status =
        ll_fail(&err, LINLI_E_NOMEM, "runtime/memory", "a plugin");
    tell(keeping, status, &err);
}

static void
on_ready(struct ll_wait *wait)
{
    write_now(LL_CONTAINER(wait, struct ll_keeping, wait));
}

/* The document's id, and a subject: configurations may hold secrets. */
static void
name_of(const struct ll_instance *instance, char id[LL_DOC_ID_BYTES_MAX + 1],
    char subject[LL_PID_BYTES])
{
    int n = snprintf(id, LL_DOC_ID_BYTES_MAX + 1, "%.*s/%.*s",
        LL_FMT(instance->community->id), LL_FMT(instance->id));
    ll_check(n > 0 && n <= LL_DOC_ID_BYTES_MAX);
    ll_directory_subject(instance->host, LINLI_STR(LL_DIR_HOST), LL_DIR_PLUGIN,
        ll_cstr(id), subject);
}

static void write_when_ready(struct ll_keeping *keeping);

static void
on_pause_over(void *user)
{
    struct ll_keeping *keeping = user;
    const struct ll_host *host = keeping->instance->host;
    ll_timer_stop(keeping->pause);
    if (host->failure.status == LINLI_OK && !keeping->enable)
        write_when_ready(keeping);
}

static struct ll_keeping *
keeping_of(struct ll_instance *instance)
{
    struct ll_host *host = instance->host;
    if (instance->keeping != NULL)
        return instance->keeping;
    struct ll_keeping *keeping = ll_alloc(&host->mem, sizeof *keeping);
    if (keeping == NULL)
        return NULL;
    keeping->instance = instance;
    keeping->wait.ready = on_ready;
    keeping->pause = ll_timer_new(host->world, on_pause_over, keeping);
    ll_buf_init(&keeping->text, &host->mem, LL_DOC_BYTES_MAX);
    if (keeping->pause == NULL) {
        ll_release(&host->mem, keeping, sizeof *keeping);
        return NULL;
    }
    instance->keeping = keeping;
    return keeping;
}

/* Asks for the document, unless it is in hand. False without memory. */
static bool
hold_doc(struct ll_keeping *keeping)
{
    char id[LL_DOC_ID_BYTES_MAX + 1], subject[LL_PID_BYTES];
    struct ll_coll *coll =
        ll_directory_host(keeping->instance->host, LL_DIR_PLUGIN);
    if (keeping->doc != NULL || coll == NULL)
        return keeping->doc != NULL;
    name_of(keeping->instance, id, subject);
    keeping->doc = ll_docs_get(coll, ll_cstr(id));
    return keeping->doc != NULL;
}

static void
write_when_ready(struct ll_keeping *keeping)
{
    if (keeping->wait.head != NULL) /* it waits already */
        return;
    if (!hold_doc(keeping))
        ll_timer_set(keeping->pause, PAUSE_MS, 0);
    else if (ll_doc_ready(keeping->doc, &keeping->wait))
        write_now(keeping);
}

linli_status
ll_remember_enabled(struct ll_instance *instance,
    const struct ll_package *package, linli_str config,
    void (*done)(struct ll_instance *instance, linli_status status,
        const struct ll_err *err),
    struct ll_err *err)
{
    char id[LL_DOC_ID_BYTES_MAX + 1], subject[LL_PID_BYTES], path[8192];
    struct ll_keeping *keeping = keeping_of(instance);
    if (keeping == NULL || !hold_doc(keeping))
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a plugin");
    if (!ll_path_absolute(package->dir, path, sizeof path))
        return ll_fail(err, LINLI_E_IO, "package/missing-file",
            "the folder has no path from the root on");
    name_of(instance, id, subject);
    ll_buf_clear(&keeping->text);
    struct ll_jw w = ll_jw(&keeping->text);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "id");
    ll_jw_cstr(&w, id);
    ll_jw_key(&w, "subject");
    ll_jw_cstr(&w, subject);
    ll_jw_key(&w, "community");
    ll_jw_str(&w, instance->community->id);
    ll_jw_key(&w, "plugin");
    ll_jw_str(&w, instance->id);
    ll_jw_key(&w, "path");
    ll_jw_cstr(&w, path);
    ll_jw_key(&w, "config");
    ll_jw_raw(&w, config);
    ll_jw_key(&w, "state");
    ll_jw_cstr(&w, ENABLED);
    ll_jw_close(&w, '}');
    keeping->enable = true;
    keeping->done = done;
    write_when_ready(keeping);
    return LINLI_OK;
}

void
ll_remember_detach(struct ll_instance *instance)
{
    if (instance->keeping != NULL)
        instance->keeping->done = NULL;
}

void
ll_remember_disabled(struct ll_instance *instance)
{
    struct ll_keeping *keeping = keeping_of(instance);
    if (keeping == NULL)
        return;
    keeping->enable = false;
    write_when_ready(keeping);
}

void
ll_remember_close(struct ll_instance *instance)
{
    struct ll_keeping *keeping = instance->keeping;
    if (keeping == NULL)
        return;
    instance->keeping = NULL;
    ll_wait_cancel(&keeping->wait);
    ll_timer_free(&keeping->pause);
    ll_doc_unref(&keeping->doc);
    ll_buf_fini(&keeping->text);
    ll_release(&instance->host->mem, keeping, sizeof *keeping);
}
