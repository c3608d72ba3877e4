/* host/watch.c: what plugins have metered, day by day. [loop]
 *
 * One query at a time: of one space the sums of its own meters by day, a page
 * of meters after the other, then the next space, then the next community.
 */
#include "host/watch.h"

#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "domain/age.h"
#include "domain/pricing_calendar.h"
#include "domain/pricing_number.h"
#include "domain/unusual.h"
#include "host/alert.h"
#include "host/birthdays.h"
#include "host/clock.h"

#define EVERY_MS 600000 /* the wall clock may be set */
#define DAY_MS ((int64_t)86400000)
#define PART_BITS 32
/* Of one query: those that are judged, the four weeks before the first, and
 * one more, for whether that was low already. */
#define DAYS_MAX (LL_UNUSUAL_JUDGED_MAX + LL_UNUSUAL_DAYS + 1)
#define ROWS_MAX (DAYS_MAX * LL_METERS_MAX)
#define DAYS_TEXT_BYTES ((size_t)DAYS_MAX * 44 + 3)
#define METER_BYTES_MAX 160 /* a plugin's id, a dot, and a name */

/* A community in which plugins have metered; the host's arena. */
struct watched {
    struct watched *next;
    linli_str community;
    int64_t last_ms;   /* the last of it was recorded by then */
    int64_t looked_ms; /* every day that was over then was judged */
};

struct ll_watch {
    struct ll_host *host;
    struct ll_timer *timer;
    struct watched *watched;
    /* the pass under way */
    struct watched *at; /* NULL: none */
    int64_t begun_ms;
    const struct ll_zone *zone;
    const struct ll_space *space; /* NULL: none yet */
    int32_t first;                /* day of sums[0] */
    int32_t judged, days;         /* the first that is judged; how many */
    char text[DAYS_TEXT_BYTES];   /* [[from, to], ...]: days as instants */
    size_t text_len;
    linli_str after; /* the last meter that is done; */
    char after_room[METER_BYTES_MAX];
    struct ll_query query;
    bool querying;
    bool resting; /* it could not be done; later again */
};

/* A meter's days. */
struct meter_days {
    linli_str meter;
    int64_t first_ms; /* its first record ever is of that slot */
    int64_t sums[DAYS_MAX];
};

static void next_space(struct ll_watch *watch);

static bool
serves(const struct ll_host *host)
{
    return !host->draining && host->failure.status == LINLI_OK;
}

/* -- what is due -- */

static struct ll_community *
community_of(const struct ll_host *host, const struct watched *watched)
{
    return ll_host_community(host, watched->community);
}

/* The next midnight at which there is something to look at, as a day; false:
 * none. What is recorded on a day is judged when it is over, and the day after
 * it may be the first without any. */
static bool
next_day(const struct watched *w, const struct ll_zone *zone, int32_t *day)
{
    int32_t last = ll_arbiter_today(zone, w->last_ms);
    int32_t looked = ll_arbiter_today(zone, w->looked_ms);
    *day = (looked > last ? looked : last) + 1;
    return *day <= last + 2;
}

int64_t
ll_watch_next_ms(const struct ll_host *host)
{
    int64_t next_ms = INT64_MAX;
    if (host->watch == NULL || host->watch->resting)
        return next_ms;
    for (struct watched *w = host->watch->watched; w != NULL; w = w->next) {
        const struct ll_community *community = community_of(host, w);
        int32_t day = 0;
        if (community == NULL || !next_day(w, &community->zone, &day))
            continue;
        int64_t ms = ll_midnight(&community->zone, day);
        if (ms < next_ms)
            next_ms = ms;
    }
    return next_ms;
}

static struct watched *
find(struct ll_watch *watch, linli_str community)
{
    struct watched *w = watch->watched;
    while (w != NULL && !ll_str_eq(w->community, community))
        w = w->next;
    return w;
}

/* NULL without memory: it is found in the buckets at the next start. */
static struct watched *
add(struct ll_watch *watch, linli_str community, int64_t looked_ms)
{
    struct ll_arena *arena = ll_host_arena(watch->host);
    struct watched *w = ll_arena_alloc(arena, sizeof *w);
    linli_str name = ll_arena_str(arena, community);
    if (w == NULL || name.ptr == NULL)
        return NULL;
    *w = (struct watched){watch->watched, name, looked_ms, looked_ms};
    watch->watched = w;
    return w;
}

void
ll_watch_seen(struct ll_host *host, linli_str community)
{
    struct ll_watch *watch = host->watch;
    if (watch == NULL)
        return;
    int64_t now_ms = ll_world_wall(host->world).ms;
    struct watched *w = find(watch, community);
    if (w == NULL)
        w = add(watch, community, now_ms);
    if (w != NULL && now_ms > w->last_ms)
        w->last_ms = now_ms;
}

/* -- judging -- */

/* Whether a day is told: one above always is; one below if the day before was
 * not, so that a meter that has come to its end is told of once. */
static bool
is_told(const struct meter_days *m, int32_t known, int32_t at,
    struct ll_unusual *is)
{
    struct ll_unusual before = {.word = LL_UNUSUAL_UNKNOWN};
    ll_unusual_judge(m->sums + known, (uint32_t)(at - known) + 1, is);
    if (is->word == LL_UNUSUAL_BELOW && at > known)
        ll_unusual_judge(m->sums + known, (uint32_t)(at - known), &before);
    return is->word == LL_UNUSUAL_ABOVE ||
           (is->word == LL_UNUSUAL_BELOW && before.word != LL_UNUSUAL_BELOW);
}

static void
write_quantity(struct ll_jw *w, const char *name, int64_t quantity)
{
    char text[32];
    ll_jw_key(w, name);
    ll_jw_str(w, (linli_str){text, ll_usage_text(quantity, text)});
}

static void
write_data(struct ll_buf *out, const struct meter_days *m, const char *day,
    int64_t quantity, const struct ll_unusual *is)
{
    struct ll_jw w = ll_jw(out);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "meter");
    ll_jw_str(&w, m->meter);
    ll_jw_key(&w, "day");
    ll_jw_str(&w, ll_cstr(day));
    ll_jw_key(&w, "is");
    ll_jw_str(&w, ll_cstr(is->word == LL_UNUSUAL_ABOVE ? "above" : "below"));
    write_quantity(&w, "quantity", quantity);
    write_quantity(&w, "median", is->median);
    write_quantity(&w, "spread", is->spread);
    write_quantity(&w, "least", is->least);
    write_quantity(&w, "most", is->most);
    ll_jw_key(&w, "days");
    ll_jw_int(&w, is->days);
    ll_jw_close(&w, '}');
}

static bool
tell(struct ll_watch *watch, const struct meter_days *m, int32_t at,
    const struct ll_unusual *is)
{
    struct ll_host *host = watch->host;
    char day[16], ref[METER_BYTES_MAX + 32];
    struct ll_buf data;
    ll_day_text(watch->first + at, day);
    (void)snprintf(ref, sizeof ref, "unusual/%.*s/%s", LL_FMT(m->meter), day);
    ll_buf_init(&data, &host->mem, LL_JSON_TEXT_BYTES_MAX);
    write_data(&data, m, day, m->sums[at], is);
    struct ll_commit *commit =
        data.failed ? NULL : ll_docs_commit_new(&host->docs);
    if (commit != NULL) {
        struct ll_alert alert = {.space = watch->space,
            .kind = LINLI_STR("linli.usage.unusual"),
            .ref = ll_cstr(ref),
            .ever = true,
            .data = ll_buf_view(&data),
            .at_ms = ll_world_wall(host->world).ms};
        ll_alert_put(host, &alert, commit);
        (void)ll_docs_commit_send(&host->docs, commit);
    }
    ll_buf_fini(&data);
    return commit != NULL;
}

/* False without memory. */
static bool
judge(struct ll_watch *watch, const struct meter_days *m)
{
    bool good = true;
    int32_t known = ll_arbiter_today(watch->zone, m->first_ms) - watch->first;
    if (known < 0)
        known = 0;
    for (int32_t i = 0; i < watch->days; i++) {
        struct ll_unusual is;
        int32_t at = watch->judged - watch->first + i;
        if (at >= known && is_told(m, known, at, &is))
            good = tell(watch, m, at, &is) && good;
    }
    return good;
}

/* -- reading -- */

struct row {
    linli_str meter;
    int64_t day, high, low, first_ms;
};

static bool
read_row(struct ll_rd *rd, struct row *row)
{
    (void)ll_rd_list(rd);
    row->meter = ll_rd_bytes(rd);
    row->day = ll_rd_int_in(rd, 0, DAYS_MAX - 1);
    row->high = ll_rd_int(rd);
    row->low = ll_rd_int(rd);
    row->first_ms = ll_rd_int(rd);
    return !rd->bad && row->meter.len <= METER_BYTES_MAX;
}

/* A sum that int64 does not hold is at its end: it is far outside anyway. */
static int64_t
sum_of(const struct row *row)
{
    ll_wide sum = (ll_wide)row->high * ((ll_wide)1 << PART_BITS) + row->low;
    return sum > INT64_MAX   ? INT64_MAX
           : sum < INT64_MIN ? INT64_MIN
                             : (int64_t)sum;
}

static void
keep_after(struct ll_watch *watch, linli_str meter)
{
    memcpy(watch->after_room, meter.ptr, meter.len);
    watch->after = (linli_str){watch->after_room, meter.len};
}

/* Judges the meters of a page; the last of a page that was full is read again
 * with the next. */
static bool
judge_page(struct ll_watch *watch, bool more)
{
    struct ll_rd rd = ll_rd(ll_buf_view(&watch->query.rows));
    struct meter_days m = {.meter = {NULL, 0}};
    struct row row;
    for (uint32_t i = 0; i < watch->query.row_count; i++) {
        if (!read_row(&rd, &row))
            return false;
        if (m.meter.ptr != NULL && !ll_str_eq(m.meter, row.meter)) {
            if (!judge(watch, &m))
                return false;
            keep_after(watch, m.meter);
            m = (struct meter_days){.meter = {NULL, 0}};
        }
        m.meter = row.meter;
        m.first_ms = row.first_ms;
        m.sums[row.day] = sum_of(&row);
    }
    return m.meter.ptr == NULL || more || judge(watch, &m);
}

static void ask(struct ll_watch *watch);

static void
end(struct ll_watch *watch, bool good)
{
    watch->at = NULL;
    watch->resting = !good;
    ll_host_clock_step(watch->host);
}

static void
on_rows(struct ll_query *query)
{
    struct ll_watch *watch = query->user;
    bool more = query->row_count == ROWS_MAX;
    bool good = query->status == LINLI_OK && serves(watch->host) &&
                judge_page(watch, more);
    watch->querying = false;
    ll_query_fini(query);
    if (!good)
        end(watch, false); /* what was not judged is due still */
    else if (more)
        ask(watch);
    else
        next_space(watch);
}

static void
ask(struct ll_watch *watch)
{
    struct ll_query *query = &watch->query;
    ll_query_init(query, &watch->host->mem, LL_ST_meter_days);
    ll_put_int(&query->params, watch->space->id);
    ll_put_bytes(&query->params, (linli_str){watch->text, watch->text_len});
    ll_put_bytes(&query->params, watch->after);
    ll_put_int(&query->params, ROWS_MAX);
    query->rows_max = ROWS_MAX;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_rows;
    query->user = watch;
    watch->querying = true;
    ll_store_query(watch->host->store, query);
}

/* The next space of the community of a plugin; at the end the pass is over and
 * the next community may have its own. */
static void
next_space(struct ll_watch *watch)
{
    const struct ll_space *space =
        watch->space == NULL ? watch->host->docs.spaces : watch->space->next;
    while (
        space != NULL && (!ll_str_eq(space->community, watch->at->community) ||
                             ll_str_is(space->plugin, "~")))
        space = space->next;
    watch->space = space;
    watch->after = LINLI_STR("");
    if (space != NULL) {
        ask(watch);
        return;
    }
    watch->at->looked_ms = watch->begun_ms;
    end(watch, true);
    ll_watch_now(watch->host);
}

static void
write_days(struct ll_watch *watch)
{
    size_t len = 0;
    int32_t count = watch->judged - watch->first + watch->days;
    ll_check(count <= DAYS_MAX);
    for (int32_t i = 0; i < count; i++)
        len += (size_t)snprintf(watch->text + len, DAYS_TEXT_BYTES - len,
            "%s[%lld,%lld]", i == 0 ? "[" : ",",
            (long long)ll_midnight(watch->zone, watch->first + i),
            (long long)ll_midnight(watch->zone, watch->first + i + 1));
    ll_check(len + 1 < DAYS_TEXT_BYTES);
    watch->text[len++] = ']';
    watch->text_len = len;
}

/* Which days are judged; false: none. */
static bool
begin(struct ll_watch *watch, struct watched *w, int64_t now_ms)
{
    const struct ll_community *community = community_of(watch->host, w);
    int32_t day = 0;
    if (community == NULL || !next_day(w, &community->zone, &day))
        return false;
    int32_t today = ll_arbiter_today(&community->zone, now_ms);
    int32_t last = ll_arbiter_today(&community->zone, w->last_ms) + 1;
    int32_t looked = ll_arbiter_today(&community->zone, w->looked_ms);
    if (day > today)
        return false;
    if (last > today - 1)
        last = today - 1;
    int32_t first = looked - LL_UNUSUAL_LATE_DAYS;
    if (first <= last - LL_UNUSUAL_JUDGED_MAX)
        first = last - LL_UNUSUAL_JUDGED_MAX + 1;
    watch->at = w;
    watch->begun_ms = now_ms;
    watch->zone = &community->zone;
    watch->space = NULL;
    watch->judged = first;
    watch->days = last - first + 1;
    watch->first = first - LL_UNUSUAL_DAYS - 1;
    write_days(watch);
    return true;
}

void
ll_watch_now(struct ll_host *host)
{
    struct ll_watch *watch = host->watch;
    int64_t now_ms = ll_world_wall(host->world).ms;
    if (watch == NULL || watch->at != NULL || watch->resting || !serves(host))
        return;
    for (struct watched *w = watch->watched; w != NULL; w = w->next)
        if (begin(watch, w, now_ms)) {
            next_space(watch);
            return;
        }
}

bool
ll_watch_idle(const struct ll_host *host)
{
    return host->watch == NULL || host->watch->at == NULL;
}

/* -- beginning and end -- */

static void
on_time(void *user)
{
    struct ll_watch *watch = user;
    watch->resting = false;
    ll_watch_now(watch->host);
    ll_timer_set(watch->timer, EVERY_MS, 0);
}

/* Where plugins have metered before: the days from the last of it on are
 * looked at once more. A late record may have been recorded after it. */
static linli_status
read_watched(struct ll_watch *watch, struct ll_err *err)
{
    struct ll_host *host = watch->host;
    struct ll_query query;
    int64_t now_ms = ll_world_wall(host->world).ms;
    ll_query_init(&query, &host->mem, LL_ST_meter_last);
    linli_status status = ll_store_ask(host->store, &query);
    if (status != LINLI_OK)
        *err = query.err;
    struct ll_rd rd = ll_rd(ll_buf_view(&query.rows));
    for (uint32_t i = 0; status == LINLI_OK && i < query.row_count; i++) {
        (void)ll_rd_list(&rd);
        linli_str community = ll_rd_bytes(&rd);
        int64_t slot_ms = ll_rd_int(&rd);
        struct watched *w =
            add(watch, community, slot_ms < now_ms ? slot_ms : now_ms);
        if (w == NULL) {
            status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
            break;
        }
        w->last_ms += LL_UNUSUAL_LATE_DAYS * DAY_MS;
        if (w->last_ms > now_ms)
            w->last_ms = now_ms;
    }
    ll_query_fini(&query);
    return status;
}

linli_status
ll_watch_open(struct ll_host *host, struct ll_err *err)
{
    struct ll_watch *watch = ll_alloc(&host->mem, sizeof *watch);
    if (watch == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    watch->host = host;
    host->watch = watch;
    watch->timer = ll_timer_new(host->world, on_time, watch);
    if (watch->timer == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "a host");
    /* Communities come after this, in the same turn. */
    ll_timer_set(watch->timer, 0, 0);
    return read_watched(watch, err);
}

void
ll_watch_close(struct ll_host *host)
{
    struct ll_watch *watch = host->watch;
    if (watch == NULL)
        return;
    host->watch = NULL;
    if (watch->querying) {
        ll_store_cancel(host->store, &watch->query);
        ll_query_fini(&watch->query);
    }
    ll_timer_free(&watch->timer);
    ll_release(&host->mem, watch, sizeof *watch);
}
