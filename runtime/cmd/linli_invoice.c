/* cmd/linli_invoice.c: what a community's subscriptions owe:
 * `linli invoice list | show | preview | finalize | credit | write-off`. */
#include "cmd/linli_invoice.h"

#include <string.h>

#include "base/text.h"

/* "-12.34" of a member in fen; as wide as its column. */
static void
print_yuan(struct ll_jv object, const char *name, int width)
{
    char text[32];
    int64_t fen = 0;
    (void)ll_jv_int(ll_jv_get(object, name), &fen);
    uint64_t size = fen < 0 ? 0 - (uint64_t)fen : (uint64_t)fen;
    (void)snprintf(text, sizeof text, "%s%llu.%02llu", fen < 0 ? "-" : "",
        (unsigned long long)(size / 100), (unsigned long long)(size % 100));
    (void)printf("%*s", width, text);
}

/* -- the list -- */

static void
print_page(const struct ll_cli *cli, struct ll_jv page, bool first)
{
    LL_UNUSED(cli);
    if (first)
        (void)printf("%-12s %-12s %-12s %-12s %-10s %12s %12s\n", "ID",
            "NUMBER", "SUBSCRIPTION", "STATE", "DUE BY", "TOTAL", "DUE");
    LL_JSON_EACH (invoice, ll_jv_get(page, "items")) {
        ll_cli_print_column(invoice, "id", 12);
        ll_cli_print_column(invoice, "number", 12);
        ll_cli_print_column(invoice, "subscription", 12);
        ll_cli_print_column(invoice, "state", 12);
        ll_cli_print_column(invoice, "due", 10);
        print_yuan(invoice, "total_fen", 12);
        print_yuan(invoice, "due_fen", 13);
        (void)putchar('\n');
    }
}

linli_status
ll_cli_invoice_list(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_listing list = {.page = print_page};
    struct ll_buf query;
    ll_buf_init(&query, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    ll_buf_printf(&query, "/invoices?limit=%d", LL_ADMIN_LIST_MAX);
    ll_cli_add_param(&query, cli, "state", LL_OPT_STATE);
    if (cli->args->word_count > 0)
        ll_buf_printf(&query, "&subscription=%s",
            ll_cli_segment(cli, cli->args->words[0]));
    linli_status status = ll_cli_print_query(cli, &list, &query, err);
    ll_buf_fini(&query);
    return status;
}

/* -- one -- */

static void
print_body(struct ll_jv body)
{
    (void)printf("%-40s %-12s %16s %12s\n", "LINE", "PLAN", "QUANTITY", "YUAN");
    LL_JSON_EACH (line, ll_jv_get(body, "lines")) {
        linli_str quantity = ll_jv_str(ll_jv_get(line, "quantity"));
        ll_cli_print_column(line, "key", 40);
        ll_cli_print_column(line, "plan", 12);
        (void)printf("%16.*s", LL_FMT(quantity));
        print_yuan(line, "amount_fen", 13);
        (void)putchar('\n');
    }
    (void)printf("%-40s", "tax");
    print_yuan(body, "tax_fen", 43);
    (void)printf("\n%-40s", "total");
    print_yuan(body, "total_fen", 43);
    (void)putchar('\n');
}

static void
print_one(const struct ll_cli *cli, struct ll_jv one)
{
    struct ll_jv body = ll_jv_get(one, "invoice");
    if (!ll_jv_there(body)) {
        print_body(one); /* a preview */
        return;
    }
    ll_cli_print(ll_jv_str(ll_jv_get(one, "id")));
    (void)putchar(' ');
    ll_cli_print(ll_jv_str(ll_jv_get(one, "number")));
    (void)printf(": ");
    ll_cli_print(ll_jv_str(ll_jv_get(one, "state")));
    (void)printf(", due ");
    print_yuan(one, "due_fen", 1);
    (void)printf(" (%s)\n", cli->community);
    if (ll_jv_is(body, LL_JSON_OBJECT))
        print_body(body);
}

/* As it came, for --format csv and html. */
static linli_status
print_form(
    struct ll_cli *cli, const char *below, const char *form, struct ll_err *err)
{
    struct ll_answer answer = {0};
    struct ll_ask ask = {.method = "GET", .wait_ms = LL_CLI_ANSWER_MS};
    char *community = ll_cli_segment(cli, cli->community);
    linli_status status =
        cli->base_url == NULL ? ll_cli_find(cli, err) : LINLI_OK;
    if (status == LINLI_OK)
        status = ll_cli_mint(
            cli, LL_CLI_OPERATOR, ll_cstr(cli->community), &ask.token, err);
    if (community != NULL)
        ask.url = ll_cli_text(cli, "/v1/c/%s/admin%s.%s%s", community, below,
            form, cli->lang == LL_LANG_EN ? "?lang=en" : "?lang=zh-CN");
    if (status == LINLI_OK && ask.url == NULL)
        status = ll_fail(err, LINLI_E_LIMIT, "usage", "a name is too long");
    if (status == LINLI_OK)
        status = ll_cli_ask(cli, &ask, &answer, err);
    if (status == LINLI_OK)
        status = ll_cli_judge(cli, &answer, err);
    if (status == LINLI_OK)
        (void)fwrite(answer.body.ptr, 1, answer.body.len, stdout);
    ll_answer_free(&answer);
    return status;
}

static linli_status
print_path(struct ll_cli *cli, const char *below, struct ll_err *err)
{
    const char *form = cli->args->value[LL_OPT_FORMAT];
    struct ll_ask ask = {.method = "GET"};
    struct ll_admin_answer answer;
    if (form != NULL && strcmp(form, "csv") != 0 && strcmp(form, "html") != 0)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--format is csv or html; without it a table, or --json");
    if (form != NULL && below != NULL)
        return print_form(cli, below, form, err);
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_admin(cli, &ask, below, &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer))
        print_one(cli, ll_json_root(&answer.json));
    ll_admin_answer_free(&answer);
    return status;
}

/* "/invoices/ID" and what comes after it. */
static char *
path_of(struct ll_cli *cli, const char *before, const char *after)
{
    char *id = ll_cli_segment(cli, cli->args->words[0]);
    return id == NULL ? NULL : ll_cli_text(cli, "%s%s%s", before, id, after);
}

linli_status
ll_cli_invoice_show(struct ll_cli *cli, struct ll_err *err)
{
    return print_path(cli, path_of(cli, "/invoices/", ""), err);
}

linli_status
ll_cli_invoice_preview(struct ll_cli *cli, struct ll_err *err)
{
    return print_path(cli, path_of(cli, "/subscriptions/", "/preview"), err);
}

/* -- acting -- */

/* The lines that are named, or all. */
static void
put_lines(const struct ll_cli *cli, struct ll_jw *w)
{
    const struct ll_args *args = cli->args;
    if (args->word_count == 1) {
        ll_jw_key(w, "all");
        ll_jw_bool(w, true);
        return;
    }
    ll_jw_key(w, "lines");
    ll_jw_open(w, '[');
    for (uint32_t i = 1; i < args->word_count; i++)
        ll_jw_cstr(w, args->words[i]);
    ll_jw_close(w, ']');
}

static linli_status
act(struct ll_cli *cli, const char *what, bool must_say, struct ll_err *err)
{
    const char *reason = cli->args->value[LL_OPT_REASON];
    struct ll_ask ask = {.method = "POST"};
    struct ll_admin_answer answer;
    struct ll_buf body;
    if (must_say && reason == NULL)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "linli %s: --reason is missing", cli->args->verb->name);
    ll_buf_init(&body, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    struct ll_jw w = ll_jw(&body);
    ll_jw_open(&w, '{');
    if (reason != NULL) {
        ll_jw_key(&w, "reason");
        ll_jw_cstr(&w, reason);
    }
    if (strcmp(what, "/credit") == 0)
        put_lines(cli, &w);
    ll_jw_close(&w, '}');
    ask.body = ll_buf_view(&body);
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_admin(
        cli, &ask, path_of(cli, "/invoices/", what), &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer))
        print_one(cli, ll_json_root(&answer.json));
    ll_admin_answer_free(&answer);
    ll_buf_fini(&body);
    return status;
}

linli_status
ll_cli_invoice_finalize(struct ll_cli *cli, struct ll_err *err)
{
    return act(cli, "/finalize", false, err);
}

linli_status
ll_cli_invoice_credit(struct ll_cli *cli, struct ll_err *err)
{
    return act(cli, "/credit", true, err);
}

linli_status
ll_cli_invoice_write_off(struct ll_cli *cli, struct ll_err *err)
{
    return act(cli, "/write-off", true, err);
}
