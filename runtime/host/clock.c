/* host/clock.c: reading, setting and advancing the wall clock. [loop]
 *
 * In memory alone: a host that starts again starts at the time it is.
 */
#include "host/clock.h"

#include "base/instant.h"
#include "base/text.h"
#include "host/host.h"

struct ll_advance {
    struct ll_host *host;
    struct ll_timer *later;
    void (*done)(void *user, linli_status status, const struct ll_err *err);
    void *user;
};

int64_t
ll_clock_now(struct ll_host *host)
{
    return ll_world_wall(host->world).ms;
}

linli_status
ll_clock_set(struct ll_host *host, int64_t ms, struct ll_err *err)
{
    if (!host->virtual_clock)
        return ll_fail(err, LINLI_E_DENIED, "clock/real", "it cannot be set");
    if (ms > LL_INSTANT_MS_MAX)
        return ll_fail(err, LINLI_E_INVALID, "request/invalid",
            "the clock ends with the year 9999");
    if (ms < ll_clock_now(host)) {
        char now[LL_RFC3339_BYTES];
        ll_rfc3339(ll_clock_now(host), now);
        return ll_fail(
            err, LINLI_E_CONFLICT, "clock/backwards", "it is %s already", now);
    }
    ll_world_set_wall(host->world, (struct ll_wall){ms});
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

static void
on_later(void *user)
{
    struct ll_advance *advance = user;
    end(advance->host, LINLI_OK, NULL);
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
    struct ll_advance *advance = ll_alloc(&host->mem, sizeof *advance);
    if (advance == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an advance");
    *advance = (struct ll_advance){.host = host, .done = done, .user = user};
    advance->later = ll_timer_new(host->world, on_later, advance);
    linli_status status =
        advance->later == NULL
            ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "an advance")
            : ll_clock_set(host, to, err);
    if (status != LINLI_OK) {
        ll_timer_free(&advance->later);
        ll_release(&host->mem, advance, sizeof *advance);
        return status;
    }
    host->advance = advance;
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
