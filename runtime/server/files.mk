server_SRCS = \
  act.c \
  admin.c \
  alerts.c \
  api.c \
  callbacks.c \
  calls.c \
  consents.c \
  consents_act.c \
  consents_admin.c \
  consents_ask.c \
  desk.c \
  dev.c \
  dev_pay.c \
  events.c \
  face.c \
  http.c \
  http_conn.c \
  http_parse.c \
  http_refuse.c \
  http_rules.c \
  http_write.c \
  job.c \
  jobs.c \
  messages.c \
  metrics_http.c \
  openapi.c \
  openapi_schema.c \
  payments.c \
  secrets.c \
  sim.c \
  usage.c \
  view.c \
  webhooks.c

# What no plugin changes of openapi.json, as bytes of C.
GENERATED += gen/openapi_base.h
gen/openapi_base.h: $(srcdir)/runtime/server/openapi.base.json
	@mkdir -p $(@D)
	$(call say,GEN)od -An -v -tu1 $< | sed 's/  */,/g; s/^,//; s/$$/,/' >$@
