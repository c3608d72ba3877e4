/* cmd/linli_sink.c: `linli sink add | list | resume | delete`. */
#include "cmd/linli_cli.h"

#include "base/hash.h"
#include "base/text.h"

#define BODY_BYTES_MAX ((size_t)64 << 10)

/* "/sinks/NAME" and what follows. */
static char *
path_of(struct ll_cli *cli, const char *tail)
{
    char *id = ll_cli_segment(cli, cli->args->words[0]);
    return id == NULL ? NULL : ll_cli_text(cli, "/sinks/%s%s", id, tail);
}

static linli_str
text(struct ll_jv sink, const char *name)
{
    return ll_jv_str(ll_jv_get(sink, name));
}

static void
print_row(struct ll_jv sink)
{
    linli_str parked = text(sink, "parked");
    linli_str code = text(ll_jv_get(sink, "last"), "code");
    linli_str state = LINLI_STR("on");
    int64_t after = 0, status = 0;
    (void)ll_jv_int(ll_jv_get(sink, "after"), &after);
    (void)ll_jv_int(ll_jv_get(ll_jv_get(sink, "last"), "status"), &status);
    if (parked.len > 0)
        state = (linli_str)LINLI_STR("parked");
    else if (code.len > 0)
        state = code;
    (void)printf("%-20.*s %-18.*s %6lld %12lld  %-18.*s ",
        LL_FMT(text(sink, "name")), LL_FMT(state), (long long)status,
        (long long)after, LL_FMT(text(sink, "format")));
    ll_cli_print(text(sink, "url"));
    (void)putchar('\n');
}

static linli_status
ask_one(struct ll_cli *cli, struct ll_ask *ask, const char *below,
    struct ll_err *err)
{
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_admin(cli, ask, below, &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer))
        print_row(ll_json_root(&answer.json));
    ll_admin_answer_free(&answer);
    return status;
}

/* "header":{"name","value"}, if one is asked for. */
static linli_status
put_header(struct ll_cli *cli, struct ll_jw *w, struct ll_err *err)
{
    linli_str value;
    const char *name = cli->args->value[LL_OPT_SECRET];
    if (name == NULL && cli->args->value[LL_OPT_FILE] != NULL)
        return ll_fail(err, LINLI_E_INVALID, "usage",
            "--file holds the value of a header: name it with --secret");
    if (name == NULL)
        return LINLI_OK;
    linli_status status = ll_cli_secret_value(cli, &value, err);
    if (status == LINLI_OK && !ll_utf8_valid(value))
        status = ll_fail(
            err, LINLI_E_INVALID, "usage", "the value is not UTF-8 text");
    if (status != LINLI_OK)
        return status;
    ll_jw_key(w, "header");
    ll_jw_open(w, '{');
    ll_jw_key(w, "name");
    ll_jw_cstr(w, name);
    ll_jw_key(w, "value");
    ll_jw_str(w, value);
    ll_jw_close(w, '}');
    return LINLI_OK;
}

static linli_status
put_new(struct ll_cli *cli, struct ll_jw *w, struct ll_err *err)
{
    const struct ll_args *args = cli->args;
    const char *format = args->value[LL_OPT_FORMAT];
    const char *after = args->value[LL_OPT_AFTER];
    int64_t lsn = 0;
    if (after != NULL && !ll_str_int(ll_cstr(after), 0, INT64_MAX - 1, &lsn))
        return ll_fail(
            err, LINLI_E_INVALID, "usage", "--after takes the LSN of a record");
    ll_jw_key(w, "name");
    ll_jw_cstr(w, args->words[0]);
    ll_jw_key(w, "url");
    ll_jw_cstr(w, args->words[1]);
    ll_jw_key(w, "format");
    ll_jw_cstr(w, format == NULL ? "cloudevents" : format);
    ll_jw_key(w, "after");
    ll_jw_int(w, lsn);
    return LINLI_OK;
}

static linli_status
post(struct ll_cli *cli, bool new, const char *below, struct ll_err *err)
{
    struct ll_ask ask = {.method = "POST"};
    struct ll_buf body;
    ll_buf_init(&body, &cli->mem, BODY_BYTES_MAX);
    struct ll_jw w = ll_jw(&body);
    ll_jw_open(&w, '{');
    linli_status status = new ? put_new(cli, &w, err) : LINLI_OK;
    if (status == LINLI_OK)
        status = put_header(cli, &w, err);
    ll_jw_close(&w, '}');
    ask.body = ll_buf_view(&body);
    if (status == LINLI_OK)
        status = body.failed
                     ? ll_fail(err, LINLI_E_LIMIT, "usage", "it is too long")
                     : ask_one(cli, &ask, below, err);
    ll_wipe(&body);
    ll_buf_fini(&body);
    return status;
}

linli_status
ll_cli_sink_add(struct ll_cli *cli, struct ll_err *err)
{
    return post(cli, true, "/sinks", err);
}

linli_status
ll_cli_sink_resume(struct ll_cli *cli, struct ll_err *err)
{
    return post(cli, false, path_of(cli, "/resume"), err);
}

linli_status
ll_cli_sink_delete(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "DELETE"};
    return ask_one(cli, &ask, path_of(cli, ""), err);
}

linli_status
ll_cli_sink_list(struct ll_cli *cli, struct ll_err *err)
{
    struct ll_ask ask = {.method = "GET"};
    struct ll_admin_answer answer;
    ll_admin_answer_init(cli, &answer);
    linli_status status = ll_cli_ask_admin(cli, &ask, "/sinks", &answer, err);
    if (status == LINLI_OK && !ll_cli_printed(cli, &answer)) {
        struct ll_jv items = ll_jv_get(ll_json_root(&answer.json), "items");
        (void)printf("%-20s %-18s %6s %12s  %-18s %s\n", "NAME", "STATE",
            "STATUS", "AFTER", "FORMAT", "URL");
        LL_JSON_EACH (sink, items) {
            print_row(sink);
        }
    }
    ll_admin_answer_free(&answer);
    return status;
}
