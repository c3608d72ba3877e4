/* tests/unit/test_http_server.c: the HTTP server over real sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "server/http.h"
#include "t.h"

#define PATIENCE_MS 3000
#define CLIENT_BYTES (8u << 20)

/* -- a server whose handler is told when to answer -- */

enum mode {
    AT_ONCE, /* inside the handler */
    HOLD,    /* when the test says */
};

#define HELD_MAX 64

struct bed {
    struct ll_mem mem;
    struct ll_world *world;
    struct ll_http *http;
    enum mode mode;
    struct ll_request *held[HELD_MAX];
    unsigned held_count;
    unsigned handled;
    unsigned drained;
    size_t pad_bytes; /* of answers, besides the path */
    const char *bad_header;
};

static char padding[1u << 20];

static void
answer(struct bed *bed, struct ll_request *request)
{
    char body[256];
    int n = snprintf(body, sizeof body, "%.*s %.*s", LL_FMT(request->method),
        LL_FMT(request->path));
    struct ll_response r = {.status = 200,
        .content_type = LINLI_STR("text/plain"),
        .body = {body, (size_t)n}};
    if (bed->pad_bytes > 0) {
        memset(padding, 'p', bed->pad_bytes);
        memcpy(padding, body, (size_t)n);
        r.body = (linli_str){padding, bed->pad_bytes};
    }
    if (bed->bad_header != NULL)
        r.headers[r.header_count++] =
            (struct ll_field){LINLI_STR("X-Bad"), ll_cstr(bed->bad_header)};
    request->respond(request, &r);
}

static void
handle(void *user, struct ll_request *request)
{
    struct bed *bed = user;
    bed->handled++;
    if (bed->mode == AT_ONCE)
        answer(bed, request);
    else if (bed->held_count < HELD_MAX)
        bed->held[bed->held_count++] = request;
}

/* Answers the held request at `i`; the others keep their places. */
static void
release(struct bed *bed, unsigned i)
{
    struct ll_request *request = bed->held[i];
    T_OK(i < bed->held_count);
    bed->held[i] = NULL;
    answer(bed, request);
}

static void
on_drained(void *user)
{
    struct bed *bed = user;
    bed->drained++;
}

static bool
bed_open(struct bed *bed, struct ll_http_limits limits)
{
    struct ll_err err = {.code = ""};
    *bed = (struct bed){.mode = AT_ONCE};
    struct ll_http_options options = {.mem = &bed->mem,
        .address = LINLI_STR("127.0.0.1:0"),
        .limits = limits,
        .handle = handle,
        .user = bed};
    bool ok = ll_world_new(&bed->mem, &bed->world, &err) == LINLI_OK &&
              ll_http_new(bed->world, &options, &bed->http, &err) == LINLI_OK;
    T_OK(ok);
    return ok;
}

static void
bed_close(struct bed *bed)
{
    ll_http_free(&bed->http);
    ll_world_free(&bed->world);
    T_INT(bed->mem.used_bytes, 0);
}

/* -- a client -- */

struct client {
    int fd;
    size_t n;
    bool closed;
    char *in;
};

static struct client
client_open(struct bed *bed)
{
    static char storage[4][CLIENT_BYTES];
    static unsigned next;
    struct client c = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    char address[64];
    c.in = storage[next++ % 4];
    ll_http_address(bed->http, address);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int64_t port = 0;
    linli_str text = ll_cstr(strrchr(address, ':') + 1);
    T_OK(ll_str_int(text, 1, 65535, &port));
    to.sin_port = htons((uint16_t)port);
    T_INT(connect(c.fd, (struct sockaddr *)&to, sizeof to), 0);
    (void)fcntl(c.fd, F_SETFL, O_NONBLOCK);
    return c;
}

static void
client_close(struct client *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
}

static void
client_send(struct client *c, linli_str bytes)
{
    T_INT(send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL), bytes.len);
}

static void
client_read(struct client *c)
{
    while (!c->closed && c->n < CLIENT_BYTES) {
        ssize_t got = recv(c->fd, c->in + c->n, CLIENT_BYTES - c->n, 0);
        if (got > 0)
            c->n += (size_t)got;
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            c->closed = true;
        else
            return;
    }
}

static linli_str
client_view(const struct client *c)
{
    return (linli_str){c->in, c->n};
}

static unsigned
count_of(linli_str text, const char *what)
{
    unsigned count = 0;
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= text.len; i++)
        count += memcmp(text.ptr + i, what, n) == 0;
    return count;
}

static void
turns(struct bed *bed, struct client *c, int ms)
{
    struct ll_mono end = {ll_mono_now().ns + (int64_t)ms * 1000000};
    do {
        ll_world_turn(bed->world, false);
        if (c != NULL)
            client_read(c);
        (void)poll(NULL, 0, 1);
    } while (ll_mono_now().ns < end.ns);
}

/* Turns the loop until the client got `text` `times` times; false if the
 * server did not answer in time. */
static bool
wait_text(struct bed *bed, struct client *c, const char *text, unsigned times)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        ll_world_turn(bed->world, false);
        client_read(c);
        if (count_of(client_view(c), text) >= times)
            return true;
        if (c->closed)
            return false;
        (void)poll(NULL, 0, 1);
    }
    return false;
}

static bool
wait_closed(struct bed *bed, struct client *c)
{
    for (int i = 0; i < PATIENCE_MS && !c->closed; i++) {
        ll_world_turn(bed->world, false);
        client_read(c);
        (void)poll(NULL, 0, 1);
    }
    return c->closed;
}

static bool
wait_handled(struct bed *bed, unsigned handled)
{
    for (int i = 0; i < PATIENCE_MS && bed->handled < handled; i++) {
        ll_world_turn(bed->world, false);
        (void)poll(NULL, 0, 1);
    }
    return bed->handled >= handled;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) \
    "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"

/* -- cases -- */

struct http_case {
    const char *name;
    unsigned handled;
    int refusal;
    linli_str bytes;
};

static const struct http_case cases[] = {
#define C(name, handled, refusal, bytes) \
    {name, handled, refusal, {bytes, sizeof(bytes) - 1}},
#include "../scenario/http_cases/cases.def"
#undef C
};

static void
check_case(struct bed *bed, const struct http_case *hc)
{
    struct client c = client_open(bed);
    unsigned before = bed->handled;
    char status[32];
    client_send(&c, hc->bytes);
    (void)shutdown(c.fd, SHUT_WR);
    bool closed = wait_closed(bed, &c);
    (void)snprintf(status, sizeof status, "HTTP/1.1 %d ", hc->refusal);
    unsigned answers = count_of(client_view(&c), "HTTP/1.1 2");
    unsigned refusals = count_of(client_view(&c), status);
    /* What was cut short by our shutdown is malformed, whatever else. */
    bool ok = closed && bed->handled - before == hc->handled &&
              answers == hc->handled &&
              refusals == (hc->refusal != 0 ? 1u : 0u);
    T_OK(ok);
    if (!ok)
        printf("#   case %s: %u handled, %u answers, got \"%.*s\"\n", hc->name,
            bed->handled - before, answers, LL_FMT(client_view(&c)));
    client_close(&c);
}

T_CASE(each_case_over_tcp)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    for (size_t i = 0; i < LL_COUNT(cases); i++)
        /* 100 Continue precedes its answer: a case of its own. */
        if (strcmp(cases[i].name, "expect-continue") != 0)
            check_case(&bed, &cases[i]);
    bed_close(&bed);
}

T_CASE(answers_in_order)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    bed.mode = HOLD;
    struct client c = client_open(&bed);
    client_send(&c, LINLI_STR(GET("/1") GET("/2") GET("/3") GET("/4")));
    T_OK(wait_handled(&bed, 4));
    release(&bed, 3);
    release(&bed, 1);
    turns(&bed, &c, 20);
    T_INT(c.n, 0);
    release(&bed, 0);
    T_OK(wait_text(&bed, &c, "GET /2", 1));
    T_INT(count_of(client_view(&c), "HTTP/1.1 200"), 2);
    release(&bed, 2);
    T_OK(wait_text(&bed, &c, "GET /4", 1));
    char *at[4] = {strstr(c.in, "GET /1"), strstr(c.in, "GET /2"),
        strstr(c.in, "GET /3"), strstr(c.in, "GET /4")};
    T_OK(at[0] < at[1] && at[1] < at[2] && at[2] < at[3]);
    client_close(&c);
    turns(&bed, NULL, 5);
    bed_close(&bed);
}

T_CASE(unsafe_requests_wait)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    bed.mode = HOLD;
    struct client c = client_open(&bed);
    client_send(&c, LINLI_STR(GET("/1") GET("/2") POST("/3") GET("/4")));
    T_OK(wait_handled(&bed, 2));
    turns(&bed, &c, 20);
    T_INT(bed.handled, 2);
    release(&bed, 1);
    turns(&bed, &c, 20);
    T_INT(bed.handled, 2);
    release(&bed, 0);
    T_OK(wait_handled(&bed, 3));
    turns(&bed, &c, 20);
    T_INT(bed.handled, 3);
    release(&bed, 2);
    T_OK(wait_handled(&bed, 4));
    release(&bed, 3);
    T_OK(wait_text(&bed, &c, "GET /4", 1));
    client_close(&c);
    turns(&bed, NULL, 5);
    bed_close(&bed);
}

T_CASE(pipeline_bound)
{
    struct bed bed;
    struct ll_buf many;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    bed.mode = HOLD;
    ll_buf_init(&many, &bed.mem, 1u << 20);
    for (int i = 0; i < 40; i++)
        ll_buf_cstr(&many, GET("/"));
    struct client c = client_open(&bed);
    client_send(&c, ll_buf_view(&many));
    T_OK(wait_handled(&bed, LL_HTTP_PIPELINE_MAX));
    turns(&bed, &c, 20);
    T_INT(bed.handled, LL_HTTP_PIPELINE_MAX);
    for (unsigned i = 0; i < 40; i++) {
        T_OK(wait_handled(&bed, i + 1));
        release(&bed, i);
    }
    T_OK(wait_text(&bed, &c, "HTTP/1.1 200", 40));
    ll_buf_fini(&many);
    client_close(&c);
    turns(&bed, NULL, 5);
    bed_close(&bed);
}

/* A client that sends and never reads makes the server stop reading. */
T_CASE(unread_answers_are_bounded)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.write_ms = 100}))
        return;
    bed.pad_bytes = 100000;
    struct client c = client_open(&bed);
    int small = 65536;
    (void)setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    linli_str one = LINLI_STR(GET("/"));
    size_t sent = 0;
    for (int i = 0; i < 300; i++) {
        ssize_t n = send(c.fd, one.ptr, one.len, MSG_NOSIGNAL);
        sent += n > 0;
        ll_world_turn(bed.world, false);
    }
    T_OK(sent > 100);
    T_OK(bed.mem.peak_bytes < 8u << 20);
    T_OK(bed.handled < 300);
    for (int i = 0;
         i < PATIENCE_MS && ll_http_stats(bed.http)->connections_open > 0; i++)
        turns(&bed, NULL, 1);
    T_INT(ll_http_stats(bed.http)->connections_open, 0);
    T_INT(ll_http_stats(bed.http)->timeouts, 1);
    client_close(&c);
    bed_close(&bed);
}

T_CASE(large_answers_arrive)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    bed.pad_bytes = 1u << 20;
    struct client c = client_open(&bed);
    client_send(&c, LINLI_STR(GET("/1") GET("/2") GET("/3")));
    (void)shutdown(c.fd, SHUT_WR);
    T_OK(wait_closed(&bed, &c));
    T_INT(count_of(client_view(&c), "HTTP/1.1 200 OK"), 3);
    T_OK(c.n > 3u << 20);
    client_close(&c);
    bed_close(&bed);
}

T_CASE(expect_continue)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    struct client c = client_open(&bed);
    client_send(&c, LINLI_STR("POST /x HTTP/1.1\r\nHost: a\r\n"
                              "Expect: 100-Continue\r\nContent-Length: 2"
                              "\r\n\r\n"));
    T_OK(wait_text(&bed, &c, "HTTP/1.1 100 Continue\r\n\r\n", 1));
    T_INT(bed.handled, 0);
    client_send(&c, LINLI_STR("hi"));
    T_OK(wait_text(&bed, &c, "POST /x", 1));
    T_INT(count_of(client_view(&c), "100 Continue"), 1);
    /* Too large: the final answer comes instead of leave to send. */
    c.n = 0;
    client_send(&c, LINLI_STR("POST /x HTTP/1.1\r\nHost: a\r\n"
                              "Expect: 100-continue\r\n"
                              "Content-Length: 99999999\r\n\r\n"));
    T_OK(wait_closed(&bed, &c));
    T_INT(count_of(client_view(&c), "HTTP/1.1 413"), 1);
    T_INT(count_of(client_view(&c), "100 Continue"), 0);
    client_close(&c);
    bed_close(&bed);
}

T_CASE(head_has_no_body)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    struct client c = client_open(&bed);
    client_send(&c,
        LINLI_STR("HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    T_OK(wait_closed(&bed, &c));
    T_INT(count_of(client_view(&c), "Content-Length: 6\r\n"), 1);
    T_INT(count_of(client_view(&c), "GET /x"), 0);
    T_INT(count_of(client_view(&c), "Connection: close\r\n"), 1);
    client_close(&c);
    bed_close(&bed);
}

T_CASE(http10_keeps_alive_when_asked)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    struct client c = client_open(&bed);
    client_send(
        &c, LINLI_STR("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    T_OK(wait_text(&bed, &c, "GET /1", 1));
    T_INT(count_of(client_view(&c), "Connection: keep-alive\r\n"), 1);
    client_send(&c, LINLI_STR("GET /2 HTTP/1.0\r\n\r\n"));
    T_OK(wait_closed(&bed, &c));
    T_INT(count_of(client_view(&c), "GET /2"), 1);
    client_close(&c);
    bed_close(&bed);
}

/* A refused request's answer is a problem in the caller's language. */
T_CASE(refusals_are_problems)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    struct client c = client_open(&bed);
    client_send(
        &c, LINLI_STR("TRACE /x HTTP/1.1\r\nHost: a\r\nAccept-Language: zh\r\n"
                      "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-"
                      "b7ad6b7169203331-01\r\n\r\n" GET("/never")));
    T_OK(wait_closed(&bed, &c));
    T_INT(count_of(client_view(&c), "application/problem+json"), 1);
    T_INT(count_of(client_view(&c), "\"code\":\"request/method\""), 1);
    T_INT(count_of(client_view(&c), "此路径不支持该方法"), 1);
    /* In the problem, and in the answer's own traceparent. */
    T_INT(count_of(client_view(&c), "0af7651916cd43dd8448eb211c80319c"), 2);
    T_INT(count_of(client_view(&c), "b7ad6b7169203331"), 0);
    T_INT(count_of(client_view(&c), "Content-Language: zh-CN"), 1);
    T_INT(bed.handled, 0);
    client_close(&c);
    bed_close(&bed);
}

T_CASE(bad_answers_become_500)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    bed.bad_header = "a\r\nSet-Cookie: b";
    struct client c = client_open(&bed);
    client_send(&c, LINLI_STR(GET("/x")));
    T_OK(wait_text(&bed, &c, "runtime/internal", 1));
    T_INT(count_of(client_view(&c), "HTTP/1.1 500"), 1);
    T_INT(count_of(client_view(&c), "Set-Cookie"), 0);
    client_close(&c);
    bed_close(&bed);
}

/* -- slow and vanishing peers -- */

static void
check_slow(struct ll_http_limits limits, linli_str bytes, const char *want)
{
    struct bed bed;
    if (!bed_open(&bed, limits))
        return;
    struct client c = client_open(&bed);
    if (bytes.len > 0)
        client_send(&c, bytes);
    T_OK(wait_closed(&bed, &c));
    if (want != NULL)
        T_INT(count_of(client_view(&c), want), 1);
    else
        T_INT(c.n, 0);
    T_INT(bed.handled, 0);
    T_INT(ll_http_stats(bed.http)->timeouts, 1);
    client_close(&c);
    bed_close(&bed);
}

T_CASE(slow_clients_time_out)
{
    check_slow((struct ll_http_limits){.header_ms = 40},
        LINLI_STR("GET / HTTP/1.1\r\nHo"), "HTTP/1.1 408 ");
    check_slow((struct ll_http_limits){.body_ms = 40},
        LINLI_STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nh"),
        "HTTP/1.1 408 ");
    check_slow((struct ll_http_limits){.body_ms = 40},
        LINLI_STR("POST / HTTP/1.1\r\nHost: a\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n5\r\nh"),
        "HTTP/1.1 408 ");
    check_slow(
        (struct ll_http_limits){.idle_ms = 40}, (linli_str){NULL, 0}, NULL);
}

/* A byte now and then does not renew the time for the head. */
T_CASE(trickling_does_not_help)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 60}))
        return;
    struct client c = client_open(&bed);
    client_send(&c, LINLI_STR("GET / HTTP/1.1\r\nHost: a\r\nX: "));
    for (int i = 0; i < 100 && !c.closed; i++) {
        (void)send(c.fd, "x", 1, MSG_NOSIGNAL);
        turns(&bed, &c, 5);
    }
    T_INT(count_of(client_view(&c), "HTTP/1.1 408 "), 1);
    client_close(&c);
    bed_close(&bed);
}

T_CASE(handlers_are_not_timed)
{
    struct bed bed;
    struct ll_http_limits all = {
        .header_ms = 30, .body_ms = 30, .idle_ms = 30, .write_ms = 30};
    if (!bed_open(&bed, all))
        return;
    bed.mode = HOLD;
    struct client c = client_open(&bed);
    client_send(&c, LINLI_STR(GET("/x")));
    T_OK(wait_handled(&bed, 1));
    turns(&bed, &c, 100);
    T_OK(!c.closed);
    release(&bed, 0);
    T_OK(wait_text(&bed, &c, "GET /x", 1));
    T_OK(wait_closed(&bed, &c));
    client_close(&c);
    bed_close(&bed);
}

T_CASE(half_closed_peer_is_answered)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    bed.mode = HOLD;
    struct client c = client_open(&bed);
    client_send(&c, LINLI_STR(GET("/1") POST("/2")));
    (void)shutdown(c.fd, SHUT_WR);
    T_OK(wait_handled(&bed, 1));
    turns(&bed, &c, 20);
    release(&bed, 0);
    T_OK(wait_handled(&bed, 2));
    release(&bed, 1);
    T_OK(wait_closed(&bed, &c));
    T_INT(count_of(client_view(&c), "HTTP/1.1 200"), 2);
    client_close(&c);
    bed_close(&bed);
}

T_CASE(answer_to_a_gone_peer)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    bed.mode = HOLD;
    struct client c = client_open(&bed);
    client_send(&c, LINLI_STR(GET("/1") GET("/2") POST("/3")));
    T_OK(wait_handled(&bed, 2));
    struct linger reset = {1, 0};
    (void)setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&c);
    turns(&bed, NULL, 20);
    T_INT(ll_http_stats(bed.http)->connections_open, 0);
    release(&bed, 1);
    release(&bed, 0);
    turns(&bed, NULL, 5);
    T_INT(bed.handled, 2); /* what nobody waits for is not begun */
    T_INT(ll_http_stats(bed.http)->requests_open, 0);
    bed_close(&bed);
}

T_CASE(connections_are_bounded)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.connections_max = 2}))
        return;
    struct client a = client_open(&bed), b = client_open(&bed);
    turns(&bed, NULL, 10);
    struct client c = client_open(&bed);
    T_OK(wait_closed(&bed, &c));
    T_INT(ll_http_stats(bed.http)->connections_refused, 1);
    client_send(&a, LINLI_STR(GET("/a")));
    T_OK(wait_text(&bed, &a, "GET /a", 1));
    client_close(&b);
    turns(&bed, NULL, 10);
    struct client d = client_open(&bed);
    client_send(&d, LINLI_STR(GET("/d")));
    T_OK(wait_text(&bed, &d, "GET /d", 1));
    client_close(&a);
    client_close(&c);
    client_close(&d);
    bed_close(&bed);
}

T_CASE(drain_answers_what_is_open)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    bed.mode = HOLD;
    struct client idle = client_open(&bed), open = client_open(&bed);
    struct client partial = client_open(&bed);
    client_send(&open, LINLI_STR(GET("/1") GET("/2")));
    client_send(&partial, LINLI_STR("GET /3 HTTP/1.1\r\nHo"));
    T_OK(wait_handled(&bed, 2));
    turns(&bed, NULL, 10);
    ll_http_drain(bed.http, on_drained, &bed);
    T_INT(bed.drained, 0);
    T_OK(wait_closed(&bed, &idle));
    T_INT(idle.n, 0);
    client_send(&partial, LINLI_STR("st: a\r\n\r\n" GET("/4")));
    T_OK(wait_handled(&bed, 3));
    turns(&bed, NULL, 10);
    T_INT(bed.drained, 0);
    for (unsigned i = 0; i < 3; i++)
        release(&bed, i);
    T_OK(wait_closed(&bed, &open));
    T_OK(wait_closed(&bed, &partial));
    T_INT(count_of(client_view(&open), "HTTP/1.1 200"), 2);
    T_INT(count_of(client_view(&open), "Connection: close"), 1);
    T_INT(count_of(client_view(&partial), "HTTP/1.1 200"), 1);
    T_INT(count_of(client_view(&partial), "Connection: close"), 1);
    T_INT(bed.handled, 3);
    turns(&bed, NULL, 10);
    T_INT(bed.drained, 1);
    client_close(&idle);
    client_close(&open);
    client_close(&partial);
    bed_close(&bed);
}

T_CASE(drain_of_nothing)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    ll_http_drain(bed.http, on_drained, &bed);
    T_INT(bed.drained, 0);
    turns(&bed, NULL, 10);
    T_INT(bed.drained, 1);
    bed_close(&bed);
}

/* -- faults -- */

T_CASE(port_in_use)
{
    struct bed bed;
    struct ll_err err = {.code = ""};
    struct ll_http *second = NULL;
    char address[64];
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    ll_http_address(bed.http, address);
    struct ll_http_options options = {.mem = &bed.mem,
        .address = ll_cstr(address),
        .handle = handle,
        .user = &bed};
    T_OK(ll_http_new(bed.world, &options, &second, &err) != LINLI_OK);
    T_OK(second == NULL);
    T_STR(ll_cstr(err.code), "listen/failed");
    bed_close(&bed);
}

/* Whichever allocation fails: an answer or a closed connection, no leak. */
T_CASE(each_allocation_may_fail)
{
    struct bed bed;
    if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
        return;
    for (uint64_t nth = 1; nth < 24; nth++) {
        bed.mem.fail_in = nth;
        struct client c = client_open(&bed);
        client_send(
            &c, LINLI_STR(GET("/1") POST("/2") "GET /3 HTTP/1.1\r\n\r\n"));
        (void)shutdown(c.fd, SHUT_WR);
        T_OK(wait_closed(&bed, &c) || bed.mem.fail_in == 0);
        bed.mem.fail_in = 0;
        client_close(&c);
        turns(&bed, NULL, 3);
    }
    bed_close(&bed);
}

T_CASE(many_servers_leave_nothing)
{
    for (int i = 0; i < 200; i++) {
        struct bed bed;
        if (!bed_open(&bed, (struct ll_http_limits){.header_ms = 0}))
            return;
        struct client c = client_open(&bed);
        client_send(&c, LINLI_STR(GET("/1")));
        T_OK(wait_text(&bed, &c, "GET /1", 1));
        client_close(&c);
        bed_close(&bed);
    }
}

/* clang-format off */
T_MAIN(
    T_RUN(each_case_over_tcp)
    T_RUN(answers_in_order)
    T_RUN(unsafe_requests_wait)
    T_RUN(pipeline_bound)
    T_RUN(unread_answers_are_bounded)
    T_RUN(large_answers_arrive)
    T_RUN(expect_continue)
    T_RUN(head_has_no_body)
    T_RUN(http10_keeps_alive_when_asked)
    T_RUN(refusals_are_problems)
    T_RUN(bad_answers_become_500)
    T_RUN(slow_clients_time_out)
    T_RUN(trickling_does_not_help)
    T_RUN(handlers_are_not_timed)
    T_RUN(half_closed_peer_is_answered)
    T_RUN(answer_to_a_gone_peer)
    T_RUN(connections_are_bounded)
    T_RUN(drain_answers_what_is_open)
    T_RUN(drain_of_nothing)
    T_RUN(port_in_use)
    T_RUN(each_allocation_may_fail)
    T_RUN(many_servers_leave_nothing))
