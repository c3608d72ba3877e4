/* host/feed.c: who listens to events: a page, or a wait for one. [loop] */
#include <stdio.h>
#include <string.h>

#include "base/params.h"
#include "base/text.h"
#include "host/bus.h"

#define ROWS 256
/* Of an event besides its data, and of the page's end. */
#define HEAD_BYTES_MAX 1024

static void ask(struct ll_feed *feed);

static void
on_more(struct ll_wait *wait)
{
    ask(LL_CONTAINER(wait, struct ll_feed, wait));
}

void
ll_feed_init(struct ll_feed *feed, struct ll_host *host)
{
    *feed = (struct ll_feed){
        .host = host, .limit = LL_LIST_DEFAULT, .wait = {.ready = on_more}};
    ll_buf_init(&feed->out, &host->mem, LL_FEED_PAGE_BYTES);
    ll_json_init(&feed->json, &host->mem);
}

void
ll_feed_fini(struct ll_feed *feed)
{
    if (feed->querying) {
        ll_store_cancel(feed->host->store, &feed->query);
        ll_query_fini(&feed->query);
    }
    feed->querying = false;
    ll_wait_cancel(&feed->wait);
    ll_timer_free(&feed->timer);
    ll_buf_fini(&feed->out);
    ll_json_fini(&feed->json);
}

linli_status
ll_feed_read(struct ll_feed *feed, linli_str query, struct ll_err *err)
{
    static const char *const names[] = {"after", "wait", "limit", NULL};
    struct ll_params params;
    int64_t after = 0, wait_s = 0, limit = LL_LIST_DEFAULT;
    linli_status status = ll_params_read(&params, names, query, err);
    if (status == LINLI_OK)
        status = ll_param_int(&params, "after", 0, INT64_MAX, &after, err);
    if (status == LINLI_OK)
        status =
            ll_param_int(&params, "wait", 0, LL_FEED_WAIT_S_MAX, &wait_s, err);
    if (status == LINLI_OK)
        status = ll_param_int(&params, "limit", 1, LL_LIST_MAX, &limit, err);
    if (status != LINLI_OK)
        return status;
    feed->after = (uint64_t)after;
    feed->wait_ms = wait_s * 1000;
    feed->limit = (uint32_t)limit;
    return LINLI_OK;
}

/* -- rows -- */

/* Whether the event's data is what the route's parameters ask for. */
static bool
wanted(struct ll_feed *feed, linli_str type, linli_str data)
{
    if (feed->type.len > 0 && !ll_str_eq(type, feed->type))
        return false;
    if (feed->where == NULL || feed->where->feed_where_count == 0)
        return true;
    if (ll_json_parse(&feed->json, data, LL_JSON_DEPTH_MAX, NULL) != LINLI_OK)
        return false;
    struct ll_jv root = ll_json_root(&feed->json);
    for (uint32_t i = 0; i < feed->where->feed_where_count; i++) {
        struct ll_jv v = ll_jv_get_str(root, feed->where->feed_where[i].member);
        linli_str asked = feed->params[feed->where->feed_where[i].param];
        if (!ll_jv_is(v, LL_JSON_STRING) || !ll_str_eq(ll_jv_str(v), asked))
            return false;
    }
    return true;
}

void
ll_event_write(struct ll_jw *w, const struct ll_event *event, bool text_at)
{
    char at[LL_RFC3339_BYTES];
    ll_jw_open(w, '{');
    ll_jw_key(w, "seq");
    ll_jw_int(w, event->seq);
    ll_jw_key(w, "type");
    ll_jw_str(w, event->type);
    ll_jw_key(w, "plugin");
    ll_jw_str(w, event->plugin);
    ll_jw_key(w, "at");
    if (text_at) {
        ll_rfc3339(event->at_ms, at);
        ll_jw_cstr(w, at);
    } else {
        ll_jw_int(w, event->at_ms);
    }
    ll_jw_key(w, "data");
    ll_jw_raw(w, event->data);
    ll_jw_close(w, '}');
}

bool
ll_event_read(struct ll_rd *rows, struct ll_event *event)
{
    bool there;
    (void)ll_rd_list(rows);
    event->seq = ll_rd_int(rows);
    event->plugin = ll_rd_bytes(rows);
    event->type = ll_rd_bytes(rows);
    event->at_ms = ll_rd_int(rows);
    event->data = ll_rd_bytes_or_nil(rows, &there);
    if (!there) /* of a subject whose key is gone */
        event->data = (linli_str)LINLI_STR("null");
    return !rows->bad;
}

static bool
fits(const struct ll_feed *feed, const struct ll_event *event)
{
    return event->data.len + HEAD_BYTES_MAX <=
           LL_FEED_PAGE_BYTES - feed->out.len;
}

static void
take_rows(struct ll_feed *feed)
{
    struct ll_jw w = {.buf = &feed->out, .comma = feed->count > 0};
    struct ll_rd rows = ll_rd(ll_buf_view(&feed->query.rows));
    struct ll_event event;
    for (uint32_t i = 0; i < feed->query.row_count && feed->count < feed->limit;
         i++) {
        if (!ll_event_read(&rows, &event))
            return;
        if (wanted(feed, event.type, event.data)) {
            feed->full = feed->count > 0 && !fits(feed, &event);
            if (feed->full)
                return;
            ll_event_write(&w, &event, true);
            feed->count++;
        }
        feed->after = (uint64_t)event.seq;
    }
}

static void
finish(struct ll_feed *feed)
{
    struct ll_err err;
    linli_status status = LINLI_OK;
    ll_timer_free(&feed->timer);
    ll_wait_cancel(&feed->wait);
    ll_buf_printf(
        &feed->out, "],\"next_after\":%llu}", (unsigned long long)feed->after);
    if (feed->out.failed)
        status =
            ll_fail(&err, LINLI_E_LIMIT, "runtime/memory", "a page of events");
    feed->done(feed, status, &err);
}

static void
on_rows(struct ll_query *query)
{
    struct ll_feed *feed = query->user;
    linli_status status = query->status;
    struct ll_err err = query->err;
    feed->querying = false;
    if (status == LINLI_OK)
        take_rows(feed);
    bool more = query->more;
    ll_query_fini(query);
    if (status != LINLI_OK)
        feed->done(feed, status, &err);
    else if (feed->full || feed->count == feed->limit)
        finish(feed);
    else if (more)
        ask(feed);
    else if (feed->count > 0 || feed->wait_ms == 0 || feed->late ||
             feed->host->draining)
        finish(feed);
    else
        ll_wait_add(&feed->community->feed_waits, &feed->wait);
}

static void
ask(struct ll_feed *feed)
{
    struct ll_query *query = &feed->query;
    ll_query_init(query, &feed->host->mem, LL_ST_event_after);
    ll_put_bytes(&query->params, feed->community->id);
    ll_put_int(&query->params, (int64_t)feed->after);
    ll_put_int(&query->params, ROWS + 1);
    query->rows_max = ROWS;
    query->bytes_max = LL_QUERY_BYTES_MAX;
    query->done = on_rows;
    query->user = feed;
    feed->querying = true;
    ll_store_query(feed->host->store, query);
}

static void
on_late(void *user)
{
    struct ll_feed *feed = user;
    feed->late = true;
    if (!feed->querying)
        finish(feed);
}

void
ll_feed_start(struct ll_feed *feed)
{
    ll_buf_cstr(&feed->out, "{\"items\":[");
    if (feed->wait_ms > 0) {
        feed->timer = ll_timer_new(feed->host->world, on_late, feed);
        if (feed->timer != NULL)
            ll_timer_set(feed->timer, feed->wait_ms, 0);
        else
            feed->wait_ms = 0;
    }
    ask(feed);
}

/* -- routes that are feeds -- */

static void
on_fed(struct ll_feed *feed, linli_status status, const struct ll_err *err)
{
    struct ll_call *call = feed->user;
    if (status != LINLI_OK) {
        (void)ll_call_refuse(call, err->code, NULL);
    } else {
        call->response.status = 200;
        call->response.body =
            ll_arena_str(&call->arena, ll_buf_view(&feed->out));
        call->response.content_type = LINLI_STR("application/json");
        call->state = LL_CALL_RESPOND;
        if (call->arena.failed)
            (void)ll_call_refuse(call, "runtime/memory", NULL);
    }
    ll_feed_end(call);
    ll_call_advance(call);
}

void
ll_feed_end(struct ll_call *call)
{
    if (call->feed == NULL)
        return;
    ll_feed_fini(call->feed);
    ll_release(&call->host->mem, call->feed, sizeof *call->feed);
    call->feed = NULL;
}

enum ll_step
ll_feed_serve(struct ll_call *call)
{
    struct ll_err err;
    if (call->feed != NULL)
        return LL_STEP_WAIT;
    struct ll_feed *feed = ll_alloc(&call->host->mem, sizeof *feed);
    if (feed == NULL)
        return ll_call_refuse(call, "runtime/memory", NULL);
    call->feed = feed;
    ll_feed_init(feed, call->host);
    feed->community = call->community;
    feed->type = call->match.route->feed_event;
    feed->where = call->match.route;
    feed->params = call->match.params;
    feed->done = on_fed;
    feed->user = call;
    if (ll_feed_read(feed, call->request->query, &err) != LINLI_OK) {
        ll_feed_end(call);
        return ll_call_refuse(call, err.code, err.msg);
    }
    ll_feed_start(feed);
    return LL_STEP_WAIT;
}
