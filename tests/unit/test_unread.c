/* tests/unit/test_unread.c: documents of the host's own that the disk did not
 * give once: it asks again. */
#include "data/docs.h"
#include "host/directory.h"
#include "host/host.h"
#include "host_fixture.h"

#define WAIT_MS 20000

/* What linli/host.h hides. */
struct linli_host {
    struct ll_host *host;
};

static int heard;

/* The handler logs one line for each event. */
static void
count_heard(void *user, linli_str line)
{
    (void)user;
    heard += memmem(line.ptr, line.len, "heard it", 8) != NULL;
}

static void
write_bus(void)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/bus", fixture_dir);
    (void)mkdir(path, 0700);
    write_file("bus", "plugin.json",
        "{\"id\":\"probe\",\"version\":\"1.0.0\",\"abi\":1,\"runtime\":\"lua\","
        "\"main\":\"main.lua\",\"events\":{\"publishes\":[\"probe.it\"],"
        "\"handles\":[\"probe.it\"]},\"routes\":[{\"method\":\"POST\","
        "\"path\":\"/run\",\"caller\":[\"resident\"]}]}");
    write_file("bus", "main.lua",
        "local linli = require('linli') local p = linli.plugin()\n"
        "local function run(call) call:event('probe.it', {}) return 204 end\n"
        "p:post('/run', run)\n"
        "p:event('probe.it', function() linli.log.warn('heard it') end)\n"
        "return p");
}

/* POST /run, under a key of its own. */
static uint32_t
publish(linli_host *host, const char *key)
{
    char token[2048] = "";
    struct answer answer = {.times = 0};
    linli_error error = {.size = sizeof error};
    T_INT(token_for(host, "wang", token, sizeof token), LINLI_OK);
    linli_request request = {.size = sizeof request,
        .method = LINLI_STR("POST"),
        .path = LINLI_STR("/v1/c/garden/probe/run"),
        .idempotency_key = cstr(key),
        .token = cstr(token)};
    T_INT(
        linli_host_call(host, &request, on_answer, &answer, &error), LINLI_OK);
    turn_until(host, &answer.times);
    return answer.status;
}

/* Turns until so many events were handled, or time is over. */
static void
wait_heard(linli_host *host, int count)
{
    for (int ms = 0; ms < WAIT_MS && heard < count; ms++) {
        linli_host_turn(host, 0);
        usleep(1000);
    }
    T_INT(heard, count);
}

static void
turn_for(linli_host *host, int time_ms)
{
    for (int ms = 0; ms < time_ms; ms++) {
        linli_host_turn(host, 0);
        usleep(1000);
    }
}

/* Turns until what was written of it is durable, or time is over. */
static void
wait_durable(linli_host *host, const struct ll_doc *doc)
{
    for (int ms = 0; ms < WAIT_MS && (doc->content == NULL || doc->in_recent);
         ms++)
        turn_for(host, 1);
}

/* As if the disk had not given it; a reference is given back. */
static void
lose(linli_host *host, struct ll_doc *doc)
{
    T_OK(doc->content != NULL && !doc->in_recent);
    ll_content_free(&host->host->mem, &doc->content);
    doc->state = LL_DOC_LOST;
    ll_doc_unref(&doc);
}

/* The events of a plugin go on after a pause. */
T_CASE(a_cursor_that_was_not_read_is_asked_again)
{
    struct enabled enabled;
    linli_host_options options = host_options("");
    linli_error error = {.size = sizeof error};
    linli_host *host = NULL;
    options.log = count_heard;
    T_INT(linli_host_new(&options, &host, &error), LINLI_OK);
    T_INT(enable(host, "bus", &enabled), LINLI_OK);
    T_INT(publish(host, "one"), 204);
    wait_heard(host, 1);
    struct ll_community *garden = ll_host_community(host->host, COMMUNITY);
    struct ll_coll *coll =
        ll_space_coll(garden->instances->space, LINLI_STR("~cursor"));
    struct ll_doc *cursor = ll_docs_get(coll, LINLI_STR("events"));
    wait_durable(host, cursor);
    lose(host, cursor);
    T_INT(publish(host, "two"), 204);
    wait_heard(host, 2);
    linli_host_free(&host);
}

/* A plugin that was disabled is so after the next start too. */
T_CASE(what_was_disabled_is_written_later)
{
    struct enabled enabled;
    struct ll_wait wait = {.ready = NULL};
    linli_error error = {.size = sizeof error};
    linli_host *host = host_new("");
    T_INT(enable(host, "bus", &enabled), LINLI_OK);
    turn_for(host, 100);
    struct ll_coll *coll = ll_directory_host(host->host, LL_DIR_PLUGIN);
    lose(host, ll_docs_get(coll, LINLI_STR("garden/probe")));
    T_INT(linli_host_disable(host, COMMUNITY, LINLI_STR("probe"), &error),
        LINLI_OK);
    turn_for(host, 1500);
    struct ll_doc *doc = ll_docs_get(coll, LINLI_STR("garden/probe"));
    T_OK(ll_doc_ready(doc, &wait) && doc->content != NULL);
    T_OK(doc->content != NULL &&
         memmem(doc->content->body.ptr, doc->content->body.len, "disabled", 8));
    ll_doc_unref(&doc);
    linli_host_free(&host);
}

int
main(void)
{
    fixture_open();
    write_bus();
    T_RUN(a_cursor_that_was_not_read_is_asked_again)
    T_RUN(what_was_disabled_is_written_later)
    fixture_close();
    printf("1..%d\n", t_cases);
    return t_failed_cases > 0;
}
