/* cmd/linli_plan_preview.c: `linli plan preview`: what usage would have cost.
 */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/text.h"

#define BODY_BYTES_MAX ((size_t)4 << 20)

/* "12.34", of fen. */
static void
print_yuan(int64_t fen)
{
    char text[32];
    uint64_t size = fen < 0 ? -(uint64_t)fen : (uint64_t)fen;
    (void)snprintf(text, sizeof text, "%s%llu.%02llu", fen < 0 ? "-" : "",
        (unsigned long long)(size / 100), (unsigned long long)(size % 100));
    (void)printf(" %14s\n", text);
}

static int64_t
fen_of(struct ll_jv v, const char *name)
{
    int64_t fen = 0;
    (void)ll_jv_int(ll_jv_get(v, name), &fen);
    return fen;
}

static void
print_period(struct ll_jv body)
{
    struct ll_jv period = ll_jv_get(body, "period");
    (void)printf("%-12.*s%-12.*s%34s",
        LL_FMT(ll_jv_str(ll_jv_get(period, "from"))),
        LL_FMT(ll_jv_str(ll_jv_get(period, "to"))), "");
    print_yuan(fen_of(body, "total_fen"));
    LL_JSON_EACH (line, ll_jv_get(body, "lines")) {
        (void)printf("  ");
        ll_cli_print_column(line, "key", 40);
        ll_cli_print_column(line, "quantity", 15);
        print_yuan(fen_of(line, "amount_fen"));
    }
}

static void
print_preview(struct ll_jv root)
{
    (void)printf("%-12s%-12s%34s %14s\n", "FROM", "TO", "", "YUAN");
    LL_JSON_EACH (body, ll_jv_get(root, "periods")) {
        print_period(body);
    }
    (void)printf("%-58s", "together");
    print_yuan(fen_of(root, "total_fen"));
}

/* A name has an '@' in it; else it is a file, as it is in the body. */
static linli_status
put_plan(struct ll_cli *cli, struct ll_jw *w, struct ll_err *err)
{
    const char *word = cli->args->words[0];
    linli_str text;
    ll_jw_key(w, "plan");
    if (strchr(word, '@') != NULL) {
        ll_jw_cstr(w, word);
        return LINLI_OK;
    }
    linli_status status =
        ll_cli_read(cli, word, LL_CLI_FILE_BYTES_MAX, &text, err);
    if (status != LINLI_OK)
        return status;
    struct ll_json json;
    ll_json_init(&json, &cli->mem);
    status = ll_json_parse(&json, text, LL_JSON_DEPTH_MAX, err);
    if (status == LINLI_OK)
        ll_jw_value(w, ll_json_root(&json));
    else
        ll_err_where(err, "%s", word);
    ll_json_fini(&json);
    return status;
}

static linli_status
put_asked(struct ll_cli *cli, struct ll_jw *w, struct ll_err *err)
{
    static const struct {
        const char *name;
        enum ll_opt option;
    } members[] = {
        {"from", LL_OPT_FROM}, {"to", LL_OPT_TO}, {"seats", LL_OPT_SEATS}};
    const struct ll_args *args = cli->args;
    if (args->value[LL_OPT_FROM] == NULL || args->value[LL_OPT_TO] == NULL)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "linli plan preview: --from and --to say which days");
    ll_jw_open(w, '{');
    linli_status status = put_plan(cli, w, err);
    for (size_t i = 0; i < LL_COUNT(members); i++)
        if (args->value[members[i].option] != NULL) {
            ll_jw_key(w, members[i].name);
            ll_jw_cstr(w, args->value[members[i].option]);
        }
    if (args->word_count > 1) {
        ll_jw_key(w, "subscription");
        ll_jw_cstr(w, args->words[1]);
    }
    ll_jw_close(w, '}');
    return status;
}

linli_status
ll_cli_plan_preview(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST"};
    struct ll_admin_answer answer;
    struct ll_buf body;
    ll_buf_init(&body, &cli->mem, BODY_BYTES_MAX);
    ll_admin_answer_init(cli, &answer);
    struct ll_jw w = ll_jw(&body);
    linli_status status = put_asked(cli, &w, err);
    ask.body = ll_buf_view(&body);
    if (status == LINLI_OK && body.failed)
        status = ll_fail(err, LINLI_E_LIMIT, "usage", "the plan is too long");
    if (status == LINLI_OK)
        status = ll_cli_ask_admin(cli, &ask, "/plans/preview", &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer))
        print_preview(ll_json_root(&answer.json));
    ll_admin_answer_free(&answer);
    ll_buf_fini(&body);
    return status;
}
