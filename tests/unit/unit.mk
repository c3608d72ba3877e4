# tests/unit/unit.mk: what unit tests need beside themselves.

# A shared object for the sandbox to map; no sanitizer, as a plugin's is.
unit/enter_object.so: $(srcdir)/tests/unit/enter_object.c config.mk
	@mkdir -p $(@D)
	$(call say,LD )$(CC) -shared -fPIC -O2 -Wl,-z,noexecstack \
	  -Wl,-soname,enter_object.so $< -o $@
unit/test_enter: unit/enter_object.so
