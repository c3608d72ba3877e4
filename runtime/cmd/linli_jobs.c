/* cmd/linli_jobs.c: `linli jobs`, what is done to one, and to an alert. */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/text.h"

/* -- the list -- */

static void
print_number(struct ll_jv item, const char *name, int width)
{
    int64_t value = 0;
    (void)ll_jv_int(ll_jv_get(item, name), &value);
    (void)printf("%*lld  ", width, (long long)value);
}

static void
print_jobs(const struct ll_cli *cli, struct ll_jv page, bool first)
{
    LL_UNUSED(cli);
    if (first)
        (void)printf("%-16s %-32s %-8s %-16s %-8s %8s  %-24s %s\n", "PLUGIN",
            "ID", "KIND", "RUN", "STATE", "ATTEMPTS", "DUE OR DEAD", "CODE");
    LL_JSON_EACH (job, ll_jv_get(page, "items")) {
        bool due = ll_jv_is(ll_jv_get(job, "due"), LL_JSON_STRING);
        ll_cli_print_column(job, "plugin", 16);
        ll_cli_print_column(job, "id", 32);
        ll_cli_print_column(job, "kind", 8);
        ll_cli_print_column(job, "run", 16);
        ll_cli_print_column(job, "state", 8);
        print_number(job, "attempts", 8);
        ll_cli_print_column(job, due ? "due" : "dead_at", 24);
        ll_cli_print_column(job, "code", 0);
        (void)putchar('\n');
    }
}

linli_status
ll_cli_jobs(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_listing list = {.page = print_jobs};
    const char *state = cli->args->value[LL_OPT_STATE];
    struct ll_buf query;
    ll_buf_init(&query, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    ll_buf_printf(&query, "/jobs?limit=%d", LL_LIST_MAX);
    if (state == NULL)
        ll_buf_printf(&query, "&state=dead");
    else if (strcmp(state, "all") != 0)
        ll_cli_add_param(&query, cli, "state", LL_OPT_STATE);
    ll_cli_add_param(&query, cli, "plugin", LL_OPT_PLUGIN);
    ll_cli_add_param(&query, cli, "kind", LL_OPT_KIND);
    linli_status status = ll_cli_print_query(cli, &list, &query, err);
    ll_buf_fini(&query);
    return status;
}

/* -- one of them -- */

/* {"reason":...}; without one it is asked for. */
static linli_status
put_reason(struct ll_cli *cli, struct ll_buf *body, struct ll_err *err)
{
    struct ll_jw w = ll_jw(body);
    ll_jw_open(&w, '{');
    linli_status status = ll_cli_put_reason(cli, &w, err);
    ll_jw_close(&w, '}');
    return status;
}

/* "/jobs/PLUGIN/ID" and what comes after it. */
static char *
job_path(struct ll_cli *cli, const char *after)
{
    char *plugin = ll_cli_segment(cli, cli->args->words[0]);
    char *id = ll_cli_segment(cli, cli->args->words[1]);
    return plugin == NULL || id == NULL
               ? NULL
               : ll_cli_text(cli, "/jobs/%s/%s%s", plugin, id, after);
}

/* "parking 4f2a: waiting (demo)" */
static void
print_state(const struct ll_cli *cli, struct ll_jv job)
{
    ll_cli_print(ll_jv_str(ll_jv_get(job, "plugin")));
    (void)putchar(' ');
    ll_cli_print(ll_jv_str(ll_jv_get(job, "id")));
    (void)printf(": ");
    ll_cli_print(ll_jv_str(ll_jv_get(job, "state")));
    (void)printf(" (%s)\n", cli->community);
}

static linli_status
act(struct ll_cli *cli, const char *below, const struct ll_buf *body,
    struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST", .body = ll_buf_view(body)};
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_admin(cli, &ask, below, &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer))
        print_state(cli, ll_json_root(&answer.json));
    ll_admin_answer_free(&answer);
    return status;
}

linli_status
ll_cli_jobs_retry(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_buf body;
    ll_buf_init(&body, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    ll_buf_printf(&body, "{}");
    linli_status status = act(cli, job_path(cli, "/retry"), &body, err);
    ll_buf_fini(&body);
    return status;
}

linli_status
ll_cli_jobs_drop(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_buf body;
    ll_buf_init(&body, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    linli_status status = put_reason(cli, &body, err);
    if (status == LINLI_OK)
        status = act(cli, job_path(cli, "/drop"), &body, err);
    ll_buf_fini(&body);
    return status;
}

/* The answer as it came, which is JSON in any case. */
linli_status
ll_cli_jobs_show(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status =
        ll_cli_ask_admin(cli, &ask, job_path(cli, ""), &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        ll_cli_print(ll_buf_view(&answer.answer.body));
        (void)putchar('\n');
    }
    ll_admin_answer_free(&answer);
    return status;
}

/* -- an alert -- */

linli_status
ll_cli_alerts_close(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST"};
    struct ll_admin_answer answer;
    struct ll_buf body;
    char *id = ll_cli_segment(cli, cli->args->words[0]);
    char *below = id == NULL ? NULL : ll_cli_text(cli, "/alerts/%s/close", id);
    ll_admin_answer_init(cli, &answer);
    ll_buf_init(&body, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    linli_status status = put_reason(cli, &body, err);
    ask.body = ll_buf_view(&body);
    if (status == LINLI_OK)
        status = ll_cli_ask_admin(cli, &ask, below, &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        struct ll_jv alert = ll_json_root(&answer.json);
        (void)printf("%s ", cli->args->words[0]);
        ll_cli_print(ll_jv_str(ll_jv_get(alert, "kind")));
        (void)printf(": closed (%s)\n", cli->community);
    }
    ll_admin_answer_free(&answer);
    ll_buf_fini(&body);
    return status;
}
