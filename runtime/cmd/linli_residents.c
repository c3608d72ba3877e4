/* cmd/linli_residents.c: `linli residents import`. */
#include "cmd/linli_cli.h"

#include "base/text.h"

#define ERRORS_DEPTH_MAX 8

/* "row 3, phone: ..." for each that could not be taken. */
static void
print_errors(struct ll_cli *cli, struct ll_jv errors)
{
    LL_JSON_EACH (error, errors) {
        char en[512], zh[512];
        int64_t row = 0;
        linli_str column = ll_jv_str(ll_jv_get(error, "column"));
        struct ll_jv message = ll_jv_get(error, "message");
        (void)ll_jv_int(ll_jv_get(error, "row"), &row);
        (void)snprintf(en, sizeof en, "row %lld%s%.*s: %.*s", (long long)row,
            column.len == 0 ? "" : ", ", LL_FMT(column),
            LL_FMT(ll_jv_str(ll_jv_get(message, "en"))));
        (void)snprintf(zh, sizeof zh, "第 %lld 行%s%.*s: %.*s", (long long)row,
            column.len == 0 ? "" : " ", LL_FMT(column),
            LL_FMT(ll_jv_str(ll_jv_get(message, "zh-CN"))));
        ll_cli_both(stderr, cli, en, zh);
    }
}

static long long
int_of(struct ll_jv root, const char *name)
{
    int64_t value = 0;
    (void)ll_jv_int(ll_jv_get(root, name), &value);
    return value;
}

static void
print_done(struct ll_cli *cli, struct ll_jv root)
{
    char en[160], zh[160];
    (void)snprintf(en, sizeof en,
        "%lld of %lld rows taken, %lld residents changed",
        int_of(root, "imported"), int_of(root, "rows"),
        int_of(root, "changed"));
    (void)snprintf(zh, sizeof zh, "共 %lld 行, 导入 %lld 行, %lld 位居民有变化",
        int_of(root, "rows"), int_of(root, "imported"),
        int_of(root, "changed"));
    ll_cli_both(stdout, cli, en, zh);
}

linli_status
ll_cli_residents_import(struct ll_cli *cli, struct ll_err *err)
{
    static const char *const type[] = {"Content-Type: text/csv; charset=utf-8"};
    struct ll_ask ask = {.method = "POST",
        .headers = type,
        .header_count = LL_COUNT(type),
        .wait_ms = LL_CLI_LONG_MS};
    struct ll_admin_answer answer;
    bool partial = cli->args->value[LL_OPT_PARTIAL] != NULL;
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_read(
        cli, cli->args->words[0], LL_CLI_BODY_BYTES_MAX, &ask.body, err);
    if (status != LINLI_OK)
        goto out;
    status = ll_cli_ask_admin(cli, &ask,
        partial ? "/residents/import?partial=1" : "/residents/import", &answer,
        err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        print_errors(cli, ll_jv_get(ll_json_root(&answer.json), "errors"));
        print_done(cli, ll_json_root(&answer.json));
    } else if (status != LINLI_OK && answer.answer.status == 422 &&
               ll_json_parse(&answer.json, ll_buf_view(&answer.answer.body),
                   ERRORS_DEPTH_MAX, NULL) == LINLI_OK) {
        print_errors(cli, ll_jv_get(ll_json_root(&answer.json), "errors"));
    }
out:
    ll_admin_answer_free(&answer);
    return status;
}
