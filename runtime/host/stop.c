/* host/stop.c: how a host ends. [loop]
 *
 * stop: no new call is taken; the face answers what is open; then the
 * workers drain; then the loop stops. free: the same by force, and it waits
 * only for the kernel to let the processes go.
 */
#include "host/call.h"
#include "host/clock.h"
#include "host/await.h"
#include "host/agree.h"
#include "host/bills.h"
#include "host/birthdays.h"
#include "host/bus.h"
#include "host/dev_key.h"
#include "host/duty.h"
#include "host/egress.h"
#include "host/errand.h"
#include "host/host.h"
#include "host/notify_http.h"
#include "host/record.h"
#include "host/release.h"
#include "host/remember.h"
#include "host/revoked.h"
#include "host/rights.h"
#include "host/secret.h"
#include "host/sink.h"
#include "host/space_days.h"
#include "host/sweep.h"
#include "host/tell.h"
#include "host/uninstall.h"
#include "host/watch.h"
#include "host/webhook.h"
#include "host/work.h"

static void
close_pools(struct ll_host *host)
{
    if (host->pools_closed)
        return;
    host->pools_closed = true;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            ll_instance_close(i);
}

/* Nothing goes out any more; what is kept goes on after a start. */
static void
stop_sending(struct ll_host *host)
{
    ll_errands_stop(host);
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        ll_tells_cancel(c);
}

/* The face has answered everything; embedded calls may still be open. */
static void
on_face_drained(void *user)
{
    struct ll_host *host = user;
    host->face_drained = true;
    ll_host_check_stopped(host);
}

void
ll_host_stop(struct ll_host *host)
{
    if (host->draining)
        return;
    host->draining = true;
    struct ll_log_line line = {.level = LL_INFO, .code = "host.draining"};
    ll_log_write(&host->log, &line);
    /* Who listens is answered with what there is. */
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        ll_wait_tell(&c->feed_waits);
    ll_clock_end(host); /* what falls due is no longer begun */
    stop_sending(host);
    ll_await_stop(host);
    if (host->face_drain != NULL)
        host->face_drain(host->face, on_face_drained, host);
    else
        host->face_drained = true;
    ll_host_check_stopped(host);
}

void
ll_host_check_stopped(struct ll_host *host)
{
    if (!host->draining || host->stopped || !host->face_drained ||
        host->call_count > 0 || host->embedded_count > 0)
        return;
    close_pools(host);
    if (host->pool_count > 0 || host->batch_count > 0)
        return;
    host->stopped = true;
    ll_world_stop(host->world);
}

/* Answers what is open with 503 and kills what runs. */
static void
force(struct ll_host *host)
{
    host->draining = true;
    /* One that ends may end, or begin, others. */
    while (host->calls != NULL)
        ll_call_abandon(host->calls);
    ll_clock_end(host);
    stop_sending(host);
    /* Loads that end here are answered over the face: before it goes. */
    close_pools(host);
    if (host->face_free != NULL)
        host->face_free(host->face);
    host->face_free = NULL;
    host->face_drain = NULL;
    host->face_drained = true;
    ll_host_check_stopped(host);
    for (struct ll_pool *p = host->supervisor.pools; p != NULL; p = p->next)
        ll_pool_kill(p);
    while (!host->stopped)
        ll_world_turn(host->world, true);
}

/* Nobody asks any more; what was committed is written; then documents go. */
static void
close_store(struct ll_host *host)
{
    struct ll_store *store = host->store;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next) {
            ll_bus_close(i);
            ll_work_close(i);
            ll_secrets_close(i);
            ll_queue_close(&i->errands);
            ll_egress_close(i);
            ll_lock_close(i);
            ll_doc_turns_close(i);
        }
    for (struct ll_community *c = host->communities; c != NULL; c = c->next) {
        ll_tells_close(c);
        ll_rights_close(c);
        ll_revoked_close(c);
        ll_duties_close(c);
        ll_uninstalls_close(c);
        ll_webhooks_close(c);
        ll_sinks_close(c);
        ll_queue_close(&c->errands);
    }
    ll_sweep_close(host);
    ll_birthdays_close(host);
    ll_space_days_close(host);
    ll_watch_close(host);
    ll_nightly_close(host);
    ll_bills_close(host);
    ll_timer_free(&host->work_timer);
    ll_call_free_spares(host);
    ll_docs_stop(&host->docs);
    ll_store_close(&store);
    host->store = NULL;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            ll_remember_close(i);
    ll_roster_free(host);
    ll_releases_close(host);
    ll_billing_close(&host->billing);
    ll_arbiter_close(&host->arbiter);
    ll_docs_close(&host->docs);
}

void
ll_host_free(struct ll_host **host_at)
{
    struct ll_host *host = *host_at;
    if (host == NULL)
        return;
    *host_at = NULL;
    /* Calls that end now are answered on connections of any state. */
    struct ll_quiet quiet;
    ll_quiet_begin(&quiet);
    if (host->supervisor.hook != NULL) {
        force(host);
        ll_supervisor_fini(&host->supervisor);
    }
    close_store(host);
    ll_gateways_close(host);
    ll_recorder_free(host);
    for (struct ll_community *c = host->communities; c != NULL; c = c->next)
        for (struct ll_instance *i = c->instances; i != NULL; i = i->next)
            ll_package_unref(&i->package);
    ll_spawner_free(&host->spawner);
    ll_token_cache_free(&host->tokens);
    ll_jwks_free(&host->jwks);
    ll_dev_key_free(&host->dev_key);
    ll_rate_free(&host->rate);
    ll_rate_free(&host->burst_kills);
    ll_wakeup_free(&host->wakeup);
    ll_metrics_fini(&host->metrics);
    ll_log_fini(&host->log);
    if (host->world != NULL)
        ll_world_free(&host->world);
    ll_quiet_end(&quiet);
    ll_datadir_close(&host->data);
    ll_config_fini(&host->config);
    ll_arena_fini(&host->arena);
    /* The host's own account is inside it: copied out for the release. */
    struct ll_mem mem = host->mem;
    ll_check(mem.used_bytes == sizeof *host);
    ll_release(&mem, host, sizeof *host);
}
