/* tests/unit/test_host.c: linli/host.h as an embedder uses it.
 * test-timeout-s: 300
 * It opens two thousand hosts, each with a database on a disk. */
#include <ctype.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "config.h"
#include "host/host.h"
#include "host_fixture.h"

#define PROBE_RUN "/v1/c/garden/probe/run"
#define PROBE_WAIT "/v1/c/garden/probe/wait"
#define HEAP_SLACK_BYTES 49152
#define DRAFTS "{\"worker\":{\"drafts\":true}}"

/* What linli/host.h hides, for the cases that fail allocations on purpose. */
struct linli_host {
    struct ll_host *host;
    bool due;
};

static int64_t
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- enable, call, disable -- */

T_CASE(a_plugin_is_enabled_called_and_disabled)
{
    linli_error error = {.size = sizeof error};
    struct enabled enabled;
    struct answer answer;
    linli_host *host = host_new("");
    T_INT(call(host, PROBE_RUN, &answer), 404);
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    T_INT(call(host, PROBE_RUN, &answer), 200);
    T_STR(cstr(answer.body), "{\"v\":1}");
    T_INT(call(host, "/v1/c/garden/other/run", &answer), 404);
    T_INT(call(host, "/v1/c/palace/probe/run", &answer), 404);
    T_INT(linli_host_disable(host, COMMUNITY, LINLI_STR("probe"), &error),
        LINLI_OK);
    T_INT(call(host, PROBE_RUN, &answer), 423);
    T_INT(linli_host_disable(host, COMMUNITY, LINLI_STR("probe"), &error),
        LINLI_OK);
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    T_INT(call(host, PROBE_RUN, &answer), 200);
    linli_host_free(&host);
    T_OK(host == NULL);
}

T_CASE(disable_lets_open_calls_end)
{
    linli_error error = {.size = sizeof error};
    struct enabled enabled;
    struct answer open, late;
    linli_host *host = host_new(DRAFTS);
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    /* So that the next is not still waiting for who calls. */
    T_INT(call(host, PROBE_RUN, &late), 200);
    T_INT(call_begin(host, PROBE_WAIT, &open), LINLI_OK);
    linli_host_turn(host, 0);
    T_INT(linli_host_disable(host, COMMUNITY, LINLI_STR("probe"), &error),
        LINLI_OK);
    T_INT(call(host, PROBE_RUN, &late), 423);
    T_INT(open.times, 0);
    turn_until(host, &open.times);
    T_INT(open.status, 200);
    linli_host_free(&host);
}

T_CASE(the_old_version_serves_until_the_new_one_is_ready)
{
    struct enabled enabled, second;
    struct answer answer;
    linli_host *host = host_new("");
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    enable_begin(host, "two", &enabled);
    T_INT(enabled.times, 0);
    /* It is not ready before a turn of the loop. */
    T_INT(call_begin(host, PROBE_RUN, &answer), LINLI_OK);
    enable_begin(host, "one", &second);
    T_STR(cstr(second.code), "plugin/loading");
    turn_until(host, &answer.times);
    T_STR(cstr(answer.body), "{\"v\":1}");
    turn_until(host, &enabled.times);
    T_INT(enabled.status, LINLI_OK);
    T_INT(enabled.times, 1);
    T_INT(call(host, PROBE_RUN, &answer), 200);
    T_STR(cstr(answer.body), "{\"v\":2}");
    linli_host_free(&host);
}

T_CASE(a_new_version_that_fails_leaves_the_old_one)
{
    static const struct {
        const char *folder, *code;
    } rows[] = {
        {"broken", "plugin/load"},
        {"empty", "package/missing-file"},
        {"nowhere", "package/missing-file"},
        {"future", "manifest/abi"},
        {"hostile", "plugin/load"},
    };
    struct enabled enabled;
    struct answer answer;
    linli_host *host = host_new("");
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        T_OK(enable(host, rows[i].folder, &enabled) != LINLI_OK);
        T_STR(cstr(enabled.code), rows[i].code);
        T_INT(enabled.times, 1);
        T_INT(call(host, PROBE_RUN, &answer), 200);
        T_STR(cstr(answer.body), "{\"v\":1}");
    }
    linli_host_free(&host);
}

T_CASE(a_first_version_that_fails_is_not_there)
{
    struct enabled enabled;
    struct answer answer;
    linli_host *host = host_new("");
    T_OK(enable(host, "broken", &enabled) != LINLI_OK);
    T_INT(call(host, PROBE_RUN, &answer), 404);
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    T_INT(call(host, PROBE_RUN, &answer), 200);
    linli_host_free(&host);
}

/* -- two hosts -- */

T_CASE(two_hosts_in_one_process)
{
    linli_host *hosts[2] = {host_new(""), host_new("")};
    struct enabled enabled[2];
    struct answer answers[2];
    char token[2048];
    linli_error error = {.size = sizeof error};
    enable_begin(hosts[0], "one", &enabled[0]);
    enable_begin(hosts[1], "two", &enabled[1]);
    for (int i = 0; i < 2; i++)
        turn_until(hosts[i], &enabled[i].times);
    for (int i = 0; i < 2; i++)
        T_INT(call_begin(hosts[i], PROBE_RUN, &answers[i]), LINLI_OK);
    while (answers[0].times == 0 || answers[1].times == 0) {
        linli_host_turn(hosts[0], 0);
        linli_host_turn(hosts[1], 0);
    }
    T_STR(cstr(answers[0].body), "{\"v\":1}");
    T_STR(cstr(answers[1].body), "{\"v\":2}");
    /* Each has a key of its own: a token of the one says nothing here. */
    T_INT(token_for(hosts[0], "wang", token, sizeof token), LINLI_OK);
    linli_request request = {.size = sizeof request,
        .method = LINLI_STR("POST"),
        .path = LINLI_STR(PROBE_RUN),
        .token = cstr(token)};
    answers[1].times = 0;
    T_INT(linli_host_call(hosts[1], &request, on_answer, &answers[1], &error),
        LINLI_OK);
    turn_until(hosts[1], &answers[1].times);
    T_INT(answers[1].status, 401);
    linli_host_free(&hosts[0]);
    T_INT(call(hosts[1], PROBE_RUN, &answers[1]), 200);
    linli_host_free(&hosts[1]);
}

struct census {
    int fds, threads;
    size_t heap_bytes;
};

static struct census
take_census(void)
{
    struct census census = {count_entries("/proc/self/fd"),
        count_entries("/proc/self/task"), mallinfo2().uordblks};
    return census;
}

/* Two hosts side by side, `rounds` times; with a called plugin in each, or
 * without. */
static void
come_and_go(int rounds, bool with_plugin)
{
    for (int i = 0; i < rounds; i++) {
        linli_host *hosts[2] = {host_new(""), host_new("")};
        for (int h = 0; with_plugin && h < 2; h++) {
            struct enabled enabled;
            struct answer answer;
            T_INT(enable(hosts[h], "one", &enabled), LINLI_OK);
            T_INT(call(hosts[h], PROBE_RUN, &answer), 200);
        }
        linli_host_free(&hosts[i % 2]);
        linli_host_free(&hosts[1 - i % 2]);
    }
}

static void
check_no_growth(int rounds, bool with_plugin)
{
    /* What libraries set up once, for each thread that they have met. */
    come_and_go(with_plugin ? 5 : 100, with_plugin);
    struct census before = take_census();
    int64_t from_ms = now_ms();
    come_and_go(rounds, with_plugin);
    struct census after = take_census();
    printf("# 2 x %d hosts%s in %lld ms\n", rounds,
        with_plugin ? ", each with a plugin that is called," : "",
        (long long)(now_ms() - from_ms));
    T_INT(after.fds, before.fds);
    T_INT(after.threads, before.threads);
    /* The C library keeps some freed blocks of each size for the next; a
     * leak of one block a host is more. LeakSanitizer is exact. */
    printf(
        "# heap: %zu bytes, then %zu\n", before.heap_bytes, after.heap_bytes);
    T_OK(after.heap_bytes < before.heap_bytes + HEAP_SLACK_BYTES);
    T_OK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

T_CASE(a_thousand_hosts_leave_nothing)
{
    check_no_growth(LL_SANITIZED ? 200 : 1000, false);
}

T_CASE(hosts_with_plugins_leave_nothing)
{
    check_no_growth(LL_SANITIZED ? 10 : 50, true);
}

/* -- the end -- */

T_CASE(a_host_that_never_turned_can_go)
{
    struct enabled enabled, all;
    struct answer answer;
    linli_error error = {.size = sizeof error};
    linli_host *host = host_new("");
    T_INT(call_begin(host, PROBE_RUN, &answer), LINLI_OK);
    T_INT(answer.times, 0); /* never before linli_host_call has returned */
    enable_begin(host, "one", &enabled);
    all = (struct enabled){.times = 0};
    T_INT(
        linli_host_enable_configured(host, on_enabled, &all, &error), LINLI_OK);
    T_INT(all.times, 0);
    linli_host_free(&host);
    T_INT(answer.times, 1);
    T_INT(answer.status, 404);
    T_INT(enabled.times, 1);
    T_OK(enabled.status != LINLI_OK);
    T_INT(all.times, 1);
    linli_host_free(&host); /* NULL inside is fine */
}

/* No plugin is loaded that could take turns until it is told. */
T_CASE(an_empty_configuration_is_told_at_the_end)
{
    struct enabled all = {.times = 0};
    linli_error error = {.size = sizeof error};
    linli_host *host = host_new("");
    T_INT(
        linli_host_enable_configured(host, on_enabled, &all, &error), LINLI_OK);
    linli_host_free(&host);
    T_INT(all.times, 1);
}

T_CASE(calls_that_are_open_at_the_end_get_503)
{
    struct enabled enabled;
    struct answer answers[20];
    linli_host *host = host_new(DRAFTS);
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    for (size_t i = 0; i < LL_COUNT(answers); i++)
        T_INT(call_begin(host, PROBE_WAIT, &answers[i]), LINLI_OK);
    /* Half of them have reached the plugin, and wait there. */
    for (int i = 0; i < 10; i++)
        linli_host_turn(host, 0);
    linli_host_free(&host);
    for (size_t i = 0; i < LL_COUNT(answers); i++) {
        T_INT(answers[i].times, 1);
        T_INT(answers[i].status, 503);
        T_OK(strstr(answers[i].body, "runtime/draining") != NULL);
    }
}

/* More than the queue takes: those are refused in the next turn, which a
 * host that is freed does not have. */
T_CASE(calls_refused_in_the_last_turn_get_503)
{
    static struct answer answers[LL_POOL_QUEUE_MAX + LL_WORKER_CALLS_MAX + 8];
    struct enabled enabled;
    linli_host *host =
        host_new("{\"rate_limit\":\"off\",\"worker\":{\"drafts\":true}}");
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    for (size_t i = 0; i < LL_COUNT(answers); i++)
        T_INT(call_begin(host, PROBE_WAIT, &answers[i]), LINLI_OK);
    linli_host_free(&host);
    int right = 0;
    for (size_t i = 0; i < LL_COUNT(answers); i++)
        right += answers[i].times == 1 && answers[i].status == 503;
    T_INT(right, LL_COUNT(answers));
}

/* The answer to an operator leaves over the face, before that goes. */
T_CASE(an_enable_over_http_is_answered_at_the_end)
{
    char token[2048], request[4096], answer[4096] = "";
    linli_host *host = host_new("");
    linli_error error = {.size = sizeof error};
    linli_token_options who = {.size = sizeof who,
        .ttl_s = 60,
        .kind = LINLI_STR("operator"),
        .id = LINLI_STR("li"),
        .community = COMMUNITY};
    T_INT(linli_host_token(host, &who, token, sizeof token, &error), LINLI_OK);
    T_INT(linli_host_listen(host, LINLI_STR("127.0.0.1:0"), &error), LINLI_OK);
    T_INT(linli_host_listen(host, LINLI_STR("127.0.0.1:0"), &error),
        LINLI_E_CONFLICT);
    int body = (int)strlen(fixture_dir) + (int)strlen("{\"path\":\"/one\"}");
    snprintf(request, sizeof request,
        "POST /v1/c/garden/admin/plugins HTTP/1.1\r\nHost: a\r\n"
        "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\n\r\n{\"path\":\"%s/one\"}",
        token, body, fixture_dir);
    struct sockaddr_in to = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)strtol(
            strrchr(linli_host_url(host), ':') + 1, NULL, 10))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    T_INT(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    T_INT(write(fd, request, strlen(request)), strlen(request));
    while (host->host->supervisor.pools == NULL)
        linli_host_turn(host, 1);
    linli_host_free(&host);
    T_OK(read(fd, answer, sizeof answer - 1) >= 0);
    (void)close(fd);
}

static linli_host *again_host;
static linli_status again_status;

static void
call_again(void *user, const linli_response *response)
{
    struct answer *answer = user;
    linli_error error = {.size = sizeof error};
    linli_request request = {.size = sizeof request,
        .method = LINLI_STR("POST"),
        .path = LINLI_STR(PROBE_RUN)};
    answer->times++;
    answer->status = response->status;
    again_status =
        linli_host_call(again_host, &request, call_again, user, &error);
    T_STR(cstr(error.code), "runtime/draining");
}

/* A caller that tries again at once does not keep the host alive. */
T_CASE(a_stopped_host_takes_no_call)
{
    struct answer answer = {.times = 0};
    linli_error error = {.size = sizeof error};
    linli_request request = {.size = sizeof request,
        .method = LINLI_STR("POST"),
        .path = LINLI_STR(PROBE_RUN)};
    linli_host *host = again_host = host_new("");
    T_INT(
        linli_host_call(host, &request, call_again, &answer, &error), LINLI_OK);
    linli_host_stop(host);
    linli_host_run(host);
    T_INT(answer.times, 1);
    T_INT(again_status, LINLI_E_CLOSED);
    linli_host_free(&host);
}

T_CASE(stop_lets_open_calls_end_and_run_returns)
{
    struct enabled enabled;
    struct answer answer;
    linli_host *host = host_new(DRAFTS);
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    T_INT(call_begin(host, PROBE_WAIT, &answer), LINLI_OK);
    linli_host_wake(host); /* as a signal handler does */
    linli_host_run(host);
    T_INT(answer.times, 1);
    T_INT(answer.status, 200);
    T_OK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    linli_host_run(host); /* stopped already: returns */
    linli_host_free(&host);
}

/* -- in another loop -- */

/* Sleeps on the host's descriptor alone, as another loop would. Returns how
 * often it turned. */
static int
poll_until(linli_host *host, const int *times)
{
    int turns = 0;
    while (*times == 0) {
        struct pollfd fd = {.fd = linli_host_fd(host), .events = POLLIN};
        (void)poll(&fd, 1, linli_host_timeout_ms(host));
        linli_host_turn(host, 0);
        turns++;
    }
    return turns;
}

T_CASE(lives_in_another_loop)
{
    struct enabled enabled;
    struct answer answer;
    linli_host *host =
        host_new("{\"rate_limit\":\"off\",\"worker\":{\"drafts\":true}}");
    enable_begin(host, "one", &enabled);
    int turns = poll_until(host, &enabled.times);
    T_INT(enabled.status, LINLI_OK);
    printf("# enabled after %d turns\n", turns);
    int64_t from_ms = now_ms();
    for (int i = 0; i < 100; i++) {
        T_INT(call_begin(host, PROBE_RUN, &answer), LINLI_OK);
        poll_until(host, &answer.times);
        T_INT(answer.status, 200);
    }
    /* Were a frame left for the next turn, each would wait for a timer. */
    int64_t took_ms = now_ms() - from_ms;
    printf("# 100 calls in %lld ms\n", (long long)took_ms);
    T_OK(took_ms < 400 || LL_SANITIZED);
    T_INT(call_begin(host, PROBE_WAIT, &answer), LINLI_OK);
    turns = poll_until(host, &answer.times);
    printf("# 3 s of waiting: %d turns\n", turns);
    T_INT(answer.status, 200);
    T_OK(turns < 2000); /* it slept */
    linli_host_free(&host);
}

/* -- arguments -- */

T_CASE(structs_of_another_size_are_refused)
{
    linli_error error = {.size = sizeof error};
    linli_host_options options = host_options("");
    linli_host *host = host_new("");
    linli_host *none = host;
    struct answer answer = {.times = 0};
    struct enabled enabled = {.times = 0};
    char token[64];
    options.size--;
    T_INT(linli_host_new(&options, &none, &error), LINLI_E_INVALID);
    T_OK(none == NULL);
    T_OK(strstr(error.message, "linli_host_options") != NULL);
    linli_plugin_options plugin = {.size = sizeof plugin + 8};
    T_INT(linli_host_enable(host, &plugin, on_enabled, &enabled, &error),
        LINLI_E_INVALID);
    linli_request request = {.size = 0};
    T_INT(linli_host_call(host, &request, on_answer, &answer, &error),
        LINLI_E_INVALID);
    linli_token_options who = {.size = 1};
    T_INT(linli_host_token(host, &who, token, sizeof token, &error),
        LINLI_E_INVALID);
    T_INT(linli_host_token(host, &who, token, sizeof token, NULL),
        LINLI_E_INVALID);
    for (int i = 0; i < 5; i++)
        linli_host_turn(host, 0);
    T_INT(enabled.times + answer.times, 0);
    linli_host_free(&host);
}

T_CASE(communities)
{
    static const struct {
        const char *id, *zone;
        linli_status status;
    } rows[] = {
        {"garden", "Asia/Shanghai", LINLI_OK},
        {"garden", "Asia/Shanghai", LINLI_E_CONFLICT}, {"0-a", "UTC", LINLI_OK},
        {"", "UTC", LINLI_E_INVALID}, {"-a", "UTC", LINLI_E_INVALID},
        {"Garden", "UTC", LINLI_E_INVALID}, {"a/b", "UTC", LINLI_E_INVALID},
        {"a.b", "UTC", LINLI_E_INVALID},
        {"b", "Asia/Nowhere", LINLI_E_NOT_FOUND},
        {"b", "../../../etc/passwd", LINLI_E_INVALID},
        {"b", "", LINLI_E_INVALID},
        {"b", "UTC", LINLI_OK}, /* what failed left nothing */
    };
    linli_host *host = host_new("");
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        linli_error error = {.size = sizeof error};
        T_INT(linli_host_add_community(
                  host, cstr(rows[i].id), cstr(rows[i].zone), &error),
            rows[i].status);
        T_INT(error.code[0] != '\0', rows[i].status != LINLI_OK);
    }
    linli_host_free(&host);
}

T_CASE(requests_of_any_shape_are_answered)
{
    static const struct {
        const char *method, *path;
        uint32_t status;
    } rows[] = {
        {"", "", 404},
        {"POST", "x", 404},
        {"POST", "/v1/c/", 404},
        {"POST", "/v1/c/garden", 404},
        {"POST", "/v1/c/garden/", 404},
        {"POST", "/v1/c/garden/probe", 404},
        {"POST", "/v1/c/garden/probe/%zz", 400},
        {"POST", "/v1/c/garden/probe/run/", 404},
        {"GET", PROBE_RUN, 405},
        {"\n", PROBE_RUN, 405},
        {"POST", PROBE_RUN, 401},
    };
    struct enabled enabled;
    linli_host *host = host_new("");
    linli_error error = {.size = sizeof error};
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    for (size_t i = 0; i < LL_COUNT(rows); i++) {
        struct answer answer = {.times = 0};
        linli_request request = {.size = sizeof request,
            .method = cstr(rows[i].method),
            .path = cstr(rows[i].path)};
        T_INT(linli_host_call(host, &request, on_answer, &answer, &error),
            LINLI_OK);
        turn_until(host, &answer.times);
        T_INT(answer.status, rows[i].status);
    }
    linli_host_free(&host);
}

T_CASE(a_long_token_is_no_missing_token)
{
    static char token[LL_TOKEN_BYTES_MAX + 2];
    struct enabled enabled;
    struct answer answer = {.times = 0};
    linli_host *host = host_new("");
    linli_error error = {.size = sizeof error};
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    memset(token, 'a', sizeof token - 1);
    linli_request request = {.size = sizeof request,
        .method = LINLI_STR("POST"),
        .path = LINLI_STR(PROBE_RUN),
        .token = cstr(token)};
    T_INT(
        linli_host_call(host, &request, on_answer, &answer, &error), LINLI_OK);
    turn_until(host, &answer.times);
    T_INT(answer.status, 401);
    T_OK(strstr(answer.body, "auth/invalid") != NULL);
    linli_host_free(&host);
}

T_CASE(tokens)
{
    char token[2048];
    linli_host_options options = host_options("");
    linli_host *host = host_new("");
    linli_error error = {.size = sizeof error};
    T_INT(token_for(host, "wang", token, sizeof token), LINLI_OK);
    size_t length = strlen(token);
    T_INT(token_for(host, "wang", token, length + 1), LINLI_OK);
    T_INT(token_for(host, "wang", token, length), LINLI_E_LIMIT);
    linli_host_free(&host);
    options.development = 0;
    T_INT(linli_host_new(&options, &host, &error), LINLI_OK);
    T_INT(token_for(host, "wang", token, sizeof token), LINLI_E_DENIED);
    linli_host_free(&host);
}

T_CASE(each_host_has_an_admin_token_of_its_own)
{
    linli_host *one = host_new(""), *other = host_new("");
    linli_str token = cstr(linli_host_admin_token(one));
    T_INT(token.len, 43);
    for (size_t i = 0; i < token.len; i++)
        T_OK(isalnum((unsigned char)token.ptr[i]) || token.ptr[i] == '-' ||
             token.ptr[i] == '_');
    T_OK(strcmp(token.ptr, linli_host_admin_token(other)) != 0);
    linli_host_free(&one);
    linli_host_free(&other);
}

T_CASE(a_virtual_clock_is_for_development)
{
    linli_host_options options = host_options("");
    linli_error error = {.size = sizeof error};
    linli_host *host = NULL;
    options.virtual_clock = 1;
    T_INT(linli_host_new(&options, &host, &error), LINLI_OK);
    linli_host_free(&host);
    options.development = 0;
    T_INT(linli_host_new(&options, &host, &error), LINLI_E_DENIED);
    T_STR(cstr(error.code), "config/development-only");
    T_OK(host == NULL);
}

T_CASE(says_what_ended_it)
{
    linli_error error = {.size = sizeof error};
    linli_host *host = host_new("");
    T_INT(linli_host_failure(host, &error), LINLI_OK);
    linli_host_stop(host);
    linli_host_run(host);
    T_INT(linli_host_failure(host, NULL), LINLI_OK);
    (void)ll_fail(&host->host->failure, LINLI_E_IO, "store/io", "disk full");
    T_INT(linli_host_failure(host, &error), LINLI_E_IO);
    T_STR(cstr(error.code), "store/io");
    T_STR(cstr(error.message), "disk full");
    linli_host_free(&host);
}

T_CASE(a_data_directory_belongs_to_one_host)
{
    char data[PATH_MAX + 8];
    linli_host_options options = host_options("");
    linli_error error = {.size = sizeof error};
    linli_host *host = NULL, *second = NULL;
    snprintf(data, sizeof data, "%s/data", fixture_dir);
    options.data_dir = cstr(data);
    T_INT(linli_host_new(&options, &host, &error), LINLI_OK);
    T_INT(linli_host_new(&options, &second, &error), LINLI_E_CONFLICT);
    T_STR(cstr(error.code), "data/locked");
    T_OK(second == NULL);
    linli_host_free(&host);
    T_INT(linli_host_new(&options, &second, &error), LINLI_OK);
    linli_host_free(&second);
}

/* -- memory that runs out -- */

/* A host whose `n`th allocation fails, if it has so many. */
static linli_status
new_failing(uint64_t n, struct ll_host **host, struct ll_err *err)
{
    linli_host_options options =
        host_options("{\"communities\":[{\"id\":\"garden\"}]}");
    struct ll_mem mem;
    ll_mem_init(&mem, 0);
    mem.fail_in = n;
    *err = (struct ll_err){0};
    return ll_host_new(&options, &mem, host, err);
}

T_CASE(each_allocation_of_a_new_host_may_fail)
{
    uint64_t n = 1;
    for (bool more = true; more; n++) {
        struct ll_host *host = NULL;
        struct ll_err err;
        linli_status status = new_failing(n, &host, &err);
        more = status != LINLI_OK || host->mem.fail_in == 0;
        T_INT(host == NULL, status != LINLI_OK);
        T_INT(err.code[0] != '\0', status != LINLI_OK);
        if (status != LINLI_OK && status != LINLI_E_NOMEM)
            printf("# allocation %d: %s %s\n", (int)n, err.code, err.msg);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        ll_host_free(&host);
    }
    printf("# %d allocations\n", (int)n - 2);
    T_OK(n > 20);
}

/* The failure may fall into a later turn or another part: what is asked is
 * that the end is told once, whole, and that the host serves on. */
T_CASE(each_allocation_of_an_enable_may_fail)
{
    linli_host *host = host_new("");
    struct ll_mem *mem = &host->host->mem;
    struct enabled enabled;
    uint64_t n = 1;
    for (bool more = true; more; n++) {
        mem->fail_in = n;
        linli_status status = enable(host, n % 2 ? "one" : "two", &enabled);
        more = mem->fail_in == 0;
        mem->fail_in = 0;
        T_INT(enabled.times, 1);
        T_INT(enabled.code[0] != '\0', status != LINLI_OK);
    }
    printf("# %d allocations\n", (int)n - 2);
    T_OK(n > 20);
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    T_STR(cstr(enabled.code), "");
    linli_host_free(&host);
}

T_CASE(each_allocation_of_a_call_may_fail)
{
    linli_host *host = host_new("{\"rate_limit\":\"off\"}");
    struct ll_mem *mem = &host->host->mem;
    struct enabled enabled;
    struct answer answer;
    uint64_t n = 1;
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    for (bool more = true; more; n++) {
        mem->fail_in = n;
        uint32_t status = call(host, PROBE_RUN, &answer);
        more = mem->fail_in == 0;
        mem->fail_in = 0;
        if (status != 0 && status != 200 && status != 503)
            printf("# allocation %d: %u %s\n", (int)n, status, answer.body);
        T_OK(status == 0 || status == 200 || status == 503);
    }
    printf("# %d allocations\n", (int)n - 2);
    T_INT(call(host, PROBE_RUN, &answer), 200);
    linli_host_free(&host);
}

static void
write_plugins(void)
{
    write_plugin("one", "1.0.0", LUA_ANSWERING("1"));
    write_plugin("two", "2.0.0", LUA_ANSWERING("2"));
    write_plugin("broken", "3.0.0", "error('no')");
    write_plugin("hostile", "3.0.0", "while true do end");
    write_plugin("future", "4.0.0", LUA_ANSWERING("4"));
    write_file("future", "plugin.json",
        "{\"id\":\"probe\",\"version\":\"4.0.0\",\"abi\":2,\"new\":true}");
    write_plugin("empty", "5.0.0", "");
    write_file("empty", "plugin.json",
        "{\"id\":\"probe\",\"version\":\"5.0.0\",\"abi\":1,"
        "\"runtime\":\"lua\",\"main\":\"other.lua\",\"routes\":[]}");
}

int
main(void)
{
    fixture_open();
    write_plugins();
    T_RUN(a_plugin_is_enabled_called_and_disabled)
    T_RUN(disable_lets_open_calls_end)
    T_RUN(the_old_version_serves_until_the_new_one_is_ready)
    T_RUN(a_new_version_that_fails_leaves_the_old_one)
    T_RUN(a_first_version_that_fails_is_not_there)
    T_RUN(two_hosts_in_one_process)
    T_RUN(a_thousand_hosts_leave_nothing)
    T_RUN(hosts_with_plugins_leave_nothing)
    T_RUN(a_host_that_never_turned_can_go)
    T_RUN(an_empty_configuration_is_told_at_the_end)
    T_RUN(calls_that_are_open_at_the_end_get_503)
    T_RUN(calls_refused_in_the_last_turn_get_503)
    T_RUN(an_enable_over_http_is_answered_at_the_end)
    T_RUN(a_stopped_host_takes_no_call)
    T_RUN(stop_lets_open_calls_end_and_run_returns)
    T_RUN(lives_in_another_loop)
    T_RUN(structs_of_another_size_are_refused)
    T_RUN(each_host_has_an_admin_token_of_its_own)
    T_RUN(a_virtual_clock_is_for_development)
    T_RUN(says_what_ended_it)
    T_RUN(communities)
    T_RUN(requests_of_any_shape_are_answered)
    T_RUN(a_long_token_is_no_missing_token)
    T_RUN(tokens)
    T_RUN(a_data_directory_belongs_to_one_host)
    T_RUN(each_allocation_of_a_new_host_may_fail)
    T_RUN(each_allocation_of_an_enable_may_fail)
    T_RUN(each_allocation_of_a_call_may_fail)
    fixture_close();
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
