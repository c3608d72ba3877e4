# The programs; a file that two of them share stands in both lists.
linlid_SRCS = linlid.c
linli_SRCS = \
  audit_fold.c \
  audit_receipt.c \
  audit_replay.c \
  audit_source.c \
  audit_verify.c \
  audit_write.c \
  linli.c \
  linli_admin.c \
  linli_args.c \
  linli_audit.c \
  linli_call.c \
  linli_cli.c \
  linli_device.c \
  linli_doctor.c \
  linli_explain.c \
  linli_host.c \
  linli_http.c \
  linli_invoice.c \
  linli_jobs.c \
  linli_list.c \
  linli_plan.c \
  linli_plan_preview.c \
  linli_plugin.c \
  linli_rate.c \
  linli_replay.c \
  linli_replay_run.c \
  linli_residents.c \
  linli_secret.c \
  linli_settle.c \
  linli_sink.c \
  linli_subscribe.c \
  linli_token.c \
  linli_trace.c \
  linli_trigger.c \
  linli_usage.c \
  linli_usage_export.c \
  linli_webhook.c
linli-worker_SRCS = linli-worker.c
linli-audit_SRCS = \
  audit_fold.c \
  audit_receipt.c \
  audit_replay.c \
  audit_source.c \
  audit_verify.c \
  audit_write.c \
  linli-audit.c \
  linli_args.c \
  linli_audit.c \
  linli_cli.c
