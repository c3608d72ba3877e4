/* cmd/linli.c: the command of vendors, operators and app developers. */
#include "cmd/linli_audit.h"
#include "cmd/linli_invoice.h"

#include <curl/curl.h>
#include <string.h>

#define REPORT_BYTES_MAX ((size_t)64 << 10)
#define ARENA_BYTES_MAX ((size_t)256 << 20)

static linli_status (*const verbs[LL_VERB_COUNT])(
    struct ll_cli *, struct ll_err *) = {
    [LL_VERB_ALERTS] = ll_cli_alerts,
    [LL_VERB_ALERTS_CLOSE] = ll_cli_alerts_close,
    [LL_VERB_AUDIT_EXPORT] = ll_cli_audit_export,
    [LL_VERB_AUDIT_KEY] = ll_cli_audit_key,
    [LL_VERB_AUDIT_PROVE] = ll_cli_audit_prove,
    [LL_VERB_AUDIT_REPLAY] = ll_cli_audit_replay,
    [LL_VERB_AUDIT_VERIFY] = ll_cli_audit_verify,
    [LL_VERB_AUDIT_RECEIPT] = ll_cli_audit_receipt,
    [LL_VERB_BACKUP] = ll_cli_backup,
    [LL_VERB_CALL] = ll_cli_call,
    [LL_VERB_CLOCK_ADVANCE] = ll_cli_clock_advance,
    [LL_VERB_CLOCK_GET] = ll_cli_clock_get,
    [LL_VERB_CLOCK_SET] = ll_cli_clock_set,
    [LL_VERB_DOCTOR] = ll_cli_doctor,
    [LL_VERB_EXPLAIN] = ll_cli_explain,
    [LL_VERB_HELP] = ll_cli_help,
    [LL_VERB_INVOICE_CREDIT] = ll_cli_invoice_credit,
    [LL_VERB_INVOICE_FINALIZE] = ll_cli_invoice_finalize,
    [LL_VERB_INVOICE_LIST] = ll_cli_invoice_list,
    [LL_VERB_INVOICE_PREVIEW] = ll_cli_invoice_preview,
    [LL_VERB_INVOICE_SHOW] = ll_cli_invoice_show,
    [LL_VERB_INVOICE_WRITE_OFF] = ll_cli_invoice_write_off,
    [LL_VERB_JOBS] = ll_cli_jobs,
    [LL_VERB_JOBS_DROP] = ll_cli_jobs_drop,
    [LL_VERB_JOBS_RETRY] = ll_cli_jobs_retry,
    [LL_VERB_JOBS_SHOW] = ll_cli_jobs_show,
    [LL_VERB_PLAN_CLOSE] = ll_cli_plan_close,
    [LL_VERB_PLAN_LIST] = ll_cli_plan_list,
    [LL_VERB_PLAN_PREVIEW] = ll_cli_plan_preview,
    [LL_VERB_PLAN_PUBLISH] = ll_cli_plan_publish,
    [LL_VERB_PLAN_SHOW] = ll_cli_plan_show,
    [LL_VERB_PLUGIN_DISABLE] = ll_cli_plugin_disable,
    [LL_VERB_PLUGIN_ENABLE] = ll_cli_plugin_enable,
    [LL_VERB_PLUGIN_LIST] = ll_cli_plugin_list,
    [LL_VERB_PLUGIN_UNINSTALL] = ll_cli_plugin_uninstall,
    [LL_VERB_RATE] = ll_cli_rate,
    [LL_VERB_RECONCILE] = ll_cli_reconcile,
    [LL_VERB_REPLAY] = ll_cli_replay,
    [LL_VERB_RESIDENTS_IMPORT] = ll_cli_residents_import,
    [LL_VERB_RESTORE] = ll_cli_restore,
    [LL_VERB_SECRET_DELETE] = ll_cli_secret_delete,
    [LL_VERB_SECRET_LIST] = ll_cli_secret_list,
    [LL_VERB_SECRET_SET] = ll_cli_secret_set,
    [LL_VERB_SEED] = ll_cli_seed,
    [LL_VERB_SETTLE] = ll_cli_settle,
    [LL_VERB_SINK_ADD] = ll_cli_sink_add,
    [LL_VERB_SINK_DELETE] = ll_cli_sink_delete,
    [LL_VERB_SINK_LIST] = ll_cli_sink_list,
    [LL_VERB_SINK_RESUME] = ll_cli_sink_resume,
    [LL_VERB_SUBSCRIBE_CANCEL] = ll_cli_subscribe_act,
    [LL_VERB_SUBSCRIBE_CAP] = ll_cli_subscribe_act,
    [LL_VERB_SUBSCRIBE_DOWNGRADE] = ll_cli_subscribe_act,
    [LL_VERB_SUBSCRIBE_LIST] = ll_cli_subscribe_list,
    [LL_VERB_SUBSCRIBE_PAUSE] = ll_cli_subscribe_act,
    [LL_VERB_SUBSCRIBE_RESUME] = ll_cli_subscribe_act,
    [LL_VERB_SUBSCRIBE_SHOW] = ll_cli_subscribe_show,
    [LL_VERB_SUBSCRIBE_START] = ll_cli_subscribe_start,
    [LL_VERB_SUBSCRIBE_UPGRADE] = ll_cli_subscribe_act,
    [LL_VERB_TOKEN] = ll_cli_token,
    [LL_VERB_TRIGGER] = ll_cli_trigger,
    [LL_VERB_USAGE] = ll_cli_usage,
    [LL_VERB_USAGE_EXPORT] = ll_cli_usage_export,
    [LL_VERB_VERSION] = ll_cli_version,
    [LL_VERB_WEBHOOK_ADD] = ll_cli_webhook_add,
    [LL_VERB_WEBHOOK_DELETE] = ll_cli_webhook_delete,
    [LL_VERB_WEBHOOK_LIST] = ll_cli_webhook_list,
    [LL_VERB_WEBHOOK_ROTATE] = ll_cli_webhook_rotate,
};

static const char *
given_or(const struct ll_args *args, enum ll_opt opt, const char *otherwise)
{
    return args->value[opt] != NULL ? args->value[opt] : otherwise;
}

static linli_status
read_globals(struct ll_cli *cli, const struct ll_args *args, struct ll_err *err)
{
    const char *lang = given_or(args, LL_OPT_LANG, "");
    cli->args = args;
    cli->exit_code = LL_EXIT_USAGE;
    cli->json = args->value[LL_OPT_JSON] != NULL;
    cli->data = given_or(args, LL_OPT_DATA, LL_CLI_DATA_DEFAULT);
    cli->community = given_or(args, LL_OPT_COMMUNITY, LL_CLI_COMMUNITY_DEFAULT);
    if (strcmp(lang, "zh") == 0)
        cli->lang = LL_LANG_ZH;
    else if (strcmp(lang, "en") == 0)
        cli->lang = LL_LANG_EN;
    else if (lang[0] != '\0')
        return ll_fail(err, LINLI_E_INVALID, "usage", "--lang takes zh or en");
    if (cli->community[0] == '\0')
        return ll_fail(err, LINLI_E_INVALID, "usage", "--community is empty");
    return LINLI_OK;
}

static linli_status
run(struct ll_cli *cli, const struct ll_args *args, struct ll_err *err)
{
    bool help = args->value[LL_OPT_HELP] != NULL;
    linli_status status = ll_world_new(&cli->mem, &cli->world, err);
    if (status != LINLI_OK)
        return status;
    if (args->verb == NULL && !help) {
        /* Nothing was asked: say what can be, and do not call it a success. */
        status = ll_fail(err, LINLI_E_INVALID, "usage", "a verb is missing");
        ll_err_fix(err, "linli help lists the verbs");
    } else if (args->verb == NULL || help) {
        status = ll_cli_help(cli, err);
    } else {
        status = verbs[args->verb->id](cli, err);
    }
    ll_world_free(&cli->world);
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
    /* What was answered stands before what is said about it. */
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
    struct ll_args args;
    struct ll_cli cli = {0};
    struct ll_err err = {0}, parsed = {0};
    ll_mem_init(&cli.mem, 0);
    ll_arena_init(&cli.arena, &cli.mem, ARENA_BYTES_MAX);
    linli_status status = ll_args_parse(argc, argv, &args, &parsed);
    linli_status globals = read_globals(&cli, &args, &err);
    if (status != LINLI_OK)
        err = parsed;
    else if (globals != LINLI_OK)
        status = globals;
    else if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        status = ll_fail(&err, LINLI_E_INTERNAL, "runtime/internal",
            "libcurl does not start");
    else
        status = run(&cli, &args, &err);
    if (status != LINLI_OK)
        report(&cli, &err);
    curl_global_cleanup();
    ll_arena_fini(&cli.arena);
    /* What a script could not be given must not look like a success. */
    if (fflush(stdout) != 0 && status == LINLI_OK) {
        status = LINLI_E_IO;
        (void)ll_fail(&err, status, "cli/file", "stdout cannot be written");
        report(&cli, &err);
    }
    return status == LINLI_OK ? LL_EXIT_OK : (int)cli.exit_code;
}
