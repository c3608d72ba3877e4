/* cmd/linli_explain.c: `linli explain`, `linli help`, `linli version`. */
#include "cmd/linli_cli.h"

#include <curl/curl.h>
#include <openssl/crypto.h>

#include "base/problem.h"
#include "base/text.h"
#include "config.h"

#define NEAR_EDITS_MAX 4 /* a code is longer than a verb */

static void
put_row(struct ll_jw *w, const struct ll_problem *row)
{
    ll_jw_open(w, '{');
    ll_jw_key(w, "code");
    ll_jw_cstr(w, row->code);
    ll_jw_key(w, "status");
    if (row->http_status == 0)
        ll_jw_null(w);
    else
        ll_jw_int(w, row->http_status);
    ll_jw_key(w, "retryable");
    ll_jw_bool(w, row->retryable);
    ll_jw_key(w, "title");
    ll_jw_cstr(w, row->title_en);
    ll_jw_key(w, "title_zh");
    ll_jw_cstr(w, row->title_zh);
    ll_jw_key(w, "fix");
    ll_jw_cstr(w, row->fix_en);
    ll_jw_key(w, "fix_zh");
    ll_jw_cstr(w, row->fix_zh);
    ll_jw_close(w, '}');
}

/* One row as an object; NULL: {"items":[…]} of all. */
static linli_status
print_json(
    struct ll_cli *cli, const struct ll_problem *only, struct ll_err *err)
{
    struct ll_buf out;
    const struct ll_problem *row;
    ll_buf_init(&out, &cli->mem, LL_CLI_FILE_BYTES_MAX);
    struct ll_jw w = ll_jw(&out);
    if (only != NULL) {
        put_row(&w, only);
    } else {
        ll_jw_open(&w, '{');
        ll_jw_key(&w, "items");
        ll_jw_open(&w, '[');
        for (size_t i = 0; (row = ll_problem_at(i)) != NULL; i++)
            put_row(&w, row);
        ll_jw_close(&w, ']');
        ll_jw_close(&w, '}');
    }
    return ll_cli_print_json(&out, err);
}

static void
print_problem(const struct ll_cli *cli, const struct ll_problem *row)
{
    (void)printf("%s\n", row->code);
    if (cli->lang != LL_LANG_ZH)
        (void)printf("  %s.\n  Fix: %s.\n", row->title_en, row->fix_en);
    if (cli->lang != LL_LANG_EN)
        (void)printf("  %s。\n  修正: %s。\n", row->title_zh, row->fix_zh);
    if (row->http_status != 0)
        (void)printf("  HTTP %d, %s\n", row->http_status,
            row->retryable ? "the same request may pass later"
                           : "the same request will fail again");
}

static linli_status
unknown_code(const char *code, struct ll_err *err)
{
    const struct ll_problem *row;
    unsigned nearest = NEAR_EDITS_MAX + 1;
    const char *meant = NULL;
    for (size_t i = 0; (row = ll_problem_at(i)) != NULL; i++) {
        unsigned edits = ll_edit_distance(ll_cstr(code), ll_cstr(row->code));
        if (edits < nearest) {
            nearest = edits;
            meant = row->code;
        }
    }
    linli_status status =
        ll_fail(err, LINLI_E_NOT_FOUND, "usage", "Linli has no code %s", code);
    if (meant != NULL)
        ll_err_fix(err, "did you mean %s?", meant);
    else
        ll_err_fix(err, "linli explain lists all; a plugin's own codes stand "
                        "in its plugin.json");
    return status;
}

linli_status
ll_cli_explain(struct ll_cli *cli, struct ll_err *err)
{
    const struct ll_problem *row = NULL;
    if (cli->args->word_count > 0) {
        row = ll_problem_find(ll_cstr(cli->args->words[0]));
        if (row == NULL)
            return unknown_code(cli->args->words[0], err);
    }
    if (cli->json)
        return print_json(cli, row, err);
    if (row != NULL) {
        print_problem(cli, row);
        return LINLI_OK;
    }
    for (size_t i = 0; (row = ll_problem_at(i)) != NULL; i++) {
        (void)printf("%-28s ", row->code);
        ll_cli_both(stdout, cli, row->title_en, row->title_zh);
    }
    return LINLI_OK;
}

/* -- help -- */

static void
print_options(const struct ll_cli *cli, uint64_t mask, bool global)
{
    for (unsigned i = 0; i < LL_OPT_COUNT; i++) {
        struct ll_opt_text text = ll_opt_text((enum ll_opt)i);
        if (text.global != global ||
            (!global && (mask & UINT64_C(1) << i) == 0))
            continue;
        (void)printf("  %-18s ", text.form);
        ll_cli_both(stdout, cli, text.en, text.zh);
    }
}

static void
help_all(const struct ll_cli *cli)
{
    const struct ll_verb *verb;
    (void)printf("linli VERB [OPTION]...\n\n");
    for (size_t i = 0; (verb = ll_verb_at(i)) != NULL; i++) {
        (void)printf("  %-18s ", verb->name);
        ll_cli_both(stdout, cli, verb->about_en, verb->about_zh);
    }
    (void)printf("\n");
    print_options(cli, 0, true);
    (void)printf("\nlinli help VERB; spec/cli.md\n");
}

static void
help_verb(const struct ll_cli *cli, const struct ll_verb *verb)
{
    (void)printf("linli %s %s\n  ", verb->name, verb->usage);
    ll_cli_both(stdout, cli, verb->about_en, verb->about_zh);
    (void)printf("\n");
    print_options(cli, verb->options, false);
    print_options(cli, 0, true);
}

linli_status
ll_cli_help(struct ll_cli *cli, struct ll_err *err)
{
    const struct ll_args *args = cli->args;
    const struct ll_verb *verb = args->verb;
    char *wanted = NULL;
    if (verb != NULL && verb->id != LL_VERB_HELP) {
        help_verb(cli, verb); /* linli VERB --help */
        return LINLI_OK;
    }
    if (args->word_count == 0) {
        help_all(cli);
        return LINLI_OK;
    }
    wanted = ll_cli_text(cli, "%s%s%s", args->words[0],
        args->word_count > 1 ? " " : "",
        args->word_count > 1 ? args->words[1] : "");
    unsigned shown = 0;
    for (size_t i = 0; wanted != NULL && (verb = ll_verb_at(i)) != NULL; i++) {
        linli_str group = ll_cstr(verb->name), first;
        (void)ll_str_split(&group, ' ', &first);
        /* `help plugin` shows all three. */
        if (ll_str_is(ll_cstr(verb->name), wanted) ||
            ll_str_is(first, wanted)) {
            if (shown++ > 0)
                (void)printf("\n");
            help_verb(cli, verb);
        }
    }
    if (shown > 0)
        return LINLI_OK;
    return ll_fail(err, LINLI_E_NOT_FOUND, "usage", "there is no verb %s",
        wanted == NULL ? "of that length" : wanted);
}

/* -- version -- */

linli_status
ll_cli_version(struct ll_cli *cli, struct ll_err *err)
{
    const char *curl = curl_version_info(CURLVERSION_NOW)->version;
    const char *openssl = OpenSSL_version(OPENSSL_VERSION_STRING);
    LL_UNUSED(err);
    if (cli->json)
        (void)printf("{\"linli\":\"%s\",\"libcurl\":\"%s\","
                     "\"openssl\":\"%s\"}\n",
            LL_VERSION, curl, openssl);
    else
        (void)printf(
            "linli %s\nlibcurl %s\nOpenSSL %s\n", LL_VERSION, curl, openssl);
    return LINLI_OK;
}
