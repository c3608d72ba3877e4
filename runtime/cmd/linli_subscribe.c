/* cmd/linli_subscribe.c: `linli subscribe start | list | show | upgrade |
 * downgrade | pause | resume | cancel | cap`. */
#include "cmd/linli_cli.h"

#include <string.h>

#include "base/text.h"

#define QUERY_BYTES_MAX 4096
#define BODY_BYTES_MAX ((size_t)64 << 10)
#define KEY_RANDOM_BYTES 16

/* -- printing -- */

static void
print_payers(struct ll_jv sub)
{
    const char *comma = "";
    LL_JSON_EACH (payer, ll_jv_get(sub, "payers")) {
        int64_t bp = 0;
        (void)ll_jv_int(ll_jv_get(payer, "bp"), &bp);
        linli_str id = ll_jv_str(ll_jv_get(payer, "id"));
        (void)printf("%s", comma);
        ll_cli_print(ll_jv_str(ll_jv_get(payer, "kind")));
        if (ll_jv_there(ll_jv_get(payer, "id"))) {
            (void)putchar(':');
            ll_cli_print(id.len > 0 ? id : LINLI_STR("-"));
        }
        if (bp != 10000)
            (void)printf("=%lld", (long long)bp);
        comma = ",";
    }
}

static void
print_row(struct ll_jv sub)
{
    struct ll_jv period = ll_jv_get(sub, "period");
    int64_t cap = 0;
    ll_cli_print_column(sub, "id", 10);
    ll_cli_print_column(sub, "plan", 20);
    ll_cli_print_column(sub, "state", 9);
    ll_cli_print_column(period, "from", 10);
    ll_cli_print_column(period, "to", 10);
    if (ll_jv_int(ll_jv_get(sub, "cap_fen"), &cap))
        (void)printf("%10lld  ", (long long)cap);
    else
        (void)printf("%10s  ", "-");
    print_payers(sub);
    (void)putchar('\n');
}

static void
print_head(void)
{
    (void)printf("%-10s %-20s %-9s %-10s %-10s %10s  %s\n", "ID", "PLAN",
        "STATE", "FROM", "TO", "CAP", "PAYERS");
}

/* -- acting -- */

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

/* The second word of the verb is the last of the path. */
static char *
path_of(struct ll_cli *cli)
{
    char *id = ll_cli_segment(cli, cli->args->words[0]);
    const char *verb = strchr(cli->args->verb->name, ' ') + 1;
    return id == NULL ? NULL
                      : ll_cli_text(cli, "/subscriptions/%s/%s", id, verb);
}

/* What a verb takes besides the reason. */
static linli_status
put_own(struct ll_cli *cli, struct ll_jw *w, struct ll_err *err)
{
    const char *second = cli->args->words[1];
    int64_t fen = 0;
    switch (cli->args->verb->id) {
    case LL_VERB_SUBSCRIBE_UPGRADE:
    case LL_VERB_SUBSCRIBE_DOWNGRADE:
        ll_jw_key(w, "plan");
        ll_jw_cstr(w, second);
        return LINLI_OK;
    case LL_VERB_SUBSCRIBE_CANCEL:
        ll_jw_key(w, "now");
        ll_jw_bool(w, cli->args->value[LL_OPT_NOW] != NULL);
        return LINLI_OK;
    case LL_VERB_SUBSCRIBE_CAP:
        ll_jw_key(w, "fen");
        if (strcmp(second, "none") == 0)
            ll_jw_null(w);
        else if (ll_str_int(ll_cstr(second), 0, INT64_MAX - 1, &fen))
            ll_jw_int(w, fen);
        else
            return ll_fail(err, LINLI_E_INVALID, "usage",
                "a cap is a number of fen, or none");
        return LINLI_OK;
    default:
        return LINLI_OK;
    }
}

linli_status
ll_cli_subscribe_act(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST"};
    struct ll_buf body;
    ll_buf_init(&body, &cli->mem, BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&body);
    ll_jw_open(&w, '{');
    linli_status status = put_own(cli, &w, err);
    if (status == LINLI_OK)
        status = ll_cli_put_reason(cli, &w, err);
    ll_jw_close(&w, '}');
    ask.body = ll_buf_view(&body);
    if (status == LINLI_OK && body.failed)
        status = ll_fail(err, LINLI_E_LIMIT, "usage", "it is too long");
    if (status == LINLI_OK)
        status = ask_one(cli, &ask, path_of(cli), err);
    ll_buf_fini(&body);
    return status;
}

/* -- starting -- */

/* "resident:r1=6000,household:h1=4000,community" as a list of parties. */
static linli_status
put_parties(struct ll_jw *w, const char *list, bool pays, struct ll_err *err)
{
    linli_str rest = ll_cstr(list), one, kind;
    ll_jw_open(w, '[');
    while (ll_str_split(&rest, ',', &one)) {
        linli_str who = one, part;
        int64_t bp = -1;
        (void)ll_str_split(&who, '=', &part);
        if (who.ptr != NULL && (!pays || !ll_str_int(who, 1, 10000, &bp)))
            return ll_fail(err, LINLI_E_INVALID, "usage",
                "a part is =1 to =10000 of who pays");
        who = part;
        (void)ll_str_split(&who, ':', &kind);
        ll_jw_open(w, '{');
        ll_jw_key(w, "kind");
        ll_jw_str(w, kind);
        if (who.ptr != NULL) {
            ll_jw_key(w, "id");
            ll_jw_str(w, who);
        }
        if (bp > 0) {
            ll_jw_key(w, "bp");
            ll_jw_int(w, bp);
        }
        ll_jw_close(w, '}');
    }
    ll_jw_close(w, ']');
    return LINLI_OK;
}

static void
put_option(
    struct ll_jw *w, const struct ll_cli *cli, const char *name, enum ll_opt o)
{
    if (cli->args->value[o] == NULL)
        return;
    ll_jw_key(w, name);
    ll_jw_cstr(w, cli->args->value[o]);
}

static linli_status
put_offer(struct ll_cli *cli, struct ll_jw *w, struct ll_err *err)
{
    const struct ll_args *args = cli->args;
    const char *payers = args->value[LL_OPT_PAYERS];
    const char *cap = args->value[LL_OPT_CAP];
    int64_t fen = 0;
    if (payers == NULL)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "linli subscribe start: --payers is missing");
    if (cap != NULL && !ll_str_int(ll_cstr(cap), 0, INT64_MAX - 1, &fen))
        return ll_fail(
            err, LINLI_E_INVALID, "usage", "--cap is a number of fen");
    ll_jw_open(w, '{');
    ll_jw_key(w, "plan");
    ll_jw_cstr(w, args->words[0]);
    put_option(w, cli, "start", LL_OPT_START);
    put_option(w, cli, "seats", LL_OPT_SEATS);
    put_option(w, cli, "reason", LL_OPT_REASON);
    if (cap != NULL) {
        ll_jw_key(w, "cap_fen");
        ll_jw_int(w, fen);
    }
    ll_jw_key(w, "payers");
    linli_status status = put_parties(w, payers, true, err);
    if (status == LINLI_OK && args->value[LL_OPT_USERS] != NULL) {
        ll_jw_key(w, "beneficiaries");
        status = put_parties(w, args->value[LL_OPT_USERS], false, err);
    }
    ll_jw_close(w, '}');
    return status;
}

/* One that was made up is told, so that the command can be repeated. */
static linli_status
key_header(struct ll_cli *cli, const char **header, struct ll_err *err)
{
    const char *key = cli->args->value[LL_OPT_KEY];
    unsigned char bytes[KEY_RANDOM_BYTES];
    char made_up[2 * KEY_RANDOM_BYTES + 1];
    if (key != NULL && strpbrk(key, "\r\n") != NULL)
        return ll_fail(err, LINLI_E_INVALID, "usage", "--key is one line");
    if (key == NULL) {
        ll_world_random(cli->world, bytes, sizeof bytes);
        ll_hex(bytes, sizeof bytes, made_up);
        key = made_up;
        (void)fprintf(stderr, "Idempotency-Key: %s\n", key);
    }
    *header = ll_cli_text(cli, "Idempotency-Key: %s", key);
    return *header != NULL
               ? LINLI_OK
               : ll_fail(err, LINLI_E_NOMEM, "runtime/memory", "no room");
}

linli_status
ll_cli_subscribe_start(struct ll_cli *cli, struct ll_err *err)
{
    const char *headers[] = {"Content-Type: application/json", NULL};
    struct ll_ask ask = {.method = "POST",
        .headers = headers,
        .header_count = LL_COUNT(headers)};
    struct ll_buf body;
    ll_buf_init(&body, &cli->mem, BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&body);
    linli_status status = put_offer(cli, &w, err);
    ask.body = ll_buf_view(&body);
    if (status == LINLI_OK && body.failed)
        status = ll_fail(err, LINLI_E_LIMIT, "usage", "it is too long");
    if (status == LINLI_OK)
        status = key_header(cli, &headers[1], err);
    if (status == LINLI_OK)
        status = ask_one(cli, &ask, "/subscriptions", err);
    ll_buf_fini(&body);
    return status;
}

/* -- looking -- */

linli_status
ll_cli_subscribe_show(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    struct ll_admin_answer answer;
    char *id = ll_cli_segment(cli, cli->args->words[0]);
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_admin(cli, &ask,
        id == NULL ? NULL : ll_cli_text(cli, "/subscriptions/%s", id), &answer,
        err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        struct ll_jv sub = ll_json_root(&answer.json);
        print_head();
        print_row(sub);
        LL_JSON_EACH (deed, ll_jv_get(sub, "deeds")) {
            struct ll_jv with = ll_jv_get(deed, "with");
            (void)printf("  ");
            ll_cli_print_column(deed, "at", 24);
            ll_cli_print_column(deed, "by", 20);
            ll_cli_print_column(deed, "what", 14);
            ll_cli_print_column(with, "plan", 20);
            ll_cli_print(ll_jv_str(ll_jv_get(with, "reason")));
            (void)putchar('\n');
        }
    }
    ll_admin_answer_free(&answer);
    return status;
}

static void
print_page(const struct ll_cli *cli, struct ll_jv page, bool first)
{
    LL_UNUSED(cli);
    if (first)
        print_head();
    LL_JSON_EACH (sub, ll_jv_get(page, "items")) {
        print_row(sub);
    }
}

linli_status
ll_cli_subscribe_list(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_listing list = {.page = print_page};
    struct ll_buf query;
    ll_buf_init(&query, &cli->mem, QUERY_BYTES_MAX);
    ll_buf_printf(&query, "/subscriptions?limit=%d", LL_ADMIN_LIST_MAX);
    ll_cli_add_param(&query, cli, "plugin", LL_OPT_PLUGIN);
    ll_cli_add_param(&query, cli, "state", LL_OPT_STATE);
    linli_status status = ll_cli_print_query(cli, &list, &query, err);
    ll_buf_fini(&query);
    return status;
}
