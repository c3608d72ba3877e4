/* cmd/linli_webhook.c: `linli webhook add | list | delete | rotate`. */
#include "cmd/linli_cli.h"

#include "base/text.h"

#define BODY_BYTES_MAX ((size_t)64 << 10)

/* "/webhooks/ID" and what follows. */
static char *
path_of(struct ll_cli *cli, const char *tail)
{
    char *id = ll_cli_segment(cli, cli->args->words[0]);
    return id == NULL ? NULL : ll_cli_text(cli, "/webhooks/%s%s", id, tail);
}

static linli_str
text(struct ll_jv webhook, const char *name)
{
    return ll_jv_str(ll_jv_get(webhook, name));
}

/* The state in a word, and how far it is. */
static void
print_row(struct ll_jv webhook)
{
    struct ll_jv last = ll_jv_get(webhook, "last");
    linli_str why = text(webhook, "disabled");
    linli_str code = text(last, "code");
    int64_t after = 0, pending = 0;
    (void)ll_jv_int(ll_jv_get(webhook, "after"), &after);
    (void)ll_jv_int(ll_jv_get(webhook, "pending"), &pending);
    linli_str state = LINLI_STR("on");
    if (why.len > 0)
        state = why;
    else if (code.len > 0)
        state = code;
    (void)printf("%-20.*s %-22.*s %10lld %8lld  ", LL_FMT(text(webhook, "id")),
        LL_FMT(state), (long long)after, (long long)pending);
    ll_cli_print(text(webhook, "url"));
    LL_JSON_EACH (type, ll_jv_get(webhook, "types")) {
        (void)putchar(' ');
        ll_cli_print(ll_jv_str(type));
    }
    (void)putchar('\n');
}

/* A key is printed alone: a script takes it as it is. */
static linli_status
ask_one(struct ll_cli *cli, struct ll_ask *ask, const char *tail,
    struct ll_err *err)
{
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status =
        ll_cli_ask_admin(cli, ask, path_of(cli, tail), &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        struct ll_jv webhook = ll_json_root(&answer.json);
        linli_str secret = text(webhook, "secret");
        if (secret.len > 0)
            (void)printf("%.*s\n", LL_FMT(secret));
        else
            print_row(webhook);
    }
    ll_admin_answer_free(&answer);
    return status;
}

/* {"url":…,"types":[…]} */
static void
put_body(struct ll_cli *cli, struct ll_buf *body)
{
    const char *types = cli->args->value[LL_OPT_TYPES];
    struct ll_jw w = ll_jw(body);
    linli_str rest = ll_cstr(types == NULL ? "*" : types), type;
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "url");
    ll_jw_cstr(&w, cli->args->words[1]);
    ll_jw_key(&w, "types");
    ll_jw_open(&w, '[');
    while (ll_str_split(&rest, ',', &type))
        ll_jw_str(&w, type);
    ll_jw_close(&w, ']');
    ll_jw_close(&w, '}');
}

linli_status
ll_cli_webhook_add(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "PUT"};
    struct ll_buf body;
    ll_buf_init(&body, &cli->mem, BODY_BYTES_MAX);
    put_body(cli, &body);
    ask.body = ll_buf_view(&body);
    linli_status status =
        body.failed ? ll_fail(err, LINLI_E_LIMIT, "usage", "it is too long")
                    : ask_one(cli, &ask, "", err);
    ll_buf_fini(&body);
    return status;
}

linli_status
ll_cli_webhook_delete(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "DELETE"};
    return ask_one(cli, &ask, "", err);
}

linli_status
ll_cli_webhook_rotate(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST", .body = LINLI_STR("{}")};
    return ask_one(cli, &ask, "/rotate", err);
}

linli_status
ll_cli_webhook_list(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status =
        ll_cli_ask_admin(cli, &ask, "/webhooks", &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        struct ll_jv items = ll_jv_get(ll_json_root(&answer.json), "items");
        (void)printf("%-20s %-22s %10s %8s  %s\n", "ID", "STATE", "AFTER",
            "PENDING", "URL AND TYPES");
        LL_JSON_EACH (webhook, items) {
            print_row(webhook);
        }
    }
    ll_admin_answer_free(&answer);
    return status;
}
