# tests/plugins/plugins.mk: plugins in C of the scenarios, and what is
# preloaded into linlid. Included by Makefile.in; builds into plugins-c/. An
# author's objects: the public headers, and none of the runtime's flags.

plugins_c = plugins-c/shop.so
plugins-c/shop.so: $(srcdir)/tests/plugins/shop-c/shop.c \
  $(wildcard $(srcdir)/sdk/include/linli/*.h)
	@mkdir -p $(@D)
	$(call say,SO )$(CC) -std=c11 -O2 -fPIC -fvisibility=hidden -Wall -Wextra \
	  $(werror_flag) -I$(srcdir)/sdk/include -shared -Wl,-z,noexecstack $< -o $@

plugins-c/slow_sync.so: $(srcdir)/tests/plugins/slow_sync.c
	@mkdir -p $(@D)
	$(call say,SO )$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -fPIC -Wall -Wextra \
	  $(werror_flag) -shared -Wl,-z,noexecstack $< -o $@ -ldl

check_needs += $(plugins_c) plugins-c/slow_sync.so
clean_files += plugins-c
