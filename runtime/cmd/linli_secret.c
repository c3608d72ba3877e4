/* cmd/linli_secret.c: `linli secret set | list | delete`. A value comes from
 * stdin or a file, never from the command line, which others can read. */
#include "cmd/linli_cli.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"

/* "/plugins/PLUGIN/secrets/NAME"; without a name, all of them. */
static char *
path_of(struct ll_cli *cli)
{
    const struct ll_args *args = cli->args;
    char *plugin = ll_cli_segment(cli, args->words[0]);
    if (plugin == NULL)
        return NULL;
    if (args->word_count < 2)
        return ll_cli_text(cli, "/plugins/%s/secrets", plugin);
    char *name = ll_cli_segment(cli, args->words[1]);
    return name == NULL
               ? NULL
               : ll_cli_text(cli, "/plugins/%s/secrets/%s", plugin, name);
}

/* -- reading a value -- */

/* A line that is typed in is not shown. */
static linli_status
read_typed(struct ll_cli *cli, linli_str *value, struct ll_err *err)
{
    struct termios was, hidden;
    if (tcgetattr(STDIN_FILENO, &was) != 0)
        return ll_cli_read(cli, "-", LL_SECRET_BYTES_MAX + 2, value, err);
    hidden = was;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    ll_cli_both(stderr, cli,
        "The value, then Enter and Ctrl-D; it is not shown",
        "请输入密钥值, 回车后按 Ctrl-D; 输入不回显");
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    linli_status status =
        ll_cli_read(cli, "-", LL_SECRET_BYTES_MAX + 2, value, err);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    return status;
}

/* The end of the line that a file or a terminal ends with is no part of it. */
linli_status
ll_cli_secret_value(struct ll_cli *cli, linli_str *value, struct ll_err *err)
{
    const char *file = cli->args->value[LL_OPT_FILE];
    linli_status status;
    if (file == NULL && isatty(STDIN_FILENO) == 1)
        status = read_typed(cli, value, err);
    else
        status = ll_cli_read(cli, file == NULL ? "-" : file,
            LL_SECRET_BYTES_MAX + 2, value, err);
    if (status != LINLI_OK)
        return status;
    if (value->len > 0 && value->ptr[value->len - 1] == '\n')
        value->len--;
    if (value->len > 0 && value->ptr[value->len - 1] == '\r')
        value->len--;
    return value->len > 0
               ? LINLI_OK
               : ll_fail(err, LINLI_E_INVALID, "usage", "the value is empty");
}

/* -- the verbs -- */

static void
print_secret(struct ll_jv secret)
{
    bool set = ll_jv_true(ll_jv_get(secret, "set"));
    linli_str name = ll_jv_str(ll_jv_get(secret, "name"));
    linli_str at = ll_jv_str(ll_jv_get(secret, "set_at"));
    linli_str print = ll_jv_str(ll_jv_get(secret, "fingerprint"));
    (void)printf("%-32.*s %-8s %-26.*s %.*s%s\n", LL_FMT(name),
        set ? "set" : "not set", LL_FMT(at), LL_FMT(print),
        ll_jv_true(ll_jv_get(secret, "declared")) ? "" : "  (not declared)");
}

static linli_status
ask_one(struct ll_cli *cli, struct ll_ask *ask, struct ll_err *err)
{
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status =
        ll_cli_ask_admin(cli, ask, path_of(cli), &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer))
        print_secret(ll_json_root(&answer.json));
    ll_admin_answer_free(&answer);
    return status;
}

linli_status
ll_cli_secret_set(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "PUT"};
    struct ll_buf body;
    linli_str value;
    linli_status status = ll_cli_secret_value(cli, &value, err);
    if (status != LINLI_OK)
        return status;
    if (!ll_utf8_valid(value))
        return ll_fail(
            err, LINLI_E_INVALID, "usage", "the value is not UTF-8 text");
    ll_buf_init(&body, &cli->mem, (size_t)8 * LL_SECRET_BYTES_MAX);
    struct ll_jw w = ll_jw(&body);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "value");
    ll_jw_str(&w, value);
    ll_jw_close(&w, '}');
    ask.body = ll_buf_view(&body);
    status = body.failed
                 ? ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no body")
                 : ask_one(cli, &ask, err);
    ll_buf_fini(&body);
    return status;
}

linli_status
ll_cli_secret_delete(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "DELETE"};
    return ask_one(cli, &ask, err);
}

linli_status
ll_cli_secret_list(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status =
        ll_cli_ask_admin(cli, &ask, path_of(cli), &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        struct ll_jv items = ll_jv_get(ll_json_root(&answer.json), "items");
        (void)printf(
            "%-32s %-8s %-26s %s\n", "NAME", "STATE", "SET AT", "FINGERPRINT");
        LL_JSON_EACH (secret, items) {
            print_secret(secret);
        }
    }
    ll_admin_answer_free(&answer);
    return status;
}
