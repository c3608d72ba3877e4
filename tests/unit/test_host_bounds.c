/* tests/unit/test_host_bounds.c: what a host keeps and what it refuses. */
#include <stdlib.h>

#include "host/host.h"
#include "host_fixture.h"

/* What linli/host.h hides. */
struct linli_host {
    struct ll_host *host;
};

#define MANY 64
/* Enables the folder "one" with a configuration of so many bytes. */
static linli_status
enable_with(linli_host *host, size_t config_bytes, struct enabled *enabled)
{
    char path[PATH_MAX];
    char *config = malloc(config_bytes);
    linli_error error = {.size = sizeof error};
    memset(config, ' ', config_bytes);
    memcpy(config, "{}", 2);
    snprintf(path, sizeof path, "%s/one", fixture_dir);
    linli_plugin_options options = {.size = sizeof options,
        .dir = cstr(path),
        .community = COMMUNITY,
        .config_json = {config, config_bytes}};
    *enabled = (struct enabled){.times = 0};
    linli_status status =
        linli_host_enable(host, &options, on_enabled, enabled, &error);
    free(config);
    if (status != LINLI_OK)
        on_enabled(enabled, status, &error);
    turn_until(host, &enabled->times);
    return enabled->status;
}

/* As much as the handshake carries, and one byte more. */
T_CASE(a_configuration_has_a_size)
{
    struct enabled enabled;
    linli_host *host = host_new("");
    T_INT(enable_with(host, LL_PLUGIN_CONFIG_BYTES_MAX, &enabled), LINLI_OK);
    T_INT(enable_with(host, LL_PLUGIN_CONFIG_BYTES_MAX + 1, &enabled),
        LINLI_E_LIMIT);
    T_STR(cstr(enabled.code), "plugin/config");
    linli_host_free(&host);
}

/* -- what is kept -- */

/* A burst of great bodies does not keep its room for ever. */
T_CASE(the_room_of_great_bodies_is_given_back)
{
    static char body[800000];
    static struct answer answers[MANY];
    char token[2048];
    struct enabled enabled;
    linli_error error = {.size = sizeof error};
    linli_host *host = host_new("{\"rate_limit\":\"off\"}");
    T_INT(enable(host, "one", &enabled), LINLI_OK);
    T_INT(token_for(host, "wang", token, sizeof token), LINLI_OK);
    memset(body, ' ', sizeof body);
    memcpy(body, "{}", 2);
    size_t before = host->host->mem.used_bytes;
    for (int i = 0; i < MANY; i++) {
        answers[i] = (struct answer){.times = 0};
        linli_request request = {.size = sizeof request,
            .method = LINLI_STR("POST"),
            .path = LINLI_STR("/v1/c/garden/probe/run"),
            .token = cstr(token),
            .body = {body, sizeof body}};
        T_INT(linli_host_call(host, &request, on_answer, &answers[i], &error),
            LINLI_OK);
    }
    for (int i = 0; i < MANY; i++)
        turn_until(host, &answers[i].times);
    size_t kept = host->host->mem.used_bytes - before;
    printf(
        "# %d bodies of %zu bytes: %zu bytes kept\n", MANY, sizeof body, kept);
    T_OK(kept < 3u << 20);
    linli_host_free(&host);
}

/* -- what is printed for a shell -- */

/* The lines come from a stranger's package: they call what they say they
 * call, and nothing else runs when they are pasted. */
T_CASE(a_demo_puts_nothing_else_into_a_shell)
{
    static char text[16384];
    char path[PATH_MAX];
    int curls = 0;
    struct enabled enabled = {.times = 0};
    linli_error error = {.size = sizeof error};
    linli_host *host = host_new("");
    snprintf(path, sizeof path, "%s/demos", fixture_dir);
    T_INT(linli_host_demo(host, cstr(path), on_enabled, &enabled, &error),
        LINLI_OK);
    turn_until(host, &enabled.times);
    T_INT(enabled.status, LINLI_OK);
    (void)linli_host_demo_text(host, text, sizeof text);
    for (char *line = strtok(text, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        bool curl = strncmp(line, "curl ", 5) == 0;
        curls += curl;
        T_OK(curl || line[0] == '#' || strncmp(line, "  -H '", 6) == 0);
        T_OK(line[0] == '#' || strstr(line, "touch") == NULL);
    }
    T_INT(curls, 1);
    linli_host_free(&host);
}

int
main(void)
{
    fixture_open();
    char demos[PATH_MAX];
    snprintf(demos, sizeof demos, "%s/demos", fixture_dir);
    (void)mkdir(demos, 0700);
    write_plugin("one", "1.0.0", LUA_ANSWERING("1"));
    write_plugin("demos/probe", "1.0.0", LUA_ANSWERING("1"));
    write_file("demos/probe", "demo.json",
        "{\"try\":["
        "{\"as\":\"resident\",\"method\":\"GET x; touch a;\","
        "\"path\":\"/probe/run\"},"
        "{\"as\":\"resident\",\"method\":\"GET\",\"path\":\"/a\\ntouch b\"},"
        "{\"as\":\"resident\",\"method\":\"POST\",\"path\":\"/probe/run\","
        "\"say\":{\"en\":\"hello\\ntouch c\",\"zh-CN\":\"你\\rtouch d\"}}]}");
    T_RUN(a_configuration_has_a_size)
    T_RUN(a_demo_puts_nothing_else_into_a_shell)
    T_RUN(the_room_of_great_bodies_is_given_back)
    printf("1..%d\n", t_cases);
    fixture_close();
    return t_failed_cases > 0;
}
