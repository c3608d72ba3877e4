server_SRCS = \
  access_log.c \
  act.c \
  admin.c \
  alerts.c \
  answer.c \
  api.c \
  assist.c \
  assist_proof.c \
  attribute.c \
  audit.c \
  bills_me.c \
  callbacks.c \
  calls.c \
  consents.c \
  consents_act.c \
  consents_admin.c \
  consents_ask.c \
  consents_no.c \
  deal.c \
  desk.c \
  dev.c \
  dev_pay.c \
  duties.c \
  events.c \
  export.c \
  face.c \
  form.c \
  http.c \
  http_conn.c \
  http_parse.c \
  http_refuse.c \
  http_rules.c \
  http_write.c \
  import.c \
  invoice.c \
  invoice_act.c \
  invoice_records.c \
  invoices.c \
  job.c \
  jobs.c \
  log.c \
  messages.c \
  metrics_http.c \
  money.c \
  openapi.c \
  openapi_schema.c \
  pages.c \
  payments.c \
  people.c \
  people_admin.c \
  people_guard.c \
  people_me.c \
  person.c \
  plan_preview.c \
  plans.c \
  prover.c \
  receipt.c \
  relays.c \
  rights.c \
  secrets.c \
  settlements.c \
  signed.c \
  sim.c \
  sinks.c \
  subscription.c \
  subscriptions.c \
  subscriptions_me.c \
  till_view.c \
  uninstalls.c \
  usage.c \
  usage_export.c \
  view.c \
  webhooks.c

# What no plugin changes of openapi.json, as bytes of C.
GENERATED += gen/openapi_base.h
gen/openapi_base.h: $(srcdir)/runtime/server/openapi.base.json
	@mkdir -p $(@D)
	$(call say,GEN)od -An -v -tu1 $< | sed 's/  */,/g; s/^,//; s/$$/,/' >$@

# What the pages of server/pages.c are made of, as bytes of C: NAME:TYPE; those
# without a type are not served as they are.
pages = page.html: words.json: style.css:text/css main.js:text/javascript \
  acts.js:text/javascript api.js:text/javascript dom.js:text/javascript \
  bills.js:text/javascript bill_words.js:text/javascript \
  page.js:text/javascript sheet.js:text/javascript \
  centre.js:text/javascript rights.js:text/javascript
pages_names = $(foreach p,$(pages),$(firstword $(subst :, ,$(p))))
GENERATED += gen/pages_files.h
gen/pages_files.h: $(pages_names:%=$(srcdir)/runtime/server/pages/%) \
  $(srcdir)/runtime/server/files.mk
	@mkdir -p $(@D)
	$(call say,GEN){ for f in $(pages_names); do \
	  printf 'static const unsigned char pages_%s[] = {\n' \
	    $$(echo $$f | tr . _); \
	  od -An -v -tu1 $(srcdir)/runtime/server/pages/$$f | \
	    awk '{ gsub(/[0-9]+/, "&,"); print }'; printf '};\n'; done; \
	  printf 'static const struct pages_file {\n    const char *name, *type;\n'; \
	  printf '    const unsigned char *bytes;\n    size_t size;\n'; \
	  printf '} pages_files[] = {\n'; \
	  for p in $(pages); do f=$${p%%:*} t=$${p#*:}; \
	  [ -z "$$t" ] && t=NULL || t="\"$$t; charset=utf-8\""; \
	  b=pages_$$(echo $$f | tr . _); \
	  printf '    {"%s", %s, %s, sizeof %s},\n' $$f "$$t" $$b $$b; \
	  done; printf '};\n'; } >$@.tmp && mv $@.tmp $@
