host_SRCS = batch.c \
  call.c \
  call_problem.c \
  clock.c \
  conf.c \
  demo.c \
  dev_key.c \
  error_text.c \
  host.c \
  instance.c \
  jwks.c \
  jwt.c \
  locale.c \
  log.c \
  metrics.c \
  problem_json.c \
  rate.c \
  request.c \
  services.c \
  stop.c \
  token_cache.c \
  trace.c

# The configuration's schema, compiled into the library.
GENERATED += gen/config_schema.h
gen/config_schema.h: $(srcdir)/spec/config.schema.json
	@mkdir -p $(@D)
	@{ echo 'static const unsigned char ll_config_schema[] = {'; \
	  od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
	  echo '};'; } >$@.tmp && mv $@.tmp $@
