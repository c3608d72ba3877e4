/* cmd/linli_host.c: what belongs to the whole host: its clock, its seed, its
 * database: `linli clock | seed | backup | restore`. */
#include "cmd/linli_cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/text.h"
#include "store/store.h"

/* -- clock -- */

/* One request whose answer says what time it is. */
static linli_status
ask_clock(struct ll_cli *cli, struct ll_ask *ask, const char *path,
    struct ll_err *err)
{
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_host(cli, ask, path, &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        ll_cli_print(ll_jv_str(ll_jv_get(ll_json_root(&answer.json), "now")));
        (void)putchar('\n');
    }
    ll_admin_answer_free(&answer);
    return status;
}

linli_status
ll_cli_clock_get(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    return ask_clock(cli, &ask, "/v1/dev/clock", err);
}

linli_status
ll_cli_clock_set(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "PUT"};
    int64_t ms = 0;
    if (!ll_instant_read(ll_cstr(cli->args->words[0]), &ms))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "TS is a time as in 2026-03-02T09:00:00+08:00, or milliseconds "
            "since 1970");
    char *body = ll_cli_text(cli, "{\"now\":%lld}", (long long)ms);
    if (body == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no body");
    ask.body = ll_cstr(body);
    return ask_clock(cli, &ask, "/v1/dev/clock", err);
}

linli_status
ll_cli_clock_advance(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST", .wait_ms = LL_CLI_LONG_MS};
    int64_t ms = 0;
    if (!ll_duration_read(ll_cstr(cli->args->words[0]), &ms))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "DUR is a time as in 90s, 15m, 2h, 1d, 250ms or 1d12h");
    char *body = ll_cli_text(cli, "{\"ms\":%lld}", (long long)ms);
    if (body == NULL)
        return ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no body");
    ask.body = ll_cstr(body);
    return ask_clock(cli, &ask, "/v1/dev/clock/advance", err);
}

/* -- seed -- */

static int64_t
int_of(const struct ll_admin_answer *answer, const char *name)
{
    int64_t value = 0;
    (void)ll_jv_int(ll_jv_get(ll_json_root(&answer->json), name), &value);
    return value;
}

linli_status
ll_cli_seed(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST", .wait_ms = LL_CLI_LONG_MS};
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_read(
        cli, cli->args->words[0], LL_CLI_BODY_BYTES_MAX, &ask.body, err);
    if (status == LINLI_OK)
        status = ll_cli_ask_host(cli, &ask, "/v1/dev/seed", &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        char en[64], zh[64];
        long long documents = int_of(&answer, "documents");
        long long plugins = int_of(&answer, "plugins");
        (void)snprintf(
            en, sizeof en, "%lld documents, %lld plugins", documents, plugins);
        (void)snprintf(
            zh, sizeof zh, "%lld 个文档, %lld 个插件", documents, plugins);
        ll_cli_both(stdout, cli, en, zh);
    }
    ll_admin_answer_free(&answer);
    return status;
}

/* -- backup and restore -- */

/* linlid runs in another folder: where FILE is to be, from the root on. The
 * file is not there yet, its folder is. */
static linli_status
absolute(struct ll_cli *cli, const char *file, char **out, struct ll_err *err)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(file, '/');
    const char *name = slash == NULL ? file : slash + 1;
    const char *given =
        slash == NULL   ? "."
        : slash == file ? "/"
                        : ll_cli_text(cli, "%.*s", (int)(slash - file), file);
    linli_status status = LINLI_OK;
    *out = NULL;
    if (name[0] == '\0' || given == NULL)
        status = ll_fail(err, LINLI_E_INVALID, "usage", "FILE names no file");
    else if (realpath(given, folder) == NULL)
        status = ll_fail(err, LINLI_E_IO, "cli/file", "%s", strerror(errno));
    if (status == LINLI_OK) {
        *out = ll_cli_text(
            cli, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
        if (*out == NULL)
            status =
                ll_fail(err, LINLI_E_LIMIT, "usage", "the path is too long");
    }
    if (status != LINLI_OK)
        ll_err_where(err, "%s", file);
    return status;
}

static linli_status
backup_body(struct ll_cli *cli, struct ll_buf *body, struct ll_err *err)
{
    char *path = NULL;
    struct ll_jw w = ll_jw(body);
    linli_status status = absolute(cli, cli->args->words[0], &path, err);
    if (status != LINLI_OK)
        return status;
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "path");
    ll_jw_cstr(&w, path);
    ll_jw_close(&w, '}');
    return body->failed
               ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no body")
               : LINLI_OK;
}

linli_status
ll_cli_backup(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST", .wait_ms = LL_CLI_LONG_MS};
    struct ll_admin_answer answer;
    struct ll_buf body;
    ll_admin_answer_init(cli, &answer);
    ll_buf_init(&body, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    linli_status status = backup_body(cli, &body, err);
    ask.body = ll_buf_view(&body);
    if (status == LINLI_OK)
        status = ll_cli_ask_host(cli, &ask, "/v1/host/backup", &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        ll_cli_print(ll_jv_str(ll_jv_get(ll_json_root(&answer.json), "path")));
        (void)printf(": %lld bytes, commit %lld\n",
            (long long)int_of(&answer, "bytes"),
            (long long)int_of(&answer, "commit"));
        ll_cli_both(stdout, cli,
            "Without DIR/linli.key it cannot be read: keep both, apart. "
            "DIR/linli.gone, as it is on the day of a restore, belongs to the "
            "key",
            "没有 DIR/linli.key 无法读取: 请将两者分开妥善保存. "
            "恢复当日的 DIR/linli.gone 须与密钥放在一起");
    }
    ll_buf_fini(&body);
    ll_admin_answer_free(&answer);
    return status;
}

linli_status
ll_cli_restore(struct ll_cli *cli, struct ll_err *err)
{
    const char *key = cli->args->value[LL_OPT_KEY];
    uint64_t number = 0;
    if (cli->args->value[LL_OPT_DATA] == NULL)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "linli restore needs --data DIR: it is never guessed");
    if (key == NULL)
        key = ll_cli_text(cli, "%s/linli.key", cli->data);
    if (key == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "--data is too long");
    /* It takes the lock that linlid holds: none runs on DIR, none begins. */
    linli_status status =
        ll_store_restore(cli->args->words[0], key, cli->data, &number, err);
    if (status != LINLI_OK)
        return status;
    if (cli->json)
        (void)printf("{\"commit\":%llu}\n", (unsigned long long)number);
    else
        (void)printf(
            "%s: commit %llu\n", cli->data, (unsigned long long)number);
    return LINLI_OK;
}
