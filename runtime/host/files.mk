host_SRCS = alert.c \
  await.c \
  batch.c \
  birthdays.c \
  bus.c \
  call.c \
  call_admit.c \
  call_commit.c \
  call_problem.c \
  call_run.c \
  clock.c \
  code_try.c \
  collections.c \
  conf.c \
  conf_consent.c \
  conf_egress.c \
  conf_notify.c \
  data_get.c \
  db_list.c \
  db_ops.c \
  demo.c \
  dev_key.c \
  device.c \
  directory.c \
  duty.c \
  effect.c \
  egress.c \
  egress_place.c \
  egress_want.c \
  errand.c \
  errand_fetch.c \
  error_text.c \
  feed.c \
  host.c \
  instance.c \
  job.c \
  jwks.c \
  jwt.c \
  kept.c \
  locale.c \
  lock.c \
  log.c \
  meter.c \
  meter_span.c \
  metrics.c \
  notify.c \
  notify_http.c \
  notify_send.c \
  notify_sim.c \
  op.c \
  own_schema.c \
  pay_adapter.c \
  pay_doc.c \
  pay_sim.c \
  payment.c \
  payment_errand.c \
  payment_notice.c \
  payment_ops.c \
  pid.c \
  plan_call.c \
  plan_text.c \
  probe.c \
  problem_json.c \
  queue.c \
  rate.c \
  reading.c \
  reconcile.c \
  record.c \
  record_text.c \
  relay.c \
  release.c \
  remember.c \
  request.c \
  revoked.c \
  rights.c \
  rights_call.c \
  rights_erase.c \
  rights_find.c \
  rights_household.c \
  rights_pages.c \
  secret.c \
  secret_sign.c \
  seed.c \
  seed_consents.c \
  seed_people.c \
  seed_read.c \
  sink.c \
  sink_doc.c \
  sink_send.c \
  space_days.c \
  stop.c \
  sweep.c \
  tell.c \
  terms.c \
  texts.c \
  timers.c \
  token_cache.c \
  trace.c \
  uninstall.c \
  uninstall_empty.c \
  usage_rows.c \
  vault.c \
  watch.c \
  webhook.c \
  webhook_doc.c \
  webhook_send.c \
  who.c \
  witness.c \
  work.c

# Schemas of the files that people write for us, compiled into the library.
OWN_SCHEMAS = gen/config_schema.h gen/seed_schema.h
GENERATED += $(OWN_SCHEMAS)
$(OWN_SCHEMAS): gen/%_schema.h: $(srcdir)/spec/%.schema.json
	@mkdir -p $(@D)
	@{ echo 'static const unsigned char ll_$*_schema[] = {'; \
	  od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
	  echo '};'; } >$@.tmp && mv $@.tmp $@
