/* cmd/linli_list.c: lists that linlid answers in pages. */
#include "cmd/linli_cli.h"

#include "base/text.h"

static linli_status
ask_page(struct ll_listing *list, struct ll_ask *ask, const char *cursor,
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
join(struct ll_listing *list, struct ll_jv page)
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
walk(struct ll_listing *list, struct ll_admin_answer *first, struct ll_err *err)
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
print_list(struct ll_listing *list, struct ll_err *err)
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

void
ll_cli_add_param(
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

void
ll_cli_print_column(struct ll_jv item, const char *name, int width)
{
    linli_str text = ll_jv_str(ll_jv_get(item, name));
    ll_cli_print(text);
    for (size_t n = ll_utf8_count(text); n < (size_t)width; n++)
        (void)putchar(' ');
    (void)putchar(' ');
}

linli_status
ll_cli_print_query(struct ll_cli *cli, struct ll_listing *list,
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
