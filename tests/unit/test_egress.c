/* tests/unit/test_egress.c: what plugins may send, and what becomes of it. */
#include "host/egress.h"

#include "fake_dns.h"
#include "http_peer.h"

#define MANIFEST                                                             \
    "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":"         \
    "\"lua\",\"main\":\"main.lua\",\"egress\":[\"http://good.test\","        \
    "\"http://other.test\",\"https://safe.test\",\"http://localhost\","      \
    "\"http://127.0.0.1\",\"http://[::1]\",\"http://[::ffff:127.0.0.1]\","   \
    "\"http://erp.test:%s\",\"http://off.test:%s\",\"http://127.0.0.1:%s\"," \
    "\"http://nobody.test\",\"http://private.test\","                        \
    "\"https://metadata.test\",\"http://mapped.test\"]}"

/* Where redirects lead. */
static const struct behaviour redirects[] = {
    {"/r302", "HTTP/1.1 302 Found\r\nLocation: hello\r\n\r\n", NULL, true},
    {"/r303", "HTTP/1.1 303 See\r\nLocation: /hello\r\n\r\n", NULL, true},
    {"/r307", "HTTP/1.1 307 Go\r\nLocation: /hello\r\n\r\n", NULL, true},
    {"/r308", "HTTP/1.1 308 Go\r\nLocation: /hello\r\n\r\n", NULL, true},
    {"/r300", "HTTP/1.1 300 Many\r\nLocation: /hello\r\n\r\n", NULL, true},
    {"/nowhere", "HTTP/1.1 302 Found\r\n\r\n", NULL, true},
    {"/other", "HTTP/1.1 307 Go\r\nLocation: http://other.test/hello\r\n\r\n",
        NULL, true},
    {"/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\n\r\n", NULL, true},
    {"/1", "HTTP/1.1 302 Found\r\nLocation: /2\r\n\r\n", NULL, true},
    {"/2", "HTTP/1.1 302 Found\r\nLocation: /3\r\n\r\n", NULL, true},
    {"/3", "HTTP/1.1 302 Found\r\nLocation: /4\r\n\r\n", NULL, true},
    {"/4", "HTTP/1.1 302 Found\r\nLocation: /5\r\n\r\n", NULL, true},
    {"/5", "HTTP/1.1 302 Found\r\nLocation: /hello\r\n\r\n", NULL, true},
    {"/away", "HTTP/1.1 302 Found\r\nLocation: http://evil.test/\r\n\r\n", NULL,
        true},
    {"/inside", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
        NULL, true},
    {"/admin", "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n", NULL,
        true},
    {"/number", "HTTP/1.1 302 Found\r\nLocation: http://2130706433/\r\n\r\n",
        NULL, true},
    {"/file", "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
        NULL, true},
    {"/user", "HTTP/1.1 302 Found\r\nLocation: http://a@good.test/\r\n\r\n",
        NULL, true},
    {NULL, NULL, NULL, false},
};

/* -- a host with one plugin, as far as egress looks at it -- */

static struct {
    struct ll_host host;
    struct ll_community community;
    struct ll_instance instance;
    struct ll_package package;
    int lines;
    char log[1024];
} h;

static void
on_line(void *user, linli_str line)
{
    (void)user;
    h.lines++;
    snprintf(h.log, sizeof h.log, "%.*s", LL_FMT(line));
}

static void
host_open(const char *config)
{
    char text[2048], manifest[1024];
    struct ll_err err;
    const char *port = strchr(address, ':') + 1;
    memset(&h, 0, sizeof h);
    ll_mem_init(&h.host.mem, 0);
    h.host.world = world;
    snprintf(text, sizeof text,
        "{\"egress\":{\"test_addresses\":{\"good.test:80\":\"%s\","
        "\"other.test:80\":\"%s\",\"safe.test:443\":\"%s\","
        "\"nobody.test:80\":\"127.0.0.1:1\"},"
        "\"allow_private\":[{\"plugin\":\"probe\",\"host\":\"erp.test\","
        "\"address\":\"127.0.0.1\"},{\"plugin\":\"another\","
        "\"host\":\"off.test\",\"address\":\"127.0.0.1\"}]}%s}",
        address, address, address, config);
    snprintf(manifest, sizeof manifest, MANIFEST, port, port, port);
    T_INT(
        ll_config_read(&h.host.config, &h.host.mem, ll_cstr(text), true, &err),
        LINLI_OK);
    T_INT(ll_manifest_read(
              &h.host.mem, ll_cstr(manifest), &h.package.manifest, &err),
        LINLI_OK);
    ll_log_init(&h.host.log, &h.host.mem, world);
    h.host.log.sink = on_line;
    h.community.id = LINLI_STR("garden");
    h.community.host = &h.host;
    h.instance.host = &h.host;
    h.instance.community = &h.community;
    h.instance.id = LINLI_STR("probe");
    h.instance.package = &h.package;
}

static void
begin(const char *config)
{
    peer_begin();
    peer_more = redirects;
    host_open(config);
}

static void
end(void)
{
    ll_egress_close(&h.instance);
    ll_manifest_free(&h.package.manifest);
    ll_config_fini(&h.host.config);
    ll_log_fini(&h.host.log);
    T_INT(h.host.mem.used_bytes, 0);
    peer_end();
}

/* -- requests -- */

struct got {
    int times;
    bool ok;
    uint32_t status;
    char code[48], detail[300], body[64];
    struct ll_egress *egress;
};

static void
on_done(void *user, const struct ll_egress_result *result)
{
    struct got *got = user;
    got->times++;
    got->egress = NULL;
    got->ok = result->ok;
    got->status = result->status;
    snprintf(got->body, sizeof got->body, "%.*s", LL_FMT(result->body));
    snprintf(got->code, sizeof got->code, "%s",
        result->code == NULL ? "" : result->code);
    snprintf(got->detail, sizeof got->detail, "%s",
        result->detail == NULL ? "" : result->detail);
    ll_world_stop(world);
}

static struct ll_egress_want
want_of(const char *method, const char *url, struct got *got)
{
    return (struct ll_egress_want){.method = ll_cstr(method),
        .url = ll_cstr(url),
        .key = LINLI_STR("errand-1"),
        .done = on_done,
        .user = got};
}

/* Sends it and waits; a refusal of the start counts as its end. */
static void
run(const struct ll_egress_want *want, struct got *got)
{
    struct ll_err err;
    linli_status status =
        ll_egress_start(&h.instance, want, &got->egress, &err);
    if (status != LINLI_OK) {
        T_INT(got->times, 0);
        snprintf(got->code, sizeof got->code, "%s", err.code);
        snprintf(got->detail, sizeof got->detail, "%s", err.msg);
        return;
    }
    while (got->times == 0)
        ll_world_run(world);
    T_INT(got->times, 1);
}

static struct got
get(const char *url)
{
    struct got got = {.times = 0};
    struct ll_egress_want want = want_of("GET", url, &got);
    run(&want, &got);
    return got;
}

/* It ends with this code, which is a line of the log. */
static void
check_fails(const char *url, const char *code, const char *says)
{
    int before = h.lines;
    struct got got = get(url);
    T_OK(!got.ok);
    T_STR(ll_cstr(got.code), code);
    T_OK(strstr(got.detail, says) != NULL);
    T_INT(h.lines, before + 1);
    T_OK(strstr(h.log, code) != NULL);
    T_OK(strstr(h.log, says) != NULL);
    T_OK(strstr(h.log, "\"plugin\":\"probe\"") != NULL);
    if (strcmp(got.code, code) != 0 || strstr(got.detail, says) == NULL)
        printf("# %s: %s: %s\n", url, got.code, got.detail);
}

T_CASE(an_answer_comes_and_says_who_asked)
{
    static const struct ll_egress_header headers[] = {
        {LINLI_STR("X-Own"), LINLI_STR("1")},
        {LINLI_STR("X-Empty"), LINLI_STR("")}};
    struct got got = {.times = 0};
    begin("");
    struct ll_egress_want want =
        want_of("POST", "http://GOOD.test/hello#x", &got);
    want.headers = headers;
    want.header_count = 2;
    want.body = LINLI_STR("{}");
    (void)ll_trace_make(
        LINLI_STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        (struct ll_trace_seed){1, 2, 3}, &want.trace);
    run(&want, &got);
    T_OK(got.ok);
    T_INT(got.status, 200);
    T_STR(ll_cstr(got.body), "hi");
    T_STR(ll_cstr(last_request),
        "POST /hello HTTP/1.1\r\nHost: good.test\r\nAccept: */*\r\n"
        "X-Own: 1\r\nX-Empty:\r\nIdempotency-Key: errand-1\r\n"
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-"
        "0000000000000003-01\r\nUser-Agent: linli\r\n"
        "Content-Length: 2\r\n\r\n{}");
    T_INT(h.lines, 0);
    end();
}

T_CASE(only_declared_hosts_are_asked)
{
    begin("");
    check_fails("http://evil.test/", "egress/undeclared", "http://evil.test");
    check_fails("https://good.test/", "egress/undeclared", "https://good.test");
    check_fails(
        "http://good.test:81/", "egress/undeclared", "http://good.test:81");
    check_fails("http://x.good.test/", "egress/undeclared", "x.good.test");
    check_fails("http://good.test.evil.test/", "egress/undeclared", "evil");
    check_fails("http://10.0.0.1/", "egress/undeclared", "10.0.0.1");
    check_fails("http://good.test@evil.test/", "egress/invalid", "user");
    check_fails("http://2130706433/", "egress/invalid", "decimal");
    check_fails("file:///etc/passwd", "egress/invalid", "http");
    h.instance.package = NULL;
    check_fails("http://good.test/hello", "egress/undeclared", "good.test");
    T_INT(connections, 0);
    end();
}

/* Declared or not: the address decides. */
T_CASE(private_addresses_are_refused)
{
    begin("");
    check_fails("http://127.0.0.1/", "egress/refused", "loopback, RFC 1122");
    check_fails("http://[::1]/", "egress/refused", "loopback, RFC 4291");
    check_fails("http://[::ffff:127.0.0.1]/", "egress/refused", "mapped");
    check_fails("http://localhost/", "egress/refused", "loopback");
    check_fails("http://private.test/", "egress/refused",
        "10.0.0.5:80 is private, RFC 1918");
    check_fails("https://metadata.test/", "egress/refused", "link-local");
    check_fails("http://mapped.test/", "egress/refused", "IPv4-mapped");
    T_INT(connections, 0);
    end();
}

T_CASE(an_operator_allows_one_host_for_one_plugin)
{
    char url[80];
    const char *port;
    begin("");
    port = strchr(address, ':') + 1;
    snprintf(url, sizeof url, "http://erp.test:%s/hello", port);
    struct got got = get(url);
    T_OK(got.ok);
    T_STR(ll_cstr(got.body), "hi");
    /* Allowed to another; without that there is no such name. */
    snprintf(url, sizeof url, "http://off.test:%s/hello", port);
    check_fails(url, "egress/unreachable", "off.test");
    h.host.config.egress[h.host.config.egress_count - 1].plugin =
        LINLI_STR("probe");
    h.host.config.egress[h.host.config.egress_count - 1].community =
        LINLI_STR("elsewhere");
    check_fails(url, "egress/unreachable", "off.test");
    h.host.config.egress[h.host.config.egress_count - 1].community =
        LINLI_STR("garden");
    T_OK(get(url).ok);
    /* An address may be a host; another port of it is another host. */
    snprintf(url, sizeof url, "http://127.0.0.1:%s/hello", port);
    check_fails(url, "egress/refused", "loopback");
    h.host.config.egress[h.host.config.egress_count - 1].host =
        LINLI_STR("127.0.0.1");
    T_OK(get(url).ok);
    T_INT(requests, 3);
    end();
}

/* -- redirects -- */

static struct got
send_to(const char *method, const char *url)
{
    static const struct ll_egress_header headers[] = {
        {LINLI_STR("Authorization"), LINLI_STR("Bearer x")},
        {LINLI_STR("Content-Type"), LINLI_STR("text/plain")},
        {LINLI_STR("Accept"), LINLI_STR("a/b")}};
    struct got got = {.times = 0};
    struct ll_egress_want want = want_of(method, url, &got);
    want.headers = headers;
    want.header_count = 3;
    if (strcmp(method, "GET") != 0)
        want.body = LINLI_STR("body!");
    run(&want, &got);
    return got;
}

T_CASE(redirects_change_the_method_as_browsers_do)
{
    static const struct {
        const char *method, *url;
        bool kept; /* method and body */
    } rows[] = {
        {"POST", "http://good.test/r302", false},
        {"POST", "http://good.test/r303", false},
        {"POST", "http://good.test/r307", true},
        {"POST", "http://good.test/r308", true},
        {"PUT", "http://good.test/r302", true},
        {"PUT", "http://good.test/r303", false},
    };
    begin("");
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct got got = send_to(rows[i].method, rows[i].url);
        bool type = strstr(last_request, "Content-Type: text/plain") != NULL;
        bool body = strstr(last_request, "body!") != NULL;
        T_OK(got.ok && got.status == 200);
        T_OK(strncmp(last_request, rows[i].kept ? rows[i].method : "GET", 3) ==
             0);
        T_INT(body, rows[i].kept);
        T_INT(type, rows[i].kept);
        T_OK(strstr(last_request, "Authorization: Bearer x") != NULL);
        T_OK(strstr(last_request, "Idempotency-Key: errand-1") != NULL);
    }
    T_INT(get("http://good.test/r300").status, 300);
    T_INT(get("http://good.test/nowhere").status, 302);
    T_INT(h.lines, 0);
    end();
}

T_CASE(headers_and_bodies_stay_with_their_host)
{
    begin("");
    struct got got = send_to("GET", "http://good.test/other");
    T_OK(got.ok);
    T_OK(strstr(last_request, "Host: other.test") != NULL);
    T_OK(strstr(last_request, "Authorization") == NULL);
    T_OK(strstr(last_request, "Accept: a/b") != NULL);
    int before = requests;
    got = send_to("POST", "http://good.test/other");
    T_STR(ll_cstr(got.code), "egress/refused");
    T_OK(strstr(got.detail, "a body to http://other.test") != NULL);
    T_INT(requests, before + 1);
    end();
}

T_CASE(every_redirect_is_judged)
{
    begin("");
    T_OK(get("http://good.test/1").ok);
    T_INT(requests, 6);
    check_fails("http://good.test/loop", "egress/too-many-redirects", "5");
    T_INT(requests, 12);
    check_fails("http://good.test/away", "egress/undeclared", "evil.test");
    check_fails("http://good.test/admin", "egress/undeclared", "10.0.0.1");
    check_fails("http://good.test/inside", "egress/refused", "loopback");
    check_fails("http://good.test/number", "egress/refused", "decimal");
    check_fails("http://good.test/file", "egress/refused", "http");
    check_fails("http://good.test/user", "egress/refused", "user");
    T_INT(requests, 18);
    end();
}

/* -- limits -- */

T_CASE(answers_end_at_their_limits)
{
    struct got got = {.times = 0};
    begin("");
    check_fails("http://good.test/endless", "egress/too-large", "body");
    check_fails("http://good.test/huge", "egress/too-large", "body");
    check_fails("http://good.test/heads", "egress/too-large", "header");
    check_fails("http://good.test/interim", "egress/too-large", "header");
    check_fails("http://good.test/gone", "egress/broken", "");
    check_fails("http://good.test/old", "egress/broken", "");
    struct ll_egress_want want =
        want_of("GET", "http://good.test/silent", &got);
    want.timeout_ms = LL_EGRESS_MS_MIN;
    run(&want, &got);
    T_STR(ll_cstr(got.code), "egress/timeout");
    got = (struct got){.times = 0};
    want = want_of("GET", "http://good.test/hello", &got);
    want.max_bytes = 1;
    run(&want, &got);
    T_STR(ll_cstr(got.code), "egress/too-large");
    got = (struct got){.times = 0};
    want.max_bytes = 2;
    run(&want, &got);
    T_OK(got.ok);
    end();
}

/* Nobody has heard of it: three tries, then it is unreachable. */
T_CASE(a_refused_connection_is_tried_again)
{
    begin("");
    check_fails("http://nobody.test/", "egress/unreachable", "");
    end();
}

T_CASE(no_tls_is_refused)
{
    struct got got = {.times = 0};
    begin("");
    struct ll_egress_want want =
        want_of("GET", "https://safe.test/hello", &got);
    want.timeout_ms = LL_EGRESS_MS_MIN;
    run(&want, &got);
    T_OK(!got.ok);
    T_INT(requests, 0);
    end();
}

T_CASE(so_many_go_out_at_once)
{
    enum { MAX = LL_EGRESS_IN_FLIGHT_MAX + LL_EGRESS_WAITING_MAX };
    struct got got[MAX + 1];
    struct ll_err err;
    begin(",\"rate_limit\":\"off\"");
    memset(got, 0, sizeof got);
    for (int i = 0; i < MAX; i++) {
        struct ll_egress_want want =
            want_of("GET", "http://good.test/silent", &got[i]);
        T_INT(ll_egress_start(&h.instance, &want, &got[i].egress, &err),
            LINLI_OK);
    }
    struct ll_egress_want one_more =
        want_of("GET", "http://good.test/hello", &got[MAX]);
    T_INT(ll_egress_start(&h.instance, &one_more, &got[MAX].egress, &err),
        LINLI_E_LIMIT);
    T_STR(ll_cstr(err.code), "egress/quota");
    T_OK(strstr(h.log, "egress/quota") != NULL);
    while (requests < LL_EGRESS_IN_FLIGHT_MAX)
        ll_world_turn(world, true);
    T_INT(connections, LL_EGRESS_IN_FLIGHT_MAX);
    /* One that goes makes room for one that waits, which had its place. */
    ll_egress_cancel(&got[0].egress);
    while (requests < LL_EGRESS_IN_FLIGHT_MAX + 1)
        ll_world_turn(world, true);
    T_INT(ll_egress_start(&h.instance, &one_more, &got[MAX].egress, &err),
        LINLI_OK);
    for (int i = MAX - 1; i > 0; i--)
        ll_egress_cancel(&got[i].egress);
    while (got[MAX].times == 0)
        ll_world_run(world);
    T_OK(got[MAX].ok);
    for (int i = 0; i < MAX; i++)
        T_INT(got[i].times, 0);
    end();
}

T_CASE(one_that_waits_too_long_ends)
{
    struct got got[LL_EGRESS_IN_FLIGHT_MAX + 1];
    begin("");
    memset(got, 0, sizeof got);
    for (size_t i = 0; i < LL_COUNT(got); i++) {
        struct ll_egress_want want =
            want_of("GET", "http://good.test/silent", &got[i]);
        want.timeout_ms =
            i < LL_EGRESS_IN_FLIGHT_MAX ? LL_EGRESS_MS_MAX : LL_EGRESS_MS_MIN;
        T_INT(ll_egress_start(&h.instance, &want, &got[i].egress, NULL),
            LINLI_OK);
    }
    while (got[LL_EGRESS_IN_FLIGHT_MAX].times == 0)
        ll_world_run(world);
    T_STR(ll_cstr(got[LL_EGRESS_IN_FLIGHT_MAX].code), "egress/timeout");
    for (int i = 0; i < LL_EGRESS_IN_FLIGHT_MAX; i++) {
        T_INT(got[i].times, 0);
        ll_egress_cancel(&got[i].egress);
    }
    end();
}

T_CASE(so_many_go_out_in_a_minute)
{
    int sent = 0;
    begin("");
    struct got got = {.ok = true};
    while (got.ok && sent <= 2 * LL_EGRESS_BURST_MAX) {
        got = get("http://good.test/hello");
        sent += got.ok;
    }
    T_STR(ll_cstr(got.code), "egress/quota");
    T_OK(sent >= LL_EGRESS_BURST_MAX && sent <= 2 * LL_EGRESS_BURST_MAX);
    end();
}

/* -- what may not be said -- */

static void
check_refused(const struct ll_egress_want *want, const char *says)
{
    struct got got = {.times = 0};
    run(want, &got);
    T_STR(ll_cstr(got.code), "egress/invalid");
    T_OK(strstr(got.detail, says) != NULL);
    if (strstr(got.detail, says) == NULL)
        printf("# %s, not %s\n", got.detail, says);
}

T_CASE(some_headers_are_not_for_plugins)
{
    static const char *const names[] = {"Host", "content-length", "Connection",
        "Transfer-Encoding", "TE", "Trailer", "Upgrade", "HTTP2-Settings",
        "Keep-Alive", "Expect", "Accept-Encoding", "Cookie", "Cookie2",
        "Idempotency-Key", "traceparent", "tracestate", "Forwarded", "Via",
        "Proxy-Authorization", "Proxy-Connection", "Sec-Fetch-Site",
        "X-Forwarded-For"};
    static const char *const bad_names[] = {
        "", "a b", "a:b", "a\r\nb", "a\x01", "\xe4\xb8\xad", "a(b"};
    static const char *const bad_values[] = {
        "a\r\nHost: evil.test", "a\n", "a\x01", "\xe4\xb8\xad"};
    struct ll_egress_header header = {.value = LINLI_STR("1")};
    struct ll_egress_want want = want_of("GET", "http://good.test/hello", NULL);
    begin("");
    want.headers = &header;
    want.header_count = 1;
    for (size_t i = 0; i < LL_COUNT(names); i++) {
        header.name = ll_cstr(names[i]);
        check_refused(&want, "not for plugins");
    }
    for (size_t i = 0; i < LL_COUNT(bad_names); i++) {
        header.name = ll_cstr(bad_names[i]);
        check_refused(&want, "header");
    }
    header.name = LINLI_STR("X-A");
    header.value = (linli_str){"a\0b", 3};
    check_refused(&want, "printable");
    for (size_t i = 0; i < LL_COUNT(bad_values); i++) {
        header.value = ll_cstr(bad_values[i]);
        check_refused(&want, "header");
    }
    struct ll_egress_header twice[] = {
        {LINLI_STR("X-A"), LINLI_STR("1")}, {LINLI_STR("x-a"), LINLI_STR("2")}};
    want.headers = twice;
    want.header_count = 2;
    check_refused(&want, "twice");
    T_INT(connections, 0);
    end();
}

/* What is declared goes out as in test_secret.c and the scenario. */
T_CASE(secrets_that_are_none_are_never_sent)
{
    static const char *const values[] = {"{{secret:map_key}}",
        "Bearer {{secret:map_key}} {{secret:b}}", "{{secret:map_key",
        "{{secret:}}", "{{secret:Map}}", "x{{secret:{{secret:a}}}}"};
    struct ll_egress_header header = {.name = LINLI_STR("X-A")};
    struct ll_egress_want want = want_of("GET", "http://good.test/hello", NULL);
    begin("");
    want.headers = &header;
    want.header_count = 1;
    for (size_t i = 0; i < LL_COUNT(values); i++) {
        struct got got = {.times = 0};
        header.value = ll_cstr(values[i]);
        run(&want, &got);
        T_STR(ll_cstr(got.code),
            i < 2 ? "secret/undeclared" : "secret/reference");
    }
    T_INT(connections, 0);
    end();
}

T_CASE(sizes_are_bounded)
{
    static char big[LL_EGRESS_BODY_BYTES_MAX + 1];
    struct ll_egress_header header = {LINLI_STR("X-A"), LINLI_STR("1")};
    struct ll_egress_want want = want_of("GET", "http://good.test/hello", NULL);
    begin("");
    memset(big, 'a', sizeof big);
    want.body = LINLI_STR("x");
    check_refused(&want, "no body");
    want.method = LINLI_STR("TRACE");
    check_refused(&want, "the method");
    want.method = LINLI_STR("POST");
    want.body = (linli_str){big, sizeof big};
    check_refused(&want, "larger");
    want.body.len--;
    want.timeout_ms = LL_EGRESS_MS_MIN - 1;
    check_refused(&want, "timeout_ms");
    want.timeout_ms = LL_EGRESS_MS_MAX + 1;
    check_refused(&want, "timeout_ms");
    want.timeout_ms = 0;
    want.max_bytes = LL_EGRESS_ANSWER_BYTES_MAX + 1;
    check_refused(&want, "max_bytes");
    want.max_bytes = -1;
    check_refused(&want, "max_bytes");
    want.max_bytes = 0;
    want.headers = &header;
    want.header_count = 1;
    header.value = (linli_str){big, LL_EGRESS_HEADER_BYTES_MAX};
    check_refused(&want, "8192");
    T_INT(connections, 0);
    end();
}

/* -- reading what linli.fetch makes -- */

static linli_status
read_want(const char *text, struct ll_arena *arena, struct ll_json *json,
    struct ll_egress_want *want, struct ll_err *err)
{
    char own[512];
    snprintf(own, sizeof own, "%s", text);
    for (char *c = own; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    linli_str kept = ll_arena_str(arena, ll_cstr(own));
    T_INT(ll_json_parse(json, kept, LL_JSON_DEPTH_MAX, err), LINLI_OK);
    return ll_egress_read(ll_json_root(json), arena, want, err);
}

T_CASE(fetch_tables_are_read)
{
    static const char *const bad[][2] = {
        {"[]", "no object"},
        {"{'url':'http://a.b','urls':1}", "urls"},
        {"{'url':'http://a.b','kind':'fetch'}", "kind"},
        {"{'url':'http://a.b','headers':['a']}", "headers"},
        {"{'url':'http://a.b','headers':{'a':1}}", "no string"},
        {"{'url':'http://a.b','json':1,'body':'a'}", "both"},
        {"{'url':'http://a.b','body':{}}", "no string"},
        {"{'url':'http://a.b','timeout_ms':'1'}", "timeout_ms"},
        {"{'url':'http://a.b','timeout_ms':0}", "timeout_ms"},
        {"{'url':'http://a.b','max_bytes':1.5}", "max_bytes"},
    };
    struct ll_mem own;
    struct ll_arena arena;
    struct ll_json json;
    struct ll_egress_want want;
    struct ll_err err;
    ll_mem_init(&own, 0);
    ll_arena_init(&arena, &own, 1 << 20);
    ll_json_init(&json, &own);
    for (size_t i = 0; i < LL_COUNT(bad); i++) {
        T_INT(
            read_want(bad[i][0], &arena, &json, &want, &err), LINLI_E_INVALID);
        T_STR(ll_cstr(err.code), "egress/invalid");
        T_OK(strstr(err.msg, bad[i][1]) != NULL);
    }
    T_INT(read_want("{'url':'http://a.b'}", &arena, &json, &want, &err),
        LINLI_OK);
    T_STR(want.method, "GET");
    T_STR(want.url, "http://a.b");
    T_OK(want.body.ptr == NULL && want.header_count == 0);
    T_INT(read_want("{'method':'PUT','url':'u','headers':{'X-A':'1'},"
                    "'json':{'a':[1,null]},'timeout_ms':2000,'max_bytes':9}",
              &arena, &json, &want, &err),
        LINLI_OK);
    T_STR(want.body, "{\"a\":[1,null]}");
    T_INT(want.header_count, 2);
    T_STR(want.headers[0].name, "X-A");
    T_STR(want.headers[1].value, "application/json");
    T_INT(want.timeout_ms, 2000);
    T_INT(want.max_bytes, 9);
    T_INT(read_want("{'method':'POST','url':'u','body':'',"
                    "'headers':{'Content-Type':'a/b'}}",
              &arena, &json, &want, &err),
        LINLI_OK);
    T_OK(want.body.ptr != NULL && want.body.len == 0);
    T_INT(want.header_count, 1);
    ll_json_fini(&json);
    ll_arena_fini(&arena);
    T_INT(own.used_bytes, 0);
}

/* An allocation that fails ends the request, and leaves nothing. */
T_CASE(memory_may_be_missing)
{
    bool all = false;
    begin("");
    for (uint64_t n = 1; !all && n < 200; n++) {
        struct got got = {.times = 0};
        struct ll_err err;
        struct ll_egress_want want = want_of("GET", "http://good.test/1", &got);
        ll_egress_close(&h.instance);
        h.host.mem.fail_in = n;
        linli_status status =
            ll_egress_start(&h.instance, &want, &got.egress, &err);
        all = h.host.mem.fail_in > 0;
        h.host.mem.fail_in = 0;
        T_OK(status == LINLI_OK || strcmp(err.code, "runtime/memory") == 0);
        while (status == LINLI_OK && got.times == 0)
            ll_world_run(world);
        T_OK(status != LINLI_OK || got.ok);
    }
    T_OK(all);
    end();
}

/* clang-format off */
T_MAIN(
    T_RUN(an_answer_comes_and_says_who_asked)
    T_RUN(only_declared_hosts_are_asked)
    T_RUN(private_addresses_are_refused)
    T_RUN(an_operator_allows_one_host_for_one_plugin)
    T_RUN(redirects_change_the_method_as_browsers_do)
    T_RUN(headers_and_bodies_stay_with_their_host)
    T_RUN(every_redirect_is_judged)
    T_RUN(answers_end_at_their_limits)
    T_RUN(a_refused_connection_is_tried_again)
    T_RUN(no_tls_is_refused)
    T_RUN(so_many_go_out_at_once)
    T_RUN(one_that_waits_too_long_ends)
    T_RUN(so_many_go_out_in_a_minute)
    T_RUN(some_headers_are_not_for_plugins)
    T_RUN(secrets_that_are_none_are_never_sent) T_RUN(sizes_are_bounded)
    T_RUN(fetch_tables_are_read)
    T_RUN(memory_may_be_missing))
