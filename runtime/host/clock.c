/* host/clock.c: reading, setting and advancing the wall clock. [loop]
 *
 * A virtual clock stands still between commands, is kept in the store, and
 * never goes back. An advance stops at each instant at which something is
 * due, lets it be done to its end with that as its now, and only then goes
 * on: so what a timer sets on the way has its turn too.
 */
#include "host/clock.h"

#include "base/instant.h"
#include "base/text.h"
#include "host/agree.h"
#include "host/bills.h"
#include "host/birthdays.h"
#include "host/bus.h"
#include "host/space_days.h"
#include "host/sweep.h"
#include "host/watch.h"
#include "host/webhook.h"
#include "host/queue.h"

#define CLOCK_NAME "clock_ms"
#define POLL_MS 1

struct ll_advance {
    struct ll_host *host;
    int64_t to_ms;
    bool swept;      /* at the last instant too */
    uint64_t number; /* 0, or what must be durable before it is told */
    struct ll_timer *later;
    void (*done)(void *user, linli_status status, const struct ll_err *err);
    void *user;
};

int64_t
ll_clock_now(struct ll_host *host)
{
    return ll_world_wall(host->world).ms;
}

/* Moves the clock, and keeps where it is. */
static void
move(struct ll_host *host, int64_t ms)
{
    struct ll_commit *commit = ll_docs_commit_new(&host->docs);
    ll_world_set_wall(host->world, (struct ll_wall){ms});
    if (commit == NULL)
        return; /* it is kept with the next move */
    ll_commit_op(commit, LL_ST_meta_put);
    ll_put_bytes(&commit->ops, LINLI_STR(CLOCK_NAME));
    ll_put_int(&commit->ops, ms);
    (void)ll_docs_commit_send(&host->docs, commit);
}

/* Where the clock of this data was. A virtual one goes on there; a real one
 * must not be behind: all that was kept would be of days to come. */
static linli_status
take_kept(struct ll_host *host, int64_t kept_ms, struct ll_err *err)
{
    char kept[LL_RFC3339_BYTES], now[LL_RFC3339_BYTES];
    if (host->virtual_clock) {
        ll_world_set_wall(host->world, (struct ll_wall){kept_ms});
        return LINLI_OK;
    }
    if (kept_ms <= ll_clock_now(host))
        return LINLI_OK;
    ll_rfc3339(kept_ms, kept);
    ll_rfc3339(ll_clock_now(host), now);
    return ll_fail(err, LINLI_E_DENIED, "clock/behind",
        "a virtual clock was moved to %s here, and it is %s", kept, now);
}

linli_status
ll_clock_open(struct ll_host *host, struct ll_err *err)
{
    struct ll_query query;
    ll_query_init(&query, &host->mem, LL_ST_meta_get);
    ll_put_bytes(&query.params, LINLI_STR(CLOCK_NAME));
    linli_status status = ll_store_ask(host->store, &query);
    if (status != LINLI_OK) {
        *err = query.err;
    } else if (query.row_count > 0) {
        struct ll_rd row = ll_rd(ll_buf_view(&query.rows));
        (void)ll_rd_list(&row);
        status = take_kept(host, ll_rd_int(&row), err);
    }
    ll_query_fini(&query);
    return status;
}

static linli_status
check_move(struct ll_host *host, int64_t ms, struct ll_err *err)
{
    char now[LL_RFC3339_BYTES];
    if (!host->virtual_clock)
        return ll_fail(err, LINLI_E_DENIED, "clock/real", "it cannot be set");
    if (ms > LL_INSTANT_MS_MAX)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "the clock ends with the year 9999");
    if (ms >= ll_clock_now(host))
        return LINLI_OK;
    ll_rfc3339(ll_clock_now(host), now);
    return ll_fail(
        err, LINLI_E_CONFLICT, "clock/backwards", "it is %s already", now);
}

linli_status
ll_clock_set(struct ll_host *host, int64_t ms, struct ll_err *err)
{
    linli_status status = check_move(host, ms, err);
    if (status != LINLI_OK)
        return status;
    move(host, ms);
    ll_birthdays_now(host);
    ll_space_days_now(host);
    ll_watch_now(host);
    ll_nightly_now(host);
    ll_bills_now(host);
    ll_queues_pump(host);
    ll_bus_pump(host);
    ll_sweep_now(host);
    return LINLI_OK;
}

/* Gives the advance back before it is told: the next may begin at once. */
static void
end(struct ll_host *host, linli_status status, const struct ll_err *err)
{
    struct ll_advance advance = *host->advance;
    ll_timer_free(&advance.later);
    ll_release(&host->mem, host->advance, sizeof advance);
    host->advance = NULL;
    advance.done(advance.user, status, err);
}

/* Nothing is being done that was due by now. */
static bool
settled(const struct ll_host *host)
{
    return ll_queues_idle(host) && ll_bus_idle(host) &&
           ll_webhooks_idle(host) && ll_sweep_idle(host) &&
           ll_watch_idle(host) && ll_bills_idle(host) && ll_nightly_idle(host);
}

static void
on_step(void *user)
{
    struct ll_advance *advance = user;
    struct ll_host *host = advance->host;
    /* Who is done calls ll_host_clock_step; but a scan that found nothing and
     * a commit of the host's own tell nobody. */
    ll_timer_set(advance->later, POLL_MS, 0);
    if (!settled(host))
        return;
    int64_t next_ms = ll_queues_next_ms(host);
    int64_t now_ms = ll_clock_now(host);
    if (ll_bus_next_ms(host) < next_ms)
        next_ms = ll_bus_next_ms(host);
    if (ll_birthdays_next_ms(host) < next_ms)
        next_ms = ll_birthdays_next_ms(host);
    if (ll_space_days_next_ms(host) < next_ms)
        next_ms = ll_space_days_next_ms(host);
    if (ll_watch_next_ms(host) < next_ms)
        next_ms = ll_watch_next_ms(host);
    if (ll_bills_next_ms(host) < next_ms)
        next_ms = ll_bills_next_ms(host);
    if (ll_nightly_next_ms(host) < next_ms)
        next_ms = ll_nightly_next_ms(host);
    if (next_ms <= advance->to_ms) {
        if (next_ms > now_ms)
            move(host, next_ms);
        ll_birthdays_now(host);
        ll_space_days_now(host);
        ll_watch_now(host);
        ll_nightly_now(host);
        ll_bills_now(host);
        ll_queues_pump(host);
        ll_bus_pump(host);
        ll_host_clock_step(host);
        return;
    }
    if (now_ms < advance->to_ms)
        move(host, advance->to_ms);
    if (!advance->swept) {
        advance->swept = true;
        ll_sweep_now(host);
        ll_host_clock_step(host);
        return;
    }
    if (advance->number == 0)
        advance->number = ll_store_last(host->store);
    if (ll_store_durable(host->store) >= advance->number)
        end(host, LINLI_OK, NULL);
}

void
ll_host_clock_step(struct ll_host *host)
{
    if (host->advance != NULL)
        ll_timer_set(host->advance->later, 0, 0);
}

linli_status
ll_clock_advance(struct ll_host *host, int64_t ms,
    void (*done)(void *user, linli_status status, const struct ll_err *err),
    void *user, struct ll_err *err)
{
    int64_t to = 0;
    if (host->advance != NULL)
        return ll_fail(err, LINLI_E_CONFLICT, "runtime/busy",
            "the clock is being advanced already");
    ll_check(ms >= 0);
    if (__builtin_add_overflow(ll_clock_now(host), ms, &to))
        to = INT64_MAX; /* refused below */
    linli_status status = check_move(host, to, err);
    if (status != LINLI_OK)
        return status;
    struct ll_advance *advance = ll_alloc(&host->mem, sizeof *advance);
    if (advance != NULL)
        advance->later = ll_timer_new(host->world, on_step, advance);
    if (advance == NULL || advance->later == NULL) {
        if (advance != NULL)
            ll_release(&host->mem, advance, sizeof *advance);
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an advance");
    }
    advance->host = host;
    advance->to_ms = to;
    advance->done = done;
    advance->user = user;
    host->advance = advance;
    ll_queues_pump(host);
    ll_timer_set(advance->later, 0, 0);
    return LINLI_OK;
}

void
ll_clock_end(struct ll_host *host)
{
    struct ll_err err;
    if (host->advance == NULL)
        return;
    linli_status status =
        ll_fail(&err, LINLI_E_CLOSED, "runtime/draining", "this host stops");
    end(host, status, &err);
}
