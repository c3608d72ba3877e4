/* cmd/linli-audit.c: the verbs of `linli audit` as a program of its own,
 * linked statically, for machines that have nothing of Linli. */
#include "cmd/linli_audit.h"

#include <string.h>

#include "base/text.h"

#define REPORT_BYTES_MAX ((size_t)64 << 10)
#define ARENA_BYTES_MAX ((size_t)16 << 20)
#define ARGS_MAX 64

static const struct {
    const char *name;
    linli_status (*run)(struct ll_cli *, struct ll_err *);
} verbs[] = {
    {"audit export", ll_cli_audit_export},
    {"audit key", ll_cli_audit_key},
    {"audit prove", ll_cli_audit_prove},
    {"audit replay", ll_cli_audit_replay},
    {"audit verify", ll_cli_audit_verify},
    {"audit verify-receipt", ll_cli_audit_receipt},
};

static void
print_help(FILE *out)
{
    const struct ll_verb *verb;
    (void)fprintf(out, "linli-audit: a log of consent, verified offline\n");
    for (size_t i = 0; (verb = ll_verb_at(i)) != NULL; i++)
        if (strncmp(verb->name, "audit ", 6) == 0)
            (void)fprintf(out, "  linli-audit %s %s\n      %s\n      %s\n",
                verb->name + 6, verb->usage, verb->about_en, verb->about_zh);
}

static linli_status
run(struct ll_cli *cli, const struct ll_args *args, struct ll_err *err)
{
    const char *lang = args->value[LL_OPT_LANG];
    cli->args = args;
    cli->exit_code = LL_EXIT_USAGE;
    cli->json = args->value[LL_OPT_JSON] != NULL;
    cli->data = args->value[LL_OPT_DATA] != NULL ? args->value[LL_OPT_DATA]
                                                 : LL_CLI_DATA_DEFAULT;
    if (lang != NULL)
        cli->lang = strcmp(lang, "zh") == 0 ? LL_LANG_ZH : LL_LANG_EN;
    if (args->value[LL_OPT_HELP] != NULL) {
        print_help(stdout);
        return LINLI_OK;
    }
    for (size_t i = 0; args->verb != NULL && i < LL_COUNT(verbs); i++)
        if (strcmp(args->verb->name, verbs[i].name) == 0)
            return verbs[i].run(cli, err);
    linli_status status =
        ll_fail(err, LINLI_E_INVALID, "usage", "a verb is missing");
    ll_err_fix(err, "linli-audit --help lists them");
    return status;
}

static void
report(struct ll_cli *cli, const struct ll_err *err)
{
    struct ll_buf text;
    struct ll_report said = {.code = err->code,
        .title = cli->title,
        .where = err->where,
        .msg = err->msg,
        .fix = err->fix};
    (void)fflush(stdout);
    ll_buf_init(&text, &cli->mem, REPORT_BYTES_MAX);
    if (cli->json)
        ll_report_json(&text, &said);
    else
        ll_report_text(&text, &said, cli->lang);
    (void)fwrite(text.ptr, 1, text.len, stderr);
    ll_buf_fini(&text);
}

int
main(int argc, char **argv)
{
    char audit[] = "audit";
    char *words[ARGS_MAX + 1];
    struct ll_args args;
    struct ll_cli cli = {0};
    struct ll_err err = {0};
    int count = 0;
    for (int i = 0; i < argc && count < ARGS_MAX; i++) {
        words[count++] = argv[i];
        if (i == 0)
            words[count++] = audit;
    }
    words[count] = NULL;
    ll_mem_init(&cli.mem, 0);
    ll_arena_init(&cli.arena, &cli.mem, ARENA_BYTES_MAX);
    cli.exit_code = LL_EXIT_USAGE;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return LL_EXIT_OK;
    }
    linli_status status = ll_args_parse(count, words, &args, &err);
    if (status == LINLI_OK)
        status = run(&cli, &args, &err);
    if (status != LINLI_OK)
        report(&cli, &err);
    ll_arena_fini(&cli.arena);
    if (fflush(stdout) != 0 && status == LINLI_OK)
        return LL_EXIT_USAGE;
    return status == LINLI_OK ? LL_EXIT_OK : (int)cli.exit_code;
}
