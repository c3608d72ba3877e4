# examples/examples.mk: the examples that are compiled, as packages that can
# be enabled from the build folder. Included by Makefile.in. Compiled as an
# author does it: the public headers, and none of the runtime's flags.

example_object = $(CC) -std=c11 -O2 -fPIC -fvisibility=hidden -Wall -Wextra \
  $(werror_flag) -I$(srcdir)/sdk/include -shared -Wl,-z,noexecstack
example_packages = \
  $(addprefix examples/hello-c/,plugin.json hello.so) \
  $(addprefix examples/typed-library/,plugin.json main.lua lib/fee.so)

examples/hello-c/hello.so: $(srcdir)/examples/hello-c/hello.c \
  $(wildcard $(srcdir)/sdk/include/linli/*.h)
	@mkdir -p $(@D)
	$(call say,SO )$(example_object) $< -o $@

examples/typed-library/lib/fee.so: $(srcdir)/examples/typed-library/fee.c
	@mkdir -p $(@D)
	$(call say,SO )$(example_object) $< -o $@

# A program of its own, linked as a host program is. Sanitizers are the
# library's choice, and one process has one of them.
examples/embed/embed: $(srcdir)/examples/embed/embed.c liblinli.a \
  $(wildcard $(srcdir)/sdk/include/linli/*.h)
	@mkdir -p $(@D)
	$(call say,LD )$(CC) -std=c11 -O2 -Wall -Wextra $(werror_flag) \
	  $(san_flags) -I$(srcdir)/sdk/include $< liblinli.a -o $@ \
	  $(LIB_LIBS) $(LIBS)

# A build inside the source tree finds the other files where they are.
ifneq ($(abspath $(srcdir)),$(CURDIR))
$(filter-out %.so,$(example_packages)): examples/%: $(srcdir)/examples/%
	@mkdir -p $(@D)
	$(Q)cp $< $@
examples_built = $(example_packages)
else
examples_built = $(filter %.so,$(example_packages))
endif

all: $(examples_built) examples/embed/embed
clean_files += $(examples_built) examples/embed/embed
