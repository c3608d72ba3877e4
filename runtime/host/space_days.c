/* host/space_days.c: bytes of spaces, at midnight. [loop] */
#include "host/space_days.h"

#include "base/text.h"
#include "data/series.h"
#include "host/birthdays.h"
#include "host/plan_call.h"

#define COUNTED_NAME "space_days_ms" /* a single value of the store */
#define EVERY_MS 60000               /* the wall clock may be set */
#define MIDNIGHTS_A_TURN 64          /* then others have theirs */

struct ll_space_days {
    struct ll_host *host;
    struct ll_timer *timer;
    int64_t counted_ms; /* every midnight up to this instant was counted */
    int64_t kept_ms;    /* the same, as the store has it; INT64_MIN: not */
};

/* The first midnight of a community after an instant. */
static int64_t
midnight_after(const struct ll_community *community, int64_t ms)
{
    int64_t at = ms;
    for (int32_t day = ll_arbiter_today(&community->zone, ms) + 1; at <= ms;
         day++)
        at = ll_midnight(&community->zone, day);
    return at;
}

static bool
is_counted(const struct ll_community *community, const struct ll_space *space)
{
    return space->bytes > 0 && !ll_str_is(space->plugin, "~") &&
           ll_str_eq(space->community, community->id);
}

/* The next midnight of all communities that have something to count. */
static int64_t
next_midnight(const struct ll_host *host, int64_t after_ms)
{
    int64_t next_ms = INT64_MAX;
    for (struct ll_community *c = host->communities; c != NULL; c = c->next) {
        const struct ll_space *s = host->docs.spaces;
        while (s != NULL && !is_counted(c, s))
            s = s->next;
        int64_t ms = s == NULL ? INT64_MAX : midnight_after(c, after_ms);
        next_ms = ms < next_ms ? ms : next_ms;
    }
    return next_ms;
}

/* -- one midnight -- */

static bool
put_record(struct ll_community *community, struct ll_space *space,
    int64_t at_ms, struct ll_commit *commit)
{
    struct ll_host *host = community->host;
    struct ll_usage usage = {.call_high = ll_world_random_u64(host->world),
        .call_low = ll_world_random_u64(host->world),
        .at_ms = at_ms};
    const struct ll_plan_place place = {community->id, space->plugin};
    struct ll_counted counted =
        ll_plan_counted(host, ll_plan_sub_of(host, &place, at_ms),
            LINLI_STR(LL_METER_STORAGE), at_ms);
    struct ll_plan_record record = {space, &counted, &usage};
    if (__builtin_mul_overflow(space->bytes, LL_USAGE_UNIT, &usage.quantity))
        return false; /* nine terabytes */
    usage.series = ll_series(space, &counted);
    if (usage.series == 0 || !ll_plan_count(host, &record, commit))
        return false;
    ll_commit_usage(commit, &usage);
    return true;
}

/* The commit, and with it how far the days were counted. */
static bool
send(struct ll_space_days *days, struct ll_commit *commit, int64_t ms)
{
    ll_commit_op(commit, LL_ST_meta_put);
    ll_put_bytes(&commit->ops, LINLI_STR(COUNTED_NAME));
    ll_put_int(&commit->ops, ms);
    if (ll_docs_commit_send(&days->host->docs, commit) == 0)
        return false;
    days->counted_ms = days->kept_ms = ms;
    return true;
}

/* The records of all whose day ends at `ms`, and that it was counted, in one
 * commit. */
static bool
count_midnight(struct ll_space_days *days, int64_t ms)
{
    struct ll_host *host = days->host;
    struct ll_docs *docs = &host->docs;
    struct ll_commit *commit = ll_docs_commit_new(docs);
    bool good = commit != NULL;
    for (struct ll_community *c = host->communities; good && c != NULL;
         c = c->next) {
        if (midnight_after(c, ms - 1) != ms)
            continue;
        for (struct ll_space *s = docs->spaces; good && s != NULL; s = s->next)
            if (is_counted(c, s))
                good = put_record(c, s, ms - 1, commit);
    }
    if (!good) {
        if (commit != NULL)
            ll_docs_commit_free(docs, commit);
        return false;
    }
    return send(days, commit, ms);
}

/* That a day had nothing to count is kept too; the first time, when there is
 * something to count one day. */
static void
keep(struct ll_space_days *days, int64_t now_ms, bool something)
{
    const struct ll_community *c = days->host->communities;
    days->counted_ms = now_ms;
    while (days->kept_ms != INT64_MIN && c != NULL &&
           midnight_after(c, days->kept_ms) > now_ms)
        c = c->next;
    if (days->kept_ms == INT64_MIN ? !something : c == NULL)
        return;
    struct ll_commit *commit = ll_docs_commit_new(&days->host->docs);
    if (commit != NULL)
        (void)send(days, commit, now_ms);
}

void
ll_space_days_now(struct ll_host *host)
{
    struct ll_space_days *days = host->space_days;
    int64_t now_ms = ll_world_wall(host->world).ms;
    if (days == NULL || host->draining || !host->config.metering ||
        host->failure.status != LINLI_OK)
        return;
    for (int i = 0; i < MIDNIGHTS_A_TURN; i++) {
        int64_t next_ms = next_midnight(host, days->counted_ms);
        if (next_ms > now_ms) {
            keep(days, now_ms, next_ms != INT64_MAX);
            return;
        }
        if (!count_midnight(days, next_ms))
            return; /* in a minute, again */
    }
    ll_timer_set(days->timer, 0, 0);
}

int64_t
ll_space_days_next_ms(const struct ll_host *host)
{
    return host->space_days == NULL || !host->config.metering
               ? INT64_MAX
               : next_midnight(host, host->space_days->counted_ms);
}

/* -- beginning and end -- */

static void
on_time(void *user)
{
    struct ll_space_days *days = user;
    ll_timer_set(days->timer, EVERY_MS, 0);
    ll_space_days_now(days->host);
}

static linli_status
read_counted(struct ll_space_days *days, struct ll_err *err)
{
    struct ll_host *host = days->host;
    struct ll_query query;
    ll_query_init(&query, &host->mem, LL_ST_meta_get);
    ll_put_bytes(&query.params, LINLI_STR(COUNTED_NAME));
    linli_status status = ll_store_ask(host->store, &query);
    days->counted_ms = ll_world_wall(host->world).ms;
    days->kept_ms = INT64_MIN;
    if (status != LINLI_OK) {
        *err = query.err;
    } else if (query.row_count > 0) {
        struct ll_rd row = ll_rd(ll_buf_view(&query.rows));
        (void)ll_rd_list(&row);
        days->counted_ms = days->kept_ms = ll_rd_int(&row);
    }
    ll_query_fini(&query);
    return status;
}

linli_status
ll_space_days_open(struct ll_host *host, struct ll_err *err)
{
    struct ll_space_days *days = ll_alloc(&host->mem, sizeof *days);
    if (days == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    *days = (struct ll_space_days){.host = host};
    host->space_days = days;
    days->timer = ll_timer_new(host->world, on_time, days);
    if (days->timer == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    /* Communities come after this, in the same turn. */
    ll_timer_set(days->timer, 0, 0);
    return read_counted(days, err);
}

void
ll_space_days_close(struct ll_host *host)
{
    if (host->space_days == NULL)
        return;
    ll_timer_free(&host->space_days->timer);
    ll_release(&host->mem, host->space_days, sizeof *host->space_days);
    host->space_days = NULL;
}
