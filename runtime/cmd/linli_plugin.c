/* cmd/linli_plugin.c: `linli plugin enable | disable | list |
 * uninstall`, over the admin
 * interface of linlid, as an operator of the community. */
#include "cmd/linli_cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/text.h"

#define CONFIG_DEPTH_MAX 32

/* {"path":…,"config":…} */
static linli_status
enable_body(struct ll_cli *cli, struct ll_buf *body, struct ll_err *err)
{
    char path[PATH_MAX];
    const char *folder = cli->args->words[0];
    const char *file = cli->args->value[LL_OPT_CONFIG];
    struct ll_json config;
    linli_str text;
    struct ll_jw w = ll_jw(body);
    linli_status status = LINLI_OK;
    /* linlid runs in another folder: it needs the absolute path. */
    if (realpath(folder, path) == NULL) {
        status = ll_fail(err, LINLI_E_IO, "cli/file", "%s", strerror(errno));
        ll_err_where(err, "%s", folder);
        return status;
    }
    ll_json_init(&config, &cli->mem);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "path");
    ll_jw_cstr(&w, path);
    if (file != NULL) {
        status = ll_cli_read(cli, file, LL_CLI_FILE_BYTES_MAX, &text, err);
        if (status == LINLI_OK) {
            status = ll_json_parse(&config, text, CONFIG_DEPTH_MAX, err);
            if (status == LINLI_OK &&
                !ll_jv_is(ll_json_root(&config), LL_JSON_OBJECT))
                status = ll_fail(err, LINLI_E_INVALID, "plugin/config",
                    "a configuration is a JSON object");
            if (status != LINLI_OK)
                ll_err_where(err, "%s: ", file);
        }
        if (status == LINLI_OK) {
            ll_jw_key(&w, "config");
            ll_jw_value(&w, ll_json_root(&config));
        }
    }
    ll_jw_close(&w, '}');
    if (status == LINLI_OK && body->failed)
        status = ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no body");
    ll_json_fini(&config);
    return status;
}

static void
print_str(struct ll_jv plugin, const char *name)
{
    ll_cli_print(ll_jv_str(ll_jv_get(plugin, name)));
}

/* "parking 1.0.0 is enabled in demo" */
static void
print_state(const struct ll_cli *cli, struct ll_jv plugin)
{
    print_str(plugin, "id");
    (void)putchar(' ');
    print_str(plugin, "version");
    (void)printf(": ");
    print_str(plugin, "state");
    (void)printf(" (%s)\n", cli->community);
}

linli_status
ll_cli_plugin_enable(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST"};
    struct ll_admin_answer answer;
    struct ll_buf body;
    ll_admin_answer_init(cli, &answer);
    ll_buf_init(&body, &cli->mem, (size_t)2 * LL_CLI_FILE_BYTES_MAX);
    linli_status status = enable_body(cli, &body, err);
    ask.body = ll_buf_view(&body);
    if (status == LINLI_OK)
        status = ll_cli_ask_admin(cli, &ask, "/plugins", &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer))
        print_state(cli, ll_json_root(&answer.json));
    ll_admin_answer_free(&answer);
    ll_buf_fini(&body);
    return status;
}

linli_status
ll_cli_plugin_disable(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST", .body = LINLI_STR("{}")};
    struct ll_admin_answer answer;
    char *id = ll_cli_segment(cli, cli->args->words[0]);
    char *below =
        id == NULL ? NULL : ll_cli_text(cli, "/plugins/%s/disable", id);
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_admin(cli, &ask, below, &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer))
        print_state(cli, ll_json_root(&answer.json));
    ll_admin_answer_free(&answer);
    return status;
}

/* One by one: what is asked again is the same as before only if nobody has
 * enabled it since. */
static linli_status
uninstall_headers(
    struct ll_cli *cli, const char *headers[2], struct ll_err *err)
{
    unsigned char random[16];
    char hex[sizeof random * 2 + 1];
    if (getentropy(random, sizeof random) != 0)
        return ll_fail(err, LINLI_E_IO, "cli/file", "%s", strerror(errno));
    ll_hex(random, sizeof random, hex);
    headers[0] = ll_cli_text(cli, "Idempotency-Key: %s%s", hex, "");
    headers[1] = "Content-Type: application/json";
    return headers[0] == NULL
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no key")
               : LINLI_OK;
}

linli_status
ll_cli_plugin_uninstall(struct ll_cli *cli, struct ll_err *err)
{
    const char *headers[2], *reason = cli->args->value[LL_OPT_REASON];
    struct ll_ask ask = {
        .method = "POST", .headers = headers, .header_count = 2};
    struct ll_admin_answer answer;
    struct ll_buf body;
    char *id = ll_cli_segment(cli, cli->args->words[0]);
    char *below =
        id == NULL ? NULL : ll_cli_text(cli, "/plugins/%s/uninstall", id);
    if (reason == NULL || !ll_utf8_valid(ll_cstr(reason)))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "linli plugin uninstall: --reason is missing, or not UTF-8");
    ll_admin_answer_init(cli, &answer);
    ll_buf_init(&body, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    struct ll_jw w = ll_jw(&body);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "reason");
    ll_jw_cstr(&w, reason);
    ll_jw_close(&w, '}');
    ask.body = ll_buf_view(&body);
    linli_status status = uninstall_headers(cli, headers, err);
    if (status == LINLI_OK)
        status = ll_cli_ask_admin(cli, &ask, below, &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        struct ll_jv root = ll_json_root(&answer.json);
        print_str(root, "plugin");
        (void)printf(": uninstall ");
        print_str(root, "id");
        (void)printf(" (%s)\n", cli->community);
    }
    ll_admin_answer_free(&answer);
    ll_buf_fini(&body);
    return status;
}

/* "123 456", or "-" */
static void
print_workers(struct ll_jv workers)
{
    char pids[256] = "-";
    size_t used = 0;
    LL_JSON_EACH (worker, workers) {
        int64_t pid = 0;
        if (!ll_jv_int(ll_jv_get(worker, "pid"), &pid))
            continue;
        int n = snprintf(pids + used, sizeof pids - used, "%s%lld",
            used > 0 ? " " : "", (long long)pid);
        used += (size_t)n;
        if (used >= sizeof pids)
            break; /* the column is full; --json has them all */
    }
    (void)printf("%-16s ", pids);
}

static void
print_row(struct ll_jv plugin)
{
    struct ll_jv error = ll_jv_get(plugin, "last_error");
    linli_str id = ll_jv_str(ll_jv_get(plugin, "id"));
    linli_str version = ll_jv_str(ll_jv_get(plugin, "version"));
    linli_str state = ll_jv_str(ll_jv_get(plugin, "state"));
    int64_t restarts = 0;
    (void)ll_jv_int(ll_jv_get(plugin, "restarts"), &restarts);
    (void)printf(
        "%-20.*s %-10.*s %-10.*s ", LL_FMT(id), LL_FMT(version), LL_FMT(state));
    print_workers(ll_jv_get(plugin, "workers"));
    (void)printf("%8lld  ", (long long)restarts);
    if (ll_jv_is(error, LL_JSON_OBJECT)) {
        print_str(error, "code");
        (void)printf(": ");
        print_str(error, "message");
    } else {
        (void)putchar('-');
    }
    (void)putchar('\n');
}

linli_status
ll_cli_plugin_list(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_admin(cli, &ask, "/plugins", &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        struct ll_jv items = ll_jv_get(ll_json_root(&answer.json), "items");
        (void)printf("%-20s %-10s %-10s %-16s %8s  %s\n", "ID", "VERSION",
            "STATE", "WORKERS", "RESTARTS", "LAST ERROR");
        LL_JSON_EACH (plugin, items) {
            print_row(plugin);
        }
    }
    ll_admin_answer_free(&answer);
    return status;
}
