/* cmd/linli_verbs.h: the verbs of `linli`, each in a file of its group. */
#ifndef LL_CMD_LINLI_VERBS_H
#define LL_CMD_LINLI_VERBS_H

#include "base/err.h"

struct ll_cli;

/* Does it. On a failure cli->exit_code says how the process ends. */
linli_status ll_cli_alerts(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_alerts_close(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_backup(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_call(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_clock_advance(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_clock_get(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_clock_set(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_doctor(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_explain(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_help(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_jobs(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_jobs_drop(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_jobs_retry(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_jobs_show(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_plan_close(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_plan_list(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_plan_preview(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_plan_publish(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_plan_show(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_plugin_disable(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_plugin_enable(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_plugin_list(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_plugin_uninstall(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_rate(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_reconcile(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_replay(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_residents_import(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_restore(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_secret_delete(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_secret_list(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_secret_set(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_seed(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_settle(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_sink_add(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_sink_delete(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_sink_list(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_sink_resume(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_subscribe_act(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_subscribe_list(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_subscribe_show(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_subscribe_start(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_token(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_trigger(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_usage(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_usage_export(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_version(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_webhook_add(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_webhook_delete(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_webhook_list(struct ll_cli *cli, struct ll_err *err);
linli_status ll_cli_webhook_rotate(struct ll_cli *cli, struct ll_err *err);

#endif
