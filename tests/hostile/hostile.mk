# tests/hostile/hostile.mk: native plugins that attack. Included by
# Makefile.in; builds into hostile/. They know the runtime's headers, as an
# attacker does who has read the source, and have none of its flags.

HOSTILE_DIR = $(srcdir)/tests/hostile/native
hostile_object = $(CC) -std=gnu11 -O1 -fno-stack-protector -fPIC \
  -fvisibility=hidden -Wall -Wextra $(werror_flag) \
  -I$(srcdir)/sdk/include -I$(srcdir)/runtime -I$(srcdir)/tests/unit -Igen \
  -D_GNU_SOURCE -shared -Wl,-z,noexecstack
hostile_headers = $(HOSTILE_DIR)/hostile.h $(HOSTILE_DIR)/frames.h \
  $(srcdir)/tests/unit/enter_attacks.h $(srcdir)/runtime/wire/hostcall.def \
  $(srcdir)/tests/unit/enter_attacks.def $(srcdir)/runtime/worker/worker.h \
  $(wildcard $(srcdir)/sdk/include/linli/*.h $(srcdir)/runtime/wire/*.h) \
  gen/config.h
hostile_sources = $(addprefix $(HOSTILE_DIR)/,plugin.c system.c fault.c \
  wire.c hostcall.c)

hostile/hostile.so: $(hostile_sources) $(hostile_headers)
	@mkdir -p $(@D)
	$(call say,SO )$(hostile_object) $(hostile_sources) -o $@

# One with each constructor, which runs before the plugin is READY.
hostile_constructors = files sockets fork loop garbage ready exit
hostile/constructor-%.so: $(HOSTILE_DIR)/constructor.c $(hostile_headers)
	@mkdir -p $(@D)
	$(call say,SO )$(hostile_object) -DCONSTRUCTOR=constructor_$* $< -o $@

check_needs += hostile/hostile.so \
  $(hostile_constructors:%=hostile/constructor-%.so)
clean_files += hostile
