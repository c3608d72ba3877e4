/* cmd/linli_plan.c: `linli plan publish | list | show | close`. */
#include "cmd/linli_cli.h"

#include "base/text.h"

#define QUERY_BYTES_MAX 4096
#define BODY_BYTES_MAX ((size_t)64 << 10)

static char *
path_of(struct ll_cli *cli, const char *tail)
{
    char *name = ll_cli_segment(cli, cli->args->words[0]);
    return name == NULL ? NULL : ll_cli_text(cli, "/plans/%s%s", name, tail);
}

static void
print_row(struct ll_jv plan)
{
    ll_cli_print_column(plan, "id", 24);
    ll_cli_print_column(plan, "plugin", 16);
    ll_cli_print_column(plan, "at", 24);
    (void)printf(
        "%-6s ", ll_jv_true(ll_jv_get(plan, "closed")) ? "closed" : "open");
    ll_cli_print(ll_jv_str(ll_jv_get(ll_jv_get(plan, "title"), "zh-CN")));
    (void)putchar('\n');
}

/* One request, and the plan it answers with. */
static linli_status
ask_one(struct ll_cli *cli, struct ll_ask *ask, const char *path,
    struct ll_err *err)
{
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_admin(cli, ask, path, &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer))
        print_row(ll_json_root(&answer.json));
    ll_admin_answer_free(&answer);
    return status;
}

linli_status
ll_cli_plan_publish(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST"};
    linli_status status = ll_cli_read(
        cli, cli->args->words[0], LL_CLI_FILE_BYTES_MAX, &ask.body, err);
    return status == LINLI_OK ? ask_one(cli, &ask, "/plans", err) : status;
}

linli_status
ll_cli_plan_close(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST"};
    struct ll_buf body;
    ll_buf_init(&body, &cli->mem, BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&body);
    ll_jw_open(&w, '{');
    linli_status status = ll_cli_put_reason(cli, &w, err);
    ll_jw_close(&w, '}');
    ask.body = ll_buf_view(&body);
    if (status == LINLI_OK)
        status = ask_one(cli, &ask, path_of(cli, "/close"), err);
    ll_buf_fini(&body);
    return status;
}

linli_status
ll_cli_plan_show(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status =
        ll_cli_ask_admin(cli, &ask, path_of(cli, ""), &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        struct ll_buf text;
        ll_buf_init(&text, &cli->mem, LL_CLI_ANSWER_BYTES_MAX);
        struct ll_jw w = ll_jw(&text);
        ll_jw_value(&w, ll_jv_get(ll_json_root(&answer.json), "published"));
        status = ll_cli_print_json(&text, err);
    }
    ll_admin_answer_free(&answer);
    return status;
}

static void
print_page(const struct ll_cli *cli, struct ll_jv page, bool first)
{
    LL_UNUSED(cli);
    if (first)
        (void)printf("%-24s %-16s %-24s %-6s %s\n", "PLAN", "PLUGIN",
            "PUBLISHED", "STATE", "TITLE");
    LL_JSON_EACH (plan, ll_jv_get(page, "items")) {
        print_row(plan);
    }
}

linli_status
ll_cli_plan_list(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_listing list = {.page = print_page};
    struct ll_buf query;
    ll_buf_init(&query, &cli->mem, QUERY_BYTES_MAX);
    ll_buf_printf(&query, "/plans?limit=%d", LL_ADMIN_LIST_MAX);
    ll_cli_add_param(&query, cli, "plugin", LL_OPT_PLUGIN);
    linli_status status = ll_cli_print_query(cli, &list, &query, err);
    ll_buf_fini(&query);
    return status;
}
