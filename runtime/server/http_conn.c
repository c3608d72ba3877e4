/* server/http_conn.c: one connection: read, dispatch, answer. [loop]
 *
 * `respond` may be called from anywhere, so it never calls the handler: it
 * writes its own answer and leaves the rest to the pump of the next turn.
 */
#include "server/http_int.h"

#include "base/text.h"

/* -- the end of a connection -- */

/* The handler answers its open exchanges into nothing; others are reused. */
static void
detach_exchanges(struct ll_http_conn *conn)
{
    struct ll_http_exchange *ex = conn->first, *next;
    for (; ex != NULL; ex = next) {
        next = ex->next;
        ex->conn = NULL;
        ex->next = NULL;
        if (ex->state != LL_HTTP_OPEN)
            ll_http_exchange_put(ex);
    }
    if (conn->reading != NULL)
        ll_http_exchange_put(conn->reading);
    conn->reading = conn->first = conn->last = NULL;
    conn->owed = 0;
}

void
ll_http_conn_drop(struct ll_http_conn *conn)
{
    ll_conn_free(&conn->tcp);
    detach_exchanges(conn);
    ll_http_forget(conn);
}

void
ll_http_conn_finish(struct ll_http_conn *conn)
{
    ll_conn_finish(&conn->tcp, ll_conn_queued(conn->tcp) > 0
                                   ? conn->http->limits.write_ms
                                   : LL_HTTP_FINISH_MS);
    detach_exchanges(conn);
    ll_http_forget(conn);
}

/* -- writing -- */

/* Clears the shared buffer; a great answer does not keep its room. */
static struct ll_buf *
begin_out(struct ll_http *http)
{
    ll_buf_reset(&http->out, LL_HTTP_QUEUE_BYTES_MAX);
    return &http->out;
}

/* False if the connection has gone over it. */
static bool
write_bytes(struct ll_http_conn *conn, linli_str bytes)
{
    struct ll_http *http = conn->http;
    http->stats.bytes_out += bytes.len;
    linli_status status = ll_conn_write(conn->tcp, bytes.ptr, bytes.len);
    /* The write itself may have found the peer gone. */
    if (conn->tcp == NULL)
        return false;
    if (status != LINLI_OK) {
        ll_http_conn_drop(conn);
        return false;
    }
    size_t queued = ll_conn_queued(conn->tcp);
    if (queued > 0 && conn->write_deadline_ns == 0) {
        conn->write_deadline_ns =
            ll_http_now_ns(http) + http->limits.write_ms * 1000000;
        conn->write_queued_bytes = queued;
    }
    return true;
}

/* No request follows this one: its answer says so. */
static bool
is_last(const struct ll_http_exchange *ex)
{
    const struct ll_http_conn *conn = ex->conn;
    return ex->next == NULL && conn->reading == NULL &&
           (conn->closing || (conn->ended && conn->rest.len == 0));
}

static void
format_answer(struct ll_http_exchange *ex, const struct ll_response *response,
    struct ll_buf *out)
{
    struct ll_http *http = ex->http;
    struct ll_response internal;
    if (!ll_http_response_ok(response)) {
        ll_http_refusal(ex, "runtime/internal",
            LINLI_STR("the answer cannot be sent over HTTP"), &internal);
        response = &internal;
    }
    ex->closes = !ex->parser.keep_alive || ex->parser.refusal_code != NULL ||
                 is_last(ex);
    struct ll_http_answer answer = {.response = response,
        .date = ll_http_date(&http->date, ll_world_wall(http->world).ms),
        .keep_alive = !ex->closes,
        .is_http10 = ex->parser.is_http10,
        .is_head = ex->parser.is_head};
    http->stats.responses[response->status / 100]++;
    ll_http_write(out, &answer);
}

static struct ll_http_exchange *
pop_first(struct ll_http_conn *conn)
{
    struct ll_http_exchange *ex = conn->first;
    conn->first = ex->next;
    if (conn->first == NULL)
        conn->last = NULL;
    conn->owed--;
    ex->next = NULL;
    ex->conn = NULL;
    return ex;
}

/* Writes all answers that are next in order, in one go. True if some were;
 * the connection may have gone (tcp NULL). */
static bool
flush(struct ll_http_conn *conn)
{
    struct ll_buf *out = begin_out(conn->http);
    bool closes = false, some = false, failed = false;
    while (conn->first != NULL && conn->first->state == LL_HTTP_ANSWERED &&
           !closes) {
        struct ll_http_exchange *ex = pop_first(conn);
        closes = ex->closes;
        failed |= ex->answer.failed;
        ll_buf_str(out, ll_buf_view(&ex->answer));
        ll_http_exchange_put(ex);
        some = true;
    }
    if (!some)
        return false;
    /* Without memory for an answer the order is lost: end here. */
    if (failed || out->failed)
        ll_http_conn_drop(conn);
    else if (write_bytes(conn, ll_buf_view(out)) && closes)
        ll_http_conn_finish(conn);
    return true;
}

/* The only owed answer: straight from the handler's bytes to the kernel. */
static void
answer_now(struct ll_http_exchange *ex, const struct ll_response *response)
{
    struct ll_http_conn *conn = ex->conn;
    struct ll_http *http = ex->http;
    format_answer(ex, response, begin_out(http));
    bool closes = ex->closes;
    ll_http_exchange_put(pop_first(conn));
    if (http->out.failed) {
        ll_http_conn_drop(conn);
        return;
    }
    if (!write_bytes(conn, ll_buf_view(&http->out)))
        return;
    if (closes)
        ll_http_conn_finish(conn);
    else if (conn->reading != NULL || conn->paused || conn->rest.len > 0 ||
             conn->ended)
        ll_http_mark_dirty(conn);
    else
        conn->read_deadline_ns =
            ll_http_now_ns(http) + http->limits.idle_ms * 1000000;
}

static void
respond(struct ll_request *request, const struct ll_response *response)
{
    struct ll_http_exchange *ex =
        LL_CONTAINER(request, struct ll_http_exchange, request);
    struct ll_http_conn *conn = ex->conn;
    ll_check(ex->state == LL_HTTP_OPEN);
    ex->state = LL_HTTP_ANSWERED;
    ex->http->stats.requests_open--;
    if (conn == NULL) {
        if (ex->http->draining)
            ll_timer_set(ex->http->kick, 0, 0);
        ll_http_exchange_put(ex);
        return;
    }
    if (conn->first == ex && ex->next == NULL && !conn->corked) {
        answer_now(ex, response);
        return;
    }
    format_answer(ex, response, &ex->answer);
    if (!conn->corked)
        ll_http_mark_dirty(conn);
}

/* -- dispatching -- */

/* Safe methods (RFC 9110, 9.2.1) do not care what runs beside them. */
static bool
is_safe(const struct ll_http_exchange *ex)
{
    linli_str method = ex->parser.method;
    return ll_str_is(method, "GET") || ll_str_is(method, "OPTIONS");
}

static void
hand_over(struct ll_http_exchange *ex)
{
    struct ll_http *http = ex->http;
    ll_http_parser_request(&ex->parser, &ex->request);
    ex->request.respond = respond;
    ex->request.call = NULL;
    ex->state = LL_HTTP_OPEN;
    http->stats.requests++;
    http->stats.requests_open++;
    http->handle(http->user, &ex->request);
}

/* Hands over each queued exchange that need not wait for one before it. */
static void
dispatch(struct ll_http_conn *conn)
{
    bool open = false, open_unsafe = false, was_corked = conn->corked;
    conn->corked = true;
    for (struct ll_http_exchange *ex = conn->first; ex != NULL; ex = ex->next) {
        if (ex->state == LL_HTTP_QUEUED) {
            if (open_unsafe || (open && !is_safe(ex)))
                break;
            hand_over(ex);
        }
        open |= ex->state == LL_HTTP_OPEN;
        open_unsafe |= ex->state == LL_HTTP_OPEN && !is_safe(ex);
    }
    conn->corked = was_corked;
}

/* -- reading -- */

static void
enqueue(struct ll_http_conn *conn, enum ll_http_exchange_state state)
{
    struct ll_http_exchange *ex = conn->reading;
    conn->reading = NULL;
    conn->read_deadline_ns = 0;
    ex->state = state;
    if (conn->last == NULL)
        conn->first = ex;
    else
        conn->last->next = ex;
    conn->last = ex;
    conn->owed++;
}

void
ll_http_conn_refuse(
    struct ll_http_conn *conn, const char *code, const char *why)
{
    struct ll_http_exchange *ex = conn->reading;
    struct ll_response response;
    ll_http_parser_refuse(&ex->parser, code, why);
    conn->closing = true;
    conn->http->stats.refusals++;
    enqueue(conn, LL_HTTP_ANSWERED);
    ll_http_refusal(ex, ex->parser.refusal_code,
        ll_cstr(ex->parser.refusal_why), &response);
    format_answer(ex, &response, &ex->answer);
}

static bool
is_blocked(const struct ll_http_conn *conn)
{
    return conn->closing || conn->owed >= LL_HTTP_PIPELINE_MAX ||
           ll_conn_queued(conn->tcp) > LL_HTTP_QUEUE_BYTES_MAX;
}

static bool
begin_request(struct ll_http_conn *conn)
{
    struct ll_http *http = conn->http;
    conn->reading = ll_http_exchange_take(http);
    if (conn->reading == NULL) {
        ll_http_conn_drop(conn);
        return false;
    }
    conn->reading->conn = conn;
    conn->read_deadline_ns =
        ll_http_now_ns(http) + http->limits.header_ms * 1000000;
    return true;
}

/* What the body has grown by counts for all connections together. */
static bool
count_body(struct ll_http_exchange *ex)
{
    ex->http->buffered_bytes += ex->parser.body.len - ex->counted_bytes;
    ex->counted_bytes = ex->parser.body.len;
    return ex->http->buffered_bytes <= LL_HTTP_BUFFER_BYTES_MAX;
}

/* Takes bytes of one request at most; returns how many. */
static size_t
read_one(struct ll_http_conn *conn, const char *bytes, size_t n)
{
    struct ll_http *http = conn->http;
    if (conn->reading == NULL && !begin_request(conn))
        return n;
    struct ll_http_exchange *ex = conn->reading;
    bool in_head = ex->parser.part == LL_HTTP_PART_HEAD;
    size_t taken = 0;
    enum ll_http_step step = ll_http_parse(&ex->parser, bytes, n, &taken);
    if (!count_body(ex))
        step = LL_HTTP_REFUSED;
    if (step == LL_HTTP_REFUSED) {
        ll_http_conn_refuse(
            conn, "runtime/busy", "too many request bodies are on their way");
    } else if (step == LL_HTTP_DONE) {
        conn->closing = !ex->parser.keep_alive || http->draining;
        enqueue(conn, LL_HTTP_QUEUED);
        dispatch(conn);
    } else if (in_head && ex->parser.part != LL_HTTP_PART_HEAD) {
        conn->read_deadline_ns =
            ll_http_now_ns(http) + http->limits.body_ms * 1000000;
    }
    return taken;
}

/* Returns how many bytes were looked at. */
static size_t
feed(struct ll_http_conn *conn, const char *bytes, size_t n)
{
    size_t at = 0;
    conn->corked = true;
    while (at < n && conn->tcp != NULL && !is_blocked(conn))
        at += read_one(conn, bytes + at, n - at);
    conn->corked = false;
    return at;
}

/* The client waits for leave to send its body, and nothing is owed first. */
static void
send_continue(struct ll_http_conn *conn)
{
    struct ll_http_exchange *ex = conn->reading;
    if (ex == NULL || !ex->parser.wants_continue || ex->continued ||
        conn->owed > 0 || ex->parser.part == LL_HTTP_PART_HEAD)
        return;
    ex->continued = true;
    if (ex->parser.body.len == 0)
        (void)write_bytes(conn, LINLI_STR("HTTP/1.1 100 Continue\r\n\r\n"));
}

/* Sets what the connection waits for now; closes it if for nothing. */
static void
settle(struct ll_http_conn *conn)
{
    if (conn->reading == NULL && conn->owed == 0 &&
        (conn->closing || conn->ended)) {
        ll_http_conn_finish(conn);
        return;
    }
    send_continue(conn);
    if (conn->tcp == NULL)
        return;
    bool pause = is_blocked(conn);
    if (pause && !conn->paused)
        ll_conn_pause(conn->tcp);
    else if (!pause && conn->paused)
        ll_conn_resume(conn->tcp);
    conn->paused = pause;
    if (conn->reading == NULL)
        conn->read_deadline_ns = conn->owed > 0
                                     ? 0
                                     : ll_http_now_ns(conn->http) +
                                           conn->http->limits.idle_ms * 1000000;
}

void
ll_http_conn_pump(struct ll_http_conn *conn)
{
    for (;;) {
        dispatch(conn);
        bool some = flush(conn);
        if (conn->tcp == NULL)
            return;
        if (some && conn->first != NULL)
            continue;
        if (conn->rest.len > 0 && !is_blocked(conn)) {
            size_t taken = feed(conn, conn->rest.ptr, conn->rest.len);
            if (conn->tcp == NULL)
                return;
            ll_buf_drop(&conn->rest, taken);
            /* Few connections ever need it: give it back. */
            if (conn->rest.len == 0)
                ll_buf_fini(&conn->rest);
            continue;
        }
        if (conn->ended && conn->reading != NULL && conn->rest.len == 0) {
            ll_http_conn_refuse(conn, "request/malformed",
                "the connection ended inside the request");
            continue;
        }
        break;
    }
    settle(conn);
}

static void
on_read(void *user, const char *bytes, size_t n)
{
    struct ll_http_conn *conn = user;
    conn->http->stats.bytes_in += n;
    /* What follows the last request is not looked at. */
    if (conn->closing)
        return;
    size_t taken = conn->rest.len > 0 ? 0 : feed(conn, bytes, n);
    if (conn->tcp == NULL)
        return;
    if (!conn->closing)
        ll_buf_add(&conn->rest, bytes + taken, n - taken);
    if (conn->rest.failed)
        ll_http_conn_drop(conn);
    else
        ll_http_conn_pump(conn);
}

static void
on_end(void *user, bool broken)
{
    struct ll_http_conn *conn = user;
    conn->ended = true;
    if (broken)
        ll_http_conn_drop(conn);
    else
        /* Answers are still owed to a peer that only stopped sending. */
        ll_http_mark_dirty(conn);
}

static void
on_drained(void *user)
{
    struct ll_http_conn *conn = user;
    conn->write_deadline_ns = 0;
    if (conn->paused)
        ll_http_conn_pump(conn);
}

const struct ll_conn_ops ll_http_conn_ops = {on_read, on_end, on_drained};
