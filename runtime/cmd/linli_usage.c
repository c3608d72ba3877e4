/* cmd/linli_usage.c: what was counted and raised in a community:
 * `linli usage | reconcile | alerts`. */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/instant.h"
#include "base/text.h"

/* -- usage -- */

static void
print_totals(const struct ll_cli *cli, struct ll_jv page, bool first)
{
    LL_UNUSED(cli);
    LL_UNUSED(first);
    (void)printf(
        "%-20s %-32s %20s %12s\n", "PLUGIN", "METER", "QUANTITY", "COUNT");
    LL_JSON_EACH (total, ll_jv_get(page, "totals")) {
        linli_str quantity = ll_jv_str(ll_jv_get(total, "quantity"));
        int64_t count = 0;
        (void)ll_jv_int(ll_jv_get(total, "count"), &count);
        ll_cli_print_column(total, "plugin", 20);
        ll_cli_print_column(total, "meter", 32);
        (void)printf("%20.*s %12lld\n", LL_FMT(quantity), (long long)count);
    }
}

static linli_status
add_instant(struct ll_buf *query, struct ll_cli *cli, const char *name,
    enum ll_opt opt, struct ll_err *err)
{
    const char *value = cli->args->value[opt];
    int64_t ms = 0;
    if (value == NULL)
        return LINLI_OK;
    if (!ll_instant_read(ll_cstr(value), &ms))
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--%s takes a time as in 2026-03-02T09:00:00+08:00, or "
            "milliseconds since 1970",
            name);
    ll_buf_printf(query, "&%s=%lld", name, (long long)ms);
    return LINLI_OK;
}

linli_status
ll_cli_usage(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_listing list = {.page = print_totals, .one_page = true};
    struct ll_buf query;
    ll_buf_init(&query, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    ll_buf_printf(&query, "/usage?limit=%d", LL_ADMIN_LIST_MAX);
    ll_cli_add_param(&query, cli, "plugin", LL_OPT_PLUGIN);
    linli_status status = add_instant(&query, cli, "from", LL_OPT_FROM, err);
    if (status == LINLI_OK)
        status = add_instant(&query, cli, "to", LL_OPT_TO, err);
    if (status == LINLI_OK)
        status = ll_cli_print_query(cli, &list, &query, err);
    ll_buf_fini(&query);
    return status;
}

/* -- alerts -- */

static void
print_alerts(const struct ll_cli *cli, struct ll_jv page, bool first)
{
    struct ll_mem mem;
    struct ll_buf data;
    LL_UNUSED(cli);
    ll_mem_init(&mem, 0);
    ll_buf_init(&data, &mem, LL_CLI_PRINT_BYTES_MAX);
    if (first)
        (void)printf("%8s  %-24s %-24s %-16s %-8s %-32s %s\n", "ID", "AT",
            "KIND", "PLUGIN", "STATE", "SUBJECT", "DATA");
    LL_JSON_EACH (alert, ll_jv_get(page, "items")) {
        struct ll_jw w = ll_jw(&data);
        int64_t id = 0;
        (void)ll_jv_int(ll_jv_get(alert, "id"), &id);
        (void)printf("%8lld  ", (long long)id);
        ll_cli_print_column(alert, "at", 24);
        ll_cli_print_column(alert, "kind", 24);
        ll_cli_print_column(alert, "plugin", 16);
        ll_cli_print_column(alert, "state", 8);
        ll_cli_print_column(alert, "subject", 32);
        ll_buf_clear(&data);
        ll_jw_value(&w, ll_jv_get(alert, "data"));
        ll_cli_print(ll_buf_view(&data)); /* cut where it is too long */
        (void)putchar('\n');
    }
    ll_buf_fini(&data);
}

linli_status
ll_cli_alerts(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_listing list = {.page = print_alerts};
    struct ll_buf query;
    ll_buf_init(&query, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    ll_buf_printf(&query, "/alerts?limit=%d", LL_ADMIN_LIST_MAX);
    ll_cli_add_param(&query, cli, "kind", LL_OPT_KIND);
    ll_cli_add_param(&query, cli, "state", LL_OPT_STATE);
    linli_status status = ll_cli_print_query(cli, &list, &query, err);
    ll_buf_fini(&query);
    return status;
}

/* -- reconcile -- */

static long long
int_of(struct ll_jv object, const char *name)
{
    int64_t value = 0;
    (void)ll_jv_int(ll_jv_get(object, name), &value);
    return value;
}

/* What is wrong, row by row. */
static void
print_breaks(struct ll_jv found)
{
    struct ll_jv bad = ll_jv_get(found, "first_bad");
    bool bucket = ll_jv_there(ll_jv_get(bad, "bucket"));
    if (ll_jv_there(bad)) {
        (void)printf("usage: %s %lld: ", bucket ? "bucket" : "LSN",
            int_of(bad, bucket ? "bucket" : "lsn"));
        ll_cli_print(ll_jv_str(ll_jv_get(bad, "what")));
        (void)putchar('\n');
    }
    LL_JSON_EACH (b, ll_jv_get(found, "breaks")) {
        ll_cli_print(ll_jv_str(ll_jv_get(b, "check")));
        (void)fputs(": ", stdout);
        linli_str row = ll_jv_str(ll_jv_get(b, "row"));
        ll_cli_print(row);
        (void)fputs(row.len > 0 ? ": " : "", stdout);
        ll_cli_print(ll_jv_str(ll_jv_get(b, "what")));
        (void)putchar('\n');
    }
}

/* Late use that no invoice will bill: of no check, and no break. */
static void
print_stranded(struct ll_jv found)
{
    LL_JSON_EACH (late, ll_jv_get(found, "stranded")) {
        (void)fputs("stranded: ", stdout);
        ll_cli_print(ll_jv_str(ll_jv_get(late, "row")));
        (void)fputs(": ", stdout);
        ll_cli_print(ll_jv_str(ll_jv_get(late, "what")));
        (void)putchar('\n');
    }
}

/* A database that does not agree with itself is no success, whatever the
 * status of the answer: the first thing is said. */
static linli_status
judge_found(struct ll_cli *cli, struct ll_jv found, struct ll_err *err)
{
    struct ll_jv bad = ll_jv_get(found, "first_bad");
    bool bucket = ll_jv_there(ll_jv_get(bad, "bucket"));
    if (ll_jv_true(ll_jv_get(found, "ok")))
        return LINLI_OK;
    cli->exit_code = LL_EXIT_REFUSED;
    if (!ll_jv_there(bad)) {
        struct ll_jv first = {NULL, 0};
        LL_JSON_EACH (b, ll_jv_get(found, "breaks")) {
            first = b;
            break;
        }
        linli_str row = ll_jv_str(ll_jv_get(first, "row"));
        if (row.len == 0) /* another community's, maybe */
            row = ll_jv_str(ll_jv_get(first, "check"));
        linli_str said = ll_jv_str(ll_jv_get(first, "what"));
        linli_status broken = ll_fail(
            err, LINLI_E_INTERNAL, "store/corrupt", "%.*s", LL_FMT(said));
        ll_err_where(err, "%.*s", LL_FMT(row));
        return broken;
    }
    linli_str what = ll_jv_str(ll_jv_get(bad, "what"));
    linli_status status =
        ll_fail(err, LINLI_E_INTERNAL, "store/corrupt", "%.*s", LL_FMT(what));
    ll_err_where(err, "%s %lld", bucket ? "bucket" : "LSN",
        int_of(bad, bucket ? "bucket" : "lsn"));
    return status;
}

linli_status
ll_cli_reconcile(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET", .wait_ms = LL_CLI_LONG_MS};
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status =
        ll_cli_ask_admin(cli, &ask, "/reconcile", &answer, err);
    if (status == LINLI_OK) {
        struct ll_jv found = ll_json_root(&answer.json);
        bool ok = ll_jv_true(ll_jv_get(found, "ok"));
        if (!ll_cli_printed(cli, &answer)) {
            (void)printf("segments %lld, records %lld, buckets %lld\n",
                int_of(found, "segments"), int_of(found, "records"),
                int_of(found, "buckets"));
            (void)printf("invoices %lld, rated again %lld, bills %lld, "
                         "statements %lld\n",
                int_of(found, "invoices"), int_of(found, "rated_again"),
                int_of(found, "bills"), int_of(found, "settlements"));
            print_breaks(found);
            print_stranded(found);
            if (ok)
                ll_cli_both(stdout, cli, "they agree", "相符");
        }
        status = judge_found(cli, found, err);
    }
    ll_admin_answer_free(&answer);
    return status;
}
