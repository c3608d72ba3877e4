/* server/http.c: the server around its connections. [loop]
 *
 * Owns the listener, the list of connections, the pool of exchanges, one
 * timer that sweeps for slow peers and one that pumps what this turn left.
 */
#include "server/http.h"

#include "base/text.h"
#include "server/http_int.h"

#define SWEEP_MS_MIN 10
#define SWEEP_MS_MAX 1000

int64_t
ll_http_now_ns(const struct ll_http *http)
{
    return ll_world_mono(http->world).ns;
}

/* -- exchanges -- */

struct ll_http_exchange *
ll_http_exchange_take(struct ll_http *http)
{
    struct ll_http_exchange *ex = http->pool;
    if (ex != NULL) {
        http->pool = ex->next;
        http->pool_count--;
        ex->next = NULL;
        return ex;
    }
    ex = ll_alloc(http->mem, sizeof *ex);
    if (ex == NULL)
        return NULL;
    ex->http = http;
    ll_http_parser_init(&ex->parser, http->mem, http->limits.body_bytes_max);
    /* The head of an answer is far smaller than a request's may be. */
    ll_buf_init(&ex->answer, http->mem,
        LL_HTTP_RESPONSE_BYTES_MAX + LL_HTTP_HEADER_BYTES_MAX);
    return ex;
}

static void
exchange_free(struct ll_http_exchange *ex)
{
    struct ll_mem *mem = ex->http->mem;
    ll_http_parser_fini(&ex->parser);
    ll_buf_fini(&ex->answer);
    ll_release(mem, ex, sizeof *ex);
}

void
ll_http_exchange_put(struct ll_http_exchange *ex)
{
    struct ll_http *http = ex->http;
    http->buffered_bytes -= ex->counted_bytes;
    if (http->pool_count == LL_HTTP_POOL_MAX) {
        exchange_free(ex);
        return;
    }
    ll_http_parser_reset(&ex->parser);
    ll_buf_reset(&ex->answer, LL_HTTP_KEEP_BYTES);
    ex->counted_bytes = 0;
    ex->closes = ex->continued = false;
    ex->state = LL_HTTP_READING;
    ex->conn = NULL;
    ex->next = http->pool;
    http->pool = ex;
    http->pool_count++;
}

/* -- connections -- */

void
ll_http_mark_dirty(struct ll_http_conn *conn)
{
    struct ll_http *http = conn->http;
    if (conn->dirty)
        return;
    if (http->dirty == NULL)
        ll_timer_set(http->kick, 0, 0);
    conn->dirty = true;
    conn->next_dirty = http->dirty;
    http->dirty = conn;
}

void
ll_http_forget(struct ll_http_conn *conn)
{
    struct ll_http *http = conn->http;
    if (conn->prev == NULL)
        http->conns = conn->next;
    else
        conn->prev->next = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    http->stats.connections_open--;
    if (http->conns == NULL)
        ll_timer_stop(http->sweep);
    /* Callers up the stack may still look at it: reclaimed by the kick. */
    conn->prev = NULL;
    conn->next = http->dead;
    http->dead = conn;
    ll_timer_set(http->kick, 0, 0);
}

static void
reclaim(struct ll_http *http)
{
    struct ll_http_conn *conn = http->dead, *next;
    http->dead = NULL;
    for (; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->dirty) {
            /* The next kick still walks over it. */
            conn->next = http->dead;
            http->dead = conn;
            continue;
        }
        ll_buf_fini(&conn->rest);
        ll_release(http->mem, conn, sizeof *conn);
    }
}

/* What earlier turns left: answers to write, requests to read on. */
static void
on_kick(void *user)
{
    struct ll_http *http = user;
    struct ll_http_conn *conn = http->dirty, *next;
    http->dirty = NULL;
    for (; conn != NULL; conn = next) {
        next = conn->next_dirty;
        conn->dirty = false;
        conn->next_dirty = NULL;
        if (conn->tcp != NULL)
            ll_http_conn_pump(conn);
    }
    reclaim(http);
    if (http->drained != NULL && http->conns == NULL &&
        http->stats.requests_open == 0) {
        void (*drained)(void *) = http->drained;
        http->drained = NULL;
        drained(http->drained_user);
    }
}

/* A reader that made progress gets the time anew. */
static bool
is_write_late(struct ll_http_conn *conn, int64_t now)
{
    if (conn->write_deadline_ns == 0 || now < conn->write_deadline_ns)
        return false;
    size_t queued = ll_conn_queued(conn->tcp);
    if (queued + LL_HTTP_WRITE_STEP_BYTES > conn->write_queued_bytes)
        return true;
    conn->write_queued_bytes = queued;
    conn->write_deadline_ns = now + conn->http->limits.write_ms * 1000000;
    return false;
}

static void
sweep_one(struct ll_http_conn *conn, int64_t now)
{
    struct ll_http *http = conn->http;
    if (is_write_late(conn, now)) {
        http->stats.timeouts++;
        ll_http_conn_drop(conn);
        return;
    }
    if (conn->read_deadline_ns == 0 || now < conn->read_deadline_ns)
        return;
    http->stats.timeouts++;
    if (conn->reading == NULL) {
        ll_http_conn_finish(conn);
        return;
    }
    ll_http_conn_refuse(conn, "request/timeout",
        conn->reading->parser.part == LL_HTTP_PART_HEAD
            ? "the header did not arrive in time"
            : "the body did not arrive in time");
    ll_http_conn_pump(conn);
}

static void
on_sweep(void *user)
{
    struct ll_http *http = user;
    int64_t now = ll_http_now_ns(http);
    struct ll_http_conn *next;
    for (struct ll_http_conn *conn = http->conns; conn != NULL; conn = next) {
        next = conn->next;
        sweep_one(conn, now);
    }
}

static int64_t
sweep_period_ms(const struct ll_http_limits *l)
{
    int64_t least = l->header_ms;
    least = l->body_ms < least ? l->body_ms : least;
    least = l->idle_ms < least ? l->idle_ms : least;
    least = l->write_ms < least ? l->write_ms : least;
    least /= 4;
    return least < SWEEP_MS_MIN   ? SWEEP_MS_MIN
           : least > SWEEP_MS_MAX ? SWEEP_MS_MAX
                                  : least;
}

static void
on_accept(void *user, struct ll_conn *tcp)
{
    struct ll_http *http = user;
    struct ll_http_conn *conn = NULL;
    if (http->stats.connections_open < http->limits.connections_max)
        conn = ll_alloc(http->mem, sizeof *conn);
    if (conn == NULL) {
        http->stats.connections_refused++;
        ll_conn_free(&tcp);
        return;
    }
    conn->http = http;
    conn->tcp = tcp;
    ll_buf_init(&conn->rest, http->mem, LL_HTTP_QUEUE_BYTES_MAX);
    conn->read_deadline_ns =
        ll_http_now_ns(http) + http->limits.idle_ms * 1000000;
    if (http->conns == NULL) {
        int64_t period = sweep_period_ms(&http->limits);
        ll_timer_set(http->sweep, period, period);
    } else {
        http->conns->prev = conn;
    }
    conn->next = http->conns;
    http->conns = conn;
    http->stats.connections_accepted++;
    http->stats.connections_open++;
    ll_conn_start(tcp, &ll_http_conn_ops, conn);
}

/* -- the server -- */

static struct ll_http_limits
fill_limits(struct ll_http_limits l)
{
    if (l.header_ms == 0)
        l.header_ms = LL_HTTP_HEADER_MS;
    if (l.body_ms == 0)
        l.body_ms = LL_HTTP_BODY_MS;
    if (l.idle_ms == 0)
        l.idle_ms = LL_HTTP_IDLE_MS;
    if (l.write_ms == 0)
        l.write_ms = LL_HTTP_WRITE_MS;
    if (l.connections_max == 0)
        l.connections_max = LL_HTTP_CONNECTIONS_MAX;
    if (l.body_bytes_max == 0)
        l.body_bytes_max = LL_HTTP_BODY_BYTES_MAX;
    return l;
}

linli_status
ll_http_new(struct ll_world *world, const struct ll_http_options *options,
    struct ll_http **out, struct ll_err *err)
{
    *out = NULL;
    struct ll_http *http = ll_alloc(options->mem, sizeof *http);
    if (http == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no HTTP server");
    http->world = world;
    http->mem = options->mem;
    http->limits = fill_limits(options->limits);
    http->handle = options->handle;
    http->user = options->user;
    ll_buf_init(&http->out, http->mem,
        LL_HTTP_PIPELINE_MAX *
            ((size_t)LL_HTTP_RESPONSE_BYTES_MAX + LL_HTTP_HEADER_BYTES_MAX));
    ll_buf_init(&http->scratch, http->mem, LL_HTTP_BODY_BYTES_MAX);
    http->sweep = ll_timer_new(world, on_sweep, http);
    http->kick = ll_timer_new(world, on_kick, http);
    linli_status status =
        http->sweep != NULL && http->kick != NULL
            ? ll_listen(world, options->address, on_accept, http,
                  &http->listener, err)
            : ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no HTTP timer");
    if (status != LINLI_OK) {
        ll_http_free(&http);
        return status;
    }
    ll_listener_address(http->listener, http->address);
    *out = http;
    return LINLI_OK;
}

void
ll_http_address(const struct ll_http *http, char out[64])
{
    memcpy(out, http->address, sizeof http->address);
}

const struct ll_http_stats *
ll_http_stats(const struct ll_http *http)
{
    return &http->stats;
}

void
ll_http_drain(struct ll_http *http, void (*done)(void *user), void *user)
{
    ll_check(!http->draining);
    http->draining = true;
    http->drained = done;
    http->drained_user = user;
    ll_listener_free(&http->listener);
    for (struct ll_http_conn *c = http->conns; c != NULL; c = c->next) {
        /* One whose request is on its way may finish it. */
        c->closing |= c->reading == NULL;
        ll_http_mark_dirty(c);
    }
    ll_timer_set(http->kick, 0, 0);
}

void
ll_http_free(struct ll_http **http_at)
{
    struct ll_http *http = *http_at;
    *http_at = NULL;
    if (http == NULL)
        return;
    ll_listener_free(&http->listener);
    while (http->conns != NULL)
        ll_http_conn_drop(http->conns);
    ll_check(http->stats.requests_open == 0);
    for (; http->dirty != NULL; http->dirty = http->dirty->next_dirty)
        http->dirty->dirty = false;
    reclaim(http);
    while (http->pool != NULL) {
        struct ll_http_exchange *ex = http->pool;
        http->pool = ex->next;
        exchange_free(ex);
    }
    ll_timer_free(&http->sweep);
    ll_timer_free(&http->kick);
    ll_buf_fini(&http->out);
    ll_buf_fini(&http->scratch);
    ll_release(http->mem, http, sizeof *http);
}
