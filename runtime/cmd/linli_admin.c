/* cmd/linli_admin.c: asking linlid's own paths, as an operator of a community
 * or as who may read linlid's data directory. */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/text.h"

#define ADMIN_DEPTH_MAX 32
#define SEGMENT_BYTES_MAX 4096

char *
ll_cli_segment(struct ll_cli *cli, const char *text)
{
    struct ll_buf buf;
    ll_buf_init(&buf, &cli->mem, SEGMENT_BYTES_MAX);
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
        ll_buf_printf(&buf, plain ? "%c" : "%%%02X", c);
    }
    char *copy =
        buf.failed ? NULL : ll_cli_text(cli, "%.*s", (int)buf.len, buf.ptr);
    ll_buf_fini(&buf);
    return copy;
}

void
ll_admin_answer_init(struct ll_cli *cli, struct ll_admin_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    ll_json_init(&answer->json, &cli->mem);
}

void
ll_admin_answer_free(struct ll_admin_answer *answer)
{
    ll_answer_free(&answer->answer);
    ll_json_fini(&answer->json);
}

/* The request itself: its token and address are there. */
static linli_status
ask_path(struct ll_cli *cli, struct ll_ask *ask, struct ll_admin_answer *answer,
    struct ll_err *err)
{
    static const char *const type[] = {"Content-Type: application/json"};
    if (ask->url == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "a name is too long");
    if (ask->wait_ms == 0)
        ask->wait_ms = LL_CLI_ANSWER_MS;
    if (ask->body.ptr != NULL && ask->headers == NULL) {
        ask->headers = type;
        ask->header_count = LL_COUNT(type);
    }
    linli_status status = ll_cli_ask(cli, ask, &answer->answer, err);
    if (status == LINLI_OK)
        status = ll_cli_judge(cli, &answer->answer, err);
    if (status == LINLI_OK)
        status = ll_json_parse(&answer->json, ll_buf_view(&answer->answer.body),
            ADMIN_DEPTH_MAX, err);
    return status;
}

linli_status
ll_cli_ask_admin(struct ll_cli *cli, struct ll_ask *ask, const char *below,
    struct ll_admin_answer *answer, struct ll_err *err)
{
    char *community = ll_cli_segment(cli, cli->community);
    linli_status status = LINLI_OK;
    if (cli->base_url == NULL)
        status = ll_cli_find(cli, err);
    if (status == LINLI_OK && ask->token.ptr == NULL)
        status = ll_cli_mint(
            cli, LL_CLI_OPERATOR, ll_cstr(cli->community), &ask->token, err);
    if (status != LINLI_OK)
        return status;
    ask->url = community == NULL || below == NULL
                   ? NULL
                   : ll_cli_text(cli, "/v1/c/%s/admin%s", community, below);
    return ask_path(cli, ask, answer, err);
}

/* The token in DIR/linlid.json is for the linlid that wrote it alone. */
static linli_status
take_admin_token(struct ll_cli *cli, linli_str *token, struct ll_err *err)
{
    if (cli->args->value[LL_OPT_TOKEN_FILE] != NULL)
        return ll_cli_token_file(cli, token, err);
    if (cli->admin_token == NULL || cli->admin_token[0] == '\0') {
        linli_status status = ll_fail(err, LINLI_E_INVALID, "usage",
            "there is no admin token for %s", cli->base_url);
        ll_err_fix(err, "use --data instead of --url, or --token-file with the "
                        "admin_token of its linlid.json");
        return status;
    }
    *token = ll_cstr(cli->admin_token);
    return LINLI_OK;
}

linli_status
ll_cli_ask_host(struct ll_cli *cli, struct ll_ask *ask, const char *path,
    struct ll_admin_answer *answer, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    if (cli->base_url == NULL)
        status = ll_cli_find(cli, err);
    if (status == LINLI_OK && ask->token.ptr == NULL)
        status = take_admin_token(cli, &ask->token, err);
    if (status != LINLI_OK)
        return status;
    ask->url = path;
    return ask_path(cli, ask, answer, err);
}

bool
ll_cli_printed(const struct ll_cli *cli, const struct ll_admin_answer *answer)
{
    const struct ll_buf *body = &answer->answer.body;
    if (cli->json)
        (void)printf("%.*s\n", (int)body->len, body->ptr);
    return cli->json;
}

linli_status
ll_cli_put_reason(struct ll_cli *cli, struct ll_jw *w, struct ll_err *err)
{
    const char *reason = cli->args->value[LL_OPT_REASON];
    if (reason == NULL) {
        linli_status status = ll_fail(err, LINLI_E_INVALID, "usage",
            "linli %s: --reason is missing", cli->args->verb->name);
        ll_err_fix(
            err, "linli %s %s", cli->args->verb->name, cli->args->verb->usage);
        return status;
    }
    if (!ll_utf8_valid(ll_cstr(reason)))
        return ll_fail(err, LINLI_E_INVALID, "usage", "--reason is not UTF-8");
    ll_jw_key(w, "reason");
    ll_jw_cstr(w, reason);
    return LINLI_OK;
}
