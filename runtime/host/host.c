/* host/host.c: making a host; communities; the public header's core. */
#include "host/agree.h"
#include "host/host.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "billing/subs.h"
#include "config.h"
#include "host/bills.h"
#include "host/birthdays.h"
#include "host/bus.h"
#include "host/call.h"
#include "host/clock.h"
#include "host/dev_key.h"
#include "host/duty.h"
#include "host/notify_http.h"
#include "host/pay_sim.h"
#include "host/payment.h"
#include "host/plan_call.h"
#include "host/queue.h"
#include "host/record.h"
#include "host/release.h"
#include "host/remember.h"
#include "host/revoked.h"
#include "host/rights.h"
#include "host/sink.h"
#include "host/space_days.h"
#include "host/tell.h"
#include "host/uninstall.h"
#include "host/sweep.h"
#include "host/watch.h"
#include "host/webhook.h"
#include "host/witness.h"
#include "world/file.h"

#define HOST_ARENA_BYTES_MAX ((size_t)64 << 20)
#define STORE_READERS 2
#define UNREAD_EVERY_NS ((int64_t)1000000000)
/* Timers of one instant ring in the order in which they were set, also those
 * of an earlier process (spec/timers.md, 2.3): for each commit, more numbers
 * than its call can have used, LL_HOST_CALLS_MAX in each of its runs. */
#define WORK_SEQ_BITS 20
#define RATE_BUCKETS 16384
#define BURST_BUCKETS 1024
#define COMMUNITY_ID_BYTES_MAX 63
#define JWKS_SOURCES_MAX 17 /* spec/config.schema.json: 16, and the dev key */

/* -- keys -- */

static linli_status
dev_key_load(struct ll_host *host, struct ll_err *err)
{
    struct ll_buf pem, jwks;
    ll_buf_init(&pem, &host->mem, LL_JWKS_BYTES_MAX);
    ll_buf_init(&jwks, &host->mem, LL_JWKS_BYTES_MAX);
    linli_status status = host->data.dir_fd < 0
                              ? LINLI_E_NOT_FOUND
                              : ll_file_read(host->data.dir_fd, LL_DEV_KEY_FILE,
                                    LL_JWKS_BYTES_MAX, &pem, err);
    if (status == LINLI_OK) {
        status =
            ll_dev_key_read(&host->mem, ll_buf_view(&pem), &host->dev_key, err);
        goto out;
    }
    if (status != LINLI_E_NOT_FOUND)
        goto out;
    ll_buf_clear(&pem);
    status = ll_dev_key_create(&host->mem, &host->dev_key, err);
    if (status == LINLI_OK)
        status = ll_dev_key_pem(host->dev_key, &pem, err);
    if (status == LINLI_OK)
        status = ll_dev_key_jwks(host->dev_key, &jwks, err);
    if (status == LINLI_OK && host->data.dir_fd >= 0)
        status = ll_file_write(
            host->data.dir_fd, LL_DEV_KEY_FILE, ll_buf_view(&pem), 0600, err);
    if (status == LINLI_OK && host->data.dir_fd >= 0)
        status = ll_file_write(
            host->data.dir_fd, LL_DEV_JWKS_FILE, ll_buf_view(&jwks), 0600, err);
out:
    ll_buf_fini(&pem);
    ll_buf_fini(&jwks);
    return status;
}

static uint32_t
kinds_of(struct ll_jv list)
{
    uint32_t bits = 0;
    LL_JSON_EACH (item, list) {
        for (unsigned kind = 0; ll_caller_name(kind) != NULL; kind++)
            if (ll_str_is(ll_jv_str(item), ll_caller_name(kind)))
                bits |= 1u << kind;
    }
    return bits;
}

static linli_status
read_source(struct ll_host *host, struct ll_jv item,
    struct ll_jwks_source *source, struct ll_arena *arena, struct ll_err *err)
{
    /* Absolute, or in the data directory. */
    linli_str file = ll_arena_str(arena, ll_jv_str(ll_jv_get(item, "file")));
    struct ll_buf text;
    ll_buf_init(&text, &host->mem, LL_JWKS_BYTES_MAX);
    linli_status status =
        file.ptr == NULL
            ? LINLI_E_NOMEM
            : ll_file_read(
                  host->data.dir_fd >= 0 ? host->data.dir_fd : LL_AT_CWD,
                  file.ptr, LL_JWKS_BYTES_MAX, &text, err);
    *source = (struct ll_jwks_source){
        .text = ll_arena_str(arena, ll_buf_view(&text)),
        .name = file,
        .issuer = ll_jv_str(ll_jv_get(item, "issuer")),
        .audience = ll_jv_str(ll_jv_get(item, "audience")),
        .kinds = kinds_of(ll_jv_get(item, "kinds")),
    };
    ll_buf_fini(&text);
    if (status != LINLI_OK && err->code[0] != '\0')
        ll_err_where(err, "auth.jwks: ");
    return status;
}

/* All key sets of the configuration, and the development key's. */
static linli_status
keys_load(struct ll_host *host, struct ll_err *err)
{
    struct ll_jwks_source sources[JWKS_SOURCES_MAX];
    struct ll_arena arena;
    struct ll_buf dev;
    size_t count = 0;
    linli_status status = LINLI_OK;
    ll_arena_init(
        &arena, &host->mem, (JWKS_SOURCES_MAX + 1) * (size_t)LL_JWKS_BYTES_MAX);
    ll_buf_init(&dev, &host->mem, LL_JWKS_BYTES_MAX);
    if (host->config.development) {
        status = dev_key_load(host, err);
        if (status == LINLI_OK)
            status = ll_dev_key_jwks(host->dev_key, &dev, err);
        sources[count++] = (struct ll_jwks_source){
            .text = ll_buf_view(&dev),
            .name = LINLI_STR(LL_DEV_JWKS_FILE),
            .issuer = LINLI_STR(LL_DEV_ISSUER),
            .kinds = 1u << LL_CALLER_RESIDENT | 1u << LL_CALLER_STAFF |
                     1u << LL_CALLER_OPERATOR | 1u << LL_CALLER_APP,
            .development = true,
        };
    }
    LL_JSON_EACH (item, host->config.jwks) {
        if (status == LINLI_OK && count < JWKS_SOURCES_MAX)
            status = read_source(host, item, &sources[count++], &arena, err);
    }
    if (status == LINLI_OK && count > 0)
        status = ll_jwks_new(&host->mem, sources, count, &host->jwks, err);
    ll_buf_fini(&dev);
    ll_arena_fini(&arena);
    return status;
}

/* -- communities -- */

struct ll_arena *
ll_host_arena(struct ll_host *host)
{
    host->arena.failed = false;
    return &host->arena;
}

linli_status
ll_host_add_community(
    struct ll_host *host, linli_str id, linli_str zone, struct ll_err *err)
{
    bool valid = id.len >= 1 && id.len <= COMMUNITY_ID_BYTES_MAX;
    for (size_t i = 0; valid && i < id.len; i++)
        valid = (id.ptr[i] >= 'a' && id.ptr[i] <= 'z') ||
                (id.ptr[i] >= '0' && id.ptr[i] <= '9') ||
                (id.ptr[i] == '-' && i > 0);
    if (!valid)
        return ll_fail(err, LINLI_E_INVALID, "config/invalid",
            "'%.*s' is no community id: 1 to %d of a-z, 0-9 and '-'",
            LL_FMT(id), COMMUNITY_ID_BYTES_MAX);
    if (ll_host_community(host, id) != NULL)
        return ll_fail(err, LINLI_E_CONFLICT, "config/invalid",
            "the community %.*s is there already", LL_FMT(id));
    struct ll_arena *arena = ll_host_arena(host);
    struct ll_community *community = ll_arena_alloc(arena, sizeof *community);
    if (community == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a community");
    linli_status status = ll_zone_load(arena, zone, &community->zone, err);
    if (status != LINLI_OK)
        return status;
    community->host = host;
    community->id = ll_arena_str(arena, id);
    community->hash = ll_siphash(host->hash_key, id);
    community->zone_name = ll_arena_str(arena, zone);
    if (arena->failed)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a community");
    community->next = host->communities;
    host->communities = community;
    host->community_count++;
    ll_witness_added(community);
    status = ll_webhooks_open_used(community, err);
    if (status == LINLI_OK)
        status = ll_sinks_open_used(community, err);
    if (status == LINLI_OK)
        status = ll_tells_open(community, false, err);
    if (status == LINLI_OK)
        status = ll_rights_open(community, false, err);
    if (status == LINLI_OK)
        status = ll_revoked_open(community, false, err);
    if (status == LINLI_OK)
        status = ll_uninstalls_open(community, false, err);
    return status == LINLI_OK ? ll_duties_open(community, false, err) : status;
}

static linli_status
config_communities(struct ll_host *host, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    LL_JSON_EACH (item, host->config.communities) {
        linli_str zone = ll_jv_str(ll_jv_get(item, "zone"));
        if (status == LINLI_OK)
            status =
                ll_host_add_community(host, ll_jv_str(ll_jv_get(item, "id")),
                    zone.len == 0 ? LINLI_STR(LL_ZONE_DEFAULT) : zone, err);
    }
    return status;
}

/* -- birth -- */

static void
on_wakeup(void *user)
{
    ll_host_stop(user);
}

static linli_status
open_data(
    struct ll_host *host, const linli_host_options *options, struct ll_err *err)
{
    char path[4096];
    linli_str dir = options->data_dir;
    if (dir.len == 0)
        return LINLI_OK;
    if (dir.len > sizeof path - 32)
        return ll_fail(err, LINLI_E_INVALID, "data/unusable",
            "the path has %zu bytes", dir.len);
    (void)snprintf(path, sizeof path, "%.*s", LL_FMT(dir));
    linli_status status = ll_datadir_open(&host->data, path, err);
    if (status != LINLI_OK || options->log != NULL)
        return status;
    (void)snprintf(path, sizeof path, "%.*s/linlid.log", LL_FMT(dir));
    return ll_logfile_open(&host->mem, path, &host->log.file, err);
}

static void
log_store(struct ll_host *host, const char *code, const struct ll_err *err)
{
    char text[sizeof err->where + sizeof err->msg + 4];
    (void)snprintf(text, sizeof text, "%s%s%s", err->where,
        err->where[0] == '\0' ? "" : ": ", err->msg);
    struct ll_log_line line = {
        .level = LL_ERROR, .code = code, .msg = ll_cstr(text)};
    ll_log_write(&host->log, &line);
}

/* A batch could not be made durable: nothing that came after the last one
 * that was may be believed, so the host ends. */
static void
on_store_failed(void *user, const struct ll_err *err)
{
    struct ll_host *host = user;
    log_store(host, "store/failed", err);
    host->failure = *err;
    ll_host_store_failed(host);
    ll_pay_receipts_release(host);
    ll_host_stop(host);
    for (struct ll_pool *p = host->supervisor.pools; p != NULL; p = p->next)
        ll_pool_kill(p);
}

/* Who asked has been told that the store has failed; the operator is told
 * why, once in a while. */
static void
on_store_unread(void *user, const struct ll_err *err)
{
    struct ll_host *host = user;
    int64_t now_ns = ll_mono_now().ns;
    if (host->unread_ns != 0 && now_ns - host->unread_ns < UNREAD_EVERY_NS)
        return;
    host->unread_ns = now_ns;
    log_store(host, "store/unread", err);
}

/* The database goes on; what a rolled back one could be told by is older. */
static void
on_store_unwitnessed(void *user, const struct ll_err *err)
{
    log_store(user, "log/unwitnessed", err);
}

static void
on_durable(void *user)
{
    struct ll_host *host = user;
    ll_docs_trim(&host->docs);
    ll_host_release(host);
    ll_arbiter_durable(&host->arbiter); /* a withdrawal, after all of them */
    ll_pay_receipts_release(host);
    ll_bus_durable(host);
    ll_queues_durable(host);
    ll_host_clock_step(host);
}

static linli_status
open_store(
    struct ll_host *host, const linli_host_options *options, struct ll_err *err)
{
    linli_str dir = ll_arena_str(&host->arena, options->data_dir);
    struct ll_store_options want = {.mem = &host->mem,
        .world = host->world,
        .dir_fd = host->data.dir_fd,
        .dir = host->data.dir_fd < 0 ? NULL : dir.ptr,
        .readers = STORE_READERS,
        .durable = on_durable,
        .failed = on_store_failed,
        .unread = on_store_unread,
        .unwitnessed = on_store_unwitnessed,
        .log_origin = host->config.log_origin,
        .user = host};
    linli_status status = ll_store_open(&want, &host->store, err);
    if (status == LINLI_OK)
        status = ll_docs_open(
            &host->docs, &host->mem, host->world, host->store, err);
    if (status == LINLI_OK)
        status = ll_arbiter_open(
            &host->arbiter, &host->mem, &host->docs, host->world, err);
    if (status == LINLI_OK)
        status = ll_billing_open(
            &host->billing, &host->mem, &host->docs, host->world, err);
    host->billing.alerted = ll_plan_alerted;
    host->billing.user = host;
    if (status == LINLI_OK)
        host->arbiter.sealed = ll_store_log_sealed(host->store) != NULL;
    if (status == LINLI_OK)
        status = ll_releases_open(host, err);
    if (status == LINLI_OK)
        status = ll_clock_open(host, err);
    if (status == LINLI_OK)
        status = ll_subs_forget_gone(&host->billing, err);
    if (status == LINLI_OK)
        status = ll_sweep_open(host, err);
    if (status == LINLI_OK)
        status = ll_birthdays_open(host, err);
    if (status == LINLI_OK)
        status = ll_space_days_open(host, err);
    if (status == LINLI_OK)
        status = ll_watch_open(host, err);
    if (status == LINLI_OK)
        status = ll_bills_open(host, err);
    if (status == LINLI_OK)
        status = ll_nightly_open(host, err);
    if (status == LINLI_OK)
        ll_consent_set_reconfirm(
            host->arbiter.consent, host->config.consent.reconfirm_days);
    /* Above all that earlier processes have given. */
    if (status == LINLI_OK)
        host->work_seq = ll_store_last(host->store) << WORK_SEQ_BITS;
    return status;
}

static linli_status
open_spawner(
    struct ll_host *host, const linli_host_options *options, struct ll_err *err)
{
    linli_str path = ll_arena_str(
        &host->arena, options->worker_path.len > 0
                          ? options->worker_path
                          : LINLI_STR(LL_LIBEXECDIR "/linli-worker"));
    if (path.ptr == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    struct ll_spawner_options spawn = {.worker_path = path.ptr,
        .uid_first = host->config.uid_first,
        .uid_count = host->config.uid_count};
    linli_status status =
        ll_spawner_new(&host->mem, host->world, &spawn, &host->spawner, err);
    if (status != LINLI_OK)
        return status;
    const struct ll_sandbox_caps *caps = ll_spawner_caps(host->spawner);
    if (!caps->enough)
        return ll_fail(err, LINLI_E_DENIED, "sandbox/too-weak",
            "this machine offers: %s", caps->text);
    status = ll_supervisor_init(
        &host->supervisor, &host->mem, host->world, host->spawner, err);
    host->supervisor.filter_errno = host->config.filter_errno;
    host->supervisor.no_import_check = host->config.no_import_check;
    host->supervisor.drafts = host->config.drafts;
    return status;
}

/* Random, so that nobody has it who cannot read what we hand out. */
static linli_status
make_admin_token(struct ll_host *host, struct ll_err *err)
{
    unsigned char bytes[LL_ADMIN_RANDOM_BYTES];
    struct ll_buf text;
    ll_world_random(host->world, bytes, sizeof bytes);
    ll_buf_init(&text, &host->mem, LL_ADMIN_TOKEN_BYTES);
    ll_base64url_put(&text, bytes, sizeof bytes);
    linli_status status = LINLI_OK;
    if (text.failed || text.len != LL_ADMIN_TOKEN_BYTES - 1)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    else
        memcpy(host->admin_token, text.ptr, text.len);
    ll_buf_fini(&text);
    return status;
}

static linli_status
open_parts(
    struct ll_host *host, const linli_host_options *options, struct ll_err *err)
{
    linli_status status = ll_config_read(&host->config, &host->mem,
        options->config_json, options->development != 0, err);
    if (status != LINLI_OK) {
        ll_err_where(err, "%.*s: ", LL_FMT(options->config_name));
        return status;
    }
    if (options->virtual_clock != 0 && !host->config.development)
        return ll_fail(err, LINLI_E_DENIED, "config/development-only",
            "a virtual clock would let tokens and bills be of any day");
    host->virtual_clock = options->virtual_clock != 0;
    status = ll_world_new(&host->mem, &host->world, err);
    if (status != LINLI_OK)
        return status;
    if (host->virtual_clock) /* it begins at the time it is */
        ll_world_set_wall(host->world, ll_world_wall(host->world));
    ll_log_init(&host->log, &host->mem, host->world);
    host->log.sink = options->log;
    host->log.user = options->user;
    ll_world_random(host->world, host->hash_key, sizeof host->hash_key);
    host->tokens = ll_token_cache_new(&host->mem, host->hash_key);
    host->rate = ll_rate_new(&host->mem, host->config.rate, RATE_BUCKETS);
    struct ll_rate_policy kills = {
        .per_minute = LL_BURST_KILLS_MAX, .burst = LL_BURST_KILLS_MAX};
    host->burst_kills = ll_rate_new(&host->mem, kills, BURST_BUCKETS);
    host->wakeup = ll_wakeup_new(host->world, on_wakeup, host);
    if (host->tokens == NULL || host->rate == NULL ||
        host->burst_kills == NULL || host->wakeup == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    status = make_admin_token(host, err);
    if (status == LINLI_OK)
        status = open_data(host, options, err);
    if (status == LINLI_OK)
        status = open_store(host, options, err);
    if (status == LINLI_OK && options->record_dir.len > 0)
        status = ll_recorder_open(host, options->record_dir, err);
    if (status == LINLI_OK)
        status = keys_load(host, err);
    if (status == LINLI_OK && host->config.development)
        status = ll_pay_sim_open(host, err);
    if (status == LINLI_OK)
        status = ll_gateways_open(host, err);
    if (status == LINLI_OK)
        status = config_communities(host, err);
    if (status == LINLI_OK)
        status = ll_remember_open(host, err);
    if (status == LINLI_OK)
        status = open_spawner(host, options, err);
    return status;
}

linli_status
ll_host_new(const linli_host_options *options, const struct ll_mem *from,
    struct ll_host **out, struct ll_err *err)
{
    struct ll_mem mem = *from;
    *out = NULL;
    struct ll_host *host = ll_alloc(&mem, sizeof *host);
    if (host == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    host->mem = mem;
    host->data = LL_DATADIR_CLOSED;
    ll_metrics_init(&host->metrics, &host->mem);
    ll_arena_init(&host->arena, &host->mem, HOST_ARENA_BYTES_MAX);
    linli_status status = open_parts(host, options, err);
    if (status != LINLI_OK) {
        ll_host_free(&host);
        return status;
    }
    ll_witness_tell(host);
    *out = host;
    return LINLI_OK;
}
