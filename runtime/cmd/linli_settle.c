/* cmd/linli_settle.c: `linli settle`: closes a month for vendors. */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/text.h"

#define BODY_BYTES_MAX 4096
#define PREFIX "revenue:"

struct settle {
    struct ll_cli *cli;
    struct ll_ask ask; /* keeps the token */
    struct ll_buf out; /* --json: the statements so far */
    struct ll_jw w;
    uint32_t count;
};

/* "12.34" */
static void
print_yuan(struct ll_jv statement, const char *name)
{
    char text[32];
    int64_t fen = 0;
    (void)ll_jv_int(ll_jv_get(statement, name), &fen);
    uint64_t size = fen < 0 ? -(uint64_t)fen : (uint64_t)fen;
    (void)snprintf(text, sizeof text, "%s%llu.%02llu", fen < 0 ? "-" : "",
        (unsigned long long)(size / 100), (unsigned long long)(size % 100));
    (void)printf(" %14s", text);
}

static void
print_one(struct settle *s, struct ll_jv statement)
{
    if (s->count == 0)
        (void)printf("%-12s %-20s %-8s %14s %14s %14s %14s %14s\n", "NUMBER",
            "PLUGIN", "PERIOD", "PAID", "BASE", "OPERATOR", "CHANNEL",
            "VENDOR");
    ll_cli_print_column(statement, "number", 12);
    ll_cli_print_column(statement, "plugin", 20);
    ll_cli_print_column(statement, "period", 7);
    print_yuan(statement, "paid_fen");
    print_yuan(statement, "base_fen");
    print_yuan(statement, "platform_fen");
    print_yuan(statement, "channel_fen");
    print_yuan(statement, "vendor_fen");
    (void)putchar('\n');
}

/* Closes it for one plugin. */
static linli_status
settle_one(struct settle *s, linli_str plugin, struct ll_err *err)
{
    struct ll_admin_answer answer;
    struct ll_buf body;
    ll_buf_init(&body, &s->cli->mem, BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&body);
    ll_jw_open(&w, '{');
    ll_jw_key(&w, "plugin");
    ll_jw_str(&w, plugin);
    ll_jw_key(&w, "period");
    ll_jw_cstr(&w, s->cli->args->words[0]);
    ll_jw_close(&w, '}');
    ll_admin_answer_init(s->cli, &answer);
    s->ask.method = "POST";
    s->ask.body = ll_buf_view(&body);
    linli_status status =
        body.failed
            ? ll_fail(err, LINLI_E_LIMIT, "usage", "a name is too long")
            : ll_cli_ask_admin(s->cli, &s->ask, "/settlements", &answer, err);
    if (status == LINLI_OK && s->cli->json)
        ll_jw_value(&s->w, ll_json_root(&answer.json));
    else if (status == LINLI_OK)
        print_one(s, ll_json_root(&answer.json));
    s->count++;
    ll_admin_answer_free(&answer);
    ll_buf_fini(&body);
    return status;
}

/* For every plugin of a page of the ledger; *cursor: of the next, or NULL. */
static linli_status
settle_page(struct settle *s, struct ll_jv page, const char **cursor,
    struct ll_err *err)
{
    linli_status status = LINLI_OK;
    linli_str next = ll_jv_str(ll_jv_get(page, "next_cursor"));
    *cursor = next.len == 0 ? NULL : ll_cli_text(s->cli, "%.*s", LL_FMT(next));
    LL_JSON_EACH (item, ll_jv_get(page, "items")) {
        linli_str account = ll_jv_str(ll_jv_get(item, "account"));
        size_t n = strlen(PREFIX);
        if (status == LINLI_OK && ll_str_starts(account, PREFIX))
            status = settle_one(
                s, (linli_str){account.ptr + n, account.len - n}, err);
    }
    return status;
}

static linli_status
settle_all(struct settle *s, struct ll_err *err)
{
    linli_status status = LINLI_OK;
    const char *cursor = "";
    while (status == LINLI_OK && cursor != NULL) {
        struct ll_admin_answer answer;
        ll_admin_answer_init(s->cli, &answer);
        s->ask.method = "GET";
        s->ask.body = (linli_str){NULL, 0};
        const char *path = ll_cli_text(s->cli, "/ledger?limit=%d%s%s",
            LL_ADMIN_LIST_MAX, cursor[0] == '\0' ? "" : "&cursor=", cursor);
        status = ll_cli_ask_admin(s->cli, &s->ask, path, &answer, err);
        if (status == LINLI_OK)
            status = settle_page(s, ll_json_root(&answer.json), &cursor, err);
        ll_admin_answer_free(&answer);
    }
    return status;
}

linli_status
ll_cli_settle(struct ll_cli *cli, struct ll_err *err)
{
    struct settle s = {.cli = cli, .ask = {.wait_ms = LL_CLI_LONG_MS}};
    linli_status status = LINLI_OK;
    ll_buf_init(&s.out, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    s.w = ll_jw(&s.out);
    ll_jw_open(&s.w, '{');
    ll_jw_key(&s.w, "items");
    ll_jw_open(&s.w, '[');
    if (cli->args->word_count == 1)
        status = settle_all(&s, err);
    for (uint32_t i = 1; status == LINLI_OK && i < cli->args->word_count; i++)
        status = settle_one(&s, ll_cstr(cli->args->words[i]), err);
    ll_jw_close(&s.w, ']');
    ll_jw_close(&s.w, '}');
    if (status == LINLI_OK && cli->json)
        return ll_cli_print_json(&s.out, err);
    ll_buf_fini(&s.out);
    return status;
}
