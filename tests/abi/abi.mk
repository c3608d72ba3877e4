# tests/abi/abi.mk: the gate of the plugin ABI, and the objects that the
# tests of the native engine load. Included by Makefile.in; builds into abi/.
# The objects are an author's: none of the runtime's flags, no sanitizer.

ABI_DIR = $(srcdir)/tests/abi
abi_headers = $(wildcard $(srcdir)/sdk/include/linli/*.h)
abi_object = $(CC) -std=gnu11 -O2 -fPIC -fvisibility=hidden -Wall -Wextra \
  $(werror_flag) -I$(srcdir)/sdk/include -shared -Wl,-z,noexecstack

abi/layout: $(ABI_DIR)/layout.c $(abi_headers) \
  $(srcdir)/runtime/wire/hostcall.def
	@mkdir -p $(@D)
	$(call say,CC )$(CC) -std=gnu11 -Wall -Wextra $(werror_flag) \
	  -I$(srcdir)/sdk/include -I$(srcdir)/runtime $< -o $@

# good.c as it is, and with one thing wrong in its descriptor or its link.
good_variants = level draft size id version nocreate required drafted \
  execstack needed bundled
abi_flags_level = -DGOOD_LEVEL=2
abi_flags_draft = '-DGOOD_DRAFT=LINLI_ABI_DRAFT+1'
abi_flags_size = -DGOOD_SIZE=64
abi_flags_id = '-DGOOD_ID="other"'
abi_flags_version = '-DGOOD_VERSION="1.0.1"'
abi_flags_nocreate = -DGOOD_CREATE=0
abi_flags_required = '-DGOOD_REQUIRED="linli.teleport/1"'
abi_flags_drafted = '-DGOOD_REQUIRED=LINLI_PROBE_0'
abi_flags_execstack = -Wl,-z,execstack
abi_flags_needed = -Wl,--no-as-needed abi/fixtures/libforeign.so
abi_flags_bundled = -Wl,--no-as-needed abi/fixtures/libdep.so
abi/fixtures/needed.so: abi/fixtures/libforeign.so
abi/fixtures/bundled.so: abi/fixtures/libdep.so

# Libraries among themselves: top needs dep; left and right need each other;
# nameless is needed by its file name, but has no SONAME.
abi_deps = top libdep libforeign libleft libright libnameless named
dep_flags_libdep = -Wl,-soname,libdep.so
dep_flags_libforeign = -DDEP_NAME=foreign_answer -Wl,-soname,libforeign.so
dep_flags_top = -DDEP_NAME=top_answer -DDEP_OTHER=dep_answer abi/fixtures/libdep.so
dep_flags_libleft = -DDEP_NAME=left_answer -DDEP_OTHER=right_answer \
  -Wl,-soname,libleft.so -Labi/fixtures -lright
dep_flags_libright = -DDEP_NAME=right_answer -DDEP_OTHER=left_answer \
  -Wl,-soname,libright.so -Labi/stub -lleft
dep_flags_libnameless = -DDEP_NAME=nameless_answer
dep_flags_named = -DDEP_NAME=named_answer -DDEP_OTHER=nameless_answer \
  -Labi/fixtures -lnameless
abi/fixtures/top.so: abi/fixtures/libdep.so
abi/fixtures/libleft.so: abi/fixtures/libright.so
abi/fixtures/libright.so: abi/stub/libleft.so
abi/fixtures/named.so: abi/fixtures/libnameless.so

abi_fixtures = $(addprefix abi/fixtures/,$(addsuffix .so,attack good null \
  stored empty constructor imports printf typed textrel $(good_variants) $(abi_deps)))

$(good_variants:%=abi/fixtures/%.so): abi/fixtures/%.so: \
  $(ABI_DIR)/fixtures/good.c $(abi_headers) $(ABI_DIR)/abi.mk
	@mkdir -p $(@D)
	$(call say,SO )$(abi_object) $< -o $@ $(abi_flags_$*)

$(abi_deps:%=abi/fixtures/%.so): abi/fixtures/%.so: \
  $(ABI_DIR)/fixtures/dep.c $(ABI_DIR)/abi.mk
	@mkdir -p $(@D)
	$(call say,SO )$(abi_object) $< -o $@ $(dep_flags_$*)

# The half of a circle that the other half is linked against.
abi/stub/libleft.so: $(ABI_DIR)/fixtures/dep.c $(ABI_DIR)/abi.mk
	@mkdir -p $(@D)
	$(call say,SO )$(abi_object) -DDEP_NAME=left_answer $< -o $@ \
	  -Wl,-soname,libleft.so

abi/fixtures/printf.so: $(ABI_DIR)/fixtures/imports.c $(ABI_DIR)/abi.mk
	@mkdir -p $(@D)
	$(call say,SO )$(abi_object) -DIMPORTS_PRINTF $< -o $@

abi/fixtures/textrel.so: $(ABI_DIR)/fixtures/textrel.c $(ABI_DIR)/abi.mk
	@mkdir -p $(@D)
	$(call say,SO )$(abi_object) -fno-pic -mcmodel=large -Wl,-z,notext $< \
	  -o $@

abi/fixtures/%.so: $(ABI_DIR)/fixtures/%.c $(abi_headers) $(ABI_DIR)/abi.mk
	@mkdir -p $(@D)
	$(call say,SO )$(abi_object) $< -o $@

# Once a level is frozen its headers stay in spec/abi/level-N, and the good
# plugin is built against each and run by the host of today.
frozen_levels = $(notdir $(wildcard $(srcdir)/spec/abi/level-[0-9]))
frozen_plugins = $(frozen_levels:%=abi/frozen/%.so)
$(frozen_plugins): abi/frozen/%.so: $(ABI_DIR)/fixtures/good.c
	@mkdir -p $(@D)
	$(call say,SO )$(CC) -std=gnu11 -O2 -fPIC -fvisibility=hidden -shared \
	  -I$(srcdir)/spec/abi/$* $< -o $@

accept-abi: abi/layout
	$(Q)$(PYTHON) -B $(ABI_DIR)/accept.py abi/layout $(srcdir)/spec/abi

check-abi: all tests
	$(Q)$(run_tests) --suite abi

check_needs += abi/layout $(abi_fixtures) $(frozen_plugins)
clean_files += abi
.PHONY: check-abi
