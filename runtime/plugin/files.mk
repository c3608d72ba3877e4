plugin_SRCS = breaker.c \
  manifest.c \
  manifest_consent.c \
  manifest_data.c \
  manifest_egress.c \
  manifest_notify.c \
  manifest_route.c \
  manifest_rules.c \
  match.c \
  package.c \
  pool.c \
  proc.c \
  run.c \
  supervisor.c

# The manifest's schema as bytes of C, so that liblinli needs no file.
GENERATED += gen/manifest_schema.h
gen/manifest_schema.h: $(srcdir)/spec/manifest.schema.json
	@mkdir -p $(@D)
	$(call say,GEN)od -An -v -tu1 $< | sed 's/  */,/g; s/^,//; s/$$/,/' >$@
