/* embed.c: a program of your own that runs a plugin and calls it, without
 * HTTP and without a daemon. 在自己的程序里运行插件并调用它, 不经 HTTP。
 *
 *   cc embed.c $(pkg-config --cflags --libs linli) -o embed
 *   ./embed PLUGIN_FOLDER [LINLI_WORKER]
 */
#include <linli/host.h>

#include <stdio.h>
#include <string.h>

/* What the callbacks tell; they run inside linli_host_turn. */
struct happened {
    int over;
    linli_status status;
};

static int
report(const linli_error *error)
{
    char text[2048];
    (void)linli_error_text(error, text, sizeof text);
    (void)fputs(text, stderr);
    return 1;
}

static void
on_enabled(void *user, linli_status status, const linli_error *error)
{
    struct happened *happened = user;
    if (status != LINLI_OK)
        (void)report(error);
    happened->status = status;
    happened->over = 1;
}

/* The response is ours until we return. */
static void
on_answer(void *user, const linli_response *response)
{
    struct happened *happened = user;
    (void)printf("%u %.*s\n", response->status, (int)response->body.len,
        response->body.ptr);
    happened->over = 1;
}

/* Without data_dir nothing is kept, so the log must go somewhere. */
static void
on_log(void *user, linli_str line)
{
    (void)fprintf(user, "%.*s\n", (int)line.len, line.ptr);
}

static linli_str
str(const char *s)
{
    return (linli_str){s, strlen(s)};
}

/* Loads the plugin into the community and waits until it can be called. */
static int
enable(linli_host *host, const char *folder, linli_error *error)
{
    struct happened happened = {0, LINLI_OK};
    linli_plugin_options plugin = {
        .size = sizeof plugin, .dir = str(folder), .community = str("garden")};
    if (linli_host_add_community(
            host, str("garden"), str("Asia/Shanghai"), error) != LINLI_OK ||
        linli_host_enable(host, &plugin, on_enabled, &happened, error) !=
            LINLI_OK)
        return report(error);
    while (!happened.over)
        linli_host_turn(host, 1);
    return happened.status != LINLI_OK;
}

/* Asks as the resident "wang", as an app with a token of theirs would. */
static int
call(linli_host *host, linli_error *error)
{
    char token[2048];
    struct happened happened = {0, LINLI_OK};
    linli_token_options who = {.size = sizeof who,
        .ttl_s = 60,
        .kind = str("resident"),
        .id = str("wang"),
        .community = str("garden")};
    linli_request request = {.size = sizeof request,
        .method = str("POST"),
        .path = str("/v1/c/garden/hello/hello"),
        .body = str("{\"name\":\"王阿姨\"}")};
    if (linli_host_token(host, &who, token, sizeof token, error) != LINLI_OK)
        return report(error);
    request.token = str(token);
    if (linli_host_call(host, &request, on_answer, &happened, error) !=
        LINLI_OK)
        return report(error);
    while (!happened.over)
        linli_host_turn(host, 1);
    return 0;
}

int
main(int argc, char **argv)
{
    linli_error error = {.size = sizeof error};
    linli_host *host = NULL;
    if (argc < 2)
        return fputs("usage: embed PLUGIN_FOLDER [LINLI_WORKER]\n", stderr), 2;
    linli_host_options options = {.size = sizeof options,
        .development = 1, /* unsigned plugins, and tokens of our own */
        .worker_path = str(argc > 2 ? argv[2] : ""),
        .log = on_log,
        .user = stderr};
    if (linli_host_new(&options, &host, &error) != LINLI_OK)
        return report(&error);
    int failed = enable(host, argv[1], &error) || call(host, &error);
    linli_host_free(&host);
    return failed;
}
