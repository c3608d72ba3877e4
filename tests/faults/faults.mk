# tests/faults/faults.mk: disks that fail and that forget. Included by
# Makefile.in; builds into faults/. They stand before the C library, so they
# take no flag that would make a function of that library something else.

faults/%.so: $(srcdir)/tests/faults/%.c
	@mkdir -p $(@D)
	$(call say,SO )$(CC) -std=gnu11 -O1 -fPIC -Wall -Wextra $(werror_flag) \
	  -D_GNU_SOURCE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0 -shared \
	  -Wl,-z,noexecstack $< -o $@

check_needs += faults/io.so faults/power.so
clean_files += faults

# linli with one file of the engine broken on purpose, which
# tests/scenario/test_pricing_model.py writes, builds and finds out.
mutants/%/linli: mutants/%/changed.c $(call cmd_objs,linli) liblinli.a
	$(call say,LD )$(compile) -w -c $< -o $(@D)/changed.o && $(link) \
	  $(@D)/changed.o $(call cmd_objs,linli) liblinli.a -o $@ \
	  $(LIB_LIBS) $(LIBS)
clean_files += mutants
