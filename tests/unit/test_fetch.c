/* tests/unit/test_fetch.c: world/fetch.h against a server that misbehaves. */
#include "world/fetch.h"

#include <stdlib.h>
#include <unistd.h>

#include "fake_dns.h"
#include "http_peer.h"

#define HEAD_BYTES_MAX 4096
#define BODY_BYTES_MAX 10000
#define FIELDS_MAX 16

/* -- fetches -- */

struct got {
    int times, judged;
    bool refuse;
    enum ll_fetch_end end;
    bool sent;
    uint32_t status, field_count;
    char detail[256], body[64], fields[512], peer[64];
    size_t body_len;
    struct ll_fetch *fetch;
    struct ll_fetch_pool **free_pool; /* by the callback */
};

static bool
judge(void *user, const struct ll_fetch_peer *peer)
{
    struct got *got = user;
    const uint8_t *b = peer->bytes;
    got->judged++;
    if (peer->v6)
        snprintf(got->peer, sizeof got->peer, "v6 %u..%u:%u", b[10], b[15],
            peer->port);
    else
        snprintf(got->peer, sizeof got->peer, "%u.%u.%u.%u:%u", b[0], b[1],
            b[2], b[3], peer->port);
    return !got->refuse;
}

static void
on_done(void *user, const struct ll_fetch_result *result)
{
    struct got *got = user;
    got->times++;
    ll_world_stop(world);
    got->fetch = NULL;
    got->end = result->end;
    got->sent = result->sent;
    got->status = result->status;
    got->field_count = result->field_count;
    got->body_len = result->body.len;
    snprintf(got->detail, sizeof got->detail, "%s",
        result->detail == NULL ? "" : result->detail);
    snprintf(got->body, sizeof got->body, "%.*s", LL_FMT(result->body));
    for (uint32_t i = 0; i < result->field_count; i++) {
        size_t used = strlen(got->fields);
        snprintf(got->fields + used, sizeof got->fields - used, "%.*s=%.*s;",
            LL_FMT(result->fields[i].name), LL_FMT(result->fields[i].value));
    }
    if (got->free_pool != NULL)
        ll_fetch_pool_free(got->free_pool);
}

static struct ll_fetch_pool *
pool_new(void)
{
    struct ll_fetch_pool *pool =
        ll_fetch_pool_new(world, (struct ll_fetch_pool_options){
                                     .idle_connections = 2, .idle_ms = 60000});
    T_OK(pool != NULL);
    return pool;
}

static struct ll_fetch_want
want_of(const char *method, const char *url, struct got *got)
{
    static char connect_to[128];
    snprintf(connect_to, sizeof connect_to, "good.test:80:%s", address);
    return (struct ll_fetch_want){.method = ll_cstr(method),
        .url = ll_cstr(url),
        .connect_to = ll_cstr(connect_to),
        .connect_ms = 5000,
        .timeout_ms = 20000,
        .header_bytes_max = HEAD_BYTES_MAX,
        .body_bytes_max = BODY_BYTES_MAX,
        .fields_max = FIELDS_MAX,
        .judge = judge,
        .done = on_done,
        .user = got};
}

static void
run(struct ll_fetch_pool *pool, struct ll_fetch_want *want, struct got *got)
{
    struct ll_err err = {.status = LINLI_OK};
    T_INT(ll_fetch_start(pool, want, &got->fetch, &err), LINLI_OK);
    T_INT(got->times, 0);
    while (err.status == LINLI_OK && got->times == 0)
        ll_world_run(world);
    T_INT(got->times, 1);
}

/* One GET of the server in a pool of its own. */
static struct got
get(const char *path)
{
    char url[128];
    struct got got = {.times = 0};
    struct ll_fetch_pool *pool = pool_new();
    snprintf(url, sizeof url, "http://good.test%s", path);
    struct ll_fetch_want want = want_of("GET", url, &got);
    run(pool, &want, &got);
    ll_fetch_pool_free(&pool);
    return got;
}

T_CASE(an_answer_comes_whole)
{
    peer_begin();
    struct got got = get("/hello");
    T_INT(got.end, LL_FETCH_ANSWERED);
    T_INT(got.status, 200);
    T_INT(got.judged, 1);
    T_OK(got.sent);
    T_STR(ll_cstr(got.peer), address);
    T_STR(ll_cstr(got.body), "hi");
    T_STR(ll_cstr(got.fields), "x-one=1;content-length=2;");
    peer_end();
}

T_CASE(the_request_says_what_it_was_told_to)
{
    static const linli_str headers[] = {
        LINLI_STR("X-Own: 1"), LINLI_STR("Content-Type: text/plain")};
    struct got got = {.times = 0};
    peer_begin();
    struct ll_fetch_pool *pool = pool_new();
    struct ll_fetch_want want = want_of("PUT", "http://good.test/hello", &got);
    want.headers = headers;
    want.header_count = 2;
    want.body = LINLI_STR("body!");
    run(pool, &want, &got);
    T_INT(got.status, 200);
    T_STR(ll_cstr(last_request),
        "PUT /hello HTTP/1.1\r\nHost: good.test\r\nAccept: */*\r\n"
        "X-Own: 1\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
        "body!");
    got = (struct got){.times = 0};
    want = want_of("HEAD", "http://good.test/hello", &got);
    run(pool, &want, &got);
    T_INT(got.status, 200);
    T_INT(got.body_len, 0);
    ll_fetch_pool_free(&pool);
    peer_end();
}

T_CASE(interim_answers_and_trailers_are_left_out)
{
    peer_begin();
    struct got got = get("/hints");
    T_INT(got.end, LL_FETCH_ANSWERED);
    T_INT(got.status, 201);
    T_STR(ll_cstr(got.body), "ok");
    T_STR(ll_cstr(got.fields), "x-two=2;transfer-encoding=chunked;");
    peer_end();
}

/* Whatever is endless ends at its limit. */
T_CASE(too_much_is_refused)
{
    static const char *const paths[] = {
        "/endless", "/chunks", "/huge", "/heads", "/head", "/interim"};
    peer_begin();
    for (size_t i = 0; i < LL_COUNT(paths); i++) {
        struct got got = get(paths[i]);
        T_INT(got.end, LL_FETCH_TOO_LARGE);
        T_OK(strstr(got.detail, "larger") != NULL ||
             strstr(got.detail, "too large") != NULL);
        T_OK(got.sent);
        T_INT(got.status, 0);
        T_INT(got.body_len, 0);
    }
    peer_end();
}

T_CASE(what_is_no_answer_is_broken)
{
    static const char *const paths[] = {"/gone", "/short", "/old"};
    peer_begin();
    for (size_t i = 0; i < LL_COUNT(paths); i++) {
        struct got got = get(paths[i]);
        T_INT(got.end, LL_FETCH_BROKEN);
        T_OK(got.detail[0] != '\0' && got.sent);
    }
    peer_end();
}

T_CASE(what_takes_too_long_ends)
{
    static const char *const urls[] = {
        "http://good.test/silent", "http://good.test/stuck"};
    peer_begin();
    for (size_t i = 0; i < LL_COUNT(urls); i++) {
        struct got got = {.times = 0};
        struct ll_fetch_pool *pool = pool_new();
        struct ll_fetch_want want = want_of("GET", urls[i], &got);
        want.timeout_ms = 200;
        run(pool, &want, &got);
        T_INT(got.end, LL_FETCH_TIMEOUT);
        T_OK(got.sent);
        ll_fetch_pool_free(&pool);
    }
    peer_end();
}

T_CASE(no_encoding_cookie_or_login_is_known)
{
    peer_begin();
    struct ll_fetch_pool *pool = pool_new();
    struct got got = {.times = 0};
    struct ll_fetch_want want = want_of("GET", "http://good.test/zipped", &got);
    run(pool, &want, &got);
    T_INT(got.end, LL_FETCH_ANSWERED);
    T_STR(ll_cstr(got.body), "\x1f\x8b!");
    T_OK(strcasestr(last_request, "accept-encoding") == NULL);
    for (int i = 0; i < 2; i++) {
        got = (struct got){.times = 0};
        want = want_of("GET", "http://good.test/cookie", &got);
        run(pool, &want, &got);
        T_INT(got.status, 200);
        T_OK(strcasestr(last_request, "cookie:") == NULL);
    }
    int before = requests;
    got = (struct got){.times = 0};
    want = want_of("GET", "http://good.test/login", &got);
    run(pool, &want, &got);
    T_INT(got.status, 401);
    got = (struct got){.times = 0};
    want = want_of("GET", "http://good.test/there", &got);
    run(pool, &want, &got);
    T_INT(got.status, 302);
    T_INT(requests, before + 2);
    ll_fetch_pool_free(&pool);
    peer_end();
}

T_CASE(connections_are_reused_within_a_pool)
{
    struct got got = {.times = 0};
    peer_begin();
    struct ll_fetch_pool *pools[2] = {pool_new(), pool_new()};
    for (int i = 0; i < 4; i++) {
        got = (struct got){.times = 0};
        struct ll_fetch_want want =
            want_of("GET", "http://good.test/hello", &got);
        run(pools[i / 3], &want, &got);
        T_INT(got.status, 200);
        T_INT(got.judged, i == 0 || i == 3);
    }
    T_INT(connections, 2);
    ll_fetch_pool_free(&pools[0]);
    ll_fetch_pool_free(&pools[1]);
    peer_end();
}

/* -- the judge -- */

static void
check_judged_at(const char *url, const char *connect_to, const char *peer)
{
    struct got got = {.refuse = true};
    struct ll_fetch_pool *pool = pool_new();
    struct ll_fetch_want want = want_of("GET", url, &got);
    want.connect_to = ll_cstr(connect_to);
    run(pool, &want, &got);
    T_INT(got.end, LL_FETCH_REFUSED);
    T_OK(!got.sent && got.judged >= 1);
    if (peer != NULL)
        T_STR(ll_cstr(got.peer), peer);
    ll_fetch_pool_free(&pool);
}

static void
check_judged(const char *url, const char *peer)
{
    check_judged_at(url, "", peer);
}

/* A fixed address is judged as any other, and is of that host and port only. */
T_CASE(fixed_addresses_are_judged)
{
    static const char *const rows[][3] = {
        {"http://good.test/", "good.test:80:10.0.0.5:81", "10.0.0.5:81"},
        {"http://good.test/", "good.test:80:[::1]:81", "v6 0..1:81"},
        {"http://[fd00::5]/", "[fd00::5]:80:[fd00::6]:80", "v6 0..6:80"},
        {"http://10.0.0.5:82/", "10.0.0.5:82:10.0.0.5:82", "10.0.0.5:82"},
        {"http://10.0.0.5/", "10.0.0.5:82:10.0.0.6:82", "10.0.0.5:80"},
    };
    peer_begin();
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        check_judged_at(rows[i][0], rows[i][1], rows[i][2]);
    T_INT(connections, 0);
    peer_end();
}

/* However libcurl reads a host, the judge sees the address that it means. */
T_CASE(every_spelling_is_judged)
{
    static const char *const rows[][2] = {
        {"http://127.0.0.1/", "127.0.0.1:80"},
        {"http://2130706433/", "127.0.0.1:80"},
        {"http://0177.0.0.1:8080/", "127.0.0.1:8080"},
        {"http://0x7f000001/", "127.0.0.1:80"},
        {"http://127.1/", "127.0.0.1:80"},
        {"http://0/", "0.0.0.0:80"},
        {"https://10.0.0.1/", "10.0.0.1:443"},
        {"http://169.254.169.254/", "169.254.169.254:80"},
        {"http://[::1]/", "v6 0..1:80"},
        {"http://[::ffff:127.0.0.1]:81/", "v6 255..1:81"},
        {"http://localhost/", NULL},
    };
    peer_begin();
    for (size_t i = 0; i < LL_COUNT(rows); i++)
        check_judged(rows[i][0], rows[i][1]);
    T_INT(connections, 0);
    peer_end();
}

/* Whatever DNS says is judged, each time it is asked. */
T_CASE(addresses_of_names_are_judged)
{
    char url[80];
    const char *port;
    struct got got = {.times = 0};
    peer_begin();
    dns_asked = 0;
    check_judged("http://private.test/", "10.0.0.5:80");
    check_judged("https://metadata.test/", "169.254.169.254:443");
    check_judged("http://mapped.test/", "v6 255..5:80");
    T_INT(dns_asked, 3);
    port = strchr(address, ':') + 1;
    snprintf(url, sizeof url, "http://near.test:%s/hello", port);
    struct ll_fetch_pool *pool = pool_new();
    struct ll_fetch_want want = want_of("GET", url, &got);
    run(pool, &want, &got);
    T_INT(got.status, 200);
    T_STR(ll_cstr(got.peer), address);
    ll_fetch_pool_free(&pool);
    peer_end();
}

T_CASE(no_proxy_comes_from_the_environment)
{
    static const char *const names[] = {
        "http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"};
    char proxy[80];
    peer_begin();
    snprintf(proxy, sizeof proxy, "http://%s", address);
    for (size_t i = 0; i < LL_COUNT(names); i++)
        (void)setenv(names[i], proxy, 1);
    check_judged("http://192.0.2.1/", "192.0.2.1:80");
    check_judged("https://192.0.2.1/", "192.0.2.1:443");
    for (size_t i = 0; i < LL_COUNT(names); i++)
        (void)unsetenv(names[i]);
    T_INT(connections, 0);
    peer_end();
}

T_CASE(schemes_and_users_are_refused)
{
    static const char *const urls[] = {"ftp://good.test/", "file:///etc/passwd",
        "gopher://good.test/", "http://u:p@good.test/", "http://"};
    peer_begin();
    for (size_t i = 0; i < LL_COUNT(urls); i++) {
        struct got got = {.times = 0};
        struct ll_err err = {.status = LINLI_OK};
        struct ll_fetch_pool *pool = pool_new();
        struct ll_fetch_want want = want_of("GET", urls[i], &got);
        if (ll_fetch_start(pool, &want, &got.fetch, &err) == LINLI_OK)
            while (got.times == 0)
                ll_world_run(world);
        T_OK(err.status != LINLI_OK || got.end == LL_FETCH_BROKEN);
        T_INT(got.judged, 0);
        ll_fetch_pool_free(&pool);
    }
    T_INT(requests, 0);
    peer_end();
}

/* -- connections that do not come about -- */

T_CASE(nobody_there_is_unreachable)
{
    struct got got = {.times = 0};
    peer_begin();
    ll_listener_free(&listener);
    struct ll_fetch_pool *pool = pool_new();
    struct ll_fetch_want want = want_of("POST", "http://good.test/", &got);
    run(pool, &want, &got);
    T_INT(got.end, LL_FETCH_UNREACHABLE);
    T_OK(!got.sent && got.judged == 1);
    got = (struct got){.times = 0};
    want = want_of("GET", "http://none.test/", &got);
    run(pool, &want, &got);
    T_INT(got.end, LL_FETCH_UNREACHABLE);
    T_OK(!got.sent && got.judged == 0);
    ll_fetch_pool_free(&pool);
    peer_end();
}

T_CASE(no_tls_is_no_answer)
{
    char connect_to[128];
    struct got got = {.times = 0};
    peer_begin();
    struct ll_fetch_pool *pool = pool_new();
    struct ll_fetch_want want = want_of("GET", "https://good.test/", &got);
    snprintf(connect_to, sizeof connect_to, "good.test:443:%s", address);
    want.connect_to = ll_cstr(connect_to);
    want.timeout_ms = 1000; /* the server says nothing to a handshake */
    run(pool, &want, &got);
    T_INT(got.end, LL_FETCH_UNREACHABLE);
    T_INT(requests, 0);
    T_OK(!got.sent);
    ll_fetch_pool_free(&pool);
    peer_end();
}

/* A resolver that hangs holds up nothing: not the end of the fetch, nor one
 * that is cancelled, nor the end of the pool. */
T_CASE(names_are_looked_up_off_the_loop)
{
    struct got got = {.times = 0}, other = {.times = 0};
    peer_begin();
    dns_hangs = true;
    dns_asked = 0;
    struct ll_fetch_pool *pool = pool_new();
    struct ll_fetch_want want = want_of("GET", "http://hangs.test/", &got);
    want.timeout_ms = 300;
    run(pool, &want, &got);
    T_INT(got.end, LL_FETCH_UNREACHABLE);
    T_OK(!got.sent);
    want = want_of("GET", "http://hangs.test/", &got);
    T_INT(ll_fetch_start(pool, &want, &got.fetch, NULL), LINLI_OK);
    want = want_of("GET", "http://good.test/hello", &other);
    run(pool, &want, &other);
    T_INT(other.status, 200);
    ll_fetch_cancel(&got.fetch);
    want = want_of("GET", "http://hangs.test/", &got);
    T_INT(ll_fetch_start(pool, &want, &got.fetch, NULL), LINLI_OK);
    while (dns_asked < 3)
        ll_world_turn(world, false);
    ll_fetch_pool_free(&pool);
    T_INT(got.times, 1);
    dns_hangs = false;
    peer_end();
}

/* -- ends of our own -- */

T_CASE(a_cancelled_fetch_says_nothing)
{
    struct got got = {.times = 0}, other = {.times = 0};
    peer_begin();
    dns_hangs = true;
    struct ll_fetch_pool *pool = pool_new();
    struct ll_fetch_want want = want_of("GET", "http://good.test/silent", &got);
    /* Before anything, and while it waits for the answer. */
    T_INT(ll_fetch_start(pool, &want, &got.fetch, NULL), LINLI_OK);
    ll_fetch_cancel(&got.fetch);
    T_INT(ll_fetch_start(pool, &want, &got.fetch, NULL), LINLI_OK);
    while (requests == 0)
        ll_world_turn(world, true);
    ll_fetch_cancel(&got.fetch);
    /* While its name is looked up. */
    struct ll_fetch_want named = want_of("GET", "http://hangs.test/", &got);
    T_INT(ll_fetch_start(pool, &named, &got.fetch, NULL), LINLI_OK);
    ll_world_turn(world, false);
    ll_fetch_cancel(&got.fetch);
    want = want_of("GET", "http://good.test/hello", &other);
    run(pool, &want, &other);
    T_INT(other.status, 200);
    T_INT(got.times, 0);
    /* With the pool. */
    want = want_of("GET", "http://good.test/silent", &got);
    T_INT(ll_fetch_start(pool, &want, &got.fetch, NULL), LINLI_OK);
    T_INT(ll_fetch_start(pool, &named, &other.fetch, NULL), LINLI_OK);
    ll_world_turn(world, false);
    ll_fetch_pool_free(&pool);
    T_INT(got.times, 0);
    dns_hangs = false;
    peer_end();
}

T_CASE(the_pool_may_go_in_a_callback)
{
    struct got got = {.times = 0}, other = {.times = 0};
    peer_begin();
    struct ll_fetch_pool *pool = pool_new();
    struct ll_fetch_want want =
        want_of("GET", "http://good.test/silent", &other);
    T_INT(ll_fetch_start(pool, &want, &other.fetch, NULL), LINLI_OK);
    want = want_of("GET", "http://good.test/hello", &got);
    got.free_pool = &pool;
    run(pool, &want, &got);
    T_INT(got.status, 200);
    T_OK(pool == NULL);
    T_INT(other.times, 0);
    peer_end();
}

T_CASE(an_idle_pool_closes_its_connections)
{
    struct got got = {.times = 0};
    peer_begin();
    struct ll_fetch_pool *pool = ll_fetch_pool_new(world,
        (struct ll_fetch_pool_options){.idle_connections = 2, .idle_ms = 1});
    struct ll_fetch_want want = want_of("GET", "http://good.test/hello", &got);
    run(pool, &want, &got);
    while (peers->conn != NULL)
        ll_world_turn(world, true);
    got = (struct got){.times = 0};
    run(pool, &want, &got);
    T_INT(got.status, 200);
    T_INT(connections, 2);
    ll_fetch_pool_free(&pool);
    peer_end();
}

/* Memory of ours that is missing ends the fetch, and nothing else. */
T_CASE(memory_may_be_missing)
{
    bool all = false;
    peer_begin();
    for (uint64_t n = 1; !all; n++) {
        struct got got = {.times = 0};
        struct ll_fetch_want want =
            want_of("GET", "http://good.test/hints", &got);
        mem.fail_in = n;
        struct ll_fetch_pool *pool = ll_fetch_pool_new(
            world, (struct ll_fetch_pool_options){
                       .idle_connections = 2, .idle_ms = 60000});
        if (pool != NULL &&
            ll_fetch_start(pool, &want, &got.fetch, NULL) == LINLI_OK) {
            /* The server's memory is not to fail. */
            uint64_t left = mem.fail_in;
            all = left > 0;
            mem.fail_in = 0;
            while (got.times == 0)
                ll_world_run(world);
            T_INT(got.end, LL_FETCH_ANSWERED);
        }
        mem.fail_in = 0;
        ll_fetch_pool_free(&pool);
    }
    T_INT(requests, 1);
    peer_end();
}

/* clang-format off */
T_MAIN(
    T_RUN(an_answer_comes_whole)
    T_RUN(the_request_says_what_it_was_told_to)
    T_RUN(interim_answers_and_trailers_are_left_out)
    T_RUN(too_much_is_refused)
    T_RUN(what_is_no_answer_is_broken)
    T_RUN(what_takes_too_long_ends)
    T_RUN(no_encoding_cookie_or_login_is_known)
    T_RUN(connections_are_reused_within_a_pool)
    T_RUN(fixed_addresses_are_judged)
    T_RUN(every_spelling_is_judged)
    T_RUN(addresses_of_names_are_judged)
    T_RUN(no_proxy_comes_from_the_environment)
    T_RUN(schemes_and_users_are_refused)
    T_RUN(nobody_there_is_unreachable)
    T_RUN(no_tls_is_no_answer)
    T_RUN(names_are_looked_up_off_the_loop)
    T_RUN(a_cancelled_fetch_says_nothing)
    T_RUN(the_pool_may_go_in_a_callback)
    T_RUN(an_idle_pool_closes_its_connections)
    T_RUN(memory_may_be_missing))
