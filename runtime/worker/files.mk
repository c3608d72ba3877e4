worker_SRCS = elf.c \
  elf_rules.c \
  enter.c \
  enter_filter.c \
  enter_landlock.c \
  enter_root.c \
  ffi.c \
  hello.c \
  loop.c \
  lua_base.c \
  lua_call.c \
  lua_co.c \
  lua_data.c \
  lua_db.c \
  lua_effects.c \
  lua_engine.c \
  lua_freeze.c \
  lua_handle.c \
  lua_heap.c \
  lua_host.c \
  lua_json.c \
  lua_limit.c \
  lua_native.c \
  lua_op.c \
  lua_order.c \
  lua_pay.c \
  lua_plugin.c \
  lua_random.c \
  lua_require.c \
  lua_run.c \
  lua_shape.c \
  lua_state.c \
  lua_time.c \
  lua_value.c \
  native.c \
  native_core.c \
  native_db.c \
  native_effects.c \
  native_host.c \
  native_plugin.c \
  native_value.c \
  objects.c \
  worker.c

# sdk/lua as bytes of C, so that the worker needs no file: its modules,
# `linli` being init.lua, `linli.x` x.lua.
sdk_lua = fetch init json money time
sdk_lua_files = $(sdk_lua:%=$(srcdir)/sdk/lua/linli/%.lua)
GENERATED += gen/sdk_lua.h
gen/sdk_lua.h: $(sdk_lua_files) $(srcdir)/runtime/worker/files.mk
	@mkdir -p $(@D)
	$(call say,GEN){ for m in $(sdk_lua); do \
	  printf 'static const unsigned char sdk_%s[] = {\n' $$m; \
	  od -An -v -tu1 $(srcdir)/sdk/lua/linli/$$m.lua | \
	    awk '{ gsub(/[0-9]+/, "&,"); print }'; printf '};\n'; done; \
	  printf 'static const struct sdk_file {\n    const char *name, *path;\n'; \
	  printf '    const unsigned char *bytes;\n    size_t size;\n'; \
	  printf '} sdk_files[] = {\n'; \
	  for m in $(sdk_lua); do n=linli.$$m; [ $$m != init ] || n=linli; \
	  printf '    {"%s", "linli/%s.lua", sdk_%s, sizeof sdk_%s},\n' \
	    $$n $$m $$m $$m; done; printf '};\n'; } >$@.tmp && mv $@.tmp $@
