/* cmd/linli_usage.c: what was counted and raised in a community:
 * `linli usage | reconcile | alerts`. */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/instant.h"
#include "base/text.h"

/* -- lists in pages -- */

/* A list that is read to its end. With --json the pages become one. */
struct listing {
    struct ll_cli *cli;
    const char *below; /* "/usage?limit=1000", to which a cursor is added */
    /* A page, of which there is at least one; unless --json. */
    void (*page)(const struct ll_cli *cli, struct ll_jv page, bool first);
    bool one_page;     /* the first has all that `page` shows */
    struct ll_buf out; /* --json: the pages so far */
    struct ll_jw w;
};

static linli_status
ask_page(struct listing *list, struct ll_ask *ask, const char *cursor,
    struct ll_admin_answer *answer, struct ll_err *err)
{
    char *below = cursor[0] == '\0' ? ll_cli_text(list->cli, "%s", list->below)
                                    : ll_cli_text(list->cli, "%s&cursor=%s",
                                          list->below, cursor);
    ll_admin_answer_init(list->cli, answer);
    return ll_cli_ask_admin(list->cli, ask, below, answer, err);
}

/* Items after items; whatever else the first page has comes at the end. */
static void
join(struct listing *list, struct ll_jv page)
{
    LL_JSON_EACH (item, ll_jv_get(page, "items")) {
        ll_jw_value(&list->w, item);
    }
}

/* The cursor of the next page, as it goes into an address; "" at the end. */
static const char *
next_cursor(struct ll_cli *cli, struct ll_jv page)
{
    linli_str cursor = ll_jv_str(ll_jv_get(page, "next_cursor"));
    char *text = ll_cli_text(cli, "%.*s", LL_FMT(cursor));
    return text == NULL ? "" : ll_cli_segment(cli, text);
}

static linli_status
walk(struct listing *list, struct ll_admin_answer *first, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    struct ll_cli *cli = list->cli;
    const char *cursor = "";
    linli_status status = LINLI_OK;
    for (unsigned i = 0; i < LL_CLI_PAGES_MAX; i++) {
        struct ll_admin_answer next, *answer = i == 0 ? first : &next;
        status = ask_page(list, &ask, cursor, answer, err);
        if (status == LINLI_OK) {
            struct ll_jv page = ll_json_root(&answer->json);
            cursor = next_cursor(cli, page);
            if (cli->json)
                join(list, page);
            else
                list->page(cli, page, i == 0);
        }
        if (i > 0)
            ll_admin_answer_free(&next);
        if (status != LINLI_OK || cursor == NULL || cursor[0] == '\0' ||
            (list->one_page && !cli->json))
            return status;
    }
    return ll_fail(err, LINLI_E_LIMIT, "usage",
        "more than %d pages: ask for less", LL_CLI_PAGES_MAX);
}

static linli_status
print_list(struct listing *list, struct ll_err *err)
{
    struct ll_admin_answer first;
    struct ll_cli *cli = list->cli;
    ll_buf_init(&list->out, &cli->mem, (size_t)2 * LL_CLI_ANSWER_BYTES_MAX);
    list->w = ll_jw(&list->out);
    ll_jw_open(&list->w, '{');
    ll_jw_key(&list->w, "items");
    ll_jw_open(&list->w, '[');
    linli_status status = walk(list, &first, err);
    ll_jw_close(&list->w, ']');
    if (status == LINLI_OK && cli->json) {
        struct ll_jv totals = ll_jv_get(ll_json_root(&first.json), "totals");
        if (ll_jv_there(totals)) {
            ll_jw_key(&list->w, "totals");
            ll_jw_value(&list->w, totals);
        }
        ll_jw_close(&list->w, '}');
        status = ll_cli_print_json(&list->out, err);
    } else {
        ll_buf_fini(&list->out);
    }
    ll_admin_answer_free(&first);
    return status;
}

/* Appends "&name=VALUE" of an option that is given. */
static void
add_text(
    struct ll_buf *query, struct ll_cli *cli, const char *name, enum ll_opt opt)
{
    const char *value = cli->args->value[opt];
    if (value == NULL)
        return;
    char *safe = ll_cli_segment(cli, value);
    if (safe == NULL)
        query->failed = true;
    else
        ll_buf_printf(query, "&%s=%s", name, safe);
}

static void
print_str(struct ll_jv item, const char *name, int width)
{
    linli_str text = ll_jv_str(ll_jv_get(item, name));
    ll_cli_print(text);
    for (size_t n = ll_utf8_count(text); n < (size_t)width; n++)
        (void)putchar(' ');
    (void)putchar(' ');
}

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
        print_str(total, "plugin", 20);
        print_str(total, "meter", 32);
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

static linli_status
print_query(struct ll_cli *cli, struct listing *list,
    const struct ll_buf *query, struct ll_err *err)
{
    list->cli = cli;
    list->below = query->failed
                      ? NULL
                      : ll_cli_text(cli, "%.*s", (int)query->len, query->ptr);
    if (list->below == NULL)
        return ll_fail(err, LINLI_E_LIMIT, "usage", "an option is too long");
    return print_list(list, err);
}

linli_status
ll_cli_usage(struct ll_cli *cli, struct ll_err *err)
{
    struct listing list = {.page = print_totals, .one_page = true};
    struct ll_buf query;
    ll_buf_init(&query, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    ll_buf_printf(&query, "/usage?limit=%d", LL_ADMIN_LIST_MAX);
    add_text(&query, cli, "plugin", LL_OPT_PLUGIN);
    linli_status status = add_instant(&query, cli, "from", LL_OPT_FROM, err);
    if (status == LINLI_OK)
        status = add_instant(&query, cli, "to", LL_OPT_TO, err);
    if (status == LINLI_OK)
        status = print_query(cli, &list, &query, err);
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
        (void)printf("%-24s %-24s %-12s %-32s %s\n", "AT", "KIND", "STATE",
            "SUBJECT", "DATA");
    LL_JSON_EACH (alert, ll_jv_get(page, "items")) {
        struct ll_jw w = ll_jw(&data);
        print_str(alert, "at", 24);
        print_str(alert, "kind", 24);
        print_str(alert, "state", 12);
        print_str(alert, "subject", 32);
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
    struct listing list = {.page = print_alerts};
    struct ll_buf query;
    ll_buf_init(&query, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    ll_buf_printf(&query, "/alerts?limit=%d", LL_ADMIN_LIST_MAX);
    add_text(&query, cli, "kind", LL_OPT_KIND);
    add_text(&query, cli, "state", LL_OPT_STATE);
    linli_status status = print_query(cli, &list, &query, err);
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

/* A database that does not agree with itself is no success, whatever the
 * status of the answer. */
static linli_status
judge_found(struct ll_cli *cli, struct ll_jv found, struct ll_err *err)
{
    struct ll_jv bad = ll_jv_get(found, "first_bad");
    bool bucket = ll_jv_there(ll_jv_get(bad, "bucket"));
    linli_str what = ll_jv_str(ll_jv_get(bad, "what"));
    if (ll_jv_true(ll_jv_get(found, "ok")))
        return LINLI_OK;
    cli->exit_code = LL_EXIT_REFUSED;
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
            if (ok)
                ll_cli_both(stdout, cli, "they agree", "相符");
        }
        status = judge_found(cli, found, err);
    }
    ll_admin_answer_free(&answer);
    return status;
}
